//! Pure: the vendors' limits. At a short limit a text waits, and may join others. At a long one it
//! goes another way.

use super::channel::limits;
use crate::triage::policy::Channel;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Drills, and retries of what the board shows as failed, may use two fifths of each limit. So a
/// ranger's two calls can be drilled within an hour, and three stay for news of a fire. Of a limit
/// of one they may use that one: news then waits a minute, at most twice an hour.
const SPARE: (usize, usize) = (2, 5);

/// A called number on a channel. A robot has one for all messages.
pub(super) type Number = (Channel, Option<String>);

pub(super) fn number(channel: Channel, phone: Option<&str>) -> Number {
    (channel, phone.filter(|_| channel != Channel::Wecom).map(ToOwned::to_owned))
}

/// What each vendor has counted: a list of times per number. "5 an hour" is a sliding window, which
/// a leaky bucket would exceed by up to twice. At most 50 times are kept per number.
#[derive(Default)]
pub(super) struct Limiter {
    handed_over: HashMap<Number, VecDeque<Counted>>,
}

struct Counted {
    at: Timestamp,
    spare: bool,
}

impl Limiter {
    /// The earliest moment, `now` or later, at which the vendor allows one more. `spare`: only the
    /// spare share applies.
    pub(super) fn free_at(&self, number: &Number, spare: bool, now: Timestamp) -> Timestamp {
        let Some(counted) = self.handed_over.get(number) else { return now };
        let leaves = limits(number.0).iter().flat_map(|limit| {
            let all = nth_last(counted.iter().rev(), limit.count);
            let share = (limit.count * SPARE.0 / SPARE.1).max(1);
            let spared = nth_last(counted.iter().rev().filter(|it| it.spare), share);
            [all, spared.filter(|_| spare)].into_iter().flatten().map(|at| at + limit.within)
        });
        leaves.fold(now, Ord::max)
    }

    /// Counts one hand-over, accepted or not: the vendor may have counted it. Call in the order of
    /// time.
    pub(super) fn count(&mut self, number: &Number, spare: bool, at: Timestamp) {
        let counted = self.handed_over.entry(number.clone()).or_default();
        counted.push_back(Counted { at, spare });
        let needed = limits(number.0).iter().map(|limit| limit.count).max().unwrap_or_default();
        while counted.len() > needed {
            counted.pop_front();
        }
    }
}

/// The time of the `count`-th most recent hand-over, if there is one. It is the oldest that still
/// counts against the limit.
fn nth_last<'a>(
    mut newest_first: impl Iterator<Item = &'a Counted>,
    count: usize,
) -> Option<Timestamp> {
    newest_first.nth(count - 1).map(|it| it.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn voice(phone: &str) -> Number {
        number(Channel::Voice, Some(phone))
    }

    #[test]
    fn a_number_is_called_once_a_minute_five_times_an_hour_twenty_times_a_day() {
        let start: Timestamp = "2026-04-05T06:00:00Z".parse().expect("a time");
        let mut limiter = Limiter::default();
        let mut now = start;
        let mut calls = Vec::new();
        for _ in 0..21 {
            now = limiter.free_at(&voice("138"), false, now);
            limiter.count(&voice("138"), false, now);
            calls.push(now.duration_since(start).as_mins());
        }
        assert_eq!(calls[..11], [0, 1, 2, 3, 4, 60, 61, 62, 63, 64, 120]);
        assert_eq!(calls[20], 24 * 60);
        assert_eq!(limiter.free_at(&voice("139"), false, start), start, "another number is free");
    }

    #[test]
    fn one_robot_serves_everybody() {
        let start: Timestamp = "2026-04-05T06:00:00Z".parse().expect("a time");
        let mut limiter = Limiter::default();
        for second in 0..20 {
            let number = number(Channel::Wecom, Some(&second.to_string()));
            let now = start + SignedDuration::from_secs(second);
            assert_eq!(limiter.free_at(&number, false, now), now);
            limiter.count(&number, false, now);
        }
        let now = start + SignedDuration::from_secs(20);
        assert_eq!(
            limiter.free_at(&number(Channel::Wecom, Some("new")), false, now),
            start + SignedDuration::from_mins(1)
        );
    }

    #[test]
    fn a_day_of_drills_leaves_a_fire_three_calls_in_five() {
        let start: Timestamp = "2026-04-05T06:00:00Z".parse().expect("a time");
        let mut limiter = Limiter::default();
        let mut call = |drill, wanted: Timestamp| {
            let at = limiter.free_at(&voice("138"), drill, wanted);
            limiter.count(&voice("138"), drill, at);
            at.duration_since(start).as_mins()
        };
        let drills =
            [0, 1, 2, 3].map(|minute| call(true, start + SignedDuration::from_mins(minute)));
        assert_eq!(drills, [0, 1, 60, 61], "two an hour");
        let calls =
            [62, 63, 64, 65].map(|minute| call(false, start + SignedDuration::from_mins(minute)));
        assert_eq!(
            calls,
            [62, 63, 64, 120],
            "a fire has the other three, and what leaves the window first"
        );
    }
}
