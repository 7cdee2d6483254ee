//! A caller of the API over gRPC, as an agency's system would be: one channel, one token, all services.

use doudi_api::proto::{
    DraftPolicyRequest, PolicyDocument, PolicyName, PublishPolicyRequest,
    alert_service_client::AlertServiceClient, appeal_service_client::AppealServiceClient,
    board_service_client::BoardServiceClient, campaign_service_client::CampaignServiceClient,
    case_service_client::CaseServiceClient, code_service_client::CodeServiceClient,
    device_service_client::DeviceServiceClient, diagnosis_service_client::DiagnosisServiceClient,
    draw_service_client::DrawServiceClient, enterprise_service_client::EnterpriseServiceClient,
    feed_service_client::FeedServiceClient, handling_service_client::HandlingServiceClient,
    inspection_service_client::InspectionServiceClient, policy_document::Document,
    policy_service_client::PolicyServiceClient, rating_service_client::RatingServiceClient,
    supervision_service_client::SupervisionServiceClient,
    timeline_service_client::TimelineServiceClient,
    visit_list_service_client::VisitListServiceClient,
    webhook_service_client::WebhookServiceClient, what_if_service_client::WhatIfServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue, errors::InvalidMetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use uuid::Uuid;

/// A channel whose calls carry a token.
pub type Authenticated = InterceptedService<Channel, Bearer>;

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// All services, called with one token. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    /// Profiles.
    pub enterprises: EnterpriseServiceClient<Authenticated>,
    /// Visits and limits.
    pub inspections: InspectionServiceClient<Authenticated>,
    /// Lists of visits.
    pub visit_lists: VisitListServiceClient<Authenticated>,
    /// Codes that are scanned.
    pub codes: CodeServiceClient<Authenticated>,
    /// Special campaigns.
    pub campaigns: CampaignServiceClient<Authenticated>,
    /// Devices and the records that they kept.
    pub devices: DeviceServiceClient<Authenticated>,
    /// Random draws.
    pub draws: DrawServiceClient<Authenticated>,
    /// What enterprises think of visits.
    pub ratings: RatingServiceClient<Authenticated>,
    /// Alerts.
    pub alerts: AlertServiceClient<Authenticated>,
    /// Appeals.
    pub appeals: AppealServiceClient<Authenticated>,
    /// What happens to appeals while they are handled.
    pub handling: HandlingServiceClient<Authenticated>,
    /// Joint diagnoses.
    pub diagnoses: DiagnosisServiceClient<Authenticated>,
    /// Questions about appeals.
    pub cases: CaseServiceClient<Authenticated>,
    /// Policy documents.
    pub policies: PolicyServiceClient<Authenticated>,
    /// Timelines.
    pub timelines: TimelineServiceClient<Authenticated>,
    /// The event feed.
    pub feed: FeedServiceClient<Authenticated>,
    /// What supervisors count.
    pub boards: BoardServiceClient<Authenticated>,
    /// What supervisors look at.
    pub supervision: SupervisionServiceClient<Authenticated>,
    /// Webhooks of partner systems.
    pub webhooks: WebhookServiceClient<Authenticated>,
    /// Documents tried out on the log.
    pub what_ifs: WhatIfServiceClient<Authenticated>,
}

impl Client {
    /// A caller with `token` on `channel`.
    ///
    /// # Errors
    /// When the token has characters that no header can carry.
    pub fn new(channel: &Channel, token: &str) -> Result<Self, InvalidMetadataValue> {
        let bearer = Bearer(format!("Bearer {token}").parse()?);
        let with = || InterceptedService::new(channel.clone(), bearer.clone());
        Ok(Self {
            enterprises: EnterpriseServiceClient::new(with()),
            inspections: InspectionServiceClient::new(with()),
            visit_lists: VisitListServiceClient::new(with()),
            codes: CodeServiceClient::new(with()),
            campaigns: CampaignServiceClient::new(with()),
            devices: DeviceServiceClient::new(with()),
            draws: DrawServiceClient::new(with()),
            ratings: RatingServiceClient::new(with()),
            alerts: AlertServiceClient::new(with()),
            appeals: AppealServiceClient::new(with()),
            handling: HandlingServiceClient::new(with()),
            diagnoses: DiagnosisServiceClient::new(with()),
            cases: CaseServiceClient::new(with()),
            policies: PolicyServiceClient::new(with()),
            timelines: TimelineServiceClient::new(with()),
            feed: FeedServiceClient::new(with()),
            boards: BoardServiceClient::new(with()),
            supervision: SupervisionServiceClient::new(with()),
            webhooks: WebhookServiceClient::new(with()),
            what_ifs: WhatIfServiceClient::new(with()),
        })
    }

    /// Drafts a document and puts it in force; answers with its version.
    ///
    /// # Errors
    /// What the API answers.
    pub async fn publish(&self, document: PolicyDocument) -> Result<u32, Status> {
        let (name, unit) = match &document.document {
            Some(Document::Frequency(_)) => (PolicyName::Frequency, ""),
            Some(Document::Routing(_)) => (PolicyName::Routing, ""),
            Some(Document::Calendar(_)) => (PolicyName::Calendar, ""),
            Some(Document::CaseTypes(_)) => (PolicyName::CaseTypes, ""),
            Some(Document::Catalogue(catalogue)) => {
                (PolicyName::Catalogue, catalogue.unit.as_str())
            }
            None => (PolicyName::Unspecified, ""),
        };
        let unit = unit.to_owned();
        let mut policies = self.policies.clone();
        let draft = DraftPolicyRequest {
            command_id: command_id(),
            document: Some(document),
            expected_version: None,
        };
        let version = policies.draft_policy(draft).await?.into_inner().document_version;
        let publish = PublishPolicyRequest {
            command_id: command_id(),
            name: name.into(),
            document_version: version,
            expected_version: None,
            unit,
        };
        policies.publish_policy(publish).await?;
        Ok(version)
    }
}

/// A fresh command id, as a client chooses one for each new command.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a client chooses the ids of its commands")]
pub fn command_id() -> String {
    Uuid::new_v4().to_string()
}
