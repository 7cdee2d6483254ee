//! Writes the timeline: at most two reads and three writes for a whole batch.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use tokio_postgres::{
    Row,
    types::{Json, Type},
};
use uuid::Uuid;

use super::fold::{Charge, Concerned, Known, NewEntry, Subject};
use crate::{
    ViewError,
    column::{self, Column},
    db::{self, applying},
    fact::Fact,
    scope,
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
) -> Result<HashMap<(Uuid, EnterpriseId), Subject>, ViewError> {
    if concerned.subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = "SELECT subject, enterprise, unit, area, co_units, asked, secrecy, appeal, known \
         FROM subject WHERE subject = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let wanted: Vec<&Uuid> = concerned.subjects.iter().collect();
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let read = |row: &Row| {
        let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
        let Json(asked) = db::column(row, "asked")?;
        let subject = Subject {
            charge: Charge {
                unit: db::parsed_opt(row, "unit", UnitId::parse)?,
                area: db::parsed_opt(row, "area", AreaCode::parse)?,
            },
            co_units: db::units(row, "co_units")?,
            asked,
            level: scope::level(db::column(row, "secrecy")?),
            appeal: db::column(row, "appeal")?,
            known: db::column(row, "known")?,
        };
        Ok(((db::column(row, "subject")?, enterprise), subject))
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
    let charges = || entries.iter().map(|entry| &entry.charge);
    let units = charges().map(|charge| charge.unit.as_ref().map(UnitId::as_str)).collect();
    let areas = charges().map(|charge| charge.area.as_ref().map(AreaCode::as_str)).collect();
    let columns = [
        Column::new("position", Type::INT8, each(entries, |entry| entry.position)),
        Column::new("ordinal", Type::INT4, each(entries, |entry| entry.ordinal)),
        Column::new("enterprise", Type::TEXT, each(entries, |entry| entry.enterprise.as_str())),
        Column::new("kind", Type::TEXT, each(entries, |entry| entry.kind.as_str())),
        Column::new("event_type", Type::TEXT, each(entries, |entry| entry.event_type)),
        Column::new("subject", Type::UUID, each(entries, |entry| entry.subject)),
        Column::new("unit", Type::TEXT, units),
        Column::new("area", Type::TEXT, areas),
        Column::new("occurred_at", Type::TIMESTAMPTZ, each(entries, |entry| entry.occurred_at)),
        Column::new("recorded_at", Type::TIMESTAMPTZ, each(entries, |entry| entry.recorded_at)),
        Column::new("details", Type::JSON, each(entries, |entry| Json(&entry.details))),
        Column::new("internal", Type::BOOL, each(entries, |entry| entry.internal)),
    ];
    let all: Vec<usize> = (0..entries.len()).collect();
    column::add(transaction, "entry", &columns, &all).await
}

fn each<'a, T>(entries: &'a [NewEntry<'a>], pick: impl Fn(&'a NewEntry<'a>) -> T) -> Vec<T> {
    entries.iter().map(pick).collect()
}

async fn remember_subjects(transaction: &Transaction<'_>, known: &Known) -> Result<(), ViewError> {
    let changed = known.subjects_changed.iter().filter_map(|key| known.subjects.get_key_value(key));
    let rows: Vec<(&(Uuid, EnterpriseId), &Subject)> = changed.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let co_units: Vec<String> =
        rows.iter().map(|(_, subject)| db::array(&subject.co_units)).collect();
    let beside: Vec<String> = rows.iter().map(|(_, subject)| db::array(subject.beside())).collect();
    let asked = |subject: &Subject| serde_json::to_string(&subject.asked).unwrap_or_default();
    let asked: Vec<String> = rows.iter().map(|(_, subject)| asked(subject)).collect();
    let subjects: Vec<&Uuid> = rows.iter().map(|((subject, _), _)| subject).collect();
    let enterprises: Vec<&str> = rows.iter().map(|((_, owner), _)| owner.as_str()).collect();
    let unit = |subject: &Subject| subject.charge.unit.as_ref().map(ToString::to_string);
    let units: Vec<Option<String>> = rows.iter().map(|(_, subject)| unit(subject)).collect();
    let area = |subject: &Subject| subject.charge.area.as_ref().map(ToString::to_string);
    let areas: Vec<Option<String>> = rows.iter().map(|(_, subject)| area(subject)).collect();
    let secrecy: Vec<i16> = rows.iter().map(|(_, subject)| scope::secrecy(subject.level)).collect();
    let appeals: Vec<Option<Uuid>> = rows.iter().map(|(_, subject)| subject.appeal).collect();
    let known: Vec<bool> = rows.iter().map(|(_, subject)| subject.known).collect();
    let statement = "INSERT INTO subject (subject, enterprise, unit, area, co_units, secrecy, \
         appeal, asked, beside, known) \
         SELECT a, b, c, d, e::text[], f, g, h::jsonb, \
         i::text[], j \
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], \
         $7::uuid[], $8::text[], $9::text[], $10::boolean[]) AS t(a, b, c, d, e, f, g, h, i, j) \
         ON CONFLICT (subject, enterprise) DO UPDATE SET unit = excluded.unit, \
         area = excluded.area, co_units = excluded.co_units, secrecy = excluded.secrecy, \
         appeal = excluded.appeal, asked = excluded.asked, beside = excluded.beside, \
         known = excluded.known";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &subjects,
                &enterprises,
                &units,
                &areas,
                &co_units,
                &secrecy,
                &appeals,
                &asked,
                &beside,
                &known,
            ],
        )
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
