//! 复核: the second network's opinion on a place that was just confirmed. It fails open: if it
//! cannot answer, the sighting records the reason, and the alarm is not held back.

use super::Analyst;
use super::views::{View, part};
use crate::detect::Worker;
use crate::triage::confirm::Confirmed;
use crate::triage::detection::Class;
use crate::triage::opinion::{Opinion, Silence};

impl Analyst {
    /// Called once per confirmed place, on the worker's thread and outside the lock: it costs one
    /// inference.
    pub(super) fn opinion(
        &self,
        worker: &mut Worker,
        view: &View,
        confirmed: &Confirmed,
    ) -> Opinion {
        let opinion =
            self.ask(worker, view, confirmed).unwrap_or_else(|reason| Opinion::NotGiven { reason });
        let result = match &opinion {
            Opinion::Given { agrees: true, .. } => "agreed",
            Opinion::Given { .. } => "doubted",
            Opinion::NotGiven { reason } => reason.as_str(),
        };
        metrics::counter!("huoyan_second_opinions_total", "result" => result).increment(1);
        opinion
    }

    fn ask(
        &self,
        worker: &mut Worker,
        view: &View,
        confirmed: &Confirmed,
    ) -> Result<Opinion, Silence> {
        let verifier = worker.verifier().ok_or(Silence::NoVerifier)?;
        if confirmed.class != Class::Smoke {
            return Err(Silence::Fire);
        }
        let (part, now) = (part(view.frame, None), view.frame.captured_at);
        let before = self
            .memory()
            .history
            .as_ref()
            .and_then(|history| history.pasts(&part, now, &verifier.about().ages));
        let answer = verifier.ask(&view.picture, &before.ok_or(Silence::NoPast)?, &confirmed.bbox);
        let score = answer.map_err(|e| {
            tracing::error!(camera = %view.frame.camera, "no second opinion: {}", e.chain());
            Silence::Failed
        })?;
        let about = verifier.about();
        Ok(Opinion::Given {
            score,
            agrees: score >= about.threshold,
            version: about.version.clone(),
        })
    }
}
