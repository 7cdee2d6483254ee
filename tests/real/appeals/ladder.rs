//! What is overdue climbs the ladder in a running program, and the inbox shows where it stands.

use doudi_api::proto::{
    AppealState, ClockLevel, CountInboxRequest, Escalation, GuaranteeTrigger, ListInboxRequest,
    ListStuckRequest, PolicyDocument, StuckReason, policy_document::Document,
};
use doudi_domain::{AppealId, AreaCode, EnterpriseId, TopicId, appeal};
use doudi_engine::{Actor, Clock, Engine, EngineSettings, Envelope, streams};
use doudi_server::catalogue;
use doudi_tests::until;
use jiff::ToSpan;
use uuid::Uuid;

use super::*;
use crate::real::requests::now;

/// Submits an appeal at an instant some days ago, as a program then would have.
async fn submitted_before(world: &World, days: i64, n: u128) -> Case {
    let parts = &world.running.parts;
    let settings = EngineSettings {
        cache_bytes_max: 1 << 18,
        attempts_max: 8,
        input_age_max: Duration::from_secs(60),
    };
    let then = now().checked_sub((24 * days).hours()).unwrap();
    let engine = Engine::new(parts.journal.clone(), settings, Clock::new(move || then));
    let (enterprise, id) = (EnterpriseId::parse("L-9").unwrap(), AppealId(Uuid::from_u128(n)));
    let command = Uuid::from_u128(n);
    let subject = format!("appeal:{id}");
    let description = parts
        .vault
        .sealer(&subject, None)
        .await
        .unwrap()
        .seal("description", command, "无人受理")
        .unwrap();
    let submission = appeal::Submission::new(
        appeal::Channel::Web,
        TopicId::parse("T06").unwrap(),
        AreaCode::parse(AREA).unwrap(),
        description,
    );
    let actor =
        Actor { principal: "test".to_owned(), unit: None, device: None, on_behalf_of: None };
    let stream = streams::appeal(&enterprise, id).unwrap();
    let submit = appeal::Command::Submit(submission);
    let envelope = Envelope::new(command, actor);
    engine.execute::<appeal::Appeal>(&stream, &submit, &envelope).await.unwrap();
    Case { enterprise: enterprise.to_string(), appeal: id.to_string(), token: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_case_climbs_the_ladder_and_the_guarantee_takes_it() {
    let world = World::start().await;
    let old = submitted_before(&world, 45, 1).await;
    let mut desk = world.role(Role::Dispatcher);
    let guaranteed = until(BOUND, || async {
        let summary = old.summary(&world).await;
        (summary.guarantee() == GuaranteeTrigger::Overdue).then_some(summary)
    });
    let summary = guaranteed.await.expect("the guarantee takes what is overdue");
    assert_ne!(summary.state(), AppealState::Closed);

    // More than ten working days after due: every rung was climbed.
    let highest = until(BOUND, || {
        let mut desk = desk.clone();
        async move {
            let request = ListInboxRequest {
                overdue: true,
                level: ClockLevel::Red.into(),
                escalation: Escalation::Summon.into(),
                ..Default::default()
            };
            let page = desk.cases.list_inbox(request).await.unwrap().into_inner();
            (!page.entries.is_empty()).then_some(page)
        }
    });
    let page = highest.await.expect("the ladder is climbed to its end");
    assert!(page.entries.iter().all(|entry| entry.appeal_id == old.appeal));
    let clock = page.entries[0].clock.as_ref().unwrap();
    assert_eq!((clock.level(), clock.escalation()), (ClockLevel::Red, Escalation::Summon));
    let request = CountInboxRequest {
        overdue: true,
        escalation: Escalation::Summon.into(),
        min_position: page.position,
        ..Default::default()
    };
    let counts = desk.cases.count_inbox(request).await.unwrap().into_inner();
    assert_eq!(counts.total, page.entries.len() as u64);

    // It moved just now, when the guarantee took it.
    let request = ListStuckRequest { reason: StuckReason::NoMovement.into(), ..Default::default() };
    let stuck = desk.cases.list_stuck(request).await.unwrap().into_inner();
    assert_eq!(stuck.cases, []);
    world.stop().await;
}

/// The case types shipped, with a long time to take an appeal on.
fn patient() -> PolicyDocument {
    let mut document = catalogue::case_types().unwrap();
    let Some(Document::CaseTypes(types)) = &mut document.document else {
        panic!("case types are of another kind");
    };
    let allowances = types.types.iter_mut().filter_map(|one| one.allowances.as_mut());
    allowances.for_each(|allowances| allowances.accept_working_days = 60);
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_without_movement_is_found() {
    let world = World::start().await;
    world.publish(patient()).await;
    // It is not overdue, so nothing has moved it since.
    let quiet = submitted_before(&world, 1, 1).await;
    let mut desk = world.role(Role::Dispatcher);
    let found = until(BOUND, || {
        let mut desk = desk.clone();
        async move {
            let request = ListStuckRequest { idle_days: 1, ..Default::default() };
            let stuck = desk.cases.list_stuck(request).await.unwrap().into_inner();
            stuck.cases.into_iter().next()
        }
    });
    let found = found.await.expect("it is found");
    assert_eq!(found.appeal.as_ref().unwrap().appeal_id, quiet.appeal);
    assert_eq!(found.reasons().collect::<Vec<_>>(), [StuckReason::NoMovement]);
    let longer = ListStuckRequest { idle_days: 2, ..Default::default() };
    assert_eq!(desk.cases.list_stuck(longer).await.unwrap().into_inner().cases, []);
    world.stop().await;
}
