//! Requests for boards.

use doudi_views::boards::{Dimension, Figure};
use jiff::{Timestamp, civil::date};

use super::{bad::check, sound::day, *};

fn now() -> Timestamp {
    "2025-04-25T02:00:00Z".parse().unwrap()
}

fn selection(figure: pb::BoardFigure) -> pb::BoardSelection {
    pb::BoardSelection {
        figure: figure.into(),
        from: day(2025, 1, 1),
        until: day(2025, 3, 31),
        ..<_>::default()
    }
}

fn rates() -> pb::GetBoardRequest {
    pb::GetBoardRequest {
        selection: Some(selection(pb::BoardFigure::Resolved)),
        group_by: vec![pb::BoardDimension::Unit.into(), pb::BoardDimension::Month.into()],
        compare: Some(pb::BoardComparison {
            from: day(2024, 1, 1),
            until: day(2024, 3, 31),
            as_of: None,
        }),
        ..<_>::default()
    }
}

fn get(request: &pb::GetBoardRequest) -> Result<board::Compared, Failure> {
    board::board(request, &Caller::for_tests(), (now(), now()))
}

fn chosen(request: &mut pb::GetBoardRequest) -> &mut pb::BoardSelection {
    request.selection.get_or_insert_default()
}

fn value(dimension: pb::BoardDimension, value: &str) -> pb::BoardValue {
    pb::BoardValue { dimension: dimension.into(), value: value.to_owned() }
}

#[test]
fn a_board_is_what_was_asked_beside_the_same_over_other_days() {
    let asked = get(&rates()).unwrap();
    assert_eq!(asked.now.0.group_by, [Dimension::Unit, Dimension::Month]);
    let before = asked.before.unwrap().0;
    assert_eq!(before.filter.from, Some(date(2024, 1, 1)));
    assert_eq!(before.filter.figure, Figure::Resolved);
    let due = pb::GetBoardRequest {
        selection: Some(pb::BoardSelection {
            figure: pb::BoardFigure::Due.into(),
            ..<_>::default()
        }),
        ..<_>::default()
    };
    let due = get(&due).unwrap().now.0;
    assert_eq!(
        (due.filter.from, due.filter.until),
        (Some(date(2025, 4, 25)), Some(date(2025, 4, 25)))
    );
    assert_eq!(due.group_by, Figure::Due.usual());
}

#[test]
fn what_a_figure_does_not_know_is_refused() {
    check(
        rates,
        get,
        &[
            (|r| r.selection = None, "selection", Reason::FieldRequired),
            (|r| chosen(r).figure = 0, "selection.figure", Reason::EnumUnspecified),
            (|r| chosen(r).figure = 99, "selection.figure", Reason::EnumUnknown),
            (|r| chosen(r).from = None, "selection.from", Reason::FieldRequired),
            (|r| chosen(r).until = day(2024, 1, 1), "selection.until", Reason::RangeReversed),
            (|r| chosen(r).until = day(2031, 1, 1), "selection.until", Reason::RangeTooLong),
            (|r| chosen(r).unit = "Tax".into(), "selection.unit", Reason::FieldCharacter),
            (|r| chosen(r).idle_days = 3, "selection.idle_days", Reason::FieldNotAllowed),
            (|r| r.group_by = vec![1, 2, 3, 4], "group_by", Reason::ListSize),
            (|r| r.group_by = vec![1, 1], "group_by[1]", Reason::ListDuplicate),
            (|r| r.group_by = vec![13], "group_by[0]", Reason::BoardDimensionNot),
            (|r| r.group_by = vec![0], "group_by[0]", Reason::EnumUnspecified),
            (
                |r| chosen(r).cell = vec![value(pb::BoardDimension::Ground, "routine")],
                "selection.cell[0].dimension",
                Reason::BoardDimensionNot,
            ),
            (
                |r| chosen(r).cell = vec![value(pb::BoardDimension::Unit, &"x".repeat(65))],
                "selection.cell[0].value",
                Reason::FieldTooLong,
            ),
            (
                |r| r.compare.get_or_insert_default().until = day(2023, 1, 1),
                "compare.until",
                Reason::RangeReversed,
            ),
        ],
    );
    let open = || pb::GetBoardRequest {
        selection: Some(pb::BoardSelection {
            figure: pb::BoardFigure::OpenAppeals.into(),
            ..<_>::default()
        }),
        ..<_>::default()
    };
    check(
        open,
        get,
        &[
            (|r| chosen(r).until = day(2025, 1, 1), "selection.until", Reason::FieldNotAllowed),
            (
                |r| r.compare.get_or_insert_default().from = day(2025, 1, 1),
                "compare.from",
                Reason::FieldNotAllowed,
            ),
        ],
    );
}

#[test]
fn a_file_is_whole() {
    let rows = || {
        let selection = Some(selection(pb::BoardFigure::Visits));
        let rows = pb::ListBoardRowsRequest { selection, ..<_>::default() };
        let content = Some(pb::export_board_request::Content::Rows(rows));
        pb::ExportBoardRequest { content, format: pb::ExportFormat::Csv.into() }
    };
    fn paged(request: &mut pb::ExportBoardRequest) -> &mut pb::ListBoardRowsRequest {
        match request.content.as_mut().unwrap() {
            pb::export_board_request::Content::Rows(rows) => rows,
            pb::export_board_request::Content::Board(_) => panic!("it asks for rows"),
        }
    }
    check(
        rows,
        |request| board::export(request).map(|(format, _)| format),
        &[
            (|r| r.format = 0, "format", Reason::EnumUnspecified),
            (|r| r.content = None, "content", Reason::FieldRequired),
            (|r| paged(r).page_size = 5, "rows.page_size", Reason::FieldNotAllowed),
            (|r| paged(r).page_token = "x".into(), "rows.page_token", Reason::FieldNotAllowed),
        ],
    );
}
