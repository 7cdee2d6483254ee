//! How many streams are kept: by their bytes, as the system counts them, and without a difference to who asks.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use doudi_domain::{
    AreaCode, EnterpriseId, Reference,
    enterprise::{Command, Profile},
    visits::{Event, Visits},
};
use doudi_journal::{Fate, Faults, Passage, Version};

use crate::{
    Clock, Engine, EngineSettings, ExecuteError,
    execute::tests::{envelope, keeping, plan, prepared_for, register},
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

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_estimate_is_near_what_the_system_says() {
    const ENTERPRISES: u128 = 2_000;
    const PLANS: u128 = 4;
    let (journal, _, _) = prepared_for(20).await;
    let engine = keeping(&journal, 0);
    for n in 0..ENTERPRISES {
        registered(&engine, 1_000 + n).await;
        let visits = streams::visits(&enterprise(1_000 + n)).unwrap();
        for visit in 0..PLANS {
            let visit = 1_000_000 + n * PLANS + visit;
            engine
                .execute::<Visits>(&visits, &plan(visit, "fire"), &envelope(visit))
                .await
                .unwrap();
        }
    }
    let engine = keeping(&journal, 1 << 30);
    let before = resident();
    for n in 0..ENTERPRISES {
        let visits = streams::visits(&enterprise(1_000 + n)).unwrap();
        engine.read::<Visits>(&visits, Position::START).await.unwrap();
        let profile = streams::profile(&enterprise(1_000 + n)).unwrap();
        engine.read::<Profile>(&profile, Position::START).await.unwrap();
    }
    let (streams, estimate) = engine.kept();
    let real = resident().saturating_sub(before);
    println!("{streams} streams: estimated {estimate}, really {real} bytes");
    assert_eq!(streams as u128, 2 * ENTERPRISES);
    assert!(real < estimate * 5 / 4, "{streams} streams take {real} bytes, not {estimate}");
    assert!(real > estimate / 4, "{streams} streams take {real} bytes, not {estimate}");
}

/// Counts how often the log is read, and spares it.
#[derive(Debug, Default)]
struct Reads(AtomicUsize);

impl Faults for Reads {
    fn append(&self) -> Passage {
        Passage { there: Duration::ZERO, fate: Fate::Arrives, back: Duration::ZERO }
    }

    fn load(&self) -> (Duration, bool) {
        self.0.fetch_add(1, Ordering::Relaxed);
        (Duration::ZERO, true)
    }
}

#[tokio::test(start_paused = true)]
async fn one_question_confirms_all_profiles_and_one_that_has_moved_is_read_again() {
    const ALL: u128 = 20;
    let (journal, theirs, _) = prepared_for(5).await;
    for n in 0..ALL {
        registered(&theirs, 1_000 + n).await;
    }
    let Journal::Memory(memory) = journal else { panic!("a log in memory") };
    let reads = Arc::new(Reads::default());
    let ours = Engine::new(
        Journal::Memory(memory.with_faults(reads.clone())),
        EngineSettings {
            cache_bytes_max: 1 << 24,
            attempts_max: 8,
            input_age_max: Duration::from_secs(1),
        },
        Clock::new(|| "2025-04-25T01:00:00Z".parse().unwrap()),
    );
    let area_of_planned = async |n: u128, command: u128| {
        let visits = streams::visits(&enterprise(1_000 + n)).unwrap();
        let command = (plan(command, "fire"), envelope(command));
        let outcome = ours.execute::<Visits>(&visits, &command.0, &command.1).await.unwrap();
        let Event::VisitPlanned { area, .. } = &outcome.events[0] else { panic!("it is planned") };
        area.clone().unwrap().to_string()
    };
    for n in 0..ALL {
        assert_eq!(area_of_planned(n, 10_000 + n).await, "210212");
    }
    tokio::time::advance(Duration::from_secs(2)).await;
    let before = reads.0.load(Ordering::Relaxed);
    for n in 0..ALL {
        area_of_planned(n, 20_000 + n).await;
    }
    // The limits, the calendar, the unit's catalogue, and whether any profile has moved.
    assert_eq!(reads.0.load(Ordering::Relaxed) - before, 4);

    let profile = streams::profile(&enterprise(1_007)).unwrap();
    let basis = Reference::parse("12345-0001").unwrap();
    let change = Command::ChangeArea { to: AreaCode::parse("210202").unwrap(), basis };
    theirs.execute::<Profile>(&profile, &change, &envelope(7)).await.unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    for n in 0..ALL {
        let area = if n == 7 { "210202" } else { "210212" };
        assert_eq!(area_of_planned(n, 30_000 + n).await, area, "{n}");
    }
}
