//! Pure: could two pieces of evidence mean the same place? Sectors are ring segments, discs are
//! discs.

use super::geo::{LatLon, Locus, Ray, normalise_deg, turn_deg};

/// Two cameras within 100 m are on one mast: they see one fire in one direction, and their bearings
/// cross nowhere useful.
pub const SAME_APEX_M: f64 = 100.0;

/// 0 = on each other, 1 = the uncertainties just touch, above 1 = apart. Never NaN for valid loci.
pub fn separation(a: &Locus, b: &Locus) -> f64 {
    match (Sector::of(a), Sector::of(b)) {
        (Some(a), Some(b)) => a.separation(&b),
        (Some(sector), None) => ratio(sector.distance_m(b.centre()), reach_m(b)),
        (None, Some(sector)) => ratio(sector.distance_m(a.centre()), reach_m(a)),
        (None, None) => ratio(a.centre().distance_m(b.centre()), reach_m(a) + reach_m(b)),
    }
}

/// Geolocation error of a pixel, as a share of its smaller width: 0.293. With half the diagonal,
/// 0.707 of the width, a nominal pixel reaches as far as the office's radius (375 m, 1 km, 2 km;
/// domain rule 7). For VIIRS it is 110 m, 1.5 times the geolocation error of about 75 m (1 sigma).
/// It grows with the pixel towards the edge of the swath.
pub const GEOLOCATION_SHARE: f64 = 0.293;

/// Radius about the centre that holds the fire, metres: for a pixel, its footprint and its
/// geolocation error.
pub fn reach_m(locus: &Locus) -> f64 {
    match *locus {
        Locus::Pixel { scan_m, track_m, .. } => {
            locus.radius_m() + GEOLOCATION_SHARE * scan_m.min(track_m)
        }
        Locus::Disc { .. } | Locus::Sector(_) | Locus::Unaimed { .. } => locus.radius_m(),
    }
}

/// Distance from the nearest point of the locus, metres; 0 inside. Exact in the plane.
pub fn distance_m(locus: &Locus, place: LatLon) -> f64 {
    match (Sector::of(locus), *locus) {
        (Some(sector), _) => sector.distance_m(place),
        (None, disc) => (disc.centre().distance_m(place) - reach_m(&disc)).max(0.0),
    }
}

fn ratio(distance_m: f64, sum_m: f64) -> f64 {
    if distance_m <= 0.0 { 0.0 } else { distance_m / sum_m.max(1.0) }
}

#[derive(Clone, Copy)]
struct Sector {
    apex: LatLon,
    azimuth_deg: f64,
    half_width_deg: f64,
    near_m: f64,
    far_m: f64,
}

impl Sector {
    fn of(locus: &Locus) -> Option<Self> {
        let Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, .. } = Ray::of(locus)?;
        Some(Self { apex, azimuth_deg, half_width_deg, near_m, far_m })
    }

    fn distance_m(&self, place: LatLon) -> f64 {
        let range_m = self.apex.distance_m(place);
        let outside_deg =
            turn_deg(self.azimuth_deg, self.apex.azimuth_deg(place)) - self.half_width_deg;
        if outside_deg <= 0.0 {
            return (self.near_m - range_m).max(range_m - self.far_m).max(0.0);
        }
        // Beside the wedge the nearest point lies on the nearer straight edge: distances along it,
        // and off it.
        let (sin, cos) = outside_deg.to_radians().sin_cos();
        let along_m = range_m * cos;
        (along_m - along_m.clamp(self.near_m, self.far_m)).hypot(range_m * sin)
    }

    /// From one mast: the angle between the bearings in units of both half widths. From two: 0
    /// where the middle lines cross, one half where only the areas overlap, otherwise infinity.
    fn separation(&self, other: &Self) -> f64 {
        if self.apex.distance_m(other.apex) <= SAME_APEX_M {
            let turn = turn_deg(self.azimuth_deg, other.azimuth_deg);
            return turn / (self.half_width_deg + other.half_width_deg).max(0.1);
        }
        if self.apex.distance_m(other.apex) > self.far_m + other.far_m {
            return f64::INFINITY;
        }
        let origin = self.apex;
        if crosses(self.middle(origin), other.middle(origin)) {
            0.0
        } else if self.overlaps(other) {
            0.5
        } else {
            f64::INFINITY
        }
    }

    fn at(&self, azimuth_deg: f64, range_m: f64) -> LatLon {
        self.apex.destination(normalise_deg(azimuth_deg), range_m)
    }

    fn middle(&self, origin: LatLon) -> Segment {
        [self.near_m, self.far_m].map(|range_m| flat(origin, self.at(self.azimuth_deg, range_m)))
    }

    /// Two areas overlap when their outlines cross or one holds the other.
    fn overlaps(&self, other: &Self) -> bool {
        let corner = |it: &Self| it.at(it.azimuth_deg - it.half_width_deg, it.far_m);
        if self.distance_m(corner(other)) <= 0.0 || other.distance_m(corner(self)) <= 0.0 {
            return true;
        }
        let (rim, other_rim) = (self.rim(self.apex), other.rim(self.apex));
        rim.iter().any(|edge| other_rim.iter().any(|across| crosses(*edge, *across)))
    }

    /// The area's outline as a polygon. Arcs are divided every 3°, so that at 10 km a chord lies at
    /// most 4 m inside its arc.
    fn rim(&self, origin: LatLon) -> Vec<Segment> {
        let steps = (2.0 * self.half_width_deg / 3.0).ceil().clamp(1.0, 120.0) as u32;
        let turned =
            |step: u32| self.half_width_deg * (2.0 * f64::from(step) / f64::from(steps) - 1.0);
        let out = (0..=steps).map(|step| self.at(self.azimuth_deg + turned(step), self.far_m));
        let back =
            (0..=steps).rev().map(|step| self.at(self.azimuth_deg + turned(step), self.near_m));
        let points: Vec<Point> = out.chain(back).map(|place| flat(origin, place)).collect();
        points.iter().zip(points.iter().cycle().skip(1)).map(|(from, to)| [*from, *to]).collect()
    }
}

type Point = [f64; 2];
type Segment = [Point; 2];

/// Metres east and north, azimuthal equidistant: exact along every ray from the origin, within 0.01
/// % at county size.
pub fn flat(origin: LatLon, place: LatLon) -> Point {
    let (sin, cos) = origin.azimuth_deg(place).to_radians().sin_cos();
    let range_m = origin.distance_m(place);
    [range_m * sin, range_m * cos]
}

fn crosses([a, b]: Segment, [c, d]: Segment) -> bool {
    let side = |p: Point, q: Point, r: Point| {
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    };
    let apart = |one: f64, two: f64| (one < 0.0) != (two < 0.0);
    apart(side(a, b, c), side(a, b, d)) && apart(side(c, d, a), side(c, d, b))
}

#[cfg(test)]
mod tests;
