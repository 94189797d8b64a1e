//! Pure: when the pictures of a recorded folder were taken. Names without a zone are taken as UTC.

use crate::camera::time_in_name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;

/// By the names, in time order, if all names hold a time. Otherwise in the given order, `interval`
/// apart from `start` on.
pub(super) fn of_pictures(
    pictures: Vec<PathBuf>,
    start: Timestamp,
    interval: SignedDuration,
) -> Vec<(Timestamp, PathBuf)> {
    let named = |path: &PathBuf| path.file_stem().and_then(|stem| in_name(&stem.to_string_lossy()));
    if let Some(times) = pictures.iter().map(named).collect::<Option<Vec<_>>>() {
        let mut timed: Vec<_> = times.into_iter().zip(pictures).collect();
        timed.sort();
        return timed;
    }
    let later = |at: &Timestamp| Some(at.checked_add(interval).unwrap_or(Timestamp::MAX));
    std::iter::successors(Some(start), later).zip(pictures).collect()
}

/// Keeps pictures at least `cadence` apart. Counted from the nominal time, not from the last
/// picture, because picture times vary.
pub(super) fn thinned(
    pictures: Vec<(Timestamp, PathBuf)>,
    cadence: SignedDuration,
) -> Vec<(Timestamp, PathBuf)> {
    let mut next: Option<Timestamp> = None;
    let stays = |(at, _): &(Timestamp, PathBuf)| {
        if next.is_some_and(|next| *at < next) {
            return false;
        }
        let beat = next.filter(|next| at.duration_since(*next) < cadence).unwrap_or(*at);
        next = beat.checked_add(cadence).ok();
        true
    };
    pictures.into_iter().filter(stays).collect()
}

pub(super) fn in_name(stem: &str) -> Option<Timestamp> {
    time_in_name(stem, &TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_thinned_to_a_cadence_on_its_beat() {
        let thin = |times_s: &[i64], cadence_s: i64| -> Vec<i64> {
            let at = |s: &i64| {
                (Timestamp::UNIX_EPOCH + SignedDuration::from_secs(*s), PathBuf::from("a.jpg"))
            };
            let thinned =
                thinned(times_s.iter().map(at).collect(), SignedDuration::from_secs(cadence_s));
            thinned.into_iter().map(|(at, _)| at.as_second()).collect()
        };
        for (what, times_s, cadence_s, expected) in [
            ("none asked", &[0, 1, 1, 2][..], 0, &[0, 1, 1, 2][..]),
            ("one in six", &[0, 10, 20, 30, 40, 50, 60, 70], 60, &[0, 60]),
            ("rarer than asked", &[0, 60, 120], 10, &[0, 60, 120]),
            ("wavering times stay on the beat", &[0, 11, 20, 31, 40, 51], 20, &[0, 20, 40]),
            ("a gap", &[0, 10, 95, 100, 110], 20, &[0, 95]),
        ] {
            assert_eq!(thin(times_s, cadence_s), expected, "{what}");
        }
    }

    #[test]
    fn a_folder_has_times_from_all_names_or_from_none() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let start: Timestamp = "2026-03-05T04:00:00Z".parse().expect("a time");
        let minute = SignedDuration::from_mins(1);
        let order = |names: &[&str]| -> Vec<(String, String)> {
            let timed = of_pictures(paths(names), start, minute);
            timed
                .into_iter()
                .map(|(at, path)| (at.to_string(), path.display().to_string()))
                .collect()
        };
        assert_eq!(
            order(&["a_1563297120.jpg", "b_1563297060.jpg"])[0].1,
            "b_1563297060.jpg",
            "time before name"
        );
        let mixed = order(&["a.jpg", "b_1563297060.jpg"]);
        assert_eq!(mixed[0], ("2026-03-05T04:00:00Z".into(), "a.jpg".into()));
        assert_eq!(mixed[1], ("2026-03-05T04:01:00Z".into(), "b_1563297060.jpg".into()));
    }
}
