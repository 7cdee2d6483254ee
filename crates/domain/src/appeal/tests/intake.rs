//! Submission, acceptance, redirection, class and level.

use super::*;
use crate::{CaseTypeId, cases::Level};

#[test]
fn the_same_id_with_another_content_is_refused() {
    let other = Command::Submit(Submission { channel: Channel::Web, ..submission() });
    for life in [Life::submitted(), Life::closed()] {
        assert_eq!(life.refuses(&other), Rejection::SubmittedDifferently);
    }
}

#[test]
fn an_unknown_topic_or_area_goes_to_a_desk_and_is_never_lost() {
    let elsewhere = Submission { topic: topic("X99"), area: area("999999"), ..submission() };
    let life = Life::of(elsewhere).then(Command::Accept);
    assert_eq!(life.clock(ClockKind::Dispatch).owner, by("desk-city"));
    let life = life.then(Command::Dispatch { to: None });
    assert_eq!((life.lead(), life.case().guarantee), ("justice", Some(Trigger::NoOwner)));
    let known_area = Submission { topic: topic("X99"), ..submission() };
    let life = Life::of(known_area).then(Command::Accept).then(Command::Dispatch { to: None });
    assert_eq!((life.lead(), life.case().guarantee), ("desk-210212", None));
}

#[test]
fn intake_goes_on_with_nothing_published() {
    let absent = Life { world: World::default(), ..Life::absent() };
    let life = absent.then(Command::Submit(submission()));
    let clock = life.clock(ClockKind::Accept);
    assert_eq!(clock.owner, Owner::CityDesk);
    assert_eq!(clock.due, moment("2025-04-28T17:00+08:00"), "the weekday rule alone");
    assert_eq!((clock.derivation.calendar_version, clock.derivation.provisional), (0, true));
    let life = life.then(Command::Accept);
    assert_eq!(life.refuses(&Command::Dispatch { to: None }), Rejection::RoutingUnpublished);
}

#[test]
fn a_case_type_and_a_class_must_be_published() {
    let unheard = CaseTypeId::parse("unheard-of").unwrap();
    let refused =
        when(&Appeal::Absent, &world().at(FRIDAY), &Command::Submit(of_type("unheard-of")));
    assert_eq!(refused, Err(Rejection::CaseTypeUnknown(unheard)));
    let of_class = Submission { class: Some(class("red")), ..submission() };
    let refused = when(&Appeal::Absent, &world().at(FRIDAY), &Command::Submit(of_class));
    assert_eq!(refused, Err(Rejection::ClassUnknown(class("red"))));
    let refused = Life::submitted().refuses(&reclassify("red"));
    assert_eq!(refused, Rejection::ClassUnknown(class("red")));
}

#[test]
fn only_before_dispatch_is_it_redirected() {
    for life in [Life::submitted(), Life::accepted()] {
        let gone = life.then(redirect());
        assert_eq!(gone.phase(), PhaseName::Redirected);
        assert_eq!(gone.kinds(), []);
        let other = Command::Redirect { channel: LawfulChannel::Petition, guidance: text() };
        assert_eq!(gone.tries(&other), "needs submitted or accepted");
    }
    for life in [Life::dispatched(), Life::contested(), Life::guaranteed(), Life::closed()] {
        assert_eq!(life.tries(&redirect()), "needs submitted or accepted");
    }
}

#[test]
fn the_level_of_the_body_complained_of_decides_who_is_competent() {
    let about = |level| {
        let submission = Submission { about_level: level, ..of_type("fair-competition") };
        Life::of(submission).then(Command::Accept)
    };
    for level in [None, Some(Level::District), Some(Level::City)] {
        let life = about(level).then(Command::Dispatch { to: None });
        assert_eq!(life.lead(), "market-regulation", "{level:?}, whatever the topic");
    }
    let outside = about(Some(Level::Province));
    let refused = outside.refuses(&Command::Dispatch { to: None });
    assert!(matches!(refused, Rejection::CompetentElsewhere { .. }));
    assert_eq!(outside.refuses(&dispatch("tax")), refused, "nor does a unit named by hand");
    let buttons = outside.case().allowed(&outside.world.then(outside.now), &Party::Desk);
    let send = buttons.into_iter().find(|found| found.action == Action::Dispatch).unwrap();
    assert_eq!(send.missing, Some(refused));
    assert_eq!(outside.clone().then(redirect()).phase(), PhaseName::Redirected);
    // Nobody redirected it either: it is not left lying.
    let left = outside.wait("2025-04-27T17:00+08:00");
    assert_eq!(left.case().guarantee, Some(Trigger::Overdue));
}

#[test]
fn a_tax_dispute_has_its_own_grades_which_are_no_clock_colours() {
    for (grade, days) in [("blue", 5), ("yellow", 15), ("red", 30)] {
        let graded = Submission { class: Some(class(grade)), ..of_type("tax-dispute") };
        let life = Life::of(graded).then(Command::Accept).then(Command::Dispatch { to: None });
        let clock = life.clock(ClockKind::Resolve);
        assert_eq!((life.lead(), clock.working_days, clock.level()), ("tax", days, None));
    }
}

#[test]
fn another_class_counts_from_the_same_start() {
    let life = Life::in_handling().at("2025-04-30T09:00+08:00").then(reclassify("complex"));
    let clock = life.clock(ClockKind::Resolve);
    assert_eq!(clock.due, moment("2025-05-20T17:00+08:00"));
    assert_eq!(clock.start, moment(FRIDAY));
    assert_eq!(life.tries(&reclassify("complex")), "nothing");
    let back = life.then(reclassify("general"));
    assert_eq!(back.clock(ClockKind::Resolve).due, moment("2025-05-06T17:00+08:00"));
    let early = Life::submitted().then(reclassify("several-units")).then(Command::Accept);
    let early = early.then(Command::Dispatch { to: None });
    assert_eq!(early.clock(ClockKind::Resolve).working_days, 30);
}

#[test]
fn what_is_overdue_stays_overdue_in_another_class() {
    // The scheduler has not come yet, and somebody is quicker.
    let life = Life::in_handling().at("2025-05-06T17:00+08:00").then(reclassify("several-units"));
    assert_eq!(life.clock(ClockKind::Resolve).due, life.now);
    let red = life.wait("2025-05-06T17:00+08:00");
    assert_eq!(red.case().guarantee, Some(Trigger::Overdue));
    assert_eq!(red.clock(ClockKind::Resolve).working_days, 30, "it holds for the guarantee unit");
}

#[test]
fn nothing_personal_is_added_after_erasure_and_the_case_still_ends() {
    for (life, command) in [
        (Life::in_handling(), resolve("power-supply")),
        (Life::resolved(), object("cmVhc29u")),
        (Life::closed(), reopen("cmVhc29u")),
        (Life::in_handling(), note(1)),
        (Life::in_handling(), attach(1)),
        (Life::in_handling(), split(4)),
        (Life::submitted(), redirect()),
        (Life::dispatched(), contest("power-supply", None)),
        (Life::in_handling(), ask_extension("power-supply", 1)),
        (Life::in_handling(), ask("power-supply", "tax", "YXNr")),
        (Life::guaranteed(), convene("justice", &["tax"], 1)),
    ] {
        assert_eq!(life.then(erase()).refuses(&command), Rejection::Erased, "{command:?}");
    }
    let open = [
        Life::submitted(),
        Life::accepted(),
        Life::contested(),
        Life::guaranteed(),
        Life::resolved(),
    ];
    for life in open {
        let closed = life.then(erase()).then(Command::Close).then(Command::MarkKeyDestroyed);
        assert_eq!(closed.phase(), PhaseName::Closed);
        assert_eq!((closed.kinds(), closed.case().erased), (vec![], Erasure::Done));
    }
}

#[test]
fn events_before_the_submission_change_nothing() {
    let log = Life::closed().log;
    assert_eq!(crate::kit::given::<Appeal>(&log[1..]), Appeal::Absent);
}
