//! What the first version recorded, in the newest shape.

use serde_json::{Value, json};

use super::*;
use crate::{
    codec,
    frequency::{Key, OnExceeding},
};

#[track_caller]
fn lifted(name: &str, text: &str) -> Event {
    codec::decode(name, 1, &serde_json::from_str::<Box<_>>(text).unwrap()).unwrap()
}

#[test]
fn a_visit_of_the_first_version_had_one_unit_and_limits_that_refuse() {
    let text = include_str!("../../../golden/visits/VisitPlanned.exempt_ground.v1.json");
    let Event::VisitPlanned { plan, catalogue_version, parties, fields, standings, .. } =
        lifted("VisitPlanned", text)
    else {
        panic!("a visit was planned");
    };
    let lead = Party { unit: unit("market-regulation"), level: None };
    assert_eq!((parties.as_slice(), catalogue_version), ([lead].as_slice(), None));
    assert!(fields.is_empty() && plan.co_units.is_empty());
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
    let Event::CapExceeded { standing, .. } = lifted("CapExceeded", text) else {
        panic!("a limit was overshot");
    };
    assert_eq!((standing.key, standing.used, standing.maximum), (Key::All, 3, 2));
}

#[test]
fn what_the_first_version_never_wrote_is_not_lifted() {
    let lift = |name, data: Value| super::super::upcast::from_v1(name, data);
    assert_eq!(lift("VisitPlanned", json!({})), None);
    assert_eq!(lift("VisitPlanned", json!({ "plan": { "unit": "tax" } })), None);
    assert_eq!(lift("CapExceeded", json!({ "standing": { "key": "all" } })), None);
    assert_eq!(lift("VisitApproved", json!({ "visit": "x" })), None);
}
