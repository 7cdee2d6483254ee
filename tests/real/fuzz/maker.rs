//! Requests made by what their fields are called: of what was asked and answered before, else of what a field of
//! that kind may hold. Then spoiled.

use std::collections::BTreeMap;

use doudi_domain::calendar::civil_date;
use fastrand::Rng;
use jiff::ToSpan;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

use crate::{fuzz::FOREIGN, real::requests::now};

/// How many values of one name, and messages of one type, are remembered.
const KEPT: usize = 16;
/// How deep a message is made.
const DEPTH: usize = 6;

/// What fields have held, by what they are called.
#[derive(Default)]
pub(super) struct Maker {
    values: BTreeMap<String, Vec<Value>>,
    messages: BTreeMap<String, Vec<DynamicMessage>>,
}

/// Under which name the values of fields are kept that may stand for each other.
fn kept_as(field: &str) -> &str {
    match field {
        "min_position" | "after_position" => "position",
        "next_page_token" => "page_token",
        "to_unit" | "from_unit" | "proposed_unit" | "units" | "co_units" | "lead" => "unit",
        "areas" => "area",
        "items" => "item",
        "topics" => "topic",
        "enterprise_ids" => "enterprise_id",
        "into_appeal_id" | "merged_into" => "appeal_id",
        "into_visit_id" | "about_visit_id" | "recheck_of" => "visit_id",
        other => other,
    }
}

/// Any of them.
fn any<T>(rng: &mut Rng, of: impl IntoIterator<Item = T>) -> Option<T> {
    rng.choice(of.into_iter().collect::<Vec<T>>())
}

/// Remembers one more, in the place of any once there are many.
fn keep<T: PartialEq>(rng: &mut Rng, kept: &mut Vec<T>, one: T) {
    if kept.contains(&one) {
        return;
    }
    if kept.len() < KEPT {
        kept.push(one);
    } else {
        let at = rng.usize(..KEPT);
        kept[at] = one;
    }
}

impl Maker {
    /// Remembers what a message says.
    pub(super) fn learn(&mut self, rng: &mut Rng, message: &DynamicMessage) {
        for (field, value) in message.fields() {
            if let Value::List(items) = value {
                items.iter().for_each(|item| self.note(rng, &field, item));
            } else {
                self.note(rng, &field, value);
            }
        }
        let kept = self.messages.entry(message.descriptor().full_name().to_owned()).or_default();
        keep(rng, kept, message.clone());
    }

    fn note(&mut self, rng: &mut Rng, field: &FieldDescriptor, value: &Value) {
        if let Value::Message(message) = value {
            return self.learn(rng, message);
        }
        keep(rng, self.values.entry(kept_as(field.name()).to_owned()).or_default(), value.clone());
    }

    /// Texts that fields of that name held.
    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let kept = self.values.get(field).into_iter().flatten();
        kept.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// A message of a type, or one like it that was sent or answered before.
    pub(super) fn request(&self, rng: &mut Rng, message: &MessageDescriptor) -> DynamicMessage {
        let known = self.messages.get(message.full_name());
        match known.and_then(|known| rng.choice(known)) {
            Some(known) if rng.bool() => {
                let mut again = known.clone();
                // Else it is the same command, which is answered as it was.
                let command_id = message.get_field_by_name("command_id");
                if let Some(field) = command_id.filter(|_| rng.u8(..10) > 0) {
                    again.set_field(&field, self.one(rng, &field, DEPTH));
                }
                again
            }
            Some(_) | None => self.made(rng, message, DEPTH),
        }
    }

    fn made(&self, rng: &mut Rng, message: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut made = DynamicMessage::new(message.clone());
        match message.full_name() {
            "doudi.v1.Date" => {
                let days = if rng.u8(..10) == 0 { rng.i32(-4000..4000) } else { rng.i32(-30..30) };
                return in_days(message, days);
            }
            "google.protobuf.Timestamp" => {
                let seconds = now().as_second() + rng.i64(-100_000..1000);
                made.set_field_by_name("seconds", Value::I64(seconds));
                return made;
            }
            _ => {}
        }
        for choice in message.oneofs().filter(|choice| !choice.is_synthetic()) {
            if let Some(field) = any(rng, choice.fields()) {
                made.set_field(&field, self.one(rng, &field, depth));
            }
        }
        let chosen = |field: &FieldDescriptor| {
            field.containing_oneof().is_some_and(|choice| !choice.is_synthetic())
        };
        for field in message.fields().filter(|field| !chosen(field)) {
            let percent = match field.name() {
                "expected_version" => 3,
                "as_of" | "min_position" | "page_token" => 20,
                "command_id" => 99,
                _ if field.is_list() || field.supports_presence() => 70,
                _ => 85,
            };
            if rng.u8(..100) < percent {
                made.set_field(&field, self.value(rng, &field, depth));
            }
        }
        made
    }

    /// Something for a field.
    fn value(&self, rng: &mut Rng, field: &FieldDescriptor, depth: usize) -> Value {
        if !field.is_list() {
            return self.one(rng, field, depth);
        }
        let count = if depth == 0 { 0 } else { rng.usize(1..4) };
        Value::List((0..count).map(|_| self.one(rng, field, depth)).collect())
    }

    /// Something for a field that holds one, or for one place in a list.
    fn one(&self, rng: &mut Rng, field: &FieldDescriptor, depth: usize) -> Value {
        let kind = field.kind();
        if let Kind::Message(message) = &kind {
            // In this order, most of the time.
            match (message.full_name(), field.name()) {
                ("doudi.v1.Date", "from") => {
                    return Value::Message(in_days(message, -rng.i32(0..30)));
                }
                ("doudi.v1.Date", "until") => {
                    return Value::Message(in_days(message, rng.i32(0..30)));
                }
                _ => {}
            }
            let known = self.messages.get(message.full_name());
            return match known.and_then(|known| rng.choice(known)) {
                Some(known) if rng.u8(..3) > 0 => Value::Message(known.clone()),
                _ if depth == 0 => Value::Message(DynamicMessage::new(message.clone())),
                _ => Value::Message(self.made(rng, message, depth - 1)),
            };
        }
        if let Kind::Enum(kinds) = &kind {
            return any_of(rng, kinds);
        }
        let kept = self.values.get(kept_as(field.name()));
        let is_new = field.name() == "command_id" || kept.is_none();
        if kind == Kind::String && field.name().ends_with("_id") && is_new {
            return Value::String(uuid::Uuid::from_u128(rng.u128(..)).to_string());
        }
        if field.name() == "year" && kind == Kind::Uint32 {
            return Value::U32(u32::try_from(civil_date(now()).year()).unwrap_or_default());
        }
        let fits = |value: &&Value| value.is_valid(&kind);
        match kept.and_then(|kept| any(rng, kept.iter().filter(fits))) {
            Some(kept) if rng.u8(..20) > 0 => kept.clone(),
            Some(_) | None => plain(rng, &kind),
        }
    }

    /// Puts something else in one place of it.
    pub(super) fn spoil(&self, rng: &mut Rng, message: &mut DynamicMessage) {
        let Some(field) = any(rng, message.descriptor().fields()) else { return };
        if message.has_field(&field) && rng.u8(..10) > 0 {
            let value = message.get_field_mut(&field);
            if let Value::Message(within) = value {
                return self.spoil(rng, within);
            }
            if let Value::List(items) = value
                && !items.is_empty()
            {
                return self.spoil_list(rng, &field, items);
            }
        }
        match rng.u8(..4) {
            0 => message.clear_field(&field),
            1 => message.set_field(&field, self.value(rng, &field, DEPTH)),
            _ if field.is_list() => {
                let items = (0..rng.usize(..3)).map(|_| self.wild(rng, &field)).collect();
                message.set_field(&field, Value::List(items));
            }
            _ => message.set_field(&field, self.wild(rng, &field)),
        }
    }

    fn spoil_list(&self, rng: &mut Rng, field: &FieldDescriptor, items: &mut Vec<Value>) {
        let at = rng.usize(..items.len());
        match rng.u8(..8) {
            0 => drop(items.remove(at)),
            1 => {
                let again = items[at].clone();
                items.extend(std::iter::repeat_n(again, rng.usize(1..300)));
            }
            _ => {
                if let Value::Message(within) = &mut items[at] {
                    self.spoil(rng, within);
                } else {
                    items[at] = self.wild(rng, field);
                }
            }
        }
    }

    /// What nobody would put there.
    fn wild(&self, rng: &mut Rng, field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::Message(message) if rng.bool() => Value::Message(DynamicMessage::new(message)),
            Kind::Message(_) => self.one(rng, field, DEPTH),
            Kind::Enum(_) => {
                Value::EnumNumber(rng.choice([-1, 0, 1, 99, i32::MIN, i32::MAX]).unwrap_or(0))
            }
            Kind::String if rng.bool() => {
                let texts = self.values.values().flatten();
                let texts = texts.filter(|value| matches!(value, Value::String(_)));
                any(rng, texts).cloned().unwrap_or_else(|| plain(rng, &Kind::String))
            }
            Kind::String => {
                let foreign = rng.choice(FOREIGN).unwrap_or_default();
                Value::String(match rng.u8(..10) {
                    0 => foreign.repeat(rng.usize(1..2000)),
                    1 => "长".repeat(rng.usize(1..5000)),
                    2 => "\u{202E}\u{200B}\u{FEFF}".to_owned(),
                    3 => "'; -- %_\\".to_owned(),
                    4 => "\u{10FFFF}\u{0}\n".to_owned(),
                    _ => foreign.to_owned(),
                })
            }
            Kind::Bytes => {
                let length = rng.usize(..300);
                Value::Bytes(std::iter::repeat_with(|| rng.u8(..)).take(length).collect())
            }
            Kind::Bool => Value::Bool(rng.bool()),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(
                rng.choice([i32::MIN, -1, 0, 13, 32, 9999, 10_000, i32::MAX]).unwrap_or(0),
            ),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(
                rng.choice([i64::MIN, -377_705_023_201, -1, 0, 253_402_300_799, i64::MAX])
                    .unwrap_or(0),
            ),
            Kind::Uint32 | Kind::Fixed32 => {
                Value::U32(rng.choice([0, 1, 65_536, u32::MAX / 2, u32::MAX]).unwrap_or(0))
            }
            Kind::Uint64 | Kind::Fixed64 => {
                Value::U64(rng.choice([0, 1 << 53, u64::MAX / 2, u64::MAX]).unwrap_or(0))
            }
            Kind::Float => Value::F32(rng.choice([f32::NAN, f32::MAX, -1.0]).unwrap_or(0.0)),
            Kind::Double => Value::F64(rng.choice([f64::NAN, f64::MAX, -1.0]).unwrap_or(0.0)),
        }
    }
}

/// The day so many days after today.
fn in_days(message: &MessageDescriptor, days: i32) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    let date = civil_date(now()).saturating_add(days.days());
    made.set_field_by_name("year", Value::I32(date.year().into()));
    made.set_field_by_name("month", Value::I32(date.month().into()));
    made.set_field_by_name("day", Value::I32(date.day().into()));
    made
}

/// One of the values that an enum has.
fn any_of(rng: &mut Rng, kinds: &EnumDescriptor) -> Value {
    let numbers: Vec<i32> = kinds.values().map(|value| value.number()).collect();
    let known = numbers.iter().copied().filter(|number| *number != 0);
    Value::EnumNumber(any(rng, known).unwrap_or(0))
}

/// What is right for most fields of a kind that no name tells more of.
fn plain(rng: &mut Rng, kind: &Kind) -> Value {
    match kind {
        Kind::Bool => Value::Bool(rng.bool()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(rng.i32(0..40)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(rng.i64(0..40)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(rng.u32(0..40)),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(rng.u64(0..40)),
        Kind::Float => Value::F32(rng.f32()),
        Kind::Double => Value::F64(rng.f64()),
        Kind::Bytes => Value::Bytes((0..32).map(|_| rng.u8(..)).collect()),
        Kind::String | Kind::Message(_) | Kind::Enum(_) => {
            Value::String(rng.choice(["", "材料齐全", "T06", "a-1"]).unwrap_or_default().to_owned())
        }
    }
}
