//! Pure: was a camera looked at as often as configured? Counts met and missed slots from the times
//! of the looks.
//!
//! A slot is one cadence long. It is met when at least one frame was analysed in it, or judged by
//! the gate. Slots follow each other without gaps from the time the camera is added. The first
//! look, and the first look after a missed slot, moves the slots so that it stands in the middle of
//! its own. Otherwise they stay where they are. So a look may come up to half a cadence early or
//! late without a missed slot, but the rate must hold: a camera looked at every 11 s instead of
//! every 10 misses one slot in six.
//!
//! ```text
//!  |--missed--|--missed--|          until the first look
//!                   |-----X-----|-----X-----|-------X---|--missed---|     until the next look
//! ```

use jiff::{SignedDuration, Timestamp};

/// The sequence of one camera's slots.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    cadence: SignedDuration,
    /// Start of the current slot.
    slot_at: Timestamp,
    is_met: bool,
    /// The previous slot was missed, or there was none.
    is_broken: bool,
}

/// Slots that have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SlotCount {
    pub met: u64,
    pub missed: u64,
}

impl Pace {
    /// `since`: when the camera was added. `cadence` is positive (the configuration checks it).
    pub(super) fn new(cadence: SignedDuration, since: Timestamp) -> Self {
        Self { cadence, slot_at: since, is_met: false, is_broken: true }
    }

    /// A frame was analysed at `at`. Call `pass` first, or the slots before `at` are not counted.
    pub(super) fn looked(&mut self, at: Timestamp) {
        if self.is_broken && !self.is_met {
            self.slot_at = at.checked_sub(self.cadence / 2).unwrap_or(at);
        }
        self.is_met = true;
    }

    /// Advances to `now`. Returns the slots that have ended since the last call; None when none
    /// has.
    pub(super) fn pass(&mut self, now: Timestamp) -> Option<SlotCount> {
        let passed = now.duration_since(self.slot_at);
        if passed < -self.cadence {
            // The clock was set back: the current slot is discarded, and a new sequence starts.
            (self.slot_at, self.is_met, self.is_broken) = (now, false, true);
        }
        let over = passed.as_millis() / self.cadence.as_millis().max(1);
        let over = u64::try_from(over).ok().filter(|over| *over > 0)?;
        let met = u64::from(self.is_met);
        (self.is_met, self.is_broken) = (false, over > met);
        let gone = i32::try_from(over).ok().and_then(|over| self.cadence.checked_mul(over));
        self.slot_at = gone.and_then(|gone| self.slot_at.checked_add(gone).ok()).unwrap_or(now);
        Some(SlotCount { met, missed: over - met })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CADENCE: SignedDuration = SignedDuration::from_secs(10);

    fn at(s: f64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + (s * 1000.0) as i64)
            .expect("a time in this century")
    }

    /// A camera added at 0 s.
    struct Watched {
        pace: Pace,
        counted: (u64, u64),
    }

    impl Watched {
        fn new() -> Self {
            Self { pace: Pace::new(CADENCE, at(0.0)), counted: (0, 0) }
        }

        fn pass(&mut self, now_s: f64) -> (u64, u64) {
            let SlotCount { met, missed } = self.pace.pass(at(now_s)).unwrap_or_default();
            self.counted = (self.counted.0 + met, self.counted.1 + missed);
            self.counted
        }

        fn looked(&mut self, at_s: f64) {
            self.pass(at_s);
            self.pace.looked(at(at_s));
        }
    }

    fn counted(looks_s: &[f64], end_s: f64) -> (u64, u64) {
        let mut watched = Watched::new();
        looks_s.iter().for_each(|look_s| watched.looked(*look_s));
        watched.pass(end_s)
    }

    #[test]
    fn slots_are_met_by_looks_and_missed_without() {
        let every = |step_s: f64, n: u32| -> Vec<f64> {
            (0..n).map(|i| 1.0 + step_s * f64::from(i)).collect()
        };
        for (what, looks_s, end_s, met, missed) in [
            ("nothing is over yet", vec![1.0], 5.9, 0, 0),
            ("the first slot is over half a cadence after the first look", vec![1.0], 6.0, 1, 0),
            ("on the beat", every(10.0, 60), 596.0, 60, 0),
            ("twice a cadence counts once", every(5.0, 120), 596.0, 60, 0),
            ("keyframes come early and late", vec![1.0, 14.9, 17.2, 34.9, 37.0, 46.1], 56.0, 6, 0),
            ("a first look that is late", vec![27.0, 37.0], 42.0, 2, 2),
            ("never seen", vec![], 60.0, 0, 6),
            ("a gap of a minute", vec![1.0, 11.0, 71.0, 81.0], 86.0, 4, 5),
            (
                "after a gap another beat, at the edge of the old slots",
                vec![1.0, 11.0, 36.1, 45.9, 56.1, 65.9],
                71.1,
                6,
                2,
            ),
            ("every 11 s is not every 10 s", every(11.0, 55), 600.0, 55, 10),
            ("every 20 s is half", every(20.0, 30), 586.0, 30, 29),
        ] {
            assert_eq!(counted(&looks_s, end_s), (met, missed), "{what}");
        }
    }

    #[test]
    fn counting_in_between_changes_nothing() {
        let looks_s = [3.0, 12.0, 25.0, 59.0, 68.0];
        let mut watched = Watched::new();
        for tenth in 0..900 {
            let now_s = f64::from(tenth) / 10.0;
            watched.pass(now_s);
            if looks_s.contains(&now_s) {
                watched.looked(now_s);
            }
        }
        assert_eq!(watched.pass(90.0), counted(&looks_s, 90.0));
    }

    #[test]
    fn a_clock_that_is_set_back_neither_meets_nor_misses() {
        let mut watched = Watched::new();
        watched.looked(100.0);
        let (met, missed) = watched.pass(106.0);
        assert_eq!(watched.pass(20.0), (met, missed));
        watched.looked(21.0);
        watched.looked(31.0);
        assert_eq!(watched.pass(36.0), (met + 2, missed));
    }
}
