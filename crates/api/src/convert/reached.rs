//! How far somebody has got who follows live, as a position: a place in the log, and, where something is withheld, also
//! of which enterprises and from where on. The place stands in it in clear; the rest is sealed, since whoever holds the
//! position may not know of all of them.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_views::timeline::{Point, Reached};

use super::{
    draw::{CURSOR_BYTES, cursor, of_cursor},
    seal::{Seals, TAG_BYTES},
    timeline::{POINT_BYTES, of_point, packed, point, unpacked},
    token,
};

/// The first byte of a position that says what is withheld; one that says nothing of it is a plain place.
const VERSION: u8 = 3;

/// Of so many enterprises something may be withheld at once, so that a position stays a short text.
pub(crate) const WITHHELD_MAX: usize = 100;

/// A longer text is not worth decoding.
const TEXT_MAX: usize = 8000;

/// The bytes of what is said of each enterprise: all alike, so that the length does not tell one from another.
const EACH_BYTES: usize = CURSOR_BYTES + POINT_BYTES;

/// What stands in clear: the version and the place.
const HEAD_BYTES: usize = 1 + POINT_BYTES;

pub(crate) fn of_reached(reached: &Reached, seals: &Seals) -> String {
    let Reached { point, withheld } = reached;
    if withheld.is_empty() {
        return of_point(*point);
    }
    let mut head = [VERSION; HEAD_BYTES];
    head[1..].copy_from_slice(&packed(*point));
    let mut said = vec![];
    for (enterprise, until) in withheld.iter() {
        said.extend(of_cursor(enterprise));
        said.extend(packed(*until));
    }
    let mut bytes = head.to_vec();
    bytes.extend(seals.seal(&head, &said));
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position; an empty text is the start, none is said of what no answer ever gave.
pub(crate) fn parse(text: &str, seals: &Seals) -> Option<Reached> {
    match token::parse_place(text) {
        Some(place) => Some(point(place).into()),
        None => with_withheld(text, seals),
    }
}

/// The place of a position, whatever else it says: a place is no secret, so whoever sealed it does not matter.
pub(crate) fn place(text: &str) -> Option<Point> {
    match token::parse_place(text) {
        Some(place) => Some(point(place)),
        None => split(text).map(|(point, _, _)| point),
    }
}

fn with_withheld(text: &str, seals: &Seals) -> Option<Reached> {
    let (point, head, sealed) = split(text)?;
    let said = seals.open(&head, &sealed)?;
    let (all, []) = said.as_chunks::<EACH_BYTES>() else {
        return None;
    };
    let mut withheld = BTreeMap::new();
    for each in all {
        let (enterprise, until) = each.split_first_chunk::<CURSOR_BYTES>()?;
        withheld.insert(cursor(*enterprise)?, unpacked(until.try_into().ok()?)?);
    }
    Some(Reached { point, withheld: Arc::new(withheld) })
}

/// The place, the head that it stands in, and what is sealed; none where the form is another one.
fn split(text: &str) -> Option<(Point, [u8; HEAD_BYTES], Vec<u8>)> {
    let is_short = text.len() <= TEXT_MAX;
    let bytes = is_short.then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
    let (head, sealed) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let (&VERSION, place) = head.split_first()? else {
        return None;
    };
    let said = sealed.len().checked_sub(TAG_BYTES)?;
    let is_whole = said.is_multiple_of(EACH_BYTES);
    let fits = is_whole && (1..=WITHHELD_MAX).contains(&(said / EACH_BYTES));
    let point = unpacked(place.try_into().ok()?)?;
    fits.then(|| (point, *head, sealed.to_vec()))
}

#[cfg(test)]
mod tests {
    use doudi_domain::EnterpriseId;
    use doudi_engine::Position;
    use proptest::prelude::*;

    use super::*;

    fn seals() -> Seals {
        Seals::new(&[[7; 32]])
    }

    fn named(n: usize) -> EnterpriseId {
        EnterpriseId::parse(&format!("L-{n:016}")).unwrap()
    }

    fn withholding(count: usize) -> Reached {
        let until = |n: usize| Point { position: Position(n as u64), ordinal: 3 };
        let withheld: BTreeMap<_, _> = (0..count).map(|n| (named(n), until(n))).collect();
        Reached { point: Point::end_of(Position(1 << 40)), withheld: Arc::new(withheld) }
    }

    /// The text of a position with another byte somewhere.
    fn changed(text: &str, at: usize) -> String {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        bytes[at] ^= 1;
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_position_keeps_what_is_withheld_and_is_a_plain_place_without() {
        for count in [1, 2, WITHHELD_MAX] {
            let reached = withholding(count);
            let text = of_reached(&reached, &seals());
            assert!(text.len() <= TEXT_MAX);
            assert_eq!(place(&text), Some(reached.point));
            assert_eq!(parse(&text, &seals()), Some(reached));
            assert_eq!(token::parse_place(&text), None);
        }
        let reached = withholding(0);
        let text = of_reached(&reached, &seals());
        assert_eq!((text.as_str(), place(&text)), (&*of_point(reached.point), Some(reached.point)));
        assert_eq!(parse(&text, &seals()), Some(reached));
        let too_many = of_reached(&withholding(WITHHELD_MAX + 1), &seals());
        assert_eq!((parse(&too_many, &seals()), place(&too_many)), (None, None));
        let short = EnterpriseId::parse("L-1").unwrap();
        let withheld = Arc::new(BTreeMap::from([(short, Point::START)]));
        let reached = Reached { point: Point { position: Position(9), ordinal: 4 }, withheld };
        let text = of_reached(&reached, &seals());
        assert_eq!(text.len(), of_reached(&withholding(1), &seals()).len(), "no id by its length");
        assert_eq!(parse(&text, &seals()), Some(reached));
    }

    #[test]
    fn nobody_reads_in_a_position_of_which_enterprises_something_is_withheld() {
        let reached = withholding(WITHHELD_MAX);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(of_reached(&reached, &seals())).unwrap();
        for (enterprise, until) in reached.withheld.iter() {
            let id = enterprise.as_str().as_bytes();
            assert!(!bytes.windows(id.len()).any(|part| part == id), "{enterprise}");
            let until = packed(*until);
            assert!(!bytes.windows(until.len()).any(|part| part == until), "{enterprise}");
        }
    }

    #[test]
    fn a_position_that_we_did_not_seal_is_refused_and_one_under_a_former_key_is_not() {
        let reached = withholding(2);
        let text = of_reached(&reached, &seals());
        for at in 0..BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap().len() {
            assert_eq!(parse(&changed(&text, at), &seals()), None, "byte {at}");
        }
        assert_eq!(parse(&text, &Seals::new(&[[8; 32], [7; 32]])), Some(reached.clone()));
        assert_eq!(parse(&text, &Seals::new(&[[8; 32]])), None);
        let keyless = of_reached(&reached, &Seals::new(&[]));
        assert_eq!((parse(&keyless, &Seals::new(&[])), parse(&keyless, &seals())), (None, None));
        // Each of the right form, which alone is looked at where only the place matters.
        let made_up = |version: u8, bytes: usize| {
            BASE64_URL_SAFE_NO_PAD.encode([vec![version], vec![0; bytes - 1]].concat())
        };
        let whole = |count: usize| HEAD_BYTES + TAG_BYTES + count * EACH_BYTES;
        for count in [1, WITHHELD_MAX] {
            let text = made_up(VERSION, whole(count));
            let start = Point { position: Position(0), ordinal: 0 };
            assert_eq!((parse(&text, &seals()), place(&text)), (None, Some(start)));
        }
        for text in [
            made_up(VERSION, 1),
            made_up(VERSION, whole(0)),
            made_up(VERSION, whole(1) - 1),
            made_up(VERSION, whole(1) + 1),
            made_up(VERSION, whole(WITHHELD_MAX + 1)),
            made_up(2, whole(1)),
        ] {
            assert_eq!((parse(&text, &seals()), place(&text)), (None, None), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_but_never_a_panic(
            text in ".{0,60}",
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = (parse(&text, &seals()), place(&text));
            let sealed = BASE64_URL_SAFE_NO_PAD.encode([vec![VERSION], bytes].concat());
            let _ = place(&sealed);
            prop_assert_eq!(parse(&sealed, &seals()), None);
        }

        /// Also what is said is read with care, whoever sealed it.
        #[test]
        fn what_is_sealed_and_says_something_else_is_refused(
            said in proptest::collection::vec(any::<u8>(), EACH_BYTES),
        ) {
            let head = [VERSION; HEAD_BYTES];
            let bytes = [head.to_vec(), seals().seal(&head, &said)].concat();
            let read = parse(&BASE64_URL_SAFE_NO_PAD.encode(bytes), &seals());
            prop_assert!(read.is_none_or(|read| read.withheld.len() == 1));
        }
    }
}
