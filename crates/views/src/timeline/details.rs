//! What an entry shows of its event: everything but the sealed fields. Nothing personal leaves the
//! log this way, not even encrypted, so that erasing a key is enough.

use serde::Serialize;
use serde_json::Value;

/// The type name of an event and its fields as JSON, sealed ones left out.
pub(super) fn of<E: Serialize>(event: &E) -> (String, String) {
    match serde_json::to_value(event) {
        Ok(Value::Object(mut tagged)) => {
            let name = tagged.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut fields = tagged.remove("data").unwrap_or_default();
            drop_sealed(&mut fields);
            (name, fields.to_string())
        }
        // Every event serialises as an object with a type and data; the codec's tests hold that.
        Ok(_) | Err(_) => (String::new(), "{}".to_owned()),
    }
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
mod tests {
    use doudi_domain::{
        AreaCode, Sealed, TopicId,
        appeal::{Channel, Event, Outcome, Submission},
    };

    use super::*;

    fn sealed() -> Sealed {
        Sealed {
            subject: "appeal:1".to_owned(),
            algorithm: "aes-256-gcm".to_owned(),
            nonce: "bm9uY2U".to_owned(),
            ciphertext: "c2VjcmV0".to_owned(),
        }
    }

    #[test]
    fn sealed_fields_are_left_out_at_any_depth() {
        let submission = Submission {
            channel: Channel::Web,
            topic: TopicId::parse("T06").unwrap(),
            area: AreaCode::parse("210212").unwrap(),
            description: sealed(),
            contact: Some(sealed()),
            about_visit: None,
        };
        let (name, json) = of(&Event::AppealSubmitted { submission, due: None });
        assert_eq!(name, "AppealSubmitted");
        assert!(!json.contains("c2VjcmV0") && !json.contains("description"), "{json}");
        assert!(json.contains("T06") && json.contains("210212"), "{json}");
        let (_, json) = of(&Event::AppealResolved { outcome: Outcome::Solved, reply: sealed() });
        assert_eq!(json, r#"{"outcome":"solved"}"#);
        let mut list = serde_json::json!([{ "a": [sealed(), 1] }, sealed()]);
        drop_sealed(&mut list);
        assert_eq!(list, serde_json::json!([{ "a": [1] }]));
    }

    #[test]
    fn an_event_without_fields_shows_an_empty_object() {
        let (name, json) = of(&Event::AppealClosed {});
        assert_eq!((name.as_str(), json.as_str()), ("AppealClosed", "{}"));
    }
}
