//! How an enterprise stands against the frequency limits (检查频次余量).
//!
//! The tables hold facts only. The answer is counted by the function that decides, so what is shown
//! can never differ from what is allowed.

use doudi_domain::{
    EnterpriseId, UnitId,
    catalogue::Level,
    enterprise::Registered,
    frequency::{Assessment, Entry, FloorStanding, FrequencyPolicy, Party, Standing},
    policy::PolicyName,
    visits::Visit,
};
use doudi_journal::Position;
use jiff::{ToSpan, civil::Date};
use tokio_postgres::types::Type;

pub(in crate::visits) mod limits;
mod places;

pub(crate) use places::places;
pub use places::{Places, UnitPlaces};

use self::limits::Limits;
use super::{fold::Said, known::json, rows};
use crate::{
    ViewError,
    db::{self, Value, column},
    read::Snapshot,
};

/// The most visits to one enterprise that one answer counts. Far beyond any real year; a bound all
/// the same, and reaching it is an error and never a wrong count.
const VISITS_MAX: usize = 20_000;

/// How far back visits are read at first: a calendar year and any year that rolls lie within.
const USUAL_DAYS: i64 = 366;

/// The policy, the catalogue and the enterprise, each at most once, and the visits that hold a place.
const KNOWN: &str = "\
    (SELECT version, said, false AS is_visit, NULL AS enterprise, NULL AS area, NULL::json AS document \
     FROM policy WHERE name = $2 AND published LIMIT 1) \
    UNION ALL \
    (SELECT version, said, false, NULL, NULL, NULL FROM policy WHERE name = $3 AND published LIMIT 1) \
    UNION ALL \
    SELECT NULL, profile, false, NULL, NULL, NULL FROM enterprise WHERE enterprise = $1 \
    UNION ALL \
    (SELECT NULL, NULL, true, enterprise, area, document FROM visit \
     WHERE enterprise = $1 AND held IS NOT NULL AND day >= $4 ORDER BY visit LIMIT 20001)";

/// What is being done.
const DOING: &str = "reading the frequency ledger";

/// Whose places are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The unit that would visit it, alone.
    pub unit: UnitId,
    /// The day in Asia/Shanghai whose windows are asked for.
    pub on: Date,
    /// Whether only those visits count that the enterprise knows of: what it is told must not warn it of
    /// the others.
    pub known_only: bool,
}

/// How an enterprise stands against the limits (检查频次余量).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The version of the frequency policy in force; none when none is published.
    pub policy_version: Option<u32>,
    /// One for each rule that applies on that day to the enterprise, whatever is inspected and by whom:
    /// rules about items, fields or officers need a plan to answer.
    pub standings: Vec<Standing>,
    /// One for each floor that applies on that day to the enterprise.
    pub floors: Vec<FloorStanding>,
    /// The log position that the answer reflects.
    pub position: Position,
}

/// The first day from which visits are read for a question about `on`, as long as no limit looks back further.
pub(super) fn usual_first_day(on: Date) -> Date {
    on.checked_sub(USUAL_DAYS.days()).unwrap_or(Date::MIN)
}

/// Answers from one statement, for which visits are read from the day `from` on; else says from which
/// earlier day they must be.
pub(super) async fn load(
    snapshot: &Snapshot<'_>,
    query: &Query,
    from: Date,
) -> Result<Result<Quota, Date>, ViewError> {
    let Known { limits, level, profile, entries } =
        known(snapshot, (&query.enterprise, Some(&query.unit)), from, query.known_only).await?;
    let position = snapshot.position().await?;
    let Some((version, policy)) = limits else {
        let none = Quota { policy_version: None, standings: vec![], floors: vec![], position };
        return Ok(Ok(none));
    };
    let limits = Limits { policy, profile };
    if let Some(earlier) = limits.first_day(query.on).filter(|first| *first < from) {
        return Ok(Err(earlier));
    }
    let party = Party { unit: query.unit.clone(), level };
    let Assessment { standings, floors, .. } = limits.answer(&entries, Some(party), query.on);
    Ok(Ok(Quota { policy_version: Some(version), standings, floors, position }))
}

/// What the tables know that an answer about one enterprise rests on.
struct Known {
    /// The frequency policy in force, with its version.
    limits: Option<(u32, FrequencyPolicy)>,
    /// The level of the unit that is asked about, as its catalogue in force says.
    level: Option<Level>,
    /// Who the enterprise is, if it is registered.
    profile: Option<Registered>,
    /// What holds a place from that day on.
    entries: Vec<Entry>,
}

/// Reads it all by one statement.
async fn known(
    snapshot: &Snapshot<'_>,
    (enterprise, unit): (&EnterpriseId, Option<&UnitId>),
    from: Date,
    known_only: bool,
) -> Result<Known, ViewError> {
    let id = enterprise.as_str();
    let frequency = PolicyName::Frequency.to_string();
    let catalogue = unit.map(|unit| PolicyName::Catalogue(unit.clone()).to_string());
    let values: [Value<'_>; 4] = [
        (&id, Type::TEXT),
        (&frequency, Type::TEXT),
        (&catalogue, Type::TEXT),
        (&from, Type::DATE),
    ];
    let mut known = Known { limits: None, level: None, profile: None, entries: vec![] };
    let mut visits = 0;
    for row in &snapshot.rows(DOING, KNOWN, &values).await? {
        match column::<Option<i32>>(row, "version")? {
            Some(version) => match json(row, "said")? {
                Said::Limits(policy) => known.limits = Some((db::count(version), policy)),
                Said::Level(level) => known.level = Some(level),
            },
            None if column::<bool>(row, "is_visit")? => {
                visits += 1;
                let visit = rows::read(row)?;
                let seen = !(known_only && visit.is_internal());
                known.entries.extend(visit.visit().filter(|_| seen).and_then(Visit::entry));
            }
            None => known.profile = Some(json(row, "said")?),
        }
    }
    if visits > VISITS_MAX {
        let enterprise = enterprise.clone();
        return Err(ViewError::TooManyVisits { enterprise, visits_max: VISITS_MAX });
    }
    Ok(known)
}
