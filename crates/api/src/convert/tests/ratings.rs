//! Ratings of visits: what must be given, and which months are meant.

use doudi_domain::ratings::{Command, Satisfaction};
use jiff::civil::{Date, date};

use super::*;

const TODAY: Date = date(2025, 11, 28);

fn rate() -> pb::RateVisitRequest {
    pb::RateVisitRequest {
        command_id: Uuid::from_u128(7).to_string(),
        enterprise_id: "L-1".to_owned(),
        visit_id: Uuid::from_u128(8).to_string(),
        satisfaction: pb::Satisfaction::Acceptable.into(),
    }
}

#[test]
fn a_rating_names_the_visit_and_one_of_five_grades() {
    let order = rating::rate(&rate()).unwrap();
    let visit = VisitId(Uuid::from_u128(8));
    assert_eq!(order.command, Command::Rate { visit, satisfaction: Satisfaction::Acceptable });
    for (value, reason) in [(0, Reason::EnumUnspecified), (6, Reason::EnumUnknown)] {
        let request = pb::RateVisitRequest { satisfaction: value, ..rate() };
        assert_eq!(refused(rating::rate(&request)), [("satisfaction".to_owned(), reason)]);
    }
    let empty = refused(rating::rate(&Default::default()));
    let paths: Vec<&str> = empty.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["command_id", "enterprise_id", "visit_id", "satisfaction"]);
    for grade in Satisfaction::ALL {
        assert_eq!(rating::satisfaction(rating::of_satisfaction(grade)), Some(grade));
    }
}

#[test]
fn sums_are_of_the_own_unit_and_of_this_year_unless_it_is_said_otherwise() {
    let tax = UnitId::parse("tax").unwrap();
    let day = |date: Date| Some(common::of_date(date));
    let ask = |unit: &str, from, until| pb::GetUnitRatingsRequest {
        unit: unit.to_owned(),
        from,
        until,
        ..<_>::default()
    };
    for (request, unit, from, until) in [
        (ask("", None, None), "tax", date(2025, 1, 1), TODAY),
        (ask("fire", None, day(date(2024, 3, 9))), "fire", date(2024, 1, 1), date(2024, 3, 9)),
        (ask("", day(date(2023, 5, 2)), None), "tax", date(2023, 5, 2), TODAY),
    ] {
        let (query, _) = rating::sums(&request, Some(&tax), TODAY).unwrap();
        assert_eq!((query.unit.as_str(), query.from, query.until), (unit, from, until));
    }
    let nobody = refused(rating::sums(&ask("", None, None), None, TODAY));
    assert_eq!(nobody, [("unit".to_owned(), Reason::FieldRequired)]);
    let reversed = ask("", day(date(2025, 2, 1)), day(date(2025, 1, 31)));
    let reversed = refused(rating::sums(&reversed, Some(&tax), TODAY));
    assert_eq!(reversed, [("until".to_owned(), Reason::RangeReversed)]);
    let nowhere = pb::AsOf { moment: Some(pb::as_of::Moment::Position("?".to_owned())) };
    let nowhere = pb::GetUnitRatingsRequest { as_of: Some(nowhere), ..ask("", None, None) };
    let nowhere = refused(rating::sums(&nowhere, Some(&tax), TODAY));
    assert_eq!(nowhere, [("as_of.position".to_owned(), Reason::PositionInvalid)]);
}
