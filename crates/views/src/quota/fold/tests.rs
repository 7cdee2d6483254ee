//! The places held are those that the decision counts, whatever happened to a visit.

use doudi_domain::{
    CertificateNumber, Decider, ItemId, RuleId,
    frequency::{Rule, Subject, Window},
    policy::Policy,
    visits::{CheckIn, Plan, Visits},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::*;

fn enterprise() -> EnterpriseId {
    EnterpriseId::parse("L-1").unwrap()
}

fn visit(n: u64) -> VisitId {
    VisitId(Uuid::from_u64_pair(0, n))
}

fn fact(content: Content) -> Fact {
    Fact::of(content, Timestamp::UNIX_EPOCH, 1)
}

fn planned(n: u64) -> visits::Event {
    let plan = Plan {
        visit: visit(n),
        unit: UnitId::parse("tax").unwrap(),
        officers: [CertificateNumber::parse("D-1").unwrap()].into(),
        items: [ItemId::parse("I-1").unwrap()].into(),
        ground: Ground::Routine,
        evidence: None,
        on: "2026-03-02".parse().unwrap(),
    };
    visits::Event::VisitPlanned { plan, area: None, policy_version: 1, standings: vec![] }
}

fn checked_in(n: u64) -> visits::Event {
    let check_in = CheckIn {
        officers: [].into(),
        occurred_at: "2026-03-04T17:00:00Z".parse().unwrap(),
        offline: true,
    };
    visits::Event::VisitCheckedIn { visit: visit(n), check_in, irregularities: [].into() }
}

fn expired(n: u64) -> visits::Event {
    visits::Event::VisitExpired { visit: visit(n) }
}

/// Folds the events one batch each, or all in one, as the batches may fall.
fn folded(events: &[visits::Event], in_one: bool) -> Changes {
    let size = if in_one { events.len() } else { 1 };
    let mut known = Changes::default();
    for batch in events.chunks(size) {
        known.fold(&[fact(Content::Visits(enterprise(), batch.to_vec()))]);
    }
    known
}

#[test]
fn every_life_of_a_visit_holds_the_place_that_the_decision_counts() {
    let events = [
        planned(1),
        planned(2),
        visits::Event::VisitApproved { visit: visit(2) },
        checked_in(2),
        visits::Event::VisitCheckedOut { visit: visit(2), occurred_at: Timestamp::UNIX_EPOCH },
        planned(3),
        expired(3),
        planned(4),
        expired(4),
        // Handed in late, after its place was freed: it happened, so it counts.
        checked_in(4),
    ];
    let state = events.iter().fold(Visits::default(), Visits::evolve);
    for in_one in [true, false] {
        let changes = folded(&events, in_one);
        for n in 1..=4 {
            let place = &changes.places[&(visit(n), enterprise())];
            let counted = state.get(visit(n)).unwrap().entry();
            let held = place.held.map(|held| (held, place.day));
            assert_eq!(held, counted.map(|entry| (entry.held, entry.on)), "visit {n}");
        }
    }
}

#[test]
fn an_event_of_an_unknown_visit_or_another_enterprise_changes_nothing() {
    let mut changes = Changes::default();
    changes.fold(&[
        fact(Content::Visits(enterprise(), vec![planned(1)])),
        fact(Content::Visits(EnterpriseId::parse("L-2").unwrap(), vec![expired(1), expired(2)])),
    ]);
    assert_eq!(changes.places.len(), 1);
    assert_eq!(changes.places[&(visit(1), enterprise())].held, Some(Held::Reserved));
}

#[test]
fn the_published_policy_is_the_one_the_decision_uses() {
    let rule = Rule {
        id: RuleId::parse("r").unwrap(),
        subject: Subject::AllUnits,
        window: Window::CalendarYear,
        maximum: 1,
        exempt_grounds: [].into(),
        source: doudi_domain::Name::parse("s").unwrap(),
        is_default: true,
        valid_from: "2026-01-01".parse().unwrap(),
        valid_until: None,
    };
    let document = |maximum| {
        Document::Frequency(FrequencyPolicy { rules: vec![Rule { maximum, ..rule.clone() }] })
    };
    let events = [
        policy::Event::PolicyDrafted { version: 1, document: document(1) },
        policy::Event::PolicyPublished { version: 1 },
        policy::Event::PolicyDrafted { version: 2, document: document(2) },
        policy::Event::PolicyDrafted { version: 3, document: document(3) },
        policy::Event::PolicyRetired { version: 1 },
        policy::Event::PolicyPublished { version: 2 },
    ];
    let state = events.iter().fold(Policy::default(), Policy::evolve);
    let mut changes = Changes::default();
    changes.fold(&[fact(Content::Policy(events.to_vec()))]);
    let found = changes.policies.iter().find(|(_, row)| row.published).unwrap();
    let expected = state.frequency().unwrap();
    assert_eq!((*found.0, &found.1.document), (expected.version, expected.document));
    assert_eq!(changes.policies.keys().copied().collect::<Vec<_>>(), vec![2, 3]);
    assert_eq!(changes.policies_changed.len(), 3);
}
