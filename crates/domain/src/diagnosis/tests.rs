//! Each command on a joint diagnosis in each phase, quorum or time, late and dissenting voices, bounds.

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::{
    clock::{ClockKind, Owner},
    kit::{
        World, accepted, area, moment, names, plan_of_the_city, published_calendar, sealed,
        shipped_cases, unit, when,
    },
};

mod clocks;

/// A Friday before a make-up Sunday and the holiday of 1 to 5 May.
const FRIDAY: &str = "2025-04-25T09:00+08:00";
/// The opinions are due on 29 April, the conclusion is on 6 May.
const OPINIONS_OVERDUE: &str = "2025-04-30T09:00+08:00";

fn world() -> World {
    World {
        routing: Some(plan_of_the_city()),
        calendar: Some(published_calendar()),
        ..World::default()
    }
}

/// Who pays for a transformer: the guarantee unit asks three, two must be heard.
fn convening() -> Convening {
    Convening {
        appeal: AppealId(Uuid::from_u128(1)),
        convener: unit("desk-city"),
        area: area("210212"),
        topic: TopicId::parse("T06").unwrap(),
        panel: panel(&["power-supply", "tax", "desk-city"], 2),
        question: sealed("cXVlc3Rpb24="),
    }
}

fn panel(units: &[&str], quorum: u16) -> Panel {
    Panel { units: units.iter().map(|id| unit(id)).collect(), quorum }
}

fn convene(convening: Convening) -> Command {
    let case_type = Box::new(shipped_cases().types[0].clone());
    Command::Convene { convening, case_type, terms_version: 4 }
}

fn opinion(stance: Stance) -> Opinion {
    Opinion { stance, text: sealed("b3Bpbmlvbg==") }
}

fn give(by: &str, stance: Stance) -> Command {
    Command::GiveOpinion { unit: unit(by), opinion: opinion(stance) }
}

fn order(to: &str, working_days: u16) -> Order {
    Order { unit: unit(to), task: sealed("dGFzaw=="), working_days }
}

fn conclusion() -> Conclusion {
    let lead = StandingLead { unit: unit("power-supply"), same_area_only: true };
    Conclusion {
        text: sealed("ZmluZGluZw=="),
        orders: vec![order("power-supply", 10), order("tax", 3)],
        standing_lead: Some(lead),
    }
}

fn conclude(conclusion: Conclusion) -> Command {
    Command::Conclude { unit: unit("desk-city"), conclusion }
}

fn opened() -> Diagnosis {
    accepted(Diagnosis::default(), &world().at(FRIDAY), &convene(convening()))
}

fn heard(opinions: &[(&str, Stance)]) -> Diagnosis {
    let (world, state) = (world(), opened());
    opinions
        .iter()
        .fold(state, |state, (by, stance)| accepted(state, &world.at(FRIDAY), &give(by, *stance)))
}

fn in_phase(phase: &str) -> Diagnosis {
    let quorum = heard(&[("power-supply", Stance::Support), ("tax", Stance::Dissent)]);
    let world = world();
    let then = |state, command| accepted(state, &world.at(FRIDAY), &command);
    match phase {
        "absent" => Diagnosis::Absent,
        "open" => opened(),
        "heard" => quorum,
        "concluded" => then(quorum, conclude(conclusion())),
        "delivered" => then(then(quorum, conclude(conclusion())), Command::MarkDelivered),
        "published" => {
            let state = then(quorum, conclude(conclusion()));
            then(state, Command::MarkRulePublished { version: 6 })
        }
        "ended" => then(quorum, Command::Discontinue),
        "never begun" => then(Diagnosis::Absent, Command::Discontinue),
        other => panic!("no phase {other}"),
    }
}

fn concluded(state: &Diagnosis) -> &Concluded {
    match state {
        Diagnosis::Concluded(concluded) => concluded,
        Diagnosis::Absent | Diagnosis::Open(_) | Diagnosis::Discontinued(_) => {
            panic!("it is {}", state.phase())
        }
    }
}

fn open(state: &Diagnosis) -> &Open {
    match state {
        Diagnosis::Open(open) => open,
        Diagnosis::Absent | Diagnosis::Concluded(_) | Diagnosis::Discontinued(_) => {
            panic!("it is {}", state.phase())
        }
    }
}

fn told(outcome: Result<Vec<Event>, Rejection>) -> String {
    match outcome {
        Ok(events) => names(&events),
        Err(Rejection::WrongPhase { wanted, .. }) => format!("needs {wanted}"),
        Err(Rejection::QuorumMissing { .. }) => "no quorum".to_owned(),
        Err(Rejection::DiagnosisUnknown) => "unknown".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn each_command_in_each_phase() {
    let (none, nothing, taken) = ("unknown", "nothing", "ClockStepsTaken");
    let (opened, over) = ("needs open", "needs concluded");
    let (begun, given) = ("DiagnosisConvened", "OpinionGiven");
    let (revised, ended) = ("OpinionRevised", "DiagnosisConcluded");
    let (sent, ruled) = ("ConclusionDelivered", "StandingRulePublished");
    let left = "DiagnosisDiscontinued";
    let commands = [
        convene(convening()),
        give("tax", Stance::Dissent),
        give("tax", Stance::Abstain),
        conclude(conclusion()),
        Command::TakeSteps { clock: ClockId(4) },
        Command::MarkDelivered,
        Command::MarkRulePublished { version: 6 },
        Command::Discontinue,
    ];
    #[rustfmt::skip]
    let table = [
        //                convene  dissent  abstain  conclude     steps    delivered published end
        ("absent",      [begun,   none,    none,    none,        none,    none,     none,    left]),
        ("open",        [nothing, given,   given,   "no quorum", taken,   over,     over,    left]),
        ("heard",       [nothing, nothing, revised, ended,       taken,   over,     over,    left]),
        ("concluded",   [nothing, nothing, opened,  nothing,     nothing, sent,     ruled,   nothing]),
        ("delivered",   [nothing, nothing, opened,  nothing,     nothing, nothing,  ruled,   nothing]),
        ("published",   [nothing, nothing, opened,  nothing,     nothing, sent,     nothing, nothing]),
        ("ended",       [nothing, nothing, opened,  opened,      nothing, over,     over,    nothing]),
        ("never begun", [nothing, opened,  opened,  opened,      nothing, over,     over,    nothing]),
    ];
    let world = world();
    for (phase, expected) in table {
        let state = in_phase(phase);
        for (command, expected) in commands.iter().zip(expected) {
            // The steps of the convener's clock are tried when it is overdue, the rest in time.
            let steps = matches!(command, Command::TakeSteps { .. });
            let instant = if steps { "2025-05-07T09:00+08:00" } else { FRIDAY };
            let found = told(when(&state, &world.at(instant), command));
            assert_eq!(found, expected, "{command:?} when {phase}");
        }
    }
}

#[test]
fn the_same_id_with_another_question_is_refused() {
    let other = convene(Convening { question: sealed("b3RoZXI="), ..convening() });
    for phase in ["open", "concluded", "ended"] {
        let found = when(&in_phase(phase), &world().at(FRIDAY), &other);
        assert_eq!(found, Err(Rejection::ConvenedDifferently), "{phase}");
    }
}

#[test]
fn one_to_twenty_units_are_convened_and_the_quorum_is_within_them() {
    let named = |n: usize| (0..n).map(|n| unit(&format!("unit-{n}"))).collect();
    let out_of_reach = |quorum| Rejection::QuorumOutOfReach { quorum, units: 3 };
    for (units, quorum, expected) in [
        (0, 0, Err(Rejection::PanelSize { found: 0 })),
        (21, 1, Err(Rejection::PanelSize { found: 21 })),
        (3, 0, Err(out_of_reach(0))),
        (3, 4, Err(out_of_reach(4))),
        (3, 3, Ok(())),
        (1, 1, Ok(())),
        (20, 20, Ok(())),
    ] {
        let panel = Panel { units: named(units), quorum };
        assert_eq!(panel.check(), expected);
        let command = convene(Convening { panel, ..convening() });
        let found = when(&Diagnosis::Absent, &world().at(FRIDAY), &command);
        assert_eq!(found.map(|_| ()), expected, "{units} {quorum}");
    }
}

#[test]
fn only_convened_units_are_heard_and_only_the_convener_concludes() {
    let stranger = give("police", Stance::Support);
    let found = when(&opened(), &world().at(FRIDAY), &stranger);
    assert_eq!(found, Err(Rejection::UnitNotConvened(unit("police"))));
    let member = Command::Conclude { unit: unit("tax"), conclusion: conclusion() };
    for phase in ["open", "heard", "concluded"] {
        let found = when(&in_phase(phase), &world().at(OPINIONS_OVERDUE), &member);
        let convener = unit("desk-city");
        assert_eq!(found, Err(Rejection::OtherUnit { convener }), "{phase}");
    }
}

#[test]
fn a_conclusion_needs_the_quorum_or_the_time_to_be_over() {
    let world = world();
    let until = open(&opened()).clocks[0].due;
    let missing = |heard| Rejection::QuorumMissing { heard, quorum: 2, until };
    let one = heard(&[("tax", Stance::Support)]);
    let command = conclude(conclusion());
    for (state, heard) in [(&opened(), 0), (&one, 1)] {
        for instant in [moment(FRIDAY), until - SignedDuration::from_secs(1)] {
            let found = when(state, &world.then(instant), &command);
            assert_eq!(found, Err(missing(heard)));
        }
        for instant in [until, moment(OPINIONS_OVERDUE)] {
            let done = accepted(state.clone(), &world.then(instant), &command);
            assert!(concluded(&done).without_quorum, "silence blocks nothing");
        }
    }
    for instant in [FRIDAY, OPINIONS_OVERDUE] {
        let done = accepted(in_phase("heard"), &world.at(instant), &command);
        assert!(!concluded(&done).without_quorum);
    }
}

#[test]
fn an_abstention_counts_as_heard() {
    let state = heard(&[("tax", Stance::Abstain), ("power-supply", Stance::Abstain)]);
    let done = accepted(state, &world().at(FRIDAY), &conclude(conclusion()));
    assert!(!concluded(&done).without_quorum);
    assert!(concluded(&done).dissenting.is_empty());
}

#[test]
fn who_dissents_at_the_end_stands_in_the_conclusion() {
    let world = world();
    let dissents = [("power-supply", Stance::Dissent), ("tax", Stance::Dissent)];
    let both = heard(&dissents);
    let revised = accepted(both.clone(), &world.at(FRIDAY), &give("tax", Stance::Support));
    for (state, expected) in
        [(both, vec![unit("power-supply"), unit("tax")]), (revised, vec![unit("power-supply")])]
    {
        let events = when(&state, &world.at(FRIDAY), &conclude(conclusion())).unwrap();
        let [Event::DiagnosisConcluded { dissenting, stopped, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(dissenting.iter().cloned().collect::<Vec<_>>(), expected);
        assert_eq!(stopped, &[ClockId(1), ClockId(4)], "of the silent unit and the convener");
    }
}

#[test]
fn after_the_conclusion_nothing_is_heard_and_nothing_else_concluded() {
    let state = in_phase("delivered");
    let other = Conclusion { standing_lead: None, ..conclusion() };
    for command in [give("desk-city", Stance::Dissent), conclude(other)] {
        let found = when(&state, &world().at(FRIDAY), &command);
        assert_eq!(told(found), "needs open", "{command:?}");
    }
}

#[test]
fn an_order_is_bounded_and_names_a_unit_there_is() {
    let orders = |orders| Conclusion { orders, ..conclusion() };
    let lead = StandingLead { unit: unit("nobody"), same_area_only: false };
    let nobody = || Err(Rejection::UnitUnknown(unit("nobody")));
    for (conclusion, expected) in [
        (orders(vec![]), Err(Rejection::OrderCount { found: 0 })),
        (orders(vec![order("tax", 1); 21]), Err(Rejection::OrderCount { found: 21 })),
        (orders(vec![order("tax", 1); 20]), Ok(())),
        (orders(vec![order("tax", 1), order("tax", 0)]), Err(Rejection::OrderTime { found: 0 })),
        (orders(vec![order("tax", 251)]), Err(Rejection::OrderTime { found: 251 })),
        (orders(vec![order("tax", 250)]), Ok(())),
        (orders(vec![order("tax", 1), order("nobody", 1)]), nobody()),
        (Conclusion { standing_lead: Some(lead), ..conclusion() }, nobody()),
        (Conclusion { standing_lead: None, ..conclusion() }, Ok(())),
    ] {
        let command = conclude(conclusion);
        let found = when(&in_phase("heard"), &world().at(FRIDAY), &command);
        assert_eq!(found.map(|_| ()), expected);
    }
    let unpublished = World { routing: None, ..world() };
    let command = conclude(orders(vec![order("nobody", 1)]));
    let found = when(&in_phase("heard"), &unpublished.at(FRIDAY), &command);
    assert_eq!(told(found), "DiagnosisConcluded", "without a table there is no list to check");
}

#[test]
fn a_standing_rule_is_for_the_topic_and_at_wish_for_its_area_only() {
    let id = DiagnosisId(Uuid::from_u128(9));
    let rule = |area| StandingRule {
        topic: TopicId::parse("T06").unwrap(),
        area,
        unit: unit("tax"),
        diagnosis: id,
    };
    let lead = |same_area_only| Some(StandingLead { unit: unit("tax"), same_area_only });
    for (standing_lead, expected) in [
        (lead(true), Some(rule(Some(area("210212"))))),
        (lead(false), Some(rule(None))),
        (None, None),
    ] {
        let command = conclude(Conclusion { standing_lead, ..conclusion() });
        let state = accepted(in_phase("heard"), &world().at(FRIDAY), &command);
        assert_eq!(concluded(&state).standing_rule(id), expected);
    }
}

#[test]
fn a_rule_that_was_not_made_is_not_published() {
    let command = conclude(Conclusion { standing_lead: None, ..conclusion() });
    let state = accepted(in_phase("heard"), &world().at(FRIDAY), &command);
    let publish = Command::MarkRulePublished { version: 6 };
    assert_eq!(when(&state, &world().at(FRIDAY), &publish), Err(Rejection::NoStandingRule));
}

#[test]
fn acknowledgements_stay_as_they_were_first_given() {
    let state = in_phase("published");
    assert_eq!(concluded(&state).rule_version, Some(6));
    let again = Command::MarkRulePublished { version: 7 };
    assert_eq!(when(&state, &world().at(FRIDAY), &again), Ok(vec![]));
}

#[test]
fn what_ended_without_a_conclusion_keeps_what_was_said_and_owes_nothing() {
    let events = when(&in_phase("heard"), &world().at(FRIDAY), &Command::Discontinue).unwrap();
    let stopped = vec![ClockId(1), ClockId(4)];
    assert_eq!(events, [Event::DiagnosisDiscontinued { at: moment(FRIDAY), stopped }]);
    let Diagnosis::Discontinued(Some(known)) = in_phase("ended") else { panic!() };
    assert_eq!(known.convening, convening());
    assert_eq!(known.opinions.len(), 2);
    assert_eq!(in_phase("never begun"), Diagnosis::Discontinued(None));
    assert_eq!(in_phase("never begun").convening(), None);
}

#[test]
fn who_stands_in_for_a_convener_that_is_gone_concludes() {
    let mut world = world();
    let by = |id| Command::Conclude { unit: unit(id), conclusion: conclusion() };
    let justice = Convening { convener: unit("justice"), ..convening() };
    let begun = accepted(Diagnosis::Absent, &world.at(FRIDAY), &convene(justice));
    let state = ["power-supply", "tax"]
        .into_iter()
        .fold(begun, |state, id| accepted(state, &world.at(FRIDAY), &give(id, Stance::Support)));
    for (successor, heir) in [(Some("data"), "data"), (None, "desk-city")] {
        let table = world.routing.as_mut().unwrap();
        let gone = table.units.iter_mut().find(|listed| listed.id == unit("justice")).unwrap();
        gone.status = crate::routing::UnitStatus::Abolished;
        gone.successor = successor.map(unit);
        for (id, expected) in
            [(heir, "DiagnosisConcluded"), ("justice", "DiagnosisConcluded"), ("tax", "refused")]
        {
            let found = when(&state, &world.at(FRIDAY), &by(id));
            assert_eq!(
                found.map_or("refused".to_owned(), |events| names(&events)),
                expected,
                "{id}"
            );
        }
    }
}
