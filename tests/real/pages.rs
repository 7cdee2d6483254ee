//! The page of an enterprise: it says what the lists say, to everybody what it may see.

use std::time::Duration;

use doudi_api::identity::Claims;
use doudi_api::permission::Role;
use doudi_api::proto::{
    AsOf, ChangeAreaRequest, GetEnterprisePageRequest, GetEnterprisePageResponse,
    GetEnterpriseRequest, GetQuotaRequest, Ground, ListAppealsRequest, ListTimelineRequest,
    ListVisitsRequest, UnitPlaces, VisitFilter, VisitState, as_of::Moment,
};
use doudi_server::{client::Client, token};
use doudi_tests::world::World;
use doudi_views::{ViewName, page::VIEWS};
use tokio_postgres::NoTls;

use super::requests::{
    AREA, approve, at, check_in, in_days, moved, now, plan, reason, register, stamp, submit,
};

const ENTERPRISE: &str = "91210212DD0000001D";
/// How long anything may take here.
const BOUND: Duration = Duration::from_secs(60);

async fn page(client: &Client, position: &str) -> GetEnterprisePageResponse {
    let request = GetEnterprisePageRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: position.to_owned(),
        ..<_>::default()
    };
    let mut supervision = client.supervision.clone();
    supervision.get_enterprise_page(request).await.unwrap().into_inner()
}

/// One visit carried out, one planned by another unit, one appeal. Gives the last position.
async fn story(world: &World) -> String {
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let (mut market, mut tax) = (world.unit("market-regulation"), world.unit("tax"));
    let planned = market.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let came = planned.into_inner().visit_id;
    market.inspections.approve_visit(approve(ENTERPRISE, &came)).await.unwrap();
    let scan = check_in(world, ENTERPRISE, &came).await;
    market.inspections.check_in(scan).await.unwrap();
    let mut other = plan(ENTERPRISE, Ground::Routine);
    other.officers = ["LNB-0201", "LNB-0202"].map(str::to_owned).into();
    other.items = vec!["SC-0202".to_owned()];
    other.planned_on = Some(in_days(3));
    tax.inspections.plan_visit(other).await.unwrap();
    let mut own = world.enterprise(ENTERPRISE);
    let submitted = own.appeals.submit_appeal(submit(ENTERPRISE, "T06", "")).await.unwrap();
    submitted.into_inner().receipt.unwrap().position
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_the_lists_say() {
    let world = World::start().await;
    let position = Box::pin(story(&world)).await;
    let supervisor = world.role(Role::Supervisor);
    let found = page(&supervisor, &position).await;
    let id = ENTERPRISE.to_owned();

    let request = GetEnterpriseRequest { enterprise_id: id.clone(), ..<_>::default() };
    let known = supervisor.enterprises.clone().get_enterprise(request).await.unwrap();
    assert_eq!(found.enterprise, known.into_inner().enterprise);

    let open = [VisitState::Planned, VisitState::CheckedIn].map(Into::into).to_vec();
    let filter = VisitFilter { enterprise_id: id.clone(), states: open, ..<_>::default() };
    let request = ListVisitsRequest { filter: Some(filter), ..<_>::default() };
    let visits = supervisor.visit_lists.clone().list_visits(request).await.unwrap().into_inner();
    assert_eq!((found.open_visits.len(), &found.open_visits), (2, &visits.visits));

    let request =
        ListAppealsRequest { enterprise_id: id.clone(), open_only: true, ..<_>::default() };
    let appeals = supervisor.appeals.clone().list_appeals(request).await.unwrap().into_inner();
    assert_eq!((found.open_appeals.len(), &found.open_appeals), (1, &appeals.appeals));

    let request = ListTimelineRequest { enterprise_id: id.clone(), ..<_>::default() };
    let timeline = supervisor.timelines.clone().list_timeline(request).await.unwrap().into_inner();
    assert_eq!((found.entries.len() >= 4, &found.entries), (true, &timeline.entries));

    let places =
        |unit: &str, used, reserved| UnitPlaces { unit: unit.to_owned(), used, reserved, found: 0 };
    assert_eq!(found.units, [places("market-regulation", 1, 0), places("tax", 0, 1)]);
    for unit in ["market-regulation", "tax"] {
        let request =
            GetQuotaRequest { enterprise_id: id.clone(), unit: unit.to_owned(), ..<_>::default() };
        let quota = supervisor.inspections.clone().get_quota(request).await.unwrap().into_inner();
        assert!(!quota.quotas.is_empty() && quota.policy_version == found.policy_version);
        for standing in &quota.quotas {
            assert!(found.quotas.contains(standing), "{unit}: {standing:?}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_shown_what_it_may_see() {
    let world = World::start().await;
    let position = Box::pin(story(&world)).await;
    // The enterprise saw the officers come, and was not told of the other visit.
    let own = page(&world.enterprise(ENTERPRISE), &position).await;
    assert_eq!((own.open_visits.len(), own.open_appeals.len()), (1, 1));
    assert!(own.units.iter().all(|places| places.unit == "market-regulation"));
    assert!(own.quotas.iter().all(|quota| quota.reserved == 0));
    let told = |entry: &doudi_api::proto::TimelineEntry| entry.unit != "tax";
    assert!(own.entries.iter().all(told));

    // A unit sees its own visit, and how much is left for itself.
    let tax = page(&world.unit("tax"), &position).await;
    assert_eq!(tax.open_visits.len(), 1);
    assert!(tax.quotas.iter().any(|quota| quota.unit == "tax" && quota.reserved == 1));

    let other = world.enterprise("91210212DD0000003K");
    let request =
        GetEnterprisePageRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
    let refused = other.supervision.clone().get_enterprise_page(request).await.unwrap_err();
    assert_eq!(reason(&refused), "OUTSIDE_SCOPE");
    let request = GetEnterprisePageRequest {
        enterprise_id: "91210212DD0000003K".to_owned(),
        ..<_>::default()
    };
    let supervisor = world.role(Role::Supervisor);
    let refused = supervisor.supervision.clone().get_enterprise_page(request).await.unwrap_err();
    assert_eq!(reason(&refused), "ENTERPRISE_NOT_FOUND");
    world.stop().await;
}

/// Says of a view that it is halted, or that it may go on, as an operator's hand would.
async fn halt(world: &World, view: &str, reason: Option<&str>) {
    let url = world.ground.config.postgres.url.expose();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let statement = "UPDATE doudi.checkpoint SET halted = $1 WHERE view = $2";
    assert_eq!(client.execute(statement, &[&reason, &view]).await.unwrap(), 1);
    drop(client);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_view_lags_the_whole_page_is_as_of_it() {
    let world = World::start().await;
    let before = Box::pin(story(&world)).await;
    let supervisor = world.role(Role::Supervisor);
    let then = page(&supervisor, &before).await;
    halt(&world, "visits", Some("held for a while")).await;
    let mut own = world.enterprise(ENTERPRISE);
    let submitted = own.appeals.submit_appeal(submit(ENTERPRISE, "T06", "")).await.unwrap();
    let after = submitted.into_inner().receipt.unwrap().position;
    // Appeals and timeline have the second appeal, the visits do not reflect it.
    let min_position = after.clone();
    let list = ListAppealsRequest { min_position, open_only: true, ..<_>::default() };
    let listed = supervisor.appeals.clone().list_appeals(list).await.unwrap().into_inner();
    assert_eq!(listed.appeals.len(), 2);
    let request = ListTimelineRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: after.clone(),
        ..<_>::default()
    };
    supervisor.timelines.clone().list_timeline(request).await.unwrap();
    assert_eq!(page(&supervisor, "").await, then);
    // The same as the world was at an instant: what one view does not know yet, none does.
    let request = GetEnterprisePageRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        as_of: Some(AsOf { moment: Some(Moment::OccurredAt(stamp(now()))) }),
        ..<_>::default()
    };
    let mixed = supervisor.supervision.clone().get_enterprise_page(request).await.unwrap();
    assert_eq!(mixed.into_inner(), then);
    halt(&world, "visits", None).await;
    let now = page(&supervisor, &after).await;
    assert_eq!((now.open_appeals.len(), &now.position), (2, &after));
    world.stop().await;
}

/// Who watches over one area.
fn of_area(world: &World, area: &str) -> Client {
    let areas = vec![area.to_owned()];
    world.client(&Claims { areas, ..token::claims(Role::Supervisor) })
}

/// The page as of then, or why there is none for who asks.
async fn asked(client: &Client, as_of: Option<AsOf>) -> Result<GetEnterprisePageResponse, String> {
    let request =
        GetEnterprisePageRequest { enterprise_id: ENTERPRISE.to_owned(), as_of, ..<_>::default() };
    let answer = client.supervision.clone().get_enterprise_page(request).await;
    answer.map(|answer| answer.into_inner()).map_err(|status| reason(&status))
}

/// Hands the enterprise to another area while that view is halted; the others come to know it. Gives the position.
async fn moves_past(world: &World, view: ViewName, area: &str) -> String {
    halt(world, view.as_str(), Some("held for a while")).await;
    let request = ChangeAreaRequest { area: area.to_owned(), ..moved(ENTERPRISE) };
    let changed = world.role(Role::Admin).enterprises.change_area(request).await.unwrap();
    let parts = &world.running.parts;
    let end = parts.journal.last_position().await.unwrap();
    for other in VIEWS.into_iter().filter(|other| *other != view) {
        parts.views.wait(other, end, BOUND).await.unwrap();
    }
    changed.into_inner().receipt.unwrap().position
}

fn not_found<T>() -> Result<T, String> {
    Err("ENTERPRISE_NOT_FOUND".to_owned())
}

fn area(page: &GetEnterprisePageResponse) -> &str {
    page.enterprise.as_ref().map_or("", |enterprise| &enterprise.area)
}

/// Who is shown an enterprise is a matter of where the view of its visits has it now; what is shown, of the view that
/// is furthest behind.
#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_that_moved_is_on_the_page_for_one_area_at_a_time_whichever_view_lags() {
    let world = World::start().await;
    let before = Box::pin(story(&world)).await;
    let [former, present, next] =
        [AREA, "210211", "210202"].map(|area| Box::new(of_area(&world, area)));
    let then = page(&former, &before).await;
    assert_eq!((then.open_visits.len(), then.open_appeals.len()), (2, 1));
    assert_eq!(asked(&present, None).await, not_found());

    // The visits do not know that it moved: it is shown as if it had not, and the log alone says otherwise.
    let after = moves_past(&world, ViewName::Visits, "210211").await;
    assert_eq!(asked(&former, None).await, Ok(then));
    assert_eq!(asked(&present, None).await, not_found());
    let request = GetEnterpriseRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
    let refused = former.enterprises.clone().get_enterprise(request.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "ENTERPRISE_NOT_FOUND");
    present.enterprises.clone().get_enterprise(request).await.unwrap();
    halt(&world, "visits", None).await;
    let there = page(&present, &after).await;
    assert_eq!((area(&there), &there.position), ("210211", &after));
    // As of before it is shown to whom it is now, with no more of what there was than that area sees.
    let earlier = asked(&present, at(Moment::Position(before.clone()))).await.unwrap();
    assert_eq!((area(&earlier), &earlier.position), (AREA, &before));
    assert_eq!((earlier.open_visits.len(), earlier.open_appeals.len()), (0, 0));
    for as_of in [None, at(Moment::Position(before))] {
        assert_eq!(asked(&former, as_of).await, not_found());
    }

    // The visits know that it moved on, the timeline does not: it is shown to the new area, as of before.
    let last = moves_past(&world, ViewName::Timeline, "210202").await;
    let held = asked(&next, None).await.unwrap();
    assert_eq!((area(&held), &held.position), ("210211", &after));
    assert_eq!(asked(&present, None).await, not_found());
    halt(&world, "timeline", None).await;
    assert_eq!(area(&page(&next, &last).await), "210202");
    assert_eq!(asked(&next, at(Moment::Position(after))).await, Ok(held));
    assert_eq!(asked(&present, None).await, not_found());
    world.stop().await;
}
