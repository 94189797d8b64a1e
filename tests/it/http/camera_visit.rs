//! 试看: operations see a camera's picture, or what is wrong with it, before its entry is registered,
//! and where it looks.

use super::registers::{Office, office, row};
use crate::camera_support::{PASSWORD, clip, loopback, one_second, render};
use axum::http::StatusCode;
use huoyan::app::visitor;
use huoyan::camera::{Clip, ClipCodec, Playback};
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::triage::geo::LatLon;
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;

const VISIT: &str = "/api/v1/cameras/visit";
const AIM: &str = "/api/v1/cameras/aim";

/// The office's machine has cameras.
async fn watching() -> Office {
    let mut office = office().await;
    office.world.state.visitor = Some(visitor(&Arc::new(Config::default()), &Clock::System));
    office.ops = office.world.browser("o1", huoyan::store::Access::Ops).await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_camera_shows_its_picture_before_it_is_registered() {
    let Office { ops, officer, .. } = &watching().await;
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = (0..5).flat_map(|_| one_second(320, 180)).collect();
    let file = render(folder.path(), "hill.h264", ClipCodec::H264, pictures);
    let clips = vec![clip("/open", &file, false), clip("/locked", &file, true)];
    let playback = Playback::start(loopback(), clips).expect("it plays");
    let entry = |url: &str, user: &str| json!({"url": url, "user": user});
    let url = |n| playback.url(n).expect("a url");

    let seen = ops.post(VISIT, json!({"entry": entry(&url(0), "")})).await.ok();
    assert_eq!((&seen["health"], &seen["words"]), (&json!("ok"), &Value::Null), "{seen}");
    assert_eq!((&seen["width"], &seen["height"]), (&json!(320), &json!(180)));
    assert!(seen["picture"].as_str().is_some_and(|it| it.starts_with("/9j/")), "a JPEG");
    let every_s = seen["keyframe_every_s"].as_f64().expect("two keyframes came");
    assert!((1.0..4.0).contains(&every_s), "{every_s}");

    let wrong = url(1).replace("rtsp://", "rtsp://admin:wrong@");
    let refused = ops.post(VISIT, json!({"entry": entry(&wrong, "")})).await.ok();
    assert_eq!(refused["health"], "bad_password", "{refused}");
    let said = refused["words"].as_str().expect("the cause and the cure");
    assert!(said.contains("密码") && !said.contains("wrong") && !said.contains(PASSWORD), "{said}");
    assert_eq!(refused["picture"], Value::Null);

    let here = json!({"entry": entry("file:///etc/passwd", "")});
    assert_eq!(ops.post(VISIT, here).await.refused().0, 422, "no file of this machine is shown");
    let by_officer = officer.post(VISIT, json!({"entry": entry(&url(0), "")})).await;
    assert_eq!(by_officer.refused().0, 403, "cameras are for operations");
    let aims = officer.post(AIM, json!({"entry": {}, "aspect": 1.8, "points": []})).await;
    assert_eq!(aims.refused().0, 403);
}

/// The login of a registered camera goes to that camera and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_login_is_used_where_it_belongs_and_nowhere_else() {
    let Office { ops, .. } = &watching().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "hill.h264", ClipCodec::H264, one_second(320, 180));
    let locked = || {
        let user_password = Some(("admin".to_owned(), "pine".to_owned()));
        let clip = Clip { user_password, ..clip("/locked", &file, false) };
        Playback::start(loopback(), vec![clip]).expect("it plays")
    };
    let (own, other) = (locked(), locked());
    let url = own.url(0).expect("a url").replace("rtsp://", "rtsp://admin:pine@");
    let entry = json!({"id": "c9", "longitude": "110.5", "latitude": "28.5", "url": url});
    let cameras = "/api/v1/registers/cameras";
    let seen = ops.get(cameras).await.ok()["seen"].clone();
    ops.post(cameras, json!({"set": [entry], "seen": seen, "why": "新装"})).await.ok();

    let mut shown = row(&ops.get(cameras).await.ok(), "c9@default");
    assert!(!shown.to_string().contains("pine"), "{shown}");
    let visit = ops.post(VISIT, json!({"entry": shown})).await.ok();
    assert_eq!(visit["health"], "ok", "{visit}");

    let host = |playback: &Playback| {
        let url = playback.url(0).expect("a url");
        url["rtsp://".len()..].split('/').next().expect("a host").to_owned()
    };
    let moved = shown["url"].as_str().expect("a url").replace(&host(&own), &host(&other));
    shown["url"] = json!(moved);
    let answer = ops.post(VISIT, json!({"entry": shown})).await;
    assert!(
        answer.status != StatusCode::OK || answer.ok()["health"] == "bad_password",
        "the other host was not told the password"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_camera_is_tried_at_a_time() {
    let Office { ops, .. } = &watching().await;
    let silent = std::net::TcpListener::bind(loopback()).expect("a port");
    let url = format!("rtsp://{}/1", silent.local_addr().expect("its address"));
    let body = json!({"entry": {"url": url}});
    let (mut one, mut two) =
        (pin!(ops.post(VISIT, body.clone())), pin!(ops.post(VISIT, body.clone())));
    let (refused, looking) = tokio::select! {
        it = &mut one => (it, two),
        it = &mut two => (it, one),
    };
    assert_eq!(refused.refused(), (409, "conflict".to_owned()));
    drop(silent);
    assert_eq!(looking.await.ok()["picture"], Value::Null);
}

#[tokio::test]
async fn a_machine_without_cameras_says_where_to_look() {
    let office = office().await;
    let answer = office.ops.post(VISIT, json!({"entry": {"url": "rtsp://10.0.0.1/1"}})).await;
    assert_eq!(answer.refused().0, 422);
    assert!(answer.text().contains("本机不接摄像机"), "{}", answer.text());
}

#[tokio::test]
async fn two_known_points_of_the_picture_aim_the_camera() {
    let Office { ops, .. } = &office().await;
    let mast = LatLon::new(28.5, 110.5).expect("a place");
    let entry = json!({"id": "c9", "longitude": "110.5", "latitude": "28.5",
        "url": "rtsp://10.0.0.9/1"});
    // A lens of 60° that looks east: its edges lie 30° to each side.
    let point = |x: f64, azimuth_deg: f64| json!({"x": x, "y": 0.5, "at": mast.destination(azimuth_deg, 4_000.0)});
    let points = [point(0.0, 60.0), point(1.0, 120.0)];
    let body = json!({"entry": entry, "aspect": 1.7778, "points": points});
    let aim = ops.post(AIM, body).await.ok();
    let figure = |name: &str| aim[name].as_f64().expect("a figure");
    assert!((figure("azimuth_deg") - 90.0).abs() < 0.1, "{aim}");
    assert!((figure("field_of_view_deg") - 60.0).abs() < 0.2, "{aim}");
    assert!((0.3..1.5).contains(&figure("azimuth_error_deg")), "{aim}");
    let none = ops.post(AIM, json!({"entry": entry, "aspect": 1.7778, "points": []})).await;
    assert_eq!(none.refused().0, 422);
}
