//! What is wrong with a token, as refusals.

use super::{Failure, Reason, Refusal};
use crate::identity::TokenError;

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let refusal = match error {
            TokenError::Malformed => Refusal::new(Reason::TokenMalformed),
            TokenError::Algorithm => Refusal::new(Reason::TokenAlgorithmRefused),
            TokenError::KeyUnknown => Refusal::new(Reason::TokenKeyUnknown),
            TokenError::Signature => Refusal::new(Reason::TokenSignatureWrong),
            TokenError::Expired(at) => Refusal::new(Reason::TokenExpired).with("expired_at", at),
            TokenError::NotYetValid(at) => {
                Refusal::new(Reason::TokenNotYetValid).with("valid_from", at)
            }
            TokenError::Issuer => Refusal::new(Reason::TokenIssuerWrong),
            TokenError::Audience => Refusal::new(Reason::TokenAudienceWrong),
            TokenError::LifeTooLong { seconds_max } => {
                Refusal::new(Reason::TokenLifeTooLong).with("seconds_max", seconds_max)
            }
            TokenError::Claim(claim) => {
                Refusal::new(Reason::TokenClaimInvalid).with("claim", claim.0)
            }
        };
        refusal.into()
    }
}
