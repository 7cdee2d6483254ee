//! What is put on record of a delivery, in the webhook's own stream, at the version that is known: whoever else
//! delivers for the webhook is noticed by it.

use doudi_domain::{
    Decider, EnterpriseId, WebhookId,
    webhook::{Command, Known, Phase, Place, Rejection, Webhook},
};
use doudi_engine::{
    Actor, Engine, Envelope, ExecuteError, Folded, Outcome, Position, Version, streams,
};
use uuid::Uuid;

use super::consumer::Shared;

/// A webhook as it was last read or written.
#[derive(Debug)]
pub(super) struct Record {
    engine: Engine,
    /// Tells this process from others that deliver the same.
    runner: [u8; 32],
    id: WebhookId,
    state: Webhook,
    version: Version,
    /// A command of which it is not known whether it was stored.
    open: Option<Command>,
}

/// What a look at the stream shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing that was not known.
    Same,
    /// An operator did something to it.
    Operated,
    /// Somebody else delivers for it.
    Delivered,
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is on record.
    Stored,
    /// The stream has moved on meanwhile: look at it.
    Stale,
    /// A rule stands in the way.
    Refused(Rejection),
    /// The log cannot be reached, or nobody knows; the same command again finds out.
    Unknown,
}

impl Record {
    pub(super) fn new(shared: &Shared, id: WebhookId, folded: &Folded<Webhook>) -> Self {
        let (engine, runner) = (shared.parts.engine.clone(), shared.runner);
        let Folded { state, version, .. } = folded;
        Self { engine, runner, id, state: state.clone(), version: *version, open: None }
    }

    /// The webhook's id.
    pub(super) fn id(&self) -> WebhookId {
        self.id
    }

    /// The webhook, if it was registered.
    pub(super) fn known(&self) -> Option<&Known> {
        self.state.known()
    }

    /// Carries a command out, unless the stream has moved on. What is open is found out before.
    pub(super) async fn write(&mut self, command: &Command) -> Written {
        if self.settle(Some(command)).await {
            self.execute(command).await
        } else {
            Written::Unknown
        }
    }

    /// Finds out whether an open command was stored, unless it is the one that comes next anyway.
    async fn settle(&mut self, next: Option<&Command>) -> bool {
        match self.open.take() {
            Some(open) if next != Some(&open) => self.execute(&open).await != Written::Unknown,
            Some(_) | None => true,
        }
    }

    async fn execute(&mut self, command: &Command) -> Written {
        let Ok(stream) = streams::webhook(self.id) else { return Written::Unknown };
        let envelope = Envelope {
            expected_version: Some(self.version),
            ..Envelope::new(self.command_id(command), Actor::of("process:deliver_events"))
        };
        match self.engine.execute::<Webhook>(&stream, command, &envelope).await {
            Ok(Outcome { version, events, .. }) => {
                let state = std::mem::take(&mut self.state);
                self.state = events.iter().fold(state, Webhook::evolve);
                self.version = version;
                Written::Stored
            }
            Err(ExecuteError::VersionDiffers { .. }) => Written::Stale,
            Err(ExecuteError::Rejected(rejection)) => Written::Refused(rejection),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, webhook = %self.id, "nothing can be recorded of a delivery");
                self.open = Some(command.clone());
                Written::Unknown
            }
        }
    }

    /// The same for the same command at the same version, so that one whose outcome is not known can be sent
    /// again; another one in another process, so that two never take what one of them did for their own.
    fn command_id(&self, command: &Command) -> Uuid {
        let mut name = self.runner.to_vec();
        name.extend(self.version.0.to_be_bytes());
        name.extend(serde_json::to_vec(command).unwrap_or_default());
        Uuid::new_v5(&self.id.0, &name)
    }

    /// Reads the stream again.
    pub(super) async fn look(&mut self) -> Look {
        let Ok(stream) = streams::webhook(self.id) else { return Look::Same };
        if !self.settle(None).await {
            return Look::Same;
        }
        let folded = match self.engine.read::<Webhook>(&stream, Position::START).await {
            Ok(folded) => folded,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, webhook = %self.id, "a webhook cannot be read, trying again");
                return Look::Same;
            }
        };
        if folded.version == self.version {
            return Look::Same;
        }
        let moved =
            deliveries(&folded.state).is_some_and(|now| Some(now) != deliveries(&self.state));
        (self.state, self.version) = (folded.state.clone(), folded.version);
        if moved { Look::Delivered } else { Look::Operated }
    }
}

/// What only who delivers changes: how far it got, and what is set aside from where on. Nothing of a retired
/// one, which takes it all with it.
fn deliveries(state: &Webhook) -> Option<(Place, Vec<(&EnterpriseId, Place)>)> {
    let known = state.known().filter(|known| known.phase != Phase::Retired)?;
    let aside = known.set_aside.iter().map(|(enterprise, aside)| (enterprise, aside.first));
    Some((known.delivered, aside.collect()))
}
