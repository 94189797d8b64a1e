//! Another system is told of every step of every fire: in order, signed, and until it takes it.

use crate::fixture::{TestStore, desk, hotspot, satellite_sighting, start};
use crate::http_support::World;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::notify::{Round, Webhook, sign};
use huoyan::report::export;
use huoyan::store::Access;
use huoyan::triage::event::Actor;
use huoyan::triage::incident::{By, Input};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const SECRET: &str = "a-secret-of-the-receiver";

/// What was taken: the number, the step, the incident's state.
#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<Mutex<Vec<(u64, String, String)>>>,
    /// Answers to give before taking anything.
    moods: Arc<Mutex<Vec<StatusCode>>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let own = Self::default();
        let router = Router::new().route("/hook", post(take)).with_state(own.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (own, url)
    }

    fn steps(&self) -> Vec<String> {
        self.taken.lock().expect("whole").iter().map(|it| it.1.clone()).collect()
    }
}

async fn take(State(own): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let at = header("Huoyan-Timestamp").parse().expect("seconds");
    let signature = sign(SECRET, at, &body).expect("signed");
    assert_eq!(header("Huoyan-Signature"), format!("v1={signature}"));
    if let Some(mood) = own.moods.lock().expect("whole").pop() {
        return mood;
    }
    let told: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(header("Idempotency-Key"), told["id"].to_string());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let step = (
        told["id"].as_u64().expect("a number"),
        text(&told["event"]),
        text(&told["incident"]["state"]),
    );
    own.taken.lock().expect("whole").push(step);
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn a_receiver_hears_every_step_once_in_order_also_after_it_was_away() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let report = |lat_deg: f64| json!({"at": {"lat_deg": lat_deg, "lon_deg": 110.33}, "radius_m": 200.0, "who": "塔", "words": "冒烟"});
    officer.post("/api/v1/incidents", report(28.42)).await.ok();
    let (receiver, url) = Receiver::start().await;
    let store = &world.state.store;
    let hook = || Webhook::new("gis", url.clone(), SECRET).expect("a receiver");
    let round = async || hook().round(store, &world.clock, export::step).await.expect("a database");
    store.add_webhook("gis").await.expect("added");
    assert_eq!(round().await, Round::Done(0), "nothing of before it was there");

    let incident = officer.post("/api/v1/incidents", report(28.55)).await.ok();
    let id = incident["id"].as_str().expect("an id");
    officer.post(&format!("/api/v1/incidents/{id}/note"), json!({"words": "问过塔上"})).await.ok();
    assert!(matches!(round().await, Round::Done(n) if n >= 1));
    let before = receiver.steps();
    assert_eq!(before[0], "opened");
    assert!(!before.contains(&"noted".to_owned()), "the office's own words stay here: {before:?}");

    receiver.moods.lock().expect("whole").push(StatusCode::SERVICE_UNAVAILABLE);
    officer
        .post(&format!("/api/v1/incidents/{id}/false-alarm"), json!({"reason": "dust"}))
        .await
        .ok();
    assert_eq!(round().await, Round::Refused("HTTP 503".to_owned()));
    assert!(store.webhook_waiting("gis").await.expect("counted") > 0);
    // The program is started anew: what was not taken is told now, and nothing else again.
    assert!(matches!(round().await, Round::Done(1)));
    assert_eq!(receiver.steps().last().map(String::as_str), Some("closed"));
    let numbers: Vec<u64> = receiver.taken.lock().expect("whole").iter().map(|it| it.0).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(round().await, Round::Done(0));

    // Another process that tells it now is not disturbed.
    officer.post("/api/v1/incidents", report(28.48)).await.ok();
    let now = world.clock.now();
    let until = now + jiff::SignedDuration::from_mins(1);
    assert!(store.lease_webhook("gis", now, until).await.expect("leased").is_some());
    assert_eq!(round().await, Round::Elsewhere);
    world.minutes_pass(2);
    assert!(matches!(round().await, Round::Done(n) if n >= 1), "it died, and its turn is over");
}

#[tokio::test]
async fn what_cannot_be_read_now_is_told_later_and_not_skipped() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let (receiver, url) = Receiver::start().await;
    let hook = Webhook::new("gis", url, SECRET).expect("a receiver");
    let round = || hook.round(&t.store, &clock, export::step);
    t.store.add_webhook("gis").await.expect("added");
    let desk = desk(&t.store, &clock);
    let fire = satellite_sighting(&hotspot("a", "2.0NRT"));
    let incident = desk.sighting(fire).await.expect("filed");

    t.execute("ALTER TABLE incident RENAME TO incident_away").await;
    assert!(round().await.is_err(), "the database cannot answer");
    assert!(receiver.steps().is_empty());
    t.execute("ALTER TABLE incident_away RENAME TO incident").await;
    assert!(matches!(round().await, Ok(Round::Done(n)) if n >= 1));
    assert_eq!(receiver.steps()[0], "opened");

    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let said = receiver.steps().len();
    desk.act(incident, Input::Note { words: "看过".into() }, &officer).await.expect("noted");
    let named = |from: &str, to: &str| {
        format!("UPDATE event SET body = replace(body, '\"{from}\"', '\"{to}\"')")
    };
    t.execute(&named("noted", "noted_by_a_newer_version")).await;
    let why = round().await.expect_err("nobody knows what it says");
    assert!(why.message.contains("newer version"), "{}", why.message);
    assert!(t.store.webhook_waiting("gis").await.expect("counted") > 0);
    t.execute(&named("noted_by_a_newer_version", "noted")).await;
    assert!(matches!(round().await, Ok(Round::Done(_))));
    assert_eq!(t.store.webhook_waiting("gis").await.expect("counted"), 0);
    assert_eq!(receiver.steps().len(), said, "a note is not told");
}

#[test]
fn a_receiver_that_anybody_could_hear_or_forge_is_refused_at_the_start() {
    let with = |name: &str, url: &str| {
        Config::parse(&format!("[[notify.webhooks]]\nname = \"{name}\"\nurl = \"{url}\"\n"))
    };
    let config = with("gis", "https://gis.example/hook").expect("fine");
    let hook = &config.notify.webhooks[0];
    assert_eq!(hook.variable(), "HUOYAN_WEBHOOK_SECRET_GIS");
    assert!(hook.check_secret(SECRET).is_ok());
    assert!(
        hook.check_secret("short").expect_err("short").en.contains("HUOYAN_WEBHOOK_SECRET_GIS")
    );
    for (name, url) in [
        ("gis", "http://gis.example/hook"),
        ("gis", "https://u:p@gis.example/hook"),
        ("GIS 2", "https://gis.example/hook"),
        ("", "https://gis.example/hook"),
    ] {
        assert!(
            with(name, url).expect_err(url).message.contains("[[notify.webhooks]]"),
            "{name} {url}"
        );
    }
}
