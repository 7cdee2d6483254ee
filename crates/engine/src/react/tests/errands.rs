//! Word between streams: a merge that would put a promise off, and a joint diagnosis whose appeal is gone.

use doudi_domain::{
    AppealId, AreaCode, DiagnosisId, Sealed, TopicId, UnitId,
    appeal::{Case, Command, Ending, Phase, PhaseName},
    diagnosis::Diagnosis,
    policy::{self, Document, Policy, PolicyName},
    routing::RoutingTable,
};

use super::*;

/// A topic with a lead unit; what nobody leads goes to the guarantee.
fn table() -> RoutingTable {
    let unit = |id: &str| serde_json::json!({ "id": id, "name": id });
    let units = ["power", "tax", "city", "justice"].map(unit);
    serde_json::from_value(serde_json::json!({
        "units": units,
        "areas": [],
        "topics": [{ "id": "T06", "title": "报装", "lead": "power", "co_units": [] }],
        "city_desk": "city",
        "guarantee": "justice",
    }))
    .unwrap()
}

/// A log with that table in force, and an engine whose day does not come.
pub(super) async fn ready() -> (Folded, Engine) {
    let (journal, _, _) = prepared_for(2).await;
    let engine = engine(&journal, &Arc::default());
    let stream = streams::policy(&PolicyName::Routing).unwrap();
    let draft = policy::Command::Draft(Document::Routing(table()));
    engine.execute::<Policy>(&stream, &draft, &envelope(300)).await.unwrap();
    let publish = policy::Command::Publish { version: 1 };
    engine.execute::<Policy>(&stream, &publish, &envelope(301)).await.unwrap();
    (Folded::of(&journal), engine)
}

fn text() -> Sealed {
    let subject = "appeal:1".to_owned();
    Sealed { subject, algorithm: "a".into(), nonce: "n".into(), ciphertext: "c".into() }
}

pub(super) fn submission(topic: &str) -> appeal::Submission {
    appeal::Submission::new(
        appeal::Channel::Web,
        TopicId::parse(topic).unwrap(),
        AreaCode::parse("210212").unwrap(),
        text(),
    )
}

fn appeal(n: u128) -> AppealId {
    AppealId(id(n))
}

/// Tells appeal `n` these, in their order, under ids of their own.
pub(super) async fn tell(engine: &Engine, n: u128, commands: &[Command]) {
    let stream = streams::appeal(&enterprise(), appeal(n)).unwrap();
    for command in commands {
        let last = engine.journal().last_position().await.unwrap();
        let envelope = envelope(10_000 + u128::from(last.0));
        engine.execute::<Appeal>(&stream, command, &envelope).await.unwrap();
    }
}

pub(super) async fn case(engine: &Engine, n: u128) -> Case {
    let stream = streams::appeal(&enterprise(), appeal(n)).unwrap();
    let folded = engine.read::<Appeal>(&stream, Position::START).await.unwrap();
    folded.state.known().unwrap().clone()
}

async fn diagnosed(engine: &Engine, id: DiagnosisId) -> Diagnosis {
    let stream = streams::diagnosis(&enterprise(), id).unwrap();
    engine.read::<Diagnosis>(&stream, Position::START).await.unwrap().state.clone()
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_would_put_a_promise_off_comes_to_nothing() {
    let (agenda, engine) = ready().await;
    let submit = || Command::Submit(submission("T06"));
    tell(&engine, 1, &[submit(), Command::Accept, Command::Dispatch { to: None }]).await;
    tell(&engine, 2, &[submit(), Command::Accept]).await;
    let before = case(&engine, 1).await;
    tell(&engine, 1, &[Command::Merge { into: appeal(2) }]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    let after = case(&engine, 1).await;
    assert_eq!((&after.phase, &after.clocks), (&before.phase, &before.clocks));
    assert_eq!(case(&engine, 2).await.absorbed, []);
    // The other way round nothing is put off.
    tell(&engine, 2, &[Command::Merge { into: appeal(1) }]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    let merged = case(&engine, 2).await;
    assert_eq!((&merged.phase, merged.merge_delivered), (&Phase::Merged(appeal(1)), true));
    assert_eq!(case(&engine, 1).await.absorbed, [appeal(2)]);
}

#[tokio::test(start_paused = true)]
async fn two_who_carry_the_word_of_a_merge_hear_the_same_whenever_they_come() {
    let (agenda, engine) = ready().await;
    let submit = || Command::Submit(submission("T06"));
    tell(&engine, 1, &[submit(), Command::Accept, Command::Dispatch { to: None }]).await;
    tell(&engine, 2, &[submit(), Command::Accept]).await;
    tell(&engine, 1, &[Command::Merge { into: appeal(2) }]).await;
    let until = Duty::KINDS.map(|kind| (kind, Timestamp::MAX)).to_vec();
    let page = agenda.due(&Query { until, after: None, limit: 10 }).await.unwrap();
    let is_merge = |due: &&Due| matches!(due.duty, Duty::DeliverMerge { .. });
    let due = page.due.iter().find(is_merge).unwrap();
    // The first one is killed once it has the answer.
    let standing = case(&engine, 1).await.standing();
    let absorb = Command::Absorb { from: appeal(1), merge: 1, standing: standing.clone() };
    let envelope = crate::Envelope { causation: Some(due.cause), ..envelope(0) };
    let envelope = crate::Envelope { command_id: duties::elsewhere_id(due), ..envelope };
    let other = streams::appeal(&enterprise(), appeal(2)).unwrap();
    let answer = engine.execute::<Appeal>(&other, &absorb, &envelope).await.unwrap();
    assert_eq!(answer.events, [appeal::Event::MergeDeclined { from: appeal(1), merge: 1 }]);
    // Until the second one comes, the other appeal has become one that could.
    tell(&engine, 2, &[Command::Dispatch { to: None }]).await;
    assert!(case(&engine, 2).await.takes_in(&standing));
    run_until_idle(&engine, &agenda, settings()).await;
    assert_eq!(case(&engine, 1).await.phase.name(), PhaseName::Dispatched);
    assert_eq!(case(&engine, 2).await.absorbed, []);
    // A merge anew is a question anew.
    tell(&engine, 1, &[Command::Merge { into: appeal(2) }]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert_eq!(case(&engine, 2).await.absorbed, [appeal(1)]);
    assert!(case(&engine, 1).await.merge_delivered);
}

#[tokio::test(start_paused = true)]
async fn a_diagnosis_whose_appeal_is_gone_is_discontinued() {
    let (agenda, engine) = ready().await;
    let unit = |id| UnitId::parse(id).unwrap();
    let convene = |n| Command::Convene {
        unit: unit("justice"),
        diagnosis: DiagnosisId(id(n)),
        units: vec![unit("tax"), unit("power")],
        quorum: 1,
        question: text(),
    };
    let erase = || Command::ErasePersonalData { subject: "appeal:1".to_owned() };
    for (n, begins) in [(1, true), (2, false)] {
        let submit = Command::Submit(submission("X99"));
        tell(&engine, n, &[submit, Command::Accept, Command::Dispatch { to: None }]).await;
        tell(&engine, n, &[convene(n)]).await;
        let diagnosis = DiagnosisId(id(n));
        if begins {
            run_until_idle(&engine, &agenda, settings()).await;
            assert!(matches!(diagnosed(&engine, diagnosis).await, Diagnosis::Open(_)));
        }
        tell(&engine, n, &[erase(), Command::Close]).await;
        run_until_idle(&engine, &agenda, settings()).await;
        let found = diagnosed(&engine, diagnosis).await;
        let Diagnosis::Discontinued(known) = &found else { panic!("it is {}", found.phase()) };
        assert_eq!(known.is_some(), begins);
        let case = case(&engine, n).await;
        assert_eq!(case.phase.name(), PhaseName::Closed);
        assert_eq!(case.diagnosis.map(|known| known.ending), Some(Ending::Done));
    }
    let until = Duty::KINDS.map(|kind| (kind, Timestamp::MAX)).to_vec();
    let page = agenda.due(&Query { until, after: None, limit: 10 }).await.unwrap();
    assert!(page.due.is_empty(), "nothing is left to be done: {:?}", page.due);
}
