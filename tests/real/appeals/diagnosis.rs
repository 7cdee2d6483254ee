//! Joint diagnosis: from convening to orders that bind and a standing rule for the next appeal.

use std::slice;

use doudi_api::proto::{
    AddNoteRequest, AnswerCoHandlingRequest, ClockKind, ConcludeDiagnosisRequest,
    ConveneDiagnosisRequest, Diagnosis, DiagnosisOrder, GetDiagnosisRequest, GetDiagnosisResponse,
    GiveOpinionRequest, ListInboxRequest, Stance, StandingRuleProposal, Visibility,
};
use doudi_journal::Position;
use doudi_tests::until;

use super::*;

/// The panel, without the guarantee unit that convenes.
pub(super) const PANEL: [&str; 3] = ["market-regulation", "power-supply", "tax"];

/// Calls the panel together; answers with the diagnosis once it has begun.
pub(super) async fn convened(world: &World, case: &Case) -> String {
    let units = PANEL.map(str::to_owned).to_vec();
    let question = "由哪个单位牵头？".to_owned();
    let request =
        request!(ConveneDiagnosisRequest, case, units: units, quorum: 2, question: question);
    let mut guarantee = world.unit(GUARANTEE);
    let first = guarantee.diagnoses.convene_diagnosis(request.clone()).await.unwrap().into_inner();
    let again = guarantee.diagnoses.convene_diagnosis(request).await.unwrap().into_inner();
    assert_eq!(first, again, "the same command again answers with its first outcome");
    let id = first.diagnosis_id;
    let begun = until(BOUND, || {
        let mut guarantee = guarantee.clone();
        let id = &id;
        async move { get(&mut guarantee, case, id).await.ok() }
    });
    begun.await.expect("a diagnosis that was called for begins");
    id
}

async fn get(
    client: &mut Client,
    case: &Case,
    id: &str,
) -> Result<Response<GetDiagnosisResponse>, Status> {
    let request = GetDiagnosisRequest {
        enterprise_id: case.enterprise.clone(),
        diagnosis_id: id.to_owned(),
        ..Default::default()
    };
    client.diagnoses.get_diagnosis(request).await
}

async fn read(client: &mut Client, case: &Case, id: &str) -> Diagnosis {
    get(client, case, id).await.unwrap().into_inner().diagnosis.unwrap()
}

pub(super) fn opinion(case: &Case, id: &str, stance: Stance, text: &str) -> GiveOpinionRequest {
    GiveOpinionRequest {
        command_id: command_id(),
        enterprise_id: case.enterprise.clone(),
        diagnosis_id: id.to_owned(),
        stance: stance.into(),
        text: text.to_owned(),
        expected_version: None,
    }
}

pub(super) fn conclusion(case: &Case, id: &str) -> ConcludeDiagnosisRequest {
    let order = DiagnosisOrder {
        unit: "power-supply".to_owned(),
        task: "十日内恢复供电".to_owned(),
        working_days: 10,
    };
    let rule = StandingRuleProposal { unit: "power-supply".to_owned(), only_in_area: false };
    ConcludeDiagnosisRequest {
        command_id: command_id(),
        enterprise_id: case.enterprise.clone(),
        diagnosis_id: id.to_owned(),
        conclusion: "由供电公司负责".to_owned(),
        orders: vec![order],
        standing_rule: Some(rule),
        expected_version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_diagnosis_from_convening_to_orders_and_a_standing_rule() {
    let world = World::start().await;
    let case = Case::guaranteed(&world, "L-1").await;
    let id = convened(&world, &case).await;
    let mut guarantee = world.unit(GUARANTEE);
    let [mut market, mut power, _] = PANEL.map(|unit| world.unit(unit));

    // Whoever is convened reads the question and finds in the inbox what it owes.
    let seen = read(&mut market, &case, &id).await;
    assert_eq!((seen.question.as_str(), seen.convener.as_str()), ("由哪个单位牵头？", GUARANTEE));
    assert_eq!((seen.units.as_slice(), seen.quorum), (&PANEL.map(str::to_owned)[..], 2));
    let owed: Vec<(ClockKind, &str)> =
        seen.clocks.iter().map(|clock| (clock.kind(), clock.owner.as_str())).collect();
    let mut expected = PANEL.map(|unit| (ClockKind::Opinion, unit)).to_vec();
    expected.push((ClockKind::Conclusion, GUARANTEE));
    assert_eq!(owed, expected);
    let inbox = until(BOUND, || {
        let mut market = market.clone();
        async move {
            let kind = ClockKind::Opinion.into();
            let request = ListInboxRequest { kind, ..Default::default() };
            let page = market.cases.list_inbox(request).await.unwrap().into_inner();
            page.entries.into_iter().next()
        }
    });
    assert_eq!(inbox.await.expect("what is owed is in the inbox").diagnosis_id, id);

    // The quorum is two, a revised opinion counts once, and only the convener concludes.
    let first = opinion(&case, &id, Stance::Support, "同意");
    market.diagnoses.give_opinion(first).await.unwrap();
    let second = opinion(&case, &id, Stance::Dissent, "应由企业自行处理");
    market.diagnoses.give_opinion(second).await.unwrap();
    let early = guarantee.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await;
    assert_eq!(refused(early), "DIAGNOSIS_QUORUM_MISSING");
    let support = opinion(&case, &id, Stance::Support, "同意牵头");
    power.diagnoses.give_opinion(support).await.unwrap();
    let foreign = power.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await;
    assert_eq!(refused(foreign), "DIAGNOSIS_OTHER_UNIT");
    let own = guarantee.diagnoses.give_opinion(opinion(&case, &id, Stance::Abstain, "无")).await;
    assert_eq!(refused(own), "DIAGNOSIS_UNIT_NOT_CONVENED");
    guarantee.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await.unwrap();
    let late = power.diagnoses.give_opinion(opinion(&case, &id, Stance::Abstain, "无")).await;
    assert_eq!(refused(late), "DIAGNOSIS_WRONG_PHASE");

    let bound = bound(&world, &case, &id).await;
    assert_eq!(bound.dissenting, ["market-regulation"]);
    assert_eq!((bound.conclusion.as_str(), bound.without_quorum), ("由供电公司负责", false));
    let texts: Vec<&str> = bound.opinions.iter().map(|opinion| opinion.text.as_str()).collect();
    assert_eq!(texts, ["应由企业自行处理", "同意牵头"]);
    ordered(&world, &case, &id).await;

    // The next appeal of the kind goes by the standing rule.
    let next = SubmitAppealRequest { area: "999999".to_owned(), ..submission("L-2", "X01") };
    let next = Case::dispatched(&world, next).await.summary(&world).await;
    assert_eq!((next.unit.as_str(), next.rule), ("power-supply", format!("standing/{id}")));
    world.stop().await;
}

/// The diagnosis once its standing rule is in force.
async fn bound(world: &World, case: &Case, id: &str) -> Diagnosis {
    let bound = until(BOUND, || async {
        let known = read(&mut world.unit("tax"), case, id).await;
        (known.routing_version > 0).then_some(known)
    });
    bound.await.expect("the conclusion is delivered and its rule published")
}

/// The order is a task of the appeal, and nothing is resolved before it is done.
async fn ordered(world: &World, case: &Case, id: &str) {
    let task = until(BOUND, || async {
        let tasks = case.read(world).await.tasks;
        tasks.into_iter().find(|task| task.diagnosis_id == id)
    });
    let task = task.await.expect("the order becomes a task");
    assert_eq!((task.unit.as_str(), task.ask.as_str()), ("power-supply", "十日内恢复供电"));
    let mut guarantee = world.unit(GUARANTEE);
    guarantee.appeals.sign_for_appeal(request!(SignForAppealRequest, case)).await.unwrap();
    let outcome = ResolutionOutcome::Solved.into();
    let early = request!(ResolveAppealRequest, case, outcome: outcome, reply: "已办结".to_owned());
    assert_eq!(refused(guarantee.appeals.resolve_appeal(early).await), "ORDERS_OPEN");
    let (task_id, answer) = (task.task_id, "已恢复供电".to_owned());
    let done = request!(AnswerCoHandlingRequest, case, task_id: task_id, answer: answer);
    world.unit("power-supply").handling.answer_co_handling(done).await.unwrap();
    case.resolve(world, GUARANTEE).await;
}

/// How many reads stand in the log.
async fn reads_recorded(world: &World) -> usize {
    let mut position = Position::default();
    let mut reads = 0;
    loop {
        let page = world.running.parts.journal.read(position, 1000).await.unwrap();
        let Some(last) = page.last() else { return reads };
        position = last.position;
        for record in &page {
            let events = record.commit().unwrap().events;
            reads += events.iter().filter(|event| event.name == "ReadRecorded").count();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnosis_is_for_who_takes_part_and_for_who_watches_over_the_appeal() {
    let world = World::start().await;
    let strict = confidential("L-1", "X01", Confidentiality::Strict);
    let ordinary = submission("L-1", "X01");
    for (request, watched) in [(ordinary, true), (strict, false)] {
        // Sent by hand to a desk that objects three times over: the guarantee takes it.
        let case =
            Case::dispatched(&world, SubmitAppealRequest { topic: "T06".to_owned(), ..request })
                .await;
        case.sign(&world, "power-supply").await;
        for _ in 0..2 {
            case.resolve(&world, "power-supply").await;
            case.object(&world).await;
        }
        let id = convened(&world, &case).await;
        let mut callers = vec![
            ("convener", world.unit(GUARANTEE), true),
            ("convened", world.unit("tax"), true),
            ("auditor", world.role(Role::Auditor), true),
            ("city desk", world.role(Role::Dispatcher), true),
            ("desk of the area", in_area(&world, Role::Dispatcher, AREA), watched),
            ("supervisor of the area", in_area(&world, Role::Supervisor, AREA), watched),
            ("desk elsewhere", in_area(&world, Role::Dispatcher, "210203"), false),
            ("another unit", world.unit("gas"), false),
            ("the enterprise", world.enterprise("L-1"), false),
        ];
        let (before, mut shown) = (reads_recorded(&world).await, 0);
        for (name, client, sees) in &mut callers {
            match get(client, &case, &id).await {
                Ok(_) => {
                    assert!(*sees, "{name}");
                    shown += 1;
                }
                Err(status) => {
                    assert!(!*sees, "{name}: {status:?}");
                    assert_eq!(reason(&status), "DIAGNOSIS_UNKNOWN", "{name}");
                }
            }
        }
        // Reads of the upper levels are recorded, each of them.
        let recorded = if watched { 0 } else { shown };
        assert_eq!(reads_recorded(&world).await - before, recorded);
        let foreign = opinion(&case, &id, Stance::Support, "同意");
        let foreign = world.unit("gas").diagnoses.give_opinion(foreign).await;
        assert_eq!(refused(foreign), "DIAGNOSIS_UNKNOWN");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_guarantee_unit_calls_units_together_and_erased_texts_stay_erased() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    let units = vec!["tax".to_owned()];
    let convene = |case: &Case, quorum| {
        let units = units.clone();
        request!(ConveneDiagnosisRequest, case, units: units, quorum: quorum, question: "？一".to_owned())
    };
    let early = world.unit("power-supply").diagnoses.convene_diagnosis(convene(&case, 1)).await;
    assert_eq!(refused(early), "NOT_GUARANTEED");
    let foreign = world.unit("tax").diagnoses.convene_diagnosis(convene(&case, 1)).await;
    assert_eq!(refused(foreign), "APPEAL_UNKNOWN");
    let case = Case::guaranteed(&world, "L-1").await;
    let mut guarantee = world.unit(GUARANTEE);
    let unsound = guarantee.diagnoses.convene_diagnosis(convene(&case, 2)).await;
    assert_eq!(refused(unsound), "DIAGNOSIS_UNSOUND");
    let id = convened(&world, &case).await;
    let second = guarantee.diagnoses.convene_diagnosis(convene(&case, 1)).await;
    assert_eq!(refused(second), "DIAGNOSIS_OPEN");

    let mut tax = world.unit("tax");
    let said = opinion(&case, &id, Stance::Support, "同意");
    let first = tax.diagnoses.give_opinion(said.clone()).await.unwrap().into_inner();
    case.erase(&world).await;
    let seen = read(&mut tax, &case, &id).await;
    let opinions = slice::from_ref(&seen.opinions[0]);
    assert!(seen.question.is_empty() && opinions.iter().all(|o| o.text.is_empty()), "{seen:?}");
    assert_eq!(opinions[0].stance(), Stance::Support, "that it was given is no personal datum");
    let again = tax.diagnoses.give_opinion(said).await.unwrap().into_inner();
    assert_eq!(again, first, "a repetition still learns its outcome");
    let new = tax.diagnoses.give_opinion(opinion(&case, &id, Stance::Dissent, "不同意")).await;
    assert_eq!(refused(new), "PERSONAL_DATA_ERASED");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_resolved_before_a_diagnosis_ends_and_it_ends_with_its_appeal() {
    let world = World::start().await;
    let case = Case::guaranteed(&world, "L-1").await;
    let id = convened(&world, &case).await;
    let mut guarantee = world.unit(GUARANTEE);
    let (outcome, reply) = (ResolutionOutcome::Solved.into(), "已办结".to_owned());
    let early = request!(ResolveAppealRequest, case, outcome: outcome, reply: reply);
    assert_eq!(refused(guarantee.appeals.resolve_appeal(early).await), "DIAGNOSIS_OPEN");
    let mut tax = world.unit("tax");
    tax.diagnoses.give_opinion(opinion(&case, &id, Stance::Support, "同意")).await.unwrap();
    assert!(owes_an_opinion(&world, "market-regulation", true).await);

    case.erase(&world).await;
    let ended = until(BOUND, || async {
        let known = read(&mut world.unit("tax"), &case, &id).await;
        known.discontinued.then_some(known)
    });
    let ended = ended.await.expect("a diagnosis of an erased appeal comes to its end");
    assert!(ended.clocks.is_empty() && !ended.concluded, "{ended:?}");
    assert_eq!(ended.opinions[0].stance(), Stance::Support, "what was said stays");
    assert!(owes_an_opinion(&world, "market-regulation", false).await, "nobody is asked any more");
    let conclude = guarantee.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await;
    assert_eq!(refused(conclude), "PERSONAL_DATA_ERASED");
    let close = request!(CloseAppealRequest, case);
    world.role(Role::Dispatcher).appeals.close_appeal(close).await.unwrap();
    world.stop().await;
}

/// Waits until the unit's inbox has an opinion that it owes, or has none.
async fn owes_an_opinion(world: &World, unit: &str, wanted: bool) -> bool {
    let found = until(BOUND, || async {
        let request = ListInboxRequest { kind: ClockKind::Opinion.into(), ..Default::default() };
        let page = world.unit(unit).cases.list_inbox(request).await.unwrap().into_inner();
        (page.entries.is_empty() != wanted).then_some(())
    });
    found.await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_heard_while_postgresql_is_away_until_an_erasure_is_ordered() {
    let mut world = World::start().await;
    let case = Case::guaranteed(&world, "L-1").await;
    let id = convened(&world, &case).await;
    let mut guarantee = world.unit(GUARANTEE);
    let [mut market, mut power, mut tax] = PANEL.map(|unit| world.unit(unit));
    let before = opinion(&case, &id, Stance::Support, "同意");
    let first = market.diagnoses.give_opinion(before.clone()).await.unwrap().into_inner();
    world.ground.postgres.kill9().await.unwrap();
    let during = opinion(&case, &id, Stance::Dissent, "应由企业自行处理");
    let taken = power.diagnoses.give_opinion(during.clone()).await.unwrap().into_inner();
    let again = power.diagnoses.give_opinion(during.clone()).await.unwrap().into_inner();
    assert_eq!(again, taken);
    let unsure = market.diagnoses.give_opinion(before.clone()).await;
    assert_eq!(refused(unsure), "VAULT_UNAVAILABLE", "sealed under a key that only the table has");
    let internal = Visibility::Internal.into();
    let note = request!(AddNoteRequest, case, visibility: internal, text: "转办".to_owned());
    let noted = guarantee.handling.add_note(note.clone()).await.unwrap().into_inner();

    world.ground.postgres.restart().await.unwrap();
    let seen = until(BOUND, || async { get(&mut world.unit("tax"), &case, &id).await.ok() });
    let seen = seen.await.expect("it can be read").into_inner().diagnosis.unwrap();
    let texts: Vec<&str> = seen.opinions.iter().map(|opinion| opinion.text.as_str()).collect();
    assert_eq!(texts, ["同意", "应由企业自行处理"]);
    for (unit, request, told) in [(&mut market, &before, &first), (&mut power, &during, &taken)] {
        let again = unit.diagnoses.give_opinion(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, *told);
    }
    let again = guarantee.handling.add_note(note).await.unwrap().into_inner();
    assert_eq!(again, noted);

    // Ordered, though neither is the key destroyed nor has the diagnosis ended.
    world.ground.postgres.kill9().await.unwrap();
    let order = request!(ErasePersonalDataRequest, case);
    let ordered = world.role(Role::Admin).appeals.erase_personal_data(order).await;
    assert_eq!(refused(ordered), "VAULT_UNAVAILABLE");
    let late = tax.diagnoses.give_opinion(opinion(&case, &id, Stance::Support, "同意")).await;
    assert_eq!(refused(late), "PERSONAL_DATA_ERASED");
    let late = guarantee.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await;
    assert_eq!(refused(late), "PERSONAL_DATA_ERASED");
    let again = power.diagnoses.give_opinion(during).await.unwrap().into_inner();
    assert_eq!(again, taken, "a repetition still learns its outcome");
    world.ground.postgres.restart().await.unwrap();
    let ended = until(BOUND, || async {
        let known = get(&mut world.unit("tax"), &case, &id).await.ok()?.into_inner();
        known.diagnosis.filter(|known| known.discontinued)
    });
    let ended = ended.await.expect("it comes to its end");
    assert!(ended.opinions.iter().all(|opinion| opinion.text.is_empty()), "{ended:?}");
    world.stop().await;
}
