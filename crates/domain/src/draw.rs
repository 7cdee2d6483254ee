//! A random draw (双随机抽查): enterprises by a ratio for each credit grade, and officers for each of them,
//! from a seed that is recorded, so that anyone can redo it.
//!
//! Invariants: nobody chooses the seed, and the pool that it falls on is complete before there is one;
//! one draw is made once; who is drawn follows from pool and seed alone, never from the order in which
//! the pool came together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    FewSet,
    decider::{Context, Decider, Need},
    enterprise::CreditGrade,
    ids::{CampaignId, CertificateNumber, EnterpriseId, Name, UnitId},
};

mod decide;
mod grades;
mod hash;
mod rank;
mod rejection;

pub use grades::{Bounds, Counts, RatioTable, Ratios, Share};
pub use hash::{Digest, Seed, SeedError};
pub use rank::{Drawn, Outcome, officers_for, outcome};
pub use rejection::Rejection;

/// Officers in the pool at most.
pub const OFFICERS_MAX: usize = 500;
/// Officers for one visit: at least two, as for any inspection (行政处罚法 42 by analogy).
pub const PER_VISIT_MIN: u8 = 2;
/// Officers for one visit at most.
pub const PER_VISIT_MAX: u8 = 10;
/// Candidates that one command adds at most, and officers that they must avoid together.
pub const ADDED_MAX: usize = 2_000;
/// Candidates of one draw at most.
pub const CANDIDATES_MAX: usize = 200_000;
/// The most that the number of enterprises to be drawn and of officers may come to, multiplied: so many
/// ranks are counted when the draw is made.
pub const PAIRS_MAX: usize = 2_000_000;

/// What is drawn, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its title.
    pub title: Name,
    /// The unit that draws and then inspects.
    pub unit: UnitId,
    /// The special campaign that it is for, if it is for one.
    pub campaign: Option<CampaignId>,
    /// How much of each grade is drawn.
    pub ratios: Ratios,
    /// The officers to draw from, at least as many as one visit needs, at most [`OFFICERS_MAX`].
    pub officers: BTreeSet<CertificateNumber>,
    /// How many officers each drawn enterprise is given, [`PER_VISIT_MIN`] to [`PER_VISIT_MAX`].
    pub per_visit: u8,
}

impl Opening {
    /// The officers that need not keep away from it.
    fn free_for<'a>(
        &'a self,
        candidate: &'a Candidate,
    ) -> impl Iterator<Item = &'a CertificateNumber> {
        self.officers.iter().filter(|officer| !candidate.avoid.contains(*officer))
    }
}

/// An enterprise that may be drawn (检查对象).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Its credit grade as it was when the pool came together; none is drawn as B is.
    pub grade: Option<CreditGrade>,
    /// The officers that must keep away from it (回避).
    #[serde(default, skip_serializing_if = "FewSet::is_empty")]
    pub avoid: FewSet<CertificateNumber>,
}

/// What came of it: enough to redo it and to see that nothing else comes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The digest of the pool, which was complete before there was a seed.
    pub pool: Digest,
    /// The seed.
    pub seed: Seed,
    /// The digest of what was drawn.
    pub result: Digest,
    /// How many of each grade there were and were drawn.
    pub counts: Counts,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A unit opened it.
    DrawOpened {
        /// What is drawn.
        opening: Opening,
        /// Within which bounds the ratios had to lie.
        table: RatioTable,
        /// The version of the unit's catalogue, which names its officers.
        catalogue_version: u32,
    },
    /// Enterprises joined the pool.
    CandidatesAdded {
        /// The enterprises, 1 to [`ADDED_MAX`], none of them there before.
        candidates: Vec<Candidate>,
    },
    /// It was made. Who was drawn follows from the pool and the seed.
    DrawMade {
        /// What came of it.
        made: Made,
    },
}

/// One random draw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Draw {
    /// Never opened.
    #[default]
    Absent,
    /// Its pool comes together.
    Open(Box<Open>),
    /// Made.
    Made(Box<Done>),
}

/// A draw whose pool comes together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// What is drawn.
    pub opening: Opening,
    /// The candidates so far.
    pub candidates: BTreeMap<EnterpriseId, Candidate>,
    /// How many of each grade, and how many of them will be drawn.
    pub counts: Counts,
}

/// A draw that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What was drawn.
    pub opening: Opening,
    /// What came of it, as recorded.
    pub made: Made,
    /// The enterprises that were drawn, as pool and seed tell.
    pub drawn: BTreeMap<EnterpriseId, Candidate>,
}

/// What can be asked of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Open it.
    Open {
        /// What is drawn.
        opening: Opening,
        /// Within which bounds the ratios must lie: the operator's word, so not part of what was asked.
        #[serde(skip)]
        table: RatioTable,
    },
    /// Add enterprises to its pool as `unit`. Those that are there already are passed over.
    AddCandidates {
        /// The caller's unit.
        unit: UnitId,
        /// The enterprises, 1 to [`ADDED_MAX`].
        candidates: Vec<Candidate>,
    },
    /// Make it as `unit`.
    Make {
        /// The caller's unit.
        unit: UnitId,
        /// Fresh from the server's source of randomness, so not part of what was asked: a retry comes
        /// with another one and is the same command.
        #[serde(skip)]
        seed: Seed,
    },
}

impl Draw {
    /// What is drawn, once it is open.
    #[must_use]
    pub fn opening(&self) -> Option<&Opening> {
        match self {
            Self::Absent => None,
            Self::Open(open) => Some(&open.opening),
            Self::Made(done) => Some(&done.opening),
        }
    }
}

impl Decider for Draw {
    const KIND: &'static str = "draw";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::Open { opening, .. } => vec![Need::Catalogue(opening.unit.clone())],
            Command::AddCandidates { .. } | Command::Make { .. } => vec![],
        }
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Open { opening, table } => self.open(context, opening, *table),
            Command::AddCandidates { unit, candidates } => self.add(unit, candidates),
            Command::Make { unit, seed } => self.make(unit, *seed),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::DrawOpened { opening, .. }) => Self::Open(Box::new(Open {
                opening: opening.clone(),
                candidates: BTreeMap::new(),
                counts: Counts::default(),
            })),
            (Self::Open(mut open), Event::CandidatesAdded { candidates }) => {
                for candidate in candidates {
                    open.add(candidate.clone());
                }
                Self::Open(open)
            }
            (Self::Open(open), Event::DrawMade { made }) => {
                let Open { opening, candidates, .. } = *open;
                let drawn = rank::drawn(&opening.ratios, candidates, made.seed);
                Self::Made(Box::new(Done { opening, made: made.clone(), drawn }))
            }
            (state, _) => state,
        }
    }
}

impl Open {
    fn add(&mut self, candidate: Candidate) {
        let grade = candidate.grade;
        if self.candidates.insert(candidate.enterprise.clone(), candidate).is_none() {
            self.counts.add(grade, &self.opening.ratios);
        }
    }
}

#[cfg(test)]
mod tests;
