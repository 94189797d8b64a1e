//! A duty officer's page at the proxy, as src/web/ui/shared reads: it follows the stream, reads an
//! incident when it is told of a change and the whole board after a break. Beside it somebody asks
//! five times a second, and somebody acts every two seconds and repeats it until it is accepted.

use crate::program::Browser;
use huoyan::clock::Clock;
use huoyan::triage::id::ActionId;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// As in `stream.ts`: pauses between tries, and the silence after which a line counts as dead.
const RETRIES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
const STALE: Duration = Duration::from_secs(12);
/// As in `board.ts`: after a failed read the board is read again this soon.
const READS_AGAIN: Duration = Duration::from_millis(500);
const ASKS_EVERY: Duration = Duration::from_millis(200);
const ASKED_WITHIN: Duration = Duration::from_secs(2);
/// Half of what one person may.
const ACTS_EVERY: Duration = Duration::from_secs(2);
const REPEATS_AFTER: Duration = Duration::from_millis(200);

#[derive(Default)]
pub struct Seen {
    /// Instants at which an answer had come.
    pub served: Vec<Timestamp>,
    /// Steps of a person: first tried, accepted.
    pub acted: Vec<(Timestamp, Timestamp)>,
    /// Versions of each incident on the page, and since when.
    pub versions: BTreeMap<String, Vec<(u64, Timestamp)>>,
    /// Times the stream broke.
    pub breaks: usize,
}

pub struct Screen {
    seen: Arc<Mutex<Seen>>,
    tasks: JoinSet<()>,
}

impl Screen {
    pub fn open(browser: &Browser) -> Self {
        let mut screen = Self::page(browser);
        screen.tasks.spawn(asks(browser.clone(), Arc::clone(&screen.seen)));
        screen.tasks.spawn(acts(browser.clone(), Arc::clone(&screen.seen)));
        screen
    }

    /// The page alone.
    pub fn page(browser: &Browser) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(page(browser.clone(), Arc::clone(&seen)));
        Self { seen, tasks }
    }

    pub async fn close(mut self) -> Seen {
        self.tasks.shutdown().await;
        std::mem::take(&mut *self.seen.lock())
    }
}

async fn asks(browser: Browser, seen: Arc<Mutex<Seen>>) {
    loop {
        let one = browser.request("/api/v1/incidents?state=open&limit=1");
        let answer = one.timeout(ASKED_WITHIN).send().await;
        if answer.is_ok_and(|it| it.status().is_success()) {
            seen.lock().served.push(Clock::System.now());
        }
        Clock::System.sleep(ASKS_EVERY).await;
    }
}

async fn acts(browser: Browser, seen: Arc<Mutex<Seen>>) {
    loop {
        Clock::System.sleep(ACTS_EVERY).await;
        let Some(incident) = seen.lock().versions.keys().next().cloned() else { continue };
        let (key, begun) = (ActionId(uuid::Uuid::now_v7()), Clock::System.now());
        let path = format!("/api/v1/incidents/{incident}/note");
        let body = json!({ "words": "seen" });
        while !browser.post(&path, key, &body).await.is_some_and(|it| it.is_success()) {
            Clock::System.sleep(REPEATS_AFTER).await;
        }
        seen.lock().acted.push((begun, Clock::System.now()));
    }
}

async fn page(browser: Browser, seen: Arc<Mutex<Seen>>) {
    let (mut cursor, mut failures) = (String::new(), 0);
    // One reading of the board answers all who asked for it.
    let (wants, mut wanted) = tokio::sync::watch::channel(());
    let (reader, shown) = (browser.clone(), Arc::clone(&seen));
    let mut readers = JoinSet::new();
    readers.spawn(async move {
        loop {
            while !board(&reader, &shown).await {
                Clock::System.sleep(READS_AGAIN).await;
            }
            if wanted.changed().await.is_err() {
                return;
            }
        }
    });
    loop {
        let answer = browser.request("/api/v1/stream").timeout(Duration::MAX);
        let answer = answer.header("Last-Event-ID", &cursor).send();
        if let Ok(Ok(mut stream)) = tokio::time::timeout(STALE, answer).await
            && stream.status().is_success()
        {
            failures = 0;
            wants.send_replace(());
            let mut rest = String::new();
            while let Ok(Ok(Some(bytes))) = tokio::time::timeout(STALE, stream.chunk()).await {
                rest += &String::from_utf8_lossy(&bytes);
                while let Some((line, after)) = rest.split_once('\n') {
                    if let Some(id) = line.strip_prefix("id: ") {
                        cursor = id.trim().to_owned();
                    }
                    let told = line.strip_prefix("data: ").and_then(|it| {
                        let told: Value = serde_json::from_str(it).ok()?;
                        Some(told["incident"].as_str()?.to_owned())
                    });
                    if let Some(incident) = told {
                        let (browser, seen) = (browser.clone(), Arc::clone(&seen));
                        let wants = wants.clone();
                        readers.spawn(async move {
                            match browser.get(&format!("/api/v1/incidents/{incident}")).await {
                                Some(it) => shows(&seen, &it),
                                None => wants.send_replace(()),
                            }
                        });
                    }
                    rest = after.to_owned();
                }
                while readers.try_join_next().is_some() {}
            }
        }
        seen.lock().breaks += 1;
        Clock::System.sleep(RETRIES[failures.min(RETRIES.len() - 1)]).await;
        failures += 1;
    }
}

async fn board(browser: &Browser, seen: &Mutex<Seen>) -> bool {
    let Some(board) = browser.get("/api/v1/board").await else { return false };
    board["incidents"].as_array().into_iter().flatten().for_each(|it| shows(seen, it));
    true
}

fn shows(seen: &Mutex<Seen>, incident: &Value) {
    if let (Some(id), Some(version)) = (incident["id"].as_str(), incident["version"].as_u64()) {
        let now = Clock::System.now();
        seen.lock().versions.entry(id.to_owned()).or_default().push((version, now));
    }
}
