//! Candidate documents as they come in, and what they would have changed as it goes out.

use std::cmp::Reverse;

use doudi_domain::{
    AreaCode, UnitId,
    policy::Document,
    what_if::{Change, Days, Instance, Key, Report, Sees, WhatIf},
};
use doudi_engine::what_if::Progress;

use super::{Fields, clock, inspection::words::of_ground, policy as documents};
use crate::{
    error::{Explain, Failure},
    proto::{
        self as pb, try_policy_response::Step, what_if_count::Key as Given,
        what_if_example::Instance as In,
    },
};

/// The most counts that a report holds.
const COUNTS_MAX: usize = 5000;

fn of_change(change: Change) -> pb::WhatIfChange {
    match change {
        Change::Refused => pb::WhatIfChange::Refused,
        Change::Unjustified => pb::WhatIfChange::Unjustified,
        Change::Unevidenced => pb::WhatIfChange::Unevidenced,
        Change::Stricter => pb::WhatIfChange::Stricter,
        Change::Milder => pb::WhatIfChange::Milder,
        Change::Overshot => pb::WhatIfChange::Overshot,
        Change::Within => pb::WhatIfChange::Within,
        Change::Rerouted => pb::WhatIfChange::Rerouted,
        Change::Ownerless => pb::WhatIfChange::Ownerless,
        Change::Owned => pb::WhatIfChange::Owned,
        Change::Missed => pb::WhatIfChange::Missed,
        Change::Kept => pb::WhatIfChange::Kept,
        Change::Earlier => pb::WhatIfChange::Earlier,
        Change::Later => pb::WhatIfChange::Later,
    }
}

/// The candidate and the days asked for.
pub(crate) fn asked(request: &pb::TryPolicyRequest) -> Result<(Document, Days), Failure> {
    let mut fields = Fields::default();
    let document = documents::document(&mut fields, request.document.as_ref());
    let from = fields.optional_date("from", request.from.as_ref());
    let until = fields.optional_date("until", request.until.as_ref());
    fields.in_order("until", from.flatten(), until.flatten());
    let asked = || Some((document?, Days { from: from?, until: until? }));
    fields.finish(asked())
}

/// The candidate about to be tried out.
pub(crate) fn candidate(document: Document, days: Days, sees: Sees) -> Result<WhatIf, Failure> {
    Ok(WhatIf::new(document, days, sees).map_err(|untried| untried.explain())?)
}

/// A candidate as a client sends it, on every decision of those days, for whoever replays the log without
/// going through the API.
///
/// # Errors
/// `INVALID_ARGUMENT` with everything that is wrong with the document.
pub fn what_if(given: &pb::PolicyDocument, days: Days) -> Result<WhatIf, tonic::Status> {
    let document = documents::policy_document(given)?;
    Ok(candidate(document, days, Box::new(|_| true))?)
}

pub(crate) fn of_progress(progress: Progress) -> pb::TryPolicyResponse {
    let progress =
        pb::WhatIfProgress { records: progress.reached.0, records_total: progress.end.0 };
    pb::TryPolicyResponse { step: Some(Step::Progress(progress)) }
}

pub(crate) fn of_end(report: &Report) -> pb::TryPolicyResponse {
    pb::TryPolicyResponse { step: Some(Step::Report(of_report(report))) }
}

/// What a candidate changes, as the contract has it.
#[must_use]
pub fn of_report(report: &Report) -> pb::WhatIfReport {
    let mut counts: Vec<_> = report.counts.iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(**count));
    let left_out = counts.len().saturating_sub(COUNTS_MAX);
    counts.truncate(COUNTS_MAX);
    counts.sort_by_key(|((change, _), _)| *change);
    let examples = report.examples.iter().flat_map(|(change, found)| {
        found.iter().map(|(enterprise, instance)| pb::WhatIfExample {
            change: of_change(*change).into(),
            enterprise_id: enterprise.to_string(),
            instance: Some(match instance {
                Instance::Visit(visit) => In::VisitId(visit.to_string()),
                Instance::Appeal(appeal) => In::AppealId(appeal.to_string()),
            }),
        })
    });
    let totals = report.changes.iter();
    pb::WhatIfReport {
        compared: report.compared,
        skipped: report.skipped,
        totals: totals
            .map(|(change, count)| pb::WhatIfTotal {
                change: of_change(*change).into(),
                count: *count,
            })
            .collect(),
        counts: counts
            .into_iter()
            .map(|((change, key), count)| pb::WhatIfCount {
                change: of_change(*change).into(),
                key: Some(of_key(key)),
                count: *count,
            })
            .collect(),
        counts_left_out: left_out.try_into().unwrap_or(u64::MAX),
        examples: examples.collect(),
        idle_rules: report.idle.iter().map(ToString::to_string).collect(),
        unreadable: report.unreadable,
    }
}

fn of_key(key: &Key) -> Given {
    match key {
        Key::Rule(rule) => Given::Rule(rule.to_string()),
        Key::Unit(unit) => Given::Unit(unit.as_ref().map(UnitId::to_string).unwrap_or_default()),
        Key::Area(area) => Given::Area(area.as_ref().map(AreaCode::to_string).unwrap_or_default()),
        Key::Ground(ground) => Given::Ground(of_ground(*ground).into()),
        Key::Topic(topic) => Given::Topic(topic.to_string()),
        Key::Move { from, to } => {
            Given::Move(pb::WhatIfMove { from_unit: from.to_string(), to_unit: to.to_string() })
        }
        Key::Owed(kind) => Given::Owed(clock::of_kind(*kind).into()),
        Key::Class(case_type, class) => Given::Class(pb::WhatIfClass {
            case_type: case_type.to_string(),
            class: class.to_string(),
        }),
    }
}
