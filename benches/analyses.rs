//! What analyses cost: bytes per row and the budget of a county's 30 days, seconds to write a day,
//! and how long an action waits while a day is removed. 267 cameras, a look every 10 s at the whole
//! and a tile, boxes in one frame of a hundred. Goal: 100 ms. Run: `cargo bench --bench analyses`.

use huoyan::app::prune::prune;
use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::county::{County, Registers};
use huoyan::desk::Desk;
use huoyan::store::Store;
use huoyan::triage::detection::{Analysis, Class, Detection, ModelVersion, Scores, Stream, Tile};
use huoyan::triage::event::Actor;
use huoyan::triage::geo::{LatLon, Locus};
use huoyan::triage::id::SightingId;
use huoyan::triage::incident::{By, Input};
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CAMERAS: i64 = 267;
const LOOKS_A_DAY: i64 = 8_640;
const DAYS_KEPT: i64 = 30;
/// Looks stored at once, as in `app/intake.rs`.
const BATCH: usize = 64;

#[tokio::main]
async fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    // `cargo test` runs benches too, to see that they work: an hour of a day is enough then.
    let looks =
        if std::env::args().any(|it| it == "--bench") { LOOKS_A_DAY } else { LOOKS_A_DAY / 24 };
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open("sqlite", folder.path()).await.expect("a store");
    let mut config = Config::default();
    config.store.data = folder.path().to_owned();
    let frames: Vec<Analysis> = (0..looks * CAMERAS).map(frame).collect();
    let began = Instant::now();
    for batch in frames.chunks(BATCH) {
        store.record_analyses(batch).await.expect("kept");
    }
    let written = began.elapsed();

    let clock = Clock::simulated(start() + SignedDuration::from_hours(40 * 24));
    // Closes the day's file, so that its size is complete.
    store
        .record_analyses(&[Analysis { captured_at: clock.now(), ..frame(0) }])
        .await
        .expect("kept");
    let bytes =
        std::fs::metadata(folder.path().join("analyses/2026-04-05.db")).expect("a file").len();
    let a_row = bytes as f64 / frames.len() as f64;
    let month = a_row * (CAMERAS * LOOKS_A_DAY * DAYS_KEPT) as f64;
    println!("{} rows in {:.1} s: {a_row:.1} bytes a row", frames.len(), written.as_secs_f64());
    println!("{CAMERAS} cameras × {LOOKS_A_DAY} looks × {DAYS_KEPT} days: {:.2} GB", month / 1e9);

    let policy = Policy::default();
    let desk = Desk::new(
        store.clone(),
        Bus::local(),
        Registers::fixed(County::default()),
        policy,
        "森防",
        clock.clone(),
    );
    let desk = Arc::new(desk);
    let fire = desk.sighting(sighting(clock.now())).await.expect("filed");
    let quiet = slowest(&desk, fire, || false).await;
    let (keeper, now) = (store.clone(), clock.clone());
    let pruning = tokio::spawn(async move { prune(&keeper, &config, &now).await });
    let busy = slowest(&desk, fire, || pruning.is_finished()).await;
    assert_eq!(pruning.await.expect("ends").0.days, 1, "a day went");
    assert!(!folder.path().join("analyses/2026-04-05.db").exists());
    println!(
        "slowest of 50 actions: {quiet:.1?} with nothing beside, {busy:.1?} while the day goes"
    );
}

/// The slowest of at least fifty actions, or of as many as fit in until `is_over`.
async fn slowest(
    desk: &Desk,
    fire: huoyan::triage::id::IncidentId,
    is_over: impl Fn() -> bool,
) -> Duration {
    let officer =
        By { actor: Actor::Officer { person: "o1".into() }, action: None, happened_at: None };
    let mut slowest = Duration::ZERO;
    for n in 0.. {
        let asked = Instant::now();
        desk.act(fire, Input::Note { words: "看过".into() }, &officer).await.expect("an action");
        slowest = slowest.max(asked.elapsed());
        if n >= 50 && (is_over() || n >= 2 * 50) {
            break;
        }
    }
    slowest
}

fn start() -> Timestamp {
    "2026-04-05T00:00:00Z".parse().expect("a time")
}

/// The n-th look of the day: the cameras in turn.
fn frame(n: i64) -> Analysis {
    let confidence = 0.3 + (n % 61) as f32 / 100.0;
    let boxed = n % 100 == 0;
    let detection = Detection {
        class: Class::Smoke,
        confidence,
        bbox: [0.412, 0.531, 0.034, 0.021].into(),
        tile: None,
    };
    Analysis {
        camera: format!("430426{:04}", n % CAMERAS).as_str().into(),
        pose: "default".into(),
        captured_at: start()
            + SignedDuration::from_micros(n / CAMERAS * 10_000_000 + n % CAMERAS * 37_453),
        scores: Scores {
            smoke: if boxed { confidence } else { (n % 97) as f32 / 2_000.0 },
            fire: (n % 31) as f32 / 5_000.0,
        },
        detections: if boxed { vec![detection] } else { Vec::new() },
        model: ModelVersion { name: "smoke-fire".into(), version: "0.2.0".into() },
        stream: Stream::Screened,
        tiles: vec![Tile { x: (n % 3 * 50) as u8, y: 67, w: 100, h: 100 }],
        has_past: true,
    }
}

fn sighting(observed_at: Timestamp) -> Sighting {
    Sighting {
        id: SightingId(uuid::Uuid::now_v7()),
        source: Source::Satellite {
            hotspot_key: "bench".into(),
            satellite: "N20".into(),
            instrument: "VIIRS".into(),
            frp_mw: Some(4.1),
            pixels: 1,
        },
        observed_at,
        locus: Locus::Disc { centre: LatLon::new(28.0, 110.0).expect("a place"), radius_m: 375.0 },
        confidence: 0.6,
        pictures: vec![],
        drill: false,
        labels: vec![],
    }
}
