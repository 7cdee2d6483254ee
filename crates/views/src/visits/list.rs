//! Pages of visits by day, and their counts.

use doudi_domain::{AreaCode, CertificateNumber, EnterpriseId, UnitId, VisitId, frequency::Ground};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::types::{ToSql, Type};

use super::{Row, State, rows};
use crate::{
    Areas, PAGE_MAX, Scope, ViewError, ViewName,
    db::{self, column},
    predicate::{Keys, Now, Own, Past, Predicate, Scoped, Tense, of_page},
    read::Snapshot,
    timeline::Order,
};

/// By which columns a visit is within a scope. No visit is confidential, but an enterprise does not see
/// one that it does not know of.
pub(crate) const SCOPED: Scoped = Scoped { past: Some(&PAST), ..COLUMNS };

const COLUMNS: Scoped = Scoped {
    leads: &["unit"],
    co_units: Some("beside"),
    secrecy: None,
    own: Own::Unless("internal"),
    secret: Some("internal"),
    past: None,
};

const PAST: Past = Past {
    table: "visit",
    view: ViewName::Visits,
    columns: COLUMNS,
    now: Now { rows: "visit", key: &["visit", "enterprise"] },
    leads: &[],
};

/// Which visits. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Those that this unit leads or takes part in.
    pub unit: Option<UnitId>,
    /// Of enterprises in that area when the visit was planned.
    pub area: Option<AreaCode>,
    /// To that enterprise.
    pub enterprise: Option<EnterpriseId>,
    /// Those to which the officer with that certificate is to come; once somebody came, has come.
    pub officer: Option<CertificateNumber>,
    /// Only in these states; none for all.
    pub states: Vec<State>,
    /// Only on these grounds; none for all. No check from elsewhere has one.
    pub grounds: Vec<Ground>,
    /// Only those of several units (综合查一次).
    pub joint: bool,
    /// On this day in Asia/Shanghai or later, as [`Row::day`] has it.
    pub from: Option<Date>,
    /// On this day or earlier.
    pub until: Option<Date>,
    /// What the caller may see.
    pub scope: Scope,
}

/// Which page of which visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// In which order of their days.
    pub order: Order,
    /// Only what comes after this in the order: `next` of the page before.
    pub after: Option<Cursor>,
    /// The most visits to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The day of its last visit.
    pub day: Date,
    /// Its last visit,
    pub visit: VisitId,
    /// to this enterprise.
    pub enterprise: EnterpriseId,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The visits in the order asked for.
    pub visits: Vec<Row>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Cursor>,
    /// The log position that the page reflects.
    pub position: Position,
}

/// How many visits are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How far they are.
    pub state: State,
    /// Why; none for checks from elsewhere.
    pub ground: Option<Ground>,
    /// How many.
    pub count: u64,
}

/// How many visits there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Each state with each ground there is, once, in the order of both.
    pub counts: Vec<Count>,
    /// The log position that the counts reflect.
    pub position: Position,
}

impl Counts {
    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    /// How many in a state.
    #[must_use]
    pub fn of_state(&self, state: State) -> u64 {
        self.sum(|count| count.state == state)
    }

    /// How many on a ground.
    #[must_use]
    pub fn of_ground(&self, ground: Ground) -> u64 {
        self.sum(|count| count.ground == Some(ground))
    }

    fn sum(&self, which: impl Fn(&Count) -> bool) -> u64 {
        self.counts.iter().filter(|count| which(count)).map(|count| count.count).sum()
    }
}

impl Filter {
    /// Every visit within `scope`.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self {
            unit: None,
            area: None,
            enterprise: None,
            officer: None,
            states: vec![],
            grounds: vec![],
            joint: false,
            from: None,
            until: None,
            scope,
        }
    }

    /// The conditions, without the unit and the scope.
    pub(super) fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        if let Some(area) = &self.area {
            predicate.is("area", area.as_str());
        }
        if let Some(enterprise) = &self.enterprise {
            predicate.is("enterprise", enterprise.as_str());
        }
        if let Some(officer) = &self.officer {
            predicate.compare("officers", "@>", vec![officer.to_string()], Type::TEXT_ARRAY);
        }
        if !self.states.is_empty() {
            predicate.is_any("state", self.states.iter().map(db::word).collect());
        }
        if !self.grounds.is_empty() {
            predicate.is_any("ground", self.grounds.iter().map(db::word).collect());
        }
        if self.joint {
            predicate.holds("cardinality(beside) > 0");
        }
        predicate.within_civil_days("day", self.from, self.until);
        predicate
    }

    /// What to look for within, and whether as of now or of then: the parts of the unit that is asked
    /// for, in which case the caller's scope becomes one more condition, unless it is the caller's own
    /// unit, which sees all the parts that it has.
    pub(super) fn within(&self, predicate: &mut Predicate, tense: Tense) -> (Scope, Tense) {
        let Some(unit) = &self.unit else {
            return (self.scope.clone(), tense);
        };
        let is_own = |scope: &Scope| match scope {
            Scope::All => true,
            Scope::Within { enterprise, units, .. } => enterprise.is_none() && units.contains(unit),
        };
        if tense != Tense::Present || !is_own(&self.scope) {
            predicate.within(&self.scope, &SCOPED, tense);
        }
        let (units, areas) = (vec![unit.clone()], Areas::Some(vec![]));
        (Scope::Within { enterprise: None, units, areas, desk: false }, Tense::Present)
    }
}

/// The order of a page: unique.
const KEY: &str = "day, visit, enterprise";

/// Loads one page.
pub(crate) async fn list(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.filter.predicate();
    let (scope, tense) = query.filter.within(&mut predicate, snapshot.tense());
    let (comparison, order) = match query.order {
        Order::OldestFirst => (">", KEY),
        Order::NewestFirst => ("<", "day DESC, visit DESC, enterprise DESC"),
    };
    if let Some(after) = &query.after {
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(after.day), Type::DATE),
            (Box::new(after.visit.0), Type::UUID),
            (Box::new(after.enterprise.as_str().to_owned()), Type::TEXT),
        ];
        predicate.compare_row(KEY, comparison, key);
    }
    let keys = Keys { table: "visit", columns: KEY, order };
    // One row more tells whether there is another page.
    let page = predicate.page((&scope, tense), &SCOPED, &keys, limit + 1);
    let statement = format!(
        "SELECT {} FROM ({page}) AS page JOIN {} USING ({KEY}) ORDER BY {order}",
        rows::COLUMNS,
        of_page("visit", &["visit", "enterprise"])
    );
    read(snapshot, &statement, &predicate, limit).await
}

/// Reads one page with a statement that gives at most one row more.
pub(super) async fn read(
    snapshot: &Snapshot<'_>,
    statement: &str,
    predicate: &Predicate,
    limit: usize,
) -> Result<Page, ViewError> {
    let rows = snapshot.meant("listing visits", statement, predicate).await?;
    let mut visits = rows.iter().map(rows::read).collect::<Result<Vec<_>, _>>()?;
    let more = visits.len() > limit;
    visits.truncate(limit);
    let cursor = |last: &Row| Cursor {
        day: last.day(),
        visit: last.id(),
        enterprise: last.enterprise.clone(),
    };
    let next = visits.last().filter(|_| more).map(cursor);
    Ok(Page { visits, next, position: snapshot.position().await? })
}

/// Counts what a page would list.
pub(super) async fn count(snapshot: &Snapshot<'_>, filter: &Filter) -> Result<Counts, ViewError> {
    let mut predicate = filter.predicate();
    let (scope, tense) = filter.within(&mut predicate, snapshot.tense());
    predicate.within(&scope, &SCOPED, tense);
    // There are no more groups than states times grounds.
    let statement = format!(
        "SELECT state, ground, count(*) AS count FROM visit WHERE {} GROUP BY state, ground",
        predicate.sql()
    );
    let rows = snapshot.meant("counting visits", &statement, &predicate).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Count {
            state: db::parsed(row, "state", db::from_word)?,
            ground: db::parsed_opt(row, "ground", db::from_word)?,
            count: u64::try_from(column::<i64>(row, "count")?).unwrap_or(0),
        })
    };
    let mut counts = rows.iter().map(read).collect::<Result<Vec<_>, ViewError>>()?;
    counts.sort_by_key(|count| (count.state, count.ground));
    Ok(Counts { counts, position: snapshot.position().await? })
}

#[cfg(test)]
mod tests;
