//! Pure: one satellite fire pixel, with the fields of NASA FIRMS.

use super::geo::{LatLon, Locus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// 热点. Source of the fields: FIRMS attribute table (earthdata.nasa.gov, "VIIRS/MODIS active fire
/// product attributes").
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hotspot {
    /// Identity of the pixel: satellite, time and the coordinates exactly as written. A
    /// re-processed version of the same pixel has the same key.
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
    /// Brightness temperature of the fire channel (VIIRS I4, MODIS 21/22), K. VIIRS saturates at
    /// 367.
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
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

/// Width of the nominal pixel, metres: VIIRS I-band 375 m and MODIS 1 km at nadir (FIRMS attribute
/// tables); 2 km for the fire channels of geostationary imagers (Himawari AHI band 7, FY-4 AGRI),
/// and for unknown instruments.
pub const VIIRS_PIXEL_M: f64 = 375.0;
pub const MODIS_PIXEL_M: f64 = 1000.0;
pub const GEOSTATIONARY_PIXEL_M: f64 = 2000.0;
/// Pixels grow towards the edge of the swath, MODIS to 4.8 km. A row with more than about twice
/// that is a typing error, and is clamped so that it does not cover a county.
const PIXEL_MAX_M: f64 = 10_000.0;

/// Width of an instrument's pixel at nadir, metres.
pub fn nominal_m(instrument: &str) -> f64 {
    match instrument.to_ascii_uppercase().as_str() {
        "VIIRS" => VIIRS_PIXEL_M,
        "MODIS" => MODIS_PIXEL_M,
        _ => GEOSTATIONARY_PIXEL_M,
    }
}

impl Hotspot {
    /// The pixel's footprint as the row gives it, never smaller than the instrument's nominal
    /// pixel.
    pub fn locus(&self) -> Locus {
        let nominal_m = nominal_m(&self.instrument);
        let width_m = |km: Option<f64>| {
            let said_m = km.filter(|km| km.is_finite()).map_or(0.0, |km| km * 1000.0);
            said_m.clamp(nominal_m, PIXEL_MAX_M)
        };
        Locus::Pixel {
            centre: self.at,
            scan_m: width_m(self.scan_km),
            track_m: width_m(self.track_km),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::kit::{place_m, start};

    fn row(instrument: &str, scan_km: Option<f64>, track_km: Option<f64>) -> Hotspot {
        Hotspot {
            key: String::new(),
            at: place_m(0.0, 0.0),
            acquired_at: start(),
            satellite: "N20".to_owned(),
            instrument: instrument.to_owned(),
            confidence: HotspotConfidence::Nominal,
            frp_mw: None,
            brightness_k: None,
            background_k: None,
            scan_km,
            track_km,
            version: String::new(),
            pixels: 1,
            daynight: None,
        }
    }

    #[test]
    fn a_footprint_is_as_the_row_says_and_never_below_the_nominal_pixel() {
        let table = [
            ("VIIRS", Some(0.39), Some(0.36), (390.0, 375.0)),
            ("viirs", None, None, (375.0, 375.0)),
            ("VIIRS", Some(0.8), Some(0.77), (800.0, 770.0)),
            ("MODIS", Some(4.8), Some(2.0), (4800.0, 2000.0)),
            ("MODIS", Some(0.0), Some(f64::NAN), (1000.0, 1000.0)),
            ("AHI", None, Some(1.0), (2000.0, 2000.0)),
            ("VIIRS", Some(375.0), Some(0.4), (10_000.0, 400.0)),
        ];
        for (instrument, scan_km, track_km, expected) in table {
            let Locus::Pixel { scan_m, track_m, .. } = row(instrument, scan_km, track_km).locus()
            else {
                panic!("a pixel has a footprint");
            };
            assert_eq!(
                (scan_m.round(), track_m.round()),
                expected,
                "{instrument} {scan_km:?} {track_km:?}"
            );
        }
    }
}
