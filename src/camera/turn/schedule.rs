//! Pure: which camera is next. Every camera has a beat: one slot per cadence. The camera whose slot
//! began first is served first, with a picture taken in that slot.
//!
//! ```text
//!  beat      |------- slot -------|------- slot -------|        a look belongs to each slot
//!  keyframes   k     k     k     k     k     k     k
//!  looks       ^ the first keyframe of the slot ^ (extra: from the middle of a slot on, of a suspicious camera)
//! ```
//!
//! When the workers cannot keep up, two things happen, in this order. Extra looks stop, because
//! every due slot comes before them. Then all beats stretch alike, because the earliest slot is
//! served first and a camera that has missed a whole slot starts a new beat.

use crate::base::time::{earlier, later};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Extra looks per cadence: the number of cameras divided by this. That is a quarter on top, so at
/// most a fifth of all looks …
const EXTRA_SHARE: usize = 4;
/// … but never fewer than this. A small office has capacity to spare.
const EXTRA_MIN: usize = 8;
/// A wait for a worker below a tenth of the cadence does not count as a delay.
const PROMPT: i32 = 10;

/// Decides which camera to look at next. No camera starves: a waiting slot is overtaken only by
/// earlier ones.
#[derive(Debug)]
pub(crate) struct Schedule {
    cadence: SignedDuration,
    /// By the camera's number.
    turns: BTreeMap<usize, Turn>,
    /// Rate limit of extra looks. Each moves this instant forward by its share of a cadence.
    extras_paid_until: Timestamp,
}

#[derive(Clone, Debug)]
struct Turn {
    /// Start of the slot that has had no look yet.
    beat_at: Timestamp,
    looked_at: Timestamp,
    extra_at: Timestamp,
    boosted_until: Timestamp,
    /// Capture time of the newest keyframe that is ready.
    newest: Option<Timestamp>,
    /// Arrival of the first keyframe that is ready and was captured at the due time or later.
    fresh_since: Option<Timestamp>,
    /// The time between the last two looks if the camera waited for a worker; otherwise the
    /// cadence.
    round: SignedDuration,
}

/// How often cameras with pictures are really looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    pub cameras: usize,
    /// Median time from look to look.
    pub actual: SignedDuration,
}

impl Schedule {
    /// Cameras numbered from 0. Their beats are spread evenly over the cadence, and all are due at
    /// once. `cadence` is positive (the configuration checks it).
    pub(crate) fn new(cameras: usize, cadence: SignedDuration, now: Timestamp) -> Self {
        let beat = |camera: usize| {
            let share = (camera + 1) as f64 / cameras as f64;
            earlier(now, cadence - cadence.mul_f64(share))
        };
        let turns = (0..cameras).map(|camera| (camera, Turn::new(beat(camera), cadence))).collect();
        Self { cadence, turns, extras_paid_until: Timestamp::UNIX_EPOCH }
    }

    /// One more camera, due at once. Its beat lies in the middle of the widest gap between the
    /// others', so evenly spread beats stay so within a factor of two, and no other beat moves.
    pub(crate) fn add(&mut self, camera: usize, now: Timestamp) {
        let cadence_us = self.cadence.as_micros().max(1);
        let phase =
            |turn: &Turn| turn.beat_at.duration_since(now).as_micros().rem_euclid(cadence_us);
        let mut phases: Vec<i128> = self.turns.values().map(phase).collect();
        phases.sort_unstable();
        let next =
            phases.iter().skip(1).copied().chain(phases.first().map(|first| first + cadence_us));
        let gaps = phases.iter().zip(next).map(|(from, to)| (to - from, from + (to - from) / 2));
        let middle_us = gaps.max().map_or(0, |(_, middle)| middle.rem_euclid(cadence_us));
        let ago =
            SignedDuration::from_micros(i64::try_from(cadence_us - middle_us).unwrap_or_default());
        self.turns.insert(camera, Turn::new(earlier(now, ago), self.cadence));
    }

    /// The others keep their beats.
    pub(crate) fn remove(&mut self, camera: usize) {
        self.turns.remove(&camera);
    }

    /// The camera keeps its turn under another number.
    pub(crate) fn renumber(&mut self, camera: usize, to: usize) {
        if let Some(turn) = self.turns.remove(&camera) {
            self.turns.insert(to, turn);
        }
    }

    /// A keyframe is ready and replaces the one before it. True when the camera is due now.
    pub(crate) fn came(&mut self, camera: usize, captured_at: Timestamp, now: Timestamp) -> bool {
        let Some(turn) = self.turns.get_mut(&camera) else { return false };
        if turn.newest.is_none() {
            // Slots without a picture are not made up for. The phase of the beat is kept.
            let slots =
                now.duration_since(turn.beat_at).as_millis() / self.cadence.as_millis().max(1);
            let skipped =
                i32::try_from(slots.max(0)).ok().and_then(|slots| self.cadence.checked_mul(slots));
            turn.beat_at = later(turn.beat_at, skipped.unwrap_or_default());
        }
        if turn.beat_at > later(now, self.cadence) {
            // The clock was set back: the camera must not wait until it has caught up.
            *turn = Turn {
                beat_at: now,
                looked_at: Timestamp::UNIX_EPOCH,
                fresh_since: None,
                ..turn.clone()
            };
        }
        if captured_at >= turn.due_at(self.cadence) {
            turn.fresh_since.get_or_insert(now);
        }
        turn.newest = Some(captured_at);
        self.is_due(camera, now)
    }

    /// The keyframe that was ready has been dropped.
    pub(crate) fn gone(&mut self, camera: usize) {
        if let Some(turn) = self.turns.get_mut(&camera) {
            (turn.newest, turn.fresh_since) = (None, None);
        }
    }

    /// The camera to look at now. Its keyframe counts as taken at `now`.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<usize> {
        self.next_slot(now).or_else(|| self.next_extra(now))
    }

    fn next_slot(&mut self, now: Timestamp) -> Option<usize> {
        let cadence = self.cadence;
        let ripe = self.turns.iter_mut().filter(|(_, turn)| turn.is_ripe(cadence, now));
        let (index, turn) = ripe.min_by_key(|(i, turn)| (turn.due_at(cadence), **i))?;
        turn.round = turn.round_at(cadence, now);
        let is_on_beat = now.duration_since(turn.beat_at) < cadence;
        turn.beat_at = later(if is_on_beat { turn.beat_at } else { now }, cadence);
        turn.take(now);
        Some(*index)
    }

    fn next_extra(&mut self, now: Timestamp) -> Option<usize> {
        // A burst of half a cadence's extra looks is allowed: one satellite pixel makes several
        // cameras suspicious at once.
        let earliest =
            earlier(self.extras_paid_until.min(later(now, self.cadence)), self.cadence / 2);
        if now < earliest {
            return None;
        }
        let cadence = self.cadence;
        let a_cadence =
            i32::try_from((self.turns.len() / EXTRA_SHARE).max(EXTRA_MIN)).unwrap_or(i32::MAX);
        let ripe = self.turns.iter_mut().filter(|(_, turn)| turn.is_extra_ripe(cadence, now));
        let (index, turn) = ripe.min_by_key(|(i, turn)| (turn.extra_at, **i))?;
        self.extras_paid_until = later(self.extras_paid_until.max(now), cadence / a_cadence);
        turn.extra_at = now;
        turn.take(now);
        Some(*index)
    }

    /// Until then the suspicious camera is looked at every half cadence, as far as capacity allows.
    pub(crate) fn boost(&mut self, camera: usize, until: Timestamp) {
        if let Some(turn) = self.turns.get_mut(&camera) {
            turn.boosted_until = turn.boosted_until.max(until);
        }
    }

    pub(crate) fn is_boosted(&self, camera: usize, now: Timestamp) -> bool {
        self.turns.get(&camera).is_some_and(|turn| now < turn.boosted_until)
    }

    /// Whether a worker could look at this camera now.
    fn is_due(&self, camera: usize, now: Timestamp) -> bool {
        self.turns.get(&camera).is_some_and(|turn| turn.is_due(self.cadence, now))
    }

    /// For a polled camera: a picture taken now would be looked at, and none from this cadence is
    /// ready.
    pub(crate) fn wants(&self, camera: usize, now: Timestamp) -> bool {
        self.turns.get(&camera).is_some_and(|turn| turn.wants(self.cadence, now))
    }

    pub(crate) fn is_anybody_due(&self, now: Timestamp) -> bool {
        self.turns.values().any(|turn| turn.is_due(self.cadence, now))
    }

    /// Over the cameras that have pictures. Cameras with no pictures, or too few, do not count as
    /// looked at too rarely.
    pub(crate) fn round(&self, now: Timestamp) -> Round {
        let has_pictures = |turn: &&Turn| {
            turn.newest.is_some() || now.duration_since(turn.looked_at) < self.cadence * 2
        };
        let mut rounds: Vec<_> = self
            .turns
            .values()
            .filter(has_pictures)
            .map(|turn| turn.round.max(turn.round_at(self.cadence, now)))
            .collect();
        let middle = rounds.len() / 2;
        let actual =
            if rounds.is_empty() { self.cadence } else { *rounds.select_nth_unstable(middle).1 };
        Round { cameras: rounds.len(), actual }
    }
}

impl Turn {
    fn new(beat_at: Timestamp, cadence: SignedDuration) -> Self {
        let never = Timestamp::UNIX_EPOCH;
        Self {
            beat_at,
            looked_at: never,
            extra_at: never,
            boosted_until: never,
            newest: None,
            fresh_since: None,
            round: cadence,
        }
    }

    fn is_due(&self, cadence: SignedDuration, now: Timestamp) -> bool {
        self.is_ripe(cadence, now) || self.is_extra_ripe(cadence, now)
    }

    /// The start of the slot, but at least a quarter of a cadence after the last look.
    fn due_at(&self, cadence: SignedDuration) -> Timestamp {
        self.beat_at.max(later(self.looked_at, cadence / 4))
    }

    /// Since when the turn waits for a worker: from the first keyframe captured after the due time.
    /// Half a cadence after the due time an older keyframe is accepted, for cameras with rare
    /// keyframes.
    fn ripe_at(&self, cadence: SignedDuration) -> Option<Timestamp> {
        self.newest?;
        Some(self.fresh_since.unwrap_or_else(|| later(self.due_at(cadence), cadence / 2)))
    }

    fn is_ripe(&self, cadence: SignedDuration, now: Timestamp) -> bool {
        self.ripe_at(cadence).is_some_and(|at| at <= now)
    }

    /// An extra look is possible from the middle of the slot until the next beat, once, with a new
    /// picture.
    fn is_extra_ripe(&self, cadence: SignedDuration, now: Timestamp) -> bool {
        self.extra_due_at(cadence, now)
            .is_some_and(|due_at| self.newest.is_some_and(|at| at >= due_at))
    }

    /// When the extra look of this slot became due. None when it cannot be taken any more.
    fn extra_due_at(&self, cadence: SignedDuration, now: Timestamp) -> Option<Timestamp> {
        let middle = earlier(self.beat_at, cadence / 2);
        let due_at = middle.max(later(self.looked_at, cadence / 4));
        let is_open = self.extra_at < middle
            && (due_at..self.beat_at).contains(&now)
            && now < self.boosted_until;
        is_open.then_some(due_at)
    }

    fn wants(&self, cadence: SignedDuration, now: Timestamp) -> bool {
        let lacks = |due_at: Timestamp| {
            self.newest.is_none_or(|at| at < due_at || now.duration_since(at) >= cadence)
        };
        let due_at = self.due_at(cadence);
        (now >= due_at && lacks(due_at)) || self.extra_due_at(cadence, now).is_some_and(lacks)
    }

    fn take(&mut self, now: Timestamp) {
        self.looked_at = now;
        (self.newest, self.fresh_since) = (None, None);
    }

    /// The value of `round` if the camera were looked at now.
    fn round_at(&self, cadence: SignedDuration, now: Timestamp) -> SignedDuration {
        let waited =
            self.ripe_at(cadence).map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        if waited < cadence / PROMPT {
            return cadence;
        }
        let is_first = self.looked_at == Timestamp::UNIX_EPOCH;
        if is_first { waited.max(cadence) } else { now.duration_since(self.looked_at).max(cadence) }
    }
}

#[cfg(test)]
mod tests;
