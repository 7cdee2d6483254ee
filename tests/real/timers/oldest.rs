//! The oldest-case test: whatever was left lying climbs, the oldest first.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{appeal::Trigger, clock::Step};
use doudi_server::{bench::steps::Taken, clock::Hands};
use futures::stream::{self, StreamExt};
use jiff::ToSpan;

use super::*;
use crate::real::agenda::sound;

const CASES: u32 = 2000;
/// On so many days after one another they were submitted.
const DAYS: u32 = 10;
const IN_FLIGHT_MAX: usize = 16;

/// A case that is left lying: half of them nobody even accepts, some are sent to a unit that does
/// not sign, some come back from it.
async fn neglected(city: &City, number: u32) {
    let stream = city.submitted(number).await;
    if number % 8 < 4 {
        return;
    }
    city.issue(&stream, Command::Accept).await;
    if number % 8 < 6 {
        return;
    }
    city.issue(&stream, Command::Dispatch { to: None }).await;
    if number % 8 == 7 {
        let unit = city.case(&stream).await.phase.route().unwrap().unit.clone();
        let (reason, proposed) = (doudi_server::simulate::text("not ours"), None);
        city.issue(&stream, Command::Contest { unit, reason, proposed }).await;
    }
}

/// The first that was taken of each case: what it takes later waits for the case's turn.
fn firsts(taken: &[Taken]) -> Vec<Taken> {
    let mut seen = BTreeSet::new();
    taken.iter().filter(|one| seen.insert(one.stream.clone())).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_case_test() {
    let hands = Hands::default();
    let begin = instant("2025-03-03T09:30:00+08:00");
    let on = |day: u32| begin + (24 * i64::from(day)).hours();
    hands.set(begin);
    let mut city = City::start(hands.clock()).await;
    let start = city.settled().await.0;
    for day in 0..DAYS {
        hands.set(on(day));
        let numbers = stream::iter((0..CASES).filter(|number| number % DAYS == day));
        numbers.for_each_concurrent(64, |number| neglected(&city, number)).await;
    }

    // Many are overdue already, each as far as it is old, when somebody begins to look.
    city.react(IN_FLIGHT_MAX);
    let (mut after, mut taken) = (start, Vec::new());
    for days in [0, 2, 14] {
        hands.set(on(DAYS + days));
        let (end, _) = city.settled().await;
        let now = steps::taken(&city.parts.journal, after).await.unwrap();
        let overtaken = steps::overtaken(&firsts(&now));
        assert!(overtaken < IN_FLIGHT_MAX, "{overtaken} older ones were overtaken");
        taken.extend(now);
        after = end;
    }

    assert_eq!(steps::doubled(&taken), None);
    let mut levels: BTreeMap<(&str, u32), Vec<Step>> = BTreeMap::new();
    let mut guaranteed: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &taken {
        levels.entry((one.stream.as_str(), one.clock.0)).or_default().extend(&one.steps);
        *guaranteed.entry(one.stream.as_str()).or_default() += usize::from(one.guaranteed);
    }
    for (clock, steps) in &levels {
        let warned = [Step::Blue, Step::Yellow, Step::Red];
        assert!(warned.starts_with(&steps[..steps.len().min(3)]), "{clock:?} {steps:?}");
    }
    assert_eq!(guaranteed.len(), usize::try_from(CASES).unwrap(), "every case has climbed");
    assert!(guaranteed.values().all(|times| *times == 1), "the guarantee takes each once");
    for number in 0..16 {
        let case = city.case(&bench::appeal_of(number).unwrap().0).await;
        assert_eq!(case.guarantee, Some(Trigger::Overdue));
        assert!(!case.is_silent());
    }
    let swept = doudi_server::sweep::sweep(&city.parts, false).await.unwrap();
    assert_eq!((swept.looked, swept.silent, swept.orphaned), (guaranteed.len(), 0, 0));
    sound(&city.parts).await;
    city.stop().await;
}
