//! A cheap network looks first. The full one is called where that sees something, where something
//! is suspected, and for a share of the quiet views. Here both are the same tiny network, so that
//! only the calling is tested.

use crate::detect::{config, model};
use huoyan::config::{Batch, DetectConfig};
use huoyan::detect::{Detector, Goldens, Worker};
use huoyan::drill::DrillBoard;
use huoyan::engine::{Analyst, Seen, Tuning};
use huoyan::frame::{Frame, Picture, Screening, StatusBoard};
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tempfile::TempDir;

/// A model whose screening network calls the full one from this smoke score on, with this share of
/// audits.
fn screened(name: &str, smoke: f32, audit: f32) -> TempDir {
    model(name, |text| {
        let sum =
            text.lines().find_map(|line| line.strip_prefix("sha256 = ")).expect("a sum").to_owned();
        format!(
            "{text}[screen]\nfile = \"model.onnx\"\nsha256 = {sum}\nsmoke = {smoke}\nfire = \
            0.9\naudit = {audit}\n"
        )
    })
}

struct Camera {
    analyst: Analyst,
    worker: Worker,
    status: StatusBoard,
    now: Timestamp,
}

impl Camera {
    fn new(smoke: f32, audit: f32) -> Self {
        let folder = screened("heatmap", smoke, audit);
        let detector = Detector::load(folder.path(), &config()).expect("the model loads");
        let tuning = Tuning::new(detector.thresholds().clone());
        let status = StatusBoard::default();
        let analyst = Analyst::new(&detector, tuning, DrillBoard::default(), status.clone());
        let worker = detector.session().expect("a session opens");
        Self { analyst, worker, status, now: "2026-03-05T04:00:00Z".parse().expect("a time") }
    }

    fn look(&mut self, smoke: u8, stream: Stream) -> Seen {
        self.now += SignedDuration::from_secs(10);
        let in_cell = |i: u32| (32..48).contains(&(i % 64)) && (16..32).contains(&(i / 64));
        let rgb: Vec<u8> =
            (0..64 * 64).flat_map(|i| [if in_cell(i) { smoke } else { 60 }; 3]).collect();
        let picture = Arc::new(Picture::from_rgb(64, 64, &rgb).expect("sizes fit"));
        let frame = Frame {
            camera: "north".into(),
            pose: "default".into(),
            captured_at: self.now,
            picture,
            stream,
        };
        let mut seen = self.analyst.look(&mut self.worker, &frame).expect("it runs");
        seen.remove(0)
    }

    fn after_six_quiet_looks(mut self) -> Self {
        for _ in 0..6 {
            let seen = self.look(60, Stream::Screened);
            assert_eq!(seen.analysis.detections, []);
        }
        self
    }

    fn counts(&self) -> Screening {
        self.status.screening().expect("there is a screening network")
    }
}

#[test]
fn the_full_network_is_called_where_the_screening_network_sees_something() {
    let mut camera = Camera::new(0.2, 0.0).after_six_quiet_looks();
    assert_eq!(camera.counts(), Screening { views: 6, ..Screening::default() });
    let confirmed = |camera: &mut Camera| -> Vec<usize> {
        (0..8).map(|_| camera.look(230, Stream::Screened).confirmed.len()).collect()
    };
    let seen = confirmed(&mut camera);
    assert_eq!(seen.iter().sum::<usize>(), 1, "{seen:?}");
    assert_eq!(camera.counts(), Screening { views: 14, passed: 8, ..Screening::default() });
    let mut everything = Camera::new(0.001, 0.0).after_six_quiet_looks();
    assert_eq!(seen, confirmed(&mut everything), "as where the full network looks at everything");
}

#[test]
fn what_is_suspected_is_looked_at_in_full_though_the_screening_network_is_silent() {
    let mut camera = Camera::new(0.6, 0.0).after_six_quiet_looks();
    assert_eq!(camera.look(230, Stream::Screened).analysis.detections.len(), 1, "0.67");
    assert_eq!(
        camera.look(190, Stream::Screened).analysis.detections.len(),
        1,
        "0.51: a place lives there"
    );
    assert_eq!(camera.counts().passed, 2);
    camera.now += SignedDuration::from_hours(1);
    let seen = camera.look(190, Stream::Screened);
    assert_eq!(
        (seen.analysis.detections.len(), camera.counts().passed),
        (0, 2),
        "an hour later it is forgotten"
    );
    camera.look(190, Stream::Main);
    assert_eq!(camera.counts().passed, 3, "the main stream was asked for");
}

#[test]
fn a_blind_screening_network_is_found_out_by_its_audits() {
    let mut blind = Camera::new(1.0, 0.0).after_six_quiet_looks();
    let seen = blind.look(230, Stream::Screened);
    assert!(
        seen.analysis.scores.smoke > 0.6 && seen.analysis.detections.is_empty(),
        "its own score: {seen:?}"
    );
    assert_eq!(blind.counts().misses_sampled, 0, "nobody has looked");

    let mut audited = Camera::new(1.0, 1.0).after_six_quiet_looks();
    assert_eq!(audited.counts(), Screening { views: 6, audits: 6, ..Screening::default() });
    assert_eq!(audited.look(230, Stream::Screened).analysis.detections.len(), 1);
    assert_eq!(audited.counts(), Screening { views: 7, audits: 7, misses_sampled: 1, passed: 0 });
    audited.look(230, Stream::Screened);
    assert_eq!(
        audited.counts(),
        Screening { views: 8, audits: 7, misses_sampled: 1, passed: 1 },
        "suspected by now"
    );
}

#[test]
fn where_many_looks_go_through_together_the_full_network_looks_at_all() {
    let folder = screened("crowd", 0.2, 0.0);
    let load = |batch| {
        Detector::load(folder.path(), &DetectConfig { batch, ..config() }).expect("the model loads")
    };
    assert!(load(Batch::Of(8)).screener().is_none());
    assert!(load(Batch::Of(1)).screener().is_some());
}

#[test]
fn goldens_cover_both_networks_and_a_wrong_file_is_refused() {
    let folder = screened("heatmap", 0.2, 0.0);
    let detector = Detector::load(folder.path(), &config()).expect("the model loads");
    let mut worker = detector.session().expect("a session opens");
    Goldens::record(&mut worker).and_then(|goldens| goldens.save(folder.path())).expect("kept");
    let read = || Goldens::load(folder.path()).expect("read").expect("there are some");
    assert_eq!(read().check(&mut worker).expect("it runs"), []);
    let file = folder.path().join("goldens.json");
    let text = std::fs::read_to_string(&file).expect("read");
    let both: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(read().len(), 2 * both["cases"].as_array().map_or(0, Vec::len));

    let mut wrong = both.clone();
    wrong["screen"]["cases"][0]["smoke"]["max"] = 0.5.into();
    std::fs::write(&file, wrong.to_string()).expect("written");
    let mismatches = read().check(&mut worker).expect("it runs");
    assert!(mismatches.len() == 1 && mismatches[0].what.starts_with("screen, "), "{mismatches:?}");
    let mut alone = both;
    alone.as_object_mut().expect("an object").remove("screen");
    std::fs::write(&file, alone.to_string()).expect("written");
    let error = read().check(&mut worker).expect_err("half of it");
    assert!(error.message.contains("[screen]"), "{}", error.chain());

    let folder = screened("heatmap", 0.2, 0.0);
    let manifest = std::fs::read_to_string(folder.path().join("model.toml")).expect("read");
    let (full, screen) = manifest.split_once("[screen]").expect("a section");
    let screen = screen.replace("model.onnx", "screen.onnx");
    std::fs::write(folder.path().join("screen.onnx"), "something else").expect("written");
    std::fs::write(folder.path().join("model.toml"), format!("{full}[screen]{screen}"))
        .expect("written");
    let error = Detector::load(folder.path(), &config()).expect_err("the sum differs");
    assert!(
        error.message.contains("screen.onnx") && error.message.contains("SHA-256"),
        "{}",
        error.chain()
    );
}
