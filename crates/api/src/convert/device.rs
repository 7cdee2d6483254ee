//! Requests and answers about devices and their records.

use std::collections::BTreeSet;

use doudi_domain::{
    DeviceId, UnitId,
    device::{Command, Device, PublicKey, RECORDS_MAX, Revocation, RevokeReason},
};
use doudi_engine::{Folded, Position};
use doudi_scan::records::{DeviceKey, RECORD_MAX};

use super::{
    Fields,
    alike::alike,
    city::{self, Order},
    common, derived, given,
    inspection::visit::stored_word,
    token,
};
use crate::{
    error::{Failure, Reason, Refusal},
    proto as pb, text,
};

pub(crate) mod answer;
pub(crate) mod kept;

/// The largest upload, in bytes.
const UPLOAD_MAX: usize = 900 * 1024;

/// The most gaps and quarantined records that are shown of a device.
const SHOWN_MAX: usize = 200;

alike! {
    DeviceRevokeReason = RevokeReason, revoke_reason, of_revoke_reason: Lost Retired Compromised;
}

/// The fields that every command on a known device has.
macro_rules! device_order {
    ($request:ident, $fields:ident, $command:expr) => {{
        let command_id = $fields.command_id(&$request.command_id);
        let device = device(&mut $fields, &$request.device_id);
        let command = $command;
        city::order($fields, command_id, $request.expected_version, device, command)
    }};
}

fn device(fields: &mut Fields, text: &str) -> Option<DeviceId> {
    fields.parse("device_id", text, given(DeviceId::parse))
}

pub(crate) fn enrol(
    request: &pb::EnrolDeviceRequest,
    unit: UnitId,
) -> Result<Order<DeviceId, Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let public_key = public_key(&mut fields, &request.public_key);
    let label = fields.parse("label", &request.label, text::name);
    let command = public_key.zip(label);
    let command = command.map(|(public_key, label)| Command::Enrol { unit, public_key, label });
    city::order(fields, command_id, None, command_id.map(derived::device), command)
}

fn public_key(fields: &mut Fields, bytes: &[u8]) -> Option<PublicKey> {
    if bytes.is_empty() {
        return fields.refuse("public_key", Reason::FieldRequired);
    }
    match <[u8; 32]>::try_from(bytes) {
        Ok(bytes) if DeviceKey::parse(&bytes).is_ok() => Some(PublicKey(bytes)),
        Ok(_) | Err(_) => fields.refuse("public_key", Reason::DeviceKeyUnusable),
    }
}

/// Revokes as `unit`, or as an administrator where there is none.
pub(crate) fn revoke(
    request: &pb::RevokeDeviceRequest,
    unit: Option<UnitId>,
) -> Result<Order<DeviceId, Command>, Failure> {
    let mut fields = Fields::default();
    let revocation = match request.revocation {
        None => fields.refuse("revocation", Reason::FieldRequired),
        Some(given) => {
            let reason = fields.choice("revocation.reason", given.reason, revoke_reason);
            let from = fields.timestamp("revocation.from", given.from.as_ref());
            reason.zip(from).map(|(reason, from)| Revocation { reason, from })
        }
    };
    device_order!(
        request,
        fields,
        revocation.map(|revocation| Command::Revoke { unit, revocation })
    )
}

/// Releases as `unit`, or as an administrator where there is none.
pub(crate) fn release(
    request: &pb::ReleaseRecordsRequest,
    unit: Option<UnitId>,
) -> Result<Order<DeviceId, Command>, Failure> {
    let mut fields = Fields::default();
    let mut counters = BTreeSet::new();
    let all =
        fields.each("counters", &request.counters, (1, RECORDS_MAX), |fields, path, counter| {
            if counters.insert(*counter) {
                Some(())
            } else {
                fields.refuse(path, Reason::ListDuplicate)
            }
        });
    device_order!(request, fields, all.map(|_| Command::Release { unit, counters }))
}

pub(crate) fn get(request: &pb::GetDeviceRequest) -> Result<(DeviceId, Position), Failure> {
    let mut fields = Fields::default();
    let device = device(&mut fields, &request.device_id);
    let at_least = fields.min_position(&request.min_position);
    fields.finish(device.zip(at_least))
}

pub(crate) fn anchor(request: &pb::AnchorTimeRequest) -> Result<DeviceId, Failure> {
    let mut fields = Fields::default();
    let device = device(&mut fields, &request.device_id);
    fields.finish(device)
}

/// Whether an upload is of a size that is looked into. A single record that is too large is no fault of
/// the others.
pub(crate) fn upload(request: &pb::UploadRecordsRequest) -> Result<(), Failure> {
    let mut fields = Fields::default();
    let size = fields.size("records", request.records.len(), 1, RECORDS_MAX);
    fields.finish(size)?;
    let found: usize = request.records.iter().map(|record| record.len().min(RECORD_MAX)).sum();
    if found <= UPLOAD_MAX {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::UploadTooLarge).with("found", found);
    Err(refusal.with("bytes_max", UPLOAD_MAX).about("records").into())
}

/// The device as it is; none before it was enrolled.
pub(crate) fn answer(id: DeviceId, folded: &Folded<Device>) -> Option<pb::GetDeviceResponse> {
    let known = folded.state.known()?;
    let pending: usize = known.pending.values().map(Vec::len).sum();
    let gaps = known.chain.gaps().take(SHOWN_MAX).map(|(range, gap)| pb::RecordGap {
        from: range.from,
        until: range.until,
        since: Some(common::of_timestamp(gap.since)),
        told: gap.told,
    });
    let doubts = known.doubts.iter().map(|(irregularity, count)| pb::DoubtCount {
        irregularity: stored_word(irregularity),
        count: *count,
    });
    let device = pb::Device {
        device_id: id.to_string(),
        unit: known.unit.to_string(),
        label: known.label.to_string(),
        public_key: known.public_key.0.to_vec(),
        revocation: known.revoked.map(of_revocation),
        last_counter: known.chain.last(),
        records: number(known.chain.len()).into(),
        pending: number(pending),
        gaps: gaps.collect(),
        gap_count: number(known.chain.gaps().len()),
        quarantined: known.quarantined.iter().take(SHOWN_MAX).map(answer::quarantined).collect(),
        quarantined_count: number(known.quarantined.len()),
        doubts: doubts.collect(),
    };
    Some(pb::GetDeviceResponse {
        device: Some(device),
        version: folded.version.0,
        position: token::of_position(folded.position),
    })
}

fn of_revocation(known: Revocation) -> pb::DeviceRevocation {
    pb::DeviceRevocation {
        reason: of_revoke_reason(known.reason).into(),
        from: Some(common::of_timestamp(known.from)),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
