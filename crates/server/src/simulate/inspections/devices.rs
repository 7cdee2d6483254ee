//! The devices of the units' officers: real recorders, whose records are handed in late, in any order and
//! now and then twice.

use std::collections::HashMap;

use doudi_domain::{
    DeviceId, EnterpriseId, Name, UnitId, VisitId,
    device::{Command, PublicKey},
};
use doudi_scan::records::{CheckIn, CheckOut, Recorder, Tail, What};
use jiff::Timestamp;

use super::deeds::{Deed, Note};
use crate::simulate::{SimulateError, chance::Chance, step};

/// Devices of one unit.
pub(super) const PER_UNIT: usize = 3;
/// Records that are handed in at once at most.
const AT_ONCE: usize = 200;

/// One device: what signs, and what was not handed in yet.
#[derive(Debug)]
struct Device {
    id: DeviceId,
    recorder: Recorder,
    kept: Vec<Vec<u8>>,
}

/// All devices, by unit and number.
#[derive(Debug, Default)]
pub(super) struct Devices(HashMap<(UnitId, usize), Device>);

/// A visit as the device at its door is told of it.
pub(super) struct Door<'a> {
    pub(super) enterprise: &'a EnterpriseId,
    pub(super) visit: VisitId,
    pub(super) officers: Vec<String>,
    /// What hangs there.
    pub(super) code: Option<String>,
}

/// Which of its unit's devices the officers of a visit carry.
pub(super) fn carried(visit: VisitId) -> usize {
    visit.0.as_bytes().iter().map(|byte| usize::from(*byte)).sum::<usize>() % PER_UNIT
}

impl Devices {
    /// Gives a unit its devices; answers with their enrolment.
    pub(super) fn issue(
        &mut self,
        unit: &UnitId,
        chance: &mut Chance,
    ) -> Result<Vec<Deed>, SimulateError> {
        let mut deeds = vec![];
        for number in 0..PER_UNIT {
            let (id, secret) = (DeviceId(chance.id()), chance.bytes());
            let recorder = Recorder::new(id.0, &secret, Tail::default());
            let public_key = PublicKey(recorder.public_key());
            let label = Name::parse(&format!("执法终端 {number}")).map_err(step)?;
            deeds.push(Deed::Device(id, Command::Enrol { unit: unit.clone(), public_key, label }));
            self.0.insert((unit.clone(), number), Device { id, recorder, kept: vec![] });
        }
        Ok(deeds)
    }

    /// The device signs what happened at that instant.
    pub(super) fn keep(
        &mut self,
        unit: &UnitId,
        door: Door<'_>,
        note: Note,
        at: Timestamp,
    ) -> Result<(), SimulateError> {
        let key = (unit.clone(), carried(door.visit));
        let device = self.0.get_mut(&key).ok_or_else(|| step("a unit has no device"))?;
        let (enterprise, visit) = (door.enterprise.to_string(), door.visit.0);
        let occurred_at = at.as_millisecond();
        let what = match note {
            Note::Came => What::CheckIn(CheckIn {
                enterprise,
                visit,
                officers: door.officers,
                occurred_at,
                code: door.code,
                place: None,
                unplanned: None,
            }),
            Note::Left => What::CheckOut(CheckOut { enterprise, visit, occurred_at }),
        };
        let signed = device
            .recorder
            .record(what, occurred_at, None)
            .map_err(|error| step(format!("the device {} signs nothing: {error}", device.id)))?;
        device.kept.push(signed.0);
        Ok(())
    }

    /// Takes out what a device kept, to be handed in: in any order, and now and then twice.
    pub(super) fn send(&mut self, unit: &UnitId, number: usize, chance: &mut Chance) -> Vec<Deed> {
        let Some(device) = self.0.get_mut(&(unit.clone(), number)) else {
            return vec![];
        };
        let mut records = std::mem::take(&mut device.kept);
        chance.shuffle(&mut records);
        let mut parts: Vec<Vec<Vec<u8>>> = records.chunks(AT_ONCE).map(<[_]>::to_vec).collect();
        if chance.percent(15) {
            // Cut in the middle, as the app saw it: a part is handed in again among others.
            let again: Vec<_> = records.iter().step_by(2).cloned().collect();
            parts.extend(again.chunks(AT_ONCE).map(<[_]>::to_vec).collect::<Vec<_>>());
        }
        parts.into_iter().map(|records| Deed::Upload(unit.clone(), records)).collect()
    }
}
