//! Other systems' alarms: each a fire on the board, once, with its original; nothing that looks like
//! a fire is lost because something about it is uncertain.

use super::*;
use crate::http_support::Answer;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use huoyan::config::Config;

const ALARMS: &str = "/api/v1/inbound/alarms";

pub(super) async fn send(world: &World, key: &str, media: &str, body: Vec<u8>) -> Answer {
    send_to(world, key, ALARMS, media, body).await
}

async fn send_to(world: &World, key: &str, path: &str, media: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, media)
        .body(Body::from(body));
    world.stranger().send(request.expect("a request")).await
}

async fn alarm(world: &World, key: &str, alarm: &Value) -> Answer {
    send(world, key, "application/json", alarm.to_string().into_bytes()).await
}

/// A thermal camera's fire in grid 1.
fn fire(id: &str) -> Value {
    json!({
        "id": id, "device": "43122200001320000001", "at": "2026-11-21T05:59:40Z",
        "position": {"lat_deg": 28.5, "lon_deg": 110.35, "radius_m": 200},
        "confidence": 0.9, "class": "热成像火点",
    })
}

pub(super) fn jpeg() -> Vec<u8> {
    leaves(96, 64).to_jpeg(80).expect("a JPEG")
}

async fn health(officer: &Browser, part: &str) -> Option<Value> {
    let board = officer.get("/api/v1/board").await.ok();
    board["health"].as_array().expect("parts").iter().find(|it| it["part"] == part).cloned()
}

#[tokio::test]
async fn an_alarm_of_another_system_is_one_fire_on_the_board_however_often_it_is_sent() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("热成像").await);
    let mut sent = fire("A-1");
    sent["pictures"] = json!([BASE64_STANDARD.encode(jpeg())]);
    let taken = alarm(&world, key, &sent).await.ok();
    assert_eq!(taken["code"], "1121-01");
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let incident = officer.get(&path).await.ok();
    assert_eq!(
        (&incident["state"], &incident["place"]["grid"]),
        (&json!("needs_review"), &json!("g1"))
    );
    let seen = &incident["sightings"][0];
    assert_eq!(
        (&seen["source"]["kind"], &seen["source"]["name"], &seen["source"]["alarm"]["class"]),
        (&json!("system"), &json!("热成像"), &json!("热成像火点"))
    );
    assert_eq!(seen["observed_at"], "2026-11-21T05:59:40Z");
    let picture = seen["pictures"][0].as_str().expect("a picture");
    let shown = officer.get(&format!("/api/v1/pictures/{picture}")).await;
    assert_eq!((shown.status, shown.body.to_vec()), (StatusCode::OK, jpeg()));
    let original = format!("/api/v1/sightings/{}/original", seen["id"].as_str().expect("an id"));
    let original = officer.get(&original).await;
    assert!(original.text().contains("\"热成像火点\"") && original.text().contains(picture));

    world.minutes_pass(3);
    assert_eq!(alarm(&world, key, &sent).await.ok(), taken, "the same alarm, the same answer");
    assert_eq!(officer.get(&path).await.ok()["version"], incident["version"], "and no second one");

    let mut other = sent.clone();
    other["position"]["lat_deg"] = json!(28.55);
    let (status, code) = alarm(&world, key, &other).await.refused();
    assert_eq!((status, code.as_str()), (409, "key_reused"));
    let words = health(&officer, "alarms 热成像").await.expect("a part")["words"].clone();
    assert!(
        words.as_str().is_some_and(|it| it.contains("拒收1条") && it.contains("A-1")),
        "{words}"
    );

    let own = world.system("另一套").await;
    assert_ne!(alarm(&world, own, &sent).await.ok()["sighting"], taken["sighting"]);
}

#[tokio::test]
async fn what_is_uncertain_costs_no_alarm_and_is_said() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("平台").await);
    let unknown = json!({
        "id": "7", "device": "10.1.99.8-2", "at": "1970-01-01T00:00:09Z",
        "pictures": ["not base64", BASE64_STANDARD.encode(b"GIF89a"), "", "", ""],
    });
    let taken = alarm(&world, key, &unknown).await.ok();
    let notes: Vec<&str> =
        taken["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    assert!(notes[0].contains("设备时间") && notes[1].contains("不在摄像机登记册"), "{notes:?}");
    assert!(notes[2].contains("第1张") && notes[3].contains("第2张"), "{notes:?}");
    assert!(notes.last().is_some_and(|it| it.contains("前4张")), "{notes:?}");
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let incident = officer.get(&path).await.ok();
    assert_eq!(incident["state"], "needs_review");
    let log = incident["log"].to_string();
    assert!(log.contains("第1张图片没有保存"), "an officer reads it, too: {log}");
    let seen = &incident["sightings"][0];
    assert_eq!(seen["labels"][0], json!({"label": "unknown_device", "device": "10.1.99.8-2"}));
    assert_eq!((&seen["locus"]["shape"], &seen["pictures"]), (&json!("unaimed"), &json!([])));
    assert_eq!(seen["observed_at"], "2026-11-21T06:00:00Z", "the time of arrival");

    let known = json!({"id": "8", "device": "c1", "bbox": [0.45, 0.4, 0.1, 0.1]});
    let taken = alarm(&world, key, &known).await.ok();
    assert_eq!(taken["camera"], "c1");
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let locus = officer.get(&path).await.ok()["sightings"][0]["locus"].clone();
    assert_eq!(locus["shape"], "sector");
    assert!((locus["azimuth_deg"].as_f64().expect("a direction") - 70.0).abs() < 0.1, "{locus}");

    for (wrong, status) in [
        (json!({"id": "9"}), 400),
        (json!({"id": "9", "device": "c1", "lat": 28.5}), 400),
        (json!({"id": "9", "device": "c1", "confidence": 87}), 422),
        (json!({"id": "9", "device": "c1", "pictures": vec!["o"; 17]}), 422),
        (json!({"id": "9", "device": "c1", "position": {"lat_deg": 39.9, "lon_deg": 116.4}}), 422),
        (json!({"id": "9", "device": "c1", "at": "2026-11-19T05:59:40Z"}), 422),
    ] {
        let (refused, code) = alarm(&world, key, &wrong).await.refused();
        assert_eq!((refused, code.as_str()), (status, "invalid"), "{wrong}");
    }
}

#[tokio::test]
async fn what_calls_itself_a_picture_changes_nothing_of_the_original() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("平台").await);
    let mut odd = fire("101");
    odd["pictures"] = json!(["1", "o", "b", "", "28"]);
    let taken = alarm(&world, key, &odd).await.ok();
    let path = format!("/api/v1/sightings/{}/original", taken["sighting"].as_str().expect("an id"));
    assert_eq!(officer.get(&path).await.text(), odd.to_string());
    let long = json!({"id": "1", "device": "c1", "position": "烟".repeat(600_000)});
    assert_eq!(alarm(&world, key, &long).await.refused().0, 400);
    let words = health(&officer, "alarms 平台").await.expect("a part")["words"].clone();
    assert!(words.as_str().is_some_and(|it| it.len() < 2_000), "{words}");
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_the_board_says_who_still_sends() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("旧平台").await);
    assert_eq!(alarm(&world, "guessed", &fire("1")).await.status, StatusCode::UNAUTHORIZED);
    let now = world.state.clock.now();
    assert!(world.state.store.revoke_alarm_system("旧平台", now).await.expect("revoked"));
    assert_eq!(health(&officer, "alarms 旧平台").await, None, "nobody waits for it");
    assert_eq!(alarm(&world, key, &fire("1")).await.status, StatusCode::UNAUTHORIZED);
    let part = health(&officer, "alarms 旧平台").await.expect("it still sends");
    assert!(part["words"].as_str().is_some_and(|it| it.contains("密钥已吊销")), "{part}");
    let new = world.system("旧平台").await;
    assert_eq!(alarm(&world, new, &fire("1")).await.status, StatusCode::OK, "with a new key");
    let again = world.state.store.add_alarm_system("旧平台", "hash", None, now).await;
    assert!(again.is_err_and(|e| e.message.contains("huoyan system revoke")));
}

#[tokio::test]
async fn a_device_that_went_mad_locks_no_other_out() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("平台").await);
    for n in 0..20 {
        assert_eq!(alarm(&world, key, &fire(&n.to_string())).await.status, StatusCode::OK, "{n}");
    }
    // One more is let in every 3 s: on a busy machine that happens meanwhile.
    let mut next = 20..60;
    let answer = loop {
        let n = next.next().expect("refused at last").to_string();
        let answer = alarm(&world, key, &fire(&n)).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(answer.refused(), (429, "too_many".to_owned()));
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(
        alarm(&world, key, &fire("3")).await.status,
        StatusCode::OK,
        "a repeat costs nothing"
    );
    let mut other = fire("neighbour");
    other["device"] = json!("43122200001320000002");
    assert_eq!(alarm(&world, key, &other).await.status, StatusCode::OK, "its neighbour");
    let part = health(&officer, "alarms 平台").await.expect("a part");
    assert!(part["words"].as_str().is_some_and(|it| it.contains("告警太多")), "{part}");
    let open = officer.get("/api/v1/board").await.ok()["incidents"].clone();
    assert_eq!(open.as_array().map(Vec::len), Some(1), "and all of it is one fire");
}

#[tokio::test]
async fn pictures_may_follow_their_alarm() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("平台").await);
    let to = |id: &str| format!("{ALARMS}/{id}/pictures");
    let early = send_to(&world, key, &to("1"), "image/jpeg", jpeg()).await;
    assert_eq!(early.refused(), (404, "not_found".to_owned()));
    let taken = alarm(&world, key, &fire("1")).await.ok();
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let kept = send_to(&world, key, &to("1"), "image/jpeg", jpeg()).await.ok();
    let version = officer.get(&path).await.ok()["version"].clone();
    assert_eq!(send_to(&world, key, &to("1"), "image/jpeg", jpeg()).await.ok(), kept);
    let incident = officer.get(&path).await.ok();
    assert_eq!(incident["version"], version, "once");
    let last = incident["log"].as_array().expect("lines").last().expect("one")["event"].clone();
    assert_eq!(last, json!({"type": "photo_added", "picture": kept["picture"]}));
    let picture = kept["picture"].as_str().expect("a name");
    assert_eq!(officer.get(&format!("/api/v1/pictures/{picture}")).await.body.to_vec(), jpeg());
    let broken = send_to(&world, key, &to("1"), "image/jpeg", b"<html>".to_vec()).await;
    assert_eq!(broken.refused().0, 400);
}

#[tokio::test]
async fn one_body_may_hold_the_alarm_and_its_pictures() {
    let world = World::new().await;
    let (officer, key) = (world.browser("o1", Access::Officer).await, world.system("平台").await);
    let body = multipart("application/json", fire("1").to_string().as_bytes(), &jpeg());
    let taken = send(&world, key, "multipart/form-data; boundary=boundary", body).await.ok();
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let seen = officer.get(&path).await.ok()["sightings"][0].clone();
    assert_eq!(seen["pictures"].as_array().map(Vec::len), Some(1));
    let alone = multipart("image/jpeg", &jpeg(), &jpeg());
    let answer = send(&world, key, "multipart/form-data; boundary=boundary", alone).await;
    assert_eq!(answer.refused().0, 422, "pictures only");
}

/// As devices write it, with the boundary `boundary`.
pub(super) fn multipart(media: &str, text: &[u8], picture: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--boundary\r\nContent-Disposition: form-data; name=\"alarm\"\r\nContent-Type: \
        {media}\r\n\r\n"
    )
    .into_bytes();
    body.extend(text);
    body.extend(
        b"\r\n--boundary\r\nContent-Disposition: form-data; name=\"visiblePicture\"; \
        filename=\"visiblePicture.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
    );
    body.extend(picture);
    body.extend(b"\r\n--boundary--\r\n");
    body
}

/// The mappings that docs/alarms.md shows.
pub(super) fn documented() -> Config {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alarms.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let blocks = page.split("```toml\n").skip(1).filter_map(|it| it.split("```").next());
    Config::parse(&blocks.collect::<String>()).expect("what the page shows is valid")
}

pub(super) async fn seen(officer: &Browser, taken: &Value) -> Value {
    let path = format!("/api/v1/incidents/{}", taken["incident"].as_str().expect("an id"));
    let all = officer.get(&path).await.ok()["sightings"].clone();
    let id = &taken["sighting"];
    all.as_array().expect("sightings").iter().find(|it| it["id"] == *id).expect("it").clone()
}

/// As a thermal dome posts it to its listening host, with two pictures.
const HIKVISION: &str = "<EventNotificationAlert version=\"2.0\" \
    xmlns=\"http://www.hikvision.com/ver20/XMLSchema\"><ipAddress>10.1.99.8</ipAddress><portNo>80\
    </portNo><protocol>HTTP</protocol><macAddress>a4:4c:62:00:00:01</macAddress><channelID>2\
    </channelID><dateTime>2026-11-21T13:59:40+08:00</dateTime><activePostCount>1</activePostCount>\
    <eventType>fireDetection</eventType><eventState>active</eventState><DetectionRegionList>\
    <DetectionRegionEntry><regionID>1</regionID><FireDetection><FireRegion><x>683</x><y>10</y>\
    <width>31</width><height>36</height></FireRegion><fireMaxTemperature>168</fireMaxTemperature>\
    <targetDistance>-1</targetDistance></FireDetection></DetectionRegionEntry>\
    </DetectionRegionList><channelName>东山</channelName></EventNotificationAlert>";

#[tokio::test]
async fn a_thermal_camera_of_hikvision_is_understood_by_the_documents_mapping() {
    let world = World::with(documented()).await;
    let officer = world.browser("o1", Access::Officer).await;
    let key = world.system("海康热成像").await;
    let media = "multipart/form-data; boundary=boundary";
    let post =
        |text: String| multipart("application/xml; charset=\"UTF-8\"", text.as_bytes(), &jpeg());
    let taken = send(&world, key, media, post(HIKVISION.to_owned())).await.ok();
    let sighting = seen(&officer, &taken).await;
    let source = &sighting["source"];
    assert_eq!(
        (&source["device"], &source["alarm"]["class"]),
        (&json!("43122200001320000001"), &json!("热成像火点"))
    );
    assert_eq!(source["alarm"]["id"], "a4:4c:62:00:00:01-2-2026-11-21T13:59:40+08:00");
    assert_eq!(sighting["observed_at"], "2026-11-21T05:59:40Z");
    assert_eq!(sighting["pictures"].as_array().map(Vec::len), Some(1));
    let path = format!("/api/v1/sightings/{}/original", sighting["id"].as_str().expect("an id"));
    assert_eq!(officer.get(&path).await.text(), HIKVISION, "as it came");

    // The dome posts the same event again while the fire burns, and says when it is over.
    let again = HIKVISION.replace("<activePostCount>1<", "<activePostCount>2<");
    assert_eq!(send(&world, key, media, post(again)).await.ok()["sighting"], taken["sighting"]);
    for quiet in ["<eventState>inactive<", "<eventState>active<"] {
        let over = HIKVISION.replace("<eventState>active<", quiet);
        let over = over.replace("<eventType>fireDetection<", "<eventType>videoloss<");
        let answer = send(&world, key, "application/xml", over.into_bytes()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "a sign of life");
    }
    let without = HIKVISION.replace("macAddress", "mac");
    let answer = send(&world, key, "application/xml", without.into_bytes()).await;
    let words = answer.json()["detail"].clone();
    assert_eq!(answer.refused().0, 422);
    let named = ["海康热成像", "/EventNotificationAlert/macAddress", "id"];
    assert!(named.iter().all(|it| words.as_str().is_some_and(|w| w.contains(it))), "{words}");
    let cut = send(&world, key, "application/xml", HIKVISION.as_bytes()[..300].to_vec()).await;
    assert_eq!(cut.refused().0, 400);
}

#[tokio::test]
async fn dahua_frigate_and_pyronear_are_understood_by_the_documents_mappings() {
    let world = World::with(documented()).await;
    let officer = world.browser("o1", Access::Officer).await;
    let dahua = json!({
        "Device": "IPC-9", "Code": "FireWarning", "Action": "Start", "Index": 0,
        "Data": {"UTC": 1_795_240_780, "FireWarningInfo": [{"Temperature": 171.5}]},
    });
    let key = world.system("大华热成像").await;
    let sighting = seen(&officer, &alarm(&world, key, &dahua).await.ok()).await;
    assert_eq!(
        (&sighting["source"]["device"], &sighting["observed_at"]),
        (&json!("IPC-9-0"), &json!("2026-11-21T05:59:40Z"))
    );
    let mut stopped = dahua.clone();
    stopped["Action"] = json!("Stop");
    assert_eq!(alarm(&world, key, &stopped).await.status, StatusCode::NO_CONTENT);

    let frigate = json!({
        "type": "new", "before": {"id": "1795240780.8-abc", "label": "smoke"},
        "after": {
            "id": "1795240780.8-abc", "camera": "c1", "label": "smoke", "top_score": 0.81,
            "start_time": 1_795_240_780.8, "box": [812, 300, 900, 380], "has_snapshot": true,
        },
    });
    let key = world.system("Frigate").await;
    let sighting = seen(&officer, &alarm(&world, key, &frigate).await.ok()).await;
    assert_eq!(
        (&sighting["source"]["alarm"]["class"], &sighting["locus"]["shape"]),
        (&json!("烟"), &json!("unaimed"))
    );
    assert!((sighting["confidence"].as_f64().expect("a number") - 0.81).abs() < 1e-6);
    for (field, other) in [("type", json!("update")), ("after", json!({"label": "person"}))] {
        let mut other_event = frigate.clone();
        other_event[field] = other;
        assert_eq!(
            alarm(&world, key, &other_event).await.status,
            StatusCode::NO_CONTENT,
            "{field}"
        );
    }

    let pyronear = json!({
        "id": 4711, "camera_id": 12, "azimuth": 43.7, "bucket_key": "12-20261121.jpg",
        "bboxes": "[(.1,.2,.3,.4,.8)]", "created_at": "2026-11-21T05:59:40.226673",
    });
    let key = world.system("Pyronear").await;
    let taken = alarm(&world, key, &pyronear).await.ok();
    let sighting = seen(&officer, &taken).await;
    assert_eq!(
        sighting["labels"][0]["label"], "unknown_device",
        "its camera is not registered here"
    );
    assert_eq!(taken["camera"], json!(null));
}

#[test]
fn a_mapping_that_cannot_work_is_refused_at_the_start_by_its_system_and_field() {
    let with = |rest: &str| {
        Config::parse(&format!("[[alarms.systems]]\nname = \"热成像\"\ndevice = \"/d\"\n{rest}\n"))
    };
    for (rest, field) in [
        ("id = \"fixed\"", "id"),
        ("id = \"/\"", "id"),
        ("id = \"/a~2\"", "id"),
        ("id = \"/id\"\nlat_deg = \"/y\"", "lat_deg"),
        ("id = \"/id\"\nlat_deg = \"y\"\nlon_deg = \"/x\"", "lat_deg"),
        ("id = \"/id\"\nrange_m = \"/r\"", "range_m"),
        ("id = \"/id\"\nradius_m = 0.5", "radius_m"),
        ("id = \"/id\"\nconfidence = 87", "confidence"),
        ("id = \"/id\"\nconfidence = { at = \"/c\", times = 0 }", "confidence"),
        ("id = \"/id\"\nwhen = [{ at = \"/s\", is = [] }]", "/s"),
        ("id = \"/id\"\ntime = { at = \"t\", written = \"local\" }", "time"),
        ("id = \"/id\"\npictures = [\"p\"]", "pictures"),
    ] {
        let error = with(rest).expect_err(rest);
        assert!(
            error.message.contains("热成像") && error.message.contains(field),
            "{}",
            error.message
        );
    }
    for unreadable in ["id = 7", "id = \"/id\"\ntime = \"/t\"", "id = \"/id\"\nspeed = \"/v\""] {
        assert!(with(unreadable).is_err(), "{unreadable}");
    }
    let twice = "[[alarms.systems]]\nname = \"x\"\nid = \"/i\"\ndevice = \"/d\"\n".repeat(2);
    assert!(Config::parse(&twice).expect_err("twice").message.contains("twice"));
}
