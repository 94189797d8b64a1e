//! The vendors' side: a real HTTP server that accepts texts and calls, counts like the vendors, and
//! sometimes fails. An accepted text reaches a phone only where there is a signal, and a call only
//! if it is answered.

use super::chance::Chance;
use super::fires::after;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use huoyan::clock::Clock;
use huoyan::config::NotifyConfig;
use huoyan::notify::{Key, Keys};
use huoyan::triage::policy::Channel;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;

/// (count, seconds) to one number: help.aliyun.com/en/vms and
/// help.aliyun.com/document_detail/2881383.html.
const VOICE: &[(usize, i64)] = &[(1, 60), (5, 3_600), (20, 86_400)];
const SMS: &[(usize, i64)] = &[(50, 86_400)];
/// (count, seconds) of one robot: developer.work.weixin.qq.com/document/path/91770.
const WECOM: &[(usize, i64)] = &[(20, 60)];
/// Share of requests that even a healthy gateway refuses.
const REFUSED: f64 = 0.02;

/// A text or call that a gateway was asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    pub at: Timestamp,
    pub to: String,
    pub channel: Channel,
    pub text: String,
    pub taken: bool,
}

struct Inner {
    seed: u64,
    clock: Clock,
    /// Outages of gateways: from … to.
    outages: Vec<(Channel, Timestamp, Timestamp)>,
    asked: Vec<Asked>,
    /// Number of requests that the day has already handled.
    read: usize,
    keys: BTreeSet<String>,
    counted: BTreeMap<(Channel, String), Vec<Timestamp>>,
    overrun: u32,
}

/// Stops listening when dropped.
pub struct Gateway {
    inner: Arc<Mutex<Inner>>,
    url: String,
    server: AbortHandle,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Gateway {
    pub async fn start(seed: u64, clock: &Clock) -> std::io::Result<Self> {
        let mut chance = Chance::of(seed, "outages");
        let outage = |chance: &mut Chance, channel| {
            let from = after(clock.now(), chance.between(0.0, 1_380.0));
            (channel, from, after(from, chance.between(2.0, 45.0)))
        };
        let outages = (0..chance.count(0, 2))
            .map(|_| if chance.happens(0.5) { Channel::Sms } else { Channel::Voice })
            .collect::<Vec<_>>();
        let outages = outages.into_iter().map(|channel| outage(&mut chance, channel)).collect();
        let inner = Arc::new(Mutex::new(Inner {
            seed,
            clock: clock.clone(),
            outages,
            asked: Vec::new(),
            read: 0,
            keys: BTreeSet::new(),
            counted: BTreeMap::new(),
            overrun: 0,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/{channel}", post(take)).with_state(Arc::clone(&inner));
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { inner, url, server })
    }

    pub fn config(&self) -> NotifyConfig {
        let url = |name: &str| Some(format!("{}/{name}", self.url));
        NotifyConfig {
            sms_url: url("sms"),
            voice_url: url("voice"),
            wecom_url: url("wecom"),
            ..NotifyConfig::default()
        }
    }

    pub fn keys(&self) -> Keys {
        let key = || Some(Key::new("simulated"));
        Keys { sms: key(), voice: key(), wecom: key() }
    }

    /// Requests since the last call, in an order that does not depend on which was faster.
    pub fn news(&self) -> Vec<Asked> {
        let mut inner = locked(&self.inner);
        let until = inner.asked.len();
        let from = std::mem::replace(&mut inner.read, until);
        let mut news = inner.asked[from..].to_vec();
        news.sort();
        news
    }

    pub fn all(&self) -> Vec<Asked> {
        let mut all = locked(&self.inner).asked.clone();
        all.sort();
        all
    }

    /// How often a vendor's limit was exceeded.
    pub fn overrun(&self) -> u32 {
        locked(&self.inner).overrun
    }
}

fn locked(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    State(inner): State<Arc<Mutex<Inner>>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let (channel, limits) = match name.as_str() {
        "sms" => (Channel::Sms, SMS),
        "voice" => (Channel::Voice, VOICE),
        _ => (Channel::Wecom, WECOM),
    };
    let text =
        body["text"]["content"].as_str().or(body["text"].as_str()).unwrap_or_default().to_owned();
    let to = body["to"].as_str().unwrap_or_default().to_owned();
    let key = headers
        .get("Idempotency-Key")
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let status = locked(&inner).judge(channel, limits, &to, &text, &key);
    (status, Json(json!({ "errcode": if status == StatusCode::OK { 0 } else { -1 } })))
}

impl Inner {
    fn judge(
        &mut self,
        channel: Channel,
        limits: &[(usize, i64)],
        to: &str,
        text: &str,
        key: &str,
    ) -> StatusCode {
        let at = self.clock.now();
        // A vendor that knows the key repeats its answer and calls nobody again.
        if self.keys.contains(key) {
            return StatusCode::OK;
        }
        let mut ask = |taken| {
            let (to, text) = (to.to_owned(), text.to_owned());
            self.asked.push(Asked { at, to, channel, text, taken });
        };
        let down = self
            .outages
            .iter()
            .any(|(of, from, until)| *of == channel && (*from..*until).contains(&at));
        if down || Chance::of(self.seed, &format!("mood {to} {text} {at}")).happens(REFUSED) {
            ask(false);
            return if down {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
        }
        let counted = self.counted.entry((channel, to.to_owned())).or_default();
        let within = |seconds: i64| {
            counted.iter().filter(|it| **it > at - SignedDuration::from_secs(seconds)).count()
        };
        if limits.iter().any(|(count, seconds)| within(*seconds) >= *count) {
            self.overrun += 1;
            ask(false);
            return StatusCode::TOO_MANY_REQUESTS;
        }
        counted.push(at);
        self.keys.insert(key.to_owned());
        ask(true);
        StatusCode::OK
    }
}

/// When an accepted text or call reaches somebody; `None` when a call is not answered. One ranger
/// in eight is without a signal for some hours of the day, and texts wait for it. Four calls in
/// five are answered.
pub fn heard_at(seed: u64, start: Timestamp, person: &str, asked: &Asked) -> Option<Timestamp> {
    let mut chance = Chance::of(seed, &format!("signal {person}"));
    let mut at = asked.at;
    if !person.starts_with("officer") && !person.starts_with("leader") && chance.happens(1.0 / 8.0)
    {
        let from = after(start, chance.between(6.0, 20.0) * 60.0);
        let until = after(from, chance.between(20.0, 200.0));
        if (from..until).contains(&at) {
            if asked.channel == Channel::Voice {
                return None;
            }
            at = until;
        }
    }
    let mut chance = Chance::of(seed, &format!("answers {person} {}", asked.at));
    match asked.channel {
        Channel::Voice => chance.happens(0.8).then(|| after(at, 0.4)),
        Channel::Sms | Channel::Wecom => Some(after(at, chance.between(0.05, 0.3))),
    }
}
