//! Pure: when a recorded picture was taken, as its name says it. Names without a zone are taken as UTC.

use jiff::civil::DateTime;
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

/// `1563297060_-02400` (HPWREN: seconds since 1970), `2019-07-16T09_49_22`, `20190716_094922`, `20190716094922` …
pub fn in_name(stem: &str) -> Option<Timestamp> {
    let groups: Vec<&str> = stem.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    (0..groups.len()).find_map(|i| epoch(groups[i]).or_else(|| civil(&groups[i..])))
}

/// Ten digits that begin with 1: 2001 to 2033.
fn epoch(group: &str) -> Option<Timestamp> {
    let seconds = (group.len() == 10 && group.starts_with('1')).then(|| group.parse().ok())??;
    Timestamp::from_second(seconds).ok()
}

/// Year, month, day, hour, minute, second, however they are grouped.
fn civil(groups: &[&str]) -> Option<Timestamp> {
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).take(6).collect();
    let taken = match lengths.as_slice() {
        [4, 2, 2, 2, 2, 2] => 6,
        [8, 6, ..] => 2,
        [8, 2, 2, 2, ..] | [4, 2, 2, 6, ..] => 4,
        [14, ..] => 1,
        _ => return None,
    };
    let digits = groups[..taken].concat();
    let number = |from: usize, to: usize| digits[from..to].parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let year = number(0, 4).filter(|year| (1990..2100).contains(year))?;
    let time = DateTime::new(year, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_in_names() {
        for (name, expected) in [
            ("1563297060_-02400", Some("2019-07-16T17:11:00Z")),
            ("bl-s-mobo-c_1563297060", Some("2019-07-16T17:11:00Z")),
            ("2019-07-16T09_49_22", Some("2019-07-16T09:49:22Z")),
            ("2019-07-16 09-49-22.5", Some("2019-07-16T09:49:22Z")),
            ("cam7_20190716_094922", Some("2019-07-16T09:49:22Z")),
            ("20190716T094922Z", Some("2019-07-16T09:49:22Z")),
            ("20190716094922", Some("2019-07-16T09:49:22Z")),
            ("DJI_20190716_09_49_22", Some("2019-07-16T09:49:22Z")),
            ("20191316_094922", None),
            ("frame_0001", None),
            ("12345678901234", None),
            ("", None),
            ("火点", None),
        ] {
            assert_eq!(in_name(name).map(|t| t.to_string()).as_deref(), expected, "{name}");
        }
    }

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
