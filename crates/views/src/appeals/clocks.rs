//! The rows of the clocks: one for each that runs or stands still.

use deadpool_postgres::Transaction;
use doudi_domain::{
    AppealId, DiagnosisId, EnterpriseId, UnitId,
    appeal::Confidentiality,
    cases::Escalation,
    clock::{Clock, Owner, Step},
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    fold::{Changes, ClockKey, Panel},
    rows,
};
use crate::{
    ViewError,
    db::{self, applying, column},
    history::Moments,
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
    let appeal = AppealId(column(row, "appeal")?);
    let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
    let Some(clock) = rows::clock(row, "document")? else {
        return Ok(());
    };
    match diagnosis(column(row, "diagnosis")?) {
        None => {
            if let Some(known) = changes.appeals.get_mut(&(appeal, enterprise)) {
                known.clocks.insert(clock.id, clock);
            }
        }
        Some(id) => {
            let none = || Panel { appeal, clocks: Default::default() };
            let panel = changes.panels.entry((id, enterprise)).or_insert_with(none);
            panel.clocks.insert(clock.id, clock);
        }
    }
    Ok(())
}

/// A joint diagnosis as it is stored; the nil UUID stands for none.
pub(crate) fn diagnosis(stored: Uuid) -> Option<DiagnosisId> {
    (!stored.is_nil()).then_some(DiagnosisId(stored))
}

/// Writes the clocks that changed and removes those that no longer run.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    changes: &Changes,
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for key in &changes.touched {
        match changes.clock(key) {
            Some(clock) => kept.push(Stored::new(key, clock, changes)),
            None => gone.push(key),
        }
    }
    remove(transaction, &gone, moments).await?;
    insert(transaction, &kept, moments).await
}

async fn remove(
    transaction: &Transaction<'_>,
    gone: &[&ClockKey],
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    if gone.is_empty() {
        return Ok(());
    }
    let statement = "WITH gone AS (DELETE FROM clock USING unnest($1::uuid[], $2::text[], $3::uuid[], \
         $4::bigint[], $5::bigint[], $6::timestamptz[]) AS gone(a, b, c, d, e, f) \
         WHERE clock.appeal = a AND clock.enterprise = b AND clock.diagnosis = c \
         AND clock.clock = d RETURNING clock.*, e, f) \
         INSERT INTO clock_past SELECT * FROM gone WHERE since < e";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let appeals: Vec<Uuid> = gone.iter().map(|((appeal, _), _, _)| appeal.0).collect();
    let enterprises: Vec<&str> = gone.iter().map(|((_, owner), _, _)| owner.as_str()).collect();
    let panels: Vec<Uuid> = gone.iter().map(|(_, panel, _)| stored_panel(*panel)).collect();
    let ids: Vec<i64> = gone.iter().map(|(_, _, id)| i64::from(id.0)).collect();
    let (until, until_at) = moments.about(gone.iter().map(|((_, owner), _, _)| owner));
    transaction
        .execute(&statement, &[&appeals, &enterprises, &panels, &ids, &until, &until_at])
        .await
        .map_err(applying)?;
    Ok(())
}

fn stored_panel(panel: Option<DiagnosisId>) -> Uuid {
    panel.map_or(Uuid::nil(), |id| id.0)
}

/// A row to be.
struct Stored<'a> {
    key: &'a ClockKey,
    clock: &'a Clock,
    unit: Option<&'a UnitId>,
    area: Option<&'a str>,
    secrecy: i16,
}

impl<'a> Stored<'a> {
    fn new(key: &'a ClockKey, clock: &'a Clock, changes: &'a Changes) -> Self {
        let row = changes.appeals.get(&key.0).map(|known| &known.row);
        // While the appeal is not known, nobody must see it who might not.
        let level = row.map_or(Confidentiality::Strict, |row| row.confidentiality);
        Self {
            key,
            clock,
            unit: row.and_then(|row| row.unit.as_ref()),
            area: row.map(|row| row.area.as_str()),
            secrecy: scope::secrecy(level),
        }
    }

    fn owner(&self) -> Option<&'a str> {
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

async fn insert(
    transaction: &Transaction<'_>,
    rows: &[Stored<'_>],
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    if rows.is_empty() {
        return Ok(());
    }
    let document = |row: &Stored<'_>| serde_json::to_string(row.clock).unwrap_or_default();
    let (since, since_at) = moments.about(rows.iter().map(|row| &row.key.0.1));
    let statement = transaction.prepare_cached(PUT).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(rows, |row| row.key.0.0.0),
                &each(rows, |row| row.key.0.1.to_string()),
                &each(rows, |row| stored_panel(row.key.1)),
                &each(rows, |row| i64::from(row.key.2.0)),
                &each(rows, |row| db::word(&row.clock.kind)),
                &each(rows, |row| row.owner().map(ToOwned::to_owned)),
                &each(rows, |row| row.clock.due),
                &each(rows, Stored::waits),
                &each(rows, |row| place(&LEVELS, row.clock.level())),
                &each(rows, |row| stored_rung(row.clock.rung())),
                &each(rows, |row| row.unit.map(ToString::to_string)),
                &each(rows, |row| row.area.map(ToOwned::to_owned)),
                &each(rows, |row| row.secrecy),
                &each(rows, document),
                &since,
                &since_at,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

const PUT: &str = "WITH now AS (\
     SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n::jsonb AS n, o, p FROM unnest($1::uuid[], \
     $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[], $8::boolean[], \
     $9::smallint[], $10::smallint[], $11::text[], $12::text[], $13::smallint[], $14::text[], \
     $15::bigint[], $16::timestamptz[]) AS row(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)), \
     was AS (INSERT INTO clock_past SELECT v.*, o, p FROM now JOIN clock AS v ON v.appeal = a \
     AND v.enterprise = b AND v.diagnosis = c AND v.clock = d AND v.since < o) \
     INSERT INTO clock (appeal, enterprise, diagnosis, clock, kind, owner, due, \
     waits, level, rung, unit, area, secrecy, document, since, since_at) SELECT * FROM now \
     ON CONFLICT (appeal, enterprise, diagnosis, clock) DO UPDATE SET kind = excluded.kind, \
     owner = excluded.owner, due = excluded.due, waits = excluded.waits, level = excluded.level, \
     rung = excluded.rung, unit = excluded.unit, area = excluded.area, \
     secrecy = excluded.secrecy, document = excluded.document, since = excluded.since, \
     since_at = excluded.since_at";

fn each<'a, T>(rows: &'a [Stored<'a>], pick: impl Fn(&Stored<'a>) -> T) -> Vec<T> {
    rows.iter().map(pick).collect()
}
