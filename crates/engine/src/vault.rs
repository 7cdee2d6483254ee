//! The key vault: keys for each data subject, mostly one, so that destroying them erases the person from
//! an immutable log.
//!
//! The vault is the one part of PostgreSQL that cannot be rebuilt: it has migrations and must be
//! backed up. Keys are stored wrapped by a master key from the configuration and are never cached,
//! so that an erasure holds everywhere at once. While PostgreSQL is away, what is new is sealed under keys
//! that wait beside the log and are handed over once it is back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use doudi_domain::Sealed;
use doudi_journal::Spool;
use uuid::Uuid;

mod cipher;
mod keys;
mod postgres;
mod wrapped;

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

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the vault cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The subject's key was destroyed: nothing can be sealed for it any more.
    #[error("the personal data of this subject were erased")]
    Erased,
    /// The database cannot be reached, or what waits beside the log cannot.
    #[error("the vault cannot be reached")]
    Unavailable(#[source] Source),
    /// A key is wrapped by a master key that the configuration does not give.
    #[error("the master key {0} is not configured")]
    MasterKeyMissing(String),
    /// A key or text does not decrypt: wrong master key, or tampered with.
    #[error("a sealed text or a key does not decrypt")]
    Tampered,
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Unavailable(Box::new(error))
}

/// Where the subject keys are. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Vault {
    /// In this process, for tests and simulations.
    Memory(Memory),
    /// In PostgreSQL, and beside the log while that is away.
    Postgres(keys::Keys),
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

/// Seals the texts of one command, all under one key of a subject.
#[derive(Debug)]
pub struct Sealer {
    subject: String,
    key: SubjectKey,
}

impl Sealer {
    /// Seals `text`. `label` says what the text is; together with the command's id it makes the nonce, so
    /// that a repeated command seals to the same bytes.
    ///
    /// # Errors
    /// [`VaultError::Tampered`], which no text brings about.
    pub fn seal(&self, label: &str, command_id: Uuid, text: &str) -> Result<Sealed, VaultError> {
        self.key.seal(&self.subject, label, command_id, text)
    }
}

/// What came of handing over keys that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedOver {
    /// How many wait no longer.
    pub taken: usize,
    /// How much of what waits is left there, because it is no key.
    pub left: usize,
}

/// The keys of the subject of a text, if it has any.
fn of_subject<'a>(
    keys: &'a HashMap<String, Option<Vec<SubjectKey>>>,
    sealed: &Sealed,
) -> Option<&'a Vec<SubjectKey>> {
    keys.get(&*sealed.subject)?.as_ref()
}

/// The text, if one of its subject's keys opens it.
fn opened<'a>(
    keys: Option<impl IntoIterator<Item = &'a SubjectKey>>,
    sealed: &Sealed,
) -> Option<String> {
    keys?.into_iter().find_map(|key| key.open(sealed).ok())
}

impl Vault {
    /// A vault in this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    /// The vault in PostgreSQL, its schema migrated; what waits for it is in `spool`.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the database cannot be reached.
    pub async fn postgres(
        pool: deadpool_postgres::Pool,
        master: MasterKeys,
        spool: Spool,
    ) -> Result<Self, VaultError> {
        keys::Keys::open(pool, master, spool).await.map(Self::Postgres)
    }

    /// What seals the texts of a command for `subject`. `recorded` is one of them, where the log has them already: a
    /// repetition is sealed as they are. What is new needs no PostgreSQL, nor does what is `recorded` under a key that
    /// waits. While it is away nobody can tell whether the subject's key was destroyed, so the caller must know by the
    /// log that no erasure was ordered, at the latest where it appends what was sealed.
    ///
    /// # Errors
    /// [`VaultError::Erased`] after an erasure, else as the variants say.
    pub async fn sealer(
        &self,
        subject: &str,
        recorded: Option<&Sealed>,
    ) -> Result<Sealer, VaultError> {
        let key = match (self, recorded) {
            (Self::Memory(memory), _) => memory.key(subject)?,
            (Self::Postgres(keys), None) => Box::pin(keys.to_seal(subject)).await?,
            (Self::Postgres(keys), Some(recorded)) => Box::pin(keys.of_recorded(recorded)).await?,
        };
        let key = key.ok_or(VaultError::Erased)?;
        Ok(Sealer { subject: subject.to_owned(), key })
    }

    /// Opens a sealed text; none when its subject was erased.
    ///
    /// # Errors
    /// As the variants say.
    pub async fn open(&self, sealed: &Sealed) -> Result<Option<String>, VaultError> {
        let subject = &*sealed.subject;
        let Some(key) = self.opening_key(subject).await? else { return Ok(None) };
        match (key.open(sealed), self) {
            (Err(VaultError::Tampered), Self::Postgres(keys)) => {
                let late = Box::pin(keys.find_late(&BTreeSet::from([subject]))).await?;
                if let Some(None) = late.get(subject) {
                    return Ok(None);
                }
                opened(of_subject(&late, sealed), sealed).map(Some).ok_or(VaultError::Tampered)
            }
            (text, _) => text.map(Some),
        }
    }

    /// As [`Sealer::seal`], for bytes of any kind, such as a file, which needs PostgreSQL. What comes back is 29 bytes
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
            Self::Postgres(keys) => keys.of_any(subject).await?,
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
            Self::Postgres(keys) => keys.find(subject).await,
        }
    }

    /// Opens several texts, in their order, with one round trip for all their keys; none where the
    /// subject was erased, and where a text opens with none of its subject's keys: after an older copy of
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
                    let key = memory.key(subject)?;
                    keys.insert(subject.to_owned(), key.map(|key| vec![key]));
                }
            }
            Self::Postgres(held) => keys = held.find_all(&subjects).await?,
        }
        let mut texts: Vec<_> =
            sealed.iter().map(|sealed| opened(of_subject(&keys, sealed), sealed)).collect();
        let is_destroyed = |subject: &str| matches!(keys.get(subject), Some(None));
        let shut = sealed.iter().zip(&texts).filter(|(_, text)| text.is_none());
        let shut = shut.map(|(sealed, _)| &*sealed.subject);
        let shut: BTreeSet<&str> = shut.filter(|subject| !is_destroyed(subject)).collect();
        let late = match self {
            Self::Postgres(held) if !shut.is_empty() => Box::pin(held.find_late(&shut)).await?,
            Self::Postgres(_) | Self::Memory(_) => HashMap::new(),
        };
        for (sealed, text) in sealed.iter().zip(&mut texts) {
            let subject = &*sealed.subject;
            if text.is_none() && shut.contains(subject) {
                *text = opened(of_subject(&late, sealed), sealed);
                if text.is_none() && keys.contains_key(subject) {
                    tracing::warn!(
                        subject,
                        "a text does not open: its key is lost, or it was changed"
                    );
                }
            }
        }
        Ok(texts)
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
            Self::Postgres(keys) => Box::pin(keys.destroy(subjects)).await,
        }
    }

    /// Hands the keys that wait over to PostgreSQL, oldest first.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when something waits and PostgreSQL is away, or the log is. What was
    /// handed over until then stays so.
    pub async fn hand_over(&self) -> Result<HandedOver, VaultError> {
        match self {
            Self::Memory(_) => Ok(HandedOver { taken: 0, left: 0 }),
            Self::Postgres(keys) => keys.hand_over().await,
        }
    }
}

#[cfg(test)]
mod tests;
