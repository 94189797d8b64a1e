//! Two networks. A cheap screening network runs on every view. The full network runs where that one
//! finds something, where something is suspected already, and on a share of the quiet views, to
//! measure what the screening network misses.

use super::views::View;
use super::{Analyst, Reality};
use crate::detect::{Levels, Look, Screener, Worker};
use crate::error::Result;
use crate::triage::detection::{Detection, Scores, Stream};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) type Answer = (Scores, Vec<Detection>);

/// When the full network is called.
#[derive(Debug)]
pub(super) struct Screen {
    levels: Levels,
    /// Share of the quiet views on which the full network runs all the same, 0..=1.
    audit: f32,
    quiet: AtomicU64,
}

/// Why the full network runs on a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    Seen,
    Suspected,
    Audit,
}

impl Screen {
    pub(super) fn new(Screener { levels, audit, .. }: &Screener) -> Self {
        Self { levels: *levels, audit: *audit, quiet: AtomicU64::new(0) }
    }

    /// `None`: the view is quiet.
    fn call(&self, scores: Scores, is_suspected: bool) -> Option<Call> {
        if self.levels.is_reached(scores) {
            Some(Call::Seen)
        } else if is_suspected {
            Some(Call::Suspected)
        } else {
            is_audit(self.quiet.fetch_add(1, Ordering::Relaxed), self.audit).then_some(Call::Audit)
        }
    }
}

/// Whether the quiet view with this number, counted from 0, is audited. The fractional parts of the
/// multiples of the golden ratio are spread evenly over 0..1 and have no period, so the audits
/// cannot fall in step with the order of cameras and tiles.
fn is_audit(number: u64, share: f32) -> bool {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let fraction = (number.wrapping_mul(GOLDEN) >> 40) as f32 / (1u32 << 24) as f32;
    fraction < share
}

impl Analyst {
    /// One answer per view, in order. A view that only the screening network saw has that network's
    /// scores and no detections.
    pub(super) fn answers(&self, worker: &mut Worker, views: &[View]) -> Result<Vec<Answer>> {
        let looks: Vec<Look> = views.iter().map(View::look).collect();
        let (Some(screen), Some(screener)) = (&self.screen, worker.screener()) else {
            return worker.analyse_many(&looks);
        };
        let mut answers = screener.analyse_many(&looks)?;
        answers.iter_mut().for_each(|(_, found)| found.clear());
        let called: Vec<(usize, Call)> = (0..views.len())
            .filter_map(|index| {
                Some((index, screen.call(answers[index].0, self.is_suspected(&views[index]))?))
            })
            .collect();
        let again: Vec<Look> = called.iter().map(|(index, _)| looks[*index]).collect();
        let full = worker.analyse_many(&again)?;
        let thresholds = self.tuning.get();
        // A detection that would alarm if it lasted.
        let is_miss = |index: usize, (_, found): &Answer| {
            found.iter().any(|it| it.confidence >= thresholds.lasting(it.class, views[index].tile))
        };
        let audits = called.iter().zip(&full).filter(|((_, call), _)| *call == Call::Audit);
        let (audits, misses) = audits.fold((0, 0), |(n, misses), ((index, _), answer)| {
            (n + 1, misses + u64::from(is_miss(*index, answer)))
        });
        let (screened, passed) = (views.len() as u64, called.len() as u64 - audits);
        for ((index, _), answer) in called.into_iter().zip(full) {
            answers[index] = answer;
        }
        metrics::counter!("huoyan_screen_views_total").increment(screened);
        metrics::counter!("huoyan_screen_passed_total").increment(passed);
        metrics::counter!("huoyan_screen_audits_total").increment(audits);
        metrics::counter!("huoyan_screen_misses_sampled_total").increment(misses);
        self.status.screened(|it| {
            it.views += screened;
            it.passed += passed;
            it.audits += audits;
            it.misses_sampled += misses;
        });
        Ok(answers)
    }

    /// Whether the full network runs whatever the scores: on the main stream, and on a real view of
    /// a pose where something was found or expected in the last two minutes.
    fn is_suspected(&self, View { frame, real, .. }: &View) -> bool {
        let key = (frame.camera.clone(), frame.pose.clone());
        let suspected =
            || self.memory().tiles.get(&key).is_some_and(|it| it.is_suspicious(frame.captured_at));
        frame.stream == Stream::Main || *real == Reality::Real && suspected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_network_is_called_by_a_score_a_suspicion_or_an_audit() {
        let screen = |audit| {
            let levels = Levels { smoke: 0.2, fire: 0.4 };
            Screen { levels, audit, quiet: AtomicU64::new(0) }
        };
        for (what, smoke, fire, is_suspected, audit, expected) in [
            ("quiet", 0.19, 0.39, false, 0.0, None),
            ("smoke", 0.2, 0.0, false, 0.0, Some(Call::Seen)),
            ("fire", 0.0, 0.4, true, 0.0, Some(Call::Seen)),
            ("a place lives there", 0.0, 0.0, true, 0.0, Some(Call::Suspected)),
            ("an audit", 0.0, 0.0, false, 1.0, Some(Call::Audit)),
        ] {
            assert_eq!(
                screen(audit).call(Scores { smoke, fire }, is_suspected),
                expected,
                "{what}"
            );
        }
    }

    #[test]
    fn audits_are_the_share_asked_for_and_pass_over_no_camera() {
        let audited: Vec<u64> = (0..100_000).filter(|n| is_audit(*n, 0.02)).collect();
        assert!((1_990..=2_010).contains(&audited.len()), "{}", audited.len());
        for rhythm in [2, 4, 50, 250, 267] {
            let mut met = vec![false; rhythm as usize];
            audited.iter().for_each(|n| met[(n % rhythm) as usize] = true);
            assert!(met.iter().all(|it| *it), "every one of {rhythm} in turn");
        }
    }
}
