//! The frequency ledger: which visits hold a place at an enterprise, what rules know it by, and the
//! limits in force.
//!
//! The tables hold facts only. The answer is counted by the function that decides, so what is shown
//! can never differ from what is allowed.

use deadpool_postgres::{Pool, Transaction};
use doudi_domain::{
    EnterpriseId, UnitId,
    frequency::{Entry, FloorStanding, FrequencyPolicy, Standing},
    policy::PolicyName,
};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::types::{ToSql, Type};

mod fold;
mod ledger;
mod rows;

pub(crate) use self::fold::reads;
use self::{
    fold::{Changes, Concerned, Said},
    ledger::Ledger,
};
use crate::{
    ViewError, ViewName,
    db::{self, Snapshot, column},
    fact::Fact,
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 2;

/// The most visits to one enterprise that one answer counts. Far beyond any real year; a bound all
/// the same, and reaching it is an error and never a wrong count.
const VISITS_MAX: usize = 20_000;

/// Whose places are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The unit that would visit it, alone.
    pub unit: UnitId,
    /// The day in Asia/Shanghai whose windows are asked for.
    pub on: Date,
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

/// Takes facts into the ledger: three reads and four writes at most.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let concerned = Concerned::by(facts);
    let mut changes = Changes {
        places: rows::places(transaction, &concerned.visits).await?,
        profiles: rows::profiles(transaction, &concerned.enterprises).await?,
        versions: rows::versions(transaction, &concerned.policies).await?,
        ..Changes::default()
    };
    changes.fold(facts);
    rows::put_places(transaction, &changes).await?;
    rows::put_profiles(transaction, &changes).await?;
    rows::put_versions(transaction, &changes).await
}

/// Answers from one snapshot.
pub(crate) async fn load(pool: &Pool, query: &Query) -> Result<Quota, ViewError> {
    let mut client = db::connect(pool).await?;
    let snapshot = db::snapshot(&mut client, ViewName::Quota).await?;
    let position = snapshot.position;
    let Some((version, policy)) = limits(&snapshot).await? else {
        return Ok(Quota { policy_version: None, standings: vec![], floors: vec![], position });
    };
    let level = match in_force(&snapshot, &PolicyName::Catalogue(query.unit.clone())).await? {
        Some((_, Said::Level(level))) => Some(level),
        Some((_, Said::Limits(_))) | None => None,
    };
    let only = std::slice::from_ref(&query.enterprise);
    let mut profiles = rows::profiles(&snapshot.transaction, only).await?;
    let ledger = Ledger { policy, profile: profiles.remove(&query.enterprise), level };
    let entries = match ledger.first_day(query.on) {
        Some(from) => entries(&snapshot, &query.enterprise, from).await?,
        None => vec![],
    };
    let found = ledger.answer(&entries, query);
    let (standings, floors) = (found.standings, found.floors);
    Ok(Quota { policy_version: Some(version), standings, floors, position })
}

async fn limits(snapshot: &Snapshot<'_>) -> Result<Option<(u32, FrequencyPolicy)>, ViewError> {
    Ok(match in_force(snapshot, &PolicyName::Frequency).await? {
        Some((version, Said::Limits(policy))) => Some((version, policy)),
        Some((_, Said::Level(_))) | None => None,
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
    let row = snapshot.transaction.query_typed_opt(statement, &values).await.map_err(failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some((db::count(column(&row, "version")?), rows::json(&row, "said")?)))
}

/// What holds a place from that day on.
async fn entries(
    snapshot: &Snapshot<'_>,
    enterprise: &EnterpriseId,
    from: Date,
) -> Result<Vec<Entry>, ViewError> {
    let statement = format!(
        "SELECT {} FROM visit WHERE enterprise = $1 AND held IS NOT NULL AND day >= $2 \
         ORDER BY visit LIMIT {}",
        rows::PLACE,
        VISITS_MAX + 1
    );
    let id = enterprise.as_str();
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&from, Type::DATE)];
    let rows = snapshot.transaction.query_typed(&statement, &values).await.map_err(failed)?;
    if rows.len() > VISITS_MAX {
        let enterprise = enterprise.clone();
        return Err(ViewError::TooManyVisits { enterprise, visits_max: VISITS_MAX });
    }
    rows.iter().map(|row| Ok(rows::place(row)?.1.entry)).collect()
}

fn failed(error: tokio_postgres::Error) -> ViewError {
    ViewError::sql("reading the frequency ledger", error)
}
