//! Runs the model on the cameras: worker threads (OS threads) take the frames of the most overdue
//! cameras, analyse them and pass the results to the desk.
//!
//! ```text
//!  Receivers ─► Frames ─► Analyst ─► Seen ─► desk
//!                         (history, model, confirmation; with and without the drill's smoke)
//! ```

mod pose;
mod register;
mod screen;
mod second_look;
mod second_opinion;
mod self_test;
mod strip;
mod tiles;
mod views;

pub use crate::frame::Tuning;
pub use strip::{Began, Encoded, Kept, Shot, Strips};

use crate::camera::{Decoder, Receivers};
use crate::detect::{Detector, Pasts, Worker};
use crate::drill::DrillBoard;
use crate::error::{Error, Result};
use crate::frame::{Frame, Gate, Picture, StatusBoard};
use crate::triage::confirm::{Confirmed, Thresholds};
use crate::triage::detection::{Analysis, ModelVersion};
use crate::triage::id::{CameraId, PoseId};
use crate::triage::opinion::Opinion;
use jiff::SignedDuration;
use parking_lot::{Mutex, MutexGuard};
use pose::Pose;
use screen::Screen;
use second_look::MainPasts;
use self_test::SelfTester;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tiles::Tiles;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use views::{Gist, View};

/// Bound of the channel to the desk: analysed frames that it has not taken yet. At 27 frames a
/// second (267 cameras, cadence 10 s) about ten seconds of them.
pub const SEEN_MAX: usize = 256;
/// Interval at which an idle worker checks whether it must stop.
const WAIT: Duration = Duration::from_millis(500);
/// The same interval while a self-test runs, so that its next step starts soon.
const WAIT_TESTING: Duration = Duration::from_millis(20);
/// Niceness of the worker threads, 0..=19. With both cores busy with pictures, the threads that
/// acknowledge, dispatch or call still get a core at once.
const NICENESS: i32 = 5;

/// The result of one look at one frame.
#[derive(Clone, Debug)]
pub struct Seen {
    pub analysis: Analysis,
    /// What this frame confirmed: places that alarm now.
    pub confirmed: Vec<Alarm>,
    pub picture: Arc<Picture>,
    /// The smoke in the picture is rendered.
    pub drill: bool,
}

/// A place that was just confirmed.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub confirmed: Confirmed,
    /// The picture that shows it best.
    pub picture: Arc<Picture>,
    /// The second network's opinion.
    pub opinion: Opinion,
}

/// The thresholds until any are published: those of the configuration, or the model's advice where
/// the configuration leaves the defaults.
pub fn first_thresholds(configured: &Thresholds, detector: &Detector) -> Thresholds {
    let says_nothing = *configured == Thresholds::default();
    if says_nothing { detector.thresholds() } else { configured }.clone()
}

/// The worker threads. They end after `Receivers::stop`.
#[derive(Debug)]
pub struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts `workers` threads, each with its own decoder and inference session. `pipelines`: the
    /// folder of the decoder's pipeline texts.
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
            let (receivers, analyst, out) =
                (Arc::clone(receivers), Arc::clone(analyst), out.clone());
            let thread = std::thread::Builder::new()
                .name(format!("watch-{i}"))
                .spawn(move || watch(&receivers, &mut decoder, &mut worker, &analyst, &out))
                .map_err(|e| Error::unavailable("cannot start an analysis thread").because(e))?;
            threads.push(thread);
        }
        Ok(Self(threads))
    }

    /// Whether a thread has ended. Before `Receivers::stop` that means it panicked.
    pub fn has_died(&self) -> bool {
        self.0.iter().any(JoinHandle::is_finished)
    }

    /// Waits for all threads, after `Receivers::stop`.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("an analysis thread panicked");
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
    // On Linux this call applies to the calling thread only. If it is refused, the desk may wait a
    // few milliseconds longer; nothing else changes.
    if let Err(e) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!("the priority of an analysis thread could not be lowered: {e}");
    }
    let mut failing = false;
    while !receivers.is_stopped() {
        let wait = if analyst.self_tests.has_work() { WAIT_TESTING } else { WAIT };
        let frames = receivers.next_frames(decoder, worker.batch(), wait);
        let Some(first) = frames.first() else {
            // No camera is due.
            if let Err(e) = analyst.self_tests.step(worker) {
                tracing::warn!("a self-test failed: {}", e.chain());
            }
            continue;
        };
        for frame in &frames {
            let over = receivers.over_before(frame);
            over.iter().for_each(|pose| analyst.forget_pose(&frame.camera, pose));
        }
        frames.iter().filter(|it| receivers.is_boosted(it)).for_each(|it| analyst.expect(it));
        // Tiles use spare time only: while another camera is due, none are analysed.
        let tiles = if receivers.is_anybody_due() { 0 } else { analyst.tiles };
        let looked = analyst.look_many(worker, &frames, tiles);
        if looked.is_err() != failing {
            failing = !failing;
            match &looked {
                Err(e) => {
                    tracing::error!(camera = %first.camera, "frames are not analysed: {}", e.chain())
                }
                Ok(_) => tracing::info!(camera = %first.camera, "frames are analysed again"),
            }
        }
        if looked.is_ok() {
            frames.iter().for_each(|frame| receivers.looked(frame));
        }
        let void = frames.iter().filter(|frame| !receivers.still_counts(frame));
        void.for_each(|frame| analyst.forget(&frame.camera, &frame.pose));
        let thresholds = analyst.tuning.get();
        for seen in looked.unwrap_or_default() {
            let Analysis { camera, detections, .. } = &seen.analysis;
            if detections
                .iter()
                .any(|found| found.confidence >= thresholds.lasting(found.class, found.tile))
            {
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

/// CPU time used by this thread; inference runs on it.
fn cpu_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// Waits while the channel is full. False when the receiver is closed.
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

/// The state kept from frame to frame. Shared by all workers; replays use it in the same way as
/// live analysis.
#[derive(Debug)]
pub struct Analyst {
    model: ModelVersion,
    /// How far back the model compares; None: it looks at a single frame.
    past: Option<SignedDuration>,
    tuning: Tuning,
    drills: DrillBoard,
    status: StatusBoard,
    memory: Mutex<Memory>,
    /// Maximum number of tiles per look, beside the whole view.
    tiles: usize,
    /// Skylines known from the register, as fractions of the picture's height from the top.
    skylines: Mutex<BTreeMap<(CameraId, PoseId), f32>>,
    /// `None`: the full network runs on every view.
    screen: Option<Screen>,
    pub self_tests: SelfTester,
}

#[derive(Debug)]
struct Memory {
    /// None: the model looks at a single frame.
    history: Option<Pasts>,
    main_pasts: Option<MainPasts>,
    /// None: every frame is analysed.
    gate: Option<Gate>,
    /// One entry per pose that has been analysed. It also records what is suspected, with or
    /// without tiles.
    tiles: BTreeMap<(CameraId, PoseId), Tiles>,
    poses: BTreeMap<(CameraId, PoseId, Reality), Pose>,
}

/// Drills and real smoke are confirmed separately, so that a drill never blinds its camera.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reality {
    Real,
    Drill,
}

impl Analyst {
    pub fn new(
        detector: &Detector,
        tuning: Tuning,
        drills: DrillBoard,
        status: StatusBoard,
    ) -> Self {
        let past = detector.manifest().input.past;
        let memory = Memory {
            history: past.map(Pasts::new),
            main_pasts: past.map(MainPasts::new),
            gate: None,
            tiles: BTreeMap::new(),
            poses: BTreeMap::new(),
        };
        let memory = Mutex::new(memory);
        let levels = detector.screener().map(|it| it.levels);
        let self_tests = SelfTester::new(status.clone(), tuning.clone(), past.is_some(), levels);
        let (model, tiles, skylines) = (detector.model(), detector.tiles(), Mutex::default());
        let screen = detector.screener().map(Screen::new);
        Self { model, past, tuning, drills, status, memory, tiles, skylines, screen, self_tests }
    }

    /// Every camera is tested at this interval without a request.
    #[must_use]
    pub fn with_self_test_every(mut self, every: SignedDuration) -> Self {
        self.self_tests.every = every.is_positive().then_some(every);
        self
    }

    /// Puts the change gate before the model: per pose it runs on frames in which something is new,
    /// and on at least one frame in `every`.
    #[must_use]
    pub fn gated(self, every: u32) -> Self {
        self.memory().gate = Some(Gate::new(every));
        self
    }

    /// Where the register gives the skyline, it is not searched for in pictures.
    #[must_use]
    pub fn with_skylines(mut self, skylines: BTreeMap<(CameraId, PoseId), f32>) -> Self {
        self.skylines = Mutex::new(skylines);
        self
    }

    /// Taken after the memory's lock where both are.
    fn skylines(&self) -> MutexGuard<'_, BTreeMap<(CameraId, PoseId), f32>> {
        self.skylines.lock()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }

    /// Analyses the frame as it is and, during a drill, a second time with rendered smoke; each
    /// whole and in tiles. Empty when the gate is closed and no drill runs: neither the
    /// confirmation nor the stored analyses may count such a frame as one without smoke.
    pub fn look(&self, worker: &mut Worker, frame: &Frame) -> Result<Vec<Seen>> {
        self.look_many(worker, std::slice::from_ref(frame), self.tiles)
    }

    /// The same for frames of several cameras, [`Worker::batch`] views at once, with at most
    /// `tiles` tiles of each. The frames are judged in the order given.
    pub fn look_many(
        &self,
        worker: &mut Worker,
        frames: &[Frame],
        tiles: usize,
    ) -> Result<Vec<Seen>> {
        let views: Vec<View> =
            frames.iter().flat_map(|frame| self.views(worker, frame, tiles)).collect();
        let began = cpu_time();
        let mut answers = self.answers(worker, &views)?.into_iter();
        metrics::counter!("huoyan_frames_inferred_total").increment(views.len() as u64);
        // Each whole view is followed by its tiles.
        let of_one_picture = views.chunk_by(|_, next| next.tile.is_some());
        let seen = of_one_picture.map(|views| {
            let gist = Gist::of(
                worker,
                views,
                self.main_past(views[0].frame).as_deref(),
                answers.by_ref().take(views.len()),
            )?;
            if views[0].real == Reality::Real {
                self.remember(worker, &views[0], &gist);
            }
            Ok(self.judge(worker, &views[0], gist))
        });
        let seen: Result<Vec<Seen>> = seen.collect();
        let pictures =
            views.iter().filter(|view| view.tile.is_none() && view.real == Reality::Real).count();
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
            // A model that looks at a single picture needs no past.
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
