//! Pure: how far off a fire is whose smoke begins at a line of sight, with the doubt of that line.
//!
//! A camera sees the lower edge of the smoke. Where nothing hides the fire, that is the fire's own ground; where a ridge does,
//! the edge is the ridge's and the fire stands behind it. Both are one thing: the edge lies on the *skyline so far*, the highest
//! ground between the camera and the fire, seen from the camera. So every range along the bearing is weighed by how well its
//! skyline fits the edge, by how much of the plume shows there, and by whether a plume rises as high as its top would be there.
//! The range holds all but 3 % of that weight at either end: with the direction, which holds 95 %, nine times in ten.

use super::{SIGHT_MAX_M, Terrain, drop_m};
use crate::triage::geo::LatLon;
use crate::triage::profile::{RangeProfile, quantile_m};

/// Nearer than this nothing is reported as forest smoke, and ground this near under a mast is not on any picture of the
/// forest: a sample of the model that is too high there shall not hide the county.
pub const NEAR_M: f64 = 200.0;
/// A plume that a tower's camera has confirmed rises above its fire by up to 400 m, and ever more seldom to twice
/// that: smoke rises some metres a second and is confirmed after one to ten minutes; what is thinned out or bent away higher up
/// shows no column. Judged, not measured. Below, no size of plume is likelier than half or twice it.
const PLUME_M: f64 = 400.0;
/// How far the model may be wrong about the ground against the eye, nine times in ten: 10 m, the relative error that SRTM was
/// specified to (90 %, Rodriguez et al. 2006 measured 6 to 10 m); Copernicus GLO-30 is better.
const TERRAIN_ERROR_M: f64 = 10.0;
/// And ground that the office calls flat: dikes, banks and terraces, 2 m.
const FLAT_ERROR_M: f64 = 2.0;
/// Standard deviations that hold 90 % of a normal error.
const NINE_IN_TEN: f64 = 1.645;
/// Rays over the width of the bearing: their distance at 8 km is 70 m for ±2°, about two samples of a 30 m model.
const RAYS: u32 = 9;
/// An interval whose far end is more than three times its near end says nothing: its middle is off by half its own distance,
/// more than a village.
const RATIO_MAX: f64 = 3.0;
/// Less of a plume than this is no smoke on a picture, metres.
const SEEN_MIN_M: f64 = 5.0;
/// Steps on flat ground, metres.
const FLAT_STEP_M: f64 = 10.0;

/// A line of sight to the lower edge of smoke, with its doubt: each error is the half width that holds nine times in ten.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sight {
    pub azimuth_deg: f64,
    /// To each side, the box's own width within.
    pub half_width_deg: f64,
    /// Of the smoke's lower edge, above the horizontal.
    pub elevation_deg: f64,
    pub elevation_error_deg: f64,
    /// Of the smoke's upper edge.
    pub top_deg: f64,
    /// Lens above the ground.
    pub height_m: f64,
    /// How far smoke can be made out: up to here all ranges are equally likely, then ever less so, and nothing is at twice it.
    pub range_m: f64,
}

/// How far off the fire is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// Nine times in ten it is between these two; `None` where they would lie so far apart that they say nothing.
    pub measured: Option<[f64; 2]>,
    pub profile: RangeProfile,
}

impl Terrain {
    /// `None` when the line of sight meets no ground or leaves the ground that is known.
    pub fn range(&self, apex: LatLon, sight: &Sight) -> Option<Range> {
        let eye_m = self.elevation_m(apex)? + sight.height_m;
        let ground = |azimuth_deg: f64, range_m: f64| self.elevation_m(apex.destination(azimuth_deg, range_m));
        range(ground, eye_m, TERRAIN_ERROR_M, self.step_m(apex), sight)
    }
}

/// The same over ground that is known to be flat.
pub fn flat_range(sight: &Sight) -> Option<Range> {
    range(|_, _| Some(0.0), sight.height_m, FLAT_ERROR_M, FLAT_STEP_M, sight)
}

fn range(
    ground: impl Fn(f64, f64) -> Option<f64>,
    eye_m: f64,
    ground_error_m: f64,
    step_m: f64,
    sight: &Sight,
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
            let error = sight.elevation_error_deg.to_radians().hypot((ground_error_m / range_m).atan());
            let off = |skyline: f64| (skyline - sight.elevation_deg.to_radians()) / error;
            let Some(ground_m) = ground(azimuth_deg, range_m) else {
                // What lies beyond could still be seen along this line, and nobody knows what it is.
                if off(skyline) < 1.0 {
                    return None;
                }
                break;
            };
            let seen_from_eye = |height_m: f64| ((height_m - eye_m - drop_m(range_m)) / range_m).atan();
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
    // One step to each side: between two samples the ground is a guess.
    let near_m = (quantile_m(&weights, NEAR_M, step_m, 0.03)? - step_m).max(NEAR_M);
    let far_m = quantile_m(&weights, NEAR_M, step_m, 0.97)? + step_m;
    let measured = (far_m <= RATIO_MAX * near_m).then_some([near_m, far_m]);
    if measured.is_none() {
        // Without a range nothing is said of what lies farther than the camera sees.
        weights.truncate(((seen_m - NEAR_M) / step_m) as usize + 1);
    }
    Some(Range { measured, profile: RangeProfile::new(&weights, NEAR_M, step_m)? })
}
