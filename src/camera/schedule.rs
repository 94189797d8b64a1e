//! Pure: whose turn it is. Earliest deadline first: every camera falls due once a cadence, suspicious ones twice.

use jiff::{SignedDuration, Timestamp};

/// Which camera to look at next. Nobody is starved: whoever is taken falls due later than all who wait, so a camera waits
/// for at most one turn of each of the others.
#[derive(Debug)]
pub struct Schedule {
    cadence: SignedDuration,
    turns: Vec<Turn>,
}

#[derive(Clone, Debug)]
struct Turn {
    due_at: Timestamp,
    taken_at: Timestamp,
    boosted_until: Timestamp,
}

impl Schedule {
    /// All cameras are due at once. `cadence` is positive (the configuration checks it).
    pub fn new(cameras: usize, cadence: SignedDuration) -> Self {
        let never = Timestamp::UNIX_EPOCH;
        Self { cadence, turns: vec![Turn { due_at: never, taken_at: never, boosted_until: never }; cameras] }
    }

    /// The most overdue camera that has a fresh keyframe, marked as taken at `now`.
    pub fn next(&mut self, now: Timestamp, has_fresh_keyframe: impl Fn(usize) -> bool) -> Option<usize> {
        let due = self.turns.iter().enumerate().filter(|(i, turn)| turn.due_at <= now && has_fresh_keyframe(*i));
        let (index, _) = due.min_by_key(|(i, turn)| (turn.due_at, *i))?;
        let half = self.cadence / 2;
        let turn = &mut self.turns[index];
        let interval = if now < turn.boosted_until { half } else { self.cadence };
        // Keeps the beat when a keyframe came a little late, but never asks twice within half a cadence to catch up.
        let is_on_beat = now.duration_since(turn.due_at) < interval;
        turn.due_at = later(if is_on_beat { turn.due_at } else { now }, interval).max(later(now, half));
        turn.taken_at = now;
        Some(index)
    }

    /// A suspicious camera is looked at every half cadence until then. Asking again only moves the end.
    pub fn boost(&mut self, camera: usize, until: Timestamp) {
        let soon = self.cadence / 2;
        let Some(turn) = self.turns.get_mut(camera) else { return };
        turn.boosted_until = turn.boosted_until.max(until);
        turn.due_at = turn.due_at.min(later(turn.taken_at, soon));
    }

    pub fn is_due(&self, camera: usize, now: Timestamp) -> bool {
        self.turns.get(camera).is_some_and(|turn| turn.due_at <= now)
    }

    /// How long the camera has been waiting for its turn; zero when it is not due yet or has never had one.
    pub fn overdue(&self, camera: usize, now: Timestamp) -> SignedDuration {
        let Some(turn) = self.turns.get(camera) else { return SignedDuration::ZERO };
        if turn.due_at == Timestamp::UNIX_EPOCH {
            return SignedDuration::ZERO;
        }
        now.duration_since(turn.due_at).max(SignedDuration::ZERO)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CADENCE: SignedDuration = SignedDuration::from_secs(10);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + ms).expect("a time in this century")
    }

    #[test]
    fn every_camera_gets_one_turn_a_cadence() {
        let mut schedule = Schedule::new(3, CADENCE);
        let order: Vec<_> = (0..4).map(|_| schedule.next(at(0), |_| true)).collect();
        assert_eq!(order, [Some(0), Some(1), Some(2), None], "all are due at the start, then nobody");
        assert_eq!(schedule.next(at(9_999), |_| true), None);
        assert_eq!(schedule.next(at(10_000), |_| true), Some(0));
    }

    #[test]
    fn a_camera_without_a_fresh_keyframe_is_passed_over_and_keeps_its_place() {
        let mut schedule = Schedule::new(2, CADENCE);
        assert_eq!(schedule.next(at(0), |i| i == 1), Some(1));
        assert_eq!(schedule.next(at(3_000), |_| true), Some(0));
    }

    #[test]
    fn a_suspicious_camera_is_seen_twice_as_often_and_not_more_often() {
        let mut schedule = Schedule::new(1, CADENCE);
        schedule.next(at(0), |_| true);
        let mut turns = Vec::new();
        for ms in (0..30_000).step_by(100) {
            schedule.boost(0, at(20_000));
            turns.extend(schedule.next(at(ms), |_| true).map(|_| ms));
        }
        assert_eq!(turns, [5_000, 10_000, 15_000, 20_000, 25_000], "boosting every 100 ms must not buy more turns");
    }

    #[test]
    fn a_late_keyframe_does_not_shift_the_beat() {
        let mut schedule = Schedule::new(1, CADENCE);
        schedule.next(at(0), |_| true);
        assert_eq!(schedule.next(at(11_500), |_| true), Some(0));
        assert_eq!(schedule.next(at(19_999), |_| true), None);
        assert_eq!(schedule.next(at(20_000), |_| true), Some(0));
    }

    proptest! {
        /// Whatever the load, boosts and missing keyframes: a camera that is due and fresh waits for at most one turn of
        /// each of the others, and nobody gets two turns within half a cadence.
        #[test]
        fn nobody_is_starved(
            cameras in 1usize..12,
            steps in prop::collection::vec((0i64..8_000, prop::option::of(0usize..12), any::<u16>()), 1..200),
        ) {
            let mut schedule = Schedule::new(cameras, CADENCE);
            let (mut now, mut waited, mut last) = (0, vec![0usize; cameras], vec![i64::MIN / 2; cameras]);
            for (step_ms, boosted, fresh) in steps {
                now += step_ms;
                if let Some(camera) = boosted {
                    schedule.boost(camera, at(now + 60_000));
                }
                let is_fresh = |i: usize| fresh & (1 << i) != 0;
                let due: Vec<bool> = (0..cameras).map(|i| schedule.turns[i].due_at <= at(now) && is_fresh(i)).collect();
                let taken = schedule.next(at(now), is_fresh);
                prop_assert_eq!(taken.is_some(), due.contains(&true), "work is never left lying");
                for i in 0..cameras {
                    if Some(i) == taken {
                        prop_assert!(now - last[i] >= 5_000, "twice within half a cadence");
                        (waited[i], last[i]) = (0, now);
                    } else if due[i] {
                        waited[i] += 1;
                        prop_assert!(waited[i] < cameras, "camera {i} waited {} turns of {cameras}", waited[i]);
                    }
                }
            }
        }
    }
}
