//! Pure: confirmation over time, k of n frames with hysteresis.

use super::detection::{Analysis, BoundingBox, Class, Detection};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The tunable numbers of one camera, published by the ops page; the version stands on every sighting.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    pub version: u32,
    /// Frame score from which a box counts, per class, 0..1.
    pub smoke: f32,
    pub fire: f32,
    /// Confirmed when at least `needed` of the last `window` analysed frames agree on a place in the picture.
    pub needed: u32,
    pub window: u32,
    /// While confirmed, a frame counts from `threshold × hysteresis`.
    pub hysteresis: f32,
    /// The same place may alarm again only after so long without any counted frame.
    #[schema(value_type = String, format = Duration)]
    pub cooldown: SignedDuration,
    /// Boxes smaller than this share of the frame do not count; larger than `area_max` neither (huge clouds).
    pub area_min: f32,
    pub area_max: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            version: 1,
            smoke: 0.5,
            fire: 0.5,
            needed: 3,
            window: 5,
            hysteresis: 0.8,
            cooldown: SignedDuration::from_mins(10),
            area_min: 0.0002,
            area_max: 0.6,
        }
    }
}

/// A place in one pose's picture that has been seen often enough.
#[derive(Clone, PartialEq, Debug)]
pub struct Confirmed {
    pub class: Class,
    /// The box of the best frame, and that frame's time and score.
    pub bbox: BoundingBox,
    pub best_at: Timestamp,
    pub confidence: f32,
    /// Time of the first counted frame.
    pub first_at: Timestamp,
    pub confirmed_at: Timestamp,
}

/// Confirmation of one pose of one camera. Frames come in time order; a frame not later than the last is ignored, unless a
/// whole window of them says that the clock was set back.
#[derive(Clone, Debug)]
pub struct Confirmer {
    thresholds: Thresholds,
    last_at: Option<Timestamp>,
    /// Frames in a row that were not later than the last.
    ignored: u32,
    /// Number of the last frame; places count frames by it.
    frame: u64,
    places: Vec<Place>,
}

/// So many places of one picture are followed at once, the most certain first: a picture with more is broken, and memory
/// and time stay bounded whatever a model says.
pub const PLACES_MAX: usize = 64;

/// Frames; ten minutes at the default cadence of 10 s. Nothing that burns may be counted for longer before it alarms.
pub const WINDOW_MAX: u32 = 60;

/// A window may span as many minutes as it has frames: frames farther apart say little about one plume.
const WINDOW_SPAN_PER_FRAME: SignedDuration = SignedDuration::from_mins(1);

impl Confirmer {
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, last_at: None, ignored: 0, frame: 0, places: Vec::new() }
    }

    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Newly published numbers apply from the next frame on; what has alarmed stays quiet.
    pub fn retune(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// At most one confirmation a class and place until it has been quiet for the cooldown.
    pub fn observe(&mut self, analysis: &Analysis) -> Vec<Confirmed> {
        let now = analysis.captured_at;
        if self.last_at.is_some_and(|last| now <= last) {
            self.ignored += 1;
            if self.ignored <= self.thresholds.window {
                return Vec::new();
            }
            self.start_anew(now);
        }
        self.ignored = 0;
        self.last_at = Some(now);
        self.frame += 1;
        self.forget(now);
        for detection in certain_first(&analysis.detections) {
            self.count(detection, now);
        }
        let needed = self.thresholds.needed.max(1) as usize;
        let ready = self.places.iter_mut().filter(|place| !place.confirmed && place.hits.len() >= needed);
        ready.filter_map(|place| place.confirm(now)).collect()
    }

    /// The clock was set back: waiting until it catches up would leave the camera blind. What has alarmed stays quiet.
    fn start_anew(&mut self, now: Timestamp) {
        self.places.retain(|place| place.confirmed);
        for place in &mut self.places {
            place.hits.clear();
            place.last_at = now;
        }
    }

    /// Drops hits that have left the window, places without any, and alarmed places that have been quiet long enough.
    fn forget(&mut self, now: Timestamp) {
        let Thresholds { window, cooldown, .. } = self.thresholds;
        let oldest_frame = (self.frame + 1).saturating_sub(u64::from(window));
        let span = WINDOW_SPAN_PER_FRAME * i32::try_from(window).unwrap_or(i32::MAX);
        let oldest_at = now.checked_sub(span).unwrap_or(Timestamp::MIN);
        let in_window = |hit: &Hit| hit.frame >= oldest_frame && hit.at >= oldest_at;
        for place in &mut self.places {
            place.hits.retain(in_window);
        }
        self.places.retain(|place| {
            if place.confirmed { now.duration_since(place.last_at) < cooldown } else { !place.hits.is_empty() }
        });
    }

    fn count(&mut self, detection: &Detection, now: Timestamp) {
        let Thresholds { area_min, area_max, hysteresis, .. } = self.thresholds;
        let threshold = self.thresholds.of(detection.class);
        if !(area_min..=area_max).contains(&detection.bbox.area()) {
            return;
        }
        let same = |place: &&mut Place| place.class == detection.class && is_same_place(&place.bbox, &detection.bbox);
        let nearest = self.places.iter_mut().filter(same).max_by(|a, b| {
            let iou = |place: &Place| place.bbox.iou(&detection.bbox);
            a.confirmed.cmp(&b.confirmed).then_with(|| iou(a).total_cmp(&iou(b)))
        });
        let hit = Hit { frame: self.frame, at: now, bbox: detection.bbox, confidence: detection.confidence };
        match nearest {
            Some(place) if place.confirmed => {
                if detection.confidence >= threshold * hysteresis {
                    place.hit(hit);
                }
            }
            Some(place) => {
                if detection.confidence >= threshold {
                    place.hit(hit);
                }
            }
            None => {
                if detection.confidence >= threshold && self.places.len() < PLACES_MAX {
                    self.places.push(Place::new(detection.class, hit));
                }
            }
        }
    }
}

impl Thresholds {
    pub fn of(&self, class: Class) -> f32 {
        match class {
            Class::Smoke => self.smoke,
            Class::Fire => self.fire,
        }
    }
}

/// A spot of the picture that is being followed.
#[derive(Clone, Debug)]
struct Place {
    class: Class,
    /// The latest counted box, so that a growing or drifting plume stays one place.
    bbox: BoundingBox,
    last_at: Timestamp,
    /// One a frame, oldest first, all within the window.
    hits: Vec<Hit>,
    confirmed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Hit {
    frame: u64,
    at: Timestamp,
    bbox: BoundingBox,
    confidence: f32,
}

impl Place {
    fn new(class: Class, hit: Hit) -> Self {
        Self { class, bbox: hit.bbox, last_at: hit.at, hits: vec![hit], confirmed: false }
    }

    /// Boxes come most certain first, so a second one of the same frame adds nothing.
    fn hit(&mut self, hit: Hit) {
        if self.hits.last().is_none_or(|last| last.frame < hit.frame) {
            self.bbox = hit.bbox;
            self.last_at = hit.at;
            self.hits.push(hit);
        }
    }

    fn confirm(&mut self, now: Timestamp) -> Option<Confirmed> {
        let first = self.hits.first()?;
        let best = self.hits.iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence).then(b.at.cmp(&a.at)))?;
        self.confirmed = true;
        Some(Confirmed {
            class: self.class,
            bbox: best.bbox,
            best_at: best.at,
            confidence: best.confidence,
            first_at: first.at,
            confirmed_at: now,
        })
    }
}

fn certain_first(detections: &[Detection]) -> Vec<&Detection> {
    let mut sorted: Vec<&Detection> = detections.iter().collect();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    sorted
}

/// Overlapping by a tenth, or the centre of one inside the other grown by half its size and 1 % of the picture to each side:
/// smoke grows and leans with the wind between frames.
pub fn is_same_place(a: &BoundingBox, b: &BoundingBox) -> bool {
    let holds = |outer: &BoundingBox, inner: &BoundingBox| {
        let (dx, dy) = (inner.centre_x() - outer.centre_x(), inner.centre_y() - outer.centre_y());
        dx.abs() <= outer.w + 0.01 && dy.abs() <= outer.h + 0.01
    };
    a.iou(b) >= 0.1 || holds(a, b) || holds(b, a)
}

#[cfg(test)]
mod tests;
