//! The tables of the view kept in memory: what a batch reads of them, and what it adds to them.

use std::collections::HashMap;

use doudi_domain::{AreaCode, EnterpriseId};

use super::{
    Entry,
    fold::{Concerned, Known, NewEntry, Subject, SubjectKey},
};
use crate::{db, fact::Fact};

/// The rows as they are now.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tables {
    /// In the order in which they were added, with whether they are not for the enterprise.
    entries: Vec<(Entry, bool)>,
    subjects: HashMap<SubjectKey, Subject>,
    enterprises: HashMap<EnterpriseId, AreaCode>,
}

impl Tables {
    /// Takes facts in.
    pub(crate) fn apply(&mut self, facts: &[Fact]) {
        let mut known = self.known(&Concerned::by(facts));
        self.entries.extend(known.fold(facts).into_iter().map(written));
        let Known { subjects, enterprises, subjects_changed, enterprises_changed } = known;
        let subjects = subjects.into_iter().filter(|(key, _)| subjects_changed.contains(key));
        self.subjects.extend(subjects);
        let areas = enterprises.into_iter().filter(|(id, _)| enterprises_changed.contains(id));
        self.enterprises.extend(areas);
    }

    /// The entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// What the statements would read.
    fn known(&self, concerned: &Concerned) -> Known {
        let subjects = self.subjects.iter().filter(|((id, _), _)| concerned.subjects.contains(id));
        let areas = self.enterprises.iter().filter(|(id, _)| concerned.enterprises.contains(*id));
        Known {
            subjects: subjects.map(|(key, subject)| (key.clone(), subject.clone())).collect(),
            enterprises: areas.map(|(id, area)| (id.clone(), area.clone())).collect(),
            ..Known::default()
        }
    }
}

fn written(entry: NewEntry<'_>) -> (Entry, bool) {
    let row = Entry {
        position: db::position(entry.position),
        ordinal: db::count(entry.ordinal),
        enterprise: entry.enterprise.clone(),
        kind: entry.kind,
        event_type: entry.event_type.to_owned(),
        subject: entry.subject,
        unit: entry.charge.unit,
        area: entry.charge.area,
        occurred_at: entry.occurred_at,
        recorded_at: entry.recorded_at,
        details_json: entry.details.get().to_owned(),
    };
    (row, entry.internal)
}
