//! Where receivers and workers meet: one slot a camera, the schedule, and each camera's state for
//! the status board. Cameras come and go one by one (`slots/roster.rs`); what
//! workers saw is judged in `slots/seen.rs`.

mod roster;
mod seen;

use super::main_slot;
use super::overload::{Overload, OverloadWatch};
use super::pace::Pace;
use super::schedule::Schedule;
use crate::address::Form;
use crate::camera::fault::Fault;
use crate::camera::keyframe::Keyframe;
use crate::camera::source::CameraSource;
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::error::Result;
use crate::frame::{Health, StatusBoard};
use crate::lang::Lang;
use crate::triage::id::CameraId;
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Condvar, Mutex, MutexGuard};
use roster::Camera;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A suspicious camera is looked at twice as often for this number of cadences: one minute at 10 s.
const BOOST_CADENCES: i32 = 6;

/// Memory is bounded: one keyframe and one small picture a camera.
///
/// Every camera has a number. A camera that is connected anew gets another one, and no number is
/// given twice. So what a former connection or fetch still hands in, and what a worker still has of
/// a camera that has gone, finds nobody.
pub(crate) struct Slots {
    pub clock: Clock,
    pub config: CameraConfig,
    status: StatusBoard,
    lang: Lang,
    inner: Mutex<Inner>,
    fresh: Condvar,
}

struct Inner {
    schedule: Schedule,
    load: OverloadWatch,
    cameras: BTreeMap<usize, Camera>,
    next_number: usize,
    /// Cameras have come, gone or been connected anew since the receivers were last told.
    is_roster_new: bool,
    is_stopped: bool,
}

impl Slots {
    pub(crate) fn new(
        sources: Vec<CameraSource>,
        config: CameraConfig,
        clock: Clock,
        status: StatusBoard,
        lang: Lang,
    ) -> Arc<Self> {
        let now = clock.now();
        let next_number = sources.len();
        let cameras = sources
            .into_iter()
            .map(|source| Camera::new(source, config.cadence, now))
            .enumerate()
            .collect();
        let inner = Inner {
            schedule: Schedule::new(next_number, config.cadence, now),
            load: OverloadWatch::default(),
            cameras,
            next_number,
            is_roster_new: true,
            is_stopped: false,
        };
        let slots =
            Self { clock, config, status, lang, inner: Mutex::new(inner), fresh: Condvar::new() };
        slots.lock().cameras.values_mut().for_each(|camera| slots.tell(camera, now));
        Arc::new(slots)
    }

    /// The newest keyframe wins. One that is replaced before it was looked at counts as dropped
    /// (metrics). Wakes a worker only when the camera is due.
    pub(crate) fn put(&self, index: usize, keyframe: Keyframe) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Inner { schedule, cameras, .. } = &mut *inner;
        let Some(camera) = cameras.get_mut(&index) else { return };
        let is_due = schedule.came(index, keyframe.captured_at, now);
        if is_stream(&camera.source) {
            camera.gop.came(keyframe.captured_at);
        }
        let replaced = camera.keyframe.replace(keyframe);
        camera.has_come = true;
        (camera.link, camera.link_since, camera.is_down) = (None, None, false);
        self.status.update(&camera.source.id, |status| status.keyframes += 1);
        metrics::counter!("huoyan_keyframes_received_total").increment(1);
        metrics::counter!("huoyan_keyframes_dropped_total")
            .increment(u64::from(replaced.is_some()));
        self.tell(camera, now);
        drop(inner);
        if is_due {
            self.fresh.notify_one();
        }
    }

    /// The keyframe of the most overdue camera, or its main stream's picture if there is one. None
    /// after `wait`, or at once when stopped.
    pub(crate) fn take(&self, wait: Duration) -> Option<(usize, Keyframe)> {
        let mut taken = None;
        let waiting = |inner: &mut Inner| {
            let Inner { schedule, cameras, is_stopped, .. } = inner;
            if *is_stopped {
                return false;
            }
            let now = self.clock.now();
            taken = schedule.next(now).and_then(|index| {
                let camera = cameras.get_mut(&index)?;
                let main = camera.main.take(now, self.config.cadence);
                let keyframe = main.or_else(|| camera.keyframe.take())?;
                camera.taken_at = Some(keyframe.captured_at);
                Some((index, keyframe))
            });
            taken.is_none()
        };
        self.fresh.wait_while_for(&mut self.lock(), waiting, wait);
        taken
    }

    /// Whether a polled camera (snapshot, upload folder) should be asked for a picture now.
    pub(crate) fn wants(&self, index: usize, now: Timestamp) -> bool {
        self.lock().schedule.wants(index, now)
    }

    /// Reports what the receiver found out about the connection.
    pub(crate) fn set_link(&self, index: usize, fault: Fault) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Inner { schedule, cameras, .. } = &mut *inner;
        let Some(camera) = cameras.get_mut(&index) else { return };
        if fault.health() != Health::Late {
            if camera.has_come && !std::mem::replace(&mut camera.is_down, true) {
                camera.steadiness.broke(&fault, now);
            }
            // Pictures after the gap are judged afresh. The picture from before it is out of date,
            // unless gaps are so many that no other would ever get its turn.
            camera.resume();
            camera.gop.reset();
            if camera.steadiness.unsteady(now).is_none() {
                (camera.picture, camera.keyframe) = (None, None);
                schedule.gone(index);
            }
        }
        camera.link = Some(fault);
        camera.link_since.get_or_insert(now);
        self.tell(camera, now);
    }

    /// The connection has broken and is made again at once: it counts, and is no fault as long as it
    /// is rare.
    pub(crate) fn broke(&self, index: usize, fault: &Fault) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(camera) = inner.cameras.get_mut(&index) else { return };
        camera.steadiness.broke(fault, now);
        camera.gop.reset();
        self.tell(camera, now);
    }

    /// What the office is to know of a camera although all is well. It is received in another way
    /// from here on, so what broke before does not count any more.
    pub(crate) fn note(&self, index: usize, note: Option<Fault>) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(camera) = inner.cameras.get_mut(&index) else { return };
        let CameraSource { id, name, .. } = &*camera.source;
        if let Some(note) = &note {
            tracing::warn!(camera.id = %id, "{}", note.sentence(name, self.lang));
        }
        camera.note = note;
        camera.steadiness.begin_anew();
        camera.gop.reset();
        self.tell(camera, now);
    }

    pub(crate) fn is_by_rtspsrc(&self, index: usize) -> bool {
        let inner = self.lock();
        let note = inner.cameras.get(&index).and_then(|camera| camera.note.as_ref());
        matches!(note, Some(Fault::ByRtspsrc { .. }))
    }

    /// Marks the camera's slot as met: the model has looked at the frame, or the gate has judged
    /// it.
    pub(crate) fn looked(&self, index: usize, captured_at: Timestamp) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(Camera { source, pace, .. }) = inner.cameras.get_mut(&index) else { return };
        self.pass(&source.id, pace, now);
        pace.looked(now);
        drop(inner);
        metrics::histogram!("huoyan_frame_age_seconds")
            .record(now.duration_since(captured_at).as_secs_f64());
    }

    /// Counts the slots that have ended, for the board and for external monitoring.
    fn pass(&self, id: &CameraId, pace: &mut Pace, now: Timestamp) {
        let Some(over) = pace.pass(now) else { return };
        metrics::counter!("huoyan_slots_total", "result" => "met").increment(over.met);
        metrics::counter!("huoyan_slots_total", "result" => "missed").increment(over.missed);
        self.status.update(id, |status| {
            status.slots_met += over.met;
            status.slots_missed += over.missed;
        });
    }

    /// The screened stream's keyframe of this turn, for when the main stream's cannot be decoded.
    pub(crate) fn instead(&self, index: usize) -> Option<Keyframe> {
        let mut inner = self.lock();
        let camera = inner.cameras.get_mut(&index)?;
        let keyframe = camera.keyframe.take()?;
        camera.taken_at = Some(keyframe.captured_at);
        Some(keyframe)
    }

    /// A strong reason to look more closely: it counts every time.
    pub(crate) fn boost(&self, index: usize) {
        let now = self.clock.now();
        let until = now.checked_add(self.boost_lasts()).unwrap_or(Timestamp::MAX);
        self.look_closely(&mut self.lock(), index, now, until);
    }

    /// A weak reason: it counts only while it is news (`suspicion.rs`).
    pub(crate) fn suspect(&self, index: usize) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(camera) = inner.cameras.get_mut(&index) else { return };
        if let Some(until) = camera.suspicion.raised(now, self.boost_lasts()) {
            self.look_closely(&mut inner, index, now, until);
        }
    }

    fn boost_lasts(&self) -> SignedDuration {
        self.config.cadence.checked_mul(BOOST_CADENCES).unwrap_or(SignedDuration::MAX)
    }

    fn look_closely(&self, inner: &mut Inner, index: usize, now: Timestamp, until: Timestamp) {
        inner.schedule.boost(index, until);
        if let Some(camera) =
            inner.cameras.get_mut(&index).filter(|camera| camera.source.main.is_some())
        {
            camera.main.ask(now, until);
        }
    }

    /// Of the cameras that `may` be asked now, the one that has waited longest for a picture of its
    /// main stream. It counts as asked from here on.
    pub(crate) fn wants_main(&self, now: Timestamp, may: impl Fn(usize) -> bool) -> Option<usize> {
        let mut inner = self.lock();
        let waiting =
            inner.cameras.iter_mut().filter(|(index, it)| it.main.is_waiting(now) && may(**index));
        let (index, camera) = waiting.min_by_key(|(_, camera)| camera.main.waits_since())?;
        camera.main.begin();
        Some(*index)
    }

    /// The result of a fetch. A fault goes to the camera's status and changes nothing else: the
    /// screened stream goes on.
    pub(crate) fn main_came(&self, index: usize, outcome: Result<Keyframe, Fault>) {
        let (keyframe, fault) = match outcome {
            Ok(keyframe) => (Some(keyframe), None),
            Err(fault) => (None, Some(fault)),
        };
        let mut inner = self.lock();
        let Some(camera) = inner.cameras.get_mut(&index) else { return };
        camera.main.end(keyframe, self.clock.now());
        match fault {
            Some(fault) => self.main_failed(&camera.source, &fault),
            None => self.status.update(&camera.source.id, |status| status.main_fetched += 1),
        }
    }

    fn main_failed(&self, source: &CameraSource, fault: &Fault) {
        let detail = main_slot::sentence(fault, &source.name, self.lang);
        self.status.update(&source.id, |status| {
            if status.main_detail.as_ref() != Some(&detail) {
                tracing::warn!(camera.id = %source.id, "{detail}");
                status.main_detail = Some(detail);
            }
        });
    }

    /// Wakes the workers when a camera has become due, and watches whether they keep up.
    pub(crate) fn tick(&self, now: Timestamp) {
        let mut inner = self.lock();
        let Inner { schedule, load, cameras, .. } = &mut *inner;
        cameras
            .values_mut()
            .for_each(|Camera { source, pace, .. }| self.pass(&source.id, pace, now));
        load.observe(schedule.round(now), self.config.cadence, now);
        let kept = load.overload().map_or(self.config.cadence, |it| it.round.actual.max(it.asked));
        for camera in cameras.values_mut() {
            camera.kept = kept;
            if camera.is_told_unsteady() || camera.link_since.is_some() {
                // It may have become steady, or have been gone for long.
                self.tell(camera, now);
            }
        }
        let is_anybody_due = schedule.is_anybody_due(now);
        drop(inner);
        if is_anybody_due {
            self.fresh.notify_all();
        }
    }

    pub(crate) fn is_boosted(&self, index: usize) -> bool {
        self.lock().schedule.is_boosted(index, self.clock.now())
    }

    pub(crate) fn is_anybody_due(&self) -> bool {
        self.lock().schedule.is_anybody_due(self.clock.now())
    }

    /// What the office must know about the speed of analysis. None while all cadences are kept.
    pub(crate) fn overload(&self) -> Option<Overload> {
        self.lock().load.overload()
    }

    pub(crate) fn stop(&self) {
        self.lock().is_stopped = true;
        self.fresh.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Reports every change once to the board, and every change of health to the log.
    fn tell(&self, camera: &mut Camera, now: Timestamp) {
        let gop = camera.gop.too_long_for(camera.kept).map(|gop| Fault::LongGop {
            gop_tenths: tenths(gop),
            cadence_tenths: tenths(self.config.cadence),
        });
        let is_gone = camera
            .link_since
            .is_some_and(|since| now.duration_since(since) >= self.config.offline_after);
        let unsteady = camera.steadiness.unsteady(now).filter(|_| !is_gone);
        // Unsteady pictures still see: they hide no view that shows nothing.
        let blind = camera.picture.as_ref().filter(|it| unsteady.is_some() && !it.health().sees());
        let fault = blind
            .or(unsteady.as_ref())
            .or(camera.link.as_ref())
            .or(camera.picture.as_ref())
            .or(gop.as_ref())
            .or(camera.note.as_ref());
        let health = match fault.map(Fault::health) {
            Some(Health::Ok) | None if !camera.has_come => Health::Starting,
            Some(health) => health,
            None => Health::Ok,
        };
        if camera.told.as_ref().is_some_and(|(told, why)| *told == health && why.as_ref() == fault)
        {
            return;
        }
        let source = &camera.source;
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
        self.inner.lock()
    }
}

/// Pictures that are fetched or uploaded one by one have no keyframe interval.
fn is_stream(source: &CameraSource) -> bool {
    !matches!(source.address.form(), Form::Web | Form::Drop(_))
}

fn tenths(duration: SignedDuration) -> i64 {
    i64::try_from((duration.as_millis() + 50) / 100).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
