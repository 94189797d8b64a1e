//! Where hotspot lists come from, and when they are expected.

use jiff::SignedDuration;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SatelliteConfig {
    /// Watched folder; relative to the data folder. Files are kept under `read/` or `refused/`
    /// beside it.
    pub folder: PathBuf,
    /// Intervals at which the folder is scanned and each feed is polled.
    pub folder_every: SignedDuration,
    pub feed_every: SignedDuration,
    /// Addresses of hotspot files (FIRMS area API …). `{key}` is replaced by the secret
    /// HUOYAN_FIRMS_KEY.
    pub feeds: Vec<String>,
    /// Hotspots farther outside the county are ignored, metres: 5 km, the widest pixel of MODIS.
    /// Nearer ones outside are passed on (转报).
    pub margin_m: f64,
    /// Hotspots acquired longer ago than this are stored and drawn, but open no incident: 24 h.
    pub stale_after: SignedDuration,
    /// File of orbits (TLE, or OMM as JSON) of the satellites whose lists the office receives;
    /// relative to the data folder.
    pub orbits: Option<PathBuf>,
    /// Passes that hold every day, `N21 14:32` in county time, where there is no file of orbits.
    pub timetable: Vec<Overpass>,
    /// The delay after a pass by which a list must have come: 4 h. FIRMS brings them within three.
    pub list_within: SignedDuration,
    /// Forms of lists that the program does not know by itself.
    pub mappings: Vec<Mapping>,
}

impl Default for SatelliteConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("hotspots"),
            folder_every: SignedDuration::from_secs(1),
            feed_every: SignedDuration::from_mins(10),
            feeds: Vec::new(),
            margin_m: 5_000.0,
            stale_after: SignedDuration::from_hours(24),
            orbits: None,
            timetable: Vec::new(),
            list_within: SignedDuration::from_hours(4),
            mappings: Vec::new(),
        }
    }
}

/// A form of list: a table that has all of these headers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Header as the file writes it, and what it means. Longitude and latitude are needed.
    pub columns: BTreeMap<String, ListColumn>,
    /// Its times are UTC; otherwise Beijing time.
    #[serde(default)]
    pub utc: bool,
    /// Which satellite has seen its fires, where no column says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satellite: Option<String>,
}

/// What a column of a list can mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListColumn {
    Longitude,
    Latitude,
    /// Day and time of day, or the day alone beside [`Self::Clock`].
    Time,
    Clock,
    Satellite,
    Pixels,
    AreaKm2,
    Confidence,
    FrpMw,
}

/// A pass that holds every day: `N21 14:32`, county time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Overpass {
    pub satellite: String,
    pub at: Time,
}

impl FromStr for Overpass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (satellite, at) = text.trim().rsplit_once(' ')?;
            let satellite = Some(satellite.trim()).filter(|name| !name.is_empty())?;
            Some(Self { satellite: satellite.to_owned(), at: Time::strptime("%H:%M", at).ok()? })
        };
        read().ok_or_else(|| {
            format!(
                "\"{text}\": 应为卫星和北京时间，例如 \"N21 14:32\" / a satellite and the time are \
                needed, for example \"N21 14:32\""
            )
        })
    }
}

impl TryFrom<String> for Overpass {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Overpass> for String {
    fn from(it: Overpass) -> Self {
        it.to_string()
    }
}

impl fmt::Display for Overpass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.satellite, self.at.strftime("%H:%M"))
    }
}
