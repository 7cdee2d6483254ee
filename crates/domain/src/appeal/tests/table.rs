//! Every command in every phase, given by whom it is for: the events it causes, or what it needs.

use super::*;

/// Every command, with the column it stands in.
fn commands() -> Vec<(&'static str, Command)> {
    vec![
        ("submit", Command::Submit(submission())),
        ("accept", Command::Accept),
        ("redirect", redirect()),
        ("dispatch", Command::Dispatch { to: None }),
        ("sign", sign("power-supply")),
        ("contact", contact("power-supply")),
        ("contest", contest("power-supply", Some("tax"))),
        ("rule", rule(None)),
        ("reclassify", reclassify("complex")),
        ("ask extension", ask_extension("power-supply", 3)),
        ("answer extension", answer_extension(true)),
        ("pause", pause("power-supply")),
        ("resume", Command::Resume),
        ("ask a co-unit", ask("power-supply", "tax", "YXNr")),
        ("answer the lead", answer("tax", 9)),
        ("open mediation", Command::OpenMediation),
        ("end mediation", Command::EndMediation { agreed: true }),
        ("resolve", resolve("power-supply")),
        ("confirm", Command::Confirm),
        ("object", object("cmVhc29u")),
        ("callback", callback(true, Some(true))),
        ("rate", rate(true)),
        ("close", Command::Close),
        ("reopen", reopen("cmVhc29u")),
        ("note", note(1)),
        ("attach", attach(1)),
        ("merge", Command::Merge { into: appeal(2) }),
        ("absorb", absorb(3)),
        ("undo the merge", Command::UndoMerge),
        ("merge delivered", Command::MarkMergeDelivered),
        ("split", split(4)),
        ("part submitted", Command::MarkPartSubmitted { part: appeal(4) }),
        ("convene", convene("power-supply", &["tax"], 1)),
        ("diagnosis opened", Command::MarkDiagnosisOpened { diagnosis: diagnosis(1) }),
        ("diagnosis discontinued", Command::MarkDiagnosisDiscontinued { diagnosis: diagnosis(1) }),
        ("conclude", conclusion(&["tax"])),
        ("take steps", Command::TakeSteps { clock: ClockId(1) }),
        ("recompute", Command::Recompute),
        ("repair", Command::Repair),
        ("erase", erase()),
        ("key destroyed", Command::MarkKeyDestroyed),
    ]
}

fn phases() -> [Life; 10] {
    [
        Life::submitted(),
        Life::accepted(),
        Life::dispatched(),
        Life::in_handling(),
        Life::contested(),
        Life::resolved(),
        Life::confirmed(),
        Life::closed(),
        Life::submitted().then(redirect()),
        Life::submitted().then(Command::Merge { into: appeal(2) }),
    ]
}

/// What each command causes, phase by phase. Where the last answer holds for all phases that
/// follow it stands once.
#[rustfmt::skip]
fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    let ok = "nothing";
    let handled = "needs dispatched or in handling";
    let open = "needs open";
    let first = "needs submitted or accepted";
    let unresolved = "needs not resolved yet";
    let sent = "needs dispatched";
    let taken = "needs accepted or contested";
    let done = "needs resolved";
    let spoken = "needs resolved, confirmed or closed";
    let called = "needs resolved or confirmed";
    let ended = "needs confirmed or resolved";
    let working = "needs in handling";
    let contested = "needs contested";
    let again = "needs closed after it was handled";
    let unknown = "DiagnosisUnknown";
    let not_asked = "ExtensionNotAsked";
    // submitted, accepted, dispatched, in handling, contested, resolved, confirmed, closed,
    // redirected, merged
    vec![
        ("submit", vec![ok]),
        ("accept", vec!["AppealAccepted", ok, ok, ok, ok, ok, ok, ok, "needs submitted"]),
        ("redirect", vec!["AppealRedirected", "AppealRedirected", first, first, first, first, first, first, ok, first]),
        ("dispatch", vec![taken, "AppealDispatched", ok, taken, "AppealDispatched", taken]),
        ("sign", vec![sent, sent, "AppealSignedFor", ok, sent]),
        ("contact", vec![handled, handled, "EnterpriseContacted", "EnterpriseContacted", handled]),
        ("contest", vec![handled, handled, "DispatchContested", "DispatchContested", ok, handled]),
        ("rule", vec![contested, contested, contested, contested, "DispatchRuled", contested]),
        ("reclassify", vec!["AppealReclassified", "AppealReclassified", "AppealReclassified", "AppealReclassified", "AppealReclassified", "AppealReclassified", "AppealReclassified", open]),
        ("ask extension", vec![handled, handled, "ExtensionAsked", "ExtensionAsked", handled]),
        ("answer extension", vec![not_asked]),
        ("pause", vec![handled, handled, "HandlingPaused", "HandlingPaused", handled]),
        ("resume", vec![handled, handled, ok, ok, handled]),
        ("ask a co-unit", vec![handled, handled, "CoHandlingRequested", "CoHandlingRequested", handled]),
        ("answer the lead", vec!["TaskUnknown"]),
        ("open mediation", vec![handled, handled, "MediationImpossible", "MediationImpossible", handled]),
        ("end mediation", vec!["MediationNotOpen"]),
        ("resolve", vec![working, working, working, "AppealResolved", working, ok, working]),
        ("confirm", vec![done, done, done, done, done, "ResolutionConfirmed", ok, ok, done]),
        ("object", vec![done, done, done, done, done, "ResolutionObjected", done]),
        ("callback", vec![called, called, called, called, called, "CallbackRecorded", "CallbackRecorded", called]),
        ("rate", vec![spoken, spoken, spoken, spoken, spoken, "AppealRated", "AppealRated", "AppealRated", spoken]),
        ("close", vec![ended, ended, ended, ended, ended, "EnterpriseToSpeak", "AppealClosed", ok, open]),
        ("reopen", vec![again, again, again, again, again, again, again, "AppealReopened", again]),
        ("note", vec!["NoteAdded"]),
        ("attach", vec!["FileAttached"]),
        ("merge", vec!["AppealMerged", "AppealMerged", "AppealMerged", "AppealMerged", "AppealMerged", unresolved, unresolved, unresolved, unresolved, ok]),
        ("absorb", vec!["AppealAbsorbed", "AppealAbsorbed", "AppealAbsorbed", "AppealAbsorbed", "MergeDeclined"]),
        ("undo the merge", vec![ok, ok, ok, ok, ok, ok, ok, ok, ok, "AppealRepaired"]),
        ("merge delivered", vec![ok, ok, ok, ok, ok, ok, ok, ok, ok, "MergeDelivered"]),
        ("split", vec!["AppealSplit", "AppealSplit", "AppealSplit", "AppealSplit", "AppealSplit", "AppealSplit", "AppealSplit", open]),
        ("part submitted", vec![ok]),
        ("convene", vec![handled, handled, "NotGuaranteed", "NotGuaranteed", handled]),
        ("diagnosis opened", vec![unknown]),
        ("diagnosis discontinued", vec![unknown]),
        ("conclude", vec![unknown]),
        ("take steps", vec![ok]),
        ("recompute", vec![ok]),
        ("repair", vec![ok]),
        ("erase", vec!["PersonalDataErased"]),
        ("key destroyed", vec![ok]),
    ]
}

#[test]
fn each_command_in_each_phase() {
    let phases = phases();
    assert!(phases.iter().map(Life::phase).eq(PhaseName::ALL));
    let table = table();
    let commands = commands();
    assert!(table.iter().map(|row| row.0).eq(commands.iter().map(|command| command.0)));
    for ((label, command), (_, expected)) in commands.iter().zip(&table) {
        for (n, life) in phases.iter().enumerate() {
            let expected = expected.get(n).or(expected.last()).unwrap();
            let found = life.tries(command);
            assert_eq!(found, *expected, "{label} when {}", life.phase().as_str());
        }
    }
}

#[test]
fn an_unknown_appeal_is_told() {
    for (label, command) in commands() {
        if !matches!(command, Command::Submit(_)) {
            let found = when(&Appeal::Absent, &world().at(FRIDAY), &command);
            assert_eq!(found, Err(Rejection::AppealUnknown), "{label}");
        }
    }
}

#[test]
fn another_unit_does_nothing_with_it() {
    let life = Life::in_handling();
    for command in [
        sign("tax"),
        contact("tax"),
        contest("tax", None),
        ask_extension("tax", 1),
        pause("tax"),
        ask("tax", "justice", "YXNr"),
        resolve("tax"),
        convene("tax", &["tax"], 1),
    ] {
        let refused = Rejection::OtherUnit { owner: unit("power-supply") };
        assert_eq!(life.refuses(&command), refused, "{command:?}");
    }
}

#[test]
fn what_may_be_done_is_what_is_decided() {
    let world = world();
    let context = world.at(FRIDAY);
    for life in phases().iter().chain([&Life::guaranteed()]) {
        let unit = |id| Party::Unit(unit(id));
        let parties = [Party::Enterprise, Party::Desk, unit("power-supply"), unit("justice")];
        for party in parties {
            for Allowed { action, missing } in life.case().allowed(&context, &party) {
                let twice = life.case().allowed(&context, &party);
                assert_eq!(twice.iter().filter(|found| found.action == action).count(), 1);
                assert_ne!(missing, Some(Rejection::WouldBeSilent), "{action:?}");
            }
        }
    }
}

#[test]
fn what_names_no_unit_is_the_leads() {
    let life = Life::of(of_type("tax-dispute")).then(Command::Accept);
    let life = life.then(Command::Dispatch { to: None });
    let missing = |life: &Life, by: &str, wanted: Action| {
        let context = life.world.then(life.now);
        let found = life.case().allowed(&context, &Party::Unit(unit(by)));
        found.into_iter().find(|found| found.action == wanted).unwrap().missing
    };
    let stranger = Some(Rejection::OtherUnit { owner: unit("tax") });
    assert_eq!(missing(&life, "tax", Action::OpenMediation), None);
    assert_eq!(missing(&life, "gas", Action::OpenMediation), stranger);
    let open = life.then(Command::OpenMediation).then(contest("tax", None));
    assert_eq!(missing(&open, "tax", Action::EndMediation), None, "also while it objects");
    assert_eq!(missing(&open, "gas", Action::EndMediation), stranger);
}

#[test]
fn the_buttons_of_each_party() {
    let possible = |life: &Life, party: &Party| {
        let allowed = life.case().allowed(&life.world.then(life.now), party);
        let possible = allowed.into_iter().filter(|found| found.missing.is_none());
        possible.map(|found| found.action).collect::<Vec<_>>()
    };
    let power = Party::Unit(unit("power-supply"));
    let stranger = Party::Unit(unit("tax"));
    use Action as A;
    for (life, party, expected) in [
        (Life::submitted(), &Party::Desk, vec![A::Accept, A::Redirect, A::Reclassify]),
        (Life::accepted(), &Party::Desk, vec![A::Redirect, A::Dispatch, A::Reclassify]),
        // The desk answers an objection by naming a unit, whether or not one was proposed.
        (
            Life::dispatched().then(contest("power-supply", None)),
            &Party::Desk,
            vec![A::Dispatch, A::Rule, A::Reclassify],
        ),
        (Life::dispatched(), &Party::Enterprise, vec![]),
        (Life::dispatched(), &stranger, vec![]),
        (
            Life::dispatched(),
            &power,
            vec![A::SignFor, A::RecordContact, A::Contest, A::AskExtension, A::RequestCoHandling],
        ),
        (
            Life::in_handling(),
            &power,
            vec![A::RecordContact, A::Contest, A::AskExtension, A::RequestCoHandling, A::Resolve],
        ),
        (Life::resolved(), &Party::Enterprise, vec![A::Confirm, A::Object, A::Rate]),
        (Life::closed(), &Party::Enterprise, vec![A::Rate, A::Reopen]),
    ] {
        let always = [A::AddNote, A::Attach, A::Merge, A::Split, A::Pause];
        let mut found = possible(&life, party);
        found.retain(|action| !always.contains(action));
        assert_eq!(found, expected, "{} for {party:?}", life.phase().as_str());
    }
}

#[test]
fn a_callback_without_a_note_is_possible_also_when_nothing_can_be_sealed() {
    let missing = |life: &Life| {
        let found = life.case().allowed(&life.world.then(life.now), &Party::Desk);
        found.into_iter().find(|found| found.action == Action::RecordCallback).unwrap().missing
    };
    let erased = Life::resolved().then(erase());
    assert_eq!(erased.tries(&callback(true, None)), "CallbackRecorded");
    assert_eq!(missing(&erased), None);
    // Whatever was said last, something else may be.
    for said in [callback(true, None), callback(false, None), callback(true, Some(true))] {
        assert_eq!(missing(&Life::resolved().then(said.clone())), None, "{said:?}");
        assert_eq!(missing(&erased.clone().then(said.clone())), None, "{said:?}");
    }
}

#[test]
fn who_keeps_the_registers_erases_once_and_does_nothing_else() {
    let buttons = |life: &Life| life.case().allowed(&life.world.then(life.now), &Party::Registrar);
    let erasure = |missing| vec![Allowed { action: Action::ErasePersonalData, missing }];
    for life in phases() {
        assert_eq!(buttons(&life), erasure(None), "{:?}", life.phase());
        let erased = life.then(erase());
        assert_eq!(buttons(&erased), erasure(Some(Rejection::AlreadySo)));
        assert_eq!(
            buttons(&erased.then(Command::MarkKeyDestroyed)),
            erasure(Some(Rejection::AlreadySo))
        );
    }
}
