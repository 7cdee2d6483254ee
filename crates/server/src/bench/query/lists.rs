//! Each list with each of its filters on the large tables: how long a page takes.

use doudi_api::proto::{
    AlertFilter, AlertKind, AppealState, BoardFigure, BoardSelection, ClockKind, ClockLevel,
    Escalation, Ground, GuaranteeTrigger, ListAlertsRequest, ListAppealsRequest,
    ListBoardRowsRequest, ListInboxRequest, ListStuckRequest, ListTimelineRequest,
    ListUnitLedgerRequest, ListVisitsRequest, StuckReason, TimelineKind, VisitFilter, VisitState,
};
use jiff::civil::date;
use tonic::Status;

use super::{AREA, UNIT, percentiles, scans::Watch, timed};
use crate::{bench::BenchError, client::Client};

/// How often each list is asked for at most.
const ASKS: u32 = 20;
/// How many rows a page has.
const PAGE: u32 = 50;

/// Asks for every list by each of its filters, and says how long that took.
pub(super) async fn each(
    caller: &Client,
    own: &str,
    watch: &mut Watch<'_>,
) -> Result<(), BenchError> {
    timelines(caller, own, watch).await?;
    visits(caller, own, watch).await?;
    appeals(caller, own, watch).await?;
    owed(caller, watch).await?;
    others(caller, watch).await
}

/// Times one question.
async fn ask<T>(
    name: &str,
    watch: &mut Watch<'_>,
    question: impl AsyncFn() -> Result<T, Status>,
) -> Result<(), BenchError> {
    let mut times = vec![];
    for _ in 0..watch.times(ASKS) {
        times.push(timed(question()).await?.0);
    }
    let [p50, p95, _] = percentiles(&mut times);
    watch.report.line("milliseconds for a page of 50", name, &[("p50", p50), ("p95", p95)]);
    watch.note(name).await
}

async fn timelines(caller: &Client, own: &str, watch: &mut Watch<'_>) -> Result<(), BenchError> {
    let list = async |request: ListTimelineRequest| {
        let request =
            ListTimelineRequest { enterprise_id: own.to_owned(), page_size: PAGE, ..request };
        caller.timelines.clone().list_timeline(request).await
    };
    ask("timeline", watch, async || list(<_>::default()).await).await?;
    let kinds = vec![TimelineKind::Visit.into()];
    ask("timeline, kind", watch, async || {
        list(ListTimelineRequest { kinds: kinds.clone(), ..<_>::default() }).await
    })
    .await
}

async fn visits(caller: &Client, own: &str, watch: &mut Watch<'_>) -> Result<(), BenchError> {
    let (unit, area) = (UNIT.to_owned(), AREA.to_owned());
    let states = vec![VisitState::Planned.into()];
    let grounds = vec![Ground::Random.into()];
    let filters = [
        ("visits", VisitFilter::default()),
        ("visits, unit", VisitFilter { unit: unit.clone(), ..<_>::default() }),
        ("visits, unit and state", VisitFilter { unit, states: states.clone(), ..<_>::default() }),
        ("visits, area", VisitFilter { area: area.clone(), ..<_>::default() }),
        ("visits, area and state", VisitFilter { area, states: states.clone(), ..<_>::default() }),
        ("visits, enterprise", VisitFilter { enterprise_id: own.to_owned(), ..<_>::default() }),
        ("visits, state", VisitFilter { states, ..<_>::default() }),
        ("visits, ground", VisitFilter { grounds, ..<_>::default() }),
        ("visits, joint", VisitFilter { joint: true, ..<_>::default() }),
    ];
    for (name, filter) in filters {
        for newest_first in [false, true] {
            let request = ListVisitsRequest {
                filter: Some(filter.clone()),
                newest_first,
                page_size: PAGE,
                ..<_>::default()
            };
            let order = if newest_first { "newest first" } else { "oldest first" };
            ask(&format!("{name}, {order}"), watch, async || {
                caller.visit_lists.clone().list_visits(request.clone()).await
            })
            .await?;
        }
    }
    let ledger = ListUnitLedgerRequest {
        unit: UNIT.to_owned(),
        year: 2025,
        page_size: PAGE,
        ..<_>::default()
    };
    ask("ledger of a unit", watch, async || {
        caller.visit_lists.clone().list_unit_ledger(ledger.clone()).await
    })
    .await
}

async fn appeals(caller: &Client, own: &str, watch: &mut Watch<'_>) -> Result<(), BenchError> {
    let (unit, area) = (UNIT.to_owned(), AREA.to_owned());
    let state = AppealState::Submitted.into();
    let none = ListAppealsRequest::default;
    let lists = [
        ("appeals", none()),
        ("appeals, state", ListAppealsRequest { state, ..none() }),
        ("appeals, area", ListAppealsRequest { area: area.clone(), ..none() }),
        ("appeals, area and state", ListAppealsRequest { area, state, ..none() }),
        ("appeals, unit", ListAppealsRequest { unit: unit.clone(), ..none() }),
        ("appeals, unit and state", ListAppealsRequest { unit, state, ..none() }),
        ("appeals, topic", ListAppealsRequest { topic: "T05".to_owned(), ..none() }),
        ("appeals, enterprise", ListAppealsRequest { enterprise_id: own.to_owned(), ..none() }),
        (
            "appeals, guarantee",
            ListAppealsRequest { guarantee: GuaranteeTrigger::NoOwner.into(), ..none() },
        ),
        ("appeals, open only", ListAppealsRequest { open_only: true, ..none() }),
    ];
    for (name, request) in lists {
        let request = ListAppealsRequest { page_size: PAGE, ..request };
        ask(name, watch, async || caller.appeals.clone().list_appeals(request.clone()).await)
            .await?;
    }
    Ok(())
}

async fn owed(caller: &Client, watch: &mut Watch<'_>) -> Result<(), BenchError> {
    let (unit, area) = (UNIT.to_owned(), AREA.to_owned());
    let none = ListInboxRequest::default;
    let inboxes = [
        ("inbox", none()),
        ("inbox, unit", ListInboxRequest { unit: unit.clone(), ..none() }),
        ("inbox, area", ListInboxRequest { area: area.clone(), ..none() }),
        ("inbox, kind", ListInboxRequest { kind: ClockKind::Dispatch.into(), ..none() }),
        ("inbox, level", ListInboxRequest { level: ClockLevel::Red.into(), ..none() }),
        (
            "inbox, escalation",
            ListInboxRequest { escalation: Escalation::Supervise.into(), ..none() },
        ),
        ("inbox, overdue", ListInboxRequest { overdue: true, ..none() }),
    ];
    for (name, request) in inboxes {
        let request = ListInboxRequest { page_size: PAGE, ..request };
        ask(name, watch, async || caller.cases.clone().list_inbox(request.clone()).await).await?;
    }
    let none = ListStuckRequest::default;
    let reason = StuckReason::NoMovement.into();
    let stuck = [
        ("stuck", ListStuckRequest { reason, ..none() }),
        ("stuck, area", ListStuckRequest { reason, area, ..none() }),
        ("stuck, unit", ListStuckRequest { reason, unit, ..none() }),
        ("stuck, bounced", ListStuckRequest { reason: StuckReason::Bounced.into(), ..none() }),
        (
            "stuck, awaiting a ruling",
            ListStuckRequest { reason: StuckReason::AwaitingRuling.into(), ..none() },
        ),
    ];
    for (name, request) in stuck {
        let request = ListStuckRequest { page_size: PAGE, ..request };
        ask(name, watch, async || caller.cases.clone().list_stuck(request.clone()).await).await?;
    }
    Ok(())
}

async fn others(caller: &Client, watch: &mut Watch<'_>) -> Result<(), BenchError> {
    let kind = AlertKind::VisitsExcessive.into();
    for (name, filter) in [
        ("alerts", AlertFilter::default()),
        ("alerts, kind", AlertFilter { kind, ..<_>::default() }),
        ("alerts, unit", AlertFilter { unit: UNIT.to_owned(), ..<_>::default() }),
        ("alerts, area", AlertFilter { area: AREA.to_owned(), ..<_>::default() }),
    ] {
        let request = ListAlertsRequest { filter: Some(filter), page_size: PAGE, ..<_>::default() };
        ask(name, watch, async || caller.alerts.clone().list_alerts(request.clone()).await).await?;
    }
    let open = BoardSelection { figure: BoardFigure::OpenAppeals.into(), ..<_>::default() };
    for (name, selection) in [
        ("rows of a board, visits", super::visits(date(2025, 1, 1), date(2025, 12, 31))),
        ("rows of a board, open appeals", open),
    ] {
        let request =
            ListBoardRowsRequest { selection: Some(selection), page_size: PAGE, ..<_>::default() };
        ask(name, watch, async || caller.boards.clone().list_board_rows(request.clone()).await)
            .await?;
    }
    Ok(())
}
