//! What is known of an enterprise's visits as far as some rule reads it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    CheckIn, Irregularity, ItemResult, Kept, OffSiteCheck, Plan, Rectification, Share,
    found_something,
};
use crate::{
    FewMap, FewSet,
    calendar::civil_date,
    clock::{Clock, ClockId, ClockKind, Owner},
    frequency::{Entry, Ground, Held, Party},
    ids::{AppealId, CertificateNumber, CodeId, FieldId, ItemId, UnitId, VisitId},
};

/// The visits of one enterprise (入企检查台账).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visits {
    /// Each by itself, since the map keeps room for several.
    pub(super) visits: BTreeMap<VisitId, Box<Visit>>,
    /// The clock that was started last.
    pub(super) clock_last: u32,
    /// The codes that are good for one scan and were used for it.
    pub(super) codes_used: BTreeSet<CodeId>,
    /// The complaints that hold a unit's visits, and whether they still do.
    pub(super) holds: BTreeMap<AppealId, Hold>,
    /// Records of devices that changed nothing when they came.
    pub(super) set_aside: Vec<Kept>,
    /// The checks from elsewhere.
    pub(super) off_site: BTreeMap<VisitId, Box<OffSiteCheck>>,
}

/// A complaint that holds a unit's visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) visit: VisitId,
    pub(super) units: BTreeSet<UnitId>,
    pub(super) lifted: bool,
}

/// One visit as far as some rule reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// What was planned at first.
    pub plan: Plan,
    /// What each unit that takes part now brings, the lead's own included.
    pub shares: FewMap<UnitId, Share>,
    /// The units that take part, the lead first.
    pub parties: Vec<Party>,
    /// The field of each item, as far as it is known.
    pub fields: FewMap<ItemId, FieldId>,
    /// How many lines the checklist of each item has.
    pub lines: FewMap<ItemId, u16>,
    /// The units that took part and will not come.
    pub withdrawn: FewSet<UnitId>,
    /// The units whose head approved.
    pub approvals: FewSet<UnitId>,
    /// Whether the enterprise was told beforehand.
    pub notified: bool,
    /// How far it is.
    pub phase: Phase,
    /// The scan that let the officers in, and what was not in order with it.
    pub arrival: Option<(CheckIn, FewSet<Irregularity>)>,
    /// The day on which it counts since they came, where it was recorded.
    #[serde(default)]
    pub counts_on: Option<Date>,
    /// When the officers left.
    pub left_at: Option<Timestamp>,
    /// What each unit found.
    pub results: FewMap<UnitId, Vec<ItemResult>>,
    /// What is still to be rectified, and for whom.
    #[serde(with = "pairs")]
    pub rectifications: FewMap<(UnitId, ItemId), Rectification>,
    /// The clocks that run.
    pub clocks: Vec<Clock>,
    /// Whether the enterprise was told what was found.
    pub told: bool,
}

/// How far a visit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Planned; holds a place.
    Planned,
    /// Approved by the head of each unit; holds a place.
    Approved,
    /// The officers are there.
    CheckedIn {
        /// Since when.
        at: Timestamp,
    },
    /// The officers have left.
    CheckedOut {
        /// When they came.
        at: Timestamp,
    },
    /// The results of every unit are reported.
    Reported {
        /// When they came.
        at: Timestamp,
    },
    /// Nothing is left to be done.
    Closed {
        /// When they came.
        at: Timestamp,
    },
    /// Cancelled; holds no place.
    Cancelled,
    /// Expired; holds no place.
    Expired,
    /// Refused by the enterprise; holds no place.
    Refused,
    /// Given up for another visit; holds no place.
    Merged {
        /// The visit that goes on.
        into: VisitId,
    },
}

impl Visit {
    pub(crate) fn planned(
        plan: Plan,
        parties: Vec<Party>,
        fields: FewMap<ItemId, FieldId>,
        lines: FewMap<ItemId, u16>,
    ) -> Self {
        Self {
            shares: plan.all_shares(),
            plan,
            parties,
            fields,
            lines,
            withdrawn: FewSet::new(),
            approvals: FewSet::new(),
            notified: false,
            phase: Phase::Planned,
            arrival: None,
            counts_on: None,
            left_at: None,
            results: FewMap::new(),
            rectifications: FewMap::new(),
            clocks: vec![],
            told: false,
        }
    }

    /// The phase's name, as in `WrongPhase`.
    #[must_use]
    pub fn phase_name(&self) -> &'static str {
        match self.phase {
            Phase::Planned => "planned",
            Phase::Approved => "approved",
            Phase::CheckedIn { .. } => "checked in",
            Phase::CheckedOut { .. } => "checked out",
            Phase::Reported { .. } => "reported",
            Phase::Closed { .. } => "closed",
            Phase::Cancelled => "cancelled",
            Phase::Expired => "expired",
            Phase::Refused => "refused",
            Phase::Merged { .. } => "merged",
        }
    }

    /// When the officers came, once they have.
    #[must_use]
    pub fn checked_in_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::CheckedIn { at }
            | Phase::CheckedOut { at }
            | Phase::Reported { at }
            | Phase::Closed { at } => Some(at),
            Phase::Planned
            | Phase::Approved
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => None,
        }
    }

    /// Whether it is still to come.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        matches!(self.phase, Phase::Planned | Phase::Approved)
    }

    /// Whether the enterprise knows of it: it was told, or the officers came.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.notified || self.arrival.is_some() || self.phase == Phase::Refused
    }

    /// Whether the unit takes part.
    #[must_use]
    pub fn takes_part(&self, unit: &UnitId) -> bool {
        self.shares.contains_key(unit)
    }

    /// The officers of all units who are to come; those who came, once they have.
    #[must_use]
    pub fn officers(&self) -> FewSet<CertificateNumber> {
        match &self.arrival {
            Some((check_in, _)) => check_in.officers.clone(),
            None => self.shares.values().flat_map(|share| share.officers.clone()).collect(),
        }
    }

    /// The items of all units.
    pub fn items(&self) -> FewSet<ItemId> {
        self.shares.values().flat_map(|share| share.items.clone()).collect()
    }

    /// The running clock of that kind; of several the first.
    #[must_use]
    pub fn clock(&self, kind: ClockKind) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.kind == kind)
    }

    /// The place it holds, if it holds one.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let (held, on) = self.place()?;
        Some(self.as_entry(on, held, self.officers()))
    }

    /// How it holds its place, if it holds one, and the day that it counts on: the planned day, from check-in on
    /// the day on which the officers came. In Asia/Shanghai.
    #[must_use]
    pub fn place(&self) -> Option<(Held, Date)> {
        match self.phase {
            Phase::Planned | Phase::Approved => Some((Held::Reserved, self.plan.on)),
            Phase::CheckedIn { at }
            | Phase::CheckedOut { at }
            | Phase::Reported { at }
            | Phase::Closed { at } => {
                let usual = || civil_date(at).max(self.plan.on);
                Some((Held::Used, self.counts_on.unwrap_or_else(usual)))
            }
            Phase::Cancelled | Phase::Expired | Phase::Refused | Phase::Merged { .. } => None,
        }
    }

    /// The visit as the limits would see it on a day, with those officers.
    pub(crate) fn as_entry(
        &self,
        on: Date,
        held: Held,
        officers: FewSet<CertificateNumber>,
    ) -> Entry {
        let fields = |item: ItemId| (item.clone(), self.fields.get(&item).cloned());
        Entry {
            visit: self.plan.visit,
            parties: self.parties.clone(),
            items: self.items().into_iter().map(fields).collect(),
            officers,
            ground: self.plan.ground,
            on,
            held,
            finding: self.finding(),
        }
    }

    /// Whether something was found; none while not everything is reported.
    #[must_use]
    pub fn finding(&self) -> Option<bool> {
        matches!(self.phase, Phase::Reported { .. } | Phase::Closed { .. })
            .then(|| found_something(self.results.values().flatten()))
    }

    /// Approved once the head of each unit has.
    pub(super) fn weigh_approvals(&mut self) {
        if self.is_ahead() {
            let all = self.shares.keys().all(|unit| self.approvals.contains(unit));
            self.phase = if all { Phase::Approved } else { Phase::Planned };
        }
    }

    /// Leaves a unit out.
    pub(super) fn leave_out(&mut self, unit: &UnitId) {
        self.shares.remove(unit);
        self.withdrawn.insert(unit.clone());
        self.approvals.remove(unit);
        self.parties.retain(|party| party.unit != *unit);
        self.owes_no_approval(unit);
        self.weigh_approvals();
        self.weigh_results();
    }

    /// Ends the clock of an approval that was made up, or that nobody waits for.
    pub(super) fn owes_no_approval(&mut self, unit: &UnitId) {
        let owner = Owner::Unit(unit.clone());
        self.stop(|clock| clock.kind == ClockKind::Approval && clock.owner == owner);
    }

    /// Stops the clocks of which that is so, and keeps no room for them.
    pub(super) fn stop(&mut self, which: impl Fn(&Clock) -> bool) {
        self.clocks.retain(|clock| !which(clock));
        self.clocks.shrink_to_fit();
    }
}

impl Visits {
    /// The visit with that id.
    #[must_use]
    pub fn get(&self, visit: VisitId) -> Option<&Visit> {
        self.visits.get(&visit).map(Box::as_ref)
    }

    /// Every visit, and nothing else that was known.
    pub fn into_all(self) -> impl Iterator<Item = Visit> {
        self.visits.into_values().map(|visit| *visit)
    }

    /// Every visit.
    pub fn all(&self) -> impl Iterator<Item = &Visit> {
        self.visits.values().map(Box::as_ref)
    }

    /// The complaint about another visit of a unit that takes part that holds the visit, if one does;
    /// urgent ones are not held.
    #[must_use]
    pub fn held_by(&self, visit: &Visit) -> Option<AppealId> {
        let holds = |(_, hold): &(&AppealId, &Hold)| {
            !hold.lifted
                && hold.visit != visit.plan.visit
                && hold.units.iter().any(|unit| visit.takes_part(unit))
        };
        let urgent = visit.plan.ground == Ground::Urgent;
        let held = self.holds.iter().find(holds).filter(|_| !urgent);
        held.map(|(appeal, _)| *appeal)
    }

    /// Takes out a visit that nothing can happen to any more.
    pub(crate) fn take(&mut self, visit: VisitId) -> Option<Visit> {
        self.visits.remove(&visit).map(|visit| *visit)
    }

    /// Every place held, `except` those of some visits.
    pub(crate) fn entries(&self, except: &[VisitId]) -> Vec<Entry> {
        let others = self.visits.iter().filter(|(id, _)| !except.contains(id));
        others.filter_map(|(_, visit)| visit.entry()).collect()
    }

    /// The visit on which that clock runs.
    pub(super) fn with_clock(&self, id: ClockId) -> Option<(&Visit, &Clock)> {
        self.all().find_map(|visit| {
            let clock = visit.clocks.iter().find(|clock| clock.id == id)?;
            Some((visit, clock))
        })
    }

    /// The clock that is started after so many others of the same commit.
    pub(super) fn next_clock(&self, after: u32) -> ClockId {
        ClockId(self.clock_last.saturating_add(1).saturating_add(after))
    }
}

/// What is known of these visits alone: enough to fold their events, not to decide on them.
impl FromIterator<Visit> for Visits {
    fn from_iter<I: IntoIterator<Item = Visit>>(visits: I) -> Self {
        let named = visits.into_iter().map(|visit| (visit.plan.visit, Box::new(visit)));
        Self { visits: named.collect(), ..Self::default() }
    }
}

/// A map whose keys are no texts, as a list of pairs.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::FewMap;

    pub(super) fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &FewMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D, K, V>(deserializer: D) -> Result<FewMap<K, V>, D::Error>
    where
        D: Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
