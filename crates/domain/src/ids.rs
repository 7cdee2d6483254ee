//! Identifiers and short texts, parsed once at the edge: whoever holds one knows that it is well formed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::uscc::Uscc;

/// Why a text is not a well-formed value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nothing was given where something is required.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than its bound, counted in characters.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The bound.
        max: usize,
    },
    /// The text contains a character outside its alphabet.
    #[error("may contain only {allowed}")]
    Character {
        /// The alphabet, in words.
        allowed: &'static str,
    },
    /// The text is not a UUID.
    #[error("must be a UUID such as 0198c0de-0000-7000-8000-000000000001")]
    Uuid,
    /// The text is neither a unified social credit code nor a local id.
    #[error(
        "must be an 18-character unified social credit code (GB 32100-2015) or a local id `L-` with 1 to 16 letters or digits"
    )]
    EnterpriseId,
    /// The check digit of a unified social credit code is wrong and the configuration refuses that.
    #[error("the check digit of this unified social credit code must be {expected}")]
    CheckDigit {
        /// The digit that the first seventeen characters call for.
        expected: char,
    },
}

fn check(
    text: &str,
    max: usize,
    allowed: &'static str,
    ok: fn(char) -> bool,
) -> Result<(), Invalid> {
    match text {
        "" => Err(Invalid::Empty),
        _ if text.chars().count() > max => Err(Invalid::TooLong { max }),
        _ if !text.chars().all(ok) => Err(Invalid::Character { allowed }),
        _ => Ok(()),
    }
}

/// What every text has that is checked when it is made, with serde's two ways: it is stored as its text, and read
/// through the check. Up to 23 bytes lie in the value itself; a longer one is shared by its clones.
macro_rules! checked_text {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(Self::parse))
            }
        }
    };
}

/// Reads what is made of a text without a copy of it.
struct Text<T>(fn(&str) -> Result<T, Invalid>);

impl<T> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        self.0(text).map_err(E::custom)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            /// [`Invalid`] when it is empty, too long or has a character outside its alphabet.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                check(text, $max, $allowed, $ok)?;
                Ok(Self(text.into()))
            }
        }

        checked_text!($name);
    };
}

fn slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

fn printable(c: char) -> bool {
    !c.is_control()
}

text_id!(
    /// A unit (单位): a department, court, Party office, utility or desk. 1 to 64 characters.
    UnitId, 64, "lower-case letters, digits and '-'", slug
);
text_id!(
    /// An area (行政区划): a GB/T 2260 code or, for the pilot areas, a code of our own. 1 to 12 characters.
    AreaCode, 12, "letters and digits", |c| c.is_ascii_alphanumeric()
);
text_id!(
    /// What an appeal is about (诉求事项): an item of the plan or another published topic. 1 to 32 characters.
    TopicId, 32, "letters, digits, '-', '_', '.' and '/'", code
);
text_id!(
    /// An officer's enforcement certificate number (执法证号): opaque, unique per issuer. 1 to 64 characters.
    CertificateNumber, 64, "letters, digits, '-', '_', '.' and '/'", code
);
text_id!(
    /// An inspection item (检查事项). 1 to 64 characters.
    ItemId, 64, "letters, digits, '-', '_', '.' and '/'", code
);
text_id!(
    /// A field of inspection (检查领域), such as fire safety. 1 to 64 characters.
    FieldId, 64, "lower-case letters, digits and '-'", slug
);
text_id!(
    /// A mark that rules know an enterprise by (企业标签), such as that of the white list. 1 to 64 characters.
    TagId, 64, "lower-case letters, digits and '-'", slug
);
text_id!(
    /// A rule inside a policy document. 1 to 64 characters.
    RuleId, 64, "letters, digits, '-', '_', '.' and '/'", code
);
text_id!(
    /// A kind of case (诉求类型) in the published case types. 1 to 32 characters.
    CaseTypeId, 32, "lower-case letters, digits and '-'", slug
);
text_id!(
    /// A class of cases within a type (分类分级). 1 to 32 characters.
    ClassId, 32, "lower-case letters, digits and '-'", slug
);
text_id!(
    /// The registered name of an organisation or the title of a thing. 1 to 200 characters, no control characters.
    Name, 200, "printable characters", printable
);
text_id!(
    /// A reference to a document kept elsewhere (a case number, a file's hash). 1 to 200 characters.
    Reference, 200, "printable characters", printable
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Parses the hyphenated or plain form.
            ///
            /// # Errors
            /// [`Invalid::Uuid`] when it is no UUID.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid::Uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// One planned or carried out inspection visit (入企检查). Derived from the planning command's id.
    VisitId
);
uuid_id!(
    /// One appeal (诉求). Derived from the submitting command's id.
    AppealId
);
uuid_id!(
    /// One joint diagnosis (联合问诊). Derived from the convening command's id.
    DiagnosisId
);
uuid_id!(
    /// One note or attachment on an appeal. Derived from the command's id.
    NoteId
);

uuid_id!(
    /// One special campaign (专项检查). Derived from the proposing command's id.
    CampaignId
);
uuid_id!(
    /// One random draw (双随机抽查). Derived from the opening command's id.
    DrawId
);
uuid_id!(
    /// One enrolled device of the inspection app (执法终端). Derived from the enrolling command's id.
    DeviceId
);
uuid_id!(
    /// One webhook of a partner system (事件推送). Derived from the registering command's id.
    WebhookId
);
uuid_id!(
    /// One signed code that can be scanned (企业码、检查任务码). Derived from the issuing command's id, or
    /// drawn at random for one that only lives for a minute.
    CodeId
);

/// The owner of a stream: an enterprise by its unified social credit code, or by a local id
/// (`L-` and 1 to 16 upper-case letters or digits) where it has none yet. Lower case is normalised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnterpriseId(SmolStr);

impl EnterpriseId {
    /// Parses and normalises. A wrong check digit is not an error here: see [`Uscc::check_digit`].
    ///
    /// # Errors
    /// [`Invalid::EnterpriseId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let upper = text.trim().to_ascii_uppercase();
        let local = upper.strip_prefix("L-").is_some_and(|rest| {
            (1..=16).contains(&rest.len()) && rest.chars().all(|c| c.is_ascii_alphanumeric())
        });
        if local || Uscc::parse(&upper).is_ok() {
            Ok(Self(upper.into()))
        } else {
            Err(Invalid::EnterpriseId)
        }
    }

    /// The unified social credit code, unless this is a local id.
    #[must_use]
    pub fn uscc(&self) -> Option<Uscc> {
        Uscc::parse(&self.0).ok()
    }
}

checked_text!(EnterpriseId);

#[cfg(test)]
mod tests;
