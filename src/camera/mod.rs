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
mod fault;
mod gst;
mod image_file;
mod keyframe;
mod play;
mod receive;
mod receivers;
mod sight;
mod source;
mod turn;
mod visit;

pub use decode::Decoder;
pub use fault::Fault;
pub use keyframe::{Codec, Keyframe};
pub use play::encode::{ClipCodec, Encoding, encode_clip};
pub use play::playback::{Clip, Playback};
pub use play::recording::{Frames, frames};
#[cfg(any(test, fuzzing))]
pub(crate) use receive::first_picture::fuzz as fuzz_picture;
pub use receive::open::{check_pipeline, init};
pub use receive::open_files::{allow_counties, left_for_browsers};
#[cfg(any(test, fuzzing))]
pub(crate) use receive::rtsp::redirect::fuzz as fuzz_answer;
pub use receive::times::time_in_name;
pub use receivers::Receivers;
pub use sight::{Figures, Judged, Sight};
pub use source::{CameraSource, images_in, is_image_file};
pub use turn::overload::Overload;
pub use turn::schedule::Round;
pub use visit::visit;
