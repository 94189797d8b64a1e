//! A prefecture's centre: one process, several counties. What is one county's is no other's, and no
//! county waits for another.

use crate::cluster::centre::{Centre, WIDTH_DEG};
use crate::cluster::{self, Nats, comes_true};
use crate::fixture::*;
use crate::program::{Browser, GRIDS, centre, client};
use huoyan::bus::{Line, Login, written};
use huoyan::clock::Clock;
use huoyan::config::BusConfig;
use huoyan::store::Store;
use huoyan::triage::event::Event;
use huoyan::triage::geo::Locus;
use huoyan::triage::id::{ActionId, SightingId};
use huoyan::triage::sighting::Sighting;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(30);
const OWN: &str = "the-key-of-yuanling";
const BORROWED: &str = "a-key-of-nobody-here";
/// Every fire is its own, however many come at once.
const POLICY: &str = "[policy]\nflood_per_minute = 1000\n";

/// A database and a NATS server, or a word that the test is skipped.
macro_rules! servers {
    () => {
        match (TestStore::empty_database().await, Nats::start()) {
            (Some(url), Some(nats)) => (url, nats),
            _ => {
                return eprintln!(
                    "skipped: HUOYAN_TEST_POSTGRES is not set, or nats-server is not \
                installed"
                )
            }
        }
    };
}

/// Seen just now in the middle of a grid; `county` counts from the west.
fn fire(county: usize, grid: usize) -> Sighting {
    let (lat, lon) = centre(grid);
    let here = place(lat, lon + county as f64 * WIDTH_DEG);
    let locus = Locus::Disc { centre: here, radius_m: 300.0 };
    Sighting { observed_at: Clock::System.now(), locus, ..camera_sighting() }
}

async fn filed(store: &Store) -> Vec<SightingId> {
    let events = store.events_after(0, 10_000).await.expect("the log");
    let sightings = events.into_iter().filter_map(|it| match it.recorded?.event {
        Event::Opened { sighting, .. } | Event::SightingAdded { sighting, .. } => Some(sighting.id),
        _ => None,
    });
    sightings.collect()
}

async fn line(nats: &Nats, county: &str) -> Line {
    let config = BusConfig { url: nats.url(), county: county.to_owned(), ..BusConfig::default() };
    let line = Line::connect(&config, Login::default(), "desk").await.expect("an address");
    assert!(comes_true(SOON, async || line.is_connected()).await, "it connects");
    line
}

async fn send(line: &Line, sighting: &Sighting) {
    let body = written(sighting).expect("JSON");
    line.send_sighting("edge-1", sighting.id, body).await.expect("sent");
}

/// What the centre's machines read.
async fn asked(centre: &Centre, host: &str, path: &str) -> (StatusCode, Value) {
    let answer = client().get(centre.office.url(path)).header("Host", host).send().await;
    let answer = answer.expect("answers");
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

fn link<'a>(links: &'a Value, county: &str, page: &str) -> &'a str {
    links[county][page].as_str().unwrap_or_else(|| panic!("no link to {page} of {county}: {links}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_one_countys_is_not_anothers() {
    let (url, nats) = servers!();
    let mut centre = Centre::prepare(&nats, &url, &["yuanling", "chenxi"], POLICY);
    let keys = [("HUOYAN_INBOUND_KEY", BORROWED), ("HUOYAN_INBOUND_KEY_YUANLING", OWN)];
    centre.office = centre.office.with_env(keys.map(|(name, key)| (name.into(), key.into())));
    let (_program, links) = centre.start().await;
    let [yuanling, chenxi] = ["yuanling", "chenxi"].map(|it| link(&links, it, "office"));
    let (spare, ops) = (link(&links, "yuanling", "ranger"), link(&links, "yuanling", "ops"));
    let (officer, other) =
        (centre.office.log_in(yuanling).await, centre.office.log_in(chenxi).await);

    // An edge of one county sees a fire.
    let edge = cluster::edge(&nats, "edge-1", "");
    let (sighting, line) = (fire(0, 2), line(&nats, "yuanling").await);
    let _edge = cluster::up(&edge).await;
    send(&line, &sighting).await;
    let open = async |it: &Browser| {
        let board = it.get("/api/v1/board").await.expect("a board");
        board["incidents"].as_array().map(Vec::len)
    };
    assert!(comes_true(SOON, async || open(&officer).await == Some(1)).await, "on its board");
    let names_edge = async |it: &Browser| {
        it.get("/api/v1/board").await.expect("a board").to_string().contains("edge edge-1")
    };
    assert!(comes_true(SOON, async || names_edge(&officer).await).await, "its edge has spoken");
    assert_eq!(open(&other).await, Some(0), "and on no other");
    assert!(!names_edge(&other).await);
    let (own, theirs) = (centre.store("yuanling", &url).await, centre.store("chenxi", &url).await);
    assert_eq!((filed(&own).await, filed(&theirs).await), (vec![sighting.id], vec![]));

    // The same person's id exists in both counties. Neither session, link nor token is worth
    // anything next door.
    let next_door = Centre::host("chenxi");
    assert_eq!(officer.asks("/api/v1/board").await, Some(StatusCode::OK));
    assert_eq!(
        officer.at_host(&next_door).asks("/api/v1/board").await,
        Some(StatusCode::UNAUTHORIZED)
    );
    let stranger = spare.replacen("yuanling.", "chenxi.", 1);
    let path = &stranger[stranger.find("/login/").expect("a link")..];
    let used = client().post(centre.office.url(path)).header("Host", &next_door).send().await;
    assert_eq!(used.expect("answers").status(), StatusCode::GONE);
    let token = std::fs::read_to_string(centre.data("yuanling").join("admin.token")).expect("it");
    let enrol = async |code: &str| {
        let request = client().post(centre.office.url("/api/v1/logins"));
        let request = request.header("Host", Centre::host(code)).bearer_auth(&token);
        let request = request.header("Idempotency-Key", id().to_string());
        let body = json!({ "person": "o1", "role": "officer" });
        request.json(&body).send().await.expect("answers").status()
    };
    assert_eq!(enrol("yuanling").await, StatusCode::OK);
    assert_eq!(enrol("chenxi").await, StatusCode::UNAUTHORIZED);
    centre.office.log_in(spare).await;

    // A gateway's key is one county's; the one without a county's name is nobody's.
    let replies = async |code: &str, key: &str| {
        let request = client().post(centre.office.url("/api/v1/inbound/sms"));
        let request = request.header("Host", Centre::host(code)).bearer_auth(key);
        let body = json!({ "id": "1", "from": "13800000000", "text": "1" });
        request.json(&body).send().await.expect("answers").status()
    };
    assert!(replies("yuanling", OWN).await.is_success());
    assert_eq!(replies("yuanling", BORROWED).await, StatusCode::UNAUTHORIZED);
    for key in [OWN, BORROWED] {
        assert_eq!(replies("chenxi", key).await, StatusCode::NOT_FOUND);
    }

    // Thresholds are the county's own.
    let ops = centre.office.log_in(ops).await;
    let mut wanted =
        ops.get("/api/v1/ops/thresholds").await.expect("thresholds")["current"].clone();
    let before = wanted["smoke"].clone();
    wanted["smoke"] = 0.61.into();
    let body = json!({ "thresholds": wanted, "reason": "fog" });
    let published = ops.post("/api/v1/ops/thresholds", ActionId(id()), &body).await;
    assert_eq!(published, Some(StatusCode::OK));
    let chenxi_ops = centre.office.log_in(link(&links, "chenxi", "ops")).await;
    let theirs = chenxi_ops.get("/api/v1/ops/thresholds").await.expect("thresholds");
    assert_eq!(theirs["current"]["smoke"], before);

    // Registers, too: what one edits, the other does not get.
    let people = centre.data("yuanling").join("registers/people.csv");
    let text = std::fs::read_to_string(&people).expect("people");
    std::fs::write(&people, text.replace("孙县", "钱县")).expect("written");
    let renamed = async || {
        officer.get("/api/v1/people").await.is_some_and(|it| it.to_string().contains("钱县"))
    };
    assert!(comes_true(SOON, renamed).await, "the folder's edit is taken");
    let theirs = other.get("/api/v1/people").await.expect("people").to_string();
    assert!(theirs.contains("孙县") && !theirs.contains("钱县"));

    // Each counts from one.
    send(&self::line(&nats, "chenxi").await, &fire(1, 2)).await;
    assert!(comes_true(SOON, async || open(&other).await == Some(1)).await);
    let code = async |it: &Browser| {
        it.get("/api/v1/board").await.expect("a board")["incidents"][0]["code"].clone()
    };
    assert_eq!(code(&officer).await, code(&other).await);
}

/// 2,000 sightings of one county wait when the one of another comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_county_does_not_delay_another() {
    const FLOOD: usize = 2_000;
    let (url, nats) = servers!();
    let centre = Centre::prepare(&nats, &url, &["yuanling", "chenxi"], POLICY);
    let (flooded, calm) = (line(&nats, "yuanling").await, line(&nats, "chenxi").await);
    for line in [&flooded, &calm] {
        line.sightings().await.expect("a queue");
    }
    let mut sending = JoinSet::new();
    for from in 0..20 {
        let line = flooded.clone();
        sending.spawn(async move {
            for n in 0..FLOOD / 20 {
                send(&line, &fire(0, (from + n) % GRIDS)).await;
            }
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("sent");
    }
    let last = fire(1, 0);
    send(&calm, &last).await;
    let (yuanling, chenxi) =
        (centre.store("yuanling", &url).await, centre.store("chenxi", &url).await);
    let _program = cluster::up(&centre.office).await;
    let is_filed = async || filed(&chenxi).await == [last.id];
    assert!(comes_true(SOON, is_filed).await, "the calm county's is filed");
    let before = filed(&yuanling).await.len();
    assert!(before < FLOOD / 2, "{before} of the flood were filed before it");
    assert!(comes_true(SOON, async || filed(&yuanling).await.len() > before).await, "it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_county_is_named_and_leaves_the_others_served_until_it_is_mended() {
    let (url, nats) = servers!();
    let centre = Centre::prepare(&nats, &url, &["yuanling", "chenxi"], "");
    centre
        .writes("chenxi", &format!("{}[policy]\nflood_per_minute = 0\n", Centre::named("chenxi")));
    centre.writes("zixi", &Centre::named("yuanling"));
    let (_program, links) = centre.start().await;
    let officer = centre.office.log_in(link(&links, "yuanling", "office")).await;
    assert_eq!(officer.asks("/api/v1/board").await, Some(StatusCode::OK));
    assert_eq!((&links["chenxi"], &links["zixi"]), (&Value::Null, &Value::Null));

    let (status, ready) = asked(&centre, "centre.localhost", "/readyz").await;
    assert_eq!(status, StatusCode::OK, "the others must not be taken out of service: {ready}");
    let expected = json!({ "yuanling": true, "chenxi": false, "zixi": false });
    assert_eq!(ready["counties"], expected);
    assert_eq!(ready["parts"]["county chenxi"], false);
    assert_eq!(asked(&centre, "10.1.2.3:80", "/readyz").await.1, ready, "machines ask by address");
    assert_eq!(asked(&centre, "nobody.localhost", "/healthz").await.0, StatusCode::OK);
    let (status, _) = asked(&centre, "nobody.localhost", "/office").await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "no county's pages by accident");
    let (status, own) = asked(&centre, &Centre::host("yuanling"), "/readyz").await;
    assert_eq!((status, &own["counties"]), (StatusCode::OK, &Value::Null), "a county's own only");

    centre.writes("chenxi", &Centre::named("chenxi"));
    let all = json!({ "yuanling": true, "chenxi": true, "zixi": false });
    let mended = async || asked(&centre, "centre.localhost", "/readyz").await.1["counties"] == all;
    assert!(comes_true(SOON, mended).await, "it is taken up without a restart");
    let (status, own) = asked(&centre, &Centre::host("chenxi"), "/readyz").await;
    assert_eq!((status, &own["counties"]), (StatusCode::OK, &Value::Null), "at its own name");

    // Somebody copies a running county's file, under a name that comes before it.
    let is_served =
        async || asked(&centre, &Centre::host("yuanling"), "/readyz").await.0 == StatusCode::OK;
    let lists = async || {
        asked(&centre, "centre.localhost", "/readyz").await.1["counties"].get("anhua").cloned()
    };
    centre.writes("anhua", &Centre::named("yuanling"));
    assert!(comes_true(SOON, async || lists().await == Some(json!(false))).await, "it is named");
    assert!(is_served().await, "and takes nobody's address");
    centre.removes("anhua");
    assert!(comes_true(SOON, async || lists().await.is_none()).await);
    assert!(is_served().await);
}

/// The people of the prefecture log in at the centre's own host, and see all counties there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prefecture_sees_one_line_a_county() {
    let (url, nats) = servers!();
    let policy = "[policy]\nflood_per_minute = 1000\n[policy.review]\nalarm_after = \"2s\"\n";
    let centre = Centre::prepare(&nats, &url, &["yuanling", "chenxi"], policy);
    centre.writes("luxi", "[server]\npublic_url = \"fire\"\n");
    let (_program, links) = centre.start().await;
    let prefect = centre.office.log_in(link(&links, "centre", "office")).await;
    assert_eq!(prefect.asks("/office").await, Some(StatusCode::OK));
    assert_eq!(prefect.asks("/api/v1/board").await, Some(StatusCode::NOT_FOUND));
    let edge = cluster::edge(&nats, "edge-1", "");
    let _edge = cluster::up(&edge).await;
    send(&line(&nats, "yuanling").await, &fire(0, 2)).await;
    let overview = async || prefect.get("/api/v1/counties").await.expect("an overview");
    let of = |all: &Value, code: &str| {
        let lines = all["counties"].as_array().expect("lines");
        lines.iter().find(|it| it["code"] == code).cloned().unwrap_or_default()
    };
    let late = async || {
        let yuanling = of(&overview().await, "yuanling");
        yuanling["at_work"]["missed"]["what"] == "review" && yuanling["at_work"]["edges"] == 1
    };
    assert!(comes_true(SOON, late).await, "{}", overview().await);
    let all = overview().await;
    let order: Vec<_> =
        all["counties"].as_array().into_iter().flatten().map(|it| &it["code"]).collect();
    assert_eq!(order, ["luxi", "yuanling", "chenxi"], "those that need somebody first");
    let (yuanling, chenxi, luxi) = (of(&all, "yuanling"), of(&all, "chenxi"), of(&all, "luxi"));
    assert_eq!((&yuanling["at_work"]["open"], &chenxi["at_work"]["open"]), (&json!(1), &json!(0)));
    assert_eq!(yuanling["url"], "http://yuanling.localhost");
    assert!(luxi["at_work"].is_null() && luxi["why"].to_string().contains("public_url"), "{luxi}");
    assert!(chenxi["at_work"]["missed"].is_null());

    // Whoever is the prefecture's is nobody in a county, and the other way round.
    let county = centre.office.log_in(link(&links, "yuanling", "office")).await;
    assert_eq!(county.asks("/api/v1/counties").await, Some(StatusCode::NOT_FOUND));
    let at_centre = county.at_host("centre.localhost").asks("/api/v1/counties").await;
    assert_eq!(at_centre, Some(StatusCode::UNAUTHORIZED));
}

/// The doubt of a fire at the county's eastern edge reaches into the next county, and not into the
/// one beyond it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fire_near_the_border_is_told_to_the_neighbour_once_and_again_when_it_moves() {
    let (url, nats) = servers!();
    let centre = Centre::prepare(&nats, &url, &["chenxi", "luxi", "mayang"], POLICY);
    let (program, links) = centre.start().await;
    let officer = |county| centre.office.log_in(link(&links, county, "office"));
    let (own, next, beyond) =
        (officer("chenxi").await, officer("luxi").await, officer("mayang").await);
    let line = line(&nats, "chenxi").await;
    let (lat, lon) = centre_of_last_grid();
    let seen = |lon: f64, radius_m: f64, drill: bool| Sighting {
        observed_at: Clock::System.now(),
        locus: Locus::Disc { centre: place(lat, lon), radius_m },
        drill,
        ..camera_sighting()
    };
    let incidents = async |it: &Browser| {
        let board = it.get("/api/v1/board").await.expect("a board");
        board["incidents"].as_array().expect("incidents").clone()
    };
    let notices = async |it: &Browser| {
        let mut found = Vec::new();
        for incident in incidents(it).await {
            let path = format!("/api/v1/incidents/{}", incident["id"].as_str().expect("an id"));
            let whole = it.get(&path).await.expect("an incident");
            let sightings = whole["sightings"].as_array().expect("sightings").clone();
            found.extend(sightings.into_iter().filter(|it| it["source"]["kind"] == "neighbour"));
        }
        found
    };

    send(&line, &seen(lon, 9_000.0, false)).await;
    assert!(comes_true(SOON, async || notices(&next).await.len() == 1).await, "it is told");
    let first = notices(&next).await[0].clone();
    let code = incidents(&own).await[0]["code"].clone();
    assert_eq!(first["source"]["code"], code, "it says whose fire it is: {first}");
    let logged =
        async |words: &str| own.logs().await.values().any(|it| it.to_string().contains(words));
    assert!(comes_true(SOON, async || logged("已通报邻县").await).await, "its own log says so");
    assert_eq!(incidents(&beyond).await, Vec::<Value>::new(), "it does not reach so far");

    // A second view is sure of the place, nearer to the border.
    let sure = seen(lon + 0.045, 300.0, false);
    send(&line, &sure).await;
    let moved = async || {
        let notices = notices(&next).await;
        notices.len() == 1 && notices[0] != first
    };
    assert!(comes_true(SOON, moved).await, "the new place stands, the old one is taken back");
    assert!(comes_true(SOON, async || logged("已再次通报邻县").await).await);
    assert_eq!((incidents(&own).await.len(), incidents(&next).await.len()), (1, 1));
    // An officer strikes the second view out: the place is where it was, and so is the notice.
    let at = incidents(&own).await[0]["id"].as_str().expect("an id").to_owned();
    let sorts = async |step: &str, body: Value| {
        own.post(&format!("/api/v1/incidents/{at}/{step}"), ActionId(id()), &body).await
    };
    let strike = json!({ "sighting": sure.id, "reason": "是反光" });
    assert_eq!(sorts("strike-out", strike).await, Some(StatusCode::OK));
    let returned = async || notices(&next).await == [first.clone()];
    assert!(comes_true(SOON, returned).await, "{:?}", notices(&next).await);
    assert_eq!(sorts("reinstate", json!({ "sighting": sure.id })).await, Some(StatusCode::OK));
    assert!(comes_true(SOON, moved).await, "and again: {:?}", notices(&next).await);
    // What the neighbour was told is no news of its own.
    Clock::System.sleep(Duration::from_secs(3)).await;
    assert_eq!(notices(&own).await, Vec::<Value>::new());

    send(&line, &seen(lon - 0.5, 300.0, false)).await;
    send(&line, &seen(lon, 9_000.0, true)).await;
    let drill = async || incidents(&next).await.iter().any(|it| it["drill"] == true);
    assert!(comes_true(SOON, drill).await, "a drill is told as one");
    assert_eq!(incidents(&next).await.len(), 2, "what lies within is nobody else's");

    // What stands wholly beyond the border opens no card here, and one there.
    send(&line, &fire(1, 2)).await;
    assert!(comes_true(SOON, async || incidents(&next).await.len() == 3).await, "it is passed on");
    assert_eq!(incidents(&own).await.len(), 3, "its own are those of before");

    // The centre dies and comes back: what trembles is not told a second time.
    let told = notices(&next).await.len();
    drop(program);
    let _program = cluster::up(&centre.office).await;
    let mut nearby = sure.clone();
    nearby.id = SightingId(id());
    nearby.locus = Locus::Disc { centre: place(lat + 0.000_5, lon + 0.045), radius_m: 300.0 };
    nearby.observed_at = Clock::System.now();
    send(&line, &nearby).await;
    let log = centre.store("chenxi", &url).await;
    assert!(comes_true(SOON, async || filed(&log).await.contains(&nearby.id)).await);
    Clock::System.sleep(Duration::from_secs(3)).await;
    assert_eq!(notices(&next).await.len(), told);
}

/// The easternmost grid of the westernmost county.
fn centre_of_last_grid() -> (f64, f64) {
    centre(GRIDS - 1)
}
