//! Where a page of an inbox ended, as so many bytes, for page tokens.

use doudi_domain::{AppealId, EnterpriseId, clock::ClockId};
use jiff::Timestamp;
use uuid::Uuid;

use super::Entry;

/// Where a page of an inbox ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When its last entry is due, in microseconds.
    pub(super) due: Timestamp,
    pub(super) appeal: AppealId,
    pub(super) enterprise: EnterpriseId,
    /// The nil UUID for none.
    pub(super) diagnosis: Uuid,
    pub(super) clock: ClockId,
}

/// The longest enterprise id.
const ENTERPRISE: usize = 18;

impl Cursor {
    /// How many bytes a cursor takes.
    pub const BYTES: usize = 8 + 16 + ENTERPRISE + 16 + 4;

    /// Where a page ends whose last entry this is.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            due: entry.clock.due,
            appeal: entry.appeal,
            enterprise: entry.enterprise.clone(),
            diagnosis: entry.diagnosis.map_or(Uuid::nil(), |id| id.0),
            clock: entry.clock.id,
        }
    }

    /// The cursor as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut writer = Writer { bytes: [0; Self::BYTES], at: 0 };
        writer.put(&self.due.as_microsecond().to_be_bytes());
        writer.put(self.appeal.0.as_bytes());
        writer.put(&padded(&self.enterprise));
        writer.put(self.diagnosis.as_bytes());
        writer.put(&self.clock.0.to_be_bytes());
        writer.bytes
    }

    /// The cursor that gave those bytes; none for others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (due, bytes) = bytes.split_first_chunk::<8>()?;
        let (appeal, bytes) = bytes.split_first_chunk::<16>()?;
        let (enterprise, bytes) = bytes.split_first_chunk::<ENTERPRISE>()?;
        let (diagnosis, bytes) = bytes.split_first_chunk::<16>()?;
        let clock: [u8; 4] = bytes.try_into().ok()?;
        Some(Self {
            due: Timestamp::from_microsecond(i64::from_be_bytes(*due)).ok()?,
            appeal: AppealId(Uuid::from_bytes(*appeal)),
            enterprise: unpadded(enterprise)?,
            diagnosis: Uuid::from_bytes(*diagnosis),
            clock: ClockId(u32::from_be_bytes(clock)),
        })
    }
}

/// Writes parts of a known length one after the other.
pub(crate) struct Writer<const N: usize> {
    pub(crate) bytes: [u8; N],
    pub(crate) at: usize,
}

impl<const N: usize> Writer<N> {
    pub(crate) fn put(&mut self, part: &[u8]) {
        for (to, from) in self.bytes[self.at..].iter_mut().zip(part) {
            *to = *from;
        }
        self.at = (self.at + part.len()).min(N);
    }
}

/// An id, filled up with zeros; no id holds one.
pub(crate) fn padded(enterprise: &EnterpriseId) -> [u8; ENTERPRISE] {
    let mut writer = Writer { bytes: [0; ENTERPRISE], at: 0 };
    writer.put(enterprise.as_str().as_bytes());
    writer.bytes
}

pub(crate) fn unpadded(bytes: &[u8; ENTERPRISE]) -> Option<EnterpriseId> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
    EnterpriseId::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_bytes_and_other_bytes_are_none() {
        for enterprise in ["L-1", "91512081MA62K0260E", "L-1234567890123456"] {
            let cursor = Cursor {
                due: "2025-05-06T09:00:00.123456Z".parse().unwrap(),
                appeal: AppealId(Uuid::from_u128(7)),
                enterprise: EnterpriseId::parse(enterprise).unwrap(),
                diagnosis: Uuid::from_u128(9),
                clock: ClockId(3),
            };
            let bytes = cursor.to_bytes();
            assert_eq!(Cursor::from_bytes(&bytes), Some(cursor));
            assert_eq!(Cursor::from_bytes(&bytes[1..]), None);
        }
        assert_eq!(Cursor::from_bytes(&[0; Cursor::BYTES]), None);
        assert_eq!(Cursor::from_bytes(&[0xff; Cursor::BYTES + 1]), None);
    }
}
