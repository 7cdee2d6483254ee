//! Events of older versions in their newest shape. The first knew one unit to a visit, limits by unit or
//! by all units that only refused, no catalogue and no code; the second knew of other units that they
//! take part, and not what they bring.

use serde_json::{Value, json};

/// Lifts the data of a version-1 event; none when that version is still the newest or unreadable.
pub(crate) fn from_v1(name: &str, mut data: Value) -> Option<Value> {
    match name {
        "VisitPlanned" => {
            let unit = data.get("plan")?.get("unit")?.clone();
            for standing in data.get_mut("standings")?.as_array_mut()? {
                lift(standing)?;
            }
            let fields = data.as_object_mut()?;
            fields.insert("catalogue_version".to_owned(), Value::Null);
            fields.insert("parties".to_owned(), json!([{ "unit": unit, "level": null }]));
            fields.insert("fields".to_owned(), json!({}));
        }
        "CapExceeded" => lift(data.get_mut("standing")?)?,
        "VisitCheckedIn" => scanned(data.get_mut("check_in")?)?,
        _ => return None,
    }
    Some(data)
}

/// Lifts the data of a version-2 event; none when that version is still the newest or unreadable. That
/// the other units take part stands in `parties` too, which count; nothing else was ever asked of them.
pub(crate) fn from_v2(name: &str, mut data: Value) -> Option<Value> {
    if name != "VisitPlanned" {
        return None;
    }
    data.get_mut("plan")?.as_object_mut()?.remove("co_units")?;
    Some(data)
}

/// Nothing was scanned then, and whoever was late only said so.
fn scanned(check_in: &mut Value) -> Option<()> {
    let fields = check_in.as_object_mut()?;
    let offline = fields.remove("offline")?.as_bool()?;
    fields.insert("manner".to_owned(), json!(if offline { "stated" } else { "live" }));
    fields.insert("proof".to_owned(), json!("nothing"));
    fields.insert("place".to_owned(), Value::Null);
    Some(())
}

/// The unit whose visits were added up becomes the key; when it frees was the day after the window.
fn lift(standing: &mut Value) -> Option<()> {
    let fields = standing.as_object_mut()?;
    let unit = fields.remove("unit")?;
    let key = if unit.is_null() { json!("all") } else { json!({ "unit": unit }) };
    fields.insert("key".to_owned(), key);
    fields.insert("on_exceeding".to_owned(), json!("refuse"));
    fields.insert("weight".to_owned(), json!(1));
    fields.insert("frees_on".to_owned(), Value::Null);
    Some(())
}
