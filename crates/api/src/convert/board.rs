//! Requests and answers about boards.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{AreaCode, Invalid, UnitId, calendar::civil_date};
use doudi_views::boards::{
    Board, Cell, Cursor, Dimension, Figure, Filter, KEYS_MAX, Page, PageQuery, Query, Row, Subject,
    Sums, Windows,
};
use jiff::{Timestamp, civil::Date};

use super::{
    Fields, Reflect,
    alike::alike,
    case::{after, idle_since},
    common,
    token::{self, Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason, Violation},
    export::Format,
    identity::Caller,
    proto::{self as pb, export_board_request::Content},
};

/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 200);
/// The longest value of a dimension.
const VALUE_MAX: usize = 64;

alike! {
    BoardDimension = Dimension, dimension, of_dimension:
        Unit Area Month Topic CaseType Class State Level Rung ClockKind StuckReason ToUnit Ground
        CreditGrade RiskClass;
}

fn figure(figure: pb::BoardFigure) -> Option<Figure> {
    match figure {
        pb::BoardFigure::Unspecified => None,
        pb::BoardFigure::OpenAppeals => Some(Figure::OpenAppeals),
        pb::BoardFigure::Due => Some(Figure::Due),
        pb::BoardFigure::Stuck => Some(Figure::Stuck),
        pb::BoardFigure::Dwell => Some(Figure::Dwell),
        pb::BoardFigure::Responded => Some(Figure::Responded),
        pb::BoardFigure::Resolved => Some(Figure::Resolved),
        pb::BoardFigure::Satisfied => Some(Figure::Satisfied),
        pb::BoardFigure::Reopened => Some(Figure::Reopened),
        pb::BoardFigure::Returns => Some(Figure::Returns),
        pb::BoardFigure::Visits => Some(Figure::Visits),
        pb::BoardFigure::JointVisits => Some(Figure::JointVisits),
        pb::BoardFigure::Places => Some(Figure::Places),
        pb::BoardFigure::Exceptions => Some(Figure::Exceptions),
    }
}

/// What a figure is called, in at most 31 characters.
pub(crate) fn name(figure: Figure) -> &'static str {
    match figure {
        Figure::OpenAppeals => "在办诉求预警",
        Figure::Due => "到期事项",
        Figure::Stuck => "滞留诉求",
        Figure::Dwell => "环节用时",
        Figure::Responded => "响应率",
        Figure::Resolved => "解决率",
        Figure::Satisfied => "满意率",
        Figure::Reopened => "重办率",
        Figure::Returns => "退单流向",
        Figure::Visits => "入企检查",
        Figure::JointVisits => "综合查一次占比",
        Figure::Places => "频次热力图",
        Figure::Exceptions => "例外检查",
    }
}

/// What stands above a dimension's values in a file.
pub(crate) fn heading(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Unit => "单位 unit",
        Dimension::Area => "区域 area",
        Dimension::Month => "月份 month",
        Dimension::Topic => "事项主题 topic",
        Dimension::CaseType => "诉求类型 case_type",
        Dimension::Class => "分级 class",
        Dimension::State => "状态 state",
        Dimension::Level => "预警级别 level",
        Dimension::Rung => "督办层级 rung",
        Dimension::ClockKind => "时限类型 clock_kind",
        Dimension::StuckReason => "滞留原因 stuck_reason",
        Dimension::ToUnit => "转往单位 to_unit",
        Dimension::Ground => "检查事由 ground",
        Dimension::CreditGrade => "信用等级 credit_grade",
        Dimension::RiskClass => "风险等级 risk_class",
    }
}

/// The headings of the dimensions of an answer of ours.
pub(crate) fn headings(group_by: &[i32]) -> impl Iterator<Item = &'static str> {
    let known = group_by.iter().filter_map(|by| pb::BoardDimension::try_from(*by).ok());
    known.filter_map(dimension).map(heading)
}

/// What a board is asked for, besides its comparison.
pub(crate) type Asked = (Query, Reflect);

/// A board, and what it is compared with.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) now: Asked,
    pub(crate) before: Option<Asked>,
}

/// A list of rows, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: PageQuery,
    pub(crate) reflect: Reflect,
    pub(crate) binding: Binding,
}

/// Reads a request for a board.
pub(crate) fn board(
    request: &pb::GetBoardRequest,
    caller: &Caller,
    (now, before): (Timestamp, Timestamp),
) -> Result<Compared, Failure> {
    let mut fields = Fields::default();
    let filter = selection(&mut fields, request.selection.as_ref(), caller, now);
    let group_by =
        filter.as_ref().and_then(|filter| group_by(&mut fields, filter.figure, &request.group_by));
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let query = filter.zip(group_by).map(|(filter, group_by)| Query { filter, group_by });
    let asked = query.zip(reflect);
    let before = match (&request.compare, &asked) {
        (None, _) => Some(None),
        (Some(_), None) => None,
        (Some(compare), Some(asked)) => {
            // What could be read as of now can be read as of then.
            let selection = selection(&mut fields, request.selection.as_ref(), caller, before);
            selection.and_then(|then| comparison(&mut fields, compare, then, asked)).map(Some)
        }
    };
    fields.finish(asked.zip(before).map(|(now, before)| Compared { now, before }))
}

/// The same selection over other days, or as of another time.
fn comparison(
    fields: &mut Fields,
    compare: &pb::BoardComparison,
    mut filter: Filter,
    (query, reflect): &Asked,
) -> Option<Asked> {
    if compare.from.is_some() || compare.until.is_some() {
        if filter.figure.windows() == Windows::Standing {
            return fields.refuse("compare.from", Reason::FieldNotAllowed);
        }
        let (from, until) =
            fields.days("compare.", compare.from.as_ref(), compare.until.as_ref())?;
        (filter.from, filter.until) = (Some(from), Some(until));
    }
    let as_of = match &compare.as_of {
        None => reflect.as_of,
        given => fields.reflecting("", given.as_ref())?.as_of,
    };
    let query = Query { filter, group_by: query.group_by.clone() };
    Some((query, Reflect { as_of, ..*reflect }))
}

/// Reads a request for the rows behind a number.
pub(crate) fn list(
    request: &pb::ListBoardRowsRequest,
    caller: &Caller,
    tokens: &PageTokens,
    now: Timestamp,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let filter = selection(&mut fields, request.selection.as_ref(), caller, now);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let filters = pb::ListBoardRowsRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListBoardRows", &filters, caller);
    let read = |bytes: [u8; Cursor::BYTES]| Cursor::from_bytes(&bytes);
    let after = after(&mut fields, tokens, binding, &request.page_token, read);
    let list = || {
        let query = PageQuery { filter: filter?, after: after?, limit: limit? };
        Some(List { query, reflect: reflect?, binding })
    };
    let list = list();
    fields.finish(list)
}

/// Reads in which form a file is asked for, and what is to be in it.
pub(crate) fn export(request: &pb::ExportBoardRequest) -> Result<(Format, &Content), Failure> {
    let mut fields = Fields::default();
    let format = fields.choice("format", request.format, |format| match format {
        pb::ExportFormat::Unspecified => None,
        pb::ExportFormat::Csv => Some(Format::Csv),
        pb::ExportFormat::Xlsx => Some(Format::Xlsx),
    });
    let content = match &request.content {
        Some(content) => Some(content),
        None => fields.refuse("content", Reason::FieldRequired),
    };
    if let Some(Content::Rows(rows)) = content {
        if rows.page_size != 0 {
            fields.refuse::<()>("rows.page_size", Reason::FieldNotAllowed);
        }
        if !rows.page_token.is_empty() {
            fields.refuse::<()>("rows.page_token", Reason::FieldNotAllowed);
        }
    }
    fields.finish(format.zip(content))
}

fn selection(
    fields: &mut Fields,
    given: Option<&pb::BoardSelection>,
    caller: &Caller,
    now: Timestamp,
) -> Option<Filter> {
    let Some(given) = given else {
        return fields.refuse("selection", Reason::FieldRequired);
    };
    let figure = fields.choice("selection.figure", given.figure, figure);
    let unit = fields.optional("selection.unit", &given.unit, UnitId::parse);
    let area = fields.optional("selection.area", &given.area, AreaCode::parse);
    let figure = figure?;
    let days = days(fields, figure, given, civil_date(now));
    let idle_since = match given.idle_days {
        days if days != 0 && figure != Figure::Stuck => {
            fields.refuse("selection.idle_days", Reason::FieldNotAllowed)
        }
        days => idle_since(fields, "selection.idle_days", days, now),
    };
    let cell = cell(fields, figure, &given.cell);
    let (from, until) = days?;
    let idle_since = idle_since?;
    let scope = caller.scope();
    Some(Filter { figure, from, until, unit: unit?, area: area?, idle_since, cell: cell?, scope })
}

/// The days asked for, as the figure knows any.
fn days(
    fields: &mut Fields,
    figure: Figure,
    given: &pb::BoardSelection,
    today: Date,
) -> Option<(Option<Date>, Option<Date>)> {
    let (from, until) = (given.from.as_ref(), given.until.as_ref());
    match (figure.windows(), from.or(until)) {
        (Windows::Standing, None) => Some((None, None)),
        (Windows::Standing, Some(_)) => {
            let path = if from.is_some() { "selection.from" } else { "selection.until" };
            fields.refuse(path, Reason::FieldNotAllowed)
        }
        (Windows::Today, None) => Some((Some(today), Some(today))),
        (Windows::Today, Some(_)) | (Windows::Given, _) => {
            let (from, until) = fields.days("selection.", from, until)?;
            Some((Some(from), Some(until)))
        }
    }
}

fn group_by(fields: &mut Fields, figure: Figure, given: &[i32]) -> Option<Vec<Dimension>> {
    if given.is_empty() {
        return Some(figure.usual().to_vec());
    }
    if given.len() > KEYS_MAX {
        let size = Violation::new("group_by", Reason::ListSize).with("min", 0);
        fields.note(size.with("max", KEYS_MAX).with("found", given.len()));
        return None;
    }
    let mut dimensions = Vec::new();
    for (at, value) in given.iter().enumerate() {
        let path = format!("group_by[{at}]");
        dimensions.push(known(fields, &path, figure, *value, &dimensions)?);
    }
    Some(dimensions)
}

/// A dimension that the figure has and that was not named before.
fn known(
    fields: &mut Fields,
    path: &str,
    figure: Figure,
    value: i32,
    before: &[Dimension],
) -> Option<Dimension> {
    let dimension = fields.choice(path, value, dimension)?;
    if before.contains(&dimension) {
        return fields.refuse(path, Reason::ListDuplicate);
    }
    if !figure.dimensions().contains(&dimension) {
        return fields.refuse(path, Reason::BoardDimensionNot);
    }
    Some(dimension)
}

fn cell(
    fields: &mut Fields,
    figure: Figure,
    given: &[pb::BoardValue],
) -> Option<Vec<(Dimension, String)>> {
    let (mut named, mut cell) = (Vec::new(), Vec::new());
    for (at, value) in given.iter().enumerate() {
        let path = format!("selection.cell[{at}]");
        let of = known(fields, &format!("{path}.dimension"), figure, value.dimension, &named)?;
        let value = fields.parse(&format!("{path}.value"), &value.value, text)?;
        named.push(of);
        cell.push((of, value));
    }
    Some(cell)
}

/// A value, also an empty one. PostgreSQL keeps no NUL in a text.
fn text(value: &str) -> Result<String, Invalid> {
    match value {
        long if long.chars().count() > VALUE_MAX => Err(Invalid::TooLong { max: VALUE_MAX }),
        odd if odd.chars().any(char::is_control) => {
            Err(Invalid::Character { allowed: "characters that can be shown" })
        }
        value => Ok(value.to_owned()),
    }
}

/// A board beside its comparison: cells with the same values stand together.
pub(crate) fn of_board(
    group_by: &[Dimension],
    now: &Board,
    before: Option<&Board>,
) -> pb::GetBoardResponse {
    fn by_keys(board: &Board) -> BTreeMap<&[String], &Cell> {
        board.cells.iter().map(|cell| (cell.keys.as_slice(), cell)).collect()
    }
    let (here, there) = (by_keys(now), before.map(by_keys).unwrap_or_default());
    let keys: BTreeSet<&[String]> = here.keys().chain(there.keys()).copied().collect();
    let cells = keys.into_iter().map(|keys| pb::BoardCell {
        values: keys.to_vec(),
        sums: here.get(keys).map(|cell| of_sums(&cell.sums)),
        before: there.get(keys).map(|cell| of_sums(&cell.sums)),
    });
    pb::GetBoardResponse {
        group_by: group_by.iter().map(|dimension| of_dimension(*dimension).into()).collect(),
        cells: cells.collect(),
        cut: now.cut || before.is_some_and(|before| before.cut),
        total: Some(of_sums(&now.total)),
        total_before: before.map(|before| of_sums(&before.total)),
        position: token::of_position(now.position),
        position_before: before.map(|board| token::of_position(board.position)).unwrap_or_default(),
    }
}

fn of_sums(sums: &Sums) -> pb::BoardSums {
    let Sums { rows, enterprises, known, hits, median_seconds, p90_seconds } = *sums;
    pb::BoardSums { rows, enterprises, known, hits, median_seconds, p90_seconds }
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    figure: Figure,
    page: &Page,
    (binding, tokens): (Binding, &PageTokens),
    bytes_max: usize,
) -> pb::ListBoardRowsResponse {
    let rows = common::fitting(page.rows.iter().map(|row| of_row(figure, row)), bytes_max);
    let cut = rows.len() < page.rows.len();
    let last = page.rows.get(rows.len().saturating_sub(1)).map(Cursor::of);
    let next = if cut { last } else { page.next.clone() };
    let next = next.map(|cursor| tokens.encode(binding, &cursor.to_bytes()));
    pb::ListBoardRowsResponse {
        rows,
        next_page_token: next.unwrap_or_default(),
        position: token::of_position(page.position),
    }
}

fn of_row(figure: Figure, row: &Row) -> pb::BoardRow {
    let subject = row.subject.to_string();
    let (appeal_id, visit_id) = match figure.subject() {
        Subject::Appeal => (subject, String::new()),
        Subject::Visit => (String::new(), subject),
    };
    let values = figure.dimensions().iter().zip(&row.values);
    let value = |(dimension, value): (&Dimension, &String)| pb::BoardValue {
        dimension: of_dimension(*dimension).into(),
        value: value.clone(),
    };
    pb::BoardRow {
        appeal_id,
        visit_id,
        enterprise_id: row.enterprise.to_string(),
        at: Some(common::of_timestamp(row.at)),
        hit: row.hit,
        seconds: row.seconds,
        values: values.map(value).collect(),
    }
}
