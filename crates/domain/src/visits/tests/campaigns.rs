//! Visits of a special campaign (专项检查): only what is in a published one takes place under it.

use super::*;
use crate::{
    campaign::{
        Approval, Campaign, Capacity, Command as Step, Filing, Plan as CampaignPlan, Unfit,
    },
    ids::CampaignId,
    kit::plan_of_the_city,
};

fn id(n: u128) -> CampaignId {
    CampaignId(Uuid::from_u128(n))
}

/// A campaign of the market regulator on one item, published unless it is not to be.
fn campaign(published: bool) -> Campaign {
    let organiser = unit("market-regulation");
    let plan = CampaignPlan {
        title: name("2025年特种设备安全专项检查"),
        unit: organiser.clone(),
        co_units: [].into(),
        items: [item("SC-0101")].into(),
        areas: [].into(),
        enterprises: crate::frequency::Enterprises::default(),
        from: day("2025-03-01"),
        until: day("2025-03-31"),
        basis: reference("大市监发〔2025〕9号"),
    };
    let approval = Approval {
        approver: unit("city-government"),
        capacity: Capacity::Government,
        level: Level::City,
        document: reference("大政批〔2025〕31号"),
    };
    let filing = Filing { with: unit("justice"), document: reference("备案回执 2025-17") };
    let document = reference("大市监公〔2025〕17号");
    let steps = [
        Step::Propose(plan),
        Step::Approve(approval),
        Step::File { unit: organiser.clone(), filing },
        Step::Publish { unit: organiser, document },
    ];
    let world = World {
        catalogues: vec![catalogue("market-regulation")],
        routing: Some(plan_of_the_city()),
        ..World::default()
    };
    let context = world.at("2025-02-24T09:00+08:00");
    let steps = steps.into_iter().take(if published { 4 } else { 3 });
    steps.fold(Campaign::default(), |state, step| crate::kit::accepted(state, &context, &step))
}

fn under(campaign: Campaign) -> World {
    World { campaign: Some(campaign), ..once_a_year() }
}

fn special(n: u8) -> Plan {
    let items = [item("SC-0101")].into();
    Plan { ground: Ground::Special, campaign: Some(id(1)), items, ..plan(n) }
}

fn planned_under(world: &World, plan: Plan) -> Result<Vec<Event>, Rejection> {
    when(&Visits::default(), &world.at(MORNING), &Command::Plan(plan))
}

#[test]
fn a_visit_of_a_campaign_names_one_that_is_published_and_no_other_names_any() {
    let world = under(campaign(true));
    assert_eq!(told(planned_under(&world, special(1))), "VisitPlanned");
    let unnamed = Plan { campaign: None, ..special(1) };
    assert_eq!(planned_under(&world, unnamed), Err(Rejection::CampaignMissing));
    let routine = Plan { ground: Ground::Routine, ..special(1) };
    assert_eq!(planned_under(&world, routine), Err(Rejection::CampaignNotAllowed));
    let filed = planned_under(&under(campaign(false)), special(1));
    let unfit = Err(Rejection::CampaignUnfit(Unfit::NotPublished { found: "filed" }));
    assert_eq!(filed, unfit);
    assert!(matches!(
        planned_under(&once_a_year(), special(1)),
        Err(Rejection::CampaignUnfit(Unfit::NotPublished { .. }))
    ));
}

#[test]
fn what_the_other_units_bring_must_be_in_the_campaign_too() {
    let world = under(campaign(true));
    let more = Plan { items: plan(1).items, ..special(1) };
    let unfit = |why| Err(Rejection::CampaignUnfit(why));
    assert_eq!(planned_under(&world, more), unfit(Unfit::ItemOutside(item("SC-0205"))));
    let share = Share { officers: officers(2), items: [item("SC-0101")].into() };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..special(1) };
    assert_eq!(planned_under(&world, joint), unfit(Unfit::OtherUnit(unit("tax"))));
}

#[test]
fn no_visit_from_outside_goes_on_under_a_campaign() {
    let state: Visits = given(&[planned_as(special(1)), planned_as(by("tax", 2))]);
    let merge = Command::Merge { visit: visit(2), into: visit(1), unit: unit("tax") };
    let found = when(&state, &under(campaign(true)).at(MORNING), &merge);
    assert_eq!(found, Err(Rejection::NotMergeable { into: visit(1) }));
}
