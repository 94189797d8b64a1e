//! Pure: the sheets of a workbook (XLSX, XLS) as lines of texts, as if they had been saved as
//! CSV.

use super::cells::SPREADSHEET_BEGINS;
use crate::lang::Lang;
use calamine::{Data, Dimensions, Reader, Xls, Xlsx, XlsxError};
use jiff::civil::Time;
use jiff::{SignedDuration, Span};
use std::collections::BTreeMap;
use std::io::Cursor;

/// How ZIP (XLSX) and compound files (XLS) begin.
const ZIP: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";
/// Cells of one sheet, empty ones between others included. A county of 2,570 grids has 5,140 rangers
/// with seven columns. One stray cell far out makes a sheet of billions.
const CELLS_MAX: usize = 4_000_000;
const SECONDS_A_DAY: f64 = 86_400.0;

/// The lines of a table, each with its number in the file, from 1.
pub(super) type Lines = Vec<(u64, Vec<String>)>;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP) || bytes.starts_with(COMPOUND)
}

/// Every sheet.
pub(super) fn sheets(bytes: &[u8], lang: Lang) -> Result<Vec<Lines>, String> {
    let read = if bytes.starts_with(ZIP) { xlsx(bytes, lang) } else { xls(bytes) };
    read.map_err(|why| {
        let broken = lang.pick(
            "表格文件无法读取，请另存为 XLSX 或 CSV 再试",
            "the workbook cannot be read, save it as XLSX or CSV",
        );
        format!("{broken}: {why}")
    })
}

/// Cell by cell: how far out the last one lies says nothing about how many there are.
fn xlsx(bytes: &[u8], lang: Lang) -> Result<Vec<Lines>, String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let mut sheets = Vec::new();
    for name in book.sheet_names() {
        let failed = |e: XlsxError| format!("{name}: {e}");
        let mut cells = match book.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // A sheet that is a chart.
            Err(XlsxError::NotAWorksheet(_)) => continue,
            Err(e) => return Err(failed(e)),
        };
        let (mut lines, mut all): (BTreeMap<u32, Vec<String>>, usize) = (BTreeMap::new(), 0);
        while let Some(cell) = cells.next_cell().map_err(failed)? {
            let ((row, column), text) =
                (cell.get_position(), text(&cell.get_value().clone().into()));
            if text.is_empty() {
                continue;
            }
            let line = lines.entry(row).or_default();
            let width = line.len().max(column as usize + 1);
            all += width - line.len();
            if all > CELLS_MAX {
                let (row, column) = (row + 1, column + 1);
                return Err(match lang {
                    Lang::Zh => format!("{name}：单元格太多；第{row}行第{column}列是否误填？"),
                    Lang::En => format!(
                        "{name}: too many cells; is the one in row {row}, column {column} a stray?"
                    ),
                });
            }
            line.resize(width, String::new());
            line[column as usize] = text;
        }
        drop(cells);
        for merged in book.merge_cells_by_sheet_name(&name).map_err(failed)? {
            fill_down(&mut lines, merged);
        }
        sheets.push(lines.into_iter().map(|(row, line)| (u64::from(row) + 1, line)).collect());
    }
    Ok(sheets)
}

/// A merged cell is the cell of each of its rows, as people read it.
fn fill_down(lines: &mut BTreeMap<u32, Vec<String>>, merged: Dimensions) {
    let ((first, column), last) = (merged.start, merged.end.0);
    let column = column as usize;
    let Some(text) = lines.get(&first).and_then(|line| line.get(column)).cloned() else { return };
    if last <= first {
        return;
    }
    for (_, line) in lines.range_mut(first + 1..=last) {
        if line.len() <= column {
            line.resize(column + 1, String::new());
        }
        if line[column].is_empty() {
            line[column].clone_from(&text);
        }
    }
}

/// The old form has at most 65,536 rows of 256 cells.
fn xls(bytes: &[u8]) -> Result<Vec<Lines>, String> {
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let sheets = book.worksheets().into_iter().map(|(_, range)| {
        let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
        (first..).zip(range.rows().map(|row| row.iter().map(text).collect())).collect()
    });
    Ok(sheets.collect())
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            text.trim().to_owned()
        }
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Bool(is) => is.to_string(),
        Data::DateTime(serial) => instant(serial.as_f64()),
    }
}

/// Days since the beginning of spreadsheets → `2026-11-21`, `2026-11-21 20:30`, `08:00`.
fn instant(serial: f64) -> String {
    let seconds = (serial.fract() * SECONDS_A_DAY).round() as i64;
    let time = Time::midnight().wrapping_add(SignedDuration::from_secs(seconds));
    let time = time.strftime(if seconds % 60 == 0 { "%H:%M" } else { "%H:%M:%S" });
    // A phone number in a cell with the format of a date is no day at all.
    let day = Span::new().try_days(serial.trunc() as i64);
    match day.and_then(|days| SPREADSHEET_BEGINS.checked_add(days)) {
        _ if serial.trunc() == 0.0 => time.to_string(),
        Ok(date) if seconds == 0 => date.to_string(),
        Ok(date) => format!("{date} {time}"),
        Err(_) => serial.to_string(),
    }
}
