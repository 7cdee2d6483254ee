//! Appending: one message on the stream's literal subject with the expected last sequence of
//! that subject, sent once. What the server answers is told apart by its error code; what it has
//! stored is answered for once it is on disk.

use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Request, RequestErrorKind, header, jetstream::ErrorCode};
use bytes::Bytes;
use serde::Deserialize;

use super::{
    JetStream, NoAnswer,
    proof::{Seen, Turn},
};
use crate::{AppendError, COMMIT_BYTES_MAX, Position, Source, StreamName};

/// How long a conflicting append is given to be replicated before the caller is told.
const SETTLE_TIME_MAX: Duration = Duration::from_millis(250);

/// The server takes no more for this stream until it has stored what it has.
const TOO_MANY_REQUESTS: ErrorCode = ErrorCode(10_167);

/// The server's answer to a published message.
#[derive(Debug, Deserialize)]
struct PublishAnswer {
    #[serde(rename = "seq")]
    sequence: Option<u64>,
    error: Option<Refusal>,
}

/// The server's statement that it did not store the message.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("the NATS server refused with code {code}: {description}")]
struct Refusal {
    #[serde(rename = "err_code", default)]
    code: u64,
    #[serde(default)]
    description: String,
}

/// What a refusal means for the caller.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// Another record is at the end of the stream; its sequence, where the server names it.
    Conflict(Option<u64>),
    TooLarge,
    Full,
    /// It has more to do than it takes; nothing was stored.
    Busy,
    /// A refusal that is certain to have stored nothing.
    Refused,
    /// A code that leaves room for doubt.
    Doubtful,
}

impl JetStream {
    pub(crate) async fn append(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
    ) -> Result<Position, AppendError> {
        let bytes = payload.len();
        if bytes > COMMIT_BYTES_MAX {
            return Err(too_large(bytes));
        }
        let unavailable =
            |source: Source| AppendError::Unavailable { stream: stream.clone(), source };
        let unknown = |source: Source| AppendError::Unknown { stream: stream.clone(), source };

        self.proven_soon().await.map_err(|unproven| unavailable(unproven.into()))?;
        let permit = self.shared.in_flight.acquire().await;
        let _permit = permit.map_err(|closed| unavailable(closed.into()))?;
        let (link, _) = self.writable().map_err(unavailable)?;
        let turn = self.turn();
        let mut seen = Seen::record(Position::START, &payload);
        let answer = self.sent(stream, payload, expected, turn).await?;
        // Else it may be the answer of another log, to what left by the next connection.
        self.still(link).map_err(|error| unknown(error.into()))?;
        let refusal = match answer {
            PublishAnswer { error: Some(refusal), .. } => refusal,
            PublishAnswer { sequence: Some(sequence), .. } => {
                seen.position = Position(sequence);
                let reached = self.reach(seen).await;
                return reached.map(|()| Position(sequence)).map_err(unknown);
            }
            PublishAnswer { .. } => return Err(unknown("the answer has no sequence".into())),
        };
        let meaning = meaning(&refusal);
        if matches!(meaning, Meaning::Refused | Meaning::Doubtful) {
            self.doubt(turn);
        }
        Err(match meaning {
            Meaning::Conflict(Some(sequence)) => {
                AppendError::Conflict { actual: Position(sequence) }
            }
            Meaning::Conflict(None) => {
                AppendError::Conflict { actual: self.settled(stream, expected).await }
            }
            Meaning::TooLarge => too_large(bytes),
            Meaning::Full => {
                AppendError::LogFull { stream: stream.clone(), source: refusal.into() }
            }
            Meaning::Busy | Meaning::Refused => unavailable(refusal.into()),
            Meaning::Doubtful => unknown(refusal.into()),
        })
    }

    /// What the server answers to one append. Where it says nothing, or nobody answers for it, it is doubted.
    async fn sent(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
        turn: Turn,
    ) -> Result<PublishAnswer, AppendError> {
        let bytes = payload.len();
        let unavailable =
            |source: Source| AppendError::Unavailable { stream: stream.clone(), source };
        let unknown = |source: Source| AppendError::Unknown { stream: stream.clone(), source };
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let request = Request::new().headers(headers).payload(payload).timeout(None);
        let sent = self.shared.client.send_request(stream.as_str().to_owned(), request);
        let message = match self.while_connected(sent).await {
            Ok(Ok(message)) => message,
            Ok(Err(error)) => {
                if error.kind() == RequestErrorKind::NoResponders {
                    // Nobody answers for the log any more.
                    self.doubt(turn);
                }
                return Err(match error.kind() {
                    RequestErrorKind::NoResponders | RequestErrorKind::InvalidSubject => {
                        unavailable(error.into())
                    }
                    RequestErrorKind::MaxPayloadExceeded => too_large(bytes),
                    RequestErrorKind::TimedOut | RequestErrorKind::Other => unknown(error.into()),
                });
            }
            Err(error @ NoAnswer::NotConnected) => return Err(unavailable(error.into())),
            Err(error @ NoAnswer::Lost) => return Err(unknown(error.into())),
            // A server whose disk is full says nothing.
            Err(error @ NoAnswer::TimedOut { .. }) => {
                self.doubt(turn);
                return Err(unknown(error.into()));
            }
        };
        serde_json::from_slice(&message.payload).map_err(|error| unknown(error.into()))
    }

    /// The position of the stream's last record when the server only says that the expected one
    /// is wrong, which it does while another append to the stream is being replicated. Waits a
    /// little for that append to settle, because a caller that came back at once would meet it
    /// again.
    async fn settled(&self, stream: &StreamName, expected: Position) -> Position {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        let mut pause = Duration::from_millis(1);
        loop {
            match self.last_of(stream).await {
                Ok(Some(last)) if last != expected => return last,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%stream, %error, "cannot look up where a stream ends");
                    return expected;
                }
            }
            if Instant::now() + pause >= deadline {
                return expected;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

fn too_large(bytes: usize) -> AppendError {
    AppendError::TooLarge { bytes, bytes_max: COMMIT_BYTES_MAX }
}

fn meaning(refusal: &Refusal) -> Meaning {
    let about_size = refusal.description.contains("maximum");
    match ErrorCode(refusal.code) {
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => {
            Meaning::Conflict(last_sequence(&refusal.description))
        }
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            Meaning::TooLarge
        }
        // The server's store gives one code for all its failures; a limit that was reached is a
        // clean refusal, a failed write to the disk is not.
        ErrorCode::STREAM_STORE_FAILED if about_size => Meaning::Full,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED => Meaning::Full,
        TOO_MANY_REQUESTS => Meaning::Busy,
        ErrorCode::STREAM_NOT_FOUND
        | ErrorCode::CLUSTER_NOT_AVAILABLE
        | ErrorCode::JETSTREAM_NOT_ENABLED
        | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        | ErrorCode::BAD_REQUEST
        | ErrorCode::STREAM_NOT_MATCH => Meaning::Refused,
        _ => Meaning::Doubtful,
    }
}

/// The number in `wrong last sequence: <number>`.
fn last_sequence(description: &str) -> Option<u64> {
    description.rsplit_once(':')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_their_code() {
        let cases = [
            (10071, "wrong last sequence: 41", Meaning::Conflict(Some(41))),
            (10071, "wrong last sequence: 0", Meaning::Conflict(Some(0))),
            (10071, "wrong last sequence", Meaning::Conflict(None)),
            (10164, "wrong last sequence", Meaning::Conflict(None)),
            (10054, "message size exceeds maximum allowed", Meaning::TooLarge),
            (10077, "maximum bytes exceeded", Meaning::Full),
            (10077, "write /data/1.blk: input/output error", Meaning::Doubtful),
            (10047, "insufficient storage resources available", Meaning::Full),
            (10023, "insufficient resources", Meaning::Full),
            (10008, "JetStream system temporarily unavailable", Meaning::Refused),
            (10059, "stream not found", Meaning::Refused),
            (10076, "JetStream not enabled", Meaning::Refused),
            (10167, "too many requests", Meaning::Busy),
            (19999, "something new", Meaning::Doubtful),
        ];
        for (code, description, expected) in cases {
            let refusal = Refusal { code, description: description.to_owned() };
            assert_eq!(meaning(&refusal), expected, "{refusal}");
        }
    }

    #[test]
    fn answers_are_read_in_both_shapes() {
        let stored = br#"{"stream":"DOUDI","seq":7}"#;
        let stored: PublishAnswer = serde_json::from_slice(stored).unwrap();
        assert_eq!((stored.sequence, stored.error.is_none()), (Some(7), true));
        let refused = br#"{"error":{"code":400,"err_code":10071,
            "description":"wrong last sequence: 5"},"stream":"DOUDI","seq":0}"#;
        let refused: PublishAnswer = serde_json::from_slice(refused).unwrap();
        assert_eq!(refused.error.unwrap().code, 10071);
    }
}
