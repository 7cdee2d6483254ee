//! Checks from elsewhere (非现场检查): recorded, and counted nowhere.

use super::*;
use crate::{
    catalogue::{Item, Mode, Qualification},
    kit::{accepted, on_site},
};

/// One visit a year by all units together, and an item that is also checked from elsewhere.
fn elsewhere() -> World {
    let mut world = world(vec![rule("all", Subject::AllUnits, 1)]);
    let modes = [Mode::OnSite, Mode::OffSite].into();
    let checklist = vec![name("能耗数据")];
    world.catalogues[0].items[1] = Item { modes, checklist, ..on_site("SC-0205", "market") };
    world
}

fn check(n: u8) -> OffSiteCheck {
    OffSiteCheck {
        check: visit(n),
        unit: plan(1).unit,
        occurred_at: moment(ON_THE_DAY),
        basis: reference("监测数据 2025-03"),
        results: vec![result("SC-0205", Outcome::Pass)],
    }
}

fn record(world: &World, check: OffSiteCheck) -> Result<Vec<Event>, Rejection> {
    when(&Visits::default(), &world.at(DAY_AFTER), &Command::RecordOffSite(check))
}

#[test]
fn a_check_from_elsewhere_is_recorded_and_counts_nowhere() {
    let recorded = Event::OffSiteCheckRecorded { check: check(1), area: Some(area("210212")) };
    assert_eq!(record(&elsewhere(), check(1)), Ok(vec![recorded]));
    let (world, mut state) = (elsewhere(), Visits::default());
    for n in 1..5 {
        state = accepted(state, &world.at(DAY_AFTER), &Command::RecordOffSite(check(n)));
    }
    assert_eq!(state.all().count(), 0);
    let on_site_reason = Some(reference("需现场核对设备铭牌"));
    let visit = Plan { on_site_reason, ..plan(9) };
    assert!(when(&state, &world.at(MORNING), &Command::Plan(visit)).is_ok());
}

#[test]
fn only_what_the_units_catalogue_has_is_checked_and_so() {
    let with = |results| OffSiteCheck { results, ..check(1) };
    let of = |id: &str| with(vec![result(id, Outcome::Pass)]);
    let unmet = |lines: &[u16]| {
        let unmet = lines.iter().copied().collect();
        with(vec![ItemResult { unmet, ..result("SC-0205", Outcome::CaseFiled) }])
    };
    let by_fire = OffSiteCheck { unit: unit("fire"), ..check(1) };
    let future = OffSiteCheck { occurred_at: moment("2025-03-12T10:00+08:00"), ..check(1) };
    let twice = with(["SC-0205", "SC-0205"].map(|id| result(id, Outcome::Pass)).into());
    let differs = Rejection::ChecklistDiffers { item: item("SC-0205"), lines: 1 };
    for (check, expected) in [
        (of("SC-0101"), Some(Rejection::OnSiteOnly { item: item("SC-0101") })),
        (of("SC-9999"), Some(Rejection::ItemUnpublished { item: item("SC-9999") })),
        (by_fire, Some(Rejection::CatalogueUnpublished { unit: unit("fire") })),
        (with(vec![]), Some(Rejection::NoItems)),
        (twice, Some(Rejection::ItemsDiffer { item: item("SC-0205") })),
        (unmet(&[1]), None),
        (unmet(&[2]), Some(differs)),
        (future, Some(Rejection::InFuture { occurred_at: moment("2025-03-12T10:00+08:00") })),
    ] {
        assert_eq!(record(&elsewhere(), check.clone()).err(), expected, "{check:?}");
    }
    let unregistered = World { profile: Profile::Unregistered, ..elsewhere() };
    assert_eq!(record(&unregistered, check(1)), Err(Rejection::EnterpriseUnregistered));
}

#[test]
fn only_a_qualified_unit_checks_from_elsewhere() {
    for (last, expected) in [
        ("2025-03-10", None),
        (
            "2025-03-09",
            Some(Rejection::UnitUnqualified { unit: plan(1).unit, on: day("2025-03-10") }),
        ),
    ] {
        let mut world = elsewhere();
        let until = day(last);
        let by = unit("justice");
        world.catalogues[0].qualification = Qualification::Entrusted { by, until };
        assert_eq!(record(&world, check(1)).err(), expected, "{last}");
    }
}

#[test]
fn a_check_and_a_visit_never_share_an_id() {
    let differently = Err(Rejection::PlannedDifferently(visit(1)));
    let world = elsewhere();
    let command = Command::RecordOffSite(check(1));
    let known = when(&in_phase("planned"), &world.at(DAY_AFTER), &command);
    assert_eq!(known, differently);
    let checked = accepted(Visits::default(), &world.at(DAY_AFTER), &command);
    let other = OffSiteCheck { basis: reference("视频巡查"), ..check(1) };
    let found = when(&checked, &world.at(DAY_AFTER), &Command::RecordOffSite(other));
    assert_eq!(found, differently, "nor two checks");
    let planned = when(&checked, &world.at(MORNING), &Command::Plan(plan(1)));
    assert_eq!(planned, differently);
    let explained = checked.explain(&world.at(MORNING), &plan(1));
    assert_eq!(explained.rejection, planned.err());
    let urgent = Plan { ground: Ground::Urgent, ..plan(1) };
    let on_the_spot = Command::CheckIn {
        visit: visit(1),
        unit: plan(1).unit,
        check_in: scan(ON_THE_DAY, false),
        improvised: Some(urgent),
    };
    assert_eq!(when(&checked, &world.at(ON_THE_DAY), &on_the_spot), differently);
}
