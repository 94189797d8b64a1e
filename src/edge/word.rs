//! What an edge says of itself every few seconds, and what the centre makes of it.

use super::Waits;
use crate::frame::{CameraStatus, Health, StatusBoard};
use crate::triage::detection::Scores;
use crate::triage::id::CameraId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Word {
    /// Of this run of the edge's program: two computers of one name are told apart by it.
    #[serde(default)]
    pub instance: Uuid,
    /// The program's version.
    pub version: String,
    /// The version of the thresholds in force there.
    pub thresholds_version: u32,
    pub cameras: Vec<CameraWord>,
    /// What does not work there, apart from cameras.
    pub faults: Vec<Fault>,
    pub waits: Waits,
}

/// A part of the edge's program that does not work, in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    pub part: String,
    pub zh: String,
    pub en: String,
}

/// A camera as its edge sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CameraWord {
    pub camera: CameraId,
    health: Health,
    health_since: Option<Timestamp>,
    detail: Option<String>,
    main_detail: Option<String>,
    last_frame_at: Option<Timestamp>,
    last_scores: Option<Scores>,
    learning_until: Option<Timestamp>,
    has_moved: bool,
    slots_met: u64,
    slots_missed: u64,
    main_fetched: u64,
}

impl CameraWord {
    /// All cameras of a board.
    pub fn all(board: &StatusBoard) -> Vec<Self> {
        board.all().into_iter().map(|(camera, status)| Self::new(camera, status)).collect()
    }

    fn new(camera: CameraId, status: CameraStatus) -> Self {
        let CameraStatus {
            health,
            health_since,
            detail,
            main_detail,
            last_frame_at,
            last_scores,
            ..
        } = status;
        let CameraStatus {
            learning_until, has_moved, slots_met, slots_missed, main_fetched, ..
        } = status;
        Self {
            camera,
            health,
            health_since,
            detail,
            main_detail,
            last_frame_at,
            last_scores,
            learning_until,
            has_moved,
            slots_met,
            slots_missed,
            main_fetched,
        }
    }

    /// Puts it on the centre's board. Pictures and self-tests stay at the edge.
    pub fn put_on(self, board: &StatusBoard) {
        let camera = self.camera.clone();
        board.update(&camera, |status| {
            status.health = self.health;
            status.health_since = self.health_since;
            status.detail = self.detail;
            status.main_detail = self.main_detail;
            status.last_frame_at = self.last_frame_at;
            status.last_scores = self.last_scores;
            status.learning_until = self.learning_until;
            status.has_moved = self.has_moved;
            status.slots_met = self.slots_met;
            status.slots_missed = self.slots_missed;
            status.main_fetched = self.main_fetched;
        });
    }
}
