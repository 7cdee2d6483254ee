//! The life of an appeal under random commands at random times in a changing world.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*};

use super::cases;
use crate::{
    Decider,
    agenda::{Change, Process},
    appeal::{
        Action, Appeal, Case, Command, Confidentiality, Diagnosis, Ending, Erasure, Event, Party,
        Phase, Rejection,
    },
    calendar::WorkingTime,
    clock::{Clock, ClockId, ClockKind, Owner, Step},
    kit::{World, given, moment, when},
};

mod moves;
mod what_if;

use moves::{Move, any_move, any_opening, any_submission, by_the_lead, world};

/// What must be so whoever does what.
struct Trial {
    world: World,
    now: Timestamp,
    state: Appeal,
    log: Vec<Event>,
    agenda: BTreeMap<String, Timestamp>,
}

impl Trial {
    fn begin(submission: crate::appeal::Submission) -> Result<Self, TestCaseError> {
        let now = moment("2025-04-25T09:00+08:00");
        let (log, agenda) = (vec![], BTreeMap::new());
        let mut trial = Self { world: world(), now, state: Appeal::Absent, log, agenda };
        trial.asks(&Command::Submit(submission))?;
        Ok(trial)
    }

    fn case(&self) -> &Case {
        self.state.known().expect("it was submitted")
    }

    fn makes(&mut self, happens: Move) -> Result<(), TestCaseError> {
        match happens {
            Move::Ask(command, true) => self.asks(&by_the_lead(*command, self.case())),
            Move::Ask(command, false) => self.asks(&command),
            Move::Wait(hours, awake) => {
                let until = self.now + SignedDuration::from_hours(hours);
                if awake {
                    self.sleeps_until(until, true)?;
                }
                self.now = until;
                Ok(())
            }
            Move::WaitForTheNextStep => match self.next_step() {
                Some((at, clock)) => {
                    self.now = self.now.max(at);
                    self.asks(&Command::TakeSteps { clock })
                }
                None => Ok(()),
            },
            Move::Sweep => {
                self.asks(&Command::Repair)?;
                self.sleeps_until(self.now, false)
            }
            Move::Routing(is_published) => {
                moves::publish(&mut self.world, is_published);
                Ok(())
            }
            Move::Unit(unit, is_back) => {
                moves::change_unit(&mut self.world, &unit, is_back);
                Ok(())
            }
            Move::Calendar(date, kind) => {
                moves::change_day(&mut self.world, date, kind);
                self.asks(&Command::Recompute)
            }
        }
    }

    fn next_step(&self) -> Option<(Timestamp, ClockId)> {
        let clocks = self.case().clocks.values();
        clocks.filter_map(|clock| clock.next().map(|next| (next.at, clock.id))).min()
    }

    /// Takes every step that is due by then, at its time or now.
    fn sleeps_until(&mut self, until: Timestamp, on_time: bool) -> Result<(), TestCaseError> {
        while let Some((at, clock)) = self.next_step().filter(|(at, _)| *at <= until) {
            if on_time {
                self.now = self.now.max(at);
            }
            let before = self.log.len();
            self.asks(&Command::TakeSteps { clock })?;
            prop_assert!(self.log.len() > before, "what is due can always be taken");
        }
        Ok(())
    }

    fn asks(&mut self, command: &Command) -> Result<(), TestCaseError> {
        let context = self.world.then(self.now);
        let events = match when(&self.state, &context, command) {
            Ok(events) => events,
            Err(rejection) => {
                prop_assert_ne!(&rejection, &Rejection::WouldBeSilent, "{:?}", command);
                let by_itself = matches!(command, Command::TakeSteps { .. } | Command::Repair);
                prop_assert!(!by_itself, "{command:?}: {rejection:?}");
                return Ok(());
            }
        };
        if let (Some(case), false) = (self.state.known(), events.is_empty()) {
            let possible = may(case, &self.world, self.now, command);
            prop_assert!(possible, "{command:?} was taken but not offered");
        }
        for event in &events {
            let before = self.state.clone();
            self.state = std::mem::take(&mut self.state).evolve(event);
            self.sees(&before, event)?;
        }
        self.log.extend(events.iter().cloned());
        self.holds()?;
        self.follows(&events)?;
        if *command == Command::Repair {
            self.has_owners()?;
        }
        Ok(())
    }

    /// What one event may do.
    fn sees(&mut self, before: &Appeal, event: &Event) -> Result<(), TestCaseError> {
        for change in event.agenda() {
            match change {
                Change::Put(entry) => {
                    // Only steps of clocks have a time of their own.
                    let of_clock = entry.key.starts_with("clock/");
                    let at = if of_clock { entry.at } else { Timestamp::MIN };
                    self.agenda.insert(entry.key, at)
                }
                Change::Drop(key) => self.agenda.remove(&key),
            };
        }
        let Some(before) = before.known() else { return Ok(()) };
        let after = self.case();
        if let Event::NoteAdded { .. } | Event::FileAttached { .. } | Event::AppealRated { .. } =
            event
        {
            prop_assert_eq!(&before.clocks, &after.clocks, "a comment moves no clock");
            prop_assert_eq!(&before.ledger, &after.ledger);
        }
        let may_move = matches!(
            event,
            Event::HandlingResumed { .. }
                | Event::ExtensionGranted { .. }
                | Event::AppealReclassified { .. }
        );
        for (id, clock) in &after.clocks {
            if let Some(known) = before.clocks.get(id) {
                prop_assert!(may_move || clock.due <= known.due, "{event:?} moves it later");
                let backs = clock.taken < known.taken;
                prop_assert!(may_move || !backs, "{event:?} takes a step back");
            }
        }
        if let Event::DispatchContested { .. } = event {
            let assignment = before.phase.assignment().expect("it was dispatched");
            prop_assert!(!assignment.is_final, "there is no return from a ruling");
            prop_assert_eq!(before.guarantee, None, "nor from the guarantee");
        }
        if let Event::ClockStepsTaken { clock, steps, .. } = event {
            fired(&before.clocks[clock], &after.clocks[clock], steps, self.now)?;
        }
        if before.guarantee.is_some() {
            prop_assert_eq!(after.guarantee, before.guarantee, "it stays with the guarantee");
            let handed = before.phase.route().map(|route| &route.unit)
                != after.phase.route().map(|route| &route.unit);
            let repaired = matches!(event, Event::AppealRepaired { .. });
            prop_assert!(!handed || repaired, "nobody takes it from the guarantee");
        }
        Ok(())
    }

    /// What must be so after every commit.
    fn holds(&self) -> Result<(), TestCaseError> {
        let case = self.case();
        if case.phase.is_open() {
            prop_assert!(!case.is_silent());
            prop_assert!(self.next_step().is_some(), "somebody owes the next step");
        } else {
            prop_assert!(case.clocks.is_empty(), "what ended owes nothing");
        }
        // Nobody concludes for an appeal that cannot be read or is over.
        let ended = case.is_erased() || matches!(case.phase, Phase::Closed(_));
        let under_way = case.diagnosis.as_ref().is_some_and(Diagnosis::is_under_way);
        prop_assert!(!ended || !under_way);
        self.is_kept_from_the_areas_desk()?;
        let bounces_max = case.terms.case_type.bounds.bounces_max;
        prop_assert!(case.bounces <= bounces_max, "{} bounces", case.bounces);
        let calendar = self.world.calendar.as_ref().unwrap();
        for hours in [0, 5, 200] {
            let at = self.now + SignedDuration::from_hours(hours);
            let spent: WorkingTime = case.ledger.spent(calendar, at).iter().map(|s| s.1).sum();
            prop_assert_eq!(spent, case.ledger.age(calendar, at));
        }
        let instants: Vec<_> = case.ledger.segments().iter().map(|s| s.since).collect();
        prop_assert!(instants.is_sorted());
        prop_assert_eq!(&self.agenda, &owed(case), "the agenda is what is owed");
        Ok(())
    }

    /// What only the city desk may know of is never owed by the desk of the area as a desk.
    fn is_kept_from_the_areas_desk(&self) -> Result<(), TestCaseError> {
        let case = self.case();
        let strict = case.submission.confidentiality == Confidentiality::Strict;
        for clock in case.clocks.values().filter(|_| strict) {
            let of_a_desk = matches!(
                clock.kind,
                ClockKind::Accept
                    | ClockKind::Dispatch
                    | ClockKind::Ruling
                    | ClockKind::Extension
                    | ClockKind::Feedback
                    | ClockKind::Close
            );
            let by_the_area = clock.owner == Owner::Unit(crate::kit::unit("desk-210212"));
            prop_assert!(!(of_a_desk && by_the_area), "{clock:?}");
        }
        Ok(())
    }

    /// Red of what the case waits for brings the guarantee in, wherever there is one.
    fn follows(&self, events: &[Event]) -> Result<(), TestCaseError> {
        for event in events {
            let Event::ClockStepsTaken { clock, steps, clocks } = event else { continue };
            let kind = clocks.set.iter().find(|set| set.id == *clock).map(|set| set.kind);
            let guaranteed = matches!(
                kind,
                Some(
                    ClockKind::Accept
                        | ClockKind::Dispatch
                        | ClockKind::Ruling
                        | ClockKind::Resolve
                )
            );
            let red = steps.iter().any(|step| matches!(step, Step::Red | Step::Escalate(_)));
            if guaranteed && red && self.world.routing.is_some() {
                prop_assert!(self.case().guarantee.is_some(), "{kind:?} is red");
            }
        }
        Ok(())
    }

    /// After a repair everybody who owes something can be reached, or is the last there is.
    fn has_owners(&self) -> Result<(), TestCaseError> {
        let Some(table) = self.world.routing.as_ref() else { return Ok(()) };
        for clock in self.case().clocks.values() {
            if let Owner::Unit(unit) = &clock.owner {
                let last = unit == table.city();
                prop_assert!(last || table.reachable(unit) == Some(unit), "{unit} is gone");
            }
        }
        Ok(())
    }
}

/// The steps that came, one after the other, each when its time had come.
fn fired(
    before: &Clock,
    after: &Clock,
    steps: &[Step],
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let taken = usize::from(before.taken);
    let due: Vec<_> = before.steps[taken..].iter().take_while(|step| step.at <= now).collect();
    prop_assert!(due.iter().map(|planned| planned.step).eq(steps.iter().copied()));
    prop_assert!(before.steps.is_sorted_by_key(|planned| planned.at));
    prop_assert_eq!(usize::from(after.taken), taken + steps.len(), "each once");
    Ok(())
}

/// The steps to come of every clock, and what other streams must hear.
fn owed(case: &Case) -> BTreeMap<String, Timestamp> {
    let steps = case.clocks.values().filter_map(|clock| {
        clock.next().map(|next| (format!("clock/{}", clock.id.0), Some(next.at)))
    });
    let merge = matches!(case.phase, Phase::Merged(_)) && !case.merge_delivered;
    let begins = |known: &Diagnosis| !known.opened && known.ending == Ending::No;
    let convene = case.diagnosis.as_ref().is_some_and(begins);
    let erase = case.erased == Erasure::Ordered;
    let ending = case.diagnosis.as_ref().is_some_and(|known| known.ending == Ending::Ordered);
    let once = [(merge, "merge"), (convene, "convene"), (ending, "discontinue"), (erase, "erase")];
    let once = once.into_iter().filter(|(is, _)| *is).map(|(_, key)| (key.to_owned(), None));
    let parts = case.parts.iter().filter(|(_, part)| !part.submitted);
    let parts = parts.map(|(id, _)| (format!("part/{id}"), None));
    let all = steps.chain(once).chain(parts);
    all.map(|(key, at)| (key, at.unwrap_or(Timestamp::MIN))).collect()
}

/// Whether the party that gives such a command was told that it may. What depends on a choice that
/// the question cannot make for it is left out.
fn may(case: &Case, world: &World, now: Timestamp, command: &Command) -> bool {
    let unit = |unit: &crate::UnitId| Party::Unit(unit.clone());
    let lead = || case.phase.route().map_or(Party::Desk, |route| unit(&route.unit));
    let (party, action) = match command {
        Command::Accept => (Party::Desk, Action::Accept),
        Command::Redirect { .. } => (Party::Desk, Action::Redirect),
        Command::Dispatch { .. } => (Party::Desk, Action::Dispatch),
        Command::Rule { .. } => (Party::Desk, Action::Rule),
        Command::Reclassify { .. } => (Party::Desk, Action::Reclassify),
        Command::AnswerExtension { .. } => (Party::Desk, Action::AnswerExtension),
        Command::RecordCallback(_) => (Party::Desk, Action::RecordCallback),
        Command::Close => (Party::Desk, Action::Close),
        Command::SignFor { unit: by } => (unit(by), Action::SignFor),
        Command::RecordContact { unit: by } => (unit(by), Action::RecordContact),
        Command::Contest { unit: by, .. } => (unit(by), Action::Contest),
        Command::AskExtension { unit: by, .. } => (unit(by), Action::AskExtension),
        Command::Pause { unit: by, .. } => (unit(by), Action::Pause),
        Command::RequestCoHandling { unit: by, .. } => (unit(by), Action::RequestCoHandling),
        Command::AnswerCoHandling { unit: by, .. } => (unit(by), Action::AnswerCoHandling),
        Command::Resolve { unit: by, .. } => (unit(by), Action::Resolve),
        Command::Resume => (lead(), Action::Resume),
        Command::OpenMediation => (lead(), Action::OpenMediation),
        Command::EndMediation { .. } => (lead(), Action::EndMediation),
        Command::Confirm => (Party::Enterprise, Action::Confirm),
        Command::Object { .. } => (Party::Enterprise, Action::Object),
        Command::Rate(_) => (Party::Enterprise, Action::Rate),
        Command::Reopen { .. } => (Party::Enterprise, Action::Reopen),
        Command::AddNote(_) => (Party::Enterprise, Action::AddNote),
        Command::Attach(_) => (Party::Enterprise, Action::Attach),
        Command::Merge { .. } => (Party::Desk, Action::Merge),
        Command::Split { .. } => (Party::Desk, Action::Split),
        Command::ErasePersonalData { .. } => (Party::Registrar, Action::ErasePersonalData),
        _ => return true,
    };
    let offered = case.allowed(&world.then(now), &party);
    offered.iter().any(|found| found.action == action && found.missing.is_none())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_case_is_silent_and_no_promise_is_shed(
        submission in any_submission(),
        opening in any_opening(),
        history in vec(any_move(), 1..60),
    ) {
        let mut trial = Trial::begin(submission)?;
        for happens in opening.into_iter().chain(history) {
            trial.makes(happens)?;
        }
        prop_assert_eq!(&given::<Appeal>(&trial.log), &trial.state);
        // However it was left: with somebody there again it comes to its guarantee or its end.
        moves::publish(&mut trial.world, true);
        trial.asks(&Command::Repair)?;
        trial.has_owners()?;
        let later = trial.now + SignedDuration::from_hours(24 * 150);
        trial.sleeps_until(later, true)?;
        trial.now = later;
        let case = trial.case();
        let said = matches!(case.phase, Phase::Resolved(_) | Phase::Confirmed(_));
        let waits = case.phase.is_open() && !said;
        prop_assert!(!waits || case.guarantee.is_some(), "{:?}", case.phase);
        trial.holds()?;
    }
}
