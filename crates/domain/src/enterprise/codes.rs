//! The codes that hang at an enterprise (企业码): which there are, since when one is good no more.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CODE_DAYS_MAX, CODES_MAX, Event, Registered, Rejection};
use crate::{decider::Context, ids::CodeId, visits::Place};

/// A code that was made to hang at an enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCode {
    /// Until when it can be scanned.
    pub expires_at: Timestamp,
    /// Where it hangs, if that was said.
    pub place: Option<Place>,
    /// Since when it is good no more.
    pub revoked_at: Option<Timestamp>,
}

impl IssuedCode {
    /// Whether it was good at that instant.
    #[must_use]
    pub fn is_good(&self, at: Timestamp) -> bool {
        at < self.expires_at && self.revoked_at.is_none_or(|since| at < since)
    }
}

impl Registered {
    /// The code of that id.
    #[must_use]
    pub fn code(&self, code: CodeId) -> Option<&IssuedCode> {
        self.codes.get(&code)
    }

    /// Every code that was made, by its id.
    pub fn codes(&self) -> impl Iterator<Item = (CodeId, &IssuedCode)> {
        self.codes.iter().map(|(id, code)| (*id, code))
    }

    pub(super) fn issue_code(
        &self,
        context: &Context<'_>,
        code: CodeId,
        expires_at: Timestamp,
        place: Option<Place>,
    ) -> Result<Vec<Event>, Rejection> {
        if self.codes.contains_key(&code) {
            return Ok(vec![]);
        }
        let life = expires_at.duration_since(context.now);
        if life <= SignedDuration::ZERO || life > SignedDuration::from_hours(24 * CODE_DAYS_MAX) {
            return Err(Rejection::CodeLife);
        }
        let in_force = self.codes.values().filter(|code| code.is_good(context.now)).count();
        if in_force >= CODES_MAX {
            return Err(Rejection::TooManyCodes);
        }
        Ok(vec![Event::CodeIssued { code, expires_at, place }])
    }

    pub(super) fn revoke_code(
        &self,
        context: &Context<'_>,
        code: CodeId,
    ) -> Result<Vec<Event>, Rejection> {
        match self.codes.get(&code) {
            None => Err(Rejection::CodeUnknown(code)),
            Some(IssuedCode { revoked_at: Some(_), .. }) => Ok(vec![]),
            Some(_) => Ok(vec![Event::CodeRevoked { code, at: context.now }]),
        }
    }

    pub(super) fn note_code(&mut self, code: CodeId, expires_at: Timestamp, place: Option<Place>) {
        self.codes.insert(code, IssuedCode { expires_at, place, revoked_at: None });
    }

    pub(super) fn note_revoked(&mut self, code: CodeId, at: Timestamp) {
        if let Some(known) = self.codes.get_mut(&code) {
            known.revoked_at = Some(at);
        }
    }
}
