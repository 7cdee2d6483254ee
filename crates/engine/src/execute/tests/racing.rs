//! Random policies and plans that race on three engines: no limit is overshot by what was accepted, and
//! what was refused is what the question beforehand foretells.
//!
//! The oracle counts days by itself; it calls no rule.

use jiff::{ToSpan, civil::Date};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use super::*;

/// The first day that is planned for; a Friday.
const FIRST: Date = date(2025, 5, 2);
const UNITS: [&str; 3] = ["fire", "tax", "water"];
const ENGINES: usize = 3;

#[derive(Debug, Clone)]
struct Limit {
    by_unit: bool,
    window: Window,
    maximum: u32,
}

#[derive(Debug, Clone)]
struct Wish {
    unit: usize,
    day: i8,
    exempt: bool,
}

impl Wish {
    fn on(&self) -> Date {
        FIRST.saturating_add(i32::from(self.day).days())
    }

    fn command(&self, n: u128) -> visits::Command {
        let ground = if self.exempt { Ground::Complaint } else { Ground::Routine };
        let evidence = doudi_domain::Reference::parse("12345-0001").unwrap();
        let visits::Command::Plan(plan) = plan(n, UNITS[self.unit]) else { panic!("a plan") };
        visits::Command::Plan(Plan { ground, evidence: Some(evidence), on: self.on(), ..plan })
    }
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let fixed =
        select(vec![Window::CalendarYear, Window::CalendarMonth, Window::IsoWeek, Window::Day]);
    let window = prop_oneof![fixed, (2..40_u16).prop_map(Window::Rolling)];
    (any::<bool>(), window, 1..4_u32).prop_map(|(by_unit, window, maximum)| Limit {
        by_unit,
        window,
        maximum,
    })
}

fn any_wish() -> impl Strategy<Value = Wish> {
    (0..UNITS.len(), 0..45_i8, prop::bool::weighted(0.2)).prop_map(|(unit, day, exempt)| Wish {
        unit,
        day,
        exempt,
    })
}

fn policy_of(limits: &[Limit]) -> Document {
    let Document::Frequency(sample) = visits_by_all(1) else { panic!("limits") };
    let rule = |(n, limit): (usize, &Limit)| Rule {
        id: doudi_domain::RuleId::parse(&format!("rule-{n}")).unwrap(),
        subject: if limit.by_unit { Subject::SameUnit } else { Subject::AllUnits },
        window: limit.window,
        maximum: limit.maximum,
        exempt_grounds: [Ground::Complaint].into(),
        ..sample.rules[0].clone()
    };
    let rules = limits.iter().enumerate().map(rule).collect();
    Document::Frequency(FrequencyPolicy { rules, ..sample })
}

/// Whether two days lie in one window of its kind.
fn together(window: Window, a: Date, b: Date) -> bool {
    match window {
        Window::CalendarYear => a.year() == b.year(),
        Window::CalendarMonth => (a.year(), a.month()) == (b.year(), b.month()),
        Window::IsoWeek => {
            let week = |day: Date| (day.iso_week_date().year(), day.iso_week_date().week());
            week(a) == week(b)
        }
        Window::Day => a == b,
        Window::Rolling(days) => (0..i32::from(days)).contains(&(b - a).get_days()),
    }
}

/// The most accepted visits that any window of the limit holds.
fn most(limit: &Limit, accepted: &[Wish]) -> usize {
    let counted: Vec<&Wish> = accepted.iter().filter(|wish| !wish.exempt).collect();
    let beside = |one: &Wish| {
        let same = |other: &&&Wish| !limit.by_unit || other.unit == one.unit;
        let near = |other: &&&Wish| together(limit.window, one.on(), other.on());
        counted.iter().filter(same).filter(near).count()
    };
    counted.iter().map(|one| beside(one)).max().unwrap_or(0)
}

async fn race(limits: Vec<Limit>, wishes: Vec<Wish>) {
    let journal = Journal::Memory(Memory::default());
    let engines: Vec<Engine> = (0..ENGINES).map(|_| engine(&journal)).collect();
    let profile = streams::profile(&enterprise()).unwrap();
    engines[0].execute::<Profile>(&profile, &register("旅顺造船"), &envelope(1)).await.unwrap();
    publish(&engines[0], policy_of(&limits), 1_000_000).await;
    for (n, unit) in (0_u128..).zip(UNITS) {
        publish(&engines[0], catalogue(unit, 1), 1_100_000 + 2 * n).await;
    }
    let visits = streams::visits(&enterprise()).unwrap();
    let tries = (0_u128..).zip(&wishes).map(|(n, wish)| {
        let engine = engines[usize::try_from(n).unwrap() % ENGINES].clone();
        let (visits, command) = (visits.clone(), wish.command(100 + n));
        tokio::spawn(async move {
            // Whoever lost the race as often as an engine tries says the same again, as clients do.
            loop {
                let said = engine.execute::<Visits>(&visits, &command, &envelope(100 + n)).await;
                if !matches!(said, Err(ExecuteError::Contended { .. })) {
                    return said;
                }
            }
        })
    });
    let outcomes = futures::future::join_all(tries.collect::<Vec<_>>()).await;
    let mut accepted = vec![];
    for ((n, wish), outcome) in (0_u128..).zip(&wishes).zip(outcomes) {
        let command = wish.command(100 + n);
        let visits::Command::Plan(plan) = &command else { panic!("a plan") };
        // Places are only taken here, so what was refused is refused now as well.
        let foretold = engines[0]
            .consider::<Visits, _>(&visits, &command, |folded, context| {
                folded.state.explain(context, plan)
            })
            .await
            .unwrap();
        match outcome.unwrap() {
            Ok(_) => accepted.push(wish.clone()),
            Err(ExecuteError::Rejected(rejection)) => {
                assert!(!wish.exempt, "{wish:?}: {rejection:?}");
                assert!(matches!(rejection, visits::Rejection::CapReached { .. }), "{rejection:?}");
                assert!(foretold.rejection.is_some(), "{wish:?}");
                continue;
            }
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(foretold.rejection, None, "{wish:?} is planned");
    }
    for limit in &limits {
        let found = most(limit, &accepted);
        assert!(found <= usize::try_from(limit.maximum).unwrap(), "{found} under {limit:?}");
    }
    // A limit that leaves nobody out was none.
    assert!(!accepted.is_empty());
}

#[test]
fn no_random_policy_is_overshot_by_plans_that_race() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let inputs = (vec(any_limit(), 1..4), vec(any_wish(), 12..30));
    TestRunner::new(config)
        .run(&inputs, |(limits, wishes)| {
            prop_assume!(policy_of(&limits).problems().is_empty());
            runtime.block_on(race(limits, wishes));
            Ok(())
        })
        .unwrap();
}
