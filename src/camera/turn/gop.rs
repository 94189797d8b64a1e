//! Pure: the interval between a camera's keyframes, measured from their arrival times.

use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// The median of this number of intervals is used: a lost packet doubles one, a reconnect lengthens
/// one.
const INTERVALS: usize = 5;
/// Nothing is reported before this number of intervals.
const INTERVALS_MIN: usize = 3;
/// Shorter intervals are always fine: a keyframe every 50 frames at 25 frames/s is a common factory
/// setting.
const FINE: SignedDuration = SignedDuration::from_millis(2500);

/// Of one camera.
#[derive(Debug, Default)]
pub(super) struct Gop {
    last_at: Option<Timestamp>,
    intervals: VecDeque<SignedDuration>,
}

impl Gop {
    /// A keyframe arrived.
    pub(super) fn came(&mut self, at: Timestamp) {
        if let Some(last) = self.last_at.replace(at).filter(|last| *last < at) {
            self.intervals.push_back(at.duration_since(last));
            if self.intervals.len() > INTERVALS {
                self.intervals.pop_front();
            }
        }
    }

    /// The interval, if it exceeds the cadence by more than a tenth, so that every look is late. A
    /// tenth is more than network jitter.
    pub(super) fn too_long_for(&self, cadence: SignedDuration) -> Option<SignedDuration> {
        let mut sorted: Vec<SignedDuration> = self.intervals.iter().copied().collect();
        sorted.sort();
        let median = *sorted.get(sorted.len() / 2)?;
        let limit = (cadence + cadence / 10).max(FINE);
        (sorted.len() >= INTERVALS_MIN && median > limit).then_some(median)
    }

    /// After a gap, intervals are measured afresh.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_interval_is_measured_and_an_odd_one_forgiven() {
        let cadence = SignedDuration::from_secs(10);
        for (what, arrivals_s, expected_s) in [
            ("every two seconds", &[0, 2, 4, 6, 8][..], None),
            ("just the cadence, wavering", &[0, 10, 21, 31, 40], None),
            ("two are too few to say", &[0, 20, 40], None),
            ("every twenty", &[0, 20, 40, 60], Some(20)),
            ("one lost", &[0, 4, 8, 30, 34, 38], None),
            ("set right: believed after three", &[0, 20, 40, 60, 80, 100, 104, 108, 112], None),
            ("a burst at one instant counts once", &[0, 0, 0, 20, 20, 40, 60], Some(20)),
        ] {
            let mut gop = Gop::default();
            for s in arrivals_s {
                gop.came(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(*s));
            }
            assert_eq!(gop.too_long_for(cadence).map(|d| d.as_secs()), expected_s, "{what}");
        }
    }
}
