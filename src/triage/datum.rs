//! Pure: the coordinate systems of Chinese maps, and the way into WGS-84, in which everything inside
//! is. A place read in the wrong one lies 600 m off in Hunan: another hillside.

use super::geo::LatLon;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use utoipa::ToSchema;

/// In which coordinate system a place is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// GPS; CGCS2000 and 天地图 are the same for this purpose.
    #[default]
    Wgs84,
    /// 高德, 腾讯
    Gcj02,
    /// 百度
    Bd09,
}

/// Krasovsky's ellipsoid, as the public formula has it: half axis, metres, and eccentricity².
const AXIS_M: f64 = 6_378_245.0;
const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
/// Outside of this box (latitude, longitude) the maps are not shifted.
const SHIFTED: ([f64; 2], [f64; 2]) = ([0.8293, 55.8271], [72.004, 137.8347]);
/// Each turn makes the error some 10⁴ times smaller: after three it is below a micrometre.
const TURNS: usize = 3;
const BD_TURN: f64 = PI * 3000.0 / 180.0;

impl Datum {
    /// A place given in this system, in WGS-84. `None`: it is no place on earth.
    pub fn to_wgs84(self, lat_deg: f64, lon_deg: f64) -> Option<LatLon> {
        LatLon::new(lat_deg, lon_deg)?;
        let at = match self {
            Self::Wgs84 => [lat_deg, lon_deg],
            Self::Gcj02 => unshifted([lat_deg, lon_deg]),
            Self::Bd09 => unshifted(gcj_of_bd([lat_deg, lon_deg])),
        };
        LatLon::new(at[0], at[1])
    }

    /// Latitude and longitude of a place in this system, for what leaves the program.
    pub fn of_wgs84(self, at: LatLon) -> (f64, f64) {
        let at = [at.lat_deg(), at.lon_deg()];
        let [lat_deg, lon_deg] = match self {
            Self::Wgs84 => at,
            Self::Gcj02 => shifted(at),
            Self::Bd09 => bd_of_gcj(shifted(at)),
        };
        (lat_deg, lon_deg)
    }
}

/// GCJ-02 of a place in WGS-84.
fn shifted(at: [f64; 2]) -> [f64; 2] {
    let is_within = |value: f64, [low, high]: [f64; 2]| (low..=high).contains(&value);
    if !is_within(at[0], SHIFTED.0) || !is_within(at[1], SHIFTED.1) {
        return at;
    }
    let (x, y) = (at[1] - 105.0, at[0] - 35.0);
    let wave = |v: f64| (20.0 * (6.0 * PI * v).sin() + 20.0 * (2.0 * PI * v).sin()) * 2.0 / 3.0;
    let long = |v: f64, [near, far]: [f64; 2], [short, wide]: [f64; 2]| {
        let near_sum = 20.0 * (PI * v).sin() + 40.0 * (PI * v / 3.0).sin();
        (near_sum + near * (PI * v / short).sin() + far * (PI * v / wide).sin()) * 2.0 / 3.0
    };
    let north_m = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + wave(x)
        + long(y, [160.0, 320.0], [12.0, 30.0]);
    let east_m = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + wave(x)
        + long(x, [150.0, 300.0], [12.0, 30.0]);
    let lat = at[0].to_radians();
    let magic = 1.0 - ECCENTRICITY * lat.sin().powi(2);
    let north = north_m * magic * magic.sqrt() / (AXIS_M * (1.0 - ECCENTRICITY));
    let east = east_m * magic.sqrt() / (AXIS_M * lat.cos());
    [at[0] + north.to_degrees(), at[1] + east.to_degrees()]
}

/// WGS-84 of a place in GCJ-02: there is no formula, but the shift is nearly the same nearby.
fn unshifted(gcj: [f64; 2]) -> [f64; 2] {
    let mut at = gcj;
    for _ in 0..=TURNS {
        let there = shifted(at);
        at = [at[0] + gcj[0] - there[0], at[1] + gcj[1] - there[1]];
    }
    at
}

fn bd_of_gcj([lat, lon]: [f64; 2]) -> [f64; 2] {
    let radius = lon.hypot(lat) + 0.000_02 * (lat * BD_TURN).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * BD_TURN).cos();
    [radius * angle.sin() + 0.006, radius * angle.cos() + 0.0065]
}

/// The published way back is off by a metre: it is corrected like GCJ-02.
fn gcj_of_bd(bd: [f64; 2]) -> [f64; 2] {
    let mut at = [bd[0] - 0.006, bd[1] - 0.0065];
    for _ in 0..=TURNS {
        let there = bd_of_gcj(at);
        at = [at[0] + bd[0] - there[0], at[1] + bd[1] - there[1]];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat_deg: f64, lon_deg: f64) -> LatLon {
        LatLon::new(lat_deg, lon_deg).expect("a place")
    }

    /// The figures of three counties are the office's own; the one of Beijing is that of the library
    /// gcoord.
    #[test]
    fn a_map_of_the_wrong_system_shows_another_hillside() {
        for (place, off_m) in
            [(at(28.4526, 110.3938), 602.0), (at(28.70, 109.65), 586.0), (at(26.08, 119.33), 592.0)]
        {
            let (lat_deg, lon_deg) = Datum::Gcj02.of_wgs84(place);
            assert!((place.distance_m(at(lat_deg, lon_deg)) - off_m).abs() < 12.0, "{place:?}");
        }
        let (lat_deg, lon_deg) = Datum::Bd09.of_wgs84(at(39.914_266, 116.403_988));
        assert!((lat_deg - 39.921_966).abs() < 1e-5, "{lat_deg}");
        assert!((lon_deg - 116.416_616).abs() < 1e-5, "{lon_deg}");
        let paris = at(48.85, 2.35);
        assert_eq!(Datum::Gcj02.of_wgs84(paris), (48.85, 2.35), "not shifted abroad");
        assert_eq!(Datum::Gcj02.to_wgs84(91.0, 110.0), None);
        assert_eq!(Datum::Bd09.to_wgs84(f64::NAN, 110.0), None);
    }

    proptest! {
        /// Hunan, Fujian, Sichuan and all between.
        #[test]
        fn what_goes_out_comes_back(lat_deg in 20.0..40.0, lon_deg in 95.0..125.0) {
            let place = at(lat_deg, lon_deg);
            for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
                let (lat_deg, lon_deg) = datum.of_wgs84(place);
                let back = datum.to_wgs84(lat_deg, lon_deg).expect("a place");
                prop_assert!(back.distance_m(place) < 0.01, "{datum:?} {}", back.distance_m(place));
            }
        }
    }
}
