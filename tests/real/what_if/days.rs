//! The days that a document is tried out on: they say which decisions are taken again, by midnight in Asia/Shanghai,
//! and not what these rest on.

use doudi_api::permission::Role;
use doudi_api::proto::{Ground, PlanVisitRequest, Share, TryPolicyRequest, WhatIfReport};
use doudi_server::client::command_id;

use super::{
    super::{
        midnight::Midnight,
        requests::{on, plan, reason, register, submit, tax_share},
    },
    ENTERPRISES, ask, by_hand, json, of, once_by_all, read, reported, to_the_tax_bureau,
};

/// A visit that is planned in the evening and one that is in the morning, both for the same day; an appeal of either.
async fn story(night: &Midnight) {
    let enterprise = ENTERPRISES[0];
    let mut admin = night.role(Role::Admin);
    admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    let mut account = night.enterprise(enterprise);
    let planned_on = Some(on(night.day(0)));
    let first = PlanVisitRequest { planned_on, ..plan(enterprise, Ground::Routine) };
    let Share { officers, items, .. } = tax_share();
    let command_id = command_id();
    let second = PlanVisitRequest { command_id, officers, items, ..first.clone() };
    night.unit("market-regulation").inspections.plan_visit(first).await.unwrap();
    account.appeals.submit_appeal(submit(enterprise, "T06", "")).await.unwrap();
    night.passes();
    night.unit("tax").inspections.plan_visit(second).await.unwrap();
    account.appeals.submit_appeal(submit(enterprise, "T06", "")).await.unwrap();
}

/// How many decisions were taken again, and how many come out otherwise.
fn counts(report: &WhatIfReport) -> (u64, u64) {
    (report.compared, report.totals.iter().map(|total| total.count).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_cut_what_is_decided_again_and_not_what_it_rests_on() {
    let night = Midnight::start().await;
    Box::pin(story(&night)).await;
    let supervisor = night.role(Role::Supervisor);
    let [before, first, second, after] = [-2, -1, 0, 1].map(|days| Some(night.day(days)));
    for (from, until, compared, refused) in [
        (None, None, 2, 1),
        (first, second, 2, 1),
        (None, first, 1, 0),
        (first, first, 1, 0),
        // The visit of the evening still holds the place that the one of the morning would need.
        (second, None, 1, 1),
        (second, second, 1, 1),
        (None, before, 0, 0),
        (after, None, 0, 0),
    ] {
        let within = |document| {
            let (from, until) = (from.map(on), until.map(on));
            TryPolicyRequest { document: Some(document), from, until }
        };
        let limits = reported(&supervisor, within(once_by_all())).await;
        assert_eq!(counts(&limits), (compared, refused), "{from:?} to {until:?}");
        // Each appeal would go elsewhere, on whichever day it was submitted.
        let routes = reported(&supervisor, within(to_the_tax_bureau())).await;
        assert_eq!(counts(&routes), (compared, compared), "{from:?} to {until:?}");
        let days = [("--from", from), ("--to", until)].into_iter();
        let days = days.filter_map(|(name, day)| Some(format!("{name}={}", day?)));
        let days: Vec<String> = days.collect();
        if let [only] = days.as_slice() {
            let (document, arguments) = (json(&once_by_all()), ["--json", only.as_str()]);
            let printed = by_hand(&night.world.ground, &document, &arguments).await.unwrap();
            assert_eq!(read(&printed), limits, "{only}");
        }
    }
    let (from, until) = (second.map(on), first.map(on));
    let reversed = TryPolicyRequest { from, until, ..of(once_by_all()) };
    let refused = ask(&supervisor, reversed).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_INVALID");
    night.world.stop().await;
}
