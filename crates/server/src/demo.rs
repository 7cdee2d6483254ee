//! The demo: a working day over the API, on real servers, ending with a replay of the log.

use std::path::Path;

use doudi_api::{identity::Claims, permission::Role};
use tonic::{Status, metadata::errors::InvalidMetadataValue, transport::Channel};

use crate::{
    catalogue::{CatalogueError, Plan},
    client::Client,
    dev::keys::DevKey,
    parts::Parts,
    stage::{Setting, Stage, StageError, on_stage},
    token,
};

mod day;
mod guarantee;
mod offline;
mod tables;
pub(crate) mod visits;

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Its servers, or the roles on them.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The published data cannot be read.
    #[error("the catalogue cannot be read")]
    Catalogue(#[from] CatalogueError),
    /// A token cannot be made.
    #[error("a token cannot be made")]
    Token(#[from] token::TokenError),
    /// A token cannot be sent.
    #[error("a token cannot be sent")]
    Header(#[from] InvalidMetadataValue),
    /// A call failed that should not have.
    #[error("a call failed that should not have: {0}")]
    Call(Box<Status>),
    /// The story went another way.
    #[error("the story went another way: {0}")]
    Story(&'static str),
    /// The tables cannot be compared with the log.
    #[error("the tables cannot be compared with the log")]
    Verify(#[from] crate::verify::VerifyError),
    /// The tables differ from a replay of the log.
    #[error("the tables differ from a replay of the log")]
    Differs,
}

impl From<Status> for DemoError {
    fn from(status: Status) -> Self {
        Self::Call(Box::new(status))
    }
}

/// Who takes part.
struct Cast {
    plan: Plan,
    channel: Channel,
    key: DevKey,
    admin: Client,
    dispatcher: Client,
    supervisor: Client,
}

impl Cast {
    fn gather(plan: Plan, channel: Channel, key: DevKey) -> Result<Self, DemoError> {
        let client = |claims: Claims| -> Result<Client, DemoError> {
            Ok(Client::new(&channel, &token::sign(&key, &claims)?)?)
        };
        let admin = client(token::claims(Role::Admin))?;
        let dispatcher = client(token::claims(Role::Dispatcher))?;
        let supervisor = client(token::claims(Role::Supervisor))?;
        Ok(Self { plan, channel, key, admin, dispatcher, supervisor })
    }

    /// The head of a unit, who may do what its inspectors and handlers may.
    fn unit(&self, unit: &str) -> Result<Client, DemoError> {
        let claims = Claims { unit: Some(unit.to_owned()), ..token::claims(Role::UnitHead) };
        Ok(Client::new(&self.channel, &token::sign(&self.key, &claims)?)?)
    }

    fn enterprise(&self, enterprise: &str) -> Result<Client, DemoError> {
        let claims =
            Claims { enterprise: Some(enterprise.to_owned()), ..token::claims(Role::Enterprise) };
        Ok(Client::new(&self.channel, &token::sign(&self.key, &claims)?)?)
    }
}

/// Runs the demo in `folder`, which is for nothing else.
///
/// # Errors
/// See [`DemoError`]: whatever is not as it should be.
pub async fn run(folder: &Path) -> Result<(), DemoError> {
    on_stage(folder, Setting::default(), async |Stage { parts, channel, key, .. }| {
        Box::pin(story(Cast::gather(Plan::published()?, channel, key)?)).await?;
        replay(&parts).await
    })
    .await?;
    println!("\ndemo: ok");
    Ok(())
}

async fn story(cast: Cast) -> Result<(), DemoError> {
    day::publish(&cast).await?;
    day::register(&cast).await?;
    let visit = visits::limited(&cast).await?;
    visits::catalogued(&cast).await?;
    visits::race(&cast).await?;
    offline::cellar(&cast).await?;
    let position = day::appeals(&cast, &visit).await?;
    guarantee::story(&cast).await?;
    day::show(&cast, &position).await
}

/// Replays the log and compares: the tables hold nothing that the log does not say.
async fn replay(parts: &Parts) -> Result<(), DemoError> {
    tables::chapter("The log is replayed and compared with the tables 重放日志并核对");
    let report = crate::verify::verify(parts).await?;
    for finding in &report.lines {
        tables::line(finding);
    }
    if !report.sound {
        return Err(DemoError::Differs);
    }
    Ok(())
}
