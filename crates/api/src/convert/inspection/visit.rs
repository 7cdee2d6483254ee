//! A visit as it goes out.

use doudi_domain::{
    CampaignId, CertificateNumber, EnterpriseId, ItemId, Reference, VisitId,
    visits::{CheckIn, Irregularity, Manner, Phase, Place, Visit},
};
use doudi_engine::Folded;
use serde::Serialize;

use super::{
    super::{clock, common, token},
    found::of_result,
    words,
};
use crate::proto as pb;

pub(crate) fn answer<D>(
    id: &EnterpriseId,
    visit: &Visit,
    folded: &Folded<D>,
) -> pb::GetVisitResponse {
    pb::GetVisitResponse {
        visit: Some(of_visit(id, visit)),
        version: folded.version.0,
        position: token::of_position(folded.position),
    }
}

pub(crate) fn of_visit(id: &EnterpriseId, visit: &Visit) -> pb::Visit {
    let Visit { plan, phase, .. } = visit;
    let merged_into =
        if let Phase::Merged { into } = phase { into.to_string() } else { String::new() };
    let results = visit.results.iter();
    let results =
        results.flat_map(|(unit, found)| found.iter().map(|result| of_result(unit, result)));
    pb::Visit {
        visit_id: plan.visit.to_string(),
        enterprise_id: id.to_string(),
        unit: plan.unit.to_string(),
        officers: visit.officers().iter().map(CertificateNumber::to_string).collect(),
        items: visit.items().iter().map(ItemId::to_string).collect(),
        ground: words::of_ground(plan.ground).into(),
        evidence: plan.evidence.as_ref().map(Reference::to_string).unwrap_or_default(),
        planned_on: Some(common::of_date(plan.on)),
        state: of_phase(phase).into(),
        checked_in_at: visit.checked_in_at().map(common::of_timestamp),
        results: results.collect(),
        justification: plan.justification.as_ref().map(Reference::to_string).unwrap_or_default(),
        on_site_reason: plan.on_site_reason.as_ref().map(Reference::to_string).unwrap_or_default(),
        shares: shares(visit),
        campaign_id: plan.campaign.as_ref().map(CampaignId::to_string).unwrap_or_default(),
        recheck_of: plan.recheck_of.as_ref().map(VisitId::to_string).unwrap_or_default(),
        notified: visit.notified,
        scan: visit.arrival.as_ref().map(|(scan, found)| of_scan(scan, found)),
        checked_out_at: visit.left_at.map(common::of_timestamp),
        rectifications: rectifications(visit),
        told: visit.told,
        clocks: visit.clocks.iter().map(clock::of_clock).collect(),
        merged_into,
    }
}

fn shares(visit: &Visit) -> Vec<pb::Share> {
    let shares = visit.shares.iter().map(|(unit, share)| pb::Share {
        unit: unit.to_string(),
        officers: share.officers.iter().map(CertificateNumber::to_string).collect(),
        items: share.items.iter().map(ItemId::to_string).collect(),
        approved: visit.approvals.contains(unit),
    });
    shares.collect()
}

fn rectifications(visit: &Visit) -> Vec<pb::Rectification> {
    let open = visit.rectifications.iter().map(|((unit, item), open)| pb::Rectification {
        unit: unit.to_string(),
        item: item.to_string(),
        by: Some(common::of_date(open.by)),
        reported: open.reported.as_ref().map(Reference::to_string).unwrap_or_default(),
        overdue: open.overdue,
    });
    open.collect()
}

fn of_scan<'a>(scan: &CheckIn, found: impl IntoIterator<Item = &'a Irregularity>) -> pb::Scan {
    let (manner, device_id, reason) = match &scan.manner {
        Manner::Live => (pb::ScanManner::Live, String::new(), String::new()),
        Manner::Kept { device, .. } => (pb::ScanManner::Kept, device.to_string(), String::new()),
        Manner::Backfilled { reason } => {
            (pb::ScanManner::Backfilled, String::new(), reason.to_string())
        }
        Manner::Stated => (pb::ScanManner::Stated, String::new(), String::new()),
    };
    pb::Scan {
        occurred_at: Some(common::of_timestamp(scan.occurred_at)),
        manner: manner.into(),
        assurance: words::of_assurance(scan.proof.assurance()).into(),
        place: scan.place.map(of_place),
        device_id,
        reason,
        irregularities: found.into_iter().map(stored_word).collect(),
    }
}

/// Something by the word that it is stored under.
pub(crate) fn stored_word(found: &impl Serialize) -> String {
    let text = serde_json::to_value(found).ok();
    text.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn of_place(place: Place) -> pb::Place {
    let Place { latitude_e6, longitude_e6, accuracy_m } = place;
    pb::Place { latitude_e6, longitude_e6, accuracy_m }
}

fn of_phase(phase: &Phase) -> pb::VisitState {
    match phase {
        Phase::Planned => pb::VisitState::Planned,
        Phase::Approved => pb::VisitState::Approved,
        Phase::CheckedIn { .. } => pb::VisitState::CheckedIn,
        Phase::CheckedOut { .. } => pb::VisitState::CheckedOut,
        Phase::Reported { .. } => pb::VisitState::Reported,
        Phase::Cancelled => pb::VisitState::Cancelled,
        Phase::Expired => pb::VisitState::Expired,
        Phase::Closed { .. } => pb::VisitState::Closed,
        Phase::Refused => pb::VisitState::Refused,
        Phase::Merged { .. } => pb::VisitState::Merged,
    }
}
