//! Pure: everything about a day that does not depend on what the office does.

use super::chance::Chance;
use super::county::Registered;
use super::evidence::{self, Evidence};
use super::fires::{Cause, Truth};
use super::ground::Terrain;
use super::masts;
use huoyan::triage::geo::LatLon;
use huoyan::triage::id::GridId;
use huoyan::triage::incident::Incident;
use huoyan::triage::policy::Policy;
use jiff::Timestamp;
use std::sync::Arc;

pub struct World {
    pub seed: u64,
    /// Midnight, county time.
    pub start: Timestamp,
    pub end: Timestamp,
    pub registers: Registered,
    pub truth: Truth,
    pub evidence: Evidence,
    /// Whether this office has a terrain model: days of even seeds.
    pub terrain_known: bool,
}

/// 清明 2026 in Hunan.
const MIDNIGHT: &str = "2026-04-04T16:00:00Z";

impl World {
    pub fn new(seed: u64) -> Self {
        let start: Timestamp = MIDNIGHT.parse().expect("a time");
        let terrain = Terrain::new(&mut Chance::of(seed, "terrain"));
        let truth = Truth::new(seed, start);
        let terrain_known = seed.is_multiple_of(2);
        let dem = terrain_known.then(|| Arc::new(terrain.model()));
        let eyes = masts::eyes(seed, start, &terrain, dem.as_ref());
        let mut registers = Registered::new(seed, start, &truth.kilns, &truth.burns);
        registers.county.terrain = dem;
        registers.county.cameras = eyes.iter().map(|eye| eye.entry.clone()).collect();
        let evidence = evidence::of_day(seed, &truth, &eyes, &terrain);
        let end = super::fires::after(start, 24.0 * 60.0);
        Self { seed, start, end, registers, truth, evidence, terrain_known }
    }

    /// What an incident really is: the fire nearest to its believed place, otherwise what was seen
    /// first.
    pub fn cause_of(&self, incident: &Incident) -> Option<Cause> {
        let causes =
            incident.sightings.iter().filter_map(|it| self.evidence.causes.get(&it.id).copied());
        let far = |cause: &Cause| {
            self.truth.spot(*cause).map(|it| it.at().distance_m(incident.fix.centre))
        };
        let fires = causes.clone().filter(|it| matches!(it, Cause::Fire(_)));
        let nearest =
            fires.min_by(|a, b| far(a).partial_cmp(&far(b)).unwrap_or(std::cmp::Ordering::Equal));
        nearest.or_else(|| causes.into_iter().next())
    }

    /// Distance below which a place has not moved for a ranger on the way, metres.
    pub fn arrival_radius_m(&self) -> f64 {
        Policy::default().arrival_radius_m
    }

    pub fn fire_at(&self, n: usize) -> LatLon {
        self.truth.fires[n].spot.at()
    }

    pub fn grid_of_fire(&self, n: usize) -> Option<&GridId> {
        self.registers.grid_at(self.fire_at(n))
    }
}
