//! The only caller of "now" and "sleep", and the county's time zone. Simulated: time stands still until told to move, and sleeping moves the hands.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The county's day: UTC+8 all year (China has kept no summer time since 1991), so no time zone file is needed.
pub fn county_time() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

#[derive(Clone, Debug)]
pub enum Clock {
    System,
    Simulated(Arc<Mutex<Timestamp>>),
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine for the time")]
impl Clock {
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated(Arc::new(Mutex::new(start)))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Simulated(hands) => *hands.lock().unwrap_or_else(|poisoned| poisoned.into_inner()),
        }
    }

    /// Moves a simulated clock; a system clock does not listen.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Simulated(hands) = self {
            let mut hands = hands.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
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
            Self::Simulated(_) => self.advance(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)),
        }
    }
}
