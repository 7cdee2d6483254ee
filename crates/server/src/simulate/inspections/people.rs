//! What people do next about a visit, and when: drawn from chance by what just happened to it.

use std::ops::Range;

use doudi_domain::{
    AppealId, CodeId, EnterpriseId, ItemId, Reference, UnitId, VisitId,
    appeal::{self, Channel, Submission},
    calendar::civil_date,
    frequency::Ground,
    ratings::{self, Satisfaction},
    visits::{
        CancelReason, CheckIn, Command, Event, ItemResult, Manner, Outcome, Phase, Proof,
        RefusalReason, Visit, Visits,
    },
};
use doudi_engine::streams;
use jiff::{SignedDuration, Timestamp, ToSpan};
use uuid::Uuid;

use super::{
    deeds::{Deed, Note},
    devices::carried,
    intentions::{self, Aim},
    register::{Enterprise, Register},
};
use crate::simulate::{SimulateError, chance::Chance, step, text};

/// Findings, with how many of a hundred items have each; none stands for one to be rectified.
const FINDINGS: [(Option<Outcome>, u32); 5] = [
    (Some(Outcome::Pass), 68),
    (Some(Outcome::CorrectedOnTheSpot), 16),
    (None, 12),
    (Some(Outcome::CaseFiled), 3),
    (Some(Outcome::TransferredToPolice), 1),
];
/// Grades that enterprises give, with how many of a hundred give each.
const GRADES: [(Satisfaction, u32); 5] = [
    (Satisfaction::VerySatisfied, 52),
    (Satisfaction::Satisfied, 30),
    (Satisfaction::Acceptable, 10),
    (Satisfaction::Dissatisfied, 5),
    (Satisfaction::VeryDissatisfied, 3),
];

/// Something that is going to be done.
pub(super) type Next = (Timestamp, Deed);

/// Where something just happened.
pub(super) struct Scene<'a> {
    pub(super) register: &'a Register,
    pub(super) enterprise: &'a Enterprise,
    pub(super) visits: &'a Visits,
    pub(super) now: Timestamp,
    pub(super) chance: Chance,
    pub(super) next: Vec<Next>,
}

impl Scene<'_> {
    /// What follows from an event of a visit, as it is now.
    pub(super) fn follows(&mut self, event: &Event, visit: &Visit) -> Result<(), SimulateError> {
        match event {
            Event::VisitPlanned { .. } if visit.is_ahead() => self.planned(visit),
            Event::VisitApproved { .. } if visit.phase == Phase::Approved => self.approved(visit),
            Event::VisitsMerged { party, approved: false, .. } => {
                let unit = party.unit.clone();
                self.then(1..9, Command::Approve { visit: visit.plan.visit, unit });
                Ok(())
            }
            Event::VisitCheckedIn { check_in, .. } => self.came(visit, check_in),
            Event::VisitCheckedOut { .. } => self.left(visit),
            Event::ResultReported { .. } if matches!(visit.phase, Phase::Reported { .. }) => {
                self.reported(visit)
            }
            Event::ResultReported { .. }
            | Event::VisitPlanned { .. }
            | Event::VisitApproved { .. }
            | Event::VisitNotified { .. }
            | Event::VisitsMerged { .. }
            | Event::UnitWithdrew { .. }
            | Event::ApprovalOwed { .. }
            | Event::ScanSetAside { .. }
            | Event::CapExceeded { .. }
            | Event::VisitsExcessive { .. }
            | Event::RepeatVisits { .. }
            | Event::EnterpriseTold { .. }
            | Event::RectificationReported { .. }
            | Event::RectificationAccepted { .. }
            | Event::RectificationOverdue { .. }
            | Event::ClockStepsTaken { .. }
            | Event::VisitClosed { .. }
            | Event::VisitCancelled { .. }
            | Event::VisitRefused { .. }
            | Event::VisitExpired { .. }
            | Event::VisitsHeld { .. }
            | Event::HoldLifted { .. }
            | Event::OffSiteCheckRecorded { .. } => Ok(()),
        }
    }

    fn id(&self) -> &EnterpriseId {
        &self.enterprise.id
    }

    /// So many hours of work from now.
    fn later(&mut self, hours: Range<u32>) -> Timestamp {
        self.chance.after(&self.register.calendar, self.now, hours)
    }

    fn then(&mut self, hours: Range<u32>, command: Command) {
        let at = self.later(hours);
        self.at(at, command);
    }

    fn at(&mut self, at: Timestamp, command: Command) {
        let deed = Deed::visits(self.id(), command);
        self.next.push((at, deed));
    }

    /// Heads approve, now and then nobody does; some visits are called off, some become part of others.
    fn planned(&mut self, visit: &Visit) -> Result<(), SimulateError> {
        let (id, lead) = (visit.plan.visit, visit.plan.unit.clone());
        if self.chance.percent(3) {
            return Ok(());
        }
        if self.chance.percent(4) {
            let reason = CancelReason::TaskWithdrawn;
            self.then(2..12, Command::Cancel { visit: id, unit: lead, reason });
            return Ok(());
        }
        let near = self.visits.all().find(|other| {
            let apart = (other.plan.on - visit.plan.on).get_days().abs();
            other.is_ahead() && apart <= 15 && !other.takes_part(&lead)
        });
        if let Some(other) = near.filter(|_| visit.shares.len() == 1)
            && self.chance.percent(45)
        {
            let into = other.plan.visit;
            self.then(1..3, Command::Merge { visit: id, into, unit: lead });
            return Ok(());
        }
        for unit in visit.shares.keys().cloned() {
            self.then(1..6, Command::Approve { visit: id, unit });
        }
        Ok(())
    }

    /// Officers come on the planned day, by a code, by a device without a network, or by what is entered
    /// later; a few are turned away at the door.
    fn approved(&mut self, visit: &Visit) -> Result<(), SimulateError> {
        let (id, unit) = (visit.plan.visit, visit.plan.unit.clone());
        if self.chance.percent(55) {
            let command = Command::Notify { visit: id, unit: unit.clone() };
            let soon = self.now + SignedDuration::from_mins(20);
            self.at(soon, command);
        }
        let day =
            visit.plan.on.at(8, 30, 0, 0).to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        let day = day.map_err(step)?.timestamp();
        let came = self.chance.after(&self.register.calendar, day, 0..5);
        let came = came.max(self.now + SignedDuration::from_mins(30));
        match self.chance.number(0..1000) {
            0..10 => {
                let reason = RefusalReason::OfficersUnidentified;
                self.at(came, Command::Refuse { visit: id, reason, shown: true });
            }
            10..130 => self.without_network(visit, came),
            130..155 => self.entered_by_hand(visit, came)?,
            155..290 => {
                let code = CodeId(self.chance.id());
                let units = visit.shares.keys().cloned().collect();
                self.at(came, Command::Admit { visit: id, code, place: None, units });
            }
            _ => {
                let code = CodeId(self.chance.id());
                let proof = Proof::RotatingCode { code };
                let check_in = scan(visit, came, Manner::Live, proof);
                let improvised = None;
                self.at(came, Command::CheckIn { visit: id, unit, check_in, improvised });
            }
        }
        Ok(())
    }

    fn without_network(&mut self, visit: &Visit, came: Timestamp) {
        let (id, unit) = (visit.plan.visit, visit.plan.unit.clone());
        let enterprise = self.id().clone();
        if self.chance.percent(85) {
            self.next.push((self.now, Deed::Hang(enterprise.clone())));
        }
        self.next.push((came, Deed::Keep(enterprise.clone(), id, Note::Came)));
        let left = came + SignedDuration::from_mins(self.chance.number(20..150).into());
        self.next.push((left, Deed::Keep(enterprise, id, Note::Left)));
        let back = self.chance.after(&self.register.calendar, left, 1..12);
        self.next.push((back, Deed::Send(unit, carried(id))));
    }

    /// Within ten days, mostly.
    fn entered_by_hand(&mut self, visit: &Visit, came: Timestamp) -> Result<(), SimulateError> {
        let reason = Reference::parse("停电，网络中断").map_err(step)?;
        let check_in = scan(visit, came, Manner::Backfilled { reason }, Proof::Nothing);
        let late = if self.chance.percent(8) { 11..15 } else { 1..7 };
        let days = SignedDuration::from_hours(24 * i64::from(self.chance.number(late)));
        let (visit, unit) = (visit.plan.visit, visit.plan.unit.clone());
        let command = Command::CheckIn { visit, unit, check_in, improvised: None };
        self.at(came + days, command);
        Ok(())
    }

    /// They stay for an hour or two. What could not wait is approved now, mostly in time.
    fn came(&mut self, visit: &Visit, check_in: &CheckIn) -> Result<(), SimulateError> {
        let (id, unit) = (visit.plan.visit, visit.plan.unit.clone());
        let stay = SignedDuration::from_mins(self.chance.number(20..150).into());
        match check_in.manner {
            Manner::Live => {
                let occurred_at = check_in.occurred_at + stay;
                let at = occurred_at.max(self.now + SignedDuration::from_mins(1));
                self.at(at, Command::CheckOut { visit: id, unit, occurred_at });
            }
            Manner::Backfilled { .. } => {
                let occurred_at = check_in.occurred_at + stay;
                let soon = self.now + SignedDuration::from_mins(15);
                self.at(soon.max(occurred_at), Command::CheckOut { visit: id, unit, occurred_at });
            }
            Manner::Kept { .. } | Manner::Stated => {}
        }
        if visit.plan.ground == Ground::Urgent && visit.approvals.is_empty() {
            let hours = if self.chance.percent(90) { 2..14 } else { 20..40 };
            for unit in visit.shares.keys().cloned() {
                self.then(hours.clone(), Command::Approve { visit: id, unit });
            }
        }
        if self.chance.permille(7) { self.complain(id) } else { Ok(()) }
    }

    /// A complaint about the visit, and what the desk, the unit and the enterprise do about it.
    fn complain(&mut self, about: VisitId) -> Result<(), SimulateError> {
        let topic = self.register.routing.topics.iter().find(|topic| topic.lead.is_some());
        let topic = topic.ok_or_else(|| step("the plan has no topic with a lead"))?;
        let unit = topic.lead.clone().ok_or_else(|| step("a topic has no lead"))?;
        let submission = Submission {
            about_visit: Some(about),
            ..Submission::new(
                Channel::VisitFeedback,
                topic.id.clone(),
                self.enterprise.area.clone(),
                text("they did not say why they came"),
            )
        };
        let appeal = AppealId(self.chance.id());
        let stream = streams::appeal(self.id(), appeal).map_err(step)?;
        let resolve = appeal::Command::Resolve {
            unit: unit.clone(),
            outcome: appeal::Outcome::Explained,
            reply: text("explained"),
        };
        let mut course = vec![
            appeal::Command::Submit(submission),
            appeal::Command::Accept,
            appeal::Command::Dispatch { to: None },
            appeal::Command::SignFor { unit },
            resolve,
        ];
        if self.chance.percent(80) {
            course.extend([appeal::Command::Confirm, appeal::Command::Close]);
        }
        let mut at = self.later(1..8);
        for command in course {
            self.next.push((at, Deed::Appeal(stream.clone(), Box::new(command))));
            at = self.chance.after(&self.register.calendar, at, 1..7);
        }
        Ok(())
    }

    /// Each unit reports what it found.
    fn left(&mut self, visit: &Visit) -> Result<(), SimulateError> {
        for (unit, share) in &visit.shares {
            let at = self.later(1..16);
            let results = share.items.iter().map(|item| self.finding(visit, item, at)).collect();
            let (visit, unit) = (visit.plan.visit, unit.clone());
            self.at(at, Command::ReportResult { visit, unit, results });
        }
        Ok(())
    }

    fn finding(&mut self, visit: &Visit, item: &ItemId, at: Timestamp) -> ItemResult {
        let days = i32::try_from(self.chance.number(10..45)).unwrap_or(10).days();
        let rectify = Outcome::RectifyBy(civil_date(at).saturating_add(days));
        let outcome = self.chance.by_share(&FINDINGS).copied().flatten().unwrap_or(rectify);
        let lines = visit.lines.get(item).copied().unwrap_or(0);
        let unmet = (outcome != Outcome::Pass && lines > 0).then_some(1);
        ItemResult { item: item.clone(), outcome, unmet: unmet.into_iter().collect() }
    }

    /// The enterprise is told, mostly in time; it rectifies, and rates.
    fn reported(&mut self, visit: &Visit) -> Result<(), SimulateError> {
        let (id, lead) = (visit.plan.visit, visit.plan.unit.clone());
        let document = Reference::parse("检查结果告知书（模拟）").map_err(step)?;
        let hours = if self.chance.percent(93) { 2..30 } else { 44..70 };
        self.then(hours, Command::Tell { visit: id, unit: lead, document });
        if self.chance.percent(25) {
            let satisfaction = self.chance.by_share(&GRADES).copied();
            let satisfaction = satisfaction.unwrap_or(Satisfaction::Satisfied);
            let at = self.later(2..60);
            let command = ratings::Command::Rate { visit: id, satisfaction };
            self.next.push((at, Deed::Ratings(self.id().clone(), command)));
        }
        for (unit, item) in visit.rectifications.keys() {
            self.rectify(visit, unit, item)?;
        }
        Ok(())
    }

    /// Most is accepted on papers, some is looked at again, some is let go by.
    fn rectify(
        &mut self,
        visit: &Visit,
        unit: &UnitId,
        item: &ItemId,
    ) -> Result<(), SimulateError> {
        let id = visit.plan.visit;
        let (item, unit) = (item.clone(), unit.clone());
        if self.chance.percent(80) {
            let document = Reference::parse("整改报告（模拟）").map_err(step)?;
            let command = Command::ReportRectification { visit: id, item: item.clone(), document };
            self.then(16..60, command);
        }
        if self.chance.percent(60) {
            self.then(60..80, Command::AcceptRectification { visit: id, unit, item });
            return Ok(());
        }
        let at = self.later(60..200);
        let aim = Aim::again(id);
        let Some(catalogue) = self.register.catalogue(&unit) else {
            return Ok(());
        };
        let visit = VisitId(Uuid::new_v5(&id.0, format!("recheck/{unit}/{item}").as_bytes()));
        let drawn = &mut self.chance;
        let plan = intentions::plan(self.register, drawn, catalogue, visit, at, aim)?;
        let plan = plan.map(|plan| doudi_domain::visits::Plan {
            items: [item].into(),
            shares: [].into(),
            ..plan
        });
        self.next
            .extend(plan.map(|plan| (at, Deed::visits(&self.enterprise.id, Command::Plan(plan)))));
        Ok(())
    }
}

/// Those who were to come, came.
pub(super) fn scan(visit: &Visit, at: Timestamp, manner: Manner, proof: Proof) -> CheckIn {
    CheckIn { officers: visit.officers(), occurred_at: at, manner, proof, place: None }
}
