//! A caller of the API over gRPC, as an agency's system would be: one channel, one token, all services.

use doudi_api::proto::{
    appeal_service_client::AppealServiceClient, enterprise_service_client::EnterpriseServiceClient,
    inspection_service_client::InspectionServiceClient, policy_service_client::PolicyServiceClient,
    timeline_service_client::TimelineServiceClient,
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
    /// Appeals.
    pub appeals: AppealServiceClient<Authenticated>,
    /// Policy documents.
    pub policies: PolicyServiceClient<Authenticated>,
    /// Timelines.
    pub timelines: TimelineServiceClient<Authenticated>,
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
            appeals: AppealServiceClient::new(with()),
            policies: PolicyServiceClient::new(with()),
            timelines: TimelineServiceClient::new(with()),
        })
    }
}

/// A fresh command id, as a client chooses one for each new command.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a client chooses the ids of its commands")]
pub fn command_id() -> String {
    Uuid::new_v4().to_string()
}
