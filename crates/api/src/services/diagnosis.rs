//! `DiagnosisService`. Its texts are about one appeal, so they are sealed under a key of that appeal.

use std::sync::Arc;

use doudi_domain::{
    AppealId, DiagnosisId, EnterpriseId, Sealed, UnitId,
    appeal::{Appeal, Case, Command as AppealCommand, Event as AppealEvent},
    diagnosis::{Command, Conclusion, Convening, Diagnosis, Event, Opinion, Order as Task},
    reads::What,
};
use doudi_engine::{Folded, Outcome, Sealer, streams};
use doudi_views::ViewName;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Api,
    appeal::{As, On, Subject, Text},
    may_ask,
};
use crate::{
    call::Call,
    convert::{
        Order,
        common::receipt,
        derived,
        diagnosis::{self as convert, Found},
    },
    error::{Failure, Reason},
    identity::Caller,
    permission::Role,
    proto::{self as pb, diagnosis_service_server::DiagnosisService},
};

/// A joint diagnosis and its appeal.
struct Diagnosed {
    appeal: AppealId,
    case: Arc<Folded<Appeal>>,
    folded: Arc<Folded<Diagnosis>>,
}

impl Api {
    /// The appeal records that it called for a joint diagnosis; the diagnosis itself begins from
    /// that, on its own.
    async fn convene(
        &self,
        call: &Call,
        request: &pb::ConveneDiagnosisRequest,
    ) -> Result<pb::ConveneDiagnosisResponse, Failure> {
        let order = convert::convene(request)?;
        let called = &order.command.1;
        let unit = call.unit()?;
        let diagnosis = derived::diagnosis(&order.enterprise, order.command_id);
        let text = Text {
            label: "question",
            text: &called.question,
            recorded: |event| {
                if let AppealEvent::DiagnosisConvened { question, .. } = event {
                    Some(question)
                } else {
                    None
                }
            },
        };
        let convene = |question| {
            let (unit, units, quorum) = (unit.clone(), called.units.clone(), called.quorum);
            AppealCommand::Convene { unit, diagnosis, units, quorum, question }
        };
        let outcome = self.order_with(call, &order, As::Unit, text, convene).await?;
        Ok(pb::ConveneDiagnosisResponse {
            receipt: Some(receipt(&outcome)),
            diagnosis_id: diagnosis.to_string(),
        })
    }

    async fn give_opinion(
        &self,
        call: &Call,
        request: &pb::GiveOpinionRequest,
    ) -> Result<pb::GiveOpinionResponse, Failure> {
        let order = convert::give_opinion(request)?;
        let (id, (stance, text)) = &order.command;
        let unit = call.unit()?;
        let given = self.with_texts(call, &order, *id, opinion, |sealer| {
            let text = sealer.seal("opinion", order.command_id, text)?;
            let opinion = Opinion { stance: *stance, text };
            Ok(Command::GiveOpinion { unit: unit.clone(), opinion })
        });
        Ok(pb::GiveOpinionResponse { receipt: Some(receipt(&given.await?)) })
    }

    async fn conclude(
        &self,
        call: &Call,
        request: &pb::ConcludeDiagnosisRequest,
    ) -> Result<pb::ConcludeDiagnosisResponse, Failure> {
        let order = convert::conclude(request)?;
        let (id, found) = &order.command;
        let unit = call.unit()?;
        let concluded = self.with_texts(call, &order, *id, conclusion, |sealer| {
            let conclusion = sealed_conclusion(sealer, order.command_id, found)?;
            Ok(Command::Conclude { unit: unit.clone(), conclusion })
        });
        Ok(pb::ConcludeDiagnosisResponse { receipt: Some(receipt(&concluded.await?)) })
    }

    async fn diagnosis(
        &self,
        call: &Call,
        request: &pb::GetDiagnosisRequest,
    ) -> Result<pb::GetDiagnosisResponse, Failure> {
        let (enterprise, id, reflect) = convert::get(request)?;
        may_ask(call, &enterprise)?;
        self.reached(ViewName::Timeline, "min_position", reflect.at_least).await?;
        // Who may see it, and whether it is erased, is as of now, whatever it was.
        let Diagnosed { appeal, case, folded: now } = self.diagnosed(call, &enterprise, id).await?;
        let case = case.state.known().ok_or(Reason::DiagnosisUnknown)?;
        let stream = streams::diagnosis(&enterprise, id)?;
        let folded = self.folded_as_of(&stream, &now, reflect.as_of).await?;
        folded.state.convening().ok_or(Reason::DiagnosisUnknown)?;
        self.note_read(call, &enterprise, appeal, case, What::Diagnosis(id)).await?;
        let opened = match case.is_erased() {
            // Reading stops when the erasure is recorded, before the key is destroyed.
            true => vec![],
            false => self.0.vault.open_all(&convert::sealed(&folded.state)).await?,
        };
        let answer = convert::answer(&enterprise, id, &folded, opened);
        answer.ok_or_else(|| Reason::DiagnosisUnknown.into())
    }

    /// A joint diagnosis that the caller may see. One that is unknown and one that is not for this
    /// caller are refused alike.
    async fn diagnosed(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        id: DiagnosisId,
    ) -> Result<Diagnosed, Failure> {
        let folded = self.read::<Diagnosis>(&streams::diagnosis(enterprise, id)?).await?;
        let convening = folded.state.convening().ok_or(Reason::DiagnosisUnknown)?;
        let appeal = convening.appeal;
        let case = self.case(enterprise, appeal).await?;
        let known = case.state.known().ok_or(Reason::DiagnosisUnknown)?;
        // Not every appeal of an area is for every desk.
        let watches =
            watches(&call.caller, convening) && call.caller.sees_inside(enterprise, known);
        if !watches && !takes_part(&call.caller, convening, known) {
            return Err(Reason::DiagnosisUnknown.into());
        }
        Ok(Diagnosed { appeal, case, folded })
    }

    /// Carries out a command whose texts are personal data of the appeal. Nothing is said about one that is erased, though
    /// the diagnosis may not have ended yet.
    async fn with_texts<C>(
        &self,
        call: &Call,
        order: &Order<C>,
        id: DiagnosisId,
        recorded: fn(&Event) -> Option<&Sealed>,
        command: impl Fn(&Sealer) -> Result<Command, Failure>,
    ) -> Result<Outcome<Diagnosis>, Failure> {
        let Diagnosed { appeal, case, folded } =
            self.diagnosed(call, &order.enterprise, id).await?;
        let stream = streams::diagnosis(&order.enterprise, id)?;
        let on = On { stream: &stream, folded: &folded, command_id: order.command_id };
        let subject = Subject::of(appeal, case.state.known());
        let envelope = call.envelope(order.command_id, order.expected_version);
        let carry_out = |sealer| {
            let command = command(&sealer);
            async {
                // It may have been ordered while a key was waited for, and the decision does not read the appeal.
                let case = self.case(&order.enterprise, appeal).await?;
                if case.state.known().is_some_and(Case::is_erased) {
                    return Err(Reason::PersonalDataErased.into());
                }
                self.execute::<Diagnosis>(&stream, &command?, &envelope).await
            }
        };
        self.sealed(on, subject, recorded, carry_out).await
    }
}

/// The conclusion with its texts sealed.
fn sealed_conclusion(
    sealer: &Sealer,
    command_id: Uuid,
    found: &Found,
) -> Result<Conclusion, Failure> {
    let text = sealer.seal("conclusion", command_id, &found.conclusion)?;
    let mut orders = Vec::new();
    for (n, order) in found.orders.iter().enumerate() {
        let task = sealer.seal(&format!("order-{n}"), command_id, &order.task)?;
        let (unit, working_days) = (order.unit.clone(), order.working_days);
        orders.push(Task { unit, task, working_days });
    }
    Ok(Conclusion { text, orders, standing_lead: found.standing_lead.clone() })
}

/// The text of an opinion.
fn opinion(event: &Event) -> Option<&Sealed> {
    if let Event::OpinionGiven { opinion, .. } | Event::OpinionRevised { opinion, .. } = event {
        Some(&opinion.text)
    } else {
        None
    }
}

/// The text of a conclusion.
fn conclusion(event: &Event) -> Option<&Sealed> {
    if let Event::DiagnosisConcluded { conclusion, .. } = event {
        Some(&conclusion.text)
    } else {
        None
    }
}

/// Whether the caller acts for a unit that was convened or that convened, or that stands in for it by
/// now, or reads everything. Whoever is convened need not see the appeal itself.
fn takes_part(caller: &Caller, convening: &Convening, case: &Case) -> bool {
    let Convening { convener, panel, .. } = convening;
    let Caller { roles, unit, .. } = caller;
    let unit = unit.as_ref().filter(|_| roles.intersects(Role::OF_UNIT));
    let leads = |unit: &UnitId| case.phase.route().is_some_and(|route| route.unit == *unit);
    unit.is_some_and(|unit| unit == convener || panel.units.contains(unit) || leads(unit))
        || roles.intersects(Role::OF_ALL)
}

/// Whether the caller is in charge of the area where the appeal plays.
fn watches(caller: &Caller, convening: &Convening) -> bool {
    caller.roles.intersects(Role::OF_AREAS) && caller.areas.contain(&convening.area)
}

#[tonic::async_trait]
impl DiagnosisService for Api {
    async fn convene_diagnosis(
        &self,
        request: Request<pb::ConveneDiagnosisRequest>,
    ) -> Result<Response<pb::ConveneDiagnosisResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.convene(&call, request.get_ref()).await?))
    }

    async fn give_opinion(
        &self,
        request: Request<pb::GiveOpinionRequest>,
    ) -> Result<Response<pb::GiveOpinionResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::give_opinion(self, &call, request.get_ref()).await?))
    }

    async fn conclude_diagnosis(
        &self,
        request: Request<pb::ConcludeDiagnosisRequest>,
    ) -> Result<Response<pb::ConcludeDiagnosisResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.conclude(&call, request.get_ref()).await?))
    }

    async fn get_diagnosis(
        &self,
        request: Request<pb::GetDiagnosisRequest>,
    ) -> Result<Response<pb::GetDiagnosisResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.diagnosis(&call, request.get_ref()).await?))
    }
}
