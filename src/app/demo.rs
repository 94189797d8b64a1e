//! The demo county: clips rendered once on this machine and played as RTSP cameras, synthetic
//! registers, and a hotspot file that arrives. All of it is input; everything behind it is the real
//! product.

use super::{App, Options};
use crate::camera::{Clip as Played, ClipCodec, Encoding, Playback, encode_clip};
use crate::clock::Clock;
use crate::config::Config;
use crate::county::{self, CameraEntry, County, Registers, SmokeInView};
use crate::drill::{Plume, scene};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::lang::Lang;
use crate::progress::Progress;
use crate::register::Register;
use crate::triage::detection::BoundingBox;
use crate::triage::geo::Fix;
use crate::triage::id::PersonId;
use crate::triage::policy::Review;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Number of cameras of the synthetic county, one clip each.
const CAMERAS: u32 = scene::DEMO_CAMERAS;
/// The camera that sees the plume (a view in which it stands before dark trees), and when the smoke
/// starts after its stream does: within the first minute.
const SMOKY: u32 = 5;
const SMOKE_AFTER_S: f64 = 25.0;
/// The smoky clip is long enough to work on. The others only must not look frozen.
const SMOKY_LENGTH_S: f64 = 300.0;
const CLEAR_LENGTH_S: f64 = 20.0;
const FRAMES_PER_S: u32 = 5;
/// A good sub-stream. At 512 kbit/s the model lost this plume in three of five phases of the
/// cadence (`the_plume_is_confirmed_whenever_the_camera_is_looked_at`).
const ENCODING: Encoding = Encoding { codec: ClipCodec::H264, kbit_per_s: 2048 };
/// The camera that turns, and the landscapes at which it stops: six looks each.
const TURNING: u32 = 7;
const STOPS: [scene::Stop; 3] = [stop(TURNING), stop(9), stop(11)];
const PATROL: scene::Patrol =
    scene::Patrol { frames_per_s: FRAMES_PER_S, stay_s: 30.0, turn_s: 2.0, rounds: 1 };
/// The demo's cameras are looked at twice as often as a county's.
const CADENCE: SignedDuration = SignedDuration::from_secs(5);
/// When the satellite passes, after the start.
const HOTSPOTS_AFTER: Duration = Duration::from_secs(20);
/// In the demo a camera's incident that nobody looks at is dispatched automatically after this
/// time. In a county it waits for an officer.
const AUTO_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Change it with the rendering: clips of another version are rendered again.
const CLIPS_VERSION: &str = "5";
const SEED: u64 = 131;
/// Marks registers that this module wrote.
const MARK: &str = ".demo";

pub(super) struct Demo {
    /// The ranger of the grid in which the plume stands.
    pub ranger: PersonId,
    _playback: Playback,
}

impl Demo {
    /// Renders missing clips, plays them, writes the registers, and sets cadence and policy.
    pub(super) async fn prepare(options: &mut Options, clock: &Clock) -> Result<Self> {
        let data = options.config.store.data.clone();
        let (lang, quiet, now) = (options.lang, options.quiet, clock.now());
        options.config.camera.cadence = CADENCE;
        choose_policy(&mut options.config);
        tokio::task::block_in_place(|| {
            let registers = data.join("registers");
            refuse_a_real_county(&registers, lang)?;
            let what =
                lang.pick("[1/1] 生成演示摄像机画面", "[1/1] rendering the demo cameras' clips");
            let clips = render(&data.join("demo/clips"), what, quiet)?;
            let played = clips.iter().enumerate().map(|(i, file)| Played {
                path_on_server: format!("/camera-{:02}", i + 1),
                file: file.clone(),
                user_password: None,
            });
            let playback =
                Playback::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), played.collect())?;
            let urls: Vec<String> = (0..clips.len()).filter_map(|i| playback.url(i)).collect();
            write_registers(&registers, now, &urls)?;
            let ranger = ranger_of_the_plume(&Registers::load(&registers, now)?.current(), now)?;
            Ok(Self { ranger, _playback: playback })
        })
    }
}

/// Puts a hotspot file into the watched folder, as a satellite station would, once per start.
pub(super) async fn send_hotspots(app: App) {
    if !super::sleep_or_stop(&app, HOTSPOTS_AFTER).await {
        let csv = county::demo_hotspots(app.clock.now(), &app.registers.current());
        let path = app.config.store.data.join(&app.config.satellite.folder).join("demo.csv");
        if let Err(e) = std::fs::write(&path, csv) {
            tracing::error!(
                "the demo's hotspot file could not be written to {}: {e}",
                path.display()
            );
        }
        app.stopped().await;
    }
}

/// An office's own policy is kept. The demo's policy dispatches without an officer what cameras and
/// satellites see.
fn choose_policy(config: &mut Config) {
    if !config.has_own_policy {
        config.policy.review.camera = Review::OfficerThenAuto { after: AUTO_AFTER };
        config.policy.review.satellite = Review::Auto;
    }
}

/// Explains how the demo's policy differs from a county's. None when the policy is somebody's own.
pub(super) fn policy_sentence(config: &Config, lang: Lang) -> Option<String> {
    let is_the_shows = config.policy.review.camera == Review::OfficerThenAuto { after: AUTO_AFTER };
    let minutes = AUTO_AFTER.as_mins();
    (is_the_shows && !config.has_own_policy).then(|| match lang {
        Lang::Zh => format!(
            "演示设置：摄像机警情 {minutes} 分钟无人研判即自动派发，卫星热点直接派发；正式使用时，\
            摄像机警情默认由值班员先研判"
        ),
        Lang::En => format!(
            "demo setting: a camera's incident is dispatched after {minutes} minutes if nobody \
            looks at it, a satellite's at once; in a real county an officer looks at a camera's \
            incident first, unless the office decides otherwise"
        ),
    })
}

/// The demo's registers are rewritten at every start (ports and dates change); nobody else's are
/// touched.
fn refuse_a_real_county(registers: &Path, lang: Lang) -> Result<()> {
    if !registers.exists() || registers.join(MARK).is_file() {
        return Ok(());
    }
    let words = lang.pick(
        "这里是真实的登记册，演示不会动它；请用 --data 另选目录",
        "this folder holds a real county's registers, and the demo does not touch them; choose \
        another with --data",
    );
    Err(Error::invalid(format!("{}: {words}", registers.display())))
}

fn write_registers(registers: &Path, now: Timestamp, urls: &[String]) -> Result<()> {
    let cannot =
        |e| Error::unavailable(format!("cannot write to {}", registers.display())).because(e);
    // What the log has taken from these files stays known, so that the new ones are changes of the
    // old.
    for name in
        Register::ALL.map(Register::file_name).iter().filter(|name| registers.join(name).exists())
    {
        std::fs::remove_file(registers.join(name)).map_err(cannot)?;
    }
    county::write_demo(registers, SEED, now, urls)?;
    std::fs::write(registers.join(MARK), "").map_err(cannot)
}

/// The ranger responsible where the smoky camera's plume will be seen.
fn ranger_of_the_plume(county: &County, now: Timestamp) -> Result<PersonId> {
    let missing = || Error::internal("the demo county has no ranger where its plume stands");
    let camera = county.cameras.get(SMOKY as usize).ok_or_else(missing)?;
    let landscape = scene::landscape(SMOKY, Path::new(scene::PHOTOGRAPHS))?;
    let foot = Plume::on_terrain(&landscape, SMOKY).foot;
    ranger_at(county, camera, &landscape, foot, now).ok_or_else(missing)
}

/// The ranger who is dispatched when the camera confirms a plume with this foot.
fn ranger_at(
    county: &County,
    camera: &CameraEntry,
    landscape: &Picture,
    foot: (f64, f64),
    now: Timestamp,
) -> Option<PersonId> {
    let aspect = f64::from(landscape.width()) / f64::from(landscape.height());
    let bbox = box_of(foot);
    let locus =
        camera.locus(SmokeInView { bbox: &bbox, aspect, has_moved: false }, county.ground());
    county.place(&Fix::of(locus), &[], now).suggested.first().cloned()
}

/// About the box that the model draws around the young plume.
fn box_of(foot: (f64, f64)) -> BoundingBox {
    BoundingBox { x: foot.0 as f32 - 0.02, y: foot.1 as f32 - 0.1, w: 0.04, h: 0.1 }
}

/// One file per camera, rendered by as many threads as there are cores.
fn render(folder: &Path, what: &str, quiet: bool) -> Result<Vec<PathBuf>> {
    let cannot = |e| Error::unavailable(format!("cannot write to {}", folder.display())).because(e);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = |seed: u32| folder.join(format!("v{CLIPS_VERSION}-{seed:02}.h264"));
    let todo: Vec<u32> = (0..CAMERAS).filter(|&seed| !file(seed).is_file()).collect();
    if !todo.is_empty() {
        let seconds: f64 = todo.iter().map(|&seed| length_s(seed)).sum();
        let frames = seconds * f64::from(FRAMES_PER_S);
        let mut progress = Progress::new(what, frames as u64, quiet);
        let queue = Mutex::new(todo);
        let (done, rendered) = mpsc::sync_channel(CAMERAS as usize);
        std::thread::scope(|scope| {
            let threads = std::thread::available_parallelism().map_or(2, usize::from);
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let (queue, file, done) = (&queue, &file, done.clone());
                    scope.spawn(move || {
                        let next = || queue.lock().pop();
                        while let Some(seed) = next() {
                            let frames = pictures(seed)?;
                            // A send error means that another clip has failed and nobody waits any
                            // more.
                            let tick = |_| _ = done.send(());
                            encode_clip(&file(seed), FRAMES_PER_S, frames, ENCODING, tick)?;
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

const fn stop(seed: u32) -> scene::Stop {
    scene::Stop { seed, smoke_after_s: None }
}

fn length_s(seed: u32) -> f64 {
    match seed {
        SMOKY => SMOKY_LENGTH_S,
        TURNING => (PATROL.stay_s + PATROL.turn_s) * STOPS.len() as f64,
        _ => CLEAR_LENGTH_S,
    }
}

fn pictures(seed: u32) -> Result<Box<dyn Iterator<Item = Picture>>> {
    let photographs = Path::new(scene::PHOTOGRAPHS);
    if seed == TURNING {
        return Ok(Box::new(scene::patrol(&STOPS, PATROL, photographs)?));
    }
    Ok(Box::new(scene::clip(spec(seed), photographs)?))
}

fn spec(seed: u32) -> scene::Clip {
    scene::Clip {
        seed,
        frames_per_s: FRAMES_PER_S,
        length_s: length_s(seed),
        smoke_after_s: (seed == SMOKY).then_some(SMOKE_AFTER_S),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera;
    use crate::detect::Detector;
    use crate::drill::DrillBoard;
    use crate::engine::{Analyst, Tuning, first_thresholds};
    use crate::frame::{Frame, StatusBoard};
    use crate::triage::detection::Stream;
    use crate::triage::policy::Policy;
    use std::sync::Arc;

    #[test]
    fn the_show_sends_by_itself_unless_somebody_brings_a_policy() {
        let mut shown = Config::default();
        choose_policy(&mut shown);
        assert_eq!(shown.policy.review.camera, Review::OfficerThenAuto { after: AUTO_AFTER });
        assert!(policy_sentence(&shown, Lang::Zh).is_some_and(|words| words.contains("2 分钟")));
        for own in ["[policy]\n", "[policy.review]\ncamera = \"officer\"\n"] {
            let mut config = Config::parse(own).expect("a configuration");
            choose_policy(&mut config);
            assert_eq!(
                (config.policy.clone(), policy_sentence(&config, Lang::En)),
                (Policy::default(), None),
                "{own}"
            );
        }
    }

    /// The links are printed before the model has seen anything. So a box a little beside the
    /// predicted one must lead to the same ranger, on photographs and on drawn ridges.
    #[test]
    fn whoever_is_signed_in_is_the_one_who_is_sent() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
        let dir = tempfile::tempdir().expect("a folder");
        county::write_demo(dir.path(), SEED, now, &[]).expect("a county");
        let county = Registers::load(dir.path(), now).expect("its registers").current();
        let camera = &county.cameras[SMOKY as usize];
        for photographs in [scene::PHOTOGRAPHS, "/nowhere"] {
            let landscape = scene::landscape(SMOKY, Path::new(photographs)).expect("a landscape");
            let foot = Plume::on_terrain(&landscape, SMOKY).foot;
            let sent = [-0.02, 0.0, 0.02]
                .map(|aside| ranger_at(&county, camera, &landscape, (foot.0 + aside, foot.1), now));
            assert!(
                sent[0].is_some() && sent.iter().all(|person| *person == sent[0]),
                "{photographs}: {sent:?}"
            );
        }
    }

    /// The show must not depend on when the program was started. Only whole keyframes are looked
    /// at, so the picture of a slot is the next one of those.
    #[test]
    fn the_plume_is_confirmed_whenever_the_camera_is_looked_at() {
        let dir = tempfile::tempdir().expect("a folder");
        // A container, because a raw byte stream has no times.
        let file = dir.path().join("plume.mkv");
        let clip = scene::Clip { length_s: 75.0, ..spec(SMOKY) };
        let frames = scene::clip(clip, Path::new(scene::PHOTOGRAPHS)).expect("a scene");
        encode_clip(&file, clip.frames_per_s, frames, ENCODING, |_| ()).expect("a clip");
        let keyframes: Vec<(Timestamp, Arc<Picture>)> =
            camera::frames(&file, SignedDuration::ZERO, Timestamp::UNIX_EPOCH)
                .expect("opens")
                .map(|it| it.map(|(at, picture)| (at, Arc::new(picture))).expect("decodes"))
                .collect();
        let config = Config::default();
        let detector = Detector::load(&config.detect.model, &config.detect).expect("the model");
        let thresholds = first_thresholds(&config.thresholds, &detector);
        let mut worker = detector.session().expect("a session");
        let mut confirmed = |phase_s: i64| {
            let analyst = Analyst::new(
                &detector,
                Tuning::new(thresholds.clone()),
                DrillBoard::default(),
                StatusBoard::default(),
            );
            let mut due = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(phase_s);
            keyframes.iter().any(|(at, picture)| {
                if *at < due {
                    return false;
                }
                due += CADENCE;
                let frame = Frame {
                    camera: "plume".into(),
                    pose: "default".into(),
                    captured_at: *at,
                    picture: Arc::clone(picture),
                    stream: Stream::Screened,
                };
                let looks = analyst.look(&mut worker, &frame).expect("a look");
                looks.iter().any(|look| !look.confirmed.is_empty())
            })
        };
        for phase_s in 0..CADENCE.as_secs() {
            assert!(confirmed(phase_s), "looked at {phase_s} s after the start");
        }
    }
}
