//! Which cameras there are, and what is kept of each. Each comes, goes and changes alone: the
//! others' keyframes, turns and health are not touched.

use super::{Inner, Slots};
use crate::camera::fault::Fault;
use crate::camera::keyframe::Keyframe;
use crate::camera::sight::Sight;
use crate::camera::source::CameraSource;
use crate::camera::turn::gop::Gop;
use crate::camera::turn::main_slot::MainSlot;
use crate::camera::turn::pace::Pace;
use crate::camera::turn::patrol::Patrol;
use crate::camera::turn::steadiness::Steadiness;
use crate::camera::turn::suspicion::Suspicion;
use crate::frame::{Frame, Health};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of one camera. Its health is the first fault of link, picture and keyframe interval;
/// without a fault it is Ok once a keyframe has arrived. While the link is unsteady, that stands
/// for each of its breaks.
pub(super) struct Camera {
    pub source: Arc<CameraSource>,
    pub pace: Pace,
    pub keyframe: Option<Keyframe>,
    pub main: MainSlot,
    pub has_come: bool,
    pub link: Option<Fault>,
    /// Since when there is a fault of the link.
    pub link_since: Option<Timestamp>,
    /// The connection has ended and not given a picture since.
    pub is_down: bool,
    pub steadiness: Steadiness,
    /// What is to be known although all is well.
    pub note: Option<Fault>,
    pub picture: Option<Fault>,
    pub gop: Gop,
    /// The cadence that is really kept: a camera need not send keyframes more often.
    pub kept: SignedDuration,
    pub suspicion: Suspicion,
    pub sight: Sight,
    /// `None`: the camera has one view, and `sight` judges it.
    pub patrol: Option<Patrol>,
    pub told: Option<(Health, Option<Fault>)>,
    /// A picture showed that the camera has turned, and none has shown since that it is back.
    pub has_moved: bool,
    /// Capture time of the picture that a worker took last.
    pub taken_at: Option<Timestamp>,
    /// That time when the camera was aimed anew: the picture shows the former view.
    void_at: Option<Timestamp>,
}

impl Camera {
    pub(super) fn new(source: CameraSource, cadence: SignedDuration, now: Timestamp) -> Self {
        let patrol = source.patrol.as_ref();
        Self {
            patrol: patrol.map(|it| Patrol::new(it.presets.clone(), &it.views)),
            source: Arc::new(source),
            pace: Pace::new(cadence, now),
            keyframe: None,
            main: MainSlot::default(),
            has_come: false,
            link: None,
            link_since: None,
            is_down: false,
            steadiness: Steadiness::default(),
            note: None,
            picture: None,
            gop: Gop::default(),
            kept: cadence,
            suspicion: Suspicion::default(),
            sight: Sight::default(),
            told: None,
            has_moved: false,
            taken_at: None,
            void_at: None,
        }
    }

    pub(super) fn is_told_unsteady(&self) -> bool {
        matches!(self.told, Some((_, Some(Fault::Unsteady { .. }))))
    }

    fn is(&self, id: &CameraId, pose: &PoseId) -> bool {
        self.source.id == *id && self.source.shows(pose)
    }

    /// Pictures are compared afresh after a gap.
    pub(super) fn resume(&mut self) {
        self.sight.resume();
        self.patrol.iter_mut().for_each(Patrol::resume);
    }

    /// The office says that the camera sees well as it is.
    pub(super) fn accept(&mut self) {
        self.sight.accept();
        self.patrol.iter_mut().for_each(Patrol::accept);
        self.has_moved = false;
    }
}

impl Slots {
    /// The camera that has this number.
    pub(crate) fn source(&self, index: usize) -> Option<Arc<CameraSource>> {
        self.lock().cameras.get(&index).map(|camera| Arc::clone(&camera.source))
    }

    /// The numbers of those that fit, in their order.
    pub(crate) fn indices(&self, fits: impl Fn(&CameraSource) -> bool) -> Vec<usize> {
        self.lock()
            .cameras
            .iter()
            .filter(|(_, camera)| fits(&camera.source))
            .map(|(index, _)| *index)
            .collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().cameras.len()
    }

    /// Every camera by its number; None when none has come, gone or been connected anew since the
    /// last call.
    pub(crate) fn new_roster(&self) -> Option<BTreeMap<usize, Arc<CameraSource>>> {
        let mut inner = self.lock();
        let is_new = std::mem::take(&mut inner.is_roster_new);
        is_new.then(|| {
            inner.cameras.iter().map(|(index, it)| (*index, Arc::clone(&it.source))).collect()
        })
    }

    /// A camera and pose that was not there.
    pub(crate) fn add(&self, source: CameraSource) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let index = inner.number();
        inner.schedule.add(index, now);
        let mut camera = Camera::new(source, self.config.cadence, now);
        self.tell(&mut camera, now);
        inner.cameras.insert(index, camera);
    }

    /// It leaves the board, too, unless another pose of it stays.
    pub(crate) fn remove(&self, id: &CameraId, pose: &PoseId) {
        let mut inner = self.lock();
        let Some(index) = inner.find(id, pose) else { return };
        inner.cameras.remove(&index);
        inner.schedule.remove(index);
        inner.is_roster_new = true;
        self.forget(&inner, id);
    }

    fn forget(&self, inner: &Inner, id: &CameraId) {
        if !inner.cameras.values().any(|camera| camera.source.id == *id) {
            self.status.keep_only(|other| other != id);
        }
    }

    /// What the register now says of a camera and pose. `is_reached_anew`: its address, pipeline or
    /// main stream has changed. Then it is connected anew, and what its stream showed is judged
    /// afresh: another stream may have another size and sharpness. Its turn and its count of slots
    /// go on.
    pub(crate) fn describe(&self, source: CameraSource, is_reached_anew: bool) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(index) = inner.find(&source.id, &source.pose) else { return };
        let Some(mut camera) = inner.cameras.remove(&index) else { return };
        let mut number = index;
        if is_reached_anew {
            number = inner.number();
            inner.schedule.renumber(index, number);
            inner.schedule.gone(number);
            let former =
                std::mem::replace(&mut camera, Camera::new(source, self.config.cadence, now));
            (camera.pace, camera.suspicion) = (former.pace, former.suspicion);
            if let (Some(patrol), Some(mut former)) = (&camera.source.patrol, former.patrol) {
                former.has_presets(patrol.presets.clone());
                former.accept();
                former.resume();
                camera.patrol = Some(former);
            }
            self.status.update(&camera.source.id, |status| status.main_detail = None);
        } else {
            if let (Some(patrol), Some(own)) = (&source.patrol, &mut camera.patrol) {
                own.has_presets(patrol.presets.clone());
            }
            // Said again, because the sentence on the board holds the name.
            (camera.source, camera.told) = (Arc::new(source), None);
        }
        self.tell(&mut camera, now);
        inner.cameras.insert(number, camera);
    }

    /// The register gives another position or direction. The keyframe that waits shows the former
    /// view, and the new view is learnt.
    pub(crate) fn aim_anew(&self, id: &CameraId, pose: &PoseId) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(index) = inner.find(id, pose) else { return };
        let Inner { schedule, cameras, .. } = &mut *inner;
        let Some(camera) = cameras.get_mut(&index) else { return };
        schedule.gone(index);
        camera.sight.accept();
        (camera.keyframe, camera.picture) = (None, None);
        drop(camera.main.take(now, self.config.cadence));
        (camera.has_moved, camera.void_at) = (false, camera.taken_at);
        self.status.aim_anew(id);
        self.tell(camera, now);
    }

    /// Poses of the frame's camera that mean something else from this frame on.
    pub(crate) fn over_before(&self, frame: &Frame) -> Vec<PoseId> {
        let mut inner = self.lock();
        let camera = inner.cameras.values_mut().find(|it| it.is(&frame.camera, &frame.pose));
        camera.and_then(|it| it.patrol.as_mut()).map(Patrol::take_over).unwrap_or_default()
    }

    /// Whether the frame still counts when it has been looked at. No: its camera has gone or was
    /// aimed anew meanwhile, and what the look has left behind is to be forgotten. On the board it
    /// is forgotten here.
    pub(crate) fn still_counts(&self, frame: &Frame) -> bool {
        let inner = self.lock();
        match inner.cameras.values().find(|camera| camera.is(&frame.camera, &frame.pose)) {
            Some(camera) => camera.void_at != Some(frame.captured_at),
            None => {
                self.forget(&inner, &frame.camera);
                false
            }
        }
    }
}

impl Inner {
    fn find(&self, id: &CameraId, pose: &PoseId) -> Option<usize> {
        self.cameras.iter().find(|(_, camera)| camera.is(id, pose)).map(|(index, _)| *index)
    }

    /// A number that no camera has had.
    fn number(&mut self) -> usize {
        (self.next_number, self.is_roster_new) = (self.next_number + 1, true);
        self.next_number - 1
    }
}
