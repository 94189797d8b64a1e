//! A table as offices send it: a spreadsheet, or text in UTF-8 or GB18030 with comma, tab or
//! semicolon; any column order, Chinese or English headers, with or without a title line. Pure, but
//! for the second process that reads a spreadsheet (`apart`).

pub mod apart;
pub mod cells;
mod encoding;
mod foreign;
mod records;
mod row;
mod secrets;
#[cfg(test)]
mod tests;
mod workbook;

pub use secrets::{Kept, without_secrets};

use crate::lang::Lang;
use records::Line;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use encoding::decode;
pub use row::{Row, is_swapped};
pub use workbook::is_archive;

/// A column's header as we write it, and its accepted synonyms. Compared without spaces, brackets
/// and case.
pub type Column = &'static [&'static str];

/// The header is searched within the first lines, because sheets carry a title and a date above it.
const HEADER_WITHIN_LINES: usize = 5;
/// Lines of a text's beginning that surely hold its header.
const HEAD_LINES: usize = 50;
/// Excel shows a CSV file's Chinese correctly only after this mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

#[derive(Debug)]
pub struct Table {
    pub rows: Vec<Row>,
    /// Lines that are no row: number and reason.
    pub torn: Vec<(u64, String)>,
    /// Columns that the register does not have, as written.
    pub unknown: Vec<String>,
}

/// What stands above the rows.
#[derive(Clone, Default, Debug)]
pub struct Header {
    /// The columns that we know, by their own name.
    pub known: Vec<&'static str>,
    /// Columns that we do not know, as written.
    pub unknown: Vec<String>,
    /// The cells of the lines above it: titles, dates.
    pub title: Vec<String>,
}

/// A spreadsheet (XLSX, XLS) or a text. `Err` is a sentence: why it cannot be read, or that no
/// header was found. A table is not told by the columns that may stand beside its own.
pub fn read(
    bytes: &[u8],
    columns: &'static [Column],
    beside: &'static [Column],
    lang: Lang,
) -> Result<Table, String> {
    let (mut rows, mut torn) = (Vec::new(), Vec::new());
    let take = |line, row| match row {
        Ok(row) => rows.push(row),
        Err(why) => torn.push((line, why)),
    };
    let header = Reading::of(columns, beside, &[], lang, take).through(bytes)?;
    Ok(Table { rows, torn, unknown: header.unknown })
}

/// Headers of a file that are columns of ours because the office says so.
pub type Called<'a> = &'a [(String, &'static str)];

/// The same, row by row, for lists too long to keep.
pub fn each(
    bytes: &[u8],
    columns: &'static [Column],
    lang: Lang,
    take: impl FnMut(u64, Result<Row, String>),
) -> Result<Header, String> {
    Reading::of(columns, &[], &[], lang, take).through(bytes)
}

pub fn each_called(
    bytes: &[u8],
    columns: &'static [Column],
    called: Called<'_>,
    lang: Lang,
    take: impl FnMut(u64, Result<Row, String>),
) -> Result<Header, String> {
    Reading::of(columns, &[], called, lang, take).through(bytes)
}

/// What stands above the rows, if the bytes are a table with these columns.
pub fn header_of(bytes: &[u8], columns: &'static [Column]) -> Option<Header> {
    header_called(bytes, columns, &[])
}

pub fn header_called(
    bytes: &[u8],
    columns: &'static [Column],
    called: Called<'_>,
) -> Option<Header> {
    if workbook::is_one(bytes) {
        return each_called(bytes, columns, called, Lang::default(), |_, _| ()).ok();
    }
    let text = decode(bytes);
    // Empty lines and lines within a cell count, too.
    let end = text.match_indices(['\n', '\r']).nth(HEAD_LINES).map_or(text.len(), |(at, _)| at);
    each_called(text[..end].as_bytes(), columns, called, Lang::default(), |_, _| ()).ok()
}

/// A table that is being read.
struct Reading<'a, T> {
    columns: &'static [Column],
    beside: &'static [Column],
    called: Called<'a>,
    lang: Lang,
    take: T,
    /// Read so far, until there is a header.
    lines: usize,
    /// And what each of its cells is to us.
    header: Option<(Header, Vec<Option<&'static str>>)>,
    title: Vec<String>,
    above: Arc<BTreeSet<&'static str>>,
}

impl<'a, T: FnMut(u64, Result<Row, String>)> Reading<'a, T> {
    fn of(
        columns: &'static [Column],
        beside: &'static [Column],
        called: Called<'a>,
        lang: Lang,
        take: T,
    ) -> Self {
        let (lines, header, title, above) = Default::default();
        Self { columns, beside, called, lang, take, lines, header, title, above }
    }

    fn through(mut self, bytes: &[u8]) -> Result<Header, String> {
        let lang = self.lang;
        if workbook::is_one(bytes) {
            // The register stands in the first sheet that has its header; others are instructions
            // and pivots.
            for lines in apart::sheets(bytes, lang)? {
                (self.lines, self.title) = (0, Vec::new());
                lines.into_iter().for_each(|(line, cells)| self.line((line, Ok(cells))));
                if self.header.is_some() {
                    break;
                }
            }
        } else {
            records::each(&decode(bytes), HEADER_WITHIN_LINES, lang, |line| self.line(line));
        }
        let header = self.header.map(|(header, _)| header);
        header.ok_or_else(|| {
            foreign::refusal(bytes, lang)
                .map_or_else(|| no_header(self.columns, lang), str::to_owned)
        })
    }

    fn line(&mut self, (line, cells): Line) {
        let Some((header, names)) = &self.header else { return self.above(cells) };
        let is_empty = cells.as_ref().is_ok_and(|cells| cells.iter().all(String::is_empty));
        // A line that ends early is torn; merged cells leave its length as it is.
        let is_whole = cells.as_ref().is_ok_and(|cells| cells.len() >= names.len());
        let row = cells.and_then(|cells| {
            if cells.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
                return Err(too_many(cells.len(), names.len(), self.lang));
            }
            let named = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            let named = named.filter_map(|(name, cell)| Some(((*name)?, folded(cell))));
            let cells: BTreeMap<_, _> = named.collect();
            if cells.is_empty() && !is_empty {
                return Err(elsewhere(&header.unknown, self.lang));
            }
            match cells.iter().find(|(_, cell)| cell.contains(encoding::UNREADABLE)) {
                Some((column, _)) => Err(encoding::unreadable(column, self.lang)),
                None => Ok(cells),
            }
        });
        let above = Arc::clone(&self.above);
        if let Ok(cells) = &row
            && cells.keys().any(|name| !above.contains(name))
        {
            Arc::make_mut(&mut self.above).extend(cells.keys());
        }
        let above = if is_whole { above } else { Arc::default() };
        let row = row.map(|cells| Row { line, lang: self.lang, cells, above });
        if row.as_ref().map_or(true, |row| !row.cells.is_empty()) {
            (self.take)(line, row);
        }
    }

    /// A line above the rows: the header is the first that names two of the columns (or the only
    /// one).
    fn above(&mut self, cells: Result<Vec<String>, String>) {
        self.lines += 1;
        let Ok(cells) = cells else { return };
        if self.lines > HEADER_WITHIN_LINES {
            return;
        }
        let name = |cell: &String| {
            let called = self.called.iter().find(|(written, _)| is_named(cell, written));
            let own = || known(cell, self.columns).or_else(|| known(cell, self.beside));
            called.map(|(_, own)| *own).or_else(own)
        };
        let mut names: Vec<_> = cells.iter().map(name).collect();
        let unknown =
            cells.iter().zip(&names).filter(|(cell, name)| name.is_none() && !cell.is_empty());
        let unknown = unknown.map(|(cell, _)| cell.clone()).collect();
        // Of two columns with one name, the first.
        for at in 1..names.len() {
            let (before, rest) = names.split_at_mut(at);
            rest[0] = rest[0].filter(|_| !before.contains(&rest[0]));
        }
        let known: Vec<_> = names.iter().flatten().copied().collect();
        let is_own = |name: &&&str| self.columns.iter().any(|names| names.first() == Some(*name));
        if known.iter().filter(is_own).count() >= self.columns.len().min(2) {
            let title = std::mem::take(&mut self.title);
            self.header = Some((Header { known, unknown, title }, names));
        } else {
            self.title.extend(cells.into_iter().filter(|cell| !cell.is_empty()));
        }
    }
}

/// `Ｇ０１` is G01. Words keep their full-width brackets, and an address its password.
fn folded(cell: String) -> String {
    let is_code = cells::half_width(&cell)
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    if cell.is_ascii() || !is_code { cell } else { cells::half_width(&cell).trim().to_owned() }
}

/// A comma in a cell moves all that follow into wrong columns.
fn too_many(cells: usize, columns: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("有{cells}个值，表头只有{columns}列；单元格里有逗号的要加引号"),
        Lang::En => format!(
            "{cells} values for {columns} columns; a cell with a comma in it needs quotation marks"
        ),
    }
}

/// Whatever it says, nobody reads it there.
fn elsewhere(unknown: &[String], lang: Lang) -> String {
    let columns = unknown.join(lang.pick("、", ", "));
    match lang {
        Lang::Zh => format!("只有不读取的列里有内容（{columns}）；请移到正确的列，或删除此行"),
        Lang::En => format!(
            "it has cells only in columns that are not read ({columns}): move them into their \
            column, or delete the line"
        ),
    }
}

fn no_header(columns: &'static [Column], lang: Lang) -> String {
    let wanted: Vec<_> = columns.iter().filter_map(|names| names.first().copied()).collect();
    match lang {
        Lang::Zh => {
            format!("前{HEADER_WITHIN_LINES}行中没有找到表头；需要的列：{}", wanted.join("、"))
        }
        Lang::En => {
            format!(
                "no header in the first {HEADER_WITHIN_LINES} lines; needed columns: {}",
                wanted.join(", ")
            )
        }
    }
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

/// `Err` is a sentence: a workbook that cannot be read.
pub fn check(bytes: &[u8], lang: Lang) -> Result<(), String> {
    if workbook::is_one(bytes) { apart::sheets(bytes, lang).map(drop) } else { Ok(()) }
}
