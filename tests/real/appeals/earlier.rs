//! Questions about appeals as of earlier: who may see what is as of now, what is overdue or idle as of then.

use doudi_api::proto::{
    AsOf, BoardComparison, BoardFigure, BoardSelection, BoardSums, ClockKind, CountInboxRequest,
    GetBoardRequest, ListAppealsRequest, ListBoardRowsRequest, ListInboxRequest, ListStuckRequest,
    RuleOnContestRequest, as_of::Moment,
};

use doudi_api::identity::Claims;
use doudi_server::clock::Ahead;
use doudi_tests::world::Ground;
use jiff::SignedDuration;

use super::*;
use crate::real::requests::{in_days, now};

const ENTERPRISE: &str = "L-1";
/// Its lead is `port-office`, until somebody rules that it is not.
const TOPIC: &str = "T13";
const FORMER: &str = "port-office";
const PRESENT: &str = "tax";

/// How much a unit finds of the one appeal there is, in each list and count.
async fn found(client: &Client, min_position: &str, as_of: Option<AsOf>) -> Vec<usize> {
    let min_position = min_position.to_owned();
    let list = ListAppealsRequest {
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let listed = client.appeals.clone().list_appeals(list).await.unwrap().into_inner();
    let inbox = ListInboxRequest {
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let inbox = client.cases.clone().list_inbox(inbox).await.unwrap().into_inner();
    let count = CountInboxRequest {
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let count = client.cases.clone().count_inbox(count).await.unwrap().into_inner();
    let mut found = vec![
        listed.appeals.len(),
        inbox.entries.len(),
        usize::try_from(count.total).expect("it is small"),
    ];
    for figure in [BoardFigure::OpenAppeals, BoardFigure::Due] {
        // What is due is due within the year.
        let due = figure == BoardFigure::Due;
        let days = (due.then(|| in_days(0)), due.then(|| in_days(365)));
        let selection =
            BoardSelection { figure: figure.into(), from: days.0, until: days.1, ..<_>::default() };
        let rows = ListBoardRowsRequest {
            selection: Some(selection),
            min_position: min_position.clone(),
            as_of: as_of.clone(),
            ..<_>::default()
        };
        let rows = client.boards.clone().list_board_rows(rows).await.unwrap().into_inner();
        found.push(rows.rows.len());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn who_led_a_strict_case_then_sees_nothing_of_it_and_who_leads_it_now_sees_what_it_was() {
    let world = World::start().await;
    let case = Case::submit(&world, confidential(ENTERPRISE, TOPIC, Confidentiality::Strict)).await;
    case.accept(&world).await;
    let then = case.dispatch(&world, "").await;
    let (former, present) = (world.unit(FORMER), world.unit(PRESENT));
    let live = found(&former, &then, None).await;
    assert!(live.iter().all(|found| *found > 0), "{live:?}");
    assert_eq!(found(&present, &then, None).await, [0; 5]);

    case.contest(&world, FORMER, PRESENT).await;
    let ruling = request!(RuleOnContestRequest, case, to_unit: PRESENT.to_owned());
    let ruled = world.role(Role::Dispatcher).appeals.rule_on_contest(ruling).await.unwrap();
    let ruled = left(ruled.into_inner().receipt);
    let as_of = Some(AsOf { moment: Some(Moment::Position(then.clone())) });
    assert_eq!(found(&former, &ruled, as_of.clone()).await, [0; 5]);
    assert_eq!(found(&present, &ruled, as_of.clone()).await, live, "what the former lead saw then");
    let auditor = world.role(Role::Auditor);
    assert_eq!(found(&auditor, &ruled, as_of).await, live);
    world.stop().await;
}

/// Asks `of` for a part of what the lead has, and says at which position.
async fn asked(world: &World, case: &Case, of: &str) -> String {
    let (ask, of) = ("请提供意见".to_owned(), of.to_owned());
    let request = request!(RequestCoHandlingRequest, case, unit: of, ask: ask);
    let mut lead = world.unit(FORMER);
    let answer = lead.handling.request_co_handling(request).await.unwrap();
    left(answer.into_inner().receipt)
}

fn at(position: &str) -> Option<AsOf> {
    Some(AsOf { moment: Some(Moment::Position(position.to_owned())) })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_for_a_part_sees_nothing_of_what_others_owed_before_and_since() {
    let world = World::start().await;
    let case = Case::submit(&world, confidential(ENTERPRISE, TOPIC, Confidentiality::Strict)).await;
    case.accept(&world).await;
    let then = case.dispatch(&world, "").await;
    case.sign(&world, FORMER).await;
    let lead = world.unit(FORMER);
    let before = found(&lead, &then, at(&then)).await;
    assert!(before.iter().all(|found| *found > 0), "{before:?}");
    let part = asked(&world, &case, PRESENT).await;
    let last = asked(&world, &case, "justice").await;
    let asked = world.unit(PRESENT);
    // What it owes: in its inbox, counted there and on the board, and no more.
    let own = [0, 1, 1, 0, 1];
    assert_eq!(found(&asked, &last, None).await, own);
    assert_eq!(found(&asked, &last, at(&then)).await, [0; 5], "it owed nothing of it then");
    assert_eq!(found(&asked, &last, at(&part)).await, own);
    assert_eq!(found(&lead, &last, at(&then)).await, before);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_finds_of_then_what_it_was_owed_and_not_what_units_owed_each_other() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission(ENTERPRISE, TOPIC)).await;
    case.sign(&world, FORMER).await;
    let then = asked(&world, &case, PRESENT).await;
    let own = world.enterprise(ENTERPRISE);
    let live = found(&own, &then, None).await;
    // One less than who reads everything: that of the unit that was asked.
    let all = found(&world.role(Role::Auditor), &then, None).await;
    assert_eq!((live[0], live[1] + 1, live[2] + 1), (1, all[1], all[2]));
    let last = case.resolve(&world, FORMER).await;
    assert_eq!(found(&own, &last, at(&then)).await, live);
    let inbox = ListInboxRequest { as_of: at(&then), ..<_>::default() };
    let inbox = own.cases.clone().list_inbox(inbox).await.unwrap().into_inner();
    let kinds: Vec<_> =
        inbox.entries.iter().map(|entry| entry.clock.as_ref().expect("a clock").kind()).collect();
    assert!(!kinds.is_empty() && !kinds.contains(&ClockKind::CoHandling), "{kinds:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_since_is_not_read_of_an_earlier_time() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission(ENTERPRISE, TOPIC)).await;
    let then = case.sign(&world, FORMER).await;
    let as_of = Some(AsOf { moment: Some(Moment::Position(then)) });
    let read = async || {
        let request = GetAppealRequest {
            enterprise_id: case.enterprise.clone(),
            appeal_id: case.appeal.clone(),
            as_of: as_of.clone(),
            ..<_>::default()
        };
        let read = world.unit(FORMER).appeals.get_appeal(request).await.unwrap();
        read.into_inner().appeal.expect("there is one")
    };
    let before = read().await;
    assert!(!before.description.is_empty());
    case.erase(&world).await;
    let after = read().await;
    assert_eq!(after.description, "");
    assert_eq!(after.summary, before.summary);
    world.stop().await;
}

/// How much is overdue, and how much sticks: in lists and on the board.
async fn late(client: &Client, min_position: &str, as_of: Option<AsOf>) -> [usize; 3] {
    let min_position = min_position.to_owned();
    let inbox = ListInboxRequest {
        overdue: true,
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let inbox = client.cases.clone().list_inbox(inbox).await.unwrap().into_inner();
    let stuck = ListStuckRequest {
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let stuck = client.cases.clone().list_stuck(stuck).await.unwrap().into_inner();
    let figure = BoardFigure::Stuck.into();
    let selection = Some(BoardSelection { figure, ..<_>::default() });
    // As it was then, beside now.
    let compare = as_of.map(|as_of| BoardComparison { as_of: Some(as_of), ..<_>::default() });
    let board = GetBoardRequest { selection, compare, min_position, ..<_>::default() };
    let board = client.boards.clone().get_board(board).await.unwrap().into_inner();
    let rows = |sums: Option<BoardSums>| usize::try_from(sums.map_or(0, |sums| sums.rows)).unwrap();
    [inbox.entries.len(), stuck.cases.len(), rows(board.total_before)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_overdue_nor_idle_then_is_not_so_as_of_then() {
    let ahead = Ahead::default();
    let world = World::start_at(Ground::start().await, &ahead).await;
    let case = Case::submit(&world, submission(ENTERPRISE, TOPIC)).await;
    case.accept(&world).await;
    let then = case.dispatch(&world, "").await;
    let later = now() + SignedDuration::from_hours(24 * 30);
    ahead.set(later);
    let claims = token::claims(Role::Auditor);
    let (iat, exp) = (later.as_second() - 60, later.as_second() + 3600);
    let auditor = world.client(&Claims { iat, exp, ..claims });
    // It may not be idle any more: what is overdue is escalated.
    let [overdue, ..] = late(&auditor, &then, None).await;
    assert!(overdue > 0);
    let as_of = Some(AsOf { moment: Some(Moment::Position(then.clone())) });
    assert_eq!(late(&auditor, &then, as_of).await, [0; 3]);
    world.stop().await;
}
