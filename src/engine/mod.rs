//! Cameras meet the model: a few OS threads take the frames of the most overdue cameras, look at them, and hand on what they saw.
//!
//! ```text
//!  Receivers ─► Frames ─► Analyst (history, model, confirmation; with and without the drill's smoke) ─► Seen ─► desk
//! ```

mod pose;
mod screen;
mod second_look;
mod second_opinion;
mod self_test;
mod strip;
mod tiles;
mod views;

pub use strip::{Began, Encoded, Kept, Shot, Strips};

use crate::camera::{Decoder, Receivers};
use crate::detect::{Detector, History, Worker};
use crate::drill::DrillBoard;
use crate::error::{Error, Result};
use crate::frame::{Frame, Gate, Picture, StatusBoard};
use crate::triage::confirm::{Confirmed, Thresholds};
use crate::triage::detection::{Analysis, ModelVersion};
use crate::triage::id::{CameraId, PoseId};
use crate::triage::opinion::Opinion;
use jiff::SignedDuration;
use pose::Pose;
use screen::Screen;
use second_look::MainPasts;
use self_test::SelfTester;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tiles::Tiles;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use views::{Gist, View};

/// Frames analysed and not yet taken by the desk: at 27 a second (267 cameras, 10 s) ten seconds of them.
pub const SEEN_MAX: usize = 256;
/// A worker looks up so often whether it shall stop.
const WAIT: Duration = Duration::from_millis(500);
/// And while a self-test runs, whether there is time for its next step.
const WAIT_TESTING: Duration = Duration::from_millis(20);
/// Niceness of the threads that watch, 0..=19: with both cores full of pictures, whoever acknowledges, dispatches or rings
/// still gets a core at once.
const NICENESS: i32 = 5;

/// What one look at one frame gave.
#[derive(Clone, Debug)]
pub struct Seen {
    pub analysis: Analysis,
    /// What this frame confirmed.
    pub confirmed: Vec<Alarm>,
    pub picture: Arc<Picture>,
    /// The smoke in it is rendered.
    pub drill: bool,
}

/// A place that is confirmed now.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub confirmed: Confirmed,
    /// The one that shows it best.
    pub picture: Arc<Picture>,
    /// Of the second network.
    pub opinion: Opinion,
}

/// The published thresholds, shared; a change applies from the next frame on.
#[derive(Clone, Debug)]
pub struct Tuning(Arc<RwLock<Thresholds>>);

impl Tuning {
    pub fn new(thresholds: Thresholds) -> Self {
        Self::over(Arc::new(RwLock::new(thresholds)))
    }

    /// The value the ops page publishes into.
    pub fn over(shared: Arc<RwLock<Thresholds>>) -> Self {
        Self(shared)
    }

    pub fn get(&self) -> Thresholds {
        self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub fn publish(&self, thresholds: Thresholds) {
        *self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = thresholds;
    }
}

/// Before anything was published: what the configuration says, or what the model advises where it says nothing.
pub fn first_thresholds(configured: &Thresholds, detector: &Detector) -> Thresholds {
    let says_nothing = *configured == Thresholds::default();
    if says_nothing { detector.thresholds(configured.clone()) } else { configured.clone() }
}

/// The threads. They end after `Receivers::stop`.
#[derive(Debug)]
pub struct Watch(Vec<JoinHandle<()>>);

impl Watch {
    /// `workers` threads, each with a decoder and an inference session of its own. `pipelines`: folder of decoder texts.
    pub fn start(
        workers: usize,
        pipelines: &Path,
        receivers: &Arc<Receivers>,
        detector: &Detector,
        analyst: &Arc<Analyst>,
        out: &mpsc::Sender<Seen>,
    ) -> Result<Self> {
        let mut threads = Vec::new();
        for i in 0..workers {
            let mut decoder = Decoder::with_pipelines(pipelines)?;
            let mut worker = detector.session()?;
            let (receivers, analyst, out) = (Arc::clone(receivers), Arc::clone(analyst), out.clone());
            let thread = std::thread::Builder::new()
                .name(format!("watch-{i}"))
                .spawn(move || watch(&receivers, &mut decoder, &mut worker, &analyst, &out))
                .map_err(|e| Error::unavailable("cannot start a thread that watches").because(e))?;
            threads.push(thread);
        }
        Ok(Self(threads))
    }

    /// Whether a thread has ended; before `Receivers::stop` none does unless it panicked.
    pub fn has_died(&self) -> bool {
        self.0.iter().any(JoinHandle::is_finished)
    }

    /// Waits for all threads, after `Receivers::stop`.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a thread that watches had panicked");
            }
        }
    }
}

fn watch(
    receivers: &Receivers,
    decoder: &mut Decoder,
    worker: &mut Worker,
    analyst: &Analyst,
    out: &mpsc::Sender<Seen>,
) {
    // On Linux, "this process" is the calling thread alone. Refused, it costs the desk milliseconds, nothing else.
    if let Err(e) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!("the threads that watch keep the desk's priority: {e}");
    }
    let mut failing = false;
    while !receivers.is_stopped() {
        let wait = if analyst.self_tests.has_work() { WAIT_TESTING } else { WAIT };
        let frames = receivers.next_frames(decoder, worker.batch(), wait);
        let Some(first) = frames.first() else {
            // Nobody waits for a look.
            if let Err(e) = analyst.self_tests.step(worker) {
                tracing::warn!("a self-test broke off: {}", e.chain());
            }
            continue;
        };
        frames.iter().filter(|it| receivers.is_boosted(it)).for_each(|it| analyst.expect(it));
        // Tiles are for the time that nobody else needs: under load they go first.
        let tiles = if receivers.is_anybody_due() { 0 } else { analyst.tiles };
        let looked = analyst.look_many(worker, &frames, tiles);
        if looked.is_err() != failing {
            failing = !failing;
            match &looked {
                Err(e) => tracing::error!(camera = %first.camera, "frames are not analysed: {}", e.chain()),
                Ok(_) => tracing::info!(camera = %first.camera, "frames are analysed again"),
            }
        }
        if looked.is_ok() {
            frames.iter().for_each(|frame| receivers.looked(frame));
        }
        let thresholds = analyst.tuning.get();
        for seen in looked.unwrap_or_default() {
            let Analysis { camera, detections, .. } = &seen.analysis;
            if detections.iter().any(|found| found.confidence >= thresholds.lasting(found.class, found.tile)) {
                receivers.boost(camera);
            } else if !detections.is_empty() {
                receivers.suspect(camera);
            }
            if !hand_on(out, seen) {
                return;
            }
        }
    }
}

/// That this thread has used; the networks run on it.
fn cpu_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// False when nobody takes any more.
fn hand_on(out: &mpsc::Sender<Seen>, seen: Seen) -> bool {
    match out.try_send(seen) {
        Ok(()) => true,
        Err(TrySendError::Full(seen)) => {
            tracing::warn!(
                waiting = SEEN_MAX,
                "the desk is behind; cameras are looked at more slowly until it catches up"
            );
            out.blocking_send(seen).is_ok()
        }
        Err(TrySendError::Closed(_)) => false,
    }
}

/// What has to be remembered from frame to frame. Shared by all workers; replays use it as live does.
#[derive(Debug)]
pub struct Analyst {
    model: ModelVersion,
    /// How far back the model wants to see; None: it looks at one frame alone.
    past: Option<SignedDuration>,
    tuning: Tuning,
    drills: DrillBoard,
    status: StatusBoard,
    memory: Mutex<Memory>,
    /// Of a view, beside the whole, at most.
    tiles: usize,
    /// What the register knows of skylines, as fractions of the picture from above.
    skylines: BTreeMap<(CameraId, PoseId), f32>,
    /// `None`: the full network looks at every view.
    screen: Option<Screen>,
    pub self_tests: SelfTester,
}

#[derive(Debug)]
struct Memory {
    /// None: the model looks at one frame alone.
    history: Option<History>,
    main_pasts: Option<MainPasts>,
    /// None: every frame is looked at.
    gate: Option<Gate>,
    /// Of every pose that has been looked at, where tiles are looked at.
    tiles: BTreeMap<(CameraId, PoseId), Tiles>,
    poses: BTreeMap<(CameraId, PoseId, Reality), Pose>,
}

/// Drills and real smoke are confirmed apart: a drill never blinds its camera.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reality {
    Real,
    Drill,
}

impl Analyst {
    pub fn new(detector: &Detector, tuning: Tuning, drills: DrillBoard, status: StatusBoard) -> Self {
        let past = detector.manifest().input.past;
        let memory = Memory {
            history: past.map(History::new),
            main_pasts: past.map(MainPasts::new),
            gate: None,
            tiles: BTreeMap::new(),
            poses: BTreeMap::new(),
        };
        let memory = Mutex::new(memory);
        let levels = detector.screener().map(|it| it.levels);
        let self_tests = SelfTester::new(status.clone(), tuning.clone(), past.is_some(), levels);
        let (model, tiles, skylines) = (detector.model(), detector.tiles(), BTreeMap::new());
        let screen = detector.screener().map(Screen::new);
        Self { model, past, tuning, drills, status, memory, tiles, skylines, screen, self_tests }
    }

    /// Every camera is tested so often without being asked.
    #[must_use]
    pub fn with_self_test_every(mut self, every: SignedDuration) -> Self {
        self.self_tests.every = every.is_positive().then_some(every);
        self
    }

    /// Asks the model only about frames in which something is new, and about one in `every`.
    #[must_use]
    pub fn gated(self, every: u32) -> Self {
        self.memory().gate = Some(Gate::new(every));
        self
    }

    /// Where the register knows the skyline, nobody has to find it.
    #[must_use]
    pub fn with_skylines(mut self, skylines: BTreeMap<(CameraId, PoseId), f32>) -> Self {
        self.skylines = skylines;
        self
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The frame as it is, and during a drill once more with smoke in it; each whole and in tiles. Nothing when the gate is
    /// closed: then it was not looked at, and neither the confirmation nor the stored analyses shall take it for a frame
    /// without smoke.
    pub fn look(&self, worker: &mut Worker, frame: &Frame) -> Result<Vec<Seen>> {
        self.look_many(worker, std::slice::from_ref(frame), self.tiles)
    }

    /// The same for frames of several cameras, [`Worker::batch`] views at once, with at most so many `tiles` of each. They are
    /// judged in the order given.
    pub fn look_many(&self, worker: &mut Worker, frames: &[Frame], tiles: usize) -> Result<Vec<Seen>> {
        let views: Vec<View> = frames.iter().flat_map(|frame| self.views(worker, frame, tiles)).collect();
        let began = cpu_time();
        let mut answers = self.answers(worker, &views)?.into_iter();
        metrics::counter!("huoyan_frames_inferred_total").increment(views.len() as u64);
        // Each whole view is followed by its tiles.
        let of_one_picture = views.chunk_by(|_, next| next.tile.is_some());
        let seen = of_one_picture.map(|views| {
            let gist =
                Gist::of(worker, views, self.main_past(views[0].frame).as_deref(), answers.by_ref().take(views.len()))?;
            if views[0].real == Reality::Real {
                self.remember(worker, &views[0], &gist);
            }
            Ok(self.judge(worker, &views[0], gist))
        });
        let seen: Result<Vec<Seen>> = seen.collect();
        let pictures = views.iter().filter(|view| view.tile.is_none() && view.real == Reality::Real).count();
        metrics::counter!("huoyan_looks_total").increment(pictures as u64);
        metrics::counter!("huoyan_network_cpu_microseconds_total")
            .increment(cpu_time().saturating_sub(began).as_micros() as u64);
        seen
    }

    fn judge(&self, worker: &mut Worker, view: &View, gist: Gist) -> Seen {
        let View { frame, picture, past, real, .. } = view;
        let mut memory = self.memory();
        let Gist { scores, detections, tiles, .. } = gist;
        let analysis = Analysis {
            camera: frame.camera.clone(),
            pose: frame.pose.clone(),
            captured_at: frame.captured_at,
            scores,
            detections,
            model: self.model.clone(),
            stream: frame.stream,
            tiles,
            // A model that looks at one picture alone lacks none.
            has_past: past.is_some() || memory.history.is_none(),
        };
        let thresholds = self.tuning.get();
        let key = (frame.camera.clone(), frame.pose.clone(), *real);
        let pose = memory.poses.entry(key).or_insert_with(|| Pose::new(thresholds.clone()));
        let confirmed = pose.observe(&analysis, picture, thresholds);
        drop(memory);
        let confirmed = confirmed.into_iter().map(|(confirmed, picture)| {
            let opinion = self.opinion(worker, view, &confirmed);
            Alarm { confirmed, picture, opinion }
        });
        let confirmed = confirmed.collect();
        Seen { analysis, confirmed, picture: Arc::clone(picture), drill: *real == Reality::Drill }
    }
}
