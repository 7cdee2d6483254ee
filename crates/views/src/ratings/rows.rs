//! The rows of the ratings: at most one read and three writes for a whole batch.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, UnitId};
use jiff::civil::Date;

use super::fold::{self, Held, Known};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
};

/// Takes the ratings of `facts` in.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let units = fold::units_of(facts);
    if units.is_empty() {
        return Ok(());
    }
    let mut known = Known { held: take_held(transaction, &units).await?, ..Known::default() };
    known.fold(facts);
    hold(transaction, &known).await?;
    add(transaction, &known).await
}

/// Takes what is held back of the units out of the table.
async fn take_held(
    transaction: &Transaction<'_>,
    units: &BTreeSet<UnitId>,
) -> Result<HashMap<UnitId, Vec<Held>>, ViewError> {
    let statement = "DELETE FROM held_back WHERE unit = ANY($1) \
         RETURNING unit, position, ordinal, enterprise, satisfaction";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let units: Vec<&str> = units.iter().map(UnitId::as_str).collect();
    let rows = transaction.query(&statement, &[&units]).await.map_err(applying)?;
    let mut held: HashMap<UnitId, Vec<Held>> = HashMap::new();
    for row in &rows {
        let one = Held {
            position: column(row, "position")?,
            ordinal: db::count(column(row, "ordinal")?),
            enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
            satisfaction: db::parsed(row, "satisfaction", db::from_word)?,
        };
        held.entry(db::parsed(row, "unit", UnitId::parse)?).or_default().push(one);
    }
    Ok(held)
}

async fn hold(transaction: &Transaction<'_>, known: &Known) -> Result<(), ViewError> {
    let held = known.held.iter().flat_map(|(unit, held)| held.iter().map(move |one| (unit, one)));
    let held: Vec<(&UnitId, &Held)> = held.collect();
    if held.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO held_back (unit, position, ordinal, enterprise, satisfaction) \
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[])";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let units: Vec<&str> = held.iter().map(|(unit, _)| unit.as_str()).collect();
    let positions: Vec<i64> = held.iter().map(|(_, one)| one.position).collect();
    let ordinals: Vec<i32> =
        held.iter().map(|(_, one)| i32::try_from(one.ordinal).unwrap_or(i32::MAX)).collect();
    let enterprises: Vec<&str> = held.iter().map(|(_, one)| one.enterprise.as_str()).collect();
    let grades: Vec<String> = held.iter().map(|(_, one)| db::word(&one.satisfaction)).collect();
    transaction
        .execute(&statement, &[&units, &positions, &ordinals, &enterprises, &grades])
        .await
        .map_err(applying)?;
    Ok(())
}

async fn add(transaction: &Transaction<'_>, known: &Known) -> Result<(), ViewError> {
    if known.sums.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO summed AS known (unit, month, satisfaction, count) SELECT * FROM \
         unnest($1::text[], $2::date[], $3::text[], $4::bigint[]) \
         ON CONFLICT (unit, month, satisfaction) DO UPDATE SET count = known.count + excluded.count";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let units: Vec<&str> = known.sums.keys().map(|(unit, ..)| unit.as_str()).collect();
    let months: Vec<Date> = known.sums.keys().map(|(_, month, _)| *month).collect();
    let grades: Vec<String> = known.sums.keys().map(|(.., grade)| db::word(grade)).collect();
    let counts: Vec<i64> =
        known.sums.values().map(|count| i64::try_from(*count).unwrap_or(i64::MAX)).collect();
    transaction
        .execute(&statement, &[&units, &months, &grades, &counts])
        .await
        .map_err(applying)?;
    Ok(())
}
