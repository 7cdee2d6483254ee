//! Arbitrary events of visits, in any order.

use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{
    any_area, any_code, any_day, any_field, any_ground, any_item, any_level, any_moment,
    any_officers, any_place, any_reference, any_standing, any_unit, any_visit,
    appeal::{any_appeal, any_clock, any_step},
    few, few_with,
};
use crate::{
    CampaignId, DeviceId, EnterpriseId, FewSet,
    frequency::Party,
    visits::{
        CancelReason, CheckIn, Event, Irregularity, ItemResult, Kept, Manner, OffSiteCheck,
        Outcome, Plan, Proof, RefusalReason, SetAside, Share, What,
    },
};

fn any_irregularities() -> impl Strategy<Value = FewSet<Irregularity>> {
    let each = select(vec![
        Irregularity::NotApproved,
        Irregularity::AfterCancellation,
        Irregularity::AfterExpiry,
        Irregularity::BeforePlannedDay,
        Irregularity::TooFewOfficers,
        Irregularity::LimitsUnchecked,
        Irregularity::OfficerInvalid,
        Irregularity::AfterRefusal,
        Irregularity::AfterMerge,
        Irregularity::Unplanned,
        Irregularity::OutsideCatalogue,
        Irregularity::EvidenceMissing,
        Irregularity::Held,
        Irregularity::BackfilledLate,
        Irregularity::CodeMissing,
        Irregularity::CodeInvalid,
        Irregularity::CodeOfOther,
        Irregularity::CodeRevoked,
        Irregularity::CodeReplayed,
        Irregularity::PlaceImplausible,
        Irregularity::ClockSuspect,
        Irregularity::DeviceCloned,
        Irregularity::ChainBroken,
        Irregularity::EnterpriseUnregistered,
    ]);
    few(each, 0..4)
}

fn any_cancel_reason() -> impl Strategy<Value = CancelReason> {
    select(vec![
        CancelReason::TaskWithdrawn,
        CancelReason::CoveredByOther,
        CancelReason::EnterpriseGone,
        CancelReason::OfficersUnavailable,
    ])
}

fn any_refusal_reason() -> impl Strategy<Value = RefusalReason> {
    select(vec![
        RefusalReason::OfficersUnidentified,
        RefusalReason::NotApproved,
        RefusalReason::ItemsDiffer,
        RefusalReason::TooOften,
        RefusalReason::CodeNotSound,
    ])
}

fn any_share() -> impl Strategy<Value = Share> {
    (any_officers(), few(any_item(), 0..4)).prop_map(|(officers, items)| Share { officers, items })
}

fn any_party() -> impl Strategy<Value = Party> {
    (any_unit(), option::of(any_level())).prop_map(|(unit, level)| Party { unit, level })
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let who = (any_visit(), any_unit(), any_share(), few_with(any_unit(), any_share(), 0..3));
    let papers =
        (option::of(any_reference()), option::of(any_reference()), option::of(any_reference()));
    let because = (option::of(any::<u128>()), option::of(any_visit()));
    (who, any_ground(), papers, because, any_day()).prop_map(
        |(who, ground, papers, (campaign, recheck_of), on)| {
            let (visit, unit, Share { officers, items }, shares) = who;
            let (evidence, justification, on_site_reason) = papers;
            Plan {
                visit,
                unit,
                officers,
                items,
                shares,
                ground,
                evidence,
                justification,
                on_site_reason,
                campaign: campaign.map(|id| CampaignId(Uuid::from_u128(id))),
                recheck_of,
                on,
            }
        },
    )
}

/// What is recorded of any plan, by whichever rules.
fn visit_planned() -> impl Strategy<Value = Event> {
    let listed = (few_with(any_item(), any_field(), 0..3), few_with(any_item(), 1..9_u16, 0..3));
    let versions =
        (any::<u32>(), option::of(any::<u32>()), few_with(any_unit(), any::<u32>(), 0..3));
    let (parties, standings) = (vec(any_party(), 0..3), vec(any_standing(), 0..3));
    (any_plan(), option::of(any_area()), versions, parties, listed, standings).prop_map(
        |(plan, area, versions, parties, (fields, lines), standings)| {
            let (policy_version, catalogue_version, co_catalogues) = versions;
            Event::VisitPlanned {
                plan,
                area,
                policy_version,
                catalogue_version,
                co_catalogues,
                parties,
                fields,
                lines,
                standings,
            }
        },
    )
}

fn visits_merged() -> impl Strategy<Value = Event> {
    let listed = (few_with(any_item(), any_field(), 0..3), few_with(any_item(), 1..9_u16, 0..3));
    let who = (any_visit(), any_visit(), any_party(), any_share());
    (who, listed, any::<bool>(), vec(any_standing(), 0..3)).prop_map(
        |((visit, into, party, share), (fields, lines), approved, standings)| Event::VisitsMerged {
            visit,
            into,
            party,
            share,
            fields,
            lines,
            approved,
            standings,
        },
    )
}

fn any_result() -> impl Strategy<Value = ItemResult> {
    let outcome = prop_oneof![
        Just(Outcome::Pass),
        Just(Outcome::CorrectedOnTheSpot),
        any_day().prop_map(Outcome::RectifyBy),
        Just(Outcome::CaseFiled),
        Just(Outcome::TransferredToPolice),
    ];
    (any_item(), outcome, few(any::<u16>(), 0..3)).prop_map(|(item, outcome, unmet)| ItemResult {
        item,
        outcome,
        unmet,
    })
}

fn any_device() -> impl Strategy<Value = DeviceId> {
    (1..4_u128).prop_map(|n| DeviceId(Uuid::from_u128(n)))
}

fn any_check_in() -> impl Strategy<Value = CheckIn> {
    let manner = prop_oneof![
        Just(Manner::Live),
        (any_device(), any::<u64>()).prop_map(|(device, counter)| Manner::Kept { device, counter }),
        any_reference().prop_map(|reason| Manner::Backfilled { reason }),
        Just(Manner::Stated),
    ];
    let proof = prop_oneof![
        Just(Proof::Nothing),
        any_code().prop_map(|code| Proof::PrintedCode { code }),
        any_code().prop_map(|code| Proof::RotatingCode { code }),
        any_code().prop_map(|code| Proof::TaskCode { code }),
    ];
    (any_officers(), any_moment(), manner, proof, option::of(any_place())).prop_map(
        |(officers, occurred_at, manner, proof, place)| CheckIn {
            officers,
            occurred_at,
            manner,
            proof,
            place,
        },
    )
}

fn any_kept() -> impl Strategy<Value = Kept> {
    let what = prop_oneof![
        (any_check_in(), option::of(any_plan()))
            .prop_map(|(check_in, improvised)| What::CheckedIn { check_in, improvised }),
        any_moment().prop_map(|occurred_at| What::CheckedOut { occurred_at }),
    ];
    let by = (any_device(), any::<u64>(), any_unit(), "L-[A-Z0-9]{1,16}", any_visit());
    (by, what, any_irregularities()).prop_map(
        |((device, counter, unit, enterprise, visit), what, doubts)| Kept {
            device,
            counter,
            unit,
            enterprise: EnterpriseId::parse(&enterprise).unwrap(),
            visit,
            what,
            doubts,
        },
    )
}

fn any_off_site() -> impl Strategy<Value = OffSiteCheck> {
    (any_visit(), any_unit(), any_moment(), any_reference(), vec(any_result(), 0..3)).prop_map(
        |(check, unit, occurred_at, basis, results)| OffSiteCheck {
            check,
            unit,
            occurred_at,
            basis,
            results,
        },
    )
}

/// Up to the door, and what was told there.
fn arriving_event() -> BoxedStrategy<Event> {
    let reason = select(vec![
        SetAside::VisitUnknown,
        SetAside::OtherUnit,
        SetAside::AlreadyCheckedIn,
        SetAside::NotCheckedIn,
        SetAside::OutBeforeIn,
        SetAside::InFuture,
    ]);
    prop_oneof![
        (any_visit(), any::<u32>(), any_day(), any_day()).prop_map(
            |(visit, count, from, until)| Event::VisitsExcessive { visit, count, from, until }
        ),
        (any_visit(), any_standing())
            .prop_map(|(visit, standing)| Event::RepeatVisits { visit, standing }),
        (any_visit(), any_standing())
            .prop_map(|(visit, standing)| Event::CapExceeded { visit, standing }),
        (any_visit(), option::of(any_unit()))
            .prop_map(|(visit, unit)| Event::VisitApproved { visit, unit }),
        any_visit().prop_map(|visit| Event::VisitNotified { visit }),
        (any_visit(), any_unit(), any_cancel_reason()).prop_map(|(visit, unit, reason)| {
            Event::UnitWithdrew { visit, unit, reason, tell: None }
        }),
        (any_visit(), any_check_in(), any_irregularities()).prop_map(
            |(visit, check_in, irregularities)| Event::VisitCheckedIn {
                visit,
                check_in,
                irregularities,
                tell: None,
                counts_on: None
            }
        ),
        (any_visit(), any_clock()).prop_map(|(visit, clock)| Event::ApprovalOwed { visit, clock }),
        (any_kept(), reason).prop_map(|(record, reason)| Event::ScanSetAside { record, reason }),
    ]
    .boxed()
}

/// What comes after, or instead.
fn later_event() -> BoxedStrategy<Event> {
    let of_item = || (any_visit(), any_unit(), any_item());
    let results = vec(any_result(), 0..4);
    prop_oneof![
        (any_visit(), any_moment(), any_irregularities()).prop_map(
            |(visit, occurred_at, irregularities)| Event::VisitCheckedOut {
                visit,
                occurred_at,
                irregularities
            }
        ),
        (any_visit(), option::of(any_unit()), results, option::of(any_clock())).prop_map(
            |(visit, unit, results, tell)| Event::ResultReported { visit, unit, results, tell }
        ),
        (any_visit(), any_reference())
            .prop_map(|(visit, document)| Event::EnterpriseTold { visit, document }),
        (of_item(), any_reference()).prop_map(|((visit, unit, item), document)| {
            Event::RectificationReported { visit, unit, item, document }
        }),
        (of_item(), option::of(any_visit())).prop_map(|((visit, unit, item), recheck)| {
            Event::RectificationAccepted { visit, unit, item, recheck }
        }),
        (of_item(), any_day()).prop_map(|((visit, unit, item), by)| {
            Event::RectificationOverdue { visit, unit, item, by }
        }),
        (any_visit(), vec(any_step(), 0..4), any_clock())
            .prop_map(|(visit, steps, clock)| Event::ClockStepsTaken { visit, steps, clock }),
        any_visit().prop_map(|visit| Event::VisitClosed { visit }),
        (any_visit(), any_cancel_reason())
            .prop_map(|(visit, reason)| Event::VisitCancelled { visit, reason }),
        (any_visit(), any_refusal_reason())
            .prop_map(|(visit, reason)| Event::VisitRefused { visit, reason }),
        any_visit().prop_map(|visit| Event::VisitExpired { visit }),
        (any_visit(), any_unit(), any_appeal())
            .prop_map(|(visit, unit, appeal)| Event::VisitsHeld { visit, unit, appeal }),
        (any_visit(), any_appeal()).prop_map(|(visit, appeal)| Event::HoldLifted { visit, appeal }),
        (any_off_site(), option::of(any_area()))
            .prop_map(|(check, area)| Event::OffSiteCheckRecorded { check, area }),
    ]
    .boxed()
}

pub(in crate::laws) fn visits_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => visit_planned(),
        1 => visits_merged(),
        6 => arriving_event(),
        8 => later_event(),
    ]
}
