//! The rows of the ledger: read before a batch, written after it.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{
    EnterpriseId, VisitId,
    enterprise::Registered,
    frequency::{Entry, Held},
    policy::PolicyName,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::Row;
use uuid::Uuid;

use super::fold::{Changes, Key, Place, Version, VersionKey};
use crate::{
    ViewError,
    db::{self, applying, column},
};

/// The columns that [`place`] needs.
pub(super) const PLACE: &str =
    "visit, enterprise, parties, items, officers, ground, day, held, finding";

pub(super) async fn places(
    transaction: &Transaction<'_>,
    visits: &[VisitId],
) -> Result<HashMap<Key, Place>, ViewError> {
    if visits.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = format!("SELECT {PLACE} FROM visit WHERE visit = ANY($1)");
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let wanted: Vec<Uuid> = visits.iter().map(|visit| visit.0).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    rows.iter().map(place).collect()
}

pub(super) fn place(row: &Row) -> Result<(Key, Place), ViewError> {
    let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
    let visit = VisitId(column(row, "visit")?);
    let held: Option<Held> = db::parsed_opt(row, "held", db::from_word)?;
    let entry = Entry {
        visit,
        parties: json(row, "parties")?,
        items: json(row, "items")?,
        officers: json(row, "officers")?,
        ground: db::parsed(row, "ground", db::from_word)?,
        on: column(row, "day")?,
        // A place that was given back comes to count again only as used.
        held: held.unwrap_or(Held::Reserved),
        finding: column(row, "finding")?,
    };
    Ok(((visit, enterprise), Place { entry, holds: held.is_some() }))
}

pub(super) async fn put_places(
    transaction: &Transaction<'_>,
    changes: &Changes,
) -> Result<(), ViewError> {
    let changed = changes.places_changed.iter();
    let changed: Vec<(&Key, &Place)> =
        changed.filter_map(|key| changes.places.get_key_value(key)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO visit (visit, enterprise, parties, items, officers, ground, day, \
         held, finding) SELECT a, b, c::jsonb, d::jsonb, e::jsonb, f, g, h, i FROM unnest( \
         $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], \
         $8::text[], $9::boolean[]) AS t(a, b, c, d, e, f, g, h, i) \
         ON CONFLICT (visit, enterprise) DO UPDATE SET parties = excluded.parties, \
         items = excluded.items, officers = excluded.officers, ground = excluded.ground, \
         day = excluded.day, held = excluded.held, finding = excluded.finding";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let visits: Vec<Uuid> = changed.iter().map(|((visit, _), _)| visit.0).collect();
    let enterprises: Vec<&str> = changed.iter().map(|((_, owner), _)| owner.as_str()).collect();
    let parties = texts(changed.iter().map(|(_, place)| &place.entry.parties))?;
    let items = texts(changed.iter().map(|(_, place)| &place.entry.items))?;
    let officers = texts(changed.iter().map(|(_, place)| &place.entry.officers))?;
    let grounds: Vec<String> =
        changed.iter().map(|(_, place)| db::word(&place.entry.ground)).collect();
    let days: Vec<_> = changed.iter().map(|(_, place)| place.entry.on).collect();
    let held: Vec<Option<String>> =
        changed.iter().map(|(_, place)| place.holds.then(|| db::word(&place.entry.held))).collect();
    let findings: Vec<Option<bool>> =
        changed.iter().map(|(_, place)| place.entry.finding).collect();
    transaction
        .execute(
            &statement,
            &[
                &visits,
                &enterprises,
                &parties,
                &items,
                &officers,
                &grounds,
                &days,
                &held,
                &findings,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

pub(super) async fn profiles(
    transaction: &Transaction<'_>,
    enterprises: &[EnterpriseId],
) -> Result<HashMap<EnterpriseId, Registered>, ViewError> {
    if enterprises.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = "SELECT enterprise, profile FROM enterprise WHERE enterprise = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<&str> = enterprises.iter().map(EnterpriseId::as_str).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
        Ok((enterprise, json(row, "profile")?))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn put_profiles(
    transaction: &Transaction<'_>,
    changes: &Changes,
) -> Result<(), ViewError> {
    let changed =
        changes.profiles_changed.iter().filter_map(|id| changes.profiles.get_key_value(id));
    let (enterprises, profiles): (Vec<&str>, Vec<&Registered>) =
        changed.map(|(enterprise, profile)| (enterprise.as_str(), profile)).unzip();
    if enterprises.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO enterprise (enterprise, profile) SELECT a, b::jsonb \
         FROM unnest($1::text[], $2::text[]) AS t(a, b) \
         ON CONFLICT (enterprise) DO UPDATE SET profile = excluded.profile";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let profiles = texts(profiles.into_iter())?;
    transaction.execute(&statement, &[&enterprises, &profiles]).await.map_err(applying)?;
    Ok(())
}

/// The drafts and the versions in force: few, and read only when the document itself changes.
pub(super) async fn versions(
    transaction: &Transaction<'_>,
    names: &[PolicyName],
) -> Result<BTreeMap<VersionKey, Version>, ViewError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = "SELECT name, version, published, said FROM policy WHERE name = ANY($1) \
         ORDER BY name, version LIMIT 10000";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let name = db::parsed(row, "name", |name| PolicyName::try_from(name.to_owned()))?;
        let version = db::count(column(row, "version")?);
        let found = Version { published: column(row, "published")?, said: json(row, "said")? };
        Ok(((name, version), found))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn put_versions(
    transaction: &Transaction<'_>,
    changes: &Changes,
) -> Result<(), ViewError> {
    let stored = |version: u32| i32::try_from(version).unwrap_or(i32::MAX);
    let (names, versions): (Vec<String>, Vec<i32>) = changes
        .versions_changed
        .iter()
        .map(|(name, version)| (name.to_string(), stored(*version)))
        .unzip();
    if names.is_empty() {
        return Ok(());
    }
    let statement = "DELETE FROM policy USING unnest($1::text[], $2::integer[]) AS gone (name, \
         version) WHERE policy.name = gone.name AND policy.version = gone.version";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction.execute(&statement, &[&names, &versions]).await.map_err(applying)?;
    let kept = changes.versions_changed.iter();
    let kept: Vec<(&VersionKey, &Version)> =
        kept.filter_map(|key| changes.versions.get_key_value(key)).collect();
    let names: Vec<String> = kept.iter().map(|((name, _), _)| name.to_string()).collect();
    let versions: Vec<i32> = kept.iter().map(|((_, version), _)| stored(*version)).collect();
    let published: Vec<bool> = kept.iter().map(|(_, version)| version.published).collect();
    let said = texts(kept.iter().map(|(_, version)| &version.said))?;
    let statement = "INSERT INTO policy (name, version, published, said) \
         SELECT a, b, c, d::jsonb \
         FROM unnest($1::text[], $2::integer[], $3::boolean[], $4::text[]) AS t(a, b, c, d)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&names, &versions, &published, &said])
        .await
        .map_err(applying)?;
    Ok(())
}

/// A column of a row as what it was written from.
pub(super) fn json<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, ViewError> {
    serde_json::from_value(column(row, name)?)
        .map_err(|error| ViewError::fault("reading a column of the frequency ledger", error))
}

fn texts<'a, T: Serialize + 'a>(
    values: impl Iterator<Item = &'a T>,
) -> Result<Vec<String>, ViewError> {
    values
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|error| ViewError::fault("writing a column of the frequency ledger", error))
}
