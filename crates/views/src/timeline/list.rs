//! Pages of a timeline by the time at which things occurred, by keyset: complete and without repeats
//! however many entries are added meanwhile.

use std::sync::Arc;

use doudi_domain::EnterpriseId;
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::{COLUMNS, ENTRIES, Entry, Kind, Known, SCOPED};
use crate::{
    PAGE_MAX, Scope, ViewError, db,
    predicate::{Predicate, Tense},
    read::Snapshot,
};

/// In which order entries are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    NewestFirst,
    /// Oldest first.
    OldestFirst,
}

/// Which page of which timeline. All conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// In which order.
    pub order: Order,
    /// Only these kinds; none for all.
    pub kinds: Vec<Kind>,
    /// Only what occurred at or after this.
    pub from: Option<Timestamp>,
    /// Only what occurred before this.
    pub until: Option<Timestamp>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only what comes after this in the order: `next` of the page before.
    pub after: Option<Cursor>,
    /// The most entries to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When its last entry occurred, in microseconds.
    pub occurred_at: Timestamp,
    /// The log position of its last entry.
    pub position: Position,
    /// The place of its last entry inside the commit.
    pub ordinal: u32,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries in the order asked for.
    pub entries: Vec<Entry>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Cursor>,
    /// The log position that the page reflects.
    pub position: Position,
}

impl Query {
    /// The newest entries of an enterprise within `scope`.
    pub(crate) fn newest(enterprise: EnterpriseId, scope: Scope, limit: usize) -> Self {
        Self {
            enterprise,
            order: Order::NewestFirst,
            kinds: vec![],
            from: None,
            until: None,
            scope,
            after: None,
            limit,
        }
    }

    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        predicate.is("enterprise", self.enterprise.as_str());
        if !self.kinds.is_empty() {
            let kinds = self.kinds.iter().map(ToString::to_string).collect();
            predicate.is_any("kind", kinds);
        }
        if let Some(from) = self.from {
            predicate.compare("occurred_at", ">=", from, Type::TIMESTAMPTZ);
        }
        if let Some(until) = self.until {
            predicate.compare("occurred_at", "<", until, Type::TIMESTAMPTZ);
        }
        predicate.within(&self.scope, &SCOPED, Tense::Present);
        predicate
    }

    fn page_predicate(&self) -> Predicate {
        let mut predicate = self.predicate();
        if let Some(after) = &self.after {
            let comparison = match self.order {
                Order::NewestFirst => "<",
                Order::OldestFirst => ">",
            };
            let ordinal = i32::try_from(after.ordinal).unwrap_or(i32::MAX);
            let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
                (Box::new(after.occurred_at), Type::TIMESTAMPTZ),
                (Box::new(db::stored(after.position)), Type::INT8),
                (Box::new(ordinal), Type::INT4),
            ];
            predicate.compare_row("occurred_at, position, ordinal", comparison, key);
        }
        predicate
    }
}

/// Loads one page.
pub(crate) async fn list(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let predicate = query.page_predicate();
    let direction = match query.order {
        Order::NewestFirst => "DESC",
        Order::OldestFirst => "ASC",
    };
    // One row more tells whether there is another page.
    let statement = format!(
        "SELECT {COLUMNS} FROM {ENTRIES} WHERE {} ORDER BY occurred_at {direction}, \
         position {direction}, ordinal {direction} LIMIT {}",
        predicate.sql(),
        limit + 1
    );
    let rows = snapshot.meant("listing a timeline", &statement, &predicate).await?;
    let shown = |known: Known| Arc::unwrap_or_clone(known.shown(&query.scope));
    let read = |row| Known::read(row).map(shown);
    let mut entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let cursor = |last: &Entry| Cursor {
        occurred_at: last.occurred_at,
        position: last.position,
        ordinal: last.ordinal,
    };
    let next = entries.last().filter(|_| more).map(cursor);
    Ok(Page { entries, next, position: snapshot.position().await? })
}
