//! What is done, by whomever, and the hand that does it.

use std::{any::Any, collections::BTreeMap, error::Error};

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{IssueEnterpriseCodeRequest, RecordOutcome, UploadRecordsRequest},
};
use doudi_domain::{
    CampaignId, Decider, DeviceId, DrawId, EnterpriseId, UnitId, VisitId,
    appeal::{self, Appeal},
    campaign::{self, Campaign},
    device::{self, Device},
    draw::{self, Draw},
    enterprise::{self, Profile},
    policy::{self, Policy, PolicyName},
    ratings::{self, Ratings},
    visits::{self, Visits},
};
use doudi_engine::{
    Actor, Engine, Envelope, ExecuteError, StreamName, StreamNameError, Vault, react::Due, streams,
};
use futures::future::join_all;
use serde::Serialize;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    client::Client,
    clock::Hands,
    dev::keys::DevKey,
    simulate::{SimulateError, name, step, tables},
    token,
};

/// What a device writes down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note {
    /// The officers came.
    Came,
    /// The officers left.
    Left,
}

/// Something that somebody does.
#[derive(Debug)]
pub(super) enum Deed {
    Policy(PolicyName, policy::Command),
    Profile(EnterpriseId, enterprise::Command),
    Visits(EnterpriseId, Box<visits::Command>),
    Ratings(EnterpriseId, ratings::Command),
    Appeal(StreamName, Box<appeal::Command>),
    Campaign(CampaignId, campaign::Command),
    Draw(DrawId, draw::Command),
    Device(DeviceId, device::Command),
    /// The enterprise is given a code to hang up.
    Hang(EnterpriseId),
    /// A device of the unit that leads the visit writes something down.
    Keep(EnterpriseId, VisitId, Note),
    /// A unit hands in what one of its devices kept, by its number.
    Send(UnitId, usize),
    /// Records are handed in.
    Upload(UnitId, Vec<Vec<u8>>),
    /// The agenda's turn.
    Duty(Box<Due>),
}

impl Deed {
    pub(super) fn visits(enterprise: &EnterpriseId, command: visits::Command) -> Self {
        Self::Visits(enterprise.clone(), Box::new(command))
    }

    /// What is done there is done in turn.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Policy(name, _) => name.to_string(),
            Self::Profile(enterprise, _)
            | Self::Visits(enterprise, _)
            | Self::Ratings(enterprise, _)
            | Self::Keep(enterprise, ..)
            | Self::Hang(enterprise) => enterprise.to_string(),
            Self::Appeal(stream, _) => stream.owner().to_owned(),
            Self::Campaign(id, _) => id.to_string(),
            Self::Draw(id, _) => id.to_string(),
            Self::Device(id, _) => id.to_string(),
            Self::Send(unit, _) | Self::Upload(unit, _) => unit.to_string(),
            Self::Duty(due) => due.stream.owner().to_owned(),
        }
    }

    fn is_plan(&self) -> bool {
        matches!(self, Self::Visits(_, command) if matches!(**command, visits::Command::Plan(_)))
    }
}

/// What came of deeds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Commands of people.
    pub(super) commands: u64,
    /// Commands of the agenda.
    pub(super) duties: u64,
    /// Plans that met others of the same instant.
    pub(super) raced: u64,
    /// Why commands were refused, by the rule that did it, else by its name.
    pub(super) refused: BTreeMap<String, u64>,
    /// Records handed in, once for each time, and how many of them were there already.
    pub(super) records: (u64, u64),
    /// The codes that were hung up.
    pub(super) hung: Vec<(EnterpriseId, String)>,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.commands += other.commands;
        self.duties += other.duties;
        self.raced += other.raced;
        self.records = (self.records.0 + other.records.0, self.records.1 + other.records.1);
        self.hung.extend(other.hung);
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
    }
}

/// Does what is to be done.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) engines: [Engine; 2],
    pub(super) vault: Vault,
    pub(super) channel: Channel,
    pub(super) key: DevKey,
    pub(super) hands: Hands,
}

/// A deed with the id of its command.
pub(super) type Named = (Uuid, Deed);

impl Hand {
    /// Does things of one place in turn; plans that follow each other are made at once, on two instances.
    pub(super) async fn take_turns(&self, deeds: Vec<Named>) -> Result<Tally, SimulateError> {
        let mut tally = Tally::default();
        let mut rest = deeds.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut at_once = vec![first];
            while at_once[0].1.is_plan() {
                let Some(rival) = rest.next_if(|(_, deed)| deed.is_plan()) else { break };
                at_once.push(rival);
            }
            let racing = at_once.len() > 1;
            tally.raced += if racing { at_once.len() as u64 } else { 0 };
            let engines = self.engines.iter().cycle();
            let all = engines.zip(at_once).map(|(engine, named)| self.act(engine, named));
            for done in join_all(all).await {
                tally.add(done?);
            }
        }
        Ok(tally)
    }

    async fn act(&self, engine: &Engine, (id, deed): Named) -> Result<Tally, SimulateError> {
        let mut tally = Tally { commands: 1, ..Tally::default() };
        let refused = match deed {
            Deed::Policy(name, command) => {
                issue::<Policy>(engine, streams::policy(&name), id, &command).await?
            }
            Deed::Profile(enterprise, command) => {
                issue::<Profile>(engine, streams::profile(&enterprise), id, &command).await?
            }
            Deed::Visits(enterprise, command) => {
                issue::<Visits>(engine, streams::visits(&enterprise), id, &command).await?
            }
            Deed::Ratings(enterprise, command) => {
                issue::<Ratings>(engine, streams::ratings(&enterprise), id, &command).await?
            }
            Deed::Appeal(stream, command) => {
                issue::<Appeal>(engine, Ok(stream), id, &command).await?
            }
            Deed::Campaign(campaign, command) => {
                issue::<Campaign>(engine, streams::campaign(campaign), id, &command).await?
            }
            Deed::Draw(draw, command) => {
                issue::<Draw>(engine, streams::draw(draw), id, &command).await?
            }
            Deed::Device(device, command) => {
                issue::<Device>(engine, streams::device(device), id, &command).await?
            }
            Deed::Hang(enterprise) => {
                tally.hung.extend(self.hang(id, enterprise).await?);
                vec![]
            }
            Deed::Upload(unit, records) => {
                tally.records = self.upload(&unit, records).await?;
                vec![]
            }
            Deed::Duty(due) => {
                (tally.commands, tally.duties) = (0, 1);
                engine.carry_out(&self.vault, &due).await.map_err(step)?;
                vec![]
            }
            // Told to a device, which issues nothing.
            Deed::Keep(..) | Deed::Send(..) => vec![],
        };
        tally.refused = tables::counted(refused.into_iter());
        Ok(tally)
    }

    /// A caller of the API whose token holds now, in the simulated time.
    fn client(&self, role: Role, unit: Option<&UnitId>) -> Result<Client, SimulateError> {
        let sample = token::claims(role);
        let (now, life) = (self.hands.clock().now().as_second(), sample.exp - sample.iat);
        let unit = unit.map(UnitId::to_string);
        let claims = Claims { unit, iat: now, exp: now + life, ..sample };
        Client::new(&self.channel, &token::sign(&self.key, &claims).map_err(step)?).map_err(step)
    }

    /// The text of a code that the enterprise hangs up.
    async fn hang(
        &self,
        id: Uuid,
        enterprise: EnterpriseId,
    ) -> Result<Option<(EnterpriseId, String)>, SimulateError> {
        let request = IssueEnterpriseCodeRequest {
            command_id: id.to_string(),
            enterprise_id: enterprise.to_string(),
            valid_days: 365,
            ..IssueEnterpriseCodeRequest::default()
        };
        let issued = self.client(Role::Admin, None)?.codes.issue_enterprise_code(request).await;
        let code = issued.map_err(step)?.into_inner().code;
        Ok(code.map(|code| (enterprise, code.text)))
    }

    /// How many records were handed in, and how many of them were there already.
    async fn upload(
        &self,
        unit: &UnitId,
        records: Vec<Vec<u8>>,
    ) -> Result<(u64, u64), SimulateError> {
        let mut devices = self.client(Role::UnitHead, Some(unit))?.devices;
        let request = UploadRecordsRequest { records };
        let answers = devices.upload_records(request).await.map_err(step)?.into_inner().answers;
        let (mut all, mut known) = (0, 0);
        for answer in answers {
            all += 1;
            known += u64::from(answer.outcome() == RecordOutcome::Known);
            if ![RecordOutcome::Stored, RecordOutcome::Known].contains(&answer.outcome()) {
                return Err(step(format!("a record was not taken in: {answer:?}")));
            }
        }
        Ok((all, known))
    }
}

/// Issues a command. People try what is not possible: answers with the names of what refused it, the
/// rules where it was a limit.
async fn issue<D>(
    engine: &Engine,
    stream: Result<StreamName, StreamNameError>,
    id: Uuid,
    command: &D::Command,
) -> Result<Vec<String>, SimulateError>
where
    D: Decider,
    D::Command: Serialize,
    D::Rejection: Any + Send + Sync,
{
    let envelope = Envelope::new(id, Actor::of("simulation"));
    match engine.execute::<D>(&stream.map_err(step)?, command, &envelope).await {
        Ok(_) => Ok(vec![]),
        Err(ExecuteError::Rejected(rejection)) => Ok(names(&rejection)),
        Err(error) => Err(step(error)),
    }
}

fn names<R: Any + Error>(rejection: &R) -> Vec<String> {
    let of_visits = (rejection as &dyn Any).downcast_ref::<visits::Rejection>();
    if let Some(visits::Rejection::CapReached { exhausted }) = of_visits {
        return exhausted.iter().map(|standing| standing.rule.to_string()).collect();
    }
    vec![name(rejection)]
}
