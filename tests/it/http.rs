//! The HTTP side as a story: logging in, one fire from the first look to its closure, and what is
//! refused.

mod alarm_forms;
mod alarms;
mod bounds;
mod camera_visit;
mod connections;
mod eye;
mod front;
mod live;
mod login;
mod openapi;
mod out;
mod phone;
mod points;
mod program;
mod register_page;
mod registers;
mod rights;
mod seen;
mod sessions;
mod shares;
mod shift;
mod sorting;
mod story;
mod strips;
mod tls;
mod township;

use crate::http_support::{ADMIN_TOKEN, Browser, World, at, leaves};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use huoyan::store::Access;
use huoyan::triage::detection::{Analysis, Class, Detection, ModelVersion, Scores, Stream};
use huoyan::triage::id::PictureId;
use huoyan::web;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn thresholds_are_tried_on_the_past_and_published_once() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    let now = world.state.clock.now();
    let frames: Vec<Analysis> =
        (0..30).map(|n| smoke(now - SignedDuration::from_secs(10 * (30 - n)), 0.8)).collect();
    world.state.store.record_analyses(&frames).await.expect("kept");

    let scores = ops.get("/api/v1/ops/scores?camera=c1&hours=1").await.ok();
    assert_eq!(scores["items"].as_array().map(Vec::len), Some(30));
    assert_eq!(scores["model"]["version"], "0.1.0");

    let mut thresholds = ops.get("/api/v1/ops/thresholds").await.ok()["current"].clone();
    thresholds["smoke"] = json!(0.9);
    let trial =
        ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    assert_eq!((&trial["now"]["alarms"], &trial["then"]["alarms"]), (&json!(1), &json!(0)));
    assert_eq!(trial["now"]["unverified"], 1, "nobody has looked");
    assert_eq!((trial["lost"][0]["camera"].as_str(), &trial["gained"]), (Some("c1"), &json!([])));
    assert_eq!((&trial["frames"], &trial["rises"]), (&json!(30), &json!([])));
    thresholds["smoke"] = json!(0.4);
    let trial =
        ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    let steps = trial["rises"][0]["steps"].as_array().expect("how the evidence rose").clone();
    let evidence = |step: &Value| step["evidence"].as_f64().expect("log-odds");
    assert!(
        steps.len() > 2 && steps.windows(2).all(|two| evidence(&two[0]) < evidence(&two[1])),
        "{steps:?}"
    );
    assert!(steps.last().is_some_and(|last| evidence(last) >= 3.4), "{steps:?}");
    thresholds["smoke"] = json!(0.9);
    assert_eq!(
        ops.get("/api/v1/ops/thresholds").await.ok()["current"]["version"],
        1,
        "a trial changes nothing"
    );

    let publication = json!({"thresholds": thresholds, "reason": "晨雾多"});
    for _ in 0..2 {
        let published = ops.post("/api/v1/ops/thresholds", publication.clone()).await.ok();
        assert_eq!(published["current"]["version"], 2);
        assert_eq!(
            published["history"].as_array().map(Vec::len),
            Some(1),
            "sent twice, published once"
        );
    }
    assert_eq!(world.state.thresholds.get().smoke, 0.9, "the confirmers see it");
    let then = async |minutes: i64| {
        let at = world.clock.now() + SignedDuration::from_mins(minutes);
        ops.get(&format!("/api/v1/ops/thresholds?at={at}")).await.ok()["then"].clone()
    };
    assert_eq!(then(-1).await, Value::Null, "what was published when an old report was written");
    let published = then(1).await;
    assert_eq!(
        (&published["thresholds"]["version"], &published["reason"]),
        (&json!(2), &json!("晨雾多"))
    );
    thresholds["smoke"] = json!(0.7);
    let stale = json!({"thresholds": thresholds, "reason": "另一个人"});
    assert_eq!(
        ops.post("/api/v1/ops/thresholds", stale).await.refused(),
        (409, "conflict".to_owned())
    );
    (thresholds["version"], thresholds["evidence"]) = (json!(2), json!(99));
    let nonsense = json!({"thresholds": thresholds, "reason": "x"});
    for path in ["/api/v1/ops/thresholds", "/api/v1/ops/what-if"] {
        let mut nonsense = nonsense.clone();
        nonsense["hours"] = json!(1);
        let refused = ops.post(path, nonsense).await;
        assert_eq!(refused.refused(), (400, "invalid".to_owned()));
        assert!(
            refused.text().contains("evidence = 99.0 超出范围：应在 0.1 到 60.0 之间"),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn only_so_many_rises_are_told() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    let now = world.state.clock.now();
    let everywhere = (0..30).map(|n| [0.16 * (n % 6) as f32, 0.16 * (n / 6) as f32, 0.03, 0.03]);
    let smoky: Vec<Detection> = everywhere
        .map(|bbox| Detection { bbox: bbox.into(), ..smoke(now, 0.9).detections[0] })
        .collect();
    let at = |n: i64| now - SignedDuration::from_secs(10 * (10 - n));
    let frames: Vec<Analysis> =
        (0..10).map(|n| Analysis { detections: smoky.clone(), ..smoke(at(n), 0.9) }).collect();
    world.state.store.record_analyses(&frames).await.expect("kept");
    let thresholds = ops.get("/api/v1/ops/thresholds").await.ok()["current"].clone();
    let trial =
        ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    assert_eq!(
        (&trial["then"]["alarms"], trial["rises"].as_array().map(Vec::len)),
        (&json!(30), Some(24))
    );
}

#[tokio::test]
async fn machines_are_answered_without_a_session_and_told_no_names() {
    let world = World::new().await;
    let stranger = world.stranger();
    assert_eq!(stranger.get("/healthz").await.text(), "ok");
    let ready = stranger.get("/readyz").await.ok();
    assert_eq!((&ready["ready"], &ready["parts"]["database"]), (&json!(true), &json!(true)));
    world.state.parts.set("model", false, "模型缺失：…", "the model is missing: …");
    assert_eq!(stranger.get("/readyz").await.ok()["parts"]["model"], false);
    let openapi = stranger.get("/openapi.json").await.ok();
    let paths = openapi["paths"].as_object().expect("paths");
    for path in [
        "/api/v1/board",
        "/api/v1/incidents/{id}/acknowledge",
        "/api/v1/incidents/{id}/photos",
        "/api/v1/stream",
    ] {
        assert!(paths.contains_key(path), "{path} in {:?}", paths.keys());
    }
    assert!(openapi["components"]["schemas"]["IncidentView"]["properties"]["code"].is_object());
    world.state.store.close().await;
    world.clock.advance(SignedDuration::from_secs(3));
    let broken = stranger.get("/readyz").await;
    assert_eq!(
        (broken.status, &broken.json()["parts"]["database"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false))
    );
    assert_eq!(stranger.get("/healthz").await.status, StatusCode::OK, "alive, though not ready");
}

async fn link(world: &World, person: &str, access: Access) -> String {
    let life = SignedDuration::from_mins(15);
    web::issue_login(&world.state.store, &person.into(), access, life, &world.clock)
        .await
        .expect("a link")
}

async fn press(browser: &Browser, path: &str) -> crate::http_support::Answer {
    let form =
        Request::post(path).header(header::ORIGIN, "http://127.0.0.1:8131").body(Body::empty());
    browser.send(form.expect("a request")).await
}

fn browser_of(world: &World, requests: usize, streams: usize) -> Browser {
    Browser::new(web::router(world.state.clone().with_seats(requests, streams)))
}

fn call() -> Value {
    json!({"at": at(28.5, 110.35), "radius_m": 300.0, "who": "群众 13911112222", "words": "看到浓烟"})
}

/// An officer's own report at the centre of the first grid.
async fn told(officer: &Browser) -> String {
    officer.post("/api/v1/incidents", call()).await.ok()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_picture_that_was_kept_as_long_as_it_had_to_be_says_so_and_a_lost_one_does_not() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = seen_by_camera(&world, leaves(320, 240).to_jpeg(60).expect("JPEG")).await;
    let incident = officer.get(&format!("/api/v1/incidents/{id}")).await.ok();
    let picture: PictureId =
        incident["sightings"][0]["pictures"][0].as_str().expect("an id").parse().expect("an id");
    let path = format!("/api/v1/pictures/{picture}");
    world.state.store.remove_picture(picture).await.expect("lost");
    assert_eq!(
        officer.get(&path).await.refused(),
        (404, "not_found".to_owned()),
        "an open incident's evidence is lost"
    );
    officer
        .post(&format!("/api/v1/incidents/{id}/close"), json!({"category": 9, "words": ""}))
        .await
        .ok();
    world.minutes_pass(8 * 24 * 60);
    let later = world.browser("o1", Access::Officer).await;
    assert_eq!(
        later.get(&path).await.refused(),
        (410, "gone".to_owned()),
        "of a false alarm, a week later"
    );
}

/// Smoke north-east of the tower, with its picture.
async fn seen_by_camera(world: &World, jpeg: Vec<u8>) -> String {
    let ray = (at(28.5, 110.32), 67.0, 8000.0);
    seen::smoke(world, "c1", ray, jpeg).await.incident.to_string()
}

fn smoke(captured_at: jiff::Timestamp, confidence: f32) -> Analysis {
    Analysis {
        camera: "c1".into(),
        pose: "default".into(),
        captured_at,
        scores: Scores { smoke: confidence, fire: 0.0 },
        detections: vec![Detection {
            class: Class::Smoke,
            confidence,
            bbox: [0.4, 0.5, 0.1, 0.1].into(),
            tile: None,
        }],
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
        stream: Stream::Screened,
        tiles: Vec::new(),
        has_past: true,
    }
}
