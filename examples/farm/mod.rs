//! A camera farm: any number of RTSP cameras, played from a few clips. The clips are rendered,
//! encoded and cut into RTP packets once. So serving them costs a fraction of one core, and a load
//! test measures its subject and not its rig.
//!
//! ```text
//! view (photograph + haze, sway, noise, smoke) ─► clip file ─► Reel (RTP packets) ─► 267 connections, each at its own place
//!                                        clips.rs           reel.rs          server.rs
//! ```
//!
//! A camera shows one view in an endless loop. Smoky cameras sometimes show the same view with a
//! growing plume. Every camera is at another position of its loop, so keyframes of different
//! cameras do not coincide. Both streams of one camera show the same scene at the same time. A
//! client joins the loop at its present position, not at a keyframe.

pub mod clips;
pub mod reel;
pub mod register;
mod server;

use clips::{FRAMES_PER_S, GOP_FRAMES, Stream, VIEWS_MAX};
use huoyan::camera::ClipCodec;
use huoyan::error::{Error, Result};
use reel::{Reel, Sizes};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// What to serve.
#[derive(Clone, Debug)]
pub struct Plan {
    pub cameras: usize,
    pub streams: Vec<Stream>,
    pub codec: ClipCodec,
    /// Distinct backgrounds, at most [`clips::VIEWS_MAX`].
    pub views: usize,
    /// Length of a view's loop, in groups of pictures of two seconds. It must not be a multiple of
    /// a usual cadence: with 60 s, a camera looked at every 10 s would show the same six pictures
    /// again and again.
    pub loop_gops: usize,
    /// Number of cameras that see smoke.
    pub smoky: usize,
    /// Time from the start to the farm's first plume, and interval between the plumes of each smoky
    /// camera. Both are rounded up to loops.
    pub smoke_after: Duration,
    pub smoke_every: Duration,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where clips are kept between runs.
    pub clips: PathBuf,
}

/// Loops during which a plume grows.
const SMOKE_LOOPS: usize = 2;
/// Views (by number) in which a plume stands before something dark, as in the demo county.
const SMOKY_VIEWS: [usize; 4] = [5, 2, 12, 9];

/// A running farm; dropping it disconnects everybody.
pub struct Farm {
    pub address: SocketAddr,
    /// Sizes of every served clip, with its name.
    pub sizes: Vec<(String, Sizes)>,
    plan: Plan,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The state shared by all connections.
struct Show {
    cameras: Vec<Camera>,
    reels: BTreeMap<(usize, Stream, bool), Arc<Reel>>,
    loop_frames: u64,
    /// Loops between two plumes of a camera.
    smoke_every: u64,
}

/// One camera's position in the show.
struct Camera {
    view: usize,
    /// Frames by which it is ahead of the loop's start when the farm starts.
    ahead: u64,
    /// Delay of each of its frames against the farm's frame clock, below one frame time.
    late: Duration,
    /// Number of the loop in which the first plume rises.
    smoke_from: Option<u64>,
}

impl Farm {
    /// Renders missing clips (`progress` gets the frames done and their total), and listens.
    pub fn start(plan: Plan, progress: impl Fn(u64, u64) + Sync) -> Result<Self> {
        if plan.views == 0
            || plan.views > VIEWS_MAX
            || plan.loop_gops == 0
            || plan.smoky > plan.cameras
        {
            return Err(Error::invalid(format!(
                "a farm has 1 to {VIEWS_MAX} views, and no more smoky cameras than cameras"
            )));
        }
        let mut takes = Vec::new();
        let cameras = cast(&plan);
        for camera in &cameras {
            for &stream in &plan.streams {
                takes.push((camera.view, stream, false));
                if camera.smoke_from.is_some() {
                    takes.push((camera.view, stream, true));
                }
            }
        }
        takes.sort_unstable();
        takes.dedup();
        let spec = |&(view, stream, smoke): &(usize, Stream, bool)| {
            let loops = if smoke { SMOKE_LOOPS } else { 1 };
            clips::Take { view, stream, smoke, codec: plan.codec, loop_gops: plan.loop_gops, loops }
        };
        let files = clips::render(&plan.clips, takes.iter().map(spec).collect(), progress)?;
        let (mut reels, mut sizes) = (BTreeMap::new(), Vec::new());
        for (take, file) in takes.iter().zip(&files) {
            let reel = Reel::read(file, plan.codec)?;
            if reel.frames() != spec(take).frames() {
                let said = format!(
                    "{} holds {} frames, not {}",
                    file.display(),
                    reel.frames(),
                    spec(take).frames()
                );
                return Err(Error::invalid(format!("{said}; delete it, it is rendered anew")));
            }
            sizes.push((spec(take).name(), reel.sizes()));
            reels.insert(*take, Arc::new(reel));
        }
        let loop_frames = (plan.loop_gops * GOP_FRAMES) as u64;
        let smoke_every = loops(&plan, plan.smoke_every).max(SMOKE_LOOPS as u64 + 1);
        let show = Show { cameras, reels, loop_frames, smoke_every };
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = server::start(plan.listen, show, stopped)?;
        Ok(Self { address, sizes, plan, stop: Some(stop), thread: Some(thread) })
    }

    /// Of camera `index`, counted from 0.
    pub fn url(&self, index: usize, stream: Stream) -> String {
        url(self.address, index, stream)
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        // A send error means that the thread has ended already.
        self.stop.take().map(|stop| stop.send(()));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the farm's thread had panicked");
        }
    }
}

impl Show {
    /// What camera `index` shows in frame `n` of the farm: the reel, and the frame of the reel.
    fn frame(&self, index: usize, stream: Stream, n: u64) -> Option<(&Arc<Reel>, usize)> {
        let camera = self.cameras.get(index)?;
        let place = n + camera.ahead;
        let (loop_number, at) = (place / self.loop_frames, place % self.loop_frames);
        let since = camera
            .smoke_from
            .and_then(|from| Some(loop_number.checked_sub(from)? % self.smoke_every));
        let smoking = since.filter(|since| *since < SMOKE_LOOPS as u64);
        let reel = self.reels.get(&(camera.view, stream, smoking.is_some()))?;
        Some((reel, (smoking.unwrap_or(0) * self.loop_frames + at) as usize))
    }
}

pub fn url(address: SocketAddr, index: usize, stream: Stream) -> String {
    format!("rtsp://{address}/cam/{}/{}", index + 1, stream.name())
}

/// Assigns the roles: smoky cameras evenly among the others, each camera at another position of the
/// loop.
fn cast(plan: &Plan) -> Vec<Camera> {
    let frame = Duration::from_secs(1) / FRAMES_PER_S;
    let loop_frames = (plan.loop_gops * GOP_FRAMES) as u64;
    let (after, every) = (loops(plan, plan.smoke_after), loops(plan, plan.smoke_every));
    let mut smoky = 0;
    let camera = |index: usize| {
        let bits = scattered(index as u64);
        let is_smoky = (index + 1) * plan.smoky / plan.cameras > smoky;
        let view = if is_smoky {
            SMOKY_VIEWS[smoky % SMOKY_VIEWS.len()] % plan.views
        } else {
            index % plan.views
        };
        // The plumes of all smoky cameras are spread over the interval between one camera's plumes.
        let smoke_from = is_smoky.then(|| after + every * smoky as u64 / plan.smoky as u64);
        smoky += usize::from(is_smoky);
        Camera {
            view,
            ahead: bits % loop_frames,
            late: frame.mul_f64((bits >> 40) as f64 / (1 << 24) as f64),
            smoke_from,
        }
    };
    (0..plan.cameras).map(camera).collect()
}

/// A time in loops, rounded up.
fn loops(plan: &Plan, time: Duration) -> u64 {
    let loop_s = (plan.loop_gops * GOP_FRAMES) as f64 / f64::from(FRAMES_PER_S);
    (time.as_secs_f64() / loop_s).ceil() as u64
}

/// The finaliser of SplitMix64: neighbouring numbers give unrelated values.
fn scattered(n: u64) -> u64 {
    let z = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
