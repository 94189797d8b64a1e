//! The demo county: clips rendered once on this machine and played as RTSP cameras, synthetic registers, a hotspot file that
//! arrives. All of it is input; everything behind it is the product as it is.

use super::{App, Options};
use crate::camera::{Clip as Played, ClipCodec, Playback, encode_clip};
use crate::cli::Progress;
use crate::clock::Clock;
use crate::county::{self, County, Registers};
use crate::drill::{Plume, scene};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::detection::BoundingBox;
use crate::triage::geo::{Fix, FixMethod};
use crate::triage::id::PersonId;
use jiff::{SignedDuration, Timestamp};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

/// One clip a camera of the synthetic county.
const CAMERAS: u32 = 13;
/// Which camera sees the plume (of the views, one where it stands before dark trees), and how long after its stream starts: within
/// the first minute.
const SMOKY: u32 = 5;
const SMOKE_AFTER_S: f64 = 25.0;
/// The smoky clip is long enough to be worked on; the others only need not look still.
const SMOKY_LENGTH_S: f64 = 300.0;
const CLEAR_LENGTH_S: f64 = 20.0;
const FRAMES_PER_S: u32 = 5;
/// The cameras of a show are looked at twice as often as those of a county.
const CADENCE: SignedDuration = SignedDuration::from_secs(5);
/// The satellite passes so long after the start.
const HOTSPOTS_AFTER: Duration = Duration::from_secs(20);
/// Change it when the rendering changes: clips of another version are rendered anew.
const CLIPS_VERSION: &str = "3";
const SEED: u64 = 131;
/// Stands among registers that this module wrote.
const MARK: &str = ".demo";

pub struct Demo {
    /// Whose grid the plume stands in.
    pub ranger: PersonId,
    _playback: Playback,
}

impl Demo {
    /// Renders what is not there yet, plays it, writes the registers, and sets the cadence.
    pub async fn prepare(options: &mut Options, clock: &Clock) -> Result<Self> {
        let data = options.config.store.data.clone();
        let (lang, quiet, now) = (options.lang, options.quiet, clock.now());
        options.config.camera.cadence = CADENCE;
        tokio::task::block_in_place(|| {
            let registers = data.join("registers");
            refuse_a_real_county(&registers, lang)?;
            let what = lang.pick("[1/1] 生成演示摄像机画面", "[1/1] rendering the demo cameras' clips");
            let clips = render(&data.join("demo/clips"), what, quiet)?;
            let played = clips.iter().enumerate().map(|(i, file)| Played {
                path_on_server: format!("/camera-{:02}", i + 1),
                file: file.clone(),
                user_password: None,
            });
            let playback = Playback::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), played.collect())?;
            let urls: Vec<String> = (0..clips.len()).filter_map(|i| playback.url(i)).collect();
            write_registers(&registers, now, &urls)?;
            let ranger = ranger_of_the_plume(&Registers::load(&registers)?.current(), now)?;
            Ok(Self { ranger, _playback: playback })
        })
    }

    /// Drops a hotspot file into the watched folder, as a satellite station would.
    pub fn send_hotspots(&self, app: App) -> impl Future<Output = ()> + Send + use<> {
        async move {
            if super::sleep_or_stop(&app, HOTSPOTS_AFTER).await {
                return;
            }
            let csv = county::demo_hotspots(app.clock.now(), &app.registers.current());
            let path = app.config.store.data.join(&app.config.satellite.folder).join("demo.csv");
            if let Err(e) = std::fs::write(&path, csv) {
                tracing::error!("the demo's hotspot file could not be written to {}: {e}", path.display());
            }
        }
    }
}

/// The demo's registers are written anew at every start (ports and dates change); nobody else's are touched.
fn refuse_a_real_county(registers: &Path, lang: Lang) -> Result<()> {
    if !registers.exists() || registers.join(MARK).is_file() {
        return Ok(());
    }
    let words = lang.pick(
        "这里是真实的登记册，演示不会动它；请用 --data 另选目录",
        "a real county's registers are here, the demo leaves them alone; choose another folder with --data",
    );
    Err(Error::invalid(format!("{}: {words}", registers.display())))
}

fn write_registers(registers: &Path, now: Timestamp, urls: &[String]) -> Result<()> {
    let cannot = |e| Error::unavailable(format!("cannot write to {}", registers.display())).because(e);
    if registers.exists() {
        std::fs::remove_dir_all(registers).map_err(cannot)?;
    }
    county::write_demo(registers, SEED, now, urls)?;
    std::fs::write(registers.join(MARK), "").map_err(cannot)
}

/// Who is responsible where the smoky camera's plume will be seen.
fn ranger_of_the_plume(county: &County, now: Timestamp) -> Result<PersonId> {
    let missing = || Error::internal("the demo county has nobody where its plume stands");
    let camera = county.cameras.get(SMOKY as usize).ok_or_else(missing)?;
    let foot = plume()?.foot;
    let bbox = BoundingBox { x: foot.0 as f32 - 0.02, y: foot.1 as f32 - 0.1, w: 0.04, h: 0.1 };
    let locus = camera.locus(&bbox);
    let fix = Fix { centre: locus.centre(), radius_m: locus.radius_m(), method: FixMethod::Bearing };
    county.place(&fix, now).suggested.first().cloned().ok_or_else(missing)
}

fn plume() -> Result<Plume> {
    Ok(Plume::on_terrain(&scene::landscape(SMOKY, Path::new(scene::PHOTOGRAPHS))?, SMOKY))
}

/// One file a camera, rendered by as many threads as there are cores.
fn render(folder: &Path, what: &str, quiet: bool) -> Result<Vec<PathBuf>> {
    let cannot = |e| Error::unavailable(format!("cannot write to {}", folder.display())).because(e);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = |seed: u32| folder.join(format!("v{CLIPS_VERSION}-{seed:02}.h264"));
    let todo: Vec<scene::Clip> = (0..CAMERAS).filter(|&seed| !file(seed).is_file()).map(spec).collect();
    if !todo.is_empty() {
        let frames: f64 = todo.iter().map(|clip| clip.length_s * f64::from(clip.frames_per_s)).sum();
        let mut progress = Progress::new(what, frames as u64, quiet);
        let queue = Mutex::new(todo);
        let (done, rendered) = mpsc::sync_channel(CAMERAS as usize);
        std::thread::scope(|scope| {
            let threads = std::thread::available_parallelism().map_or(2, usize::from);
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let (queue, file, done) = (&queue, &file, done.clone());
                    scope.spawn(move || {
                        let next = || queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
                        while let Some(clip) = next() {
                            let frames = scene::clip(clip, Path::new(scene::PHOTOGRAPHS))?;
                            // Nobody listens any more only when another clip has failed.
                            let tick = |_| _ = done.send(());
                            encode_clip(&file(clip.seed), clip.frames_per_s, frames, ClipCodec::H264, tick)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            drop(done);
            rendered.iter().for_each(|()| progress.advance(1, ""));
            let panicked = |_| Err(Error::internal("a rendering thread panicked"));
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(panicked))
        })?;
        progress.finish("");
    }
    Ok((0..CAMERAS).map(file).collect())
}

fn spec(seed: u32) -> scene::Clip {
    let smoky = seed == SMOKY;
    scene::Clip {
        seed,
        frames_per_s: FRAMES_PER_S,
        length_s: if smoky { SMOKY_LENGTH_S } else { CLEAR_LENGTH_S },
        smoke_after_s: smoky.then_some(SMOKE_AFTER_S),
    }
}
