//! What is wrong with a token, as refusals.

use super::{Failure, Reason, Refusal, Words};
use crate::identity::TokenError;

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let refusal = match error {
            TokenError::Malformed => Refusal::new(Reason::TokenMalformed),
            TokenError::Case => Refusal::new(Reason::CaseTokenWrong),
            TokenError::Algorithm => Refusal::new(Reason::TokenAlgorithmRefused),
            TokenError::KeyUnknown => Refusal::new(Reason::TokenKeyUnknown),
            TokenError::Signature => Refusal::new(Reason::TokenSignatureWrong),
            TokenError::Expired(at) => Refusal::new(Reason::TokenExpired).instant("expired_at", at),
            TokenError::NotYetValid(at) => {
                Refusal::new(Reason::TokenNotYetValid).instant("valid_from", at)
            }
            TokenError::Issuer => Refusal::new(Reason::TokenIssuerWrong),
            TokenError::Audience => Refusal::new(Reason::TokenAudienceWrong),
            TokenError::LifeTooLong { seconds_max } => {
                Refusal::new(Reason::TokenLifeTooLong).with("seconds_max", seconds_max)
            }
            TokenError::Claim(claim) => {
                Refusal::new(Reason::TokenClaimInvalid).word("claim", named(claim.0))
            }
        };
        refusal.into()
    }
}

/// The claims as their readers know them.
fn named(claim: &'static str) -> Words {
    let zh = match claim {
        "sub" => "账号",
        "roles" => "角色",
        "unit" => "单位",
        "areas" => "区划",
        "enterprise" => "企业",
        "device" => "设备",
        "exp" => "失效时间",
        other => other,
    };
    Words::pair(claim, zh)
}
