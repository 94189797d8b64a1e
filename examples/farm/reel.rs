//! A clip as the RTP packets of its frames, ready to be sent interleaved in RTSP's own connection
//! (RFC 2326, 10.12: `$`, channel, length).

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use huoyan::camera::ClipCodec;
use huoyan::error::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// The clock of RTP video is 90 kHz.
pub const TICKS_PER_FRAME: u32 = 90_000 / super::FRAMES_PER_S;
/// The payload type named in the description.
pub const PAYLOAD_TYPE: u8 = 96;
/// The sender's SSRC is the same in every reel: a change in the middle of a stream would mean
/// another sender.
const SSRC: u32 = 131;

const HEADER_LEN: usize = 4;

/// All packets in one contiguous buffer, and the positions of frames and packets in it.
pub struct Reel {
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
    /// `encoding-name`, and the value of the description's `fmtp` line.
    pub encoding: String,
    pub format: String,
}

/// Sizes of a clip, RTP included.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Sizes {
    pub kbit_per_s: f64,
    pub keyframe_kb_mean: f64,
    pub keyframe_kb_max: f64,
    pub packets_per_s: f64,
}

impl Reel {
    /// Reads a raw byte stream written by `clips`. GStreamer makes the packets.
    pub fn read(file: &Path, codec: ClipCodec) -> Result<Self> {
        let name = match codec {
            ClipCodec::H264 => "h264",
            ClipCodec::H265 => "h265",
        };
        let broken = |why: &str| {
            Error::invalid(format!("{}: {why}; delete it, it is rendered anew", file.display()))
        };
        let text = format!(
            "filesrc name=file ! {name}parse ! video/x-{name},alignment=au \
             ! rtp{name}pay pt={PAYLOAD_TYPE} mtu=1400 config-interval=-1 ssrc={SSRC} \
             ! appsink name=packets sync=false max-buffers=64"
        );
        let pipeline = gst::parse::launch(&text)
            .map_err(|e| Error::unavailable("no RTP packetiser").because(e))?;
        let pipeline =
            pipeline.downcast::<gst::Pipeline>().map_err(|_| Error::internal("not a pipeline"))?;
        let by_name =
            |name| pipeline.by_name(name).ok_or_else(|| Error::internal("an element has gone"));
        by_name("file")?.set_property("location", file);
        let sink = by_name("packets")?
            .downcast::<AppSink>()
            .map_err(|_| Error::internal("not an appsink"))?;
        pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| broken("cannot be played").because(e))?;
        let mut reel = Self {
            bytes: Vec::new(),
            frames: Vec::new(),
            encoding: String::new(),
            format: String::new(),
        };
        let mut begin = 0;
        // An error ends the stream just like its end. A clip that lacks frames is found by their
        // number.
        while let Ok(sample) = sink.pull_sample() {
            if reel.encoding.is_empty() {
                (reel.encoding, reel.format) = described(&sample);
            }
            let packet = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
            let packet = packet.ok_or_else(|| broken("a packet cannot be read"))?;
            let len = u16::try_from(packet.len()).map_err(|_| broken("a packet is too long"))?;
            reel.bytes.extend([b'$', 0]);
            reel.bytes.extend(len.to_be_bytes());
            reel.bytes.extend_from_slice(&packet);
            let is_last_of_frame = packet.get(1).is_some_and(|byte| byte & 0x80 != 0);
            if is_last_of_frame {
                reel.frames.push(begin..reel.bytes.len());
                begin = reel.bytes.len();
            }
        }
        // Nobody could act on a failure here.
        let _ = pipeline.set_state(gst::State::Null);
        reel.bytes.shrink_to_fit();
        Ok(reel)
    }

    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Writes a frame for one connection, with its channel, running packet number and time. Returns
    /// the next packet number.
    pub fn copy_frame(
        &self,
        frame: usize,
        channel: u8,
        first: u16,
        timestamp: u32,
        out: &mut Vec<u8>,
    ) -> u16 {
        out.clear();
        out.extend_from_slice(&self.bytes[self.frames[frame].clone()]);
        let (mut at, mut number) = (0, first);
        while at < out.len() {
            let len = usize::from(u16::from_be_bytes([out[at + 2], out[at + 3]]));
            out[at + 1] = channel;
            let packet = &mut out[at + HEADER_LEN..at + HEADER_LEN + len];
            packet[2..4].copy_from_slice(&number.to_be_bytes());
            packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
            number = number.wrapping_add(1);
            at += HEADER_LEN + len;
        }
        number
    }

    pub fn sizes(&self) -> Sizes {
        let seconds = self.frames.len() as f64 / f64::from(super::FRAMES_PER_S);
        let keyframes: Vec<usize> =
            self.frames.iter().step_by(super::GOP_FRAMES).map(Range::len).collect();
        let (mut at, mut packets) = (0, 0);
        while at < self.bytes.len() {
            at += HEADER_LEN
                + usize::from(u16::from_be_bytes([self.bytes[at + 2], self.bytes[at + 3]]));
            packets += 1;
        }
        Sizes {
            kbit_per_s: self.bytes.len() as f64 * 8e-3 / seconds,
            keyframe_kb_mean: keyframes.iter().sum::<usize>() as f64 * 1e-3
                / keyframes.len().max(1) as f64,
            keyframe_kb_max: keyframes.into_iter().max().unwrap_or(0) as f64 * 1e-3,
            packets_per_s: f64::from(packets) / seconds,
        }
    }
}

/// The packetiser's caps hold what a description needs: parameter sets, profile, mode.
fn described(sample: &gst::Sample) -> (String, String) {
    let Some(caps) = sample.caps().and_then(|caps| caps.structure(0)) else {
        return Default::default();
    };
    let known = ["media", "encoding-name", "payload", "clock-rate", "ssrc", "a-framerate"];
    let formats = caps
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()) && !name.ends_with("-offset"));
    let formats =
        formats.filter_map(|(name, value)| Some(format!("{name}={}", value.get::<String>().ok()?)));
    (caps.get("encoding-name").unwrap_or_default(), formats.collect::<Vec<_>>().join(";"))
}
