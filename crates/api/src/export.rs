//! Boards and the rows behind them as files, for whoever works with a spreadsheet.

use bytes::Bytes;
use doudi_views::boards::{Figure, Row, Subject};
use jiff::{Timestamp, tz};
use rust_xlsxwriter::{Format as Style, Workbook, XlsxError};

use crate::{
    convert::board::{self, headings},
    proto as pb,
};

/// In which form a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text with commas (RFC 4180), with a byte order mark: without one, spreadsheets on Chinese systems
    /// take it for GBK.
    Csv,
    /// An Excel workbook of one sheet.
    Xlsx,
}

/// What stands in a field.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nothing,
    Text(String),
    Count(u64),
    /// Of 1.
    Share(f64),
}

/// A table with a heading for each column.
#[derive(Debug)]
pub(crate) struct Table {
    /// At most 31 characters.
    name: &'static str,
    headings: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// As text.
    #[error("writing a table as text")]
    Csv(#[from] csv::Error),
    /// As a workbook.
    #[error("writing a workbook")]
    Xlsx(#[from] XlsxError),
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Table {
    /// The file.
    ///
    /// # Errors
    /// When there are more rows than a sheet has, which no table of ours has.
    pub(crate) fn write(&self, format: Format) -> Result<Bytes, ExportError> {
        match format {
            Format::Csv => self.csv(),
            Format::Xlsx => self.xlsx(),
        }
    }

    fn csv(&self) -> Result<Bytes, ExportError> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(BYTE_ORDER_MARK.to_vec());
        writer.write_record(&self.headings)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Value::text))?;
        }
        let written = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(written.into())
    }

    fn xlsx(&self) -> Result<Bytes, ExportError> {
        let (bold, share) = (Style::new().set_bold(), Style::new().set_num_format("0.0%"));
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name(self.name)?;
        for (column, heading) in (0..).zip(&self.headings) {
            sheet.write_string_with_format(0, column, heading, &bold)?;
            sheet.set_column_width(column, 18)?;
        }
        for (at, row) in (1..).zip(&self.rows) {
            for (column, value) in (0..).zip(row) {
                match value {
                    Value::Nothing => {}
                    Value::Text(text) => {
                        sheet.write_string(at, column, text)?;
                    }
                    // A sheet knows only doubles; counts of ours are far below what those say exactly.
                    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
                    Value::Count(count) => {
                        sheet.write_number(at, column, *count as f64)?;
                    }
                    Value::Share(of_one) => {
                        sheet.write_number_with_format(at, column, *of_one, &share)?;
                    }
                }
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(book.save_to_buffer()?.into())
    }
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Share(share) => format!("{share:.4}"),
        }
    }

    fn count(count: Option<u64>) -> Self {
        count.map_or(Self::Nothing, Self::Count)
    }
}

/// What is counted, column by column.
const SUMS: [&str; 7] = [
    "行数 rows",
    "企业数 enterprises",
    "已知 known",
    "符合 hits",
    "比率 rate",
    "中位用时（秒） median_seconds",
    "九成用时（秒） p90_seconds",
];

/// The numbers of a board; the last row is that of all together.
pub(crate) fn of_board(figure: Figure, board: &pb::GetBoardResponse) -> Table {
    let compared = board.total_before.is_some();
    let mut headings: Vec<String> = headings(&board.group_by).map(str::to_owned).collect();
    let keys = headings.len();
    headings.extend(SUMS.map(str::to_owned));
    if compared {
        headings.extend(SUMS.map(|heading| format!("对比：{heading}")));
    }
    let row = |values: &[String], now: Option<&pb::BoardSums>, before: Option<&pb::BoardSums>| {
        let keys = values.iter().cloned().map(Value::Text);
        let before = compared.then(|| sums(before)).into_iter().flatten();
        keys.chain(sums(now)).chain(before).collect()
    };
    let each = board.cells.iter();
    let mut rows: Vec<_> =
        each.map(|cell| row(&cell.values, cell.sums.as_ref(), cell.before.as_ref())).collect();
    let mut all = vec![String::new(); keys];
    all.first_mut().into_iter().for_each(|first| "合计 total".clone_into(first));
    rows.push(row(&all, board.total.as_ref(), board.total_before.as_ref()));
    Table { name: board::name(figure), headings, rows }
}

fn sums(sums: Option<&pb::BoardSums>) -> [Value; SUMS.len()] {
    let known = sums.filter(|sums| sums.known > 0);
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let rate = known.map(|sums| Value::Share(sums.hits as f64 / sums.known as f64));
    let count = |of: fn(&pb::BoardSums) -> u64| Value::Count(sums.map(of).unwrap_or_default());
    [
        count(|sums| sums.rows),
        count(|sums| sums.enterprises),
        count(|sums| sums.known),
        count(|sums| sums.hits),
        rate.unwrap_or(Value::Nothing),
        Value::count(sums.and_then(|sums| sums.median_seconds)),
        Value::count(sums.and_then(|sums| sums.p90_seconds)),
    ]
}

/// The rows that a figure counts.
pub(crate) fn of_rows(figure: Figure, rows: &[Row]) -> Table {
    let subject = match figure.subject() {
        Subject::Appeal => "诉求 appeal_id",
        Subject::Visit => "检查 visit_id",
    };
    let before = [subject, "企业 enterprise_id", "时间 at", "符合 hit", "用时（秒） seconds"];
    let dimensions = figure.dimensions().iter().map(|dimension| board::heading(*dimension));
    let headings = before.into_iter().chain(dimensions).map(str::to_owned).collect();
    let hit = |hit: bool| Value::Text(if hit { "是 yes" } else { "否 no" }.to_owned());
    let row = |row: &Row| {
        let own = [
            Value::Text(row.subject.to_string()),
            Value::Text(row.enterprise.to_string()),
            Value::Text(local(row.at)),
            row.hit.map_or(Value::Nothing, hit),
            Value::count(row.seconds),
        ];
        own.into_iter().chain(row.values.iter().cloned().map(Value::Text)).collect()
    };
    Table { name: board::name(figure), headings, rows: rows.iter().map(row).collect() }
}

/// An instant as the clocks in Asia/Shanghai show it.
fn local(at: Timestamp) -> String {
    at.to_zoned(tz::offset(8).to_time_zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Reader, Xlsx};

    use super::*;

    fn board() -> pb::GetBoardResponse {
        let sums = |rows, hits| {
            Some(pb::BoardSums { rows, enterprises: 1, known: rows, hits, ..<_>::default() })
        };
        pb::GetBoardResponse {
            group_by: vec![pb::BoardDimension::Unit.into(), pb::BoardDimension::Month.into()],
            cells: vec![pb::BoardCell {
                values: vec!["tax, \"south\"".into(), "2025-04".into()],
                sums: sums(4, 1),
                before: None,
            }],
            total: sums(4, 1),
            total_before: sums(2, 2),
            ..<_>::default()
        }
    }

    #[test]
    fn text_is_quoted_and_the_comparison_and_the_total_are_told() {
        let written = of_board(Figure::Reopened, &board()).write(Format::Csv).unwrap();
        let text = std::str::from_utf8(&written).unwrap().strip_prefix('\u{feff}').unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 2 + 7 + 7);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(
            rows[0].iter().take(7).collect::<Vec<_>>(),
            ["tax, \"south\"", "2025-04", "4", "1", "4", "1", "0.2500"]
        );
        assert_eq!((&rows[1][0], &rows[1][9], &rows[1][13]), ("合计 total", "2", "1.0000"));
        assert!(text.contains("\r\n"));
    }

    #[test]
    fn a_workbook_holds_the_same_as_numbers() {
        let table = of_board(Figure::Reopened, &board());
        let written = table.write(Format::Xlsx).unwrap();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(written)).unwrap();
        let sheet = book.worksheet_range_at(0).unwrap().unwrap();
        assert_eq!(book.sheet_names(), ["重办率"]);
        assert_eq!(sheet.get_size(), (3, 2 + 7 + 7));
        assert_eq!(sheet.get((0, 0)).unwrap(), &table.headings[0].as_str());
        assert_eq!(sheet.get((1, 0)).unwrap(), &"tax, \"south\"");
        assert_eq!(sheet.get((1, 2)).unwrap(), &4.0);
        assert_eq!(sheet.get((1, 6)).unwrap(), &0.25);
        assert_eq!(sheet.get((2, 9)).unwrap(), &2.0);
    }
}
