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
use crate::table::{self, Column, Page};
use jiff::Timestamp;
use list::{Given, List};

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
    let list = sniffed(bytes, name, received_at, mappings, lang);
    list.map_err(|why| Error::invalid(format!("{name}: {why}")))
}

fn sniffed(
    bytes: &[u8],
    name: &str,
    received_at: Timestamp,
    mappings: &[Mapping],
    lang: Lang,
) -> Result<Parsed, String> {
    let text = table::decode(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') && text.contains("\"FeatureCollection\"") {
        return geojson::parse(text, lang);
    }
    if kml::is_one(text) {
        return kml::parse(text, lang);
    }
    foreign::refuse(bytes, text, lang)?;
    let pages = table::pages(bytes, lang)?;
    if let [page] = &pages[..]
        && !page.is_hidden()
    {
        let given = Given { page, name, received_at, mappings, lang };
        return of_page(&given).unwrap_or_else(|| Err(foreign::unknown(text, lang)));
    }
    let (mut list, mut is_one) = (List::new(lang), false);
    for page in &pages {
        let given = Given { page, name, received_at, mappings, lang };
        match of_page(&given).filter(|_| !page.is_hidden()) {
            None => {
                let why = lang.pick("不是热点列表", "it is no hotspot list");
                list.add(Parsed { unread: vec![page.unread(why, lang)], ..Parsed::default() });
                continue;
            }
            Some(Ok(parsed)) => list.add(parsed),
            Some(Err(why)) => list.take(page.top(), Err(why)),
        }
        is_one = true;
    }
    match list.end()? {
        list if is_one => Ok(list),
        list if pages.iter().any(Page::is_hidden) => Err(list.unread.join(lang.pick("；", "; "))),
        _ => Err(foreign::unknown(text, lang)),
    }
}

/// The list of a text or of a sheet. `None` when it is none of any form. `Err` says why it cannot be
/// read.
fn of_page(given: &Given<'_>) -> Option<Result<Parsed, String>> {
    if let Some(mapping) = given.mappings.iter().find(|mapping| sheet::has(given, mapping)) {
        return Some(sheet::parse_mapped(given, mapping));
    }
    let firms = given.page.header(firms::COLUMNS, &[]).unwrap_or_default().known;
    if firms.contains(&"path") && firms.contains(&"row") {
        return Some(Err(foreign::landsat(given.lang)));
    }
    let is_of = |(columns, needed, _): &&Form| {
        let header = given.page.header(columns, &[]);
        header.is_some_and(|header| needed.iter().all(|name| header.known.contains(name)))
    };
    match TABLES.iter().find(is_of) {
        Some((_, _, parse)) => Some(parse(given)),
        None => foreign::lacking(&firms, given.lang).map(Err),
    }
}
