//! What the engine and the vault can say, as failures.

use std::convert::Infallible;

use doudi_engine::{ExecuteError, LoadError, StreamNameError, VaultError};

use super::{Failure, RETRY_LATER, RETRY_SOON, Reason, Refusal};

/// A rejection of the domain, explained to the caller.
pub(crate) trait Explain: std::error::Error + Send + Sync + 'static {
    /// The refusal that says it.
    fn explain(&self) -> Refusal;
}

impl<R: Explain> From<ExecuteError<R>> for Failure {
    fn from(error: ExecuteError<R>) -> Self {
        let refusal = match error {
            ExecuteError::Rejected(rejection) => rejection.explain(),
            ExecuteError::IdReused => Refusal::new(Reason::CommandIdReused),
            ExecuteError::VersionDiffers { actual } => Refusal::version_differs(actual),
            ExecuteError::Contended { actual } => Refusal::new(Reason::Contended)
                .with("actual_version", actual)
                .retry_after(RETRY_SOON),
            ExecuteError::Crowded => Refusal::new(Reason::Overloaded).retry_after(RETRY_SOON),
            ExecuteError::TooLarge(_) => Refusal::new(Reason::CommandTooLarge),
            ExecuteError::LogFull(error) => {
                // The caller can do nothing about it, so somebody must be told.
                tracing::error!(?error, "the log is full");
                Refusal::new(Reason::LogFull)
            }
            ExecuteError::Unavailable(error) => {
                tracing::warn!(?error, "the log cannot be reached");
                Refusal::new(Reason::LogUnavailable).retry_after(RETRY_LATER)
            }
            ExecuteError::Unknown(error) => {
                tracing::warn!(?error, "the outcome of a command is unknown");
                Refusal::new(Reason::OutcomeUnknown).retry_after(RETRY_SOON)
            }
            ExecuteError::Load(error) => return error.into(),
            ExecuteError::Encode(error) => return Self::Fault(error),
        };
        refusal.into()
    }
}

/// Where no rule ever stands in the way.
impl Explain for Infallible {
    fn explain(&self) -> Refusal {
        match *self {}
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable(error) => {
                tracing::warn!(?error, "the log cannot be read");
                Refusal::new(Reason::LogUnavailable).retry_after(RETRY_LATER).into()
            }
            damaged @ (LoadError::Commit { .. }
            | LoadError::Event { .. }
            | LoadError::Chain { .. }) => Self::fault(damaged),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Erased => Reason::PersonalDataErased.into(),
            VaultError::Unavailable(error) => {
                tracing::warn!(?error, "the vault cannot be reached");
                Refusal::new(Reason::VaultUnavailable).retry_after(RETRY_LATER).into()
            }
            broken @ (VaultError::MasterKeyMissing(_) | VaultError::Tampered) => {
                Self::fault(broken)
            }
        }
    }
}

impl From<StreamNameError> for Failure {
    fn from(error: StreamNameError) -> Self {
        Self::fault(error)
    }
}
