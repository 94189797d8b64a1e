//! What one system, and one of its devices, may send. A device that went mad locks no other out.

use crate::error::Kind;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::limits::{
    ALARM_BODIES_AT_ONCE, ALARMS_A_DEVICE, ALARMS_A_SYSTEM, DEVICES_COUNTED,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Refusals for being too many are written down this often.
const WRITTEN_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// Clones share the same counters.
#[derive(Clone)]
pub(crate) struct AlarmShares {
    systems: Arc<DefaultKeyedRateLimiter<String>>,
    devices: Arc<DefaultKeyedRateLimiter<(String, String)>>,
    bodies: Arc<Semaphore>,
    unwritten: Arc<Mutex<HashMap<String, Unwritten>>>,
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

    /// Room for one body, until the answer.
    pub(super) fn body(&self) -> Answer<OwnedSemaphorePermit> {
        self.bodies.clone().try_acquire_owned().map_err(|_| {
            Problem::new(
                Kind::TooMany,
                "正在接收的告警太多，请稍后重发。",
                "Too many alarms are being received. Send it again in a moment.",
            )
        })
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
