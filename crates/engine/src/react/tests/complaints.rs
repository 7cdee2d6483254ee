//! A complaint about a visit holds the unit's other visits there until it is answered.

use doudi_domain::{UnitId, appeal::Command};

use super::{
    errands::{case, ready, submission, tell},
    *,
};

/// Two visits of one unit.
async fn two_visits(engine: &Engine) {
    let stream = streams::visits(&enterprise()).unwrap();
    plan_one(engine, &stream, 1).await;
    plan_one(engine, &stream, 2).await;
    // The enterprise knows of the first.
    let (visit, unit) = (visit(1), unit("fire"));
    let approve = visits::Command::Approve { visit, unit: unit.clone() };
    engine.execute::<Visits>(&stream, &approve, &envelope(20_001)).await.unwrap();
    let notify = visits::Command::Notify { visit, unit };
    engine.execute::<Visits>(&stream, &notify, &envelope(20_002)).await.unwrap();
}

async fn held(engine: &Engine) -> bool {
    let stream = streams::visits(&enterprise()).unwrap();
    let folded = engine.read::<Visits>(&stream, Position::START).await.unwrap();
    folded.state.held_by(folded.state.get(visit(2)).unwrap()).is_some()
}

#[tokio::test(start_paused = true)]
async fn a_complaint_holds_the_visits_of_the_unit_until_it_is_answered() {
    let (agenda, engine) = ready().await;
    two_visits(&engine).await;
    let about_visit = Some(visit(1));
    let complaint = appeal::Submission { about_visit, ..submission("T06") };
    tell(&engine, 1, &[Command::Submit(complaint.clone()), Command::Accept]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert!(held(&engine).await);
    let unit = UnitId::parse("power").unwrap();
    let answer = Command::Resolve {
        unit: unit.clone(),
        outcome: appeal::Outcome::Explained,
        reply: complaint.description.clone(),
    };
    tell(&engine, 1, &[Command::Dispatch { to: None }, Command::SignFor { unit }, answer]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert!(held(&engine).await, "the enterprise has the word");
    tell(&engine, 1, &[Command::Confirm]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert!(!held(&engine).await);
    assert_eq!(case(&engine, 1).await.hold, appeal::Hold::Lifted);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_overtakes_the_hold_leaves_nothing_held() {
    let (agenda, engine) = ready().await;
    two_visits(&engine).await;
    let complaint = appeal::Submission { about_visit: Some(visit(1)), ..submission("T06") };
    let redirect = Command::Redirect {
        channel: appeal::LawfulChannel::Litigation,
        guidance: complaint.description.clone(),
    };
    tell(&engine, 1, &[Command::Submit(complaint), redirect]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert!(!held(&engine).await);
    assert_eq!(case(&engine, 1).await.hold, appeal::Hold::Lifted);
}

#[tokio::test(start_paused = true)]
async fn a_complaint_about_no_visit_of_the_enterprise_is_no_stumbling_block() {
    let (agenda, engine) = ready().await;
    let complaint = appeal::Submission { about_visit: Some(visit(99)), ..submission("T06") };
    tell(&engine, 1, &[Command::Submit(complaint), Command::Accept]).await;
    run_until_idle(&engine, &agenda, settings()).await;
    assert_eq!(case(&engine, 1).await.hold, appeal::Hold::Placed);
}
