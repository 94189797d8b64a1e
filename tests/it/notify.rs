//! Texts go out through gateways that count like the vendors, and none is ever lost on the way.

use crate::fixture::*;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use huoyan::clock::Clock;
use huoyan::config::NotifyConfig;
use huoyan::notify::{Key, Keys, Notifier, post_json};
use huoyan::store::{Addressee, Commit, Message, NewMessage, Occasion, Status};
use huoyan::triage::id::{IncidentId, MessageId};
use huoyan::triage::policy::{Channel, Role};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A vendor: accepts what its limits allow, refuses the rest, and remembers that somebody exceeded
/// them.
#[derive(Clone)]
struct Vendor {
    clock: Clock,
    /// (count, seconds) per number, or for all when `per_number` is false.
    limits: &'static [(usize, i64)],
    per_number: bool,
    taken: Arc<Mutex<Vec<Taken>>>,
    overrun: Arc<Mutex<usize>>,
    /// Answers to give before accepting anything.
    moods: Arc<Mutex<Vec<StatusCode>>>,
    asked: Arc<Mutex<Vec<Timestamp>>>,
}

#[derive(Clone, Debug)]
struct Taken {
    at: Timestamp,
    to: String,
    text: String,
    key: String,
    idempotency: String,
}

const VOICE: &[(usize, i64)] = &[(1, 60), (5, 3600), (20, 86_400)];
const SMS: &[(usize, i64)] = &[(50, 86_400)];
const WECOM: &[(usize, i64)] = &[(20, 60)];

impl Vendor {
    async fn start(
        clock: &Clock,
        limits: &'static [(usize, i64)],
        per_number: bool,
    ) -> (Self, String) {
        let vendor = Self {
            clock: clock.clone(),
            limits,
            per_number,
            taken: Arc::default(),
            overrun: Arc::default(),
            moods: Arc::default(),
            asked: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let router = Router::new().route("/send", post(take)).with_state(vendor.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (vendor, url)
    }

    fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

async fn take(
    State(vendor): State<Vendor>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let now = vendor.clock.now();
    vendor.asked.lock().unwrap().push(now);
    if let Some(mood) = vendor.moods.lock().unwrap().pop() {
        return (mood, Json(json!({ "message": "not now" })));
    }
    let is_wecom = body["msgtype"] == "text";
    let text = if is_wecom { &body["text"]["content"] } else { &body["text"] }
        .as_str()
        .unwrap()
        .to_owned();
    let to = body["to"].as_str().unwrap_or_default().to_owned();
    let header =
        |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let key = query.get("key").cloned().unwrap_or_else(|| header("Authorization"));
    let mut taken = vendor.taken.lock().unwrap();
    for (count, seconds) in vendor.limits {
        let since = now - SignedDuration::from_secs(*seconds);
        let counted =
            taken.iter().filter(|it| it.at > since && (!vendor.per_number || it.to == to)).count();
        if counted >= *count {
            *vendor.overrun.lock().unwrap() += 1;
            let refusal = json!({ "errcode": 45009, "errmsg": "api freq out of limit" });
            return (
                if is_wecom { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS },
                Json(refusal),
            );
        }
    }
    taken.push(Taken { at: now, to, text, key, idempotency: header("Idempotency-Key") });
    (StatusCode::OK, Json(json!({ "errcode": 0, "errmsg": "ok" })))
}

/// An office with texts in its outbox.
pub struct Office {
    pub t: TestStore,
    pub clock: Clock,
}

impl Office {
    pub async fn open() -> Self {
        Self { t: TestStore::sqlite().await, clock: Clock::simulated(start()) }
    }

    pub async fn notifier(&self, config: NotifyConfig) -> Notifier {
        let key = |name: &str| Some(Key::new(format!("secret-{name}")));
        let keys = Keys { sms: key("sms"), voice: key("voice"), wecom: key("wecom") };
        Notifier::new(self.t.store.clone(), &config, keys, self.clock.clone(), Default::default())
            .await
            .expect("a notifier")
    }

    /// Writes one text of a new incident into the outbox, as the desk does.
    pub async fn write(&self, channel: Channel, phone: &str, words: &str) -> IncidentId {
        self.write_message(NewMessage { channel, ..task(phone, words) }).await
    }

    pub async fn write_message(&self, message: NewMessage) -> IncidentId {
        let sighting = camera_sighting();
        let now = self.clock.now();
        self.t.store.record_sightings(std::slice::from_ref(&sighting), now).await.unwrap();
        let (incident, events) = opened(sighting, now);
        let commit = Commit { incident: &incident, events: &events, last_opened: None };
        self.t.store.commit(commit, |_| vec![message]).await.unwrap();
        incident.id
    }

    pub async fn message(&self, incident: IncidentId) -> Message {
        self.t.store.messages_of(incident).await.unwrap().remove(0)
    }

    /// Delivers, then advances the clock to the outbox's next due time, until the outbox is empty.
    async fn work_off(&self, notifier: &Notifier) {
        loop {
            notifier.deliver().await.unwrap();
            if self.t.store.next_message_due().await.unwrap().is_none() {
                return;
            }
            self.until_due().await;
        }
    }

    /// Advances the clock to the outbox's next due time, and delivers.
    pub async fn step(&self, notifier: &Notifier) {
        self.until_due().await;
        notifier.deliver().await.unwrap();
    }

    async fn until_due(&self) {
        let due = self.t.store.next_message_due().await.unwrap().expect("something waits");
        self.clock.advance(due.duration_since(self.clock.now()).max(SignedDuration::ZERO));
    }
}

/// The first message to the person with this number.
pub fn task(phone: &str, words: &str) -> NewMessage {
    NewMessage {
        id: MessageId(id()),
        dispatch: None,
        occasion: Occasion::Dispatched,
        to: Addressee {
            role: Role::Ranger,
            person: Some(phone.into()),
            name: "张三".into(),
            phone: Some(phone.into()),
        },
        channel: Channel::Sms,
        words: words.to_owned(),
        drill: false,
        error: None,
    }
}

fn voice(url: &str) -> NotifyConfig {
    NotifyConfig { voice_url: Some(url.to_owned()), ..NotifyConfig::default() }
}

#[tokio::test]
async fn without_a_gateway_the_board_says_phone_by_hand_at_once() {
    let office = Office::open().await;
    let incident = office.write(Channel::Sms, "138", "task").await;
    let notifier = office.notifier(NotifyConfig::default()).await;
    assert_eq!(notifier.deliver().await.unwrap(), 0);
    let shown = office.message(incident).await;
    assert_eq!((shown.status, shown.attempts), (Status::Failed, 0));
    assert_eq!(
        shown.error.as_deref(),
        Some("没有短信网关，请人工电话 / no SMS gateway: please phone")
    );
}

#[tokio::test]
async fn a_text_goes_out_once_with_its_key_and_id() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, SMS, true).await;
    let config = NotifyConfig { sms_url: Some(url), ..NotifyConfig::default() };
    let incident = office.write(Channel::Sms, "13800000001", "【森防】…").await;
    let notifier = office.notifier(config).await;
    assert_eq!(notifier.deliver().await.unwrap(), 1);
    assert_eq!(notifier.deliver().await.unwrap(), 0);
    let taken = vendor.taken();
    assert_eq!(
        (taken.len(), taken[0].to.as_str(), taken[0].text.as_str()),
        (1, "13800000001", "【森防】…")
    );
    let shown = office.message(incident).await;
    assert_eq!(
        (taken[0].key.as_str(), &taken[0].idempotency),
        ("Bearer secret-sms", &shown.id.to_string())
    );
    assert_eq!((shown.status, shown.attempts, shown.sent_at), (Status::Sent, 1, Some(start())));
}

#[tokio::test]
async fn a_gateway_in_a_bad_mood_is_asked_again_and_then_given_up() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, VOICE, true).await;
    let notifier = office.notifier(voice(&url)).await;
    *vendor.moods.lock().unwrap() = vec![StatusCode::INTERNAL_SERVER_ERROR; 2];
    let incident = office.write(Channel::Voice, "138", "task").await;
    notifier.deliver().await.unwrap();
    let shown = office.message(incident).await;
    assert_eq!((shown.status, shown.attempts), (Status::Queued, 1));
    assert!(shown.error.unwrap().contains("500"), "the board says why");
    office.work_off(&notifier).await;
    let shown = office.message(incident).await;
    assert_eq!((shown.status, shown.attempts, shown.error), (Status::Sent, 3, None));

    let notifier =
        office.notifier(NotifyConfig { sms_url: Some(url), ..NotifyConfig::default() }).await;
    *vendor.moods.lock().unwrap() = vec![StatusCode::BAD_GATEWAY; 6];
    let begun = office.clock.now();
    let lost = office.write(Channel::Sms, "139", "task").await;
    notifier.deliver().await.unwrap();
    while office.message(lost).await.status == Status::Queued {
        office.step(&notifier).await;
    }
    let shown = office.message(lost).await;
    assert_eq!((shown.status, shown.attempts), (Status::Failed, 6));
    assert!(shown.error.unwrap().contains("502"));
    assert_eq!(
        office.clock.now().duration_since(begun).as_secs(),
        5 + 15 + 45 + 135 + 300,
        "somebody else is told"
    );
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_a_failure_in_words_without_its_key() {
    let office = Office::open().await;
    let config = NotifyConfig {
        wecom_url: Some("http://127.0.0.1:9/hook".into()),
        ..NotifyConfig::default()
    };
    let incident = office.write(Channel::Wecom, "138", "task").await;
    office.notifier(config).await.deliver().await.unwrap();
    let why = office.message(incident).await.error.unwrap();
    assert!(
        why.contains("网关不应答") && !why.contains("secret") && !why.contains("hook"),
        "{why}"
    );
}

#[tokio::test]
async fn nobody_is_called_more_often_than_the_vendor_allows_and_what_cannot_be_called_goes_another_way()
 {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, VOICE, true).await;
    let notifier = office.notifier(voice(&url)).await;
    let (mut words, mut incidents) = (Vec::new(), Vec::new());
    for n in 0..30 {
        words.push(format!("call {n}"));
        incidents.push(office.write(Channel::Voice, "138", &words[n]).await);
        notifier.deliver().await.unwrap();
        office.clock.advance(SignedDuration::from_secs(23));
    }
    office.work_off(&notifier).await;
    assert_eq!(*vendor.overrun.lock().unwrap(), 0);
    let taken = vendor.taken();
    let heard: Vec<&str> = taken.iter().flat_map(|call| call.text.split('\n')).collect();
    assert_eq!(taken.len(), 5, "the vendor's five an hour");
    assert_eq!(
        heard,
        words[..heard.len()],
        "every text once, in order; those that waited a minute went together"
    );
    assert!((10..20).contains(&heard.len()), "{}", heard.len());
    for incident in &incidents[heard.len()..] {
        let held = office.message(*incident).await;
        assert_eq!(held.status, Status::Failed, "an hour is too long: the desk takes another way");
        assert!(held.error.as_deref().is_some_and(|why| why.starts_with("供应商限额")), "{held:?}");
    }
    let alerts = office.t.store.failed_messages(100).await.unwrap();
    assert_eq!(alerts.len(), incidents.len() - heard.len(), "nothing is dropped: {alerts:?}");
}

#[tokio::test]
async fn a_restart_remembers_what_the_vendor_has_counted() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, VOICE, true).await;
    let mut last = None;
    for n in 0..6 {
        last = Some(office.write(Channel::Voice, "138", &n.to_string()).await);
        // A new process each time.
        let notifier = office.notifier(voice(&url)).await;
        notifier.deliver().await.unwrap();
        office.clock.advance(SignedDuration::from_mins(2));
    }
    assert_eq!((vendor.taken().len(), *vendor.overrun.lock().unwrap()), (5, 0));
    let sixth = office.message(last.expect("six")).await;
    assert_eq!(sixth.status, Status::Failed, "{sixth:?}");
    office.clock.advance(SignedDuration::from_hours(1));
    office.write(Channel::Voice, "138", "later").await;
    office.work_off(&office.notifier(voice(&url)).await).await;
    assert_eq!((vendor.taken().len(), *vendor.overrun.lock().unwrap()), (6, 0));
}

/// Messages that do not fit into one text go out as several at the same moment. A new process
/// counts all of them.
#[tokio::test]
async fn a_restart_remembers_texts_that_were_too_long_for_one() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, SMS, true).await;
    let config = NotifyConfig { sms_url: Some(url), ..NotifyConfig::default() };
    for n in 0..60 {
        // Two messages that do not fit into one text.
        for half in ["一", "二"] {
            office.write(Channel::Sms, "138", &format!("{n}{half}{}", "山上冒烟".repeat(40))).await;
        }
        let notifier = office.notifier(config.clone()).await;
        notifier.deliver().await.unwrap();
        office.clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!((vendor.taken().len(), *vendor.overrun.lock().unwrap()), (50, 0));
}

#[tokio::test]
async fn the_groups_robot_digests_a_busy_minute() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, WECOM, false).await;
    let config = NotifyConfig { wecom_url: Some(url), ..NotifyConfig::default() };
    let notifier = office.notifier(config).await;
    let mut words = Vec::new();
    for n in 0..100 {
        words.push(format!("【森防】0405-{n:02}·官庄镇界亭驿村"));
        office.write(Channel::Wecom, &format!("138{n:08}"), &words[n]).await;
        notifier.deliver().await.unwrap();
        office.clock.advance(SignedDuration::from_millis(500));
    }
    office.work_off(&notifier).await;
    let taken = vendor.taken();
    let posted: Vec<&str> = taken.iter().flat_map(|post| post.text.split('\n')).collect();
    assert_eq!(
        (posted, *vendor.overrun.lock().unwrap()),
        (words.iter().map(String::as_str).collect(), 0)
    );
    assert!(taken.iter().all(|post| post.text.len() <= 2048 && post.key == "secret-wecom"));
    assert_eq!(taken.len(), 20 + 5, "twenty alone, then eighty, sixteen a post");
}

#[tokio::test]
async fn a_vendor_that_counts_differently_makes_texts_wait_not_fail() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, SMS, true).await;
    let config = NotifyConfig { sms_url: Some(url), ..NotifyConfig::default() };
    *vendor.moods.lock().unwrap() = vec![StatusCode::TOO_MANY_REQUESTS; 3];
    let incident = office.write(Channel::Sms, "138", "task").await;
    let notifier = office.notifier(config).await;
    notifier.deliver().await.unwrap();
    let shown = office.message(incident).await;
    assert_eq!((shown.status, shown.attempts), (Status::Queued, 1));
    assert!(shown.error.unwrap().contains("供应商限额，等到 14:01:00"));
    office.work_off(&notifier).await;
    assert_eq!(office.message(incident).await.status, Status::Sent);
    assert_eq!(vendor.asked.lock().unwrap().len(), 4);
}

/// A contract that has expired answers "too many" for ever.
#[tokio::test]
async fn a_vendor_that_says_too_many_for_ever_is_given_up_and_stands_on_the_board() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, SMS, true).await;
    let config = NotifyConfig { sms_url: Some(url), ..NotifyConfig::default() };
    *vendor.moods.lock().unwrap() = vec![StatusCode::TOO_MANY_REQUESTS; 6];
    let incident = office.write(Channel::Sms, "138", "task").await;
    let notifier = office.notifier(config).await;
    notifier.deliver().await.unwrap();
    assert_eq!(
        office.t.store.taken_by(Channel::Sms).await.unwrap().failed_since,
        1,
        "the board says so"
    );
    for _ in 0..5 {
        assert_eq!(office.message(incident).await.status, Status::Queued);
        office.step(&notifier).await;
    }
    let shown = office.message(incident).await;
    assert_eq!(shown.status, Status::Failed, "somebody else is told: {shown:?}");
    assert_eq!(office.clock.now().duration_since(start()).as_mins(), 5);
    office.work_off(&notifier).await;
    assert_eq!(office.message(incident).await.status, Status::Sent, "and it is tried on");
}

/// He was called three times this hour. The next call fails twice. Then the limit would hold it for
/// an hour, and it is sent another way.
#[tokio::test]
async fn a_call_that_is_shown_as_failed_waits_no_more_as_if_nobody_knew() {
    let office = Office::open().await;
    let (vendor, url) = Vendor::start(&office.clock, VOICE, true).await;
    let notifier = office.notifier(voice(&url)).await;
    for n in 0..3 {
        office.write(Channel::Voice, "138", &format!("call {n}")).await;
        office.work_off(&notifier).await;
        office.clock.advance(SignedDuration::from_mins(1));
    }
    *vendor.moods.lock().unwrap() = vec![StatusCode::BAD_GATEWAY; 3];
    let call = office.write(Channel::Voice, "138", "task").await;
    notifier.deliver().await.unwrap();
    while office.message(call).await.status == Status::Queued {
        office.step(&notifier).await;
    }
    assert_eq!(vendor.asked.lock().unwrap().len(), 5, "given up by the limit, not by its tries");
    while vendor.asked.lock().unwrap().len() == 5 {
        office.step(&notifier).await;
    }
    assert_eq!(office.message(call).await.status, Status::Failed, "refused again, an hour later");
}

/// A faulty gateway answers 200 and then never stops sending.
#[tokio::test]
async fn an_answer_without_end_is_judged_by_its_status_and_not_listened_to() {
    let office = Office::open().await;
    let said = Arc::new(AtomicUsize::new(0));
    let talker = Arc::clone(&said);
    let talk = move || {
        let said = Arc::clone(&talker);
        async move {
            let line = Bytes::from_static(&[b' '; 16 * 1024]);
            let words = std::iter::repeat_with(move || {
                said.fetch_add(line.len(), Ordering::Relaxed);
                Ok::<_, Infallible>(line.clone())
            });
            Body::from_stream(tokio_stream::iter(words))
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(talk))).await });
    let incident = office.write(Channel::Voice, "138", "task").await;
    office.notifier(voice(&url)).await.deliver().await.unwrap();
    assert_eq!(office.message(incident).await.status, Status::Sent);
    let refused = post_json(&url, None, &Value::Null).await.unwrap_err();
    assert!(refused.message.contains("too long"), "{refused:?}");
    // What was in the socket buffers at the hang-up, twice.
    let said = said.load(Ordering::Relaxed);
    assert!((2 * 64 * 1024..40 * 1024 * 1024).contains(&said), "{said} bytes");
}

#[tokio::test]
async fn post_json_tells_the_servers_own_words() {
    let clock = Clock::simulated(start());
    let (vendor, url) = Vendor::start(&clock, SMS, true).await;
    let answer =
        post_json(&url, Some("token"), &json!({ "to": "1", "text": "hello" })).await.unwrap();
    assert_eq!(
        (answer["errcode"].as_i64(), vendor.taken()[0].key.as_str()),
        (Some(0), "Bearer token")
    );
    vendor.moods.lock().unwrap().push(StatusCode::NOT_FOUND);
    let refused = post_json(&url, None, &json!({ "to": "1", "text": "" })).await.unwrap_err();
    assert_eq!(refused.kind, huoyan::error::Kind::NotFound);
    let nobody = post_json("http://127.0.0.1:9/", None, &Value::Null).await.unwrap_err();
    assert_eq!(nobody.kind, huoyan::error::Kind::Unavailable);
}
