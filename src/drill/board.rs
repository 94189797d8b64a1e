//! Which cameras are in a drill now. Written by the desk's drill action, read by the analysis
//! threads.

use super::plume::Plume;
use crate::error::{Error, Kind, Result};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a drill's smoke lasts: far longer than confirmation needs (a minute of evidence), and
/// short enough to end before the next drill.
pub(super) const LENGTH: SignedDuration = SignedDuration::from_mins(10);

#[derive(Clone, PartialEq, Debug)]
pub struct Drill {
    pub started_at: Timestamp,
    pub seed: u32,
    /// Set by the first frame, which shows where the ground is. The smoke is in this pose only.
    pub plume: Option<(PoseId, Plume)>,
}

/// At most one drill a camera; it ends by itself.
#[derive(Clone, Debug, Default)]
pub struct DrillBoard(Arc<Mutex<BTreeMap<CameraId, Drill>>>);

impl DrillBoard {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CameraId, Drill>> {
        self.0.lock()
    }

    /// Conflict when a drill is running on this camera.
    pub fn start(&self, camera: &CameraId, seed: u32, now: Timestamp) -> Result<()> {
        let mut board = self.lock();
        board.retain(|_, drill| now.duration_since(drill.started_at) < LENGTH);
        if board.contains_key(camera) {
            return Err(Error::new(
                Kind::Conflict,
                format!("a drill is already running on camera {camera}"),
            ));
        }
        board.insert(camera.clone(), Drill { started_at: now, seed, plume: None });
        Ok(())
    }

    /// True when a drill was running.
    pub fn stop(&self, camera: &CameraId) -> bool {
        self.lock().remove(camera).is_some()
    }

    /// The plume and its age in seconds at `now`. `place` is called once, for the first frame. None
    /// in other poses of the camera than that frame's.
    pub fn plume(
        &self,
        camera: &CameraId,
        pose: &PoseId,
        now: Timestamp,
        place: impl FnOnce(u32) -> Plume,
    ) -> Option<(Plume, f64)> {
        let mut board = self.lock();
        let drill = board.get_mut(camera)?;
        let age = now.duration_since(drill.started_at);
        if age >= LENGTH {
            board.remove(camera);
            return None;
        }
        let (of, plume) = drill.plume.get_or_insert_with(|| (pose.clone(), place(drill.seed)));
        (of == pose).then(|| (*plume, age.as_secs_f64().max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_begins_once_and_ends_by_itself() {
        let (board, camera) = (DrillBoard::default(), CameraId::from("c"));
        let pose = PoseId::from("north");
        let at = |s: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        let here = |seed| Plume { foot: (0.5, 0.5), scale: 0.1, wind: 0.0, seed };
        assert!(board.plume(&camera, &pose, at(0), here).is_none());
        board.start(&camera, 7, at(0)).expect("free");
        assert_eq!(board.start(&camera, 8, at(1)).expect_err("taken").kind, Kind::Conflict);
        assert_eq!(board.plume(&camera, &pose, at(30), here), Some((here(7), 30.0)));
        let elsewhere = |_| unreachable!("the place is known");
        let south = PoseId::from("south");
        assert!(board.plume(&camera, &south, at(40), elsewhere).is_none(), "another view");
        assert_eq!(board.plume(&camera, &pose, at(599), elsewhere), Some((here(7), 599.0)));
        assert!(board.plume(&camera, &pose, at(600), here).is_none());
        board.start(&camera, 8, at(601)).expect("free again");
        assert!(board.stop(&camera) && !board.stop(&camera));
    }
}
