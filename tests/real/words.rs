//! What people say and who they are is in no log line and no metric: every field of every rpc carries
//! words that are looked for afterwards.

use std::{fs::File, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use doudi_api::{identity::Claims, permission::Role, proto::FILE_DESCRIPTOR_SET};
use doudi_journal::{Position, StreamName};
use doudi_server::{
    catalogue,
    client::{Client, command_id},
    dev::keys::DevKey,
    parts::Parts,
    token,
};
use doudi_tests::{Scratch, program, program::free_address, until, world::Ground};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tokio::{process::Child, time::timeout};
use tonic::{
    Status,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};

use super::{
    metrics::{ask, series},
    raw,
    requests::{AREA, now},
};

const BOUND: Duration = Duration::from_secs(120);

/// A name, a number and a sentence that nobody else says.
const SAID: &str = "Zhaoxielou 赵泄露 13987654321";
const WORDS: [&str; 4] = ["Zhaoxielou", "赵泄露", "13987654321", "account-xielou"];

const ENTERPRISE: &str = "91210212DD0000001D";
const UNIT: &str = "power-supply";

/// A running program whose lines go to files.
struct Told {
    child: Child,
    channel: Channel,
    metrics: SocketAddr,
    folder: Scratch,
}

impl Told {
    async fn start(ground: &Ground) -> Self {
        let folder = Scratch::new("words").unwrap();
        let (listen, metrics) = (free_address(), free_address());
        let file = |name| Stdio::from(File::create(folder.path().join(name)).unwrap());
        let mut command = program::command();
        program::configure(&mut command, &ground.config, listen);
        let crates = ["api", "engine", "journal", "server", "views", "scan", "domain"];
        let levels = crates.map(|name| format!("doudi_{name}=debug")).join(",");
        command.env("DOUDI_LOG__FILTER", format!("info,{levels}"));
        command.env("DOUDI_LOG__FORMAT", "json");
        command.env("DOUDI_METRICS__LISTEN", metrics.to_string());
        let command = command.arg("all").stdout(file("out")).stderr(file("err"));
        let child = command.spawn().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{listen}")).unwrap();
        let channel = until(BOUND, || async { endpoint.connect().await.ok() }).await.unwrap();
        Self { child, channel, metrics, folder }
    }

    /// Stops it; answers with all that it said.
    async fn end(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = timeout(BOUND, self.child.wait()).await.unwrap().unwrap();
        let said = ["out", "err"].map(|name| read(&self.folder.path().join(name))).concat();
        assert!(ended.success(), "{ended}: {said}");
        said
    }

    /// Calls an rpc with one message, whether it takes or answers with one or many.
    async fn call(
        &self,
        method: &MethodDescriptor,
        token: &str,
        message: &DynamicMessage,
    ) -> Result<Vec<u8>, Status> {
        let mut request = raw::request(token, vec![message.encode_to_vec()]);
        let said = MetadataValue::from_bytes(SAID.as_bytes());
        request.metadata_mut().insert_bin("words-bin", said);
        request.set_timeout(Duration::from_secs(10));
        let mut answers = raw::ask(&self.channel, &raw::path(method), request).await?;
        if method.is_server_streaming() {
            // The head is enough: what follows of a live stream may never come.
            return Ok(Vec::new());
        }
        Ok(answers.message().await?.unwrap_or_default())
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What fields are filled with whose name says what they must hold; the words otherwise.
#[derive(Clone, Default)]
struct Known {
    appeal: Option<String>,
}

impl Known {
    fn text(&self, field: &str) -> String {
        let Some(appeal) = &self.appeal else {
            return SAID.to_owned();
        };
        match field {
            "command_id" => command_id(),
            "enterprise_id" => ENTERPRISE.to_owned(),
            "appeal_id" => appeal.clone(),
            "unit" | "to_unit" => UNIT.to_owned(),
            "topic" => "T06".to_owned(),
            "area" => AREA.to_owned(),
            "min_position" | "page_token" | "case_type" | "class" | "about_visit_id"
            | "proposed_unit" => String::new(),
            _ => SAID.to_owned(),
        }
    }

    /// A message with every field filled in, down to a bounded depth.
    fn fill(&self, message: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut filled = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let later = field.supports_presence() && field.name() == "expected_version";
            if later || field.is_map() || (self.appeal.is_some() && field.name() == "as_of") {
                continue;
            }
            let Some(value) = self.value(&field, depth) else { continue };
            let value = if field.is_list() { Value::List(vec![value]) } else { value };
            filled.set_field(&field, value);
        }
        filled
    }

    fn value(&self, field: &FieldDescriptor, depth: usize) -> Option<Value> {
        Some(match field.kind() {
            Kind::String => Value::String(self.text(field.name())),
            Kind::Bytes => Value::Bytes(SAID.as_bytes().into()),
            Kind::Bool => Value::Bool(true),
            Kind::Enum(_) => Value::EnumNumber(1),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(1),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(now().as_second()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(1),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(1),
            Kind::Float => Value::F32(1.0),
            Kind::Double => Value::F64(1.0),
            Kind::Message(_) if depth == 0 => return None,
            Kind::Message(message) => Value::Message(self.fill(&message, depth - 1)),
        })
    }
}

/// A token of an account whose name is looked for as well.
fn token_of(ground: &Ground, role: Role) -> String {
    let sub = format!("account-xielou-{role}");
    let unit = (role == Role::UnitHead).then(|| UNIT.to_owned());
    let sample = token::claims(role);
    ground.token(&Claims { sub, unit: unit.or(sample.unit.clone()), ..sample })
}

/// An appeal that is led through its life; answers with its id and the token of its holder.
async fn led(told: &Told, pool: &DescriptorPool, ground: &Ground) -> (String, String) {
    let admin = Client::new(&told.channel, &token_of(ground, Role::Admin)).unwrap();
    admin.publish(catalogue::work_calendar().unwrap()).await.unwrap();
    admin.publish(catalogue::Plan::published().unwrap().routing()).await.unwrap();
    let mut known = Known { appeal: Some(String::new()) };
    let mut refused = Vec::new();
    let mut case_token = String::new();
    let steps = [
        ("AppealService", "SubmitAppeal", Role::Enterprise),
        ("AppealService", "AcceptAppeal", Role::Dispatcher),
        ("AppealService", "DispatchAppeal", Role::Dispatcher),
        ("AppealService", "SignForAppeal", Role::UnitHead),
        ("AppealService", "RecordContact", Role::UnitHead),
        ("HandlingService", "AddNote", Role::UnitHead),
        ("HandlingService", "AskExtension", Role::UnitHead),
        ("AppealService", "ResolveAppeal", Role::UnitHead),
        ("AppealService", "ObjectToResolution", Role::Enterprise),
        ("AppealService", "ResolveAppeal", Role::UnitHead),
        ("AppealService", "RateAppeal", Role::Enterprise),
        ("AppealService", "RecordCallback", Role::Dispatcher),
    ];
    for (service, name, role) in steps {
        let service = pool.get_service_by_name(&format!("doudi.v1.{service}")).unwrap();
        let method = service.methods().find(|method| method.name() == name).unwrap();
        let request = known.fill(&method.input(), 3);
        let answer = told.call(&method, &token_of(ground, role), &request).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) => {
                refused.push((name, status));
                continue;
            }
        };
        let answer = DynamicMessage::decode(method.output(), &*answer).unwrap();
        if name == "SubmitAppeal" {
            let text =
                |field| answer.get_field_by_name(field).unwrap().as_str().unwrap().to_owned();
            (known.appeal, case_token) = (Some(text("appeal_id")), text("case_token"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    (known.appeal.unwrap(), case_token)
}

/// Records that no version of ours wrote, with words where there is no place for them.
async fn poison(told: &Told, ground: &Ground, pool: &DescriptorPool, admin: &str) {
    let parts = Parts::assemble(&ground.config).await.unwrap();
    let sound = StreamName::parse(&format!("ev.{ENTERPRISE}.profile")).unwrap();
    let service = pool.get_service_by_name("doudi.v1.EnterpriseService").unwrap();
    let register = service.methods().find(|m| m.name() == "RegisterEnterprise").unwrap();
    let request = Known { appeal: Some(String::new()) }.fill(&register.input(), 3);
    told.call(&register, admin, &request).await.unwrap();
    let records = parts.journal.load(&sound, Position::START, Position::START).await.unwrap();
    let commit: Json = serde_json::from_slice(&records[0].payload).unwrap();
    for (n, place) in ["/version", "/events/0/data/area"].into_iter().enumerate() {
        let stream = format!("ev.L-POISON-{n}.profile");
        let mut commit = commit.clone();
        commit["stream"] = stream.clone().into();
        *commit.pointer_mut(place).unwrap() = format!("{SAID}, {SAID}").into();
        let stream = StreamName::parse(&stream).unwrap();
        let payload = serde_json::to_vec(&commit).unwrap().into();
        parts.journal.append(&stream, payload, Position::START).await.unwrap();
    }
    let parked = "doudi_view_parked_streams{view=\"timeline\"}";
    let two =
        || async { series(told.metrics).await.filter(|found| found.get(parked) == Some(&2.0)) };
    until(BOUND, two).await.unwrap();
    for parked in parts.views.parked().await.unwrap() {
        assert!(WORDS.iter().all(|word| !parked.reason.contains(word)), "{parked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_and_no_metric_repeats_what_people_say_or_who_they_are() {
    let ground = Ground::start().await;
    let told = Told::start(&ground).await;
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let (appeal, case_token) = led(&told, &pool, &ground).await;
    let stranger = Scratch::new("stranger").unwrap();
    let foreign = DevKey::read_or_make(stranger.path(), "test").unwrap();
    let foreign = token::sign(&foreign, &token::claims(Role::Admin)).unwrap();
    let mut tokens: Vec<String> = Role::OF_ACCOUNTS.iter().map(|r| token_of(&ground, r)).collect();
    tokens.extend([case_token, foreign, "Zhaoxielou.13987654321.x".to_owned()]);
    poison(&told, &ground, &pool, &token_of(&ground, Role::Admin)).await;

    let mut answered = 0;
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        for known in [Known::default(), Known { appeal: Some(appeal.clone()) }] {
            for token in &tokens {
                let request = known.fill(&method.input(), 3);
                answered += usize::from(told.call(&method, token, &request).await.is_ok());
            }
        }
    }
    assert!(answered > 20, "only {answered} calls were answered");

    let page = ask(told.metrics, "GET", "/metrics").await.unwrap();
    assert!(page.contains("doudi_rpc_requests_total"), "{page}");
    let lines = told.end().await;
    assert!(lines.contains("parking a stream"), "{lines}");
    let secrets = [
        ground.config.nats.token.expose().to_owned(),
        ground.config.postgres.url.expose().to_owned(),
        read(&ground.key.master_file).trim().to_owned(),
        read(&ground.key.codes_file).trim().to_owned(),
    ];
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    let words = WORDS.map(str::to_owned).into_iter().chain(tokens).chain(secrets);
    for word in words {
        for line in lines.lines().chain(page.lines()) {
            assert!(!line.contains(&word), "{word} is in {line}");
        }
    }
    for line in lines.lines() {
        let said: Json = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for place in ["/timestamp", "/level", "/target", "/fields/message"] {
            assert!(said.pointer(place).is_some_and(Json::is_string), "no {place}: {line}");
        }
    }
}
