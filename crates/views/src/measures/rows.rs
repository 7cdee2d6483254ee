//! The rows of the measures: read before a batch, written after it, at most three statements each.

use deadpool_postgres::Transaction;
use doudi_domain::{AppealId, AreaCode, EnterpriseId, TopicId, UnitId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::fold::{Changes, Handling, Key, Return, Subject, Word, appeals_of};
use crate::{
    ViewError,
    db::{self, applying, column},
    fact::Fact,
    history::Moments,
    scope,
};

/// Takes facts into the measures.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let wanted: Vec<Uuid> = appeals_of(facts).into_iter().map(|appeal| appeal.0).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut changes = load(transaction, &wanted).await?;
    changes.fold(facts);
    let moments = Moments::of(facts);
    put_subjects(transaction, &changes).await?;
    put_returns(transaction, &changes, &moments).await?;
    put_handlings(transaction, &changes, &moments).await
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

async fn put_returns(
    transaction: &Transaction<'_>,
    changes: &Changes,
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    let changed = changes.returns_changed.iter();
    let rows: Vec<(&(Key, u32), &Return)> =
        changed.filter_map(|name| changes.returns.get_key_value(name)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (since, since_at) = moments.about(rows.iter().map(|((key, _), _)| &key.1));
    let statement = "WITH now AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], \
         $4::timestamptz[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::smallint[], \
         $10::bigint[], $11::timestamptz[]) AS row(a, b, c, d, e, f, g, h, i, j, k)), \
         was AS (INSERT INTO returns_past SELECT v.*, j, k FROM now \
         JOIN returns AS v ON v.appeal = a AND v.enterprise = b AND v.number = c AND v.since < j) \
         INSERT INTO returns (appeal, enterprise, number, at, from_unit, to_unit, \
         upheld, area, secrecy, since, since_at) SELECT * FROM now \
         ON CONFLICT (appeal, enterprise, number) DO UPDATE SET at = excluded.at, \
         from_unit = excluded.from_unit, to_unit = excluded.to_unit, upheld = excluded.upheld, \
         area = excluded.area, secrecy = excluded.secrecy, since = excluded.since, \
         since_at = excluded.since_at";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(&rows, |((key, _), _)| key.0.0),
                &each(&rows, |((key, _), _)| key.1.to_string()),
                &each(&rows, |((_, number), _)| stored(*number)),
                &each(&rows, |(_, returned)| returned.at),
                &each(&rows, |(_, returned)| returned.from.to_string()),
                &each(&rows, |(_, returned)| returned.to.as_ref().map(ToString::to_string)),
                &each(&rows, |(_, returned)| returned.upheld),
                &each(&rows, |(_, returned)| returned.area.to_string()),
                &each(&rows, |(_, returned)| scope::secrecy(returned.level)),
                &since,
                &since_at,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

async fn put_handlings(
    transaction: &Transaction<'_>,
    changes: &Changes,
    moments: &Moments<'_>,
) -> Result<(), ViewError> {
    let changed = changes.handlings_changed.iter();
    let rows: Vec<(&(Key, u32), &Handling)> =
        changed.filter_map(|name| changes.handlings.get_key_value(name)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (since, since_at) = moments.about(rows.iter().map(|((key, _), _)| &key.1));
    let statement = "WITH now AS (SELECT * FROM unnest($1::uuid[], \
         $2::text[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], \
         $8::smallint[], $9::boolean[], $10::boolean[], $11::boolean[], $12::boolean[], \
         $13::boolean[], $14::boolean[], $15::bigint[], $16::timestamptz[]) \
         AS row(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)), \
         was AS (INSERT INTO handling_past SELECT v.*, o, p FROM now \
         JOIN handling AS v ON v.appeal = a AND v.enterprise = b AND v.number = c AND v.since < o) \
         INSERT INTO handling (appeal, enterprise, number, resolved_at, unit, area, topic, secrecy, \
         responded, own_resolved, own_satisfied, phone_resolved, phone_satisfied, reopened, since, \
         since_at) \
         SELECT * FROM now ON CONFLICT (appeal, enterprise, number) DO UPDATE SET \
         resolved_at = excluded.resolved_at, unit = excluded.unit, area = excluded.area, \
         topic = excluded.topic, secrecy = excluded.secrecy, responded = excluded.responded, \
         own_resolved = excluded.own_resolved, own_satisfied = excluded.own_satisfied, \
         phone_resolved = excluded.phone_resolved, phone_satisfied = excluded.phone_satisfied, \
         reopened = excluded.reopened, \
         since = excluded.since, since_at = excluded.since_at";
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(&rows, |((key, _), _)| key.0.0),
                &each(&rows, |((key, _), _)| key.1.to_string()),
                &each(&rows, |((_, number), _)| stored(*number)),
                &each(&rows, |(_, handling)| handling.resolved_at),
                &each(&rows, |(_, handling)| handling.unit.to_string()),
                &each(&rows, |(_, handling)| handling.area.to_string()),
                &each(&rows, |(_, handling)| handling.topic.to_string()),
                &each(&rows, |(_, handling)| scope::secrecy(handling.level)),
                &each(&rows, |(_, handling)| handling.responded),
                &each(&rows, |(_, handling)| handling.own.resolved),
                &each(&rows, |(_, handling)| handling.own.satisfied),
                &each(&rows, |(_, handling)| handling.phone.resolved),
                &each(&rows, |(_, handling)| handling.phone.satisfied),
                &each(&rows, |(_, handling)| handling.reopened),
                &since,
                &since_at,
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}
