//! Every command in every phase, and who may give it.

use super::*;
use crate::{
    catalogue::{Item, Mode},
    clock::ClockId,
    ids::AppealId,
    kit::{and, on_site},
};

/// When what the agenda does is due.
const LONG_AFTER: &str = "2025-04-11T09:00+08:00";

fn appeal(n: u8) -> AppealId {
    AppealId(Uuid::from_u128(u128::from(n)))
}

/// A world with an item that is checked from elsewhere.
fn everywhere() -> World {
    let mut world = once_a_year();
    let off_site = Item { modes: [Mode::OffSite].into(), ..on_site("SC-0300", "market") };
    world.catalogues[0].items.push(off_site);
    world
}

fn off_site() -> OffSiteCheck {
    OffSiteCheck {
        check: visit(9),
        unit: plan(1).unit,
        occurred_at: moment(ON_THE_DAY),
        basis: reference("监测数据 2025-03"),
        results: vec![result("SC-0300", Outcome::Pass)],
    }
}

/// Every command on visit 1, in order for its unit, with the instant at which it is given.
pub(super) fn commands() -> [(&'static str, &'static str, Command); 21] {
    let (visit, unit, item) = (visit(1), plan(1).unit, item("SC-0205"));
    let by = || unit.clone();
    let (live, late) =
        (scan("2025-03-11T10:00+08:00", false), scan("2025-03-11T10:00+08:00", true));
    let occurred_at = moment("2025-03-11T12:00+08:00");
    let code = CodeId(Uuid::from_u128(4));
    let document = reference("整改报告〔2025〕1号");
    let records = vec![kept_in(3, "2025-03-11T10:00+08:00")];
    let (withdrawn, often) = (CancelReason::OfficersUnavailable, RefusalReason::TooOften);
    [
        ("plan", DAY_AFTER, Command::Plan(plan(1))),
        ("approve", DAY_AFTER, Command::Approve { visit, unit: by() }),
        ("notify", DAY_AFTER, Command::Notify { visit, unit: by() }),
        ("merge", DAY_AFTER, Command::Merge { visit, into: self::visit(2), unit: by() }),
        ("scan in", DAY_AFTER, check_in(1, live)),
        ("admit", DAY_AFTER, Command::Admit { visit, code, place: None, units: [].into() }),
        ("enter a scan", DAY_AFTER, check_in(1, late)),
        ("take in", DAY_AFTER, Command::TakeIn { records }),
        ("refuse", DAY_AFTER, Command::Refuse { visit, reason: often, shown: true }),
        ("scan out", DAY_AFTER, Command::CheckOut { visit, unit: by(), occurred_at }),
        ("report", DAY_AFTER, report(found())),
        ("tell", DAY_AFTER, tell()),
        (
            "rectify",
            DAY_AFTER,
            Command::ReportRectification { visit, item: item.clone(), document },
        ),
        (
            "accept",
            DAY_AFTER,
            Command::AcceptRectification { visit, unit: by(), item: item.clone() },
        ),
        ("cancel", DAY_AFTER, Command::Cancel { visit, unit: by(), reason: withdrawn }),
        ("expire", DAY_AFTER, Command::Expire { visit }),
        ("take steps", LONG_AFTER, Command::TakeSteps { clock: ClockId(1) }),
        ("mark overdue", LONG_AFTER, Command::MarkOverdue { visit, unit: by(), item }),
        ("hold", DAY_AFTER, Command::Hold { visit, appeal: appeal(1) }),
        ("lift a hold", DAY_AFTER, Command::LiftHold { appeal: appeal(2) }),
        ("check off site", DAY_AFTER, Command::RecordOffSite(off_site())),
    ]
}

const PHASES: [&str; 10] = [
    "planned",
    "approved",
    "checked in",
    "checked out",
    "reported",
    "closed",
    "cancelled",
    "expired",
    "refused",
    "merged",
];

/// What becomes of each command in each of the phases; `-` where nothing does.
#[rustfmt::skip]
const TABLE: [(&str, [&str; 10]); 21] = {
    let (planned, approved, ahead) = ("needs planned", "needs approved", "needs planned or approved");
    let (came, left, reported) = ("needs checked in", "needs checked out", "needs reported");
    let (none, twice) = ("nothing to rectify", "VisitCheckedIn + CapExceeded + ApprovalOwed");
    let owes = "VisitCheckedIn + ApprovalOwed";
    let unseen = "VisitUnknown(VisitId(00000000-0000-0000-0000-000000000001))";
    let (enters, aside) = ("VisitCheckedIn", "ScanSetAside");
    let (held, elsewhere) = ("VisitsHeld", "OffSiteCheckRecorded");
    [
    //                   planned           approved          checked in         checked out       reported                  closed    cancelled  expired   refused   merged
    ("plan",           ["-",              "-",              "-",               "-",              "-",                      "-",      "-",       "-",      "-",      "-"]),
    ("approve",        ["VisitApproved",  "-",              "-",               "-",              "-",                      "-",      planned,   planned,  planned,  planned]),
    ("notify",         [approved,         "VisitNotified",  approved,          approved,         approved,                 approved, approved,  approved, approved, approved]),
    ("merge",          ["VisitsMerged",   "VisitsMerged",   ahead,             ahead,            ahead,                    ahead,    ahead,     ahead,    ahead,    "-"]),
    ("scan in",        [approved,         enters,           "-",               "-",              "-",                      "-",      approved,  approved, approved, approved]),
    ("admit",          [approved,         enters,           "-",               "-",              "-",                      "-",      approved,  approved, approved, approved]),
    ("enter a scan",   [owes,             enters,           approved,          approved,         approved,                 approved, owes,      owes,     owes,     twice]),
    ("take in",        [owes,             enters,           aside,             aside,            aside,                    aside,    owes,      owes,     owes,     twice]),
    ("refuse",         ["VisitRefused",   "VisitRefused",   ahead,             ahead,            ahead,                    ahead,    ahead,     ahead,    "-",      ahead]),
    ("scan out",       [came,             came,             "VisitCheckedOut", "-",              "-",                      "-",      came,      came,     came,     came]),
    ("report",         [left,             left,             left,              "ResultReported", "-",                      "-",      left,      left,     left,     left]),
    ("tell",           [reported,         reported,         reported,          reported,         "EnterpriseTold",         "-",      reported,  reported, reported, reported]),
    ("rectify",        [unseen,           unseen,           none,              none,             "RectificationReported",  none,     unseen,    unseen,   none,     unseen]),
    ("accept",         [none,             none,             none,              none,             "RectificationAccepted",  "-",      none,      none,     none,     none]),
    ("cancel",         ["VisitCancelled", "VisitCancelled", ahead,             ahead,            ahead,                    ahead,    "-",       ahead,    ahead,    ahead]),
    ("expire",         ["VisitExpired",   "VisitExpired",   "-",               "-",              "-",                      "-",      "-",       "-",      "-",      "-"]),
    ("take steps",     ["-",              "-",              "-",               "-",              "ClockStepsTaken",        "-",      "-",       "-",      "-",      "-"]),
    ("mark overdue",   ["-",              "-",              "-",               "-",              "RectificationOverdue",   "-",      "-",       "-",      "-",      "-"]),
    ("hold",           ["-",              "-",              held,              held,             held,                     held,     "-",       "-",      held,     "-"]),
    ("lift a hold",    ["-",              "-",              "-",               "-",              "-",                      "-",      "-",       "-",      "-",      "-"]),
    ("check off site", [elsewhere,        elsewhere,        elsewhere,         elsewhere,        elsewhere,                elsewhere, elsewhere, elsewhere, elsewhere, elsewhere]),
    ]
};

#[test]
fn each_command_in_each_phase() {
    let world = everywhere();
    for ((label, at, command), (row, expected)) in commands().into_iter().zip(TABLE) {
        assert_eq!(label, row);
        for (phase, expected) in PHASES.into_iter().zip(expected) {
            let mut state = in_phase(phase);
            if phase != "merged" {
                state = and(state, &[planned_as(by("tax", 2))]);
            }
            let found = told(when(&state, &world.at(at), &command));
            let found = if found == "nothing" { "-" } else { &found };
            assert_eq!(found, expected, "{label} when {phase}");
        }
    }
}

/// The same command of another unit; none for one that is no unit's intent, or that names its own unit.
fn given_by(command: Command, unit: &UnitId) -> Option<Command> {
    let unit = unit.clone();
    match command {
        Command::Approve { visit, .. } => Some(Command::Approve { visit, unit }),
        Command::Notify { visit, .. } => Some(Command::Notify { visit, unit }),
        Command::Merge { visit, into, .. } => Some(Command::Merge { visit, into, unit }),
        Command::CheckIn { visit, check_in, improvised, .. } => {
            Some(Command::CheckIn { visit, unit, check_in, improvised })
        }
        Command::CheckOut { visit, occurred_at, .. } => {
            Some(Command::CheckOut { visit, unit, occurred_at })
        }
        Command::ReportResult { visit, results, .. } => {
            Some(Command::ReportResult { visit, unit, results })
        }
        Command::Tell { visit, document, .. } => Some(Command::Tell { visit, unit, document }),
        Command::AcceptRectification { visit, item, .. } => {
            Some(Command::AcceptRectification { visit, unit, item })
        }
        Command::Cancel { visit, reason, .. } => Some(Command::Cancel { visit, unit, reason }),
        Command::Plan(_)
        | Command::Admit { .. }
        | Command::Refuse { .. }
        | Command::TakeIn { .. }
        | Command::ReportRectification { .. }
        | Command::Expire { .. }
        | Command::TakeSteps { .. }
        | Command::MarkOverdue { .. }
        | Command::Hold { .. }
        | Command::LiftHold { .. }
        | Command::RecordOffSite(_) => None,
    }
}

#[test]
fn only_units_that_take_part_in_a_visit_may_move_it() {
    let owner = plan(1).unit;
    for (label, at, command) in commands() {
        for phase in ["approved", "reported"] {
            if let Some(command) = given_by(command.clone(), &unit("tax")) {
                let found = when(&in_phase(phase), &everywhere().at(at), &command);
                let expected = Err(Rejection::OtherUnit { owner: owner.clone() });
                assert_eq!(found, expected, "{label} when {phase}");
            }
        }
    }
}

#[test]
fn what_concerns_the_whole_visit_is_for_the_lead() {
    let share = Share { officers: officers(2), items: [item("SC-0101")].into() };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..plan(1) };
    let state: Visits = given(&[planned_as(joint)]);
    let refused = |command: &Command| {
        let found = when(&state, &everywhere().at(DAY_AFTER), command);
        found == Err(Rejection::OtherUnit { owner: plan(1).unit })
    };
    let commands = commands()
        .into_iter()
        .filter_map(|(label, _, command)| Some((label, given_by(command, &unit("tax"))?)));
    let lead: Vec<&str> =
        commands.filter(|(_, command)| refused(command)).map(|(label, _)| label).collect();
    assert_eq!(lead, ["notify", "merge", "tell"]);
}

#[test]
fn an_unknown_visit_is_told() {
    for (label, at, command) in commands() {
        if command.visit().is_some() {
            let found = when(&Visits::default(), &everywhere().at(at), &command);
            assert_eq!(found, Err(Rejection::VisitUnknown(visit(1))), "{label}");
        }
    }
}

#[test]
fn what_a_decision_reads() {
    use crate::decider::Need;
    let around = || vec![Need::Profile, Need::Frequency, Need::Calendar];
    let of_units = |units: &[&str]| {
        let catalogues = units.iter().map(|by| Need::Catalogue(unit(by)));
        around().into_iter().chain(catalogues).collect::<Vec<_>>()
    };
    for (label, _, command) in commands() {
        let expected = match label {
            "plan" | "merge" | "scan in" | "enter a scan" | "take in" => {
                of_units(&["market-regulation"])
            }
            "admit" => around(),
            "report" | "cancel" => vec![Need::Frequency, Need::Calendar],
            "take steps" => vec![Need::Calendar],
            "check off site" => vec![Need::Profile, Need::Catalogue(plan(1).unit)],
            _ => vec![],
        };
        assert_eq!(Visits::needs(&command), expected, "{label}");
    }
    let share = Share { officers: officers(2), items: [item("SC-0101")].into() };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..plan(1) };
    let both = of_units(&["market-regulation", "tax"]);
    assert_eq!(Visits::needs(&Command::Plan(joint.clone())), both);
    let (visit, unit) = (joint.visit, joint.unit.clone());
    let check_in = scan(ON_THE_DAY, false);
    let on_the_spot = Command::CheckIn { visit, unit, check_in, improvised: Some(joint) };
    assert_eq!(Visits::needs(&on_the_spot), both, "of every unit that takes part");
}
