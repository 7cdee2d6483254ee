//! What the store of attachments can say, as failures.

use doudi_engine::{AttachmentError, MediaType};

use super::{Failure, RETRY_LATER, Reason, Refusal};

impl From<AttachmentError> for Failure {
    fn from(error: AttachmentError) -> Self {
        let refusal = match error {
            AttachmentError::TooLarge { bytes_max, .. } => Refusal::new(Reason::FileSize)
                .with("bytes_max", bytes_max)
                .about("description.bytes"),
            AttachmentError::TypeNotAllowed { allowed } => {
                let names: Vec<&str> =
                    allowed.iter().map(|kind| MediaType::as_str(*kind)).collect();
                Refusal::new(Reason::FileTypeNotAllowed)
                    .with("allowed", names.join(", "))
                    .about("description.media_type")
            }
            AttachmentError::TypeMismatch { media_type } => Refusal::new(Reason::FileTypeMismatch)
                .with("media_type", media_type.as_str())
                .about("description.media_type"),
            AttachmentError::HashMismatch => {
                Refusal::new(Reason::FileHashMismatch).about("description.sha256")
            }
            AttachmentError::Erased => Refusal::new(Reason::PersonalDataErased),
            away @ AttachmentError::Unavailable { .. } => {
                tracing::warn!(error = ?away, "the store of attachments cannot be reached");
                Refusal::new(Reason::FilesUnavailable).retry_after(RETRY_LATER)
            }
            broken @ (AttachmentError::Missing { .. } | AttachmentError::Damaged { .. }) => {
                return Self::fault(broken);
            }
        };
        refusal.into()
    }
}
