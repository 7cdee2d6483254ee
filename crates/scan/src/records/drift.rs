//! How far a device's clock is from what the server's time says.

use super::Record;
use crate::codes::Anchor;

/// How many milliseconds the device's clock was ahead when it wrote the record (behind: below 0):
/// its claim against the anchor's time and what has elapsed since.
///
/// Nothing if the record carries no anchor, or one that was given to another device. `anchor` is
/// the record's own, opened by the server.
#[must_use]
pub fn claimed_against_anchor(record: &Record, anchor: &Anchor) -> Option<i64> {
    let anchored = record.anchor.as_ref()?;
    if anchor.device != record.device {
        return None;
    }
    let elapsed = i64::try_from(anchored.elapsed_ms).unwrap_or(i64::MAX);
    Some(record.recorded_at.saturating_sub(anchor.at.saturating_add(elapsed)))
}
