//! Old analyses go, a little at a time: actions of the desk come in between.

use super::App;
use crate::clock::Clock;
use crate::error::Result;
use crate::store::Store;
use std::time::Duration;

/// Interval between two prunings.
const EVERY: Duration = Duration::from_secs(3600);
/// Pause between two acts of pruning, in which the single writer is free. Three million rows of 4,000 an act take 750 acts and 75 s of
/// pauses.
const PAUSE: Duration = Duration::from_millis(100);

pub async fn run(app: App) {
    loop {
        tokio::select! {
            done = prune(&app.store, &app.clock) => match done {
                Ok(0) => {}
                Ok(rows) => tracing::info!("{rows} old analyses pruned"),
                Err(e) => tracing::warn!("old analyses were not pruned: {}", e.chain()),
            },
            () = app.stopped() => return,
        }
        if super::sleep_or_stop(&app, EVERY).await {
            return;
        }
    }
}

/// Until nothing is left that is too old. Yields the number of analyses removed.
pub async fn prune(store: &Store, clock: &Clock) -> Result<u64> {
    let mut removed = 0;
    loop {
        match store.prune(clock.now()).await? {
            0 => return Ok(removed),
            rows => removed += rows,
        }
        clock.sleep(PAUSE).await;
    }
}
