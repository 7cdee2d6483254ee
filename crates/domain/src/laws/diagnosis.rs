//! The life of a joint diagnosis under random commands at random times.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use super::cases;
use crate::{
    AppealId, Decider, TopicId, UnitId,
    agenda::{Change, Process},
    clock::{ClockId, ClockKind, Owner, Step},
    diagnosis::{
        Command, Conclusion, Convening, Diagnosis, Event, Open, Opinion, Order, Panel, Stance,
        StandingLead,
    },
    kit::{
        World, area, given, moment, plan_of_the_city, published_calendar, sealed, shipped_cases,
        stored, unit, when,
    },
};

const UNITS: [&str; 4] = ["power-supply", "tax", "desk-city", "nobody"];

fn convening(quorum: u16) -> Convening {
    Convening {
        appeal: AppealId(Uuid::from_u128(1)),
        convener: unit("desk-city"),
        area: area("210212"),
        topic: TopicId::parse("T06").unwrap(),
        panel: Panel { units: UNITS[..3].iter().map(|id| unit(id)).collect(), quorum },
        question: sealed("cXVlc3Rpb24="),
    }
}

fn convene(quorum: u16) -> Command {
    let case_type = Box::new(shipped_cases().types[0].clone());
    Command::Convene { convening: convening(quorum), case_type, terms_version: 4 }
}

fn any_unit() -> impl Strategy<Value = UnitId> {
    select(UNITS.to_vec()).prop_map(unit)
}

fn any_opinion() -> impl Strategy<Value = Opinion> {
    let stance = select(vec![Stance::Support, Stance::Dissent, Stance::Abstain]);
    (stance, select(vec!["YQ==", "Yg=="]))
        .prop_map(|(stance, text)| Opinion { stance, text: sealed(text) })
}

fn any_conclusion() -> impl Strategy<Value = Conclusion> {
    let order = || Order { unit: unit("tax"), task: sealed("dGFzaw=="), working_days: 3 };
    let lead =
        any::<bool>().prop_map(|same_area_only| StandingLead { unit: unit("tax"), same_area_only });
    (proptest::option::of(lead), 0..3_usize).prop_map(move |(standing_lead, orders)| Conclusion {
        text: sealed("ZmluZGluZw=="),
        orders: vec![order(); orders],
        standing_lead,
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    let convener = prop_oneof![4 => Just(unit("desk-city")), 1 => any_unit()];
    prop_oneof![
        1 => (1..3_u16).prop_map(convene),
        6 => (any_unit(), any_opinion())
            .prop_map(|(unit, opinion)| Command::GiveOpinion { unit, opinion }),
        2 => (convener, any_conclusion())
            .prop_map(|(unit, conclusion)| Command::Conclude { unit, conclusion }),
        4 => (1..6_u32).prop_map(|clock| Command::TakeSteps { clock: ClockId(clock) }),
        1 => Just(Command::Discontinue),
        1 => Just(Command::MarkDelivered),
        1 => (1..3_u32).prop_map(|version| Command::MarkRulePublished { version }),
    ]
}

/// What the events say, counted without any rule.
#[derive(Default)]
struct Seen {
    agenda: BTreeMap<String, Timestamp>,
    stances: BTreeMap<UnitId, Stance>,
    steps: BTreeMap<ClockId, Vec<Step>>,
    planned: BTreeMap<ClockId, Vec<Step>>,
    conclusions: Vec<(Conclusion, BTreeSet<UnitId>, bool)>,
    delivered: bool,
    ruled: bool,
    discontinued: usize,
}

impl Seen {
    fn see(&mut self, event: &Event) {
        for change in event.agenda() {
            match change {
                Change::Put(entry) => self.agenda.insert(entry.key, entry.at),
                Change::Drop(key) => self.agenda.remove(&key),
            };
        }
        match event {
            Event::DiagnosisConvened { clocks, .. } => {
                let planned = clocks.iter().map(|clock| {
                    (clock.id, clock.steps.iter().map(|planned| planned.step).collect())
                });
                self.planned = planned.collect();
            }
            Event::OpinionGiven { unit, opinion, .. }
            | Event::OpinionRevised { unit, opinion, .. } => {
                self.stances.insert(unit.clone(), opinion.stance);
            }
            Event::DiagnosisConcluded { conclusion, dissenting, without_quorum, .. } => {
                self.conclusions.push((conclusion.clone(), dissenting.clone(), *without_quorum));
            }
            Event::ClockStepsTaken { clock, steps, .. } => {
                self.steps.entry(*clock).or_default().extend(steps);
            }
            Event::DiagnosisDiscontinued { .. } => self.discontinued += 1,
            Event::ConclusionDelivered {} => self.delivered = true,
            Event::StandingRulePublished { .. } => self.ruled = true,
        }
    }

    fn dissenting(&self) -> BTreeSet<UnitId> {
        let dissents = self.stances.iter().filter(|(_, stance)| **stance == Stance::Dissent);
        dissents.map(|(unit, _)| unit.clone()).collect()
    }

    fn clocks_on_the_agenda(&self) -> Vec<(String, Timestamp)> {
        let clocks = self.agenda.iter().filter(|(key, _)| key.starts_with("clock/"));
        clocks.map(|(key, at)| (key.clone(), *at)).collect()
    }
}

/// Who owes what while the units are heard: each silent unit its opinion, the convener the end.
fn owed(open: &Open) -> Vec<(ClockKind, Owner)> {
    let silent = open.convening.panel.units.iter().filter(|id| !open.opinions.contains_key(*id));
    let opinions = silent.map(|unit| (ClockKind::Opinion, Owner::Unit(unit.clone())));
    let convener = Owner::Unit(open.convening.convener.clone());
    opinions.chain([(ClockKind::Conclusion, convener)]).collect()
}

fn check(state: &Diagnosis, seen: &Seen) -> Result<(), TestCaseError> {
    let mut armed = seen.clocks_on_the_agenda();
    match state {
        Diagnosis::Absent => prop_assert!(seen.agenda.is_empty()),
        Diagnosis::Open(open) => {
            let running = open.clocks.iter().map(|clock| (clock.kind, clock.owner.clone()));
            prop_assert_eq!(running.collect::<Vec<_>>(), owed(open), "nobody is forgotten");
            let steps = open.clocks.iter().filter_map(|clock| {
                clock.next().map(|step| (format!("clock/{}", clock.id.0), step.at))
            });
            let mut steps: Vec<_> = steps.collect();
            steps.sort();
            armed.sort();
            prop_assert_eq!(armed, steps, "the agenda holds every step to come");
            prop_assert!(seen.conclusions.is_empty());
            prop_assert!(open.clocks.iter().all(|clock| clock.next().is_some()), "until the end");
        }
        Diagnosis::Discontinued(known) => {
            prop_assert!(seen.agenda.is_empty(), "nothing is owed any more");
            prop_assert!(seen.conclusions.is_empty());
            prop_assert_eq!(seen.discontinued, 1, "it ends once");
            let said = known.as_ref().map_or(0, |known| known.opinions.len());
            prop_assert_eq!(said, seen.stances.len(), "what was said stays");
        }
        Diagnosis::Concluded(concluded) => {
            let [(conclusion, dissenting, without_quorum)] = &seen.conclusions[..] else {
                return Err(TestCaseError::fail("a conclusion is one"));
            };
            prop_assert_eq!(&concluded.conclusion, conclusion, "a conclusion is final");
            prop_assert_eq!(&concluded.dissenting, dissenting);
            prop_assert_eq!(dissenting, &seen.dissenting(), "no dissent is lost or made up");
            let quorum = usize::from(concluded.convening.panel.quorum);
            prop_assert_eq!(*without_quorum, seen.stances.len() < quorum);
            prop_assert_eq!(armed, vec![]);
            prop_assert_eq!(seen.agenda.contains_key("deliver"), !seen.delivered);
            let rules = conclusion.standing_lead.is_some();
            prop_assert_eq!(seen.agenda.contains_key("rule"), rules && !seen.ruled);
        }
    }
    for (clock, steps) in &seen.steps {
        let planned = &seen.planned[clock];
        let (once, again) = steps.split_at(steps.len().min(planned.len()));
        prop_assert!(planned.starts_with(once), "each step once and in order");
        prop_assert!(again.iter().all(|step| Some(step) == planned.last()), "then the last again");
    }
    Ok(())
}

fn world() -> World {
    World {
        routing: Some(plan_of_the_city()),
        calendar: Some(published_calendar()),
        ..World::default()
    }
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn an_open_diagnosis_has_its_clocks_and_comes_to_one_conclusion_that_keeps_the_dissents(
        quorum in 1..4_u16,
        history in vec((any_command(), 0..40_i64), 1..40),
    ) {
        let world = world();
        let mut now = moment("2025-04-25T09:00+08:00");
        let (mut state, mut seen) = (Diagnosis::default(), Seen::default());
        for (command, hours) in [(convene(quorum), 0)].into_iter().chain(history) {
            now += SignedDuration::from_hours(hours);
            let events = when(&state, &world.then(now), &command).unwrap_or_default();
            prop_assert!(events.len() <= 1);
            for event in &events {
                state = state.evolve(event);
                seen.see(event);
            }
            check(&state, &seen)?;
        }
        // However silent everybody was, the convener comes to an end once the time is over.
        if let Diagnosis::Open(open) = &state {
            let over = open.clocks.iter().map(|clock| clock.due).max().unwrap();
            let order = Order { unit: unit("tax"), task: sealed("dGFzaw=="), working_days: 1 };
            let conclusion = Conclusion {
                text: sealed("ZmluZGluZw=="),
                orders: vec![order],
                standing_lead: None,
            };
            let command = Command::Conclude { unit: unit("desk-city"), conclusion };
            let after = world.then(over.max(now) + SignedDuration::from_secs(1));
            prop_assert!(when(&state, &after, &command).is_ok());
        }
    }

    #[test]
    fn diagnoses_survive_storage_and_any_order_of_events(
        history in vec((any_command(), 0..40_i64), 1..40),
        order in vec(any::<prop::sample::Index>(), 1..20),
    ) {
        let world = world();
        let mut now = moment("2025-04-25T09:00+08:00");
        let (mut state, mut log) = (Diagnosis::default(), Vec::new());
        for (command, hours) in [(convene(2), 0)].into_iter().chain(history) {
            now += SignedDuration::from_hours(hours);
            let events = state.decide(&world.then(now), &command).unwrap_or_default();
            state = events.iter().fold(state, Diagnosis::evolve);
            log.extend(events);
        }
        prop_assert_eq!(given::<Diagnosis>(&log), state, "the state is what the events make it");
        let shuffled: Vec<Event> = order.iter().map(|at| stored(at.get(&log))).collect();
        let convened = shuffled.iter().any(|e| matches!(e, Event::DiagnosisConvened { .. }));
        let found: Diagnosis = given(&shuffled);
        let ended = shuffled.iter().any(|e| matches!(e, Event::DiagnosisDiscontinued { .. }));
        prop_assert_eq!(found != Diagnosis::Absent, convened || ended);
    }
}
