//! The rows of the appeals: read before a batch, written after it, one statement each.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId, UnitId, VisitId, calendar::DueDate,
    routing::RouteRule,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    Row, State,
    fold::{Changes, Key, appeals_of},
};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
};

/// The columns of a row.
pub(super) const COLUMNS: &str = "appeal, enterprise, state, channel, topic, area, unit, co_units, \
     rule, due_on, due_start, due_working_days, due_calendar_version, due_provisional, objections, \
     about_visit, submitted_at, submitted_position, updated_position";

/// Takes facts into the list.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let wanted: Vec<Uuid> = appeals_of(facts).into_iter().map(|appeal| appeal.0).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let statement = format!("SELECT {COLUMNS} FROM appeal WHERE appeal = ANY($1)");
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let found = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let keyed = |row| read(row).map(|row| ((row.appeal, row.enterprise.clone()), row));
    let rows = found.iter().map(keyed).collect::<Result<HashMap<Key, Row>, _>>()?;
    let mut changes = Changes { rows, ..Changes::default() };
    changes.fold(facts);
    put(transaction, &changes).await
}

/// Reads a row.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, ViewError> {
    let rule: Option<serde_json::Value> = column(row, "rule")?;
    let rule: Option<RouteRule> = rule
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| ViewError::fault("reading a routing rule", error))?;
    let co_units: Vec<&str> = column(row, "co_units")?;
    let co_units = co_units.into_iter().map(|unit| db::value(unit, UnitId::parse));
    Ok(Row {
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        appeal: AppealId(column(row, "appeal")?),
        state: db::parsed(row, "state", State::parse)?,
        channel: db::parsed(row, "channel", db::from_word)?,
        topic: db::parsed(row, "topic", TopicId::parse)?,
        area: db::parsed(row, "area", AreaCode::parse)?,
        unit: db::parsed_opt(row, "unit", UnitId::parse)?,
        co_units: co_units.collect::<Result<_, _>>()?,
        rule,
        due: due(row)?,
        objections: db::count(column(row, "objections")?),
        about_visit: column::<Option<Uuid>>(row, "about_visit")?.map(VisitId),
        submitted_at: column(row, "submitted_at")?,
        submitted: db::position(column(row, "submitted_position")?),
        updated: db::position(column(row, "updated_position")?),
    })
}

fn due(row: &tokio_postgres::Row) -> Result<Option<DueDate>, ViewError> {
    let Some(on) = column::<Option<Date>>(row, "due_on")? else {
        return Ok(None);
    };
    let working_days: i32 = column(row, "due_working_days")?;
    Ok(Some(DueDate {
        on,
        start: column(row, "due_start")?,
        working_days: u16::try_from(working_days).unwrap_or(u16::MAX),
        calendar_version: db::count(column(row, "due_calendar_version")?),
        provisional: column(row, "due_provisional")?,
    }))
}

async fn put(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), ViewError> {
    let rows: Vec<&Row> = changes.changed.iter().filter_map(|key| changes.rows.get(key)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // An array of arrays must be rectangular in PostgreSQL, so lists travel as JSON.
    let co_units = each(&rows, |row| serde_json::to_string(&row.co_units).unwrap_or_default());
    let rule = |row: &Row| row.rule.as_ref().and_then(|rule| serde_json::to_string(rule).ok());
    let due = |row: &Row| row.due.clone();
    let version = |due: DueDate| i32::try_from(due.calendar_version).unwrap_or(i32::MAX);
    let objections = |row: &Row| i32::try_from(row.objections).unwrap_or(i32::MAX);
    let statement = transaction.prepare_cached(PUT).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(&rows, |row| row.appeal.0),
                &each(&rows, |row| row.enterprise.to_string()),
                &each(&rows, |row| row.state.as_str()),
                &each(&rows, |row| db::word(&row.channel)),
                &each(&rows, |row| row.topic.to_string()),
                &each(&rows, |row| row.area.to_string()),
                &each(&rows, |row| row.unit.as_ref().map(ToString::to_string)),
                &co_units,
                &each(&rows, rule),
                &each(&rows, |row| due(row).map(|due| due.on)),
                &each(&rows, |row| due(row).map(|due| due.start)),
                &each(&rows, |row| due(row).map(|due| i32::from(due.working_days))),
                &each(&rows, |row| due(row).map(version)),
                &each(&rows, |row| due(row).map(|due| due.provisional)),
                &each(&rows, objections),
                &each(&rows, |row| row.about_visit.map(|visit| visit.0)),
                &each(&rows, |row| row.submitted_at),
                &each(&rows, |row| db::stored(row.submitted)),
                &each(&rows, |row| db::stored(row.updated)),
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

/// Writes whole rows: what an appeal is now, and nothing of what it was.
const PUT: &str = "INSERT INTO appeal (appeal, enterprise, state, channel, topic, area, unit, \
     co_units, rule, due_on, due_start, due_working_days, due_calendar_version, due_provisional, \
     objections, about_visit, submitted_at, submitted_position, updated_position) \
     SELECT a, b, c, d, e, f, g, ARRAY(SELECT jsonb_array_elements_text(h::jsonb)), i::jsonb, \
     j, k, l, m, n, o, p, q, r, s FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], \
     $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::date[], $11::date[], \
     $12::integer[], $13::integer[], $14::boolean[], $15::integer[], $16::uuid[], \
     $17::timestamptz[], $18::bigint[], $19::bigint[]) \
     AS t(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s) \
     ON CONFLICT (appeal, enterprise) DO UPDATE SET state = excluded.state, \
     channel = excluded.channel, topic = excluded.topic, area = excluded.area, \
     unit = excluded.unit, co_units = excluded.co_units, rule = excluded.rule, \
     due_on = excluded.due_on, due_start = excluded.due_start, \
     due_working_days = excluded.due_working_days, \
     due_calendar_version = excluded.due_calendar_version, \
     due_provisional = excluded.due_provisional, objections = excluded.objections, \
     about_visit = excluded.about_visit, submitted_at = excluded.submitted_at, \
     submitted_position = excluded.submitted_position, updated_position = excluded.updated_position";

fn each<T>(rows: &[&Row], pick: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(|row| pick(row)).collect()
}
