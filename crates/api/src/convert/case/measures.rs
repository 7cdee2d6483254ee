//! Requests and answers about the flow matrix and the rates.

use doudi_domain::{AreaCode, TopicId, UnitId};
use doudi_views::measures::{Flow, FlowCell, FlowQuery, Rate, RateGroup, Rates, RatesQuery};

use crate::{
    convert::{Fields, Reflect, token},
    error::Failure,
    identity::Caller,
    proto as pb,
};

pub(crate) fn flow(
    request: &pb::GetFlowRequest,
    caller: &Caller,
) -> Result<(FlowQuery, Reflect), Failure> {
    let mut fields = Fields::default();
    let range = fields.days("", request.from.as_ref(), request.until.as_ref());
    let area = fields.optional("area", &request.area, AreaCode::parse);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let scope = caller.scope();
    let query = || {
        let (from, until) = range?;
        Some((FlowQuery { from, until, area: area?, scope }, reflect?))
    };
    let query = query();
    fields.finish(query)
}

pub(crate) fn of_flow(flow: &Flow) -> pb::GetFlowResponse {
    let cell = |cell: &FlowCell| pb::FlowCell {
        from_unit: cell.from.to_string(),
        to_unit: cell.to.as_ref().map(UnitId::to_string).unwrap_or_default(),
        returns: cell.returns,
        upheld: cell.upheld,
    };
    let mut cells: Vec<pb::FlowCell> = flow.cells.iter().map(cell).collect();
    // A stable sort keeps the order of the units among equals.
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.returns));
    pb::GetFlowResponse { cells, position: token::of_position(flow.position) }
}

pub(crate) fn rates(
    request: &pb::GetRatesRequest,
    caller: &Caller,
) -> Result<(RatesQuery, Reflect), Failure> {
    let mut fields = Fields::default();
    let group = fields.filter("group", request.group, group);
    let range = fields.days("", request.from.as_ref(), request.until.as_ref());
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let area = fields.optional("area", &request.area, AreaCode::parse);
    let topic = fields.optional("topic", &request.topic, TopicId::parse);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let scope = caller.scope();
    let query = || {
        let (from, until) = range?;
        let query = RatesQuery {
            group: group?.unwrap_or(RateGroup::All),
            from,
            until,
            unit: unit?,
            area: area?,
            topic: topic?,
            scope,
        };
        Some((query, reflect?))
    };
    let query = query();
    fields.finish(query)
}

pub(crate) fn of_rates(rates: &Rates) -> pb::GetRatesResponse {
    let rate = |rate: &Rate| pb::Rate {
        key: rate.key.clone(),
        handled: rate.handled,
        responded: rate.responded,
        asked_resolved: rate.asked_resolved,
        resolved: rate.resolved,
        asked_satisfied: rate.asked_satisfied,
        satisfied: rate.satisfied,
    };
    pb::GetRatesResponse {
        rates: rates.rates.iter().map(rate).collect(),
        position: token::of_position(rates.position),
    }
}

fn group(group: pb::RateGroup) -> Option<RateGroup> {
    match group {
        pb::RateGroup::Unspecified => None,
        pb::RateGroup::Unit => Some(RateGroup::Unit),
        pb::RateGroup::Area => Some(RateGroup::Area),
        pb::RateGroup::Topic => Some(RateGroup::Topic),
        pb::RateGroup::Month => Some(RateGroup::Month),
    }
}
