//! What all pipelines of this folder share: opening a text, reading samples, and translating error
//! messages.

pub(super) mod pipelines;
pub(super) mod template;

use super::fault::link::{Link, Network};
use super::fault::{Fault, debian_package};
use super::keyframe::{Codec, Keyframe};
use crate::address::masked;
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::triage::detection::Stream;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use jiff::Timestamp;
use pipelines::Line;

/// The elements without which no camera works.
const NEEDED: [&str; 9] = [
    "appsink",
    "videoconvert",
    "parsebin",
    "qtdemux",
    "jpegdec",
    "h264parse",
    "h265parse",
    "avdec_h264",
    "avdec_h265",
];

/// Starts GStreamer; may be called again. Error: what is missing, and the Debian package that
/// provides it.
pub(super) fn init() -> Result<()> {
    gst::init().map_err(|e| {
        Error::unavailable(
            "GStreamer does not start; install it: apt-get install libgstreamer1.0-0",
        )
        .because(e)
    })?;
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|name| gst::ElementFactory::find(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|name| debian_package(name)).collect();
    packages.sort_unstable();
    packages.dedup();
    Err(Error::unavailable(format!(
        "GStreamer lacks the elements {}: apt-get install {}",
        missing.join(", "),
        packages.join(" ")
    )))
}

/// A pipeline that is set to Null when dropped, so that its threads and sockets always end.
#[derive(Debug)]
pub(super) struct Pipeline(pub gst::Pipeline);

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Nobody could act on a failure here. What is left ends with the process.
        let _ = self.0.set_state(gst::State::Null);
    }
}

impl Pipeline {
    /// The pipeline and its outlet, which is bounded whatever the text says.
    pub(super) fn open(line: &Line) -> Result<(Self, AppSink), Fault> {
        let pipeline = Self::parse(line)?;
        let sink =
            pipeline.0.by_name(line.outlet.name()).and_then(|e| e.downcast::<AppSink>().ok());
        let sink =
            sink.ok_or_else(|| bad(line, &format!("{} must be an appsink", line.outlet.name())))?;
        sink.set_max_buffers(1);
        sink.set_property("enable-last-sample", false);
        if let Some(funnel) = pipeline.0.by_name("either") {
            end_together(&funnel);
        }
        Ok((pipeline, sink))
    }

    pub(super) fn parse(line: &Line) -> Result<Self, Fault> {
        let mut context = gst::ParseContext::new();
        let opened =
            gst::parse::launch_full(&line.text, Some(&mut context), gst::ParseFlags::FATAL_ERRORS);
        let element = opened.map_err(|e| match context.missing_elements().into_iter().next() {
            Some(element) => Fault::MissingElement { element },
            None => bad(line, e.message()),
        })?;
        element
            .downcast::<gst::Pipeline>()
            .map(Self)
            .map_err(|_| bad(line, "it must have more than one element"))
    }

    pub(super) fn play(&self) -> Result<(), Fault> {
        match self.0.set_state(gst::State::Playing) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.take_error().unwrap_or(Link::Unreachable(Network::Other).into())),
        }
    }

    /// The first error message on the bus.
    pub(super) fn take_error(&self) -> Option<Fault> {
        let message = self.0.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(fault_of(error)),
            _ => None,
        }
    }
}

/// A funnel forwards end-of-stream only when all inputs have ended, and the branch of the unused
/// codec never ends. So the end of one input ends the others.
fn end_together(funnel: &gst::Element) {
    let has_begun = |pad: &gst::Pad| pad.sticky_event::<gst::event::StreamStart>(0).is_some();
    for pad in funnel.sink_pads() {
        let funnel = funnel.downgrade();
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
            let is_end = matches!(&info.data, Some(gst::PadProbeData::Event(e)) if e.type_() == gst::EventType::Eos);
            // The events sent here pass this probe too. Only a stream that has begun ends the idle
            // ones.
            if let Some(funnel) = funnel.upgrade().filter(|_| is_end && has_begun(pad)) {
                for idle in funnel.sink_pads().iter().filter(|other| !has_begun(other)) {
                    idle.send_event(gst::event::Eos::new());
                }
            }
            gst::PadProbeReturn::Ok
        });
    }
}

fn bad(line: &Line, why: &str) -> Fault {
    Fault::BadPipeline { name: line.name.clone(), why: masked(why) }
}

/// A fault that an element of ours has found, on its way through the pipeline's bus.
#[derive(Clone, glib::Boxed)]
#[boxed_type(name = "HuoyanFault")]
struct Found(Fault);

/// The name of the field that holds it.
const FOUND: &str = "fault";

/// For the error message of an element of ours.
pub(super) fn details_of(fault: &Fault) -> gst::Structure {
    gst::Structure::builder("huoyan").field(FOUND, Found(fault.clone())).build()
}

/// What an error message means for the office. No text of GStreamer's is passed on: its sentences
/// speak of resources and streams, its debug text holds addresses.
pub(super) fn fault_of(message: &gst::message::Error) -> Fault {
    let (error, details) = (message.error(), message.details());
    if let Some(Ok(Found(fault))) = details.map(|details| details.get::<Found>(FOUND)) {
        return fault;
    }
    let debug = message.debug().unwrap_or_default();
    tracing::debug!("GStreamer: {}", masked(error.message()));
    // `rtspsrc` gives the status of an answer that refuses.
    let status = details.and_then(|details| details.get::<u32>("rtsp-status-code").ok());
    match status.and_then(|status| u16::try_from(status).ok()) {
        Some(401) => return Fault::WrongPassword { had_one: true },
        Some(404) => return Fault::NoSuchStream,
        Some(status) if status >= 300 => return Link::refused(status).into(),
        _ => {}
    }
    if error.matches(gst::ResourceError::NotAuthorized)
        || debug.contains("(401)")
        || debug.contains("Unauthorized")
    {
        return Fault::WrongPassword { had_one: true };
    }
    if error.matches(gst::ResourceError::NotFound) && debug.contains("(404)") {
        return Fault::NoSuchStream;
    }
    // The binding's text for a panic of ours that it has caught.
    if error.matches(gst::LibraryError::Failed) && error.message().starts_with("Panicked") {
        return Fault::Crashed;
    }
    if debug.contains("Too many open files") {
        return Fault::NoMoreFiles;
    }
    if error.is::<gst::ResourceError>() {
        return Link::Unreachable(Network::of(&debug)).into();
    }
    let is_unlinked = debug.contains("not-linked") || debug.contains("not-negotiated");
    let is_other_codec = [
        gst::StreamError::CodecNotFound,
        gst::StreamError::WrongType,
        gst::StreamError::TypeNotFound,
    ];
    if is_unlinked
        || is_other_codec.iter().any(|kind| error.matches(*kind))
        || error.matches(gst::CoreError::MissingPlugin)
    {
        return Fault::OtherCodec { codecs: String::new() };
    }
    Fault::Undecodable { is_stream: true }
}

/// Drops delta frames before anything is copied, and calls `seen` for each. It returns Handled, not
/// Drop: with Drop the binding frees the buffer twice on GStreamer 1.22 and prints so 25 times a
/// second.
pub(super) fn drop_delta_units(sink: &AppSink, seen: impl Fn() + Send + Sync + 'static) {
    let Some(pad) = sink.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if !info
            .buffer()
            .is_some_and(|buffer| buffer.flags().contains(gst::BufferFlags::DELTA_UNIT))
        {
            return gst::PadProbeReturn::Ok;
        }
        seen();
        info.data.take();
        gst::PadProbeReturn::Handled
    });
}

/// One sample of an outlet as a keyframe.
pub(super) fn keyframe_of(sample: &gst::Sample, captured_at: Timestamp) -> Result<Keyframe> {
    let caps = sample.caps().and_then(|caps| caps.structure(0));
    let name = caps.map(|caps| caps.name().as_str()).unwrap_or_default();
    let codec = match name {
        "video/x-h264" => Codec::H264,
        "video/x-h265" => Codec::H265,
        "image/jpeg" => Codec::Jpeg,
        "image/png" => Codec::Png,
        "video/x-raw" => {
            let picture = picture_of(sample)?;
            let codec = Codec::I420 { width: picture.width(), height: picture.height() };
            return Ok(Keyframe {
                captured_at,
                codec,
                bytes: picture.into_i420().into(),
                stream: Stream::Screened,
            });
        }
        other => {
            return Err(Error::invalid(format!(
                "a pipeline must deliver H.264, H.265, JPEG or I420, not {other}"
            )));
        }
    };
    let buffer = sample.buffer().ok_or_else(|| Error::invalid("a sample without bytes"))?;
    let map =
        buffer.map_readable().map_err(|e| Error::internal("a sample cannot be read").because(e))?;
    Ok(Keyframe { captured_at, codec, bytes: map.as_slice().into(), stream: Stream::Screened })
}

/// An I420 sample as a picture: rows without padding, odd sizes cut to even, brightness in
/// 16..=235. The colour matrix (BT.601 or 709) is left alone: the difference is a shade, converting
/// would cost as much as decoding.
pub(super) fn picture_of(sample: &gst::Sample) -> Result<Picture> {
    let bad = |what: &str| Error::invalid(format!("a decoded picture cannot be read: {what}"));
    let caps = sample.caps().ok_or_else(|| bad("no caps"))?;
    let info = gst_video::VideoInfo::from_caps(caps).map_err(|e| bad("odd caps").because(e))?;
    let is_i420 = info.format() == gst_video::VideoFormat::I420;
    let buffer = sample.buffer().ok_or_else(|| bad("no bytes"))?;
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info)
        .map_err(|e| bad("map").because(e))?;
    let (width, height) = (info.width() & !1, info.height() & !1);
    if !is_i420 || width == 0 || height == 0 {
        return Err(bad(&format!(
            "{} of {}x{}, not I420",
            info.format(),
            info.width(),
            info.height()
        )));
    }
    let mut i420 = Vec::with_capacity((width * height * 3 / 2) as usize);
    for (plane, width, height) in
        [(0, width, height), (1, width / 2, height / 2), (2, width / 2, height / 2)]
    {
        let stride = usize::try_from(frame.plane_stride()[plane as usize])
            .map_err(|_| bad("upside down"))?;
        let data = frame.plane_data(plane).map_err(|e| bad("plane").because(e))?;
        data.chunks(stride)
            .take(height as usize)
            .for_each(|row| i420.extend_from_slice(&row[..width as usize]));
    }
    if info.colorimetry().range() == gst_video::VideoColorRange::Range0_255 {
        let (luma, chroma) = i420.split_at_mut((width * height) as usize);
        luma.iter_mut().for_each(|y| *y = 16 + (u32::from(*y) * 219 / 255) as u8);
        chroma.iter_mut().for_each(|c| *c = (128 + (i32::from(*c) - 128) * 224 / 255) as u8);
    }
    Picture::from_i420(width, height, i420)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_in_a_pipeline_is_no_fault_of_the_cameras_picture() {
        init().expect("GStreamer and its elements");
        let parsed =
            gst::parse::launch("videotestsrc num-buffers=1 ! appsink name=sink sync=false")
                .expect("a pipeline");
        let pipeline = parsed.downcast::<gst::Pipeline>().expect("a pipeline");
        let sink = pipeline.by_name("sink").and_downcast::<AppSink>().expect("an appsink");
        let panics = gstreamer_app::AppSinkCallbacks::builder()
            .new_sample(|_| panic!("as a test asks it to"));
        sink.set_callbacks(panics.build());
        pipeline.set_state(gst::State::Playing).expect("it plays");
        let bus = pipeline.bus().expect("a bus");
        let message =
            bus.timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Error]);
        let message = message.expect("it is told");
        let gst::MessageView::Error(error) = message.view() else { panic!("{message:?}") };
        assert_eq!(fault_of(error), Fault::Crashed);
        pipeline.set_state(gst::State::Null).expect("it ends");
    }
}
