//! One fire from the first look to the closed file.

use super::*;

#[tokio::test]
async fn a_fire_from_the_first_look_to_the_closed_file() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
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
    assert_eq!(
        reused.refused(),
        (409, "key_reused".to_owned()),
        "another action under that key is no repeat"
    );

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
    let types: Vec<&str> = full["log"]
        .as_array()
        .expect("a log")
        .iter()
        .filter_map(|it| it["event"]["type"].as_str())
        .collect();
    assert_eq!(
        types,
        ["opened", "dispatched", "acknowledged", "arrived", "reported", "photo_added"]
    );
    assert_eq!(full["log"][1]["name"], "吴敏");
    assert!(
        full["messages"].as_array().is_some_and(|all| !all.is_empty()),
        "the ranger was texted"
    );
    assert_eq!(full["messages"][0]["to"], "周建国 139****0001");

    let closed = officer.post(&path("close"), json!({"words": "属实"})).await.ok();
    assert_eq!((&closed["state"], &closed["closure"]["category"]), (&json!("closed"), &json!(3)));
    assert_eq!(officer.get("/api/v1/board").await.ok()["incidents"], json!([]));
    assert_eq!(
        ranger.get("/api/v1/ranger").await.ok()["incidents"][0]["state"],
        "closed",
        "for a day"
    );
    world.minutes_pass(24 * 60 + 1);
    assert_eq!(ranger.get("/api/v1/ranger").await.ok()["incidents"], json!([]));
}

#[tokio::test]
async fn a_late_tap_is_kept_with_both_times_and_reopens_nothing() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = told(&officer).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    world.minutes_pass(11);
    let tap = json!({"happened_at": "2026-11-21T06:02:00Z"});
    let late = ranger.post(&path("acknowledge"), tap).await.ok();
    assert_eq!(late["dispatch"]["acknowledged"]["late"], true, "the server's clock decides");
    assert_eq!(
        late["dispatch"]["acknowledged"]["happened_at"], "2026-11-21T06:02:00Z",
        "the phone's stands beside it"
    );
    assert_eq!(late["dispatch"]["missed"], json!(["acknowledged"]));

    officer.post(&path("false-alarm"), json!({"reason": "cooking_smoke"})).await.ok();
    let after =
        ranger.post(&path("arrive"), json!({"happened_at": "2026-11-21T06:09:00Z"})).await.ok();
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
    assert_eq!(
        officer.post(&path("acknowledge"), json!({})).await.refused(),
        (400, "invalid".to_owned())
    );
    let done = officer.post(&path("acknowledge"), json!({"reason": "电话确认"})).await.ok();
    assert_eq!(
        done["dispatch"]["acknowledged"]["means"],
        json!({"means": "proxy", "reason": "电话确认"})
    );
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

#[tokio::test]
async fn a_caller_may_say_a_village_or_what_his_map_shows() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let report = |place: Value| {
        let mut told = json!({"who": "王大姐", "phone": "138 7654 3210", "words": "屋后冒烟"});
        let fields = place.as_object().expect("fields").clone();
        told.as_object_mut().expect("an object").extend(fields);
        told
    };
    let truth = at(28.45, 110.35);
    let (lat_deg, lon_deg) = huoyan::triage::datum::Datum::Gcj02.of_wgs84(truth);
    let shown =
        json!({"at": {"lat_deg": lat_deg, "lon_deg": lon_deg}, "datum": "gcj02", "radius_m": 200});
    let incident = officer.post("/api/v1/incidents", report(shown)).await.ok();
    let seen = &incident["sightings"][0];
    let found = at(
        seen["locus"]["centre"]["lat_deg"].as_f64().expect("a number"),
        seen["locus"]["centre"]["lon_deg"].as_f64().expect("a number"),
    );
    assert!(found.distance_m(truth) < 0.1, "{seen}");
    assert_eq!(seen["source"]["who"], "王大姐 13876543210");
    let id = incident["id"].as_str().expect("an id");
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let ranger = world.browser("r1", Access::Ranger).await;
    let his = ranger.get(&format!("/api/v1/incidents/{id}")).await.text();
    assert!(his.contains("王大姐") && !his.contains("76543210"), "the number is the office's");

    let village =
        officer.post("/api/v1/incidents", report(json!({"village": "官庄镇大坪村"}))).await.ok();
    let locus =
        village["sightings"].as_array().expect("sightings").last().expect("one")["locus"].clone();
    assert_eq!(locus["shape"], "disc");
    assert!(
        (locus["centre"]["lat_deg"].as_f64().expect("a number") - 28.5).abs() < 1e-6,
        "{locus}"
    );
    assert!(locus["radius_m"].as_f64().is_some_and(|it| it > 10_000.0), "as wide as its grids");
    for (wrong, status) in [
        (json!({"village": "没有村"}), 422),
        (json!({}), 400),
        (json!({"at": {"lat_deg": 28.45, "lon_deg": 110.35}}), 400),
        (json!({"village": "大坪村", "phone": "看不清"}), 400),
    ] {
        let answer = officer.post("/api/v1/incidents", report(wrong.clone())).await;
        assert_eq!(answer.refused().0, status, "{wrong}");
    }
}
