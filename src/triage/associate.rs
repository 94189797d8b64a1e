//! Pure: which open incident evidence belongs to, and which ones it may belong to.
//!
//! Evidence joins an incident only with support: overlapping uncertainties, a measured range, a
//! third ray, a satellite, or the same camera within two hours. Incidents that could be the same
//! fire, without support, are linked and not merged.

mod areas;
#[cfg(test)]
mod chance;
mod rays;

use super::confirm::is_same_place;
use super::geo::{FixMethod, Locus};
use super::id::IncidentId;
use super::incident::{Incident, State};
use super::policy::Policy;
use super::ray::Ray;
use super::sighting::{Sighting, Source};
use jiff::SignedDuration;

/// Up to 2 h after a camera saw an incident, smoke in the same direction is the same incident: a
/// plume drifts, fades and is confirmed again. Later it may be another smoke on the same line of
/// sight.
pub const SAME_EYE: SignedDuration = SignedDuration::from_hours(2);
/// Number of an incident's latest sightings that are compared; its fix stands for the older ones.
/// So a fire seen 1,000 times costs as much as one seen 16 times.
const RECENT_MAX: usize = 16;
/// Number of a front's latest pixels that are compared: more than one pass sees of a front 50 km
/// long.
const FRONT_MAX: usize = 256;
/// Most incidents that are linked, those seen last first: more than an officer compares.
const LINKS_MAX: usize = 8;

/// What to do with new evidence. Empty: it opens an incident of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Association {
    /// The open incident that it joins.
    pub join: Option<IncidentId>,
    /// Open incidents that the evidence shows to be the same fire as `join`. None of them has been
    /// acknowledged.
    pub merge: Vec<IncidentId>,
    /// 可能同一火情: could be the same fire; an officer decides.
    pub links: Vec<IncidentId>,
}

/// Decides for one sighting, or for one cluster of pixels ([`super::cluster::group`]), among the
/// open incidents. Drills and real fires are never joined. Closed and full incidents take no
/// evidence. A sighting farther than `policy.fuse_window` from an incident in time is another fire.
pub fn associate<'a>(
    sightings: &[Sighting],
    open: impl Iterator<Item = &'a Incident> + Clone,
    policy: &Policy,
) -> Association {
    let Some(first) = sightings.first() else { return Association::default() };
    let open = open
        .filter(|it| it.state != State::Closed && it.drill == first.drill)
        .filter(|it| apart(first, it) <= policy.fuse_window);
    let mut found = among(sightings, first, open.clone().filter(|it| !it.is_full()));
    if found.join.is_none() {
        // A full incident that the evidence would join is linked with the new incident instead.
        let full = among(sightings, first, open.filter(|it| it.is_full()));
        found.links.extend(full.join.into_iter().chain(full.links));
        found.links.truncate(LINKS_MAX);
    }
    found
}

fn among<'a>(
    sightings: &[Sighting],
    first: &Sighting,
    open: impl Iterator<Item = &'a Incident>,
) -> Association {
    match (first.locus, Ray::of(&first.locus)) {
        (_, Some(ray)) => rays::associate(first, &ray, open),
        (Locus::Unaimed { .. }, None) => unaimed(first, open),
        (_, None) => areas::associate(sightings, open),
    }
}

/// Time between the sighting and the period in which the incident was seen; zero within it.
fn apart(sighting: &Sighting, incident: &Incident) -> SignedDuration {
    let at = sighting.observed_at;
    at.duration_since(
        at.clamp(incident.first_seen_at, incident.last_seen_at.max(incident.first_seen_at)),
    )
    .abs()
}

/// The incident's latest sightings, in reverse order of arrival.
fn recent(incident: &Incident) -> impl Iterator<Item = &Sighting> {
    incident.sightings.iter().rev().take(RECENT_MAX)
}

/// Located by bearings alone, without a crossing: it has no place, or one from a single camera's
/// range.
fn is_bearing_only(incident: &Incident) -> bool {
    matches!(incident.fix.method, FixMethod::Bearing | FixMethod::Ranged)
}

/// A ranger has acknowledged: only an officer changes where he goes.
fn is_acknowledged(incident: &Incident) -> bool {
    matches!(incident.state, State::Acknowledged | State::Arrived | State::Reported)
}

fn is_within(one: &Sighting, other: &Sighting, limit: SignedDuration) -> bool {
    one.observed_at.duration_since(other.observed_at).abs() <= limit
}

/// A camera without a known direction joins what the same pose saw, also without a direction; where
/// nobody knows which of its views it was, what was seen at the same place of the picture. It is
/// linked with everything else that this camera sees.
fn unaimed<'a>(sighting: &Sighting, open: impl Iterator<Item = &'a Incident>) -> Association {
    let Source::Camera { camera, pose, bbox, .. } = &sighting.source else {
        return Association::default();
    };
    let mut found = Found::default();
    for incident in open {
        let by_camera = |it: &&Sighting| matches!(&it.source, Source::Camera { camera: own, .. } if own == camera);
        for other in
            recent(incident).filter(by_camera).filter(|it| is_within(sighting, it, SAME_EYE))
        {
            let same_pose = matches!(
                &other.source,
                Source::Camera { pose: own, bbox: at, .. }
                    if own == pose && (pose.is_one_view() || is_same_place(at, bbox))
            );
            match other.locus {
                Locus::Unaimed { .. } if same_pose => found.join(incident, 0.0),
                _ => found.link(incident),
            }
        }
    }
    found.decide()
}

/// Collects verdicts about incidents.
#[derive(Default)]
struct Found<'a> {
    /// The distance in units of both uncertainties, and the incident.
    joins: Vec<(f64, &'a Incident)>,
    links: Vec<&'a Incident>,
}

impl<'a> Found<'a> {
    fn join(&mut self, incident: &'a Incident, apart: f64) {
        self.joins.push((apart, incident));
    }

    fn link(&mut self, incident: &'a Incident) {
        self.links.push(incident);
    }

    /// Joins the nearest incident; of equally near ones, the one seen last. The other candidates
    /// are linked.
    fn decide(mut self) -> Association {
        self.joins.sort_by(|(a, one), (b, two)| {
            a.total_cmp(b)
                .then_with(|| two.last_seen_at.cmp(&one.last_seen_at))
                .then_with(|| one.id.cmp(&two.id))
        });
        let join = self.joins.first().map(|(_, it)| it.id);
        self.links.extend(self.joins.iter().map(|(_, it)| *it));
        Association {
            join,
            merge: Vec::new(),
            links: linked(self.links, &join.into_iter().collect::<Vec<_>>()),
        }
    }

    /// Several incidents known by bearings alone that meet in one place are one fire: the earliest
    /// takes in the others. If a ranger has acknowledged one of them, all are only linked.
    fn decide_together(mut self, mut same: Vec<&'a Incident>) -> Association {
        same.sort_by_key(|it| (it.first_seen_at, it.id));
        same.dedup_by_key(|it| it.id);
        if same.iter().any(|it| is_acknowledged(it)) {
            self.links.append(&mut same);
        }
        let ids: Vec<IncidentId> = same.iter().map(|it| it.id).collect();
        let (join, merge) = (ids.first().copied(), ids.iter().skip(1).copied().collect());
        self.links.extend(self.joins.iter().map(|(_, it)| *it));
        Association { join, merge, links: linked(self.links, &ids) }
    }
}

/// Each incident once, those seen last first, without those already decided on.
fn linked(mut links: Vec<&Incident>, decided: &[IncidentId]) -> Vec<IncidentId> {
    links.sort_by(|one, two| {
        two.last_seen_at.cmp(&one.last_seen_at).then_with(|| one.id.cmp(&two.id))
    });
    let mut ids: Vec<IncidentId> = Vec::new();
    for link in links {
        if !decided.contains(&link.id) && !ids.contains(&link.id) && ids.len() < LINKS_MAX {
            ids.push(link.id);
        }
    }
    ids
}
