//! A log in memory to project from, and the events to put into it.

use std::collections::HashMap;

use doudi_domain::{
    AppealId, AreaCode, CertificateNumber, CheckDigit, EnterpriseId, FewSet, FieldId, ItemId, Name,
    RuleId, Sealed, TagId, TopicId, UnitId, VisitId, appeal,
    cases::CaseTypes,
    catalogue::{Catalogue, Level, Qualification},
    clock::{Clock, ClockId, ClockKind, Derivation, Owner, Planned, Step},
    codec,
    enterprise::{self, CreditGrade},
    frequency, policy, routing, visits,
};
use doudi_journal::{
    Actor, Commit, Hash, Journal, Memory, Position, Record, StoredEvent, StreamName, Version,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

/// Appends commits as the engine would.
pub(super) struct Log {
    pub(super) journal: Journal,
    last: HashMap<StreamName, (Version, Hash, Position)>,
    /// The instant of the next commit, in seconds; each is one second later.
    second: i64,
}

impl Log {
    pub(super) fn new() -> Self {
        Self::on(Journal::Memory(Memory::new()))
    }

    /// On a log that has no record yet.
    pub(super) fn on(journal: Journal) -> Self {
        Self { journal, last: HashMap::new(), second: 1_770_000_000 }
    }

    pub(super) async fn append<E: codec::Storable>(
        &mut self,
        stream: &str,
        events: &[E],
    ) -> Position {
        let stream = StreamName::parse(stream).unwrap();
        let known = self.last.get(&stream).cloned();
        let at = Timestamp::from_second(self.second).unwrap();
        self.second += 1;
        let stored = |event: &E| {
            let encoded = codec::encode(event).unwrap();
            let name = encoded.name.to_owned();
            StoredEvent { name, version: encoded.version, data: encoded.data }
        };
        let commit = Commit {
            stream: stream.clone(),
            version: known.as_ref().map_or(Version(1), |(version, ..)| version.next()),
            previous: known.as_ref().map(|(_, hash, _)| *hash),
            command_id: Uuid::from_u128(u128::try_from(self.second).unwrap()),
            command_digest: Hash::sha256(b""),
            actor: Actor {
                principal: "tester".to_owned(),
                unit: None,
                device: None,
                on_behalf_of: None,
            },
            occurred_at: at,
            recorded_at: at,
            causation: None,
            correlation: Uuid::nil(),
            traceparent: None,
            events: events.iter().map(stored).collect(),
        };
        self.put(&stream, commit.encode().unwrap().to_vec()).await
    }

    /// Appends bytes, whatever they are.
    pub(super) async fn put(&mut self, stream: &StreamName, bytes: Vec<u8>) -> Position {
        let known = self.last.get(stream).cloned();
        let expected = known.as_ref().map_or(Position::START, |(.., position)| *position);
        let record = Record { position: expected, stream: stream.clone(), payload: bytes.into() };
        let payload = record.payload.clone();
        let position = self.journal.append(stream, payload, expected).await.unwrap();
        let version = known.map_or(Version(1), |(version, ..)| version.next());
        self.last.insert(stream.clone(), (version, record.hash(), position));
        position
    }

    /// A whole small history of the enterprise number `n`: 8 commits with 8 events, the last of an
    /// appeal that was dispatched to `unit`.
    pub(super) async fn history(&mut self, n: u64, unit: &str) -> Position {
        let own = format!("ev.{}", enterprise(n));
        self.append(&format!("{own}.profile"), &[registered(AREA)]).await;
        let visits = format!("{own}.visits");
        self.append(&visits, &[planned(visit(n), unit, "2026-03-02")]).await;
        let approved = approved(visit(n));
        self.append(&visits, &[approved]).await;
        self.append(&visits, &[checked_in(visit(n), "2026-03-03T02:00:00Z")]).await;
        let other = visits::Event::VisitCancelled {
            visit: visit(n + 1_000_000),
            reason: visits::CancelReason::TaskWithdrawn,
        };
        let both = [planned(visit(n + 1_000_000), unit, "2026-04-02"), other];
        self.append(&visits, &both).await;
        let appeals = format!("{own}.appeal.{}", appeal(n));
        self.append(&appeals, &[submitted()]).await;
        self.append(&appeals, &[accepted()]).await;
        self.append(&appeals, &[dispatched(unit)]).await
    }
}

/// How many events [`Log::history`] makes.
pub(super) const EVENTS: usize = 9;
/// The area of every enterprise.
pub(super) const AREA: &str = "210212";

pub(super) fn enterprise(n: u64) -> EnterpriseId {
    EnterpriseId::parse(&format!("L-{n}")).unwrap()
}

pub(super) fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub(super) fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

pub(super) fn visit(n: u64) -> VisitId {
    VisitId(Uuid::from_u64_pair(1, n))
}

pub(super) fn appeal(n: u64) -> AppealId {
    AppealId(Uuid::from_u64_pair(2, n))
}

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn registered(code: &str) -> enterprise::Event {
    let name = Name::parse("旅顺某公司").unwrap();
    enterprise::Event::EnterpriseRegistered {
        name,
        area: area(code),
        check_digit: CheckDigit::None,
    }
}

pub(super) fn planned(visit: VisitId, by: &str, on: &str) -> visits::Event {
    let plan = visits::Plan {
        visit,
        unit: unit(by),
        officers: officers(),
        items: [ItemId::parse("I-1").unwrap()].into(),
        shares: [].into(),
        ground: frequency::Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: date(on),
    };
    of_plan(plan)
}

fn officers() -> FewSet<CertificateNumber> {
    ["D-1", "D-2"].map(|n| CertificateNumber::parse(n).unwrap()).into()
}

/// The plan with other units beside the lead, on the same items.
pub(super) fn with(event: visits::Event, units: &[&str]) -> visits::Event {
    let visits::Event::VisitPlanned { plan, .. } = event else {
        panic!("a plan");
    };
    let share = visits::Share { officers: officers(), items: plan.items.clone() };
    let shares = units.iter().map(|id| (unit(id), share.clone())).collect();
    of_plan(visits::Plan { shares, ..plan })
}

/// By the head of its lead.
pub(super) fn approved(visit: VisitId) -> visits::Event {
    visits::Event::VisitApproved { visit, unit: None }
}

/// As an organ of the city plans it, whose catalogue has every item in one field.
pub(super) fn of_plan(plan: visits::Plan) -> visits::Event {
    let field = || FieldId::parse("market").unwrap();
    let lead = frequency::Party { unit: plan.unit.clone(), level: Some(Level::City) };
    let others = plan.shares.keys();
    let others = others.map(|unit| frequency::Party { unit: unit.clone(), level: None });
    visits::Event::VisitPlanned {
        parties: std::iter::once(lead).chain(others).collect(),
        fields: plan.items.iter().map(|item| (item.clone(), field())).collect(),
        plan,
        area: Some(area(AREA)),
        policy_version: 1,
        catalogue_version: Some(1),
        co_catalogues: [].into(),
        lines: [].into(),
        standings: vec![],
    }
}

pub(super) fn checked_in(visit: VisitId, at: &str) -> visits::Event {
    let check_in = visits::CheckIn {
        officers: officers(),
        occurred_at: at.parse().unwrap(),
        manner: visits::Manner::Live,
        proof: visits::Proof::Nothing,
        place: None,
    };
    visits::Event::VisitCheckedIn {
        visit,
        check_in,
        irregularities: [].into(),
        tell: None,
        counts_on: None,
    }
}

/// What stands for a sealed text.
pub(super) fn sealed() -> Sealed {
    Sealed {
        subject: "appeal:1".to_owned(),
        algorithm: "aes-256-gcm".to_owned(),
        nonce: "bm9uY2U=".to_owned(),
        ciphertext: "c2VjcmV0".to_owned(),
    }
}

pub(super) fn submission() -> appeal::Submission {
    appeal::Submission::new(
        appeal::Channel::Hotline12345,
        TopicId::parse("T06").unwrap(),
        area(AREA),
        sealed(),
    )
}

pub(super) fn submitted() -> appeal::Event {
    let submission = submission();
    let types: CaseTypes =
        serde_json::from_str(include_str!("../../../deploy/catalogue/case_types.json")).unwrap();
    let terms = appeal::Pinned { version: 0, case_type: types.types[0].clone() };
    let clocks = clocks(Some((1, ClockKind::Accept, Owner::CityDesk)), &[]);
    appeal::Event::AppealSubmitted { submission, terms, clocks }
}

pub(super) fn accepted() -> appeal::Event {
    let clocks = clocks(Some((2, ClockKind::Dispatch, Owner::CityDesk)), &[1]);
    appeal::Event::AppealAccepted { clocks }
}

pub(super) fn closed() -> appeal::Event {
    let clocks = clocks(None, &[1, 2, 3]);
    appeal::Event::AppealClosed { how: appeal::Closing::Erased, clocks }
}

pub(super) fn dispatched(to: &str) -> appeal::Event {
    let route = routing::Route {
        unit: unit(to),
        co_units: vec![unit("co-1"), unit("co-2")],
        rule: routing::RouteRule::Topic(TopicId::parse("T06").unwrap()),
        instead_of: None,
    };
    let clocks = clocks(Some((3, ClockKind::Resolve, Owner::Unit(unit(to)))), &[2]);
    appeal::Event::AppealDispatched { route, routing_version: 1, clocks }
}

/// When every clock of these appeals is due.
pub(super) const DUE: &str = "2026-05-06T09:00:00Z";

fn clocks(started: Option<(u32, ClockKind, Owner)>, stopped: &[u32]) -> appeal::ClockChange {
    let at: Timestamp = "2026-04-25T01:00:00Z".parse().unwrap();
    let due: Timestamp = DUE.parse().unwrap();
    let clock = |(id, kind, owner)| Clock {
        id: ClockId(id),
        kind,
        owner,
        start: at,
        working_days: 5,
        due,
        steps: vec![Planned { at: due, step: Step::Red }],
        taken: 0,
        derivation: Derivation {
            terms_version: 0,
            calendar_version: 1,
            provisional: false,
            exceptions: vec![],
            pauses: vec![],
            extensions: vec![],
        },
    };
    appeal::ClockChange {
        at,
        set: started.into_iter().map(clock).collect(),
        stopped: stopped.iter().copied().map(ClockId).collect(),
    }
}

/// A limit by calendar year that refuses.
pub(super) fn rule(id: &str, subject: frequency::Subject, maximum: u32) -> frequency::Rule {
    frequency::Rule {
        id: RuleId::parse(id).unwrap(),
        subject,
        enterprises: frequency::Enterprises::default(),
        window: frequency::Window::CalendarYear,
        days_of_month: None,
        maximum,
        items: [].into(),
        fields: [].into(),
        grounds: [].into(),
        exempt_grounds: [frequency::Ground::Complaint].into(),
        counting: frequency::Counting::All,
        joint: frequency::Joint::Once,
        on_exceeding: frequency::OnExceeding::Refuse,
        source: Name::parse("辽宁 2019").unwrap(),
        is_default: false,
        valid_from: date("2020-01-01"),
        valid_until: None,
    }
}

/// One visit a year by the same unit, four by units of one level, none to enterprises of grade A by
/// anybody; and one in three years at least.
pub(super) fn limits() -> frequency::FrequencyPolicy {
    let graded = frequency::Enterprises { grades: [CreditGrade::A].into(), ..<_>::default() };
    let rules = vec![
        rule("once-a-year", frequency::Subject::SameUnit, 1),
        rule("level", frequency::Subject::SameLevel, 4),
        frequency::Rule { enterprises: graded, ..rule("trusted", frequency::Subject::AllUnits, 0) },
    ];
    let floor = frequency::Floor {
        id: RuleId::parse("floor").unwrap(),
        enterprises: frequency::Enterprises { tags: [port()].into(), ..<_>::default() },
        grounds: [].into(),
        minimum: 1,
        years: 3,
        source: Name::parse("三年一次").unwrap(),
        is_default: false,
        valid_from: date("2020-01-01"),
        valid_until: None,
    };
    frequency::FrequencyPolicy { rules, floors: vec![floor], ..<_>::default() }
}

pub(super) fn port() -> TagId {
    TagId::parse("port").unwrap()
}

pub(super) fn published(version: u32) -> [policy::Event; 2] {
    in_force(version, policy::Document::Frequency(limits()))
}

/// The catalogue of a unit in force; here it only says the unit's level.
pub(super) fn catalogued(version: u32, by: &str, level: Level) -> [policy::Event; 2] {
    let catalogue = Catalogue {
        unit: unit(by),
        level,
        qualification: Qualification::Organ,
        officers: vec![],
        items: vec![],
        triggers: [].into(),
    };
    in_force(version, policy::Document::Catalogue(catalogue))
}

pub(super) fn in_force(version: u32, document: policy::Document) -> [policy::Event; 2] {
    [policy::Event::PolicyDrafted { version, document }, policy::Event::PolicyPublished { version }]
}
