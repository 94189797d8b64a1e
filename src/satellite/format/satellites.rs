//! Pure: one name for each satellite, whatever a product calls it.

use crate::table::cells::folded_code;

/// Name in a hotspot, instrument, and what lists write, without blanks, signs and case. NASA's and
/// NOAA's names from the FIRMS attribute tables; Chinese lists write the others.
const SATELLITES: [(&str, &str, &[&str]); 10] = [
    ("N", "VIIRS", &["N", "NPP", "SNPP", "SUOMINPP", "SUOMI"]),
    ("N20", "VIIRS", &["N20", "1", "20", "J1", "JPSS1", "NOAA20"]),
    ("N21", "VIIRS", &["N21", "2", "21", "J2", "JPSS2", "NOAA21"]),
    ("Terra", "MODIS", &["T", "TERRA", "EOSAM1"]),
    ("Aqua", "MODIS", &["A", "AQUA", "EOSPM1"]),
    ("Himawari-8", "AHI", &["H8", "H08", "HIMAWARI8", "葵花8", "葵花8号"]),
    ("Himawari-9", "AHI", &["H9", "H09", "HIMAWARI9", "葵花9", "葵花9号"]),
    ("FY-3D", "MERSI", &["FY3D", "风云三号D", "风云3D"]),
    ("FY-4A", "AGRI", &["FY4A", "风云四号A", "风云4A"]),
    ("FY-4B", "AGRI", &["FY4B", "风云四号B", "风云4B"]),
];
/// Put before a name by some products.
const AGENCIES: [&str; 4] = ["NASA", "JPSS", "EOS", "VIIRS"];

/// Name and instrument; `None` for one that is not known.
pub(super) fn known(text: &str) -> Option<(&'static str, &'static str)> {
    let code = folded_code(text);
    let is = |code: &str| {
        let found = SATELLITES.iter().find(|(_, _, names)| names.contains(&code));
        found.map(|(name, instrument, _)| (*name, *instrument))
    };
    is(&code).or_else(|| AGENCIES.iter().find_map(|agency| is(code.strip_prefix(agency)?)))
}

/// Name and instrument as far as they are known, otherwise what is written, without an instrument.
pub(super) fn named(text: &str) -> (String, &'static str) {
    match known(text) {
        Some((name, instrument)) => (name.to_owned(), instrument),
        None => (text.trim().to_owned(), ""),
    }
}
