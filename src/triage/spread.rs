//! Pure: the shape of a fix's uncertainty, as sample points and as tests of a place.

use super::geo::{Fix, LatLon, Spread};
use super::ray::{Ray, plane};

/// The golden angle, radians: with this turn, points on a spiral fill a disc evenly (Vogel 1979).
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;
/// Steps of the additive recurrence that fills a square most evenly (Roberts 2018, R2 sequence).
const R2: [f64; 2] = [0.754_877_666_246_692_8, 0.569_840_290_998_053_2];

/// 90 % of a normal error in two directions lie within 2.146 standard deviations.
const SIGMAS_90_PLANE: f64 = 2.146;

/// Maps 0..=1 to -1..=1 with a triangular density, because the middle of a direction is likelier
/// than its edges. It is nearly a normal error cut at two standard deviations.
fn peaked(share: f64) -> f64 {
    if share < 0.5 { (2.0 * share).sqrt() - 1.0 } else { 1.0 - (2.0 * (1.0 - share)).sqrt() }
}

impl Fix {
    /// `count` evenly spread places that represent the uncertainty, always the same: an ellipse by
    /// its area, a sector by its angle and its range profile.
    pub fn sample(&self, count: usize) -> Vec<LatLon> {
        let share = |n: usize| (n as f64 + 0.5) / count as f64;
        let place = |n: usize| match self.spread() {
            Spread::Ellipse { along_m, across_m, azimuth_deg } => {
                let (radius, (sin, cos)) = (share(n).sqrt(), (n as f64 * GOLDEN_ANGLE).sin_cos());
                let (along_m, across_m) = (radius * cos * along_m, radius * sin * across_m);
                let turn_deg = across_m.atan2(along_m).to_degrees();
                self.centre.destination(azimuth_deg + turn_deg, along_m.hypot(across_m))
            }
            Spread::Sector(Ray {
                apex,
                azimuth_deg,
                half_width_deg,
                near_m,
                far_m,
                profile,
                ..
            }) => {
                let [turn, along] = R2.map(|step| (0.5 + n as f64 * step).fract());
                let range_m =
                    profile.map_or(near_m + (far_m - near_m) * along, |it| it.at_m(along));
                apex.destination(
                    azimuth_deg + half_width_deg * peaked(turn),
                    range_m.clamp(near_m, far_m),
                )
            }
        };
        (0..count).map(place).collect()
    }

    /// One camera's line of sight, if the fix is no more than that.
    pub fn ray(&self) -> Option<Ray> {
        match self.spread? {
            Spread::Sector(ray) => Some(ray),
            Spread::Ellipse { .. } => None,
        }
    }

    /// Within 2.5 standard deviations of the fix, and for a direction within its ranges.
    pub fn is_near(&self, at: LatLon) -> bool {
        match self.ray() {
            Some(ray) => ray.is_near(at),
            None => self.apart(at, 0.0) <= 2.5 / SIGMAS_90_PLANE,
        }
    }

    /// Likelihood of the fire per square metre at a place, up to a factor that is the same
    /// everywhere.
    pub fn likelihood(&self, at: LatLon) -> f64 {
        match self.ray() {
            Some(ray) => ray.likelihood(at),
            None => (-0.5 * (SIGMAS_90_PLANE * self.apart(at, 0.0)).powi(2)).exp(),
        }
    }

    /// Whether a place lies within the uncertainty.
    pub fn holds(&self, at: LatLon) -> bool {
        self.apart(at, 0.0) <= 1.0
    }

    /// Distance of a disc from the uncertainty: up to 1 they touch. For an ellipse in units of its
    /// half axes and the disc's radius; for a sector 0 or infinity.
    pub fn apart(&self, at: LatLon, reach_m: f64) -> f64 {
        match self.spread() {
            Spread::Ellipse { along_m, across_m, azimuth_deg } => {
                let ([east_m, north_m], (sin, cos)) =
                    (plane(self.centre, at), azimuth_deg.to_radians().sin_cos());
                let (along, across) = (east_m * sin + north_m * cos, east_m * cos - north_m * sin);
                (along / (along_m + reach_m).max(1.0)).hypot(across / (across_m + reach_m).max(1.0))
            }
            Spread::Sector(_) => {
                let Some(ray) = self.ray() else { return f64::INFINITY };
                if ray.distance_m(at) <= reach_m { 0.0 } else { f64::INFINITY }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::geo::{FixMethod, RangeBasis};
    use crate::triage::kit::place_m;
    use crate::triage::profile::RangeProfile;

    fn fix(spread: Spread) -> Fix {
        Fix {
            centre: place_m(0.0, 0.0),
            radius_m: 5000.0,
            method: FixMethod::Satellite,
            spread: Some(spread),
        }
    }

    #[test]
    fn samples_lie_in_the_doubt_and_balance() {
        let ellipse = fix(Spread::Ellipse { along_m: 3000.0, across_m: 400.0, azimuth_deg: 45.0 });
        let sector = fix(Spread::Sector(Ray {
            apex: place_m(0.0, -4000.0),
            azimuth_deg: 0.0,
            half_width_deg: 2.0,
            near_m: 3000.0,
            far_m: 5000.0,
            range: RangeBasis::Unknown,
            profile: None,
        }));
        for fix in [ellipse, sector] {
            let places = fix.sample(256);
            assert!(places.iter().all(|at| fix.apart(*at, 5.0) <= 1.0), "{fix:?}");
            let north = places.iter().filter(|at| at.lat_deg() > fix.centre.lat_deg()).count();
            let east = places.iter().filter(|at| at.lon_deg() > fix.centre.lon_deg()).count();
            assert!((118..=138).contains(&north) && (118..=138).contains(&east), "{north} {east}");
        }
        // Two slopes with a valley between them that the camera does not see into.
        let ray = sector.ray().expect("a direction");
        let mut slopes = [0.0; 20];
        slopes[..4].fill(1.0);
        slopes[16..].fill(3.0);
        let profile = RangeProfile::new(&slopes, 3050.0, 100.0);
        let (seen, apex) = (fix(Spread::Sector(Ray { profile, ..ray })), ray.apex);
        let ranges_m: Vec<f64> = seen.sample(256).iter().map(|at| at.distance_m(apex)).collect();
        let share = |from_m: f64, to_m: f64| {
            ranges_m.iter().filter(|it| (from_m..to_m).contains(*it)).count()
        };
        assert!(
            (57..=71).contains(&share(2990.0, 3410.0)),
            "a quarter on the near slope: {}",
            share(2990.0, 3410.0)
        );
        assert!(share(3410.0, 4590.0) <= 16, "next to nothing between: {}", share(3410.0, 4590.0));
        let [on_slope, in_valley] =
            [4800.0, 4000.0].map(|range_m| seen.likelihood(apex.destination(0.0, range_m)));
        assert!(on_slope > 5.0 * in_valley, "{on_slope} {in_valley}");
        assert!(ellipse.holds(place_m(2000.0, 2000.0)) && !ellipse.holds(place_m(2000.0, -2000.0)));
    }
}
