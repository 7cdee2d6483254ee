//! Statements that take longer than they may: whoever asked is told so and when to try again, and their connections
//! answer whoever comes next.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use doudi_api::permission::Role;
use doudi_api::proto::{
    BoardFigure, BoardSelection, GetBoardRequest, GetEnterprisePageRequest, ListAppealsRequest,
    as_of::Moment,
};
use doudi_server::client::Client;
use doudi_tests::world::{Ground, World};
use doudi_views::ViewName;
use tokio_postgres::NoTls;
use tonic::{Code, Response, Status};
use tonic_types::{ErrorDetail, StatusExt};

use super::requests::{at, reason, register, submit};

const ENTERPRISE: &str = "91210212DD0000001D";
/// How long anything may take here that nothing holds up.
const BOUND: Duration = Duration::from_secs(60);
/// How long a statement may take, and how long by default.
const STATEMENT: Duration = Duration::from_secs(1);
const STATEMENT_BY_DEFAULT: Duration = Duration::from_secs(10);
/// So few connections that each has to do with it.
const CONNECTIONS: usize = 4;

fn said<T: Debug>(answer: Result<Response<T>, Status>) -> Result<String, Status> {
    answer.map(|answer| format!("{:?}", answer.into_inner()))
}

/// What is answered by one statement, by one in a transaction because it is about then, by one that counts, and by
/// several of several views; all at once.
async fn asked(client: &Client, then: &str) -> [Result<String, Status>; 4] {
    let list = ListAppealsRequest::default();
    let as_of = at(Moment::Position(then.to_owned()));
    let earlier = ListAppealsRequest { as_of, ..<_>::default() };
    let figure = BoardFigure::OpenAppeals.into();
    let selection = Some(BoardSelection { figure, ..<_>::default() });
    let board = GetBoardRequest { selection, ..<_>::default() };
    let page = GetEnterprisePageRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
    let (mut lists, mut other) = (client.appeals.clone(), client.appeals.clone());
    let (mut boards, mut pages) = (client.boards.clone(), client.supervision.clone());
    let (list, earlier, board, page) = tokio::join!(
        lists.list_appeals(list),
        other.list_appeals(earlier),
        boards.get_board(board),
        pages.get_enterprise_page(page),
    );
    [said(list), said(earlier), said(board), said(page)]
}

/// A view that cannot be read for now, in both languages, without a word of what PostgreSQL said.
fn assert_says_when_to_try_again(status: &Status) {
    assert_eq!((status.code(), &*reason(status)), (Code::Unavailable, "VIEW_UNAVAILABLE"));
    let english = "the views cannot be read at the moment";
    assert_eq!(status.message(), english);
    let mut told = vec![];
    for detail in status.get_error_details_vec() {
        if let ErrorDetail::LocalizedMessage(message) = detail {
            told.push(message.message);
        }
    }
    assert_eq!(told, [english, "查询服务暂时不可用，请稍后重试"]);
    let details = status.get_error_details();
    let retry = details.retry_info().expect("it says when to try again");
    assert_eq!(retry.retry_delay, Some(Duration::from_secs(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_takes_too_long_is_told_so_and_the_connection_answers_the_next() {
    let mut ground = Ground::start().await;
    ground.config.postgres.statement_timeout = STATEMENT;
    ground.config.postgres.pool_size_max = CONNECTIONS;
    let world = World::start_on(ground).await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut own = world.enterprise(ENTERPRISE);
    let submitted = own.appeals.submit_appeal(submit(ENTERPRISE, "T06", "")).await.unwrap();
    let then = submitted.into_inner().receipt.unwrap().position;
    let parts = &world.running.parts;
    let end = parts.journal.last_position().await.unwrap();
    for view in ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
    let supervisor = world.role(Role::Supervisor);
    let before = Box::pin(asked(&supervisor, &then)).await.map(Result::unwrap);

    let url = world.ground.config.postgres.url.expose();
    let (holder, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let lock = format!("BEGIN; LOCK TABLE {}.appeal", ViewName::Appeals.schema());
    holder.batch_execute(&lock).await.unwrap();
    let begun = Instant::now();
    for refused in Box::pin(asked(&supervisor, &then)).await {
        assert_says_when_to_try_again(&refused.unwrap_err());
    }
    let took = begun.elapsed();
    assert!(STATEMENT <= took && took < STATEMENT_BY_DEFAULT, "{took:?}");

    holder.batch_execute("ROLLBACK").await.unwrap();
    // As many as there are connections, twice.
    let again = || Box::pin(asked(&supervisor, &then));
    let (one, other) = tokio::join!(again(), again());
    for after in [one, other] {
        assert_eq!(after.map(Result::unwrap), before);
    }
    drop(holder);
    connection.await.unwrap().unwrap();
    world.stop().await;
}
