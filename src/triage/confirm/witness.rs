//! What one view has said of one place: a sum of log-odds that fades (a sequential test, CUSUM).
//!
//! Time is counted in seconds, not in looks: a look stands for the time since the view's last one, so that looks 10 s and 60 s
//! apart that say the same come to the same.

use crate::triage::detection::BoundingBox;
use jiff::Timestamp;

/// What is seen within so many seconds is the same plume in the same light: one look's worth of evidence, however many
/// there are. Shapes of smoke and shadows of clouds change about as fast.
pub const CORRELATION_S: f64 = 30.0;
/// The first look at a place knows nothing of the time before it: it stands for one cadence.
const FIRST_S: f64 = 10.0;
/// A look stands for a minute at most: what was there in a longer gap nobody has seen.
const LOOK_MAX_S: f64 = 60.0;
/// One look says no more than this, or one glare of 0.9999 would do.
pub const SAYS_MAX: f64 = 3.0;
/// What a look says that sees nothing where something was: three in ten looks at smoke make no box (ln 0.3).
pub const SILENCE: f64 = -1.2;
/// Below it a view has nothing more to say.
const NOTHING: f64 = 0.01;

/// A plume grows; rock and glare do not. Added for a box e times as large as its first; never more than what looks have said, or a
/// box that spreads from one cell to three would alarm by itself.
const GROWTH: f64 = 1.0;
/// Vehicles and clouds cross the picture; smoke stands on its fire. Taken off when the box has moved by four times its size,
/// from two on.
const DRIFT: f64 = 1.0;
/// Pale rock keeps its size and score; smoke never does for long. Taken off after ten minutes of that, from five on.
const STANDING: f64 = 1.0;
/// A box counts as unchanged within a quarter of its size and so much of its log-odds; flames flicker by more.
const STEADY_AREA: f64 = 0.25;
const STEADY_SAYS: f64 = 0.5;

#[derive(Clone, Debug)]
pub struct Witness {
    evidence: f64,
    /// The view's last look at the place.
    at: Timestamp,
    first: BoundingBox,
    last: BoundingBox,
    steady: Steady,
}

/// What has not changed since.
#[derive(Clone, Copy, Debug)]
struct Steady {
    since: Timestamp,
    area: f64,
    says: f64,
}

/// How many looks' worth of evidence a look has that stands for so many seconds: about one in [`CORRELATION_S`].
pub fn share(seconds: f64, memory_s: f64) -> f64 {
    memory_s / CORRELATION_S * (1.0 - (-seconds / memory_s).exp())
}

impl Witness {
    /// The first look that speaks for the place. `trust`: the share of it that counts.
    pub fn new(at: Timestamp, bbox: BoundingBox, says: f64, trust: f64, memory_s: f64) -> Self {
        let evidence = share(FIRST_S, memory_s) * trust * says;
        Self { evidence, at, first: bbox, last: bbox, steady: Steady { since: at, area: area(&bbox), says } }
    }

    /// A further look, at which the view says so much. `bbox`: where, when it spoke for the place.
    pub fn hear(&mut self, at: Timestamp, says: f64, bbox: Option<BoundingBox>, trust: f64, memory_s: f64) {
        let gap_s = seconds(self.at, at).min(LOOK_MAX_S);
        self.evidence = (self.left(at, memory_s) + share(gap_s, memory_s) * trust * says).max(0.0);
        self.at = at;
        let Some(bbox) = bbox else { return };
        self.last = bbox;
        let is_steady = (area(&bbox) / self.steady.area).ln().abs() <= STEADY_AREA
            && (says - self.steady.says).abs() <= STEADY_SAYS;
        if !is_steady {
            self.steady = Steady { since: at, area: area(&bbox), says };
        }
    }

    pub fn is_silent(&self, now: Timestamp, memory_s: f64) -> bool {
        self.left(now, memory_s) < NOTHING
    }

    /// The evidence, with what the place's growth, drift and standing say.
    pub fn worth(&self, now: Timestamp, memory_s: f64) -> f64 {
        let (a, b) = (&self.first, &self.last);
        let grown = f64::from((b.area() / a.area()).ln()).clamp(0.0, 1.0);
        let moved = f64::from((b.centre_x() - a.centre_x()).hypot(b.centre_y() - a.centre_y()));
        let size = f64::from(a.w.max(a.h).max(b.w).max(b.h));
        let drifted = ((moved / size - 2.0) / 2.0).clamp(0.0, 1.0);
        let stood = (seconds(self.steady.since, now) / 300.0 - 1.0).clamp(0.0, 1.0);
        let said = self.left(now, memory_s);
        said + said.min(GROWTH * grown) - DRIFT * drifted - STANDING * stood
    }

    fn left(&self, now: Timestamp, memory_s: f64) -> f64 {
        self.evidence * (-seconds(self.at, now) / memory_s).exp()
    }
}

fn area(bbox: &BoundingBox) -> f64 {
    f64::from(bbox.area())
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
