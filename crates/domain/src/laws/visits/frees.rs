//! A place frees on the first day on which a visit fits, found by trying one day after the other.

use jiff::{ToSpan, civil::Date};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    cases,
    oracle::{applies, together},
    visit,
};
use crate::{
    frequency::{DaysOfMonth, Entry, Ground, Held, Rule, Subject, Traits, Window, assess},
    kit::{day, policy_of, rule},
};

/// How many days are tried.
const TRIED: i32 = 800;

fn entry(n: u8, on: Date) -> Entry {
    Entry {
        visit: visit(n),
        parties: vec![crate::frequency::Party { unit: super::unit_of(n), level: None }],
        items: [(crate::kit::item("SC-0101"), None)].into(),
        officers: [].into(),
        ground: Ground::Routine,
        on,
        held: Held::Reserved,
        finding: None,
    }
}

/// How many of the days count in the fullest window with `on`.
fn fullest(rule: &Rule, days: &[Date], on: Date) -> usize {
    let within = |from: Date, until: Date| {
        let there = days.iter().filter(|day| from <= **day && **day <= until);
        there.filter(|day| applies(rule, **day)).count()
    };
    if let Window::Rolling(length) = rule.window {
        let firsts = (0..i32::from(length)).map(|back| on.saturating_sub(back.days()));
        let last = |first: Date| first.saturating_add((i32::from(length) - 1).days());
        return firsts.map(|first| within(first, last(first))).max().unwrap();
    }
    let there = days.iter().filter(|day| together(rule.window, **day, on));
    there.filter(|day| applies(rule, **day)).count()
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let window = prop_oneof![
        1 => Just(Window::CalendarYear),
        1 => Just(Window::CalendarMonth),
        1 => Just(Window::IsoWeek),
        1 => Just(Window::Day),
        4 => (1..40_u16).prop_map(Window::Rolling),
    ];
    let of_month = option::weighted(0.3, (1..20_i8, 0..12_i8));
    let until = select(vec![None, None, Some("2025-04-20"), Some("2025-12-31")]);
    (window, 0..4_u32, of_month, until).prop_map(|(window, maximum, of_month, until)| Rule {
        window,
        days_of_month: of_month.map(|(from, more)| DaysOfMonth { from, until: from + more }),
        valid_until: until.map(day),
        ..rule("rule", Subject::AllUnits, maximum)
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_place_frees_on_the_first_day_on_which_a_visit_fits(
        rule in any_rule(), days in vec(0..90_i32, 0..9), on in 0..90_i32,
    ) {
        let first = day("2025-02-20");
        let on = first.saturating_add(on.days());
        let days: Vec<Date> = days.into_iter().map(|n| first.saturating_add(n.days())).collect();
        let entries: Vec<Entry> = (1_u8..).zip(&days).map(|(n, on)| entry(n, *on)).collect();
        let most = usize::try_from(rule.maximum).unwrap();
        let fits = |on: Date| !applies(&rule, on) || fullest(&rule, &days, on) < most;
        let policy = policy_of(vec![rule.clone()]);
        let found = assess(&policy, &Traits::default(), &entries, &entry(99, on));
        let frees_on = found.standings.first().and_then(|standing| standing.frees_on);
        let expected = if fits(on) {
            None
        } else {
            (1..TRIED).map(|ahead| on.saturating_add(ahead.days())).find(|day| fits(*day))
        };
        prop_assert_eq!(frees_on, expected, "beside {:?}", days);
    }
}
