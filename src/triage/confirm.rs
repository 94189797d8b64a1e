//! Pure: confirmation over time, a sequential test of each place in the picture. The evidence of
//! looks for and against smoke is summed as log-odds, which fade. When the sum reaches the
//! threshold, the place alarms.

mod suspicion;
mod thresholds;
mod witness;

pub use suspicion::{HITS_MAX, MIN_APART};
pub use thresholds::{MEMORY_MAX, Numbers, Thresholds};

use super::detection::{Analysis, BoundingBox, Class, Detection, Tile};
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Ordering::{self, Equal};
use suspicion::{Suspicion, Weighed};
use utoipa::ToSchema;

/// A place in one pose's picture with enough evidence.
#[derive(Clone, PartialEq, Debug)]
pub struct Confirmed {
    pub class: Class,
    /// Box of the best frame, with that frame's time and score below.
    pub bbox: BoundingBox,
    pub best_at: Timestamp,
    pub confidence: f32,
    /// Time of the first look with evidence for it.
    pub first_at: Timestamp,
    pub confirmed_at: Timestamp,
    /// Log-odds at `confirmed_at`, at least the `evidence` of that time.
    pub evidence: f32,
    /// How the evidence rose, oldest first: the last [`HITS_MAX`] looks with evidence for the
    /// place, within the memory.
    pub rise: Vec<EvidenceAt>,
}

/// One look that spoke for a place.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct EvidenceAt {
    pub at: Timestamp,
    /// The model's, 0..1.
    pub score: f32,
    /// Log-odds after it.
    pub evidence: f32,
}

/// Confirmation of one pose of one camera. Looks come in time order. A look that is not later than
/// the last is ignored, unless several in a row show that the clock was set back.
#[derive(Clone, Debug)]
pub struct Confirmer {
    thresholds: Thresholds,
    last_at: Option<Timestamp>,
    /// Consecutive looks that were not later than the last.
    ignored: u32,
    places: Vec<Suspicion>,
}

/// Most places of one picture that are followed, the most certain first. A picture with more is
/// broken; memory and time stay bounded whatever a model outputs.
pub const PLACES_MAX: usize = 64;

/// More consecutive looks than this that are not later than the last mean that the clock was set
/// back. Fewer are repeats or stragglers.
const IGNORED_MAX: u32 = 5;

/// Weight of a look without an earlier picture: half. Glare and pale ground look like smoke until
/// earlier pictures show them as well. With full weight, one look at a start, or after a camera had
/// turned, passed every threshold on both.
const WITHOUT_PAST: f64 = 0.5;

impl Confirmer {
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, last_at: None, ignored: 0, places: Vec::new() }
    }

    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// New thresholds apply from the next look on. Places that have alarmed stay quiet.
    pub fn retune(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// At most one confirmation of a class and place until the place has been quiet for the
    /// cooldown.
    pub fn observe(&mut self, analysis: &Analysis) -> Vec<Confirmed> {
        let now = analysis.captured_at;
        if !self.is_next(now) {
            return Vec::new();
        }
        let Numbers { cooldown, evidence, .. } = *self.thresholds;
        let (memory_s, trust) =
            (self.thresholds.memory_s(), if analysis.has_past { 1.0 } else { WITHOUT_PAST });
        self.places.retain(|place| !place.alarmed || now.duration_since(place.last_at) < cooldown);
        self.places.iter_mut().for_each(|place| place.look_anew(&analysis.tiles));
        for told in self.surest_first(&analysis.detections) {
            self.take(&told, now);
        }
        for place in self.places.iter_mut().filter(|place| !place.alarmed) {
            place.weigh(now, trust, memory_s);
        }
        self.places.retain(|place| place.alarmed || place.is_held());
        let alarmed =
            self.places.iter_mut().filter_map(|place| place.alarm(now, f64::from(evidence)));
        alarmed.collect()
    }

    /// Whether the look is later than the last one. If the clock was set back, waiting until it
    /// catches up would leave the camera blind, so all evidence starts anew. Places that have
    /// alarmed stay quiet.
    fn is_next(&mut self, now: Timestamp) -> bool {
        if self.last_at.is_some_and(|last| now <= last) {
            self.ignored += 1;
            if self.ignored <= IGNORED_MAX {
                return false;
            }
            self.places.retain(|place| place.alarmed);
            self.places.iter_mut().for_each(|place| place.last_at = now);
        }
        (self.ignored, self.last_at) = (0, Some(now));
        true
    }

    /// Boxes of valid size with their log-odds, the highest first. Equal ones have a fixed order,
    /// which is not the model's.
    fn surest_first(&self, detections: &[Detection]) -> Vec<Weighed> {
        let Numbers { area_min, area_max, .. } = *self.thresholds;
        let counts = |it: &&Detection| {
            (area_min..=area_max).contains(&it.bbox.area()) && !it.confidence.is_nan()
        };
        let tell = |it: &Detection| Weighed { detection: *it, says: self.thresholds.says(it) };
        let mut told: Vec<Weighed> = detections.iter().filter(counts).map(tell).collect();
        told.sort_by(|a, b| {
            let (x, y) = (&a.detection, &b.detection);
            let sides = |bbox: BoundingBox| <[f32; 4]>::from(bbox);
            let boxes = sides(x.bbox).into_iter().zip(sides(y.bbox)).map(|(p, q)| p.total_cmp(&q));
            b.says
                .total_cmp(&a.says)
                .then(x.class.cmp(&y.class))
                .then(boxes.fold(Equal, Ordering::then))
                .then(x.tile.cmp(&y.tile))
        });
        told
    }

    fn take(&mut self, told: &Weighed, now: Timestamp) {
        let Detection { class, bbox, confidence, .. } = told.detection;
        let same =
            |place: &&mut Suspicion| place.class == class && is_same_place(&place.bbox, &bbox);
        let nearest = self.places.iter_mut().filter(same).max_by(|a, b| {
            let iou = |place: &Suspicion| place.bbox.iou(&bbox);
            a.alarmed.cmp(&b.alarmed).then_with(|| iou(a).total_cmp(&iou(b)))
        });
        match nearest {
            Some(place) if place.alarmed => {
                let stays = self.thresholds.neutral(class, told.detection.tile)
                    * self.thresholds.hysteresis;
                if confidence >= stays {
                    place.still_there(bbox, now);
                }
            }
            Some(place) => place.hear(told, now),
            None => {
                if told.says > 0.0 && self.places.len() < PLACES_MAX {
                    self.places.push(Suspicion::new(told, now));
                }
            }
        }
    }
}

/// Whether the centre of the box lies in one of the tiles.
pub fn is_covered(bbox: &BoundingBox, tiles: &[Tile]) -> bool {
    let (x, y) = (bbox.centre_x(), bbox.centre_y());
    tiles
        .iter()
        .map(Tile::area)
        .any(|it| it.x <= x && x <= it.x + it.w && it.y <= y && y <= it.y + it.h)
}

/// Two boxes are the same place if they overlap by a tenth (IoU), or if the centre of one lies in
/// the other, enlarged on each side by half its size and 1 % of the picture. Between frames smoke
/// grows and leans with the wind.
pub fn is_same_place(a: &BoundingBox, b: &BoundingBox) -> bool {
    let holds = |outer: &BoundingBox, inner: &BoundingBox| {
        let (dx, dy) = (inner.centre_x() - outer.centre_x(), inner.centre_y() - outer.centre_y());
        dx.abs() <= outer.w + 0.01 && dy.abs() <= outer.h + 0.01
    };
    a.iou(b) >= 0.1 || holds(a, b) || holds(b, a)
}

#[cfg(test)]
mod tests;
