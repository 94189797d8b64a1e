//! Pure: the hotspot lists of Chinese offices: the sheet that province and prefecture send
//! (卫星热点), in any order of its columns, and the table of the National Satellite Meteorological
//! Centre (火情信息快报), whose time stands in its title. Times are Beijing time; coordinates are
//! degrees in any notation.

use super::firms::optional;
use super::list::{Given, Parsed, rows};
use super::satellites;
use crate::base::time::county_time;
use crate::table::{self, Column, Row, cells};
use crate::triage::hotspot::{Hotspot, HotspotConfidence};
use jiff::Timestamp;

pub(super) const COLUMNS: &[Column] = &[
    &["经度", "中心经度", "lon", "longitude"],
    &["纬度", "中心纬度", "lat", "latitude"],
    &["接收时间", "观测时间", "监测时间", "成像时间", "发现时间", "时间"],
    &["卫星编号", "卫星", "数据源", "来源"],
    &["像素", "像元个数", "像元数", "火点像元个数", "火点像素数"],
    &["像元覆盖面积"],
    &["可信度", "置信度"],
];
pub(super) const NEEDED: [&str; 3] = ["经度", "纬度", "接收时间"];
/// Of the table whose time stands in its title.
pub(super) const UNTIMED: [&str; 3] = ["经度", "纬度", "像素"];

/// A list says how many pixels a fire has; more than this is a typing error.
const PIXELS_MAX: f64 = 10_000.0;
/// Of the centre, where its list does not say which satellite saw the fire.
const CENTRE: &str = "国家卫星气象中心";
/// Characters of a time at most: `2026年11月21日 14时20分`.
const TIME_MAX: usize = 18;

pub(super) fn parse(given: &Given<'_>) -> Result<Parsed, String> {
    let header = table::header_of(given.bytes, COLUMNS).unwrap_or_default();
    let title = header.title.join(" ");
    let seen_by = title.split_whitespace().find_map(satellites::known);
    let seen_at = instant_in(&title);
    let centre = if title.contains(CENTRE) { CENTRE } else { "" };
    rows(given, COLUMNS, |row| {
        let at = row.place()?;
        let acquired_at = match (row.get("接收时间"), seen_at) {
            (Some(_), _) => Some(row.time("接收时间", false)?),
            (None, seen_at) => seen_at,
        };
        let (satellite, instrument) = match (row.get("卫星编号"), seen_by) {
            (Some(name), _) => satellites::named(name),
            (None, Some((name, instrument))) => (name.to_owned(), instrument),
            (None, None) => (centre.to_owned(), ""),
        };
        let area_km2 = optional(row, "像元覆盖面积")?;
        Ok(Hotspot {
            key: key(&satellite, acquired_at, given.received_at, at.lat_deg(), at.lon_deg()),
            at,
            acquired_at: acquired_at.unwrap_or(given.received_at),
            satellite,
            instrument: instrument.to_owned(),
            confidence: confidence(row)?,
            frp_mw: None,
            brightness_k: None,
            background_k: None,
            scan_km: area_km2.map(f64::sqrt),
            track_km: area_km2.map(f64::sqrt),
            version: String::new(),
            pixels: row.number("像素", 1.0, PIXELS_MAX, Some(1.0))? as u32,
            daynight: None,
        })
    })
}

/// A hundred-thousandth of a degree is a metre. Without a time of its own a row is the same as long
/// as the day in the county is.
fn key(
    satellite: &str,
    acquired_at: Option<Timestamp>,
    received_at: Timestamp,
    lat_deg: f64,
    lon_deg: f64,
) -> String {
    let when = match acquired_at {
        Some(at) => at.strftime("%Y-%m-%d %H%M").to_string(),
        None => received_at.to_zoned(county_time()).strftime("%Y-%m-%d").to_string(),
    };
    format!("{satellite} {when} {lat_deg:.5} {lon_deg:.5}")
}

/// Words, or a percentage: below 30 low, from 80 high, as FIRMS does. Most lists say nothing.
fn confidence(row: &Row) -> Result<HotspotConfidence, String> {
    if row.get("可信度").is_none() {
        return Ok(HotspotConfidence::Nominal);
    }
    row.parse(
        "可信度",
        "应为 高、中、低 或百分数",
        "高, 中, 低 or a percentage is needed",
        |text| {
            let percent = cells::number(text.trim_end_matches(['%', '％']));
            match (text, percent) {
                ("高" | "高可信", _) => Some(HotspotConfidence::High),
                ("中" | "中可信" | "一般", _) => Some(HotspotConfidence::Nominal),
                ("低" | "低可信", _) => Some(HotspotConfidence::Low),
                (_, Some(..30.0)) => Some(HotspotConfidence::Low),
                (_, Some(..80.0)) => Some(HotspotConfidence::Nominal),
                (_, Some(..=100.0)) => Some(HotspotConfidence::High),
                _ => None,
            }
        },
    )
}

/// The first time in a title: `火情信息快报 2026年11月21日14时20分（北京时）`.
fn instant_in(title: &str) -> Option<Timestamp> {
    let chars: Vec<char> = title.chars().collect();
    let begins = |at: &usize| chars[*at..].starts_with(&['2', '0']);
    (0..chars.len()).filter(begins).find_map(|begin| {
        let last = chars.len().min(begin + TIME_MAX);
        let text = |end: usize| chars[begin..end].iter().collect::<String>();
        (begin + 1..=last).rev().find_map(|end| {
            let text = text(end);
            text.contains([':', '：', '时', '点']).then(|| cells::instant(&text, false)).flatten()
        })
    })
}
