//! Stores what the status board only holds in memory: how long each camera was watched, and each
//! finished self-test.

use super::App;
use crate::error::Result;
use crate::triage::id::CameraId;
use crate::triage::proof::{Scale, Tested};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Watched time is written at this interval, so at most this much is lost with the program.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// What has been written.
#[derive(Default)]
pub(super) struct ProofLedger {
    /// Cadences with a look, by camera.
    slots: BTreeMap<CameraId, u64>,
    tested: BTreeMap<CameraId, Timestamp>,
    written_at: Option<Timestamp>,
}

/// Writes what is new. What the database refuses is tried again next time.
pub(super) async fn look(app: &App, ledger: &mut ProofLedger) {
    if let Err(e) = write(app, ledger).await {
        tracing::warn!("the proof of the cameras could not be stored: {}", e.chain());
    }
}

async fn write(app: &App, ledger: &mut ProofLedger) -> Result<()> {
    let (now, board) = (app.clock.now(), app.status.all());
    let mut tests = Vec::new();
    for (camera, status) in &board {
        let Some(last) =
            status.self_test.last.as_ref().filter(|it| ledger.tested.get(camera) != Some(&it.at))
        else {
            continue;
        };
        let scales = [(Scale::Whole, Some(&last.whole)), (Scale::Tile, last.tile.as_ref())];
        tests.extend(scales.into_iter().filter_map(|(scale, seen)| {
            Some(Tested { camera: camera.clone(), at: last.at, scale, smallest: seen?.smallest() })
        }));
    }
    if !tests.is_empty() {
        app.store.add_self_tests(&tests).await?;
        ledger.tested.extend(tests.into_iter().map(|test| (test.camera, test.at)));
    }
    if ledger.written_at.is_some_and(|at| now.duration_since(at) < EVERY) {
        return Ok(());
    }
    let cadence_s = app.config.camera.cadence.as_secs_f64();
    let slots: BTreeMap<CameraId, u64> =
        board.into_iter().map(|(camera, status)| (camera, status.slots_met)).collect();
    let watched: Vec<(CameraId, u64)> = slots
        .iter()
        .filter_map(|(camera, met)| {
            // A camera that left the register and came back starts from zero.
            let before = ledger
                .slots
                .get(camera)
                .copied()
                .filter(|before| before <= met)
                .unwrap_or_default();
            let seconds = ((met - before) as f64 * cadence_s).round() as u64;
            (seconds > 0).then(|| (camera.clone(), seconds))
        })
        .collect();
    if !watched.is_empty() {
        app.store.add_watched(&watched, now).await?;
    }
    (ledger.slots, ledger.written_at) = (slots, Some(now));
    Ok(())
}
