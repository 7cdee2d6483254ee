//! Opaque tokens: positions in the log, and pages of lists.
//!
//! A position is only encoded: one that somebody makes up is refused when the log has not reached it,
//! and is harmless when it has. A page token is also bound
//! to its list, filters and caller, and authenticated, because what is inside would otherwise let
//! somebody steer a query that was checked for another one.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_engine::Position;
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::identity::Caller;

/// The first byte of every token; another layout gets another number.
const VERSION: u8 = 1;

/// The bytes of a page token's authentication code.
const TAG_BYTES: usize = 16;

/// A place in the log: after a whole commit, or inside one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The commit.
    pub(crate) position: Position,
    /// The event inside it; none when the whole commit is meant.
    pub(crate) ordinal: Option<u32>,
}

impl Place {
    /// Before everything.
    const START: Self = Self { position: Position(0), ordinal: None };
}

pub(crate) fn of_position(position: Position) -> String {
    of_place(Place { position, ordinal: None })
}

pub(crate) fn of_place(place: Place) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(place.position.0.to_be_bytes());
    bytes.extend(place.ordinal.map(u32::to_be_bytes).into_iter().flatten());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position; an empty text is the start, none is said of what no answer ever gave.
pub(crate) fn parse_place(text: &str) -> Option<Place> {
    if text.is_empty() {
        return Some(Place::START);
    }
    // The longest token has 18 characters; a longer text is not worth decoding.
    let bytes = (text.len() <= 18).then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
    let (&VERSION, rest) = bytes.split_first()? else {
        return None;
    };
    let (position, rest) = rest.split_first_chunk::<8>()?;
    let ordinal = match rest {
        [] => None,
        rest => Some(u32::from_be_bytes(rest.try_into().ok()?)),
    };
    Some(Place { position: Position(u64::from_be_bytes(*position)), ordinal })
}

/// Makes and reads page tokens.
#[derive(Clone)]
pub(crate) struct PageTokens {
    key: [u8; 32],
}

/// What a page token is bound to: the list, its filters and the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding([u8; 32]);

impl Binding {
    /// The binding of a page of `rpc` with `filters`, a request without page size, page token and
    /// position, for one caller.
    pub(crate) fn new(rpc: &str, filters: &impl Message, caller: &Caller) -> Self {
        let scope = format!("{rpc}\n{}\n{:?}\n", caller.subject, caller.scope());
        let mut hash = Sha256::new();
        hash.update(scope.as_bytes());
        hash.update(filters.encode_to_vec());
        Self(hash.finalize().into())
    }
}

impl PageTokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    pub(crate) fn encode(&self, binding: Binding, payload: &[u8]) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(payload);
        bytes.extend(self.tag(binding, payload));
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The payload, if we made the token for this binding.
    pub(crate) fn decode<const N: usize>(&self, binding: Binding, text: &str) -> Option<[u8; N]> {
        let length = (1 + N + TAG_BYTES).saturating_mul(4).div_ceil(3);
        let bytes = (text.len() == length).then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok())??;
        let (&VERSION, rest) = bytes.split_first()? else {
            return None;
        };
        let (payload, tag) = rest.split_first_chunk::<N>()?;
        self.mac(binding, payload)?.verify_truncated_left(tag).ok()?;
        (tag.len() == TAG_BYTES).then_some(*payload)
    }

    fn mac(&self, binding: Binding, payload: &[u8]) -> Option<Hmac<Sha256>> {
        // Keys of any length are taken, so this never is none.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(&binding.0);
        mac.update(payload);
        Some(mac)
    }

    fn tag(&self, binding: Binding, payload: &[u8]) -> Vec<u8> {
        let mac = self.mac(binding, payload);
        mac.map_or_else(Vec::new, |mac| mac.finalize().into_bytes()[..TAG_BYTES].to_vec())
    }
}

impl std::fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokens")
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::UnitId;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        permission::{Role, RoleSet},
        proto::ListAppealsRequest,
    };

    #[test]
    fn a_position_keeps_its_value_and_tells_nothing_by_its_look() {
        for ordinal in [None, Some(0), Some(7)] {
            let place = Place { position: Position(1 << 40), ordinal };
            assert_eq!(parse_place(&of_place(place)), Some(place));
        }
        assert_eq!(parse_place(""), Some(Place::START));
        for text in ["0", "17", "AA", "!", "AgAAAAAAAAAB", "AQAAAAAAAAABAA", &"A".repeat(40)] {
            assert_eq!(parse_place(text), None, "{text}");
        }
    }

    fn inspector(unit: &str) -> Caller {
        Caller {
            roles: RoleSet::of(&[Role::Inspector]),
            unit: Some(UnitId::parse(unit).unwrap()),
            ..Caller::for_tests()
        }
    }

    fn binding(topic: &str, unit: &str) -> Binding {
        let filters = ListAppealsRequest { topic: topic.to_owned(), ..Default::default() };
        Binding::new("ListAppeals", &filters, &inspector(unit))
    }

    #[test]
    fn a_page_token_holds_only_for_its_list_its_filters_and_its_caller() {
        let tokens = PageTokens::new([7; 32]);
        let token = tokens.encode(binding("T06", "tax"), &[1; 8]);
        assert_eq!(tokens.decode::<8>(binding("T06", "tax"), &token), Some([1; 8]));
        assert_eq!(tokens.decode::<8>(binding("T07", "tax"), &token), None);
        assert_eq!(tokens.decode::<8>(binding("T06", "fire"), &token), None);
        assert_eq!(tokens.decode::<16>(binding("T06", "tax"), &token), None);
        assert_eq!(PageTokens::new([8; 32]).decode::<8>(binding("T06", "tax"), &token), None);
        let mut forged = token.into_bytes();
        forged[3] = if forged[3] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(tokens.decode::<8>(binding("T06", "tax"), &forged), None);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_but_never_a_panic(text in ".{0,60}") {
            let _ = parse_place(&text);
            let tokens = PageTokens::new([7; 32]);
            prop_assert_eq!(tokens.decode::<8>(binding("T06", "tax"), &text), None);
        }
    }
}
