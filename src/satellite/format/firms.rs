//! Pure: NASA FIRMS rows, VIIRS 375 m and MODIS C6.1, in the formats of the area API, the 24 h / 7
//! day files, the country files and the archive. Columns and their meaning: earthdata.nasa.gov,
//! "VIIRS/MODIS active fire product attributes".

use super::{Parsed, Rejected};
use crate::lang::Lang;
use crate::triage::geo::LatLon;
use crate::triage::hotspot::{DayNight, Hotspot, HotspotConfidence};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A row without all of these is no hotspot.
const NEEDED: [&str; 6] =
    ["latitude", "longitude", "acq_date", "acq_time", "satellite", "confidence"];

/// Rows of one list. A FIRMS row has at least 80 bytes, so 50 MB hold fewer. A text with more rows
/// is no list, and a note for each line would fill the memory.
const ROWS_MAX: usize = 1_000_000;

/// `Err` says why this is no FIRMS list.
pub(super) fn parse(text: &str, lang: Lang) -> Result<Parsed, String> {
    // FIRMS quotes nothing and its values hold no commas, so quotes come only from an office
    // program. With quoting off, a stray quote costs one row and not all that follow.
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(false)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = records.next().transpose().map_err(|e| e.to_string())?.unwrap_or_default();
    let header = Header::new(&header, lang)?;

    let mut parsed = Parsed::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (n, record) in records.enumerate() {
        if n >= ROWS_MAX {
            return Err(match lang {
                Lang::Zh => format!("超过{ROWS_MAX}行，不像热点列表；请缩小范围后重新下载"),
                Lang::En => format!(
                    "more than {ROWS_MAX} rows, too many for a hotspot list; download a smaller box"
                ),
            });
        }
        let record = record.map_err(|e| e.to_string())?;
        let line = line(text, record.position());
        match (Row { header: &header, record: &record, lang }).hotspot() {
            Err(reason) => parsed.rejected.push(Rejected { line, reason }),
            Ok(hotspot) => match places.entry(hotspot.key.clone()) {
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
    Ok(parsed)
}

/// The line that a record begins on. The reader counts empty lines above a record as part of it.
fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    position.map_or(0, |position| {
        let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let above =
            text.as_bytes().iter().skip(begin).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        position.line() + above.filter(|byte| **byte == b'\n').count() as u64
    })
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

struct Header {
    columns: HashMap<String, usize>,
    width: usize,
    instrument: Option<&'static str>,
}

impl Header {
    fn new(record: &csv::StringRecord, lang: Lang) -> Result<Self, String> {
        let names = record.iter().map(|name| bare(name).to_ascii_lowercase());
        let columns: HashMap<String, usize> = names.zip(0..).collect();
        let missing: Vec<&str> =
            NEEDED.into_iter().filter(|name| !columns.contains_key(*name)).collect();
        if !missing.is_empty() {
            let first: String = record
                .iter()
                .collect::<Vec<_>>()
                .join(",")
                .chars()
                .filter(|c| !c.is_control())
                .take(80)
                .collect();
            let missing = missing.join(", ");
            return Err(match lang {
                Lang::Zh => format!("不是 FIRMS 热点列表：首行“{first}”缺少列 {missing}"),
                Lang::En => format!(
                    "not a FIRMS hotspot list: its first line \"{first}\" lacks \
                    {missing}"
                ),
            });
        }
        if columns.contains_key("path") && columns.contains_key("row") {
            return Err(lang
                .pick(
                    "这是 Landsat 列表：其 scan、track 是格网序号而不是公里，且没有功率；请下载 \
                    VIIRS 或 MODIS",
                    "this is a Landsat list: its scan and track are grid indices, not kilometres, \
                    and it has no power; download VIIRS or MODIS",
                )
                .to_owned());
        }
        // The 24 h files of VIIRS omit the instrument; its brightness column identifies it.
        let instrument =
            match (columns.contains_key("bright_ti4"), columns.contains_key("brightness")) {
                (true, false) => Some("VIIRS"),
                (false, true) => Some("MODIS"),
                _ => None,
            };
        Ok(Self { width: record.len(), columns, instrument })
    }
}

struct Row<'a> {
    header: &'a Header,
    record: &'a csv::StringRecord,
    lang: Lang,
}

impl<'a> Row<'a> {
    fn hotspot(&self) -> Result<Hotspot, String> {
        let found = self.record.len();
        if found != self.header.width {
            let expected = self.header.width;
            return Err(match self.lang {
                Lang::Zh => format!("应有{expected}个值，实有{found}个"),
                Lang::En => format!("{expected} values expected, {found} found"),
            });
        }
        let (lat, lon) = (self.need("latitude")?, self.need("longitude")?);
        let (lat_deg, lon_deg) = (self.number("latitude")?, self.number("longitude")?);
        let at = lat_deg
            .zip(lon_deg)
            .and_then(|(lat_deg, lon_deg)| LatLon::new(lat_deg, lon_deg))
            .ok_or_else(|| match self.lang {
                Lang::Zh => format!("纬度 {lat}、经度 {lon} 不在地球上"),
                Lang::En => format!("latitude {lat}, longitude {lon} is not a place on earth"),
            })?;
        let satellite = self.read("satellite", satellite)?;
        let instrument = match self.get("instrument") {
            Some(name) => name.to_ascii_uppercase(),
            None => self.header.instrument.unwrap_or(instrument_of(satellite)).to_owned(),
        };
        let date: Date = self.read("acq_date", |text| text.parse().ok())?;
        let time = self.read("acq_time", utc_time)?;
        let acquired_at =
            date.to_datetime(time).to_zoned(TimeZone::UTC).map_err(|e| e.to_string())?.timestamp();
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
            confidence: self.read("confidence", |text| confidence(text, &instrument))?,
            instrument,
            frp_mw: self.number("frp")?,
            brightness_k: self.number("bright_ti4")?.or(self.number("brightness")?),
            background_k: self.number("bright_ti5")?.or(self.number("bright_t31")?),
            scan_km: self.number("scan")?,
            track_km: self.number("track")?,
            version: self.get("version").unwrap_or_default().to_owned(),
            pixels: 1,
            daynight: match self.get("daynight") {
                None => None,
                Some(_) => Some(self.read("daynight", |text| match text {
                    "D" | "d" => Some(DayNight::Day),
                    "N" | "n" => Some(DayNight::Night),
                    _ => None,
                })?),
            },
        })
    }

    fn get(&self, column: &str) -> Option<&'a str> {
        let value = self.record.get(*self.header.columns.get(column)?)?;
        Some(bare(value)).filter(|value| !value.is_empty())
    }

    fn need(&self, column: &str) -> Result<&'a str, String> {
        self.get(column).ok_or_else(|| match self.lang {
            Lang::Zh => format!("缺少 {column}"),
            Lang::En => format!("{column} is missing"),
        })
    }

    fn read<T>(&self, column: &str, parse: impl Fn(&'a str) -> Option<T>) -> Result<T, String> {
        let value = self.need(column)?;
        parse(value).ok_or_else(|| match self.lang {
            Lang::Zh => format!("{column} 的值“{value}”无法识别"),
            Lang::En => format!("{column} cannot be \"{value}\""),
        })
    }

    /// `None` for a missing value; 0 is a real one.
    fn number(&self, column: &str) -> Result<Option<f64>, String> {
        match self.get(column) {
            None => Ok(None),
            Some(_) => self
                .read(column, |text| text.parse().ok().filter(|n: &f64| n.is_finite()))
                .map(Some),
        }
    }
}

fn bare(value: &str) -> &str {
    value.trim_matches(|c: char| c == '"' || c.is_whitespace())
}

/// One name per satellite, whatever the product calls it.
fn satellite(code: &str) -> Option<&'static str> {
    Some(match code.to_ascii_uppercase().replace([' ', '-', '_'], "").as_str() {
        "N" | "NPP" | "SNPP" | "SUOMINPP" => "N",
        "N20" | "1" | "J1" | "NOAA20" => "N20",
        "N21" | "2" | "J2" | "NOAA21" => "N21",
        "T" | "TERRA" => "Terra",
        "A" | "AQUA" => "Aqua",
        _ => return None,
    })
}

fn instrument_of(satellite: &str) -> &'static str {
    if matches!(satellite, "Terra" | "Aqua") { "MODIS" } else { "VIIRS" }
}

/// UTC as HHMM without leading zeros: `48` is 00:48. Some exports write `00:48`.
fn utc_time(text: &str) -> Option<Time> {
    let digits = text.replacen(':', "", usize::from(text.contains(':') && text.len() >= 4));
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i16 = digits.parse().ok()?;
    Time::new(i8::try_from(number / 100).ok()?, i8::try_from(number % 100).ok()?, 0, 0).ok()
}

/// Letters in the area API, words in the 24 h files, 0..100 for MODIS (FIRMS: below 30 low, from 80
/// high). The scales of the two instruments differ, but they rank in the same way.
fn confidence(text: &str, instrument: &str) -> Option<HotspotConfidence> {
    match text.to_ascii_lowercase().as_str() {
        "l" | "low" => Some(HotspotConfidence::Low),
        "n" | "nominal" => Some(HotspotConfidence::Nominal),
        "h" | "high" => Some(HotspotConfidence::High),
        number if instrument == "MODIS" => match number.parse::<u8>().ok()? {
            0..30 => Some(HotspotConfidence::Low),
            30..80 => Some(HotspotConfidence::Nominal),
            80..=100 => Some(HotspotConfidence::High),
            _ => None,
        },
        _ => None,
    }
}
