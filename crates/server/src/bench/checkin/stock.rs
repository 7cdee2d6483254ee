//! Visits that are planned and approved, by four units at each of many enterprises, and clients that scan in at
//! each of them once.

use std::sync::{Arc, Mutex, PoisonError};

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{CheckInRequest, RegisterEnterpriseRequest},
};
use doudi_scan::codes::{Code, EnterpriseCode, Form, KeyRing};
use futures::{FutureExt, future::BoxFuture};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    bench::{
        BenchError, measured,
        site::Site,
        work::{self, Round, Side, Worker},
    },
    client::{Client, command_id},
    demo::visits::{CREWS, approve, now, plan, stamp},
    token,
};

/// How many clients prepare.
const HANDS: usize = 128;
/// How long a code on a screen lives, in seconds.
const CODE_LIFE_S: i64 = 60;
/// Where every enterprise is.
const AREA: &str = "210212";

/// A visit that officers are expected at.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Expected {
    /// Where.
    pub(in crate::bench) enterprise: String,
    /// Its id.
    pub(in crate::bench) visit: String,
    /// Which of the units.
    pub(in crate::bench) crew: usize,
}

/// Clients of all the units on one connection, as one agency's system has them.
#[derive(Debug)]
pub(in crate::bench) struct Desk(Vec<Client>);

impl Desk {
    pub(in crate::bench) fn at(
        site: &Site,
        channel: &Channel,
        number: usize,
    ) -> Result<Self, BenchError> {
        let clients = CREWS.iter().map(|crew| {
            let claims = Claims {
                unit: Some(crew.unit.to_owned()),
                sub: format!("desk-{number}"),
                ..token::claims(Role::UnitHead)
            };
            site.client(channel, &claims)
        });
        clients.collect::<Result<_, _>>().map(Self)
    }

    pub(in crate::bench) fn of(&self, crew: usize) -> Result<&Client, BenchError> {
        self.0.get(crew).ok_or_else(|| measured("there is no such unit"))
    }
}

/// The name of an enterprise, told by its number.
#[must_use]
pub fn enterprise(number: u32) -> String {
    format!("L-B{number:06}")
}

/// Registers an enterprise.
pub(in crate::bench) async fn register(
    admin: &Client,
    enterprise: String,
) -> Result<(), BenchError> {
    let request = RegisterEnterpriseRequest {
        command_id: command_id(),
        name: format!("示例企业 {enterprise}"),
        enterprise_id: enterprise,
        area: AREA.to_owned(),
        expected_version: None,
    };
    let registered = admin.enterprises.clone().register_enterprise(request).await;
    registered.map(|_| ()).map_err(measured)
}

/// The stock, used up from the front.
pub struct CheckIns {
    ready: Vec<Expected>,
    used: usize,
    desks: Vec<Desk>,
    ring: KeyRing,
}

impl CheckIns {
    /// Plans and approves so many visits over the API, at a quarter as many enterprises. Those of one
    /// enterprise lie far apart, as in life.
    ///
    /// # Errors
    /// [`BenchError`] when something is refused.
    pub async fn prepare(site: &Site, visits: u32) -> Result<Self, BenchError> {
        let enterprises = visits.div_ceil(4);
        let mut desks = vec![];
        for number in 0..work::CLIENTS[work::CLIENTS.len() - 1] {
            let number = usize::try_from(number).map_err(measured)?;
            desks.push(Desk::at(site, &site.channel().await?, number)?);
        }
        let ready = Arc::new(Mutex::new(vec![]));
        let mut hands = vec![];
        for number in 0..HANDS {
            let channel = site.channel().await?;
            let admin = site.client(&channel, &token::claims(Role::Admin))?;
            let (desk, ready) = (Desk::at(site, &channel, number)?, Arc::clone(&ready));
            hands.push(Preparing { admin, desk, enterprises, ready });
        }
        let (_, hands) = work::round(hands, 0..enterprises).await?;
        work::round(hands, enterprises..enterprises * 5).await?;
        let ready = std::mem::take(&mut *ready.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Self { ready, used: 0, desks, ring: site.ring()? })
    }
}

/// Registers the enterprises first, then plans and approves a visit of each unit to each of them.
struct Preparing {
    admin: Client,
    desk: Desk,
    enterprises: u32,
    ready: Arc<Mutex<Vec<Expected>>>,
}

impl Worker for Preparing {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        let enterprise = enterprise(number % self.enterprises);
        let Some(crew) = (number / self.enterprises).checked_sub(1) else {
            return register(&self.admin, enterprise).await;
        };
        let crew = usize::try_from(crew).map_err(measured)?;
        let client = self.desk.of(crew)?;
        let request = CREWS[crew].request(&enterprise, doudi_api::proto::Ground::Routine, "");
        let visit = plan(client, request).await.map_err(measured)?;
        approve(client, &enterprise, &visit).await.map_err(measured)?;
        let expected = Expected { enterprise, visit, crew };
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(expected);
        Ok(())
    }
}

impl Side for CheckIns {
    fn name(&self) -> &'static str {
        "doudi: check-in"
    }

    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>> {
        async move {
            let count = usize::try_from(count).map_err(measured)?;
            let clients = usize::try_from(clients).map_err(measured)?;
            let expected = self.ready.get(self.used..self.used + count);
            let expected = expected.ok_or_else(|| measured("no visits are left"))?;
            self.used += count;
            // The enterprises show their codes; the officers scan them now.
            let requests = expected.iter().map(|expected| {
                let request = scan(&self.ring, expected)?;
                Ok((expected.crew, request))
            });
            let requests = requests.collect::<Result<Vec<_>, BenchError>>()?;
            let requests = Arc::new(requests);
            let rest = self.desks.split_off(clients.min(self.desks.len()));
            let desks = std::mem::replace(&mut self.desks, rest);
            let desks = desks.into_iter().map(|desk| Scanning { desk, requests: requests.clone() });
            let numbers = 0..u32::try_from(count).map_err(measured)?;
            let (round, desks) = work::round(desks.collect(), numbers).await?;
            self.desks.extend(desks.into_iter().map(|scanning| scanning.desk));
            Ok(round)
        }
        .boxed()
    }
}

/// What an officer sends who has just scanned the code on the enterprise's screen.
pub(in crate::bench) fn scan(
    ring: &KeyRing,
    expected: &Expected,
) -> Result<CheckInRequest, BenchError> {
    let Expected { enterprise, visit, crew } = expected;
    let now = now();
    let command_id = command_id();
    let code = EnterpriseCode {
        id: Uuid::try_parse(&command_id).map_err(measured)?,
        enterprise: enterprise.clone(),
        form: Form::Rotating,
        place: None,
        issued_at: now.as_second(),
        expires_at: now.as_second() + CODE_LIFE_S,
    };
    Ok(CheckInRequest {
        command_id,
        enterprise_id: enterprise.clone(),
        visit_id: visit.clone(),
        officers: CREWS[*crew].officers(),
        occurred_at: Some(stamp(now)),
        code: ring.seal(&Code::Enterprise(code)).map_err(measured)?,
        place: None,
        expected_version: None,
    })
}

struct Scanning {
    desk: Desk,
    requests: Arc<Vec<(usize, CheckInRequest)>>,
}

impl Worker for Scanning {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        let at = usize::try_from(number).map_err(measured)?;
        let (crew, request) =
            self.requests.get(at).ok_or_else(|| measured("there is no such visit"))?;
        let mut inspections = self.desk.of(*crew)?.inspections.clone();
        let answer = inspections.check_in(request.clone()).await.map_err(measured)?;
        // Only what left a commit is a check-in.
        answer.into_inner().receipt.map(|_| ()).ok_or_else(|| measured("nothing was recorded"))
    }
}
