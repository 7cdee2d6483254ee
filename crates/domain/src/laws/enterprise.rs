//! Credit grades under random assessments: each recorded once, the latest day holds.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};
use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;
use crate::{
    CheckDigit, Decider,
    enterprise::{Command, CreditGrade, Event, Profile},
    kit::{World, area, day, given, name, unit, when},
};

/// One assessment for each day, so that no order of the same day matters.
fn assessment(n: i32) -> Command {
    let grades = [CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D];
    let grade = grades[usize::try_from(n).unwrap() % grades.len()];
    Command::AssessCreditGrade {
        grade,
        issuer: unit("market-regulation"),
        assessed_on: on(n),
        valid_until: None,
    }
}

fn on(n: i32) -> Date {
    day("2025-01-01").saturating_add(n.days())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn each_assessment_is_recorded_once_and_the_latest_day_holds(
        order in vec(select((0..8_i32).collect::<Vec<_>>()), 1..24),
    ) {
        let mut state: Profile = given(&[Event::EnterpriseRegistered {
            name: name("大连港湾机械有限公司"),
            area: area("210212"),
            check_digit: CheckDigit::Correct,
        }]);
        let world = World::default();
        let context = world.at("2025-03-03T09:00+08:00");
        let mut recorded = 0;
        for n in &order {
            for event in when(&state, &context, &assessment(*n)).unwrap() {
                recorded += 1;
                state = state.evolve(&event);
            }
        }
        let distinct: BTreeSet<i32> = order.iter().copied().collect();
        prop_assert_eq!(recorded, distinct.len());
        let credit = state.registered().unwrap().credit.as_ref().unwrap();
        prop_assert_eq!(credit.assessed_on, on(*distinct.last().unwrap()));
    }
}
