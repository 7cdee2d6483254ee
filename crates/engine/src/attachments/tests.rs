//! What is refused, what is stored once, and who can read it afterwards.

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\xe5\xbc\xa0\xe4\xb8\x89 13800000000";
const ONE: Uuid = Uuid::from_u128(1);
const SUBJECT: &str = "appeal:1";

fn attachments() -> Attachments {
    let settings =
        AttachmentSettings { bytes_max: 100, media_types: vec![MediaType::Pdf, MediaType::Text] };
    Attachments::new(
        Objects::Memory(doudi_journal::MemoryObjects::new()),
        Vault::memory(),
        settings,
    )
}

async fn store(attachments: &Attachments, content: &[u8]) -> Result<Stored, AttachmentError> {
    let content = Bytes::copy_from_slice(content);
    attachments.store(SUBJECT, ONE, "application/pdf", content, None).await
}

#[tokio::test]
async fn what_was_stored_is_fetched_and_lies_sealed() {
    let attachments = attachments();
    let stored = store(&attachments, PDF).await.unwrap();
    assert_eq!((stored.bytes, stored.media_type), (PDF.len(), MediaType::Pdf));
    assert_eq!(stored.sha256, Hash::sha256(PDF));
    let fetched = attachments.fetch(SUBJECT, &stored.object).await.unwrap();
    assert_eq!(fetched.as_deref(), Some(PDF));
    let sealed = attachments.objects.get(&stored.object, OBJECT_BYTES_MAX).await.unwrap();
    assert!(!sealed.windows(4).any(|window| window == b"%PDF" || window == b"1380"));
}

#[tokio::test]
async fn a_repeated_command_stores_one_object_and_another_command_another() {
    let attachments = attachments();
    let first = store(&attachments, PDF).await.unwrap();
    assert_eq!(store(&attachments, PDF).await.unwrap(), first);
    let pdf = Bytes::from_static(PDF);
    let two = Uuid::from_u128(2);
    let other = attachments.store(SUBJECT, two, "application/pdf", pdf, None).await.unwrap();
    assert_eq!(other.sha256, first.sha256);
    assert_ne!(other.object, first.object);
}

#[tokio::test]
async fn each_refusal_has_its_own_error() {
    let attachments = attachments();
    let wrong = Hash::sha256(b"other");
    let refused = |media_type, content: &[u8], expected: Option<&Hash>| {
        let (content, expected) = (Bytes::copy_from_slice(content), expected.cloned());
        let attachments = attachments.clone();
        async move {
            let stored =
                attachments.store(SUBJECT, ONE, media_type, content, expected.as_ref()).await;
            stored.unwrap_err()
        }
    };
    let error = refused("text/plain", &[b'x'; 101], None).await;
    assert!(matches!(error, AttachmentError::TooLarge { bytes: 101, bytes_max: 100 }), "{error:?}");
    for unknown in ["text/html", "image/png", ""] {
        let error = refused(unknown, PDF, None).await;
        assert!(matches!(error, AttachmentError::TypeNotAllowed { .. }), "{error:?}");
    }
    for content in [PDF, b""] {
        let error = refused("text/plain", content, None).await;
        let media_type = MediaType::Text;
        let expected = matches!(error, AttachmentError::TypeMismatch { media_type: found } if found == media_type);
        assert!(expected, "{error:?}");
    }
    let error = refused("application/pdf", PDF, Some(&wrong)).await;
    assert!(matches!(error, AttachmentError::HashMismatch), "{error:?}");
    let right = Hash::sha256(PDF);
    let pdf = Bytes::from_static(PDF);
    attachments.store(SUBJECT, ONE, "application/pdf", pdf, Some(&right)).await.unwrap();
}

#[tokio::test]
async fn an_erased_subject_can_neither_be_read_nor_written() {
    let attachments = attachments();
    let stored = store(&attachments, PDF).await.unwrap();
    attachments.vault.destroy(&[SUBJECT]).await.unwrap();
    assert_eq!(attachments.fetch(SUBJECT, &stored.object).await.unwrap(), None);
    assert!(matches!(store(&attachments, PDF).await, Err(AttachmentError::Erased)));
    attachments.objects.delete(&stored.object).await.unwrap();
    assert_eq!(attachments.fetch(SUBJECT, &stored.object).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_gone_or_of_another_subject_is_told() {
    let attachments = attachments();
    let stored = store(&attachments, PDF).await.unwrap();
    attachments
        .vault
        .sealer("appeal:2", None)
        .await
        .unwrap()
        .seal("contact", ONE, "makes its key")
        .unwrap();
    let other = attachments.fetch("appeal:2", &stored.object).await;
    assert!(matches!(other, Err(AttachmentError::Damaged { .. })), "{other:?}");
    attachments.objects.delete(&stored.object).await.unwrap();
    let gone = attachments.fetch(SUBJECT, &stored.object).await;
    assert!(matches!(gone, Err(AttachmentError::Missing { .. })), "{gone:?}");
}

#[tokio::test]
async fn places_bound_what_is_in_memory() {
    let attachments = attachments();
    let mut held = Vec::new();
    for n in 0..UPLOADS {
        held.push(attachments.upload_place(&format!("caller-{n}")).await.unwrap());
    }
    let waiting = tokio::spawn({
        let attachments = attachments.clone();
        async move { attachments.upload_place("another").await.is_some() }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    assert!(attachments.download_place("another").await.is_some(), "what goes out has its own");
    held.pop();
    assert!(waiting.await.unwrap());
}
