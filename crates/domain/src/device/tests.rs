//! Each command on a device: what arrives, in whatever order, and what does not fit.

use uuid::Uuid;

use super::*;
use crate::{
    agenda::{Change, Duty, Entry, Process},
    draw::Digest,
    ids::{DeviceId, EnterpriseId, VisitId},
    kit::{accepted, and, at, moment, name, names, unit, when},
    visits::What,
};

pub(crate) const MONDAY: &str = "2025-03-03T09:00+08:00";
const TUESDAY: &str = "2025-03-04T09:00+08:00";

pub(crate) fn enrol() -> Command {
    Command::Enrol {
        unit: unit("fire"),
        public_key: PublicKey([7; 32]),
        label: name("消防一中队 01 号终端"),
    }
}

pub(crate) fn enrolled() -> Device {
    accepted(Device::default(), &at(MONDAY), &enrol())
}

/// The hash of record `n` of the device's line `line`; lines differ where it has a double.
pub(crate) fn hash(line: u8, n: u64) -> Digest {
    if n == 0 { Digest([0; 32]) } else { Digest::of(&[&[line], &n.to_be_bytes()]) }
}

pub(crate) fn kept(line: u8, counter: u64) -> Kept {
    Kept {
        device: DeviceId(Uuid::from_u128(1)),
        counter,
        unit: unit("fire"),
        enterprise: EnterpriseId::parse(&format!("L-{}", counter % 7)).unwrap(),
        visit: VisitId(Uuid::from_u128(u128::from(line) << 64 | u128::from(counter))),
        what: What::CheckedOut { occurred_at: moment("2025-03-02T10:00+08:00") },
        doubts: [].into(),
    }
}

/// Record `n` of the line, written on Sunday.
pub(crate) fn record(line: u8, n: u64) -> Received {
    Received {
        counter: n,
        hash: hash(line, n),
        previous: hash(line, n - 1),
        recorded_at: moment("2025-03-02T10:00+08:00"),
        signed: Some(Signed::parse("c2lnbmVk").unwrap()),
        kept: Some(kept(line, n)),
    }
}

fn receive(records: &[(u8, u64)]) -> Command {
    let records = records.iter().map(|(line, n)| record(*line, *n)).collect();
    Command::Receive { records }
}

/// The device after these were received, one command each.
#[track_caller]
fn after(commands: &[Command]) -> Device {
    commands.iter().fold(enrolled(), |state, command| accepted(state, &at(MONDAY), command))
}

/// The records that events bring, with what speaks against them.
fn arrivals(events: &[Event]) -> Vec<(u64, Vec<Irregularity>)> {
    let arrived = events.iter().flat_map(|event| match event {
        Event::RecordsReceived { records, .. } | Event::RecordsQuarantined { records, .. } => {
            records.clone()
        }
        Event::DeviceEnrolled { .. }
        | Event::DeviceRevoked { .. }
        | Event::RecordsReleased { .. }
        | Event::RecordsDelivered { .. }
        | Event::RecordsMissing { .. } => vec![],
    });
    arrived
        .map(|Arrived { record, doubts }| (record.counter, doubts.into_iter().collect()))
        .collect()
}

fn gaps(state: &Device) -> Vec<(u64, u64)> {
    let gaps = state.known().unwrap().chain.gaps();
    gaps.map(|(range, _)| (range.from, range.until)).collect()
}

/// What waits for delivery, by counter.
fn pending(state: &Device) -> Vec<Vec<u64>> {
    let batches = state.known().unwrap().pending.values();
    batches.map(|batch| batch.iter().map(|kept| kept.counter).collect()).collect()
}

fn revoke(from: &str) -> Command {
    let revocation = Revocation { reason: RevokeReason::Lost, from: moment(from) };
    Command::Revoke { unit: Some(unit("fire")), revocation }
}

fn release(counters: &[u64]) -> Command {
    Command::Release { unit: None, counters: counters.iter().copied().collect() }
}

#[test]
fn a_device_is_enrolled_once() {
    let state = enrolled();
    assert_eq!(when(&state, &at(MONDAY), &enrol()), Ok(vec![]));
    let other = Command::Enrol {
        unit: unit("fire"),
        public_key: PublicKey([8; 32]),
        label: name("消防一中队 01 号终端"),
    };
    assert_eq!(when(&state, &at(MONDAY), &other), Err(Rejection::EnrolledDifferently));
}

#[test]
fn a_device_that_was_never_enrolled_is_unknown() {
    for command in [
        receive(&[(1, 1)]),
        revoke(MONDAY),
        release(&[1]),
        Command::MarkDelivered { upload: 1 },
        Command::FlagMissing,
    ] {
        let decided = when(&Device::default(), &at(MONDAY), &command);
        assert_eq!(decided, Err(Rejection::DeviceUnknown));
    }
}

#[test]
fn a_record_is_taken_in_once_however_often_it_arrives() {
    let state = after(&[receive(&[(1, 1), (1, 2), (1, 1)])]);
    assert_eq!(pending(&state), [[1, 2]]);
    let again = when(&state, &at(MONDAY), &receive(&[(1, 2), (1, 3)])).unwrap();
    assert_eq!(arrivals(&again), [(3, vec![])]);
}

#[test]
fn any_order_is_in_order() {
    let state =
        after(&[receive(&[(1, 5), (1, 3)]), receive(&[(1, 1)]), receive(&[(1, 4), (1, 2)])]);
    let known = state.known().unwrap();
    assert_eq!((gaps(&state), known.chain.last(), known.chain.len()), (vec![], 5, 5));
    assert_eq!(known.doubts, [].into());
    assert_eq!(pending(&state), [vec![3, 5], vec![1], vec![2, 4]], "in the order of the counters");
}

#[test]
fn a_double_is_taken_in_and_flagged() {
    let state = after(&[receive(&[(1, 1), (1, 2)])]);
    let fork = Received { previous: hash(1, 1), ..record(2, 2) };
    let command = Command::Receive { records: vec![fork, record(2, 3), record(1, 3)] };
    let events = when(&state, &at(MONDAY), &command).unwrap();
    let cloned = vec![Irregularity::DeviceCloned];
    // Either line goes on, and what follows the double follows it.
    assert_eq!(arrivals(&events), [(2, cloned.clone()), (3, vec![]), (3, cloned)]);
    let state = and(state, &events);
    let known = state.known().unwrap();
    assert_eq!(known.doubts, [(Irregularity::DeviceCloned, 2)].into());
    assert_eq!(known.chain.len(), 5);
    let told = known.delivery(2).unwrap();
    assert_eq!(told[0].doubts, [Irregularity::DeviceCloned].into(), "the visit hears of it");
}

#[test]
fn what_does_not_follow_is_taken_in_and_flagged() {
    let broken = vec![Irregularity::ChainBroken];
    let state = after(&[receive(&[(1, 1)])]);
    let stray = when(&state, &at(MONDAY), &receive(&[(2, 2)])).unwrap();
    assert_eq!(arrivals(&stray), [(2, broken.clone())], "the one before it has another hash");
    // Of two that do not fit the later one is flagged.
    let state = after(&[receive(&[(2, 2)])]);
    let events = when(&state, &at(MONDAY), &receive(&[(1, 1)])).unwrap();
    assert_eq!(arrivals(&events), [(1, broken.clone())], "the one after it names another hash");
    let first = Received { previous: hash(1, 1), ..record(1, 1) };
    let command = Command::Receive { records: vec![first] };
    let events = when(&enrolled(), &at(MONDAY), &command).unwrap();
    assert_eq!(arrivals(&events), [(1, broken)], "nothing is before the first");
}

#[test]
fn what_is_missing_is_seen_at_once_and_told_once_after_a_day() {
    let state = after(&[receive(&[(1, 1), (1, 4), (1, 9)])]);
    assert_eq!(gaps(&state), [(2, 3), (5, 8)]);
    let early = at("2025-03-04T08:59:59+08:00");
    assert_eq!(when(&state, &early, &Command::FlagMissing), Ok(vec![]));
    let state = accepted(state, &at("2025-03-03T10:00+08:00"), &receive(&[(1, 12)]));
    let events = when(&state, &at(TUESDAY), &Command::FlagMissing).unwrap();
    let ranges = vec![Range { from: 2, until: 3 }, Range { from: 5, until: 8 }];
    let next = Some(moment("2025-03-04T10:00+08:00"));
    assert_eq!(events, [Event::RecordsMissing { ranges, next }]);
    // What is left of a gap that was told is not told again.
    let state = and(state, &events);
    let state = accepted(state, &at(TUESDAY), &receive(&[(1, 6)]));
    assert_eq!(gaps(&state), [(2, 3), (5, 5), (7, 8), (10, 11)]);
    let events = when(&state, &at("2025-03-09T09:00+08:00"), &Command::FlagMissing).unwrap();
    let ranges = vec![Range { from: 10, until: 11 }];
    assert_eq!(events, [Event::RecordsMissing { ranges, next: None }]);
}

#[test]
fn what_arrives_of_a_revoked_device_waits_until_it_is_released() {
    let sunday = "2025-03-02T12:00+08:00";
    let state = after(&[receive(&[(1, 1)]), revoke(sunday)]);
    assert_eq!(pending(&state), [[1]], "what arrived before stands");
    let events = when(&state, &at(MONDAY), &receive(&[(1, 2), (1, 3)])).unwrap();
    assert_eq!(names(&events), "RecordsQuarantined");
    let state = and(state, &events);
    assert_eq!((pending(&state).len(), gaps(&state)), (1, vec![]), "it is there");
    assert_eq!(when(&state, &at(MONDAY), &receive(&[(1, 2)])), Ok(vec![]));
    let released = when(&state, &at(MONDAY), &release(&[1, 2])).unwrap();
    let counters = [2].into();
    assert_eq!(released, [Event::RecordsReleased { upload: 2, counters, at: moment(MONDAY) }]);
    let state = and(state, &released);
    assert_eq!(pending(&state), [[1], [2]]);
    let waits = state.known().unwrap().quarantined.iter().map(|arrived| arrived.record.counter);
    assert_eq!(waits.collect::<Vec<_>>(), [3]);
    let unknown = when(&state, &at(MONDAY), &release(&[3, 4]));
    assert_eq!(unknown, Err(Rejection::RecordUnknown { counter: 4 }));
}

#[test]
fn a_device_is_trusted_until_the_instant_from_which_it_is_revoked() {
    let state = after(&[revoke("2025-03-04T09:00+08:00")]);
    let ahead = Received { recorded_at: moment("2025-03-04T09:00+08:00"), ..record(1, 2) };
    let command = Command::Receive { records: vec![record(1, 1), ahead] };
    let events = when(&state, &at(MONDAY), &command).unwrap();
    assert_eq!(names(&events), "RecordsReceived + RecordsQuarantined", "it claims a later time");
    let events = when(&state, &at(TUESDAY), &receive(&[(1, 1)])).unwrap();
    assert_eq!(names(&events), "RecordsQuarantined", "it arrives later");
    let state = after(&[revoke("2025-03-04T09:00:00.250+08:00")]);
    let just_now = at("2025-03-04T09:00:00.250+08:00");
    let events = when(&state, &just_now, &receive(&[(1, 1)])).unwrap();
    assert_eq!(names(&events), "RecordsQuarantined", "to the fraction of a second");
}

#[test]
fn a_device_is_only_revoked_from_an_earlier_instant_on() {
    let state = after(&[revoke(TUESDAY)]);
    assert_eq!(names(&when(&state, &at(MONDAY), &revoke(MONDAY)).unwrap()), "DeviceRevoked");
    let later = when(&state, &at(MONDAY), &revoke("2025-03-05T09:00+08:00"));
    assert_eq!(later, Err(Rejection::RevokedDifferently));
}

#[test]
fn only_its_own_unit_or_an_administrator_revokes_and_releases() {
    let state = after(&[receive(&[(1, 1)])]);
    let refused = Err(Rejection::OtherUnit { unit: unit("fire") });
    let Command::Revoke { revocation, .. } = revoke(MONDAY) else { unreachable!() };
    let other = Command::Revoke { unit: Some(unit("tax")), revocation };
    assert_eq!(when(&state, &at(MONDAY), &other), refused);
    let other = Command::Release { unit: Some(unit("tax")), counters: [1].into() };
    assert_eq!(when(&state, &at(MONDAY), &other), refused);
    let admin = Command::Revoke { unit: None, revocation };
    assert_eq!(names(&when(&state, &at(MONDAY), &admin).unwrap()), "DeviceRevoked");
}

#[test]
fn a_delivered_batch_is_gone() {
    let state =
        after(&[receive(&[(1, 1)]), receive(&[(1, 2)]), Command::MarkDelivered { upload: 1 }]);
    let known = state.known().unwrap();
    assert_eq!(known.delivery(1), None);
    assert_eq!(known.delivery(2), Some(&[kept(1, 2)][..]));
    let unknown = when(&state, &at(MONDAY), &Command::MarkDelivered { upload: 3 });
    assert_eq!(unknown, Err(Rejection::UploadUnknown { upload: 3 }));
}

#[test]
fn what_says_nothing_to_a_visit_is_in_the_chain_all_the_same() {
    let unreadable = Received { kept: None, ..record(1, 1) };
    let state = after(&[Command::Receive { records: vec![unreadable, record(1, 2)] }]);
    assert_eq!((pending(&state), gaps(&state)), (vec![vec![2]], vec![]));
}

#[test]
fn so_many_records_at_once_and_no_more() {
    let refused = |found| Err(Rejection::RecordCount { found });
    let none = Command::Receive { records: vec![] };
    assert_eq!(when(&enrolled(), &at(MONDAY), &none), refused(0));
    let many: Vec<_> = (1..=501).map(|n| (1, n)).collect();
    assert_eq!(when(&enrolled(), &at(MONDAY), &receive(&many)), refused(501));
    assert!(when(&enrolled(), &at(MONDAY), &receive(&many[..500])).is_ok());
    let beyond = Received { counter: COUNTER_MAX + 1, ..record(1, 1) };
    let command = Command::Receive { records: vec![beyond] };
    let found = COUNTER_MAX + 1;
    let refused = Err(Rejection::CounterOutOfBounds { found });
    assert_eq!(when(&enrolled(), &at(MONDAY), &command), refused);
}

#[test]
fn no_more_is_kept_whole_than_fits() {
    let batch = |n: u64| (n * 500 + 1..=n * 500 + 500).map(|n| (1, n)).collect::<Vec<_>>();
    let batches = u64::try_from(HELD_MAX / RECORDS_MAX).unwrap();
    let event = |n: u64| Event::RecordsReceived {
        upload: u32::try_from(n + 1).unwrap(),
        records: batch(n)
            .into_iter()
            .map(|(line, n)| Arrived { record: record(line, n), doubts: [].into() })
            .collect(),
        at: moment(MONDAY),
        missing_due: None,
    };
    let full: Device = and(enrolled(), &(0..batches).map(event).collect::<Vec<_>>());
    let next = receive(&[(1, 20_001)]);
    let refused = Err(Rejection::TooManyHeld { found: HELD_MAX + 1 });
    assert_eq!(when(&full, &at(MONDAY), &next), refused);
    assert_eq!(when(&full, &at(MONDAY), &receive(&[(1, 7)])), Ok(vec![]), "it is known");
    let freed = accepted(full, &at(MONDAY), &Command::MarkDelivered { upload: 9 });
    assert!(when(&freed, &at(MONDAY), &next).is_ok());
}

#[test]
fn the_agenda_has_each_batch_until_it_is_delivered_and_the_next_gap() {
    let state = after(&[receive(&[(1, 3)])]);
    let due = moment(TUESDAY);
    let put = |key: &str, at, duty| Change::Put(Entry { key: key.to_owned(), at, duty });
    let received = when(&enrolled(), &at(MONDAY), &receive(&[(1, 3)])).unwrap();
    let expected = [
        put("deliver/1", moment(MONDAY), Duty::DeliverRecords { upload: 1 }),
        put("missing", due, Duty::FlagMissing {}),
    ];
    assert_eq!(received[0].agenda(), expected);
    let closed = when(&state, &at(MONDAY), &receive(&[(1, 1), (1, 2)])).unwrap();
    assert_eq!(closed[0].agenda()[1], Change::Drop("missing".to_owned()));
    let delivered = Event::RecordsDelivered { upload: 1 };
    assert_eq!(delivered.agenda(), [Change::Drop("deliver/1".to_owned())]);
    let told = when(&state, &at(TUESDAY), &Command::FlagMissing).unwrap();
    assert_eq!(told[0].agenda(), [Change::Drop("missing".to_owned())]);
}

#[test]
fn a_command_is_known_again_by_the_hashes_whatever_was_made_of_them() {
    let read = Command::Receive { records: vec![record(1, 1)] };
    let unread = Command::Receive { records: vec![Received { kept: None, ..record(1, 1) }] };
    let json = |command: &Command| serde_json::to_value(command).unwrap();
    assert_eq!(json(&read), json(&unread));
    assert_ne!(json(&read), json(&receive(&[(2, 1)])));
}

#[test]
fn a_hundred_thousand_records_in_reverse_are_no_burden() {
    let mut chain = Chain::default();
    for n in (1..=100_000).rev() {
        let record = Received { kept: None, signed: None, ..record(1, n) };
        assert_eq!(chain.doubts(&record), [].into());
        chain.add(&record, moment(MONDAY));
    }
    assert_eq!((chain.last(), chain.len(), chain.gaps().len()), (100_000, 100_000, 0));
}
