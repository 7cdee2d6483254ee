//! The rows of the visits: read before a batch, written after it with all that they were within it,
//! one statement each.

use std::{collections::HashMap, slice};

use deadpool_postgres::Transaction;
use doudi_domain::{AreaCode, EnterpriseId, VisitId};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{
    Row,
    fold::{Changes, Concerned, Documents, Key},
    known::{self, texts},
};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
    history::{Version, Versions},
};

/// The columns that [`read`] needs.
pub(super) const COLUMNS: &str = "enterprise, area, document";

/// Takes facts in: three reads and two writes, and two more for each change of a document.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let concerned = Concerned::by(facts);
    let documents = Documents {
        profiles: known::profiles(transaction, &concerned.enterprises).await?,
        versions: known::versions(transaction, &concerned.policies).await?,
        ..Documents::default()
    };
    let rows = load(transaction, &concerned.visits).await?;
    let mut changes = Changes { rows, documents, ..Changes::default() };
    let (mut visits, mut profiles) = (Versions::default(), Versions::default());
    for fact in facts {
        changes.fold(slice::from_ref(fact));
        for key in changes.rows_changed.drain() {
            if let Some(row) = changes.rows.get(&key) {
                visits.push(key, row.clone(), fact);
            }
        }
        for id in changes.documents.profiles_changed.drain() {
            if let Some(profile) = changes.documents.profiles.get(&id) {
                profiles.push(id.clone(), (id, profile.clone()), fact);
            }
        }
        known::put_versions(transaction, &mut changes.documents, fact).await?;
    }
    put(transaction, visits.rows()).await?;
    known::put_profiles(transaction, profiles.rows()).await
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
) -> Result<HashMap<Key, Row>, ViewError> {
    if visits.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = format!("SELECT {COLUMNS} FROM visit WHERE visit = ANY($1)");
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let wanted: Vec<Uuid> = visits.iter().map(|visit| visit.0).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let keyed = |row: Row| ((row.id(), row.enterprise.clone()), row);
    rows.iter().map(|row| read(row).map(keyed)).collect()
}

/// Writes whole rows: what a visit is now; what it was is kept.
const PUT: &str = "WITH row AS (\
     SELECT a, b, c, d, ARRAY(SELECT jsonb_array_elements_text(e::jsonb)) AS e, \
     ARRAY(SELECT jsonb_array_elements_text(f::jsonb)) AS f, g, h, i, j, k, l, m::jsonb AS m, \
     n, o, p, q FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], \
     $6::text[], $7::text[], $8::text[], $9::date[], $10::text[], $11::boolean[], \
     $12::boolean[], $13::text[], $14::bigint[], $15::timestamptz[], $16::bigint[], \
     $17::timestamptz[]) AS row(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)), \
     first AS (SELECT DISTINCT ON (a, b) a, b, n, o FROM row ORDER BY a, b, n), \
     past AS (INSERT INTO visit_past \
     SELECT v.*, n, o FROM first \
     JOIN visit AS v ON v.visit = a AND v.enterprise = b AND v.since < n \
     UNION ALL SELECT * FROM row WHERE p IS NOT NULL) \
     INSERT INTO visit (visit, enterprise, area, unit, beside, officers, state, ground, \
     day, held, finding, internal, document, since, since_at) \
     SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o FROM row WHERE p IS NULL \
     ON CONFLICT (visit, enterprise) DO UPDATE SET area = excluded.area, unit = excluded.unit, \
     beside = excluded.beside, officers = excluded.officers, state = excluded.state, \
     ground = excluded.ground, day = excluded.day, held = excluded.held, \
     finding = excluded.finding, internal = excluded.internal, document = excluded.document, \
     since = excluded.since, since_at = excluded.since_at";

async fn put(transaction: &Transaction<'_>, rows: &[Version<Row>]) -> Result<(), ViewError> {
    if rows.is_empty() {
        return Ok(());
    }
    let officers: Vec<_> = each(rows, Row::officers);
    let of = |version: &Version<Row>| (version.since, version.since_at);
    let (since, since_at): (Vec<_>, Vec<_>) = rows.iter().map(of).unzip();
    let until = |version: &Version<Row>| (version.until, version.until_at);
    let (until, until_at): (Vec<_>, Vec<_>) = rows.iter().map(until).unzip();
    let statement = transaction.prepare_cached(PUT).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(rows, |row| row.id().0),
                &each(rows, |row| row.enterprise.as_str()),
                &each(rows, |row| row.area.as_ref().map(AreaCode::as_str)),
                &each(rows, |row| row.unit().as_str()),
                // An array of arrays must be rectangular in PostgreSQL, so lists travel as JSON.
                &texts(each(rows, Row::beside).iter())?,
                &texts(officers.iter())?,
                &each(rows, |row| db::word(&row.state())),
                &each(rows, |row| row.ground().as_ref().map(db::word)),
                &each(rows, Row::day),
                &each(rows, |row| row.held().as_ref().map(|(held, _)| db::word(held))),
                &each(rows, |row| row.held().and_then(|(_, finding)| finding)),
                &each(rows, Row::is_internal),
                &texts(rows.iter().map(|version| &version.row.what))?,
                &since,
                &since_at,
                &until,
                &until_at,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

fn each<'a, T>(rows: &'a [Version<Row>], pick: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(|version| pick(&version.row)).collect()
}
