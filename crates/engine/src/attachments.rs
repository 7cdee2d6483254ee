//! Attachments: files that enterprises and units add to a case. The content lies sealed beside the
//! log, and events hold the name of the object.
//!
//! Invariants: a content is stored only if its size, kind and hash are what was said and allowed;
//! a repeated command stores the same object; once its subject is erased, nobody can read it.

mod media_type;
mod office;
mod places;

use std::sync::Arc;

use bytes::Bytes;
use doudi_journal::{Hash, OBJECT_BYTES_MAX, ObjectError, ObjectName, Objects};
use tokio::task;
use uuid::Uuid;

use self::places::Places;
pub use self::{media_type::MediaType, places::Place};
use crate::vault::{SubjectKey, Vault, VaultError};

/// What the nonce of a sealed attachment is derived from, besides key, command and content.
const LABEL: &str = "attachment";

/// How many contents that come in are in memory at once, and how many that go out: neither side waits
/// for the other's.
const UPLOADS: usize = 16;
const DOWNLOADS: usize = 16;

const STORING: &str = "storing";
const FETCHING: &str = "fetching";

/// What may be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentSettings {
    /// The largest content in bytes; at most 16 MiB.
    pub bytes_max: usize,
    /// The kinds that are allowed; none allows no attachments.
    pub media_types: Vec<MediaType>,
}

/// An attachment as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where the sealed content lies: for the event, as it says nothing about the content.
    pub object: ObjectName,
    /// The kind of file.
    pub media_type: MediaType,
    /// The size of the content in bytes.
    pub bytes: usize,
    /// The hash of the content: for the reply to whoever sent it. Somebody who guesses a content
    /// can tell by it, so it stays out of events and log lines.
    pub sha256: Hash,
}

/// Why an attachment could not be stored or fetched.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// The content is larger than the settings allow. Nothing was stored.
    #[error("storing an attachment: {bytes} bytes are more than the {bytes_max} allowed")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest size allowed, in bytes.
        bytes_max: usize,
    },
    /// The kind of file is unknown, or the settings do not allow it. Nothing was stored.
    #[error("storing an attachment: its media type is not among those allowed")]
    TypeNotAllowed {
        /// The kinds that are allowed.
        allowed: Vec<MediaType>,
    },
    /// The content is not of the kind that was said, or is empty. Nothing was stored.
    #[error("storing an attachment: its content is not {}", media_type.as_str())]
    TypeMismatch {
        /// The kind that was said.
        media_type: MediaType,
    },
    /// The content does not have the hash that was said: it was damaged on its way. Nothing was
    /// stored.
    #[error("storing an attachment: its content does not have the hash that was sent along")]
    HashMismatch,
    /// The subject's key was destroyed: nothing can be sealed for it any more.
    #[error("storing an attachment: the personal data of its subject were erased")]
    Erased,
    /// There is no such object, although its subject is not erased.
    #[error("fetching the attachment {object}: there is none")]
    Missing {
        /// The name of the object.
        object: ObjectName,
    },
    /// The object is not what was stored, or was sealed for another subject.
    #[error("fetching the attachment {object}: it is not what was stored")]
    Damaged {
        /// The name of the object.
        object: ObjectName,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The object store or the vault cannot serve. Doing it again is harmless.
    #[error("{doing} an attachment: the object store or the vault is not available")]
    Unavailable {
        /// What was being done: storing or fetching.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The store of attachments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Attachments {
    objects: Objects,
    vault: Vault,
    settings: Arc<AttachmentSettings>,
    uploads: Arc<Places>,
    downloads: Arc<Places>,
}

impl Attachments {
    /// Attachments in `objects`, sealed with the keys of `vault`.
    #[must_use]
    pub fn new(objects: Objects, vault: Vault, settings: AttachmentSettings) -> Self {
        Self {
            objects,
            vault,
            settings: Arc::new(settings),
            uploads: Arc::new(Places::new(UPLOADS)),
            downloads: Arc::new(Places::new(DOWNLOADS)),
        }
    }

    /// What may be attached.
    #[must_use]
    pub fn settings(&self) -> &AttachmentSettings {
        &self.settings
    }

    /// Waits for a place for a content that comes in, of which one caller holds at most a quarter. To
    /// be taken before it is gathered, and kept until it is stored. None only when the process ends.
    pub async fn upload_place(&self, caller: &str) -> Option<Place> {
        self.uploads.take(caller).await
    }

    /// Waits for a place for a content that goes out, of which one caller holds at most a quarter. To
    /// be taken before it is fetched, and kept until it is handed on. None only when the process
    /// ends.
    pub async fn download_place(&self, caller: &str) -> Option<Place> {
        self.downloads.take(caller).await
    }

    /// Checks a content, seals it under the key of `subject` and stores it. `media_type` is what
    /// the sender calls it, `expected` the SHA-256 hash that the sender may have given. The same
    /// content under the same command gives the same object, so a repetition adds nothing.
    ///
    /// # Errors
    /// See [`AttachmentError`]; size comes before kind, kind before hash.
    pub async fn store(
        &self,
        subject: &str,
        command_id: Uuid,
        media_type: &str,
        content: Bytes,
        expected: Option<&Hash>,
    ) -> Result<Stored, AttachmentError> {
        let media_type = self.admit(media_type, content.len())?;
        let key = self.vault.sealing_key(subject).await.map_err(|error| match error {
            VaultError::Erased => AttachmentError::Erased,
            VaultError::Unavailable(_) | VaultError::MasterKeyMissing(_) | VaultError::Tampered => {
                unavailable(STORING, error)
            }
        })?;
        let claim = Claim { key, subject: subject.to_owned(), command_id, media_type };
        let expected = expected.cloned();
        let sealing = task::spawn_blocking(move || claim.seal(&content, expected.as_ref()));
        let (stored, sealed) = sealing.await.map_err(|ended| unavailable(STORING, ended))??;
        let put = self.objects.put(&stored.object, sealed).await;
        put.map_err(|error| unavailable(STORING, error))?;
        Ok(stored)
    }

    /// The content of an attachment of `subject`; none once the subject was erased.
    ///
    /// # Errors
    /// [`AttachmentError::Missing`], [`AttachmentError::Damaged`],
    /// [`AttachmentError::Unavailable`].
    pub async fn fetch(
        &self,
        subject: &str,
        object: &ObjectName,
    ) -> Result<Option<Bytes>, AttachmentError> {
        let key = self.vault.opening_key(subject).await;
        let Some(key) = key.map_err(|error| unavailable(FETCHING, error))? else {
            return Ok(None);
        };
        let sealed = match self.objects.get(object, OBJECT_BYTES_MAX).await {
            Ok(sealed) => sealed,
            Err(ObjectError::Missing { name }) => {
                return Err(AttachmentError::Missing { object: name });
            }
            Err(error @ (ObjectError::Damaged { .. } | ObjectError::TooLarge { .. })) => {
                return Err(damaged(object, error));
            }
            Err(error @ (ObjectError::WrongName { .. } | ObjectError::Unavailable { .. })) => {
                return Err(unavailable(FETCHING, error));
            }
        };
        let subject = subject.to_owned();
        let opening = task::spawn_blocking(move || key.open_bytes(&subject, &sealed));
        let opened = opening.await.map_err(|ended| unavailable(FETCHING, ended))?;
        opened.map(|content| Some(content.into())).map_err(|error| damaged(object, error))
    }

    fn admit(&self, media_type: &str, bytes: usize) -> Result<MediaType, AttachmentError> {
        let AttachmentSettings { bytes_max, media_types: allowed } = self.settings.as_ref();
        if bytes > *bytes_max {
            return Err(AttachmentError::TooLarge { bytes, bytes_max: *bytes_max });
        }
        MediaType::parse(media_type)
            .filter(|media_type| allowed.contains(media_type))
            .ok_or_else(|| AttachmentError::TypeNotAllowed { allowed: allowed.clone() })
    }
}

/// What a content is to be sealed as.
struct Claim {
    key: SubjectKey,
    subject: String,
    command_id: Uuid,
    media_type: MediaType,
}

impl Claim {
    /// Checks and seals: some tens of milliseconds for the largest content, so not on a thread that
    /// others wait for.
    fn seal(
        &self,
        content: &[u8],
        expected: Option<&Hash>,
    ) -> Result<(Stored, Bytes), AttachmentError> {
        let media_type = self.media_type;
        if !media_type.fits(content) {
            return Err(AttachmentError::TypeMismatch { media_type });
        }
        let sha256 = Hash::sha256(content);
        if expected.is_some_and(|expected| *expected != sha256) {
            return Err(AttachmentError::HashMismatch);
        }
        let sealed = self.key.seal_bytes(&self.subject, LABEL, self.command_id, content);
        let sealed: Bytes = sealed.map_err(|error| unavailable(STORING, error))?.into();
        let object = ObjectName::of(&sealed);
        Ok((Stored { object, media_type, bytes: content.len(), sha256 }, sealed))
    }
}

fn damaged(
    object: &ObjectName,
    source: impl std::error::Error + Send + Sync + 'static,
) -> AttachmentError {
    AttachmentError::Damaged { object: object.clone(), source: Box::new(source) }
}

fn unavailable(
    doing: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> AttachmentError {
    AttachmentError::Unavailable { doing, source: Box::new(source) }
}

#[cfg(test)]
mod tests;
