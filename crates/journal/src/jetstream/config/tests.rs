//! Every setting that would let the log lose or change records is noticed, and only those.

use async_nats::jetstream::stream::{Republish, Source, SubjectTransform};

use super::*;

fn settings() -> JetStreamSettings {
    JetStreamSettings::new("nats://127.0.0.1:4222")
}

#[test]
fn what_is_made_does_not_drift() {
    let limited = JetStreamSettings { max_bytes: 1 << 30, replicas: 3, ..settings() };
    for settings in [settings(), limited] {
        assert_eq!(drifts(&wanted(&settings), &settings), []);
    }
}

#[test]
fn the_operator_may_change_the_size_limit_and_the_description() {
    let changed = Config { max_bytes: 1, description: None, ..wanted(&settings()) };
    assert_eq!(drifts(&changed, &settings()), []);
}

#[test]
fn each_dangerous_setting_is_one_drift() {
    type Change = fn(&mut Config);
    let cases: &[(&str, &str, Change)] = &[
        ("subjects", "ev.>", |config| config.subjects = vec!["ev.>".into()]),
        ("storage", "memory", |config| config.storage = StorageType::Memory),
        ("retention", "workqueue", |config| config.retention = RetentionPolicy::WorkQueue),
        ("discard", "old", |config| config.discard = DiscardPolicy::Old),
        ("deny_delete", "false", |config| config.deny_delete = false),
        ("deny_purge", "false", |config| config.deny_purge = false),
        ("allow_direct", "false", |config| config.allow_direct = false),
        ("max_age", "60s", |config| config.max_age = Duration::from_secs(60)),
        ("max_msgs", "10", |config| config.max_messages = 10),
        ("max_msgs_per_subject", "1", |config| config.max_messages_per_subject = 1),
        ("max_msg_size", "1024", |config| config.max_message_size = 1024),
        ("num_replicas", "3", |config| config.num_replicas = 3),
        ("persist_mode", "async", |config| config.persist_mode = Some(PersistenceMode::Async)),
        ("sealed", "true", |config| config.sealed = true),
        ("no_ack", "true", |config| config.no_ack = true),
        ("allow_rollup_hdrs", "true", |config| config.allow_rollup = true),
        ("allow_msg_ttl", "true", |config| config.allow_message_ttl = true),
        ("mirror", "set", |config| config.mirror = Some(Source::default())),
        ("sources", "set", |config| config.sources = Some(vec![Source::default()])),
        ("republish", "set", |config| {
            config.republish = Some(Republish {
                source: ">".into(),
                destination: "copy.>".into(),
                headers_only: false,
            });
        }),
        ("subject_transform", "set", |config| {
            config.subject_transform =
                Some(SubjectTransform { source: ">".into(), destination: "x.>".into() });
        }),
    ];
    for (field, found, change) in cases {
        let mut config = wanted(&settings());
        change(&mut config);
        let drifts = drifts(&config, &settings());
        assert_eq!(drifts.len(), 1, "{field}: {drifts:?}");
        assert_eq!((drifts[0].field, drifts[0].found.as_str()), (*field, *found));
    }
}
