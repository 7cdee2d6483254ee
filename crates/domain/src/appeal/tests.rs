//! What the tests of an appeal share: a life that commands and time move on, and short commands.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::{
    AppealId, CaseTypeId, ClassId, DiagnosisId, NoteId, Sealed, TopicId,
    clock::{Clock, ClockId, ClockKind, Owner, PauseGround, Step},
    kit::{
        World, area, moment, name, names, plan_of_the_city, published_calendar, reference, sealed,
        unit, when,
    },
    routing::UnitStatus,
};

mod around;
mod clocks;
mod closing;
mod complaints;
mod guarantee;
mod handling;
mod history;
mod intake;
mod joint;
mod repair;
mod routing;
mod strict;
mod table;

/// A Friday before a make-up Sunday and the holiday of 1 to 5 May.
const FRIDAY: &str = "2025-04-25T09:00+08:00";

fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

fn class(text: &str) -> ClassId {
    ClassId::parse(text).unwrap()
}

fn appeal(n: u128) -> AppealId {
    AppealId(Uuid::from_u128(n))
}

fn diagnosis(n: u128) -> DiagnosisId {
    DiagnosisId(Uuid::from_u128(n))
}

/// A power connection that takes too long, in 旅顺口区.
fn submission() -> Submission {
    Submission {
        contact: Some(sealed("Y29udGFjdA==")),
        ..Submission::new(
            Channel::Hotline12345,
            topic("T06"),
            area("210212"),
            sealed("ZGVzY3JpcHRpb24="),
        )
    }
}

fn of_type(case_type: &str) -> Submission {
    let case_type = Some(CaseTypeId::parse(case_type).unwrap());
    Submission { case_type, ..submission() }
}

/// The city's plan with the guarantee with the justice bureau, and the work calendar.
fn world() -> World {
    let mut routing = plan_of_the_city();
    routing.guarantee = Some(unit("justice"));
    World { routing: Some(routing), calendar: Some(published_calendar()), ..World::default() }
}

/// One appeal with its world and the time.
#[derive(Clone)]
struct Life {
    world: World,
    now: Timestamp,
    state: Appeal,
    log: Vec<Event>,
}

impl Life {
    fn absent() -> Self {
        Self { world: world(), now: moment(FRIDAY), state: Appeal::Absent, log: vec![] }
    }

    /// Submitted on that Friday.
    fn of(submission: Submission) -> Self {
        Self::absent().then(Command::Submit(submission))
    }

    fn submitted() -> Self {
        Self::of(submission())
    }

    fn accepted() -> Self {
        Self::submitted().then(Command::Accept)
    }

    /// With the power supply.
    fn dispatched() -> Self {
        Self::accepted().then(Command::Dispatch { to: None })
    }

    fn in_handling() -> Self {
        Self::dispatched().then(sign("power-supply"))
    }

    fn contested() -> Self {
        Self::dispatched().then(contest("power-supply", Some("tax")))
    }

    fn resolved() -> Self {
        Self::in_handling().then(resolve("power-supply"))
    }

    fn confirmed() -> Self {
        Self::resolved().then(Command::Confirm)
    }

    fn closed() -> Self {
        Self::confirmed().then(Command::Close)
    }

    /// With the justice bureau, because nobody resolved it in time.
    fn guaranteed() -> Self {
        let life = Self::in_handling().wait("2025-05-06T17:00+08:00");
        assert_eq!(life.case().guarantee, Some(Trigger::Overdue));
        life
    }

    fn case(&self) -> &Case {
        self.state.known().expect("it was submitted")
    }

    fn at(mut self, instant: &str) -> Self {
        self.now = moment(instant);
        self
    }

    /// Causes these events; the kit runs it again.
    #[track_caller]
    fn causes(&mut self, command: &Command) -> Result<String, Rejection> {
        let events = when(&self.state, &self.world.then(self.now), command)?;
        self.state = events.iter().fold(std::mem::take(&mut self.state), Appeal::evolve);
        assert!(!self.case().is_silent(), "{command:?} makes it silent");
        let told = names(&events);
        self.log.extend(events);
        Ok(told)
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "commands are written where they are given")]
    fn then(mut self, command: Command) -> Self {
        let told = self.causes(&command);
        assert!(told.as_ref().is_ok_and(|told| told != "nothing"), "{command:?}: {told:?}");
        self
    }

    /// What a command answers, on a copy.
    #[track_caller]
    fn tries(&self, command: &Command) -> String {
        told(self.clone().causes(command))
    }

    #[track_caller]
    fn refuses(&self, command: &Command) -> Rejection {
        self.clone().causes(command).expect_err("it is refused")
    }

    /// What the scheduler does by that instant: every step at its own time, oldest first.
    #[track_caller]
    fn wait(mut self, until: &str) -> Self {
        let until = moment(until);
        while let Some((at, clock)) = self.next_step().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            let told = self.causes(&Command::TakeSteps { clock });
            assert!(told.as_ref().is_ok_and(|told| told != "nothing"), "{clock:?}: {told:?}");
        }
        self.now = until;
        self
    }

    /// The scheduler was down and comes back at that instant.
    #[track_caller]
    fn wake(mut self, at: &str) -> Self {
        self.now = moment(at);
        let now = self.now;
        while let Some((_, clock)) = self.next_step().filter(|(at, _)| *at <= now) {
            self.causes(&Command::TakeSteps { clock }).expect("time cannot be refused");
        }
        self
    }

    fn next_step(&self) -> Option<(Timestamp, ClockId)> {
        let steps = self.case().clocks.values();
        steps.filter_map(|clock| clock.next().map(|next| (next.at, clock.id))).min()
    }

    /// The clock of the kind started last.
    #[track_caller]
    fn clock(&self, kind: ClockKind) -> &Clock {
        self.case().clock(kind).expect("such a clock runs")
    }

    fn kinds(&self) -> Vec<ClockKind> {
        self.case().clocks.values().map(|clock| clock.kind).collect()
    }

    fn phase(&self) -> PhaseName {
        self.case().phase.name()
    }

    #[track_caller]
    fn lead(&self) -> &str {
        self.case().phase.route().expect("a unit has it").unit.as_str()
    }

    /// Every step taken so far, oldest first.
    fn steps(&self) -> Vec<Step> {
        let steps = self.log.iter().filter_map(|event| match event {
            Event::ClockStepsTaken { steps, .. } => Some(steps.clone()),
            _ => None,
        });
        steps.flatten().collect()
    }

    #[track_caller]
    fn last(&self) -> &Event {
        self.log.last().expect("something happened")
    }

    fn abolish(&mut self, id: &str, successor: Option<&str>) {
        let table = self.world.routing.as_mut().unwrap();
        let gone = table.units.iter_mut().find(|listed| listed.id == unit(id)).unwrap();
        gone.status = UnitStatus::Abolished;
        gone.successor = successor.map(unit);
    }
}

/// The events' names, or the refusal in short.
fn told(outcome: Result<String, Rejection>) -> String {
    match outcome {
        Ok(names) => names,
        Err(Rejection::WrongPhase { wanted, .. }) => format!("needs {wanted}"),
        Err(other) => format!("{other:?}"),
    }
}

fn by(id: &str) -> Owner {
    Owner::Unit(unit(id))
}

fn dispatch(to: &str) -> Command {
    Command::Dispatch { to: Some(unit(to)) }
}

fn sign(by: &str) -> Command {
    Command::SignFor { unit: unit(by) }
}

fn contact(by: &str) -> Command {
    Command::RecordContact { unit: unit(by) }
}

fn contest(by: &str, proposed: Option<&str>) -> Command {
    let (unit, proposed) = (unit(by), proposed.map(unit));
    Command::Contest { unit, reason: sealed("bm90IG91cnM="), proposed }
}

fn rule(to: Option<&str>) -> Command {
    Command::Rule { to: to.map(unit) }
}

fn reclassify(to: &str) -> Command {
    Command::Reclassify { class: class(to) }
}

fn ask_extension(by: &str, working_days: u16) -> Command {
    Command::AskExtension { unit: unit(by), working_days, reason: sealed("bW9yZSB0aW1l") }
}

fn answer_extension(granted: bool) -> Command {
    Command::AnswerExtension { granted }
}

fn pause(by: &str) -> Command {
    let (ground, reference) = (PauseGround::MaterialAsked, reference("asked for the plans"));
    Command::Pause { unit: unit(by), ground, reference }
}

fn ask(by: &str, of: &str, text: &str) -> Command {
    Command::RequestCoHandling { unit: unit(by), of: unit(of), ask: sealed(text) }
}

fn answer(by: &str, task: u32) -> Command {
    Command::AnswerCoHandling { unit: unit(by), task: ClockId(task), answer: sealed("ZG9uZQ==") }
}

fn resolve(by: &str) -> Command {
    Command::Resolve { unit: unit(by), outcome: Outcome::Solved, reply: sealed("cmVwbHk=") }
}

fn object(reason: &str) -> Command {
    Command::Object { reason: sealed(reason) }
}

fn reopen(reason: &str) -> Command {
    Command::Reopen { reason: sealed(reason) }
}

fn callback(reached: bool, satisfied: Option<bool>) -> Command {
    Command::RecordCallback(Callback { reached, resolved: satisfied, satisfied, note: None })
}

fn rate(satisfied: bool) -> Command {
    Command::Rate(Rating { responded: true, resolved: true, satisfied })
}

fn redirect() -> Command {
    Command::Redirect { channel: LawfulChannel::Review, guidance: sealed("Z3VpZGFuY2U=") }
}

fn note(n: u128) -> Command {
    let id = NoteId(Uuid::from_u128(n));
    Command::AddNote(Note {
        id,
        unit: None,
        visibility: Visibility::Internal,
        text: sealed("bm90ZQ=="),
    })
}

fn attach(n: u128) -> Command {
    Command::Attach(File {
        id: NoteId(Uuid::from_u128(n)),
        unit: None,
        visibility: Visibility::Public,
        name: sealed("cGhvdG8="),
        media_type: name("image/png"),
        bytes: 1024,
        object: reference("appeals/1/1"),
    })
}

fn convene(by: &str, units: &[&str], quorum: u16) -> Command {
    Command::Convene {
        unit: unit(by),
        diagnosis: diagnosis(1),
        units: units.iter().map(|id| unit(id)).collect(),
        quorum,
        question: sealed("cXVlc3Rpb24="),
    }
}

fn order(to: &str) -> Order {
    Order { unit: unit(to), task: sealed("dGFzaw=="), working_days: 3 }
}

fn conclusion(orders: &[&str]) -> Command {
    let orders = orders.iter().map(|to| order(to)).collect();
    Command::TakeConclusion {
        diagnosis: diagnosis(1),
        conclusion: sealed("Y29uY2x1c2lvbg=="),
        orders,
    }
}

/// Takes the appeal up that stands as one just submitted does.
fn absorb(n: u128) -> Command {
    absorb_as(n, &Life::submitted())
}

/// Takes the appeal up that stands as `other` does.
fn absorb_as(n: u128, other: &Life) -> Command {
    let (merge, standing) = (other.case().merges.max(1), other.case().standing());
    Command::Absorb { from: appeal(n), merge, standing }
}

fn split(n: u128) -> Command {
    Command::Split { part: appeal(n), submission: submission() }
}

fn erase() -> Command {
    Command::ErasePersonalData { subject: "appeal:1".to_owned() }
}

fn text() -> Sealed {
    sealed("dGV4dA==")
}
