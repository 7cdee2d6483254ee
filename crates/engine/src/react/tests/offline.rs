//! Records that devices kept: in whatever order, as often, and cut wherever they arrive, each reaches its
//! visit once; what is in doubt says so, and what is not to be trusted waits.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{
    CertificateNumber, DeviceId, FewSet, ItemId, Name, Process,
    agenda::Change,
    device::{Arrived, Command, Device, Event, PublicKey, Received, Revocation, RevokeReason},
    draw::Digest,
    frequency::Ground,
    visits::{CheckIn, Irregularity, Kept, Manner, Plan, Proof, What},
};

use tokio::task::JoinSet;

use super::*;

/// The devices, and how many records each kept.
const DEVICES: u64 = 200;
const RECORDS: u64 = 500;
/// From this device on they have a double; from that one on they were revoked before they handed in.
const CLONED: u64 = 190;
const REVOKED: u64 = 195;

/// So many hand in at once.
const LANES: u64 = 4;

/// A generator that gives the same numbers each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

fn device(n: u64) -> DeviceId {
    DeviceId(id(0xd000_0000 + u128::from(n)))
}

fn instant(minutes: u64) -> Timestamp {
    let start: Timestamp = "2025-04-01T01:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(i64::try_from(minutes).unwrap())
}

/// Record `n` of a line of a device: two of them are a visit that nobody had planned, its check-in and
/// its check-out, each at one of ten enterprises that only this device goes to.
fn record(of: u64, line: u8, n: u64) -> Received {
    let pair = n.div_ceil(2);
    let visit = VisitId(Uuid::new_v5(&device(of).0, &[&[line][..], &pair.to_be_bytes()].concat()));
    let enterprise = EnterpriseId::parse(&format!("L-{of}X{}", pair % 10)).unwrap();
    let occurred_at = instant(n);
    let officers: FewSet<_> = ["A1", "A2"].map(|n| CertificateNumber::parse(n).unwrap()).into();
    let what = if n.is_multiple_of(2) {
        What::CheckedOut { occurred_at }
    } else {
        let manner = Manner::Kept { device: device(of), counter: n };
        What::CheckedIn {
            check_in: CheckIn {
                officers: officers.clone(),
                occurred_at,
                manner,
                proof: Proof::Nothing,
                place: None,
            },
            improvised: Some(Plan {
                visit,
                unit: unit("fire"),
                officers,
                items: [ItemId::parse("fire-01").unwrap()].into(),
                shares: [].into(),
                ground: Ground::Urgent,
                evidence: None,
                justification: None,
                on_site_reason: None,
                campaign: None,
                recheck_of: None,
                on: jiff::civil::date(2025, 4, 1),
            }),
        }
    };
    let (unit, doubts) = (unit("fire"), FewSet::new());
    let device = device(of);
    let kept = Kept { device, counter: n, unit, enterprise, visit, what, doubts };
    Received {
        counter: n,
        hash: hash(of, line, n),
        previous: hash(of, line, n - 1),
        recorded_at: occurred_at,
        signed: None,
        kept: Some(kept),
    }
}

fn hash(of: u64, line: u8, n: u64) -> Digest {
    if n == 0 {
        return Digest([0; 32]);
    }
    Digest::of(&[&of.to_be_bytes(), &[line], &n.to_be_bytes()])
}

/// All that a device kept: of one with a double two lines that part in the middle.
fn kept_by(of: u64, records: u64) -> Vec<Received> {
    let mut all: Vec<Received> = (1..=records).map(|n| record(of, 1, n)).collect();
    if of >= CLONED {
        let fork = records / 2 + 1;
        let previous = hash(of, 1, fork - 1);
        all.push(Received { previous, ..record(of, 2, fork) });
        all.extend((fork + 1..=records).map(|n| record(of, 2, n)));
    }
    all
}

/// Every record in any order, twice, in uploads of any size; the first time each is cut in the middle.
fn uploads(chance: &mut Chance, records: &[Received]) -> Vec<Vec<Received>> {
    let mut uploads = Vec::new();
    for cut in [true, false] {
        let mut all = records.to_vec();
        chance.shuffle(&mut all);
        let mut rest = &all[..];
        while !rest.is_empty() {
            let (upload, left) = rest.split_at((300 + chance.below(201)).min(rest.len()));
            let arrives = if cut { upload.len() / 2 } else { upload.len() };
            uploads.push(upload[..arrives].to_vec());
            rest = left;
        }
    }
    uploads.retain(|upload| !upload.is_empty());
    uploads
}

/// The agenda of one device, kept by whoever hands its records in.
#[derive(Default)]
struct Duties(BTreeMap<String, Due>);

impl Duties {
    fn take(&mut self, stream: &StreamName, cause: Uuid, outcome: &[Event], position: Position) {
        for change in outcome.iter().flat_map(Process::agenda) {
            match change {
                Change::Put(entry) => {
                    let (key, at, duty) = (entry.key.clone(), entry.at, entry.duty);
                    let (stream, correlation) = (stream.clone(), cause);
                    let due = Due { stream, key, at, duty, cause, correlation, position };
                    self.0.insert(entry.key, due);
                }
                Change::Drop(key) => {
                    self.0.remove(&key);
                }
            }
        }
    }

    /// The batches that wait.
    fn deliveries(&mut self) -> Vec<Due> {
        let found: Vec<Due> = self.0.values().cloned().collect();
        self.0.retain(|key, _| !key.starts_with("deliver/"));
        found.into_iter().filter(|due| due.key.starts_with("deliver/")).collect()
    }
}

async fn tell(engine: &Engine, duties: &mut Duties, of: u64, n: u128, command: &Command) {
    let stream = streams::device(device(of)).unwrap();
    let command_id = Uuid::new_v5(&device(of).0, &n.to_be_bytes());
    let envelope = crate::Envelope::new(command_id, crate::execute::tests::actor());
    let outcome = engine.execute::<Device>(&stream, command, &envelope).await.unwrap();
    duties.take(&stream, command_id, &outcome.events, outcome.position);
}

/// Hands in all that a device kept; whoever delivers is late, delivers some of it twice, and is for some
/// devices now this machine, now another.
async fn hand_in(engines: &[Engine; 2], chance: &mut Chance, of: u64, records: &[Received]) {
    let mut duties = Duties::default();
    let engine = &engines[0];
    let others = if of.is_multiple_of(10) { 2 } else { 1 };
    let enrol = Command::Enrol {
        unit: unit("fire"),
        public_key: PublicKey([7; 32]),
        label: Name::parse("终端").unwrap(),
    };
    tell(engine, &mut duties, of, 0, &enrol).await;
    if of >= REVOKED {
        let revocation = Revocation { reason: RevokeReason::Lost, from: instant(0) };
        let revoke = Command::Revoke { unit: None, revocation };
        tell(engine, &mut duties, of, 1, &revoke).await;
    }
    let vault = Vault::memory();
    for (n, upload) in (2..).zip(uploads(chance, records)) {
        tell(engine, &mut duties, of, n, &Command::Receive { records: upload }).await;
        if chance.below(2) == 0 {
            continue;
        }
        for due in duties.deliveries() {
            engines[chance.below(others)].carry_out(&vault, &due).await.unwrap();
            if chance.below(4) == 0 {
                engines[chance.below(others)].carry_out(&vault, &due).await.unwrap();
            }
        }
    }
    for due in duties.deliveries() {
        engine.carry_out(&vault, &due).await.unwrap();
    }
    assert!(duties.0.is_empty(), "nothing is missing: {:?}", duties.0.keys());
}

/// What the log says, counted.
#[derive(Default)]
struct Counted {
    arrived: Vec<Arrived>,
    quarantined: usize,
    came: BTreeMap<VisitId, FewSet<Irregularity>>,
    left: BTreeMap<VisitId, FewSet<Irregularity>>,
}

async fn counted(journal: &Journal) -> Counted {
    let mut counted = Counted::default();
    let mut after = Position::START;
    loop {
        let records = journal.read(after, 1000).await.unwrap();
        let Some(last) = records.last() else { return counted };
        after = last.position;
        for record in &records {
            match record.stream.kind() {
                Device::KIND => counted.see_device(&decode::<Device>(record).unwrap()),
                Visits::KIND => counted.see_visits(decode::<Visits>(record).unwrap()),
                _ => {}
            }
        }
    }
}

impl Counted {
    fn see_device(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::RecordsReceived { records, .. } => self.arrived.extend_from_slice(records),
                Event::RecordsQuarantined { records, .. } => self.quarantined += records.len(),
                Event::DeviceEnrolled { .. }
                | Event::DeviceRevoked { .. }
                | Event::RecordsReleased { .. }
                | Event::RecordsDelivered { .. }
                | Event::RecordsMissing { .. } => {}
            }
        }
    }

    fn see_visits(&mut self, events: Vec<visits::Event>) {
        for event in events {
            if let visits::Event::VisitCheckedIn { visit, irregularities, .. } = event {
                assert_eq!(self.came.insert(visit, irregularities), None, "doubled");
            } else if let visits::Event::VisitCheckedOut { visit, irregularities, .. } = event {
                assert_eq!(self.left.insert(visit, irregularities), None, "doubled");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_devices_with_500_records_each_nothing_is_lost_and_nothing_doubled() {
    let journal = Journal::Memory(doudi_journal::Memory::default());
    let engines = [engine(&journal, &Arc::default()), engine(&journal, &Arc::default())];
    let mut at_work = JoinSet::new();
    for lane in 0..LANES {
        let engines = engines.clone();
        at_work.spawn(async move {
            for of in (0..DEVICES).filter(|of| of % LANES == lane) {
                hand_in(&engines, &mut Chance(of), of, &kept_by(of, RECORDS)).await;
            }
        });
    }
    at_work.join_all().await;
    let found = counted(&journal).await;
    let trusted: Vec<Received> = (0..REVOKED).flat_map(|of| kept_by(of, RECORDS)).collect();
    let quarantined = (REVOKED..DEVICES).map(|of| kept_by(of, RECORDS).len()).sum::<usize>();
    assert_eq!((found.arrived.len(), found.quarantined), (trusted.len(), quarantined));
    let visits: BTreeSet<VisitId> =
        trusted.iter().map(|record| record.kept.as_ref().unwrap().visit).collect();
    assert_eq!(found.came.keys().copied().collect::<BTreeSet<_>>(), visits);
    assert_eq!(found.left.keys().copied().collect::<BTreeSet<_>>(), visits);
    // Under each counter that two records have one of them says so.
    let of_doubt = |doubt| found.arrived.iter().filter(|a| a.doubts.contains(&doubt)).count();
    let doubles = usize::try_from((REVOKED - CLONED) * RECORDS / 2).unwrap();
    assert_eq!(of_doubt(Irregularity::DeviceCloned), doubles);
    let told = found.came.values().chain(found.left.values());
    assert_eq!(told.filter(|d| d.contains(&Irregularity::DeviceCloned)).count(), doubles);
}

#[tokio::test]
async fn more_records_than_one_commit_holds_are_told_to_be_too_many() {
    let (journal, _, _) = prepared().await;
    let engine = engine(&journal, &Arc::default());
    let mut duties = Duties::default();
    let enrol = Command::Enrol {
        unit: unit("fire"),
        public_key: PublicKey([7; 32]),
        label: Name::parse("终端").unwrap(),
    };
    tell(&engine, &mut duties, 0, 0, &enrol).await;
    tell(&engine, &mut duties, 0, 1, &Command::Receive { records: kept_by(0, 257) }).await;
    let stream = streams::device(device(0)).unwrap();
    let folded = engine.read::<Device>(&stream, Position::START).await.unwrap();
    let known = folded.state.known().unwrap();
    let kept = (0..3).find_map(|upload| known.delivery(upload)).unwrap();
    let records: Vec<_> = kept.to_vec();
    assert_eq!(records.len(), 257);
    let stream = streams::visits(&records[0].enterprise).unwrap();
    let command = visits::Command::TakeIn { records };
    let envelope = crate::Envelope::new(Uuid::from_u128(7), crate::execute::tests::actor());
    let answer = engine.execute::<Visits>(&stream, &command, &envelope).await;
    assert!(matches!(answer, Err(crate::ExecuteError::TooLarge(_))), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn what_arrives_is_delivered_and_what_is_missing_for_a_day_is_told_of_once() {
    let (journal, _, _) = prepared().await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let one = engine(&journal, &later);
    let mut duties = Duties::default();
    let enrol = Command::Enrol {
        unit: unit("fire"),
        public_key: PublicKey([7; 32]),
        label: Name::parse("终端").unwrap(),
    };
    // The check-in is missing, and comes after its check-out.
    let halves = [[record(1, 1, 2), record(1, 1, 4)], [record(1, 1, 1), record(1, 1, 2)]];
    let [first, second] = halves.map(|records| Command::Receive { records: records.into() });
    for (n, command) in [enrol, first].iter().enumerate() {
        tell(&one, &mut duties, 1, u128::try_from(n).unwrap(), command).await;
    }
    run_until_idle(&one, &agenda, settings()).await;
    let stream = streams::device(device(1)).unwrap();
    let state = || async { one.read::<Device>(&stream, Position::START).await.unwrap() };
    let found = state().await;
    let known = found.state.known().unwrap();
    assert!(known.pending.is_empty(), "it was delivered");
    assert!(known.chain.gaps().all(|(_, gap)| !gap.told), "it is not a day yet");
    later.store(true, SeqCst);
    run_until_idle(&one, &agenda, settings()).await;
    let told = |found: &crate::Folded<Device>| {
        let gaps = found.state.known().unwrap().chain.gaps();
        gaps.map(|(range, gap)| (range.from, range.until, gap.told)).collect::<Vec<_>>()
    };
    let found = state().await;
    assert_eq!(told(&found), [(1, 1, true), (3, 3, true)]);
    tell(&one, &mut duties, 1, 9, &second).await;
    run_until_idle(&one, &agenda, settings()).await;
    let after = state().await;
    assert_eq!(told(&after), [(3, 3, true)]);
    assert_eq!(after.version.0, found.version.0 + 2, "received, delivered, and not told again");
    let counted = counted(&journal).await;
    assert_eq!((counted.came.len(), counted.left.len()), (1, 1), "they came and left");
}
