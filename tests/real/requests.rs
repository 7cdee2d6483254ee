//! Requests as a client would write them, for the tests beside this file.

use doudi_api::proto::{
    AcceptAppealRequest, ApproveVisitRequest, Channel, CheckInRequest, Date, DispatchAppealRequest,
    Ground, PlanVisitRequest, RegisterEnterpriseRequest, SignForAppealRequest, SubmitAppealRequest,
};
use doudi_domain::calendar::civil_date;
use doudi_server::{
    client::{Client, command_id},
    clock,
};
use jiff::{Timestamp, ToSpan};
use tonic::Status;
use tonic_types::StatusExt;

/// 旅顺口区.
pub(super) const AREA: &str = "210212";

pub(super) fn now() -> Timestamp {
    clock::system().now()
}

pub(super) fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

pub(super) fn in_days(days: i32) -> Date {
    let date = civil_date(now()).saturating_add(days.days());
    Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

pub(super) fn officers() -> Vec<String> {
    vec!["LNB-0001".to_owned(), "LNB-0002".to_owned()]
}

pub(super) fn register(enterprise: &str) -> RegisterEnterpriseRequest {
    RegisterEnterpriseRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        name: "示例企业".to_owned(),
        area: AREA.to_owned(),
        expected_version: None,
    }
}

pub(super) fn plan(enterprise: &str, ground: Ground) -> PlanVisitRequest {
    let evidence = if ground == Ground::Routine { "" } else { "12345-0001" };
    PlanVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        officers: officers(),
        items: vec!["fire-equipment".to_owned()],
        ground: ground.into(),
        evidence: evidence.to_owned(),
        planned_on: Some(in_days(0)),
        expected_version: None,
    }
}

pub(super) fn approve(enterprise: &str, visit: &str) -> ApproveVisitRequest {
    ApproveVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        expected_version: None,
    }
}

pub(super) fn check_in(enterprise: &str, visit: &str) -> CheckInRequest {
    CheckInRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        officers: officers(),
        occurred_at: Some(stamp(now())),
        offline: false,
        expected_version: None,
    }
}

pub(super) fn submit(enterprise: &str, topic: &str, contact: &str) -> SubmitAppealRequest {
    SubmitAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        channel: Channel::App.into(),
        topic: topic.to_owned(),
        area: AREA.to_owned(),
        description: "报装两周未答复".to_owned(),
        contact: contact.to_owned(),
        ..SubmitAppealRequest::default()
    }
}

pub(super) fn accept(enterprise: &str, appeal: &str) -> AcceptAppealRequest {
    AcceptAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    }
}

pub(super) fn sign_for(enterprise: &str, appeal: &str) -> SignForAppealRequest {
    SignForAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    }
}

/// Submits, accepts and dispatches an appeal; answers with its id and the unit it is with.
pub(super) async fn dispatched(
    enterprise: &mut Client,
    dispatcher: &mut Client,
    request: SubmitAppealRequest,
) -> (String, String) {
    let id = request.enterprise_id.clone();
    let appeal = enterprise.appeals.submit_appeal(request).await.unwrap().into_inner().appeal_id;
    dispatcher.appeals.accept_appeal(accept(&id, &appeal)).await.unwrap();
    let sent = dispatcher
        .appeals
        .dispatch_appeal(DispatchAppealRequest {
            command_id: command_id(),
            enterprise_id: id,
            appeal_id: appeal.clone(),
            to_unit: String::new(),
            expected_version: None,
        })
        .await
        .unwrap()
        .into_inner();
    (appeal, sent.unit)
}

/// The stable reason of a refusal.
pub(super) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
