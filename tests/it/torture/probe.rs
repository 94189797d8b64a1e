//! A person with a separate quota of changes, who observes whether a fault has taken effect and
//! whether the program has recovered.

use crate::program::{Browser, Dice, Office, client};
use huoyan::clock::Clock;
use huoyan::drill::scene;
use huoyan::store::{Access, Store};
use huoyan::triage::id::{ActionId, IncidentId};
use huoyan::web::issue_login;
use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The leader on duty; the acting people are the officer on duty.
const PERSON: &str = "l1";
/// Interval of the probe's changes. It stays within the 60 at once that a person may make, over the
/// seconds of a recovery.
const EVERY: Duration = Duration::from_millis(100);
pub struct Probe {
    pub browser: Browser,
    /// `http://127.0.0.1:8131`
    base: String,
    cookie: String,
    photo: Vec<u8>,
    /// The last incident that was open: without its database the program lists none.
    incident: Option<IncidentId>,
    dice: Dice,
}

impl Probe {
    /// `link`: any link of the program, for its address.
    pub async fn log_in(office: &Office, store: &Store, link: &str, dice: Dice) -> Self {
        let life = SignedDuration::from_mins(5);
        let issue = || async {
            issue_login(store, &PERSON.into(), Access::Officer, life, &Clock::System)
                .await
                .expect("a login link")
        };
        let browser = office.log_in(&issue().await).await;
        let base = link[..link.find("/login/").expect("a login link")].to_owned();
        let answer =
            client().post(format!("{base}{}", issue().await)).send().await.expect("answers");
        let cookie =
            answer.headers().get(SET_COOKIE).and_then(|it| it.to_str().ok()).expect("a session");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let photo = scene::landscape(0, Path::new(scene::PHOTOGRAPHS))
            .and_then(|it| it.to_jpeg(80))
            .expect("a photo");
        Self { browser, base, cookie, photo, incident: None, dice }
    }

    async fn some_incident(&mut self) -> Option<IncidentId> {
        let open = self.browser.some_open_incident(&mut self.dice).await;
        self.incident = open.or(self.incident);
        open
    }

    /// Whether a note is refused because the database is missing.
    pub async fn is_note_refused(&self) -> bool {
        let Some(incident) = self.incident else { return false };
        self.note(incident, ActionId(Uuid::now_v7())).await == Some(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// Whether a photo is refused because the disk is full.
    pub async fn is_photo_refused(&self) -> bool {
        let Some(incident) = self.incident else { return false };
        let request = client().post(format!("{}/api/v1/incidents/{incident}/photos", self.base));
        let request = request
            .header(COOKIE, &self.cookie)
            .header("Idempotency-Key", Uuid::now_v7().to_string());
        let answer =
            request.header(CONTENT_TYPE, "image/jpeg").body(self.photo.clone()).send().await;
        answer.is_ok_and(|it| it.status() == StatusCode::SERVICE_UNAVAILABLE)
    }

    /// Whether the board's words about the clock differ from `before`. The program's own time never
    /// jumps, so nothing else shows a clock step.
    pub async fn is_clock_said(&self, before: &str) -> bool {
        let now = self.clock_said().await;
        !now.is_empty() && now != before
    }

    /// The words of the board's part `clock`; empty while it is fine.
    pub async fn clock_said(&self) -> String {
        let board = self.browser.get("/api/v1/board").await.unwrap_or_default();
        let mut parts = board["health"].as_array().into_iter().flatten();
        let clock = parts.find(|it| it["part"] == "clock" && it["ok"] == false);
        clock.and_then(|it| it["words"].as_str()).unwrap_or_default().to_owned()
    }

    /// Repeats a note until it is accepted. Only that counts: other answers may come before
    /// anything is written.
    pub async fn acts(&mut self) {
        let key = ActionId(Uuid::now_v7());
        loop {
            if let Some(incident) = self.some_incident().await
                && self.note(incident, key).await.is_some_and(|it| it.is_success())
            {
                return;
            }
            Clock::System.sleep(EVERY).await;
        }
    }

    async fn note(&self, incident: IncidentId, key: ActionId) -> Option<StatusCode> {
        let path = format!("/api/v1/incidents/{incident}/note");
        self.browser.post(&path, key, &json!({ "words": format!("alive {key}") })).await
    }
}
