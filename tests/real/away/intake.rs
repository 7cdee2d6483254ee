//! While PostgreSQL is away new appeals are taken, and what is said about those that are there: the keys wait beside
//! the log, and end up where all keys are, whoever was killed meanwhile, or are destroyed there.

use std::time::Duration;

use async_nats::jetstream;
use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{
        AddNoteRequest, AddNoteResponse, Appeal, ErasePersonalDataRequest, GetAppealRequest,
        SubmitAppealRequest, SubmitAppealResponse, Visibility,
    },
};
use doudi_server::{
    client::{Client, command_id},
    config::Secret,
    token,
};
use doudi_tests::{
    program, until,
    world::{Ground, World},
};
use tokio::time::timeout;
use tokio_postgres::{NoTls, types::FromSqlOwned};
use tonic::{Response, Status};

use super::{BOUND, ENTERPRISE};
use crate::real::{
    chaos::{Frozen, Link, family, pass},
    health::serving,
    load::{client, listening},
    requests::{reason, register, submit},
};

const CONTACT: &str = "张三 13800000000";
const WORDS: &str = "已电话联系";

async fn submitted(
    client: &Client,
    request: &SubmitAppealRequest,
) -> Result<SubmitAppealResponse, Status> {
    Ok(client.appeals.clone().submit_appeal(request.clone()).await?.into_inner())
}

fn note(appeal: &str) -> AddNoteRequest {
    AddNoteRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        visibility: Visibility::Public.into(),
        text: WORDS.to_owned(),
        ..<_>::default()
    }
}

async fn noted(client: &Client, request: &AddNoteRequest) -> Result<AddNoteResponse, Status> {
    Ok(client.handling.clone().add_note(request.clone()).await?.into_inner())
}

async fn erased(client: &Client, appeal: &str) -> Result<(), Status> {
    let request = ErasePersonalDataRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        ..<_>::default()
    };
    client.appeals.clone().erase_personal_data(request).await.map(drop)
}

/// An appeal as soon as it can be read.
async fn read(client: &Client, appeal: &str) -> Appeal {
    let request = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        ..<_>::default()
    };
    let ask = async || client.appeals.clone().get_appeal(request.clone()).await.ok();
    let answer = until(BOUND, ask).await.map(Response::into_inner);
    answer.expect("it can be read").appeal.unwrap()
}

/// Where keys wait.
async fn spool(servers: &Ground) -> (jetstream::Context, String) {
    let options = async_nats::ConnectOptions::with_token(servers.nats.token().to_owned());
    let context = jetstream::new(options.connect(servers.nats.url()).await.unwrap());
    (context, format!("{}_KEYS", servers.config.nats.stream))
}

/// How many keys wait.
async fn waiting(servers: &Ground) -> u64 {
    let (context, stream) = spool(servers).await;
    context.get_stream(stream).await.unwrap().cached_info().state.messages
}

/// What a question about an appeal's keys finds in the tables.
async fn found<T: FromSqlOwned>(servers: &Ground, question: &str, appeal: &str) -> Option<T> {
    let url = servers.postgres.url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query_opt(question, &[&format!("appeal:{appeal}")]).await.unwrap();
    row.map(|row| row.get(0))
}

/// Whether the table has the key of an appeal; none where it has no row for it.
async fn kept(servers: &Ground, appeal: &str) -> Option<bool> {
    let kept = "SELECT wrapped IS NOT NULL FROM vault.subject_key WHERE subject = $1";
    found(servers, kept, appeal).await
}

/// How many keys an appeal has besides the one that seals.
async fn further(servers: &Ground, appeal: &str) -> Option<i64> {
    let further = "SELECT count(*) FROM vault.further_key WHERE subject = $1";
    found(servers, further, appeal).await
}

/// Waits until no key waits any more.
async fn handed_over(servers: &Ground) {
    let none = until(BOUND, async || (waiting(servers).await == 0).then_some(()));
    none.await.expect("no key waits for ever");
}

/// What the enterprise submits while PostgreSQL is away, and what it says about the first of it and about what was
/// there; the second one's personal data are to be erased before it is back.
struct Meanwhile {
    submitted: [(SubmitAppealRequest, SubmitAppealResponse); 2],
    noted: Vec<(AddNoteRequest, AddNoteResponse)>,
}

async fn meanwhile(world: &World, earlier: &str) -> Meanwhile {
    let enterprise = world.enterprise(ENTERPRISE);
    let mut told = Vec::new();
    for _ in 0..2 {
        let request = submit(ENTERPRISE, "T06", CONTACT);
        let first = submitted(&enterprise, &request).await.unwrap();
        assert_eq!(submitted(&enterprise, &request).await.unwrap(), first, "the same again");
        assert!(first.case_token.starts_with("case."), "{first:?}");
        told.push((request, first));
    }
    let [first, second] = told.try_into().unwrap();
    let other = SubmitAppealRequest { description: "别的".to_owned(), ..first.0.clone() };
    let reused = submitted(&enterprise, &other).await.unwrap_err();
    assert_eq!(reason(&reused), "COMMAND_ID_REUSED");
    let mut notes = Vec::new();
    for appeal in [earlier, &first.1.appeal_id] {
        let request = note(appeal);
        let taken = noted(&enterprise, &request).await.unwrap();
        assert_eq!(noted(&enterprise, &request).await.unwrap(), taken, "the same again");
        let other = AddNoteRequest { text: "别的".to_owned(), ..request.clone() };
        let reused = noted(&enterprise, &other).await.unwrap_err();
        assert_eq!(reason(&reused), "COMMAND_ID_REUSED");
        notes.push((request, taken));
    }
    let refused = erased(&world.role(Role::Admin), &second.1.appeal_id).await.unwrap_err();
    assert_eq!(reason(&refused), "VAULT_UNAVAILABLE", "ordered, and still to be done");
    // That it was ordered is in the log, whether or not its key is destroyed.
    let refused = noted(&enterprise, &note(&second.1.appeal_id)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERSONAL_DATA_ERASED");
    let SubmitAppealResponse { appeal_id, case_token, .. } =
        submitted(&enterprise, &second.0).await.unwrap();
    assert_eq!(
        (&appeal_id, case_token.as_str()),
        (&second.1.appeal_id, ""),
        "what was said is not compared"
    );
    assert_eq!(waiting(&world.ground).await, 3);
    Meanwhile { submitted: [first, second], noted: notes }
}

#[tokio::test(flavor = "multi_thread")]
async fn appeals_are_taken_while_postgresql_is_away_and_read_and_erased_once_it_is_back() {
    let mut world = World::start().await;
    let channel = world.running.channel.clone();
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let (enterprise, desk) = (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let before = submit(ENTERPRISE, "T06", CONTACT);
    let earlier = submitted(&enterprise, &before).await.unwrap();
    assert_eq!(waiting(&world.ground).await, 0);
    world.ground.postgres.kill9().await.unwrap();
    serving(&channel, true, false).await;
    // Its first try may have been sealed with a key that is in the table alone.
    let again = submitted(&enterprise, &before).await.unwrap_err();
    assert_eq!(reason(&again), "VAULT_UNAVAILABLE");
    let told = Box::pin(meanwhile(&world, &earlier.appeal_id)).await;
    let [(request, first), (_, second)] = told.submitted;
    let appeal = &first.appeal_id;

    world.ground.postgres.restart().await.unwrap();
    serving(&channel, true, true).await;
    let shown = read(&desk, appeal).await;
    assert_eq!((shown.contact.as_str(), shown.description.as_str()), (CONTACT, "报装两周未答复"));
    let same = async || {
        for (request, taken) in &told.noted {
            assert_eq!(noted(&enterprise, request).await.unwrap(), *taken);
            let shown = read(&desk, &request.appeal_id).await;
            let [note] = &shown.notes[..] else { panic!("there is one note: {shown:?}") };
            assert_eq!((shown.contact.as_str(), note.text.as_str()), (CONTACT, WORDS));
        }
    };
    same().await;
    handed_over(&world.ground).await;
    same().await;
    assert_eq!(kept(&world.ground, appeal).await, Some(true));
    assert_eq!(submitted(&enterprise, &request).await.unwrap(), first);
    assert_eq!(submitted(&enterprise, &before).await.unwrap(), earlier);
    noted(&enterprise, &note(appeal)).await.unwrap();
    assert_eq!(read(&desk, appeal).await.notes[1].text, WORDS);

    let gone = until(BOUND, async || {
        (kept(&world.ground, &second.appeal_id).await == Some(false)).then_some(())
    });
    gone.await.expect("what was ordered meanwhile is done");
    for appeal in [appeal, &earlier.appeal_id] {
        erased(&world.role(Role::Admin), appeal).await.unwrap();
        assert_eq!(kept(&world.ground, appeal).await, Some(false));
    }
    for appeal in [appeal, &earlier.appeal_id, &second.appeal_id] {
        let shown = read(&desk, appeal).await;
        assert_eq!((shown.contact.as_str(), shown.erased), ("", true));
        assert!(shown.notes.iter().all(|note| note.text.is_empty()), "{shown:?}");
    }
    assert_eq!(waiting(&world.ground).await, 0);
    drop(channel);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_an_outage_and_its_end_loses_no_key() {
    let World { ground: mut servers, running } = World::start().await;
    running.stop().await;
    let listen = program::free_address();
    let mut doudi = program::role(&servers.config, listen, "all");
    listening(listen).await;
    let claims = token::claims(Role::Enterprise);
    let claims = Claims { enterprise: Some(ENTERPRISE.to_owned()), ..claims };
    let enterprise = client(&servers, listen, &claims);
    servers.postgres.kill9().await.unwrap();
    let request = submit(ENTERPRISE, "T06", CONTACT);
    let first = until(BOUND, async || submitted(&enterprise, &request).await.ok()).await;
    let first = first.expect("it is taken without PostgreSQL");
    doudi.kill().await.unwrap();
    assert_eq!(waiting(&servers).await, 1);
    servers.postgres.restart().await.unwrap();
    assert_eq!(kept(&servers, &first.appeal_id).await, None, "nobody was there to hand it over");

    let mut doudi = program::role(&servers.config, listen, "all");
    listening(listen).await;
    assert_eq!(read(&enterprise, &first.appeal_id).await.contact, CONTACT);
    handed_over(&servers).await;
    assert_eq!(kept(&servers, &first.appeal_id).await, Some(true));
    assert_eq!(read(&enterprise, &first.appeal_id).await.contact, CONTACT);
    assert_eq!(submitted(&enterprise, &request).await.unwrap(), first);
    doudi.kill().await.unwrap();
}

/// How long a new appeal may take where one of the two that could keep its key does not.
const AT_ONCE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn appeals_are_taken_while_postgresql_stands_still_and_while_no_key_can_wait() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let (enterprise, desk) = (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let taken = async |request: &SubmitAppealRequest| {
        let taken = timeout(AT_ONCE, submitted(&enterprise, request)).await;
        taken.expect("in time").unwrap()
    };
    let [first, second] = [(); 2].map(|()| submit(ENTERPRISE, "T06", CONTACT));
    let frozen = Frozen::of(&family(world.ground.postgres.pid()));
    let said = taken(&first).await;
    assert_eq!(waiting(&world.ground).await, 1);
    assert_eq!(taken(&first).await, said, "the same again");
    drop(frozen);
    handed_over(&world.ground).await;
    assert_eq!(kept(&world.ground, &said.appeal_id).await, Some(true));
    assert_eq!(read(&desk, &said.appeal_id).await.contact, CONTACT);

    let (context, stream) = spool(&world.ground).await;
    context.delete_stream(stream).await.unwrap();
    let said = taken(&second).await;
    assert_eq!(kept(&world.ground, &said.appeal_id).await, Some(true));
    assert_eq!(taken(&second).await, said, "the same again");
    assert_eq!(read(&desk, &said.appeal_id).await.contact, CONTACT);
    world.stop().await;
}

/// Longer than PostgreSQL is waited for before a key waits, and than these questions take.
const STANDS_STILL: Duration = Duration::from_secs(20);
/// Within this somebody who was asked has looked what is on record, and waits for PostgreSQL.
const LOOKED_WITHIN: Duration = Duration::from_secs(2);

/// That it cannot be told without PostgreSQL.
fn unknown(status: &Status) {
    assert_eq!(reason(status), "VAULT_UNAVAILABLE");
}

/// What the one that has PostgreSQL answers once the other has looked, which answers the same or that it cannot tell.
async fn given_twice<T: PartialEq + std::fmt::Debug>(
    near: impl Future<Output = Result<T, Status>>,
    far: impl Future<Output = Result<T, Status>>,
) -> T {
    let near = async {
        pass(LOOKED_WITHIN).await;
        near.await.unwrap()
    };
    let (told, late) = tokio::join!(near, far);
    late.map(|late| assert_eq!(late, told)).unwrap_or_else(|status| unknown(&status));
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_through_one_that_has_postgresql_and_one_that_waits_for_it_is_no_other_command() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let url = world.ground.postgres.url();
    let address = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
    let link = Link::to(address).await;
    let mut config = world.ground.config.clone();
    config.postgres.url = Secret::new(url.replace(address, &link.address.to_string()));
    let listen = program::free_address();
    let mut other = program::role(&config, listen, "serve");
    listening(listen).await;
    let claims = token::claims(Role::Enterprise);
    let claims = Claims { enterprise: Some(ENTERPRISE.to_owned()), ..claims };
    let (near, far) = (world.enterprise(ENTERPRISE), client(&world.ground, listen, &claims));

    let request = submit(ENTERPRISE, "T06", CONTACT);
    link.hold_up(STANDS_STILL);
    let told = given_twice(submitted(&near, &request), submitted(&far, &request)).await;
    // It sealed the same under a key of its own, before it looked once more.
    handed_over(&world.ground).await;
    assert_eq!(further(&world.ground, &told.appeal_id).await, Some(1));
    let said = note(&told.appeal_id);
    let answered = given_twice(noted(&near, &said), noted(&far, &said)).await;
    handed_over(&world.ground).await;
    assert_eq!(further(&world.ground, &said.appeal_id).await, Some(2));

    link.hold_up(Duration::ZERO);
    let again = until(BOUND, async || submitted(&far, &request).await.inspect_err(unknown).ok());
    assert_eq!(again.await, Some(told));
    let again = until(BOUND, async || noted(&far, &said).await.inspect_err(unknown).ok());
    assert_eq!(again.await, Some(answered));
    other.kill().await.unwrap();
    world.stop().await;
}
