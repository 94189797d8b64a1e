//! Whole numbers are shown where somebody has to phone, and only there. The program's log says who
//! saw them. Impossible values are refused.

use super::seen_by_camera;
use crate::http_support::{World, at, leaves};
use huoyan::store::Access;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::subscriber::set_default;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a lock").clone()).expect("UTF-8")
    }
}

#[tokio::test]
async fn a_text_that_has_not_gone_out_shows_the_whole_number_and_who_saw_it_is_logged() {
    let lines = Lines::default();
    let writer = lines.clone();
    let _log = set_default(
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish(),
    );
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = seen_by_camera(&world, leaves(64, 48).to_jpeg(60).expect("JPEG")).await;
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();

    let path = format!("/api/v1/incidents/{id}");
    let incident = officer.get(&path).await.ok();
    let (text, code) = (&incident["messages"][0], incident["code"].as_str().expect("a number"));
    assert_eq!((&text["to"], &text["phone"]), (&json!("周建国 139****0001"), &Value::Null));
    assert!(!lines.text().contains("phone numbers"), "{}", lines.text());

    let message = text["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    world
        .state
        .store
        .message_untried(message, "没有短信网关，请人工电话", None)
        .await
        .expect("noted");
    assert_eq!(officer.get(&path).await.ok()["messages"][0]["phone"], "13900000001");
    let said = lines.text();
    let line = said.lines().find(|line| line.contains("phone numbers were shown")).expect("a line");
    assert!(
        line.contains("person=o1") && line.contains(code) && !line.contains("13900000001"),
        "{line}"
    );

    assert_eq!(
        ranger.get(&path).await.ok()["messages"],
        Value::Null,
        "a ranger is asked to phone nobody"
    );
    assert_eq!(lines.text().matches("phone numbers").count(), 1);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_a_phone_that_has_lost_its_time_is_not() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let impossible = (422, "invalid".to_owned());
    let told = |lat_deg: f64| json!({"at": at(lat_deg, 110.4), "radius_m": 300.0, "who": "12119", "words": "看到烟"});
    for (lat_deg, is_near) in [(-89.0, false), (27.0, false), (27.9, true)] {
        let answer = officer.post("/api/v1/incidents", told(lat_deg)).await;
        assert_eq!(answer.status == 200, is_near, "latitude {lat_deg}: {}", answer.text());
        assert!(is_near || answer.refused() == impossible, "{}", answer.text());
    }

    let photo = leaves(64, 48).to_jpeg(60).expect("JPEG");
    let id = seen_by_camera(&world, photo.clone()).await;
    let path = |step: &str| format!("/api/v1/incidents/{id}/{step}");
    officer.post(&path("dispatch"), json!({"ranger": "r1"})).await.ok();
    // A clock that restarts at midnight of 1970 in China has not reached 1970 in UTC.
    let tap = ranger
        .post(&path("acknowledge"), json!({"happened_at": "1969-12-31T16:00:00Z"}))
        .await
        .ok();
    assert_eq!(tap["state"], "acknowledged", "the tap counts, its time is only shown");
    assert_eq!(tap["dispatch"]["acknowledged"]["happened_at"], serde_json::Value::Null);
    for never in ["-009998-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2100-01-01T00:00:00Z"] {
        let position = json!({"at": at(28.5, 110.35), "accuracy_m": 9.0, "measured_at": never});
        let tap = ranger
            .post(&path("arrive"), json!({"happened_at": never, "position": position}))
            .await
            .ok();
        assert_eq!(
            tap["dispatch"]["arrived"],
            serde_json::Value::Null,
            "a place of no time proves no arrival: {never}"
        );
    }

    let cut_off = photo[..photo.len() / 2].to_vec();
    assert_eq!(ranger.photo(&path("photos"), "image/jpeg", cut_off).await.refused(), impossible);
    ranger.photo(&path("photos"), "image/jpeg", photo).await.ok();
}
