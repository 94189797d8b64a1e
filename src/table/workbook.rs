//! Pure: the sheets of a workbook (XLSX, XLS) as lines of texts, as if they had been saved as
//! CSV. Only for `apart`: a damaged workbook may end the process that reads it.

use super::cells::SPREADSHEET_BEGINS;
use crate::lang::Lang;
use calamine::{Data, Dimensions, Reader, SheetVisible, Xls, Xlsx, XlsxError};
use jiff::civil::Time;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::io::Cursor;

/// How ZIP (XLSX) and compound files (XLS) begin.
const ZIP: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";
/// Cells of one workbook, empty ones between others included. A county of 2,570 grids has 5,140 rangers
/// with seven columns. One stray cell far out makes a sheet of billions.
const CELLS_MAX: usize = 4_000_000;
const SECONDS_A_DAY: f64 = 86_400.0;
/// From the first day of spreadsheets to that of those that began on a Macintosh.
const DAYS_TO_1904: i64 = 1462;
/// Longer than a shift, and no day is meant.
const HOURS_MAX: i64 = 100;

/// The lines of a table, each with its number in the file, from 1.
pub(super) type Lines = Vec<(u64, Vec<String>)>;

#[derive(Serialize, Deserialize)]
pub(super) struct Sheet {
    pub name: String,
    /// Whoever opens the workbook does not see it.
    pub is_hidden: bool,
    pub lines: Lines,
}

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP) || bytes.starts_with(COMPOUND)
}

/// Whether the bytes are a ZIP archive that is no workbook of any kind. Names within an archive are
/// readable.
pub fn is_archive(bytes: &[u8]) -> bool {
    let names = |name: &[u8]| bytes.windows(name.len()).any(|it| it == name);
    bytes.starts_with(ZIP)
        && !names(b"[Content_Types].xml")
        && !names(b"application/vnd.oasis.opendocument")
}

/// Every sheet.
pub(super) fn sheets(bytes: &[u8], lang: Lang) -> Result<Vec<Sheet>, String> {
    let read = if bytes.starts_with(ZIP) { xlsx(bytes, lang) } else { xls(bytes, lang) };
    read.map_err(|why| {
        let broken = lang.pick(
            "表格文件无法读取，请另存为 XLSX 或 CSV 再试",
            "the workbook cannot be read, save it as XLSX or CSV",
        );
        format!("{broken}: {why}")
    })
}

/// The lines of a sheet by number, from 0.
type Numbered = BTreeMap<u32, Vec<String>>;

/// Cell by cell: how far out the last one lies says nothing about how many there are.
fn xlsx(bytes: &[u8], lang: Lang) -> Result<Vec<Sheet>, String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let (is_1904, hidden) = (book.has_1904_epoch(), hidden(&book));
    let (mut sheets, mut all) = (Vec::new(), 0);
    for name in book.sheet_names() {
        let failed = |e: XlsxError| format!("{name}: {e}");
        let mut cells = match book.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // A sheet that is a chart.
            Err(XlsxError::NotAWorksheet(_)) => continue,
            Err(e) => return Err(failed(e)),
        };
        let formats = cells.styles().iter().map(|style| style.number_format.as_ref());
        let with_hours: Vec<bool> =
            formats.map(|format| format.is_some_and(|it| shows_hours(&it.format_code))).collect();
        let mut lines = Numbered::new();
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(failed)? {
            let (row, column) = cell.get_position();
            let has_hours = with_hours.get(style).copied().unwrap_or_default();
            let text = text(&cell.get_value().clone().into(), is_1904, has_hours);
            if text.is_empty() {
                continue;
            }
            let line = lines.entry(row).or_default();
            let width = line.len().max(column as usize + 1);
            all += width - line.len();
            if all > CELLS_MAX {
                return Err(too_many(&name, row, width, lang));
            }
            line.resize(width, String::new());
            line[column as usize] = text;
        }
        drop(cells);
        let merged = book.merge_cells_by_sheet_name(&name).map_err(failed)?;
        all += fill(&mut lines, &merged);
        let is_hidden = hidden.contains(&name);
        sheets.push(Sheet { name, is_hidden, lines: numbered(lines) });
    }
    Ok(sheets)
}

/// `calamine` lays out every cell up to the last one: 500 MB for one at the far end of a sheet. It
/// does not say which cells show hours: one at midnight is a day.
fn xls(bytes: &[u8], lang: Lang) -> Result<Vec<Sheet>, String> {
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let (is_1904, hidden) = (book.has_1904_epoch(), hidden(&book));
    let text = |cell: &Data| text(cell, is_1904, false);
    let (mut sheets, mut all) = (Vec::new(), 0);
    for (name, range) in book.worksheets() {
        let (first, before) = range.start().unwrap_or_default();
        let mut lines = Numbered::new();
        for (row, cells) in (first..).zip(range.rows()) {
            let Some(last) = cells.iter().rposition(|cell| !text(cell).is_empty()) else {
                continue;
            };
            let width = before as usize + last + 1;
            all += width;
            if all > CELLS_MAX {
                return Err(too_many(&name, row, width, lang));
            }
            let mut line = vec![String::new(); before as usize];
            line.extend(cells[..=last].iter().map(text));
            lines.insert(row, line);
        }
        let merged = book.merge_cells_by_sheet_name(&name).map_err(|e| e.to_string())?;
        all += fill(&mut lines, &merged);
        let is_hidden = hidden.contains(&name);
        sheets.push(Sheet { name, is_hidden, lines: numbered(lines) });
    }
    Ok(sheets)
}

fn hidden<R: Reader<Cursor<T>>, T: AsRef<[u8]>>(book: &R) -> HashSet<String> {
    let sheets = book.sheets_metadata().iter();
    let hidden = sheets.filter(|sheet| sheet.visible != SheetVisible::Visible);
    hidden.map(|sheet| sheet.name.clone()).collect()
}

fn numbered(lines: Numbered) -> Lines {
    lines.into_iter().map(|(row, line)| (u64::from(row) + 1, line)).collect()
}

/// What is merged over several lines is said of each of them; a workbook keeps it in the first. Only
/// lines that say something of their own get it: a title over three lines is one title. Returns how
/// many cells were added.
fn fill(lines: &mut Numbered, merged: &[Dimensions]) -> usize {
    let mut added = 0;
    for Dimensions { start: (first, column), end: (last, _) } in merged.iter().copied() {
        let column = column as usize;
        let said = lines.get(&first).and_then(|line| line.get(column)).cloned();
        let Some(said) = said.filter(|it| !it.is_empty() && first < last) else { continue };
        for (_, line) in lines.range_mut(first + 1..=last) {
            let width = line.len().max(column + 1);
            added += width - line.len();
            line.resize(width, String::new());
            if line[column].is_empty() {
                line[column].clone_from(&said);
            }
        }
    }
    added
}

/// Where it became too many.
fn too_many(sheet: &str, row: u32, column: usize, lang: Lang) -> String {
    let row = row + 1;
    match lang {
        Lang::Zh => format!("{sheet}：单元格太多；第{row}行第{column}列是否误填？"),
        Lang::En => {
            format!("{sheet}: too many cells; is the one in row {row}, column {column} a stray?")
        }
    }
}

/// Whether cells of a format show an hour: `yyyy/m/d h:mm`, `m"月"d"日" h"时"`.
fn shows_hours(format: &str) -> bool {
    let (mut is_quoted, mut is_escaped, mut is_bracketed) = (false, false, false);
    // What follows a semicolon is for negative numbers.
    format.split(';').next().unwrap_or_default().chars().any(|c| {
        match c {
            _ if is_escaped => is_escaped = false,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '\\' | '_' | '*' => is_escaped = true,
            '[' => is_bracketed = true,
            ']' => is_bracketed = false,
            'h' | 'H' => return !is_bracketed,
            _ => {}
        }
        false
    })
}

fn text(cell: &Data, is_1904: bool, has_hours: bool) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DurationIso(text) => text.trim().to_owned(),
        Data::DateTimeIso(text) => text.trim().replace('T', " "),
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Bool(is) => is.to_string(),
        Data::DateTime(serial) if serial.is_duration() => duration(serial.as_f64()),
        Data::DateTime(serial) => instant(serial.as_f64(), is_1904, has_hours),
    }
}

/// Days since the beginning of spreadsheets → `2026-11-21`, `2026-11-21 20:30`, `08:00`. Midnight of
/// a cell that shows hours is an instant, and not the whole day.
fn instant(serial: f64, is_1904: bool, has_hours: bool) -> String {
    let total = (serial * SECONDS_A_DAY).round() as i64;
    let (days, seconds) = (total.div_euclid(86_400), total.rem_euclid(86_400));
    match serial {
        0.0..1.0 => return duration(serial),
        _ if !serial.is_finite() => return serial.to_string(),
        _ => {}
    }
    let time = Time::midnight().wrapping_add(SignedDuration::from_secs(seconds));
    let is_full = seconds % 60 != 0 || seconds == 0;
    let time = time.strftime(if is_full { "%H:%M:%S" } else { "%H:%M" });
    // A phone number in a cell with the format of a date is no day at all.
    let days = Span::new().try_days(days + if is_1904 { DAYS_TO_1904 } else { 0 });
    match days.and_then(|days| SPREADSHEET_BEGINS.checked_add(days)) {
        Ok(date) if seconds == 0 && !has_hours => date.to_string(),
        Ok(date) => format!("{date} {time}"),
        Err(_) => serial.to_string(),
    }
}

/// A part of a day, or hours that are counted on: `08:00`, `24:00`.
fn duration(serial: f64) -> String {
    let seconds = (serial * SECONDS_A_DAY).round() as i64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        _ if !(0..HOURS_MAX * 3600).contains(&seconds) => serial.to_string(),
        (hours, minutes, 0) => format!("{hours:02}:{minutes:02}"),
        (hours, minutes, seconds) => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_days_is_the_instant_that_its_cell_shows() {
        for (serial, is_1904, has_hours, text) in [
            (46_348.0, false, false, "2026-11-22"),
            (46_348.0, false, true, "2026-11-22 00:00:00"),
            (46_348.5, false, true, "2026-11-22 12:00"),
            (46_348.5, false, false, "2026-11-22 12:00"),
            // A tenth of a second before midnight.
            (46_347.999_999, false, true, "2026-11-22 00:00:00"),
            (46_347.999_999, false, false, "2026-11-22"),
            (46_348.0 - 1462.0, true, false, "2026-11-22"),
            (46_348.0 - 1461.5, true, true, "2026-11-22 12:00"),
            (8.0 / 24.0, false, true, "08:00"),
            (8.0 / 24.0, true, true, "08:00"),
            (0.0, false, true, "00:00"),
            (0.999_999, false, true, "24:00"),
            (13_800_000_001.0, false, false, "13800000001"),
            (f64::INFINITY, false, false, "inf"),
            (f64::NAN, false, false, "NaN"),
            (-1.5, false, false, "1899-12-28 12:00"),
        ] {
            assert_eq!(instant(serial, is_1904, has_hours), text, "{serial} {is_1904} {has_hours}");
        }
        assert_eq!(duration(1.0), "24:00", "hours that are counted on");
    }

    #[test]
    fn a_format_says_whether_it_shows_hours() {
        for (format, shows) in [
            ("m/d/yy h:mm", true),
            ("yyyy/m/d\\ h:mm;@", true),
            ("yyyy\"年\"m\"月\"d\"日\" H\"时\"", true),
            ("[$-804]上午/下午h:mm", true),
            ("yyyy-mm-dd", false),
            ("yyyy\"h\"", false),
            ("[$-409]d-mmm;h", false),
            ("General", false),
        ] {
            assert_eq!(shows_hours(format), shows, "{format}");
        }
    }
}
