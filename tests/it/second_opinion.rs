//! 复核: before one camera's smoke rings a ranger's phone by itself, a second network looks at the
//! place now and before. Here it is a tiny one that takes for smoke what has become redder; so it
//! believes grey smoke, and doubts blue haze.

use crate::detect::{config, model};
use crate::fixture::*;
use crate::triage_kit::after_a_look;
use huoyan::clock::Clock;
use huoyan::detect::{Detector, Worker};
use huoyan::drill::{DrillBoard, scene};
use huoyan::engine::{Alarm, Analyst, Tuning};
use huoyan::frame::{Frame, Picture, StatusBoard};
use huoyan::triage::detection::{Class, Stream};
use huoyan::triage::event::Because;
use huoyan::triage::incident::{Incident, State};
use huoyan::triage::opinion::{Opinion, Silence};
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const GROUND: [u8; 3] = [60; 3];
const SMOKE: [u8; 3] = [230; 3];
const BLUE_HAZE: [u8; 3] = [90, 255, 255];
const RED: [u8; 3] = [250, 40, 40];

/// The tiny detector with the second network beside it. `text` may spoil `model.toml`.
fn with_second(text: impl FnOnce(String) -> String) -> TempDir {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx/tube.onnx");
    let network = std::fs::read(file).expect("committed");
    let sum = hex::encode(Sha256::digest(&network));
    let verifier = format!(
        "[verifier]\nfile = \"tube.onnx\"\nsha256 = \"{sum}\"\nversion = \"7\"\ninput = \
        \"tube\"\noutput = \"smoke\"\n\
         side = 16\nnear = 1.6\nfar = 4.8\nages_s = [60, 120]\nthreshold = 0.5\n"
    );
    let folder = model("heatmap", |manifest| text(manifest + &verifier));
    std::fs::write(folder.path().join("tube.onnx"), network).expect("written");
    folder
}

/// One camera over a hillside, looked at every ten seconds.
struct Camera {
    analyst: Analyst,
    worker: Worker,
    ground: [u8; 3],
    drills: DrillBoard,
    now: Timestamp,
}

impl Camera {
    fn over(folder: &TempDir, ground: [u8; 3]) -> Self {
        let detector = Detector::load(folder.path(), &config()).expect("the model loads");
        // A low limit: two looks do, before there is a past.
        let tuning =
            Tuning::new(detector.thresholds().with(|it| it.evidence = 0.8).expect("valid"));
        let drills = DrillBoard::default();
        let analyst = Analyst::new(&detector, tuning, drills.clone(), StatusBoard::default());
        let worker = detector.session().expect("a session opens");
        Self { analyst, worker, ground, drills, now: start() }
    }

    /// One cell of the picture has that colour.
    fn look(&mut self, colour: [u8; 3]) -> Vec<Alarm> {
        let in_cell = |i: u32| (32..48).contains(&(i % 64)) && (16..32).contains(&(i / 64));
        let rgb: Vec<u8> =
            (0..64 * 64).flat_map(|i| if in_cell(i) { colour } else { self.ground }).collect();
        self.look_at(&Arc::new(Picture::from_rgb(64, 64, &rgb).expect("sizes fit")))
    }

    fn look_at(&mut self, picture: &Arc<Picture>) -> Vec<Alarm> {
        self.now += SignedDuration::from_secs(10);
        let picture = Arc::clone(picture);
        let (camera, pose, stream) = ("north".into(), "default".into(), Stream::Screened);
        let frame = Frame { camera, pose, captured_at: self.now, picture, stream };
        let seen = self.analyst.look(&mut self.worker, &frame).expect("it runs");
        seen.into_iter().flat_map(|it| it.confirmed).collect()
    }

    fn after_quiet_minutes(mut self) -> Self {
        assert!((0..15).all(|_| self.look(self.ground).is_empty()), "nothing is there yet");
        self
    }

    /// Look by look, until it alarms.
    #[track_caller]
    fn until_alarm(&mut self, colour: [u8; 3]) -> Alarm {
        (0..9).find_map(|_| self.look(colour).pop()).expect("an alarm within a minute and a half")
    }
}

fn alarm(colour: [u8; 3]) -> Alarm {
    Camera::over(&with_second(|text| text), GROUND).after_quiet_minutes().until_alarm(colour)
}

fn given(alarm: &Alarm) -> (f32, bool, &str) {
    match &alarm.opinion {
        Opinion::Given { score, agrees, version } => (*score, *agrees, version),
        Opinion::NotGiven { reason } => panic!("an opinion, not {reason:?}"),
    }
}

/// What the desk is told of it.
fn sighting(alarm: &Alarm) -> Sighting {
    let mut sighting = camera_sighting();
    if let Source::Camera { opinion, .. } = &mut sighting.source {
        *opinion = Some(alarm.opinion.clone());
    }
    sighting
}

/// What became of it three minutes later, where the office lets cameras send after two minutes
/// without a look; and what the officer reads on the card before that.
async fn three_minutes_later(evidence: Vec<Sighting>) -> (Incident, Vec<Because>) {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let desk = desk_of(&t.store, &clock, county(), after_a_look());
    let mut fire = None;
    for sighting in evidence {
        fire = Some(desk.sighting(sighting).await.expect("filed"));
    }
    let fire = fire.expect("evidence");
    let opened = desk.incident(fire).await.expect("on the board").incident;
    let because = match &opened.dispatch {
        Some(dispatch) => dispatch.because.clone(),
        None => opened.judge(&after_a_look(), false).because,
    };
    for _ in 0..3 {
        clock.advance(SignedDuration::from_mins(1));
        desk.tick().await.expect("a look at the clock");
    }
    let incident = desk.incident(fire).await.expect("on the board").incident;
    let log: Vec<_> = incident.log.iter().map(|it| (**it).clone()).collect();
    assert_eq!(Incident::from_log(&log).as_ref(), Some(&incident), "the log says all of it");
    (incident, because)
}

fn says(because: &[Because], code: &str, value: &str) -> bool {
    because.iter().any(|it| it.code == code && it.value == value)
}

#[tokio::test]
async fn smoke_that_the_second_network_believes_rings_the_phone_by_itself() {
    let smoke = alarm(SMOKE);
    let (score, agrees, version) = given(&smoke);
    // Of the near crop 1 / 1.6² is smoke, and it became brighter by 170 of 255.
    assert!(
        (score - 3.0 * 170.0 / 255.0 / 2.56).abs() < 0.05 && agrees && version == "7",
        "{:?}",
        smoke.opinion
    );
    let (incident, because) = three_minutes_later(vec![sighting(&smoke)]).await;
    assert_eq!(incident.state, State::Dispatched);
    assert!(says(&because, "second_opinion_agrees", &format!("{score:.2}")), "{because:?}");
    let dispatch = incident.dispatch.expect("sent");
    assert!(
        says(&dispatch.because, "second_opinion_agrees", &format!("{score:.2}")),
        "{:?}",
        dispatch.because
    );
}

#[tokio::test]
async fn haze_that_it_doubts_waits_for_the_officer_who_is_rung_as_soon_and_reads_why() {
    let haze = alarm(BLUE_HAZE);
    let (score, agrees, _) = given(&haze);
    assert!(score < 0.3 && !agrees, "{:?}", haze.opinion);
    let (incident, because) = three_minutes_later(vec![sighting(&haze)]).await;
    assert!(says(&because, "second_opinion_holds", &format!("{score:.2}")), "{because:?}");
    assert!(
        because.iter().all(|it| it.code != "officer_then_auto"),
        "nobody is told that it goes by itself"
    );
    assert_eq!(
        (incident.state, incident.review_missed()),
        (State::NeedsReview, true),
        "rung after two minutes"
    );
    let (believed, _) = three_minutes_later(vec![sighting(&alarm(SMOKE))]).await;
    assert_eq!(incident.priority, believed.priority, "it is not lowered on the board");
}

#[tokio::test]
async fn with_a_second_source_a_doubt_holds_nothing_back() {
    let doubted = sighting(&alarm(BLUE_HAZE));
    let mut other = sighting(&alarm(BLUE_HAZE));
    if let Source::Camera { camera, .. } = &mut other.source {
        *camera = "yl-02".into();
    }
    let mut call = camera_sighting();
    call.source = Source::Person { who: "12119".to_owned(), words: "山后冒烟".to_owned() };
    for second in [other, call, satellite_sighting(&hotspot("1", "2.0NRT"))] {
        let kind = second.source.kind();
        let (incident, because) = three_minutes_later(vec![doubted.clone(), second]).await;
        assert_eq!(incident.sightings.len(), 2, "one fire");
        assert_eq!(incident.state, State::Dispatched, "{kind:?}: {because:?}");
        assert!(
            because.iter().any(|it| it.code == "second_opinion_doubts"),
            "said all the same: {because:?}"
        );
    }
}

#[tokio::test]
async fn whatever_keeps_it_from_answering_is_a_reason_and_the_phone_rings() {
    let folder = with_second(|text| text);
    // The answer to white smoke over black ground is 1.17: no probability.
    let broken = Camera::over(&folder, [0; 3]).after_quiet_minutes().until_alarm([255; 3]);
    // Read otherwise, the tiny detector sees smoke in what is red, without a past.
    let at_once =
        with_second(|text| text.replace("[\"smoke\", \"fire\"]", "[\"fire\", \"smoke\"]"));
    let early = Camera::over(&at_once, GROUND).until_alarm(RED);
    let flames = Camera::over(&folder, GROUND).after_quiet_minutes().until_alarm(RED);
    let none = Camera::over(&model("heatmap", |text| text), GROUND)
        .after_quiet_minutes()
        .until_alarm(SMOKE);
    for (alarm, class, reason) in [
        (broken, Class::Smoke, Silence::Failed),
        (early, Class::Smoke, Silence::NoPast),
        (flames, Class::Fire, Silence::Fire),
        (none, Class::Smoke, Silence::NoVerifier),
    ] {
        assert_eq!((alarm.confirmed.class, &alarm.opinion), (class, &Opinion::NotGiven { reason }));
        let (incident, because) = three_minutes_later(vec![sighting(&alarm)]).await;
        assert!(says(&because, "second_opinion_missing", reason.as_str()), "{because:?}");
        assert_eq!(incident.state, State::Dispatched, "{reason:?}");
    }
}

#[test]
fn a_replay_says_what_the_second_network_would_have_said() {
    let (network, folder) = (
        with_second(|text| text.replace("[60, 120]", "[60, 180]")),
        tempfile::tempdir().expect("a folder"),
    );
    crate::replay::write_event(folder.path(), |i| format!("{}_-01800.jpg", 1_563_297_060 + 60 * i));
    let said = |json: bool| {
        let mut out = Vec::new();
        let args = crate::replay::args(&[folder.path()]);
        huoyan::cli::replay::replay(&args, &crate::replay::common(network.path(), json), &mut out)
            .expect("it runs");
        out
    };
    let lines = crate::replay::lines(&said(true));
    let [sighting] = crate::replay::of_type(&lines, "sighting")[..] else {
        panic!("one sighting: {lines:#?}")
    };
    let opinion = &sighting["opinion"];
    assert_eq!((&opinion["agrees"], &opinion["version"]), (&true.into(), &"7".into()), "{opinion}");
    let score = opinion["score"].as_f64().expect("a number");
    let text = String::from_utf8(said(false)).expect("UTF-8");
    assert!(text.contains(&format!("second opinion agrees {score:.2}")), "{text}");
}

/// The smoke of a drill is rendered, so the second network sees it like any other; and the ground
/// behind it as it was.
#[test]
fn a_drill_goes_the_same_way() {
    let hill = Arc::new(scene::landscape(2, Path::new("/nowhere")).expect("drawn ridges"));
    let sensitive = |text: String| {
        text.replace("smoke = 0.3\n", "smoke = 0.005\n").replace("smoke = 0.5\n", "smoke = 0.005\n")
    };
    let mut camera = Camera::over(&with_second(sensitive), GROUND);
    assert!((0..15).all(|_| camera.look_at(&hill).is_empty()), "nothing is there yet");
    camera.drills.start(&"north".into(), 7, camera.now).expect("a drill starts");
    let alarm =
        (0..30).find_map(|_| camera.look_at(&hill).pop()).expect("the rendered plume alarms");
    let (score, _, _) = given(&alarm);
    let small = Arc::new(camera.worker.shrink(&hill));
    let eye = camera.worker.verifier().expect("there is one");
    // Less than nothing is no probability.
    let bare = eye.ask(&hill, &[Arc::clone(&small), small], &alarm.confirmed.bbox).unwrap_or(0.0);
    assert!(
        score > bare + 0.003,
        "it is asked about the rendered smoke: {score}, of the bare hill {bare}"
    );
}

#[test]
fn where_an_officer_looks_at_every_camera_alarm_the_doubt_is_said_and_changes_nothing() {
    let (incident, _) = opened(sighting(&alarm(BLUE_HAZE)), start());
    let codes: Vec<_> =
        incident.judge(&Policy::default(), true).because.into_iter().map(|it| it.code).collect();
    assert_eq!(codes, ["officer_first", "second_opinion_doubts"]);
}

#[test]
fn a_wrong_second_network_is_refused_with_what_and_where() {
    let refused = |folder: &TempDir| {
        let error = Detector::load(folder.path(), &config()).expect_err("it is wrong");
        error.chain()
    };
    for (from, to, complaint) in [
        ("side = 16", "side = 32", "[1, 2, 3, 3, 32, 32]"),
        ("ages_s = [60, 120]", "ages_s = [60]", "correct side and ages_s"),
        ("input = \"tube\"", "input = \"pipe\"", "tube.onnx has \"tube\""),
        ("output = \"smoke\"", "output = \"fire\"", "tube.onnx has \"smoke\""),
        ("version = \"7\"", "version = \"\"", "[verifier] version"),
    ] {
        let words = refused(&with_second(|text| text.replacen(from, to, 1)));
        assert!(words.contains("model.toml: ") && words.contains(complaint), "{to}: {words}");
    }
    let folder = with_second(|text| text);
    let file = folder.path().join("tube.onnx");
    std::fs::write(&file, "something else").expect("written");
    let words = refused(&folder);
    assert!(words.contains("tube.onnx is not the file") && words.contains("SHA-256"), "{words}");
    std::fs::remove_file(file).expect("removed");
    let words = refused(&folder);
    assert!(words.contains("tube.onnx cannot be read"), "{words}");
    // A detector is no second network, though it is the file that is described.
    let sum = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("sha256 = ")).expect("a sum").to_owned()
    };
    let swapped = with_second(|text| {
        let (full, second) = text.split_once("[verifier]").expect("a section");
        let own = second.lines().find(|line| line.starts_with("sha256")).expect("a sum");
        let second = second
            .replace("tube.onnx", "model.onnx")
            .replace(own, &format!("sha256 = {}", sum(full)));
        format!("{full}[verifier]{second}")
    });
    let words = refused(&swapped);
    assert!(words.contains("model.onnx has \"frames\""), "{words}");
}
