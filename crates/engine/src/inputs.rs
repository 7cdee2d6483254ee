//! What a decision reads from other streams: published documents and the enterprise's profile.
//!
//! Inputs may be as old as the configuration allows; a refusal is checked again with fresh ones.

use std::sync::Arc;

use doudi_domain::{
    Context, Decider, Need,
    enterprise::Profile,
    policy::{Policy, PolicyName},
};
use doudi_journal::StreamName;
use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use crate::{
    cache::Streams,
    folded::{Folded, LoadError},
    streams,
};

#[derive(Debug, Default)]
pub(crate) struct Inputs {
    profile: Option<Arc<Folded<Profile>>>,
    frequency: Option<Arc<Folded<Policy>>>,
    routing: Option<Arc<Folded<Policy>>>,
    calendar: Option<Arc<Folded<Policy>>>,
}

impl Inputs {
    pub(crate) async fn load<D: Decider>(
        streams: &Streams,
        stream: &StreamName,
        age_max: Duration,
    ) -> Result<Self, LoadError> {
        let since = Instant::now();
        let mut inputs = Self::default();
        for need in D::NEEDS {
            match need {
                Need::Profile => {
                    let owner = streams::owner(stream).and_then(|id| streams::profile(&id).ok());
                    if let Some(name) = owner {
                        let mut lease = streams.lease(&name).await;
                        inputs.profile = Some(lease.within(since, age_max).await?);
                    }
                }
                Need::Frequency => {
                    let name = PolicyName::Frequency;
                    inputs.frequency = policy(streams, name, since, age_max).await?;
                }
                Need::Routing => {
                    let name = PolicyName::Routing;
                    inputs.routing = policy(streams, name, since, age_max).await?;
                }
                Need::Calendar => {
                    let name = PolicyName::Calendar;
                    inputs.calendar = policy(streams, name, since, age_max).await?;
                }
            }
        }
        Ok(inputs)
    }

    pub(crate) fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            now,
            profile: self.profile.as_ref().map(|folded| &folded.state),
            frequency: self.frequency.as_ref().and_then(|folded| folded.state.frequency()),
            routing: self.routing.as_ref().and_then(|folded| folded.state.routing()),
            calendar: self.calendar.as_ref().and_then(|folded| folded.state.calendar()),
        }
    }
}

async fn policy(
    streams: &Streams,
    name: PolicyName,
    since: Instant,
    age_max: Duration,
) -> Result<Option<Arc<Folded<Policy>>>, LoadError> {
    match streams::policy(name) {
        Ok(name) => Ok(Some(streams.lease(&name).await.within(since, age_max).await?)),
        Err(_) => Ok(None),
    }
}
