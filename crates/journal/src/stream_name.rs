//! The name of a stream, and the only place that knows the subject grammar
//! `ev.<owner>.<kind>[.<id>]`. Every token is 1 to 64 ASCII letters, digits, `-` or `_`, so a
//! name is always one literal subject: never a wildcard, never more than one stream.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The owner of streams that belong to no enterprise, such as policies and campaigns.
pub const CITY: &str = "_city";

/// The longest token of a name, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64;

/// What every subject of the log begins with.
const PREFIX: &str = "ev.";

/// The kind that an unreadable subject is shown under. It is refused as the kind of a name.
const UNREADABLE: &str = "_unreadable";

/// The subjects that the log takes in, as NATS subject filters: names without and with an id.
pub(crate) const SUBJECTS: [&str; 2] = ["ev.*.*", "ev.*.*.*"];

/// The name of one stream: whose it is (an enterprise's 18-character code, a local id, or
/// [`CITY`]), of what kind, and which one of that kind where there are many. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName {
    subject: Arc<str>,
    readable: bool,
}

impl StreamName {
    /// Builds the name of the stream that `owner` has under `kind` and `id`.
    ///
    /// # Errors
    /// Names the token that is empty, longer than [`TOKEN_BYTES_MAX`] bytes, holds a character
    /// other than an ASCII letter, a digit, `-` or `_`, or is a reserved kind.
    pub fn new(owner: &str, kind: &str, id: Option<&str>) -> Result<StreamName, StreamNameError> {
        check_token("owner", owner)?;
        check_token("kind", kind)?;
        if kind == UNREADABLE {
            return Err(StreamNameError::Reserved);
        }
        let subject = match id {
            None => format!("{PREFIX}{owner}.{kind}"),
            Some(id) => {
                check_token("id", id)?;
                format!("{PREFIX}{owner}.{kind}.{id}")
            }
        };
        Ok(StreamName { subject: subject.into(), readable: true })
    }

    /// Reads a name back from the subject that [`StreamName::as_str`] gave.
    ///
    /// # Errors
    /// Says that the subject has another shape, or which token is wrong.
    pub fn parse(subject: &str) -> Result<StreamName, StreamNameError> {
        let shape = || StreamNameError::Shape { subject: subject.to_owned() };
        let mut tokens = subject.strip_prefix(PREFIX).ok_or_else(shape)?.split('.');
        let (owner, kind) = tokens.next().zip(tokens.next()).ok_or_else(shape)?;
        let id = tokens.next();
        if tokens.next().is_some() {
            return Err(shape());
        }
        StreamName::new(owner, kind, id)
    }

    /// The name under which a record is delivered whose subject is not in the grammar. The log
    /// itself takes in any characters, so such a record can exist; it must reach the followers
    /// (they park it) instead of stopping them. No commit can carry this name.
    pub(crate) fn unreadable(subject: &str) -> StreamName {
        StreamName { subject: subject.into(), readable: false }
    }

    /// Whether the name follows the grammar. It is false only for a record that something else
    /// put into the log under a foreign subject; such a record never decodes as a commit.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Whose stream this is; [`CITY`] when it belongs to no enterprise or is unreadable.
    #[must_use]
    pub fn owner(&self) -> &str {
        if self.readable { self.token(0).unwrap_or(CITY) } else { CITY }
    }

    /// What the stream is about, for example `profile` or `visits`.
    #[must_use]
    pub fn kind(&self) -> &str {
        if self.readable { self.token(1).unwrap_or(UNREADABLE) } else { UNREADABLE }
    }

    /// Which one of its kind the stream is, where an owner has several.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        if self.readable { self.token(2) } else { None }
    }

    /// The literal subject, such as `ev.91210200MA0000000X.profile`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.subject
    }

    fn token(&self, index: usize) -> Option<&str> {
        self.subject.strip_prefix(PREFIX)?.split('.').nth(index)
    }
}

fn check_token(part: &'static str, token: &str) -> Result<(), StreamNameError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let length_fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    if length_fits && token.bytes().all(allowed) {
        Ok(())
    } else {
        Err(StreamNameError::Token { part, token: token.to_owned() })
    }
}

/// Why a text is not the name of a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamNameError {
    /// The subject does not have the shape of a name at all.
    #[error("the subject {subject:?} does not have the form ev.<owner>.<kind>[.<id>]")]
    Shape {
        /// The subject as it was found.
        subject: String,
    },
    /// One token is empty, too long, or has a character that a token must not have.
    #[error(
        "the {part} of a stream must be 1 to {TOKEN_BYTES_MAX} ASCII letters, digits, '-' or '_', \
         not {token:?}"
    )]
    Token {
        /// Which token: `owner`, `kind` or `id`.
        part: &'static str,
        /// The token as it was found.
        token: String,
    },
    /// The kind is kept for records that cannot be read.
    #[error("the kind {UNREADABLE:?} is reserved for records with a foreign subject")]
    Reserved,
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.subject)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.subject, f)
    }
}

impl Serialize for StreamName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.subject)
    }
}

impl<'de> Deserialize<'de> for StreamName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StreamName, D::Error> {
        let subject = String::deserialize(deserializer)?;
        StreamName::parse(&subject).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_through_their_subject() {
        let cases = [
            ("91210200MA0000000X", "profile", None, "ev.91210200MA0000000X.profile"),
            ("91210200MA0000000X", "appeal", Some("a-1_b"), "ev.91210200MA0000000X.appeal.a-1_b"),
            (CITY, "policy", Some("frequency"), "ev._city.policy.frequency"),
        ];
        for (owner, kind, id, subject) in cases {
            let name = StreamName::new(owner, kind, id).unwrap();
            assert_eq!(name.as_str(), subject);
            assert_eq!(name.to_string(), subject);
            assert_eq!((name.owner(), name.kind(), name.id()), (owner, kind, id));
            assert_eq!(StreamName::parse(subject).unwrap(), name);
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(json, format!("{subject:?}"));
            assert_eq!(serde_json::from_str::<StreamName>(&json).unwrap(), name);
        }
    }

    #[test]
    fn subjects_outside_the_grammar_are_refused() {
        let long = format!("ev.{}.profile", "x".repeat(TOKEN_BYTES_MAX + 1));
        let refused = [
            "",
            "ev",
            "ev.",
            "ev.x",
            "ev..x",
            "ev.x.",
            "ev.x.y.",
            "ev.x.y.z.w",
            "other.x.y",
            "ev.*.profile",
            "ev.x.>",
            "ev.x y.profile",
            "ev.企业.profile",
            "EV.x.y",
            "ev._city._unreadable",
            &long,
        ];
        for subject in refused {
            assert!(StreamName::parse(subject).is_err(), "{subject:?} must be refused");
        }
        assert!(StreamName::new("a.b", "profile", None).is_err());
        assert!(StreamName::new("a", "profile", Some("")).is_err());
    }

    #[test]
    fn an_unreadable_name_keeps_its_subject_and_cannot_be_read_back() {
        let name = StreamName::unreadable("ev.企业.profile");
        assert!(!name.is_readable());
        assert_eq!(name.as_str(), "ev.企业.profile");
        assert_eq!((name.owner(), name.kind(), name.id()), (CITY, UNREADABLE, None));
        let json = serde_json::to_string(&name).unwrap();
        assert!(serde_json::from_str::<StreamName>(&json).is_err());
    }
}
