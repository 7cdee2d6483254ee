//! The appeal of the demo that nobody wants: it bounces, the guarantee unit takes it, a joint
//! diagnosis settles it, and both sides close it, with its deadlines explained.

use std::time::Duration;

use doudi_api::proto::{
    AcceptAppealRequest, AnswerCoHandlingRequest, Channel, CloseAppealRequest,
    ConcludeDiagnosisRequest, ConfirmResolutionRequest, ContestDispatchRequest,
    ConveneDiagnosisRequest, DiagnosisOrder, DispatchAppealRequest, ExplainDeadlineRequest,
    GetAppealRequest, GetDiagnosisRequest, GetTimeLedgerRequest, GiveOpinionRequest,
    GuaranteeTrigger, RateAppealRequest, Rating, ResolutionOutcome, ResolveAppealRequest, Stance,
    StandingRuleProposal, SubmitAppealRequest,
};
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::{Cast, DemoError, day::ENTERPRISES, tables};
use crate::{catalogue::CITY_DESK, client::command_id};

/// Who says one after the other that it is not theirs.
const CHAIN: [&str; 3] = ["housing-construction", "transport", "water-affairs"];
/// How long the processes may take to carry word from one stream to another.
const WORD_MAX: Duration = Duration::from_secs(20);

/// The case, to go on with it.
struct Case<'a> {
    cast: &'a Cast,
    enterprise_id: String,
    appeal_id: String,
}

/// Tells the story of one case.
pub(super) async fn story(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("An appeal that nobody wants is guaranteed 兜底、联合问诊");
    let case = submit(cast).await?;
    bounce(&case).await?;
    let diagnosis = diagnose(&case).await?;
    carry_out(&case, &diagnosis).await?;
    close(&case).await
}

async fn submit(cast: &Cast) -> Result<Case<'_>, DemoError> {
    let (enterprise, name) = ENTERPRISES[3];
    let submitted = cast
        .enterprise(enterprise)?
        .appeals
        .submit_appeal(SubmitAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            channel: Channel::Hotline12345.into(),
            topic: "T06".to_owned(),
            area: "210212".to_owned(),
            description: "门前道路下管线归属不清,停水停业三周,四家单位互相推诿。".to_owned(),
            ..SubmitAppealRequest::default()
        })
        .await?
        .into_inner();
    tables::line(&format!("{name} appeals: case {}", submitted.number));
    let case =
        Case { cast, enterprise_id: submitted.enterprise_id, appeal_id: submitted.appeal_id };
    let (enterprise_id, appeal_id) = case.ids();
    let accept = AcceptAppealRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        expected_version: None,
    };
    cast.dispatcher.appeals.clone().accept_appeal(accept).await?;
    Ok(case)
}

impl Case<'_> {
    fn ids(&self) -> (String, String) {
        (self.enterprise_id.clone(), self.appeal_id.clone())
    }

    async fn dispatch(&self, unit: &str) -> Result<(), Status> {
        let (enterprise_id, appeal_id) = self.ids();
        let request = DispatchAppealRequest {
            command_id: command_id(),
            enterprise_id,
            appeal_id,
            to_unit: unit.to_owned(),
            expected_version: None,
        };
        self.cast.dispatcher.appeals.clone().dispatch_appeal(request).await.map(drop)
    }

    async fn read(&self) -> Result<doudi_api::proto::Appeal, DemoError> {
        let (enterprise_id, appeal_id) = self.ids();
        let request = GetAppealRequest { enterprise_id, appeal_id, ..<_>::default() };
        let read = self.cast.dispatcher.appeals.clone().get_appeal(request).await?.into_inner();
        read.appeal.ok_or(DemoError::Story("an appeal cannot be read"))
    }

    /// Prints how a deadline came about, in both languages.
    async fn explain(&self, clock_id: u32) -> Result<(), DemoError> {
        let (enterprise_id, appeal_id) = self.ids();
        let request =
            ExplainDeadlineRequest { enterprise_id, appeal_id, clock_id, ..<_>::default() };
        let explained = self.cast.supervisor.cases.clone().explain_deadline(request).await?;
        let explained = explained.into_inner();
        tables::line(&format!("  {}", explained.text_en));
        tables::line(&format!("  {}", explained.text_zh));
        Ok(())
    }
}

/// Three units object; the third objection is one more than the budget allows.
async fn bounce(case: &Case<'_>) -> Result<(), DemoError> {
    for unit in CHAIN {
        case.dispatch(unit).await?;
        let (enterprise_id, appeal_id) = case.ids();
        let contest = ContestDispatchRequest {
            command_id: command_id(),
            enterprise_id,
            appeal_id,
            reason: "不属于本单位职责。".to_owned(),
            proposed_unit: String::new(),
            expected_version: None,
        };
        case.cast.unit(unit)?.appeals.contest_dispatch(contest).await?;
        tables::line(&format!("{} objects 退单", case.cast.plan.unit_name(unit)));
    }
    let summary = case.read().await?.summary.unwrap_or_default();
    if summary.guarantee() != GuaranteeTrigger::BouncesSpent || summary.unit != CITY_DESK {
        return Err(DemoError::Story("the bounce budget did not bring the guarantee in"));
    }
    tables::line(
        "the bounce budget is spent: the guarantee unit owns it and cannot return it 兜底",
    );
    case.explain(0).await
}

/// The guarantee unit calls three units together; two opinions make the quorum, one dissents.
async fn diagnose(case: &Case<'_>) -> Result<String, DemoError> {
    let mut guarantor = case.cast.unit(CITY_DESK)?.diagnoses;
    let (enterprise_id, appeal_id) = case.ids();
    let convene = ConveneDiagnosisRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        units: CHAIN.map(str::to_owned).to_vec(),
        quorum: 2,
        question: "管线由谁维修?".to_owned(),
        expected_version: None,
    };
    let diagnosis_id = guarantor.convene_diagnosis(convene).await?.into_inner().diagnosis_id;
    let get = GetDiagnosisRequest {
        enterprise_id: case.enterprise_id.clone(),
        diagnosis_id: diagnosis_id.clone(),
        ..<_>::default()
    };
    let patience = Instant::now() + WORD_MAX;
    while let Err(status) = guarantor.get_diagnosis(get.clone()).await {
        if Instant::now() > patience {
            return Err(status.into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    tables::line("three units are called together 联合问诊");
    for (unit, stance, text) in [
        (CHAIN[1], Stance::Dissent, "道路红线外,非我方。"),
        (CHAIN[2], Stance::Support, "支管由我方维修。"),
    ] {
        let opinion = GiveOpinionRequest {
            command_id: command_id(),
            enterprise_id: case.enterprise_id.clone(),
            diagnosis_id: diagnosis_id.clone(),
            stance: stance.into(),
            text: text.to_owned(),
            expected_version: None,
        };
        case.cast.unit(unit)?.diagnoses.give_opinion(opinion).await?;
        tables::line(&format!("  {}: {text}", case.cast.plan.unit_name(unit)));
    }
    let conclude = ConcludeDiagnosisRequest {
        command_id: command_id(),
        enterprise_id: case.enterprise_id.clone(),
        diagnosis_id: diagnosis_id.clone(),
        conclusion: "由市水务局维修,今后同类诉求由其牵头。".to_owned(),
        orders: vec![DiagnosisOrder {
            unit: CHAIN[2].to_owned(),
            task: "三个工作日内恢复供水。".to_owned(),
            working_days: 3,
        }],
        standing_rule: Some(StandingRuleProposal { unit: CHAIN[2].to_owned(), only_in_area: true }),
        expected_version: None,
    };
    guarantor.conclude_diagnosis(conclude).await?;
    tables::line("the conclusion binds, with one dissent on record, and makes a routing rule");
    Ok(diagnosis_id)
}

/// The order of the conclusion becomes a task of its unit, which does it.
async fn carry_out(case: &Case<'_>, diagnosis: &str) -> Result<(), DemoError> {
    let patience = Instant::now() + WORD_MAX;
    let task = loop {
        let tasks = case.read().await?.tasks;
        if let Some(task) = tasks.into_iter().find(|task| task.diagnosis_id == diagnosis) {
            break task;
        }
        if Instant::now() > patience {
            return Err(DemoError::Story("the conclusion did not reach the appeal"));
        }
        sleep(Duration::from_millis(20)).await;
    };
    case.explain(task.task_id).await?;
    let (enterprise_id, appeal_id) = case.ids();
    let answer = AnswerCoHandlingRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        task_id: task.task_id,
        answer: "已恢复供水。".to_owned(),
        expected_version: None,
    };
    case.cast.unit(&task.unit)?.handling.answer_co_handling(answer).await?;
    let name = case.cast.plan.unit_name(&task.unit);
    tables::line(&format!("{name} did what it was ordered 已办理"));
    Ok(())
}

/// The guarantee unit resolves, the enterprise agrees and rates, the desk closes.
async fn close(case: &Case<'_>) -> Result<(), DemoError> {
    let (enterprise_id, appeal_id) = case.ids();
    let resolve = ResolveAppealRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        outcome: ResolutionOutcome::Solved.into(),
        reply: "供水已恢复,管线责任已明确。".to_owned(),
        expected_version: None,
    };
    case.cast.unit(CITY_DESK)?.appeals.resolve_appeal(resolve).await?;
    let mut enterprise = case.cast.enterprise(&case.enterprise_id)?.appeals;
    let (enterprise_id, appeal_id) = case.ids();
    let confirm = ConfirmResolutionRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        expected_version: None,
    };
    enterprise.confirm_resolution(confirm).await?;
    let (enterprise_id, appeal_id) = case.ids();
    let close = CloseAppealRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        expected_version: None,
    };
    case.cast.dispatcher.appeals.clone().close_appeal(close).await?;
    let (enterprise_id, appeal_id) = case.ids();
    let rate = RateAppealRequest {
        command_id: command_id(),
        enterprise_id,
        appeal_id,
        rating: Some(Rating { responded: true, resolved: true, satisfied: true }),
        expected_version: None,
    };
    enterprise.rate_appeal(rate).await?;
    tables::line("resolved, confirmed by the enterprise, closed, rated 办结、确认、归档、评价");
    let (enterprise_id, appeal_id) = case.ids();
    let ledger = GetTimeLedgerRequest { enterprise_id, appeal_id, ..<_>::default() };
    let ledger = case.cast.supervisor.cases.clone().get_time_ledger(ledger).await?.into_inner();
    let sum: u64 = ledger.entries.iter().map(|entry| entry.working_seconds).sum();
    if sum != ledger.age_working_seconds {
        return Err(DemoError::Story("the time ledger does not add up to the age of the case"));
    }
    let entries = ledger.entries.len();
    tables::line(&format!("its time ledger has {entries} entries that add up to its age 时间账"));
    Ok(())
}
