//! What an entry shows of its event: everything but the sealed fields, and of clocks and terms only
//! what a reader asks for. Nothing personal leaves the log this way, not even encrypted, so that
//! erasing a key is enough.

use doudi_domain::{
    DiagnosisId,
    clock::ClockKind,
    codec::{self, Storable},
};
use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

/// The fields that are left out or shortened, and one that every sealed field has, as JSON writes their names.
const TREATED: [&str; 7] = [
    "\"clocks\"",
    "\"terms\"",
    "\"clock\"",
    "\"tell\"",
    "\"stopped\"",
    "\"next\"",
    "\"ciphertext\"",
];

/// The type name of an event and its fields as JSON, sealed ones left out.
pub(super) fn of<E: Storable>(event: &E) -> (&'static str, Box<RawValue>) {
    // Every event can be encoded; the codec's tests hold that.
    let Ok(encoded) = codec::encode(event) else {
        return ("", written(&json!({})));
    };
    // Most events of visits and profiles have no such field, and need not be taken apart.
    let treated = TREATED.iter().any(|name| encoded.data.get().contains(name));
    let shown = if treated { parted(encoded.data.get()) } else { encoded.data };
    (encoded.name, shown)
}

/// As JSON; every value can be written so.
fn written(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}

fn parted(data: &str) -> Box<RawValue> {
    let mut fields = serde_json::from_str(data).unwrap_or_default();
    if let Value::Object(fields) = &mut fields {
        shorten(fields);
    }
    drop_sealed(&mut fields);
    written(&fields)
}

/// The details of an event of a joint diagnosis, with its name.
pub(super) fn of_diagnosis(id: DiagnosisId, details: Box<RawValue>) -> Box<RawValue> {
    changed(details, |fields| {
        fields.insert("diagnosis".to_owned(), json!(id));
    })
}

/// The details without a field.
pub(super) fn without(details: Box<RawValue>, field: &str) -> Box<RawValue> {
    changed(details, |fields| {
        fields.remove(field);
    })
}

fn changed(details: Box<RawValue>, change: impl FnOnce(&mut Map<String, Value>)) -> Box<RawValue> {
    let Ok(mut fields) = serde_json::from_str(details.get()) else {
        return details;
    };
    change(&mut fields);
    written(&fields)
}

/// Of clocks, what is owed now, by whom and until when; of terms, which they are.
fn shorten(fields: &mut Map<String, Value>) {
    if let Some(clocks) = fields.remove("clocks") {
        let set = clocks.get("set").unwrap_or(&clocks).as_array();
        let owed: Vec<Value> = set.into_iter().flatten().map(owed).collect();
        if !owed.is_empty() {
            fields.insert("clocks".to_owned(), Value::Array(owed));
        }
    }
    if let Some(terms) = fields.get_mut("terms") {
        *terms = json!({
            "version": terms.get("version"),
            "case_type": terms.get("case_type").and_then(|case_type| case_type.get("id")),
        });
    }
    for name in ["clock", "tell"] {
        // Also the name of a clock alone, which is short.
        if let Some(clock) = fields.get_mut(name).filter(|clock| clock.is_object()) {
            *clock = owed(clock);
        }
    }
    // Names of clocks that a joint diagnosis stops, and of the instant of a clock's next step.
    fields.remove("stopped");
    fields.remove("next");
}

fn owed(clock: &Value) -> Value {
    let field = |name| clock.get(name);
    json!({ "kind": field("kind"), "owner": field("owner"), "due": field("due") })
}

/// The details of an appeal's event as the enterprise itself is shown them; none where that is all.
pub(super) fn for_enterprise(details: &str) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(details).ok()?;
    let clocks = fields.get_mut("clocks")?.as_array_mut()?;
    let owed = clocks.len();
    clocks.retain(|clock| !kind(clock).is_some_and(ClockKind::is_among_units));
    if clocks.len() == owed {
        return None;
    }
    if clocks.is_empty() {
        fields.remove("clocks");
    }
    Some(Value::Object(fields).to_string())
}

fn kind(clock: &Value) -> Option<ClockKind> {
    ClockKind::deserialize(clock.get("kind")?).ok()
}

/// Drops every sealed object below `value`, wherever an event carries one.
fn drop_sealed(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !is_sealed(field));
            fields.values_mut().for_each(drop_sealed);
        }
        Value::Array(items) => {
            items.retain(|item| !is_sealed(item));
            items.iter_mut().for_each(drop_sealed);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_sealed(value: &Value) -> bool {
    value.get("ciphertext").is_some() && value.get("nonce").is_some()
}

#[cfg(test)]
mod tests;
