//! What became of records.

use doudi_domain::{
    DeviceId, FewSet,
    device::{Arrived, Received},
    visits::Irregularity,
};

use crate::{
    convert::{common, inspection::visit::stored_word},
    error::{Reason, Refusal},
    proto as pb,
};

pub(super) fn quarantined(arrived: &Arrived) -> pb::QuarantinedRecord {
    let record = &arrived.record;
    let about = record.kept.as_ref();
    pb::QuarantinedRecord {
        counter: record.counter,
        hash: record.hash.to_string(),
        recorded_at: Some(common::of_timestamp(record.recorded_at)),
        enterprise_id: about.map(|kept| kept.enterprise.to_string()).unwrap_or_default(),
        visit_id: about.map(|kept| kept.visit.to_string()).unwrap_or_default(),
        irregularities: words(arrived),
    }
}

fn words(arrived: &Arrived) -> Vec<String> {
    all_doubts(arrived).iter().map(stored_word).collect()
}

fn all_doubts(arrived: &Arrived) -> FewSet<Irregularity> {
    let found = arrived.record.kept.iter().flat_map(|kept| &kept.doubts);
    found.chain(&arrived.doubts).copied().collect()
}

/// One that was not taken in.
pub(crate) fn refused(device: Option<DeviceId>, counter: u64, why: &Refusal) -> pb::RecordAnswer {
    let answer = pb::RecordAnswer {
        outcome: pb::RecordOutcome::Refused.into(),
        device_id: device.map(|device| device.to_string()).unwrap_or_default(),
        counter,
        ..pb::RecordAnswer::default()
    };
    because(answer, why)
}

/// One that was there already.
pub(crate) fn known(device: DeviceId, record: &Received) -> pb::RecordAnswer {
    of(device, record, pb::RecordOutcome::Known)
}

/// One that was taken in and is delivered.
pub(crate) fn stored(device: DeviceId, arrived: &Arrived) -> pb::RecordAnswer {
    let irregularities = words(arrived);
    let answer = |outcome| pb::RecordAnswer {
        irregularities: irregularities.clone(),
        ..of(device, &arrived.record, outcome)
    };
    if arrived.doubts.contains(&Irregularity::DeviceCloned) {
        let cloned = answer(pb::RecordOutcome::Cloned);
        because(cloned, &Refusal::new(Reason::RecordCloned))
    } else if arrived.record.kept.is_none() {
        let stored = answer(pb::RecordOutcome::Stored);
        because(stored, &Refusal::new(Reason::RecordUnreadable))
    } else {
        answer(pb::RecordOutcome::Stored)
    }
}

/// One that was taken in and waits.
pub(crate) fn waiting(device: DeviceId, arrived: &Arrived) -> pb::RecordAnswer {
    let answer = pb::RecordAnswer {
        irregularities: words(arrived),
        ..of(device, &arrived.record, pb::RecordOutcome::Quarantined)
    };
    because(answer, &Refusal::new(Reason::DeviceRevoked))
}

fn of(device: DeviceId, record: &Received, outcome: pb::RecordOutcome) -> pb::RecordAnswer {
    pb::RecordAnswer {
        outcome: outcome.into(),
        device_id: device.to_string(),
        counter: record.counter,
        ..pb::RecordAnswer::default()
    }
}

fn because(answer: pb::RecordAnswer, why: &Refusal) -> pb::RecordAnswer {
    let (reason, words) = why.told();
    pb::RecordAnswer {
        reason: reason.as_str().to_owned(),
        text_en: words.en.into_owned(),
        text_zh: words.zh.into_owned(),
        ..answer
    }
}
