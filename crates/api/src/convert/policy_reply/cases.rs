//! Case types as they go out.

use doudi_domain::{
    UnitId,
    cases::{Allowances, Bounds, CaseType, CaseTypes, Class, Competence, Escalation, Level, Rung},
};

use crate::proto as pb;

pub(super) fn of_case_types(types: &CaseTypes) -> pb::CaseTypes {
    pb::CaseTypes { types: types.types.iter().map(of_case_type).collect() }
}

fn of_case_type(case_type: &CaseType) -> pb::CaseType {
    let warnings = pb::CaseWarnings {
        blue_percent: case_type.warnings.blue_percent.into(),
        yellow_percent: case_type.warnings.yellow_percent.into(),
    };
    pb::CaseType {
        id: case_type.id.to_string(),
        title: case_type.title.to_string(),
        classes: case_type.classes.iter().map(of_class).collect(),
        allowances: Some(of_allowances(&case_type.allowances)),
        warnings: Some(warnings),
        ladder: case_type.ladder.iter().map(of_rung).collect(),
        bounds: Some(of_bounds(&case_type.bounds)),
        lead: case_type.lead.as_ref().map(UnitId::to_string).unwrap_or_default(),
        competences: case_type.competences.iter().map(of_competence).collect(),
        mediation_working_days: case_type.mediation.unwrap_or_default().into(),
        source: case_type.source.to_string(),
        is_default: case_type.is_default,
    }
}

fn of_class(class: &Class) -> pb::CaseClass {
    pb::CaseClass {
        id: class.id.to_string(),
        title: class.title.to_string(),
        resolve_working_days: class.resolve.into(),
    }
}

fn of_allowances(allowances: &Allowances) -> pb::CaseAllowances {
    pb::CaseAllowances {
        accept_working_days: allowances.accept.into(),
        dispatch_working_days: allowances.dispatch.into(),
        contact_working_days: allowances.contact.into(),
        contest_working_days: allowances.contest.into(),
        ruling_working_days: allowances.ruling.into(),
        co_handling_working_days: allowances.co_handling.into(),
        feedback_working_days: allowances.feedback.into(),
        close_working_days: allowances.close.into(),
        opinion_working_days: allowances.opinion.into(),
        conclusion_working_days: allowances.conclusion.into(),
    }
}

fn of_rung(rung: &Rung) -> pb::LadderRung {
    pb::LadderRung {
        escalation: of_escalation(rung.escalation).into(),
        after_working_days: rung.after_working_days.into(),
    }
}

/// What happens after due.
pub(crate) fn of_escalation(escalation: Escalation) -> pb::Escalation {
    match escalation {
        Escalation::Urge => pb::Escalation::Urge,
        Escalation::Supervise => pb::Escalation::Supervise,
        Escalation::Circulate => pb::Escalation::Circulate,
        Escalation::Summon => pb::Escalation::Summon,
    }
}

fn of_bounds(bounds: &Bounds) -> pb::CaseBounds {
    pb::CaseBounds {
        bounces_max: bounds.bounces_max.into(),
        objections_max: bounds.objections_max.into(),
        extension_working_days_max: bounds.extension_max.into(),
        pause_working_days_max: bounds.pause_max.into(),
        reopen_days: bounds.reopen_days.into(),
        false_closure_days: bounds.false_closure_days.into(),
    }
}

fn of_competence(competence: &Competence) -> pb::Competence {
    pb::Competence {
        about: of_level(competence.about).into(),
        unit: competence.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        guidance: competence.guidance.to_string(),
    }
}

/// The level of a body complained of.
pub(crate) fn of_level(level: Level) -> pb::BodyLevel {
    match level {
        Level::District => pb::BodyLevel::District,
        Level::City => pb::BodyLevel::City,
        Level::Province => pb::BodyLevel::Province,
    }
}
