//! Lists of visits over the API: a unit's, an inspector's day, who inspected an enterprise, near visits, and a
//! unit's ledger. Counts agree with lists, and everybody finds its own.

use doudi_api::permission::Role;
use doudi_api::proto::{
    AsOf, BoardFigure, BoardSelection, CountVisitsRequest, ExportBoardRequest, ExportFormat,
    GetBoardRequest, Ground, ListBoardRowsRequest, ListNearVisitsRequest, ListTimelineRequest,
    ListUnitLedgerRequest, ListVisitsRequest, ListVisitsResponse, NotifyVisitRequest, VisitFilter,
    VisitState, as_of::Moment, export_board_request::Content, visit_row::What,
};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::world::World;

use super::requests::{approve, check_in, in_days, plan, reason, register};

const FIRST: &str = "91210212DD0000001D";
const SECOND: &str = "91210212DD0000003K";

/// Two visits of the market regulator, one of them carried out, and one of the tax office beside the first.
struct Story {
    world: World,
    market: Client,
    tax: Client,
    came: String,
    ahead: String,
    beside: String,
    position: String,
}

async fn story() -> Story {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    for enterprise in [FIRST, SECOND] {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    }
    let (mut market, mut tax) = (world.unit("market-regulation"), world.unit("tax"));
    let planned = market.inspections.plan_visit(plan(FIRST, Ground::Routine)).await.unwrap();
    let came = planned.into_inner().visit_id;
    market.inspections.approve_visit(approve(FIRST, &came)).await.unwrap();
    let scan = check_in(&world, FIRST, &came).await;
    market.inspections.check_in(scan).await.unwrap();
    let planned = market.inspections.plan_visit(plan(SECOND, Ground::Routine)).await.unwrap();
    let ahead = planned.into_inner().visit_id;
    let mut other = plan(SECOND, Ground::Routine);
    other.officers = ["LNB-0201", "LNB-0202"].map(str::to_owned).into();
    other.items = vec!["SC-0202".to_owned()];
    other.planned_on = Some(in_days(3));
    let planned = tax.inspections.plan_visit(other).await.unwrap().into_inner();
    let position = planned.receipt.unwrap().position;
    Story { world, market, tax, came, ahead, beside: planned.visit_id, position }
}

impl Story {
    async fn list(&self, client: &Client, filter: VisitFilter) -> ListVisitsResponse {
        let request = ListVisitsRequest {
            filter: Some(filter.clone()),
            min_position: self.position.clone(),
            ..<_>::default()
        };
        let page = client.visit_lists.clone().list_visits(request).await.unwrap().into_inner();
        let request = CountVisitsRequest {
            filter: Some(filter),
            min_position: self.position.clone(),
            as_of: None,
        };
        let counts = client.visit_lists.clone().count_visits(request).await.unwrap().into_inner();
        assert_eq!(
            counts.total,
            u64::try_from(page.visits.len()).unwrap(),
            "counts agree with lists"
        );
        page
    }

    /// In which answers a client is told of the visit to [`SECOND`] that is ahead.
    async fn told_of_second(&self, client: &Client) -> Vec<(&'static str, bool)> {
        let unit = "market-regulation".to_owned();
        let mut told = vec![];
        for (name, filter) in [
            ("visits", VisitFilter::default()),
            ("visits of the unit", VisitFilter { unit: unit.clone(), ..<_>::default() }),
        ] {
            told.push((name, self.ids(client, filter).await.contains(&self.ahead)));
        }
        let timeline = ListTimelineRequest {
            enterprise_id: SECOND.to_owned(),
            min_position: self.position.clone(),
            ..<_>::default()
        };
        let timeline = client.timelines.clone().list_timeline(timeline).await.unwrap().into_inner();
        let entries = &timeline.entries;
        told.push(("timeline", entries.iter().any(|entry| entry.subject_id == self.ahead)));
        let now = AsOf { moment: Some(Moment::Position(self.position.clone())) };
        for as_of in [None, Some(now)] {
            let ledger = ListUnitLedgerRequest {
                unit: unit.clone(),
                min_position: self.position.clone(),
                as_of: as_of.clone(),
                ..<_>::default()
            };
            let lists = client.visit_lists.clone();
            let ledger = { lists }.list_unit_ledger(ledger).await.unwrap().into_inner();
            let of_second = |entry: &doudi_api::proto::LedgerEntry| entry.enterprise_id == SECOND;
            told.push(("ledger", ledger.entries.iter().any(of_second)));
            self.told_by_boards(client, as_of, &mut told).await;
        }
        told
    }

    /// The same of the board of places, its rows and its file.
    async fn told_by_boards(
        &self,
        client: &Client,
        as_of: Option<AsOf>,
        told: &mut Vec<(&'static str, bool)>,
    ) {
        let selection = BoardSelection {
            figure: BoardFigure::Places.into(),
            from: Some(in_days(0)),
            until: Some(in_days(60)),
            unit: "market-regulation".to_owned(),
            ..<_>::default()
        };
        let rows = ListBoardRowsRequest {
            selection: Some(selection.clone()),
            min_position: self.position.clone(),
            as_of: as_of.clone(),
            ..<_>::default()
        };
        let page = client.boards.clone().list_board_rows(rows.clone()).await.unwrap().into_inner();
        assert!(page.rows.iter().any(|row| row.visit_id == self.came), "{page:?}");
        told.push(("rows", page.rows.iter().any(|row| row.visit_id == self.ahead)));
        let content = Some(Content::Rows(rows));
        let request = ExportBoardRequest { content, format: ExportFormat::Csv.into() };
        let mut parts = client.boards.clone().export_board(request).await.unwrap().into_inner();
        let mut file = vec![];
        while let Some(part) = parts.message().await.unwrap() {
            file.extend(part.chunk);
        }
        told.push(("file", String::from_utf8(file).unwrap().contains(SECOND)));
        let board = GetBoardRequest {
            selection: Some(selection),
            min_position: self.position.clone(),
            as_of,
            ..<_>::default()
        };
        let board = client.boards.clone().get_board(board).await.unwrap().into_inner();
        told.push(("board", board.total.unwrap().rows == 2));
    }

    async fn ids(&self, client: &Client, filter: VisitFilter) -> Vec<String> {
        let id = |row: doudi_api::proto::VisitRow| match row.what {
            Some(What::Visit(visit)) => visit.visit_id,
            Some(What::OffSite(check)) => check.check_id,
            None => String::new(),
        };
        self.list(client, filter).await.visits.into_iter().map(id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_finds_its_own_visits_and_an_inspector_the_day() {
    let story = Box::pin(story()).await;
    let all = VisitFilter::default;
    let (market, tax) = (&story.market, &story.tax);
    let mut own = story.ids(market, all()).await;
    own.sort();
    let mut expected = [story.came.clone(), story.ahead.clone()];
    expected.sort();
    assert_eq!(own, expected);
    assert_eq!(story.ids(tax, all()).await, std::slice::from_ref(&story.beside));
    assert_eq!(story.ids(&story.world.role(Role::Auditor), all()).await.len(), 3);
    // An inspector's day.
    let today = VisitFilter {
        officer: "LNB-0001".to_owned(),
        from: Some(in_days(0)),
        until: Some(in_days(0)),
        states: vec![VisitState::Planned.into(), VisitState::Approved.into()],
        ..all()
    };
    assert_eq!(story.ids(market, today).await, std::slice::from_ref(&story.ahead));
    let joint = VisitFilter { joint: true, ..all() };
    assert_eq!(story.ids(market, joint).await, Vec::<String>::new());
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_finds_who_inspected_it_and_nothing_that_it_was_not_told_of() {
    let mut story = Box::pin(story()).await;
    let all = VisitFilter::default;
    let (first, second) = (story.world.enterprise(FIRST), story.world.enterprise(SECOND));
    assert_eq!(story.ids(&first, all()).await, [story.came.clone()]);
    assert_eq!(story.ids(&second, all()).await, Vec::<String>::new(), "not told of any");
    // Nor is an account of its own that inspects as well, in whatever capacity it asks.
    let alone = token::claims(Role::Inspector);
    let mut both = alone.clone();
    both.roles.push(Role::Enterprise.to_string());
    both.enterprise = Some(SECOND.to_owned());
    let (alone, both) = (story.world.client(&alone), story.world.client(&both));
    let told = Box::pin(story.told_of_second(&alone)).await;
    assert!(told.iter().all(|(_, told)| *told), "its unit's inspector is told: {told:?}");
    let told = Box::pin(story.told_of_second(&both)).await;
    assert!(told.iter().all(|(_, told)| !told), "{told:?}");
    let near = ListNearVisitsRequest {
        enterprise_id: SECOND.to_owned(),
        on: Some(in_days(0)),
        ..<_>::default()
    };
    let refused = both.visit_lists.clone().list_near_visits(near).await.unwrap_err();
    assert_eq!(reason(&refused), "OUTSIDE_SCOPE");
    story.market.inspections.approve_visit(approve(SECOND, &story.ahead)).await.unwrap();
    let notify = NotifyVisitRequest {
        command_id: command_id(),
        enterprise_id: SECOND.to_owned(),
        visit_id: story.ahead.clone(),
        expected_version: None,
    };
    let told = story.market.inspections.notify_visit(notify).await.unwrap().into_inner();
    story.position = told.receipt.unwrap().position;
    assert_eq!(story.ids(&second, all()).await, [story.ahead.clone()]);
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_visits_are_those_of_others_and_a_ledger_adds_up_by_enterprise() {
    let story = Box::pin(story()).await;
    let request = ListNearVisitsRequest {
        enterprise_id: SECOND.to_owned(),
        on: Some(in_days(0)),
        min_position: story.position.clone(),
        ..<_>::default()
    };
    let near = |client: &Client| {
        let (mut lists, request) = (client.visit_lists.clone(), request.clone());
        async move { lists.list_near_visits(request).await.unwrap().into_inner().visits }
    };
    let found = near(&story.market).await;
    assert_eq!(found.iter().map(|near| &near.visit_id).collect::<Vec<_>>(), [&story.beside]);
    let found = near(&story.tax).await;
    assert_eq!(found.iter().map(|near| &near.visit_id).collect::<Vec<_>>(), [&story.ahead]);
    let mut page_token = String::new();
    let mut entries = Vec::new();
    // Pages of one, so that the second is asked for by its token.
    for _ in 0..3 {
        let request = ListUnitLedgerRequest {
            page_size: 1,
            page_token: page_token.clone(),
            min_position: story.position.clone(),
            ..<_>::default()
        };
        let page = story.market.visit_lists.clone().list_unit_ledger(request).await.unwrap();
        let page = page.into_inner();
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let of = |entry: &doudi_api::proto::LedgerEntry| {
        (entry.enterprise_id.clone(), entry.used, entry.found, entry.reserved)
    };
    let found: Vec<_> = entries.iter().map(of).collect();
    assert_eq!(found, [(FIRST.to_owned(), 1, 0, 0), (SECOND.to_owned(), 0, 0, 1)]);
    story.world.stop().await;
}
