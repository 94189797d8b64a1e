//! Pure: a table as offices send it: a spreadsheet, or text in UTF-8 or GB18030 with comma, tab or
//! semicolon; any column order, Chinese or English headers, with or without a title line.

pub mod cells;
mod records;
mod secrets;
#[cfg(test)]
mod tests;
mod workbook;

pub use secrets::{Kept, without_secrets};

use crate::address::masked;
use crate::lang::Lang;
use crate::triage::geo::LatLon;
use cells::{date, degrees, instant};
use jiff::Timestamp;
use jiff::civil::Date;
use records::Line;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// One line of a table; empty cells are absent.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    pub lang: Lang,
    cells: BTreeMap<&'static str, String>,
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
    let header = Reading::of(columns, beside, lang, take).through(bytes)?;
    Ok(Table { rows, torn, unknown: header.unknown })
}

/// The same, row by row, for lists too long to keep.
pub fn each(
    bytes: &[u8],
    columns: &'static [Column],
    lang: Lang,
    take: impl FnMut(u64, Result<Row, String>),
) -> Result<Header, String> {
    Reading::of(columns, &[], lang, take).through(bytes)
}

/// What stands above the rows, if the bytes are a table with these columns.
pub fn header_of(bytes: &[u8], columns: &'static [Column]) -> Option<Header> {
    if workbook::is_one(bytes) {
        return each(bytes, columns, Lang::default(), |_, _| ()).ok();
    }
    let text = decode(bytes);
    // Empty lines and lines within a cell count, too.
    let end = text.match_indices(['\n', '\r']).nth(HEAD_LINES).map_or(text.len(), |(at, _)| at);
    each(text[..end].as_bytes(), columns, Lang::default(), |_, _| ()).ok()
}

/// A table that is being read.
struct Reading<T> {
    columns: &'static [Column],
    beside: &'static [Column],
    lang: Lang,
    take: T,
    /// Read so far, until there is a header.
    lines: usize,
    /// And what each of its cells is to us.
    header: Option<(Header, Vec<Option<&'static str>>)>,
    title: Vec<String>,
}

impl<T: FnMut(u64, Result<Row, String>)> Reading<T> {
    fn of(columns: &'static [Column], beside: &'static [Column], lang: Lang, take: T) -> Self {
        Self { columns, beside, lang, take, lines: 0, header: None, title: Vec::new() }
    }

    fn through(mut self, bytes: &[u8]) -> Result<Header, String> {
        if workbook::is_one(bytes) {
            // The register stands in the first sheet that has its header; others are instructions
            // and pivots.
            for lines in workbook::sheets(bytes, self.lang)? {
                (self.lines, self.title) = (0, Vec::new());
                lines.into_iter().for_each(|(line, cells)| self.line((line, Ok(cells))));
                if self.header.is_some() {
                    break;
                }
            }
        } else {
            records::each(&decode(bytes), HEADER_WITHIN_LINES, self.lang, |line| self.line(line));
        }
        let header = self.header.map(|(header, _)| header);
        header.ok_or_else(|| no_header(self.columns, self.lang))
    }

    fn line(&mut self, (line, cells): Line) {
        let Some((_, names)) = &self.header else { return self.above(cells) };
        let row = cells.and_then(|cells| {
            if cells.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
                return Err(too_many(cells.len(), names.len(), self.lang));
            }
            let named = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            Ok(named.filter_map(|(name, cell)| Some(((*name)?, folded(cell)))).collect())
        });
        let row = row.map(|cells| Row { line, lang: self.lang, cells });
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
        let name = |cell: &String| known(cell, self.columns).or_else(|| known(cell, self.beside));
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

/// UTF-8 or UTF-16 by the byte order mark, UTF-8 when valid, otherwise GB18030 (as Chinese Excel
/// and WPS write).
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    }
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

/// Whether the bytes are a workbook that can be read.
pub fn is_workbook(bytes: &[u8], lang: Lang) -> bool {
    workbook::is_one(bytes) && workbook::sheets(bytes, lang).is_ok()
}

impl Row {
    /// A record that came as named texts; names that are no column are left out, and of two with one
    /// name the last counts.
    pub fn of_known<'a>(
        line: u64,
        named: impl Iterator<Item = (&'a str, String)>,
        columns: &'static [Column],
        lang: Lang,
    ) -> Self {
        let cells = named.filter_map(|(name, cell)| {
            let cell = cell.trim();
            Some((known(name, columns)?, cell.to_owned())).filter(|_| !cell.is_empty())
        });
        Self { line, lang, cells: cells.collect() }
    }

    /// The row of a page or program: columns by any of their names, cells as texts or numbers.
    /// `Err` is a sentence: a column that the register does not have.
    pub fn of(
        cells: &Map<String, Value>,
        columns: &'static [Column],
        lang: Lang,
    ) -> Result<Self, String> {
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let mut row = Self { line: 0, lang, cells: BTreeMap::new() };
        for (name, value) in cells {
            let column = known(name, columns).ok_or_else(|| {
                let wanted: Vec<_> = columns
                    .iter()
                    .filter_map(|names| names.get(1).or(names.first()).copied())
                    .collect();
                match lang {
                    Lang::Zh => format!("没有“{name}”这一列；可用的列：{}", wanted.join("、")),
                    Lang::En => format!(
                        "there is no column \"{name}\"; the columns are {}",
                        wanted.join(", ")
                    ),
                }
            })?;
            let cell = text(value);
            if !cell.is_empty() {
                row.cells.insert(column, cell);
            }
        }
        Ok(row)
    }

    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    pub fn text(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    pub fn need(&self, column: &str) -> Result<&str, String> {
        self.get(column).ok_or_else(|| match self.lang {
            Lang::Zh => format!("缺少“{column}”"),
            Lang::En => format!("\"{column}\" is missing"),
        })
    }

    /// The value may be a camera's address in a wrong column, so its secrets are masked here, too.
    fn wrong(&self, column: &str, value: &str, zh: &str, en: &str) -> String {
        let value = masked(value);
        match self.lang {
            Lang::Zh => format!("“{column}”的值“{value}”不对：{zh}"),
            Lang::En => format!("\"{column}\" cannot be \"{value}\": {en}"),
        }
    }

    /// A required cell, read by `parse`. The two sentences say what would be valid.
    pub fn parse<T>(
        &self,
        column: &str,
        zh: &str,
        en: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let value = self.need(column)?;
        parse(value).ok_or_else(|| self.wrong(column, value, zh, en))
    }

    /// A number between two bounds; `default` for an empty cell.
    pub fn number(
        &self,
        column: &str,
        low: f64,
        high: f64,
        default: Option<f64>,
    ) -> Result<f64, String> {
        if let (None, Some(default)) = (self.get(column), default) {
            return Ok(default);
        }
        let range = |n: &f64| (low..=high).contains(n);
        let (zh, en) = (
            format!("应为{low}到{high}之间的数"),
            format!("a number between {low} and {high} is needed"),
        );
        self.parse(column, &zh, &en, |value| cells::number(value).filter(range))
    }

    /// Columns 经度 and 纬度: decimal degrees or degrees, minutes, seconds.
    pub fn place(&self) -> Result<LatLon, String> {
        let degrees = |column| {
            self.parse(
                column,
                "应为十进制度或度分秒",
                "decimal degrees or D°M'S\" are needed",
                degrees,
            )
        };
        let (lon_deg, lat_deg) = (degrees("经度")?, degrees("纬度")?);
        if in_china(lon_deg, lat_deg) {
            return Err(self
                .lang
                .pick(
                    "经度和纬度写反了：中国的经度在73到136之间，纬度在3到54之间。请对调两列",
                    "longitude and latitude are swapped (in China they are 73..136 and 3..54): \
                    exchange the two columns",
                )
                .to_owned());
        }
        LatLon::new(lat_deg, lon_deg).ok_or_else(|| match self.lang {
            Lang::Zh => format!("经度{lon_deg}、纬度{lat_deg}不在地球上"),
            Lang::En => format!("longitude {lon_deg}, latitude {lat_deg} is not a place on earth"),
        })
    }

    /// An instant in county time. A date alone means its first moment or, with `end`, its last.
    pub fn time(&self, column: &str, end: bool) -> Result<Timestamp, String> {
        self.parse(
            column,
            "应为 2026-11-21 14:00 或 2026-11-21",
            "2026-11-21 14:00 or 2026-11-21 is needed",
            |value| instant(value, end),
        )
    }

    pub fn date(&self, column: &str) -> Result<Date, String> {
        self.parse(column, "应为 2026-11-21", "2026-11-21 is needed", date)
    }
}

/// True when the pair lies in China only if its two numbers are swapped.
fn in_china(lat_deg: f64, lon_deg: f64) -> bool {
    (73.0..=136.0).contains(&lon_deg) && (3.0..=54.0).contains(&lat_deg)
}
