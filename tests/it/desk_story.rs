//! The 131 rule as a chief would tell it: who is told when, exactly once, whatever happens to the
//! desk in between.

mod places;

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::county::{Area, County, Grid};
use huoyan::desk::Desk;
use huoyan::error::Kind;
use huoyan::store::{Message, Status, Store};
use huoyan::triage::event::{
    Actor, Closure, Event, FalseAlarm, Flames, Means, Position, Verification,
};
use huoyan::triage::geo::{FixMethod, LatLon, Locus, RangeBasis, Ray};
use huoyan::triage::id::{ActionId, DispatchId, IncidentId, SightingId};
use huoyan::triage::incident::{By, Input, State};
use huoyan::triage::policy::{Channel, Policy, Role, Rung, Stage};
use huoyan::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// One evening of the office.
struct Story {
    t: TestStore,
    clock: Clock,
    desk: Desk,
}

impl Story {
    async fn begin() -> Self {
        Self::of(county()).await
    }

    async fn of(county: County) -> Self {
        let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
        let desk = desk_of(&t.store, &clock, county, Policy::default());
        Self { t, clock, desk }
    }

    /// A satellite sees a fire inside the grid: dispatched at once.
    async fn fire(&self) -> IncidentId {
        self.desk.sighting(fire()).await.expect("filed")
    }

    /// Minute by minute up to `minute` after the start.
    async fn wait_until(&self, minute: i64) {
        while self.clock.now() < at(minute) {
            self.clock.advance(SignedDuration::from_mins(1));
            self.desk.tick().await.expect("a look at the clock");
        }
    }

    /// `(minute, person, channel)` of every message, in the order they were made.
    async fn told(&self, incident: IncidentId) -> Vec<(i64, String, Channel)> {
        told(&self.t.store, incident).await
    }

    async fn ranger(
        &self,
        incident: IncidentId,
        input: Input,
    ) -> huoyan::error::Result<huoyan::store::Filed> {
        self.desk.act(incident, input, &by_ranger("r1")).await
    }
}

async fn told(store: &Store, incident: IncidentId) -> Vec<(i64, String, Channel)> {
    let line = |m: Message| {
        let who = m.to.person.map_or_else(|| "nobody".to_owned(), |person| person.0);
        (m.created_at.duration_since(start()).as_mins(), who, m.channel)
    };
    let mut lines: Vec<_> =
        store.messages_of(incident).await.unwrap().into_iter().map(line).collect();
    lines.sort();
    lines
}

fn lines(expected: &[(i64, &str, Channel)]) -> Vec<(i64, String, Channel)> {
    expected.iter().map(|(minute, who, channel)| (*minute, (*who).to_owned(), *channel)).collect()
}

fn fire() -> Sighting {
    satellite_sighting(&hotspot(&id().to_string(), "2.0NRT"))
}

fn by_ranger(person: &str) -> By {
    By {
        actor: Actor::Ranger { person: person.into() },
        action: Some(ActionId(id())),
        happened_at: Some(at(2)),
    }
}

fn by_officer() -> By {
    By {
        actor: Actor::Officer { person: "o2".into() },
        action: Some(ActionId(id())),
        happened_at: None,
    }
}

fn phone() -> Input {
    Input::Acknowledge { means: Means::Phone }
}

fn found_fire() -> Input {
    Input::Report {
        verification: Verification {
            category: 1,
            flames: Some(Flames::Small),
            area_mu: Some(0.5),
            extinguished: Some(true),
            words: "烧田埂，已扑灭".into(),
            photos: vec![],
            no_photo_reason: Some("没有信号".into()),
            position: None,
        },
    }
}

use Channel::{Sms, Voice};

#[tokio::test]
async fn nobody_touches_the_phone() {
    let story = Story::begin().await;
    let fire = story.fire().await;
    story.wait_until(80).await;
    assert_eq!(
        story.told(fire).await,
        lines(&[
            (0, "r1", Sms),
            (3, "r1", Voice),
            (5, "r1", Voice),
            (5, "r2", Voice),
            (10, "chief", Sms),
            (10, "t2", Sms),
            (30, "l2", Sms),
            (30, "o2", Sms),
            (30, "t2", Sms),
            (60, "l2", Sms),
            (60, "o2", Sms),
            (70, "o2", Voice),
            (75, "l2", Voice),
            (80, "o1", Voice),
            (80, "o2", Voice),
        ]),
        "and then the office is rung, again and higher"
    );
    let log = story.t.store.incident(fire).await.unwrap().incident.log;
    let missed = log.iter().filter(|it| matches!(it.event, Event::DeadlineMissed { .. })).count();
    assert_eq!(missed, 3);
    whole(&story.t.store).await;
}

#[tokio::test]
async fn the_ladder_falls_silent_step_by_step() {
    let story = Story::begin().await;
    let fire = story.fire().await;
    story.wait_until(4).await;
    assert_eq!(story.ranger(fire, phone()).await.unwrap().incident.state, State::Acknowledged);
    story.wait_until(35).await;
    let here = Position { at: place(28.451, 110.401), accuracy_m: 9.0, measured_at: Some(at(2)) };
    story.ranger(fire, Input::Arrive { means: Means::Phone, position: Some(here) }).await.unwrap();
    story.wait_until(50).await;
    let reported = story.ranger(fire, found_fire()).await.unwrap();
    assert_eq!(reported.incident.state, State::Reported);
    story.wait_until(64).await;
    assert_eq!(
        story.told(fire).await,
        lines(&[
            (0, "r1", Sms),
            (3, "r1", Voice),
            (30, "l2", Sms),
            (30, "o2", Sms),
            (30, "t2", Sms)
        ])
    );
    // The log holds both times, the phone's and the server's. Lateness follows the server's.
    let dispatch = story.t.store.incident(fire).await.unwrap().incident.dispatch.unwrap();
    let arrived = dispatch.arrived.unwrap();
    assert_eq!(
        (arrived.received_at, arrived.happened_at, arrived.late),
        (at(35), Some(at(2)), true)
    );
    assert!(!dispatch.acknowledged.unwrap().late);
}

#[tokio::test]
async fn a_repeated_tap_counts_once_and_a_stranger_not_at_all() {
    let story = Story::begin().await;
    let fire = story.fire().await;
    let tap = by_ranger("r1");
    let first = story.desk.act(fire, phone(), &tap).await.unwrap();
    let again = story.desk.act(fire, phone(), &tap).await.unwrap();
    assert_eq!(again, first);
    let stranger = story.desk.act(fire, phone(), &by_ranger("r2")).await.unwrap_err();
    assert_eq!(stranger.kind, Kind::Forbidden);
    let early = story
        .desk
        .act(fire, Input::SendBack { reason: "照片不清".into() }, &by_officer())
        .await
        .unwrap_err();
    assert_eq!(early.kind, Kind::Conflict);
    let unknown = Input::Dispatch { dispatch: DispatchId(id()), ranger: "r99".into() };
    assert_eq!(story.desk.act(fire, unknown, &by_officer()).await.unwrap_err().kind, Kind::Invalid);
    let nowhere = story.desk.act(IncidentId(id()), phone(), &tap).await.unwrap_err();
    assert_eq!(nowhere.kind, Kind::NotFound);
}

#[tokio::test]
async fn overdue_escalations_fire_once_after_a_restart_even_by_two_desks() {
    let story = Story::begin().await;
    let fire = story.fire().await;
    story.t.store.close().await;
    // The office's PC was off for half an hour; then two processes start at once.
    story.clock.advance(SignedDuration::from_mins(35));
    let store = story.t.again().await;
    let desks = [Arc::new(desk(&store, &story.clock)), Arc::new(desk(&store, &story.clock))];
    let looks: Vec<_> = (0..8)
        .map(|n| {
            let desk = desks[n % 2].clone();
            tokio::spawn(async move { desk.tick().await.expect("a look") })
        })
        .collect();
    for look in looks {
        look.await.unwrap();
    }
    let expected = lines(&[
        (0, "r1", Sms),
        (35, "chief", Sms),
        (35, "l2", Sms),
        (35, "o2", Sms),
        (35, "r1", Voice),
        (35, "r1", Voice),
        (35, "r2", Voice),
        (35, "t2", Sms),
        (35, "t2", Sms),
    ]);
    assert_eq!(told(&store, fire).await, expected);
    let log = store.incident(fire).await.unwrap().incident.log;
    let mut rungs: Vec<u8> = log
        .iter()
        .filter_map(|it| match it.event {
            Event::Escalated { rung, .. } => Some(rung),
            _ => None,
        })
        .collect();
    rungs.sort();
    assert_eq!(rungs, [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_sighting_written_down_before_a_crash_is_filed_after_it() {
    let story = Story::begin().await;
    let sighting = fire();
    story.t.store.record_sightings(std::slice::from_ref(&sighting), start()).await.unwrap();
    story.desk.tick().await.unwrap();
    assert_eq!(
        story.t.store.incident_of(sighting.id).await.unwrap(),
        None,
        "perhaps somebody is filing it just now"
    );
    story.clock.advance(SignedDuration::from_secs(6));
    story.desk.tick().await.unwrap();
    let incident = story.t.store.incident_of(sighting.id).await.unwrap().expect("filed");
    assert_eq!(
        story.desk.sighting(sighting).await.unwrap(),
        incident,
        "the same sighting again is the same incident"
    );
    assert_eq!(story.t.store.open_incidents().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_eyes_on_one_fire_make_one_incident() {
    let t = TestStore::sqlite().await;
    let clock = Clock::simulated(start());
    let desks = [Arc::new(desk(&t.store, &clock)), Arc::new(desk(&t.store, &clock))];
    let arrivals: Vec<_> = (0..12)
        .map(|n| {
            let desk = desks[n % 2].clone();
            tokio::spawn(async move {
                let sighting = fire();
                // A desk that loses five times in a row files it at its next look.
                match desk.sighting(sighting.clone()).await {
                    Err(e) if e.kind == Kind::Conflict => desk.sighting(sighting).await,
                    done => done,
                }
            })
        })
        .collect();
    let mut incidents = Vec::new();
    for arrival in arrivals {
        incidents.push(arrival.await.unwrap().expect("filed"));
    }
    incidents.dedup();
    assert_eq!(incidents.len(), 1);
    let incident = t.store.incident(incidents[0]).await.unwrap().incident;
    assert_eq!(incident.sightings.len(), 12);
    assert_eq!(
        told(&t.store, incident.id).await,
        lines(&[(0, "r1", Sms)]),
        "one ranger is sent once"
    );
}

#[tokio::test]
async fn an_alert_nobody_looks_at_rings_again_and_higher() {
    let story = Story::begin().await;
    let called = Sighting {
        source: huoyan::triage::sighting::Source::Person {
            who: "12119".into(),
            words: "后山冒烟".into(),
        },
        ..fire()
    };
    let incident = story.desk.sighting(called).await.unwrap();
    assert_eq!(story.told(incident).await, []);
    story.wait_until(30).await;
    let rings = [(5, "o2"), (10, "l2"), (15, "o1"), (15, "o2"), (25, "o2"), (30, "l2")];
    assert_eq!(story.told(incident).await, lines(&rings.map(|(minute, who)| (minute, who, Voice))));
    let words = &story.t.store.messages_of(incident).await.unwrap()[0].words;
    assert_eq!(
        words,
        "【森防】0405-01·官庄镇界亭驿村·110.400,28.450·人工报警·14:00发现·无人研判·请派人或销号·回\
        复1收到·值班13800000062"
    );
}

#[tokio::test]
async fn somebody_who_cannot_go_is_replaced_and_told_so() {
    let story = Story::begin().await;
    let fire = story.fire().await;
    story.wait_until(1).await;
    let declined =
        story.ranger(fire, Input::Decline { reason: "在县城住院".into() }).await.unwrap();
    assert_eq!(declined.incident.state, State::NeedsReview);
    story.wait_until(2).await;
    let second = Input::Dispatch { dispatch: DispatchId(id()), ranger: "r2".into() };
    story.desk.act(fire, second, &by_officer()).await.unwrap();
    let third = Input::Dispatch { dispatch: DispatchId(id()), ranger: "chief".into() };
    story.desk.act(fire, third, &by_officer()).await.unwrap();
    let texts: Vec<_> = story
        .t
        .store
        .messages_of(fire)
        .await
        .unwrap()
        .into_iter()
        .map(|m| (m.to.name, m.words))
        .collect();
    let to = |name: &str| {
        let words = texts.iter().filter(|(to, _)| to == name).map(|(_, words)| words.as_str());
        words.collect::<Vec<_>>()
    };
    assert!(
        to("吴领导").iter().any(|words| words.contains("护林员不能前往（在县城住院）·请改派")),
        "{texts:?}"
    );
    assert!(to("李县").iter().any(|words| words.contains("请改派")), "{texts:?}");
    assert_eq!(to("李四").len(), 2);
    assert!(to("李四").iter().any(|words| words.contains("已改派他人·您不必前往")));
    assert!(
        to("张三").iter().all(|words| !words.contains("改派")),
        "who declined needs no second word"
    );

    let closing = Input::Close {
        closure: Closure {
            category: 2,
            false_alarm: None,
            words: "电话核实".into(),
            passed_to: None,
        },
    };
    story.desk.act(fire, closing, &by_officer()).await.unwrap();
    story.wait_until(120).await;
    let last = story.t.store.messages_of(fire).await.unwrap().pop().unwrap();
    assert_eq!((last.to.name.as_str(), last.words.contains("已销号·您不必前往")), ("王村长", true));
}

#[tokio::test]
async fn a_gap_in_the_rota_is_seen_and_somebody_is_told_all_the_same() {
    let mut gap = county();
    gap.duties.retain(|duty| duty.role != Role::CountyLeader);
    gap.people.retain(|person| !person.id.as_str().starts_with('l'));
    gap.people.iter_mut().find(|person| person.id.as_str() == "chief").unwrap().phone = None;
    let story = Story::of(gap).await;
    let fire = story.fire().await;
    story.wait_until(63).await;
    let messages = story.t.store.messages_of(fire).await.unwrap();
    let failed: Vec<_> = messages
        .iter()
        .filter(|m| m.status == Status::Failed)
        .map(|m| {
            (m.created_at.duration_since(start()).as_mins(), m.to.role, m.error.clone().unwrap())
        })
        .collect();
    assert_eq!(
        failed[0],
        (10, Role::VillageChief, "没有电话号码 / no phone number in the register".to_owned())
    );
    assert_eq!(failed[1], (30, Role::CountyLeader, "无人值班 / nobody on duty".to_owned()));
    // A message that reached nobody goes to the next higher role at the desk's next look, in the
    // first one's words.
    let told: Vec<_> = messages.iter().filter(|m| m.words.contains("未送达，请代为处理")).collect();
    assert_eq!(
        (told[0].to.role, told[0].to.name.as_str()),
        (Role::TownshipDuty, "钱乡"),
        "{told:#?}"
    );
    let incident = story.t.store.incident(fire).await.unwrap().incident;
    assert!(
        incident.undelivered.iter().any(|it| it.role == Role::CountyLeader && it.person.is_none()),
        "on the board"
    );
    assert!(
        story.t.store.failed_messages(9).await.unwrap().is_empty(),
        "the log knows of every failure"
    );
}

#[tokio::test]
async fn texts_stand_alone_and_drills_say_so() {
    let story = Story::begin().await;
    let real = story.fire().await;
    let drill = story.desk.sighting(Sighting { drill: true, ..fire() }).await.unwrap();
    assert_ne!(real, drill, "a drill never mixes with a fire");
    story.wait_until(10).await;
    let words = |incident| {
        let store = story.t.store.clone();
        async move {
            store
                .messages_of(incident)
                .await
                .unwrap()
                .into_iter()
                .map(|m| m.words)
                .collect::<Vec<_>>()
        }
    };
    let (texts, drill_texts) = (words(real).await, words(drill).await);
    let task = "【森防】0405-01·官庄镇界亭驿村·110.400,28.450·卫星1像素·14:00发现·回复1接收·值\
        班13800000062";
    assert_eq!(texts[0], task);
    assert!(task.chars().count() <= 70, "one SMS: {} characters", task.chars().count());
    let to_others = "【森防】0405-01·官庄镇界亭驿村·护林员张三13800000061·14:00派发，\
        14:10未接收·请督办，回复1收到·值班13800000062";
    assert!(texts.iter().any(|text| text == to_others), "{texts:#?}");
    let stale: Vec<_> = texts.iter().filter(|text| text.contains("分钟")).collect();
    assert!(stale.is_empty(), "what is read late is still true: {stale:#?}");
    assert!(texts.iter().all(|text| text.starts_with("【森防】0405-01·")));
    assert!(drill_texts.iter().all(|text| text.starts_with("【演练】【森防】0405-02·")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_running_desk_wakes_for_what_is_due() {
    let t = TestStore::sqlite().await;
    let soon = |after_ms, unless| Rung {
        after: SignedDuration::from_millis(after_ms),
        unless,
        tell: vec![Role::Ranger],
        channel: Channel::Voice,
    };
    let policy = Policy {
        ladder: vec![soon(300, Stage::Acknowledged), soon(600, Stage::Acknowledged)],
        ..Policy::default()
    };
    let desk = Arc::new(desk_of(&t.store, &Clock::System, county(), policy));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let desk = desk.clone();
        async move { desk.run(async { drop(stopped.await) }).await }
    });
    // Nothing was due when it began, so only the announcement of this commit can wake it within 15
    // s.
    Clock::System.sleep(Duration::from_millis(100)).await;
    let now = Clock::System.now();
    let incident = desk.sighting(Sighting { observed_at: now, ..fire() }).await.unwrap();
    let fired = async {
        while t.store.messages_of(incident).await.unwrap().len() < 3 {
            Clock::System.sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), fired).await.expect("rungs at 0.3 and 0.6 s");
    let late = |m: &Message, due_ms: i64| -> i64 {
        m.created_at.duration_since(now + SignedDuration::from_millis(due_ms)).as_millis() as i64
    };
    let messages = t.store.messages_of(incident).await.unwrap();
    assert!(
        (0..1000).contains(&late(&messages[1], 300))
            && (0..1000).contains(&late(&messages[2], 600))
    );
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("stops when told").unwrap();
}

#[test]
fn the_story_begins_in_the_afternoon() {
    assert_eq!(start(), "2026-04-05T14:00:00+08:00".parse::<Timestamp>().unwrap());
}
