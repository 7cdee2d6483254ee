//! What a unit's catalogue says to a plan and to a scan.

use super::*;
use crate::{
    catalogue::{Catalogue, Item, Mode, Qualification},
    kit::on_site,
};

/// The catalogue of the market regulator, otherwise.
fn world_with(change: impl FnOnce(&mut Catalogue)) -> World {
    let mut world = once_a_year();
    change(&mut world.catalogues[0]);
    world
}

fn with_item(change: impl FnOnce(&mut Item)) -> World {
    world_with(|catalogue| change(&mut catalogue.items[1]))
}

#[track_caller]
fn refused(world: &World, plan: Plan) -> Option<Rejection> {
    let context = world.at(MORNING);
    when(&Visits::default(), &context, &Command::Plan(plan)).err()
}

#[test]
fn what_is_in_no_catalogue_is_not_inspected() {
    let other = || Plan { unit: unit("fire"), ..plan(1) };
    let unpublished = Rejection::CatalogueUnpublished { unit: unit("fire") };
    assert_eq!(refused(&once_a_year(), other()), Some(unpublished.clone()));
    // The catalogue of another unit is none of its own.
    let mut market = once_a_year();
    market.catalogues.truncate(1);
    assert_eq!(refused(&market, other()), Some(unpublished));
    let unlisted = Plan { items: ["SC-0101", "SC-9999"].map(item).into(), ..plan(1) };
    let expected = Rejection::ItemUnpublished { item: item("SC-9999") };
    assert_eq!(refused(&once_a_year(), unlisted), Some(expected));
}

#[test]
fn only_a_qualified_unit_inspects() {
    let until = |last| {
        world_with(|catalogue| {
            let until = day(last);
            catalogue.qualification = Qualification::Entrusted { by: unit("justice"), until };
        })
    };
    assert_eq!(refused(&until("2025-03-10"), plan(1)), None);
    let expected = Rejection::UnitUnqualified { unit: plan(1).unit, on: plan(1).on };
    assert_eq!(refused(&until("2025-03-09"), plan(1)), Some(expected));
}

#[test]
fn a_trigger_only_item_is_opened_by_a_trigger() {
    let world = with_item(|item| item.trigger_only = true);
    let on_ground = |ground| {
        let evidence = Some(reference("12345-20250301-0077"));
        Plan { ground, evidence, on: day("2025-03-04"), ..plan(1) }
    };
    let closed = Some(Rejection::TriggerOnly { item: item("SC-0205") });
    for (ground, expected) in [
        (Ground::Routine, closed.clone()),
        (Ground::Random, closed.clone()),
        (Ground::Media, closed),
        (Ground::Complaint, None),
        (Ground::Urgent, None),
    ] {
        assert_eq!(refused(&world, on_ground(ground)), expected, "{ground:?}");
    }
}

#[test]
fn off_site_comes_first() {
    let only = with_item(|item| item.modes = [Mode::OffSite].into());
    let either = with_item(|item| item.modes = [Mode::OnSite, Mode::OffSite].into());
    let reasoned =
        || Plan { on_site_reason: Some(reference("需现场核对设备铭牌")), ..plan(1) };
    let id = || item("SC-0205");
    assert_eq!(refused(&only, reasoned()), Some(Rejection::OffSiteOnly { item: id() }));
    assert_eq!(refused(&either, plan(1)), Some(Rejection::OffSitePossible { item: id() }));
    assert_eq!(refused(&either, reasoned()), None);
    assert_eq!(refused(&once_a_year(), plan(1)), None, "no reason where there is no other way");
}

#[test]
fn each_officer_has_a_certificate_that_is_valid_on_the_day() {
    let until = |last| world_with(|catalogue| catalogue.officers[1].valid_until = day(last));
    assert_eq!(refused(&until("2025-03-10"), plan(1)), None);
    let expected = Rejection::OfficerInvalid { certificate: certificate(2) };
    assert_eq!(refused(&until("2025-03-09"), plan(1)), Some(expected));
    let foreign = Plan { officers: [certificate(1), certificate(77)].into(), ..plan(1) };
    let expected = Rejection::OfficerInvalid { certificate: certificate(77) };
    assert_eq!(refused(&once_a_year(), foreign), Some(expected));
}

#[test]
fn an_officer_without_a_valid_certificate_does_not_scan_in_live_and_is_flagged_when_late() {
    let world = once_a_year();
    let approved = in_phase("approved");
    let officers = || [certificate(1), certificate(77)].into();
    let came = |late| CheckIn { officers: officers(), ..scan(ON_THE_DAY, late) };
    let live = when(&approved, &world.at(ON_THE_DAY), &check_in(1, came(false)));
    assert_eq!(live, Err(Rejection::OfficerInvalid { certificate: certificate(77) }));
    let flagged = |context: &Context<'_>| {
        let late = when(&approved, context, &check_in(1, came(true))).unwrap();
        let [Event::VisitCheckedIn { irregularities, .. }] = late.as_slice() else {
            panic!("{late:?}");
        };
        irregularities.clone()
    };
    assert_eq!(flagged(&world.at(DAY_AFTER)), [Irregularity::OfficerInvalid].into());
    let unknown = Context { catalogues: vec![], ..world.at(DAY_AFTER) };
    assert_eq!(flagged(&unknown), FewSet::new(), "nobody can say");
    // What else is wrong is said first: an unapproved visit is no matter of certificates.
    let planned = when(&in_phase("planned"), &world.at(ON_THE_DAY), &check_in(1, came(false)));
    assert_eq!(planned, Err(Rejection::WrongPhase { found: "planned", wanted: "approved" }));
}

#[test]
fn a_plan_records_levels_fields_lines_and_the_versions_of_the_catalogues() {
    let checklist = ["铭牌与证书一致", "检定在有效期内"].map(name).into();
    let world = world_with(|catalogue| {
        catalogue.level = Level::County;
        catalogue.items.push(Item { checklist, ..on_site("XF-0001", "fire") });
    });
    let share = |items: &[&str]| Share {
        officers: officers(2),
        items: items.iter().map(|id| item(id)).collect(),
    };
    let shares = [(unit("tax"), share(&["SC-0205"]))].into();
    let items = ["SC-0101", "XF-0001"].map(item).into();
    let plan = Plan { items, shares, ..plan(1) };
    let found = when(&Visits::default(), &world.at(MORNING), &Command::Plan(plan)).unwrap();
    let [Event::VisitPlanned { catalogue_version, co_catalogues, parties, fields, lines, .. }] =
        found.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!(*catalogue_version, Some(11));
    assert_eq!(*co_catalogues, [(unit("tax"), 11)].into());
    let party = |by, level| Party { unit: unit(by), level };
    let lead = party("market-regulation", Some(Level::County));
    assert_eq!(*parties, [lead, party("tax", Some(Level::City))], "the lead first, and once");
    let expected = [("SC-0101", "market"), ("SC-0205", "market"), ("XF-0001", "fire")];
    assert_eq!(*fields, expected.map(|(id, of)| (item(id), field(of))).into());
    assert_eq!(*lines, [(item("XF-0001"), 2)].into(), "only of an item with a checklist");
}
