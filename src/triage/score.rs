//! Pure: priority 0..100 with its reasons. It orders the queue and explains itself; it never hides
//! or closes an alert.

use super::cluster::{self, Heat, PASSES_MANY, PIXELS_MANY};
use super::detection::Class;
use super::sighting::{Label, Sighting, Source, SourceKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Priority {
    pub score: f64,
    pub reasons: Vec<Reason>,
}

/// One reason with its points; the page words it in the reader's language.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Stable code, for example "camera_confidence", "second_source", "pixels",
    /// "known_heat_source".
    pub code: String,
    pub points: f64,
    /// The measured value behind it, for the sentence ("0.82", "3", "砖厂").
    pub value: String,
}

// Points. All are this system's defaults (本系统默认，非省定): with them a single camera reaches
// the auto score of 40 at confidence 0.67, and any second source lifts a doubtful one above it.
const CAMERA_MAX: f64 = 60.0;
const SATELLITE_MAX: f64 = 50.0;
const SYSTEM_MAX: f64 = 50.0;
const PERSON: f64 = 40.0;
const SECOND_SOURCE: f64 = 25.0;
const SECOND_CAMERA: f64 = 20.0;
/// For each further sighting by the same source, and at most.
const REPEATED: f64 = 3.0;
const REPEATED_MAX: f64 = 9.0;
/// Three pixels or more in one cluster.
const PIXELS: f64 = 25.0;
/// 连续: seen again in a later pass. Half of a second source, because it is the same kind of
/// source.
const CONTINUOUS: f64 = 12.0;
/// Radiative power for one point, MW, and most points.
const FRP_MW_PER_POINT: f64 = 2.0;
const FRP_MAX: f64 = 15.0;
const FLAMES: f64 = 15.0;
/// By night smoke is not visible but lamps are: what still looks like flames counts more.
const FLAMES_AT_NIGHT: f64 = 10.0;
const DAY_HOURS: std::ops::Range<i64> = 6..19;
const BORDER: f64 = 5.0;
const KNOWN_HEAT_SOURCE: f64 = -25.0;
const APPROVED_BURN: f64 = -25.0;
const MASKED: f64 = -20.0;
const VERIFIED_LATELY: f64 = -20.0;
const STATIC_HEAT: f64 = -25.0;
const NO_BEARING: f64 = -10.0;
const OUTSIDE_COUNTY: f64 = -30.0;

/// Priority of an incident from all its sightings and the labels of its place. The score is the sum
/// of the reasons, clamped to 0..=100.
pub fn priority(sightings: &[Sighting], labels: &[Label]) -> Priority {
    let mut reasons = Vec::new();
    if let Some(first) = strongest(sightings) {
        reasons.push(worth(first));
        reasons.extend(others(sightings, first));
    }
    reasons.extend(repeated(sightings));
    let heat = cluster::heat(sightings);
    reasons.extend(of_heat(&heat));
    reasons.extend(flames(sightings));
    reasons.extend(of_labels(sightings, labels, heat.is_strong()));
    let sum: f64 = reasons.iter().map(|reason| reason.points).sum();
    Priority { score: sum.clamp(0.0, 100.0), reasons }
}

fn reason(code: &str, points: f64, value: impl Into<String>) -> Reason {
    Reason { code: code.to_owned(), points, value: value.into() }
}

/// Clamped to 0..=1; 0 if it is not finite.
fn confidence(sighting: &Sighting) -> f64 {
    let confidence = f64::from(sighting.confidence);
    if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 }
}

/// Points of a single piece of evidence.
fn worth(it: &Sighting) -> Reason {
    let (confidence, value) = (confidence(it), format!("{:.2}", confidence(it)));
    match &it.source {
        Source::Camera { .. } => reason("camera_confidence", CAMERA_MAX * confidence, value),
        Source::Satellite { .. } => {
            reason("satellite_confidence", SATELLITE_MAX * confidence, value)
        }
        Source::System { .. } | Source::Neighbour { .. } => {
            reason("confidence", SYSTEM_MAX * confidence, value)
        }
        Source::Person { who, .. } => reason("person", PERSON, who),
    }
}

/// The one with the most points; of equals the earliest.
fn strongest(sightings: &[Sighting]) -> Option<&Sighting> {
    sightings.iter().max_by(|a, b| {
        let by_worth = worth(a).points.total_cmp(&worth(b).points);
        by_worth.then_with(|| (b.observed_at, b.id).cmp(&(a.observed_at, a.id)))
    })
}

/// One source: a camera, a satellite, a caller, a device of another system, a county.
fn eye(sighting: &Sighting) -> String {
    match &sighting.source {
        Source::Camera { camera, .. } => camera.to_string(),
        Source::Satellite { satellite, instrument, .. } => format!("{satellite} {instrument}"),
        Source::Person { who, .. } => who.clone(),
        Source::System { name, device, .. } => format!("{name} {device}"),
        Source::Neighbour { county, code } => format!("{county} {code}"),
    }
}

/// A second kind of source, and a second camera: the best reasons to believe the first.
fn others(sightings: &[Sighting], first: &Sighting) -> Vec<Reason> {
    let earliest = |of: &dyn Fn(&Sighting) -> bool| {
        sightings.iter().filter(|it| of(it)).min_by_key(|it| (it.observed_at, it.id)).map(eye)
    };
    let is_camera = |it: &Sighting| it.source.kind() == SourceKind::Camera;
    let camera = if is_camera(first) { Some(eye(first)) } else { earliest(&is_camera) };
    let other_kind = earliest(&|it| it.source.kind() != first.source.kind());
    let other_camera = earliest(&|it| is_camera(it) && camera.as_ref() != Some(&eye(it)));
    let kind = other_kind.map(|name| reason("second_source", SECOND_SOURCE, name));
    let camera = other_camera.map(|name| reason("second_camera", SECOND_CAMERA, name));
    kind.into_iter().chain(camera).collect()
}

/// Seen again without a new camera or a new kind of source.
fn repeated(sightings: &[Sighting]) -> Option<Reason> {
    let eyes: BTreeSet<_> = sightings
        .iter()
        .map(|it| match &it.source {
            Source::Camera { camera, .. } => (it.source.kind(), Some(camera)),
            _ => (it.source.kind(), None),
        })
        .collect();
    let again = sightings.len() - eyes.len();
    (again > 0).then(|| {
        reason("repeated", (REPEATED * again as f64).min(REPEATED_MAX), (again + 1).to_string())
    })
}

/// Pixels of the largest cluster, the highest power of a cluster, and the number of passes.
fn of_heat(heat: &Heat) -> Vec<Reason> {
    let pixels =
        (heat.pixels >= PIXELS_MANY).then(|| reason("pixels", PIXELS, heat.pixels.to_string()));
    let power = heat.frp_mw.filter(|frp_mw| *frp_mw > 0.0);
    let power = power.map(|frp_mw| {
        reason("frp", (frp_mw / FRP_MW_PER_POINT).min(FRP_MAX), format!("{frp_mw:.1}"))
    });
    let again = (heat.passes >= PASSES_MANY)
        .then(|| reason("continuous", CONTINUOUS, heat.passes.to_string()));
    pixels.into_iter().chain(power).chain(again).collect()
}

fn flames(sightings: &[Sighting]) -> Vec<Reason> {
    let flames = |it: &&Sighting| matches!(it.source, Source::Camera { class: Class::Fire, .. });
    let surest = |of: &dyn Fn(&Sighting) -> bool| {
        let rank = |it: &&Sighting| (it.observed_at, it.id);
        sightings.iter().filter(flames).filter(|it| of(it)).max_by(|a, b| {
            confidence(a).total_cmp(&confidence(b)).then_with(|| rank(b).cmp(&rank(a)))
        })
    };
    let sun = |it: &Sighting| sun_time(it.observed_at, it.locus.centre().lon_deg());
    let seen =
        surest(&|_| true).map(|it| reason("fire_class", FLAMES, format!("{:.2}", confidence(it))));
    let at_night = surest(&|it| !DAY_HOURS.contains(&sun(it).0)).map(|it| {
        let (hour, minute) = sun(it);
        reason("night_fire", FLAMES_AT_NIGHT, format!("{hour:02}:{minute:02}"))
    });
    seen.into_iter().chain(at_night).collect()
}

/// Mean solar time, from the longitude alone: accurate to a quarter of an hour, and without a time
/// zone.
fn sun_time(at: Timestamp, lon_deg: f64) -> (i64, i64) {
    let minutes = (at.as_second() + (lon_deg * 240.0) as i64).div_euclid(60).rem_euclid(24 * 60);
    (minutes / 60, minutes % 60)
}

/// Points from labels. A known heat source, an approved burn and what closed incidents taught take
/// nothing off a strong hotspot (three pixels, or 连续; domain rule 28), but are still listed.
fn of_labels(sightings: &[Sighting], labels: &[Label], strong: bool) -> Vec<Reason> {
    let off = |points: f64| if strong { 0.0 } else { points };
    let mut reasons: Vec<Reason> = Vec::new();
    for label in labels.iter().chain(sightings.iter().flat_map(|it| &it.labels)) {
        let said = match label {
            Label::KnownHeatSource { name } => {
                reason("known_heat_source", off(KNOWN_HEAT_SOURCE), name)
            }
            Label::ApprovedBurn { name } => reason("approved_burn", off(APPROVED_BURN), name),
            // Forbidden fire is what the county wants to find: it explains, and takes nothing off.
            Label::BurnInBan { name, .. } => reason("burn_in_ban", 0.0, name),
            Label::Masked { name } => reason("masked", MASKED, name),
            Label::Border { neighbours } => reason("border", BORDER, neighbours.join("、")),
            Label::OutsideCounty => reason("outside_county", OUTSIDE_COUNTY, ""),
            Label::VerifiedLately { code, .. } => {
                reason("verified_lately", off(VERIFIED_LATELY), code)
            }
            Label::StaticHeat { checks, .. } => {
                reason("static_heat", off(STATIC_HEAT), checks.to_string())
            }
            // It explains, and takes nothing off.
            Label::LookAlike { code, .. } => reason("look_alike", 0.0, code),
            Label::NoBearing { camera } => reason("no_bearing", NO_BEARING, camera.as_str()),
            Label::UnknownDevice { device } => reason("unknown_device", NO_BEARING, device),
        };
        // Each label counts once, however many sightings and registers carry it.
        if reasons.iter().all(|it| it.code != said.code) {
            reasons.push(said);
        }
    }
    reasons
}

#[cfg(test)]
mod tests;
