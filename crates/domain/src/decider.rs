//! The shape that every rule takes: a decider answers commands. What should happen by itself is
//! derived from its events, see [`crate::agenda`].

use jiff::{Timestamp, civil::Date};

use crate::{
    calendar::{Calendar, civil_date},
    campaign::Campaign,
    cases::CaseTypes,
    catalogue::Catalogue,
    codec,
    enterprise::Profile,
    frequency::FrequencyPolicy,
    ids::{AreaCode, CampaignId, UnitId},
    routing::RoutingTable,
    visits::Visits,
};

/// A consistency boundary: folds its events into a state and decides commands on it.
pub trait Decider: Default + Clone + Send + Sync + 'static {
    /// The `<kind>` token in the stream's name and in the golden files' path.
    const KIND: &'static str;
    /// An intent, in the imperative.
    type Command;
    /// A fact, in the past tense. Its names are the storage format.
    type Event: codec::Storable;
    /// Why a command cannot be carried out.
    type Rejection: std::error::Error;

    /// What a decision on `command` reads besides its own stream.
    #[must_use]
    fn needs(_command: &Self::Command) -> Vec<Need> {
        vec![]
    }

    /// Decides the events that `command` causes; none when it is already so.
    ///
    /// # Errors
    /// The rejection names the rule that stands in the way; nothing changes.
    fn decide(
        &self,
        context: &Context<'_>,
        command: &Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Folds one event into the state. Total: it never fails and decides nothing.
    fn evolve(self, event: &Self::Event) -> Self;

    /// About how many bytes of memory the event adds to the state, given how many it has as it is stored.
    #[must_use]
    fn weight(_event: &Self::Event, stored: usize) -> usize {
        stored * 3
    }
}

/// Something a decision reads from another stream. It is an input, not part of the consistency
/// boundary: the events record which version was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The profile of the enterprise that owns the stream.
    Profile,
    /// The visits to the enterprise that owns the stream.
    Visits,
    /// The published frequency policy.
    Frequency,
    /// The published inspection catalogue of a unit.
    Catalogue(UnitId),
    /// A special campaign.
    Campaign(CampaignId),
    /// The published routing table.
    Routing,
    /// The published work calendar, or the weekday rule alone.
    Calendar,
    /// The published case types, or the ones shipped.
    Cases,
}

/// A published document with its version.
#[derive(Debug)]
pub struct Published<'a, T> {
    /// The document's version, counted from 1; 0 where none was published and the one shipped decides.
    pub version: u32,
    /// The document.
    pub document: &'a T,
}

impl<T> Clone for Published<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Published<'_, T> {}

/// Time and inputs of one decision. Only what the decider `needs` for the command is filled in.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The instant of the decision.
    pub now: Timestamp,
    /// The enterprise's profile, if registered.
    pub profile: Option<&'a Profile>,
    /// The visits to the enterprise.
    pub visits: Option<&'a Visits>,
    /// The frequency policy in force, if any is published.
    pub frequency: Option<Published<'a, FrequencyPolicy>>,
    /// The inspection catalogues in force of the units that the command is about, as far as published.
    pub catalogues: Vec<Published<'a, Catalogue>>,
    /// The special campaign that the command refers to; absent where it was never proposed.
    pub campaign: Option<&'a Campaign>,
    /// The routing table in force, if any is published.
    pub routing: Option<Published<'a, RoutingTable>>,
    /// The case types in force: without published ones those shipped, so that no case lacks terms.
    pub cases: Published<'a, CaseTypes>,
    /// The work calendar in force: without a published one the weekday rule, so that no case lacks
    /// a clock.
    pub calendar: Published<'a, Calendar>,
}

impl<'a> Context<'a> {
    /// A context that knows only the time and what is always there.
    #[must_use]
    pub fn at(
        now: Timestamp,
        cases: Published<'a, CaseTypes>,
        calendar: Published<'a, Calendar>,
    ) -> Self {
        Self {
            now,
            profile: None,
            visits: None,
            frequency: None,
            catalogues: vec![],
            campaign: None,
            routing: None,
            cases,
            calendar,
        }
    }

    /// The catalogue in force of that unit, if any is published.
    #[must_use]
    pub fn catalogue(&self, unit: &UnitId) -> Option<Published<'a, Catalogue>> {
        self.catalogues.iter().find(|published| published.document.unit == *unit).copied()
    }

    /// The area that is responsible for the enterprise, if it is registered.
    #[must_use]
    pub fn area(&self) -> Option<AreaCode> {
        Some(self.profile?.registered()?.area.clone())
    }

    /// The civil date of the decision in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> Date {
        civil_date(self.now)
    }
}
