//! The rows of the ledger: read before a batch, written after it.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, UnitId, VisitId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Place,
    fold::{Changes, Key, PolicyRow},
};
use crate::{
    ViewError,
    db::{self, applying, column},
};

pub(super) async fn places(
    transaction: &Transaction<'_>,
    visits: &[VisitId],
) -> Result<HashMap<Key, Place>, ViewError> {
    if visits.is_empty() {
        return Ok(HashMap::new());
    }
    let statement =
        "SELECT visit, enterprise, unit, ground, day, held FROM visit WHERE visit = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<Uuid> = visits.iter().map(|visit| visit.0).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    rows.iter().map(place).collect()
}

fn place(row: &Row) -> Result<(Key, Place), ViewError> {
    let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
    let place = Place {
        unit: db::parsed(row, "unit", UnitId::parse)?,
        ground: db::parsed(row, "ground", db::from_word)?,
        day: column(row, "day")?,
        held: db::parsed_opt(row, "held", db::from_word)?,
    };
    Ok(((VisitId(column(row, "visit")?), enterprise), place))
}

pub(super) async fn put_places(
    transaction: &Transaction<'_>,
    changes: &Changes,
) -> Result<(), ViewError> {
    let changed = changes.places_changed.iter();
    let changed: Vec<_> = changed.filter_map(|key| changes.places.get_key_value(key)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO visit (visit, enterprise, unit, ground, day, held) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::date[], \
         $6::text[]) ON CONFLICT (visit, enterprise) DO UPDATE SET unit = excluded.unit, \
         ground = excluded.ground, day = excluded.day, held = excluded.held";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let visits: Vec<Uuid> = changed.iter().map(|((visit, _), _)| visit.0).collect();
    let enterprises: Vec<&str> = changed.iter().map(|((_, owner), _)| owner.as_str()).collect();
    let units: Vec<&str> = changed.iter().map(|(_, place)| place.unit.as_str()).collect();
    let grounds: Vec<String> = changed.iter().map(|(_, place)| db::word(&place.ground)).collect();
    let days: Vec<_> = changed.iter().map(|(_, place)| place.day).collect();
    let held: Vec<Option<String>> =
        changed.iter().map(|(_, place)| place.held.as_ref().map(db::word)).collect();
    transaction
        .execute(&statement, &[&visits, &enterprises, &units, &grounds, &days, &held])
        .await
        .map_err(applying)?;
    Ok(())
}

/// The drafts and the version in force: few, and read only when the policy itself changes.
pub(super) async fn policies(
    transaction: &Transaction<'_>,
) -> Result<BTreeMap<u32, PolicyRow>, ViewError> {
    let statement = "SELECT version, published, document FROM policy ORDER BY version LIMIT 10000";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let rows = transaction.query(&statement, &[]).await.map_err(applying)?;
    let read = |row: &Row| {
        let document = serde_json::from_value(column(row, "document")?)
            .map_err(|error| ViewError::fault("reading a draft of the frequency policy", error))?;
        let policy = PolicyRow { published: column(row, "published")?, document };
        Ok((db::count(column(row, "version")?), policy))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn put_policies(
    transaction: &Transaction<'_>,
    changes: &Changes,
) -> Result<(), ViewError> {
    let stored = |version: &u32| i32::try_from(*version).unwrap_or(i32::MAX);
    let changed: Vec<i32> = changes.policies_changed.iter().map(stored).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let statement = transaction
        .prepare_cached("DELETE FROM policy WHERE version = ANY($1)")
        .await
        .map_err(applying)?;
    transaction.execute(&statement, &[&changed]).await.map_err(applying)?;
    let kept: Vec<(&u32, &PolicyRow)> =
        changes.policies.iter().filter(|(v, _)| changes.policies_changed.contains(*v)).collect();
    let versions: Vec<i32> = kept.iter().map(|(version, _)| stored(version)).collect();
    let published: Vec<bool> = kept.iter().map(|(_, policy)| policy.published).collect();
    let documents: Vec<String> = kept
        .iter()
        .map(|(_, policy)| serde_json::to_string(&policy.document).unwrap_or_default())
        .collect();
    let statement = "INSERT INTO policy (version, published, document) SELECT a, b, c::jsonb \
         FROM unnest($1::integer[], $2::boolean[], $3::text[]) AS t(a, b, c)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&versions, &published, &documents])
        .await
        .map_err(applying)?;
    Ok(())
}
