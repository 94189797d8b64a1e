//! The county's time zone, and arithmetic of instants that stops at the ends of time.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// County time is UTC+8 all year: China has had no summer time since 1991. So no time zone file is
/// needed.
pub const COUNTY: Offset = Offset::constant(8);

/// The same as a time zone.
pub fn county_time() -> TimeZone {
    TimeZone::fixed(COUNTY)
}

pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
