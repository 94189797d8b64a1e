//! The stream over a real socket.

use super::{call, told};
use crate::http_support::{Browser, Server, World};
use huoyan::frame::Health;
use huoyan::store::Access;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// From the commit to the page (UX requirement 17).
const SOON: Duration = Duration::from_secs(2);

struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: &Server, browser: &Browser, last_event_id: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(server.address).await.expect("connects");
        let cookie = browser.cookie.as_deref().expect("logged in");
        let resume = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/v1/stream HTTP/1.1\r\nHost: huoyan\r\nCookie: {cookie}\r\n{resume}\r\n"
        );
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut stream = Self { socket, text: String::new() };
        stream.until("\r\n\r\n").await;
        assert!(
            stream.text.contains("200 OK") && stream.text.contains("text/event-stream"),
            "{}",
            stream.text
        );
        stream
    }

    /// Reads until the text has come; false when the server ended the stream.
    async fn until(&mut self, text: &str) -> bool {
        let mut buffer = [0; 4096];
        while !self.text.contains(text) {
            match self.socket.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(read) => self.text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
        true
    }

    async fn hears(&mut self, text: &str) -> bool {
        timeout(SOON, self.until(text)).await.unwrap_or(false)
    }
}

#[tokio::test]
async fn a_change_reaches_the_page_within_two_seconds() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let server = Server::of(world.state.clone()).await;
    let mut office = Stream::open(&server, &officer, None).await;
    let mut phone = Stream::open(&server, &ranger, None).await;

    let id = told(&officer).await;
    let changed = format!(r#"data: {{"incident":"{id}"}}"#);
    let begun = Instant::now();
    assert!(office.hears(&changed).await, "{}", office.text);
    assert!(
        office.text.contains("event: changed") && office.text.contains("id: 1"),
        "{}",
        office.text
    );
    assert!(begun.elapsed() < SOON);

    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    assert!(phone.hears(&changed).await, "sent to them: {}", phone.text);
    let other = officer.post("/api/v1/incidents", far()).await.ok();
    let other = other["id"].as_str().expect("an id").to_owned();
    assert!(office.hears(&other).await);
    assert!(!phone.hears(&other).await, "not theirs: {}", phone.text);
}

#[tokio::test]
async fn a_page_that_was_away_hears_what_it_missed_and_no_more() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let first = told(&officer).await;
    let cursor =
        officer.get("/api/v1/board").await.ok()["cursor"].as_str().expect("a cursor").to_owned();
    let second = officer.post("/api/v1/incidents", far()).await.ok()["id"]
        .as_str()
        .expect("an id")
        .to_owned();

    let server = Server::of(world.state.clone()).await;
    let mut stream = Stream::open(&server, &officer, Some(&cursor)).await;
    assert!(stream.hears(&second).await, "{}", stream.text);
    assert!(!stream.text.contains(&first), "{}", stream.text);
    // The stream does not wait for a cursor from before a restore.
    let mut restored = Stream::open(&server, &officer, Some("999999")).await;
    officer
        .post(&format!("/api/v1/incidents/{first}/note"), json!({"words": "已电话核实"}))
        .await
        .ok();
    assert!(restored.hears(&first).await, "{}", restored.text);
}

#[tokio::test]
async fn a_camera_that_fails_is_told_and_stopping_does_not_wait_for_pages() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let server = Server::of(world.state.clone()).await;
    let mut stream = Stream::open(&server, &officer, None).await;
    world.state.status.set_health(&"c1".into(), Health::Offline, None, world.state.clock.now());
    assert!(
        timeout(Duration::from_secs(4), stream.until("event: health")).await.unwrap_or(false),
        "{}",
        stream.text
    );

    server.stop.send(()).expect("still running");
    let stopped = timeout(SOON, server.done).await.expect("in time").expect("no panic");
    assert!(stopped.is_ok());
    assert!(!stream.hears("more").await, "the stream has ended");
}

/// Far enough from the other report to be another fire.
fn far() -> Value {
    let mut call = call();
    call["at"]["lat_deg"] = json!(28.58);
    call["at"]["lon_deg"] = json!(110.48);
    call
}
