//! Random moves: every command on visits that somebody could give, and what becomes of the documents.

use doudi_domain::{
    AppealId, DeviceId, ItemId, Reference, TagId, UnitId, VisitId,
    catalogue::Level,
    enterprise::{self, CreditGrade, RiskClass},
    frequency::Ground,
    policy::Document,
    visits::{
        CancelReason, CheckIn, Command, Irregularity, Kept, Manner, OffSiteCheck, Outcome, Plan,
        RefusalReason, What,
    },
};
use jiff::{SignedDuration, ToSpan};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::{
    ITEMS, Inspections, OFF_SITE, UNITS, catalogue, found, joint, limits, officers, plan, visit,
};
use crate::kit::{enterprise, unit};

const GROUNDS: [Ground; 4] = [Ground::Routine, Ground::Random, Ground::Complaint, Ground::Assigned];
const DAYS_AHEAD: [i32; 8] = [0, 0, 1, 5, 29, 60, 200, 399];

/// A move of a history: which command, with what, after how many hours.
pub(crate) type Move = (u8, u16, u16);

/// Moves that often carry visits out.
pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let hours = prop_oneof![6 => Just(0_u16), 3 => 1_u16..200, 1 => 200_u16..3000];
    vec((0_u8..70, any::<u16>(), hours), 1..60)
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

impl Inspections {
    /// Such a history.
    pub(crate) fn random(moves: &[Move]) -> Self {
        let mask = moves.first().map_or(0, |(_, with, _)| *with);
        let mut life = Self::new(limits(mask));
        for (command, with, hours) in moves {
            life.later(*hours);
            life.step(*command, *with);
        }
        life
    }

    fn random_plan(&mut self, with: u16) -> Plan {
        self.planned += 1;
        let pick = |shift: u16, of: u16| usize::from((with >> shift) % of);
        let (by, _) = UNITS[pick(0, 3)];
        let listed = ITEMS.iter().enumerate();
        let listed = listed.filter(|(at, _)| (pick(2, 7) + 1) & (1 << at) != 0);
        let alone = Plan {
            officers: officers(1 + (with >> 7) % 3),
            items: listed.map(|(_, (id, _))| ItemId::parse(id).unwrap()).collect(),
            ground: GROUNDS[pick(5, 4)],
            evidence: Some(reference("12345-0077")),
            justification: (pick(4, 3) > 0).then(|| reference("批 7 号")),
            on: self.today().saturating_add(DAYS_AHEAD[pick(11, 8)].days()),
            ..plan(self.planned, by, "2025-03-03")
        };
        let (other, _) = UNITS[(pick(0, 3) + 1) % 3];
        if pick(9, 4) == 0 { joint(alone, other) } else { alone }
    }

    fn step(&mut self, command: u8, with: u16) {
        match command {
            0..=11 => {
                let plan = self.random_plan(with);
                self.tell(&Command::Plan(plan));
            }
            12..=17 => {
                let plan = Plan { on: self.today(), ..self.random_plan(with) };
                let by = self.today().saturating_add(i32::from(with % 20).days());
                let outcome = [Outcome::CaseFiled, Outcome::RectifyBy(by), Outcome::Pass];
                self.carry_out(plan, outcome[usize::from(with % 3)]);
            }
            18..=62 => self.known_visit(command, with),
            63..=64 => self.grade(with),
            65 => self.classify(with.is_multiple_of(2)),
            66 => self.publish(Document::Frequency(limits(with))),
            67 => {
                let (of, _) = UNITS[usize::from(with % 3)];
                let level = if with < 300 { Level::Province } else { Level::County };
                self.publish(Document::Catalogue(catalogue(of, level)));
            }
            _ => self.check_from_elsewhere(with),
        }
    }

    /// A command on a visit that was planned, by a unit that takes part or did once.
    fn known_visit(&mut self, command: u8, with: u16) {
        let n = 1 + u64::from(with) % self.planned.max(1);
        let known = self.visits.get(visit(n)).cloned();
        let plan = known.as_ref().map_or_else(|| plan(n, "tax", "2025-03-03"), |v| v.plan.clone());
        let units: Vec<UnitId> = plan.shares.keys().cloned().chain([plan.unit.clone()]).collect();
        let (visit, unit) = (plan.visit, units[usize::from(with >> 9) % units.len()].clone());
        let item = plan.items.first().cloned().unwrap();
        let document = reference("文 9 号");
        let command = match command {
            18..=22 => Command::Approve { visit, unit },
            23..=24 => Command::Notify { visit, unit },
            25..=29 => {
                let into = 1 + u64::from(with >> 4) % self.planned.max(1);
                Command::Merge { visit, into: super::visit(into), unit }
            }
            30..=34 => self.scan_in(&plan, unit, with),
            35..=36 => self.take_in(&plan, &unit, with),
            37 => {
                self.scanned += 1;
                let code = doudi_domain::CodeId(Uuid::from_u64_pair(1, self.scanned));
                Command::Admit { visit, code, place: None, units: [].into() }
            }
            38 => Command::Refuse { visit, reason: RefusalReason::ItemsDiffer, shown: true },
            39..=41 => Command::CheckOut { visit, unit, occurred_at: self.now },
            42..=46 => {
                let share = known.as_ref().and_then(|known| known.shares.get(&unit));
                let items = share.map(|share| share.items.clone()).unwrap_or_default();
                let by = self.today().saturating_add(i32::from(with >> 11).days());
                let outcome = [Outcome::Pass, Outcome::CorrectedOnTheSpot, Outcome::RectifyBy(by)];
                let results = items.iter().map(|item| found(item, outcome[usize::from(with % 3)]));
                Command::ReportResult { visit, unit, results: results.collect() }
            }
            47..=48 => Command::Tell { visit, unit, document },
            49 => Command::ReportRectification { visit, item, document },
            50..=51 => Command::AcceptRectification { visit, unit, item },
            52..=53 => Command::MarkOverdue { visit, unit, item },
            54..=56 => Command::Cancel { visit, unit, reason: CancelReason::TaskWithdrawn },
            57..=58 => Command::Expire { visit },
            59 => Command::Hold { visit, appeal: AppealId(visit.0) },
            60 => Command::LiftHold { appeal: AppealId(visit.0) },
            _ => return self.urgent(with),
        };
        self.tell(&command);
    }

    /// Live, or entered by hand for some time ago.
    fn scan_in(&mut self, plan: &Plan, unit: UnitId, with: u16) -> Command {
        let mut check_in = self.came(officers(1 + with % 3));
        if with.is_multiple_of(2) {
            let ago = SignedDuration::from_hours(i64::from(with >> 8));
            let manner = Manner::Backfilled { reason: reference("报障 3 号") };
            check_in = CheckIn { occurred_at: self.now - ago, manner, ..check_in };
        }
        Command::CheckIn { visit: plan.visit, unit, check_in, improvised: None }
    }

    /// In and out as a device kept it, in some order, sometimes only one of both, sometimes doubtful.
    fn take_in(&mut self, plan: &Plan, unit: &UnitId, with: u16) -> Command {
        let device = DeviceId(Uuid::from_u64_pair(2, u64::from(with % 2)));
        let counter = self.scanned + 1;
        let manner = Manner::Kept { device, counter };
        let check_in = CheckIn { manner, ..self.came(plan.officers.clone()) };
        let came = What::CheckedIn { check_in, improvised: None };
        let left = What::CheckedOut { occurred_at: self.now };
        let doubt = (with >> 3).is_multiple_of(4).then_some(Irregularity::DeviceCloned);
        let kept = |(counter, what)| Kept {
            device,
            counter,
            unit: unit.clone(),
            enterprise: enterprise(),
            visit: plan.visit,
            what,
            doubts: doubt.into_iter().collect(),
        };
        let mut records: Vec<Kept> = (counter..).zip([came, left]).map(kept).collect();
        match with % 5 {
            0 => records.reverse(),
            1 => records.truncate(1),
            2 => drop(records.remove(0)),
            _ => {}
        }
        Command::TakeIn { records }
    }

    /// A visit that could not wait.
    fn urgent(&mut self, with: u16) {
        let plan = Plan { on: self.today(), ground: Ground::Urgent, ..self.random_plan(with) };
        let check_in = self.came(plan.officers.clone());
        let (visit, unit) = (plan.visit, plan.unit.clone());
        self.tell(&Command::CheckIn { visit, unit, check_in, improvised: Some(plan) });
    }

    fn check_from_elsewhere(&mut self, with: u16) {
        let results = vec![found(&ItemId::parse(OFF_SITE).unwrap(), Outcome::Pass)];
        self.tell(&Command::RecordOffSite(OffSiteCheck {
            check: VisitId(Uuid::from_u64_pair(3, u64::from(with % 9))),
            unit: unit(UNITS[usize::from(with % 3)].0),
            occurred_at: self.now,
            basis: reference("材料 5 号"),
            results,
        }));
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
            basis: reference("档 12 号"),
            issuer: unit("market"),
        });
    }
}
