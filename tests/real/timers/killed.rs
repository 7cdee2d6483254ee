//! Two runners, and kill -9 in the midst of very much that is due: each step once, none lost.

use std::collections::{BTreeMap, HashSet};

use doudi_server::clock;
use futures::stream::{self, StreamExt};

use super::*;
use crate::real::agenda::{past, role, sound};

const CASES: u32 = 2000;
/// So many days ago they were submitted: every rung of the ladder was to be climbed since.
const DAYS: i32 = 45;

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_and_kill_9_in_the_midst_of_2000_overdue_cases_double_and_lose_no_step() {
    let city = City::start(clock::system()).await;
    let before = city.settled().await.0;
    let past = past(&city.parts, DAYS);
    stream::iter(0..CASES)
        .for_each_concurrent(64, |number| {
            let past = &past;
            async move {
                bench::submit(past, number).await.unwrap();
                if number % 2 == 0 {
                    let stream = bench::appeal_of(number).unwrap().0;
                    past.execute::<Appeal>(&stream, &Command::Accept, &somebody()).await.unwrap();
                }
            }
        })
        .await;
    let submitted = city.parts.journal.last_position().await.unwrap();

    let react = || role(&city.servers, "react");
    let (mut one, mut two) = (react(), react());
    for kill in 1..=5_u64 {
        city.reached(Position(submitted.0 + kill * 300)).await;
        one.kill().await.unwrap();
        if kill == 3 {
            two.kill().await.unwrap();
            two = react();
        }
        one = react();
    }
    city.reached(Position(submitted.0 + u64::from(CASES))).await;
    let (end, _) = city.settled().await;
    for child in [&mut one, &mut two] {
        child.kill().await.unwrap();
    }

    assert_eq!(end.0 - submitted.0, u64::from(CASES), "nothing else was stored");
    let taken = steps::taken(&city.parts.journal, before).await.unwrap();
    assert_eq!(steps::doubled(&taken), None);
    let mut guaranteed = BTreeMap::new();
    for one in &taken {
        *guaranteed.entry(one.stream.clone()).or_insert(0) += usize::from(one.guaranteed);
    }
    let all: HashSet<_> = (0..CASES).map(|number| bench::appeal_of(number).unwrap().0).collect();
    assert_eq!(guaranteed.keys().cloned().collect::<HashSet<_>>(), all, "none is lost");
    assert!(guaranteed.values().all(|times| *times == 1), "the guarantee takes each once");
    sound(&city.parts).await;
    city.stop().await;
}
