//! Where the header of a table stands, and what its lines are.

use super::records::{self, Line};
use super::row::Row;
use super::workbook::Lines;
use super::{Column, apart, cells, decode, encoding, is_named, known, workbook};
use crate::lang::Lang;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The header is searched within the first lines, because sheets carry a title and a date above it.
pub(super) const HEADER_WITHIN_LINES: usize = 5;
/// Lines of a text's beginning that surely hold its header.
const HEAD_LINES: usize = 50;

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

/// Where a row stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    sheet: Option<Sheet>,
    /// Line in the file or sheet, or number of a feature; from 1.
    pub line: u64,
}

/// One of several sheets of a workbook: its place among them, and its name.
type Sheet = (usize, Arc<str>);

impl From<u64> for Spot {
    fn from(line: u64) -> Self {
        Self { sheet: None, line }
    }
}

impl Spot {
    /// What is to be said of the row beside its line, which alone does not say where it is.
    pub fn said(&self, words: String, lang: Lang) -> String {
        match (&self.sheet, lang) {
            (None, _) => words,
            (Some((_, name)), Lang::Zh) => format!("表「{name}」：{words}"),
            (Some((_, name)), Lang::En) => format!("sheet \"{name}\": {words}"),
        }
    }
}

/// Headers of a file that are columns of ours because the office says so.
pub type Called<'a> = &'a [(String, &'static str)];

/// What may be a table: a text, or one sheet of a workbook.
pub struct Page<'a> {
    /// Of the sheet.
    name: String,
    sheet: Option<Sheet>,
    is_hidden: bool,
    lines: PageLines<'a>,
}

enum PageLines<'a> {
    Text(Cow<'a, str>),
    Sheet(Lines),
}

/// All of a file, each to be looked into as often as wanted. Empty sheets are left out. `Err` is a
/// sentence: a workbook that cannot be read.
pub fn pages(bytes: &[u8], lang: Lang) -> Result<Vec<Page<'_>>, String> {
    if !workbook::is_one(bytes) {
        let lines = PageLines::Text(decode(bytes));
        return Ok(vec![Page::of(lines)]);
    }
    let mut sheets = apart::sheets(bytes, lang)?;
    sheets.retain(|sheet| !sheet.lines.is_empty());
    let has_several = sheets.len() > 1;
    let page = |(at, workbook::Sheet { name, is_hidden, lines })| Page {
        sheet: has_several.then(|| (at, Arc::from(name.as_str()))),
        name,
        is_hidden,
        ..Page::of(PageLines::Sheet(lines))
    };
    Ok(sheets.into_iter().enumerate().map(page).collect())
}

impl<'a> Page<'a> {
    fn of(lines: PageLines<'a>) -> Self {
        Self { name: String::new(), sheet: None, is_hidden: false, lines }
    }

    /// Row by row, for lists too long to keep. `Err` is a sentence: no header was found. A table is
    /// not told by the columns that may stand beside its own.
    pub fn each(
        &self,
        columns: &'static [Column],
        beside: &'static [Column],
        called: Called<'_>,
        lang: Lang,
        take: impl FnMut(Spot, Result<Row, String>),
    ) -> Result<Header, String> {
        let (lines, header, title, above) = Default::default();
        let sheet = self.sheet.clone();
        let mut reading =
            Reading { columns, beside, called, lang, sheet, take, lines, header, title, above };
        match &self.lines {
            PageLines::Text(text) => {
                records::each(text, HEADER_WITHIN_LINES, lang, |line| reading.line(line));
            }
            PageLines::Sheet(lines) => {
                lines.iter().for_each(|(line, cells)| reading.line((*line, Ok(cells.clone()))));
            }
        }
        reading.header.map(|(header, _)| header).ok_or_else(|| no_header(columns, lang))
    }

    /// What stands above the rows, if this is a table with these columns.
    pub fn header(&self, columns: &'static [Column], called: Called<'_>) -> Option<Header> {
        let lines = match &self.lines {
            PageLines::Text(text) => {
                // Empty lines and lines within a cell count, too.
                let end = text.match_indices(['\n', '\r']).nth(HEAD_LINES);
                PageLines::Text(Cow::Borrowed(&text[..end.map_or(text.len(), |(at, _)| at)]))
            }
            PageLines::Sheet(lines) => {
                PageLines::Sheet(lines.iter().take(HEADER_WITHIN_LINES).cloned().collect())
            }
        };
        Page::of(lines).each(columns, &[], called, Lang::default(), |_, _| ()).ok()
    }

    /// Whether nobody who opens the workbook sees this sheet: what it says, an old rota perhaps, is
    /// not what the office means.
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// The sentence that names a sheet that is not read.
    pub fn unread(&self, why: &str, lang: Lang) -> String {
        let name = &self.name;
        match (lang, self.is_hidden) {
            (Lang::Zh, false) => format!("表「{name}」未读：{why}"),
            (Lang::En, false) => format!("sheet \"{name}\" is not read: {why}"),
            (Lang::Zh, true) => format!("表「{name}」是隐藏的，未读；如要读取，请取消隐藏"),
            (Lang::En, true) => {
                format!("sheet \"{name}\" is hidden and not read: show it if it is to be read")
            }
        }
    }

    /// Where the sheet begins, for what is wrong with all of it.
    pub fn top(&self) -> Spot {
        Spot { sheet: self.sheet.clone(), line: 1 }
    }
}

/// A table that is being read.
struct Reading<'a, T> {
    columns: &'static [Column],
    beside: &'static [Column],
    called: Called<'a>,
    lang: Lang,
    sheet: Option<Sheet>,
    take: T,
    /// Read so far, until there is a header.
    lines: usize,
    /// And what each of its cells is to us.
    header: Option<(Header, Vec<Option<&'static str>>)>,
    title: Vec<String>,
    above: Arc<BTreeSet<&'static str>>,
}

impl<T: FnMut(Spot, Result<Row, String>)> Reading<'_, T> {
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
        let row = row.map(|cells| Row { lang: self.lang, cells, above });
        if row.as_ref().map_or(true, |row| !row.cells.is_empty()) {
            (self.take)(Spot { sheet: self.sheet.clone(), line }, row);
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

pub(super) fn no_header(columns: &'static [Column], lang: Lang) -> String {
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
