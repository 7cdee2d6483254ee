//! The rows of the appeals: read before a batch, written after it, one statement each.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use doudi_domain::{
    AppealId, AreaCode, CaseNumber, CaseTypeId, ClassId, EnterpriseId, TopicId, UnitId, VisitId,
    clock::Clock, routing::RouteRule,
};
use jiff::Timestamp;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::{
    Row,
    fold::{Before, Key, Known, is_open},
    phase,
};
use crate::{
    ViewError,
    asked::Asked,
    column::Column,
    db::{self, column},
    history::{Table, Versions},
    scope,
};

/// The appeals, and what they were.
pub(crate) const APPEAL: Table = Table { name: "appeal", key: "appeal, enterprise" };

/// The columns of a row but its clock, of the table `appeal`.
const OWN: &str = "appeal.appeal, appeal.enterprise, appeal.number, appeal.state, \
     appeal.channel, appeal.case_type, appeal.class, appeal.topic, appeal.area, appeal.secrecy, \
     appeal.unit, appeal.co_units, appeal.beside, appeal.rule, appeal.objections, appeal.bounces, \
     appeal.guarantee, appeal.merged_into, appeal.about_visit, appeal.submitted_at, \
     appeal.closed_at, appeal.last_moved, appeal.suspected_false_closure, \
     appeal.submitted_position, appeal.updated_position";

/// The clock of the next step of the case itself, where [`owed`] joins it.
const DUE: &str = "owed.document AS due";

/// Joins the clock of the next step of the case itself, looked up for each where `condition` holds.
pub(crate) fn owed(condition: &str) -> String {
    format!(
        "LEFT JOIN LATERAL (SELECT found.document FROM clock AS found \
         WHERE found.appeal = appeal.appeal AND found.enterprise = appeal.enterprise \
         AND found.diagnosis = '00000000-0000-0000-0000-000000000000' \
         AND found.clock = appeal.due_clock AND {condition} OFFSET 0) AS owed ON true"
    )
}

/// The columns of a row, for a table `appeal` with [`owed`].
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

/// Writes what became of appeals. Whether a false closure is suspected is what was known before.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    rows: &Versions<Key, Known>,
) -> Result<(), ViewError> {
    let mut columns = of_submission(rows);
    columns.extend(of_handling(rows));
    rows.put(transaction, APPEAL, columns).await
}

/// What was said when it was submitted, for the most part.
fn of_submission(rows: &Versions<Key, Known>) -> Vec<Column<'_>> {
    let days = rows.rows().map(|known| stored(known.false_closure_days)).collect();
    let submitted_on = rows.rows().map(|known| known.submitted_on).collect();
    let class = |row: &Row| row.class.as_ref().map(ToString::to_string);
    vec![
        Column::new("appeal", Type::UUID, each(rows, |row| row.appeal.0)),
        Column::new("enterprise", Type::TEXT, each(rows, |row| row.enterprise.as_str())),
        Column::new("number", Type::TEXT, each(rows, |row| row.number.to_string())),
        Column::new("channel", Type::TEXT, each(rows, |row| db::word(&row.channel))),
        Column::new("case_type", Type::TEXT, each(rows, |row| row.case_type.to_string())),
        Column::new("class", Type::TEXT, each(rows, class)),
        Column::new("topic", Type::TEXT, each(rows, |row| row.topic.as_str())),
        Column::new("area", Type::TEXT, each(rows, |row| row.area.as_str())),
        Column::new("secrecy", Type::INT2, each(rows, |row| scope::secrecy(row.confidentiality))),
        Column::new(
            "about_visit",
            Type::UUID,
            each(rows, |row| row.about_visit.map(|visit| visit.0)),
        ),
        Column::new("submitted_at", Type::TIMESTAMPTZ, each(rows, |row| row.submitted_at)),
        Column::new("submitted_on", Type::DATE, submitted_on),
        Column::new("false_closure_days", Type::INT4, days),
        Column::new("submitted_position", Type::INT8, each(rows, |row| db::stored(row.submitted))),
    ]
}

/// What became of it.
fn of_handling(rows: &Versions<Key, Known>) -> Vec<Column<'_>> {
    let signed = rows.rows().map(|known| known.signed).collect();
    let entered_at: Vec<Timestamp> = rows.rows().map(|known| known.entered_at).collect();
    let suspected = each(rows, |row| row.suspected_false_closure);
    let due = |row: &Row| row.due.as_ref().map(|due| i64::from(due.id.0));
    vec![
        Column::new("state", Type::TEXT, each(rows, |row| row.state.as_str())),
        Column::new("open", Type::BOOL, each(rows, |row| is_open(row.state))),
        Column::new("unit", Type::TEXT, each(rows, |row| row.unit.as_ref().map(UnitId::as_str))),
        Column::list("co_units", rows.rows().map(|known| &known.row.co_units)),
        Column::list("beside", rows.rows().map(|known| &known.row.beside)),
        Column::json("asked", rows.rows().map(|known| Some(&known.asked))),
        Column::json("rule", rows.rows().map(|known| known.row.rule.as_ref())),
        Column::new("due_clock", Type::INT8, each(rows, due)),
        Column::new("objections", Type::INT4, each(rows, |row| stored(row.objections))),
        Column::new("bounces", Type::INT4, each(rows, |row| stored(row.bounces))),
        Column::new(
            "guarantee",
            Type::TEXT,
            each(rows, |row| row.guarantee.as_ref().map(db::word)),
        ),
        Column::new(
            "merged_into",
            Type::UUID,
            each(rows, |row| row.merged_into.map(|into| into.0)),
        ),
        Column::new("closed_at", Type::TIMESTAMPTZ, each(rows, |row| row.closed_at)),
        Column::new("last_moved", Type::TIMESTAMPTZ, each(rows, |row| row.last_moved)),
        Column::new("entered_at", Type::TIMESTAMPTZ, entered_at),
        Column::new("suspected_false_closure", Type::BOOL, suspected),
        Column::new("signed", Type::BOOL, signed),
        Column::json("before_merge", rows.rows().map(|known| known.before_merge.as_ref())),
        Column::new("updated_position", Type::INT8, each(rows, |row| db::stored(row.updated))),
    ]
}

fn stored(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn each<'a, T>(rows: &'a Versions<Key, Known>, pick: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.rows().map(|known| pick(&known.row)).collect()
}
