//! Pictures → a video clip like a camera's: a keyframe every two seconds, no frame reordering.

use crate::camera::fault::Fault;
use crate::camera::gst::pipelines::Line;
use crate::camera::gst::template::{Outlet, fill};
use crate::camera::gst::{Pipeline, fault_of, init};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use std::path::Path;

/// The usual camera setting for keyframe analysis.
const KEYFRAME_EVERY_SECONDS: u32 = 2;

/// Rates are given for a sub-stream of 640 × 360; other sizes in proportion, never below 128
/// kbit/s. Cameras hold the configured bit rate at any frame rate.
const KBIT_PER_SECOND: u64 = 512;
const KBIT_PIXELS: u64 = 640 * 360;

/// How long the muxer may take to close the file.
const CLOSE_WITHIN: gst::ClockTime = gst::ClockTime::from_seconds(60);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClipCodec {
    H264,
    H265,
}

/// How pictures become video.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoding {
    pub codec: ClipCodec,
    /// For 640 × 360 pixels. Cameras offer about 512 to 2048.
    pub kbit_per_s: u64,
}

impl From<ClipCodec> for Encoding {
    fn from(codec: ClipCodec) -> Self {
        Self { codec, kbit_per_s: KBIT_PER_SECOND }
    }
}

/// Writes `out` (`.mp4` or `.mkv`; any other ending becomes a raw byte stream) from pictures of one
/// size. `progress` gets the number of pictures written. The file appears under its name only when
/// complete.
pub fn encode_clip(
    out: &Path,
    fps: u32,
    frames: impl IntoIterator<Item = Picture>,
    encoding: impl Into<Encoding>,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    init()?;
    let mut frames = frames.into_iter();
    let first = frames
        .next()
        .ok_or_else(|| Error::invalid(format!("{}: no pictures to encode", out.display())))?;
    let (width, height) = (first.width(), first.height());
    let part = out.with_extension("part");
    let (pipeline, source) = open(&part, out, fps.max(1), (width, height), encoding.into())?;
    pipeline.play().map_err(|fault| failed(out, &fault))?;
    for (index, picture) in std::iter::once(first).chain(frames).enumerate() {
        if (picture.width(), picture.height()) != (width, height) {
            return Err(Error::invalid(format!(
                "{}: picture {index} has another size than the first",
                out.display()
            )));
        }
        let mut buffer = gst::Buffer::from_slice(picture.into_i420());
        if let Some(buffer) = buffer.get_mut() {
            let time =
                |n: u64| gst::ClockTime::from_nseconds(n * 1_000_000_000 / u64::from(fps.max(1)));
            buffer.set_pts(time(index as u64));
            buffer.set_duration(time(index as u64 + 1) - time(index as u64));
        }
        if source.push_buffer(buffer).is_err() {
            break; // the reason is on the bus
        }
        progress(index as u64 + 1);
    }
    // Refused only after the pipeline has failed; the reason is then on the bus.
    let _ = source.end_of_stream();
    finish(&pipeline, out)?;
    drop(pipeline);
    std::fs::rename(&part, out).map_err(|e| {
        Error::unavailable(format!("cannot move the clip to {}", out.display())).because(e)
    })
}

fn open(
    part: &Path,
    out: &Path,
    fps: u32,
    (width, height): (u32, u32),
    Encoding { codec, kbit_per_s }: Encoding,
) -> Result<(Pipeline, AppSrc)> {
    let path =
        part.to_str().ok_or_else(|| Error::invalid(format!("{} is not UTF-8", part.display())))?;
    let gop = fps * KEYFRAME_EVERY_SECONDS;
    let pixels = u64::from(width) * u64::from(height);
    let kbit = (kbit_per_s * pixels / KBIT_PIXELS).max(128);
    let encoder = match codec {
        ClipCodec::H264 => format!(
            "x264enc bframes=0 key-int-max={gop} bitrate={kbit} speed-preset=veryfast \
            option-string=scenecut=0 ! h264parse config-interval=-1"
        ),
        ClipCodec::H265 => format!(
            "x265enc key-int-max={gop} bitrate={kbit} speed-preset=ultrafast \
            option-string=bframes=0:scenecut=0:open-gop=0:log-level=1 ! h265parse \
            config-interval=-1"
        ),
    };
    let stream = match codec {
        ClipCodec::H264 => "video/x-h264",
        ClipCodec::H265 => "video/x-h265",
    };
    let container = match out.extension().and_then(|e| e.to_str()) {
        Some("mp4") => "mp4mux".to_owned(),
        Some("mkv") => "matroskamux".to_owned(),
        _ => format!("{stream},stream-format=byte-stream,alignment=au"),
    };
    let text = format!(
        "appsrc name=source format=time block=true max-bytes={} \
        caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1,colorimetry=bt601,interlace-mode=progressive ! {encoder} ! {container} ! filesink location={{path}}",
        pixels * 3 / 2 * 4
    );
    let text = fill(&text, &[("path", path)])?;
    let line = Line { name: "encode".to_owned(), text, outlet: Outlet::Frames };
    let pipeline = Pipeline::parse(&line).map_err(|fault| failed(out, &fault))?;
    let source = pipeline.0.by_name("source").and_then(|e| e.downcast::<AppSrc>().ok());
    let source = source.ok_or_else(|| Error::internal("the encoder pipeline has no source"))?;
    Ok((pipeline, source))
}

fn finish(pipeline: &Pipeline, out: &Path) -> Result<()> {
    let bus = pipeline.0.bus().ok_or_else(|| Error::internal("a pipeline without a bus"))?;
    let message =
        bus.timed_pop_filtered(CLOSE_WITHIN, &[gst::MessageType::Eos, gst::MessageType::Error]);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(error)) => Err(failed(out, &fault_of(error))),
        _ => Err(Error::unavailable(format!(
            "{}: the clip could not be closed in time",
            out.display()
        ))),
    }
}

fn failed(out: &Path, fault: &Fault) -> Error {
    Error::unavailable(fault.sentence(&out.display().to_string(), Lang::En))
}
