//! `InspectionService`.

use doudi_domain::{
    AreaCode, Context, EnterpriseId, UnitId, VisitId,
    calendar::civil_date,
    visits::{Command, Rejection, Visits},
};
use doudi_engine::{Folded, streams};
use doudi_views::{ViewName, quota};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::{Api, may_ask, no_enterprise};
use crate::{
    call::Call,
    convert::{self, Order, common::receipt, inspection, token},
    error::{Explain, Failure, Reason},
    identity::Caller,
    proto::{self as pb, inspection_service_server::InspectionService},
};

impl Api {
    async fn on_visits(
        &self,
        call: &Call,
        order: &Order<Command>,
        occurred_at: Option<Timestamp>,
    ) -> Result<Option<pb::Receipt>, Failure> {
        let stream = streams::visits(&order.enterprise)?;
        let mut envelope = call.envelope(order.command_id, order.expected_version);
        envelope.occurred_at = occurred_at;
        match self.execute::<Visits>(&stream, &order.command, &envelope).await {
            Ok(outcome) => Ok(Some(receipt(&outcome))),
            Err(failure) if failure.is_refused_for(Reason::VisitOtherUnit) => {
                Err(self.not_owned(call, order, failure).await?)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What is said of a visit by another unit: that it is another's to who may see it, and to
    /// everybody else what is said of one that is not there.
    async fn not_owned(
        &self,
        call: &Call,
        order: &Order<Command>,
        refused: Failure,
    ) -> Result<Failure, Failure> {
        let Some(id) = visit_of(&order.command) else {
            return Ok(refused);
        };
        let folded = self.read::<Visits>(&streams::visits(&order.enterprise)?).await?;
        let seen = match folded.state.get(id) {
            Some(visit) => self.sees_visit(call, &order.enterprise, &visit.plan.unit).await?,
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
        request: &pb::CheckInRequest,
    ) -> Result<pb::CheckInResponse, Failure> {
        let order = inspection::check_in(request, call.unit()?)?;
        let occurred_at = Some(order.command.2.occurred_at);
        let order = order.map(|(visit, unit, check_in)| Command::CheckIn { visit, unit, check_in });
        let receipt = self.on_visits(call, &order, occurred_at).await?;
        Ok(pb::CheckInResponse { receipt })
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
        let (enterprise, id, at_least) = inspection::get(request)?;
        may_ask(call, &enterprise)?;
        let folded = self.read_at::<Visits>(&streams::visits(&enterprise)?, at_least).await?;
        let visit = folded.state.get(id).ok_or_else(|| no_visit(id))?;
        if !self.sees_visit(call, &enterprise, &visit.plan.unit).await? {
            return Err(no_visit(id));
        }
        Ok(inspection::answer(&enterprise, visit, &folded))
    }

    /// Whether the caller may see a visit of that enterprise by `unit`.
    async fn sees_visit(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        unit: &UnitId,
    ) -> Result<bool, Failure> {
        let units = [unit];
        let sees = |caller: &Caller, area: Option<&AreaCode>| caller.sees(enterprise, &units, area);
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
        self.sees_enterprise(call, &enterprise).await?;
        let command = Command::Plan(plan.clone());
        let explained = |folded: &Folded<Visits>, context: &Context<'_>| {
            let versions = (
                context.frequency.map(|published| published.version),
                context.catalogue.map(|published| published.version),
            );
            let found = folded.state.explain(context, &plan);
            inspection::of_explanation(&found, versions, folded.position)
        };
        let stream = streams::visits(&enterprise)?;
        Ok(self.0.engine.consider(&stream, &command, explained).await?)
    }

    async fn quota(
        &self,
        call: &Call,
        request: &pb::GetQuotaRequest,
    ) -> Result<pb::GetQuotaResponse, Failure> {
        let today = civil_date(self.0.clock.now());
        let own = call.caller.unit.as_ref();
        let inspection::QuotaAsked { enterprise, unit, on, at_least } =
            inspection::quota(request, own, today)?;
        may_ask(call, &enterprise)?;
        self.sees_enterprise(call, &enterprise).await?;
        self.reached(ViewName::Quota, "min_position", at_least).await?;
        let query = quota::Query { enterprise, unit, on };
        let found = self.0.views.quota(&query, call.fresh(at_least)).await?;
        Ok(pb::GetQuotaResponse {
            quotas: found.standings.iter().map(inspection::of_standing).collect(),
            position: token::of_position(found.position),
        })
    }
}

/// A visit that is not there, or not for this caller.
fn no_visit(id: VisitId) -> Failure {
    Rejection::VisitUnknown(id).explain().into()
}

/// The visit that a command is about; none for one that only makes it.
fn visit_of(command: &Command) -> Option<VisitId> {
    match command {
        Command::Plan(_) => None,
        Command::Approve { visit, .. }
        | Command::CheckIn { visit, .. }
        | Command::CheckOut { visit, .. }
        | Command::ReportResult { visit, .. }
        | Command::Cancel { visit, .. }
        | Command::Expire { visit } => Some(*visit),
    }
}

#[tonic::async_trait]
impl InspectionService for Api {
    async fn plan_visit(
        &self,
        request: Request<pb::PlanVisitRequest>,
    ) -> Result<Response<pb::PlanVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.plan(&call, request.get_ref()).await?))
    }

    async fn approve_visit(
        &self,
        request: Request<pb::ApproveVisitRequest>,
    ) -> Result<Response<pb::ApproveVisitResponse>, Status> {
        let call = Call::of(&request)?;
        let order = inspection::approve(request.get_ref(), call.unit()?)?;
        let receipt = self.on_visits(&call, &order, None).await?;
        Ok(Response::new(pb::ApproveVisitResponse { receipt }))
    }

    async fn check_in(
        &self,
        request: Request<pb::CheckInRequest>,
    ) -> Result<Response<pb::CheckInResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.check_in_at(&call, request.get_ref()).await?))
    }

    async fn check_out(
        &self,
        request: Request<pb::CheckOutRequest>,
    ) -> Result<Response<pb::CheckOutResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.check_out_at(&call, request.get_ref()).await?))
    }

    async fn report_result(
        &self,
        request: Request<pb::ReportResultRequest>,
    ) -> Result<Response<pb::ReportResultResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::inspection::report(request.get_ref(), call.unit()?)?;
        let receipt = self.on_visits(&call, &order, None).await?;
        Ok(Response::new(pb::ReportResultResponse { receipt }))
    }

    async fn cancel_visit(
        &self,
        request: Request<pb::CancelVisitRequest>,
    ) -> Result<Response<pb::CancelVisitResponse>, Status> {
        let call = Call::of(&request)?;
        let order = inspection::cancel(request.get_ref(), call.unit()?)?;
        let receipt = self.on_visits(&call, &order, None).await?;
        Ok(Response::new(pb::CancelVisitResponse { receipt }))
    }

    async fn get_visit(
        &self,
        request: Request<pb::GetVisitRequest>,
    ) -> Result<Response<pb::GetVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.visit(&call, request.get_ref()).await?))
    }

    async fn explain_plan(
        &self,
        request: Request<pb::ExplainPlanRequest>,
    ) -> Result<Response<pb::ExplainPlanResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.plan_explained(&call, request.get_ref()).await?))
    }

    async fn get_quota(
        &self,
        request: Request<pb::GetQuotaRequest>,
    ) -> Result<Response<pb::GetQuotaResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.quota(&call, request.get_ref()).await?))
    }
}
