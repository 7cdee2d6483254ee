//! `InspectionService`.

use doudi_domain::{
    AreaCode, Context, EnterpriseId, UnitId, VisitId,
    calendar::civil_date,
    visits::{CheckIn, Command, Rejection, Visit, Visits},
};
use doudi_engine::{Folded, streams};
use doudi_views::{ViewName, visits::quota};
use jiff::{Timestamp, civil::Date};

use super::{Api, may_ask, no_enterprise};
use crate::{
    call::Call,
    convert::{
        Order,
        common::receipt,
        inspection::{self, scan::Scanned},
        token,
    },
    error::{Explain, Failure, Reason},
    identity::Caller,
    proto as pb,
};

mod rpcs;

impl Api {
    pub(super) async fn on_visits(
        &self,
        call: &Call,
        order: &Order<Command>,
        occurred_at: Option<Timestamp>,
    ) -> Result<Option<pb::Receipt>, Failure> {
        let stream = streams::visits(&order.enterprise)?;
        let mut envelope = call.envelope(order.command_id, order.expected_version);
        envelope.occurred_at = occurred_at;
        match self.execute::<Visits>(&stream, &order.command, &envelope).await {
            Ok(outcome) => Ok(Some(told(call, &order.enterprise, receipt(&outcome)))),
            Err(failure)
                if failure.is_refused_for(Reason::VisitOtherUnit)
                    || failure.is_refused_for(Reason::VersionConflict) =>
            {
                Err(self.not_owned(call, order, failure).await?)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What is said of a visit by another unit, or of what happened to all of them: that to who may see the
    /// visit, and to everybody else what is said of one that is not there.
    async fn not_owned(
        &self,
        call: &Call,
        order: &Order<Command>,
        refused: Failure,
    ) -> Result<Failure, Failure> {
        let Some(id) = order.command.visit() else {
            return Ok(refused);
        };
        let folded = self.read::<Visits>(&streams::visits(&order.enterprise)?).await?;
        let seen = match folded.state.get(id) {
            Some(visit) => self.sees_visit(call, &order.enterprise, visit).await?,
            None => false,
        };
        Ok(if seen { refused } else { no_visit(id) })
    }

    async fn plan(
        &self,
        call: &Call,
        request: &pb::PlanVisitRequest,
    ) -> Result<pb::PlanVisitResponse, Failure> {
        let order = inspection::plan(request, call.unit()?)?;
        let visit_id = order.command.visit.to_string();
        let receipt = self.on_visits(call, &order.map(Command::Plan), None).await?;
        Ok(pb::PlanVisitResponse { receipt, visit_id })
    }

    async fn check_in_at(
        &self,
        call: &Call,
        order: Order<Scanned>,
    ) -> Result<Option<pb::Receipt>, Failure> {
        let unit = call.unit()?;
        let proof = self.proof(&order).await?;
        let occurred_at = Some(order.command.check_in.occurred_at);
        let order = order.map(|Scanned { visit, check_in, improvised, .. }| Command::CheckIn {
            visit,
            unit,
            check_in: CheckIn { proof, ..check_in },
            improvised,
        });
        self.on_visits(call, &order, occurred_at).await
    }

    /// Today in Asia/Shanghai.
    pub(super) fn today(&self) -> Date {
        civil_date(self.0.clock.now())
    }

    async fn backfill(
        &self,
        call: &Call,
        request: &pb::BackfillCheckInRequest,
    ) -> Result<pb::BackfillCheckInResponse, Failure> {
        let order = inspection::scan::backfill(request, call.unit()?)?;
        let Command::CheckIn { visit, check_in, .. } = &order.command else {
            return Err(Failure::fault("a scan was converted to another command"));
        };
        let (visit_id, occurred_at) = (visit.to_string(), Some(check_in.occurred_at));
        let receipt = self.on_visits(call, &order, occurred_at).await?;
        Ok(pb::BackfillCheckInResponse { receipt, visit_id })
    }

    async fn check_off_site(
        &self,
        call: &Call,
        request: &pb::RecordOffSiteCheckRequest,
    ) -> Result<pb::RecordOffSiteCheckResponse, Failure> {
        let order = inspection::found::off_site(request, call.unit()?)?;
        let check_id = order.command.check.to_string();
        let occurred_at = Some(order.command.occurred_at);
        let receipt = self.on_visits(call, &order.map(Command::RecordOffSite), occurred_at).await?;
        Ok(pb::RecordOffSiteCheckResponse { receipt, check_id })
    }

    /// What the enterprise says it rectified, in a visit that it knows of.
    async fn rectified(
        &self,
        call: &Call,
        request: &pb::ReportRectificationRequest,
    ) -> Result<Option<pb::Receipt>, Failure> {
        let order = inspection::found::rectified(request)?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        self.on_visits(call, &order, None).await
    }

    async fn check_out_at(
        &self,
        call: &Call,
        request: &pb::CheckOutRequest,
    ) -> Result<pb::CheckOutResponse, Failure> {
        let order = inspection::check_out(request, call.unit()?)?;
        let at = order.command.2;
        let order =
            order.map(|(visit, unit, occurred_at)| Command::CheckOut { visit, unit, occurred_at });
        let receipt = self.on_visits(call, &order, Some(at)).await?;
        Ok(pb::CheckOutResponse { receipt })
    }

    async fn visit(
        &self,
        call: &Call,
        request: &pb::GetVisitRequest,
    ) -> Result<pb::GetVisitResponse, Failure> {
        let (enterprise, id, reflect) = inspection::get(request)?;
        may_ask(call, &enterprise)?;
        let stream = streams::visits(&enterprise)?;
        let now = self.read_at::<Visits>(&stream, reflect.at_least).await?;
        // Who may see it is as of now, whatever it was.
        let visit = now.state.get(id).ok_or_else(|| no_visit(id))?;
        if !self.sees_visit(call, &enterprise, visit).await? {
            return Err(no_visit(id));
        }
        let folded = self.folded_as_of(&stream, &now, reflect.as_of).await?;
        let visit = folded.state.get(id).ok_or_else(|| no_visit(id))?;
        let mut answer = inspection::visit::answer(&enterprise, visit, &folded);
        if call.caller.is_enterprise(&enterprise) {
            // They would tell of visits that it was not told of.
            (answer.version, answer.position) = (0, token::of_position(reflect.at_least));
        }
        Ok(answer)
    }

    /// Whether the caller may see a visit to that enterprise. The enterprise itself sees one once it was
    /// told of it, or the officers came.
    pub(super) async fn sees_visit(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        visit: &Visit,
    ) -> Result<bool, Failure> {
        let units: Vec<&UnitId> = visit.shares.keys().collect();
        let announced = visit.is_announced();
        let sees = |caller: &Caller, area: Option<&AreaCode>| {
            caller.sees(enterprise, &units, area)
                && (announced || !caller.is_enterprise(enterprise))
        };
        self.sees(&call.caller, enterprise, sees).await
    }

    /// Refuses an enterprise that the caller may not see, in the words for an unknown one.
    async fn sees_enterprise(&self, call: &Call, enterprise: &EnterpriseId) -> Result<(), Failure> {
        let seen = self.sees(&call.caller, enterprise, |caller, area| {
            caller.sees_enterprise(enterprise, area)
        });
        if seen.await? { Ok(()) } else { Err(no_enterprise()) }
    }

    /// As [`Api::plan`] would decide, on the same stream and the same documents.
    async fn plan_explained(
        &self,
        call: &Call,
        request: &pb::ExplainPlanRequest,
    ) -> Result<pb::ExplainPlanResponse, Failure> {
        let own = call.caller.unit.as_ref();
        let (enterprise, plan) = inspection::explain(request, own)?;
        may_ask(call, &enterprise)?;
        // It would be told of visits that it is not to know of.
        call.require(|caller| !caller.is_enterprise(&enterprise))?;
        self.sees_enterprise(call, &enterprise).await?;
        let command = Command::Plan(plan.clone());
        let explained = |folded: &Folded<Visits>, context: &Context<'_>| {
            let versions = (
                context.frequency.map(|published| published.version),
                context.catalogue(&plan.unit).map(|published| published.version),
            );
            let found = folded.state.explain(context, &plan);
            inspection::limits::of_explanation(&found, versions, folded.position)
        };
        let stream = streams::visits(&enterprise)?;
        Ok(self.0.engine.consider(&stream, &command, explained).await?)
    }

    async fn quota(
        &self,
        call: &Call,
        request: &pb::GetQuotaRequest,
    ) -> Result<pb::GetQuotaResponse, Failure> {
        let today = civil_date(self.instant(request.as_of.as_ref()).await?);
        let own = call.caller.unit.as_ref();
        let inspection::QuotaAsked { enterprise, unit, on, reflect } =
            inspection::quota(request, own, today)?;
        may_ask(call, &enterprise)?;
        let fresh = self.reflecting(call, &[ViewName::Visits], reflect).await?;
        let known_only = call.caller.is_enterprise(&enterprise);
        let enterprises = call.caller.scope_of_enterprises();
        let query = quota::Query { enterprise, unit, on, known_only, enterprises };
        let found = self.0.views.quota(&query, fresh).await?.ok_or_else(no_enterprise)?;
        Ok(inspection::limits::of_quota(&found))
    }
}

/// What a command left in the log, as the caller may know it: how many commits there were, and where the last
/// stands, would tell the enterprise of visits that it was not told of.
fn told(call: &Call, enterprise: &EnterpriseId, receipt: pb::Receipt) -> pb::Receipt {
    if !call.caller.is_enterprise(enterprise) {
        return receipt;
    }
    let position = if receipt.unchanged { String::new() } else { receipt.position };
    pb::Receipt { version: 0, position, ..receipt }
}

/// A visit that is not there, or not for this caller.
pub(super) fn no_visit(id: VisitId) -> Failure {
    Rejection::VisitUnknown(id).explain().into()
}
