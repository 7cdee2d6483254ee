//! One malformed field: where it is, what is wrong with it, in both languages.

use doudi_domain::Invalid;
use tonic_types::{FieldViolation, LocalizedMessage};

use super::{Reason, Values, Words, fill};

/// A malformed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its path in the request, such as `officers[1]`.
    pub(crate) field: String,
    /// What is wrong.
    pub(crate) reason: Reason,
    /// The values of the reason's sentences.
    pub(crate) values: Values,
}

impl Violation {
    pub(crate) fn new(field: &str, reason: Reason) -> Self {
        Self { field: field.to_owned(), reason, values: vec![] }
    }

    pub(crate) fn with(self, name: &'static str, value: impl ToString) -> Self {
        self.word(name, Words::same(value))
    }

    pub(crate) fn word(mut self, name: &'static str, words: Words) -> Self {
        self.values.push((name, words));
        self
    }

    /// The field does not hold a well-formed value.
    pub(crate) fn invalid(field: &str, invalid: &Invalid) -> Self {
        match invalid {
            Invalid::Empty => Self::new(field, Reason::FieldRequired),
            Invalid::TooLong { max } => Self::new(field, Reason::FieldTooLong).with("max", max),
            Invalid::Character { allowed } => {
                Self::new(field, Reason::FieldCharacter).word("allowed", alphabet(allowed))
            }
            Invalid::Uuid => Self::new(field, Reason::FieldNotUuid),
            Invalid::EnterpriseId => Self::new(field, Reason::EnterpriseIdMalformed),
            Invalid::CheckDigit { expected } => {
                Self::new(field, Reason::CheckDigitWrong).with("expected", expected)
            }
        }
    }

    /// What is wrong, in words.
    pub(crate) fn words(&self) -> Words {
        fill(self.reason, &self.values)
    }
}

/// The alphabets that the identifiers name, in both languages.
fn alphabet(en: &'static str) -> Words {
    let zh = match en {
        "lower-case letters, digits and '-'" => "小写字母、数字和“-”",
        "letters and digits" => "字母和数字",
        "letters, digits, '-', '_', '.' and '/'" => "字母、数字和“-”“_”“.”“/”",
        "64 hexadecimal digits" => "64位十六进制数字",
        "printable characters" => "可显示字符",
        "printable characters and line breaks" => "可显示字符和换行",
        other => other,
    };
    Words::pair(en, zh)
}

/// As many violations as fit into `bytes_max`, in order; the count in the metadata tells the rest.
pub(crate) fn bounded(violations: &[Violation], bytes_max: usize) -> Vec<FieldViolation> {
    let mut bytes = 0;
    let mut kept = Vec::new();
    for violation in violations {
        let Words { en, zh } = violation.words();
        let reason = violation.reason.as_str();
        // Tags, lengths and the locale add about 20 bytes to each.
        bytes += violation.field.len() + en.len() + zh.len() + reason.len() + 20;
        if bytes > bytes_max && !kept.is_empty() {
            break;
        }
        kept.push(FieldViolation {
            field: violation.field.clone(),
            description: en.into_owned(),
            reason: reason.to_owned(),
            localized_message: Some(LocalizedMessage::new("zh-CN", zh)),
        });
    }
    kept
}
