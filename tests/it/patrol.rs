//! 巡航: a camera turns from preset to preset. Its views are found by themselves and named once by
//! the office; from then on smoke has the direction of the preset that saw it, and of no other.

use crate::another_model::{folder, network};
use crate::detect::config;
use crate::program::{Browser, Office};
use huoyan::camera::{Clip, ClipCodec, Playback, encode_clip};
use huoyan::clock::Clock;
use huoyan::frame::Picture;
use huoyan::triage::id::ActionId;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

const FRAMES_PER_S: u32 = 5;
/// At a cadence of a second: long enough for an alarm, whose evidence is 8 s apart.
const STAY_S: u32 = 14;
const TURN_S: u32 = 2;
/// The presets, as the patrol comes by them, and their azimuths.
const PRESETS: [(&str, f64); 3] = [("村口", 90.0), ("东坡", 160.0), ("林场", 230.0)];
/// Three rounds. In the second and third smoke stands at the second preset.
const ROUNDS: usize = 3;

/// What is seen 320 pixels wide from `direction` on: sky, a ridge, a wood; and smoke in the middle.
fn view(direction: usize, noise: u8, is_smoky: bool) -> Picture {
    let pixel = |i: usize| {
        let (x, y) = (i % 320, i / 320);
        if is_smoky && (128..192).contains(&x) && (60..108).contains(&y) {
            return 240;
        }
        let around = (direction + x) as f64;
        let ridge = 60.0 + 24.0 * (around / 61.0).sin() + 14.0 * (around / 23.0).sin();
        if (y as f64) < ridge {
            return 118 + (i as u8).wrapping_mul(31) % (1 + noise);
        }
        let (column, row) = ((direction + x) / 6, y / 6);
        let mixed = (column.wrapping_mul(0x9e37_79b9) ^ row.wrapping_mul(0x85eb_ca6b))
            .wrapping_mul(0xc2b2_ae35)
            >> 13;
        44 + (mixed % 60) as u8
    };
    let mut i420: Vec<u8> = (0..320 * 180).map(pixel).collect();
    i420.resize(320 * 180 * 3 / 2, 128);
    Picture::from_i420(320, 180, i420).expect("sizes fit")
}

fn patrol() -> Vec<Picture> {
    let mut pictures = Vec::new();
    for round in 0..ROUNDS {
        for stop in 0..PRESETS.len() {
            let is_smoky = |stop: usize| round > 0 && stop == 1;
            for i in 0..STAY_S * FRAMES_PER_S {
                pictures.push(view(500 * stop, (i % 5) as u8, is_smoky(stop)));
            }
            // The way back from the last to the first leads past both others.
            let turn = TURN_S * FRAMES_PER_S;
            let way = if stop == 2 { 500 } else { 1000 };
            for i in 1..=turn {
                let turned = (500 * i / (turn + 1)) as usize;
                pictures.push(view(1500 + way + 500 * stop + turned, 0, false));
            }
        }
    }
    pictures
}

fn register(office: &Office, url: &str) {
    let row = |(preset, azimuth): &(&str, f64)| {
        format!("tower,东山,110.05,28.45,{azimuth},60,{preset},{url}\n")
    };
    let sheet = "编号,名称,经度,纬度,方位角,视场角,预置位,地址\n".to_owned()
        + &PRESETS.iter().map(row).collect::<String>();
    fs::write(office.data.join("registers/cameras.csv"), sheet).expect("a register");
}

async fn patrol_of(officer: &Browser) -> Value {
    let page = officer.get("/api/v1/ops/cameras").await.unwrap_or_default();
    page["patrols"][0].clone()
}

async fn incidents(officer: &Browser) -> Vec<Value> {
    let page = officer.get("/api/v1/incidents?state=open").await.unwrap_or_default();
    page["items"].as_array().cloned().unwrap_or_default()
}

async fn within(limit: Duration, what: &str, is_true: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_true().await {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        Clock::System.sleep(Duration::from_millis(100)).await;
    }
}

fn play(folder: &Path) -> Playback {
    let file = folder.join("patrol.h264");
    encode_clip(&file, FRAMES_PER_S, patrol(), ClipCodec::H264, |_| ()).expect("a clip");
    let clip = Clip { path_on_server: "/tower".to_owned(), file, user_password: None };
    Playback::start(([127, 0, 0, 1], 0).into(), vec![clip]).expect("it plays")
}

/// What must outlive the office: its camera, and the files of both.
type Turning = (Playback, TempDir, TempDir);

/// An office whose only camera turns between three presets.
fn turning_tower() -> (Office, Turning) {
    let clips = tempfile::tempdir().expect("a folder");
    let model = folder("v8", &network("bright-v8"), |text| text);
    let onnxruntime = config().onnxruntime;
    let office = Office::prepare(
        &format!(
            "[camera]\ncadence = \"1s\"\n[detect]\nmodel = {:?}\nonnxruntime = \
             {onnxruntime:?}\ntiles = 0\nworkers = 1\n[thresholds]\nevidence = 0.5\n",
            model.path()
        ),
        1,
    );
    let server = play(clips.path());
    register(&office, &server.url(0).expect("its address"));
    (office, (server, clips, model))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smoke_at_the_second_of_three_presets_is_one_incident_with_the_seconds_bearing() {
    let (office, _turning) = turning_tower();
    let (mut program, links) = office.first_start().await;
    let officer = office.log_in(&links["ops"]).await;
    let round = Duration::from_secs(u64::from((STAY_S + TURN_S) * 3));

    // In the first round three views are found, and nothing alarms.
    within(round + Duration::from_secs(20), "three views are found", async || {
        patrol_of(&officer).await["views"].as_array().is_some_and(|it| it.len() == 3)
    })
    .await;
    let found = patrol_of(&officer).await;
    assert!(found["turning"].as_u64() >= Some(2), "it was seen to turn: {found}");
    assert_eq!(incidents(&officer).await, Vec::<Value>::new());
    let picture = officer.asks("/api/v1/cameras/tower/views/2").await;
    assert_eq!(picture, Some(reqwest::StatusCode::OK), "the office looks at it");

    // The office names them, in the order in which the patrol comes by.
    for (view, (preset, _)) in found["views"].as_array().expect("views").iter().zip(PRESETS) {
        let named = json!({"camera": "tower", "view": view["number"], "preset": preset});
        let key = ActionId(Uuid::now_v7());
        let said = officer.post("/api/v1/ops/view-names", key, &named).await;
        assert_eq!(said, Some(reqwest::StatusCode::OK), "{preset}");
    }
    let wrong = json!({"camera": "tower", "view": 1, "preset": "北坡"});
    let said = officer.post("/api/v1/ops/view-names", ActionId(Uuid::now_v7()), &wrong).await;
    assert_eq!(said, Some(reqwest::StatusCode::BAD_REQUEST), "no such preset");

    // In the second round the second sees smoke.
    within(round + Duration::from_secs(20), "an incident opens", async || {
        !incidents(&officer).await.is_empty()
    })
    .await;
    // A restart knows the views by name, and the third round's smoke is the same fire.
    Clock::System.sleep(Duration::from_secs(5)).await;
    program.kill9();
    drop(program);
    let _program = office.start();
    office.is_up().await;
    let sightings = async || {
        let all = incidents(&officer).await;
        all.first().map_or(0, |it| it["sightings_count"].as_u64().unwrap_or(0))
    };
    within(3 * round + Duration::from_secs(20), "it is seen again", async || sightings().await > 1)
        .await;
    let all = incidents(&officer).await;
    assert_eq!(all.len(), 1, "one fire: {all:?}");
    for sighting in all[0]["sightings"].as_array().expect("sightings") {
        assert_eq!(sighting["source"]["pose"], "东坡", "{sighting}");
        let azimuth = sighting["locus"]["azimuth_deg"].as_f64().expect("a direction");
        assert!((azimuth - 160.0).abs() < 3.0, "{sighting}");
    }
    let names = patrol_of(&officer).await;
    let named = names["views"].as_array().expect("views").iter();
    let named: Vec<_> = named.filter(|it| !it["preset"].is_null()).collect();
    assert_eq!(named.len(), 3, "and no view was lost: {names}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smoke_in_a_view_that_nobody_has_named_alarms_without_a_bearing() {
    let (office, _turning) = turning_tower();
    let (_program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    let rounds = Duration::from_secs(u64::from(2 * (STAY_S + TURN_S) * 3 + 20));
    within(rounds, "an incident opens", async || !incidents(&officer).await.is_empty()).await;
    let all = incidents(&officer).await;
    let sighting = &all[0]["sightings"][0];
    assert_eq!(sighting["source"]["pose"], "?2", "{sighting}");
    assert_eq!(sighting["locus"]["shape"], "unaimed", "{sighting}");
    assert_eq!(sighting["labels"][0]["label"], "no_bearing", "{sighting}");
    assert!(!sighting["pictures"].as_array().expect("pictures").is_empty(), "the officer sees it");
    let board = officer.get("/api/v1/board").await.expect("the board");
    assert_eq!(board["cameras"][0]["health"], "ok", "turning is no fault: {board}");
    let words = board["cameras"][0]["detail"].as_str().unwrap_or_default();
    assert!(words.contains("巡航"), "and it says what to do: {words}");
}
