//! How the stream must be configured in which values wait, and where an existing one differs.

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use super::super::config::{Drift, beside_log, first_drift, text};

/// How much may wait in all, in bytes: the keys of some 150,000 appeals.
const BYTES_MAX: i64 = 64 * 1024 * 1024;

/// The subject of a name in hex, or of all of them.
pub(super) fn subject(stream: &str, name: &str) -> String {
    format!("spool.{stream}.{name}")
}

/// The configuration of a new stream.
pub(super) fn wanted(stream: &str, replicas: usize) -> Config {
    Config {
        name: stream.to_owned(),
        description: Some("doudi: keys that wait until PostgreSQL takes them over".to_owned()),
        subjects: vec![subject(stream, "*")],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        allow_direct: true,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        max_message_size: -1,
        max_bytes: BYTES_MAX,
        num_replicas: replicas,
        ..Config::default()
    }
}

fn is_set(is: bool) -> String {
    if is { "set" } else { "none" }.to_owned()
}

/// The first setting in which the stream differs from what keeps values until they are removed, there alone.
/// The size limit is the operator's to change.
pub(super) fn drift(found: &Config, stream: &str, replicas: usize) -> Option<Drift> {
    let own = [
        ("subjects", found.subjects.join(", "), subject(stream, "*")),
        ("max_msgs_per_subject", text(&found.max_messages_per_subject), "1".to_owned()),
        ("deny_delete", text(&found.deny_delete), "false".to_owned()),
        ("allow_msg_ttl", text(&found.allow_message_ttl), "false".to_owned()),
        ("republish", is_set(found.republish.is_some()), is_set(false)),
        ("mirror", is_set(found.mirror.is_some()), is_set(false)),
        ("subject_transform", is_set(found.subject_transform.is_some()), is_set(false)),
    ];
    first_drift(beside_log(found, replicas).into_iter().chain(own))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::{PersistenceMode, Republish, Source, SubjectTransform};

    use super::*;

    fn republished() -> Republish {
        let (source, destination) = (">".to_owned(), "elsewhere.>".to_owned());
        Republish { source, destination, headers_only: false }
    }

    fn transformed() -> SubjectTransform {
        SubjectTransform { source: "a".to_owned(), destination: "b".to_owned() }
    }

    #[test]
    fn each_setting_that_could_lose_values_or_keep_them_for_ever_is_noticed() {
        type Change = fn(&mut Config);
        let sound = wanted("DOUDI_KEYS", 1);
        assert_eq!(drift(&sound, "DOUDI_KEYS", 1), None);
        let larger = Config { max_bytes: 1 << 40, ..sound.clone() };
        assert_eq!(drift(&larger, "DOUDI_KEYS", 1), None);
        let cases: &[(&str, &str, Change)] = &[
            ("subjects", "spool.*", |config| config.subjects = vec!["spool.*".to_owned()]),
            ("storage", "memory", |config| config.storage = StorageType::Memory),
            ("retention", "workqueue", |config| config.retention = RetentionPolicy::WorkQueue),
            ("discard", "old", |config| config.discard = DiscardPolicy::Old),
            ("max_age", "60", |config| config.max_age = Duration::from_nanos(60)),
            ("max_msgs", "10", |config| config.max_messages = 10),
            ("max_msgs_per_subject", "2", |config| config.max_messages_per_subject = 2),
            ("max_msg_size", "100", |config| config.max_message_size = 100),
            ("allow_direct", "false", |config| config.allow_direct = false),
            ("deny_delete", "true", |config| config.deny_delete = true),
            ("sealed", "true", |config| config.sealed = true),
            ("no_ack", "true", |config| config.no_ack = true),
            ("allow_msg_ttl", "true", |config| config.allow_message_ttl = true),
            ("republish", "set", |config| config.republish = Some(republished())),
            ("mirror", "set", |config| config.mirror = Some(Source::default())),
            ("subject_transform", "set", |config| config.subject_transform = Some(transformed())),
            ("persist_mode", "async", |config| config.persist_mode = Some(PersistenceMode::Async)),
            ("num_replicas", "3", |config| config.num_replicas = 3),
        ];
        for (field, value, change) in cases {
            let mut config = sound.clone();
            change(&mut config);
            let found = drift(&config, "DOUDI_KEYS", 1).unwrap();
            assert_eq!((found.field, found.found.as_str()), (*field, *value));
        }
    }
}
