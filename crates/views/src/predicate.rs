//! Which rows are meant: conditions that all must hold, with their values. List, count, export and
//! watch of one subject are built from one predicate, so they cannot mean different rows.

use doudi_domain::{UnitId, appeal::Confidentiality};
use jiff::{
    Timestamp,
    civil::{Date, date, time},
    tz,
};
use tokio_postgres::types::{ToSql, Type};

use crate::{
    Areas, Scope, ViewName,
    scope::{BESIDE_MAX, area_max, secrecy},
};

type Value = Box<dyn ToSql + Sync + Send>;

/// The most units or areas of a scope that are looked up each by itself.
const APART_MAX: usize = 16;

/// Conditions and their values. Columns are named by the program, values by the caller.
#[derive(Debug, Default)]
pub(crate) struct Predicate {
    conditions: Vec<String>,
    values: Vec<(Value, Type)>,
    /// Whether it holds a column against an end that it must not pass.
    pub(crate) has_range: bool,
}

/// As when the rows are that a statement gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tense {
    /// As they are.
    Present,
    /// As they were. Who may see them is still as of now.
    Past,
}

/// What past rows are about, as it is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The columns of a past row that say what it is about.
    pub(crate) key: &'static str,
    /// Gives the same of present rows, with `{schema}` for that of their view. They have the columns by
    /// which a scope is held.
    pub(crate) rows: &'static str,
    /// Whose tables they are.
    pub(crate) view: ViewName,
}

/// By which columns of a table a scope is held, besides `enterprise` and `area`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoped {
    /// The units that see a row of every level.
    pub(crate) leads: &'static [&'static str],
    /// The column with the list of units that see it too, up to a level; none where there is none.
    pub(crate) co_units: Option<&'static str>,
    /// An expression for the level of a row; none where no row is confidential.
    pub(crate) secrecy: Option<&'static str>,
    /// A condition for rows that the enterprise itself does not see; none where it sees all.
    pub(crate) internal: Option<&'static str>,
    /// A condition for rows that who belongs to the enterprise does not see in any other capacity either.
    pub(crate) secret: Option<&'static str>,
    /// By what past rows are within it; none where these columns never change.
    pub(crate) now: Option<Now>,
}

/// One way for a row to lie within a scope.
#[derive(Debug)]
struct Way {
    condition: String,
    /// Whether an index finds its rows in the order of a page.
    in_order: bool,
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

    /// The row lies within `scope`.
    pub(crate) fn within(&mut self, scope: &Scope, scoped: &Scoped, tense: Tense) {
        if let Some(ways) = self.ways(scope, scoped, tense) {
            let ways: Vec<String> = ways.into_iter().map(|way| way.condition).collect();
            self.conditions.push(any_of(&ways));
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
        let ways = self.ways(scope, scoped, tense);
        let conditions = self.sql();
        let Keys { table, columns, order } = keys;
        let page = |from: &str, way: &str| {
            format!(
                "SELECT {columns} FROM {from} WHERE {conditions}{way} ORDER BY {order} LIMIT {rows}"
            )
        };
        let Some(ways) = ways else {
            return page(table, "");
        };
        let pages = ways.iter().map(|way| match way.in_order {
            true => format!("({})", page(table, &format!(" AND {}", way.condition))),
            false => {
                let from = format!("(SELECT * FROM {table} WHERE {} OFFSET 0)", way.condition);
                format!("({})", page(&format!("{from} AS {table}"), ""))
            }
        });
        let pages: Vec<String> = pages.collect();
        if pages.is_empty() {
            return page(table, " AND false");
        }
        let union = pages.join(" UNION ");
        format!("SELECT {columns} FROM ({union}) AS ways ORDER BY {order} LIMIT {rows}")
    }

    /// The ways of which one must be open for a row to lie within `scope`; none where nothing must.
    /// They are not part of the predicate yet, but their values are.
    fn ways(&mut self, scope: &Scope, scoped: &Scoped, tense: Tense) -> Option<Vec<Way>> {
        let Scope::Within { enterprise, units, areas, desk } = scope else {
            return None;
        };
        let now = scoped.now.filter(|_| tense == Tense::Past);
        let so = |condition: String| match &now {
            Some(now) => now.is(&condition),
            None => condition,
        };
        let (mut ways, mut kept) = (Vec::new(), None);
        if let Some(enterprise) = enterprise {
            let place = self.place(enterprise.as_str().to_owned(), Type::TEXT);
            kept = scoped.secret.map(|column| format!("NOT (enterprise = {place} AND {column})"));
            let shown = scoped.internal.map(|column| so(format!("NOT {column}")));
            let shown = shown.map(|shown| format!(" AND {shown}")).unwrap_or_default();
            let own = format!("enterprise = {place}{shown}");
            ways.push(Way { condition: own, in_order: true });
        }
        let mut others = self.ways_of_office(units, (areas, *desk), scoped);
        for way in &mut others {
            way.condition.extend(kept.iter().map(|kept| format!(" AND {kept}")));
        }
        match now {
            Some(_) if !others.is_empty() => {
                let others: Vec<String> = others.into_iter().map(|way| way.condition).collect();
                ways.push(Way { condition: so(any_of(&others)), in_order: true });
            }
            Some(_) | None => ways.extend(others),
        }
        Some(ways)
    }

    /// The ways for those who do not see it as the enterprise itself.
    fn ways_of_office(
        &mut self,
        units: &[UnitId],
        (areas, desk): (&Areas, bool),
        scoped: &Scoped,
    ) -> Vec<Way> {
        let mut ways = Vec::new();
        let units: Vec<String> = units.iter().map(ToString::to_string).collect();
        for column in scoped.leads {
            ways.extend(self.each(column, &units));
        }
        if let Some(column) = scoped.co_units
            && !units.is_empty()
        {
            let place = self.place(units, Type::TEXT_ARRAY);
            // An index on lists has no order.
            let shared = Way { condition: format!("{column} && {place}"), in_order: false };
            ways.extend(up_to(BESIDE_MAX, scoped, vec![shared]));
        }
        let there = match areas {
            Areas::All => vec![Way { condition: "true".to_owned(), in_order: true }],
            Areas::Some(areas) => {
                let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
                self.each("area", &areas)
            }
        };
        ways.extend(up_to(area_max(desk), scoped, there));
        ways
    }

    /// One way for each text, so that each can be looked up in order; one for all where they are
    /// many.
    fn each(&mut self, column: &str, texts: &[String]) -> Vec<Way> {
        if texts.len() > APART_MAX {
            let place = self.place(texts.to_vec(), Type::TEXT_ARRAY);
            return vec![Way { condition: format!("{column} = ANY({place})"), in_order: true }];
        }
        let way = |text: &String| {
            let place = self.place(text.clone(), Type::TEXT);
            Way { condition: format!("{column} = {place}"), in_order: true }
        };
        texts.iter().map(way).collect()
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

impl Now {
    /// That it is so now of what a row is about.
    fn is(&self, condition: &str) -> String {
        let rows = self.rows.replace("{schema}", &self.view.schema());
        format!("({}) IN ({rows} WHERE {condition})", self.key)
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

/// The ways, for rows up to that level.
fn up_to(max: Confidentiality, scoped: &Scoped, ways: Vec<Way>) -> Vec<Way> {
    let Some(column) = scoped.secrecy else {
        return ways;
    };
    let max = secrecy(max);
    let low =
        |way: Way| Way { condition: format!("{} AND {column} <= {max}", way.condition), ..way };
    ways.into_iter().map(low).collect()
}

#[cfg(test)]
mod tests {
    use doudi_domain::{AreaCode, EnterpriseId, UnitId};

    use super::*;

    const PLAIN: Scoped = Scoped {
        leads: &["unit"],
        co_units: None,
        secrecy: None,
        internal: None,
        secret: None,
        now: None,
    };

    const NONE: Areas = Areas::Some(vec![]);

    fn all_ways() -> Scope {
        Scope::Within {
            enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
            units: vec![UnitId::parse("tax").unwrap()],
            areas: Areas::Some(vec![AreaCode::parse("210212").unwrap()]),
            desk: false,
        }
    }

    fn sql(scope: &Scope, scoped: &Scoped) -> String {
        let mut predicate = Predicate::default();
        predicate.within(scope, scoped, Tense::Present);
        predicate.sql()
    }

    #[test]
    fn conditions_all_hold_and_places_are_counted() {
        let mut predicate = Predicate::default();
        assert_eq!(predicate.sql(), "true");
        predicate.is("state", "submitted");
        predicate.is_any("kind", vec!["visit".to_owned(), "appeal".to_owned()]);
        predicate.is_any("area", vec!["210212".to_owned()]);
        assert!(!predicate.has_range);
        let values: Vec<(Value, Type)> =
            vec![(Box::new(1_i64), Type::INT8), (Box::new(2_i32), Type::INT4)];
        predicate.compare_row("position, ordinal", ">", values);
        assert_eq!(
            predicate.sql(),
            "state = $1 AND kind = ANY($2) AND area = $3 AND (position, ordinal) > ($4, $5)"
        );
        assert_eq!(predicate.values().len(), 5);
        assert!(predicate.has_range);
    }

    #[test]
    fn the_scope_is_part_of_the_predicate() {
        assert_eq!(sql(&Scope::All, &PLAIN), "true");
        let nothing = Scope::Within { enterprise: None, units: vec![], areas: NONE, desk: true };
        assert_eq!(sql(&nothing, &PLAIN), "false");
        assert_eq!(sql(&all_ways(), &PLAIN), "(enterprise = $1 OR unit = $2 OR area = $3)");
    }

    #[test]
    fn a_level_closes_the_ways_that_are_not_the_leads() {
        let co_units = Some("co_units");
        let scoped =
            Scoped { co_units, secrecy: Some("secrecy"), internal: Some("hidden"), ..PLAIN };
        assert_eq!(
            sql(&all_ways(), &scoped),
            "(enterprise = $1 AND NOT hidden OR unit = $2 OR co_units && $3 AND secrecy <= 1 OR area = $4 AND \
             secrecy <= 1)"
        );
        let scoped = Scoped { leads: &[], secrecy: Some("secrecy"), ..PLAIN };
        let Scope::Within { areas, .. } = all_ways() else {
            panic!("it is within");
        };
        let desk = Scope::Within { enterprise: None, units: vec![], areas, desk: true };
        assert_eq!(sql(&desk, &scoped), "(area = $1 AND secrecy <= 2)");
        let (enterprise, units) = (None, vec![]);
        let city = Scope::Within { enterprise, units, areas: Areas::All, desk: false };
        assert_eq!(sql(&city, &scoped), "(true AND secrecy <= 1)");
    }

    #[test]
    fn many_units_are_looked_up_at_once() {
        let units = (0..40).map(|n| UnitId::parse(&format!("u{n}")).unwrap()).collect();
        let many = Scope::Within { enterprise: None, units, areas: NONE, desk: false };
        assert_eq!(sql(&many, &PLAIN), "(unit = ANY($1))");
    }
}
