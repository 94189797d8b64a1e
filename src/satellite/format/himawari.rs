//! Pure: JAXA P-Tree's wild-fire lists of the Himawari satellites: L2 every ten minutes, L3 every
//! hour. Columns: eorc.jaxa.jp/ptree, README_Himawari_L2WLF and README_H08_L3WLF. Times are UTC.

use super::firms::optional;
use super::list::{Given, Parsed, rows};
use crate::lang::Lang;
use crate::table::{Column, Row};
use crate::triage::geo::LatLon;
use crate::triage::hotspot::{Hotspot, HotspotConfidence};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

pub(super) const L2: &[Column] = &[
    &["year"],
    &["month"],
    &["day"],
    &["time"],
    &["lat"],
    &["lon"],
    &["area"],
    &["level"],
    &["reliability"],
    &["frp"],
    &["qf"],
];
pub(super) const L2_NEEDED: [&str; 7] =
    ["year", "month", "day", "time", "lat", "lon", "reliability"];
pub(super) const L3: &[Column] = &[
    &["year"],
    &["month"],
    &["day"],
    &["hour"],
    &["lat"],
    &["lon"],
    // The mean; the greatest stands behind it.
    &["frp"],
    &["confidence level"],
];
pub(super) const L3_NEEDED: [&str; 6] = ["year", "month", "day", "hour", "lat", "lon"];

/// JAXA calls these pixels of low quality (QF).
const LOW_QUALITY: f64 = 2.0;

/// Reliability: 1 low, 3 normal, 5 high. The list's FRP is W/m², and its area km².
pub(super) fn parse_l2(given: &Given<'_>) -> Result<Parsed, String> {
    let satellite = satellite(given.name);
    rows(given, L2, |row| {
        let minute = row.number("time", 0.0, 2359.0, None)? as i16;
        let area_km2 = optional(row, "area")?;
        let confidence = match row.number("reliability", 0.0, 5.0, None)? {
            _ if optional(row, "qf")? == Some(LOW_QUALITY) => HotspotConfidence::Low,
            ..2.0 => HotspotConfidence::Low,
            ..4.0 => HotspotConfidence::Nominal,
            _ => HotspotConfidence::High,
        };
        // W/m² over km² are MW.
        let frp_mw = optional(row, "frp")?.zip(area_km2).map(|(frp, area)| frp * area);
        let at = time(row, minute / 100, minute % 100)?;
        Ok(Hotspot {
            scan_km: area_km2.map(f64::sqrt),
            track_km: area_km2.map(f64::sqrt),
            ..pixel(row, satellite, at, confidence, frp_mw)?
        })
    })
}

/// Confidence level: 0 to 5; JAXA's daily lists take hours from 2.5 on.
pub(super) fn parse_l3(given: &Given<'_>) -> Result<Parsed, String> {
    let satellite = satellite(given.name);
    rows(given, L3, |row| {
        let confidence = match row.number("confidence level", 0.0, 5.0, Some(3.0))? {
            ..2.5 => HotspotConfidence::Low,
            ..4.0 => HotspotConfidence::Nominal,
            _ => HotspotConfidence::High,
        };
        let at = time(row, row.number("hour", 0.0, 23.0, None)? as i16, 0)?;
        pixel(row, satellite, at, confidence, optional(row, "frp")?)
    })
}

/// Files are named `H09_20251209_1900_L2WLF010_FLDK.06001_06001.csv`.
fn satellite(name: &str) -> &'static str {
    let file = name.rsplit('/').next().unwrap_or(name);
    match file.get(..4) {
        Some("H08_") => "Himawari-8",
        Some("H09_") => "Himawari-9",
        _ => "Himawari",
    }
}

fn time(row: &Row, hour: i16, minute: i16) -> Result<Timestamp, String> {
    let part = |column, last| row.number(column, 1.0, last, None).map(|number| number as i16);
    let (year, month, day) = (part("year", 9999.0)?, part("month", 12.0)?, part("day", 31.0)?);
    let small = |number: i16| i8::try_from(number).ok();
    let read = || {
        let day = Date::new(year, small(month)?, small(day)?).ok()?;
        let time = Time::new(small(hour)?, small(minute)?, 0, 0).ok()?;
        Some(day.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    read().ok_or_else(|| match row.lang {
        Lang::Zh => format!("没有这样的时刻：{year}-{month}-{day} {hour}:{minute}"),
        Lang::En => format!("there is no such time: {year}-{month}-{day} {hour}:{minute}"),
    })
}

fn pixel(
    row: &Row,
    satellite: &str,
    acquired_at: Timestamp,
    confidence: HotspotConfidence,
    frp_mw: Option<f64>,
) -> Result<Hotspot, String> {
    let (lat_deg, lon_deg) =
        (row.number("lat", -90.0, 90.0, None)?, row.number("lon", -180.0, 180.0, None)?);
    let at = LatLon::new(lat_deg, lon_deg)
        .ok_or_else(|| row.lang.pick("不在地球上", "not a place on earth").to_owned())?;
    let minute = acquired_at.strftime("%Y-%m-%d %H%M");
    Ok(Hotspot {
        key: format!("{satellite} {minute} {lat_deg} {lon_deg}"),
        at,
        acquired_at,
        satellite: satellite.to_owned(),
        instrument: "AHI".to_owned(),
        confidence,
        frp_mw,
        brightness_k: None,
        background_k: None,
        scan_km: None,
        track_km: None,
        version: String::new(),
        pixels: 1,
        daynight: None,
    })
}
