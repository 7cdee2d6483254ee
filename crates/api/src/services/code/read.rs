//! What an enterprise is told that scanned a visit's code.

use doudi_domain::{
    UnitId, VisitId,
    calendar::civil_date,
    catalogue::Item,
    policy::{Policy, PolicyName},
    visits::{Phase, Visit, Visits},
};
use doudi_engine::{Position, streams};
use doudi_views::visits::quota;

use super::super::{Api, inspection::no_visit, no_enterprise};
use crate::{call::Call, convert::inspection, error::Failure, proto as pb};

impl Api {
    /// Who stands at the door, why, what for, by which law, and how often others came.
    pub(super) async fn read_task(
        &self,
        call: &Call,
        request: &pb::ReadTaskCodeRequest,
    ) -> Result<pb::ReadTaskCodeResponse, Failure> {
        let enterprise = inspection::code::read(request)?;
        call.require(|caller| caller.is_enterprise(&enterprise))?;
        let (code, over) = self.task_of(&enterprise, &request.code)?;
        let id = VisitId(code.visit);
        let folded = self.read::<Visits>(&streams::visits(&enterprise)?).await?;
        let visit = folded.state.get(id).ok_or_else(|| no_visit(id))?;
        let mut items = Vec::new();
        for (unit, share) in &visit.shares {
            let stream = streams::policy(&PolicyName::Catalogue(unit.clone()))?;
            let policy = self.read::<Policy>(&stream).await?;
            let catalogue = policy.state.catalogue();
            items.extend(share.items.iter().map(|item| {
                let listed = catalogue.and_then(|published| published.document.item(item));
                listed_item(item.as_str(), unit, listed)
            }));
        }
        let query = quota::Query {
            enterprise: enterprise.clone(),
            unit: visit.plan.unit.clone(),
            on: visit.plan.on,
            known_only: true,
            enterprises: call.caller.scope_of_enterprises(),
        };
        let found = self.0.views.quota(&query, call.fresh(Position::START)).await?;
        let found = found.ok_or_else(no_enterprise)?;
        let mut objections = objections(visit);
        if folded.state.held_by(visit).is_some() {
            objections.push("VISITS_HELD");
        }
        if over {
            objections.push("CODE_EXPIRED");
        }
        if civil_date(self.0.clock.now()) < visit.plan.on {
            objections.push("NOT_TODAY");
        }
        Ok(pb::ReadTaskCodeResponse {
            visit: Some(inspection::visit::of_visit(&enterprise, visit)),
            items,
            quotas: found.standings.iter().map(inspection::limits::of_standing).collect(),
            objections: objections.into_iter().map(str::to_owned).collect(),
        })
    }
}

fn listed_item(item: &str, unit: &UnitId, listed: Option<&Item>) -> pb::ListedItem {
    pb::ListedItem {
        item: item.to_owned(),
        unit: unit.to_string(),
        title: listed.map(|found| found.title.to_string()).unwrap_or_default(),
        legal_basis: listed.map(|found| found.legal_basis.to_string()).unwrap_or_default(),
        checklist: listed
            .map(|found| found.checklist.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
    }
}

/// What speaks against letting the officers in.
fn objections(visit: &Visit) -> Vec<&'static str> {
    match visit.phase {
        Phase::Planned => vec!["NOT_APPROVED"],
        Phase::Approved => vec![],
        Phase::CheckedIn { .. }
        | Phase::CheckedOut { .. }
        | Phase::Reported { .. }
        | Phase::Closed { .. } => vec!["ALREADY_USED"],
        Phase::Cancelled => vec!["CANCELLED"],
        Phase::Expired => vec!["EXPIRED"],
        Phase::Refused => vec!["REFUSED"],
        Phase::Merged { .. } => vec!["MERGED"],
    }
}
