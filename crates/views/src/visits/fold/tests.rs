//! The places held are those that the decision counts, whatever happened to a visit.

use std::collections::BTreeMap;

use doudi_domain::{
    CodeId,
    catalogue::Level,
    codec::Storable,
    enterprise::Registered,
    frequency::{Entry, FrequencyPolicy, Ground, Held, Party, Subject, assess},
    policy::{self, Document, Policy},
    visits::{CancelReason, CheckIn, Command, Manner, OffSiteCheck, RefusalReason, Visit},
};
use jiff::{Timestamp, civil::Date};
use proptest::prelude::*;

use super::*;
use crate::{
    kit::{
        area, enterprise,
        inspections::{
            Inspections, UNITS, catalogue, joint, moves, plan, planned, rule, scan, visit,
        },
        unit,
    },
    visits::{State, quota::limits::Limits},
};

fn fact(content: Content) -> Fact {
    Fact::of(content, Timestamp::UNIX_EPOCH, 1)
}

fn on_2_march(n: u64) -> Event {
    planned(plan(n, "tax", "2026-03-02"))
}

fn checked_in(n: u64) -> Event {
    let at = "2026-03-04T17:00:00Z".parse().unwrap();
    let check_in = CheckIn { manner: Manner::Stated, ..scan([].into(), at, n) };
    Event::VisitCheckedIn {
        visit: visit(n),
        check_in,
        irregularities: [].into(),
        tell: None,
        counts_on: None,
    }
}

fn expired(n: u64) -> Event {
    Event::VisitExpired { visit: visit(n) }
}

/// The tables, which a batch reads only where it is concerned.
#[derive(Debug, Default, PartialEq)]
struct Tables {
    rows: HashMap<Key, Row>,
    profiles: HashMap<EnterpriseId, Registered>,
    versions: BTreeMap<VersionKey, Version>,
}

/// As a row comes back from the table.
fn stored(row: &Row) -> Row {
    let document = serde_json::to_value(&row.what).unwrap();
    Row { what: serde_json::from_value(document).unwrap(), ..row.clone() }
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
        let rows = self.rows.iter().filter(|((visit, _), _)| visits.contains(visit));
        changes.rows.extend(rows.map(|(key, row)| (key.clone(), Arc::new(row.clone()))));
        let documents = &mut changes.documents;
        let profiles = self.profiles.iter().filter(|(id, _)| enterprises.contains(id));
        documents.profiles.extend(profiles.map(|(id, profile)| (id.clone(), profile.clone())));
        let versions = self.versions.iter().filter(|((name, _), _)| policies.contains(name));
        documents.versions.extend(versions.map(|(key, version)| (key.clone(), version.clone())));
        changes.fold(facts);
        for key in changes.rows_changed {
            self.rows.insert(key.clone(), stored(&changes.rows[&key]));
        }
        let mut documents = changes.documents;
        for id in documents.profiles_changed {
            self.profiles.insert(id.clone(), documents.profiles[&id].clone());
        }
        for key in documents.versions_changed {
            self.versions.remove(&key);
            if let Some(kept) = documents.versions.remove(&key) {
                self.versions.insert(key, kept);
            }
        }
    }

    fn row(&self, n: u64) -> &Row {
        &self.rows[&(visit(n), enterprise())]
    }

    fn in_force(&self, name: &PolicyName) -> Option<(u32, &Said)> {
        let mut of_name = self.versions.iter().filter(|((of, _), row)| of == name && row.published);
        let found = of_name.next();
        assert!(of_name.next().is_none(), "one version is in force at most");
        found.map(|((_, version), row)| (*version, &row.said))
    }

    fn limits(&self) -> Limits {
        let policy = match self.in_force(&PolicyName::Frequency) {
            Some((_, Said::Limits(policy))) => policy.clone(),
            other => panic!("limits are in force: {other:?}"),
        };
        Limits { policy, profile: self.profiles.get(&enterprise()).cloned() }
    }

    fn party(&self, by: &str) -> Party {
        match self.in_force(&PolicyName::Catalogue(unit(by))) {
            Some((_, Said::Level(level))) => Party { unit: unit(by), level: Some(*level) },
            other => panic!("a catalogue is in force: {other:?}"),
        }
    }

    /// What an answer about that day reads.
    fn entries(&self, limits: &Limits, on: Date) -> Vec<Entry> {
        let from = limits.first_day(on);
        let read = |row: &&Row| row.held().is_some() && from.is_some_and(|from| row.day() >= from);
        let rows = self.rows.values().filter(read);
        rows.filter_map(|row| row.visit().and_then(Visit::entry)).collect()
    }
}

#[test]
fn every_life_of_a_visit_is_what_the_decision_makes_of_it() {
    let events = [
        on_2_march(1),
        on_2_march(2),
        Event::VisitApproved { visit: visit(2), unit: None },
        checked_in(2),
        Event::VisitCheckedOut {
            visit: visit(2),
            occurred_at: Timestamp::UNIX_EPOCH,
            irregularities: [].into(),
        },
        Event::ResultReported { visit: visit(2), unit: None, results: vec![], tell: None },
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
            assert_eq!(tables.row(n).visit(), state.get(visit(n)), "visit {n}");
        }
        let states = [1, 2, 3, 4].map(|n| tables.row(n).state());
        assert_eq!(states, [State::Planned, State::Reported, State::Expired, State::CheckedIn]);
        let days = [1, 2, 3, 4].map(|n| tables.row(n).day().to_string());
        assert_eq!(days, ["2026-03-02", "2026-03-05", "2026-03-02", "2026-03-05"]);
    }
}

/// Of a merge both visits are read, also where only the given up one is known.
#[test]
fn a_merge_changes_both_visits_and_a_withdrawal_who_takes_part() {
    let mut life = Inspections::new(FrequencyPolicy {
        rules: vec![rule("refuses", Subject::AllUnits, 9)],
        ..FrequencyPolicy::default()
    });
    let (tax, market) = (unit("tax"), unit("market"));
    let day = "2025-03-04";
    for plan in [plan(1, "tax", day), plan(2, "market", day), joint(plan(3, "tax", day), "market")]
    {
        assert!(life.tell(&Command::Plan(plan)));
    }
    let merge = Command::Merge { visit: visit(2), into: visit(1), unit: market.clone() };
    assert!(life.tell(&merge));
    let reason = CancelReason::OfficersUnavailable;
    assert!(life.tell(&Command::Cancel { visit: visit(3), unit: market.clone(), reason }));
    for batch in 1..=4 {
        let tables = Tables::of(&life.log, batch);
        let [kept, given_up, left] = [1, 2, 3].map(|n| tables.row(n));
        assert_eq!((given_up.state(), given_up.held()), (State::Merged, None));
        assert_eq!((kept.unit(), kept.beside()), (&tax, vec![&market]));
        assert_eq!((left.unit(), left.beside()), (&tax, vec![]));
    }
}

#[test]
fn an_enterprise_does_not_see_a_visit_that_it_does_not_know_of() {
    let mut life = Inspections::new(FrequencyPolicy {
        rules: vec![rule("refuses", Subject::AllUnits, 9)],
        ..FrequencyPolicy::default()
    });
    let internal = |life: &Inspections, n| Tables::of(&life.log, 1).row(n).is_internal();
    let tax = || unit("tax");
    for n in 1..=4 {
        assert!(life.tell(&Command::Plan(plan(n, "tax", "2025-03-03"))));
        assert!(life.tell(&Command::Approve { visit: visit(n), unit: tax() }));
        assert!(internal(&life, n), "approved and not announced");
    }
    assert!(life.tell(&Command::Notify { visit: visit(1), unit: tax() }));
    assert!(!internal(&life, 1));
    let code = CodeId(uuid::Uuid::nil());
    assert!(life.tell(&Command::Admit { visit: visit(2), code, place: None, units: [].into() }));
    assert!(!internal(&life, 2));
    let reason = RefusalReason::TooOften;
    assert!(life.tell(&Command::Refuse { visit: visit(3), reason, shown: true }));
    assert!(!internal(&life, 3));
    let reason = CancelReason::TaskWithdrawn;
    assert!(life.tell(&Command::Cancel { visit: visit(4), unit: tax(), reason }));
    assert!(internal(&life, 4), "called off without a word");
}

#[test]
fn a_check_from_elsewhere_is_a_row_that_holds_nothing_and_takes_no_visits_place() {
    let check = |n| OffSiteCheck {
        check: visit(n),
        unit: unit("tax"),
        occurred_at: "2026-03-04T17:00:00Z".parse().unwrap(),
        basis: doudi_domain::Reference::parse("材料 5 号").unwrap(),
        results: vec![],
    };
    let recorded = |n| Event::OffSiteCheckRecorded { check: check(n), area: Some(area()) };
    let facts = [
        fact(Content::Visits(enterprise(), vec![on_2_march(1)])),
        fact(Content::Visits(enterprise(), vec![recorded(1), recorded(2)])),
    ];
    for batch in 1..=2 {
        let tables = Tables::of(&facts, batch);
        assert_eq!(tables.row(1).state(), State::Planned);
        let row = tables.row(2);
        assert_eq!((row.state(), row.held(), row.ground()), (State::OffSite, None, None));
        assert_eq!((row.unit(), row.area.as_ref()), (&unit("tax"), Some(&area())));
        assert_eq!((row.day(), row.is_internal()), ("2026-03-05".parse().unwrap(), false));
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
            let events = if let Content::Visits(_, events) = &*fact.content { &events[..] } else { &[] };
            for event in events {
                let Event::VisitPlanned { plan, standings, .. } = event else { continue };
                let asked = Visits::default().evolve(event).get(plan.visit).unwrap().entry();
                let limits = tables.limits();
                let entries = tables.entries(&limits, plan.on);
                let found = limits.weigh(&entries, &asked.unwrap());
                prop_assert_eq!(&found.standings, standings);
            }
            tables.apply(std::slice::from_ref(fact));
        }
    }

    /// Every row is what the decider knows, whatever happened in whatever batches.
    #[test]
    fn the_rows_are_the_state_of_the_decider(moves in moves(), batch in 1..20_usize) {
        let life = Inspections::random(&moves);
        let tables = Tables::of(&life.log, batch);
        let rows = tables.rows.values();
        prop_assert_eq!(rows.filter_map(Row::visit).count(), life.visits.all().count());
        for known in life.visits.all() {
            let row = &tables.rows[&(known.plan.visit, enterprise())];
            prop_assert_eq!(row.visit(), Some(known));
            prop_assert_eq!(row.area.as_ref(), Some(&area()));
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
        let held: Vec<Entry> = life.visits.all().filter_map(Visit::entry).collect();
        let start: Date = "2025-03-03".parse().unwrap();
        let on = start.saturating_add(jiff::Span::new().days(ahead));
        let traits = life.profile.registered().unwrap().traits(on);
        let policy = life.policies[&PolicyName::Frequency].frequency().unwrap();
        for (by, _) in UNITS {
            let of_unit = &life.policies[&PolicyName::Catalogue(unit(by))];
            let level = Some(of_unit.catalogue().unwrap().document.level);
            let asked = Entry {
                visit: visit(0),
                parties: vec![Party { unit: unit(by), level }],
                items: [].into(),
                officers: [].into(),
                ground: Ground::Routine,
                on,
                held: Held::Reserved,
                finding: None,
            };
            let limits = tables.limits();
            let found = limits.answer(&tables.entries(&limits, on), Some(tables.party(by)), on);
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
    assert_eq!(tables.rows.len(), 1);
    assert_eq!(tables.row(1).state(), State::Planned);
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
            let Content::Visits(_, events) = &*fact.content else { continue };
            let came = |event: &Event| matches!(event, Event::VisitCheckedIn { .. });
            // Nothing stops a visit that could not wait.
            let improvised = events.iter().any(came);
            for event in events {
                let stored = serde_json::to_value(event).unwrap();
                names.insert(stored["type"].as_str().unwrap().to_owned());
                if let (Event::VisitPlanned { standings, .. }, false) = (event, improvised) {
                    let over = standings.iter().filter(|standing| standing.would_exceed());
                    passed.extend(over.map(|standing| standing.rule.to_string()));
                }
            }
        }
    }
    let every = Event::VERSIONS.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(names, every.collect());
    let marks = ["day", "field", "graded", "level", "officer", "tagged", "unit-year"];
    assert!(passed.iter().eq(marks), "{passed:?}");
}
