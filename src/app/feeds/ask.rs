//! The polled addresses, one task each: a server that sends a byte every five seconds delays no
//! other. An answer that is no list, or is old, is said on the board until a good one comes.

use super::super::{App, sleep_or_stop};
use super::{Heard, all_of, newest_of_a_country};
use crate::base::file;
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::lang::Words;
use crate::satellite::{self, Answer, Feed, Marks, back_off, keep_refused};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// Answers are named `feed1-<host>-<time>-<digest>.csv`.
pub(super) const NAME: &str = "feed";
/// Of an answer that is no list, so much is kept.
const REFUSED_MAX_BYTES: usize = 64 * 1024;

pub(super) async fn run(app: &App, folder: &Path, heard: &Heard) {
    let key = app.config.secret(Secret::FirmsKey).unwrap_or_else(|e| {
        tracing::error!("the key of the satellite feeds: {}", e.chain());
        None
    });
    let mut asking = JoinSet::new();
    for (number, address) in (1..).zip(&app.config.satellite.feeds) {
        match Feed::new(address, key.as_deref()) {
            Ok(feed) => {
                let line = Line {
                    app: app.clone(),
                    number,
                    feed,
                    folder: folder.to_owned(),
                    heard: heard.clone(),
                };
                asking.spawn(line.keep_asking());
            }
            Err(e) => {
                tracing::error!("a satellite feed is not fetched: {}", e.chain());
                let part = format!("feeds {number}");
                app.parts.set(part, false, format!("卫星数据源配置有误：{}", e.message), e.message);
            }
        }
    }
    all_of(asking).await;
}

/// One address.
#[derive(Clone)]
struct Line {
    app: App,
    number: usize,
    feed: Feed,
    folder: PathBuf,
    heard: Heard,
}

/// What is known of the last good answer, and whether one that was none has been kept since.
#[derive(Clone, Default)]
struct Last {
    marks: Marks,
    digest: [u8; 32],
    has_refused: bool,
    /// When the newest of its pixels was seen, if it is a list that always has some.
    newest: Option<Timestamp>,
}

impl Line {
    async fn keep_asking(self) {
        let every =
            Duration::from_secs(self.app.config.satellite.feed_every.as_secs().unsigned_abs());
        let (mut last, mut failures) = (Last::default(), 0);
        loop {
            let (own, mut known) = (self.clone(), last.clone());
            let fetched = tokio::task::spawn_blocking(move || {
                let answered = own.fetch(&mut known);
                (known, answered)
            });
            let fetched = tokio::select! {
                fetched = fetched => fetched,
                () = self.app.stopped() => return,
            };
            let (known, answered) = fetched.unwrap_or_else(|e| {
                (last, Err(Error::internal("a feed's thread died").because(e)))
            });
            last = known;
            let wait = match answered {
                Ok(()) => {
                    failures = 0;
                    self.heard.a_list(heard_at(&last, self.app.clock.now()));
                    self.say(self.stale(&last));
                    every
                }
                Err(e) => {
                    failures += 1;
                    let wait = back_off(every, failures, e.kind);
                    self.failed(&e, failures, wait);
                    wait
                }
            };
            if sleep_or_stop(&self.app, wait).await {
                return;
            }
        }
    }

    fn failed(&self, e: &Error, failures: u32, wait: Duration) {
        let (feed, seconds) = (&self.feed, wait.as_secs());
        tracing::warn!(%feed, failures, "the satellite feed could not be fetched: {}", e.chain());
        self.say(Some(Words::new(
            format!("{feed}：{}（第{failures}次失败，{seconds}秒后再试）", e.message),
            format!("{feed}: {} (failure {failures}, again in {seconds} s)", e.message),
        )));
    }

    fn say(&self, wrong: Option<Words>) {
        let is_ok = wrong.is_none();
        let Words { zh, en } = wrong.unwrap_or_else(|| Words::new("", ""));
        self.app.parts.set(format!("feeds {}", self.number), is_ok, zh, en);
    }

    /// A server that answers and has nothing new to tell.
    fn stale(&self, last: &Last) -> Option<Words> {
        let newest = last.newest.max(last.marks.modified_at())?;
        let age = self.app.clock.now().duration_since(newest);
        (age > self.app.config.satellite.stale_after).then(|| {
            let (feed, hours) = (&self.feed, age.as_hours());
            Words::new(
                format!("{feed}：能取到，但最新数据已是{hours}小时前的，来源可能停更"),
                format!(
                    "{feed} answers, but its newest data are {hours} h old: it may have stopped"
                ),
            )
        })
    }

    /// Puts the answer into the folder, unless it is as the last one was.
    fn fetch(&self, last: &mut Last) -> Result<()> {
        let (app, now) = (&self.app, self.app.clock.now());
        let answer = self.feed.fetch(&last.marks, &app.config.camera.pipelines, app.lang)?;
        let Answer::New { bytes, marks } = answer else {
            last.has_refused = false;
            return Ok(());
        };
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if digest == last.digest {
            (last.marks, last.has_refused) = (marks, false);
            return Ok(());
        }
        let name = format!("{NAME}{}-{}", self.number, self.feed).replace(['/', ':'], "_");
        let (host, mappings) = (self.feed.to_string(), &app.config.satellite.mappings);
        let list = match satellite::parse_mapped(&bytes, &host, now, mappings, app.lang) {
            Ok(list) => list,
            Err(e) => {
                // The first is kept until a good answer comes: error pages name the hour, or a
                // number of their own, and would fill the disk.
                if !last.has_refused {
                    let begin = &bytes[..bytes.len().min(REFUSED_MAX_BYTES)];
                    keep_refused(&self.folder, &name, begin, &e.message, now)?;
                    last.has_refused = true;
                }
                return Err(e);
            }
        };
        let cannot =
            |e| Error::unavailable(format!("cannot write to {}", self.folder.display())).because(e);
        std::fs::create_dir_all(&self.folder).map_err(cannot)?;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let path = self.folder.join(format!("{name}-{stamp}-{}.csv", hex::encode(&digest[..4])));
        file::write_whole(&path, &bytes).map_err(cannot)?;
        let newest = newest_of_a_country(&list.hotspots);
        *last = Last { marks, digest, has_refused: false, newest };
        Ok(())
    }
}

/// When the list was new of which a good answer tells. A county's may be empty or the same for days,
/// so that it was answered has to do; one in which something always burns shows how new it is.
fn heard_at(last: &Last, now: Timestamp) -> Timestamp {
    let Some(newest) = last.newest else { return now };
    Some(newest).max(last.marks.modified_at()).unwrap_or(now).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_countrys_list_is_as_new_as_its_newest_row_and_a_countys_as_its_answer() {
        let now: Timestamp = "2026-11-21T14:00:00Z".parse().expect("a time");
        let hours = |hours| now + SignedDuration::from_hours(hours);
        for (newest, expected) in [
            (None, now),
            (Some(hours(-2)), hours(-2)),
            (Some(hours(-50)), hours(-50)),
            (Some(hours(3)), now),
        ] {
            let last = Last { newest, ..Last::default() };
            assert_eq!(heard_at(&last, now), expected, "{newest:?}");
        }
    }
}
