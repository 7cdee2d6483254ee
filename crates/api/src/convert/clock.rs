//! Deadlines as they go out, and what filters and commands say about them.

use doudi_domain::{
    calendar::civil_date,
    cases::Escalation,
    clock::{Clock, ClockKind, Owner, PauseGround, Step},
};

use super::common;
pub(crate) use super::policy_reply::cases::of_escalation;
use crate::proto as pb;

/// Who owes something where no routing table names a unit.
const CITY_DESK: &str = "city-desk";

pub(crate) fn of_clock(clock: &Clock) -> pb::Clock {
    let derivation = &clock.derivation;
    pb::Clock {
        clock_id: clock.id.0,
        kind: of_kind(clock.kind).into(),
        owner: of_owner(&clock.owner),
        start: Some(common::of_timestamp(clock.start)),
        working_days: clock.working_days.into(),
        due: Some(common::of_timestamp(clock.due)),
        due_on: Some(common::of_date(civil_date(clock.due))),
        paused: clock.is_paused(),
        level: clock.level().map_or(pb::ClockLevel::Unspecified, of_level).into(),
        escalation: clock.rung().map_or(pb::Escalation::Unspecified, of_escalation).into(),
        next_step: clock.next().map(|planned| common::of_timestamp(planned.at)),
        terms_version: derivation.terms_version,
        calendar_version: derivation.calendar_version,
        provisional: derivation.provisional,
    }
}

/// The unit, or `city-desk`.
pub(crate) fn of_owner(owner: &Owner) -> String {
    match owner {
        Owner::Unit(unit) => unit.to_string(),
        Owner::CityDesk => CITY_DESK.to_owned(),
    }
}

pub(crate) fn kind(kind: pb::ClockKind) -> Option<ClockKind> {
    match kind {
        pb::ClockKind::Unspecified => None,
        pb::ClockKind::Accept => Some(ClockKind::Accept),
        pb::ClockKind::Dispatch => Some(ClockKind::Dispatch),
        pb::ClockKind::Contact => Some(ClockKind::Contact),
        pb::ClockKind::Resolve => Some(ClockKind::Resolve),
        pb::ClockKind::Ruling => Some(ClockKind::Ruling),
        pb::ClockKind::Extension => Some(ClockKind::Extension),
        pb::ClockKind::CoHandling => Some(ClockKind::CoHandling),
        pb::ClockKind::Feedback => Some(ClockKind::Feedback),
        pb::ClockKind::Close => Some(ClockKind::Close),
        pb::ClockKind::Pause => Some(ClockKind::Pause),
        pb::ClockKind::Mediation => Some(ClockKind::Mediation),
        pb::ClockKind::Opinion => Some(ClockKind::Opinion),
        pb::ClockKind::Conclusion => Some(ClockKind::Conclusion),
        pb::ClockKind::Approval => Some(ClockKind::Approval),
        pb::ClockKind::Tell => Some(ClockKind::Tell),
    }
}

pub(crate) fn of_kind(kind: ClockKind) -> pb::ClockKind {
    match kind {
        ClockKind::Accept => pb::ClockKind::Accept,
        ClockKind::Dispatch => pb::ClockKind::Dispatch,
        ClockKind::Contact => pb::ClockKind::Contact,
        ClockKind::Resolve => pb::ClockKind::Resolve,
        ClockKind::Ruling => pb::ClockKind::Ruling,
        ClockKind::Extension => pb::ClockKind::Extension,
        ClockKind::CoHandling => pb::ClockKind::CoHandling,
        ClockKind::Feedback => pb::ClockKind::Feedback,
        ClockKind::Close => pb::ClockKind::Close,
        ClockKind::Pause => pb::ClockKind::Pause,
        ClockKind::Mediation => pb::ClockKind::Mediation,
        ClockKind::Opinion => pb::ClockKind::Opinion,
        ClockKind::Conclusion => pb::ClockKind::Conclusion,
        ClockKind::Approval => pb::ClockKind::Approval,
        ClockKind::Tell => pb::ClockKind::Tell,
    }
}

/// A level as a filter; never a rung.
pub(crate) fn level(level: pb::ClockLevel) -> Option<Step> {
    match level {
        pb::ClockLevel::Unspecified => None,
        pb::ClockLevel::Blue => Some(Step::Blue),
        pb::ClockLevel::Yellow => Some(Step::Yellow),
        pb::ClockLevel::Red => Some(Step::Red),
    }
}

/// The level of a step; a rung comes after red.
pub(crate) fn of_level(level: Step) -> pb::ClockLevel {
    match level {
        Step::Blue => pb::ClockLevel::Blue,
        Step::Yellow => pb::ClockLevel::Yellow,
        Step::Red | Step::Escalate(_) => pb::ClockLevel::Red,
    }
}

pub(crate) fn escalation(escalation: pb::Escalation) -> Option<Escalation> {
    match escalation {
        pb::Escalation::Unspecified => None,
        pb::Escalation::Urge => Some(Escalation::Urge),
        pb::Escalation::Supervise => Some(Escalation::Supervise),
        pb::Escalation::Circulate => Some(Escalation::Circulate),
        pb::Escalation::Summon => Some(Escalation::Summon),
    }
}

pub(crate) fn pause_ground(ground: pb::PauseGround) -> Option<PauseGround> {
    match ground {
        pb::PauseGround::Unspecified => None,
        pb::PauseGround::MaterialAsked => Some(PauseGround::MaterialAsked),
        pb::PauseGround::LegalStep => Some(PauseGround::LegalStep),
    }
}
