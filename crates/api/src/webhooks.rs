//! What webhooks and the API have in common: the secrets and their signatures, an event as it is posted, what
//! a webhook selects, and which addresses are posted to without encryption.

use std::{fmt, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use doudi_domain::{
    WebhookId,
    webhook::{Endpoint, Kind, Place, Subscription},
};
use doudi_engine::Position;
use doudi_views::{
    Areas, Scope,
    timeline::{self, Entry, Point, Selection},
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::convert::{common, timeline::of_event};

/// The secrets of all webhooks, each derived from a key, the webhook and the generation.
#[derive(Clone)]
pub struct WebhookSecrets {
    /// The first one makes what is shown; each of them signs.
    keys: Vec<[u8; 32]>,
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecrets")
    }
}

impl WebhookSecrets {
    /// Secrets under these keys, the same on every instance. A secret is shown under the first one, and what
    /// is posted is signed under each, so that a change of the master key takes no receiver its secret away.
    #[must_use]
    pub fn new(keys: Vec<[u8; 32]>) -> Self {
        Self { keys }
    }

    /// A webhook's secret of one generation under each key, that under the first key first.
    pub fn of(
        &self,
        webhook: WebhookId,
        generation: u32,
    ) -> impl Iterator<Item = WebhookSecret> + '_ {
        let named = format!("{webhook}/{generation}");
        self.keys.iter().map(move |key| WebhookSecret(authenticate(key, &[named.as_bytes()])))
    }
}

/// One secret of one webhook.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    /// The secret as the receiver is told it: `whsec_` and its bytes in base64.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("whsec_{}", BASE64_STANDARD.encode(&self.0))
    }

    /// The signature of a message by the Standard Webhooks convention: `v1,` and the HMAC-SHA256 over its id, its
    /// instant in seconds since 1970 and its body in base64.
    #[must_use]
    pub fn sign(&self, id: &str, second: i64, body: &[u8]) -> String {
        let second = second.to_string();
        let parts = [id.as_bytes(), b".", second.as_bytes(), b".", body];
        format!("v1,{}", BASE64_STANDARD.encode(authenticate(&self.0, &parts)))
    }
}

/// The HMAC-SHA256 of some bytes.
fn authenticate(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // Keys of any length are taken, so there always is one.
    let mac = Hmac::<Sha256>::new_from_slice(key).ok().map(|mut mac| {
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    });
    mac.unwrap_or_default()
}

/// An event as it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its id, the same whenever it is posted.
    pub id: String,
    /// The CloudEvent in the JSON format of CloudEvents 1.0.
    pub body: Vec<u8>,
}

/// The attributes of a CloudEvent in the JSON format; what is empty is left out.
#[derive(Serialize)]
struct Attributes<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    time: Option<Timestamp>,
    datacontenttype: &'a str,
    partitionkey: &'a str,
    recordedtime: Option<Timestamp>,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    area: &'a str,
    data: &'a RawValue,
}

/// The event that the feed sends of an entry, as JSON.
///
/// # Errors
/// When what the entry says is no JSON.
pub fn posted(entry: &Entry) -> Result<Posted, serde_json::Error> {
    let event = of_event(entry);
    let data: &RawValue = serde_json::from_str(&event.data)?;
    let body = serde_json::to_vec(&Attributes {
        specversion: &event.specversion,
        id: &event.id,
        source: &event.source,
        r#type: &event.r#type,
        subject: &event.subject,
        time: event.time.as_ref().and_then(common::timestamp),
        datacontenttype: &event.datacontenttype,
        partitionkey: &event.partitionkey,
        recordedtime: event.recordedtime.as_ref().and_then(common::timestamp),
        unit: &event.unit,
        area: &event.area,
        data,
    })?;
    Ok(Posted { id: event.id, body })
}

/// What a webhook selects: what a supervisor of its areas, or of all of them, would get of the feed.
#[must_use]
pub fn selection(subscription: &Subscription) -> Selection {
    let areas: Vec<_> = subscription.areas.iter().cloned().collect();
    let scope = Scope::Within {
        enterprise: None,
        units: vec![],
        areas: if areas.is_empty() { Areas::All } else { Areas::Some(areas.clone()) },
        desk: false,
    };
    let kind = |kind: &Kind| match kind {
        Kind::Profile => timeline::Kind::Profile,
        Kind::Visit => timeline::Kind::Visit,
        Kind::Appeal => timeline::Kind::Appeal,
    };
    Selection {
        areas,
        kinds: subscription.kinds.iter().map(kind).collect(),
        ..Selection::all(scope)
    }
}

/// The point of a timeline that a webhook calls so.
#[must_use]
pub fn point(place: Place) -> Point {
    Point { position: Position(place.position), ordinal: place.ordinal }
}

/// The place that a webhook knows a point of a timeline by.
#[must_use]
pub fn place(point: Point) -> Place {
    Place { position: point.position.0, ordinal: point.ordinal }
}

/// Whether an address may be posted to: encrypted always, else only where `allow_http` is set and the host is
/// an address of loopback or of a private network.
#[must_use]
pub fn is_permitted(endpoint: &Endpoint, allow_http: bool) -> bool {
    if !endpoint.is_plain() {
        return true;
    }
    let is_near = match endpoint.host().parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => endpoint.host() == "localhost",
    };
    allow_http && is_near
}

#[cfg(test)]
mod tests {
    use doudi_domain::{AreaCode, EnterpriseId, UnitId};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    /// The example that the libraries of Standard Webhooks are tested with.
    #[test]
    fn a_signature_is_the_one_of_the_convention() {
        let secret =
            WebhookSecret(BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        assert_eq!(secret.shown(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_webhook_and_generation_has_a_secret_of_its_own_under_each_key() {
        let (one, two) = (WebhookId(Uuid::from_u128(1)), WebhookId(Uuid::from_u128(2)));
        let secrets = WebhookSecrets::new(vec![[1; 32], [2; 32]]);
        let shown = |of: WebhookId, generation| -> Vec<String> {
            secrets.of(of, generation).map(|secret| secret.shown()).collect()
        };
        let mut all = [shown(one, 1), shown(one, 2), shown(two, 1)].concat();
        assert_eq!(all[..2], shown(one, 1));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
        // After a change of the master key the old secret still signs.
        let changed = WebhookSecrets::new(vec![[3; 32], [1; 32], [2; 32]]);
        assert!(changed.of(one, 1).any(|secret| secret.shown() == shown(one, 1)[0]));
        assert_eq!(
            format!("{secrets:?} {:?}", secrets.of(one, 1).next()),
            "WebhookSecrets Some(WebhookSecret)"
        );
    }

    #[test]
    fn an_event_is_posted_as_cloud_events_have_it_and_what_is_empty_is_left_out() {
        let mut entry = Entry {
            position: Position(7),
            ordinal: 1,
            enterprise: EnterpriseId::parse("L-1").unwrap(),
            kind: timeline::Kind::Visit,
            event_type: "VisitPlanned".to_owned(),
            subject: Some(Uuid::from_u128(3)),
            unit: UnitId::parse("tax").ok(),
            area: AreaCode::parse("210212").ok(),
            occurred_at: "2025-03-03T01:00:00.5Z".parse().unwrap(),
            recorded_at: "2025-03-03T01:00:01Z".parse().unwrap(),
            details_json: r#"{"a": [1.50]}"#.to_owned(),
        };
        let sent = posted(&entry).unwrap();
        let read: Value = serde_json::from_slice(&sent.body).unwrap();
        let expected = json!({
            "specversion": "1.0",
            "id": sent.id,
            "source": "/doudi/enterprises/L-1",
            "type": "doudi.visit.VisitPlanned",
            "subject": "00000000-0000-0000-0000-000000000003",
            "time": "2025-03-03T01:00:00.5Z",
            "datacontenttype": "application/json",
            "partitionkey": "L-1",
            "recordedtime": "2025-03-03T01:00:01Z",
            "unit": "tax",
            "area": "210212",
            "data": {"a": [1.5]},
        });
        assert_eq!(read, expected);
        // A number stays as it was written.
        assert!(String::from_utf8(sent.body).unwrap().contains(r#""data":{"a": [1.50]}"#));
        (entry.subject, entry.unit, entry.area) = (None, None, None);
        let read: Value = serde_json::from_slice(&posted(&entry).unwrap().body).unwrap();
        for left_out in ["subject", "unit", "area"] {
            assert_eq!(read.get(left_out), None);
        }
        entry.details_json = "{".to_owned();
        posted(&entry).unwrap_err();
    }

    #[test]
    fn only_near_addresses_are_posted_to_in_the_clear_and_only_where_it_is_allowed() {
        let permitted =
            |text: &str, allow_http| is_permitted(&Endpoint::parse(text).unwrap(), allow_http);
        for near in [
            "http://127.0.0.1:80/",
            "http://10.1.2.3/hook",
            "http://192.168.0.9/",
            "http://[::1]:8080/",
            "http://[fd00::1]/",
            "http://localhost/",
        ] {
            assert!(permitted(near, true) && !permitted(near, false), "{near}");
        }
        for far in [
            "http://partner.example/",
            "http://8.8.8.8/",
            "http://[2001:db8::1]/",
            "http://localhost.example/",
        ] {
            assert!(!permitted(far, true), "{far}");
        }
        assert!(permitted("https://partner.example/", false));
    }
}
