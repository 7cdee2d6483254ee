//! Reads of one appeal and lists of many.

use doudi_domain::{
    AreaCode, CaseNumber, CaseNumberError, CaseTypeId, EnterpriseId, TopicId, UnitId,
};
use doudi_engine::Position;
use doudi_views::appeals;

use super::{
    reply::of_row,
    words::{state, trigger},
};
use crate::{
    convert::{
        Fields, Reflect, case, common,
        token::{self, Binding, PageTokens},
    },
    error::{Failure, Reason},
    identity::Caller,
    proto as pb,
};

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 200);

/// The enterprise, the appeal, and what the answer must reflect.
pub(crate) fn get(request: &pb::GetAppealRequest) -> Result<case::Asked, Failure> {
    let pb::GetAppealRequest { enterprise_id, appeal_id, min_position, as_of } = request;
    case::asked(enterprise_id, appeal_id, min_position, as_of.as_ref())
}

/// A list query, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: appeals::Query,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListAppealsRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let state = fields.filter("state", request.state, state);
    let area = fields.optional("area", &request.area, AreaCode::parse);
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let topic = fields.optional("topic", &request.topic, TopicId::parse);
    let enterprise = fields.optional("enterprise_id", &request.enterprise_id, EnterpriseId::parse);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let case_type = fields.optional("case_type", &request.case_type, CaseTypeId::parse);
    let guarantee = fields.filter("guarantee", request.guarantee, trigger);
    let number = number(&mut fields, &request.number);
    let filters = pb::ListAppealsRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListAppeals", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode::<8>(binding, text) {
            Some(bytes) => Some(Some(Position(u64::from_be_bytes(bytes)))),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let scope = caller.scope();
    let list = || {
        let query = appeals::Query {
            state: state?,
            area: area?,
            unit: unit?,
            topic: topic?,
            enterprise: enterprise?,
            case_type: case_type?,
            guarantee: guarantee?,
            open_only: request.open_only,
            number: number?,
            scope,
            after: after?,
            limit: limit?,
        };
        Some(List { query, reflect: reflect?, binding })
    };
    fields.finish(list())
}

/// A case number as a filter: empty is any.
fn number(fields: &mut Fields, text: &str) -> Option<Option<CaseNumber>> {
    if text.is_empty() {
        return Some(None);
    }
    let reason = match CaseNumber::parse(text) {
        Ok(number) => return Some(Some(number)),
        Err(CaseNumberError::Shape) => Reason::CaseNumberMalformed,
        Err(CaseNumberError::Check) => Reason::CaseNumberMistaken,
    };
    fields.refuse("number", reason)
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    page: &appeals::Page,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListAppealsResponse {
    let appeals = common::fitting(page.appeals.iter().map(of_row), bytes_max);
    let cut = appeals.len() < page.appeals.len();
    let last = page.appeals.get(appeals.len().saturating_sub(1)).map(|last| last.submitted);
    let next = if cut { last } else { page.next };
    let next = next.map(|after| tokens.encode(binding, &after.0.to_be_bytes()));
    pb::ListAppealsResponse {
        appeals,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}
