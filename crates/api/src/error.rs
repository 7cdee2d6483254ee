//! The one error map: every refusal and fault of the crates below becomes a status here.
//!
//! A refusal is the caller's: it has a [`Reason`], its values, and messages in English and Chinese,
//! and is not logged as an error. A fault is the operator's: the caller gets an id, and the log gets
//! the chain of causes under that id, once.

use std::{borrow::Cow, time::Duration};

use doudi_engine::Version;
use jiff::{Timestamp, tz};
use tonic::Status;
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, LocalizedMessage, PreconditionFailure,
    PreconditionViolation, QuotaFailure, QuotaViolation, RetryInfo, StatusExt,
};

use crate::permission::{Role, RoleSet};

mod appeal;
mod attachment;
mod campaign;
mod code;
pub(crate) mod device;
mod diagnosis;
mod draw;
mod engine;
mod enterprise;
mod fault;
mod field;
mod identity;
mod policy;
mod quota;
mod rating;
mod reason;
mod views;
mod visits;
mod webhook;

pub use reason::{Reason, catalogue};

pub(crate) use campaign::unfit;
pub(crate) use engine::Explain;
pub(crate) use field::Violation;

/// The `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "doudi";

/// How soon a client may try again what was only unlucky.
pub(crate) const RETRY_SOON: Duration = Duration::from_millis(500);

/// How soon a client may try again what needs somebody to come back.
pub(crate) const RETRY_LATER: Duration = Duration::from_secs(2);

/// The most bytes that violations may take up: details travel in a header, and common clients
/// refuse headers above 8 KiB.
const VIOLATION_BYTES_MAX: usize = 3000;

/// The most bytes of a value in the metadata, and of the message as it is encoded in a header. What
/// is longer stands in full in the localized messages.
const VALUE_BYTES_MAX: usize = 200;
const MESSAGE_BYTES_MAX: usize = 900;

/// A value in a sentence: the same in both languages, or a word for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) en: Cow<'static, str>,
    pub(crate) zh: Cow<'static, str>,
}

impl Words {
    #[expect(clippy::needless_pass_by_value, reason = "values and references read alike")]
    pub(crate) fn same(text: impl ToString) -> Self {
        let text = text.to_string();
        Self { en: text.clone().into(), zh: text.into() }
    }

    pub(crate) const fn pair(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
    }

    pub(crate) fn owned(en: String, zh: String) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// An instant: RFC 3339 in UTC, and for readers of Chinese the clock of Beijing to the second.
    fn instant(at: Timestamp) -> Self {
        let beijing = tz::offset(8).to_datetime(at).strftime("%Y-%m-%d %H:%M:%S");
        Self::owned(at.to_string(), beijing.to_string())
    }
}

/// The values of a sentence by name.
pub(crate) type Values = Vec<(&'static str, Words)>;

/// Fills a reason's sentences with values.
fn fill(reason: Reason, values: &Values) -> Words {
    let (mut en, mut zh) = (reason.en().to_owned(), reason.zh().to_owned());
    for (name, value) in values {
        let place = format!("{{{name}}}");
        en = en.replace(&place, &value.en);
        zh = zh.replace(&place, &value.zh);
    }
    Words::owned(en, zh)
}

/// Why a request is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    values: Values,
    /// Told to programs only: in the metadata, and in no sentence.
    facts: Vec<(&'static str, String)>,
    fields: Vec<Violation>,
    quotas: Vec<QuotaViolation>,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            values: vec![],
            facts: vec![],
            fields: vec![],
            quotas: vec![],
            retry_after: None,
        }
    }

    /// The stream is at another version than the caller expects.
    pub(crate) fn version_differs(actual: Version) -> Self {
        Self::new(Reason::VersionConflict).with("actual_version", actual)
    }

    /// None of the `wanted` roles is the caller's.
    pub(crate) fn role_missing(wanted: RoleSet) -> Self {
        let zh = wanted.iter().map(Role::zh).collect::<Vec<_>>().join("、");
        Self::new(Reason::RoleMissing).word("roles", Words::owned(wanted.to_string(), zh))
    }

    pub(crate) fn with(self, name: &'static str, value: impl ToString) -> Self {
        self.word(name, Words::same(value))
    }

    pub(crate) fn word(mut self, name: &'static str, words: Words) -> Self {
        self.values.push((name, words));
        self
    }

    pub(crate) fn instant(self, name: &'static str, at: Timestamp) -> Self {
        self.word(name, Words::instant(at))
    }

    /// Tells programs something that no sentence says; of a bounded length.
    pub(crate) fn fact(mut self, name: &'static str, value: String) -> Self {
        self.facts.push((name, value));
        self
    }

    pub(crate) fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Says that the refusal as a whole is about one field of the request.
    pub(crate) fn about(mut self, field: &str) -> Self {
        let values = self.values.clone();
        self.fields.push(Violation { field: field.to_owned(), reason: self.reason, values });
        self
    }

    fn quotas(mut self, quotas: Vec<QuotaViolation>) -> Self {
        self.quotas = quotas;
        self
    }

    /// Refuses malformed fields, all of them; none when there is none.
    pub(crate) fn of_fields(fields: Vec<Violation>) -> Option<Self> {
        let first = fields.first()?;
        // A token that the client only carries around is worth a reason of its own at the top.
        let token = matches!(first.reason, Reason::PositionInvalid | Reason::PageTokenInvalid);
        let lone = token && fields.len() == 1;
        let reason = if lone { first.reason } else { Reason::RequestInvalid };
        let refusal = Self::new(reason)
            .with("count", fields.len())
            .with("field", &first.field)
            .word("problem", fill(first.reason, &first.values));
        Some(Self { fields, ..refusal })
    }

    #[cfg(test)]
    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> &[Violation] {
        &self.fields
    }

    /// The reason and its sentence, as a status would say them.
    pub(crate) fn told(&self) -> (Reason, Words) {
        (self.reason, fill(self.reason, &self.values))
    }

    pub(crate) fn status(&self) -> Status {
        let words = fill(self.reason, &self.values);
        let mut details = vec![ErrorDetail::from(self.info())];
        let fields = field::bounded(&self.fields, VIOLATION_BYTES_MAX);
        if !fields.is_empty() {
            details.push(BadRequest { field_violations: fields }.into());
        }
        if self.reason.code() == tonic::Code::FailedPrecondition {
            let violation = PreconditionViolation::new(self.reason.as_str(), "", words.en.as_ref());
            details.push(PreconditionFailure { violations: vec![violation] }.into());
        }
        if !self.quotas.is_empty() {
            details.push(QuotaFailure { violations: self.quotas.clone() }.into());
        }
        if let Some(delay) = self.retry_after {
            details.push(RetryInfo { retry_delay: Some(delay) }.into());
        }
        // Readers that know of one message only keep the last: that of the users here.
        details.push(LocalizedMessage::new("en", words.en.as_ref()).into());
        details.push(LocalizedMessage::new("zh-CN", words.zh.as_ref()).into());
        Status::with_error_details_vec(self.reason.code(), brief(&words.en), details)
    }

    fn info(&self) -> ErrorInfo {
        let short = self.values.iter().filter(|(_, value)| value.en.len() <= VALUE_BYTES_MAX);
        let metadata = short.map(|(name, value)| ((*name).to_owned(), value.en.to_string()));
        let facts = self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let metadata = metadata.chain(facts).collect();
        ErrorInfo { reason: self.reason.as_str().to_owned(), domain: DOMAIN.to_owned(), metadata }
    }
}

/// The text up to where its percent-encoded form would be too long for a header.
fn brief(text: &str) -> String {
    let mut bytes = 0;
    let fits = |c: &char| {
        bytes += if c.is_ascii() { 1 } else { 3 * c.len_utf8() };
        bytes <= MESSAGE_BYTES_MAX
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() == text.len() { kept } else { format!("{kept}...") }
}

/// Why a request is not answered: the caller's side, or the operator's.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Refused, and the caller is told why.
    Refused(Box<Refusal>),
    /// Broken, and the operator is told why.
    Fault(fault::Source),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Refusal::new(reason).into()
    }
}

impl Failure {
    pub(crate) fn fault(error: impl Into<fault::Source>) -> Self {
        Self::Fault(error.into())
    }

    /// Whether it is a refusal for that reason.
    pub(crate) fn is_refused_for(&self, reason: Reason) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.reason == reason)
    }

    #[cfg(test)]
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Fault(error) => panic!("a fault: {error:?}"),
        }
    }
}

/// The boundary: the only place where a failure leaves the program, hence where faults are logged.
impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.status(),
            Failure::Fault(error) => fault::report(error.as_ref()).status(),
        }
    }
}

#[cfg(test)]
mod tests;
