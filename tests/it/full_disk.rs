//! Invariant 1 on a disk that is full for a moment: nothing that was answered is lost, and once
//! there is space again the next action and the next deadline succeed by themselves.
//!
//! A file size limit simulates the disk. It applies to a whole process, so the story runs in a
//! child.

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::error::Kind;
use huoyan::triage::event::{Actor, Event};
use huoyan::triage::incident::{By, Input};
use jiff::SignedDuration;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;
use std::process::Command;

/// Space left when the disk fills, bytes: the fault comes at the first page, within a page, within
/// a commit, between two.
const ROOM: [u64; 8] = [0, 100, 4_096, 4_200, 9_000, 20_000, 33_000, 60_000];
/// The child prints this when the disk was full in every round: a fault without effect proves
/// nothing.
const FILLED: &str = "the disk was full in every round";
const CHILD: &str = "HUOYAN_TEST_DISK_FILLS";
/// Notes that an officer tries to write meanwhile.
const TRIES: usize = 12;

#[test]
fn a_full_disk_loses_nothing_and_stops_nothing_once_there_is_room() {
    // The signal is ignored before the child begins. Otherwise the kernel would kill a process that
    // writes beyond the limit.
    let story = "trap '' XFSZ; exec \"$0\" --exact full_disk::in_a_process_whose_disk_fills \
        --nocapture";
    let this = std::env::current_exe().expect("the test program");
    let told =
        Command::new("sh").args(["-c", story]).arg(this).env(CHILD, "1").output().expect("sh");
    let words = String::from_utf8_lossy(&told.stdout);
    assert!(
        told.status.success() && words.contains("1 passed") && words.contains(FILLED),
        "{words}{}",
        String::from_utf8_lossy(&told.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_process_whose_disk_fills() {
    if std::env::var_os(CHILD).is_none() {
        return; // The test above runs it, in a process of its own.
    }
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let desk = desk(&t.store, &clock);
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let note = |words: &str| desk.act(fire, Input::Note { words: words.to_owned() }, &officer);
    let mut accepted: Vec<String> = Vec::new();
    for (round, room) in ROOM.into_iter().enumerate() {
        let mut failed = 0;
        limit_files(Some(written(t.folder.path()) + room));
        for n in 0..TRIES {
            let words = format!("round {round}, try {n}");
            match note(&words).await {
                Ok(_) => accepted.push(words),
                Err(e) => {
                    assert_eq!(e.kind, Kind::Unavailable, "{}", e.chain());
                    failed += 1;
                }
            }
        }
        assert!(failed > 0, "round {round}: the disk was not full");
        assert!(room > 0 || t.store.ping().await.is_err(), "a disk without any room is seen");
        limit_files(None);

        t.store.ping().await.expect("there is room again");
        let words = format!("round {round}, afterwards");
        note(&words)
            .await
            .unwrap_or_else(|e| panic!("round {round}: the next action: {}", e.chain()));
        accepted.push(words);
        assert_eq!(
            notes(&t, fire).await,
            accepted,
            "round {round}: what was answered, and nothing else"
        );
    }
    println!("{FILLED}");
    // The ladder continues, because nobody has acknowledged.
    let before = t.again().await.incident(fire).await.expect("there").incident.version;
    clock.advance(SignedDuration::from_mins(31));
    assert!(desk.tick().await.expect("a look at the clock") > 0);
    let after = t.again().await;
    assert!(
        after.incident(fire).await.expect("there").incident.version > before,
        "the next deadline"
    );
    whole(&after).await;
}

/// As another process reads them.
async fn notes(t: &TestStore, fire: huoyan::triage::id::IncidentId) -> Vec<String> {
    let log = t.again().await.incident(fire).await.expect("there").incident.log;
    let words = log.into_iter().filter_map(|it| match &it.event {
        Event::Noted { words, .. } => Some(words.clone()),
        _ => None,
    });
    words.collect()
}

/// Length of the file that commits are written to, bytes.
fn written(folder: &Path) -> u64 {
    folder.join("huoyan.db-wal").metadata().expect("a write-ahead log").len()
}

fn limit_files(current: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current, maximum }).expect("a limit");
}
