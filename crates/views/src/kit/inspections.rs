//! Histories for tests: visits to one enterprise under random commands, policies, catalogues and
//! gradings, decided by the rules themselves.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{
    CertificateNumber, CheckDigit, Context, Decider, FieldId, ItemId, Name, Published, Reference,
    RuleId, TagId, UnitId, VisitId,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    enterprise::{self, CreditGrade, Profile, RiskClass},
    frequency::{
        Counting, Enterprises, Floor, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject,
        Window,
    },
    policy::{self, Document, Policy, PolicyName},
    visits::{CancelReason, CheckIn, Command, Event, ItemResult, Outcome, Plan, Visits},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::{CALENDAR, CASES, area, unit};
use crate::fact::{Content, Fact};

/// The units that plan, with the level that their first catalogue says.
pub(crate) const UNITS: [(&str, Level); 3] =
    [("tax", Level::City), ("market", Level::City), ("county-fire", Level::County)];
/// The items there are and their fields.
const ITEMS: [(&str, &str); 3] = [("SC-1", "market"), ("SC-2", "market"), ("XF-1", "fire")];
const GROUNDS: [Ground; 4] = [Ground::Routine, Ground::Random, Ground::Complaint, Ground::Special];
const DAYS_AHEAD: [i32; 8] = [0, 0, 1, 5, 29, 60, 200, 399];

pub(crate) fn visit(n: u64) -> VisitId {
    VisitId(Uuid::from_u64_pair(0, n))
}

fn officers(first: u16) -> BTreeSet<CertificateNumber> {
    let certificate = |n| CertificateNumber::parse(&format!("D-{n}")).unwrap();
    [first, first + 1].map(certificate).into()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A routine visit of one unit.
pub(crate) fn plan(n: u64, by: &str, on: &str) -> Plan {
    Plan {
        visit: visit(n),
        unit: unit(by),
        co_units: BTreeSet::new(),
        officers: officers(1),
        items: [ItemId::parse("SC-1").unwrap()].into(),
        ground: Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        on: day(on),
    }
}

/// What is recorded of a plan before there were catalogues.
pub(crate) fn planned(plan: Plan) -> Event {
    let lead = doudi_domain::frequency::Party { unit: plan.unit.clone(), level: None };
    Event::VisitPlanned {
        plan,
        area: None,
        policy_version: 1,
        catalogue_version: None,
        parties: vec![lead],
        fields: BTreeMap::new(),
        standings: vec![],
    }
}

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
    Catalogue {
        unit: unit(of),
        level,
        qualification: Qualification::Organ,
        officers: (1..8).map(officer).collect(),
        items: ITEMS.map(item).into(),
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

/// A move of a history: which command, with what, after how many hours.
pub(crate) type Move = (u8, u16, u16);

/// Moves that often carry visits out.
pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let hours = prop_oneof![6 => Just(0_u16), 3 => 1_u16..200, 1 => 200_u16..3000];
    vec((0_u8..40, any::<u16>(), hours), 1..60)
}

/// An enterprise and its visits.
#[derive(Debug)]
pub(crate) struct Inspections {
    now: Timestamp,
    planned: u64,
    pub(crate) profile: Profile,
    pub(crate) visits: Visits,
    pub(crate) policies: BTreeMap<PolicyName, Policy>,
    /// The commits, in their order.
    pub(crate) log: Vec<Fact>,
}

impl Inspections {
    /// Registered on a Monday under those limits, each unit with a catalogue.
    pub(crate) fn new(limits: FrequencyPolicy) -> Self {
        let mut life = Self {
            now: "2025-03-03T09:00+08:00".parse().unwrap(),
            planned: 0,
            profile: Profile::default(),
            visits: Visits::default(),
            policies: BTreeMap::new(),
            log: vec![],
        };
        life.known(&enterprise::Command::Register {
            name: Name::parse("旅顺某公司").unwrap(),
            area: area(),
            check_digit: CheckDigit::None,
        });
        life.publish(Document::Frequency(limits));
        for (of, level) in UNITS {
            life.publish(Document::Catalogue(catalogue(of, level)));
        }
        life
    }

    /// Such a history.
    pub(crate) fn random(moves: &[Move]) -> Self {
        let mask = moves.first().map_or(0, |(_, with, _)| *with);
        let mut life = Self::new(limits(mask));
        for (command, with, hours) in moves {
            life.now = life.now.checked_add(i64::from(*hours).hours()).unwrap();
            life.step(*command, *with);
        }
        life
    }

    fn today(&self) -> Date {
        doudi_domain::calendar::civil_date(self.now)
    }

    fn context(&self, about: &UnitId) -> Context<'_> {
        let cases = Published { version: 1, document: &*CASES };
        let calendar = Published { version: 0, document: &*CALENDAR };
        let in_force = |name: &PolicyName| self.policies.get(name);
        Context {
            profile: Some(&self.profile),
            frequency: in_force(&PolicyName::Frequency).and_then(Policy::frequency),
            catalogue: in_force(&PolicyName::Catalogue(about.clone())).and_then(Policy::catalogue),
            ..Context::at(self.now, cases, calendar)
        }
    }

    fn record(&mut self, content: Content) {
        let position = i64::try_from(self.log.len()).unwrap() + 1;
        self.log.push(Fact::of(content, self.now, position));
    }

    /// Puts a document in force.
    pub(crate) fn publish(&mut self, document: Document) {
        let name = document.name();
        let mut state = self.policies.remove(&name).unwrap_or_default();
        let version = state.statuses.keys().next_back().map_or(1, |last| last + 1);
        for command in [policy::Command::Draft(document), policy::Command::Publish { version }] {
            let decided = state.decide(&self.context(&unit("tax")), &command);
            // The document in force once more is no new version.
            let events = decided.unwrap_or_default();
            state = events.iter().fold(state, Policy::evolve);
            if !events.is_empty() {
                self.record(Content::Policy(name.clone(), events));
            }
        }
        self.policies.insert(name, state);
    }

    fn known(&mut self, command: &enterprise::Command) {
        let decided = self.profile.decide(&self.context(&unit("tax")), command);
        let events = decided.unwrap_or_default();
        if !events.is_empty() {
            self.profile = events.iter().fold(self.profile.clone(), Profile::evolve);
            self.record(Content::Profile(super::enterprise(), events));
        }
    }

    /// Gives a command on a visit; says whether it changed something.
    pub(crate) fn tell(&mut self, by: &UnitId, command: &Command) -> bool {
        let decided = self.visits.decide(&self.context(by), command);
        let events = decided.unwrap_or_default();
        if events.is_empty() {
            return false;
        }
        self.visits = events.iter().fold(self.visits.clone(), Visits::evolve);
        self.record(Content::Visits(super::enterprise(), events));
        true
    }

    /// A visit that was planned for today, carried out and reported in one go.
    pub(crate) fn carry_out(&mut self, plan: Plan, offline: bool, found: bool) {
        let (visit, by) = (plan.visit, plan.unit.clone());
        let (officers, occurred_at) = (plan.officers.clone(), self.now);
        let outcome = if found { Outcome::CaseFiled } else { Outcome::Pass };
        let results = plan.items.iter().map(|item| ItemResult { item: item.clone(), outcome });
        let results = results.collect();
        let check_in = CheckIn { officers, occurred_at, offline };
        for command in [
            Command::Plan(plan),
            Command::Approve { visit, unit: by.clone() },
            Command::CheckIn { visit, unit: by.clone(), check_in },
            Command::CheckOut { visit, unit: by.clone(), occurred_at },
            Command::ReportResult { visit, unit: by.clone(), results },
        ] {
            self.tell(&by, &command);
        }
    }

    fn random_plan(&mut self, with: u16) -> Plan {
        self.planned += 1;
        let pick = |shift: u16, of: u16| usize::from((with >> shift) % of);
        let (by, _) = UNITS[pick(0, 3)];
        let joint = pick(9, 4) == 0;
        let listed = ITEMS.iter().enumerate();
        let listed = listed.filter(|(at, _)| (pick(2, 7) + 1) & (1 << at) != 0);
        let reference = |text| Some(Reference::parse(text).unwrap());
        let justified = pick(4, 3) > 0;
        Plan {
            co_units: joint.then(|| unit("gas")).into_iter().collect(),
            officers: officers(1 + (with >> 7) % 3),
            items: listed.map(|(_, (id, _))| ItemId::parse(id).unwrap()).collect(),
            ground: GROUNDS[pick(5, 4)],
            evidence: reference("12345-0077"),
            justification: justified.then(|| reference("批 7 号")).flatten(),
            on: self.today().saturating_add(DAYS_AHEAD[pick(11, 8)].days()),
            ..plan(self.planned, by, "2025-03-03")
        }
    }

    fn step(&mut self, command: u8, with: u16) {
        let n = 1 + u64::from(with) % self.planned.max(1);
        let visit = visit(n);
        let known = self.visits.get(visit).map(|visit| visit.plan.clone());
        let plan = known.unwrap_or_else(|| plan(n, "tax", "2025-03-03"));
        let by = plan.unit.clone();
        let (own, yes) = (by.clone(), (with >> 8).is_multiple_of(2));
        let command = match command {
            0..=11 => Command::Plan(self.random_plan(with)),
            12..=17 => {
                let plan = Plan { on: self.today(), ..self.random_plan(with) };
                return self.carry_out(plan, yes, with.is_multiple_of(3));
            }
            18..=19 => Command::Approve { visit, unit: by },
            20..=25 => {
                let ago = SignedDuration::from_hours(i64::from(with >> 10));
                let (occurred_at, officers) = (self.now - ago, officers(1 + with % 3));
                let check_in = CheckIn { officers, occurred_at, offline: yes };
                Command::CheckIn { visit, unit: by, check_in }
            }
            26..=27 => Command::CheckOut { visit, unit: by, occurred_at: self.now },
            28..=30 => {
                let outcome = if yes { Outcome::CorrectedOnTheSpot } else { Outcome::Pass };
                let results = plan.items.into_iter().map(|item| ItemResult { item, outcome });
                Command::ReportResult { visit, unit: by, results: results.collect() }
            }
            31 => Command::Cancel { visit, unit: by, reason: CancelReason::TaskWithdrawn },
            32 => Command::Expire { visit },
            33..=34 => return self.grade(with),
            35..=36 => return self.classify(yes),
            37 => return self.publish(Document::Frequency(limits(with))),
            _ => {
                let (of, _) = UNITS[usize::from(with % 3)];
                let level = if yes { Level::Province } else { Level::County };
                return self.publish(Document::Catalogue(catalogue(of, level)));
            }
        };
        self.tell(&own, &command);
    }

    /// Of some day before today, for a while or for good.
    fn grade(&mut self, with: u16) {
        let assessed_on = self.today().saturating_sub(i32::from(with % 50).days());
        let lasts = i32::from(with >> 8).days();
        self.known(&enterprise::Command::AssessCreditGrade {
            grade: if with.is_multiple_of(2) { CreditGrade::A } else { CreditGrade::C },
            issuer: unit("market"),
            assessed_on,
            valid_until: (!with.is_multiple_of(3)).then(|| assessed_on.saturating_add(lasts)),
        });
    }

    fn classify(&mut self, port: bool) {
        self.known(&enterprise::Command::Classify {
            risk_class: port.then_some(RiskClass::B),
            tags: port.then(|| TagId::parse("port").unwrap()).into_iter().collect(),
            basis: Reference::parse("档 12 号").unwrap(),
            issuer: unit("market"),
        });
    }
}
