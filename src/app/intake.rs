//! The one channel where the threads that watch meet the desk: analyses are kept for the ops page, what was confirmed
//! becomes a sighting with its picture.

use super::App;
use super::evidence::{self, Eye, Provenance};
use super::watch::Seen;
use crate::error::Result;
use crate::triage::id::{CameraId, PictureId, SightingId};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Analyses are written in batches of at most so many …
const BATCH: usize = 64;
/// JPEG quality of evidence: smoke has no sharp edges, blocks would make some.
const EVIDENCE_QUALITY: u8 = 88;
/// A sighting that could not be filed is tried again so often, until it is or the program stops.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// Takes in what the cameras saw, until they stop.
pub async fn seen(app: App, mut from: mpsc::Receiver<Seen>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let count = tokio::select! {
            count = from.recv_many(&mut batch, BATCH) => count,
            () = app.stopped() => 0,
        };
        if count == 0 {
            return;
        }
        let analyses: Vec<_> = batch.iter().filter(|seen| !seen.drill).map(|seen| seen.analysis.clone()).collect();
        if let Err(e) = app.store.record_analyses(&analyses).await {
            tracing::error!("analyses were not kept for the ops page: {}", e.chain());
        }
        for seen in batch.drain(..) {
            file(&app, seen).await;
        }
    }
}

/// Evidence may wait, it is never lost: tried until it is filed.
async fn file(app: &App, seen: Seen) {
    for (confirmed, picture) in &seen.confirmed {
        let county = app.registers.current();
        let camera = &seen.analysis.camera;
        let eye = Eye {
            camera,
            pose: &seen.analysis.pose,
            aspect: f64::from(picture.width()) / f64::from(picture.height()),
            has_moved: app.status.get(camera).is_some_and(|status| status.has_moved),
        };
        let of = Provenance {
            model: seen.analysis.model.clone(),
            thresholds_version: app.thresholds_version(),
            picture: PictureId(Uuid::now_v7()),
            drill: seen.drill,
        };
        let id = of.picture;
        let Some(sighting) = evidence::from_camera(SightingId(Uuid::now_v7()), confirmed, &eye, &county, of) else {
            tracing::warn!(%camera, "a camera that has left the register saw something");
            continue;
        };
        let arrived_at = seen.analysis.captured_at;
        tracing::info!(%camera, %arrived_at, class = ?confirmed.class, confidence = confirmed.confidence, drill = seen.drill, "confirmed");
        loop {
            let filed = keep(app, id, picture).await;
            let filed = match filed {
                Ok(()) => app.desk.sighting(sighting.clone()).await.map(|_| ()),
                Err(e) => Err(e),
            };
            let Err(e) = filed else {
                let delay = app.clock.now().duration_since(arrived_at);
                metrics::histogram!("huoyan_alarm_delay_seconds").record(delay.as_secs_f64());
                break;
            };
            tracing::error!(%camera, "a sighting waits, it could not be filed: {}", e.chain());
            if super::sleep_or_stop(app, RETRY_EVERY).await {
                return;
            }
        }
    }
}

async fn keep(app: &App, id: PictureId, picture: &crate::frame::Picture) -> Result<()> {
    let jpeg = tokio::task::block_in_place(|| picture.to_jpeg(EVIDENCE_QUALITY))?;
    app.store.keep_picture(id, jpeg).await
}

/// Starts drills asked for over HTTP.
pub async fn drills(app: App, mut asked: mpsc::Receiver<CameraId>) {
    loop {
        let camera = tokio::select! {
            camera = asked.recv() => camera,
            () = app.stopped() => None,
        };
        let Some(camera) = camera else { return };
        let now = app.clock.now();
        let seed = now.as_second() as u32;
        match app.drills.start(&camera, seed, now) {
            Ok(()) => tracing::info!(%camera, "a drill starts"),
            Err(e) => tracing::warn!(%camera, "no drill: {}", e.chain()),
        }
    }
}

impl App {
    fn thresholds_version(&self) -> u32 {
        self.thresholds.read().unwrap_or_else(|poisoned| poisoned.into_inner()).version
    }
}
