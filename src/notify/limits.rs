//! Pure: what vendors allow. Over a short limit a text waits and may join others; over a long one it goes another way.

use crate::triage::policy::Channel;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

/// At most `count` within any span of `within`.
struct Limit {
    count: usize,
    within: SignedDuration,
}

/// No limit looks farther back.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// 企业微信群机器人: 20 a minute and robot (developer.work.weixin.qq.com/document/path/91770).
const WECOM: &[Limit] = &[Limit { count: 20, within: SignedDuration::from_mins(1) }];
/// 语音外呼, per called number (help.aliyun.com/en/vms, getting started): 1 a minute, 5 an hour, 20 in 24 hours.
const VOICE: &[Limit] = &[
    Limit { count: 1, within: SignedDuration::from_mins(1) },
    Limit { count: 5, within: SignedDuration::from_hours(1) },
    Limit { count: 20, within: LONGEST },
];
/// 短信, notifications per number (help.aliyun.com/document_detail/2881383.html): 50 a day.
const SMS: &[Limit] = &[Limit { count: 50, within: LONGEST }];

/// A called number on a channel; the robot's is one for all.
pub type Number = (Channel, Option<String>);

pub fn number(channel: Channel, phone: Option<&str>) -> Number {
    (channel, phone.filter(|_| channel != Channel::Wecom).map(ToOwned::to_owned))
}

/// What each vendor has counted: a plain list of times for each number, because "5 an hour" is a window, which a leaky
/// bucket overruns by up to twice. At most 50 times a number are kept.
#[derive(Default)]
pub struct Limiter {
    handed_over: HashMap<Number, VecDeque<Timestamp>>,
}

impl Limiter {
    /// The earliest moment, `now` or later, at which the vendor allows one more.
    pub fn free_at(&self, number: &Number, now: Timestamp) -> Timestamp {
        let Some(times) = self.handed_over.get(number) else { return now };
        let leaves = limits(number.0).iter().filter_map(|limit| {
            let oldest_that_counts = times.len().checked_sub(limit.count)?;
            Some(times[oldest_that_counts] + limit.within)
        });
        leaves.fold(now, Ord::max)
    }

    /// One was handed over, taken or not: the vendor may have counted it. In the order of time.
    pub fn count(&mut self, number: &Number, at: Timestamp) {
        let times = self.handed_over.entry(number.clone()).or_default();
        times.push_back(at);
        let needed = limits(number.0).iter().map(|limit| limit.count).max().unwrap_or_default();
        while times.len() > needed {
            times.pop_front();
        }
    }
}

fn limits(channel: Channel) -> &'static [Limit] {
    match channel {
        Channel::Sms => SMS,
        Channel::Voice => VOICE,
        Channel::Wecom => WECOM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            now = limiter.free_at(&voice("138"), now);
            limiter.count(&voice("138"), now);
            calls.push(now.duration_since(start).as_mins());
        }
        assert_eq!(calls[..11], [0, 1, 2, 3, 4, 60, 61, 62, 63, 64, 120]);
        assert_eq!(calls[20], 24 * 60);
        assert_eq!(limiter.free_at(&voice("139"), start), start, "another number is free");
    }

    #[test]
    fn one_robot_serves_everybody() {
        let start: Timestamp = "2026-04-05T06:00:00Z".parse().expect("a time");
        let mut limiter = Limiter::default();
        for second in 0..20 {
            let number = number(Channel::Wecom, Some(&second.to_string()));
            let now = start + SignedDuration::from_secs(second);
            assert_eq!(limiter.free_at(&number, now), now);
            limiter.count(&number, now);
        }
        let now = start + SignedDuration::from_secs(20);
        assert_eq!(limiter.free_at(&number(Channel::Wecom, Some("new")), now), start + SignedDuration::from_mins(1));
    }
}
