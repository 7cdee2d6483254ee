//! The page of an enterprise: what may be asked for, and which field is told to be wrong.

use jiff::civil::{Date, date};

use super::*;

const TODAY: Date = date(2025, 11, 28);

fn ask(entries_max: u32, as_of: Option<pb::as_of::Moment>) -> pb::GetEnterprisePageRequest {
    pb::GetEnterprisePageRequest {
        enterprise_id: "L-1".to_owned(),
        entries_max,
        as_of: as_of.map(|moment| pb::AsOf { moment: Some(moment) }),
        ..<_>::default()
    }
}

#[test]
fn a_page_is_of_today_and_as_long_as_is_asked() {
    let page = |request| supervision::page(&request, &Caller::for_tests(), TODAY);
    let (query, reflect) = page(ask(0, None)).unwrap();
    assert_eq!((query.on, query.entries_max, reflect.as_of), (TODAY, 20, None));
    assert_eq!(page(ask(200, None)).unwrap().0.entries_max, 200);
    let long = refused(page(ask(201, None)));
    assert_eq!(long, [("entries_max".to_owned(), Reason::NumberRange)]);
    let nowhere = refused(page(ask(0, Some(pb::as_of::Moment::Position("?".to_owned())))));
    assert_eq!(nowhere, [("as_of.position".to_owned(), Reason::PositionInvalid)]);
}
