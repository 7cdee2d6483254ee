//! Appeals as they go out: in lists without personal data, one at a time with its texts.

use std::collections::HashMap;

use doudi_domain::{
    AppealId, CaseNumber, EnterpriseId, Sealed,
    appeal::{Case, File, Note, Phase, Rating, Task},
    calendar::civil_date,
    clock::{Clock, ClockId},
    routing::RouteRule,
};
use doudi_views::appeals;
use jiff::Timestamp;

use super::words::{
    of_applicant, of_channel, of_confidentiality, of_lawful_channel, of_outcome, of_state,
    of_trigger, of_visibility,
};
use crate::{
    convert::{clock::of_clock, common::of_timestamp},
    permission::sight::{Part, Sight},
    proto as pb,
};

/// The value as a text; empty for none.
fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

pub(crate) fn of_row(row: &appeals::Row) -> pb::AppealSummary {
    let guarantee = row.guarantee.map_or(pb::GuaranteeTrigger::Unspecified, of_trigger);
    pb::AppealSummary {
        appeal_id: row.appeal.to_string(),
        enterprise_id: row.enterprise.to_string(),
        state: of_state(row.state).into(),
        channel: of_channel(row.channel).into(),
        topic: row.topic.to_string(),
        area: row.area.to_string(),
        unit: text(row.unit.as_ref()),
        co_units: texts(&row.co_units),
        rule: row.rule.as_ref().map(of_rule).unwrap_or_default(),
        due: row.due.as_ref().map(of_clock),
        objections: row.objections,
        about_visit_id: text(row.about_visit.as_ref()),
        number: row.number.to_string(),
        case_type: row.case_type.to_string(),
        class: text(row.class.as_ref()),
        confidentiality: of_confidentiality(row.confidentiality).into(),
        guarantee: guarantee.into(),
        bounces: row.bounces,
        merged_into: text(row.merged_into.as_ref()),
        submitted_at: Some(of_timestamp(row.submitted_at)),
        suspected_false_closure: row.suspected_false_closure,
    }
}

/// A row as whoever sees its appeal like that is shown it.
pub(crate) fn of_row_as(row: &appeals::Row, sight: &Sight) -> pb::AppealSummary {
    shown(of_row(row), row.due.as_ref(), sight)
}

/// What of a summary is shown to who sees the appeal like that.
fn shown(all: pb::AppealSummary, due: Option<&Clock>, sight: &Sight) -> pb::AppealSummary {
    if sight.shows(Part::Summary) {
        return all;
    }
    let due = due.filter(|clock| sight.shows(Part::Due(clock))).map(of_clock);
    let state = pb::AppealSummary {
        number: all.number,
        state: all.state,
        due,
        ..pb::AppealSummary::default()
    };
    if !sight.shows(Part::Matter) {
        return state;
    }
    pb::AppealSummary {
        appeal_id: all.appeal_id,
        enterprise_id: all.enterprise_id,
        topic: all.topic,
        area: all.area,
        ..state
    }
}

/// When a case was submitted; the first instant of its ledger.
fn submitted_at(case: &Case) -> Option<Timestamp> {
    case.ledger.segments().first().map(|first| first.since)
}

/// The number of an appeal that was submitted at that instant.
pub(crate) fn number(appeal: AppealId, submitted_at: Timestamp) -> CaseNumber {
    CaseNumber::of(appeal, civil_date(submitted_at))
}

/// The number of a known case; empty only for one that was never submitted.
pub(crate) fn number_of(appeal: AppealId, case: &Case) -> String {
    submitted_at(case).map(|at| number(appeal, at).to_string()).unwrap_or_default()
}

/// What a list shows, of a case as the log has it.
fn summary(enterprise: &EnterpriseId, appeal: AppealId, case: &Case) -> pb::AppealSummary {
    let submission = &case.submission;
    let route = case.phase.route();
    let merged_into = if let Phase::Merged(into) = &case.phase { Some(into) } else { None };
    let guarantee = case.guarantee.map_or(pb::GuaranteeTrigger::Unspecified, of_trigger);
    pb::AppealSummary {
        appeal_id: appeal.to_string(),
        enterprise_id: enterprise.to_string(),
        state: of_state(case.phase.name()).into(),
        channel: of_channel(submission.channel).into(),
        topic: submission.topic.to_string(),
        area: submission.area.to_string(),
        unit: text(route.map(|route| &route.unit)),
        co_units: route.map(|route| texts(&route.co_units)).unwrap_or_default(),
        rule: route.map(|route| of_rule(&route.rule)).unwrap_or_default(),
        due: case.due().map(of_clock),
        objections: case.objections,
        about_visit_id: text(submission.about_visit.as_ref()),
        number: number_of(appeal, case),
        case_type: case.terms.case_type.id.to_string(),
        class: text(case.class().map(|class| &class.id)),
        confidentiality: of_confidentiality(submission.confidentiality).into(),
        guarantee: guarantee.into(),
        bounces: case.bounces.into(),
        merged_into: text(merged_into),
        submitted_at: submitted_at(case).map(of_timestamp),
        suspected_false_closure: false,
    }
}

/// The texts of an appeal, opened; those that were erased are missing.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashMap<(String, String), String>);

impl Texts {
    /// What `sealed` opened to, in its order.
    pub(crate) fn new(sealed: &[&Sealed], opened: Vec<Option<String>>) -> Self {
        let key = |sealed: &Sealed| (sealed.subject.clone(), sealed.nonce.clone());
        let opened = sealed.iter().zip(opened);
        Self(opened.filter_map(|(sealed, text)| Some((key(sealed), text?))).collect())
    }

    fn of(&self, sealed: &Sealed) -> String {
        // No two texts of one subject have one nonce.
        let key = (sealed.subject.clone(), sealed.nonce.clone());
        self.0.get(&key).cloned().unwrap_or_default()
    }

    fn any(&self, sealed: Option<&Sealed>) -> String {
        sealed.map(|sealed| self.of(sealed)).unwrap_or_default()
    }

    fn has(&self, sealed: &Sealed) -> bool {
        self.0.contains_key(&(sealed.subject.clone(), sealed.nonce.clone()))
    }
}

fn guidance(case: &Case) -> Option<&Sealed> {
    if let Phase::Redirected { guidance, .. } = &case.phase { Some(guidance) } else { None }
}

/// Every text that [`of_case`] shows to who sees the case like that.
pub(crate) fn sealed<'a>(case: &'a Case, sight: &Sight) -> Vec<&'a Sealed> {
    let submission = &case.submission;
    let words = [
        Some(&submission.description),
        submission.contact.as_ref(),
        case.objection.as_ref(),
        guidance(case),
    ];
    let reply = case.resolution.as_ref().map(|resolution| &resolution.reply);
    let reasons = [case.contest.as_ref(), case.extension_reason.as_ref()];
    let notes = case.notes.iter().filter(|note| sight.shows(Part::Entry(note.visibility)));
    let files = case.files.iter().filter(|file| sight.shows(Part::Entry(file.visibility)));
    let tasks = case.tasks.values().filter(|task| sight.shows(Part::Task(task)));
    let words = words.into_iter().flatten().filter(|_| sight.shows(Part::Words));
    words
        .chain(reply.filter(|_| sight.shows(Part::Reply)))
        .chain(notes.map(|note| &note.text))
        .chain(files.map(|file| &file.name))
        .chain(reasons.into_iter().flatten().filter(|_| sight.shows(Part::Reasons)))
        .chain(tasks.flat_map(|task| std::iter::once(&task.ask).chain(&task.answer)))
        .collect()
}

/// A case for who sees it like that.
pub(crate) fn of_case(
    enterprise: &EnterpriseId,
    appeal: AppealId,
    case: &Case,
    texts_of: &Texts,
    sight: &Sight,
) -> pb::Appeal {
    let clocks = case.clocks.values().filter(|clock| sight.shows(Part::clock(case, clock)));
    let notes = case.notes.iter().filter(|note| sight.shows(Part::Entry(note.visibility)));
    let files = case.files.iter().filter(|file| sight.shows(Part::Entry(file.visibility)));
    let tasks = case.tasks.iter().filter(|(_, task)| sight.shows(Part::Task(task)));
    // A destroyed key, which opens nothing, counts as erased even where the record of it is still on its way.
    let lost = || {
        let texts = sealed(case, sight);
        !texts.is_empty() && !texts.into_iter().any(|text| texts_of.has(text))
    };
    let mut shown_case = pb::Appeal {
        summary: Some(shown(summary(enterprise, appeal, case), case.due(), sight)),
        erased: case.is_erased() || lost(),
        clocks: clocks.map(of_clock).collect(),
        notes: notes.map(|note| of_note(note, texts_of)).collect(),
        files: files.map(|file| of_file(file, &texts_of.of(&file.name))).collect(),
        tasks: tasks.map(|(id, task)| of_task(*id, task, texts_of)).collect(),
        ..pb::Appeal::default()
    };
    if sight.shows(Part::Words) {
        shown_case = with_words(shown_case, case, texts_of);
    }
    if let Some(resolution) = case.resolution.as_ref().filter(|_| sight.shows(Part::Reply)) {
        shown_case.reply = texts_of.of(&resolution.reply);
        shown_case.outcome = of_outcome(resolution.outcome).into();
    }
    if sight.shows(Part::Reasons) {
        shown_case.contest_reason = texts_of.any(case.contest.as_ref());
        shown_case.extension_reason = texts_of.any(case.extension_reason.as_ref());
    }
    shown_case
}

/// With what the enterprise said and was told, and what belongs to the case.
fn with_words(shown_case: pb::Appeal, case: &Case, texts_of: &Texts) -> pb::Appeal {
    let redirected_to = if let Phase::Redirected { channel, .. } = &case.phase {
        of_lawful_channel(*channel)
    } else {
        pb::LawfulChannel::Unspecified
    };
    pb::Appeal {
        description: texts_of.of(&case.submission.description),
        contact: texts_of.any(case.submission.contact.as_ref()),
        rating: case.rating.map(of_rating),
        absorbed: texts(&case.absorbed),
        parts: case.parts.keys().map(ToString::to_string).collect(),
        diagnosis_id: text(case.diagnosis.as_ref().map(|diagnosis| &diagnosis.id)),
        applicant: of_applicant(case.submission.applicant).into(),
        redirected_to: redirected_to.into(),
        guidance: texts_of.any(guidance(case)),
        objection: texts_of.any(case.objection.as_ref()),
        ..shown_case
    }
}

fn of_note(note: &Note, texts_of: &Texts) -> pb::Note {
    pb::Note {
        note_id: note.id.to_string(),
        unit: text(note.unit.as_ref()),
        visibility: of_visibility(note.visibility).into(),
        text: texts_of.of(&note.text),
    }
}

/// A file with the hash and the name that its label opened to.
pub(crate) fn of_file(file: &File, label: &str) -> pb::File {
    let (sha256, name) = label.split_once(' ').unwrap_or_default();
    pb::File {
        file_id: file.id.to_string(),
        unit: text(file.unit.as_ref()),
        visibility: of_visibility(file.visibility).into(),
        name: name.to_owned(),
        media_type: file.media_type.to_string(),
        bytes: file.bytes,
        sha256: sha256.to_owned(),
    }
}

fn of_task(id: ClockId, task: &Task, texts_of: &Texts) -> pb::Task {
    pb::Task {
        task_id: id.0,
        unit: task.unit.to_string(),
        ask: texts_of.of(&task.ask),
        answer: texts_of.any(task.answer.as_ref()),
        diagnosis_id: text(task.ordered_by.as_ref()),
    }
}

fn of_rating(rating: Rating) -> pb::Rating {
    let Rating { responded, resolved, satisfied } = rating;
    pb::Rating { responded, resolved, satisfied }
}

/// The rule that chose a unit, as the contract spells it.
pub(crate) fn of_rule(rule: &RouteRule) -> String {
    match rule {
        RouteRule::Standing(diagnosis) => format!("standing/{diagnosis}"),
        RouteRule::CaseType(case_type) => format!("case-type/{case_type}"),
        RouteRule::Topic(topic) => format!("topic/{topic}"),
        RouteRule::Area(area) => format!("area/{area}"),
        RouteRule::CityDesk => "city-desk".to_owned(),
        RouteRule::Dispatcher => "dispatcher".to_owned(),
        RouteRule::Ruling => "ruling".to_owned(),
        RouteRule::Guarantee => "guarantee".to_owned(),
        RouteRule::Diagnosis => "diagnosis".to_owned(),
        RouteRule::Repair => "repair".to_owned(),
    }
}
