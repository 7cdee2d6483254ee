//! Boards (监管看板): what supervisors count, each figure defined once.
//!
//! A figure is a statement for rows (`boards/*.sql`) and what is counted of them. The numbers, the
//! rows behind a number, the comparison with another period and the export are all made of that
//! statement and one filter, so they cannot mean different rows; as of an earlier time they are
//! asked of the rows as they were, within the caller's scope as of now. Stays, handlings and returns tell of
//! those who were in charge then, whose they remain.

use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use doudi_journal::Position;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

mod figure;
mod list;
mod query;

pub use figure::{Dimension, Figure, Subject, Windows};
pub(crate) use figure::{HANDLING, HANDLINGS, RETURNED, RETURNS};
pub use list::{Cursor, Page, PageQuery};

use crate::{Fresh, PAGE_MAX, Scope, ViewError, Views};

/// The most cells of one board; where there are more, those with the most in them.
pub const CELLS_MAX: usize = 1000;
/// The most rows of one export.
pub const EXPORT_ROWS_MAX: usize = 50_000;
/// The most dimensions by which a board is parted.
pub const KEYS_MAX: usize = 3;

/// Which rows of a figure. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The figure.
    pub figure: Figure,
    /// The first day in Asia/Shanghai, by what the figure goes by; none for a figure of what is so now.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
    /// Only of that unit.
    pub unit: Option<UnitId>,
    /// Only of that area.
    pub area: Option<AreaCode>,
    /// What last moved before this has not moved for long, for [`Figure::Stuck`].
    pub idle_since: Timestamp,
    /// Only rows that have these values; an empty text for those that have none.
    pub cell: Vec<(Dimension, String)>,
    /// What the caller may see; as an enterprise, nothing, nor in another capacity what it is not told.
    pub scope: Scope,
}

/// Which board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which rows.
    pub filter: Filter,
    /// By what they are parted, at most [`KEYS_MAX`], each of [`Figure::dimensions`]; by nothing, there
    /// is only the total.
    pub group_by: Vec<Dimension>,
}

/// What is counted of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many rows.
    pub rows: u64,
    /// Of how many enterprises.
    pub enterprises: u64,
    /// Of how many it is known whether the figure's condition holds.
    pub known: u64,
    /// For how many it holds.
    pub hits: u64,
    /// The median of the time that the figure measures, in seconds; none where it measures none, or
    /// there are no rows.
    pub median_seconds: Option<u64>,
    /// Its ninetieth percentile.
    pub p90_seconds: Option<u64>,
}

/// One number of a board with what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// A value for each dimension, empty where the rows have none.
    pub keys: Vec<String>,
    /// What is counted.
    pub sums: Sums,
}

/// A board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// At most [`CELLS_MAX`], by keys.
    pub cells: Vec<Cell>,
    /// Whether there are more, which have fewer rows.
    pub cut: bool,
    /// All rows together, those of cells that are not told included.
    pub total: Sums,
    /// The log position that the answer reflects.
    pub position: Position,
}

/// A row that a figure counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The appeal or the visit, as [`Figure::subject`] says.
    pub subject: Uuid,
    /// Its enterprise.
    pub enterprise: EnterpriseId,
    /// The joint diagnosis that it is of; nil where it is of the subject itself.
    pub part: Uuid,
    /// Which of several rows of those.
    pub number: i64,
    /// The instant that the figure goes by.
    pub at: Timestamp,
    /// Whether the figure's condition holds; none where it is not known, or there is none.
    pub hit: Option<bool>,
    /// What the figure measures; none where it measures no time.
    pub seconds: Option<u64>,
    /// A value for each of [`Figure::dimensions`], empty where it has none.
    pub values: Vec<String>,
}

impl Views {
    /// The numbers of a board.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn board(&self, query: &Query, fresh: Fresh) -> Result<Board, ViewError> {
        let mut reader = self.reader(&[query.filter.figure.view()], fresh).await?;
        query::load(&reader.once(), query).await
    }

    /// One page of exactly the rows that are counted, the latest first.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn board_rows(&self, query: &PageQuery, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[query.filter.figure.view()], fresh).await?;
        let limit = query.limit.clamp(1, PAGE_MAX);
        let after = query.after.as_ref();
        list::load(&reader.once(), &query.filter, after, limit).await
    }

    /// All the rows that are counted, in one page of at most [`EXPORT_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn board_export(&self, filter: &Filter, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[filter.figure.view()], fresh).await?;
        list::load(&reader.once(), filter, None, EXPORT_ROWS_MAX).await
    }
}
