//! The rows of profiles and documents: read before a batch, written after it.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use doudi_domain::{EnterpriseId, enterprise::Registered, policy::PolicyName};
use serde::de::DeserializeOwned;
use tokio_postgres::{Row, types::Type};

use super::fold::{Version, VersionKey};
use crate::{
    ViewError,
    column::Column,
    db::{self, applying, column},
    history::{Table, Versions},
};

/// What enterprises are known by, and what they were.
pub(crate) const ENTERPRISE: Table = Table { name: "enterprise", key: "enterprise" };
/// The documents, and what they were.
pub(crate) const POLICY: Table = Table { name: "policy", key: "name, version" };

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
    rows: &Versions<EnterpriseId, (EnterpriseId, Registered)>,
) -> Result<(), ViewError> {
    let enterprises: Vec<&str> = rows.rows().map(|(enterprise, _)| enterprise.as_str()).collect();
    let columns = vec![
        Column::new("enterprise", Type::TEXT, enterprises),
        Column::json("profile", rows.rows().map(|(_, profile)| Some(profile))),
    ];
    rows.put(transaction, ENTERPRISE, columns).await
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
    rows: &Versions<VersionKey, (VersionKey, Version)>,
) -> Result<(), ViewError> {
    rows.remove(transaction, POLICY, keyed).await?;
    let keys: Vec<&VersionKey> = rows.rows().map(|(key, _)| key).collect();
    let mut columns = keyed(&keys);
    let published = rows.rows().map(|(_, version)| version.published).collect();
    columns.push(Column::new("published", Type::BOOL, published));
    columns.push(Column::json("said", rows.rows().map(|(_, version)| Some(&version.said))));
    rows.put(transaction, POLICY, columns).await
}

fn keyed<'a>(keys: &[&'a VersionKey]) -> Vec<Column<'a>> {
    let stored = |version: u32| i32::try_from(version).unwrap_or(i32::MAX);
    let (names, versions): (Vec<String>, Vec<i32>) =
        keys.iter().map(|(name, version)| (name.to_string(), stored(*version))).unzip();
    vec![Column::new("name", Type::TEXT, names), Column::new("version", Type::INT4, versions)]
}

/// A column of a row as what it was written from.
pub(super) fn json<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, ViewError> {
    serde_json::from_value(column(row, name)?)
        .map_err(|error| ViewError::fault("reading a column of the visits", error))
}
