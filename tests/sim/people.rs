//! What somebody wants next of a visit or an appeal, drawn from chance by the state that they saw.

use doudi_domain::{
    AppealId, AreaCode, CodeId, DiagnosisId, ItemId, NoteId, Reference, Sealed, TopicId, UnitId,
    VisitId,
    appeal::{self, Appeal, Case, Note, Phase, Submission, Visibility},
    calendar::civil_date,
    clock::{ClockKind, PauseGround},
    frequency::Ground,
    visits::{
        self, CancelReason, CheckIn, ItemResult, Manner, Outcome, Plan, Proof, Share, Visit, Visits,
    },
};
use jiff::{Timestamp, ToSpan};

use super::{
    city::{self, AREA, TOPICS, UNITS},
    network::Chance,
};

pub(super) fn text() -> Sealed {
    Sealed {
        subject: "appeal:1".to_owned(),
        algorithm: "none".to_owned(),
        nonce: String::new(),
        ciphertext: "text".to_owned(),
    }
}

pub(super) fn item() -> ItemId {
    ItemId::parse("item-01").unwrap()
}

pub(super) fn some_unit(chance: &Chance) -> UnitId {
    city::unit(chance.one_of(&UNITS).unwrap_or(UNITS[0]))
}

/// What somebody wants of an enterprise's visits.
pub(super) fn visits(chance: &Chance, seen: &Visits, now: Timestamp) -> visits::Command {
    let known: Vec<&Visit> = seen.all().collect();
    match chance.one_of(&known) {
        Some(visit) if chance.percent(60) => act(chance, visit, &known, now),
        Some(_) | None => visits::Command::Plan(plan(chance, now)),
    }
}

fn plan(chance: &Chance, now: Timestamp) -> Plan {
    let ground = if chance.percent(25) { Ground::Complaint } else { Ground::Routine };
    // Mostly for the same day, so that somebody comes.
    let days = if chance.percent(60) { 0 } else { chance.number(0..15) };
    let days = i32::try_from(days).unwrap_or(0);
    let unit = some_unit(chance);
    let with = Some(some_unit(chance)).filter(|with| *with != unit && chance.percent(40));
    let share = || Share { officers: city::officers(), items: [item()].into() };
    Plan {
        visit: VisitId(chance.id()),
        unit,
        shares: with.into_iter().map(|with| (with, share())).collect(),
        officers: city::officers(),
        items: [item()].into(),
        ground,
        evidence: (ground == Ground::Complaint).then(|| Reference::parse("12345-1").unwrap()),
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: civil_date(now).saturating_add(days.days()),
    }
}

fn act(chance: &Chance, visit: &Visit, all: &[&Visit], now: Timestamp) -> visits::Command {
    let units: Vec<UnitId> = visit.plan.all_shares().keys().cloned().collect();
    let unit = chance.one_of(&units).unwrap_or_else(|| visit.plan.unit.clone());
    let id = visit.plan.visit;
    match &visit.phase {
        visits::Phase::Planned if chance.percent(60) => {
            visits::Command::Approve { visit: id, unit }
        }
        visits::Phase::Planned | visits::Phase::Approved => match chance.number(0..10) {
            0 => visits::Command::Notify { visit: id, unit },
            1 => {
                let ahead = |other: &&&Visit| {
                    let phase = &other.phase;
                    other.plan.unit != unit
                        && matches!(phase, visits::Phase::Planned | visits::Phase::Approved)
                };
                let others: Vec<&&Visit> = all.iter().filter(ahead).collect();
                let into = chance.one_of(&others).map_or(id, |other| other.plan.visit);
                visits::Command::Merge { visit: id, into, unit }
            }
            2 => {
                let reason = CancelReason::TaskWithdrawn;
                visits::Command::Cancel { visit: id, unit, reason }
            }
            _ => {
                let check_in = CheckIn {
                    officers: visit.plan.officers.clone(),
                    occurred_at: now,
                    manner: Manner::Live,
                    proof: Proof::RotatingCode { code: CodeId(chance.id()) },
                    place: None,
                };
                visits::Command::CheckIn { visit: id, unit, check_in, improvised: None }
            }
        },
        visits::Phase::CheckedIn { .. } => {
            visits::Command::CheckOut { visit: id, unit, occurred_at: now }
        }
        visits::Phase::CheckedOut { .. }
        | visits::Phase::Reported { .. }
        | visits::Phase::Closed { .. }
        | visits::Phase::Cancelled
        | visits::Phase::Expired
        | visits::Phase::Refused
        | visits::Phase::Merged { .. } => {
            let by = civil_date(now).saturating_add(5.days());
            let outcome = if chance.percent(50) { Outcome::Pass } else { Outcome::RectifyBy(by) };
            let results = vec![ItemResult { item: item(), outcome, unmet: [].into() }];
            visits::Command::ReportResult { visit: id, unit, results }
        }
    }
}

/// What somebody wants of an appeal.
pub(super) fn appeal(chance: &Chance, seen: &Appeal, other: AppealId) -> appeal::Command {
    match seen.known() {
        None => {
            let topic = chance.one_of(&TOPICS).unwrap_or(TOPICS[0]);
            appeal::Command::Submit(Submission::new(
                appeal::Channel::Web,
                TopicId::parse(topic).unwrap(),
                AreaCode::parse(AREA).unwrap(),
                text(),
            ))
        }
        Some(case) => handle(chance, case, other),
    }
}

fn handle(chance: &Chance, case: &Case, other: AppealId) -> appeal::Command {
    use appeal::Command;
    match chance.number(0..50) {
        0 => return Command::ErasePersonalData { subject: "appeal:1".to_owned() },
        1..4 => return Command::Merge { into: other },
        _ => {}
    }
    if chance.percent(5) {
        let id = NoteId(chance.id());
        return Command::AddNote(Note {
            id,
            unit: None,
            visibility: Visibility::Internal,
            text: text(),
        });
    }
    match &case.phase {
        Phase::Submitted => Command::Accept,
        Phase::Accepted => Command::Dispatch { to: None },
        Phase::Dispatched(assignment) => {
            let unit = assignment.route.unit.clone();
            match chance.percent(30) {
                true => Command::Contest { unit, reason: text(), proposed: None },
                false => Command::SignFor { unit },
            }
        }
        Phase::Contested { .. } => match chance.percent(50) {
            true => Command::Rule { to: None },
            false => Command::Dispatch { to: Some(some_unit(chance)) },
        },
        Phase::InHandling(assignment) => in_handling(chance, case, assignment.route.unit.clone()),
        Phase::Resolved(_) => match chance.percent(70) {
            true => Command::Confirm,
            false => Command::Object { reason: text() },
        },
        Phase::Confirmed(_) => Command::Close,
        Phase::Closed(_) | Phase::Redirected { .. } | Phase::Merged(_) => {
            Command::Reopen { reason: text() }
        }
    }
}

fn in_handling(chance: &Chance, case: &Case, unit: UnitId) -> appeal::Command {
    use appeal::Command;
    if case.clock(ClockKind::Pause).is_some() {
        return Command::Resume;
    }
    match chance.number(0..12) {
        0..3 => Command::RecordContact { unit },
        10.. => Command::Convene {
            unit,
            diagnosis: DiagnosisId(chance.id()),
            units: UNITS.iter().filter(|_| chance.percent(50)).copied().map(city::unit).collect(),
            quorum: 1,
            question: text(),
        },
        3 => Command::Pause {
            unit,
            ground: PauseGround::MaterialAsked,
            reference: Reference::parse("补正通知").unwrap(),
        },
        4 => Command::AskExtension { unit, working_days: 3, reason: text() },
        5 => Command::AnswerExtension { granted: chance.percent(50) },
        6 => {
            let to_appeal = AppealId(chance.id());
            let submission = Submission::new(
                appeal::Channel::Web,
                TopicId::parse(TOPICS[1]).unwrap(),
                AreaCode::parse(AREA).unwrap(),
                text(),
            );
            Command::Split { part: to_appeal, submission }
        }
        _ => Command::Resolve { unit, outcome: appeal::Outcome::Solved, reply: text() },
    }
}
