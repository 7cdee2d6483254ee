//! What is not in order with records: what is refused, each for a reason of its own, and what is taken in all the
//! same with its doubts.

use doudi_api::proto::{Assurance, IssueEnterpriseCodeRequest};
use tonic::Code;

use super::super::requests::reason;
use super::*;

const ENTERPRISE: &str = "91210212DD0000001D";

/// Another signature than the device's.
fn forged(record: &[u8]) -> Vec<u8> {
    let mut forged = record.to_vec();
    let last = forged.last_mut().unwrap();
    *last ^= 1;
    forged
}

/// The outcome, and the reason where one is given.
fn told(answer: &RecordAnswer) -> (RecordOutcome, &str) {
    assert_eq!(answer.reason.is_empty(), answer.text_zh.is_empty());
    (answer.outcome(), &answer.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_proved_is_refused_and_stops_nothing_else() {
    use RecordOutcome::{Known, Refused, Stored};
    let world = World::start().await;
    let mut unit = world.unit(MARKET);
    let mut held = enrol(&mut unit, 1).await;
    let mut tax = world.unit("tax");
    let mut foreign = enrol(&mut tax, 2).await;
    let mut unknown = Recorder::new(Uuid::from_u128(7), &[3; 32], Tail::default());
    let visit = Uuid::from_u128(1);
    let [in_, out] = held.visit(ENTERPRISE, visit);
    let records = [
        forged(&in_),
        vec![0; 40],
        in_[..in_.len() - 1].to_vec(),
        vec![0; 8193],
        unknown.record(left(ENTERPRISE, visit), 0, None).unwrap().0,
        foreign.write(left(ENTERPRISE, visit)),
        in_.clone(),
        out.clone(),
        in_,
    ];
    let answers = upload(&mut unit, &records).await;
    let found: Vec<_> = answers.iter().map(told).collect();
    let expected = [
        (Refused, "RECORD_FORGED"),
        (Refused, "RECORD_MALFORMED"),
        (Refused, "RECORD_MALFORMED"),
        (Refused, "RECORD_TOO_LARGE"),
        (Refused, "DEVICE_UNKNOWN"),
        (Refused, "DEVICE_OTHER_UNIT"),
        (Stored, ""),
        (Stored, ""),
        (Known, ""),
    ];
    assert_eq!(found, expected);
    assert_eq!(delivered(&unit, held.id).await.records, 2);
    let status = upload_of(&mut unit, vec![vec![0; 8192]; 113]).await;
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::InvalidArgument, "UPLOAD_TOO_LARGE".into())
    );
    // Another unit sees nothing of the device.
    let request = GetDeviceRequest { device_id: held.id.to_string(), ..<_>::default() };
    let status = tax.devices.get_device(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "DEVICE_UNKNOWN".to_owned()));
    world.stop().await;
}

async fn upload_of(unit: &mut Client, records: Vec<Vec<u8>>) -> tonic::Status {
    unit.devices.upload_records(UploadRecordsRequest { records }).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_cloned_or_of_a_lost_device_is_seen_at_once() {
    let world = World::start().await;
    let mut unit = world.unit(MARKET);
    let mut held = enrol(&mut unit, 1).await;
    let mut visits = (1..=3).map(|n| held.visit(ENTERPRISE, Uuid::from_u128(n)));
    let (Some(first), Some(_), Some(third)) = (visits.next(), visits.next(), visits.next()) else {
        panic!("three visits")
    };
    drop(visits);
    upload(&mut unit, &first).await;
    let mut double = Held {
        id: held.id,
        recorder: Recorder::new(held.id, &[1; 32], Tail::default()),
        anchor: held.anchor.clone(),
    };
    let answers = upload(&mut unit, &double.visit(ENTERPRISE, Uuid::from_u128(9))).await;
    for answer in &answers {
        assert_eq!(told(answer), (RecordOutcome::Cloned, "RECORD_CLONED"));
        assert_eq!(answer.irregularities, ["device_cloned"]);
    }
    upload(&mut unit, &third[1..]).await;
    let found = delivered(&unit, held.id).await;
    let gaps: Vec<_> = found.gaps.iter().map(|gap| (gap.from, gap.until, gap.told)).collect();
    assert_eq!(gaps, [(3, 5, false)]);
    revoke(&mut unit, held.id).await;
    let [answer] = &upload(&mut unit, &third[..1]).await[..] else { panic!("one answer") };
    assert_eq!(told(answer), (RecordOutcome::Quarantined, "DEVICE_REVOKED"));
    let found = device(&unit, held.id).await;
    let waiting = &found.quarantined[0];
    assert_eq!((waiting.counter, waiting.visit_id.parse()), (5, Ok(Uuid::from_u128(3))));
    let request = AnchorTimeRequest { device_id: held.id.to_string() };
    let status = unit.devices.anchor_time(request).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::FailedPrecondition, "DEVICE_REVOKED".into())
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_scanned_without_a_network_proves_what_it_would_have_proved_with_one() {
    let world = World::start().await;
    let mut unit = world.unit(MARKET);
    let mut enterprise = world.enterprise(ENTERPRISE);
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let request = IssueEnterpriseCodeRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        ..<_>::default()
    };
    let issued = enterprise.codes.issue_enterprise_code(request).await.unwrap().into_inner();
    let code = issued.code.unwrap().text;
    let mut held = enrol(&mut unit, 1).await;
    let mut scan = |n: u128, code: &str, ahead_ms: i64| {
        let visit = Uuid::from_u128(n);
        let What::CheckIn(came) = came(ENTERPRISE, visit) else { panic!("a check-in") };
        let occurred_at = now().as_millisecond();
        let came = CheckIn { code: Some(code.to_owned()), occurred_at, ..came };
        let anchor = Anchored { text: held.anchor.clone(), elapsed_ms: 0 };
        let at = occurred_at + ahead_ms;
        held.recorder.record(What::CheckIn(came), at, Some(anchor)).unwrap().0
    };
    let records =
        [scan(1, &code, 0), scan(2, &code[..code.len() - 4], 0), scan(3, &code, -600_000)];
    upload(&mut unit, &records).await;
    delivered(&unit, held.id).await;
    let mut found = Vec::new();
    for n in 1..=3 {
        let visit = visit(&unit, ENTERPRISE, Uuid::from_u128(n)).await.unwrap();
        let scan = visit.scan.unwrap();
        let has = |word: &str| scan.irregularities.iter().any(|found| found == word);
        found.push((scan.assurance(), has("code_invalid"), has("clock_suspect")));
    }
    let expected = [
        (Assurance::Place, false, false),
        (Assurance::Stated, true, false),
        (Assurance::Place, false, true),
    ];
    assert_eq!(found, expected);
    world.stop().await;
}
