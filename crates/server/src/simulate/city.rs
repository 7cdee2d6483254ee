//! The simulated city: its published documents, its enterprises, and chance.

use doudi_domain::{
    AreaCode, EnterpriseId, TopicId, appeal::Channel, calendar::Calendar, policy::Document,
    routing::RoutingTable,
};
use jiff::Timestamp;

use super::{SimulateError, chance::Chance, step};
use crate::catalogue::{self, Plan};

/// How many enterprises appeal; some do so again and again.
const ENTERPRISES: u32 = 400;

/// Where appeals come in, with how many of a hundred.
const CHANNELS: [(Channel, u32); 7] = [
    (Channel::Hotline12345, 45),
    (Channel::Web, 15),
    (Channel::App, 15),
    (Channel::ServiceDesk, 12),
    (Channel::VisitFeedback, 5),
    (Channel::RoundTable, 3),
    (Channel::LeadersContact, 5),
];

/// The city as the simulation sees it.
#[derive(Debug)]
pub(super) struct City {
    pub(super) routing: RoutingTable,
    pub(super) calendar: Calendar,
    pub(super) chance: Chance,
}

/// The catalogue as documents, in the order in which they are published.
pub(super) fn documents() -> Result<Vec<Document>, SimulateError> {
    let published =
        [catalogue::work_calendar()?, catalogue::case_types()?, Plan::published()?.routing()];
    published.iter().map(|document| doudi_api::policy_document(document).map_err(step)).collect()
}

impl City {
    /// The city of the catalogue, with chance beginning at `seed`.
    pub(super) fn published(seed: u64) -> Result<Self, SimulateError> {
        let (mut routing, mut calendar) = (None, None);
        for document in documents()? {
            match document {
                Document::Routing(table) => routing = Some(table),
                Document::Calendar(published) => calendar = Some(published),
                Document::Frequency(_) | Document::CaseTypes(_) | Document::Catalogue(_) => {}
            }
        }
        let routing = routing.ok_or_else(|| step("the catalogue has no routing table"))?;
        let chance = Chance::from_seed(seed);
        Ok(Self { routing, calendar: calendar.unwrap_or_default(), chance })
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, of_hundred: u32) -> bool {
        self.chance.percent(of_hundred)
    }

    /// An instant between so many hours of working time from `now`.
    pub(super) fn after(&mut self, now: Timestamp, hours: std::ops::Range<u32>) -> Timestamp {
        self.chance.after(&self.calendar, now, hours)
    }

    pub(super) fn enterprise(&mut self) -> Option<EnterpriseId> {
        let number = self.chance.number(0..ENTERPRISES);
        EnterpriseId::parse(&format!("L-SIM{number:05}")).ok()
    }

    pub(super) fn channel(&mut self) -> Channel {
        self.chance.by_share(&CHANNELS).copied().unwrap_or(Channel::Hotline12345)
    }

    /// A topic of the plan, or now and then one that nobody knows.
    pub(super) fn topic(&mut self) -> Option<TopicId> {
        if self.percent(4) {
            return TopicId::parse("something-new").ok();
        }
        self.chance.one_of(&self.routing.topics).map(|topic| topic.id.clone())
    }

    /// An area of the city, or now and then one that nobody knows.
    pub(super) fn area(&mut self) -> Option<AreaCode> {
        if self.percent(2) {
            return AreaCode::parse("999999").ok();
        }
        self.chance.one_of(&self.routing.areas).map(|area| area.code.clone())
    }
}
