//! Twenty seconds of `make torture`, on either kind of database.

use crate::torture::{Plan, run};
use std::time::Duration;

/// The promise is 5 s. A machine that builds and tests at the same time gets more.
const LIVES_WITHIN: Duration = Duration::from_secs(20);

async fn survives(postgres: Option<String>) {
    let seed = std::env::var("HUOYAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| crate::fixture::id().as_u128() as u64);
    eprintln!("HUOYAN_TEST_SEED={seed}");
    let plan = Plan { seconds: 20, seed, lives_within: LIVES_WITHIN, postgres };
    let figures = run(&plan, |line| eprintln!("{line}")).await;
    assert!(figures.breaches.is_empty(), "{}", figures.print());
    eprintln!("{}", figures.json());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_around_it_fails_in_turn_and_every_promise_is_kept() {
    survives(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_postgresql_whose_line_is_cut() {
    let Ok(server) = std::env::var("HUOYAN_TEST_POSTGRES") else { return };
    survives(Some(server)).await;
}
