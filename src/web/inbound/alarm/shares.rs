//! What one system, and one of its devices, may send. A device that went mad locks no other out.

use crate::error::Kind;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::limits::{
    ALARM_BODIES_A_SYSTEM, ALARM_BODIES_AT_ONCE, ALARM_ROOM_WITHIN, ALARMS_A_DEVICE,
    ALARMS_A_SYSTEM, ALARMS_IN_LINE, DEVICES_COUNTED,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Refusals for being too many are written down this often.
const WRITTEN_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// Clones share the same counters.
#[derive(Clone)]
pub(crate) struct AlarmShares {
    systems: Arc<DefaultKeyedRateLimiter<String>>,
    devices: Arc<DefaultKeyedRateLimiter<(String, String)>>,
    bodies: Arc<Semaphore>,
    lines: Arc<Mutex<HashMap<String, Line>>>,
    unwritten: Arc<Mutex<HashMap<String, Unwritten>>>,
}

/// Where one system waits: a slow one holds up nobody but itself.
#[derive(Clone)]
struct Line {
    seats: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(ALARMS_IN_LINE)),
            bodies: Arc::new(Semaphore::new(ALARM_BODIES_A_SYSTEM)),
        }
    }
}

/// Room for one body, until it is read and understood.
pub(super) struct Room {
    _of_all: OwnedSemaphorePermit,
    _of_the_system: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Unwritten {
    count: u64,
    written_at: Option<Timestamp>,
}

impl Default for AlarmShares {
    fn default() -> Self {
        let a_minute = |count| Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        Self {
            systems: Arc::new(RateLimiter::keyed(a_minute(ALARMS_A_SYSTEM))),
            devices: Arc::new(RateLimiter::keyed(a_minute(ALARMS_A_DEVICE))),
            bodies: Arc::new(Semaphore::new(ALARM_BODIES_AT_ONCE)),
            lines: Arc::default(),
            unwritten: Arc::default(),
        }
    }
}

impl AlarmShares {
    /// Counts one request of this system, before its body is read.
    pub(super) fn system(&self, name: &str) -> Answer<()> {
        self.systems.check_key(&name.to_owned()).map_err(|_| {
            Problem::new(
                Kind::TooMany,
                format!(
                    "外部系统 {name} 一分钟内发来的太多（上限{ALARMS_A_SYSTEM}条），请稍后重发。"
                ),
                format!(
                    "The system {name} sends too much: {ALARMS_A_SYSTEM} a minute at most. Send it \
                    again in a moment."
                ),
            )
        })
    }

    /// Counts one new alarm of a device. Systems are those with a key; devices are whatever these
    /// say, so the oldest are forgotten when there are many.
    pub(super) fn device(&self, system: &str, device: &str) -> Answer<()> {
        if self.devices.len() > DEVICES_COUNTED {
            self.devices.retain_recent();
        }
        self.devices.check_key(&(system.to_owned(), device.to_owned())).map_err(|_| {
            Problem::new(
                Kind::TooMany,
                format!(
                    "设备 {device} 一分钟内告警太多（上限{ALARMS_A_DEVICE}条），请稍后重发，并检查设备。"
                ),
                format!(
                    "The device {device} alarms too often: {ALARMS_A_DEVICE} a minute at most. Send \
                    it again in a moment, and check the device."
                ),
            )
        })
    }

    /// Waits for room for one body of this system. All cameras of a county may see one fire.
    pub(super) async fn body(&self, system: &str) -> Answer<Room> {
        let line = self.lines.lock().entry(system.to_owned()).or_default().clone();
        let Ok(_seat) = line.seats.try_acquire() else { return Err(too_many_at_once()) };
        let room = async {
            let own = line.bodies.clone().acquire_owned().await.ok()?;
            let of_all = self.bodies.clone().acquire_owned().await.ok()?;
            Some(Room { _of_all: of_all, _of_the_system: own })
        };
        let room = timeout(ALARM_ROOM_WITHIN, room).await;
        room.ok().flatten().ok_or_else(too_many_at_once)
    }

    /// How many refusals for being too many are to be written down now; 0: later.
    pub(crate) fn to_write(&self, system: &str, now: Timestamp) -> u64 {
        let mut all = self.unwritten.lock();
        let it = all.entry(system.to_owned()).or_default();
        it.count += 1;
        if it.written_at.is_some_and(|at| now.duration_since(at) < WRITTEN_EVERY) {
            return 0;
        }
        it.written_at = Some(now);
        std::mem::take(&mut it.count)
    }
}

fn too_many_at_once() -> Problem {
    Problem::new(
        Kind::TooMany,
        "正在接收的告警太多，请稍后重发。",
        "Too many alarms are being received. Send it again in a moment.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    #[tokio::test]
    async fn all_cameras_of_a_county_are_heard_and_a_slow_system_holds_up_only_itself() {
        let shares = AlarmShares::default();
        let mut many = tokio::task::JoinSet::new();
        for _ in 0..ALARMS_IN_LINE {
            let shares = shares.clone();
            many.spawn(async move {
                let room = shares.body("平台").await;
                tokio::task::yield_now().await;
                room.is_ok()
            });
        }
        assert!(many.join_all().await.into_iter().all(|it| it), "all at once");

        let mut slow = Vec::new();
        for _ in 0..ALARM_BODIES_A_SYSTEM {
            slow.push(shares.body("慢").await.unwrap_or_else(|it| panic!("{}", it.words())));
        }
        let waits = timeout(Duration::from_millis(50), shares.body("慢")).await;
        assert!(waits.is_err(), "it waits for room");
        assert!(shares.body("平台").await.is_ok(), "and nobody else");
        slow.pop();
        assert!(shares.body("慢").await.is_ok());
    }
}
