//! What the views can say, as failures.

use doudi_views::{Behind, ViewError, ViewName};

use super::{Failure, RETRY_LATER, RETRY_SOON, Reason, Refusal, Words};
use crate::convert::token;

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Behind(behind) => behind.into(),
            ViewError::TooManyVisits { visits_max, .. } => {
                Refusal::new(Reason::TooManyVisits).with("visits_max", visits_max).into()
            }
            away @ (ViewError::Unavailable { .. } | ViewError::Journal { .. }) => {
                tracing::warn!(error = ?away, "a view cannot be read");
                Refusal::new(Reason::ViewUnavailable).retry_after(RETRY_LATER).into()
            }
            // The rest is said to operators; a query that meets it has found a fault.
            broken @ (ViewError::Halted { .. }
            | ViewError::NotParked { .. }
            | ViewError::StillPoison { .. }
            | ViewError::VerifyRunning
            | ViewError::RebuildRunning { .. }
            | ViewError::Fault { .. }) => Self::fault(broken),
        }
    }
}

impl From<Behind> for Failure {
    fn from(behind: Behind) -> Self {
        let Behind { view, reached, .. } = behind;
        Refusal::new(Reason::ViewBehind)
            .word("view", name(view))
            .with("position", token::of_position(reached))
            .retry_after(RETRY_SOON)
            .into()
    }
}

fn name(view: ViewName) -> Words {
    match view {
        ViewName::Timeline => Words::pair("timeline", "企业时间线"),
        ViewName::Visits => Words::pair("visits", "检查台账"),
        ViewName::Appeals => Words::pair("appeals", "诉求清单"),
        ViewName::Measures => Words::pair("measures", "办理成效统计"),
        ViewName::Agenda => Words::pair("agenda", "待办事项"),
        ViewName::Alerts => Words::pair("alerts", "检查预警"),
        ViewName::Ratings => Words::pair("ratings", "检查评价"),
        ViewName::Webhooks => Words::pair("webhooks", "事件推送"),
    }
}
