//! A gateway that is slow, dead or forgetful delays only its own texts, and no phone gets anything
//! twice.

use crate::fixture::*;
use crate::notify::{Office, task};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use huoyan::clock::Clock;
use huoyan::config::NotifyConfig;
use huoyan::store::{Addressee, Commit, Message, NewMessage, Occasion, Status};
use huoyan::triage::event::{Actor, Closure, Event};
use huoyan::triage::id::{IncidentId, MessageId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::policy::{Channel, Role};
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// A gateway that supports idempotency keys: a text it has delivered once under a key it never
/// delivers again.
#[derive(Clone)]
struct Gateway {
    inner: Arc<Mutex<Inner>>,
    /// Texts to numbers that begin with "stuck" are answered only after this signal.
    released: watch::Sender<bool>,
    url: String,
}

#[derive(Default)]
struct Inner {
    /// What phones received: channel, number, text.
    heard: Vec<(String, String, String)>,
    /// Every text requested under each key, and how often.
    asked: BTreeMap<String, BTreeMap<String, u32>>,
    /// Answers this number of requests per key only after the caller has hung up.
    deaf: u32,
    /// Answers 502 to everything and delivers nothing.
    is_down: bool,
    under_way: usize,
    most_under_way: usize,
}

impl Gateway {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gateway = Self { inner: Arc::default(), released: watch::Sender::new(false), url };
        let router = Router::new().route("/{channel}", post(take)).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    /// Texts and calls, with a timeout short enough for a test.
    fn config(&self, answer_within: Duration) -> NotifyConfig {
        NotifyConfig {
            sms_url: Some(format!("{}/sms", self.url)),
            voice_url: Some(format!("{}/voice", self.url)),
            answer_within: answer_within.try_into().unwrap(),
            ..NotifyConfig::default()
        }
    }

    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap());
    }

    fn heard(&self) -> Vec<(String, String, String)> {
        self.inner.lock().unwrap().heard.clone()
    }

    fn has_heard(&self, number: &str) -> bool {
        self.heard().iter().any(|(_, to, _)| to == number)
    }

    /// How often a text with these words was requested.
    fn asked(&self, words: &str) -> u32 {
        let inner = self.inner.lock().unwrap();
        inner
            .asked
            .values()
            .flatten()
            .filter(|(text, _)| text.contains(words))
            .map(|(_, times)| times)
            .sum()
    }
}

async fn take(
    State(gateway): State<Gateway>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    let key = headers["Idempotency-Key"].to_str().unwrap().to_owned();
    let (to, text) =
        (body["to"].as_str().unwrap().to_owned(), body["text"].as_str().unwrap().to_owned());
    let is_deaf = {
        let mut inner = gateway.inner.lock().unwrap();
        let is_new = !inner.asked.contains_key(&key);
        *inner.asked.entry(key.clone()).or_default().entry(text.clone()).or_default() += 1;
        if inner.is_down {
            inner.asked.get_mut(&key).unwrap().entry("(refused)".into()).or_default();
            return StatusCode::BAD_GATEWAY;
        }
        let was_refused = inner.asked[&key].contains_key("(refused)");
        let is_heard = inner.heard.iter().any(|(_, number, said)| *number == to && *said == text);
        if is_new || was_refused && !is_heard {
            inner.heard.push((channel, to.clone(), text));
        }
        inner.under_way += 1;
        inner.most_under_way = inner.most_under_way.max(inner.under_way);
        inner.asked[&key].values().sum::<u32>() <= inner.deaf
    };
    if is_deaf {
        std::future::pending::<()>().await;
    }
    if to.starts_with("stuck") {
        gateway.released.subscribe().wait_for(|released| *released).await.unwrap();
    }
    gateway.set(|inner| inner.under_way -= 1);
    StatusCode::OK
}

const LONG: Duration = Duration::from_secs(40);

/// Polls `holds`, for longer than any of this takes.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let patient = async {
        while !holds() {
            Clock::System.sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), patient)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// To an official, not to the dispatched ranger.
fn ring(phone: &str, words: &str) -> NewMessage {
    let to = Addressee { role: Role::CountyDuty, ..task(phone, words).to };
    NewMessage { to, occasion: Occasion::Rang(3), ..task(phone, words) }
}

/// Its answer comes after the caller has hung up, twice for each text. In between the program dies,
/// and there are more messages.
#[tokio::test]
async fn a_gateway_slower_than_our_patience_hands_each_text_on_once() {
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    gateway.set(|inner| inner.deaf = 2);
    let config = gateway.config(Duration::from_secs(1));
    let mut incidents = Vec::new();
    for words in ["first", "second", "third"] {
        incidents.push(office.write(Channel::Sms, "138", words).await);
        // A new process each time; one of them dies with a text in its hands.
        let notifier = office.notifier(config.clone()).await;
        notifier.deliver().await.unwrap();
        let due = office.t.store.due_messages(Channel::Sms, office.clock.now()).await.unwrap();
        let now = office.clock.now();
        office
            .t
            .store
            .borrow(
                &due.iter().take(1).collect::<Vec<_>>(),
                now,
                now + SignedDuration::from_mins(1),
            )
            .await
            .unwrap();
        office.clock.advance(SignedDuration::from_secs(5));
    }
    let notifier = office.notifier(config).await;
    // Three tries each, and a lease for each death. Twice as many are enough on any machine.
    for _ in 0..24 {
        if office.t.store.next_message_due().await.unwrap().is_none() {
            break;
        }
        office.step(&notifier).await;
    }
    let texts: Vec<String> = gateway.heard().into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["first", "second", "third"]);
    let asked = gateway.inner.lock().unwrap().asked.clone();
    assert!(asked.values().all(|texts| texts.len() == 1), "one key, one text: {asked:?}");
    assert_eq!(asked.len(), 3, "one text, one key: {asked:?}");
    for incident in incidents {
        assert_eq!(office.message(incident).await.status, Status::Sent);
    }
}

#[tokio::test]
async fn a_slow_gateway_is_waited_for_and_its_slowness_is_known() {
    assert!(
        NotifyConfig::default().answer_within > SignedDuration::from_secs(30),
        "slow vendors need half a minute"
    );
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    let incident = office.write(Channel::Sms, "stuck", "task").await;
    let notifier = office.notifier(gateway.config(LONG)).await;
    let answers = async {
        until("asked", || gateway.has_heard("stuck")).await;
        office.clock.advance(SignedDuration::from_secs(30));
        gateway.released.send_replace(true);
    };
    let (sent, ()) = tokio::join!(notifier.deliver(), answers);
    assert_eq!((sent.unwrap(), gateway.heard().len()), (1, 1));
    assert_eq!(office.message(incident).await.attempts, 1);
    let taken = office.t.store.taken_by(Channel::Sms).await.unwrap();
    assert_eq!((taken.needed.as_secs(), taken.failed_since), (30, 0), "and the board says so");
}

/// One person's texts hang. Calls go out, other people's texts go out, later ones go out; his own
/// wait their turn.
#[tokio::test]
async fn nobody_waits_for_another_channel_or_another_number() {
    let (office, gateway) =
        (Office { clock: Clock::System, ..Office::open().await }, Gateway::start().await);
    let stuck = office.write(Channel::Sms, "stuck", "one").await;
    let notifier = Arc::new(office.notifier(gateway.config(LONG)).await);
    let (stop, mut stopped) = watch::channel(false);
    let runs = Arc::clone(&notifier);
    let run =
        tokio::spawn(
            async move { runs.run(async { drop(stopped.wait_for(|it| *it).await) }).await },
        );
    until("the first is under way", || gateway.has_heard("stuck")).await;

    let second = office.write(Channel::Sms, "stuck", "two").await;
    office.write(Channel::Voice, "stuck-too", "call").await;
    office.write(Channel::Voice, "138", "call").await;
    office.write(Channel::Sms, "139", "text").await;
    until("other people hear", || {
        ["138", "139", "stuck-too"].iter().all(|it| gateway.has_heard(it))
    })
    .await;
    assert_eq!(gateway.asked("two"), 0, "one at a time to one number");
    assert!(
        notifier.heartbeat().silent_for() < Duration::from_secs(10),
        "nor does the sender wait"
    );

    // The program stops: batches under way are waited for, and the rest stays for the next start.
    stop.send_replace(true);
    gateway.released.send_replace(true);
    run.await.unwrap();
    assert_eq!(office.message(stuck).await.status, Status::Sent);
    assert_eq!(office.message(second).await.status, Status::Queued);
    notifier.deliver().await.unwrap();
    assert_eq!(office.message(second).await.status, Status::Sent);
}

/// Twenty officials are called, a ranger is dispatched last, and the gateway is slow for all of
/// them.
#[tokio::test]
async fn sixteen_go_at_once_and_the_first_word_is_among_them() {
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    for n in 0..20 {
        office.write_message(ring(&format!("stuck-{n}"), "ring")).await;
    }
    office.write(Channel::Sms, "stuck-ranger", "task").await;
    let notifier = office.notifier(gateway.config(LONG)).await;
    let released = async {
        until("sixteen are under way", || gateway.heard().len() == 16).await;
        assert!(gateway.has_heard("stuck-ranger"), "{:?}", gateway.heard());
        gateway.released.send_replace(true);
    };
    let (sent, ()) = tokio::join!(notifier.deliver(), released);
    assert_eq!((sent.unwrap(), gateway.inner.lock().unwrap().most_under_way), (21, 16));
}

/// A county drills with everybody while the gateway hangs. Then there is a fire.
#[tokio::test]
async fn drills_leave_half_of_the_seats_to_a_fire() {
    let (office, gateway) =
        (Office { clock: Clock::System, ..Office::open().await }, Gateway::start().await);
    for n in 0..20 {
        office
            .write_message(NewMessage { drill: true, ..ring(&format!("stuck-{n}"), "drill") })
            .await;
    }
    let notifier = office.notifier(gateway.config(LONG)).await;
    let fire = async {
        until("eight drills are under way", || gateway.heard().len() == 8).await;
        office.write(Channel::Sms, "138", "fire").await;
        until("the fire goes out", || gateway.has_heard("138")).await;
        assert_eq!(gateway.heard().len(), 9);
        gateway.released.send_replace(true);
    };
    notifier.run(fire).await;
}

#[tokio::test]
async fn an_officer_who_is_rung_for_five_incidents_at_once_is_called_once() {
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    let words: Vec<String> = (1..=5)
        .map(|n| {
            format!(
                "【森防】0405-{n:02}·官庄镇界亭驿村·110.400,28.450·卫星1像素·14:00发现·无\
            人研判·请派人或销号·回复1收到·值班13800000062"
            )
        })
        .collect();
    let mut incidents = Vec::new();
    for words in &words {
        incidents.push(
            office
                .write_message(NewMessage { channel: Channel::Voice, ..ring("138", words) })
                .await,
        );
    }
    office.notifier(gateway.config(LONG)).await.deliver().await.unwrap();
    assert_eq!(gateway.heard(), [("voice".to_owned(), "138".to_owned(), words.join("\n"))]);
    let mut batches = BTreeSet::new();
    for incident in incidents {
        let row = office.message(incident).await;
        assert_eq!(row.status, Status::Sent, "each incident keeps its own line for the record");
        batches.insert(row.batch);
    }
    assert_eq!(batches.len(), 1);
}

/// Three messages tell the group the same: it is said once.
#[tokio::test]
async fn a_digest_says_no_line_twice() {
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    for words in ["smoke", "smoke", "fire", "smoke"] {
        office.write(Channel::Sms, "138", words).await;
    }
    assert_eq!(office.notifier(gateway.config(LONG)).await.deliver().await.unwrap(), 4);
    assert_eq!(gateway.heard()[0].2, "smoke\nfire");
}

#[tokio::test]
async fn a_drill_leaves_the_fire_its_calls() {
    let (office, gateway) = (Office::open().await, Gateway::start().await);
    let mut drills = Vec::new();
    for n in 0..3 {
        let call = NewMessage {
            channel: Channel::Voice,
            drill: true,
            ..task("138", &format!("【演练】{n}"))
        };
        drills.push(office.write_message(call).await);
        // A restarted process still knows whom the calls were for.
        office.notifier(gateway.config(LONG)).await.deliver().await.unwrap();
        office.clock.advance(SignedDuration::from_mins(2));
    }
    let over = office.message(drills[2]).await;
    assert_eq!(
        (gateway.heard().len(), over.status),
        (2, Status::Failed),
        "two drilled calls an hour: {over:?}"
    );
    for n in 0..3 {
        let fire = office.write(Channel::Voice, "138", &format!("fire {n}")).await;
        office.notifier(gateway.config(LONG)).await.deliver().await.unwrap();
        assert_eq!(office.message(fire).await.status, Status::Sent);
        office.clock.advance(SignedDuration::from_mins(2));
    }
}

/// The gateway is down for half an hour. The board says 未送达, somebody else is told, and the text
/// is retried until …
struct Outage {
    office: Office,
    gateway: Gateway,
    desk: huoyan::desk::Desk,
    notifier: huoyan::notify::Notifier,
    incident: IncidentId,
    message: MessageId,
}

impl Outage {
    async fn begin() -> Self {
        let (office, gateway) = (Office::open().await, Gateway::start().await);
        gateway.set(|inner| inner.is_down = true);
        let config = NotifyConfig { voice_url: None, ..gateway.config(LONG) };
        let (desk, notifier) =
            (desk(&office.t.store, &office.clock), office.notifier(config).await);
        let text = task("r1", "task");
        let message = text.id;
        let incident = office.write_message(text).await;
        let story = Self { office, gateway, desk, notifier, incident, message };
        story.minutes(30).await;
        let shown = story.shown().await;
        assert_eq!(shown.status, Status::Failed);
        assert!(shown.attempts > 8, "tried on every five minutes: {shown:?}");
        story
    }

    async fn minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.office.clock.advance(SignedDuration::from_mins(1));
            self.notifier.deliver().await.unwrap();
            self.desk.tick().await.unwrap();
        }
        let log = self.office.t.store.incident(self.incident).await.unwrap().incident.log;
        let told = |it: &Event| matches!(it, Event::Undelivered { message, .. } if *message == self.message);
        assert_eq!(
            log.iter().filter(|it| told(&it.event)).count(),
            1,
            "somebody else is told exactly once"
        );
    }

    async fn shown(&self) -> Message {
        let all = self.office.t.store.messages_of(self.incident).await.unwrap();
        all.into_iter().find(|it| it.id == self.message).expect("written")
    }

    async fn officer(&self, input: Input) {
        let by =
            By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
        self.desk.act(self.incident, input, &by).await.expect("an officer may");
    }

    /// The gateway is back. Returns whether the text then goes out.
    async fn arrives(&self) -> bool {
        self.gateway.set(|inner| inner.is_down = false);
        let before = self.gateway.asked("task");
        self.minutes(10).await;
        let (asked, status) = (self.gateway.asked("task") > before, self.shown().await.status);
        assert_eq!(asked, status == Status::Sent);
        asked
    }
}

#[tokio::test]
async fn a_text_that_failed_is_tried_on_while_somebody_waits_for_it() {
    let story = Outage::begin().await;
    assert!(story.arrives().await);
}

#[tokio::test]
async fn a_text_is_tried_no_more_when_somebody_has_phoned() {
    let story = Outage::begin().await;
    story.officer(Input::TakeUndelivered { message: story.message }).await;
    assert!(!story.arrives().await);
}

#[tokio::test]
async fn a_text_is_tried_no_more_when_its_incident_is_closed() {
    let story = Outage::begin().await;
    let closure =
        Closure { category: 2, false_alarm: None, words: "电话核实".into(), passed_to: None };
    story.officer(Input::Close { closure }).await;
    assert!(!story.arrives().await);
}

#[tokio::test]
async fn a_text_is_tried_no_more_when_the_person_was_told_something_newer() {
    let story = Outage::begin().await;
    story.gateway.set(|inner| inner.is_down = false);
    let store = &story.office.t.store;
    let filed = store.incident(story.incident).await.unwrap();
    let (next, events) = noted(&filed.incident, "改派", story.office.clock.now());
    let newer = NewMessage { occasion: Occasion::Relieved, ..task("r1", "stand down") };
    let commit = Commit { incident: &next, events: &events, last_opened: None };
    store.commit(commit, |_| vec![newer]).await.unwrap();
    story.notifier.deliver().await.unwrap();
    assert_eq!(story.gateway.asked("stand down"), 1);
    assert!(!story.arrives().await, "he would go after all");
}
