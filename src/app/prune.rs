//! What nobody needs any more goes, beside the office's work: a day of analyses is one file or partition.

use super::App;
use crate::clock::Clock;
use crate::error::Result;
use crate::store::Store;
use jiff::SignedDuration;
use std::time::Duration;

/// Interval between two prunings.
const EVERY: Duration = Duration::from_secs(3600);
/// Pause between two acts, in which the single writer is free. Three million rows of 4,000 an act take 750 acts and 75 s of pauses.
const PAUSE: Duration = Duration::from_millis(100);
/// Analyses are kept so long: enough to try thresholds on a whole 清明 season's fortnight twice.
const ANALYSES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

pub async fn run(app: App) {
    loop {
        tokio::select! {
            done = prune(&app.store, &app.clock) => match done {
                Ok(0) => {}
                Ok(days) => tracing::info!("{days} old days of analyses removed"),
                Err(e) => tracing::warn!("what is old was not removed: {}", e.chain()),
            },
            () = app.stopped() => return,
        }
        if super::sleep_or_stop(&app, EVERY).await {
            return;
        }
    }
}

/// Yields the number of days of analyses removed.
pub async fn prune(store: &Store, clock: &Clock) -> Result<usize> {
    store.prune_logins(clock.now()).await?;
    let days = store.prune_analyses(clock.now() - ANALYSES_KEPT).await?;
    while store.prune_analyses_in_record().await? > 0 {
        clock.sleep(PAUSE).await;
    }
    Ok(days)
}
