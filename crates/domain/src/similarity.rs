//! How alike two texts are, for suggesting duplicates. A suggestion only: a person decides.

use std::collections::HashMap;

type Pair = (char, char);

/// How alike two texts are, in percent: 0 for nothing in common, 100 for the same letters and digits
/// in the same order. Spaces, punctuation, case and full-width forms make no difference.
///
/// It is the Sørensen-Dice coefficient over pairs of neighbouring characters, cut to a whole number:
/// Chinese is written without spaces between words, so pairs stand for words.
#[must_use]
pub fn percent(one: &str, other: &str) -> u32 {
    let (one, other) = (letters(one), letters(other));
    if one == other {
        return if one.is_empty() { 0 } else { 100 };
    }
    let (of_one, mut of_other) = (pairs(&one), pairs(&other));
    let total = one.len().saturating_sub(1) + other.len().saturating_sub(1);
    let shared: usize = of_one
        .into_iter()
        .map(|(pair, count)| count.min(of_other.remove(&pair).unwrap_or_default()))
        .sum();
    // Texts of one letter have no pair.
    let percent = (200 * shared).checked_div(total).unwrap_or_default();
    u32::try_from(percent).unwrap_or(100)
}

/// The letters and digits alone, in lower case and of half width.
fn letters(text: &str) -> Vec<char> {
    text.chars()
        .map(half_width)
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The ASCII character of a full-width form (全角); any other as it is.
fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    }
}

/// How often each pair of neighbours stands in the text.
fn pairs(letters: &[char]) -> HashMap<Pair, usize> {
    let mut pairs = HashMap::new();
    for pair in letters.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_only_looks_different_is_the_same() {
        for (one, other) in [
            ("报装两周未答复", "报装，两周未答复！"),
            ("报装 两周\n未答复", "报装两周未答复"),
            ("ＡＢＣ１２３", "abc123"),
            ("Form A-12", "form a12"),
            ("水", "水。"),
        ] {
            assert_eq!(percent(one, other), 100, "{one} {other}");
        }
    }

    #[test]
    fn the_same_matter_in_other_words_is_alike_and_another_matter_is_not() {
        let first = "我公司申请用电报装已两周，供电公司一直未答复";
        let again = "用电报装申请两周了，供电公司未答复我公司";
        let other = "市场监管部门一个月内三次上门检查同一事项";
        assert!(percent(first, again) >= 40, "{}", percent(first, again));
        assert!(percent(first, other) < 15, "{}", percent(first, other));
    }

    #[test]
    fn a_pair_counts_as_often_as_it_stands() {
        // ab, ba, ab against ab: one pair of four in common, twice.
        assert_eq!(percent("abab", "ab"), 50);
        assert_eq!(percent("ab", "cd"), 0);
    }

    #[test]
    fn nothing_is_like_nothing() {
        for text in ["", "！？", " ", "水"] {
            assert_eq!(percent(text, ""), 0);
        }
        assert_eq!(percent("水", "电"), 0);
    }

    proptest! {
        #[test]
        fn it_is_a_percentage_and_goes_both_ways(one in ".{0,40}", other in ".{0,40}") {
            prop_assert_eq!(percent(&one, &other), percent(&other, &one));
            prop_assert!(percent(&one, &other) <= 100);
        }
    }
}
