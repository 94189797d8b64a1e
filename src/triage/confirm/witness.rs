//! The evidence of one view for one place: a fading sum of log-odds (a sequential test, CUSUM).
//!
//! Time is counted in seconds, not in looks: a look stands for the time since the view's last one.
//! So looks with the same log-odds give the same evidence 10 s and 60 s apart.

use crate::triage::detection::BoundingBox;
use jiff::Timestamp;

/// Looks within this number of seconds show the same plume in the same light: together they are one
/// look's worth of evidence, however many there are. Shapes of smoke and shadows of clouds change
/// about as fast.
pub(super) const CORRELATION_S: f64 = 30.0;
/// Seconds that the first look at a place stands for: one cadence, because the time before is
/// unknown.
const FIRST_S: f64 = 10.0;
/// Most seconds that a look stands for: nobody saw the place during a longer gap.
const LOOK_MAX_S: f64 = 60.0;
/// Highest log-odds of one look; otherwise one glare of 0.9999 would suffice.
pub(super) const SAYS_MAX: f64 = 3.0;
/// Log-odds of a look without a box at a followed place: three in ten looks at smoke make no box
/// (ln 0.3).
pub(super) const SILENCE: f64 = -1.2;
/// A view with less evidence than this is dropped.
const NOTHING: f64 = 0.01;

/// A plume grows; rock and glare do not. Added in full for a box e times as large as its first.
/// Never more than the evidence of the looks, or a box that spreads from one cell to three would
/// alarm by itself.
const GROWTH: f64 = 1.0;
/// Vehicles and clouds cross the picture; smoke stays at its fire. Subtracted in full when the box
/// has moved by four times its size, in part from two times on.
const DRIFT: f64 = 1.0;
/// Pale rock keeps its size and score; smoke never does for long. Subtracted in full after ten
/// unchanged minutes, in part from five on.
const STANDING: f64 = 1.0;
/// A box counts as unchanged while the logarithm of its area changes by at most 0.25 and its
/// log-odds by at most 0.5; flames flicker by more.
const STEADY_AREA: f64 = 0.25;
const STEADY_SAYS: f64 = 0.5;

#[derive(Clone, Debug)]
pub(super) struct Witness {
    evidence: f64,
    /// The view's last look at the place.
    at: Timestamp,
    first: BoundingBox,
    last: BoundingBox,
    steady: Steady,
}

/// Since when the box is unchanged, and its area and log-odds then.
#[derive(Clone, Copy, Debug)]
struct Steady {
    since: Timestamp,
    area: f64,
    says: f64,
}

/// Weight of a look that stands for this number of seconds: about 1 for [`CORRELATION_S`].
pub(super) fn share(seconds: f64, memory_s: f64) -> f64 {
    memory_s / CORRELATION_S * (1.0 - (-seconds / memory_s).exp())
}

impl Witness {
    /// The first look with evidence for the place. `trust`: the share of it that counts.
    pub(super) fn new(
        at: Timestamp,
        bbox: BoundingBox,
        says: f64,
        trust: f64,
        memory_s: f64,
    ) -> Self {
        let evidence = share(FIRST_S, memory_s) * trust * says;
        Self {
            evidence,
            at,
            first: bbox,
            last: bbox,
            steady: Steady { since: at, area: area(&bbox), says },
        }
    }

    /// A further look. `says`: its log-odds. `bbox`: its box, if it is evidence for the place.
    pub(super) fn hear(
        &mut self,
        at: Timestamp,
        says: f64,
        bbox: Option<BoundingBox>,
        trust: f64,
        memory_s: f64,
    ) {
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

    pub(super) fn is_silent(&self, now: Timestamp, memory_s: f64) -> bool {
        self.left(now, memory_s) < NOTHING
    }

    /// The evidence, corrected for growth, drift and standing still.
    pub(super) fn worth(&self, now: Timestamp, memory_s: f64) -> f64 {
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
