//! VIDEO, the only home of GStreamer. One light receiver a camera keeps the newest keyframe as
//! bytes. A schedule picks the camera whose slot began first. A few decoders, one a worker thread,
//! turn just that keyframe into a picture.
//!
//! ```text
//! receiver ─► slot of 1 ─► schedule ─► Decoder ─► judge (black, covered, moved …) ─► Frame
//! (GStreamer)  newest wins  first slot    worker     status board
//! ```
//!
//! For a suspicious camera, a picture of its main stream is fetched and used in its next turn.

mod decode;
mod delivery;
mod drop_folder;
mod encode;
mod fault;
mod gop;
mod gst;
mod image_file;
mod keyframe;
mod main_stream;
mod multipart;
mod open_files;
mod overload;
mod pace;
mod pipelines;
mod playback;
mod reading;
mod receiver;
mod receivers;
mod reconnect;
mod recording;
mod rtsp;
mod runtime;
mod schedule;
mod sight;
mod slots;
mod snapshot;
mod source;
mod suspicion;
mod template;
mod times;

pub use decode::Decoder;
pub use encode::{ClipCodec, encode_clip};
pub use fault::Fault;
pub use gst::{check_pipeline, init};
pub use keyframe::{Codec, Keyframe};
pub use open_files::left_for_browsers;
pub use overload::Overload;
pub use playback::{Clip, Playback};
pub use receivers::Receivers;
pub use recording::{Frames, frames};
pub use schedule::Round;
pub use sight::{Figures, Judged, Sight};
pub use source::{CameraSource, images_in, is_image_file};
pub use times::time_in_name;
