//! What a change of the camera register does to what is remembered: of one pose it is forgotten, of
//! the others it stays.

use super::{Analyst, Memory};
use crate::triage::id::{CameraId, PoseId};

impl Analyst {
    /// The pose was aimed anew or has left the register. Its past pictures, its confirmation with
    /// sums and cooldowns, its gate and tiles are forgotten, and its camera's self-test is void.
    pub fn forget(&self, camera: &CameraId, pose: &PoseId) {
        self.forget_pose(camera, pose);
        self.self_tests.forget(camera);
    }

    /// The same for one view of a turning camera that now means another: what was tested at its
    /// other views stands.
    pub(super) fn forget_pose(&self, camera: &CameraId, pose: &PoseId) {
        let key = (camera.clone(), pose.clone());
        let mut memory = self.memory();
        let Memory { history, main_pasts, gate, tiles, poses } = &mut *memory;
        history.iter_mut().for_each(|it| it.forget(camera, pose));
        main_pasts.iter_mut().for_each(|it| it.forget(&key));
        gate.iter_mut().for_each(|it| it.forget(&key));
        tiles.remove(&key);
        poses.retain(|(its, at, _), _| (its, at) != (camera, pose));
    }

    /// What the register says of the pose's skyline, as a fraction of the picture's height from the
    /// top, applies from the next look on. `None`: it is found from the pictures. Pasts of tiles
    /// that move are forgotten.
    pub fn set_skyline(&self, camera: &CameraId, pose: &PoseId, skyline: Option<f32>) {
        let key = (camera.clone(), pose.clone());
        let mut memory = self.memory();
        let mut skylines = self.skylines();
        if skylines.get(&key).copied() == skyline {
            return;
        }
        match skyline {
            Some(skyline) => skylines.insert(key.clone(), skyline),
            None => skylines.remove(&key),
        };
        let Memory { history, tiles, .. } = &mut *memory;
        if tiles.get_mut(&key).is_some_and(|tiles| tiles.set_skyline(skyline)) {
            history.iter_mut().for_each(|it| it.forget_tiles(camera, pose));
        }
    }
}
