//! What a decision reads from other streams: published documents and the enterprise's profile.
//!
//! Inputs may be as old as the configuration allows; a refusal is checked again with fresh ones.
//! A question as of an earlier time reads them as of then.
//! Where no case types or no calendar are published, those shipped decide, as version 0, so that
//! intake never stops.

use std::sync::{Arc, LazyLock};

use doudi_domain::{
    Context, Decider, Need, Published,
    calendar::Calendar,
    campaign::Campaign,
    cases::CaseTypes,
    enterprise::Profile,
    policy::{Policy, PolicyName},
    visits::Visits,
};
use doudi_journal::{Journal, StreamName};
use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use crate::{
    cache::Streams,
    folded::{Folded, LoadError, Until},
    streams,
};

/// The case types that decide until a city publishes its own.
static CASES: LazyLock<CaseTypes> = LazyLock::new(|| {
    let text = include_str!("../../../deploy/catalogue/case_types.json");
    // A test reads the file, so the program never ships with one that cannot be read.
    serde_json::from_str(text).unwrap_or(CaseTypes { types: vec![] })
});

/// The weekday rule and the usual hours, until a city publishes its calendar.
static WEEKDAYS: LazyLock<Calendar> = LazyLock::new(Calendar::default);

fn shipped<T>(document: &'static LazyLock<T>) -> Published<'static, T> {
    Published { version: 0, document }
}

/// Where inputs are read, and how old they may be or as of when.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// What is kept of streams, if the log confirmed it no longer ago than that.
    Kept(&'a Streams, Duration),
    /// The log, as of an earlier time.
    Past(&'a Journal, Until),
}

impl Source<'_> {
    /// A stream, for a question that began at `since`.
    async fn read<D: Decider>(
        self,
        name: &StreamName,
        since: Instant,
    ) -> Result<Arc<Folded<D>>, LoadError> {
        match self {
            Self::Kept(streams, age_max) => {
                let mut lease = streams.lease(name).await;
                lease.within(since, age_max).await
            }
            Self::Past(journal, until) => Ok(Arc::new(Folded::until(journal, name, until).await?)),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Inputs {
    profile: Option<Arc<Folded<Profile>>>,
    visits: Option<Arc<Folded<Visits>>>,
    frequency: Option<Arc<Folded<Policy>>>,
    catalogues: Vec<Arc<Folded<Policy>>>,
    campaign: Option<Arc<Folded<Campaign>>>,
    routing: Option<Arc<Folded<Policy>>>,
    calendar: Option<Arc<Folded<Policy>>>,
    cases: Option<Arc<Folded<Policy>>>,
}

impl Inputs {
    pub(crate) async fn load<D: Decider>(
        source: Source<'_>,
        stream: &StreamName,
        command: &D::Command,
    ) -> Result<Self, LoadError> {
        let since = Instant::now();
        let mut inputs = Self::default();
        for need in D::needs(command) {
            let name = match need {
                Need::Profile => {
                    let owner = streams::owner(stream).and_then(|id| streams::profile(&id).ok());
                    if let Some(name) = owner {
                        inputs.profile = Some(source.read(&name, since).await?);
                    }
                    continue;
                }
                Need::Visits => {
                    let owner = streams::owner(stream).and_then(|id| streams::visits(&id).ok());
                    if let Some(name) = owner {
                        inputs.visits = Some(source.read(&name, since).await?);
                    }
                    continue;
                }
                Need::Campaign(id) => {
                    if let Ok(name) = streams::campaign(id) {
                        inputs.campaign = Some(source.read(&name, since).await?);
                    }
                    continue;
                }
                Need::Frequency => PolicyName::Frequency,
                Need::Catalogue(unit) => PolicyName::Catalogue(unit),
                Need::Routing => PolicyName::Routing,
                Need::Calendar => PolicyName::Calendar,
                Need::Cases => PolicyName::CaseTypes,
            };
            let Ok(stream) = streams::policy(&name) else { continue };
            let folded = source.read(&stream, since).await?;
            inputs.put(&name, folded);
        }
        Ok(inputs)
    }

    fn put(&mut self, name: &PolicyName, found: Arc<Folded<Policy>>) {
        match name {
            PolicyName::Frequency => self.frequency = Some(found),
            PolicyName::Catalogue(_) => self.catalogues.push(found),
            PolicyName::Routing => self.routing = Some(found),
            PolicyName::Calendar => self.calendar = Some(found),
            PolicyName::CaseTypes => self.cases = Some(found),
        }
    }

    pub(crate) fn context(&self, now: Timestamp) -> Context<'_> {
        let calendar = self.calendar.as_ref().and_then(|folded| folded.state.calendar());
        let cases = self.cases.as_ref().and_then(|folded| folded.state.case_types());
        Context {
            now,
            profile: self.profile.as_ref().map(|folded| &folded.state),
            visits: self.visits.as_ref().map(|folded| &folded.state),
            frequency: self.frequency.as_ref().and_then(|folded| folded.state.frequency()),
            catalogues: self
                .catalogues
                .iter()
                .filter_map(|folded| folded.state.catalogue())
                .collect(),
            campaign: self.campaign.as_ref().map(|folded| &folded.state),
            routing: self.routing.as_ref().and_then(|folded| folded.state.routing()),
            calendar: calendar.unwrap_or_else(|| shipped(&WEEKDAYS)),
            cases: cases.unwrap_or_else(|| shipped(&CASES)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_sound_and_counts_as_version_0() {
        let inputs = Inputs::default();
        let context = inputs.context(Timestamp::UNIX_EPOCH);
        assert_eq!((context.cases.version, context.calendar.version), (0, 0));
        assert_eq!(context.cases.document.problems(), []);
        assert!(context.calendar.document.years.is_empty(), "the weekday rule alone");
    }
}
