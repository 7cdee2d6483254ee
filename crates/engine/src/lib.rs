//! The write path: load a stream, decide, append, and on conflict decide again. Processes, timers,
//! the vault for personal data and the attachments live here too.
//!
//! Invariants: [`Engine::execute`] is the only way into the log; an outcome that is not known is
//! found out by reading, never by sending blindly; a refusal is never based on a stale state.

mod attachments;
mod cache;
mod clock;
mod commit;
mod execute;
mod folded;
mod inputs;
pub mod metrics;
pub mod react;
mod since;
pub mod streams;
mod vault;
pub mod what_if;

pub use doudi_journal::{
    Actor, Hash, ObjectName, Position, StreamName, StreamNameError, Version, trace,
};

pub use attachments::{AttachmentError, AttachmentSettings, Attachments, MediaType, Place, Stored};
pub use clock::Clock;
pub use execute::{Engine, EngineSettings, Envelope, ExecuteError, Outcome};
pub use folded::{Folded, LoadError, Until};
pub use vault::{HandedOver, MasterKeys, MasterKeysError, Sealer, Vault, VaultError};
