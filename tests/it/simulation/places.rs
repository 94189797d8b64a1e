//! Pure: whether a stated place contains a point. Implemented separately, so that the geometry
//! under test does not judge itself.

use huoyan::triage::geo::{Fix, LatLon, Locus, Ray, Spread, turn_deg};

/// Whether a fix's stated uncertainty contains the place.
pub fn holds(fix: &Fix, place: LatLon) -> bool {
    match fix.spread() {
        Spread::Ellipse { along_m, across_m, azimuth_deg } => {
            let (far_m, turn) =
                (fix.centre.distance_m(place), fix.centre.azimuth_deg(place) - azimuth_deg);
            let (sin, cos) = turn.to_radians().sin_cos();
            (far_m * cos / along_m).hypot(far_m * sin / across_m) <= 1.0
        }
        Spread::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, .. }) => {
            (near_m..=far_m).contains(&apex.distance_m(place))
                && turn_deg(azimuth_deg, apex.azimuth_deg(place)) <= half_width_deg
        }
    }
}

/// Whether evidence clearly is not about that place: farther away than its uncertainty plus 500 m.
pub fn excludes(locus: &Locus, place: LatLon) -> bool {
    const CLEARLY_M: f64 = 500.0;
    match *locus {
        Locus::Disc { centre, radius_m } => centre.distance_m(place) > radius_m + CLEARLY_M,
        Locus::Pixel { centre, scan_m, track_m } => {
            centre.distance_m(place) > scan_m.hypot(track_m) / 2.0 + CLEARLY_M
        }
        Locus::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, .. }) => {
            let at_m = apex.distance_m(place);
            let slack_deg = CLEARLY_M.atan2(at_m).to_degrees();
            !(near_m - CLEARLY_M..=far_m + CLEARLY_M).contains(&at_m)
                || turn_deg(azimuth_deg, apex.azimuth_deg(place)) > half_width_deg + slack_deg
        }
        Locus::Unaimed { apex, far_m } => apex.distance_m(place) > far_m + CLEARLY_M,
    }
}
