//! What the events say, counted by hand, day by day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date};

use super::{FIELDS, LEVELS, day_in_shanghai};
use crate::{
    RuleId, VisitId,
    enterprise::{CreditGrade, RiskClass},
    frequency::{Counting, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject, Window},
    kit::tag,
    visits::{CheckIn, Event, Outcome, Plan, Share},
};

/// One count that may not pass a limit: a rule and for whom or what it adds up.
pub(super) type Count = (RuleId, String);

/// What one unit brings: its items and its officers.
type Brought = (BTreeSet<String>, BTreeSet<String>);

/// A place: the plan, what each unit brings, the officers who came, the day it counts on, whether they
/// came and which units found something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    plan: Plan,
    units: BTreeMap<String, Brought>,
    there: BTreeSet<String>,
    pub(super) on: Date,
    pub(super) came: bool,
    found: BTreeMap<String, bool>,
}

fn brought(share: &Share) -> Brought {
    let officers = share.officers.iter().map(ToString::to_string).collect();
    (share.items.iter().map(ToString::to_string).collect(), officers)
}

impl Place {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut units: BTreeMap<String, Brought> =
            plan.shares.iter().map(|(unit, share)| (unit.to_string(), brought(share))).collect();
        let own = Share { officers: plan.officers.clone(), items: plan.items.clone() };
        units.insert(plan.unit.to_string(), brought(&own));
        Self {
            plan: plan.clone(),
            units,
            there: BTreeSet::new(),
            on: plan.on,
            came: false,
            found: BTreeMap::new(),
        }
    }

    fn officers(&self) -> BTreeSet<String> {
        if self.came {
            return self.there.clone();
        }
        self.units.values().flat_map(|(_, officers)| officers.clone()).collect()
    }

    /// Whether every unit has reported and one of them found something.
    fn has_found(&self) -> bool {
        self.units.keys().all(|unit| self.found.contains_key(unit))
            && self.found.values().any(|found| *found)
    }

    /// The place that comes of it when the unit of another one joins.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut joint = self.clone();
        let unit = other.plan.unit.to_string();
        joint.units.insert(unit.clone(), other.units[&unit].clone());
        joint
    }
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// The day of the decision.
    pub(super) today: Date,
    /// What every visit was last planned to be, also those that hold no place.
    known: BTreeMap<VisitId, Place>,
    pub(super) places: BTreeMap<VisitId, Place>,
    raised: BTreeSet<(Count, VisitId)>,
}

/// Whether two days lie in one window that the calendar gives.
pub(super) fn together(window: Window, one: Date, two: Date) -> bool {
    match window {
        Window::CalendarYear => one.year() == two.year(),
        Window::CalendarMonth => (one.year(), one.month()) == (two.year(), two.month()),
        Window::IsoWeek => {
            let week = |day: Date| (day.iso_week_date().year(), day.iso_week_date().week());
            week(one) == week(two)
        }
        Window::Day => one == two,
        Window::Rolling(_) => unreachable!("counted by each first day"),
    }
}

/// The enterprise of these laws: graded A, of the class B, and known by one tag.
fn about_enterprise(rule: &Rule) -> bool {
    let who = &rule.enterprises;
    (who.grades.is_empty() || who.grades.contains(&CreditGrade::A))
        && (who.risk_classes.is_empty() || who.risk_classes.contains(&RiskClass::B))
        && (who.tags.is_empty() || who.tags.contains(&tag("port")))
}

pub(super) fn applies(rule: &Rule, on: Date) -> bool {
    let of_month = rule.days_of_month.is_none_or(|of| of.from <= on.day() && on.day() <= of.until);
    of_month && on >= rule.valid_from && rule.valid_until.is_none_or(|last| on <= last)
}

fn counted_ground(rule: &Rule, ground: Ground) -> bool {
    let named = rule.grounds.is_empty() || rule.grounds.contains(&ground);
    named && !rule.exempt_grounds.contains(&ground)
}

/// As how many a visit counts under a rule, for each thing that it adds up for, whatever the day.
fn weights(rule: &Rule, place: &Place) -> BTreeMap<String, u32> {
    let plan = &place.plan;
    let clean = rule.counting == Counting::All || !place.has_found();
    let items: BTreeSet<&String> = place.units.values().flat_map(|(items, _)| items).collect();
    let matters = items.into_iter().filter_map(|item| {
        let field = FIELDS.iter().find(|(id, _)| id == item).map(|(_, field)| *field)?;
        let by_item =
            rule.items.is_empty() || rule.items.iter().any(|known| known.as_str() == item);
        let by_field =
            rule.fields.is_empty() || rule.fields.iter().any(|known| known.as_str() == field);
        (by_item && by_field).then(|| (item.clone(), field.to_owned()))
    });
    let matters: BTreeSet<(String, String)> = matters.collect();
    if !clean || matters.is_empty() || !counted_ground(rule, plan.ground) {
        return BTreeMap::new();
    }
    let once = |count: usize| match rule.joint {
        Joint::Once => 1,
        Joint::OncePerUnit => u32::try_from(count).unwrap(),
    };
    let each = once(place.units.len());
    let of_each = |keys: Vec<String>| keys.into_iter().map(|key| (key, each)).collect();
    let of_one = |keys: Vec<String>| keys.into_iter().map(|key| (key, 1)).collect();
    match rule.subject {
        Subject::SameUnit => of_one(place.units.keys().cloned().collect()),
        Subject::SameLevel => {
            let level = |unit: &String| LEVELS.iter().find(|(of, _)| of == unit).unwrap().1;
            let levels: Vec<String> =
                place.units.keys().map(|unit| format!("{:?}", level(unit))).collect();
            let many = |level: &String| levels.iter().filter(|other| *other == level).count();
            levels.iter().map(|level| (level.clone(), once(many(level)))).collect()
        }
        Subject::AllUnits => of_each(vec![String::new()]),
        Subject::SameField => of_each(matters.into_iter().map(|(_, field)| field).collect()),
        Subject::SameItem => of_each(matters.into_iter().map(|(item, _)| item).collect()),
        Subject::SameOfficer => of_one(place.officers().into_iter().collect()),
    }
}

impl Oracle {
    pub(super) fn see(&mut self, event: &Event) {
        match event {
            Event::VisitPlanned { plan, .. } => {
                assert!(!self.known.contains_key(&plan.visit), "a visit is planned once");
                self.take(plan.visit, Place::of(plan));
            }
            Event::VisitsMerged { visit, into, .. } => {
                let given_up = self.places.remove(visit).unwrap();
                let joint = self.places[into].joined(&given_up);
                self.take(*into, joint);
            }
            Event::UnitWithdrew { visit, unit, .. } => {
                let mut place = self.places[visit].clone();
                assert!(place.units.remove(unit.as_str()).is_some(), "it took part");
                self.take(*visit, place);
            }
            Event::VisitCheckedIn { visit, check_in, .. } => {
                let plan = &self.known[visit].plan.clone();
                let place = self.came(*visit, check_in, plan);
                self.take(*visit, place);
            }
            Event::ResultReported { visit, unit, results, .. } => {
                let found = results.iter().any(|result| result.outcome != Outcome::Pass);
                let place = self.places.get_mut(visit).unwrap();
                let unit = unit.as_ref().unwrap().to_string();
                assert_eq!(place.found.insert(unit, found), None, "a unit reports once");
            }
            Event::VisitCancelled { visit, .. }
            | Event::VisitRefused { visit, .. }
            | Event::VisitExpired { visit } => {
                assert!(self.places.remove(visit).is_some(), "a place is freed once");
            }
            Event::CapExceeded { visit, standing } => {
                assert!(standing.visits.contains(visit), "only what counts overshoots");
                let (rule, key) = (standing.rule.clone(), spelled(&standing.key));
                self.raised.insert(((rule, key), *visit));
            }
            Event::RepeatVisits { visit, standing } => {
                assert!(standing.visits.contains(visit), "only what counts is told");
                assert_eq!(standing.on_exceeding, OnExceeding::Warn);
            }
            Event::VisitsExcessive { visit, count, from, until } => {
                let came = self.places.values().filter(|place| place.came);
                let there = came.filter(|place| *from <= place.on && place.on <= *until).count();
                assert_eq!(usize::try_from(*count).unwrap(), there, "so many came then");
                let on = self.places[visit].on;
                assert!(*from <= on && on <= *until, "this one among them");
            }
            Event::VisitApproved { .. }
            | Event::VisitNotified { .. }
            | Event::ApprovalOwed { .. }
            | Event::ScanSetAside { .. }
            | Event::VisitCheckedOut { .. }
            | Event::EnterpriseTold { .. }
            | Event::RectificationReported { .. }
            | Event::RectificationAccepted { .. }
            | Event::RectificationOverdue { .. }
            | Event::ClockStepsTaken { .. }
            | Event::VisitClosed { .. }
            | Event::VisitsHeld { .. }
            | Event::HoldLifted { .. }
            | Event::OffSiteCheckRecorded { .. } => {}
        }
    }

    /// The place of a visit once its officers have come; of one that nobody knows as planned there.
    pub(super) fn came(&self, visit: VisitId, check_in: &CheckIn, plan: &Plan) -> Place {
        let on = day_in_shanghai(check_in.occurred_at);
        let known = self.known.get(&visit).cloned();
        let mut place = known.unwrap_or_else(|| Place::of(plan));
        assert!(!place.came, "officers come once");
        // A claim can move a visit to a later day, never to an earlier one, and never beyond today.
        let on = if on < place.on { place.on } else { on };
        place.on = if on > self.today { self.today } else { on };
        place.came = true;
        place.there = check_in.officers.iter().map(ToString::to_string).collect();
        place
    }

    fn take(&mut self, visit: VisitId, place: Place) {
        self.known.insert(visit, place.clone());
        self.places.insert(visit, place);
    }

    /// How many count at the most in a window with a visit on `on`, `except` some.
    fn fullest(&self, rule: &Rule, key: &str, on: Date, except: [Option<VisitId>; 2]) -> u32 {
        let on_days = |within: &dyn Fn(Date) -> bool| -> u32 {
            let others = self.places.iter().filter(|(id, _)| !except.contains(&Some(**id)));
            let there = others.filter(|(_, place)| within(place.on) && applies(rule, place.on));
            there.map(|(_, place)| weights(rule, place).get(key).copied().unwrap_or(0)).sum()
        };
        match rule.window {
            Window::Rolling(days) => {
                let firsts = (0..i32::from(days)).map(|back| on.saturating_sub(back.days()));
                let count = |first: Date| {
                    let last = first.saturating_add((i32::from(days) - 1).days());
                    on_days(&|day| first <= day && day <= last)
                };
                firsts.map(count).max().unwrap()
            }
            window @ (Window::CalendarYear
            | Window::CalendarMonth
            | Window::IsoWeek
            | Window::Day) => on_days(&|day| together(window, day, on)),
        }
    }

    /// Every count that `place` would push over its limit beside the others, but for visits that are
    /// given up for it, and what happens then.
    pub(super) fn pushed_over(
        &self,
        policy: &FrequencyPolicy,
        place: &Place,
        given_up: Option<VisitId>,
    ) -> Vec<(Count, OnExceeding)> {
        let rules = policy.rules.iter();
        let rules = rules.filter(|rule| applies(rule, place.on) && about_enterprise(rule));
        let over = rules.flat_map(|rule| {
            let full = move |(key, weight): (String, u32)| {
                let except = [Some(place.plan.visit), given_up];
                let others = self.fullest(rule, &key, place.on, except);
                let over = others + weight > rule.maximum;
                over.then(|| ((rule.id.clone(), key), rule.on_exceeding))
            };
            weights(rule, place).into_iter().filter_map(full)
        });
        over.collect()
    }

    /// The limits that refuse, are overshot, and of which nobody was told.
    pub(super) fn untold(&self, policy: &FrequencyPolicy) -> Vec<(Count, VisitId)> {
        let refuse = |rule: &&Rule| rule.on_exceeding == OnExceeding::Refuse;
        let rules = policy.rules.iter().filter(refuse).filter(|rule| about_enterprise(rule));
        let mut untold = vec![];
        for rule in rules {
            for (visit, place) in self.places.iter().filter(|(_, place)| applies(rule, place.on)) {
                for key in weights(rule, place).into_keys() {
                    let count = (rule.id.clone(), key);
                    let over = self.fullest(rule, &count.1, place.on, [None, None]) > rule.maximum;
                    let told = self.raised.iter().any(|(raised, _)| *raised == count);
                    if over && !told {
                        untold.push((count, *visit));
                    }
                }
            }
        }
        untold
    }
}

/// The key as this oracle spells it.
pub(super) fn spelled(key: &crate::frequency::Key) -> String {
    use crate::frequency::Key;
    match key {
        Key::Unit(unit) => unit.to_string(),
        Key::Level(level) => format!("{level:?}"),
        Key::All => String::new(),
        Key::Field(field) => field.to_string(),
        Key::Item(item) => item.to_string(),
        Key::Officer(officer) => officer.to_string(),
    }
}
