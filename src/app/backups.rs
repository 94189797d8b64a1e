//! Makes the office's backups, if the configuration names a folder, and reports failures on the
//! board.

use super::App;
use crate::backup;
use crate::base::time::county_time;
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Its name on the board.
const PART: &str = "backups";
/// Interval at which the board is updated during a backup: a network disk may hang.
const LOOK: Duration = Duration::from_secs(60);
/// Wait before a failed backup is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

pub async fn run(app: App) {
    let Some(folder) = app.config.backup.folder.clone() else { return app.stopped().await };
    let every = app.config.backup.every;
    let mut state = State { last: None, since: app.clock.now(), failed: None };
    loop {
        let newest = folder.clone();
        let Some(newest) = patiently(&app, &state, move || backup::newest(&newest)).await else {
            return;
        };
        match newest {
            Ok(set) => (state.last, state.failed) = (set.map(|set| set.manifest.made_at), None),
            Err(e) => state.failed = Some(e),
        }
        let now = app.clock.now();
        let mut wait = state.last.map_or(SignedDuration::ZERO, |at| due_in(at, every, now));
        if wait.is_zero() {
            let Some(made) = take(&app, &folder, &state).await else { return };
            wait = match made {
                Ok(()) => {
                    (state.last, state.failed) = (Some(now), None);
                    every
                }
                // A backup started by a person is running, and counts as well.
                Err(e) if e.kind == Kind::Conflict => AGAIN.min(every),
                Err(e) => {
                    tracing::error!("the backup failed: {}", e.chain());
                    state.failed = Some(e);
                    AGAIN.min(every)
                }
            };
        }
        state.say(&app);
        if super::sleep_or_stop(&app, wait.unsigned_abs()).await {
            return;
        }
    }
}

/// Time until the next backup: zero when it is due, and at most one interval, even if the clock was
/// set.
fn due_in(last: Timestamp, every: SignedDuration, now: Timestamp) -> SignedDuration {
    (every - now.duration_since(last)).clamp(SignedDuration::ZERO, every)
}

/// Makes one backup and removes the oldest. `None`: the program stops; an incomplete set is no
/// backup.
async fn take(app: &App, folder: &Path, state: &State) -> Option<Result<()>> {
    let (office, keep, now) = (super::office(&app.config), app.config.backup.keep, app.clock.now());
    let folder = folder.to_owned();
    let work = move || {
        let taken = backup::take(&office, &folder, now, |_| {})?;
        tracing::info!(
            "backup {} made, {} new pictures",
            taken.set.path.display(),
            taken.new_pictures
        );
        // The backup is complete even if the old sets cannot be removed now: a manual backup may
        // hold the lock.
        if let Err(e) = backup::drop_old(&folder, keep) {
            tracing::warn!(
                "old backups could not be removed; trying again after the next backup: \
                {}",
                e.chain()
            );
        }
        Ok(())
    };
    patiently(app, state, work).await
}

/// Runs work on the backup's disk, which may hang. Meanwhile the board shows the age of the last
/// backup. `None`: the program stops.
async fn patiently<T: Send + 'static>(
    app: &App,
    state: &State,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Option<Result<T>> {
    let mut work = spawn_blocking(work);
    loop {
        tokio::select! {
            done = &mut work => return Some(done.unwrap_or_else(|e| Err(died(e)))),
            stopped = super::sleep_or_stop(app, LOOK) => if stopped { return None },
        }
        state.say(app);
    }
}

struct State {
    last: Option<Timestamp>,
    /// Without any backup the age counts from here.
    since: Timestamp,
    failed: Option<Error>,
}

impl State {
    fn say(&self, app: &App) {
        let at = self.last.map(|at| at.to_zoned(county_time()).strftime("%m-%d %H:%M").to_string());
        let zh_last =
            at.as_ref().map_or("还没有备份".to_owned(), |at| format!("最近一次备份：{at}"));
        let en_last = at.map_or("there is no backup yet".to_owned(), |at| {
            format!("the last backup was made {at}")
        });
        if let Some(e) = &self.failed {
            let (zh_why, en_why) = (e.chain_in(Lang::Zh), e.chain_in(Lang::En));
            app.parts.set(
                PART,
                false,
                format!("备份失败，{zh_last}；请检查备份磁盘：{zh_why}"),
                format!("the backup failed, {en_last}; check the backup's disk: {en_why}"),
            );
        } else if is_old(self.last.unwrap_or(self.since), app.config.backup.every, app.clock.now())
        {
            app.parts.set(
                PART,
                false,
                format!("备份迟迟没有完成，{zh_last}；请检查备份磁盘"),
                format!("a backup is long overdue, {en_last}; check the backup's disk"),
            );
        } else {
            app.parts.set(PART, true, "", "");
        }
    }
}

/// Older than twice the interval: a backup was missed.
pub fn is_old(last: Timestamp, every: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(last) > every.saturating_mul(2)
}

fn died(e: tokio::task::JoinError) -> Error {
    Error::internal("the backup's thread died").because(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_after_its_interval_and_old_after_two() {
        let hours = SignedDuration::from_hours;
        let (now, day) = ("2026-04-05T06:00:00Z".parse::<Timestamp>().expect("a time"), hours(24));
        assert_eq!(due_in(now - hours(5), day, now), hours(19));
        assert_eq!(due_in(now - hours(25), day, now), hours(0));
        assert_eq!(due_in(now + hours(99), day, now), day, "made by a clock that was ahead");
        assert!(is_old(now - hours(49), day, now) && !is_old(now - hours(47), day, now));
    }
}
