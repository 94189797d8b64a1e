//! Pure: by which source an RTSP camera is received. The program's own is cheap and strict;
//! `rtspsrc` costs more and overlooks more. Takes `now`.

use crate::camera::fault::Fault;
use crate::camera::fault::link::{Breach, Link, Network};
use jiff::{SignedDuration, Timestamp};

/// This number of breaches …
const BREACHES_MAX: u32 = 3;
/// … within this time, and the other source is tried. A camera that refuses keepalives breaks off
/// every 30 s.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The other source is given up after this number of connections without a picture …
const FRUITLESS_MAX: u32 = 2;
/// … for this time, and for twice the time whenever that happens again, up to a day.
const REST: SignedDuration = SignedDuration::from_mins(10);

/// Firmware is mended, and a platform's bad day ends: after this time by `rtspsrc` our own source is
/// tried again. Each camera has an instant of its own.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What follows from a breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Connect again at once. Nobody need know: the pictures go on.
    Again,
    /// Connect again at once, by `rtspsrc`.
    ByRtspsrc,
    /// A fault like any other. `is_tried`: `rtspsrc` gave no picture either.
    Told { is_tried: bool },
}

/// Of one camera, as long as it is not connected anew by its register.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The pipeline that it names may be replaced.
    may_change: bool,
    breaches: u32,
    since: Timestamp,
    by_rtspsrc: Option<Breach>,
    has_worked: bool,
    fruitless: u32,
    /// How often `rtspsrc` was given up since it last gave a picture.
    given_up: u32,
    /// `rtspsrc` since.
    changed_at: Timestamp,
    /// Both sources have failed; until then neither is changed again.
    rests_until: Option<Timestamp>,
}

impl Route {
    pub(super) fn new(may_change: bool) -> Self {
        Self { may_change, ..Self::default() }
    }

    /// The camera is received by `rtspsrc`, because of this.
    pub(super) fn by_rtspsrc(&self) -> Option<Breach> {
        self.by_rtspsrc
    }

    /// What to tell instead of a fault of `rtspsrc` that has never given a picture.
    pub(super) fn unproven(&self) -> Option<Breach> {
        self.by_rtspsrc.filter(|_| !self.has_worked)
    }

    /// Pictures come.
    pub(super) fn worked(&mut self) {
        if self.by_rtspsrc.is_some() {
            (self.has_worked, self.given_up) = (true, 0);
        }
    }

    /// True once a day while the camera is received by `rtspsrc`: our own source is taken again. The
    /// first breach within ten minutes ends the trial.
    pub(super) fn tries_own(&mut self, now: Timestamp) -> bool {
        let is_due = self.by_rtspsrc.is_some() && now.duration_since(self.changed_at) >= DAY;
        if is_due {
            let (breaches, given_up) = (BREACHES_MAX - 1, self.given_up);
            *self = Self { breaches, since: now, given_up, ..Self::new(true) };
        }
        is_due
    }

    /// A session of our own source has ended by a breach. `had_pictures`: it gave pictures before.
    pub(super) fn broke(&mut self, breach: Breach, had_pictures: bool, now: Timestamp) -> Next {
        let is_tried = self.rests_until.is_some_and(|until| now < until);
        if !self.may_change || is_tried {
            return Next::Told { is_tried };
        }
        if self.breaches == 0 || now.duration_since(self.since) > WITHIN {
            (self.breaches, self.since) = (0, now);
        }
        self.breaches += 1;
        if self.breaches < BREACHES_MAX {
            return if had_pictures { Next::Again } else { Next::Told { is_tried: false } };
        }
        let given_up = self.given_up;
        *self = Self { by_rtspsrc: Some(breach), changed_at: now, given_up, ..Self::new(true) };
        Next::ByRtspsrc
    }

    /// A connection by `rtspsrc` has ended. True: our own source is taken again, for a while. Any
    /// end counts, in whatever words: our own source had reached the camera. Only where nothing
    /// answers at all is `rtspsrc` not to blame.
    pub(super) fn ended(&mut self, fault: &Fault, now: Timestamp) -> bool {
        let is_absent = matches!(
            fault,
            Fault::Link(Link::Unreachable(
                Network::Refused | Network::NoRoute | Network::NoSuchHost
            ))
        );
        if self.has_worked || is_absent {
            return false;
        }
        self.fruitless += 1;
        let is_given_up = self.fruitless >= FRUITLESS_MAX;
        if is_given_up {
            let rest = REST.checked_mul(1 << self.given_up.min(8)).unwrap_or(DAY).min(DAY);
            let (rests_until, given_up) = (now.checked_add(rest).ok(), self.given_up + 1);
            *self = Self { rests_until, given_up, ..Self::new(true) };
        }
        is_given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_790_000_000 + s)
    }

    fn breaches(route: &mut Route, times_s: &[i64]) -> Vec<Next> {
        times_s.iter().map(|s| route.broke(Breach::Keepalive, true, at(*s))).collect()
    }

    #[test]
    fn the_third_breach_within_ten_minutes_changes_the_source() {
        let mut route = Route::new(true);
        let next = breaches(&mut route, &[0, 30, 60]);
        assert_eq!(next, [Next::Again, Next::Again, Next::ByRtspsrc]);
        assert_eq!(route.by_rtspsrc(), Some(Breach::Keepalive));
        let rare = breaches(&mut Route::new(true), &[0, 400, 800, 1200]);
        assert_eq!(rare, [Next::Again; 4], "what happens every few minutes disturbs nobody");
    }

    #[test]
    fn without_pictures_a_breach_is_told_while_it_is_counted() {
        let mut route = Route::new(true);
        let told = Next::Told { is_tried: false };
        let next: Vec<_> = (0..3).map(|s| route.broke(Breach::Description, false, at(s))).collect();
        assert_eq!(next, [told, told, Next::ByRtspsrc]);
    }

    #[test]
    fn a_pipeline_that_somebody_chose_is_left_alone() {
        let mut route = Route::new(false);
        assert_eq!(breaches(&mut route, &[0, 1, 2, 3]), [Next::Told { is_tried: false }; 4]);
    }

    #[test]
    fn where_rtspsrc_gives_nothing_either_both_are_said_to_fail_and_it_is_tried_again_later() {
        let mut route = Route::new(true);
        breaches(&mut route, &[0, 1, 2]);
        let ended = Fault::StreamEnded;
        assert!(!route.ended(&ended, at(10)) && route.unproven().is_some(), "once may be chance");
        assert!(route.ended(&ended, at(20)) && route.by_rtspsrc().is_none());
        assert_eq!(breaches(&mut route, &[21, 300]), [Next::Told { is_tried: true }; 2]);
        assert_eq!(breaches(&mut route, &[700, 701, 702])[2], Next::ByRtspsrc);
    }

    #[test]
    fn rtspsrc_that_has_worked_stays_through_every_outage() {
        let mut route = Route::new(true);
        breaches(&mut route, &[0, 1, 2]);
        route.worked();
        let lasts = (0..100).all(|s| !route.ended(&Fault::StreamEnded, at(s)));
        assert!(lasts && route.unproven().is_none());
    }

    #[test]
    fn whatever_rtspsrc_says_it_is_given_up_unless_nothing_answers_at_all() {
        let unreachable = |network| Fault::Link(Link::Unreachable(network));
        for (fault, is_given_up) in [
            (Fault::StreamEnded, true),
            (Fault::Silent { seconds: 60, offline: true }, true),
            (Fault::NoVideo, true),
            (Fault::WrongPassword { had_one: true }, true),
            (Fault::NoSuchStream, true),
            (Fault::Crashed, true),
            (Link::Busy.into(), true),
            (Link::Refused { status: 500 }.into(), true),
            (unreachable(Network::NoAnswer), true),
            (unreachable(Network::Broken), true),
            (unreachable(Network::Other), true),
            (unreachable(Network::Refused), false),
            (unreachable(Network::NoRoute), false),
            (unreachable(Network::NoSuchHost), false),
        ] {
            let mut route = Route::new(true);
            breaches(&mut route, &[0, 1, 2]);
            let ends: Vec<bool> = (10..12).map(|s| route.ended(&fault, at(s))).collect();
            assert_eq!(ends, [false, is_given_up], "{fault:?}");
        }
    }

    #[test]
    fn each_time_rtspsrc_is_given_up_it_rests_twice_as_long_up_to_a_day() {
        let (mut route, mut now, mut rests_s) = (Route::new(true), 0, Vec::new());
        for _ in 0..10 {
            breaches(&mut route, &[now, now, now]);
            let gives_up = |_| route.ended(&Fault::NoVideo, at(now));
            assert_eq!([0, 1].map(gives_up), [false, true]);
            let until = route.rests_until.expect("it rests");
            rests_s.push(until.duration_since(at(now)).as_secs());
            now += rests_s[rests_s.len() - 1];
        }
        assert_eq!(rests_s[..4], [600, 1200, 2400, 4800]);
        assert_eq!(rests_s[8..], [86_400; 2]);
        breaches(&mut route, &[now, now, now]);
        route.worked();
        assert_eq!(route.given_up, 0, "a picture shows that it works");
    }

    #[test]
    fn once_a_day_our_own_source_is_tried_and_the_first_breach_ends_that() {
        let day = DAY.as_secs();
        let mut route = Route::new(true);
        assert!(!route.tries_own(at(0)), "it is in use");
        breaches(&mut route, &[0, 1, 2]);
        route.worked();
        assert!(!route.tries_own(at(day)) && route.by_rtspsrc().is_some(), "two seconds early");
        assert!(route.tries_own(at(day + 2)) && route.by_rtspsrc().is_none());
        assert_eq!(breaches(&mut route, &[day + 32]), [Next::ByRtspsrc], "as bad as ever");
        route.worked();
        assert!(!route.tries_own(at(2 * day)), "a day from then on");
        assert!(route.tries_own(at(2 * day + 32)));
        let mended = breaches(&mut route, &[3 * day, 4 * day]);
        assert_eq!(mended, [Next::Again; 2], "a breach a day disturbs nobody");
    }
}
