//! From decided events to the bytes of one commit.

use doudi_domain::{Decider, codec};
use doudi_journal::{Commit, Hash, StoredEvent, StreamName};
use jiff::Timestamp;
use serde::Serialize;

use crate::{execute::Envelope, folded::Folded};

/// What the digest covers: the same command on another stream is another command.
#[derive(Serialize)]
struct Digested<'a, C> {
    stream: &'a StreamName,
    command: &'a C,
}

/// The digest by which a repeated command is told from another one under the same id.
pub(crate) fn digest<C: Serialize>(
    stream: &StreamName,
    command: &C,
) -> Result<Hash, serde_json::Error> {
    Ok(Hash::sha256(&serde_json::to_vec(&Digested { stream, command })?))
}

/// The commit that follows `folded`.
pub(crate) fn next<D: Decider>(
    stream: &StreamName,
    folded: &Folded<D>,
    envelope: &Envelope,
    digest: Hash,
    now: Timestamp,
    events: &[D::Event],
) -> Result<Commit, codec::CodecError> {
    let stored = |event| {
        codec::encode(event).map(|encoded| StoredEvent {
            name: encoded.name.to_owned(),
            version: encoded.version,
            data: encoded.data,
        })
    };
    Ok(Commit {
        stream: stream.clone(),
        version: folded.version.next(),
        previous: folded.last,
        command_id: envelope.command_id,
        command_digest: digest,
        actor: envelope.actor.clone(),
        occurred_at: envelope.occurred_at.unwrap_or(now),
        recorded_at: now,
        causation: envelope.causation,
        correlation: envelope.correlation.unwrap_or(envelope.command_id),
        traceparent: envelope.traceparent.clone(),
        events: events.iter().map(stored).collect::<Result<_, _>>()?,
    })
}
