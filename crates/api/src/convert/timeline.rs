//! Requests and answers about timelines.

use std::sync::Arc;

use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use doudi_engine::Position;
use doudi_views::{
    Scope,
    timeline::{Cursor, Entry, Kind, Order, Page, Point, Query, Reached, Selection},
};
use jiff::Timestamp;

use super::{
    Fields, Reflect, common,
    reached::of_reached,
    seal::Seals,
    token::{self, Binding, PageTokens, Place},
};
use crate::{
    error::{Failure, Reason, Violation, Words},
    identity::Caller,
    proto as pb,
};

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 500);

/// The most kinds that a filter may list; repeating one says nothing.
const KINDS_MAX: usize = 20;

/// The most areas that a filter may list.
const AREAS_MAX: usize = 20;

/// The bytes of a cursor: microseconds, position, ordinal.
const CURSOR_BYTES: usize = 20;

/// What is sent to whoever watches.
#[derive(Debug)]
pub(crate) enum Sent {
    /// An entry, and how far somebody has got who has it.
    Entry(Arc<Entry>, Reached),
    /// Nothing for a while: so far has everything been sent.
    Heartbeat(Reached),
}

/// A list query, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: Query,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListTimelineRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let order = fields.filter("order", request.order, order);
    let kinds = fields.each("kinds", &request.kinds, (0, KINDS_MAX), |fields, path, value| {
        fields.choice(path, *value, kind)
    });
    let from = instant(&mut fields, "from", request.from.as_ref());
    let until = instant(&mut fields, "until", request.until.as_ref());
    if let (Some(Some(from)), Some(Some(until))) = (from, until)
        && until <= from
    {
        let before = Words::pair("from", "起始时间");
        fields.note(Violation::new("until", Reason::RangeReversed).word("field_before", before));
    }
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListTimelineRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListTimeline", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode(binding, text).and_then(cursor) {
            Some(cursor) => Some(Some(cursor)),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let scope = caller.scope();
    let list = || {
        let query = Query {
            enterprise: enterprise?,
            order: order?.unwrap_or(Order::NewestFirst),
            kinds: kinds?,
            from: from?,
            until: until?,
            scope,
            after: after?,
            limit: limit?,
        };
        Some(List { query, reflect: reflect?, binding })
    };
    fields.finish(list())
}

pub(crate) fn watch(
    request: &pb::WatchTimelineRequest,
    scope: Scope,
    seals: &Seals,
) -> Result<(Selection, Reached), Failure> {
    let mut fields = Fields::default();
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let selected = selection(&mut fields, &request.enterprise_id, &request.areas, &request.kinds);
    let after = fields.reached("after_position", &request.after_position, seals);
    let selected = selected.zip(unit).map(|(selected, unit)| Selection { unit, scope, ..selected });
    fields.finish(selected.zip(after))
}

pub(crate) fn feed(
    request: &pb::StreamEventsRequest,
    scope: Scope,
    seals: &Seals,
) -> Result<(Selection, Reached), Failure> {
    let mut fields = Fields::default();
    let selected = selection(&mut fields, &request.enterprise_id, &request.areas, &request.kinds);
    let after = fields.reached("after_position", &request.after_position, seals);
    let selected = selected.map(|selected| Selection { scope, ..selected });
    fields.finish(selected.zip(after))
}

/// Which entries are asked for, of any unit, by whomever.
fn selection(
    fields: &mut Fields,
    enterprise: &str,
    areas: &[String],
    kinds: &[i32],
) -> Option<Selection> {
    let enterprise = fields.optional("enterprise_id", enterprise, EnterpriseId::parse);
    let areas = fields.set("areas", areas, (0, AREAS_MAX), AreaCode::parse);
    let kinds = fields.each("kinds", kinds, (0, KINDS_MAX), |fields, path, value| {
        fields.choice(path, *value, kind)
    });
    Some(Selection {
        enterprise: enterprise?,
        areas: areas?,
        kinds: kinds?,
        ..Selection::all(Scope::All)
    })
}

pub(super) fn point(place: Place) -> Point {
    let Place { position, ordinal } = place;
    ordinal.map_or(Point::end_of(position), |ordinal| Point { position, ordinal })
}

fn instant(
    fields: &mut Fields,
    path: &str,
    given: Option<&prost_types::Timestamp>,
) -> Option<Option<Timestamp>> {
    given.map_or(Some(None), |given| fields.timestamp(path, Some(given)).map(Some))
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    page: &Page,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListTimelineResponse {
    let entries = common::fitting(page.entries.iter().map(of_entry), bytes_max);
    let cut = entries.len() < page.entries.len();
    let last = page.entries.get(entries.len().saturating_sub(1)).map(end);
    let next = if cut { last } else { page.next };
    let next = next.map(|cursor| tokens.encode(binding, &of_cursor(&cursor)));
    pb::ListTimelineResponse {
        entries,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

/// Where a page ends whose last entry this is.
fn end(entry: &Entry) -> Cursor {
    let Entry { occurred_at, position, ordinal, .. } = entry;
    Cursor { occurred_at: *occurred_at, position: *position, ordinal: *ordinal }
}

/// The place of an entry, which is also its name.
fn place(entry: &Entry) -> String {
    of_point(entry.point())
}

/// A place between entries; the end of a commit is told as the commit.
pub(super) fn of_point(point: Point) -> String {
    let Point { position, ordinal } = point;
    let ordinal = (ordinal != u32::MAX).then_some(ordinal);
    token::of_place(Place { position, ordinal })
}

/// What is sent live: an entry with the place to resume after it, or how far everything was sent.
pub(crate) fn live(sent: &Sent, seals: &Seals) -> pb::WatchTimelineResponse {
    match sent {
        Sent::Entry(entry, reached) => pb::WatchTimelineResponse {
            entry: Some(of_entry(entry)),
            position: of_reached(reached, seals),
        },
        Sent::Heartbeat(reached) => {
            pb::WatchTimelineResponse { entry: None, position: of_reached(reached, seals) }
        }
    }
}

/// The same for partner systems.
pub(crate) fn fed(sent: &Sent, seals: &Seals) -> pb::StreamEventsResponse {
    match sent {
        Sent::Entry(entry, reached) => pb::StreamEventsResponse {
            event: Some(of_event(entry)),
            position: of_reached(reached, seals),
        },
        Sent::Heartbeat(reached) => {
            pb::StreamEventsResponse { event: None, position: of_reached(reached, seals) }
        }
    }
}

pub(crate) fn of_event(entry: &Entry) -> pb::CloudEvent {
    let enterprise = entry.enterprise.to_string();
    pb::CloudEvent {
        id: place(entry),
        source: format!("/doudi/enterprises/{enterprise}"),
        specversion: "1.0".to_owned(),
        r#type: format!("doudi.{}.{}", entry.kind, entry.event_type),
        subject: entry.subject.map(|subject| subject.to_string()).unwrap_or_default(),
        time: Some(common::of_timestamp(entry.occurred_at)),
        datacontenttype: "application/json".to_owned(),
        data: entry.details_json.clone(),
        partitionkey: enterprise,
        recordedtime: Some(common::of_timestamp(entry.recorded_at)),
        unit: entry.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        area: entry.area.as_ref().map(AreaCode::to_string).unwrap_or_default(),
    }
}

pub(crate) fn of_entry(entry: &Entry) -> pb::TimelineEntry {
    pb::TimelineEntry {
        position: token::of_position(entry.position),
        ordinal: entry.ordinal,
        enterprise_id: entry.enterprise.to_string(),
        kind: of_kind(entry.kind).into(),
        event_type: entry.event_type.clone(),
        subject_id: entry.subject.map(|subject| subject.to_string()).unwrap_or_default(),
        unit: entry.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        area: entry.area.as_ref().map(AreaCode::to_string).unwrap_or_default(),
        occurred_at: Some(common::of_timestamp(entry.occurred_at)),
        recorded_at: Some(common::of_timestamp(entry.recorded_at)),
        details_json: entry.details_json.clone(),
    }
}

/// The database keeps microseconds, so a cursor does too.
fn of_cursor(cursor: &Cursor) -> Vec<u8> {
    let Cursor { occurred_at, position, ordinal } = *cursor;
    let mut bytes = occurred_at.as_microsecond().to_be_bytes().to_vec();
    bytes.extend(packed(Point { position, ordinal }));
    bytes
}

fn cursor(bytes: [u8; CURSOR_BYTES]) -> Option<Cursor> {
    let (occurred_at, rest) = bytes.split_first_chunk::<8>()?;
    let Point { position, ordinal } = unpacked(rest.try_into().ok()?)?;
    let occurred_at = Timestamp::from_microsecond(i64::from_be_bytes(*occurred_at)).ok()?;
    Some(Cursor { occurred_at, position, ordinal })
}

/// The bytes of a point: position, ordinal.
pub(super) const POINT_BYTES: usize = 12;

pub(super) fn packed(point: Point) -> [u8; POINT_BYTES] {
    let mut bytes = [0; POINT_BYTES];
    bytes[..8].copy_from_slice(&point.position.0.to_be_bytes());
    bytes[8..].copy_from_slice(&point.ordinal.to_be_bytes());
    bytes
}

pub(super) fn unpacked(bytes: [u8; POINT_BYTES]) -> Option<Point> {
    let (position, ordinal) = bytes.split_first_chunk::<8>()?;
    let ordinal = u32::from_be_bytes(ordinal.try_into().ok()?);
    Some(Point { position: Position(u64::from_be_bytes(*position)), ordinal })
}

fn order(order: pb::TimelineOrder) -> Option<Order> {
    match order {
        pb::TimelineOrder::Unspecified => None,
        pb::TimelineOrder::NewestFirst => Some(Order::NewestFirst),
        pb::TimelineOrder::OldestFirst => Some(Order::OldestFirst),
    }
}

fn kind(kind: pb::TimelineKind) -> Option<Kind> {
    match kind {
        pb::TimelineKind::Unspecified => None,
        pb::TimelineKind::Profile => Some(Kind::Profile),
        pb::TimelineKind::Visit => Some(Kind::Visit),
        pb::TimelineKind::Appeal => Some(Kind::Appeal),
    }
}

fn of_kind(kind: Kind) -> pb::TimelineKind {
    match kind {
        Kind::Profile => pb::TimelineKind::Profile,
        Kind::Visit => pb::TimelineKind::Visit,
        Kind::Appeal => pb::TimelineKind::Appeal,
    }
}
