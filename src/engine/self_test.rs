//! 自检: which rendered plumes does the model find in a camera's picture now? Its types keep it
//! apart from watching: a test takes pictures and returns only an entry of the status board. It has
//! no access to confirmation, history or desk.
//!
//! Cost: one camera at a time, one step of a worker between two ordinary looks, and only while no
//! camera is due. A test has 30 steps (15 plumes, whole and in tiles), each one inference, or two
//! with a screening network. For 267 cameras four times a day that is 0.4 steps a second.

use super::tiles::cut;
use crate::base::time::later;
use crate::detect::{Levels, Worker};
use crate::drill::{TestPlume, ladder};
use crate::error::Result;
use crate::frame::{AtScale, Frame, Picture, Sensitivity, SizeSeen, StatusBoard, Tuning};
use crate::triage::confirm::{Numbers, Thresholds, is_covered};
use crate::triage::detection::{BoundingBox, Class, Detection, Tile};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Margin of the example picture on each side of the plume's box, as a multiple of the box's side;
/// and the least side of the example, as a share of the picture's.
const CONTEXT: f32 = 1.0;
const EXAMPLE_MIN: f32 = 1.0 / 6.0;

/// Shared by the workers.
#[derive(Debug)]
pub struct SelfTester {
    status: StatusBoard,
    tuning: Tuning,
    /// Interval at which every camera is tested without a request; None: never.
    pub(super) every: Option<SignedDuration>,
    /// Whether the model compares with an earlier picture. If so, parts without one are not tested:
    /// the result would be too good or too bad.
    needs_past: bool,
    /// Scores of the screening network from which the full network is called; None: there is no
    /// screening network. A plume that scores lower counts as missed.
    screen: Option<Levels>,
    /// Each view of a turning camera is tested in its own time.
    due: Mutex<BTreeMap<(CameraId, PoseId), Timestamp>>,
    running: Mutex<Option<Running>>,
    /// The camera of the running test, as long as its result counts.
    testing: Mutex<Option<CameraId>>,
    has_work: AtomicBool,
}

/// One part of a picture, the whole or a tile, with its past.
#[derive(Clone, Debug)]
pub struct Part {
    pub tile: Option<Tile>,
    pub past: Option<Arc<Picture>>,
}

/// The test of one camera.
#[derive(Debug)]
struct Running {
    camera: CameraId,
    pose: PoseId,
    at: Timestamp,
    picture: Arc<Picture>,
    /// What the model found without any plume: places where it sees smoke anyway are not counted.
    real: Vec<Detection>,
    thresholds: Thresholds,
    rungs: std::vec::IntoIter<(TestPlume, Part)>,
    whole: Vec<SizeSeen>,
    in_tiles: Vec<SizeSeen>,
    /// One of the tested tiles; the threshold is the same for all. None: no plume was tested in a
    /// tile.
    a_tile: Option<Tile>,
    /// The smallest rung found so far; until one is found, the last one missed. `true`: found.
    example: Option<(TestPlume, bool)>,
}

impl SelfTester {
    pub fn new(
        status: StatusBoard,
        tuning: Tuning,
        needs_past: bool,
        screen: Option<Levels>,
    ) -> Self {
        let has_work = AtomicBool::new(false);
        Self {
            status,
            tuning,
            every: None,
            needs_past,
            screen,
            due: Mutex::default(),
            running: Mutex::default(),
            testing: Mutex::default(),
            has_work,
        }
    }

    /// Starts a test on the picture of an ordinary look, if one of this camera was requested or is
    /// due and none is running. `real`: what was found in the picture. `parts`: the whole and its
    /// tiles.
    pub fn offer(&self, frame: &Frame, real: &[Detection], parts: impl FnOnce() -> Vec<Part>) {
        let Frame { camera, pose, captured_at: now, picture, .. } = frame;
        if !self.is_wanted(camera, pose, *now) {
            return;
        }
        let mut parts = parts();
        parts.retain(|part| part.past.is_some() || !self.needs_past);
        if parts.iter().all(|part| part.tile.is_some()) {
            return;
        }
        let mut running = self.running.lock();
        if running.is_some() || self.has_work.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(every) = self.every {
            self.due.lock().insert((camera.clone(), pose.clone()), later(*now, every));
        }
        *self.testing.lock() = Some(camera.clone());
        let rungs = rungs(picture, &parts);
        *running = Some(Running {
            camera: camera.clone(),
            pose: pose.clone(),
            at: *now,
            picture: Arc::clone(picture),
            real: real.to_vec(),
            thresholds: self.tuning.get(),
            a_tile: rungs.iter().find_map(|(_, part)| part.tile),
            rungs: rungs.into_iter(),
            whole: Vec::new(),
            in_tiles: Vec::new(),
            example: None,
        });
    }

    /// Whether a person has requested a test of this camera, or one is due. The first due times are
    /// spread over the whole interval, so that a start does not test all cameras at once.
    fn is_wanted(&self, camera: &CameraId, pose: &PoseId, now: Timestamp) -> bool {
        let is_due = self.every.filter(|_| pose.is_one_view()).is_some_and(|every| {
            let mut due = self.due.lock();
            let first = || {
                let mut hasher = DefaultHasher::new();
                (camera, pose).hash(&mut hasher);
                later(now, every * (hasher.finish() % 1024) as i32 / 1024)
            };
            *due.entry((camera.clone(), pose.clone())).or_insert_with(first) <= now
        });
        is_due || self.status.is_self_test_asked(camera)
    }

    /// Whether a test is running. Workers then wait only briefly for their next picture.
    pub fn has_work(&self) -> bool {
        self.has_work.load(Ordering::Relaxed)
    }

    /// Tests one plume in one part, if a test is running and no other worker is busy with it.
    pub fn step(&self, worker: &mut Worker) -> Result<()> {
        let Some(mut running) = self.running.lock().take() else { return Ok(()) };
        let Some((rung, part)) = running.rungs.next().filter(|_| self.counts(&running.camera))
        else {
            self.finish(running);
            return Ok(());
        };
        let smoky = rung.composite(&running.picture);
        match self.ask(worker, &smoky, &part) {
            Ok(found) => {
                running.note(rung, part.tile, &found);
                *self.running.lock() = Some(running);
                Ok(())
            }
            Err(e) => {
                // The worker logs what is wrong with the model; the test ends without a result.
                self.status
                    .update_known(&running.camera, |status| status.self_test.asked_at = None);
                self.has_work.store(false, Ordering::Relaxed);
                Err(e)
            }
        }
    }

    /// The camera shows another view, or has gone: what a test has found, or a running one will
    /// find, is void. Its next test is due like that of a new camera.
    pub fn forget(&self, camera: &CameraId) {
        self.due.lock().retain(|(its, _), _| its != camera);
        self.testing.lock().take_if(|testing| testing == camera);
        self.status.update_known(camera, |status| status.self_test.last = None);
    }

    fn counts(&self, camera: &CameraId) -> bool {
        self.testing.lock().as_ref() == Some(camera)
    }

    /// What an ordinary look at this part would find, in fractions of the picture. Nothing where
    /// the screening network's scores are too low.
    fn ask(
        &self,
        worker: &mut Worker,
        smoky: &Picture,
        Part { tile, past }: &Part,
    ) -> Result<Vec<Detection>> {
        let shown = match tile {
            None => worker.shrink(smoky),
            Some(tile) => worker.shrink(&cut(smoky, *tile)),
        };
        if let (Some(levels), Some(screener)) = (self.screen, worker.screener()) {
            let (scores, _) = screener.analyse(&shown, past.as_deref())?;
            if !levels.is_reached(scores) {
                return Ok(Vec::new());
            }
        }
        let (_, mut found) = worker.analyse(&shown, past.as_deref())?;
        if let Some(tile) = tile {
            found
                .iter_mut()
                .for_each(|it| (it.bbox, it.tile) = (tile.on_frame(&it.bbox), Some(*tile)));
        }
        Ok(found)
    }

    fn finish(&self, running: Running) {
        let Running { camera, pose, at, picture, thresholds, a_tile, example, .. } = running;
        let Running { whole, in_tiles, .. } = running;
        let seen =
            |tile, sizes| AtScale { threshold: thresholds.lasting(Class::Smoke, tile), sizes };
        let sensitivity = Sensitivity {
            at,
            pose,
            whole: seen(None, whole),
            tile: a_tile.map(|_| seen(a_tile, in_tiles)),
            example: example
                .map(|(rung, _)| Arc::new(shown(&rung.composite(&picture), &rung.bbox))),
        };
        // Held until the result is on the board, so that `forget` comes before it or clears it.
        let mut testing = self.testing.lock();
        if testing.take().as_ref() == Some(&camera) {
            let smallest = sensitivity.whole.smallest();
            let in_tiles = sensitivity.tile.as_ref().and_then(AtScale::smallest);
            tracing::info!(camera = %camera, ?smallest, ?in_tiles, "self-test");
            self.status.update_known(&camera, |status| {
                status.self_test.asked_at = None;
                status.self_test.last = Some(Arc::new(sensitivity));
            });
        }
        drop(testing);
        self.has_work.store(false, Ordering::Relaxed);
    }
}

/// Every plume in the whole, and again in a tile: of those that cover it, the one whose middle is
/// nearest.
fn rungs(picture: &Picture, parts: &[Part]) -> Vec<(TestPlume, Part)> {
    let off_centre = |part: &&Part, rung: &TestPlume| {
        let middle = part.tile.map(|tile| tile.area().centre_x()).unwrap_or_default();
        (middle - rung.bbox.centre_x()).abs()
    };
    let mut all = Vec::new();
    for rung in ladder(picture) {
        let covering = parts
            .iter()
            .filter(|part| part.tile.is_some_and(|tile| is_covered(&rung.bbox, &[tile])));
        let tile = covering.min_by(|a, b| off_centre(a, &rung).total_cmp(&off_centre(b, &rung)));
        let whole = parts.iter().find(|part| part.tile.is_none());
        all.extend(whole.into_iter().chain(tile).map(|part| (rung, part.clone())));
    }
    all
}

impl Running {
    fn note(&mut self, rung: TestPlume, tile: Option<Tile>, found: &[Detection]) {
        let counts_here = |it: &Detection| {
            it.tile.is_some() == tile.is_some() && self.counts(it) && touches(&it.bbox, &rung.bbox)
        };
        if self.real.iter().any(counts_here) {
            return;
        }
        let is_found = found.iter().any(counts_here);
        let sizes = if tile.is_some() { &mut self.in_tiles } else { &mut self.whole };
        let at = sizes.iter().position(|size| size.width == rung.width).unwrap_or_else(|| {
            sizes.push(SizeSeen { width: rung.width, places: 0, found: 0 });
            sizes.len() - 1
        });
        sizes[at].places += 1;
        sizes[at].found += u32::from(is_found);
        if self.example.is_none_or(|(_, was_found)| !was_found) {
            self.example = Some((rung, is_found));
        }
    }

    /// Whether the confirmation would alarm on this detection if it lasted.
    fn counts(&self, detection: &Detection) -> bool {
        let Numbers { area_min, area_max, .. } = *self.thresholds;
        detection.class == Class::Smoke
            && detection.confidence >= self.thresholds.lasting(Class::Smoke, detection.tile)
            && (area_min..=area_max).contains(&detection.bbox.area())
    }
}

fn touches(a: &BoundingBox, b: &BoundingBox) -> bool {
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

/// The part of the picture around the box.
fn shown(picture: &Picture, bbox: &BoundingBox) -> Picture {
    let side = |start: f32, length: f32, pixels: u32| {
        let wide = (length * (1.0 + 2.0 * CONTEXT)).clamp(EXAMPLE_MIN, 1.0);
        let from = (start + length / 2.0 - wide / 2.0).clamp(0.0, 1.0 - wide);
        ((from * pixels as f32) as u32, (wide * pixels as f32) as u32)
    };
    let (x, width) = side(bbox.x, bbox.w, picture.width());
    let (y, height) = side(bbox.y, bbox.h, picture.height());
    picture.cropped(x, y, width, height)
}
