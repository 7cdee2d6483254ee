//! Requests and answers about devices and their records.

use doudi_domain::{
    Decider, Name,
    device::{Arrived, Command, Device, Event, PublicKey, Received, Revocation, RevokeReason},
    draw::Digest,
};
use doudi_engine::Folded;
use doudi_scan::records::{Recorder, Tail};

use super::{bad::check, sound::ID, *};

fn fire() -> UnitId {
    UnitId::parse("fire").unwrap()
}

fn key() -> [u8; 32] {
    Recorder::new(Uuid::from_u128(1), &[42; 32], Tail::default()).public_key()
}

fn enrol() -> pb::EnrolDeviceRequest {
    let (command_id, label) = (ID.to_owned(), "一中队01号".to_owned());
    pb::EnrolDeviceRequest { command_id, public_key: key().to_vec(), label }
}

fn at() -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 1_750_000_000, nanos: 0 }
}

fn revoke() -> pb::RevokeDeviceRequest {
    let reason = pb::DeviceRevokeReason::Lost.into();
    pb::RevokeDeviceRequest {
        command_id: ID.to_owned(),
        device_id: ID.to_owned(),
        revocation: Some(pb::DeviceRevocation { reason, from: Some(at()) }),
        expected_version: Some(1),
    }
}

fn revocation(request: &mut pb::RevokeDeviceRequest) -> &mut pb::DeviceRevocation {
    request.revocation.as_mut().unwrap()
}

fn release() -> pb::ReleaseRecordsRequest {
    pb::ReleaseRecordsRequest {
        command_id: ID.to_owned(),
        device_id: ID.to_owned(),
        counters: vec![3, 1],
        expected_version: None,
    }
}

fn upload(records: Vec<Vec<u8>>) -> pb::UploadRecordsRequest {
    pb::UploadRecordsRequest { records }
}

#[test]
fn sound_requests_become_commands() {
    let order = device::enrol(&enrol(), fire()).unwrap();
    let label = Name::parse("一中队01号").unwrap();
    let expected = Command::Enrol { unit: fire(), public_key: PublicKey(key()), label };
    assert_eq!(order.command, expected);
    assert_eq!(order.id, device::enrol(&enrol(), fire()).unwrap().id, "the same on every retry");
    let order = device::revoke(&revoke(), None).unwrap();
    let from = common::timestamp(&at()).unwrap();
    let revocation = Revocation { reason: RevokeReason::Lost, from };
    assert_eq!(order.command, Command::Revoke { unit: None, revocation });
    let order = device::release(&release(), Some(fire())).unwrap();
    assert_eq!(order.command, Command::Release { unit: Some(fire()), counters: [1, 3].into() });
    assert!(device::upload(&upload(vec![vec![0; 8192]; 112])).is_ok());
}

#[test]
fn malformed_fields_are_named() {
    check(
        enrol,
        |r| device::enrol(r, fire()),
        &[
            (|r| r.command_id = String::new(), "command_id", Reason::FieldRequired),
            (|r| r.public_key = vec![], "public_key", Reason::FieldRequired),
            (|r| r.public_key = vec![7; 31], "public_key", Reason::DeviceKeyUnusable),
            // A point of small order, with which anything verifies.
            (|r| r.public_key = vec![0; 32], "public_key", Reason::DeviceKeyUnusable),
            (|r| r.label = " ".into(), "label", Reason::FieldRequired),
        ],
    );
    check(
        revoke,
        |r| device::revoke(r, None),
        &[
            (|r| r.device_id = "7".into(), "device_id", Reason::FieldNotUuid),
            (|r| r.revocation = None, "revocation", Reason::FieldRequired),
            (|r| revocation(r).reason = 0, "revocation.reason", Reason::EnumUnspecified),
            (|r| revocation(r).from = None, "revocation.from", Reason::FieldRequired),
        ],
    );
    check(
        release,
        |r| device::release(r, None),
        &[
            (|r| r.counters = vec![], "counters", Reason::ListSize),
            (|r| r.counters = (0..501).collect(), "counters", Reason::ListSize),
            (|r| r.counters = vec![4, 4], "counters[1]", Reason::ListDuplicate),
        ],
    );
}

#[test]
fn an_upload_has_its_bounds_and_one_record_that_is_too_large_is_none_of_the_others_fault() {
    let refused = |records| refused(device::upload(&upload(records)));
    assert_eq!(refused(vec![]), [("records".to_owned(), Reason::ListSize)]);
    assert_eq!(refused(vec![vec![]; 501]), [("records".to_owned(), Reason::ListSize)]);
    let large = refused(vec![vec![0; 8192]; 113]);
    assert_eq!(large, [("records".to_owned(), Reason::UploadTooLarge)]);
    assert!(device::upload(&upload(vec![vec![0; 921_601]])).is_ok());
}

#[test]
fn a_device_is_shown_with_what_is_missing_and_what_waits() {
    let order = device::enrol(&enrol(), fire()).unwrap();
    let (id, Command::Enrol { unit, public_key, label }) = (order.id, order.command) else {
        panic!()
    };
    let from = common::timestamp(&at()).unwrap();
    let revocation = Revocation { reason: RevokeReason::Lost, from };
    let record = |counter: u64| Received {
        counter,
        hash: Digest([u8::try_from(counter).unwrap(); 32]),
        previous: Digest([0; 32]),
        recorded_at: from,
        signed: None,
        kept: None,
    };
    let events = [
        Event::DeviceEnrolled { unit, public_key, label },
        Event::DeviceRevoked { revocation },
        Event::RecordsQuarantined {
            records: vec![Arrived { record: record(3), doubts: [].into() }],
            at: from,
            missing_due: None,
        },
    ];
    let mut folded = Folded::<Device>::default();
    folded.state = events.iter().fold(Device::default(), Device::evolve);
    let answer = device::answer(id, &folded).unwrap();
    let shown = answer.device.unwrap();
    assert_eq!((shown.unit.as_str(), shown.last_counter, shown.records), ("fire", 3, 1));
    assert_eq!(shown.public_key, key());
    let gap = pb::RecordGap { from: 1, until: 2, since: Some(at()), told: false };
    assert_eq!((shown.gaps, shown.gap_count), (vec![gap], 1));
    assert_eq!((shown.quarantined[0].counter, shown.quarantined_count), (3, 1));
    assert_eq!(shown.quarantined[0].hash, "03".repeat(32));
    assert_eq!(shown.revocation.unwrap().from, Some(at()));
    assert!(device::answer(id, &Folded::default()).is_none());
}
