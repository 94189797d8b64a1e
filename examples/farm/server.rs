//! The RTSP side (RFC 2326): one task a connection on one thread. A client that does not read for five seconds is dropped and
//! never holds up another.

use super::clips::{FRAMES_PER_S, Stream};
use super::reel::{PAYLOAD_TYPE, TICKS_PER_FRAME};
use super::{Show, scattered};
use huoyan::error::{Error, Result};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

/// Whoever does not take its bytes for so long is gone.
const STALLED: Duration = Duration::from_secs(5);
/// No client has more to say at once.
const REQUEST_MAX: usize = 64 * 1024;
const FRAME: Duration = Duration::from_millis(1000 / FRAMES_PER_S as u64);

/// Listens, and serves on a thread of its own until told to stop.
pub fn start(listen: SocketAddr, show: Show, stopped: oneshot::Receiver<()>) -> Result<(SocketAddr, JoinHandle<()>)> {
    let cannot = |e| Error::unavailable(format!("the farm cannot listen on {listen}; is the port taken?")).because(e);
    let listener = std::net::TcpListener::bind(listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let serve = async move {
        let listener = TcpListener::from_std(listener)?;
        let (show, begun) = (Arc::new(show), Instant::now());
        loop {
            let (socket, peer) = listener.accept().await?;
            let client = Client { show: Arc::clone(&show), begun, session: scattered(u64::from(peer.port())) };
            tokio::spawn(async move {
                if let Err(e) = client.serve(socket).await {
                    eprintln!("farm: client {peer} was dropped: {e}");
                }
            });
        }
    };
    let thread = std::thread::Builder::new().name("farm".to_owned()).spawn(move || {
        let outcome: io::Result<()> = runtime.block_on(async {
            tokio::select! {
                outcome = serve => outcome,
                _ = stopped => Ok(()),
            }
        });
        if let Err(e) = outcome {
            eprintln!("farm: no client is served any more: {e}");
        }
    });
    let thread = thread.map_err(|e| Error::unavailable("cannot start the farm's thread").because(e))?;
    Ok((address, thread))
}

struct Client {
    show: Arc<Show>,
    begun: Instant,
    session: u64,
}

/// A stream on its way. Frames count from the farm's start, packets from the connection's.
struct Playing {
    camera: usize,
    stream: Stream,
    channel: u8,
    frame: u64,
    packet: u16,
}

impl Client {
    async fn serve(&self, mut socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let (mut asked, mut bytes) = (Vec::with_capacity(4096), Vec::new());
        let (mut channel, mut playing) = (0, None);
        loop {
            while let Some(request) = next_request(&mut asked)? {
                send(&mut socket, self.answer(&request, &mut channel, &mut playing).as_bytes()).await?;
                if request.method == "TEARDOWN" {
                    return Ok(());
                }
            }
            tokio::select! {
                read = socket.read_buf(&mut asked) => {
                    if matches!(&read, Ok(0)) || read.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset) {
                        return Ok(());
                    }
                }
                () = self.due(playing.as_ref()) => {
                    let Some(playing) = &mut playing else { continue };
                    self.copy_frame(playing, &mut bytes);
                    match send(&mut socket, &bytes).await {
                        Err(e) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => return Ok(()),
                        sent => sent?,
                    }
                }
            }
        }
    }

    /// Until the next frame's time; for ever when nothing is played.
    async fn due(&self, playing: Option<&Playing>) {
        match playing {
            Some(playing) => sleep_until(self.begun + self.time_of(playing.camera, playing.frame)).await,
            None => std::future::pending().await,
        }
    }

    fn time_of(&self, camera: usize, frame: u64) -> Duration {
        let late = self.show.cameras.get(camera).map_or(Duration::ZERO, |camera| camera.late);
        Duration::from_nanos(FRAME.as_nanos() as u64 * frame) + late
    }

    fn copy_frame(&self, playing: &mut Playing, bytes: &mut Vec<u8>) {
        let timestamp = (playing.frame as u32).wrapping_mul(TICKS_PER_FRAME);
        if let Some((reel, frame)) = self.show.frame(playing.camera, playing.stream, playing.frame) {
            playing.packet = reel.copy_frame(frame, playing.channel, playing.packet, timestamp, bytes);
        }
        playing.frame += 1;
    }

    /// The whole answer, and the stream it begins, if it does.
    fn answer(&self, request: &Request, channel: &mut u8, playing: &mut Option<Playing>) -> String {
        let session = format!("{:016X}", self.session);
        let url = request.url.trim_end_matches('/');
        let found = self.find(url);
        let (status, headers, body) = match (request.method.as_str(), found) {
            ("OPTIONS", _) => {
                let all = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN";
                ("200 OK", format!("Public: {all}\r\n"), String::new())
            }
            ("DESCRIBE", Some((camera, stream))) => {
                let headers = format!("Content-Type: application/sdp\r\nContent-Base: {url}/\r\n");
                ("200 OK", headers, self.description(camera, stream))
            }
            ("SETUP", Some(_)) => match request.transport.split(',').find(|offer| offer.contains("RTP/AVP/TCP")) {
                Some(offer) => {
                    let pair = offer.split_once("interleaved=").and_then(|(_, pair)| pair.split(['-', ';']).next());
                    *channel = pair.and_then(|first| first.parse().ok()).unwrap_or(0);
                    let agreed = format!("RTP/AVP/TCP;unicast;interleaved={channel}-{}", channel.wrapping_add(1));
                    ("200 OK", format!("Transport: {agreed}\r\nSession: {session};timeout=60\r\n"), String::new())
                }
                None => ("461 Unsupported Transport", String::new(), String::new()),
            },
            ("PLAY", Some((camera, stream))) => {
                let elapsed = self.begun.elapsed().saturating_sub(self.time_of(camera, 0));
                let frame = (elapsed.as_nanos() / FRAME.as_nanos()) as u64 + 1;
                let (packet, time) = (self.session as u16, (frame as u32).wrapping_mul(TICKS_PER_FRAME));
                *playing = Some(Playing { camera, stream, channel: *channel, frame, packet });
                let track = format!("{}/track1", url.trim_end_matches("/track1"));
                let headers = format!("Session: {session}\r\nRTP-Info: url={track};seq={packet};rtptime={time}\r\n");
                ("200 OK", headers, String::new())
            }
            ("GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN", _) => {
                ("200 OK", format!("Session: {session}\r\n"), String::new())
            }
            ("DESCRIBE" | "SETUP" | "PLAY", None) => ("404 Not Found", String::new(), String::new()),
            _ => ("405 Method Not Allowed", String::new(), String::new()),
        };
        let (cseq, length) = (&request.cseq, body.len());
        format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
    }

    /// `rtsp://host/cam/12/sub`, with or without `/track1`.
    fn find(&self, url: &str) -> Option<(usize, Stream)> {
        let mut parts = url.split_once("/cam/")?.1.split('/');
        let camera = parts.next()?.parse::<usize>().ok()?.checked_sub(1)?;
        let stream = Stream::parse(parts.next()?)?;
        self.show.frame(camera, stream, 0).map(|_| (camera, stream))
    }

    fn description(&self, camera: usize, stream: Stream) -> String {
        let reel = self.show.frame(camera, stream, 0).map(|(reel, _)| reel);
        let (encoding, format) = reel.map_or(("", ""), |reel| (reel.encoding.as_str(), reel.format.as_str()));
        format!(
            "v=0\r\no=- {0} 1 IN IP4 127.0.0.1\r\ns=camera {1}\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\n\
             m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:{PAYLOAD_TYPE} {encoding}/90000\r\n\
             a=fmtp:{PAYLOAD_TYPE} {format}\r\na=framerate:{FRAMES_PER_S}\r\na=control:track1\r\n",
            self.session >> 1,
            camera + 1,
        )
    }
}

async fn send(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match timeout(STALLED, socket.write_all(bytes)).await {
        Ok(sent) => sent,
        Err(_) => Err(io::Error::other("it did not read for five seconds")),
    }
}

/// What of a request matters here.
#[derive(Default)]
struct Request {
    method: String,
    url: String,
    cseq: String,
    transport: String,
}

/// The next complete request, taken out of what has come in. What clients report about their reception is passed over.
fn next_request(asked: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        let len = match asked[..] {
            [b'$', _, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
            [] | [b'$', ..] => return Ok(None),
            _ => match asked.windows(4).position(|end| end == b"\r\n\r\n") {
                Some(at) => at + 4,
                None if asked.len() < REQUEST_MAX => return Ok(None),
                None => return Err(io::Error::other("it does not speak RTSP")),
            },
        };
        let (head, is_data) = (String::from_utf8_lossy(&asked[..len.min(asked.len())]).into_owned(), asked[0] == b'$');
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let mut request = Request { method: word(), url: word(), ..Request::default() };
        let mut body_len = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "cseq" => request.cseq = value.trim().to_owned(),
                "transport" => request.transport = value.trim().to_owned(),
                "content-length" if !is_data => body_len = value.trim().parse().unwrap_or(REQUEST_MAX),
                _ => {}
            }
        }
        match len.saturating_add(body_len) {
            whole if whole > REQUEST_MAX + 4 => return Err(io::Error::other("it asks too much at once")),
            whole if whole > asked.len() => return Ok(None),
            whole => asked.drain(..whole),
        };
        if !is_data {
            return Ok(Some(request));
        }
    }
}
