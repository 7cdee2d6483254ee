//! The key vault in PostgreSQL: one key a subject whoever asks first, rotation, erasure everywhere, and those
//! that wait while PostgreSQL is away.

use std::{collections::BTreeMap, sync::Arc};

use doudi_domain::Sealed;
use doudi_engine::{HandedOver, MasterKeys, Vault, VaultError};
use doudi_journal::{MemorySpool, Spool};
use doudi_tests::pg::PgServer;
use doudi_views::{
    deadpool_postgres::{Manager, Pool, Runtime},
    tokio_postgres::NoTls,
};
use futures::future::join_all;
use uuid::Uuid;

async fn vault(server: &PgServer, active: &str, keys: &[(&str, u8)]) -> Vault {
    with(server, active, keys, MemorySpool::new()).await
}

async fn with(server: &PgServer, active: &str, keys: &[(&str, u8)], spool: MemorySpool) -> Vault {
    let manager = Manager::new(server.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(8).runtime(Runtime::Tokio1).build().unwrap();
    let keys: BTreeMap<_, _> =
        keys.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; 32])).collect();
    let master = MasterKeys::new(active.to_owned(), keys).unwrap();
    Vault::postgres(pool, master, Spool::Memory(spool)).await.unwrap()
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
            tokio::spawn(async move {
                vault.sealer(&subject, None).await.unwrap().seal("contact", Uuid::nil(), "张")
            })
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
    let old =
        before.sealer("appeal:1", None).await.unwrap().seal("contact", Uuid::nil(), "旧").unwrap();
    let after = vault(&server, "b", &[("a", 1), ("b", 2)]).await;
    assert_eq!(after.open(&old).await.unwrap().as_deref(), Some("旧"));
    let new =
        after.sealer("appeal:2", None).await.unwrap().seal("contact", Uuid::nil(), "新").unwrap();
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
    let sealed =
        here.sealer("appeal:1", None).await.unwrap().seal("contact", Uuid::nil(), "张").unwrap();
    assert_eq!(there.open(&sealed).await.unwrap().as_deref(), Some("张"));
    here.destroy(&["appeal:1", "appeal:2"]).await.unwrap();
    here.destroy(&["appeal:1"]).await.unwrap();
    assert_eq!(there.open(&sealed).await.unwrap(), None);
    for subject in ["appeal:1", "appeal:2"] {
        let refused = there.sealer(subject, None).await;
        assert!(matches!(refused, Err(VaultError::Erased)), "{subject} was erased");
    }
    assert_eq!(keys(&server).await, 0);
}

/// How many keys the tables hold.
async fn keys(server: &PgServer) -> i64 {
    let url = server.url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let left = "SELECT (SELECT count(*) FROM vault.subject_key WHERE wrapped IS NOT NULL) + \
        (SELECT count(*) FROM vault.further_key)";
    let left = client.query_one(left, &[]).await.unwrap().get(0);
    drop(client);
    connection.await.unwrap().unwrap();
    left
}

const SUBJECT: &str = "appeal:1";

/// Two vaults of one server, beside which the same waits, and what waits.
async fn two(server: &PgServer) -> (Vault, Vault, Spool) {
    let spool = MemorySpool::new();
    let one = with(server, "a", &[("a", 1)], spool.clone()).await;
    let two = with(server, "a", &[("a", 1)], spool.clone()).await;
    (one, two, Spool::Memory(spool))
}

/// What the subject begins with, sealed.
async fn begun(vault: &Vault, recorded: Option<&Sealed>) -> Result<Sealed, VaultError> {
    vault.sealer(SUBJECT, recorded).await?.seal("contact", Uuid::nil(), "张")
}

async fn noted(vault: &Vault, recorded: Option<&Sealed>) -> Result<Sealed, VaultError> {
    vault.sealer(SUBJECT, recorded).await?.seal("note", Uuid::nil(), "记")
}

/// What of the subject is read.
async fn read(vault: &Vault, sealed: &[&Sealed]) -> Vec<String> {
    let opened = vault.open_all(sealed).await.unwrap();
    opened.into_iter().map(Option::unwrap_or_default).collect()
}

async fn waiting(spool: &Spool) -> usize {
    spool.after(0, 100).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_a_new_subject_gets_one_key_that_is_handed_over_later() {
    let mut server = PgServer::start().await.unwrap();
    let (here, there, spool) = two(&server).await;
    server.kill9().await.unwrap();
    let first = begun(&here, None).await.unwrap();
    assert_eq!(begun(&there, None).await.unwrap(), first, "one key, whoever makes it");
    assert_eq!(begun(&there, Some(&first)).await.unwrap(), first, "a repetition");
    let note = noted(&here, None).await.unwrap();
    // Nothing is opened without the table, which may have destroyed the key.
    for refused in [there.open(&first).await.map(drop), here.hand_over().await.map(drop)] {
        assert!(matches!(refused, Err(VaultError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(waiting(&spool).await, 1);
    server.restart().await.unwrap();
    // It serves before it was handed over as well.
    assert_eq!(there.open(&first).await.unwrap().as_deref(), Some("张"));
    assert_eq!(read(&here, &[&first]).await, ["张"]);
    assert_eq!(noted(&there, None).await.unwrap(), note);
    let handed = HandedOver { taken: 1, left: 0 };
    assert_eq!(here.hand_over().await.unwrap(), handed);
    assert_eq!(waiting(&spool).await, 0);
    assert_eq!(read(&there, &[&note, &first]).await, ["记", "张"]);
    for recorded in [None, Some(&first)] {
        assert_eq!(begun(&here, recorded).await.unwrap(), first);
    }
    assert_eq!(here.hand_over().await.unwrap(), HandedOver { taken: 0, ..handed });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_of_one_subject_open_what_they_sealed_and_go_together() {
    let mut server = PgServer::start().await.unwrap();
    let (here, there, spool) = two(&server).await;
    let note = noted(&here, None).await.unwrap();
    server.kill9().await.unwrap();
    let first = begun(&there, None).await.unwrap();
    // What was sealed under the one that is in the table cannot be sealed again without it.
    let again = noted(&there, Some(&note)).await;
    assert!(matches!(again, Err(VaultError::Unavailable(_))), "{again:?}");
    server.restart().await.unwrap();
    assert_eq!(read(&here, &[&first, &note]).await, ["张", "记"]);
    let handed = here.hand_over().await.unwrap();
    assert_eq!(handed, HandedOver { taken: 1, left: 0 });
    assert_eq!(waiting(&spool).await, 0);
    assert_eq!(read(&there, &[&note, &first]).await, ["记", "张"]);
    for (sealed, text) in [(&first, "张"), (&note, "记")] {
        assert_eq!(here.open(sealed).await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(begun(&here, Some(&first)).await.unwrap(), first, "as what is on record");
    for recorded in [None, Some(&note)] {
        assert_eq!(noted(&there, recorded).await.unwrap(), note, "as the table has it");
    }
    here.destroy(&[SUBJECT]).await.unwrap();
    assert_eq!(read(&there, &[&first, &note]).await, ["", ""]);
    assert_eq!(keys(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_waits_is_of_no_use_once_its_subject_is_erased() {
    let mut server = PgServer::start().await.unwrap();
    let (here, there, spool) = two(&server).await;
    server.kill9().await.unwrap();
    let first = begun(&here, None).await.unwrap();
    let left = spool.get(SUBJECT).await.unwrap().unwrap();
    server.restart().await.unwrap();
    there.destroy(&[SUBJECT]).await.unwrap();
    assert_eq!(waiting(&spool).await, 0);
    // As it would be there again after an older copy of the store came back.
    spool.put_first(SUBJECT, left.value).await.unwrap();
    assert_eq!(here.open(&first).await.unwrap(), None);
    assert_eq!(read(&here, &[&first]).await, [""]);
    for refused in [begun(&here, None).await, begun(&here, Some(&first)).await] {
        assert!(matches!(refused, Err(VaultError::Erased)), "{refused:?}");
    }
    let handed = here.hand_over().await.unwrap();
    assert_eq!((handed.taken, handed.left, waiting(&spool).await), (1, 0, 0));
    assert_eq!(there.open(&first).await.unwrap(), None);
}
