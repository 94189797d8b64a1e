//! The HTTP side as a story: logging in, one fire from the first look to its closure, and what is
//! refused.

mod connections;
mod eye;
mod front;
mod live;
mod login;
mod openapi;
mod phone;
mod points;
mod program;
mod registers;
mod shares;
mod sorting;
mod strips;
mod tls;

use crate::http_support::{ADMIN_TOKEN, Browser, World, at, leaves};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use huoyan::store::Access;
use huoyan::triage::detection::{Analysis, Class, Detection, ModelVersion, Scores, Stream};
use huoyan::triage::geo::{Locus, Ray};
use huoyan::triage::id::{PictureId, SightingId};
use huoyan::triage::sighting::{Sighting, Source};
use huoyan::web;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

// ---- logging in ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_login_link_works_once_and_a_preview_does_not_use_it_up() {
    let world = World::new().await;
    let path = link(&world, "r1", Access::Ranger).await;
    let stranger = world.stranger();
    for _ in 0..3 {
        let page = stranger.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains(r#"<button id="login""#), "{}", page.text());
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    let first = press(&stranger, &path).await;
    assert_eq!(
        (first.status, first.headers[header::LOCATION].to_str().unwrap_or_default()),
        (StatusCode::SEE_OTHER, "/ranger")
    );
    let cookie = first.headers[header::SET_COOKIE].to_str().expect("text");
    for part in ["huoyan_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "an office PC without TLS would lose the cookie");
    let second = press(&stranger, &path).await;
    assert_eq!(second.status, StatusCode::GONE);
    assert!(second.text().contains("值班室"), "it says what to do: {}", second.text());
    assert!(!second.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_link_expires_a_session_ends_and_a_logged_out_cookie_is_worth_nothing() {
    let world = World::new().await;
    let path = link(&world, "r1", Access::Ranger).await;
    world.minutes_pass(15);
    assert_eq!(press(&world.stranger(), &path).await.status, StatusCode::GONE);

    let ranger = world.browser("r1", Access::Ranger).await;
    let me = ranger.get("/api/v1/me").await.ok();
    assert_eq!((&me["name"], &me["role"], &me["county"]), (&json!("周建国"), &json!("ranger"), &json!("沅溪县")));
    assert_eq!(ranger.post("/api/v1/logout", json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ranger.get("/api/v1/me").await.refused(), (401, "unauthenticated".to_owned()));

    let officer = world.browser("o1", Access::Officer).await;
    world.minutes_pass(31 * 24 * 60);
    assert_eq!(officer.get("/api/v1/me").await.refused().0, 401, "30 days without use");
}

#[tokio::test]
async fn pages_say_what_to_do_and_carry_nothing_a_stranger_wrote() {
    let world = World::new().await;
    let stranger = world.stranger();
    let evil = "/login/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for page in [stranger.get(evil).await, press(&stranger, evil).await] {
        assert!(!page.text().contains("script"), "{}", page.text());
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.headers[header::REFERRER_POLICY], "same-origin", "or the form would hide where it comes from");
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    for face in ["/", "/office", "/wall", "/ranger", "/ops"] {
        let page = stranger.get(face).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{face}");
        assert!(page.text().contains("登录链接"), "{face} says what to do");
    }
    let english = Request::get("/office").header(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9").body(Body::empty());
    assert!(stranger.send(english.expect("a request")).await.text().contains("Not logged in"));
}

#[tokio::test]
async fn everybody_gets_their_own_face() {
    let world = World::new().await;
    let (ranger, officer) = (world.browser("r1", Access::Ranger).await, world.browser("o1", Access::Officer).await);
    for (browser, path, face) in
        [(&ranger, "/", "/ranger"), (&ranger, "/office", "/ranger"), (&officer, "/", "/office")]
    {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers[header::LOCATION], face);
    }
    let page = officer.get("/office").await;
    assert_eq!(
        (page.status, &page.headers[header::CACHE_CONTROL]),
        (StatusCode::OK, &"no-cache".parse().expect("a value"))
    );
    let tag = page.headers[header::ETAG].clone();
    let again = Request::get("/office").header(header::IF_NONE_MATCH, tag).body(Body::empty()).expect("a request");
    assert_eq!(officer.send(again).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn answers_are_packed_for_thin_lines_and_what_is_live_is_not_kept() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let board = Request::get("/api/v1/board").header(header::ACCEPT_ENCODING, "gzip").body(Body::empty());
    let board = officer.send(board.expect("a request")).await;
    assert_eq!(board.headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(board.headers[header::CACHE_CONTROL], "no-store");
    assert!(board.body.len() < officer.get("/api/v1/board").await.body.len() / 2);
}

// ---- one fire ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_fire_from_the_first_look_to_the_closed_file() {
    let world = World::new().await;
    let (officer, ranger) = (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = seen_by_camera(&world, leaves(640, 360).to_jpeg(80).expect("JPEG")).await;

    let board = officer.get("/api/v1/board").await.ok();
    let incident = &board["incidents"][0];
    assert_eq!((&incident["id"], &incident["state"]), (&json!(id), &json!("needs_review")));
    assert_eq!(incident["code"], "1121-01");
    assert_eq!(incident["sightings"][0]["source"]["camera_name"], "1号塔");
    assert_eq!(board["cameras"][0]["url"], "rtsp://10.0.0.8/stream2", "no user, no password");
    assert_eq!(board["cameras"][0]["alarms_today"], 1);
    assert_eq!(board["duty"]["officer"]["name"], "吴敏");
    assert_eq!(board["county"]["grids"]["features"].as_array().map(Vec::len), Some(2));
    assert_eq!(ranger.get("/api/v1/ranger").await.ok()["incidents"], json!([]));

    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    let dispatched = officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    assert_eq!(dispatched["state"], "dispatched");
    assert_eq!(dispatched["dispatch"]["ranger"]["phone"], "13900000001");

    world.minutes_pass(2);
    let mine = ranger.get("/api/v1/ranger").await.ok();
    assert_eq!(mine["incidents"][0]["id"], json!(id));
    assert_eq!(mine["duty_phone"], "13900000008");
    let tap = json!({"happened_at": "2026-11-21T06:01:00Z", "position": {"at": at(28.507, 110.3388), "accuracy_m": 12.0, "measured_at": "2026-11-21T06:00:30Z"}});
    let key = Uuid::now_v7();
    let acknowledged = ranger.post_as(key, &path("acknowledge"), tap.clone()).await.ok();
    assert_eq!(acknowledged["dispatch"]["acknowledged"]["means"]["means"], "phone");
    assert_eq!(acknowledged["dispatch"]["acknowledged"]["happened_at"], "2026-11-21T06:01:00Z");
    assert_eq!(acknowledged["dispatch"]["acknowledged"]["late"], false);
    let again = ranger.post_as(key, &path("acknowledge"), tap.clone()).await.ok();
    assert_eq!(again["version"], acknowledged["version"], "a repeat changes nothing");
    let reused = ranger.post_as(key, &path("arrive"), tap.clone()).await;
    assert_eq!(reused.refused(), (409, "key_reused".to_owned()), "another action under that key is no repeat");

    world.minutes_pass(15);
    assert_eq!(ranger.post(&path("arrive"), tap).await.ok()["state"], "arrived");

    let report = json!({"happened_at": "2026-11-21T06:20:00Z", "category": 3, "flames": "small", "area_mu": 0.4,
                        "extinguished": true, "words": "烧田坎，已扑灭", "photos": 1});
    assert_eq!(ranger.post(&path("report"), report).await.ok()["state"], "reported");
    let photo = leaves(320, 240).to_jpeg(60).expect("JPEG");
    let kept = ranger.photo(&path("photos"), "image/jpeg", photo.clone()).await.ok();
    let picture = format!("/api/v1/pictures/{}", kept["picture"].as_str().expect("an id"));
    assert_eq!(officer.get(&picture).await.body, photo, "the evidence is kept as it came");

    let full = officer.get(&format!("/api/v1/incidents/{id}")).await.ok();
    assert_eq!(full["verification"]["photos"][0], kept["picture"]);
    let types: Vec<&str> =
        full["log"].as_array().expect("a log").iter().filter_map(|it| it["event"]["type"].as_str()).collect();
    assert_eq!(types, ["opened", "dispatched", "acknowledged", "arrived", "reported", "photo_added"]);
    assert_eq!(full["log"][1]["name"], "吴敏");
    assert!(full["messages"].as_array().is_some_and(|all| !all.is_empty()), "the ranger was texted");
    assert_eq!(full["messages"][0]["to"], "周建国 139****0001");

    let closed = officer.post(&path("close"), json!({"words": "属实"})).await.ok();
    assert_eq!((&closed["state"], &closed["closure"]["category"]), (&json!("closed"), &json!(3)));
    assert_eq!(officer.get("/api/v1/board").await.ok()["incidents"], json!([]));
    assert_eq!(ranger.get("/api/v1/ranger").await.ok()["incidents"][0]["state"], "closed", "for a day");
    world.minutes_pass(24 * 60 + 1);
    assert_eq!(ranger.get("/api/v1/ranger").await.ok()["incidents"], json!([]));
}

#[tokio::test]
async fn a_late_tap_is_kept_with_both_times_and_reopens_nothing() {
    let world = World::new().await;
    let (officer, ranger) = (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    world.minutes_pass(11);
    let tap = json!({"happened_at": "2026-11-21T06:02:00Z"});
    let late = ranger.post(&path("acknowledge"), tap).await.ok();
    assert_eq!(late["dispatch"]["acknowledged"]["late"], true, "the server's clock decides");
    assert_eq!(late["dispatch"]["acknowledged"]["happened_at"], "2026-11-21T06:02:00Z", "the phone's stands beside it");
    assert_eq!(late["dispatch"]["missed"], json!(["acknowledged"]));

    officer.post(&path("false-alarm"), json!({"reason": "cooking_smoke"})).await.ok();
    let after = ranger.post(&path("arrive"), json!({"happened_at": "2026-11-21T06:09:00Z"})).await.ok();
    assert_eq!(after["state"], "closed");
    assert_eq!(after["closure"]["false_alarm"], "cooking_smoke");
    let note = officer.post(&path("note"), json!({"words": "补记"})).await;
    assert_eq!(note.refused(), (409, "closed".to_owned()), "done for good: nothing to send again");
}

#[tokio::test]
async fn an_officer_acts_on_a_rangers_word_and_says_so() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    assert_eq!(officer.post(&path("acknowledge"), json!({})).await.refused(), (400, "invalid".to_owned()));
    let done = officer.post(&path("acknowledge"), json!({"reason": "电话确认"})).await.ok();
    assert_eq!(done["dispatch"]["acknowledged"]["means"], json!({"means": "proxy", "reason": "电话确认"}));
}

#[tokio::test]
async fn the_same_report_sent_twice_is_one_incident() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let key = Uuid::now_v7();
    let first = officer.post_as(key, "/api/v1/incidents", call()).await.ok();
    let second = officer.post_as(key, "/api/v1/incidents", call()).await.ok();
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["sightings"].as_array().map(Vec::len), Some(1));
}

// ---- who may see and do what ---------------------------------------------------------------------------------------

#[tokio::test]
async fn a_ranger_sees_their_own_incidents_only_and_no_other_persons_phone() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let (one, two) = (world.browser("r1", Access::Ranger).await, world.browser("r2", Access::Ranger).await);
    let jpeg = leaves(640, 360).to_jpeg(80).expect("JPEG");
    let id = seen_by_camera(&world, jpeg).await;
    let called = officer.post("/api/v1/incidents", call()).await.ok();
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let incident = format!("/api/v1/incidents/{id}");
    let picture = one.get(&incident).await.ok()["sightings"][0]["pictures"][0].as_str().expect("an id").to_owned();
    let picture = format!("/api/v1/pictures/{picture}");

    assert_eq!(one.get(&picture).await.status, StatusCode::OK);
    for path in [&incident, &picture, &format!("{picture}?crop=1")] {
        assert_eq!(two.get(path).await.refused(), (404, "not_found".to_owned()), "{path}");
    }
    let knock = two.post(&format!("{incident}/acknowledge"), json!({})).await;
    assert_eq!(knock.refused(), (404, "not_found".to_owned()), "nobody learns which incidents exist");
    for path in ["/api/v1/board", "/api/v1/incidents", "/api/v1/ops/cameras", "/api/v1/cameras/c1/frame"] {
        assert_eq!(two.get(path).await.refused(), (403, "forbidden".to_owned()), "{path}");
    }

    let mine = one.get(&incident).await.ok();
    assert_eq!(mine["dispatch"]["ranger"]["phone"], "13900000001", "one's own");
    assert!(mine.get("log").is_none() && mine.get("messages").is_none());
    // Dispatched to somebody else: the first ranger still sees it, but not the other's number.
    officer.post(&format!("{incident}/dispatch"), json!({"ranger": "r2"})).await.ok();
    let after = one.get(&incident).await;
    assert_eq!(after.ok()["dispatch"]["ranger"]["phone"], Value::Null);
    for phone in ["13900000002", "13900000008", "13911112222"] {
        assert!(!after.text().contains(phone), "{phone}");
    }
    assert_eq!(one.get("/api/v1/ranger").await.ok()["incidents"], json!([]), "no longer theirs to do");
    assert_eq!(two.get("/api/v1/ranger").await.ok()["incidents"].as_array().map(Vec::len), Some(1));

    // A caller's number stays in the office.
    let called = called["id"].as_str().expect("an id");
    officer.post(&format!("/api/v1/incidents/{called}/dispatch"), json!({"ranger": "r1"})).await.ok();
    assert!(!one.get(&format!("/api/v1/incidents/{called}")).await.text().contains("13911112222"));
    assert!(officer.get(&format!("/api/v1/incidents/{called}")).await.text().contains("13911112222"));
}

#[tokio::test]
async fn only_those_who_may_can_and_only_from_our_own_pages() {
    let world = World::new().await;
    let (officer, ranger) = (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    for (action, body) in [
        ("dispatch", json!({"ranger": "r1"})),
        ("close", json!({"category": 3})),
        ("false-alarm", json!({"reason": "dust"})),
        ("send-back", json!({"reason": "缺照片"})),
    ] {
        assert_eq!(ranger.post(&path(action), body).await.refused(), (403, "forbidden".to_owned()), "{action}");
    }
    let outside = json!({"category": 8, "words": "在邻县", "no_photo_reason": "太远"});
    assert_eq!(ranger.post(&path("report"), outside).await.refused().0, 403, "境外火 is the office's to say");
    let trial = json!({"thresholds": {"version": 1, "smoke": 0.6}, "reason": "试"});
    assert_eq!(officer.post("/api/v1/ops/thresholds", trial).await.refused().0, 403);
    assert_eq!(officer.post("/api/v1/drills", json!({"camera": "c1"})).await.refused().0, 403);

    let keyless = Request::post(path("note")).header(header::CONTENT_TYPE, "application/json").body(Body::from("{}"));
    assert_eq!(officer.send(keyless.expect("a request")).await.refused(), (400, "invalid".to_owned()));
    let foreign = Request::post(path("note"))
        .header("Idempotency-Key", Uuid::now_v7().to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "10.0.0.5:8131")
        .header(header::ORIGIN, "http://evil.example")
        .body(Body::from(r#"{"words":"x"}"#));
    assert_eq!(officer.send(foreign.expect("a request")).await.refused(), (403, "forbidden".to_owned()));
    assert_eq!(world.stranger().post(&path("note"), json!({"words": "x"})).await.refused().0, 401);
}

#[tokio::test]
async fn the_machines_own_administrator_may_start_drills_and_issue_links_and_nothing_else() {
    let mut world = World::new().await;
    let admin = world.stranger();
    let ask = |path: &str, token: &str, key: Uuid, body: Value| {
        Request::post(path)
            .header("Idempotency-Key", key.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request")
    };
    let key = Uuid::now_v7();
    for _ in 0..2 {
        admin.send(ask("/api/v1/drills", ADMIN_TOKEN, key, json!({"camera": "c1"}))).await.ok();
    }
    assert_eq!(world.drills.try_recv().map(|camera| camera.to_string()), Ok("c1".to_owned()));
    assert!(world.drills.try_recv().is_err(), "the repeat started no second drill");
    let wrong = admin.send(ask("/api/v1/drills", "guess", Uuid::now_v7(), json!({"camera": "c1"}))).await;
    assert_eq!(wrong.refused().0, 401);
    let nowhere = admin.send(ask("/api/v1/drills", ADMIN_TOKEN, Uuid::now_v7(), json!({"camera": "c9"}))).await;
    assert_eq!(nowhere.refused().0, 400);

    let new = json!({"person": "r2", "role": "ranger"});
    let link = admin.send(ask("/api/v1/logins", ADMIN_TOKEN, Uuid::now_v7(), new)).await.ok();
    let url = link["url"].as_str().expect("an address");
    let path = url.strip_prefix("http://127.0.0.1:8131").expect("the public address");
    assert_eq!(press(&admin, path).await.headers[header::LOCATION], "/ranger");
    let board = Request::get("/api/v1/board").header(header::AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}"));
    assert_eq!(admin.send(board.body(Body::empty()).expect("a request")).await.refused().0, 401);
}

// ---- refusals and bounds -------------------------------------------------------------------------------------------

#[tokio::test]
async fn problems_have_a_code_and_a_sentence_in_the_readers_language() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = told(&officer).await;
    let path = format!("/api/v1/incidents/{id}/send-back");
    insta::assert_json_snapshot!(officer.post(&path, json!({"reason": "缺照片"})).await.json(), @r#"
    {
      "code": "not_now",
      "detail": "还没有核查反馈",
      "status": 409,
      "title": "情况已变化",
      "type": "about:blank"
    }
    "#);
    let english = Request::get("/api/v1/board").header(header::ACCEPT_LANGUAGE, "en").body(Body::empty());
    insta::assert_json_snapshot!(world.stranger().send(english.expect("a request")).await.json(), @r#"
    {
      "code": "unauthenticated",
      "detail": "You are not logged in, or your login has expired: ask the duty room for a new login link.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    for (answer, expected) in [
        (officer.get("/api/v1/nothing").await, (404, "not_found")),
        (officer.get("/api/v1/incidents/not-a-uuid").await, (400, "invalid")),
        (officer.get(&format!("/api/v1/incidents/{}", Uuid::now_v7())).await, (404, "not_found")),
        (officer.get("/api/v1/incidents?after=x").await, (400, "invalid")),
        (officer.post("/api/v1/board", json!({})).await, (405, "invalid")),
        (officer.post(&path, json!({"reason": "  "})).await, (400, "invalid")),
        (officer.post(&path, json!({})).await, (400, "invalid")),
    ] {
        let (status, code) = answer.refused();
        assert_eq!((status, code.as_str()), expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn every_bound_holds() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    let long = officer.post(&path("note"), json!({"words": "长".repeat(2001)})).await;
    assert_eq!(long.refused(), (400, "invalid".to_owned()));
    let huge = officer.post(&path("note"), json!({"words": "x".repeat(70_000)})).await;
    assert_eq!(huge.refused(), (413, "invalid".to_owned()));
    let heavy = officer.photo(&path("photos"), "image/jpeg", vec![0xff; 400_001]).await;
    assert_eq!(heavy.refused(), (413, "invalid".to_owned()));
    let webp = officer.photo(&path("photos"), "image/webp", b"RIFF....WEBP".to_vec()).await;
    assert_eq!(webp.refused(), (415, "invalid".to_owned()));
    assert!(webp.json()["detail"].as_str().is_some_and(|words| words.contains("JPEG")));
    let html = officer.photo(&path("photos"), "image/jpeg", b"<html>".to_vec()).await;
    assert_eq!(html.refused(), (400, "invalid".to_owned()));

    let full = Browser { cookie: officer.cookie.clone(), ..browser_of(&world, 0, 0) };
    let busy = full.get("/api/v1/me").await;
    assert_eq!(busy.refused(), (503, "unavailable".to_owned()));
    assert!(busy.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(full.get("/healthz").await.text(), "ok", "busy, not dead");
    let no_streams = Browser { cookie: officer.cookie.clone(), ..browser_of(&world, 8, 0) };
    assert_eq!(no_streams.get("/api/v1/stream").await.refused(), (503, "unavailable".to_owned()));
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let mut opened = Vec::new();
    for north in 0..5 {
        let mut call = call();
        call["at"] = json!(at(28.42 + 0.03 * f64::from(north), 110.35));
        opened.push(officer.post("/api/v1/incidents", call).await.ok()["id"].clone());
        world.minutes_pass(1);
    }
    opened.reverse();
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = officer.get(&format!("/api/v1/incidents?state=all&limit=2{next}")).await.ok();
        let items = page["items"].as_array().expect("a list").clone();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|it| it["id"].clone()));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, opened);
    assert_eq!(officer.get("/api/v1/incidents?state=closed").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn the_close_up_is_small_enough_for_a_thin_line() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let jpeg = leaves(1920, 1080).to_jpeg(90).expect("JPEG");
    let id = seen_by_camera(&world, jpeg.clone()).await;
    let incident = officer.get(&format!("/api/v1/incidents/{id}")).await.ok();
    let picture = incident["sightings"][0]["pictures"][0].as_str().expect("an id");
    assert_eq!(officer.get(&format!("/api/v1/pictures/{picture}")).await.body, jpeg);
    let close_up = officer.get(&format!("/api/v1/pictures/{picture}?crop=1")).await;
    assert_eq!(close_up.headers[header::CONTENT_TYPE], "image/jpeg");
    assert!(close_up.body.len() <= 15_000 && close_up.body.len() > 1000, "{} bytes", close_up.body.len());
}

// ---- operations ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn thresholds_are_tried_on_the_past_and_published_once() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    let now = world.state.clock.now();
    let frames: Vec<Analysis> = (0..30).map(|n| smoke(now - SignedDuration::from_secs(10 * (30 - n)), 0.8)).collect();
    world.state.store.record_analyses(&frames).await.expect("kept");

    let scores = ops.get("/api/v1/ops/scores?camera=c1&hours=1").await.ok();
    assert_eq!(scores["items"].as_array().map(Vec::len), Some(30));
    assert_eq!(scores["model"]["version"], "0.1.0");

    let mut thresholds = ops.get("/api/v1/ops/thresholds").await.ok()["current"].clone();
    thresholds["smoke"] = json!(0.9);
    let trial = ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    assert_eq!((&trial["now"]["alarms"], &trial["then"]["alarms"]), (&json!(1), &json!(0)));
    assert_eq!(trial["now"]["unverified"], 1, "nobody has looked");
    assert_eq!((trial["lost"][0]["camera"].as_str(), &trial["gained"]), (Some("c1"), &json!([])));
    assert_eq!((&trial["frames"], &trial["rises"]), (&json!(30), &json!([])));
    thresholds["smoke"] = json!(0.4);
    let trial = ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    let steps = trial["rises"][0]["steps"].as_array().expect("how the evidence rose").clone();
    let evidence = |step: &Value| step["evidence"].as_f64().expect("log-odds");
    assert!(steps.len() > 2 && steps.windows(2).all(|two| evidence(&two[0]) < evidence(&two[1])), "{steps:?}");
    assert!(steps.last().is_some_and(|last| evidence(last) >= 3.4), "{steps:?}");
    thresholds["smoke"] = json!(0.9);
    assert_eq!(ops.get("/api/v1/ops/thresholds").await.ok()["current"]["version"], 1, "a trial changes nothing");

    let publication = json!({"thresholds": thresholds, "reason": "晨雾多"});
    for _ in 0..2 {
        let published = ops.post("/api/v1/ops/thresholds", publication.clone()).await.ok();
        assert_eq!(published["current"]["version"], 2);
        assert_eq!(published["history"].as_array().map(Vec::len), Some(1), "sent twice, published once");
    }
    assert_eq!(world.state.thresholds.get().smoke, 0.9, "the confirmers see it");
    thresholds["smoke"] = json!(0.7);
    let stale = json!({"thresholds": thresholds, "reason": "另一个人"});
    assert_eq!(ops.post("/api/v1/ops/thresholds", stale).await.refused(), (409, "conflict".to_owned()));
    (thresholds["version"], thresholds["evidence"]) = (json!(2), json!(99));
    let nonsense = json!({"thresholds": thresholds, "reason": "x"});
    for path in ["/api/v1/ops/thresholds", "/api/v1/ops/what-if"] {
        let mut nonsense = nonsense.clone();
        nonsense["hours"] = json!(1);
        let refused = ops.post(path, nonsense).await;
        assert_eq!(refused.refused(), (400, "invalid".to_owned()));
        assert!(refused.text().contains("evidence = 99.0 超出范围：应在 0.1 到 60.0 之间"), "{}", refused.text());
    }
}

#[tokio::test]
async fn only_so_many_rises_are_told() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    let now = world.state.clock.now();
    let everywhere = (0..30).map(|n| [0.16 * (n % 6) as f32, 0.16 * (n / 6) as f32, 0.03, 0.03]);
    let smoky: Vec<Detection> =
        everywhere.map(|bbox| Detection { bbox: bbox.into(), ..smoke(now, 0.9).detections[0] }).collect();
    let at = |n: i64| now - SignedDuration::from_secs(10 * (10 - n));
    let frames: Vec<Analysis> = (0..10).map(|n| Analysis { detections: smoky.clone(), ..smoke(at(n), 0.9) }).collect();
    world.state.store.record_analyses(&frames).await.expect("kept");
    let thresholds = ops.get("/api/v1/ops/thresholds").await.ok()["current"].clone();
    let trial = ops.post("/api/v1/ops/what-if", json!({"thresholds": thresholds, "hours": 1})).await.ok();
    assert_eq!((&trial["then"]["alarms"], trial["rises"].as_array().map(Vec::len)), (&json!(30), Some(24)));
}

// ---- machines ------------------------------------------------------------------------------------------------------

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
    for path in
        ["/api/v1/board", "/api/v1/incidents/{id}/acknowledge", "/api/v1/incidents/{id}/photos", "/api/v1/stream"]
    {
        assert!(paths.contains_key(path), "{path} in {:?}", paths.keys());
    }
    assert!(openapi["components"]["schemas"]["IncidentView"]["properties"]["code"].is_object());
    world.state.store.close().await;
    world.clock.advance(SignedDuration::from_secs(3));
    let broken = stranger.get("/readyz").await;
    assert_eq!((broken.status, &broken.json()["parts"]["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    assert_eq!(stranger.get("/healthz").await.status, StatusCode::OK, "alive, though not ready");
}

// ---- helpers -------------------------------------------------------------------------------------------------------

async fn link(world: &World, person: &str, access: Access) -> String {
    let life = SignedDuration::from_mins(15);
    web::issue_login(&world.state.store, &person.into(), access, life, &world.clock).await.expect("a link")
}

async fn press(browser: &Browser, path: &str) -> crate::http_support::Answer {
    let form = Request::post(path).header(header::ORIGIN, "http://127.0.0.1:8131").body(Body::empty());
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
    let picture: PictureId = incident["sightings"][0]["pictures"][0].as_str().expect("an id").parse().expect("an id");
    let path = format!("/api/v1/pictures/{picture}");
    world.state.store.remove_picture(picture).await.expect("lost");
    assert_eq!(
        officer.get(&path).await.refused(),
        (404, "not_found".to_owned()),
        "an open incident's evidence is lost"
    );
    officer.post(&format!("/api/v1/incidents/{id}/close"), json!({"category": 9, "words": ""})).await.ok();
    world.minutes_pass(8 * 24 * 60);
    let later = world.browser("o1", Access::Officer).await;
    assert_eq!(later.get(&path).await.refused(), (410, "gone".to_owned()), "of a false alarm, a week later");
}

/// Smoke north-east of the tower, with its picture.
async fn seen_by_camera(world: &World, jpeg: Vec<u8>) -> String {
    let picture = PictureId::of(Uuid::now_v7(), &jpeg);
    world.state.store.keep_picture(picture, jpeg).await.expect("kept");
    let sighting = Sighting {
        id: SightingId(Uuid::now_v7()),
        source: Source::Camera {
            camera: "c1".into(),
            pose: "default".into(),
            class: Class::Smoke,
            bbox: [0.4, 0.5, 0.1, 0.1].into(),
            model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
            thresholds_version: 1,
            opinion: None,
        },
        observed_at: world.state.clock.now(),
        locus: Locus::Sector(Ray {
            apex: at(28.5, 110.32),
            azimuth_deg: 67.0,
            half_width_deg: 4.0,
            near_m: 200.0,
            far_m: 8000.0,
            range: huoyan::triage::geo::RangeBasis::Unknown,
            profile: None,
        }),
        confidence: 0.8,
        pictures: vec![picture],
        drill: false,
        labels: vec![],
    };
    world.state.desk.sighting(sighting).await.expect("filed").to_string()
}

fn smoke(captured_at: jiff::Timestamp, confidence: f32) -> Analysis {
    Analysis {
        camera: "c1".into(),
        pose: "default".into(),
        captured_at,
        scores: Scores { smoke: confidence, fire: 0.0 },
        detections: vec![Detection { class: Class::Smoke, confidence, bbox: [0.4, 0.5, 0.1, 0.1].into(), tile: None }],
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
        stream: Stream::Screened,
        tiles: Vec::new(),
        has_past: true,
    }
}
