//! A webhook (事件推送): a partner system to which events are posted, one after the other for each enterprise.
//!
//! Invariants: how far it got never goes back, and passes an event only once that was delivered or set
//! aside; while one event of an enterprise is set aside or withheld no later one of that enterprise is delivered;
//! no secret is ever in an event, only the generation that it is derived from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Context, Decider},
    ids::{AreaCode, EnterpriseId, Name},
};

mod decide;
mod endpoint;
mod rejection;

pub use endpoint::{Endpoint, EndpointError};
pub use rejection::Rejection;

/// Areas that a webhook is limited to at most.
pub const AREAS_MAX: usize = 20;
/// Enterprises that are set aside at once at most. Beyond it nothing more is delivered at all.
pub const SET_ASIDE_MAX: usize = 10_000;
/// Enterprises whose events are ordered to be sent again at once at most.
pub const REDRIVEN_MAX: usize = 100;

/// What events may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The enterprise's profile (企业档案).
    Profile,
    /// An inspection visit (入企检查).
    Visit,
    /// An appeal (诉求), its joint diagnoses included.
    Appeal,
}

/// The place of an event: everything up to it, or from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The log position of its commit.
    pub position: u64,
    /// Its place inside the commit, from 0; the greatest number stands for the end of the commit.
    pub ordinal: u32,
}

/// Which events go where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What people call it.
    pub label: Name,
    /// Where they are posted to.
    pub endpoint: Endpoint,
    /// Only of these kinds; none for all.
    pub kinds: BTreeSet<Kind>,
    /// Only those in one of these areas then, at most [`AREAS_MAX`]; none for all.
    pub areas: BTreeSet<AreaCode>,
    /// Only those after this place.
    pub after: Place,
}

/// Why a webhook is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// An operator paused it.
    Operator,
    /// The receiver answered that it is gone for good (410).
    Gone,
}

/// Why nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// There is no connection: no such name, nobody listens, no trust in its certificate.
    Unreachable,
    /// It does not answer in time.
    TimedOut,
    /// It answers with this HTTP status, which asks to be tried again or says that the address is wrong.
    Answered(u16),
    /// [`SET_ASIDE_MAX`] enterprises are set aside.
    TooManySetAside,
    /// The configuration does not allow to post to its address any more.
    Forbidden,
}

/// Since when nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalled {
    /// What went wrong first.
    pub trouble: Trouble,
    /// Since when.
    pub since: Timestamp,
}

/// An enterprise whose events are set aside (死信), from one that the receiver refuses, or that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The first of them.
    pub first: Place,
    /// The HTTP status that the receiver answered it with; 0 where there was none.
    pub status: u16,
    /// When.
    pub at: Timestamp,
    /// Whether it was ordered to send them again.
    pub redriving: bool,
    /// Whether nothing was refused: they are sent as soon as a parked stream of the enterprise is taken in.
    pub withheld: bool,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// It was registered, with a secret of generation 1.
    WebhookRegistered {
        /// Which events go where.
        subscription: Subscription,
    },
    /// Nothing is delivered for now.
    WebhookPaused {
        /// Why.
        cause: PauseCause,
    },
    /// What was paused goes on where it was.
    WebhookResumed {},
    /// It is no more.
    WebhookRetired {},
    /// It has another secret. The one before is good for a while.
    SecretRotated {
        /// The generation of the new one.
        generation: u32,
        /// When.
        at: Timestamp,
    },
    /// Nothing has got through for a while.
    DeliveryStalled {
        /// Why.
        trouble: Trouble,
        /// Since when.
        at: Timestamp,
    },
    /// Everything up to a place was delivered or set aside.
    DeliveryAdvanced {
        /// The place.
        delivered: Place,
    },
    /// The receiver refuses an event. It and the later ones of the enterprise wait.
    EventSetAside {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// The event.
        first: Place,
        /// The HTTP status that it was answered with.
        status: u16,
        /// When.
        at: Timestamp,
    },
    /// A stream of the enterprise is parked. Its events from one on wait until it is taken in.
    EventsWithheld {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// The first of them.
        first: Place,
        /// When.
        at: Timestamp,
    },
    /// Somebody ordered to send what was set aside again.
    RedriveOrdered {
        /// Of which enterprises.
        enterprises: BTreeSet<EnterpriseId>,
    },
    /// What was set aside of an enterprise was delivered.
    EventsRedriven {
        /// The enterprise.
        enterprise: EnterpriseId,
    },
}

/// One webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Webhook {
    /// Never registered.
    #[default]
    Absent,
    /// Registered, perhaps retired since.
    Known(Box<Known>),
}

/// Whether a webhook delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Active,
    /// Not for now.
    Paused(PauseCause),
    /// Never again.
    Retired,
}

/// A webhook that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which events go where.
    pub subscription: Subscription,
    /// Whether it delivers.
    pub phase: Phase,
    /// The generation of its secret, from 1.
    pub generation: u32,
    /// When the secret was rotated last, if ever.
    pub rotated_at: Option<Timestamp>,
    /// Everything up to here was delivered or set aside.
    pub delivered: Place,
    /// Since when nothing gets through, if so.
    pub stalled: Option<Stalled>,
    /// The enterprises that are set aside.
    pub set_aside: BTreeMap<EnterpriseId, SetAside>,
}

/// What can be asked of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Register it.
    Register(Subscription),
    /// Deliver nothing for now.
    Pause(PauseCause),
    /// Go on.
    Resume,
    /// End it for ever.
    Retire,
    /// Give it the secret of this generation, the one after the present.
    RotateSecret {
        /// The generation.
        generation: u32,
    },
    /// Record that nothing gets through.
    Stall(Trouble),
    /// Record how far it got.
    Advance {
        /// Everything up to here was delivered or set aside.
        delivered: Place,
    },
    /// Set an event aside, and with it the later ones of its enterprise.
    SetAside {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// The event.
        first: Place,
        /// The HTTP status that it was answered with.
        status: u16,
    },
    /// Set aside what cannot be sent before a parked stream of the enterprise is taken in.
    Withhold {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// The first event that waits.
        first: Place,
    },
    /// Send again what was set aside.
    Redrive {
        /// Of which enterprises, 1 to [`REDRIVEN_MAX`].
        enterprises: BTreeSet<EnterpriseId>,
    },
    /// Record that what was set aside of an enterprise was delivered.
    FinishRedrive {
        /// The enterprise.
        enterprise: EnterpriseId,
    },
}

impl Webhook {
    /// The webhook, if it was registered.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Absent => None,
            Self::Known(known) => Some(known),
        }
    }
}

impl Decider for Webhook {
    const KIND: &'static str = "webhook";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Register(subscription) => self.register(subscription),
            Command::Pause(cause) => self.live()?.pause(*cause),
            Command::Resume => self.live()?.resume(),
            Command::Retire => self.retire(),
            Command::RotateSecret { generation } => self.live()?.rotate(context, *generation),
            Command::Stall(trouble) => self.live()?.stall(context, *trouble),
            Command::Advance { delivered } => self.live()?.advance(*delivered),
            Command::SetAside { enterprise, first, status } => {
                self.live()?.set_aside(context, enterprise, *first, *status)
            }
            Command::Withhold { enterprise, first } => {
                self.live()?.withhold(context, enterprise, *first)
            }
            Command::Redrive { enterprises } => self.live()?.redrive(enterprises),
            Command::FinishRedrive { enterprise } => self.live()?.finish_redrive(enterprise),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::WebhookRegistered { subscription }) => {
                Self::Known(Box::new(Known {
                    subscription: subscription.clone(),
                    phase: Phase::Active,
                    generation: 1,
                    rotated_at: None,
                    delivered: subscription.after,
                    stalled: None,
                    set_aside: BTreeMap::new(),
                }))
            }
            (Self::Absent, _) => Self::Absent,
            (Self::Known(mut known), event) => {
                known.evolve(event);
                Self::Known(known)
            }
        }
    }
}

impl Known {
    fn evolve(&mut self, event: &Event) {
        match event {
            Event::WebhookRegistered { .. } => {}
            Event::WebhookPaused { cause } => {
                self.phase = Phase::Paused(*cause);
                self.stalled = None;
            }
            Event::WebhookResumed {} => self.phase = Phase::Active,
            Event::WebhookRetired {} => {
                self.phase = Phase::Retired;
                self.stalled = None;
                self.set_aside.clear();
            }
            Event::SecretRotated { generation, at } => {
                self.generation = *generation;
                self.rotated_at = Some(*at);
            }
            Event::DeliveryStalled { trouble, at } => {
                self.stalled = Some(Stalled { trouble: *trouble, since: *at });
            }
            Event::DeliveryAdvanced { delivered } => {
                self.delivered = *delivered;
                self.stalled = None;
            }
            Event::EventSetAside { enterprise, first, status, at } => {
                let (first, status, at) = (*first, *status, *at);
                let aside = SetAside { first, status, at, redriving: false, withheld: false };
                self.set_aside.insert(enterprise.clone(), aside);
            }
            Event::EventsWithheld { enterprise, first, at } => {
                let (first, at) = (*first, *at);
                let aside = SetAside { first, status: 0, at, redriving: true, withheld: true };
                self.set_aside.insert(enterprise.clone(), aside);
            }
            Event::RedriveOrdered { enterprises } => {
                for enterprise in enterprises {
                    if let Some(aside) = self.set_aside.get_mut(enterprise) {
                        aside.redriving = true;
                    }
                }
            }
            Event::EventsRedriven { enterprise } => {
                self.set_aside.remove(enterprise);
            }
        }
    }
}

#[cfg(test)]
mod tests;
