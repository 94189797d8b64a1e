//! Cameras and the model, started with the first camera and stopped with the last. In between each
//! camera comes, goes and changes alone. A failure is reported on the board and never stops the
//! rest: satellites and people go on without video.

use super::streams::{self, source};
use super::views::Shelf;
use super::{Site, capacity};
use crate::camera::{self, Receivers};
use crate::clock::Clock;
use crate::config::{Config, Gating};
use crate::county::{self, CameraChange, CameraEntry, camera_changes};
use crate::detect::Detector;
use crate::engine::{self, Analyst, Seen, Workers};
use crate::error::{Error, Result};
use crate::frame::{Eye, Health};
use crate::triage::id::CameraId;
use crate::web::Visitor;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The part on the board that says whether analysis keeps up.
const PACE: &str = "pace";

pub(super) struct Video {
    app: Site,
    /// `None` when no camera may start again.
    out: Option<mpsc::Sender<Seen>>,
    cameras: Vec<CameraEntry>,
    views: Shelf,
    running: Option<Running>,
}

struct Running {
    receivers: Arc<Receivers>,
    analyst: Arc<Analyst>,
    watch: Workers,
}

impl Video {
    pub(super) fn new(app: Site, out: mpsc::Sender<Seen>) -> Self {
        let views = Shelf::new(&app.config.store.data);
        Self { app, out: Some(out), cameras: Vec::new(), views, running: None }
    }

    /// Starts every camera of the register. Blocks while the model loads.
    pub(super) fn start(&mut self) {
        self.cameras = self.app.registers.current().cameras.clone();
        self.app.status.keep_only(|id| self.cameras.iter().any(|camera| camera.id == *id));
        if self.cameras.is_empty() {
            return;
        }
        match self.try_start() {
            Ok(running) => {
                self.app.lookout.set(Some(Arc::clone(&running.receivers)));
                self.running = Some(running);
            }
            Err(error) => self.blind(&error.chain()),
        }
    }

    fn try_start(&self) -> Result<Running> {
        let out = self.out.as_ref().ok_or_else(|| Error::unavailable("the program stops"))?;
        let Site { config, clock, status, lang, thresholds, points, drills, parts, .. } = &self.app;
        let detector = Detector::load(&config.detect.model, &config.detect)?;
        parts.set("model", true, "", "");
        thresholds
            .advise(&config.thresholds, engine::first_thresholds(&config.thresholds, &detector));
        *points.write() = detector.manifest().points.clone();
        // A changed register does not change what was measured.
        let eye = status.eye().unwrap_or_else(|| capacity::eye(&detector, config));
        let views = |camera: &CameraId| self.views.load(camera);
        let sources = streams::all(&self.cameras, views);
        self.say_what_it_holds(&eye, sources.len());
        status.set_eye(Some(eye));
        let receivers =
            Receivers::start(sources, &config.camera, clock.clone(), status.clone(), *lang)?;
        let receivers = Arc::new(receivers);
        let analyst = Analyst::new(&detector, thresholds.clone(), drills.clone(), status.clone());
        let skylines = self
            .cameras
            .iter()
            .filter_map(|it| Some(((it.id.clone(), it.pose.clone()), it.horizon? as f32)));
        let analyst = analyst
            .with_skylines(skylines.collect())
            .with_self_test_every(config.camera.self_test_every);
        let analyst = Arc::new(match config.detect.gate {
            Gating::Off => analyst,
            Gating::On => analyst.gated(config.detect.gate_every),
        });
        let watch = Workers::start(
            config.detect.workers,
            &config.camera.pipelines,
            &receivers,
            &detector,
            &analyst,
            out,
        )?;
        Ok(Running { receivers, analyst, watch })
    }

    /// A prediction. If looks do come late, the board says so then.
    fn say_what_it_holds(&self, Eye { capacity, .. }: &Eye, cameras: usize) {
        let Some(capacity) = capacity else { return };
        let words = |lang| capacity::words(capacity, cameras, lang);
        match capacity.stretched_s(cameras) {
            Some(_) => tracing::warn!("{}", words(self.app.lang)),
            None => tracing::info!("{}", words(self.app.lang)),
        }
    }

    /// Every camera reports why it sees nothing.
    fn blind(&self, why: &str) {
        tracing::error!("cameras are not watched: {why}");
        let zh = format!("摄像机未被监看：{why}。请运行 huoyan check");
        let en = format!("cameras are not watched: {why}; run huoyan check");
        let words = self.app.lang.pick(&zh, &en).to_owned();
        for camera in &self.cameras {
            let now = self.app.clock.now();
            self.app.status.set_health(&camera.id, Health::Misconfigured, Some(words.clone()), now);
        }
        self.app.parts.set("model", false, zh, en);
        self.app.status.set_eye(None);
    }

    /// Follows the camera register: only what has changed comes, goes or is connected anew. The
    /// first camera starts everything, the last one stops it. While nothing runs because the model
    /// failed, any change is a reason to try again.
    pub(super) fn follow(&mut self) {
        let before =
            std::mem::replace(&mut self.cameras, self.app.registers.current().cameras.clone());
        let changes = camera_changes(&before, &self.cameras);
        for (camera, change) in &changes {
            tracing::info!(camera.id = %camera.id, pose = %camera.pose, ?change, "the camera \
                register has changed");
        }
        match &self.running {
            _ if changes.is_empty() => {}
            Some(running) if !self.cameras.is_empty() => {
                running.follow_all(&changes, &before, &self.cameras, &self.views);
                let count = |rows: &[CameraEntry]| county::streams(rows).len();
                let cameras = count(&self.cameras);
                if let Some(eye) = self.app.status.eye().filter(|_| count(&before) != cameras) {
                    self.say_what_it_holds(&eye, cameras);
                }
            }
            _ => {
                let aimed = changes.iter().filter(|(_, change)| change.is_aimed_anew());
                aimed.for_each(|(camera, _)| self.app.status.aim_anew(&camera.id));
                self.stop();
                self.start();
            }
        }
    }

    /// Restarts all cameras when a watching thread has panicked, and reports it on the board. Every
    /// camera's past is lost.
    pub(super) fn revive(&mut self) {
        if self.running.as_ref().is_some_and(|it| it.watch.has_died() || it.receivers.has_died()) {
            tracing::error!("a camera or analysis thread has panicked; restarting all cameras");
            metrics::counter!("huoyan_tasks_restarted_total", "task" => "watch").increment(1);
            self.stop();
            self.start();
        }
    }

    /// Puts one sentence on the board while looks are rarer than configured.
    pub(super) fn say_whether_it_keeps_up(&self) {
        let Some(Running { receivers, .. }) = &self.running else { return };
        match receivers.overload() {
            Some(overload) => {
                let (zh, en) = overload.words();
                if self.app.parts.set(PACE, false, zh, en.clone()) {
                    tracing::warn!("{en}");
                }
            }
            None => {
                if self.app.parts.set(PACE, true, "", "") {
                    tracing::info!("every camera is looked at as often as configured");
                }
            }
        }
    }

    /// Keeps on the disk at which views turning cameras have stopped.
    pub(super) fn keep_views(&mut self) {
        self.views.keep(&self.app.status);
    }

    /// Stops for good and closes the channel of frames, so that its reader ends.
    pub(super) fn end(&mut self) {
        self.stop();
        self.out = None;
    }

    fn stop(&mut self) {
        self.app.lookout.set(None);
        if let Some(Running { receivers, watch, .. }) = self.running.take() {
            receivers.stop();
            watch.join();
        }
    }
}

impl Running {
    /// Row by row, and what turns camera by camera.
    fn follow_all(
        &self,
        changes: &[(&CameraEntry, CameraChange)],
        before: &[CameraEntry],
        now: &[CameraEntry],
        views: &Shelf,
    ) {
        let (was, is) = (county::turning(before), county::turning(now));
        let mut turning: BTreeMap<&CameraId, Vec<(&CameraEntry, CameraChange)>> = BTreeMap::new();
        for &(camera, change) in changes {
            if was.contains_key(&camera.id) || is.contains_key(&camera.id) {
                turning.entry(&camera.id).or_default().push((camera, change));
            } else {
                self.follow(camera, change);
            }
        }
        for (id, changes) in turning {
            match is.get(id).filter(|_| was.contains_key(id)) {
                Some(rows) => self.follow_turning(rows, &changes),
                None => self.replace(id, before, now, views),
            }
        }
    }

    /// The receivers change before the memory: a look under way then knows that it does not count
    /// any more (`Receivers::still_counts`).
    fn follow(&self, camera: &CameraEntry, change: CameraChange) {
        let (id, pose) = (&camera.id, &camera.pose);
        match change {
            CameraChange::Added => self.receivers.add(source(camera)),
            CameraChange::Removed => self.receivers.remove(id, pose),
            _ => self.receivers.describe(source(camera), change.is_reached_anew()),
        }
        if change.is_aimed_anew() {
            self.receivers.aim_anew(id, pose);
        }
        self.remember(camera, change);
    }

    /// What the change of a row means for what the analysis remembers of its pose.
    fn remember(&self, camera: &CameraEntry, change: CameraChange) {
        let (id, pose) = (&camera.id, &camera.pose);
        if change.is_aimed_anew() || change == CameraChange::Removed {
            self.analyst.forget(id, pose);
        }
        let skyline = camera.horizon.filter(|_| change != CameraChange::Removed);
        self.analyst.set_skyline(id, pose, skyline.map(|it| it as f32));
    }

    /// A camera that turned and turns on. Its views stay known: a preset's new azimuth does not
    /// change what it looks like, and a preset that looks elsewhere is not recognised any more.
    fn follow_turning(&self, rows: &[&CameraEntry], changes: &[(&CameraEntry, CameraChange)]) {
        let is_reached_anew = changes.iter().any(|(_, change)| change.is_reached_anew());
        let sources = streams::of_one(rows, |_| Vec::new());
        sources.into_iter().for_each(|it| self.receivers.describe(it, is_reached_anew));
        changes.iter().for_each(|(camera, change)| self.remember(camera, *change));
    }

    /// A camera begins to turn, or ends it.
    fn replace(&self, id: &CameraId, was: &[CameraEntry], is: &[CameraEntry], views: &Shelf) {
        let is_it = |it: &&CameraEntry| it.id == *id;
        for row in was.iter().filter(is_it) {
            self.receivers.remove(id, &row.pose);
            self.remember(row, CameraChange::Removed);
        }
        let rows: Vec<&CameraEntry> = is.iter().filter(is_it).collect();
        let sources = streams::of_one(&rows, |camera| views.load(camera));
        sources.into_iter().for_each(|it| self.receivers.add(it));
        rows.into_iter().for_each(|row| self.remember(row, CameraChange::Added));
    }
}

/// Looks at cameras from this machine, for the page that registers them.
pub fn visitor(config: &Arc<Config>, clock: &Clock) -> Visitor {
    let (config, clock) = (Arc::clone(config), clock.clone());
    Arc::new(move |entry, lang| camera::visit(source(entry), &config.camera, &clock, lang))
}
