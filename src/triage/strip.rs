//! Pure: 过程图, the pictures around an alarm from which a person judges it: what came before, and
//! what came of it.

use super::detection::{BoundingBox, Stream};
use super::id::{PictureId, SightingId};
use jiff::Timestamp;

/// One picture of one sighting's strip.
#[derive(Clone, PartialEq, Debug)]
pub struct StripFrame {
    pub sighting: SightingId,
    pub captured_at: Timestamp,
    pub stream: Stream,
    /// `None`: the model saw nothing at the sighting's place.
    pub seen: Option<SeenAt>,
    pub picture: PictureId,
}

/// What the model saw at a sighting's place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SeenAt {
    /// 0..1, as a detection's confidence.
    pub score: f32,
    pub bbox: BoundingBox,
}
