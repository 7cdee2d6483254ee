//! Visits (入企检查): one row each, for lists and counts of all who ask, and for the frequency ledger
//! (检查频次台账), so that a list and what the limits count can never differ.
//!
//! A row holds what the function that decides makes of the events; everything else is derived from it.

use doudi_domain::{
    AreaCode, CertificateNumber, EnterpriseId, FewSet, UnitId, VisitId,
    calendar::civil_date,
    frequency::{Ground, Held},
    visits::{OffSiteCheck, Phase, Visit},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

mod fold;
mod in_memory;
mod known;
pub mod ledger;
mod list;
mod near;
pub mod quota;
mod rows;

pub(crate) use fold::reads;
pub(crate) use in_memory::Tables;
pub(crate) use known::{ENTERPRISE, POLICY};
pub use list::{Count, Counts, Cursor, Filter, Page, Query};
pub(crate) use list::{SCOPED, list};
pub use near::NearQuery;
pub(crate) use rows::{VISIT, apply};

use crate::{Fresh, ViewError, ViewName, Views};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 6;

/// How far a visit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned; not every unit's head has approved.
    Planned,
    /// Approved by the head of each unit.
    Approved,
    /// The officers are there.
    CheckedIn,
    /// The officers have left.
    CheckedOut,
    /// The results of every unit are reported.
    Reported,
    /// Nothing is left to be done.
    Closed,
    /// Called off.
    Cancelled,
    /// Not begun in time.
    Expired,
    /// Refused by the enterprise.
    Refused,
    /// Given up for another visit.
    Merged,
    /// No visit but a check from elsewhere (非现场检查).
    OffSite,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Approved,
        Self::CheckedIn,
        Self::CheckedOut,
        Self::Reported,
        Self::Closed,
        Self::Cancelled,
        Self::Expired,
        Self::Refused,
        Self::Merged,
        Self::OffSite,
    ];
    /// Those of a visit that is not over: somebody still has to come, to leave, to report or to conclude.
    pub const OPEN: [Self; 5] =
        [Self::Planned, Self::Approved, Self::CheckedIn, Self::CheckedOut, Self::Reported];
    /// Those of a visit that is still to come.
    pub const AHEAD: [Self; 2] = [Self::Planned, Self::Approved];

    /// The state of a visit.
    #[must_use]
    pub fn of(visit: &Visit) -> Self {
        match visit.phase {
            Phase::Planned => Self::Planned,
            Phase::Approved => Self::Approved,
            Phase::CheckedIn { .. } => Self::CheckedIn,
            Phase::CheckedOut { .. } => Self::CheckedOut,
            Phase::Reported { .. } => Self::Reported,
            Phase::Closed { .. } => Self::Closed,
            Phase::Cancelled => Self::Cancelled,
            Phase::Expired => Self::Expired,
            Phase::Refused => Self::Refused,
            Phase::Merged { .. } => Self::Merged,
        }
    }
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A visit, as the decision knows it.
    Visit(Box<Visit>),
    /// A check from elsewhere. It counts nowhere.
    OffSite(OffSiteCheck),
}

/// A visit, or a check from elsewhere, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Its area when the visit was planned or the check was recorded, where it was registered.
    pub area: Option<AreaCode>,
    /// What is known of it.
    pub what: What,
}

impl Row {
    /// Names it, among those of its enterprise.
    #[must_use]
    pub fn id(&self) -> VisitId {
        match &self.what {
            What::Visit(visit) => visit.plan.visit,
            What::OffSite(check) => check.check,
        }
    }

    /// The visit; none where it is a check from elsewhere.
    #[must_use]
    pub fn visit(&self) -> Option<&Visit> {
        match &self.what {
            What::Visit(visit) => Some(visit),
            What::OffSite(_) => None,
        }
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.visit().map_or(State::OffSite, State::of)
    }

    /// The unit that leads.
    #[must_use]
    pub fn unit(&self) -> &UnitId {
        match &self.what {
            What::Visit(visit) => &visit.plan.unit,
            What::OffSite(check) => &check.unit,
        }
    }

    /// The other units that take part now.
    #[must_use]
    pub fn beside(&self) -> Vec<&UnitId> {
        let units = self.visit().into_iter().flat_map(|visit| visit.shares.keys());
        units.filter(|unit| *unit != self.unit()).collect()
    }

    /// The certificates of the officers who are to come; of those who came, once they have. None for a
    /// check from elsewhere.
    #[must_use]
    pub fn officers(&self) -> FewSet<CertificateNumber> {
        self.visit().map(Visit::officers).unwrap_or_default()
    }

    /// The planned day; once the officers came, the day that it counts on. That of the check itself where
    /// it was one from elsewhere. In Asia/Shanghai.
    #[must_use]
    pub fn day(&self) -> Date {
        match &self.what {
            What::Visit(visit) => visit.place().map_or(visit.plan.on, |(_, on)| on),
            What::OffSite(check) => civil_date(check.occurred_at),
        }
    }

    /// Why; none for a check from elsewhere.
    #[must_use]
    pub fn ground(&self) -> Option<Ground> {
        self.visit().map(|visit| visit.plan.ground)
    }

    /// Whether the enterprise does not know of it: it was neither told of the visit nor has it seen the
    /// officers. What it does not know of, it does not see either, so that no list warns it.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.visit().is_some_and(|visit| !visit.is_announced())
    }

    fn held(&self) -> Option<Held> {
        self.visit()?.place().map(|(held, _)| held)
    }
}

impl Views {
    /// One page of visits by day.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn visits(&self, query: &Query, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Visits], fresh).await?;
        list::list(&reader.once(), query).await
    }

    /// How many visits there are, by state and ground.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn count_visits(&self, filter: &Filter, fresh: Fresh) -> Result<Counts, ViewError> {
        let mut reader = self.reader(&[ViewName::Visits], fresh).await?;
        list::count(&reader.once(), filter).await
    }

    /// Visits of other units that are ahead near a day, so that a unit can join one instead of coming
    /// itself (综合查一次). No scope narrows them: it is for units that plan.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn near_visits(&self, query: &NearQuery, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Visits], fresh).await?;
        near::load(&reader.snapshot(), query).await
    }

    /// One page of what a unit's visits of a year hold at each enterprise.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn ledger(
        &self,
        query: &ledger::Query,
        fresh: Fresh,
    ) -> Result<ledger::Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Visits], fresh).await?;
        ledger::load(&reader.once(), query).await
    }

    /// How an enterprise stands against the frequency limits, counted by the function that decides; none
    /// where it is not for the caller.
    ///
    /// # Errors
    /// As [`Views::timeline`], and [`ViewError::TooManyVisits`].
    pub async fn quota(
        &self,
        query: &quota::Query,
        fresh: Fresh,
    ) -> Result<Option<quota::Quota>, ViewError> {
        let mut reader = self.reader(&[ViewName::Visits], fresh).await?;
        let mut from = quota::usual_first_day(query.on);
        loop {
            match quota::load(&reader.once(), query, from).await? {
                quota::Answer::Unseen => return Ok(None),
                quota::Answer::From(earlier) => from = earlier,
                quota::Answer::Quota(quota) => return Ok(Some(quota)),
            }
        }
    }
}
