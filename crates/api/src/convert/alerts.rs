//! Requests and answers about alerts.

use doudi_domain::{AreaCode, UnitId};
use doudi_views::alerts::{Alert, Counts, Filter, Kind, Page, Query, Reason as Why};

use super::{
    Fields, Reflect,
    alike::alike,
    common,
    inspection::{limits::of_standing, visit::stored_word},
    timeline::{packed, unpacked},
    token::{self, Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    proto::{self as pb, alert},
};

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 500);

alike! {
    AlertKind = Kind, kind, of_kind:
        CapExceeded VisitsExcessive RepeatVisits ScanSuspect ScanSetAside RectificationOverdue
        PromiseOverdue;
}

/// A list query, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: Query,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListAlertsRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let filter = filter(&mut fields, request.filter.as_ref(), caller);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListAlertsRequest { filter: request.filter.clone(), ..<_>::default() };
    let binding = Binding::new("ListAlerts", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode(binding, text).and_then(unpacked) {
            Some(point) => Some(Some(point)),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let list = || {
        let query = Query { filter: filter?, after: after?, limit: limit? };
        Some(List { query, reflect: reflect?, binding })
    };
    let list = list();
    fields.finish(list)
}

pub(crate) fn count(
    request: &pb::CountAlertsRequest,
    caller: &Caller,
) -> Result<(Filter, Reflect), Failure> {
    let mut fields = Fields::default();
    let filter = filter(&mut fields, request.filter.as_ref(), caller);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    fields.finish(filter.zip(reflect))
}

fn filter(fields: &mut Fields, given: Option<&pb::AlertFilter>, caller: &Caller) -> Option<Filter> {
    let scope = caller.scope();
    let Some(given) = given else { return Some(Filter::all(scope)) };
    let unit = fields.optional("filter.unit", &given.unit, UnitId::parse);
    let area = fields.optional("filter.area", &given.area, AreaCode::parse);
    let kind = fields.filter("filter.kind", given.kind, kind);
    let from = fields.optional_date("filter.from", given.from.as_ref());
    let until = fields.optional_date("filter.until", given.until.as_ref());
    fields.in_order("filter.until", from.flatten(), until.flatten());
    Some(Filter { unit: unit?, area: area?, kind: kind?, from: from?, until: until?, scope })
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    page: &Page,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListAlertsResponse {
    let alerts = common::fitting(page.alerts.iter().map(of_alert), bytes_max);
    let cut = alerts.len() < page.alerts.len();
    let last = page.alerts.get(alerts.len().saturating_sub(1)).map(Alert::point);
    let next = if cut { last } else { page.next };
    let next = next.map(|point| tokens.encode(binding, &packed(point)));
    pb::ListAlertsResponse {
        alerts,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

pub(crate) fn of_counts(counts: &Counts) -> pb::CountAlertsResponse {
    let each = counts.counts.iter();
    pb::CountAlertsResponse {
        counts: each
            .map(|each| pb::AlertCount { kind: of_kind(each.kind).into(), count: each.count })
            .collect(),
        total: counts.total(),
        position: token::of_position(counts.position),
    }
}

fn of_alert(alert: &Alert) -> pb::Alert {
    let reason = match &alert.reason {
        Why::CapExceeded(standing) | Why::RepeatVisits(standing) => {
            alert::Reason::Quota(of_standing(standing))
        }
        Why::VisitsExcessive { count, from, until } => {
            alert::Reason::Excessive(pb::ExcessiveVisits {
                count: *count,
                from: Some(common::of_date(*from)),
                until: Some(common::of_date(*until)),
            })
        }
        Why::ScanSuspect { irregularities } => {
            let irregularities = irregularities.iter().map(stored_word).collect();
            alert::Reason::Suspect(pb::SuspectScan { irregularities })
        }
        Why::ScanSetAside { reason } => alert::Reason::SetAside(stored_word(reason)),
        Why::RectificationOverdue { item, by } => {
            let by = Some(common::of_date(*by));
            alert::Reason::Rectification(pb::OverdueItem { item: item.to_string(), by })
        }
        Why::PromiseOverdue { kind } => alert::Reason::Promise(super::clock::of_kind(*kind).into()),
    };
    pb::Alert {
        position: token::of_position(alert.position),
        ordinal: alert.ordinal,
        kind: of_kind(alert.reason.kind()).into(),
        enterprise_id: alert.enterprise.to_string(),
        visit_id: alert.visit.to_string(),
        unit: alert.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        area: alert.area.as_ref().map(AreaCode::to_string).unwrap_or_default(),
        recorded_at: Some(common::of_timestamp(alert.occurred_at)),
        reason: Some(reason),
    }
}
