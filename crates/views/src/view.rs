//! The views there are. A view's version is part of its schema's name: a change of its tables or of
//! what it makes of the log is a new version, which builds its own tables from the whole log.

use std::fmt;

use deadpool_postgres::Transaction;
use doudi_domain::{
    Decider, appeal::Appeal, device::Device, diagnosis::Diagnosis, enterprise::Profile,
    policy::Policy, ratings::Ratings, visits::Visits, webhook::Webhook,
};
use doudi_journal::StreamName;

use crate::{
    ViewError, agenda, alerts, appeals, fact::Fact, history::Memory, measures, ratings, timeline,
    visits, webhooks,
};

/// The line of a file of statements from which on it has the indexes that only queries need.
const FOR_QUERIES: &str =
    "-- For queries alone: a build from the whole log makes these when the rows are there.";

fn going_to(schema: &str) -> String {
    format!(
        "SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS {schema}; \
         SET LOCAL search_path = {schema}, doudi"
    )
}

/// A view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewName {
    /// Everything that happened to an enterprise, in order.
    Timeline,
    /// The visits (入企检查) and what they hold under the frequency limits.
    Visits,
    /// The list of appeals (诉求) and the inboxes.
    Appeals,
    /// What the system itself still has to do.
    Agenda,
    /// Who returned what to whom, and the three rates (三率).
    Measures,
    /// What the supervision body is told about visits that are too many (检查预警).
    Alerts,
    /// What enterprises think of a unit's visits (检查评价), in sums that tell nobody's own.
    Ratings,
    /// The webhooks of partner systems (事件推送).
    Webhooks,
}

impl ViewName {
    /// Every view.
    pub const ALL: [Self; 8] = [
        Self::Timeline,
        Self::Visits,
        Self::Appeals,
        Self::Agenda,
        Self::Measures,
        Self::Alerts,
        Self::Ratings,
        Self::Webhooks,
    ];

    /// The view's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Visits => "visits",
            Self::Appeals => "appeals",
            Self::Agenda => "agenda",
            Self::Measures => "measures",
            Self::Alerts => "alerts",
            Self::Ratings => "ratings",
            Self::Webhooks => "webhooks",
        }
    }

    /// The view with that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == name)
    }

    /// The version of its tables and of what they mean.
    #[must_use]
    pub fn version(self) -> i32 {
        match self {
            Self::Timeline => timeline::VERSION,
            Self::Visits => visits::VERSION,
            Self::Appeals => appeals::VERSION,
            Self::Agenda => agenda::VERSION,
            Self::Measures => measures::VERSION,
            Self::Alerts => alerts::VERSION,
            Self::Ratings => ratings::VERSION,
            Self::Webhooks => webhooks::VERSION,
        }
    }

    /// The schema of its live tables.
    #[must_use]
    pub fn schema(self) -> String {
        format!("{}_v{}", self.as_str(), self.version())
    }

    /// The schema in which it is built again.
    pub(crate) fn next_schema(self) -> String {
        format!("{}_next", self.schema())
    }

    /// The statements that make what is missing of `schema` and its tables, for one transaction, with the
    /// indexes that taking facts in needs.
    pub(crate) fn make_tables(self, schema: &str) -> String {
        let (tables, _) = self.statements();
        format!("{}; {tables}", going_to(schema))
    }

    /// The statements that make what is missing of the indexes in `schema` that queries need, those of one
    /// index for one transaction.
    pub(crate) fn make_indexes(self, schema: &str) -> Vec<String> {
        let (_, indexes) = self.statements();
        let said = indexes.lines().filter(|line| !line.starts_with("--"));
        let said = said.collect::<Vec<_>>().join(" ");
        let indexes = said.split(';').filter(|index| !index.trim().is_empty());
        indexes.map(|index| format!("{}; {index}", going_to(schema))).collect()
    }

    fn statements(self) -> (&'static str, &'static str) {
        let all = match self {
            Self::Timeline => include_str!("timeline.sql"),
            Self::Visits => include_str!("visits.sql"),
            Self::Appeals => include_str!("appeals.sql"),
            Self::Agenda => include_str!("agenda.sql"),
            Self::Measures => include_str!("measures.sql"),
            Self::Alerts => include_str!("alerts.sql"),
            Self::Ratings => include_str!("ratings.sql"),
            Self::Webhooks => include_str!("webhooks.sql"),
        };
        all.split_once(FOR_QUERIES).unwrap_or((all, ""))
    }

    /// Its tables.
    pub(crate) fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Timeline => &["entry", "subject", "enterprise"],
            Self::Visits => {
                &["visit", "enterprise", "policy", "visit_past", "enterprise_past", "policy_past"]
            }
            Self::Appeals => &["appeal", "clock", "closure", "stay", "appeal_past", "clock_past"],
            Self::Agenda => &["duty"],
            Self::Measures => &["returns", "handling", "subject", "returns_past", "handling_past"],
            Self::Alerts => &["alert", "visit"],
            Self::Ratings => &["held_back", "summed"],
            Self::Webhooks => &["webhook"],
        }
    }

    /// Its tables that can be asked as of an earlier time, and how each remembers.
    pub(crate) fn memory(self) -> &'static [Memory] {
        match self {
            Self::Timeline => &[Memory::Added("entry")],
            Self::Visits => &[
                Memory::Versions(visits::VISIT),
                Memory::Versions(visits::ENTERPRISE),
                Memory::Versions(visits::POLICY),
            ],
            Self::Appeals => &[
                Memory::Versions(appeals::APPEAL),
                Memory::Versions(appeals::CLOCK),
                Memory::Added("stay"),
            ],
            Self::Measures => {
                &[Memory::Versions(measures::RETURNS), Memory::Versions(measures::HANDLING)]
            }
            Self::Alerts => &[Memory::Added("alert")],
            Self::Ratings => &[Memory::Added("summed")],
            Self::Agenda | Self::Webhooks => &[],
        }
    }

    /// The column of `table` with the position of the record that made a row; none where rows do not tell.
    pub(crate) fn made_at(self, table: &str) -> Option<&'static str> {
        let of = table.strip_suffix("_past").unwrap_or(table);
        self.memory().iter().find_map(|memory| match memory {
            Memory::Versions(table) => (table.name == of).then_some("since"),
            Memory::Added(table) => (*table == of).then_some("position"),
        })
    }

    /// Whether records of that stream concern it. A record under a foreign subject concerns every
    /// view, so that each parks it where operators see it; kinds of later versions concern none.
    pub(crate) fn wants(self, stream: &StreamName) -> bool {
        let kind = stream.kind();
        let ours = match self {
            Self::Timeline => {
                [Profile::KIND, Visits::KIND, Appeal::KIND, Diagnosis::KIND].contains(&kind)
            }
            Self::Visits => {
                [Visits::KIND, Profile::KIND].contains(&kind)
                    || (kind == Policy::KIND && visits::reads(stream))
            }
            Self::Appeals => [Appeal::KIND, Diagnosis::KIND].contains(&kind),
            // Every kind of stream that has a process.
            Self::Agenda => {
                [Visits::KIND, Appeal::KIND, Diagnosis::KIND, Device::KIND].contains(&kind)
            }
            Self::Measures => kind == Appeal::KIND,
            Self::Alerts => kind == Visits::KIND,
            Self::Ratings => kind == Ratings::KIND,
            Self::Webhooks => kind == Webhook::KIND,
        };
        ours || !stream.is_readable()
    }

    /// Turns facts, in log order, into rows of the first schema of the search path.
    pub(crate) async fn apply(
        self,
        transaction: &Transaction<'_>,
        facts: &[Fact],
    ) -> Result<(), ViewError> {
        if facts.is_empty() {
            return Ok(());
        }
        match self {
            Self::Timeline => timeline::apply(transaction, facts).await,
            Self::Visits => visits::apply(transaction, facts).await,
            Self::Appeals => appeals::apply(transaction, facts).await,
            Self::Agenda => agenda::apply(transaction, facts).await,
            Self::Measures => measures::apply(transaction, facts).await,
            Self::Alerts => alerts::apply(transaction, facts).await,
            Self::Ratings => ratings::apply(transaction, facts).await,
            Self::Webhooks => webhooks::apply(transaction, facts).await,
        }
    }
}

impl fmt::Display for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
