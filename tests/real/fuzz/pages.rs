//! Page tokens and positions that nobody gave: sound ones with something else in them, and those of other lists.
//! No token leads anywhere but in the list that it was given for, for whom it was given, and none breaks anything.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_api::{
    permission::Role,
    proto::{
        AddCandidatesRequest, AddCandidatesResponse, BoardFigure, CreditGrade, DrawCandidate,
        DrawRatios, Ground, MakeDrawRequest, MakeDrawResponse, OpenDrawRequest, OpenDrawResponse,
        PlanVisitResponse, SubmitAppealResponse,
    },
};
use doudi_server::{client::command_id, token};
use fastrand::Rng;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};
use tonic::{Code, Status};

use super::{ENTERPRISE, MARKET, OTHER, Wild, story, tokens::bent};
use crate::{
    fuzz::{FOREIGN, bend, seeds},
    real::requests::{officers, plan, reason, submit},
};

/// How often every list is asked.
const ROUNDS: u64 = 60;
/// Lists that have no second page here; they are given the tokens of others alone.
const SHORT: [&str; 3] = ["ListAlerts", "ListDeadLetters", "ListStuck"];

/// What is asked by pages of one entry, or from a position on.
struct Asked {
    method: MethodDescriptor,
    request: DynamicMessage,
    /// The token of the second page; empty where there is none.
    next: String,
}

impl Asked {
    /// Asks with that text in that field.
    async fn ask(
        &self,
        wild: &mut Wild,
        rng: &mut Rng,
        caller: &str,
        (field, text): (&str, &str),
    ) -> Result<DynamicMessage, Status> {
        let mut request = self.request.clone();
        request.set_field_by_name(field, Value::String(text.to_owned()));
        let request = vec![request.encode_to_vec()];
        let answer = wild.send(rng, &self.method, caller, request).await?;
        Ok(DynamicMessage::decode(self.method.output(), &*answer).unwrap())
    }

    /// The token of the second page, once that was looked at.
    async fn second(&self, wild: &mut Wild, rng: &mut Rng, caller: &str) -> String {
        let name = self.method.name();
        let first = self.ask(wild, rng, caller, ("page_token", "")).await.expect(name);
        let next = first.get_field_by_name("next_page_token").unwrap();
        let next = next.as_str().unwrap();
        if !next.is_empty() {
            let second = self.ask(wild, rng, caller, ("page_token", next)).await.expect(name);
            let (first, second) = (entries(&first), entries(&second));
            assert!(second.is_some() && second != first, "{name}: {second:?} after {first:?}");
        }
        next.to_owned()
    }

    /// That a token leads nowhere.
    async fn refuses(&self, wild: &mut Wild, rng: &mut Rng, caller: &str, token: &str) {
        let name = self.method.name();
        let Err(status) = self.ask(wild, rng, caller, ("page_token", token)).await else {
            panic!("{name} takes {token:?}");
        };
        let told = (status.code(), reason(&status));
        let invalid = (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned());
        assert_eq!(told, invalid, "{name}: {token:?}");
    }
}

/// What stands on a page; none for nothing.
fn entries(page: &DynamicMessage) -> Option<Value> {
    let entries = page.fields().find(|(field, _)| field.is_list());
    entries.map(|(_, entries)| entries.clone())
}

/// Makes the lists longer than one entry; answers with the position after that, and with a draw.
async fn longer(wild: &mut Wild, rng: &mut Rng) -> (String, String) {
    let _: PlanVisitResponse = wild.told(rng, "PlanVisit", &[plan(OTHER, Ground::Routine)]).await;
    let open = OpenDrawRequest {
        command_id: command_id(),
        title: "双随机抽查".to_owned(),
        campaign_id: String::new(),
        ratios: Some(DrawRatios { a_percent: 5, b_percent: 20, c_percent: 50, d_percent: 100 }),
        officers: officers(),
        officers_per_visit: 2,
    };
    let opened: OpenDrawResponse = wild.told(rng, "OpenDraw", &[open]).await;
    let draw = opened.draw_id;
    let candidate = |number: u32| DrawCandidate {
        enterprise_id: format!("L-{number:05}"),
        grade: CreditGrade::D.into(),
        avoid: vec![],
    };
    let add = AddCandidatesRequest {
        command_id: command_id(),
        draw_id: draw.clone(),
        candidates: (1..4).map(candidate).collect(),
        expected_version: None,
    };
    let _: AddCandidatesResponse = wild.told(rng, "AddCandidates", &[add]).await;
    let make =
        MakeDrawRequest { command_id: command_id(), draw_id: draw.clone(), expected_version: None };
    let _: MakeDrawResponse = wild.told(rng, "MakeDraw", &[make]).await;
    // Beside the one of the story.
    let appeal = submit(ENTERPRISE, "T06", "");
    let submitted: SubmitAppealResponse = wild.told(rng, "SubmitAppeal", &[appeal]).await;
    (submitted.receipt.unwrap().position, draw)
}

/// All open appeals, as the rows behind a number.
fn open_appeals(field: &FieldDescriptor) -> Value {
    let kind = field.kind();
    let mut selection = DynamicMessage::new(kind.as_message().unwrap().clone());
    selection.set_field_by_name("figure", Value::EnumNumber(BoardFigure::OpenAppeals.into()));
    Value::Message(selection)
}

/// Every list that comes by pages.
fn lists(wild: &Wild, position: &str, draw: &str) -> Vec<Asked> {
    let webhook = wild.maker.texts("webhook_id").pop().unwrap();
    let is_list =
        |method: &&MethodDescriptor| method.input().get_field_by_name("page_token").is_some();
    let asked = |method: &MethodDescriptor| {
        let mut request = DynamicMessage::new(method.input());
        for field in method.input().fields() {
            let value = match (method.name(), field.name()) {
                (_, "page_size") => Value::U32(1),
                (_, "min_position") => Value::String(position.to_owned()),
                (_, "enterprise_id") => Value::String(ENTERPRISE.to_owned()),
                (_, "draw_id") => Value::String(draw.to_owned()),
                (_, "webhook_id") => Value::String(webhook.clone()),
                (_, "selection") => open_appeals(&field),
                ("ListUnitLedger", "unit") => Value::String(MARKET.to_owned()),
                _ => continue,
            };
            request.set_field(&field, value);
        }
        Asked { method: method.clone(), request, next: String::new() }
    };
    wild.methods.iter().filter(is_list).map(asked).collect()
}

/// Something else in a text that was given, what another list was given, or what nobody would give.
fn changed(rng: &mut Rng, given: &[String]) -> String {
    let known = rng.choice(given).unwrap();
    match rng.u8(..6) {
        0 => known.clone(),
        1 => rng.choice(FOREIGN).unwrap_or_default().to_owned(),
        2 | 3 => {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(known).unwrap();
            bend(rng, &mut bytes);
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        }
        _ => bent(rng, known),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_token_leads_anywhere_but_one_that_was_given_and_none_breaks_anything() {
    let mut wild = Wild::start().await;
    let rng = &mut Rng::with_seed(0);
    story::tell(&mut wild, rng).await;
    let (position, draw) = longer(&mut wild, rng).await;
    let mut lists = lists(&wild, &position, &draw);
    let caller = wild.tokens[0].clone();
    for list in &mut lists {
        list.next = list.second(&mut wild, rng, &caller).await;
        assert!(!list.next.is_empty() || SHORT.contains(&list.method.name()), "{:?}", list.method);
    }
    let next = lists.iter().map(|list| list.next.clone());
    let given: Vec<String> = next.filter(|next| !next.is_empty()).collect();
    for seed in seeds(ROUNDS) {
        let rng = &mut Rng::with_seed(seed);
        for list in &lists {
            let token = changed(rng, &given);
            if !token.is_empty() && token != list.next {
                list.refuses(&mut wild, rng, &caller, &token).await;
            }
        }
    }
    let other = wild.world.ground.token(&token::claims(Role::Auditor));
    for list in lists.iter().filter(|list| !list.next.is_empty()) {
        list.refuses(&mut wild, rng, &other, &list.next).await;
        list.ask(&mut wild, rng, &caller, ("page_token", &list.next)).await.unwrap();
    }
    wild.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_position_is_one_or_is_refused_and_none_breaks_anything() {
    let mut wild = Wild::start().await;
    let rng = &mut Rng::with_seed(0);
    story::tell(&mut wild, rng).await;
    let caller = wild.tokens[0].clone();
    let asked = [("ListAppeals", "min_position"), ("StreamEvents", "after_position")];
    let asked = asked.map(|(name, field)| {
        let method = wild.method(name);
        let request = DynamicMessage::new(method.input());
        (Asked { method, request, next: String::new() }, field)
    });
    // Of the feed those that stand within a commit are learnt.
    let _ = asked[1].0.ask(&mut wild, rng, &caller, (asked[1].1, "")).await;
    let given = wild.maker.texts("position");
    for seed in seeds(ROUNDS) {
        let rng = &mut Rng::with_seed(seed);
        let position = changed(rng, &given);
        for (asked, field) in &asked {
            let answer = asked.ask(&mut wild, rng, &caller, (field, &position)).await;
            let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
            // What is listened to for a moment alone may not have begun by then.
            let late = asked.method.is_server_streaming() && code == Code::DeadlineExceeded;
            let taken = late || code == Code::Ok;
            assert!(taken || code == Code::InvalidArgument, "{position:?}: {code:?}");
            assert!(taken || !given.contains(&position), "{position:?} was given");
        }
    }
    wild.stop().await;
}
