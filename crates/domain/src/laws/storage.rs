//! Every event is read as it was written, and no order of events breaks a state.

use proptest::{collection::vec, prelude::*};

use super::{
    arbitrary::{
        any_moment, appeal_event, campaign_event, draw_event, enterprise_event, policy_event,
        visits_event,
    },
    cases,
};
use crate::{
    appeal::{self, Appeal},
    calendar::civil_date,
    campaign::{self, Campaign},
    draw::{self, Draw},
    enterprise::Profile,
    kit::{given, stored},
    policy::Policy,
    visits::Visits,
};

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn visits_survive_storage_in_any_order(events in vec(visits_event(), 0..12)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        let state: Visits = given(&events);
        drop(state);
    }

    #[test]
    fn appeals_survive_storage_in_any_order(events in vec(appeal_event(), 0..12)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        let state: Appeal = given(&events);
        let submitted =
            events.iter().any(|event| matches!(event, appeal::Event::AppealSubmitted { .. }));
        prop_assert_eq!(state.known().is_some(), submitted);
    }

    #[test]
    fn profiles_survive_storage_in_any_order(events in vec(enterprise_event(), 0..12)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        drop(given::<Profile>(&events));
    }

    #[test]
    fn policies_survive_storage_in_any_order(events in vec(policy_event(), 0..8)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        let state: Policy = given(&events);
        let read = [
            state.frequency().is_some(),
            state.routing().is_some(),
            state.calendar().is_some(),
            state.case_types().is_some(),
            state.catalogue().is_some(),
        ];
        let found = read.into_iter().filter(|is| *is).count();
        prop_assert_eq!(found, usize::from(state.published().is_some()));
    }

    #[test]
    fn campaigns_survive_storage_in_any_order(events in vec(campaign_event(), 0..8)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        let state: Campaign = given(&events);
        let proposed =
            events.iter().any(|event| matches!(event, campaign::Event::CampaignProposed { .. }));
        prop_assert_eq!(state.plan().is_some(), proposed);
    }

    #[test]
    fn draws_survive_storage_in_any_order(events in vec(draw_event(), 0..8)) {
        for event in &events {
            prop_assert_eq!(&stored(event), event);
        }
        let state: Draw = given(&events);
        let opened = events.iter().any(|event| matches!(event, draw::Event::DrawOpened { .. }));
        prop_assert_eq!(state.opening().is_some(), opened);
    }

    #[test]
    fn every_moment_has_a_civil_date(moment in any_moment()) {
        let utc = jiff::tz::offset(0).to_datetime(moment).date();
        let ahead = civil_date(moment).duration_since(utc).as_hours();
        prop_assert!(ahead == 0 || ahead == 24, "Shanghai is ahead of UTC");
    }
}
