//! What an entry shows of its event: everything but the sealed fields, and of clocks and terms only
//! what a reader asks for. Nothing personal leaves the log this way, not even encrypted, so that
//! erasing a key is enough.

use doudi_domain::{
    DiagnosisId,
    clock::ClockKind,
    codec::{self, Storable},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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
pub(super) fn of<E: Storable>(event: &E) -> (String, String) {
    // Every event can be encoded; the codec's tests hold that.
    let Ok(encoded) = codec::encode(event) else {
        return (String::new(), "{}".to_owned());
    };
    let data = encoded.data.get();
    // Most events of visits and profiles have no such field, and need not be taken apart.
    let treated = TREATED.iter().any(|name| data.contains(name));
    let shown = if treated { parted(data) } else { data.to_owned() };
    (encoded.name.to_owned(), shown)
}

fn parted(data: &str) -> String {
    let mut fields = serde_json::from_str(data).unwrap_or_default();
    if let Value::Object(fields) = &mut fields {
        shorten(fields);
    }
    drop_sealed(&mut fields);
    fields.to_string()
}

/// The details of an event of a joint diagnosis, with its name.
pub(super) fn of_diagnosis(id: DiagnosisId, details: &str) -> String {
    changed(details, |fields| {
        fields.insert("diagnosis".to_owned(), json!(id));
    })
}

/// The details without a field.
pub(super) fn without(details: &str, field: &str) -> String {
    changed(details, |fields| {
        fields.remove(field);
    })
}

fn changed(details: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    match serde_json::from_str(details) {
        Ok(Value::Object(mut fields)) => {
            change(&mut fields);
            Value::Object(fields).to_string()
        }
        Ok(_) | Err(_) => details.to_owned(),
    }
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
