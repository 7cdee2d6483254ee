//! The key vault: one key for each data subject, so that destroying the key erases the person from
//! an immutable log.
//!
//! The vault is the one part of PostgreSQL that cannot be rebuilt: it has migrations and must be
//! backed up. Keys are stored wrapped by a master key from the configuration and are never cached,
//! so that an erasure holds everywhere at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use doudi_domain::Sealed;
use uuid::Uuid;

mod cipher;
mod postgres;

use cipher::SubjectKey;

/// The master keys that wrap subject keys, by id; one of them wraps new ones.
#[derive(Clone)]
pub struct MasterKeys {
    active: String,
    keys: BTreeMap<String, [u8; 32]>,
}

/// Why master keys are not usable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MasterKeysError {
    /// The key that should wrap new ones is not among the keys.
    #[error("the active master key {0} is not among the keys given")]
    ActiveMissing(String),
}

impl MasterKeys {
    /// Keys by id, and the id of the one that wraps new subject keys.
    ///
    /// # Errors
    /// [`MasterKeysError::ActiveMissing`].
    pub fn new(active: String, keys: BTreeMap<String, [u8; 32]>) -> Result<Self, MasterKeysError> {
        if keys.contains_key(&active) {
            Ok(Self { active, keys })
        } else {
            Err(MasterKeysError::ActiveMissing(active))
        }
    }

    /// A key for another purpose, the same wherever the active master key is the same.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let active = self.keys.get(&self.active).copied().unwrap_or_default();
        cipher::derive(&active, purpose)
    }
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKeys").field("active", &self.active).finish_non_exhaustive()
    }
}

/// Why the vault cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The subject's key was destroyed: nothing can be sealed for it any more.
    #[error("the personal data of this subject were erased")]
    Erased,
    /// The database cannot be reached.
    #[error("the vault's database cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key is wrapped by a master key that the configuration does not give.
    #[error("the master key {0} is not configured")]
    MasterKeyMissing(String),
    /// A key or text does not decrypt: wrong master key, or tampered with.
    #[error("a sealed text or a key does not decrypt")]
    Tampered,
}

/// Where the subject keys are. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Vault {
    /// In this process, for tests and simulations.
    Memory(Memory),
    /// In PostgreSQL.
    Postgres(postgres::Postgres),
}

/// Keys in this process; none stands for a destroyed one.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<String, Option<SubjectKey>>>>);

impl Memory {
    fn key(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*keys.entry(subject.to_owned()).or_insert_with(|| Some(SubjectKey::generate())))
    }
}

impl Vault {
    /// A vault in this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    /// The vault in PostgreSQL, its schema migrated.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the database cannot be reached.
    pub async fn postgres(
        pool: deadpool_postgres::Pool,
        master: MasterKeys,
    ) -> Result<Self, VaultError> {
        postgres::Postgres::open(pool, master).await.map(Self::Postgres)
    }

    /// Seals `text` for `subject`. `label` says what the text is; together with the command's id
    /// it makes the nonce, so that a repeated command seals to the same bytes.
    ///
    /// # Errors
    /// [`VaultError::Erased`] after an erasure, else as the variants say.
    pub async fn seal(
        &self,
        subject: &str,
        label: &str,
        command_id: Uuid,
        text: &str,
    ) -> Result<Sealed, VaultError> {
        let key = match self {
            Self::Memory(memory) => memory.key(subject)?,
            Self::Postgres(postgres) => postgres.create(subject).await?,
        };
        key.ok_or(VaultError::Erased)?.seal(subject, label, command_id, text)
    }

    /// Opens a sealed text; none when its subject was erased.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn open(&self, sealed: &Sealed) -> Result<Option<String>, VaultError> {
        let key = match self {
            Self::Memory(memory) => memory.key(&sealed.subject)?,
            Self::Postgres(postgres) => postgres.find(&sealed.subject).await?,
        };
        key.map(|key| key.open(sealed)).transpose()
    }

    /// Destroys the keys of `subjects`, each named once, for ever. Doing it again changes nothing.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn destroy(&self, subjects: &[&str]) -> Result<(), VaultError> {
        match self {
            _ if subjects.is_empty() => Ok(()),
            Self::Memory(memory) => {
                let mut keys = memory.0.lock().unwrap_or_else(PoisonError::into_inner);
                keys.extend(subjects.iter().map(|subject| ((*subject).to_owned(), None)));
                Ok(())
            }
            Self::Postgres(postgres) => postgres.destroy(subjects).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_repeated_command_seals_to_the_same_bytes_and_others_do_not() {
        let vault = Vault::memory();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = vault.seal("appeal:1", "contact", one, "张三 13800000000").await.unwrap();
        let again = vault.seal("appeal:1", "contact", one, "张三 13800000000").await.unwrap();
        let label = vault.seal("appeal:1", "reply", one, "张三 13800000000").await.unwrap();
        let command = vault.seal("appeal:1", "contact", two, "张三 13800000000").await.unwrap();
        let subject = vault.seal("appeal:2", "contact", one, "张三 13800000000").await.unwrap();
        assert_eq!(first, again);
        for other in [label, command, subject] {
            assert_ne!(first.ciphertext, other.ciphertext);
            assert_ne!(first.nonce, other.nonce);
        }
        assert!(!first.ciphertext.contains("张三"));
    }

    #[tokio::test]
    async fn an_erased_subject_can_neither_be_read_nor_written() {
        let vault = Vault::memory();
        let sealed = vault.seal("appeal:1", "reply", Uuid::from_u128(1), "好").await.unwrap();
        assert_eq!(vault.open(&sealed).await.unwrap().as_deref(), Some("好"));
        vault.destroy(&["appeal:1"]).await.unwrap();
        vault.destroy(&["appeal:1", "appeal:3"]).await.unwrap();
        assert_eq!(vault.open(&sealed).await.unwrap(), None);
        let refused = vault.seal("appeal:1", "reply", Uuid::from_u128(2), "好").await;
        assert!(matches!(refused, Err(VaultError::Erased)));
    }

    #[tokio::test]
    async fn a_changed_text_or_subject_does_not_open() {
        let vault = Vault::memory();
        let sealed = vault.seal("appeal:1", "reply", Uuid::from_u128(1), "好").await.unwrap();
        let other = vault.seal("appeal:2", "reply", Uuid::from_u128(1), "坏").await.unwrap();
        let swapped = Sealed { ciphertext: other.ciphertext.clone(), ..sealed.clone() };
        let moved = Sealed { subject: "appeal:2".into(), ..sealed };
        for forged in [swapped, moved] {
            assert!(matches!(vault.open(&forged).await, Err(VaultError::Tampered)));
        }
    }
}
