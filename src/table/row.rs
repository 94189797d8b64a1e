//! Pure: one row of a table, and what is read from its cells.

use super::{Column, cells, known};
use crate::address::masked;
use crate::lang::Lang;
use crate::triage::geo::LatLon;
use cells::{date, degrees, instant};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One line of a table; empty cells are absent.
#[derive(Clone, Debug)]
pub struct Row {
    pub lang: Lang,
    pub(super) cells: BTreeMap<&'static str, String>,
    /// Columns that rows above have a value in.
    pub(super) above: Arc<BTreeSet<&'static str>>,
}

impl Row {
    /// A record that came as named texts; names that are no column are left out, and of two with one
    /// name the last counts.
    pub fn of_known<'a>(
        named: impl Iterator<Item = (&'a str, String)>,
        columns: &'static [Column],
        lang: Lang,
    ) -> Self {
        let cells = named.filter_map(|(name, cell)| {
            let cell = cell.trim();
            Some((known(name, columns)?, cell.to_owned())).filter(|_| !cell.is_empty())
        });
        Self { lang, cells: cells.collect(), above: Arc::default() }
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
        let mut row = Self { lang, cells: BTreeMap::new(), above: Arc::default() };
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

    /// A text of one line: a line break within the cell is a blank.
    pub fn one_line(&self, column: &str) -> Result<String, String> {
        Ok(self.need(column)?.split(['\r', '\n']).collect::<Vec<_>>().join(" "))
    }

    pub fn need(&self, column: &str) -> Result<&str, String> {
        self.get(column).ok_or_else(|| match (self.lang, self.above.contains(column)) {
            (Lang::Zh, false) => format!("缺少“{column}”"),
            (Lang::En, false) => format!("\"{column}\" is missing"),
            // Spreadsheets export a merged cell for its first row alone.
            (Lang::Zh, true) => format!("缺少“{column}”：是合并的单元格吗？请逐行填写"),
            (Lang::En, true) => {
                format!("\"{column}\" is missing: a merged cell? Give every row its own")
            }
        })
    }

    /// Why a code or number cannot be used whose digits a spreadsheet has lost.
    pub fn spoilt(&self, column: &str, written: &str) -> String {
        match self.lang {
            Lang::Zh => format!(
                "{column}“{written}”已被表格软件当作数字改写，丢失了末几位：请先把该列设为“文本”\
                格式，再重新填写"
            ),
            Lang::En => format!(
                "the spreadsheet has turned {column} \"{written}\" into a number and lost its \
                last digits: format that column as text, then enter it again"
            ),
        }
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
        if is_swapped(lat_deg, lon_deg) {
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

/// Whether the pair lies in China only if its two numbers are exchanged.
pub fn is_swapped(lat_deg: f64, lon_deg: f64) -> bool {
    (73.0..=136.0).contains(&lat_deg) && (3.0..=54.0).contains(&lon_deg)
}
