//! Pages of alerts by their place in the log, and their counts.

use doudi_domain::{AreaCode, EnterpriseId, UnitId, VisitId};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::{Alert, Kind};
use crate::{
    PAGE_MAX, Scope, ViewError,
    db::{self, column},
    predicate::{Keys, Own, Predicate, Scoped},
    read::Snapshot,
    timeline::Point,
};

/// By which columns an alert is within a scope. No alert is confidential, but who belongs to an enterprise
/// sees none about it.
const SCOPED: Scoped = Scoped {
    leads: &["unit"],
    co_units: None,
    secrecy: None,
    own: Own::Nothing,
    secret: Some("true"),
    past: None,
};

/// Which alerts. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of visits that this unit planned.
    pub unit: Option<UnitId>,
    /// Of enterprises in that area when the visit was planned.
    pub area: Option<AreaCode>,
    /// Only these.
    pub kind: Option<Kind>,
    /// Recorded on this day in Asia/Shanghai or later.
    pub from: Option<Date>,
    /// Recorded on this day or earlier.
    pub until: Option<Date>,
    /// What the caller may see; as an enterprise, nothing.
    pub scope: Scope,
}

/// Which page of which alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// Only what is older than this: `next` of the page before.
    pub after: Option<Point>,
    /// The most alerts to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The alerts, newest first.
    pub alerts: Vec<Alert>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Point>,
    /// The log position that the page reflects.
    pub position: Position,
}

/// How many alerts are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
}

/// How many alerts there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Each kind there is, once, in the order of the kinds.
    pub counts: Vec<Count>,
    /// The log position that the counts reflect.
    pub position: Position,
}

impl Counts {
    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.count).sum()
    }
}

impl Filter {
    /// Every alert within `scope`.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self { unit: None, area: None, kind: None, from: None, until: None, scope }
    }

    /// The conditions, without the scope.
    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        if let Some(unit) = &self.unit {
            predicate.is("unit", unit.as_str());
        }
        if let Some(area) = &self.area {
            predicate.is("area", area.as_str());
        }
        if let Some(kind) = &self.kind {
            predicate.is("kind", &db::word(kind));
        }
        predicate.within_days("occurred_at", self.from, self.until);
        predicate
    }
}

/// Loads one page.
pub(super) async fn list(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.filter.predicate();
    if let Some(after) = query.after {
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(db::stored(after.position)), Type::INT8),
            (Box::new(after.stored_ordinal()), Type::INT4),
        ];
        predicate.compare_row("position, ordinal", "<", key);
    }
    let (columns, order) = ("position, ordinal", "position DESC, ordinal DESC");
    let keys = Keys { table: "alert", columns, order };
    // One row more tells whether there is another page.
    let keys = predicate.page((&query.filter.scope, snapshot.tense()), &SCOPED, &keys, limit + 1);
    let statement = format!(
        "SELECT position, ordinal, enterprise, visit, unit, area, occurred_at, reason \
         FROM ({keys}) AS page JOIN alert USING ({columns}) ORDER BY {order}"
    );
    let rows = snapshot.meant("listing alerts", &statement, &predicate).await?;
    let mut alerts = rows.iter().map(alert).collect::<Result<Vec<_>, _>>()?;
    let more = alerts.len() > limit;
    alerts.truncate(limit);
    let next = alerts.last().filter(|_| more).map(Alert::point);
    Ok(Page { alerts, next, position: snapshot.position().await? })
}

fn alert(row: &Row) -> Result<Alert, ViewError> {
    Ok(Alert {
        position: db::position(column(row, "position")?),
        ordinal: db::count(column(row, "ordinal")?),
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        visit: VisitId(column(row, "visit")?),
        unit: db::parsed_opt(row, "unit", UnitId::parse)?,
        area: db::parsed_opt(row, "area", AreaCode::parse)?,
        occurred_at: column(row, "occurred_at")?,
        reason: serde_json::from_value(column(row, "reason")?)
            .map_err(|error| ViewError::fault("reading an alert", error))?,
    })
}

/// Counts what a page would list.
pub(super) async fn count(snapshot: &Snapshot<'_>, filter: &Filter) -> Result<Counts, ViewError> {
    let mut predicate = filter.predicate();
    predicate.within(&filter.scope, &SCOPED, snapshot.tense());
    // There are no more groups than kinds.
    let statement = format!(
        "SELECT kind, count(*) AS count FROM alert WHERE {} GROUP BY kind",
        predicate.sql()
    );
    let rows = snapshot.meant("counting alerts", &statement, &predicate).await?;
    let read = |row: &Row| {
        let count = u64::try_from(column::<i64>(row, "count")?).unwrap_or(0);
        Ok(Count { kind: db::parsed(row, "kind", db::from_word)?, count })
    };
    let mut counts = rows.iter().map(read).collect::<Result<Vec<_>, ViewError>>()?;
    counts.sort_by_key(|count| count.kind);
    Ok(Counts { counts, position: snapshot.position().await? })
}
