//! What the server says may be done is what it lets be done: every action that is refused for a
//! reason is tried and refused for that reason, in every state and for every party.

use std::fmt::Write as _;

use doudi_api::proto::{
    AddNoteRequest, AllowedAction, AnswerCoHandlingRequest, AnswerExtensionRequest,
    AskExtensionRequest, ConveneDiagnosisRequest, EndMediationRequest, GetAllowedActionsRequest,
    LawfulChannel, MergeAppealRequest, OpenMediationRequest, PauseGround, PauseHandlingRequest,
    RateAppealRequest, Rating, ReclassifyAppealRequest, RecordCallbackRequest,
    RecordContactRequest, RedirectAppealRequest, ReopenAppealRequest, ResumeHandlingRequest,
    RuleOnContestRequest, Visibility,
};

use super::*;

const UNIT: &str = "power-supply";

/// What each party may do in each state that a case of the general type goes through.
const TABLE: &str = include_str!("allowed.txt");

async fn actions(client: &mut Client, case: &Case) -> Vec<AllowedAction> {
    let request = GetAllowedActionsRequest {
        enterprise_id: case.enterprise.clone(),
        appeal_id: case.appeal.clone(),
        min_position: String::new(),
    };
    client.cases.get_allowed_actions(request).await.unwrap().into_inner().actions
}

fn method(action: &AllowedAction) -> &str {
    action.rpc.rsplit('/').next().unwrap_or_default()
}

/// Tries an rpc with contents that are as good as any; none for one that needs a second appeal or a
/// stream of chunks.
async fn attempt(client: &mut Client, case: &Case, rpc: &str) -> Option<Result<(), Status>> {
    let text = || "说明".to_owned();
    let (other, ground) = ("tax".to_owned(), PauseGround::MaterialAsked.into());
    let channel = LawfulChannel::Review.into();
    let outcome = ResolutionOutcome::Solved.into();
    let rating = Some(Rating { responded: true, resolved: true, satisfied: true });
    macro_rules! ask {
        ($service:ident . $method:ident ( $request:ident $(, $field:ident: $value:expr)*)) => {
            client
                .$service
                .$method(request!($request, case $(, $field: $value)*))
                .await
                .map(|_| ())
        };
    }
    Some(match rpc {
        "AcceptAppeal" => ask!(appeals.accept_appeal(AcceptAppealRequest)),
        "RedirectAppeal" => ask!(appeals.redirect_appeal(
            RedirectAppealRequest, channel: channel, guidance: text()
        )),
        "ReclassifyAppeal" => ask!(appeals.reclassify_appeal(
            ReclassifyAppealRequest, class: "complex".to_owned()
        )),
        "DispatchAppeal" => ask!(appeals.dispatch_appeal(DispatchAppealRequest)),
        "SignForAppeal" => ask!(appeals.sign_for_appeal(SignForAppealRequest)),
        "RecordContact" => ask!(appeals.record_contact(RecordContactRequest)),
        "ContestDispatch" => {
            ask!(appeals.contest_dispatch(ContestDispatchRequest, reason: text()))
        }
        "RuleOnContest" => ask!(appeals.rule_on_contest(RuleOnContestRequest)),
        "ResolveAppeal" => ask!(appeals.resolve_appeal(
            ResolveAppealRequest, outcome: outcome, reply: text()
        )),
        "ConfirmResolution" => ask!(appeals.confirm_resolution(ConfirmResolutionRequest)),
        "ObjectToResolution" => {
            ask!(appeals.object_to_resolution(ObjectToResolutionRequest, reason: text()))
        }
        "RecordCallback" => {
            ask!(appeals.record_callback(RecordCallbackRequest, reached: true, note: text()))
        }
        "RateAppeal" => ask!(appeals.rate_appeal(RateAppealRequest, rating: rating)),
        "CloseAppeal" => ask!(appeals.close_appeal(CloseAppealRequest)),
        "ReopenAppeal" => ask!(appeals.reopen_appeal(ReopenAppealRequest, reason: text())),
        "AskExtension" => ask!(handling.ask_extension(
            AskExtensionRequest, working_days: 1, reason: text()
        )),
        "AnswerExtension" => ask!(handling.answer_extension(AnswerExtensionRequest)),
        "PauseHandling" => ask!(handling.pause_handling(
            PauseHandlingRequest, ground: ground, reference: text()
        )),
        "ResumeHandling" => ask!(handling.resume_handling(ResumeHandlingRequest)),
        "RequestCoHandling" => ask!(handling.request_co_handling(
            RequestCoHandlingRequest, unit: other, ask: text()
        )),
        "AnswerCoHandling" => {
            ask!(handling.answer_co_handling(AnswerCoHandlingRequest, task_id: 999, answer: text()))
        }
        "OpenMediation" => ask!(handling.open_mediation(OpenMediationRequest)),
        "EndMediation" => ask!(handling.end_mediation(EndMediationRequest, agreed: true)),
        "ErasePersonalData" => ask!(appeals.erase_personal_data(ErasePersonalDataRequest)),
        "AddNote" => ask!(handling.add_note(
            AddNoteRequest, visibility: Visibility::Public.into(), text: text()
        )),
        "ConveneDiagnosis" => ask!(diagnoses.convene_diagnosis(
            ConveneDiagnosisRequest, units: vec![other], quorum: 1, question: text()
        )),
        "MergeAppeal" | "SplitAppeal" | "UploadFile" => return None,
        rpc => panic!("{rpc} is offered and not known here"),
    })
}

/// What a caller may do, in one line; what it may not is tried.
async fn line(party: &str, mut client: Client, case: &Case) -> String {
    let actions = actions(&mut client, case).await;
    for action in actions.iter().filter(|one| !one.allowed) {
        assert!(!action.text_en.is_empty() && !action.text_zh.is_ascii(), "{action:?}");
        match attempt(&mut client, case, method(action)).await {
            None => {}
            // "Already so" is no refusal to who asks again.
            Some(Ok(())) => assert_eq!(action.reason, "ALREADY_SO", "{party} {action:?}"),
            Some(Err(status)) => assert_eq!(reason(&status), action.reason, "{party} {status:?}"),
        }
    }
    let may: Vec<&str> = actions.iter().filter(|one| one.allowed).map(method).collect();
    format!("{party}: {}\n", may.join(" "))
}

/// A line for each party.
async fn state(world: &World, case: &Case) -> String {
    let mut lines = line("desk", world.role(Role::Dispatcher), case).await;
    // A unit sees only what is with it.
    if !case.summary(world).await.unit.is_empty() {
        lines += &line("unit", world.unit(UNIT), case).await;
    }
    lines + &line("enterprise", world.enterprise(&case.enterprise), case).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_possible_is_and_what_is_not_is_refused_for_the_reason_said() {
    let world = World::start().await;
    let case = Case::submit(&world, submission("L-1", "T06")).await;
    let mut found = String::new();
    let mut note = async |name: &str| {
        let _ = writeln!(found, "# {name}");
        found.push_str(&state(&world, &case).await);
    };
    note("submitted").await;
    case.accept(&world).await;
    note("accepted").await;
    case.dispatch(&world, "").await;
    note("dispatched").await;
    case.contest(&world, UNIT, "").await;
    note("contested").await;
    let mut desk = world.role(Role::Dispatcher);
    desk.appeals.rule_on_contest(request!(RuleOnContestRequest, case)).await.unwrap();
    note("ruled").await;
    case.sign(&world, UNIT).await;
    note("in handling").await;
    let (ground, reference) = (PauseGround::MaterialAsked.into(), "补正通知".to_owned());
    let pause = request!(PauseHandlingRequest, case, ground: ground, reference: reference);
    world.unit(UNIT).handling.pause_handling(pause).await.unwrap();
    note("paused").await;
    world.unit(UNIT).handling.resume_handling(request!(ResumeHandlingRequest, case)).await.unwrap();
    case.resolve(&world, UNIT).await;
    note("resolved").await;
    let call = request!(RecordCallbackRequest, case, reached: true, satisfied: Some(false));
    desk.appeals.record_callback(call).await.unwrap();
    note("called back").await;
    case.close(&world).await;
    note("closed").await;
    assert_eq!(
        found, TABLE,
        "update tests/real/appeals/allowed.txt only if the change is meant:\n{found}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_added_to_a_merged_appeal_is_judged_where_it_goes_on() {
    let world = World::start().await;
    let into = Case::submit(&world, submission("L-1", "T13")).await;
    let elsewhere = SubmitAppealRequest { area: "210203".to_owned(), ..submission("L-1", "T13") };
    let case = Case::submit(&world, elsewhere).await;
    let merge = request!(MergeAppealRequest, case, into_appeal_id: into.appeal.clone());
    world.role(Role::Dispatcher).appeals.merge_appeal(merge).await.unwrap();
    let took_up = async || into.read(&world).await.absorbed.contains(&case.appeal).then_some(());
    doudi_tests::until(BOUND, took_up).await.expect("the other one takes it up");
    let here = line("desk", in_area(&world, Role::Dispatcher, "210203"), &case).await;
    assert_eq!(here, "desk: \n", "it may add nothing to what it may not see");
    let there = line("desk", in_area(&world, Role::Dispatcher, AREA), &case).await;
    assert_eq!(there, "desk: AddNote UploadFile\n");
    let city = line("city desk", world.role(Role::Dispatcher), &case).await;
    assert_eq!(city, "city desk: AddNote UploadFile\n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_the_registers_may_erase_personal_data_once() {
    let world = World::start().await;
    let case = Case::submit(&world, submission("L-1", "T13")).await;
    let admin = || world.role(Role::Admin);
    assert_eq!(line("admin", admin(), &case).await, "admin: ErasePersonalData\n");
    case.erase(&world).await;
    assert_eq!(line("admin", admin(), &case).await, "admin: \n");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_lead_units_to_do_is_not_offered_to_another() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T13")).await;
    let (ground, reference) = (PauseGround::MaterialAsked.into(), "补正通知".to_owned());
    let pause = request!(PauseHandlingRequest, case, ground: ground, reference: reference);
    world.unit("port-office").handling.pause_handling(pause).await.unwrap();
    let lead = line("lead", world.unit("port-office"), &case).await;
    assert!(lead.contains("ResumeHandling"), "{lead}");
    let co_unit = line("co-unit", world.unit("customs"), &case).await;
    assert_eq!(co_unit, "co-unit: AddNote UploadFile\n");
    assert_eq!(line("watch", world.role(Role::Supervisor), &case).await, "watch: \n");
    world.stop().await;
}
