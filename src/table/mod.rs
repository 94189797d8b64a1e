//! A table as offices send it: a spreadsheet, or text in UTF-8 or GB18030 with comma, tab or
//! semicolon; any column order, Chinese or English headers, with or without a title line. Pure, but
//! for the second process that reads a spreadsheet (`apart`).

pub mod apart;
pub mod cells;
mod encoding;
mod foreign;
mod reading;
mod records;
mod row;
mod secrets;
#[cfg(test)]
mod tests;
mod workbook;

pub use secrets::{Kept, without_secrets};

use crate::lang::Lang;
use reading::{HEADER_WITHIN_LINES, no_header};

pub use encoding::decode;
pub use reading::{Called, Header, Page, Spot, pages};
pub use row::{Row, is_swapped};
pub use workbook::is_archive;

/// A column's header as we write it, and its accepted synonyms. Compared without spaces, brackets
/// and case.
pub type Column = &'static [&'static str];

/// Excel shows a CSV file's Chinese correctly only after this mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

#[derive(Default, Debug)]
pub struct Table {
    /// `Err`: why a line is no row.
    pub rows: Vec<(Spot, Result<Row, String>)>,
    /// Columns that the register does not have, as written.
    pub unknown: Vec<String>,
    /// A sentence for each sheet of a workbook that is no such table.
    pub unread: Vec<String>,
}

/// A text, or every sheet of a spreadsheet (XLSX, XLS) that has the header. `Err` is a sentence: why
/// it cannot be read, or that no header was found. A table is not told by the columns that may
/// stand beside its own.
pub fn read(
    bytes: &[u8],
    columns: &'static [Column],
    beside: &'static [Column],
    lang: Lang,
) -> Result<Table, String> {
    let (mut table, mut unread, mut is_one) = (Table::default(), Vec::new(), false);
    let (rows, pages) = (&mut table.rows, pages(bytes, lang)?);
    for page in &pages {
        let take = |spot, row| rows.push((spot, row));
        let header = match page.is_hidden() {
            true => None,
            false => page.each(columns, beside, &[], lang, take).ok(),
        };
        let Some(header) = header else {
            unread.push(page.unread(lang.pick("没有表头", "it has no header"), lang));
            continue;
        };
        is_one = true;
        for column in header.unknown {
            if !table.unknown.contains(&column) {
                table.unknown.push(column);
            }
        }
    }
    if is_one {
        return Ok(Table { unread, ..table });
    }
    if pages.iter().any(Page::is_hidden) {
        return Err(unread.join(lang.pick("；", "; ")));
    }
    let refusal = foreign::refusal(bytes, lang);
    Err(refusal.map_or_else(|| no_header(columns, lang), str::to_owned))
}

/// Whether it is read by a process of its own.
pub fn is_workbook(bytes: &[u8]) -> bool {
    workbook::is_one(bytes)
}

/// Lines of a text that say something.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_lines(bytes: &[u8]) -> usize {
    let mut lines = 0;
    records::each(&decode(bytes), HEADER_WITHIN_LINES, Lang::Zh, |(_, cells)| {
        let is_empty = cells.is_ok_and(|cells| cells.iter().all(String::is_empty));
        lines += usize::from(!is_empty);
    });
    lines
}

/// CSV text with our headers and a byte order mark, so that Excel and WPS show it correctly.
pub fn write(
    columns: &'static [Column],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let headers = columns.iter().filter_map(|names| names.first());
    writer.write_record(headers).map_err(|e| e.to_string())?;
    for row in rows {
        writer.write_record(row).map_err(|e| e.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|e| e.to_string())?;
    let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
    Ok(format!("{BYTE_ORDER_MARK}{text}"))
}

/// Whether a header, or the name of a property, is this one: without blanks, signs, units and case.
pub fn is_named(written: &str, name: &str) -> bool {
    plain(written) == plain(name)
}

fn known(cell: &str, columns: &'static [Column]) -> Option<&'static str> {
    let name = plain(cell);
    columns
        .iter()
        .find(|names| names.iter().any(|known| plain(known) == name))
        .and_then(|names| names.first().copied())
}

/// "经度（度）" → "经度", "Field of View (deg)" → "fieldofview".
fn plain(header: &str) -> String {
    let before_unit = header.split(['（', '(', '/']).next().unwrap_or(header);
    before_unit
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*' | '#'))
        .flat_map(char::to_lowercase)
        .collect()
}
