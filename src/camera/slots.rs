//! Where receivers and workers meet: one slot a camera, the schedule, and what the status board says of each.

use super::fault::Fault;
use super::gop::Gop;
use super::keyframe::Keyframe;
use super::schedule::Schedule;
use super::sight::Sight;
use super::source::CameraSource;
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::error::{Error, Result};
use crate::frame::{Health, Picture, StatusBoard};
use crate::lang::Lang;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A suspicious camera is looked at twice as often for so many cadences after the last suspicion: one minute at 10 s.
const BOOST_CADENCES: i32 = 6;

/// The board keeps pictures no larger than this (0.8 MB): 267 full ones would fill 800 MB.
const SHOWN_WIDTH: u32 = 960;
const SHOWN_HEIGHT: u32 = 540;

/// Memory is bounded by arithmetic: one keyframe and one small picture a camera.
pub(super) struct Slots {
    pub sources: Vec<CameraSource>,
    pub clock: Clock,
    pub config: CameraConfig,
    status: StatusBoard,
    lang: Lang,
    inner: Mutex<Inner>,
    fresh: Condvar,
}

struct Inner {
    schedule: Schedule,
    cameras: Vec<Camera>,
    is_stopped: bool,
}

/// What is known of one camera. Health is the first of: link, picture, load, keyframe interval; without any, Ok once a keyframe came.
#[derive(Default)]
struct Camera {
    keyframe: Option<Keyframe>,
    has_come: bool,
    link: Option<Fault>,
    picture: Option<Fault>,
    load: Option<Fault>,
    gop: Gop,
    sight: Sight,
    told: Option<(Health, Option<Fault>)>,
}

impl Slots {
    pub fn new(
        sources: Vec<CameraSource>,
        config: CameraConfig,
        clock: Clock,
        status: StatusBoard,
        lang: Lang,
    ) -> Arc<Self> {
        let schedule = Schedule::new(sources.len(), config.cadence);
        let cameras = sources.iter().map(|_| Camera::default()).collect();
        let inner = Mutex::new(Inner { schedule, cameras, is_stopped: false });
        let slots = Self { sources, clock, config, status, lang, inner, fresh: Condvar::new() };
        let now = slots.clock.now();
        for (index, camera) in slots.lock().cameras.iter_mut().enumerate() {
            slots.tell(index, camera, now);
        }
        Arc::new(slots)
    }

    /// Newest wins; what nobody had looked at is counted as dropped.
    pub fn put(&self, index: usize, keyframe: Keyframe) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let camera = &mut inner.cameras[index];
        camera.gop.came(keyframe.captured_at);
        let replaced = camera.keyframe.replace(keyframe);
        camera.has_come = true;
        camera.link = None;
        self.status.update(&self.sources[index].id, |status| {
            status.keyframes += 1;
            status.dropped += u64::from(replaced.is_some());
        });
        self.tell(index, camera, now);
        drop(inner);
        self.fresh.notify_one();
    }

    /// The most overdue camera's keyframe; None after `wait`, or at once when stopped.
    pub fn take(&self, wait: Duration) -> Option<(usize, Keyframe)> {
        let mut taken = None;
        let waiting = |inner: &mut Inner| {
            let Inner { schedule, cameras, is_stopped } = inner;
            if *is_stopped {
                return false;
            }
            let next = schedule.next(self.clock.now(), |index| cameras[index].keyframe.is_some());
            taken = next.and_then(|index| Some((index, cameras[index].keyframe.take()?)));
            taken.is_none()
        };
        let waited = self.fresh.wait_timeout_while(self.lock(), wait, waiting);
        drop(waited);
        taken
    }

    /// What the receiver found out about the connection.
    pub fn set_link(&self, index: usize, fault: Fault) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let camera = &mut inner.cameras[index];
        if fault.health() != Health::Late {
            // What comes after the gap is judged afresh, and what came before it is no longer news.
            camera.sight.resume();
            camera.gop.reset();
            (camera.picture, camera.keyframe) = (None, None);
        }
        camera.link = Some(fault);
        self.tell(index, camera, now);
    }

    /// What the worker saw in the picture.
    pub fn saw(&self, index: usize, captured_at: Timestamp, picture: Result<&Arc<Picture>, &Error>) {
        let now = self.clock.now();
        let shown = picture.ok().map(shown);
        let mut inner = self.lock();
        let camera = &mut inner.cameras[index];
        let CameraSource { id, field_of_view_deg, .. } = &self.sources[index];
        if self.status.take_accepted_view(id) {
            camera.sight.accept();
        }
        camera.picture = match picture {
            Ok(picture) => camera.sight.judge(picture, captured_at, self.config.frozen_after, *field_of_view_deg).fault,
            Err(e) => Some(Fault::Undecodable { why: e.chain() }),
        };
        if let Some(shown) = shown {
            self.status.update(&self.sources[index].id, |status| {
                status.last_frame_at = Some(captured_at);
                status.last_picture = Some(shown);
            });
        }
        self.tell(index, camera, now);
    }

    /// Whether somebody waits for a turn, with a picture to look at.
    pub fn is_anyone_due(&self) -> bool {
        let now = self.clock.now();
        let Inner { schedule, cameras, .. } = &*self.lock();
        cameras.iter().enumerate().any(|(index, camera)| camera.keyframe.is_some() && schedule.is_due(index, now))
    }

    pub fn boost(&self, index: usize) {
        let until = self.config.cadence.checked_mul(BOOST_CADENCES).and_then(|d| self.clock.now().checked_add(d).ok());
        self.lock().schedule.boost(index, until.unwrap_or(Timestamp::MAX));
    }

    /// Wakes the workers when somebody has fallen due, and says so when they cannot keep up.
    pub fn tick(&self, now: Timestamp) {
        let mut inner = self.lock();
        let Inner { schedule, cameras, .. } = &mut *inner;
        let mut is_any_due = false;
        for (index, camera) in cameras.iter_mut().enumerate() {
            let overdue = if camera.keyframe.is_some() { schedule.overdue(index, now) } else { Default::default() };
            is_any_due |= camera.keyframe.is_some() && schedule.is_due(index, now);
            let load = (overdue >= self.config.late_after).then(|| Fault::Overloaded { seconds: overdue.as_secs() });
            if load != camera.load {
                camera.load = load;
                self.tell(index, camera, now);
            }
        }
        drop(inner);
        if is_any_due {
            self.fresh.notify_all();
        }
    }

    pub fn stop(&self) {
        self.lock().is_stopped = true;
        self.fresh.notify_all();
    }

    pub fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// The board hears of every change once, the log of every change of health.
    fn tell(&self, index: usize, camera: &mut Camera, now: Timestamp) {
        let gop = camera
            .gop
            .too_long_for(self.config.cadence)
            .map(|gop| Fault::LongGop { gop_tenths: tenths(gop), cadence_tenths: tenths(self.config.cadence) });
        let fault = camera.link.as_ref().or(camera.picture.as_ref()).or(camera.load.as_ref()).or(gop.as_ref());
        let health = match fault {
            Some(fault) => fault.health(),
            None if camera.has_come => Health::Ok,
            None => Health::Starting,
        };
        if camera.told.as_ref().is_some_and(|(told, why)| *told == health && why.as_ref() == fault) {
            return;
        }
        let source = &self.sources[index];
        let detail = fault.map(|fault| fault.sentence(&source.name, self.lang));
        let is_new = self.status.set_health(&source.id, health, detail.clone(), now);
        camera.told = Some((health, fault.cloned()));
        if !is_new {
            return;
        }
        match detail {
            Some(detail) => tracing::warn!(camera.id = %source.id, health = ?health, "{detail}"),
            None => {
                tracing::info!(camera.id = %source.id, camera.name = %source.name, health = ?health, "camera health")
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn tenths(duration: SignedDuration) -> i64 {
    i64::try_from((duration.as_millis() + 50) / 100).unwrap_or(i64::MAX)
}

fn shown(picture: &Arc<Picture>) -> Arc<Picture> {
    if picture.width() <= SHOWN_WIDTH && picture.height() <= SHOWN_HEIGHT {
        return Arc::clone(picture);
    }
    Arc::new(picture.fitted(SHOWN_WIDTH, SHOWN_HEIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Codec;

    fn slots(cameras: usize) -> (Arc<Slots>, StatusBoard) {
        let sources = (0..cameras).map(|i| {
            CameraSource::new(format!("c{i}").as_str().into(), "default".into(), format!("北山{i}"), "rtsp://h/s")
        });
        let status = StatusBoard::default();
        let clock = Clock::simulated(Timestamp::from_second(1_790_000_000).expect("a time in this century"));
        let slots = Slots::new(sources.collect(), CameraConfig::default(), clock, status.clone(), Lang::En);
        (slots, status)
    }

    fn keyframe(slots: &Slots, mark: u8) -> Keyframe {
        Keyframe { captured_at: slots.clock.now(), codec: Codec::Jpeg, bytes: vec![mark].into() }
    }

    #[test]
    fn the_newest_keyframe_wins_and_the_replaced_ones_are_counted() {
        let (slots, status) = slots(1);
        for mark in 0..5 {
            slots.put(0, keyframe(&slots, mark));
        }
        let (index, taken) = slots.take(Duration::ZERO).expect("a fresh keyframe");
        assert_eq!((index, &taken.bytes[..]), (0, &[4][..]));
        let status = status.get(&"c0".into()).expect("a status");
        assert_eq!((status.keyframes, status.dropped, status.health), (5, 4, Health::Ok));
        assert!(slots.take(Duration::ZERO).is_none(), "nothing fresh is left");
    }

    #[test]
    fn a_keyframe_waits_for_its_turn() {
        let (slots, _) = slots(1);
        slots.put(0, keyframe(&slots, 1));
        assert!(slots.take(Duration::ZERO).is_some());
        slots.put(0, keyframe(&slots, 2));
        assert!(slots.take(Duration::ZERO).is_none(), "ten seconds have not passed");
        slots.clock.advance(SignedDuration::from_secs(10));
        assert!(slots.take(Duration::ZERO).is_some());
    }

    #[test]
    fn workers_that_cannot_keep_up_are_named_as_the_cause() {
        let (slots, status) = slots(1);
        slots.put(0, keyframe(&slots, 1));
        slots.take(Duration::ZERO).expect("the first turn");
        slots.clock.advance(SignedDuration::from_secs(45));
        slots.put(0, keyframe(&slots, 2));
        slots.tick(slots.clock.now());
        let late = status.get(&"c0".into()).expect("a status");
        assert_eq!(late.health, Health::Late);
        assert!(late.detail.is_some_and(|d| d.contains("35 s for analysis")));
        slots.take(Duration::ZERO).expect("the second turn");
        slots.tick(slots.clock.now());
        assert_eq!(status.get(&"c0".into()).map(|s| s.health), Some(Health::Ok));
    }

    #[test]
    fn a_fault_of_the_link_outranks_the_picture_and_a_keyframe_ends_it() {
        let (slots, status) = slots(2);
        let health = |camera: &str| status.get(&camera.into()).map(|s| s.health);
        assert_eq!(health("c0"), Some(Health::Starting));
        slots.put(0, keyframe(&slots, 1));
        slots.saw(0, slots.clock.now(), Err(&Error::invalid("grey mush")));
        assert_eq!(health("c0"), Some(Health::Undecodable));
        slots.set_link(0, Fault::StreamEnded);
        assert_eq!(health("c0"), Some(Health::Offline));
        assert!(slots.take(Duration::ZERO).is_none(), "pictures from before the gap are no longer news");
        slots.put(0, keyframe(&slots, 2));
        assert_eq!(health("c0"), Some(Health::Ok));
        assert_eq!(health("c1"), Some(Health::Starting), "the other camera is left alone");
    }

    #[test]
    fn a_view_that_the_office_accepts_is_right_from_then_on() {
        let (slots, status) = slots(1);
        slots.put(0, keyframe(&slots, 1));
        let view = |horizon: usize| {
            let luma =
                (0..160 * 90).map(|i| if i / 160 < horizon { 180 } else { 60 + (i % 160 * 7 + i / 160 * 13) % 29 });
            let mut bytes: Vec<u8> = luma.map(|y| y as u8).collect();
            bytes.resize(160 * 90 * 3 / 2, 110);
            Arc::new(Picture::from_i420(160, 90, bytes).expect("sizes fit"))
        };
        let looks = |horizon: usize, count: usize| {
            for _ in 0..count {
                slots.clock.advance(SignedDuration::from_secs(10));
                slots.saw(0, slots.clock.now(), Ok(&view(horizon)));
            }
            status.get(&"c0".into()).map(|s| s.health)
        };
        assert_eq!(looks(40, 12), Some(Health::Ok));
        assert_eq!(looks(60, 8), Some(Health::Moved));
        status.update(&"c0".into(), |status| status.is_view_accepted = true);
        assert_eq!(looks(60, 8), Some(Health::Ok));
    }

    #[test]
    fn stopping_frees_the_workers() {
        let (slots, _) = slots(1);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| slots.take(Duration::from_secs(60)));
            slots.stop();
            assert!(worker.join().expect("no panic").is_none());
        });
    }
}
