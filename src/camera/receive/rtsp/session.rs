//! One RTSP session from connection to end, by `retina`: DESCRIBE, SETUP of the video only, PLAY,
//! then complete pictures. Redirects are followed, malformed packets are left out. Knows nothing of
//! GStreamer.

use super::redirect::{REDIRECTS_MAX, Target, follow, is_redirect};
use crate::address::{Address, masked};
use crate::camera::fault::Fault;
use crate::camera::fault::link::{Breach, Link, Network};
use retina::client::{
    Credentials, Demuxed, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions,
    Session, SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions, TeardownPolicy,
    UnknownRtcpSsrcPolicy,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use url::Url;

/// What to connect to and how long to wait.
pub(super) struct Call {
    pub url: String,
    /// User and password, for digest or basic. Sent only when the camera asks.
    pub login: Option<(String, String)>,
    /// Limit for each answer until video arrives: connection and DESCRIBE, SETUP, PLAY.
    pub answer_within: Duration,
    /// Limit for the time without a byte of video or RTCP.
    pub silent_for: Duration,
    /// Where the session reports that its TEARDOWN is done.
    pub group: Arc<SessionGroup>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Codec {
    H264,
    H265,
}

/// The format of the pictures that follow. Sizes in pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Video {
    pub codec: Codec,
    pub width: u32,
    pub height: u32,
}

/// What a camera sends.
pub(super) enum Unit {
    /// A complete picture: byte stream with its parameter sets in front.
    Keyframe(Video, Vec<u8>),
    /// A complete picture that depends on others; its bytes have been dropped already.
    Delta,
    /// A packet that cannot be read. It is left out.
    Malformed,
}

/// Malformed packets without a whole picture between them that are left out. A foreign stream on the
/// camera's own channel sends as many within a second.
const MALFORMED_MAX: u32 = 256;

/// The same for packets whose numbers are out of order. `retina` takes none again until the numbers
/// have come round, so a few are enough to know.
const DISORDERED_MAX: u32 = 8;

/// Plays until the session ends, and returns why. Dropping the future ends it too; `call.group` then
/// reports the TEARDOWN.
pub(super) async fn play(call: Call, mut take: impl FnMut(Unit)) -> Fault {
    let (mut video, stream, codec) = match open(&call).await {
        Ok(opened) => opened,
        Err(fault) => return fault,
    };
    let (mut malformed, mut disordered) = (0, 0);
    loop {
        match timeout(call.silent_for, video.next()).await {
            Ok(Some(Ok(CodecItem::VideoFrame(frame)))) => {
                (malformed, disordered) = (0, 0);
                take(unit(&video, stream, codec, frame));
            }
            // RTCP: it shows that the camera is alive, but is no picture.
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(e))) => {
                let fault = fault_of(&e);
                match &fault {
                    Fault::Link(Link::Breach { breach: Breach::Packets, .. }) => malformed += 1,
                    Fault::Link(Link::Breach { breach: Breach::Sequence, .. }) => disordered += 1,
                    _ => return fault,
                }
                if malformed > MALFORMED_MAX || disordered > DISORDERED_MAX {
                    return fault;
                }
                take(Unit::Malformed);
            }
            // After a fault inside of a picture, `retina` only says that it has ended.
            Ok(None) if malformed > 0 => return Link::breach(Breach::Packets).into(),
            Ok(None) => return Fault::StreamEnded,
            Err(_) => {
                let seconds = i64::try_from(call.silent_for.as_secs()).unwrap_or(i64::MAX);
                return Fault::Silent { seconds, offline: true };
            }
        }
    }
}

async fn open(call: &Call) -> Result<(Demuxed, usize, Codec), Fault> {
    let shown = || Fault::BadAddress { shown: Address::parse(&call.url).shown().to_owned() };
    let url = Url::parse(&call.url).map_err(|_| shown())?;
    match url.scheme() {
        "rtsp" => {}
        "rtsps" => return Err(Fault::Encrypted),
        _ => return Err(shown()),
    }
    let mut target = Target { url, login: call.login.clone(), is_elsewhere: false };
    for _ in 0..=REDIRECTS_MAX {
        match connect(call, &target).await {
            Err(Fault::Link(Link::Refused { status })) if is_redirect(status) => {
                target = follow(&target, call.answer_within).await?;
            }
            Err(Fault::WrongPassword { .. }) if target.is_elsewhere => {
                let to = Address::parse(target.url.as_str()).shown().to_owned();
                return Err(Link::SentOn { to: Some(to) }.into());
            }
            opened => return opened,
        }
    }
    Err(Link::SentInCircles.into())
}

async fn connect(call: &Call, target: &Target) -> Result<(Demuxed, usize, Codec), Fault> {
    let login = target.login.clone();
    let options = SessionOptions::default()
        .creds(login.map(|(username, password)| Credentials { username, password }))
        .user_agent(concat!("huoyan/", env!("CARGO_PKG_VERSION")).to_owned())
        .session_group(Arc::clone(&call.group))
        // One TEARDOWN on the open connection. More are sent only to servers known to keep sending
        // after it closed.
        .teardown(TeardownPolicy::Auto)
        // Cheap recorders return a new session id for every SETUP.
        .session_id(SessionIdPolicy::UseFirst);
    let described = Session::describe(target.url.clone(), options);
    let mut session = within(call.answer_within, "DESCRIBE", described).await?;
    let (stream, codec) =
        video_of(session.streams().iter().map(|s| (s.media(), s.encoding_name())))?;
    let whole_byte_stream = SetupOptions::default().frame_format(FrameFormat::SIMPLE);
    within(call.answer_within, "SETUP", session.setup(stream, whole_byte_stream)).await?;
    // What cameras announce about the first packet is often wrong. It is not needed: a single
    // stream has nothing to synchronise with.
    let options = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .initial_seq(InitialSequenceNumberPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
    let session = within(call.answer_within, "PLAY", session.play(options)).await?;
    let video = session.demuxed().map_err(|e| fault_of(&e))?;
    Ok((video, stream, codec))
}

async fn within<T>(
    wait: Duration,
    request: &'static str,
    answer: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T, Fault> {
    match timeout(wait, answer).await {
        Ok(answer) => answer.map_err(|e| fault_of(&e)),
        Err(_) => {
            let tenths = i64::try_from(wait.as_millis() / 100).unwrap_or(i64::MAX);
            Err(Link::Unreachable(Network::NoAnswerTo { request, tenths }).into())
        }
    }
}

/// The first stream of a known codec among (media, encoding name). Sound and metadata are never set
/// up.
fn video_of<'a>(
    streams: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(usize, Codec), Fault> {
    let mut others = Vec::new();
    for (index, (media, encoding)) in streams.enumerate() {
        match (media, encoding) {
            ("video", "h264") => return Ok((index, Codec::H264)),
            ("video", "h265") => return Ok((index, Codec::H265)),
            ("video", other) => others.push(other.to_uppercase()),
            _ => {}
        }
    }
    Err(match others.is_empty() {
        true => Fault::NoVideo,
        false => Fault::OtherCodec { codecs: others.join(", ") },
    })
}

fn unit(video: &Demuxed, stream: usize, codec: Codec, frame: VideoFrame) -> Unit {
    // Without parameter sets nobody could decode it. They come with the next keyframe at the
    // latest.
    match video.streams()[stream].parameters() {
        Some(ParametersRef::Video(parameters)) if frame.is_random_access_point() => {
            let (width, height) = parameters.pixel_dimensions();
            Unit::Keyframe(Video { codec, width, height }, frame.into_data())
        }
        _ => Unit::Delta,
    }
}

/// What an error of `retina` means for the office. Only those that came with a status tell it; of
/// the rest, the first line is read. It stays here: it may hold addresses and the library's own
/// structures.
fn fault_of(error: &retina::Error) -> Fault {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    tracing::debug!("RTSP: {}", masked(line));
    match error.status_code() {
        Some(401) => Fault::WrongPassword { had_one: true },
        Some(404) => Fault::NoSuchStream,
        Some(status) if status >= 300 => Link::refused(status).into(),
        // A good answer that cannot be read.
        Some(_) if line.contains("to DESCRIBE") => Link::breach(Breach::Description).into(),
        Some(_) => Link::breach(Breach::Answers).into(),
        None => fault_in(line),
    }
}

fn fault_in(line: &str) -> Fault {
    let begins = |any: &[&str]| any.iter().any(|begin| line.starts_with(begin));
    let says = |any: &[&str]| any.iter().any(|part| line.contains(part));
    if says(&["to keepalive", "write keepalive", "Unexpected RTSP response"]) {
        Link::breach(Breach::Keepalive).into()
    } else if line.contains("(os error 24)") {
        Fault::NoMoreFiles
    } else if begins(&["Unable to connect", "Error reading", "Error writing", "Timeout"]) {
        Link::Unreachable(Network::of(line)).into()
    } else if begins(&["RTSP framing error", "Received interleaved"]) {
        Link::breach(Breach::Answers).into()
    } else if begins(&["Unsupported", "Invalid argument", "Failed precondition"]) {
        Link::breach(Breach::Description).into()
    } else if line.starts_with("Out-of-order packet") {
        Link::breach(Breach::Sequence).into()
    } else {
        Link::breach(Breach::Packets).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_video_is_chosen_and_nothing_else() {
        for (streams, expected) in [
            (&[("audio", "pcma"), ("video", "h265"), ("video", "h264")][..], Ok((1, Codec::H265))),
            (&[("video", "jpeg"), ("video", "h264")], Ok((1, Codec::H264))),
            (
                &[("video", "mp4v-es"), ("video", "jpeg")],
                Err(Fault::OtherCodec { codecs: "MP4V-ES, JPEG".to_owned() }),
            ),
            (&[("audio", "aac")], Err(Fault::NoVideo)),
            (&[], Err(Fault::NoVideo)),
        ] {
            assert_eq!(video_of(streams.iter().copied()), expected);
        }
    }

    #[test]
    fn what_retina_says_becomes_a_cause_without_its_words() {
        let breach = |breach| Link::breach(breach).into();
        for (line, expected) in [
            (
                "Unable to connect to RTSP server: Connection refused (os error 111)",
                Link::Unreachable(Network::Refused).into(),
            ),
            (
                "Unable to connect to RTSP server: Too many open files (os error 24)",
                Fault::NoMoreFiles,
            ),
            (
                "Error reading from RTSP peer: Connection reset by peer (os error 104)",
                Link::Unreachable(Network::Broken).into(),
            ),
            (
                "Error reading from RTSP peer: Server failed to respond to keepalive 5 within 2s",
                breach(Breach::Keepalive),
            ),
            ("RTSP framing error: Unexpected RTSP response Response {", breach(Breach::Keepalive)),
            (
                "RTSP framing error: Invalid RTSP message; next 64 of 1460 buffered bytes are:",
                breach(Breach::Answers),
            ),
            ("Out-of-order packet or large loss; expecting ssrc=Some(", breach(Breach::Sequence)),
            (
                "wrong ssrc after 7 RTP pkts + 0 RTCP pkts; expecting ssrc=Some(Ssrc { init: P",
                breach(Breach::Packets),
            ),
            ("NAL header ef has F bit set", breach(Breach::Packets)),
        ] {
            assert_eq!(fault_in(line), expected, "{line}");
        }
    }
}
