//! Requests and answers about cases: what is owed, what sticks, what is alike.

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId, UnitId, appeal::Segment, calendar::WorkingTime,
    clock::ClockId,
};
use doudi_engine::Position;
use doudi_views::inbox::{self, StuckReason};
use jiff::{Timestamp, ToSpan};

use super::{
    Fields, Reflect,
    appeal::{self, PROSE_MAX},
    clock::{self, of_clock, of_owner},
    common,
    token::{self, Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    permission::sight::{Part, Sight},
    proto as pb,
};

pub(crate) mod allowed;
pub(crate) mod measures;

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 200);
/// How many days without movement make a case stick, and the most that can be asked for.
const IDLE_DAYS: (u32, u32) = (7, 365);
/// How many topics are suggested to whom asks for no number, and the most.
const TOPICS: (u32, u32) = (5, 20);
/// The hours of a calendar day.
const DAY_HOURS: i64 = 24;

/// A query of a list, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List<Q> {
    pub(crate) query: Q,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

/// A page of what is owed.
pub(crate) type Inbox = List<inbox::Query>;

/// A page of what sticks.
pub(crate) type Stuck = List<inbox::StuckQuery>;

/// The filters that the list and its count share.
macro_rules! filter {
    ($fields:ident, $request:ident, $caller:ident, $now:ident) => {{
        let unit = $fields.optional("unit", &$request.unit, UnitId::parse);
        let area = $fields.optional("area", &$request.area, AreaCode::parse);
        let kind = $fields.filter("kind", $request.kind, clock::kind);
        let level = $fields.filter("level", $request.level, clock::level);
        let rung = $fields.filter("escalation", $request.escalation, clock::escalation);
        let filter = || {
            Some(inbox::Filter {
                unit: unit?,
                area: area?,
                kind: kind?,
                level_at_least: level?,
                rung: rung?,
                overdue_at: $request.overdue.then_some($now),
                scope: $caller.scope(),
            })
        };
        filter()
    }};
}

pub(crate) fn inbox(
    request: &pb::ListInboxRequest,
    caller: &Caller,
    tokens: &PageTokens,
    now: Timestamp,
) -> Result<Inbox, Failure> {
    let mut fields = Fields::default();
    let filter = filter!(fields, request, caller, now);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListInboxRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListInbox", &filters, caller);
    let read = |bytes: [u8; inbox::Cursor::BYTES]| inbox::Cursor::from_bytes(&bytes);
    let after = after(&mut fields, tokens, binding, &request.page_token, read);
    let list = || {
        let query = inbox::Query { filter: filter?, after: after?, limit: limit? };
        Some(List { query, reflect: reflect?, binding })
    };
    let list = list();
    fields.finish(list)
}

pub(crate) fn count(
    request: &pb::CountInboxRequest,
    caller: &Caller,
    now: Timestamp,
) -> Result<(inbox::Filter, Reflect), Failure> {
    let mut fields = Fields::default();
    let filter = filter!(fields, request, caller, now);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    fields.finish(filter.zip(reflect))
}

pub(crate) fn stuck(
    request: &pb::ListStuckRequest,
    caller: &Caller,
    tokens: &PageTokens,
    now: Timestamp,
) -> Result<Stuck, Failure> {
    let mut fields = Fields::default();
    let reason = fields.filter("reason", request.reason, stuck_reason);
    let idle_since = idle_since(&mut fields, "idle_days", request.idle_days, now);
    let area = fields.optional("area", &request.area, AreaCode::parse);
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListStuckRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListStuck", &filters, caller);
    let read = |bytes: [u8; inbox::StuckCursor::BYTES]| inbox::StuckCursor::from_bytes(&bytes);
    let after = after(&mut fields, tokens, binding, &request.page_token, read);
    let scope = caller.scope();
    let list = || {
        let query = inbox::StuckQuery {
            reason: reason?,
            idle_since: idle_since?,
            area: area?,
            unit: unit?,
            scope,
            after: after?,
            limit: limit?,
        };
        Some(List { query, reflect: reflect?, binding })
    };
    let list = list();
    fields.finish(list)
}

/// Before when a case must have moved last to stick; `days` is 0 for the usual number.
pub(super) fn idle_since(
    fields: &mut Fields,
    path: &str,
    days: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let days = match days {
        0 => IDLE_DAYS.0,
        days => fields.number(path, days, 1, IDLE_DAYS.1)?,
    };
    let idle = (i64::from(days) * DAY_HOURS).hours();
    Some(now.saturating_sub(idle).unwrap_or(Timestamp::MIN))
}

/// Where a page begins: none for the first.
pub(super) fn after<const N: usize, C>(
    fields: &mut Fields,
    tokens: &PageTokens,
    binding: Binding,
    text: &str,
    read: impl FnOnce([u8; N]) -> Option<C>,
) -> Option<Option<C>> {
    if text.is_empty() {
        return Some(None);
    }
    match tokens.decode::<N>(binding, text).and_then(read) {
        Some(cursor) => Some(Some(cursor)),
        None => fields.refuse("page_token", Reason::PageTokenInvalid),
    }
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn inbox_page(
    page: &inbox::Page,
    caller: &Caller,
    (binding, tokens): (Binding, &PageTokens),
    bytes_max: usize,
) -> pb::ListInboxResponse {
    let entries = page.entries.iter().map(|entry| of_entry(entry, &caller.sight_of(entry)));
    let entries = common::fitting(entries, bytes_max);
    let cut = entries.len() < page.entries.len();
    let last = page.entries.get(entries.len().saturating_sub(1)).map(inbox::Cursor::of);
    let next = if cut { last } else { page.next.clone() };
    let next = next.map(|cursor| tokens.encode(binding, &cursor.to_bytes()));
    pb::ListInboxResponse {
        entries,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

fn of_entry(entry: &inbox::Entry, sight: &Sight) -> pb::InboxEntry {
    pb::InboxEntry {
        enterprise_id: entry.enterprise.to_string(),
        appeal_id: entry.appeal.to_string(),
        diagnosis_id: entry.diagnosis.map(|id| id.to_string()).unwrap_or_default(),
        clock: sight.shows(Part::Clock(&entry.clock)).then(|| of_clock(&entry.clock)),
        appeal: Some(appeal::of_row_as(&entry.row, sight)),
    }
}

pub(crate) fn counts(counts: &inbox::Counts) -> pb::CountInboxResponse {
    let count = |count: &inbox::Count| pb::InboxCount {
        kind: clock::of_kind(count.kind).into(),
        level: count.level.map_or(pb::ClockLevel::Unspecified, clock::of_level).into(),
        escalation: count.rung.map_or(pb::Escalation::Unspecified, clock::of_escalation).into(),
        count: count.count,
    };
    pb::CountInboxResponse {
        counts: counts.counts.iter().map(count).collect(),
        total: counts.total(),
        position: token::of_position(counts.position),
    }
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn stuck_page(
    page: &inbox::StuckPage,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListStuckResponse {
    let stuck = page.cases.iter().map(|(row, reasons)| pb::StuckCase {
        appeal: Some(appeal::of_row(row)),
        reasons: reasons.iter().map(|reason| of_stuck_reason(*reason).into()).collect(),
        last_moved: Some(common::of_timestamp(row.last_moved)),
    });
    let cases = common::fitting(stuck, bytes_max);
    let cut = cases.len() < page.cases.len();
    let last = page.cases.get(cases.len().saturating_sub(1));
    let last = last.map(|(row, _)| inbox::StuckCursor::of(row));
    let next = if cut { last } else { page.next.clone() };
    let next = next.map(|cursor| tokens.encode(binding, &cursor.to_bytes()));
    pb::ListStuckResponse {
        cases,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

/// One appeal, and what the answer must reflect.
pub(crate) type Asked = (EnterpriseId, AppealId, Reflect);

/// The appeal that a query names by these fields.
pub(crate) fn asked(
    enterprise: &str,
    appeal: &str,
    min_position: &str,
    as_of: Option<&pb::AsOf>,
) -> Result<Asked, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(enterprise);
    let appeal = fields.appeal(appeal);
    let reflect = fields.reflecting(min_position, as_of);
    let asked = || Some((enterprise?, appeal?, reflect?));
    fields.finish(asked())
}

/// The appeal whose token is asked for.
pub(crate) fn issue(
    request: &pb::IssueCaseTokenRequest,
) -> Result<(EnterpriseId, AppealId), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let appeal = fields.appeal(&request.appeal_id);
    fields.finish(enterprise.zip(appeal))
}

/// The position that an answer about one's own case must reflect.
pub(crate) fn follow(request: &pb::FollowCaseRequest) -> Result<Position, Failure> {
    let mut fields = Fields::default();
    let at_least = fields.min_position(&request.min_position);
    fields.finish(at_least)
}

/// The clock asked about; none for the next step of the case.
pub(crate) fn clock_id(request: &pb::ExplainDeadlineRequest) -> Option<ClockId> {
    (request.clock_id != 0).then_some(ClockId(request.clock_id))
}

pub(crate) fn of_spent(segment: &Segment, spent: WorkingTime) -> pb::TimeLedgerEntry {
    let owner = |owner: &Option<_>| owner.as_ref().map(of_owner).unwrap_or_default();
    pb::TimeLedgerEntry {
        since: Some(common::of_timestamp(segment.since)),
        holder: owner(&segment.holder),
        state: appeal::of_state(segment.phase).into(),
        booked_to: owner(&segment.booked_to),
        working_seconds: seconds(spent),
    }
}

/// Working time is never negative.
pub(crate) fn seconds(time: WorkingTime) -> u64 {
    u64::try_from(time.whole_seconds()).unwrap_or_default()
}

/// The text, and how many topics to suggest for it.
pub(crate) fn topics(request: &pb::SuggestTopicsRequest) -> Result<(String, usize), Failure> {
    let mut fields = Fields::default();
    let text = fields.prose("text", &request.text, PROSE_MAX);
    let limit = match request.limit {
        0 => Some(TOPICS.0),
        limit => fields.number("limit", limit, 1, TOPICS.1),
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    fields.finish(text.zip(limit))
}

/// What an enterprise is about to say, and on which topic.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) enterprise: EnterpriseId,
    pub(crate) topic: TopicId,
    pub(crate) text: String,
    pub(crate) at_least: Position,
}

pub(crate) fn duplicates(request: &pb::SuggestDuplicatesRequest) -> Result<Draft, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let topic = fields.parse("topic", &request.topic, TopicId::parse);
    let text = fields.prose("text", &request.text, PROSE_MAX);
    let at_least = fields.min_position(&request.min_position);
    let draft = || {
        let (enterprise, topic, text) = (enterprise?, topic?, text?);
        Some(Draft { enterprise, topic, text, at_least: at_least? })
    };
    let draft = draft();
    fields.finish(draft)
}

fn stuck_reason(reason: pb::StuckReason) -> Option<StuckReason> {
    match reason {
        pb::StuckReason::Unspecified => None,
        pb::StuckReason::NoMovement => Some(StuckReason::NoMovement),
        pb::StuckReason::Bounced => Some(StuckReason::Bounced),
        pb::StuckReason::AwaitingRuling => Some(StuckReason::AwaitingRuling),
    }
}

fn of_stuck_reason(reason: StuckReason) -> pb::StuckReason {
    match reason {
        StuckReason::NoMovement => pb::StuckReason::NoMovement,
        StuckReason::Bounced => pb::StuckReason::Bounced,
        StuckReason::AwaitingRuling => pb::StuckReason::AwaitingRuling,
    }
}
