//! Pure: 过程图, the pictures around an alarm, by which a person judges it: what came before, and what became of it.

use super::detection::{BoundingBox, Stream};
use super::id::{PictureId, SightingId};
use jiff::Timestamp;

/// One picture of one sighting's strip.
#[derive(Clone, PartialEq, Debug)]
pub struct StripFrame {
    pub sighting: SightingId,
    pub captured_at: Timestamp,
    pub stream: Stream,
    /// `None`: the model saw nothing in the sighting's place.
    pub seen: Option<Place>,
    pub picture: PictureId,
}

/// What the model saw in the place of a sighting.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    /// 0..1, as a detection's confidence.
    pub score: f32,
    pub bbox: BoundingBox,
}
