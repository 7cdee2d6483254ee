//! Case types, calendar and routing that are in force already change nothing when they are tried out.

use uuid::Uuid;

use super::*;
use crate::{
    AppealId, EnterpriseId, codec,
    kit::shipped_cases,
    policy::{self, Document},
    what_if::{Days, Report, Told, WhatIf},
};

/// Only with the events that it asks for, if so.
fn tried(candidate: &Document, in_force: &[(u32, Document)], trial: &Trial, picky: bool) -> Report {
    let mut what_if = WhatIf::new(candidate.clone(), Days::default(), Box::new(|_| true)).unwrap();
    for (version, document) in in_force {
        let (version, document) = (*version, document.clone());
        if what_if.reads("policy", Some(&document.name().to_string())) {
            let drafted = policy::Event::PolicyDrafted { version, document };
            let published = policy::Event::PolicyPublished { version };
            what_if.take(Timestamp::UNIX_EPOCH, Told::Policy(vec![drafted, published]));
        }
    }
    let wanted = |event: &&Event| {
        let name = codec::encode(*event).expect("it has a stored name").name;
        !picky || what_if.wants(Appeal::KIND, name)
    };
    let events: Vec<Event> = trial.log.iter().filter(wanted).cloned().collect();
    let of = EnterpriseId::parse("L-1").unwrap();
    what_if.take(trial.now, Told::Appeal(of, AppealId(Uuid::from_u128(1)), events));
    what_if.report(trial.now)
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_is_in_force_already_changes_nothing(
        submission in any_submission(),
        opening in any_opening(),
        history in vec(any_move(), 1..60),
        days in 1..30_u16,
    ) {
        let mut trial = Trial::begin(submission)?;
        let routing = trial.world.routing.clone().unwrap();
        // A promise outlives the calendar that it was made by: one calendar for all.
        let one_calendar = |happens: &Move| !matches!(happens, Move::Calendar(..));
        for happens in opening.into_iter().chain(history).filter(one_calendar) {
            trial.makes(happens)?;
        }
        let calendar = trial.world.calendar.clone().unwrap();
        let documents = [
            (5, Document::Routing(routing)),
            (7, Document::Calendar(calendar)),
            (0, Document::CaseTypes(shipped_cases())),
        ];
        for (_, same) in &documents {
            let report = tried(same, &documents[..2], &trial, true);
            prop_assert_eq!(&report.changes, &[].into(), "{:?}", same.name());
        }
        let mut other = shipped_cases();
        for class in other.types.iter_mut().flat_map(|kind| &mut kind.classes) {
            class.resolve = days;
        }
        let other = Document::CaseTypes(other);
        let report = tried(&other, &documents[..2], &trial, true);
        prop_assert!(report.compared > 0);
        prop_assert_eq!(report, tried(&other, &documents[..2], &trial, false));
    }
}
