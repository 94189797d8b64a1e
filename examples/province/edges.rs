//! The edges of all counties, played: what they say of themselves every five seconds, and alerts
//! with their pictures, in one county after the other.

use crate::centre::{Centre, GRIDS, east_deg};
use crate::cluster;
use crate::program::centre as middle;
use huoyan::bus::{Line, Login, written};
use huoyan::clock::Clock;
use huoyan::config::BusConfig;
use huoyan::drill::scene;
use huoyan::edge::{CameraWord, Waits, Word};
use huoyan::error::{Error, Result};
use huoyan::frame::{Health, StatusBoard};
use huoyan::triage::id::SightingId;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Of each county: 30,012 cameras in 122 counties.
pub const EDGES: usize = 3;
pub const CAMERAS: usize = 82;
const SPEAKS_EVERY: Duration = Duration::from_secs(5);
const TRIES_AGAIN: Duration = Duration::from_secs(1);

/// A county's sightings that its edges have sent, and when.
type Sent = Arc<Mutex<Vec<(SightingId, Timestamp)>>>;

pub struct Edges {
    lines: Vec<Line>,
    sent: Vec<Sent>,
    photo: Arc<[u8]>,
    words: Arc<AtomicU64>,
    word_kb: f64,
    /// Sightings and pictures under way.
    sending: JoinSet<()>,
    _speaking: JoinSet<()>,
}

impl Edges {
    pub async fn start(centre: &Centre) -> Result<Self> {
        let photo = scene::landscape(0, Path::new(scene::PHOTOGRAPHS))?.to_jpeg(80)?;
        let words: Arc<AtomicU64> = Arc::default();
        let (mut lines, mut speaking, mut word_kb) = (Vec::new(), JoinSet::new(), 0.0);
        let all = centre.counties.len() * EDGES;
        for (n, county) in centre.counties.iter().enumerate() {
            let (url, county) = (centre.nats.url(), county.clone());
            let bus = BusConfig { url, county: county.clone(), ..BusConfig::default() };
            let line = Line::connect(&bus, Login::default(), "edges").await?;
            for edge in 0..EDGES {
                let word = word(&county, edge);
                let bytes = serde_json::to_vec(&word)
                    .map_err(|e| Error::internal("a word is no JSON").because(e))?;
                word_kb = bytes.len() as f64 / 1_000.0;
                // Not all at once.
                let begins = SPEAKS_EVERY.mul_f64((n * EDGES + edge) as f64 / all as f64);
                let (line, words) = (line.clone(), Arc::clone(&words));
                speaking.spawn(async move {
                    Clock::System.sleep(begins).await;
                    loop {
                        match line.say(&name(edge), &word).await {
                            Ok(()) => drop(words.fetch_add(1, Ordering::Relaxed)),
                            Err(e) => eprintln!("{}", e.chain()),
                        }
                        Clock::System.sleep(SPEAKS_EVERY).await;
                    }
                });
            }
            lines.push(line);
        }
        let sent = lines.iter().map(|_| Sent::default()).collect();
        #[rustfmt::skip]
        let edges = Self {
            lines, sent, photo: photo.into(), words, word_kb, sending: JoinSet::new(), _speaking: speaking,
        };
        Ok(edges)
    }

    /// Words said so far, and how long one is.
    pub fn words(&self) -> u64 {
        self.words.load(Ordering::Relaxed)
    }

    pub fn word_kb(&self) -> f64 {
        self.word_kb
    }

    /// An alert every so often, for so long, in one county after the other.
    pub async fn alert(&mut self, every: Duration, lasts: Duration) {
        let mut ticks = tokio::time::interval(every);
        let count = (lasts.as_secs_f64() / every.as_secs_f64()) as usize;
        for n in 0..count {
            ticks.tick().await;
            let (county, turn) = (n % self.lines.len(), n / self.lines.len());
            let (line, sent) = (self.lines[county].clone(), Arc::clone(&self.sent[county]));
            let photo = Arc::clone(&self.photo);
            self.sending.spawn(async move {
                send(&line, turn, east_deg(county), &photo, &sent).await;
            });
            while self.sending.try_join_next().is_some() {}
        }
    }

    /// Waits until all have arrived at the server; what each county has sent.
    pub async fn arrive(&mut self, within: Duration) -> Vec<Vec<(SightingId, Timestamp)>> {
        let arrive = async { while self.sending.join_next().await.is_some() {} };
        if tokio::time::timeout(within, arrive).await.is_err() {
            eprintln!("{} alerts are still under way", self.sending.len());
        }
        self.sent.iter().map(|it| std::mem::take(&mut *it.lock())).collect()
    }
}

async fn send(line: &Line, turn: usize, east_deg: f64, photo: &[u8], sent: &Sent) {
    let (sighting, picture, jpeg) = cluster::fire(turn % GRIDS, east_deg, photo);
    let now = Clock::System.now();
    let body = written(&sighting).expect("JSON");
    sent.lock().push((sighting.id, now));
    let edge = name(turn % EDGES);
    while line.send_sighting(&edge, sighting.id, body.clone()).await.is_err() {
        Clock::System.sleep(TRIES_AGAIN).await;
    }
    while line.send_picture(picture, jpeg.clone()).await.is_err() {
        Clock::System.sleep(TRIES_AGAIN).await;
    }
}

fn name(edge: usize) -> String {
    format!("edge-{}", edge + 1)
}

/// What an edge with so many cameras says.
fn word(county: &str, edge: usize) -> Word {
    let board = StatusBoard::default();
    let now = Clock::System.now();
    for n in edge * CAMERAS..(edge + 1) * CAMERAS {
        let camera = camera(county, n).as_str().into();
        board.set_health(&camera, Health::Ok, None, now);
        board.update(&camera, |it| {
            it.last_frame_at = Some(now);
            (it.slots_met, it.slots_missed) = (8_640, 3);
        });
    }
    Word {
        instance: uuid::Uuid::from_u128(edge as u128),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        thresholds_version: 1,
        cameras: CameraWord::all(&board),
        faults: Vec::new(),
        waits: Waits::default(),
    }
}

fn camera(county: &str, n: usize) -> String {
    format!("{county}-{n:03}")
}

/// The county's register of cameras.
pub fn register(county: &str, east_deg: f64) -> String {
    let mut sheet = "编号,名称,经度,纬度,高度,方位角,视场角,俯仰角,视距,地址\n".to_owned();
    for n in 0..EDGES * CAMERAS {
        let ((lat, lon), id) = (middle(n % GRIDS), camera(county, n));
        sheet += &format!(
            "{id},{n}号塔,{:.5},{lat:.5},30,90,60,-3,3000,rtsp://10.0.0.1/{id}\n",
            lon + east_deg
        );
    }
    sheet
}
