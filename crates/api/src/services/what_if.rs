//! `WhatIfService`: a replay on its way to one client, with how far it is, ended by whatever ends the call.

use std::{pin::Pin, sync::Arc, time::Duration};

use doudi_domain::what_if::{Matter, WhatIf};
use doudi_engine::{Clock, Engine, what_if};
use futures::{Stream, stream};
use jiff::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tonic::{Request, Response, Status};

use super::{Api, watch_stream};
use crate::{
    call::Call,
    convert::what_if as convert,
    error::{Failure, Reason, Refusal},
    identity::TokenError,
    proto::{self as pb, what_if_service_server::WhatIfService},
};

/// The most replays at once in one process: each may keep a core busy.
pub(super) const AT_ONCE_MAX: usize = 2;

/// How often a client is told how far its replay is, at most.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// The longest that a replay may take, whatever its client grants.
const REPLAY_MAX: Duration = Duration::from_secs(600);

/// How long a client may leave the last message unread.
const UNREAD_MAX: Duration = Duration::from_secs(30);

/// When a client that was refused may try again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

type Told = Result<pb::TryPolicyResponse, Status>;
type Answer = Pin<Box<dyn Stream<Item = Told> + Send>>;

/// A replay, and what ends it besides its client.
struct Replay {
    engine: Engine,
    what_if: WhatIf,
    clock: Clock,
    /// Says `true`, or loses its sender, when the server goes down.
    shutdown: watch::Receiver<bool>,
    ends: Instant,
    /// When the token ends; a stream must not outlive it.
    expires_at: Timestamp,
    _permit: OwnedSemaphorePermit,
}

impl Api {
    fn try_out(&self, call: &Call, request: &pb::TryPolicyRequest) -> Result<Answer, Failure> {
        let (document, days) = convert::asked(request)?;
        let scope = call.caller.scope();
        let sees = move |matter: &Matter<'_>| {
            let Matter { enterprise, unit, area, confidentiality } = *matter;
            scope.covers_appeal(confidentiality, enterprise, unit, &[], area)
        };
        let what_if = convert::candidate(document, days, Box::new(sees))?;
        let permit = Arc::clone(&self.0.what_ifs).try_acquire_owned().map_err(|_| {
            Refusal::new(Reason::WhatIfBusy).with("max", AT_ONCE_MAX).retry_after(RETRY_AFTER)
        })?;
        let latest = Instant::now() + REPLAY_MAX;
        let replay = Replay {
            engine: self.0.engine.clone(),
            what_if,
            clock: self.0.clock.clone(),
            shutdown: self.0.shutdown.clone(),
            ends: call.granted.map_or(latest, |granted| granted.min(latest)),
            expires_at: call.caller.expires_at,
            _permit: permit,
        };
        // One message waits for the client at a time; how far it is is told when there is room.
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(replay.run(sender));
        Ok(Box::pin(stream::poll_fn(move |context| receiver.poll_recv(context))))
    }
}

impl Replay {
    /// Replays until it is done or something ends it, and tells what.
    async fn run(self, sender: mpsc::Sender<Told>) {
        let Self { engine, what_if, clock, mut shutdown, ends, expires_at, _permit } = self;
        let (now, mut told_at) = (clock.now(), Instant::now());
        let told = |progress| {
            if told_at.elapsed() >= PROGRESS_EVERY {
                told_at = Instant::now();
                // A client that has not read the last one yet need not know.
                let _ = sender.try_send(Ok(convert::of_progress(progress)));
            }
        };
        let last = tokio::select! {
            done = what_if::replay(engine.journal(), what_if, now, told) => match done {
                Ok(report) => Ok(convert::of_end(&report)),
                Err(error) => Err(Failure::from(error)),
            },
            () = sender.closed() => return,
            () = watch_stream::stopped(&mut shutdown) => Err(watch_stream::going_down()),
            () = sleep_until(ends) => Err(Reason::DeadlineExceeded.into()),
            () = expired(&clock, expires_at) => Err(TokenError::Expired(expires_at).into()),
        };
        // The client may be gone, and then nobody wants to know; or it does not read, and is not waited for.
        let _ = timeout(UNREAD_MAX, sender.send(last.map_err(Status::from))).await;
    }
}

/// Done within a second of the token's end, as the clock has it.
async fn expired(clock: &Clock, expires_at: Timestamp) {
    while clock.now() < expires_at {
        sleep(PROGRESS_EVERY).await;
    }
}

#[tonic::async_trait]
impl WhatIfService for Api {
    type TryPolicyStream = Answer;

    async fn try_policy(
        &self,
        request: Request<pb::TryPolicyRequest>,
    ) -> Result<Response<Self::TryPolicyStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.try_out(&call, request.get_ref())?))
    }
}
