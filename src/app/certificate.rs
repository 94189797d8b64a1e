//! Keeps the certificate: takes renewed files while the program runs, and reports on the board what
//! phones will refuse before they do.

use super::{App, sleep_or_stop};
use crate::lang::Lang;
use crate::web::tls::{Keeper, Renewal};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Its name on the board.
const PART: &str = "certificate";
/// Interval at which its files are read: two small files. A renewed pair is taken at the second
/// look that finds it, within 20 s.
const EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(app: App, keeper: Arc<Mutex<Keeper>>) {
    let mut keeper = keeper.lock().await;
    loop {
        // The files may lie on a disk that hangs; other tasks then use other threads.
        let looked = tokio::task::block_in_place(|| keeper.look(app.clock.now()));
        if looked == Renewal::Taken {
            tracing::info!(until = %keeper.valid_until(), "a renewed certificate is in use");
        }
        say(&app, &keeper, looked);
        if sleep_or_stop(&app, EVERY).await {
            return;
        }
    }
}

fn say(app: &App, keeper: &Keeper, looked: Renewal) {
    let trouble = keeper.trouble(app.clock.now());
    let words = |lang| trouble.as_ref().map(|it| it.words(lang)).unwrap_or_default();
    let (zh, en) = (words(Lang::Zh), words(Lang::En));
    let has_changed = app.parts.set(PART, trouble.is_none(), zh, en.clone());
    // Also when one more broken pair follows another.
    if trouble.is_some() && (has_changed || looked == Renewal::Refused) {
        tracing::error!(part = PART, "{en}");
    } else if has_changed {
        tracing::info!(part = PART, "well");
    }
}
