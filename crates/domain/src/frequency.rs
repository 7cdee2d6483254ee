//! Inspection-frequency limits (检查频次上限) as data, and the one function that counts visits against them.
//!
//! The decision, the planning screen and the quota query all call [`standings`], so they cannot differ.

use std::collections::BTreeSet;

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use serde::{Deserialize, Serialize};

use crate::ids::{Name, RuleId, UnitId, VisitId};

/// Why an inspection takes place (检查事由).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Routine inspection (日常检查).
    Routine,
    /// Random draw of enterprise and officers (双随机).
    Random,
    /// Special campaign (专项检查).
    Special,
    /// A complaint or report (投诉举报).
    Complaint,
    /// Assigned by a superior or handed over by another body (转办交办).
    Assigned,
    /// A lead from monitoring data (数据监测).
    MonitoringLead,
    /// The enterprise asked for it (企业申请).
    EnterpriseRequest,
    /// Recheck after rectification (整改复核).
    RectificationRecheck,
    /// On-site verification for a licence (许可核查).
    LicenceVerification,
    /// A media report (媒体曝光).
    Media,
    /// Danger that does not wait (紧急).
    Urgent,
    /// A campaign deployed from above (上级部署).
    DeployedCampaign,
}

/// Whose visits a rule adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Those of one and the same unit.
    SameUnit,
    /// Those of all units together.
    AllUnits,
}

/// The span of time within which a rule adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// 1 January to 31 December.
    CalendarYear,
}

impl Window {
    /// First and last day of the window that contains `on`.
    #[must_use]
    pub fn around(self, on: Date) -> (Date, Date) {
        match self {
            Self::CalendarYear => (date(on.year(), 1, 1), date(on.year(), 12, 31)),
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Names the rule inside its policy.
    pub id: RuleId,
    /// Whose visits add up.
    pub subject: Subject,
    /// The span of time.
    pub window: Window,
    /// The most visits that count in one window, at least 1.
    pub maximum: u32,
    /// Grounds whose visits do not count and pass the limit.
    pub exempt_grounds: BTreeSet<Ground>,
    /// The document that sets the limit, as cited to the enterprise.
    pub source: Name,
    /// True where no local figure is published and the number is a default that waits for confirmation.
    pub is_default: bool,
    /// First day on which the rule applies.
    pub valid_from: Date,
    /// Last day on which it applies; none is open-ended.
    pub valid_until: Option<Date>,
}

impl Rule {
    /// Whether the rule applies on `on`.
    #[must_use]
    pub fn applies(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_until.is_none_or(|last| on <= last)
    }
}

/// Frequency policy (检查频次规则): every rule applies on its own; the strictest decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyPolicy {
    /// The rules, each id once.
    pub rules: Vec<Rule>,
}

impl FrequencyPolicy {
    /// Whether some rule applicable on `on` exempts `ground`.
    #[must_use]
    pub fn exempts(&self, ground: Ground, on: Date) -> bool {
        self.rules.iter().any(|rule| rule.applies(on) && rule.exempt_grounds.contains(&ground))
    }
}

/// How a visit holds its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Planned and not yet begun.
    Reserved,
    /// The officers have come.
    Used,
}

/// What a rule needs to know of one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The visit.
    pub visit: VisitId,
    /// The inspecting unit.
    pub unit: UnitId,
    /// Why.
    pub ground: Ground,
    /// The planned day, or the day of check-in once there is one.
    pub on: Date,
    /// Whether it is still a reservation.
    pub held: Held,
}

/// How one enterprise stands against one rule in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The rule.
    pub rule: RuleId,
    /// The document that sets it.
    pub source: Name,
    /// The unit whose visits were added up; none where all units are.
    pub unit: Option<UnitId>,
    /// First day of the window on which the rule applies.
    pub from: Date,
    /// Last day of the window on which the rule applies; a place frees the day after, unless a visit
    /// is cancelled before.
    pub until: Date,
    /// The most visits that may count.
    pub maximum: u32,
    /// Reservations that count.
    pub reserved: u32,
    /// Carried out visits that count.
    pub used: u32,
    /// Visits on exempt grounds: recorded, not counted.
    pub exempt: u32,
    /// The visits that count, in the order given.
    pub visits: Vec<VisitId>,
}

impl Standing {
    /// Places left; 0 also when what happened overshot the limit.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.maximum.saturating_sub(self.reserved + self.used)
    }

    /// Whether what counts is more than the limit.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.reserved + self.used > self.maximum
    }

    /// The first day on which a place is free again without a cancellation.
    #[must_use]
    pub fn frees_on(&self) -> Date {
        self.until.saturating_add(1.day())
    }
}

/// How an enterprise with the visits `entries` stands against each rule of `policy` that applies on
/// `on`, as `unit` sees it.
#[must_use]
pub fn standings(
    policy: &FrequencyPolicy,
    entries: &[Entry],
    unit: &UnitId,
    on: Date,
) -> Vec<Standing> {
    policy
        .rules
        .iter()
        .filter(|rule| rule.applies(on))
        .map(|rule| standing(rule, entries, unit, on))
        .collect()
}

fn standing(rule: &Rule, entries: &[Entry], unit: &UnitId, on: Date) -> Standing {
    let (from, until) = rule.window.around(on);
    // Visits on days on which the rule does not apply never count: otherwise a visit planned for
    // such a day would pass unchecked and push the others over the limit.
    let from = from.max(rule.valid_from);
    let until = rule.valid_until.map_or(until, |last| until.min(last));
    let unit = match rule.subject {
        Subject::SameUnit => Some(unit.clone()),
        Subject::AllUnits => None,
    };
    let mut found = Standing {
        rule: rule.id.clone(),
        source: rule.source.clone(),
        unit,
        from,
        until,
        maximum: rule.maximum,
        reserved: 0,
        used: 0,
        exempt: 0,
        visits: Vec::new(),
    };
    for entry in entries {
        let same_unit = found.unit.as_ref().is_none_or(|unit| *unit == entry.unit);
        if !same_unit || entry.on < from || entry.on > until {
            continue;
        }
        if rule.exempt_grounds.contains(&entry.ground) {
            found.exempt += 1;
            continue;
        }
        match entry.held {
            Held::Reserved => found.reserved += 1,
            Held::Used => found.used += 1,
        }
        found.visits.push(entry.visit);
    }
    found
}

/// The rules that a further visit of `unit` on `ground` would break on `on`.
#[must_use]
pub fn exhausted(
    policy: &FrequencyPolicy,
    entries: &[Entry],
    unit: &UnitId,
    ground: Ground,
    on: Date,
) -> Vec<Standing> {
    let counting = |standing: &Standing| {
        policy
            .rules
            .iter()
            .any(|rule| rule.id == standing.rule && !rule.exempt_grounds.contains(&ground))
    };
    let mut found = standings(policy, entries, unit, on);
    found.retain(|standing| counting(standing) && standing.remaining() == 0);
    found
}

#[cfg(test)]
mod tests;
