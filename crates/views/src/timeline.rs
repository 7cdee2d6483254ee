//! The timeline: one row for each event of an enterprise, with who was in charge then.
//!
//! Each stream is folded by itself, so a parked stream can be applied later with the same result.

use std::{fmt, sync::Arc};

use doudi_domain::{AreaCode, EnterpriseId, UnitId, appeal::Confidentiality};
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

mod apply;
mod details;
mod fold;
mod hub;
mod in_memory;
mod list;
mod pending;
mod reached;
mod selection;
mod watch;

pub(crate) use apply::apply;
pub(crate) use hub::Hub;
pub(crate) use in_memory::Tables;
pub(crate) use list::list;
pub use list::{Cursor, Order, Page, Query};
pub use pending::Pending;
pub use reached::Reached;
pub use selection::Selection;
pub use watch::Watch;

use crate::{
    Scope, ViewError,
    db::{self, column},
    predicate::{Own, Scoped},
    scope,
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 8;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The enterprise's profile (企业档案).
    Profile,
    /// An inspection visit (入企检查).
    Visit,
    /// An appeal (诉求), its joint diagnoses included.
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

    /// After everything before this place.
    #[must_use]
    pub fn before(self) -> Self {
        match self.ordinal.checked_sub(1) {
            Some(ordinal) => Self { ordinal, ..self },
            None => Self::end_of(Position(self.position.0.saturating_sub(1))),
        }
    }

    /// The first place after this one.
    #[must_use]
    pub fn after(self) -> Self {
        match self.ordinal.checked_add(1) {
            Some(ordinal) => Self { ordinal, ..self },
            None => Self { position: self.position.next(), ordinal: 0 },
        }
    }

    pub(crate) fn stored_ordinal(self) -> i32 {
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
    /// The visit or appeal, that of a joint diagnosis too; none for the profile.
    pub subject: Option<Uuid>,
    /// The unit in charge then: the inspecting unit of a visit, the lead unit of an appeal once it
    /// is dispatched, the convener of a joint diagnosis, the issuer of a credit grade.
    pub unit: Option<UnitId>,
    /// The area then, where it is known.
    pub area: Option<AreaCode>,
    /// When it happened, in microseconds.
    pub occurred_at: Timestamp,
    /// When it was recorded, in microseconds.
    pub recorded_at: Timestamp,
    /// The event's fields as a JSON object: sealed ones left out, of clocks that were set only what
    /// is owed, by whom and until when, of the terms only which. One of a joint diagnosis names it as
    /// `diagnosis`. What units owe each other is left out for the enterprise itself, which also sees nothing
    /// of a visit from before it was told of it or saw the officers.
    pub details_json: String,
}

/// What a live timeline delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchItem {
    /// New entries in log order, at least one.
    Entries(Vec<Arc<Entry>>),
    /// Older entries of one enterprise in log order, at least one, which were withheld while a stream of it was parked.
    Late(Vec<Arc<Entry>>),
    /// Nothing new for a while; everything up to here has been seen, but what is withheld.
    Heartbeat(Position),
}

/// The columns that [`Entry::read`] and [`Known::read`] need.
const COLUMNS: &str = "position, ordinal, enterprise, kind, event_type, subject, unit, area, \
     occurred_at, recorded_at, details::text AS details, internal, beside, secrecy";

/// The entries with what is known now of their appeals. Until an appeal's own stream is known nobody
/// sees its joint diagnosis.
const ENTRIES: &str = "(SELECT e.*, coalesce(s.beside, '{}') AS beside, \
     coalesce(s.secrecy, CASE e.kind WHEN 'appeal' THEN 3 ELSE 0 END)::smallint AS secrecy \
     FROM entry AS e LEFT JOIN subject AS s \
     ON s.subject = e.subject AND s.enterprise = e.enterprise) AS entry";

/// By which columns an entry is within a scope: those in charge then, and who takes part now.
const SCOPED: Scoped = Scoped {
    leads: &["unit"],
    co_units: Some("beside"),
    secrecy: Some("secrecy"),
    own: Own::Unless("internal"),
    secret: Some("(internal AND kind = 'visit')"),
    past: None,
};

/// An entry with who may see it.
#[derive(Clone, Debug)]
struct Known {
    entry: Arc<Entry>,
    internal: bool,
    beside: Vec<UnitId>,
    level: Confidentiality,
}

impl Known {
    fn read(row: &Row) -> Result<Self, ViewError> {
        Ok(Self {
            entry: Arc::new(Entry::read(row)?),
            internal: column(row, "internal")?,
            beside: db::units(row, "beside")?,
            level: scope::level(column(row, "secrecy")?),
        })
    }

    /// As [`SCOPED`] has it.
    fn is_within(&self, scope: &Scope) -> bool {
        let own = scope.enterprise() == Some(&self.entry.enterprise);
        let secret = own && self.internal && self.entry.kind == Kind::Visit;
        (!secret && self.covered(&scope.without_enterprise()))
            || (!self.internal && self.covered(scope))
    }

    fn covered(&self, scope: &Scope) -> bool {
        let Entry { enterprise, unit, area, .. } = &*self.entry;
        scope.covers_appeal(self.level, enterprise, unit.as_ref(), &self.beside, area.as_ref())
    }

    /// The entry as it is shown to who sees it: to the enterprise itself without what units owe each
    /// other.
    fn shown(&self, scope: &Scope) -> Arc<Entry> {
        let inside = self.entry.kind != Kind::Appeal || self.covered(&scope.without_enterprise());
        let own = || details::for_enterprise(&self.entry.details_json);
        match (!inside).then(own).flatten() {
            Some(details_json) => Arc::new(Entry { details_json, ..Entry::clone(&self.entry) }),
            None => Arc::clone(&self.entry),
        }
    }
}

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
