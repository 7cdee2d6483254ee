//! One function for each command on a device.

use super::*;
use crate::calendar::cut;

impl Device {
    pub(super) fn enrol(
        &self,
        unit: &UnitId,
        public_key: PublicKey,
        label: &Name,
    ) -> Result<Vec<Event>, Rejection> {
        let (unit, label) = (unit.clone(), label.clone());
        match self {
            Self::Absent => Ok(vec![Event::DeviceEnrolled { unit, public_key, label }]),
            Self::Known(known)
                if (&known.unit, known.public_key, &known.label) == (&unit, public_key, &label) =>
            {
                Ok(vec![])
            }
            Self::Known(_) => Err(Rejection::EnrolledDifferently),
        }
    }

    pub(super) fn enrolled(&self) -> Result<&Known, Rejection> {
        self.known().ok_or(Rejection::DeviceUnknown)
    }

    /// The device, if the caller's unit has a say in it; an administrator has in each.
    pub(super) fn answering_to(&self, unit: Option<&UnitId>) -> Result<&Known, Rejection> {
        let known = self.enrolled()?;
        if unit.is_none_or(|unit| known.unit == *unit) {
            Ok(known)
        } else {
            Err(Rejection::OtherUnit { unit: known.unit.clone() })
        }
    }
}

impl Known {
    /// Once revoked, it may only be revoked from an earlier instant on.
    pub(super) fn revoke(&self, revocation: Revocation) -> Result<Vec<Event>, Rejection> {
        match self.revoked {
            Some(known) if known == revocation => Ok(vec![]),
            Some(known) if known.from <= revocation.from => Err(Rejection::RevokedDifferently),
            Some(_) | None => Ok(vec![Event::DeviceRevoked { revocation }]),
        }
    }

    /// Each record is judged by what those before it left, also by those of the same command.
    pub(super) fn receive(
        &self,
        context: &Context<'_>,
        records: &[Received],
    ) -> Result<Vec<Event>, Rejection> {
        counted(records.len())?;
        let beyond = records.iter().find(|record| !(1..=COUNTER_MAX).contains(&record.counter));
        if let Some(Received { counter, .. }) = beyond {
            return Err(Rejection::CounterOutOfBounds { found: *counter });
        }
        let at = cut(context.now);
        let mut chain = self.chain.clone();
        let (mut trusted, mut quarantined) = (Vec::new(), Vec::new());
        for record in records {
            if chain.knows(record) {
                continue;
            }
            let doubts = chain.doubts(record);
            chain.add(record, at);
            let list =
                if self.trusts(record, context.now) { &mut trusted } else { &mut quarantined };
            list.push(Arrived { record: record.clone(), doubts });
        }
        let fresh = trusted.len() + quarantined.len();
        if fresh > 0 && self.held() + fresh > HELD_MAX {
            return Err(Rejection::TooManyHeld { found: self.held() + fresh });
        }
        let missing_due = chain.missing_due();
        let mut events = Vec::new();
        if !trusted.is_empty() {
            let (upload, records) = (self.uploads + 1, trusted);
            events.push(Event::RecordsReceived { upload, records, at, missing_due });
        }
        if !quarantined.is_empty() {
            events.push(Event::RecordsQuarantined { records: quarantined, at, missing_due });
        }
        Ok(events)
    }

    /// What claims to be written before the device was lost may have been written after it.
    fn trusts(&self, record: &Received, now: Timestamp) -> bool {
        self.revoked.is_none_or(|known| now < known.from && record.recorded_at < known.from)
    }

    pub(super) fn release(
        &self,
        context: &Context<'_>,
        counters: &BTreeSet<u64>,
    ) -> Result<Vec<Event>, Rejection> {
        counted(counters.len())?;
        if let Some(counter) = counters.iter().find(|counter| !self.chain.has(**counter)) {
            return Err(Rejection::RecordUnknown { counter: *counter });
        }
        let waiting: BTreeSet<u64> =
            self.quarantined.iter().map(|arrived| arrived.record.counter).collect();
        let counters: BTreeSet<u64> = waiting.intersection(counters).copied().collect();
        if counters.is_empty() {
            return Ok(vec![]);
        }
        let (upload, at) = (self.uploads + 1, cut(context.now));
        Ok(vec![Event::RecordsReleased { upload, counters, at }])
    }

    pub(super) fn mark_delivered(&self, upload: u32) -> Result<Vec<Event>, Rejection> {
        match self.delivery(upload) {
            Some(_) => Ok(vec![Event::RecordsDelivered { upload }]),
            None if (1..=self.uploads).contains(&upload) => Ok(vec![]),
            None => Err(Rejection::UploadUnknown { upload }),
        }
    }

    pub(super) fn flag_missing(&self, context: &Context<'_>) -> Vec<Event> {
        let ranges = self.chain.overdue(cut(context.now));
        if ranges.is_empty() {
            return vec![];
        }
        let mut chain = self.chain.clone();
        chain.told(&ranges);
        vec![Event::RecordsMissing { ranges, next: chain.missing_due() }]
    }
}

fn counted(found: usize) -> Result<(), Rejection> {
    if (1..=RECORDS_MAX).contains(&found) { Ok(()) } else { Err(Rejection::RecordCount { found }) }
}
