//! What a record says, as the visits take it in. Nothing of it is refused here: the device signed it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doudi_domain::{
    CertificateNumber, CodeId, DeviceId, EnterpriseId, FewSet, ItemId, Reference, UnitId, VisitId,
    calendar::civil_date,
    device::{Received, RecordError, Signed},
    draw::Digest,
    frequency::Ground,
    visits::{CLOCK_AHEAD_MAX, CheckIn, Irregularity, Kept, Manner, Place, Plan, Proof, What},
};
use doudi_scan::{
    codes::{Code, Form, KeyRing},
    records::{self, Record, Unplanned, claimed_against_anchor},
};
use jiff::{SignedDuration, Timestamp};

use crate::{convert::inspection::words, proto as pb, text};

/// How far a device's clock may be from the time that it was given.
const DRIFT_MAX: SignedDuration = SignedDuration::from_mins(5);

/// How long ago a record may have been written that says nothing of a time that the device was given.
const UNANCHORED_MAX: SignedDuration = SignedDuration::from_hours(72);

/// The most characters of a reference.
const REFERENCE_MAX: usize = 200;

/// Reads records for one unit.
pub(crate) struct Reader<'a> {
    /// Opens codes and anchors, where a key is configured.
    pub(crate) ring: Option<&'a KeyRing>,
    /// When the records arrived.
    pub(crate) now: Timestamp,
    /// The unit that the device is enrolled for.
    pub(crate) unit: &'a UnitId,
}

/// Why a record that was opened cannot be stored: a fault of the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("an instant of a record is out of bounds")]
    Instant(#[from] jiff::Error),
    #[error("the proof of a record is out of bounds")]
    Signed(#[from] RecordError),
}

impl Reader<'_> {
    /// The record with its proof.
    pub(crate) fn received(&self, bytes: &[u8], record: &Record) -> Result<Received, ReadError> {
        Ok(Received {
            counter: record.counter,
            hash: Digest(records::Signed(bytes.to_vec()).hash()),
            previous: Digest(record.previous),
            recorded_at: Timestamp::from_millisecond(record.recorded_at)?,
            signed: Some(Signed::parse(&STANDARD.encode(bytes))?),
            kept: self.kept(record),
        })
    }

    /// What the visit is to be told; none where no visit can be.
    fn kept(&self, record: &Record) -> Option<Kept> {
        let (enterprise, visit) = match &record.what {
            records::What::CheckIn(check_in) => (&check_in.enterprise, check_in.visit),
            records::What::CheckOut(check_out) => (&check_out.enterprise, check_out.visit),
        };
        let enterprise = EnterpriseId::parse(enterprise).ok()?;
        let visit = VisitId(visit);
        let mut doubts = FewSet::new();
        let what = match &record.what {
            records::What::CheckIn(check_in) => {
                self.checked_in(record, check_in, (&enterprise, visit), &mut doubts)?
            }
            records::What::CheckOut(check_out) => What::CheckedOut {
                occurred_at: Timestamp::from_millisecond(check_out.occurred_at).ok()?,
            },
        };
        if self.clock_is_suspect(record) {
            doubts.insert(Irregularity::ClockSuspect);
        }
        let (device, counter) = (DeviceId(record.device), record.counter);
        Some(Kept { device, counter, unit: self.unit.clone(), enterprise, visit, what, doubts })
    }

    fn checked_in(
        &self,
        record: &Record,
        check_in: &records::CheckIn,
        (enterprise, visit): (&EnterpriseId, VisitId),
        doubts: &mut FewSet<Irregularity>,
    ) -> Option<What> {
        let occurred_at = Timestamp::from_millisecond(check_in.occurred_at).ok()?;
        let (officers, sound) = parsed(&check_in.officers, CertificateNumber::parse);
        if !sound {
            doubts.insert(Irregularity::OfficerInvalid);
        }
        let proof = match self.proof(check_in, enterprise) {
            Ok(proof) => proof,
            Err(doubt) => {
                doubts.insert(doubt);
                Proof::Nothing
            }
        };
        let improvised = match &check_in.unplanned {
            None => None,
            Some(unplanned) => {
                Some(self.improvised(unplanned, visit, officers.clone(), occurred_at)?)
            }
        };
        let manner = Manner::Kept { device: DeviceId(record.device), counter: record.counter };
        let place = check_in.place.map(|place| Place {
            latitude_e6: place.latitude_e6,
            longitude_e6: place.longitude_e6,
            accuracy_m: place.accuracy_m,
        });
        let check_in = CheckIn { officers, occurred_at, manner, proof, place };
        Some(What::CheckedIn { check_in, improvised })
    }

    /// A code is judged by the time at which it was scanned. That the officers scanned the code that
    /// they show themselves proves nothing.
    fn proof(
        &self,
        check_in: &records::CheckIn,
        enterprise: &EnterpriseId,
    ) -> Result<Proof, Irregularity> {
        let Some(text) = &check_in.code else {
            return Ok(Proof::Nothing);
        };
        let scanned_at = check_in.occurred_at.div_euclid(1_000);
        let opened = self.ring.and_then(|ring| ring.open(text, scanned_at).ok());
        let code = opened.ok_or(Irregularity::CodeInvalid)?;
        if code.enterprise() != enterprise.as_str() {
            return Err(Irregularity::CodeOfOther);
        }
        match code {
            Code::Enterprise(code) => Ok(match code.form {
                Form::Printed => Proof::PrintedCode { code: CodeId(code.id) },
                Form::Rotating => Proof::RotatingCode { code: CodeId(code.id) },
            }),
            Code::Visit(code) if code.visit != check_in.visit => Err(Irregularity::CodeOfOther),
            Code::Visit(_) => Err(Irregularity::CodeInvalid),
        }
    }

    /// The plan of a visit that nobody had planned; none where it would be a plan of nothing.
    fn improvised(
        &self,
        unplanned: &Unplanned,
        visit: VisitId,
        officers: FewSet<CertificateNumber>,
        occurred_at: Timestamp,
    ) -> Option<Plan> {
        let (items, _) = parsed(&unplanned.items, ItemId::parse);
        if items.is_empty() {
            return None;
        }
        Some(Plan {
            visit,
            unit: self.unit.clone(),
            officers,
            items,
            shares: [].into(),
            ground: ground(&unplanned.ground)?,
            evidence: unplanned.evidence.as_deref().and_then(brief),
            // Nobody allowed it to pass a limit; it is only said why they went.
            justification: None,
            on_site_reason: brief(&unplanned.reason),
            campaign: None,
            recheck_of: None,
            on: civil_date(occurred_at),
        })
    }

    /// Whether the device's clock does not fit the time that it was given, or what it says happened
    /// after it arrived. A device that was given no time is believed for some days.
    fn clock_is_suspect(&self, record: &Record) -> bool {
        let occurred_at = match &record.what {
            records::What::CheckIn(check_in) => check_in.occurred_at,
            records::What::CheckOut(check_out) => check_out.occurred_at,
        };
        let latest = self.now.saturating_add(CLOCK_AHEAD_MAX).unwrap_or(Timestamp::MAX);
        if record.recorded_at.max(occurred_at) > latest.as_millisecond() {
            return true;
        }
        // A record is written when it happens.
        let apart = record.recorded_at.abs_diff(occurred_at);
        if u128::from(apart) > DRIFT_MAX.as_millis().unsigned_abs() {
            return true;
        }
        let Some(anchored) = &record.anchor else {
            // Nothing but the device says when it was.
            let age = self.now.as_millisecond().saturating_sub(record.recorded_at);
            return i128::from(age) > UNANCHORED_MAX.as_millis();
        };
        let anchor = self.ring.and_then(|ring| ring.open_anchor(&anchored.text).ok());
        let ahead = anchor.and_then(|anchor| claimed_against_anchor(record, &anchor));
        ahead.is_none_or(|ahead| SignedDuration::from_millis(ahead).abs() > DRIFT_MAX)
    }
}

/// The texts that are well-formed, and whether all are.
fn parsed<T: Ord, E>(texts: &[String], parse: fn(&str) -> Result<T, E>) -> (FewSet<T>, bool) {
    let read: FewSet<T> = texts.iter().filter_map(|text| parse(text).ok()).collect();
    let sound = texts.iter().all(|text| parse(text).is_ok());
    (read, sound)
}

/// The ground by its name in the API, with or without what all of them begin with.
fn ground(name: &str) -> Option<Ground> {
    let name = name.to_ascii_uppercase();
    let full = if name.starts_with("GROUND_") { name } else { format!("GROUND_{name}") };
    words::ground(pb::Ground::from_str_name(&full)?)
}

/// As much of a text as a reference holds; all of it is in the proof.
fn brief(long: &str) -> Option<Reference> {
    let printable = long.chars().filter(|c| !c.is_control()).take(REFERENCE_MAX);
    text::reference(&printable.collect::<String>()).ok()
}
