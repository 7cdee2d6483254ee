//! The rows of the alerts: at most one read and two writes for a whole batch.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use doudi_domain::{AreaCode, EnterpriseId, UnitId, VisitId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Alert,
    fold::{self, Key, Known, Planned},
};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
};

/// Adds the alerts of `facts`.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let visits = visits(transaction, &fold::visits_of(facts)).await?;
    let mut known = Known { visits, ..Known::default() };
    let alerts = known.fold(facts);
    insert(transaction, &alerts).await?;
    remember(transaction, &known).await
}

async fn visits(
    transaction: &Transaction<'_>,
    visits: &[VisitId],
) -> Result<HashMap<Key, Planned>, ViewError> {
    if visits.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = "SELECT visit, enterprise, unit, area FROM visit WHERE visit = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<Uuid> = visits.iter().map(|visit| visit.0).collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
        let planned = Planned {
            unit: db::parsed(row, "unit", UnitId::parse)?,
            area: db::parsed_opt(row, "area", AreaCode::parse)?,
        };
        Ok(((VisitId(column(row, "visit")?), enterprise), planned))
    };
    rows.iter().map(read).collect()
}

async fn insert(transaction: &Transaction<'_>, alerts: &[Alert]) -> Result<(), ViewError> {
    if alerts.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO alert (position, ordinal, kind, enterprise, visit, unit, area, \
         occurred_at, reason) SELECT a, b, c, d, e, f, g, h, i::jsonb FROM unnest($1::bigint[], \
         $2::integer[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], \
         $8::timestamptz[], $9::text[]) AS t(a, b, c, d, e, f, g, h, i)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let reasons = alerts.iter().map(|alert| serde_json::to_string(&alert.reason));
    let reasons = reasons
        .collect::<Result<Vec<String>, _>>()
        .map_err(|error| ViewError::fault("writing an alert", error))?;
    let ordinal = |alert: &Alert| alert.point().stored_ordinal();
    transaction
        .execute(
            &statement,
            &[
                &each(alerts, |alert| db::stored(alert.position)),
                &each(alerts, ordinal),
                &each(alerts, |alert| db::word(&alert.reason.kind())),
                &each(alerts, |alert| alert.enterprise.as_str()),
                &each(alerts, |alert| alert.visit.0),
                &each(alerts, |alert| alert.unit.as_ref().map(UnitId::as_str)),
                &each(alerts, |alert| alert.area.as_ref().map(AreaCode::as_str)),
                &each(alerts, |alert| alert.occurred_at),
                &reasons,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

fn each<'a, T>(alerts: &'a [Alert], pick: impl Fn(&'a Alert) -> T) -> Vec<T> {
    alerts.iter().map(pick).collect()
}

async fn remember(transaction: &Transaction<'_>, known: &Known) -> Result<(), ViewError> {
    let planned = known.planned.iter().filter_map(|key| known.visits.get_key_value(key));
    let planned: Vec<(&Key, &Planned)> = planned.collect();
    if planned.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO visit (visit, enterprise, unit, area) SELECT * FROM \
         unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) \
         ON CONFLICT (visit, enterprise) DO UPDATE SET unit = excluded.unit, area = excluded.area";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let visits: Vec<Uuid> = planned.iter().map(|((visit, _), _)| visit.0).collect();
    let enterprises: Vec<&str> = planned.iter().map(|((_, owner), _)| owner.as_str()).collect();
    let units: Vec<&str> = planned.iter().map(|(_, found)| found.unit.as_str()).collect();
    let areas: Vec<Option<&str>> =
        planned.iter().map(|(_, found)| found.area.as_ref().map(AreaCode::as_str)).collect();
    transaction
        .execute(&statement, &[&visits, &enterprises, &units, &areas])
        .await
        .map_err(applying)?;
    Ok(())
}
