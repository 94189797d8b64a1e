//! The limits of one person, reached: nobody else notices.

use super::{call, told};
use crate::http_support::{Browser, World, leaves};
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use huoyan::clock::Clock;
use huoyan::store::Access;
use huoyan::triage::event::Actor;
use huoyan::triage::id::{ActionId, PictureId};
use huoyan::triage::incident::{By, Input};
use serde_json::json;
use std::convert::Infallible;
use std::io::Cursor;
use std::time::{Duration, Instant};
use tower::ServiceExt;
use uuid::Uuid;

fn too_many() -> (u16, String) {
    (429, "too_many".to_owned())
}

/// Waiting does not help: a phone shows the message and does not retry.
fn no_more() -> (u16, String) {
    (422, "invalid".to_owned())
}

fn as_sent_by(
    browser: &Browser,
    request: axum::http::request::Builder,
) -> axum::http::request::Builder {
    request.header(header::COOKIE, browser.cookie.as_deref().expect("logged in"))
}

async fn stream(browser: &Browser) -> axum::response::Response {
    let request =
        as_sent_by(browser, Request::get("/api/v1/stream")).body(Body::empty()).expect("a request");
    browser.router.clone().oneshot(request).await.expect("infallible")
}

#[tokio::test]
async fn eight_streams_are_one_persons_share_and_a_closed_one_is_free_again() {
    let world = World::new().await;
    let (ranger, officer) =
        (world.browser("r1", Access::Ranger).await, world.browser("o1", Access::Officer).await);
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(stream(&ranger).await);
    }
    assert!(open.iter().all(|answer| answer.status() == StatusCode::OK));
    let refused = ranger.get("/api/v1/stream").await;
    assert_eq!(refused.refused(), too_many());
    assert!(
        refused.json()["detail"].as_str().is_some_and(|words| words.contains("请关闭")),
        "{}",
        refused.text()
    );
    assert_eq!(stream(&officer).await.status(), StatusCode::OK, "somebody else");
    open.pop();
    let begun = Instant::now();
    while stream(&ranger).await.status() != StatusCode::OK {
        assert!(begun.elapsed() < Duration::from_secs(5), "the closed one is not given back");
        Clock::System.sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn three_photos_at_once_are_one_persons_share_and_are_refused_before_they_are_read() {
    let world = World::new().await;
    let (ranger, other) =
        (world.browser("r1", Access::Ranger).await, world.browser("r2", Access::Ranger).await);
    let path = format!("/api/v1/incidents/{}/photos", Uuid::now_v7());
    let never_ends = |browser: &Browser| {
        let request = as_sent_by(browser, Request::post(&path))
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .header(header::CONTENT_TYPE, "image/jpeg")
            .body(Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>()));
        browser.router.clone().oneshot(request.expect("a request"))
    };
    let under_way: Vec<_> = (0..3).map(|_| tokio::spawn(never_ends(&ranger))).collect();
    Clock::System.sleep(Duration::from_millis(300)).await;
    assert!(under_way.iter().all(|photo| !photo.is_finished()));
    let fourth = never_ends(&ranger).await.expect("infallible");
    assert_eq!(fourth.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        other.photo(&path, "image/jpeg", vec![0xff]).await.refused().0,
        404,
        "somebody else"
    );
    under_way.iter().for_each(tokio::task::JoinHandle::abort);
    for photo in under_way {
        drop(photo.await);
    }
    assert_eq!(ranger.photo(&path, "image/jpeg", vec![0xff]).await.refused().0, 404, "given back");
}

#[tokio::test]
async fn a_phone_may_catch_up_but_not_hammer() {
    let world = World::new().await;
    let (ranger, other) =
        (world.browser("r1", Access::Ranger).await, world.browser("r2", Access::Ranger).await);
    let path = format!("/api/v1/incidents/{}/acknowledge", Uuid::now_v7());
    let mut taken = 0;
    loop {
        match ranger.post(&path, json!({})).await.status.as_u16() {
            404 => taken += 1,
            status => break assert_eq!(status, 429),
        }
        assert!(taken < 200, "never refused");
    }
    assert!(
        (60..200).contains(&taken),
        "{taken}: an outbox of four steps and twenty photos passes at once"
    );
    assert_eq!(ranger.get("/api/v1/ranger").await.status, StatusCode::OK, "reading goes on");
    assert_eq!(other.post(&path, json!({})).await.refused().0, 404, "somebody else");
}

#[tokio::test]
async fn a_hundred_notes_of_one_person_are_enough_for_one_incident() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = told(&officer).await;
    let path = format!("/api/v1/incidents/{id}/note");
    let first = Uuid::now_v7();
    officer.post_as(first, &path, json!({"words": "第一条"})).await.ok();
    for number in 1..100 {
        let by = By {
            actor: Actor::Officer { person: "o1".into() },
            action: Some(ActionId(Uuid::now_v7())),
            happened_at: None,
        };
        let words = format!("第{number}条");
        world
            .state
            .desk
            .act(id.parse().expect("an id"), Input::Note { words }, &by)
            .await
            .expect("noted");
    }
    let refused = officer.post(&path, json!({"words": "再一条"})).await;
    assert_eq!(refused.refused(), no_more());
    officer.post_as(first, &path, json!({"words": "第一条"})).await.ok();
    world.browser("l1", Access::Officer).await.post(&path, json!({"words": "收到"})).await.ok();
}

#[tokio::test]
async fn sixty_photos_and_a_thousand_steps_of_one_person_are_enough_for_one_incident() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = told(&officer).await;
    let act = async |input: Input| {
        let by = By {
            actor: Actor::Officer { person: "o1".into() },
            action: Some(ActionId(Uuid::now_v7())),
            happened_at: None,
        };
        world.state.desk.act(id.parse().expect("an id"), input, &by).await.expect("taken");
    };
    for _ in 0..60 {
        act(Input::AddPhoto { picture: PictureId::of(Uuid::now_v7(), b"") }).await;
    }
    let photo = leaves(64, 48).to_jpeg(70).expect("a photo");
    let path = format!("/api/v1/incidents/{id}/photos");
    assert_eq!(officer.photo(&path, "image/jpeg", photo.clone()).await.refused(), no_more());
    let intend = format!("/api/v1/incidents/{id}/intent");
    officer.post(&intend, json!({"intent": "dispatch"})).await.ok();
    for number in 0..940 {
        act(Input::Note { words: format!("第{number}条") }).await;
    }
    assert_eq!(officer.post(&intend, json!({"intent": "dispatch"})).await.refused(), no_more());
    let merge = format!("/api/v1/incidents/{id}/merge");
    assert_eq!(
        officer.post(&merge, json!({"other": id})).await.refused(),
        no_more(),
        "by every door"
    );
    let other = world.browser("l1", Access::Officer).await;
    other.photo(&path, "image/jpeg", photo).await.ok();
    other.post(&intend, json!({"intent": "dispatch"})).await.ok();
}

#[tokio::test]
async fn a_photo_of_more_than_twenty_megapixels_is_refused_by_its_head() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = officer.post("/api/v1/incidents", call()).await.ok()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/v1/incidents/{id}/photos");
    let mut png = Vec::new();
    image::GrayImage::new(8000, 2501)
        .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
        .expect("a PNG");
    assert!(png.len() < 400_000, "{} bytes", png.len());
    let begun = Instant::now();
    let refused = officer.photo(&path, "image/png", png).await;
    assert_eq!(refused.refused(), (422, "invalid".to_owned()));
    assert!(
        refused.json()["detail"].as_str().is_some_and(|words| words.contains("2000万像素")),
        "{}",
        refused.text()
    );
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}: nothing was decoded",
        begun.elapsed()
    );
    officer.photo(&path, "image/jpeg", leaves(640, 480).to_jpeg(60).expect("JPEG")).await.ok();
}
