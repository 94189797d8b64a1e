//! F30, F31: what nobody needs any more is removed beside the office's work. Analyses are stored
//! apart from the record, and neither ever waits for the other.

use crate::fixture::*;
use huoyan::app::prune::{self, Removed};
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::desk::Desk;
use huoyan::error::Result;
use huoyan::store::{Inspection, Store};
use huoyan::triage::detection::{Analysis, ModelVersion, Scores, Stream, Tile};
use huoyan::triage::event::{Actor, Closure};
use huoyan::triage::id::{IncidentId, PictureId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::retention::Retention;
use huoyan::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// A third of a day for 267 cameras.
const FILL: &str = "INSERT INTO analysis (view, since_us, smoke, fire, model, is_main) \
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800000) SELECT i % \
    267 + 2, i, 100, 100, 1, 0 FROM n";
/// 200,000 rows in the form of versions before 0.2, which kept them in the record itself.
const OLD: i64 = 200_000;
const OLD_ROWS: &str = "INSERT INTO analysis (camera, pose, captured_at_us, smoke, fire, \
    detections, model_name, model_version) \
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
    SELECT 'cam' || (i % 267), 'default', i, 0.01, 0.01, '[]', 'smoke-fire', '0.2.0' FROM n";
/// Finding F30: no action waits longer while old rows are removed.
const WAIT_MAX: Duration = Duration::from_secs(1);

fn analysis(captured_at: Timestamp) -> Analysis {
    Analysis {
        camera: "cam1".into(),
        pose: "default".into(),
        captured_at,
        scores: Scores { smoke: 0.1, fire: 0.0 },
        detections: Vec::new(),
        model: ModelVersion { name: "m".into(), version: "1".into() },
        stream: Stream::Screened,
        tiles: Vec::new(),
        has_past: true,
    }
}

fn config(t: &TestStore) -> Config {
    let mut config = Config::default();
    config.store.data = t.folder.path().to_owned();
    config
}

async fn prune(store: &Store, config: &Config, clock: &Clock) -> Result<Removed> {
    let (removed, done) = prune::prune(store, config, clock).await;
    done.map(|()| removed)
}

/// Names of the files that hold analyses.
fn files(t: &TestStore) -> Vec<String> {
    let entries =
        std::fs::read_dir(t.folder.path().join("analyses")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Opens the file of a day, or the record itself, directly.
async fn connect(t: &TestStore, file: &str) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(t.folder.path().join(file))
        .connect()
        .await
        .expect("connects")
}

async fn note(desk: &Desk, fire: IncidentId) -> Duration {
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let asked = Instant::now();
    desk.act(fire, Input::Note { words: "看过".into() }, &officer).await.expect("an action");
    asked.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_days_off_cost_no_action_a_second_when_the_old_days_go() {
    let t = TestStore::sqlite().await;
    let days = ["2026-04-05", "2026-04-06", "2026-04-07"];
    for (day, name) in (0..).zip(days) {
        t.store.record_analyses(&[analysis(at(day * 24 * 60))]).await.expect("kept");
        let mut file = connect(&t, &format!("analyses/{name}.db")).await;
        sqlx::query(FILL).execute(&mut file).await.expect("a busy day");
        file.close().await.expect("closed");
    }
    let clock = Clock::simulated(at(40 * 24 * 60));
    t.store.record_analyses(&[analysis(clock.now())]).await.expect("kept");
    let desk = desk(&t.store, &clock);
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");

    let (store, config, now) = (t.store.clone(), config(&t), clock.clone());
    let pruning = tokio::spawn(async move { prune(&store, &config, &now).await });
    let mut slowest = Duration::ZERO;
    loop {
        slowest = slowest.max(note(&desk, fire).await);
        if pruning.is_finished() {
            break;
        }
    }
    assert_eq!(pruning.await.expect("ends").expect("prunes").days, days.len());
    assert!(slowest < WAIT_MAX, "an action waited {slowest:?}");
    let left = files(&t);
    assert!(!left.is_empty() && left.iter().all(|it| it.starts_with("2026-05-15.db")), "{left:?}");
    let all = t
        .store
        .analyses(&"cam1".into(), Timestamp::UNIX_EPOCH, at(50 * 24 * 60), 10)
        .await
        .expect("read");
    assert_eq!(all, [analysis(clock.now())], "and what is young stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_older_versions_kept_in_the_record_goes_a_little_at_a_time() {
    let t = TestStore::sqlite().await;
    t.execute(OLD_ROWS).await;
    let clock = Clock::simulated(start());
    let desk = desk(&t.store, &clock);
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
    let mut record = connect(&t, "huoyan.db").await;
    let (store, config, now) = (t.store.clone(), config(&t), clock.clone());
    let pruning = tokio::spawn(async move { prune(&store, &config, &now).await });
    // The clock's pauses take no time here: between two steps there is only the queue for the
    // writer.
    let (mut slowest, mut stages) = (Duration::ZERO, BTreeSet::new());
    while !pruning.is_finished() {
        slowest = slowest.max(note(&desk, fire).await);
        let (left,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM analysis")
            .fetch_one(&mut record)
            .await
            .expect("a number");
        stages.insert(left);
        clock.advance(SignedDuration::from_secs(1));
    }
    pruning.await.expect("ends").expect("prunes");
    assert!(slowest < WAIT_MAX, "an action waited {slowest:?}");
    let between = stages.iter().filter(|left| (1..OLD).contains(*left)).count();
    assert!(between >= 10, "actions met only {between} different stages: {stages:?}");
    assert_eq!(t.store.prune_analyses_in_record().await.expect("looks"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_the_record_nor_the_analyses_wait_for_the_other() {
    const BLOCK: &str = "BEGIN EXCLUSIVE";
    let t = TestStore::sqlite().await;
    let desk = desk(&t.store, &Clock::simulated(start()));
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
    t.store.record_analyses(&[analysis(start())]).await.expect("kept");

    let mut held = connect(&t, "analyses/2026-04-05.db").await;
    sqlx::query(BLOCK).execute(&mut held).await.expect("somebody holds the day's file");
    let store = t.store.clone();
    let waits = tokio::spawn(async move { store.record_analyses(&[analysis(at(1))]).await });
    assert!(note(&desk, fire).await < WAIT_MAX);
    assert!(!waits.is_finished(), "the analyses do wait, and for nobody but their own file");
    held.close().await.expect("let go");
    waits.await.expect("ends").expect("kept");

    let mut held = connect(&t, "huoyan.db").await;
    sqlx::query(BLOCK).execute(&mut held).await.expect("somebody holds the record");
    let asked = Instant::now();
    t.store.record_analyses(&[analysis(at(2))]).await.expect("kept");
    assert!(asked.elapsed() < WAIT_MAX);
    held.close().await.expect("let go");
    assert_eq!(t.store.analyses(&"cam1".into(), start(), at(9), 10).await.expect("read").len(), 3);
}

/// A picture that has been on the disk since the start.
async fn keep(t: &TestStore) -> PictureId {
    let bytes = b"\xff\xd8 evidence";
    let picture = PictureId::of(id(), bytes);
    t.store.keep_picture(picture, bytes.to_vec()).await.expect("kept");
    aged(&t.folder.path().join(format!("pictures/{picture}.jpg")));
    picture
}

fn aged(file: &Path) {
    File::options()
        .append(true)
        .open(file)
        .and_then(|it| it.set_modified(start().into()))
        .expect("aged");
}

/// A fire in a place of its own, with a picture; closed at once if a category is given.
async fn incident(t: &TestStore, desk: &Desk, n: u8, category: Option<u8>) -> PictureId {
    let mut pixel = hotspot(&n.to_string(), "NRT");
    pixel.at = place(28.45 + 0.03 * f64::from(n), 110.40);
    let picture = keep(t).await;
    let sighting = Sighting { pictures: vec![picture], ..satellite_sighting(&pixel) };
    let fire = desk.sighting(sighting).await.expect("filed");
    if let Some(category) = category {
        let closure =
            Closure { category, false_alarm: None, words: String::new(), passed_to: None };
        let officer =
            By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
        desk.act(fire, Input::Close { closure }, &officer).await.expect("closed");
    }
    picture
}

fn pictures(t: &TestStore) -> BTreeSet<String> {
    let entries = std::fs::read_dir(t.folder.path().join("pictures")).expect("a folder").flatten();
    entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect()
}

fn named(pictures: &[PictureId]) -> BTreeSet<String> {
    pictures.iter().map(|it| format!("{it}.jpg")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_goes_when_its_time_is_over_and_nothing_that_is_owed_ever_does() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let (desk, policy) = (desk(&t.store, &clock), Retention::default());
    let burned = incident(&t, &desk, 0, Some(0)).await;
    let nothing = incident(&t, &desk, 1, Some(9)).await;
    let open = incident(&t, &desk, 2, None).await;
    let unclaimed = keep(&t).await;
    let lists = t.folder.path().join("hotspots");
    for name in ["read", "refused"] {
        std::fs::create_dir_all(lists.join(name)).expect("a folder");
        std::fs::write(lists.join(name).join("list.csv"), "as it came").expect("a list");
        aged(&lists.join(name).join("list.csv"));
    }
    t.store.add_hotspots(&[hotspot("a", "NRT")], start()).await.expect("kept");

    let days_later = |days: i64| Clock::simulated(at(days * 24 * 60));
    let after = async |days| prune(&t.store, &config(&t), &days_later(days)).await.expect("prunes");
    assert_eq!(after(6).await, Removed::default(), "nothing is old");
    assert_eq!(after(8).await, Removed { pictures: 1, ..Removed::default() });
    assert_eq!(
        pictures(&t),
        named(&[burned, nothing, open]),
        "what no incident names goes first: {unclaimed}"
    );
    assert_eq!(after(181).await, Removed { pictures: 1, ..Removed::default() });
    assert_eq!(pictures(&t), named(&[burned, open]), "then what did not burn");
    assert_eq!(after(401).await, Removed { lists: 2, hotspots: 1, ..Removed::default() });
    assert_eq!(after(1_096).await, Removed { pictures: 1, ..Removed::default() });
    assert_eq!(pictures(&t), named(&[open]), "an open one's evidence stays, however old");

    // Pictures removed by the rule are no damage; missing ones that must be kept are.
    let missing = async |days: i64| missing(&t, &policy, at(days * 24 * 60)).await;
    assert_eq!(missing(1_096).await, []);
    let owed = BTreeSet::from_iter(missing(1).await);
    assert_eq!(owed, BTreeSet::from([burned, nothing]), "had they gone on the first day");
    std::fs::remove_file(t.folder.path().join(format!("pictures/{open}.jpg"))).expect("lost");
    assert_eq!(missing(1_096).await, [open]);
}

/// The pictures that a check of the record misses.
async fn missing(t: &TestStore, retention: &Retention, now: Timestamp) -> Vec<PictureId> {
    let look = t
        .store
        .look(&Inspection { now, mend: false, paper: &[], retention })
        .await
        .expect("a look");
    look.to_the_end().await.expect("a look").missing_pictures.first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_part_of_the_log_cannot_be_read_no_picture_goes() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let desk = desk(&t.store, &clock);
    incident(&t, &desk, 0, Some(9)).await;
    keep(&t).await;
    t.execute(
        r#"UPDATE event SET body = replace(body, '"closed"', '"closed_by_a_newer_version"')"#,
    )
    .await;
    let later = Clock::simulated(at(2_000 * 24 * 60));
    let removed = prune(&t.store, &config(&t), &later).await.expect("prunes");
    assert_eq!((removed.pictures, pictures(&t).len()), (0, 2), "nobody knows what it names");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_analyses_go_first_then_lists_then_pictures_and_never_a_fire_s_evidence() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let (desk, policy) = (desk(&t.store, &clock), Retention::default());
    let burned = incident(&t, &desk, 0, Some(0)).await;
    let nothing = incident(&t, &desk, 1, Some(9)).await;
    let open = incident(&t, &desk, 2, None).await;
    let unclaimed = keep(&t).await;
    let lists = t.folder.path().join("hotspots");
    std::fs::create_dir_all(lists.join("read")).expect("a folder");
    std::fs::write(lists.join("read/list.csv"), "as it came").expect("a list");
    aged(&lists.join("read/list.csv"));
    for day in [0, 1, 3] {
        t.store.record_analyses(&[analysis(at(day * 24 * 60))]).await.expect("kept");
    }
    clock.advance(SignedDuration::from_hours(3 * 24));

    // Number of checks at which space is still short. Each removal costs one, and so does the step
    // from one kind to the next.
    let go = async |looks: u32| {
        let left = std::cell::Cell::new(looks);
        let is_short = || left.replace(left.get().saturating_sub(1)) > 0;
        let (removed, done) = prune::shed(&t.store, &config(&t), &clock, is_short).await;
        done.expect("makes room");
        removed
    };
    assert_eq!(go(0).await, Removed::default());
    assert_eq!(go(1).await, Removed { days: 1, ..Removed::default() });
    assert!(files(&t).iter().all(|it| !it.starts_with("2026-04-05")), "the oldest day");
    let all_named = named(&[burned, nothing, open, unclaimed]);
    assert_eq!(go(4).await, Removed { days: 1, lists: 1, ..Removed::default() });
    assert_eq!(
        (pictures(&t), t.store.hotspots_since(start(), 10).await.expect("read").len()),
        (all_named, 0)
    );
    assert_eq!(go(u32::MAX).await, Removed { pictures: 1, ..Removed::default() });
    assert_eq!(pictures(&t), named(&[burned, nothing, open]), "the false alarm is three days old");
    clock.advance(SignedDuration::from_hours(5 * 24));
    assert_eq!(go(u32::MAX).await, Removed { days: 1, pictures: 1, ..Removed::default() });
    assert_eq!(pictures(&t), named(&[burned, open]));
    assert_eq!(missing(&t, &policy, clock.now()).await, [], "and nothing of it is damage");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_nobody_can_read_keeps_no_other_kind_from_going_and_is_told() {
    let t = TestStore::sqlite().await;
    let config = config(&t);
    keep(&t).await;
    t.store.add_hotspots(&[hotspot("a", "NRT")], start()).await.expect("kept");
    std::fs::create_dir_all(t.folder.path().join("hotspots")).expect("a folder");
    std::fs::write(t.folder.path().join("hotspots/read"), "a file where a folder should be")
        .expect("a file");
    let clock = Clock::simulated(at(401 * 24 * 60));
    let (removed, done) = prune::prune(&t.store, &config, &clock).await;
    assert_eq!(removed, Removed { pictures: 1, hotspots: 1, ..Removed::default() });
    assert!(done.expect_err("told").message.contains("hotspot lists"));
    keep(&t).await;
    let (removed, done) = prune::shed(&t.store, &config, &clock, || true).await;
    assert!(done.is_err() && removed.pictures == 1, "nor when room is short: {removed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn analyses_and_pictures_over_their_budget_go_with_the_hour() {
    let t = TestStore::sqlite().await;
    let mut config = config(&t);
    let clock = Clock::simulated(at(3 * 24 * 60));
    for day in [0, 1, 3] {
        t.store.record_analyses(&[analysis(at(day * 24 * 60))]).await.expect("kept");
    }
    keep(&t).await;
    assert_eq!(
        prune(&t.store, &config, &clock).await.expect("prunes"),
        Removed::default(),
        "without a budget"
    );
    config.disk.analyses_max_gib = Some(0.0);
    assert_eq!(
        prune(&t.store, &config, &clock).await.expect("prunes"),
        Removed { days: 2, ..Removed::default() }
    );
    config.disk.pictures_max_gib = Some(0.0);
    assert_eq!(
        prune(&t.store, &config, &clock).await.expect("prunes"),
        Removed { pictures: 1, ..Removed::default() }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_the_disk_filled_at_its_beginning_hides_no_other_day() {
    let t = TestStore::sqlite().await;
    t.store.record_analyses(&[analysis(start())]).await.expect("kept");
    for (day, bytes) in [("2026-04-04", ""), ("2026-04-06", "half a page of something")] {
        std::fs::write(t.folder.path().join(format!("analyses/{day}.db")), bytes).expect("a file");
    }
    let read = t
        .store
        .analyses(&"cam1".into(), at(-3 * 24 * 60), at(3 * 24 * 60), 10)
        .await
        .expect("answered");
    assert_eq!(read, [analysis(start())]);
}

/// Earlier versions knew neither tiles nor whether there was a past. Their days can still be read,
/// and the update's own day is continued.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_of_the_version_before_are_read_and_todays_file_goes_on() {
    let t = TestStore::sqlite().await;
    let (yesterday, morning) = (analysis(at(-24 * 60)), analysis(at(0)));
    t.store.record_analyses(&[yesterday.clone(), morning.clone()]).await.expect("kept");
    t.store.close().await;
    let before = files(&t).into_iter().filter(|name| name.ends_with(".db"));
    for name in before {
        let mut day = connect(&t, &format!("analyses/{name}")).await;
        let drop = "ALTER TABLE analysis DROP COLUMN tiles; ALTER TABLE analysis DROP COLUMN \
            has_past";
        sqlx::raw_sql(drop).execute(&mut day).await.expect("as it was");
        day.close().await.expect("closed");
    }

    let store = t.again().await;
    let all = || store.analyses(&morning.camera, at(-48 * 60), at(60), 10);
    assert_eq!(all().await.expect("read"), [yesterday.clone(), morning.clone()]);
    let tile = Tile { x: 50, y: 67, w: 100, h: 100 };
    let noon = Analysis { tiles: vec![tile], has_past: false, ..analysis(at(10)) };
    store.record_analyses(std::slice::from_ref(&noon)).await.expect("written on");
    assert_eq!(all().await.expect("read"), [yesterday, morning, noon]);
}
