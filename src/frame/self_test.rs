//! What smoke a camera can see now, according to its last self-test. Written by the analysis
//! threads, read by the pages.

use super::Picture;
use crate::triage::id::PoseId;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One camera's self-test: the pending request, and the last result.
#[derive(Clone, Debug, Default)]
pub struct SelfTest {
    /// Requested and not done yet. It runs when the machine has spare time and a fresh picture has
    /// come.
    pub asked_at: Option<Timestamp>,
    pub last: Option<Arc<Sensitivity>>,
}

/// The result of one test.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// When the picture with the added plumes was taken.
    pub at: Timestamp,
    /// The view in it.
    pub pose: PoseId,
    pub whole: AtScale,
    /// The tiles of the horizon band, each compared with its own past. None: no tile is looked at
    /// here, or none has a past yet.
    pub tile: Option<AtScale>,
    /// The surroundings of the smallest plume that was found, or else of the largest.
    pub example: Option<Arc<Picture>>,
}

/// A rendered plume of one size, at several places.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct SizeSeen {
    /// Apparent width, share of the picture's width.
    pub width: f32,
    pub places: u32,
    pub found: u32,
}

/// The result at one scale.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AtScale {
    /// The published threshold that was applied.
    pub threshold: f32,
    /// Smallest sizes first.
    pub sizes: Vec<SizeSeen>,
}

impl AtScale {
    /// The smallest size found at most of its places; None: not even the largest was.
    pub fn smallest(&self) -> Option<f32> {
        self.sizes.iter().find(|size| size.is_seen()).map(|size| size.width)
    }
}

impl SizeSeen {
    pub fn is_seen(&self) -> bool {
        self.places > 0 && 2 * self.found > self.places
    }
}
