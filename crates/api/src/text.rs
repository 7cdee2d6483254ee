//! Which texts a person can read. A text in which nothing shows would pass for the evidence, the
//! name or the account that a rule asks for, so it is refused at the edge. The domain's own parsers
//! stay as they are, because stored events go through them.

use doudi_domain::{Invalid, Name, Reference};

/// The name of an organisation or the title of a thing, as a client may write it.
pub(crate) fn name(text: &str) -> Result<Name, Invalid> {
    let name = Name::parse(text)?;
    plain(text).map(|()| name)
}

/// A reference to a document kept elsewhere, as a client may write it.
pub(crate) fn reference(text: &str) -> Result<Reference, Invalid> {
    let reference = Reference::parse(text)?;
    plain(text).map(|()| reference)
}

/// Refuses a short text in which nothing shows, or whose look is steered: by characters that turn
/// the direction of writing, break lines, or have no width.
pub(crate) fn plain(text: &str) -> Result<(), Invalid> {
    if !shows(text) {
        Err(Invalid::Empty)
    } else if text.chars().any(steers) {
        Err(Invalid::Character { allowed: "printable characters" })
    } else {
        Ok(())
    }
}

/// Whether anything of the text can be seen.
pub(crate) fn shows(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !steers(c) && !blank(c))
}

/// Bidirectional controls, separators of lines and paragraphs, and characters without width.
fn steers(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Characters that are no white space by their class and yet show nothing: fillers, the soft hyphen,
/// joiners, invisible operators, variation selectors, tags.
fn blank(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{2061}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_empty() {
        for text in ["", " ", "\u{3000}\t", "\u{200B}\u{FEFF}", "\u{3164}", "\u{2800}", "\u{2067}"]
        {
            assert!(!shows(text), "{text:?}");
            assert_eq!(plain(text), Err(Invalid::Empty), "{text:?}");
        }
    }

    #[test]
    fn what_steers_a_short_text_is_refused_and_the_rest_is_kept() {
        let steering = [
            '\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}', '\u{2028}', '\u{2029}', '\u{200B}',
            '\u{200D}', '\u{2060}', '\u{FEFF}',
        ];
        for c in steering {
            let text = format!("证{c}1");
            assert!(matches!(reference(&text), Err(Invalid::Character { .. })), "{c:?}");
            assert!(shows(&text));
        }
        for text in ["示例企业（大连）有限公司", "12345-0001", "a b", "é", "𠮷野家", "Ünal · Öz"]
        {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
    }
}
