//! Pure: confirmation of one pose, and the choice of the picture that is shown as evidence.

use crate::frame::Picture;
use crate::triage::confirm::{Confirmed, Confirmer, Thresholds, is_same_place};
use crate::triage::detection::{Analysis, Detection, Stream};
use std::sync::Arc;

/// Confirmation of one pose, and the best picture of it: one full-size picture per suspicious pose,
/// 3.1 MB at 1080p.
#[derive(Debug)]
pub(super) struct Pose {
    confirmer: Confirmer,
    best: Option<Best>,
}

#[derive(Debug)]
struct Best {
    at: jiff::Timestamp,
    /// A picture of the main stream is better evidence than any of the screened stream.
    stream: Stream,
    confidence: f32,
    detections: Vec<Detection>,
    picture: Arc<Picture>,
}

impl Pose {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        Self { confirmer: Confirmer::new(thresholds), best: None }
    }

    pub(super) fn observe(
        &mut self,
        analysis: &Analysis,
        picture: &Arc<Picture>,
        thresholds: Thresholds,
    ) -> Vec<(Confirmed, Arc<Picture>)> {
        if *self.confirmer.thresholds() != thresholds {
            self.confirmer.retune(thresholds.clone());
        }
        self.best.take_if(|best| analysis.captured_at.duration_since(best.at) > thresholds.memory);
        let confidence = analysis.detections.iter().map(|d| d.confidence).fold(0.0, f32::max);
        let stream = analysis.stream;
        let is_better = |best: &Best| (stream, confidence) > (best.stream, best.confidence);
        if confidence > 0.0 && self.best.as_ref().is_none_or(is_better) {
            let (at, picture, detections) =
                (analysis.captured_at, Arc::clone(picture), analysis.detections.clone());
            self.best = Some(Best { at, stream, confidence, detections, picture });
        }
        // With two places in one picture, the kept picture is the best of only one of them. Where
        // it is not of this place, the present picture is the evidence.
        let best_of = |confirmed: &Confirmed| {
            let best = self
                .best
                .as_ref()
                .filter(|best| best.at == confirmed.best_at || best.shows_large(confirmed));
            best.map_or(picture, |best| &best.picture)
        };
        let confirmed = self.confirmer.observe(analysis);
        confirmed
            .into_iter()
            .map(|confirmed| (confirmed.clone(), Arc::clone(best_of(&confirmed))))
            .collect()
    }
}

impl Best {
    /// A main-stream picture with this place in it: preferred as evidence even where it is not the
    /// place's best frame.
    fn shows_large(&self, confirmed: &Confirmed) -> bool {
        let is_it = |found: &Detection| {
            found.class == confirmed.class && is_same_place(&found.bbox, &confirmed.bbox)
        };
        self.stream == Stream::Main && self.detections.iter().any(is_it)
    }
}
