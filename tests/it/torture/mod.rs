//! `make torture`: the real program on a small county while fires come in, people act and everything around it fails in turn. At the
//! end the log, the outbox and the gateway are laid side by side.
//!
//! ```text
//! satellite files ─► the program (killed, on a full disk, under another clock, without its database) ─► gateway (out, slow, forgetful)
//! people over HTTP, who send again until they are answered ─┘
//! ```

mod around;
mod gateway;
mod verdict;

use crate::program::{Browser, Dice, Hands, Office, Program};
use around::{Fault, Wire};
use gateway::Gateway;
use huoyan::clock::Clock;
use huoyan::store::Store;
use huoyan::triage::id::{ActionId, IncidentId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;
pub use verdict::Figures;

/// Seconds instead of minutes; otherwise the default ladder.
const POLICY: &str = r#"
[satellite]
folder_every = "100ms"

# Once a day, and of no fire: not at the hour that this happens to run.
[record]
tell_at = "off"

[policy]
flood_per_minute = 1000
acknowledge_within = "3s"
arrive_within = "6s"
report_within = "9s"
ladder = [
    { after = "1s", unless = "acknowledged", tell = ["ranger"], channel = "voice" },
    { after = "3s", unless = "acknowledged", tell = ["village_chief", "township_duty"], channel = "sms" },
    { after = "6s", unless = "arrived", tell = ["township_duty", "county_duty", "county_leader"], channel = "sms" },
    { after = "9s", unless = "reported", tell = ["county_duty", "county_leader"], channel = "sms" },
]
"#;
const RUNGS: u8 = 4;
/// The last rung after the last fire, and the gateway's second try.
const LADDER_IS_OVER: Duration = Duration::from_secs(20);
/// One fire in so many seconds, beside the one after each healing; each in a grid of its own.
const FIRE_EVERY_S: u64 = 5;
/// People who act at once. One person may change 60 things a minute; the program refuses the rest, and they try again.
const PEOPLE: u64 = 3;

pub struct Plan {
    pub seconds: u64,
    pub seed: u64,
    /// An action and a deadline succeed so soon after each healing.
    pub lives_within: Duration,
    /// `postgres://user@host:port/database`; SQLite without.
    pub postgres: Option<String>,
}

/// A step the program has answered with 2xx.
pub struct Accepted {
    pub incident: IncidentId,
    pub key: ActionId,
}

/// Plays the plan; `tell` hears of each fault.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&str)) -> Figures {
    let mut dice = Dice(plan.seed | 1);
    let gateway = Gateway::start().await;
    let wire = match &plan.postgres {
        Some(url) => Some(Wire::start(url).await),
        None => None,
    };
    let config = format!("[notify]\nsms_url = \"{0}/sms\"\nvoice_url = \"{0}/voice\"\n{POLICY}", gateway.url);
    let folder = tempfile::tempdir().expect("a folder");
    let hands = Hands::new(folder.path());
    let store_url = wire.as_ref().map(|wire| ("HUOYAN_STORE_URL".to_owned(), wire.url.clone()));
    let grids = 2 * usize::try_from(plan.seconds).expect("a span") + 1;
    let office = Arc::new(Office::prepare(&config, grids).with_env(hands.env().into_iter().chain(store_url)));
    let (program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;

    let mut county = County {
        office: Arc::clone(&office),
        person: Person { browser: officer, accepted: Arc::default(), again: Arc::default(), over: Arc::default() },
        program,
        hands,
        gateway,
        wire,
        fires: 0,
        lives_within: plan.lives_within,
        figures: Figures::default(),
    };
    let person = county.person.clone();
    let people: Vec<_> = (0..PEOPLE).map(|n| tokio::spawn(person.clone().act(Dice(plan.seed ^ (n + 2))))).collect();
    let begun = Instant::now();
    let mut next_fire = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(plan.seconds) {
        if begun.elapsed() >= next_fire {
            next_fire = begun.elapsed() + Duration::from_secs(FIRE_EVERY_S);
            county.fire();
        }
        Clock::System.sleep(Duration::from_millis(300 + dice.below(1_500))).await;
        let fault = Fault::drawn(&mut dice, county.wire.is_some());
        let healed = county.suffer(fault, &mut dice).await;
        county.figures.suffered(fault, &healed);
        tell(&format!(
            "{:4} s  {:<16} action {}  deadline {}  fires {}  accepted {}",
            begun.elapsed().as_secs(),
            fault.name(),
            said(healed.action),
            said(healed.deadline),
            county.fires,
            person.accepted.lock().unwrap_or_else(PoisonError::into_inner).len(),
        ));
    }
    person.over.store(true, Ordering::Relaxed);
    for acting in people {
        acting.await.expect("a person acted");
    }
    Clock::System.sleep(LADDER_IS_OVER).await;
    county.settle().await;
    county.program.kill9();
    let url = county.wire.as_ref().map_or("sqlite", |wire| &wire.direct);
    let store = Store::open(url, &office.data).await.expect("opens");
    let accepted = std::mem::take(&mut *person.accepted.lock().unwrap_or_else(PoisonError::into_inner));
    let mut figures = county.figures;
    figures.counts.insert("steps sent again", person.again.load(Ordering::Relaxed));
    figures.verify(&store, &accepted, county.fires, &county.gateway).await;
    store.close().await;
    figures
}

fn said(took: Option<Duration>) -> String {
    took.map_or_else(|| "never".to_owned(), |took| format!("{:4} ms", took.as_millis()))
}

/// What lived again after a fault, and how soon. None: not within the plan's time.
pub struct Healed {
    pub action: Option<Duration>,
    pub deadline: Option<Duration>,
}

struct County {
    office: Arc<Office>,
    person: Person,
    program: Program,
    hands: Hands,
    gateway: Gateway,
    wire: Option<Wire>,
    fires: usize,
    lives_within: Duration,
    figures: Figures,
}

impl County {
    fn fire(&mut self) {
        self.office.satellite_passes(self.fires);
        self.fires += 1;
    }

    async fn suffer(&mut self, fault: Fault, dice: &mut Dice) -> Healed {
        let lasts = Duration::from_millis(500 + dice.below(3_500));
        // Somebody presses while it happens.
        let pressing = self.person.browser.some_open_incident(dice).await.map(|incident| {
            let (person, after) = (self.person.clone(), Duration::from_millis(dice.below(300)));
            tokio::spawn(async move {
                Clock::System.sleep(after).await;
                person.send(incident, "note", &json!({ "words": "while it happens" })).await;
            })
        });
        Clock::System.sleep(Duration::from_millis(dice.below(300))).await;
        match fault {
            Fault::Killed => {
                self.program.kill9();
                self.program = self.office.start();
                self.office.is_up().await;
            }
            Fault::DiskFull => {
                around::fill_the_disk(&self.program, &self.office.data, dice.below(60_000));
                Clock::System.sleep(lasts).await;
                around::make_room(&self.program);
            }
            Fault::ClockStep => {
                self.hands.set([-2, -1, 1, 2][dice.below(4) as usize]);
                Clock::System.sleep(lasts).await;
                self.hands.set(0);
            }
            Fault::Gateway(mood) => {
                self.gateway.is(mood);
                Clock::System.sleep(lasts).await;
                self.gateway.is(gateway::Mood::Well);
            }
            Fault::Database => {
                let wire = self.wire.as_ref().expect("drawn only with PostgreSQL");
                wire.cut();
                Clock::System.sleep(lasts).await;
                wire.mend();
            }
        }
        let healed = self.lives().await;
        if let Some(pressing) = pressing {
            // Not answered by now it goes on by itself; that nothing lives is said already.
            let _ = tokio::time::timeout(self.lives_within, pressing).await;
        }
        healed
    }

    /// After a healing: how soon a person's note is taken, and how soon a fire that comes now has rung its ranger.
    async fn lives(&mut self) -> Healed {
        let healed_at = Instant::now();
        self.fire();
        let (officer, within) = (self.person.browser.clone(), self.lives_within);
        let action = tokio::time::timeout(within, async {
            let key = ActionId(Uuid::now_v7());
            loop {
                if let Some(incident) = officer.some_open_incident(&mut Dice(1)).await {
                    let path = format!("/api/v1/incidents/{incident}/note");
                    // Too many of one person is an answer of a program that lives.
                    let answer = officer.post(&path, key, &json!({ "words": format!("alive {key}") })).await;
                    if answer.is_some_and(|it| it.is_success() || it == StatusCode::TOO_MANY_REQUESTS) {
                        return healed_at.elapsed();
                    }
                }
                Clock::System.sleep(Duration::from_millis(50)).await;
            }
        });
        let action = action.await.ok();
        // The first rung is due a second after the dispatch.
        let (grid, left) = (self.fires - 1, (within + Duration::from_secs(1)).saturating_sub(healed_at.elapsed()));
        let deadline = tokio::time::timeout(left, async {
            while !self.has_rung(grid).await {
                Clock::System.sleep(Duration::from_millis(50)).await;
            }
            healed_at.elapsed().saturating_sub(Duration::from_secs(1))
        });
        Healed { action, deadline: deadline.await.ok() }
    }

    async fn has_rung(&self, grid: usize) -> bool {
        let Some(page) = self.person.browser.get("/api/v1/incidents?state=open&limit=20").await else { return false };
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let here = items.iter().find(|it| it["place"]["grid"] == format!("g{grid}"));
        let Some(incident) = here.and_then(|it| it["id"].as_str()) else { return false };
        // Somebody who has acknowledged within a second spares the ranger the ring.
        let acknowledged = here.is_some_and(|it| !it["dispatch"]["acknowledged"].is_null());
        let whole = self.person.browser.get(&format!("/api/v1/incidents/{incident}")).await;
        let log = whole.and_then(|it| it["log"].as_array().cloned()).unwrap_or_default();
        acknowledged || log.iter().any(|line| line["event"]["type"] == "escalated")
    }

    /// Until nothing is on its way any more: a gateway that was out is asked again after 5 s, 10 s, 20 s.
    async fn settle(&self) {
        let begun = Instant::now();
        let url = self.wire.as_ref().map_or("sqlite", |wire| &wire.direct);
        let store = Store::open(url, &self.office.data).await.expect("opens");
        while begun.elapsed() < Duration::from_secs(60) && verdict::on_its_way(&store).await > 0 {
            Clock::System.sleep(Duration::from_secs(1)).await;
        }
        store.close().await;
    }
}

/// An officer. Like every phone he sends a step again with its key until it is answered.
#[derive(Clone)]
struct Person {
    browser: Browser,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    /// Times a step was sent again.
    again: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Person {
    /// Acts on whatever is open until it is over.
    async fn act(self, mut dice: Dice) {
        while !self.over.load(Ordering::Relaxed) {
            Clock::System.sleep(Duration::from_millis(1_500 + dice.below(3_000))).await;
            let Some(incident) = self.browser.some_open_incident(&mut dice).await else { continue };
            let words = format!("by {}", dice.below(u64::MAX));
            let report =
                json!({ "category": 1, "words": words, "no_photo_reason": words, "photos": 0, "reason": words });
            let (step, body) = match dice.below(6) {
                0 => ("acknowledge", json!({ "reason": words })),
                1 => ("arrive", json!({ "reason": words })),
                2 => ("report", report),
                _ => ("note", json!({ "words": words })),
            };
            self.send(incident, step, &body).await;
        }
    }

    async fn send(&self, incident: IncidentId, step: &str, body: &Value) {
        let (key, path) = (ActionId(Uuid::now_v7()), format!("/api/v1/incidents/{incident}/{step}"));
        loop {
            match self.browser.post(&path, key, body).await {
                Some(status) if status.is_success() => {
                    let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                    return accepted.push(Accepted { incident, key });
                }
                // 409: not dispatched yet, for example. Nothing was accepted.
                Some(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => return,
                _ if self.over.load(Ordering::Relaxed) => return,
                _ => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                    Clock::System.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// What was counted, by name.
pub type Counts = BTreeMap<&'static str, u64>;
