//! What an enterprise thinks of the visits that it had, on a stream of its own, so that nothing that
//! others read of visits moves with it.
//!
//! Invariants: only a visit for which officers came in is rated, once, and never again otherwise; who
//! rated is the stream's owner and stands in no event; what is rated is the unit in charge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Context, Decider, Need},
    ids::{UnitId, VisitId},
    visits::{Visit, Visits},
};

/// How many enterprises a unit's ratings come from at least before their sum is shown to anybody but
/// the enterprise: fewer would tell who rated.
pub const RATERS_MIN: usize = 5;

/// How satisfied an enterprise is, in the five grades of 国办发〔2019〕51号 (政务服务“好差评”), from the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Satisfaction {
    /// 非常不满意.
    VeryDissatisfied,
    /// 不满意.
    Dissatisfied,
    /// 基本满意.
    Acceptable,
    /// 满意.
    Satisfied,
    /// 非常满意.
    VerySatisfied,
}

impl Satisfaction {
    /// Every grade, from the worst.
    pub const ALL: [Self; 5] = [
        Self::VeryDissatisfied,
        Self::Dissatisfied,
        Self::Acceptable,
        Self::Satisfied,
        Self::VerySatisfied,
    ];
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The enterprise rated a visit.
    VisitRated {
        /// The visit.
        visit: VisitId,
        /// The unit in charge. No other: two units that shared a rating would find one that they do not share.
        unit: UnitId,
        /// How satisfied it is.
        satisfaction: Satisfaction,
    },
}

/// The ratings that an enterprise gave (入企检查评价).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ratings {
    given: BTreeMap<VisitId, Satisfaction>,
}

/// What can be asked of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Rate a visit.
    Rate {
        /// The visit.
        visit: VisitId,
        /// How satisfied the enterprise is.
        satisfaction: Satisfaction,
    },
}

/// Why a rating is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such visit, or none that the enterprise knows of.
    #[error("the visit {0} is unknown")]
    VisitUnknown(VisitId),
    /// Nobody came in.
    #[error("the visit {0} did not take place")]
    NotVisited(VisitId),
    /// It was rated otherwise; a rating stays as it was given.
    #[error("the visit {0} is rated already")]
    AlreadyRated(VisitId),
}

impl Ratings {
    /// What was said of a visit, if it was rated.
    #[must_use]
    pub fn of(&self, visit: VisitId) -> Option<Satisfaction> {
        self.given.get(&visit).copied()
    }

    fn rate(
        &self,
        visits: Option<&Visits>,
        id: VisitId,
        satisfaction: Satisfaction,
    ) -> Result<Vec<Event>, Rejection> {
        match self.of(id) {
            Some(given) if given == satisfaction => return Ok(vec![]),
            Some(_) => return Err(Rejection::AlreadyRated(id)),
            None => {}
        }
        let visit = visits.and_then(|visits| visits.get(id)).filter(|visit| visit.is_announced());
        let visit: &Visit = visit.ok_or(Rejection::VisitUnknown(id))?;
        if visit.checked_in_at().is_none() {
            return Err(Rejection::NotVisited(id));
        }
        let unit = visit.plan.unit.clone();
        Ok(vec![Event::VisitRated { visit: id, unit, satisfaction }])
    }
}

impl Decider for Ratings {
    const KIND: &'static str = "ratings";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(_: &Command) -> Vec<Need> {
        vec![Need::Visits]
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        let Command::Rate { visit, satisfaction } = command;
        self.rate(context.visits, *visit, *satisfaction)
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::VisitRated { visit, satisfaction, .. } = event;
        self.given.insert(*visit, *satisfaction);
        self
    }
}

#[cfg(test)]
mod tests;
