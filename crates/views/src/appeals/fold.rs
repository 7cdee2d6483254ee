//! From facts to appeals and clocks as they are now: a pure fold.
//!
//! What a row says of its own appeal depends on that appeal's stream alone, and what a clock's row
//! says of its appeal is what that appeal's row says; so a parked stream can be applied later with
//! the same result.

use std::collections::{BTreeMap, HashMap, HashSet};

use doudi_domain::{
    AppealId, DiagnosisId, EnterpriseId, TopicId,
    appeal::{Closing, Event},
    calendar::civil_date,
    clock::{Clock, ClockId},
    diagnosis,
};
use jiff::{ToSpan, civil::Date};

use crate::fact::{Content, Fact};

mod case;

pub(super) use case::{Before, Known, Stay, is_open};

/// An appeal of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (AppealId, EnterpriseId);

/// A joint diagnosis of an enterprise's appeal.
pub(super) type PanelKey = (DiagnosisId, EnterpriseId);

/// A clock of an appeal, or of its joint diagnosis.
pub(super) type ClockKey = (Key, Option<DiagnosisId>, ClockId);

/// A joint diagnosis that has clocks.
#[derive(Debug)]
pub(super) struct Panel {
    /// The appeal.
    pub(super) appeal: AppealId,
    /// The clocks that run.
    pub(super) clocks: BTreeMap<ClockId, Clock>,
}

/// That an appeal was closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closure {
    pub(super) key: Key,
    pub(super) topic: TopicId,
    pub(super) position: i64,
    /// The last day on which the same topic again is suspicious.
    pub(super) until: Date,
}

/// What is known of the appeals and diagnoses concerned, and what the facts changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) appeals: HashMap<Key, Known>,
    pub(super) panels: HashMap<PanelKey, Panel>,
    pub(super) changed: HashSet<Key>,
    /// The clocks to be written, or to be removed where they are no longer known.
    pub(super) touched: HashSet<ClockKey>,
    pub(super) submitted: HashSet<Key>,
    pub(super) closures: Vec<Closure>,
    pub(super) stays: Vec<Stay>,
}

/// Which appeals and diagnoses some facts name.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    pub(super) appeals: HashSet<AppealId>,
    pub(super) panels: HashSet<DiagnosisId>,
}

impl Concerned {
    pub(super) fn by(facts: &[Fact]) -> Self {
        let mut concerned = Self::default();
        for fact in facts {
            match &*fact.content {
                Content::Appeal(_, appeal, _) => {
                    concerned.appeals.insert(*appeal);
                }
                Content::Diagnosis(_, id, events) => {
                    concerned.panels.insert(*id);
                    concerned.appeals.extend(events.iter().filter_map(convened));
                }
                Content::Profile(..)
                | Content::Visits(..)
                | Content::Ratings(..)
                | Content::Device(..)
                | Content::Policy(..)
                | Content::Webhook(..) => {}
            }
        }
        concerned
    }
}

fn convened(event: &diagnosis::Event) -> Option<AppealId> {
    if let diagnosis::Event::DiagnosisConvened { convening, .. } = event {
        Some(convening.appeal)
    } else {
        None
    }
}

impl Changes {
    /// Adds a clock of an appeal, or of its joint diagnosis, to what is known.
    pub(super) fn remember(&mut self, owner: Key, panel: Option<DiagnosisId>, clock: Clock) {
        match panel {
            None => {
                if let Some(known) = self.appeals.get_mut(&owner) {
                    known.clocks.insert(clock.id, clock);
                }
            }
            Some(id) => {
                let (appeal, enterprise) = owner;
                let none = || Panel { appeal, clocks: BTreeMap::new() };
                let panel = self.panels.entry((id, enterprise)).or_insert_with(none);
                panel.clocks.insert(clock.id, clock);
            }
        }
    }

    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            match &*fact.content {
                Content::Appeal(enterprise, appeal, events) => {
                    let key = (*appeal, enterprise.clone());
                    for (ordinal, event) in (0..).zip(events) {
                        self.of_appeal(&key, fact, ordinal, event);
                    }
                }
                Content::Diagnosis(enterprise, id, events) => {
                    let key = (*id, enterprise.clone());
                    events.iter().for_each(|event| self.of_diagnosis(&key, event));
                }
                Content::Profile(..)
                | Content::Visits(..)
                | Content::Ratings(..)
                | Content::Device(..)
                | Content::Policy(..)
                | Content::Webhook(..) => {}
            }
        }
    }

    fn of_appeal(&mut self, key: &Key, fact: &Fact, ordinal: i32, event: &Event) {
        if let Event::AppealSubmitted { .. } = event {
            self.touch_all(key);
            if let Some(known) = Known::submitted(key, fact, event) {
                self.appeals.insert(key.clone(), known);
            }
            self.submitted.insert(key.clone());
        }
        // An event of an appeal that was never submitted says nothing that a list could show.
        let Some(known) = self.appeals.get_mut(key) else {
            return;
        };
        let unit = known.row.unit.clone();
        self.stays.extend(known.take(event, fact, ordinal));
        self.changed.insert(key.clone());
        if let Some(change) = event.clocks() {
            let set = change.set.iter().map(|clock| clock.id);
            let ids = set.chain(change.stopped.iter().copied());
            self.touched.extend(ids.map(|id| (key.clone(), None, id)));
        }
        if let Event::AppealClosed { how, clocks } = event
            // Nobody said of an erased appeal that it was resolved.
            && *how != Closing::Erased
        {
            let days = i32::try_from(known.false_closure_days).unwrap_or(i32::MAX);
            self.closures.push(Closure {
                key: key.clone(),
                topic: known.row.topic.clone(),
                position: fact.position,
                until: civil_date(clocks.at).saturating_add(days.days()),
            });
        }
        if known.row.unit != unit || self.submitted.contains(key) {
            self.touch_all(key);
        }
    }

    /// Every clock of the appeal is to be written: its row says what their rows repeat.
    fn touch_all(&mut self, key: &Key) {
        let own = self.appeals.get(key).into_iter().flat_map(|known| known.clocks.keys());
        self.touched.extend(own.map(|id| (key.clone(), None, *id)));
        for ((diagnosis, enterprise), panel) in &self.panels {
            if panel.appeal == key.0 && *enterprise == key.1 {
                let ids = panel.clocks.keys();
                self.touched.extend(ids.map(|id| (key.clone(), Some(*diagnosis), *id)));
            }
        }
    }

    fn of_diagnosis(&mut self, key: &PanelKey, event: &diagnosis::Event) {
        if let diagnosis::Event::DiagnosisConvened { convening, clocks, .. } = event {
            let clocks: BTreeMap<_, _> =
                clocks.iter().map(|clock| (clock.id, clock.clone())).collect();
            self.panels
                .entry(key.clone())
                .or_insert_with(|| Panel { appeal: convening.appeal, clocks });
        }
        // One that was never convened, or is concluded, has no clocks.
        let Some(panel) = self.panels.get_mut(key) else {
            return;
        };
        let before: Vec<ClockId> = panel.clocks.keys().copied().collect();
        panel.take(event);
        let owner = (panel.appeal, key.1.clone());
        self.touched.extend(before.into_iter().map(|id| (owner.clone(), Some(key.0), id)));
    }
}

impl Panel {
    fn take(&mut self, event: &diagnosis::Event) {
        match event {
            diagnosis::Event::OpinionGiven { stopped, .. } => {
                self.clocks.retain(|id, _| !stopped.contains(id));
            }
            diagnosis::Event::DiagnosisConcluded { .. }
            | diagnosis::Event::DiagnosisDiscontinued { .. } => self.clocks.clear(),
            diagnosis::Event::ClockStepsTaken { clock, steps, next } => {
                if let Some(known) = self.clocks.get_mut(clock) {
                    *known = known.taken_until(steps.len(), *next);
                }
            }
            diagnosis::Event::DiagnosisConvened { .. }
            | diagnosis::Event::OpinionRevised { .. }
            | diagnosis::Event::ConclusionDelivered {}
            | diagnosis::Event::StandingRulePublished { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
