//! One rule counted for one thing: which window is fullest, who counts in it, and when it frees.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};

use super::{Counting, Entry, Held, Joint, Key, Party, Rule, Standing, Subject};
use crate::ids::{FieldId, ItemId};

/// For whom or what a rule adds up when `asked` is in question; nothing where it is about none of its
/// items.
pub(super) fn keys(rule: &Rule, asked: &Entry) -> BTreeSet<Key> {
    if !is_about(rule, asked) {
        return BTreeSet::new();
    }
    let covered = covered(rule, asked);
    let parties = asked.parties.iter();
    match rule.subject {
        Subject::SameUnit => parties.map(|party| Key::Unit(party.unit.clone())).collect(),
        Subject::SameLevel => parties.filter_map(|party| party.level.map(Key::Level)).collect(),
        Subject::AllUnits => [Key::All].into(),
        Subject::SameField => {
            covered.filter_map(|(_, field)| field.clone().map(Key::Field)).collect()
        }
        Subject::SameItem => covered.map(|(item, _)| Key::Item(item.clone())).collect(),
        Subject::SameOfficer => asked.officers.iter().cloned().map(Key::Officer).collect(),
    }
}

/// Whether a rule is about a visit for its items; one that names none is, whatever they are, also while
/// nobody has said which.
fn is_about(rule: &Rule, entry: &Entry) -> bool {
    (rule.items.is_empty() && rule.fields.is_empty()) || covered(rule, entry).next().is_some()
}

/// The items of a visit that a rule is about.
fn covered<'a>(
    rule: &'a Rule,
    entry: &'a Entry,
) -> impl Iterator<Item = (&'a ItemId, &'a Option<FieldId>)> {
    entry.items.iter().filter(|(item, field)| rule.covers(item, field.as_ref()))
}

/// What is counted: one rule for one key.
pub(super) struct Count<'a> {
    pub(super) rule: &'a Rule,
    pub(super) key: Key,
    pub(super) entries: &'a [Entry],
}

impl Count<'_> {
    pub(super) fn standing(&self, asked: &Entry) -> Standing {
        let (from, until) = self.fullest(asked.on);
        let rule = self.rule;
        let mut found = Standing {
            rule: rule.id.clone(),
            source: rule.source.clone(),
            key: self.key.clone(),
            from,
            until,
            maximum: rule.maximum,
            on_exceeding: rule.on_exceeding,
            reserved: 0,
            used: 0,
            exempt: 0,
            weight: self.counted(asked),
            visits: Vec::new(),
            frees_on: None,
        };
        for entry in self.within(from, until) {
            let weight = self.counted(entry);
            if weight == 0 {
                found.exempt += u32::from(rule.exempt_grounds.contains(&entry.ground));
                continue;
            }
            match entry.held {
                Held::Reserved => found.reserved += weight,
                Held::Used => found.used += weight,
            }
            found.visits.push(entry.visit);
        }
        found.visits.sort();
        if found.would_exceed() {
            found.frees_on = self.frees_on(asked.on, found.weight);
        }
        found
    }

    /// The entries of the key in a window, on days on which the rule applies: others never count, or
    /// a visit planned for such a day would pass unchecked and push the others over the limit.
    fn within(&self, from: Date, until: Date) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| {
            (from..=until).contains(&entry.on)
                && self.rule.applies(entry.on)
                && self.weight(entry) > 0
        })
    }

    /// As how many a visit counts for the key, whatever its ground.
    fn weight(&self, entry: &Entry) -> u32 {
        let of = |takes_part: &dyn Fn(&&Party) -> bool| {
            let count = entry.parties.iter().filter(takes_part).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        if !is_about(self.rule, entry) {
            return 0;
        }
        let covered = || covered(self.rule, entry);
        let parties = match &self.key {
            Key::Unit(unit) => of(&|party| party.unit == *unit),
            Key::Level(level) => of(&|party| party.level == Some(*level)),
            Key::All => of(&|_| true),
            Key::Field(field) if covered().any(|(_, of)| of.as_ref() == Some(field)) => {
                of(&|_| true)
            }
            Key::Item(item) if covered().any(|(of, _)| of == item) => of(&|_| true),
            Key::Officer(officer) if entry.officers.contains(officer) => 1,
            Key::Field(_) | Key::Item(_) | Key::Officer(_) => 0,
        };
        match self.rule.joint {
            Joint::Once => parties.min(1),
            Joint::OncePerUnit => parties,
        }
    }

    /// As how many a visit counts; 0 when the rule lets it pass.
    fn counted(&self, entry: &Entry) -> u32 {
        let found = self.rule.counting == Counting::WithoutFinding && entry.finding == Some(true);
        if found || !self.rule.counts(entry.ground) { 0 } else { self.weight(entry) }
    }

    /// The window around a day that is fullest, the earliest of them, cut to the rule's validity.
    fn fullest(&self, on: Date) -> (Date, Date) {
        let (first, last) = self.rule.window.reach(on);
        let (from, until) = match self.rule.window.days() {
            None => (first, last),
            Some(days) => {
                let others = (days - 1).days();
                // A fullest window can be moved until it begins with a visit, or with the day itself.
                let begins = self.within(first, on).map(|entry| entry.on).chain([first, on]);
                let windows = begins.map(|from| (from, from.saturating_add(others)));
                let count = |(from, until): &(Date, Date)| -> u32 {
                    self.within(*from, *until).map(|entry| self.counted(entry)).sum()
                };
                let fullest =
                    windows.max_by_key(|window| (count(window), std::cmp::Reverse(*window)));
                fullest.unwrap_or((first, on))
            }
        };
        let until = self.rule.valid_until.map_or(until, |last| until.min(last));
        (from.max(self.rule.valid_from), until)
    }

    /// The first day after `on` on which a visit of that weight fits.
    fn frees_on(&self, on: Date, weight: u32) -> Option<Date> {
        // Room is only gained where the rule stops applying, a period ends, or a visit leaves a window.
        let mut days: BTreeSet<Date> = self.stops_after(on).collect();
        match self.rule.window.days() {
            Some(length) => {
                days.extend(
                    self.entries.iter().map(|entry| entry.on.saturating_add(length.days())),
                );
            }
            None => {
                // No more periods can be full than there are visits to fill them.
                let next = |start: &Date| Some(self.next_period(*start));
                let starts = std::iter::successors(Some(self.next_period(on)), next);
                days.extend(starts.take(self.entries.len() + 1));
            }
        }
        let fits = |day: &Date| {
            let (from, until) = self.fullest(*day);
            let count: u32 = self.within(from, until).map(|entry| self.counted(entry)).sum();
            !self.rule.applies(*day) || count + weight <= self.rule.maximum
        };
        days.into_iter().filter(|day| *day > on).find(fits)
    }

    /// The first day of the next period.
    fn next_period(&self, on: Date) -> Date {
        self.rule.window.reach(on).1.saturating_add(1.day())
    }

    /// Where the rule stops applying after `on`, for good or until its days come round again.
    fn stops_after(&self, on: Date) -> impl Iterator<Item = Date> {
        let ends = self.rule.valid_until.map(|last| last.saturating_add(1.day()));
        let days = self.rule.days_of_month.and_then(|days| {
            let month = on.series(1.day()).skip(1).take(DAYS_OF_MONTH_MAX);
            month.into_iter().find(|day| !days.contain(*day))
        });
        ends.into_iter().chain(days)
    }
}

/// The days after which every day of a month has come round.
const DAYS_OF_MONTH_MAX: usize = 62;
