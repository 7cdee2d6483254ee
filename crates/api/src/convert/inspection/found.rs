//! What was found, told and rectified.

use doudi_domain::{
    EnterpriseId, FewSet, ItemId, UnitId,
    visits::{Command, ItemResult, OffSiteCheck, Outcome},
};
use uuid::Uuid;

use super::{ITEMS_MAX, visit_order};
use crate::{
    convert::{Fields, Order, common, derived},
    error::{Failure, Reason},
    proto as pb, text,
};

/// The most lines of one checklist.
const LINES_MAX: usize = 1000;

pub(crate) fn report(
    request: &pb::ReportResultRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let results = fields.each("results", &request.results, (1, ITEMS_MAX), item_result);
    visit_order!(request, fields, visit => {
        visit.zip(results).map(|(visit, results)| Command::ReportResult { visit, unit, results })
    })
}

pub(crate) fn tell(
    request: &pb::TellEnterpriseRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let document = fields.parse("document", &request.document, text::reference);
    visit_order!(request, fields, visit => {
        visit.zip(document).map(|(visit, document)| Command::Tell { visit, unit, document })
    })
}

pub(crate) fn rectified(
    request: &pb::ReportRectificationRequest,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let item = fields.parse("item", &request.item, ItemId::parse);
    let document = fields.parse("document", &request.document, text::reference);
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = fields.visit(&request.visit_id);
    let make = || {
        let (visit, item, document) = (visit?, item?, document?);
        Some(Command::ReportRectification { visit, item, document })
    };
    let command = make();
    fields.order(command_id, enterprise, None, command)
}

pub(crate) fn accept(
    request: &pb::AcceptRectificationRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let item = fields.parse("item", &request.item, ItemId::parse);
    visit_order!(request, fields, visit => {
        visit.zip(item).map(|(visit, item)| Command::AcceptRectification { visit, unit, item })
    })
}

pub(crate) fn off_site(
    request: &pb::RecordOffSiteCheckRequest,
    unit: UnitId,
) -> Result<Order<OffSiteCheck>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    let basis = fields.parse("basis", &request.basis, text::reference);
    let results = fields.each("results", &request.results, (1, ITEMS_MAX), item_result);
    let named = |of: &EnterpriseId, id: Uuid| derived::visit(of, id);
    let check = enterprise.as_ref().zip(command_id).map(|(of, id)| named(of, id));
    let made = || -> Option<OffSiteCheck> {
        Some(OffSiteCheck {
            check: check?,
            unit,
            occurred_at: occurred_at?,
            basis: basis?,
            results: results?,
        })
    };
    let command = made();
    fields.order(command_id, enterprise, request.expected_version, command)
}

fn item_result(fields: &mut Fields, path: &str, result: &pb::ItemResult) -> Option<ItemResult> {
    let item = fields.parse(&format!("{path}.item"), &result.item, ItemId::parse);
    let outcome = fields.choice(&format!("{path}.outcome"), result.outcome, finding)?;
    let day_path = format!("{path}.rectify_by");
    let outcome = match (outcome, &result.rectify_by) {
        (Finding::RectifyBy, day) => fields.date(&day_path, day.as_ref()).map(Outcome::RectifyBy),
        (Finding::Plain(outcome), None) => Some(outcome),
        (Finding::Plain(_), Some(_)) => fields.refuse(&day_path, Reason::FieldNotAllowed),
    };
    let unmet = lines(fields, &format!("{path}.unmet"), &result.unmet);
    let made = || Some(ItemResult { item: item?, outcome: outcome?, unmet: unmet? });
    made()
}

/// Lines of a checklist; none twice.
fn lines(fields: &mut Fields, path: &str, lines: &[u32]) -> Option<FewSet<u16>> {
    let mut found = FewSet::new();
    let all = fields.each(path, lines, (0, LINES_MAX), |fields, path, line| {
        let line = u16::try_from(fields.number(path, *line, 1, u16::MAX.into())?).ok()?;
        if found.insert(line) { Some(()) } else { fields.refuse(path, Reason::ListDuplicate) }
    });
    all.map(|_| found)
}

/// A finding before its day is read, if it has one.
enum Finding {
    RectifyBy,
    Plain(Outcome),
}

fn finding(outcome: pb::ItemOutcome) -> Option<Finding> {
    match outcome {
        pb::ItemOutcome::Unspecified => None,
        pb::ItemOutcome::RectifyBy => Some(Finding::RectifyBy),
        pb::ItemOutcome::Pass => Some(Finding::Plain(Outcome::Pass)),
        pb::ItemOutcome::CorrectedOnTheSpot => Some(Finding::Plain(Outcome::CorrectedOnTheSpot)),
        pb::ItemOutcome::CaseFiled => Some(Finding::Plain(Outcome::CaseFiled)),
        pb::ItemOutcome::TransferredToPolice => Some(Finding::Plain(Outcome::TransferredToPolice)),
    }
}

pub(crate) fn of_result(unit: &UnitId, result: &ItemResult) -> pb::ItemResult {
    let (outcome, rectify_by) = match result.outcome {
        Outcome::Pass => (pb::ItemOutcome::Pass, None),
        Outcome::CorrectedOnTheSpot => (pb::ItemOutcome::CorrectedOnTheSpot, None),
        Outcome::RectifyBy(day) => (pb::ItemOutcome::RectifyBy, Some(common::of_date(day))),
        Outcome::CaseFiled => (pb::ItemOutcome::CaseFiled, None),
        Outcome::TransferredToPolice => (pb::ItemOutcome::TransferredToPolice, None),
    };
    pb::ItemResult {
        item: result.item.to_string(),
        outcome: outcome.into(),
        rectify_by,
        unmet: result.unmet.iter().map(|line| u32::from(*line)).collect(),
        unit: unit.to_string(),
    }
}
