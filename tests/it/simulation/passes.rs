//! Pure: satellite passes over the county in a day, and the pixels that a heat source lights, with
//! true footprints.
//!
//! Pixel sizes: VIIRS I-band 0.375 km growing to 0.8 km, MODIS 1 km growing to 2 × 4.8 km at the
//! swath's edge (FIRMS FAQ), Himawari AHI 2 km below the satellite.

use super::chance::Chance;
use super::fires::{Truth, after};
use super::ground::Spot;
use huoyan::triage::hotspot::{DayNight, Hotspot, HotspotConfidence};
use jiff::Timestamp;

#[derive(Clone, Debug)]
pub struct Pass {
    pub satellite: &'static str,
    pub instrument: &'static str,
    pub at: Timestamp,
    /// When the list reaches the office.
    pub listed_at: Timestamp,
    pub scan_m: f64,
    pub track_m: f64,
    /// Rotation of the scan lines against east, degrees.
    turn_deg: f64,
    /// Offset of the raster.
    phase: (f64, f64),
    /// Geolocation error of this pass, metres east and north.
    off_m: (f64, f64),
    /// Power that a pixel of this size shows half of the time, MW.
    threshold_mw: f64,
}

/// One row of a list, and the power it shows.
#[derive(Clone, Debug)]
pub struct Pixel {
    centre: Spot,
    power_mw: f64,
}

/// Local hour of the ascending or descending pass, swath in km, pixel at nadir in metres.
struct Orbiter {
    satellite: &'static str,
    instrument: &'static str,
    hours: [f64; 2],
    swath_km: f64,
}

const ORBITERS: [Orbiter; 5] = [
    Orbiter { satellite: "N", instrument: "VIIRS", hours: [1.5, 13.5], swath_km: 3_060.0 },
    Orbiter { satellite: "N20", instrument: "VIIRS", hours: [0.7, 12.7], swath_km: 3_060.0 },
    Orbiter { satellite: "N21", instrument: "VIIRS", hours: [2.3, 14.3], swath_km: 3_060.0 },
    Orbiter { satellite: "Terra", instrument: "MODIS", hours: [10.5, 22.4], swath_km: 2_330.0 },
    Orbiter { satellite: "Aqua", instrument: "MODIS", hours: [1.4, 13.4], swath_km: 2_330.0 },
];
/// Distance between the ground tracks of successive orbits at 28° N, km (2,750 km at the equator),
/// and their interval, minutes.
const TRACKS_APART_KM: f64 = 2_430.0;
const ORBIT_MIN: f64 = 101.4;

impl Pass {
    /// All passes of a day in order.
    pub fn of_day(seed: u64, start: Timestamp) -> Vec<Self> {
        let mut chance = Chance::of(seed, "passes");
        let mut passes = Vec::new();
        for orbiter in &ORBITERS {
            for hour in orbiter.hours {
                let track_km = chance.between(-TRACKS_APART_KM / 2.0, TRACKS_APART_KM / 2.0);
                for orbit in [-1.0, 0.0, 1.0] {
                    let off_km = track_km + orbit * TRACKS_APART_KM;
                    let edge = off_km.abs() / (orbiter.swath_km / 2.0);
                    if edge <= 1.0 {
                        let minute = hour * 60.0 + orbit * ORBIT_MIN + off_km / 60.0;
                        passes.push(Self::polar(
                            &mut chance,
                            orbiter,
                            after(start, minute.max(1.0)),
                            edge,
                        ));
                    }
                }
            }
        }
        passes.extend(
            (0..144).map(|n| Self::himawari(&mut chance, after(start, f64::from(n) * 10.0))),
        );
        passes.sort_by_key(|pass| pass.at);
        passes
    }

    /// `edge`: 0 below the satellite, 1 at the end of its scan.
    fn polar(chance: &mut Chance, orbiter: &Orbiter, at: Timestamp, edge: f64) -> Self {
        let grown = |nadir_m: f64, end_m: f64| nadir_m + (end_m - nadir_m) * edge.powf(2.5);
        let viirs = orbiter.instrument == "VIIRS";
        let (scan_m, track_m) = if viirs {
            (grown(375.0, 800.0), grown(375.0, 800.0))
        } else {
            (grown(1_000.0, 4_800.0), grown(1_000.0, 2_000.0))
        };
        let (nominal_m, faint_mw) = if viirs { (375.0, 1.2) } else { (1_000.0, 8.0) };
        Self {
            satellite: orbiter.satellite,
            instrument: orbiter.instrument,
            at,
            listed_at: after(at, chance.between(15.0, 60.0)),
            scan_m,
            track_m,
            turn_deg: if chance.happens(0.5) { 11.0 } else { -11.0 },
            phase: (chance.unit(), chance.unit()),
            off_m: (chance.normal(0.15 * nominal_m), chance.normal(0.15 * nominal_m)),
            threshold_mw: faint_mw * (scan_m * track_m / (nominal_m * nominal_m)).sqrt(),
        }
    }

    /// The county is 45° off the point below the satellite, so pixels are longer than 2 km from
    /// north to south.
    fn himawari(chance: &mut Chance, at: Timestamp) -> Self {
        Self {
            satellite: "Himawari-9",
            instrument: "AHI",
            at,
            listed_at: after(at, chance.between(12.0, 30.0)),
            scan_m: 2_200.0,
            track_m: 2_400.0,
            turn_deg: 0.0,
            phase: (chance.unit(), chance.unit()),
            off_m: (chance.normal(300.0), chance.normal(300.0)),
            threshold_mw: 45.0,
        }
    }

    /// The pixels lit by a heat source of this power: its own, and a close neighbour when it is
    /// strong.
    pub fn lit(&self, chance: &mut Chance, spot: Spot, power_mw: f64) -> Vec<Pixel> {
        let shown = power_mw / self.threshold_mw;
        if shown < 0.5 || !chance.happens((shown / 2.0).min(0.97)) {
            return Vec::new();
        }
        let (sin, cos) = self.turn_deg.to_radians().sin_cos();
        let across = (spot.east_m * cos + spot.north_m * sin) / self.scan_m + self.phase.0;
        let along = (spot.north_m * cos - spot.east_m * sin) / self.track_m + self.phase.1;
        // A source of three times the threshold lights a neighbour within a sixth of a pixel, one
        // of thirty times within a third.
        let reach = if shown < 3.0 { 0.0 } else { (0.06 + 0.08 * shown.log10() * 2.0).min(0.33) };
        let cells = |at: f64| {
            let (own, inside) = (at.floor(), at.rem_euclid(1.0));
            let near = if inside < reach {
                Some(own - 1.0)
            } else {
                (inside > 1.0 - reach).then_some(own + 1.0)
            };
            [Some(own), near].into_iter().flatten().collect::<Vec<_>>()
        };
        let columns = cells(across);
        let mut pixels = Vec::new();
        for row in cells(along) {
            for &column in &columns {
                let (x_m, y_m) = (
                    (column + 0.5 - self.phase.0) * self.scan_m,
                    (row + 0.5 - self.phase.1) * self.track_m,
                );
                let centre = Spot::new(
                    x_m * cos - y_m * sin + self.off_m.0,
                    x_m * sin + y_m * cos + self.off_m.1,
                );
                let share = if pixels.is_empty() { 1.0 } else { 0.4 };
                pixels.push(Pixel { centre, power_mw: power_mw * share });
            }
        }
        pixels
    }

    pub fn by_day(&self, truth: &Truth) -> bool {
        let hour = self.at.duration_since(truth.start).as_secs_f64() / 3_600.0;
        (7.0..18.0).contains(&hour)
    }

    /// The pixel as a feed lists it.
    pub fn row(&self, pixel: &Pixel, truth: &Truth) -> Hotspot {
        let at = pixel.centre.at();
        Hotspot {
            key: format!("{} {} {:.5} {:.5}", self.satellite, self.at, at.lat_deg(), at.lon_deg()),
            at,
            acquired_at: self.at,
            satellite: self.satellite.to_owned(),
            instrument: self.instrument.to_owned(),
            confidence: if pixel.power_mw > 4.0 * self.threshold_mw {
                HotspotConfidence::High
            } else {
                HotspotConfidence::Nominal
            },
            frp_mw: Some((pixel.power_mw * 10.0).round() / 10.0),
            brightness_k: Some(330.0),
            background_k: None,
            scan_km: Some((self.scan_m / 10.0).round() / 100.0),
            track_km: Some((self.track_m / 10.0).round() / 100.0),
            version: "2.0NRT".to_owned(),
            pixels: 1,
            daynight: Some(if self.by_day(truth) { DayNight::Day } else { DayNight::Night }),
        }
    }
}
