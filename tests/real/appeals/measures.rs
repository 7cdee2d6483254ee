//! The three rates and the flow matrix, from what parties said and did; later facts rewrite nothing.

use doudi_api::proto::{
    FlowCell, GetFlowRequest, GetRatesRequest, Rate, RateAppealRequest, RateGroup, Rating,
    RecordContactRequest,
};

use super::*;
use crate::real::requests::in_days;

async fn rates(world: &World, group: RateGroup, at: &str) -> Vec<Rate> {
    let request = GetRatesRequest {
        group: group.into(),
        from: Some(in_days(-1)),
        until: Some(in_days(1)),
        min_position: at.to_owned(),
        ..Default::default()
    };
    world.role(Role::Supervisor).cases.get_rates(request).await.unwrap().into_inner().rates
}

fn rate(key: &str, counts: [u64; 6]) -> Rate {
    let [handled, responded, asked_resolved, resolved, asked_satisfied, satisfied] = counts;
    let key = key.to_owned();
    Rate { key, handled, responded, asked_resolved, resolved, asked_satisfied, satisfied }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_handling_counts_and_a_second_one_rewrites_nothing() {
    let world = World::start().await;
    let good = Case::dispatched(&world, submission("L-1", "T02")).await;
    let contact = request!(RecordContactRequest, good);
    world.unit("market-regulation").appeals.record_contact(contact).await.unwrap();
    good.sign(&world, "market-regulation").await;
    good.resolve(&world, "market-regulation").await;
    let rating = Some(Rating { responded: true, resolved: true, satisfied: true });
    let said = request!(RateAppealRequest, good, rating: rating);
    world.enterprise("L-1").appeals.rate_appeal(said).await.unwrap();

    let poor = Case::dispatched(&world, submission("L-2", "T06")).await;
    poor.sign(&world, "power-supply").await;
    poor.resolve(&world, "power-supply").await;
    let objected = poor.object(&world).await;
    let first = rates(&world, RateGroup::Unit, &objected).await;
    assert_eq!((first[0].key.as_str(), first[0].handled), ("market-regulation", 1));
    assert_eq!((first[0].responded, first[0].resolved, first[0].satisfied), (1, 1, 1));
    assert_eq!((first[1].key.as_str(), first[1].handled), ("power-supply", 1));
    assert_eq!((first[1].asked_resolved, first[1].resolved), (1, 0), "an objection is a no");

    let again = poor.resolve(&world, "power-supply").await;
    let second = rates(&world, RateGroup::Unit, &again).await;
    assert_eq!(second[0], first[0]);
    assert_eq!((second[1].handled, second[1].resolved), (2, 0));
    let all = rates(&world, RateGroup::Unspecified, &again).await;
    let sum = |pick: fn(&Rate) -> u64| second.iter().map(pick).sum::<u64>();
    let sums = [
        sum(|one| one.handled),
        sum(|one| one.responded),
        sum(|one| one.asked_resolved),
        sum(|one| one.resolved),
        sum(|one| one.asked_satisfied),
        sum(|one| one.satisfied),
    ];
    assert_eq!(all, [rate("", sums)], "one group of all is the sum of any grouping");
    for group in [RateGroup::Area, RateGroup::Topic, RateGroup::Month] {
        let handled: u64 = rates(&world, group, &again).await.iter().map(|one| one.handled).sum();
        assert_eq!(handled, 3, "{group:?}");
    }
    let reversed =
        GetRatesRequest { from: Some(in_days(1)), until: Some(in_days(0)), ..Default::default() };
    let reversed = world.role(Role::Supervisor).cases.get_rates(reversed).await;
    assert_eq!(refused(reversed), "REQUEST_INVALID");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flow_says_who_returned_to_whom_and_who_was_right() {
    let world = World::start().await;
    for proposed in ["tax", "tax", "market-regulation"] {
        let case = Case::dispatched(&world, submission("L-1", "T06")).await;
        case.contest(&world, "power-supply", proposed).await;
        case.dispatch(&world, "").await;
    }
    let open = Case::dispatched(&world, submission("L-1", "T06")).await;
    let min_position = open.contest(&world, "power-supply", "").await;
    let request = GetFlowRequest {
        from: Some(in_days(-1)),
        until: Some(in_days(1)),
        min_position,
        ..Default::default()
    };
    let flow = world.role(Role::Supervisor).cases.get_flow(request).await.unwrap().into_inner();
    let cell = |to: &str, returns| FlowCell {
        from_unit: "power-supply".to_owned(),
        to_unit: to.to_owned(),
        returns,
        upheld: 0,
    };
    assert!(flow.cells.iter().all(|cell| cell.upheld <= cell.returns));
    let found: Vec<FlowCell> =
        flow.cells.iter().map(|cell| FlowCell { upheld: 0, ..cell.clone() }).collect();
    assert_eq!(found[0], cell("tax", 2), "most first");
    assert!(found.contains(&cell("market-regulation", 1)) && found.contains(&cell("", 1)));
    assert_eq!(found.len(), 3);
    world.stop().await;
}
