//! The duties of a device: what it kept goes to the visits, and somebody is told of what is missing.

use std::collections::BTreeMap;

use doudi_domain::{
    EnterpriseId,
    device::{self, Device},
    visits::{self, Kept, Visits},
};
use uuid::Uuid;

use super::{
    Failure, Outcome, envelope, failure, issue, named, on_own_stream, own_state, unfounded,
};
use crate::{
    execute::{Engine, ExecuteError},
    react::Due,
    streams,
};

/// So many records of one enterprise are told its visits at once: what they cause must fit one commit.
const RECORDS_MAX: usize = 16;

/// The records of a batch reach the visits that they are about, those of each enterprise in the order
/// of their counters. One enterprise that cannot be told holds up no other, and all are told again
/// until each was; what was told before changes nothing then.
pub(super) async fn deliver_records(engine: &Engine, due: &Due, upload: u32) -> Outcome {
    let folded = own_state::<Device>(engine, due).await?;
    let known = folded.state.known().ok_or_else(|| unfounded("the device was never enrolled"))?;
    let Some(records) = known.delivery(upload) else {
        return Ok(folded.position);
    };
    let mut of: BTreeMap<&EnterpriseId, Vec<&Kept>> = BTreeMap::new();
    for record in records {
        of.entry(&record.enterprise).or_default().push(record);
    }
    let mut failed = None;
    for (enterprise, records) in of {
        match deliver_to(engine, due, enterprise, &records).await {
            Ok(()) => {}
            Err(Failure::Log(error)) => return Err(Failure::Log(error)),
            Err(failure @ Failure::Entry(_)) => failed = Some(failure),
        }
    }
    match failed {
        Some(failure) => Err(failure),
        None => {
            let mark = device::Command::MarkDelivered { upload };
            on_own_stream::<Device>(engine, due, &mark).await
        }
    }
}

async fn deliver_to(
    engine: &Engine,
    due: &Due,
    enterprise: &EnterpriseId,
    records: &[&Kept],
) -> Result<(), Failure> {
    let stream = named(streams::visits(enterprise))?;
    let id = |first: &str| {
        let name = format!("{enterprise} {first}");
        Uuid::new_v5(&due.command_id(), name.as_bytes())
    };
    for (n, part) in records.chunks(RECORDS_MAX).enumerate() {
        let command = take_in(part);
        let envelope = envelope(due, id(&format!("part {n}")));
        match engine.execute::<Visits>(&stream, &command, &envelope).await {
            Ok(_) => {}
            Err(ExecuteError::TooLarge(_)) if part.len() > 1 => {
                for (at, one) in part.iter().enumerate() {
                    let id = id(&format!("part {n} record {at}"));
                    issue::<Visits>(engine, due, &stream, id, &take_in(&[one])).await?;
                }
            }
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(())
}

fn take_in(records: &[&Kept]) -> visits::Command {
    visits::Command::TakeIn { records: records.iter().map(|record| (*record).clone()).collect() }
}

/// Whatever is missing for a day.
pub(super) async fn flag_missing(engine: &Engine, due: &Due) -> Outcome {
    on_own_stream::<Device>(engine, due, &device::Command::FlagMissing).await
}
