//! What a bench tells: the lines of its JSON, and the same as it was printed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What the disk did, beside every line.
const DISK: [&str; 3] = ["fdatasync p50 ms", "fdatasync p99 ms", "syncfs p50 ms"];
/// Figures of what may not have happened at all.
const MAY_BE_NOUGHT: [&str; 5] =
    ["late/s", "refused/s", "refused", "overtaken at most", "compared"];
/// Figures of calls that were refused, which are not there where none was.
const OF_REFUSED: [&str; 4] =
    ["p50 ms of them", "p99 ms of them", "refused p50 ms", "refused p99 ms"];

/// The JSON of a bench.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) bench: String,
    pub(super) cpus: u64,
    pub(super) lines: Vec<Line>,
}

/// A line of it. What is no finite number is null in JSON.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) table: String,
    pub(super) of: String,
    pub(super) figures: BTreeMap<String, Option<f64>>,
    disk: BTreeMap<String, Option<f64>>,
}

impl Line {
    /// A figure that must be there.
    pub(super) fn at(&self, name: &str) -> f64 {
        let figure = self.figures.get(name).copied().flatten();
        figure.unwrap_or_else(|| panic!("{self:?} has no {name}"))
    }

    /// That these are its figures and no others.
    pub(super) fn has(&self, names: &[&str]) {
        let mut names = names.to_vec();
        names.sort_unstable();
        assert!(self.figures.keys().eq(&names), "{names:?} in {self:?}");
    }

    /// That every figure is one, and the disk's are there.
    pub(super) fn is_whole(&self) {
        assert!(!self.figures.is_empty(), "{self:?}");
        for (name, figure) in &self.figures {
            let nought = MAY_BE_NOUGHT.contains(&name.as_str());
            let holds = match figure {
                Some(figure) => *figure > 0.0 || nought && *figure >= 0.0,
                None => OF_REFUSED.contains(&name.as_str()),
            };
            assert!(holds, "{name} in {self:?}");
        }
        assert!(self.disk.keys().eq(&DISK), "{self:?}");
        assert!(self.disk.values().all(|figure| figure.is_some_and(|ms| ms > 0.0)), "{self:?}");
    }
}

/// That a ratio is what one figure is to another.
#[track_caller]
pub(super) fn quotient(ratio: f64, of: f64, to: f64) {
    let counted = of / to;
    assert!((ratio - counted).abs() <= 1e-9 * counted.abs(), "{ratio} is not {of} to {to}");
}

/// A row as it was printed.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) table: String,
    pub(super) of: String,
    /// Each with the name of its column.
    cells: Vec<(String, String)>,
}

/// Everything that was printed: tables with an empty line before each, a head with the names of its columns first.
pub(super) fn rows(printed: &str) -> Vec<Row> {
    let mut rows = vec![];
    for table in printed.split("\n\n") {
        let mut lines = table.lines().filter(|line| !line.is_empty()).map(parts);
        let Some(head) = lines.next() else { continue };
        for line in lines {
            assert_eq!(line.len(), head.len(), "{line:?} under {head:?}");
            let cells = head.iter().cloned().zip(line.iter().cloned()).skip(1).collect();
            rows.push(Row { table: head[0].clone(), of: line[0].clone(), cells });
        }
    }
    rows
}

/// What stands in a line, with two spaces or more between.
fn parts(line: &str) -> Vec<String> {
    let parts = line.split("  ").map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// That what was printed are these lines.
pub(super) fn same(lines: &[Line], printed: &str) {
    let rows = rows(printed);
    assert_eq!(rows.len(), lines.len(), "{printed}");
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!((&row.table, &row.of), (&line.table, &line.of));
        assert_eq!(row.cells.len(), line.figures.len() + DISK.len(), "{row:?} {line:?}");
        for (name, cell) in &row.cells {
            let figure = line.figures.get(name).or_else(|| line.disk.get(name));
            let figure = figure.unwrap_or_else(|| panic!("{name} is printed alone: {line:?}"));
            assert!(shows(cell, *figure), "{name}: {cell} is printed for {figure:?}");
        }
    }
}

/// Whether a cell shows a figure, in as many digits as tell something.
fn shows(cell: &str, figure: Option<f64>) -> bool {
    let shown: f64 = cell.parse().unwrap();
    match figure {
        Some(figure) => (shown - figure).abs() <= 0.006_f64.max(figure.abs() * 0.006),
        None => shown.is_nan(),
    }
}
