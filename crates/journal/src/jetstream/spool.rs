//! What waits beside the log, in a JetStream stream of its own: one message for each name, deleted once
//! another store has taken it over.
//!
//! A name is put once by the expected last sequence of its subject. Names are written in hex, so that
//! any text is one. The leader is asked for a name, any replica for all that waits.

mod config;

use std::sync::Arc;

use async_nats::{
    HeaderMap, header,
    jetstream::{
        message::StreamMessage,
        stream::{LastRawMessageError, LastRawMessageErrorKind, Stream},
    },
};
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{AGAIN_AFTER, JetStream, config::Drift, load::Found, proof::Seen};
use crate::{Source, SpoolError, Spooled};

const PUTTING: &str = "putting";
const READING: &str = "reading";
const REMOVING: &str = "removing";

/// Values that wait on NATS JetStream. Cheap to clone; clones share the connection with the log.
#[derive(Clone, Debug)]
pub struct JetStreamSpool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    jetstream: JetStream,
    /// The name of the JetStream stream.
    name: String,
    stream: Stream,
}

/// Why values cannot wait beside the log.
#[derive(Debug, thiserror::Error)]
pub enum OpenSpoolError {
    /// The server did not say how the stream is, or did not make it.
    #[error("opening the stream {stream}: the server refused or did not answer")]
    Unavailable {
        /// The name of the stream.
        stream: String,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
    /// A setting of the stream would let it lose values.
    #[error(
        "the stream {stream} has {field} = {found}, but must have {wanted}. Find out who changed it \
         and whether messages were lost, then set it back with the nats tool"
    )]
    Drifted {
        /// The name of the stream.
        stream: String,
        /// The setting, as NATS calls it.
        field: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        wanted: String,
    },
}

impl JetStreamSpool {
    /// The stream `<stream>_KEYS` on the log's servers, with as many replicas as the log; made if there
    /// is none.
    ///
    /// # Errors
    /// See [`OpenSpoolError`].
    pub async fn open(jetstream: &JetStream) -> Result<JetStreamSpool, OpenSpoolError> {
        let super::Shared { context, settings, .. } = jetstream.shared.as_ref();
        let name = format!("{}_KEYS", settings.stream);
        let unavailable =
            |source: Source| OpenSpoolError::Unavailable { stream: name.clone(), source };
        let wanted = config::wanted(&name, settings.replicas);
        let opened = context.get_or_create_stream(wanted);
        let opened = jetstream.while_connected(opened).await;
        let opened = opened.map_err(|error| unavailable(error.into()))?;
        let stream = opened.map_err(|error| unavailable(error.into()))?;
        let found = &stream.cached_info().config;
        if let Some(Drift { field, found, wanted }) = config::drift(found, &name, settings.replicas)
        {
            return Err(OpenSpoolError::Drifted { stream: name, field, found, wanted });
        }
        let shared = Shared { jetstream: jetstream.clone(), name, stream };
        Ok(JetStreamSpool { shared: Arc::new(shared) })
    }

    pub(crate) async fn put_first(&self, name: &str, value: Bytes) -> Result<Spooled, SpoolError> {
        let failed = |source: Source| SpoolError::new(PUTTING, source);
        let jetstream = &self.shared.jetstream;
        let (link, _) = jetstream.until_writable().await.map_err(failed)?;
        let first = match self.published(name, value.clone()).await {
            Ok(sequence) => Spooled { sequence, value },
            // Most likely because another one waits, or because this one does and its answer got lost.
            Err(refused) => match self.get(name).await? {
                Some(first) => first,
                None => {
                    // Or is only being put: a cluster refuses the second one then too.
                    tokio::time::sleep(AGAIN_AFTER).await;
                    self.get(name).await?.ok_or_else(|| failed(refused))?
                }
            },
        };
        jetstream.secured(link).await.map_err(failed)?;
        Ok(first)
    }

    /// The sequence of the value, provided that nothing waited under its name.
    async fn published(&self, name: &str, value: Bytes) -> Result<u64, Source> {
        let jetstream = &self.shared.jetstream;
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        let context = &jetstream.shared.context;
        let published =
            async { context.publish_with_headers(self.subject(name), headers, value).await?.await };
        let stored = jetstream.while_connected(published).await??;
        Ok(stored.sequence)
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<Spooled>, SpoolError> {
        let failed = |source: Source| SpoolError::new(READING, source);
        let subject = self.subject(name);
        let ask = || async {
            let asked = self.shared.stream.get_last_raw_message_by_subject(&subject);
            Ok((self.answered(asked).await?, Seen::default()))
        };
        self.shared.jetstream.relied_on(failed, ask).await
    }

    pub(crate) async fn remove(&self, spooled: &Spooled) -> Result<(), SpoolError> {
        let failed = |source: Source| SpoolError::new(REMOVING, source);
        let Shared { jetstream, stream, .. } = self.shared.as_ref();
        let (link, _) = jetstream.until_writable().await.map_err(failed)?;
        // The server overwrites a message that is deleted like this.
        let deleted = jetstream.while_connected(stream.delete_message(spooled.sequence)).await;
        let deleted = deleted.map_err(Source::from).and_then(|deleted| Ok(deleted?));
        // The server refuses to delete what is gone, too.
        if let Err(refused) = deleted
            && self.answered(stream.get_raw_message(spooled.sequence)).await?.is_some()
        {
            return Err(failed(refused));
        }
        jetstream.secured(link).await.map_err(failed)
    }

    pub(crate) async fn after(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<Spooled>, SpoolError> {
        let failed = |source: Source| SpoolError::new(READING, source);
        let Shared { jetstream, name, .. } = self.shared.as_ref();
        let all = config::subject(name, "*");
        let ask = || async {
            let batch = jetstream.batch(name, Some(&all), sequence, limit).await.map_err(failed)?;
            let spooled = |found: Found| Spooled { sequence: found.sequence, value: found.payload };
            let found: Vec<Spooled> = batch.messages.into_iter().map(spooled).collect();
            Ok((found, Seen::default()))
        };
        jetstream.relied_on(failed, ask).await
    }

    /// The message that the leader answers with; none when there is none.
    async fn answered(
        &self,
        asked: impl Future<Output = Result<StreamMessage, LastRawMessageError>>,
    ) -> Result<Option<Spooled>, SpoolError> {
        match self.shared.jetstream.while_connected(asked).await {
            Ok(Ok(message)) => {
                let StreamMessage { sequence, payload: value, .. } = message;
                Ok(Some(Spooled { sequence, value }))
            }
            Ok(Err(error)) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Ok(Err(error)) => Err(SpoolError::new(READING, error.into())),
            Err(error) => Err(SpoolError::new(READING, error.into())),
        }
    }

    fn subject(&self, name: &str) -> String {
        config::subject(&self.shared.name, &HEXLOWER.encode(name.as_bytes()))
    }
}
