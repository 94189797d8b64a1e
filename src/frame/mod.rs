//! What cameras produce: pictures, whether one shows anything new, each camera's health, and the
//! thresholds by which pictures are judged. This module uses no video library and no model.

mod eye;
mod gate;
mod patrol;
mod picture;
mod screening;
mod self_test;
mod status;
mod tuning;
mod visit;

pub use eye::{Capacity, Eye, Licence, cpu_flags};
pub use gate::{Cells, Gate};
pub use patrol::{KnownView, Patrol, ViewName, ViewRecord};
pub use picture::Picture;
pub use screening::Screening;
pub use self_test::{AtScale, SelfTest, Sensitivity, SizeSeen};
pub use status::{CameraStatus, Health, StatusBoard};
pub use tuning::Tuning;
pub use visit::Visit;

use crate::triage::detection::Stream;
use crate::triage::id::{CameraId, PoseId};
use jiff::Timestamp;
use std::sync::Arc;

/// 帧: one picture of one camera pose at one instant.
#[derive(Clone, Debug)]
pub struct Frame {
    pub camera: CameraId,
    pub pose: PoseId,
    pub captured_at: Timestamp,
    pub picture: Arc<Picture>,
    pub stream: Stream,
}
