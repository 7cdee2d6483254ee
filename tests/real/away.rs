//! While the log is away, whoever may read tables goes on reading them, also who is told of an enterprise only
//! because of its area, and each answer says so. Nobody is told more than before.

use std::time::Duration;

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{
        AsOf, ChangeAreaRequest, GetEnterprisePageRequest, GetEnterprisePageResponse,
        GetEnterpriseRequest, GetQuotaRequest, GetQuotaResponse, Ground, ListNearVisitsRequest,
        ListTimelineRequest, ListTimelineResponse, as_of::Moment,
    },
};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::{until, world::World};
use jiff::SignedDuration;
use tonic::{Code, Response, Status};

use super::{
    health::{AWAY, serving},
    requests::{AREA, in_days, now, plan, reason, register, stamp},
};

mod intake;

const BOUND: Duration = Duration::from_secs(60);
const ENTERPRISE: &str = "91210212DD0000001D";
/// Nobody has registered it.
const UNKNOWN: &str = "91210212DD0000003K";
const ELSEWHERE: &str = "210211";

/// Somebody with the areas of the token, and no others.
fn local(world: &World, role: Role, area: &str) -> Client {
    world.client(&Claims { areas: vec![area.to_owned()], ..token::claims(role) })
}

async fn page(
    client: &Client,
    enterprise: &str,
    min_position: &str,
    as_of: Option<AsOf>,
) -> Result<Response<GetEnterprisePageResponse>, Status> {
    let request = GetEnterprisePageRequest {
        enterprise_id: enterprise.to_owned(),
        min_position: min_position.to_owned(),
        as_of,
        ..<_>::default()
    };
    client.supervision.clone().get_enterprise_page(request).await
}

async fn quota(
    client: &Client,
    enterprise: &str,
    min_position: &str,
) -> Result<Response<GetQuotaResponse>, Status> {
    let request = GetQuotaRequest {
        enterprise_id: enterprise.to_owned(),
        unit: "market-regulation".to_owned(),
        min_position: min_position.to_owned(),
        ..<_>::default()
    };
    client.inspections.clone().get_quota(request).await
}

async fn timeline(client: &Client, min_position: &str) -> Response<ListTimelineResponse> {
    let request = ListTimelineRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: min_position.to_owned(),
        ..<_>::default()
    };
    client.timelines.clone().list_timeline(request).await.unwrap()
}

/// What is answered, and whether the answer says for how long the log has been away.
fn told<T>(answer: Response<T>) -> (T, bool) {
    let seconds = answer.metadata().get(AWAY).map(|seconds| seconds.to_str().unwrap().to_owned());
    let is_away = seconds.is_some_and(|seconds| seconds.parse::<u64>().is_ok());
    (answer.into_inner(), is_away)
}

/// What somebody in charge finds: page, limits and timeline. Gives whether all of them say that the log is away.
async fn found(client: &Client, position: &str) -> bool {
    let (page, page_says) = told(page(client, ENTERPRISE, position, None).await.unwrap());
    assert_eq!(page.enterprise.unwrap().area, AREA);
    assert_eq!(page.open_visits.len(), 1);
    assert!(!page.quotas.is_empty() && !page.entries.is_empty());
    let (quota, quota_says) = told(quota(client, ENTERPRISE, position).await.unwrap());
    assert!(quota.quotas.iter().any(|quota| quota.reserved == 1), "{quota:?}");
    let (timeline, timeline_says) = told(timeline(client, position).await);
    assert_eq!(timeline.entries, page.entries);
    assert!(page_says == quota_says && page_says == timeline_says);
    page_says
}

/// Somebody not in charge is refused as if there were no such enterprise.
async fn refused(client: &Client, position: &str) {
    assert!(timeline(client, position).await.into_inner().entries.is_empty());
    for enterprise in [ENTERPRISE, UNKNOWN] {
        let page = page(client, enterprise, position, None).await.unwrap_err();
        let quota = quota(client, enterprise, position).await.unwrap_err();
        for status in [page, quota] {
            assert_eq!(reason(&status), "ENTERPRISE_NOT_FOUND", "{enterprise}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_in_charge_of_an_area_read_on_and_those_of_another_are_refused_as_ever() {
    let mut world = World::start().await;
    let channel = world.running.channel.clone();
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut market = world.unit("market-regulation");
    let planned = market.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let position = planned.into_inner().receipt.unwrap().position;
    let roles = [Role::Supervisor, Role::Dispatcher, Role::AgencyHandler];
    let inside = roles.map(|role| local(&world, role, AREA));
    let outside = [Role::Supervisor, Role::Dispatcher].map(|role| local(&world, role, ELSEWHERE));
    let tax = world.unit("tax");
    for client in &inside {
        assert!(!found(client, &position).await);
    }
    for client in &outside {
        refused(client, &position).await;
    }
    world.ground.nats.kill9().await.unwrap();
    serving(&channel, false, true).await;
    for client in &inside {
        assert!(found(client, &position).await, "it is said that the log is away");
    }
    for client in &outside {
        refused(client, &position).await;
    }
    // How many days are near is in the tables, too.
    let near = ListNearVisitsRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        on: Some(in_days(1)),
        min_position: position.clone(),
        ..<_>::default()
    };
    let (near, near_says) = told(tax.visit_lists.clone().list_near_visits(near).await.unwrap());
    assert_eq!((near.visits.len(), near_says), (1, true));
    // What comes straight from the log does not come from tables instead.
    let request = GetEnterpriseRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
    let of_the_log = inside[0].enterprises.clone().get_enterprise(request).await.unwrap_err();
    assert_eq!(of_the_log.code(), Code::Unavailable, "{}", reason(&of_the_log));
    world.ground.nats.restart().await.unwrap();
    serving(&channel, true, true).await;
    assert!(!found(&inside[0], &position).await);
    drop(channel);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_that_moved_is_told_of_where_it_is_now_as_of_whenever() {
    let mut world = World::bare().await;
    let channel = world.running.channel.clone();
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let before = now();
    // What comes later is recorded in another millisecond.
    let later = until(BOUND, || async {
        (now().duration_since(before) >= SignedDuration::from_millis(5)).then_some(())
    });
    later.await.unwrap();
    let change = ChangeAreaRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        area: ELSEWHERE.to_owned(),
        basis: "no. 1".to_owned(),
        ..<_>::default()
    };
    let changed = admin.enterprises.change_area(change).await.unwrap().into_inner();
    let position = changed.receipt.unwrap().position;
    let former = local(&world, Role::Supervisor, AREA);
    let present = local(&world, Role::Supervisor, ELSEWHERE);
    // Whoever asks for what was just written is told by tables that have it.
    page(&present, ENTERPRISE, &position, None).await.unwrap();
    world.ground.nats.kill9().await.unwrap();
    serving(&channel, false, true).await;
    let then = AsOf { moment: Some(Moment::OccurredAt(stamp(before))) };
    for (as_of, area) in [(None, ELSEWHERE), (Some(then), AREA)] {
        let answer = page(&present, ENTERPRISE, &position, as_of.clone()).await.unwrap();
        let (shown, is_away) = told(answer);
        assert_eq!((shown.enterprise.unwrap().area.as_str(), is_away), (area, true));
        let status = page(&former, ENTERPRISE, &position, as_of).await.unwrap_err();
        assert_eq!(reason(&status), "ENTERPRISE_NOT_FOUND", "{area}");
    }
    world.ground.nats.restart().await.unwrap();
    serving(&channel, true, true).await;
    drop(channel);
    world.stop().await;
}
