//! Inboxes: what is listed is what is counted, page by page, filter by filter, caller by caller.

use std::collections::BTreeMap;

use doudi_api::proto::{
    ClockKind, CountInboxRequest, InboxEntry, ListInboxRequest, ListStuckRequest, StuckReason,
};

use super::*;

/// Every page of an inbox, by pages of that size.
async fn entries(client: &mut Client, filter: &ListInboxRequest, size: u32) -> Vec<InboxEntry> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListInboxRequest { page_size: size, page_token, ..filter.clone() };
        let page = client.cases.list_inbox(request).await.unwrap().into_inner();
        assert!(page.entries.len() <= size as usize);
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return entries;
        }
    }
}

type Groups = BTreeMap<(i32, i32, i32), u64>;

/// The count of an inbox by kind, level and rung.
async fn count(client: &mut Client, filter: &ListInboxRequest) -> Groups {
    let ListInboxRequest { unit, area, kind, level, escalation, overdue, min_position, .. } =
        filter.clone();
    let request = CountInboxRequest {
        unit,
        area,
        kind,
        level,
        escalation,
        overdue,
        min_position,
        as_of: None,
    };
    let counts = client.cases.count_inbox(request).await.unwrap().into_inner();
    let groups: Groups = counts
        .counts
        .iter()
        .map(|group| ((group.kind, group.level, group.escalation), group.count))
        .collect();
    assert_eq!(groups.len(), counts.counts.len(), "no group stands twice");
    assert_eq!(groups.values().sum::<u64>(), counts.total);
    groups
}

/// The list and the count agree, and the list is in order; answers with the list.
async fn agreed(client: &mut Client, filter: &ListInboxRequest) -> Vec<InboxEntry> {
    let listed = entries(client, filter, 2).await;
    assert_eq!(listed, entries(client, filter, 200).await, "by any size of the page");
    let mut groups = Groups::new();
    for entry in &listed {
        let clock = entry.clock.as_ref().unwrap();
        *groups.entry((clock.kind, clock.level, clock.escalation)).or_default() += 1;
    }
    assert_eq!(groups, count(client, filter).await, "{filter:?}");
    let due = |entry: &InboxEntry| {
        let due = entry.clock.as_ref().unwrap().due.unwrap();
        (due.seconds, due.nanos)
    };
    assert!(listed.is_sorted_by_key(due), "what is due first comes first");
    listed
}

fn kinds(entries: &[InboxEntry]) -> Vec<ClockKind> {
    let mut kinds: Vec<ClockKind> =
        entries.iter().map(|entry| entry.clock.as_ref().unwrap().kind()).collect();
    kinds.sort_unstable();
    kinds
}

/// Appeals in five states; answers with the position after all of it.
async fn in_five_states(world: &World) -> String {
    Case::submit(world, submission("L-1", "T06")).await;
    Case::dispatched(world, submission("L-1", "T06")).await;
    let elsewhere = SubmitAppealRequest { area: "210203".to_owned(), ..submission("L-2", "T02") };
    let shared = Case::dispatched(world, elsewhere).await;
    shared.sign(world, "market-regulation").await;
    shared.ask(world, "market-regulation", "power-supply").await;
    Case::guaranteed(world, "L-2").await;
    let done = Case::dispatched(world, submission("L-1", "T02")).await;
    done.sign(world, "market-regulation").await;
    done.resolve(world, "market-regulation").await;
    done.close(world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_is_listed() {
    let world = World::start().await;
    let min_position = in_five_states(&world).await;
    let all = || ListInboxRequest { min_position: min_position.clone(), ..Default::default() };
    let filters = [
        all(),
        ListInboxRequest { unit: "power-supply".to_owned(), ..all() },
        ListInboxRequest { area: AREA.to_owned(), ..all() },
        ListInboxRequest { kind: ClockKind::Resolve.into(), ..all() },
        ListInboxRequest { level: 1, ..all() },
        ListInboxRequest { escalation: 1, ..all() },
        ListInboxRequest { overdue: true, ..all() },
    ];
    let callers = [
        world.role(Role::Auditor),
        world.role(Role::Dispatcher),
        in_area(&world, Role::Dispatcher, AREA),
        in_area(&world, Role::Supervisor, "210203"),
        world.unit("power-supply"),
        world.unit("market-regulation"),
        world.unit("tax"),
        world.enterprise("L-1"),
    ];
    for mut client in callers {
        for filter in &filters {
            agreed(&mut client, filter).await;
        }
    }

    use ClockKind::{Accept, CoHandling, Contact, Resolve};
    let listed = async |mut client: Client, filter| kinds(&agreed(&mut client, filter).await);
    let everything = [Accept, Contact, Contact, Contact, Resolve, Resolve, Resolve, CoHandling];
    assert_eq!(listed(world.role(Role::Auditor), &filters[0]).await, everything);
    // Its own appeal, and its part of another's.
    let own = listed(world.unit("power-supply"), &filters[0]).await;
    assert_eq!(own, [Contact, Resolve, CoHandling]);
    assert_eq!(listed(world.unit("power-supply"), &filters[1]).await, own);
    assert_eq!(listed(world.unit("tax"), &filters[0]).await, []);
    let desk = in_area(&world, Role::Dispatcher, AREA);
    assert_eq!(listed(desk, &filters[0]).await, [Accept, Contact, Resolve]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_is_its_callers_and_an_entry_shows_the_appeal_as_it_is() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    let min_position = case.sign(&world, "power-supply").await;
    let mut auditor = world.role(Role::Auditor);
    let first = ListInboxRequest { page_size: 1, min_position, ..Default::default() };
    let page = auditor.cases.list_inbox(first.clone()).await.unwrap().into_inner();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(page.entries[0].appeal, Some(case.summary(&world).await));
    let next = ListInboxRequest { page_token: page.next_page_token, ..first };
    let foreign = world.unit("power-supply").cases.list_inbox(next.clone()).await;
    assert_eq!(refused(foreign), "PAGE_TOKEN_INVALID");
    let other = ListInboxRequest { area: AREA.to_owned(), ..next.clone() };
    assert_eq!(refused(auditor.cases.list_inbox(other).await), "PAGE_TOKEN_INVALID");
    let rest = auditor.cases.list_inbox(next).await.unwrap().into_inner();
    assert_eq!((rest.entries.len(), rest.next_page_token.as_str()), (1, ""));
    let ahead = ListInboxRequest { min_position: "AQAAAAAAAP__".to_owned(), ..Default::default() };
    assert_eq!(refused(auditor.cases.list_inbox(ahead).await), "POSITION_AHEAD");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sticks_says_why() {
    let world = World::start().await;
    let smooth = Case::dispatched(&world, submission("L-1", "T06")).await;
    smooth.sign(&world, "power-supply").await;
    let waiting = Case::dispatched(&world, submission("L-1", "T06")).await;
    waiting.contest(&world, "power-supply", "").await;
    let bounced = Case::dispatched(&world, submission("L-1", "T06")).await;
    bounced.contest(&world, "power-supply", "market-regulation").await;
    let min_position = bounced.dispatch(&world, "").await;
    let mut desk = world.role(Role::Dispatcher);
    let mut stuck = async |reason: StuckReason| {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListStuckRequest {
                reason: reason.into(),
                page_size: 1,
                page_token,
                min_position: min_position.clone(),
                ..Default::default()
            };
            let page = desk.cases.list_stuck(request).await.unwrap().into_inner();
            found.extend(page.cases);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    };
    let any = stuck(StuckReason::Unspecified).await;
    let found: BTreeMap<&str, Vec<StuckReason>> = any
        .iter()
        .map(|case| {
            let appeal = case.appeal.as_ref().unwrap();
            (appeal.appeal_id.as_str(), case.reasons().collect())
        })
        .collect();
    let expected = BTreeMap::from([
        (waiting.appeal.as_str(), vec![StuckReason::AwaitingRuling]),
        (bounced.appeal.as_str(), vec![StuckReason::Bounced]),
    ]);
    assert_eq!(found, expected);
    let moved = |case: &doudi_api::proto::StuckCase| case.last_moved.unwrap().seconds;
    assert!(any.is_sorted_by_key(moved), "longest without movement first");
    assert_eq!(stuck(StuckReason::Bounced).await.len(), 1);
    assert_eq!(stuck(StuckReason::NoMovement).await.len(), 0);
    world.stop().await;
}
