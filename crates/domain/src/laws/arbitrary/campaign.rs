//! Arbitrary events of special campaigns and random draws.

use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use uuid::Uuid;

use super::{
    any_area, any_certificate, any_day, any_grade, any_item, any_level, any_name, any_officers,
    any_reference, any_unit, inspection::any_enterprises,
};
use crate::{
    CampaignId, EnterpriseId,
    campaign::{self, Approval, Capacity, Filing, Plan},
    draw::{
        self, Bounds, Candidate, Counts, Digest, Made, Opening, RatioTable, Ratios, Seed, Share,
    },
};

fn any_plan() -> impl Strategy<Value = Plan> {
    let who = (any_name(), any_unit(), btree_set(any_unit(), 0..3));
    let what = (btree_set(any_item(), 0..4), btree_set(any_area(), 0..3), any_enterprises());
    (who, what, any_day(), any_day(), any_reference()).prop_map(
        |((title, unit, co_units), (items, areas, enterprises), from, until, basis)| Plan {
            title,
            unit,
            co_units,
            items,
            areas,
            enterprises,
            from,
            until,
            basis,
        },
    )
}

fn any_approval() -> impl Strategy<Value = Approval> {
    let capacity = select(vec![Capacity::Government, Capacity::SuperiorOrgan]);
    (any_unit(), capacity, any_level(), any_reference()).prop_map(
        |(approver, capacity, level, document)| Approval { approver, capacity, level, document },
    )
}

pub(in crate::laws) fn campaign_event() -> impl Strategy<Value = campaign::Event> {
    use campaign::Event;
    let filing = (any_unit(), any_reference());
    prop_oneof![
        (any_plan(), any_level(), any::<u32>()).prop_map(|(plan, level, catalogue_version)| {
            Event::CampaignProposed { plan, level, catalogue_version }
        }),
        any_approval().prop_map(|approval| Event::CampaignApproved { approval }),
        filing.prop_map(|(with, document)| Event::CampaignFiled {
            filing: Filing { with, document }
        }),
        any_reference().prop_map(|document| Event::CampaignPublished { document }),
        any_reference().prop_map(|reason| Event::CampaignWithdrawn { reason }),
    ]
}

/// Any shares, also more than there is.
fn any_ratios() -> impl Strategy<Value = Ratios> {
    any::<[u8; 4]>().prop_map(|[a, b, c, d]| Ratios { a, b, c, d })
}

fn any_table() -> impl Strategy<Value = RatioTable> {
    let bounds = || (any::<u8>(), any::<u8>()).prop_map(|(min, max)| Bounds { min, max });
    (bounds(), bounds(), bounds(), bounds()).prop_map(|(a, b, c, d)| RatioTable { a, b, c, d })
}

fn any_opening() -> impl Strategy<Value = Opening> {
    let campaign = option::of(any::<u128>().prop_map(|id| CampaignId(Uuid::from_u128(id))));
    let officers = btree_set(any_certificate(), 0..6);
    (any_name(), any_unit(), campaign, any_ratios(), officers, any::<u8>()).prop_map(
        |(title, unit, campaign, ratios, officers, per_visit)| Opening {
            title,
            unit,
            campaign,
            ratios,
            officers,
            per_visit,
        },
    )
}

/// Few enterprises, so that they meet.
fn any_candidate() -> impl Strategy<Value = Candidate> {
    let enterprise = (0..20_u8).prop_map(|n| EnterpriseId::parse(&format!("L-{n}")).unwrap());
    (enterprise, option::of(any_grade()), any_officers())
        .prop_map(|(enterprise, grade, avoid)| Candidate { enterprise, grade, avoid })
}

fn any_made() -> impl Strategy<Value = Made> {
    let share =
        || (any::<u32>(), any::<u32>()).prop_map(|(candidates, drawn)| Share { candidates, drawn });
    let counts = (share(), share(), share(), share());
    (any::<[[u8; 32]; 3]>(), counts).prop_map(|([pool, seed, result], (a, b, c, d))| Made {
        pool: Digest(pool),
        seed: Seed(seed),
        result: Digest(result),
        counts: Counts { a, b, c, d },
    })
}

pub(in crate::laws) fn draw_event() -> impl Strategy<Value = draw::Event> {
    use draw::Event;
    prop_oneof![
        (any_opening(), any_table(), any::<u32>()).prop_map(
            |(opening, table, catalogue_version)| Event::DrawOpened {
                opening,
                table,
                catalogue_version
            }
        ),
        vec(any_candidate(), 0..6).prop_map(|candidates| Event::CandidatesAdded { candidates }),
        any_made().prop_map(|made| Event::DrawMade { made }),
    ]
}
