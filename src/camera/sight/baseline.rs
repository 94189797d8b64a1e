//! Pure: how bright, sharp and varied this camera's pictures usually are. Learnt only from looks
//! without a fault, so that a dirty lens does not become the norm.

use super::small::Measurements;
use jiff::SignedDuration;

/// Looks before anything is called unusual: one minute at a cadence of 10 s.
const FIRST: u32 = 6;
/// Improvements are learnt within minutes, because a camera may start in fog …
const RISES_IN: SignedDuration = SignedDuration::from_mins(2);
/// … deterioration within hours. This follows haze and evening, but not a spider.
const FALLS_IN: SignedDuration = SignedDuration::from_hours(6);

/// Means over time. Edges and shapes are kept relative to brightness: half the light shows half the
/// difference.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Baseline {
    looks: u32,
    mean: f32,
    fine: f32,
    coarse: f32,
}

impl Baseline {
    pub(super) fn is_known(&self) -> bool {
        self.looks >= FIRST
    }

    pub(super) fn mean(&self) -> f32 {
        self.mean
    }

    /// Edges and large shapes of this look as shares of the usual. None until that is known.
    pub(super) fn shares(&self, look: &Measurements) -> Option<(f32, f32)> {
        let share = |value: f32, usual: f32| value / look.mean / usual.max(f32::EPSILON);
        self.is_known().then(|| (share(look.fine, self.fine), share(look.coarse, self.coarse)))
    }

    pub(super) fn learn(&mut self, look: &Measurements, since_last: SignedDuration) {
        self.looks = self.looks.saturating_add(1);
        let is_first = self.looks <= FIRST;
        let first = 1.0 / self.looks as f32;
        let follow = |own: &mut f32, new: f32| {
            let within = if new > *own { RISES_IN } else { FALLS_IN };
            let share = if is_first {
                first
            } else {
                (since_last.as_secs_f32() / within.as_secs_f32()).clamp(0.0, 0.5)
            };
            *own += (new - *own) * share;
        };
        follow(&mut self.mean, look.mean);
        follow(&mut self.fine, look.fine / look.mean);
        follow(&mut self.coarse, look.coarse / look.mean);
    }
}
