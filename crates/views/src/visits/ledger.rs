//! What a unit's visits of a year hold at each enterprise (检查频次台账).

use doudi_domain::{EnterpriseId, UnitId};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::{Row, types::Type};

use super::Filter;
use crate::{
    PAGE_MAX, Scope, ViewError,
    db::{self, column},
    predicate::any_of,
    read::Snapshot,
};

/// Which page of whose ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The unit: what it leads and what it takes part in.
    pub unit: UnitId,
    /// The calendar year in Asia/Shanghai, 1 to 9999; another is taken as the nearest of these.
    pub year: i16,
    /// What the caller may see.
    pub scope: Scope,
    /// Only enterprises after this one: `next` of the page before.
    pub after: Option<EnterpriseId>,
    /// The most enterprises to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// What the visits to one enterprise hold. What was called off, refused, expired or given up holds
/// nothing, and a check from elsewhere neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// How many visits took place, on whatever ground.
    pub used: u64,
    /// How many of them are known to have found something.
    pub found: u64,
    /// How many are still to come.
    pub reserved: u64,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// One for each enterprise that the unit visited or will visit, by the enterprise's id.
    pub entries: Vec<Entry>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<EnterpriseId>,
    /// The log position that the page reflects.
    pub position: Position,
}

/// Loads one page.
pub(super) async fn load(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let year = query.year.clamp(1, 9999);
    let filter = Filter {
        unit: Some(query.unit.clone()),
        from: Some(Date::constant(year, 1, 1)),
        until: Some(Date::constant(year, 12, 31)),
        ..Filter::all(query.scope.clone())
    };
    let mut predicate = filter.predicate();
    filter.within(&mut predicate, snapshot.tense());
    predicate.holds("held IS NOT NULL");
    if let Some(after) = &query.after {
        predicate.compare("enterprise", ">", after.as_str().to_owned(), Type::TEXT);
    }
    let unit = predicate.place(query.unit.as_str().to_owned(), Type::TEXT);
    let conditions = predicate.sql();
    let ways = [format!("unit = {unit}"), format!("beside @> ARRAY[{unit}]")];
    // One row more tells whether there is another page.
    let keys = ways.each_ref().map(|way| {
        format!(
            "(SELECT DISTINCT enterprise FROM visit WHERE {conditions} AND {way} \
             ORDER BY enterprise LIMIT {})",
            limit + 1
        )
    });
    let statement = format!(
        "SELECT enterprise, count(*) FILTER (WHERE held = 'used') AS used, \
         count(*) FILTER (WHERE held = 'used' AND finding) AS found, \
         count(*) FILTER (WHERE held = 'reserved') AS reserved \
         FROM ({} ORDER BY enterprise LIMIT {}) AS page JOIN visit USING (enterprise) \
         WHERE {conditions} AND {} GROUP BY enterprise ORDER BY enterprise",
        keys.join(" UNION "),
        limit + 1,
        any_of(&ways)
    );
    let rows = snapshot.meant("reading a unit's ledger", &statement, &predicate).await?;
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| last.enterprise.clone());
    Ok(Page { entries, next, position: snapshot.position().await? })
}

fn entry(row: &Row) -> Result<Entry, ViewError> {
    Ok(Entry {
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        used: sum(row, "used")?,
        found: sum(row, "found")?,
        reserved: sum(row, "reserved")?,
    })
}

fn sum(row: &Row, name: &str) -> Result<u64, ViewError> {
    Ok(u64::try_from(column::<i64>(row, name)?).unwrap_or(0))
}
