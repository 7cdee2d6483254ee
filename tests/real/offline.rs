//! Records that devices kept, over the API: handed in in any order, twice, cut in the middle, the good among the
//! bad. Nothing is lost, nothing doubled, and what is not in order says so.

use std::collections::BTreeMap;
use std::time::Duration;

use doudi_api::permission::Role;
use doudi_api::proto::{
    AnchorTimeRequest, Device, DeviceRevocation, DeviceRevokeReason, EnrolDeviceRequest,
    GetDeviceRequest, GetVisitRequest, RecordAnswer, RecordOutcome, ReleaseRecordsRequest,
    RevokeDeviceRequest, UploadRecordsRequest, Visit, VisitState,
};
use doudi_scan::records::{Anchored, CheckIn, CheckOut, Recorder, Tail, Unplanned, What};
use doudi_server::client::{Client, command_id};
use doudi_tests::{until, world::World};
use futures::{StreamExt as _, stream};
use uuid::Uuid;

use super::requests::{ITEM, now, officers, register, stamp};

mod refused;

const MARKET: &str = "market-regulation";
/// What may take long takes at most so long.
const BOUND: Duration = Duration::from_secs(120);

/// A device with its key, as an app holds it.
struct Held {
    id: Uuid,
    recorder: Recorder,
    anchor: String,
}

/// Enrols a device with a key of its own, and gives it the time.
async fn enrol(unit: &mut Client, secret: u8) -> Held {
    let public_key = Recorder::new(Uuid::nil(), &[secret; 32], Tail::default()).public_key();
    let request = EnrolDeviceRequest {
        command_id: command_id(),
        public_key: public_key.to_vec(),
        label: format!("执法终端{secret:02}"),
    };
    let device_id = unit.devices.enrol_device(request).await.unwrap().into_inner().device_id;
    let request = AnchorTimeRequest { device_id: device_id.clone() };
    let anchor = unit.devices.anchor_time(request).await.unwrap().into_inner().anchor;
    let id = device_id.parse().unwrap();
    Held { id, recorder: Recorder::new(id, &[secret; 32], Tail::default()), anchor }
}

impl Held {
    /// Writes one record, a minute after it was given the time.
    fn write(&mut self, what: What) -> Vec<u8> {
        let anchor = Anchored { text: self.anchor.clone(), elapsed_ms: 0 };
        self.recorder.record(what, now().as_millisecond(), Some(anchor)).unwrap().0
    }

    /// Two records of a visit that nobody had planned.
    fn visit(&mut self, enterprise: &str, visit: Uuid) -> [Vec<u8>; 2] {
        [self.write(came(enterprise, visit)), self.write(left(enterprise, visit))]
    }

    /// The same device once more, from where it is now.
    fn double(&self, secret: u8) -> Self {
        let recorder = Recorder::new(self.id, &[secret; 32], self.recorder.tail());
        Self { id: self.id, recorder, anchor: self.anchor.clone() }
    }
}

fn came(enterprise: &str, visit: Uuid) -> What {
    What::CheckIn(CheckIn {
        enterprise: enterprise.to_owned(),
        visit,
        officers: officers(),
        occurred_at: now().as_millisecond() - 120_000,
        code: None,
        place: None,
        unplanned: Some(Unplanned {
            items: vec![ITEM.to_owned()],
            ground: "urgent".to_owned(),
            evidence: Some("12345-0001".to_owned()),
            reason: "接报有人员被困".to_owned(),
        }),
    })
}

fn left(enterprise: &str, visit: Uuid) -> What {
    What::CheckOut(CheckOut {
        enterprise: enterprise.to_owned(),
        visit,
        occurred_at: now().as_millisecond() - 60_000,
    })
}

async fn upload(unit: &mut Client, records: &[Vec<u8>]) -> Vec<RecordAnswer> {
    let request = UploadRecordsRequest { records: records.to_vec() };
    unit.devices.upload_records(request).await.unwrap().into_inner().answers
}

async fn device(unit: &Client, id: Uuid) -> Device {
    let request = GetDeviceRequest { device_id: id.to_string(), ..<_>::default() };
    unit.devices.clone().get_device(request).await.unwrap().into_inner().device.unwrap()
}

/// Waits until everything of the device that is to be delivered is.
async fn delivered(unit: &Client, id: Uuid) -> Device {
    let asked = until(BOUND, || async {
        let found = device(unit, id).await;
        (found.pending == 0).then_some(found)
    });
    asked.await.expect("what arrived is delivered")
}

async fn visit(unit: &Client, enterprise: &str, visit: Uuid) -> Option<Visit> {
    let request = GetVisitRequest {
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_string(),
        ..<_>::default()
    };
    unit.inspections.clone().get_visit(request).await.ok()?.into_inner().visit
}

/// The same order each time, and none that anybody would think of.
fn shuffle<T>(all: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..all.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

const DEVICES: u8 = 20;
/// Each of them kept two records of so many visits.
const VISITS: usize = 25;
/// The device that has a double, which went to [`DOUBLED`] visits, and the one that is lost.
const CLONED: usize = 18;
const LOST: usize = 19;
const DOUBLED: usize = 5;

/// Where the devices went, by device, and what they kept of it.
#[derive(Default)]
struct Kept {
    visits: BTreeMap<usize, Vec<(String, Uuid)>>,
    records: Vec<Vec<u8>>,
}

impl Kept {
    fn go(&mut self, n: usize, held: &mut Held, times: usize) {
        for _ in 0..times {
            let visits = self.visits.entry(n).or_default();
            let enterprise = format!("L-{n}X{}", visits.len() % 4);
            let visit = Uuid::new_v5(&held.id, &self.records.len().to_be_bytes());
            self.records.extend(held.visit(&enterprise, visit));
            visits.push((enterprise, visit));
        }
    }
}

/// Hands everything in: in any order, in uploads of which each is given up in the middle of it and made
/// again, and then once more in another order.
async fn hand_in(unit: &Client, records: &[Vec<u8>]) {
    for seed in [1, 2] {
        let mut records = records.to_vec();
        shuffle(&mut records, seed);
        let uploads = stream::iter(records.chunks(90)).for_each_concurrent(4, |part| async move {
            let cut = upload_in_time(unit, part, Duration::from_millis(3)).await;
            if cut.is_none() || seed == 2 {
                let answers = upload(&mut unit.clone(), part).await;
                let refused = answers.iter().filter(|a| a.outcome() == RecordOutcome::Refused);
                assert_eq!((answers.len(), refused.count()), (part.len(), 0));
            }
        });
        uploads.await;
    }
}

/// The answers, unless the caller hung up before.
async fn upload_in_time(
    unit: &Client,
    records: &[Vec<u8>],
    patience: Duration,
) -> Option<Vec<RecordAnswer>> {
    tokio::time::timeout(patience, upload(&mut unit.clone(), records)).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_devices_with_50_records_each_nothing_is_lost_and_nothing_doubled() {
    let world = World::start().await;
    let mut unit = world.unit(MARKET);
    let (mut devices, mut kept) = (Vec::new(), Kept::default());
    for n in 0..DEVICES {
        devices.push(enrol(&mut unit, n + 1).await);
    }
    for (n, held) in devices.iter_mut().enumerate() {
        kept.go(n, held, VISITS / 2);
        if n == CLONED {
            kept.go(n, &mut held.double(u8::try_from(n).unwrap() + 1), DOUBLED);
        }
        kept.go(n, held, VISITS - VISITS / 2);
    }
    let lost = devices[LOST].id;
    revoke(&mut unit, lost).await;
    hand_in(&unit, &kept.records).await;
    for (n, held) in devices.iter().enumerate() {
        let found = delivered(&unit, held.id).await;
        let doubled = if n == CLONED { DOUBLED } else { 0 };
        let records = u64::try_from(2 * (VISITS + doubled)).unwrap();
        assert_eq!((found.records, found.gap_count), (records, 0), "device {n}");
        let waits = if n == LOST { 2 * VISITS } else { 0 };
        assert_eq!(usize::try_from(found.quarantined_count), Ok(waits), "device {n}");
        let suspect: Vec<_> =
            found.doubts.iter().map(|doubt| doubt.irregularity.as_str()).collect();
        let expected: &[&str] = if n == CLONED { &["device_cloned"] } else { &[] };
        assert!(expected.iter().all(|doubt| suspect.contains(doubt)), "device {n}: {suspect:?}");
        assert!(n == CLONED || suspect.is_empty(), "device {n}: {suspect:?}");
    }
    took_place(&unit, &kept, |n| n != LOST).await;
    release(&mut world.role(Role::Admin), lost).await;
    assert_eq!(delivered(&unit, lost).await.quarantined_count, 0);
    took_place(&unit, &kept, |_| true).await;
    world.stop().await;
}

async fn revoke(unit: &mut Client, id: Uuid) {
    let (reason, from) = (DeviceRevokeReason::Lost.into(), Some(stamp(now())));
    let request = RevokeDeviceRequest {
        command_id: command_id(),
        device_id: id.to_string(),
        revocation: Some(DeviceRevocation { reason, from }),
        expected_version: None,
    };
    unit.devices.revoke_device(request).await.unwrap();
}

async fn release(admin: &mut Client, id: Uuid) {
    let request = ReleaseRecordsRequest {
        command_id: command_id(),
        device_id: id.to_string(),
        counters: (1..=u64::try_from(2 * VISITS).unwrap()).collect(),
        expected_version: None,
    };
    admin.devices.release_records(request).await.unwrap();
}

/// Every visit of those devices began and ended as it was kept; of the others there is nothing yet.
async fn took_place(unit: &Client, kept: &Kept, there: impl Fn(usize) -> bool) {
    for (n, visits) in &kept.visits {
        for (enterprise, id) in visits {
            let found = visit(unit, enterprise, *id).await;
            let state = found.as_ref().map(Visit::state);
            let expected = there(*n).then_some(VisitState::CheckedOut);
            assert_eq!(state, expected, "device {n} at {enterprise}");
            let scan = found.and_then(|found| found.scan);
            let device = scan.map(|scan| scan.device_id);
            assert_eq!(device.is_some(), there(*n));
        }
    }
}
