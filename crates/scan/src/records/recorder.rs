//! What an app embeds to write records: the device's key, and where its chain ends.
//!
//! A counter is used once: the app saves record and tail in one write, and sends only what it has
//! saved. After a crash it goes on from the saved tail.

use std::fmt;

use ciborium::Value;
use ed25519_dalek::SigningKey;
use uuid::Uuid;

use super::{Anchored, COUNTER_MAX, RECORD_MAX, Record, RecordError, Signed, What, payload};
use crate::{
    cbor::Fields,
    envelope::{self, Kind},
};

/// Where a device's chain ends. The default is the tail of a device that has written nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tail {
    /// The counter of the last record; 0 if there is none.
    pub counter: u64,
    /// The hash of the last record; zeros if there is none.
    pub hash: [u8; 32],
}

/// Writes the records of one device.
///
/// Save each record **with the tail after it in one write** (one database transaction, one file
/// renamed into place), and only then show it as done or send it. Then a crash loses at most what
/// was never shown, and the next start goes on from the saved tail. A tail that was restored
/// from a backup uses counters twice, which looks like a cloned device: enrol the device anew.
///
/// ```
/// use doudi_scan::records::{CheckOut, DeviceKey, Recorder, Tail, What, open};
/// use uuid::Uuid;
///
/// # fn main() -> Result<(), doudi_scan::records::RecordError> {
/// let device = Uuid::from_u128(7);        // given when the device was enrolled
/// let secret = [42; 32];                  // 32 random bytes from the device's key store
/// let saved: Option<Tail> = None;         // from the app's database; none on the first start
/// let mut recorder = Recorder::new(device, &secret, saved.unwrap_or_default());
///
/// let what = What::CheckOut(CheckOut {
///     enterprise: "91440300MA5EXAMPL3".to_owned(),
///     visit: Uuid::from_u128(8),
///     occurred_at: 1_790_000_000_000,
/// });
/// let signed = recorder.record(what, 1_790_000_000_000, None)?;
/// let tail = recorder.tail();
/// // begin; insert into record values (tail.counter, signed.0); update tail; commit;
/// assert_eq!((tail.counter, tail.hash), (1, signed.hash()));
///
/// // The server, which knows the device's public key since it was enrolled:
/// let key = DeviceKey::parse(&recorder.public_key())?;
/// assert_eq!(open(&signed.0, &key)?.counter, 1);
/// # Ok(())
/// # }
/// ```
pub struct Recorder {
    device: Uuid,
    key: SigningKey,
    tail: Tail,
}

impl Recorder {
    /// A recorder of the device with this id and this Ed25519 private key (the 32-byte seed of RFC
    /// 8032), going on from the saved tail.
    #[must_use]
    pub fn new(device: Uuid, secret: &[u8; 32], tail: Tail) -> Self {
        Self { device, key: SigningKey::from_bytes(secret), tail }
    }

    /// The public key, to enrol the device with.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Where the chain ends: to be saved with the last record.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Writes the next record. `recorded_at` is the device's clock now, in milliseconds since 1970
    /// in UTC.
    ///
    /// # Errors
    /// [`RecordError`] if a field is out of bounds, the whole is too long or the counters are
    /// spent; then nothing was written and no counter was used.
    pub fn record(
        &mut self,
        what: What,
        recorded_at: i64,
        anchor: Option<Anchored>,
    ) -> Result<Signed, RecordError> {
        let Tail { counter, hash: previous } = self.tail;
        if counter >= COUNTER_MAX {
            return Err(RecordError::CounterSpent);
        }
        let counter = counter + 1;
        let device = self.device;
        let record = Record { device, counter, previous, recorded_at, anchor, what };
        let fields = payload::write(&record);
        // Read back before it is signed: what the server could not open is never written.
        payload::read(Fields::of(Value::Array(fields.clone()))?)?;
        let signed = Signed(envelope::seal(Kind::Record, fields, device.as_bytes(), &self.key)?);
        if signed.0.len() > RECORD_MAX {
            return Err(RecordError::TooLong);
        }
        self.tail = Tail { counter, hash: signed.hash() };
        Ok(signed)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("device", &self.device)
            .field("tail", &self.tail)
            .finish_non_exhaustive()
    }
}
