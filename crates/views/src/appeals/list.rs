//! Pages of appeals, newest submission first, by keyset on the position of the submission: an appeal
//! never changes its place, whatever happens to it while somebody turns the pages.

use doudi_domain::{
    AreaCode, CaseNumber, CaseTypeId, EnterpriseId, TopicId, UnitId,
    appeal::{PhaseName, Trigger},
};
use doudi_journal::Position;
use tokio_postgres::types::Type;

use super::{Row, owed, read, rows};
use crate::{
    AsOf, Fresh, PAGE_MAX, Scope, ViewError, ViewName, Views, db,
    predicate::{Keys, Now, Own, Past, Predicate, Scoped, of_page},
    read::Snapshot,
};

/// By which columns an appeal is within a scope.
pub(crate) const SCOPED: Scoped = Scoped { past: Some(&PAST), ..COLUMNS };

const COLUMNS: Scoped = Scoped {
    leads: &["unit"],
    co_units: Some("beside"),
    secrecy: Some("secrecy"),
    own: Own::All,
    secret: None,
    past: None,
};

const PAST: Past =
    Past { table: "appeal", view: ViewName::Appeals, columns: COLUMNS, now: NOW, leads: &[] };

/// What is so now of an appeal.
pub(crate) const NOW: Now = Now { rows: "appeal", key: &["appeal", "enterprise"] };

/// Which page of which appeals. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// How far it is.
    pub state: Option<PhaseName>,
    /// The area where it plays.
    pub area: Option<AreaCode>,
    /// The unit that leads.
    pub unit: Option<UnitId>,
    /// The topic.
    pub topic: Option<TopicId>,
    /// The enterprise that appealed.
    pub enterprise: Option<EnterpriseId>,
    /// The kind of case.
    pub case_type: Option<CaseTypeId>,
    /// Why the guarantee unit owns it.
    pub guarantee: Option<Trigger>,
    /// Only those on which somebody still owes something.
    pub open_only: bool,
    /// Its number. Whoever looks one up must be ready for two appeals.
    pub number: Option<CaseNumber>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only appeals submitted before this position: `next` of the page before.
    pub after: Option<Position>,
    /// The most appeals to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The appeals, newest submission first.
    pub appeals: Vec<Row>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Position>,
    /// The log position that the page reflects.
    pub position: Position,
}

impl Query {
    /// Every appeal that lies within `scope`.
    #[must_use]
    pub fn all(scope: Scope, limit: usize) -> Self {
        Self {
            state: None,
            area: None,
            unit: None,
            topic: None,
            enterprise: None,
            case_type: None,
            guarantee: None,
            open_only: false,
            number: None,
            scope,
            after: None,
            limit,
        }
    }

    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        let guarantee = self.guarantee.as_ref().map(db::word);
        let wanted = [
            ("state", self.state.map(PhaseName::as_str)),
            ("area", self.area.as_ref().map(AreaCode::as_str)),
            ("unit", self.unit.as_ref().map(UnitId::as_str)),
            ("topic", self.topic.as_ref().map(TopicId::as_str)),
            ("enterprise", self.enterprise.as_ref().map(EnterpriseId::as_str)),
            ("case_type", self.case_type.as_ref().map(CaseTypeId::as_str)),
            ("guarantee", guarantee.as_deref()),
            ("number", self.number.as_ref().map(CaseNumber::as_str)),
        ];
        for (column, value) in wanted {
            if let Some(value) = value {
                predicate.is(column, value);
            }
        }
        if self.open_only {
            predicate.holds("open");
        }
        predicate
    }
}

/// Loads one page.
pub(crate) async fn list(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.predicate();
    if let Some(after) = query.after {
        predicate.compare("submitted_position", "<", db::stored(after), Type::INT8);
    }
    if let Some(AsOf::Recorded(position)) = snapshot.as_of() {
        // So it is for every appeal that there was then, and the newest of now need not be passed over.
        predicate.compare("submitted_position", "<=", db::stored(position), Type::INT8);
    }
    let columns = "submitted_position, appeal, enterprise";
    let keys = Keys { table: "appeal", columns, order: "submitted_position DESC" };
    // One row more tells whether there is another page.
    let page = predicate.page((&query.scope, snapshot.tense()), &SCOPED, &keys, limit + 1);
    let statement = format!(
        "SELECT {} FROM ({page}) AS page CROSS JOIN {} {} \
         ORDER BY appeal.submitted_position DESC",
        rows::columns(),
        of_page("appeal", NOW.key),
        owed("true")
    );
    let found = snapshot.meant("listing appeals", &statement, &predicate).await?;
    let mut appeals = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = appeals.len() > limit;
    appeals.truncate(limit);
    let next = appeals.last().filter(|_| more).map(|last| last.submitted);
    Ok(Page { appeals, next, position: snapshot.position().await? })
}

impl Views {
    /// The appeals of an enterprise on one topic, newest submission first; those that a new one might
    /// repeat. At most `limit`, 1 to [`PAGE_MAX`].
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn appeals_of_topic(
        &self,
        enterprise: &EnterpriseId,
        topic: &TopicId,
        limit: usize,
        fresh: Fresh,
    ) -> Result<Page, ViewError> {
        let query = Query {
            enterprise: Some(enterprise.clone()),
            topic: Some(topic.clone()),
            ..Query::all(Scope::All, limit)
        };
        self.appeals(&query, fresh).await
    }
}
