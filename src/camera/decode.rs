//! One keyframe in, one picture out. A decoder serves all cameras in turn, whatever their codec and
//! size, so two decoders are enough for 267 cameras.

use super::gst::pipelines::Pipelines;
use super::gst::{self as shared, Pipeline};
use super::keyframe::{Codec, Keyframe};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video as gst_video;
use std::path::Path;
use std::sync::Arc;

/// A picture that takes longer than 2500 × 2 ms will not come. The still-frame event does not wake
/// a waiting appsink (GStreamer 1.22), so the sink is polled at short intervals:
/// `benches/decode.rs` shows the poll interval as added time on small pictures.
const POLL: gst::ClockTime = gst::ClockTime::from_mseconds(2);
const POLLS: usize = 2500;

/// For one worker thread. Opens a lane (one pipeline, one thread) for each codec it meets.
#[derive(Debug)]
pub struct Decoder {
    pipelines: Pipelines,
    h264: Option<Lane>,
    h265: Option<Lane>,
    jpeg: Option<Lane>,
}

impl Decoder {
    /// Uses the pipeline texts built into the program.
    pub fn new() -> Result<Self> {
        Self::with(Pipelines::default())
    }

    /// Uses the folder's `decode-*.gst` where present, for machines with a hardware decoder.
    pub fn with_pipelines(folder: &Path) -> Result<Self> {
        Self::with(Pipelines::new(folder))
    }

    fn with(pipelines: Pipelines) -> Result<Self> {
        shared::init()?;
        Ok(Self { pipelines, h264: None, h265: None, jpeg: None })
    }

    /// Error: [`crate::error::Kind::Invalid`] when the bytes hold no complete picture,
    /// `Unavailable` when the machine lacks something. Either way the decoder is restarted for the
    /// next keyframe.
    pub fn decode(&mut self, keyframe: &Keyframe) -> Result<Picture> {
        let (slot, name) = match keyframe.codec {
            Codec::H264 => (&mut self.h264, "decode-h264"),
            Codec::H265 => (&mut self.h265, "decode-h265"),
            Codec::Jpeg => (&mut self.jpeg, "decode-jpeg"),
            Codec::Png => return Picture::from_image_bytes(&keyframe.bytes),
            Codec::I420 { width, height } => {
                return Picture::from_i420(width, height, keyframe.bytes.to_vec());
            }
        };
        let mut lane = match slot.take() {
            Some(lane) => lane,
            None => Lane::open(&self.pipelines, name)?,
        };
        let picture = lane.decode(&keyframe.bytes)?;
        *slot = Some(lane);
        Ok(picture)
    }
}

/// A running `appsrc ! … ! appsink`.
#[derive(Debug)]
struct Lane {
    pipeline: Pipeline,
    source: AppSrc,
    sink: AppSink,
    decoded: u64,
}

impl Lane {
    fn open(pipelines: &Pipelines, name: &str) -> Result<Self> {
        let unusable =
            |fault: super::fault::Fault| Error::unavailable(fault.sentence("decoder", Lang::En));
        let line = pipelines.line(name, &[]).map_err(unusable)?;
        let (pipeline, sink) = Pipeline::open(&line).map_err(unusable)?;
        let source = pipeline.0.by_name("source").and_then(|e| e.downcast::<AppSrc>().ok());
        let source = source.ok_or_else(|| {
            Error::unavailable(format!("{name}.gst must start with `appsrc name=source`"))
        })?;
        sink.set_property("sync", false);
        sink.set_max_buffers(0); // one keyframe is in flight at a time; a bound would deadlock against the event
        pipeline.play().map_err(unusable)?;
        Ok(Self { pipeline, source, sink, decoded: 0 })
    }

    /// The keyframe is followed by a still-frame event. The event makes decoders output what they
    /// hold back for reordering, and it is passed on at once (1.22 holds other events until the
    /// next picture). When it has come through, everything from this keyframe has come out.
    fn decode(&mut self, bytes: &Arc<[u8]>) -> Result<Picture> {
        let mut buffer = gst::Buffer::from_slice(Arc::clone(bytes));
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_seconds(self.decoded));
        }
        self.decoded += 1;
        let stopped = |_| Error::unavailable("the decoder has stopped");
        self.source.push_buffer(buffer).map_err(stopped)?;
        self.source.send_event(gst_video::StillFrameEvent::builder(true).build());
        let mut picture = None;
        for _ in 0..POLLS {
            match self.sink.try_pull_object(POLL) {
                Some(object) => {
                    if let Some(sample) = object.downcast_ref::<gst::Sample>() {
                        picture = Some(shared::picture_of(sample)?);
                    } else if let Some(event) = object.downcast_ref::<gst::Event>()
                        && gst_video::StillFrameEvent::parse(event).is_ok()
                    {
                        break;
                    }
                }
                None => {
                    if let Some(fault) = self.pipeline.take_error() {
                        return Err(Error::invalid(fault.sentence("decoder", Lang::En)));
                    }
                }
            }
        }
        picture
            .ok_or_else(|| Error::invalid(format!("{} bytes without a whole picture", bytes.len())))
    }
}
