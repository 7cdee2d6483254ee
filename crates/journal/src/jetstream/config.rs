//! How the log's stream must be configured, and where an existing one differs.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType,
};

use super::JetStreamSettings;
use crate::{COMMIT_BYTES_MAX, stream_name::SUBJECTS};

/// Where a batched direct get is sent, followed by the stream's name.
pub(super) const DIRECT_GET: &str = "$JS.API.DIRECT.GET";

/// The largest message: a whole commit and its headers, in bytes.
const MESSAGE_BYTES_MAX: usize = COMMIT_BYTES_MAX + 1024;

/// The server insists on a window for its own detection of duplicates. Nothing relies on it, so
/// it is kept as short as the server allows.
const DUPLICATE_WINDOW: Duration = Duration::from_millis(100);

/// A setting of the stream that differs from what the log needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) field: &'static str,
    pub(super) found: String,
    pub(super) wanted: String,
}

/// The configuration of a new stream.
pub(super) fn wanted(settings: &JetStreamSettings) -> Config {
    Config {
        name: settings.stream.clone(),
        description: Some("doudi: the event log; not to be edited or purged".to_owned()),
        subjects: SUBJECTS.map(str::to_owned).to_vec(),
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_bytes: match settings.max_bytes {
            0 => -1,
            bytes => i64::try_from(bytes).unwrap_or(i64::MAX),
        },
        max_message_size: i32::try_from(MESSAGE_BYTES_MAX).unwrap_or(i32::MAX),
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: settings.replicas,
        ..Config::default()
    }
}

/// Every setting in which the stream differs from what keeps the log whole. The size limit is
/// the operator's to change and is not compared.
pub(super) fn drifts(found: &Config, settings: &JetStreamSettings) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut want = |holds: bool, field: &'static str, found: String, wanted: &str| {
        if !holds {
            drifts.push(Drift { field, found, wanted: wanted.to_owned() });
        }
    };
    let mut subjects = found.subjects.clone();
    subjects.sort();
    want(subjects == SUBJECTS, "subjects", subjects.join(", "), &SUBJECTS.join(", "));
    want(found.storage == StorageType::File, "storage", text(&found.storage), "file");
    let retention = found.retention;
    want(retention == RetentionPolicy::Limits, "retention", text(&retention), "limits");
    want(found.discard == DiscardPolicy::New, "discard", text(&found.discard), "new");
    want(found.deny_delete, "deny_delete", text(&found.deny_delete), "true");
    want(found.deny_purge, "deny_purge", text(&found.deny_purge), "true");
    want(found.allow_direct, "allow_direct", text(&found.allow_direct), "true");
    want(found.max_age.is_zero(), "max_age", format!("{:?}", found.max_age), "none");
    want(found.max_messages <= 0, "max_msgs", text(&found.max_messages), "none");
    let per_subject = found.max_messages_per_subject;
    want(per_subject <= 0, "max_msgs_per_subject", text(&per_subject), "none");
    let size = found.max_message_size;
    let size_fits = size <= 0 || usize::try_from(size).is_ok_and(|size| size >= MESSAGE_BYTES_MAX);
    want(size_fits, "max_msg_size", text(&size), &format!("{MESSAGE_BYTES_MAX} or more"));
    let replicas = settings.replicas;
    want(
        found.num_replicas == replicas,
        "num_replicas",
        text(&found.num_replicas),
        &text(&replicas),
    );
    let synchronous = found.persist_mode.unwrap_or_default() == PersistenceMode::Default;
    want(synchronous, "persist_mode", "async".to_owned(), "default");
    for (unwanted, field) in [
        (found.sealed, "sealed"),
        (found.no_ack, "no_ack"),
        (found.allow_rollup, "allow_rollup_hdrs"),
        (found.allow_message_ttl, "allow_msg_ttl"),
        (found.allow_message_counter, "allow_msg_counter"),
        (found.allow_message_schedules, "allow_msg_schedules"),
    ] {
        want(!unwanted, field, "true".to_owned(), "false");
    }
    for (unwanted, field) in [
        (found.mirror.is_some(), "mirror"),
        (found.sources.as_ref().is_some_and(|sources| !sources.is_empty()), "sources"),
        (found.republish.is_some(), "republish"),
        (found.subject_transform.is_some(), "subject_transform"),
        (found.subject_delete_marker_ttl.is_some(), "subject_delete_marker_ttl"),
    ] {
        want(!unwanted, field, "set".to_owned(), "none");
    }
    drifts
}

/// A setting: as NATS calls it, its value, and the value that it must have.
pub(super) type Setting = (&'static str, String, String);

/// What any stream beside the log must be like to lose nothing.
pub(super) fn beside_log(found: &Config, replicas: usize) -> Vec<Setting> {
    let persistence = found.persist_mode.unwrap_or_default();
    vec![
        ("storage", text(&found.storage), "file".to_owned()),
        ("retention", text(&found.retention), "limits".to_owned()),
        ("discard", text(&found.discard), "new".to_owned()),
        ("max_age", found.max_age.as_nanos().to_string(), "0".to_owned()),
        ("max_msgs", found.max_messages.max(0).to_string(), "0".to_owned()),
        ("max_msg_size", found.max_message_size.max(0).to_string(), "0".to_owned()),
        ("allow_direct", text(&found.allow_direct), "true".to_owned()),
        ("sealed", text(&found.sealed), "false".to_owned()),
        ("no_ack", text(&found.no_ack), "false".to_owned()),
        ("persist_mode", text(&persistence), "default".to_owned()),
        ("num_replicas", text(&found.num_replicas), text(&replicas)),
    ]
}

/// The first setting that is not as it must be.
pub(super) fn first_drift(settings: impl IntoIterator<Item = Setting>) -> Option<Drift> {
    let mut drifts = settings.into_iter().filter(|(_, found, wanted)| found != wanted);
    drifts.next().map(|(field, found, wanted)| Drift { field, found, wanted })
}

/// A setting as NATS itself writes it.
pub(super) fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests;
