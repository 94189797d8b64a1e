//! Old analyses go, a little at a time: actions of the desk come in between.

use super::App;
use crate::clock::Clock;
use crate::error::Result;
use crate::store::Store;
use std::time::Duration;

/// Old analyses are thrown away so often.
const EVERY: Duration = Duration::from_secs(3600);
/// The single writer is everybody else's for so long between two acts of pruning. Three million rows, a night of 267 cameras
/// forty days ago, are gone in about two minutes.
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
