//! How much of a selection lies after a place: what somebody who follows it still has before them.

use doudi_domain::EnterpriseId;
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::{ENTRIES, Point, Selection};
use crate::{Fresh, ViewError, ViewName, Views, db};

/// What lies after a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many entries, counted up to a bound.
    pub count: u64,
    /// When the first of them was recorded.
    pub since: Option<Timestamp>,
}

impl Views {
    /// The entries of `selection` after `after`, as far as the view has got, but those of the enterprises in `but`,
    /// counted up to `count_max`.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn pending(
        &self,
        selection: &Selection,
        after: Point,
        but: impl Iterator<Item = &EnterpriseId>,
        count_max: u32,
    ) -> Result<Pending, ViewError> {
        let mut predicate = selection.predicate();
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(db::stored(after.position)), Type::INT8),
            (Box::new(after.stored_ordinal()), Type::INT4),
        ];
        predicate.compare_row("position, ordinal", ">", key);
        let but: Vec<String> = but.map(EnterpriseId::to_string).collect();
        if !but.is_empty() {
            let but = predicate.place(but, Type::TEXT_ARRAY);
            predicate.holds(format!("enterprise <> ALL({but})"));
        }
        let statement = format!(
            "SELECT count(*) AS count, min(recorded_at) AS since FROM (SELECT recorded_at FROM \
             {ENTRIES} WHERE {} ORDER BY position, ordinal LIMIT {count_max}) AS first",
            predicate.sql()
        );
        let mut reader = self.reader(&[ViewName::Timeline], Fresh::ANY).await?;
        let snapshot = reader.once();
        let rows = snapshot.meant("counting timeline entries", &statement, &predicate).await?;
        let Some(row) = rows.first() else { return Ok(Pending::default()) };
        let count: i64 = db::column(row, "count")?;
        let since = db::column(row, "since")?;
        Ok(Pending { count: u64::try_from(count).unwrap_or(0), since })
    }
}
