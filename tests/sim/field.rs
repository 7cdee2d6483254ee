//! A device of officers without a network: what it kept of visits that nobody had planned, handed in in any order,
//! twice and with gaps.

use doudi_domain::{
    DeviceId, Name, Reference, VisitId,
    calendar::civil_date,
    device::{Command, Device, PublicKey, Received, Revocation, RevokeReason},
    draw::Digest,
    frequency::Ground,
    visits::{CheckIn, Kept, Manner, Plan, Proof, What},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    city::{self, ENTERPRISES},
    network::Chance,
    people::item,
    world::Time,
};

/// The one device.
pub(super) const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xde));
/// Its unit.
const UNIT: &str = "fire";

/// What somebody does with the device, or has it do.
pub(super) fn wish(chance: &Chance, seen: &Device) -> Command {
    let Some(known) = seen.known() else {
        let (unit, label) = (city::unit(UNIT), Name::parse("终端").unwrap());
        return Command::Enrol { unit, public_key: PublicKey([7; 32]), label };
    };
    if known.revoked.is_some() && chance.percent(30) {
        let counters = known.quarantined.iter().map(|arrived| arrived.record.counter);
        return Command::Release { unit: None, counters: counters.collect() };
    }
    if chance.percent(5) {
        let revocation = Revocation { reason: RevokeReason::Lost, from: Time::default().now() };
        return Command::Revoke { unit: None, revocation };
    }
    let first = 1 + chance.below(known.chain.len() + 3) as u64;
    let count = 1 + chance.below(3) as u64;
    // A double of the device goes on from the same record.
    let line = u8::from(chance.percent(5));
    Command::Receive { records: (first..first + count).map(|n| record(line, n)).collect() }
}

fn hash(line: u8, counter: u64) -> Digest {
    if counter == 0 { Digest([0; 32]) } else { Digest::of(&[&[line], &counter.to_be_bytes()]) }
}

/// The record of that number, the same whenever it is handed in: in turns that they came, and that they left.
fn record(line: u8, counter: u64) -> Received {
    let at: Timestamp =
        Time::default().now() + SignedDuration::from_mins(10 * i64::try_from(counter).unwrap());
    let pair = counter.div_ceil(2);
    let visit = VisitId(Uuid::from_u128(u128::from(pair) << 8 | u128::from(line)));
    let unit = city::unit(UNIT);
    let what = if counter % 2 == 1 {
        let check_in = CheckIn {
            officers: city::officers(),
            occurred_at: at,
            manner: Manner::Kept { device: DEVICE, counter },
            proof: Proof::Nothing,
            place: None,
        };
        let plan = Plan {
            visit,
            unit: unit.clone(),
            shares: [].into(),
            officers: city::officers(),
            items: [item()].into(),
            ground: Ground::Complaint,
            evidence: Some(Reference::parse("12345-1").unwrap()),
            justification: None,
            on_site_reason: None,
            campaign: None,
            recheck_of: None,
            on: civil_date(at),
        };
        What::CheckedIn { check_in, improvised: Some(plan) }
    } else {
        What::CheckedOut { occurred_at: at }
    };
    let enterprise = city::enterprise(ENTERPRISES[usize::from(pair.is_multiple_of(3))]);
    let doubts = [].into();
    let kept = Kept { device: DEVICE, counter, unit, enterprise, visit, what, doubts };
    Received {
        counter,
        hash: hash(line, counter),
        previous: hash(line, counter - 1),
        recorded_at: at,
        signed: None,
        kept: Some(kept),
    }
}
