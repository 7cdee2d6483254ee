//! What rows were. A row that changes leaves its version behind in a table beside it, `<table>_past`,
//! with the commit and the time at which it began to be so and those at which it ceased. So every
//! query can be asked as of an earlier commit, or as of an earlier time in the world, unchanged.
//!
//! `since` is the commit that made a version, `since_at` when what it records happened; `until` and
//! `until_at` are those of the commit that ended it.

use doudi_journal::Position;
use jiff::Timestamp;

use crate::{ViewName, db, predicate::Held};

mod versions;

pub(crate) use versions::{Table, Versions};

/// As when something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// As the log stood at that position: what was known then.
    Recorded(Position),
    /// As the world was at that instant, by all that is known now.
    Occurred(Timestamp),
}

/// How a table remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// Rows change; what they were is in the table beside it.
    Versions(Table),
    /// Rows are only added: each has its `position` and `occurred_at`.
    Added(&'static str),
}

/// How long a past version lasted, in commits, by powers of 4, as the indexes `<table>_past_by_end` have it. What was so
/// at a position ended soon after it, unless it lasted long. So those indexes give what was so then and no longer is,
/// without all else that ended since.
const LASTED: &str = "floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer";

/// So many powers of 4 are each looked up by themselves, what lasted longer all together.
const POWERS: u32 = 17;

/// The beginning of a statement that asks tables of `view` as of then: each of them is named again as what
/// it was, by what was known at `known`, if that is not all that there is. A table that is held as a whole
/// is named as what of it is within the scope. Where only a page of it is held, all of it is named, and
/// beside it what pages are made of: by what was known, `<table>_lasting`, which is so still, whatever the
/// scope, and `<table>_ended`, which is not; else `<table>_held`.
pub(crate) fn prefix(
    view: ViewName,
    as_of: AsOf,
    known: Option<Position>,
    held: Option<&Held>,
) -> String {
    let tables = view.memory().iter().flat_map(|memory| match memory {
        Memory::Versions(table) => {
            let versions = Versioned { table: *table, as_of, known };
            versions.named(held.filter(|held| held.table == table.name))
        }
        Memory::Added(table) => vec![named(table, &added(table, as_of, known))],
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() { String::new() } else { format!("WITH {} ", tables.join(", ")) }
}

fn named(table: &str, rows: &str) -> String {
    format!("{table} AS NOT MATERIALIZED ({rows})")
}

/// A table with past rows, as of then.
struct Versioned {
    table: Table,
    as_of: AsOf,
    known: Option<Position>,
}

impl Versioned {
    fn named(&self, held: Option<&Held>) -> Vec<String> {
        let table = self.table.name;
        match (held, self.as_of) {
            (None, _) => vec![named(table, &self.rows(None))],
            (Some(held), _) if held.whole => vec![named(table, &self.rows(Some(held)))],
            (Some(held), AsOf::Recorded(_)) => vec![
                named(&format!("{table}_lasting"), &self.lasting(None)),
                named(&format!("{table}_ended"), &self.ended(Some(held))),
                named(table, &self.rows(None)),
            ],
            (Some(held), AsOf::Occurred(_)) => vec![
                named(&format!("{table}_held"), &self.rows(Some(held))),
                named(table, &self.rows(None)),
            ],
        }
    }

    /// The rows as of then, within a scope if any.
    fn rows(&self, held: Option<&Held>) -> String {
        let (key, both) =
            (self.table.key, [self.lasting(held), self.ended(held)].join(" UNION ALL "));
        match self.as_of {
            AsOf::Recorded(_) => both,
            // Of versions that overlap, because something became known late, the one that is known last.
            AsOf::Occurred(_) => format!(
                "SELECT DISTINCT ON ({key}) * FROM ({both}) AS known ORDER BY {key}, since DESC"
            ),
        }
    }

    /// Those that are so still.
    fn lasting(&self, held: Option<&Held>) -> String {
        let (table, (begun, _)) = (self.table.name, self.span());
        let within = held.map(|held| format!(" AND {}", held.lasting)).unwrap_or_default();
        format!(
            "SELECT *, NULL::bigint AS until, NULL::timestamptz AS until_at FROM {table} \
             WHERE {begun}{within}"
        )
    }

    /// Those that are not.
    fn ended(&self, held: Option<&Held>) -> String {
        let (table, (begun, lasts)) = (self.table.name, self.span());
        let rows = format!("SELECT * FROM {table}_past AS past WHERE {begun} AND {lasts}");
        let Some(held) = held else { return rows };
        let each: Vec<String> =
            held.ended.iter().map(|within| format!("{rows} AND {within}")).collect();
        each.join(" UNION ALL ")
    }

    /// That a row had begun to be so, and that it had not ceased.
    fn span(&self) -> (String, String) {
        match self.as_of {
            AsOf::Recorded(position) => {
                let position = db::stored(position);
                (format!("since <= {position}"), lasted_beyond(position))
            }
            AsOf::Occurred(instant) => {
                let begun = format!("since_at <= '{instant}'");
                let lasts = format!("until_at > '{instant}'");
                match self.known.map(db::stored) {
                    Some(known) => (
                        format!("{begun} AND since <= {known}"),
                        // What ended it was not known yet.
                        format!("({lasts} OR until > {known})"),
                    ),
                    None => (begun, lasts),
                }
            }
        }
    }
}

/// That a past row ended after that position, which it had begun before.
fn lasted_beyond(position: i64) -> String {
    let of_power = |power: u32| {
        // One that lasted just so long may be counted to the power below.
        let end = position.saturating_add(4_i64.saturating_pow(power + 1));
        format!("{LASTED} = {power} AND until <= {end}")
    };
    let mut ways: Vec<String> = (0..POWERS).map(of_power).collect();
    ways.push(format!("{LASTED} >= {POWERS}"));
    let way = |way: &String| format!("until > {position} AND {way}");
    format!("({})", ways.iter().map(way).collect::<Vec<_>>().join(" OR "))
}

fn added(table: &str, as_of: AsOf, known: Option<Position>) -> String {
    match as_of {
        AsOf::Recorded(position) => {
            format!("SELECT * FROM {table} WHERE position <= {}", db::stored(position))
        }
        AsOf::Occurred(instant) => {
            let known = known.map(|known| format!(" AND position <= {}", db::stored(known)));
            format!(
                "SELECT * FROM {table} WHERE occurred_at <= '{instant}'{}",
                known.unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_rows_are_looked_up_as_their_indexes_have_them() {
        let indexes = ViewName::ALL.map(|view| view.make_indexes("any")).concat();
        let by_end: Vec<_> =
            indexes.iter().filter(|index| index.contains("_past_by_end")).collect();
        assert_eq!(by_end.len(), 5);
        let key = format!("(({LASTED}), until)");
        assert!(by_end.iter().all(|index| index.trim_end().ends_with(&key)), "{by_end:?}");
    }

    #[test]
    fn a_row_is_asked_for_as_it_was() {
        let said = prefix(ViewName::Alerts, AsOf::Recorded(Position(7)), None, None);
        assert_eq!(
            said,
            "WITH alert AS NOT MATERIALIZED (SELECT * FROM alert WHERE position <= 7) "
        );
        let said = prefix(ViewName::Measures, AsOf::Recorded(Position(7)), None, None);
        assert!(said.contains("FROM returns WHERE since <= 7 UNION ALL"), "{said}");
        let past = "FROM returns_past AS past WHERE since <= 7 AND (until > 7 AND floor(";
        assert!(said.contains(past), "{said}");
        assert!(said.contains("= 0 AND until <= 11 OR until > 7 AND floor("), "{said}");
        assert_eq!(prefix(ViewName::Agenda, AsOf::Recorded(Position(7)), None, None), "");
    }
}
