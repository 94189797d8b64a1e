//! The first release, 0.1.0, is taken over: its data folder, as its own program left it
//! (`tests/data/first-release`), becomes a working office at the first start. The backup from before
//! is the way back.

use crate::program::Office;
use crate::tidy::root;
use huoyan::clock::Clock;
use huoyan::triage::id::ActionId;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use uuid::Uuid;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("copied");
        }
    }
}

/// An office whose data folder the first release has left.
fn office() -> Office {
    let office = Office::prepare("", 0);
    fs::remove_dir_all(&office.data).expect("the prepared folder");
    copy(&root().join("tests/data/first-release/data"), &office.data);
    office
}

fn huoyan(words: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command.args(words).arg("--data").arg(data).env("LANG", "en").env_remove("HUOYAN_STORE_URL");
    command.output().expect("it runs")
}

/// The steps of the database that are done, and its events.
async fn state(data: &Path) -> (i64, i64) {
    let file = data.join("huoyan.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opens");
    let one = |sql: &'static str| sqlx::query_scalar(sql).fetch_one(&pool);
    let steps = one("SELECT MAX(version) FROM _sqlx_migrations").await.expect("steps");
    let events = one("SELECT COUNT(*) FROM event").await.expect("events");
    (steps, events)
}

/// Its last step; the new program has more.
const STEPS_OF_0_1: i64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_of_the_first_release_is_a_working_office_after_the_first_start() {
    let office = office();
    let (steps, events) = state(&office.data).await;
    assert_eq!(steps, STEPS_OF_0_1);
    let (program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    let board = officer.get("/api/v1/board").await.expect("a board");
    let open = board["incidents"].as_array().expect("a list");
    assert_eq!(open.len(), 2, "both fires are open: {board:#}");
    let ids: Vec<&str> = open.iter().filter_map(|it| it["id"].as_str()).collect();
    let logs = officer.logs().await;
    let says = |words: &str| logs.values().any(|log| log.to_string().contains(words));
    assert!(says("写于 0.1.0") && says("山上冒烟"), "{logs:?}");
    let acknowledged = open.iter().find(|it| it["state"] == "acknowledged");
    let fire = acknowledged.expect("the ranger is still on the way")["id"].as_str().expect("an id");
    let note = format!("/api/v1/incidents/{fire}/note");
    let accepted = officer.post(&note, ActionId(Uuid::now_v7()), &json!({ "words": "now" })).await;
    assert_eq!(accepted.map(|it| it.as_u16()), Some(200), "people can act");

    // The register files are facts now, with what they said.
    let people = async || officer.get("/api/v1/registers/people").await;
    let mut taken = None;
    for _ in 0..100 {
        taken = people().await.filter(|it| it.to_string().contains("张三"));
        if taken.is_some() {
            break;
        }
        Clock::System.sleep(Duration::from_millis(100)).await;
    }
    let taken: Value = taken.expect("the register of people");
    assert!(taken.to_string().contains("13800000000"), "{taken:#}");
    assert_eq!(ids.len(), 2);
    drop(program);
    let (steps, more) = state(&office.data).await;
    assert!(steps > STEPS_OF_0_1 && more > events, "brought up and written on");
    let checked = huoyan(&["check", "--json"], &office.data);
    let findings: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    let record = findings.as_array().expect("a list").iter().filter(|it| it["part"] == "record");
    let broken: Vec<_> = record.filter(|it| it["state"] == "broken").collect();
    assert!(broken.is_empty(), "the whole record proves what it says: {broken:#?}");
}

/// docs/deploy.md: the first release had no `backup`. The new program's takes its folder as it is,
/// and what lies in the set is copied back by hand: `restore` brings the database up, so that the
/// first release would refuse it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_backup_from_before_the_upgrade_holds_what_the_first_release_reads() {
    let office = office();
    let before = state(&office.data).await;
    let beside = tempfile::tempdir().expect("a folder");
    let backups = beside.path().join("backups");
    let made = huoyan(&["backup", "--init", backups.to_str().expect("a path")], &office.data);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // The upgrade, and a start.
    drop(office.first_start().await);
    assert_ne!(state(&office.data).await.0, before.0);
    let sets = fs::read_dir(&backups).expect("a folder").flatten().map(|it| it.path());
    let set = sets.into_iter().find(|it| it.join("huoyan.db").is_file()).expect("one backup");
    assert_eq!(state(&set).await, before, "a database that the first release reads");
    for file in ["people.csv", "grids.geojson", "cameras.csv"] {
        let of = |folder: &Path| fs::read(folder.join("registers").join(file)).expect(file);
        assert_eq!(of(&set), of(&root().join("tests/data/first-release/data")), "{file}");
    }
}
