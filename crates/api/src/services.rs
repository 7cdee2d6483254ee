//! The services: each rpc converts its request, calls the engine or a view, converts the answer.

use std::{fmt, sync::Arc, time::Duration};

use doudi_domain::{AreaCode, Decider, EnterpriseId, draw::RatioTable, enterprise::Profile};
use doudi_engine::{
    Attachments, Clock, Engine, Envelope, ExecuteError, Folded, LoadError, Outcome, Position,
    StreamName, Vault, Version, streams,
};
use doudi_scan::codes::KeyRing;
use doudi_views::{ViewName, Views};
use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tonic::service::Routes;

use crate::{
    call::Call,
    chance::Chance,
    convert::{seal::Seals, token::PageTokens},
    error::{Explain, Failure, Reason, Refusal},
    identity::{Authenticator, Caller, CaseTokens},
    layer::{AccessLayer, Bounds},
    proto::{
        alert_service_server::{AlertServiceServer, SERVICE_NAME as ALERTS},
        appeal_service_server::{AppealServiceServer, SERVICE_NAME as APPEALS},
        board_service_server::{BoardServiceServer, SERVICE_NAME as BOARDS},
        campaign_service_server::{CampaignServiceServer, SERVICE_NAME as CAMPAIGNS},
        case_service_server::{CaseServiceServer, SERVICE_NAME as CASES},
        code_service_server::{CodeServiceServer, SERVICE_NAME as CODES},
        device_service_server::{DeviceServiceServer, SERVICE_NAME as DEVICES},
        diagnosis_service_server::{DiagnosisServiceServer, SERVICE_NAME as DIAGNOSES},
        draw_service_server::{DrawServiceServer, SERVICE_NAME as DRAWS},
        enterprise_service_server::{EnterpriseServiceServer, SERVICE_NAME as ENTERPRISES},
        feed_service_server::{FeedServiceServer, SERVICE_NAME as FEED},
        handling_service_server::{HandlingServiceServer, SERVICE_NAME as HANDLINGS},
        inspection_service_server::{InspectionServiceServer, SERVICE_NAME as INSPECTIONS},
        policy_service_server::{PolicyServiceServer, SERVICE_NAME as POLICIES},
        rating_service_server::{RatingServiceServer, SERVICE_NAME as RATINGS},
        supervision_service_server::{SERVICE_NAME as SUPERVISION, SupervisionServiceServer},
        timeline_service_server::{SERVICE_NAME as TIMELINES, TimelineServiceServer},
        visit_list_service_server::{SERVICE_NAME as VISIT_LISTS, VisitListServiceServer},
        webhook_service_server::{SERVICE_NAME as WEBHOOKS, WebhookServiceServer},
        what_if_service_server::{SERVICE_NAME as WHAT_IFS, WhatIfServiceServer},
    },
    webhooks::WebhookSecrets,
};
use watch_stream::StreamPlaces;

mod alerts;
mod appeal;
mod as_of;
mod board;
mod campaign;
mod case;
mod code;
mod device;
mod diagnosis;
mod draw;
mod enterprise;
mod feed;
mod handling;
mod inspection;
mod policy;
mod rating;
mod sending;
mod supervision;
mod timeline;
mod visit_list;
mod watch_stream;
mod webhook;
mod what_if;

/// What a service can do next to nothing without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The log: it takes commands, or reads streams.
    Log,
    /// PostgreSQL: it reads tables alone.
    Tables,
}

/// The full names of the services, as health reports them, and what each needs.
pub const SERVICES: [(&str, Needs); 20] = [
    (ENTERPRISES, Needs::Log),
    (INSPECTIONS, Needs::Log),
    (CODES, Needs::Log),
    (VISIT_LISTS, Needs::Tables),
    (CAMPAIGNS, Needs::Log),
    (DRAWS, Needs::Log),
    (DEVICES, Needs::Log),
    (RATINGS, Needs::Log),
    (ALERTS, Needs::Tables),
    (APPEALS, Needs::Log),
    (HANDLINGS, Needs::Log),
    (DIAGNOSES, Needs::Log),
    (CASES, Needs::Log),
    (POLICIES, Needs::Log),
    (TIMELINES, Needs::Tables),
    (FEED, Needs::Tables),
    (SUPERVISION, Needs::Tables),
    (BOARDS, Needs::Tables),
    (WEBHOOKS, Needs::Log),
    (WHAT_IFS, Needs::Log),
];

/// The largest answer, in bytes: what common clients take in unless they are told otherwise.
const REPLY_BYTES_MAX: usize = 4 << 20;

/// How many uploads may be open at once, those that wait for a place in memory among them. What lies unread of those that
/// wait takes room from other calls of their connection.
pub const UPLOADS_MAX: u16 = 64;

/// How many of them may be one account's.
const UPLOADS_PER_CALLER_MAX: usize = 16;

/// The most events that a caller who expected an older version is told of, the newest ones.
const MISSED_MAX: usize = 20;

/// Bounds and switches of the API.
#[derive(Clone)]
pub struct ApiSettings {
    /// The largest message taken in, in bytes. Pages of lists end before they are larger, too.
    pub message_bytes_max: usize,
    /// The most requests, commands and queries alike, at work at once; further ones are shed.
    pub requests_in_flight_max: usize,
    /// The most requests of one caller at work at once.
    pub requests_per_caller_max: usize,
    /// The most bytes of messages at once: of requests that came in, and of answers not yet read.
    pub message_bytes_in_flight_max: usize,
    /// The most live streams of timelines and events at once.
    pub watches_max: usize,
    /// The most of them of one caller.
    pub watches_per_caller_max: usize,
    /// The longest that one request may take, whatever its client grants.
    pub request_timeout_max: Duration,
    /// Whether a registration with a wrong check digit is refused instead of marked.
    pub refuse_bad_check_digit: bool,
    /// Signs and opens codes that are scanned; none where no key is configured.
    pub codes: Option<KeyRing>,
    /// Within which bounds the ratios of a random draw must lie.
    pub draw_ratios: RatioTable,
    /// Where the seeds of random draws come from.
    pub chance: Chance,
    /// Whether webhooks may post to near addresses without encryption.
    pub webhooks_allow_http: bool,
    /// What the secrets of webhooks are derived from.
    pub webhook_secrets: WebhookSecrets,
    /// Authenticates page tokens; secret, and the same on every instance behind one address.
    pub page_token_key: [u8; 32],
    /// Seal what positions say beside their place; secret, and the same on every instance behind one address. The first
    /// seals, each opens: whoever follows live keeps a position for long.
    pub position_keys: Vec<[u8; 32]>,
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings")
            .field("message_bytes_max", &self.message_bytes_max)
            .field("requests_in_flight_max", &self.requests_in_flight_max)
            .field("request_timeout_max", &self.request_timeout_max)
            .field("refuse_bad_check_digit", &self.refuse_bad_check_digit)
            .field("draw_ratios", &self.draw_ratios)
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
    attachments: Attachments,
    access: AccessLayer,
    settings: ApiSettings,
    pages: PageTokens,
    seals: Seals,
    cases: CaseTokens,
    watches: StreamPlaces,
    uploads: StreamPlaces,
    what_ifs: Arc<Semaphore>,
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
        attachments: Attachments,
        authenticator: Authenticator,
        settings: ApiSettings,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let bounds = Bounds {
            requests_in_flight_max: settings.requests_in_flight_max,
            requests_per_caller_max: settings.requests_per_caller_max,
            message_bytes_in_flight_max: settings.message_bytes_in_flight_max,
            request_timeout_max: settings.request_timeout_max,
            message_bytes_max: settings.message_bytes_max,
        };
        let now = engine.clone();
        let clock = Clock::new(move || now.now());
        let cases = authenticator.cases().clone();
        let access = AccessLayer::new(authenticator, clock.clone(), bounds);
        let pages = PageTokens::new(settings.page_token_key);
        let seals = Seals::new(&settings.position_keys);
        let (most, own) = (settings.watches_max, settings.watches_per_caller_max);
        let watches = StreamPlaces::new(most, own, "watches");
        let uploads = StreamPlaces::new(UPLOADS_MAX.into(), UPLOADS_PER_CALLER_MAX, "uploads");
        let what_ifs = Arc::new(Semaphore::new(what_if::AT_ONCE_MAX));
        let shared = Shared {
            engine,
            clock,
            vault,
            views,
            attachments,
            access,
            settings,
            pages,
            seals,
            cases,
            watches,
            uploads,
            what_ifs,
            shutdown,
        };
        Self(Arc::new(shared))
    }

    /// The layer that must stand in front of [`Api::routes`]; without it nothing is served.
    #[must_use]
    pub fn layer(&self) -> AccessLayer {
        self.0.access.clone()
    }

    /// Tells callers from now on since when the log cannot be reached; none while it can.
    pub fn log_away(&self, since: Option<Instant>) {
        self.0.access.log_away(since);
    }

    /// The services. Health and reflection are the server's to add.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let bytes_max = self.0.settings.message_bytes_max;
        macro_rules! bounded {
            ($server:ident) => {
                $server::new(self.clone())
                    .max_decoding_message_size(bytes_max)
                    .max_encoding_message_size(REPLY_BYTES_MAX)
            };
        }
        Routes::new(bounded!(EnterpriseServiceServer))
            .add_service(bounded!(InspectionServiceServer))
            .add_service(bounded!(CodeServiceServer))
            .add_service(bounded!(VisitListServiceServer))
            .add_service(bounded!(CampaignServiceServer))
            .add_service(bounded!(DrawServiceServer))
            .add_service(bounded!(DeviceServiceServer))
            .add_service(bounded!(RatingServiceServer))
            .add_service(bounded!(AlertServiceServer))
            .add_service(bounded!(AppealServiceServer))
            .add_service(bounded!(HandlingServiceServer))
            .add_service(bounded!(DiagnosisServiceServer))
            .add_service(bounded!(CaseServiceServer))
            .add_service(bounded!(PolicyServiceServer))
            .add_service(bounded!(TimelineServiceServer))
            .add_service(bounded!(FeedServiceServer))
            .add_service(bounded!(SupervisionServiceServer))
            .add_service(bounded!(BoardServiceServer))
            .add_service(bounded!(WebhookServiceServer))
            .add_service(bounded!(WhatIfServiceServer))
    }

    /// The largest page of a list, in bytes.
    fn page_bytes_max(&self) -> usize {
        self.0.settings.message_bytes_max.min(REPLY_BYTES_MAX)
    }

    /// Refuses a position that the log has not reached, at once: whoever waits for it waits in vain,
    /// and holds a place that others need. The log itself is only asked when `view` is behind.
    async fn reached(
        &self,
        view: ViewName,
        field: &str,
        position: Position,
    ) -> Result<(), Failure> {
        if self.0.views.wait(view, position, Duration::ZERO).await.is_ok() {
            return Ok(());
        }
        let last = self.0.engine.journal().last_position().await.map_err(LoadError::Unavailable)?;
        if position <= last {
            return Ok(());
        }
        Err(Refusal::new(Reason::PositionAhead).about(field).into())
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
        match self.0.engine.execute::<D>(stream, command, envelope).await {
            Err(ExecuteError::VersionDiffers { actual }) => {
                Err(self.stale::<D>(stream, envelope.expected_version, actual).await)
            }
            answer => Ok(answer?),
        }
    }

    /// The refusal of a command on a version that is not the present one, with the names of what
    /// happened since `expected`, if that is given and may be told.
    async fn stale<D: Decider>(
        &self,
        stream: &StreamName,
        expected: Option<Version>,
        actual: Version,
    ) -> Failure {
        let refusal = Refusal::version_differs(actual);
        let Some(expected) = expected else {
            return refusal.into();
        };
        // What happened meanwhile is told if it can be read; the refusal stands either way.
        let names = self.0.engine.events_since::<D>(stream, expected, MISSED_MAX).await;
        refusal.fact("events", names.unwrap_or_default().join(",")).into()
    }

    /// Reads a stream as the log has it now, for a caller who asks for `at_least`.
    ///
    /// That position is often one of another stream, for which the engine would wait in vain. A
    /// fresh read already shows every write that was acknowledged, so it is enough that the log has
    /// reached the position.
    async fn read_at<D: Decider>(
        &self,
        stream: &StreamName,
        at_least: Position,
    ) -> Result<Arc<Folded<D>>, Failure> {
        // Every view goes through the whole log, so any of them tells how far that is.
        self.reached(ViewName::Timeline, "min_position", at_least).await?;
        self.read::<D>(stream).await
    }

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
