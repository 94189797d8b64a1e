//! Looks out for satellites: says the next passes on the board, and that no list has come after one.

use super::super::{App, sleep_or_stop};
use super::Heard;
use crate::base::time::county_time;
use crate::lang::Words;
use crate::satellite::{Orbits, Pass, kept_at, next_of_each, of_timetable};
use crate::triage::geo::LatLon;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::time::{Duration, SystemTime};

const PART: &str = "passes";
const EVERY: Duration = Duration::from_secs(5);
/// How far passes are computed, and how often anew.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
const ANEW: SignedDuration = SignedDuration::from_hours(1);
/// Passes that the board names, one a satellite.
const NAMED: usize = 3;
/// Orbits drift: the times of older ones are off by minutes.
const ORBITS_HOLD: SignedDuration = SignedDuration::from_hours(60 * 24);

pub(super) async fn run(app: &App, folder: &Path, heard: &Heard) {
    let config = &app.config.satellite;
    if config.orbits.is_none() && config.timetable.is_empty() {
        return;
    }
    let kept = folder.join("read");
    if let Some(at) = tokio::task::block_in_place(|| newest_in(&kept, app.clock.now())) {
        heard.a_list(at);
    }
    let mut known: Option<Known> = None;
    loop {
        let now = app.clock.now();
        let is_old = |known: &Known| !known.holds(app, now);
        if known.as_ref().is_none_or(is_old) {
            known = Some(tokio::task::block_in_place(|| Known::compute(app, now)));
        }
        if let Some(Known { passes, wrong, .. }) = &known {
            let silent = silence(passes, heard.at(), now, config.list_within);
            let is_ok = wrong.is_empty() && silent.is_none();
            let next = next(passes, now);
            let all = Words::joined(wrong.iter().chain(&silent).chain(&next));
            app.parts.set(PART, is_ok, all.zh, all.en);
        }
        if sleep_or_stop(app, EVERY).await {
            return;
        }
    }
}

/// The passes of the last hours and the next day.
struct Known {
    at: Timestamp,
    over: Option<LatLon>,
    changed: Option<SystemTime>,
    passes: Vec<Pass>,
    wrong: Vec<Words>,
}

impl Known {
    fn holds(&self, app: &App, now: Timestamp) -> bool {
        now.duration_since(self.at).abs() < ANEW
            && self.over == app.registers.current().centre()
            && self.changed == changed(app)
    }

    fn compute(app: &App, now: Timestamp) -> Self {
        let config = &app.config.satellite;
        let (from, until) = (now - config.list_within - AHEAD, now + AHEAD + ANEW);
        let over = app.registers.current().centre();
        let mut known = Self {
            at: now,
            over,
            changed: changed(app),
            passes: of_timetable(&config.timetable, from, until),
            wrong: Vec::new(),
        };
        let Some(path) = config.orbits.as_ref().map(|file| app.config.store.data.join(file)) else {
            return known;
        };
        let shown = path.display();
        let read = std::fs::read_to_string(&path).map_err(|e| e.to_string());
        match (read.and_then(|text| Orbits::read(&text, app.lang)), over) {
            (Err(why), _) => {
                tracing::warn!(why, "the file of orbits cannot be used: {shown}");
                known.wrong.push(Words::new(
                    format!("轨道根数文件 {shown} 无法使用：{why}"),
                    format!("the file of orbits {shown} cannot be used: {why}"),
                ));
            }
            (Ok(_), None) => {
                known.wrong.push(Words::new(
                    "县的位置未知（没有网格），算不出过境时刻",
                    "the county has no place yet (no grids), so no passes are known",
                ));
            }
            (Ok(orbits), Some(over)) => {
                known.passes.extend(orbits.passes(over, from, until));
                known.passes.sort_by_key(|pass| pass.at);
                let age = orbits.oldest().map(|oldest| now.duration_since(oldest).abs());
                let old = age.filter(|age| *age > ORBITS_HOLD).map(|age| {
                    let days = age.as_hours() / 24;
                    Words::new(
                        format!("轨道根数已有{days}天，过境时刻不再可靠：请更新 {shown}"),
                        format!("the orbits are {days} days old, the passes unsure: renew {shown}"),
                    )
                });
                known.wrong.extend(old);
                known.wrong.extend(orbits.unread().map(|(number, why)| {
                    Words::new(
                        format!("轨道根数文件 {shown} 中有{number}颗卫星读不出来：{why}"),
                        format!("{number} satellites in {shown} cannot be read: {why}"),
                    )
                }));
            }
        }
        known
    }
}

fn changed(app: &App) -> Option<SystemTime> {
    let path = app.config.store.data.join(app.config.satellite.orbits.as_ref()?);
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// When the newest list was taken that is kept from before the start: by the stamp in its name, for
/// its file's time is the sender's, or that of a restored backup.
fn newest_in(folder: &Path, now: Timestamp) -> Option<Timestamp> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let taken = |file: std::fs::DirEntry| {
        let modified = || Timestamp::try_from(file.metadata().ok()?.modified().ok()?).ok();
        kept_at(&file.file_name().to_string_lossy()).or_else(modified)
    };
    Some(files.filter_map(taken).max()?.min(now))
}

fn clock(pass: &Pass) -> String {
    let at = pass.at.to_zoned(county_time()).strftime("%H:%M");
    format!("{} {at}", pass.satellite)
}

/// `下次 N21 14:32、N20 15:21`
fn next(passes: &[Pass], now: Timestamp) -> Option<Words> {
    let next: Vec<String> = next_of_each(passes, now).into_iter().take(NAMED).map(clock).collect();
    (!next.is_empty()).then(|| {
        Words::new(format!("下次 {}", next.join("、")), format!("next {}", next.join(", ")))
    })
}

/// No list since the last pass after which one must have come by now.
fn silence(
    passes: &[Pass],
    heard: Option<Timestamp>,
    now: Timestamp,
    within: SignedDuration,
) -> Option<Words> {
    let due = passes.iter().rfind(|pass| pass.at <= now - within)?;
    if heard.is_some_and(|heard| heard >= due.at) {
        return None;
    }
    let (pass, hours) = (clock(due), within.as_secs_f64() / 3600.0);
    Some(Words::new(
        format!("{pass} 过境后{hours:.1}小时没有收到任何热点列表：请查数据源，或向上级索取"),
        format!("no hotspot list within {hours:.1} h of the pass {pass}: look at the sources"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kept_list_is_told_by_its_stamp_and_never_from_the_future() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |name: &str| std::fs::write(dir.path().join(name), "").expect("written");
        let now: Timestamp = "2026-01-22T06:00:00Z".parse().expect("a time");
        assert_eq!(newest_in(dir.path(), now), None);
        // Their files are of today.
        put("20260121T060000Z-n20.csv");
        put("2-20260121T070000Z-n20.csv");
        let newest = newest_in(dir.path(), now).expect("lists");
        assert_eq!(newest.to_string(), "2026-01-21T07:00:00Z");
        put("by-hand.csv");
        assert_eq!(newest_in(dir.path(), now), Some(now), "its file's time is later than now");
    }

    #[test]
    fn a_pass_without_a_list_is_said_when_its_time_is_over_and_until_one_comes() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let pass = |hour| Pass { satellite: "N21".to_owned(), at: at(hour) };
        let passes = [pass(2), pass(14), pass(26)];
        let within = SignedDuration::from_hours(4);
        let said = |heard: Option<i64>, now| silence(&passes, heard.map(at), at(now), within);
        assert_eq!(said(Some(1), 5), None, "there is time yet");
        let words = said(Some(1), 6).expect("nothing since the pass");
        assert!(words.zh.starts_with("N21 10:00 过境后4.0小时"), "{}", words.zh);
        assert_eq!(said(Some(3), 6), None);
        assert_eq!(said(Some(3), 17), None, "the next pass has its time, too");
        assert!(said(Some(3), 18).is_some());
        assert!(said(None, 6).is_some(), "never a list");
        assert_eq!(said(None, 1), None, "and no pass yet");
        assert_eq!(next(&passes, at(3)).map(|it| it.zh).as_deref(), Some("下次 N21 22:00"));
        assert_eq!(next(&passes, at(30)), None);
    }
}
