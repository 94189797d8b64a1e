//! The thresholds of a model are chosen with a port of the confirmation to Python, which must agree
//! with the program.

use huoyan::triage::confirm::{Confirmer, Numbers, Thresholds, is_same_place};
use huoyan::triage::detection::{
    Analysis, BoundingBox, Class, Detection, ModelVersion, Scores, Stream, Tile,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const TILES: [Tile; 2] =
    [Tile { x: 0, y: 40, w: 110, h: 100 }, Tile { x: 90, y: 40, w: 110, h: 100 }];

/// Reproducible numbers 0..1 (Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// An hour of one camera: two places that smoke, drive or stand, and boxes anywhere. `seed` varies
/// cadence, tiles and misses.
fn hour(seed: u64) -> Vec<Analysis> {
    let mut chance = Chance(seed);
    let start: Timestamp = "2026-03-05T04:00:00Z".parse().expect("a time");
    let (cadence_s, tiled) = ([5, 10, 30, 60][seed as usize % 4], !seed.is_multiple_of(3));
    let spots =
        [0, 1].map(|_| (chance.next(), 0.6 + 0.39 * chance.next(), chance.next(), chance.next()));
    let mut looks = Vec::new();
    let mut at_s = 0;
    while at_s < 3600 {
        let tiles: Vec<Tile> = TILES.into_iter().filter(|_| tiled && chance.next() < 0.6).collect();
        let minutes = at_s as f32 / 60.0;
        let mut detections = Vec::new();
        for (x, score, grows, drives) in spots {
            let side = 0.02 + 0.05 * grows + if grows > 0.5 { 0.01 * minutes } else { 0.0 };
            let left = 0.9 * x + if drives > 0.7 { 0.04 * minutes } else { 0.0 };
            for tile in [None, tiles.first().copied()] {
                let confidence = (score + 0.2 * (chance.next() - 0.5)).min(0.9999);
                let class = if chance.next() < 0.1 { Class::Fire } else { Class::Smoke };
                if chance.next() < 0.7 && left < 1.0 {
                    let bbox = [
                        left,
                        0.3 + 0.01 * chance.next(),
                        side,
                        side * (0.8 + 0.4 * chance.next()),
                    ]
                    .into();
                    detections.push(Detection { class, confidence, bbox, tile });
                }
            }
        }
        while chance.next() < 0.3 {
            let bbox =
                [chance.next(), chance.next(), 0.2 * chance.next(), 0.2 * chance.next()].into();
            detections.push(Detection {
                class: Class::Smoke,
                confidence: chance.next(),
                bbox,
                tile: None,
            });
        }
        looks.push(Analysis {
            camera: "north".into(),
            pose: "default".into(),
            captured_at: start + SignedDuration::from_secs(at_s),
            scores: Scores::default(),
            detections,
            model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.2.0".to_owned() },
            stream: Stream::Screened,
            tiles,
            has_past: at_s >= 180,
        });
        // Late looks, missing looks, and now and then a clock set back.
        at_s +=
            cadence_s + (3.0 * chance.next()) as i64 + if chance.next() < 0.02 { 400 } else { 0 };
        at_s -= if chance.next() < 0.005 { 300 } else { 0 };
    }
    looks
}

/// Seconds, class, box and evidence of each sighting, one per line.
fn by_the_program(looks: &[Analysis], thresholds: &Thresholds) -> Vec<Value> {
    let mut confirmer = Confirmer::new(thresholds.clone());
    let found = looks.iter().flat_map(|it| confirmer.observe(it));
    found.map(|it| json!([it.confirmed_at.as_second(), it.class, it.bbox, it.evidence])).collect()
}

fn by_the_port(hours: &[Value]) -> Vec<Vec<Value>> {
    port(
        "from confirm import sightings\nfor hour in json.load(sys.stdin):\n    \
         print(json.dumps(list(sightings(hour['frames'], hour['thresholds']))))",
        hours,
    )
}

/// The answers of a script that reads `given` as JSON and prints one list per line.
fn port(script: &str, given: &[Value]) -> Vec<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke-fire/train");
    let mut python = Command::new("python3")
        .args(["-B", "-c", &format!("import json, sys\n{script}")])
        .env("PYTHONPATH", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let mut stdin = python.stdin.take().expect("piped");
    stdin.write_all(json!(given).to_string().as_bytes()).expect("taken");
    drop(stdin);
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the port fails");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a list")).collect()
}

#[test]
fn the_port_that_thresholds_are_chosen_with_says_what_the_program_says() {
    let numbers = |seed: u64| Numbers {
        smoke: 0.7,
        fire: 0.6,
        smoke_tile: 0.75,
        fire_tile: 0.65,
        evidence: [1.0, 2.2, 3.4, 4.5][seed as usize / 4 % 4],
        memory: SignedDuration::from_secs([60, 120, 300][seed as usize % 3]),
        ..Numbers::default()
    };
    let thresholds = |seed: u64| Thresholds::try_from(numbers(seed)).expect("valid");
    let seeds = 0..120u64;
    let given = |seed: u64| {
        let Numbers { smoke, fire, smoke_tile, fire_tile, evidence, memory, .. } = numbers(seed);
        let frame = |it: &Analysis| {
            json!([it.captured_at.as_second(), it.detections, it.tiles, it.has_past])
        };
        json!({
            "frames": hour(seed).iter().map(frame).collect::<Vec<_>>(),
            "thresholds": {
                "smoke": smoke, "fire": fire, "smoke_tile": smoke_tile, "fire_tile": fire_tile, "evidence": evidence,
                "memory_s": memory.as_secs(),
            },
        })
    };
    let port = by_the_port(&seeds.clone().map(given).collect::<Vec<_>>());
    let mut sightings = 0;
    for (seed, port) in seeds.zip(port) {
        let ours = by_the_program(&hour(seed), &thresholds(seed));
        sightings += ours.len();
        let numbers = |all: &[Value]| -> Vec<f64> {
            let flat = all.iter().flat_map(|it| {
                [vec![&it[0], &it[3]], it[2].as_array().expect("a box").iter().collect()].concat()
            });
            flat.map(|it| it.as_f64().expect("a number")).collect()
        };
        let classes = |all: &[Value]| all.iter().map(|it| it[1].clone()).collect::<Vec<_>>();
        assert_eq!(classes(&ours), classes(&port), "hour {seed}: {ours:?}, the port {port:?}");
        let differ = numbers(&ours).iter().zip(numbers(&port)).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(!differ, "hour {seed}: {ours:?}, the port {port:?}");
    }
    assert!(sightings > 100, "hours in which something is seen: {sightings}");
}

/// Boxes lie on a grid of cells, so they touch, or differ by exactly a limit: the last digit
/// decides whether two of them are one place.
#[test]
fn boxes_that_touch_are_the_same_place_to_the_port_as_to_the_program() {
    let mut chance = Chance(1);
    let mut side = |cells: f32| {
        let from = (chance.next() * cells * 0.2).floor();
        let to = from + 1.0 + (chance.next() * 8.0).floor();
        (from / cells, to / cells - from / cells)
    };
    let mut bbox = || {
        let ((x, w), (y, h)) = (side(80.0), side(60.0));
        BoundingBox::from([x, y, w, h])
    };
    let pairs: Vec<[BoundingBox; 2]> = (0..5_000).map(|_| [bbox(), bbox()]).collect();
    let given: Vec<Value> = pairs.iter().map(|pair| json!(pair)).collect();
    let script = "from confirm import iou, same_place, single\nfor pair in \
        json.load(sys.stdin):\n    a, b = ([single(v) for v in box] for box in pair)\n    \
        print(json.dumps([same_place(a, b), iou(a, b)]))";
    let answers = port(script, &given);
    for (pair @ [a, b], answer) in pairs.iter().zip(&answers) {
        let overlap = answer[1].as_f64().expect("a number") as f32;
        assert_eq!(
            (answer[0].as_bool(), overlap),
            (Some(is_same_place(a, b)), a.iou(b)),
            "{pair:?}"
        );
    }
}
