//! Pure: what one list holds, collected row by row.

use crate::config::Mapping;
use crate::lang::Lang;
use crate::satellite::same::rank;
use crate::table::{Called, Column, Page, Row, Spot};
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
    /// A sentence for each sheet of a workbook that is no list.
    pub unread: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rejected {
    /// Line in the file, from 1; in GeoJSON and KML the number of the feature. Of several sheets the
    /// reason names the one.
    pub line: u64,
    pub reason: String,
}

/// What came, and with what.
pub(super) struct Given<'a> {
    pub page: &'a Page<'a>,
    /// Of the file. Himawari's says which satellite.
    pub name: &'a str,
    /// When the list came: what a form without a time of its own has.
    pub received_at: Timestamp,
    /// Forms of the office's own.
    pub mappings: &'a [Mapping],
    pub lang: Lang,
}

/// Reads a table's rows one by one. `hotspot`: a row → its pixel, or why it is none.
pub(super) fn rows(
    given: &Given<'_>,
    columns: &'static [Column],
    hotspot: impl FnMut(&Row) -> Result<Hotspot, String>,
) -> Result<Parsed, String> {
    rows_called(given, columns, &[], hotspot)
}

pub(super) fn rows_called(
    given: &Given<'_>,
    columns: &'static [Column],
    called: Called<'_>,
    mut hotspot: impl FnMut(&Row) -> Result<Hotspot, String>,
) -> Result<Parsed, String> {
    let mut list = List::new(given.lang);
    given.page.each(columns, &[], called, given.lang, |spot, row| {
        list.take(spot, row.and_then(|row| hotspot(&row)));
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

    /// What another sheet holds.
    pub(super) fn add(&mut self, sheet: Parsed) {
        let Parsed { hotspots, rejected, repeated, unread } = sheet;
        self.rows += rejected.len() + repeated;
        self.parsed.rejected.extend(rejected);
        self.parsed.repeated += repeated;
        self.parsed.unread.extend(unread);
        hotspots.into_iter().for_each(|hotspot| self.take(0.into(), Ok(hotspot)));
    }

    pub(super) fn take(&mut self, spot: Spot, row: Result<Hotspot, String>) {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return;
        }
        let parsed = &mut self.parsed;
        match row {
            Err(reason) => {
                let reason = spot.said(reason, self.lang);
                parsed.rejected.push(Rejected { line: spot.line, reason });
            }
            Ok(hotspot) => match self.places.entry(hotspot.key.clone()) {
                Entry::Vacant(place) => {
                    place.insert(parsed.hotspots.len());
                    parsed.hotspots.push(hotspot);
                }
                Entry::Occupied(place) => {
                    parsed.repeated += 1;
                    let before = &mut parsed.hotspots[*place.get()];
                    if rank(&hotspot) > rank(before) {
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
