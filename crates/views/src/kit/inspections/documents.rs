//! The documents that inspections are decided on: catalogues and frequency policies.

use doudi_domain::{
    CertificateNumber, FieldId, ItemId, Name, RuleId, TagId,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    enterprise::CreditGrade,
    frequency::{
        Counting, Enterprises, Floor, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject,
        Window,
    },
};

use super::{ITEMS, day};
use crate::kit::unit;

/// The item that can be checked from elsewhere.
pub(crate) const OFF_SITE: &str = "DA-1";

/// A catalogue of every item, with seven officers.
pub(crate) fn catalogue(of: &str, level: Level) -> Catalogue {
    let officer = |n| Officer {
        certificate: CertificateNumber::parse(&format!("D-{n}")).unwrap(),
        valid_from: day("2020-01-01"),
        valid_until: day("2199-12-31"),
    };
    let item = |(id, field): (&str, &str)| Item {
        id: ItemId::parse(id).unwrap(),
        title: Name::parse("检查事项").unwrap(),
        field: FieldId::parse(field).unwrap(),
        legal_basis: Name::parse("产品质量法").unwrap(),
        modes: [Mode::OnSite].into(),
        trigger_only: false,
        checklist: vec![],
    };
    let from_elsewhere = Item { modes: [Mode::OffSite].into(), ..item((OFF_SITE, "records")) };
    Catalogue {
        unit: unit(of),
        level,
        qualification: Qualification::Organ,
        officers: (1..8).map(officer).collect(),
        items: ITEMS.map(item).into_iter().chain([from_elsewhere]).collect(),
        triggers: [Ground::Complaint].into(),
    }
}

/// A limit by calendar year that refuses.
pub(crate) fn rule(id: &str, subject: Subject, maximum: u32) -> Rule {
    Rule {
        id: RuleId::parse(id).unwrap(),
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
        source: Name::parse("一份文件").unwrap(),
        is_default: true,
        valid_from: day("2019-01-01"),
        valid_until: None,
    }
}

/// Some of these limits, as the bits of `mask` say, one always; and sometimes a floor.
pub(crate) fn limits(mask: u16) -> FrequencyPolicy {
    let of = |id, subject, maximum, window, on_exceeding| Rule {
        window,
        on_exceeding,
        ..rule(id, subject, maximum)
    };
    use OnExceeding::{NeedsApproval, Refuse, Warn};
    use Subject::{AllUnits, SameField, SameItem, SameLevel, SameOfficer, SameUnit};
    use Window::{CalendarMonth, CalendarYear, Day, IsoWeek, Rolling};
    let tag = TagId::parse("port").unwrap();
    let rules = [
        of("unit-month", SameUnit, 2, CalendarMonth, Refuse),
        Rule {
            exempt_grounds: [Ground::Complaint].into(),
            ..of("unit-year", SameUnit, 1, CalendarYear, Warn)
        },
        of("level", SameLevel, 2, Rolling(90), NeedsApproval),
        Rule {
            joint: Joint::OncePerUnit,
            counting: Counting::WithoutFinding,
            ..of("all", AllUnits, 4, CalendarYear, Refuse)
        },
        of("field", SameField, 1, IsoWeek, Warn),
        of("item", SameItem, 2, Rolling(30), Refuse),
        of("officer", SameOfficer, 1, Rolling(20), Warn),
        of("day", AllUnits, 1, Day, Warn),
        Rule {
            enterprises: Enterprises { grades: [CreditGrade::A].into(), ..Enterprises::default() },
            ..of("graded", AllUnits, 1, CalendarYear, Warn)
        },
        Rule {
            enterprises: Enterprises { tags: [tag].into(), ..Enterprises::default() },
            fields: [FieldId::parse("fire").unwrap()].into(),
            ..of("tagged", AllUnits, 0, CalendarYear, Warn)
        },
    ];
    let rules = rules.into_iter().enumerate();
    let rules = rules.filter(|(n, _)| *n == 1 || mask & (1 << n) != 0);
    let floor = Floor {
        id: RuleId::parse("floor").unwrap(),
        enterprises: Enterprises::default(),
        grounds: [].into(),
        minimum: 1,
        years: 1,
        source: Name::parse("一份文件").unwrap(),
        is_default: true,
        valid_from: day("2019-01-01"),
        valid_until: None,
    };
    let rules = rules.map(|(_, rule)| rule).collect();
    let floors = (mask & (1 << 10) != 0).then_some(floor).into_iter().collect();
    FrequencyPolicy { rules, floors, ..FrequencyPolicy::default() }
}
