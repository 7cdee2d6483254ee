//! The rules of appeals (诉求) and inspections (涉企行政检查) as pure functions: no clock, no randomness,
//! no I/O. Each decider has one file in one order: events, state, commands, rejections, decisions.

pub mod appeal;
pub mod calendar;
pub mod codec;
mod decider;
pub mod enterprise;
pub mod expiry;
pub mod frequency;
mod ids;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod laws;
pub mod policy;
pub mod routing;
mod sealed;
mod uscc;
pub mod visits;

pub use decider::{Context, Decider, Need, Process, Published};
pub use ids::{
    AppealId, AreaCode, CertificateNumber, EnterpriseId, Invalid, ItemId, Name, Reference, RuleId,
    TopicId, UnitId, VisitId,
};
pub use sealed::Sealed;
pub use uscc::{CheckDigit, Uscc};
