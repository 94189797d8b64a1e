//! Pure: which open incident a sighting belongs to.

use super::geo::{FixMethod, Locus};
use super::id::IncidentId;
use super::incident::{Incident, State};
use super::overlap::separation;
use super::policy::Policy;
use super::sighting::Sighting;
use jiff::SignedDuration;

/// The open incident this sighting is evidence of: within the fuse window, and nearer than the sum of both uncertainties;
/// the nearest in units of that sum wins, of equals the one seen last. Drills and real fires never mix.
pub fn choose(sighting: &Sighting, open: &[Incident], policy: &Policy) -> Option<IncidentId> {
    open.iter()
        .filter(|incident| incident.state != State::Closed && incident.drill == sighting.drill)
        .filter(|incident| apart(sighting, incident) <= policy.fuse_window)
        .map(|incident| (distance(sighting, incident), incident))
        .filter(|(distance, _)| *distance <= 1.0)
        .min_by(|(a, one), (b, two)| {
            a.total_cmp(b).then_with(|| two.last_seen_at.cmp(&one.last_seen_at)).then_with(|| one.id.cmp(&two.id))
        })
        .map(|(_, incident)| incident.id)
}

/// Between the sighting and the time in which the incident has been seen; zero inside it.
fn apart(sighting: &Sighting, incident: &Incident) -> SignedDuration {
    let at = sighting.observed_at;
    at.duration_since(at.clamp(incident.first_seen_at, incident.last_seen_at.max(incident.first_seen_at))).abs()
}

/// In units of both uncertainties. What is compared with depends on how well the incident is known:
/// by bearings alone, with every sector, because a circle about a sector would swallow its neighbours;
/// by pixels, with every pixel, because a fire front is a chain of them; by a better fix, with that.
fn distance(sighting: &Sighting, incident: &Incident) -> f64 {
    let to = |locus: &Locus| separation(&sighting.locus, locus);
    let to_fix = to(&Locus::Disc { centre: incident.fix.centre, radius_m: incident.fix.radius_m });
    let loci = incident.sightings.iter().map(|it| &it.locus);
    match incident.fix.method {
        FixMethod::Bearing => loci.map(to).fold(f64::INFINITY, f64::min),
        FixMethod::Satellite => loci.filter(|it| matches!(it, Locus::Disc { .. })).map(to).fold(to_fix, f64::min),
        FixMethod::Triangulated | FixMethod::Reported => to_fix,
    }
}
