//! The published data in `deploy/catalogue` as policy documents: what a city starts with.
//!
//! Numbers for which no local figure is published are defaults: they are labelled so and an
//! administrator changes them by publishing another version.

use doudi_api::{
    of_document,
    proto::{
        CalendarException, Date, DayKind, FrequencyPolicy, FrequencyRule, FrequencySubject,
        FrequencyWindow, Ground, OnExceeding, PolicyDocument, RoutingArea, RoutingTable,
        RoutingTopic, RoutingUnit, WorkCalendar, policy_document::Document,
    },
};
use doudi_domain::{cases::CaseTypes, catalogue::Catalogue, policy};
use serde::Deserialize;

const PLAN: &str = include_str!("../../../deploy/catalogue/plan.json");
const CASE_TYPES: &str = include_str!("../../../deploy/catalogue/case_types.json");
const INSPECTION: &str = include_str!("../../../deploy/catalogue/inspection.json");
const WORK_CALENDAR: &str = include_str!("../../../deploy/catalogue/work_calendar.csv");

/// The desk (诉求专席) that takes what nothing else takes.
pub const CITY_DESK: &str = "desk-city";
const CITY_DESK_NAME: &str = "市诉求专席";

/// Why the published data cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The plan is not the JSON it should be.
    #[error("deploy/catalogue/plan.json cannot be read")]
    Plan(#[source] serde_json::Error),
    /// The case types are not the JSON they should be.
    #[error("deploy/catalogue/case_types.json cannot be read")]
    CaseTypes(#[source] serde_json::Error),
    /// The inspection catalogues are not the JSON they should be.
    #[error("deploy/catalogue/inspection.json cannot be read")]
    Inspection(#[source] serde_json::Error),
    /// A line of the calendar is not `date,kind,name`.
    #[error("line {0} of deploy/catalogue/work_calendar.csv cannot be read")]
    Calendar(usize),
}

/// The city's plan (营商环境方案): its areas, lead units and items.
#[derive(Debug, Deserialize)]
pub struct Plan {
    /// The areas.
    pub areas: Vec<Area>,
    /// The lead units.
    pub units: Vec<Unit>,
    /// The items.
    pub items: Vec<Item>,
}

/// An area of the city.
#[derive(Debug, Deserialize)]
pub struct Area {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A lead unit (牵头单位).
#[derive(Debug, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it has enforcement power, so that it may inspect at all.
    pub may_inspect: bool,
}

/// An item of the plan.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its lead units, the first in the lead.
    pub lead_units: Vec<String>,
    /// Words that point to it in the text of an appeal.
    pub keywords: Vec<String>,
}

impl Plan {
    /// The plan as published.
    ///
    /// # Errors
    /// [`CatalogueError::Plan`].
    pub fn published() -> Result<Self, CatalogueError> {
        serde_json::from_str(PLAN).map_err(CatalogueError::Plan)
    }

    /// The name of a unit, or its id where it has none.
    #[must_use]
    pub fn unit_name<'a>(&'a self, id: &'a str) -> &'a str {
        let other = if id == CITY_DESK { CITY_DESK_NAME } else { id };
        self.units.iter().find(|unit| unit.id == id).map_or(other, |unit| &unit.name)
    }

    /// The plan as a routing table: an item's first lead unit leads, the others share the work; an
    /// item without one goes to the area's desk. The plan names no desks and no guarantee unit:
    /// the desks are defaults, and the city desk guarantees.
    #[must_use]
    pub fn routing(&self) -> PolicyDocument {
        let lead = self.units.iter().map(|u| unit(&u.id, &u.name));
        let desks = self.areas.iter().map(|a| unit(&desk(&a.code), &format!("{}诉求专席", a.name)));
        let areas = self.areas.iter().map(|area| RoutingArea {
            code: area.code.clone(),
            name: area.name.clone(),
            desk: desk(&area.code),
        });
        let topics = self.items.iter().map(|item| RoutingTopic {
            id: item.id.clone(),
            title: item.title.clone(),
            lead: item.lead_units.first().cloned().unwrap_or_default(),
            co_units: item.lead_units.iter().skip(1).cloned().collect(),
            keywords: item.keywords.clone(),
        });
        PolicyDocument {
            document: Some(Document::Routing(RoutingTable {
                units: lead.chain(desks).chain([unit(CITY_DESK, CITY_DESK_NAME)]).collect(),
                areas: areas.collect(),
                topics: topics.collect(),
                city_desk: CITY_DESK.to_owned(),
                guarantee: CITY_DESK.to_owned(),
                standing: vec![],
            })),
        }
    }
}

fn unit(id: &str, name: &str) -> RoutingUnit {
    RoutingUnit { id: id.to_owned(), name: name.to_owned(), ..RoutingUnit::default() }
}

/// The desk of an area.
fn desk(area: &str) -> String {
    format!("desk-{}", area.to_ascii_lowercase())
}

/// The work calendar as the State Council publishes it each year (国务院办公厅关于部分节假日安排的通知).
///
/// # Errors
/// [`CatalogueError::Calendar`].
pub fn work_calendar() -> Result<PolicyDocument, CatalogueError> {
    let mut exceptions = Vec::new();
    for (number, line) in WORK_CALENDAR.lines().enumerate().skip(1) {
        exceptions.push(exception(line).ok_or(CatalogueError::Calendar(number + 1))?);
    }
    let mut years: Vec<i32> =
        exceptions.iter().filter_map(|e| e.date.as_ref().map(|date| date.year)).collect();
    years.dedup();
    // No hours of business are published for the city: the calendar's defaults apply.
    let calendar = WorkCalendar { years, exceptions, hours: vec![] };
    Ok(PolicyDocument { document: Some(Document::Calendar(calendar)) })
}

fn exception(line: &str) -> Option<CalendarException> {
    let mut columns = line.split(',');
    let mut date = columns.next()?.split('-').map(str::parse::<i32>);
    let mut part = || date.next()?.ok();
    let date = Date { year: part()?, month: part()?, day: part()? };
    let kind = match columns.next()? {
        "holiday" => DayKind::Holiday,
        "workday" => DayKind::Workday,
        _ => return None,
    };
    let name = columns.next()?.to_owned();
    Some(CalendarException { date: Some(date), kind: kind.into(), name, hours: vec![] })
}

/// The case types that a city starts with: general, fair competition, tax dispute, case overdue,
/// round table. Every number is a default.
///
/// # Errors
/// [`CatalogueError::CaseTypes`].
pub fn case_types() -> Result<PolicyDocument, CatalogueError> {
    let types: CaseTypes = serde_json::from_str(CASE_TYPES).map_err(CatalogueError::CaseTypes)?;
    Ok(of_document(&policy::Document::CaseTypes(types)))
}

/// The sample inspection catalogues (行政检查清单): what some units of the plan may inspect, and with which
/// officers. Units publish their own in place of them.
#[derive(Debug, Deserialize)]
struct Samples {
    catalogues: Vec<Catalogue>,
}

/// The sample inspection catalogues, one document for each unit that has one.
///
/// # Errors
/// [`CatalogueError::Inspection`].
pub fn inspection_catalogues() -> Result<Vec<PolicyDocument>, CatalogueError> {
    let samples: Samples = serde_json::from_str(INSPECTION).map_err(CatalogueError::Inspection)?;
    let documents = samples.catalogues.into_iter().map(policy::Document::Catalogue);
    Ok(documents.map(|document| of_document(&document)).collect())
}

/// Grounds that pass every limit: what was complained of, assigned, asked for or cannot wait.
const EXEMPT: [Ground; 9] = [
    Ground::Complaint,
    Ground::Assigned,
    Ground::MonitoringLead,
    Ground::EnterpriseRequest,
    Ground::RectificationRecheck,
    Ground::LicenceVerification,
    Ground::Media,
    Ground::Urgent,
    Ground::DeployedCampaign,
];

/// The frequency policy: one visit a year by the same unit, and a default limit on all units together.
#[must_use]
pub fn frequency_policy() -> PolicyDocument {
    let rule =
        |id: &str, subject: FrequencySubject, maximum, source: &str, is_default| FrequencyRule {
            id: id.to_owned(),
            subject: subject.into(),
            window: FrequencyWindow::CalendarYear.into(),
            maximum,
            exempt_grounds: EXEMPT.map(Into::into).to_vec(),
            source: source.to_owned(),
            is_default,
            valid_from: Some(Date { year: 2019, month: 1, day: 1 }),
            on_exceeding: OnExceeding::Refuse.into(),
            ..FrequencyRule::default()
        };
    PolicyDocument {
        document: Some(Document::Frequency(FrequencyPolicy {
            rules: vec![
                rule(
                    "one-a-year-by-the-same-unit",
                    FrequencySubject::SameUnit,
                    1,
                    "辽宁省2019年规范涉企行政检查：同一部门对同一企业每年检查不超过1次",
                    false,
                ),
                rule(
                    "four-a-year-by-all-units",
                    FrequencySubject::AllUnits,
                    4,
                    "缺省值（待市级公布）：各部门对同一企业每年检查合计不超过4次",
                    true,
                ),
            ],
            ..FrequencyPolicy::default()
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_its_63_items_39_units_and_12_areas() {
        let plan = Plan::published().unwrap();
        assert_eq!((plan.items.len(), plan.units.len(), plan.areas.len()), (63, 39, 12));
        assert_eq!(plan.unit_name("power-supply"), "国网大连供电公司");
        let Some(Document::Routing(table)) = plan.routing().document else {
            panic!("a routing table");
        };
        assert_eq!(table.guarantee, CITY_DESK);
        let keywords = table.topics.iter().filter(|topic| !topic.keywords.is_empty()).count();
        assert_eq!(keywords, 48, "the items of the cities and districts have none");
    }

    #[test]
    fn there_are_five_case_types() {
        let Some(Document::CaseTypes(cases)) = case_types().unwrap().document else {
            panic!("case types");
        };
        let ids: Vec<&str> = cases.types.iter().map(|case_type| case_type.id.as_str()).collect();
        let known = ["general", "fair-competition", "tax-dispute", "case-overdue", "round-table"];
        assert_eq!(ids, known);
    }

    #[test]
    fn every_sample_catalogue_is_sound_and_of_a_unit_that_may_inspect() {
        let plan = Plan::published().unwrap();
        let may_inspect = |unit: &str| plan.units.iter().any(|l| l.id == unit && l.may_inspect);
        let samples: Samples = serde_json::from_str(INSPECTION).unwrap();
        let items = || samples.catalogues.iter().flat_map(|catalogue| &catalogue.items);
        for catalogue in &samples.catalogues {
            assert!(may_inspect(catalogue.unit.as_str()), "{}", catalogue.unit);
            assert_eq!(catalogue.problems(), [], "{}", catalogue.unit);
        }
        assert!(items().any(|item| item.trigger_only));
        assert!(items().any(|item| item.modes.len() == 2), "one that can be done off site");
        assert_eq!(inspection_catalogues().unwrap().len(), samples.catalogues.len());
    }

    #[test]
    fn the_calendar_covers_2024_to_2026() {
        let Some(Document::Calendar(calendar)) = work_calendar().unwrap().document else {
            panic!("a calendar");
        };
        assert_eq!(calendar.years, [2024, 2025, 2026]);
        assert_eq!(calendar.exceptions.len(), 75);
    }
}
