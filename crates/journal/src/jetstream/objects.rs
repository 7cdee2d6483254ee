//! Objects in the NATS object store: one bucket beside the log, each object in chunks, then one
//! message that names them.
//!
//! The bucket is an ordinary JetStream stream, so its acknowledgements promise what the log's do.
//! The client library awaits one for each chunk and one for the closing message, which makes the
//! object visible. So an interrupted put leaves chunks that nobody can reach, never a broken object: they
//! take space, and doing it again stores the object whole under chunks of its own. Putting is not
//! tied to its caller, so only a crash or a lost connection interrupts it.
//!
//! Reading asks the leader for the closing message and takes the chunks by batched direct gets. The
//! library's own reader makes a consumer for each object and waits for ever for a missing chunk.

mod bucket;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::jetstream::{
    object_store::{ObjectInfo, ObjectStore},
    stream::{LastRawMessageErrorKind, Stream},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE};
use bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;

use super::{
    JetStream,
    config::Drift,
    load::Batch,
    proof::{Link, Seen},
};
use crate::{
    OBJECT_BYTES_MAX, ObjectError, ObjectName, Source,
    objects::{checked, too_large},
};

/// How many objects are on their way at once; more wait in line, in order. It bounds the memory.
const IN_FLIGHT_MAX: usize = 16;

/// The longest that storing one object may take in all; each chunk has the log's time for answers.
const PUT_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a replica that is behind is given before an object counts as damaged, and how often it
/// is asked.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// How many chunks are asked for at once; the bytes of one answer are limited as well.
const CHUNKS_MAX: usize = 1000;

const STORING: &str = "storing";
const READING: &str = "reading";
const DELETING: &str = "deleting";

/// Objects in the NATS object store. Cheap to clone; clones share the connection with the log.
#[derive(Clone)]
pub struct JetStreamObjects {
    shared: Arc<Shared>,
}

struct Shared {
    jetstream: JetStream,
    bucket: String,
    store: ObjectStore,
    /// The JetStream stream that the bucket is.
    stream: Stream,
    in_flight: Arc<Semaphore>,
}

impl fmt::Debug for JetStreamObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = &self.shared.bucket;
        f.debug_struct("JetStreamObjects").field("bucket", bucket).finish_non_exhaustive()
    }
}

/// Why the object store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenObjectsError {
    /// The server did not say how the bucket is, or did not make it.
    #[error("opening the object store {bucket}: the server refused or did not answer")]
    Unavailable {
        /// The name of the bucket.
        bucket: String,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
    /// A setting of the bucket would let it lose objects.
    #[error(
        "the object store {bucket} has {field} = {found}, but must have {wanted}. Find out who \
         changed it and whether objects were lost, then set it back with the nats tool"
    )]
    Drifted {
        /// The name of the bucket.
        bucket: String,
        /// The setting of its JetStream stream, as NATS calls it.
        field: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        wanted: String,
    },
}

impl JetStreamObjects {
    /// The bucket `<stream>_FILES` on the log's servers, with as many replicas as the log. It is
    /// made if there is none, then for at most `bytes_max` bytes in all, 0 for no limit of its own.
    ///
    /// # Errors
    /// See [`OpenObjectsError`].
    pub async fn open(
        jetstream: &JetStream,
        bytes_max: u64,
    ) -> Result<JetStreamObjects, OpenObjectsError> {
        let super::Shared { context, settings, .. } = jetstream.shared.as_ref();
        let bucket = format!("{}_FILES", settings.stream);
        let unavailable =
            |source: Source| OpenObjectsError::Unavailable { bucket: bucket.clone(), source };
        let found = jetstream.while_connected(context.get_object_store(&bucket)).await;
        let store = match found.map_err(|error| unavailable(error.into()))? {
            Ok(store) => store,
            // Most likely there is none; if it is for another reason, making it fails as well.
            Err(_) => {
                let wanted = bucket::wanted(&bucket, settings.replicas, bytes_max);
                let made = jetstream.while_connected(context.create_object_store(wanted)).await;
                let made = made.map_err(|error| unavailable(error.into()))?;
                let made = made.map_err(|error| unavailable(error.into()))?;
                tracing::info!(%bucket, "made the object store");
                made
            }
        };
        let stream = context.get_stream(format!("OBJ_{bucket}"));
        let stream = jetstream.while_connected(stream).await;
        let stream = stream.map_err(|error| unavailable(error.into()))?;
        let stream = stream.map_err(|error| unavailable(error.into()))?;
        let config = &stream.cached_info().config;
        if let Some(Drift { field, found, wanted }) = bucket::drift(config, settings.replicas) {
            return Err(OpenObjectsError::Drifted { bucket, field, found, wanted });
        }
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        let shared = Shared { jetstream: jetstream.clone(), bucket, store, stream, in_flight };
        Ok(JetStreamObjects { shared: Arc::new(shared) })
    }

    pub(crate) async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), ObjectError> {
        let permit = Arc::clone(&self.shared.in_flight).acquire_owned().await;
        let permit = permit.map_err(|closed| unavailable(STORING, name, closed.into()))?;
        let (objects, owned) = (self.clone(), name.clone());
        let putting = tokio::spawn(async move {
            let _permit = permit;
            objects.put_whole(&owned, &bytes).await
        });
        putting.await.map_err(|ended| unavailable(STORING, name, ended.into()))?
    }

    async fn put_whole(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        let failed = |source| unavailable(STORING, name, source);
        let Shared { jetstream, store, .. } = self.shared.as_ref();
        let (link, _) = jetstream.until_writable().await.map_err(failed)?;
        // What is there is read, not believed: so a damaged object is mended.
        match self.read(name, OBJECT_BYTES_MAX).await {
            Ok(_) => return self.on_disk(STORING, name, link).await,
            Err(ObjectError::Unavailable { source, .. }) => return Err(failed(source)),
            Err(_) => {}
        }
        let (named, mut content) = (name.to_string(), bytes);
        let stored = store.put(named.as_str(), &mut content);
        let stored = jetstream.while_connected_for(PUT_TIME_MAX, stored).await;
        stored.map_err(Source::from).and_then(|stored| Ok(stored?)).map_err(failed)?;
        self.on_disk(STORING, name, link).await
    }

    /// Waits until no power cut can take back what was done to an object over one connection. Who reads needs not: the
    /// name of an object is learnt from a record that came later.
    async fn on_disk(
        &self,
        doing: &'static str,
        name: &ObjectName,
        link: Link,
    ) -> Result<(), ObjectError> {
        let crossed = self.shared.jetstream.secured(link).await;
        crossed.map_err(|source| unavailable(doing, name, source))
    }

    pub(crate) async fn get(
        &self,
        name: &ObjectName,
        bytes_max: usize,
    ) -> Result<Bytes, ObjectError> {
        let permit = self.shared.in_flight.acquire().await;
        let _permit = permit.map_err(|closed| unavailable(READING, name, closed.into()))?;
        let failed = |source| unavailable(READING, name, source);
        let read = || async { Ok((self.read(name, bytes_max).await?, Seen::default())) };
        self.shared.jetstream.relied_on(failed, read).await
    }

    /// Reads an object and checks it. A replica that is behind may answer without the last chunks,
    /// and another put of a damaged object takes the old chunks away: both pass.
    async fn read(&self, name: &ObjectName, bytes_max: usize) -> Result<Bytes, ObjectError> {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        loop {
            let info = self.info(name, READING).await?;
            let info = info.ok_or_else(|| ObjectError::Missing { name: name.clone() })?;
            if info.size > bytes_max {
                return Err(too_large(name, info.size, bytes_max));
            }
            let chunks = self.chunks(&info).await;
            let bytes = chunks.map_err(|source| unavailable(READING, name, source))?;
            match checked(name, bytes) {
                Err(ObjectError::Damaged { .. }) if Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                checked => return checked,
            }
        }
    }

    pub(crate) async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let failed = |source| unavailable(DELETING, name, source);
        let Shared { jetstream, store, .. } = self.shared.as_ref();
        let (link, _) = jetstream.until_writable().await.map_err(failed)?;
        if self.info(name, DELETING).await?.is_some() {
            let deleted = jetstream.while_connected(store.delete(name.to_string())).await;
            deleted.map_err(Source::from).and_then(|deleted| Ok(deleted?)).map_err(failed)?;
        }
        self.on_disk(DELETING, name, link).await
    }

    /// The object's closing message as the leader knows it; none when there is no object.
    async fn info(
        &self,
        name: &ObjectName,
        doing: &'static str,
    ) -> Result<Option<ObjectInfo>, ObjectError> {
        let encoded = BASE64_URL_SAFE.encode(name.to_string());
        let Shared { jetstream, bucket, stream, .. } = self.shared.as_ref();
        let subject = format!("$O.{bucket}.M.{encoded}");
        let asked = stream.get_last_raw_message_by_subject(&subject);
        let message = match jetstream.while_connected(asked).await {
            Ok(Ok(message)) => message,
            Ok(Err(error)) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(None);
            }
            Ok(Err(error)) => return Err(unavailable(doing, name, error.into())),
            Err(error) => return Err(unavailable(doing, name, error.into())),
        };
        let fault = "what names its chunks cannot be read";
        let info: ObjectInfo = serde_json::from_slice(&message.payload)
            .map_err(|_| ObjectError::Damaged { name: name.clone(), fault })?;
        Ok(Some(info).filter(|info| !info.deleted))
    }

    /// The chunks that a closing message names, put together; whatever of them there is, but no
    /// more than it says.
    async fn chunks(&self, info: &ObjectInfo) -> Result<Bytes, Source> {
        let Shared { jetstream, bucket, .. } = self.shared.as_ref();
        let from = format!("OBJ_{bucket}");
        let subject = format!("$O.{bucket}.C.{}", info.nuid);
        let mut bytes = BytesMut::with_capacity(info.size);
        let mut after = 0;
        loop {
            let batch = jetstream.batch(&from, Some(&subject), after, CHUNKS_MAX);
            let Batch { messages, more } = batch.await?;
            for chunk in messages {
                after = chunk.sequence;
                if bytes.len() + chunk.payload.len() > info.size {
                    return Ok(bytes.freeze());
                }
                bytes.extend_from_slice(&chunk.payload);
            }
            if !more {
                return Ok(bytes.freeze());
            }
        }
    }
}

fn unavailable(doing: &'static str, name: &ObjectName, source: Source) -> ObjectError {
    ObjectError::Unavailable { doing, name: name.clone(), source }
}
