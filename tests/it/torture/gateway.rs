//! A vendor's gateway for texts and calls. It counts what it is given, once per key, and fails in
//! several ways.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use huoyan::clock::Clock;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    #[default]
    Well,
    /// Refuses everything.
    Out,
    /// Accepts a text and answers late.
    Slow,
    /// Accepts a text, but answers that it failed.
    Forgetful,
}

/// A slow answer comes before the program gives up (40 s). After a kill it may come too late.
const SLOW: Duration = Duration::from_millis(1_500);

#[derive(Clone)]
pub struct Gateway {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
pub struct Seen {
    mood: Mood,
    /// Texts by key. What came twice with one key went out once.
    pub taken: HashMap<String, Taken>,
    /// How often a key came again.
    pub repeats: u64,
    /// Requests that it did not handle normally.
    pub troubled: u64,
}

pub struct Taken {
    pub to: String,
    pub text: String,
}

impl Gateway {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let gateway = Self { url, seen: Arc::default() };
        let router = Router::new()
            .route("/sms", post(take))
            .route("/voice", post(take))
            .with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    pub fn is(&self, mood: Mood) {
        self.seen().mood = mood;
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, key: &str, to: &str, text: &str) -> Mood {
        let mut seen = self.seen();
        let mood = seen.mood;
        seen.troubled += u64::from(mood != Mood::Well);
        if mood == Mood::Out {
            return mood;
        }
        match seen.taken.entry(key.to_owned()) {
            Entry::Occupied(_) => seen.repeats += 1,
            Entry::Vacant(new) => {
                new.insert(Taken { to: to.to_owned(), text: text.to_owned() });
            }
        }
        mood
    }
}

async fn take(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let word = |name: &str| body[name].as_str().unwrap_or_default();
    let key = headers.get("Idempotency-Key").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let status = match gateway.take(key, word("to"), word("text")) {
        Mood::Well => StatusCode::OK,
        Mood::Slow => {
            Clock::System.sleep(SLOW).await;
            StatusCode::OK
        }
        Mood::Out | Mood::Forgetful => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "errcode": 0 })))
}
