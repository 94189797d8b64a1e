//! VIDEO, the only home of GStreamer. One light receiver a camera keeps the newest keyframe as bytes; a schedule picks the
//! most overdue camera; a few decoders, one a worker thread, turn just that keyframe into a picture.
//!
//! ```text
//! receiver ─► slot of 1 ─► schedule ─► Decoder ─► judge (black, frozen) ─► Frame
//! (GStreamer)  newest wins  most overdue  worker     status board
//! ```

mod decode;
mod encode;
mod fault;
mod gst;
mod keyframe;
mod pace;
mod pipelines;
mod playback;
mod receiver;
mod receivers;
mod reconnect;
mod recording;
mod schedule;
mod sight;
mod slots;
mod source;
mod template;

pub use decode::Decoder;
pub use encode::{ClipCodec, encode_clip};
pub use gst::{check_pipeline, init};
pub use keyframe::{Codec, Keyframe};
pub use playback::{Clip, Playback};
pub use receivers::Receivers;
pub use recording::{Frames, frames};
pub use schedule::Schedule;
pub use source::{CameraSource, Secret, images_in};
