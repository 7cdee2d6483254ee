//! Suspected false closures: an appeal on the same topic soon after a close (疑似虚假办结).
//!
//! A close is marked when the log holds, after it, a submission of the same enterprise on the same
//! topic, made in time. That depends on what is in the log alone: each side looks for the other when
//! it comes, in whatever order their streams are applied.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::fold::{Closure, Known};
use crate::{
    ViewError,
    db::{self, applying},
};

/// Marks the appeals of `marked` since the submission that follows, however much happened to them since:
/// the version that they had when it came is parted there.
const MARK: &str = ", was AS (INSERT INTO appeal_past SELECT v.*, m.since, m.since_at \
     FROM marked AS m JOIN appeal AS v USING (appeal, enterprise) \
     WHERE v.since < m.since AND NOT v.suspected_false_closure), \
     parted AS (INSERT INTO appeal_past SELECT (jsonb_populate_record(v, \
     jsonb_build_object('until', m.since, 'until_at', m.since_at))).* \
     FROM marked AS m JOIN appeal_past AS v USING (appeal, enterprise) \
     WHERE v.since < m.since AND v.until > m.since AND NOT v.suspected_false_closure), \
     later AS (UPDATE appeal_past AS v SET suspected_false_closure = true, \
     since = greatest(v.since, m.since), \
     since_at = CASE WHEN v.since < m.since THEN m.since_at ELSE v.since_at END \
     FROM marked AS m WHERE v.appeal = m.appeal AND v.enterprise = m.enterprise \
     AND v.until > m.since AND NOT v.suspected_false_closure) \
     UPDATE appeal AS v SET suspected_false_closure = true, since = greatest(v.since, m.since), \
     since_at = CASE WHEN v.since < m.since THEN m.since_at ELSE v.since_at END \
     FROM marked AS m WHERE v.appeal = m.appeal AND v.enterprise = m.enterprise \
     AND NOT v.suspected_false_closure";

/// Remembers the closes and marks those that were false, as it seems.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    closures: &[Closure],
    submitted: &[Known],
) -> Result<(), ViewError> {
    add(transaction, closures).await?;
    again(transaction, submitted).await
}

/// Adds closes, and marks those that an appeal follows which is known already: that of a stream that
/// was parked meanwhile.
async fn add(transaction: &Transaction<'_>, closures: &[Closure]) -> Result<(), ViewError> {
    if closures.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "WITH added AS (INSERT INTO closure (appeal, enterprise, topic, position, \
         until) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::date[]) \
         ON CONFLICT DO NOTHING RETURNING *), \
         marked AS (SELECT DISTINCT ON (added.appeal, added.enterprise) added.appeal, \
         added.enterprise, again.submitted_position AS since, again.submitted_at AS since_at \
         FROM added JOIN appeal AS again ON again.enterprise = added.enterprise \
         AND again.topic = added.topic AND again.submitted_position > added.position \
         AND again.submitted_on <= added.until \
         ORDER BY added.appeal, added.enterprise, again.submitted_position) {MARK}"
    );
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let appeals: Vec<Uuid> = closures.iter().map(|closure| closure.key.0.0).collect();
    let enterprises: Vec<&str> = closures.iter().map(|closure| closure.key.1.as_str()).collect();
    let topics: Vec<&str> = closures.iter().map(|closure| closure.topic.as_str()).collect();
    let positions: Vec<i64> = closures.iter().map(|closure| closure.position).collect();
    let until: Vec<_> = closures.iter().map(|closure| closure.until).collect();
    transaction
        .execute(&statement, &[&appeals, &enterprises, &topics, &positions, &until])
        .await
        .map_err(applying)?;
    Ok(())
}

/// Marks the closes that new appeals follow.
async fn again(transaction: &Transaction<'_>, submitted: &[Known]) -> Result<(), ViewError> {
    if submitted.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "WITH marked AS (SELECT DISTINCT ON (closure.appeal, closure.enterprise) closure.appeal, \
         closure.enterprise, c AS since, e AS since_at \
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::date[], $5::timestamptz[]) \
         AS again(a, b, c, d, e) \
         JOIN closure ON closure.enterprise = a AND closure.topic = b AND closure.position < c \
         AND closure.until >= d ORDER BY closure.appeal, closure.enterprise, c) {MARK}"
    );
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let enterprises: Vec<&str> =
        submitted.iter().map(|known| known.row.enterprise.as_str()).collect();
    let topics: Vec<&str> = submitted.iter().map(|known| known.row.topic.as_str()).collect();
    let positions: Vec<i64> =
        submitted.iter().map(|known| db::stored(known.row.submitted)).collect();
    let days: Vec<_> = submitted.iter().map(|known| known.submitted_on).collect();
    let times: Vec<_> = submitted.iter().map(|known| known.row.submitted_at).collect();
    transaction
        .execute(&statement, &[&enterprises, &topics, &positions, &days, &times])
        .await
        .map_err(applying)?;
    Ok(())
}
