//! The drill of deploy/README.md where everything was lost: keys, attachments, log and tables come back on new servers
//! by the very lines of the document, and what was erased before or after the dump stays erased.

use std::{collections::BTreeSet, iter::once};

use doudi_api::{
    permission::Role,
    proto::{
        AppealSummary, DownloadFileRequest, ErasePersonalDataRequest, FileDescription,
        GetAppealRequest, GetAppealResponse, Ground, ListAppealsRequest, ListVisitsRequest,
        PlanVisitRequest, SubmitAppealRequest, SubmitAppealResponse, UploadFileRequest, Visibility,
        VisitRow, download_file_response, upload_file_request::Part,
    },
};
use doudi_domain::appeal::{Appeal, Erasure};
use doudi_journal::{Hash, Position, StreamName};
use doudi_server::{
    client::{Client, command_id},
    config::{Config, Secret},
    dev,
};
use doudi_tests::{
    nats::{NatsOptions, NatsServer},
    pg::PgServer,
    until,
    world::{Ground as Servers, World},
};
use futures::stream;
use tokio_postgres::NoTls;

use super::{
    super::{
        agenda::sound,
        operator::well,
        requests::{plan, register, submit},
    },
    BOUND, ENTERPRISE, Places, SEGMENT_BYTES, archived, commands, raw, shell, typed,
};

const CONTACT: &str = "张三 13800000000";

/// What was done before the loss.
struct Life {
    submission: SubmitAppealRequest,
    submitted: SubmitAppealResponse,
    /// The appeals whose personal data are erased, one before the dump and one after it.
    erased: [String; 2],
    file: String,
    visit: PlanVisitRequest,
    planned: String,
}

/// What the enterprise is told of its appeals and its file, and what is listed from the tables.
#[derive(Debug, PartialEq)]
struct Told {
    appeals: Vec<GetAppealResponse>,
    file: Hash,
    listed: Vec<AppealSummary>,
    visits: Vec<VisitRow>,
}

/// A text of several chunks.
fn content() -> Vec<u8> {
    "厂房照片说明。".repeat(10_000).into_bytes()
}

async fn submitted(
    client: &mut Client,
    contact: &str,
) -> (SubmitAppealRequest, SubmitAppealResponse) {
    let submission = submit(ENTERPRISE, "T06", contact);
    let answer = client.appeals.submit_appeal(submission.clone()).await.unwrap();
    (submission, answer.into_inner())
}

async fn attach(client: &Client, appeal: &str, content: &[u8]) -> String {
    let description = FileDescription {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        visibility: Visibility::Public.into(),
        name: "说明.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: content.len() as u64,
        sha256: Hash::sha256(content).to_string().replace("sha256:", ""),
    };
    let chunks = content.chunks(65_536).map(|chunk| Part::Chunk(chunk.to_vec()));
    let parts = once(Part::Description(description)).chain(chunks);
    let parts: Vec<_> = parts.map(|part| UploadFileRequest { part: Some(part) }).collect();
    let answer = client.handling.clone().upload_file(stream::iter(parts)).await;
    answer.unwrap().into_inner().file_id
}

/// The hash of a file as it comes out.
async fn fetched(client: &Client, appeal: &str, file: &str) -> Hash {
    let request = DownloadFileRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        file_id: file.to_owned(),
    };
    let answer = client.handling.clone().download_file(request).await;
    let (mut parts, mut content) = (answer.unwrap().into_inner(), Vec::new());
    while let Some(part) = parts.message().await.unwrap() {
        if let Some(download_file_response::Part::Chunk(chunk)) = part.part {
            content.extend(chunk);
        }
    }
    Hash::sha256(&content)
}

async fn read(client: &Client, appeal: &str) -> GetAppealResponse {
    let request = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        min_position: String::new(),
        as_of: None,
    };
    client.appeals.clone().get_appeal(request).await.unwrap().into_inner()
}

async fn connected(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The subjects whose keys are in the vault.
async fn keys(config: &Config) -> BTreeSet<String> {
    let there = "SELECT subject FROM vault.subject_key WHERE wrapped IS NOT NULL";
    let vault = connected(config.postgres.url.expose()).await;
    vault.query(there, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// A visit, three appeals with personal data, and a file.
async fn live(world: &World) -> Life {
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let visit = plan(ENTERPRISE, Ground::Complaint);
    let planned = unit.inspections.plan_visit(visit.clone()).await.unwrap().into_inner().visit_id;
    let mut enterprise = world.enterprise(ENTERPRISE);
    let (submission, answer) = submitted(&mut enterprise, CONTACT).await;
    let (_, first) = submitted(&mut enterprise, "李四 13900000000").await;
    let (_, second) = submitted(&mut enterprise, "王五 13700000000").await;
    let file = attach(&enterprise, &answer.appeal_id, &content()).await;
    let erased = [first.appeal_id, second.appeal_id];
    Life { submission, submitted: answer, erased, file, visit, planned }
}

/// Erases the personal data of an appeal, and waits until it is recorded that the key is destroyed.
async fn erase(world: &World, appeal: &str) {
    let request = ErasePersonalDataRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    };
    let admin = world.role(Role::Admin).appeals;
    // The log may have been away until just now.
    let ordered =
        until(BOUND, async || admin.clone().erase_personal_data(request.clone()).await.ok());
    ordered.await.expect("the log is there");
    let stream = StreamName::parse(&format!("ev.{ENTERPRISE}.appeal.{appeal}")).unwrap();
    let engine = &world.running.parts.engine;
    let destroyed = until(BOUND, async || {
        let folded = engine.read::<Appeal>(&stream, Position::START).await.ok()?;
        (folded.state.known()?.erased == Erasure::Done).then_some(())
    });
    destroyed.await.expect("the key is destroyed");
}

/// Makes the backup of the document. doudi goes on while nats-server is stopped for it.
async fn back_up(world: &mut World, places: &Places) {
    let [dump, copy] = &commands("### The backup")[..] else { panic!("two blocks") };
    typed(dump, &world.ground.config, places).await;
    world.ground.nats.stop().await.unwrap();
    typed(copy, &world.ground.config, places).await;
    world.ground.nats.restart().await.unwrap();
}

async fn told(world: &World, life: &Life) -> Told {
    sound(&world.running.parts).await;
    let (enterprise, appeal) = (world.enterprise(ENTERPRISE), &life.submitted.appeal_id);
    let mut appeals = Vec::new();
    for appeal in once(appeal).chain(&life.erased) {
        appeals.push(read(&enterprise, appeal).await);
    }
    let file = fetched(&enterprise, appeal, &life.file).await;
    let mut auditor = world.role(Role::Auditor);
    let listed = auditor.appeals.list_appeals(ListAppealsRequest::default()).await.unwrap();
    let visits = auditor.visit_lists.list_visits(ListVisitsRequest::default()).await.unwrap();
    let (listed, visits) = (listed.into_inner().appeals, visits.into_inner().visits);
    Told { appeals, file, listed, visits }
}

/// All that was said is read, but for what was erased.
fn assert_read(told: &Told) {
    let read = told.appeals.iter().map(|read| read.appeal.as_ref().unwrap());
    let read: Vec<_> = read.map(|appeal| (appeal.contact.as_str(), appeal.erased)).collect();
    assert_eq!(read, [(CONTACT, false), ("", true), ("", true)]);
    assert_eq!(told.file, Hash::sha256(&content()));
    assert_eq!((told.listed.len(), told.visits.len()), (3, 1));
}

/// An empty database on another PostgreSQL, as an operator makes it: its owner is no superuser and has a name of its own.
async fn another_database(servers: &mut Servers) {
    servers.postgres = PgServer::start().await.unwrap();
    let owned = "CREATE ROLE keeper LOGIN PASSWORD 'kept'; ALTER DATABASE doudi OWNER TO keeper";
    connected(&servers.postgres.url()).await.batch_execute(owned).await.unwrap();
    let url = format!("postgres://keeper:kept@127.0.0.1:{}/doudi", servers.postgres.port());
    servers.config.postgres.url = Secret::new(url);
}

/// Another nats-server, which finds in its folder what the block has put there and nothing else.
async fn another_log(servers: &mut Servers, files: &str, places: &mut Places) {
    let folder = servers.folder.path().join("nats");
    places.store = folder.join("jetstream");
    typed(files, &servers.config, places).await;
    let options = NatsOptions { folder: Some(folder), ..NatsOptions::default() };
    servers.nats = NatsServer::start(options).await.unwrap();
    let url = servers.config.postgres.url.clone();
    dev::point(&mut servers.config, &servers.nats, &servers.postgres, &servers.key);
    servers.config.postgres.url = url;
}

/// What was asked before is known, and what is new goes through, also where it takes the old key and the old store.
async fn go_on(world: &World, life: &Life) {
    let mut enterprise = world.enterprise(ENTERPRISE);
    let appeal = &life.submitted.appeal_id;
    let again = enterprise.appeals.submit_appeal(life.submission.clone()).await.unwrap();
    let again = again.into_inner();
    assert_eq!((&again.appeal_id, &again.case_token), (appeal, &life.submitted.case_token));
    let more = "又一份说明".as_bytes();
    let file = attach(&enterprise, appeal, more).await;
    assert_eq!(fetched(&enterprise, appeal, &file).await, Hash::sha256(more));
    let read = read(&enterprise, appeal).await.appeal.unwrap();
    assert_eq!((read.contact.as_str(), read.files.len()), (CONTACT, 2));
    let mut unit = world.unit("market-regulation");
    let again = unit.inspections.plan_visit(life.visit.clone()).await.unwrap().into_inner();
    assert_eq!(again.visit_id, life.planned);
    let next = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Complaint)).await.unwrap();
    assert_ne!(next.into_inner().visit_id, life.planned);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_new_servers_all_comes_back_and_what_was_erased_stays_erased() {
    let mut servers = Servers::start().await;
    servers.config.archive.folder = servers.folder.path().join("archive");
    servers.config.archive.segment_bytes_max = SEGMENT_BYTES;
    let mut places = Places::of(&servers);
    let mut world = World::start_on(servers).await;
    let life = Box::pin(live(&world)).await;
    let [first, second] = &life.erased;
    Box::pin(erase(&world, first)).await;
    back_up(&mut world, &places).await;
    let dumped = keys(&world.ground.config).await;
    Box::pin(erase(&world, second)).await;
    let left = keys(&world.ground.config).await;
    let since: Vec<_> = dumped.difference(&left).collect();
    assert_eq!(since, [&format!("appeal:{second}")]);
    let before = Box::pin(told(&world, &life)).await;
    assert_read(&before);
    let folder = world.ground.config.archive.folder.clone();
    let end = archived(&world.running.parts.journal, &folder).await;
    let World { ground: mut servers, running } = world;
    running.stop().await;
    let stream = servers.config.nats.stream.clone();
    let known = raw(&servers.nats, &stream).await;

    // Nothing is left but archive, backup, settings and keys.
    let [keys_back, erased_again] = &commands("### PostgreSQL as well")[..] else {
        panic!("two blocks")
    };
    let [_, _, files, back] = &commands("### The drill")[..] else { panic!("four blocks") };
    another_database(&mut servers).await;
    typed(keys_back, &servers.config, &places).await;
    assert_eq!(keys(&servers.config).await, dumped);
    another_log(&mut servers, files, &mut places).await;
    let said = typed(back, &servers.config, &places).await;
    let restored = format!("restored up to position {end}");
    for words in [restored.as_str(), "the log agrees", "0 broken"] {
        assert!(said.contains(words), "{words} is missing in\n{said}");
    }
    assert!(!said.contains("DIFFERS"), "{said}");
    typed(erased_again, &servers.config, &places).await;
    assert_eq!(keys(&servers.config).await, left);
    assert!(raw(&servers.nats, &stream).await == known, "the messages differ");

    let running = servers.run().await;
    let world = World { ground: servers, running };
    assert_eq!(Box::pin(told(&world, &life)).await, before);
    Box::pin(go_on(&world, &life)).await;
    // A vault that is in use is never mixed with a dump.
    let refused = shell(keys_back, &world.ground.config, &places).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("already exists"), "{said}");
    assert_eq!(keys(&world.ground.config).await, left);
    let World { ground, running } = world;
    running.stop().await;
    let verified = well(&ground.config, &["verify"]).await;
    assert!(verified.contains("the log agrees") && !verified.contains("DIFFERS"), "{verified}");
}
