//! Records of devices in any order, cut anywhere, handed in twice: none is lost, none doubled.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::{cases, officers, unit_of, visit, world};
use crate::{
    CodeId, Decider, DeviceId, EnterpriseId, VisitId,
    kit::{day, moment, policy_of, when},
    visits::{CheckIn, Command, Event, Kept, Manner, Plan, Proof, Visits, What},
};

/// A visit whose only trace is in records: who was there when, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
struct Trace {
    visit: u8,
    device: u8,
    hours: i64,
    minutes: i64,
    on_the_spot: bool,
}

fn any_trace() -> impl Strategy<Value = Trace> {
    (1..5_u8, 1..4_u8, 0..300_i64, -20..200_i64, any::<bool>()).prop_map(
        |(visit, device, hours, minutes, on_the_spot)| Trace {
            visit,
            device,
            hours,
            minutes,
            on_the_spot,
        },
    )
}

fn plan(n: u8) -> Plan {
    let items = [crate::kit::item("SC-0101")].into();
    Plan {
        visit: visit(n),
        unit: unit_of(n),
        officers: officers(0, 2),
        items,
        shares: [].into(),
        ground: crate::frequency::Ground::Urgent,
        evidence: None,
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: day("2025-03-03"),
    }
}

/// The two records of a trace; devices belong to units, not always the right one.
fn records((counter, trace): (u64, &Trace)) -> [Kept; 2] {
    let device = DeviceId(Uuid::from_u128(u128::from(trace.device)));
    let came = moment("2025-03-03T09:00+08:00") + SignedDuration::from_hours(trace.hours);
    let kept = |counter, what| Kept {
        device,
        counter,
        unit: if trace.device == 3 { unit_of(0) } else { unit_of(trace.visit) },
        enterprise: EnterpriseId::parse("L-1").unwrap(),
        visit: visit(trace.visit),
        what,
        doubts: [].into(),
    };
    let counter = 2 * counter + 1;
    let check_in = CheckIn {
        officers: officers(0, 2),
        occurred_at: came,
        manner: Manner::Kept { device, counter },
        proof: Proof::RotatingCode { code: CodeId(Uuid::from_u128(u128::from(counter))) },
        place: None,
    };
    let improvised = trace.on_the_spot.then(|| plan(trace.visit));
    let left = came + SignedDuration::from_mins(trace.minutes);
    [
        kept(counter, What::CheckedIn { check_in, improvised }),
        kept(counter + 1, What::CheckedOut { occurred_at: left }),
    ]
}

/// Whether the event is what the record says coming into effect.
fn is_effect(event: &Event, record: &Kept) -> bool {
    match (event, &record.what) {
        (
            Event::VisitCheckedIn { visit, check_in: known, .. },
            What::CheckedIn { check_in, .. },
        ) => *visit == record.visit && known == check_in,
        (
            Event::VisitCheckedOut { visit, occurred_at: known, .. },
            What::CheckedOut { occurred_at },
        ) => *visit == record.visit && known == occurred_at,
        _ => false,
    }
}

fn is_aside(event: &Event, record: &Kept) -> bool {
    matches!(event, Event::ScanSetAside { record: known, .. } if known == record)
}

/// Hands the records in, a few at a time, and tells what happened.
fn hand_in(state: &mut Visits, records: &[Kept], cut: usize) -> Vec<Event> {
    let world = world(policy_of(vec![]));
    let context = world.at("2025-03-14T09:00+08:00");
    let mut events = vec![];
    for chunk in records.chunks(cut) {
        let command = Command::TakeIn { records: chunk.to_vec() };
        let new = when(state, &context, &command).expect("nothing is refused");
        *state = new.iter().fold(state.clone(), Visits::evolve);
        events.extend(new);
    }
    events
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_record_is_in_effect_or_set_aside_and_once(
        (traces, records) in vec(any_trace(), 1..8).prop_flat_map(|traces| {
            let records: Vec<Kept> = (0..).zip(&traces).flat_map(records).collect();
            (Just(traces), Just([records.clone(), records].concat()).prop_shuffle())
        }),
        cut in 1..6_usize,
    ) {
        let mut state = Visits::default();
        let events = hand_in(&mut state, &records, cut);
        prop_assert_eq!(records.len(), 4 * traces.len(), "each twice");
        for record in &records {
            let effects = events.iter().filter(|event| is_effect(event, record)).count();
            let asides = events.iter().filter(|event| is_aside(event, record)).count();
            prop_assert!(effects <= 1 && asides <= 1, "doubled: {:?}", record);
            prop_assert!(effects + asides >= 1, "lost: {:?}", record);
            if effects + asides == 2 {
                let at = |is: fn(&Event, &Kept) -> bool| events.iter().position(|e| is(e, record));
                prop_assert!(at(is_aside) < at(is_effect), "what is in effect stays so");
            }
        }
        prop_assert_eq!(hand_in(&mut state, &records, cut), vec![], "a third time is nothing");
    }

    #[test]
    fn the_order_of_records_changes_nothing_about_a_visit(
        (records, shuffled) in vec(1..99_i64, 4).prop_flat_map(|minutes| {
            let trace = |(n, minutes): (u8, &i64)| Trace {
                visit: n,
                device: 1,
                hours: i64::from(n),
                minutes: *minutes,
                on_the_spot: true,
            };
            let traces: Vec<Trace> = (1..).zip(&minutes).map(trace).collect();
            let records: Vec<Kept> = (0..).zip(&traces).flat_map(records).collect();
            (Just(records.clone()), Just(records).prop_shuffle())
        }),
        cut in 1..6_usize,
    ) {
        let told = |records: &[Kept]| {
            let mut state = Visits::default();
            hand_in(&mut state, records, cut);
            let of = |known: &crate::visits::Visit| {
                (known.plan.visit, (known.checked_in_at(), known.left_at))
            };
            state.all().map(of).collect::<BTreeMap<VisitId, _>>()
        };
        let in_order = told(&records);
        prop_assert!(in_order.values().all(|(came, left)| came.is_some() && left.is_some()));
        prop_assert_eq!(told(&shuffled), in_order);
    }
}
