//! Who calls, as the token proves it. Nothing here is ever read from a request's body.

use doudi_domain::{AppealId, AreaCode, EnterpriseId, Invalid, UnitId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    permission::{Role, RoleSet},
    text,
};

mod authenticator;
mod case_token;
mod keys;

pub(crate) use authenticator::TokenError;
pub use authenticator::{Authenticator, AuthenticatorSettings};
pub use case_token::CaseTokens;
pub use doudi_views::Areas;
pub use keys::{Keys, KeysError};

/// The longest subject or device name, in characters.
const NAME_CHARS_MAX: usize = 200;

/// The most areas that one token may list; a caller of more areas has `*`.
const AREAS_MAX: usize = 200;

/// The claim `areas` entry that stands for every area.
pub const EVERY_AREA: &str = "*";

/// The claims of a token (RFC 7519), as it is issued and as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is made.
    pub aud: Audience,
    /// When it ends, in seconds since 1970-01-01 UTC.
    pub exp: i64,
    /// When it was issued, in seconds since 1970-01-01 UTC.
    pub iat: i64,
    /// When it begins, in seconds since 1970-01-01 UTC; at once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The account: 1 to 200 printable characters, none invisible, stable, recorded with every command.
    pub sub: String,
    /// The roles, at least one, as [`Role::as_str`] spells them.
    pub roles: Vec<String>,
    /// The unit; required for agency handlers, unit heads and inspectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The area codes, or [`EVERY_AREA`] alone; required for dispatchers and supervisors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<String>,
    /// The enterprise; required for the role `enterprise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<String>,
    /// The device, 1 to 200 printable characters, none invisible, recorded with every command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// One audience or several (RFC 7519 section 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// A caller whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub subject: String,
    /// What it is.
    pub roles: RoleSet,
    /// The unit it acts for.
    pub unit: Option<UnitId>,
    /// The areas it acts in.
    pub areas: Areas,
    /// The enterprise it speaks for, if only in one case.
    pub enterprise: Option<EnterpriseId>,
    /// The one case that a case holder speaks in; none for accounts.
    pub appeal: Option<AppealId>,
    /// The device it uses.
    pub device: Option<String>,
    /// When its token ends, leeway included.
    pub expires_at: Timestamp,
}

/// A claim that is missing or malformed, by its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the claim {0} of a token is missing or malformed")]
pub struct ClaimError(pub &'static str);

impl Claims {
    /// The caller that the claims describe, valid until `expires_at`. Whoever issues tokens calls
    /// this first, so that no token is issued that would be refused.
    ///
    /// # Errors
    /// [`ClaimError`] names the first claim that is malformed, or missing for a role.
    pub fn caller(&self, expires_at: Timestamp) -> Result<Caller, ClaimError> {
        let roles = self.roles.iter().map(|role| Role::parse(role).ok_or(ClaimError("roles")));
        let roles: RoleSet = roles.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
        let caller = Caller {
            subject: name("sub", &self.sub)?,
            roles,
            unit: optional("unit", self.unit.as_deref(), UnitId::parse)?,
            areas: areas(&self.areas)?,
            enterprise: optional("enterprise", self.enterprise.as_deref(), EnterpriseId::parse)?,
            appeal: None,
            device: self.device.as_deref().map(|device| name("device", device)).transpose()?,
            expires_at,
        };
        caller.complete()
    }
}

impl Caller {
    /// Refuses a caller whose roles act for something that the token does not name.
    fn complete(self) -> Result<Self, ClaimError> {
        let no_areas = self.areas == Areas::Some(vec![]);
        let missing = if self.roles.is_empty() {
            Some("roles")
        } else if self.roles.intersects(Role::OF_UNIT) && self.unit.is_none() {
            Some("unit")
        } else if self.roles.intersects(Role::OF_AREAS) && no_areas {
            Some("areas")
        } else if self.roles.contains(Role::Enterprise) && self.enterprise.is_none() {
            Some("enterprise")
        } else {
            None
        };
        missing.map_or(Ok(self), |claim| Err(ClaimError(claim)))
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            subject: "tester".to_owned(),
            roles: RoleSet::default(),
            unit: None,
            areas: Areas::Some(vec![]),
            enterprise: None,
            appeal: None,
            device: None,
            expires_at: Timestamp::MAX,
        }
    }
}

fn name(claim: &'static str, text: &str) -> Result<String, ClaimError> {
    let sound = text::plain(text).is_ok()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(ClaimError(claim)) }
}

fn optional<T>(
    claim: &'static str,
    text: Option<&str>,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, ClaimError> {
    text.map(parse).transpose().map_err(|_| ClaimError(claim))
}

fn areas(claimed: &[String]) -> Result<Areas, ClaimError> {
    let malformed = || ClaimError("areas");
    if claimed.len() > AREAS_MAX {
        return Err(malformed());
    }
    if claimed == [EVERY_AREA] {
        return Ok(Areas::All);
    }
    let areas = claimed.iter().map(|code| AreaCode::parse(code).map_err(|_| malformed()));
    areas.collect::<Result<_, _>>().map(Areas::Some)
}

#[cfg(test)]
pub(crate) mod tests;
