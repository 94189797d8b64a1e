//! 巡航: the views at which a turning camera was seen to stop, and which of them are registered
//! presets. Found by the cameras' threads, named by the office.

use super::Picture;
use crate::triage::id::PoseId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// 画面: a view at which a turning camera was seen to stop.
#[derive(Clone, Debug)]
pub struct KnownView {
    pub record: ViewRecord,
    /// What it looks like, at most an hour older than its last look.
    pub picture: Arc<Picture>,
}

/// What is known of a view beside its picture.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ViewRecord {
    /// Counted from 1, of one camera.
    pub number: u32,
    /// The preset that it shows, as the office has said; null: nobody has said it.
    pub preset: Option<PoseId>,
    /// Times that the camera has stopped there, and pictures that showed it.
    pub visits: u64,
    pub looks: u64,
    pub last_at: Timestamp,
    pub pictured_at: Timestamp,
}

/// What is known of one turning camera.
#[derive(Clone, Debug, Default)]
pub struct Patrol {
    pub views: Vec<KnownView>,
    /// The pose of the last picture; `None`: it showed the camera turning.
    pub pose: Option<PoseId>,
    /// Pictures that showed it turning, or just arrived where it had never been seen. They are not
    /// analysed.
    pub turning: u64,
    /// Pictures in which night, fog or two presets that look alike hid where it looks.
    pub unclear: u64,
}

/// What the office says of a view: the preset that it shows; `None`: it is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewName {
    pub view: u32,
    pub preset: Option<PoseId>,
}
