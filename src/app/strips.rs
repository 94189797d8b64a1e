//! 过程图: carries pictures from the looks to the disk, beside the alarms. No sighting waits for
//! it. What is too much is left out and counted.

use super::App;
use super::lane::{Lane, LaneState};
use super::vitals::say;
use crate::engine::{Began, Encoded, Kept, Seen, Strips};
use crate::frame::Picture;
use crate::triage::id::PictureId;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

/// Looks waiting to be selected, one picture each: 11 MB of sub-streams, 100 MB at 1080p. They wait
/// some milliseconds while a picture is encoded. Later ones are missing from their strip.
const LOOKS_MAX: usize = 32;
/// The last places are reserved for looks that confirm something, because a strip begins with one.
const RESERVED: usize = 8;
/// Pictures waiting for the disk, about 1 MB; the channel holds as many again: the past of a dozen
/// simultaneous alarms.
pub const PICTURES_MAX: usize = 64;
/// JPEG quality: enough to see what has changed; the evidence itself is finer.
const QUALITY: u8 = 75;

/// A look, and the sightings that it confirmed.
pub struct Glance {
    pub seen: Seen,
    pub began: Vec<Began>,
}

/// Selects the pictures to keep. It survives a panic of its task.
pub struct Chooser {
    from: mpsc::Receiver<Glance>,
    strips: Strips,
    to: mpsc::Sender<Kept>,
}

/// The sending end for looks, and the chooser that passes on the selected pictures.
pub fn chooser(to: mpsc::Sender<Kept>) -> (mpsc::Sender<Glance>, Arc<Mutex<Chooser>>) {
    let (looks, from) = mpsc::channel(LOOKS_MAX);
    (looks, Arc::new(Mutex::new(Chooser { from, strips: Strips::default(), to })))
}

/// Never waits.
pub fn offer(to: &mpsc::Sender<Glance>, glance: Glance) {
    let has_place = !glance.began.is_empty() || to.capacity() > RESERVED;
    if !has_place || to.try_send(glance).is_err() {
        dropped();
    }
}

fn dropped() {
    metrics::counter!("huoyan_strip_pictures_dropped_total").increment(1);
}

pub async fn choose(app: App, chooser: Arc<Mutex<Chooser>>) {
    let Chooser { from, strips, to } = &mut *chooser.lock().await;
    loop {
        let glance = tokio::select! {
            glance = from.recv() => glance,
            () = app.stopped() => None,
        };
        let Some(Glance { seen, began }) = glance else { return };
        let kept = tokio::task::block_in_place(|| {
            strips.look(&seen, &began, |side| encode(&seen.picture, side))
        });
        for it in kept {
            // Strip pictures give way before any evidence does.
            if app.room.is_short_for_analyses() || to.try_send(it).is_err() {
                dropped();
            }
        }
    }
}

/// The picture as JPEG, fitted into a square of `side` pixels.
pub fn encode(picture: &Picture, side: u32) -> Option<Encoded> {
    match picture.fitted(side, side).to_jpeg(QUALITY) {
        Ok(jpeg) => Some(Encoded { picture: PictureId::of(Uuid::now_v7(), &jpeg), jpeg }),
        Err(e) => {
            tracing::warn!("a picture of a strip could not be encoded as JPEG: {}", e.chain());
            dropped();
            None
        }
    }
}

pub async fn keep(app: App, lane: Arc<Mutex<Lane<Kept>>>) {
    let work = |it: Arc<Kept>| {
        let store = app.store.clone();
        async move { store.keep_strip_frame(&it.frame, it.shot.encoded.jpeg.clone()).await }
    };
    let told = |round: LaneState<'_>| {
        let zh = "过程图存不下来：新的告警会缺少前后画面".to_owned();
        let en = "strips cannot be stored: new alarms will lack the pictures before and after"
            .to_owned();
        say(&app, "strips", &round, zh, en);
    };
    lane.lock().await.run(&app.clock, app.stopped(), work, told).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::detection::{Analysis, Class, ModelVersion, Scores, Stream};
    use crate::triage::id::SightingId;

    fn glance(began: Vec<Began>) -> Glance {
        let analysis = Analysis {
            camera: "north".into(),
            pose: "default".into(),
            captured_at: "2026-03-05T04:00:00Z".parse().expect("a time"),
            scores: Scores::default(),
            detections: Vec::new(),
            model: ModelVersion { name: "m".into(), version: "1".into() },
            stream: Stream::Screened,
            tiles: Vec::new(),
            has_past: true,
        };
        let picture = Arc::new(Picture::from_rgb(2, 2, &[60; 12]).expect("a picture"));
        Glance { seen: Seen { analysis, confirmed: Vec::new(), picture, drill: false }, began }
    }

    /// No chooser runs: looks that confirm something still find a place, and offering never blocks.
    #[test]
    fn ordinary_looks_leave_places_for_those_that_confirm_something() {
        let (looks, chooser) = chooser(mpsc::channel(PICTURES_MAX).0);
        let began = Began {
            sighting: SightingId(Uuid::from_u128(1)),
            class: Class::Smoke,
            bbox: [0.4, 0.4, 0.1, 0.1].into(),
        };
        (0..2 * LOOKS_MAX).for_each(|_| offer(&looks, glance(Vec::new())));
        (0..2 * LOOKS_MAX).for_each(|_| offer(&looks, glance(vec![began])));
        let from = &mut chooser.try_lock().expect("nobody holds it").from;
        let begun: Vec<bool> =
            std::iter::from_fn(|| from.try_recv().ok()).map(|it| !it.began.is_empty()).collect();
        assert_eq!(begun.len(), LOOKS_MAX);
        assert_eq!(begun.iter().filter(|it| **it).count(), RESERVED);
    }
}
