//! Pure: by which source an RTSP camera is received. The program's own is cheap and strict;
//! `rtspsrc` costs more and overlooks more. Takes `now`.

use crate::camera::fault::link::Breach;
use jiff::{SignedDuration, Timestamp};

/// This number of breaches …
const BREACHES_MAX: u32 = 3;
/// … within this time, and the other source is tried. A camera that refuses keepalives breaks off
/// every 30 s.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The other source is given up after this number of connections without a picture …
const FRUITLESS_MAX: u32 = 2;
/// … for this time.
const REST: SignedDuration = SignedDuration::from_mins(10);

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
        self.has_worked |= self.by_rtspsrc.is_some();
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
        *self = Self { by_rtspsrc: Some(breach), ..Self::new(true) };
        Next::ByRtspsrc
    }

    /// A connection by `rtspsrc` has ended. True: our own source is taken again, for a while.
    pub(super) fn ended(&mut self, now: Timestamp) -> bool {
        if self.has_worked {
            return false;
        }
        self.fruitless += 1;
        let is_given_up = self.fruitless >= FRUITLESS_MAX;
        if is_given_up {
            let rests_until = now.checked_add(REST).ok();
            *self = Self { rests_until, ..Self::new(true) };
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
        assert!(!route.ended(at(10)) && route.unproven().is_some(), "once may be chance");
        assert!(route.ended(at(20)) && route.by_rtspsrc().is_none());
        assert_eq!(breaches(&mut route, &[21, 300]), [Next::Told { is_tried: true }; 2]);
        assert_eq!(breaches(&mut route, &[700, 701, 702])[2], Next::ByRtspsrc);
    }

    #[test]
    fn rtspsrc_that_has_worked_stays_through_every_outage() {
        let mut route = Route::new(true);
        breaches(&mut route, &[0, 1, 2]);
        route.worked();
        assert!((0..100).all(|s| !route.ended(at(s))) && route.unproven().is_none());
    }
}
