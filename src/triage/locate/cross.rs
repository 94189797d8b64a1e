//! Pure: 交会定位, crossed bearings with support, solved together.

use super::{Bearing, CAMERA_RADIUS_MIN_M, SIGMAS_CROSSED};
use crate::triage::geo::{Fix, FixMethod, LatLon, Spread};
use crate::triage::ray::{Ray, plane, unplane};
use crate::triage::support;
use std::collections::BTreeMap;

/// Sample points of the uncertainty that are weighed by the range profiles.
const PLACES: usize = 256;
/// Factor by which the sampled ellipse is wider, because the ground may move a crossing outside its
/// first uncertainty.
const WIDER: f64 = 1.5;
/// Share of profiles that are of another ridge: a tilt off by a degree, smoke behind a nearer
/// crest. Judged, not measured.
const PROFILE_WRONG: f64 = 0.1;

/// The supported crossing that most bearings agree with; of equals the narrowest. `areas`: centre
/// and radius of the other evidence with a place.
pub(super) fn supported(
    bearings: &[Bearing<'_>],
    areas: &[(LatLon, f64)],
    joined_by_hand: bool,
) -> Option<Fix> {
    // Pairs of one fire agree with the same bearings: each such set is solved once.
    let mut solved: BTreeMap<Vec<usize>, Option<Fix>> = BTreeMap::new();
    let mut best: Option<(usize, Fix)> = None;
    let pairs = (0..bearings.len()).flat_map(|i| (i + 1..bearings.len()).map(move |j| (i, j)));
    for (i, j) in pairs {
        let (one, other) = (&bearings[i], &bearings[j]);
        let (a, b) = (one.ray, other.ray);
        let Some(crossing) = a.crossing(&b) else { continue };
        let agrees = |(n, it): &(usize, &Bearing<'_>)| {
            [i, j].contains(n) || support::third_ray(&it.ray, crossing, &a, &b)
        };
        let agreeing: Vec<usize> =
            bearings.iter().enumerate().filter(agrees).map(|(n, _)| n).collect();
        let count = agreeing.len();
        let fix = *solved.entry(agreeing).or_insert_with_key(|agreeing| {
            let rays: Vec<Ray> = agreeing.iter().map(|n| bearings[*n].ray).collect();
            solve(&rays).map(|fix| on_ground(fix, &rays))
        });
        let Some(fix) = fix else { continue };
        let area_there =
            || areas.iter().any(|(centre, radius_m)| support::area_at(*centre, *radius_m, &fix));
        let is_supported = joined_by_hand && areas.is_empty()
            || count > 2
            || support::ranges_agree(&a, &b, one.sighting.observed_at, other.sighting.observed_at)
            || area_there();
        let is_better = best
            .is_none_or(|(most, it)| count > most || count == most && fix.radius_m < it.radius_m);
        if is_supported && is_better {
            best = Some((count, fix));
        }
    }
    best.map(|(_, fix)| fix)
}

/// The crossing, moved to where the ground lets the smoke stand: mean and covariance of its sample
/// points, each weighed by all directions and their range profiles.
fn on_ground(fix: Fix, rays: &[Ray]) -> Fix {
    let Spread::Ellipse { along_m, across_m, azimuth_deg } = fix.spread() else { return fix };
    if rays.iter().all(|it| it.profile.is_none()) {
        return fix;
    }
    let wider =
        Spread::Ellipse { along_m: WIDER * along_m, across_m: WIDER * across_m, azimuth_deg };
    let places = Fix { spread: Some(wider), ..fix }.sample(PLACES);
    let at_range = |ray: &Ray, at: LatLon| {
        let anywhere = 1.0 / (ray.far_m - ray.near_m).max(1.0);
        PROFILE_WRONG * anywhere + (1.0 - PROFILE_WRONG) * ray.range_density(at)
    };
    let likely =
        |at: LatLon| rays.iter().map(|it| it.direction(at) * at_range(it, at)).product::<f64>();
    let weighed: Vec<([f64; 2], f64)> =
        places.iter().map(|at| (plane(fix.centre, *at), likely(*at))).collect();
    let total: f64 = weighed.iter().map(|it| it.1).sum();
    if !total.is_normal() {
        return fix;
    }
    let mean = |of: &dyn Fn([f64; 2]) -> f64| {
        weighed.iter().map(|(at, weight)| of(*at) * weight).sum::<f64>() / total
    };
    let middle = [mean(&|at| at[0]), mean(&|at| at[1])];
    let covariance = [
        mean(&|at| (at[0] - middle[0]).powi(2)),
        mean(&|at| (at[1] - middle[1]).powi(2)),
        mean(&|at| (at[0] - middle[0]) * (at[1] - middle[1])),
    ];
    unplane(fix.centre, middle).map_or(fix, |centre| crossed(centre, covariance, 1.0))
}

/// Weighted least squares: the point nearest to all bearing lines, each weighted by its sigma at
/// that range. The weights need the point, so it is solved three times. The uncertainty is the
/// covariance of the solution as a 90 % ellipse, widened when the bearings disagree by more than
/// they should.
fn solve(rays: &[Ray]) -> Option<Fix> {
    let origin = rays.first()?.apex;
    let lines: Vec<([f64; 2], f64, [f64; 2], f64)> = rays
        .iter()
        .map(|ray| {
            let ((sin, cos), apex) =
                (ray.azimuth_deg.to_radians().sin_cos(), plane(origin, ray.apex));
            // Unit normal of the line, and the line's offset along it.
            (
                [cos, -sin],
                apex[0] * cos - apex[1] * sin,
                apex,
                ray.sigma_deg().min(45.0).to_radians().tan(),
            )
        })
        .collect();
    let (mut place, mut covariance) = (None::<[f64; 2]>, [0.0; 3]);
    let mut misfit = 0.0;
    for _ in 0..3 {
        let (mut xx, mut xy, mut yy, mut x, mut y) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let weigh = |apex: &[f64; 2], tan: f64| {
            let range_m =
                place.map_or(1000.0, |p: [f64; 2]| (p[0] - apex[0]).hypot(p[1] - apex[1]));
            (range_m * tan).max(1.0).powi(-2)
        };
        for (n, offset_m, apex, tan) in &lines {
            let weight = weigh(apex, *tan);
            xx += weight * n[0] * n[0];
            xy += weight * n[0] * n[1];
            yy += weight * n[1] * n[1];
            x += weight * n[0] * offset_m;
            y += weight * n[1] * offset_m;
        }
        let determinant = xx * yy - xy * xy;
        if !determinant.is_normal() {
            return None;
        }
        let found = [(yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant];
        let residual = |(n, offset_m, apex, tan): &([f64; 2], f64, [f64; 2], f64)| {
            weigh(apex, *tan) * (n[0] * found[0] + n[1] * found[1] - offset_m).powi(2)
        };
        misfit = lines.iter().map(residual).sum::<f64>();
        // The inverse of the normal matrix: variances east and north, and their covariance.
        (place, covariance) =
            (Some(found), [yy / determinant, xx / determinant, -xy / determinant]);
    }
    let place = place.filter(|p| p[0].hypot(p[1]).is_finite() && misfit.is_finite())?;
    let freedom = lines.len().saturating_sub(2) as f64;
    let widened = if freedom > 0.0 { (misfit / freedom).max(1.0).sqrt() } else { 1.0 };
    Some(crossed(unplane(origin, place)?, covariance, widened))
}

/// A fix whose spread is the covariance of the point (east, north, both) as a 90 % ellipse.
fn crossed(centre: LatLon, [east, north, both]: [f64; 3], widened: f64) -> Fix {
    let (mean, half) = ((east + north) / 2.0, ((east - north) / 2.0).hypot(both));
    let half_axis_m = |variance: f64| {
        (SIGMAS_CROSSED * widened * variance.max(0.0).sqrt()).max(CAMERA_RADIUS_MIN_M)
    };
    let (along_m, across_m) = (half_axis_m(mean + half), half_axis_m(mean - half));
    let azimuth_deg = ((2.0 * both).atan2(north - east).to_degrees() / 2.0).rem_euclid(180.0);
    let spread = Spread::Ellipse { along_m, across_m, azimuth_deg };
    Fix { centre, radius_m: along_m, method: FixMethod::Triangulated, spread: Some(spread) }
}
