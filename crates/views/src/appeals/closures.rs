//! Suspected false closures: an appeal on the same topic soon after a close (疑似虚假办结).
//!
//! A close is marked when the log holds, after it, a submission of the same enterprise on the same
//! topic, made in time. That depends on what is in the log alone: each side looks for the other when
//! it comes, in whatever order their streams are applied.

use deadpool_postgres::Transaction;

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

/// Remembers the closes, and marks those of them and of earlier ones that an appeal follows: a new one, or, after
/// a close of a stream that was parked, one that is known already.
const PUT: &str = "WITH added AS (INSERT INTO closure (appeal, enterprise, topic, position, until) \
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::date[]) \
     ON CONFLICT DO NOTHING RETURNING *), \
     pair AS (SELECT added.appeal, added.enterprise, again.submitted_position AS since, \
     again.submitted_at AS since_at FROM added JOIN appeal AS again \
     ON again.enterprise = added.enterprise AND again.topic = added.topic \
     AND again.submitted_position > added.position AND again.submitted_on <= added.until \
     UNION ALL SELECT closure.appeal, closure.enterprise, c, e \
     FROM unnest($6::text[], $7::text[], $8::bigint[], $9::date[], $10::timestamptz[]) \
     AS again(a, b, c, d, e) JOIN closure ON closure.enterprise = a AND closure.topic = b \
     AND closure.position < c AND closure.until >= d), \
     marked AS (SELECT DISTINCT ON (appeal, enterprise) * FROM pair \
     ORDER BY appeal, enterprise, since)";

/// Remembers the closes and marks those that were false, as it seems: each since the first appeal that follows
/// it, in one statement, so that it does not matter which came in one batch.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    closures: &[Closure],
    submitted: &[Known],
) -> Result<(), ViewError> {
    if closures.is_empty() && submitted.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(&format!("{PUT}{MARK}")).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &of_each(closures, |closure| closure.key.0.0),
                &of_each(closures, |closure| closure.key.1.as_str()),
                &of_each(closures, |closure| closure.topic.as_str()),
                &of_each(closures, |closure| closure.position),
                &of_each(closures, |closure| closure.until),
                &of_each(submitted, |known| known.row.enterprise.as_str()),
                &of_each(submitted, |known| known.row.topic.as_str()),
                &of_each(submitted, |known| db::stored(known.row.submitted)),
                &of_each(submitted, |known| known.submitted_on),
                &of_each(submitted, |known| known.row.submitted_at),
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

fn of_each<'a, R, T>(rows: &'a [R], pick: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(pick).collect()
}
