//! Deadlines in words as the program says them, what moves them and what does not; and the ledger
//! of who had a case how long.

use doudi_api::proto::{
    AddNoteRequest, AnswerExtensionRequest, AskExtensionRequest, CalendarException, Clock,
    ClockKind, Date, DayKind, ExplainDeadlineRequest, ExplainDeadlineResponse,
    GetTimeLedgerRequest, GetTimeLedgerResponse, PauseGround, PauseHandlingRequest, PolicyDocument,
    ResumeHandlingRequest, TimeOfDay, Visibility, WorkCalendar, WorkInterval,
    policy_document::Document,
};
use doudi_tests::until;
use jiff::{ToSpan, civil};

use super::*;
use crate::real::requests::{in_days, now};

async fn explain(
    client: &mut Client,
    case: &Case,
    clock_id: u32,
) -> Result<Response<ExplainDeadlineResponse>, Status> {
    let request = ExplainDeadlineRequest {
        enterprise_id: case.enterprise.clone(),
        appeal_id: case.appeal.clone(),
        clock_id,
        ..<_>::default()
    };
    client.cases.explain_deadline(request).await
}

/// The deadline of the case's next step, in words, as its desk is told.
async fn explained(world: &World, case: &Case) -> ExplainDeadlineResponse {
    explain(&mut world.role(Role::Dispatcher), case, 0).await.unwrap().into_inner()
}

/// Such as `Fri 2025-04-25`.
fn day(date: Date) -> String {
    let [year, month, day] = [date.year, date.month, date.day].map(|n| i16::try_from(n).unwrap());
    civil::date(year, month.try_into().unwrap(), day.try_into().unwrap())
        .strftime("%a %F")
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_deadline_is_explained_and_only_the_rules_move_it() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    let first = explained(&world, &case).await;
    let clock = first.clock.clone().unwrap();
    assert_eq!((clock.kind(), clock.working_days), (ClockKind::Resolve, 5));
    let due = day(clock.due_on.unwrap());
    for part in [
        "5 working days from",
        &format!("due {due}"),
        "work calendar version 1",
        "case types as shipped",
    ] {
        assert!(first.text_en.contains(part), "{part}: {}", first.text_en);
    }
    for part in ["次日起计5个工作日", "到期", "工作日历第1版", "系统自带诉求类型"]
    {
        assert!(first.text_zh.contains(part), "{part}: {}", first.text_zh);
    }

    // Neither a signature nor a note moves it.
    case.sign(&world, "power-supply").await;
    let visibility = Visibility::Internal.into();
    let note =
        request!(AddNoteRequest, case, visibility: visibility, text: "已联系现场".to_owned());
    world.unit("power-supply").handling.add_note(note).await.unwrap();
    let same = explained(&world, &case).await;
    assert_eq!((same.text_en, same.text_zh), (first.text_en, first.text_zh));
    assert_eq!(same.clock, first.clock);

    let mut unit = world.unit("power-supply");
    let ask = request!(AskExtensionRequest, case, working_days: 3, reason: "须现场勘查".to_owned());
    unit.handling.ask_extension(ask).await.unwrap();
    let grant = request!(AnswerExtensionRequest, case, granted: true);
    world.role(Role::Dispatcher).handling.answer_extension(grant).await.unwrap();
    let longer = explained(&world, &case).await;
    assert!(longer.text_en.contains("extended by 3 working days"), "{}", longer.text_en);
    assert!(longer.text_zh.contains("批准延长3个工作日"), "{}", longer.text_zh);
    let due = |clock: &Option<Clock>| clock.as_ref().unwrap().due.unwrap().seconds;
    assert!(due(&longer.clock) > due(&first.clock));

    let (ground, reference) = (PauseGround::MaterialAsked.into(), "补正通知〔2026〕1号".to_owned());
    let pause = request!(PauseHandlingRequest, case, ground: ground, reference: reference);
    unit.handling.pause_handling(pause).await.unwrap();
    let still = explained(&world, &case).await;
    let clock = still.clock.unwrap();
    assert!(clock.paused && clock.next_step.is_none());
    assert!(still.text_en.contains("stands still with"), "{}", still.text_en);
    assert!(still.text_zh.contains("补正通知〔2026〕1号"), "{}", still.text_zh);
    unit.handling.resume_handling(request!(ResumeHandlingRequest, case)).await.unwrap();
    let on = explained(&world, &case).await;
    assert!(!on.clock.unwrap().paused);
    assert!(on.text_en.contains("of working time from"), "{}", on.text_en);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_clock_that_is_shown_can_be_explained_and_no_other() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    case.sign(&world, "power-supply").await;
    let task = case.ask(&world, "power-supply", "tax").await;
    let mut desk = world.role(Role::Dispatcher);
    let clocks = case.read(&world).await.clocks;
    let kinds: Vec<ClockKind> = clocks.iter().map(Clock::kind).collect();
    assert_eq!(kinds, [ClockKind::Contact, ClockKind::Resolve, ClockKind::CoHandling]);
    for clock in clocks {
        let said = explain(&mut desk, &case, clock.clock_id).await.unwrap().into_inner();
        assert_eq!(said.clock, Some(clock));
    }
    assert_eq!(refused(explain(&mut desk, &case, 99).await), "CLOCK_UNKNOWN");
    // What units owe each other is theirs; what the case is owed is the enterprise's to know.
    let mut enterprise = world.enterprise("L-1");
    assert!(explain(&mut enterprise, &case, 0).await.is_ok());
    assert_eq!(refused(explain(&mut enterprise, &case, task).await), "CLOCK_UNKNOWN");
    let mut own = holder(&world, &case.token);
    assert!(explain(&mut own, &case, 0).await.is_ok());

    // Only what binds must be done first; the unit's own question to another ends with its answer.
    case.resolve(&world, "power-supply").await;
    case.close(&world).await;
    assert_eq!(refused(explain(&mut desk, &case, 0).await), "CLOCK_UNKNOWN");
    world.stop().await;
}

/// A calendar by which yesterday to the day after tomorrow are days of that kind, weekends too. Where people work,
/// they do so all day.
pub(super) fn four_days(kind: DayKind) -> PolicyDocument {
    let at = |hour, minute| Some(TimeOfDay { hour, minute });
    let exceptions = (-1..=2).map(|days| CalendarException {
        date: Some(in_days(days)),
        kind: kind.into(),
        name: "试验".to_owned(),
        hours: vec![],
    });
    let (first, last) = (in_days(-1).year, in_days(2).year);
    PolicyDocument {
        document: Some(Document::Calendar(WorkCalendar {
            years: (first..=last).collect(),
            exceptions: exceptions.collect(),
            hours: vec![WorkInterval { from: at(0, 0), to: at(23, 59) }],
        })),
    }
}

async fn ledger(world: &World, case: &Case) -> GetTimeLedgerResponse {
    let request = GetTimeLedgerRequest {
        enterprise_id: case.enterprise.clone(),
        appeal_id: case.appeal.clone(),
        ..<_>::default()
    };
    let ledger =
        world.role(Role::Auditor).cases.get_time_ledger(request).await.unwrap().into_inner();
    let sum: u64 = ledger.entries.iter().map(|entry| entry.working_seconds).sum();
    assert_eq!(sum, ledger.age_working_seconds, "not a second is lost");
    let since = |entry: &doudi_api::proto::TimeLedgerEntry| entry.since.unwrap().seconds;
    assert!(ledger.entries.is_sorted_by_key(since));
    ledger
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_ledger_adds_up_to_the_age_of_the_case() {
    let world = World::start().await;
    world.publish(four_days(DayKind::Workday)).await;
    let begun = now();
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    case.contest(&world, "power-supply", "market-regulation").await;
    case.dispatch(&world, "").await;
    case.sign(&world, "market-regulation").await;
    let aged = until(BOUND, || async {
        let ledger = ledger(&world, &case).await;
        (ledger.age_working_seconds >= 2).then_some(ledger)
    });
    let open = aged.await.expect("a case gets older");
    let holders: Vec<(&str, &str)> = open
        .entries
        .iter()
        .map(|entry| (entry.holder.as_str(), entry.state().as_str_name()))
        .collect();
    let desk = "desk-210212";
    assert_eq!(
        holders,
        [
            (desk, "APPEAL_STATE_SUBMITTED"),
            (desk, "APPEAL_STATE_ACCEPTED"),
            ("power-supply", "APPEAL_STATE_DISPATCHED"),
            (desk, "APPEAL_STATE_CONTESTED"),
            ("market-regulation", "APPEAL_STATE_DISPATCHED"),
            ("market-regulation", "APPEAL_STATE_IN_HANDLING"),
        ]
    );
    let first = open.entries[0].since.unwrap().seconds;
    assert!(first >= begun.as_second());

    case.resolve(&world, "market-regulation").await;
    case.close(&world).await;
    let closed = ledger(&world, &case).await;
    assert!(closed.age_working_seconds >= open.age_working_seconds);
    let elapsed = now().duration_since(begun).as_secs() + 1;
    assert!(closed.age_working_seconds <= u64::try_from(elapsed).unwrap());
    // A closed case grows no older.
    let later = now().checked_add(2.seconds()).unwrap();
    until(BOUND, || async { (now() > later).then_some(()) }).await.unwrap();
    assert_eq!(ledger(&world, &case).await, closed);
    world.stop().await;
}
