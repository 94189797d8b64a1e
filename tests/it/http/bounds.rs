//! Problems have a code and a sentence; every bound holds; lists come in pages.

use super::*;

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
    let english =
        Request::get("/api/v1/board").header(header::ACCEPT_LANGUAGE, "en").body(Body::empty());
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
    assert!(
        close_up.body.len() <= 15_000 && close_up.body.len() > 1000,
        "{} bytes",
        close_up.body.len()
    );
}
