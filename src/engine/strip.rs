//! Pure: 过程图: which pictures around an alarm are kept. Every pose has a ring buffer of small
//! pictures of the last minutes. When something is confirmed, they are passed on, and after them
//! pictures of the looks of the next minutes. The caller encodes and stores them.

use super::Seen;
use crate::triage::confirm::is_same_place;
use crate::triage::detection::{BoundingBox, Class, Detection, Stream};
use crate::triage::id::{CameraId, PictureId, PoseId, SightingId};
use crate::triage::strip::{SeenAt, StripFrame};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A person looks for a plume that was not there three minutes ago; the model's own past is as
/// long.
const BEFORE: SignedDuration = SignedDuration::from_mins(3);
/// Interval between two pictures of a ring: every second look at a cadence of 10 s, with a margin
/// of 2 s for looks that come early.
const BEFORE_EVERY: SignedDuration = SignedDuration::from_secs(18);
/// Pictures per ring: three minutes of them.
const BEFORE_MAX: usize = 10;
/// JPEG bytes of all rings. A picture of 480 pixels has 8–15 kB, so 267 cameras have 32 MB; with
/// more cameras or poses the rings reach back less far.
const BEFORE_BYTES_MAX: usize = 40_000_000;
/// Largest width and height of a ring's pictures, pixels: enough for a person to see what is new,
/// small enough for 267 rings.
const BEFORE_SIDE: u32 = 480;

/// In this time clouds move on and smoke grows.
const AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Interval between two pictures of the screened stream after an alarm. A suspicious camera is
/// looked at twice as often.
const AFTER_EVERY: SignedDuration = SignedDuration::from_secs(9);
const AFTER_SIDE: u32 = 640;
/// Pictures of the main stream are kept at up to this size, so that crops of them have real pixels:
/// 1080p, about 150 kB.
const MAIN_SIDE: u32 = 1920;
/// Pictures per strip: ten before the alarm, and one in ten seconds for five minutes after it.
/// Stills of the main stream count too.
const STRIP_MAX: usize = 40;
/// Strips that grow at the same time. When fog sets in, many cameras confirm it, and each strip
/// costs one encoded picture in ten seconds. Further alarms keep only the pictures before them.
const GROWING_MAX: usize = 64;
/// A strip whose camera has gone dark ends this long after its normal end, and its ring goes this
/// long after its last picture. Cameras that upload may be an hour late, so another camera's clock
/// must not end it sooner.
const DARK_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Boxes remembered per picture of a ring: those with the highest confidence.
const BOXES_MAX: usize = 8;

/// A picture to keep: its name and its JPEG.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    pub picture: PictureId,
    pub jpeg: Vec<u8>,
}

/// The picture of one look, with what was detected in it.
#[derive(Debug)]
pub struct Shot {
    captured_at: Timestamp,
    stream: Stream,
    detections: Vec<Detection>,
    pub encoded: Encoded,
}

/// A sighting that begins with this look.
#[derive(Clone, Copy, Debug)]
pub struct Began {
    pub sighting: SightingId,
    pub class: Class,
    pub bbox: BoundingBox,
}

/// A picture to be added to a strip.
#[derive(Clone, Debug)]
pub struct Kept {
    pub frame: StripFrame,
    pub shot: Arc<Shot>,
}

/// A drill's pictures contain rendered smoke, so a drill has its own ring.
type View = (CameraId, PoseId, bool);

/// The rings of all poses, and the strips that still grow.
#[derive(Debug, Default)]
pub struct Strips {
    rings: BTreeMap<View, VecDeque<Arc<Shot>>>,
    /// JPEG bytes of all rings.
    bytes: usize,
    growing: Vec<Growing>,
}

#[derive(Debug)]
struct Growing {
    view: View,
    until: Timestamp,
    /// Where the smoke was last seen.
    of: Began,
    pictures: usize,
    last_at: Option<Timestamp>,
}

impl Strips {
    /// Returns what to keep of this look. `encode(side)`: the look's picture as JPEG, at most
    /// `side` pixels wide and high; None if encoding fails. Call it with the looks of one pose in
    /// time order.
    pub fn look(
        &mut self,
        seen: &Seen,
        began: &[Began],
        encode: impl Fn(u32) -> Option<Encoded>,
    ) -> Vec<Kept> {
        let (analysis, now) = (&seen.analysis, seen.analysis.captured_at);
        let view = (analysis.camera.clone(), analysis.pose.clone(), seen.drill);
        self.forget(&view, now);
        let shot = |side: u32| {
            let mut detections = analysis.detections.clone();
            detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            detections.truncate(BOXES_MAX);
            let (captured_at, stream) = (now, analysis.stream);
            encode(side).map(|encoded| Arc::new(Shot { captured_at, stream, detections, encoded }))
        };
        let mut kept = Vec::new();
        for of in began {
            let before =
                self.rings.get(&view).into_iter().flatten().filter(|shot| shot.captured_at < now);
            let before: Vec<Kept> = before.map(|shot| shot.kept(of)).collect();
            if self.growing.len() < GROWING_MAX {
                let (view, pictures, until) = (view.clone(), before.len(), now + AFTER);
                self.growing.push(Growing { view, until, of: *of, pictures, last_at: None });
            } else {
                tracing::warn!(sighting = %of.sighting, "too many alarms at once: of this one only \
                    the pictures before it are kept");
            }
            kept.extend(before);
        }
        let mut wanting = self
            .growing
            .iter_mut()
            .filter(|it| it.view == view && it.wants(analysis.stream, now))
            .peekable();
        let side = if analysis.stream == Stream::Main { MAIN_SIDE } else { AFTER_SIDE };
        if wanting.peek().is_some()
            && let Some(shot) = shot(side)
        {
            kept.extend(wanting.map(|it| it.take(&shot)));
        }
        let is_due = |last: &Arc<Shot>| now.duration_since(last.captured_at).abs() >= BEFORE_EVERY;
        if self.rings.get(&view).and_then(|ring| ring.back()).is_none_or(is_due)
            && let Some(shot) = shot(BEFORE_SIDE)
        {
            self.remember(view, shot);
        }
        kept
    }

    /// Drops the pictures of this view's ring that are too old, the strips that have ended, and the
    /// rings of cameras that have gone dark or left the register.
    fn forget(&mut self, view: &View, now: Timestamp) {
        let is_over = |it: &Growing| match it.view == *view {
            true => now >= it.until || it.pictures >= STRIP_MAX,
            false => now.duration_since(it.until) >= DARK_FOR,
        };
        self.growing.retain(|it| !is_over(it));
        let bytes = &mut self.bytes;
        self.rings.retain(|_, ring| {
            let is_dark =
                ring.back().is_none_or(|shot| now.duration_since(shot.captured_at) >= DARK_FOR);
            *bytes -=
                if is_dark { ring.iter().map(|shot| shot.encoded.jpeg.len()).sum() } else { 0 };
            !is_dark
        });
        let Some(ring) = self.rings.get_mut(view) else { return };
        while ring.front().is_some_and(|shot| now.duration_since(shot.captured_at) > BEFORE) {
            self.bytes -= ring.pop_front().map_or(0, |shot| shot.encoded.jpeg.len());
        }
    }

    fn remember(&mut self, view: View, shot: Arc<Shot>) {
        self.bytes += shot.encoded.jpeg.len();
        let ring = self.rings.entry(view).or_default();
        ring.push_back(shot);
        if ring.len() > BEFORE_MAX {
            self.bytes -= ring.pop_front().map_or(0, |shot| shot.encoded.jpeg.len());
        }
        while self.bytes > BEFORE_BYTES_MAX {
            // Removes the empty rings: they have no picture to drop.
            self.rings.retain(|_, ring| !ring.is_empty());
            let oldest = self
                .rings
                .values_mut()
                .min_by_key(|ring| ring.front().map(|shot| shot.captured_at));
            let Some(shot) = oldest.and_then(VecDeque::pop_front) else { return };
            self.bytes -= shot.encoded.jpeg.len();
        }
    }
}

impl Growing {
    fn wants(&self, stream: Stream, now: Timestamp) -> bool {
        let is_due = self.last_at.is_none_or(|last| now.duration_since(last).abs() >= AFTER_EVERY);
        self.pictures < STRIP_MAX && (is_due || stream == Stream::Main)
    }

    fn take(&mut self, shot: &Arc<Shot>) -> Kept {
        let kept = shot.kept(&self.of);
        if let Some(place) = kept.frame.seen {
            // Smoke drifts and grows: the strip follows it.
            self.of.bbox = place.bbox;
        }
        (self.pictures, self.last_at) = (self.pictures + 1, Some(shot.captured_at));
        kept
    }
}

impl Shot {
    fn kept(self: &Arc<Self>, of: &Began) -> Kept {
        let is_it =
            |found: &&Detection| found.class == of.class && is_same_place(&found.bbox, &of.bbox);
        let surest = self
            .detections
            .iter()
            .filter(is_it)
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence));
        let (captured_at, stream) = (self.captured_at, self.stream);
        let seen = surest.map(|found| SeenAt { score: found.confidence, bbox: found.bbox });
        let frame = StripFrame {
            sighting: of.sighting,
            captured_at,
            stream,
            seen,
            picture: self.encoded.picture,
        };
        Kept { frame, shot: Arc::clone(self) }
    }
}

#[cfg(test)]
mod tests;
