//! Pure: the direction of a camera from points of its picture whose places are known: a tower, a
//! bridge, a bend of the road, read off a map.

use super::{Lens, PANORAMA_FROM_DEG};
use crate::county::CameraEntry;
use crate::lang::Words;
use crate::triage::geo::{LatLon, normalise_deg};

/// More points than this show nothing more.
const LANDMARKS_MAX: usize = 8;
/// A point read off a map or a phone is right to about 25 m. Estimated, not measured.
const PLACE_ERROR_M: f64 = 25.0;
/// A press meets its point to about half a hundredth of the picture's width. Estimated.
const PRESS_ERROR: f64 = 0.005;
/// Below this distance a map's error alone turns the picture by more than 5°.
const NEAR_M: f64 = 300.0;
/// Two points must be this far apart, as a share of the picture's width, to show its field of view.
const APART: f64 = 0.2;
/// Widths of lenses that are tried, and how finely.
const FIELDS_DEG: (f64, f64) = (2.0, PANORAMA_FROM_DEG - 1.0);
const FIELD_STEP_DEG: f64 = 0.1;
/// The points contradict each other beyond this.
const CONTRADICTION_DEG: f64 = 3.0;

/// A point of the picture, shares from its top left corner, and where it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Landmark {
    pub x: f32,
    pub y: f32,
    pub at: LatLon,
}

/// What the points say of a camera.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Aim {
    /// Of the picture's centre, clockwise from true north.
    pub azimuth_deg: f64,
    /// 90 % error to each side.
    pub azimuth_error_deg: f64,
    /// The register's, where one point was given.
    pub field_of_view_deg: f64,
}

impl CameraEntry {
    /// Azimuth from one point with the register's field of view, or azimuth and field of view from
    /// two and more. `aspect`: the picture's width divided by its height.
    ///
    /// # Errors
    /// No point, too many, one too near the camera, all close together, or points that contradict
    /// each other: with the cure.
    pub fn aim(&self, aspect: f64, marks: &[Landmark]) -> Result<Aim, Words> {
        if marks.is_empty() || marks.len() > LANDMARKS_MAX {
            return Err(Words::new(
                format!("请在画面上点 1 到 {LANDMARKS_MAX} 个已知位置的点。"),
                format!("Give 1 to {LANDMARKS_MAX} points of known place."),
            ));
        }
        let nearest_m =
            marks.iter().map(|it| self.at.distance_m(it.at)).fold(f64::INFINITY, f64::min);
        if nearest_m < NEAR_M {
            return Err(Words::new(
                format!("参照点离摄像机只有 {nearest_m:.0} 米，请选 {NEAR_M:.0} 米以外的点。"),
                format!(
                    "A point is only {nearest_m:.0} m from the camera: choose points farther than \
                    {NEAR_M:.0} m."
                ),
            ));
        }
        let fit = if marks.len() == 1 {
            self.fit(aspect, self.field_of_view_deg, marks)
        } else {
            let xs = marks.iter().map(|it| f64::from(it.x));
            let (left, right) = xs.fold((1.0, 0.0), |(l, r): (f64, f64), x| (l.min(x), r.max(x)));
            if right - left < APART {
                return Err(Words::new(
                    "这些点在画面上靠得太近：请选一个靠左、一个靠右的点。",
                    "These points are close together in the picture: choose one at the left and \
                    one at the right.",
                ));
            }
            let steps = ((FIELDS_DEG.1 - FIELDS_DEG.0) / FIELD_STEP_DEG) as u32;
            let fields = (0..=steps).map(|step| FIELDS_DEG.0 + f64::from(step) * FIELD_STEP_DEG);
            let fits = fields.map(|field_deg| self.fit(aspect, field_deg, marks));
            fits.min_by(|a, b| a.worst_deg.total_cmp(&b.worst_deg)).unwrap_or_default()
        };
        if fit.worst_deg > CONTRADICTION_DEG {
            return Err(Words::new(
                format!(
                    "这些点互相矛盾，相差 {:.0}°：请核对坐标、左右次序和摄像机位置。",
                    fit.worst_deg
                ),
                format!(
                    "These points contradict each other by {:.0}°: check their coordinates, their \
                    order from left to right, and the camera's place.",
                    fit.worst_deg
                ),
            ));
        }
        let map_deg = (PLACE_ERROR_M / nearest_m).atan().to_degrees();
        let press_deg = PRESS_ERROR * fit.field_deg;
        Ok(Aim {
            azimuth_deg: fit.azimuth_deg,
            azimuth_error_deg: map_deg.hypot(press_deg).hypot(fit.worst_deg),
            field_of_view_deg: fit.field_deg,
        })
    }

    /// The azimuth with which a lens of this width fits the points best.
    fn fit(&self, aspect: f64, field_deg: f64, marks: &[Landmark]) -> Fit {
        let tilt_deg = self.tilt_deg.unwrap_or(0.0);
        let lens = Lens { field_deg, aspect: Lens::shape(aspect), tilt_deg };
        let centres: Vec<f64> = marks
            .iter()
            .map(|it| {
                normalise_deg(self.at.azimuth_deg(it.at) - lens.towards(it.x, it.y).azimuth_deg)
            })
            .collect();
        let first = centres.first().copied().unwrap_or_default();
        let turns = centres.iter().map(|it| turned_deg(first, *it)).sum::<f64>();
        let azimuth_deg = normalise_deg(first + turns / centres.len().max(1) as f64);
        let worst_deg =
            centres.iter().map(|it| turned_deg(azimuth_deg, *it).abs()).fold(0.0, f64::max);
        Fit { azimuth_deg, field_deg, worst_deg }
    }
}

/// From one direction to another, clockwise is positive, -180..180.
fn turned_deg(from_deg: f64, to_deg: f64) -> f64 {
    normalise_deg(to_deg - from_deg + 180.0) - 180.0
}

#[derive(Clone, Copy, Default)]
struct Fit {
    azimuth_deg: f64,
    field_deg: f64,
    /// The farthest of the points from where it should be.
    worst_deg: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::camera::tests::camera;
    use proptest::prelude::*;

    fn mark(camera: &CameraEntry, x: f32, away_m: f64) -> Landmark {
        let lens = Lens { field_deg: camera.field_of_view_deg, aspect: 16.0 / 9.0, tilt_deg: 0.0 };
        let azimuth_deg = camera.azimuth_deg.unwrap_or_default() + lens.towards(x, 0.5).azimuth_deg;
        Landmark { x, y: 0.5, at: camera.at.destination(azimuth_deg, away_m) }
    }

    proptest! {
        /// Whatever a camera looks at, two known points tell where that is and how wide it looks.
        #[test]
        fn two_known_points_aim_a_camera(
            azimuth_deg in 0.0..360.0, field_of_view_deg in 5.0..110.0,
            left in 0.02f32..0.35, right in 0.6f32..0.98, away_m in 1_000.0..9_000.0,
        ) {
            let truth = CameraEntry {
                azimuth_deg: Some(azimuth_deg), field_of_view_deg, tilt_deg: None, ..camera()
            };
            let marks = [mark(&truth, left, away_m), mark(&truth, right, away_m * 0.7)];
            let unknown =
                CameraEntry { azimuth_deg: None, field_of_view_deg: 60.0, ..truth.clone() };
            let aim = unknown.aim(16.0 / 9.0, &marks).expect("aimed");
            let off_deg = turned_deg(azimuth_deg, aim.azimuth_deg).abs();
            prop_assert!(off_deg < 0.2, "{aim:?}");
            prop_assert!((aim.field_of_view_deg - field_of_view_deg).abs() < 0.5, "{aim:?}");
            prop_assert!(aim.azimuth_error_deg >= off_deg, "{aim:?}");
        }
    }

    #[test]
    fn one_point_turns_a_camera_whose_lens_is_known() {
        let truth = CameraEntry { azimuth_deg: Some(350.0), tilt_deg: None, ..camera() };
        let unknown = CameraEntry { azimuth_deg: None, ..truth.clone() };
        let aim = unknown.aim(16.0 / 9.0, &[mark(&truth, 0.8, 2_000.0)]).expect("aimed");
        assert!(turned_deg(350.0, aim.azimuth_deg).abs() < 0.01, "{aim:?}");
        assert_eq!(aim.field_of_view_deg, truth.field_of_view_deg);
    }

    #[test]
    fn points_that_show_nothing_are_refused_with_the_cure() {
        let truth = CameraEntry { azimuth_deg: Some(90.0), tilt_deg: None, ..camera() };
        let far = |x| mark(&truth, x, 3_000.0);
        let swapped = [Landmark { x: 0.1, ..far(0.9) }, Landmark { x: 0.9, ..far(0.1) }];
        for (marks, cure) in [
            (vec![], "点 1 到 8 个"),
            (vec![mark(&truth, 0.5, 100.0)], "请选 300 米以外"),
            (vec![far(0.5), far(0.55)], "一个靠左、一个靠右"),
            (swapped.to_vec(), "左右次序"),
        ] {
            let said = truth.aim(16.0 / 9.0, &marks).expect_err(cure).zh;
            assert!(said.contains(cure), "{said}");
        }
    }
}
