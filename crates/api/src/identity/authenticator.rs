//! Verifies bearer tokens: those of accounts, which are JWTs, and case tokens. A JWT is good when a known key signed it, for us, by our issuer, not
//! for longer than allowed, and now is within its life; nothing of it is believed before that.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Validation, decode, errors::ErrorKind};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Caller, CaseTokens, ClaimError, Claims, Keys};

/// The longest token, in bytes: far more than claims with [`super::AREAS_MAX`] areas need.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The most verified tokens that are remembered.
const CACHE_ENTRIES_MAX: usize = 10_000;

/// What tokens must be like.
#[derive(Debug, Clone)]
pub struct AuthenticatorSettings {
    /// The issuer that tokens must name.
    pub issuer: String,
    /// The audience that tokens must name.
    pub audience: String,
    /// How far clocks may differ, allowed at both ends of a token's life.
    pub leeway: Duration,
    /// The longest life that a token may have from its issue to its end.
    pub token_age_max: Duration,
}

/// Verifies tokens and remembers the verified ones until they end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: Keys,
    cases: CaseTokens,
    settings: AuthenticatorSettings,
    /// By the token's hash, so that no token is kept in memory.
    verified: Cache<[u8; 32], Arc<Caller>>,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is not a well-formed JWT")]
    Malformed,
    #[error("the case token is not one of ours")]
    Case,
    #[error("the token is not signed with the algorithm of its key")]
    Algorithm,
    #[error("the token names no known key")]
    KeyUnknown,
    #[error("the signature of the token is wrong")]
    Signature,
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    #[error("the token is not valid before {0}")]
    NotYetValid(Timestamp),
    #[error("the token comes from another issuer")]
    Issuer,
    #[error("the token is made for another audience")]
    Audience,
    #[error("the token is valid for longer than {seconds_max} seconds")]
    LifeTooLong { seconds_max: u64 },
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

/// What of the header is read before the signature: only how to verify it.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Authenticator {
    /// An authenticator that believes `keys`, and the tokens of cases.
    #[must_use]
    pub fn new(keys: Keys, cases: CaseTokens, settings: AuthenticatorSettings) -> Self {
        Self(Arc::new(Inner { keys, cases, settings, verified: Cache::new(CACHE_ENTRIES_MAX) }))
    }

    /// What makes the tokens of cases.
    pub(crate) fn cases(&self) -> &CaseTokens {
        &self.0.cases
    }

    /// The caller that the token proves, as of `now`.
    pub(crate) fn authenticate(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<Caller>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        if CaseTokens::is_one(token) {
            return self.0.cases.holder(token).map(Arc::new).ok_or(TokenError::Case);
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(caller) = self.0.verified.get(&hash) {
            if now < caller.expires_at {
                return Ok(caller);
            }
            self.0.verified.remove(&hash);
            return Err(TokenError::Expired(caller.expires_at));
        }
        let caller = Arc::new(self.verify(token, now)?);
        self.0.verified.insert(hash, Arc::clone(&caller));
        Ok(caller)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        let header = header(token)?;
        let Some(key) = header.kid.and_then(|kid| self.0.keys.get(&kid)) else {
            return Err(TokenError::KeyUnknown);
        };
        if header.alg != format!("{:?}", key.algorithm) {
            return Err(TokenError::Algorithm);
        }
        // Times and names are checked below: the library would ask the system for the time.
        let mut signature_only = Validation::new(key.algorithm);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let payload = decode::<Value>(token, &key.decoding, &signature_only).map_err(|error| {
            let wrong = matches!(error.kind(), ErrorKind::InvalidSignature);
            if wrong { TokenError::Signature } else { TokenError::Malformed }
        })?;
        self.judge(&claims(payload.claims)?, now)
    }

    fn judge(&self, claims: &Claims, now: Timestamp) -> Result<Caller, TokenError> {
        let AuthenticatorSettings { issuer, audience, leeway, token_age_max } = &self.0.settings;
        if claims.iss != *issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.aud.contains(audience) {
            return Err(TokenError::Audience);
        }
        let leeway = SignedDuration::try_from(*leeway).unwrap_or(SignedDuration::ZERO);
        let ends = instant("exp", claims.exp)?.saturating_add(leeway).unwrap_or(Timestamp::MAX);
        if now >= ends {
            return Err(TokenError::Expired(ends));
        }
        let issued = instant("iat", claims.iat)?;
        let begins = claims.nbf.map_or(Ok(issued), |nbf| instant("nbf", nbf))?.max(issued);
        if now < begins.saturating_sub(leeway).unwrap_or(Timestamp::MIN) {
            return Err(TokenError::NotYetValid(begins));
        }
        let seconds_max = token_age_max.as_secs();
        let life = claims.exp.checked_sub(claims.iat).and_then(|life| u64::try_from(life).ok());
        match life {
            None | Some(0) => Err(ClaimError("exp").into()),
            Some(life) if life > seconds_max => Err(TokenError::LifeTooLong { seconds_max }),
            Some(_) => Ok(claims.caller(ends)?),
        }
    }
}

fn instant(claim: &'static str, seconds: i64) -> Result<Timestamp, TokenError> {
    Timestamp::from_second(seconds).map_err(|_| ClaimError(claim).into())
}

fn header(token: &str) -> Result<Header, TokenError> {
    let mut parts = token.split('.');
    let (Some(first), Some(_), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let json = BASE64_URL_SAFE_NO_PAD.decode(first).map_err(|_| TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)?;
    // RFC 7515 section 4.1.11: what is not understood and said to be critical must be refused.
    if header.crit.is_some() { Err(TokenError::Malformed) } else { Ok(header) }
}

/// The claims, or the name of the one that is not as it should be.
fn claims(payload: Value) -> Result<Claims, TokenError> {
    let text = |name: &str| payload[name].is_string();
    let number = |name: &str| payload[name].is_i64();
    let required = [
        ("iss", text("iss")),
        ("aud", text("aud") || payload["aud"].is_array()),
        ("exp", number("exp")),
        ("iat", number("iat")),
        ("sub", text("sub")),
        ("roles", payload["roles"].is_array()),
        ("nbf", payload["nbf"].is_null() || number("nbf")),
        ("unit", payload["unit"].is_null() || text("unit")),
        ("areas", payload["areas"].is_null() || payload["areas"].is_array()),
        ("enterprise", payload["enterprise"].is_null() || text("enterprise")),
        ("device", payload["device"].is_null() || text("device")),
    ];
    if let Some((claim, _)) = required.into_iter().find(|(_, sound)| !sound) {
        return Err(ClaimError(claim).into());
    }
    let array = |name: &'static str| {
        let texts = payload[name].as_array().is_none_or(|all| all.iter().all(Value::is_string));
        if texts { Ok(()) } else { Err(ClaimError(name)) }
    };
    array("aud").and(array("roles")).and(array("areas"))?;
    serde_json::from_value(payload).map_err(|_| TokenError::Malformed)
}
