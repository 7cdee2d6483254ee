//! What a device kept arrives in any order, cut anywhere, as often as one likes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::cases;
use crate::{
    Decider, FewSet,
    device::{
        Command, Device, Event, Received, Revocation, RevokeReason,
        tests::{MONDAY, enrol, enrolled, hash, kept, record},
    },
    kit::{World, given, moment, stored, unit, when},
    visits::{Irregularity, Kept},
};

/// The records of one line in any order, each up to three times, cut into uploads anywhere.
fn any_uploads(records: Vec<Received>) -> impl Strategy<Value = Vec<Vec<Received>>> {
    let again = vec(any::<Index>(), 0..2 * records.len());
    let all = again.prop_flat_map(move |again| {
        let more = again.iter().map(|at| at.get(&records).clone());
        Just(records.iter().cloned().chain(more).collect::<Vec<_>>()).prop_shuffle()
    });
    (all, vec(1..9_usize, 40)).prop_map(|(all, sizes)| {
        let (mut rest, mut uploads) = (&all[..], Vec::new());
        for size in sizes.iter().cycle() {
            let (upload, left) = rest.split_at((*size).min(rest.len()));
            if upload.is_empty() {
                break;
            }
            uploads.push(upload.to_vec());
            rest = left;
        }
        uploads
    })
}

fn line(line: u8, range: std::ops::RangeInclusive<u64>) -> Vec<Received> {
    range.map(|n| record(line, n)).collect()
}

/// Two lines of one device: the second leaves the first before its record `fork`.
fn forked(first: u64, fork: u64, second: u64) -> Vec<Received> {
    let mut records = line(1, 1..=first);
    let previous = hash(1, fork - 1);
    records.push(Received { previous, ..record(2, fork) });
    records.extend(line(2, fork + 1..=fork + second));
    records
}

/// What was received and quarantined, with all that was flagged.
#[derive(Default)]
struct Seen {
    trusted: Vec<(Received, FewSet<Irregularity>)>,
    quarantined: Vec<(Received, FewSet<Irregularity>)>,
    log: Vec<Event>,
}

impl Seen {
    fn see(&mut self, events: &[Event]) {
        for event in events {
            let (list, records) = match event {
                Event::RecordsReceived { records, .. } => (&mut self.trusted, records),
                Event::RecordsQuarantined { records, .. } => (&mut self.quarantined, records),
                Event::DeviceEnrolled { .. }
                | Event::DeviceRevoked { .. }
                | Event::RecordsReleased { .. }
                | Event::RecordsDelivered { .. }
                | Event::RecordsMissing { .. } => continue,
            };
            list.extend(records.iter().map(|found| (found.record.clone(), found.doubts.clone())));
        }
        self.log.extend_from_slice(events);
    }

    fn all(&self) -> impl Iterator<Item = &(Received, FewSet<Irregularity>)> {
        self.trusted.iter().chain(&self.quarantined)
    }
}

/// Carries a command out, twice as always.
fn tell(state: Device, seen: &mut Seen, minutes: i64, command: &Command) -> Device {
    let world = World::default();
    let now = moment(MONDAY) + SignedDuration::from_mins(minutes);
    let events = when(&state, &world.then(now), command).unwrap();
    seen.see(&events);
    events.iter().fold(state, Device::evolve)
}

/// Delivers the oldest batch, as the agenda would, and says what it held.
fn deliver(state: Device, seen: &mut Seen, minutes: i64) -> (Device, Vec<Kept>) {
    let next = state.known().and_then(|known| known.pending.first_key_value());
    let Some((upload, held)) = next.map(|(upload, held)| (*upload, held.clone())) else {
        return (state, vec![]);
    };
    (tell(state, seen, minutes, &Command::MarkDelivered { upload }), held)
}

fn by_hash(records: &[Received]) -> BTreeMap<String, Received> {
    records.iter().map(|found| (found.hash.to_string(), found.clone())).collect()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn however_records_arrive_each_is_delivered_once_and_none_is_missing(
        (count, uploads) in (1..40_u64).prop_flat_map(|count| {
            (Just(count), any_uploads(line(1, 1..=count)))
        }),
        pauses in vec(any::<bool>(), 200),
    ) {
        let (mut state, mut seen) = (enrolled(), Seen::default());
        let mut delivered = Vec::new();
        for (n, records) in (0..).zip(uploads) {
            state = tell(state, &mut seen, n, &Command::Receive { records });
            if pauses[usize::try_from(n).unwrap()] {
                let (after, held) = deliver(state, &mut seen, n);
                state = after;
                delivered.extend(held);
            }
        }
        loop {
            let (after, held) = deliver(state, &mut seen, 300);
            state = after;
            if held.is_empty() {
                break;
            }
            delivered.extend(held);
        }
        delivered.sort_by_key(|kept| kept.counter);
        let expected: Vec<Kept> = (1..=count).map(|n| kept(1, n)).collect();
        prop_assert_eq!(delivered, expected, "each once, and nothing speaks against one");
        let known = state.known().unwrap();
        prop_assert_eq!(known.chain.gaps().len(), 0);
        prop_assert_eq!((known.chain.last(), known.chain.len()), (count, usize::try_from(count).unwrap()));
        prop_assert!(known.pending.is_empty() && known.doubts.is_empty());
    }

    #[test]
    fn of_a_double_nothing_is_lost_and_one_of_two_is_flagged(
        (records, uploads) in (2..20_u64, 0..10_u64, any::<Index>()).prop_flat_map(
            |(first, second, fork)| {
                let fork = 1 + u64::try_from(fork.index(usize::try_from(first).unwrap())).unwrap();
                let records = forked(first, fork, second);
                (Just(records.clone()), any_uploads(records))
            },
        ),
        revoked_after in 0..30_usize,
    ) {
        let (mut state, mut seen) = (enrolled(), Seen::default());
        for (n, records) in uploads.into_iter().enumerate() {
            let minutes = i64::try_from(n).unwrap();
            if n == revoked_after {
                let from = moment(MONDAY) + SignedDuration::from_mins(minutes);
                let revocation = Revocation { reason: RevokeReason::Compromised, from };
                let command = Command::Revoke { unit: Some(unit("fire")), revocation };
                state = tell(state, &mut seen, minutes, &command);
            }
            let quarantined = seen.quarantined.len();
            state = tell(state, &mut seen, minutes, &Command::Receive { records });
            let waits = seen.quarantined.len() > quarantined;
            prop_assert!(n >= revoked_after || !waits, "it was trusted until then");
        }
        let found: Vec<Received> = seen.all().map(|(record, _)| record.clone()).collect();
        prop_assert_eq!(found.len(), records.len(), "each once");
        prop_assert_eq!(by_hash(&found), by_hash(&records), "as it came");
        let mut flagged: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for (record, doubts) in seen.all() {
            let (all, cloned) = flagged.entry(record.counter).or_default();
            *all += 1;
            *cloned += usize::from(doubts.contains(&Irregularity::DeviceCloned));
        }
        prop_assert!(flagged.values().all(|(all, cloned)| *cloned == all - 1), "{flagged:?}");
        prop_assert_eq!(state.known().unwrap().quarantined.len(), seen.quarantined.len());
    }

    #[test]
    fn devices_survive_storage_and_any_order_of_events(
        uploads in any_uploads(forked(12, 5, 6)),
        order in vec(any::<Index>(), 1..20),
    ) {
        let mut seen = Seen::default();
        let mut state = tell(Device::default(), &mut seen, 0, &enrol());
        for (n, records) in (1..).zip(uploads) {
            state = tell(state, &mut seen, n, &Command::Receive { records });
            state = tell(state, &mut seen, n * 60, &Command::FlagMissing);
            if n % 3 == 0 {
                state = deliver(state, &mut seen, n).0;
            }
            if n == 4 {
                let from = moment(MONDAY);
                let revocation = Revocation { reason: RevokeReason::Retired, from };
                state = tell(state, &mut seen, n, &Command::Revoke { unit: None, revocation });
            }
        }
        let waiting = state.known().unwrap().quarantined.iter();
        let counters: BTreeSet<u64> = waiting.map(|found| found.record.counter).take(3).collect();
        if !counters.is_empty() {
            state = tell(state, &mut seen, 600, &Command::Release { unit: None, counters });
        }
        prop_assert_eq!(given::<Device>(&seen.log), state, "the state is what the events make it");
        let shuffled: Vec<Event> = order.iter().map(|at| stored(at.get(&seen.log))).collect();
        let enrolled = shuffled.iter().any(|e| matches!(e, Event::DeviceEnrolled { .. }));
        prop_assert_eq!(given::<Device>(&shuffled).known().is_some(), enrolled);
    }
}
