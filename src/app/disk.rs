//! Free space on the data folder's disk: how much is left, how long it will last, and what uses it.
//! `prune::shed` decides what goes first when it is short.

use crate::config::DiskConfig;
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;

const GIB: f64 = (1_u64 << 30) as f64;
/// Space counts as short until this multiple of the reserve is free. Otherwise the next picture
/// would make it short again.
const RELIEF: f64 = 1.1;
/// Interval between two notes of the free space, and how many are kept: a week's use predicts when
/// it runs out.
const NOTE_EVERY: SignedDuration = SignedDuration::from_hours(1);
const NOTES_MAX: usize = 7 * 24;
/// Notes over a shorter time say nothing about a day's use.
const FORESIGHT_MIN: SignedDuration = SignedDuration::from_hours(6);
/// Longest prediction, days: nobody plans a disk further ahead.
const DAYS_MAX: f64 = 365.0;

/// The amounts that `prune` has removed.
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

/// Free bytes for everybody but root. `None` when the folder cannot be queried.
pub fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

pub fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB
}

/// Bytes of all files in and below a folder; of a file, its own. What cannot be read counts as
/// zero.
pub fn size(path: &Path) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| size(&entry.path()))
            .sum(),
        Ok(about) => about.len(),
        Err(_) => 0,
    }
}

/// Whether there is space. Shared by the code that measures, writes and sheds.
#[derive(Clone, Debug)]
pub struct Room {
    /// Whether analyses are stored on this disk; PostgreSQL has one of its own.
    has_analyses: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_short: bool,
    notes: VecDeque<(Timestamp, u64)>,
    shed: Removed,
}

impl Room {
    pub fn new(has_analyses: bool) -> Self {
        Self { has_analyses, state: Arc::default() }
    }

    /// Records the free space. Returns what the board has to say, in Chinese and English.
    pub fn look(&self, free: u64, limits: &DiskConfig, now: Timestamp) -> Option<(String, String)> {
        let mut state = self.state();
        state.is_short = gib(free) < limits.reserve_gib * if state.is_short { RELIEF } else { 1.0 };
        if state.notes.back().is_none_or(|(at, _)| now.duration_since(*at) >= NOTE_EVERY) {
            state.notes.push_back((now, free));
            if state.notes.len() > NOTES_MAX {
                state.notes.pop_front();
            }
        }
        let (zh, en) = if state.is_short {
            self.short(gib(free), limits)
        } else if gib(free) < limits.warn_gib {
            self.low(gib(free), limits, days_left(&state.notes, free, limits, now))
        } else {
            state.shed = Removed::default();
            return None;
        };
        let (zh_gone, en_gone) = gone(&state.shed);
        Some((zh + &zh_gone, en + &en_gone))
    }

    /// Less than the reserve is free, and `prune` makes space.
    pub fn is_short(&self) -> bool {
        self.state().is_short
    }

    /// Space is short where analyses are stored, so they are not stored.
    pub fn is_short_for_analyses(&self) -> bool {
        self.has_analyses && self.is_short()
    }

    /// Records what was removed for lack of space, for the board.
    pub fn shed(&self, removed: Removed) {
        self.state().shed += removed;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn low(&self, free: f64, limits: &DiskConfig, days: Option<f64>) -> (String, String) {
        let reserve = limits.reserve_gib;
        let (zh_when, en_when) = match days.map(f64::ceil) {
            Some(days) => (
                format!("，按最近的用量约{days:.0}天后用到保留空间"),
                format!(
                    ", at this pace the reserve is reached in about {days:.0} {}",
                    if days <= 1.0 { "day" } else { "days" }
                ),
            ),
            None => Default::default(),
        };
        let (zh_first, en_first) = match self.has_analyses {
            true => ("先停止并清除分析记录，再清除", "analyses stop and are removed first, then "),
            false => ("依次清除", "the program removes in turn "),
        };
        (
            format!(
                "数据盘剩{free:.1} GiB{zh_when}；低于{reserve:.1} GiB时{zh_first}热点原始文件、\
                无警情的图片、误报的图片：请清理磁盘或换更大的磁盘"
            ),
            format!(
                "{free:.1} GiB are free{en_when}; below {reserve:.1} GiB {en_first}processed \
                hotspot lists, pictures of no incident and pictures of false alarms: free space or \
                move to a larger disk"
            ),
        )
    }

    fn short(&self, free: f64, limits: &DiskConfig) -> (String, String) {
        let reserve = limits.reserve_gib;
        let (zh_first, en_first) = match self.has_analyses {
            true => (
                "不再保存分析记录，并清除旧的分析记录、",
                "analyses are no longer kept; old analyses, ",
            ),
            false => ("清除旧的", ""),
        };
        (
            format!(
                "数据盘只剩{free:.1} GiB，低于保留的{reserve:.1} GiB：{zh_first}热点原始文件、\
                无警情和误报的图片；火情证据和事件记录不清除：请立即清理磁盘或换更大的磁盘"
            ),
            format!(
                "only {free:.1} GiB are free, less than the reserve of {reserve:.1} GiB: \
                {en_first}processed hotspot lists, pictures of no incident and of false alarms are \
                removed. Evidence of fires and the log stay. Free space at once or move to a \
                larger disk"
            ),
        )
    }
}

/// Days until only the reserve is free, at the rate of the notes; `None`: unknown, or far off.
fn days_left(
    notes: &VecDeque<(Timestamp, u64)>,
    free: u64,
    limits: &DiskConfig,
    now: Timestamp,
) -> Option<f64> {
    let (at, then) = notes.front().filter(|(at, _)| now.duration_since(*at) >= FORESIGHT_MIN)?;
    let a_day = gib(then.saturating_sub(free)) / (now.duration_since(*at).as_secs_f64() / 86_400.0);
    let days = (gib(free) - limits.reserve_gib) / a_day;
    days.is_finite().then_some(days).filter(|days| *days < DAYS_MAX)
}

/// What has been removed while space was short.
fn gone(shed: &Removed) -> (String, String) {
    let Removed { days, lists, pictures, .. } = shed;
    if *shed == Removed::default() {
        return Default::default();
    }
    (
        format!("。已清除分析记录{days}天、热点原始文件{lists}个、图片{pictures}幅"),
        format!(
            ". Removed so far: {days} days of analyses, {lists} hotspot lists, {pictures} \
            pictures"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: u64 = 1 << 30;

    fn at(hours: i64) -> Timestamp {
        "2026-04-05T06:00:00Z".parse::<Timestamp>().expect("a time")
            + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_disk_tells_its_room_and_a_folder_that_is_not_there_tells_nothing() {
        assert!((1 << 20..1 << 60).contains(&free(Path::new(".")).expect("a disk")));
        assert_eq!(free(Path::new("/nowhere/at/all")), None);
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("inner")).expect("a folder");
        std::fs::write(dir.path().join("inner/a"), [0; 300]).expect("a file");
        std::fs::write(dir.path().join("b"), [0; 20]).expect("a file");
        assert_eq!(size(dir.path()), 320);
    }

    #[test]
    fn the_board_says_before_it_happens_what_will_go_and_when() {
        let (room, limits) = (Room::new(true), DiskConfig::default());
        assert_eq!(room.look(14 * WHOLE, &limits, at(0)), None);
        let (zh, _) = room.look(9 * WHOLE, &limits, at(1)).expect("below the warning");
        assert!(
            zh.contains("低于2.0 GiB时先停止并清除分析记录") && !zh.contains("天后"),
            "an hour says nothing of days: {zh}"
        );
        // 10 GiB in 48 hours: the 2 GiB above the reserve last less than half a day.
        let (zh, en) = room.look(4 * WHOLE, &limits, at(48)).expect("below the warning");
        assert!(zh.contains("约1天后") && en.contains("in about 1 day;"), "{zh} {en}");
        assert!(!room.is_short());
    }

    #[test]
    fn a_short_disk_stays_short_until_there_is_more_than_the_reserve_and_says_what_went() {
        let (room, limits) = (Room::new(true), DiskConfig::default());
        room.look(2 * WHOLE - 1, &limits, at(0));
        assert!(room.is_short());
        room.shed(Removed { days: 3, ..Removed::default() });
        room.shed(Removed { pictures: 2, ..Removed::default() });
        let (zh, en) = room.look(2 * WHOLE + 1, &limits, at(1)).expect("still short");
        assert!(
            zh.contains("分析记录3天")
                && zh.contains("图片2幅")
                && en.contains("3 days of analyses"),
            "{zh} {en}"
        );
        assert!(
            room.look(3 * WHOLE, &limits, at(2)).expect("low").0.contains("图片2幅"),
            "until there is room again"
        );
        assert!(!room.is_short());
        assert_eq!(room.look(11 * WHOLE, &limits, at(3)), None);
        assert!(!room.look(WHOLE, &limits, at(4)).expect("short again").0.contains("图片2幅"));
    }

    #[test]
    fn where_analyses_have_a_disk_of_their_own_they_stay_and_the_board_does_not_speak_of_them() {
        let (room, limits) = (Room::new(false), DiskConfig::default());
        for free in [9 * WHOLE, WHOLE] {
            let (zh, en) = room.look(free, &limits, at(0)).expect("said");
            assert!(
                !zh.contains("分析记录") && zh.contains("清除") && !en.contains("analyses"),
                "{zh} {en}"
            );
        }
        assert!(room.is_short() && !room.is_short_for_analyses());
        let here = Room::new(true);
        here.look(WHOLE, &limits, at(0));
        assert!(here.is_short_for_analyses());
    }
}
