//! 自检: which rendered plumes does the model find in a camera's picture, now? Apart from watching by type: a test is offered
//! pictures and gives nothing back but a line on the status board. It knows no confirmation, no history, no desk.
//!
//! Cost: one camera at a time, one inference of a worker between two ordinary looks, and only while no camera waits for its
//! turn. 15 inferences a test; 267 cameras four times a day are 0.2 inferences a second.

use super::Tuning;
use crate::detect::Worker;
use crate::drill::{Rung, ladder};
use crate::error::Result;
use crate::frame::{Frame, Picture, Sensitivity, SizeSeen, StatusBoard};
use crate::triage::confirm::Thresholds;
use crate::triage::detection::{BoundingBox, Class, Detection};
use crate::triage::id::CameraId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The example shows so much more to each side than the plume's box, and at least so great a share of the picture.
const CONTEXT: f32 = 1.0;
const EXAMPLE_MIN: f32 = 1.0 / 6.0;

/// Shared by the workers.
#[derive(Debug)]
pub struct SelfTester {
    status: StatusBoard,
    tuning: Tuning,
    /// Every camera is tested so often without being asked; None: never.
    pub(super) every: Option<SignedDuration>,
    /// Whether the model compares with an earlier picture; without one a test would say too much or too little.
    needs_past: bool,
    due: Mutex<BTreeMap<CameraId, Timestamp>>,
    running: Mutex<Option<Running>>,
    has_work: AtomicBool,
}

/// The test of one camera.
#[derive(Debug)]
struct Running {
    camera: CameraId,
    at: Timestamp,
    picture: Arc<Picture>,
    past: Option<Arc<Picture>>,
    /// What the model found without any plume: places where it sees smoke anyway prove nothing.
    real: Vec<Detection>,
    thresholds: Thresholds,
    rungs: std::vec::IntoIter<Rung>,
    sizes: Vec<SizeSeen>,
    /// The smallest rung found so far; until then the last one missed.
    example: Option<(Rung, bool)>,
}

impl SelfTester {
    pub fn new(status: StatusBoard, tuning: Tuning, every: Option<SignedDuration>, needs_past: bool) -> Self {
        let has_work = AtomicBool::new(false);
        Self { status, tuning, every, needs_past, due: Mutex::default(), running: Mutex::default(), has_work }
    }

    /// Takes the picture of an ordinary look for a test, if this camera is asked or due and none is running. `picture` at the
    /// size the network sees; `real`: what was found in it.
    pub fn offer(&self, frame: &Frame, picture: &Arc<Picture>, past: Option<&Arc<Picture>>, real: &[Detection]) {
        let Frame { camera, captured_at: now, .. } = frame;
        if !self.is_wanted(camera, *now) || self.needs_past && past.is_none() {
            return;
        }
        let mut running = lock(&self.running);
        if running.is_some() || self.has_work.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(every) = self.every {
            lock(&self.due).insert(camera.clone(), later(*now, every));
        }
        *running = Some(Running {
            camera: camera.clone(),
            at: *now,
            picture: Arc::clone(picture),
            past: past.cloned(),
            real: real.to_vec(),
            thresholds: self.tuning.get(),
            rungs: ladder(picture).into_iter(),
            sizes: Vec::new(),
            example: None,
        });
    }

    /// Asked for by a person, or due. First dues are spread over the whole interval, so that a start tests nobody at once.
    fn is_wanted(&self, camera: &CameraId, now: Timestamp) -> bool {
        let is_due = self.every.is_some_and(|every| {
            let mut due = lock(&self.due);
            let first = || {
                let mut hasher = DefaultHasher::new();
                camera.hash(&mut hasher);
                later(now, every * (hasher.finish() % 1024) as i32 / 1024)
            };
            *due.entry(camera.clone()).or_insert_with(first) <= now
        });
        is_due || self.status.is_self_test_asked(camera)
    }

    /// A worker's wait for its next picture may be short.
    pub fn has_work(&self) -> bool {
        self.has_work.load(Ordering::Relaxed)
    }

    /// One inference of the running test, if there is one and no other worker is at it.
    pub fn step(&self, worker: &mut Worker) -> Result<()> {
        let Some(mut running) = lock(&self.running).take() else { return Ok(()) };
        let Some(rung) = running.rungs.next() else {
            self.finish(running);
            return Ok(());
        };
        let smoky = rung.composite(&running.picture);
        let outcome = worker.analyse(&smoky, running.past.as_deref());
        match outcome {
            Ok((_, found)) => {
                running.note(rung, &found);
                *lock(&self.running) = Some(running);
                Ok(())
            }
            Err(e) => {
                // The watch says what is wrong with the model; this test ends without a word about the camera.
                self.status.update(&running.camera, |status| status.self_test.asked_at = None);
                self.has_work.store(false, Ordering::Relaxed);
                Err(e)
            }
        }
    }

    fn finish(&self, running: Running) {
        let Running { camera, at, sizes, example, picture, thresholds, .. } = running;
        let example = example.map(|(rung, _)| Arc::new(shown(&rung.composite(&picture), &rung.bbox)));
        let sensitivity = Sensitivity { at, threshold: thresholds.lasting(Class::Smoke, None), sizes, example };
        tracing::info!(camera = %camera, smallest = ?sensitivity.smallest(), "self-test");
        self.status.update(&camera, |status| {
            status.self_test.asked_at = None;
            status.self_test.last = Some(Arc::new(sensitivity));
        });
        self.has_work.store(false, Ordering::Relaxed);
    }
}

impl Running {
    fn note(&mut self, rung: Rung, found: &[Detection]) {
        if self.real.iter().any(|real| self.counts(real) && touches(&real.bbox, &rung.bbox)) {
            return;
        }
        let is_found = found.iter().any(|it| self.counts(it) && touches(&it.bbox, &rung.bbox));
        let at = self.sizes.iter().position(|size| size.width == rung.width).unwrap_or_else(|| {
            self.sizes.push(SizeSeen { width: rung.width, places: 0, found: 0 });
            self.sizes.len() - 1
        });
        self.sizes[at].places += 1;
        self.sizes[at].found += u32::from(is_found);
        if self.example.is_none_or(|(_, was_found)| !was_found) {
            self.example = Some((rung, is_found));
        }
    }

    /// As the confirmation would alarm, if it lasted.
    fn counts(&self, detection: &Detection) -> bool {
        let Thresholds { area_min, area_max, .. } = self.thresholds;
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

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
