//! What nobody needs any more goes, a little at a time and beside the office's work. How long each kind is kept: `triage::retention`.

use super::App;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{Held, Store};
use crate::triage::retention::{Keeping, Retention, days};
use jiff::Timestamp;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Interval between two prunings.
const EVERY: Duration = Duration::from_secs(3600);
/// Pause between two acts, in which writer and disk are free. Three million rows of 4,000 an act take 750 acts and 75 s of pauses.
const PAUSE: Duration = Duration::from_millis(100);
/// Files removed in one act: some milliseconds of the disk's time.
const FILES_AT_ONCE: usize = 200;

/// What was removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Days of analyses.
    pub days: usize,
    pub hotspots: u64,
    /// Lists of hotspots, read or refused, with their notes.
    pub lists: usize,
    pub pictures: usize,
}

pub async fn run(app: App) {
    let lists = app.config.store.data.join(&app.config.satellite.folder);
    loop {
        tokio::select! {
            done = prune(&app.store, &lists, &app.config.retention, &app.clock) => match done {
                Ok(removed) if removed == Removed::default() => {}
                Ok(removed) => tracing::info!("kept long enough and removed: {removed:?}"),
                Err(e) => tracing::warn!("what is old was not removed: {}", e.chain()),
            },
            () = app.stopped() => return,
        }
        if super::sleep_or_stop(&app, EVERY).await {
            return;
        }
    }
}

/// Removes what has been kept long enough; `lists` is the watched folder of hotspot lists.
pub async fn prune(store: &Store, lists: &Path, policy: &Retention, clock: &Clock) -> Result<Removed> {
    let now = clock.now();
    store.prune_logins(now).await?;
    let mut removed =
        Removed { days: store.prune_analyses(now - days(policy.analyses_days)).await?, ..Removed::default() };
    let oldest = now - days(policy.hotspots_days);
    for list in old_lists(lists.to_owned(), oldest).await? {
        remove(&list).await?;
        removed.lists += 1;
        pause_after(removed.lists, clock).await;
    }
    for Held { picture, keeping, .. } in store.held_pictures(policy, now).await? {
        if keeping == Keeping::Over {
            store.remove_picture(picture).await?;
            removed.pictures += 1;
            pause_after(removed.pictures, clock).await;
        }
    }
    loop {
        match store.prune_hotspots(oldest).await? {
            0 => break,
            rows => removed.hotspots += rows,
        }
        clock.sleep(PAUSE).await;
    }
    while store.prune_analyses_in_record().await? > 0 {
        clock.sleep(PAUSE).await;
    }
    Ok(removed)
}

async fn pause_after(files: usize, clock: &Clock) {
    if files.is_multiple_of(FILES_AT_ONCE) {
        clock.sleep(PAUSE).await;
    }
}

/// Lists taken in or refused before `before`, oldest first.
async fn old_lists(folder: PathBuf, before: Timestamp) -> Result<Vec<PathBuf>> {
    let listed = tokio::task::spawn_blocking(move || {
        let mut old = Vec::new();
        for entries in ["read", "refused"].map(|it| std::fs::read_dir(folder.join(it))) {
            let entries = match entries {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let at = entry.metadata()?.modified()?;
                if Timestamp::try_from(at).is_ok_and(|at| at < before) && entry.file_type()?.is_file() {
                    old.push((at, entry.path()));
                }
            }
        }
        old.sort();
        Ok::<_, std::io::Error>(old.into_iter().map(|(_, path)| path).collect())
    });
    let listed = listed.await.map_err(|e| Error::internal("the thread that looks for old lists died").because(e))?;
    listed.map_err(|e| Error::unavailable("cannot look through the hotspot lists that were read").because(e))
}

async fn remove(path: &Path) -> Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Error::unavailable(format!("cannot remove {}", path.display())).because(e))
        }
        _ => Ok(()),
    }
}
