//! Pure: the forms that hotspot lists come in, one parser a file, and what is no list at all. The
//! form is told by the content; names of files and columns' order do not matter.

mod firms;
mod foreign;
mod geojson;
mod himawari;
mod kml;
mod list;
mod satellites;
mod sheet;
#[cfg(test)]
mod tests;

use crate::config::Mapping;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::table::{self, Column, Header};
use jiff::Timestamp;
use list::Given;

pub use list::{Parsed, Rejected};

/// One name for each satellite, whatever a file calls it.
pub(super) fn satellite_name(written: &str) -> String {
    satellites::named(written).0
}

/// A form that is a table: its columns, those that tell it from the others, and its parser.
type Form = (&'static [Column], &'static [&'static str], fn(&Given<'_>) -> Result<Parsed, String>);

const TABLES: [Form; 5] = [
    (firms::COLUMNS, &firms::NEEDED, firms::parse),
    (himawari::L2, &himawari::L2_NEEDED, himawari::parse_l2),
    (himawari::L3, &himawari::L3_NEEDED, himawari::parse_l3),
    (sheet::COLUMNS, &sheet::NEEDED, sheet::parse),
    (sheet::COLUMNS, &sheet::UNTIMED, sheet::parse),
];

/// Reads a hotspot list of any known form. `name` is used in error messages.
///
/// Error when the content is no hotspot list at all: a web page, a service's error text, another
/// format. A list without rows is valid.
pub fn parse(bytes: &[u8], name: &str, received_at: Timestamp, lang: Lang) -> Result<Parsed> {
    parse_mapped(bytes, name, received_at, &[], lang)
}

/// The same, with the office's own forms.
pub fn parse_mapped(
    bytes: &[u8],
    name: &str,
    received_at: Timestamp,
    mappings: &[Mapping],
    lang: Lang,
) -> Result<Parsed> {
    let given = Given { bytes, name, received_at, mappings, lang };
    sniffed(&given).map_err(|why| Error::invalid(format!("{name}: {why}")))
}

fn sniffed(given: &Given<'_>) -> Result<Parsed, String> {
    let text = table::decode(given.bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') && text.contains("\"FeatureCollection\"") {
        return geojson::parse(text, given.lang);
    }
    if kml::is_one(text) {
        return kml::parse(text, given.lang);
    }
    foreign::refuse(given.bytes, text, given.lang)?;
    table::check(given.bytes, given.lang)?;
    if let Some(mapping) = given.mappings.iter().find(|mapping| sheet::has(given, mapping)) {
        return sheet::parse_mapped(given, mapping);
    }
    let firms = table::header_of(given.bytes, firms::COLUMNS).unwrap_or_default().known;
    if firms.contains(&"path") && firms.contains(&"row") {
        return Err(foreign::landsat(given.lang));
    }
    for (columns, needed, parse) in TABLES {
        let has = |header: Header| needed.iter().all(|name| header.known.contains(name));
        if table::header_of(given.bytes, columns).is_some_and(has) {
            return parse(given);
        }
    }
    Err(foreign::unknown(&firms, text, given.lang))
}
