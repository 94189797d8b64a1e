//! The only caller of "now" and "sleep". A simulated clock stands still until it is advanced;
//! sleeping advances it.
//!
//! The system's clock is read once; from then on time is elapsed time. If the machine's clock is
//! set back an hour, the ladder does not stop for an hour, and a late answer does not become early.
//! The step is noticed and reported, and the next start uses the new time.

pub use super::time::county_time;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// The wall clock when it was read, and the machine's uptime at that moment.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the machine for the time"
)]
static READ: LazyLock<(Timestamp, SignedDuration)> =
    LazyLock::new(|| (Timestamp::now(), has_run()));

/// The machine's uptime, including sleep. Nothing can set it.
fn has_run() -> SignedDuration {
    let since_boot = clock_gettime(ClockId::Boottime);
    SignedDuration::new(since_boot.tv_sec, i32::try_from(since_boot.tv_nsec).unwrap_or_default())
}

#[derive(Clone, Debug)]
pub enum Clock {
    System,
    Simulated(Arc<Mutex<Timestamp>>),
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the machine for the time"
)]
impl Clock {
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated(Arc::new(Mutex::new(start)))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => READ.0 + (has_run() - READ.1),
            Self::Simulated(hands) => *hands.lock(),
        }
    }

    /// By how much the machine's clock has been set since it was read: positive when ahead of
    /// elapsed time, negative when behind.
    pub fn stepped(&self) -> SignedDuration {
        match self {
            Self::System => Timestamp::now().duration_since(self.now()),
            Self::Simulated(_) => SignedDuration::ZERO,
        }
    }

    /// Advances a simulated clock; does nothing to a system clock.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Simulated(hands) = self {
            let mut hands = hands.lock();
            *hands += by;
        }
    }

    pub async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Simulated(_) => {
                self.advance(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX));
                tokio::task::yield_now().await;
            }
        }
    }

    /// For OS threads. Never on a tokio worker.
    pub fn sleep_blocking(&self, duration: Duration) {
        match self {
            Self::System => std::thread::sleep(duration),
            Self::Simulated(_) => {
                self.advance(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
            }
        }
    }
}

/// Updated while a task lives. It uses elapsed time, so setting the clock has no effect.
#[derive(Clone, Debug)]
pub struct Heartbeat(Arc<Mutex<Instant>>);

impl Heartbeat {
    pub fn beat(&self) {
        *self.0.lock() = Instant::now();
    }

    pub fn silent_for(&self) -> Duration {
        self.0.lock().elapsed()
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "held against the machine's own time")]
    fn time_is_what_has_passed_since_the_clock_was_read() {
        let (before, machine) = (Clock::System.now(), Timestamp::now());
        assert!(
            machine.duration_since(before).abs() < SignedDuration::from_secs(2),
            "{before} {machine}"
        );
        assert!(Clock::System.now() >= before);
        assert!(Clock::System.stepped().abs() < SignedDuration::from_secs(2));
    }
}
