//! Which streams of a kind have moved since: one question to the leader for all of them, however many there are.

use std::time::{Duration, Instant};

use super::{JetStream, proof::Seen};
use crate::{LoadError, Moved, Position, READ_RECORDS_MAX, Source, StreamName};

/// How long it is waited before a replica that is behind is asked again.
const PAUSE: Duration = Duration::from_millis(5);

impl JetStream {
    pub(crate) async fn moved(&self, kind: &str, after: Position) -> Result<Moved, LoadError> {
        let what = || format!("the streams of the kind {kind}");
        let unavailable = |source| LoadError::Unavailable { what: what(), source };
        let ask = || async move {
            let moved = self.moved_since(kind, after).await;
            let moved = moved.map_err(|source| LoadError::Unavailable { what: what(), source })?;
            let newest = moved.streams.last().map_or(Position::START, |(_, position)| *position);
            Ok((moved, Seen { position: newest, payload: None }))
        };
        self.relied_on(unavailable, ask).await
    }

    async fn moved_since(&self, kind: &str, after: Position) -> Result<Moved, Source> {
        let (log, subject) = (&self.shared.settings.stream, format!("ev.*.{kind}"));
        let deadline = Instant::now() + self.timeout();
        let mut moved = Moved { streams: Vec::new(), until: after };
        loop {
            // What the log is known to have before it is asked, it has looked through when it answers.
            let known = self.known_to_reach();
            if self.first_from(&subject, moved.until.next()).await?.is_none() {
                moved.until = moved.until.max(known);
                return Ok(moved);
            }
            let page = self.batch(log, Some(&subject), moved.until.0, READ_RECORDS_MAX).await?;
            if let Some(last) = page.messages.last() {
                moved.until = Position(last.sequence);
            } else if Instant::now() + PAUSE >= deadline {
                return Err("a replica of the log is behind".into());
            } else {
                tokio::time::sleep(PAUSE).await;
            }
            for found in page.messages {
                // What is in no grammar is no stream of ours.
                if let Ok(stream) = StreamName::parse(&found.subject) {
                    moved.streams.push((stream, Position(found.sequence)));
                }
            }
        }
    }
}
