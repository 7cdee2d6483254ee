//! Histories for tests: visits to one enterprise under random commands, policies, catalogues and
//! gradings, decided by the rules themselves.

use std::collections::BTreeMap;

use doudi_domain::{
    CertificateNumber, CheckDigit, CodeId, Context, Decider, FewMap, FewSet, ItemId, Name, Need,
    Published, VisitId,
    catalogue::Level,
    enterprise::{self, Profile},
    frequency::{FrequencyPolicy, Ground},
    policy::{self, Document, Policy, PolicyName},
    visits::{CheckIn, Command, Event, ItemResult, Manner, Outcome, Plan, Proof, Share, Visits},
};
use jiff::{Timestamp, ToSpan, civil::Date};
use uuid::Uuid;

mod documents;
mod moves;

pub(crate) use documents::{OFF_SITE, catalogue, limits, rule};
pub(crate) use moves::moves;

use super::{CALENDAR, CASES, area, unit};
use crate::fact::{Content, Fact};

/// The units that plan, with the level that their first catalogue says.
pub(crate) const UNITS: [(&str, Level); 3] =
    [("tax", Level::City), ("market", Level::City), ("county-fire", Level::County)];
/// The items there are and their fields.
const ITEMS: [(&str, &str); 3] = [("SC-1", "market"), ("SC-2", "market"), ("XF-1", "fire")];

pub(crate) fn visit(n: u64) -> VisitId {
    VisitId(Uuid::from_u64_pair(0, n))
}

fn officers(first: u16) -> FewSet<CertificateNumber> {
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
        officers: officers(1),
        items: [ItemId::parse("SC-1").unwrap()].into(),
        shares: FewMap::new(),
        ground: Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: day(on),
    }
}

/// The plan with another unit beside the lead, on the same items.
pub(crate) fn joint(plan: Plan, with: &str) -> Plan {
    let share = Share { officers: officers(3), items: plan.items.clone() };
    Plan { shares: [(unit(with), share)].into(), ..plan }
}

/// Officers at the door with a code that is good for one scan, number `code`.
pub(crate) fn scan(officers: FewSet<CertificateNumber>, at: Timestamp, code: u64) -> CheckIn {
    let proof = Proof::RotatingCode { code: CodeId(Uuid::from_u64_pair(1, code)) };
    CheckIn { officers, occurred_at: at, manner: Manner::Live, proof, place: None }
}

/// A result without lines of a checklist.
pub(crate) fn found(item: &ItemId, outcome: Outcome) -> ItemResult {
    ItemResult { item: item.clone(), outcome, unmet: [].into() }
}

/// What is recorded of a plan before there were catalogues.
pub(crate) fn planned(plan: Plan) -> Event {
    let lead = doudi_domain::frequency::Party { unit: plan.unit.clone(), level: None };
    Event::VisitPlanned {
        plan,
        area: None,
        policy_version: 1,
        catalogue_version: None,
        co_catalogues: FewMap::new(),
        parties: vec![lead],
        fields: FewMap::new(),
        lines: FewMap::new(),
        standings: vec![],
    }
}

/// An enterprise and its visits.
#[derive(Debug)]
pub(crate) struct Inspections {
    now: Timestamp,
    planned: u64,
    scanned: u64,
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
            scanned: 0,
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

    fn today(&self) -> Date {
        doudi_domain::calendar::civil_date(self.now)
    }

    fn context(&self, needs: &[Need]) -> Context<'_> {
        let cases = Published { version: 1, document: &*CASES };
        let calendar = Published { version: 0, document: &*CALENDAR };
        let in_force = |name: &PolicyName| self.policies.get(name);
        let catalogues = needs.iter().filter_map(|need| match need {
            Need::Catalogue(of) => in_force(&PolicyName::Catalogue(of.clone()))?.catalogue(),
            Need::Profile
            | Need::Visits
            | Need::Frequency
            | Need::Routing
            | Need::Calendar
            | Need::Cases
            | Need::Campaign(_) => None,
        });
        Context {
            profile: Some(&self.profile),
            frequency: in_force(&PolicyName::Frequency).and_then(Policy::frequency),
            catalogues: catalogues.collect(),
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
            let decided = state.decide(&self.context(&[]), &command);
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
        let decided = self.profile.decide(&self.context(&[]), command);
        let events = decided.unwrap_or_default();
        if !events.is_empty() {
            self.profile = events.iter().fold(self.profile.clone(), Profile::evolve);
            self.record(Content::Profile(super::enterprise(), events));
        }
    }

    /// Gives a command on a visit; says whether it changed something.
    pub(crate) fn tell(&mut self, command: &Command) -> bool {
        let decided = self.visits.decide(&self.context(&Visits::needs(command)), command);
        let events = decided.unwrap_or_default();
        if events.is_empty() {
            return false;
        }
        self.visits = events.iter().fold(self.visits.clone(), Visits::evolve);
        self.record(Content::Visits(super::enterprise(), events));
        true
    }

    /// Time goes on, and clocks reach their steps.
    pub(crate) fn later(&mut self, hours: u16) {
        self.now = self.now.checked_add(i64::from(hours).hours()).unwrap();
        let clocks = self.visits.all().flat_map(|visit| &visit.clocks);
        let clocks: Vec<_> = clocks.map(|clock| clock.id).collect();
        for clock in clocks {
            self.tell(&Command::TakeSteps { clock });
        }
    }

    /// The officers who came now, with a code that nobody used before.
    fn came(&mut self, officers: FewSet<CertificateNumber>) -> CheckIn {
        self.scanned += 1;
        scan(officers, self.now, self.scanned)
    }

    /// A visit that was planned for today, carried out and reported in one go.
    pub(crate) fn carry_out(&mut self, plan: Plan, outcome: Outcome) {
        let (visit, unit, shares) = (plan.visit, plan.unit.clone(), plan.all_shares());
        let (check_in, occurred_at) = (self.came(plan.officers.clone()), self.now);
        self.tell(&Command::Plan(plan));
        for unit in shares.keys().cloned() {
            self.tell(&Command::Approve { visit, unit });
        }
        self.tell(&Command::CheckIn { visit, unit: unit.clone(), check_in, improvised: None });
        self.tell(&Command::CheckOut { visit, unit, occurred_at });
        for (unit, share) in shares {
            let results = share.items.iter().map(|item| found(item, outcome)).collect();
            self.tell(&Command::ReportResult { visit, unit, results });
        }
    }
}
