//! Frames in, sightings out: cameras, model and confirmation together, with a network of known
//! answers (smoke = brighter than the past).

use crate::detect::{config, model, with_points};
use huoyan::camera::{CameraSource, Decoder, Receivers};
use huoyan::clock::Clock;
use huoyan::config::{Batch, CameraConfig, DetectConfig};
use huoyan::detect::{Detector, Worker};
use huoyan::drill::{DrillBoard, scene};
use huoyan::engine::{Alarm, Analyst, Seen, Tuning, first_thresholds};
use huoyan::frame::{Frame, Picture, StatusBoard};
use huoyan::lang::Lang;
use huoyan::triage::confirm::{Numbers, Thresholds};
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One camera, looked at every ten seconds.
struct Camera {
    analyst: Analyst,
    worker: Worker,
    tuning: Tuning,
    drills: DrillBoard,
    status: StatusBoard,
    now: Timestamp,
}

impl Camera {
    fn new(smoke: f32) -> Self {
        let folder = model("heatmap", |text| {
            text.replace("smoke = 0.3\n", &format!("smoke = {smoke}\n"))
                .replace("smoke = 0.5\n", &format!("smoke = {smoke}\n"))
        });
        let detector = Detector::load(folder.path(), &config()).expect("the model loads");
        let tuning = Tuning::new(detector.thresholds().clone());
        let (drills, status) = (DrillBoard::default(), StatusBoard::default());
        let analyst = Analyst::new(&detector, tuning.clone(), drills.clone(), status.clone());
        let worker = detector.session().expect("a session opens");
        let now = "2026-03-05T04:00:00Z".parse().expect("a time");
        Self { analyst, worker, tuning, drills, status, now }
    }

    fn look(&mut self, picture: &Arc<Picture>) -> Vec<Seen> {
        self.look_at(picture, Stream::Screened)
    }

    fn look_at(&mut self, picture: &Arc<Picture>, stream: Stream) -> Vec<Seen> {
        self.now += SignedDuration::from_secs(10);
        let picture = Arc::clone(picture);
        let frame = Frame {
            camera: "north".into(),
            pose: "default".into(),
            captured_at: self.now,
            picture,
            stream,
        };
        self.analyst.look(&mut self.worker, &frame).expect("it runs")
    }
}

fn ground(cell: u8) -> Arc<Picture> {
    let grey = |i: u32| {
        if (32..48).contains(&(i % 64)) && (16..32).contains(&(i / 64)) { cell } else { 60 }
    };
    let rgb: Vec<u8> = (0..64 * 64).flat_map(|i| [grey(i); 3]).collect();
    Arc::new(Picture::from_rgb(64, 64, &rgb).expect("sizes fit"))
}

#[test]
fn smoke_is_confirmed_within_the_minute_and_shown_by_the_best_frame() {
    let mut camera = Camera::new(0.5);
    for _ in 0..6 {
        let [seen] = &camera.look(&ground(60))[..] else { panic!("one look") };
        assert!(seen.confirmed.is_empty() && !seen.drill);
    }
    let rising = [ground(200), ground(250), ground(220), ground(220), ground(220)];
    for picture in &rising[..4] {
        assert!(camera.look(picture)[0].confirmed.is_empty());
    }
    let seen = camera.look(&rising[4]);
    let [Alarm { confirmed, picture, .. }] = &seen[0].confirmed[..] else {
        panic!("confirmed now: {seen:?}")
    };
    assert_eq!(confirmed.best_at, camera.now - SignedDuration::from_secs(30));
    assert!(Arc::ptr_eq(picture, &rising[1]), "the best frame is the evidence");
    assert!(camera.look(&rising[2])[0].confirmed.is_empty(), "once is enough");

    let status = camera.status.get(&"north".into()).expect("known by now");
    assert_eq!(status.analysed, 12);
    assert!(status.last_scores.is_some_and(|s| s.smoke > 0.5));
}

#[test]
fn the_main_streams_picture_is_the_evidence_even_where_the_sub_stream_was_surer() {
    let mut camera = Camera::new(0.5);
    (0..6).for_each(|_| drop(camera.look(&ground(60))));
    let large = Arc::new(ground(220).resized(256, 256));
    camera.look(&ground(250));
    let [seen] = &camera.look_at(&large, Stream::Main)[..] else { panic!("one look") };
    assert_eq!(seen.analysis.stream, Stream::Main);
    assert_eq!(
        seen.analysis.detections.len(),
        1,
        "compared with what the sub-stream showed before: {seen:?}"
    );
    (0..2).for_each(|_| drop(camera.look(&ground(220))));
    let seen = camera.look(&ground(220));
    let [Alarm { confirmed, picture, .. }] = &seen[0].confirmed[..] else {
        panic!("confirmed now: {seen:?}")
    };
    assert_eq!(
        confirmed.best_at,
        camera.now - SignedDuration::from_secs(40),
        "the first was the surest"
    );
    assert!(Arc::ptr_eq(picture, &large), "{picture:?}");
}

/// A main stream of four times the network's size. Smoke fills the upper part of one cell of the
/// network.
fn main_stream(is_smoky: bool) -> Arc<Picture> {
    let smoke =
        |i: u32| is_smoky && (128..192).contains(&(i % 256)) && (64..104).contains(&(i / 256));
    let rgb: Vec<u8> = (0..256 * 256).flat_map(|i| [if smoke(i) { 230 } else { 60 }; 3]).collect();
    Arc::new(Picture::from_rgb(256, 256, &rgb).expect("sizes fit"))
}

#[test]
fn a_second_look_is_compared_with_an_earlier_one_at_the_main_stream() {
    let confidence = |has_been_fetched: bool| {
        let mut camera = Camera::new(0.3);
        (0..6).for_each(|_| drop(camera.look(&ground(60))));
        if has_been_fetched {
            camera.look_at(&main_stream(false), Stream::Main);
        }
        (0..9).for_each(|_| drop(camera.look(&ground(60))));
        let [seen] = &camera.look_at(&main_stream(true), Stream::Main)[..] else {
            panic!("one look")
        };
        let [found] = &seen.analysis.detections[..] else { panic!("one place: {seen:?}") };
        found.confidence
    };
    let (alone, compared) = (confidence(false), confidence(true));
    assert!((alone - 0.42).abs() < 0.03, "the whole look's: {alone}");
    assert!(
        (compared - 0.54).abs() < 0.03,
        "half way to what the crop says, which has a past: {compared}"
    );
}

#[test]
fn published_thresholds_apply_to_the_next_frame() {
    let mut camera = Camera::new(0.5);
    (0..6).for_each(|_| drop(camera.look(&ground(60))));
    camera.tuning.publish(
        Thresholds::default().with(|it| (it.version, it.smoke) = (2, 0.9)).expect("valid"),
    );
    let quiet = (0..6).all(|_| camera.look(&ground(220))[0].confirmed.is_empty());
    assert!(quiet, "0.63 is not enough any more");
    camera.tuning.publish(
        Thresholds::default().with(|it| (it.version, it.smoke) = (3, 0.1)).expect("valid"),
    );
    let confirmed: usize = (0..6).map(|_| camera.look(&ground(220))[0].confirmed.len()).sum();
    assert_eq!(confirmed, 1);
}

#[test]
fn a_fresh_office_starts_at_the_models_default_point() {
    let load = |text: fn(String) -> String| {
        Detector::load(model("heatmap", text).path(), &config()).expect("it loads")
    };
    let (plain, pointed) = (load(|text| text), load(with_points));
    let numbers = |configured: &Thresholds, detector: &Detector| {
        let Numbers { smoke, fire, evidence, .. } = *first_thresholds(configured, detector);
        (smoke, fire, evidence)
    };
    let nothing = Thresholds::default();
    assert_eq!(numbers(&nothing, &pointed), (0.5, 0.6, 1.4), "the whole point");
    assert_eq!(
        numbers(&nothing, &plain),
        (0.1034, 0.1474, 3.4),
        "what alarms at its alarm levels, by the program's own evidence"
    );
    assert_eq!(
        first_thresholds(&nothing, &pointed).cooldown,
        nothing.cooldown,
        "a point says no more than its five numbers"
    );
    let own = Thresholds::default().with(|it| it.smoke = 0.55).expect("valid");
    assert_eq!(first_thresholds(&own, &pointed), own, "the configuration wins");
}

#[test]
fn a_drill_is_flagged_ends_without_a_trace_and_blinds_nobody() {
    let landscape = Arc::new(scene::landscape(2, Path::new("/nowhere")).expect("ridges"));
    let mut camera = Camera::new(0.005);
    (0..18).for_each(|_| drop(camera.look(&landscape)));
    camera.drills.start(&"north".into(), 7, camera.now).expect("free");
    let mut confirmed_s = None;
    for i in 1..=18 {
        let seen = camera.look(&landscape);
        let [real, drill] = &seen[..] else { panic!("two looks at one frame") };
        assert!(!real.drill && real.analysis.detections.is_empty(), "nothing real is there");
        assert_eq!(*real.picture, *landscape, "the real look shows what is really there");
        assert!(drill.drill);

        if let [Alarm { picture: evidence, .. }] = &drill.confirmed[..] {
            assert_ne!(**evidence, *landscape, "the evidence shows the rendered smoke");
            confirmed_s = confirmed_s.or(Some(i * 10));
        }
    }
    assert!(confirmed_s.is_some_and(|s| s <= 90), "confirmed after {confirmed_s:?} s");
    assert!(camera.drills.stop(&"north".into()));
    for _ in 0..18 {
        let seen = camera.look(&landscape);
        assert!(seen.len() == 1 && seen[0].analysis.scores.smoke < 0.01, "no trace in the history");
    }
}

/// Four cameras are due at the same moment. One run of the network serves them all, and each is
/// judged separately.
#[test]
fn frames_of_several_cameras_go_through_the_network_together() {
    let pictures = tempfile::tempdir().expect("a temporary folder");
    let sources = (0..4).map(|i| {
        let folder = pictures.path().join(format!("c{i}"));
        std::fs::create_dir(&folder).expect("made");
        let picture = ground(if i == 2 { 250 } else { 60 }).to_rgb();
        image::save_buffer(folder.join("1.png"), &picture, 64, 64, image::ColorType::Rgb8)
            .expect("written");
        CameraSource::new(
            format!("c{i}").as_str().into(),
            "default".into(),
            format!("北山{i}"),
            folder.display().to_string().as_str(),
        )
    });
    let status = StatusBoard::default();
    let receivers = Receivers::start(
        sources.collect(),
        &CameraConfig::default(),
        Clock::System,
        status.clone(),
        Lang::En,
    )
    .expect("GStreamer is there");
    let came =
        |camera: String| status.get(&camera.as_str().into()).is_some_and(|s| s.keyframes > 0);
    for _ in 0..200 {
        if (0..4).all(|i| came(format!("c{i}"))) {
            break;
        }
        Clock::System.sleep_blocking(Duration::from_millis(50));
    }
    let mut decoder = Decoder::new().expect("decoders");
    let frames = receivers.next_frames(&mut decoder, 8, Duration::from_secs(5));
    assert_eq!(frames.len(), 4, "all that were due");
    assert!(
        receivers.next_frames(&mut decoder, 8, Duration::ZERO).is_empty(),
        "nobody is due again"
    );

    let folder = model("crowd", |text| text);
    let detector = Detector::load(folder.path(), &DetectConfig { batch: Batch::Of(8), ..config() })
        .expect("it loads");
    let (mut worker, tuning) =
        (detector.session().expect("a session"), Tuning::new(Thresholds::default()));
    let analyst = Analyst::new(&detector, tuning, DrillBoard::default(), status.clone());
    let dark = Arc::new(Picture::from_rgb(64, 64, &[60; 64 * 64 * 3]).expect("sizes fit"));
    let before: Vec<Frame> = frames
        .iter()
        .map(|f| Frame {
            captured_at: f.captured_at - SignedDuration::from_secs(180),
            picture: Arc::clone(&dark),
            ..f.clone()
        })
        .collect();
    analyst.look_many(&mut worker, &before, 0).expect("it runs");
    let seen = analyst.look_many(&mut worker, &frames, 0).expect("it runs");
    for (seen, frame) in seen.iter().zip(&frames) {
        let analysis = &seen.analysis;
        assert_eq!((&analysis.camera, analysis.captured_at), (&frame.camera, frame.captured_at));
        assert!((analysis.scores.fire - 0.4).abs() < 1e-6, "four at once: {:?}", analysis.scores);
        assert_eq!(analysis.scores.smoke > 0.5, analysis.camera.0 == "c2", "{:?}", analysis);
        assert_eq!(status.get(&frame.camera).map(|s| s.analysed), Some(2));
    }
    assert_eq!(seen.len(), 4);
}
