//! Which rows are meant: conditions that all must hold, with their values. List, count, export and
//! watch of one subject are built from one predicate, so they cannot mean different rows.

use jiff::{
    Timestamp,
    civil::{Date, date, time},
    tz,
};
use tokio_postgres::types::{ToSql, Type};

mod scoped;

use self::scoped::Way;
pub(crate) use self::scoped::{Held, Now, Own, Past, Scoped};
use crate::Scope;

type Value = Box<dyn ToSql + Sync + Send>;

/// Conditions and their values. Columns are named by the program, values by the caller.
#[derive(Debug, Default)]
pub(crate) struct Predicate {
    conditions: Vec<String>,
    values: Vec<(Value, Type)>,
    /// Whether it holds a column against an end that it must not pass.
    pub(crate) has_range: bool,
    /// What the past rows of a table must meet for the caller's scope.
    held: Option<Held>,
}

/// As when the rows are that a statement gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tense {
    /// As they are.
    Present,
    /// As they were by what was known at a position: each is so still, or ended since.
    Recorded,
    /// As the world was at an instant, where what is so still may stand beside what is known of then.
    Occurred,
}

/// The keys of a page: which, of which table, in which order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    pub(crate) order: &'static str,
}

impl Predicate {
    /// `<column> <comparison> <value>`.
    pub(crate) fn compare(
        &mut self,
        column: &str,
        comparison: &str,
        value: impl ToSql + Sync + Send + 'static,
        of_type: Type,
    ) {
        let place = self.place(value, of_type);
        self.has_range |= comparison.starts_with(['<', '>']);
        self.conditions.push(format!("{column} {comparison} {place}"));
    }

    /// `<column> = <text>`.
    pub(crate) fn is(&mut self, column: &str, text: &str) {
        self.compare(column, "=", text.to_owned(), Type::TEXT);
    }

    /// `<column>` is one of `texts`. One alone is looked up in the order of an index behind it.
    pub(crate) fn is_any(&mut self, column: &str, texts: Vec<String>) {
        if let [only] = texts.as_slice() {
            return self.is(column, only);
        }
        let place = self.place(texts, Type::TEXT_ARRAY);
        self.conditions.push(format!("{column} = ANY({place})"));
    }

    /// A condition without a value.
    pub(crate) fn holds(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// The days from `from` to `until`, both included, in Asia/Shanghai.
    pub(crate) fn within_days(&mut self, column: &str, from: Option<Date>, until: Option<Date>) {
        if let Some(begin) = from.and_then(midnight) {
            self.compare(column, ">=", begin, Type::TIMESTAMPTZ);
        }
        if let Some(end) = until.and_then(|last| last.tomorrow().ok()).and_then(midnight) {
            self.compare(column, "<", end, Type::TIMESTAMPTZ);
        }
    }

    /// The same of a column that is a day itself.
    pub(crate) fn within_civil_days(
        &mut self,
        column: &str,
        from: Option<Date>,
        until: Option<Date>,
    ) {
        if let Some(from) = from {
            self.compare(column, ">=", from, Type::DATE);
        }
        if let Some(until) = until {
            self.compare(column, "<=", until, Type::DATE);
        }
    }

    /// The row lies within `scope`. Who may see past rows is as of now: that is held against the table
    /// that they are taken from, and the statement must name it.
    pub(crate) fn within(&mut self, scope: &Scope, scoped: &Scoped, tense: Tense) {
        match scoped.past.filter(|_| tense != Tense::Present) {
            Some(past) => {
                self.hold(scope, scoped, (past, true));
            }
            None => {
                if let Some(ways) = self.ways(scope, scoped) {
                    self.conditions.push(any_way(&ways));
                }
            }
        }
    }

    /// The statement for the keys of the first `rows` rows that are meant and lie within `scope`. Each
    /// way into the scope is a page of its own that an index gives, so that what few may see is not
    /// sought among everything.
    pub(crate) fn page(
        &mut self,
        (scope, tense): (&Scope, Tense),
        scoped: &Scoped,
        keys: &Keys,
        rows: usize,
    ) -> String {
        let past = scoped.past.filter(|_| tense != Tense::Present);
        let ways = match past {
            Some(past) => self.hold(scope, scoped, (past, false)),
            None => self.ways(scope, scoped),
        };
        let conditions = self.sql();
        let Keys { table, columns, order } = keys;
        let page = |from: &str, way: &str| {
            format!(
                "SELECT {columns} FROM {from} WHERE {conditions}{way} ORDER BY {order} LIMIT {rows}"
            )
        };
        let pages_of = |rows: &str| -> Vec<String> {
            let named = format!("{rows} AS {table}");
            let Some(ways) = &ways else {
                return vec![page(&named, "")];
            };
            let page = |way: &Way| match way.in_order {
                true => page(&named, &format!(" AND {}", way.sql())),
                false => {
                    let from = format!("(SELECT * FROM {rows} WHERE {} OFFSET 0)", way.sql());
                    page(&format!("{from} AS {table}"), "")
                }
            };
            ways.iter().map(page).collect()
        };
        let mut pages = match (past, tense) {
            (None, _) | (Some(_), Tense::Present) => pages_of(table),
            (Some(_), Tense::Occurred) => vec![page(&format!("{table}_held AS {table}"), "")],
            (Some(_), Tense::Recorded) => {
                let mut pages = pages_of(&format!("{table}_lasting"));
                pages.push(page(&format!("{table}_ended AS {table}"), ""));
                pages
            }
        };
        match pages.len() {
            0 => page(table, " AND false"),
            1 => pages.remove(0),
            _ => {
                let union = pages.join(") UNION (");
                format!("SELECT {columns} FROM (({union})) AS ways ORDER BY {order} LIMIT {rows}")
            }
        }
    }

    /// What past rows must meet for the caller's scope, if anything.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// A row of values compared with a row of columns, for keyset pages.
    pub(crate) fn compare_row(
        &mut self,
        columns: &str,
        comparison: &str,
        values: Vec<(Value, Type)>,
    ) {
        let places: Vec<String> =
            values.into_iter().map(|(value, of_type)| self.push(value, of_type)).collect();
        self.has_range = true;
        self.conditions.push(format!("({columns}) {comparison} ({})", places.join(", ")));
    }

    /// The condition as SQL; `true` when there is none.
    pub(crate) fn sql(&self) -> String {
        match self.conditions.is_empty() {
            true => "true".to_owned(),
            false => self.conditions.join(" AND "),
        }
    }

    /// The values, in the order of their places.
    pub(crate) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values
            .iter()
            .map(|(value, of_type)| (&**value as &(dyn ToSql + Sync), of_type.clone()))
            .collect()
    }

    /// The place of a value that a condition is going to name.
    pub(crate) fn place(
        &mut self,
        value: impl ToSql + Sync + Send + 'static,
        of_type: Type,
    ) -> String {
        self.push(Box::new(value), of_type)
    }

    fn push(&mut self, value: Value, of_type: Type) -> String {
        self.values.push((value, of_type));
        format!("${}", self.values.len())
    }
}

/// When a day begins; none beyond the end of the calendar. PostgreSQL's own
/// calendar begins later than ours, and no fact lies before the first year.
fn midnight(day: Date) -> Option<Timestamp> {
    let begin = day.max(date(1, 1, 1)).to_datetime(time(0, 0, 0, 0));
    tz::offset(8).to_timestamp(begin).ok()
}

/// That one of the conditions holds; nothing satisfies none.
pub(crate) fn any_of(ways: &[String]) -> String {
    match ways.is_empty() {
        true => "false".to_owned(),
        false => format!("({})", ways.join(" OR ")),
    }
}

/// That one of the ways is open.
fn any_way(ways: &[Way]) -> String {
    let conditions: Vec<String> = ways.iter().map(Way::sql).collect();
    any_of(&conditions)
}

/// Beside a `page` of keys, the row of `table` with the same `key`: looked up by it, whatever the table is
/// and whether it is asked as of now or of then.
pub(crate) fn of_page(table: &str, key: &[&str]) -> String {
    let same: Vec<String> = key.iter().map(|name| format!("found.{name} = page.{name}")).collect();
    let same = same.join(" AND ");
    // Without the offset the two would be joined before either is looked at.
    format!("LATERAL (SELECT * FROM {table} AS found WHERE {same} OFFSET 0) AS {table}")
}

#[cfg(test)]
mod tests;
