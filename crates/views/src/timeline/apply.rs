//! Writes the timeline: at most two reads and three writes for a whole batch.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::fold::{Charge, Concerned, Known, NewEntry};
use crate::{
    ViewError,
    db::{self, applying},
    fact::Fact,
};

/// Adds the entries of `facts`.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let concerned = Concerned::by(facts);
    let mut known = Known {
        subjects: subjects(transaction, &concerned).await?,
        enterprises: enterprises(transaction, &concerned).await?,
        ..Known::default()
    };
    let entries = known.fold(facts);
    insert(transaction, &entries).await?;
    remember_subjects(transaction, &known).await?;
    remember_enterprises(transaction, &known).await
}

async fn subjects(
    transaction: &Transaction<'_>,
    concerned: &Concerned,
) -> Result<HashMap<(Uuid, EnterpriseId), Charge>, ViewError> {
    if concerned.subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = "SELECT subject, enterprise, unit, area FROM subject WHERE subject = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<&Uuid> = concerned.subjects.iter().collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
        let charge = Charge {
            unit: db::parsed_opt(row, "unit", UnitId::parse)?,
            area: db::parsed_opt(row, "area", AreaCode::parse)?,
        };
        Ok(((db::column(row, "subject")?, enterprise), charge))
    };
    rows.iter().map(read).collect()
}

async fn enterprises(
    transaction: &Transaction<'_>,
    concerned: &Concerned,
) -> Result<HashMap<EnterpriseId, AreaCode>, ViewError> {
    if concerned.enterprises.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = "SELECT enterprise, area FROM enterprise WHERE enterprise = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<&str> = concerned.enterprises.iter().map(EnterpriseId::as_str).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
        Ok((enterprise, db::parsed(row, "area", AreaCode::parse)?))
    };
    rows.iter().map(read).collect()
}

async fn insert(transaction: &Transaction<'_>, entries: &[NewEntry<'_>]) -> Result<(), ViewError> {
    let statement = "INSERT INTO entry (position, ordinal, enterprise, kind, event_type, subject, \
         unit, area, occurred_at, recorded_at, details) \
         SELECT a, b, c, d, e, f, g, h, i, j, k::jsonb FROM unnest($1::bigint[], $2::integer[], \
         $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], \
         $9::timestamptz[], $10::timestamptz[], $11::text[]) AS t(a, b, c, d, e, f, g, h, i, j, k)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let unit = |entry| charge(entry).unit.as_ref().map(UnitId::as_str);
    let area = |entry| charge(entry).area.as_ref().map(AreaCode::as_str);
    transaction
        .execute(
            &statement,
            &[
                &column(entries, |entry| entry.position),
                &column(entries, |entry| entry.ordinal),
                &column(entries, |entry| entry.enterprise.as_str()),
                &column(entries, |entry| entry.kind.as_str()),
                &column(entries, |entry| entry.event_type.as_str()),
                &column(entries, |entry| entry.subject),
                &column(entries, unit),
                &column(entries, area),
                &column(entries, |entry| entry.occurred_at),
                &column(entries, |entry| entry.recorded_at),
                &column(entries, |entry| entry.details.as_str()),
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

fn charge<'a>(entry: &'a NewEntry<'_>) -> &'a Charge {
    &entry.charge
}

fn column<'a, T>(entries: &'a [NewEntry<'a>], pick: impl Fn(&'a NewEntry<'a>) -> T) -> Vec<T> {
    entries.iter().map(pick).collect()
}

async fn remember_subjects(transaction: &Transaction<'_>, known: &Known) -> Result<(), ViewError> {
    let changed = known.subjects_changed.iter().filter_map(|key| known.subjects.get_key_value(key));
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((subject, enterprise), charge) in changed {
        columns.0.push(subject);
        columns.1.push(enterprise.as_str());
        columns.2.push(charge.unit.as_ref().map(UnitId::as_str));
        columns.3.push(charge.area.as_ref().map(AreaCode::as_str));
    }
    if columns.0.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO subject (subject, enterprise, unit, area) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) \
         ON CONFLICT (subject, enterprise) DO UPDATE SET unit = excluded.unit, area = excluded.area";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&columns.0, &columns.1, &columns.2, &columns.3])
        .await
        .map_err(applying)?;
    Ok(())
}

async fn remember_enterprises(
    transaction: &Transaction<'_>,
    known: &Known,
) -> Result<(), ViewError> {
    let changed =
        known.enterprises_changed.iter().filter_map(|id| known.enterprises.get_key_value(id));
    let (enterprises, areas): (Vec<&str>, Vec<&str>) =
        changed.map(|(enterprise, area)| (enterprise.as_str(), area.as_str())).unzip();
    if enterprises.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO enterprise (enterprise, area) \
         SELECT * FROM unnest($1::text[], $2::text[]) \
         ON CONFLICT (enterprise) DO UPDATE SET area = excluded.area";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction.execute(&statement, &[&enterprises, &areas]).await.map_err(applying)?;
    Ok(())
}
