//! Pure: when to reconnect, and when a silent stream counts as late or offline. Takes `now`.

use jiff::{SignedDuration, Timestamp};

/// A camera that refuses the password, or that cannot work at all, is retried after this multiple
/// of the longest wait (60 s → 10 min). Many makes lock the account after five to seven wrong
/// passwords, and then nobody can log in.
const REFUSED_WAITS: i32 = 10;

/// Exponential back-off: `min`, doubled after each failure, up to `max`. A picture resets it.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    min: SignedDuration,
    max: SignedDuration,
    /// 0..1: lengthens the waits by up to half, so that 267 cameras behind one switch do not all
    /// reconnect at the same moment.
    spread: f64,
    failures: u32,
    retry_at: Timestamp,
}

impl Backoff {
    /// The first try is due at once.
    pub(super) fn new(min: SignedDuration, max: SignedDuration, spread: f64) -> Self {
        Self {
            min,
            max,
            spread: spread.clamp(0.0, 1.0),
            failures: 0,
            retry_at: Timestamp::UNIX_EPOCH,
        }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.retry_at
    }

    /// The attempt failed. Returns the wait until the next one.
    pub(super) fn failed(&mut self, now: Timestamp) -> SignedDuration {
        let doubled = 2i32.checked_pow(self.failures).and_then(|times| self.min.checked_mul(times));
        self.failures = self.failures.saturating_add(1);
        self.wait(now, doubled.unwrap_or(self.max).min(self.max))
    }

    /// Used when an early retry would do harm or cannot help.
    pub(super) fn refused(&mut self, now: Timestamp) -> SignedDuration {
        self.wait(now, self.max.checked_mul(REFUSED_WAITS).unwrap_or(self.max))
    }

    /// The next attempt is due at once.
    pub(super) fn again(&mut self, now: Timestamp) {
        self.retry_at = now;
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn wait(&mut self, now: Timestamp, wait: SignedDuration) -> SignedDuration {
        let stretched =
            SignedDuration::try_from_secs_f64(wait.as_secs_f64() * (1.0 + self.spread / 2.0))
                .unwrap_or(wait);
        self.retry_at = now.checked_add(stretched).unwrap_or(Timestamp::MAX);
        stretched
    }
}

/// What a gap in the stream means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gap {
    Fine,
    /// Video arrives, but keyframes are rarer than the cadence needs: a setting of the camera.
    RareKeyframes,
    /// No keyframe for `late_after`, and nothing else for half of it at least.
    Late,
    /// Nothing received for `offline_after`: reconnect.
    Offline,
}

/// Before anything is received, `last_keyframe_at` and `last_data_at` hold the start of the
/// attempt.
pub(super) fn judge_silence(
    now: Timestamp,
    last_keyframe_at: Timestamp,
    last_data_at: Timestamp,
    late_after: SignedDuration,
    offline_after: SignedDuration,
) -> Gap {
    if now.duration_since(last_keyframe_at) < late_after {
        return Gap::Fine;
    }
    match now.duration_since(last_data_at) {
        gap if gap >= offline_after => Gap::Offline,
        // The last data come later than the last keyframe, by up to a GOP.
        gap if gap >= late_after / 2 => Gap::Late,
        _ => Gap::RareKeyframes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: i64) -> SignedDuration {
        SignedDuration::from_secs(n)
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
    }

    #[test]
    fn waits_double_up_to_the_longest_and_a_picture_starts_over() {
        let mut backoff = Backoff::new(secs(1), secs(60), 0.0);
        assert!(backoff.is_due(at(0)), "the first try is due at once");
        let waits: Vec<_> = (0..9).map(|_| backoff.failed(at(0)).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(!backoff.is_due(at(59)) && backoff.is_due(at(60)));
        backoff.succeeded();
        assert_eq!(backoff.failed(at(0)), secs(1));
    }

    #[test]
    fn a_refused_password_is_not_tried_often_enough_to_lock_the_account() {
        let mut backoff = Backoff::new(secs(1), secs(60), 0.0);
        assert_eq!(backoff.refused(at(0)), secs(600));
    }

    #[test]
    fn cameras_behind_one_switch_come_back_one_after_the_other() {
        let waits: Vec<_> = [0.0, 0.5, 1.0]
            .map(|spread| Backoff::new(secs(60), secs(60), spread).failed(at(0)))
            .into();
        assert_eq!(waits, [secs(60), secs(75), secs(90)]);
    }

    #[test]
    fn years_of_failures_overflow_nothing() {
        let mut backoff = Backoff::new(SignedDuration::MAX, SignedDuration::MAX, 1.0);
        for _ in 0..100 {
            backoff.failed(at(0));
        }
        assert!(!backoff.is_due(at(0)));
    }

    #[test]
    fn silence_is_told_from_rare_keyframes() {
        for (keyframe, data, expected) in [
            (0, 0, Gap::Fine),
            (29, 29, Gap::Fine),
            (30, 0, Gap::RareKeyframes),
            (30, 14, Gap::RareKeyframes),
            (30, 29, Gap::Late),
            (500, 2, Gap::RareKeyframes),
            (40, 30, Gap::Late),
            (60, 60, Gap::Offline),
        ] {
            assert_eq!(
                judge_silence(at(0), at(-keyframe), at(-data), secs(30), secs(60)),
                expected,
                "{keyframe} {data}"
            );
        }
    }
}
