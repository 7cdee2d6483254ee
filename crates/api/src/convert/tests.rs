//! Each malformed field of each request: the path that is named and the reason that is given.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{convert::token::PageTokens, identity::Caller, proto::policy_document::Document};

mod appeals;
mod bad;
mod boards;
mod campaigns;
mod cases;
mod codes;
mod devices;
mod diagnoses;
mod inspections;
mod kept;
mod pages;
mod ratings;
mod sound;
mod visits;

use inspections::{catalogue, frequency};
use sound::*;

/// The paths and reasons that a conversion refuses with.
fn refused<T: std::fmt::Debug>(converted: Result<T, Failure>) -> Vec<(String, Reason)> {
    let refusal = converted.unwrap_err().refusal();
    refusal.fields().iter().map(|field| (field.field.clone(), field.reason)).collect()
}

fn tokens() -> PageTokens {
    PageTokens::new([7; 32])
}

fn seals() -> Seals {
    Seals::new(&[[7; 32]])
}

#[test]
fn sound_requests_are_taken() {
    let unit = || UnitId::parse("tax").unwrap();
    assert!(enterprise::register(&register(), true).is_ok());
    assert!(enterprise::assess(&assess()).is_ok());
    assert!(enterprise::change_area(&change_area()).is_ok());
    assert!(enterprise::classify(&inspections::classify()).is_ok());
    assert!(inspection::explain(&inspections::explain(), None).is_ok());
    assert!(inspection::plan(&plan(), unit()).is_ok());
    assert!(inspection::scan::check_in(&check_in()).is_ok());
    assert!(inspection::found::report(&report(), unit()).is_ok());
    assert!(inspection::cancel(&cancel(), unit()).is_ok());
    assert!(appeal::submit(&submit()).is_ok());
    assert!(appeal::resolve(&resolve()).is_ok());
    for document in [frequency(), routing(), calendar(), case_types(), catalogue()] {
        let order = policy::draft(&draft(document)).unwrap();
        assert_eq!(order.command.problems(), vec![]);
    }
    assert!(timeline::list(&list_timeline(), &Caller::for_tests(), &tokens()).is_ok());
    assert!(appeal::list(&Default::default(), &Caller::for_tests(), &tokens()).is_ok());
}

#[test]
fn documents_come_back_as_they_went_in() {
    for document in [frequency(), routing(), calendar(), case_types(), catalogue()] {
        let order = policy::draft(&draft(document.clone())).unwrap();
        let folded = doudi_engine::Folded::<doudi_domain::policy::Policy>::default();
        let status = doudi_domain::policy::Status::Draft;
        let answer = policy_reply::answer(1, status, Some(&order.command), &folded);
        assert_eq!(answer.document.unwrap().document.unwrap(), document);
    }
}

#[test]
fn a_wrong_check_digit_is_refused_only_when_configured() {
    let request = pb::RegisterEnterpriseRequest {
        enterprise_id: "91350211M0000XUF46".to_owned(),
        ..register()
    };
    let order = enterprise::register(&request, false).unwrap();
    let wrong = matches!(
        order.command,
        doudi_domain::enterprise::Command::Register { check_digit: CheckDigit::Wrong { .. }, .. }
    );
    assert!(wrong);
    let path = ("enterprise_id".to_owned(), Reason::CheckDigitWrong);
    assert_eq!(refused(enterprise::register(&request, true)), [path]);
}

#[test]
fn a_lone_token_gives_the_whole_refusal_its_reason() {
    let request = pb::ListTimelineRequest { page_token: "gibberish".to_owned(), ..list_timeline() };
    let listed = timeline::list(&request, &Caller::for_tests(), &tokens());
    assert_eq!(listed.unwrap_err().refusal().reason(), Reason::PageTokenInvalid);
    let request = pb::ListTimelineRequest { page_size: 501, ..request };
    let listed = timeline::list(&request, &Caller::for_tests(), &tokens());
    assert_eq!(listed.unwrap_err().refusal().reason(), Reason::RequestInvalid);
}

#[test]
fn a_list_goes_on_where_its_page_ended() {
    let caller = Caller::for_tests();
    let first = timeline::list(&list_timeline(), &caller, &tokens()).unwrap();
    let cursor = doudi_views::timeline::Cursor {
        occurred_at: "2025-04-25T08:00:00.123456Z".parse().unwrap(),
        position: doudi_engine::Position(77),
        ordinal: 3,
    };
    let page = doudi_views::timeline::Page {
        entries: vec![],
        next: Some(cursor),
        position: doudi_engine::Position(80),
    };
    let answer = timeline::page(&page, first.binding, &tokens(), 1 << 20);
    let next = pb::ListTimelineRequest {
        page_token: answer.next_page_token,
        page_size: 7,
        min_position: answer.position,
        ..list_timeline()
    };
    let list = timeline::list(&next, &caller, &tokens()).unwrap();
    assert_eq!(list.query.after, Some(cursor));
    assert_eq!((list.query.limit, list.reflect.at_least.0), (7, 80));
    let other = pb::ListTimelineRequest { enterprise_id: "L-2".to_owned(), ..next };
    let foreign = refused(timeline::list(&other, &caller, &tokens()));
    assert_eq!(foreign, [("page_token".to_owned(), Reason::PageTokenInvalid)]);
}

/// Every conversion on the same bytes; whatever they hold, nothing may panic.
fn convert_all(bytes: &[u8]) {
    fn on<M: Message + Default, T>(bytes: &[u8], convert: impl FnOnce(&M) -> T) {
        if let Ok(request) = M::decode(bytes) {
            let _ = convert(&request);
        }
    }
    let unit = || UnitId::parse("tax").unwrap();
    let caller = Caller::for_tests();
    on(bytes, |request| enterprise::register(request, true).is_ok());
    on(bytes, |request| enterprise::assess(request).is_ok());
    on(bytes, |request| enterprise::change_area(request).is_ok());
    on(bytes, |request| inspection::plan(request, unit()).is_ok());
    on(bytes, |request| inspection::scan::check_in(request).is_ok());
    on(bytes, |request| {
        inspection::scan::urgently(request, unit(), Date::constant(2025, 4, 25)).is_ok()
    });
    on(bytes, |request| inspection::scan::backfill(request, unit()).is_ok());
    on(bytes, |request| inspection::found::report(request, unit()).is_ok());
    on(bytes, |request| inspection::found::off_site(request, unit()).is_ok());
    on(bytes, |request| inspection::code::issue(request).is_ok());
    on(bytes, |request| inspection::code::admit(request).is_ok());
    on(bytes, |request| inspection::quota(request, None, Date::MIN).is_ok());
    on(bytes, |request| appeal::submit(request).is_ok());
    on(bytes, |request| appeal::dispatch(request).is_ok());
    on(bytes, |request| appeal::called_back(request).is_ok());
    on(bytes, |request| appeal::split(request).is_ok());
    on(bytes, |request| handling::ask_extension(request).is_ok());
    on(bytes, |request| handling::announced(request, 1 << 20).is_ok());
    on(bytes, |request| appeal::list(request, &caller, &tokens()).is_ok());
    on(bytes, |request| policy::draft(request).is_ok());
    on(bytes, |request| timeline::list(request, &caller, &tokens()).is_ok());
    on(bytes, |request| timeline::watch(request, caller.scope(), &seals()).is_ok());
    on(bytes, |request| timeline::feed(request, caller.scope(), &seals()).is_ok());
    on(bytes, |request| webhook::register(request, true, &seals()).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_a_conversion_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        convert_all(&bytes);
    }

    #[test]
    fn no_damaged_request_makes_a_conversion_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let sound = [
            plan().encode_to_vec(),
            report().encode_to_vec(),
            check_in().encode_to_vec(),
            visits::urgent().encode_to_vec(),
            visits::off_site().encode_to_vec(),
            codes::issue().encode_to_vec(),
            submit().encode_to_vec(),
            draft(routing()).encode_to_vec(),
            draft(frequency()).encode_to_vec(),
            draft(calendar()).encode_to_vec(),
            draft(case_types()).encode_to_vec(),
            list_timeline().encode_to_vec(),
        ];
        for mut bytes in sound {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            convert_all(&bytes);
        }
    }
}

fn draft(document: Document) -> pb::DraftPolicyRequest {
    pb::DraftPolicyRequest {
        command_id: ID.to_owned(),
        document: Some(pb::PolicyDocument { document: Some(document) }),
        expected_version: None,
    }
}
