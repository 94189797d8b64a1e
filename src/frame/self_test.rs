//! What smoke a camera can see right now, as told by its last self-test. Written by the analysis threads, read by the pages.

use super::Picture;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One camera's self-test: asked for, and done.
#[derive(Clone, Debug, Default)]
pub struct SelfTest {
    /// Asked for and not done yet: it runs when the machine has time to spare and a fresh picture has come.
    pub asked_at: Option<Timestamp>,
    pub last: Option<Arc<Sensitivity>>,
}

/// Outcome of one test.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// When the picture was taken that the plumes were put into.
    pub at: Timestamp,
    pub whole: AtScale,
    /// The tiles of the horizon band, each beside its own past; None: none is looked at here, or none has a past yet.
    pub tile: Option<AtScale>,
    /// Around the smallest plume that was found, or the largest that was not.
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

/// What was found at one scale.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AtScale {
    /// The published threshold that counted.
    pub threshold: f32,
    /// Smallest sizes first.
    pub sizes: Vec<SizeSeen>,
}

impl AtScale {
    /// The smallest size found at most of its places; None: not even the largest.
    pub fn smallest(&self) -> Option<f32> {
        self.sizes.iter().find(|size| size.is_seen()).map(|size| size.width)
    }
}

impl SizeSeen {
    pub fn is_seen(&self) -> bool {
        self.places > 0 && 2 * self.found > self.places
    }
}
