//! Pure: associates a new bearing with the open incidents.

use super::{Association, Found, SAME_EYE, is_bearing_only, is_within, recent};
use crate::triage::geo::{LatLon, Locus};
use crate::triage::incident::Incident;
use crate::triage::overlap::{reach_m, separation};
use crate::triage::ray::{CROSSING_MIN_DEG, Ray};
use crate::triage::sighting::Sighting;
use crate::triage::support::{self, AREA_MAX_M};

/// Most crossings with bearings of other masts that are paired to find a third ray. The pairs grow
/// with the square, and 16 crossings leave no choice to make.
const CROSSED_MAX: usize = 16;

/// An open bearing of another mast that the new one crosses.
#[derive(Clone, Copy)]
struct Crossed<'a> {
    incident: &'a Incident,
    ray: Ray,
}

/// Relation of one incident to a new bearing.
enum Verdict {
    /// The same mast saw it within [`SAME_EYE`]: the angle between both bearings, in units of both
    /// half widths.
    SameEye(f64),
    /// It lies on the ray, with support.
    Meets,
    /// A measured range agrees.
    Agrees,
    /// It could be the same fire, without support.
    Could,
    Apart,
}

pub(super) fn associate<'a>(
    sighting: &Sighting,
    ray: &Ray,
    open: impl Iterator<Item = &'a Incident>,
) -> Association {
    let (mut same_eye, mut meets, mut could) = (Found::default(), Vec::new(), Vec::new());
    let mut crossed: Vec<Crossed<'a>> = Vec::new();
    for incident in open {
        match verdict(sighting, ray, incident, &mut crossed) {
            Verdict::SameEye(turned) => same_eye.join(incident, turned),
            Verdict::Meets | Verdict::Agrees => meets.push(incident),
            Verdict::Could => could.push(incident),
            Verdict::Apart => {}
        }
    }
    let mut found = Found { joins: same_eye.joins, links: could };
    if !found.joins.is_empty() {
        found.links.extend(meets);
        return found.decide();
    }
    match meets[..] {
        [incident] => found.join(incident, 0.0),
        // Several incidents on one line of sight: it is unknown which one this is.
        [_, ..] => found.links.extend(meets),
        [] => {
            if let Some(same) = third_ray(sighting, ray, &crossed) {
                return found.decide_together(same);
            }
        }
    }
    found.decide()
}

fn verdict<'a>(
    sighting: &Sighting,
    ray: &Ray,
    incident: &'a Incident,
    crossed: &mut Vec<Crossed<'a>>,
) -> Verdict {
    // The mast's own bearings first: if the mast sees this incident in another direction, the new
    // smoke is another fire.
    let (mut nearest, mut lately) = (None::<f64>, None::<f64>);
    for other in recent(incident) {
        let Some(own) = Ray::of(&other.locus).filter(|it| it.same_mast(ray)) else { continue };
        let turned = turned(ray, &own);
        nearest = Some(nearest.map_or(turned, |it| it.min(turned)));
        if turned <= 1.0 && is_within(sighting, other, SAME_EYE) {
            lately = Some(lately.map_or(turned, |it| it.min(turned)));
        }
    }
    if let Some(turned) = lately {
        return Verdict::SameEye(turned);
    }
    match nearest {
        Some(turned) if turned <= 1.0 => return Verdict::Could,
        Some(_) => return Verdict::Apart,
        None => {}
    }
    if is_bearing_only(incident) {
        with_bearings(sighting, ray, incident, crossed)
    } else {
        with_place(sighting, ray, incident)
    }
}

/// Angle between two bearings of one mast, in units of both half widths; up to 1 they may be one
/// smoke. Two measured ranges that do not overlap are two fires, one behind the other: infinity.
fn turned(ray: &Ray, other: &Ray) -> f64 {
    let parted = ray.near_m > other.far_m || other.near_m > ray.far_m;
    if support::is_ranged(ray) && support::is_ranged(other) && parted {
        f64::INFINITY
    } else {
        ray.turned(other)
    }
}

/// An incident with a place: compares its fix and its latest areas.
fn with_place(sighting: &Sighting, ray: &Ray, incident: &Incident) -> Verdict {
    let fix = (incident.fix.centre, incident.fix.radius_m);
    let area = |it: &Sighting| match it.locus {
        Locus::Disc { .. } | Locus::Pixel { .. } => Some((it.locus.centre(), reach_m(&it.locus))),
        Locus::Sector(_) | Locus::Unaimed { .. } => None,
    };
    let meets = |(centre, radius_m): &(LatLon, f64)| ray.distance_m(*centre) <= *radius_m;
    let mut could = Verdict::Apart;
    for (_, radius_m) in std::iter::once(fix).chain(recent(incident).filter_map(area)).filter(meets)
    {
        let known = support::is_ranged(ray)
            || support::is_close(ray, sighting.observed_at, incident.first_seen_at);
        if radius_m <= AREA_MAX_M && known && incident.fix.is_a_place() {
            return Verdict::Meets;
        }
        could = Verdict::Could;
    }
    could
}

/// An incident known by bearings of other masts alone.
fn with_bearings<'a>(
    sighting: &Sighting,
    ray: &Ray,
    incident: &'a Incident,
    crossed: &mut Vec<Crossed<'a>>,
) -> Verdict {
    let mut could = Verdict::Apart;
    let mut masts: Vec<Ray> = Vec::new();
    for other in recent(incident).filter_map(|it| Ray::of(&it.locus)) {
        if masts.iter().any(|it| it.same_mast(&other)) {
            continue;
        }
        masts.push(other);
        if ray.crossing(&other).is_some() {
            if support::ranges_agree(ray, &other, sighting.observed_at, incident.first_seen_at) {
                return Verdict::Agrees;
            }
            if crossed.len() < CROSSED_MAX {
                crossed.push(Crossed { incident, ray: other });
            }
            could = Verdict::Could;
        } else if ray.crossing_deg(&other) < CROSSING_MIN_DEG && overlap(ray, &other) {
            could = Verdict::Could;
        }
    }
    could
}

/// For nearly parallel rays: whether their areas overlap at all.
fn overlap(a: &Ray, b: &Ray) -> bool {
    a.distance_m(b.apex) <= b.far_m && separation(&Locus::Sector(*a), &Locus::Sector(*b)) <= 1.0
}

/// Two open bearings whose crossing lies on the new ray, all begun at about the same time, are one
/// fire. Of several such pairs, the one whose crossing lies nearest to the middle line of the ray.
fn third_ray<'a>(
    sighting: &Sighting,
    ray: &Ray,
    crossed: &[Crossed<'a>],
) -> Option<Vec<&'a Incident>> {
    let began = |it: &Crossed<'a>| {
        support::is_close(&it.ray, sighting.observed_at, it.incident.first_seen_at)
    };
    let close: Vec<&Crossed<'a>> = crossed.iter().filter(|it| began(it)).collect();
    if !support::is_close(ray, sighting.observed_at, sighting.observed_at) {
        return None;
    }
    let pairs =
        close.iter().enumerate().flat_map(|(n, a)| close[n + 1..].iter().map(move |b| (*a, *b)));
    let meeting = pairs.filter_map(|(a, b)| {
        let crossing = a.ray.crossing(&b.ray)?;
        let off_m = ray.along_and_off(crossing).1.abs();
        support::third_ray(ray, crossing, &a.ray, &b.ray)
            .then_some((off_m, vec![a.incident, b.incident]))
    });
    meeting.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, same)| same)
}
