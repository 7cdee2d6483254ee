//! The one function that counts visits against limits, for the decision, the planning screen and the query.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Floor, FrequencyPolicy, Ground, OnExceeding, Subject, Window,
    count::{Count, keys},
};
use crate::{
    FewMap, FewSet,
    catalogue::Level,
    enterprise::{CreditGrade, RiskClass},
    ids::{CertificateNumber, FieldId, ItemId, Name, RuleId, TagId, UnitId, VisitId},
};

/// How a visit holds its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Planned: the place is reserved.
    Reserved,
    /// Carried out: the place is used.
    Used,
}

/// A unit that takes part in a visit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// The unit.
    pub unit: UnitId,
    /// Its level, as the directory had it when the visit was planned; none where it was not listed.
    pub level: Option<Level>,
}

/// One visit as the limits see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The visit.
    pub visit: VisitId,
    /// The units that take part, the lead first.
    pub parties: Vec<Party>,
    /// The items, each with its field where the catalogue named one.
    pub items: FewMap<ItemId, Option<FieldId>>,
    /// The officers.
    pub officers: FewSet<CertificateNumber>,
    /// Its ground.
    pub ground: Ground,
    /// The day it counts on: the planned day, from check-in on the day on which the officers came.
    pub on: Date,
    /// How it holds its place.
    pub held: Held,
    /// Whether something was found; none while nothing is reported.
    pub finding: Option<bool>,
}

/// What rules ask of an enterprise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// Its credit grade on the day in question, if it holds one then.
    pub grade: Option<CreditGrade>,
    /// Its risk class.
    pub risk_class: Option<RiskClass>,
    /// Its tags.
    pub tags: BTreeSet<TagId>,
}

/// For whom or what a rule adds visits up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// One unit.
    Unit(UnitId),
    /// The units of one level.
    Level(Level),
    /// All units.
    All,
    /// One field.
    Field(FieldId),
    /// One item.
    Item(ItemId),
    /// One officer.
    Officer(CertificateNumber),
}

/// How an enterprise stands against one rule in one window, before the visit in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The rule.
    pub rule: RuleId,
    /// The document that sets it.
    pub source: Name,
    /// For whom or what the visits add up.
    pub key: Key,
    /// First day of the window, where several are possible of the fullest.
    pub from: Date,
    /// Last day of the window.
    pub until: Date,
    /// The most visits that may count.
    pub maximum: u32,
    /// What becomes of a plan beyond it.
    pub on_exceeding: OnExceeding,
    /// Reservations that count.
    pub reserved: u32,
    /// Carried out visits that count.
    pub used: u32,
    /// Visits on exempt grounds, recorded but not counted.
    pub exempt: u32,
    /// As how many the visit in question counts; 0 when the rule lets it pass.
    pub weight: u32,
    /// The visits that count, ascending.
    pub visits: Vec<VisitId>,
    /// The first day after the one in question on which it would fit, if nothing else changes; none when
    /// it fits, and when no day will as long as the rule stands.
    pub frees_on: Option<Date>,
}

impl Standing {
    /// How many more may count.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.maximum.saturating_sub(self.reserved + self.used)
    }

    /// Whether more count than may.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.reserved + self.used > self.maximum
    }

    /// Whether the visit in question would pass the maximum.
    #[must_use]
    pub fn would_exceed(&self) -> bool {
        self.weight > 0 && self.reserved + self.used + self.weight > self.maximum
    }
}

/// How an enterprise stands against a floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloorStanding {
    /// The rule.
    pub rule: RuleId,
    /// The document that sets it.
    pub source: Name,
    /// First day that counts.
    pub from: Date,
    /// Last day that counts.
    pub until: Date,
    /// The least visits.
    pub minimum: u32,
    /// Carried out visits that count.
    pub carried_out: u32,
}

impl FloorStanding {
    /// Whether a visit is due.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.carried_out < self.minimum
    }
}

/// What the rules say to a visit, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No rule stands in the way.
    Allowed,
    /// It is marked as one too many.
    Marked,
    /// It needs an explanation.
    NeedsExplanation,
    /// It needs an approval.
    NeedsApproval,
    /// It is refused.
    Refused,
}

impl Verdict {
    /// The word of a rule whose maximum would be passed.
    #[must_use]
    pub fn of(on_exceeding: OnExceeding) -> Self {
        match on_exceeding {
            OnExceeding::Warn => Self::Marked,
            OnExceeding::NeedsExplanation => Self::NeedsExplanation,
            OnExceeding::NeedsApproval => Self::NeedsApproval,
            OnExceeding::Refuse => Self::Refused,
        }
    }
}

/// All that was looked at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The strictest word of all rules.
    pub verdict: Verdict,
    /// Each rule that applies, in the policy's order, once for each thing it adds up for.
    pub standings: Vec<Standing>,
    /// Each floor that applies.
    pub floors: Vec<FloorStanding>,
}

impl Assessment {
    /// The standings that the visit would pass, whatever becomes of it then.
    pub fn exceeded(&self) -> impl Iterator<Item = &Standing> {
        self.standings.iter().filter(|standing| standing.would_exceed())
    }
}

/// Counts what the rules say to `asked` beside `entries`, which do not hold it.
#[must_use]
pub fn assess(
    policy: &FrequencyPolicy,
    enterprise: &Traits,
    entries: &[Entry],
    asked: &Entry,
) -> Assessment {
    let rules = policy.rules.iter();
    let rules = rules.filter(|rule| rule.applies(asked.on) && rule.enterprises.include(enterprise));
    let standings: Vec<Standing> = rules
        .flat_map(|rule| {
            let of_key = |key| Count { rule, key, entries }.standing(asked);
            keys(rule, asked).into_iter().map(of_key)
        })
        .collect();
    let exceeded = standings.iter().filter(|standing| standing.would_exceed());
    let words = exceeded.map(|standing| Verdict::of(standing.on_exceeding));
    let verdict = words.max().unwrap_or(Verdict::Allowed);
    let floors = policy.floors.iter();
    let floors = floors
        .filter(|floor| floor.applies(asked.on) && floor.enterprises.include(enterprise))
        .map(|floor| of_floor(floor, entries, asked.on))
        .collect();
    Assessment { verdict, standings, floors }
}

/// The standings that are exceeded with `happened`, which is carried out, beside `entries`.
#[must_use]
pub fn overshot(
    policy: &FrequencyPolicy,
    enterprise: &Traits,
    entries: &[Entry],
    happened: &Entry,
) -> Vec<Standing> {
    let found = assess(policy, enterprise, entries, happened).standings.into_iter();
    let found = found.filter(Standing::would_exceed).map(|mut standing| {
        standing.used += standing.weight;
        standing.visits.push(happened.visit);
        standing.visits.sort();
        standing
    });
    found.collect()
}

/// Whether the carried out visits to an enterprise are plainly too many with `happened` beside `entries`,
/// on whatever grounds: how many there were, from and until which day.
#[must_use]
pub fn excessive(
    policy: &FrequencyPolicy,
    enterprise: &Traits,
    entries: &[Entry],
    happened: &Entry,
) -> Option<(u32, Date, Date)> {
    let excess = policy.excess;
    let days: Vec<Date> = entries
        .iter()
        .filter(|entry| entry.held == Held::Used)
        .map(|entry| entry.on)
        .chain([happened.on])
        .collect();
    let between = |from: Date, until: Date| {
        let count = days.iter().filter(|on| (from..=until).contains(on)).count();
        (u32::try_from(count).unwrap_or(u32::MAX), from, until)
    };
    let year = Window::CalendarYear;
    let yearly = policy.rules.iter().filter(|rule| {
        rule.subject == Subject::AllUnits
            && rule.window == year
            && rule.maximum > 0
            && rule.is_about_all()
            && rule.on_exceeding != OnExceeding::Warn
            && rule.applies(happened.on)
            && rule.enterprises.include(enterprise)
    });
    let (from, until) = year.reach(happened.on);
    let in_year = between(from, until);
    let bound = yearly.map(|rule| rule.maximum.saturating_mul(excess.multiple)).min();
    if bound.is_some_and(|bound| in_year.0 >= bound) {
        return Some(in_year);
    }
    let others = i32::from(excess.days.saturating_sub(1)).days();
    let near = days.iter().map(|until| between(until.saturating_sub(others), *until));
    let around = |(_, from, until): &(u32, Date, Date)| (*from..=*until).contains(&happened.on);
    near.filter(around).filter(|(count, ..)| *count >= excess.visits).max()
}

fn of_floor(floor: &Floor, entries: &[Entry], on: Date) -> FloorStanding {
    let (from, until) = floor.around(on);
    let counts = |entry: &&Entry| {
        entry.held == Held::Used
            && (from..=until).contains(&entry.on)
            && (floor.grounds.is_empty() || floor.grounds.contains(&entry.ground))
    };
    FloorStanding {
        rule: floor.id.clone(),
        source: floor.source.clone(),
        from,
        until,
        minimum: floor.minimum,
        carried_out: u32::try_from(entries.iter().filter(counts).count()).unwrap_or(u32::MAX),
    }
}
