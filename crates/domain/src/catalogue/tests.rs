//! What a catalogue lists, and what keeps it from being published.

use super::*;
use crate::kit::{catalogue, certificate, day, item, name, on_site, unit};

#[test]
fn what_a_catalogue_lists() {
    let found = catalogue("tax");
    assert_eq!(found.item(&item("SC-0205")).map(|item| &item.id), Some(&item("SC-0205")));
    assert_eq!(found.item(&item("SC-9999")), None);
    for (n, on, valid) in [
        (1, "2019-12-31", false),
        (1, "2020-01-01", true),
        (9, "2029-12-31", true),
        (9, "2030-01-01", false),
        (10, "2025-03-10", false),
    ] {
        assert_eq!(found.is_valid(&certificate(n), day(on)), valid, "{n} on {on}");
    }
}

#[test]
fn an_entrusted_unit_inspects_until_the_entrustment_ends() {
    let entrusted = Qualification::Entrusted { by: unit("justice"), until: day("2025-12-31") };
    let authorised = Qualification::Authorised { basis: name("中华人民共和国消防法") };
    for (qualification, on, qualified) in [
        (Qualification::Organ, "9999-12-31", true),
        (authorised, "9999-12-31", true),
        (entrusted.clone(), "2025-12-31", true),
        (entrusted, "2026-01-01", false),
    ] {
        let found = Catalogue { qualification, ..catalogue("tax") };
        assert_eq!(found.is_qualified(day(on)), qualified, "{found:?}");
    }
}

#[test]
fn an_unsound_catalogue_is_told_what_is_wrong() {
    let sound = catalogue("tax");
    assert_eq!(sound.problems(), []);
    let first = sound.officers[0].clone();
    let ended = Officer { valid_until: day("2019-12-31"), ..first.clone() };
    let item = on_site("SC-0101", "market");
    let trigger_only = Item { trigger_only: true, ..item.clone() };
    let by_itself = Qualification::Entrusted { by: unit("tax"), until: day("2025-12-31") };
    let with = |officers: Vec<Officer>, items: Vec<Item>| Catalogue {
        officers,
        items,
        ..catalogue("tax")
    };
    let id = || item.id.clone();
    for (catalogue, expected) in [
        (
            with(vec![first.clone(), first], vec![]),
            Some(CatalogueProblem::OfficerTwice(certificate(1))),
        ),
        (with(vec![ended], vec![]), Some(CatalogueProblem::ValidityReversed(certificate(1)))),
        (with(vec![], vec![item.clone(), item.clone()]), Some(CatalogueProblem::ItemTwice(id()))),
        (
            with(vec![], vec![Item { modes: [].into(), ..item.clone() }]),
            Some(CatalogueProblem::NoMode(id())),
        ),
        (with(vec![], vec![trigger_only.clone()]), None),
        (
            Catalogue { triggers: [].into(), ..with(vec![], vec![trigger_only]) },
            Some(CatalogueProblem::NoTrigger(id())),
        ),
        (
            Catalogue { qualification: by_itself, ..with(vec![], vec![]) },
            Some(CatalogueProblem::SelfEntrusted),
        ),
    ] {
        assert_eq!(catalogue.problems(), expected.into_iter().collect::<Vec<_>>());
    }
}
