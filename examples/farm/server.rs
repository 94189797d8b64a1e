//! The RTSP side (RFC 2326): one task per connection, on one thread. A client that does not read
//! for five seconds is dropped, so it never delays another.

use super::clips::{FRAMES_PER_S, Stream};
use super::reel::{PAYLOAD_TYPE, TICKS_PER_FRAME};
use super::{Show, scattered};
use huoyan::error::{Error, Result};
use rtsp_types::headers::{CONTENT_BASE, CONTENT_TYPE, CSEQ, PUBLIC, RTP_INFO, SESSION, TRANSPORT};
use rtsp_types::headers::{RtpLowerTransport, Transport, Transports};
use rtsp_types::{Message, Method, ParseError, Response, StatusCode, Version};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

/// A client that accepts no bytes for this time is gone.
const STALLED: Duration = Duration::from_secs(5);
/// No client sends a longer request.
const REQUEST_MAX: usize = 64 * 1024;
type Request = rtsp_types::Request<Vec<u8>>;

const FRAME: Duration = Duration::from_millis(1000 / FRAMES_PER_S as u64);

/// Listens, and serves on its own thread until told to stop.
pub fn start(
    listen: SocketAddr,
    show: Show,
    stopped: oneshot::Receiver<()>,
) -> Result<(SocketAddr, JoinHandle<()>)> {
    let cannot = |e| {
        Error::unavailable(format!("the farm cannot listen on {listen}; is the port taken?"))
            .because(e)
    };
    let listener = std::net::TcpListener::bind(listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let serve = async move {
        let listener = TcpListener::from_std(listener)?;
        let (show, begun) = (Arc::new(show), Instant::now());
        loop {
            let (socket, peer) = listener.accept().await?;
            let client = Client {
                show: Arc::clone(&show),
                begun,
                session: scattered(u64::from(peer.port())),
            };
            tokio::spawn(async move {
                match client.serve(socket).await {
                    // The client disconnected in the middle of something.
                    Err(e)
                        if matches!(
                            e.kind(),
                            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                        ) => {}
                    Err(e) => eprintln!("farm: client {peer} was dropped: {e}"),
                    Ok(()) => {}
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
    let thread =
        thread.map_err(|e| Error::unavailable("cannot start the farm's thread").because(e))?;
    Ok((address, thread))
}

struct Client {
    show: Arc<Show>,
    begun: Instant,
    session: u64,
}

/// A stream being played. Frames count from the farm's start, packets from the connection's.
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
                let (answer, mut text) =
                    (self.answer(&request, &mut channel, &mut playing), Vec::new());
                answer.write(&mut text).map_err(io::Error::other)?;
                send(&mut socket, &text).await?;
                if *request.method() == Method::Teardown {
                    return Ok(());
                }
            }
            tokio::select! {
                read = socket.read_buf(&mut asked) => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
                () = self.due(playing.as_ref()) => {
                    let Some(playing) = &mut playing else { continue };
                    self.copy_frame(playing, &mut bytes);
                    send(&mut socket, &bytes).await?;
                }
            }
        }
    }

    /// Waits for the next frame's time; for ever when nothing is played.
    async fn due(&self, playing: Option<&Playing>) {
        match playing {
            Some(playing) => {
                sleep_until(self.begun + self.time_of(playing.camera, playing.frame)).await
            }
            None => std::future::pending().await,
        }
    }

    fn time_of(&self, camera: usize, frame: u64) -> Duration {
        let late = self.show.cameras.get(camera).map_or(Duration::ZERO, |camera| camera.late);
        Duration::from_nanos(FRAME.as_nanos() as u64 * frame) + late
    }

    fn copy_frame(&self, playing: &mut Playing, bytes: &mut Vec<u8>) {
        let timestamp = (playing.frame as u32).wrapping_mul(TICKS_PER_FRAME);
        if let Some((reel, frame)) = self.show.frame(playing.camera, playing.stream, playing.frame)
        {
            playing.packet =
                reel.copy_frame(frame, playing.channel, playing.packet, timestamp, bytes);
        }
        playing.frame += 1;
    }

    /// The complete answer, and the stream it starts, if any.
    fn answer(
        &self,
        request: &Request,
        channel: &mut u8,
        playing: &mut Option<Playing>,
    ) -> Response<Vec<u8>> {
        let reply = |status| {
            let reply = Response::builder(Version::V1_0, status);
            request
                .header(&CSEQ)
                .into_iter()
                .fold(reply, |reply, number| reply.header(CSEQ, number.clone()))
        };
        let ok = || reply(StatusCode::Ok);
        let session = format!("{:016X}", self.session);
        let url = request.request_uri().map_or("", |url| url.as_str().trim_end_matches('/'));
        match (request.method(), self.find(url)) {
            (Method::Options, _) => {
                let all = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN";
                ok().header(PUBLIC, all).build(Vec::new())
            }
            (Method::Describe, Some((camera, stream))) => {
                let described = ok()
                    .header(CONTENT_TYPE, "application/sdp")
                    .header(CONTENT_BASE, format!("{url}/"));
                described.build(self.description(camera, stream).into_bytes())
            }
            (Method::Setup, Some(_)) => match interleaved(request) {
                Some(first) => {
                    *channel = first;
                    let agreed = format!(
                        "RTP/AVP/TCP;unicast;interleaved={first}-{}",
                        first.wrapping_add(1)
                    );
                    let agreed = ok()
                        .header(TRANSPORT, agreed)
                        .header(SESSION, format!("{session};timeout=60"));
                    agreed.build(Vec::new())
                }
                None => reply(StatusCode::UnsupportedTransport).build(Vec::new()),
            },
            (Method::Play, Some((camera, stream))) => {
                let elapsed = self.begun.elapsed().saturating_sub(self.time_of(camera, 0));
                let frame = (elapsed.as_nanos() / FRAME.as_nanos()) as u64 + 1;
                let (packet, time) =
                    (self.session as u16, (frame as u32).wrapping_mul(TICKS_PER_FRAME));
                *playing = Some(Playing { camera, stream, channel: *channel, frame, packet });
                let track = format!("{}/track1", url.trim_end_matches("/track1"));
                let begun = format!("url={track};seq={packet};rtptime={time}");
                ok().header(SESSION, session).header(RTP_INFO, begun).build(Vec::new())
            }
            (Method::GetParameter | Method::SetParameter | Method::Teardown, _) => {
                ok().header(SESSION, session).build(Vec::new())
            }
            (Method::Describe | Method::Setup | Method::Play, None) => {
                reply(StatusCode::NotFound).build(Vec::new())
            }
            _ => reply(StatusCode::MethodNotAllowed).build(Vec::new()),
        }
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
        let (encoding, format) =
            reel.map_or(("", ""), |reel| (reel.encoding.as_str(), reel.format.as_str()));
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

/// Takes the next complete request out of the received bytes. Reception reports from clients are
/// skipped.
fn next_request(asked: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        match Message::parse(asked) {
            Ok((message, len)) => {
                asked.drain(..len);
                if let Message::Request(request) = message {
                    return Ok(Some(request));
                }
            }
            Err(ParseError::Incomplete(_)) if asked.len() < REQUEST_MAX => return Ok(None),
            Err(ParseError::Incomplete(_)) => {
                return Err(io::Error::other("it asks too much at once"));
            }
            Err(ParseError::Error) => return Err(io::Error::other("it does not speak RTSP")),
        }
    }
}

/// The first of the two channels that a client offers for interleaved RTP; None where it offers
/// none.
fn interleaved(request: &Request) -> Option<u8> {
    let offers = request.typed_header::<Transports>().ok().flatten()?;
    offers.iter().find_map(|offer| match offer {
        Transport::Rtp(offer) if offer.lower_transport == Some(RtpLowerTransport::Tcp) => {
            Some(offer.params.interleaved.map_or(0, |(first, _)| first))
        }
        _ => None,
    })
}
