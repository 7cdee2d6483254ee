//! What can go wrong with a view, told apart by who can do something about it.

use doudi_domain::EnterpriseId;
use doudi_journal::Position;
use tokio_postgres::error::SqlState;

use crate::ViewName;

/// The error underneath, whatever its type: for the operator's log, not for decisions.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A view has not come as far as was asked for in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the view {view} reflects position {reached}, not yet {wanted}")]
pub struct Behind {
    /// The view.
    pub view: ViewName,
    /// The position asked for.
    pub wanted: Position,
    /// The position it reflects.
    pub reached: Position,
}

/// Why a view cannot answer or go on.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// PostgreSQL is away or overloaded; the same again may succeed later.
    #[error("{doing}: PostgreSQL is not available")]
    Unavailable {
        /// What was being attempted.
        doing: &'static str,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
    /// The view is not as fresh as asked.
    #[error(transparent)]
    Behind(#[from] Behind),
    /// The view is halted until an operator resumes or rebuilds it.
    #[error("the view {view} is halted: {reason}")]
    Halted {
        /// The view.
        view: ViewName,
        /// Why it was halted.
        reason: String,
    },
    /// No such stream is parked.
    #[error("the view {view} has not parked the stream {stream}")]
    NotParked {
        /// The view.
        view: ViewName,
        /// The stream.
        stream: String,
    },
    /// The parked stream still cannot be applied; nothing changed.
    #[error("the stream {stream} still cannot be applied to the view {view}: {reason}")]
    StillPoison {
        /// The view.
        view: ViewName,
        /// The stream.
        stream: String,
        /// What is wrong with its first bad record.
        reason: String,
    },
    /// The log could not be read.
    #[error("{doing}: the log could not be read")]
    Journal {
        /// What was being attempted.
        doing: &'static str,
        /// What the log said.
        #[source]
        source: Source,
    },
    /// Another verification is running and holds the scratch schemas.
    #[error("another verification of the views is running")]
    VerifyRunning,
    /// The view is being rebuilt by somebody else.
    #[error("another rebuild of the view {view} is running")]
    RebuildRunning {
        /// The view.
        view: ViewName,
    },
    /// An enterprise has more visits in the windows around one day than an answer may count.
    #[error("the enterprise {enterprise} has more than {visits_max} visits around that day")]
    TooManyVisits {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// The bound.
        visits_max: usize,
    },
    /// A bug, or a foreign hand in the tables; the same again will fail again.
    #[error("{doing} failed")]
    Fault {
        /// What was being attempted.
        doing: &'static str,
        /// What is wrong.
        #[source]
        source: Source,
    },
}

impl ViewError {
    /// Whether the same may succeed later without anybody mending anything here.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Behind(_) | Self::Journal { .. } => true,
            Self::Halted { .. }
            | Self::NotParked { .. }
            | Self::StillPoison { .. }
            | Self::VerifyRunning
            | Self::RebuildRunning { .. }
            | Self::TooManyVisits { .. }
            | Self::Fault { .. } => false,
        }
    }

    /// What PostgreSQL refuses because of the content of a row, if that is the reason.
    pub(crate) fn content_refusal(&self) -> Option<String> {
        let Self::Fault { source, .. } = self else {
            return None;
        };
        let refusal = source.downcast_ref::<tokio_postgres::Error>()?.as_db_error()?;
        // 22: data exception, 23: integrity constraint violation, 54: program limit exceeded.
        let of_content = matches!(class(refusal.code()), "22" | "23" | "54");
        of_content.then(|| format!("PostgreSQL refuses it: {}", refusal.message()))
    }

    /// An error of a statement.
    pub(crate) fn sql(doing: &'static str, error: tokio_postgres::Error) -> Self {
        let away = match error.as_db_error() {
            // Connection, rollback by the server, resources, operator, system: none is our doing.
            // A standby that became primary answers again too.
            Some(said) => {
                matches!(class(said.code()), "08" | "40" | "53" | "57" | "58")
                    || *said.code() == SqlState::READ_ONLY_SQL_TRANSACTION
                    || *said.code() == SqlState::LOCK_NOT_AVAILABLE
                    // It took too long between two statements, as after a freeze.
                    || *said.code() == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            }
            None => error.is_closed() || caused_by_io(&error),
        };
        let source = error.into();
        if away { Self::Unavailable { doing, source } } else { Self::Fault { doing, source } }
    }

    /// A fault found by ourselves.
    pub(crate) fn fault(doing: &'static str, source: impl Into<Source>) -> Self {
        Self::Fault { doing, source: source.into() }
    }
}

fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

fn caused_by_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// An error and what caused it, in one line for an operator.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
