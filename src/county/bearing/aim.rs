//! Pure: the direction of a camera from points of its picture whose places are known: a tower, a
//! bridge, a bend of the road, read off a map.

use super::{FIELD_ERROR, Lens, PANORAMA_FROM_DEG};
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
/// Farther places are wrong coordinates: no camera of the register sees farther.
const FAR_M: f64 = 50_000.0;
/// Two points must be this far apart, as a share of the picture's width, to show its field of view.
const APART: f64 = 0.2;
/// Widths of lenses that are tried, each wider than the last by this factor.
const FIELDS_DEG: (f64, f64) = (1.0, PANORAMA_FROM_DEG - 1.0);
const FIELD_FACTOR: f64 = 1.002;
/// Three and more points may miss their places by this share of the field of view and this angle.
const MISS: (f64, f64) = (0.03, 0.5);
/// A tilt that nobody measured is at most about this. Estimated.
const TILT_UNKNOWN_DEG: f64 = 10.0;

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
    /// Azimuth from one point, or of a panorama, with the register's field of view; azimuth and
    /// field of view from two points and more. `aspect`: the picture's width divided by its height.
    ///
    /// # Errors
    /// No point, too many, one too near or too far, points that lie too close together to tell the
    /// field of view within 5 %, or that contradict each other: with the cure.
    pub fn aim(&self, aspect: f64, marks: &[Landmark]) -> Result<Aim, Words> {
        self.check(marks)?;
        let is_wide = marks.len() > 1 && self.field_of_view_deg < PANORAMA_FROM_DEG;
        if is_wide {
            self.check_order(marks)?;
        }
        let tilt_deg = self.tilt_deg.unwrap_or(0.0);
        let view = View { aspect: Lens::shape(aspect), tilt_deg };
        let best = |sights: &[Sight], view: View| {
            if is_wide { view.widest_fit(sights) } else { view.fit(self.field_of_view_deg, sights) }
        };
        let sights: Vec<Sight> = marks.iter().map(|mark| self.sight(mark)).collect();
        let fit = best(&sights, view);
        let is_at_an_end = is_wide
            && (fit.field_deg < FIELDS_DEG.0 * FIELD_FACTOR
                || fit.field_deg > FIELDS_DEG.1 / FIELD_FACTOR);
        if is_at_an_end || fit.worst_deg > MISS.0 * fit.field_deg + MISS.1 {
            return Err(contradiction());
        }
        // Each thing that may be off is put off by its error, one at a time.
        let mut others: Vec<Fit> = Vec::new();
        for at in 0..sights.len() {
            let mut moved = sights.clone();
            moved[at].azimuth_deg += (PLACE_ERROR_M / sights[at].away_m).atan().to_degrees();
            others.push(best(&moved, view));
            moved.clone_from(&sights);
            moved[at].x += PRESS_ERROR as f32;
            others.push(best(&moved, view));
        }
        if self.tilt_deg.is_none() {
            others.push(best(&sights, View { tilt_deg: -TILT_UNKNOWN_DEG, ..view }));
        }
        if !is_wide {
            others.push(view.fit(self.field_of_view_deg * (1.0 - FIELD_ERROR), &sights));
        }
        let off = |of: &dyn Fn(&Fit) -> f64| others.iter().map(|it| of(it).powi(2)).sum::<f64>();
        let error_deg = off(&|it| turned_deg(fit.azimuth_deg, it.azimuth_deg)).sqrt();
        let field_error_deg = off(&|it| it.field_deg - fit.field_deg).sqrt();
        if is_wide && field_error_deg > FIELD_ERROR * fit.field_deg {
            return Err(Words::new(
                "这些点还定不准视场角：请选更靠近画面左右两边、离摄像机更远的点。",
                "These points do not tell the field of view well enough: choose points nearer the \
                left and the right edge of the picture, and farther from the camera.",
            ));
        }
        Ok(Aim {
            azimuth_deg: fit.azimuth_deg,
            azimuth_error_deg: error_deg.hypot(fit.worst_deg),
            field_of_view_deg: fit.field_deg,
        })
    }

    fn check(&self, marks: &[Landmark]) -> Result<(), Words> {
        if marks.is_empty() || marks.len() > LANDMARKS_MAX {
            return Err(Words::new(
                format!("请在画面上点 1 到 {LANDMARKS_MAX} 个已知位置的点。"),
                format!("Give 1 to {LANDMARKS_MAX} points of known place."),
            ));
        }
        for away_m in marks.iter().map(|it| self.at.distance_m(it.at)) {
            if away_m < NEAR_M {
                return Err(Words::new(
                    format!("参照点离摄像机只有 {away_m:.0} 米，请选 {NEAR_M:.0} 米以外的点。"),
                    format!(
                        "A point is only {away_m:.0} m from the camera: choose points farther than \
                        {NEAR_M:.0} m."
                    ),
                ));
            }
            if away_m > FAR_M {
                let km = away_m / 1000.0;
                return Err(Words::new(
                    format!("参照点离摄像机 {km:.0} 公里：请核对它和摄像机的坐标。"),
                    format!("A point is {km:.0} km from the camera: check both coordinates."),
                ));
            }
        }
        Ok(())
    }

    /// From left to right in the picture, directions turn clockwise.
    fn check_order(&self, marks: &[Landmark]) -> Result<(), Words> {
        let mut marks = marks.to_vec();
        marks.sort_by(|a, b| a.x.total_cmp(&b.x));
        let (Some(left), Some(right)) = (marks.first(), marks.last()) else { return Ok(()) };
        // Beyond the outermost points a direction is a guess, and so is the picture's centre.
        let is_around = left.x <= 0.5 && right.x >= 0.5;
        if !is_around || f64::from(right.x - left.x) < APART {
            return Err(Words::new(
                "请在画面中线两侧各选一点，靠左、靠右，不要太近。",
                "Choose points on both sides of the picture's middle, near its left and its right \
                edge.",
            ));
        }
        let azimuths = marks.iter().map(|it| self.at.azimuth_deg(it.at)).collect::<Vec<_>>();
        let turns = azimuths.windows(2).all(|pair| turned_deg(pair[0], pair[1]) > 0.0);
        if turns { Ok(()) } else { Err(contradiction()) }
    }

    fn sight(&self, mark: &Landmark) -> Sight {
        let (azimuth_deg, away_m) = (self.at.azimuth_deg(mark.at), self.at.distance_m(mark.at));
        Sight { x: mark.x, y: mark.y, azimuth_deg, away_m }
    }
}

fn contradiction() -> Words {
    Words::new(
        "这些点互相矛盾：请核对各点的坐标、左右次序和摄像机的位置。",
        "These points contradict each other: check their coordinates, their order from left to \
        right, and the camera's place.",
    )
}

/// A point of the picture, and the direction in which its place lies.
#[derive(Clone, Copy)]
struct Sight {
    x: f32,
    y: f32,
    azimuth_deg: f64,
    away_m: f64,
}

/// What is known of the lens but its width.
#[derive(Clone, Copy)]
struct View {
    aspect: f64,
    tilt_deg: f64,
}

impl View {
    /// The width of lens, and its azimuth, that fit the points best.
    fn widest_fit(self, sights: &[Sight]) -> Fit {
        let fields =
            std::iter::successors(Some(FIELDS_DEG.0), |field_deg| Some(field_deg * FIELD_FACTOR));
        let fields = fields.take_while(|field_deg| *field_deg <= FIELDS_DEG.1);
        let fits = fields.map(|field_deg| self.fit(field_deg, sights));
        fits.min_by(|a, b| a.worst_deg.total_cmp(&b.worst_deg)).unwrap_or_default()
    }

    /// The azimuth with which a lens of this width fits the points best.
    fn fit(self, field_deg: f64, sights: &[Sight]) -> Fit {
        let lens = Lens { field_deg, aspect: self.aspect, tilt_deg: self.tilt_deg };
        let centre = |it: &Sight| it.azimuth_deg - lens.towards(it.x, it.y).azimuth_deg;
        let first = sights.first().map(centre).unwrap_or_default();
        let turns = sights.iter().map(|it| turned_deg(first, centre(it))).sum::<f64>();
        let azimuth_deg = normalise_deg(first + turns / sights.len().max(1) as f64);
        let off = |it: &Sight| turned_deg(azimuth_deg, centre(it)).abs();
        let worst_deg = sights.iter().map(off).fold(0.0, f64::max);
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
        /// Whatever a camera looks at, two known points tell where that is and how wide it looks,
        /// and how far off that may be: each place is read 25 m beside, each press 0.5 %.
        #[test]
        fn two_known_points_aim_a_camera(
            azimuth_deg in 0.0..360.0, field_of_view_deg in 5.0..110.0,
            left in 0.02f32..0.48, right in 0.52f32..0.98, away_m in 1_000.0..9_000.0,
            places in prop::array::uniform2(-25.0..25.0f64),
            presses in prop::array::uniform2(-0.005..0.005f32),
        ) {
            let truth = CameraEntry {
                azimuth_deg: Some(azimuth_deg), field_of_view_deg, tilt_deg: Some(0.0), ..camera()
            };
            prop_assume!(right - left > 0.22);
            let seen = |x: f32, away_m: f64, aside_m: f64, press: f32| {
                let there = mark(&truth, x, away_m);
                let azimuth_deg = truth.at.azimuth_deg(there.at) + 90.0;
                Landmark { x: x + press, at: there.at.destination(azimuth_deg, aside_m), ..there }
            };
            let marks = [
                seen(left, away_m, places[0], presses[0]),
                seen(right, away_m * 0.7, places[1], presses[1]),
            ];
            let unknown =
                CameraEntry { azimuth_deg: None, field_of_view_deg: 60.0, ..truth.clone() };
            // Points that do not tell it well enough are refused.
            let Ok(aim) = unknown.aim(16.0 / 9.0, &marks) else { return Ok(()) };
            let off_deg = turned_deg(azimuth_deg, aim.azimuth_deg).abs();
            // Four errors, all at their limits at once, are twice what they are in quadrature.
            prop_assert!(off_deg <= 2.2 * aim.azimuth_error_deg + 0.1, "{off_deg} {aim:?}");
            let wider = (aim.field_of_view_deg / field_of_view_deg - 1.0).abs();
            prop_assert!(wider < 0.12, "{aim:?}");
        }
    }

    #[test]
    fn points_at_the_edges_tell_it_well() {
        for field_of_view_deg in [10.0, 60.0, 100.0] {
            let truth = CameraEntry {
                azimuth_deg: Some(350.0),
                field_of_view_deg,
                tilt_deg: Some(0.0),
                ..camera()
            };
            let marks = [mark(&truth, 0.1, 8_000.0), mark(&truth, 0.9, 9_000.0)];
            let aim = truth.aim(16.0 / 9.0, &marks).expect("told");
            assert!(turned_deg(350.0, aim.azimuth_deg).abs() < 0.1, "{aim:?}");
            assert!((aim.field_of_view_deg / field_of_view_deg - 1.0).abs() < 0.01, "{aim:?}");
            assert!((0.05..1.2).contains(&aim.azimuth_error_deg), "{aim:?}");
        }
    }

    /// Every pixel of it covers the same angle; two points of it would fit a narrower lens, too.
    #[test]
    fn a_panorama_keeps_the_width_that_is_registered() {
        let truth = CameraEntry {
            azimuth_deg: Some(90.0),
            field_of_view_deg: 180.0,
            tilt_deg: Some(0.0),
            ..camera()
        };
        let marks = [mark(&truth, 0.3, 4_000.0), mark(&truth, 0.7, 4_000.0)];
        let aim = truth.aim(16.0 / 9.0, &marks).expect("aimed");
        assert!(turned_deg(90.0, aim.azimuth_deg).abs() < 0.1, "{aim:?}");
        assert_eq!(aim.field_of_view_deg, 180.0);
    }

    #[test]
    fn one_point_turns_a_camera_whose_lens_is_known() {
        let truth = CameraEntry { azimuth_deg: Some(350.0), tilt_deg: None, ..camera() };
        let unknown = CameraEntry { azimuth_deg: None, ..truth.clone() };
        let aim = unknown.aim(16.0 / 9.0, &[mark(&truth, 0.8, 2_000.0)]).expect("aimed");
        assert!(turned_deg(350.0, aim.azimuth_deg).abs() < 0.01, "{aim:?}");
        assert_eq!(aim.field_of_view_deg, truth.field_of_view_deg);
    }

    /// A narrow lens hides what is wrong with its points behind small angles.
    #[test]
    fn swapped_points_of_a_narrow_lens_are_refused() {
        let truth = CameraEntry {
            azimuth_deg: Some(90.0),
            field_of_view_deg: 10.0,
            tilt_deg: Some(0.0),
            ..camera()
        };
        let (left, right) = (mark(&truth, 0.3, 3_000.0), mark(&truth, 0.7, 3_000.0));
        let swapped = [Landmark { x: 0.7, ..left }, Landmark { x: 0.3, ..right }];
        assert!(truth.aim(16.0 / 9.0, &swapped).is_err_and(|it| it.zh.contains("左右次序")));
    }

    #[test]
    fn points_that_show_nothing_are_refused_with_the_cure() {
        let truth = CameraEntry { azimuth_deg: Some(90.0), tilt_deg: None, ..camera() };
        let far = |x| mark(&truth, x, 3_000.0);
        let swapped = [Landmark { x: 0.1, ..far(0.9) }, Landmark { x: 0.9, ..far(0.1) }];
        for (marks, cure) in [
            (vec![], "点 1 到 8 个"),
            (vec![mark(&truth, 0.5, 100.0)], "请选 300 米以外"),
            (vec![far(0.5), far(0.55)], "中线两侧各选一点"),
            (vec![far(0.7), far(0.95)], "中线两侧各选一点"),
            (swapped.to_vec(), "左右次序"),
            (vec![far(0.2), Landmark { x: 0.8, ..far(0.2) }], "左右次序"),
            (vec![mark(&truth, 0.5, 80_000.0)], "核对"),
            (vec![mark(&truth, 0.4, 400.0), mark(&truth, 0.61, 400.0)], "定不准视场角"),
        ] {
            let said = truth.aim(16.0 / 9.0, &marks).expect_err(cure).zh;
            assert!(said.contains(cure), "{said}");
        }
    }
}
