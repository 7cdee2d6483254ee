//! Records as they are handed in: opened one by one, taken in device by device.
//!
//! What is refused stops nothing else, and whatever was taken in stays so when the rest cannot be: the
//! ids of the commands follow from the records, so the same upload again completes it.

use std::collections::{BTreeMap, HashMap};

use doudi_domain::{
    DeviceId, UnitId,
    device::{Command, Device, Event, Known, Received},
};
use doudi_engine::{Outcome, Position, streams};
use doudi_scan::records::{self, DeviceKey};
use uuid::Uuid;

use super::Api;
use crate::{
    call::Call,
    convert::{
        derived,
        device::{self as convert, answer, kept::Reader},
        token,
    },
    error::{Failure, Reason, Refusal, device::record as explain},
    proto as pb,
};

/// The most bytes of records in one command: what they make must fit one commit.
const COMMAND_BYTES_MAX: usize = 384 * 1024;

/// What became of the records so far, by their places in the upload.
#[derive(Default)]
struct Answers {
    of: BTreeMap<usize, pb::RecordAnswer>,
    position: Position,
}

/// A record of an upload.
struct Handed<'a> {
    at: usize,
    bytes: &'a [u8],
}

impl Api {
    pub(super) async fn upload_of_records(
        &self,
        call: &Call,
        request: &pb::UploadRecordsRequest,
    ) -> Result<pb::UploadRecordsResponse, Failure> {
        convert::upload(request)?;
        let unit = call.unit()?;
        let mut answers = Answers::default();
        let mut of_device: BTreeMap<Uuid, Vec<Handed<'_>>> = BTreeMap::new();
        for (at, bytes) in request.records.iter().enumerate() {
            match records::device_of(bytes) {
                Ok(device) => of_device.entry(device).or_default().push(Handed { at, bytes }),
                Err(error) => answers.refuse(at, None, 0, &explain(error)),
            }
        }
        for (device, handed) in of_device {
            self.hand_in(call, &unit, DeviceId(device), &handed, &mut answers).await?;
        }
        let position = token::of_position(answers.position);
        Ok(pb::UploadRecordsResponse { answers: answers.of.into_values().collect(), position })
    }

    /// Takes in the records of one device.
    async fn hand_in(
        &self,
        call: &Call,
        unit: &UnitId,
        device: DeviceId,
        handed: &[Handed<'_>],
        answers: &mut Answers,
    ) -> Result<(), Failure> {
        let folded = self.read::<Device>(&streams::device(device)?).await?;
        let Some(known) = folded.state.known() else {
            for Handed { at, .. } in handed {
                answers.refuse(*at, Some(device), 0, &Refusal::new(Reason::DeviceUnknown));
            }
            return Ok(());
        };
        let mut received = self.signed_by(unit, device, known, handed, answers)?;
        received.sort_by_key(|(at, record)| (record.counter, *at));
        for part in parts(received) {
            self.take_in(call, device, part, answers).await?;
        }
        Ok(())
    }

    /// The records that the device signed, with their places.
    fn signed_by(
        &self,
        unit: &UnitId,
        device: DeviceId,
        known: &Known,
        handed: &[Handed<'_>],
        answers: &mut Answers,
    ) -> Result<Vec<(usize, Received)>, Failure> {
        let key = DeviceKey::parse(&known.public_key.0).map_err(Failure::fault)?;
        let reader = Reader { ring: self.ring(), now: self.0.clock.now(), unit: &known.unit };
        let mut received = Vec::with_capacity(handed.len());
        for Handed { at, bytes } in handed {
            let record = match records::open(bytes, &key) {
                Ok(record) => record,
                Err(error) => {
                    answers.refuse(*at, Some(device), 0, &explain(error));
                    continue;
                }
            };
            if known.unit == *unit {
                received.push((*at, reader.received(bytes, &record).map_err(Failure::fault)?));
            } else {
                let other = Refusal::new(Reason::DeviceOtherUnit).with("unit", &known.unit);
                answers.refuse(*at, Some(device), record.counter, &other);
            }
        }
        Ok(received)
    }

    async fn take_in(
        &self,
        call: &Call,
        device: DeviceId,
        part: Vec<(usize, Received)>,
        answers: &mut Answers,
    ) -> Result<(), Failure> {
        let (places, records): (Vec<usize>, Vec<Received>) = part.into_iter().unzip();
        let id = derived::upload(records.iter().map(|record| &record.hash.0));
        let command = Command::Receive { records: records.clone() };
        let envelope = call.envelope(id, None);
        let asked = places.into_iter().zip(&records);
        match self.execute::<Device>(&streams::device(device)?, &command, &envelope).await {
            Ok(outcome) => answers.took_in(device, &outcome, asked),
            Err(Failure::Refused(why)) if why.told().0 == Reason::DeviceHoldsTooMuch => {
                for (at, record) in asked {
                    answers.refuse(at, Some(device), record.counter, &why);
                }
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}

impl Answers {
    fn refuse(&mut self, at: usize, device: Option<DeviceId>, counter: u64, why: &Refusal) {
        self.of.insert(at, answer::refused(device, counter, why));
    }

    /// Each record that the command brought is answered once; what it did not bring was there.
    fn took_in<'a>(
        &mut self,
        device: DeviceId,
        outcome: &Outcome<Device>,
        asked: impl Iterator<Item = (usize, &'a Received)>,
    ) {
        self.position = self.position.max(outcome.position);
        let mut brought = HashMap::new();
        for event in &outcome.events {
            match event {
                Event::RecordsReceived { records, .. } => {
                    let answer =
                        records.iter().map(|new| (new.record.hash, answer::stored(device, new)));
                    brought.extend(answer);
                }
                Event::RecordsQuarantined { records, .. } => {
                    let answer =
                        records.iter().map(|new| (new.record.hash, answer::waiting(device, new)));
                    brought.extend(answer);
                }
                Event::DeviceEnrolled { .. }
                | Event::DeviceRevoked { .. }
                | Event::RecordsReleased { .. }
                | Event::RecordsDelivered { .. }
                | Event::RecordsMissing { .. } => {}
            }
        }
        for (at, record) in asked {
            let answer = brought.remove(&record.hash);
            self.of.insert(at, answer.unwrap_or_else(|| answer::known(device, record)));
        }
    }
}

/// The records in commands of a bounded size, in their order.
fn parts(records: Vec<(usize, Received)>) -> Vec<Vec<(usize, Received)>> {
    let mut parts: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for (at, record) in records {
        let size = serde_json::to_vec(&record).map_or(0, |json| json.len());
        bytes += size;
        match parts.last_mut() {
            Some(part) if bytes <= COMMAND_BYTES_MAX => part.push((at, record)),
            Some(_) | None => {
                bytes = size;
                parts.push(vec![(at, record)]);
            }
        }
    }
    parts
}
