//! Each command on visits in each phase, and every reason to refuse a plan.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::{
    catalogue::Level,
    enterprise::{self, Profile},
    frequency::{Rule, Subject},
    ids::RuleId,
    kit::{
        World, area, at, catalogue, certificate, day, field, given, item, moment, name, names,
        policy_of, unit, when,
    },
    uscc::CheckDigit,
};

mod alerts;
mod caps;
mod catalogued;
mod explained;
mod scans;
mod upcasts;

/// The day on which most plans are made.
const MORNING: &str = "2025-03-03T09:00+08:00";
/// The day after the planned one.
const DAY_AFTER: &str = "2025-03-11T14:00+08:00";

pub(crate) fn visit(n: u8) -> VisitId {
    VisitId(Uuid::from_u128(u128::from(n)))
}

/// A routine visit of the market regulator on 10 March 2025.
pub(crate) fn plan(n: u8) -> Plan {
    Plan {
        visit: visit(n),
        unit: unit("market-regulation"),
        co_units: BTreeSet::new(),
        officers: officers(2),
        items: ["SC-0101", "SC-0205"].map(item).into(),
        ground: Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        on: day("2025-03-10"),
    }
}

fn officers(count: usize) -> BTreeSet<CertificateNumber> {
    (1..=count).map(certificate).collect()
}

fn rule(id: &str, subject: Subject, maximum: u32) -> Rule {
    let exempt_grounds = [Ground::Complaint, Ground::Urgent].into();
    Rule { exempt_grounds, ..crate::kit::rule(id, subject, maximum) }
}

/// A registered enterprise under `rules`.
fn world(rules: Vec<Rule>) -> World {
    let registered = enterprise::Event::EnterpriseRegistered {
        name: name("大连旅顺船舶配件有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
    };
    World {
        profile: given::<Profile>(&[registered]),
        frequency: Some(policy_of(rules)),
        catalogues: ["market-regulation", "tax", "justice", "urban-management"]
            .map(catalogue)
            .into(),
        ..World::default()
    }
}

/// One visit a year by the same unit.
fn once_a_year() -> World {
    world(vec![rule("same-unit", Subject::SameUnit, 1)])
}

fn planned(n: u8) -> Event {
    planned_as(plan(n))
}

/// What is recorded of a plan of one unit of the city.
pub(crate) fn planned_as(plan: Plan) -> Event {
    let party = Party { unit: plan.unit.clone(), level: Some(Level::City) };
    let fields = plan.items.iter().map(|item| (item.clone(), field("market"))).collect();
    Event::VisitPlanned {
        plan,
        area: Some(area("210212")),
        policy_version: 3,
        catalogue_version: Some(11),
        parties: vec![party],
        fields,
        standings: vec![],
    }
}

fn scan(at: &str, offline: bool) -> CheckIn {
    CheckIn { officers: officers(2), occurred_at: moment(at), offline }
}

fn check_in(n: u8, check_in: CheckIn) -> Command {
    Command::CheckIn { visit: visit(n), unit: plan(n).unit, check_in }
}

fn all_pass() -> Vec<ItemResult> {
    let pass = |item| ItemResult { item, outcome: Outcome::Pass };
    plan(1).items.into_iter().map(pass).collect()
}

fn in_phase(phase: &str) -> Visits {
    let visit = visit(1);
    let came = Event::VisitCheckedIn {
        visit,
        check_in: scan("2025-03-10T10:00+08:00", false),
        irregularities: BTreeSet::new(),
    };
    let left = Event::VisitCheckedOut { visit, occurred_at: moment("2025-03-10T11:30+08:00") };
    let approved = Event::VisitApproved { visit };
    let mut events = vec![planned(1)];
    events.extend(match phase {
        "planned" => vec![],
        "approved" => vec![approved],
        "checked in" => vec![approved, came],
        "checked out" => vec![approved, came, left],
        "reported" => {
            vec![approved, came, left, Event::ResultReported { visit, results: all_pass() }]
        }
        "cancelled" => {
            vec![Event::VisitCancelled { visit, reason: CancelReason::TaskWithdrawn }]
        }
        "expired" => vec![Event::VisitExpired { visit }],
        other => panic!("no phase {other}"),
    });
    let state: Visits = given(&events);
    assert_eq!(state.get(visit).unwrap().phase_name(), phase);
    state
}

/// Every command on visit 1, in order for the unit and the day after the planned one.
fn commands() -> [(&'static str, Command); 8] {
    let (visit, unit) = (visit(1), plan(1).unit);
    [
        ("plan", Command::Plan(plan(1))),
        ("approve", Command::Approve { visit, unit: unit.clone() }),
        ("scan in", check_in(1, scan("2025-03-11T10:00+08:00", false))),
        ("hand in a scan", check_in(1, scan("2025-03-11T10:00+08:00", true))),
        (
            "scan out",
            Command::CheckOut {
                visit,
                unit: unit.clone(),
                occurred_at: moment("2025-03-11T12:00+08:00"),
            },
        ),
        ("report", Command::ReportResult { visit, unit: unit.clone(), results: all_pass() }),
        ("cancel", Command::Cancel { visit, unit, reason: CancelReason::OfficersUnavailable }),
        ("expire", Command::Expire { visit }),
    ]
}

fn told(outcome: Result<Vec<Event>, Rejection>) -> String {
    match outcome {
        Ok(events) => names(&events),
        Err(Rejection::WrongPhase { wanted, .. }) => format!("needs {wanted}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn each_command_in_each_phase() {
    let (approved, open) = ("needs approved", "needs planned or approved");
    let (came, left) = ("needs checked in", "needs checked out");
    let nothing = "nothing";
    #[rustfmt::skip]
    let table = [
        //                plan     approve          scan in           hand in a scan    scan out           report            cancel            expire
        ("planned",     [nothing, "VisitApproved", approved,         "VisitCheckedIn", came,              left,             "VisitCancelled", "VisitExpired"]),
        ("approved",    [nothing, nothing,         "VisitCheckedIn", "VisitCheckedIn", came,              left,             "VisitCancelled", "VisitExpired"]),
        ("checked in",  [nothing, nothing,         nothing,          approved,         "VisitCheckedOut", left,             open,             nothing]),
        ("checked out", [nothing, nothing,         nothing,          approved,         nothing,           "ResultReported", open,             nothing]),
        ("reported",    [nothing, nothing,         nothing,          approved,         nothing,           nothing,          open,             nothing]),
        ("cancelled",   [nothing, "needs planned", approved,         "VisitCheckedIn", came,              left,             nothing,          nothing]),
        ("expired",     [nothing, "needs planned", approved,         "VisitCheckedIn", came,              left,             open,             nothing]),
    ];
    let world = once_a_year();
    for (phase, expected) in table {
        let state = in_phase(phase);
        for ((command, asked), expected) in commands().into_iter().zip(expected) {
            let found = told(when(&state, &world.at(DAY_AFTER), &asked));
            assert_eq!(found, expected, "{command} when {phase}");
        }
    }
}

#[test]
fn each_event_leads_to_its_phase() {
    let world = once_a_year();
    let context = world.at("2025-03-10T15:00+08:00");
    let mut state: Visits = given(&[planned(1)]);
    let (visit, unit) = (visit(1), plan(1).unit);
    let out = moment("2025-03-10T11:00+08:00");
    for (command, phase) in [
        (Command::Approve { visit, unit: unit.clone() }, "approved"),
        (check_in(1, scan("2025-03-10T10:00+08:00", false)), "checked in"),
        (Command::CheckOut { visit, unit: unit.clone(), occurred_at: out }, "checked out"),
        (Command::ReportResult { visit, unit, results: all_pass() }, "reported"),
    ] {
        state = crate::kit::accepted(state, &context, &command);
        let found = state.get(visit).unwrap();
        assert_eq!(found.phase_name(), phase);
        let came = (phase != "approved").then(|| moment("2025-03-10T10:00+08:00"));
        assert_eq!(found.checked_in_at(), came, "{phase}");
    }
}

#[test]
fn only_the_unit_that_planned_a_visit_may_move_it() {
    let foreign = unit("tax");
    let owner = plan(1).unit;
    for (label, command) in commands() {
        let command = match command {
            Command::Approve { visit, .. } => Command::Approve { visit, unit: foreign.clone() },
            Command::CheckIn { visit, check_in, .. } => {
                Command::CheckIn { visit, check_in, unit: foreign.clone() }
            }
            Command::CheckOut { visit, occurred_at, .. } => {
                Command::CheckOut { visit, occurred_at, unit: foreign.clone() }
            }
            Command::ReportResult { visit, results, .. } => {
                Command::ReportResult { visit, results, unit: foreign.clone() }
            }
            Command::Cancel { visit, reason, .. } => {
                Command::Cancel { visit, reason, unit: foreign.clone() }
            }
            // A plan names its own unit, and expiry is nobody's intent.
            Command::Plan(_) | Command::Expire { .. } => continue,
        };
        let found = when(&in_phase("approved"), &once_a_year().at(DAY_AFTER), &command);
        assert_eq!(found, Err(Rejection::OtherUnit { owner: owner.clone() }), "{label}");
    }
}

#[test]
fn an_unknown_visit_is_told() {
    for (label, command) in commands() {
        if !matches!(command, Command::Plan(_)) {
            let found = when(&Visits::default(), &once_a_year().at(DAY_AFTER), &command);
            assert_eq!(found, Err(Rejection::VisitUnknown(visit(1))), "{label}");
        }
    }
}

#[test]
fn a_plan_must_be_in_order() {
    let (from, until) = (day("2025-03-03"), day("2026-04-07"));
    let out_of_range = |on| Rejection::DateOutOfRange { on, from, until };
    let unregistered = World { profile: Profile::Unregistered, ..once_a_year() };
    let unpublished = World { frequency: None, ..once_a_year() };
    let on = |text| Plan { on: day(text), ..plan(1) };
    for (world, plan, expected) in [
        (unregistered, plan(1), Rejection::EnterpriseUnregistered),
        (unpublished, plan(1), Rejection::PolicyUnpublished),
        (
            once_a_year(),
            Plan { officers: officers(1), ..plan(1) },
            Rejection::TooFewOfficers { found: 1 },
        ),
        (
            once_a_year(),
            Plan { officers: officers(0), ..plan(1) },
            Rejection::TooFewOfficers { found: 0 },
        ),
        (once_a_year(), Plan { items: BTreeSet::new(), ..plan(1) }, Rejection::NoItems),
        (once_a_year(), on("2025-03-02"), out_of_range(day("2025-03-02"))),
        (once_a_year(), on("2026-04-08"), out_of_range(day("2026-04-08"))),
    ] {
        let found = when(&Visits::default(), &world.at(MORNING), &Command::Plan(plan));
        assert_eq!(found, Err(expected));
    }
    for first_and_last in ["2025-03-03", "2026-04-07"] {
        let command = Command::Plan(on(first_and_last));
        let found = when(&Visits::default(), &once_a_year().at(MORNING), &command);
        assert!(found.is_ok(), "{first_and_last} is within bounds");
    }
}

#[test]
fn a_missing_context_is_a_refusal() {
    let context = at(MORNING);
    let found = when(&Visits::default(), &context, &Command::Plan(plan(1)));
    assert_eq!(found, Err(Rejection::EnterpriseUnregistered));
}

#[test]
fn the_same_id_with_another_plan_is_refused() {
    let other = Plan { on: day("2025-03-12"), ..plan(1) };
    for phase in ["planned", "cancelled"] {
        let command = Command::Plan(other.clone());
        let found = when(&in_phase(phase), &once_a_year().at(MORNING), &command);
        assert_eq!(found, Err(Rejection::PlannedDifferently(visit(1))), "{phase}");
    }
}

#[test]
fn a_plan_records_area_policy_version_and_standings() {
    let world = world(vec![rule("same-unit", Subject::SameUnit, 2)]);
    let command = Command::Plan(plan(2));
    let mut found = when(&in_phase("approved"), &world.at(MORNING), &command).unwrap();
    let Event::VisitPlanned { standings: recorded, .. } = &mut found[0] else {
        panic!("{found:?}");
    };
    let standings = std::mem::take(recorded);
    assert_eq!(found, [planned(2)], "area, versions, level and fields as they are");
    let [standing] = standings.as_slice() else {
        panic!("{standings:?}");
    };
    assert_eq!(standing.visits, [visit(1)], "as it stood before this visit");
    assert_eq!((standing.reserved, standing.remaining()), (1, 1));
}

#[test]
fn a_visit_expires_only_after_its_day() {
    let expire = Command::Expire { visit: visit(1) };
    let world = once_a_year();
    for phase in ["planned", "approved"] {
        for (at, expected) in [
            ("2025-03-09T12:00+08:00", Err(Rejection::NotYetExpired { on: plan(1).on })),
            ("2025-03-10T23:59:59+08:00", Err(Rejection::NotYetExpired { on: plan(1).on })),
            ("2025-03-11T00:00+08:00", Ok(vec![Event::VisitExpired { visit: visit(1) }])),
        ] {
            assert_eq!(when(&in_phase(phase), &world.at(at), &expire), expected, "{phase} {at}");
        }
    }
}
