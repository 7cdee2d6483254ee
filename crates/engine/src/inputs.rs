//! What a decision reads from other streams: published documents and the enterprise's profile.
//!
//! Inputs may be as old as the configuration allows; a refusal is checked again with fresh ones.
//! Where no case types or no calendar are published, those shipped decide, as version 0, so that
//! intake never stops.

use std::sync::{Arc, LazyLock};

use doudi_domain::{
    Context, Decider, Need, Published,
    calendar::Calendar,
    cases::CaseTypes,
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

#[derive(Debug, Default)]
pub(crate) struct Inputs {
    profile: Option<Arc<Folded<Profile>>>,
    frequency: Option<Arc<Folded<Policy>>>,
    catalogue: Option<Arc<Folded<Policy>>>,
    routing: Option<Arc<Folded<Policy>>>,
    calendar: Option<Arc<Folded<Policy>>>,
    cases: Option<Arc<Folded<Policy>>>,
}

impl Inputs {
    pub(crate) async fn load<D: Decider>(
        streams: &Streams,
        stream: &StreamName,
        command: &D::Command,
        age_max: Duration,
    ) -> Result<Self, LoadError> {
        let since = Instant::now();
        let mut inputs = Self::default();
        for need in D::needs(command) {
            let name = match need {
                Need::Profile => {
                    let owner = streams::owner(stream).and_then(|id| streams::profile(&id).ok());
                    if let Some(name) = owner {
                        let mut lease = streams.lease(&name).await;
                        inputs.profile = Some(lease.within(since, age_max).await?);
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
            let folded = streams.lease(&stream).await.within(since, age_max).await?;
            *inputs.of(&name) = Some(folded);
        }
        Ok(inputs)
    }

    fn of(&mut self, name: &PolicyName) -> &mut Option<Arc<Folded<Policy>>> {
        match name {
            PolicyName::Frequency => &mut self.frequency,
            PolicyName::Catalogue(_) => &mut self.catalogue,
            PolicyName::Routing => &mut self.routing,
            PolicyName::Calendar => &mut self.calendar,
            PolicyName::CaseTypes => &mut self.cases,
        }
    }

    pub(crate) fn context(&self, now: Timestamp) -> Context<'_> {
        let calendar = self.calendar.as_ref().and_then(|folded| folded.state.calendar());
        let cases = self.cases.as_ref().and_then(|folded| folded.state.case_types());
        Context {
            now,
            profile: self.profile.as_ref().map(|folded| &folded.state),
            frequency: self.frequency.as_ref().and_then(|folded| folded.state.frequency()),
            catalogue: self.catalogue.as_ref().and_then(|folded| folded.state.catalogue()),
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
