//! What other units plan near a day, so that a unit can come with them.

use doudi_domain::{EnterpriseId, UnitId};
use jiff::{ToSpan, civil::Date};
use tokio_postgres::types::Type;

use super::{Filter, Page, State, list, quota, rows};
use crate::{PAGE_MAX, Scope, ViewError, read::Snapshot};

/// Around which day, and whose visits are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearQuery {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The day in Asia/Shanghai.
    pub day: Date,
    /// How many calendar days before and after it are near, both ends included; none for as many as the
    /// frequency policy says.
    pub days: Option<u16>,
    /// The unit that asks: what it takes part in itself is left out.
    pub unit: UnitId,
}

/// Loads what is near, the earliest first, at most [`PAGE_MAX`]: nothing is turned over to.
pub(super) async fn load(snapshot: &Snapshot<'_>, query: &NearQuery) -> Result<Page, ViewError> {
    let days = match query.days {
        Some(days) => days,
        None => quota::near_days(snapshot).await?,
    };
    let apart = i32::from(days).days();
    let filter = Filter {
        enterprise: Some(query.enterprise.clone()),
        states: State::AHEAD.to_vec(),
        from: Some(query.day.saturating_sub(apart)),
        until: Some(query.day.saturating_add(apart)),
        ..Filter::all(Scope::All)
    };
    let mut predicate = filter.predicate();
    let own = predicate.place(query.unit.as_str().to_owned(), Type::TEXT);
    predicate.holds(format!("unit <> {own} AND {own} <> ALL(beside)"));
    let statement = format!(
        "SELECT {} FROM visit WHERE {} ORDER BY day, visit LIMIT {PAGE_MAX}",
        rows::COLUMNS,
        predicate.sql()
    );
    list::read(snapshot, &statement, &predicate, PAGE_MAX).await
}
