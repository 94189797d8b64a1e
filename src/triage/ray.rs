//! Pure: a camera's direction as a ray on the plane: what it meets, and where two rays cross.
//!
//! Everything here is cheap (no great circles), because every new bearing is compared with every
//! open one.

pub use super::geo::Ray;
use super::geo::{EARTH_RADIUS_M, LatLon, Locus, turn_deg};
use super::overlap::SAME_APEX_M;

/// Bearings that cross at less than 10° locate hardly better than one bearing: the error along them
/// grows with 1/sin.
pub const CROSSING_MIN_DEG: f64 = 10.0;
/// One sigma of a camera's direction: 1° (mast sway, preset repeatability, compass reading). The
/// half width of every sector is half its box plus this.
const POINTING_SIGMA_DEG: f64 = 1.0;

impl Ray {
    pub fn of(locus: &Locus) -> Option<Self> {
        match *locus {
            Locus::Sector(ray) => Some(Self { far_m: ray.far_m.max(ray.near_m), ..ray }),
            Locus::Disc { .. } | Locus::Pixel { .. } | Locus::Unaimed { .. } => None,
        }
    }

    /// Two cameras on one mast see one fire in one direction; their bearings cross nowhere useful.
    pub fn same_mast(&self, other: &Self) -> bool {
        let (own, its) = (self.apex, other.apex);
        // Most masts are neither the same nor near, which two comparisons show. A degree of
        // latitude is never shorter than 110 km.
        if own == its || (own.lat_deg() - its.lat_deg()).abs() > SAME_APEX_M / 110_000.0 {
            return own == its;
        }
        let [east_m, north_m] = plane(own, its);
        east_m.hypot(north_m) <= SAME_APEX_M
    }

    /// The angle to another bearing of the same mast, in units of both half widths; up to 1 they
    /// may be one smoke.
    pub fn turned(&self, other: &Self) -> f64 {
        turn_deg(self.azimuth_deg, other.azimuth_deg)
            / (self.half_width_deg + other.half_width_deg).max(0.1)
    }

    /// One sigma of the direction to the fire, degrees: the fire lies anywhere in the box
    /// (uniform), and the camera points 1° off.
    pub fn sigma_deg(&self) -> f64 {
        let box_half_deg = (self.half_width_deg - POINTING_SIGMA_DEG).max(0.0);
        (box_half_deg.powi(2) / 3.0 + self.half_width_deg.clamp(0.05, POINTING_SIGMA_DEG).powi(2))
            .sqrt()
    }

    /// The point on the middle line of the ray at a range.
    pub fn at(&self, range_m: f64) -> LatLon {
        self.apex.destination(self.azimuth_deg, range_m)
    }

    /// Distance from the nearest point of the sector, metres; 0 inside. Beyond twice `far_m` plus 1
    /// km it is only a lower bound, which costs next to nothing.
    pub fn distance_m(&self, at: LatLon) -> f64 {
        let (along_m, off_m) = self.along_and_off(at);
        let range_m = along_m.hypot(off_m);
        if range_m > 2.0 * self.far_m + 1000.0 {
            return range_m - self.far_m;
        }
        let outside = off_m.abs().atan2(along_m) - self.half_width_deg.to_radians();
        if outside <= 0.0 {
            return (self.near_m - range_m).max(range_m - self.far_m).max(0.0);
        }
        // Beside the wedge the nearest point lies on the nearer straight edge.
        let (sin, cos) = outside.sin_cos();
        let edge_m = range_m * cos;
        (edge_m - edge_m.clamp(self.near_m, self.far_m)).hypot(range_m * sin)
    }

    /// Metres along the middle line of the ray, and to its right.
    pub fn along_and_off(&self, at: LatLon) -> (f64, f64) {
        let [east_m, north_m] = plane(self.apex, at);
        let (sin, cos) = self.azimuth_deg.to_radians().sin_cos();
        (east_m * sin + north_m * cos, east_m * cos - north_m * sin)
    }

    /// Within its ranges, and within 2.5 standard deviations of its direction.
    pub fn is_near(&self, at: LatLon) -> bool {
        let (along_m, off_m) = self.along_and_off(at);
        let range_m = along_m.hypot(off_m);
        let off = off_m.abs().atan2(along_m).to_degrees() / self.sigma_deg();
        off <= 2.5 && (self.near_m..=self.far_m).contains(&range_m)
    }

    /// Likelihood of the fire per square metre at a place, up to a factor that is the same
    /// everywhere.
    pub fn likelihood(&self, at: LatLon) -> f64 {
        let range_m = plane_m(self.apex, at).max(1.0);
        self.range_density(at) / range_m * self.direction(at)
    }

    /// How well a place fits the direction: 1 on the middle line.
    pub fn direction(&self, at: LatLon) -> f64 {
        let (along_m, off_m) = self.along_and_off(at);
        let off = off_m.atan2(along_m).to_degrees() / self.sigma_deg();
        (-0.5 * off.powi(2)).exp()
    }

    /// Probability per metre at the range of a place: the profile's; without one, uniform from near
    /// to far.
    pub fn range_density(&self, at: LatLon) -> f64 {
        let range_m = plane_m(self.apex, at);
        match self.profile {
            Some(profile) => profile.density(range_m),
            None if (self.near_m..=self.far_m).contains(&range_m) => {
                1.0 / (self.far_m - self.near_m).max(1.0)
            }
            None => 0.0,
        }
    }

    /// The angle at which two lines of sight meet, 0..=90.
    pub fn crossing_deg(&self, other: &Self) -> f64 {
        let turn = turn_deg(self.azimuth_deg, other.azimuth_deg);
        turn.min(180.0 - turn)
    }

    /// Where the middle lines cross: within both ranges, and at 10° or more ([`CROSSING_MIN_DEG`]).
    pub fn crossing(&self, other: &Self) -> Option<LatLon> {
        if self.crossing_deg(other) < CROSSING_MIN_DEG {
            return None;
        }
        let [east_m, north_m] = plane(self.apex, other.apex);
        let (sin, cos) = self.azimuth_deg.to_radians().sin_cos();
        let (other_sin, other_cos) = other.azimuth_deg.to_radians().sin_cos();
        let determinant = sin * other_cos - cos * other_sin;
        let along_m = (east_m * other_cos - north_m * other_sin) / determinant;
        let other_along_m = (east_m * cos - north_m * sin) / determinant;
        let within = |ray: &Self, range_m: f64| range_m >= ray.near_m && range_m <= ray.far_m;
        (within(self, along_m) && within(other, other_along_m))
            .then(|| unplane(self.apex, [along_m * sin, along_m * cos]))
            .flatten()
    }
}

/// Metres east and north of the origin. Scaled at the middle latitude: within 5 m at 10 km.
pub fn plane(origin: LatLon, at: LatLon) -> [f64; 2] {
    let middle = ((origin.lat_deg() + at.lat_deg()) / 2.0).to_radians();
    let turn_deg = (at.lon_deg() - origin.lon_deg() + 540.0).rem_euclid(360.0) - 180.0;
    [
        turn_deg.to_radians() * middle.cos() * EARTH_RADIUS_M,
        (at.lat_deg() - origin.lat_deg()).to_radians() * EARTH_RADIUS_M,
    ]
}

fn plane_m(from: LatLon, to: LatLon) -> f64 {
    let [east_m, north_m] = plane(from, to);
    east_m.hypot(north_m)
}

/// The inverse of [`plane`]; `None` beyond a pole.
pub fn unplane(origin: LatLon, [east_m, north_m]: [f64; 2]) -> Option<LatLon> {
    let lat_deg = origin.lat_deg() + (north_m / EARTH_RADIUS_M).to_degrees();
    let middle = ((origin.lat_deg() + lat_deg) / 2.0).to_radians();
    let lon_deg = origin.lon_deg() + (east_m / (EARTH_RADIUS_M * middle.cos())).to_degrees();
    LatLon::new(lat_deg, (lon_deg + 540.0).rem_euclid(360.0) - 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::geo::RangeBasis;
    use crate::triage::kit::place_m;
    use crate::triage::overlap;
    use proptest::prelude::*;

    fn ray(east_m: f64, north_m: f64, azimuth_deg: f64, half_width_deg: f64) -> Ray {
        let (near_m, far_m, range) = (200.0, 10_000.0, RangeBasis::Unknown);
        Ray {
            apex: place_m(east_m, north_m),
            azimuth_deg,
            half_width_deg,
            near_m,
            far_m,
            range,
            profile: None,
        }
    }

    #[test]
    fn where_two_lines_of_sight_cross() {
        let west = ray(-4000.0, 0.0, 90.0, 2.0);
        let crossing = west.crossing(&ray(500.0, -5000.0, 0.0, 2.0)).expect("they cross");
        assert!(crossing.distance_m(place_m(500.0, 0.0)) < 5.0);
        assert_eq!(west.crossing(&ray(500.0, -5000.0, 180.0, 2.0)), None, "looking away");
        assert_eq!(west.crossing(&ray(500.0, -5000.0, 81.0, 2.0)), None, "too flat");
        assert_eq!(west.crossing(&ray(7000.0, -5000.0, 0.0, 2.0)), None, "beyond its far end");
    }

    #[test]
    fn a_box_of_no_width_leaves_the_pointing_error() {
        for (half_width_deg, sigma_deg) in [(1.0, 1.0), (2.0, 1.155), (4.0, 2.0), (0.5, 0.5)] {
            assert!(
                (ray(0.0, 0.0, 0.0, half_width_deg).sigma_deg() - sigma_deg).abs() < 1e-3,
                "{half_width_deg}"
            );
        }
    }

    proptest! {
        /// The plane agrees with the sphere to 20 m at 20 km.
        #[test]
        fn as_far_as_on_the_sphere(
            azimuth_deg in 0.0..360.0, half in 0.0..180.0, east_m in -15_000.0..15_000.0, north_m in -15_000.0..15_000.0,
        ) {
            let ray = ray(0.0, 0.0, azimuth_deg, half);
            let locus = Locus::Sector(ray);
            let at = place_m(east_m, north_m);
            prop_assume!(ray.apex.distance_m(at) > 50.0);
            let (flat_m, round_m) = (ray.distance_m(at), overlap::distance_m(&locus, at));
            if ray.apex.distance_m(at) > 2.0 * ray.far_m {
                prop_assert!(flat_m > ray.far_m && flat_m < round_m + 20.0, "{flat_m} {round_m}");
                return Ok(());
            }
            prop_assert!((flat_m - round_m).abs() < 20.0, "{flat_m} {round_m}");
        }

        #[test]
        fn there_and_back(east_m in -50_000.0..50_000.0, north_m in -50_000.0..50_000.0) {
            let origin = place_m(0.0, 0.0);
            let at = unplane(origin, [east_m, north_m]).expect("a place");
            let back = plane(origin, at);
            prop_assert!((back[0] - east_m).hypot(back[1] - north_m) < 1e-3);
        }
    }
}
