//! Open appeals that are stuck: nothing moved, sent to and fro, waiting for a ruling.

use doudi_domain::{AppealId, AreaCode, EnterpriseId, UnitId, appeal::PhaseName};
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::cursor::{Writer, padded, unpadded};
use crate::{
    PAGE_MAX, Scope, ViewError,
    appeals::{self, Row},
    predicate::{Keys, Predicate, any_of, of_page},
    read::Snapshot,
};

/// Why an appeal is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StuckReason {
    /// Nothing moved for long.
    NoMovement,
    /// It went from one unit to another (退单).
    Bounced,
    /// A unit objects to having it and nobody has ruled (退单待裁定).
    AwaitingRuling,
}

/// Which page of which stuck appeals. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckQuery {
    /// Only for that reason; any if none.
    pub reason: Option<StuckReason>,
    /// What last moved before this has not moved for long.
    pub idle_since: Timestamp,
    /// The area where it plays.
    pub area: Option<AreaCode>,
    /// The unit that leads.
    pub unit: Option<UnitId>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only what comes after this: `next` of the page before.
    pub after: Option<StuckCursor>,
    /// The most appeals to return, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// Where a page of stuck appeals ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckCursor {
    /// When its last appeal last moved, in microseconds.
    last_moved: Timestamp,
    appeal: AppealId,
    enterprise: EnterpriseId,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckPage {
    /// The appeals with every reason that holds, the longest without movement first.
    pub cases: Vec<(Row, Vec<StuckReason>)>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<StuckCursor>,
    /// The log position that the page reflects.
    pub position: Position,
}

impl StuckCursor {
    /// How many bytes a cursor takes.
    pub const BYTES: usize = 8 + 16 + 18;

    /// Where a page ends whose last appeal this is.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let (appeal, enterprise) = (row.appeal, row.enterprise.clone());
        Self { last_moved: row.last_moved, appeal, enterprise }
    }

    /// The cursor as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut writer = Writer { bytes: [0; Self::BYTES], at: 0 };
        writer.put(&self.last_moved.as_microsecond().to_be_bytes());
        writer.put(self.appeal.0.as_bytes());
        writer.put(&padded(&self.enterprise));
        writer.bytes
    }

    /// The cursor that gave those bytes; none for others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (last_moved, bytes) = bytes.split_first_chunk::<8>()?;
        let (appeal, bytes) = bytes.split_first_chunk::<16>()?;
        let enterprise: &[u8; 18] = bytes.try_into().ok()?;
        Some(Self {
            last_moved: Timestamp::from_microsecond(i64::from_be_bytes(*last_moved)).ok()?,
            appeal: AppealId(Uuid::from_bytes(*appeal)),
            enterprise: unpadded(enterprise)?,
        })
    }
}

impl StuckReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoMovement, Self::Bounced, Self::AwaitingRuling];

    /// The name of the reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMovement => "no_movement",
            Self::Bounced => "bounced",
            Self::AwaitingRuling => "awaiting_ruling",
        }
    }

    pub(crate) fn condition(self, predicate: &mut Predicate, idle_since: Timestamp) -> String {
        match self {
            Self::NoMovement => {
                let place = predicate.place(idle_since, Type::TIMESTAMPTZ);
                predicate.has_range = true;
                format!("last_moved < {place}")
            }
            Self::Bounced => "bounces > 0".to_owned(),
            Self::AwaitingRuling => {
                format!("state = '{}'", PhaseName::Contested.as_str())
            }
        }
    }

    /// The same as [`StuckReason::condition`], of a row.
    fn holds(self, row: &Row, idle_since: Timestamp) -> bool {
        match self {
            Self::NoMovement => row.last_moved < idle_since,
            Self::Bounced => row.bounces > 0,
            Self::AwaitingRuling => row.state == PhaseName::Contested,
        }
    }
}

impl StuckQuery {
    fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        predicate.holds("open");
        let reasons = self.reason.map_or(StuckReason::ALL.to_vec(), |reason| vec![reason]);
        let conditions: Vec<String> = reasons
            .into_iter()
            .map(|reason| reason.condition(&mut predicate, self.idle_since))
            .collect();
        predicate.holds(match conditions.as_slice() {
            [one] => one.clone(),
            many => any_of(many),
        });
        if let Some(area) = &self.area {
            predicate.is("area", area.as_str());
        }
        if let Some(unit) = &self.unit {
            predicate.is("unit", unit.as_str());
        }
        if let Some(after) = &self.after {
            let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
                (Box::new(after.last_moved), Type::TIMESTAMPTZ),
                (Box::new(after.appeal.0), Type::UUID),
                (Box::new(after.enterprise.as_str().to_owned()), Type::TEXT),
            ];
            predicate.compare_row(KEY, ">", key);
        }
        predicate
    }
}

/// The order of stuck appeals.
const KEY: &str = "last_moved, appeal, enterprise";

/// Loads one page.
pub(super) async fn list(
    snapshot: &Snapshot<'_>,
    query: &StuckQuery,
) -> Result<StuckPage, ViewError> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut predicate = query.predicate();
    let keys = Keys { table: "appeal", columns: KEY, order: KEY };
    // One row more tells whether there is another page.
    let page = predicate.page((&query.scope, snapshot.tense()), &appeals::SCOPED, &keys, limit + 1);
    let statement = format!(
        "SELECT {} FROM ({page}) AS page CROSS JOIN {} {} \
         ORDER BY appeal.last_moved, appeal.appeal, appeal.enterprise",
        appeals::columns(),
        of_page("appeal", appeals::NOW.key),
        appeals::owed("true")
    );
    let rows = snapshot.meant("listing stuck appeals", &statement, &predicate).await?;
    let reasons = |row: Row| {
        let held = StuckReason::ALL.into_iter();
        let held = held.filter(|reason| reason.holds(&row, query.idle_since)).collect();
        (row, held)
    };
    let read = |row| appeals::read(row).map(reasons);
    let mut cases = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = cases.len() > limit;
    cases.truncate(limit);
    let next = cases.last().filter(|_| more).map(|(row, _)| StuckCursor::of(row));
    Ok(StuckPage { cases, next, position: snapshot.position().await? })
}
