//! Removes what nobody needs any more, in small steps beside the office's work. `triage::retention`
//! says how long each kind is kept.

pub use super::disk::Removed;

use super::vitals::said;
use super::{App, disk};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::store::{ANALYSES, Store};
use crate::triage::proof::LOOKS_BACK;
use crate::triage::retention::{Keeping, days};
use jiff::Timestamp;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Interval between two prunings.
const EVERY: Duration = Duration::from_secs(3600);
/// Interval between two checks for lack of space: a minute's data is far less than the reserve.
const LOOK: Duration = Duration::from_secs(60);
/// Pause between two steps, in which writer and disk are free. Three million rows at 4,000 a step
/// take 750 steps and 75 s of pauses.
const PAUSE: Duration = Duration::from_millis(100);
/// Files removed in one step: some milliseconds of disk time.
const FILES_AT_ONCE: usize = 200;

/// Two loops run in parallel: old data may take half an hour after an upgrade, and lack of space
/// cannot wait for that.
pub async fn run(app: App) {
    tokio::select! {
        () = what_is_old(&app) => {}
        () = for_room(&app) => {}
        () = app.stopped() => {}
    }
}

async fn what_is_old(app: &App) {
    loop {
        let (removed, done) = prune(&app.store, &app.config, &app.clock).await;
        tell("removed past retention", removed);
        said(
            app,
            "pruning",
            done.is_err(),
            || "有过期的文件或记录清除不掉，磁盘会慢慢占满：原因见日志".to_owned(),
            || {
                "some expired files or records cannot be removed, and the disk will fill: see the \
                log for the reason"
                    .to_owned()
            },
        );
        app.clock.sleep(EVERY).await;
    }
}

async fn for_room(app: &App) {
    let (config, clock) = (&app.config, &app.clock);
    let is_short = || {
        // The space is measured again after each removal. A disk that cannot be queried is left
        // alone.
        disk::free(&config.store.data).is_some_and(|free| {
            app.room.look(free, &config.disk, clock.now()).is_some() && app.room.is_short()
        })
    };
    loop {
        let mut done = Ok(());
        if app.room.is_short() {
            let removed;
            (removed, done) = shed(&app.store, config, clock, is_short).await;
            app.room.shed(removed);
            tell("removed for lack of space", removed);
        }
        said(
            app,
            "room",
            done.is_err(),
            || "磁盘空间不足，有的旧文件却清除不掉：请立即清理磁盘；原因见日志".to_owned(),
            || {
                "space is short, and some old files cannot be removed: free space at once; see the \
                log for the reason"
                    .to_owned()
            },
        );
        clock.sleep(LOOK).await;
    }
}

fn tell(why: &str, removed: Removed) {
    if removed != Removed::default() {
        tracing::info!("{why}: {removed:?}");
    }
}

/// Called after every kind has had its turn, whatever failed. Logs all errors and returns the
/// first.
fn all<const KINDS: usize>(done: [Result<()>; KINDS]) -> Result<()> {
    for e in done.iter().filter_map(|it| it.as_ref().err()) {
        tracing::warn!("not removed: {}", e.chain());
    }
    done.into_iter().collect()
}

/// Makes space while it is short. It removes analyses first, oldest day first, then hotspot lists
/// that were read, oldest first; then pictures of strips, of no incident, of false alarms. Pictures
/// that must be kept stay (`triage::retention`), and so do today's analyses, which are no longer
/// written. Returns what was removed and the first error: a kind that fails does not stop the next.
pub async fn shed(
    store: &Store,
    config: &Config,
    clock: &Clock,
    is_short: impl Fn() -> bool,
) -> (Removed, Result<()>) {
    let mut removed = Removed::default();
    let done = all([
        shed_days(store, clock, &is_short, &mut removed.days).await,
        remove_lists(config, clock.now(), clock, &is_short, &mut removed.lists).await,
        if is_short() {
            shed_pictures(store, config, clock, |_| is_short(), &mut removed.pictures).await
        } else {
            Ok(())
        },
    ]);
    (removed, done)
}

async fn shed_days(
    store: &Store,
    clock: &Clock,
    is_short: impl Fn() -> bool,
    removed: &mut usize,
) -> Result<()> {
    while is_short() && store.shed_analyses(clock.now()).await? {
        *removed += 1;
    }
    Ok(())
}

/// `is_short` gets the bytes of pictures that are left.
async fn shed_pictures(
    store: &Store,
    config: &Config,
    clock: &Clock,
    is_short: impl Fn(u64) -> bool,
    removed: &mut usize,
) -> Result<()> {
    let mut held = store.held_pictures(&config.retention, clock.now()).await?;
    let mut left: u64 = held.iter().map(|it| it.bytes).sum();
    held.retain(|it| it.keeping != Keeping::Owed);
    held.sort_by_key(|it| (it.keeping, it.picture));
    for held in held {
        if !is_short(left) {
            break;
        }
        store.remove_held(&held).await?;
        left -= held.bytes;
        *removed += 1;
        pause_after(*removed, clock).await;
    }
    Ok(())
}

/// Removes what is past its retention, then what is over its budget. Returns what was removed and
/// the first error: a kind that fails does not stop the next. Rows come last, because they take
/// longest.
pub async fn prune(store: &Store, config: &Config, clock: &Clock) -> (Removed, Result<()>) {
    let (now, policy, disk) = (clock.now(), &config.retention, &config.disk);
    let oldest = now - days(policy.hotspots_days);
    let analyses = config.store.data.join(ANALYSES);
    let mut removed = Removed::default();
    let done = all([
        store.prune_logins(now).await.map(drop),
        store.prune_alarms(now - days(policy.fires_days)).await,
        store
            .prune_analyses(now - days(policy.analyses_days))
            .await
            .map(|days| removed.days += days),
        match disk.analyses_max_gib {
            Some(most) => {
                shed_days(
                    store,
                    clock,
                    || disk::gib(disk::size(&analyses)) > most,
                    &mut removed.days,
                )
                .await
            }
            None => Ok(()),
        },
        remove_lists(config, oldest, clock, || true, &mut removed.lists).await,
        prune_pictures(store, config, clock, &mut removed.pictures).await,
        match disk.pictures_max_gib {
            Some(most) => {
                shed_pictures(
                    store,
                    config,
                    clock,
                    |left| disk::gib(left) > most,
                    &mut removed.pictures,
                )
                .await
            }
            None => Ok(()),
        },
        prune_rows(store, oldest, clock, &mut removed.hotspots).await,
        prune_proof(store, now - LOOKS_BACK, clock).await,
    ]);
    (removed, done)
}

async fn prune_pictures(
    store: &Store,
    config: &Config,
    clock: &Clock,
    removed: &mut usize,
) -> Result<()> {
    for held in store.held_pictures(&config.retention, clock.now()).await? {
        if held.keeping == Keeping::Over {
            store.remove_held(&held).await?;
            *removed += 1;
            pause_after(*removed, clock).await;
        }
    }
    Ok(())
}

async fn prune_proof(store: &Store, before: Timestamp, clock: &Clock) -> Result<()> {
    while store.prune_proof(before).await? > 0 {
        clock.sleep(PAUSE).await;
    }
    Ok(())
}

async fn prune_rows(
    store: &Store,
    oldest: Timestamp,
    clock: &Clock,
    removed: &mut u64,
) -> Result<()> {
    loop {
        match store.prune_hotspots(oldest).await? {
            0 => break,
            rows => *removed += rows,
        }
        clock.sleep(PAUSE).await;
    }
    while store.prune_analyses_in_record().await? > 0 {
        clock.sleep(PAUSE).await;
    }
    Ok(())
}

/// Removes lists taken in or refused before `before`, oldest first, while `goes_on` returns true.
async fn remove_lists(
    config: &Config,
    before: Timestamp,
    clock: &Clock,
    goes_on: impl Fn() -> bool,
    removed: &mut usize,
) -> Result<()> {
    if !goes_on() {
        return Ok(());
    }
    for list in old_lists(config.store.data.join(&config.satellite.folder), before).await? {
        if !goes_on() {
            break;
        }
        remove(&list).await?;
        *removed += 1;
        pause_after(*removed, clock).await;
    }
    Ok(())
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
                let at = match entry.metadata() {
                    // Moved away meanwhile.
                    Err(e) if e.kind() == ErrorKind::NotFound => continue,
                    about => about?.modified()?,
                };
                if Timestamp::try_from(at).is_ok_and(|at| at < before)
                    && entry.file_type()?.is_file()
                {
                    old.push((at, entry.path()));
                }
            }
        }
        old.sort();
        Ok::<_, std::io::Error>(old.into_iter().map(|(_, path)| path).collect())
    });
    let listed = listed.await.map_err(|e| {
        Error::internal("the thread that lists old hotspot files failed").because(e)
    })?;
    listed.map_err(|e| {
        Error::unavailable("cannot read the folder of processed hotspot lists").because(e)
    })
}

async fn remove(path: &Path) -> Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Error::unavailable(format!("cannot remove {}", path.display())).because(e))
        }
        _ => Ok(()),
    }
}
