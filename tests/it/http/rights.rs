//! Who may see what, and who may do what.

use super::*;

#[tokio::test]
async fn a_ranger_sees_their_own_incidents_only_and_no_other_persons_phone() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let (one, two) =
        (world.browser("r1", Access::Ranger).await, world.browser("r2", Access::Ranger).await);
    let jpeg = leaves(640, 360).to_jpeg(80).expect("JPEG");
    let id = seen_by_camera(&world, jpeg).await;
    let called = officer.post("/api/v1/incidents", call()).await.ok();
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let incident = format!("/api/v1/incidents/{id}");
    let picture = one.get(&incident).await.ok()["sightings"][0]["pictures"][0]
        .as_str()
        .expect("an id")
        .to_owned();
    let picture = format!("/api/v1/pictures/{picture}");

    assert_eq!(one.get(&picture).await.status, StatusCode::OK);
    for path in [&incident, &picture, &format!("{picture}?crop=1")] {
        assert_eq!(two.get(path).await.refused(), (404, "not_found".to_owned()), "{path}");
    }
    let knock = two.post(&format!("{incident}/acknowledge"), json!({})).await;
    assert_eq!(
        knock.refused(),
        (404, "not_found".to_owned()),
        "nobody learns which incidents exist"
    );
    for path in
        ["/api/v1/board", "/api/v1/incidents", "/api/v1/ops/cameras", "/api/v1/cameras/c1/frame"]
    {
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
    assert_eq!(
        one.get("/api/v1/ranger").await.ok()["incidents"],
        json!([]),
        "no longer theirs to do"
    );
    assert_eq!(two.get("/api/v1/ranger").await.ok()["incidents"].as_array().map(Vec::len), Some(1));

    // A caller's number stays in the office.
    let called = called["id"].as_str().expect("an id");
    officer
        .post(&format!("/api/v1/incidents/{called}/dispatch"), json!({"ranger": "r1"}))
        .await
        .ok();
    assert!(!one.get(&format!("/api/v1/incidents/{called}")).await.text().contains("13911112222"));
    assert!(
        officer.get(&format!("/api/v1/incidents/{called}")).await.text().contains("13911112222")
    );
}

#[tokio::test]
async fn only_those_who_may_can_and_only_from_our_own_pages() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    for (action, body) in [
        ("dispatch", json!({"ranger": "r1"})),
        ("close", json!({"category": 3})),
        ("false-alarm", json!({"reason": "dust"})),
        ("send-back", json!({"reason": "缺照片"})),
    ] {
        assert_eq!(
            ranger.post(&path(action), body).await.refused(),
            (403, "forbidden".to_owned()),
            "{action}"
        );
    }
    let outside = json!({"category": 8, "words": "在邻县", "no_photo_reason": "太远"});
    assert_eq!(
        ranger.post(&path("report"), outside).await.refused().0,
        403,
        "境外火 is the office's to say"
    );
    let trial = json!({"thresholds": {"version": 1, "smoke": 0.6}, "reason": "试"});
    assert_eq!(officer.post("/api/v1/ops/thresholds", trial).await.refused().0, 403);
    assert_eq!(officer.post("/api/v1/drills", json!({"camera": "c1"})).await.refused().0, 403);

    let keyless = Request::post(path("note"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"));
    assert_eq!(
        officer.send(keyless.expect("a request")).await.refused(),
        (400, "invalid".to_owned())
    );
    let foreign = Request::post(path("note"))
        .header("Idempotency-Key", Uuid::now_v7().to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "10.0.0.5:8131")
        .header(header::ORIGIN, "http://evil.example")
        .body(Body::from(r#"{"words":"x"}"#));
    assert_eq!(
        officer.send(foreign.expect("a request")).await.refused(),
        (403, "forbidden".to_owned())
    );
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
    let wrong =
        admin.send(ask("/api/v1/drills", "guess", Uuid::now_v7(), json!({"camera": "c1"}))).await;
    assert_eq!(wrong.refused().0, 401);
    let nowhere = admin
        .send(ask("/api/v1/drills", ADMIN_TOKEN, Uuid::now_v7(), json!({"camera": "c9"})))
        .await;
    assert_eq!(nowhere.refused().0, 400);

    let new = json!({"person": "r2", "role": "ranger"});
    let link = admin.send(ask("/api/v1/logins", ADMIN_TOKEN, Uuid::now_v7(), new)).await.ok();
    let url = link["url"].as_str().expect("an address");
    let path = url.strip_prefix("http://127.0.0.1:8131").expect("the public address");
    assert_eq!(press(&admin, path).await.headers[header::LOCATION], "/ranger");
    let board = Request::get("/api/v1/board")
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}"));
    assert_eq!(admin.send(board.body(Body::empty()).expect("a request")).await.refused().0, 401);
}
