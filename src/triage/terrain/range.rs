//! Pure: how far away a fire is, from the line of sight to the lower edge of its smoke, with the
//! uncertainty of that line.
//!
//! A camera sees the lower edge of the smoke. If nothing hides the fire, that edge is on the fire's
//! own ground; if a ridge does, the edge is the ridge's and the fire is behind it. In both cases
//! the edge lies on the *skyline so far*, the highest ground between the camera and the fire, seen
//! from the camera. So every range along the bearing is weighed by how well its skyline fits the
//! edge, by how much of the plume shows there, and by whether a plume rises as high as its top
//! would be there. The interval leaves out 3 % of that weight at either end. With the direction,
//! which holds 95 %, it holds the fire in nine of ten cases.

use super::{SIGHT_MAX_M, Terrain, drop_m};
use crate::triage::geo::LatLon;
use crate::triage::profile::{RangeProfile, quantile_m};

/// Smallest range. Nothing nearer is reported as forest smoke, and the ground this near to a mast
/// is in no picture of the forest. So a sample of the model that is too high there cannot hide the
/// county.
pub const NEAR_M: f64 = 200.0;
/// A plume that a tower's camera has confirmed rises up to 400 m above its fire, and ever more
/// seldom up to twice that. Smoke rises some metres a second and is confirmed after one to ten
/// minutes; higher up it is too thin or too bent to be a column. Judged, not measured. Below 400 m,
/// no size of plume is likelier than half or twice it.
const PLUME_M: f64 = 400.0;
/// Error of the model's ground relative to the eye, in nine of ten cases: 10 m, the relative error
/// that SRTM was specified to (90 %; Rodriguez et al. 2006 measured 6 to 10 m). Copernicus GLO-30
/// is better.
const TERRAIN_ERROR_M: f64 = 10.0;
/// The same for ground that the office calls flat: dikes, banks and terraces, 2 m.
const FLAT_ERROR_M: f64 = 2.0;
/// Standard deviations that hold 90 % of a normal error.
const NINE_IN_TEN: f64 = 1.645;
/// Rays across the width of the bearing: for ±2° they are 70 m apart at 8 km, about two samples of
/// a 30 m model.
const RAYS: u32 = 9;
/// An interval whose far end is more than three times its near end is of no use: its middle is off
/// by half its own distance, more than a village.
const RATIO_MAX: f64 = 3.0;
/// Less of a plume than this does not show as smoke in a picture, metres.
const SEEN_MIN_M: f64 = 5.0;
/// Steps on flat ground, metres.
const FLAT_STEP_M: f64 = 10.0;

/// A line of sight to the lower edge of smoke, with its errors: each is the half width that holds
/// nine of ten cases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LineOfSight {
    pub azimuth_deg: f64,
    /// To each side, including the box's own width.
    pub half_width_deg: f64,
    /// Of the smoke's lower edge, above the horizontal.
    pub elevation_deg: f64,
    pub elevation_error_deg: f64,
    /// Of the smoke's upper edge.
    pub top_deg: f64,
    /// Height of the lens above the ground.
    pub height_m: f64,
    /// How far smoke can be made out. Up to here all ranges are equally likely; the probability
    /// then falls to 0 at twice this range.
    pub range_m: f64,
}

/// How far away the fire is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// The fire is between these two in nine of ten cases; `None` if they are too far apart to be
    /// of use.
    pub measured: Option<[f64; 2]>,
    pub profile: RangeProfile,
}

impl Terrain {
    /// `None` if the line of sight meets no ground or leaves the known ground.
    pub fn range(&self, apex: LatLon, sight: &LineOfSight) -> Option<Range> {
        let eye_m = self.elevation_m(apex)? + sight.height_m;
        let ground = |azimuth_deg: f64, range_m: f64| {
            self.elevation_m(apex.destination(azimuth_deg, range_m))
        };
        range(ground, eye_m, TERRAIN_ERROR_M, self.step_m(apex), sight)
    }
}

/// The same for ground that is known to be flat.
pub fn flat_range(sight: &LineOfSight) -> Option<Range> {
    range(|_, _| Some(0.0), sight.height_m, FLAT_ERROR_M, FLAT_STEP_M, sight)
}

fn range(
    ground: impl Fn(f64, f64) -> Option<f64>,
    eye_m: f64,
    ground_error_m: f64,
    step_m: f64,
    sight: &LineOfSight,
) -> Option<Range> {
    let seen_m = sight.range_m.clamp(NEAR_M, SIGHT_MAX_M);
    let last_m = (2.0 * seen_m).min(SIGHT_MAX_M);
    let steps = ((last_m - NEAR_M) / step_m).max(1.0) as usize;
    let at = |step: usize| NEAR_M + step as f64 * step_m;
    let top = sight.top_deg.clamp(-89.0, 89.0).to_radians();
    let mut weights = vec![0.0; steps + 1];
    let mut fits = false;
    for ray in 0..RAYS {
        let across = f64::from(ray) / f64::from(RAYS - 1) * 2.0 - 1.0;
        let azimuth_deg = sight.azimuth_deg + across * sight.half_width_deg;
        let mut skyline = f64::NEG_INFINITY;
        for (step, weight) in weights.iter_mut().enumerate() {
            let range_m = at(step);
            let error =
                sight.elevation_error_deg.to_radians().hypot((ground_error_m / range_m).atan());
            let off = |skyline: f64| (skyline - sight.elevation_deg.to_radians()) / error;
            let Some(ground_m) = ground(azimuth_deg, range_m) else {
                // Ground beyond could still be seen along this line, and it is unknown.
                if off(skyline) < 1.0 {
                    return None;
                }
                break;
            };
            let seen_from_eye =
                |height_m: f64| ((height_m - eye_m - drop_m(range_m)) / range_m).atan();
            skyline = skyline.max(seen_from_eye(ground_m));
            let off = off(skyline);
            // Nothing behind this skyline can lie on the line of sight.
            if off > 2.5 {
                break;
            }
            let over_ground_m = |slope: f64| eye_m + range_m * slope + drop_m(range_m) - ground_m;
            let hidden_m = over_ground_m(skyline.tan());
            let plume_m = over_ground_m(top.tan()).max(hidden_m + SEEN_MIN_M);
            let shows = (1.0 - hidden_m / plume_m) * (2.0 - plume_m / PLUME_M).clamp(0.0, 1.0);
            let made_out = (2.0 - range_m / seen_m).clamp(0.0, 1.0);
            fits |= off.abs() <= 1.0 && shows > 0.0;
            *weight += (-0.5 * (off * NINE_IN_TEN).powi(2)).exp() * shows * made_out;
        }
    }
    if !fits {
        return None;
    }
    // One step more at each end: between two samples the ground is a guess.
    let near_m = (quantile_m(&weights, NEAR_M, step_m, 0.03)? - step_m).max(NEAR_M);
    let far_m = quantile_m(&weights, NEAR_M, step_m, 0.97)? + step_m;
    let measured = (far_m <= RATIO_MAX * near_m).then_some([near_m, far_m]);
    if measured.is_none() {
        // Without a range, nothing is claimed about ranges beyond the camera's sight.
        weights.truncate(((seen_m - NEAR_M) / step_m) as usize + 1);
    }
    Some(Range { measured, profile: RangeProfile::new(&weights, NEAR_M, step_m)? })
}
