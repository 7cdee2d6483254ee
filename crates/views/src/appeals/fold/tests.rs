//! A row is what the decider would say of the appeal.

use doudi_domain::{
    AreaCode, Decider, Sealed, TopicId, UnitId,
    appeal::{Appeal, Channel, Outcome},
    calendar::DueDate,
    routing::{Route, RouteRule},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::*;

fn key() -> Key {
    (AppealId(Uuid::nil()), EnterpriseId::parse("L-1").unwrap())
}

fn sealed() -> Sealed {
    let empty = String::new;
    Sealed { subject: empty(), algorithm: empty(), nonce: empty(), ciphertext: empty() }
}

fn due(working_days: u16) -> DueDate {
    DueDate {
        on: "2026-05-06".parse().unwrap(),
        start: "2026-04-25".parse().unwrap(),
        working_days,
        calendar_version: 1,
        provisional: false,
    }
}

fn life() -> Vec<Event> {
    let submission = Submission {
        channel: Channel::Web,
        topic: TopicId::parse("T06").unwrap(),
        area: AreaCode::parse("210212").unwrap(),
        description: sealed(),
        contact: None,
        about_visit: None,
    };
    let unit = UnitId::parse("power").unwrap();
    let rule = RouteRule::Topic(TopicId::parse("T06").unwrap());
    let route = Route { unit: unit.clone(), co_units: vec![], rule };
    let resolved = || Event::AppealResolved { outcome: Outcome::Solved, reply: sealed() };
    vec![
        Event::AppealSubmitted { submission, due: Some(due(1)) },
        Event::AppealAccepted { due: Some(due(2)) },
        Event::AppealDispatched { route, routing_version: 1, due: due(5) },
        Event::AppealSignedFor { unit },
        resolved(),
        Event::ResolutionObjected { reason: sealed(), due: due(6) },
        resolved(),
        Event::ResolutionConfirmed {},
        Event::PersonalDataErased { subject: "appeal:1".to_owned() },
        Event::AppealClosed {},
    ]
}

#[test]
fn after_every_event_the_row_says_what_the_decider_says() {
    let mut changes = Changes::default();
    let mut state = Appeal::default();
    for (position, event) in (1..).zip(life()) {
        state = state.evolve(&event);
        let content = Content::Appeal(key().1, key().0, vec![event]);
        let at = Timestamp::UNIX_EPOCH;
        changes.fold(&[Fact { content, occurred_at: at, recorded_at: at, position }]);
        let row = &changes.rows[&key()];
        let case = state.known().unwrap();
        assert_eq!(row.state.as_str().replace('_', " "), case.phase.name());
        assert_eq!((&row.due, row.objections), (&case.due, case.objections));
        let route = case.phase.route();
        assert_eq!(row.unit.as_ref(), route.map(|route| &route.unit));
        assert_eq!(row.rule.as_ref(), route.map(|route| &route.rule));
        assert_eq!((row.submitted.0, db::stored(row.updated)), (1, position));
    }
    assert_eq!(changes.rows[&key()].state, State::Closed);
}

#[test]
fn an_event_of_an_appeal_that_was_never_submitted_makes_no_row() {
    let mut changes = Changes::default();
    let content = Content::Appeal(key().1, key().0, vec![Event::AppealClosed {}]);
    let at = Timestamp::UNIX_EPOCH;
    changes.fold(&[Fact { content, occurred_at: at, recorded_at: at, position: 1 }]);
    assert!(changes.rows.is_empty() && changes.changed.is_empty());
}
