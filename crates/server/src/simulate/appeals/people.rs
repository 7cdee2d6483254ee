//! What people do next with a case, and when: drawn from chance by the phase that the case is in.

use doudi_domain::{
    ClassId, DiagnosisId, NoteId, Reference, UnitId,
    appeal::{Callback, Case, Command, LawfulChannel, Note, Outcome, Phase, Rating, Visibility},
    clock::{ClockKind, PauseGround},
    diagnosis::{self, Conclusion, Diagnosis, Opinion, Order, Stance, StandingLead},
};
use jiff::Timestamp;

use crate::simulate::{city::City, text};

/// What somebody does with the case next; none when everybody leaves it to its clocks.
pub(super) fn next(city: &mut City, case: &Case, now: Timestamp) -> Option<(Timestamp, Command)> {
    match &case.phase {
        Phase::Submitted if city.percent(4) => None,
        Phase::Submitted if city.percent(3) => {
            let (channel, guidance) = (LawfulChannel::Litigation, text("redirected"));
            Some((city.after(now, 1..6), Command::Redirect { channel, guidance }))
        }
        Phase::Submitted => Some((city.after(now, 1..9), Command::Accept)),
        Phase::Accepted if city.percent(4) => None,
        Phase::Accepted => Some((city.after(now, 1..9), Command::Dispatch { to: None })),
        Phase::Dispatched(assignment) => {
            let unit = assignment.route.unit.clone();
            dispatched(city, now, unit, assignment.is_final)
        }
        Phase::Contested { assignment, .. } => {
            let other = city.chance.one_of(&city.routing.units)?.id.clone();
            let to = (other != assignment.route.unit).then_some(other);
            let rule = city.percent(50) || to.is_none();
            let command = if rule { Command::Rule { to } } else { Command::Dispatch { to } };
            Some((city.after(now, 2..10), command))
        }
        Phase::InHandling(assignment) => {
            let unit = assignment.route.unit.clone();
            in_handling(city, case, now, unit)
        }
        Phase::Resolved(_) => resolved(city, case, now),
        Phase::Confirmed(_) => Some((city.after(now, 1..7), Command::Close)),
        Phase::Closed(Some(_)) if case.rating.is_none() && city.percent(50) => {
            let satisfied = city.percent(85);
            let rating = Rating { responded: city.percent(90), resolved: satisfied, satisfied };
            Some((city.after(now, 1..40), Command::Rate(rating)))
        }
        Phase::Closed(Some(_)) if city.percent(3) => {
            Some((city.after(now, 7..60), Command::Reopen { reason: text("again") }))
        }
        Phase::Closed(_) | Phase::Redirected { .. } | Phase::Merged(_) => None,
    }
}

fn dispatched(
    city: &mut City,
    now: Timestamp,
    unit: UnitId,
    is_final: bool,
) -> Option<(Timestamp, Command)> {
    match city.chance.number(0..100) {
        0..15 if !is_final => {
            let command = Command::Contest { unit, reason: text("not ours"), proposed: None };
            Some((city.after(now, 1..7), command))
        }
        15..20 => None,
        _ => Some((city.after(now, 1..10), Command::SignFor { unit })),
    }
}

fn in_handling(
    city: &mut City,
    case: &Case,
    now: Timestamp,
    unit: UnitId,
) -> Option<(Timestamp, Command)> {
    if case.clock(ClockKind::Pause).is_some() {
        return city.percent(80).then(|| (city.after(now, 7..50), Command::Resume));
    }
    if !case.contacted && city.percent(85) {
        return Some((city.after(now, 1..8), Command::RecordContact { unit }));
    }
    match &case.diagnosis {
        Some(diagnosis) if diagnosis.conclusion.is_none() => return None,
        None if case.guarantee.is_some() && city.percent(35) => return convene(city, now, unit),
        Some(_) | None => {}
    }
    let open = |task: &&doudi_domain::appeal::Task| task.answer.is_none();
    if let Some((id, task)) = case.tasks.iter().find(|(_, task)| open(task)) {
        let (task, unit) = (*id, task.unit.clone());
        let command = Command::AnswerCoHandling { unit, task, answer: text("done") };
        return Some((city.after(now, 4..28), command));
    }
    let co_unit = case.phase.route().and_then(|route| route.co_units.first().cloned());
    match (city.chance.number(0..100), co_unit) {
        (0..5, _) => {
            let reference = Reference::parse("补正通知").ok()?;
            let ground = PauseGround::MaterialAsked;
            Some((city.after(now, 1..10), Command::Pause { unit, ground, reference }))
        }
        (5..10, _) => {
            let reason = text("takes longer");
            let command = Command::AskExtension { unit, working_days: 3, reason };
            Some((city.after(now, 1..14), command))
        }
        (10..15, _) => Some((city.after(now, 1..7), reclassified(case)?)),
        (15..35, Some(of)) if case.tasks.is_empty() => {
            let command = Command::RequestCoHandling { unit, of, ask: text("your part") };
            Some((city.after(now, 1..10), command))
        }
        (35..45, _) => {
            let id = NoteId(city.chance.id());
            let note =
                Note { id, unit: Some(unit), visibility: Visibility::Internal, text: text("n") };
            Some((city.after(now, 1..14), Command::AddNote(note)))
        }
        (45..50, _) => None,
        _ => {
            let command = Command::Resolve { unit, outcome: Outcome::Solved, reply: text("done") };
            Some((city.after(now, 4..45), command))
        }
    }
}

fn convene(city: &mut City, now: Timestamp, unit: UnitId) -> Option<(Timestamp, Command)> {
    let diagnosis = DiagnosisId(city.chance.id());
    let known: Vec<UnitId> = city.routing.units.iter().map(|unit| unit.id.clone()).collect();
    let units = city.chance.some_of(&known, 3);
    let question = text("who does it?");
    let command = Command::Convene { unit, diagnosis, units, quorum: 2, question };
    Some((city.after(now, 1..10), command))
}

fn reclassified(case: &Case) -> Option<Command> {
    let classes = &case.terms.case_type.classes;
    let class: ClassId = classes.last().filter(|_| classes.len() > 1)?.id.clone();
    Some(Command::Reclassify { class })
}

fn resolved(city: &mut City, case: &Case, now: Timestamp) -> Option<(Timestamp, Command)> {
    if case.silent || case.callback.as_ref().is_some_and(|c| c.satisfied == Some(true)) {
        return Some((city.after(now, 1..7), Command::Close));
    }
    match city.chance.number(0..100) {
        0..50 => Some((city.after(now, 2..30), Command::Confirm)),
        50..65 => Some((city.after(now, 2..30), Command::Object { reason: text("not solved") })),
        65..85 => {
            let callback =
                Callback { reached: true, resolved: Some(true), satisfied: Some(true), note: None };
            Some((city.after(now, 3..30), Command::RecordCallback(callback)))
        }
        _ => None,
    }
}

/// What somebody does next in a joint diagnosis.
pub(super) fn diagnose(
    city: &mut City,
    diagnosis: &Diagnosis,
    now: Timestamp,
) -> Option<(Timestamp, diagnosis::Command)> {
    let Diagnosis::Open(open) = diagnosis else {
        return None;
    };
    let heard = open.opinions.len();
    let silent = open.convening.panel.units.iter().find(|u| !open.opinions.contains_key(*u));
    if let Some(unit) = silent.filter(|_| heard < usize::from(open.convening.panel.quorum)) {
        let stance = if city.percent(80) { Stance::Support } else { Stance::Dissent };
        let opinion = Opinion { stance, text: text("opinion") };
        let command = diagnosis::Command::GiveOpinion { unit: unit.clone(), opinion };
        return Some((city.after(now, 2..20), command));
    }
    let unit = open.convening.convener.clone();
    let ordered = open.convening.panel.units.first()?.clone();
    let standing = city.percent(20).then(|| ordered.clone());
    let conclusion = Conclusion {
        text: text("conclusion"),
        orders: vec![Order { unit: ordered, task: text("do it"), working_days: 3 }],
        standing_lead: standing.map(|unit| StandingLead { unit, same_area_only: true }),
    };
    Some((city.after(now, 2..14), diagnosis::Command::Conclude { unit, conclusion }))
}
