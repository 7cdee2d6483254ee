//! The places held are those that the decision counts, whatever happened to a visit.

use doudi_domain::{
    frequency::{Ground, Subject, assess},
    policy::Policy,
    visits::CheckIn,
};
use jiff::{Timestamp, civil::Date};
use proptest::prelude::*;

use super::*;
use crate::{
    kit::{
        enterprise,
        inspections::{Inspections, UNITS, catalogue, moves, plan, planned, rule, visit},
        unit,
    },
    quota::{Query, ledger::Ledger},
};

fn fact(content: Content) -> Fact {
    Fact::of(content, Timestamp::UNIX_EPOCH, 1)
}

fn on_2_march(n: u64) -> visits::Event {
    planned(plan(n, "tax", "2026-03-02"))
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

/// The tables, which a batch reads only where it is concerned.
#[derive(Debug, Default, PartialEq)]
struct Tables {
    places: HashMap<Key, Place>,
    profiles: HashMap<EnterpriseId, Registered>,
    versions: BTreeMap<VersionKey, Version>,
}

impl Tables {
    fn of(facts: &[Fact], batch: usize) -> Self {
        let mut tables = Self::default();
        facts.chunks(batch).for_each(|batch| tables.apply(batch));
        tables
    }

    fn apply(&mut self, facts: &[Fact]) {
        let Concerned { visits, enterprises, policies } = Concerned::by(facts);
        let mut changes = Changes::default();
        let places = self.places.iter().filter(|((visit, _), _)| visits.contains(visit));
        changes.places.extend(places.map(|(key, place)| (key.clone(), place.clone())));
        let profiles = self.profiles.iter().filter(|(id, _)| enterprises.contains(id));
        changes.profiles.extend(profiles.map(|(id, profile)| (id.clone(), profile.clone())));
        let versions = self.versions.iter().filter(|((name, _), _)| policies.contains(name));
        changes.versions.extend(versions.map(|(key, version)| (key.clone(), version.clone())));
        changes.fold(facts);
        for key in changes.places_changed {
            self.places.insert(key.clone(), changes.places[&key].clone());
        }
        for id in changes.profiles_changed {
            self.profiles.insert(id.clone(), changes.profiles[&id].clone());
        }
        for key in changes.versions_changed {
            self.versions.remove(&key);
            if let Some(kept) = changes.versions.remove(&key) {
                self.versions.insert(key, kept);
            }
        }
    }

    fn in_force(&self, name: &PolicyName) -> Option<(u32, &Said)> {
        let mut of_name = self.versions.iter().filter(|((of, _), row)| of == name && row.published);
        let found = of_name.next();
        assert!(of_name.next().is_none(), "one version is in force at most");
        found.map(|((_, version), row)| (*version, &row.said))
    }

    fn ledger(&self, by: &str) -> Ledger {
        let policy = match self.in_force(&PolicyName::Frequency) {
            Some((_, Said::Limits(policy))) => policy.clone(),
            other => panic!("limits are in force: {other:?}"),
        };
        let level = match self.in_force(&PolicyName::Catalogue(unit(by))) {
            Some((_, Said::Level(level))) => Some(*level),
            other => panic!("a catalogue is in force: {other:?}"),
        };
        Ledger { policy, profile: self.profiles.get(&enterprise()).cloned(), level }
    }

    /// What an answer about that day reads.
    fn entries(&self, ledger: &Ledger, on: Date) -> Vec<Entry> {
        let from = ledger.first_day(on);
        let places = self.places.values().filter(|place| place.holds);
        let entries = places.map(|place| place.entry.clone());
        entries.filter(|entry| from.is_some_and(|from| entry.on >= from)).collect()
    }
}

#[test]
fn every_life_of_a_visit_holds_the_place_that_the_decision_counts() {
    let events = [
        on_2_march(1),
        on_2_march(2),
        visits::Event::VisitApproved { visit: visit(2) },
        checked_in(2),
        visits::Event::VisitCheckedOut { visit: visit(2), occurred_at: Timestamp::UNIX_EPOCH },
        visits::Event::ResultReported { visit: visit(2), results: vec![] },
        on_2_march(3),
        expired(3),
        on_2_march(4),
        expired(4),
        // Handed in late, after its place was freed: it happened, so it counts.
        checked_in(4),
    ];
    let state = events.iter().fold(Visits::default(), Visits::evolve);
    let facts = events.map(|event| fact(Content::Visits(enterprise(), vec![event])));
    for batch in [1, 3, facts.len()] {
        let tables = Tables::of(&facts, batch);
        for n in 1..=4 {
            let place = &tables.places[&(visit(n), enterprise())];
            let counted = state.get(visit(n)).unwrap().entry();
            assert_eq!(place.holds.then(|| place.entry.clone()), counted, "visit {n}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Before each plan the tables say what the decision recorded with it.
    #[test]
    fn the_quota_says_what_the_decision_counted(moves in moves()) {
        let life = Inspections::random(&moves);
        let mut tables = Tables::default();
        for fact in &life.log {
            let events = if let Content::Visits(_, events) = &fact.content { &events[..] } else { &[] };
            for event in events {
                let visits::Event::VisitPlanned { plan, standings, .. } = event else { continue };
                let asked = Visits::default().evolve(event).get(plan.visit).unwrap().entry();
                let ledger = tables.ledger(plan.unit.as_str());
                let entries = tables.entries(&ledger, plan.on);
                let found = ledger.weigh(&entries, &asked.unwrap());
                prop_assert_eq!(&found.standings, standings);
            }
            tables.apply(std::slice::from_ref(fact));
        }
    }

    /// And at the end it answers each unit as the decider's own state would.
    #[test]
    fn the_quota_is_the_state_of_the_decider(
        moves in moves(),
        batch in 1..20_usize,
        ahead in -400..500_i32,
    ) {
        let life = Inspections::random(&moves);
        let tables = Tables::of(&life.log, batch);
        let held: Vec<Entry> =
            (1..100).filter_map(|n| life.visits.get(visit(n))?.entry()).collect();
        let start: Date = "2025-03-03".parse().unwrap();
        let on = start.saturating_add(jiff::Span::new().days(ahead));
        let traits = life.profile.registered().unwrap().traits(on);
        let policy = life.policies[&PolicyName::Frequency].frequency().unwrap();
        for (by, _) in UNITS {
            let of_unit = &life.policies[&PolicyName::Catalogue(unit(by))];
            let level = Some(of_unit.catalogue().unwrap().document.level);
            let query = Query { enterprise: enterprise(), unit: unit(by), on };
            let asked = Entry {
                visit: visit(0),
                parties: vec![doudi_domain::frequency::Party { unit: unit(by), level }],
                items: [].into(),
                officers: [].into(),
                ground: Ground::Routine,
                on,
                held: Held::Reserved,
                finding: None,
            };
            let ledger = tables.ledger(by);
            let found = ledger.answer(&tables.entries(&ledger, on), &query);
            prop_assert_eq!(found, assess(policy.document, &traits, &held, &asked));
        }
    }
}

#[test]
fn an_event_of_an_unknown_visit_or_another_enterprise_changes_nothing() {
    let other = EnterpriseId::parse("L-2").unwrap();
    let tables = Tables::of(
        &[
            fact(Content::Visits(enterprise(), vec![on_2_march(1)])),
            fact(Content::Visits(other, vec![expired(1), expired(2)])),
        ],
        2,
    );
    assert_eq!(tables.places.len(), 1);
    assert!(tables.places[&(visit(1), enterprise())].holds);
}

#[test]
fn the_published_policy_is_the_one_the_decision_uses() {
    let document = |maximum| {
        let rules = vec![rule("r", Subject::AllUnits, maximum)];
        Document::Frequency(FrequencyPolicy { rules, ..FrequencyPolicy::default() })
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
    let facts = events.map(|event| fact(Content::Policy(PolicyName::Frequency, vec![event])));
    for batch in [1, 2, 6] {
        let tables = Tables::of(&facts, batch);
        let expected = state.frequency().unwrap();
        let said = Said::Limits(expected.document.clone());
        assert_eq!(tables.in_force(&PolicyName::Frequency), Some((expected.version, &said)));
        let versions: Vec<u32> = tables.versions.keys().map(|(_, version)| *version).collect();
        assert_eq!(versions, [2, 3]);
    }
}

#[test]
fn a_unit_has_its_level_while_its_catalogue_is_published() {
    let name = |of: &str| PolicyName::Catalogue(unit(of));
    let drafted = |version, of: &str, level| {
        let document = Document::Catalogue(catalogue(of, level));
        fact(Content::Policy(name(of), vec![policy::Event::PolicyDrafted { version, document }]))
    };
    let became = |of: &str, event| fact(Content::Policy(name(of), vec![event]));
    let facts = [
        drafted(1, "tax", Level::City),
        drafted(1, "fire", Level::County),
        became("tax", policy::Event::PolicyPublished { version: 1 }),
        drafted(2, "tax", Level::Province),
    ];
    let mut tables = Tables::of(&facts, 1);
    assert_eq!(tables.in_force(&name("tax")), Some((1, &Said::Level(Level::City))));
    assert_eq!(tables.in_force(&name("fire")), None, "a draft is not in force");
    tables.apply(&[became("tax", policy::Event::PolicyRetired { version: 1 })]);
    assert_eq!(tables.in_force(&name("tax")), None);
}

/// The histories above would prove little if they did not get so far.
#[test]
fn random_inspections_reach_every_event_and_pass_limits() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut names, mut passed) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        let life = Inspections::random(&moves().new_tree(&mut runner).unwrap().current());
        for fact in &life.log {
            let Content::Visits(_, events) = &fact.content else { continue };
            for event in events {
                let stored = serde_json::to_value(event).unwrap();
                names.insert(stored["type"].as_str().unwrap().to_owned());
                if let visits::Event::VisitPlanned { standings, .. } = event {
                    let over = standings.iter().filter(|standing| standing.would_exceed());
                    passed.extend(over.map(|standing| standing.rule.to_string()));
                }
            }
        }
    }
    assert_eq!(names.len(), 10, "{names:?}");
    let marks = ["day", "field", "graded", "level", "officer", "tagged", "unit-year"];
    assert!(passed.iter().eq(marks), "{passed:?}");
}
