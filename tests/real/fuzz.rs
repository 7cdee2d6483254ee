//! Whatever is sent to any rpc of a whole doudi, and whatever bears as a token: it is answered or refused in time.
//! Nothing breaks, nothing panics, no view stops, and the tables are what the log says.
//!
//! `ROUNDS=1000 make fuzz` asks every rpc so many times.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use doudi_api::{
    identity::{Claims, EVERY_AREA},
    permission::Role,
    proto::FILE_DESCRIPTOR_SET,
};
use doudi_server::{clock::Ahead, token};
use doudi_tests::world::{Ground, World};
use fastrand::Rng;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{agenda::sound, raw};
use crate::fuzz::{bend, seeds};

mod later;
mod maker;
mod pages;
mod panics;
mod story;
mod tokens;

use maker::Maker;
use panics::Panics;

/// How many requests of every rpc are made up.
const ROUNDS: u64 = 12;
/// How often what is of the right form is asked where nothing has come beyond the conversion.
const TRIES: u32 = 40;
/// For how many rpcs nothing may: their requests are made of what nobody finds by chance.
const SHALLOW_MAX: usize = 25;
/// How long an answer may take, and how long it is listened to what does not end by itself.
const GRANTED: Duration = Duration::from_secs(20);
const LISTENED: Duration = Duration::from_millis(100);
/// Of how many answers of a live stream is learnt.
const ANSWERS: usize = 3;

const MARKET: &str = "market-regulation";
const ENTERPRISE: &str = "91210212DD0000001D";
const OTHER: &str = "91210212DD0000003K";

/// How often all appeals are swept meanwhile.
const SWEEPS: Duration = Duration::from_secs(1);

/// How many of the tokens are of somebody who is everything at once.
const ALL_ROLES: usize = 3;

/// What only who came beyond the conversion is answered.
const DEEP: [&str; 6] =
    ["Ok", "NotFound", "FailedPrecondition", "Aborted", "AlreadyExists", "ResourceExhausted"];

/// What no request may bring about.
const BROKEN: [Code; 6] = [
    Code::Internal,
    Code::Unknown,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unimplemented,
    Code::DeadlineExceeded,
];

/// A doudi, and what is known of what it says.
struct Wild {
    world: World,
    ahead: Ahead,
    panics: Panics,
    methods: Vec<MethodDescriptor>,
    maker: Maker,
    tokens: Vec<String>,
}

/// Somebody who is everything at once in each of [`ALL_ROLES`] units, then somebody of each role.
fn tokens(world: &World) -> Vec<String> {
    let all = || Role::OF_ACCOUNTS.iter();
    let of_one = all().map(|role| world.ground.token(&token::claims(role)));
    let of_all = |unit: &str| {
        let claims = Claims {
            roles: all().map(|role| role.to_string()).collect(),
            unit: Some(unit.to_owned()),
            areas: vec![EVERY_AREA.to_owned()],
            enterprise: Some(ENTERPRISE.to_owned()),
            ..token::claims(Role::Admin)
        };
        world.ground.token(&claims)
    };
    let of_all = [MARKET, "tax", "power-supply"].map(of_all);
    of_all.into_iter().chain(of_one).collect()
}

impl Wild {
    async fn start() -> Self {
        let (panics, ahead) = (Panics::watched(), Ahead::default());
        let mut ground = Box::pin(Ground::start()).await;
        ground.config.react.sweep_interval = SWEEPS;
        let world = Box::pin(World::start_at(ground, &ahead)).await;
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let services = pool.services().collect::<Vec<_>>();
        let methods = services.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
        let (methods, tokens) = (methods.collect(), tokens(&world));
        Self { world, ahead, panics, methods, maker: Maker::default(), tokens }
    }

    /// Drains and stops it. Until then nothing panicked: no call, no duty, no view, no other task.
    async fn stop(self) {
        Box::pin(self.world.stop()).await;
        self.panics.none();
    }

    fn method(&self, name: &str) -> MethodDescriptor {
        self.methods.iter().find(|method| method.name() == name).unwrap().clone()
    }

    /// Calls an rpc and learns of what is answered; answers with the first answer.
    async fn send(
        &mut self,
        rng: &mut Rng,
        method: &MethodDescriptor,
        token: &str,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Status> {
        let streams = method.is_server_streaming();
        let mut request = raw::request(token, messages);
        request.set_timeout(if streams { LISTENED } else { GRANTED });
        let channel = &self.world.running.channel;
        let mut answers = raw::ask(channel, &raw::path(method), request).await?;
        let mut first = None;
        for _ in 0..ANSWERS {
            // A stream that has nothing to say goes on all the same.
            let patience = if streams { LISTENED } else { GRANTED };
            let Ok(told) = timeout(patience, answers.message()).await else {
                assert!(streams, "{}: no answer", method.full_name());
                break;
            };
            match told {
                Ok(Some(answer)) => {
                    let told = DynamicMessage::decode(method.output(), &*answer).unwrap();
                    self.maker.learn(rng, &told);
                    first.get_or_insert(answer);
                }
                Ok(None) => break,
                Err(status) if streams && status.code() == Code::DeadlineExceeded => break,
                Err(status) => return Err(status),
            }
        }
        Ok(first.unwrap_or_default())
    }

    /// Asks for what is right, so that there is something to learn from; answers with the first answer.
    async fn told<A: Message + Default>(
        &mut self,
        rng: &mut Rng,
        name: &str,
        requests: &[impl Message],
    ) -> A {
        let method = self.method(name);
        let requests: Vec<Vec<u8>> = requests.iter().map(Message::encode_to_vec).collect();
        for request in &requests {
            let learnt = DynamicMessage::decode(method.input(), &**request).unwrap();
            self.maker.learn(rng, &learnt);
        }
        let token = self.tokens[0].clone();
        let answer = self.send(rng, &method, &token, requests).await.expect(name);
        A::decode(&*answer).unwrap()
    }

    /// Asks for what may be anything, or is at least of the right form; answers with what came of it.
    async fn ask(
        &mut self,
        rng: &mut Rng,
        method: &MethodDescriptor,
        spoilt: bool,
    ) -> Option<Status> {
        let count = if method.is_client_streaming() { rng.usize(1..4) } else { 1 };
        let mut requests: Vec<DynamicMessage> =
            (0..count).map(|_| self.maker.request(rng, &method.input())).collect();
        for request in &mut requests {
            for _ in 0..rng.usize(..5).saturating_sub(if spoilt { 2 } else { 5 }) {
                self.maker.spoil(rng, request);
            }
        }
        let mut messages: Vec<Vec<u8>> = requests.iter().map(Message::encode_to_vec).collect();
        if spoilt && rng.u8(..8) == 0 {
            messages.iter_mut().for_each(|message| bend(rng, message));
        }
        let of_a_case = self.maker.texts("case_token");
        let token = match rng.u8(..4) {
            0 => rng.choice(&of_a_case).or_else(|| rng.choice(&self.tokens)),
            1 if spoilt => rng.choice(&self.tokens),
            _ => rng.choice(&self.tokens[..ALL_ROLES]),
        };
        let token = token.unwrap().clone();
        match self.send(rng, method, &token, messages).await {
            Ok(_) => {
                requests.iter().for_each(|request| self.maker.learn(rng, request));
                None
            }
            Err(status) => {
                // What is listened to for a moment alone may not have begun by then.
                let late = method.is_server_streaming() && status.code() == Code::DeadlineExceeded;
                let broken = BROKEN.contains(&status.code()) && !late;
                assert!(!broken, "{}: {status:?}\n{requests:?}", method.full_name());
                Some(status)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_of_any_rpc_is_answered_or_refused() {
    let mut wild = Wild::start().await;
    story::tell(&mut wild, &mut Rng::with_seed(0)).await;
    let mut come: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Beyond the conversion and the permissions, where rules, log and tables are.
    let is_deep = |words: &String| DEEP.iter().any(|deep| words.starts_with(deep));
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        for method in wild.methods.clone() {
            let refused = wild.ask(&mut rng, &method, true).await;
            come.entry(method.full_name().to_owned()).or_default().insert(in_words(refused));
        }
    }
    assert_eq!(come.len(), wild.methods.len());
    let mut rng = Rng::with_seed(0);
    for method in wild.methods.clone() {
        let words = come.entry(method.full_name().to_owned()).or_default();
        for _ in 0..TRIES {
            if words.iter().any(is_deep) {
                break;
            }
            words.insert(in_words(wild.ask(&mut rng, &method, false).await));
        }
    }
    let shallow: Vec<_> = come.iter().filter(|(_, words)| !words.iter().any(is_deep)).collect();
    assert!(shallow.len() <= SHALLOW_MAX, "{shallow:#?}");
    let parts = &wild.world.running.parts;
    Box::pin(later::all_is_due(parts, &wild.ahead)).await;
    sound(parts).await;
    let parked = parts.views.parked().await.unwrap();
    assert!(parked.is_empty(), "{parked:?}");
    wild.stop().await;
}

/// What tells how far a request came: the code that it was answered with and, where there is one, the reason.
fn in_words(refused: Option<Status>) -> String {
    let Some(status) = refused else { return "Ok".to_owned() };
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    format!("{:?} {reason}", status.code())
}
