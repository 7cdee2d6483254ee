//! What a network and a server do to a log: drawn by a simulation, suffered by the log in memory.

use std::{fmt::Debug, time::Duration};

/// What befalls those who ask a log in memory. A simulation draws it from its seed.
pub trait Faults: Debug + Send + Sync {
    /// The fate of the next append.
    fn append(&self) -> Passage;

    /// How long the next load takes, and whether it is answered.
    fn load(&self) -> (Duration, bool);

    /// How long the next forcing to disk takes, and what becomes of it.
    fn sync(&self) -> (Duration, SyncFate);
}

/// What becomes of forcing to disk what the log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncFate {
    /// It is on the disk.
    Succeeds,
    /// The disk did not take it. Whoever was told that trusts it no more until he is started again.
    Fails,
    /// The disk says that it is there, and it is not. No promise of a log survives such a disk: a simulation shows
    /// by it that it would notice.
    Pretends,
}

/// The way of one record to the log and of the answer back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// How long the record is under way; who stops waiting before that has sent nothing.
    pub there: Duration,
    /// What becomes of it.
    pub fate: Fate,
    /// How long the answer is under way.
    pub back: Duration,
}

/// What becomes of a record that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives and is answered.
    Arrives,
    /// It is stored wherever the stream ends, and answered. No promise of a log survives that: a simulation shows by it
    /// that it would notice.
    Forced,
    /// The log turns it away: [`crate::AppendError::Unavailable`].
    Refused,
    /// It never arrives, and nobody says so: [`crate::AppendError::Unknown`].
    Lost,
    /// It arrives and the answer is lost: [`crate::AppendError::Unknown`].
    Unanswered,
    /// It arrives so much later, when nobody waits any more, and twice if so said:
    /// [`crate::AppendError::Unknown`].
    Late {
        /// After the caller was told.
        after: Duration,
        /// Whether the network delivers it again.
        twice: bool,
    },
}
