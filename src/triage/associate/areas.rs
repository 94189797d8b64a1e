//! Pure: associates a pixel, a cluster of pixels or a reported disc with the open incidents.

use super::{Association, FRONT_MAX, Found, RECENT_MAX, is_bearing_only, recent};
use crate::triage::geo::{FixMethod, LatLon, Locus};
use crate::triage::incident::Incident;
use crate::triage::overlap::reach_m;
use crate::triage::ray::{CROSSING_MIN_DEG, Ray, plane};
use crate::triage::sighting::Sighting;
use crate::triage::support;
use jiff::SignedDuration;

/// Radius above which a disc joins by its place alone only within an hour; later it is linked. 2
/// km, the radius of a geostationary pixel, means more than 12 km² of ground.
const WIDE_M: f64 = 2_000.0;
const WIDE_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Most pixels of a cluster that are compared with an incident. They are chosen evenly, so the gaps
/// between them are smaller than the incident's own ellipse.
const AREAS_MAX: usize = 256;

/// A degree of latitude is never shorter than 110 km.
const DEGREE_MIN_M: f64 = 110_000.0;

struct Area {
    centre: LatLon,
    reach_m: f64,
}

impl Area {
    fn of(locus: &Locus) -> Option<Self> {
        match locus {
            Locus::Disc { .. } | Locus::Pixel { .. } => {
                Some(Self { centre: locus.centre(), reach_m: reach_m(locus) })
            }
            Locus::Sector(_) | Locus::Unaimed { .. } => None,
        }
    }

    /// Whether the two may touch, by latitude alone: this excludes most of a county's evidence.
    fn may_touch(&self, other: &Self) -> bool {
        let lat_m = (self.centre.lat_deg() - other.centre.lat_deg()).abs() * DEGREE_MIN_M;
        lat_m <= self.reach_m + other.reach_m
    }

    fn apart(&self, other: &Self) -> f64 {
        let [east_m, north_m] = plane(self.centre, other.centre);
        east_m.hypot(north_m) / (self.reach_m + other.reach_m).max(1.0)
    }
}

pub(super) fn associate<'a>(
    sightings: &[Sighting],
    open: impl Iterator<Item = &'a Incident>,
) -> Association {
    let every = sightings.len().div_ceil(AREAS_MAX).max(1);
    let areas: Vec<Area> =
        sightings.iter().step_by(every).filter_map(|it| Area::of(&it.locus)).collect();
    let Some(first) = sightings.first() else { return Association::default() };
    let Some(round) = around(&areas) else { return Association::default() };
    let mut found = Found::default();
    // Incidents known by bearings alone that meet the area with support, each with the ray that
    // meets it.
    let mut met: Vec<(&Incident, Ray)> = Vec::new();
    for incident in open {
        let apart = touching(&areas, &round, incident);
        if apart <= 1.0 {
            let wide = round.reach_m.max(incident.fix.radius_m) > WIDE_M
                && sightings.len() == 1
                && !is_chain(incident);
            if wide && super::apart(first, incident) > WIDE_WITHIN {
                found.link(incident);
            } else {
                found.join(incident, apart);
            }
        } else if is_bearing_only(incident) {
            match bears(first, &areas, &round, incident) {
                Some((ray, true)) => met.push((incident, ray)),
                Some((_, false)) => found.link(incident),
                None => {}
            }
        }
    }
    if !found.joins.is_empty() {
        met.iter().for_each(|(incident, _)| found.link(incident));
        return found.decide();
    }
    match met[..] {
        [(incident, _)] => found.join(incident, 0.0),
        // Rays of several masts that cross in the area: they see one fire.
        [_, ..]
            if met
                .iter()
                .enumerate()
                .all(|(n, (_, a))| met[n + 1..].iter().all(|(_, b)| cross_here(a, b))) =>
        {
            return found.decide_together(met.into_iter().map(|(incident, _)| incident).collect());
        }
        // Several incidents on one line of sight: it is unknown which one this is.
        _ => met.iter().for_each(|(incident, _)| found.link(incident)),
    }
    found.decide()
}

/// Whether two rays that both meet the area cross in it.
fn cross_here(a: &Ray, b: &Ray) -> bool {
    !a.same_mast(b) && a.crossing_deg(b) >= CROSSING_MIN_DEG
}

/// A circle about the first area that holds all of them.
fn around(areas: &[Area]) -> Option<Area> {
    let centre = areas.first()?.centre;
    let reach_m = areas.iter().map(|it| {
        let [east_m, north_m] = plane(centre, it.centre);
        east_m.hypot(north_m) + it.reach_m
    });
    Some(Area { centre, reach_m: reach_m.fold(0.0, f64::max) })
}

/// A fire front is a chain of pixels: its width is the fire's extent, not an uncertainty.
fn is_chain(incident: &Incident) -> bool {
    incident.fix.method == FixMethod::Satellite
}

/// Distance between the nearest of the areas and the incident's place or one of its latest areas,
/// in units of both uncertainties.
fn touching(areas: &[Area], round: &Area, incident: &Incident) -> f64 {
    let (mut nearest, mut looked_at) = (f64::INFINITY, RECENT_MAX);
    if matches!(
        incident.fix.method,
        FixMethod::Satellite | FixMethod::Reported | FixMethod::Triangulated
    ) {
        let whole = Area { centre: incident.fix.centre, reach_m: incident.fix.radius_m };
        if round.may_touch(&whole) && round.apart(&whole) <= 1.0 {
            looked_at = FRONT_MAX;
            nearest = areas
                .iter()
                .map(|it| incident.fix.apart(it.centre, it.reach_m))
                .fold(nearest, f64::min);
        }
    }
    let latest = incident.sightings.iter().rev().take(looked_at);
    let near = latest
        .filter_map(|it| Area::of(&it.locus))
        .filter(|it| round.may_touch(it) && round.apart(it) <= 1.0);
    for other in near {
        nearest = areas
            .iter()
            .filter(|it| it.may_touch(&other))
            .map(|it| it.apart(&other))
            .fold(nearest, f64::min);
    }
    nearest
}

/// A bearing of the incident that meets the area, and whether it is enough support. If the incident
/// has a measured range, only a measured bearing supports.
fn bears(
    first: &Sighting,
    areas: &[Area],
    round: &Area,
    incident: &Incident,
) -> Option<(Ray, bool)> {
    let rays = || recent(incident).filter_map(|it| Ray::of(&it.locus));
    let measured = rays().any(|ray| support::is_ranged(&ray));
    let meets = |ray: &Ray| {
        ray.distance_m(round.centre) <= round.reach_m
            && areas
                .iter()
                .any(|it| ray.distance_m(it.centre) <= it.reach_m.min(support::AREA_MAX_M))
    };
    let fits = |area: &Area| area.reach_m <= support::AREA_MAX_M;
    let mut linked = None;
    for ray in rays().filter(meets) {
        // Only close to when the incident began: a plume that stands for hours would meet every
        // pixel on its line.
        let supported = if measured {
            support::is_ranged(&ray)
        } else {
            support::is_close(&ray, first.observed_at, incident.first_seen_at)
        };
        if supported && areas.iter().any(fits) {
            return Some((ray, true));
        }
        linked = Some((ray, false));
    }
    linked
}
