//! Boards: what is counted, the rows behind it, both as files, for each caller what it may see. That every
//! number of every figure is made of exactly its rows is checked over a simulated year (`simulated.rs`).

use doudi_api::permission::Role;
use doudi_api::proto::{
    AsOf, BoardComparison, BoardDimension, BoardFigure, BoardSelection, BoardSums, BoardValue,
    ExportBoardRequest, ExportFormat, GetBoardRequest, GetBoardResponse, Ground,
    ListBoardRowsRequest, as_of::Moment, export_board_request::Content,
};
use doudi_server::client::Client;
use doudi_tests::world::World;

use super::requests::{approve, check_in, in_days, plan, reason, register, submit};

mod days;

const ENTERPRISE: &str = "91210212DD0000001D";
const OTHER: &str = "91210212DD0000002B";

fn about(figure: BoardFigure) -> BoardSelection {
    let standing = [BoardFigure::OpenAppeals, BoardFigure::Stuck].contains(&figure);
    let day = |days| (!standing).then(|| in_days(days));
    BoardSelection { figure: figure.into(), from: day(-30), until: day(30), ..<_>::default() }
}

async fn board(client: &Client, request: GetBoardRequest) -> GetBoardResponse {
    client.boards.clone().get_board(request).await.unwrap().into_inner()
}

async fn total(client: &Client, figure: BoardFigure, position: &str) -> BoardSums {
    let request = GetBoardRequest {
        selection: Some(about(figure)),
        min_position: position.to_owned(),
        ..<_>::default()
    };
    board(client, request).await.total.unwrap()
}

/// One visit that took place, one that is planned, two appeals. Gives the positions after the first appeal and
/// at the end.
async fn story(world: &World) -> (String, String) {
    let mut admin = world.role(Role::Admin);
    for enterprise in [ENTERPRISE, OTHER] {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    }
    let mut market = world.unit("market-regulation");
    let planned = market.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let came = planned.into_inner().visit_id;
    market.inspections.approve_visit(approve(ENTERPRISE, &came)).await.unwrap();
    let scan = check_in(world, ENTERPRISE, &came).await;
    market.inspections.check_in(scan).await.unwrap();
    let mut later = plan(OTHER, Ground::Routine);
    later.planned_on = Some(in_days(3));
    market.inspections.plan_visit(later).await.unwrap();
    let mut positions = vec![];
    for enterprise in [ENTERPRISE, OTHER] {
        let mut own = world.enterprise(enterprise);
        let submitted = own.appeals.submit_appeal(submit(enterprise, "T06", "")).await.unwrap();
        positions.push(submitted.into_inner().receipt.unwrap().position);
    }
    (positions[0].clone(), positions[1].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_counts_what_its_rows_show_and_what_it_was_before() {
    let world = World::start().await;
    let (first, last) = Box::pin(story(&world)).await;
    let supervisor = world.role(Role::Supervisor);
    let visits = total(&supervisor, BoardFigure::Visits, &last).await;
    assert_eq!((visits.rows, visits.enterprises), (1, 1));
    let places = total(&supervisor, BoardFigure::Places, &last).await;
    assert_eq!((places.rows, places.known, places.hits), (2, 2, 1));

    // Beside the same as of the first appeal.
    let as_of = Some(AsOf { moment: Some(Moment::Position(first)) });
    let request = GetBoardRequest {
        selection: Some(about(BoardFigure::OpenAppeals)),
        group_by: vec![BoardDimension::Topic.into()],
        compare: Some(BoardComparison { as_of, ..<_>::default() }),
        min_position: last.clone(),
        ..<_>::default()
    };
    let open = board(&supervisor, request).await;
    let [cell] = open.cells.as_slice() else { panic!("{:?}", open.cells) };
    assert_eq!(cell.values, ["T06"]);
    let rows = |sums: &Option<BoardSums>| sums.as_ref().map(|sums| sums.rows);
    assert_eq!((rows(&cell.sums), rows(&cell.before)), (Some(2), Some(1)));
    assert_eq!((rows(&open.total), rows(&open.total_before)), (Some(2), Some(1)));

    // The rows behind it, one page each.
    let mut selection = about(BoardFigure::OpenAppeals);
    selection.cell =
        vec![BoardValue { dimension: BoardDimension::Topic.into(), value: "T06".to_owned() }];
    let mut request =
        ListBoardRowsRequest { selection: Some(selection), page_size: 1, ..<_>::default() };
    let mut enterprises = vec![];
    loop {
        let mut boards = supervisor.boards.clone();
        let page = boards.list_board_rows(request.clone()).await.unwrap().into_inner();
        enterprises.extend(page.rows.iter().map(|row| row.enterprise_id.clone()));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    enterprises.sort();
    assert_eq!(enterprises, [ENTERPRISE, OTHER]);

    // Who is in charge of nothing of it counts nothing; an enterprise counts nothing at all.
    let tax = world.unit("tax");
    assert_eq!(total(&tax, BoardFigure::Visits, &last).await.rows, 0);
    let own = world.enterprise(ENTERPRISE);
    assert_eq!(total(&own, BoardFigure::OpenAppeals, &last).await.rows, 0);
    let mut boards = tax.boards.clone();
    let refused = boards.list_board_rows(request_of_nobody()).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_INVALID");
}

fn request_of_nobody() -> ListBoardRowsRequest {
    ListBoardRowsRequest { page_token: "x".to_owned(), ..<_>::default() }
}

async fn file(client: &Client, content: Content, format: ExportFormat) -> Vec<u8> {
    let request = ExportBoardRequest { content: Some(content), format: format.into() };
    let mut parts = client.boards.clone().export_board(request).await.unwrap().into_inner();
    let first = parts.message().await.unwrap().unwrap();
    assert!(first.chunk.is_empty() && !first.position.is_empty());
    let mut file = vec![];
    while let Some(part) = parts.message().await.unwrap() {
        file.extend(part.chunk);
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_the_same_numbers_and_the_same_rows() {
    let world = World::start().await;
    let (_, last) = Box::pin(story(&world)).await;
    let supervisor = world.role(Role::Supervisor);
    let rows = ListBoardRowsRequest {
        selection: Some(about(BoardFigure::Places)),
        min_position: last.clone(),
        ..<_>::default()
    };
    let text = file(&supervisor, Content::Rows(rows), ExportFormat::Csv).await;
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("\u{feff}检查 visit_id,企业 enterprise_id"), "{text}");
    assert!(lines.iter().any(|line| line.contains(OTHER) && line.contains("否 no")), "{text}");
    let board = GetBoardRequest {
        selection: Some(about(BoardFigure::Places)),
        min_position: last,
        ..<_>::default()
    };
    let book = file(&supervisor, Content::Board(board.clone()), ExportFormat::Xlsx).await;
    assert_eq!(&book[..2], b"PK");
    let text = file(&supervisor, Content::Board(board), ExportFormat::Csv).await;
    let text = String::from_utf8(text).unwrap();
    assert!(text.lines().last().unwrap().starts_with("合计 total,,2,2,2,1,0.5000"), "{text}");
}
