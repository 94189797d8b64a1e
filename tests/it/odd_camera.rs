//! An RTSP camera that misbehaves in one way, as bug reports of public projects describe it: H.264
//! over TCP, ten pictures a second.

use crate::camera_support::{loopback, one_second, render};
use huoyan::camera::ClipCodec;
use huoyan::clock::Clock;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the camera does wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Manner {
    Proper,
    /// Answers DESCRIBE with this status, and with this address to go on to.
    Refuses(u16, Option<String>),
    /// Sends on to itself.
    SendsInCircles,
    RefusesTcp,
    /// Asks for a Basic login.
    Asks,
    /// Asks for a login by this challenge, and sends whoever shows one on to this address.
    AsksAndSendsOn(&'static str, String),
    /// Answers keepalives with an error for the request before.
    RefusesKeepalives,
    /// Sends packets of another stream among its own.
    ForeignPackets,
    /// Sends packets that are marked as broken.
    BrokenPackets,
    /// Packet numbers begin anew every second.
    NumbersAnew,
    /// The description lacks its first lines.
    NoVersion,
    /// The description does not name the codec.
    NoCodec,
    /// Sends this number of pictures, and then nothing on an open connection.
    Stalls(usize),
    /// Sends this number of pictures, and then closes the connection.
    Closes(usize),
}

pub struct OddCamera {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
}

impl OddCamera {
    pub fn start(manner: Manner) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = render(folder.path(), "a.h264", ClipCodec::H264, one_second(320, 180));
        let film = Arc::new(pictures_of(&std::fs::read(file).expect("the clip")));
        let listener = TcpListener::bind(loopback()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (seen, is_over) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let camera = Self { address, seen: Arc::clone(&seen), is_over: Arc::clone(&is_over) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let viewer = Viewer {
                    manner: manner.clone(),
                    film: Arc::clone(&film),
                    seen: Arc::clone(&seen),
                    is_over: Arc::clone(&is_over),
                    out: Arc::new(Mutex::new(stream.try_clone().expect("a second handle"))),
                };
                // A viewer who leaves ends it.
                std::thread::spawn(move || drop(viewer.serve(stream)));
            }
        });
        camera
    }

    pub fn url(&self) -> String {
        format!("rtsp://{}/s", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Requests so far that hold this text.
    pub fn asked(&self, text: &str) -> usize {
        self.seen.lock().expect("no panic").iter().filter(|head| head.contains(text)).count()
    }
}

impl Drop for OddCamera {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for viewers.
        let _ = TcpStream::connect(self.address);
    }
}

struct Viewer {
    manner: Manner,
    film: Arc<Vec<Vec<Vec<u8>>>>,
    seen: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    out: Arc<Mutex<TcpStream>>,
}

impl Viewer {
    fn serve(self, mut stream: TcpStream) -> std::io::Result<()> {
        while let Some(head) = next_request(&mut stream)? {
            self.seen.lock().expect("no panic").push(head.clone());
            let field = |name: &str| {
                head.lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                    .map(str::trim)
            };
            let cseq: u32 = field("CSeq").and_then(|text| text.parse().ok()).unwrap_or_default();
            let (status, more, body) = self.answer(&head, field("Transport"));
            let is_keepalive = head.starts_with("SET_P") || head.starts_with("GET_P");
            let (status, cseq) = match self.manner {
                Manner::RefusesKeepalives if is_keepalive => (400, cseq - 1),
                _ => (status, cseq),
            };
            let length = body.len();
            let answer = format!(
                "RTSP/1.0 {status} So\r\nCSeq: {cseq}\r\n{more}Content-Length: \
                {length}\r\n\r\n{body}"
            );
            self.out.lock().expect("no panic").write_all(answer.as_bytes())?;
            match head.split(' ').next() {
                Some("PLAY") => {
                    let player = Player {
                        manner: self.manner.clone(),
                        film: Arc::clone(&self.film),
                        is_over: Arc::clone(&self.is_over),
                        out: Arc::clone(&self.out),
                        number: 100,
                    };
                    std::thread::spawn(move || drop(player.play()));
                }
                Some("TEARDOWN") => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Status, further headers and body.
    fn answer(&self, head: &str, transport: Option<&str>) -> (u16, String, String) {
        let plain = |status| (status, String::new(), String::new());
        match (head.split(' ').next().unwrap_or_default(), &self.manner) {
            ("OPTIONS", _) => {
                let methods = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, SET_PARAMETER";
                (200, format!("Public: {methods}\r\n"), String::new())
            }
            ("DESCRIBE", Manner::Refuses(status, to)) => {
                let to = to.as_ref().map(|to| format!("Location: {to}\r\n"));
                (*status, to.unwrap_or_default(), String::new())
            }
            ("DESCRIBE", Manner::SendsInCircles) => {
                let address = self.out.lock().expect("no panic").local_addr().expect("an address");
                (302, format!("Location: rtsp://{address}/s\r\n"), String::new())
            }
            ("DESCRIBE", Manner::Asks) if !head.contains("Authorization: Basic") => {
                (401, "WWW-Authenticate: Basic realm=\"camera\"\r\n".to_owned(), String::new())
            }
            ("DESCRIBE", Manner::AsksAndSendsOn(challenge, to)) => {
                let scheme = challenge.split(' ').next().unwrap_or_default();
                match head.contains(&format!("Authorization: {scheme} ")) {
                    true => (302, format!("Location: {to}\r\n"), String::new()),
                    false => (401, format!("WWW-Authenticate: {challenge}\r\n"), "no".to_owned()),
                }
            }
            ("DESCRIBE", manner) => {
                (200, "Content-Type: application/sdp\r\n".to_owned(), description(manner))
            }
            ("SETUP", Manner::RefusesTcp) => plain(461),
            ("SETUP", manner) => {
                // Half of it is the interval between keepalives.
                let timeout_s = if *manner == Manner::RefusesKeepalives { 2 } else { 60 };
                let transport = transport.unwrap_or("RTP/AVP/TCP;unicast;interleaved=0-1");
                let session = format!("Session: 12345678;timeout={timeout_s}\r\n");
                (200, format!("{session}Transport: {transport};ssrc=11223344\r\n"), String::new())
            }
            _ => (200, "Session: 12345678\r\n".to_owned(), String::new()),
        }
    }
}

fn description(manner: &Manner) -> String {
    let version = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n";
    let version = if *manner == Manner::NoVersion { "" } else { version };
    let codec = "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n";
    let codec = if *manner == Manner::NoCodec { "" } else { codec };
    format!("{version}m=video 0 RTP/AVP 96\r\n{codec}a=control:track1\r\n")
}

/// The head of the next request; what a viewer sends about the reception is passed over.
fn next_request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        if head.is_empty() && byte == *b"$" {
            let mut size = [0; 3];
            stream.read_exact(&mut size)?;
            let length = usize::from(u16::from_be_bytes([size[1], size[2]]));
            stream.read_exact(&mut vec![0; length])?;
            continue;
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// Sends the film to one viewer, again and again.
struct Player {
    manner: Manner,
    film: Arc<Vec<Vec<Vec<u8>>>>,
    is_over: Arc<AtomicBool>,
    out: Arc<Mutex<TcpStream>>,
    number: u16,
}

const OWN: u32 = 0x1122_3344;

impl Player {
    fn play(mut self) -> std::io::Result<()> {
        for (i, picture) in Arc::clone(&self.film).iter().cycle().enumerate() {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let time = 1_000_000 + 9_000 * i as u32;
            match self.manner {
                Manner::ForeignPackets if i % 3 == 1 => {
                    self.packet(&[0x61; 200], time, true, 0x5bf7_3f70)?;
                }
                Manner::BrokenPackets if i % 5 == 1 => {
                    self.packet(&[0xef; 200], time, true, OWN)?;
                }
                // Back by a quarter of all numbers, which nobody takes for a gap.
                Manner::NumbersAnew if i % 10 == 9 => {
                    self.number = self.number.wrapping_sub(16_384)
                }
                Manner::Stalls(after) if i >= after => return Ok(()),
                Manner::Closes(after) if i >= after => {
                    return self.out.lock().expect("no panic").shutdown(std::net::Shutdown::Both);
                }
                _ => {}
            }
            for (k, nal) in picture.iter().enumerate() {
                self.nal(nal, time, k + 1 == picture.len())?;
            }
            Clock::System.sleep_blocking(Duration::from_millis(100));
        }
        Ok(())
    }

    /// One NAL unit, in fragments (RFC 6184, FU-A) where it is too long for a packet.
    fn nal(&mut self, nal: &[u8], time: u32, is_last: bool) -> std::io::Result<()> {
        const ROOM: usize = 1400;
        if nal.len() <= ROOM {
            return self.packet(nal, time, is_last, OWN);
        }
        let (header, body) = (nal[0], &nal[1..]);
        let count = body.len().div_ceil(ROOM);
        for (i, piece) in body.chunks(ROOM).enumerate() {
            let (begins, ends) = (u8::from(i == 0), u8::from(i + 1 == count));
            let head = [header & 0xe0 | 28, begins << 7 | ends << 6 | header & 0x1f];
            self.packet(&[&head[..], piece].concat(), time, is_last && ends == 1, OWN)?;
        }
        Ok(())
    }

    fn packet(&mut self, payload: &[u8], time: u32, mark: bool, of: u32) -> std::io::Result<()> {
        if of == OWN {
            self.number = self.number.wrapping_add(1);
        }
        let mut packet = vec![0x80, u8::from(mark) << 7 | 96];
        packet.extend(self.number.to_be_bytes());
        packet.extend(time.to_be_bytes());
        packet.extend(of.to_be_bytes());
        packet.extend(payload);
        let length = u16::try_from(packet.len()).expect("a packet is short");
        let framed = [&[b'$', 0], &length.to_be_bytes()[..], &packet].concat();
        self.out.lock().expect("no panic").write_all(&framed)
    }
}

/// The pictures of a byte stream, each as its NAL units.
fn pictures_of(stream: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter(|(_, code)| *code == [0, 0, 1])
        .map(|(at, _)| at)
        .collect();
    starts.push(stream.len());
    let mut pictures: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut has_slice = true;
    for pair in starts.windows(2) {
        let end = stream[..pair[1]].iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        let Some(nal) = stream.get(pair[0] + 3..end).filter(|nal| nal.len() > 1) else { continue };
        let is_slice = matches!(nal[0] & 0x1f, 1 | 5);
        // The first slice of a picture begins with block 0, which is coded as a single 1.
        if has_slice && (!is_slice || nal[1] & 0x80 != 0) {
            pictures.push(Vec::new());
            has_slice = false;
        }
        has_slice |= is_slice;
        if let Some(picture) = pictures.last_mut() {
            picture.push(nal.to_vec());
        }
    }
    pictures
}
