//! Pages of appeals, newest submission first, by keyset on the position of the submission: an appeal
//! never changes its place, whatever happens to it while somebody turns the pages.

use deadpool_postgres::Pool;
use doudi_domain::{AreaCode, EnterpriseId, TopicId, UnitId};
use doudi_journal::Position;
use tokio_postgres::types::Type;

use super::{Row, State, rows};
use crate::{PAGE_MAX, Scope, ViewError, ViewName, db, predicate::Predicate};

/// Which page of which appeals. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The state.
    pub state: Option<State>,
    /// The area where it plays.
    pub area: Option<AreaCode>,
    /// The unit that leads.
    pub unit: Option<UnitId>,
    /// The topic.
    pub topic: Option<TopicId>,
    /// The enterprise that appealed.
    pub enterprise: Option<EnterpriseId>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only appeals submitted before this position: `next` of the page before.
    pub after: Option<Position>,
    /// The most appeals to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The appeals, newest submission first.
    pub appeals: Vec<Row>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Position>,
    /// The log position that the page reflects.
    pub position: Position,
}

impl Query {
    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        if let Some(state) = self.state {
            predicate.is("state", state.as_str());
        }
        if let Some(area) = &self.area {
            predicate.is("area", area.as_str());
        }
        if let Some(unit) = &self.unit {
            predicate.is("unit", unit.as_str());
        }
        if let Some(topic) = &self.topic {
            predicate.is("topic", topic.as_str());
        }
        if let Some(enterprise) = &self.enterprise {
            predicate.is("enterprise", enterprise.as_str());
        }
        predicate.within_shared(&self.scope);
        predicate
    }
}

/// Loads one page.
pub(crate) async fn list(pool: &Pool, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.predicate();
    if let Some(after) = query.after {
        predicate.compare("submitted_position", "<", db::stored(after), Type::INT8);
    }
    // One row more tells whether there is another page.
    let statement = format!(
        "SELECT {} FROM appeal WHERE {} ORDER BY submitted_position DESC LIMIT {}",
        rows::COLUMNS,
        predicate.sql(),
        limit + 1
    );
    let mut client = db::connect(pool).await?;
    let snapshot = db::snapshot(&mut client, ViewName::Appeals).await?;
    let found = snapshot
        .transaction
        .query_typed(&statement, &predicate.values())
        .await
        .map_err(|error| ViewError::sql("listing appeals", error))?;
    let mut appeals = found.iter().map(rows::read).collect::<Result<Vec<_>, _>>()?;
    let more = appeals.len() > limit;
    appeals.truncate(limit);
    let next = appeals.last().filter(|_| more).map(|last| last.submitted);
    Ok(Page { appeals, next, position: snapshot.position })
}
