//! Random policies about the items, units and enterprise of these laws.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    enterprise::{CreditGrade, RiskClass},
    frequency::{
        Counting, DaysOfMonth, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule,
        Subject, Window,
    },
    kit::{day, field, item, policy_of, rule, tag},
};

fn any_window() -> impl Strategy<Value = Window> {
    prop_oneof![
        2 => Just(Window::CalendarYear),
        1 => Just(Window::CalendarMonth),
        1 => Just(Window::IsoWeek),
        1 => Just(Window::Day),
        3 => (1..60_u16).prop_map(Window::Rolling),
    ]
}

fn any_enterprises() -> impl Strategy<Value = Enterprises> {
    let any = Enterprises::default;
    select(vec![
        any(),
        any(),
        Enterprises { grades: [CreditGrade::A].into(), ..any() },
        Enterprises { grades: [CreditGrade::B].into(), ..any() },
        Enterprises { risk_classes: [RiskClass::B, RiskClass::C].into(), ..any() },
        Enterprises { tags: [tag("port"), tag("coal-mine")].into(), ..any() },
        Enterprises { tags: [tag("coal-mine")].into(), ..any() },
    ])
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let subject = select(vec![
        Subject::SameUnit,
        Subject::SameLevel,
        Subject::AllUnits,
        Subject::SameField,
        Subject::SameItem,
        Subject::SameOfficer,
    ]);
    let exempt =
        select(vec![vec![], vec![Ground::Complaint], vec![Ground::Complaint, Ground::Urgent]]);
    let grounds = select(vec![vec![], vec![], vec![Ground::Routine, Ground::Urgent]]);
    let from = select(vec!["2019-01-01", "2025-03-10", "2025-04-01"]);
    let until = select(vec![None, Some("2025-05-15"), Some("2026-01-31")]);
    let of_month =
        prop_oneof![3 => Just(None), 1 => Just(Some(DaysOfMonth { from: 5, until: 20 }))];
    let matters =
        select(vec![(None, None), (None, None), (Some("SC-0101"), None), (None, Some("fire"))]);
    let effect = prop_oneof![
        4 => Just(OnExceeding::Refuse),
        1 => Just(OnExceeding::NeedsApproval),
        1 => Just(OnExceeding::NeedsExplanation),
        1 => Just(OnExceeding::Warn),
    ];
    let maximum = prop_oneof![1 => Just(0_u32), 6 => 1..4_u32];
    let counting = select(vec![Counting::All, Counting::WithoutFinding]);
    let how = (effect, select(vec![Joint::Once, Joint::OncePerUnit]), counting);
    let what = (subject, any_window(), maximum, any_enterprises(), matters);
    let when = (from, until, of_month);
    (what, exempt, grounds, when, how).prop_map(|(what, exempt, grounds, when, how)| {
        let (subject, window, maximum, enterprises, (only_item, only_field)) = what;
        let (from, until, days_of_month) = when;
        let (on_exceeding, joint, counting) = how;
        Rule {
            enterprises,
            window,
            days_of_month,
            items: only_item.map(item).into_iter().collect(),
            fields: only_field.map(field).into_iter().collect(),
            grounds: grounds.into_iter().collect(),
            exempt_grounds: exempt.into_iter().collect(),
            counting,
            joint,
            on_exceeding,
            valid_from: day(from),
            valid_until: until.map(day),
            ..rule("rule", subject, maximum)
        }
    })
}

pub(super) fn any_policy() -> impl Strategy<Value = FrequencyPolicy> {
    vec(any_rule(), 1..5).prop_map(|rules| {
        let named = rules.into_iter().enumerate();
        let named = named.map(|(n, given)| {
            let id = rule(&format!("rule-{n}"), given.subject, 1).id;
            Rule { id, ..given }
        });
        policy_of(named.collect())
    })
}
