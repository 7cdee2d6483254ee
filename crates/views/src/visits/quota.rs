//! How an enterprise stands against the frequency limits (检查频次余量).
//!
//! The tables hold facts only. The answer is counted by the function that decides, so what is shown
//! can never differ from what is allowed.

use doudi_domain::{
    AreaCode, Decider, EnterpriseId, UnitId,
    catalogue::Level,
    enterprise::{Profile, Registered},
    frequency::{Assessment, Entry, FloorStanding, FrequencyPolicy, Party, Standing, VisitTerms},
    policy::PolicyName,
    visits::Visit,
};
use doudi_journal::{Position, StreamName};
use jiff::{ToSpan, civil::Date};
use tokio_postgres::types::Type;

pub(in crate::visits) mod limits;
mod places;

pub(crate) use places::places;
pub use places::{Places, UnitPlaces};

use self::limits::Limits;
use super::{fold::Said, known::json, rows};
use crate::{
    Scope, ViewError, ViewName,
    db::{self, Value, column},
    read::Snapshot,
};

/// The most visits to one enterprise that one answer counts, of those that a limit looks at. Far beyond any real
/// year; a bound all the same, and reaching it is an error and never a wrong count.
const VISITS_MAX: usize = 20_000;

/// How far back visits are read at first: a calendar year and any year that rolls lie within.
const USUAL_DAYS: i64 = 366;

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
    /// Within what the enterprise must lie for the caller to be answered.
    pub enterprises: Scope,
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

/// What comes of one statement.
pub(super) enum Answer {
    /// The enterprise is not for the caller.
    Unseen,
    /// A limit looks back further, or there are too many and none looks so far back: visits must be read from that
    /// day on.
    From(Date),
    /// How it stands.
    Quota(Quota),
}

/// Answers from one statement, for which visits are read from the day `from` on.
pub(super) async fn load(
    snapshot: &Snapshot<'_>,
    query: &Query,
    from: Date,
) -> Result<Answer, ViewError> {
    let whose = (&query.enterprise, Some(&query.unit), &query.enterprises);
    let Some(known) = known(snapshot, whose, from, query.known_only).await? else {
        return Ok(Answer::Unseen);
    };
    let Known { limits, level, profile, entries } = known;
    let position = snapshot.position().await?;
    let Some((version, policy)) = limits else {
        let none = Quota { policy_version: None, standings: vec![], floors: vec![], position };
        return Ok(Answer::Quota(none));
    };
    let limits = Limits { policy, profile };
    let first = limits.first_day(query.on);
    if let Some(first) = first.filter(|first| is_elsewhere(*first, from, entries.is_none())) {
        return Ok(Answer::From(first));
    }
    // Where no limit looks at any day, none of them counts.
    let entries = entries.or(first.is_none().then(Vec::new));
    let entries = entries.ok_or_else(|| too_many(&query.enterprise))?;
    let party = Party { unit: query.unit.clone(), level };
    let Assessment { standings, floors, .. } = limits.answer(&entries, Some(party), query.on);
    Ok(Answer::Quota(Quota { policy_version: Some(version), standings, floors, position }))
}

/// Whether visits that were read from the day `from` on must be read from `first` on instead.
fn is_elsewhere(first: Date, from: Date, too_many: bool) -> bool {
    first < from || (first > from && too_many)
}

fn too_many(enterprise: &EnterpriseId) -> ViewError {
    ViewError::TooManyVisits { enterprise: enterprise.clone(), visits_max: VISITS_MAX }
}

/// What the tables know that an answer about one enterprise rests on.
struct Known {
    /// The frequency policy in force, with its version.
    limits: Option<(u32, FrequencyPolicy)>,
    /// The level of the unit that is asked about, as its catalogue in force says.
    level: Option<Level>,
    /// Who the enterprise is, if it is registered.
    profile: Option<Registered>,
    /// What holds a place from that day on; none where that is more than one answer counts.
    entries: Option<Vec<Entry>>,
}

/// One statement for all of it, and `now` names who enterprises are as of now.
fn statement(now: &str) -> String {
    format!(
        "(SELECT 'limits' AS what, version, said, NULL AS enterprise, NULL AS area, NULL::json AS document \
         FROM policy WHERE name = $2 AND published LIMIT 1) UNION ALL \
         (SELECT 'level', version, said, NULL, NULL, NULL \
         FROM policy WHERE name = $3 AND published LIMIT 1) UNION ALL \
         SELECT 'area', NULL, profile->'area', NULL, NULL, NULL \
         FROM {now} AS now WHERE enterprise = $1 UNION ALL \
         SELECT 'profile', NULL, profile, NULL, NULL, NULL \
         FROM enterprise WHERE enterprise = $1 UNION ALL \
         SELECT 'parked', NULL, NULL, NULL, NULL, NULL FROM doudi.parked \
         WHERE view = '{view}' AND version = {version} AND stream = $5 UNION ALL \
         (SELECT 'visit', NULL, NULL, enterprise, area, document FROM visit \
         WHERE enterprise = $1 AND held IS NOT NULL AND day >= $4 ORDER BY visit LIMIT {})",
        VISITS_MAX + 1,
        view = ViewName::Visits,
        version = ViewName::Visits.version(),
    )
}

/// Reads it all; none where the enterprise does not lie within `scope` as of now, whenever is asked as of.
/// One that is not registered is in no area, nor is one whose profile cannot be read to its end.
async fn known(
    snapshot: &Snapshot<'_>,
    (enterprise, unit, scope): (&EnterpriseId, Option<&UnitId>, &Scope),
    from: Date,
    known_only: bool,
) -> Result<Option<Known>, ViewError> {
    let id = enterprise.as_str();
    let frequency = PolicyName::Frequency.to_string();
    let catalogue = unit.map(|unit| PolicyName::Catalogue(unit.clone()).to_string());
    let profile =
        StreamName::new(id, Profile::KIND, None).map_err(|error| ViewError::fault(DOING, error))?;
    let values: [Value<'_>; 5] = [
        (&id, Type::TEXT),
        (&frequency, Type::TEXT),
        (&catalogue, Type::TEXT),
        (&from, Type::DATE),
        (&profile.as_str(), Type::TEXT),
    ];
    let mut known = Known { limits: None, level: None, profile: None, entries: None };
    let (mut area, mut is_parked, mut visits) = (None, false, vec![]);
    let rows = snapshot.rows(DOING, &statement(&snapshot.now("enterprise")), &values).await?;
    for row in &rows {
        match column(row, "what")? {
            "limits" | "level" => match json(row, "said")? {
                Said::Limits(policy) => {
                    known.limits = Some((db::count(column(row, "version")?), policy));
                }
                Said::Level(level) => known.level = Some(level),
            },
            "area" => area = Some(json::<AreaCode>(row, "said")?),
            "parked" => is_parked = true,
            "profile" => known.profile = Some(json(row, "said")?),
            _ => visits.push(row),
        }
    }
    if !scope.covers(enterprise, None, area.as_ref().filter(|_| !is_parked)) {
        return Ok(None);
    }
    if visits.len() > VISITS_MAX {
        return Ok(Some(known));
    }
    let mut entries = vec![];
    for row in visits {
        let visit = rows::read(row)?;
        let seen = !(known_only && visit.is_internal());
        entries.extend(visit.visit().filter(|_| seen).and_then(Visit::entry));
    }
    known.entries = Some(entries);
    Ok(Some(known))
}

/// How many days before and after one are near by the frequency policy in force.
pub(super) async fn near_days(snapshot: &Snapshot<'_>) -> Result<u16, ViewError> {
    let statement = "SELECT said FROM policy WHERE name = $1 AND published LIMIT 1";
    let name = PolicyName::Frequency.to_string();
    let rows = snapshot.rows(DOING, statement, &[(&name, Type::TEXT)]).await?;
    let said = rows.first().map(|row| json(row, "said")).transpose()?;
    Ok(match said {
        Some(Said::Limits(policy)) => policy.visits.near_days,
        Some(Said::Level(_)) | None => VisitTerms::default().near_days,
    })
}
