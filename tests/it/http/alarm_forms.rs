//! Devices that send no JSON: forms, and texts as Chinese firmware writes them. Each is a fire on the
//! board; what nobody can read is refused with what to do.

use super::alarms::{documented, jpeg, multipart, seen, send};
use super::*;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=boundary";

/// One part of a multipart body.
fn part(about: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--boundary\r\nContent-Disposition: form-data; {about}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

async fn original(officer: &Browser, sighting: &Value) -> String {
    let id = sighting["id"].as_str().expect("an id");
    officer.get(&format!("/api/v1/sightings/{id}/original")).await.text()
}

#[tokio::test]
async fn a_device_that_posts_a_form_is_a_fire_on_the_board() {
    let world = World::with(documented()).await;
    let officer = world.browser("o1", Access::Officer).await;
    let key = world.system("表单设备").await;
    let form =
        b"sn=T-9&no=31&time=2026-11-21+13%3A59%3A40&type=%E7%83%9F%E7%81%AB&lng=110.35&lat=28.5";
    let taken = send(&world, key, FORM, form.to_vec()).await.ok();
    let sighting = seen(&officer, &taken).await;
    assert_eq!(
        (&sighting["source"]["device"], &sighting["observed_at"], &sighting["locus"]["shape"]),
        (&json!("T-9"), &json!("2026-11-21T05:59:40Z"), &json!("disc"))
    );
    assert_eq!(sighting["source"]["alarm"]["class"], "烟火");
    assert!(original(&officer, &sighting).await.contains(r#""type":"烟火""#));

    // The same fields in GBK, and as the parts of a multipart body with a picture that has no type.
    let gbk = b"sn=T-9&no=31&time=2026-11-21+13:59:40&type=%D1%CC%BB%F0&lng=110.35&lat=28.5";
    let media = format!("{FORM}; charset=GBK");
    assert_eq!(send(&world, key, &media, gbk.to_vec()).await.ok(), taken, "the same alarm");
    let fields = [("sn", "T-9"), ("no", "32"), ("time", "2026-11-21 13:59:50"), ("type", "烟火")];
    let fields = fields.map(|(name, value)| part(&format!("name=\"{name}\""), value.as_bytes()));
    let picture = part("name=\"pic\"; filename=\"a.jpg\"", &jpeg());
    let body = [fields.concat(), picture, b"--boundary--\r\n".to_vec()].concat();
    let taken = send(&world, key, MULTIPART, body).await.ok();
    let sighting = seen(&officer, &taken).await;
    assert_eq!(sighting["pictures"].as_array().map(Vec::len), Some(1));

    let lacking = send(&world, key, FORM, b"sn=T-9".to_vec()).await;
    assert!(lacking.text().contains("/no"), "the missing field is named: {}", lacking.text());
    let told = send(&world, key, "text/plain", b"sn=T-9&no=33".to_vec()).await;
    assert!(told.text().contains(FORM), "with the cure: {}", told.text());
    let (status, _) = send(&world, world.system("别的").await, FORM, form.to_vec()).await.refused();
    assert_eq!(status, 415, "a form needs a mapping");
}

#[tokio::test]
async fn a_field_that_holds_the_event_and_a_text_in_gbk_are_read() {
    let world = World::with(documented()).await;
    let officer = world.browser("o1", Access::Officer).await;
    let key = world.system("大华热成像").await;
    let event = r#"{"Device":"IPC-9","Code":"FireWarning","Action":"Start","Index":0,
        "Data":{"UTC":1795240780,"Name":"东山"}}"#;
    let gbk = encoding_rs::GB18030.encode(event).0.into_owned();
    let posted = send(&world, key, MULTIPART, multipart("application/json", &gbk, &jpeg())).await;
    let sighting = seen(&officer, &posted.ok()).await;
    assert_eq!(sighting["source"]["device"], "IPC-9-0");
    assert!(original(&officer, &sighting).await.contains("东山"), "an officer can read it");

    let key = world.system("海康热成像").await;
    let xml = |encoding: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?><EventNotificationAlert><ipAddress>\
            10.1.99.8</ipAddress><macAddress>a4:4c:62:00:00:01</macAddress><channelID>2</channelID>\
            <dateTime>2026-11-21T13:59:40+08:00</dateTime><eventType>fireDetection</eventType>\
            <eventState>active</eventState><channelName>东山</channelName></EventNotificationAlert>"
        )
    };
    let gbk = encoding_rs::GB18030.encode(&xml("GB2312")).0.into_owned();
    let sighting = seen(&officer, &send(&world, key, "text/xml", gbk.clone()).await.ok()).await;
    assert_eq!(sighting["source"]["device"], "43122200001320000001");
    let wrong = encoding_rs::GB18030.encode(&xml("UTF-8")).0.into_owned();
    let refused = send(&world, key, "text/xml", wrong).await;
    let words = refused.text();
    assert_eq!(refused.refused().0, 400);
    assert!(words.contains("UTF-8") && words.contains("charset"), "{words}");
}
