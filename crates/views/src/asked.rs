//! The units that were asked for a part of an appeal by name, from one event to the next, as the case
//! itself would say: those with a task, and those called together about it.

use std::collections::BTreeMap;

use doudi_domain::{
    UnitId,
    appeal::{ClockChange, Event},
    clock::{Clock, ClockId, Owner},
};
use serde::{Deserialize, Serialize};

/// Who was asked for a part of one appeal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The tasks that are owed or were answered, by their clocks.
    tasks: BTreeMap<ClockId, Task>,
    /// The units of the joint diagnosis called for last.
    convened: Vec<UnitId>,
    /// The tasks before it was merged, while that may come to nothing.
    before_merge: Option<BTreeMap<ClockId, Task>>,
}

/// A task of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Task {
    unit: UnitId,
    answered: bool,
}

impl Task {
    fn of(unit: UnitId) -> Self {
        Self { unit, answered: false }
    }
}

impl Asked {
    /// Each unit that was asked, once.
    pub(crate) fn units(&self) -> impl Iterator<Item = &UnitId> {
        let tasks = self.tasks.values().map(|task| &task.unit);
        let mut units: Vec<&UnitId> = tasks.chain(&self.convened).collect();
        units.sort_unstable();
        units.dedup();
        units.into_iter()
    }

    /// The units that take part beside the lead: `co_units`, and those that were asked; each once.
    pub(crate) fn beside(&self, co_units: &[UnitId]) -> Vec<UnitId> {
        let asked = self.units().filter(|unit| !co_units.contains(unit));
        co_units.iter().chain(asked).cloned().collect()
    }

    /// Carries one event of the appeal on.
    pub(crate) fn take(&mut self, event: &Event) {
        if let Event::CoHandlingRequested { task, unit, .. } = event {
            self.tasks.insert(*task, Task::of(unit.clone()));
        } else if let Event::CoHandlingAnswered { task, .. } = event {
            self.tasks.get_mut(task).into_iter().for_each(|task| task.answered = true);
        } else if let Event::DiagnosisConvened { units, .. } = event {
            self.convened.clone_from(units);
        } else if let Event::ConclusionTaken { orders, clocks, .. } = event {
            for (order, clock) in orders.iter().zip(&clocks.set) {
                let unit = owner(clock).unwrap_or(&order.unit).clone();
                self.tasks.insert(clock.id, Task::of(unit));
            }
        } else if let Event::AppealMerged { .. } = event {
            self.before_merge = Some(self.tasks.clone());
        } else if let Event::AppealRepaired { clocks, .. } = event {
            self.repaired(clocks);
        }
        if let Some(ClockChange { stopped, .. }) = event.clocks() {
            // What is asked for no more without an answer.
            self.tasks.retain(|id, task| task.answered || !stopped.contains(id));
        }
    }

    /// Back from a merge that came to nothing, or to the units that stand in for some that are gone.
    fn repaired(&mut self, clocks: &ClockChange) {
        if let Some(before) = self.before_merge.take() {
            self.tasks = before;
            return;
        }
        for clock in &clocks.set {
            if let (Some(task), Some(unit)) = (self.tasks.get_mut(&clock.id), owner(clock)) {
                task.unit = unit.clone();
            }
        }
    }
}

fn owner(clock: &Clock) -> Option<&UnitId> {
    match &clock.owner {
        Owner::Unit(unit) => Some(unit),
        Owner::CityDesk => None,
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::appeal::Command;

    use super::*;
    use crate::{
        fact::{Content, Fact},
        kit::{Life, appeal_id, sealed, submission, unit},
    };

    fn taken(life: &Life) -> Asked {
        let mut asked = Asked::default();
        for Fact { content, .. } in &life.log {
            if let Content::Appeal(_, _, events) = &**content {
                events.iter().for_each(|event| asked.take(event));
            }
        }
        let stored = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<Asked>(&stored).unwrap(), asked);
        asked
    }

    #[test]
    fn a_unit_takes_part_while_it_is_asked_and_for_ever_once_it_answered() {
        let mut life = Life::new(appeal_id(1), submission());
        let ask = |of| Command::RequestCoHandling {
            unit: unit("power"),
            of: unit(of),
            ask: sealed("ask"),
        };
        let commands = [
            Command::Accept,
            Command::Dispatch { to: None },
            Command::SignFor { unit: unit("power") },
            ask("tax"),
            ask("fire"),
        ];
        for command in commands {
            assert!(life.tell(&command), "{command:?}");
        }
        let asked = taken(&life);
        assert_eq!(asked.beside(&[unit("water"), unit("tax")]), ["water", "tax", "fire"].map(unit));
        let (task, _) =
            life.case().tasks.iter().find(|(_, task)| task.unit == unit("tax")).unwrap();
        let answer =
            Command::AnswerCoHandling { unit: unit("tax"), task: *task, answer: sealed("answer") };
        assert!(life.tell(&answer) && life.tell(&Command::Merge { into: appeal_id(9) }));
        assert_eq!(taken(&life).beside(&[]), [unit("tax")]);
        assert!(life.tell(&Command::UndoMerge));
        assert_eq!(taken(&life).beside(&[]), ["fire", "tax"].map(unit));
    }
}
