//! Requests and answers about what supervisors look at.

use doudi_domain::{EnterpriseId, UnitId};
use doudi_views::{
    page::{EnterprisePage, Query},
    visits::quota::UnitPlaces,
};
use jiff::civil::Date;

use super::{
    Fields, Reflect, appeal, common, enterprise,
    inspection::limits::{of_floor, of_standing},
    timeline::of_entry,
    token, visit_list,
};
use crate::{error::Failure, identity::Caller, proto as pb};

/// The entries of a page that asks for none, and the most.
const ENTRIES: (u32, u32) = (20, 200);

/// The page asked for, and the position that it must reflect.
pub(crate) fn page(
    request: &pb::GetEnterprisePageRequest,
    caller: &Caller,
    today: Date,
) -> Result<(Query, Reflect), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let on = fields.optional_date("on", request.on.as_ref());
    let entries_max = fields.length("entries_max", request.entries_max, ENTRIES);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let asked = || {
        let enterprise = enterprise?;
        let query = Query {
            known_only: caller.is_enterprise(&enterprise),
            enterprise,
            unit: unit?.or_else(|| caller.unit.clone()),
            on: on?.unwrap_or(today),
            enterprises: caller.scope_of_enterprises(),
            scope: caller.scope(),
            entries_max: entries_max?,
        };
        Some((query, reflect?))
    };
    fields.finish(asked())
}

pub(crate) fn of_page(
    id: &EnterpriseId,
    page: &EnterprisePage,
    bytes_max: usize,
) -> pb::GetEnterprisePageResponse {
    // Each list may take a part of the answer; what does not fit is in the lists themselves.
    let part = bytes_max / 4;
    let visits = common::fitting(page.visits.visits.iter().map(visit_list::of_row), part);
    let appeals = common::fitting(page.appeals.appeals.iter().map(appeal::of_row), part);
    let entries = common::fitting(page.timeline.entries.iter().map(of_entry), part);
    let places = &page.places;
    pb::GetEnterprisePageResponse {
        enterprise: Some(enterprise::of_registered(id, &page.profile)),
        more_visits: page.visits.next.is_some() || visits.len() < page.visits.visits.len(),
        open_visits: visits,
        more_appeals: page.appeals.next.is_some() || appeals.len() < page.appeals.appeals.len(),
        open_appeals: appeals,
        units: places.units.iter().map(of_unit).collect(),
        quotas: places.standings.iter().map(of_standing).collect(),
        floors: places.floors.iter().map(of_floor).collect(),
        policy_version: places.policy_version.unwrap_or_default(),
        entries,
        position: token::of_position(page.position),
    }
}

fn of_unit(places: &UnitPlaces) -> pb::UnitPlaces {
    let UnitPlaces { unit, used, found, reserved } = places;
    pb::UnitPlaces { unit: unit.to_string(), used: *used, found: *found, reserved: *reserved }
}
