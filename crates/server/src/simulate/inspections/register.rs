//! Who there is: the units that may inspect with their catalogues, and the enterprises.

use std::collections::BTreeSet;

use doudi_domain::{
    AreaCode, CertificateNumber, CheckDigit, EnterpriseId, FieldId, ItemId, Name, RuleId, UnitId,
    Uscc,
    calendar::Calendar,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    enterprise::CreditGrade,
    frequency::{
        Counting, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject, Window,
    },
    policy::Document,
    routing::RoutingTable,
};
use jiff::civil::{Date, date};

use crate::{
    catalogue::{self, Plan},
    simulate::{SimulateError, chance::Chance, city, step},
};

/// Officers that each unit has for sure.
const OFFICERS: u32 = 40;
/// Credit grades, with how many of a hundred enterprises have each.
const GRADES: [(Option<CreditGrade>, u32); 5] = [
    (Some(CreditGrade::A), 25),
    (Some(CreditGrade::B), 45),
    (Some(CreditGrade::C), 12),
    (Some(CreditGrade::D), 3),
    (None, 15),
];

/// An enterprise of nobody.
#[derive(Debug, Clone)]
pub(super) struct Enterprise {
    pub(super) id: EnterpriseId,
    pub(super) area: AreaCode,
    pub(super) grade: Option<CreditGrade>,
}

/// The city as whoever inspects sees it.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) documents: Vec<Document>,
    pub(super) catalogues: Vec<Catalogue>,
    pub(super) calendar: Calendar,
    pub(super) routing: RoutingTable,
    pub(super) enterprises: Vec<Enterprise>,
}

impl Register {
    /// The published city with so many enterprises.
    pub(super) fn of(seed: u64, enterprises: u32) -> Result<Self, SimulateError> {
        let mut chance = Chance::from_seed(seed);
        let mut documents = city::documents()?;
        documents.push(Document::Frequency(limits()?));
        let catalogues = catalogues()?;
        documents.extend(catalogues.iter().cloned().map(Document::Catalogue));
        let (mut calendar, mut routing) = (None, None);
        for document in &documents {
            match document {
                Document::Calendar(published) => calendar = Some(published.clone()),
                Document::Routing(published) => routing = Some(published.clone()),
                Document::Frequency(_) | Document::CaseTypes(_) | Document::Catalogue(_) => {}
            }
        }
        let (Some(calendar), Some(routing)) = (calendar, routing) else {
            return Err(step("the catalogue has no calendar or no routing table"));
        };
        let areas: Vec<AreaCode> = routing.areas.iter().map(|area| area.code.clone()).collect();
        let enterprises = (0..enterprises).map(|n| enterprise(&mut chance, &areas, n));
        let enterprises = enterprises.collect::<Result<_, _>>()?;
        Ok(Self { documents, catalogues, calendar, routing, enterprises })
    }

    /// The catalogue of a unit.
    pub(super) fn catalogue(&self, unit: &UnitId) -> Option<&Catalogue> {
        self.catalogues.iter().find(|catalogue| catalogue.unit == *unit)
    }
}

/// A code with a right check digit, none of a real enterprise.
fn enterprise(
    chance: &mut Chance,
    areas: &[AreaCode],
    number: u32,
) -> Result<Enterprise, SimulateError> {
    let body = format!("91210200DX{number:07}");
    let code = Uscc::parse(&format!("{body}0")).map_err(step)?;
    let digit =
        if let CheckDigit::Wrong { expected } = code.check_digit() { expected } else { '0' };
    Ok(Enterprise {
        id: EnterpriseId::parse(&format!("{body}{digit}")).map_err(step)?,
        area: chance.one_of(areas).cloned().ok_or_else(|| step("the city has no area"))?,
        grade: chance.by_share(&GRADES).copied().flatten(),
    })
}

/// The limits in force, and the marks of Chengdu, which stand in nobody's way.
fn limits() -> Result<FrequencyPolicy, SimulateError> {
    let published = doudi_api::policy_document(&catalogue::frequency_policy()).map_err(step)?;
    let Document::Frequency(mut policy) = published else {
        return Err(step("the frequency policy is another document"));
    };
    for (id, window, maximum) in [
        ("marked-by-the-day", Window::Day, 1),
        ("marked-by-the-week", Window::IsoWeek, 2),
        ("marked-by-the-month", Window::CalendarMonth, 3),
    ] {
        policy.rules.push(Rule {
            id: RuleId::parse(id).map_err(step)?,
            subject: Subject::AllUnits,
            enterprises: Enterprises::default(),
            window,
            days_of_month: None,
            maximum,
            items: BTreeSet::new(),
            fields: BTreeSet::new(),
            grounds: BTreeSet::new(),
            exempt_grounds: BTreeSet::new(),
            counting: Counting::All,
            joint: Joint::Once,
            on_exceeding: OnExceeding::Warn,
            source: Name::parse("一日超过一次、一周超过两次、一月超过三次的予以标记（成都）")
                .map_err(step)?,
            is_default: true,
            valid_from: date(2019, 1, 1),
            valid_until: None,
        });
    }
    Ok(policy)
}

/// The sample catalogues with officers enough for a whole city, and one like them for each other unit of
/// the plan that may inspect.
fn catalogues() -> Result<Vec<Catalogue>, SimulateError> {
    let mut known: Vec<Catalogue> = vec![];
    for document in catalogue::inspection_catalogues()? {
        if let Document::Catalogue(sample) = doudi_api::policy_document(&document).map_err(step)? {
            known.push(sample);
        }
    }
    for unit in Plan::published()?.units.iter().filter(|unit| unit.may_inspect) {
        let id = UnitId::parse(&unit.id).map_err(step)?;
        if known.iter().all(|sample| sample.unit != id) {
            known.push(made_up(id)?);
        }
    }
    for catalogue in &mut known {
        let more = (1..=OFFICERS).map(|n| officer(&catalogue.unit, n));
        catalogue.officers.extend(more.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(known)
}

fn officer(unit: &UnitId, number: u32) -> Result<Officer, SimulateError> {
    Ok(Officer {
        certificate: CertificateNumber::parse(&format!("SIM-{unit}-{number:03}")).map_err(step)?,
        valid_from: date(2019, 1, 1),
        valid_until: Date::MAX.min(date(2099, 12, 31)),
    })
}

fn made_up(unit: UnitId) -> Result<Catalogue, SimulateError> {
    let kinds: [(&str, &[Mode], bool); 4] = [
        ("日常检查", &[Mode::OnSite], false),
        ("资料与现场核对", &[Mode::OnSite, Mode::OffSite], false),
        ("网上巡查", &[Mode::OffSite], false),
        ("线索核查", &[Mode::OnSite], true),
    ];
    let items = (1_u32..).zip(kinds).map(|(n, (title, modes, trigger_only))| {
        Ok(Item {
            id: ItemId::parse(&format!("SIM-{unit}-{n}")).map_err(step)?,
            title: Name::parse(title).map_err(step)?,
            field: FieldId::parse(unit.as_str()).map_err(step)?,
            legal_basis: Name::parse("示例依据（模拟）").map_err(step)?,
            modes: modes.iter().copied().collect(),
            trigger_only,
            checklist: vec![Name::parse("示例检查内容").map_err(step)?],
        })
    });
    let items = items.collect::<Result<_, SimulateError>>()?;
    let triggers = [
        Ground::Complaint,
        Ground::Assigned,
        Ground::MonitoringLead,
        Ground::RectificationRecheck,
        Ground::Media,
        Ground::Urgent,
    ];
    Ok(Catalogue {
        unit,
        level: Level::City,
        qualification: Qualification::Organ,
        officers: vec![],
        items,
        triggers: triggers.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulated_city_is_sound_and_the_same_for_the_same_seed() {
        let register = Register::of(7, 300).unwrap();
        assert_eq!((register.routing.areas.len(), register.catalogues.len()), (12, 23));
        for document in &register.documents {
            assert_eq!(document.problems(), [], "{}", document.name());
        }
        let areas: BTreeSet<&AreaCode> =
            register.enterprises.iter().map(|enterprise| &enterprise.area).collect();
        assert_eq!(areas.len(), 12);
        let digits = register.enterprises.iter().map(|e| e.id.uscc().unwrap().check_digit());
        assert!(digits.into_iter().all(|digit| digit == CheckDigit::Correct));
        let again = Register::of(7, 300).unwrap();
        let ids = |register: &Register| {
            let each = register.enterprises.iter();
            each.map(|e| (e.id.clone(), e.area.clone(), e.grade)).collect::<Vec<_>>()
        };
        assert_eq!(ids(&register), ids(&again));
    }
}
