//! The timeline: one row for each event of an enterprise, with who was in charge then.
//!
//! Each stream is folded by itself, so a parked stream can be applied later with the same result.

use std::{fmt, sync::Arc};

use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

mod apply;
mod details;
mod fold;
mod hub;
mod list;
mod watch;

pub(crate) use apply::apply;
pub(crate) use hub::Hub;
pub(crate) use list::list;
pub use list::{Cursor, Order, Page, Query};
pub use watch::Watch;

use crate::{
    ViewError,
    db::{self, column},
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 1;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The enterprise's profile (企业档案).
    Profile,
    /// An inspection visit (入企检查).
    Visit,
    /// An appeal (诉求).
    Appeal,
}

impl Kind {
    /// The kind's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Visit => "visit",
            Self::Appeal => "appeal",
        }
    }

    fn parse(name: &str) -> Result<Self, &'static str> {
        let known = [Self::Profile, Self::Visit, Self::Appeal];
        known.into_iter().find(|kind| kind.as_str() == name).ok_or("is no kind of entry")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in a timeline in log order: everything up to and including it has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The log position of a commit.
    pub position: Position,
    /// The place of an event inside the commit, from 0.
    pub ordinal: u32,
}

impl Point {
    /// Before the first entry.
    pub const START: Self = Self::end_of(Position::START);

    /// After everything at `position`.
    #[must_use]
    pub const fn end_of(position: Position) -> Self {
        Self { position, ordinal: u32::MAX }
    }

    fn stored_ordinal(self) -> i32 {
        i32::try_from(self.ordinal).unwrap_or(i32::MAX)
    }
}

/// One thing that happened to an enterprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The log position of its commit.
    pub position: Position,
    /// Its place inside the commit, from 0.
    pub ordinal: u32,
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// What it is about.
    pub kind: Kind,
    /// The event's type name, such as `VisitPlanned`.
    pub event_type: String,
    /// The visit or appeal; none for the profile.
    pub subject: Option<Uuid>,
    /// The unit in charge then: the inspecting unit of a visit, the lead unit of an appeal once it
    /// is dispatched, the issuer of a credit grade.
    pub unit: Option<UnitId>,
    /// The area then, where it is known.
    pub area: Option<AreaCode>,
    /// When it happened, in microseconds.
    pub occurred_at: Timestamp,
    /// When it was recorded, in microseconds.
    pub recorded_at: Timestamp,
    /// The event's fields as a JSON object, sealed ones left out.
    pub details_json: String,
}

/// What a live timeline delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchItem {
    /// New entries in log order, at least one.
    Entries(Vec<Arc<Entry>>),
    /// Nothing new for a while; everything up to here has been seen.
    Heartbeat(Position),
}

/// The columns that [`Entry::read`] needs.
const COLUMNS: &str = "position, ordinal, enterprise, kind, event_type, subject, unit, area, \
     occurred_at, recorded_at, details::text AS details";

impl Entry {
    /// The place of this entry.
    #[must_use]
    pub fn point(&self) -> Point {
        Point { position: self.position, ordinal: self.ordinal }
    }

    fn read(row: &Row) -> Result<Self, ViewError> {
        Ok(Self {
            position: db::position(column(row, "position")?),
            ordinal: db::count(column(row, "ordinal")?),
            enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
            kind: db::parsed(row, "kind", Kind::parse)?,
            event_type: column(row, "event_type")?,
            subject: column(row, "subject")?,
            unit: db::parsed_opt(row, "unit", UnitId::parse)?,
            area: db::parsed_opt(row, "area", AreaCode::parse)?,
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
            details_json: column(row, "details")?,
        })
    }
}
