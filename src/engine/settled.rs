//! Pure: views in which the full network found nothing a moment ago. It is not called again for
//! nearly a minute, unless the screening network sees more there than it did. So a rock that the
//! screening network takes for smoke at every look costs one look of the full network a minute.

use crate::detect::Levels;
use crate::triage::detection::{Scores, Tile};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Less than the minute between the frames from which the figures of the model cards come, so that
/// they hold with this rule and without it.
const SETTLED_FOR: SignedDuration = SignedDuration::from_secs(55);
/// The screening network sees more when its odds have doubled.
const ODDS_RISE: f32 = 2.0;
/// After the full network found something, no view of the pose settles for this time.
const LIKELY_FOR: SignedDuration = SignedDuration::from_mins(2);

/// The views of one pose.
#[derive(Debug, Default)]
pub struct Settled {
    quiet: BTreeMap<Option<Tile>, Quiet>,
    likely_at: Timestamp,
}

/// What both networks said of a view in which nothing was found.
#[derive(Clone, Copy, Debug)]
pub struct Quiet {
    pub at: Timestamp,
    pub screening: Scores,
    pub full: Scores,
}

impl Settled {
    /// The full network found nothing at a neutral score or above.
    pub fn settle(&mut self, tile: Option<Tile>, quiet: Quiet) {
        if !is_within(LIKELY_FOR, self.likely_at, quiet.at) {
            self.quiet.insert(tile, quiet);
        }
    }

    /// The full network found something at a neutral score or above, in one of the views.
    pub fn found(&mut self, now: Timestamp) {
        self.quiet.clear();
        self.likely_at = now;
    }

    /// The full network's scores a moment ago, where they still hold. `levels`: scores from which the
    /// screening network calls. A rise below them says nothing.
    pub fn scores(&self, tile: Option<Tile>, screening: Scores, levels: Levels, now: Timestamp) -> Option<Scores> {
        let has_risen = |was: f32, is: f32, level: f32| odds(is.max(level)) > ODDS_RISE * odds(was.max(level));
        let Quiet { at, screening: was, full } = self.quiet.get(&tile)?;
        let holds = is_within(SETTLED_FOR, *at, now)
            && !has_risen(was.smoke, screening.smoke, levels.smoke)
            && !has_risen(was.fire, screening.fire, levels.fire);
        holds.then_some(*full)
    }
}

fn is_within(most: SignedDuration, at: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..=most).contains(&now.duration_since(at))
}

fn odds(score: f32) -> f32 {
    score / (1.0 - score.min(0.999))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels = Levels { smoke: 0.2, fire: 0.4 };

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
    }

    #[test]
    fn a_rock_is_asked_about_once_a_minute_and_at_once_when_it_looks_more_like_smoke() {
        let mut rock = Settled::default();
        let screening = |smoke, fire| Scores { smoke, fire };
        let full = screening(0.1, 0.0);
        rock.settle(None, Quiet { at: at(0), screening: screening(0.3, 0.0), full });
        for (what, smoke, fire, s, expected) in [
            ("as before", 0.3, 0.0, 10, true),
            ("a little more", 0.45, 0.0, 10, true),
            ("twice the odds", 0.47, 0.0, 10, false),
            ("fire below the level", 0.3, 0.39, 10, true),
            ("fire", 0.3, 0.6, 10, false),
            ("nothing any more", 0.0, 0.0, 55, true),
            ("a minute later", 0.3, 0.0, 56, false),
            ("a clock that was set back", 0.3, 0.0, -1, false),
        ] {
            let scores = rock.scores(None, screening(smoke, fire), LEVELS, at(s));
            assert_eq!(scores, expected.then_some(full), "{what}");
        }
        let tile = Tile { x: 0, y: 50, w: 100, h: 100 };
        assert_eq!(rock.scores(Some(tile), screening(0.3, 0.0), LEVELS, at(10)), None, "another view");
    }

    #[test]
    fn where_something_was_found_nothing_settles_for_two_minutes() {
        let mut ridge = Settled::default();
        let screening = Scores { smoke: 0.3, fire: 0.0 };
        let settles = |ridge: &mut Settled, s| {
            ridge.settle(None, Quiet { at: at(s), screening, full: screening });
            ridge.scores(None, screening, LEVELS, at(s + 10)).is_some()
        };
        assert!(settles(&mut ridge, 0));
        ridge.found(at(10));
        assert!(!settles(&mut ridge, 10) && !settles(&mut ridge, 130) && settles(&mut ridge, 131));
    }
}
