//! From facts to appeals as they are now: a pure fold.

use std::collections::{HashMap, HashSet};

use doudi_domain::{
    AppealId, EnterpriseId,
    appeal::{Event, Submission},
};

use super::{Row, State};
use crate::{
    db,
    fact::{Content, Fact},
};

/// An appeal of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (AppealId, EnterpriseId);

/// The appeals concerned, and which of them changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) rows: HashMap<Key, Row>,
    pub(super) changed: HashSet<Key>,
}

/// The appeals that the facts are about.
pub(super) fn appeals_of(facts: &[Fact]) -> HashSet<AppealId> {
    let appeal = |fact: &Fact| match &fact.content {
        Content::Appeal(_, appeal, _) => Some(*appeal),
        Content::Profile(..) | Content::Visits(..) | Content::Policy(_) => None,
    };
    facts.iter().filter_map(appeal).collect()
}

impl Changes {
    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Content::Appeal(enterprise, appeal, events) = &fact.content {
                let key = (*appeal, enterprise.clone());
                events.iter().for_each(|event| self.event(&key, fact, event));
            }
        }
    }

    fn event(&mut self, key: &Key, fact: &Fact, event: &Event) {
        if let Event::AppealSubmitted { submission, .. } = event {
            self.rows.insert(key.clone(), submitted(key, fact, submission));
        }
        // An event of an appeal that was never submitted says nothing that a list could show.
        let Some(row) = self.rows.get_mut(key) else {
            return;
        };
        row.take(event);
        row.updated = db::position(fact.position);
        self.changed.insert(key.clone());
    }
}

fn submitted(key: &Key, fact: &Fact, submission: &Submission) -> Row {
    Row {
        enterprise: key.1.clone(),
        appeal: key.0,
        state: State::Submitted,
        channel: submission.channel,
        topic: submission.topic.clone(),
        area: submission.area.clone(),
        unit: None,
        co_units: vec![],
        rule: None,
        due: None,
        objections: 0,
        about_visit: submission.about_visit,
        submitted_at: fact.recorded_at,
        submitted: db::position(fact.position),
        updated: db::position(fact.position),
    }
}

impl Row {
    fn take(&mut self, event: &Event) {
        match event {
            Event::AppealSubmitted { due, .. } => self.due = due.clone(),
            Event::AppealAccepted { due } => {
                self.state = State::Accepted;
                self.due = due.clone();
            }
            Event::AppealDispatched { route, due, .. } => {
                self.state = State::Dispatched;
                self.unit = Some(route.unit.clone());
                self.co_units = route.co_units.clone();
                self.rule = Some(route.rule.clone());
                self.due = Some(due.clone());
            }
            Event::AppealSignedFor { .. } => self.state = State::InHandling,
            Event::AppealResolved { .. } => {
                self.state = State::Resolved;
                self.due = None;
            }
            Event::ResolutionConfirmed {} => self.state = State::Confirmed,
            Event::ResolutionObjected { due, .. } => {
                self.state = State::InHandling;
                self.due = Some(due.clone());
                self.objections += 1;
            }
            Event::AppealClosed {} => self.state = State::Closed,
            Event::PersonalDataErased { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
