//! The one channel between the watching threads and the desk. Four lanes lead on from it, and none
//! waits for another: a confirmation becomes a sighting at once, its picture follows, analyses are
//! kept for the ops page, and pictures around an alarm are kept for the officer who judges it.

use super::evidence::{self, Eye, Provenance};
use super::lane::{Lane, LaneState};
use super::strips::{self, Chooser, Glance};
use super::vitals::say;
use super::{App, Site, spawn};
use crate::engine::{Alarm, Began, Kept, Seen};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::triage::detection::Analysis;
use crate::triage::id::{CameraId, PictureId, SightingId};
use crate::triage::sighting::Sighting;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Looks taken from the channel at once.
const BATCH: usize = 64;
/// JPEG quality of evidence: smoke has no sharp edges, and block artefacts would add some.
const EVIDENCE_QUALITY: u8 = 88;
/// Sightings that wait while the database accepts none: about one for every camera of a county
/// (267). The channel holds as many again.
const SIGHTINGS_MAX: usize = 256;
/// Pictures that wait while they cannot be saved, about 40 MB; the channel holds as many again.
/// Later ones of that time are lost, which the board says until the next start.
const PICTURES_MAX: usize = 128;
/// Batches of analyses that wait. Beyond this the ops page lacks them, and nothing else does.
const ANALYSES_MAX: usize = 16;

/// A confirmation on its way to the desk.
pub(super) struct Found {
    pub sighting: Sighting,
    pub arrived_at: Timestamp,
}

/// A picture on its way to the disk.
pub(super) struct Evidence {
    pub id: PictureId,
    pub jpeg: Vec<u8>,
}

/// The lane for each kind of result.
#[derive(Clone)]
pub(super) struct Lanes {
    sightings: mpsc::Sender<Found>,
    pictures: mpsc::Sender<Evidence>,
    /// `None` at an edge: these stay there.
    rest: Option<Rest>,
}

/// What is kept beside alarms.
#[derive(Clone)]
struct Rest {
    analyses: mpsc::Sender<Vec<Analysis>>,
    looks: mpsc::Sender<Glance>,
}

/// The receiving ends of the lanes.
#[derive(Clone)]
pub(super) struct Ends {
    pub sightings: Arc<Mutex<Lane<Found>>>,
    pub pictures: Arc<Mutex<Lane<Evidence>>>,
    pub analyses: Arc<Mutex<Lane<Vec<Analysis>>>>,
    pub looks: Arc<Mutex<Chooser>>,
    pub strips: Arc<Mutex<Lane<Kept>>>,
}

pub(super) fn lanes() -> (Lanes, Ends) {
    let (sightings, filed) = Lane::new(SIGHTINGS_MAX);
    let (pictures, kept) = Lane::new(PICTURES_MAX);
    let (analyses, recorded) = Lane::new(ANALYSES_MAX);
    let (kept_of_strips, strips) = Lane::new(strips::PICTURES_MAX);
    let (looks, chooser) = strips::chooser(kept_of_strips);
    let ends =
        Ends { sightings: filed, pictures: kept, analyses: recorded, looks: chooser, strips };
    (Lanes { sightings, pictures, rest: Some(Rest { analyses, looks }) }, ends)
}

/// The receiving ends of an edge's two lanes: alarms, and their pictures.
pub(super) struct EdgeEnds {
    pub sightings: Arc<Mutex<Lane<Found>>>,
    pub pictures: Arc<Mutex<Lane<Evidence>>>,
}

pub(super) fn lanes_of_an_edge() -> (Lanes, EdgeEnds) {
    let (sightings, found) = Lane::new(SIGHTINGS_MAX);
    let (pictures, evidence) = Lane::new(PICTURES_MAX);
    (Lanes { sightings, pictures, rest: None }, EdgeEnds { sightings: found, pictures: evidence })
}

/// Starts what the lanes lead to, and the drills.
pub(super) fn start(
    tasks: &mut JoinSet<()>,
    app: &App,
    ends: Ends,
    drills: mpsc::Receiver<CameraId>,
) {
    let Ends { sightings, pictures, analyses, looks, strips } = ends;
    let asked = Arc::new(Mutex::new(drills));
    spawn(tasks, "sightings", app, move |app| file(app, Arc::clone(&sightings)));
    spawn(tasks, "evidence", app, move |app| keep(app, Arc::clone(&pictures)));
    spawn(tasks, "analyses", app, move |app| record(app, Arc::clone(&analyses)));
    spawn(tasks, "looks", app, move |app| strips::choose(app, Arc::clone(&looks)));
    spawn(tasks, "strips", app, move |app| strips::keep(app, Arc::clone(&strips)));
    spawn(tasks, "drills", app, move |app| start_drills(app, Arc::clone(&asked)));
}

/// Takes in the cameras' results, until the last camera has stopped.
pub(super) async fn seen(app: Site, from: Arc<Mutex<mpsc::Receiver<Seen>>>, lanes: Lanes) {
    let mut from = from.lock().await;
    let mut batch = Vec::with_capacity(BATCH);
    while from.recv_many(&mut batch, BATCH).await > 0 {
        let analyses =
            batch.iter().filter(|seen| !seen.drill).map(|seen| seen.analysis.clone()).collect();
        for seen in batch.drain(..) {
            let began = hand_on(&app, &seen, &lanes).await;
            if let Some(rest) = &lanes.rest {
                strips::offer(&rest.looks, Glance { seen, began });
            }
        }
        // Analyses are the first to go when their disk is short; the board says so.
        let Some(rest) = &lanes.rest else { continue };
        if app.room.is_short_for_analyses() || rest.analyses.try_send(analyses).is_err() {
            metrics::counter!("huoyan_analyses_dropped_total").increment(1);
        }
    }
}

/// Sends the sighting first: an alarm never waits until its picture is stored. It only waits the
/// few milliseconds that encoding takes, because it carries the picture's hash. Returns what was
/// confirmed.
async fn hand_on(app: &Site, seen: &Seen, lanes: &Lanes) -> Vec<Began> {
    let mut began = Vec::new();
    for Alarm { confirmed, picture, opinion } in &seen.confirmed {
        let county = app.registers.current();
        let camera = &seen.analysis.camera;
        let eye = Eye {
            camera,
            pose: &seen.analysis.pose,
            aspect: f64::from(picture.width()) / f64::from(picture.height()),
            has_moved: app.status.get(camera).is_some_and(|status| status.has_moved),
        };
        let made = tokio::task::block_in_place(|| jpeg(picture));
        let picture = match made {
            Ok(jpeg) => Some(Evidence { id: PictureId::of(Uuid::now_v7(), &jpeg), jpeg }),
            Err(e) => {
                tracing::error!(%camera, "a picture could not be encoded as JPEG: {}", e.chain());
                missing(app);
                None
            }
        };
        let of = Provenance {
            model: seen.analysis.model.clone(),
            thresholds_version: app.thresholds.version(),
            opinion: opinion.clone(),
            picture: picture.as_ref().map(|it| it.id),
            drill: seen.drill,
        };
        let Some(sighting) =
            evidence::from_camera(SightingId(Uuid::now_v7()), confirmed, &eye, &county, of)
        else {
            tracing::warn!(%camera, "a sighting is dropped: its camera is no longer in the register");
            continue;
        };
        let arrived_at = seen.analysis.captured_at;
        began.push(Began { sighting: sighting.id, class: confirmed.class, bbox: confirmed.bbox });
        tracing::info!(%camera, %arrived_at, class = ?confirmed.class, confidence = confirmed.confidence, drill = seen.drill, "{}", super::CONFIRMED);
        // Fails only when the receiving end is gone, and the ends live as long as the program.
        let _ = lanes.sightings.send(Found { sighting, arrived_at }).await;
        if let Some(picture) = picture {
            let id = picture.id;
            if lanes.pictures.try_send(picture).is_err() {
                tracing::error!(%camera, picture = %id, "too many pictures wait for the disk: this \
                    one is not saved");
                missing(app);
            }
        }
    }
    began
}

/// Reported until the next start, because nothing brings the picture back.
fn missing(app: &Site) {
    app.parts.set(
        "pictures",
        false,
        "有现场图片没能保存下来，补不回来；编号和原因见日志",
        "some evidence pictures were not saved and are lost; see the log for their ids and the \
        reason",
    );
}

/// A panic costs this picture only. Its sighting goes on without it, and so do all others of the
/// batch.
fn jpeg(picture: &Picture) -> Result<Vec<u8>> {
    whole(|| picture.to_jpeg(EVIDENCE_QUALITY))
}

fn whole(encode: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    catch_unwind(AssertUnwindSafe(encode))
        .unwrap_or_else(|_| Err(Error::internal("the JPEG encoder crashed")))
}

async fn file(app: App, lane: Arc<Mutex<Lane<Found>>>) {
    let work = |found: Arc<Found>| {
        let app = app.clone();
        async move {
            app.desk.sighting(found.sighting.clone()).await?;
            let delay = app.clock.now().duration_since(found.arrived_at);
            metrics::histogram!("huoyan_alarm_delay_seconds").record(delay.as_secs_f64());
            Ok(())
        }
    };
    let told = |round: LaneState<'_>| {
        let zh = format!("{}条火情线索等待入库，正在重试：请看磁盘与数据库", round.waiting);
        let en = format!(
            "{} sightings wait to be stored; trying again: check disk and database",
            round.waiting
        );
        say(&app, "sightings", &round, zh, en);
    };
    lane.lock().await.run(&app.clock, app.stopped(), work, told).await;
}

async fn keep(app: App, lane: Arc<Mutex<Lane<Evidence>>>) {
    let work = |it: Arc<Evidence>| {
        let store = app.store.clone();
        async move { store.keep_picture(it.id, it.jpeg.clone()).await }
    };
    let told = |round: LaneState<'_>| {
        let zh = format!("{}张现场图片存不下，正在重试：请清理磁盘", round.waiting);
        let en = format!(
            "{} evidence pictures cannot be saved; trying again: free space on the \
            disk",
            round.waiting
        );
        say(&app, "evidence", &round, zh, en);
    };
    lane.lock().await.run(&app.clock, app.stopped(), work, told).await;
}

async fn record(app: App, lane: Arc<Mutex<Lane<Vec<Analysis>>>>) {
    let work = |batch: Arc<Vec<Analysis>>| {
        let store = app.store.clone();
        async move { store.record_analyses(&batch).await }
    };
    let told = |round: LaneState<'_>| {
        let zh = "分析记录存不下来：调参页面会缺数据".to_owned();
        let en = "analyses cannot be stored: the ops page will lack data".to_owned();
        say(&app, "analyses", &round, zh, en);
    };
    lane.lock().await.run(&app.clock, app.stopped(), work, told).await;
}

/// Starts drills requested over HTTP.
async fn start_drills(app: App, asked: Arc<Mutex<mpsc::Receiver<CameraId>>>) {
    let mut asked = asked.lock().await;
    loop {
        let camera = tokio::select! {
            camera = asked.recv() => camera,
            () = app.stopped() => None,
        };
        let Some(camera) = camera else { return };
        let now = app.clock.now();
        let seed = now.as_second() as u32;
        match app.drills.start(&camera, seed, now) {
            Ok(()) => tracing::info!(%camera, "drill started"),
            Err(e) => tracing::warn!(%camera, "cannot start the drill: {}", e.chain()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_crashes_costs_a_picture_and_no_alarm() {
        assert!(whole(|| panic!("a plane that is too short")).is_err());
        assert_eq!(whole(|| Ok(vec![1])).expect("a picture"), [1]);
    }
}
