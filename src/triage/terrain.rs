//! Pure: the shape of the ground, and where a line of sight meets it. Elevations in metres over
//! WGS-84. A height and the ground under it come from the same model, so its vertical datum cancels
//! out.

mod range;
mod raster;
#[cfg(test)]
mod tests;

pub use range::{LineOfSight, NEAR_M, Range, flat_range};
pub use raster::Raster;

use super::geo::{EARTH_RADIUS_M, LatLon};

/// Standard refraction: light bends towards the ground, along a circle of `1 / k` times the earth's
/// radius. 0.13 is Gauss's mean by day, the value that surveyors use: 13 % of the curvature, 1.0 m
/// at 10 km.
const REFRACTION: f64 = 0.13;

/// Longest ray that is followed: 50 km, the longest sight that the camera register accepts.
pub const SIGHT_MAX_M: f64 = 50_000.0;

/// Elevations of one or several rasters. Where two overlap, the finer one is used.
#[derive(Clone, PartialEq, Debug)]
pub struct Terrain {
    /// Finest first.
    rasters: Vec<Raster>,
}

impl Terrain {
    /// `None` without a raster.
    pub fn new(mut rasters: Vec<Raster>) -> Option<Self> {
        rasters.sort_by(|a, b| a.step_deg().total_cmp(&b.step_deg()));
        (!rasters.is_empty()).then_some(Self { rasters })
    }

    pub fn rasters(&self) -> &[Raster] {
        &self.rasters
    }

    pub fn samples(&self) -> usize {
        self.rasters.iter().map(Raster::samples).sum()
    }

    /// Height of the ground above the model's zero, metres, bilinear between samples; `None` where
    /// no raster has it.
    pub fn elevation_m(&self, at: LatLon) -> Option<f64> {
        let inside = self.rasters.iter().find_map(|raster| raster.elevation_m(at, 0.0));
        // Tiles of some models leave a gap of one step between the last sample of one and the first
        // of the next.
        inside.or_else(|| self.rasters.iter().find_map(|raster| raster.elevation_m(at, 1.0)))
    }

    /// Distance between samples here, metres: the step in which rays are followed.
    fn step_m(&self, at: LatLon) -> f64 {
        let finest = self.rasters.iter().find(|raster| raster.elevation_m(at, 1.0).is_some());
        let step_deg = finest.or(self.rasters.first()).map_or(1.0, Raster::step_deg);
        // Along the parallel, where samples are closer than along the meridian by the cosine of the
        // latitude.
        (step_deg.to_radians() * EARTH_RADIUS_M * at.lat_deg().to_radians().cos()).clamp(1.0, 200.0)
    }

    /// Distance along the ground at which a ray from `eye_m` above the model's zero, over `apex`,
    /// meets the ground, metres. `None` if it does not within [`SIGHT_MAX_M`], if it begins below
    /// the ground, or where the ground is unknown.
    pub fn cast(
        &self,
        apex: LatLon,
        eye_m: f64,
        azimuth_deg: f64,
        elevation_deg: f64,
    ) -> Option<f64> {
        let slope = elevation_deg.clamp(-89.9, 89.9).to_radians().tan();
        let under_m = |range_m: f64| {
            let ground_m = self.elevation_m(apex.destination(azimuth_deg, range_m))?;
            Some(eye_m + range_m * slope + drop_m(range_m) - ground_m)
        };
        if !eye_m.is_finite() || !slope.is_finite() || under_m(0.0)? <= 0.0 {
            return None;
        }
        let step_m = self.step_m(apex);
        let steps = (SIGHT_MAX_M / step_m) as u32;
        let mut above_m = 0.0;
        for range_m in (1..=steps).map(|step| f64::from(step) * step_m) {
            if under_m(range_m)? <= 0.0 {
                return Some(meet(under_m, above_m, range_m));
            }
            above_m = range_m;
        }
        None
    }
}

impl Terrain {
    /// The ground along a ray from `eye_m` above the model's zero, over `apex`, up to `reach_m`, and
    /// whether something that stands `above_m` over it is in sight there. It ends where the
    /// ground is unknown.
    pub fn in_sight(
        &self,
        apex: LatLon,
        eye_m: f64,
        azimuth_deg: f64,
        reach_m: f64,
        above_m: f64,
    ) -> Vec<(LatLon, bool)> {
        let step_m = self.step_m(apex);
        let steps = (reach_m.min(SIGHT_MAX_M) / step_m) as u32;
        let mut seen = Vec::with_capacity(steps as usize);
        // The steepest slope up to the ground so far: what lies lower is behind it.
        let mut horizon = f64::NEG_INFINITY;
        for range_m in (1..=steps).map(|step| f64::from(step) * step_m) {
            let at = apex.destination(azimuth_deg, range_m);
            let Some(ground_m) = self.elevation_m(at) else { break };
            let slope = |height_m: f64| (height_m - drop_m(range_m) - eye_m) / range_m;
            seen.push((at, slope(ground_m + above_m) >= horizon));
            horizon = horizon.max(slope(ground_m));
        }
        seen
    }
}

/// Bisection between a range where the ray is above the ground and one where it is below: to a
/// centimetre of 200 m.
fn meet(under_m: impl Fn(f64) -> Option<f64>, mut above_m: f64, mut below_m: f64) -> f64 {
    for _ in 0..15 {
        let middle_m = f64::midpoint(above_m, below_m);
        if under_m(middle_m).is_some_and(|under| under > 0.0) {
            above_m = middle_m;
        } else {
            below_m = middle_m;
        }
    }
    f64::midpoint(above_m, below_m)
}

/// How far the ground falls below a level line of sight at this range, metres: curvature minus
/// refraction.
fn drop_m(range_m: f64) -> f64 {
    range_m * range_m * (1.0 - REFRACTION) / (2.0 * EARTH_RADIUS_M)
}
