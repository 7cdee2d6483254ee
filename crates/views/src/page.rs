//! The page of an enterprise (企业页): who it is, what is open, what is left under the limits, and what
//! happened, from one snapshot.

use doudi_domain::{EnterpriseId, UnitId, enterprise::Registered};
use doudi_journal::Position;
use jiff::civil::Date;

use crate::{
    Fresh, Scope, ViewError, ViewName, Views, appeals, timeline, visits,
    visits::{State, quota},
};

/// The most open visits, and the most open appeals, of one page.
pub const OPEN_MAX: usize = 100;

/// Whose page, for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The unit whose places are told also where it never came; none for who belongs to none.
    pub unit: Option<UnitId>,
    /// The day in Asia/Shanghai whose windows are counted.
    pub on: Date,
    /// Whether only those visits count that the enterprise knows of.
    pub known_only: bool,
    /// Within what the enterprise must lie for the caller to be shown its page.
    pub enterprises: Scope,
    /// What the caller may see on it.
    pub scope: Scope,
    /// The most entries of the timeline to return, 1 to [`PAGE_MAX`](crate::PAGE_MAX).
    pub entries_max: usize,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterprisePage {
    /// Who it is.
    pub profile: Registered,
    /// The visits that are not over, the earliest day first, at most [`OPEN_MAX`].
    pub visits: visits::Page,
    /// The appeals on which somebody owes something, newest submission first, at most [`OPEN_MAX`].
    pub appeals: appeals::Page,
    /// What its visits hold under the limits, and what is left.
    pub places: quota::Places,
    /// What happened, the newest first.
    pub timeline: timeline::Page,
    /// The log position that all of it reflects.
    pub position: Position,
}

/// The views that it is made of.
pub const VIEWS: [ViewName; 3] = [ViewName::Visits, ViewName::Appeals, ViewName::Timeline];

impl Views {
    /// The page of an enterprise; none where it is not registered, or not for the caller.
    ///
    /// # Errors
    /// As [`Views::timeline`], and [`ViewError::TooManyVisits`].
    pub async fn enterprise_page(
        &self,
        query: &Query,
        fresh: Fresh,
    ) -> Result<Option<EnterprisePage>, ViewError> {
        let Query { enterprise, scope, .. } = query;
        let mut reader = self.reader(&VIEWS, fresh).await?;
        let mut snapshot = reader.snapshot();
        let open = visits::Query {
            filter: visits::Filter {
                enterprise: Some(enterprise.clone()),
                states: State::OPEN.to_vec(),
                ..visits::Filter::all(scope.clone())
            },
            order: timeline::Order::OldestFirst,
            after: None,
            limit: OPEN_MAX,
        };
        // Both are sent at once.
        let (open_visits, places) = futures::future::try_join(
            visits::list(&snapshot, &open),
            quota::places(&snapshot, query),
        )
        .await?;
        let Some((profile, places)) = places else {
            return Ok(None);
        };
        snapshot.turn_to(ViewName::Appeals).await?;
        let open = appeals::Query {
            enterprise: Some(enterprise.clone()),
            open_only: true,
            ..appeals::Query::all(scope.clone(), OPEN_MAX)
        };
        let open_appeals = appeals::list(&snapshot, &open).await?;
        snapshot.turn_to(ViewName::Timeline).await?;
        let newest = timeline::Query::newest(enterprise.clone(), scope.clone(), query.entries_max);
        let timeline = timeline::list(&snapshot, &newest).await?;
        Ok(Some(EnterprisePage {
            profile,
            visits: open_visits,
            appeals: open_appeals,
            places,
            timeline,
            position: snapshot.position().await?,
        }))
    }
}
