//! Two networks: a cheap one looks at every view, the full one where that sees something, where something is suspected already,
//! and at a share of the quiet views, so that it is known what the cheap one misses.

use super::views::View;
use super::{Analyst, Reality};
use crate::detect::{Levels, Look, Screener, Worker};
use crate::error::Result;
use crate::triage::detection::{Detection, Scores, Stream};
use std::sync::atomic::{AtomicU64, Ordering};

pub type Answer = (Scores, Vec<Detection>);

/// When the full network is called.
#[derive(Debug)]
pub struct Screen {
    levels: Levels,
    /// Share of the quiet views, 0..=1.
    audit: f32,
    quiet: AtomicU64,
}

/// Why the full network looks at a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    Seen,
    Suspected,
    Audit,
}

impl Screen {
    pub fn new(Screener { levels, audit, .. }: &Screener) -> Self {
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

/// Of quiet views, counted from 0, those that are audited: multiples of the golden ratio fall evenly between two whole numbers,
/// and in no rhythm that the order of cameras and tiles could share.
fn is_audit(number: u64, share: f32) -> bool {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let fraction = (number.wrapping_mul(GOLDEN) >> 40) as f32 / (1u32 << 24) as f32;
    fraction < share
}

impl Analyst {
    /// In the order of the views. Where only the screening network looked: its scores, and no detections.
    pub(super) fn answers(&self, worker: &mut Worker, views: &[View]) -> Result<Vec<Answer>> {
        let looks: Vec<Look> = views.iter().map(View::look).collect();
        let (Some(screen), Some(screener)) = (&self.screen, worker.screener()) else {
            return worker.analyse_many(&looks);
        };
        let mut answers = screener.analyse_many(&looks)?;
        answers.iter_mut().for_each(|(_, found)| found.clear());
        let called: Vec<(usize, Call)> = (0..views.len())
            .filter_map(|index| Some((index, screen.call(answers[index].0, self.is_suspected(&views[index]))?)))
            .collect();
        let again: Vec<Look> = called.iter().map(|(index, _)| looks[*index]).collect();
        let full = worker.analyse_many(&again)?;
        let thresholds = self.tuning.get();
        // What would alarm if it lasted.
        let is_miss = |index: usize, (_, found): &Answer| {
            found.iter().any(|it| it.confidence >= thresholds.lasting(it.class, views[index].tile))
        };
        let audits = called.iter().zip(&full).filter(|((_, call), _)| *call == Call::Audit);
        let (audits, misses) = audits
            .fold((0, 0), |(n, misses), ((index, _), answer)| (n + 1, misses + u64::from(is_miss(*index, answer))));
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

    /// Something was found in the pose's last minutes, or somebody had a reason to look more closely.
    fn is_suspected(&self, View { frame, real, .. }: &View) -> bool {
        let key = (frame.camera.clone(), frame.pose.clone());
        let suspected = || self.memory().tiles.get(&key).is_some_and(|it| it.is_suspicious(frame.captured_at));
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
            assert_eq!(screen(audit).call(Scores { smoke, fire }, is_suspected), expected, "{what}");
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
