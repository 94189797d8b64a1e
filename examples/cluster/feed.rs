//! An edge that this program plays, so that sightings come at a steady rate: the real spool and
//! sender, without cameras.

use crate::cluster;
use huoyan::bus::{Line, Login, written};
use huoyan::clock::Clock;
use huoyan::config::BusConfig;
use huoyan::drill::scene;
use huoyan::edge::{Spool, send};
use huoyan::error::Result;
use huoyan::triage::id::SightingId;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Its name among the edges.
pub const NAME: &str = "edge-3";
/// Interval between two sightings.
pub const EVERY: Duration = Duration::from_millis(300);

pub struct Feed {
    /// Each sighting, and the instant before it was kept.
    pub kept: Arc<Mutex<Vec<(SightingId, Timestamp)>>>,
    spool: Spool,
    watches: JoinSet<()>,
    sends: JoinSet<()>,
}

impl Feed {
    /// Sees a fire in one grid after the other, from `first` to `last` and again.
    pub async fn start(folder: &Path, nats: &str, grids: std::ops::Range<usize>) -> Result<Self> {
        let spool = Spool::open(&folder.join("spool"), 1 << 30)?;
        let bus = BusConfig { url: nats.into(), county: "yuanling".into(), ..BusConfig::default() };
        let line = Line::connect(&bus, Login::default(), NAME).await?;
        let photo = scene::landscape(0, Path::new(scene::PHOTOGRAPHS))?.to_jpeg(80)?;
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (mut watches, mut sends) = (JoinSet::new(), JoinSet::new());
        let (sees, list) = (spool.clone(), Arc::clone(&kept));
        watches.spawn(async move {
            for grid in grids.cycle() {
                if let Err(e) = tokio::task::block_in_place(|| see(&sees, grid, &photo, &list)) {
                    eprintln!("{NAME}: {}", e.chain());
                }
                Clock::System.sleep(EVERY).await;
            }
        });
        let waits = spool.clone();
        sends.spawn(async move { send(&waits, &line, NAME, &Clock::System, |_, _| ()).await });
        Ok(Self { kept, spool, watches, sends })
    }

    /// It sees no more, and sends what it has.
    pub async fn stop(&mut self) {
        self.watches.shutdown().await;
    }

    /// What waits on its disk.
    pub fn waits(&self) -> (usize, usize) {
        let waits = self.spool.waits();
        (waits.sightings, waits.pictures)
    }

    pub async fn ends(mut self) {
        self.sends.shutdown().await;
    }
}

fn see(
    spool: &Spool,
    grid: usize,
    photo: &[u8],
    list: &Mutex<Vec<(SightingId, Timestamp)>>,
) -> Result<()> {
    let now = Clock::System.now();
    let (sighting, picture, jpeg) = cluster::fire(grid, 0.0, photo);
    spool.keep_sighting(sighting.id, &written(&sighting)?)?;
    list.lock().push((sighting.id, now));
    spool.keep_picture(picture, &jpeg)
}
