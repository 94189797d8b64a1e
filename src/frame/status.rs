//! Every camera's state, by name, without silent gaps. Written by the camera threads, read by the
//! pages.

use super::{Eye, Patrol, Picture, Screening, SelfTest, ViewName};
use crate::triage::detection::Scores;
use crate::triage::id::CameraId;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Starting,
    Ok,
    /// Pictures come, but more slowly than the cadence needs.
    Late,
    /// Pictures come, but no pixel changes, not even by noise.
    Frozen,
    Black,
    /// Most of the picture is clipped white.
    Overexposed,
    /// Large shapes are visible, edges are missing: dirt, drops, lost focus.
    Blurred,
    /// Something stands directly in front of the lens.
    Covered,
    /// Fog, cloud or smoke all around: no defect, but this camera cannot see now.
    Fog,
    /// The camera has turned, so its directions no longer hold.
    Moved,
    /// The stream's size has changed.
    Resized,
    /// Data arrive, but do not decode to a picture.
    Undecodable,
    /// Nothing arrives.
    Offline,
    /// The camera refuses the user or password.
    BadPassword,
    /// The register entry or pipeline text cannot work; the detail says why.
    Misconfigured,
}

impl Health {
    /// Whether the camera's picture would show a smoke. One that only starts has shown nothing yet.
    pub fn sees(self) -> bool {
        matches!(self, Self::Ok | Self::Late | Self::Moved | Self::Resized)
    }
}

#[derive(Clone, Debug)]
pub struct CameraStatus {
    pub health: Health,
    pub health_since: Option<Timestamp>,
    /// One sentence with the cause and the cure; never holds a password.
    pub detail: Option<String>,
    /// Why the last request to the main stream gave no picture. The camera itself may be fine.
    pub main_detail: Option<String>,
    pub last_frame_at: Option<Timestamp>,
    pub last_scores: Option<Scores>,
    pub last_picture: Option<Arc<Picture>>,
    /// Keyframes received, and frames analysed.
    pub keyframes: u64,
    pub analysed: u64,
    /// Pictures of the main stream fetched on suspicion.
    pub main_fetched: u64,
    /// Cadences that have ended, with and without a look.
    pub slots_met: u64,
    pub slots_missed: u64,
    pub self_test: SelfTest,
    /// The office confirmed the present view, so it is learnt anew.
    pub is_view_accepted: bool,
    /// The camera was seen to have turned. Night, fog and silence hide the view and do not reset
    /// this. It holds until the camera is seen to be back, the office accepts the view, or the
    /// register gives a new direction.
    pub has_moved: bool,
    /// Until then the model has no past picture of this view to compare with, and sees less.
    pub learning_until: Option<Timestamp>,
    /// `None`: the camera has one view.
    pub patrol: Option<Patrol>,
    /// What the office has said of its views and its thread has not taken yet.
    view_names: Vec<ViewName>,
}

impl Default for CameraStatus {
    fn default() -> Self {
        Self {
            health: Health::Starting,
            health_since: None,
            detail: None,
            main_detail: None,
            last_frame_at: None,
            last_scores: None,
            last_picture: None,
            keyframes: 0,
            analysed: 0,
            main_fetched: 0,
            slots_met: 0,
            slots_missed: 0,
            self_test: SelfTest::default(),
            is_view_accepted: false,
            has_moved: false,
            learning_until: None,
            patrol: None,
            view_names: Vec::new(),
        }
    }
}

/// Written by camera threads, read by pages. One entry per camera, and the eye that looks at them.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    cameras: Arc<Mutex<BTreeMap<CameraId, CameraStatus>>>,
    eye: Arc<Mutex<Option<Eye>>>,
    /// What the screening network did, over all cameras.
    screening: Arc<Mutex<Option<Screening>>>,
}

impl StatusBoard {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CameraId, CameraStatus>> {
        self.cameras.lock()
    }

    /// None: no model is loaded.
    pub fn eye(&self) -> Option<Eye> {
        self.eye.lock().clone()
    }

    pub fn set_eye(&self, eye: Option<Eye>) {
        *self.eye.lock() = eye;
    }

    pub fn get(&self, camera: &CameraId) -> Option<CameraStatus> {
        self.lock().get(camera).cloned()
    }

    pub fn all(&self) -> BTreeMap<CameraId, CameraStatus> {
        self.lock().clone()
    }

    /// What the screening network did, over all cameras; None: there is none.
    pub fn screening(&self) -> Option<Screening> {
        *self.screening.lock()
    }

    pub fn screened(&self, count: impl FnOnce(&mut Screening)) {
        count(self.screening.lock().get_or_insert_default());
    }

    /// Removes cameras that have left the register.
    pub fn keep_only(&self, stays: impl Fn(&CameraId) -> bool) {
        self.lock().retain(|camera, _| stays(camera));
    }

    pub fn update(&self, camera: &CameraId, change: impl FnOnce(&mut CameraStatus)) {
        change(self.lock().entry(camera.clone()).or_default());
    }

    /// The same for a camera that is on the board. One that has left it does not come back.
    pub fn update_known(&self, camera: &CameraId, change: impl FnOnce(&mut CameraStatus)) {
        if let Some(status) = self.lock().get_mut(camera) {
            change(status);
        }
    }

    pub fn is_self_test_asked(&self, camera: &CameraId) -> bool {
        self.lock().get(camera).is_some_and(|status| status.self_test.asked_at.is_some())
    }

    /// The register gives the camera another position or direction: what was found out about the
    /// former view is void.
    pub fn aim_anew(&self, camera: &CameraId) {
        self.update_known(camera, |status| {
            (status.has_moved, status.self_test.last) = (false, None)
        });
    }

    /// True once after the office has accepted the view.
    pub fn take_accepted_view(&self, camera: &CameraId) -> bool {
        self.lock().get_mut(camera).is_some_and(|status| {
            let is_accepted = std::mem::take(&mut status.is_view_accepted);
            status.has_moved &= !is_accepted;
            is_accepted
        })
    }

    /// The office says which preset a view of a turning camera shows. It is on the board at once,
    /// and the camera's thread takes it with the next picture. False: there is no such view.
    pub fn name_view(&self, camera: &CameraId, name: ViewName) -> bool {
        let mut board = self.lock();
        let Some(status) = board.get_mut(camera) else { return false };
        let views = status.patrol.iter_mut().flat_map(|patrol| &mut patrol.views);
        let Some(view) = views.into_iter().find(|it| it.record.number == name.view) else {
            return false;
        };
        view.record.preset.clone_from(&name.preset);
        status.view_names.push(name);
        true
    }

    pub fn take_view_names(&self, camera: &CameraId) -> Vec<ViewName> {
        let mut board = self.lock();
        board.get_mut(camera).map(|it| std::mem::take(&mut it.view_names)).unwrap_or_default()
    }

    /// True when the health changed, so that the caller logs it once and updates the board.
    pub fn set_health(
        &self,
        camera: &CameraId,
        health: Health,
        detail: Option<String>,
        now: Timestamp,
    ) -> bool {
        let mut board = self.lock();
        let status = board.entry(camera.clone()).or_default();
        let changed = status.health != health;
        if changed || status.health_since.is_none() {
            status.health_since = Some(now);
        }
        status.health = health;
        status.detail = detail;
        changed
    }
}
