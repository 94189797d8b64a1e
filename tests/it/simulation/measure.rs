//! Pure: the figures of one day, from the log, the outbox and the true events.

use super::day::Lived;
use super::figures::Figures;
use super::fires::{Cause, minutes};
use super::ground::Spot;
use super::invariants;
use super::places::{excludes, holds};
use super::told;
use huoyan::triage::event::{Event, Place};
use huoyan::triage::geo::{FixMethod, Locus, Ray};
use huoyan::triage::id::{GridId, PersonId};
use huoyan::triage::incident::{Incident, State};
use huoyan::triage::policy::Channel;
use huoyan::triage::sighting::{Sighting, SourceKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Limit for the right ranger to know: the time he has to acknowledge.
const KNOWN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Fires farther apart than this must never share an incident, metres.
const APART_M: f64 = 2_000.0;

pub fn of_day(day: &Lived) -> Figures {
    let seed = day.world.seed;
    let mut breaks = day.breaks.clone();
    breaks.extend(invariants::breaks(day));
    let mut figures = Figures::default();
    figures.days = 1;
    figures.breaks = breaks.into_iter().map(|what| (seed, what)).collect();
    let measured = Measured { day, filed: filed(day) };
    for n in 0..day.world.truth.fires.len() {
        if day.world.evidence.causes.values().any(|cause| *cause == Cause::Fire(n)) {
            measured.fire(n, &mut figures);
        }
    }
    for it in &day.incidents {
        measured.fixes(&it.incident, &mut figures);
        measured.trips(&it.incident, &mut figures);
    }
    figures.add("kiln_trips", 0, day.world.truth.kilns.len() as u64);
    figures.add("burn_trips", 0, day.world.truth.burns.len() as u64);
    told::count(day, &mut figures);
    measured.load(&mut figures);
    figures
}

/// A sighting as recorded in the log.
struct Filing<'a> {
    at: Timestamp,
    incident: usize,
    sighting: &'a Sighting,
    cause: Cause,
}

/// All of the day's evidence in the order of filing.
fn filed(day: &Lived) -> Vec<Filing<'_>> {
    let mut filed = Vec::new();
    for (incident, it) in day.incidents.iter().enumerate() {
        for recorded in &it.incident.log {
            let (Event::Opened { sighting, .. } | Event::SightingAdded { sighting, .. }) =
                &recorded.event
            else {
                continue;
            };
            if let Some(cause) = day.world.evidence.causes.get(&sighting.id) {
                filed.push(Filing { at: recorded.at, incident, sighting, cause: *cause });
            }
        }
    }
    filed.sort_by_key(|it| it.at);
    filed
}

/// The incident as it was at that time.
fn as_of(it: &Incident, at: Timestamp) -> Option<Incident> {
    let until = it.log.partition_point(|recorded| recorded.at <= at);
    Incident::from_log(&it.log[..until])
}

/// The grids shown to an officer, the likeliest first.
fn candidates(place: &Place) -> Vec<GridId> {
    let listed: Vec<GridId> = place.candidates.iter().map(|it| it.grid.clone()).collect();
    if listed.is_empty() { place.grid.iter().cloned().collect() } else { listed }
}

/// The rangers sent, or told to watch. One who declined was still the right one, and so was one who
/// did not answer and was replaced. One who was relieved by another grid's ranger was not.
fn sent(it: &Incident) -> Vec<&PersonId> {
    let next = |n: usize| it.past_dispatches.get(n + 1).or(it.dispatch.as_ref());
    let stood_in_for =
        |n: usize| next(n).is_some_and(|next| next.because.iter().any(|it| it.code == "took_over"));
    let past = it
        .past_dispatches
        .iter()
        .enumerate()
        .filter(|(n, it)| !it.is_running() || stood_in_for(*n));
    let neighbours =
        it.dispatch.iter().flat_map(|dispatch| &dispatch.neighbours).map(|near| &near.ranger);
    past.map(|(_, it)| it)
        .chain(&it.dispatch)
        .map(|dispatch| &dispatch.ranger)
        .chain(neighbours)
        .collect()
}

struct Measured<'a> {
    day: &'a Lived,
    filed: Vec<Filing<'a>>,
}

impl Measured<'_> {
    fn of_fire(&self, n: usize) -> impl Iterator<Item = &Filing<'_>> {
        self.filed.iter().filter(move |it| it.cause == Cause::Fire(n))
    }

    fn fire(&self, n: usize, figures: &mut Figures) {
        let fire = &self.day.world.truth.fires[n];
        let Some(first) = self.of_fire(n).next() else {
            figures.count("fires_with_incident", false);
            return;
        };
        figures.count("fires_with_incident", true);
        let swallowed_by = self.swallowed_by(n);
        let sharing = matches!(swallowed_by, Some(Cause::Fire(_)));
        figures.count("fires_sharing", sharing);
        figures.count("fires_swallowed", swallowed_by.is_some() && !sharing);
        if self.open_at(first.at) >= 10 {
            figures.count("fires_sharing_at_ten", sharing);
        }
        if fire.at_site.is_some() {
            figures.waited(self.waits(n, first.at), self.day.world.seed);
        } else {
            self.right_ranger(n, figures);
        }
        self.camera_only(n, first, figures);
    }

    fn open_at(&self, at: Timestamp) -> usize {
        let open =
            |it: &Incident| it.opened_at < at && it.closed_at.is_none_or(|closed| closed > at);
        self.day.incidents.iter().filter(|it| open(&it.incident)).count()
    }

    /// The cause that an incident belongs to, if it is another one and far away.
    fn owner(&self, n: usize, incident: usize) -> Option<Cause> {
        let first = self.day.incidents[incident].incident.sightings.first()?;
        let owner =
            *self.day.world.evidence.causes.get(&first.id).filter(|it| **it != Cause::Fire(n))?;
        let far = |it: Spot| it.at().distance_m(self.day.world.fire_at(n)) > APART_M;
        self.day.world.truth.spot(owner).is_none_or(far).then_some(owner)
    }

    /// The owner of the only incident that still holds the fire at the next look that shows it,
    /// which shows that the fire is not where the owner is.
    fn swallowed_by(&self, n: usize) -> Option<Cause> {
        let mut by = None;
        for filing in self.of_fire(n) {
            match (self.owner(n, filing.incident), by) {
                (None, _) => return None,
                (Some(owner), None) => by = Some(owner),
                (Some(_), Some(owner)) => {
                    let spot = self.day.world.truth.spot(owner);
                    if spot.is_none_or(|it| excludes(&filing.sighting.locus, it.at())) {
                        return Some(owner);
                    }
                }
            }
        }
        None
    }

    fn right_ranger(&self, n: usize, figures: &mut Figures) {
        let pixel = self
            .of_fire(n)
            .find(|it| it.sighting.source.kind() == SourceKind::Satellite)
            .map(|it| it.at);
        if let Some(right) = pixel.and_then(|at| self.knows(n, at + KNOWN_AFTER)) {
            figures.count("right_ranger_pixel", right);
        }
        let mut kinds: BTreeMap<SourceKind, Timestamp> = BTreeMap::new();
        for it in self.of_fire(n) {
            kinds.entry(it.sighting.source.kind()).or_insert(it.at);
        }
        let incidents: BTreeSet<usize> = self.of_fire(n).map(|it| it.incident).collect();
        let dispatched = incidents.iter().flat_map(|it| &self.day.incidents[*it].incident.log);
        let dispatched =
            dispatched.filter(|it| matches!(it.event, Event::Dispatched(_))).map(|it| it.at).min();
        let mut times: Vec<Timestamp> = kinds.into_values().collect();
        times.sort();
        let dispatchable = [pixel, dispatched].into_iter().flatten().min();
        if let (Some(second), Some(dispatchable)) = (times.get(1), dispatchable)
            && let Some(right) = self.knows(n, dispatchable.max(*second) + KNOWN_AFTER)
        {
            figures.count("right_ranger_two_kinds", right);
        }
    }

    /// Whether a ranger of the true grid has been sent or told by then, even for an incident that
    /// is closed by then. `None` when all is closed or the day is over.
    fn knows(&self, n: usize, at: Timestamp) -> Option<bool> {
        let grid = self.day.world.grid_of_fire(n)?;
        let incidents: BTreeSet<usize> =
            self.of_fire(n).filter(|it| it.at <= at).map(|it| it.incident).collect();
        let then: Vec<Incident> = incidents
            .iter()
            .filter_map(|it| as_of(&self.day.incidents[*it].incident, at))
            .collect();
        if then.iter().all(|it| it.state == State::Closed) || at >= self.day.world.end {
            return None;
        }
        let registers = &self.day.world.registers;
        Some(then.iter().flat_map(sent).any(|ranger| registers.is_ranger_of(ranger, grid)))
    }

    /// The incident as it was then, or the one that it was merged into: its card is what an officer
    /// sees.
    fn led_by(&self, incident: usize, at: Timestamp) -> Option<Incident> {
        let it = as_of(&self.day.incidents[incident].incident, at)?;
        let leader = it
            .merged_into
            .and_then(|id| self.day.incidents.iter().find(|other| other.incident.id == id));
        leader.and_then(|leader| as_of(&leader.incident, at)).or(Some(it))
    }

    /// Fires that only cameras with a direction have seen within ten minutes of the first look.
    fn camera_only(&self, n: usize, first: &Filing<'_>, figures: &mut Figures) {
        let at = first.at + KNOWN_AFTER;
        let Some(it) = self.led_by(first.incident, at) else { return };
        let cameras = it.sightings.iter().all(|it| it.source.kind() == SourceKind::Camera);
        let aimed = it.sightings.iter().any(|it| matches!(it.locus, Locus::Sector(_)));
        let Some(grid) = self.day.world.grid_of_fire(n).filter(|_| cameras && aimed) else {
            return;
        };
        let listed = candidates(&it.place);
        let [any, first] = if self.day.world.terrain_known {
            ["camera_listed_terrain", "camera_first_terrain"]
        } else {
            ["camera_listed", "camera_first"]
        };
        let is_first = listed.first() == Some(grid);
        figures.count(any, listed.contains(grid));
        figures.count(first, is_first);
        if self.day.world.terrain_known {
            let by_then = self.of_fire(n).filter(|it| it.at <= at);
            let masts: BTreeSet<_> = by_then.filter_map(|it| mast(&it.sighting.locus)).collect();
            figures.count(
                if masts.len() > 1 { "camera_first_masts" } else { "camera_first_one_mast" },
                is_first,
            );
        }
    }

    /// Minutes until an officer's look at an incident that holds the fire, or a dispatch; to the
    /// end of the day when there is none.
    fn waits(&self, n: usize, since: Timestamp) -> i64 {
        let incidents: BTreeSet<usize> = self.of_fire(n).map(|it| it.incident).collect();
        let mut acted: Vec<Timestamp> = vec![self.day.world.end];
        for it in incidents.into_iter().map(|it| &self.day.incidents[it].incident) {
            acted.extend(
                self.day
                    .looks
                    .iter()
                    .filter(|(of, at)| *of == it.id && *at >= since)
                    .map(|(_, at)| *at),
            );
            let dispatched = it.log.iter().filter(|it| matches!(it.event, Event::Dispatched(_)));
            acted.extend(dispatched.map(|it| it.at.max(since)));
        }
        let soonest = acted.into_iter().min().unwrap_or(since);
        minutes(soonest.duration_since(since)).ceil() as i64
    }

    /// The last fix by each method, for incidents that hold one fire and nothing else.
    fn fixes(&self, it: &Incident, figures: &mut Figures) {
        let causes: BTreeSet<_> =
            it.sightings.iter().map(|it| self.day.world.evidence.causes.get(&it.id)).collect();
        let Some(Some(Cause::Fire(n))) = causes.first().filter(|_| causes.len() == 1) else {
            return;
        };
        let mut last: BTreeMap<&'static str, bool> = BTreeMap::new();
        let mut folded: Option<Incident> = None;
        for recorded in &it.log {
            match &mut folded {
                None => folded = Incident::from_log(std::slice::from_ref(recorded)),
                Some(incident) => incident.apply(recorded),
            }
            let Some(incident) = &folded else { continue };
            last.insert(
                method(incident.fix.method),
                holds(&incident.fix, self.day.world.fire_at(*n)),
            );
        }
        for (key, holds) in last {
            figures.count(key, holds);
        }
    }

    /// Trips of rangers to registered sites.
    fn trips(&self, it: &Incident, figures: &mut Figures) {
        let causes: BTreeSet<_> =
            it.sightings.iter().map(|it| self.day.world.evidence.causes.get(&it.id)).collect();
        let key = match causes.first().filter(|_| causes.len() == 1) {
            Some(Some(Cause::Kiln(_))) => "kiln_trips",
            Some(Some(Cause::Burn(_))) => "burn_trips",
            _ => return,
        };
        let sent = it.past_dispatches.iter().chain(&it.dispatch).map(|dispatch| &dispatch.ranger);
        figures.add(key, sent.collect::<BTreeSet<_>>().len() as u64, 0);
    }

    fn load(&self, figures: &mut Figures) {
        let county = &self.day.world.registers.county;
        for (key, person) in [("officer_rings", "officer-1"), ("leader_rings", "leader-1")] {
            let phone =
                county.person(&person.into()).and_then(|it| it.phone.clone()).unwrap_or_default();
            let rang = |it: &&super::gateway::Asked| {
                it.taken && it.channel == Channel::Voice && it.to == phone
            };
            figures.add(key, self.day.asked.iter().filter(rang).count() as u64, 1);
        }
        figures.add("incidents", 0, 1);
        for it in self.day.incidents.iter().map(|it| &it.incident) {
            let kinds = it.log.iter().filter_map(|it| serde_json::to_value(&it.event).ok());
            figures
                .events
                .extend(kinds.filter_map(|it| it["type"].as_str().map(ToOwned::to_owned)));
            if it.drill {
                continue;
            }
            figures.add("incidents", 1, 0);
            let fire = self.day.world.cause_of(it).is_some_and(|it| matches!(it, Cause::Fire(_)));
            figures.count("false_incidents", !fire);
            figures.add(
                "dispatches",
                it.past_dispatches.len() as u64 + u64::from(it.dispatch.is_some()),
                0,
            );
        }
        figures.add("dispatches", 0, 1);
        figures.add("crashes", u64::from(self.day.crashes), 1);
    }
}

/// The position of a camera with a direction, for comparison.
fn mast(locus: &Locus) -> Option<[u64; 2]> {
    match locus {
        Locus::Sector(Ray { apex, .. }) => Some([apex.lat_deg(), apex.lon_deg()].map(f64::to_bits)),
        _ => None,
    }
}

fn method(of: FixMethod) -> &'static str {
    match of {
        FixMethod::Bearing => "holds_bearing",
        FixMethod::Ranged => "holds_ranged",
        FixMethod::Triangulated => "holds_triangulated",
        FixMethod::Satellite => "holds_satellite",
        FixMethod::Reported => "holds_reported",
        FixMethod::Unaimed => "holds_unaimed",
    }
}
