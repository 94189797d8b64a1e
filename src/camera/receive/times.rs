//! Pure: when a picture was taken, according to its file name.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2019-07-16T09_49_22`, `20190716_094922`, `20190716094922` with or without milliseconds,
/// `1563297060_-02400` (HPWREN: seconds since 1970) … Names without a zone (no `Z` at their end)
/// are read in `zone`.
pub fn time_in_name(stem: &str, zone: &TimeZone) -> Option<Timestamp> {
    let groups: Vec<&str> =
        stem.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let zone = if stem.ends_with('Z') { &TimeZone::UTC } else { zone };
    // Dates are tried first: a serial number may look like seconds since 1970, but hardly anything
    // else looks like a date and a time.
    let civil = (0..groups.len()).find_map(|i| zone.to_timestamp(civil(&groups[i..])?).ok());
    civil.or_else(|| groups.iter().find_map(|group| epoch(group)))
}

/// Ten digits that begin with 1: 2001 to 2033.
fn epoch(group: &str) -> Option<Timestamp> {
    let seconds = (group.len() == 10 && group.starts_with('1')).then(|| group.parse().ok())??;
    Timestamp::from_second(seconds).ok()
}

/// Year, month, day, hour, minute and second, whatever their grouping.
fn civil(groups: &[&str]) -> Option<DateTime> {
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).take(6).collect();
    let taken = match lengths.as_slice() {
        [4, 2, 2, 2, 2, 2] => 6,
        [8, 6, ..] => 2,
        [8, 2, 2, 2, ..] | [4, 2, 2, 6, ..] => 4,
        [14 | 17, ..] => 1,
        _ => return None,
    };
    let digits = groups[..taken].concat();
    let number = |from: usize, to: usize| digits[from..to].parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let year = number(0, 4).filter(|year| (1990..2100).contains(year))?;
    DateTime::new(year, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::county_time;

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
            ("10.0.0.64_01_20190716094922123_TIMING", Some("2019-07-16T09:49:22Z")),
            ("1234567890_20190716094922", Some("2019-07-16T09:49:22Z")),
            ("43010000001320000001_20190716094922", Some("2019-07-16T09:49:22Z")),
            ("20191316_094922", None),
            ("frame_0001", None),
            ("12345678901234", None),
            ("", None),
            ("火点", None),
        ] {
            assert_eq!(
                time_in_name(name, &TimeZone::UTC).map(|t| t.to_string()).as_deref(),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_without_a_zone_is_in_local_time_and_a_count_of_seconds_is_not() {
        for (name, expected) in [
            ("20190716094922", "2019-07-16T01:49:22Z"),
            ("20190716T094922Z", "2019-07-16T09:49:22Z"),
            ("cam_1563297060", "2019-07-16T17:11:00Z"),
        ] {
            assert_eq!(
                time_in_name(name, &county_time()).map(|t| t.to_string()).as_deref(),
                Some(expected),
                "{name}"
            );
        }
    }
}
