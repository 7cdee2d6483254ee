//! Appeals from every side through a running program: who owes what and why by then, what may be
//! done, joint diagnosis, one's own case by its token, suggestions, and who sees which of all that.

use std::time::Duration;

use doudi_api::permission::Role;
use doudi_api::proto::{
    AcceptAppealRequest, Appeal, AppealSummary, CloseAppealRequest, Confidentiality,
    ConfirmResolutionRequest, ContestDispatchRequest, DispatchAppealRequest,
    ErasePersonalDataRequest, GetAppealRequest, ObjectToResolutionRequest, Receipt,
    RequestCoHandlingRequest, ResolutionOutcome, ResolveAppealRequest, SignForAppealRequest,
    SubmitAppealRequest,
};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::world::World;
use tonic::{Response, Status};

use super::requests::{AREA, reason};

/// How long anything may take here.
const BOUND: Duration = Duration::from_secs(60);

/// A request about a known appeal.
macro_rules! request {
    ($request:ident, $case:expr $(, $field:ident: $value:expr)*) => {
        $request {
            command_id: doudi_server::client::command_id(),
            enterprise_id: $case.enterprise.clone(),
            appeal_id: $case.appeal.clone(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

mod allowed;
mod asked;
mod deadlines;
mod diagnosis;
mod earlier;
mod follow;
mod inbox;
mod ladder;
mod measures;
mod replayed;
mod scope;
mod suggest;

/// An appeal that was submitted.
#[derive(Debug, Clone)]
struct Case {
    enterprise: String,
    appeal: String,
    token: String,
}

/// What is submitted on `topic`, ordinary in every way.
fn submission(enterprise: &str, topic: &str) -> SubmitAppealRequest {
    SubmitAppealRequest {
        command_id: command_id(),
        ..super::requests::submit(enterprise, topic, "")
    }
}

fn confidential(enterprise: &str, topic: &str, level: Confidentiality) -> SubmitAppealRequest {
    SubmitAppealRequest { confidentiality: level.into(), ..submission(enterprise, topic) }
}

/// The position that a command left.
fn left(receipt: Option<Receipt>) -> String {
    receipt.expect("every command leaves a receipt").position
}

/// The reason code of a refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> String {
    reason(&answer.expect_err("it is refused"))
}

impl Case {
    async fn submit(world: &World, request: SubmitAppealRequest) -> Self {
        let mut dispatcher = world.role(Role::Dispatcher);
        let answer = dispatcher.appeals.submit_appeal(request).await.unwrap().into_inner();
        let (appeal, token) = (answer.appeal_id, answer.case_token);
        Self { enterprise: answer.enterprise_id, appeal, token }
    }

    /// Submitted, accepted and sent to the unit that the rules name.
    async fn dispatched(world: &World, request: SubmitAppealRequest) -> Self {
        let case = Self::submit(world, request).await;
        case.accept(world).await;
        case.dispatch(world, "").await;
        case
    }

    /// Nobody is competent, so the guarantee unit owns it: the city desk.
    async fn guaranteed(world: &World, enterprise: &str) -> Self {
        let nowhere =
            SubmitAppealRequest { area: "999999".to_owned(), ..submission(enterprise, "X01") };
        let case = Self::dispatched(world, nowhere).await;
        assert_eq!(case.summary(world).await.unit, GUARANTEE);
        case
    }

    async fn accept(&self, world: &World) -> String {
        let request = request!(AcceptAppealRequest, self);
        let answer = world.role(Role::Dispatcher).appeals.accept_appeal(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    async fn dispatch(&self, world: &World, to: &str) -> String {
        let request = request!(DispatchAppealRequest, self, to_unit: to.to_owned());
        let answer = world.role(Role::Dispatcher).appeals.dispatch_appeal(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    async fn sign(&self, world: &World, unit: &str) -> String {
        let request = request!(SignForAppealRequest, self);
        let answer = world.unit(unit).appeals.sign_for_appeal(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    async fn contest(&self, world: &World, unit: &str, proposed: &str) -> String {
        let (reason, proposed_unit) = ("不属于我单位职责".to_owned(), proposed.to_owned());
        let request =
            request!(ContestDispatchRequest, self, reason: reason, proposed_unit: proposed_unit);
        let answer = world.unit(unit).appeals.contest_dispatch(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    /// Asks another unit for its part; answers with the task.
    async fn ask(&self, world: &World, unit: &str, of: &str) -> u32 {
        let (ask, of) = ("请提供意见".to_owned(), of.to_owned());
        let request = request!(RequestCoHandlingRequest, self, unit: of, ask: ask);
        let answer = world.unit(unit).handling.request_co_handling(request).await.unwrap();
        answer.into_inner().task_id
    }

    async fn resolve(&self, world: &World, unit: &str) -> String {
        let outcome = ResolutionOutcome::Solved.into();
        let request =
            request!(ResolveAppealRequest, self, outcome: outcome, reply: "已办结".to_owned());
        let answer = world.unit(unit).appeals.resolve_appeal(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    async fn object(&self, world: &World) -> String {
        let request = request!(ObjectToResolutionRequest, self, reason: "没有解决".to_owned());
        let mut enterprise = world.enterprise(&self.enterprise);
        let answer = enterprise.appeals.object_to_resolution(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    /// Confirmed and closed.
    async fn close(&self, world: &World) -> String {
        let confirm = request!(ConfirmResolutionRequest, self);
        world.enterprise(&self.enterprise).appeals.confirm_resolution(confirm).await.unwrap();
        let close = request!(CloseAppealRequest, self);
        let answer = world.role(Role::Dispatcher).appeals.close_appeal(close).await.unwrap();
        left(answer.into_inner().receipt)
    }

    async fn erase(&self, world: &World) -> String {
        let request = request!(ErasePersonalDataRequest, self);
        let answer = world.role(Role::Admin).appeals.erase_personal_data(request).await.unwrap();
        left(answer.into_inner().receipt)
    }

    /// The appeal as who reads everything sees it.
    async fn read(&self, world: &World) -> Appeal {
        let request = GetAppealRequest {
            enterprise_id: self.enterprise.clone(),
            appeal_id: self.appeal.clone(),
            min_position: String::new(),
            as_of: None,
        };
        let answer = world.role(Role::Auditor).appeals.get_appeal(request).await.unwrap();
        answer.into_inner().appeal.unwrap()
    }

    async fn summary(&self, world: &World) -> AppealSummary {
        self.read(world).await.summary.unwrap()
    }
}

/// Who holds the token of a case and nothing else.
fn holder(world: &World, token: &str) -> Client {
    Client::new(&world.running.channel, token).expect("an ASCII token")
}

/// The unit that guarantees by the published table.
const GUARANTEE: &str = "desk-city";

/// A holder of `role` in one area.
fn in_area(world: &World, role: Role, area: &str) -> Client {
    let areas = vec![area.to_owned()];
    world.client(&doudi_api::identity::Claims { areas, ..token::claims(role) })
}
