//! Random policies and random commands on eight visits of three units.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{FIELDS, officers, unit_of, visit};
use crate::{
    enterprise::{CreditGrade, RiskClass},
    frequency::{
        Counting, DaysOfMonth, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule,
        Subject, Window,
    },
    kit::{day, field, item, policy_of, reference, rule, tag, unit},
    visits::{CancelReason, CheckIn, Command, ItemResult, Outcome, Plan},
};

/// One command, and by how many hours the clock moves before it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) hours: i64,
    pub(super) visit: u8,
    act: Act,
}

#[derive(Debug, Clone)]
struct Planned {
    ground: Ground,
    days_ahead: i32,
    /// 1 to 7: which of the three items.
    items: u8,
    pair: usize,
    joint: bool,
    justified: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Plan(Planned),
    Approve,
    CheckIn { pair: usize, few: bool, hours_ago: i64, offline: bool },
    CheckOut,
    Report { found: bool },
    Cancel,
    Expire,
}

fn any_planned() -> impl Strategy<Value = Planned> {
    let ground = select(vec![Ground::Routine, Ground::Random, Ground::Complaint, Ground::Urgent]);
    let days_ahead = prop_oneof![3 => 0..5_i32, 2 => 0..60_i32, 1 => 0..400_i32];
    let odd = prop_oneof![3 => Just(false), 1 => Just(true)];
    (ground, days_ahead, 1..8_u8, 0..3_usize, odd, any::<bool>()).prop_map(
        |(ground, days_ahead, items, pair, joint, justified)| Planned {
            ground,
            days_ahead,
            items,
            pair,
            joint,
            justified,
        },
    )
}

fn any_act() -> impl Strategy<Value = Act> {
    let hours_ago = prop_oneof![3 => Just(0_i64), 1 => 0..2000_i64];
    let few = prop_oneof![9 => Just(false), 1 => Just(true)];
    prop_oneof![
        6 => any_planned().prop_map(Act::Plan),
        3 => Just(Act::Approve),
        4 => (0..3_usize, few, hours_ago, any::<bool>()).prop_map(
            |(pair, few, hours_ago, offline)| Act::CheckIn { pair, few, hours_ago, offline }
        ),
        2 => Just(Act::CheckOut),
        2 => any::<bool>().prop_map(|found| Act::Report { found }),
        1 => Just(Act::Cancel),
        1 => Just(Act::Expire),
    ]
}

/// One command, or a visit planned, carried out and reported in one go.
fn any_stretch() -> impl Strategy<Value = Vec<Step>> {
    let hours = prop_oneof![3 => Just(0_i64), 3 => 0..200_i64, 1 => 0..4000_i64];
    let act = prop_oneof![
        12 => any_act().prop_map(|act| vec![act]),
        2 => (any_planned(), 0..3_usize, any::<bool>()).prop_map(|(planned, pair, found)| {
            let today = Act::Plan(Planned { days_ahead: 0, ..planned });
            let came = Act::CheckIn { pair, few: false, hours_ago: 0, offline: false };
            vec![today, Act::Approve, came, Act::CheckOut, Act::Report { found }]
        }),
    ];
    (hours, 1..9_u8, act).prop_map(|(hours, visit, acts)| {
        let step = |(at, act)| Step { hours: if at == 0 { hours } else { 0 }, visit, act };
        acts.into_iter().enumerate().map(step).collect()
    })
}

pub(super) fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    vec(any_stretch(), 1..50).prop_map(|stretches| stretches.concat())
}

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

fn plan(n: u8, planned: &Planned, today: Date) -> Plan {
    let Planned { ground, days_ahead, items, pair, joint, justified } = planned;
    let listed = FIELDS.iter().enumerate();
    let listed = listed.filter(|(at, _)| items & (1 << at) != 0);
    Plan {
        visit: visit(n),
        unit: unit_of(n),
        co_units: joint.then(|| unit("gas")).into_iter().collect(),
        officers: officers(*pair, 2),
        items: listed.map(|(_, (id, _))| item(id)).collect(),
        ground: *ground,
        evidence: Some(reference("12345-20250301-0077")),
        justification: justified.then(|| reference("大政办批〔2025〕7号")),
        on_site_reason: None,
        on: today.saturating_add(days_ahead.days()),
    }
}

/// The command of a step; a report needs the items that were planned.
pub(super) fn command(step: &Step, at: Timestamp, today: Date, known: Option<&Plan>) -> Command {
    let (visit, unit) = (visit(step.visit), unit_of(step.visit));
    match &step.act {
        Act::Plan(planned) => Command::Plan(plan(step.visit, planned, today)),
        Act::Approve => Command::Approve { visit, unit },
        Act::CheckIn { pair, few, hours_ago, offline } => {
            let occurred_at = at - SignedDuration::from_hours(*hours_ago);
            let officers = officers(*pair, if *few { 1 } else { 2 });
            Command::CheckIn {
                visit,
                unit,
                check_in: CheckIn { officers, occurred_at, offline: *offline },
            }
        }
        Act::CheckOut => Command::CheckOut { visit, unit, occurred_at: at },
        Act::Report { found } => {
            let outcome = if *found { Outcome::CaseFiled } else { Outcome::Pass };
            let items = known.into_iter().flat_map(|plan| plan.items.iter().cloned());
            let results = items.map(|item| ItemResult { item, outcome }).collect();
            Command::ReportResult { visit, unit, results }
        }
        Act::Cancel => Command::Cancel { visit, unit, reason: CancelReason::TaskWithdrawn },
        Act::Expire => Command::Expire { visit },
    }
}

/// A plan with anything wrong or missing, in a context where anything may be missing.
pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    let defects = (option::weighted(0.1, -9..600_i32), 0..9_u8, 0..9_u8);
    (1..9_u8, any_planned(), defects).prop_map(|(n, planned, (days, paper, listed))| {
        let mut plan = plan(n, &planned, day("2025-03-03"));
        if let Some(days) = days {
            plan.on = day("2025-03-03").saturating_add(days.days());
        }
        if paper == 0 {
            plan.evidence = None;
        }
        match listed {
            0 => plan.items = [item("SC-9999")].into(),
            1 => plan.items.clear(),
            2 => plan.officers = officers(0, 1),
            3 => plan.officers = officers(90, 2),
            4 => plan.unit = unit("customs"),
            _ => {}
        }
        plan
    })
}
