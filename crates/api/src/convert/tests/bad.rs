//! One field spoiled at a time, and all at once.

use super::*;

/// A change that spoils a request, and what must be said of it.
pub(super) type Bad<M> = (fn(&mut M), &'static str, Reason);

pub(super) fn check<M, T: std::fmt::Debug>(
    sound: impl Fn() -> M,
    convert: impl Fn(&M) -> Result<T, Failure>,
    table: &[Bad<M>],
) {
    for (spoil, path, reason) in table {
        let mut request = sound();
        spoil(&mut request);
        assert_eq!(refused(convert(&request)), [((*path).to_owned(), *reason)]);
    }
}

fn unit() -> UnitId {
    UnitId::parse("tax").unwrap()
}

#[test]
fn profiles() {
    check(
        register,
        |r| enterprise::register(r, false),
        &[
            (|r| r.command_id = String::new(), "command_id", Reason::FieldRequired),
            (|r| r.command_id = "7".into(), "command_id", Reason::FieldNotUuid),
            (|r| r.command_id = Uuid::nil().to_string(), "command_id", Reason::FieldNotUuid),
            (|r| r.enterprise_id = String::new(), "enterprise_id", Reason::FieldRequired),
            (|r| r.enterprise_id = "915".into(), "enterprise_id", Reason::EnterpriseIdMalformed),
            (|r| r.enterprise_id = "L-".into(), "enterprise_id", Reason::EnterpriseIdMalformed),
            (|r| r.name = String::new(), "name", Reason::FieldRequired),
            (|r| r.name = "长".repeat(201), "name", Reason::FieldTooLong),
            (|r| r.name = "a\u{0}".into(), "name", Reason::FieldCharacter),
            (|r| r.name = "\u{3000}\u{200B}".into(), "name", Reason::FieldRequired),
            (|r| r.name = "厂\u{202E}a".into(), "name", Reason::FieldCharacter),
            (|r| r.area = "旅顺".into(), "area", Reason::FieldCharacter),
            (|r| r.area = "1".repeat(13), "area", Reason::FieldTooLong),
        ],
    );
    check(
        assess,
        enterprise::assess,
        &[
            (|r| given(r).grade = 0, "assessment.grade", Reason::EnumUnspecified),
            (|r| given(r).grade = 9, "assessment.grade", Reason::EnumUnknown),
            (|r| given(r).issuer = "Tax".into(), "assessment.issuer", Reason::FieldCharacter),
            (|r| given(r).assessed_on = None, "assessment.assessed_on", Reason::FieldRequired),
            (
                |r| given(r).valid_until = day(2025, 2, 30),
                "assessment.valid_until",
                Reason::DateInvalid,
            ),
        ],
    );
    check(
        change_area,
        enterprise::change_area,
        &[
            (|r| r.area = String::new(), "area", Reason::FieldRequired),
            (|r| r.basis = String::new(), "basis", Reason::FieldRequired),
            (|r| r.basis = "\u{FEFF}".into(), "basis", Reason::FieldRequired),
        ],
    );
}

fn given(request: &mut pb::AssessCreditGradeRequest) -> &mut pb::CreditAssessment {
    request.assessment.as_mut().unwrap()
}

#[test]
fn timelines() {
    let caller = Caller::for_tests();
    check(
        list_timeline,
        |r| timeline::list(r, &caller, &tokens()),
        &[
            (|r| r.enterprise_id = String::new(), "enterprise_id", Reason::FieldRequired),
            (|r| r.order = 9, "order", Reason::EnumUnknown),
            (|r| r.kinds = vec![1, 0], "kinds[1]", Reason::EnumUnspecified),
            (|r| r.until = r.from, "until", Reason::RangeReversed),
            (|r| r.page_size = 501, "page_size", Reason::NumberRange),
        ],
    );
    let watch = || pb::WatchTimelineRequest { enterprise_id: "L-1".into(), ..Default::default() };
    check(
        watch,
        |r| timeline::watch(r, caller.scope(), &seals()),
        &[
            (|r| r.after_position = "1".into(), "after_position", Reason::PositionInvalid),
            (|r| r.enterprise_id = "x".into(), "enterprise_id", Reason::EnterpriseIdMalformed),
            (|r| r.unit = "Tax".into(), "unit", Reason::FieldCharacter),
            (|r| r.areas = vec!["1".into(), "1".into()], "areas[1]", Reason::ListDuplicate),
            (|r| r.kinds = vec![9], "kinds[0]", Reason::EnumUnknown),
        ],
    );
    let feed = || pb::StreamEventsRequest { areas: vec!["210212".into()], ..Default::default() };
    check(
        feed,
        |r| timeline::feed(r, caller.scope(), &seals()),
        &[
            (|r| r.after_position = "1".into(), "after_position", Reason::PositionInvalid),
            (|r| r.areas = (0..21).map(|n| n.to_string()).collect(), "areas", Reason::ListSize),
            (|r| r.kinds = vec![0], "kinds[0]", Reason::EnumUnspecified),
        ],
    );
}

fn drafted(request: &mut pb::DraftPolicyRequest) -> Option<&mut Document> {
    request.document.as_mut()?.document.as_mut()
}

fn rule(request: &mut pb::DraftPolicyRequest) -> &mut pb::FrequencyRule {
    let Some(Document::Frequency(policy)) = drafted(request) else { panic!("no policy") };
    &mut policy.rules[0]
}

fn table(request: &mut pb::DraftPolicyRequest) -> &mut pb::RoutingTable {
    let Some(Document::Routing(table)) = drafted(request) else { panic!("no routing table") };
    table
}

fn dates(request: &mut pb::DraftPolicyRequest) -> &mut pb::WorkCalendar {
    let Some(Document::Calendar(calendar)) = drafted(request) else { panic!("no calendar") };
    calendar
}

fn case_type(request: &mut pb::DraftPolicyRequest) -> &mut pb::CaseType {
    let Some(Document::CaseTypes(types)) = drafted(request) else { panic!("no case types") };
    &mut types.types[1]
}

#[test]
fn documents() {
    check(
        || draft(frequency()),
        policy::draft,
        &[
            (|r| r.document = None, "document", Reason::FieldRequired),
            (|r| rule(r).window = 0, "document.frequency.rules[0].window", Reason::EnumUnspecified),
            (
                |r| rule(r).exempt_grounds[1] = 77,
                "document.frequency.rules[0].exempt_grounds[1]",
                Reason::EnumUnknown,
            ),
            (
                |r| rule(r).valid_from = None,
                "document.frequency.rules[0].valid_from",
                Reason::FieldRequired,
            ),
        ],
    );
    check(
        || draft(routing()),
        policy::draft,
        &[
            (|r| table(r).units.clear(), "document.routing.units", Reason::ListSize),
            (
                |r| table(r).topics[0].co_units[0] = "X".into(),
                "document.routing.topics[0].co_units[0]",
                Reason::FieldCharacter,
            ),
            (
                |r| table(r).topics[0].keywords.push(" ".into()),
                "document.routing.topics[0].keywords[1]",
                Reason::FieldRequired,
            ),
            (
                |r| table(r).units[2].successor = "X".into(),
                "document.routing.units[2].successor",
                Reason::FieldCharacter,
            ),
            (
                |r| table(r).guarantee = "X".into(),
                "document.routing.guarantee",
                Reason::FieldCharacter,
            ),
            (
                |r| table(r).standing[0].diagnosis_id.clear(),
                "document.routing.standing[0].diagnosis_id",
                Reason::FieldRequired,
            ),
        ],
    );
    let publish = || pb::PublishPolicyRequest {
        command_id: ID.into(),
        name: pb::PolicyName::Routing.into(),
        document_version: 1,
        expected_version: None,
        unit: String::new(),
    };
    check(
        publish,
        policy::publish,
        &[
            (|r| r.name = 0, "name", Reason::EnumUnspecified),
            (|r| r.document_version = 0, "document_version", Reason::NumberRange),
            (|r| r.unit = "tax".into(), "unit", Reason::FieldNotAllowed),
            (|r| r.name = pb::PolicyName::Catalogue.into(), "unit", Reason::FieldRequired),
        ],
    );
}

#[test]
fn calendars_and_case_types() {
    check(
        || draft(calendar()),
        policy::draft,
        &[
            (
                |r| dates(r).hours[1].to = None,
                "document.calendar.hours[1].to",
                Reason::FieldRequired,
            ),
            (
                |r| dates(r).hours[0].from.as_mut().unwrap().hour = 24,
                "document.calendar.hours[0].from.hour",
                Reason::NumberRange,
            ),
            (
                |r| dates(r).exceptions[0].hours[0].to.as_mut().unwrap().minute = -1,
                "document.calendar.exceptions[0].hours[0].to.minute",
                Reason::NumberRange,
            ),
        ],
    );
    check(
        || draft(case_types()),
        policy::draft,
        &[
            (|r| case_type(r).id.clear(), "document.case_types.types[1].id", Reason::FieldRequired),
            (
                |r| case_type(r).classes[2].resolve_working_days = 251,
                "document.case_types.types[1].classes[2].resolve_working_days",
                Reason::NumberRange,
            ),
            (
                |r| case_type(r).allowances = None,
                "document.case_types.types[1].allowances",
                Reason::FieldRequired,
            ),
            (
                |r| case_type(r).allowances.as_mut().unwrap().opinion_working_days = 251,
                "document.case_types.types[1].allowances.opinion_working_days",
                Reason::NumberRange,
            ),
            (
                |r| case_type(r).warnings.as_mut().unwrap().yellow_percent = 101,
                "document.case_types.types[1].warnings.yellow_percent",
                Reason::NumberRange,
            ),
            (
                |r| case_type(r).ladder[0].escalation = 0,
                "document.case_types.types[1].ladder[0].escalation",
                Reason::EnumUnspecified,
            ),
            (
                |r| case_type(r).bounds.as_mut().unwrap().reopen_days = 3651,
                "document.case_types.types[1].bounds.reopen_days",
                Reason::NumberRange,
            ),
            (
                |r| case_type(r).competences[0].about = 9,
                "document.case_types.types[1].competences[0].about",
                Reason::EnumUnknown,
            ),
        ],
    );
}

#[test]
fn an_empty_request_is_told_everything_that_it_lacks() {
    let found = refused(inspection::plan(&pb::PlanVisitRequest::default(), unit()));
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["command_id", "enterprise_id", "officers", "items", "ground", "planned_on"]);
    let found = refused(appeal::submit(&pb::SubmitAppealRequest::default()));
    assert_eq!(found.len(), 6, "{found:?}");
    let found = refused(enterprise::assess(&pb::AssessCreditGradeRequest::default()));
    assert_eq!(found.len(), 5, "{found:?}");
}
