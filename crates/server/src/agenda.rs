//! The agenda that `react` carries out: the one that the views keep.

use doudi_engine::react::{Agenda, AgendaError, Due, Page, Query};
use doudi_journal::Position;
use doudi_views::{Behind, ViewName, Views, agenda};
use tokio::time::Duration;

/// The agenda in the tables.
#[derive(Debug, Clone)]
pub struct StoredAgenda(pub Views);

impl Agenda for StoredAgenda {
    async fn due(&self, query: &Query) -> Result<Page, AgendaError> {
        let Query { until, after, limit } = query.clone();
        let after = after.map(|due| agenda::Point { at: due.at, stream: due.stream, key: due.key });
        let page = self.0.due(&agenda::Query { until, after, limit }).await;
        let agenda::Page { due, next, position } =
            page.map_err(|error| AgendaError(Box::new(error)))?;
        Ok(Page { due: due.into_iter().map(entry).collect(), more: next.is_some(), position })
    }

    async fn wait_until(&self, position: Position, within: Duration) -> Position {
        match self.0.wait(ViewName::Agenda, position, within).await {
            Ok(reached) | Err(Behind { reached, .. }) => reached,
        }
    }
}

/// An entry as the views have it, for who carries it out.
#[must_use]
pub fn entry(due: agenda::Due) -> Due {
    let agenda::Due { point, duty, cause, correlation, position } = due;
    let agenda::Point { at, stream, key } = point;
    Due { stream, key, at, duty, cause, correlation, position }
}
