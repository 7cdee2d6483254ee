//! How many streams are kept: by their bytes, as the system counts them, and without a difference to who asks.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, ItemId, Reference, TopicId,
    appeal::{self, Appeal, Channel, Submission},
    enterprise::{Command, Profile},
    visits::{self, Event, Plan, Visits},
};
use doudi_journal::{Fate, Faults, Passage, SyncFate, Version};
use uuid::Uuid;

use crate::{
    Clock, Engine, EngineSettings, ExecuteError, Vault,
    execute::tests::{catalogue, envelope, keeping, plan, prepared_for, publish, register},
    streams,
};

use super::*;

fn enterprise(n: u128) -> EnterpriseId {
    EnterpriseId::parse(&format!("L-{n}")).unwrap()
}

async fn registered(engine: &Engine, n: u128) -> Version {
    let profile = streams::profile(&enterprise(n)).unwrap();
    let command = register(&format!("企业{n}"));
    engine.execute::<Profile>(&profile, &command, &envelope(n)).await.unwrap().version
}

#[tokio::test]
async fn streams_are_let_go_by_their_bytes_and_answer_as_before() {
    const BYTES: u64 = 1 << 17;
    const ALL: u128 = 300;
    let (journal, _, _) = prepared_for(1).await;
    let engine = keeping(&journal, BYTES);
    for n in 1_000..1_000 + ALL {
        registered(&engine, n).await;
        let (_, bytes) = engine.kept();
        assert!(bytes <= BYTES, "{bytes}");
    }
    let (kept, bytes) = engine.kept();
    assert!(kept > 4 && bytes > BYTES / 2, "{kept} streams of {bytes} bytes");
    assert!(kept < 100, "{kept} streams, which are of more than 1300 bytes each");
    let before = journal.last_position().await.unwrap();
    for n in 1_000..1_000 + ALL {
        assert_eq!(
            registered(&engine, n).await,
            Version(1),
            "a repeated command has its first outcome"
        );
        let profile = streams::profile(&enterprise(n)).unwrap();
        let other = engine.execute::<Profile>(&profile, &register("另一家"), &envelope(n)).await;
        assert!(matches!(other, Err(ExecuteError::IdReused)), "{other:?}");
    }
    assert_eq!(journal.last_position().await.unwrap(), before);
}

#[tokio::test]
async fn a_stream_that_is_larger_than_all_may_be_is_decided_on_all_the_same() {
    let (journal, _, visits) = prepared_for(20).await;
    for bytes in [0, 1500] {
        let engine = keeping(&journal, bytes);
        for n in 0..5 {
            let n = 2_000 + u128::from(bytes) + n;
            engine.execute::<Visits>(&visits, &plan(n, "fire"), &envelope(n)).await.unwrap();
        }
        assert!(engine.kept().1 <= bytes, "{:?}", engine.kept());
    }
    let folded = keeping(&journal, 0).read::<Visits>(&visits, Position::START).await.unwrap();
    assert_eq!(folded.version, Version(10));
}

#[tokio::test]
async fn a_stream_that_has_grown_while_it_was_kept_weighs_more() {
    let (journal, _, visits) = prepared_for(20).await;
    let engine = keeping(&journal, 1 << 24);
    let mut last = 0;
    for n in 3_000..3_010 {
        engine.execute::<Visits>(&visits, &plan(n, "fire"), &envelope(n)).await.unwrap();
        let (_, bytes) = engine.kept();
        assert!(bytes > last, "{bytes} after {last}");
        last = bytes;
    }
}

/// What of this process is in memory, in bytes.
fn resident() -> u64 {
    let told = fs::read_to_string("/proc/self/statm").unwrap();
    told.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

const MEASURED: u128 = 2_000;

/// A visit for everything that a catalogue has.
async fn visited_for_all(engine: &Engine, n: u128) {
    registered(engine, n).await;
    let stream = streams::visits(&enterprise(n)).unwrap();
    let visits::Command::Plan(plan) = plan(n, "water") else { unreachable!("it is a plan") };
    let items = (1..=100).map(|n| ItemId::parse(&format!("fire-{n:02}")).unwrap()).collect();
    let plan = visits::Command::Plan(Plan { items, ..plan });
    engine.execute::<Visits>(&stream, &plan, &envelope(n)).await.unwrap();
}

async fn visited(engine: &Engine, n: u128) {
    const PLANS: u128 = 4;
    registered(engine, n).await;
    let visits = streams::visits(&enterprise(n)).unwrap();
    for visit in 0..PLANS {
        let visit = 1_000_000 + n * PLANS + visit;
        let plan = plan(visit, "fire");
        engine.execute::<Visits>(&visits, &plan, &envelope(visit)).await.unwrap();
    }
}

fn appeal(n: u128) -> StreamName {
    streams::appeal(&enterprise(n), AppealId(Uuid::from_u128(n))).unwrap()
}

async fn appealed(engine: &Engine, n: u128) {
    let vault = Vault::memory();
    let (subject, id) = (format!("appeal:{n}"), Uuid::from_u128(n));
    let description =
        vault.sealer(&subject, None).await.unwrap().seal("description", id, "报装").unwrap();
    let (topic, area) = (TopicId::parse("T06").unwrap(), AreaCode::parse("210212").unwrap());
    let submission = Submission::new(Channel::Web, topic, area, description);
    let submit = appeal::Command::Submit(submission);
    engine.execute::<Appeal>(&appeal(n), &submit, &envelope(n)).await.unwrap();
}

/// Reads into an empty cache, and compares what that says of itself with what the system says. What was freed before would
/// not be counted, so whoever measures again keeps what was given.
async fn measured(
    journal: &Journal,
    from: u128,
    read: impl AsyncFn(&Engine, u128) -> usize,
) -> Engine {
    let engine = keeping(journal, 1 << 30);
    let before = resident();
    let mut read_streams = 0;
    for n in from..from + MEASURED {
        read_streams += read(&engine, n).await;
    }
    let (streams, estimate) = engine.kept();
    assert_eq!(streams, read_streams);
    let real = resident().saturating_sub(before);
    println!("{streams} streams: estimated {estimate}, really {real} bytes");
    assert!(real < estimate * 5 / 4, "{streams} streams take {real} bytes, not {estimate}");
    assert!(real > estimate / 4, "{streams} streams take {real} bytes, not {estimate}");
    engine
}

/// In a process of its own: what other tests take and give back would be counted too.
#[test]
#[cfg(target_os = "linux")]
fn the_estimate_is_near_what_the_system_says() {
    const ALONE: &str = "DOUDI_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(compared());
    }
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "cache::tests::the_estimate_is_near_what_the_system_says"]);
    let ended = alone.args(["--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    println!("{}", said.concat());
    assert!(ended.status.success() && said[0].contains("1 passed"), "it says why above");
}

async fn compared() {
    let (journal, _, _) = prepared_for(20).await;
    let engine = keeping(&journal, 0);
    publish(&engine, catalogue("water", 100), 2_000_000).await;
    for n in 10_000..10_000 + MEASURED {
        visited(&engine, n).await;
        appealed(&engine, n).await;
        visited_for_all(&engine, 2 * n).await;
    }
    let read = async |engine: &Engine, n| {
        let visits = streams::visits(&enterprise(n)).unwrap();
        engine.read::<Visits>(&visits, Position::START).await.unwrap();
        let profile = streams::profile(&enterprise(n)).unwrap();
        engine.read::<Profile>(&profile, Position::START).await.unwrap();
        2
    };
    let _usual = measured(&journal, 10_000, read).await;
    let _large =
        measured(&journal, 10_000, async |engine: &Engine, n| read(engine, 2 * n).await).await;
    let _appeals = measured(&journal, 10_000, async |engine, n| {
        engine.read::<Appeal>(&appeal(n), Position::START).await.unwrap();
        1
    })
    .await;
}

/// Counts how often the log is read, and answers all but one.
#[derive(Debug)]
struct Reads {
    count: AtomicUsize,
    unanswered: AtomicUsize,
}

impl Faults for Reads {
    fn append(&self) -> Passage {
        Passage { there: Duration::ZERO, fate: Fate::Arrives, back: Duration::ZERO }
    }

    fn load(&self) -> (Duration, bool) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        (Duration::ZERO, number != self.unanswered.load(Ordering::Relaxed))
    }

    fn sync(&self) -> (Duration, SyncFate) {
        (Duration::ZERO, SyncFate::Succeeds)
    }
}

/// Two engines on one log with many enterprises, and how often ours reads it.
struct Planning {
    ours: Engine,
    theirs: Engine,
    reads: Arc<Reads>,
    commands: u128,
}

impl Planning {
    const ALL: u128 = 20;

    async fn begin() -> Self {
        let (journal, theirs, _) = prepared_for(9).await;
        for n in 0..Self::ALL {
            registered(&theirs, 1_000 + n).await;
        }
        let Journal::Memory(memory) = journal else { panic!("a log in memory") };
        let (count, unanswered) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let reads = Arc::new(Reads { count, unanswered });
        let ours = Engine::new(
            Journal::Memory(memory.with_faults(reads.clone())),
            EngineSettings {
                cache_bytes_max: 1 << 24,
                attempts_max: 8,
                input_age_max: Duration::from_secs(1),
            },
            Clock::new(|| "2025-04-25T01:00:00Z".parse().unwrap()),
        );
        Self { ours, theirs, reads, commands: 10_000 }
    }

    /// Plans a visit to each enterprise after a while, and gives the areas that they lie in, by what was decided on.
    /// `unanswered` is which read of ours is not answered. Says also how often the log was read.
    async fn after(&mut self, seconds: u64, unanswered: usize) -> (Vec<String>, usize) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let before = self.reads.count.load(Ordering::Relaxed);
        self.reads.unanswered.store(before.saturating_add(unanswered), Ordering::Relaxed);
        let mut areas = vec![];
        for n in 0..Self::ALL {
            self.commands += 1;
            let visits = streams::visits(&enterprise(1_000 + n)).unwrap();
            let (command, envelope) = (plan(self.commands, "fire"), envelope(self.commands));
            let outcome = self.ours.execute::<Visits>(&visits, &command, &envelope).await.unwrap();
            let Event::VisitPlanned { area, .. } = &outcome.events[0] else { panic!("a plan") };
            areas.push(area.clone().unwrap().to_string());
        }
        (areas, self.reads.count.load(Ordering::Relaxed) - before)
    }

    /// The other engine hands an enterprise to another area.
    async fn hand_over(&mut self, n: u128, to: &str) {
        self.commands += 1;
        let profile = streams::profile(&enterprise(1_000 + n)).unwrap();
        let basis = Reference::parse("12345-0001").unwrap();
        let change = Command::ChangeArea { to: AreaCode::parse(to).unwrap(), basis };
        self.theirs.execute::<Profile>(&profile, &change, &envelope(self.commands)).await.unwrap();
    }
}

/// The limits, the calendar, the unit's catalogue, and whether any profile has moved.
const QUESTIONS: usize = 4;
const NEVER: usize = usize::MAX;

#[tokio::test(start_paused = true)]
async fn one_question_confirms_all_profiles_and_one_that_has_moved_is_read_again() {
    let mut planning = Planning::begin().await;
    let mut expected = vec!["210212".to_owned(); 20];
    assert_eq!(planning.after(0, NEVER).await.0, expected);
    assert_eq!(planning.after(2, NEVER).await, (expected.clone(), QUESTIONS));
    planning.hand_over(7, "210202").await;
    "210202".clone_into(&mut expected[7]);
    assert_eq!(planning.after(2, NEVER).await, (expected.clone(), QUESTIONS + 1));
    assert_eq!(planning.after(2, NEVER).await, (expected, QUESTIONS));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_what_has_moved_and_after_a_pause_each_profile_is_read() {
    let mut planning = Planning::begin().await;
    let mut expected = vec!["210212".to_owned(); 20];
    assert_eq!(planning.after(0, NEVER).await.0, expected);
    planning.hand_over(3, "210202").await;
    "210202".clone_into(&mut expected[3]);
    let (areas, reads) = planning.after(2, 0).await;
    assert_eq!(areas, expected);
    assert!(reads <= QUESTIONS + 20, "{reads}");
    planning.hand_over(4, "210202").await;
    "210202".clone_into(&mut expected[4]);
    // What the log has is looked up, which is not counted.
    assert_eq!(planning.after(60, NEVER).await, (expected.clone(), QUESTIONS - 1 + 20));
    assert_eq!(planning.after(2, NEVER).await, (expected, QUESTIONS));
}
