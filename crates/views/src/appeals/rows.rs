//! The rows of the appeals: read before a batch, written after it, one statement each.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use doudi_domain::{
    AppealId, AreaCode, CaseNumber, CaseTypeId, ClassId, EnterpriseId, TopicId, UnitId, VisitId,
    clock::Clock, routing::RouteRule,
};
use jiff::Timestamp;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{
    Row,
    fold::{Before, Changes, Known, is_open},
    phase,
};
use crate::{
    ViewError,
    asked::Asked,
    db::{self, applying, column},
    history::Moments,
    scope,
};

/// The columns of a row but its clock, of the table `appeal`.
const OWN: &str = "appeal.appeal, appeal.enterprise, appeal.number, appeal.state, \
     appeal.channel, appeal.case_type, appeal.class, appeal.topic, appeal.area, appeal.secrecy, \
     appeal.unit, appeal.co_units, appeal.beside, appeal.rule, appeal.objections, appeal.bounces, \
     appeal.guarantee, appeal.merged_into, appeal.about_visit, appeal.submitted_at, \
     appeal.closed_at, appeal.last_moved, appeal.suspected_false_closure, \
     appeal.submitted_position, appeal.updated_position";

/// The clock of the next step of the case itself, where [`OWED`] joins it.
const DUE: &str = "owed.document AS due";

/// Joins the clock of the next step of the case itself, looked up for each.
pub(crate) const OWED: &str = "LEFT JOIN LATERAL (SELECT found.document FROM clock AS found \
     WHERE found.appeal = appeal.appeal AND found.enterprise = appeal.enterprise \
     AND found.diagnosis = '00000000-0000-0000-0000-000000000000' \
     AND found.clock = appeal.due_clock OFFSET 0) AS owed ON true";

/// The columns of a row, for a table `appeal` with [`OWED`].
pub(crate) fn columns() -> String {
    format!("{OWN}, {DUE}")
}

/// Reads what is known of some appeals, all their clocks left out.
pub(super) fn known_statement() -> String {
    format!(
        "SELECT {OWN}, NULL::jsonb AS due, appeal.submitted_on, appeal.false_closure_days, appeal.signed, \
         appeal.before_merge, appeal.asked, appeal.entered_at \
         FROM appeal WHERE appeal.appeal = ANY($1)"
    )
}

/// Reads a row of [`known_statement`].
pub(super) fn read_known(row: &tokio_postgres::Row) -> Result<Known, ViewError> {
    let before_merge = column::<Option<Json<Before>>>(row, "before_merge")?;
    let Json(asked): Json<Asked> = column(row, "asked")?;
    Ok(Known {
        row: read(row)?,
        submitted_on: column(row, "submitted_on")?,
        false_closure_days: db::count(column(row, "false_closure_days")?),
        signed: column(row, "signed")?,
        before_merge: before_merge.map(|Json(before)| before),
        asked,
        entered_at: column(row, "entered_at")?,
        clocks: BTreeMap::new(),
    })
}

/// Reads a row.
pub(crate) fn read(row: &tokio_postgres::Row) -> Result<Row, ViewError> {
    let rule = column::<Option<Json<RouteRule>>>(row, "rule")?.map(|Json(rule)| rule);
    Ok(Row {
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        appeal: AppealId(column(row, "appeal")?),
        number: db::parsed(row, "number", CaseNumber::parse)?,
        state: db::parsed(row, "state", phase)?,
        channel: db::parsed(row, "channel", db::from_word)?,
        case_type: db::parsed(row, "case_type", CaseTypeId::parse)?,
        class: db::parsed_opt(row, "class", ClassId::parse)?,
        topic: db::parsed(row, "topic", TopicId::parse)?,
        area: db::parsed(row, "area", AreaCode::parse)?,
        confidentiality: scope::level(column(row, "secrecy")?),
        unit: db::parsed_opt(row, "unit", UnitId::parse)?,
        co_units: db::units(row, "co_units")?,
        beside: db::units(row, "beside")?,
        rule,
        due: clock(row, "due")?,
        objections: db::count(column(row, "objections")?),
        bounces: db::count(column(row, "bounces")?),
        guarantee: db::parsed_opt(row, "guarantee", db::from_word)?,
        merged_into: column::<Option<Uuid>>(row, "merged_into")?.map(AppealId),
        about_visit: column::<Option<Uuid>>(row, "about_visit")?.map(VisitId),
        submitted_at: column(row, "submitted_at")?,
        closed_at: column(row, "closed_at")?,
        last_moved: column(row, "last_moved")?,
        suspected_false_closure: column(row, "suspected_false_closure")?,
        submitted: db::position(column(row, "submitted_position")?),
        updated: db::position(column(row, "updated_position")?),
    })
}

/// A clock in a column that may be null.
pub(crate) fn clock(row: &tokio_postgres::Row, name: &str) -> Result<Option<Clock>, ViewError> {
    Ok(column::<Option<Json<Clock>>>(row, name)?.map(|Json(clock)| clock))
}

/// Writes the appeals that changed.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    changes: &Changes,
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    let changed: Vec<&Known> =
        changes.changed.iter().filter_map(|key| changes.appeals.get(key)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Row> = changed.iter().map(|known| &known.row).collect();
    // An array of arrays must be rectangular in PostgreSQL, so lists travel as JSON.
    let co_units = each(&rows, |row| serde_json::to_string(&row.co_units).unwrap_or_default());
    let beside = each(&rows, |row| serde_json::to_string(&row.beside).unwrap_or_default());
    let asked = |known: &&Known| serde_json::to_string(&known.asked).unwrap_or_default();
    let asked: Vec<String> = changed.iter().map(asked).collect();
    let rule = |row: &Row| row.rule.as_ref().and_then(|rule| serde_json::to_string(rule).ok());
    let stored = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let days: Vec<i32> = changed.iter().map(|known| stored(known.false_closure_days)).collect();
    let submitted_on: Vec<_> = changed.iter().map(|known| known.submitted_on).collect();
    let before_merge = |known: &&Known| {
        let before = known.before_merge.as_ref();
        before.and_then(|before| serde_json::to_string(before).ok())
    };
    let before_merge: Vec<Option<String>> = changed.iter().map(before_merge).collect();
    let signed: Vec<bool> = changed.iter().map(|known| known.signed).collect();
    let entered_at: Vec<Timestamp> = changed.iter().map(|known| known.entered_at).collect();
    let (since, since_at) = moments.about(rows.iter().map(|row| &row.enterprise));
    let statement = transaction.prepare_cached(PUT).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(&rows, |row| row.appeal.0),
                &each(&rows, |row| row.enterprise.to_string()),
                &each(&rows, |row| row.number.to_string()),
                &each(&rows, |row| row.state.as_str()),
                &each(&rows, |row| is_open(row.state)),
                &each(&rows, |row| db::word(&row.channel)),
                &each(&rows, |row| row.case_type.to_string()),
                &each(&rows, |row| row.class.as_ref().map(ToString::to_string)),
                &each(&rows, |row| row.topic.to_string()),
                &each(&rows, |row| row.area.to_string()),
                &each(&rows, |row| scope::secrecy(row.confidentiality)),
                &each(&rows, |row| row.unit.as_ref().map(ToString::to_string)),
                &co_units,
                &beside,
                &asked,
                &each(&rows, rule),
                &each(&rows, |row| row.due.as_ref().map(|due| i64::from(due.id.0))),
                &each(&rows, |row| stored(row.objections)),
                &each(&rows, |row| stored(row.bounces)),
                &each(&rows, |row| row.guarantee.as_ref().map(db::word)),
                &each(&rows, |row| row.merged_into.map(|into| into.0)),
                &each(&rows, |row| row.about_visit.map(|visit| visit.0)),
                &each(&rows, |row| row.submitted_at),
                &submitted_on,
                &each(&rows, |row| row.closed_at),
                &each(&rows, |row| row.last_moved),
                &days,
                &signed,
                &before_merge,
                &each(&rows, |row| db::stored(row.submitted)),
                &each(&rows, |row| db::stored(row.updated)),
                &since,
                &since_at,
                &entered_at,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

/// Writes whole rows: what an appeal is now; what it was is kept. Whether a false closure is suspected is
/// not the row's to say.
const PUT: &str = "WITH now AS (\
     SELECT a, b, c, d, e, f, g, h, i, j, k, l, ARRAY(SELECT jsonb_array_elements_text(m::jsonb)) AS m, \
     ARRAY(SELECT jsonb_array_elements_text(n::jsonb)) AS n, o::jsonb AS o, p::jsonb AS p, q, r, s, t, \
     u, v, w, x, y, z, aa, bb, cc::jsonb AS cc, dd, ee, ff, gg, hh FROM unnest($1::uuid[], $2::text[], \
     $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::text[], \
     $10::text[], $11::smallint[], $12::text[], $13::text[], $14::text[], $15::text[], \
     $16::text[], $17::bigint[], $18::integer[], $19::integer[], $20::text[], $21::uuid[], \
     $22::uuid[], $23::timestamptz[], $24::date[], $25::timestamptz[], $26::timestamptz[], \
     $27::integer[], $28::boolean[], $29::text[], $30::bigint[], $31::bigint[], $32::bigint[], \
     $33::timestamptz[], $34::timestamptz[]) AS row(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, \
     y, z, aa, bb, cc, dd, ee, ff, gg, hh)), \
     was AS (INSERT INTO appeal_past SELECT v.*, ff, gg FROM now \
     JOIN appeal AS v ON v.appeal = a AND v.enterprise = b AND v.since < ff) \
     INSERT INTO appeal (appeal, enterprise, number, state, open, channel, \
     case_type, class, topic, area, secrecy, unit, co_units, beside, asked, rule, due_clock, \
     objections, bounces, guarantee, merged_into, about_visit, submitted_at, submitted_on, closed_at, \
     last_moved, false_closure_days, signed, before_merge, submitted_position, updated_position, \
     since, since_at, entered_at) SELECT * FROM now ON CONFLICT (appeal, enterprise) DO UPDATE SET number = excluded.number, \
     state = excluded.state, open = excluded.open, channel = excluded.channel, \
     case_type = excluded.case_type, class = excluded.class, topic = excluded.topic, \
     area = excluded.area, secrecy = excluded.secrecy, unit = excluded.unit, \
     co_units = excluded.co_units, beside = excluded.beside, asked = excluded.asked, \
     rule = excluded.rule, due_clock = excluded.due_clock, \
     objections = excluded.objections, bounces = excluded.bounces, \
     guarantee = excluded.guarantee, merged_into = excluded.merged_into, \
     about_visit = excluded.about_visit, submitted_at = excluded.submitted_at, \
     submitted_on = excluded.submitted_on, closed_at = excluded.closed_at, \
     last_moved = excluded.last_moved, false_closure_days = excluded.false_closure_days, \
     signed = excluded.signed, before_merge = excluded.before_merge, \
     submitted_position = excluded.submitted_position, \
     updated_position = excluded.updated_position, since = excluded.since, \
     since_at = excluded.since_at, entered_at = excluded.entered_at";

fn each<T>(rows: &[&Row], pick: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(|row| pick(row)).collect()
}
