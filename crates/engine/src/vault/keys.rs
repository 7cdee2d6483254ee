//! The keys in PostgreSQL, and those that wait beside the log while it is away.
//!
//! Invariants: nothing is shown without the table, where a key that was destroyed is gone, whatever
//! waits. Under a key that waits texts are sealed, and no files. Where a subject has several, one more
//! for each time that PostgreSQL did not answer, the first that came there seals, and all open what they
//! sealed and are destroyed together.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use deadpool_postgres::Pool;
use doudi_domain::Sealed;
use doudi_journal::{Spool, Spooled};
use tokio::time::timeout;

use super::{
    HandedOver, MasterKeys, Source, VaultError,
    cipher::SubjectKey,
    postgres::{Held, Postgres},
    unavailable,
    wrapped::Wrapped,
};

/// How many keys are handed over from one look at those that wait.
const PAGE: usize = 500;

/// How long PostgreSQL may take before a key waits instead: one that stands still gives no error.
const PATIENCE: Duration = Duration::from_secs(3);

async fn in_time<T>(asked: impl Future<Output = Result<T, VaultError>>) -> Result<T, VaultError> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|late| Err(unavailable(late)))
}

/// What is known, or what cannot be reached that would know it.
fn known<T>(asked: Result<T, VaultError>) -> Result<(Option<T>, Option<Source>), VaultError> {
    match asked {
        Ok(known) => Ok((Some(known), None)),
        Err(VaultError::Unavailable(error)) => Ok((None, Some(error))),
        Err(error) => Err(error),
    }
}

/// Keys in PostgreSQL, and beside the log.
#[derive(Debug, Clone)]
pub struct Keys {
    table: Postgres,
    spool: Spool,
    master: Arc<MasterKeys>,
}

impl Keys {
    pub(super) async fn open(
        pool: Pool,
        master: MasterKeys,
        spool: Spool,
    ) -> Result<Self, VaultError> {
        let table = Postgres::open(pool).await?;
        Ok(Self { table, spool, master: Arc::new(master) })
    }

    /// The key that seals a subject's texts, made if there was none; none when it was destroyed. While PostgreSQL is
    /// away it is the one that waits, and waits from now on.
    pub(super) async fn to_seal(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        match in_time(self.table.find(subject)).await {
            Ok(Held::Nothing) => {
                let key = self.waiting_or_new(subject).await?;
                match in_time(self.table.insert(subject, &key)).await {
                    // Where only the answer got lost, the table has most likely the very key that waits.
                    Err(VaultError::Unavailable(error)) => self.wait(subject, &key, error).await,
                    held => self.opened(subject, &held?),
                }
            }
            Ok(held) => self.opened(subject, &held),
            Err(VaultError::Unavailable(error)) => {
                let key = Wrapped::generate(&self.master, subject)?;
                self.wait(subject, &key, error).await
            }
            Err(error) => Err(error),
        }
    }

    /// The key that waits for a subject: this one, if none does.
    async fn wait(
        &self,
        subject: &str,
        key: &Wrapped,
        error: Source,
    ) -> Result<Option<SubjectKey>, VaultError> {
        tracing::debug!(?error, "a key waits, for PostgreSQL cannot be reached");
        let first = self.spool.put_first(subject, key.write(subject)).await;
        let (_, first) = Wrapped::read(&first.map_err(unavailable)?.value)?;
        first.open(&self.master, subject).map(Some)
    }

    /// The key that opens what is on record of a subject; where none does, as for any subject.
    pub(super) async fn of_recorded(
        &self,
        recorded: &Sealed,
    ) -> Result<Option<SubjectKey>, VaultError> {
        let subject = &*recorded.subject;
        // In this order, so that one that is handed over meanwhile is found.
        let (waiting, unsure) = known(self.waiting(subject).await)?;
        let (stored, away) = known(in_time(self.stored(subject)).await)?;
        let Some(mut keys) = stored.unwrap_or_else(|| Some(vec![])) else { return Ok(None) };
        keys.extend(waiting.flatten());
        let mut keys = self.all(subject, &keys)?.into_iter();
        match (keys.find(|key| key.open(recorded).is_ok()), away.or(unsure)) {
            (Some(key), _) => Ok(Some(key)),
            (None, Some(error)) => Err(VaultError::Unavailable(error)),
            (None, None) => self.of_any(subject).await,
        }
    }

    /// The key that PostgreSQL has of a subject, made if there was none; none when it was destroyed.
    pub(super) async fn of_any(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        match self.table.find(subject).await? {
            Held::Nothing => Box::pin(self.made(subject)).await,
            held @ (Held::Key(_) | Held::Destroyed) => self.opened(subject, &held),
        }
    }

    /// The key of a subject for whom the table had none: the one that waits, or a new one.
    async fn made(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        let key = self.waiting_or_new(subject).await?;
        self.opened(subject, &self.table.insert(subject, &key).await?)
    }

    /// The key that a subject has; none when it was destroyed or never made.
    pub(super) async fn find(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        match self.table.find(subject).await? {
            Held::Nothing => {
                let late = Box::pin(self.late(subject)).await?;
                Ok(late.and_then(|keys| keys.into_iter().next()))
            }
            held @ (Held::Key(_) | Held::Destroyed) => self.opened(subject, &held),
        }
    }

    /// All keys that the tables have of subjects; none of one whose keys were destroyed, no entry for one of whom they
    /// have none.
    pub(super) async fn find_all(
        &self,
        subjects: &[&str],
    ) -> Result<HashMap<String, Option<Vec<SubjectKey>>>, VaultError> {
        let mut keys = HashMap::new();
        for (subject, stored) in self.table.keys_of(subjects).await? {
            let stored = stored.map(|stored| self.all(&subject, &stored)).transpose()?;
            keys.insert(subject, stored);
        }
        Ok(keys)
    }

    /// All keys that the tables have of a subject; none when they were destroyed.
    async fn stored(&self, subject: &str) -> Result<Option<Vec<Wrapped>>, VaultError> {
        let mut keys = self.table.keys_of(&[subject]).await?;
        Ok(keys.remove(subject).unwrap_or_else(|| Some(vec![])))
    }

    /// All keys of those for whom the tables had none that opens a text; none of one whose keys were destroyed by now.
    pub(super) async fn find_late(
        &self,
        subjects: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Option<Vec<SubjectKey>>>, VaultError> {
        let mut keys = HashMap::new();
        for subject in subjects {
            keys.insert((*subject).to_owned(), self.late(subject).await?);
        }
        Ok(keys)
    }

    /// All keys of a subject, the one that waits too; none when they were destroyed.
    async fn late(&self, subject: &str) -> Result<Option<Vec<SubjectKey>>, VaultError> {
        // In this order, so that one that is handed over meanwhile is found.
        let waiting = self.waiting(subject).await?;
        let Some(mut keys) = self.stored(subject).await? else { return Ok(None) };
        keys.extend(waiting);
        self.all(subject, &keys).map(Some)
    }

    fn all(&self, subject: &str, keys: &[Wrapped]) -> Result<Vec<SubjectKey>, VaultError> {
        keys.iter().map(|key| key.open(&self.master, subject)).collect()
    }

    /// Destroys keys, in the table first: after that nobody believes one that waits.
    pub(super) async fn destroy(&self, subjects: &[&str]) -> Result<(), VaultError> {
        self.table.destroy(subjects).await?;
        for subject in subjects {
            if let Some(waiting) = self.spool.get(subject).await.map_err(unavailable)? {
                self.spool.remove(&waiting).await.map_err(unavailable)?;
            }
        }
        Ok(())
    }

    /// Hands over what waits.
    pub(super) async fn hand_over(&self) -> Result<HandedOver, VaultError> {
        let (mut handed, mut looked) = (HandedOver { taken: 0, left: 0 }, 0);
        loop {
            let page = self.spool.after(looked, PAGE).await.map_err(unavailable)?;
            let Some(last) = page.last() else { return Ok(handed) };
            looked = last.sequence;
            for waiting in &page {
                match self.take_over(waiting).await? {
                    true => handed.taken += 1,
                    false => handed.left += 1,
                }
            }
        }
    }

    /// Whether a key need not wait any longer: the tables have it, or its subject's were destroyed.
    async fn take_over(&self, waiting: &Spooled) -> Result<bool, VaultError> {
        let Ok((subject, key)) = Wrapped::read(&waiting.value) else { return Ok(false) };
        match self.table.insert(&subject, &key).await? {
            Held::Key(held) if held != key => self.table.add(&subject, &key).await?,
            Held::Key(_) | Held::Destroyed => {}
            Held::Nothing => return Ok(false),
        }
        self.spool.remove(waiting).await.map_err(unavailable)?;
        Ok(true)
    }

    /// The key that waits for a subject for whom the table has none, or a new one.
    async fn waiting_or_new(&self, subject: &str) -> Result<Wrapped, VaultError> {
        match self.waiting(subject).await {
            Ok(Some(waiting)) => Ok(waiting),
            Ok(None) => Wrapped::generate(&self.master, subject),
            // Should one wait after all, it is a further one of this subject.
            Err(VaultError::Unavailable(error)) => {
                tracing::debug!(?error, "it cannot be told whether a key waits");
                Wrapped::generate(&self.master, subject)
            }
            Err(error) => Err(error),
        }
    }

    /// The key that waits for a subject.
    async fn waiting(&self, subject: &str) -> Result<Option<Wrapped>, VaultError> {
        let found = self.spool.get(subject).await.map_err(unavailable)?;
        found.map(|found| Ok(Wrapped::read(&found.value)?.1)).transpose()
    }

    /// The key that the table holds; none where it holds none.
    fn opened(&self, subject: &str, held: &Held) -> Result<Option<SubjectKey>, VaultError> {
        match held {
            Held::Key(wrapped) => wrapped.open(&self.master, subject).map(Some),
            Held::Destroyed | Held::Nothing => Ok(None),
        }
    }
}
