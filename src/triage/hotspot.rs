//! Pure: one satellite fire pixel, in the words of NASA FIRMS.

use super::geo::{LatLon, Locus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// 热点. Source of the fields: FIRMS attribute table (earthdata.nasa.gov, "VIIRS/MODIS active fire product attributes").
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hotspot {
    /// Identity of the pixel: satellite, time and the coordinates exactly as written. A re-processed version of the same
    /// pixel has the same key.
    pub key: String,
    pub at: LatLon,
    pub acquired_at: Timestamp,
    /// "N20", "N21", "N" (S-NPP), "Terra", "Aqua" …
    pub satellite: String,
    /// "VIIRS", "MODIS" …
    pub instrument: String,
    pub confidence: HotspotConfidence,
    /// Fire radiative power, MW. 0.0 is a real value.
    pub frp_mw: Option<f64>,
    /// Brightness temperature of the fire channel (VIIRS I4, MODIS 21/22), K. VIIRS saturates at 367.
    pub brightness_k: Option<f64>,
    /// Brightness temperature of the background channel (VIIRS I5, MODIS 31), K.
    pub background_k: Option<f64>,
    /// Pixel size across track, km.
    pub scan_km: Option<f64>,
    /// Pixel size along track, km.
    pub track_km: Option<f64>,
    /// Processing version, for example "2.0NRT".
    pub version: String,
    /// Number of pixels the row stands for: 1 in FIRMS, 像素 in a Chinese hotspot list.
    pub pixels: u32,
    pub daynight: Option<DayNight>,
}

/// One scale for all instruments; the row's own value is kept in the original file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HotspotConfidence {
    Low,
    Nominal,
    High,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DayNight {
    #[serde(rename = "D")]
    Day,
    #[serde(rename = "N")]
    Night,
}

/// Half the pixel diagonal when the row gives no size: VIIRS 375 m, MODIS 1 km (FIRMS), geostationary 2 km; metres.
pub const VIIRS_RADIUS_M: f64 = 375.0;
pub const MODIS_RADIUS_M: f64 = 1000.0;
pub const GEOSTATIONARY_RADIUS_M: f64 = 2000.0;

impl Hotspot {
    /// The pixel as a place: a disc that holds the whole pixel, never smaller than the instrument's nominal pixel.
    pub fn locus(&self) -> Locus {
        let nominal_m = match self.instrument.to_ascii_uppercase().as_str() {
            "VIIRS" => VIIRS_RADIUS_M,
            "MODIS" => MODIS_RADIUS_M,
            _ => GEOSTATIONARY_RADIUS_M,
        };
        let half_diagonal_m = match (self.scan_km, self.track_km) {
            (Some(scan_km), Some(track_km)) => scan_km.hypot(track_km) * 500.0,
            _ => 0.0,
        };
        Locus::Disc { centre: self.at, radius_m: half_diagonal_m.max(nominal_m) }
    }
}
