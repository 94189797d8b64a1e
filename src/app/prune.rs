//! What nobody needs any more goes, a little at a time and beside the office's work. How long each kind is kept: `triage::retention`.

use super::{App, disk};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{ANALYSES, Held, Store};
use crate::triage::retention::{Keeping, Retention, days};
use jiff::Timestamp;
use std::io::ErrorKind;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Interval between two prunings.
const EVERY: Duration = Duration::from_secs(3600);
/// Interval between two looks whether room is short: what comes in a minute is far less than the reserve.
const LOOK: Duration = Duration::from_secs(60);
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

impl AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        self.days += other.days;
        self.hotspots += other.hotspots;
        self.lists += other.lists;
        self.pictures += other.pictures;
    }
}

pub async fn run(app: App) {
    let mut pruned_at = None;
    loop {
        let is_due = pruned_at.is_none_or(|at| app.clock.now().duration_since(at).unsigned_abs() >= EVERY);
        if is_due {
            pruned_at = Some(app.clock.now());
        }
        tokio::select! {
            done = round(&app, is_due) => if let Err(e) = done {
                tracing::warn!("what is old was not removed: {}", e.chain());
            },
            () = app.stopped() => return,
        }
        if super::sleep_or_stop(&app, LOOK).await {
            return;
        }
    }
}

/// What is old goes once an hour, then what is over its budget; what there is no room for goes at once.
async fn round(app: &App, is_due: bool) -> Result<()> {
    let (store, policy, clock, disk) = (&app.store, &app.config.retention, &app.clock, &app.config.disk);
    let data = &app.config.store.data;
    let lists = data.join(&app.config.satellite.folder);
    if is_due {
        let mut removed = prune(store, &lists, policy, clock).await?;
        if let Some(most) = disk.analyses_max_gib {
            removed.days += shed_days(store, clock, || disk::gib(disk::size(&data.join(ANALYSES))) > most).await?;
        }
        if let Some(most) = disk.pictures_max_gib {
            removed.pictures += shed_pictures(store, policy, clock, |left| disk::gib(left) > most).await?;
        }
        tell("kept long enough", removed);
    }
    if app.room.is_short() {
        let is_short = || {
            // The room is judged anew, with what was just removed; a disk that cannot be asked is left alone.
            disk::free(data).is_some_and(|free| app.room.look(free, disk, clock.now()).is_some() && app.room.is_short())
        };
        let removed = shed(store, &lists, policy, clock, is_short).await?;
        app.room.shed(removed);
        tell("removed for want of room", removed);
    }
    Ok(())
}

fn tell(why: &str, removed: Removed) {
    if removed != Removed::default() {
        tracing::info!("{why}: {removed:?}");
    }
}

/// Makes room while it is short: analyses first, oldest day first; then hotspot lists that were read, oldest first; pictures of no
/// incident; pictures of false alarms. What is owed stays (`triage::retention`), and today's analyses, which are written no more.
pub async fn shed(
    store: &Store,
    lists: &Path,
    policy: &Retention,
    clock: &Clock,
    is_short: impl Fn() -> bool,
) -> Result<Removed> {
    let mut removed = Removed { days: shed_days(store, clock, &is_short).await?, ..Removed::default() };
    if is_short() {
        for list in old_lists(lists.to_owned(), clock.now()).await? {
            if !is_short() {
                break;
            }
            remove(&list).await?;
            removed.lists += 1;
            pause_after(removed.lists, clock).await;
        }
    }
    if is_short() {
        removed.pictures = shed_pictures(store, policy, clock, |_| is_short()).await?;
    }
    Ok(removed)
}

async fn shed_days(store: &Store, clock: &Clock, is_short: impl Fn() -> bool) -> Result<usize> {
    let mut days = 0;
    while is_short() && store.shed_analyses(clock.now()).await? {
        days += 1;
    }
    Ok(days)
}

/// `is_short` is told how many bytes of pictures are left.
async fn shed_pictures(
    store: &Store,
    policy: &Retention,
    clock: &Clock,
    is_short: impl Fn(u64) -> bool,
) -> Result<usize> {
    let mut held = store.held_pictures(policy, clock.now()).await?;
    let mut left: u64 = held.iter().map(|it| it.bytes).sum();
    held.retain(|it| it.keeping != Keeping::Owed);
    held.sort_by_key(|it| (it.keeping, it.picture));
    let mut pictures = 0;
    for Held { picture, bytes, .. } in held {
        if !is_short(left) {
            break;
        }
        store.remove_picture(picture).await?;
        left -= bytes;
        pictures += 1;
        pause_after(pictures, clock).await;
    }
    Ok(pictures)
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
