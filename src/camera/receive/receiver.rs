//! The life cycle of one camera: start, watch, restart. Driven by `tick`; GStreamer waits on its
//! own threads only.

use super::drop_folder::DropFolder;
use super::open::{by_rtspsrc, may_change, open};
use super::reading::Reading;
use super::reconnect::{Backoff, Gap, judge_silence};
use super::route::{Next, Route};
use super::rtsp::UNITS;
use super::snapshot::Snapshot;
use crate::camera::fault::Fault;
use crate::camera::fault::link::{Breach, Link, Network};
use crate::camera::gst::pipelines::Pipelines;
use crate::camera::gst::template::Outlet;
use crate::camera::gst::{Pipeline, drop_delta_units, fault_of, keyframe_of};
use crate::camera::keyframe::Keyframe;
use crate::camera::source::{CameraSource, SourceKind, images_in};
use crate::camera::turn::slots::Slots;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) struct Receiver {
    index: usize,
    source: Arc<CameraSource>,
    slots: Arc<Slots>,
    backoff: Backoff,
    reading: Reading,
    route: Route,
    state: State,
}

enum State {
    Waiting,
    Playing(Playing),
    Folder(Folder),
    Web(Snapshot),
    Drop(Box<DropFolder>),
}

struct Playing {
    pipeline: Pipeline,
    activity: Arc<Activity>,
    begun_at: Timestamp,
    pulse: Option<Pulse>,
    /// A recording starts over at its end. For a camera, the end of the stream is a fault.
    is_recording: bool,
    has_login: bool,
}

/// Microseconds since 1970, written by the streaming thread.
struct Activity {
    keyframe_us: AtomicI64,
    data_us: AtomicI64,
}

/// A source that drops delta frames itself counts what it receives. The count rises while video
/// arrives.
struct Pulse {
    source: gst::Element,
    units: u64,
}

struct Folder {
    pictures: Vec<PathBuf>,
    next: usize,
    due_at: Timestamp,
}

impl Receiver {
    pub(crate) fn new(index: usize, source: Arc<CameraSource>, slots: Arc<Slots>) -> Self {
        // 16 steps are enough to spread a county's reconnects, and need no random numbers.
        let spread = (index % 16) as f64 / 16.0;
        let backoff = Backoff::new(slots.config.reconnect_min, slots.config.reconnect_max, spread);
        let (reading, state) = (Reading::default(), State::Waiting);
        let route = Route::new(may_change(&source, &slots.config.pipeline));
        Self { index, source, slots, backoff, reading, route, state }
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Checks the camera. True when it was started, which takes a moment. A panic becomes this
    /// camera's fault and touches no other.
    pub(crate) fn tick(&mut self, pipelines: &Pipelines, may_start: bool, now: Timestamp) -> bool {
        let looked = catch_unwind(AssertUnwindSafe(|| self.look_after(pipelines, may_start, now)));
        looked.unwrap_or_else(|_| {
            // Any state that the panic has left half done is dropped.
            self.state = State::Waiting;
            self.tell(Fault::Crashed, now);
            true
        })
    }

    fn look_after(&mut self, pipelines: &Pipelines, may_start: bool, now: Timestamp) -> bool {
        if may_start && self.route.tries_own(now) {
            self.state = State::Waiting;
            self.slots.note(self.index, None);
            self.backoff.again(now);
        }
        let outcome = match &mut self.state {
            State::Waiting if may_start && self.backoff.is_due(now) => {
                let source = match self.route.by_rtspsrc() {
                    Some(_) => &by_rtspsrc(&self.source),
                    None => &*self.source,
                };
                match start(&self.slots, self.index, source, &self.reading, pipelines, now) {
                    Ok(state) => self.state = state,
                    Err(fault) => self.fail(fault, now),
                }
                return true;
            }
            State::Waiting => Ok(()),
            State::Playing(playing) => {
                if playing.has_pictures() {
                    self.reading.worked();
                    self.route.worked();
                }
                playing.watch(&self.slots, self.index, &mut self.backoff, now)
            }
            State::Folder(folder) => folder.feed(&self.slots, self.index, now),
            State::Web(camera) => {
                camera.feed(&self.slots, self.index, &mut self.backoff, &mut self.reading, now)
            }
            State::Drop(folder) => folder.feed(&self.slots, self.index, now),
        };
        if let Err(fault) = outcome {
            self.fail(fault, now);
        }
        false
    }

    fn fail(&mut self, fault: Fault, now: Timestamp) {
        let state = std::mem::replace(&mut self.state, State::Waiting);
        let had_pictures = matches!(&state, State::Playing(playing) if playing.has_pictures());
        drop(state);
        match self.route_for(fault, had_pictures, now) {
            Some(fault) => self.tell(fault, now),
            None => self.backoff.again(now),
        }
    }

    fn tell(&mut self, fault: Fault, now: Timestamp) {
        let readings = self.source.address.readings();
        let wait = match fault {
            Fault::WrongPassword { .. } if self.reading.refused(readings) => {
                self.backoff.failed(now)
            }
            Fault::WrongPassword { .. } | Fault::NoSuchStream => self.backoff.refused(now),
            _ => self.backoff.failed(now),
        };
        tracing::debug!(camera.id = %self.source.id, wait_ms = wait.as_millis() as i64, "will try \
            again");
        self.slots.set_link(self.index, fault);
    }

    /// A camera that departs from RTSP is connected again at once, and after some times by
    /// `rtspsrc`. What is then left to tell; None: nothing.
    fn route_for(&mut self, fault: Fault, had_pictures: bool, now: Timestamp) -> Option<Fault> {
        if let Some(because) = self.route.unproven() {
            let is_tried = self.route.ended(&fault, now);
            if is_tried {
                self.slots.note(self.index, None);
            }
            if !is_about_the_stream(&fault) {
                return Some(fault);
            }
            return Some(Link::Breach { breach: because, is_tried }.into());
        }
        let breach = match &fault {
            Fault::Link(Link::Breach { breach, .. }) => *breach,
            // `retina` panics at some orders of malformed packets.
            Fault::Crashed if self.route.by_rtspsrc().is_none() => Breach::Packets,
            _ => return Some(fault),
        };
        match self.route.broke(breach, had_pictures, now) {
            Next::Again => {
                self.slots.broke(self.index, &fault);
                None
            }
            Next::ByRtspsrc => {
                self.slots.note(self.index, Some(Fault::ByRtspsrc { because: breach }));
                None
            }
            Next::Told { is_tried: true } => Some(Link::Breach { breach, is_tried: true }.into()),
            Next::Told { is_tried: false } => Some(fault),
        }
    }
}

/// Whether `rtspsrc` has reached the camera and got no picture all the same. Its own words are less
/// to the point than what ended our own source.
fn is_about_the_stream(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::StreamEnded
            | Fault::Silent { .. }
            | Fault::OtherCodec { .. }
            | Fault::NoVideo
            | Fault::Undecodable { .. }
            | Fault::Link(
                Link::Refused { .. }
                    | Link::Breach { .. }
                    | Link::Unreachable(Network::Broken | Network::Other)
            )
    )
}

fn start(
    slots: &Arc<Slots>,
    index: usize,
    source: &CameraSource,
    reading: &Reading,
    pipelines: &Pipelines,
    now: Timestamp,
) -> Result<State, Fault> {
    let kind = source.kind()?;
    match &kind {
        SourceKind::Images(folder) => return Folder::open(folder, now).map(State::Folder),
        SourceKind::Drop(folder) => {
            return Ok(State::Drop(Box::new(DropFolder::open(folder.clone(), now))));
        }
        SourceKind::Web if source.pipeline.is_none() => {
            return Snapshot::open(source, reading).map(State::Web);
        }
        SourceKind::Rtsp | SourceKind::Web | SourceKind::Video(_) => {}
    }
    let (pipeline, sink, line) = open(source, reading, &kind, &slots.config.pipeline, pipelines)?;
    let (name, outlet) = (line.name, line.outlet);
    let counting = pipeline.0.by_name("source").filter(|element| element.has_property(UNITS));
    let pulse = counting.map(|source| Pulse { source, units: 0 });
    let is_recording = matches!(kind, SourceKind::Video(_));
    sink.set_property("sync", is_recording);
    sink.set_property("drop", true);
    let now_us = AtomicI64::new(now.as_microsecond());
    let activity =
        Arc::new(Activity { keyframe_us: AtomicI64::new(now.as_microsecond()), data_us: now_us });
    if outlet == Outlet::Keyframes {
        let (clock, activity) = (slots.clock.clone(), Arc::clone(&activity));
        drop_delta_units(&sink, move || {
            activity.data_us.store(clock.now().as_microsecond(), Ordering::Relaxed)
        });
    }
    hand_on(&sink, slots, index, name, &activity);
    pipeline.play()?;
    let has_login = source.address.has_login();
    Ok(State::Playing(Playing {
        pipeline,
        activity,
        begun_at: now,
        pulse,
        is_recording,
        has_login,
    }))
}

/// `name`: the pipeline's, for when what it gives cannot be used.
fn hand_on(
    sink: &AppSink,
    slots: &Arc<Slots>,
    index: usize,
    name: String,
    activity: &Arc<Activity>,
) {
    let (slots, activity) = (Arc::clone(slots), Arc::clone(activity));
    let new_sample = move |sink: &AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let now = slots.clock.now();
        activity.data_us.store(now.as_microsecond(), Ordering::Relaxed);
        match keyframe_of(&sample, now) {
            Ok(keyframe) => {
                activity.keyframe_us.store(now.as_microsecond(), Ordering::Relaxed);
                slots.put(index, keyframe);
            }
            Err(e) => {
                slots.set_link(index, Fault::BadPipeline { name: name.clone(), why: e.chain() })
            }
        }
        Ok(gst::FlowSuccess::Ok)
    };
    sink.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).build());
}

impl Playing {
    fn has_pictures(&self) -> bool {
        self.activity.keyframe_us.load(Ordering::Relaxed) > self.begun_at.as_microsecond()
    }

    fn watch(
        &mut self,
        slots: &Slots,
        index: usize,
        backoff: &mut Backoff,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let wanted = [gst::MessageType::Error, gst::MessageType::Eos];
        while let Some(message) = self.pipeline.0.bus().and_then(|bus| bus.pop_filtered(&wanted)) {
            match message.view() {
                gst::MessageView::Error(error) => {
                    return Err(match fault_of(error) {
                        Fault::WrongPassword { .. } => {
                            Fault::WrongPassword { had_one: self.has_login }
                        }
                        Fault::OtherCodec { .. } | Fault::Undecodable { .. }
                            if self.is_recording =>
                        {
                            Fault::NoFilm
                        }
                        fault => fault,
                    });
                }
                _ if self.is_recording => {
                    let start_over = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
                    let sought = self.pipeline.0.seek_simple(start_over, gst::ClockTime::ZERO);
                    sought.map_err(|_| Fault::StreamEnded)?;
                }
                _ => return Err(Fault::StreamEnded),
            }
        }
        if self.pulse.as_mut().is_some_and(Pulse::beats) {
            self.activity.data_us.store(now.as_microsecond(), Ordering::Relaxed);
        }
        self.watch_silence(slots, index, backoff, now)
    }

    fn watch_silence(
        &self,
        slots: &Slots,
        index: usize,
        backoff: &mut Backoff,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let read =
            |at: &AtomicI64| Timestamp::from_microsecond(at.load(Ordering::Relaxed)).unwrap_or(now);
        let (keyframe_at, data_at) =
            (read(&self.activity.keyframe_us), read(&self.activity.data_us));
        let seconds_since = |at: Timestamp| now.duration_since(at).as_secs();
        let (seconds, silent_s) = (seconds_since(keyframe_at), seconds_since(data_at));
        let config = &slots.config;
        match judge_silence(now, keyframe_at, data_at, config.late_after, config.offline_after) {
            Gap::Fine => backoff.succeeded(),
            Gap::RareKeyframes => slots.set_link(index, Fault::RareKeyframes { seconds }),
            Gap::Late => slots.set_link(index, Fault::Silent { seconds: silent_s, offline: false }),
            Gap::Offline => return Err(Fault::Silent { seconds: silent_s, offline: true }),
        }
        Ok(())
    }
}

impl Pulse {
    /// True when video has arrived since the last call.
    fn beats(&mut self) -> bool {
        let units = self.source.property(UNITS);
        std::mem::replace(&mut self.units, units) != units
    }
}

impl Folder {
    fn open(folder: &Path, now: Timestamp) -> Result<Self, Fault> {
        let pictures = images_in(folder)
            .map_err(|e| Fault::NoSuchFile { path: folder.to_owned(), why: e.to_string() })?;
        if pictures.is_empty() {
            return Err(Fault::NoPictures { folder: folder.to_owned() });
        }
        Ok(Self { pictures, next: 0, due_at: now })
    }

    fn feed(&mut self, slots: &Slots, index: usize, now: Timestamp) -> Result<(), Fault> {
        if now < self.due_at {
            return Ok(());
        }
        self.due_at = now.checked_add(slots.config.cadence).unwrap_or(Timestamp::MAX);
        let path = &self.pictures[self.next];
        self.next = (self.next + 1) % self.pictures.len();
        let bytes = std::fs::read(path)
            .map_err(|e| Fault::NoSuchFile { path: path.clone(), why: e.to_string() })?;
        slots.put(index, Keyframe::from_image_bytes(now, bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::source::CameraSource;
    use crate::clock::Clock;
    use crate::config::CameraConfig;
    use crate::frame::{Health, StatusBoard};
    use crate::lang::Lang;

    #[test]
    fn a_camera_whose_receiver_panics_says_so_and_is_begun_anew_after_a_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("1.jpg"), b"a picture").expect("a file");
        let address = folder.path().to_string_lossy().into_owned();
        let source =
            CameraSource::new("north".into(), "default".into(), "北山".to_owned(), &*address);
        let (clock, status) = (Clock::System, StatusBoard::default());
        let slots = Slots::new(
            vec![source.clone()],
            CameraConfig::default(),
            clock.clone(),
            status.clone(),
            Lang::En,
        );
        let (pipelines, now) = (Pipelines::new(Path::new("pipelines")), clock.now());
        let mut receiver = Receiver::new(0, Arc::new(source), Arc::clone(&slots));
        // An impossible state: the code that takes the next picture panics.
        receiver.state = State::Folder(Folder { pictures: Vec::new(), next: 0, due_at: now });
        receiver.tick(&pipelines, true, now);
        let said = status.get(&"north".into()).expect("a status");
        assert_eq!(said.health, Health::Offline);
        assert!(said.detail.is_some_and(|words| words.contains("failed")), "in words");
        receiver.tick(&pipelines, true, now);
        assert!(matches!(receiver.state, State::Waiting), "not at once");
        receiver.tick(&pipelines, true, now + slots.config.reconnect_max);
        assert!(matches!(receiver.state, State::Folder(_)), "it is received again");
    }
}
