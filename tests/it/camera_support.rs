//! What the camera stories share: rendered clips, an office with one worker, the log.

use huoyan::address::Address;
use huoyan::camera::{CameraSource, Clip, ClipCodec, Decoder, Receivers, encode_clip};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::frame::{CameraStatus, Frame, Health, Picture, StatusBoard};
use huoyan::lang::Lang;
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

pub const PASSWORD: &str = "s3cret@/pine";

/// A hillside with a little movement: a bright bar moves over a ramp.
pub fn hillside(width: u32, height: u32, step: u32) -> Picture {
    let luma = (0..height).flat_map(|y| {
        (0..width).map(move |x| {
            if (x + 8 * step) % width < 16 { 220 } else { 40 + ((x + 2 * y) % 120) as u8 }
        })
    });
    let mut i420: Vec<u8> = luma.collect();
    i420.resize((width * height * 3 / 2) as usize, 128);
    Picture::from_i420(width, height, i420).expect("sizes fit")
}

pub fn render(folder: &Path, name: &str, codec: ClipCodec, frames: Vec<Picture>) -> PathBuf {
    let file = folder.join(name);
    let (count, mut heard) = (frames.len() as u64, 0);
    encode_clip(&file, 10, frames, codec, |done| heard = done).expect("the clip is encoded");
    assert_eq!(heard, count, "progress hears of every picture");
    file
}

/// One second: one keyframe, and nine pictures that depend on it.
pub fn one_second(width: u32, height: u32) -> Vec<Picture> {
    (0..10).map(|step| hillside(width, height, step)).collect()
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub fn clip(path: &str, file: &Path, login: bool) -> Clip {
    let user_password = login.then(|| ("admin".to_owned(), PASSWORD.to_owned()));
    Clip { path_on_server: path.to_owned(), file: file.to_owned(), user_password }
}

pub fn source(id: &str, url: &str) -> CameraSource {
    CameraSource::new(id.into(), "default".into(), format!("camera-{id}"), url)
}

/// The same, with the user `admin` and a password kept in the register's column.
pub fn login(id: &str, url: &str, password: &str) -> CameraSource {
    let address = Address::parse(url).with(Some("admin".to_owned()), Some(password.to_owned()));
    CameraSource::new(id.into(), "default".into(), format!("camera-{id}"), address)
}

pub fn quick() -> CameraConfig {
    CameraConfig {
        cadence: SignedDuration::from_millis(200),
        pipeline: "rtsp".to_owned(),
        reconnect_min: SignedDuration::from_millis(200),
        reconnect_max: SignedDuration::from_secs(1),
        frozen_after: SignedDuration::from_millis(1500),
        ..CameraConfig::default()
    }
}

/// Receivers with one worker: the test itself.
pub struct Office {
    pub receivers: Receivers,
    pub status: StatusBoard,
    pub decoder: Decoder,
}

impl Office {
    pub fn open(sources: Vec<CameraSource>, config: &CameraConfig) -> Self {
        let status = StatusBoard::default();
        let receivers = Receivers::start(sources, config, Clock::System, status.clone(), Lang::En)
            .expect("starts");
        Self { receivers, status, decoder: Decoder::new().expect("decoders") }
    }

    pub fn of(&self, camera: &str) -> CameraStatus {
        self.status.get(&camera.into()).expect("every camera has a status from the start")
    }

    /// Works until `is_true`; fails after 15 s with the board's words.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is_true: impl FnMut(&Self, Option<&Frame>) -> bool) {
        let give_up_at = Clock::System.now() + SignedDuration::from_secs(15);
        while Clock::System.now() < give_up_at {
            let frame = self.receivers.next_frame(&mut self.decoder, Duration::from_millis(50));
            if is_true(self, frame.as_ref()) {
                return;
            }
        }
        let board: Vec<_> = self
            .status
            .all()
            .into_iter()
            .map(|(id, s)| (id, s.health, s.detail, s.keyframes))
            .collect();
        panic!("not within 15 s: {what}; the board says {board:?}");
    }

    #[track_caller]
    pub fn until_health(&mut self, camera: &str, health: Health) -> String {
        self.until(&format!("{camera} is {health:?}"), |office, _| {
            office.of(camera).health == health
        });
        self.of(camera).detail.unwrap_or_default()
    }
}

/// Everything that is logged in this process.
pub fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let writer = move || Lines(Arc::clone(&lines));
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(writer)
            .init();
        log
    });
    Arc::clone(log)
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
