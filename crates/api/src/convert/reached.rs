//! How far somebody has got who follows live, as a position: a place in the log, and, where something is withheld, also
//! of which enterprises and from where on.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_domain::EnterpriseId;
use doudi_views::timeline::Reached;

use super::{
    timeline::{of_point, point},
    token,
};

/// The first byte of a position that says what is withheld; one that says nothing of it is a plain place.
const VERSION: u8 = 2;

/// Of so many enterprises something may be withheld at once, so that a position stays a short text.
pub(crate) const WITHHELD_MAX: usize = 100;

/// A longer text is not worth decoding.
const TEXT_MAX: usize = 8000;

pub(crate) fn of_reached(reached: &Reached) -> String {
    let place = of_point(reached.point);
    if reached.withheld.is_empty() {
        return place;
    }
    let mut bytes = vec![VERSION];
    bytes.extend(place.bytes());
    for (enterprise, until) in &reached.withheld {
        bytes.extend(format!(".{enterprise}={}", of_point(*until)).bytes());
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position; an empty text is the start, none is said of what no answer ever gave.
pub(crate) fn parse(text: &str) -> Option<Reached> {
    match token::parse_place(text) {
        Some(place) => Some(point(place).into()),
        None => with_withheld(text),
    }
}

fn with_withheld(text: &str) -> Option<Reached> {
    let is_short = text.len() <= TEXT_MAX;
    let bytes = is_short.then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
    let (&VERSION, rest) = bytes.split_first()? else {
        return None;
    };
    let mut parts = std::str::from_utf8(rest).ok()?.split('.');
    let point = point(token::parse_place(parts.next()?)?);
    let mut withheld = BTreeMap::new();
    for part in parts {
        let (enterprise, until) = part.split_once('=')?;
        let until = self::point(token::parse_place(until)?);
        withheld.insert(EnterpriseId::parse(enterprise).ok()?, until);
    }
    (1..=WITHHELD_MAX).contains(&withheld.len()).then_some(Reached { point, withheld })
}

#[cfg(test)]
mod tests {
    use doudi_engine::Position;
    use doudi_views::timeline::Point;
    use proptest::prelude::*;

    use super::*;

    fn withholding(count: usize) -> Reached {
        let named = |n: usize| EnterpriseId::parse(&format!("L-{n:016}")).unwrap();
        let until = |n: usize| Point { position: Position(n as u64), ordinal: 3 };
        let withheld = (0..count).map(|n| (named(n), until(n))).collect();
        Reached { point: Point::end_of(Position(1 << 40)), withheld }
    }

    #[test]
    fn a_position_keeps_what_is_withheld_and_is_a_plain_place_without() {
        for count in [1, 2, WITHHELD_MAX] {
            let reached = withholding(count);
            let text = of_reached(&reached);
            assert_eq!(parse(&text), Some(reached));
            assert_eq!(token::parse_place(&text), None);
        }
        let reached = withholding(0);
        let text = of_reached(&reached);
        assert_eq!((text.as_str(), parse(&text)), (&*of_point(reached.point), Some(reached)));
        assert_eq!(parse(&of_reached(&withholding(WITHHELD_MAX + 1))), None, "too many");
        let made_up = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let place = of_point(Point::START);
        for text in [
            made_up("\u{2}"),
            made_up(&format!("\u{2}{place}")),
            made_up(&format!("\u{2}{place}.L-1")),
            made_up(&format!("\u{2}{place}.somebody={place}")),
            made_up(&format!("\u{1}{place}.L-1={place}")),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_but_never_a_panic(text in ".{0,60}") {
            let _ = parse(&text);
            let _ = parse(&BASE64_URL_SAFE_NO_PAD.encode(format!("\u{2}{text}")));
        }
    }
}
