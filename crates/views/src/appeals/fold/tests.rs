//! A row is what the decider would say of the appeal, after every commit and however they come.

use std::collections::HashMap;

use doudi_domain::{
    CaseNumber, Decider, UnitId,
    appeal::{Appeal, Case, Command, Outcome, Phase, PhaseName, Rating},
    diagnosis::Diagnosis,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    appeals::Row,
    kit::{Life, appeal_id, enterprise, moves, note, sealed, submission, unit},
};

fn key() -> Key {
    (appeal_id(1), enterprise())
}

/// What the tables hold, changed as they are: by what a batch says it touched.
#[derive(Debug, Default)]
struct Tables {
    appeals: HashMap<Key, Known>,
    clocks: HashMap<ClockKey, (Clock, Option<Row>)>,
}

impl Tables {
    fn apply(&mut self, facts: &[Fact]) -> Changes {
        let mut changes = Changes::default();
        for (key, known) in &self.appeals {
            let known = Known { clocks: BTreeMap::new(), ..known.clone() };
            changes.appeals.insert(key.clone(), known);
        }
        for ((key, diagnosis, id), (clock, _)) in &self.clocks {
            let clocks = match diagnosis {
                None => changes.appeals.get_mut(key).map(|known| &mut known.clocks),
                Some(diagnosis) => {
                    let none = || Panel { appeal: key.0, clocks: BTreeMap::new() };
                    let name = (*diagnosis, key.1.clone());
                    Some(&mut changes.panels.entry(name).or_insert_with(none).clocks)
                }
            };
            clocks.unwrap().insert(*id, clock.clone());
        }
        changes.fold(facts);
        for key in &changes.changed {
            self.appeals.insert(key.clone(), changes.appeals[key].clone());
        }
        for key in &changes.touched {
            let row = changes.appeals.get(&key.0).map(|known| known.row.clone());
            let (owner, diagnosis, id) = key;
            let clocks = match diagnosis {
                None => changes.appeals.get(owner).map(|known| &known.clocks),
                Some(diagnosis) => {
                    changes.panels.get(&(*diagnosis, owner.1.clone())).map(|panel| &panel.clocks)
                }
            };
            match clocks.and_then(|clocks| clocks.get(id)) {
                Some(clock) => self.clocks.insert(key.clone(), (clock.clone(), row)),
                None => self.clocks.remove(key),
            };
        }
        changes
    }

    /// The appeal's own clocks and those of its joint diagnoses, with the unit that each row names.
    fn owed(&self) -> HashMap<ClockKey, (Clock, Option<UnitId>)> {
        let unit = |row: &Option<Row>| row.as_ref().and_then(|row| row.unit.clone());
        let owed = |(key, (clock, row)): (&ClockKey, &(Clock, _))| {
            (key.clone(), (clock.clone(), unit(row)))
        };
        self.clocks.iter().map(owed).collect()
    }
}

fn assert_row_is(case: &Case, row: &Row) {
    assert_eq!(row.state, case.phase.name());
    assert_eq!(row.due.as_ref(), case.due());
    let route = case.phase.route();
    assert_eq!(row.unit.as_ref(), route.map(|route| &route.unit));
    assert_eq!(row.rule.as_ref(), route.map(|route| &route.rule));
    assert_eq!(row.co_units, route.map(|route| route.co_units.clone()).unwrap_or_default());
    let tasks = case.tasks.values().map(|task| &task.unit);
    let called = case.diagnosis.iter().flat_map(|diagnosis| &diagnosis.units);
    let beside: HashSet<&UnitId> = row.co_units.iter().chain(tasks).chain(called).collect();
    assert_eq!(row.beside.iter().collect::<HashSet<_>>(), beside, "everybody who takes part");
    assert_eq!((row.objections, row.bounces), (case.objections, u32::from(case.bounces)));
    assert_eq!((row.guarantee, row.closed_at), (case.guarantee, case.closed_at));
    assert_eq!(row.class.as_ref(), case.class().map(|class| &class.id));
    assert_eq!(row.case_type, case.terms.case_type.id);
    assert_eq!(row.confidentiality, case.submission.confidentiality);
    let merged_into = if let Phase::Merged(into) = case.phase { Some(into) } else { None };
    assert_eq!(row.merged_into, merged_into);
}

fn events_of(fact: &Fact) -> &[Event] {
    if let Content::Appeal(_, _, events) = &*fact.content { events } else { &[] }
}

/// After every commit the row and its clocks are what the decider says.
fn as_the_decider_says(life: &Life) {
    let mut tables = Tables::default();
    let (mut state, mut panels) = (Appeal::default(), HashMap::new());
    for fact in &life.log {
        tables.apply(std::slice::from_ref(fact));
        state = events_of(fact).iter().fold(state, Appeal::evolve);
        if let Content::Diagnosis(_, id, events) = &*fact.content {
            let panel: &mut Diagnosis = panels.entry(*id).or_default();
            *panel = events.iter().fold(panel.clone(), Diagnosis::evolve);
        }
        let case = state.known().unwrap();
        let row = &tables.appeals[&key()].row;
        assert_row_is(case, row);
        let mut owed: HashMap<ClockKey, (Clock, Option<UnitId>)> = HashMap::new();
        for clock in case.clocks.values() {
            let lead = row.unit.clone();
            owed.insert((key(), None, clock.id), (clock.clone(), lead));
        }
        for (id, panel) in &panels {
            if let Diagnosis::Open(open) = panel {
                for clock in &open.clocks {
                    let lead = row.unit.clone();
                    owed.insert((key(), Some(*id), clock.id), (clock.clone(), lead));
                }
            }
        }
        assert_eq!(tables.owed(), owed);
    }
    assert_eq!(state, life.state);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn after_every_commit_the_row_and_its_clocks_are_what_the_decider_says(moves in moves()) {
        as_the_decider_says(&Life::random(&moves));
    }

    #[test]
    fn batches_of_any_size_make_the_same_tables(moves in moves(), size in 2_usize..20) {
        let life = Life::random(&moves);
        let (mut one_by_one, mut batched) = (Tables::default(), Tables::default());
        let (mut closures, mut together) = (vec![], vec![]);
        for fact in &life.log {
            closures.extend(one_by_one.apply(std::slice::from_ref(fact)).closures);
        }
        for facts in life.log.chunks(size) {
            together.extend(batched.apply(facts).closures);
        }
        prop_assert_eq!(one_by_one.owed(), batched.owed());
        prop_assert_eq!(&one_by_one.appeals[&key()].row, &batched.appeals[&key()].row);
        prop_assert_eq!(closures, together);
    }

    #[test]
    fn a_joint_diagnosis_that_is_applied_late_makes_the_same_tables(moves in moves()) {
        let life = Life::random(&moves);
        let mut in_order = Tables::default();
        in_order.apply(&life.log);
        let is_of_diagnosis = |fact: &&Fact| matches!(*fact.content, Content::Diagnosis(..));
        for late in [true, false] {
            let mut tables = Tables::default();
            for fact in life.log.iter().filter(|fact| is_of_diagnosis(fact) != late) {
                tables.apply(std::slice::from_ref(fact));
            }
            for fact in life.log.iter().filter(|fact| is_of_diagnosis(fact) == late) {
                tables.apply(std::slice::from_ref(fact));
            }
            prop_assert_eq!(tables.owed(), in_order.owed());
        }
    }
}

#[test]
fn random_histories_reach_every_phase_and_joint_diagnoses() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut phases, mut diagnoses) = (HashSet::new(), 0);
    for _ in 0..400 {
        let life = Life::random(&moves().new_tree(&mut runner).unwrap().current());
        diagnoses += usize::from(!life.diagnosis_clocks().is_empty());
        let mut state = Appeal::default();
        for fact in &life.log {
            state = events_of(fact).iter().fold(state, Appeal::evolve);
            phases.insert(state.known().unwrap().phase.name());
        }
    }
    let missing: Vec<_> = PhaseName::ALL.into_iter().filter(|p| !phases.contains(p)).collect();
    assert!(missing.is_empty() && diagnoses > 0, "{missing:?}, {diagnoses} with a diagnosis");
}

#[test]
fn what_nobody_did_moves_no_appeal() {
    let mut life = Life::new(appeal_id(1), submission());
    life.later(2);
    life.tell(&Command::Accept);
    let mut tables = Tables::default();
    tables.apply(&life.log);
    let moved = tables.appeals[&key()].row.last_moved;
    assert_eq!(moved, "2025-04-25T11:00+08:00".parse::<Timestamp>().unwrap());
    let known = life.log.len();
    life.later(1);
    assert!(life.tell(&Command::AddNote(note(1))));
    tables.apply(&life.log[known..]);
    assert_eq!(tables.appeals[&key()].row.last_moved, moved);
    assert_eq!(tables.appeals[&key()].row.updated.0, life.log.len() as u64);
    life.later(1);
    assert!(life.tell(&Command::Dispatch { to: None }));
    tables.apply(&life.log[known + 1..]);
    assert!(tables.appeals[&key()].row.last_moved > moved);
}

#[test]
fn a_close_is_remembered_with_the_days_that_its_terms_give() {
    let mut life = Life::new(appeal_id(1), submission());
    let power = || unit("power");
    let resolve =
        Command::Resolve { unit: power(), outcome: Outcome::Solved, reply: sealed("reply") };
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::SignFor { unit: power() },
        resolve,
        Command::Confirm,
        Command::Close,
        Command::Rate(Rating { responded: true, resolved: true, satisfied: true }),
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    let mut tables = Tables::default();
    let changes = tables.apply(&life.log);
    let topic = submission().topic;
    let until = "2025-07-24".parse().unwrap();
    let closure = Closure { key: key(), topic, position: 7, until };
    assert_eq!(changes.closures, [closure]);
    let row = &tables.appeals[&key()].row;
    assert_eq!(row.number, CaseNumber::of(appeal_id(1), "2025-04-25".parse().unwrap()));
    assert!(tables.clocks.is_empty());
}

#[test]
fn an_event_of_an_appeal_that_was_never_submitted_makes_no_row() {
    let life = Life::random(&[(0, 0, 0), (4, 1, 1)]);
    let mut changes = Changes::default();
    changes.fold(&life.log[1..]);
    assert!(changes.appeals.is_empty() && changes.changed.is_empty() && changes.touched.is_empty());
}

#[test]
fn a_diagnosis_that_ended_without_a_conclusion_owes_nothing() {
    // Accepted, dispatched, signed for, overdue, so that the guarantee convenes.
    let begun = [(0, 1, 0), (4, 1, 0), (8, 1, 0), (50, 1, 400), (52, 1, 0)];
    let reminded = [(45, 1, 400), (45, 3, 400), (45, 5, 400)];
    let (erased, ended) = ((58, 3, 0), (52, 1, 0));
    let long = [&begun[..], &reminded[..]].concat();
    let all = [&long[..], &[erased, ended]].concat();
    for (moves, clocks) in [(&begun[..], 3), (&long, 3), (&all, 0)] {
        let life = Life::random(moves);
        let mut tables = Tables::default();
        tables.apply(&life.log);
        let of_panels = tables.clocks.iter().filter(|((_, diagnosis, _), _)| diagnosis.is_some());
        let steps: Vec<_> = of_panels.map(|(_, (clock, _))| clock.next().is_some()).collect();
        assert_eq!(steps, vec![true; clocks], "each is reminded until it ends");
        as_the_decider_says(&life);
    }
}
