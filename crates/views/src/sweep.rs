//! What an independent look over the tables finds wrong: open appeals without a running clock, and
//! units that owe something. Nothing here relies on the agenda, whose failures it is meant to find.

use doudi_domain::{AppealId, EnterpriseId, UnitId};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{
    ViewError,
    db::{self, Value, column},
    read::Snapshot,
};

/// An appeal by its names.
pub type Named = (EnterpriseId, AppealId);

/// Open appeals after `after` for which no clock runs, by id; a paused one has the clock that bounds
/// its pause. Looks at the next `span` appeals and says which was the last of them.
const SILENT: &str = "WITH looked AS MATERIALIZED (\
     SELECT enterprise, appeal, open FROM appeal WHERE (appeal, enterprise) > ($1, $2) \
     ORDER BY appeal, enterprise LIMIT $3) \
     SELECT l.enterprise, l.appeal, l.open AND NOT EXISTS (SELECT FROM clock c \
     WHERE c.appeal = l.appeal AND c.enterprise = l.enterprise \
     AND c.diagnosis = '00000000-0000-0000-0000-000000000000' AND NOT c.waits) AS silent \
     FROM looked l ORDER BY l.appeal, l.enterprise";

/// Everybody who owes something, one index probe each.
const OWNERS: &str = "WITH RECURSIVE owners AS (\
     (SELECT owner FROM clock WHERE owner IS NOT NULL ORDER BY owner LIMIT 1) UNION ALL \
     SELECT (SELECT c.owner FROM clock c WHERE c.owner > o.owner ORDER BY c.owner LIMIT 1) \
     FROM owners o WHERE o.owner IS NOT NULL) SELECT owner FROM owners WHERE owner IS NOT NULL";

/// Open appeals in which a unit owes something.
const OF_OWNER: &str = "SELECT DISTINCT enterprise, appeal FROM clock WHERE owner = $1 LIMIT $2";

/// What was found among some appeals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The silent ones.
    pub silent: Vec<Named>,
    /// How many were looked at.
    pub looked: usize,
    /// The last that was looked at; none when there are no more.
    pub last: Option<Named>,
}

pub(crate) async fn silent(
    snapshot: &Snapshot<'_>,
    after: Option<&Named>,
    span: usize,
) -> Result<Looked, ViewError> {
    let nil = (Uuid::nil(), String::new());
    let (id, enterprise) = after.map_or(nil, |(enterprise, id)| (id.0, enterprise.to_string()));
    let limit = i64::try_from(span).unwrap_or(i64::MAX);
    let values: [Value<'_>; 3] =
        [(&id, Type::UUID), (&enterprise, Type::TEXT), (&limit, Type::INT8)];
    let rows = snapshot.rows("looking for silent appeals", SILENT, &values).await?;
    let mut found = Looked { silent: vec![], looked: rows.len(), last: None };
    for row in &rows {
        let named = named(row)?;
        if column(row, "silent")? {
            found.silent.push(named.clone());
        }
        found.last = Some(named);
    }
    Ok(found)
}

pub(crate) async fn owners(snapshot: &Snapshot<'_>) -> Result<Vec<UnitId>, ViewError> {
    let rows = snapshot.rows("listing who owes something", OWNERS, &[]).await?;
    rows.iter().map(|row| db::parsed(row, "owner", UnitId::parse)).collect()
}

pub(crate) async fn of_owner(
    snapshot: &Snapshot<'_>,
    owner: &UnitId,
    limit: usize,
) -> Result<Vec<Named>, ViewError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value<'_>; 2] = [(&owner.as_str(), Type::TEXT), (&limit, Type::INT8)];
    let rows = snapshot.rows("listing what a unit owes", OF_OWNER, &values).await?;
    rows.iter().map(named).collect()
}

fn named(row: &tokio_postgres::Row) -> Result<Named, ViewError> {
    let enterprise = db::parsed(row, "enterprise", EnterpriseId::parse)?;
    Ok((enterprise, AppealId(column(row, "appeal")?)))
}
