//! The streams there are, by the thing they are about.

use doudi_domain::{
    AppealId, CampaignId, Decider, DeviceId, DiagnosisId, DrawId, EnterpriseId, WebhookId, appeal,
    campaign, device, diagnosis, draw, enterprise, policy, ratings, reads, visits, webhook,
};
use doudi_journal::{CITY, StreamName, StreamNameError};

/// The profile of an enterprise: `ev.<enterprise>.profile`.
///
/// # Errors
/// Never for a well-formed id; the grammar of stream names is checked all the same.
pub fn profile(enterprise: &EnterpriseId) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), enterprise::Profile::KIND, None)
}

/// All visits to an enterprise, the consistency boundary of its limits: `ev.<enterprise>.visits`.
///
/// # Errors
/// As [`profile`].
pub fn visits(enterprise: &EnterpriseId) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), visits::Visits::KIND, None)
}

/// What an enterprise thinks of the visits that it had: `ev.<enterprise>.ratings`.
///
/// # Errors
/// As [`profile`].
pub fn ratings(enterprise: &EnterpriseId) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), ratings::Ratings::KIND, None)
}

/// One appeal of an enterprise: `ev.<enterprise>.appeal.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn appeal(enterprise: &EnterpriseId, id: AppealId) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), appeal::Appeal::KIND, Some(&id.to_string()))
}

/// Who read an appeal that is confidential: `ev.<enterprise>.reads.<appeal>`.
///
/// # Errors
/// As [`profile`].
pub fn reads(enterprise: &EnterpriseId, appeal: AppealId) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), reads::Reads::KIND, Some(&appeal.to_string()))
}

/// One joint diagnosis of an appeal: `ev.<enterprise>.diagnosis.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn diagnosis(
    enterprise: &EnterpriseId,
    id: DiagnosisId,
) -> Result<StreamName, StreamNameError> {
    StreamName::new(enterprise.as_str(), diagnosis::Diagnosis::KIND, Some(&id.to_string()))
}

/// One special campaign: `ev._city.campaign.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn campaign(id: CampaignId) -> Result<StreamName, StreamNameError> {
    StreamName::new(CITY, campaign::Campaign::KIND, Some(&id.to_string()))
}

/// One random draw: `ev._city.draw.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn draw(id: DrawId) -> Result<StreamName, StreamNameError> {
    StreamName::new(CITY, draw::Draw::KIND, Some(&id.to_string()))
}

/// One device of the inspection app, with the records that it kept: `ev._city.device.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn device(id: DeviceId) -> Result<StreamName, StreamNameError> {
    StreamName::new(CITY, device::Device::KIND, Some(&id.to_string()))
}

/// One webhook of a partner system: `ev._city.webhook.<id>`.
///
/// # Errors
/// As [`profile`].
pub fn webhook(id: WebhookId) -> Result<StreamName, StreamNameError> {
    StreamName::new(CITY, webhook::Webhook::KIND, Some(&id.to_string()))
}

/// One policy document: `ev._city.policy.<name>`.
///
/// # Errors
/// As [`profile`].
pub fn policy(name: &policy::PolicyName) -> Result<StreamName, StreamNameError> {
    StreamName::new(CITY, policy::Policy::KIND, Some(&name.to_string()))
}

/// The enterprise that owns a stream; none for the city's.
#[must_use]
pub fn owner(stream: &StreamName) -> Option<EnterpriseId> {
    EnterpriseId::parse(stream.owner()).ok()
}
