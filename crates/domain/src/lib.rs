//! The rules of appeals (诉求) and inspections (涉企行政检查) as pure functions: no clock, no randomness,
//! no I/O. Each decider has one file in one order: events, state, commands, rejections, decisions.

pub mod agenda;
pub mod appeal;
pub mod calendar;
pub mod campaign;
pub mod cases;
pub mod catalogue;
pub mod clock;
pub mod codec;
mod decider;
pub mod device;
pub mod diagnosis;
pub mod draw;
pub mod enterprise;
mod few;
pub mod frequency;
mod ids;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod laws;
mod number;
pub mod policy;
pub mod ratings;
pub mod reads;
pub mod routing;
mod sealed;
pub mod similarity;
mod uscc;
pub mod visits;
pub mod webhook;
pub mod what_if;

pub use agenda::Process;
pub use decider::{Context, Decider, Need, Published};
pub use few::{FewMap, FewSet};
pub use ids::{
    AppealId, AreaCode, CampaignId, CaseTypeId, CertificateNumber, ClassId, CodeId, DeviceId,
    DiagnosisId, DrawId, EnterpriseId, FieldId, Invalid, ItemId, Name, NoteId, Reference, RuleId,
    TagId, TopicId, UnitId, VisitId, WebhookId,
};
pub use number::{CaseNumber, CaseNumberError};
pub use sealed::Sealed;
pub use uscc::{CheckDigit, Uscc};
