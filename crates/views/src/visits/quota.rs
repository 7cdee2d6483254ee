//! How an enterprise stands against the frequency limits (检查频次余量).
//!
//! The tables hold facts only. The answer is counted by the function that decides, so what is shown
//! can never differ from what is allowed.

use doudi_domain::{
    EnterpriseId, UnitId,
    catalogue::Level,
    frequency::{Entry, FloorStanding, FrequencyPolicy, Party, Standing},
    policy::PolicyName,
    visits::Visit,
};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::types::{ToSql, Type};

pub(in crate::visits) mod limits;
mod places;

pub(crate) use places::places;
pub use places::{Places, UnitPlaces};

use self::limits::Limits;
use super::{
    fold::Said,
    known::{self, json},
    rows,
};
use crate::{
    ViewError,
    db::{self, column},
    read::Snapshot,
};

/// The most visits to one enterprise that one answer counts. Far beyond any real year; a bound all
/// the same, and reaching it is an error and never a wrong count.
const VISITS_MAX: usize = 20_000;

/// What is being done.
const DOING: &str = "reading the frequency ledger";

/// Whose places are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The unit that would visit it, alone.
    pub unit: UnitId,
    /// The day in Asia/Shanghai whose windows are asked for.
    pub on: Date,
    /// Whether only those visits count that the enterprise knows of: what it is told must not warn it of
    /// the others.
    pub known_only: bool,
}

/// How an enterprise stands against the limits (检查频次余量).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The version of the frequency policy in force; none when none is published.
    pub policy_version: Option<u32>,
    /// One for each rule that applies on that day to the enterprise, whatever is inspected and by whom:
    /// rules about items, fields or officers need a plan to answer.
    pub standings: Vec<Standing>,
    /// One for each floor that applies on that day to the enterprise.
    pub floors: Vec<FloorStanding>,
    /// The log position that the answer reflects.
    pub position: Position,
}

/// Answers from one snapshot.
pub(super) async fn load(snapshot: &Snapshot<'_>, query: &Query) -> Result<Quota, ViewError> {
    // All are sent at once and answered in order.
    let (policy, level, profile) = futures::future::try_join3(
        policy(snapshot),
        level_of(snapshot, &query.unit),
        known::profile(snapshot, &query.enterprise),
    )
    .await?;
    let position = snapshot.position().await?;
    let Some((version, policy)) = policy else {
        return Ok(Quota { policy_version: None, standings: vec![], floors: vec![], position });
    };
    let limits = Limits { policy, profile };
    let entries = match limits.first_day(query.on) {
        Some(from) => entries(snapshot, &query.enterprise, from, query.known_only).await?,
        None => vec![],
    };
    let party = Party { unit: query.unit.clone(), level };
    let found = limits.answer(&entries, Some(party), query.on);
    let (standings, floors) = (found.standings, found.floors);
    Ok(Quota { policy_version: Some(version), standings, floors, position })
}

async fn policy(snapshot: &Snapshot<'_>) -> Result<Option<(u32, FrequencyPolicy)>, ViewError> {
    Ok(match in_force(snapshot, &PolicyName::Frequency).await? {
        Some((version, Said::Limits(policy))) => Some((version, policy)),
        Some((_, Said::Level(_))) | None => None,
    })
}

/// The level of a unit, as its catalogue in force says.
async fn level_of(snapshot: &Snapshot<'_>, unit: &UnitId) -> Result<Option<Level>, ViewError> {
    Ok(match in_force(snapshot, &PolicyName::Catalogue(unit.clone())).await? {
        Some((_, Said::Level(level))) => Some(level),
        Some((_, Said::Limits(_))) | None => None,
    })
}

/// The version in force of a document, and what it says.
async fn in_force(
    snapshot: &Snapshot<'_>,
    name: &PolicyName,
) -> Result<Option<(u32, Said)>, ViewError> {
    let statement = "SELECT version, said FROM policy WHERE name = $1 AND published LIMIT 1";
    let name = name.to_string();
    let values: [(&(dyn ToSql + Sync), Type); 1] = [(&name, Type::TEXT)];
    let rows = snapshot.rows(DOING, statement, &values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some((db::count(column(row, "version")?), json(row, "said")?)))
}

/// What holds a place from that day on.
async fn entries(
    snapshot: &Snapshot<'_>,
    enterprise: &EnterpriseId,
    from: Date,
    known_only: bool,
) -> Result<Vec<Entry>, ViewError> {
    let statement = format!(
        "SELECT {} FROM visit WHERE enterprise = $1 AND held IS NOT NULL AND day >= $2 \
         ORDER BY visit LIMIT {}",
        rows::COLUMNS,
        VISITS_MAX + 1
    );
    let id = enterprise.as_str();
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&from, Type::DATE)];
    let rows = snapshot.rows(DOING, &statement, &values).await?;
    if rows.len() > VISITS_MAX {
        let enterprise = enterprise.clone();
        return Err(ViewError::TooManyVisits { enterprise, visits_max: VISITS_MAX });
    }
    let entry = |row| {
        let row = rows::read(row)?;
        let seen = !(known_only && row.is_internal());
        Ok(row.visit().filter(|_| seen).and_then(Visit::entry))
    };
    rows.iter().filter_map(|row| entry(row).transpose()).collect()
}
