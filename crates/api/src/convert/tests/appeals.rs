//! Requests and answers about appeals and their handling.

use doudi_domain::{
    CaseNumber,
    appeal::{Applicant, Confidentiality},
};

use super::{
    bad::check,
    sound::{ID, resolve, submit},
    *,
};
use crate::{permission::sight::Sight, sample};

#[test]
fn each_malformed_field_is_named() {
    check(
        submit,
        appeal::submit,
        &[
            (|r| r.channel = 0, "channel", Reason::EnumUnspecified),
            (|r| r.channel = 99, "channel", Reason::EnumUnknown),
            (|r| r.topic = String::new(), "topic", Reason::FieldRequired),
            (|r| r.area = String::new(), "area", Reason::FieldRequired),
            (|r| r.description = " \n".into(), "description", Reason::FieldRequired),
            (|r| r.description = "\u{200B}\n".into(), "description", Reason::FieldRequired),
            (|r| r.description = "长".repeat(4001), "description", Reason::FieldTooLong),
            (|r| r.description = "a\u{7}".into(), "description", Reason::FieldCharacter),
            (|r| r.contact = "长".repeat(201), "contact", Reason::FieldTooLong),
            (|r| r.contact = "1\u{202E}2".into(), "contact", Reason::FieldCharacter),
            (|r| r.about_visit_id = "x".into(), "about_visit_id", Reason::FieldNotUuid),
            (|r| r.case_type = "Tax".into(), "case_type", Reason::FieldCharacter),
            (|r| r.class = "Blue".into(), "class", Reason::FieldCharacter),
            (|r| r.about_level = 9, "about_level", Reason::EnumUnknown),
            (|r| r.applicant = 9, "applicant", Reason::EnumUnknown),
            (|r| r.applicant = 3, "contact", Reason::FieldNotAllowed),
            (|r| r.confidentiality = 9, "confidentiality", Reason::EnumUnknown),
            (|r| r.enterprise_id.clear(), "enterprise_id", Reason::FieldRequired),
        ],
    );
    check(
        resolve,
        appeal::resolve,
        &[
            (|r| r.appeal_id = String::new(), "appeal_id", Reason::FieldRequired),
            (|r| r.outcome = 0, "outcome", Reason::EnumUnspecified),
            (|r| r.reply = String::new(), "reply", Reason::FieldRequired),
        ],
    );
    let list = pb::ListAppealsRequest::default;
    let caller = Caller::for_tests();
    check(
        list,
        |r| appeal::list(r, &caller, &tokens()),
        &[
            (|r| r.state = 99, "state", Reason::EnumUnknown),
            (|r| r.unit = "Tax".into(), "unit", Reason::FieldCharacter),
            (|r| r.page_size = 201, "page_size", Reason::NumberRange),
            (|r| r.page_token = "x".into(), "page_token", Reason::PageTokenInvalid),
            (|r| r.min_position = "x".into(), "min_position", Reason::PositionInvalid),
            (|r| r.case_type = "Tax".into(), "case_type", Reason::FieldCharacter),
            (|r| r.guarantee = 9, "guarantee", Reason::EnumUnknown),
            (|r| r.number = "SQ25".into(), "number", Reason::CaseNumberMalformed),
            (|r| r.number = "SQ250425-7K3M9QX2-A".into(), "number", Reason::CaseNumberMistaken),
        ],
    );
}

/// The ids of a command on an appeal.
macro_rules! ids {
    ($message:ident { $($field:ident: $value:expr),* $(,)? }) => {
        || pb::$message {
            command_id: ID.to_owned(),
            enterprise_id: "L-1".to_owned(),
            appeal_id: ID.to_owned(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

#[test]
fn each_malformed_field_of_a_dispatcher_is_named() {
    check(
        ids!(RedirectAppealRequest { channel: 2, guidance: "请申请行政复议。".into() }),
        appeal::redirect,
        &[
            (|r| r.channel = 0, "channel", Reason::EnumUnspecified),
            (|r| r.guidance.clear(), "guidance", Reason::FieldRequired),
        ],
    );
    check(
        ids!(ReclassifyAppealRequest { class: "complex".into() }),
        appeal::reclassify,
        &[(|r| r.class.clear(), "class", Reason::FieldRequired)],
    );
    check(
        ids!(RecordCallbackRequest { reached: true, resolved: Some(true) }),
        appeal::called_back,
        &[
            (|r| r.reached = false, "resolved", Reason::FieldNotAllowed),
            (|r| r.note = "\u{200B}".into(), "note", Reason::FieldRequired),
        ],
    );
    check(
        ids!(MergeAppealRequest { into_appeal_id: ID.into() }),
        appeal::merge,
        &[
            (|r| r.into_appeal_id.clear(), "into_appeal_id", Reason::FieldRequired),
            (|r| r.into_appeal_id = "x".into(), "into_appeal_id", Reason::FieldNotUuid),
        ],
    );
    check(
        ids!(SplitAppealRequest {
            topic: "T06".into(),
            area: "210212".into(),
            description: "另一事项".into(),
        }),
        appeal::split,
        &[
            (|r| r.topic.clear(), "topic", Reason::FieldRequired),
            (|r| r.area.clear(), "area", Reason::FieldRequired),
            (|r| r.description.clear(), "description", Reason::FieldRequired),
        ],
    );
}

#[test]
fn each_malformed_field_of_a_unit_or_the_enterprise_is_named() {
    check(
        ids!(ContestDispatchRequest { reason: "不属本单位职责".into() }),
        appeal::contest,
        &[
            (|r| r.reason.clear(), "reason", Reason::FieldRequired),
            (|r| r.proposed_unit = "X".into(), "proposed_unit", Reason::FieldCharacter),
        ],
    );
    check(
        ids!(RateAppealRequest { rating: Some(pb::Rating::default()) }),
        appeal::rate,
        &[(|r| r.rating = None, "rating", Reason::FieldRequired)],
    );
    check(
        ids!(ReopenAppealRequest { reason: "问题再次出现".into() }),
        appeal::reopen,
        &[(|r| r.reason.clear(), "reason", Reason::FieldRequired)],
    );
    check(
        ids!(AskExtensionRequest { working_days: 5, reason: "需现场勘查".into() }),
        handling::ask_extension,
        &[
            (|r| r.working_days = 0, "working_days", Reason::NumberRange),
            (|r| r.working_days = 70_000, "working_days", Reason::NumberRange),
        ],
    );
    check(
        ids!(PauseHandlingRequest { ground: 1, reference: "通知书1号".into() }),
        handling::pause,
        &[
            (|r| r.ground = 0, "ground", Reason::EnumUnspecified),
            (|r| r.reference.clear(), "reference", Reason::FieldRequired),
        ],
    );
    check(
        ids!(RequestCoHandlingRequest { unit: "fire".into(), ask: "请协助".into() }),
        handling::co_handling,
        &[(|r| r.unit.clear(), "unit", Reason::FieldRequired)],
    );
    check(
        ids!(AnswerCoHandlingRequest { task_id: 1, answer: "已办".into() }),
        handling::answer,
        &[(|r| r.task_id = 0, "task_id", Reason::NumberRange)],
    );
    check(
        ids!(AddNoteRequest { visibility: 1, text: "已电话联系".into() }),
        handling::note,
        &[(|r| r.visibility = 0, "visibility", Reason::EnumUnspecified)],
    );
}

#[test]
fn each_malformed_field_of_a_file_is_named() {
    let file = || pb::FileDescription {
        command_id: ID.to_owned(),
        enterprise_id: "L-1".to_owned(),
        appeal_id: ID.to_owned(),
        visibility: 2,
        name: "合同.pdf".into(),
        media_type: "application/pdf".into(),
        bytes: 10,
        sha256: "aB".repeat(32),
    };
    let announced = |request: &pb::FileDescription| handling::announced(request, 100);
    check(
        file,
        announced,
        &[
            (|r| r.command_id.clear(), "description.command_id", Reason::FieldRequired),
            (|r| r.name.clear(), "description.name", Reason::FieldRequired),
            (|r| r.bytes = 0, "description.bytes", Reason::FileSize),
            (|r| r.bytes = 101, "description.bytes", Reason::FileSize),
            (|r| r.sha256 = "a".repeat(63), "description.sha256", Reason::FieldCharacter),
            (|r| r.sha256 = "g".repeat(64), "description.sha256", Reason::FieldCharacter),
            (|r| r.sha256.clear(), "description.sha256", Reason::FieldRequired),
        ],
    );
    let order = announced(&file()).unwrap();
    assert_eq!(order.command.1.sha256.as_str(), "ab".repeat(32));
}

#[test]
fn only_an_anonymous_appeal_may_leave_the_enterprise_out() {
    let anonymous = pb::SubmitAppealRequest {
        enterprise_id: String::new(),
        contact: String::new(),
        applicant: pb::Applicant::Anonymous.into(),
        ..submit()
    };
    let order = appeal::submit(&anonymous).unwrap();
    assert!(order.enterprise.as_str().starts_with("L-"), "{}", order.enterprise);
    assert_eq!(order.command.applicant, Some(Applicant::Anonymous));
    assert!(order.command.is_nameless);
    let again = appeal::submit(&anonymous).unwrap();
    assert_eq!(again.enterprise, order.enterprise, "a repetition finds the same appeal");
    let named = pb::SubmitAppealRequest { enterprise_id: "L-1".into(), ..anonymous };
    let named = appeal::submit(&named).unwrap();
    assert_eq!(named.enterprise.as_str(), "L-1", "who names one has it kept there");
    assert!(!named.command.is_nameless);
    assert_eq!(appeal::submit(&submit()).unwrap().command.applicant, None);
}

/// The sample case as it goes out, every text opened as its own nonce.
fn shown(sight: &Sight) -> pb::Appeal {
    let case = sample::case(Confidentiality::Internal);
    let sealed = appeal::sealed(&case, sight);
    let opened = sealed.iter().map(|sealed| Some(sealed.nonce.clone())).collect();
    let texts = appeal::Texts::new(&sealed, opened);
    appeal::of_case(&sample::enterprise(), sample::appeal(), &case, &texts, sight)
}

#[test]
fn who_handles_a_case_sees_all_of_it_and_the_enterprise_its_own_side() {
    let inside = shown(&Sight::Inside);
    let texts: Vec<&str> = inside.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["internal", "public"]);
    assert_eq!(inside.tasks[0].ask, "ask");
    let own = shown(&Sight::Enterprise);
    let texts: Vec<&str> = own.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["public"]);
    assert!(own.tasks.is_empty());
    assert_eq!(own.clocks.len() + 1, inside.clocks.len(), "without that of the task");
    for shown in [inside, own] {
        assert_eq!((&*shown.description, &*shown.contact), ("description", "contact"));
        assert!(!shown.erased);
        let summary = shown.summary.unwrap();
        assert!(CaseNumber::parse(&summary.number).is_ok(), "{}", summary.number);
        assert!(summary.number.starts_with("SQ250425-"), "{}", summary.number);
        assert_eq!((&*summary.unit, &*summary.rule), ("power", "topic/T06"));
        assert!(summary.due.is_some() && summary.submitted_at.is_some());
    }
}

#[test]
fn what_is_not_for_the_enterprise_is_not_even_opened_for_it() {
    let case = sample::case(Confidentiality::Internal);
    let opened = |sight: &Sight| -> Vec<String> {
        appeal::sealed(&case, sight).iter().map(|sealed| sealed.nonce.clone()).collect()
    };
    assert_eq!(opened(&Sight::Enterprise), ["description", "contact", "public"]);
    assert_eq!(opened(&Sight::Inside), ["description", "contact", "internal", "public", "ask"]);
    assert_eq!(opened(&Sight::Task(sample::unit("fire"))), ["ask"]);
    assert_eq!(opened(&Sight::Progress), [""; 0]);
}

#[test]
fn who_is_asked_for_a_part_is_shown_which_appeal_it_is_and_its_part_alone() {
    let inside = shown(&Sight::Inside);
    let all = inside.summary.unwrap();
    let part = shown(&Sight::Task(sample::unit("fire")));
    let clock: Vec<&pb::Clock> = part.clocks.iter().collect();
    assert_eq!((clock.len(), clock[0].owner.as_str()), (1, "fire"));
    let expected = pb::Appeal {
        summary: Some(pb::AppealSummary {
            appeal_id: all.appeal_id,
            enterprise_id: all.enterprise_id,
            number: all.number.clone(),
            state: all.state,
            topic: all.topic,
            area: all.area,
            ..pb::AppealSummary::default()
        }),
        clocks: part.clocks.clone(),
        tasks: inside.tasks,
        ..pb::Appeal::default()
    };
    assert_eq!(part, expected);

    let progress = shown(&Sight::Progress);
    let expected = pb::Appeal {
        summary: Some(pb::AppealSummary {
            number: all.number,
            state: all.state,
            due: all.due.clone(),
            ..pb::AppealSummary::default()
        }),
        clocks: all.due.into_iter().collect(),
        ..pb::Appeal::default()
    };
    assert_eq!(progress, expected);
}

#[test]
fn an_erased_case_shows_no_text() {
    let case = sample::case(Confidentiality::Internal);
    let texts = appeal::Texts::default();
    let (id, appeal) = (sample::enterprise(), sample::appeal());
    let shown = appeal::of_case(&id, appeal, &case, &texts, &Sight::Inside);
    assert!(shown.erased && shown.description.is_empty() && shown.notes[0].text.is_empty());
}
