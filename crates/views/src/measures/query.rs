//! The answers: sums over the days asked for.

use doudi_domain::{AreaCode, TopicId, UnitId};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::Row;

use super::GROUPS_MAX;
use crate::{
    Scope, ViewError,
    boards::{Dimension, HANDLING, HANDLINGS, RETURNED, RETURNS},
    db::{self, column},
    predicate::Predicate,
    read::Snapshot,
};

/// Which returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowQuery {
    /// The first day on which a unit objected, in Asia/Shanghai.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// Only appeals of that area.
    pub area: Option<AreaCode>,
    /// What the caller may see.
    pub scope: Scope,
}

/// How often a unit returned appeals that went on to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowCell {
    /// Who said that it is not competent.
    pub from: UnitId,
    /// To whom they were sent on; none for those that were not, or not yet.
    pub to: Option<UnitId>,
    /// How many.
    pub returns: u64,
    /// How many of them were right, as a dispatcher ruled.
    pub upheld: u64,
}

/// Who returned appeals to whom (退单流向).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// One for each pair of units, at most [`GROUPS_MAX`]; by units.
    pub cells: Vec<FlowCell>,
    /// The log position that the answer reflects.
    pub position: Position,
}

/// By what handlings are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateGroup {
    /// All together; the key is empty.
    All,
    /// By the unit that resolved.
    Unit,
    /// By area.
    Area,
    /// By topic.
    Topic,
    /// By the month in which it was resolved, in Asia/Shanghai, such as `2025-04`.
    Month,
}

/// Which handlings. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesQuery {
    /// By what they are summed.
    pub group: RateGroup,
    /// The first day on which a unit resolved, in Asia/Shanghai.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// Only by that unit.
    pub unit: Option<UnitId>,
    /// Only of that area.
    pub area: Option<AreaCode>,
    /// Only on that topic.
    pub topic: Option<TopicId>,
    /// What the caller may see.
    pub scope: Scope,
}

/// What became of the handlings of one group. A second handling of an appeal is one more. Of what the
/// enterprise said, its own word counts, and where it is silent what it said on the phone (回访); what
/// counted at the close is never rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The group.
    pub key: String,
    /// How many there were.
    pub handled: u64,
    /// In how many the unit spoke with the enterprise in time (响应率).
    pub responded: u64,
    /// In how many the enterprise said whether the matter is resolved.
    pub asked_resolved: u64,
    /// In how many it said that it is (解决率).
    pub resolved: u64,
    /// In how many the enterprise said whether it is satisfied.
    pub asked_satisfied: u64,
    /// In how many it said that it is (满意率).
    pub satisfied: u64,
}

/// The sums that the three rates are made of (三率).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// One for each group that has a handling, at most [`GROUPS_MAX`]; by key.
    pub rates: Vec<Rate>,
    /// The log position that the answer reflects.
    pub position: Position,
}

impl RateGroup {
    fn key(self) -> &'static str {
        match self {
            Self::All => "''::text",
            Self::Unit => Dimension::Unit.column(),
            Self::Area => Dimension::Area.column(),
            Self::Topic => Dimension::Topic.column(),
            Self::Month => Dimension::Month.column(),
        }
    }
}

/// Sums the returns.
pub(super) async fn flow(snapshot: &Snapshot<'_>, query: &FlowQuery) -> Result<Flow, ViewError> {
    let mut predicate = Predicate::default();
    predicate.within_days("at", Some(query.from), Some(query.until));
    if let Some(area) = &query.area {
        predicate.is("area", area.as_str());
    }
    predicate.within(&query.scope, &RETURNED, snapshot.tense());
    let statement = format!(
        "SELECT unit, to_unit, count(*) AS returns, count(*) FILTER (WHERE upheld) AS upheld \
         FROM ({RETURNS}) AS counted WHERE {} GROUP BY unit, to_unit \
         ORDER BY returns DESC, unit, to_unit LIMIT {GROUPS_MAX}",
        predicate.sql()
    );
    let rows = snapshot.meant("summing returns", &statement, &predicate).await?;
    let read = |row: &Row| {
        Ok(FlowCell {
            from: db::parsed(row, "unit", UnitId::parse)?,
            to: db::parsed_opt(row, "to_unit", UnitId::parse)?,
            returns: sum(row, "returns")?,
            upheld: sum(row, "upheld")?,
        })
    };
    let mut cells = rows.iter().map(read).collect::<Result<Vec<_>, ViewError>>()?;
    cells.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    Ok(Flow { cells, position: snapshot.position().await? })
}

/// Sums the handlings.
pub(super) async fn rates(snapshot: &Snapshot<'_>, query: &RatesQuery) -> Result<Rates, ViewError> {
    let mut predicate = Predicate::default();
    predicate.within_days("at", Some(query.from), Some(query.until));
    let wanted = [
        ("unit", query.unit.as_ref().map(UnitId::as_str)),
        ("area", query.area.as_ref().map(AreaCode::as_str)),
        ("topic", query.topic.as_ref().map(TopicId::as_str)),
    ];
    for (column, value) in wanted {
        if let Some(value) = value {
            predicate.is(column, value);
        }
    }
    predicate.within(&query.scope, &HANDLING, snapshot.tense());
    let statement = format!(
        "SELECT {} AS key, count(*) AS handled, count(*) FILTER (WHERE responded) AS responded, \
         count(resolved) AS asked_resolved, count(*) FILTER (WHERE resolved) AS resolved, \
         count(satisfied) AS asked_satisfied, count(*) FILTER (WHERE satisfied) AS satisfied \
         FROM ({HANDLINGS}) AS counted WHERE {} GROUP BY 1 ORDER BY handled DESC, key LIMIT {GROUPS_MAX}",
        query.group.key(),
        predicate.sql()
    );
    let rows = snapshot.meant("summing handlings", &statement, &predicate).await?;
    let mut rates = rows.iter().map(rate).collect::<Result<Vec<_>, _>>()?;
    rates.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(Rates { rates, position: snapshot.position().await? })
}

fn rate(row: &Row) -> Result<Rate, ViewError> {
    Ok(Rate {
        key: column(row, "key")?,
        handled: sum(row, "handled")?,
        responded: sum(row, "responded")?,
        asked_resolved: sum(row, "asked_resolved")?,
        resolved: sum(row, "resolved")?,
        asked_satisfied: sum(row, "asked_satisfied")?,
        satisfied: sum(row, "satisfied")?,
    })
}

fn sum(row: &Row, name: &str) -> Result<u64, ViewError> {
    Ok(u64::try_from(column::<i64>(row, name)?).unwrap_or(0))
}
