//! The rows of profiles and documents: read before a batch, written after it.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, enterprise::Registered, policy::PolicyName};
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::fold::{Documents, Version, VersionKey};
use crate::{
    ViewError,
    db::{self, applying, column},
    history::Moments,
    read::Snapshot,
};

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

/// Who an enterprise is; none where it is not registered.
pub(super) async fn profile(
    snapshot: &Snapshot<'_>,
    enterprise: &EnterpriseId,
) -> Result<Option<Registered>, ViewError> {
    let statement = "SELECT profile FROM enterprise WHERE enterprise = $1";
    let values: [(&(dyn ToSql + Sync), Type); 1] = [(&enterprise.as_str(), Type::TEXT)];
    let rows = snapshot.rows("reading a profile", statement, &values).await?;
    rows.first().map(|row| json(row, "profile")).transpose()
}

pub(super) async fn put_profiles(
    transaction: &Transaction<'_>,
    changes: &Documents,
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    let changed =
        changes.profiles_changed.iter().filter_map(|id| changes.profiles.get_key_value(id));
    let changed: Vec<(&EnterpriseId, &Registered)> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    let statement = "WITH now AS (SELECT a, b::jsonb AS b, c, d \
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) AS t(a, b, c, d)), \
         was AS (INSERT INTO enterprise_past SELECT e.*, c, d FROM now \
         JOIN enterprise AS e ON e.enterprise = a AND e.since < c) \
         INSERT INTO enterprise (enterprise, profile, since, since_at) SELECT * FROM now \
         ON CONFLICT (enterprise) DO UPDATE SET profile = excluded.profile, \
         since = excluded.since, since_at = excluded.since_at";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let enterprises: Vec<&str> = changed.iter().map(|(id, _)| id.as_str()).collect();
    let profiles = texts(changed.iter().map(|(_, profile)| *profile))?;
    let (since, since_at) = moments.about(changed.iter().map(|(id, _)| *id));
    transaction
        .execute(&statement, &[&enterprises, &profiles, &since, &since_at])
        .await
        .map_err(applying)?;
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
    changes: &Documents,
    moments: &Moments<'_>,
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
    let (until, until_at) = moments.about_documents(names.iter().map(String::as_str));
    let statement = "WITH gone AS (DELETE FROM policy USING unnest($1::text[], $2::integer[], \
         $3::bigint[], $4::timestamptz[]) AS gone (a, b, c, d) \
         WHERE policy.name = a AND policy.version = b RETURNING policy.*, c, d) \
         INSERT INTO policy_past SELECT * FROM gone WHERE since < c";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&names, &versions, &until, &until_at])
        .await
        .map_err(applying)?;
    let kept = changes.versions_changed.iter();
    let kept: Vec<(&VersionKey, &Version)> =
        kept.filter_map(|key| changes.versions.get_key_value(key)).collect();
    let names: Vec<String> = kept.iter().map(|((name, _), _)| name.to_string()).collect();
    let versions: Vec<i32> = kept.iter().map(|((_, version), _)| stored(*version)).collect();
    let published: Vec<bool> = kept.iter().map(|(_, version)| version.published).collect();
    let said = texts(kept.iter().map(|(_, version)| &version.said))?;
    let (since, since_at) = moments.about_documents(names.iter().map(String::as_str));
    let statement = "INSERT INTO policy (name, version, published, said, since, since_at) \
         SELECT a, b, c, d::jsonb, e, f FROM unnest($1::text[], $2::integer[], $3::boolean[], \
         $4::text[], $5::bigint[], $6::timestamptz[]) AS t(a, b, c, d, e, f)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&names, &versions, &published, &said, &since, &since_at])
        .await
        .map_err(applying)?;
    Ok(())
}

/// A column of a row as what it was written from.
pub(super) fn json<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, ViewError> {
    serde_json::from_value(column(row, name)?)
        .map_err(|error| ViewError::fault("reading a column of the visits", error))
}

pub(super) fn texts<'a, T: Serialize + 'a>(
    values: impl Iterator<Item = &'a T>,
) -> Result<Vec<String>, ViewError> {
    values
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|error| ViewError::fault("writing a column of the visits", error))
}
