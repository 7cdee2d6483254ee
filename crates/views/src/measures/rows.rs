//! The rows of the measures: read before a batch with one statement, written after it with five at most.

use std::slice;

use deadpool_postgres::Transaction;
use doudi_domain::{AppealId, AreaCode, EnterpriseId, TopicId, UnitId};
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

use super::fold::{Changes, Handling, Key, Return, Subject, Word, appeals_of};
use crate::{
    ViewError,
    column::Column,
    db::{self, applying, column},
    fact::Fact,
    history::{Table, Versions},
    scope,
};

/// The returns and the handlings, and what they were.
pub(crate) const RETURNS: Table = Table { name: "returns", key: "appeal, enterprise, number" };
pub(crate) const HANDLING: Table = Table { name: "handling", key: "appeal, enterprise, number" };

/// Takes facts into the measures.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let wanted: Vec<Uuid> = appeals_of(facts).into_iter().map(|appeal| appeal.0).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut changes = load(transaction, &wanted).await?;
    let (mut returns, mut handlings) = (Versions::default(), Versions::default());
    for fact in facts {
        changes.fold(slice::from_ref(fact));
        for name in changes.returns_changed.drain() {
            if let Some(returned) = changes.returns.get(&name) {
                returns.push(name.clone(), (name, returned.clone()), fact);
            }
        }
        for name in changes.handlings_changed.drain() {
            if let Some(handling) = changes.handlings.get(&name) {
                handlings.push(name.clone(), (name, handling.clone()), fact);
            }
        }
    }
    put_subjects(transaction, &changes).await?;
    put_returns(transaction, &returns).await?;
    put_handlings(transaction, &handlings).await
}

/// Each appeal with its last return and its last handling.
const LOAD: &str = "SELECT s.appeal, s.enterprise, s.area, s.topic, s.secrecy, s.unit, \
     s.contact_red, s.responded, s.contested, s.returns, s.handlings, r.at, r.from_unit, \
     r.to_unit, r.upheld, h.resolved_at, h.unit AS handler, h.responded AS handling_responded, \
     h.own_resolved, h.own_satisfied, h.phone_resolved, h.phone_satisfied, h.reopened FROM subject AS s \
     LEFT JOIN returns AS r ON r.appeal = s.appeal AND r.enterprise = s.enterprise \
     AND r.number = s.returns \
     LEFT JOIN handling AS h ON h.appeal = s.appeal AND h.enterprise = s.enterprise \
     AND h.number = s.handlings WHERE s.appeal = ANY($1)";

async fn load(transaction: &Transaction<'_>, wanted: &[Uuid]) -> Result<Changes, ViewError> {
    let statement = transaction.prepare_cached(LOAD).await.map_err(applying)?;
    let rows = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let mut changes = Changes::default();
    for row in &rows {
        let appeal = AppealId(column(row, "appeal")?);
        let key: Key = (appeal, db::parsed(row, "enterprise", EnterpriseId::parse)?);
        let subject = subject(row)?;
        if let Some(returned) = returned(row, &subject)? {
            changes.returns.insert((key.clone(), subject.returns), returned);
        }
        if let Some(handling) = handling(row, &subject)? {
            changes.handlings.insert((key.clone(), subject.handlings), handling);
        }
        changes.subjects.insert(key, subject);
    }
    Ok(changes)
}

fn subject(row: &Row) -> Result<Subject, ViewError> {
    Ok(Subject {
        area: db::parsed(row, "area", AreaCode::parse)?,
        topic: db::parsed(row, "topic", TopicId::parse)?,
        level: scope::level(column(row, "secrecy")?),
        unit: db::parsed_opt(row, "unit", UnitId::parse)?,
        contact_red: column(row, "contact_red")?,
        responded: column(row, "responded")?,
        contested: column(row, "contested")?,
        returns: db::count(column(row, "returns")?),
        handlings: db::count(column(row, "handlings")?),
    })
}

fn returned(row: &Row, subject: &Subject) -> Result<Option<Return>, ViewError> {
    let Some(from) = db::parsed_opt(row, "from_unit", UnitId::parse)? else {
        return Ok(None);
    };
    Ok(Some(Return {
        at: column(row, "at")?,
        from,
        to: db::parsed_opt(row, "to_unit", UnitId::parse)?,
        upheld: column(row, "upheld")?,
        area: subject.area.clone(),
        level: subject.level,
    }))
}

fn handling(row: &Row, subject: &Subject) -> Result<Option<Handling>, ViewError> {
    let Some(unit) = db::parsed_opt(row, "handler", UnitId::parse)? else {
        return Ok(None);
    };
    Ok(Some(Handling {
        resolved_at: column(row, "resolved_at")?,
        unit,
        area: subject.area.clone(),
        topic: subject.topic.clone(),
        level: subject.level,
        responded: column(row, "handling_responded")?,
        own: Word {
            resolved: column(row, "own_resolved")?,
            satisfied: column(row, "own_satisfied")?,
        },
        phone: Word {
            resolved: column(row, "phone_resolved")?,
            satisfied: column(row, "phone_satisfied")?,
        },
        reopened: column(row, "reopened")?,
    }))
}

fn stored(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn each<R, T>(rows: &[R], pick: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(pick).collect()
}

async fn put_subjects(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), ViewError> {
    let changed = changes.changed.iter().filter_map(|key| changes.subjects.get_key_value(key));
    let rows: Vec<(&Key, &Subject)> = changed.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let statement = "INSERT INTO subject (appeal, enterprise, area, topic, secrecy, unit, \
         contact_red, responded, contested, returns, handlings) SELECT * FROM unnest($1::uuid[], \
         $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::timestamptz[], \
         $8::boolean[], $9::boolean[], $10::integer[], $11::integer[]) \
         ON CONFLICT (appeal, enterprise) DO UPDATE SET area = excluded.area, \
         topic = excluded.topic, secrecy = excluded.secrecy, unit = excluded.unit, \
         contact_red = excluded.contact_red, responded = excluded.responded, \
         contested = excluded.contested, returns = excluded.returns, \
         handlings = excluded.handlings";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(&rows, |(key, _)| key.0.0),
                &each(&rows, |(key, _)| key.1.to_string()),
                &each(&rows, |(_, subject)| subject.area.to_string()),
                &each(&rows, |(_, subject)| subject.topic.to_string()),
                &each(&rows, |(_, subject)| scope::secrecy(subject.level)),
                &each(&rows, |(_, subject)| subject.unit.as_ref().map(ToString::to_string)),
                &each(&rows, |(_, subject)| subject.contact_red),
                &each(&rows, |(_, subject)| subject.responded),
                &each(&rows, |(_, subject)| subject.contested),
                &each(&rows, |(_, subject)| stored(subject.returns)),
                &each(&rows, |(_, subject)| stored(subject.handlings)),
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

type Name = (Key, u32);

/// The columns that name a return or a handling.
fn named<R>(rows: &Versions<Name, (Name, R)>) -> Vec<Column<'_>> {
    let names: Vec<&Name> = rows.rows().map(|(name, _)| name).collect();
    let appeals = each(&names, |((appeal, _), _)| appeal.0);
    let owners: Vec<&str> = names.iter().map(|((_, owner), _)| owner.as_str()).collect();
    let numbers = each(&names, |(_, number)| stored(*number));
    vec![
        Column::new("appeal", Type::UUID, appeals),
        Column::new("enterprise", Type::TEXT, owners),
        Column::new("number", Type::INT4, numbers),
    ]
}

fn all<'a, R, T>(rows: &'a Versions<Name, (Name, R)>, pick: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.rows().map(|(_, row)| pick(row)).collect()
}

async fn put_returns(
    transaction: &Transaction<'_>,
    rows: &Versions<Name, (Name, Return)>,
) -> Result<(), ViewError> {
    let mut columns = named(rows);
    columns.extend([
        Column::new("at", Type::TIMESTAMPTZ, all(rows, |row| row.at)),
        Column::new("from_unit", Type::TEXT, all(rows, |row| row.from.as_str())),
        Column::new("to_unit", Type::TEXT, all(rows, |row| row.to.as_ref().map(UnitId::as_str))),
        Column::new("upheld", Type::BOOL, all(rows, |row| row.upheld)),
        Column::new("area", Type::TEXT, all(rows, |row| row.area.as_str())),
        Column::new("secrecy", Type::INT2, all(rows, |row| scope::secrecy(row.level))),
    ]);
    rows.put(transaction, RETURNS, columns).await
}

async fn put_handlings(
    transaction: &Transaction<'_>,
    rows: &Versions<Name, (Name, Handling)>,
) -> Result<(), ViewError> {
    let mut columns = named(rows);
    columns.extend([
        Column::new("resolved_at", Type::TIMESTAMPTZ, all(rows, |row| row.resolved_at)),
        Column::new("unit", Type::TEXT, all(rows, |row| row.unit.as_str())),
        Column::new("area", Type::TEXT, all(rows, |row| row.area.as_str())),
        Column::new("topic", Type::TEXT, all(rows, |row| row.topic.as_str())),
        Column::new("secrecy", Type::INT2, all(rows, |row| scope::secrecy(row.level))),
        Column::new("responded", Type::BOOL, all(rows, |row| row.responded)),
        Column::new("own_resolved", Type::BOOL, all(rows, |row| row.own.resolved)),
        Column::new("own_satisfied", Type::BOOL, all(rows, |row| row.own.satisfied)),
        Column::new("phone_resolved", Type::BOOL, all(rows, |row| row.phone.resolved)),
        Column::new("phone_satisfied", Type::BOOL, all(rows, |row| row.phone.satisfied)),
        Column::new("reopened", Type::BOOL, all(rows, |row| row.reopened)),
    ]);
    rows.put(transaction, HANDLING, columns).await
}
