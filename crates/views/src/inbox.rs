//! Inboxes (待办): what is owed on open appeals, by time left; and the appeals that are stuck.
//!
//! Pages and counts are built from one predicate, so they agree at one position. The rows are those
//! of the view `appeals`, so an inbox and a list of appeals agree too.

use doudi_domain::{
    AppealId, AreaCode, DiagnosisId, EnterpriseId, UnitId,
    cases::Escalation,
    clock::{Clock, ClockKind, Step},
};
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

mod count;
mod cursor;
mod stuck;

pub use count::{Count, Counts};
pub use cursor::Cursor;
pub(crate) use cursor::{Writer, padded, unpadded};
pub use stuck::{StuckCursor, StuckPage, StuckQuery, StuckReason};

use crate::{
    Fresh, PAGE_MAX, Scope, ViewError, ViewName, Views, appeals,
    db::{self, column},
    predicate::{Keys, Now, Own, Past, Predicate, Scoped, Tense, of_page},
    read::Snapshot,
};

/// By which columns a clock is within a scope: its appeal's, and who owes it. Whoever owes something
/// was asked by name and sees it at every level. What units owe each other is not for the enterprise.
pub(crate) const SCOPED: Scoped = Scoped { past: Some(&PAST), ..COLUMNS };

const COLUMNS: Scoped = Scoped {
    leads: &["unit", "owner"],
    co_units: None,
    secrecy: Some("secrecy"),
    own: Own::Except("(kind IN ('co_handling', 'opinion', 'conclusion'))"),
    secret: None,
    past: None,
};

const PAST: Past = Past {
    table: "clock",
    view: ViewName::Appeals,
    columns: COLUMNS,
    now: appeals::NOW,
    // Who owes something on an appeal now is shown what it owed on it itself, and no other's.
    leads: &[("owner", Now { rows: "clock", key: &["appeal", "enterprise", "owner"] })],
};

/// What is owed. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// By that unit or desk.
    pub unit: Option<UnitId>,
    /// On appeals of that area.
    pub area: Option<AreaCode>,
    /// Only that.
    pub kind: Option<ClockKind>,
    /// What has reached that level or a higher one: blue, yellow or red. A rung of the ladder counts
    /// as red.
    pub level_at_least: Option<Step>,
    /// What stands on that rung of the ladder.
    pub rung: Option<Escalation>,
    /// What is overdue at that instant.
    pub overdue_at: Option<Timestamp>,
    /// What the caller may see.
    pub scope: Scope,
}

/// Which page of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What.
    pub filter: Filter,
    /// Only what comes after this: `next` of the page before.
    pub after: Option<Cursor>,
    /// The most entries to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// Something that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The enterprise that appealed.
    pub enterprise: EnterpriseId,
    /// The appeal.
    pub appeal: AppealId,
    /// The joint diagnosis that the clock belongs to, if it does.
    pub diagnosis: Option<DiagnosisId>,
    /// What is owed, by whom, by when.
    pub clock: Clock,
    /// The appeal as it is, or was.
    pub row: appeals::Row,
    /// The unit that leads now, whenever the row is of.
    pub lead: Option<UnitId>,
    /// Who takes part now, as [`appeals::Row::beside`] has it.
    pub beside: Vec<UnitId>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries, what is due first first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Cursor>,
    /// The log position that the page reflects.
    pub position: Position,
}

/// The order of an inbox: unique, and never changed by what happens to the appeal beside the clock.
const KEY: &str = "due, appeal, enterprise, diagnosis, clock";

impl Filter {
    /// Everything that is owed within `scope`.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self {
            unit: None,
            area: None,
            kind: None,
            level_at_least: None,
            rung: None,
            overdue_at: None,
            scope,
        }
    }

    /// The conditions, without the scope.
    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        if let Some(unit) = &self.unit {
            predicate.is("owner", unit.as_str());
        }
        match &self.area {
            Some(area) => predicate.is("area", area.as_str()),
            // The clocks of an appeal that is not known, because its stream is parked, are not shown.
            None => predicate.holds("area IS NOT NULL"),
        }
        if let Some(kind) = &self.kind {
            predicate.is("kind", &db::word(kind));
        }
        if let Some(step) = self.level_at_least {
            predicate.holds(format!("level >= {}", appeals::least_level(step)));
        }
        if let Some(rung) = self.rung {
            // Both are needed for the index on the rungs.
            let rung = appeals::stored_rung(Some(rung));
            predicate.holds(format!("rung = {rung} AND rung > 0"));
        }
        if let Some(at) = self.overdue_at {
            predicate.compare("due", "<=", at, Type::TIMESTAMPTZ);
            predicate.holds("NOT waits");
        }
        predicate
    }
}

/// The statement for the keys of one page.
fn keys(predicate: &mut Predicate, query: &Query, tense: Tense, rows: usize) -> String {
    if let Some(after) = &query.after {
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(after.due), Type::TIMESTAMPTZ),
            (Box::new(after.appeal.0), Type::UUID),
            (Box::new(after.enterprise.as_str().to_owned()), Type::TEXT),
            (Box::new(after.diagnosis), Type::UUID),
            (Box::new(i64::from(after.clock.0)), Type::INT8),
        ];
        predicate.compare_row(KEY, ">", key);
    }
    let keys = Keys { table: "clock", columns: KEY, order: KEY };
    predicate.page((&query.filter.scope, tense), &SCOPED, &keys, rows)
}

/// Loads one page.
async fn list(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.filter.predicate();
    // One row more tells whether there is another page.
    let keys = keys(&mut predicate, query, snapshot.tense(), limit + 1);
    let (of, standing) = match snapshot.tense() {
        Tense::Present => ("appeal", String::new()),
        Tense::Recorded | Tense::Occurred => ("standing", standing()),
    };
    let statement = format!(
        "SELECT {}, clock.document AS clock, clock.diagnosis, appeal.due_clock, \
         {of}.unit AS lead_now, {of}.beside AS beside_now \
         FROM ({keys}) AS page CROSS JOIN {} CROSS JOIN {} {} \
         {standing} ORDER BY page.due, page.appeal, page.enterprise, page.diagnosis, page.clock",
        appeals::columns(),
        of_page("clock", &["appeal", "enterprise", "diagnosis", "clock"]),
        of_page("appeal", appeals::NOW.key),
        appeals::owed(IS_ANOTHER)
    );
    let rows = snapshot.meant("listing an inbox", &statement, &predicate).await?;
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(Cursor::of);
    Ok(Page { entries, next, position: snapshot.position().await? })
}

/// That the clock of an appeal's next step is another one than that which the page is about.
const IS_ANOTHER: &str = "(page.diagnosis, page.clock) <> \
     ('00000000-0000-0000-0000-000000000000'::uuid, appeal.due_clock)";

/// The appeals of a page as they are now.
fn standing() -> String {
    format!(
        "JOIN {}.appeal AS standing \
         ON standing.appeal = page.appeal AND standing.enterprise = page.enterprise",
        ViewName::Appeals.schema()
    )
}

fn entry(found: &Row) -> Result<Entry, ViewError> {
    let mut row = appeals::read(found)?;
    let clock = appeals::clock(found, "clock")?
        .ok_or_else(|| ViewError::fault("reading an inbox", "a row has no clock"))?;
    let diagnosis = appeals::diagnosis(column(found, "diagnosis")?);
    let due: Option<i64> = column(found, "due_clock")?;
    if diagnosis.is_none() && due == Some(i64::from(clock.id.0)) {
        row.due = Some(clock.clone());
    }
    Ok(Entry {
        enterprise: row.enterprise.clone(),
        appeal: row.appeal,
        diagnosis,
        clock,
        row,
        lead: db::parsed_opt(found, "lead_now", UnitId::parse)?,
        beside: db::units(found, "beside_now")?,
    })
}

impl Views {
    /// One page of an inbox, what is due first first.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn inbox(&self, query: &Query, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], fresh).await?;
        list(&reader.once(), query).await
    }

    /// How much an inbox holds, by kind, level and rung.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn count_inbox(&self, filter: &Filter, fresh: Fresh) -> Result<Counts, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], fresh).await?;
        count::count(&reader.once(), filter).await
    }

    /// One page of stuck appeals, the longest without movement first.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn stuck(&self, query: &StuckQuery, fresh: Fresh) -> Result<StuckPage, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], fresh).await?;
        stuck::list(&reader.once(), query).await
    }
}

#[cfg(test)]
mod tests;
