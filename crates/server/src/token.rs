//! `doudi token`: tokens for development, signed with the key of a development data folder.

use doudi_api::{
    identity::{Audience, Claims, EVERY_AREA},
    permission::Role,
};

use crate::{
    clock,
    dev::keys::{DevKey, DevKeyError},
};

/// How long a development token holds, in seconds.
const LIFE_SECONDS: i64 = 8 * 3600;

/// Why a token cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The key cannot be used.
    #[error("the development key cannot be used; start `doudi dev` once to make one")]
    Key(#[from] DevKeyError),
}

/// Claims of a sample holder of `role`, with the scope that the role needs, valid from now on.
#[must_use]
pub fn claims(role: Role) -> Claims {
    let now = clock::system().now().as_second();
    let unit = match role {
        Role::AgencyHandler => Some("power-supply"),
        Role::UnitHead | Role::Inspector => Some("market-regulation"),
        Role::Dispatcher
        | Role::Supervisor
        | Role::Enterprise
        | Role::Auditor
        | Role::Admin
        | Role::CaseHolder => None,
    };
    let areas = match role {
        Role::Dispatcher | Role::Supervisor => vec![EVERY_AREA.to_owned()],
        Role::AgencyHandler
        | Role::UnitHead
        | Role::Inspector
        | Role::Enterprise
        | Role::Auditor
        | Role::Admin
        | Role::CaseHolder => vec![],
    };
    let enterprise = match role {
        Role::Enterprise => Some("91210212DD0000001D".to_owned()),
        Role::AgencyHandler
        | Role::UnitHead
        | Role::Inspector
        | Role::Dispatcher
        | Role::Supervisor
        | Role::Auditor
        | Role::Admin
        | Role::CaseHolder => None,
    };
    Claims {
        iss: "doudi".to_owned(),
        aud: Audience::One("doudi".to_owned()),
        sub: format!("dev-{role}"),
        iat: now,
        exp: now + LIFE_SECONDS,
        nbf: None,
        roles: vec![role.to_string()],
        unit: unit.map(str::to_owned),
        areas,
        enterprise,
        device: None,
    }
}

/// Signs claims with a development key.
///
/// # Errors
/// [`TokenError::Key`].
pub fn sign(key: &DevKey, claims: &Claims) -> Result<String, TokenError> {
    Ok(key.sign(claims)?)
}
