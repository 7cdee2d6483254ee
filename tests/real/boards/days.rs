//! Boards by days of Asia/Shanghai: what lies on either side of a midnight counts on its own day, and a comparison
//! says of each range what the same board says of it alone.

use doudi_api::permission::Role;
use doudi_api::proto::{
    BoardCell, BoardComparison, BoardFigure, BoardSelection, BoardSums, Date, GetBoardRequest,
    GetBoardResponse, ResolutionOutcome, ResolveAppealRequest,
};
use doudi_server::client::command_id;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        midnight::Midnight,
        requests::{backfilled, dispatched, on, register, sign_for, submit},
    },
    board,
};

/// Those that appeal, and those that are visited.
const APPEALING: [&str; 3] = ["L-1", "L-2", "L-3"];
const VISITED: [&str; 2] = ["L-4", "L-5"];
/// Who leads what they appeal about.
const LEAD: &str = "power-supply";

async fn appealed(night: &Midnight, enterprise: &str) -> String {
    let (mut own, mut desk) = (night.enterprise(enterprise), night.role(Role::Dispatcher));
    let request = submit(enterprise, "T06", "");
    let (appeal, unit) = Box::pin(dispatched(&mut own, &mut desk, request)).await;
    assert_eq!(unit, LEAD);
    appeal
}

async fn resolved(night: &Midnight, enterprise: &str, appeal: &str) {
    let mut lead = night.unit(LEAD);
    lead.appeals.sign_for_appeal(sign_for(enterprise, appeal)).await.unwrap();
    let request = ResolveAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        outcome: ResolutionOutcome::Solved.into(),
        reply: "已送电".to_owned(),
        expected_version: None,
    };
    lead.appeals.resolve_appeal(request).await.unwrap();
}

/// The tax bureau's officers came then, which is entered afterwards. Gives the position.
async fn came(night: &Midnight, enterprise: &str, at: Timestamp) -> String {
    let request = backfilled(enterprise, at);
    let came = night.unit("tax").inspections.backfill_check_in(request).await.unwrap();
    came.into_inner().receipt.unwrap().position
}

/// An appeal that is resolved in the evening, one that is begun then and resolved in the morning, one of the morning
/// alone; a visit in the last moment of the first day and one in the first of the second. Gives the last position.
async fn story(night: &Midnight) -> String {
    let mut admin = night.role(Role::Admin);
    for enterprise in APPEALING.iter().chain(&VISITED) {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    }
    let [early, across, late] = APPEALING;
    let appeal = appealed(night, early).await;
    resolved(night, early, &appeal).await;
    let begun = appealed(night, across).await;
    night.passes();
    resolved(night, across, &begun).await;
    let appeal = appealed(night, late).await;
    resolved(night, late, &appeal).await;
    came(night, VISITED[0], night.at - SignedDuration::from_millis(1)).await;
    came(night, VISITED[1], night.at).await
}

/// The cells in which `what` is said, each with its values.
fn told(
    board: &GetBoardResponse,
    what: fn(&BoardCell) -> Option<&BoardSums>,
) -> Vec<(&[String], &BoardSums)> {
    let cells = board.cells.iter();
    cells.filter_map(|cell| Some((cell.values.as_slice(), what(cell)?))).collect()
}

fn rows(board: &GetBoardResponse) -> u64 {
    board.total.as_ref().map_or(0, |total| total.rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_of_days_says_what_the_board_says_of_each_range_alone() {
    let night = Midnight::start().await;
    let last = Box::pin(story(&night)).await;
    let supervisor = night.role(Role::Supervisor);
    let days = [-1, 0].map(|days| on(night.day(days)));
    for (figure, expected) in [
        (BoardFigure::Resolved, [1, 2]),
        // Each leaves four states; the one that goes on overnight leaves two of them in the morning.
        (BoardFigure::Dwell, [6, 6]),
        (BoardFigure::Visits, [1, 1]),
    ] {
        let ask = async |from: Date, until: Date, compare: Option<BoardComparison>| {
            let (from, until) = (Some(from), Some(until));
            let selection = BoardSelection { figure: figure.into(), from, until, ..<_>::default() };
            let request = GetBoardRequest {
                selection: Some(selection),
                compare,
                min_position: last.clone(),
                ..<_>::default()
            };
            board(&supervisor, request).await
        };
        let alone = [ask(days[0], days[0], None).await, ask(days[1], days[1], None).await];
        assert_eq!(alone.each_ref().map(rows), expected, "{figure:?}");
        let both = ask(days[0], days[1], None).await;
        assert_eq!(rows(&both), expected.iter().sum::<u64>(), "{figure:?}: no day has it twice");
        for (now, then) in [(1, 0), (0, 1)] {
            let (from, until) = (Some(days[then]), Some(days[then]));
            let comparison = BoardComparison { from, until, as_of: None };
            let compared = ask(days[now], days[now], Some(comparison)).await;
            let here = told(&alone[now], |cell| cell.sums.as_ref());
            let there = told(&alone[then], |cell| cell.sums.as_ref());
            assert_eq!(told(&compared, |cell| cell.sums.as_ref()), here, "{figure:?}");
            assert_eq!(told(&compared, |cell| cell.before.as_ref()), there, "{figure:?}");
            assert_eq!(compared.total, alone[now].total, "{figure:?}");
            assert_eq!(compared.total_before, alone[then].total, "{figure:?}");
            assert!(!compared.cut && alone.iter().all(|board| board.total_before.is_none()));
        }
    }
    night.world.stop().await;
}
