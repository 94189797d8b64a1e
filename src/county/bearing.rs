//! Pure: from a box in a camera's picture to the direction of the fire and, where the ground is
//! known, its range. Nothing unknown is made up: a camera that has turned, or was never surveyed,
//! gives no bearing.

pub(crate) mod aim;

use super::{CameraEntry, County};
use crate::triage::detection::BoundingBox;
use crate::triage::geo::{Locus, RangeBasis, Ray, normalise_deg};
use crate::triage::id::{CameraId, PoseId};
use crate::triage::terrain::{LineOfSight, NEAR_M, Range, Terrain, flat_range};

/// 90 % error of a surveyed azimuth to each side, used where the register gives none: 1°. A hand
/// compass beside a steel mast reads to 1°, a preset returns to 0.1–0.3°, and a mast sways by as
/// much. Estimated, not measured.
pub(super) const AZIMUTH_ERROR_DEG: f64 = 1.0;
/// The same for a tilt: 0.5°. A phone's inclinometer reads to 0.2°, a preset returns to 0.1–0.3°,
/// and a mast sways by as much. Estimated, not measured.
const TILT_ERROR_DEG: f64 = 0.5;
/// Relative error of a field of view: 5 %. Data sheets round it, give the diagonal for the width,
/// and include a lens's distortion. A dome's zoom returns to a few per cent. Estimated, not
/// measured.
const FIELD_ERROR: f64 = 0.05;
/// Error of the lower edge of a box, as a share of the box's height, …
const EDGE_ERROR_OF_BOX: f32 = 0.1;
/// … plus a share of the picture's height: a cell of 8 rows, for a network that sees 384, up or
/// down.
const EDGE_ERROR_OF_PICTURE: f32 = 0.01;
/// From here on the box is cut off by the picture's edge: the smoke begins somewhere below it.
const CUT_OFF: f32 = 0.99;
/// Wider pictures come from fisheyes or are stitched from several. In them every pixel covers the
/// same angle.
const PANORAMA_FROM_DEG: f64 = 120.0;

/// What the office knows about the shape of the ground.
#[derive(Clone, Copy, Debug)]
pub enum Ground<'a> {
    Unknown,
    /// county.toml declares it flat. In mountains a range over flat ground would be wrong by
    /// kilometres.
    Flat,
    Terrain(&'a Terrain),
}

/// Smoke in one picture of a camera.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SmokeInView<'a> {
    pub bbox: &'a BoundingBox,
    /// The picture's width divided by its height.
    pub aspect: f64,
    /// The camera's health reports that it has turned.
    pub has_moved: bool,
}

impl County {
    /// A terrain model overrides the word "flat".
    pub fn ground(&self) -> Ground<'_> {
        match &self.terrain {
            Some(terrain) => Ground::Terrain(terrain),
            None if self.is_flat => Ground::Flat,
            None => Ground::Unknown,
        }
    }

    /// The register's row of this pose.
    pub fn pose(&self, camera: &CameraId, pose: &PoseId) -> Option<&CameraEntry> {
        self.cameras.iter().find(|entry| entry.id == *camera && entry.pose == *pose)
    }

    /// Where a look points. For a pose without a row of its own the direction is unknown. `None`
    /// when the register does not have the camera at all.
    pub fn bearing(
        &self,
        camera: &CameraId,
        pose: &PoseId,
        look: SmokeInView<'_>,
    ) -> Option<Locus> {
        match self.pose(camera, pose) {
            Some(entry) => Some(entry.locus(look, self.ground())),
            None => self.camera(camera).map(CameraEntry::unaimed),
        }
    }
}

impl CameraEntry {
    /// The direction of a box, with the errors of azimuth and field of view, and the range of its
    /// lower edge on the ground, with the errors of tilt and field of view.
    pub fn locus(&self, look: SmokeInView<'_>, ground: Ground<'_>) -> Locus {
        let Some(azimuth_deg) = self.azimuth_deg.filter(|_| !look.has_moved) else {
            return self.unaimed();
        };
        let lens = self.lens(look.aspect);
        let (left, right) = (look.bbox.x, look.bbox.x + look.bbox.w);
        let (middle, bottom) = (look.bbox.centre_x(), look.bbox.y + look.bbox.h);
        let [west, east] = [left, right].map(|x| lens.towards(x, bottom).azimuth_deg);
        let east = if east < west { east + 360.0 } else { east };
        let edge = lens.towards(middle, bottom);
        let zoomed = Lens { field_deg: lens.field_deg * (1.0 - FIELD_ERROR), ..lens }
            .towards(middle, bottom);
        let field_error_deg = (zoomed.azimuth_deg - edge.azimuth_deg).abs();
        let azimuth_deg = normalise_deg(azimuth_deg + f64::midpoint(west, east));
        let half_width_deg =
            ((east - west) / 2.0 + self.azimuth_error_deg.hypot(field_error_deg)).min(180.0);
        let sight =
            self.tilt_deg.zip(self.height_m).filter(|_| bottom < CUT_OFF).map(|(_, height_m)| {
                let aside = EDGE_ERROR_OF_BOX * look.bbox.h + EDGE_ERROR_OF_PICTURE;
                let edge_error_deg =
                    edge.elevation_deg - lens.towards(middle, bottom + aside).elevation_deg;
                let field_error_deg = zoomed.elevation_deg - edge.elevation_deg;
                let shapes = Lens::shapes(look.aspect)
                    .map(|aspect| Lens { aspect, ..lens }.towards(middle, bottom));
                let [low, high] = [f64::min, f64::max].map(|which| {
                    shapes.iter().map(|it| it.elevation_deg).fold(edge.elevation_deg, which)
                });
                let top_deg = lens.towards(middle, look.bbox.y).elevation_deg;
                LineOfSight {
                    azimuth_deg,
                    half_width_deg,
                    elevation_deg: f64::midpoint(low, high),
                    elevation_error_deg: TILT_ERROR_DEG
                        .hypot(edge_error_deg)
                        .hypot(field_error_deg)
                        + (high - low) / 2.0,
                    top_deg,
                    height_m,
                    range_m: self.range_m,
                }
            });
        let (range, basis) = match (ground, sight) {
            (Ground::Terrain(terrain), Some(sight)) => {
                (terrain.range(self.at, &sight), RangeBasis::Terrain)
            }
            (Ground::Flat, Some(sight)) => (flat_range(&sight), RangeBasis::FlatGround),
            (Ground::Unknown, _) | (_, None) => (None, RangeBasis::Unknown),
        };
        self.sector(azimuth_deg, half_width_deg, range.map(|range| (range, basis)))
    }

    /// The camera's direction is unknown: the fire is somewhere within its range.
    pub fn unaimed(&self) -> Locus {
        Locus::Unaimed { apex: self.at, far_m: self.range_m }
    }

    /// Everything that this pose can see smoke in.
    pub fn view(&self) -> Locus {
        match self.azimuth_deg {
            Some(azimuth_deg) => self.sector(
                azimuth_deg,
                self.field_of_view_deg / 2.0 + self.azimuth_error_deg,
                None,
            ),
            None => self.unaimed(),
        }
    }

    fn sector(
        &self,
        azimuth_deg: f64,
        half_width_deg: f64,
        known: Option<(Range, RangeBasis)>,
    ) -> Locus {
        let measured = known.and_then(|(range, basis)| Some((range.measured?, basis)));
        let unknown = ([NEAR_M.min(self.range_m), self.range_m], RangeBasis::Unknown);
        let ([near_m, far_m], range) = measured.unwrap_or(unknown);
        let profile = known.map(|(range, _)| range.profile);
        Locus::Sector(Ray {
            apex: self.at,
            azimuth_deg,
            half_width_deg,
            near_m,
            far_m,
            range,
            profile,
        })
    }

    fn lens(&self, aspect: f64) -> Lens {
        let tilt_deg = self.tilt_deg.unwrap_or(0.0);
        Lens { field_deg: self.field_of_view_deg, aspect: Lens::shape(aspect), tilt_deg }
    }
}

/// Maps a pixel to angles.
#[derive(Clone, Copy, Debug)]
struct Lens {
    /// Horizontal field of view.
    field_deg: f64,
    /// Width divided by height of what the lens shows.
    aspect: f64,
    tilt_deg: f64,
}

/// Angles to the right of the picture's centre, and above the horizontal.
#[derive(Clone, Copy, Debug)]
struct Towards {
    azimuth_deg: f64,
    elevation_deg: f64,
}

impl Lens {
    /// A picture without a valid shape (which no decoder makes) is taken as 16:9.
    fn shape(aspect: f64) -> f64 {
        if aspect.is_finite() && (0.2..=20.0).contains(&aspect) { aspect } else { 16.0 / 9.0 }
    }

    /// The possible shapes of what the lens showed. D1 and CIF (704×576, 720×480, 352×288 …) are no
    /// sensor's shape: the picture was 4:3 or 16:9 before it was squeezed, and it does not show
    /// which.
    fn shapes(aspect: f64) -> [f64; 2] {
        let is_squeezed = (1.2..1.26).contains(&aspect) || (1.45..1.51).contains(&aspect);
        if is_squeezed { [4.0 / 3.0, 16.0 / 9.0] } else { [Self::shape(aspect); 2] }
    }

    /// `x` and `y`: shares of the picture from its top left corner.
    fn towards(&self, x: f32, y: f32) -> Towards {
        let (right, up) = (f64::from(x) - 0.5, 0.5 - f64::from(y));
        if self.field_deg >= PANORAMA_FROM_DEG {
            let azimuth_deg = right * self.field_deg;
            return Towards {
                azimuth_deg,
                elevation_deg: self.tilt_deg + up * self.field_deg / self.aspect,
            };
        }
        // Rectilinear: straight lines stay straight, so a pixel is a point on a plane in front of
        // the lens.
        let half = (self.field_deg / 2.0).to_radians().tan();
        let (right, up) = (2.0 * right * half, 2.0 * up * half / self.aspect);
        let (sin, cos) = self.tilt_deg.to_radians().sin_cos();
        let (ahead, above) = (cos - up * sin, sin + up * cos);
        Towards {
            azimuth_deg: right.atan2(ahead).to_degrees(),
            elevation_deg: above.atan2(ahead.hypot(right)).to_degrees(),
        }
    }
}

#[cfg(test)]
mod tests;
