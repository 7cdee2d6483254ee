//! Requests and answers about lists of visits.

use doudi_domain::{
    AreaCode, CertificateNumber, EnterpriseId, UnitId, VisitId, visits::OffSiteCheck,
};
use doudi_views::{
    timeline::Order,
    visits::{Counts, Cursor, Filter, NearQuery, Page, Query, Row, State, What, ledger},
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    Fields, Reflect, common,
    inspection::{asked_unit, found::of_result, visit::of_visit, words},
    token::{self, Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    proto::{self as pb, visit_row},
};

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 200);
const LEDGER_PAGE: (u32, u32) = (50, 500);
/// The most states or grounds of a filter.
const WORDS_MAX: usize = 20;
/// The bytes of an enterprise's id, the rest filled with zeros.
const ID_BYTES: usize = 18;
/// The bytes of a cursor: year, month, day, visit, enterprise.
const CURSOR_BYTES: usize = 4 + 16 + ID_BYTES;

/// A list query, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct Asked<Q> {
    pub(crate) query: Q,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListVisitsRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<Asked<Query>, Failure> {
    let mut fields = Fields::default();
    let filter = filter(&mut fields, request.filter.as_ref(), caller);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let order = if request.newest_first { Order::NewestFirst } else { Order::OldestFirst };
    let filters = pb::ListVisitsRequest {
        filter: request.filter.clone(),
        newest_first: request.newest_first,
        as_of: request.as_of.clone(),
        ..<_>::default()
    };
    let binding = Binding::new("ListVisits", &filters, caller);
    let decode = |text: &str| tokens.decode::<CURSOR_BYTES>(binding, text).and_then(cursor);
    let after = after(&mut fields, &request.page_token, decode);
    let made = || {
        let query = Query { filter: filter?, order, after: after?, limit: limit? };
        Some(Asked { query, reflect: reflect?, binding })
    };
    let made = made();
    fields.finish(made)
}

/// Where a page begins: an empty token is the first.
fn after<T>(
    fields: &mut Fields,
    token: &str,
    decode: impl FnOnce(&str) -> Option<T>,
) -> Option<Option<T>> {
    if token.is_empty() {
        return Some(None);
    }
    match decode(token) {
        Some(place) => Some(Some(place)),
        None => fields.refuse("page_token", Reason::PageTokenInvalid),
    }
}

pub(crate) fn count(
    request: &pb::CountVisitsRequest,
    caller: &Caller,
) -> Result<(Filter, Reflect), Failure> {
    let mut fields = Fields::default();
    let filter = filter(&mut fields, request.filter.as_ref(), caller);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    fields.finish(filter.zip(reflect))
}

fn filter(fields: &mut Fields, given: Option<&pb::VisitFilter>, caller: &Caller) -> Option<Filter> {
    let scope = caller.scope();
    let Some(given) = given else { return Some(Filter::all(scope)) };
    let unit = fields.optional("filter.unit", &given.unit, UnitId::parse);
    let area = fields.optional("filter.area", &given.area, AreaCode::parse);
    let enterprise = &given.enterprise_id;
    let enterprise = fields.optional("filter.enterprise_id", enterprise, EnterpriseId::parse);
    let officer = fields.optional("filter.officer", &given.officer, CertificateNumber::parse);
    let bounds = (0, WORDS_MAX);
    let states = fields.each("filter.states", &given.states, bounds, |fields, path, state| {
        fields.choice(path, *state, state_of)
    });
    let grounds = fields.each("filter.grounds", &given.grounds, bounds, |fields, path, ground| {
        fields.choice(path, *ground, words::ground)
    });
    let from = fields.optional_date("filter.from", given.from.as_ref());
    let until = fields.optional_date("filter.until", given.until.as_ref());
    fields.in_order("filter.until", from.flatten(), until.flatten());
    Some(Filter {
        unit: unit?,
        area: area?,
        enterprise: enterprise?,
        officer: officer?,
        states: states?,
        grounds: grounds?,
        joint: given.joint,
        from: from?,
        until: until?,
        scope,
    })
}

pub(crate) fn near(
    request: &pb::ListNearVisitsRequest,
    unit: UnitId,
) -> Result<(NearQuery, Reflect), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let day = fields.date("on", request.on.as_ref());
    let days = match request.days {
        0 => Some(None),
        days => {
            fields.number("days", days, 1, 366).and_then(|days| u16::try_from(days).ok()).map(Some)
        }
    };
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let made = || {
        let query = NearQuery { enterprise: enterprise?, day: day?, days: days?, unit };
        Some((query, reflect?))
    };
    let made = made();
    fields.finish(made)
}

pub(crate) fn unit_ledger(
    request: &pb::ListUnitLedgerRequest,
    caller: &Caller,
    today: Date,
    tokens: &PageTokens,
) -> Result<Asked<ledger::Query>, Failure> {
    let mut fields = Fields::default();
    let unit = asked_unit(&mut fields, &request.unit, caller.unit.as_ref());
    let present = u32::from(today.year().unsigned_abs());
    let year = if request.year == 0 { present } else { request.year };
    let year = fields.number("year", year, 1900, 9999).and_then(|year| i16::try_from(year).ok());
    let limit = fields.page_size(request.page_size, LEDGER_PAGE.0, LEDGER_PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListUnitLedgerRequest {
        unit: request.unit.clone(),
        year: request.year,
        as_of: request.as_of.clone(),
        ..<_>::default()
    };
    let binding = Binding::new("ListUnitLedger", &filters, caller);
    let decode = |text: &str| tokens.decode::<ID_BYTES>(binding, text).and_then(|id| named(&id));
    let after = after(&mut fields, &request.page_token, decode);
    let made = || {
        let scope = caller.scope();
        let (unit, year, after, limit) = (unit?, year?, after?, limit?);
        let query = ledger::Query { unit, year, scope, after, limit };
        Some(Asked { query, reflect: reflect?, binding })
    };
    let made = made();
    fields.finish(made)
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    page: &Page,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListVisitsResponse {
    let visits = common::fitting(page.visits.iter().map(of_row), bytes_max);
    let cut = visits.len() < page.visits.len();
    let last = page.visits.get(visits.len().saturating_sub(1)).map(|row| Cursor {
        day: row.day(),
        visit: row.id(),
        enterprise: row.enterprise.clone(),
    });
    let next = if cut { last } else { page.next.clone() };
    let next = next.map(|next| tokens.encode(binding, &of_cursor(&next)));
    pb::ListVisitsResponse {
        visits,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

pub(crate) fn of_counts(counts: &Counts) -> pb::CountVisitsResponse {
    let each = counts.counts.iter().map(|count| pb::VisitCount {
        state: of_state(count.state).into(),
        ground: count.ground.map_or(pb::Ground::Unspecified, words::of_ground).into(),
        count: count.count,
    });
    pb::CountVisitsResponse {
        counts: each.collect(),
        total: counts.total(),
        position: token::of_position(counts.position),
    }
}

pub(crate) fn of_near(page: &Page) -> pb::ListNearVisitsResponse {
    let visits = page.visits.iter().map(|row| pb::NearVisit {
        visit_id: row.id().to_string(),
        unit: row.unit().to_string(),
        on: Some(common::of_date(row.day())),
    });
    pb::ListNearVisitsResponse {
        visits: visits.collect(),
        position: token::of_position(page.position),
    }
}

pub(crate) fn of_ledger(
    page: &ledger::Page,
    binding: Binding,
    tokens: &PageTokens,
) -> pb::ListUnitLedgerResponse {
    let entries = page.entries.iter().map(|entry| pb::LedgerEntry {
        enterprise_id: entry.enterprise.to_string(),
        used: entry.used,
        found: entry.found,
        reserved: entry.reserved,
    });
    let next = page.next.as_ref().map(|id| tokens.encode(binding, &filled(id)));
    pb::ListUnitLedgerResponse {
        entries: entries.collect(),
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

pub(crate) fn of_row(row: &Row) -> pb::VisitRow {
    let what = match &row.what {
        What::Visit(visit) => visit_row::What::Visit(of_visit(&row.enterprise, visit)),
        What::OffSite(check) => visit_row::What::OffSite(of_off_site(check)),
    };
    pb::VisitRow {
        enterprise_id: row.enterprise.to_string(),
        area: row.area.as_ref().map(AreaCode::to_string).unwrap_or_default(),
        day: Some(common::of_date(row.day())),
        what: Some(what),
    }
}

fn of_off_site(check: &OffSiteCheck) -> pb::OffSiteCheck {
    pb::OffSiteCheck {
        check_id: check.check.to_string(),
        unit: check.unit.to_string(),
        occurred_at: Some(common::of_timestamp(check.occurred_at)),
        basis: check.basis.to_string(),
        results: check.results.iter().map(|result| of_result(&check.unit, result)).collect(),
    }
}

super::alike::alike! {
    VisitState = State, state_of, of_state:
        Planned Approved CheckedIn CheckedOut Reported Closed Cancelled Expired Refused Merged OffSite;
}

fn of_cursor(cursor: &Cursor) -> Vec<u8> {
    let Cursor { day, visit, enterprise } = cursor;
    let of_day = [day.month().to_be_bytes(), day.day().to_be_bytes()].concat();
    [&day.year().to_be_bytes()[..], &of_day, visit.0.as_bytes(), &filled(enterprise)].concat()
}

fn cursor(bytes: [u8; CURSOR_BYTES]) -> Option<Cursor> {
    let ([y1, y2, month, day], rest) = bytes.split_first_chunk::<4>()?;
    let (visit, enterprise) = rest.split_first_chunk::<16>()?;
    let (month, day) = (i8::from_be_bytes([*month]), i8::from_be_bytes([*day]));
    Some(Cursor {
        day: Date::new(i16::from_be_bytes([*y1, *y2]), month, day).ok()?,
        visit: VisitId(Uuid::from_bytes(*visit)),
        enterprise: named(enterprise)?,
    })
}

/// An enterprise's id in as many bytes as the longest has.
fn filled(id: &EnterpriseId) -> [u8; ID_BYTES] {
    let mut bytes = [0; ID_BYTES];
    bytes.iter_mut().zip(id.as_str().bytes()).for_each(|(to, from)| *to = from);
    bytes
}

fn named(bytes: &[u8]) -> Option<EnterpriseId> {
    let text = std::str::from_utf8(bytes).ok()?;
    EnterpriseId::parse(text.trim_end_matches('\0')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for id in ["L-1", "91210212DD0000001D", "L-ABCDEFGHIJKLMNOP"] {
            let cursor = Cursor {
                day: Date::constant(2025, 12, 31),
                visit: VisitId(Uuid::from_u128(7)),
                enterprise: EnterpriseId::parse(id).unwrap(),
            };
            let bytes: [u8; CURSOR_BYTES] = of_cursor(&cursor).try_into().unwrap();
            assert_eq!(super::cursor(bytes), Some(cursor));
        }
        assert_eq!(super::cursor([0; CURSOR_BYTES]), None, "no day");
    }
}
