//! The services: each rpc converts its request, calls the engine or a view, converts the answer.

use std::{fmt, sync::Arc, time::Duration};

use doudi_domain::{AreaCode, Decider, EnterpriseId, enterprise::Profile};
use doudi_engine::{
    Clock, Engine, Envelope, Folded, Outcome, Position, StreamName, Vault, streams,
};
use doudi_views::Views;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tonic::service::Routes;

use crate::{
    call::Call,
    convert::token::PageTokens,
    error::{Explain, Failure, Reason},
    identity::{Authenticator, Caller},
    layer::{AccessLayer, Bounds},
    proto::{
        appeal_service_server::{AppealServiceServer, SERVICE_NAME as APPEALS},
        enterprise_service_server::{EnterpriseServiceServer, SERVICE_NAME as ENTERPRISES},
        inspection_service_server::{InspectionServiceServer, SERVICE_NAME as INSPECTIONS},
        policy_service_server::{PolicyServiceServer, SERVICE_NAME as POLICIES},
        timeline_service_server::{SERVICE_NAME as TIMELINES, TimelineServiceServer},
    },
};

mod appeal;
mod enterprise;
mod inspection;
mod policy;
mod timeline;
mod watch_stream;

/// The full names of the services, as health reports them.
pub const SERVICES: [&str; 5] = [ENTERPRISES, INSPECTIONS, APPEALS, POLICIES, TIMELINES];

/// Bounds and switches of the API.
#[derive(Clone)]
pub struct ApiSettings {
    /// The largest message taken in, in bytes.
    pub message_bytes_max: usize,
    /// The most requests, commands and queries alike, at work at once; further ones are shed.
    pub requests_in_flight_max: usize,
    /// The longest that one request may take, whatever its client grants.
    pub request_timeout_max: Duration,
    /// Whether a registration with a wrong check digit is refused instead of marked.
    pub refuse_bad_check_digit: bool,
    /// Authenticates page tokens; secret, and the same on every instance behind one address.
    pub page_token_key: [u8; 32],
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings")
            .field("message_bytes_max", &self.message_bytes_max)
            .field("requests_in_flight_max", &self.requests_in_flight_max)
            .field("request_timeout_max", &self.request_timeout_max)
            .field("refuse_bad_check_digit", &self.refuse_bad_check_digit)
            .finish_non_exhaustive()
    }
}

/// The API on one engine. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engine: Engine,
    clock: Clock,
    vault: Vault,
    views: Views,
    access: AccessLayer,
    settings: ApiSettings,
    pages: PageTokens,
    watches: Arc<Semaphore>,
    shutdown: watch::Receiver<bool>,
}

impl Api {
    /// An API that believes `authenticator`. Live streams end when `shutdown` says `true` or its
    /// sender is gone; other requests are drained by the server around it.
    #[must_use]
    pub fn new(
        engine: Engine,
        vault: Vault,
        views: Views,
        authenticator: Authenticator,
        settings: ApiSettings,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let bounds = Bounds {
            requests_in_flight_max: settings.requests_in_flight_max,
            request_timeout_max: settings.request_timeout_max,
            message_bytes_max: settings.message_bytes_max,
        };
        let now = engine.clone();
        let clock = Clock::new(move || now.now());
        let access = AccessLayer::new(authenticator, clock.clone(), bounds);
        let pages = PageTokens::new(settings.page_token_key);
        let watches = Arc::new(Semaphore::new(watch_stream::WATCHES_MAX));
        let shared =
            Shared { engine, clock, vault, views, access, settings, pages, watches, shutdown };
        Self(Arc::new(shared))
    }

    /// The layer that must stand in front of [`Api::routes`]; without it nothing is served.
    #[must_use]
    pub fn layer(&self) -> AccessLayer {
        self.0.access.clone()
    }

    /// The five services. Health and reflection are the server's to add.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let bytes_max = self.0.settings.message_bytes_max;
        Routes::new(EnterpriseServiceServer::new(self.clone()).max_decoding_message_size(bytes_max))
            .add_service(
                InspectionServiceServer::new(self.clone()).max_decoding_message_size(bytes_max),
            )
            .add_service(
                AppealServiceServer::new(self.clone()).max_decoding_message_size(bytes_max),
            )
            .add_service(
                PolicyServiceServer::new(self.clone()).max_decoding_message_size(bytes_max),
            )
            .add_service(
                TimelineServiceServer::new(self.clone()).max_decoding_message_size(bytes_max),
            )
    }

    async fn execute<D>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        envelope: &Envelope,
    ) -> Result<Outcome<D>, Failure>
    where
        D: Decider,
        D::Command: Serialize,
        D::Rejection: Explain,
    {
        Ok(self.0.engine.execute::<D>(stream, command, envelope).await?)
    }

    /// Reads a stream as the log has it now.
    ///
    /// The position that a caller asks for is often one of another stream, for which the engine
    /// would wait in vain. A fresh read already shows every write that was acknowledged, so the
    /// position is only checked for its form.
    async fn read<D: Decider>(&self, stream: &StreamName) -> Result<Arc<Folded<D>>, Failure> {
        Ok(self.0.engine.read::<D>(stream, Position::START).await?)
    }

    async fn profile(&self, enterprise: &EnterpriseId) -> Result<Arc<Folded<Profile>>, Failure> {
        self.read(&streams::profile(enterprise)?).await
    }

    /// Whether the caller may see something of an enterprise. In which area the enterprise is, is
    /// only looked up when nothing else lets the caller see it.
    async fn sees(
        &self,
        caller: &Caller,
        enterprise: &EnterpriseId,
        see: impl Fn(&Caller, Option<&AreaCode>) -> bool,
    ) -> Result<bool, Failure> {
        if see(caller, None) {
            return Ok(true);
        }
        let folded = self.profile(enterprise).await?;
        let registered = folded.state.registered();
        Ok(registered.is_some_and(|registered| see(caller, Some(&registered.area))))
    }
}

/// Refuses a request about an enterprise that the caller has nothing to do with, as far as the
/// request alone tells. What only the stored thing tells is answered as "not found" instead, so that
/// nobody learns from a refusal what exists.
fn may_ask(call: &Call, enterprise: &EnterpriseId) -> Result<(), Failure> {
    call.require(|caller| caller.may_ask_about(enterprise))
}

/// A profile that is not there, or not for this caller.
fn no_enterprise() -> Failure {
    Reason::EnterpriseNotFound.into()
}
