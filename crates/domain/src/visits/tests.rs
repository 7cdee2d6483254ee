//! Planning, the phases, and what the tests of visits share.

use uuid::Uuid;

use super::*;
use crate::{
    FewSet,
    catalogue::Level,
    enterprise::{self, Profile},
    frequency::{Ground, Party, Rule, Subject},
    ids::{CertificateNumber, CodeId, DeviceId, EnterpriseId, RuleId, UnitId, VisitId},
    kit::{
        World, area, at, catalogue, certificate, day, field, given, item, moment, name, names,
        policy_of, reference, unit, when,
    },
    uscc::CheckDigit,
};

mod alerts;
mod campaigns;
mod caps;
mod catalogued;
mod codes;
mod explained;
mod holds;
mod joint;
mod late;
mod off_site;
mod results;
mod scans;
mod table;
mod upcasts;
mod urgent;

/// The day on which most plans are made.
const MORNING: &str = "2025-03-03T09:00+08:00";
/// The planned day.
const ON_THE_DAY: &str = "2025-03-10T10:00+08:00";
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
        officers: officers(2),
        items: ["SC-0101", "SC-0205"].map(item).into(),
        shares: [].into(),
        ground: Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: day("2025-03-10"),
    }
}

fn by(unit_id: &str, n: u8) -> Plan {
    Plan { unit: unit(unit_id), ..plan(n) }
}

fn officers(count: usize) -> FewSet<CertificateNumber> {
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

/// What is recorded of a plan of units of the city.
pub(crate) fn planned_as(plan: Plan) -> Event {
    let units = std::iter::once(&plan.unit).chain(plan.shares.keys());
    let parties = units.map(|unit| Party { unit: unit.clone(), level: Some(Level::City) });
    let items = plan.all_shares().into_iter().flat_map(|(_, share)| share.items);
    Event::VisitPlanned {
        area: Some(area("210212")),
        policy_version: 3,
        catalogue_version: Some(11),
        co_catalogues: plan.shares.keys().map(|unit| (unit.clone(), 11)).collect(),
        parties: parties.collect(),
        fields: items.map(|item| (item, field("market"))).collect(),
        lines: [].into(),
        standings: vec![],
        plan,
    }
}

/// The market regulator's approval.
pub(crate) fn approved_by(visit: VisitId) -> Event {
    Event::VisitApproved { visit, unit: Some(unit("market-regulation")) }
}

/// What was decided without the clocks that it started.
fn clockless(found: Result<Vec<Event>, Rejection>) -> Result<Vec<Event>, Rejection> {
    let mut events = found?;
    events.retain(|event| !matches!(event, Event::ApprovalOwed { .. }));
    for event in &mut events {
        if let Event::VisitCheckedIn { tell, counts_on, .. } = event {
            (*tell, *counts_on) = (None, None);
        }
    }
    Ok(events)
}

/// A code that is good for one scan.
fn rotating(seed: &str) -> Proof {
    Proof::RotatingCode { code: CodeId(Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes())) }
}

/// A scan at the door, with a code of that instant; or one that is entered by hand afterwards.
pub(crate) fn scan(at: &str, late: bool) -> CheckIn {
    let reason = reference("停电，网络中断");
    CheckIn {
        officers: officers(2),
        occurred_at: moment(at),
        manner: if late { Manner::Backfilled { reason } } else { Manner::Live },
        proof: if late { Proof::Nothing } else { rotating(at) },
        place: None,
    }
}

fn check_in(n: u8, check_in: CheckIn) -> Command {
    Command::CheckIn { visit: visit(n), unit: plan(n).unit, check_in, improvised: None }
}

fn came(n: u8, check_in: CheckIn) -> Event {
    Event::VisitCheckedIn {
        visit: visit(n),
        check_in,
        irregularities: FewSet::new(),
        tell: None,
        counts_on: None,
    }
}

fn left(n: u8, at: &str) -> Event {
    Event::VisitCheckedOut {
        visit: visit(n),
        occurred_at: moment(at),
        irregularities: FewSet::new(),
    }
}

fn result(item_id: &str, outcome: Outcome) -> ItemResult {
    ItemResult { item: item(item_id), outcome, unmet: FewSet::new() }
}

/// Something to be rectified within a month.
fn found() -> Vec<ItemResult> {
    let by = Outcome::RectifyBy(day("2025-04-10"));
    vec![result("SC-0101", Outcome::Pass), result("SC-0205", by)]
}

/// What that device's record says that its officers did.
fn kept(counter: u64, what: impl FnOnce(Manner) -> What) -> Kept {
    let device = DeviceId(Uuid::from_u128(77));
    Kept {
        device,
        counter,
        unit: plan(1).unit,
        enterprise: EnterpriseId::parse("L-1").unwrap(),
        visit: visit(1),
        what: what(Manner::Kept { device, counter }),
        doubts: FewSet::new(),
    }
}

fn kept_in(counter: u64, at: &str) -> Kept {
    kept(counter, |manner| What::CheckedIn {
        check_in: CheckIn { manner, proof: rotating(at), ..scan(at, true) },
        improvised: None,
    })
}

fn kept_out(counter: u64, at: &str) -> Kept {
    kept(counter, |_| What::CheckedOut { occurred_at: moment(at) })
}

/// What the market regulator did with visit 1.
fn history(phase: &str) -> Vec<Event> {
    let (visit, tax) = (visit(1), by("tax", 2));
    let approved = approved_by(visit);
    let there = [approved.clone(), came(1, scan(ON_THE_DAY, false))];
    let gone = [there.to_vec(), vec![left(1, "2025-03-10T11:30+08:00")]].concat();
    let reported = || {
        let state: Visits = given(&[vec![planned(1)], gone.clone()].concat());
        let command = report(found());
        let events = when(&state, &once_a_year().at(DAY_AFTER), &command).unwrap();
        [gone.clone(), events].concat()
    };
    let (unit, item) = (plan(1).unit, item("SC-0205"));
    let events = match phase {
        "planned" => vec![],
        "approved" => vec![approved],
        "checked in" => there.to_vec(),
        "checked out" => gone,
        "reported" => reported(),
        "closed" => {
            let document = reference("告知书〔2025〕3号");
            let told = Event::EnterpriseTold { visit, document };
            let recheck = None;
            let accepted = Event::RectificationAccepted { visit, unit, item, recheck };
            [reported(), vec![told, accepted, Event::VisitClosed { visit }]].concat()
        }
        "cancelled" => {
            vec![Event::VisitCancelled { visit, reason: CancelReason::TaskWithdrawn }]
        }
        "expired" => vec![Event::VisitExpired { visit }],
        "refused" => vec![Event::VisitRefused { visit, reason: RefusalReason::TooOften }],
        "merged" => vec![
            planned_as(tax.clone()),
            Event::VisitsMerged {
                visit,
                into: tax.visit,
                party: Party { unit: plan(1).unit, level: Some(Level::City) },
                share: Share { officers: plan(1).officers, items: plan(1).items },
                fields: [].into(),
                lines: [].into(),
                approved: false,
                standings: vec![],
            },
        ],
        other => panic!("no phase {other}"),
    };
    [vec![planned(1)], events].concat()
}

fn in_phase(phase: &str) -> Visits {
    let state: Visits = given(&history(phase));
    assert_eq!(state.get(visit(1)).unwrap().phase_name(), phase);
    state
}

fn report(results: Vec<ItemResult>) -> Command {
    Command::ReportResult { visit: visit(1), unit: plan(1).unit, results }
}

fn tell() -> Command {
    let document = reference("告知书〔2025〕3号");
    Command::Tell { visit: visit(1), unit: plan(1).unit, document }
}

fn told(outcome: Result<Vec<Event>, Rejection>) -> String {
    match outcome {
        Ok(events) => names(&events),
        Err(Rejection::WrongPhase { wanted, .. }) => format!("needs {wanted}"),
        Err(Rejection::NothingToRectify { .. }) => "nothing to rectify".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

/// What was not in order with the first scan among the events.
#[track_caller]
fn irregular(events: &[Event]) -> FewSet<Irregularity> {
    let scanned = events.iter().find_map(|event| {
        let Event::VisitCheckedIn { irregularities, .. } = event else {
            return None;
        };
        Some(irregularities)
    });
    scanned.cloned().unwrap_or_else(|| panic!("nobody came: {events:?}"))
}

#[test]
fn each_event_leads_to_its_phase() {
    let world = once_a_year();
    let context = world.at("2025-03-10T15:00+08:00");
    let mut state: Visits = given(&[planned(1)]);
    let (visit, unit) = (visit(1), plan(1).unit);
    let out = moment("2025-03-10T11:00+08:00");
    let item = item("SC-0205");
    for (command, phase) in [
        (Command::Approve { visit, unit: unit.clone() }, "approved"),
        (Command::Notify { visit, unit: unit.clone() }, "approved"),
        (check_in(1, scan(ON_THE_DAY, false)), "checked in"),
        (Command::CheckOut { visit, unit: unit.clone(), occurred_at: out }, "checked out"),
        (report(found()), "reported"),
        (tell(), "reported"),
        (Command::AcceptRectification { visit, unit, item }, "closed"),
    ] {
        state = crate::kit::accepted(state, &context, &command);
        let found = state.get(visit).unwrap();
        assert_eq!(found.phase_name(), phase);
        let came = (phase != "approved").then(|| moment(ON_THE_DAY));
        assert_eq!(found.checked_in_at(), came, "{phase}");
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
        (once_a_year(), Plan { items: FewSet::new(), ..plan(1) }, Rejection::NoItems),
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
