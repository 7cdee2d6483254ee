//! The tables of the views of visits, appeals and timelines kept in memory instead of in PostgreSQL: for simulations.
//!
//! Only reading and writing differ. In between runs the code that the tables in PostgreSQL are made by, on what a
//! batch reads of them and no more. What rows were is not kept.

use std::collections::{HashMap, HashSet};

use doudi_domain::{AppealId, AreaCode, DiagnosisId, EnterpriseId, UnitId, clock::Clock};
use doudi_journal::Record;

pub use crate::parked::Reading;
use crate::{ViewName, appeals, fact::Fact, parked, timeline, visits};

/// The views that are kept so.
const VIEWS: [ViewName; 3] = [ViewName::Visits, ViewName::Appeals, ViewName::Timeline];

/// What the tables hold now.
#[derive(Debug, Default)]
pub struct Tables {
    visits: visits::Tables,
    appeals: appeals::Tables,
    timeline: timeline::Tables,
    parked: HashMap<ViewName, HashSet<String>>,
}

/// A clock that runs or stands still, with what its row says of its appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRow {
    /// The enterprise that appealed.
    pub enterprise: EnterpriseId,
    /// The appeal.
    pub appeal: AppealId,
    /// The joint diagnosis that the clock belongs to, if it does.
    pub diagnosis: Option<DiagnosisId>,
    /// What is owed, by whom, by when.
    pub clock: Clock,
    /// The unit that leads in the appeal.
    pub unit: Option<UnitId>,
    /// Where the appeal plays; none while it is not known.
    pub area: Option<AreaCode>,
}

/// Reads records, those that one of the views wants.
#[must_use]
pub fn read(records: &[Record]) -> Vec<Reading> {
    parked::read(&VIEWS, records)
}

impl Tables {
    /// Takes in, as one batch, what follows in the log on what was taken in before.
    pub fn take(&mut self, batch: &[Reading]) {
        self.visits.apply(&facts(ViewName::Visits, batch, &mut self.parked));
        self.appeals.apply(&facts(ViewName::Appeals, batch, &mut self.parked));
        self.timeline.apply(&facts(ViewName::Timeline, batch, &mut self.parked));
    }

    /// The streams that a view passes over since a record that cannot be read.
    pub fn parked(&self) -> impl Iterator<Item = &str> {
        self.parked.values().flatten().map(String::as_str)
    }

    /// The visits, and the checks from elsewhere.
    pub fn visits(&self) -> impl Iterator<Item = &visits::Row> {
        self.visits.rows()
    }

    /// The appeals. None is suspected to be closed falsely: PostgreSQL looks for that itself.
    pub fn appeals(&self) -> impl Iterator<Item = appeals::Row> {
        self.appeals.rows()
    }

    /// The clocks of appeals and of their joint diagnoses.
    pub fn clocks(&self) -> impl Iterator<Item = ClockRow> {
        self.appeals.clocks()
    }

    /// The entries of all timelines, in the order in which they were added.
    pub fn timeline(&self) -> impl Iterator<Item = &timeline::Entry> {
        self.timeline.entries()
    }

    /// A view that holds something else there, in whatever of its tables; none where all is the same.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Option<ViewName> {
        let differ = [
            (ViewName::Visits, self.visits != other.visits),
            (ViewName::Appeals, self.appeals != other.appeals),
            (ViewName::Timeline, self.timeline != other.timeline),
        ];
        differ.into_iter().find_map(|(view, differs)| differs.then_some(view))
    }
}

/// What a view can take in of a batch.
fn facts(
    view: ViewName,
    batch: &[Reading],
    parked: &mut HashMap<ViewName, HashSet<String>>,
) -> Vec<Fact> {
    let wanted = batch.iter().filter(|reading| reading.concerns(view)).cloned().collect();
    let already = parked.entry(view).or_default();
    let parted = parked::part(view, wanted, already, None);
    already.extend(parted.parked.into_iter().map(|parked| parked.stream));
    parted.facts
}
