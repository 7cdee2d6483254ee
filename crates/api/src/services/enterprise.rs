//! `EnterpriseService`.

use doudi_domain::{
    CheckDigit, EnterpriseId,
    enterprise::{Command, Profile},
};
use doudi_engine::streams;
use tonic::{Request, Response, Status};

use super::{Api, may_ask, no_enterprise};
use crate::{
    call::Call,
    convert::{self, Order, common::receipt},
    error::{Failure, Reason, Refusal},
    proto::{self as pb, enterprise_service_server::EnterpriseService},
};

impl Api {
    pub(super) async fn on_profile(
        &self,
        call: &Call,
        order: &Order<Command>,
    ) -> Result<pb::Receipt, Failure> {
        let stream = streams::profile(&order.enterprise)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        let outcome = self.execute::<Profile>(&stream, &order.command, &envelope).await?;
        Ok(receipt(&outcome))
    }

    async fn register(
        &self,
        call: &Call,
        request: &pb::RegisterEnterpriseRequest,
    ) -> Result<pb::RegisterEnterpriseResponse, Failure> {
        let strict = self.0.settings.refuse_bad_check_digit;
        let order = convert::enterprise::register(request, strict)?;
        let Command::Register { area, check_digit, .. } = &order.command else {
            return Err(Failure::fault("a registration was converted to another command"));
        };
        call.require(|caller| caller.may_register(&order.enterprise, area))?;
        let in_order = *check_digit == CheckDigit::Correct;
        if !in_order && !call.caller.registers_whatever(&order.enterprise) {
            return Err(Refusal::new(Reason::RegistrationNeedsDesk).about("enterprise_id").into());
        }
        let check_digit_correct = convert::enterprise::is_correct(*check_digit);
        let receipt = Some(self.on_profile(call, &order).await?);
        Ok(pb::RegisterEnterpriseResponse { receipt, check_digit_correct })
    }

    async fn assess(
        &self,
        call: &Call,
        request: &pb::AssessCreditGradeRequest,
    ) -> Result<pb::AssessCreditGradeResponse, Failure> {
        let order = convert::enterprise::assess(request)?;
        let receipt = Some(self.on_profile(call, &order).await?);
        Ok(pb::AssessCreditGradeResponse { receipt })
    }

    async fn classify(
        &self,
        call: &Call,
        request: &pb::ClassifyEnterpriseRequest,
    ) -> Result<pb::ClassifyEnterpriseResponse, Failure> {
        let order = convert::enterprise::classify(request)?;
        let receipt = Some(self.on_profile(call, &order).await?);
        Ok(pb::ClassifyEnterpriseResponse { receipt })
    }

    async fn change_area(
        &self,
        call: &Call,
        request: &pb::ChangeAreaRequest,
    ) -> Result<pb::ChangeAreaResponse, Failure> {
        let order = convert::enterprise::change_area(request)?;
        self.hands_over(call, &order.enterprise).await?;
        let receipt = Some(self.on_profile(call, &order).await?);
        Ok(pb::ChangeAreaResponse { receipt })
    }

    /// Only who is in charge of an enterprise's present area may hand it to another.
    pub(super) async fn hands_over(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
    ) -> Result<(), Failure> {
        if call.caller.is_admin() || call.caller.dispatches_everywhere() {
            return Ok(());
        }
        let folded = self.profile(enterprise).await?;
        let registered = folded.state.registered().ok_or(Reason::EnterpriseNotRegistered)?;
        call.require(|caller| caller.dispatches(&registered.area))
    }

    async fn enterprise(
        &self,
        call: &Call,
        request: &pb::GetEnterpriseRequest,
    ) -> Result<pb::GetEnterpriseResponse, Failure> {
        let (id, reflect) = convert::enterprise::get(request)?;
        may_ask(call, &id)?;
        let stream = streams::profile(&id)?;
        let now = self.read_at::<Profile>(&stream, reflect.at_least).await?;
        let area = now.state.registered().map(|registered| &registered.area);
        if area.is_none() || !call.caller.sees_enterprise(&id, area) {
            return Err(no_enterprise());
        }
        let folded = self.folded_as_of(&stream, &now, reflect.as_of).await?;
        let registered = folded.state.registered().ok_or_else(no_enterprise)?;
        Ok(convert::enterprise::answer(&id, registered, &folded))
    }
}

#[tonic::async_trait]
impl EnterpriseService for Api {
    async fn register_enterprise(
        &self,
        request: Request<pb::RegisterEnterpriseRequest>,
    ) -> Result<Response<pb::RegisterEnterpriseResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.register(&call, request.get_ref()).await?))
    }

    async fn assess_credit_grade(
        &self,
        request: Request<pb::AssessCreditGradeRequest>,
    ) -> Result<Response<pb::AssessCreditGradeResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.assess(&call, request.get_ref()).await?))
    }

    async fn classify_enterprise(
        &self,
        request: Request<pb::ClassifyEnterpriseRequest>,
    ) -> Result<Response<pb::ClassifyEnterpriseResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.classify(&call, request.get_ref()).await?))
    }

    async fn change_area(
        &self,
        request: Request<pb::ChangeAreaRequest>,
    ) -> Result<Response<pb::ChangeAreaResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::change_area(self, &call, request.get_ref()).await?))
    }

    async fn get_enterprise(
        &self,
        request: Request<pb::GetEnterpriseRequest>,
    ) -> Result<Response<pb::GetEnterpriseResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.enterprise(&call, request.get_ref()).await?))
    }
}
