//! given / when / then for deciders, and the short forms that tests of several modules share.
//!
//! Every accepted command is run again and must cause nothing more, and every event that it causes
//! must survive storage.

use std::{fmt::Debug, sync::LazyLock};

use jiff::{Timestamp, civil::Date};
use serde_json::Value;

use crate::{
    AreaCode, CertificateNumber, FieldId, ItemId, Name, Reference, RuleId, Sealed, TagId, UnitId,
    calendar::Calendar,
    campaign::Campaign,
    cases::CaseTypes,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    codec::{self, Storable},
    decider::{Context, Decider, Published},
    enterprise::Profile,
    frequency::{
        Counting, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject, Window,
    },
    routing::RoutingTable,
    visits::Visits,
};

/// A state reached by `events`.
pub(crate) fn given<D: Decider>(events: &[D::Event]) -> D {
    and(D::default(), events)
}

/// The state that `events` make of `state`.
pub(crate) fn and<D: Decider>(state: D, events: &[D::Event]) -> D {
    events.iter().fold(state, D::evolve)
}

/// Decides, and checks that the same command on the resulting state causes nothing more.
#[track_caller]
pub(crate) fn when<D>(
    state: &D,
    context: &Context<'_>,
    command: &D::Command,
) -> Result<Vec<D::Event>, D::Rejection>
where
    D: Decider,
    D::Event: Debug + PartialEq,
    D::Rejection: PartialEq,
{
    let events = state.decide(context, command)?;
    for event in &events {
        assert_eq!(stored(event), *event, "an event must be read as it was written");
    }
    let again = and(state.clone(), &events).decide(context, command);
    assert_eq!(again, Ok(vec![]), "the same command twice must cause nothing the second time");
    Ok(events)
}

/// The state after `command`, which must be accepted.
#[track_caller]
pub(crate) fn accepted<D>(state: D, context: &Context<'_>, command: &D::Command) -> D
where
    D: Decider,
    D::Event: Debug + PartialEq,
    D::Rejection: PartialEq,
{
    let events = when(&state, context, command).expect("the command is in order");
    and(state, &events)
}

/// The event as it comes back from storage.
#[track_caller]
pub(crate) fn stored<E: Storable>(event: &E) -> E {
    let encoded = codec::encode(event).expect("the event has a stored name");
    codec::decode(encoded.name, encoded.version, &encoded.data).expect("it was just encoded")
}

/// The events' type names joined by ` + `; `nothing` where there are none.
#[track_caller]
pub(crate) fn names<E: Storable>(events: &[E]) -> String {
    let name = |event| codec::encode(event).expect("the event has a stored name").name;
    if events.is_empty() {
        "nothing".to_owned()
    } else {
        events.iter().map(name).collect::<Vec<_>>().join(" + ")
    }
}

/// What decisions read besides their own stream. The versions differ, so that a mix-up shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// The enterprise; unregistered unless a test registers it.
    pub(crate) profile: Profile,
    /// The visits to it, for decisions on other streams.
    pub(crate) visits: Visits,
    /// Published as version 3.
    pub(crate) frequency: Option<FrequencyPolicy>,
    /// Published as version 11 each; a context has all of them.
    pub(crate) catalogues: Vec<Catalogue>,
    /// The special campaign that commands refer to.
    pub(crate) campaign: Option<Campaign>,
    /// Published as version 5.
    pub(crate) routing: Option<RoutingTable>,
    /// Published as version 7; none leaves the weekday rule, version 0.
    pub(crate) calendar: Option<Calendar>,
    /// Published as version 9; none leaves those shipped, version 0.
    pub(crate) cases: Option<CaseTypes>,
}

/// What decides where nothing was published.
static WEEKDAYS: LazyLock<Calendar> = LazyLock::new(Calendar::default);
static SHIPPED: LazyLock<CaseTypes> = LazyLock::new(shipped_cases);

/// A context that knows only the time, such as `2025-03-03T09:00+08:00`.
#[track_caller]
pub(crate) fn at(instant: &str) -> Context<'static> {
    Context::at(
        moment(instant),
        Published { version: 0, document: &SHIPPED },
        Published { version: 0, document: &WEEKDAYS },
    )
}

fn published<T>(version: u32, document: Option<&T>) -> Option<Published<'_, T>> {
    document.map(|document| Published { version, document })
}

impl World {
    /// The context of a decision made at `instant`, such as `2025-03-03T09:00+08:00`.
    #[track_caller]
    pub(crate) fn at(&self, instant: &str) -> Context<'_> {
        self.then(moment(instant))
    }

    /// The context of a decision made at `instant`.
    pub(crate) fn then(&self, instant: Timestamp) -> Context<'_> {
        Context {
            now: instant,
            profile: Some(&self.profile),
            visits: Some(&self.visits),
            frequency: published(3, self.frequency.as_ref()),
            catalogues: self
                .catalogues
                .iter()
                .map(|document| Published { version: 11, document })
                .collect(),
            campaign: self.campaign.as_ref(),
            routing: published(5, self.routing.as_ref()),
            calendar: published(7, self.calendar.as_ref())
                .unwrap_or(Published { version: 0, document: &WEEKDAYS }),
            cases: published(9, self.cases.as_ref())
                .unwrap_or(Published { version: 0, document: &SHIPPED }),
        }
    }
}

#[track_caller]
pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

#[track_caller]
pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

#[track_caller]
pub(crate) fn unit(text: &str) -> UnitId {
    UnitId::parse(text).expect("a unit")
}

#[track_caller]
pub(crate) fn area(text: &str) -> AreaCode {
    AreaCode::parse(text).expect("an area")
}

#[track_caller]
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

#[track_caller]
pub(crate) fn reference(text: &str) -> Reference {
    Reference::parse(text).expect("a reference")
}

#[track_caller]
pub(crate) fn item(text: &str) -> ItemId {
    ItemId::parse(text).expect("an item")
}

#[track_caller]
pub(crate) fn field(text: &str) -> FieldId {
    FieldId::parse(text).expect("a field")
}

#[track_caller]
pub(crate) fn tag(text: &str) -> TagId {
    TagId::parse(text).expect("a tag")
}

/// The certificate 2102-000n.
#[track_caller]
pub(crate) fn certificate(n: usize) -> CertificateNumber {
    CertificateNumber::parse(&format!("2102-{n:04}")).expect("a certificate")
}

/// A limit by calendar year, since 2019, that refuses, for every enterprise and every ground.
#[track_caller]
pub(crate) fn rule(id: &str, subject: Subject, maximum: u32) -> Rule {
    Rule {
        id: RuleId::parse(id).expect("a rule"),
        subject,
        enterprises: Enterprises::default(),
        window: Window::CalendarYear,
        days_of_month: None,
        maximum,
        items: [].into(),
        fields: [].into(),
        grounds: [].into(),
        exempt_grounds: [].into(),
        counting: Counting::All,
        joint: Joint::Once,
        on_exceeding: OnExceeding::Refuse,
        source: name(&format!("关于规范涉企行政检查的规定 {id}")),
        is_default: false,
        valid_from: day("2019-01-01"),
        valid_until: None,
    }
}

/// A policy of these rules alone.
pub(crate) fn policy_of(rules: Vec<Rule>) -> FrequencyPolicy {
    FrequencyPolicy { rules, ..FrequencyPolicy::default() }
}

/// An item that is inspected on site, on any ground.
pub(crate) fn on_site(id: &str, of: &str) -> Item {
    Item {
        id: item(id),
        title: name(&format!("检查事项 {id}")),
        field: field(of),
        legal_basis: name("中华人民共和国产品质量法 第十八条"),
        modes: [Mode::OnSite].into(),
        trigger_only: false,
        checklist: vec![],
    }
}

/// The catalogue of an organ of the city with nine officers and two items of one field.
#[track_caller]
pub(crate) fn catalogue(of: &str) -> Catalogue {
    let officer = |n| Officer {
        certificate: certificate(n),
        valid_from: day("2020-01-01"),
        valid_until: day("2029-12-31"),
    };
    Catalogue {
        unit: unit(of),
        level: Level::City,
        qualification: Qualification::Organ,
        officers: (1..10).map(officer).collect(),
        items: vec![on_site("SC-0101", "market"), on_site("SC-0205", "market")],
        triggers: [Ground::Complaint, Ground::Urgent].into(),
    }
}

/// A sealed text; the domain never opens it, so `text` stands for its ciphertext.
pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed {
        subject: "appeal:1".to_owned(),
        algorithm: "aes-256-gcm".to_owned(),
        nonce: "bm9uY2Utbm9uY2U=".to_owned(),
        ciphertext: text.to_owned(),
    }
}

/// The routing table of the city's plan: its units and areas, a desk for each area and the city,
/// the first lead unit of an item as its lead, the others as co-units.
pub(crate) fn plan_of_the_city() -> RoutingTable {
    let text = include_str!("../../../deploy/catalogue/plan.json");
    let plan: Value = serde_json::from_str(text).expect("the plan is JSON");
    let list = |key: &str| plan[key].as_array().expect("a list").clone();
    let desk = |area: &Value| format!("desk-{}", area["code"].as_str().unwrap().to_lowercase());
    let mut units = list("units");
    units.push(serde_json::json!({ "id": "desk-city", "name": "市诉求专席" }));
    for area in list("areas") {
        let name = format!("{}诉求专席", area["name"].as_str().unwrap());
        units.push(serde_json::json!({ "id": desk(&area), "name": name }));
    }
    let mut areas = list("areas");
    for area in &mut areas {
        area["desk"] = desk(area).into();
    }
    let topic = |item: &Value| {
        let leads = item["lead_units"].as_array().unwrap();
        let (lead, co_units) = (leads.first(), leads.get(1..).unwrap_or_default());
        serde_json::json!({
            "id": item["id"], "title": item["title"], "lead": lead, "co_units": co_units,
            "keywords": item["keywords"],
        })
    };
    let topics: Vec<Value> = list("items").iter().map(topic).collect();
    serde_json::from_value(serde_json::json!({
        "units": units, "areas": areas, "topics": topics, "city_desk": "desk-city",
        "guarantee": "desk-city",
    }))
    .expect("the plan makes a routing table")
}

/// The case types as shipped.
pub(crate) fn shipped_cases() -> CaseTypes {
    serde_json::from_str(include_str!("../../../deploy/catalogue/case_types.json"))
        .expect("the file makes case types")
}

/// The work calendar of 2024 to 2026 as published.
pub(crate) fn published_calendar() -> Calendar {
    let csv = include_str!("../../../deploy/catalogue/work_calendar.csv");
    let exception = |line: &str| {
        let columns: Vec<&str> = line.split(',').collect();
        serde_json::json!({ "date": columns[0], "kind": columns[1], "name": columns[2] })
    };
    let exceptions: Vec<Value> = csv.lines().skip(1).map(exception).collect();
    serde_json::from_value(
        serde_json::json!({ "years": [2024, 2025, 2026], "exceptions": exceptions }),
    )
    .expect("the file makes a calendar")
}
