//! One RTSP session from connection to end, by `retina`: DESCRIBE, SETUP of the video only, PLAY,
//! then complete pictures. Knows nothing of GStreamer.

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

/// A complete picture from the camera.
pub(super) enum Unit {
    /// Byte stream with its parameter sets in front.
    Keyframe(Video, Vec<u8>),
    /// It depends on other pictures; its bytes have been dropped already.
    Delta,
}

/// Why a session ended. Texts are clauses in English, without address or password.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum End {
    BadAddress,
    /// rtsps://, which `retina` does not speak.
    Encrypted,
    NotAuthorized,
    NotFound,
    Unreachable(String),
    OtherCodec(String),
    Undecodable(String),
    /// The camera closed the connection.
    Closed,
}

/// Plays until the session ends. Dropping the future ends it too; `call.group` then reports the
/// TEARDOWN.
pub(super) async fn play(call: Call, mut take: impl FnMut(Unit)) -> End {
    let silent_for = call.silent_for;
    let (mut video, stream, codec) = match open(call).await {
        Ok(opened) => opened,
        Err(end) => return end,
    };
    loop {
        match timeout(silent_for, video.next()).await {
            Ok(Some(Ok(CodecItem::VideoFrame(frame)))) => take(unit(&video, stream, codec, frame)),
            // RTCP: it shows that the camera is alive, but is no picture.
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(e))) => return End::of(&e),
            Ok(None) => return End::Closed,
            Err(_) => return End::Unreachable(format!("no data for {} s", silent_for.as_secs())),
        }
    }
}

async fn open(call: Call) -> Result<(Demuxed, usize, Codec), End> {
    let url = Url::parse(&call.url).map_err(|_| End::BadAddress)?;
    match url.scheme() {
        "rtsp" => {}
        "rtsps" => return Err(End::Encrypted),
        _ => return Err(End::BadAddress),
    }
    let options = SessionOptions::default()
        .creds(call.login.map(|(username, password)| Credentials { username, password }))
        .user_agent(concat!("huoyan/", env!("CARGO_PKG_VERSION")).to_owned())
        .session_group(call.group)
        // One TEARDOWN on the open connection. More are sent only to servers known to keep sending
        // after it closed.
        .teardown(TeardownPolicy::Auto)
        // Cheap recorders return a new session id for every SETUP.
        .session_id(SessionIdPolicy::UseFirst);
    let mut session =
        within(call.answer_within, "DESCRIBE", Session::describe(url, options)).await?;
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
    let video = session.demuxed().map_err(|e| End::of(&e))?;
    Ok((video, stream, codec))
}

async fn within<T>(
    wait: Duration,
    what: &str,
    answer: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T, End> {
    match timeout(wait, answer).await {
        Ok(answer) => answer.map_err(|e| End::of(&e)),
        Err(_) => {
            Err(End::Unreachable(format!("no answer to {what} within {:.1} s", wait.as_secs_f32())))
        }
    }
}

/// The first stream of a known codec among (media, encoding name). Sound and metadata are never set
/// up.
fn video_of<'a>(streams: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(usize, Codec), End> {
    let mut others = Vec::new();
    for (index, (media, encoding)) in streams.enumerate() {
        match (media, encoding) {
            ("video", "h264") => return Ok((index, Codec::H264)),
            ("video", "h265") => return Ok((index, Codec::H265)),
            ("video", other) => others.push(other.to_uppercase()),
            _ => {}
        }
    }
    Err(End::OtherCodec(if others.is_empty() {
        "no video in the stream".to_owned()
    } else {
        others.join(", ")
    }))
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

impl End {
    /// `retina` exposes only the errors that came with a status. For the rest the first line is
    /// used; the lines after it hold addresses and bytes.
    fn of(error: &retina::Error) -> Self {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let is_network = ["Unable to connect", "Error reading", "Error writing"]
            .iter()
            .any(|begin| line.starts_with(begin));
        match error.status_code() {
            Some(401) => Self::NotAuthorized,
            Some(404) => Self::NotFound,
            Some(status) if status >= 300 => Self::Unreachable(line.to_owned()),
            None if is_network => Self::Unreachable(line.to_owned()),
            _ => Self::Undecodable(line.to_owned()),
        }
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
                Err(End::OtherCodec("MP4V-ES, JPEG".to_owned())),
            ),
            (&[("audio", "aac")], Err(End::OtherCodec("no video in the stream".to_owned()))),
            (&[], Err(End::OtherCodec("no video in the stream".to_owned()))),
        ] {
            assert_eq!(video_of(streams.iter().copied()), expected);
        }
    }
}
