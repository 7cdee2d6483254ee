//! The streams there are, by the thing they are about.

use doudi_domain::{
    AppealId, Decider, DiagnosisId, EnterpriseId, appeal, diagnosis, enterprise, policy, reads,
    visits,
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
