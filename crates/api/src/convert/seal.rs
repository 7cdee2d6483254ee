//! What answers carry for us alone, so that nobody needs to remember it: whoever holds it reads nothing in it and can
//! make none up.
//!
//! What is sealed is authenticated, and masked by what the key gives for its authentication code. So the same is always
//! sealed alike, and no mask serves twice for what differs.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The bytes of an authentication code: by so many is longer what is sealed.
pub(crate) const TAG_BYTES: usize = 16;

/// Seals and opens. Cheap to clone; clones share the keys.
#[derive(Clone)]
pub(crate) struct Seals {
    /// The first one seals, all of them open.
    keys: Arc<[[u8; 32]]>,
}

impl Seals {
    /// Seals under secret `keys`, the same on every instance behind one address: the first seals, and what was sealed
    /// under each is opened.
    pub(crate) fn new(keys: &[[u8; 32]]) -> Self {
        Self { keys: keys.into() }
    }

    /// Seals something together with the head that stands before it in clear.
    pub(crate) fn seal<const N: usize>(&self, head: &[u8; N], said: &[u8]) -> Vec<u8> {
        // Without a key nothing is said, and nothing is opened.
        let Some(keyed) = self.keys.first().and_then(keyed) else {
            return vec![];
        };
        let code = code(&keyed, head, said).finalize().into_bytes();
        let tag = &code[..TAG_BYTES];
        let mut sealed = tag.to_vec();
        sealed.extend(masked(&keyed, tag, said));
        sealed
    }

    /// What was sealed, if we sealed it behind this head.
    pub(crate) fn open<const N: usize>(&self, head: &[u8; N], sealed: &[u8]) -> Option<Vec<u8>> {
        let (tag, hidden) = sealed.split_at_checked(TAG_BYTES)?;
        self.keys.iter().filter_map(keyed).find_map(|keyed| {
            let said = masked(&keyed, tag, hidden);
            let sound = code(&keyed, head, &said).verify_truncated_left(tag).is_ok();
            sound.then_some(said)
        })
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seals")
    }
}

fn keyed(key: &[u8; 32]) -> Option<Hmac<Sha256>> {
    // Keys of any length are taken, so this never is none.
    Hmac::<Sha256>::new_from_slice(key).ok()
}

/// Authenticates something and its head.
fn code<const N: usize>(keyed: &Hmac<Sha256>, head: &[u8; N], said: &[u8]) -> Hmac<Sha256> {
    keyed.clone().chain_update(b"tag").chain_update(head).chain_update(said)
}

/// The bytes under the mask of a code; masked once more they are themselves again.
fn masked(keyed: &Hmac<Sha256>, tag: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mask = (0_u32..).flat_map(|block| {
        let block = block.to_be_bytes();
        let mask = keyed.clone().chain_update(b"mask").chain_update(tag).chain_update(block);
        mask.finalize().into_bytes()
    });
    bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Longer than the mask of one block.
    const SAID: [u8; 70] =
        *b"of 91210212DD0000001D everything waits from the place on that is named";

    fn seals(keys: &[u8]) -> Seals {
        let keys: Vec<[u8; 32]> = keys.iter().map(|key| [*key; 32]).collect();
        Seals::new(&keys)
    }

    #[test]
    fn what_is_sealed_is_opened_also_after_the_master_key_changed() {
        for length in [0, 1, 31, 32, 33, SAID.len()] {
            let said = &SAID[..length];
            let sealed = seals(&[1]).seal(b"head", said);
            assert_eq!(sealed.len(), TAG_BYTES + length);
            assert_eq!(sealed, seals(&[1, 2]).seal(b"head", said), "the same is sealed alike");
            for keys in [&[1][..], &[2, 1], &[3, 2, 1]] {
                assert_eq!(seals(keys).open(b"head", &sealed).as_deref(), Some(said));
            }
            assert_eq!(seals(&[2]).open(b"head", &sealed), None);
            assert_eq!(seals(&[]).open(b"head", &sealed), None);
        }
    }

    #[test]
    fn what_was_changed_anywhere_is_not_opened() {
        let seals = seals(&[1, 2]);
        let mut sealed = seals.seal(b"head", &SAID);
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert_eq!(seals.open(b"head", &sealed), None, "byte {at}");
            sealed[at] ^= 1;
        }
        assert_eq!(seals.open(b"heap", &sealed), None);
        for length in 0..sealed.len() {
            assert_eq!(seals.open(b"head", &sealed[..length]), None, "{length} bytes");
        }
        sealed.push(0);
        assert_eq!(seals.open(b"head", &sealed), None);
    }

    #[test]
    fn nothing_that_is_sealed_can_be_read_or_compared() {
        let sealed = seals(&[1]).seal(b"head", &SAID);
        for other in [seals(&[1]).seal(b"heap", &SAID), seals(&[2]).seal(b"head", &SAID)] {
            // No two have a mask in common, and no block has that of another one.
            let alike = sealed.iter().zip(&other).filter(|(one, other)| one == other).count();
            assert!(alike < 10, "{alike} bytes");
        }
        let zeros = seals(&[1]).seal(b"head", &[0; 96]);
        let blocks: Vec<&[u8]> = zeros[TAG_BYTES..].chunks(32).collect();
        assert!(blocks[0] != blocks[1] && blocks[1] != blocks[2] && blocks[0] != blocks[2]);
        assert!(!sealed.windows(4).any(|part| SAID.windows(4).any(|clear| clear == part)));
        assert!(seals(&[]).seal(b"head", &SAID).is_empty(), "without a key nothing is said");
        assert_eq!(format!("{:?}", seals(&[1])), "Seals");
    }

    proptest! {
        #[test]
        fn no_bytes_are_opened_that_nobody_sealed(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            prop_assert_eq!(seals(&[1, 2]).open(b"head", &bytes), None);
        }
    }
}
