//! The offline scene of the demo: an officer without a network, whose device keeps what it signs and hands it
//! in later, twice and in the wrong order.

use doudi_api::proto::{
    EnrolDeviceRequest, GetDeviceRequest, GetVisitRequest, IssueEnterpriseCodeRequest,
    RecordOutcome, UploadRecordsRequest, Visit, VisitState,
};
use doudi_scan::records::{CheckIn, CheckOut, Recorder, Tail, What};
use jiff::Timestamp;
use tokio::time::{Duration, Instant, interval};
use uuid::Uuid;

use super::{
    Cast, DemoError,
    day::ENTERPRISES,
    tables,
    visits::{Crew, HOUSING, approve, now, plan},
};
use crate::client::{Client, command_id};

/// How long the records may take to reach their visit.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether they have.
const RHYTHM: Duration = Duration::from_millis(100);

/// A visit in a cellar: scanned in and out without a network.
pub(super) async fn cellar(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("No network in the cellar: the device keeps its scans 离线扫码，事后上传");
    let (enterprise, name) = ENTERPRISES[2];
    let unit = &cast.unit(HOUSING.unit)?;
    let code = hung(cast, enterprise).await?;
    let visit =
        plan(unit, HOUSING.request(enterprise, doudi_api::proto::Ground::Routine, "")).await?;
    approve(unit, enterprise, &visit).await?;
    let (device, key) = enrolled(unit).await?;
    let records = kept(device, &key, HOUSING, (enterprise, &visit), &code)?;
    tables::line(&format!(
        "at {name} the device signs two records: in and out, each with the hash before"
    ));
    let backwards: Vec<Vec<u8>> = records.into_iter().rev().collect();
    for how in ["handed in, the last one first", "handed in once more"] {
        let request = UploadRecordsRequest { records: backwards.clone() };
        let answers = unit.devices.clone().upload_records(request).await?.into_inner().answers;
        let fine = [RecordOutcome::Stored, RecordOutcome::Known];
        if !answers.iter().all(|answer| fine.contains(&answer.outcome())) {
            return Err(DemoError::Story("the records were not taken in as they should be"));
        }
        let request = GetDeviceRequest { device_id: device.to_string(), ..<_>::default() };
        let found = unit.devices.clone().get_device(request).await?.into_inner().device;
        let (records, gaps) = found.map_or((0, 0), |found| (found.records, found.gap_count));
        if (records, gaps) != (2, 0) {
            return Err(DemoError::Story("a record was lost or doubled"));
        }
        tables::line(&format!("{how}: the device's stream holds {records} records and no gap"));
    }
    let visit = until_checked_out(unit, enterprise, &visit).await?;
    let scan = visit.scan.ok_or(DemoError::Story("the scan is missing"))?;
    let (manner, assurance) = (scan.manner().as_str_name(), scan.assurance().as_str_name());
    tables::line(&format!(
        "the visit took place: {manner}, {assurance}, not in order: {:?}",
        scan.irregularities
    ));
    Ok(())
}

/// The text of a code that hangs at the enterprise.
async fn hung(cast: &Cast, enterprise: &str) -> Result<String, DemoError> {
    let request = IssueEnterpriseCodeRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        ..IssueEnterpriseCodeRequest::default()
    };
    let issued = cast.enterprise(enterprise)?.codes.issue_enterprise_code(request).await?;
    let code = issued.into_inner().code;
    Ok(code.ok_or(DemoError::Story("no code was issued"))?.text)
}

/// A device with a key of its own.
async fn enrolled(unit: &Client) -> Result<(Uuid, [u8; 32]), DemoError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|_| DemoError::Story("no chance for a key"))?;
    let request = EnrolDeviceRequest {
        command_id: command_id(),
        public_key: Recorder::new(Uuid::nil(), &key, Tail::default()).public_key().to_vec(),
        label: "执法终端 07".to_owned(),
    };
    let device = unit.devices.clone().enrol_device(request).await?.into_inner().device_id;
    Ok((parsed(&device)?, key))
}

/// What the device keeps of a visit.
fn kept(
    device: Uuid,
    key: &[u8; 32],
    crew: Crew,
    (enterprise, visit): (&str, &str),
    code: &str,
) -> Result<[Vec<u8>; 2], DemoError> {
    let mut recorder = Recorder::new(device, key, Tail::default());
    let (came, left) = (now(), now());
    let (enterprise, visit) = (enterprise.to_owned(), parsed(visit)?);
    let came_in = What::CheckIn(CheckIn {
        enterprise: enterprise.clone(),
        visit,
        officers: crew.officers(),
        occurred_at: came.as_millisecond(),
        code: Some(code.to_owned()),
        place: None,
        unplanned: None,
    });
    let went_out =
        What::CheckOut(CheckOut { enterprise, visit, occurred_at: left.as_millisecond() });
    let mut signed = |what, at: Timestamp| {
        let record = recorder.record(what, at.as_millisecond(), None);
        record.map(|signed| signed.0).map_err(|_| DemoError::Story("a record was not signed"))
    };
    Ok([signed(came_in, came)?, signed(went_out, left)?])
}

fn parsed(id: &str) -> Result<Uuid, DemoError> {
    Uuid::try_parse(id).map_err(|_| DemoError::Story("an id is no UUID"))
}

async fn until_checked_out(
    unit: &Client,
    enterprise: &str,
    visit: &str,
) -> Result<Visit, DemoError> {
    let (until, mut rhythm) = (Instant::now() + PATIENCE, interval(RHYTHM));
    while Instant::now() < until {
        rhythm.tick().await;
        let request = GetVisitRequest {
            enterprise_id: enterprise.to_owned(),
            visit_id: visit.to_owned(),
            ..<_>::default()
        };
        let found = unit.inspections.clone().get_visit(request).await?.into_inner().visit;
        if let Some(found) = found.filter(|found| found.state() == VisitState::CheckedOut) {
            return Ok(found);
        }
    }
    Err(DemoError::Story("the records did not reach their visit"))
}
