//! Histories for tests: an appeal and its joint diagnoses under random commands and the hands of the
//! clock, decided by the rules themselves, so that every event is one that the log may hold.

use std::{collections::BTreeSet, sync::LazyLock};

use doudi_domain::{
    AppealId, AreaCode, ClassId, Context, Decider, DiagnosisId, EnterpriseId, NoteId, Published,
    Reference, Sealed, TopicId, UnitId,
    appeal::{
        self, Appeal, Callback, Channel, Command, Ending, LawfulChannel, Note, Outcome, Rating,
        Submission, Visibility,
    },
    calendar::Calendar,
    cases::CaseTypes,
    clock::{ClockId, PauseGround},
    diagnosis::{self, Conclusion, Convening, Diagnosis, Opinion, Panel, Stance, StandingLead},
    routing::RoutingTable,
};
use jiff::{Timestamp, ToSpan};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

pub(crate) mod inspections;

use crate::fact::{Content, Fact};

pub(crate) fn enterprise() -> EnterpriseId {
    EnterpriseId::parse("L-1").unwrap()
}

pub(crate) fn appeal_id(n: u128) -> AppealId {
    AppealId(Uuid::from_u128(n))
}

pub(crate) fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub(crate) fn area() -> AreaCode {
    AreaCode::parse("210212").unwrap()
}

pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed {
        subject: "appeal:1".to_owned(),
        algorithm: "aes-256-gcm".to_owned(),
        nonce: "bm9uY2U".to_owned(),
        ciphertext: text.to_owned(),
    }
}

pub(crate) fn submission() -> Submission {
    Submission {
        contact: Some(sealed("c2VjcmV0")),
        ..Submission::new(Channel::Web, TopicId::parse("T06").unwrap(), area(), sealed("c2VjcmV0"))
    }
}

/// A topic with a lead and a co-unit, one without; some units may be gone.
fn routing(gone: &[&str]) -> RoutingTable {
    let ids = ["power", "water", "tax", "fire", "justice", "desk-a", "desk-city"];
    let unit = |id: &str| {
        let status = if gone.contains(&id) { "abolished" } else { "active" };
        serde_json::json!({ "id": id, "name": id, "status": status })
    };
    let units: Vec<_> = ids.into_iter().map(unit).collect();
    serde_json::from_value(serde_json::json!({
        "units": units, "city_desk": "desk-city", "guarantee": "justice",
        "areas": [{ "code": "210212", "name": "旅顺口区", "desk": "desk-a" }],
        "topics": [
            { "id": "T06", "title": "用电", "lead": "power", "co_units": ["water"] },
            { "id": "T07", "title": "其他", "lead": null, "co_units": [] },
        ],
    }))
    .unwrap()
}

static CASES: LazyLock<CaseTypes> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../deploy/catalogue/case_types.json")).unwrap()
});
static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::default);
static ROUTING: LazyLock<RoutingTable> = LazyLock::new(|| routing(&[]));
static ROUTING_LATER: LazyLock<RoutingTable> = LazyLock::new(|| routing(&["power", "fire"]));

/// What is decided on at `now`; later some units are gone.
fn context(now: Timestamp, later: bool) -> Context<'static> {
    let cases = Published { version: 1, document: &*CASES };
    let calendar = Published { version: 0, document: &*CALENDAR };
    let document: &'static RoutingTable = if later { &ROUTING_LATER } else { &ROUTING };
    let routing = Some(Published { version: 1, document });
    Context { routing, ..Context::at(now, cases, calendar) }
}

/// A move of a history: which command, of which kind, after how many hours.
pub(crate) type Move = (u8, u8, u16);

/// Moves that often take an appeal far.
pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let hours = prop_oneof![6 => 0_u16..3, 3 => 3_u16..40, 1 => 40_u16..400];
    vec((0_u8..60, 0_u8..8, hours), 1..90)
}

/// An appeal on its way.
#[derive(Debug)]
pub(crate) struct Life {
    id: AppealId,
    now: Timestamp,
    pub(crate) state: Appeal,
    diagnosis: Option<(DiagnosisId, Diagnosis)>,
    /// The commits, in their order.
    pub(crate) log: Vec<Fact>,
}

impl Life {
    /// Submitted on a Friday.
    pub(crate) fn new(id: AppealId, submission: Submission) -> Self {
        let now = "2025-04-25T09:00+08:00".parse().unwrap();
        let state = Appeal::default();
        let mut life = Self { id, now, state, diagnosis: None, log: vec![] };
        assert!(life.tell(&Command::Submit(submission)));
        life
    }

    /// Such a history.
    pub(crate) fn random(moves: &[Move]) -> Self {
        let mut submission = submission();
        let (_, kind, _) = moves.first().copied().unwrap_or_default();
        if kind == 0 {
            submission.topic = TopicId::parse("T07").unwrap();
        }
        let mut life = Self::new(appeal_id(1), submission);
        for (command, kind, hours) in moves {
            life.later(*hours);
            life.step(*command, *kind);
        }
        life
    }

    /// Time goes on, and clocks reach their steps.
    pub(crate) fn later(&mut self, hours: u16) {
        self.now = self.now.checked_add(i64::from(hours).hours()).unwrap();
        let due = self.case().clocks.values().filter(|clock| !clock.due_steps(self.now).is_empty());
        for clock in due.map(|clock| clock.id).collect::<Vec<ClockId>>() {
            self.tell(&Command::TakeSteps { clock });
        }
        let Some((_, Diagnosis::Open(open))) = &self.diagnosis else {
            return;
        };
        for clock in open.clocks.iter().map(|clock| clock.id).collect::<Vec<_>>() {
            self.diagnose(&diagnosis::Command::TakeSteps { clock });
        }
    }

    pub(crate) fn case(&self) -> &appeal::Case {
        self.state.known().unwrap()
    }

    /// Gives a command; says whether it changed something.
    pub(crate) fn tell(&mut self, command: &Command) -> bool {
        // Units disappear in the course of the history.
        let later = self.log.len() > 25;
        let events = self.state.decide(&context(self.now, later), command).unwrap_or_default();
        if events.is_empty() {
            return false;
        }
        self.state = events.iter().fold(self.state.clone(), Appeal::evolve);
        self.record(Content::Appeal(enterprise(), self.id, events));
        true
    }

    fn diagnose(&mut self, command: &diagnosis::Command) {
        let Some((id, state)) = &mut self.diagnosis else {
            return;
        };
        let events = state.decide(&context(self.now, false), command).unwrap_or_default();
        if !events.is_empty() {
            *state = events.iter().fold(state.clone(), Diagnosis::evolve);
            let content = Content::Diagnosis(enterprise(), *id, events);
            self.record(content);
        }
    }

    fn record(&mut self, content: Content) {
        let position = i64::try_from(self.log.len()).unwrap() + 1;
        self.log.push(Fact::of(content, self.now, position));
    }

    /// The unit that has it, or another one now and then.
    fn handler(&self, kind: u8) -> UnitId {
        let route = self.case().phase.route().filter(|_| kind != 7);
        route.map_or_else(|| unit("tax"), |route| route.unit.clone())
    }

    fn step(&mut self, command: u8, kind: u8) {
        let by = self.handler(kind);
        let text = || sealed(&format!("{kind}"));
        let yes = kind.is_multiple_of(2);
        let command = match command {
            0..=3 => Command::Accept,
            4..=7 => Command::Dispatch { to: (kind > 4).then(|| unit("fire")) },
            8..=12 => Command::SignFor { unit: by },
            13..=14 => Command::RecordContact { unit: by },
            15..=17 => {
                let proposed = yes.then(|| unit("water"));
                Command::Contest { unit: by, reason: text(), proposed }
            }
            18..=20 => Command::Rule { to: yes.then(|| unit("water")) },
            21 => Command::Reclassify { class: ClassId::parse("complex").unwrap() },
            22 => Command::AskExtension { unit: by, working_days: 2, reason: text() },
            23 => Command::AnswerExtension { granted: yes },
            24..=25 => {
                let reference = Reference::parse("no. 1").unwrap();
                Command::Pause { unit: by, ground: PauseGround::MaterialAsked, reference }
            }
            26..=27 => Command::Resume,
            28..=29 => Command::RequestCoHandling { unit: by, of: unit("water"), ask: text() },
            30 => self.co_answer(text()),
            31..=34 => Command::Resolve { unit: by, outcome: Outcome::Solved, reply: text() },
            35..=36 => Command::Confirm,
            37..=38 => Command::Object { reason: text() },
            39..=40 => {
                let (resolved, satisfied) = (yes.then_some(kind > 2), Some(yes));
                let note = Some(text());
                Command::RecordCallback(Callback { reached: yes, resolved, satisfied, note })
            }
            41 => Command::Rate(Rating { responded: yes, resolved: kind > 3, satisfied: yes }),
            42..=43 => Command::Close,
            44 => Command::Reopen { reason: text() },
            45 => Command::AddNote(note(kind)),
            46 => Command::Merge { into: appeal_id(9) },
            47..=48 => Command::UndoMerge,
            49 => Command::Split { part: appeal_id(8), submission: submission() },
            50..=51 => self.convene(&by, kind),
            52..=54 => return self.of_diagnosis(&by, kind),
            55 => Command::Recompute,
            56..=57 => Command::Repair,
            58 if kind == 3 => Command::ErasePersonalData { subject: "appeal:1".to_owned() },
            58 if kind == 4 => {
                Command::Redirect { channel: LawfulChannel::Petition, guidance: text() }
            }
            58 => Command::OpenMediation,
            _ => Command::EndMediation { agreed: yes },
        };
        self.tell(&command);
    }

    fn co_answer(&self, answer: Sealed) -> Command {
        let mut open = self.case().tasks.iter().filter(|(_, task)| task.answer.is_none());
        let (task, by) = open
            .next()
            .map_or((ClockId(0), unit("tax")), |(task, known)| (*task, known.unit.clone()));
        Command::AnswerCoHandling { unit: by, task, answer }
    }

    fn convene(&self, by: &UnitId, kind: u8) -> Command {
        Command::Convene {
            unit: by.clone(),
            diagnosis: DiagnosisId(Uuid::from_u128(100 + u128::from(kind))),
            units: vec![unit("tax"), unit("water")],
            quorum: 1,
            question: sealed("question"),
        }
    }

    /// What the agenda and the units do once a joint diagnosis was called for.
    fn of_diagnosis(&mut self, by: &UnitId, kind: u8) {
        let Some(called) = self.case().diagnosis.clone() else {
            return;
        };
        if called.ending == Ending::Ordered {
            self.diagnose(&diagnosis::Command::Discontinue);
            self.tell(&Command::MarkDiagnosisDiscontinued { diagnosis: called.id });
            return;
        }
        if self.diagnosis.as_ref().is_none_or(|(id, _)| *id != called.id) {
            self.diagnosis = Some((called.id, Diagnosis::default()));
            let convening = Convening {
                appeal: self.id,
                convener: by.clone(),
                area: area(),
                topic: self.case().submission.topic.clone(),
                panel: Panel { units: BTreeSet::from_iter(called.units), quorum: 1 },
                question: called.question,
            };
            let case_type = Box::new(self.case().terms.case_type.clone());
            let terms_version = self.case().terms.version;
            let command = diagnosis::Command::Convene { convening, case_type, terms_version };
            self.diagnose(&command);
            self.tell(&Command::MarkDiagnosisOpened { diagnosis: called.id });
            return;
        }
        let opinion = |stance| Opinion { stance, text: sealed("opinion") };
        if kind < 4 {
            let opinion = opinion(if kind == 1 { Stance::Dissent } else { Stance::Support });
            self.diagnose(&diagnosis::Command::GiveOpinion { unit: unit("tax"), opinion });
            return;
        }
        let task = sealed("task");
        let order = diagnosis::Order { unit: unit("water"), task: task.clone(), working_days: 2 };
        let standing_lead = Some(StandingLead { unit: unit("tax"), same_area_only: true });
        let conclusion =
            Conclusion { text: sealed("conclusion"), orders: vec![order], standing_lead };
        self.diagnose(&diagnosis::Command::Conclude { unit: by.clone(), conclusion });
        if let Some((id, Diagnosis::Concluded(_))) = self.diagnosis {
            let orders = vec![appeal::Order { unit: unit("water"), task, working_days: 2 }];
            let conclusion = sealed("conclusion");
            self.tell(&Command::TakeConclusion { diagnosis: id, conclusion, orders });
            self.diagnose(&diagnosis::Command::MarkDelivered);
        }
    }

    /// The clocks of the joint diagnosis that is open, if one is.
    pub(crate) fn diagnosis_clocks(&self) -> Vec<(DiagnosisId, ClockId)> {
        match &self.diagnosis {
            Some((id, Diagnosis::Open(open))) => {
                open.clocks.iter().map(|clock| (*id, clock.id)).collect()
            }
            Some((_, Diagnosis::Absent | Diagnosis::Concluded(_) | Diagnosis::Discontinued(_)))
            | None => vec![],
        }
    }
}

pub(crate) fn note(kind: u8) -> Note {
    let internal = kind.is_multiple_of(2);
    Note {
        id: NoteId(Uuid::from_u128(u128::from(kind))),
        unit: Some(unit("tax")),
        visibility: if internal { Visibility::Internal } else { Visibility::Public },
        text: sealed("note"),
    }
}
