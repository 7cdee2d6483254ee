//! The kinds of file that may be attached, and whether a content really is of its kind.

use serde::{Deserialize, Serialize};

use super::office;

/// A kind of file that an attachment may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// A PDF document (ISO 32000).
    #[serde(rename = "application/pdf")]
    Pdf,
    /// A PNG picture (ISO/IEC 15948).
    #[serde(rename = "image/png")]
    Png,
    /// A JPEG picture (ISO/IEC 10918).
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A text document of Word or WPS (ECMA-376), without macros.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    /// A table of Excel or WPS (ECMA-376), without macros.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx,
    /// A plain text in UTF-8.
    #[serde(rename = "text/plain")]
    Text,
}

impl MediaType {
    /// Every kind.
    pub const ALL: [MediaType; 6] =
        [Self::Pdf, Self::Png, Self::Jpeg, Self::Docx, Self::Xlsx, Self::Text];

    /// The names of every kind, in the order of [`MediaType::ALL`].
    pub const NAMES: [&str; 6] = [
        Self::Pdf.as_str(),
        Self::Png.as_str(),
        Self::Jpeg.as_str(),
        Self::Docx.as_str(),
        Self::Xlsx.as_str(),
        Self::Text.as_str(),
    ];

    /// The name that IANA registered, such as `application/pdf`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Text => "text/plain",
        }
    }

    /// Reads a name in any case; parameters behind it, such as a character set, are left out
    /// (RFC 9110, 8.3.1). None for a kind that is not known here.
    #[must_use]
    pub fn parse(text: &str) -> Option<MediaType> {
        let name = text.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    /// Whether `content` begins, and where the kind needs it is built, as this kind of file is. It
    /// does not prove that a program can show it, or that it does no harm.
    #[must_use]
    pub fn fits(self, content: &[u8]) -> bool {
        match self {
            Self::Pdf => content.starts_with(b"%PDF-"),
            // The signature, and the header chunk that must come first.
            Self::Png => {
                content.starts_with(b"\x89PNG\r\n\x1a\n") && content.get(12..16) == Some(b"IHDR")
            }
            Self::Jpeg => content.starts_with(b"\xff\xd8\xff"),
            Self::Docx => office::is_package(content, "word/"),
            Self::Xlsx => office::is_package(content, "xl/"),
            Self::Text => is_text(content),
        }
    }
}

/// UTF-8 without control characters other than those that lay out a text.
fn is_text(content: &[u8]) -> bool {
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    std::str::from_utf8(content).is_ok_and(|text| !text.is_empty() && text.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachments::office::tests::package;

    fn samples() -> Vec<(MediaType, Vec<u8>)> {
        vec![
            (MediaType::Pdf, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj".to_vec()),
            (MediaType::Png, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01".to_vec()),
            (MediaType::Jpeg, b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec()),
            (MediaType::Docx, package(&["[Content_Types].xml", "word/document.xml"])),
            (MediaType::Xlsx, package(&["[Content_Types].xml", "xl/workbook.xml"])),
            (MediaType::Text, "诉求说明\r\n\t第一条".into()),
        ]
    }

    #[test]
    fn each_content_is_of_its_kind_and_of_no_other() {
        for (is, content) in samples() {
            for asked in MediaType::ALL {
                assert_eq!(asked.fits(&content), asked == is, "{is:?} as {asked:?}");
            }
        }
    }

    #[test]
    fn what_breaks_off_or_is_empty_is_of_no_kind() {
        for (is, content) in samples() {
            assert!(!is.fits(&[]), "{is:?}");
            assert!(!is.fits(&content[..2]) || is == MediaType::Text, "{is:?}");
        }
        let png_without_header = b"\x89PNG\r\n\x1a\n\0\0\0\rIDAT";
        assert!(!MediaType::Png.fits(png_without_header));
    }

    #[test]
    fn a_text_is_utf8_without_control_characters() {
        for content in [&b"\xd6\xd0\xce\xc4"[..], b"a\0b", b"\x1b[31m", b"\xff\xfeh\0"] {
            assert!(!MediaType::Text.fits(content), "{content:?}");
        }
        assert!(MediaType::Text.fits("\u{feff}带标记的".as_bytes()));
    }

    #[test]
    fn names_are_read_in_any_case_and_without_parameters() {
        for (kind, name) in MediaType::ALL.into_iter().zip(MediaType::NAMES) {
            assert_eq!(MediaType::parse(name), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
        }
        assert_eq!(MediaType::parse("Text/Plain; charset=utf-8"), Some(MediaType::Text));
        for other in ["", "text", "text/html", "application/zip", "image/*"] {
            assert_eq!(MediaType::parse(other), None, "{other}");
        }
    }
}
