//! What a worker saw in a picture: how well its camera sees, and the pose that it shows.

use super::roster::Camera;
use super::{Slots, is_stream};
use crate::camera::fault::Fault;
use crate::camera::sight::Measurements;
use crate::camera::source::CameraSource;
use crate::error::Error;
use crate::frame::{Health, Picture};
use crate::triage::id::PoseId;
use jiff::Timestamp;
use std::sync::Arc;

/// The board keeps pictures no larger than this (0.35 MB, the size of a sub-stream). 267 full-size
/// pictures would fill 800 MB.
const SHOWN_WIDTH: u32 = 640;
const SHOWN_HEIGHT: u32 = 360;
/// Views of turning cameras are known by smaller ones (0.09 MB): a camera may have dozens.
const KNOWN_WIDTH: u32 = 320;
const KNOWN_HEIGHT: u32 = 180;

impl Slots {
    /// Reports what the worker saw in the picture, and returns the pose that it shows. `None`: it is
    /// not to be analysed, because it was not decoded, its camera has gone, or the camera turns.
    pub(crate) fn saw(
        &self,
        index: usize,
        captured_at: Timestamp,
        picture: Result<&Arc<Picture>, &Error>,
    ) -> Option<PoseId> {
        let now = self.clock.now();
        metrics::counter!("huoyan_frames_decoded_total").increment(u64::from(picture.is_ok()));
        let seen = picture.map(|picture| (shown(picture), Measurements::at(picture)));
        let mut inner = self.lock();
        let camera = inner.cameras.get_mut(&index)?;
        let source = Arc::clone(&camera.source);
        let CameraSource { id, .. } = &*source;
        if self.status.take_accepted_view(id) {
            camera.accept();
        }
        let pose = match &seen {
            Ok((shown, look)) => self.judge(camera, look, captured_at, shown),
            Err(e) => {
                tracing::debug!(camera.id = %id, "not decoded: {}", e.chain());
                camera.picture = Some(Fault::Undecodable { is_stream: is_stream(&source) });
                None
            }
        };
        if let Ok((shown, _)) = seen {
            self.status.update(id, |status| {
                status.last_frame_at = Some(captured_at);
                status.last_picture = Some(shown);
            });
        }
        self.tell(camera, now);
        pose
    }

    /// Judges how well the camera sees, and tells the pose.
    fn judge(
        &self,
        camera: &mut Camera,
        look: &Measurements,
        captured_at: Timestamp,
        shown: &Arc<Picture>,
    ) -> Option<PoseId> {
        let CameraSource { id, pose, field_of_view_deg, .. } = &*camera.source;
        let frozen_after = self.config.frozen_after;
        if let Some(patrol) = &mut camera.patrol {
            patrol.name(self.status.take_view_names(id));
            let known_by = || Arc::new(shown.fitted(KNOWN_WIDTH, KNOWN_HEIGHT));
            let pose = patrol.look(look, captured_at, frozen_after, known_by);
            metrics::counter!("huoyan_frames_turning_total").increment(u64::from(pose.is_none()));
            camera.picture = patrol.fault();
            self.status.update(id, |status| status.patrol = Some(patrol.board()));
            return pose;
        }
        let judged = camera.sight.weigh(look, captured_at, frozen_after, *field_of_view_deg);
        let is_moved = judged.fault.as_ref().is_some_and(|fault| fault.health() == Health::Moved);
        // Only a camera that was seen to turn can be reported as back. A whole night may lie between
        // the two.
        if is_moved || (camera.has_moved && judged.is_home) {
            camera.has_moved = is_moved;
            self.status.update(id, |status| status.has_moved = is_moved);
        }
        camera.picture = judged.fault;
        Some(pose.clone())
    }

    /// Reports what the worker saw in the main stream's picture, and returns the pose that it shows.
    /// `None`: it is not to be analysed; a turning camera may have turned since its last screened
    /// picture. Black and frozen are judged on the screened stream alone.
    pub(crate) fn saw_main(
        &self,
        index: usize,
        captured_at: Timestamp,
        picture: Result<&Arc<Picture>, &Error>,
    ) -> Option<PoseId> {
        let is_patrol = self.source(index)?.patrol.is_some();
        // Outside the lock: this is most of the work.
        let look = picture.ok().filter(|_| is_patrol).map(|it| Measurements::at(it));
        let picture = picture.map(shown);
        let inner = self.lock();
        let Camera { source, patrol, .. } = inner.cameras.get(&index)?;
        let picture = match picture {
            Ok(picture) => picture,
            Err(e) => {
                tracing::debug!(camera.id = %source.id, "main stream not decoded: {}", e.chain());
                let is_stream = source.main.as_deref().is_some_and(is_stream);
                self.main_failed(source, &Fault::Undecodable { is_stream });
                return None;
            }
        };
        let pose = match patrol {
            None => Some(source.pose.clone()),
            Some(patrol) => look.and_then(|look| patrol.pose_of_main(&look)),
        };
        self.status.update(&source.id, |status| {
            status.main_detail = None;
            status.last_frame_at = Some(captured_at);
            status.last_picture = Some(picture);
        });
        pose
    }
}

fn shown(picture: &Arc<Picture>) -> Arc<Picture> {
    if picture.width() <= SHOWN_WIDTH && picture.height() <= SHOWN_HEIGHT {
        return Arc::clone(picture);
    }
    Arc::new(picture.fitted(SHOWN_WIDTH, SHOWN_HEIGHT))
}
