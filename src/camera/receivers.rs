//! All cameras of this machine. Threads: one here that watches every receiver, four inside GStreamer for every RTSP camera
//! (rtspsrc's own), and whatever workers the caller starts to ask for frames.

use super::decode::Decoder;
use super::keyframe::Keyframe;
use super::pipelines::Pipelines;
use super::receiver::Receiver;
use super::slots::Slots;
use super::source::CameraSource;
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::error::{Error, Result};
use crate::frame::{Frame, StatusBoard};
use crate::lang::Lang;
use crate::triage::id::CameraId;
use crossbeam::channel::{Receiver as Signal, RecvTimeoutError, Sender, bounded};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often every camera's messages and silences are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Pipelines started per tick: 267 cameras are up within 4 s without a burst of 267 connections.
const STARTS_PER_TICK: usize = 8;

/// Ending a stream waits up to 0.1 s for the camera's goodbye; so many say it at once.
const STOPPERS: usize = 16;

/// Running receivers. Dropping stops them.
pub struct Receivers {
    slots: Arc<Slots>,
    stop: Sender<()>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Receivers {
    /// Error only when nothing can work (no GStreamer, no thread); what is wrong with one camera is its status.
    pub fn start(
        sources: Vec<CameraSource>,
        config: &CameraConfig,
        clock: Clock,
        status: StatusBoard,
        lang: Lang,
    ) -> Result<Self> {
        super::init()?;
        warn_of_file_limit(sources.len());
        let slots = Slots::new(sources, config.clone(), clock, status, lang);
        let (stop, stopped) = bounded(1);
        let watched = Arc::clone(&slots);
        let watcher = std::thread::Builder::new()
            .name("camera-watch".to_owned())
            .spawn(move || watch(&watched, &stopped))
            .map_err(|e| Error::unavailable("cannot start the thread that watches the cameras").because(e))?;
        Ok(Self { slots, stop, watcher: Mutex::new(Some(watcher)) })
    }

    /// In the order given to `start`; `take`'s index points here.
    pub fn sources(&self) -> &[CameraSource] {
        &self.slots.sources
    }

    /// The most overdue camera's newest keyframe; None when nobody is due within `wait`, or at once after `stop`.
    pub fn take(&self, wait: Duration) -> Option<(usize, Keyframe)> {
        self.slots.take(wait)
    }

    /// `take`, decode and judge: what a worker thread loops over. A keyframe that cannot be decoded is that camera's status
    /// and gives None, as does a wait without work.
    pub fn next_frame(&self, decoder: &mut Decoder, wait: Duration) -> Option<Frame> {
        let (index, keyframe) = self.take(wait)?;
        let decoded = decoder.decode(&keyframe).map(Arc::new);
        self.slots.saw(index, keyframe.captured_at, decoded.as_ref());
        let source = &self.slots.sources[index];
        let picture = decoded.ok()?;
        Some(Frame { camera: source.id.clone(), pose: source.pose.clone(), captured_at: keyframe.captured_at, picture })
    }

    /// Whether a camera waits for its turn: then there is no time for anything else.
    pub fn is_anyone_due(&self) -> bool {
        self.slots.is_anyone_due()
    }

    /// Suspicious: looked at every half cadence for the next six cadences.
    pub fn boost(&self, camera: &CameraId) {
        if let Some(index) = self.slots.sources.iter().position(|source| source.id == *camera) {
            self.slots.boost(index);
        }
    }

    /// True after `stop`: workers leave their loop.
    pub fn is_stopped(&self) -> bool {
        self.slots.is_stopped()
    }

    /// Ends every stream, frees waiting workers, returns when all threads of this module have ended.
    pub fn stop(&self) {
        self.slots.stop();
        // Full or closed means it has been said already.
        let _ = self.stop.try_send(());
        let watcher = self.watcher.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if watcher.is_some_and(|watcher| watcher.join().is_err()) {
            tracing::error!("the thread that watches the cameras had panicked");
        }
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn watch(slots: &Arc<Slots>, stop: &Signal<()>) {
    let pipelines = Pipelines::new(&slots.config.pipelines);
    let mut receivers: Vec<Receiver> = (0..slots.sources.len()).map(|i| Receiver::new(i, Arc::clone(slots))).collect();
    let mut first = 0;
    loop {
        let now = slots.clock.now();
        let mut starts = 0;
        // Whoever had no start left this time is first next time.
        for step in 0..receivers.len() {
            let index = (first + step) % receivers.len();
            if receivers[index].tick(&pipelines, starts < STARTS_PER_TICK, now) {
                starts += 1;
                if starts == STARTS_PER_TICK {
                    first = index + 1;
                }
            }
        }
        slots.tick(now);
        match stop.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let share = receivers.len().div_ceil(STOPPERS).max(1);
    std::thread::scope(|scope| {
        while !receivers.is_empty() {
            let some = receivers.split_off(receivers.len().saturating_sub(share));
            scope.spawn(move || drop(some));
        }
    });
}

/// An RTSP camera holds four file handles (measured: 1077 for 267); the usual limit is 1024.
fn warn_of_file_limit(cameras: usize) {
    let needed = cameras as u64 * 4 + 128;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    if let Some(limit) = limit.filter(|limit| *limit < needed) {
        tracing::warn!(limit, needed, cameras, "too few open files allowed: set LimitNOFILE or `ulimit -n` higher");
    }
}
