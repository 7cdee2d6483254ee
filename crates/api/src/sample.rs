//! A case for tests: dispatched to `power`, with `water` as co-unit, a task of `fire`, an internal and
//! a public note.

use doudi_domain::{
    AppealId, AreaCode, CaseNumber, Context, Decider, EnterpriseId, NoteId, Published, Sealed,
    TopicId, UnitId,
    appeal::{Appeal, Case, Channel, Command, Confidentiality, Note, Submission, Visibility},
    calendar::{Calendar, civil_date},
    cases::CaseTypes,
    clock::Clock,
    routing::RoutingTable,
};
use doudi_engine::Position;
use doudi_views::{appeals, inbox};
use uuid::Uuid;

pub(crate) const AREA: &str = "210212";

pub(crate) fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub(crate) fn enterprise() -> EnterpriseId {
    EnterpriseId::parse("L-1").unwrap()
}

pub(crate) fn appeal() -> AppealId {
    AppealId(Uuid::from_u128(0x0198_c0de))
}

/// A text that was sealed under a nonce of its own.
pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed {
        subject: "appeal:1".to_owned(),
        algorithm: "aes-256-gcm".to_owned(),
        nonce: text.to_owned(),
        ciphertext: text.to_owned(),
    }
}

fn routing() -> RoutingTable {
    let unit = |id: &str| serde_json::json!({ "id": id, "name": "单位" });
    let topic = serde_json::json!({
        "id": "T06", "title": "用电", "lead": "power", "co_units": ["water"],
    });
    serde_json::from_value(serde_json::json!({
        "units": [unit("power"), unit("water"), unit("fire"), unit("desk")],
        "areas": [{ "code": AREA, "name": "旅顺口区", "desk": "desk" }],
        "topics": [topic], "city_desk": "desk",
    }))
    .unwrap()
}

fn submission(confidentiality: Confidentiality) -> Submission {
    Submission {
        contact: Some(sealed("contact")),
        confidentiality,
        ..Submission::new(
            Channel::Web,
            TopicId::parse("T06").unwrap(),
            AreaCode::parse(AREA).unwrap(),
            sealed("description"),
        )
    }
}

/// What is asked of the case until it is as said above.
fn commands(confidentiality: Confidentiality) -> Vec<Command> {
    let note = |id, visibility, text| {
        let id = NoteId(Uuid::from_u128(id));
        Command::AddNote(Note { id, unit: Some(unit("power")), visibility, text: sealed(text) })
    };
    let ask = sealed("ask");
    vec![
        Command::Submit(submission(confidentiality)),
        Command::Accept,
        Command::Dispatch { to: None },
        Command::SignFor { unit: unit("power") },
        Command::RequestCoHandling { unit: unit("power"), of: unit("fire"), ask },
        note(1, Visibility::Internal, "internal"),
        note(2, Visibility::Public, "public"),
    ]
}

/// The case, of that level.
pub(crate) fn case(confidentiality: Confidentiality) -> Case {
    let text = include_str!("../../../deploy/catalogue/case_types.json");
    let cases: CaseTypes = serde_json::from_str(text).unwrap();
    let (calendar, table) = (Calendar::default(), routing());
    let context = Context {
        routing: Some(Published { version: 1, document: &table }),
        ..Context::at(
            "2025-04-25T01:00:00Z".parse().unwrap(),
            Published { version: 0, document: &cases },
            Published { version: 0, document: &calendar },
        )
    };
    let appeal = commands(confidentiality).iter().fold(Appeal::default(), |appeal, command| {
        appeal.decide(&context, command).unwrap().iter().fold(appeal, Appeal::evolve)
    });
    appeal.known().unwrap().clone()
}

/// A clock of the case as it stands in an inbox.
pub(crate) fn entry(case: &Case, clock: &Clock) -> inbox::Entry {
    let route = case.phase.route().unwrap();
    let tasks = case.tasks.values().map(|task| &task.unit);
    let row = appeals::Row {
        enterprise: enterprise(),
        appeal: appeal(),
        number: CaseNumber::of(appeal(), civil_date(case.submitted_at())),
        state: case.phase.name(),
        channel: case.submission.channel,
        case_type: case.terms.case_type.id.clone(),
        class: case.class().map(|class| class.id.clone()),
        topic: case.submission.topic.clone(),
        area: case.submission.area.clone(),
        confidentiality: case.submission.confidentiality,
        unit: Some(route.unit.clone()),
        co_units: route.co_units.clone(),
        beside: route.co_units.iter().chain(tasks).cloned().collect(),
        rule: Some(route.rule.clone()),
        due: case.due().cloned(),
        objections: 0,
        bounces: 0,
        guarantee: None,
        merged_into: None,
        about_visit: None,
        submitted_at: case.submitted_at(),
        closed_at: None,
        last_moved: case.submitted_at(),
        suspected_false_closure: false,
        submitted: Position(1),
        updated: Position(7),
    };
    let (enterprise, appeal) = (enterprise(), appeal());
    let (clock, lead, beside) = (clock.clone(), row.unit.clone(), row.beside.clone());
    inbox::Entry { enterprise, appeal, diagnosis: None, clock, row, lead, beside }
}
