//! Case tokens: with one, and nothing else, an enterprise without an account follows its own case.
//!
//! A token names one appeal of one enterprise and is authenticated by a secret key, so nobody finds
//! one by trying. It never ends: what ends is the case. Keys of older master keys are still
//! believed, so that a change of the master key takes nobody's case away.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_domain::{AppealId, EnterpriseId};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use super::{Areas, Caller};
use crate::permission::{Role, RoleSet};

/// What every case token begins with; no JWT does.
const PREFIX: &str = "case.";

/// The first byte inside; another layout gets another number.
const VERSION: u8 = 1;

/// The bytes of an appeal's id, and of the authentication code.
const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The longest token: no enterprise's id is longer than 18 characters.
const TOKEN_BYTES_MAX: usize = 100;

/// Makes and verifies case tokens.
#[derive(Clone)]
pub struct CaseTokens {
    /// The first one makes tokens, all of them verify.
    keys: Vec<[u8; 32]>,
}

impl CaseTokens {
    /// Tokens under secret `keys`, the same on every instance behind one address: new ones are made
    /// with the first, and those of each are believed.
    #[must_use]
    pub fn new(keys: Vec<[u8; 32]>) -> Self {
        Self { keys }
    }

    /// The token of one case; the same again for the same case under the same key.
    pub(crate) fn make(&self, enterprise: &EnterpriseId, appeal: AppealId) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(appeal.0.as_bytes());
        bytes.extend(enterprise.as_str().as_bytes());
        let mac = self.keys.first().and_then(|key| mac(key, &bytes));
        // Without a key nothing is a valid token.
        let tag = mac.map(|mac| mac.finalize().into_bytes());
        bytes.extend(tag.iter().flatten().take(TAG_BYTES));
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether a bearer token says that it is a case token.
    pub(super) fn is_one(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// The holder of a case, if we made the token.
    pub(super) fn holder(&self, token: &str) -> Option<Caller> {
        let text = token.strip_prefix(PREFIX).filter(|text| text.len() <= TOKEN_BYTES_MAX)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (said, tag) = bytes.split_last_chunk::<TAG_BYTES>()?;
        let sound = |key| mac(key, said).is_some_and(|mac| mac.verify_truncated_left(tag).is_ok());
        if !self.keys.iter().any(sound) {
            return None;
        }
        let (&VERSION, said) = said.split_first()? else {
            return None;
        };
        let (appeal, enterprise) = said.split_first_chunk::<ID_BYTES>()?;
        let enterprise = EnterpriseId::parse(std::str::from_utf8(enterprise).ok()?).ok()?;
        let appeal = AppealId(Uuid::from_bytes(*appeal));
        Some(Caller {
            subject: format!("case:{appeal}"),
            roles: RoleSet::of(&[Role::CaseHolder]),
            unit: None,
            areas: Areas::Some(vec![]),
            enterprise: Some(enterprise),
            appeal: Some(appeal),
            device: None,
            expires_at: Timestamp::MAX,
        })
    }
}

impl fmt::Debug for CaseTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseTokens")
    }
}

fn mac(key: &[u8; 32], said: &[u8]) -> Option<Hmac<Sha256>> {
    // Keys of any length are taken, so this never is none.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(said);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> (EnterpriseId, AppealId) {
        (EnterpriseId::parse("91512081MA62K0260E").unwrap(), AppealId(Uuid::from_u128(7)))
    }

    fn token() -> String {
        let (enterprise, appeal) = case();
        CaseTokens::new(vec![[1; 32]]).make(&enterprise, appeal)
    }

    #[test]
    fn a_token_proves_its_case_also_after_the_master_key_changed() {
        let (enterprise, appeal) = case();
        for keys in [vec![[1; 32]], vec![[2; 32], [1; 32]]] {
            let holder = CaseTokens::new(keys).holder(&token()).unwrap();
            assert!(holder.speaks_for(&enterprise, appeal));
            assert!(!holder.speaks_for(&enterprise, AppealId(Uuid::from_u128(8))));
            assert!(!holder.speaks_for(&EnterpriseId::parse("L-1").unwrap(), appeal));
            assert!(!holder.is_enterprise(&enterprise), "one case is not the enterprise");
            assert_eq!(holder.subject, format!("case:{appeal}"));
        }
        assert!(CaseTokens::new(vec![[2; 32]]).holder(&token()).is_none());
        assert!(CaseTokens::new(vec![]).holder(&token()).is_none());
    }

    #[test]
    fn a_token_that_was_changed_anywhere_proves_nothing() {
        let tokens = CaseTokens::new(vec![[1; 32]]);
        let sound = token();
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&sound[PREFIX.len()..]).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let forged = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(&bytes));
            assert!(tokens.holder(&forged).is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        for text in ["case.", "case.AA", "case.!", &sound[5..], &format!("{sound}{sound}")] {
            assert!(tokens.holder(text).is_none(), "{text}");
        }
        let keyless = CaseTokens::new(vec![]);
        let (enterprise, appeal) = case();
        assert!(keyless.holder(&keyless.make(&enterprise, appeal)).is_none());
        assert!(tokens.holder(&keyless.make(&enterprise, appeal)).is_none());
    }

    #[test]
    fn nothing_of_a_token_is_shown_by_who_keeps_it() {
        assert_eq!(format!("{:?}", CaseTokens::new(vec![[1; 32]])), "CaseTokens");
    }
}
