//! Requests and answers about cases and their measures.

use doudi_domain::{
    appeal::{Action, Allowed, Rejection},
    clock::ClockKind,
};
use doudi_views::measures::RateGroup;
use jiff::Timestamp;

use super::{bad::check, sound::day, *};
use crate::permission::{self, Role, RoleSet};

const ENTERPRISE: &str = "91512081MA62K0260E";

fn now() -> Timestamp {
    "2025-04-25T02:00:00Z".parse().unwrap()
}

fn inbox() -> pb::ListInboxRequest {
    pb::ListInboxRequest {
        unit: "tax".to_owned(),
        area: "210212".to_owned(),
        kind: pb::ClockKind::Resolve.into(),
        level: pb::ClockLevel::Red.into(),
        escalation: pb::Escalation::Urge.into(),
        overdue: true,
        page_size: 200,
        ..pb::ListInboxRequest::default()
    }
}

fn list_inbox(request: &pb::ListInboxRequest) -> Result<case::Inbox, Failure> {
    case::inbox(request, &Caller::for_tests(), &tokens(), now())
}

fn list_stuck(request: &pb::ListStuckRequest) -> Result<case::Stuck, Failure> {
    case::stuck(request, &Caller::for_tests(), &tokens(), now())
}

fn rates() -> pb::GetRatesRequest {
    pb::GetRatesRequest {
        group: pb::RateGroup::Month.into(),
        from: day(2025, 1, 1),
        until: day(2025, 12, 31),
        ..pb::GetRatesRequest::default()
    }
}

fn get_rates(request: &pb::GetRatesRequest) -> Result<RateGroup, Failure> {
    case::measures::rates(request, &Caller::for_tests()).map(|(query, _)| query.group)
}

#[test]
fn sound_requests_say_what_they_say() {
    let list = list_inbox(&inbox()).unwrap();
    assert_eq!(list.query.filter.kind, Some(ClockKind::Resolve));
    assert_eq!(list.query.filter.overdue_at, Some(now()));
    assert_eq!(list.query.limit, 200);
    let any = list_inbox(&pb::ListInboxRequest::default()).unwrap();
    assert!(any.query.filter.level_at_least.is_none() && any.query.filter.overdue_at.is_none());
    let week = list_stuck(&pb::ListStuckRequest::default()).unwrap();
    assert_eq!(week.query.idle_since, "2025-04-18T02:00:00Z".parse().unwrap());
    assert_eq!(get_rates(&rates()).unwrap(), RateGroup::Month);
    let all = pb::GetRatesRequest { group: 0, until: day(2025, 1, 1), ..rates() };
    assert_eq!(get_rates(&all).unwrap(), RateGroup::All);
    let topics = pb::SuggestTopicsRequest { text: "电".to_owned(), limit: 0 };
    assert_eq!(case::topics(&topics).unwrap().1, 5);
}

#[test]
fn the_count_filters_as_the_list_does() {
    let list = list_inbox(&inbox()).unwrap();
    let pb::ListInboxRequest { unit, area, kind, level, escalation, overdue, .. } = inbox();
    let min_position = String::new();
    let request = pb::CountInboxRequest {
        unit,
        area,
        kind,
        level,
        escalation,
        overdue,
        min_position,
        as_of: None,
    };
    let (filter, _) = case::count(&request, &Caller::for_tests(), now()).unwrap();
    assert_eq!(filter, list.query.filter);
}

#[test]
fn each_malformed_field_is_named() {
    check(
        inbox,
        list_inbox,
        &[
            (|r| r.unit = "Tax".into(), "unit", Reason::FieldCharacter),
            (|r| r.area = "旅顺".into(), "area", Reason::FieldCharacter),
            (|r| r.kind = 99, "kind", Reason::EnumUnknown),
            (|r| r.level = -1, "level", Reason::EnumUnknown),
            (|r| r.escalation = 9, "escalation", Reason::EnumUnknown),
            (|r| r.page_size = 201, "page_size", Reason::NumberRange),
            (|r| r.page_token = "x".into(), "page_token", Reason::PageTokenInvalid),
            (|r| r.min_position = "x".into(), "min_position", Reason::PositionInvalid),
        ],
    );
    check(
        pb::ListStuckRequest::default,
        list_stuck,
        &[
            (|r| r.reason = 9, "reason", Reason::EnumUnknown),
            (|r| r.idle_days = 366, "idle_days", Reason::NumberRange),
            (|r| r.page_token = "x".into(), "page_token", Reason::PageTokenInvalid),
        ],
    );
    check(
        rates,
        get_rates,
        &[
            (|r| r.group = 9, "group", Reason::EnumUnknown),
            (|r| r.from = None, "from", Reason::FieldRequired),
            (|r| r.until = day(2025, 2, 30), "until", Reason::DateInvalid),
            (|r| r.until = day(2024, 12, 31), "until", Reason::RangeReversed),
            (|r| r.until = day(2030, 1, 2), "until", Reason::RangeTooLong),
            (|r| r.topic = "电".into(), "topic", Reason::FieldCharacter),
        ],
    );
    assert!(get_rates(&pb::GetRatesRequest { until: day(2030, 1, 1), ..rates() }).is_ok());
    check(
        || pb::SuggestTopicsRequest { text: "电".to_owned(), limit: 20 },
        case::topics,
        &[
            (|r| r.text.clear(), "text", Reason::FieldRequired),
            (|r| r.text = "长".repeat(4001), "text", Reason::FieldTooLong),
            (|r| r.limit = 21, "limit", Reason::NumberRange),
        ],
    );
    check(
        || pb::SuggestDuplicatesRequest {
            enterprise_id: ENTERPRISE.to_owned(),
            topic: "T06".to_owned(),
            text: "电".to_owned(),
            min_position: String::new(),
        },
        case::duplicates,
        &[
            (|r| r.enterprise_id.clear(), "enterprise_id", Reason::FieldRequired),
            (|r| r.topic.clear(), "topic", Reason::FieldRequired),
        ],
    );
    let as_of = pb::AsOf { moment: Some(Moment::Position("x".to_owned())) };
    let asked = case::asked("L-", "7", "x", Some(&as_of));
    let paths = refused(asked).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(paths, ["enterprise_id", "appeal_id", "min_position", "as_of.position"]);
}

/// Every action; a new one does not compile here until it is listed.
fn actions() -> Vec<Action> {
    use Action as A;
    let all = [
        A::Accept,
        A::Redirect,
        A::Dispatch,
        A::SignFor,
        A::RecordContact,
        A::Contest,
        A::Rule,
        A::Reclassify,
        A::AskExtension,
        A::AnswerExtension,
        A::Pause,
        A::Resume,
        A::RequestCoHandling,
        A::AnswerCoHandling,
        A::Resolve,
        A::Confirm,
        A::Object,
        A::RecordCallback,
        A::Rate,
        A::Close,
        A::Reopen,
        A::AddNote,
        A::Attach,
        A::Merge,
        A::Split,
        A::Convene,
        A::OpenMediation,
        A::EndMediation,
        A::ErasePersonalData,
    ];
    all.to_vec()
}

fn caller(roles: &[Role]) -> Caller {
    Caller { roles: RoleSet::of(roles), ..Caller::for_tests() }
}

#[test]
fn every_action_is_an_rpc_of_the_table() {
    let everybody = Caller { roles: RoleSet::ALL, ..Caller::for_tests() };
    for action in actions() {
        let shown = case::allowed::of_allowed(&everybody, &[Allowed { action, missing: None }]);
        let [shown] = &shown[..] else { panic!("{action:?} is no rpc that anybody may call") };
        assert!(shown.allowed && shown.reason.is_empty());
        assert!(permission::permission(&format!("/{}", shown.rpc)).is_some());
    }
}

#[test]
fn only_what_the_roles_may_call_is_shown() {
    let shown = |role: Role| {
        let all: Vec<Allowed> =
            actions().into_iter().map(|action| Allowed { action, missing: None }).collect();
        let shown = case::allowed::of_allowed(&caller(&[role]), &all);
        shown.into_iter().map(|action| action.rpc).collect::<Vec<_>>()
    };
    assert!(shown(Role::Auditor).is_empty());
    assert!(shown(Role::Enterprise).contains(&"doudi.v1.AppealService/RateAppeal".to_owned()));
    assert!(!shown(Role::Enterprise).contains(&"doudi.v1.AppealService/CloseAppeal".to_owned()));
    assert!(shown(Role::UnitHead).contains(&"doudi.v1.HandlingService/PauseHandling".to_owned()));
}

#[test]
fn what_stands_in_the_way_is_said_as_the_refusal_says_it() {
    let missing = Some(Rejection::OtherUnit { owner: UnitId::parse("tax").unwrap() });
    let no = Allowed { action: Action::AddNote, missing };
    let yes = Allowed { action: Action::AddNote, missing: None };
    let both = caller(&[Role::UnitHead, Role::Enterprise]);
    let shown = case::allowed::of_allowed(&both, std::slice::from_ref(&no));
    assert_eq!(shown[0].reason, "APPEAL_OTHER_UNIT");
    assert!(shown[0].text_en.contains("tax") && shown[0].text_zh.contains("tax"));
    for tried in [[no.clone(), yes.clone()], [yes, no]] {
        let shown = case::allowed::of_allowed(&both, &tried);
        assert!(shown.len() == 1 && shown[0].allowed, "one party may, so the caller may");
    }
}
