//! Requests and answers about random draws.

use std::ops::Bound;

use doudi_domain::{
    CampaignId, CertificateNumber, DrawId, EnterpriseId, UnitId,
    draw::{
        ADDED_MAX, Candidate, Command, Counts, Digest, Done, Draw, Made, OFFICERS_MAX, Opening,
        PER_VISIT_MAX, PER_VISIT_MIN, RatioTable, Ratios, Seed, officers_for,
    },
    enterprise::CreditGrade,
};
use doudi_engine::{Folded, Position};

use super::{
    Fields,
    city::{self, Order},
    common, derived, given,
    inspection::words,
    token::{self, Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    proto as pb, text,
};

/// The size of a page that asks for none, and the largest: each entry costs a rank for each officer.
const PAGE: (u32, u32) = (50, 200);

/// The bytes of a cursor: the longest id of an enterprise; a shorter one is filled up with zeros.
pub(super) const CURSOR_BYTES: usize = 18;

/// The fields that every command on a known draw has.
macro_rules! draw_order {
    ($request:ident, $fields:ident, $command:expr) => {{
        let command_id = $fields.command_id(&$request.command_id);
        let draw = draw(&mut $fields, &$request.draw_id);
        let command = $command;
        city::order($fields, command_id, $request.expected_version, draw, command)
    }};
}

fn draw(fields: &mut Fields, text: &str) -> Option<DrawId> {
    fields.parse("draw_id", text, given(DrawId::parse))
}

pub(crate) fn open(
    request: &pb::OpenDrawRequest,
    unit: UnitId,
    table: RatioTable,
) -> Result<Order<DrawId, (Opening, RatioTable)>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let title = fields.parse("title", &request.title, text::name);
    let campaign = fields.optional("campaign_id", &request.campaign_id, CampaignId::parse);
    let ratios = match request.ratios {
        None => fields.refuse("ratios", Reason::FieldRequired),
        Some(given) => ratios(&mut fields, given),
    };
    let per_visit = per_visit(&mut fields, request.officers_per_visit);
    let officers = (&request.officers, (usize::from(PER_VISIT_MIN), OFFICERS_MAX));
    let officers = fields.set("officers", officers.0, officers.1, CertificateNumber::parse);
    let opening = || {
        Some(Opening {
            title: title?,
            unit,
            campaign: campaign?,
            ratios: ratios?,
            officers: officers?,
            per_visit: per_visit?,
        })
    };
    let opening = opening().map(|opening| (opening, table));
    city::order(fields, command_id, None, command_id.map(derived::draw), opening)
}

fn ratios(fields: &mut Fields, given: pb::DrawRatios) -> Option<Ratios> {
    let mut percent = |name: &str, value: u32| {
        let percent = fields.number(&format!("ratios.{name}"), value, 0, 100)?;
        u8::try_from(percent).ok()
    };
    let (a, b) = (percent("a_percent", given.a_percent), percent("b_percent", given.b_percent));
    let (c, d) = (percent("c_percent", given.c_percent), percent("d_percent", given.d_percent));
    Some(Ratios { a: a?, b: b?, c: c?, d: d? })
}

fn per_visit(fields: &mut Fields, value: u32) -> Option<u8> {
    if value == 0 {
        return Some(PER_VISIT_MIN);
    }
    let (min, max) = (PER_VISIT_MIN.into(), PER_VISIT_MAX.into());
    u8::try_from(fields.number("officers_per_visit", value, min, max)?).ok()
}

pub(crate) fn add(
    request: &pb::AddCandidatesRequest,
    unit: UnitId,
) -> Result<Order<DrawId, Command>, Failure> {
    let mut fields = Fields::default();
    let candidates = fields.each("candidates", &request.candidates, (1, ADDED_MAX), candidate);
    let command = candidates.map(|candidates| Command::AddCandidates { unit, candidates });
    draw_order!(request, fields, command)
}

fn candidate(fields: &mut Fields, path: &str, given: &pb::DrawCandidate) -> Option<Candidate> {
    let at = |name: &str| format!("{path}.{name}");
    let enterprise = &given.enterprise_id;
    let enterprise = fields.parse(&at("enterprise_id"), enterprise, EnterpriseId::parse);
    let grade = fields.filter(&at("grade"), given.grade, words::credit_grade);
    let avoid = (&given.avoid, (0, OFFICERS_MAX));
    let avoid = fields.set(&at("avoid"), avoid.0, avoid.1, CertificateNumber::parse);
    Some(Candidate { enterprise: enterprise?, grade: grade?, avoid: avoid? })
}

pub(crate) fn make(
    request: &pb::MakeDrawRequest,
    unit: UnitId,
    seed: Seed,
) -> Result<Order<DrawId, Command>, Failure> {
    let mut fields = Fields::default();
    draw_order!(request, fields, Some(Command::Make { unit, seed }))
}

pub(crate) fn get(request: &pb::GetDrawRequest) -> Result<(DrawId, Position), Failure> {
    let mut fields = Fields::default();
    let draw = draw(&mut fields, &request.draw_id);
    let at_least = fields.min_position(&request.min_position);
    fields.finish(draw.zip(at_least))
}

/// The draw as it is; none before it was opened.
pub(crate) fn answer(id: DrawId, folded: &Folded<Draw>) -> Option<pb::GetDrawResponse> {
    let (opening, counts, made) = match &folded.state {
        Draw::Absent => return None,
        Draw::Open(open) => (&open.opening, &open.counts, None),
        Draw::Made(done) => (&done.opening, &done.made.counts, Some(&done.made)),
    };
    let digest = |of: fn(&Made) -> Digest| made.map(of).as_ref().map(Digest::to_string);
    let answer = pb::Draw {
        draw_id: id.to_string(),
        title: opening.title.to_string(),
        unit: opening.unit.to_string(),
        campaign_id: opening.campaign.as_ref().map(CampaignId::to_string).unwrap_or_default(),
        ratios: Some(pb::DrawRatios {
            a_percent: opening.ratios.a.into(),
            b_percent: opening.ratios.b.into(),
            c_percent: opening.ratios.c.into(),
            d_percent: opening.ratios.d.into(),
        }),
        officers: opening.officers.iter().map(CertificateNumber::to_string).collect(),
        officers_per_visit: opening.per_visit.into(),
        shares: shares(counts),
        made: made.is_some(),
        seed: made.map(|made| made.seed.to_string()).unwrap_or_default(),
        pool_digest: digest(|made| made.pool).unwrap_or_default(),
        result_digest: digest(|made| made.result).unwrap_or_default(),
    };
    Some(pb::GetDrawResponse {
        draw: Some(answer),
        version: folded.version.0,
        position: token::of_position(folded.position),
    })
}

fn shares(counts: &Counts) -> Vec<pb::DrawShare> {
    let Counts { a, b, c, d } = counts;
    [(CreditGrade::A, a), (CreditGrade::B, b), (CreditGrade::C, c), (CreditGrade::D, d)]
        .map(|(grade, share)| pb::DrawShare {
            grade: words::of_credit_grade(grade).into(),
            candidates: share.candidates,
            drawn: share.drawn,
        })
        .into()
}

/// A page of what was drawn, the position it must reflect, and what the next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) draw: DrawId,
    pub(crate) at_least: Position,
    after: Option<EnterpriseId>,
    limit: usize,
    binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListDrawnRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let draw = draw(&mut fields, &request.draw_id);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let at_least = fields.min_position(&request.min_position);
    let filters = pb::ListDrawnRequest { draw_id: request.draw_id.clone(), ..<_>::default() };
    let binding = Binding::new("ListDrawn", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode(binding, text).and_then(cursor) {
            Some(enterprise) => Some(Some(enterprise)),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let list =
        || Some(List { draw: draw?, at_least: at_least?, after: after?, limit: limit?, binding });
    let list = list();
    fields.finish(list)
}

/// The page, as far as it fits into `bytes_max`; its token then leads to the rest. Nothing where the
/// draw is not made.
pub(crate) fn page(
    list: &List,
    folded: &Folded<Draw>,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListDrawnResponse {
    let position = token::of_position(folded.position);
    let Draw::Made(done) = &folded.state else {
        return pb::ListDrawnResponse { position, ..<_>::default() };
    };
    let from = list.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
    let wanted = || done.drawn.range((from.clone(), Bound::Unbounded));
    let drawn = wanted().take(list.limit).map(|(_, candidate)| of_drawn(done, candidate));
    let drawn = common::fitting(drawn, bytes_max);
    let last = wanted().nth(drawn.len().saturating_sub(1)).map(|(enterprise, _)| enterprise);
    let more = wanted().nth(drawn.len()).is_some();
    let next = last.filter(|_| more).map(|last| tokens.encode(list.binding, &of_cursor(last)));
    pb::ListDrawnResponse { drawn, next_page_token: next.unwrap_or_default(), position }
}

fn of_drawn(done: &Done, candidate: &Candidate) -> pb::DrawnEnterprise {
    let officers = officers_for(&done.opening, candidate, done.made.seed);
    let grade = candidate.grade.map(words::of_credit_grade);
    pb::DrawnEnterprise {
        enterprise_id: candidate.enterprise.to_string(),
        grade: grade.unwrap_or(pb::CreditGrade::Unspecified).into(),
        officers: officers.iter().map(CertificateNumber::to_string).collect(),
    }
}

pub(super) fn of_cursor(enterprise: &EnterpriseId) -> Vec<u8> {
    let mut bytes = enterprise.as_str().as_bytes().to_vec();
    bytes.resize(CURSOR_BYTES, 0);
    bytes
}

pub(super) fn cursor(bytes: [u8; CURSOR_BYTES]) -> Option<EnterpriseId> {
    let text = std::str::from_utf8(&bytes).ok()?;
    EnterpriseId::parse(text.trim_end_matches('\0')).ok()
}
