//! A deadline fires in time, and only what a rule names moves it.

use doudi_domain::{
    NoteId, Reference,
    appeal::{Note, Trigger, Visibility},
    clock::{PauseGround, Step},
};
use doudi_server::{
    clock::{Ahead, Hands},
    simulate::text,
};
use jiff::{SignedDuration, ToSpan};

use super::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_in_two_seconds_fires_within_one_second_of_due() {
    const CASES: u64 = 10;
    let ahead = Ahead::default();
    ahead.set(instant("2025-03-03T09:30:00+08:00"));
    let mut city = City::start(ahead.clock()).await;
    for number in 0..10 {
        city.submitted(number).await;
    }
    city.react(64);
    for wanted in [Step::Blue, Step::Yellow, Step::Red] {
        let (before, at) = city.settled().await;
        // Time passes as in life from here.
        ahead.set(at - 2 * SECOND);
        city.reached(Position(before.0 + CASES)).await;
        let taken = steps::taken(&city.parts.journal, before).await.unwrap();
        assert_eq!(u64::try_from(taken.len()).unwrap(), CASES);
        for one in taken {
            assert_eq!((one.steps[0], one.at), (wanted, at));
            let late = one.recorded_at.duration_since(at);
            assert!(!late.is_negative() && late < SECOND, "{wanted:?} is {late:?} late");
        }
    }
    city.stop().await;
}

/// The steps of a case's clock that the log tells of after a position.
async fn steps_after(city: &City, stream: &StreamName, after: Position) -> Vec<Step> {
    let taken = steps::taken(&city.parts.journal, after).await.unwrap();
    assert!(taken.iter().all(|one| one.stream == *stream));
    taken.into_iter().flat_map(|one| one.steps).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_between_two_warnings_moves_no_step() {
    let hands = Hands::default();
    hands.set(instant("2025-03-03T09:30:00+08:00"));
    let mut city = City::start(hands.clock()).await;
    let stream = city.handled(1).await;
    let promised = city.clock(&stream, ClockKind::Resolve).await;
    let [blue, yellow, red] = [0, 1, 2].map(|step| promised.steps[step].at);
    assert_eq!(red, instant("2025-03-10T17:00:00+08:00"));
    city.react(64);

    hands.set(blue);
    city.settled().await;
    let warned = city.clock(&stream, ClockKind::Resolve).await;
    assert_eq!(warned.level(), Some(Step::Blue));
    for (number, visibility) in [(1, Visibility::Internal), (2, Visibility::Public)] {
        let (id, unit) = (NoteId(Uuid::from_u128(number)), UnitId::parse(UNIT).ok());
        let note = Note { id, unit, visibility, text: text("we are at it") };
        city.issue(&stream, Command::AddNote(note)).await;
    }
    assert_eq!(city.clock(&stream, ClockKind::Resolve).await, warned, "not a bit of it moved");

    let (commented, next) = city.settled().await;
    assert_eq!(next, yellow);
    hands.set(yellow - SECOND);
    assert_eq!(city.settled().await, (commented, yellow), "nothing comes before its time");
    hands.set(yellow);
    let (warned, next) = city.settled().await;
    assert_eq!(steps_after(&city, &stream, commented).await, [Step::Yellow]);
    assert_eq!(next, red);
    hands.set(red);
    city.settled().await;
    assert_eq!(steps_after(&city, &stream, warned).await[0], Step::Red);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_case_resumes_by_itself_when_its_bound_is_reached() {
    let hands = Hands::default();
    let begin = instant("2025-03-03T09:30:00+08:00");
    hands.set(begin);
    let mut city = City::start(hands.clock()).await;
    let stream = city.handled(1).await;
    city.react(64);
    hands.set(begin + 48.hours());
    let unit = UnitId::parse(UNIT).unwrap();
    let reference = Reference::parse("material-1").unwrap();
    let pause = Command::Pause { unit, ground: PauseGround::MaterialAsked, reference };
    city.issue(&stream, pause).await;
    let stands = city.clock(&stream, ClockKind::Resolve).await;
    let bound = city.clock(&stream, ClockKind::Pause).await.due;
    assert!(stands.is_paused());

    hands.set(bound - SECOND);
    assert_eq!(city.settled().await.1, bound, "nothing else is due while it stands still");
    assert!(city.clock(&stream, ClockKind::Resolve).await.is_paused());
    // The runner was away for an hour; the pause ends at its bound all the same.
    hands.set(bound + 1.hours());
    let (resumed, next) = city.settled().await;
    let runs = city.clock(&stream, ClockKind::Resolve).await;
    let (before, after) = (&stands.derivation.pauses[0], &runs.derivation.pauses[0]);
    assert_eq!((after.left, after.until), (before.left, Some(bound)));
    assert!(city.case(&stream).await.clock(ClockKind::Pause).is_none());
    assert_eq!(next, runs.next().unwrap().at);

    hands.set(runs.due);
    city.settled().await;
    let steps = steps_after(&city, &stream, resumed).await;
    assert!(steps.contains(&Step::Red), "{steps:?}");
    assert_eq!(city.case(&stream).await.guarantee, Some(Trigger::Overdue));
    city.stop().await;
}
