//! Invariant 1: the real program is killed with SIGKILL again and again while fires come in and people act. Whatever it
//! answered with 2xx is in the log, every escalation exists exactly once, and no fire is lost or doubled.

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::store::{Chain, Filter, Store};
use huoyan::triage::event::Event;
use huoyan::triage::id::{ActionId, DispatchId, IncidentId};
use huoyan::triage::policy::Channel;
use huoyan::triage::sighting::Source;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
/// The last rung, with time to come up and to look.
const LADDER_IS_OVER: Duration = Duration::from_secs(15);
const GRIDS: usize = 8;
const KILLS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_instant_it_loses_nothing_and_repeats_nothing() {
    let seed = std::env::var("HUOYAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut dice = Dice(seed.unwrap_or_else(|| id().as_u128() as u64 | 1));
    eprintln!("HUOYAN_TEST_SEED={}", dice.0);
    let office = Office::prepare();
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

    let check =
        Command::new(env!("CARGO_BIN_EXE_huoyan")).args(["check", "--json", "--data"]).arg(&office.data).output();
    let check = check.expect("huoyan check runs");
    let findings: Vec<Value> = serde_json::from_slice(&check.stdout).expect("findings as JSON");
    let chain = findings.iter().find(|it| it["part"] == "database").expect("the log's chain is checked");
    assert_eq!(chain["state"], "works", "{chain}");
    let accepted = accepted.lock().await;
    assert!(accepted.len() > 20, "people were able to act: {}", accepted.len());
    office.compare(&accepted, &log_over_http).await;
}

/// A step the program has answered with 2xx.
struct Accepted {
    incident: IncidentId,
    key: ActionId,
    words: String,
    is_note: bool,
}

/// An officer who acts on whatever is open and, like every phone, sends a step again with its key until it is answered.
async fn act_until(officer: Browser, mut dice: Dice, accepted: Arc<Mutex<Vec<Accepted>>>, over: Arc<AtomicBool>) {
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
                    accepted.lock().await.push(Accepted { incident, key, words, is_note: step == "note" });
                    break;
                }
                // 409: not dispatched yet, for example. Nothing was accepted.
                Some(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => break,
                _ => Clock::System.sleep(Duration::from_millis(30)).await,
            }
            if over.load(Ordering::Relaxed) {
                break;
            }
        }
        Clock::System.sleep(Duration::from_millis(dice.below(60))).await;
    }
}

struct Office {
    _folder: tempfile::TempDir,
    data: PathBuf,
    config: PathBuf,
    port: u16,
}

impl Office {
    fn prepare() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, config) = (folder.path().join("data"), folder.path().join("huoyan.toml"));
        fs::write(&config, CONFIG).expect("the configuration");
        write_registers(&data.join("registers"));
        fs::create_dir_all(data.join("hotspots")).expect("the watched folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        Self { _folder: folder, data, config, port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn spawn(&self, stdout: Stdio) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
        command.arg("run").arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--json", "--links"]);
        command.env("RUST_LOG", "error").env_remove("HUOYAN_STORE_URL").stdin(Stdio::null()).stdout(stdout);
        Program(command.spawn().expect("huoyan starts"))
    }

    fn start(&self) -> Program {
        self.spawn(Stdio::null())
    }

    /// Starts and reads the login links, the first line of its standard output.
    async fn first_start(&self) -> (Program, HashMap<String, String>) {
        let mut program = self.spawn(Stdio::piped());
        let mut stdout = BufReader::new(program.0.stdout.take().expect("piped"));
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line = tokio::time::timeout(Duration::from_secs(30), line).await.expect("links within 30 s");
        let links = serde_json::from_str(&line.expect("read").expect("a line")).expect("login links as JSON");
        self.is_up().await;
        (program, links)
    }

    async fn is_up(&self) {
        let client = client();
        let up = async {
            while !client.get(self.url("/healthz")).send().await.is_ok_and(|answer| answer.status().is_success()) {
                Clock::System.sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.expect("up within 30 s");
    }

    async fn log_in(&self, link: &str) -> Browser {
        let path = &link[link.find("/login/").expect("a login link")..];
        let answer = client().post(self.url(path)).send().await.expect("answers");
        let cookie = answer.headers().get("Set-Cookie").expect("a session").to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Browser { client: client(), base: self.url(""), cookie }
    }

    /// A list with one pixel in the middle of a grid, whole from its first moment in the folder.
    fn satellite_passes(&self, grid: usize) {
        let now = Clock::System.now();
        let (lat, lon) = centre(grid);
        let list = format!(
            "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,\
             bright_ti5,frp,daynight\n{lat:.5},{lon:.5},331.5,0.40,0.40,{},{},N20,VIIRS,nominal,2.0NRT,290.1,4.1,D\n",
            now.strftime("%Y-%m-%d"),
            now.strftime("%H%M"),
        );
        let part = self.data.join(format!("pass-{grid}.part"));
        fs::write(&part, list).expect("a list");
        fs::rename(part, self.data.join(format!("hotspots/pass-{grid}.csv"))).expect("into the folder");
    }

    async fn compare(&self, accepted: &[Accepted], log_over_http: &HashMap<String, Value>) {
        let store = Store::open("sqlite", &self.data).await.expect("opens");
        assert!(matches!(store.verify_chain().await.unwrap(), Chain::Whole { .. }));
        let incidents = store.incidents(Filter::All, None, 100).await.unwrap().items;
        let incidents: HashMap<IncidentId, _> = incidents.into_iter().map(|it| (it.incident.id, it.incident)).collect();

        for step in accepted {
            let log = &incidents[&step.incident].log;
            let times = log.iter().filter(|it| it.action == Some(step.key)).count();
            assert_eq!(times, 1, "{} was answered with 2xx", step.words);
            // A note is kept word for word; a repeated acknowledgement only as such.
            let page = log_over_http[&step.incident.to_string()].to_string();
            assert!(!step.is_note || page.contains(&step.words), "{} is not in the log over HTTP", step.words);
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
                    // No gateway: every other channel is tried with the same words.
                    Event::Undelivered { next: Some(next), .. } => {
                        calls += usize::from(next.channel == Channel::Voice);
                        instead.push((next.channel, next.person.clone()));
                    }
                    _ => {}
                }
            }
            let once: HashSet<_> = rungs.iter().collect();
            assert_eq!(once.len(), rungs.len(), "a rung fired twice: {rungs:?}");
            let dispatch = incident.dispatch.as_ref().expect("a satellite's fire in one grid is dispatched");
            let (acknowledged, arrived) = (dispatch.acknowledged.is_some(), dispatch.arrived.is_some());
            if !acknowledged && !arrived {
                assert_eq!(rungs.len(), RUNGS, "nobody acted: the whole ladder");
            }
            assert!(rungs.contains(&(dispatch.id, 4)), "nobody ever reported");

            let messages = store.messages_of(incident.id).await.unwrap();
            // Two rungs may call with the same words within a minute; every text differs in the step it asks for, unless it
            // goes out instead of one that reached nobody.
            let (mut texts, mut called) = (HashMap::new(), HashMap::<String, usize>::new());
            for message in &messages {
                let who = message.to.person.clone().map_or_else(|| format!("{:?}", message.to.role), |it| it.0);
                if message.channel == Channel::Voice {
                    *called.entry(who).or_default() += 1;
                } else {
                    let again =
                        instead.iter().filter(|it| **it == (message.channel, message.to.person.clone())).count();
                    let times = texts.entry((&message.words, message.channel, who)).or_insert(0_usize);
                    *times += 1;
                    assert!(*times <= 1 + again, "told twice: {message:?}");
                }
            }
            assert!(called.values().all(|&times| times <= calls), "called more often than rungs fired: {called:?}");
            let told_by =
                |rung: u8| messages.iter().any(|m| m.created_at.as_microsecond() == fired_at_us(incident, rung));
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
}

/// As stored beside messages, microseconds.
fn fired_at_us(incident: &huoyan::triage::incident::Incident, wanted: u8) -> i64 {
    let fired =
        |it: &&huoyan::triage::event::Recorded| matches!(it.event, Event::Escalated { rung, .. } if rung == wanted);
    incident.log.iter().find(fired).expect("fired").at.as_microsecond()
}

/// One running program; dies with the test.
struct Program(Child);

impl Program {
    fn kill9(&mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("dead");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be dead already, which is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone)]
struct Browser {
    client: Client,
    base: String,
    cookie: String,
}

impl Browser {
    async fn get(&self, path: &str) -> Option<Value> {
        let answer =
            self.client.get(format!("{}{path}", self.base)).header("Cookie", &self.cookie).send().await.ok()?;
        if answer.status().is_success() { answer.json().await.ok() } else { None }
    }

    /// `None` when nobody answered, or the answer broke off: whether it was accepted is not known.
    async fn post(&self, path: &str, key: ActionId, body: &Value) -> Option<StatusCode> {
        let request = self.client.post(format!("{}{path}", self.base)).header("Cookie", &self.cookie);
        let answer = request.header("Idempotency-Key", key.to_string()).json(body).send().await.ok()?;
        Some(answer.status())
    }

    async fn some_open_incident(&self, dice: &mut Dice) -> Option<IncidentId> {
        let page = self.get("/api/v1/incidents?state=open").await?;
        let items = page["items"].as_array().filter(|items| !items.is_empty())?;
        items[dice.below(items.len() as u64) as usize]["id"].as_str()?.parse().ok()
    }

    /// The log of every incident, by id.
    async fn logs(&self) -> HashMap<String, Value> {
        let page = self.get("/api/v1/incidents?state=all&limit=100").await.expect("a list");
        let mut logs = HashMap::new();
        for item in page["items"].as_array().expect("items") {
            let incident = item["id"].as_str().expect("an id").to_owned();
            let whole = self.get(&format!("/api/v1/incidents/{incident}")).await.expect("an incident");
            logs.insert(incident, whole["log"].clone());
        }
        logs
    }
}

fn client() -> Client {
    // An error says that another test of this process has done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client =
        Client::builder().timeout(Duration::from_secs(5)).redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.build().expect("a client")
}

/// Middle of a grid, 0.1° apart: farther than any pixel is wide.
fn centre(grid: usize) -> (f64, f64) {
    (28.45, 110.05 + 0.1 * grid as f64)
}

fn write_registers(folder: &Path) {
    let mut people = "编号,姓名,电话,岗位,网格,村,乡镇\n".to_owned();
    let mut grids = Vec::new();
    for grid in 0..GRIDS {
        let (lat, lon) = centre(grid);
        let (south, north, west, east) = (lat - 0.049, lat + 0.049, lon - 0.049, lon + 0.049);
        let ring = json!([[west, south], [east, south], [east, north], [west, north], [west, south]]);
        grids.push(json!({
            "type": "Feature",
            "geometry": { "type": "Polygon", "coordinates": [ring] },
            "properties": { "code": format!("g{grid}"), "name": "1号网格", "village": format!("村{grid}"), "township": "官庄镇" },
        }));
        people += &format!("a{grid},张{grid},1380000{grid:04},护林员A角,g{grid},村{grid},官庄镇\n");
        people += &format!("b{grid},李{grid},1390000{grid:04},护林员B角,g{grid},村{grid},官庄镇\n");
        people += &format!("c{grid},王{grid},1370000{grid:04},村级林长,,村{grid},官庄镇\n");
    }
    people += "t1,赵乡,13600000001,乡镇值班员,,,官庄镇\n";
    people += "o1,孙县,13600000002,县值班员,,,\nl1,周领导,13600000003,带班领导,,,\n";
    fs::create_dir_all(folder).expect("the registers' folder");
    let collection = json!({ "type": "FeatureCollection", "features": grids });
    fs::write(folder.join("grids.geojson"), collection.to_string()).expect("grids");
    fs::write(folder.join("people.csv"), people).expect("people");
}

/// Numbers that look random and are the same for the same seed (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
