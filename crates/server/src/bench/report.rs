//! What a bench found: lines of figures, each beside what the disk did, printed as tables while it runs, and kept
//! as JSON where that is asked for.

use std::{fs, path::PathBuf};

use serde_json::{Map, Value, json};

use super::{BenchError, disk::Latencies, measured};

/// How wide the first column is.
const NAME_WIDTH: usize = 34;
/// How wide the other columns are at least.
const FIGURE_WIDTH: usize = 9;

/// A name of a figure, its unit included, and the figure.
pub type Figure = (&'static str, f64);

/// Prints lines as they come and keeps them.
#[derive(Debug)]
pub struct Report {
    bench: &'static str,
    file: Option<PathBuf>,
    /// The table that was printed last, by its name and its columns.
    table: (String, Vec<&'static str>),
    /// What the disk did around what the next lines tell of.
    disk: [Figure; 3],
    lines: Vec<Value>,
}

impl Report {
    /// An empty report of the bench of that name. `file` is where its JSON is to be written at the end.
    #[must_use]
    pub fn new(bench: &'static str, file: Option<PathBuf>) -> Self {
        let disk = Latencies::default().figures();
        Self { bench, file, table: <_>::default(), disk, lines: vec![] }
    }

    /// The lines that follow stand beside what the disk did in these looks, which were taken before what the lines
    /// tell of and, where that is known, after it.
    pub fn beside(&mut self, looks: impl IntoIterator<Item = Latencies>) {
        let mut disk = Latencies::default();
        for look in looks {
            disk.add(look);
        }
        self.disk = disk.figures();
    }

    /// A line of the table of that name: of what the figures are, the figures, and the disk's beside them.
    pub fn line(&mut self, table: &str, of: &str, figures: &[Figure]) {
        let cells: Vec<Figure> = figures.iter().chain(&self.disk).copied().collect();
        let columns: Vec<&'static str> = cells.iter().map(|(name, _)| *name).collect();
        let head = (table.to_owned(), columns);
        if self.table != head {
            let columns = head.1.iter().map(|name| format!("  {name:>FIGURE_WIDTH$}"));
            println!("\n{table:<NAME_WIDTH$}{}", columns.collect::<String>());
            self.table = head;
        }
        let cells = cells.iter().map(|(name, figure)| {
            let width = name.chars().count().max(FIGURE_WIDTH);
            format!("  {:>width$}", short(*figure))
        });
        println!("{of:<NAME_WIDTH$}{}", cells.collect::<String>());
        let (figures, disk) = (named(figures), named(&self.disk));
        self.lines.push(json!({ "table": table, "of": of, "figures": figures, "disk": disk }));
    }

    /// Writes the JSON where it is wanted.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when the file cannot be written.
    pub fn end(self) -> Result<(), BenchError> {
        let Some(file) = self.file else { return Ok(()) };
        let cpus = std::thread::available_parallelism().map(usize::from).ok();
        let whole = json!({ "bench": self.bench, "cpus": cpus, "lines": self.lines });
        fs::write(file, format!("{whole:#}\n")).map_err(measured)
    }
}

fn named(figures: &[Figure]) -> Map<String, Value> {
    figures.iter().map(|(name, figure)| ((*name).to_owned(), json!(figure))).collect()
}

/// As many digits as tell something.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_long_as_they_tell_something() {
        let shown = [12345.6, 100.04, 99.94, 9.994, 0.123, f64::NAN].map(short);
        assert_eq!(shown, ["12346", "100", "99.9", "9.99", "0.12", "NaN"]);
    }

    #[test]
    fn the_file_holds_every_line_with_its_table() {
        let file = std::env::temp_dir().join(format!("doudi-report-{}.json", std::process::id()));
        let mut report = Report::new("tried", Some(file.clone()));
        report.line("first", "one", &[("rate/s", 1.5)]);
        report.line("second", "two", &[("ms", 2.0), ("ratio", 0.5)]);
        report.end().unwrap();
        let told: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(told["bench"], "tried");
        assert_eq!(told["lines"][0]["table"], "first");
        assert_eq!(told["lines"][1]["figures"]["ratio"], 0.5);
    }
}
