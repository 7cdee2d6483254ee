//! The rows of the visits: read before a batch, written after it with all that they were within it.

use std::{collections::HashMap, mem, slice, sync::Arc};

use deadpool_postgres::Transaction;
use doudi_domain::{AreaCode, EnterpriseId, VisitId, enterprise::Registered, visits::Visit};
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::{
    Row,
    fold::{Changes, Concerned, Documents, Key, Version, VersionKey},
    known,
};
use crate::{
    ViewError,
    column::Column,
    db::{self, applying, column},
    fact::Fact,
    history::{Table, Versions},
};

/// The visits, and what they were.
pub(crate) const VISIT: Table = Table { name: "visit", key: "visit, enterprise" };

/// The columns that [`read`] needs.
pub(super) const COLUMNS: &str = "enterprise, area, document";

/// Takes facts in: three reads and seven writes at most for a whole batch.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let concerned = Concerned::by(facts);
    let documents = Documents {
        profiles: known::profiles(transaction, &concerned.enterprises).await?,
        versions: known::versions(transaction, &concerned.policies).await?,
        ..Documents::default()
    };
    let rows = load(transaction, &concerned.visits).await?;
    let batch = Batch::of(Changes { rows, documents, ..Changes::default() }, facts);
    put(transaction, &batch.visits).await?;
    known::put_profiles(transaction, &batch.profiles).await?;
    known::put_versions(transaction, &batch.documents).await
}

/// What becomes of rows by a batch of facts.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) visits: Versions<Key, Arc<Row>>,
    pub(super) profiles: Versions<EnterpriseId, (EnterpriseId, Registered)>,
    pub(super) documents: Versions<VersionKey, (VersionKey, Version)>,
}

impl Batch {
    /// Takes the facts in one by one, on what is known of the rows that they concern.
    pub(super) fn of(mut changes: Changes, facts: &[Fact]) -> Self {
        let mut batch = Self::default();
        for fact in facts {
            changes.fold(slice::from_ref(fact));
            for key in changes.rows_changed.drain() {
                if let Some(row) = changes.rows.get(&key) {
                    batch.visits.push(key, Arc::clone(row), fact);
                }
            }
            for id in changes.documents.profiles_changed.drain() {
                if let Some(profile) = changes.documents.profiles.get(&id) {
                    batch.profiles.push(id.clone(), (id, profile.clone()), fact);
                }
            }
            for key in mem::take(&mut changes.documents.versions_changed) {
                match changes.documents.versions.get(&key) {
                    Some(version) => {
                        batch.documents.push(key.clone(), (key, version.clone()), fact);
                    }
                    None => batch.documents.end(key, fact),
                }
            }
        }
        batch
    }
}

/// Reads a row of the table `visit`.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, ViewError> {
    let Json(what) = column(row, "document")?;
    Ok(Row {
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        area: db::parsed_opt(row, "area", AreaCode::parse)?,
        what,
    })
}

async fn load(
    transaction: &Transaction<'_>,
    visits: &[VisitId],
) -> Result<HashMap<Key, Arc<Row>>, ViewError> {
    if visits.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = format!("SELECT {COLUMNS} FROM visit WHERE visit = ANY($1)");
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let wanted: Vec<Uuid> = visits.iter().map(|visit| visit.0).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let keyed = |row: Row| ((row.id(), row.enterprise.clone()), Arc::new(row));
    rows.iter().map(|row| read(row).map(keyed)).collect()
}

async fn put(
    transaction: &Transaction<'_>,
    rows: &Versions<Key, Arc<Row>>,
) -> Result<(), ViewError> {
    let held = |row: &Row| row.held().as_ref().map(db::word);
    let finding = |row: &Row| row.visit().and_then(Visit::finding);
    let irregular = |row: &Row| {
        let (_, irregularities) = row.visit()?.arrival.as_ref()?;
        Some(!irregularities.is_empty())
    };
    let columns = vec![
        Column::new("visit", Type::UUID, each(rows, |row| row.id().0)),
        Column::new("enterprise", Type::TEXT, each(rows, |row| row.enterprise.as_str())),
        Column::new("area", Type::TEXT, each(rows, |row| row.area.as_ref().map(AreaCode::as_str))),
        Column::new("unit", Type::TEXT, each(rows, |row| row.unit().as_str())),
        Column::list("beside", rows.rows().map(|row| row.beside())),
        Column::list("officers", rows.rows().map(|row| row.officers())),
        Column::new("state", Type::TEXT, each(rows, |row| db::word(&row.state()))),
        Column::new("ground", Type::TEXT, each(rows, |row| row.ground().as_ref().map(db::word))),
        Column::new("day", Type::DATE, each(rows, Row::day)),
        Column::new("held", Type::TEXT, each(rows, held)),
        Column::new("finding", Type::BOOL, each(rows, finding)),
        Column::new("internal", Type::BOOL, each(rows, Row::is_internal)),
        Column::new("irregular", Type::BOOL, each(rows, irregular)),
        Column::new("document", Type::JSON, each(rows, |row| Json(&row.what))),
    ];
    rows.put(transaction, VISIT, columns).await
}

fn each<'a, T>(rows: &'a Versions<Key, Arc<Row>>, pick: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.rows().map(|row| pick(row)).collect()
}
