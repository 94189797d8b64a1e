//! Old analyses go beside the office's work, not before it.

use crate::fixture::*;
use huoyan::app::prune::prune;
use huoyan::clock::Clock;
use huoyan::triage::event::Actor;
use huoyan::triage::incident::{By, Input};
use jiff::SignedDuration;
use std::collections::BTreeSet;

const OLD: u64 = 200_000;

/// A camera that was looked at 200,000 times before `start()`.
pub const OLD_ROWS: &str = "INSERT INTO analysis (camera, pose, captured_at_us, smoke, fire, detections, model_name, model_version) \
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
    SELECT 'cam' || (i % 267), 'default', i, 0.01, 0.01, '[]', 'smoke-fire', '0.2.0' FROM n";

async fn left(t: &TestStore) -> u64 {
    let url = format!("sqlite://{}", t.folder.path().join("huoyan.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("connects");
    let (left,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM analysis").fetch_one(&pool).await.expect("a number of rows");
    pool.close().await;
    left as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_are_committed_between_the_acts_of_pruning() {
    let t = TestStore::sqlite().await;
    t.execute(OLD_ROWS).await;
    let clock = Clock::simulated(start());
    let desk = desk(&t.store, &clock);
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
    let officer = By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };

    // The clock's pauses take no time here: between two acts of pruning there is only the line before the writer.
    let (store, month_later) = (t.store.clone(), Clock::simulated(at(31 * 24 * 60)));
    let pruning = tokio::spawn(async move { prune(&store, &month_later).await });
    let (mut acts, mut stages) = (0, BTreeSet::new());
    while !pruning.is_finished() {
        let words = format!("note {acts}");
        desk.act(fire, Input::Note { words }, &officer).await.expect("an action while rows are removed");
        acts += 1;
        stages.insert(left(&t).await);
        clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(pruning.await.expect("ends").expect("prunes"), OLD);
    assert_eq!(left(&t).await, 0);
    let between = stages.iter().filter(|left| (1..OLD).contains(*left)).count();
    assert!(between >= 10, "{acts} actions met only {between} different stages of pruning: {stages:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_act_of_pruning_removes_some_thousand_rows_at_most_and_the_oldest_first() {
    let t = TestStore::sqlite().await;
    t.execute(OLD_ROWS).await;
    let removed = t.store.prune(at(31 * 24 * 60)).await.expect("prunes");
    assert!((1_000..=10_000).contains(&removed), "{removed}");
    assert_eq!(left(&t).await, OLD - removed);
    let oldest = t.store.analyses(&"cam0".into(), jiff::Timestamp::UNIX_EPOCH, start(), 10_000).await.expect("read");
    assert!(oldest.iter().all(|it| it.captured_at.as_microsecond() > removed as i64), "the oldest went first");
}
