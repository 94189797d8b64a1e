//! What the ops page says about the eye: its licence, how many cameras the machine holds, and how
//! each camera was proved.

use super::seen_by_camera;
use crate::http_support::{Browser, World, leaves};
use axum::body::Body;
use axum::http::{Request, header};
use huoyan::frame::{Capacity, Eye, Licence};
use huoyan::store::Access;
use huoyan::triage::detection::ModelVersion;
use huoyan::triage::proof::{Scale, Tested};
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn cameras(ops: &Browser, lang: &str) -> Value {
    let request = Request::get("/api/v1/ops/cameras")
        .header(header::ACCEPT_LANGUAGE, lang)
        .body(Body::empty());
    ops.send(request.expect("a request")).await.ok()
}

/// Whoever chooses a model must see its terms of use, in the language of the page. A machine that
/// is too small says so before looks come late.
#[tokio::test]
async fn the_ops_page_says_the_licence_and_what_the_machine_holds() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    assert_eq!(cameras(&ops, "zh").await["eye"], Value::Null, "no model is loaded");

    let model = ModelVersion { name: "smoke-fire".to_owned(), version: "0.2.0".to_owned() };
    let [name, note_zh, note_en] = ["non-commercial", "仅供试用", "for trials"].map(str::to_owned);
    let licence = Licence { name, note_zh, note_en };
    let capacity = |look_ms| Some(Capacity::of(look_ms, 1, 2, 2, SignedDuration::from_secs(10)));
    world.state.status.set_eye(Some(Eye {
        model: model.clone(),
        licence: Some(licence),
        capacity: capacity(92.0),
    }));
    for (lang, note) in [("zh-CN", "仅供试用"), ("en-GB", "for trials")] {
        let eye = &cameras(&ops, lang).await["eye"];
        assert_eq!(eye["licence"], json!({ "name": "non-commercial", "note": note }));
        assert_eq!((&eye["capacity"]["holds"], &eye["registered"]), (&json!(142), &json!(1)));
        assert_eq!(eye["capacity"]["holds_with_tiles"], json!(78));
        assert_eq!(eye["stretched_s"], Value::Null, "one camera is few");
    }
    assert_eq!(
        cameras(&ops, "en").await["eye"]["screening"],
        Value::Null,
        "no screening network has looked"
    );
    world
        .state
        .status
        .screened(|it| (it.views, it.passed, it.audits, it.misses_sampled) = (100, 8, 2, 1));
    let said = json!({ "views": 100, "passed": 8, "audits": 2, "misses_sampled": 1 });
    assert_eq!(cameras(&ops, "en").await["eye"]["screening"], said, "what it misses is said");
    world.state.status.set_eye(Some(Eye { model, licence: None, capacity: capacity(60_000.0) }));
    let eye = &cameras(&ops, "en").await["eye"];
    assert_eq!(
        (&eye["licence"], &eye["stretched_s"]),
        (&Value::Null, &json!(10.0)),
        "none stated; it holds none"
    );
}

/// A camera that was put up yesterday has had no false alarm either. It is unproven, and the page
/// says what is missing.
#[tokio::test]
async fn a_camera_is_unproven_until_it_has_watched_a_week_and_found_smoke_by_day_and_by_night() {
    let world = World::new().await;
    let (ops, officer) =
        (world.browser("o1", Access::Ops).await, world.browser("o1", Access::Officer).await);
    let (store, now) = (&world.state.store, world.clock.now());
    let proof = async || ops.get("/api/v1/ops/proof").await.ok()["items"][0].clone();
    let fresh = proof().await;
    assert_eq!(fresh["missing"], json!(["hours", "test_by_day", "test_by_night"]));

    for day in 1..=7 {
        let hours = SignedDuration::from_hours(24 * day);
        store.add_watched(&[("c1".into(), 86_400)], now - hours).await.expect("it is written");
    }
    // The world's clock stands at 14:00 county time.
    let test = |hours_ago, smallest| Tested {
        camera: "c1".into(),
        at: now - SignedDuration::from_hours(hours_ago),
        scale: Scale::Whole,
        smallest,
    };
    store
        .add_self_tests(&[test(2, Some(0.02)), test(26, Some(0.04)), test(12, None)])
        .await
        .expect("written");
    let proved = proof().await;
    assert_eq!(
        (&proved["missing"], &proved["hours"]),
        (&json!(["test_by_night"]), &json!(168.0)),
        "it failed at night"
    );
    let by_day = &proved["self_tests"][0];
    assert_eq!(
        (&by_day["light"], &by_day["tests"], &by_day["passed"]),
        (&json!("day"), &json!(2), &json!(2))
    );
    store.add_self_tests(&[test(36, Some(0.08))]).await.expect("written");
    assert_eq!(proof().await["missing"], json!([]));

    let incident = seen_by_camera(&world, leaves(64, 36).to_jpeg(80).expect("a picture")).await;
    assert_eq!(
        proof().await["verdicts"],
        json!({ "real": 0, "false_alarms": 0, "other": 0, "open": 1 })
    );
    let path = format!("/api/v1/incidents/{incident}/false-alarm");
    officer.post(&path, json!({ "reason": "fog_or_cloud" })).await.ok();
    let after = proof().await;
    assert_eq!(after["verdicts"]["false_alarms"], 1);
    assert_eq!(
        (&after["hours"], &after["hours_clean"]),
        (&json!(168.0), &json!(0.0)),
        "clean time begins anew"
    );
}

/// Steam rises at the same rock again. The card says so and nothing is delayed by it. The ops page
/// says what would have changed.
#[tokio::test]
async fn what_looks_like_a_verified_false_alarm_is_labelled_and_counted_before_anybody_lets_it_wait()
 {
    let world = World::new().await;
    let (ops, officer) =
        (world.browser("o1", Access::Ops).await, world.browser("o1", Access::Officer).await);
    let seen =
        async || seen_by_camera(&world, leaves(64, 36).to_jpeg(80).expect("a picture")).await;
    let steam = seen().await;
    assert_eq!(ops.get("/api/v1/ops/look-alikes").await.ok()["incidents"], 0);
    officer
        .post(
            &format!("/api/v1/incidents/{steam}/false-alarm"),
            json!({ "reason": "fog_or_cloud" }),
        )
        .await
        .ok();
    let code = officer.get(&format!("/api/v1/incidents/{steam}")).await.ok()["code"].clone();

    // After this time it is no mere reminder any more.
    world.minutes_pass(3 * 60);
    let again = seen().await;
    assert_ne!(again, steam);
    let card = officer.get(&format!("/api/v1/incidents/{again}")).await.ok();
    let labels = card["sightings"][0]["labels"].as_array().expect("labels").clone();
    let label = labels
        .iter()
        .find(|it| it["label"] == "look_alike")
        .unwrap_or_else(|| panic!("{labels:?}"));
    assert_eq!((&label["code"], &label["cause"]), (&code, &json!("fog_or_cloud")));
    assert_eq!(card["state"], "needs_review", "it is on the board, and rings as before");
    assert!(card["review_by"].is_string(), "{card}");

    let found = ops.get("/api/v1/ops/look-alikes").await.ok();
    assert_eq!(
        (&found["incidents"], &found["would_wait"], &found["now"]),
        (&json!(1), &json!(1), &json!("send"))
    );
    assert_eq!(
        (&found["items"][0]["like"], &found["items"][0]["would_wait"]),
        (&code, &json!(true))
    );
    assert_eq!(found["fires_would_wait"], 0);
}
