//! Pure: the county's ground: a plane in metres from its south-west corner, with hills.

use super::chance::Chance;
use huoyan::triage::geo::{EARTH_RADIUS_M, LatLon};
use huoyan::triage::terrain::{Raster, Terrain as Dem};

/// South-west corner of the county, WGS-84 degrees.
const CORNER: (f64, f64) = (28.30, 110.20);
/// A grid's side, metres. It gives 3,000 mu (200 ha), as real counties give a ranger.
pub const GRID_M: f64 = 1_400.0;
/// Grids from west to east and from south to north: 40.6 × 35 km.
pub const COLUMNS: usize = 29;
pub const ROWS: usize = 25;

/// Metres east and north of the corner.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spot {
    pub east_m: f64,
    pub north_m: f64,
}

impl Spot {
    pub fn new(east_m: f64, north_m: f64) -> Self {
        Self { east_m, north_m }
    }

    pub fn moved(self, azimuth_deg: f64, by_m: f64) -> Self {
        let (sin, cos) = azimuth_deg.to_radians().sin_cos();
        Self::new(self.east_m + by_m * sin, self.north_m + by_m * cos)
    }

    /// Equirectangular about the county's centre: 0.2 % error at its edges, below every error
    /// modelled here.
    pub fn at(self) -> LatLon {
        let lat_deg = CORNER.0 + (self.north_m / EARTH_RADIUS_M).to_degrees();
        let lon_deg = CORNER.1 + (self.east_m / (EARTH_RADIUS_M * middle_cos())).to_degrees();
        LatLon::new(lat_deg, lon_deg).expect("the county lies on earth")
    }

    /// A random place in the county, at least `margin_m` from its border.
    pub fn somewhere(chance: &mut Chance, margin_m: f64) -> Self {
        let (east_m, north_m) = size_m();
        Self::new(
            chance.between(margin_m, east_m - margin_m),
            chance.between(margin_m, north_m - margin_m),
        )
    }
}

pub fn size_m() -> (f64, f64) {
    (COLUMNS as f64 * GRID_M, ROWS as f64 * GRID_M)
}

fn middle_cos() -> f64 {
    (CORNER.0 + (size_m().1 / 2.0 / EARTH_RADIUS_M).to_degrees()).to_radians().cos()
}

/// Hills as a sum of waves between 1.2 and 14 km long, 100 to about 1,000 m high: the relief of
/// western Hunan.
pub struct Terrain {
    waves: Vec<Wave>,
}

struct Wave {
    east: f64,
    north: f64,
    phase: f64,
    height_m: f64,
}

/// Mean height of the ground above sea level, metres.
const MEAN_M: f64 = 450.0;
/// A wave's height over its length. The slopes of single waves add up to some 20°, steep but
/// walkable.
const STEEPNESS: f64 = 0.022;

impl Terrain {
    pub fn new(chance: &mut Chance) -> Self {
        let wave = |n: usize| {
            let length_m = 14_000.0 * 0.8_f64.powi(n as i32);
            let (sin, cos) = chance.between(0.0, std::f64::consts::TAU).sin_cos();
            let k = std::f64::consts::TAU / length_m;
            Wave {
                east: k * sin,
                north: k * cos,
                phase: chance.between(0.0, std::f64::consts::TAU),
                height_m: STEEPNESS * length_m / 2.0,
            }
        };
        Self { waves: (0..12).map(wave).collect() }
    }

    /// Metres above sea level.
    pub fn height_m(&self, spot: Spot) -> f64 {
        let wave = |it: &Wave| {
            it.height_m * (it.east * spot.east_m + it.north * spot.north_m + it.phase).sin()
        };
        (MEAN_M + self.waves.iter().map(wave).sum::<f64>()).max(60.0)
    }

    /// The elevation model as an office has it: 3 arc seconds (90 m), to 10 km beyond the county.
    pub fn model(&self) -> Dem {
        const STEP_DEG: f64 = 3.0 / 3600.0;
        const BEYOND_M: f64 = 10_000.0;
        let (east_m, north_m) = size_m();
        let first = Spot::new(-BEYOND_M, north_m + BEYOND_M).at();
        let north_step_m = STEP_DEG.to_radians() * EARTH_RADIUS_M;
        let east_step_m = north_step_m * middle_cos();
        let steps =
            |length_m: f64, step_m: f64| ((length_m + 2.0 * BEYOND_M) / step_m) as usize + 1;
        let (rows, columns) = (steps(north_m, north_step_m), steps(east_m, east_step_m));
        let spot = |n: usize| {
            let (row, column) = ((n / columns) as f64, (n % columns) as f64);
            Spot::new(column * east_step_m - BEYOND_M, north_m + BEYOND_M - row * north_step_m)
        };
        let heights = (0..rows * columns).map(|n| self.height_m(spot(n)) as f32);
        let raster =
            Raster::new(first, (STEP_DEG, STEP_DEG), (rows, columns), heights).expect("a raster");
        Dem::new(vec![raster]).expect("a model")
    }

    /// The steepest angle at which the ground between an eye and a place is seen, radians above the
    /// horizontal.
    pub fn horizon_rad(&self, eye: Spot, eye_m: f64, place: Spot) -> f64 {
        /// Distance between samples. The first and last steps are left out: they are the eye's own
        /// hill and the place itself.
        const STEP_M: f64 = 60.0;
        let (east_m, north_m) = (place.east_m - eye.east_m, place.north_m - eye.north_m);
        let range_m = east_m.hypot(north_m);
        let steps = (range_m / STEP_M) as usize;
        let slope = |n: usize| {
            let along_m = n as f64 * STEP_M;
            let share = along_m / range_m;
            let spot = Spot::new(eye.east_m + east_m * share, eye.north_m + north_m * share);
            (self.height_m(spot) - eye_m) / along_m
        };
        (1..steps).map(slope).fold(f64::NEG_INFINITY, f64::max).atan()
    }
}
