//! Which question has PostgreSQL scan which large table sequentially, and which questions may.
//!
//! A connection tells what it read when it is closed, so each question is asked on connections of its own.

use std::{collections::BTreeMap, time::Duration};

use doudi_views::{Views, tokio_postgres::Client as Bare};
use tokio::time::Instant;

use super::Scale;
use crate::bench::{BenchError, measured, report::Report};

/// The questions for which a large table may be scanned, and by whom they are asked then.
const MAY_SCAN: [(&str, &[&str]); 5] = [
    // Rows of a board are in the order of their instants, which are counted from days: a whole year is sorted.
    ("rows of a board, visits", &[""]),
    // Likewise, of all that is open, which is most of what there is here.
    ("rows of a board, open appeals", &[""]),
    // As of half way. What was so then and is still is half of all there is: to be counted.
    ("count of visits", &[UNIT, ALL]),
    ("count of an inbox", &[AREA, ALL]),
    ("board of open appeals", &[AREA, ALL]),
];
/// Who asks as of half way, but for enterprises.
const UNIT: &str = ", a unit";
const AREA: &str = ", an area";
const ALL: &str = ", all areas";

/// How long it is waited for connections to close. One that is still open after that has told by itself, which
/// PostgreSQL has it do after 10 s without work.
const TOLD_WITHIN: Duration = Duration::from_secs(12);
/// How often it is looked whether they are closed.
const LOOK: Duration = Duration::from_millis(5);
/// The connections of doudi.
const CONNECTIONS: &str = "SELECT pid FROM pg_stat_activity \
     WHERE backend_type = 'client backend' AND application_name = 'doudi'";

/// A question for which a large table was scanned, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scanned {
    question: String,
    table: String,
    scans: i64,
}

/// Looks at the large tables from one question to the next.
pub(super) struct Watch<'a> {
    /// What each question took.
    pub(super) report: &'a mut Report,
    scale: Scale,
    bare: &'a Bare,
    views: &'a Views,
    /// The connections that no question is asked on, which stay open.
    others: Vec<i32>,
    /// How often each large table was scanned until the question before.
    known: BTreeMap<String, i64>,
    scanned: Vec<Scanned>,
}

impl<'a> Watch<'a> {
    /// Begins while nothing is asked.
    pub(super) async fn begin(
        (bare, views): (&'a Bare, &'a Views),
        scale: Scale,
        report: &'a mut Report,
    ) -> Result<Self, BenchError> {
        views.close_idle();
        let others = bare.query(CONNECTIONS, &[]).await.map_err(measured)?;
        let others = others.iter().map(|row| row.get::<_, i32>(0)).collect();
        let (known, scanned) = (BTreeMap::new(), vec![]);
        let mut watch = Self { report, scale, bare, views, others, known, scanned };
        watch.known = watch.scans().await?;
        Ok(watch)
    }

    /// How often a question is asked of which `most` are enough.
    pub(super) fn times(&self, most: u32) -> u32 {
        most.min(self.scale.asks)
    }

    /// Takes note of what was scanned for the question that was asked last.
    pub(super) async fn note(&mut self, question: &str) -> Result<(), BenchError> {
        if self.known.is_empty() {
            return Ok(());
        }
        let now = self.scans().await?;
        for (table, count) in &now {
            let scans = count - self.known.get(table).unwrap_or(count);
            if scans > 0 {
                let (question, table) = (question.to_owned(), table.clone());
                self.scanned.push(Scanned { question, table, scans });
            }
        }
        self.known = now;
        Ok(())
    }

    /// How often each large table was scanned, by everybody who is not at work any more.
    async fn scans(&self) -> Result<BTreeMap<String, i64>, BenchError> {
        let (mut looks, began) = (tokio::time::interval(LOOK), Instant::now());
        while began.elapsed() < TOLD_WITHIN {
            looks.tick().await;
            self.views.close_idle();
            let open = self.bare.query(CONNECTIONS, &[]).await.map_err(measured)?;
            if open.iter().all(|row| self.others.contains(&row.get::<_, i32>(0))) {
                break;
            }
        }
        // What this connection itself has scanned is told now, for it is no question's.
        let tell = "SELECT pg_stat_force_next_flush()";
        self.bare.batch_execute(tell).await.map_err(measured)?;
        let statement = "SELECT schemaname || '.' || relname, seq_scan FROM pg_stat_user_tables \
             WHERE n_live_tup >= $1 AND schemaname <> 'bench'";
        let rows = self.bare.query(statement, &[&self.scale.large]).await.map_err(measured)?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Prints how often each large table was scanned and for which questions, and gives what was scanned for
    /// questions for which it may not be.
    pub(super) fn tell(self) -> Undue {
        let Self { report, known, scanned, .. } = self;
        for table in known.keys() {
            let of_table = scanned.iter().filter(|found| found.table == *table);
            let scans = number(of_table.map(|found| found.scans).sum());
            report.line("large tables", table, &[("sequential scans", scans)]);
        }
        for Scanned { question, table, scans } in &scanned {
            let of = format!("{question}: {table}");
            report.line("scanned for a question", &of, &[("times", number(*scans))]);
        }
        Undue::of(scanned)
    }
}

fn number(scans: i64) -> f64 {
    f64::from(u32::try_from(scans).unwrap_or(u32::MAX))
}

/// What was scanned for questions for which it may not be.
#[must_use]
#[derive(Debug, Default)]
pub(super) struct Undue(Vec<Scanned>);

impl Undue {
    fn of(mut scanned: Vec<Scanned>) -> Self {
        let of = |question: &str, (name, asked_by): &(&str, &[&str])| {
            question.strip_prefix(name).is_some_and(|by| asked_by.contains(&by))
        };
        scanned.retain(|found| !MAY_SCAN.iter().any(|may| of(&found.question, may)));
        Self(scanned)
    }

    /// An error where there is any.
    pub(super) fn none(&self) -> Result<(), BenchError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let each = self.0.iter().map(|found| format!("\n  {}: {}", found.question, found.table));
        let each: String = each.collect();
        Err(measured(format!("large tables were scanned sequentially for questions:{each}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_an_error_but_for_questions_that_may() {
        let found = |question: &str| {
            let (question, table) = (question.to_owned(), "visits.visit".to_owned());
            Scanned { question, table, scans: 20 }
        };
        let may = ["rows of a board, visits", "count of visits, all areas"];
        assert!(Undue::of(may.map(found).into()).none().is_ok());
        let not = ["visits, area", "inbox, a unit", "count of visits, an enterprise"].map(found);
        let undue = Undue::of([&not[..], &[found(may[0])]].concat());
        assert_eq!(undue.0, not);
        assert!(undue.none().is_err());
    }
}
