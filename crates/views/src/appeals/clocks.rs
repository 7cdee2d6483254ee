//! The rows of the clocks: one for each that runs or stands still.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use doudi_domain::{
    AppealId, AreaCode, DiagnosisId, EnterpriseId, UnitId,
    appeal::Confidentiality,
    cases::Escalation,
    clock::{Clock, Owner, Step},
};
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

use super::{
    fold::{Changes, ClockKey, Key, Known, Panel, PanelKey},
    rows,
};
use crate::{
    ViewError,
    column::Column,
    db::{self, applying, column},
    history::{Table, Versions},
    scope,
};

/// The appeals that some joint diagnoses with clocks are about.
pub(super) async fn appeals_of(
    transaction: &Transaction<'_>,
    panels: &[Uuid],
) -> Result<Vec<Uuid>, ViewError> {
    let statement = "SELECT DISTINCT appeal FROM clock WHERE diagnosis = ANY($1) \
         AND diagnosis <> '00000000-0000-0000-0000-000000000000'";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let rows = transaction.query(&statement, &[&panels]).await.map_err(applying)?;
    rows.iter().map(|row| column(row, "appeal")).collect()
}

/// Adds the clocks of some appeals, and of their joint diagnoses, to what is known.
pub(super) async fn load(
    transaction: &Transaction<'_>,
    appeals: &[Uuid],
    changes: &mut Changes,
) -> Result<(), ViewError> {
    let statement =
        "SELECT appeal, enterprise, diagnosis, document FROM clock WHERE appeal = ANY($1)";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let rows = transaction.query(&statement, &[&appeals]).await.map_err(applying)?;
    for row in &rows {
        take(row, changes)?;
    }
    Ok(())
}

fn take(row: &Row, changes: &mut Changes) -> Result<(), ViewError> {
    let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
    let owner = (AppealId(column(row, "appeal")?), enterprise);
    if let Some(clock) = rows::clock(row, "document")? {
        changes.remember(owner, diagnosis(column(row, "diagnosis")?), clock);
    }
    Ok(())
}

/// A joint diagnosis as it is stored; the nil UUID stands for none.
pub(crate) fn diagnosis(stored: Uuid) -> Option<DiagnosisId> {
    (!stored.is_nil()).then_some(DiagnosisId(stored))
}

/// The clocks, and what they were.
pub(crate) const CLOCK: Table =
    Table { name: "clock", key: "appeal, enterprise, diagnosis, clock" };

/// Removes the clocks that no longer run and writes those that changed.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    rows: &Versions<ClockKey, Stored>,
) -> Result<(), ViewError> {
    rows.remove(transaction, CLOCK, keyed).await?;
    let keys: Vec<&ClockKey> = rows.rows().map(|row| &row.key).collect();
    let mut columns = keyed(&keys);
    columns.extend([
        Column::new("kind", Type::TEXT, each(rows, |row| db::word(&row.clock.kind))),
        Column::new("owner", Type::TEXT, each(rows, Stored::owner)),
        Column::new("due", Type::TIMESTAMPTZ, each(rows, |row| row.clock.due)),
        Column::new("waits", Type::BOOL, each(rows, Stored::waits)),
        Column::new("level", Type::INT2, each(rows, |row| place(&LEVELS, row.clock.level()))),
        Column::new("rung", Type::INT2, each(rows, |row| stored_rung(row.clock.rung()))),
        Column::new("unit", Type::TEXT, each(rows, |row| row.unit.as_ref().map(UnitId::as_str))),
        Column::new("area", Type::TEXT, each(rows, |row| row.area.as_ref().map(AreaCode::as_str))),
        Column::new("secrecy", Type::INT2, each(rows, |row| row.secrecy)),
        Column::json("document", rows.rows().map(|row| Some(&row.clock))),
    ]);
    rows.put(transaction, CLOCK, columns).await
}

fn keyed<'a>(keys: &[&'a ClockKey]) -> Vec<Column<'a>> {
    let of = keys.iter();
    let appeals: Vec<Uuid> = of.clone().map(|((appeal, _), _, _)| appeal.0).collect();
    let owners: Vec<&str> = of.clone().map(|((_, owner), _, _)| owner.as_str()).collect();
    let panels: Vec<Uuid> = of.clone().map(|(_, panel, _)| stored_panel(*panel)).collect();
    let ids: Vec<i64> = of.map(|(_, _, id)| i64::from(id.0)).collect();
    vec![
        Column::new("appeal", Type::UUID, appeals),
        Column::new("enterprise", Type::TEXT, owners),
        Column::new("diagnosis", Type::UUID, panels),
        Column::new("clock", Type::INT8, ids),
    ]
}

fn each<'a, T>(rows: &'a Versions<ClockKey, Stored>, pick: impl Fn(&'a Stored) -> T) -> Vec<T> {
    rows.rows().map(pick).collect()
}

fn stored_panel(panel: Option<DiagnosisId>) -> Uuid {
    panel.map_or(Uuid::nil(), |id| id.0)
}

/// A row to be: a clock, and what its appeal's row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    key: ClockKey,
    pub(super) clock: Clock,
    pub(super) unit: Option<UnitId>,
    pub(super) area: Option<AreaCode>,
    secrecy: i16,
}

impl Stored {
    /// The clock of that name; none where it does not run or stand still.
    pub(super) fn of(
        key: &ClockKey,
        appeals: &HashMap<Key, Known>,
        panels: &HashMap<PanelKey, Panel>,
    ) -> Option<Self> {
        let (owner, diagnosis, id) = key;
        let appeal = appeals.get(owner);
        let clocks = match diagnosis {
            None => &appeal?.clocks,
            Some(diagnosis) => &panels.get(&(*diagnosis, owner.1.clone()))?.clocks,
        };
        let row = appeal.map(|known| &known.row);
        // While the appeal is not known, nobody must see it who might not.
        let level = row.map_or(Confidentiality::Strict, |row| row.confidentiality);
        Some(Self {
            key: key.clone(),
            clock: clocks.get(id)?.clone(),
            unit: row.and_then(|row| row.unit.clone()),
            area: row.map(|row| row.area.clone()),
            secrecy: scope::secrecy(level),
        })
    }

    fn owner(&self) -> Option<&str> {
        match &self.clock.owner {
            Owner::Unit(unit) => Some(unit.as_str()),
            Owner::CityDesk => None,
        }
    }

    fn waits(&self) -> bool {
        self.clock.pause_in_force().is_some_and(|pause| pause.since < self.clock.due)
    }
}

/// The levels of a clock by what is stored for them, ascending from 1; 0 is none.
const LEVELS: [Step; 3] = [Step::Blue, Step::Yellow, Step::Red];

/// The rungs of the ladder by what is stored for them, ascending from 1; 0 is none.
const RUNGS: [Escalation; 4] =
    [Escalation::Urge, Escalation::Supervise, Escalation::Circulate, Escalation::Summon];

fn place<T: PartialEq>(all: &[T], one: Option<T>) -> i16 {
    let found = one.and_then(|one| (1..).zip(all).find(|(_, known)| **known == one));
    found.map_or(0, |(place, _)| place)
}

fn at_place<T: Copy>(all: &[T], place: i16) -> Option<T> {
    (1..).zip(all).find(|(known, _)| *known == place).map(|(_, one)| *one)
}

/// A level that was stored.
pub(crate) fn level(stored: i16) -> Option<Step> {
    at_place(&LEVELS, stored)
}

/// A rung that was stored.
pub(crate) fn rung(stored: i16) -> Option<Escalation> {
    at_place(&RUNGS, stored)
}

/// A rung of the ladder as it is stored.
pub(crate) fn stored_rung(rung: Option<Escalation>) -> i16 {
    place(&RUNGS, rung)
}

/// The least level, as it is stored, of a clock that reached `step`: a rung comes after red.
pub(crate) fn least_level(step: Step) -> i16 {
    match step {
        Step::Blue | Step::Yellow | Step::Red => place(&LEVELS, Some(step)),
        Step::Escalate(_) => place(&LEVELS, Some(Step::Red)),
    }
}
