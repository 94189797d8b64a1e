//! Pure: when the pictures of a recorded folder were taken. Names without a zone are taken as UTC.

use crate::camera::time_in_name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;

/// By the names of all of them, in time order; else in the given order, `interval` apart from `start` on.
pub fn of_pictures(pictures: Vec<PathBuf>, start: Timestamp, interval: SignedDuration) -> Vec<(Timestamp, PathBuf)> {
    let named = |path: &PathBuf| path.file_stem().and_then(|stem| in_name(&stem.to_string_lossy()));
    if let Some(times) = pictures.iter().map(named).collect::<Option<Vec<_>>>() {
        let mut timed: Vec<_> = times.into_iter().zip(pictures).collect();
        timed.sort();
        return timed;
    }
    let later = |at: &Timestamp| Some(at.checked_add(interval).unwrap_or(Timestamp::MAX));
    std::iter::successors(Some(start), later).zip(pictures).collect()
}

pub fn in_name(stem: &str) -> Option<Timestamp> {
    time_in_name(stem, &TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_times_from_all_names_or_from_none() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let start: Timestamp = "2026-03-05T04:00:00Z".parse().expect("a time");
        let minute = SignedDuration::from_mins(1);
        let order = |names: &[&str]| -> Vec<(String, String)> {
            let timed = of_pictures(paths(names), start, minute);
            timed.into_iter().map(|(at, path)| (at.to_string(), path.display().to_string())).collect()
        };
        assert_eq!(order(&["a_1563297120.jpg", "b_1563297060.jpg"])[0].1, "b_1563297060.jpg", "time before name");
        let mixed = order(&["a.jpg", "b_1563297060.jpg"]);
        assert_eq!(mixed[0], ("2026-03-05T04:00:00Z".into(), "a.jpg".into()));
        assert_eq!(mixed[1], ("2026-03-05T04:01:00Z".into(), "b_1563297060.jpg".into()));
    }
}
