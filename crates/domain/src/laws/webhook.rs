//! How far a webhook got, and what it set aside, under random commands.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;
use crate::{
    Decider, EnterpriseId,
    kit::{at, name, stored, when},
    webhook::{
        Command, Endpoint, Event, PauseCause, Phase, Place, SetAside, Subscription, Trouble,
        Webhook,
    },
};

fn any_place() -> impl Strategy<Value = Place> {
    (0..40_u64, 0..3_u32).prop_map(|(position, ordinal)| Place { position, ordinal })
}

fn any_enterprise() -> impl Strategy<Value = EnterpriseId> {
    (0..4_u8).prop_map(|n| EnterpriseId::parse(&format!("L-{n}")).unwrap())
}

fn any_subscription() -> impl Strategy<Value = Subscription> {
    any_place().prop_map(|after| Subscription {
        label: name("a partner"),
        endpoint: Endpoint::parse("https://partner.example/").unwrap(),
        kinds: [].into(),
        areas: [].into(),
        after,
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    let trouble = select(vec![Trouble::TimedOut, Trouble::Answered(503), Trouble::Unreachable]);
    let cause = select(vec![PauseCause::Operator, PauseCause::Gone]);
    prop_oneof![
        2 => any_subscription().prop_map(Command::Register),
        1 => cause.prop_map(Command::Pause),
        1 => Just(Command::Resume),
        1 => (0..5_u32).prop_map(|generation| Command::RotateSecret { generation }),
        1 => trouble.prop_map(Command::Stall),
        6 => any_place().prop_map(|delivered| Command::Advance { delivered }),
        4 => (any_enterprise(), any_place(), 400..500_u16).prop_map(
            |(enterprise, first, status)| Command::SetAside { enterprise, first, status }),
        3 => (any_enterprise(), any_place())
            .prop_map(|(enterprise, first)| Command::Withhold { enterprise, first }),
        2 => vec(any_enterprise(), 0..3)
            .prop_map(|of| Command::Redrive { enterprises: of.into_iter().collect() }),
        2 => any_enterprise().prop_map(|enterprise| Command::FinishRedrive { enterprise }),
    ]
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn how_far_it_got_only_grows_and_what_is_aside_waits_for_its_redrive(
        commands in vec(any_command(), 1..60), retires in any::<bool>(),
    ) {
        let context = at("2025-03-03T09:00+08:00");
        let mut state = Webhook::default();
        let mut aside: BTreeMap<EnterpriseId, Place> = BTreeMap::new();
        for command in &commands {
            let before = state.clone();
            for event in when(&state, &context, command).unwrap_or_default() {
                prop_assert_eq!(&stored(&event), &event);
                match &event {
                    Event::EventSetAside { enterprise, first, .. } => {
                        let known = before.known().unwrap();
                        let waits = known.set_aside.get(enterprise);
                        prop_assert!(waits.is_none_or(|aside| aside.redriving));
                        aside.insert(enterprise.clone(), *first);
                    }
                    Event::EventsWithheld { enterprise, first, .. } => {
                        let waits = before.known().unwrap().set_aside.get(enterprise);
                        let is_sent = |aside: &SetAside| aside.redriving && aside.first < *first;
                        prop_assert!(waits.is_none_or(is_sent));
                        aside.insert(enterprise.clone(), *first);
                    }
                    Event::EventsRedriven { enterprise } => {
                        prop_assert!(before.known().unwrap().set_aside[enterprise].redriving);
                        aside.remove(enterprise);
                    }
                    Event::WebhookRegistered { .. }
                    | Event::WebhookPaused { .. }
                    | Event::WebhookResumed {}
                    | Event::WebhookRetired {}
                    | Event::SecretRotated { .. }
                    | Event::DeliveryStalled { .. }
                    | Event::DeliveryAdvanced { .. }
                    | Event::RedriveOrdered { .. } => {}
                }
                state = state.evolve(&event);
            }
            let (old, new) = (before.known(), state.known());
            prop_assert!(old.map(|known| known.delivered) <= new.map(|known| known.delivered));
            prop_assert!(old.map(|known| known.generation) <= new.map(|known| known.generation));
            let kept: BTreeMap<EnterpriseId, Place> = new
                .iter()
                .flat_map(|known| &known.set_aside)
                .map(|(enterprise, aside)| (enterprise.clone(), aside.first))
                .collect();
            prop_assert_eq!(&kept, &aside);
        }
        if retires && when(&state, &context, &Command::Retire).is_ok() {
            let retired = state.evolve(&Event::WebhookRetired {});
            for command in commands {
                let events = when(&retired, &context, &command).unwrap_or_default();
                prop_assert_eq!(events, vec![], "nothing happens to a retired one");
            }
            prop_assert_eq!(retired.known().map(|known| known.phase), Some(Phase::Retired));
        }
    }
}
