//! A place in the picture that is followed, with the evidence of the whole view and of the tiles.

use super::witness::{SILENCE, Witness};
use super::{Confirmed, EvidenceAt, is_covered};
use crate::triage::detection::{BoundingBox, Class, Detection, Tile};
use jiff::{SignedDuration, Timestamp};

/// Shortest time from the first look with evidence to the alarm, so that a single look never
/// alarms, however certain. One cadence of 10 s, less the lateness of cameras.
pub const MIN_APART: SignedDuration = SignedDuration::from_secs(8);

/// Most looks kept of a place, to show how its evidence rose: ten minutes of memory at a cadence of
/// 10 s.
pub const HITS_MAX: usize = 64;

/// A box and its log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    pub detection: Detection,
    pub says: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Suspicion {
    pub class: Class,
    /// The latest box with evidence for it, so that a growing or drifting plume stays one place.
    pub bbox: BoundingBox,
    first_at: Timestamp,
    /// Time of that box.
    pub last_at: Timestamp,
    pub alarmed: bool,
    /// Of the whole view and of the tiles; `None`: no evidence.
    witnesses: [Option<Witness>; 2],
    /// Looks with evidence for it, within the memory, oldest first.
    pub hits: Vec<Hit>,
    /// The present look's box in the whole view and in the tiles, and whether a tile covered the
    /// place.
    told: [Option<Weighed>; 2],
    is_covered: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    told: Weighed,
    at: Timestamp,
    evidence: f64,
}

impl Suspicion {
    pub(super) fn new(told: &Weighed, now: Timestamp) -> Self {
        let Detection { class, bbox, .. } = told.detection;
        let mut place = Self {
            class,
            bbox,
            first_at: now,
            last_at: now,
            alarmed: false,
            witnesses: [None, None],
            hits: Vec::new(),
            told: [None, None],
            is_covered: false,
        };
        place.hear(told, now);
        place
    }

    pub(super) fn look_anew(&mut self, tiles: &[Tile]) {
        (self.told, self.is_covered) = ([None, None], is_covered(&self.bbox, tiles));
    }

    /// Boxes come in order of falling log-odds, so a second one of the same view adds nothing.
    pub(super) fn hear(&mut self, told: &Weighed, now: Timestamp) {
        let slot = &mut self.told[usize::from(told.detection.tile.is_some())];
        if slot.is_some() {
            return;
        }
        *slot = Some(*told);
        if told.says > 0.0 && self.hits.last().is_none_or(|last| last.at < now) {
            (self.bbox, self.last_at) = (told.detection.bbox, now);
            self.hits.push(Hit { told: *told, at: now, evidence: 0.0 });
        }
    }

    /// An alarmed place was seen again, and does not fall quiet.
    pub(super) fn still_there(&mut self, bbox: BoundingBox, now: Timestamp) {
        if self.last_at < now {
            (self.bbox, self.last_at) = (bbox, now);
        }
    }

    /// Adds the evidence of the present look. The whole view covers every place. Silence of the
    /// tiles counts only if one covered the place.
    pub(super) fn weigh(&mut self, now: Timestamp, trust: f64, memory_s: f64) {
        let looked = [true, self.is_covered];
        for ((witness, told), looked) in self.witnesses.iter_mut().zip(&self.told).zip(looked) {
            let says = told.map_or(SILENCE, |it| it.says);
            let bbox = told.filter(|it| it.says > 0.0).map(|it| it.detection.bbox);
            match (witness.as_mut(), bbox) {
                (Some(witness), _) if looked || told.is_some() => {
                    witness.hear(now, says, bbox, trust, memory_s)
                }
                (None, Some(bbox)) => {
                    *witness = Some(Witness::new(now, bbox, says, trust, memory_s))
                }
                _ => {}
            }
            witness.take_if(|it| it.is_silent(now, memory_s));
        }
        let worth =
            |witness: &Option<Witness>| witness.as_ref().map_or(0.0, |it| it.worth(now, memory_s));
        // The errors of the whole view and of tiles are independent, so their evidence adds up
        // (train/EXPERIMENTS.md, 19). A view with evidence against the place takes nothing from the
        // other: each sees at its own scale.
        let evidence: f64 = self.witnesses.iter().map(|witness| worth(witness).max(0.0)).sum();
        if let Some(hit) = self.hits.last_mut().filter(|hit| hit.at == now) {
            hit.evidence = evidence;
        }
        self.hits.retain(|hit| now.duration_since(hit.at).as_secs_f64() <= memory_s);
        self.hits.drain(..self.hits.len().saturating_sub(HITS_MAX));
    }

    pub(super) fn is_held(&self) -> bool {
        self.witnesses.iter().any(Option::is_some)
    }

    /// `Some` if the present look is evidence for the place and the sum has reached the limit.
    pub(super) fn alarm(&mut self, now: Timestamp, limit: f64) -> Option<Confirmed> {
        let last = self.hits.last().filter(|hit| hit.at == now && hit.evidence >= limit)?;
        if self.alarmed || now.duration_since(self.first_at) < MIN_APART {
            return None;
        }
        let evidence = last.evidence as f32;
        let best = self
            .hits
            .iter()
            .max_by(|a, b| a.told.says.total_cmp(&b.told.says).then(b.at.cmp(&a.at)))?;
        let Detection { bbox, confidence, .. } = best.told.detection;
        let step = |hit: &Hit| EvidenceAt {
            at: hit.at,
            score: hit.told.detection.confidence,
            evidence: hit.evidence as f32,
        };
        self.alarmed = true;
        Some(Confirmed {
            class: self.class,
            bbox,
            best_at: best.at,
            confidence,
            first_at: self.first_at,
            confirmed_at: now,
            evidence,
            rise: self.hits.iter().map(step).collect(),
        })
    }
}
