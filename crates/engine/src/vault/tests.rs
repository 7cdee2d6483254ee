//! What every vault does, on the one in memory.

use super::*;

async fn seal(vault: &Vault, subject: &str, label: &str, command_id: Uuid, text: &str) -> Sealed {
    vault.sealer(subject, None).await.unwrap().seal(label, command_id, text).unwrap()
}

#[tokio::test]
async fn a_repeated_command_seals_to_the_same_bytes_and_others_do_not() {
    let vault = Vault::memory();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let first = seal(&vault, "appeal:1", "contact", one, "张三 13800000000").await;
    let again = seal(&vault, "appeal:1", "contact", one, "张三 13800000000").await;
    let label = seal(&vault, "appeal:1", "reply", one, "张三 13800000000").await;
    let command = seal(&vault, "appeal:1", "contact", two, "张三 13800000000").await;
    let subject = seal(&vault, "appeal:2", "contact", one, "张三 13800000000").await;
    assert_eq!(first, again);
    for other in [label, command, subject] {
        assert_ne!(first.ciphertext, other.ciphertext);
        assert_ne!(first.nonce, other.nonce);
    }
    assert!(!first.ciphertext.contains("张三"));
}

#[tokio::test]
async fn what_is_said_of_a_subject_is_sealed_under_its_one_key() {
    let vault = Vault::memory();
    let id = Uuid::from_u128(1);
    let first = seal(&vault, "appeal:1", "a", id, "好").await;
    assert_eq!(seal(&vault, "appeal:1", "a", id, "好").await, first);
    let again = vault.sealer("appeal:1", Some(&first)).await.unwrap();
    assert_eq!(again.seal("a", id, "好").unwrap(), first);
    assert_eq!(vault.open(&first).await.unwrap().as_deref(), Some("好"));
    vault.destroy(&["appeal:1"]).await.unwrap();
    for recorded in [None, Some(&first)] {
        let refused = vault.sealer("appeal:1", recorded).await;
        assert!(matches!(refused, Err(VaultError::Erased)));
    }
}

#[tokio::test]
async fn an_erased_subject_can_neither_be_read_nor_written() {
    let vault = Vault::memory();
    let sealed = seal(&vault, "appeal:1", "reply", Uuid::from_u128(1), "好").await;
    assert_eq!(vault.open(&sealed).await.unwrap().as_deref(), Some("好"));
    vault.destroy(&["appeal:1"]).await.unwrap();
    vault.destroy(&["appeal:1", "appeal:3"]).await.unwrap();
    assert_eq!(vault.open(&sealed).await.unwrap(), None);
    let refused = vault.sealer("appeal:1", None).await;
    assert!(matches!(refused, Err(VaultError::Erased)));
}

#[tokio::test]
async fn several_texts_open_in_their_order_and_the_erased_ones_are_none() {
    let vault = Vault::memory();
    let noted = async |subject, text| seal(&vault, subject, "note", Uuid::from_u128(1), text).await;
    let (one, two) = (noted("appeal:1", "一").await, noted("appeal:2", "二").await);
    let three = noted("appeal:1", "三").await;
    vault.destroy(&["appeal:2"]).await.unwrap();
    let opened = vault.open_all(&[&three, &two, &one]).await.unwrap();
    assert_eq!(opened, [Some("三".to_owned()), None, Some("一".to_owned())]);
    assert_eq!(vault.open_all(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn what_a_lost_key_sealed_hides_nothing_that_another_one_seals() {
    let (lost, vault) = (Vault::memory(), Vault::memory());
    let noted =
        async |vault: &Vault, text| seal(vault, "appeal:1", "note", Uuid::from_u128(1), text).await;
    let (before, after) = (noted(&lost, "前").await, noted(&vault, "后").await);
    let opened = vault.open_all(&[&before, &after]).await.unwrap();
    assert_eq!(opened, [None, Some("后".to_owned())]);
}

#[tokio::test]
async fn a_changed_text_or_subject_does_not_open() {
    let vault = Vault::memory();
    let sealed = seal(&vault, "appeal:1", "reply", Uuid::from_u128(1), "好").await;
    let other = seal(&vault, "appeal:2", "reply", Uuid::from_u128(1), "坏").await;
    let swapped = Sealed { ciphertext: other.ciphertext.clone(), ..sealed.clone() };
    let moved = Sealed { subject: "appeal:2".into(), ..sealed };
    for forged in [swapped, moved] {
        assert!(matches!(vault.open(&forged).await, Err(VaultError::Tampered)));
    }
}

#[tokio::test]
async fn bytes_are_sealed_as_texts_are() {
    let vault = Vault::memory();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let content = [0, 159, 146, 150, 255].repeat(1000);
    let sealed = vault.seal_bytes("appeal:1", "attachment", one, &content).await.unwrap();
    assert_eq!(sealed.len(), content.len() + 29);
    assert_eq!(vault.open_bytes("appeal:1", &sealed).await.unwrap(), Some(content.clone()));
    let again = vault.seal_bytes("appeal:1", "attachment", one, &content).await.unwrap();
    assert_eq!(sealed, again);
    let command = vault.seal_bytes("appeal:1", "attachment", two, &content).await.unwrap();
    let label = vault.seal_bytes("appeal:1", "minutes", one, &content).await.unwrap();
    let subject = vault.seal_bytes("appeal:2", "attachment", one, &content).await.unwrap();
    for other in [command, label, subject] {
        assert_ne!(sealed, other);
    }
}

#[tokio::test]
async fn changed_bytes_and_those_of_another_subject_do_not_open() {
    let vault = Vault::memory();
    let sealed = vault.seal_bytes("appeal:1", "a", Uuid::from_u128(1), b"x").await.unwrap();
    let mut forged = vec![Vec::new(), vec![2; 40]];
    forged.extend((0..sealed.len()).map(|end| sealed[..end].to_vec()));
    forged.extend((0..sealed.len()).map(|at| {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        changed
    }));
    for bytes in forged {
        let opened = vault.open_bytes("appeal:1", &bytes).await;
        assert!(matches!(opened, Err(VaultError::Tampered)), "{bytes:?}");
    }
    let moved = vault.open_bytes("appeal:2", &sealed).await;
    assert!(matches!(moved, Err(VaultError::Tampered)));
}

#[tokio::test]
async fn bytes_of_an_erased_subject_are_gone() {
    let vault = Vault::memory();
    let sealed = vault.seal_bytes("appeal:1", "a", Uuid::from_u128(1), b"x").await.unwrap();
    vault.destroy(&["appeal:1"]).await.unwrap();
    assert_eq!(vault.open_bytes("appeal:1", &sealed).await.unwrap(), None);
    let refused = vault.seal_bytes("appeal:1", "a", Uuid::from_u128(1), b"x").await;
    assert!(matches!(refused, Err(VaultError::Erased)));
}
