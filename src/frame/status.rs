//! How each camera is doing, by name: never a silent gap. Written by the camera threads, read by the pages.

use super::{Eye, Picture, Screening, SelfTest};
use crate::triage::detection::Scores;
use crate::triage::id::CameraId;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Starting,
    Ok,
    /// Pictures come, but slower than the cadence asks.
    Late,
    /// Pictures come, but nothing in them moves, not even noise.
    Frozen,
    Black,
    /// Most of the picture is clipped white.
    Overexposed,
    /// Large shapes stand, edges have gone: dirt, drops, lost focus.
    Blurred,
    /// Something stands right before the lens.
    Covered,
    /// Fog, cloud or smoke all around: no defect, but this camera cannot see now.
    Fog,
    /// The camera looks another way than it did: its directions no longer hold.
    Moved,
    /// The stream has another size than it had.
    Resized,
    /// Bytes come, but no picture can be made of them.
    Undecodable,
    /// Nothing comes.
    Offline,
    /// The camera refuses the user or password.
    BadPassword,
    /// The register entry or pipeline text cannot work: the detail says why.
    Misconfigured,
}

#[derive(Clone, Debug)]
pub struct CameraStatus {
    pub health: Health,
    pub health_since: Option<Timestamp>,
    /// One sentence with the cause and the cure; never holds a password.
    pub detail: Option<String>,
    /// Why the main stream gave no picture when it was last asked for one; the camera itself may be well.
    pub main_detail: Option<String>,
    pub last_frame_at: Option<Timestamp>,
    pub last_scores: Option<Scores>,
    pub last_picture: Option<Arc<Picture>>,
    /// Keyframes received, and frames analysed.
    pub keyframes: u64,
    pub analysed: u64,
    /// Pictures of the main stream fetched on suspicion.
    pub main_fetched: u64,
    /// Cadences that are over, with and without a look.
    pub slots_met: u64,
    pub slots_missed: u64,
    pub self_test: SelfTest,
    /// The office says that what this camera shows now is right: its view is learnt anew.
    pub is_view_accepted: bool,
    /// It was seen to look another way. Holds through night, fog and silence, which hide the view and bring nothing back,
    /// until the camera is seen to be back, the office accepts the view, or the register says anew where it looks.
    pub has_moved: bool,
    /// Until then the model has no picture of this view from before to compare with, and sees less.
    pub learning_until: Option<Timestamp>,
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
        }
    }
}

/// Shared by camera threads (write) and pages (read). One entry a camera, and the eye they are looked at with.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    cameras: Arc<Mutex<BTreeMap<CameraId, CameraStatus>>>,
    eye: Arc<Mutex<Option<Eye>>>,
    /// What the screening network did, all cameras together.
    screening: Arc<Mutex<Option<Screening>>>,
}

impl StatusBoard {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CameraId, CameraStatus>> {
        self.cameras.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// None: no model is loaded.
    pub fn eye(&self) -> Option<Eye> {
        self.eye.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub fn set_eye(&self, eye: Option<Eye>) {
        *self.eye.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = eye;
    }

    pub fn get(&self, camera: &CameraId) -> Option<CameraStatus> {
        self.lock().get(camera).cloned()
    }

    pub fn all(&self) -> BTreeMap<CameraId, CameraStatus> {
        self.lock().clone()
    }

    /// What the screening network did, all cameras together; None: there is none.
    pub fn screening(&self) -> Option<Screening> {
        *self.screening.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn screened(&self, count: impl FnOnce(&mut Screening)) {
        count(self.screening.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert_default());
    }

    /// Forgets cameras that have left the register.
    pub fn keep_only(&self, stays: impl Fn(&CameraId) -> bool) {
        self.lock().retain(|camera, _| stays(camera));
    }

    pub fn update(&self, camera: &CameraId, change: impl FnOnce(&mut CameraStatus)) {
        change(self.lock().entry(camera.clone()).or_default());
    }

    pub fn is_self_test_asked(&self, camera: &CameraId) -> bool {
        self.lock().get(camera).is_some_and(|status| status.self_test.asked_at.is_some())
    }

    /// True once after the office has accepted the view.
    pub fn take_accepted_view(&self, camera: &CameraId) -> bool {
        self.lock().get_mut(camera).is_some_and(|status| {
            let is_accepted = std::mem::take(&mut status.is_view_accepted);
            status.has_moved &= !is_accepted;
            is_accepted
        })
    }

    /// True when the health changed, so that the caller logs it once and tells the board.
    pub fn set_health(&self, camera: &CameraId, health: Health, detail: Option<String>, now: Timestamp) -> bool {
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
