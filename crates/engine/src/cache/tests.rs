//! How many streams are kept: by their bytes, as the system counts them, and without a difference to who asks.

use std::fs;

use doudi_domain::{EnterpriseId, enterprise::Profile, visits::Visits};
use doudi_journal::Version;

use crate::{
    Engine, ExecuteError,
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
