//! The simulated years as an operator runs them: they end well only where every table equals its replay, no
//! limit was overshot by a decision, and no case is silent.

use std::time::Duration;

use doudi_tests::program::command;
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(300);

/// Runs a small year, and answers with what it printed.
async fn year(what: &[&str]) -> String {
    let mut command = command();
    let run = timeout(BOUND, command.arg("simulate").args(what).output());
    let output = run.await.expect("the year passes in time").unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_inspections_ends_with_tables_that_equal_their_replay() {
    let printed = year(&["inspections", "--seed", "7", "--enterprises", "90"]).await;
    for line in [
        "visits took place",
        "joint 综合查一次",
        "on exempt grounds 不计频次",
        "kept offline 离线",
        "refused by 拒绝依据",
        "one-a-year-by-the-same-unit",
        "alert 检查预警",
        "24 draws 双随机, 3 campaigns 专项检查",
        "0 broken",
        "view visits at ",
        "earlier positions asked for again: 0 differ",
        "numbers of boards, each of exactly the rows behind it",
    ] {
        assert!(printed.contains(line), "{line:?} is missing in:\n{printed}");
    }
    assert!(!printed.contains(" DIFFERS"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_appeals_ends_with_tables_that_equal_their_replay() {
    let printed = year(&["appeals", "--seed", "7", "--cases", "12"]).await;
    for line in [
        "view appeals at ",
        "earlier positions asked for again: 0 differ",
        "numbers of boards, each of exactly the rows behind it",
    ] {
        assert!(printed.contains(line), "{line:?} is missing in:\n{printed}");
    }
}
