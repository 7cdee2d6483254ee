//! The frequency ledger: which visits hold a place at an enterprise, and the limits in force.
//!
//! The tables hold facts only. The answer is counted by the function that decides, so what is shown
//! can never differ from what is allowed.

use std::collections::BTreeMap;

use deadpool_postgres::{Pool, Transaction};
use doudi_domain::{
    EnterpriseId, UnitId, VisitId,
    frequency::{Entry, FrequencyPolicy, Standing, standings},
};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::{Row, types::Type};

mod fold;
mod rows;

use self::fold::{Changes, Place};
use crate::{
    ViewError, ViewName,
    db::{self, column},
    fact::Fact,
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 1;

/// The most visits to one enterprise that one answer counts. Far beyond any real year; a bound all
/// the same, and reaching it is an error and never a wrong count.
const VISITS_MAX: usize = 20_000;

/// Whose places are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The unit that would visit it.
    pub unit: UnitId,
    /// The day in Asia/Shanghai whose windows are asked for.
    pub on: Date,
}

/// How an enterprise stands against the limits (检查频次余量).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The version of the frequency policy in force; none when none is published.
    pub policy_version: Option<u32>,
    /// One for each rule that applies on that day.
    pub standings: Vec<Standing>,
    /// The log position that the answer reflects.
    pub position: Position,
}

/// Takes facts into the ledger: two reads and three writes at most.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let visits = fold::visits_of(facts);
    let mut changes = Changes {
        places: rows::places(transaction, &visits).await?,
        policies: match fold::touches_policy(facts) {
            true => rows::policies(transaction).await?,
            false => BTreeMap::new(),
        },
        ..Changes::default()
    };
    changes.fold(facts);
    rows::put_places(transaction, &changes).await?;
    rows::put_policies(transaction, &changes).await
}

/// Answers from one snapshot.
pub(crate) async fn load(pool: &Pool, query: &Query) -> Result<Quota, ViewError> {
    let failed = |error| ViewError::sql("reading the frequency ledger", error);
    let mut client = db::connect(pool).await?;
    let snapshot = db::snapshot(&mut client, ViewName::Quota).await?;
    let statement = "SELECT version, document FROM policy WHERE published LIMIT 1";
    let row = snapshot.transaction.query_typed_opt(statement, &[]).await.map_err(failed)?;
    let position = snapshot.position;
    let Some(row) = row else {
        return Ok(Quota { policy_version: None, standings: vec![], position });
    };
    let policy_version = Some(db::count(column(&row, "version")?));
    let document: serde_json::Value = column(&row, "document")?;
    let policy: FrequencyPolicy = serde_json::from_value(document)
        .map_err(|error| ViewError::fault("reading the frequency policy", error))?;
    let rules = policy.rules.iter().filter(|rule| rule.applies(query.on));
    let windows: Vec<(Date, Date)> = rules.map(|rule| rule.window.around(query.on)).collect();
    let first = windows.iter().map(|(from, _)| *from).min();
    let last = windows.iter().map(|(_, until)| *until).max();
    let Some((from, until)) = first.zip(last) else {
        return Ok(Quota { policy_version, standings: vec![], position });
    };
    let statement = format!(
        "SELECT visit, unit, ground, day, held FROM visit WHERE enterprise = $1 \
         AND held IS NOT NULL AND day BETWEEN $2 AND $3 ORDER BY visit LIMIT {}",
        VISITS_MAX + 1
    );
    let enterprise = query.enterprise.as_str();
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&enterprise, Type::TEXT), (&from, Type::DATE), (&until, Type::DATE)];
    let rows = snapshot.transaction.query_typed(&statement, &values).await.map_err(failed)?;
    if rows.len() > VISITS_MAX {
        let enterprise = query.enterprise.clone();
        return Err(ViewError::TooManyVisits { enterprise, visits_max: VISITS_MAX });
    }
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let standings = standings(&policy, &entries, &query.unit, query.on);
    Ok(Quota { policy_version, standings, position })
}

fn entry(row: &Row) -> Result<Entry, ViewError> {
    Ok(Entry {
        visit: VisitId(column(row, "visit")?),
        unit: db::parsed(row, "unit", UnitId::parse)?,
        ground: db::parsed(row, "ground", db::from_word)?,
        on: column(row, "day")?,
        held: db::parsed(row, "held", db::from_word)?,
    })
}
