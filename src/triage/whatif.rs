//! Pure: what other thresholds would have confirmed. Runs the live code over stored analyses and
//! changes nothing.

use super::confirm::{Confirmed, Confirmer, Thresholds};
use super::detection::Analysis;
use super::id::{CameraId, PoseId};
use std::collections::BTreeMap;

/// Each pose by itself, in time order, as live. Confirmations are in the order in which they would
/// have come.
pub fn replay(analyses: &[Analysis], thresholds: &Thresholds) -> Vec<(CameraId, Confirmed)> {
    let mut in_time: Vec<&Analysis> = analyses.iter().collect();
    in_time.sort_by_key(|analysis| analysis.captured_at);
    let mut poses: BTreeMap<(&CameraId, &PoseId), Confirmer> = BTreeMap::new();
    let mut confirmed = Vec::new();
    for analysis in in_time {
        let pose = (&analysis.camera, &analysis.pose);
        let confirmer = poses.entry(pose).or_insert_with(|| Confirmer::new(thresholds.clone()));
        let found = confirmer.observe(analysis).into_iter();
        confirmed.extend(found.map(|it| (analysis.camera.clone(), it)));
    }
    confirmed
}
