//! A camera's self-test: requested by ops, answered by the model, and unknown to the rest of the
//! program.

use crate::detect::{config, model};
use crate::http_support::World;
use huoyan::config::{DetectConfig, Tiles};
use huoyan::detect::{Detector, Worker};
use huoyan::drill::{DrillBoard, WIDTHS, scene};
use huoyan::engine::{Analyst, Tuning};
use huoyan::frame::{AtScale, Frame, Picture, StatusBoard};
use huoyan::store::{Access, Filter};
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// More steps than a test has.
const STEPS: usize = 40;

/// Camera c1 with a network that detects whatever is brighter than before.
struct Camera {
    analyst: Analyst,
    worker: Worker,
    now: Timestamp,
}

impl Camera {
    fn new(status: StatusBoard) -> Self {
        Self::with(status, &config())
    }

    fn with(status: StatusBoard, config: &DetectConfig) -> Self {
        let folder = model("heatmap", |text| {
            text.replace("smoke = 0.3\n", "smoke = 0.01\n")
                .replace("smoke = 0.5\n", "smoke = 0.01\n")
        });
        let detector = Detector::load(folder.path(), config).expect("the model loads");
        let tuning = Tuning::new(detector.thresholds().clone());
        let analyst = Analyst::new(&detector, tuning, DrillBoard::default(), status);
        let worker = detector.session().expect("a session opens");
        Self { analyst, worker, now: "2026-03-05T04:00:00Z".parse().expect("a time") }
    }

    /// One look, which must not report anything of the test.
    #[track_caller]
    fn look(&mut self, picture: &Arc<Picture>) {
        self.now += SignedDuration::from_secs(10);
        let picture = Arc::clone(picture);
        let frame = Frame {
            camera: "c1".into(),
            pose: "default".into(),
            captured_at: self.now,
            picture,
            stream: Stream::Screened,
        };
        let seen = self.analyst.look(&mut self.worker, &frame).expect("it runs");
        let [seen] = &seen[..] else { panic!("one look: {seen:?}") };
        assert!(
            !seen.drill && seen.confirmed.is_empty() && seen.analysis.detections.is_empty(),
            "{seen:?}"
        );
        assert!(
            seen.analysis.scores.smoke < 0.01,
            "the history holds no rendered smoke: {:?}",
            seen.analysis.scores
        );
    }

    fn finish_test(&mut self) -> usize {
        let is_running = |camera: &mut Self| {
            camera.analyst.self_tests.step(&mut camera.worker).expect("it runs");
            camera.analyst.self_tests.has_work()
        };
        (0..STEPS).take_while(|_| is_running(self)).count()
    }
}

fn landscape() -> Arc<Picture> {
    Arc::new(scene::landscape(2, Path::new("/nowhere")).expect("ridges"))
}

/// Nearly as bright as smoke, everywhere.
fn fog(seen: &Picture) -> Arc<Picture> {
    let (luma, mut i420) = (seen.luma().len(), seen.as_i420().to_vec());
    i420[..luma].iter_mut().for_each(|y| *y = (f32::from(*y) * 0.03 + 195.0) as u8);
    i420[luma..].fill(128);
    Arc::new(Picture::from_i420(seen.width(), seen.height(), i420).expect("the size is kept"))
}

#[tokio::test]
async fn ops_learn_what_plume_a_camera_sees_and_nobody_else_hears_of_it() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    let path = "/api/v1/ops/self-tests";
    let of = |camera: &str| json!({ "camera": camera });
    assert_eq!(ops.post(path, of("c9")).await.refused(), (400, "invalid".to_owned()));
    assert_eq!(ops.post(path, of("c1")).await.refused().0, 503, "no picture yet");
    let officer = world.browser("o1", Access::Officer).await;
    assert_eq!(officer.post(path, of("c1")).await.refused().0, 403);
    assert_eq!(officer.post("/api/v1/ops/views", of("c1")).await.refused().0, 403);

    let mut camera = Camera::new(world.state.status.clone());
    let (clear, foggy) = (landscape(), fog(&landscape()));
    (0..12).for_each(|_| camera.look(&clear));
    assert_eq!(camera.finish_test(), 0, "nobody has asked");
    let asked = ops.post(path, of("c1")).await.ok();
    assert!(asked["asked_at"].is_string() && asked["last"].is_null(), "{asked}");
    assert_eq!(
        ops.post(path, of("c1")).await.ok()["asked_at"],
        asked["asked_at"],
        "asked twice is one test"
    );
    camera.look(&clear);
    assert_eq!(camera.finish_test(), 3 * WIDTHS.len(), "one inference a step");
    (0..24).for_each(|_| camera.look(&clear));

    let told =
        async || -> Value { ops.get("/api/v1/ops/cameras").await.ok()["self_tests"][0].clone() };
    let test = told().await;
    assert_eq!((&test["camera"], &test["asked_at"]), (&json!("c1"), &Value::Null));
    assert!(test["last"]["tile"].is_null(), "nobody looks at tiles here: {test}");
    let sizes = test["last"]["whole"]["sizes"].as_array().expect("sizes").clone();
    let found: Vec<u64> = sizes.iter().filter_map(|size| size["found"].as_u64()).collect();
    assert!(sizes.iter().all(|size| size["places"] == 3) && found.len() == WIDTHS.len(), "{test}");
    assert!(
        found[0] == 0 && found[4] >= 2,
        "a plume of 0.6 pixels is not seen, one of 10 is: {found:?}"
    );
    let smallest = test["last"]["whole"]["smallest"].as_f64().expect("something is seen");
    let picture = ops.get("/api/v1/cameras/c1/self-test").await;
    assert_eq!(picture.headers["content-type"], "image/jpeg");
    let example = Picture::from_image_bytes(&picture.body).expect("a picture");
    assert!(example.width() >= 60, "{example:?}");

    let mut camera = Camera::new(world.state.status.clone());
    (0..12).for_each(|_| camera.look(&foggy));
    ops.post(path, of("c1")).await.ok();
    camera.look(&foggy);
    camera.finish_test();
    let test = told().await;
    let in_fog = test["last"]["whole"]["smallest"].as_f64();
    assert!(
        in_fog.is_none_or(|size| size > smallest),
        "fog hides what was seen at {smallest}: {test}"
    );

    let store = &world.state.store;
    assert!(
        store.incidents(Filter::All, None, 10).await.expect("reads").items.is_empty(),
        "no incident"
    );
    assert!(
        store.events_after(0, 10).await.expect("reads").is_empty(),
        "no event, so no message either"
    );
    let far = world.state.clock.now() + SignedDuration::from_hours(10_000);
    assert!(
        store
            .analyses(&"c1".into(), Timestamp::UNIX_EPOCH, far, 10)
            .await
            .expect("reads")
            .is_empty()
    );
    assert_eq!(store.next_message_due().await.expect("reads"), None, "nothing in the outbox");
    assert!(store.unfiled_sightings(far, 10).await.expect("reads").is_empty(), "no sighting");
}

/// Half of the picture fills the network's canvas, so a plume appears twice as large there.
#[test]
fn in_a_tile_smaller_smoke_is_seen_than_in_the_whole() {
    let status = StatusBoard::default();
    let mut camera =
        Camera::with(status.clone(), &DetectConfig { tiles: Tiles::Of(3), ..config() });
    let clear = landscape();
    (0..30).for_each(|_| camera.look(&clear));
    status.update(&"c1".into(), |it| it.self_test.asked_at = Some(camera.now));
    camera.look(&clear);
    assert!(
        (3 * WIDTHS.len() + 1..=6 * WIDTHS.len()).contains(&camera.finish_test()),
        "an inference a step"
    );
    let last = status.get(&"c1".into()).and_then(|status| status.self_test.last).expect("a result");
    let (whole, tile) = (last.whole.smallest(), last.tile.as_ref().and_then(AtScale::smallest));
    assert!(tile.is_some() && tile < whole, "{last:?}");
    camera.look(&clear);
}

#[test]
fn a_test_of_a_view_that_the_camera_no_longer_has_is_void() {
    let status = StatusBoard::default();
    let mut camera = Camera::new(status.clone());
    let clear = landscape();
    (0..12).for_each(|_| camera.look(&clear));
    let result = || status.get(&"c1".into()).expect("a status").self_test;
    for (aimed_anew, is_void) in [("c2", false), ("c1", true)] {
        status.update(&"c1".into(), |it| it.self_test.asked_at = Some(camera.now));
        camera.look(&clear);
        camera.analyst.self_tests.step(&mut camera.worker).expect("it runs");
        camera.analyst.forget(&aimed_anew.into(), &"default".into());
        camera.finish_test();
        assert_eq!(result().last.is_none(), is_void, "{aimed_anew} was aimed anew");
    }
    assert!(
        result().asked_at.is_some() && !camera.analyst.self_tests.has_work(),
        "who asked still waits"
    );
    (0..4).for_each(|_| camera.look(&clear));
    camera.finish_test();
    assert!(result().last.is_some() && result().asked_at.is_none(), "and hears of the new view");
}

#[test]
fn unasked_a_camera_is_tested_once_an_interval() {
    let status = StatusBoard::default();
    let mut camera = Camera::new(status.clone());
    camera.analyst = camera.analyst.with_self_test_every(SignedDuration::from_mins(10));
    let clear = landscape();
    let mut tested_at = Vec::new();
    for _ in 0..180 {
        camera.look(&clear);
        if camera.analyst.self_tests.has_work() {
            camera.finish_test();
            tested_at.push(camera.now);
        }
    }
    assert!((2..=3).contains(&tested_at.len()), "in half an hour: {tested_at:?}");
    assert!(
        tested_at
            .windows(2)
            .all(|pair| pair[1].duration_since(pair[0]) == SignedDuration::from_mins(10))
    );
    let last = status.get(&"c1".into()).and_then(|status| status.self_test.last).expect("a result");
    assert_eq!(Some(last.at), tested_at.last().copied());
}
