//! Whole numbers stand where somebody has to phone, and only there; who saw them is in the program's log.

use super::seen_by_camera;
use crate::http_support::{World, leaves};
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
    let _log = set_default(tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish());
    let world = World::new().await;
    let (officer, ranger) = (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = seen_by_camera(&world, leaves(64, 48).to_jpeg(60).expect("JPEG")).await;
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();

    let path = format!("/api/v1/incidents/{id}");
    let text = officer.get(&path).await.ok()["messages"][0].clone();
    assert_eq!((&text["to"], &text["phone"]), (&json!("周建国 139****0001"), &Value::Null));
    assert!(!lines.text().contains("numbers to phone"), "{}", lines.text());

    let message = text["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    world.state.store.message_untried(message, "没有短信网关，请人工电话", None).await.expect("noted");
    assert_eq!(officer.get(&path).await.ok()["messages"][0]["phone"], "13900000001");
    let said = lines.text();
    let line = said.lines().find(|line| line.contains("numbers to phone were shown")).expect("a line");
    assert!(line.contains("person=o1") && line.contains(&id) && !line.contains("13900000001"), "{line}");

    assert_eq!(ranger.get(&path).await.ok()["messages"], Value::Null, "a ranger is asked to phone nobody");
    assert_eq!(lines.text().matches("numbers to phone").count(), 1);
}
