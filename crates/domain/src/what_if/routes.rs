//! Appeals under another routing table: whom its rules would have given each one to on its submission.
//!
//! Compared with whom the rules of the table in force then chose, not with what a dispatcher chose by
//! hand later on: people would choose by hand under any table.

use super::{Change, Instance, Key, Look, Matter, versions::Versions};
use crate::{
    appeal::{Appeal, Case, Event},
    decider::Decider,
    ids::{AppealId, EnterpriseId, UnitId},
    policy::{self, Document},
    routing::{RouteRule, RoutingTable},
};

/// The event that an appeal begins with.
pub(super) const SUBMITTED: &str = "AppealSubmitted";

pub(super) struct Routes {
    candidate: RoutingTable,
    published: Versions<RoutingTable>,
}

/// Who would have an appeal by the rules of a table.
#[derive(PartialEq, Eq)]
struct Chosen {
    unit: UnitId,
    /// Whether the rules named it; else the guarantee took what they had nobody for.
    named: bool,
}

impl Routes {
    pub(super) fn under(candidate: RoutingTable) -> Self {
        Self { candidate, published: Versions::default() }
    }

    pub(super) fn published(&mut self, events: &[policy::Event]) {
        self.published.see(events, |document| match document {
            Document::Routing(table) => Some(table),
            Document::Frequency(_)
            | Document::Calendar(_)
            | Document::CaseTypes(_)
            | Document::Catalogue(_) => None,
        });
    }

    pub(super) fn appeal(
        &self,
        look: &mut Look<'_>,
        enterprise: &EnterpriseId,
        id: AppealId,
        events: &[Event],
    ) {
        let submitted = |event: &&Event| matches!(event, Event::AppealSubmitted { .. });
        let Some(event) = events.iter().find(submitted) else { return };
        let appeal = Appeal::default().evolve(event);
        let Some(case) = appeal.known() else { return };
        let submission = &case.submission;
        let matter = Matter {
            enterprise,
            unit: None,
            area: Some(&submission.area),
            confidentiality: submission.confidentiality,
        };
        if !look.days.hold(look.recorded_at) || !(look.sees)(&matter) {
            return;
        }
        let before = self.published.in_force().and_then(|table| chosen(case, table));
        let (Some(before), Some(after)) = (before, chosen(case, &self.candidate)) else {
            look.report.skipped += 1;
            return;
        };
        look.report.compared += 1;
        if before == after {
            return;
        }
        let change = match (before.named, after.named) {
            (true, false) => Change::Ownerless,
            (false, true) => Change::Owned,
            (true, true) | (false, false) => Change::Rerouted,
        };
        let keys = [
            Key::Move { from: before.unit, to: after.unit },
            Key::Area(Some(submission.area.clone())),
            Key::Topic(submission.topic.clone()),
        ];
        look.report.note(change, (enterprise, Instance::Appeal(id)), keys);
    }
}

/// None where nobody here may handle it, whatever the table.
fn chosen(case: &Case, table: &RoutingTable) -> Option<Chosen> {
    let route = case.routed_by(table).ok()?;
    Some(match route.rule == RouteRule::CityDesk {
        true => Chosen { unit: table.guarantee_unit().clone(), named: false },
        false => Chosen { unit: route.unit, named: true },
    })
}
