//! The key vault: one key for each data subject, so that destroying the key erases the person from
//! an immutable log.
//!
//! The vault is the one part of PostgreSQL that cannot be rebuilt: it has migrations and must be
//! backed up. Keys are stored wrapped by a master key from the configuration and are never cached,
//! so that an erasure holds everywhere at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use doudi_domain::Sealed;
use uuid::Uuid;

mod cipher;
mod postgres;

pub(crate) use cipher::SubjectKey;

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

    /// The keys for another purpose that every master key gives, that of the active one first: for
    /// what outlives a change of the master key, and must still be recognised.
    #[must_use]
    pub fn derive_each(&self, purpose: &str) -> Vec<[u8; 32]> {
        let older = self.keys.iter().filter(|(id, _)| **id != self.active);
        let older = older.map(|(_, key)| cipher::derive(key, purpose));
        std::iter::once(self.derive(purpose)).chain(older).collect()
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
        self.sealing_key(subject).await?.seal(subject, label, command_id, text)
    }

    /// Opens a sealed text; none when its subject was erased.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn open(&self, sealed: &Sealed) -> Result<Option<String>, VaultError> {
        let key = self.opening_key(&sealed.subject).await?;
        key.map(|key| key.open(sealed)).transpose()
    }

    /// As [`Vault::seal`], for bytes of any kind, such as a file. What comes back is 29 bytes
    /// longer and holds all that opening it needs, besides the subject's key.
    ///
    /// # Errors
    /// [`VaultError::Erased`] after an erasure, else as the variants say.
    pub async fn seal_bytes(
        &self,
        subject: &str,
        label: &str,
        command_id: Uuid,
        bytes: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.sealing_key(subject).await?.seal_bytes(subject, label, command_id, bytes)
    }

    /// Opens sealed bytes; none when their subject was erased.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn open_bytes(
        &self,
        subject: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let key = self.opening_key(subject).await?;
        key.map(|key| key.open_bytes(subject, sealed)).transpose()
    }

    /// The subject's key, made if there was none.
    pub(crate) async fn sealing_key(&self, subject: &str) -> Result<SubjectKey, VaultError> {
        let key = match self {
            Self::Memory(memory) => memory.key(subject)?,
            Self::Postgres(postgres) => postgres.create(subject).await?,
        };
        key.ok_or(VaultError::Erased)
    }

    /// The subject's key; none when it was destroyed.
    pub(crate) async fn opening_key(
        &self,
        subject: &str,
    ) -> Result<Option<SubjectKey>, VaultError> {
        match self {
            Self::Memory(memory) => memory.key(subject),
            Self::Postgres(postgres) => postgres.find(subject).await,
        }
    }

    /// Opens several texts, in their order, with one round trip for all their keys; none where the
    /// subject was erased, and where a text does not open with its subject's key: after an older copy of
    /// the vault came back that lacked the key, the subject has another one, and what it seals since is read.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn open_all(&self, sealed: &[&Sealed]) -> Result<Vec<Option<String>>, VaultError> {
        let subjects: BTreeSet<&str> = sealed.iter().map(|sealed| &*sealed.subject).collect();
        let subjects: Vec<&str> = subjects.into_iter().collect();
        let mut keys = HashMap::new();
        match self {
            _ if subjects.is_empty() => {}
            Self::Memory(memory) => {
                for subject in subjects {
                    keys.insert(subject.to_owned(), memory.key(subject)?);
                }
            }
            Self::Postgres(postgres) => keys = postgres.find_all(&subjects).await?,
        }
        let open = |sealed: &&Sealed| {
            let opened = keys.get(&sealed.subject).copied().flatten()?.open(sealed);
            if opened.is_err() {
                let subject = &*sealed.subject;
                tracing::warn!(subject, "a text does not open: its key is lost, or it was changed");
            }
            opened.ok()
        };
        Ok(sealed.iter().map(open).collect())
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
    async fn several_texts_open_in_their_order_and_the_erased_ones_are_none() {
        let vault = Vault::memory();
        let seal = async |subject, text| {
            vault.seal(subject, "note", Uuid::from_u128(1), text).await.unwrap()
        };
        let (one, two) = (seal("appeal:1", "一").await, seal("appeal:2", "二").await);
        let three = seal("appeal:1", "三").await;
        vault.destroy(&["appeal:2"]).await.unwrap();
        let opened = vault.open_all(&[&three, &two, &one]).await.unwrap();
        assert_eq!(opened, [Some("三".to_owned()), None, Some("一".to_owned())]);
        assert_eq!(vault.open_all(&[]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_a_lost_key_sealed_hides_nothing_that_another_one_seals() {
        let (lost, vault) = (Vault::memory(), Vault::memory());
        let seal = async |vault: &Vault, text| {
            vault.seal("appeal:1", "note", Uuid::from_u128(1), text).await.unwrap()
        };
        let (before, after) = (seal(&lost, "前").await, seal(&vault, "后").await);
        let opened = vault.open_all(&[&before, &after]).await.unwrap();
        assert_eq!(opened, [None, Some("后".to_owned())]);
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
}
