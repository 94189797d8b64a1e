//! Pure: the best fix from all sightings of one incident, with the shape of its uncertainty.
//!
//! Radius and spread hold the fire in nine of ten cases. One piece of evidence narrows the
//! uncertainty of another only if something shows that both mean the same fire ([`support`]): two
//! bearings that merely cross may be two fires.

mod cross;

use super::cluster::{NEXT_PASS, footprint};
use super::geo::{Fix, FixMethod, LatLon, Locus, Spread};
use super::hotspot::nominal_m;
use super::overlap::reach_m;
use super::ray::Ray;
use super::sighting::{Sighting, Source, SourceKind};
use super::support;
use jiff::Timestamp;

/// Smallest radius of a fix from cameras: 50 m, the surveyed accuracy of mast, north and lens
/// (domain rule 7).
const CAMERA_RADIUS_MIN_M: f64 = 50.0;
/// Most masts that are crossed with each other, the most certain first: more never see one fire,
/// and pairs grow with the square.
const MASTS_MAX: usize = 16;
/// 95 % of a normal error lie within 1.96 standard deviations. A sector's ranges are taken as
/// certain, so its direction gets half of the tenth that may lie outside.
const SIGMAS_95: f64 = 1.96;
/// Half axes of the ellipse of crossed bearings, in standard deviations. 2.146 hold 90 % of a
/// normal error in two dimensions. Slightly more, because only bearings that agree are crossed:
/// those whose errors hide each other look better than they are.
const SIGMAS_CROSSED: f64 = 2.5;

/// The best bearing of a mast, and its sighting.
#[derive(Clone, Copy)]
struct Bearing<'a> {
    ray: Ray,
    sighting: &'a Sighting,
}

/// The narrowest fix that the evidence supports: crossed bearings, satellite pixels, a person's
/// report, a ranged bearing. Without any of them it is a bearing; without a bearing, a camera
/// without a direction. `sightings` is not empty. Independent of their order; about n log n.
///
/// `joined_by_hand`: an officer has checked all of it and says that it is one fire. Then every
/// crossing has support, as long as no other evidence has a place.
pub fn fix_of(sightings: &[Sighting], joined_by_hand: bool) -> Fix {
    let bearings = bearings(sightings);
    let pixels = newest_pass(sightings);
    let told = told(sightings);
    let satellite = satellite(&pixels, &bearings);
    let areas: Vec<(LatLon, f64)> =
        satellite.iter().chain(&told).map(|it| (it.centre, it.radius_m)).collect();
    let crossed = cross::supported(&bearings, &areas, joined_by_hand);
    let single = bearings.first().map(|it| one_bearing(&it.ray));
    let ranged = single.filter(|it| it.method == FixMethod::Ranged);
    let narrowest = [crossed, satellite, told, ranged]
        .into_iter()
        .flatten()
        .reduce(|best, it| if it.radius_m < best.radius_m { it } else { best });
    narrowest.or(single).unwrap_or_else(|| unaimed(sightings))
}

/// The same for evidence that no officer has joined.
pub fn fix(sightings: &[Sighting]) -> Fix {
    fix_of(sightings, false)
}

/// The best bearing of each mast, the most certain first: a measured range, then the narrower, then
/// the earlier, because smoke drifts away from its fire.
fn bearings(sightings: &[Sighting]) -> Vec<Bearing<'_>> {
    let mut sorted: Vec<Bearing<'_>> = sightings
        .iter()
        .filter_map(|sighting| Some(Bearing { ray: Ray::of(&sighting.locus)?, sighting }))
        .collect();
    sorted.sort_by(|a, b| {
        (b.ray.range.is_measured().cmp(&a.ray.range.is_measured()))
            .then_with(|| a.ray.half_width_deg.total_cmp(&b.ray.half_width_deg))
            .then_with(|| {
                (a.sighting.observed_at, a.sighting.id)
                    .cmp(&(b.sighting.observed_at, b.sighting.id))
            })
    });
    let mut found: Vec<Bearing<'_>> = Vec::new();
    for bearing in sorted {
        if found.len() == MASTS_MAX {
            break;
        }
        if found.iter().all(|it| !it.ray.same_mast(&bearing.ray)) {
            found.push(bearing);
        }
    }
    found
}

/// The pixels of the newest pass of the finest instrument: where the fire is now, in the best
/// resolution from above.
fn newest_pass(sightings: &[Sighting]) -> Vec<&Sighting> {
    let width_m = |it: &Sighting| match &it.source {
        Source::Satellite { instrument, .. } => Some(nominal_m(instrument)),
        _ => None,
    };
    let is_area = |it: &&Sighting| matches!(it.locus, Locus::Disc { .. } | Locus::Pixel { .. });
    let pixels = || sightings.iter().filter(is_area).filter_map(|it| Some((width_m(it)?, it)));
    let Some(finest_m) = pixels().map(|(width_m, _)| width_m).min_by(f64::total_cmp) else {
        return Vec::new();
    };
    let finest = || pixels().filter(|(width_m, _)| *width_m <= finest_m).map(|(_, it)| it);
    let eye = |it: &Sighting| match &it.source {
        Source::Satellite { satellite, instrument, .. } => (satellite.clone(), instrument.clone()),
        _ => (String::new(), String::new()),
    };
    let Some(newest) = finest().max_by_key(|it| (it.observed_at, eye(it), it.id)) else {
        return Vec::new();
    };
    let of_pass = |it: &&Sighting| {
        eye(it) == eye(newest) && newest.observed_at.duration_since(it.observed_at) < NEXT_PASS
    };
    finest().filter(of_pass).collect()
}

/// The common footprint. A single pixel is cut by the narrowest bearing with support for the same
/// fire. A front of several pixels burns in all of them, and a bearing to its smoke tells nothing
/// about the others.
fn satellite(pixels: &[&Sighting], bearings: &[Bearing<'_>]) -> Option<Fix> {
    let (centre, extent) = footprint(pixels)?;
    let Spread::Ellipse { along_m, .. } = extent else { return None };
    let whole =
        Fix { centre, radius_m: along_m, method: FixMethod::Satellite, spread: Some(extent) };
    let [pixel] = pixels else { return Some(whole) };
    let cut = bearings
        .iter()
        .filter(|it| {
            support::pixel_and_bearing(
                &pixel.locus,
                pixel.observed_at,
                &it.ray,
                it.sighting.observed_at,
            )
        })
        .filter_map(|it| chord(&it.ray, &whole))
        .reduce(|best, it| if it.radius_m < best.radius_m { it } else { best });
    Some(cut.unwrap_or(whole))
}

/// The part of the bearing inside the pixel, as an ellipse along the bearing: its half axes are
/// half of that part, and the uncertainty of the direction there. `None` if that is no narrower
/// than the pixel.
fn chord(ray: &Ray, pixel: &Fix) -> Option<Fix> {
    let (along_m, off_m) = ray.along_and_off(pixel.centre);
    let across_m = SIGMAS_CROSSED * along_m.max(ray.near_m) * ray.sigma_deg().to_radians().tan();
    let off_m = off_m.abs().min(pixel.radius_m);
    // A ray that only grazes the pixel counts with its own width.
    let half_m = (pixel.radius_m.powi(2) - off_m.powi(2)).sqrt().max(across_m);
    let (from_m, to_m) = ((along_m - half_m).max(ray.near_m), (along_m + half_m).min(ray.far_m));
    if from_m >= to_m {
        return None;
    }
    let half_m = ((to_m - from_m) / 2.0).max(CAMERA_RADIUS_MIN_M);
    let across_m = across_m.max(CAMERA_RADIUS_MIN_M);
    let radius_m = half_m.max(across_m);
    let spread = Spread::Ellipse { along_m: half_m, across_m, azimuth_deg: ray.azimuth_deg };
    let centre = ray.at((from_m + to_m) / 2.0);
    // Used only if the area is smaller.
    (half_m * across_m < pixel.radius_m.powi(2) && radius_m <= pixel.radius_m).then_some(Fix {
        centre,
        radius_m,
        method: FixMethod::Satellite,
        spread: Some(spread),
    })
}

/// The narrowest report of a person, a phone or another system; of equals the earliest.
fn told(sightings: &[Sighting]) -> Option<Fix> {
    let is_told = |it: &&Sighting| {
        it.source.kind() != SourceKind::Satellite
            && matches!(it.locus, Locus::Disc { .. } | Locus::Pixel { .. })
    };
    let narrowest = sightings.iter().filter(is_told).min_by(|a, b| {
        reach_m(&a.locus)
            .total_cmp(&reach_m(&b.locus))
            .then_with(|| (a.observed_at, a.id).cmp(&(b.observed_at, b.id)))
    })?;
    let (centre, radius_m) = (narrowest.locus.centre(), reach_m(&narrowest.locus));
    let spread = Spread::Ellipse { along_m: radius_m, across_m: radius_m, azimuth_deg: 0.0 };
    Some(Fix { centre, radius_m, method: FixMethod::Reported, spread: Some(spread) })
}

/// 单站方位 or 单站测距. With a measured range the centre is the middle of the sector, or its
/// profile's mean. Without, it is the near end of the ray: an anchor for the map, not a place.
fn one_bearing(ray: &Ray) -> Fix {
    let measured = ray.range.is_measured();
    let half_width_deg = ray.half_width_deg.max(SIGMAS_95 * ray.sigma_deg()).min(180.0);
    let middle_m = ray.profile.map_or(f64::midpoint(ray.near_m, ray.far_m), |it| it.mean_m());
    let anchor_m = if measured { middle_m.clamp(ray.near_m, ray.far_m) } else { ray.near_m };
    let across_m = ray.far_m * half_width_deg.min(90.0).to_radians().sin();
    Fix {
        centre: ray.at(anchor_m),
        radius_m: (ray.far_m - anchor_m)
            .max(anchor_m - ray.near_m)
            .hypot(across_m)
            .max(CAMERA_RADIUS_MIN_M),
        method: if measured { FixMethod::Ranged } else { FixMethod::Bearing },
        spread: Some(Spread::Sector(Ray { half_width_deg, ..*ray })),
    }
}

/// A circle about the mast with the shortest sight.
fn unaimed(sightings: &[Sighting]) -> Fix {
    let rank = |it: &Sighting| -> (Timestamp, _) { (it.observed_at, it.id) };
    let nearest = sightings.iter().min_by(|a, b| {
        a.locus.radius_m().total_cmp(&b.locus.radius_m()).then_with(|| rank(a).cmp(&rank(b)))
    });
    let Some(nearest) = nearest else { unreachable!("an incident has at least one sighting") };
    let radius_m = nearest.locus.radius_m();
    let spread = Spread::Ellipse { along_m: radius_m, across_m: radius_m, azimuth_deg: 0.0 };
    Fix {
        centre: nearest.locus.centre(),
        radius_m,
        method: FixMethod::Unaimed,
        spread: Some(spread),
    }
}

#[cfg(test)]
mod tests;
