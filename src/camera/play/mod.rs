//! Clips and recordings: played as cameras, read for a replay, and written.

pub(super) mod encode;
pub(super) mod playback;
pub(super) mod recording;
