//! Arbitrary frequency policies and inspection catalogues, sound or not.

use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{
    any_certificate, any_day, any_effect, any_field, any_grade, any_ground, any_item, any_level,
    any_name, any_risk_class, any_rule_id, any_tags, any_unit,
};
use crate::{
    cases::Warnings,
    catalogue::{Catalogue, Item, Mode, Officer, Qualification},
    frequency::{
        Counting, DaysOfMonth, Enterprises, Excess, Floor, FrequencyPolicy, Joint, Rule, Subject,
        VisitTerms, Window,
    },
};

fn any_subject() -> impl Strategy<Value = Subject> {
    select(vec![
        Subject::SameUnit,
        Subject::SameLevel,
        Subject::AllUnits,
        Subject::SameField,
        Subject::SameItem,
        Subject::SameOfficer,
    ])
}

fn any_window() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window::CalendarYear),
        Just(Window::CalendarMonth),
        Just(Window::IsoWeek),
        Just(Window::Day),
        any::<u16>().prop_map(Window::Rolling),
    ]
}

pub(super) fn any_enterprises() -> impl Strategy<Value = Enterprises> {
    let classes = btree_set(any_risk_class(), 0..3);
    (btree_set(any_grade(), 0..3), classes, any_tags())
        .prop_map(|(grades, risk_classes, tags)| Enterprises { grades, risk_classes, tags })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let days = (any_day(), option::of(any_day()), option::of((any::<i8>(), any::<i8>())));
    let who = (any_rule_id(), any_subject(), any_enterprises(), any_window(), any::<u32>());
    let grounds = (btree_set(any_ground(), 0..4), btree_set(any_ground(), 0..6));
    let matters = (btree_set(any_item(), 0..3), btree_set(any_field(), 0..3));
    let counting = select(vec![Counting::All, Counting::WithoutFinding]);
    let how = (counting, select(vec![Joint::Once, Joint::OncePerUnit]), any_effect());
    (who, days, grounds, matters, how, any_name(), any::<bool>()).prop_map(
        |(who, days, (grounds, exempt_grounds), (items, fields), how, source, is_default)| {
            let (id, subject, enterprises, window, maximum) = who;
            let (valid_from, valid_until, days_of_month) = days;
            let (counting, joint, on_exceeding) = how;
            let days_of_month = days_of_month.map(|(from, until)| DaysOfMonth { from, until });
            Rule {
                id,
                subject,
                enterprises,
                window,
                days_of_month,
                maximum,
                items,
                fields,
                grounds,
                exempt_grounds,
                counting,
                joint,
                on_exceeding,
                source,
                is_default,
                valid_from,
                valid_until,
            }
        },
    )
}

fn any_floor() -> impl Strategy<Value = Floor> {
    let what = (any_rule_id(), any_enterprises(), btree_set(any_ground(), 0..4));
    let days = (any_day(), option::of(any_day()));
    (what, any::<u32>(), any::<u8>(), any_name(), any::<bool>(), days).prop_map(
        |((id, enterprises, grounds), minimum, years, source, is_default, days)| Floor {
            id,
            enterprises,
            grounds,
            minimum,
            years,
            source,
            is_default,
            valid_from: days.0,
            valid_until: days.1,
        },
    )
}

pub(super) fn any_frequency_policy() -> impl Strategy<Value = FrequencyPolicy> {
    let excess = any::<(u32, u32, u16)>().prop_map(|(multiple, visits, days)| Excess {
        multiple,
        visits,
        days,
    });
    let visits = (any::<(u16, u16, u16, u16)>(), any::<(u32, u8, u8)>()).prop_map(
        |((approval_days, tell_days, backfill_days, near_days), (place_metres, blue, yellow))| {
            VisitTerms {
                approval_days,
                tell_days,
                backfill_days,
                near_days,
                place_metres,
                warnings: Warnings { blue_percent: blue, yellow_percent: yellow },
            }
        },
    );
    (vec(any_rule(), 0..3), vec(any_floor(), 0..3), excess, visits).prop_map(
        |(rules, floors, excess, visits)| FrequencyPolicy { rules, floors, excess, visits },
    )
}

fn any_listed_item() -> impl Strategy<Value = Item> {
    let modes = btree_set(select(vec![Mode::OnSite, Mode::OffSite]), 0..3);
    let named = (any_item(), any_name(), any_field(), any_name());
    (named, modes, any::<bool>(), vec(any_name(), 0..3)).prop_map(
        |((id, title, field, legal_basis), modes, trigger_only, checklist)| Item {
            id,
            title,
            field,
            legal_basis,
            modes,
            trigger_only,
            checklist,
        },
    )
}

pub(super) fn any_catalogue() -> impl Strategy<Value = Catalogue> {
    let qualification = prop_oneof![
        Just(Qualification::Organ),
        any_name().prop_map(|basis| Qualification::Authorised { basis }),
        (any_unit(), any_day()).prop_map(|(by, until)| Qualification::Entrusted { by, until }),
    ];
    let officer = (any_certificate(), any_day(), any_day()).prop_map(
        |(certificate, valid_from, valid_until)| Officer { certificate, valid_from, valid_until },
    );
    let lists = (vec(officer, 0..3), vec(any_listed_item(), 0..3), btree_set(any_ground(), 0..4));
    (any_unit(), any_level(), qualification, lists).prop_map(
        |(unit, level, qualification, (officers, items, triggers))| Catalogue {
            unit,
            level,
            qualification,
            officers,
            items,
            triggers,
        },
    )
}
