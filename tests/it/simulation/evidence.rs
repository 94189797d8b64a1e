//! Pure: what reaches the office from a day's true events, in order: camera sightings, satellite
//! lists, calls.

use super::chance::Chance;
use super::fires::{Cause, Fire, Nothing, NothingKind, RISE_M_MIN, Truth, after};
use super::ground::{Spot, Terrain};
use super::masts::Eye;
use super::passes::Pass;
use huoyan::satellite;
use huoyan::triage::detection::Class;
use huoyan::triage::geo::Locus;
use huoyan::triage::hotspot::Hotspot;
use huoyan::triage::id::SightingId;
use huoyan::triage::sighting::{Sighting, Source};
use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One delivery: a camera's sighting, a call, or the whole list of one pass.
pub struct Arrival {
    pub at: Timestamp,
    pub sightings: Vec<Sighting>,
}

pub struct Evidence {
    pub arrivals: Vec<Arrival>,
    pub causes: BTreeMap<SightingId, Cause>,
}

/// Hours of county time in which smoke is seen; at night flames are, where no ridge hides them.
const DAY_HOURS: std::ops::Range<f64> = 6.0..19.0;
const FLAMES_M: f64 = 40.0;
/// Mean time in which a camera finds and confirms visible smoke, minutes: young smoke is faint.
const FOUND_AFTER_MIN: f64 = 3.0;
/// Radiative power of an approved burn at its peak, and of a hot roof at noon, MW.
const BURN_MW: f64 = 9.0;
const ROOF_MW: f64 = 2.5;

pub fn of_day(seed: u64, truth: &Truth, eyes: &[Eye], terrain: &Terrain) -> Evidence {
    let evidence = Evidence { arrivals: Vec::new(), causes: BTreeMap::new() };
    let mut all = Collector { seed, ids: 0, truth, eyes, terrain, evidence };
    for (n, fire) in truth.fires.iter().enumerate() {
        all.watched(Cause::Fire(n), fire, 0.95);
        all.called(n, fire);
    }
    for (n, (site, [from, to])) in truth.burns.iter().enumerate() {
        all.watched(Cause::Burn(n), &smoke(site.spot, *from, *to, BURN_MW, 200.0), 0.9);
    }
    for (n, it) in truth.kilns.iter().enumerate() {
        let from = after(truth.start, 8.0 * 60.0);
        all.watched(Cause::Kiln(n), &smoke(it.spot, from, after(from, 500.0), 1.0, 60.0), 0.05);
    }
    for (n, it) in truth.nothings.iter().enumerate() {
        let cause = Cause::Nothing(n);
        match it.kind {
            NothingKind::Kitchen => {
                all.watched(cause, &smoke(it.spot, it.from, it.to, 0.1, 60.0), 0.3)
            }
            NothingKind::Fog | NothingKind::Glare | NothingKind::Drill => all.imagined(cause, it),
            NothingKind::HotRoof => {}
        }
    }
    for pass in Pass::of_day(seed, truth.start) {
        all.passed(&pass);
    }
    all.evidence.arrivals.sort_by_key(|it| it.at);
    all.evidence
}

fn smoke(spot: Spot, from: Timestamp, to: Timestamp, peak_mw: f64, smoke_m: f64) -> Fire {
    Fire { spot, from, to, peak_mw, smoke_m, forest: false, at_site: None }
}

struct Collector<'a> {
    seed: u64,
    ids: u128,
    truth: &'a Truth,
    eyes: &'a [Eye],
    terrain: &'a Terrain,
    evidence: Evidence,
}

impl Collector<'_> {
    /// All cameras see the same column rise. Each finds it some minutes after it has risen above
    /// its ridges, with a chance that falls by 0.06 per kilometre. It reports it again every 15 to
    /// 30 minutes, six times at most.
    fn watched(&mut self, cause: Cause, fire: &Fire, at_best: f64) {
        let mut chance = Chance::of(self.seed, &format!("watched {cause:?}"));
        for eye in self.eyes {
            let rises_min = if self.by_day(fire.from) {
                eye.least_m(fire.spot, self.terrain) / RISE_M_MIN
            } else {
                0.0
            };
            let mut at =
                after(fire.from, rises_min + 1.0 - FOUND_AFTER_MIN * (1.0 - chance.unit()).ln());
            let found = chance.happens(at_best - 0.06 * eye.range_m(fire.spot) / 1_000.0);
            if !found || !eye.looks_towards(fire.spot, at) {
                continue;
            }
            for _ in 0..6 {
                if at >= fire.to {
                    break;
                }
                let day = self.by_day(at);
                let class = if day { Class::Smoke } else { Class::Fire };
                let seen = Fire {
                    smoke_m: if day { fire.smoke_at_m(at) } else { FLAMES_M },
                    ..fire.clone()
                };
                if (day || fire.peak_mw > 3.0)
                    && let Some(bbox) = eye.sees(&mut chance, &seen, self.truth, self.terrain, at)
                {
                    let confidence = chance.between(0.6, 0.98) as f32;
                    let sighting = eye.sighting(self.id(cause), at, class, bbox, confidence);
                    self.arrives(after(at, chance.between(0.02, 0.3)), vec![sighting]);
                }
                at = after(at, chance.between(15.0, 35.0));
            }
        }
    }

    fn by_day(&self, at: Timestamp) -> bool {
        DAY_HOURS.contains(&(at.duration_since(self.truth.start).as_secs_f64() / 3_600.0))
    }

    /// One camera's false detection, or a drill's rendered smoke.
    fn imagined(&mut self, cause: Cause, it: &Nothing) {
        let (from, to) = (it.from, it.to);
        let mut chance = Chance::of(self.seed, &format!("imagined {cause:?}"));
        let eye = &self.eyes[chance.count(0, self.eyes.len() - 1)];
        for at in [from, after(from, 20.0)].into_iter().filter(|at| *at < to || *at == from) {
            let bbox = Eye::imagines(&mut chance);
            let confidence = chance.between(0.5, 0.9) as f32;
            let mut sighting = eye.sighting(self.id(cause), at, Class::Smoke, bbox, confidence);
            sighting.drill = it.kind == NothingKind::Drill;
            self.arrives(after(at, 0.1), vec![sighting]);
        }
    }

    /// A third of the fires are called in. The caller's stated place holds the fire 19 times in 20.
    fn called(&mut self, n: usize, fire: &Fire) {
        let mut chance = Chance::of(self.seed, &format!("called {n}"));
        let at = after(fire.from, chance.between(5.0, 40.0));
        if !chance.happens(0.33) || at >= fire.to {
            return;
        }
        let radius_m: f64 = [300.0, 800.0, 2_000.0][chance.count(0, 2)];
        // 2.45 sigma of a two-dimensional normal distribution: 95 %.
        let off_m = (chance.normal(radius_m / 2.45), chance.normal(radius_m / 2.45));
        let said = Spot::new(fire.spot.east_m + off_m.0, fire.spot.north_m + off_m.1);
        let sighting = Sighting {
            id: self.id(Cause::Fire(n)),
            source: Source::Person { who: "12119".to_owned(), words: "山上冒烟".to_owned() },
            observed_at: at,
            locus: Locus::Disc { centre: said.at(), radius_m },
            confidence: 0.8,
            pictures: Vec::new(),
            drill: false,
            labels: Vec::new(),
        };
        self.arrives(after(at, 1.0), vec![sighting]);
    }

    /// The list of one pass: every lit pixel once, whatever lights it.
    fn passed(&mut self, pass: &Pass) {
        let mut chance = Chance::of(self.seed, &format!("pass {} {}", pass.satellite, pass.at));
        let truth = self.truth;
        let mut hot: Vec<(Cause, Spot, f64)> = Vec::new();
        hot.extend(
            truth
                .fires
                .iter()
                .enumerate()
                .map(|(n, it)| (Cause::Fire(n), it.spot, it.power_mw(pass.at))),
        );
        hot.extend(truth.burns.iter().enumerate().map(|(n, (site, [from, to]))| {
            (
                Cause::Burn(n),
                site.spot,
                smoke(site.spot, *from, *to, BURN_MW, 0.0).power_mw(pass.at),
            )
        }));
        hot.extend(
            truth
                .kilns
                .iter()
                .zip(&truth.kiln_mw)
                .enumerate()
                .map(|(n, (it, mw))| (Cause::Kiln(n), it.spot, *mw)),
        );
        let roofs =
            truth.nothings.iter().enumerate().filter(|(_, it)| it.kind == NothingKind::HotRoof);
        let by_day = if pass.by_day(truth) { ROOF_MW } else { 0.0 };
        hot.extend(roofs.map(|(n, it)| (Cause::Nothing(n), it.spot, by_day)));

        let mut rows: BTreeMap<String, (Cause, Hotspot)> = BTreeMap::new();
        for (cause, spot, power_mw) in hot {
            for pixel in pass.lit(&mut chance, spot, power_mw) {
                let row = pass.row(&pixel, truth);
                rows.entry(row.key.clone()).or_insert((cause, row));
            }
        }
        let sightings: Vec<Sighting> = rows
            .into_values()
            .map(|(cause, row)| satellite::sighting_of(&row, self.id(cause)))
            .collect();
        if !sightings.is_empty() {
            self.arrives(pass.listed_at, sightings);
        }
    }

    fn arrives(&mut self, at: Timestamp, sightings: Vec<Sighting>) {
        self.evidence.arrivals.push(Arrival { at, sightings });
    }

    fn id(&mut self, cause: Cause) -> SightingId {
        self.ids += 1;
        let id = SightingId(Uuid::from_u128((u128::from(self.seed) << 64) | self.ids));
        self.evidence.causes.insert(id, cause);
        id
    }
}
