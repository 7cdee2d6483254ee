//! Case types as they come in.

use doudi_domain::{
    CaseTypeId, ClassId, UnitId,
    cases::{
        Allowances, Bounds, CaseType, CaseTypes, Class, Competence, Escalation, Level, Rung,
        Warnings,
    },
};

use super::WORKING_DAYS_MAX;
use crate::{convert::Fields, error::Reason, proto as pb, text};

const TYPES_MAX: usize = 100;
const CLASSES_MAX: usize = 50;
/// Each rung stands once; repeating one is told as such.
const RUNGS_MAX: usize = 20;
const COMPETENCES_MAX: usize = 20;
const TIMES_MAX: u32 = 100;
const CALENDAR_DAYS_MAX: u32 = 3650;

pub(super) fn case_types(fields: &mut Fields, given: &pb::CaseTypes) -> Option<CaseTypes> {
    // How many types and classes there must be at least, the document says itself when it is judged.
    let bounds = (0, TYPES_MAX);
    let types = fields.each("document.case_types.types", &given.types, bounds, case_type)?;
    Some(CaseTypes { types })
}

fn case_type(fields: &mut Fields, path: &str, given: &pb::CaseType) -> Option<CaseType> {
    let at = |name: &str| format!("{path}.{name}");
    let id = fields.parse(&at("id"), &given.id, CaseTypeId::parse);
    let title = fields.parse(&at("title"), &given.title, text::name);
    let classes = fields.each(&at("classes"), &given.classes, (0, CLASSES_MAX), class);
    let allowances = message(fields, &at("allowances"), given.allowances.as_ref(), allowances);
    let warnings = message(fields, &at("warnings"), given.warnings.as_ref(), warnings);
    let ladder = fields.each(&at("ladder"), &given.ladder, (0, RUNGS_MAX), rung);
    let bounds = message(fields, &at("bounds"), given.bounds.as_ref(), bounds);
    let lead = fields.optional(&at("lead"), &given.lead, UnitId::parse);
    let competences = &given.competences;
    let competences =
        fields.each(&at("competences"), competences, (0, COMPETENCES_MAX), competence);
    let mediation = days(fields, path, "mediation_working_days", given.mediation_working_days);
    let source = fields.parse(&at("source"), &given.source, text::name);
    Some(CaseType {
        id: id?,
        title: title?,
        classes: classes?,
        allowances: allowances?,
        warnings: warnings?,
        ladder: ladder?,
        bounds: bounds?,
        lead: lead?,
        competences: competences?,
        mediation: Some(mediation?).filter(|working_days| *working_days > 0),
        source: source?,
        is_default: given.is_default,
    })
}

/// A message that must be given.
fn message<M, T>(
    fields: &mut Fields,
    path: &str,
    given: Option<&M>,
    read: fn(&mut Fields, &str, &M) -> Option<T>,
) -> Option<T> {
    match given {
        Some(given) => read(fields, path, given),
        None => fields.refuse(path, Reason::FieldRequired),
    }
}

fn class(fields: &mut Fields, path: &str, given: &pb::CaseClass) -> Option<Class> {
    let id = fields.parse(&format!("{path}.id"), &given.id, ClassId::parse);
    let title = fields.parse(&format!("{path}.title"), &given.title, text::name);
    let resolve = days(fields, path, "resolve_working_days", given.resolve_working_days);
    Some(Class { id: id?, title: title?, resolve: resolve? })
}

fn allowances(fields: &mut Fields, path: &str, given: &pb::CaseAllowances) -> Option<Allowances> {
    let mut days = |name: &str, working_days| days(fields, path, name, working_days);
    let accept = days("accept_working_days", given.accept_working_days);
    let dispatch = days("dispatch_working_days", given.dispatch_working_days);
    let contact = days("contact_working_days", given.contact_working_days);
    let contest = days("contest_working_days", given.contest_working_days);
    let ruling = days("ruling_working_days", given.ruling_working_days);
    let co_handling = days("co_handling_working_days", given.co_handling_working_days);
    let feedback = days("feedback_working_days", given.feedback_working_days);
    let close = days("close_working_days", given.close_working_days);
    let opinion = days("opinion_working_days", given.opinion_working_days);
    let conclusion = days("conclusion_working_days", given.conclusion_working_days);
    Some(Allowances {
        accept: accept?,
        dispatch: dispatch?,
        contact: contact?,
        contest: contest?,
        ruling: ruling?,
        co_handling: co_handling?,
        feedback: feedback?,
        close: close?,
        opinion: opinion?,
        conclusion: conclusion?,
    })
}

fn warnings(fields: &mut Fields, path: &str, given: &pb::CaseWarnings) -> Option<Warnings> {
    let mut percent = |name: &str, percent| {
        u8::try_from(fields.number(&format!("{path}.{name}"), percent, 1, 100)?).ok()
    };
    let blue = percent("blue_percent", given.blue_percent);
    let yellow = percent("yellow_percent", given.yellow_percent);
    Some(Warnings { blue_percent: blue?, yellow_percent: yellow? })
}

fn rung(fields: &mut Fields, path: &str, given: &pb::LadderRung) -> Option<Rung> {
    let at = format!("{path}.escalation");
    let escalation = fields.choice(&at, given.escalation, |escalation| match escalation {
        pb::Escalation::Unspecified => None,
        pb::Escalation::Urge => Some(Escalation::Urge),
        pb::Escalation::Supervise => Some(Escalation::Supervise),
        pb::Escalation::Circulate => Some(Escalation::Circulate),
        pb::Escalation::Summon => Some(Escalation::Summon),
    });
    let after = days(fields, path, "after_working_days", given.after_working_days);
    Some(Rung { escalation: escalation?, after_working_days: after? })
}

fn bounds(fields: &mut Fields, path: &str, given: &pb::CaseBounds) -> Option<Bounds> {
    let mut number = |name, value, max| number(fields, path, name, value, max);
    let bounces = number("bounces_max", given.bounces_max, TIMES_MAX);
    let objections = number("objections_max", given.objections_max, TIMES_MAX);
    let (extension, pause) = (given.extension_working_days_max, given.pause_working_days_max);
    let extension = number("extension_working_days_max", extension, WORKING_DAYS_MAX);
    let pause = number("pause_working_days_max", pause, WORKING_DAYS_MAX);
    let reopen = number("reopen_days", given.reopen_days, CALENDAR_DAYS_MAX);
    let false_closure = number("false_closure_days", given.false_closure_days, CALENDAR_DAYS_MAX);
    Some(Bounds {
        bounces_max: bounces?,
        objections_max: objections?,
        extension_max: extension?,
        pause_max: pause?,
        reopen_days: reopen?,
        false_closure_days: false_closure?,
    })
}

fn competence(fields: &mut Fields, path: &str, given: &pb::Competence) -> Option<Competence> {
    let about = fields.choice(&format!("{path}.about"), given.about, level);
    let unit = fields.optional(&format!("{path}.unit"), &given.unit, UnitId::parse);
    let guidance = fields.parse(&format!("{path}.guidance"), &given.guidance, text::name);
    Some(Competence { about: about?, unit: unit?, guidance: guidance? })
}

/// The level of a body complained of.
pub(crate) fn level(level: pb::BodyLevel) -> Option<Level> {
    match level {
        pb::BodyLevel::Unspecified => None,
        pb::BodyLevel::District => Some(Level::District),
        pb::BodyLevel::City => Some(Level::City),
        pb::BodyLevel::Province => Some(Level::Province),
    }
}

/// Working days; where 0 is too few, the document says so itself when it is judged.
fn days(fields: &mut Fields, path: &str, name: &str, value: u32) -> Option<u16> {
    number(fields, path, name, value, WORKING_DAYS_MAX)
}

fn number(fields: &mut Fields, path: &str, name: &str, value: u32, max: u32) -> Option<u16> {
    u16::try_from(fields.number(&format!("{path}.{name}"), value, 0, max)?).ok()
}
