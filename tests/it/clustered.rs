//! The county has its cameras' computers in three townships and two desks in town. Lines break,
//! machines lose power, somebody sends nonsense. No alarm is lost, none comes twice.

use crate::cluster::proxy::Proxy;
use crate::cluster::{self, Nats, comes_true};
use crate::fixture::*;
use crate::program::{Browser, GRIDS, Office, Program};
use crate::wire::Wire;
use huoyan::bus::{Bus, Line, Login, written};
use huoyan::clock::Clock;
use huoyan::config::BusConfig;
use huoyan::edge::{Spool, send};
use huoyan::store::Store;
use huoyan::triage::event::Event;
use huoyan::triage::id::{ActionId, PictureId, SightingId};
use huoyan::triage::sighting::Sighting;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Every fire is its own, however many come at once.
const POLICY: &str = "[policy]\nflood_per_minute = 1000\n";
/// On a busy machine, with a start of the program.
const SOON: Duration = Duration::from_secs(30);
/// Until a silent edge is named, and until many alarms are filed on a busy machine.
const AFTER_A_DEATH: Duration = Duration::from_secs(60);

/// Both servers, or a word that the test is skipped.
macro_rules! servers {
    () => {
        match (TestStore::postgres().await, Nats::start()) {
            (Some(store), Some(nats)) => (store, nats),
            _ => {
                return eprintln!(
                    "skipped: HUOYAN_TEST_POSTGRES is not set, or nats-server is not \
                installed"
                )
            }
        }
    };
}

/// What the edge's model has confirmed, as it lies on the edge's disk.
fn confirmed(edge: &Office, grids: impl IntoIterator<Item = usize>) -> Vec<SightingId> {
    let spool = Spool::open(&edge.data.join("spool"), 1 << 30).expect("opens");
    let kept = grids.into_iter().map(|grid| {
        let (sighting, picture, jpeg) = cluster::fire(grid, 0.0, b"smoke");
        spool.keep_sighting(sighting.id, &written(&sighting).expect("JSON")).expect("kept");
        spool.keep_picture(picture, &jpeg).expect("kept");
        sighting.id
    });
    kept.collect()
}

/// Every sighting of the log, in the order in which it was filed.
async fn filed(store: &Store) -> Vec<SightingId> {
    let events = store.events_after(0, 10_000).await.expect("the log");
    let sightings = events.into_iter().filter_map(|it| match it.recorded?.event {
        Event::Opened { sighting, .. } | Event::SightingAdded { sighting, .. } => Some(sighting.id),
        _ => None,
    });
    sightings.collect()
}

async fn part(officer: &Browser, name: &str) -> Option<Value> {
    let board = officer.get("/api/v1/board").await?;
    board["health"].as_array()?.iter().find(|it| it["part"] == name).cloned()
}

async fn line(url: String, who: &str, county: &str, login: Login) -> Line {
    let config = BusConfig { url, county: county.to_owned(), ..BusConfig::default() };
    let line = Line::connect(&config, login, who).await.expect("an address");
    assert!(comes_true(SOON, async || line.is_connected()).await, "it connects");
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_edge_sees_is_on_every_desk_and_its_silence_too() {
    let (db, nats) = servers!();
    let desks = [0, 1].map(|_| cluster::desk(&nats, &db.url, POLICY, GRIDS));
    let (_one, links) = desks[0].first_start().await;
    let _other = cluster::up(&desks[1]).await;
    let officer = desks[0].log_in(&links["office"]).await;
    let edge = cluster::edge(&nats, "edge-1", "");
    let seen = confirmed(&edge, 0..3);
    let mut program = cluster::up(&edge).await;

    assert!(
        comes_true(SOON, async || filed(&db.store).await.len() == 3).await,
        "{:?}",
        filed(&db.store).await
    );
    for desk in &desks {
        let board = officer.at(desk).get("/api/v1/board").await.expect("one session for all desks");
        assert_eq!(board["incidents"].as_array().map(Vec::len), Some(3));
        assert!(
            comes_true(SOON, async || cluster::pictures(desk) == 3).await,
            "the pictures follow to every desk"
        );
        let says = async || {
            part(&officer.at(desk), "edge edge-1").await.is_some_and(|it| it["ok"] == true)
        };
        assert!(comes_true(SOON, says).await, "the edge has said how it is");
    }
    assert_eq!((cluster::waits(&edge, "sightings"), cluster::waits(&edge, "pictures")), (0, 0));
    assert_eq!(filed(&db.store).await.len(), seen.len(), "none twice");

    program.kill9();
    let silent = async || {
        part(&officer.at(&desks[1]), "edge edge-1").await.is_some_and(|it| it["ok"] == false)
    };
    assert!(comes_true(AFTER_A_DEATH, silent).await, "a dead edge is said");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thresholds_published_at_one_desk_hold_at_the_other_and_at_the_edges() {
    let (db, nats) = servers!();
    let desks = [0, 1].map(|_| cluster::desk(&nats, &db.url, POLICY, GRIDS));
    let (_one, links) = desks[0].first_start().await;
    let _other = cluster::up(&desks[1]).await;
    let edge = cluster::edge(&nats, "edge-1", "");
    let _edge = cluster::up(&edge).await;
    let ops = desks[0].log_in(&links["ops"]).await;
    let mut wanted =
        ops.get("/api/v1/ops/thresholds").await.expect("thresholds")["current"].clone();
    wanted["smoke"] = 0.61.into();
    let body = serde_json::json!({ "thresholds": wanted, "reason": "too many false alarms" });
    let published = ops.post("/api/v1/ops/thresholds", ActionId(id()), &body).await;
    assert_eq!(published.map(|it| it.as_u16()), Some(200));
    let smoke = |it: &Value| (it["smoke"].as_f64().unwrap_or_default() * 100.0).round() as u32;
    let other = async || {
        ops.at(&desks[1])
            .get("/api/v1/ops/thresholds")
            .await
            .is_some_and(|it| smoke(&it["current"]) == 61)
    };
    assert!(comes_true(SOON, other).await, "the other desk reads it in the database");
    // The edge keeps what it was told for its next start.
    let kept = || std::fs::read(edge.data.join("thresholds.json")).unwrap_or_default();
    let told = async || serde_json::from_slice::<Value>(&kept()).is_ok_and(|it| smoke(&it) == 61);
    assert!(comes_true(SOON, told).await, "the edge has taken it over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_network_alarms_wait_on_the_edges_disk_and_come_in_order() {
    let (db, mut nats) = servers!();
    let desk = cluster::desk(&nats, &db.url, POLICY, GRIDS);
    let _desk = cluster::up(&desk).await;
    nats.is_cut();
    let edge = cluster::edge(&nats, "edge-1", "");
    let mut seen = confirmed(&edge, 0..3);
    let mut program = cluster::up(&edge).await;
    Clock::System.sleep(Duration::from_secs(2)).await;
    assert_eq!(cluster::waits(&edge, "sightings"), 3, "nobody can take them");
    // Power fails at the edge, more than once.
    program.kill9();
    seen.extend(confirmed(&edge, 3..GRIDS));
    program = cluster::up(&edge).await;
    assert_eq!(cluster::waits(&edge, "sightings"), GRIDS);
    nats.comes_back();
    assert!(
        comes_true(AFTER_A_DEATH, async || filed(&db.store).await.len() == GRIDS).await,
        "all are filed"
    );
    assert_eq!(filed(&db.store).await, seen, "in order, none lost, none twice");
    assert!(
        comes_true(SOON, async || cluster::pictures(&desk) == GRIDS).await,
        "their pictures, too"
    );
    drop(program);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_dies_while_alarms_come_costs_none_of_them() {
    let (db, nats) = servers!();
    let desks = [0, 1].map(|_| cluster::desk(&nats, &db.url, POLICY, 4 * GRIDS));
    let _one = cluster::up(&desks[0]).await;
    let mut other = cluster::up(&desks[1]).await;
    let edge = cluster::edge(&nats, "edge-1", "");
    let seen = confirmed(&edge, 0..4 * GRIDS);
    let _edge = cluster::up(&edge).await;
    assert!(comes_true(SOON, async || filed(&db.store).await.len() >= 4).await, "they come");
    other.kill9();
    assert!(
        comes_true(AFTER_A_DEATH, async || filed(&db.store).await.len() >= seen.len()).await,
        "the other desk goes on"
    );
    Clock::System.sleep(Duration::from_secs(2)).await;
    let (mut filed, mut seen) = (filed(&db.store).await, seen);
    filed.sort_unstable();
    seen.sort_unstable();
    assert_eq!(filed, seen, "none lost, none twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_kept_aside_and_said_and_stops_nobody() {
    let (db, nats) = servers!();
    let desk = cluster::desk(&nats, &db.url, POLICY, GRIDS);
    let (_desk, links) = desk.first_start().await;
    let officer = desk.log_in(&links["office"]).await;
    let line = line(nats.url(), "desk", "yuanling", Login::default()).await;
    let sends = async |id, body: Vec<u8>| {
        comes_true(SOON, async || line.send_sighting("edge-1", id, body.clone()).await.is_ok())
            .await
    };
    assert!(sends(SightingId(id()), b"{ this is no sighting".to_vec()).await);
    let (sighting, ..) = cluster::fire(0, 0.0, b"smoke");
    assert!(sends(sighting.id, written(&sighting).expect("JSON")).await);
    assert!(
        comes_true(SOON, async || filed(&db.store).await == [sighting.id]).await,
        "what comes after it is filed"
    );
    let said = async || part(&officer, "aside").await.is_some_and(|it| it["ok"] == false);
    assert!(comes_true(SOON, said).await, "the board says so");
    let words = part(&officer, "aside").await.expect("a part")["words"].to_string();
    assert!(words.contains("huoyan-yuanling-aside") && words.contains("not a sighting"), "{words}");
    let aside = line.aside().await.expect("it is kept").expect("one message");
    assert_eq!(aside.messages, 1);
}

/// A desk whose line hangs in the middle of a commit holds the log's lock: not for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_hangs_in_the_middle_of_a_commit_does_not_hold_up_the_others() {
    let Some(db) = TestStore::postgres().await else {
        return eprintln!("skipped: HUOYAN_TEST_POSTGRES is not set");
    };
    let (wire, by_wire) = Wire::to_database(&db.url).await;
    let folder = tempfile::tempdir().expect("a folder");
    let far = Store::open(&by_wire, folder.path()).await.expect("opens");
    let clock = Clock::System;
    let (hanging, other) = (desk(&far, &clock), desk(&db.store, &clock));
    let new = || Sighting { id: SightingId(id()), ..camera_sighting() };
    for _ in 0..3 {
        let busy = async {
            loop {
                // It fails while the line hangs.
                let _ = hanging.sighting(new()).await;
            }
        };
        let meets = async {
            Clock::System.sleep(Duration::from_millis(500)).await;
            wire.hangs();
            let filed = tokio::time::timeout(Duration::from_secs(8), other.sighting(new()));
            filed.await.expect("soon").expect("filed");
            wire.mend();
        };
        tokio::select! { () = busy => {} () = meets => {} }
    }
}

/// F39: a database that is away is no reason to confirm evidence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_filed_now_is_not_confirmed_and_comes_again() {
    let Some(nats) = Nats::start() else {
        return eprintln!("skipped: nats-server is not installed");
    };
    let db = TestStore::sqlite().await;
    let line = line(nats.url(), "desk", "yuanling", Login::default()).await;
    let away = db.again().await;
    away.close().await;
    let (clock, sighting) = (Clock::System, camera_sighting());
    let (blind, sees) = (desk(&away, &clock), desk(&db.store, &clock));
    let mut queue = line.sightings().await.expect("a queue");
    line.send_sighting("edge-1", sighting.id, written(&sighting).expect("JSON"))
        .await
        .expect("sent");
    blind.listen(&mut queue, Clock::System.sleep(Duration::from_secs(2))).await;
    assert_eq!(filed(&db.store).await, []);
    sees.listen(&mut queue, async {
        assert!(comes_true(SOON, async || filed(&db.store).await.len() == 1).await, "it came again")
    })
    .await;
    assert_eq!(filed(&db.store).await, [sighting.id]);
    // Nothing is left to come, and nothing was kept aside.
    assert_eq!(line.aside().await.expect("an answer"), None);
}

/// What a desk's disk refuses for a while is neither lost nor a fault of the line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_a_desks_disk_refuses_is_fetched_again_when_there_is_room() {
    let (db, nats) = servers!();
    let desk = cluster::desk(&nats, &db.url, POLICY, GRIDS);
    let (_desk, links) = desk.first_start().await;
    let officer = desk.log_in(&links["office"]).await;
    let [kept, aside] = ["pictures", "aside"].map(|it| desk.data.join(it));
    std::fs::rename(&kept, &aside).expect("the desk's disk is gone");
    std::fs::write(&kept, b"").expect("and takes nothing");
    let edge = cluster::edge(&nats, "edge-1", "");
    let seen = confirmed(&edge, 0..1);
    let _edge = cluster::up(&edge).await;
    let says = async || part(&officer, "edges' evidence").await;
    let is = async |ok: bool| says().await.is_some_and(|it| it["ok"] == ok);
    assert!(comes_true(SOON, async || is(false).await).await, "{:?}", says().await);
    let words = says().await.expect("a part").to_string();
    assert!(words.contains("1张图片"), "{words}");
    assert_eq!(filed(&db.store).await, seen, "the alarm did not wait for its picture");
    assert_eq!(cluster::waits(&edge, "pictures"), 0, "the edge has handed it over");

    std::fs::remove_file(&kept).and_then(|()| std::fs::rename(&aside, &kept)).expect("mended");
    assert!(comes_true(AFTER_A_DEATH, async || cluster::pictures(&desk) == 1).await);
    assert!(comes_true(SOON, async || is(true).await).await, "and the board says so no longer");
}

/// The edge's disk is nearly full and the line is down: the alarms are kept, the pictures go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_sends_every_alarm_and_what_pictures_it_could_keep() {
    let Some(mut nats) = Nats::start() else {
        return eprintln!("skipped: nats-server is not installed");
    };
    let centre = line(nats.url(), "desk", "yuanling", Login::default()).await;
    let mut queue = centre.sightings().await.expect("a queue");
    centre.pictures().await.expect("a store");
    nats.is_cut();
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 6_000).expect("opens");
    let mut seen = Vec::new();
    for grid in 0..6 {
        let (sighting, ..) = cluster::fire(grid, 0.0, b"smoke");
        let jpeg = vec![grid as u8; 1_500];
        spool.keep_sighting(sighting.id, &written(&sighting).expect("JSON")).expect("kept");
        spool.keep_picture(PictureId::of(id(), &jpeg), &jpeg).expect("kept or shed");
        seen.push(sighting.id);
    }
    let waits = spool.waits();
    assert_eq!(waits.sightings, 6);
    assert!(waits.shed > 0 && waits.bytes <= 6_000, "{waits:?}");
    nats.comes_back();
    let sender = {
        let (spool, line) =
            (spool.clone(), line(nats.url(), "desk", "yuanling", Login::default()).await);
        tokio::spawn(async move { send(&spool, &line, "edge-1", &Clock::System, |_, _| ()).await })
    };
    for id in seen {
        let delivery =
            tokio::time::timeout(SOON, queue.next()).await.expect("in time").expect("a sighting");
        assert_eq!(delivery.sighting.id, id, "in order");
        delivery.done().await;
    }
    assert!(comes_true(SOON, async || spool.waits().pictures == 0).await);
    let mut pictures = centre.pictures().await.expect("the store is still there");
    for _ in 0..waits.pictures {
        let arrived =
            tokio::time::timeout(SOON, pictures.next()).await.expect("in time").expect("a picture");
        assert_eq!(pictures.fetch(&arrived).await.expect("whole").len(), 1_500);
    }
    sender.abort();
}

/// 128 kbit/s, and a picture that takes it for a quarter of a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_overtakes_the_picture_that_is_on_a_thin_line() {
    let Some(nats) = Nats::start() else {
        return eprintln!("skipped: nats-server is not installed");
    };
    let centre = line(nats.url(), "desk", "yuanling", Login::default()).await;
    let mut queue = centre.sightings().await.expect("a queue");
    let mut pictures = centre.pictures().await.expect("a store");
    let wire = Wire::to(nats.url().trim_start_matches("nats://").to_owned()).await;
    let by_wire = format!("nats://{}", wire.at);
    let edge = line(by_wire, "edge-1", "yuanling", Login::default()).await;
    wire.is_thin(16 << 10);
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::open(folder.path(), 1 << 20).expect("opens");
    let jpeg = vec![7; 256 << 10];
    spool.keep_picture(PictureId::of(id(), &jpeg), &jpeg).expect("kept");
    let sender = {
        let spool = spool.clone();
        tokio::spawn(async move { send(&spool, &edge, "edge-1", &Clock::System, |_, _| ()).await })
    };
    let begun = wire.carried();
    let is_under_way = async || wire.carried() > begun + (24 << 10);
    assert!(comes_true(SOON, is_under_way).await, "the picture is under way");
    let (sighting, ..) = cluster::fire(0, 0.0, b"smoke");
    spool.keep_sighting(sighting.id, &written(&sighting).expect("JSON")).expect("kept");
    let delivery =
        tokio::time::timeout(SOON, queue.next()).await.expect("in time").expect("a sighting");
    assert_eq!(delivery.sighting.id, sighting.id);
    assert_eq!(spool.waits().pictures, 1, "the alarm is there, and the picture still on its way");
    delivery.done().await;
    wire.is_thin(0);
    let arrived =
        tokio::time::timeout(SOON, pictures.next()).await.expect("in time").expect("a picture");
    assert_eq!(pictures.fetch(&arrived).await.expect("whole").len(), jpeg.len());
    sender.abort();
}

/// The example docs/haproxy.cfg: whoever has a page open goes on at another desk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_dies_or_hangs_is_left_for_another_within_five_seconds() {
    let (db, nats) = servers!();
    let (wire, by_wire) = Wire::to_database(&db.url).await;
    let desks = [&db.url, &by_wire].map(|url| cluster::desk(&nats, url, POLICY, GRIDS));
    let Some(proxy) = Proxy::start(desks.each_ref()) else {
        return eprintln!("skipped: haproxy is not installed");
    };
    let (mut one, links) = desks[0].first_start().await;
    let other = cluster::up(&desks[1]).await;
    let officer = desks[0].log_in(&links["office"]).await.by(&proxy.url);
    let is_served = async || officer.get("/api/v1/board").await.is_some();
    assert!(comes_true(SOON, is_served).await, "the proxy finds the desks");

    // A page whose request hangs gets an end, and asks again. The proxy asks both desks in turn.
    let all_are_served = async || {
        for _ in 0..10 {
            if !is_served().await {
                return false;
            }
        }
        true
    };
    let is_left = async |what: &str| {
        // The promise is 5 s. A machine that builds and tests at the same time gets more.
        assert!(comes_true(Duration::from_secs(10), all_are_served).await, "{what}: it is left");
    };
    // The proxy looks twice a second whether a desk is back.
    let is_back = async || Clock::System.sleep(Duration::from_secs(3)).await;
    one.kill9();
    is_left("dead").await;
    let _one = cluster::up(&desks[0]).await;
    is_back().await;
    other.freeze();
    is_left("the desk hangs").await;
    other.thaw();
    is_back().await;
    wire.hangs();
    is_left("its line to the database hangs").await;
    wire.mend();
}

/// The example of docs/cluster.md: a login of one county's edge cannot speak for another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_can_only_speak_for_itself_and_its_county() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nats-server.conf");
    let passwords = ["YUANLING_DESK", "YUANLING_EDGE_1", "YUANLING_EDGE_2"]
        .map(|it| (it, format!("secret-of-{it}")));
    let Some(nats) = Nats::with(Some(config), passwords.clone().into()) else {
        return eprintln!("skipped: nats-server is not installed");
    };
    let login = |user: &str, password: &(&str, String)| Login {
        user: Some(user.into()),
        password: Some(password.1.clone()),
    };
    let desk = line(nats.url(), "desk", "yuanling", login("yuanling-desk", &passwords[0])).await;
    let edge =
        line(nats.url(), "edge-1", "yuanling", login("yuanling-edge-1", &passwords[1])).await;
    let elsewhere =
        line(nats.url(), "edge-1", "chenxi", login("yuanling-edge-1", &passwords[1])).await;
    let bus = Bus::over(&desk).await.expect("announcements");
    drop(bus);
    let mut queue = desk.sightings().await.expect("the desk may make its queue");
    let mut pictures = desk.pictures().await.expect("and its store of pictures");
    let mut heard = desk.hear::<Value>().await.expect("and hear its edges");

    let (sighting, picture, jpeg) = cluster::fire(0, 0.0, b"smoke");
    let body = written(&sighting).expect("JSON");
    edge.send_sighting("edge-1", sighting.id, body.clone()).await.expect("its own");
    assert_eq!(queue.next().await.expect("a sighting").sighting, sighting);
    edge.send_picture(picture, jpeg.clone()).await.expect("its picture");
    edge.send_picture(picture, jpeg).await.expect("twice is harmless");
    assert_eq!(pictures.next().await.expect("a picture").picture, Some(picture));
    edge.say("edge-1", &"well").await.expect("its word");
    assert_eq!(heard.next().await.expect("a word").word, "well");

    // `huoyan check` finds out what each may, and leaves nothing behind.
    assert_eq!(desk.missing_streams().await.expect("it may ask"), [""; 0]);
    desk.may_hear("changed").await.expect("it may");
    assert!(edge.may_send_sightings("edge-1").await.expect("it may"), "there is a queue");
    edge.may_hear("tuning").await.expect("it may");
    let refused = edge.may_hear("changed").await.expect_err("for desks").chain();
    assert!(refused.contains("huoyan.yuanling.changed"), "{refused}");
    edge.may_send_sightings("edge-2").await.expect_err("for another edge");
    edge.missing_streams().await.expect_err("streams are the desk's");
    assert_eq!(desk.aside().await.expect("answers"), None);

    edge.send_sighting("edge-2", sighting.id, body.clone()).await.expect_err("for another edge");
    elsewhere.send_sighting("edge-1", sighting.id, body).await.expect_err("for another county");
    edge.sightings().await.err().expect("an edge takes nothing out of the queue");
    let stranger = BusConfig { url: nats.url(), ..BusConfig::default() };
    let stranger = Line::connect(&stranger, Login::default(), "desk").await.expect("an address");
    Clock::System.sleep(Duration::from_secs(1)).await;
    assert!(!stranger.is_connected(), "without a login nobody enters");
}

/// Somebody mistypes the password: the log says it once, with what to do, and so does `huoyan check`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_the_server_refuses_is_told_once_with_what_to_do() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nats-server.conf");
    let passwords = ["YUANLING_DESK", "YUANLING_EDGE_1", "YUANLING_EDGE_2"]
        .map(|it| (it, format!("secret-of-{it}")));
    let Some(nats) = Nats::with(Some(config), passwords.clone().into()) else {
        return eprintln!("skipped: nats-server is not installed");
    };
    let user = "yuanling-desk".to_owned();
    let login = Login { user: Some(user), password: Some(passwords[0].1.clone()) };
    let desk = line(nats.url(), "desk", "yuanling", login).await;
    let edge = cluster::edge(&nats, "edge-1", "");
    let huoyan = |password: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
        command.args(args).arg("--config").arg(edge.folder().join("huoyan.toml"));
        command.arg("--data").arg(&edge.data).env("HUOYAN_NATS_USER", "yuanling-edge-1");
        command.env("HUOYAN_NATS_PASSWORD", password).env_remove("RUST_LOG").env("LC_ALL", "en");
        command.stdin(Stdio::null());
        command
    };
    let found = |password: &str| -> Vec<(String, String)> {
        let output = huoyan(password, &["--json", "check"]).output().expect("huoyan runs");
        let all: Value = serde_json::from_slice(&output.stdout).expect("findings");
        let all = all.as_array().expect("a list").iter().filter(|it| it["part"] == "bus");
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        all.map(|it| (text(&it["state"]), format!("{} {}", text(&it["words"]), text(&it["cure"]))))
            .collect()
    };
    let wrong = found("mistyped");
    assert!(wrong.len() == 1 && wrong[0].0 == "broken", "{wrong:?}");
    assert!(wrong[0].1.contains("HUOYAN_NATS_USER"), "{wrong:?}");
    assert!(!wrong[0].1.contains("mistyped"), "{wrong:?}");
    let states = |found: &[(String, String)]| -> Vec<String> {
        found.iter().map(|(state, _)| state.clone()).collect()
    };
    let early = found(&passwords[1].1);
    assert_eq!(states(&early), ["works", "limited"], "no desk has made a queue yet: {early:?}");
    drop(desk.sightings().await.expect("a queue"));
    let well = found(&passwords[1].1);
    assert_eq!(states(&well), ["works", "works"], "{well:?}");

    let log = edge.folder().join("log.txt");
    let mut command = huoyan("mistyped", &["detect", "--listen", &edge.address()]);
    command.stdout(Stdio::null()).stderr(File::create(&log).expect("a log"));
    let program = Program(command.spawn().expect("huoyan starts"));
    let read = || fs::read_to_string(&log).expect("the log");
    let told = || read().lines().filter(|it| it.contains("does not take the login")).count();
    assert!(comes_true(SOON, async || told() > 0).await, "{}", read());
    Clock::System.sleep(Duration::from_secs(7)).await;
    drop(program);
    assert_eq!(told(), 1, "{}", read());
    assert!(!read().to_lowercase().contains("authorization violation"), "{}", read());
}
