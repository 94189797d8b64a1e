//! `make torture`: the real program with a small county, while fires come in, people act and
//! everything around it fails in turn. At the end the log, the outbox and the gateway are compared.
//!
//! ```text
//! satellite files, a camera ─► the program (killed, on a full disk, under another clock, without its database) ─► gateway (out, slow, forgetful)
//! people over HTTP, who send again until they are answered ─┘
//! ```

mod around;
mod eye;
mod gateway;
mod people;
mod probe;
mod verdict;

use crate::program::{Dice, Hands, Office, Program};
use around::{Fault, Wire};
use gateway::{Gateway, Mood};
use huoyan::clock::Clock;
use huoyan::store::Store;
use jiff::Timestamp;
use people::{Accepted, Person};
use probe::Probe;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
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
/// Time for the last rung after the last fire, and for the gateway's second try.
const LADDER_IS_OVER: Duration = Duration::from_secs(20);
/// Seconds between two fires, apart from the one during each fault and the one after its recovery.
/// Each has a grid of its own.
const FIRE_EVERY_S: u64 = 5;
/// Limit for the first fire on a busy machine.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);
/// Longest duration of a fault that is not seen to take effect; others last some seconds. The board
/// reports a clock step within 15 s.
const TAKES_HOLD_WITHIN: Duration = Duration::from_secs(20);
/// People who act at once. One person may make 60 changes a minute. The program refuses more, and
/// they try again.
const PEOPLE: u64 = 3;

pub struct Plan {
    pub seconds: u64,
    pub seed: u64,
    /// Within this time after each recovery an action and a deadline must succeed.
    pub lives_within: Duration,
    /// `postgres://user@host:port/database`; SQLite without.
    pub postgres: Option<String>,
}

/// Runs the plan; `tell` is called for each fault.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&str)) -> Figures {
    let mut dice = Dice(plan.seed | 1);
    let gateway = Gateway::start().await;
    let wire = match &plan.postgres {
        Some(url) => Some(Wire::start(url).await),
        None => None,
    };
    let config = format!(
        "[notify]\nsms_url = \"{0}/sms\"\nvoice_url = \"{0}/voice\"\n{POLICY}",
        gateway.url
    );
    let folder = tempfile::tempdir().expect("a folder");
    let hands = Hands::new(folder.path());
    let store_url = wire.as_ref().map(|wire| ("HUOYAN_STORE_URL".to_owned(), wire.url.clone()));
    let grids = 2 * usize::try_from(plan.seconds).expect("a span") + 1;
    let office = Arc::new(
        Office::prepare(&config, grids).with_env(hands.env().into_iter().chain(store_url)),
    );
    let camera = eye::open(&office, folder.path());
    let (program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    let store_url = wire.as_ref().map_or("sqlite", |wire| &wire.direct);
    let store = Store::open(store_url, &office.data).await.expect("opens");
    let probe = Probe::log_in(&office, &store, &links["office"], Dice(plan.seed ^ 1 << 32)).await;
    store.close().await;

    let mut county = County {
        office: Arc::clone(&office),
        person: Person {
            browser: officer,
            accepted: Arc::default(),
            again: Arc::default(),
            refused: Arc::default(),
            over: Arc::default(),
        },
        probe,
        program,
        hands,
        gateway,
        wire,
        fires: 0,
        healed_at: Clock::System.now(),
        lives_within: plan.lives_within,
        figures: Figures::default(),
    };
    let person = county.person.clone();
    let people: Vec<_> =
        (0..PEOPLE).map(|n| tokio::spawn(person.clone().act(Dice(plan.seed ^ (n + 2))))).collect();
    county.fire();
    tokio::time::timeout(BEGINS_WITHIN, county.probe.acts())
        .await
        .expect("a first fire that can be acted on");
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
            "{:4} s  {:<19} {:<10} action {}  deadline {}  fires {}  accepted {}",
            begun.elapsed().as_secs(),
            fault.name(),
            if healed.took_hold { "took hold," } else { "idle," },
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
    let is_watched = eye::is_watched_since(&county.probe.browser, county.healed_at).await;
    county
        .figures
        .must(is_watched, || "the camera was not looked at after the last fault".to_owned());
    county.program.kill9();
    drop(camera);
    let url = county.wire.as_ref().map_or("sqlite", |wire| &wire.direct);
    let store = Store::open(url, &office.data).await.expect("opens");
    let accepted =
        std::mem::take(&mut *person.accepted.lock().unwrap_or_else(PoisonError::into_inner));
    let mut figures = county.figures;
    figures.counts.insert("steps sent again", person.again.load(Ordering::Relaxed));
    figures.verify(&store, &accepted, county.fires, &county.gateway).await;
    store.close().await;
    figures
}

fn said(took: Option<Duration>) -> String {
    took.map_or_else(|| "never".to_owned(), |took| format!("{:4} ms", took.as_millis()))
}

/// How soon after a fault an action and a deadline succeeded. None: not within the plan's time.
pub struct Healed {
    /// Whether the fault was seen to take effect.
    pub took_hold: bool,
    pub action: Option<Duration>,
    pub deadline: Option<Duration>,
}

struct County {
    office: Arc<Office>,
    person: Person,
    probe: Probe,
    program: Program,
    hands: Hands,
    gateway: Gateway,
    wire: Option<Wire>,
    fires: usize,
    healed_at: Timestamp,
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
        // Somebody acts while it happens.
        let pressing = self.person.browser.some_open_incident(dice).await.map(|incident| {
            let (person, after) = (self.person.clone(), Duration::from_millis(dice.below(300)));
            tokio::spawn(async move {
                Clock::System.sleep(after).await;
                person.send(incident, "note", &json!({ "words": "while it happens" })).await;
            })
        });
        Clock::System.sleep(Duration::from_millis(dice.below(300))).await;
        let before = self.suffering(fault);
        self.begin(fault, dice);
        self.fire();
        let took_hold = self.lasts(fault, lasts, before).await;
        self.end(fault).await;
        self.healed_at = Clock::System.now();
        let healed = self.lives(took_hold).await;
        if let Some(pressing) = pressing {
            // If it is still unanswered, it goes on by itself. A program that does not recover has
            // been reported already.
            let _ = tokio::time::timeout(self.lives_within, pressing).await;
        }
        healed
    }

    fn begin(&mut self, fault: Fault, dice: &mut Dice) {
        match fault {
            Fault::Killed => self.program.kill9(),
            Fault::DiskFull => {
                around::fill_the_disk(&self.program, &self.office.data, dice.below(60_000))
            }
            Fault::FilesFull => around::leave_no_room(&self.program),
            Fault::ClockStep => self.hands.set([-2, -1, 1, 2][dice.below(4) as usize]),
            Fault::Gateway(mood) => self.gateway.is(mood),
            Fault::Database => self.wire.as_ref().expect("drawn only with PostgreSQL").cut(),
        }
    }

    async fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Killed => {
                self.program = self.office.start();
                self.office.is_up().await;
            }
            Fault::DiskFull | Fault::FilesFull => around::make_room(&self.program),
            Fault::ClockStep => self.hands.set(0),
            Fault::Gateway(_) => self.gateway.is(Mood::Well),
            Fault::Database => self.wire.as_ref().expect("drawn only with PostgreSQL").mend(),
        }
    }

    /// Waits for `lasts`, and until the fault is seen to take effect. Returns whether it did.
    async fn lasts(&mut self, fault: Fault, lasts: Duration, before: u64) -> bool {
        if fault == Fault::Killed {
            return true; // it is dead, and its end was waited for
        }
        let begun = Instant::now();
        let said =
            if fault == Fault::ClockStep { self.probe.clock_said().await } else { String::new() };
        let (mut took_hold, mut has_room) = (false, fault == Fault::DiskFull);
        while begun.elapsed() < lasts || !took_hold && begun.elapsed() < TAKES_HOLD_WITHIN {
            if !took_hold && has_room && begun.elapsed() > lasts {
                around::leave_no_room(&self.program);
                has_room = false;
            }
            took_hold =
                took_hold || self.takes_hold(fault, &said).await || self.suffering(fault) > before;
            Clock::System.sleep(Duration::from_millis(100)).await;
        }
        took_hold
    }

    /// Counts what this fault has made the program refuse so far.
    fn suffering(&self, fault: Fault) -> u64 {
        match fault {
            Fault::DiskFull | Fault::Database => self.person.refused.load(Ordering::Relaxed),
            Fault::Gateway(_) => self.gateway.seen().troubled,
            Fault::Killed | Fault::FilesFull | Fault::ClockStep => 0,
        }
    }

    /// Whether the fault's effect can be observed now.
    async fn takes_hold(&self, fault: Fault, said: &str) -> bool {
        match fault {
            Fault::Killed | Fault::Gateway(_) => false,
            Fault::ClockStep => self.probe.is_clock_said(said).await,
            Fault::DiskFull | Fault::Database => self.probe.is_note_refused().await,
            Fault::FilesFull => self.probe.is_photo_refused().await,
        }
    }

    /// After a recovery: how soon a person's note is accepted, and how soon a new fire has called
    /// its ranger.
    async fn lives(&mut self, took_hold: bool) -> Healed {
        let healed_at = Instant::now();
        self.fire();
        let within = self.lives_within;
        let action = tokio::time::timeout(within, async {
            self.probe.acts().await;
            healed_at.elapsed()
        });
        let action = action.await.ok();
        // The first rung is due a second after the dispatch.
        let (grid, left) =
            (self.fires - 1, (within + Duration::from_secs(1)).saturating_sub(healed_at.elapsed()));
        let deadline = tokio::time::timeout(left, async {
            while !self.has_rung(grid).await {
                Clock::System.sleep(Duration::from_millis(50)).await;
            }
            healed_at.elapsed().saturating_sub(Duration::from_secs(1))
        });
        Healed { took_hold, action, deadline: deadline.await.ok() }
    }

    async fn has_rung(&self, grid: usize) -> bool {
        let Some(page) = self.probe.browser.get("/api/v1/incidents?state=open&limit=20").await
        else {
            return false;
        };
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let here = items.iter().find(|it| it["place"]["grid"] == format!("g{grid}"));
        let Some(incident) = here.and_then(|it| it["id"].as_str()) else { return false };
        // If somebody acknowledged within a second, the ranger is not called.
        let acknowledged = here.is_some_and(|it| !it["dispatch"]["acknowledged"].is_null());
        let whole = self.probe.browser.get(&format!("/api/v1/incidents/{incident}")).await;
        let log = whole.and_then(|it| it["log"].as_array().cloned()).unwrap_or_default();
        acknowledged || log.iter().any(|line| line["event"]["type"] == "escalated")
    }

    /// Waits until no message is on its way: after an outage a gateway is retried after 5 s, 10 s,
    /// 20 s.
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

/// What was counted, by name.
pub type Counts = BTreeMap<&'static str, u64>;
