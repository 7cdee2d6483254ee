//! The runner on the Memory log: each thing is done once and oldest first, whoever runs and whatever
//! is in the way.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use doudi_domain::{
    Decider, EnterpriseId, VisitId,
    appeal::{self, Appeal},
    enterprise::Profile,
    visits::{self, Visits},
};
use doudi_journal::{Journal, Record};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    EngineSettings,
    clock::Clock,
    execute::tests::{enterprise, envelope, id, plan, prepared, prepared_for, register, unit},
    folded::{LoadError, commit, events},
    streams,
};

mod complaints;
mod errands;
mod failing;
mod offline;
mod stored;

use stored::{Folded, decode};

const BOUND: Duration = Duration::from_secs(600);

/// An engine whose day comes when `later` turns true.
fn engine(journal: &Journal, later: &Arc<AtomicBool>) -> Engine {
    let settings = EngineSettings {
        cache_bytes_max: 1 << 18,
        attempts_max: 8,
        input_age_max: Duration::from_secs(1),
    };
    let (early, late): (Timestamp, Timestamp) =
        ("2025-04-25T01:00:00Z".parse().unwrap(), "2025-06-01T01:00:00Z".parse().unwrap());
    let later = later.clone();
    let clock = Clock::new(move || if later.load(SeqCst) { late } else { early });
    Engine::new(journal.clone(), settings, clock)
}

fn settings() -> ReactSettings {
    let poll_interval = Duration::from_millis(250);
    ReactSettings { visit_grace_days: 3, poll_interval, in_flight_max: 4 }
}

fn runner(
    engine: &Engine,
    agenda: &(impl Agenda + Clone + 'static),
    vault: &Vault,
    settings: ReactSettings,
    shutdown: &watch::Sender<bool>,
) -> JoinHandle<()> {
    let (engine, agenda, vault) = (engine.clone(), agenda.clone(), vault.clone());
    let shutdown = shutdown.subscribe();
    tokio::spawn(async move { engine.react(&agenda, &vault, &settings, shutdown).await })
}

/// Lets time pass.
async fn pass(time: Duration) {
    tokio::time::timeout(time, std::future::pending::<()>()).await.unwrap_err();
}

/// Runs one runner until it has been idle for some time.
async fn run_until_idle(engine: &Engine, agenda: &Folded, settings: ReactSettings) {
    let shutdown = watch::Sender::new(false);
    let vault = Vault::memory();
    let running = runner(engine, agenda, &vault, settings, &shutdown);
    pass(Duration::from_secs(30)).await;
    shutdown.send_replace(true);
    tokio::time::timeout(BOUND, running).await.unwrap().unwrap();
}

/// The expired visits, in their order in the log.
async fn expired(journal: &Journal) -> Vec<VisitId> {
    let mut found = Vec::new();
    for record in journal.read(Position::START, 1000).await.unwrap() {
        if record.stream.kind() != Visits::KIND {
            continue;
        }
        for event in decode::<Visits>(&record).unwrap_or_default() {
            if let visits::Event::VisitExpired { visit } = event {
                found.push(visit);
            }
        }
    }
    found
}

/// Waits until `count` visits expired.
async fn until_expired(journal: &Journal, count: usize) {
    let mut follow = journal.follow(Position::default());
    let reading = async {
        while expired(journal).await.len() < count {
            follow.next().await.unwrap();
        }
    };
    tokio::time::timeout(BOUND, reading).await.unwrap();
}

fn visit(n: u128) -> VisitId {
    VisitId(id(n))
}

/// Plans visit `n`.
async fn plan_one(engine: &Engine, stream: &StreamName, n: u128) {
    engine.execute::<Visits>(stream, &plan(n, "fire"), &envelope(n)).await.unwrap();
}

/// Plans visit `n` on a day of May at an enterprise of its own or another's.
async fn plan_at(engine: &Engine, enterprise: u128, n: u128, day: i8) {
    let enterprise = EnterpriseId::parse(&format!("L-{enterprise}")).unwrap();
    let profile = streams::profile(&enterprise).unwrap();
    let registered = register("某厂");
    engine.execute::<Profile>(&profile, &registered, &envelope(1000 + n)).await.unwrap();
    let visits::Command::Plan(mut planned) = plan(n, "fire") else { panic!("a plan") };
    planned.on = jiff::civil::date(2025, 5, day);
    let stream = streams::visits(&enterprise).unwrap();
    let command = visits::Command::Plan(planned);
    engine.execute::<Visits>(&stream, &command, &envelope(n)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_runners_and_a_restart_expire_a_visit_once() {
    let (journal, _, stream) = prepared().await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let (one, two) = (engine(&journal, &later), engine(&journal, &later));
    plan_one(&one, &stream, 9).await;
    let (shutdown, vault) = (watch::Sender::new(false), Vault::memory());
    let start = |engine| runner(engine, &agenda, &vault, settings(), &shutdown);
    let runners = [start(&one), start(&two)];
    later.store(true, SeqCst);
    until_expired(&journal, 1).await;
    let third = start(&engine(&journal, &later));
    pass(Duration::from_secs(30)).await;
    shutdown.send_replace(true);
    for runner in runners.into_iter().chain([third]) {
        tokio::time::timeout(BOUND, runner).await.unwrap().unwrap();
    }
    assert_eq!(expired(&journal).await, [visit(9)]);
    let last = journal.read(Position::START, 1000).await.unwrap().pop().unwrap().commit().unwrap();
    assert_eq!(last.actor.principal, "process:expire_visit");
    assert_eq!((last.causation, last.correlation), (Some(id(9)), id(9)));
}

#[tokio::test(start_paused = true)]
async fn many_that_are_due_at_once_are_each_carried_out_once_by_two_runners() {
    let (journal, _, _) = prepared_for(100).await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let (one, two) = (engine(&journal, &later), engine(&journal, &later));
    for n in 10..90 {
        plan_at(&one, n % 7, n, 6).await;
    }
    later.store(true, SeqCst);
    tokio::join!(
        run_until_idle(&one, &agenda, settings()),
        run_until_idle(&two, &agenda, settings())
    );
    let mut found = expired(&journal).await;
    found.sort_unstable_by_key(|visit| visit.0);
    assert_eq!(found, (10..90).map(visit).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_comes_first_also_among_those_of_one_enterprise() {
    let (journal, _, _) = prepared_for(100).await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let one = engine(&journal, &later);
    for (enterprise, n, day) in [(1, 10, 20), (2, 11, 8), (1, 12, 6), (3, 13, 9), (2, 14, 7)] {
        plan_at(&one, enterprise, n, day).await;
    }
    later.store(true, SeqCst);
    let settings = ReactSettings { in_flight_max: 1, ..settings() };
    run_until_idle(&one, &agenda, settings).await;
    assert_eq!(expired(&journal).await, [12, 14, 11, 13, 10].map(visit));
}

#[tokio::test(start_paused = true)]
async fn a_visit_that_ended_in_time_is_left_alone() {
    let (journal, _, stream) = prepared().await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let one = engine(&journal, &later);
    plan_one(&one, &stream, 9).await;
    let cancel = visits::Command::Cancel {
        visit: visit(9),
        unit: unit("fire"),
        reason: visits::CancelReason::TaskWithdrawn,
    };
    one.execute::<Visits>(&stream, &cancel, &envelope(10)).await.unwrap();
    plan_one(&one, &stream, 11).await;
    later.store(true, SeqCst);
    run_until_idle(&one, &agenda, settings()).await;
    assert_eq!(expired(&journal).await, [visit(11)]);
}

#[tokio::test(start_paused = true)]
async fn a_visit_has_its_grace_and_holds_up_nothing_meanwhile() {
    let (journal, one, stream) = prepared().await;
    plan_one(&one, &stream, 9).await;
    let (later, agenda) = (Arc::new(AtomicBool::new(true)), Folded::of(&journal));
    let later = engine(&journal, &later);
    // 6 May ended 25 days and 9 hours ago.
    let patient = ReactSettings { visit_grace_days: 26, ..settings() };
    let vault = Vault::memory();
    let appeal = erased(&later, &vault).await;
    run_until_idle(&later, &agenda, patient).await;
    assert_eq!(expired(&journal).await, []);
    let found = later.read::<Appeal>(&appeal, Position::START).await.unwrap();
    let case = found.state.known().unwrap();
    assert_eq!(case.erased, appeal::Erasure::Done, "the key is destroyed all the same");
    let due = ReactSettings { visit_grace_days: 25, ..settings() };
    run_until_idle(&later, &agenda, due).await;
    assert_eq!(expired(&journal).await, [visit(9)]);
}

/// An appeal whose personal data were ordered to be erased.
async fn erased(engine: &Engine, vault: &Vault) -> StreamName {
    let stream = streams::appeal(&enterprise(), doudi_domain::AppealId(id(500))).unwrap();
    let description = vault
        .sealer("appeal:500", None)
        .await
        .unwrap()
        .seal("description", id(500), "报装")
        .unwrap();
    let submit = appeal::Command::Submit(appeal::Submission::new(
        appeal::Channel::Web,
        doudi_domain::TopicId::parse("T06").unwrap(),
        doudi_domain::AreaCode::parse("210212").unwrap(),
        description,
    ));
    engine.execute::<Appeal>(&stream, &submit, &envelope(500)).await.unwrap();
    let subject = "appeal:500".to_owned();
    let erase = appeal::Command::ErasePersonalData { subject };
    engine.execute::<Appeal>(&stream, &erase, &envelope(501)).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn a_key_is_destroyed_although_whoever_ordered_it_died() {
    let (journal, one, _) = prepared().await;
    let (vault, agenda) = (Vault::memory(), Folded::of(&journal));
    let stream = erased(&one, &vault).await;
    let sealed = match &one.read::<Appeal>(&stream, Position::START).await.unwrap().state {
        Appeal::Known(case) => case.submission.description.clone(),
        Appeal::Absent => panic!("it was submitted"),
    };
    assert!(vault.open(&sealed).await.unwrap().is_some());
    let shutdown = watch::Sender::new(false);
    let running = runner(&one, &agenda, &vault, settings(), &shutdown);
    pass(Duration::from_secs(30)).await;
    drop(shutdown);
    tokio::time::timeout(BOUND, running).await.unwrap().unwrap();
    assert_eq!(vault.open(&sealed).await.unwrap(), None);
    let last = journal.read(Position::START, 1000).await.unwrap().pop().unwrap();
    assert_eq!(decode::<Appeal>(&last).unwrap(), [appeal::Event::KeyDestroyed {}]);
    assert_eq!(last.commit().unwrap().command_id, command_of(&last, id(501)));
}

/// The id under which a duty of that stream is carried out.
fn command_of(record: &Record, cause: Uuid) -> Uuid {
    Uuid::new_v5(&cause, format!("{} erase", record.stream).as_bytes())
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_takes_the_place_of_another_is_carried_out_under_another_id() {
    let (journal, one, stream) = prepared().await;
    plan_one(&one, &stream, 9).await;
    let until = Duty::KINDS.map(|kind| (kind, Timestamp::MAX)).to_vec();
    let query = Query { until, after: None, limit: 10 };
    let due = Folded::of(&journal).due(&query).await.unwrap().due.remove(0);
    let put_again = Due { cause: id(77), ..due.clone() };
    let beside = Due { key: "visit/1".to_owned(), ..due.clone() };
    assert_ne!(due.command_id(), put_again.command_id());
    assert_ne!(due.command_id(), beside.command_id());
}
