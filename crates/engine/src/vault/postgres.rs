//! The vault's schema and its few statements.

use std::{collections::HashMap, sync::Arc};

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;

use super::{MasterKeys, VaultError, cipher::SubjectKey};

/// Applied in order, each once, under a lock; never edited after a release.
const MIGRATIONS: [&str; 1] = ["CREATE TABLE vault.subject_key (
    subject text PRIMARY KEY,
    master_key text,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
)"];

/// An arbitrary number that all doudi processes agree on.
const MIGRATION_LOCK: i64 = 0x646f_7564_6976;

/// Keys in the schema `vault`.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: Pool,
    master: Arc<MasterKeys>,
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Unavailable(Box::new(error))
}

impl Postgres {
    pub(super) async fn open(pool: Pool, master: MasterKeys) -> Result<Self, VaultError> {
        let vault = Self { pool, master: Arc::new(master) };
        vault.migrate().await?;
        Ok(vault)
    }

    async fn client(&self) -> Result<Object, VaultError> {
        self.pool.get().await.map_err(unavailable)
    }

    async fn migrate(&self) -> Result<(), VaultError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await.map_err(unavailable)?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])
            .await
            .map_err(unavailable)?;
        tx.batch_execute(
            "CREATE SCHEMA IF NOT EXISTS vault;
             CREATE TABLE IF NOT EXISTS vault.migration (
                 number integer PRIMARY KEY,
                 applied_at timestamptz NOT NULL DEFAULT now()
             )",
        )
        .await
        .map_err(unavailable)?;
        let done = "SELECT coalesce(max(number), 0) FROM vault.migration";
        let done: i32 = tx.query_one(done, &[]).await.map_err(unavailable)?.get(0);
        for (number, statements) in (1_i32..).zip(MIGRATIONS) {
            if number > done {
                tx.batch_execute(statements).await.map_err(unavailable)?;
                tx.execute("INSERT INTO vault.migration (number) VALUES ($1)", &[&number])
                    .await
                    .map_err(unavailable)?;
            }
        }
        tx.commit().await.map_err(unavailable)
    }

    /// The subject's key, made if there was none; none when it was destroyed. One round trip where
    /// nobody else makes the same key at the same moment.
    pub(super) async fn create(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        let MasterKeys { active, keys } = self.master.as_ref();
        let master =
            keys.get(active).ok_or_else(|| VaultError::MasterKeyMissing(active.clone()))?;
        let wrapped = SubjectKey::generate().wrap(master, subject)?;
        let statement = "WITH made AS (
                INSERT INTO vault.subject_key (subject, master_key, wrapped)
                VALUES ($1, $2, $3) ON CONFLICT (subject) DO NOTHING
                RETURNING master_key, wrapped
            )
            SELECT master_key, wrapped FROM made UNION ALL
            SELECT master_key, wrapped FROM vault.subject_key WHERE subject = $1";
        let client = self.client().await?;
        let insert = client.prepare_cached(statement).await.map_err(unavailable)?;
        let row =
            client.query_opt(&insert, &[&subject, active, &wrapped]).await.map_err(unavailable)?;
        drop(client);
        match row {
            Some(row) => self.unwrap(subject, &row),
            // Made by somebody else after this statement began, so that it saw nothing.
            None => self.find(subject).await,
        }
    }

    /// The subject's key; none when it was destroyed or never made.
    pub(super) async fn find(&self, subject: &str) -> Result<Option<SubjectKey>, VaultError> {
        let client = self.client().await?;
        let select = "SELECT master_key, wrapped FROM vault.subject_key WHERE subject = $1";
        let select = client.prepare_cached(select).await.map_err(unavailable)?;
        match client.query_opt(&select, &[&subject]).await.map_err(unavailable)? {
            Some(row) => self.unwrap(subject, &row),
            None => Ok(None),
        }
    }

    /// The subjects' keys; none for one that was destroyed, no entry for one that was never made.
    pub(super) async fn find_all(
        &self,
        subjects: &[&str],
    ) -> Result<HashMap<String, Option<SubjectKey>>, VaultError> {
        let client = self.client().await?;
        let select = "SELECT master_key, wrapped, subject FROM vault.subject_key
            WHERE subject = ANY($1)";
        let select = client.prepare_cached(select).await.map_err(unavailable)?;
        let rows = client.query(&select, &[&subjects]).await.map_err(unavailable)?;
        let key = |row: &Row| {
            let subject: String = row.try_get(2).map_err(unavailable)?;
            let key = self.unwrap(&subject, row)?;
            Ok((subject, key))
        };
        rows.iter().map(key).collect()
    }

    /// The key in a row; none when it was destroyed.
    fn unwrap(&self, subject: &str, row: &Row) -> Result<Option<SubjectKey>, VaultError> {
        let master: Option<String> = row.try_get(0).map_err(unavailable)?;
        let wrapped: Option<Vec<u8>> = row.try_get(1).map_err(unavailable)?;
        let Some((id, wrapped)) = master.zip(wrapped) else { return Ok(None) };
        let known = self.master.keys.get(&id);
        let master = known.ok_or(VaultError::MasterKeyMissing(id))?;
        SubjectKey::unwrap(master, subject, &wrapped).map(Some)
    }

    pub(super) async fn destroy(&self, subjects: &[&str]) -> Result<(), VaultError> {
        let statement = "INSERT INTO vault.subject_key (subject, destroyed_at)
            SELECT unnest($1::text[]), now() ON CONFLICT (subject) DO UPDATE
            SET wrapped = NULL, master_key = NULL, destroyed_at = now()
            WHERE vault.subject_key.destroyed_at IS NULL";
        let client = self.client().await?;
        let upsert = client.prepare_cached(statement).await.map_err(unavailable)?;
        client.execute(&upsert, &[&subjects]).await.map_err(unavailable)?;
        Ok(())
    }
}
