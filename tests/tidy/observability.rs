//! Dashboard and alerts name metrics that there are, and show all of them.

use std::collections::BTreeSet;

use doudi_server::metrics::described;

use super::{none, read};

const DASHBOARD: &str = "deploy/observability/dashboard.json";
const ALERTS: &str = "deploy/observability/alerts.yml";
const ALERTS_TEST: &str = "deploy/observability/alerts_test.yml";

/// The series of ours that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("doudi_")).collect()
}

#[test]
fn dashboard_and_alerts_name_metrics_that_there_are() {
    let listed = described();
    let known: BTreeSet<String> = listed.iter().flat_map(|metric| metric.series()).collect();
    let mut complaints = Vec::new();
    for path in [DASHBOARD, ALERTS, ALERTS_TEST] {
        for name in named(&read(path)) {
            if !known.contains(name) {
                complaints.push(format!(
                    "{path}: there is no {name}; crates/server/src/metrics/list.rs has them all"
                ));
            }
        }
    }
    let dashboard = read(DASHBOARD);
    let shown = named(&dashboard);
    for metric in &listed {
        if !metric.series().iter().any(|series| shown.contains(series.as_str())) {
            complaints.push(format!("{DASHBOARD}: no panel shows {}", metric.name));
        }
    }
    none(&complaints);
}

#[test]
fn each_alert_has_a_test_in_which_it_fires() {
    let tests = read(ALERTS_TEST);
    let fires = |name: &str| {
        let mut lines = tests.lines().map(str::trim);
        let wanted = format!("alertname: {name}");
        std::iter::from_fn(|| lines.find(|line| *line == wanted).and_then(|_| lines.next()))
            .any(|next| next == "exp_alerts:")
    };
    let alerts = read(ALERTS);
    let names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let silent: Vec<String> = names
        .filter(|name| !fires(name))
        .map(|name| format!("{ALERTS_TEST}: let {name} fire"))
        .collect();
    none(&silent);
}
