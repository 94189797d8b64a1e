//! Pure: NASA FIRMS rows, VIIRS 375 m and MODIS C6.1, in the formats of the area API, the 24 h / 7
//! day files, the country files and the archive, also after a spreadsheet program has saved them.
//! Columns and their meaning: earthdata.nasa.gov, "VIIRS/MODIS active fire product attributes".

use super::list::{Given, Parsed, rows};
use super::satellites;
use crate::lang::Lang;
use crate::table::{Column, Row, cells};
use crate::triage::geo::LatLon;
use crate::triage::hotspot::{DayNight, Hotspot, HotspotConfidence};
use jiff::civil::Time;
use jiff::tz::TimeZone;

pub(super) const COLUMNS: &[Column] = &[
    &["latitude", "lat"],
    &["longitude", "lon", "long"],
    &["acq_date"],
    &["acq_time"],
    &["satellite"],
    &["confidence"],
    &["instrument"],
    &["version"],
    &["frp"],
    &["scan"],
    &["track"],
    &["bright_ti4"],
    &["brightness"],
    &["bright_ti5"],
    &["bright_t31"],
    &["daynight"],
    // Landsat's, which are refused.
    &["path"],
    &["row"],
];
/// A row without all of these is no hotspot.
pub(super) const NEEDED: [&str; 6] =
    ["latitude", "longitude", "acq_date", "acq_time", "satellite", "confidence"];

/// `Err` says why this is no FIRMS list.
pub(super) fn parse(given: &Given<'_>) -> Result<Parsed, String> {
    let header = given.page.header(COLUMNS, &[]).unwrap_or_default();
    // The 24 h files of VIIRS omit the instrument; its brightness column identifies it.
    let has = |column| header.known.contains(&column);
    let instrument = match (has("bright_ti4"), has("brightness")) {
        (true, false) => Some("VIIRS"),
        (false, true) => Some("MODIS"),
        _ => None,
    };
    rows(given, COLUMNS, |row| hotspot(row, instrument))
}

/// `instrument`: of a list whose rows do not name it.
pub(super) fn hotspot(row: &Row, instrument: Option<&str>) -> Result<Hotspot, String> {
    let at = place(row)?;
    let (satellite, its_own) =
        row.parse("satellite", "不认识这颗卫星", "this satellite is not known", satellites::known)?;
    let instrument = match row.get("instrument") {
        Some(name) => name.to_ascii_uppercase(),
        None => instrument.unwrap_or(its_own).to_owned(),
    };
    let date = row.date("acq_date")?;
    let time = row.parse("acq_time", "应为 0048（UTC）", "0048 is needed (UTC)", utc_time)?;
    let acquired_at =
        date.to_datetime(time).to_zoned(TimeZone::UTC).map_err(|e| e.to_string())?.timestamp();
    let number = |column| optional(row, column);
    Ok(Hotspot {
        // As written, but without trailing zeros, which spreadsheet programs drop.
        key: format!(
            "{satellite} {date} {} {} {}",
            time.strftime("%H%M"),
            at.lat_deg(),
            at.lon_deg()
        ),
        at,
        acquired_at,
        satellite: satellite.to_owned(),
        confidence: row.parse(
            "confidence",
            "应为 low、nominal、high，MODIS 为0到100",
            "low, nominal or high is needed, for MODIS 0 to 100",
            |text| confidence(text, &instrument),
        )?,
        instrument,
        frp_mw: number("frp")?,
        brightness_k: number("bright_ti4")?.or(number("brightness")?),
        background_k: number("bright_ti5")?.or(number("bright_t31")?),
        scan_km: number("scan")?,
        track_km: number("track")?,
        version: row.text("version").unwrap_or_default(),
        pixels: 1,
        daynight: match row.get("daynight") {
            None => None,
            Some(_) => {
                Some(row.parse("daynight", "应为 D 或 N", "D or N is needed", |text| {
                    match text.to_ascii_uppercase().as_str() {
                        "D" | "DAY" => Some(DayNight::Day),
                        "N" | "NIGHT" => Some(DayNight::Night),
                        _ => None,
                    }
                })?)
            }
        },
    })
}

/// Decimal degrees of any place on earth; a swapped pair is often none.
fn place(row: &Row) -> Result<LatLon, String> {
    let degrees =
        |column| row.parse(column, "应为十进制度", "decimal degrees are needed", cells::degrees);
    let (lat_deg, lon_deg) = (degrees("latitude")?, degrees("longitude")?);
    LatLon::new(lat_deg, lon_deg).ok_or_else(|| match row.lang {
        Lang::Zh => format!("纬度 {lat_deg}、经度 {lon_deg} 不在地球上；两列是否写反？"),
        Lang::En => format!(
            "latitude {lat_deg}, longitude {lon_deg} is not a place on earth: are the two columns \
            swapped?"
        ),
    })
}

/// `None` for a missing value; 0 is a real one.
pub(super) fn optional(row: &Row, column: &str) -> Result<Option<f64>, String> {
    match row.get(column) {
        None => Ok(None),
        Some(_) => row.parse(column, "应为数字", "a number is needed", cells::number).map(Some),
    }
}

/// UTC as HHMM without leading zeros: `48` is 00:48. Spreadsheets write `0:48` and `00:48:00`.
pub(super) fn utc_time(text: &str) -> Option<Time> {
    if text.contains([':', '：']) {
        return cells::time_of_day(text).filter(|time| !is_end_of_day(text, *time));
    }
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i16 = text.parse().ok()?;
    Time::new(i8::try_from(number / 100).ok()?, i8::try_from(number % 100).ok()?, 0, 0).ok()
}

/// No pass is at 24:00: which day would it be?
fn is_end_of_day(text: &str, time: Time) -> bool {
    time == Time::midnight() && text.trim_start().starts_with("24")
}

/// Letters in the area API, words in the 24 h files, 0..100 for MODIS (FIRMS: below 30 low, from 80
/// high). The scales of the two instruments differ, but they rank in the same way.
fn confidence(text: &str, instrument: &str) -> Option<HotspotConfidence> {
    match text.to_ascii_lowercase().as_str() {
        "l" | "low" => Some(HotspotConfidence::Low),
        "n" | "nominal" => Some(HotspotConfidence::Nominal),
        "h" | "high" => Some(HotspotConfidence::High),
        number if instrument == "MODIS" => match cells::number(number)? {
            0.0..30.0 => Some(HotspotConfidence::Low),
            30.0..80.0 => Some(HotspotConfidence::Nominal),
            80.0..=100.0 => Some(HotspotConfidence::High),
            _ => None,
        },
        _ => None,
    }
}
