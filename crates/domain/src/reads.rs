//! Who read a confidential appeal: one stream beside each of them, so that reading moves nothing in
//! the appeal itself.
//!
//! Invariants: every read is a fact of its own, recorded before anything is shown; who read is the
//! actor of the commit, so an event holds nothing personal.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    decider::{Context, Decider},
    ids::{DiagnosisId, NoteId, UnitId},
};

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The case with its texts.
    Case,
    /// The content of an attached file.
    File(NoteId),
    /// A joint diagnosis of it with its texts.
    Diagnosis(DiagnosisId),
}

/// One read (查阅记录).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Names the read, so that the same one is never recorded twice.
    pub id: Uuid,
    /// What was read.
    pub what: What,
    /// The unit of whoever read; none for the enterprise and for who acts for no unit.
    pub unit: Option<UnitId>,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Somebody read something of the appeal.
    ReadRecorded {
        /// What, and for which unit.
        read: Read,
    },
}

/// The reads of one appeal, as far as a decision needs them: the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    last: Option<Uuid>,
}

/// What can be asked of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Record a read.
    Record(Read),
}

impl Decider for Reads {
    const KIND: &'static str = "reads";
    type Command = Command;
    type Event = Event;
    type Rejection = Infallible;

    fn decide(&self, _: &Context<'_>, command: &Command) -> Result<Vec<Event>, Infallible> {
        let Command::Record(read) = command;
        if self.last == Some(read.id) {
            return Ok(vec![]);
        }
        Ok(vec![Event::ReadRecorded { read: read.clone() }])
    }

    fn evolve(self, event: &Event) -> Self {
        let Event::ReadRecorded { read } = event;
        Self { last: Some(read.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::{accepted, at, names, unit, when};

    fn read(id: u128, what: What) -> Command {
        let unit = Some(unit("tax"));
        Command::Record(Read { id: Uuid::from_u128(id), what, unit })
    }

    #[test]
    fn every_read_is_recorded_once() {
        let now = at("2025-04-25T09:00+08:00");
        let case = read(1, What::Case);
        let reads = accepted(Reads::default(), &now, &case);
        assert_eq!(names(&when(&reads, &now, &read(2, What::Case)).unwrap()), "ReadRecorded");
        let file = What::File(NoteId(Uuid::from_u128(7)));
        assert_eq!(names(&when(&reads, &now, &read(3, file)).unwrap()), "ReadRecorded");
    }
}
