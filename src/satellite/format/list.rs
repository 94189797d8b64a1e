//! Pure: what one list holds, collected row by row.

use crate::lang::Lang;
use crate::table::{self, Column, Row};
use crate::triage::hotspot::Hotspot;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rows of one list. A FIRMS row has at least 80 bytes, so 50 MB hold fewer. A text with more rows
/// is no list, and a note for each line would fill the memory.
const ROWS_MAX: usize = 1_000_000;

/// The content of one file or answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Parsed {
    /// In the file's order, each key once.
    pub hotspots: Vec<Hotspot>,
    /// Rows that could not be used; every one is listed.
    pub rejected: Vec<Rejected>,
    /// Rows that repeated a pixel, perhaps in another processing version. The better version was
    /// taken.
    pub repeated: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rejected {
    /// Line in the file, from 1; in GeoJSON and KML the number of the feature.
    pub line: u64,
    pub reason: String,
}

/// What came, and with what.
pub(super) struct Given<'a> {
    pub bytes: &'a [u8],
    /// Of the file. Himawari's says which satellite.
    pub name: &'a str,
    /// When the list came: what a form without a time of its own has.
    pub received_at: Timestamp,
    pub lang: Lang,
}

/// Reads a table's rows one by one. `hotspot`: a row → its pixel, or why it is none.
pub(super) fn rows(
    given: &Given<'_>,
    columns: &'static [Column],
    mut hotspot: impl FnMut(&Row) -> Result<Hotspot, String>,
) -> Result<Parsed, String> {
    let mut list = List::new(given.lang);
    table::each(given.bytes, columns, given.lang, |line, row| {
        list.take(line, row.and_then(|row| hotspot(&row)));
    })?;
    list.end()
}

/// Collects what the rows of one list are.
pub(super) struct List {
    parsed: Parsed,
    places: HashMap<String, usize>,
    rows: usize,
    lang: Lang,
}

impl List {
    pub(super) fn new(lang: Lang) -> Self {
        Self { parsed: Parsed::default(), places: HashMap::new(), rows: 0, lang }
    }

    pub(super) fn take(&mut self, line: u64, row: Result<Hotspot, String>) {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return;
        }
        let parsed = &mut self.parsed;
        match row {
            Err(reason) => parsed.rejected.push(Rejected { line, reason }),
            Ok(hotspot) => match self.places.entry(hotspot.key.clone()) {
                Entry::Vacant(place) => {
                    place.insert(parsed.hotspots.len());
                    parsed.hotspots.push(hotspot);
                }
                Entry::Occupied(place) => {
                    parsed.repeated += 1;
                    let before = &mut parsed.hotspots[*place.get()];
                    if rank(&hotspot.version) > rank(&before.version) {
                        *before = hotspot;
                    }
                }
            },
        }
    }

    pub(super) fn end(self) -> Result<Parsed, String> {
        if self.rows > ROWS_MAX {
            return Err(match self.lang {
                Lang::Zh => format!("超过{ROWS_MAX}行，不像热点列表；请缩小范围后重新下载"),
                Lang::En => format!(
                    "more than {ROWS_MAX} rows, too many for a hotspot list; download a smaller box"
                ),
            });
        }
        Ok(self.parsed)
    }
}

/// The better of two versions of one pixel ranks higher: science quality, then near real time, real
/// time and ultra real time; among equals the higher number.
fn rank(version: &str) -> (u8, u32) {
    let number: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let kind = match version[number.len()..].to_ascii_uppercase().as_str() {
        "" => 3,
        "NRT" => 2,
        "RT" => 1,
        _ => 0,
    };
    let (major, minor) = number.split_once('.').unwrap_or((&number, "0"));
    let thousands = |digits: &str| digits.parse::<u32>().unwrap_or(0).min(9999);
    (kind, thousands(major) * 10_000 + thousands(minor))
}
