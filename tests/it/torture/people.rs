//! The people who act while everything fails.

use crate::program::{Browser, Dice};
use huoyan::clock::Clock;
use huoyan::triage::id::{ActionId, IncidentId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// A step that the program has answered with 2xx.
pub struct Accepted {
    pub incident: IncidentId,
    pub key: ActionId,
}

/// An officer. Like every phone he resends a step with its key until it is answered.
#[derive(Clone)]
pub struct Person {
    pub browser: Browser,
    pub accepted: Arc<Mutex<Vec<Accepted>>>,
    /// How often a step was resent.
    pub again: Arc<AtomicU64>,
    /// Number of 503 answers.
    pub refused: Arc<AtomicU64>,
    pub over: Arc<AtomicBool>,
}

impl Person {
    /// Acts on any open incident until the run is over.
    pub async fn act(self, mut dice: Dice) {
        while !self.over.load(Ordering::Relaxed) {
            Clock::System.sleep(Duration::from_millis(1_500 + dice.below(3_000))).await;
            let Some(incident) = self.browser.some_open_incident(&mut dice).await else { continue };
            let words = format!("by {}", dice.below(u64::MAX));
            let report = json!({ "category": 1, "words": words, "no_photo_reason": words, "photos": 0, "reason": words });
            let (step, body) = match dice.below(6) {
                0 => ("acknowledge", json!({ "reason": words })),
                1 => ("arrive", json!({ "reason": words })),
                2 => ("report", report),
                _ => ("note", json!({ "words": words })),
            };
            self.send(incident, step, &body).await;
        }
    }

    pub async fn send(&self, incident: IncidentId, step: &str, body: &Value) {
        let (key, path) =
            (ActionId(Uuid::now_v7()), format!("/api/v1/incidents/{incident}/{step}"));
        loop {
            let status = self.browser.post(&path, key, body).await;
            self.refused.fetch_add(
                u64::from(status == Some(StatusCode::SERVICE_UNAVAILABLE)),
                Ordering::Relaxed,
            );
            match status {
                Some(status) if status.is_success() => {
                    let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                    return accepted.push(Accepted { incident, key });
                }
                // 409: not dispatched yet, for example. Nothing was accepted.
                Some(status)
                    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
                {
                    return;
                }
                _ if self.over.load(Ordering::Relaxed) => return,
                _ => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                    Clock::System.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}
