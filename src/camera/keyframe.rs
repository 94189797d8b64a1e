//! A complete picture, still compressed.

use crate::triage::detection::Stream;
use jiff::Timestamp;
use std::sync::Arc;

/// A picture that decodes without any other. Cloning shares the bytes.
#[derive(Clone)]
pub struct Keyframe {
    /// The time of reception; for recordings and uploads, the time of the shot.
    pub captured_at: Timestamp,
    pub codec: Codec,
    pub bytes: Arc<[u8]>,
    pub stream: Stream,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// Byte stream with parameter sets; one access unit.
    H264,
    H265,
    Jpeg,
    Png,
    /// Already decoded by the pipeline (graphics card): planar, rows without padding.
    I420 {
        width: u32,
        height: u32,
    },
}

impl Keyframe {
    /// A picture file; the codec is told by its first bytes.
    pub fn from_image_bytes(captured_at: Timestamp, bytes: Vec<u8>) -> Self {
        let codec = if bytes.starts_with(b"\x89PNG") { Codec::Png } else { Codec::Jpeg };
        Self { captured_at, codec, bytes: bytes.into(), stream: Stream::Screened }
    }
}

impl std::fmt::Debug for Keyframe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyframe({:?} {} bytes at {})", self.codec, self.bytes.len(), self.captured_at)
    }
}
