//! Pure: the hotspot lists of Chinese offices: the sheet that province and prefecture send
//! (卫星热点), in any order of its columns, and the table of the National Satellite Meteorological
//! Centre (火情信息快报), whose time stands in its title. Times are Beijing time; coordinates are
//! degrees in any notation.

use super::firms::{optional, utc_time};
use super::list::{Given, Parsed, rows_called};
use super::satellites;
use crate::base::time::county_time;
use crate::config::{ListColumn, Mapping};
use crate::table::{Called, Column, Header, Row, cells};
use crate::triage::hotspot::{Hotspot, HotspotConfidence};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(super) const COLUMNS: &[Column] = &[
    &["经度", "中心经度", "lon", "longitude"],
    &["纬度", "中心纬度", "lat", "latitude"],
    &["接收时间", "观测时间", "监测时间", "成像时间", "发现时间", "时间"],
    &["卫星编号", "卫星", "数据源", "来源"],
    &["像素", "像元个数", "像元数", "火点像元个数", "火点像素数"],
    &["像元覆盖面积"],
    &["可信度", "置信度"],
    &["时刻", "观测时刻"],
    &["功率", "辐射功率", "frp"],
];
/// When the satellite saw it.
const TIME: &str = "接收时间";
pub(super) const NEEDED: [&str; 3] = ["经度", "纬度", TIME];
/// Of the table whose time stands in its title.
pub(super) const UNTIMED: [&str; 3] = ["经度", "纬度", "像素"];

/// A list says how many pixels a fire has; more than this is a typing error.
const PIXELS_MAX: f64 = 10_000.0;
/// Of the centre, where its list does not say which satellite saw the fire.
const CENTRE: &str = "国家卫星气象中心";
/// Characters of a time at most: `2026年11月21日 14时20分`.
const TIME_MAX: usize = 18;

pub(super) fn parse(given: &Given<'_>) -> Result<Parsed, String> {
    read(given, &[], None)
}

/// Whether a list is a table of this form of the office's own.
pub(super) fn has(given: &Given<'_>, mapping: &Mapping) -> bool {
    let header = given.page.header(COLUMNS, &called(mapping));
    let all = |header: Header| {
        mapping.columns.values().all(|column| header.known.contains(&own(*column)))
    };
    header.is_some_and(all)
}

pub(super) fn parse_mapped(given: &Given<'_>, mapping: &Mapping) -> Result<Parsed, String> {
    read(given, &called(mapping), Some(mapping))
}

fn called(mapping: &Mapping) -> Vec<(String, &'static str)> {
    mapping.columns.iter().map(|(written, column)| (written.clone(), own(*column))).collect()
}

/// The column of the sheet that says this.
fn own(column: ListColumn) -> &'static str {
    match column {
        ListColumn::Longitude => "经度",
        ListColumn::Latitude => "纬度",
        ListColumn::Time => "接收时间",
        ListColumn::Clock => "时刻",
        ListColumn::Satellite => "卫星编号",
        ListColumn::Pixels => "像素",
        ListColumn::AreaKm2 => "像元覆盖面积",
        ListColumn::Confidence => "可信度",
        ListColumn::FrpMw => "功率",
    }
}

fn read(
    given: &Given<'_>,
    called: Called<'_>,
    mapping: Option<&Mapping>,
) -> Result<Parsed, String> {
    let header = given.page.header(COLUMNS, called).unwrap_or_default();
    let (is_utc, said) = mapping.map_or((false, None), |it| (it.utc, it.satellite.as_deref()));
    let is_timed = header.known.contains(&TIME);
    let title = header.title.join(" ");
    let seen_by = title.split_whitespace().find_map(satellites::known);
    let seen_at = instant_in(&title);
    let centre = if title.contains(CENTRE) { CENTRE } else { "" };
    rows_called(given, COLUMNS, called, |row| {
        let at = row.place()?;
        let acquired_at = if is_timed { Some(time(row, is_utc)?) } else { seen_at };
        let (satellite, instrument) = match (row.get("卫星编号"), seen_by) {
            (Some(name), _) => satellites::named(name),
            (None, Some((name, instrument))) => (name.to_owned(), instrument),
            (None, None) => said.map_or_else(|| (centre.to_owned(), ""), satellites::named),
        };
        let area_km2 = optional(row, "像元覆盖面积")?;
        Ok(Hotspot {
            key: key(&satellite, acquired_at, given.received_at, at.lat_deg(), at.lon_deg()),
            at,
            acquired_at: acquired_at.unwrap_or(given.received_at),
            satellite,
            instrument: instrument.to_owned(),
            confidence: confidence(row)?,
            frp_mw: optional(row, "功率")?,
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

/// Beijing time, unless the office says that its form has UTC. The time of day may stand apart.
fn time(row: &Row, is_utc: bool) -> Result<Timestamp, String> {
    // An empty cell is no time: not that of the title, which is of the list, nor that of now. A row
    // of last week would be a fire of today.
    let day = row.get(TIME).ok_or_else(|| row.lang.pick(
        "“接收时间”是空的，不知道是哪一次过境；合并的单元格存成 CSV 后只在第一行有值：\
        请填上每一行的时间，或保留合并，另存为 XLSX",
        "\"接收时间\" is empty, so the pass is not known. A merged cell saved as CSV keeps its value \
        in the first row only: fill in the time of each row, or leave the cells merged and save the \
        list as XLSX",
    ))?;
    let text = match row.get("时刻") {
        Some(clock) => match utc_time(clock) {
            Some(time) => format!("{day} {}", time.strftime("%H:%M:%S")),
            None => format!("{day} {clock}"),
        },
        None => day.to_owned(),
    };
    let (zh, en) = ("应为 2026-11-21 14:00", "2026-11-21 14:00 is needed");
    let at = row.parse("接收时间", zh, en, |_| cells::instant(&text, false))?;
    // A time that names its zone is what it says.
    if !is_utc || text.parse::<Timestamp>().is_ok() {
        return Ok(at);
    }
    let written = at.to_zoned(county_time()).datetime();
    Ok(written.to_zoned(TimeZone::UTC).map_err(|e| e.to_string())?.timestamp())
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
