//! What is refused when there is too much to do, and how it is said; what waits meanwhile, and that nobody waits
//! behind those who all want the same.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use doudi_api::proto::{PlanVisitRequest, PlanVisitResponse};
use doudi_tests::world::World;
use futures::future::join_all;
use tokio::task::JoinSet;
use tonic::{Code, Response};

use super::{
    super::{
        chaos::Frozen,
        load::{Recorded, open},
        requests::{explain, in_days, reason, register},
    },
    raw::{HELLO, beginning, says},
    *,
};

/// How long the answer of the log is waited for; longer where all of a crowd has to come meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_OF_CROWD: Duration = Duration::from_secs(25);
/// How many appends may be under way at once.
const PLACES: usize = 2;
/// How many calls may be at work at once where there are too many, and how many come.
const CALLS: usize = 6;
const CALLERS: usize = 16;

/// How many all want one and the same enterprise, and how many want one of their own so many times.
const CROWD: usize = 200;
const QUIET: usize = 8;
const TURNS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_at_once_in_words_and_answers_health_and_administrators() {
    let settings = [("requests_in_flight_max", "4"), ("requests_per_caller_max", "2")];
    let mut besieged = Besieged::start(&settings).await;
    // Calls whose messages do not come are at work until their deadline.
    let held = Mutex::new(vec![]);
    let hold = async |sub: &str| {
        let token = besieged.token(Role::Auditor, sub);
        let mut words = HELLO.to_vec();
        for stream in [1, 3] {
            words.extend(beginning(stream, "/doudi.v1.TimelineService/ListTimeline", &token));
        }
        let connection = says(besieged.listen, &words).await.unwrap();
        held.lock().unwrap().push(connection);
    };
    let client = |role, sub: &str| {
        Client::new(&besieged.channel, &besieged.token(role, sub)).unwrap().timelines
    };
    let page = || {
        let enterprise_id = ENTERPRISES[0].0.to_owned();
        ListTimelineRequest { enterprise_id, page_size: 1, ..<_>::default() }
    };
    for (holder, sub, said) in [("a", "a", "CALLER_TOO_BUSY"), ("b", "c", "OVERLOADED")] {
        // One that looks may have taken the place of one that is to hold it.
        let refused = until(BOUND, || async {
            hold(holder).await;
            client(Role::Auditor, sub).list_timeline(page()).await.err()
        });
        let refused = refused.await.expect("there is no place");
        assert_eq!((refused.code(), &*reason(&refused)), (Code::ResourceExhausted, said));
    }
    client(Role::Admin, "d").list_timeline(page()).await.unwrap();
    let mut health = HealthClient::new(besieged.channel.clone());
    health.check(HealthCheckRequest::default()).await.unwrap();
    drop(held);
    let free =
        until(BOUND, || async { client(Role::Auditor, "c").list_timeline(page()).await.ok() });
    assert!(free.await.is_some(), "places were lost");
    besieged.goes_on(1).await;
    besieged.end().await;
}

fn enterprise(number: usize) -> String {
    format!("L-QUEUE{number}")
}

/// One of many who work for the same unit.
fn head(world: &World, number: usize) -> Client {
    let unit = Some("market-regulation".to_owned());
    world.client(&Claims { sub: format!("head-{number}"), unit, ..token::claims(Role::UnitHead) })
}

/// A visit that no limit stands against.
fn visit(number: usize) -> PlanVisitRequest {
    let planned_on = Some(in_days(1));
    PlanVisitRequest { planned_on, ..plan(&enterprise(number), Ground::Complaint) }
}

/// A whole doudi with few places for appends and so many for calls, and so many enterprises.
async fn narrow(calls: usize, enterprises: usize, ack_timeout: Duration) -> World {
    let mut ground = Servers::start().await;
    ground.config.nats.ack_timeout = ack_timeout;
    ground.config.nats.in_flight_max = PLACES;
    ground.config.grpc.requests_in_flight_max = calls;
    // What a decision rests on may be that old, so that it needs nothing of the log but its own append.
    ground.config.engine.input_age_max = Duration::from_secs(60);
    let world = World::start_on(ground).await;
    let mut admin = world.role(Role::Admin).enterprises;
    for number in 0..enterprises {
        admin.register_enterprise(register(&enterprise(number))).await.unwrap();
    }
    world
}

/// A visit for each caller, with all in memory that it is decided on.
async fn decidable(world: &World) -> Vec<PlanVisitRequest> {
    let mut unit = head(world, 0).inspections;
    let visits: Vec<PlanVisitRequest> = (0..CALLERS).map(visit).collect();
    for visit in &visits {
        unit.explain_plan(explain(visit)).await.unwrap();
    }
    visits
}

/// The server of the log, which stands still until this is dropped.
async fn standing_still(world: &World) -> Frozen {
    let pid = world.ground.nats.pid();
    let frozen = Frozen::of(&[pid]);
    let stands = until(BOUND, || async {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.contains("State:\tT").then_some(())
    });
    stands.await.expect("it stands still");
    frozen
}

/// A visit that somebody asked for, and the answer.
type Asked = (PlanVisitRequest, Result<PlanVisitResponse, Status>);

/// All of them are asked for at once, each by somebody else.
fn at_once(world: &World, visits: &[PlanVisitRequest]) -> JoinSet<Asked> {
    let mut calls = JoinSet::new();
    for (number, visit) in visits.iter().cloned().enumerate() {
        let mut unit = head(world, number).inspections;
        calls.spawn(async move {
            let answer = unit.plan_visit(visit.clone()).await;
            (visit, answer.map(Response::into_inner))
        });
    }
    calls
}

/// The next answer that comes.
async fn next(calls: &mut JoinSet<Asked>) -> Asked {
    let ended = timeout(BOUND, calls.join_next()).await.expect("in time");
    ended.expect("one more call").unwrap()
}

/// Each is asked for until the answer is definite, and then stands in the log once.
async fn each_once(world: &World, visits: &[PlanVisitRequest]) {
    let unit = head(world, 0).inspections;
    for visit in visits {
        let told = until(BOUND, || async {
            let answer = unit.clone().plan_visit(visit.clone()).await;
            if answer.as_ref().is_err_and(open) { None } else { Some(answer) }
        });
        told.await.expect("a definite answer").expect("nothing that is refused");
    }
    let recorded = Recorded::read(&world.running.parts.journal).await;
    for visit in visits {
        let stored = recorded.commands.get(&visit.command_id);
        assert_eq!(stored, Some(&1), "{}", visit.enterprise_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_beyond_their_places_wait_and_calls_beyond_theirs_are_refused() {
    let world = Box::pin(narrow(CALLS, CALLERS, PATIENCE)).await;
    // The log stands still for a moment: who was let in waits, and gets what it asked for.
    let visits = decidable(&world).await;
    let still = standing_still(&world).await;
    let mut calls = at_once(&world, &visits);
    for _ in CALLS..CALLERS {
        let refused = next(&mut calls).await.1.expect_err("the log stands still");
        assert_eq!((refused.code(), &*reason(&refused)), (Code::ResourceExhausted, "OVERLOADED"));
    }
    drop(still);
    for _ in 0..CALLS {
        next(&mut calls).await.1.expect("it waited for its place");
    }
    each_once(&world, &visits).await;

    // It stands still for longer than an answer is waited for: each is told what became of its own command.
    let visits = decidable(&world).await;
    let still = standing_still(&world).await;
    let mut calls = at_once(&world, &visits);
    let mut told = BTreeMap::<String, Vec<PlanVisitRequest>>::new();
    for _ in 0..CALLERS {
        let (visit, answer) = next(&mut calls).await;
        told.entry(reason(&answer.unwrap_err())).or_default().push(visit);
    }
    drop(still);
    let counts = told.iter().map(|(reason, visits)| (reason.as_str(), visits.len()));
    let expected = [
        ("LOG_UNAVAILABLE", CALLS - PLACES),
        ("OUTCOME_UNKNOWN", PLACES),
        ("OVERLOADED", CALLERS - CALLS),
    ];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
    each_once(&world, &told["OUTCOME_UNKNOWN"]).await;
    let recorded = Recorded::read(&world.running.parts.journal).await;
    for reason in ["LOG_UNAVAILABLE", "OVERLOADED"] {
        let stored = |visit: &PlanVisitRequest| recorded.commands.contains_key(&visit.command_id);
        assert!(!told[reason].iter().any(stored), "{reason}, and it was stored");
    }
    each_once(&world, &visits).await;
    world.stop().await;
}

/// Wants a visit to the first enterprise, and another one, until it has ended. Nothing stands in its way but those
/// whose turn comes before.
async fn press(mut head: Client, answers: Arc<AtomicUsize>, ended: Arc<AtomicBool>) {
    while !ended.load(Ordering::Relaxed) {
        head.inspections.plan_visit(visit(0)).await.expect("it only has to wait");
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Wants visits to an enterprise of its own, one after another; says how many answers the crowd got meanwhile.
async fn turns(mut head: Client, number: usize, crowd: &AtomicUsize) -> usize {
    let before = crowd.load(Ordering::Relaxed);
    for _ in 0..TURNS {
        head.inspections.plan_visit(visit(number)).await.expect("a turn");
    }
    crowd.load(Ordering::Relaxed) - before
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_want_the_same_enterprise_who_wants_another_soon_has_a_turn() {
    // Fewer places than enterprises, and room for every call.
    let world = Box::pin(narrow(1024, QUIET + 1, PATIENCE)).await;
    let (answers, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let (answers, ended) = (Arc::clone(&answers), Arc::clone(&ended));
        crowd.spawn(press(head(&world, number), answers, ended));
    }
    // By then all of them are in line for their next turn.
    let pressing =
        until(BOUND, || async { (answers.load(Ordering::Relaxed) >= CROWD).then_some(()) });
    pressing.await.expect("the crowd gets on");
    let quiet = (1..=QUIET).map(|number| turns(head(&world, CROWD + number), number, &answers));
    let meanwhile = join_all(quiet).await;
    ended.store(true, Ordering::Relaxed);
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    println!("{CROWD} who want the same got {meanwhile:?} answers while others got {TURNS}");
    // In one line with the crowd each of these turns would come after nearly all of it.
    let most = TURNS * CROWD / 4;
    assert!(meanwhile.iter().all(|answers| *answers < most), "{meanwhile:?}, not below {most}");
    world.stop().await;
}

/// More calls than one connection takes, so that they are on two.
const QUEUE: usize = 400;
/// How many calls there is room for, and how many of them may be in line for one enterprise.
const ROOM: usize = 300;
const IN_LINE: usize = 256;

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_one_enterprise_leaves_room_for_calls_about_others() {
    let world = Box::pin(narrow(ROOM, CALLERS, PATIENCE_OF_CROWD)).await;
    decidable(&world).await;
    let still = standing_still(&world).await;
    let other = doudi_tests::world::connect(world.running.address).await;
    let mut calls: JoinSet<Asked> = JoinSet::new();
    for number in 0..QUEUE {
        let channel = if number % 2 == 0 { &world.running.channel } else { &other };
        let unit = Some("market-regulation".to_owned());
        let claims =
            Claims { sub: format!("head-{number}"), unit, ..token::claims(Role::UnitHead) };
        let mut head = Client::new(channel, &world.ground.token(&claims)).unwrap().inspections;
        calls.spawn(async move {
            let request = visit(0);
            let answer = head.plan_visit(request.clone()).await.map(Response::into_inner);
            (request, answer)
        });
    }
    // Of those who come at the same instant each may be the last.
    let threads = std::thread::available_parallelism().unwrap().get();
    for _ in IN_LINE + threads..QUEUE {
        assert_eq!(reason(&next(&mut calls).await.1.unwrap_err()), "OVERLOADED");
    }
    let mut quiet = at_once(&world, &[visit(1)]);
    // It has a place, and waits for the log alone.
    assert!(timeout(Duration::from_secs(1), quiet.join_next()).await.is_err());
    drop(still);
    next(&mut quiet).await.1.unwrap();
    world.stop().await;
}
