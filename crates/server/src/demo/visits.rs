//! The visits of the demo: in order, refused by a limit that could be asked beforehand, refused by the
//! catalogue, and raced for.

use doudi_api::proto::{
    ApproveVisitRequest, CheckInRequest, CheckOutRequest, CodePicture, Date, ExplainPlanRequest,
    Ground, ItemOutcome, ItemResult, PlanVerdict, PlanVisitRequest, ReportResultRequest,
    ShowEnterpriseCodeRequest,
};
use doudi_domain::calendar::civil_date;
use jiff::Timestamp;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Cast, DemoError, day::ENTERPRISES, tables};
use crate::{
    catalogue::Plan,
    client::{Client, command_id},
};

/// A unit with one of its items and two of its officers, all as the sample catalogues list them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew {
    pub(crate) unit: &'static str,
    item: &'static str,
    officers: [&'static str; 2],
}

/// As many units as have a place in a year at one enterprise.
pub(crate) const CREWS: [Crew; 4] = [MARKET, TAX, HOUSING, TRANSPORT];

const fn crew(unit: &'static str, item: &'static str, officers: [&'static str; 2]) -> Crew {
    Crew { unit, item, officers }
}

const MARKET: Crew = crew("market-regulation", "SC-0101", ["LNB-0001", "LNB-0002"]);
const TAX: Crew = crew("tax", "SC-0202", ["LNB-0201", "LNB-0202"]);
pub(super) const HOUSING: Crew = crew("housing-construction", "SC-0301", ["LNB-0301", "LNB-0302"]);
const TRANSPORT: Crew = crew("transport", "SC-0401", ["LNB-0401", "LNB-0402"]);
const WATER: Crew = crew("water-affairs", "SC-0501", ["LNB-0501", "LNB-0502"]);

/// An item of the market regulator that can be done off site.
const OFF_SITE: &str = "SC-0103";

impl Crew {
    pub(crate) fn officers(&self) -> Vec<String> {
        self.officers.map(str::to_owned).to_vec()
    }

    pub(crate) fn request(
        &self,
        enterprise: &str,
        ground: Ground,
        evidence: &str,
    ) -> PlanVisitRequest {
        PlanVisitRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            officers: self.officers(),
            items: vec![self.item.to_owned()],
            ground: ground.into(),
            evidence: evidence.to_owned(),
            planned_on: Some(today()),
            ..PlanVisitRequest::default()
        }
    }
}

pub(crate) fn now() -> Timestamp {
    crate::clock::system().now()
}

fn today() -> Date {
    let today = civil_date(now());
    Date { year: today.year().into(), month: today.month().into(), day: today.day().into() }
}

pub(crate) fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

pub(crate) async fn plan(client: &Client, request: PlanVisitRequest) -> Result<String, Status> {
    Ok(client.inspections.clone().plan_visit(request).await?.into_inner().visit_id)
}

/// The code that an enterprise shows, which lives for a minute.
async fn shown(cast: &Cast, enterprise: &str) -> Result<CodePicture, DemoError> {
    let request = ShowEnterpriseCodeRequest { enterprise_id: enterprise.to_owned() };
    let shown = cast.enterprise(enterprise)?.codes.show_enterprise_code(request).await?;
    shown.into_inner().code.ok_or(DemoError::Story("no code was shown"))
}

/// As head of the unit.
pub(crate) async fn approve(client: &Client, enterprise: &str, visit: &str) -> Result<(), Status> {
    let approve = ApproveVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        expected_version: None,
    };
    client.inspections.clone().approve_visit(approve).await?;
    Ok(())
}

/// Approve, scan in with that code, scan out, report.
async fn carry_out(
    client: &Client,
    enterprise: &str,
    visit: &str,
    code: String,
) -> Result<(), Status> {
    approve(client, enterprise, visit).await?;
    let mut inspections = client.inspections.clone();
    let (enterprise_id, visit_id) = (enterprise.to_owned(), visit.to_owned());
    let check_in = CheckInRequest {
        command_id: command_id(),
        enterprise_id: enterprise_id.clone(),
        visit_id: visit_id.clone(),
        officers: MARKET.officers(),
        occurred_at: Some(stamp(now())),
        code,
        place: None,
        expected_version: None,
    };
    inspections.check_in(check_in).await?;
    let check_out = CheckOutRequest {
        command_id: command_id(),
        enterprise_id: enterprise_id.clone(),
        visit_id: visit_id.clone(),
        occurred_at: Some(stamp(now())),
        expected_version: None,
    };
    inspections.check_out(check_out).await?;
    let outcome = ItemOutcome::CorrectedOnTheSpot.into();
    let found = ItemResult { item: MARKET.item.to_owned(), outcome, ..ItemResult::default() };
    let report = ReportResultRequest {
        command_id: command_id(),
        enterprise_id,
        visit_id,
        results: vec![found],
        expected_version: None,
    };
    inspections.report_result(report).await?;
    Ok(())
}

/// One visit in order, one refused by the limit as was foretold, one that passes it because of a
/// complaint. Answers with the first.
pub(super) async fn limited(cast: &Cast) -> Result<String, DemoError> {
    tables::chapter("Visits: planned, scanned in, reported 扫码入企");
    let (enterprise, name) = ENTERPRISES[0];
    let market = &cast.unit(MARKET.unit)?;
    let first = plan(market, MARKET.request(enterprise, Ground::Routine, "")).await?;
    let code = shown(cast, enterprise).await?;
    tables::line(
        "the enterprise shows its code (企业码), which lives for a minute; an officer scans it:",
    );
    tables::picture(&code.text)?;
    carry_out(market, enterprise, &first, code.text).await?;
    tables::line(&format!("市市场监管局 visited {name}: scanned in, scanned out, reported"));

    let again = MARKET.request(enterprise, Ground::Routine, "");
    let foretold = explained(&cast.plan, market, &again).await?;
    match plan(market, again).await {
        Ok(_) => return Err(DemoError::Story("the second routine visit was not refused")),
        Err(status) if status.message() == foretold => {
            tables::line("planned all the same, it is refused in the same words");
        }
        Err(status) => return Err(status.into()),
    }
    let complaint = MARKET.request(enterprise, Ground::Complaint, "12345-2025-0421");
    let complaint = plan(market, complaint).await?;
    let code = shown(cast, enterprise).await?.text;
    carry_out(market, enterprise, &complaint, code).await?;
    tables::line("a complaint (投诉举报) brings the same unit back: recorded, not counted");
    Ok(first)
}

/// Asks what would become of a plan that the limit stands against, shows all that is said, and answers
/// with the refusal in English.
async fn explained(
    published: &Plan,
    client: &Client,
    plan: &PlanVisitRequest,
) -> Result<String, DemoError> {
    let question = ExplainPlanRequest {
        enterprise_id: plan.enterprise_id.clone(),
        officers: plan.officers.clone(),
        items: plan.items.clone(),
        ground: plan.ground,
        planned_on: plan.planned_on,
        ..ExplainPlanRequest::default()
    };
    let told = client.inspections.clone().explain_plan(question).await?.into_inner();
    if told.verdict() != PlanVerdict::Refused || told.reason != "CAP_REACHED" {
        return Err(DemoError::Story("the refusal was not foretold"));
    }
    if !told.quotas.iter().any(|quota| quota.would_exceed && quota.frees_on.is_some()) {
        return Err(DemoError::Story("nobody is told when the next place frees"));
    }
    tables::line("asked beforehand (查前说明), the same visit again gets the answer");
    tables::line(&format!("  {}, {}: {}", told.verdict().as_str_name(), told.reason, told.text_en));
    tables::line(&format!("  zh-CN: {}", told.text_zh));
    tables::line("  and all rules that were looked at:");
    tables::quotas(published, &told.quotas);
    Ok(told.text_en)
}

/// An item that can be done off site (非现场优先) brings nobody to the door without a reason.
pub(super) async fn catalogued(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("Only what the catalogue lists, off site where that will do 清单之外无检查");
    let (enterprise, name) = ENTERPRISES[3];
    let market = &cast.unit(MARKET.unit)?;
    let off_site = Crew { item: OFF_SITE, ..MARKET };
    let request = off_site.request(enterprise, Ground::Routine, "");
    match plan(market, request.clone()).await {
        Ok(_) => return Err(DemoError::Story("nobody asked why on site")),
        Err(status) => refused(&status, "OFF_SITE_POSSIBLE")?,
    }
    let on_site_reason = "年报数据与现场情况不符,须实地核对".to_owned();
    plan(market, PlanVisitRequest { command_id: command_id(), on_site_reason, ..request }).await?;
    tables::line(&format!("with its reason on record the visit to {name} is planned"));
    Ok(())
}

/// Two units want the last place of all units together at the same moment.
pub(super) async fn race(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("Two units race for the last place 争抢最后一个名额");
    let (enterprise, name) = ENTERPRISES[1];
    for crew in [MARKET, TAX, HOUSING] {
        let request = crew.request(enterprise, Ground::Routine, "");
        plan(&cast.unit(crew.unit)?, request).await?;
    }
    tables::line(&format!("three of four places at {name} are taken"));
    let (transport, water) = (cast.unit(TRANSPORT.unit)?, cast.unit(WATER.unit)?);
    let (first, second) = tokio::join!(
        plan(&transport, TRANSPORT.request(enterprise, Ground::Routine, "")),
        plan(&water, WATER.request(enterprise, Ground::Routine, "")),
    );
    let (winner, loser) = match (first, second) {
        (Ok(_), Err(status)) => ("市交通运输局", status),
        (Err(status), Ok(_)) => ("市水务局", status),
        (Ok(_), Ok(_)) => return Err(DemoError::Story("both units took the last place")),
        (Err(status), Err(_)) => return Err(status.into()),
    };
    tables::line(&format!("{winner} won; the other was refused:"));
    refused(&loser, "CAP_REACHED")
}

/// Shows a refusal in both languages, and insists on its reason.
fn refused(status: &Status, reason: &str) -> Result<(), DemoError> {
    let details = status.get_error_details();
    let found = details.error_info().map_or("", |info| info.reason.as_str());
    if status.code() == Code::Ok || found != reason {
        return Err(status.clone().into());
    }
    tables::line(&format!("refused with {reason}: {}", status.message()));
    if let Some(text) = details.localized_message() {
        tables::line(&format!("  {}: {}", text.locale, text.message));
    }
    Ok(())
}
