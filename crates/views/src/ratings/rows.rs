//! The rows of the ratings: at most one read and three writes for a whole batch.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, UnitId};
use jiff::{Timestamp, civil::Date};

use super::fold::{self, Held, Known, Summed};
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
    add(transaction, &known.summed).await
}

/// Takes what is held back of the units out of the table.
async fn take_held(
    transaction: &Transaction<'_>,
    units: &BTreeSet<UnitId>,
) -> Result<HashMap<UnitId, Vec<Held>>, ViewError> {
    let statement = "DELETE FROM held_back WHERE unit = ANY($1) \
         RETURNING unit, position, ordinal, enterprise, satisfaction, recorded_at";
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
            recorded_at: column(row, "recorded_at")?,
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
    let statement = "INSERT INTO held_back (unit, position, ordinal, enterprise, satisfaction, \
         recorded_at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], \
         $5::text[], $6::timestamptz[])";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let units: Vec<&str> = held.iter().map(|(unit, _)| unit.as_str()).collect();
    let positions: Vec<i64> = held.iter().map(|(_, one)| one.position).collect();
    let ordinals: Vec<i32> = held.iter().map(|(_, one)| stored(one.ordinal)).collect();
    let enterprises: Vec<&str> = held.iter().map(|(_, one)| one.enterprise.as_str()).collect();
    let grades: Vec<String> = held.iter().map(|(_, one)| db::word(&one.satisfaction)).collect();
    let instants: Vec<Timestamp> = held.iter().map(|(_, one)| one.recorded_at).collect();
    transaction
        .execute(&statement, &[&units, &positions, &ordinals, &enterprises, &grades, &instants])
        .await
        .map_err(applying)?;
    Ok(())
}

async fn add(transaction: &Transaction<'_>, summed: &[Summed]) -> Result<(), ViewError> {
    if summed.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO summed (position, ordinal, satisfaction, unit, month, count, \
         occurred_at) SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], \
         $5::date[], $6::bigint[], $7::timestamptz[])";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let positions: Vec<i64> = summed.iter().map(|row| row.position).collect();
    let ordinals: Vec<i32> = summed.iter().map(|row| stored(row.ordinal)).collect();
    let grades: Vec<String> = summed.iter().map(|row| db::word(&row.satisfaction)).collect();
    let units: Vec<&str> = summed.iter().map(|row| row.unit.as_str()).collect();
    let months: Vec<Date> = summed.iter().map(Summed::month).collect();
    let counts: Vec<i64> =
        summed.iter().map(|row| i64::try_from(row.count).unwrap_or(i64::MAX)).collect();
    let instants: Vec<Timestamp> = summed.iter().map(|row| row.recorded_at).collect();
    transaction
        .execute(&statement, &[&positions, &ordinals, &grades, &units, &months, &counts, &instants])
        .await
        .map_err(applying)?;
    Ok(())
}

fn stored(ordinal: u32) -> i32 {
    i32::try_from(ordinal).unwrap_or(i32::MAX)
}
