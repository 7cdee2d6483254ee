//! Lists as of half way on the large tables, for each shape of scope: how long a page takes.

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{
        AsOf, BoardFigure, BoardSelection, CountInboxRequest, CountVisitsRequest, GetBoardRequest,
        ListAppealsRequest, ListInboxRequest, ListStuckRequest, ListUnitLedgerRequest,
        ListVisitsRequest, as_of::Moment,
    },
};
use tonic::Status;

use super::{AREA, Half, UNIT, percentiles, scans::Watch, timed};
use crate::{bench::BenchError, client::Client, stage::Stage, token};

/// How often each list is asked for at most.
const ASKS: u32 = 5;
/// How many rows a page has.
const PAGE: u32 = 50;

/// Asks for every list as of half way, as a unit, a desk, a supervisor and the enterprise `own`.
pub(super) async fn each(
    stage: &Stage,
    (own, half): (&str, &Half),
    watch: &mut Watch<'_>,
) -> Result<(), BenchError> {
    let desk = Claims { areas: vec![AREA.to_owned()], ..token::claims(Role::Dispatcher) };
    let enterprise = Claims { enterprise: Some(own.to_owned()), ..token::claims(Role::Enterprise) };
    for (who, claims) in [
        ("a unit", token::claims(Role::UnitHead)),
        ("an area", desk),
        ("all areas", token::claims(Role::Supervisor)),
        ("an enterprise", enterprise),
    ] {
        let caller = super::caller(stage, claims)?;
        let ledger = who != "an enterprise";
        Box::pin(visits(&caller, (who, ledger), half, watch)).await?;
        Box::pin(appeals(&caller, who, half, watch)).await?;
    }
    Ok(())
}

/// Times one question, and counts how often it was refused because it took too long.
async fn ask<T>(
    (name, who): (&str, &str),
    watch: &mut Watch<'_>,
    question: impl AsyncFn() -> Result<T, Status>,
) -> Result<(), BenchError> {
    let (mut times, mut refused) = (vec![], 0.0);
    for _ in 0..watch.times(ASKS) {
        match timed(question()).await {
            Ok((took, _)) => times.push(took),
            Err(_) => refused += 1.0,
        }
    }
    let [p50, _, p99] = percentiles(&mut times);
    let figures = [("p50", p50), ("p99", p99), ("refused", refused)];
    let name = format!("{name}, {who}");
    watch.report.line("milliseconds as of half way", &name, &figures);
    watch.note(&name).await
}

async fn visits(
    caller: &Client,
    (who, ledger): (&str, bool),
    half: &Half,
    watch: &mut Watch<'_>,
) -> Result<(), BenchError> {
    let lists = &caller.visit_lists;
    let as_of = Some(AsOf { moment: Some(Moment::RecordedAt(half.of_year)) });
    for (name, newest_first) in [("visits, oldest first", false), ("visits, newest first", true)] {
        let request = ListVisitsRequest {
            newest_first,
            page_size: PAGE,
            as_of: as_of.clone(),
            ..<_>::default()
        };
        ask((name, who), watch, async || lists.clone().list_visits(request.clone()).await).await?;
    }
    let request = CountVisitsRequest { as_of: as_of.clone(), ..<_>::default() };
    ask(("count of visits", who), watch, async || {
        lists.clone().count_visits(request.clone()).await
    })
    .await?;
    if ledger {
        let unit = UNIT.to_owned();
        let request =
            ListUnitLedgerRequest { unit, year: 2025, page_size: PAGE, as_of, ..<_>::default() };
        ask(("ledger", who), watch, async || lists.clone().list_unit_ledger(request.clone()).await)
            .await?;
    }
    Ok(())
}

async fn appeals(
    caller: &Client,
    who: &str,
    half: &Half,
    watch: &mut Watch<'_>,
) -> Result<(), BenchError> {
    let as_of = Some(AsOf { moment: Some(Moment::Position(half.of_appeals.clone())) });
    let request = ListAppealsRequest { page_size: PAGE, as_of: as_of.clone(), ..<_>::default() };
    ask(("appeals", who), watch, async || {
        caller.appeals.clone().list_appeals(request.clone()).await
    })
    .await?;
    let request = ListInboxRequest { page_size: PAGE, as_of: as_of.clone(), ..<_>::default() };
    ask(("inbox", who), watch, async || caller.cases.clone().list_inbox(request.clone()).await)
        .await?;
    let request = CountInboxRequest { as_of: as_of.clone(), ..<_>::default() };
    ask(("count of an inbox", who), watch, async || {
        caller.cases.clone().count_inbox(request.clone()).await
    })
    .await?;
    let request = ListStuckRequest { page_size: PAGE, as_of: as_of.clone(), ..<_>::default() };
    ask(("stuck", who), watch, async || caller.cases.clone().list_stuck(request.clone()).await)
        .await?;
    let figure = BoardFigure::OpenAppeals.into();
    let selection = Some(BoardSelection { figure, ..<_>::default() });
    let request = GetBoardRequest { selection, as_of, ..<_>::default() };
    ask(("board of open appeals", who), watch, async || {
        caller.boards.clone().get_board(request.clone()).await
    })
    .await
}
