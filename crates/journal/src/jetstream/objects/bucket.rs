//! How the bucket must be configured, and where an existing one differs.

use async_nats::jetstream::{
    object_store,
    stream::{Config, StorageType},
};

use super::super::config::{Drift, beside_log, first_drift, text};

/// The configuration of a new bucket.
pub(super) fn wanted(bucket: &str, replicas: usize, bytes_max: u64) -> object_store::Config {
    object_store::Config {
        bucket: bucket.to_owned(),
        description: Some("doudi: files that the event log names".to_owned()),
        max_bytes: i64::try_from(bytes_max).unwrap_or(i64::MAX),
        storage: StorageType::File,
        num_replicas: replicas,
        ..object_store::Config::default()
    }
}

/// The first setting in which the bucket's stream differs from what keeps objects whole. The size
/// limit is the operator's to change.
pub(super) fn drift(found: &Config, replicas: usize) -> Option<Drift> {
    let per_subject = found.max_messages_per_subject.max(0);
    let own = [
        ("max_msgs_per_subject", text(&per_subject), "0".to_owned()),
        ("allow_rollup_hdrs", text(&found.allow_rollup), "true".to_owned()),
        ("deny_purge", text(&found.deny_purge), "false".to_owned()),
    ];
    first_drift(beside_log(found, replicas).into_iter().chain(own))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::{DiscardPolicy, PersistenceMode};

    use super::*;

    #[test]
    fn each_setting_that_could_lose_objects_is_noticed() {
        type Change = fn(&mut Config);
        let sound = Config {
            discard: DiscardPolicy::New,
            max_messages_per_subject: -1,
            max_bytes: 1 << 30,
            allow_direct: true,
            allow_rollup: true,
            num_replicas: 1,
            ..Config::default()
        };
        assert_eq!(drift(&sound, 1), None);
        let cases: &[(&str, &str, Change)] = &[
            ("storage", "memory", |config| config.storage = StorageType::Memory),
            ("discard", "old", |config| config.discard = DiscardPolicy::Old),
            ("max_age", "60", |config| config.max_age = Duration::from_nanos(60)),
            ("max_msgs", "10", |config| config.max_messages = 10),
            ("max_msgs_per_subject", "1", |config| config.max_messages_per_subject = 1),
            ("max_msg_size", "1024", |config| config.max_message_size = 1024),
            ("allow_direct", "false", |config| config.allow_direct = false),
            ("allow_rollup_hdrs", "false", |config| config.allow_rollup = false),
            ("deny_purge", "true", |config| config.deny_purge = true),
            ("sealed", "true", |config| config.sealed = true),
            ("no_ack", "true", |config| config.no_ack = true),
            ("persist_mode", "async", |config| config.persist_mode = Some(PersistenceMode::Async)),
            ("num_replicas", "3", |config| config.num_replicas = 3),
        ];
        for (field, value, change) in cases {
            let mut config = sound.clone();
            change(&mut config);
            let found = drift(&config, 1).unwrap();
            assert_eq!((found.field, found.found.as_str()), (*field, *value));
        }
    }
}
