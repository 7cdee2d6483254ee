//! The vault's schema and its few statements.

use std::collections::HashMap;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;

use super::{VaultError, unavailable, wrapped::Wrapped};

/// Applied in order, each once, under a lock; never edited after a release.
const MIGRATIONS: [&str; 2] = [
    "CREATE TABLE vault.subject_key (
        subject text PRIMARY KEY,
        master_key text,
        wrapped bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        destroyed_at timestamptz,
        CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
    )",
    "CREATE TABLE vault.further_key (
        subject text REFERENCES vault.subject_key,
        master_key text NOT NULL,
        wrapped bytea,
        PRIMARY KEY (subject, wrapped)
    )",
];

/// An arbitrary number that all doudi processes agree on.
const MIGRATION_LOCK: i64 = 0x646f_7564_6976;

/// The tables of keys in the schema `vault`: one key for each subject, and further ones, under which texts of an outage are sealed.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    pool: Pool,
}

/// What the tables hold for a subject.
pub(super) enum Held {
    /// Its key.
    Key(Wrapped),
    /// The mark that its key was destroyed.
    Destroyed,
    /// Nothing: no key was ever stored.
    Nothing,
}

/// What a row of master key and wrapped key says.
fn held(row: &Row) -> Result<Held, VaultError> {
    let master_key: Option<String> = row.try_get(0).map_err(unavailable)?;
    let bytes: Option<Vec<u8>> = row.try_get(1).map_err(unavailable)?;
    Ok(match master_key.zip(bytes) {
        Some((master_key, bytes)) => Held::Key(Wrapped { master_key, bytes }),
        None => Held::Destroyed,
    })
}

impl Postgres {
    pub(super) async fn open(pool: Pool) -> Result<Self, VaultError> {
        let vault = Self { pool };
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

    /// Stores a key unless the subject has or had one, and gives what it has then. One round trip where
    /// nobody else stores one at the same moment.
    pub(super) async fn insert(&self, subject: &str, key: &Wrapped) -> Result<Held, VaultError> {
        let statement = "WITH made AS (
                INSERT INTO vault.subject_key (subject, master_key, wrapped)
                VALUES ($1, $2, $3) ON CONFLICT (subject) DO NOTHING
                RETURNING master_key, wrapped
            )
            SELECT master_key, wrapped FROM made UNION ALL
            SELECT master_key, wrapped FROM vault.subject_key WHERE subject = $1";
        let Wrapped { master_key, bytes } = key;
        let client = self.client().await?;
        let insert = client.prepare_cached(statement).await.map_err(unavailable)?;
        let row = client.query_opt(&insert, &[&subject, master_key, bytes]).await;
        drop(client);
        match row.map_err(unavailable)? {
            Some(row) => held(&row),
            // Made by somebody else after this statement began, so that it saw nothing.
            None => self.find(subject).await,
        }
    }

    /// What a subject has.
    pub(super) async fn find(&self, subject: &str) -> Result<Held, VaultError> {
        let client = self.client().await?;
        let select = "SELECT master_key, wrapped FROM vault.subject_key WHERE subject = $1";
        let select = client.prepare_cached(select).await.map_err(unavailable)?;
        match client.query_opt(&select, &[&subject]).await.map_err(unavailable)? {
            Some(row) => held(&row),
            None => Ok(Held::Nothing),
        }
    }

    /// All keys of subjects, the one that seals first: none of one whose keys were destroyed, no entry for one that never
    /// had any.
    pub(super) async fn keys_of(
        &self,
        subjects: &[&str],
    ) -> Result<HashMap<String, Option<Vec<Wrapped>>>, VaultError> {
        let client = self.client().await?;
        let select = "SELECT master_key, wrapped, subject, false AS further
            FROM vault.subject_key WHERE subject = ANY($1) UNION ALL
            SELECT master_key, wrapped, subject, true
            FROM vault.further_key WHERE subject = ANY($1) ORDER BY further";
        let select = client.prepare_cached(select).await.map_err(unavailable)?;
        let mut keys = HashMap::new();
        for row in client.query(&select, &[&subjects]).await.map_err(unavailable)? {
            let subject: String = row.try_get(2).map_err(unavailable)?;
            let of_subject = keys.entry(subject).or_insert_with(|| Some(vec![]));
            match (held(&row)?, of_subject) {
                (Held::Key(key), Some(keys)) => keys.push(key),
                (Held::Destroyed, keys) => *keys = None,
                (Held::Key(_), None) | (Held::Nothing, _) => {}
            }
        }
        Ok(keys)
    }

    /// Stores a key beside the one that its subject has, unless that was destroyed.
    pub(super) async fn add(&self, subject: &str, key: &Wrapped) -> Result<(), VaultError> {
        // A destruction at the same moment waits for this, or this for it, and then finds nothing.
        let statement = "WITH kept AS (
                SELECT subject FROM vault.subject_key
                WHERE subject = $1 AND wrapped IS NOT NULL FOR SHARE
            )
            INSERT INTO vault.further_key (subject, master_key, wrapped)
            SELECT subject, $2, $3 FROM kept ON CONFLICT DO NOTHING";
        let Wrapped { master_key, bytes } = key;
        let client = self.client().await?;
        let insert = client.prepare_cached(statement).await.map_err(unavailable)?;
        client.execute(&insert, &[&subject, master_key, bytes]).await.map_err(unavailable)?;
        Ok(())
    }

    pub(super) async fn destroy(&self, subjects: &[&str]) -> Result<(), VaultError> {
        let upsert = "INSERT INTO vault.subject_key (subject, destroyed_at)
            SELECT unnest($1::text[]), now() ON CONFLICT (subject) DO UPDATE
            SET wrapped = NULL, master_key = NULL, destroyed_at = now()
            WHERE vault.subject_key.destroyed_at IS NULL";
        // Of its own, so that it sees what was added until those rows were changed.
        let delete = "DELETE FROM vault.further_key WHERE subject = ANY($1)";
        let mut client = self.client().await?;
        let tx = client.transaction().await.map_err(unavailable)?;
        for statement in [upsert, delete] {
            let statement = tx.prepare_cached(statement).await.map_err(unavailable)?;
            tx.execute(&statement, &[&subjects]).await.map_err(unavailable)?;
        }
        tx.commit().await.map_err(unavailable)
    }
}
