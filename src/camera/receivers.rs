//! All cameras of this machine. Threads: one here that watches every receiver and every fetch of a
//! main stream, two that receive for all RTSP cameras together (`receive/rtsp/`; a camera on
//! `rtspsrc.gst` adds four of its own), and the workers that the caller starts to ask for frames.

use super::decode::Decoder;
use super::gst::pipelines::Pipelines;
use super::keyframe::Keyframe;
use super::receive::main_stream::Fetches;
use super::receive::receiver::Receiver;
use super::source::CameraSource;
use super::turn::overload::Overload;
use super::turn::slots::Slots;
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::error::{Error, Result};
use crate::frame::{Frame, StatusBoard};
use crate::lang::Lang;
use crate::triage::detection::Stream;
use crate::triage::id::{CameraId, PoseId};
use crossbeam::channel::{Receiver as Signal, RecvTimeoutError, Sender, bounded};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often every camera's messages and silence are checked.
const TICK: Duration = Duration::from_millis(100);

/// Pipelines started per tick: 267 cameras are up within 4 s without a burst of 267 connections.
const STARTS_PER_TICK: usize = 8;

/// Ending an rtspsrc waits up to 0.1 s for the camera's answer to TEARDOWN. This number ends in
/// parallel.
const STOPPERS: usize = 16;

/// Our own sources all send TEARDOWN in parallel after they have stopped.
const GOODBYES: Duration = Duration::from_millis(500);

/// Running receivers. Dropping stops them.
pub struct Receivers {
    slots: Arc<Slots>,
    stop: Sender<()>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Receivers {
    /// Error only when nothing can work (no GStreamer, no thread). A fault of one camera goes to
    /// its status.
    pub fn start(
        sources: Vec<CameraSource>,
        config: &CameraConfig,
        clock: Clock,
        status: StatusBoard,
        lang: Lang,
    ) -> Result<Self> {
        super::receive::open::init()?;
        super::receive::open_files::allow(sources.len());
        let slots = Slots::new(sources, config.clone(), clock, status, lang);
        let (stop, stopped) = bounded(1);
        let watched = Arc::clone(&slots);
        let watcher = std::thread::Builder::new()
            .name("camera-watch".to_owned())
            .spawn(move || watch(&watched, &stopped))
            .map_err(|e| {
                Error::unavailable("cannot start the thread that watches the cameras").because(e)
            })?;
        Ok(Self { slots, stop, watcher: Mutex::new(Some(watcher)) })
    }

    /// Starts one more camera (or pose of one). The others go on.
    pub fn add(&self, source: CameraSource) {
        self.slots.add(source);
        super::receive::open_files::allow(self.slots.count());
    }

    /// Stops it and forgets its status. The others go on.
    pub fn remove(&self, id: &CameraId, pose: &PoseId) {
        self.slots.remove(id, pose);
    }

    /// What the register now says of a camera. `is_reached_anew`: its address, pipeline or main
    /// stream has changed, so it is connected anew; otherwise nothing restarts.
    pub fn describe(&self, source: CameraSource, is_reached_anew: bool) {
        self.slots.describe(source, is_reached_anew);
    }

    /// The register gives it another position or direction: its view is learnt anew. Its connection
    /// stays.
    pub fn aim_anew(&self, id: &CameraId, pose: &PoseId) {
        self.slots.aim_anew(id, pose);
    }

    /// The newest keyframe of the camera that is due, and the camera's number. None when no camera
    /// is due within `wait`, or at once after `stop`.
    pub fn take(&self, wait: Duration) -> Option<(usize, Keyframe)> {
        self.slots.take(wait)
    }

    /// `take`, decode and judge: the loop body of a worker thread. None after `wait` without work,
    /// and for a keyframe that cannot be decoded, which goes to that camera's status.
    pub fn next_frame(&self, decoder: &mut Decoder, wait: Duration) -> Option<Frame> {
        let (index, keyframe) = self.take(wait)?;
        let frame = self.decode(index, &keyframe, decoder);
        match keyframe.stream {
            Stream::Screened => frame,
            // A main stream that cannot be decoded must not cost the camera its turn.
            Stream::Main => {
                frame.or_else(|| self.decode(index, &self.slots.instead(index)?, decoder))
            }
        }
    }

    fn decode(&self, index: usize, keyframe: &Keyframe, decoder: &mut Decoder) -> Option<Frame> {
        let Keyframe { captured_at, stream, .. } = *keyframe;
        let decoded = decoder.decode(keyframe).map(Arc::new);
        let pose = match stream {
            Stream::Screened => self.slots.saw(index, captured_at, decoded.as_ref()),
            Stream::Main => self.slots.saw_main(index, captured_at, decoded.as_ref()),
        };
        let picture = decoded.ok()?;
        if pose.is_none() && stream == Stream::Screened {
            // It was looked at, and it turns: its slot is met.
            self.slots.looked(index, captured_at);
        }
        // None: the camera has gone or is connected anew.
        let camera = self.slots.source(index)?.id.clone();
        Some(Frame { camera, pose: pose?, captured_at, picture, stream })
    }

    /// Up to `most` frames that are due now, of different cameras. Waits for the first only.
    pub fn next_frames(&self, decoder: &mut Decoder, most: usize, wait: Duration) -> Vec<Frame> {
        let mut frames: Vec<Frame> = self.next_frame(decoder, wait).into_iter().collect();
        while !frames.is_empty() && frames.len() < most {
            let Some(frame) = self.next_frame(decoder, Duration::ZERO) else { break };
            frames.push(frame);
        }
        frames
    }

    /// Marks the slot of the frame's camera as met: the frame has been analysed, or judged by the
    /// gate.
    pub fn looked(&self, frame: &Frame) {
        let is_it = |source: &CameraSource| source.id == frame.camera && source.shows(&frame.pose);
        self.slots
            .indices(is_it)
            .into_iter()
            .for_each(|index| self.slots.looked(index, frame.captured_at));
    }

    /// To be asked before a frame is looked at: poses of its camera whose past is void from here on.
    pub fn over_before(&self, frame: &Frame) -> Vec<PoseId> {
        self.slots.over_before(frame)
    }

    /// To be asked when a frame has been looked at. False: meanwhile its camera was removed or
    /// aimed anew, and what the look has left behind is to be forgotten.
    pub fn still_counts(&self, frame: &Frame) -> bool {
        self.slots.still_counts(frame)
    }

    /// The camera is suspicious. All its poses are looked at every half cadence for the next six
    /// cadences, as far as capacity allows, on pictures of their main streams where they have one.
    pub fn boost(&self, camera: &CameraId) {
        self.poses(camera).into_iter().for_each(|index| self.slots.boost(index));
    }

    /// The same for a suspicion below the alarm threshold: for six cadences, and again only after
    /// the camera has been calm for as long.
    pub fn suspect(&self, camera: &CameraId) {
        self.poses(camera).into_iter().for_each(|index| self.slots.suspect(index));
    }

    fn poses(&self, camera: &CameraId) -> Vec<usize> {
        self.slots.indices(|source| source.id == *camera)
    }

    /// Whether there is a reason to look at the frame's camera more closely.
    pub fn is_boosted(&self, frame: &Frame) -> bool {
        self.poses(&frame.camera).into_iter().any(|index| self.slots.is_boosted(index))
    }

    /// Whether any camera is due.
    pub fn is_anybody_due(&self) -> bool {
        self.slots.is_anybody_due()
    }

    /// Looks have been rarer than configured for a while.
    pub fn overload(&self) -> Option<Overload> {
        self.slots.overload()
    }

    /// The thread that watches the cameras has panicked. No camera is started or reported any more.
    pub fn has_died(&self) -> bool {
        self.watcher().as_ref().is_some_and(JoinHandle::is_finished)
    }

    fn watcher(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.watcher.lock()
    }

    /// True after `stop`: workers then leave their loop.
    pub fn is_stopped(&self) -> bool {
        self.slots.is_stopped()
    }

    /// Ends every stream, releases waiting workers, and returns when all threads of this module
    /// have ended.
    pub fn stop(&self) {
        self.slots.stop();
        // Full or closed means that the stop was sent before.
        let _ = self.stop.try_send(());
        let watcher = self.watcher().take();
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
    let mut receivers: Vec<Receiver> = Vec::new();
    let mut fetches = Fetches::new(Arc::clone(slots));
    let mut first = 0;
    loop {
        if let Some(roster) = slots.new_roster() {
            follow(slots, &roster, &mut receivers);
            fetches.keep_only(|index| roster.contains_key(&index));
        }
        let now = slots.clock.now();
        let mut starts = 0;
        // Cameras that found no start left in this tick come first in the next.
        for step in 0..receivers.len() {
            let index = (first + step) % receivers.len();
            if receivers[index].tick(&pipelines, starts < STARTS_PER_TICK, now) {
                starts += 1;
                if starts == STARTS_PER_TICK {
                    first = index + 1;
                }
            }
        }
        fetches.tick(&pipelines, now);
        super::receive::runtime::revive();
        slots.tick(now);
        match stop.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(fetches);
    end(receivers);
    super::receive::rtsp::goodbyes(GOODBYES);
}

/// Ends the receivers of cameras that have gone, and makes those of cameras that have come. A
/// camera that is connected anew has another number, so it is both.
fn follow(
    slots: &Arc<Slots>,
    roster: &BTreeMap<usize, Arc<CameraSource>>,
    receivers: &mut Vec<Receiver>,
) {
    let (stay, gone): (Vec<_>, Vec<_>) = std::mem::take(receivers)
        .into_iter()
        .partition(|receiver| roster.contains_key(&receiver.index()));
    end(gone);
    let known: BTreeSet<usize> = stay.iter().map(Receiver::index).collect();
    let new = roster.iter().filter(|(index, _)| !known.contains(index));
    *receivers = stay;
    receivers.extend(
        new.map(|(index, source)| Receiver::new(*index, Arc::clone(source), Arc::clone(slots))),
    );
}

fn end(mut receivers: Vec<Receiver>) {
    let share = receivers.len().div_ceil(STOPPERS).max(1);
    std::thread::scope(|scope| {
        while !receivers.is_empty() {
            let some = receivers.split_off(receivers.len().saturating_sub(share));
            scope.spawn(move || drop(some));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program checks this every few seconds and restarts the cameras (`app/video.rs`).
    #[test]
    fn a_watcher_that_panics_is_noticed() {
        let mut receivers = Receivers::start(
            Vec::new(),
            &CameraConfig::default(),
            Clock::System,
            StatusBoard::default(),
            Lang::En,
        )
        .expect("no camera, no fault");
        assert!(!receivers.has_died());
        receivers.stop();
        assert!(!receivers.has_died(), "one that was stopped has not died");
        let dies = std::thread::spawn(|| panic!("as a test asks it to"));
        receivers.watcher = Mutex::new(Some(dies));
        while !receivers.has_died() {
            std::thread::yield_now();
        }
    }
}
