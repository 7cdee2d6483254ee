//! From facts to returns and handlings: a pure fold, one stream by itself.

use std::collections::{HashMap, HashSet};

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId, UnitId,
    appeal::{Callback, ClockChange, Confidentiality, Event},
    clock::{Clock, ClockKind, Step},
    routing::Route,
};
use jiff::Timestamp;

use crate::fact::{Content, Fact};

/// An appeal of an enterprise. Only both together are unique.
pub(super) type Key = (AppealId, EnterpriseId);

/// What the next event of an appeal is measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) area: AreaCode,
    pub(super) topic: TopicId,
    pub(super) level: Confidentiality,
    pub(super) unit: Option<UnitId>,
    /// When first contact is overdue; none where nothing says.
    pub(super) contact_red: Option<Timestamp>,
    /// Whether the unit spoke with the enterprise in time in the present handling.
    pub(super) responded: bool,
    /// Whether the last return is still open.
    pub(super) contested: bool,
    /// How many returns there were.
    pub(super) returns: u32,
    /// How many handlings there were.
    pub(super) handlings: u32,
}

/// A unit said that it is not competent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) at: Timestamp,
    pub(super) from: UnitId,
    pub(super) to: Option<UnitId>,
    pub(super) upheld: Option<bool>,
    pub(super) area: AreaCode,
    pub(super) level: Confidentiality,
}

/// A unit said that it resolved an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handling {
    pub(super) resolved_at: Timestamp,
    pub(super) unit: UnitId,
    pub(super) area: AreaCode,
    pub(super) topic: TopicId,
    pub(super) level: Confidentiality,
    pub(super) responded: bool,
    /// What the enterprise said itself; since the close also what it had said on the phone.
    pub(super) own: Word,
    /// What a desk recorded that it said on the phone.
    pub(super) phone: Word,
    /// Whether the appeal went back to be handled again.
    pub(super) reopened: bool,
}

/// What the enterprise said of a handling: the first time that it said whether the matter is resolved,
/// and the first time that it said whether it is satisfied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) resolved: Option<bool>,
    pub(super) satisfied: Option<bool>,
}

/// What is known, and what the facts changed. Returns and handlings are named by their appeal and
/// the how-manieth they are; of those that were there before only the last of an appeal is known.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) subjects: HashMap<Key, Subject>,
    pub(super) returns: HashMap<(Key, u32), Return>,
    pub(super) handlings: HashMap<(Key, u32), Handling>,
    pub(super) changed: HashSet<Key>,
    pub(super) returns_changed: HashSet<(Key, u32)>,
    pub(super) handlings_changed: HashSet<(Key, u32)>,
}

/// The appeals that the facts are about.
pub(super) fn appeals_of(facts: &[Fact]) -> HashSet<AppealId> {
    let appeal = |fact: &Fact| match &*fact.content {
        Content::Appeal(_, appeal, _) => Some(*appeal),
        Content::Profile(..)
        | Content::Visits(..)
        | Content::Diagnosis(..)
        | Content::Ratings(..)
        | Content::Device(..)
        | Content::Policy(..)
        | Content::Webhook(..) => None,
    };
    facts.iter().filter_map(appeal).collect()
}

impl Changes {
    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Content::Appeal(enterprise, appeal, events) = &*fact.content {
                let key = (*appeal, enterprise.clone());
                events.iter().for_each(|event| self.event(&key, fact, event));
            }
        }
    }

    fn event(&mut self, key: &Key, fact: &Fact, event: &Event) {
        if let Event::AppealSubmitted { submission, .. } = event {
            let subject = Subject {
                area: submission.area.clone(),
                topic: submission.topic.clone(),
                level: submission.confidentiality,
                unit: None,
                contact_red: None,
                responded: false,
                contested: false,
                returns: 0,
                handlings: 0,
            };
            self.subjects.insert(key.clone(), subject);
            self.changed.insert(key.clone());
        }
        let Some(subject) = self.subjects.get(key) else {
            return;
        };
        let mut after = subject.clone();
        let at = event.clocks().map_or(fact.recorded_at, |change| instant(change, fact));
        if let Some(change) = event.clocks() {
            let contact = change.set.iter().rfind(|clock| clock.kind == ClockKind::Contact);
            after.contact_red = contact.map_or(after.contact_red, red);
        }
        self.turn(key, &mut after, event, at);
        if self.subjects.get(key) != Some(&after) {
            self.subjects.insert(key.clone(), after);
            self.changed.insert(key.clone());
        }
    }

    fn turn(&mut self, key: &Key, subject: &mut Subject, event: &Event, at: Timestamp) {
        match event {
            Event::AppealDispatched { route, .. } => {
                self.sent_on(key, subject, Some(route), Some(true));
                subject.assign(route);
            }
            Event::DispatchContested { unit, .. } => self.returned(key, subject, unit, at),
            Event::DispatchRuled { route, upheld: true, .. } => {
                self.sent_on(key, subject, Some(route), Some(true));
                subject.assign(route);
            }
            Event::DispatchRuled { upheld: false, .. } => {
                self.sent_on(key, subject, None, Some(false));
            }
            Event::GuaranteeTaken { route, .. }
            | Event::AppealRepaired { route: Some(route), .. } => {
                self.sent_on(key, subject, Some(route), None);
                subject.assign(route);
            }
            Event::EnterpriseContacted { .. } => {
                subject.responded |= subject.contact_red.is_none_or(|red| at < red);
            }
            Event::AppealResolved { .. } => self.resolved(key, subject, at),
            // To agree that a matter is resolved is not to be satisfied.
            Event::ResolutionConfirmed { .. } => self.own_word(key, subject, Some(true), None),
            Event::ResolutionObjected { clocks, .. } | Event::AppealReopened { clocks, .. } => {
                self.dissatisfied(key, subject, clocks);
            }
            Event::AppealClosed { .. } => self.said(key, subject, Handling::finish),
            Event::AppealRated { rating } => {
                self.own_word(key, subject, Some(rating.resolved), Some(rating.satisfied));
            }
            Event::CallbackRecorded { callback, .. } => {
                self.said(key, subject, |handling| handling.called_back(callback));
            }
            Event::AppealSubmitted { .. }
            | Event::AppealAccepted { .. }
            | Event::AppealRedirected { .. }
            | Event::AppealSignedFor { .. }
            | Event::AppealReclassified { .. }
            | Event::ExtensionAsked { .. }
            | Event::ExtensionGranted { .. }
            | Event::ExtensionRefused { .. }
            | Event::HandlingPaused { .. }
            | Event::HandlingResumed { .. }
            | Event::CoHandlingRequested { .. }
            | Event::CoHandlingAnswered { .. }
            | Event::EnterpriseSilent { .. }
            | Event::NoteAdded { .. }
            | Event::FileAttached { .. }
            | Event::AppealMerged { .. }
            | Event::MergeDelivered {}
            | Event::AppealAbsorbed { .. }
            | Event::MergeDeclined { .. }
            | Event::AppealSplit { .. }
            | Event::PartSubmitted { .. }
            | Event::DiagnosisConvened { .. }
            | Event::DiagnosisOpened { .. }
            | Event::DiagnosisAbandoned { .. }
            | Event::DiagnosisDiscontinued { .. }
            | Event::ConclusionTaken { .. }
            | Event::MediationOpened { .. }
            | Event::MediationEnded { .. }
            | Event::ClockStepsTaken { .. }
            | Event::DeadlinesRecomputed { .. }
            | Event::AppealRepaired { route: None, .. }
            | Event::PersonalDataErased { .. }
            | Event::KeyDestroyed {}
            | Event::VisitsHeld {}
            | Event::HoldEnded {}
            | Event::HoldLifted {} => {}
        }
    }

    fn returned(&mut self, key: &Key, subject: &mut Subject, unit: &UnitId, at: Timestamp) {
        if subject.unit.is_none() {
            return;
        }
        subject.returns += 1;
        subject.contested = true;
        let returned = Return {
            at,
            from: unit.clone(),
            to: None,
            upheld: None,
            area: subject.area.clone(),
            level: subject.level,
        };
        let name = (key.clone(), subject.returns);
        self.returns_changed.insert(name.clone());
        self.returns.insert(name, returned);
    }

    /// An open return comes to its end: the appeal goes on to another unit, or stays.
    fn sent_on(
        &mut self,
        key: &Key,
        subject: &mut Subject,
        route: Option<&Route>,
        upheld: Option<bool>,
    ) {
        if !std::mem::take(&mut subject.contested) {
            return;
        }
        let name = (key.clone(), subject.returns);
        if let Some(returned) = self.returns.get_mut(&name) {
            returned.to = route.map(|route| route.unit.clone());
            returned.upheld = upheld;
            self.returns_changed.insert(name);
        }
    }

    fn resolved(&mut self, key: &Key, subject: &mut Subject, at: Timestamp) {
        let Some(unit) = subject.unit.clone() else {
            return;
        };
        subject.handlings += 1;
        let handling = Handling {
            resolved_at: at,
            unit,
            area: subject.area.clone(),
            topic: subject.topic.clone(),
            level: subject.level,
            responded: subject.responded,
            own: Word::default(),
            phone: Word::default(),
            reopened: false,
        };
        let name = (key.clone(), subject.handlings);
        self.handlings_changed.insert(name.clone());
        self.handlings.insert(name, handling);
    }

    /// It is handled again, and the unit owes another contact. Older records owe none.
    fn dissatisfied(&mut self, key: &Key, subject: &mut Subject, clocks: &ClockChange) {
        self.own_word(key, subject, Some(false), Some(false));
        self.said(key, subject, |handling| handling.reopened = true);
        subject.responded &= !clocks.starts(ClockKind::Contact);
    }

    fn own_word(
        &mut self,
        key: &Key,
        subject: &Subject,
        resolved: Option<bool>,
        satisfied: Option<bool>,
    ) {
        self.said(key, subject, |handling| handling.own.add(resolved, satisfied));
    }

    /// Something was said of the last handling.
    fn said(&mut self, key: &Key, subject: &Subject, add: impl FnOnce(&mut Handling)) {
        let name = (key.clone(), subject.handlings);
        if let Some(handling) = self.handlings.get_mut(&name) {
            add(handling);
            self.handlings_changed.insert(name);
        }
    }
}

impl Handling {
    /// It is closed: what was said on the phone counts for good where the enterprise said nothing.
    fn finish(&mut self) {
        self.own.add(self.phone.resolved, self.phone.satisfied);
    }

    fn called_back(&mut self, callback: &Callback) {
        self.phone.add(callback.resolved, callback.satisfied);
    }
}

impl Word {
    /// What was said before stands.
    fn add(&mut self, resolved: Option<bool>, satisfied: Option<bool>) {
        self.resolved = self.resolved.or(resolved);
        self.satisfied = self.satisfied.or(satisfied);
    }
}

impl Subject {
    /// Another unit has it, which has not yet spoken with the enterprise.
    fn assign(&mut self, route: &Route) {
        self.unit = Some(route.unit.clone());
        self.responded = false;
    }
}

/// When an event happened. Events of the first version did not say.
fn instant(change: &ClockChange, fact: &Fact) -> Timestamp {
    if change.at == Timestamp::UNIX_EPOCH { fact.recorded_at } else { change.at }
}

/// When a clock is overdue; none while it stands still.
fn red(clock: &Clock) -> Option<Timestamp> {
    clock.steps.iter().find(|planned| planned.step == Step::Red).map(|planned| planned.at)
}

#[cfg(test)]
mod tests;
