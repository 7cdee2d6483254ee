//! The rows of profiles and documents: read before a batch, written after it.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, enterprise::Registered, policy::PolicyName};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::fold::{Documents, Version, VersionKey};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
    history,
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
    rows: &[history::Version<(EnterpriseId, Registered)>],
) -> Result<(), ViewError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = "WITH row AS (SELECT a, b::jsonb AS b, c, d, e, f FROM unnest($1::text[], \
         $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::timestamptz[]) \
         AS row(a, b, c, d, e, f)), \
         first AS (SELECT DISTINCT ON (a) a, c, d FROM row ORDER BY a, c), \
         past AS (INSERT INTO enterprise_past \
         SELECT v.*, c, d FROM first JOIN enterprise AS v ON v.enterprise = a AND v.since < c \
         UNION ALL SELECT * FROM row WHERE e IS NOT NULL) \
         INSERT INTO enterprise (enterprise, profile, since, since_at) \
         SELECT a, b, c, d FROM row WHERE e IS NULL \
         ON CONFLICT (enterprise) DO UPDATE SET profile = excluded.profile, \
         since = excluded.since, since_at = excluded.since_at";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let enterprises: Vec<&str> = rows.iter().map(|version| version.row.0.as_str()).collect();
    let profiles = texts(rows.iter().map(|version| &version.row.1))?;
    let since: Vec<i64> = rows.iter().map(|version| version.since).collect();
    let since_at: Vec<Timestamp> = rows.iter().map(|version| version.since_at).collect();
    let until: Vec<Option<i64>> = rows.iter().map(|version| version.until).collect();
    let until_at: Vec<Option<Timestamp>> = rows.iter().map(|version| version.until_at).collect();
    transaction
        .execute(&statement, &[&enterprises, &profiles, &since, &since_at, &until, &until_at])
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
    changes: &mut Documents,
    fact: &Fact,
) -> Result<(), ViewError> {
    let stored = |version: u32| i32::try_from(version).unwrap_or(i32::MAX);
    let changed = mem::take(&mut changes.versions_changed);
    let (names, versions): (Vec<String>, Vec<i32>) =
        changed.iter().map(|(name, version)| (name.to_string(), stored(*version))).unzip();
    if names.is_empty() {
        return Ok(());
    }
    let statement = "WITH gone AS (DELETE FROM policy USING unnest($1::text[], $2::integer[]) \
         AS gone (a, b) WHERE policy.name = a AND policy.version = b RETURNING policy.*) \
         INSERT INTO policy_past SELECT gone.*, $3::bigint, $4::timestamptz FROM gone \
         WHERE since < $3";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(&statement, &[&names, &versions, &fact.position, &fact.occurred_at])
        .await
        .map_err(applying)?;
    let kept = changed.iter();
    let kept: Vec<(&VersionKey, &Version)> =
        kept.filter_map(|key| changes.versions.get_key_value(key)).collect();
    let names: Vec<String> = kept.iter().map(|((name, _), _)| name.to_string()).collect();
    let versions: Vec<i32> = kept.iter().map(|((_, version), _)| stored(*version)).collect();
    let published: Vec<bool> = kept.iter().map(|(_, version)| version.published).collect();
    let said = texts(kept.iter().map(|(_, version)| &version.said))?;
    let statement = "INSERT INTO policy (name, version, published, said, since, since_at) \
         SELECT a, b, c, d::jsonb, $5::bigint, $6::timestamptz FROM unnest($1::text[], $2::integer[], $3::boolean[], \
         $4::text[]) AS t(a, b, c, d)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[&names, &versions, &published, &said, &fact.position, &fact.occurred_at],
        )
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
