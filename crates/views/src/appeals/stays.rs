//! How long appeals were in a state with a unit (办理时长): one row for each time that one moved on.

use deadpool_postgres::Transaction;
use doudi_domain::UnitId;

use super::fold::Stay;
use crate::{
    ViewError,
    db::{self, applying},
    scope,
};

const ADD: &str = "INSERT INTO stay (appeal, enterprise, position, ordinal, state, unit, beside, area, \
     topic, secrecy, entered_at, occurred_at) \
     SELECT a, b, c, d, e, f, g::text[], h, i, j, k, l \
     FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::text[], \
     $8::text[], $9::text[], $10::smallint[], $11::timestamptz[], $12::timestamptz[]) \
     AS row(a, b, c, d, e, f, g, h, i, j, k, l)";

/// Adds stays that ended.
pub(super) async fn put(transaction: &Transaction<'_>, stays: &[Stay]) -> Result<(), ViewError> {
    if stays.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(ADD).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[
                &each(stays, |stay| stay.row.appeal.0),
                &each(stays, |stay| stay.row.enterprise.as_str()),
                &each(stays, |stay| stay.position),
                &each(stays, |stay| stay.ordinal),
                &each(stays, |stay| stay.row.state.as_str()),
                &each(stays, |stay| stay.row.unit.as_ref().map(UnitId::as_str)),
                &each(stays, |stay| db::array(&stay.row.beside)),
                &each(stays, |stay| stay.row.area.as_str()),
                &each(stays, |stay| stay.row.topic.as_str()),
                &each(stays, |stay| scope::secrecy(stay.row.confidentiality)),
                &each(stays, |stay| stay.entered_at),
                &each(stays, |stay| stay.left_at),
            ],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

fn each<'a, T>(stays: &'a [Stay], pick: impl Fn(&'a Stay) -> T) -> Vec<T> {
    stays.iter().map(pick).collect()
}
