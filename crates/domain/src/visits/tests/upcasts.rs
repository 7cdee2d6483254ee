//! What the first version recorded, in the newest shape.

use serde_json::{Value, json};

use super::*;
use crate::{
    codec,
    frequency::{Key, OnExceeding},
};

#[track_caller]
fn lifted(name: &str, version: u16, text: &str) -> Event {
    codec::decode(name, version, &serde_json::from_str::<Box<_>>(text).unwrap()).unwrap()
}

#[test]
fn a_visit_of_the_first_version_had_one_unit_and_limits_that_refuse() {
    let text = include_str!("../../../golden/visits/VisitPlanned.exempt_ground.v1.json");
    let Event::VisitPlanned { plan, catalogue_version, parties, fields, standings, .. } =
        lifted("VisitPlanned", 1, text)
    else {
        panic!("a visit was planned");
    };
    let lead = Party { unit: unit("market-regulation"), level: None };
    assert_eq!((parties.as_slice(), catalogue_version), ([lead].as_slice(), None));
    assert!(fields.is_empty() && plan.shares.is_empty());
    assert_eq!((plan.justification, plan.on_site_reason), (None, None));
    let [standing] = standings.as_slice() else {
        panic!("{standings:?}");
    };
    assert_eq!(standing.key, Key::Unit(unit("market-regulation")));
    assert_eq!((standing.on_exceeding, standing.weight), (OnExceeding::Refuse, 1));
    assert_eq!((standing.reserved, standing.exempt, standing.frees_on), (1, 2, None));
}

#[test]
fn a_limit_of_the_first_version_over_all_units_has_no_unit() {
    let text = include_str!("../../../golden/visits/CapExceeded.all_units.v1.json");
    let Event::CapExceeded { standing, .. } = lifted("CapExceeded", 1, text) else {
        panic!("a limit was overshot");
    };
    assert_eq!((standing.key, standing.used, standing.maximum), (Key::All, 3, 2));
}

#[test]
fn a_scan_of_the_first_version_had_no_code_and_said_itself_whether_it_was_late() {
    let (live, late) = (
        include_str!("../../../golden/visits/VisitCheckedIn.v1.json"),
        include_str!("../../../golden/visits/VisitCheckedIn.handed_in_late.v1.json"),
    );
    for (text, manner) in [(live, Manner::Live), (late, Manner::Stated)] {
        let Event::VisitCheckedIn { check_in, .. } = lifted("VisitCheckedIn", 1, text) else {
            panic!("officers came");
        };
        assert_eq!((check_in.proof, check_in.place), (Proof::Nothing, None));
        assert_eq!(check_in.proof.assurance(), Assurance::Stated);
        assert_eq!(check_in.manner, manner);
    }
}

#[test]
fn a_visit_of_the_second_version_counts_for_every_unit_and_is_the_leads_alone() {
    let text = include_str!("../../../golden/visits/VisitPlanned.justified.v2.json");
    let event = lifted("VisitPlanned", 2, text);
    let state: Visits = given(std::slice::from_ref(&event));
    let known = state.get(event.visit()).unwrap();
    let units = |of: Vec<&UnitId>| of.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    let parties = known.parties.iter().map(|party| &party.unit);
    assert_eq!(units(parties.collect()), ["market-regulation", "tax"]);
    assert_eq!(units(known.shares.keys().collect()), ["market-regulation"]);
    let approved = when(
        &state,
        &once_a_year().at(MORNING),
        &Command::Approve { visit: event.visit(), unit: plan(1).unit },
    );
    let state = crate::kit::and(state, &approved.unwrap());
    assert_eq!(state.get(event.visit()).unwrap().phase, Phase::Approved);
}

#[test]
fn what_older_versions_said_of_no_unit_was_the_leads() {
    let approved =
        lifted("VisitApproved", 1, include_str!("../../../golden/visits/VisitApproved.v1.json"));
    let Event::VisitApproved { unit, .. } = &approved else {
        panic!("{approved:?}");
    };
    assert_eq!(*unit, None);
    let old = |n| Event::VisitApproved { visit: visit(n), unit: None };
    let reported =
        Event::ResultReported { visit: visit(1), unit: None, results: found(), tell: None };
    let scanned = came(1, scan(ON_THE_DAY, false));
    let left = left(1, "2025-03-10T11:30+08:00");
    let state: Visits = given(&[planned(1), old(1), scanned, left, reported]);
    let known = state.get(visit(1)).unwrap();
    assert_eq!(known.phase_name(), "reported");
    assert!(known.approvals.contains(&plan(1).unit) && known.clocks.is_empty());
    assert_eq!(told(when(&state, &once_a_year().at(DAY_AFTER), &tell())), "EnterpriseTold");
}

#[test]
fn what_the_first_version_never_wrote_is_not_lifted() {
    let lift = |name, data: Value| super::super::upcast::from_v1(name, data);
    assert_eq!(lift("VisitPlanned", json!({})), None);
    assert_eq!(lift("VisitPlanned", json!({ "plan": { "unit": "tax" } })), None);
    assert_eq!(lift("CapExceeded", json!({ "standing": { "key": "all" } })), None);
    assert_eq!(lift("VisitApproved", json!({ "visit": "x" })), None);
    assert_eq!(lift("VisitCheckedIn", json!({ "check_in": { "manner": "live" } })), None);
    let lift = |name, data: Value| super::super::upcast::from_v2(name, data);
    assert_eq!(lift("VisitPlanned", json!({ "plan": { "unit": "tax" } })), None);
    assert_eq!(lift("CapExceeded", json!({})), None);
}
