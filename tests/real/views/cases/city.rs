//! A city with two areas whose appeals the rules decide, on a log that views are made from.

use doudi_domain::{
    AppealId, Context, Decider, Published,
    appeal::{Appeal, Command, Outcome, Submission},
    calendar::Calendar,
    cases::CaseTypes,
    clock::Clock,
    routing::RoutingTable,
};
use doudi_journal::Position;
use jiff::{Timestamp, ToSpan};

use super::super::log::*;

/// The rules and a log to put what they decide into.
pub(super) struct City {
    pub(super) log: Log,
    pub(super) types: CaseTypes,
    calendar: Calendar,
    routing: RoutingTable,
    pub(super) now: Timestamp,
    pub(super) appeals: Vec<(u64, Appeal)>,
    pub(super) last: Position,
}

impl City {
    /// On a Friday morning.
    pub(super) fn new() -> Self {
        let types = include_str!("../../../../deploy/catalogue/case_types.json");
        let ids = ["power", "water", "tax", "justice", "desk-a", "desk-b", "desk-city"];
        let routing = serde_json::json!({
            "units": ids.map(|id| serde_json::json!({ "id": id, "name": id })),
            "areas": [
                { "code": AREA, "name": "旅顺口区", "desk": "desk-a" },
                { "code": "210213", "name": "金普新区", "desk": "desk-b" },
            ],
            "topics": [
                { "id": "T06", "title": "用电", "lead": "power", "co_units": ["water"] },
                { "id": "T07", "title": "办税", "lead": "tax", "co_units": [] },
            ],
            "city_desk": "desk-city", "guarantee": "justice",
        });
        Self {
            log: Log::new(),
            types: serde_json::from_str(types).unwrap(),
            calendar: Calendar::default(),
            routing: serde_json::from_value(routing).unwrap(),
            now: "2026-04-24T09:00+08:00".parse().unwrap(),
            appeals: vec![],
            last: Position::START,
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        let cases = Published { version: 1, document: &self.types };
        let calendar = Published { version: 1, document: &self.calendar };
        let routing = Some(Published { version: 1, document: &self.routing });
        Context { routing, ..Context::at(self.now, cases, calendar) }
    }

    pub(super) fn later(&mut self, hours: i64) {
        self.now = self.now.checked_add(hours.hours()).unwrap();
    }

    /// Submits an appeal of the enterprise number `enterprise`.
    pub(super) async fn submit(&mut self, n: u64, enterprise: u64, submission: Submission) {
        assert_eq!(self.appeals.len(), usize::try_from(n).unwrap());
        self.appeals.push((enterprise, Appeal::default()));
        self.tell(n, Command::Submit(submission)).await;
    }

    pub(super) async fn tell(&mut self, n: u64, command: Command) {
        let (owner, state) = self.appeals[usize::try_from(n).unwrap()].clone();
        let events = state.decide(&self.context(), &command).unwrap();
        assert!(!events.is_empty(), "{command:?}");
        self.appeals[usize::try_from(n).unwrap()].1 = events.iter().fold(state, Appeal::evolve);
        let stream = format!("ev.{}.appeal.{}", enterprise(owner), appeal(n));
        self.last = self.log.append(&stream, &events).await;
    }

    /// Submits, accepts and dispatches an appeal by the rules.
    pub(super) async fn dispatched(&mut self, n: u64, enterprise: u64, submission: Submission) {
        self.submit(n, enterprise, submission).await;
        self.tell(n, Command::Accept).await;
        self.tell(n, Command::Dispatch { to: None }).await;
    }

    pub(super) async fn resolved(&mut self, n: u64, by: &str) {
        self.tell(n, Command::SignFor { unit: unit(by) }).await;
        let command =
            Command::Resolve { unit: unit(by), outcome: Outcome::Solved, reply: sealed() };
        self.tell(n, command).await;
    }

    /// Every clock reaches the steps that are due.
    pub(super) async fn strike(&mut self) {
        for n in 0..self.appeals.len() as u64 {
            for clock in self.clocks(n).into_iter().map(|clock| clock.id) {
                let (_, state) = &self.appeals[usize::try_from(n).unwrap()];
                let command = Command::TakeSteps { clock };
                if state.decide(&self.context(), &command).is_ok_and(|events| !events.is_empty()) {
                    self.tell(n, command).await;
                }
            }
        }
    }

    fn clocks(&self, n: u64) -> Vec<Clock> {
        let case = self.appeals[usize::try_from(n).unwrap()].1.known().unwrap();
        case.clocks.values().cloned().collect()
    }

    /// Everything that is owed, by the rules.
    pub(super) fn owed(&self) -> Vec<(AppealId, Clock)> {
        let all = 0..self.appeals.len() as u64;
        all.flat_map(|n| self.clocks(n).into_iter().map(move |clock| (appeal(n), clock))).collect()
    }
}
