//! How a scope is held against the rows of a table: by which columns somebody may see a row, and for rows
//! as they were, by which rows of now.

use doudi_domain::{UnitId, appeal::Confidentiality};
use tokio_postgres::types::Type;

use super::{Predicate, any_of, any_way};
use crate::{
    Areas, Scope, ViewName,
    scope::{BESIDE_MAX, area_max, secrecy},
};

/// The most units or areas of a scope that are looked up each by itself.
const APART_MAX: usize = 16;

/// By which columns of a table a scope is held, besides `enterprise` and `area`. The level and the area of a
/// row never change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoped {
    /// The units that see a row of every level.
    pub(crate) leads: &'static [&'static str],
    /// The column with the list of units that see it too, up to a level; none where there is none.
    pub(crate) co_units: Option<&'static str>,
    /// An expression for the level of a row; none where no row is confidential.
    pub(crate) secrecy: Option<&'static str>,
    /// What the enterprise itself sees.
    pub(crate) own: Own,
    /// A condition for rows that who belongs to the enterprise does not see in any other capacity either.
    pub(crate) secret: Option<&'static str>,
    /// How it is held against past rows; none where these columns never change.
    pub(crate) past: Option<&'static Past>,
}

/// Which of its rows an enterprise itself sees.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Own {
    /// Every one.
    All,
    /// All but those that meet a condition, which they meet for ever or never.
    Except(&'static str),
    /// All but those for which that column says so now.
    Unless(&'static str),
    /// None.
    Nothing,
}

/// A table whose rows are kept as they were. What they are taken from is of the same name.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) table: &'static str,
    /// Whose table it is.
    pub(crate) view: ViewName,
    /// By which of its own columns a row of now is within a scope.
    pub(crate) columns: Scoped,
    /// Which row of now says who may see a past row.
    pub(crate) now: Now,
    /// Other rows of now, for a lead that another row is about.
    pub(crate) leads: &'static [(&'static str, Now)],
}

/// Which rows of now are about the same thing as a past row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Their table.
    pub(crate) rows: &'static str,
    /// The columns that are equal then.
    pub(crate) key: &'static [&'static str],
}

/// What the rows of a table must meet for a scope, as it is as of now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) table: &'static str,
    /// Whether all that a statement takes from the table is held, and not only its page.
    pub(crate) whole: bool,
    /// What a row must meet that is so still.
    pub(crate) lasting: String,
    /// What a row `past` must meet that is not: one of these, and never two.
    pub(crate) ended: Vec<String>,
}

/// One way for a row to lie within a scope.
#[derive(Debug)]
pub(super) struct Way {
    condition: String,
    /// Whether an index finds its rows in the order of a page.
    pub(super) in_order: bool,
    /// The column that it goes by which may change; none where what it goes by stays as it is.
    by: Option<&'static str>,
    /// The place of the enterprise whose secret rows it does not lead to, and what makes them secret.
    kept: Option<(String, &'static str)>,
}

impl Predicate {
    /// Holds past rows against `scope`, and says by which ways one that is so still lies within it.
    pub(super) fn hold(
        &mut self,
        scope: &Scope,
        scoped: &Scoped,
        (past, whole): (&'static Past, bool),
    ) -> Option<Vec<Way>> {
        let columns = Scoped { own: scoped.own, ..past.columns };
        let ways = self.ways(scope, &columns);
        let (lasting, ended) = match &ways {
            Some(ways) => (any_way(ways), past.ended(ways)),
            None => ("true".to_owned(), vec!["true".to_owned()]),
        };
        self.held = Some(Held { table: past.table, whole, lasting, ended });
        ways
    }

    /// The ways of which one must be open for a row to lie within `scope`; none where nothing must.
    /// They are not part of the predicate yet, but their values are.
    pub(super) fn ways(&mut self, scope: &Scope, scoped: &Scoped) -> Option<Vec<Way>> {
        let Scope::Within { enterprise, units, areas, desk } = scope else {
            return None;
        };
        let (mut ways, mut kept) = (Vec::new(), None);
        if let Some(enterprise) = enterprise {
            let place = self.place(enterprise.as_str().to_owned(), Type::TEXT);
            kept = scoped.secret.map(|column| (place.clone(), column));
            let own =
                |but: &str, by| Way { by, ..Way::staying(format!("enterprise = {place}{but}")) };
            ways.extend(match scoped.own {
                Own::All => Some(own("", None)),
                Own::Except(these) => Some(own(&format!(" AND NOT {these}"), None)),
                Own::Unless(column) => Some(own(&format!(" AND NOT {column}"), Some(column))),
                Own::Nothing => None,
            });
        }
        let others = self.ways_of_office(units, (areas, *desk), scoped);
        ways.extend(others.into_iter().map(|way| Way { kept: kept.clone(), ..way }));
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
            ways.extend(self.each(column, &units, Some(column)));
        }
        if let Some(column) = scoped.co_units
            && !units.is_empty()
        {
            let place = self.place(units, Type::TEXT_ARRAY);
            let condition = format!("{column} && {place}");
            // An index on lists has no order.
            let shared = Way { in_order: false, by: Some(column), ..Way::staying(condition) };
            ways.extend(up_to(BESIDE_MAX, scoped, vec![shared]));
        }
        let there = match areas {
            Areas::All => vec![Way::staying("true".to_owned())],
            Areas::Some(areas) => {
                let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
                self.each("area", &areas, None)
            }
        };
        ways.extend(up_to(area_max(desk), scoped, there));
        ways
    }

    /// One way for each text, so that each can be looked up in order; one for all where they are
    /// many.
    fn each(&mut self, column: &str, texts: &[String], by: Option<&'static str>) -> Vec<Way> {
        if texts.len() > APART_MAX {
            let place = self.place(texts.to_vec(), Type::TEXT_ARRAY);
            let condition = format!("{column} = ANY({place})");
            return vec![Way { by, ..Way::staying(condition) }];
        }
        let way = |text: &String| {
            let place = self.place(text.clone(), Type::TEXT);
            Way { by, ..Way::staying(format!("{column} = {place}")) }
        };
        texts.iter().map(way).collect()
    }
}

impl Way {
    /// One that goes by what stays as it is.
    fn staying(condition: String) -> Self {
        Self { condition, in_order: true, by: None, kept: None }
    }

    /// What a row meets for which it is open.
    pub(super) fn sql(&self) -> String {
        let Self { condition, kept, .. } = self;
        match kept {
            Some((own, secret)) => format!("{condition} AND NOT (enterprise = {own} AND {secret})"),
            None => condition.clone(),
        }
    }

    /// The same in parts that each go by one thing; no row lacks its enterprise, or what makes it secret.
    fn parts(&self) -> Vec<(Option<&'static str>, String)> {
        let Self { condition, by, kept, .. } = self;
        match kept {
            Some((own, secret)) => vec![
                (*by, format!("{condition} AND enterprise <> {own}")),
                (Some(secret), format!("{condition} AND enterprise = {own} AND NOT {secret}")),
            ],
            None => vec![(*by, condition.clone())],
        }
    }
}

impl Past {
    /// What a past row must meet for one of the ways to be open: what stays as it is, it tells itself; of
    /// what changes, the rows of now tell. Each meets only what none before it does.
    fn ended(&self, ways: &[Way]) -> Vec<String> {
        let parts: Vec<_> = ways.iter().flat_map(Way::parts).collect();
        let of = |now: Option<Now>| {
            let same = |by: &Option<&'static str>| by.map(|column| self.now_of(column)) == now;
            let conditions = parts.iter().filter(|(by, _)| same(by));
            let conditions = conditions.map(|(_, condition)| condition.clone());
            Some(conditions.collect::<Vec<_>>()).filter(|found| !found.is_empty())
        };
        let mut ended = Vec::new();
        let mut before = String::new();
        if let Some(stays) = of(None) {
            let stays = any_of(&stays);
            before = format!(" AND {stays} IS NOT TRUE");
            ended.push(stays);
        }
        let others = self.leads.iter().map(|(_, now)| *now);
        for now in std::iter::once(self.now).chain(others) {
            let Some(open) = of(Some(now)) else { continue };
            let rows = format!("{}.{}", self.view.schema(), now.rows);
            let key = now.key.join(", ");
            // Each looked up by its own index, as no index has them all.
            let looks = open.iter().map(|way| format!("SELECT {key} FROM {rows} WHERE {way}"));
            let looks = looks.collect::<Vec<_>>().join(" UNION ");
            ended.push(format!("({key}) IN ({looks}){before}"));
            let open = any_of(&open);
            let same = now.key.iter().map(|name| format!("now.{name} = past.{name}"));
            let same: Vec<String> = same.collect();
            let same = same.join(" AND ");
            let not_so = format!("NOT EXISTS (SELECT FROM {rows} AS now WHERE {same} AND {open})");
            before = format!("{before} AND {not_so}");
        }
        if ended.is_empty() {
            ended.push("false".to_owned());
        }
        ended
    }

    /// Which row of now tells what a column is.
    fn now_of(&self, column: &str) -> Now {
        let other = self.leads.iter().find(|(lead, _)| *lead == column);
        other.map_or(self.now, |(_, now)| *now)
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
