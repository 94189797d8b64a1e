//! Pure: one raster of elevations.

use crate::triage::geo::LatLon;
use std::fmt;

/// Elevations are stored in half metres, two bytes each: finer than the error of any model, and
/// half the size of `f32`.
const PER_METRE: f64 = 2.0;
const NO_DATA: i16 = i16::MIN;
/// Between samples of which some are unknown, the known ones must have at least this share of the
/// weight.
const KNOWN_MIN: f64 = 0.5;

/// Rows run north to south, columns west to east; each value is the ground's height at a point.
#[derive(Clone, PartialEq)]
pub struct Raster {
    north_deg: f64,
    west_deg: f64,
    step_lat_deg: f64,
    step_lon_deg: f64,
    rows: usize,
    columns: usize,
    half_metres: Vec<i16>,
}

impl fmt::Debug for Raster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Raster({}x{} from {},{})",
            self.rows, self.columns, self.north_deg, self.west_deg
        )
    }
}

impl Raster {
    /// `first`: the place of the north-western sample. `step_deg`: from one row, and from one
    /// column, to the next. `heights`: the elevations row by row, metres; a value that is not
    /// finite or no height on earth is unknown. `None` unless these are at least two rows and
    /// columns, all on the earth.
    pub fn new(
        first: LatLon,
        step_deg: (f64, f64),
        size: (usize, usize),
        heights: impl IntoIterator<Item = f32>,
    ) -> Option<Self> {
        let ((step_lat_deg, step_lon_deg), (rows, columns)) = (step_deg, size);
        let half_metres: Vec<i16> = heights.into_iter().map(kept).collect();
        let is_step = |step: f64| step.is_finite() && step > 0.0 && step <= 1.0;
        let is_raster =
            rows >= 2 && columns >= 2 && rows.checked_mul(columns) == Some(half_metres.len());
        if !is_step(step_lat_deg) || !is_step(step_lon_deg) || !is_raster {
            return None;
        }
        let raster = Self {
            north_deg: first.lat_deg(),
            west_deg: first.lon_deg(),
            step_lat_deg,
            step_lon_deg,
            rows,
            columns,
            half_metres,
        };
        let south_deg = raster.north_deg - (rows - 1) as f64 * step_lat_deg;
        let east_deg = raster.west_deg + (columns - 1) as f64 * step_lon_deg;
        LatLon::new(south_deg, east_deg).map(|_| raster)
    }

    pub fn samples(&self) -> usize {
        self.half_metres.len()
    }

    /// Distance between samples, degrees: the smaller of both.
    pub fn step_deg(&self) -> f64 {
        self.step_lat_deg.min(self.step_lon_deg)
    }

    /// `beyond`: number of steps outside the outermost samples for which the edge is still used.
    pub(super) fn elevation_m(&self, at: LatLon, beyond: f64) -> Option<f64> {
        let row = (self.north_deg - at.lat_deg()) / self.step_lat_deg;
        let column = (at.lon_deg() - self.west_deg) / self.step_lon_deg;
        // A place that was computed to lie on the edge may lie slightly outside.
        let (top, left) =
            (within(row, self.rows, beyond + 1e-6)?, within(column, self.columns, beyond + 1e-6)?);
        let (down, right) = (top.fract(), left.fract());
        let (top, left) = (top as usize, left as usize);
        let corners = [
            (top, left, (1.0 - down) * (1.0 - right)),
            (top, left + 1, (1.0 - down) * right),
            (top + 1, left, down * (1.0 - right)),
            (top + 1, left + 1, down * right),
        ];
        let (mut sum, mut known) = (0.0, 0.0);
        for (row, column, weight) in corners {
            if weight > 0.0 && column < self.columns {
                let height =
                    self.half_metres.get(row * self.columns + column).copied().unwrap_or(NO_DATA);
                if height != NO_DATA {
                    sum += weight * f64::from(height);
                    known += weight;
                }
            }
        }
        (known >= KNOWN_MIN).then(|| sum / known / PER_METRE)
    }
}

/// An index that may lie between samples, clamped to the outermost if it lies a little outside.
fn within(index: f64, count: usize, beyond: f64) -> Option<f64> {
    let last = (count - 1) as f64;
    (index >= -beyond && index <= last + beyond).then(|| index.clamp(0.0, last))
}

/// From below the Dead Sea to above Everest; anything else is no height.
fn kept(height_m: f32) -> i16 {
    let is_height = (-500.0..=9000.0).contains(&height_m);
    if is_height { (f64::from(height_m) * PER_METRE).round() as i16 } else { NO_DATA }
}
