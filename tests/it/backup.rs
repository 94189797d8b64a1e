//! F31: a backup is made while people act, and a whole office is restored from it.

use crate::fixture::*;
use huoyan::backup::{self, BackupSource, CopyStep, Restored, Taken};
use huoyan::clock::Clock;
use huoyan::desk::Desk;
use huoyan::error::{Kind, Result};
use huoyan::lang::Lang;
use huoyan::store::Store;
use huoyan::triage::event::{Actor, Event};
use huoyan::triage::id::{IncidentId, PictureId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::retention::Retention;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Years of hotspots.
const MANY_HOTSPOTS: &str = "INSERT INTO hotspot (key, acquired_at_us, received_at_us, version, \
    body) \
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT 'old ' \
    || i, i, i, '2.0NRT', '{}' FROM n";
const PEOPLE: &str = "编号,姓名,电话\nr1,张三,13800000001\n";

/// An office with one open fire, a register, and a folder for backups beside it.
struct Story {
    t: TestStore,
    desk: Arc<Desk>,
    fire: IncidentId,
    beside: tempfile::TempDir,
}

impl Story {
    async fn begin() -> Self {
        let t = TestStore::sqlite().await;
        fs::create_dir_all(t.folder.path().join("registers/kept")).expect("registers");
        fs::write(t.folder.path().join("registers/people.csv"), PEOPLE).expect("people");
        fs::write(t.folder.path().join("registers/kept/people.xlsx"), "as it came")
            .expect("the original");
        let desk = Arc::new(desk(&t.store, &Clock::simulated(start())));
        let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
        let story = Self { t, desk, fire, beside: tempfile::tempdir().expect("a folder") };
        backup::init(&story.backups()).expect("a folder for backups");
        story
    }

    fn backups(&self) -> PathBuf {
        self.beside.path().join("backups")
    }

    async fn note(&self, words: &str) {
        note(&self.desk, self.fire, words).await;
    }

    async fn photo(&self) -> PictureId {
        let name = id();
        let bytes = format!("\u{ff}\u{d8} {name}").into_bytes();
        let picture = PictureId::of(name, &bytes);
        self.t.store.keep_picture(picture, bytes).await.expect("kept");
        self.desk.act(self.fire, Input::AddPhoto { picture }, &officer()).await.expect("added");
        picture
    }

    async fn back_up(&self, now: Timestamp) -> Result<Taken> {
        let office = BackupSource {
            data: self.t.folder.path().to_owned(),
            has_sqlite: true,
            config: None,
            retention: Retention::default(),
        };
        let folder = self.backups();
        blocking(move || backup::take(&office, &folder, now, |_| {})).await
    }

    async fn restore(&self, from: &Path, name: &str) -> Result<Restored> {
        let (from, to) = (from.to_owned(), self.beside.path().join(name));
        blocking(move || backup::restore(&from, &to, Lang::En, |_| {})).await
    }

    /// Words of the notes in a restored folder's log.
    async fn notes(&self, name: &str) -> BTreeSet<String> {
        let store = Store::open("sqlite", &self.beside.path().join(name)).await.expect("opens");
        whole(&store).await;
        let log = store.incident(self.fire).await.expect("the fire").incident.log;
        store.close().await;
        log.into_iter()
            .filter_map(|it| {
                if let Event::Noted { words, .. } = &it.event { Some(words.clone()) } else { None }
            })
            .collect()
    }
}

fn officer() -> By {
    By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None }
}

async fn note(desk: &Desk, fire: IncidentId, words: &str) {
    desk.act(fire, Input::Note { words: words.to_owned() }, &officer()).await.expect("accepted");
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("does not panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_backup_comes_back_from_it() {
    let story = Story::begin().await;
    let photos = [story.photo().await, story.photo().await];
    // Makes the copying take a while.
    story.t.execute(MANY_HOTSPOTS).await;
    let (accepted, over) =
        (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let acting = tokio::spawn({
        let (desk, fire, accepted, over) =
            (Arc::clone(&story.desk), story.fire, Arc::clone(&accepted), Arc::clone(&over));
        async move {
            for n in 0.. {
                let words = format!("note {n}");
                note(&desk, fire, &words).await;
                accepted.lock().expect("mine").insert(words);
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    while accepted.lock().expect("mine").len() < 5 {
        tokio::task::yield_now().await;
    }
    let before = accepted.lock().expect("mine").clone();
    let taken = story.back_up(at(1)).await.expect("a backup");
    let during = accepted.lock().expect("mine").len();
    over.store(true, Ordering::Relaxed);
    acting.await.expect("acts");
    assert!(during > before.len(), "nobody could act during the backup");
    assert_eq!(taken.set.path.file_name().expect("a name"), "huoyan-20260405-140100");

    let restored = story.restore(&taken.set.path, "again").await.expect("restored");
    assert_eq!(restored.findings, Vec::<String>::new());
    assert_eq!(
        (restored.pictures, Some(restored.events)),
        (2, taken.set.manifest.log.map(|it| it.events))
    );
    let notes = story.notes("again").await;
    assert!(
        notes.is_superset(&before),
        "{:?} were answered and are gone",
        before.difference(&notes)
    );
    let again = story.beside.path().join("again");
    assert_eq!(fs::read_to_string(again.join("registers/people.csv")).expect("people"), PEOPLE);
    assert!(again.join("registers/kept/people.xlsx").is_file());
    let store = Store::open("sqlite", &again).await.expect("opens");
    for photo in photos {
        assert_eq!(
            store.picture(photo).await.expect("there"),
            story.t.store.picture(photo).await.expect("here")
        );
    }
    // The restored office continues to work.
    let next = desk(&store, &Clock::simulated(at(2)));
    note(&next, story.fire, "afterwards").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_backup_copies_only_new_pictures_and_old_sets_go() {
    let story = Story::begin().await;
    let first = story.photo().await;
    assert_eq!(story.back_up(at(1)).await.expect("the first").new_pictures, 1);
    let copy = story.backups().join(format!("pictures/{first}.jpg"));
    let copied_at = fs::metadata(&copy).and_then(|it| it.modified()).expect("copied");
    story.photo().await;
    let second = story.back_up(at(2)).await.expect("the second");
    assert_eq!((second.new_pictures, second.set.manifest.pictures), (1, 2));
    assert_eq!(fs::metadata(&copy).and_then(|it| it.modified()).expect("still there"), copied_at);
    assert_eq!(story.back_up(at(2)).await.expect_err("the same second").kind, Kind::Conflict);

    let third = story.back_up(at(3)).await.expect("the third");
    let folder = story.backups();
    assert_eq!(blocking(move || backup::drop_old(&folder, 2)).await.expect("dropped"), 1);
    let kept: Vec<_> =
        backup::sets(&story.backups()).expect("sets").into_iter().map(|it| it.path).collect();
    assert_eq!(kept, [second.set.path, third.set.path]);
    assert!(copy.is_file(), "pictures stay");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_found_and_the_rest_comes_back() {
    let story = Story::begin().await;
    story.note("before").await;
    let photo = story.photo().await;
    let set = story.back_up(at(1)).await.expect("a backup").set.path;
    fs::write(set.join("registers/people.csv"), PEOPLE.replace("张三", "张四")).expect("damaged");
    fs::remove_file(story.backups().join(format!("pictures/{photo}.jpg"))).expect("lost");
    let restored = story.restore(&set, "damaged").await.expect("restored");
    let found = restored.findings.join("\n");
    assert!(
        found.contains("registers/people.csv") && found.contains(&photo.to_string()),
        "{found}"
    );
    assert_eq!(restored.findings.len(), 2, "{found}");
    assert!(story.notes("damaged").await.contains("before"));

    // Damages the database itself.
    let file = set.join("huoyan.db");
    let mut bytes = fs::read(&file).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].copy_from_slice(b"damaged!");
    fs::write(&file, bytes).expect("damaged");
    let found = story.restore(&set, "broken").await.expect("restored").findings;
    assert!(found.iter().any(|it| it.starts_with("huoyan.db")), "{found:?}");
    fs::remove_file(&file).expect("lost");
    let found = story.restore(&set, "lost").await.expect("restored").findings;
    assert!(found.iter().any(|it| it.starts_with("huoyan.db")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_backup_is_never_taken_for_one() {
    let story = Story::begin().await;
    story.note("before").await;
    let whole = story.back_up(at(1)).await.expect("a backup").set.path;
    // One backup killed before the last rename, and one that never got a manifest.
    let unfinished = story.backups().join("huoyan-20260405-150000.part");
    fs::create_dir_all(&unfinished).expect("a folder");
    fs::copy(whole.join("manifest.json"), unfinished.join("manifest.json")).expect("a manifest");
    fs::create_dir_all(story.backups().join("huoyan-20260405-160000")).expect("a folder");
    let offered: Vec<_> =
        backup::sets(&story.backups()).expect("sets").into_iter().map(|it| it.path).collect();
    assert_eq!(offered, std::slice::from_ref(&whole));
    assert_eq!(
        story.restore(&unfinished, "no").await.expect_err("interrupted").kind,
        Kind::Invalid
    );
    assert_eq!(
        story.restore(&story.backups(), "newest").await.expect("the folder's newest").backup,
        whole
    );
    let again = story.restore(&whole, "newest").await.expect_err("not empty");
    assert!(
        again.kind == Kind::Invalid && story.notes("newest").await.contains("before"),
        "{again}"
    );
    story.back_up(at(2)).await.expect("the next one");
    assert!(!unfinished.exists(), "what was interrupted is cleared away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_fails_leaves_nothing_that_looks_like_one() {
    let story = Story::begin().await;
    let (office, folder) = (
        BackupSource {
            data: story.beside.path().join("none"),
            has_sqlite: true,
            config: None,
            retention: Retention::default(),
        },
        story.backups(),
    );
    let mut steps = Vec::new();
    let failed = blocking(move || {
        backup::take(&office, &folder, at(1), |step| steps.push(step)).map(|_| steps)
    })
    .await;
    let failed: Result<Vec<CopyStep>> = failed;
    assert_eq!(failed.expect_err("no database").kind, Kind::Invalid);
    assert!(
        fs::read_dir(story.backups())
            .expect("the folder")
            .flatten()
            .all(|it| !it.path().join("manifest.json").exists())
    );
    // A manifest that names a file outside.
    let set = story.back_up(at(2)).await.expect("a backup").set.path;
    let manifest = set.join("manifest.json");
    let text = fs::read_to_string(&manifest)
        .expect("a manifest")
        .replace("registers/people.csv", "../../people.csv");
    fs::write(&manifest, text).expect("forged");
    assert_eq!(story.restore(&set, "forged").await.expect_err("leads outside").kind, Kind::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_postgresql_office_the_files_come_back_and_the_rest_is_said() {
    let story = Story::begin().await;
    story.photo().await;
    let office = BackupSource {
        data: story.t.folder.path().to_owned(),
        has_sqlite: false,
        config: None,
        retention: Retention::default(),
    };
    let folder = story.backups();
    let taken =
        blocking(move || backup::take(&office, &folder, at(1), |_| {})).await.expect("a backup");
    assert!(taken.set.manifest.log.is_none() && !taken.set.path.join("huoyan.db").exists());
    let restored = story.restore(&taken.set.path, "files").await.expect("restored");
    assert!(
        restored.findings.len() == 1 && restored.findings[0].contains("pg_restore"),
        "{:?}",
        restored.findings
    );
    assert!(
        story.beside.path().join("files/registers/people.csv").is_file() && restored.pictures == 1
    );
    assert!(
        !story.beside.path().join("files/huoyan.db").exists(),
        "no empty database stands for the real one"
    );
}

fn huoyan(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command
        .args(arguments)
        .env_remove("HUOYAN_STORE_URL")
        .env_remove("HUOYAN_DATA")
        .env("LANG", "en_US.UTF-8");
    command.output().expect("huoyan runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_say_what_they_did_and_end_with_its_code() {
    let story = Story::begin().await;
    let photo = story.photo().await;
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (data, folder) = (text(story.t.folder.path()), text(&story.backups()));
    let (new, other) =
        (text(&story.beside.path().join("new")), text(&story.beside.path().join("other")));
    let fresh = story.beside.path().join("fresh");
    let refused = huoyan(&["backup", &text(&fresh), "--data", &data]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && words.contains("--init"), "{words}");
    assert!(!fresh.exists(), "nothing is made where a disk may be missing");
    assert!(huoyan(&["backup", "--init", &text(&fresh), "--data", &data]).status.success());
    assert_eq!(backup::sets(&fresh).expect("sets").len(), 1, "from then on it is one");
    let made = huoyan(&["backup", &folder, "--data", &data, "--json", "-q"]);
    let answer: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert!(
        made.status.success() && answer["new_pictures"] == 1 && answer["log"]["hash"].is_string(),
        "{answer}"
    );
    let back = huoyan(&["restore", &folder, "--data", &new, "-q"]);
    let words = String::from_utf8_lossy(&back.stdout);
    assert!(back.status.success() && words.contains("the chain is whole"), "{words}");
    assert_eq!(huoyan(&["restore", &folder, "--data", &new]).status.code(), Some(2), "not empty");
    assert_eq!(
        huoyan(&["backup", &data, "--data", &data]).status.code(),
        Some(2),
        "not the data folder itself"
    );
    fs::remove_file(story.backups().join(format!("pictures/{photo}.jpg"))).expect("lost");
    let back = huoyan(&["restore", &folder, "--data", &other, "--json", "-q"]);
    let answer: serde_json::Value = serde_json::from_slice(&back.stdout).expect("JSON");
    assert!(
        back.status.code() == Some(1) && answer["findings"][0].to_string().contains("missing"),
        "{answer}"
    );
}

/// A running program; dies with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program on the story's data, with this section in its configuration, and its port.
fn run(story: &Story, backup: &str) -> (Running, u16) {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|it| it.local_addr())
        .expect("a free port")
        .port();
    let config = story.beside.path().join("huoyan.toml");
    fs::write(&config, format!("[backup]\n{backup}\n")).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command
        .args(["run", "--listen", &format!("127.0.0.1:{port}"), "--config"])
        .arg(config)
        .arg("--data");
    command
        .arg(story.t.folder.path())
        .env("RUST_LOG", "off")
        .env_remove("HUOYAN_STORE_URL")
        .stdin(Stdio::null());
    (Running(command.stdout(Stdio::null()).spawn().expect("huoyan starts")), port)
}

/// Polls until it is true, for at most half a minute.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        Clock::System.sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} within 30 s");
}

fn ready(port: u16) -> Option<serde_json::Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: huoyan\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_running_program_backs_itself_up_and_says_when_it_cannot() {
    let story = Story::begin().await;
    story.note("before").await;
    let old = story.back_up(at(1)).await.expect("an old one").set.path;
    let folder = story.backups();
    let section = format!("folder = {:?}\nevery = \"1h\"\nkeep = 1", folder.display().to_string());
    let (running, port) = run(&story, &section);
    let made = || {
        backup::newest(&folder).expect("sets").is_some_and(|set| set.path != old) && !old.exists()
    };
    until("a backup, and the old one gone", made).await;
    until("the board's word", || ready(port).is_some_and(|it| it["parts"]["backups"] == true))
        .await;
    let config = story.beside.path().join("huoyan.toml").display().to_string();
    let data = story.t.folder.path().display().to_string();
    let check = huoyan(&["check", "--json", "--config", &config, "--data", &data]);
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&check.stdout).expect("findings");
    let finding = findings.iter().find(|it| it["part"] == "backup").expect("the backup's");
    assert_eq!(finding["state"], "works", "{finding}");
    drop(running);
    let restored = story.restore(&folder, "again").await.expect("restored");
    assert_eq!(restored.findings, Vec::<String>::new());
    assert!(story.beside.path().join("again/huoyan.toml").is_file(), "the configuration is in it");
    assert!(story.notes("again").await.contains("before"));

    // The disk is not mounted: only an empty folder of the system's own disk is left.
    let unmounted = story.beside.path().join("unmounted");
    fs::create_dir_all(&unmounted).expect("a mount point");
    let (_running, port) = run(&story, &format!("folder = {:?}", unmounted.display().to_string()));
    until("that it cannot", || ready(port).is_some_and(|it| it["parts"]["backups"] == false)).await;
    assert_eq!(
        fs::read_dir(&unmounted).expect("the folder").count(),
        0,
        "nothing is written there"
    );
}
