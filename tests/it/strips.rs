//! 过程图: a person who judges an alarm sees what came before and after it. It is kept as long as
//! it is worth its space.

use crate::detect::model;
use crate::fixture::*;
use crate::program::Office;
use crate::store_contract::contract;
use huoyan::app::prune;
use huoyan::clock::{Clock, county_time};
use huoyan::config::Config;
use huoyan::frame::Picture;
use huoyan::triage::detection::Stream;
use huoyan::triage::event::{Actor, Closure};
use huoyan::triage::id::{PictureId, SightingId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::sighting::Sighting;
use huoyan::triage::strip::{SeenAt, StripFrame};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

contract!(a_strip_comes_back_in_its_order, strips_go_before_evidence_and_after_their_time);

fn frame(sighting: SightingId, after_s: i64, seen: bool) -> (StripFrame, Vec<u8>) {
    let jpeg = format!("picture at {after_s}").into_bytes();
    let captured_at = start() + SignedDuration::from_secs(after_s);
    let seen = seen.then_some(SeenAt { score: 0.75, bbox: [0.25, 0.5, 0.125, 0.25].into() });
    let stream = if after_s > 0 { Stream::Main } else { Stream::Screened };
    (StripFrame { sighting, captured_at, stream, seen, picture: PictureId::of(id(), &jpeg) }, jpeg)
}

async fn a_strip_comes_back_in_its_order(t: TestStore) {
    let (one, other) = (SightingId(id()), SightingId(id()));
    let (after, before, others) =
        (frame(one, 10, true), frame(one, -20, false), frame(other, 0, false));
    for (frame, jpeg) in [&after, &before, &others, &after] {
        t.store.keep_strip_frame(frame, jpeg.clone()).await.unwrap();
    }
    // Two alarms in one view share their past.
    let shared = StripFrame { sighting: other, ..before.0.clone() };
    t.store.keep_strip_frame(&shared, before.1.clone()).await.unwrap();
    assert_eq!(t.store.strip(one).await.unwrap(), [before.0.clone(), after.0.clone()]);
    assert_eq!(t.store.strip(other).await.unwrap(), [shared, others.0]);
    assert_eq!(t.store.picture(after.0.picture).await.unwrap(), after.1);
}

async fn strips_go_before_evidence_and_after_their_time(t: TestStore) {
    let clock = Clock::simulated(start());
    let (desk, day) = (desk(&t.store, &clock), SignedDuration::from_hours(24));
    let evidence = PictureId::of(id(), b"evidence");
    t.store.keep_picture(evidence, b"evidence".to_vec()).await.unwrap();
    let sighting = Sighting { pictures: vec![evidence], ..camera_sighting() };
    let (strip, jpeg) = frame(sighting.id, -20, false);
    t.store.keep_strip_frame(&strip, jpeg).await.unwrap();
    let incident = desk.sighting(sighting).await.unwrap();
    let closure = Closure { category: 9, false_alarm: None, words: String::new(), passed_to: None };
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    desk.act(incident, Input::Close { closure }, &officer).await.unwrap();
    whole(&t.store).await;

    let mut config = Config::default();
    config.store.data = t.folder.path().to_owned();
    let there = async || {
        let mut held: Vec<PictureId> =
            t.store.strip(strip.sighting).await.unwrap().iter().map(|it| it.picture).collect();
        held.retain(|picture| t.folder.path().join(format!("pictures/{picture}.jpg")).is_file());
        (held.len(), t.store.picture(evidence).await.is_ok())
    };
    // Space is short on the same day: what is judged today stays. Ten days later one thing must go,
    // and it is the strip.
    let shed = async || prune::shed(&t.store, &config, &clock, || true).await.1.unwrap();
    shed().await;
    assert_eq!(there().await, (1, true));
    clock.advance(day * 10);
    let asked = std::cell::Cell::new(0);
    let until_one_went = || {
        asked.set(asked.get() + 1);
        t.folder.path().join(format!("pictures/{}.jpg", strip.picture)).is_file()
    };
    prune::shed(&t.store, &config, &clock, until_one_went).await.1.unwrap();
    assert_eq!(there().await, (0, true));
    assert!(
        asked.get() > 0 && t.store.strip(strip.sighting).await.unwrap().is_empty(),
        "and nothing speaks of it"
    );

    // With enough space it is removed a month after a false alarm.
    let (again, jpeg) = frame(strip.sighting, -40, false);
    t.store.keep_strip_frame(&again, jpeg).await.unwrap();
    for (days, left) in [(19, 1), (1, 0)] {
        clock.advance(day * days);
        prune::prune(&t.store, &config, &clock).await.1.unwrap();
        assert_eq!(there().await, (left, true), "after {days} more days");
    }
    whole(&t.store).await;
}

/// Interval between two pictures that the camera uploads.
const EVERY: SignedDuration = SignedDuration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(90);

/// Grey ground, with something bright on it.
fn upload(folder: &Path, at: Timestamp, bright: bool) {
    let light = |i: u32| bright && (32..48).contains(&(i % 64)) && (16..32).contains(&(i / 64));
    let rgb: Vec<u8> = (0..64 * 64).flat_map(|i| [if light(i) { 240 } else { 60 }; 3]).collect();
    let jpeg = Picture::from_rgb(64, 64, &rgb).and_then(|it| it.to_jpeg(95)).expect("a picture");
    let name = at.to_zoned(county_time()).strftime("%Y%m%d%H%M%S.jpg").to_string();
    fs::write(folder.join("part"), jpeg).expect("written");
    fs::rename(folder.join("part"), folder.join(name)).expect("uploaded");
}

async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        Clock::System.sleep(Duration::from_millis(100)).await;
    }
}

/// The real program and a camera that uploads a picture every twenty seconds of its own time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plume_in_the_program_leaves_pictures_from_before_and_after_it() {
    let (network, uploads) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a folder"));
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join(".huoyan/lib/libonnxruntime.so");
    let office = Office::prepare(
        &format!(
            "[camera]\ncadence = \"200ms\"\n[detect]\nmodel = {:?}\nonnxruntime = \
            {runtime:?}\n",
            network.path()
        ),
        1,
    );
    let sheet = format!(
        "编号,名称,经度,纬度,地址\neye,瞭望塔,110.1,28.45,drop:{}\n",
        uploads.path().display()
    );
    fs::write(office.data.join("registers/cameras.csv"), sheet).expect("a register");
    let (_program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;

    let first = Clock::System.now() - SignedDuration::from_mins(10);
    let (clear, smoky) = (9, 7);
    for n in 0..clear + smoky {
        upload(uploads.path(), first + EVERY * n, n >= clear);
        until("each picture is looked at", async || {
            let scores = officer.get("/api/v1/ops/scores?camera=eye&hours=24").await?;
            scores["items"].as_array().filter(|it| it.len() as i32 > n).map(drop)
        })
        .await;
    }
    let path = until("an incident", async || {
        let board = officer.get("/api/v1/board").await?;
        let incident = &board["incidents"][0];
        let (id, sighting) = (incident["id"].as_str()?, incident["sightings"][0]["id"].as_str()?);
        Some(format!("/api/v1/incidents/{id}/sightings/{sighting}/strip"))
    })
    .await;
    let evidence = |frames: &[Value]| frames.iter().position(|it| it["is_evidence"] == true);
    let frames = until("pictures from before and after", async || {
        let strip = officer.get(&path).await?;
        let frames = strip["frames"].as_array()?.clone();
        let at = evidence(&frames)?;
        (at >= 6 && frames.len() - at > 3).then_some(frames)
    })
    .await;
    assert!(
        frames.is_sorted_by_key(|it| it["captured_at"].as_str().map(str::to_owned)),
        "oldest first: {frames:?}"
    );
    let (before, after) = frames.split_at(evidence(&frames).expect("the evidence"));
    assert!(
        before[..6].iter().all(|it| it["score"].is_null() && it["bbox"].is_null()),
        "nothing was there: {before:?}"
    );
    assert!(
        after.iter().all(|it| it["score"].as_f64().is_some_and(|score| score > 0.3)),
        "and it stayed: {after:?}"
    );
    for frame in &frames {
        let picture = frame["picture"].as_str().expect("a name");
        assert!(office.data.join(format!("pictures/{picture}.jpg")).is_file(), "{picture}");
    }
}
