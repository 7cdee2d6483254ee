//! The numbers of a board, from one statement.

use tokio_postgres::Row;

use super::{Board, CELLS_MAX, Cell, Filter, Query, Sums, figure::Definition};
use crate::{
    ViewError,
    db::column,
    predicate::{Own, Predicate, Scoped, Tense},
    read::Snapshot,
};

impl Filter {
    /// The source of its rows and the condition that they meet; both name the values of `predicate`.
    pub(super) fn rows(
        &self,
        definition: &Definition,
        predicate: &mut Predicate,
        tense: Tense,
    ) -> String {
        let rows = self.figure.rows(predicate, self.idle_since);
        predicate.holds(definition.only);
        match definition.day {
            Some(day) => predicate.within_civil_days(day, self.from, self.until),
            None => predicate.within_days("at", self.from, self.until),
        }
        if let Some(unit) = &self.unit {
            predicate.is("unit", unit.as_str());
        }
        if let Some(area) = &self.area {
            predicate.is("area", area.as_str());
        }
        for (dimension, value) in &self.cell {
            match value.as_str() {
                "" => predicate.holds(format!("{} IS NULL", dimension.column())),
                value => predicate.is(dimension.column(), value),
            }
        }
        // As an enterprise nobody sees any; in another capacity nobody sees what its own is not told.
        let scoped = Scoped { own: Own::Nothing, ..definition.scoped };
        predicate.within(&self.scope, &scoped, tense);
        rows
    }
}

/// Loads a board.
pub(super) async fn load(snapshot: &Snapshot<'_>, query: &Query) -> Result<Board, ViewError> {
    let definition = query.filter.figure.definition();
    let mut predicate = Predicate::default();
    let rows = query.filter.rows(&definition, &mut predicate, snapshot.tense());
    let keys: Vec<&str> = query.group_by.iter().map(|by| by.column()).collect();
    let told: String = keys.iter().map(|key| format!("coalesce({key}::text, ''), ")).collect();
    let (sets, whole) = match keys.as_slice() {
        [] => ("()".to_owned(), "1".to_owned()),
        keys => {
            let keys = keys.join(", ");
            (format!("GROUPING SETS (({keys}), ())"), format!("GROUPING({keys})"))
        }
    };
    let Definition { hit, seconds, .. } = definition;
    // The total comes first, then the cells with the most in them; one more tells whether some are cut.
    let statement = format!(
        "SELECT ARRAY[{told}NULL] AS keys, {whole} > 0 AS whole, count(*) AS rows, \
         count(DISTINCT enterprise) AS enterprises, count({hit}) AS known, \
         count(*) FILTER (WHERE {hit}) AS hits, \
         percentile_cont(0.5) WITHIN GROUP (ORDER BY {seconds}) AS median, \
         percentile_cont(0.9) WITHIN GROUP (ORDER BY {seconds}) AS p90 \
         FROM ({rows}) AS counted WHERE {} GROUP BY {sets} \
         ORDER BY whole DESC, rows DESC, keys LIMIT {}",
        predicate.sql(),
        CELLS_MAX + 2
    );
    let rows = snapshot.meant("counting for a board", &statement, &predicate).await?;
    let (mut cells, mut total) = (Vec::new(), Sums::default());
    for row in &rows {
        match column::<bool>(row, "whole")? {
            true => total = sums(row)?,
            false => cells.push(cell(row, keys.len())?),
        }
    }
    let cut = cells.len() > CELLS_MAX;
    cells.truncate(CELLS_MAX);
    cells.sort_by(|a, b| a.keys.cmp(&b.keys));
    Ok(Board { cells, cut, total, position: snapshot.position().await? })
}

fn cell(row: &Row, keys: usize) -> Result<Cell, ViewError> {
    let told: Vec<Option<String>> = column(row, "keys")?;
    let keys = told.into_iter().take(keys).map(Option::unwrap_or_default).collect();
    Ok(Cell { keys, sums: sums(row)? })
}

fn sums(row: &Row) -> Result<Sums, ViewError> {
    let count = |name| Ok::<_, ViewError>(u64::try_from(column::<i64>(row, name)?).unwrap_or(0));
    let seconds = |name| Ok::<_, ViewError>(column::<Option<f64>>(row, name)?.map(whole));
    Ok(Sums {
        rows: count("rows")?,
        enterprises: count("enterprises")?,
        known: count("known")?,
        hits: count("hits")?,
        median_seconds: seconds("median")?,
        p90_seconds: seconds("p90")?,
    })
}

/// Whole seconds; none of ours are negative or beyond what a double says exactly.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(super) fn whole(seconds: f64) -> u64 {
    seconds.round().clamp(0.0, 9e15) as u64
}
