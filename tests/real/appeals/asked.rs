//! What a unit reads of an appeal that it does not see, because it was asked for a part of it: by the
//! lead, or together with others.

use doudi_api::proto::{
    AddNoteRequest, AnswerCoHandlingRequest, ConveneDiagnosisRequest, ExplainDeadlineRequest,
    GetAllowedActionsRequest, GetDiagnosisRequest, GetTimeLedgerRequest, InboxEntry,
    ListAppealsRequest, ListInboxRequest, ListTimelineRequest, Visibility,
};
use doudi_tests::until;

use super::*;

const ENTERPRISE: &str = "L-1";
/// Its lead is `port-office`; `customs` shares the work.
const TOPIC: &str = "T13";
const LEAD: &str = "port-office";

/// A query about one case.
macro_rules! about {
    ($request:ident, $case:expr $(, $field:ident: $value:expr)*) => {
        $request {
            enterprise_id: $case.enterprise.clone(),
            appeal_id: $case.appeal.clone(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

/// What the unit owes on that case, by its inbox.
async fn owed(client: &Client, case: &Case) -> Vec<InboxEntry> {
    let request = ListInboxRequest { page_size: 200, ..Default::default() };
    let page = client.cases.clone().list_inbox(request).await.unwrap().into_inner();
    page.entries.into_iter().filter(|entry| entry.appeal_id == case.appeal).collect()
}

/// Which appeal it is, and nothing else.
fn named(all: AppealSummary) -> AppealSummary {
    AppealSummary {
        appeal_id: all.appeal_id,
        enterprise_id: all.enterprise_id,
        number: all.number,
        state: all.state,
        topic: all.topic,
        area: all.area,
        ..AppealSummary::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_for_a_part_reads_it_at_every_level_and_nothing_beside_it() {
    let world = World::start().await;
    for level in [Confidentiality::Confidential, Confidentiality::Strict] {
        let case = Case::dispatched(&world, confidential(ENTERPRISE, TOPIC, level)).await;
        case.sign(&world, LEAD).await;
        let task_id = case.ask(&world, LEAD, "tax").await;
        case.ask(&world, LEAD, "justice").await;
        let mut tax = world.unit("tax");
        let all = case.read(&world).await;
        let expected = Appeal {
            summary: Some(named(all.summary.unwrap())),
            tasks: all.tasks.into_iter().filter(|task| task.unit == "tax").collect(),
            clocks: all.clocks.into_iter().filter(|clock| clock.owner == "tax").collect(),
            ..Appeal::default()
        };
        assert_eq!((expected.tasks.len(), expected.clocks.len()), (1, 1));
        let read = || about!(GetAppealRequest, case);
        let seen = tax.appeals.get_appeal(read()).await.unwrap().into_inner();
        assert_eq!(seen.appeal.as_ref(), Some(&expected), "{level:?}");
        let entries = until(BOUND, || async {
            let entries = owed(&tax, &case).await;
            (!entries.is_empty()).then_some(entries)
        });
        let entries = entries.await.expect("what it owes is in its inbox");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].clock, expected.clocks.first().cloned());
        assert_eq!(entries[0].appeal, expected.summary);

        let explain = |clock_id| about!(ExplainDeadlineRequest, case, clock_id: clock_id);
        tax.cases.explain_deadline(explain(task_id)).await.unwrap();
        for other in [0, 1, task_id + 1] {
            let refusal = refused(tax.cases.explain_deadline(explain(other)).await);
            assert_eq!(refusal, "CLOCK_UNKNOWN", "{other}");
        }
        let ledger = about!(GetTimeLedgerRequest, case);
        assert_eq!(refused(tax.cases.get_time_ledger(ledger).await), "OUTSIDE_SCOPE");
        let note = request!(
            AddNoteRequest, case,
            visibility: Visibility::Internal.into(), text: "说明".to_owned()
        );
        assert_eq!(refused(tax.handling.add_note(note).await), "OUTSIDE_SCOPE");
        let listed = tax.appeals.list_appeals(ListAppealsRequest::default()).await.unwrap();
        assert_eq!(listed.into_inner().appeals, []);

        let may = about!(GetAllowedActionsRequest, case);
        let may = tax.cases.get_allowed_actions(may).await.unwrap().into_inner();
        let may: Vec<(&str, bool)> =
            may.actions.iter().map(|action| (action.rpc.as_str(), action.allowed)).collect();
        assert_eq!(may, [("doudi.v1.HandlingService/AnswerCoHandling", true)]);
        let answer = request!(
            AnswerCoHandlingRequest, case, task_id: task_id, answer: "已核对".to_owned()
        );
        tax.handling.answer_co_handling(answer).await.unwrap();
        let seen = tax.appeals.get_appeal(read()).await.unwrap().into_inner().appeal.unwrap();
        assert_eq!(seen.tasks[0].answer, "已核对");

        // Who only shares the work by the rules has nothing to do with it at these levels.
        let mut co_unit = world.unit("customs");
        assert_eq!(refused(co_unit.appeals.get_appeal(read()).await), "APPEAL_UNKNOWN");
        let answer = request!(
            AnswerCoHandlingRequest, case, task_id: task_id, answer: "已核对".to_owned()
        );
        let refusal = refused(co_unit.handling.answer_co_handling(answer).await);
        assert_eq!(refusal, "APPEAL_UNKNOWN");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_called_together_about_a_strict_case_reads_which_one_it_is() {
    let world = World::start().await;
    let nowhere = SubmitAppealRequest {
        area: "999999".to_owned(),
        ..confidential(ENTERPRISE, "X01", Confidentiality::Strict)
    };
    let case = Case::dispatched(&world, nowhere).await;
    let request = request!(
        ConveneDiagnosisRequest, case,
        units: vec!["tax".to_owned()], quorum: 1, question: "由哪个单位牵头？".to_owned()
    );
    let mut guarantee = world.unit(GUARANTEE);
    let convened = guarantee.diagnoses.convene_diagnosis(request).await.unwrap().into_inner();
    let tax = world.unit("tax");
    let seen = tax.appeals.clone().get_appeal(about!(GetAppealRequest, case)).await.unwrap();
    let expected = named(case.summary(&world).await);
    let expected = Appeal { summary: Some(expected), ..Appeal::default() };
    assert_eq!(seen.into_inner().appeal, Some(expected.clone()));
    let entries = until(BOUND, || async {
        let entries = owed(&tax, &case).await;
        (!entries.is_empty()).then_some(entries)
    });
    let entries = entries.await.expect("its opinion is in its inbox at every level");
    assert_eq!(
        (&entries[0].diagnosis_id, &entries[0].appeal),
        (&convened.diagnosis_id, &expected.summary)
    );
    let read = GetDiagnosisRequest {
        enterprise_id: case.enterprise.clone(),
        diagnosis_id: convened.diagnosis_id,
        ..Default::default()
    };
    tax.diagnoses.clone().get_diagnosis(read).await.expect("what is asked is read there");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_for_a_part_of_an_internal_appeal_finds_it_in_lists_and_timelines() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission(ENTERPRISE, TOPIC)).await;
    let min_position = case.sign(&world, LEAD).await;
    let tax = world.unit("tax");
    let found = async |min_position: String| {
        let list = ListAppealsRequest { min_position, ..Default::default() };
        let listed = tax.appeals.clone().list_appeals(list).await.unwrap().into_inner();
        let timeline = ListTimelineRequest {
            enterprise_id: ENTERPRISE.to_owned(),
            min_position: listed.position,
            ..Default::default()
        };
        let timeline = tax.timelines.clone().list_timeline(timeline).await.unwrap().into_inner();
        (listed.appeals.len(), timeline.entries.len())
    };
    assert_eq!(found(min_position).await, (0, 0));
    case.ask(&world, LEAD, "tax").await;
    let seen = until(BOUND, async || {
        let seen = found(String::new()).await;
        (seen.0 > 0).then_some(seen)
    });
    assert_eq!(seen.await, Some((1, 5)), "all that happened to it");
    let read = about!(GetAppealRequest, case);
    let read = tax.appeals.clone().get_appeal(read).await.unwrap().into_inner();
    assert_eq!(read.appeal.unwrap().summary.unwrap().unit, LEAD, "as the appeal itself shows it");
    world.stop().await;
}
