//! Pure: the best fix from all sightings of one incident.

use super::geo::{Fix, FixMethod, LatLon, Locus, turn_deg};
use super::overlap::{SAME_APEX_M, distance_m, flat, unflat};
use super::sighting::{Sighting, SourceKind};

/// Bearings that meet at less than 10° fix hardly more than one bearing does: the error along them grows with 1/sin.
const CROSSING_MIN_DEG: f64 = 10.0;

/// No fix from cameras is believed closer than this: 50 m, the surveyed accuracy of mast, north and lens (domain rule 7).
const CROSSED_RADIUS_MIN_M: f64 = 50.0;

/// So many bearings, the narrowest first, are crossed with each other: more masts never see one fire, and pairs grow with
/// the square.
const BEARINGS_MAX: usize = 16;

/// Two crossing bearings beat a satellite pixel, which beats one bearing; a person's word is used as told.
/// `sightings` is not empty. Does not depend on their order.
pub fn fix(sightings: &[Sighting]) -> Fix {
    let mut sorted: Vec<&Sighting> = sightings.iter().collect();
    sorted.sort_by(|a, b| {
        (width(&a.locus).total_cmp(&width(&b.locus)))
            .then_with(|| a.observed_at.cmp(&b.observed_at))
            .then_with(|| a.id.cmp(&b.id))
    });
    let bearings = bearings(&sorted);
    let measured = crossed(&bearings).or_else(|| satellite(&sorted, &bearings));
    let told = smallest_disc(&sorted, |kind| kind != SourceKind::Satellite);
    let told = told.map(|(centre, radius_m)| Fix { centre, radius_m, method: FixMethod::Reported });
    match (measured, told) {
        (Some(measured), Some(told)) => {
            if told.radius_m < measured.radius_m {
                told
            } else {
                measured
            }
        }
        (Some(fix), None) | (None, Some(fix)) => fix,
        (None, None) => one_bearing(&sorted),
    }
}

/// Narrowest first; the earliest of equals, because smoke drifts away from its fire.
fn width(locus: &Locus) -> f64 {
    match *locus {
        Locus::Disc { radius_m, .. } => radius_m,
        Locus::Sector { half_width_deg, .. } => half_width_deg,
    }
}

#[derive(Clone, Copy)]
struct Bearing {
    locus: Locus,
    apex: LatLon,
    azimuth_deg: f64,
    half_width_deg: f64,
}

/// The best bearing of each mast.
fn bearings(sorted: &[&Sighting]) -> Vec<Bearing> {
    let mut found: Vec<Bearing> = Vec::new();
    for sighting in sorted {
        let Locus::Sector { apex, azimuth_deg, half_width_deg, .. } = sighting.locus else { continue };
        let new_mast = found.iter().all(|it| it.apex.distance_m(apex) > SAME_APEX_M);
        if new_mast && found.len() < BEARINGS_MAX {
            found.push(Bearing { locus: sighting.locus, apex, azimuth_deg, half_width_deg });
        }
    }
    found
}

/// 交会定位: the pair that most bearings agree with decides which of them see the same fire; those are then solved together.
fn crossed(bearings: &[Bearing]) -> Option<Fix> {
    let pairs = bearings.iter().enumerate().flat_map(|(i, a)| bearings[i + 1..].iter().map(move |b| [*a, *b]));
    let candidates = pairs.filter(|[a, b]| crossing_deg(a, b) >= CROSSING_MIN_DEG).filter_map(|pair| {
        let first = solve(&pair)?;
        let seen_by = |it: &Bearing| distance_m(&it.locus, first.centre) <= 0.0;
        pair.iter().all(seen_by).then(|| bearings.iter().copied().filter(seen_by).collect::<Vec<_>>())
    });
    let fixes = candidates.filter_map(|agreeing| Some((agreeing.len(), solve(&agreeing)?)));
    fixes.min_by(|(n, a), (m, b)| m.cmp(n).then_with(|| a.radius_m.total_cmp(&b.radius_m))).map(|(_, fix)| fix)
}

fn crossing_deg(a: &Bearing, b: &Bearing) -> f64 {
    let turn = turn_deg(a.azimuth_deg, b.azimuth_deg);
    turn.min(180.0 - turn)
}

/// Weighted least squares: the place nearest to all bearing lines, each weighted by how wide its uncertainty is at that
/// range. The weights need the place, so it is solved three times. Radius: distance root mean square of the solution.
fn solve(bearings: &[Bearing]) -> Option<Fix> {
    let origin = bearings.first()?.apex;
    let lines: Vec<_> = bearings
        .iter()
        .map(|it| {
            let (sin, cos) = it.azimuth_deg.to_radians().sin_cos();
            let apex = flat(origin, it.apex);
            // Unit normal of the line, and the line's offset along it.
            ([cos, -sin], apex[0] * cos - apex[1] * sin, apex, it.half_width_deg.clamp(0.05, 45.0).to_radians().tan())
        })
        .collect();
    let mut place: Option<[f64; 2]> = None;
    let mut spread_m = f64::INFINITY;
    for _ in 0..3 {
        let (mut xx, mut xy, mut yy, mut x, mut y) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (n, offset_m, apex, tan) in &lines {
            let range_m = place.map_or(1000.0, |p| (p[0] - apex[0]).hypot(p[1] - apex[1]));
            let weight = (range_m * tan).max(1.0).powi(-2);
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
        place = Some([(yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant]);
        spread_m = ((xx + yy) / determinant).sqrt();
    }
    let place = place.filter(|p| p[0].hypot(p[1]).is_finite() && spread_m.is_finite())?;
    let radius_m = spread_m.max(CROSSED_RADIUS_MIN_M);
    Some(Fix { centre: unflat(origin, place), radius_m, method: FixMethod::Triangulated })
}

/// The smallest pixel; where a bearing runs through it, the way inside: a camera knows the direction better than a pixel.
fn satellite(sorted: &[&Sighting], bearings: &[Bearing]) -> Option<Fix> {
    let (centre, radius_m) = smallest_disc(sorted, |kind| kind == SourceKind::Satellite)?;
    let pixel = Fix { centre, radius_m, method: FixMethod::Satellite };
    Some(bearings.iter().find_map(|bearing| chord(bearing, &pixel)).unwrap_or(pixel))
}

/// Middle of the bearing's way through the pixel. The radius holds half that way and the bearing's width there, and is
/// never more than the pixel's.
fn chord(bearing: &Bearing, pixel: &Fix) -> Option<Fix> {
    let Locus::Sector { near_m, far_m, .. } = bearing.locus else { return None };
    let [east_m, north_m] = flat(bearing.apex, pixel.centre);
    let (sin, cos) = bearing.azimuth_deg.to_radians().sin_cos();
    let along_m = east_m * sin + north_m * cos;
    let off_m = (east_m * cos - north_m * sin).abs();
    if off_m >= pixel.radius_m {
        return None;
    }
    let half_m = (pixel.radius_m.powi(2) - off_m.powi(2)).sqrt();
    let (from_m, to_m) = ((along_m - half_m).max(near_m), (along_m + half_m).min(far_m));
    if from_m >= to_m {
        return None;
    }
    let middle_m = (from_m + to_m) / 2.0;
    let across_m = middle_m * bearing.half_width_deg.min(45.0).to_radians().tan();
    let radius_m = ((to_m - from_m) / 2.0).hypot(across_m).max(CROSSED_RADIUS_MIN_M).min(pixel.radius_m);
    Some(Fix {
        centre: bearing.apex.destination(bearing.azimuth_deg, middle_m),
        radius_m,
        method: FixMethod::Satellite,
    })
}

fn smallest_disc(sorted: &[&Sighting], of: impl Fn(SourceKind) -> bool) -> Option<(LatLon, f64)> {
    sorted.iter().filter(|it| of(it.source.kind())).find_map(|it| match it.locus {
        Locus::Disc { centre, radius_m } => Some((centre, radius_m)),
        Locus::Sector { .. } => None,
    })
}

/// 单站方位
fn one_bearing(sorted: &[&Sighting]) -> Fix {
    let Some(narrowest) = sorted.first() else { unreachable!("an incident has at least one sighting") };
    let locus = narrowest.locus;
    Fix { centre: locus.centre(), radius_m: locus.radius_m(), method: FixMethod::Bearing }
}

#[cfg(test)]
mod tests;
