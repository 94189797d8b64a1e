//! Invariant 1: the real program is killed with SIGKILL again and again while fires come in and
//! people act. Whatever it answered with 2xx is in the log, every escalation exists exactly once,
//! and no fire is lost or duplicated.

use crate::fixture::*;
use crate::program::{Browser, Dice, GRIDS, Office};
use huoyan::clock::Clock;
use huoyan::store::{Filter, Store};
use huoyan::triage::event::Event;
use huoyan::triage::id::{ActionId, DispatchId, IncidentId};
use huoyan::triage::policy::Channel;
use huoyan::triage::sighting::Source;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// Seconds instead of minutes; otherwise the default ladder.
const CONFIG: &str = r#"
[satellite]
folder_every = "100ms"

[policy]
flood_per_minute = 1000
acknowledge_within = "3s"
arrive_within = "6s"
report_within = "9s"
ladder = [
    { after = "1s", unless = "acknowledged", tell = ["ranger"], channel = "voice" },
    { after = "2s", unless = "acknowledged", tell = ["ranger", "backup_ranger"], channel = "voice" },
    { after = "3s", unless = "acknowledged", tell = ["village_chief", "township_duty"], channel = "sms" },
    { after = "6s", unless = "arrived", tell = ["township_duty", "county_duty", "county_leader"], channel = "sms" },
    { after = "9s", unless = "reported", tell = ["county_duty", "county_leader"], channel = "sms" },
]
"#;
const RUNGS: usize = 5;
/// Time for the last rung, including a restart and a look.
const LADDER_IS_OVER: Duration = Duration::from_secs(15);
const KILLS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_instant_it_loses_nothing_and_repeats_nothing() {
    let seed = std::env::var("HUOYAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut dice = Dice(seed.unwrap_or_else(|| id().as_u128() as u64 | 1));
    eprintln!("HUOYAN_TEST_SEED={}", dice.0);
    let office = Office::prepare(CONFIG, GRIDS);
    let (mut program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;

    let accepted = Arc::new(Mutex::new(Vec::new()));
    let over = Arc::new(AtomicBool::new(false));
    let people: Vec<_> = (0..3)
        .map(|n| {
            let (officer, accepted, over) = (officer.clone(), accepted.clone(), over.clone());
            tokio::spawn(act_until(officer, Dice(dice.0 ^ (n + 1)), accepted, over))
        })
        .collect();
    for kill in 0..KILLS {
        if kill < GRIDS as u64 {
            office.satellite_passes(kill as usize);
        }
        Clock::System.sleep(Duration::from_millis(dice.below(1200))).await;
        program.kill9();
        Clock::System.sleep(Duration::from_millis(dice.below(200))).await;
        program = office.start();
        if dice.below(3) > 0 {
            office.is_up().await;
        }
    }
    office.is_up().await;
    over.store(true, Ordering::Relaxed);
    for person in people {
        person.await.expect("a person acted");
    }
    Clock::System.sleep(LADDER_IS_OVER).await;
    let log_over_http = officer.logs().await;
    program.kill9();

    let check = Command::new(env!("CARGO_BIN_EXE_huoyan"))
        .args(["check", "--json", "--data"])
        .arg(&office.data)
        .output();
    let check = check.expect("huoyan check runs");
    let findings: Vec<Value> = serde_json::from_slice(&check.stdout).expect("findings as JSON");
    let chain = findings.iter().find(|it| it["part"] == "record").expect("the record is checked");
    assert_eq!(chain["state"], "works", "{chain}");
    let accepted = accepted.lock().await;
    assert!(accepted.len() > 20, "people were able to act: {}", accepted.len());
    compare(&office, &accepted, &log_over_http).await;
}

/// A step that the program has answered with 2xx.
struct Accepted {
    incident: IncidentId,
    key: ActionId,
    words: String,
    is_note: bool,
}

/// An officer who acts on any open incident and, like every phone, resends a step with its key
/// until it is answered.
async fn act_until(
    officer: Browser,
    mut dice: Dice,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    over: Arc<AtomicBool>,
) {
    while !over.load(Ordering::Relaxed) {
        let Some(incident) = officer.some_open_incident(&mut dice).await else {
            Clock::System.sleep(Duration::from_millis(20)).await;
            continue;
        };
        let key = ActionId(id());
        let words = format!("note {key}");
        let (step, body) = match dice.below(10) {
            0 => ("acknowledge", json!({ "reason": words })),
            1 => ("arrive", json!({ "reason": words })),
            _ => ("note", json!({ "words": words })),
        };
        let path = format!("/api/v1/incidents/{incident}/{step}");
        loop {
            match officer.post(&path, key, &body).await {
                Some(status) if status.is_success() => {
                    accepted.lock().await.push(Accepted {
                        incident,
                        key,
                        words,
                        is_note: step == "note",
                    });
                    break;
                }
                // 409: not dispatched yet, for example. Nothing was accepted.
                Some(status)
                    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
                {
                    break;
                }
                _ => Clock::System.sleep(Duration::from_millis(30)).await,
            }
            if over.load(Ordering::Relaxed) {
                break;
            }
        }
        Clock::System.sleep(Duration::from_millis(dice.below(60))).await;
    }
}

/// Compares the answers with the log.
async fn compare(office: &Office, accepted: &[Accepted], log_over_http: &HashMap<String, Value>) {
    let store = Store::open("sqlite", &office.data).await.expect("opens");
    whole(&store).await;
    let incidents = store.incidents(Filter::All, None, 100).await.unwrap().items;
    let incidents: HashMap<IncidentId, _> =
        incidents.into_iter().map(|it| (it.incident.id, it.incident)).collect();

    for step in accepted {
        let log = &incidents[&step.incident].log;
        let times = log.iter().filter(|it| it.action == Some(step.key)).count();
        assert_eq!(times, 1, "{} was answered with 2xx", step.words);
        // A note is stored word for word, a repeated acknowledgement only as such.
        let page = log_over_http[&step.incident.to_string()].to_string();
        assert!(
            !step.is_note || page.contains(&step.words),
            "{} is not in the log over HTTP",
            step.words
        );
    }
    let mut pixels = Vec::new();
    for incident in incidents.values() {
        let mut rungs: Vec<(DispatchId, u8)> = Vec::new();
        let (mut calls, mut instead) = (0, Vec::new());
        for recorded in &incident.log {
            match &recorded.event {
                Event::Escalated { dispatch, rung, channel, .. } => {
                    rungs.push((*dispatch, *rung));
                    calls += usize::from(*channel == Channel::Voice);
                }
                // There is no gateway, so every other channel is tried with the same words.
                Event::Undelivered { next: Some(next), .. } => {
                    calls += usize::from(next.channel == Channel::Voice);
                    instead.push((next.channel, next.person.clone()));
                }
                _ => {}
            }
        }
        let once: HashSet<_> = rungs.iter().collect();
        assert_eq!(once.len(), rungs.len(), "a rung fired twice: {rungs:?}");
        let dispatch =
            incident.dispatch.as_ref().expect("a satellite's fire in one grid is dispatched");
        let (acknowledged, arrived) = (dispatch.acknowledged.is_some(), dispatch.arrived.is_some());
        if !acknowledged && !arrived {
            assert_eq!(rungs.len(), RUNGS, "nobody acted: the whole ladder");
        }
        assert!(rungs.contains(&(dispatch.id, 4)), "nobody ever reported");

        let messages = store.messages_of(incident.id).await.unwrap();
        // Two rungs may call with the same words within a minute. Texts always differ in the step
        // they ask for, unless one replaces a text that reached nobody.
        let (mut texts, mut called) = (HashMap::new(), HashMap::<String, usize>::new());
        for message in &messages {
            let who = message
                .to
                .person
                .clone()
                .map_or_else(|| format!("{:?}", message.to.role), |it| it.0);
            if message.channel == Channel::Voice {
                *called.entry(who).or_default() += 1;
            } else {
                let again = instead
                    .iter()
                    .filter(|it| **it == (message.channel, message.to.person.clone()))
                    .count();
                let times = texts.entry((&message.words, message.channel, who)).or_insert(0_usize);
                *times += 1;
                assert!(*times <= 1 + again, "told twice: {message:?}");
            }
        }
        assert!(
            called.values().all(|&times| times <= calls),
            "called more often than rungs fired: {called:?}"
        );
        let told_by = |rung: u8| {
            messages.iter().any(|m| m.created_at.as_microsecond() == fired_at_us(incident, rung))
        };
        assert!(rungs.iter().all(|(_, rung)| told_by(*rung)), "a rung fired and nobody was told");
        pixels.extend(incident.sightings.iter().map(|it| match &it.source {
            Source::Satellite { hotspot_key, .. } => hotspot_key.clone(),
            other => panic!("nobody reported {other:?}"),
        }));
    }
    let seen = pixels.len();
    pixels.sort();
    pixels.dedup();
    assert_eq!((pixels.len(), seen, incidents.len()), (GRIDS, GRIDS, GRIDS), "each fire once");
}

/// Microseconds, as stored with messages.
fn fired_at_us(incident: &huoyan::triage::incident::Incident, wanted: u8) -> i64 {
    let fired = |it: &&std::sync::Arc<huoyan::triage::event::Recorded>| matches!(it.event, Event::Escalated { rung, .. } if rung == wanted);
    incident.log.iter().find(fired).expect("fired").at.as_microsecond()
}
