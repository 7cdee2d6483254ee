//! A record: one entry of the log as it was stored, not yet understood.

use bytes::Bytes;

use crate::{Commit, DecodeError, Hash, Position, StreamName};

/// One entry of the log: where it stands, which stream it belongs to, and its bytes. The bytes
/// are a [`Commit`] when this project wrote them; what else somebody put there is still
/// delivered, and [`Record::commit`] then says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the record stands in the log.
    pub position: Position,
    /// The stream it belongs to. A name that is not [readable](StreamName::is_readable) stands
    /// for a foreign subject.
    pub stream: StreamName,
    /// The stored bytes.
    pub payload: Bytes,
}

impl Record {
    pub(crate) fn new(position: Position, subject: &str, payload: Bytes) -> Record {
        let stream = StreamName::parse(subject).unwrap_or_else(|_| StreamName::unreadable(subject));
        Record { position, stream, payload }
    }

    /// Decodes the record and checks that it stands on the stream that it names.
    ///
    /// # Errors
    /// Says why the bytes are not a usable commit; the record is then to be parked, not skipped.
    pub fn commit(&self) -> Result<Commit, DecodeError> {
        let commit = Commit::decode(&self.payload)?;
        if commit.stream != self.stream {
            return Err(DecodeError::WrongStream {
                named: commit.stream,
                found: self.stream.clone(),
            });
        }
        Ok(commit)
    }

    /// The hash of the stored bytes, which the stream's next commit carries as `previous`.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::sha256(&self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"stream":"ev.a.profile","version":1,
        "command_id":"00000000-0000-0000-0000-000000000001",
        "command_digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "actor":{"principal":"p"},"occurred_at":"2026-01-01T00:00:00Z",
        "recorded_at":"2026-01-01T00:00:00Z",
        "correlation":"00000000-0000-0000-0000-000000000002",
        "events":[{"type":"x","v":1,"data":null}]}"#;

    fn record(subject: &str) -> Record {
        Record::new(Position(1), subject, Bytes::from_static(STORED.as_bytes()))
    }

    #[test]
    fn a_commit_is_read_only_on_its_own_stream() {
        let own = record("ev.a.profile");
        assert_eq!(own.commit().unwrap().stream, own.stream);
        assert_eq!(own.hash(), Hash::sha256(STORED.as_bytes()));
        for subject in ["ev.b.profile", "ev.a.profile.x", "ev.企业.profile"] {
            let other = record(subject);
            assert_eq!(other.stream.as_str(), subject);
            assert!(matches!(other.commit(), Err(DecodeError::WrongStream { .. })));
        }
    }
}
