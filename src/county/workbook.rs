//! Pure: the sheets of a workbook (XLSX, XLS, ODS) as lines of texts, as if they had been saved as
//! CSV.

use super::cells::SPREADSHEET_BEGINS;
use crate::lang::Lang;
use calamine::{Data, Reader, open_workbook_auto_from_rs};
use jiff::civil::Time;
use jiff::{SignedDuration, ToSpan};
use std::io::Cursor;

/// How ZIP (XLSX, ODS) and compound files (XLS) begin.
const BEGINNINGS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
/// Cells of one sheet. A county of 2,570 grids has 5,140 rangers with seven columns; a sheet
/// formatted down to its last line has a million lines of nothing.
const CELLS_MAX: usize = 4_000_000;
const SECONDS_A_DAY: f64 = 86_400.0;

/// The lines of a table, each with its number in the file, from 1.
pub(super) type Lines = Vec<(u64, Vec<String>)>;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

/// Every sheet.
pub(super) fn sheets(bytes: &[u8], lang: Lang) -> Result<Vec<Lines>, String> {
    let broken = |why: String| {
        format!(
            "{}：{why}",
            lang.pick(
                "表格文件无法读取，请另存为 CSV 再试",
                "the workbook cannot be read, save it as CSV"
            )
        )
    };
    let mut workbook =
        open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|e| broken(e.to_string()))?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        let range = workbook.worksheet_range(&name).map_err(|e| broken(format!("{name}: {e}")))?;
        if range.width().saturating_mul(range.height()) > CELLS_MAX {
            return Err(broken(lang.pick("单元格太多", "too many cells").to_owned()));
        }
        let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
        let lines = (first..).zip(range.rows().map(|row| row.iter().map(text).collect()));
        sheets.push(lines.collect());
    }
    Ok(sheets)
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
    match SPREADSHEET_BEGINS.checked_add((serial.trunc() as i64).days()) {
        _ if serial.trunc() == 0.0 => time.to_string(),
        Ok(date) if seconds == 0 => date.to_string(),
        Ok(date) => format!("{date} {time}"),
        Err(_) => serial.to_string(),
    }
}
