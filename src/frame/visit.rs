//! What a first look at a camera has shown.

use super::{Health, Picture};
use jiff::SignedDuration;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Visit {
    /// `Starting`: nothing was found wrong, and no picture came in time.
    pub health: Health,
    /// Cause and cure in the asked language; never holds a password.
    pub words: Option<String>,
    pub picture: Option<Arc<Picture>>,
    /// Between the first two keyframes of a stream, 1 s at least. `None`: only one came, or this is
    /// no stream.
    pub keyframe_every: Option<SignedDuration>,
}
