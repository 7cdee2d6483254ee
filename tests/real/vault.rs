//! The key vault in PostgreSQL: one key a subject whoever asks first, rotation, erasure everywhere.

use std::{collections::BTreeMap, sync::Arc};

use doudi_engine::{MasterKeys, Vault, VaultError};
use doudi_tests::pg::PgServer;
use doudi_views::{
    deadpool_postgres::{Manager, Pool, Runtime},
    tokio_postgres::NoTls,
};
use futures::future::join_all;
use uuid::Uuid;

async fn vault(server: &PgServer, active: &str, keys: &[(&str, u8)]) -> Vault {
    let manager = Manager::new(server.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(8).runtime(Runtime::Tokio1).build().unwrap();
    let keys: BTreeMap<_, _> =
        keys.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; 32])).collect();
    Vault::postgres(pool, MasterKeys::new(active.to_owned(), keys).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_seals_first_all_seal_under_one_key() {
    let server = PgServer::start().await.unwrap();
    let vaults: Vec<Arc<Vault>> =
        join_all((0..4).map(|_| async { Arc::new(vault(&server, "a", &[("a", 1)]).await) })).await;
    for round in 0..20 {
        let subject = format!("appeal:{round}");
        let seals = vaults.iter().map(|vault| {
            let (vault, subject) = (vault.clone(), subject.clone());
            tokio::spawn(async move { vault.seal(&subject, "contact", Uuid::nil(), "张").await })
        });
        let sealed: Vec<_> =
            join_all(seals).await.into_iter().map(|seal| seal.unwrap().unwrap()).collect();
        assert!(sealed.iter().all(|one| *one == sealed[0]), "two keys for {subject}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_master_key_opens_the_old_and_wraps_the_new() {
    let server = PgServer::start().await.unwrap();
    let before = vault(&server, "a", &[("a", 1)]).await;
    let old = before.seal("appeal:1", "contact", Uuid::nil(), "旧").await.unwrap();
    let after = vault(&server, "b", &[("a", 1), ("b", 2)]).await;
    assert_eq!(after.open(&old).await.unwrap().as_deref(), Some("旧"));
    let new = after.seal("appeal:2", "contact", Uuid::nil(), "新").await.unwrap();
    let missing = before.open(&new).await.unwrap_err();
    assert!(matches!(missing, VaultError::MasterKeyMissing(id) if id == "b"));
    let wrong = vault(&server, "a", &[("a", 9)]).await;
    assert!(matches!(wrong.open(&old).await, Err(VaultError::Tampered)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_holds_in_every_process_at_once_and_leaves_no_key() {
    let server = PgServer::start().await.unwrap();
    let (here, there) =
        (vault(&server, "a", &[("a", 1)]).await, vault(&server, "a", &[("a", 1)]).await);
    let sealed = here.seal("appeal:1", "contact", Uuid::nil(), "张").await.unwrap();
    assert_eq!(there.open(&sealed).await.unwrap().as_deref(), Some("张"));
    here.destroy(&["appeal:1", "appeal:2"]).await.unwrap();
    here.destroy(&["appeal:1"]).await.unwrap();
    assert_eq!(there.open(&sealed).await.unwrap(), None);
    for subject in ["appeal:1", "appeal:2"] {
        let refused = there.seal(subject, "contact", Uuid::nil(), "张").await;
        assert!(matches!(refused, Err(VaultError::Erased)), "{subject} was erased");
    }
    let url = server.url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let left = "SELECT count(*) FROM vault.subject_key WHERE wrapped IS NOT NULL";
    assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
    drop(client);
    connection.await.unwrap().unwrap();
}
