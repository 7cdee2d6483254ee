//! The two counters of the log: a position in the whole log and a version within one stream.
//! Both start at 1; 0 stands for "before the first".

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the whole log: the number of a record, counted from 1. Zero, the default, is the
/// place before the first record. Positions are contiguous and never reused.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The place before the first record.
    pub const START: Position = Position(0);

    /// The position right after this one.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many commits a stream holds, which is also the number of its newest commit, counted
/// from 1. Zero, the default, is a stream without commits.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream that has no commit yet.
    pub const NONE: Version = Version(0);

    /// The version of the commit that follows this one.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_start_before_the_first_and_count_by_one() {
        assert_eq!(Position::default(), Position::START);
        assert_eq!(Position::START.next(), Position(1));
        assert_eq!(Version::default().next().next(), Version(2));
        assert_eq!(Version(u64::MAX).next(), Version(u64::MAX));
    }

    #[test]
    fn counters_are_plain_numbers_in_json_and_text() {
        assert_eq!(serde_json::to_string(&Position(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Version>("8").unwrap(), Version(8));
        assert_eq!(format!("{} {:>3}", Position(7), Version(8)), "7   8");
    }
}
