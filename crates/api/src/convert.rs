//! From requests to typed commands and back. Every malformed field of a request is found, not only
//! the first, and each is refused with its path and in both languages.

use std::collections::BTreeSet;

use doudi_domain::{AppealId, AreaCode, CheckDigit, EnterpriseId, Invalid, UnitId, VisitId};
use doudi_engine::{Position, Version};
use doudi_views::timeline::Reached;
use jiff::{Timestamp, ToSpan, civil::Date};
use uuid::Uuid;

use crate::{
    error::{Failure, Reason, Refusal, Violation, Words},
    proto::{self as pb, as_of::Moment},
    text,
};
use seal::Seals;

pub(crate) mod alerts;
pub(crate) mod alike;
pub(crate) mod appeal;
pub(crate) mod board;
pub(crate) mod campaign;
pub(crate) mod case;
pub(crate) mod city;
pub(crate) mod clock;
pub(crate) mod common;
pub(crate) mod derived;
pub(crate) mod device;
pub(crate) mod diagnosis;
pub(crate) mod draw;
pub(crate) mod enterprise;
pub(crate) mod handling;
pub(crate) mod inspection;
pub(crate) mod policy;
pub(crate) mod policy_reply;
pub(crate) mod rating;
pub(crate) mod reached;
pub(crate) mod seal;
pub(crate) mod supervision;
pub(crate) mod timeline;
pub(crate) mod token;
pub(crate) mod visit_list;
pub(crate) mod webhook;
pub(crate) mod what_if;

/// The longest range of days that must end, in calendar years.
const YEARS_MAX: i64 = 5;

/// A command with what every command brings along.
#[derive(Debug)]
pub(crate) struct Order<C> {
    /// Chosen by the client, the same on every retry.
    pub(crate) command_id: Uuid,
    /// If given, the command is refused unless the stream is at this version.
    pub(crate) expected_version: Option<Version>,
    /// Whose stream it goes to.
    pub(crate) enterprise: EnterpriseId,
    /// The command, or what it is made from.
    pub(crate) command: C,
}

impl<C> Order<C> {
    /// The same order for what is made of its command.
    pub(crate) fn map<T>(self, make: impl FnOnce(C) -> T) -> Order<T> {
        let Self { command_id, expected_version, enterprise, command } = self;
        Order { command_id, expected_version, enterprise, command: make(command) }
    }
}

/// What an answer must reflect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reflect {
    /// The log up to there at least.
    pub(crate) at_least: Position,
    /// As when it is asked for; none for now.
    pub(crate) as_of: Option<AsOf>,
}

/// As when something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// As the log stood there.
    Position(Position),
    /// As it was known then.
    Recorded(Timestamp),
    /// As the world was then, by all that is known now.
    Occurred(Timestamp),
}

impl From<Position> for Reflect {
    fn from(at_least: Position) -> Self {
        Self { at_least, as_of: None }
    }
}

/// Collects what is wrong with the fields of one request. Each reader answers with the value, or
/// with none after noting why there is none.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    violations: Vec<Violation>,
}

impl Fields {
    /// The request's value, unless something was wrong with a field.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Failure> {
        match (Refusal::of_fields(self.violations), value) {
            (Some(refusal), _) => Err(refusal.into()),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Failure::fault("a request's field was lost without a reason")),
        }
    }

    /// The order, unless something was wrong with a field.
    pub(crate) fn order<C>(
        self,
        command_id: Option<Uuid>,
        enterprise: Option<EnterpriseId>,
        expected_version: Option<u64>,
        command: Option<C>,
    ) -> Result<Order<C>, Failure> {
        let expected_version = common::version(expected_version);
        let order = || {
            let (command_id, enterprise, command) = (command_id?, enterprise?, command?);
            Some(Order { command_id, expected_version, enterprise, command })
        };
        self.finish(order())
    }

    pub(crate) fn note(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    pub(crate) fn refuse<T>(&mut self, path: &str, reason: Reason) -> Option<T> {
        self.note(Violation::new(path, reason));
        None
    }

    pub(crate) fn parse<T>(
        &mut self,
        path: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        parse(text).map_err(|invalid| self.note(Violation::invalid(path, &invalid))).ok()
    }

    /// An optional text: empty is `Some(None)`, malformed is `None`.
    pub(crate) fn optional<T>(
        &mut self,
        path: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        if text.is_empty() { Some(None) } else { self.parse(path, text, parse).map(Some) }
    }

    pub(crate) fn command_id(&mut self, text: &str) -> Option<Uuid> {
        self.parse("command_id", text, |text| match text {
            "" => Err(Invalid::Empty),
            // The nil UUID stands for "none" in many a client, and then for every command of it.
            text => match Uuid::try_parse(text) {
                Ok(id) if !id.is_nil() => Ok(id),
                Ok(_) | Err(_) => Err(Invalid::Uuid),
            },
        })
    }

    pub(crate) fn enterprise(&mut self, text: &str) -> Option<EnterpriseId> {
        self.parse("enterprise_id", text, given(EnterpriseId::parse))
    }

    /// An enterprise whose check digit is looked at; a wrong one is refused only when `strict`.
    pub(crate) fn new_enterprise(
        &mut self,
        text: &str,
        strict: bool,
    ) -> Option<(EnterpriseId, CheckDigit)> {
        let id = self.enterprise(text)?;
        let digit = id.uscc().map_or(CheckDigit::None, |uscc| uscc.check_digit());
        match digit {
            CheckDigit::Wrong { expected } if strict => {
                let invalid = Invalid::CheckDigit { expected };
                self.note(Violation::invalid("enterprise_id", &invalid));
                None
            }
            CheckDigit::Wrong { .. } | CheckDigit::Correct | CheckDigit::None => Some((id, digit)),
        }
    }

    pub(crate) fn visit(&mut self, text: &str) -> Option<VisitId> {
        self.parse("visit_id", text, given(VisitId::parse))
    }

    pub(crate) fn appeal(&mut self, text: &str) -> Option<AppealId> {
        self.parse("appeal_id", text, given(AppealId::parse))
    }

    pub(crate) fn area(&mut self, path: &str, text: &str) -> Option<AreaCode> {
        self.parse(path, text, AreaCode::parse)
    }

    pub(crate) fn unit(&mut self, path: &str, text: &str) -> Option<UnitId> {
        self.parse(path, text, UnitId::parse)
    }

    /// Free text of 1 to `max` characters: anything that can be shown, and line breaks.
    pub(crate) fn prose(&mut self, path: &str, text: &str, max: usize) -> Option<String> {
        self.parse(path, text, |text| {
            let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if !text::shows(text) {
                Err(Invalid::Empty)
            } else if text.chars().count() > max {
                Err(Invalid::TooLong { max })
            } else if text.chars().any(hidden) {
                Err(Invalid::Character { allowed: "printable characters and line breaks" })
            } else {
                Ok(text.to_owned())
            }
        })
    }

    /// How somebody is reached: a short text, in which lines may break.
    pub(crate) fn contact(&mut self, text: &str, max: usize) -> Option<String> {
        let contact = self.prose("contact", text, max)?;
        self.parse("contact", text, text::plain).map(|()| contact)
    }

    /// An enum: zero and values that are not known are refused.
    pub(crate) fn choice<P: TryFrom<i32>, T>(
        &mut self,
        path: &str,
        value: i32,
        convert: impl FnOnce(P) -> Option<T>,
    ) -> Option<T> {
        match P::try_from(value).ok().map(convert) {
            Some(Some(converted)) => Some(converted),
            Some(None) => self.refuse(path, Reason::EnumUnspecified),
            None => {
                self.note(Violation::new(path, Reason::EnumUnknown).with("value", value));
                None
            }
        }
    }

    /// An enum as a filter: zero is any.
    pub(crate) fn filter<P: TryFrom<i32>, T>(
        &mut self,
        path: &str,
        value: i32,
        convert: impl FnOnce(P) -> Option<T>,
    ) -> Option<Option<T>> {
        if value == 0 { Some(None) } else { self.choice(path, value, convert).map(Some) }
    }

    pub(crate) fn date(&mut self, path: &str, date: Option<&pb::Date>) -> Option<Date> {
        let Some(given) = date else {
            return self.refuse(path, Reason::FieldRequired);
        };
        let read = common::date(*given);
        if read.is_none() {
            self.note(Violation::new(path, Reason::DateInvalid));
        }
        read
    }

    pub(crate) fn optional_date(
        &mut self,
        path: &str,
        date: Option<&pb::Date>,
    ) -> Option<Option<Date>> {
        date.map_or(Some(None), |date| self.date(path, Some(date)).map(Some))
    }

    /// The days from one to another, which must both be given, at most [`YEARS_MAX`] years apart.
    /// `path` is what stands before their names.
    pub(crate) fn days(
        &mut self,
        path: &str,
        from: Option<&pb::Date>,
        until: Option<&pb::Date>,
    ) -> Option<(Date, Date)> {
        let last = format!("{path}until");
        let from = self.date(&format!("{path}from"), from);
        let until = self.date(&last, until);
        let (from, until) = from.zip(until)?;
        let before = Words::pair("from", "起始日期");
        if until < from {
            self.note(Violation::new(&last, Reason::RangeReversed).word("field_before", before));
            return None;
        }
        if until > from.saturating_add(YEARS_MAX.years()) {
            let violation =
                Violation::new(&last, Reason::RangeTooLong).with("years_max", YEARS_MAX);
            self.note(violation.word("field_before", before));
            return None;
        }
        Some((from, until))
    }

    /// Says of two days that are both given that the second must not lie before the first.
    pub(crate) fn in_order(&mut self, path: &str, from: Option<Date>, until: Option<Date>) {
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            let violation = Violation::new(path, Reason::RangeReversed);
            self.note(violation.word("field_before", Words::pair("from", "起始日期")));
        }
    }

    pub(crate) fn timestamp(
        &mut self,
        path: &str,
        timestamp: Option<&prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let Some(given) = timestamp else {
            return self.refuse(path, Reason::FieldRequired);
        };
        let read = common::timestamp(given);
        if read.is_none() {
            self.note(Violation::new(path, Reason::TimestampInvalid));
        }
        read
    }

    /// Whether a list has `min` to `max` entries.
    pub(crate) fn size(&mut self, path: &str, found: usize, min: usize, max: usize) -> Option<()> {
        if (min..=max).contains(&found) {
            return Some(());
        }
        let violation = Violation::new(path, Reason::ListSize).with("found", found);
        self.note(violation.with("min", min).with("max", max));
        None
    }

    /// Every entry of a list; all are read, so that all are judged. A list of a wrong size is not
    /// looked into, so that a huge one costs nothing.
    pub(crate) fn each<I, T>(
        &mut self,
        path: &str,
        items: &[I],
        (min, max): (usize, usize),
        mut read: impl FnMut(&mut Self, &str, &I) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.size(path, items.len(), min, max)?;
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| read(self, &format!("{path}[{index}]"), item))
            .collect();
        read.into_iter().collect()
    }

    /// Every entry of a list whose entries must differ.
    pub(crate) fn set<T: Ord, S: FromIterator<T>>(
        &mut self,
        path: &str,
        texts: &[String],
        bounds: (usize, usize),
        parse: fn(&str) -> Result<T, Invalid>,
    ) -> Option<S> {
        let mut found = BTreeSet::new();
        let all = self.each(path, texts, bounds, |fields, path, text| {
            let value = fields.parse(path, text, parse)?;
            if found.insert(value) { Some(()) } else { fields.refuse(path, Reason::ListDuplicate) }
        });
        all.map(|_| found.into_iter().collect())
    }

    /// A number of `min` to `max`.
    pub(crate) fn number(&mut self, path: &str, value: u32, min: u32, max: u32) -> Option<u32> {
        if (min..=max).contains(&value) {
            return Some(value);
        }
        self.note(Violation::new(path, Reason::NumberRange).with("min", min).with("max", max));
        None
    }

    /// The size of a page: `default` for 0, at most `max`.
    pub(crate) fn page_size(&mut self, value: u32, default: u32, max: u32) -> Option<usize> {
        self.length("page_size", value, (default, max))
    }

    /// How much is asked for: `default` for 0, at most `max`.
    pub(crate) fn length(
        &mut self,
        path: &str,
        value: u32,
        (default, max): (u32, u32),
    ) -> Option<usize> {
        let length = if value == 0 { default } else { self.number(path, value, 1, max)? };
        usize::try_from(length).ok()
    }

    /// How far somebody has got who follows live.
    pub(crate) fn reached(&mut self, path: &str, text: &str, seals: &Seals) -> Option<Reached> {
        match reached::parse(text, seals) {
            Some(reached) => Some(reached),
            None => self.refuse(path, Reason::PositionInvalid),
        }
    }

    pub(crate) fn position(&mut self, path: &str, text: &str) -> Option<Position> {
        match reached::place(text) {
            Some(place) => Some(place.position),
            None => self.refuse(path, Reason::PositionInvalid),
        }
    }

    /// What an answer must reflect, and as when it is asked for.
    pub(crate) fn reflecting(&mut self, text: &str, as_of: Option<&pb::AsOf>) -> Option<Reflect> {
        let at_least = self.min_position(text);
        let as_of = match as_of.and_then(|given| given.moment.as_ref()) {
            None => Some(None),
            Some(Moment::Position(text)) => {
                let position = self.position("as_of.position", text);
                position.map(|position| Some(AsOf::Position(position)))
            }
            Some(Moment::RecordedAt(at)) => {
                self.timestamp("as_of.recorded_at", Some(at)).map(|at| Some(AsOf::Recorded(at)))
            }
            Some(Moment::OccurredAt(at)) => {
                self.timestamp("as_of.occurred_at", Some(at)).map(|at| Some(AsOf::Occurred(at)))
            }
        };
        Some(Reflect { at_least: at_least?, as_of: as_of? })
    }

    /// The position that an answer must reflect.
    pub(crate) fn min_position(&mut self, text: &str) -> Option<Position> {
        self.position("min_position", text)
    }
}

/// As when something is asked, as far as that can be read.
pub(crate) fn as_of(given: Option<&pb::AsOf>) -> Option<AsOf> {
    Fields::default().reflecting("", given)?.as_of
}

/// Says of an empty text that it must be given, rather than that it is malformed.
fn given<T>(parse: fn(&str) -> Result<T, Invalid>) -> impl FnOnce(&str) -> Result<T, Invalid> {
    move |text| if text.is_empty() { Err(Invalid::Empty) } else { parse(text) }
}

#[cfg(test)]
mod tests;
