//! Devices with records that they kept, and clients that hand these in.

use std::sync::Arc;

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{EnrolDeviceRequest, RecordOutcome, UploadRecordsRequest},
};
use doudi_scan::records::{CheckIn, Recorder, Tail, What};
use uuid::Uuid;

use super::stock::enterprise;
use crate::{
    bench::{BenchError, measured, site::Site, work::Worker},
    client::{Client, command_id},
    demo::visits::{CREWS, now},
    token,
};

/// How many records one upload has; the API takes no more.
const UPLOAD_RECORDS: usize = 500;

/// One that hands in, with what all of them hand in.
pub(super) struct Uploading {
    client: Client,
    uploads: Arc<Vec<Vec<Vec<u8>>>>,
}

/// So many devices are enrolled, and each signs so many records. There is a client for each; what one device
/// kept is handed in by all of them, one part after another.
pub(super) async fn devices(
    site: &Site,
    devices: u32,
    records: u32,
) -> Result<Vec<Uploading>, BenchError> {
    let claims = Claims { unit: Some(CREWS[0].unit.to_owned()), ..token::claims(Role::UnitHead) };
    let (mut clients, mut kept) = (vec![], vec![]);
    for _ in 0..devices {
        let mut client = site.client(&site.channel().await?, &claims)?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| measured(error.to_string()))?;
        let public_key = Recorder::new(Uuid::nil(), &key, Tail::default()).public_key().to_vec();
        let label = "bench".to_owned();
        let request = EnrolDeviceRequest { command_id: command_id(), public_key, label };
        let enrolled = client.devices.enrol_device(request).await.map_err(measured)?;
        let id = Uuid::try_parse(&enrolled.into_inner().device_id).map_err(measured)?;
        let signed = sign(Recorder::new(id, &key, Tail::default()), records)?;
        kept.extend(signed.chunks(UPLOAD_RECORDS).map(<[_]>::to_vec).enumerate());
        clients.push(client);
    }
    // The first of every device, then the second of each.
    kept.sort_by_key(|(part, _)| *part);
    let uploads = Arc::new(kept.into_iter().map(|(_, records)| records).collect::<Vec<_>>());
    let uploading = |client| Uploading { client, uploads: Arc::clone(&uploads) };
    Ok(clients.into_iter().map(uploading).collect())
}

/// What an officer's device writes down when it comes to a door, so many times.
fn sign(mut recorder: Recorder, records: u32) -> Result<Vec<Vec<u8>>, BenchError> {
    let signed = (0..records).map(|number| {
        let at = now().as_millisecond();
        let what = What::CheckIn(CheckIn {
            enterprise: enterprise(number),
            visit: Uuid::try_parse(&command_id()).map_err(measured)?,
            officers: CREWS[0].officers(),
            occurred_at: at,
            code: None,
            place: None,
            unplanned: None,
        });
        Ok(recorder.record(what, at, None).map_err(measured)?.0)
    });
    signed.collect()
}

impl Uploading {
    /// How many uploads all of them have together.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.uploads.len()).unwrap_or(u32::MAX)
    }
}

impl Worker for Uploading {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        let at = usize::try_from(number).map_err(measured)?;
        let records = self.uploads.get(at).ok_or_else(|| measured("there is no such upload"))?;
        let request = UploadRecordsRequest { records: records.clone() };
        let answers = self.client.devices.upload_records(request).await.map_err(measured)?;
        let mut answers = answers.into_inner().answers.into_iter();
        match answers.find(|answer| answer.outcome() != RecordOutcome::Stored) {
            None => Ok(()),
            Some(answer) => Err(measured(format!("a record was not stored: {answer:?}"))),
        }
    }
}
