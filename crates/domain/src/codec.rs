//! Events as they are stored: an explicit type name, a version and JSON data. The newest shape is
//! the only one in code; older shapes are lifted to it here, by pure functions.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    appeal, campaign, device, diagnosis, draw, enterprise, policy, ratings, reads, visits, webhook,
};

/// An event that can be stored.
pub trait Storable: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Every type name with its newest version.
    const VERSIONS: &'static [(&'static str, u16)];

    /// Lifts the data of an older version to the newest shape; none when the version is unknown.
    #[must_use]
    fn upcast(_name: &str, _version: u16, _data: Value) -> Option<Value> {
        None
    }
}

/// An event that cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The event has no type name in `VERSIONS`, or no data.
    #[error("an event has the shape of no stored event")]
    Shape,
    /// The log holds a type that this program does not know.
    #[error("the event type {name} is unknown")]
    TypeUnknown {
        /// The type name.
        name: String,
    },
    /// The log holds a version that this program does not know.
    #[error("version {version} of the event type {name} is unknown")]
    VersionUnknown {
        /// The type name.
        name: String,
        /// The version.
        version: u16,
    },
    /// The data do not have the shape of their type and version. What stands there instead is not told:
    /// it may be the words of a person, and this ends up in log lines.
    #[error("the data of an event of type {name} do not have its shape at byte {column}")]
    Data {
        /// The type name.
        name: String,
        /// Where, counted from 1; 0 when it was found after lifting an older version.
        column: usize,
    },
}

/// An encoded event.
#[derive(Debug)]
pub struct Encoded {
    /// The type name.
    pub name: &'static str,
    /// The version.
    pub version: u16,
    /// The data.
    pub data: Box<RawValue>,
}

/// Encodes an event in its newest version.
///
/// # Errors
/// [`CodecError::Shape`] when the event's name is missing in `VERSIONS`.
pub fn encode<E: Storable>(event: &E) -> Result<Encoded, CodecError> {
    let text = serde_json::to_string(event).map_err(|_| CodecError::Shape)?;
    let tagged: Tagged<'_> = serde_json::from_str(&text).map_err(|_| CodecError::Shape)?;
    let (name, version) =
        E::VERSIONS.iter().find(|(known, _)| *known == tagged.name).ok_or(CodecError::Shape)?;
    Ok(Encoded { name, version: *version, data: tagged.data.to_owned() })
}

/// An event as its type writes it, parted into what is stored apart.
#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Decodes a stored event of any known version into the newest shape.
///
/// # Errors
/// [`CodecError`] when the type or version is unknown or the data do not fit.
pub fn decode<E: Storable>(name: &str, version: u16, data: &RawValue) -> Result<E, CodecError> {
    let unknown = || CodecError::TypeUnknown { name: name.to_owned() };
    let misfit = |column| CodecError::Data { name: name.to_owned(), column };
    let (known, newest) =
        E::VERSIONS.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    if version == *newest {
        let before = format!(r#"{{"type":"{known}","data":"#);
        let tagged = format!("{before}{}}}", data.get());
        let read = serde_json::from_str(&tagged);
        return read.map_err(|error| misfit(error.column().saturating_sub(before.len())));
    }
    let old = serde_json::from_str(data.get()).map_err(|error| misfit(error.column()))?;
    let data = E::upcast(known, version, old)
        .ok_or_else(|| CodecError::VersionUnknown { name: name.to_owned(), version })?;
    serde_json::from_value(serde_json::json!({ "type": known, "data": data }))
        .map_err(|error| misfit(error.column()))
}

impl Storable for enterprise::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("EnterpriseRegistered", 1),
        ("CreditGradeAssessed", 1),
        ("AreaChanged", 1),
        ("EnterpriseClassified", 1),
        ("CodeIssued", 1),
        ("CodeRevoked", 1),
    ];
}

impl Storable for visits::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("VisitPlanned", 3),
        ("VisitApproved", 1),
        ("VisitNotified", 1),
        ("VisitsMerged", 1),
        ("UnitWithdrew", 1),
        ("VisitCheckedIn", 2),
        ("ApprovalOwed", 1),
        ("ScanSetAside", 1),
        ("CapExceeded", 2),
        ("VisitsExcessive", 1),
        ("RepeatVisits", 1),
        ("VisitCheckedOut", 1),
        ("ResultReported", 1),
        ("EnterpriseTold", 1),
        ("RectificationReported", 1),
        ("RectificationAccepted", 1),
        ("RectificationOverdue", 1),
        ("ClockStepsTaken", 1),
        ("VisitClosed", 1),
        ("VisitCancelled", 1),
        ("VisitRefused", 1),
        ("VisitExpired", 1),
        ("VisitsHeld", 1),
        ("HoldLifted", 1),
        ("OffSiteCheckRecorded", 1),
    ];

    fn upcast(name: &str, version: u16, data: Value) -> Option<Value> {
        match version {
            1 => visits::upcast::from_v1(name, data),
            2 => visits::upcast::from_v2(name, data),
            _ => None,
        }
    }
}

impl Storable for appeal::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("AppealSubmitted", 2),
        ("AppealAccepted", 2),
        ("AppealDispatched", 2),
        ("AppealSignedFor", 2),
        ("AppealResolved", 2),
        ("ResolutionConfirmed", 2),
        ("ResolutionObjected", 2),
        ("AppealClosed", 2),
        ("AppealRedirected", 1),
        ("EnterpriseContacted", 1),
        ("DispatchContested", 1),
        ("DispatchRuled", 1),
        ("GuaranteeTaken", 1),
        ("AppealReclassified", 1),
        ("ExtensionAsked", 1),
        ("ExtensionGranted", 1),
        ("ExtensionRefused", 1),
        ("HandlingPaused", 1),
        ("HandlingResumed", 1),
        ("CoHandlingRequested", 1),
        ("CoHandlingAnswered", 1),
        ("CallbackRecorded", 1),
        ("EnterpriseSilent", 1),
        ("AppealRated", 1),
        ("AppealReopened", 1),
        ("NoteAdded", 1),
        ("FileAttached", 1),
        ("AppealMerged", 1),
        ("MergeDelivered", 1),
        ("AppealAbsorbed", 1),
        ("MergeDeclined", 1),
        ("AppealSplit", 1),
        ("PartSubmitted", 1),
        ("DiagnosisConvened", 1),
        ("DiagnosisOpened", 1),
        ("DiagnosisAbandoned", 1),
        ("DiagnosisDiscontinued", 1),
        ("ConclusionTaken", 1),
        ("MediationOpened", 1),
        ("MediationEnded", 1),
        ("ClockStepsTaken", 1),
        ("DeadlinesRecomputed", 1),
        ("AppealRepaired", 1),
        ("PersonalDataErased", 1),
        ("KeyDestroyed", 1),
        ("VisitsHeld", 1),
        ("HoldEnded", 1),
        ("HoldLifted", 1),
    ];

    fn upcast(name: &str, version: u16, data: Value) -> Option<Value> {
        if version == 1 { appeal::upcast::from_v1(name, data) } else { None }
    }
}

impl Storable for diagnosis::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("DiagnosisConvened", 2),
        ("OpinionGiven", 1),
        ("OpinionRevised", 1),
        ("DiagnosisConcluded", 1),
        ("DiagnosisDiscontinued", 1),
        ("ClockStepsTaken", 1),
        ("ConclusionDelivered", 1),
        ("StandingRulePublished", 1),
    ];

    /// Before version 2 it was not recorded how often a ladder climbed to its end is urged again;
    /// `serde` fills that in.
    fn upcast(name: &str, version: u16, data: Value) -> Option<Value> {
        (name == "DiagnosisConvened" && version == 1).then_some(data)
    }
}

impl Storable for campaign::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("CampaignProposed", 1),
        ("CampaignApproved", 1),
        ("CampaignFiled", 1),
        ("CampaignPublished", 1),
        ("CampaignWithdrawn", 1),
    ];
}

impl Storable for draw::Event {
    const VERSIONS: &'static [(&'static str, u16)] =
        &[("DrawOpened", 1), ("CandidatesAdded", 1), ("DrawMade", 1)];
}

impl Storable for device::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("DeviceEnrolled", 1),
        ("DeviceRevoked", 1),
        ("RecordsReceived", 1),
        ("RecordsQuarantined", 1),
        ("RecordsReleased", 1),
        ("RecordsDelivered", 1),
        ("RecordsMissing", 1),
    ];
}

impl Storable for webhook::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[
        ("WebhookRegistered", 1),
        ("WebhookPaused", 1),
        ("WebhookResumed", 1),
        ("WebhookRetired", 1),
        ("SecretRotated", 1),
        ("DeliveryStalled", 1),
        ("DeliveryAdvanced", 1),
        ("EventSetAside", 1),
        ("EventsWithheld", 1),
        ("RedriveOrdered", 1),
        ("EventsRedriven", 1),
    ];
}

impl Storable for reads::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[("ReadRecorded", 1)];
}

impl Storable for ratings::Event {
    const VERSIONS: &'static [(&'static str, u16)] = &[("VisitRated", 1)];
}

impl Storable for policy::Event {
    const VERSIONS: &'static [(&'static str, u16)] =
        &[("PolicyDrafted", 4), ("PolicyPublished", 1), ("PolicyRetired", 1)];

    /// Before version 2 a routing table had allowances, which case types have now, and nothing of
    /// what `serde` fills in: no status of a unit, no keyword, no guarantee, no standing rule. Before
    /// version 3 a frequency rule was about every enterprise, item and ground, and only refused. Before
    /// version 4 a frequency policy said nothing of what a visit is held to beside its frequency.
    fn upcast(name: &str, version: u16, data: Value) -> Option<Value> {
        (name == "PolicyDrafted" && matches!(version, 1..=3)).then_some(data)
    }
}

#[cfg(test)]
mod tests;
