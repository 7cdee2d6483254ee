//! Each command on a special campaign in each phase, who may approve, bounds, and what visits may refer.

use jiff::ToSpan;

use super::*;
use crate::{
    FewSet,
    enterprise::{CreditGrade, RiskClass},
    frequency::Traits,
    kit::{
        World, accepted, area, catalogue, day, item, name, names, plan_of_the_city, reference, tag,
        unit, when,
    },
};

const MONDAY: &str = "2025-03-03T09:00+08:00";

fn world() -> World {
    World {
        catalogues: vec![catalogue("market-regulation")],
        routing: Some(plan_of_the_city()),
        ..World::default()
    }
}

fn plan() -> Plan {
    Plan {
        title: name("2025年特种设备安全专项检查"),
        unit: unit("market-regulation"),
        co_units: [unit("emergency-management")].into(),
        items: [item("SC-0101"), item("SC-0205")].into(),
        areas: [area("210212")].into(),
        enterprises: Enterprises {
            grades: [CreditGrade::C, CreditGrade::D].into(),
            ..Enterprises::default()
        },
        from: day("2025-04-01"),
        until: day("2025-06-30"),
        basis: reference("大市监发〔2025〕9号"),
    }
}

fn approval() -> Approval {
    Approval {
        approver: unit("city-government"),
        capacity: Capacity::Government,
        level: Level::City,
        document: reference("大政批〔2025〕31号"),
    }
}

fn filing() -> Filing {
    Filing { with: unit("justice"), document: reference("备案回执 2025-17") }
}

fn publish() -> Command {
    Command::Publish {
        unit: unit("market-regulation"),
        document: reference("https://example.org/17"),
    }
}

fn withdraw() -> Command {
    Command::Withdraw {
        unit: unit("market-regulation"), reason: reference("大市监发〔2025〕20号")
    }
}

fn file() -> Command {
    Command::File { unit: unit("market-regulation"), filing: filing() }
}

fn in_phase(phase: &str) -> Campaign {
    let world = world();
    let context = world.at(MONDAY);
    let steps = [Command::Propose(plan()), Command::Approve(approval()), file(), publish()];
    let after = |count: usize| {
        let first = steps.iter().take(count);
        first.fold(Campaign::Absent, |state, command| accepted(state, &context, command))
    };
    match phase {
        "absent" => Campaign::Absent,
        "proposed" => after(1),
        "approved" => after(2),
        "filed" => after(3),
        "published" => after(4),
        "withdrawn" => accepted(after(4), &context, &withdraw()),
        "withdrawn early" => accepted(after(1), &context, &withdraw()),
        other => panic!("no phase {other}"),
    }
}

const PHASES: [&str; 7] =
    ["absent", "proposed", "approved", "filed", "published", "withdrawn", "withdrawn early"];

#[track_caller]
fn tells(state: &Campaign, command: &Command) -> String {
    let world = world();
    match when(state, &world.at(MONDAY), command) {
        Ok(events) => names(&events),
        Err(rejection) => rejection.to_string(),
    }
}

#[test]
fn each_step_comes_after_the_one_before_and_none_twice() {
    let told = |command: &Command| PHASES.map(|phase| tells(&in_phase(phase), command));
    let unknown = "there is no such campaign";
    assert_eq!(
        told(&Command::Propose(plan())),
        ["CampaignProposed", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing"]
    );
    let early = "the campaign is withdrawn, this needs it proposed";
    assert_eq!(
        told(&Command::Approve(approval())),
        [unknown, "CampaignApproved", "nothing", "nothing", "nothing", "nothing", early]
    );
    let [proposed, withdrawn] =
        ["proposed", "withdrawn"].map(|is| format!("the campaign is {is}, this needs it approved"));
    assert_eq!(
        told(&file()),
        [unknown, &proposed, "CampaignFiled", "nothing", "nothing", "nothing", &withdrawn]
    );
    let [proposed, approved, withdrawn] = ["proposed", "approved", "withdrawn"]
        .map(|is| format!("the campaign is {is}, this needs it filed"));
    assert_eq!(
        told(&publish()),
        [unknown, &proposed, &approved, "CampaignPublished", "nothing", "nothing", &withdrawn]
    );
    let done = "CampaignWithdrawn";
    assert_eq!(told(&withdraw()), [unknown, done, done, done, done, "nothing", "nothing"]);
}

#[test]
fn what_was_done_is_not_done_again_another_way() {
    let other = || reference("another document");
    let organiser = || unit("market-regulation");
    let published = in_phase("published");
    let plan = Plan { title: name("2025年电梯专项检查"), ..plan() };
    let approval = Approval { document: other(), ..approval() };
    let filing = Filing { document: other(), ..filing() };
    let refused = |command| when(&published, &world().at(MONDAY), &command).unwrap_err();
    assert_eq!(refused(Command::Propose(plan)), Rejection::ProposedDifferently);
    let wanted = |wanted| Rejection::WrongPhase { found: "published", wanted };
    assert_eq!(refused(Command::Approve(approval)), wanted("proposed"));
    assert_eq!(refused(Command::File { unit: organiser(), filing }), wanted("approved"));
    assert_eq!(refused(Command::Publish { unit: organiser(), document: other() }), wanted("filed"));
    let again = Command::Withdraw { unit: organiser(), reason: other() };
    assert_eq!(
        when(&in_phase("withdrawn"), &world().at(MONDAY), &again),
        Err(Rejection::WrongPhase { found: "withdrawn", wanted: "not withdrawn" })
    );
}

#[test]
fn only_the_organiser_files_publishes_and_withdraws() {
    let by = || unit("emergency-management");
    let document = || reference("a document");
    let refused = Err(Rejection::OtherUnit { organiser: unit("market-regulation") });
    let world = world();
    for (phase, command) in [
        ("approved", Command::File { unit: by(), filing: filing() }),
        ("filed", Command::Publish { unit: by(), document: document() }),
        ("published", Command::Withdraw { unit: by(), reason: document() }),
    ] {
        assert_eq!(when(&in_phase(phase), &world.at(MONDAY), &command), refused);
    }
}

#[test]
fn a_government_of_the_county_or_above_approves_or_the_organ_above() {
    use Capacity::{Government, SuperiorOrgan};
    let approved_by = |approver: &str, capacity, level| {
        let approval = Approval { approver: unit(approver), capacity, level, ..approval() };
        when(&in_phase("proposed"), &world().at(MONDAY), &Command::Approve(approval)).map(|_| ())
    };
    let not_superior = |approver| Err(Rejection::NotSuperior { approver, organiser: Level::City });
    assert_eq!(approved_by("city-government", Government, Level::City), Ok(()));
    assert_eq!(approved_by("provincial-government", Government, Level::Province), Ok(()));
    assert_eq!(approved_by("provincial-bureau", SuperiorOrgan, Level::Province), Ok(()));
    // The organiser is a bureau of the city: standing as high is not standing above it.
    let county = approved_by("county-government", Government, Level::County);
    assert_eq!(county, not_superior(Level::County));
    let beside = approved_by("finance", SuperiorOrgan, Level::City);
    assert_eq!(beside, not_superior(Level::City));
    for capacity in [Government, SuperiorOrgan] {
        let town = approved_by("town", capacity, Level::Township);
        assert_eq!(town, Err(Rejection::LevelTooLow));
        for participant in ["market-regulation", "emergency-management"] {
            let by_itself = approved_by(participant, capacity, Level::Province);
            assert_eq!(by_itself, Err(Rejection::ApprovedByParticipant(unit(participant))));
        }
    }
}

#[test]
fn the_county_s_government_approves_what_a_unit_of_its_county_organises() {
    let mut world = world();
    world.catalogues[0].level = Level::County;
    let proposed = accepted(Campaign::Absent, &world.at(MONDAY), &Command::Propose(plan()));
    let approval = Approval { level: Level::County, ..approval() };
    let events = when(&proposed, &world.at(MONDAY), &Command::Approve(approval)).unwrap();
    assert_eq!(names(&events), "CampaignApproved");
}

#[test]
fn a_unit_that_inspects_approves_as_nothing_but_what_its_catalogue_says() {
    let mut world = world();
    let bureau = crate::catalogue::Catalogue { level: Level::Province, ..catalogue("bureau") };
    world.catalogues.push(bureau);
    let approve = |capacity, level| {
        let approval = Approval { approver: unit("bureau"), capacity, level, ..approval() };
        when(&in_phase("proposed"), &world.at(MONDAY), &Command::Approve(approval)).map(|_| ())
    };
    let differs = Err(Rejection::ApproverDiffers { unit: unit("bureau"), level: Level::Province });
    assert_eq!(approve(Capacity::SuperiorOrgan, Level::Province), Ok(()));
    assert_eq!(approve(Capacity::Government, Level::Province), differs);
    assert_eq!(approve(Capacity::Government, Level::City), differs);
    assert_eq!(approve(Capacity::SuperiorOrgan, Level::Nation), differs);
}

#[test]
fn who_has_no_catalogue_organises_nothing() {
    let mut world = world();
    world.catalogues = vec![catalogue("tax")];
    let refused = when(&Campaign::Absent, &world.at(MONDAY), &Command::Propose(plan()));
    let unit = unit("market-regulation");
    assert_eq!(refused, Err(Rejection::CatalogueMissing { unit }));
}

#[test]
fn a_plan_keeps_its_bounds() {
    fn changed(change: impl FnOnce(&mut Plan)) -> Result<Vec<Event>, Rejection> {
        let mut plan = plan();
        change(&mut plan);
        when(&Campaign::Absent, &world().at(MONDAY), &Command::Propose(plan))
    }
    let items = |count: usize| (0..count).map(|n| item(&format!("SC-{n}"))).collect();
    let units = |count: usize| (0..count).map(|n| unit(&format!("unit-{n}"))).collect();
    let areas = |count: usize| (0..count).map(|n| area(&format!("{n}"))).collect();
    let until = |days: i32| day("2025-04-01") + days.days();

    assert_eq!(changed(|plan| plan.items = items(0)), Err(Rejection::ItemCount { found: 0 }));
    changed(|plan| plan.items = items(200)).unwrap();
    assert_eq!(changed(|plan| plan.items = items(201)), Err(Rejection::ItemCount { found: 201 }));
    changed(|plan| plan.co_units = units(50)).unwrap();
    let many = changed(|plan| plan.co_units = units(51));
    assert_eq!(many, Err(Rejection::CoUnitCount { found: 51 }));
    let twice = changed(|plan| plan.co_units = [plan.unit.clone()].into());
    assert_eq!(twice, Err(Rejection::OrganiserTwice(unit("market-regulation"))));
    changed(|plan| plan.areas = [].into()).unwrap();
    let many = changed(|plan| plan.areas = areas(51));
    assert_eq!(many, Err(Rejection::AreaCount { found: 51 }));
    let unknown = changed(|plan| plan.areas = [area("999999")].into());
    assert_eq!(unknown, Err(Rejection::AreaUnknown(area("999999"))));
    changed(|plan| plan.until = plan.from).unwrap();
    changed(|plan| plan.until = until(365)).unwrap();
    let from = day("2025-04-01");
    for until in [until(366), day("2025-03-31")] {
        let outside = changed(|plan| plan.until = until);
        assert_eq!(outside, Err(Rejection::PeriodOutOfBounds { from, until }));
    }
}

/// Market regulation on the 1st of May on one item, to an enterprise of grade C in the area.
fn admitted(state: &Campaign, change: impl FnOnce(&mut Visit)) -> Result<(), Unfit> {
    let mut visit = Visit {
        unit: unit("market-regulation"),
        items: [item("SC-0101")].into(),
        area: Some(area("210212")),
        traits: Traits { grade: Some(CreditGrade::C), ..Traits::default() },
        on: day("2025-05-01"),
    };
    change(&mut visit);
    state.admits(&visit.unit, &visit.items, visit.area.as_ref(), &visit.traits, visit.on)
}

struct Visit {
    unit: UnitId,
    items: FewSet<ItemId>,
    area: Option<AreaCode>,
    traits: Traits,
    on: Date,
}

#[test]
fn a_visit_refers_only_to_what_is_published() {
    for phase in PHASES {
        let state = in_phase(phase);
        let expected = match phase {
            "published" => Ok(()),
            _ => Err(Unfit::NotPublished { found: state.phase() }),
        };
        assert_eq!(admitted(&state, |_| {}), expected, "{phase}");
    }
}

#[test]
fn a_visit_lies_inside_its_campaign_in_every_respect() {
    let state = in_phase("published");
    let visit = |change: fn(&mut Visit)| admitted(&state, change);
    assert_eq!(visit(|visit| visit.unit = unit("emergency-management")), Ok(()));
    assert_eq!(visit(|visit| visit.unit = unit("tax")), Err(Unfit::OtherUnit(unit("tax"))));
    assert_eq!(visit(|visit| visit.on = day("2025-04-01")), Ok(()));
    assert_eq!(visit(|visit| visit.on = day("2025-06-30")), Ok(()));
    let (from, until) = (day("2025-04-01"), day("2025-06-30"));
    for outside in ["2025-03-31", "2025-07-01"] {
        let on = day(outside);
        let found = admitted(&state, |visit| visit.on = on);
        assert_eq!(found, Err(Unfit::DayOutside { on, from, until }));
    }
    assert_eq!(visit(|visit| visit.area = Some(area("210211"))), Err(Unfit::AreaOutside));
    assert_eq!(visit(|visit| visit.area = None), Err(Unfit::AreaOutside));
    let good = visit(|visit| visit.traits.grade = Some(CreditGrade::A));
    assert_eq!(good, Err(Unfit::EnterpriseOutside));
    assert_eq!(visit(|visit| visit.traits.grade = None), Err(Unfit::EnterpriseOutside));
    let more = visit(|visit| visit.items = [item("SC-0101"), item("SC-0999")].into());
    assert_eq!(more, Err(Unfit::ItemOutside(item("SC-0999"))));
    let all = visit(|visit| visit.items = [item("SC-0101"), item("SC-0205")].into());
    assert_eq!(all, Ok(()));
}

#[test]
fn a_campaign_for_the_whole_city_is_about_every_area_and_enterprise() {
    let everywhere = Plan { areas: [].into(), enterprises: Enterprises::default(), ..plan() };
    let world = world();
    let steps = [Command::Propose(everywhere), Command::Approve(approval()), file(), publish()];
    let state = steps
        .iter()
        .fold(Campaign::Absent, |state, command| accepted(state, &world.at(MONDAY), command));
    let unknown = admitted(&state, |visit| {
        (visit.area, visit.traits) = (None, Traits::default());
    });
    assert_eq!(unknown, Ok(()));
    let marked = admitted(&state, |visit| {
        visit.traits.risk_class = Some(RiskClass::A);
        visit.traits.tags = [tag("white-list")].into();
    });
    assert_eq!(marked, Ok(()));
}
