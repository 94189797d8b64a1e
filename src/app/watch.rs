//! Cameras meet the model: a few OS threads take the most overdue camera's frame, look at it, and hand on what they saw.
//!
//! ```text
//!  Receivers ─► Frame ─► Analyst (history, model, confirmation; with and without the drill's smoke) ─► Seen ─► desk
//! ```

use crate::camera::{Decoder, Receivers};
use crate::detect::{Detector, History, Worker};
use crate::drill::{DrillBoard, Plume, composite};
use crate::error::{Error, Result};
use crate::frame::{Cells, Frame, Gate, Picture, StatusBoard};
use crate::triage::confirm::{Confirmed, Confirmer, Thresholds};
use crate::triage::detection::{Analysis, Detection, ModelVersion, Scores};
use crate::triage::id::{CameraId, PoseId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Frames analysed and not yet taken by the desk: at 27 a second (267 cameras, 10 s) ten seconds of them.
pub const SEEN_MAX: usize = 256;
/// A worker looks up so often whether it shall stop.
const WAIT: Duration = Duration::from_millis(500);
/// The picture on the wall, pixels at most.
const WALL: (u32, u32) = (640, 360);

/// What one look at one frame gave.
#[derive(Clone, Debug)]
pub struct Seen {
    pub analysis: Analysis,
    /// What this frame confirmed, each with the picture that shows it best.
    pub confirmed: Vec<(Confirmed, Arc<Picture>)>,
    pub picture: Arc<Picture>,
    /// The smoke in it is rendered.
    pub drill: bool,
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
    let mut failing = false;
    while !receivers.is_stopped() {
        let Some(frame) = receivers.next_frame(decoder, WAIT) else { continue };
        let looked = analyst.look(worker, &frame);
        if looked.is_err() != failing {
            failing = !failing;
            match &looked {
                Err(e) => tracing::error!(camera = %frame.camera, "frames are not analysed: {}", e.chain()),
                Ok(_) => tracing::info!(camera = %frame.camera, "frames are analysed again"),
            }
        }
        for seen in looked.unwrap_or_default() {
            if !seen.analysis.detections.is_empty() {
                receivers.boost(&frame.camera);
            }
            if !hand_on(out, seen) {
                return;
            }
        }
    }
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
    tuning: Tuning,
    drills: DrillBoard,
    status: StatusBoard,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    /// None: the model looks at one frame alone.
    history: Option<History>,
    /// None: every frame is looked at.
    gate: Option<Gate>,
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
        let history = detector.manifest().input.past.map(History::new);
        let memory = Mutex::new(Memory { history, gate: None, poses: BTreeMap::new() });
        Self { model: detector.model(), tuning, drills, status, memory }
    }

    /// Asks the model only about frames in which something is new, and about one in `every`.
    #[must_use]
    pub fn gated(self, every: u32) -> Self {
        self.memory().gate = Some(Gate::new(every));
        self
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The frame as it is, and during a drill once more with smoke in it. Nothing when the gate is closed: then it was not
    /// looked at, and neither the confirmation nor the stored analyses shall take it for a frame without smoke.
    pub fn look(&self, worker: &mut Worker, frame: &Frame) -> Result<Vec<Seen>> {
        let Frame { camera, pose, captured_at: now, picture } = frame;
        let plume = self.drills.plume(camera, *now, |seed| Plume::on_terrain(picture, seed));
        let is_open = self.is_open(frame);
        self.status.update(camera, |status| {
            status.last_picture = Some(Arc::new(picture.fitted(WALL.0, WALL.1)));
        });
        let small = Arc::new(worker.shrink(picture));
        if !is_open && plume.is_none() {
            metrics::counter!("huoyan_frames_gated_total").increment(1);
            // It is somebody's past all the same: behind a gate the model says what it would have said without one.
            self.remember(frame, small);
            return Ok(Vec::new());
        }
        let past = self.memory().history.as_ref().and_then(|history| history.past(camera, pose, *now));
        let (scores, detections) = worker.analyse(&small, past.as_deref())?;
        // Only what was really there is remembered, so that a drill leaves no trace.
        self.remember(frame, small);
        self.status.update(camera, |status| {
            status.last_scores = Some(scores);
            status.analysed += 1;
        });
        if let (Some(gate), false) = (&mut self.memory().gate, detections.is_empty()) {
            gate.found(frame);
        }
        let mut seen = vec![self.judge(frame, Arc::clone(picture), scores, detections, Reality::Real)];

        if let Some((plume, age_s)) = plume {
            let smoky = Arc::new(composite(picture, &plume, age_s));
            let (scores, detections) = worker.analyse(&smoky, past.as_deref())?;
            seen.push(self.judge(frame, smoky, scores, detections, Reality::Drill));
        }
        Ok(seen)
    }

    fn remember(&self, Frame { camera, pose, captured_at, .. }: &Frame, small: Arc<Picture>) {
        if let Some(history) = &mut self.memory().history {
            history.keep(camera, pose, *captured_at, small);
        }
    }

    fn is_open(&self, frame: &Frame) -> bool {
        if self.memory().gate.is_none() {
            return true;
        }
        let cells = Cells::of(&frame.picture);
        self.memory().gate.as_mut().is_none_or(|gate| gate.lets_through(frame, cells))
    }

    fn judge(
        &self,
        frame: &Frame,
        picture: Arc<Picture>,
        scores: Scores,
        found: Vec<Detection>,
        real: Reality,
    ) -> Seen {
        let analysis = Analysis {
            camera: frame.camera.clone(),
            pose: frame.pose.clone(),
            captured_at: frame.captured_at,
            scores,
            detections: found,
            model: self.model.clone(),
        };
        let thresholds = self.tuning.get();
        let key = (frame.camera.clone(), frame.pose.clone(), real);
        let mut memory = self.memory();
        let pose = memory.poses.entry(key).or_insert_with(|| Pose::new(thresholds.clone()));
        let confirmed = pose.observe(&analysis, &picture, thresholds);
        Seen { analysis, confirmed, picture, drill: real == Reality::Drill }
    }
}

/// Confirmation of one pose, and its most telling picture: one full-size picture a suspicious pose, 3.1 MB at 1080p.
#[derive(Debug)]
struct Pose {
    confirmer: Confirmer,
    best: Option<Best>,
}

#[derive(Debug)]
struct Best {
    at: jiff::Timestamp,
    confidence: f32,
    /// Frames since.
    frames: u32,
    picture: Arc<Picture>,
}

impl Pose {
    fn new(thresholds: Thresholds) -> Self {
        Self { confirmer: Confirmer::new(thresholds), best: None }
    }

    fn observe(
        &mut self,
        analysis: &Analysis,
        picture: &Arc<Picture>,
        thresholds: Thresholds,
    ) -> Vec<(Confirmed, Arc<Picture>)> {
        if *self.confirmer.thresholds() != thresholds {
            self.confirmer.retune(thresholds.clone());
        }
        self.best = self.best.take().map(|best| Best { frames: best.frames + 1, ..best });
        self.best.take_if(|best| best.frames >= thresholds.window);
        let confidence = analysis.detections.iter().map(|d| d.confidence).fold(0.0, f32::max);
        if confidence > 0.0 && self.best.as_ref().is_none_or(|best| confidence > best.confidence) {
            let picture = Arc::clone(picture);
            self.best = Some(Best { at: analysis.captured_at, confidence, frames: 0, picture });
        }
        // Of two places in one picture only one was at its best in the kept frame; the present frame shows both.
        let best_of = |confirmed: &Confirmed| {
            let best = self.best.as_ref().filter(|best| best.at == confirmed.best_at);
            best.map_or(picture, |best| &best.picture)
        };
        let confirmed = self.confirmer.observe(analysis);
        confirmed.into_iter().map(|confirmed| (confirmed.clone(), Arc::clone(best_of(&confirmed)))).collect()
    }
}
