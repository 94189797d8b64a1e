//! The farm's clips: rendered and encoded once, then kept.
//!
//! A photograph is the landscape. Clouds and haze drift in front of it, a mast sways, the sensor
//! adds noise to every pixel of every frame, and in a smoky take a plume grows. All movement ends
//! where it began, so that the loop has no seam.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use huoyan::camera::ClipCodec;
use huoyan::drill::{Plume, composite, scene};
use huoyan::error::{Error, Result};
use huoyan::frame::Picture;
use parking_lot::Mutex;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub const FRAMES_PER_S: u32 = 25;
/// A keyframe every two seconds, the usual setting for keyframe analysis.
pub const GOP_FRAMES: usize = 50;
/// `drill::scene` has seven views, each also mirrored.
pub const VIEWS_MAX: usize = 14;

/// Change it with the rendering: clips of another version are rendered again.
const VERSION: u32 = 1;
/// Every n-th view is filmed from a mast that sways by this number of sub-stream pixels to each
/// side.
const SWAYING: usize = 4;
const SWAY_PX: f64 = 0.6;
/// Smoke is drawn five times a second, because it moves slowly.
const SMOKE_EVERY: usize = 5;
/// Clouds and haze are drawn at this size and enlarged.
const HAZE: (u32, u32) = (80, 46);
/// Brightness of clouds and haze.
const HAZE_LUMA: i32 = 200;
/// Positions to start reading the noise table from.
const NOISE_STARTS: usize = 1 << 16;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stream {
    /// 640×360 at 512 kbit/s.
    Sub,
    /// 1920×1080 at 4 Mbit/s.
    Main,
}

impl Stream {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::Main => "main",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Sub, Self::Main].into_iter().find(|stream| stream.name() == name)
    }

    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Sub => (640, 360),
            Self::Main => (1920, 1080),
        }
    }

    fn kbit_per_s(self) -> u32 {
        match self {
            Self::Sub => 512,
            Self::Main => 4000,
        }
    }
}

/// One clip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Take {
    pub view: usize,
    pub stream: Stream,
    /// A plume grows from the first frame on.
    pub smoke: bool,
    pub codec: ClipCodec,
    pub loop_gops: usize,
    pub loops: usize,
}

impl Take {
    pub fn name(&self) -> String {
        let smoke = if self.smoke { "-smoke" } else { "" };
        format!("view{:02}-{}{smoke}", self.view, self.stream.name())
    }

    pub fn frames(&self) -> usize {
        self.loop_gops * GOP_FRAMES * self.loops
    }

    fn file(&self) -> String {
        let codec = match self.codec {
            ClipCodec::H264 => "h264",
            ClipCodec::H265 => "h265",
        };
        format!("v{VERSION}-{}-{}gop.{codec}", self.name(), self.loop_gops * self.loops)
    }
}

/// The clips' files; missing ones are rendered. `progress` gets the frames done and their total.
pub fn render(
    folder: &Path,
    takes: Vec<Take>,
    progress: impl Fn(u64, u64) + Sync,
) -> Result<Vec<PathBuf>> {
    huoyan::camera::init()?;
    std::fs::create_dir_all(folder).map_err(|e| {
        Error::unavailable(format!("cannot write to {}", folder.display())).because(e)
    })?;
    let files: Vec<PathBuf> = takes.iter().map(|take| folder.join(take.file())).collect();
    let todo: Vec<(Take, PathBuf)> =
        takes.into_iter().zip(files.clone()).filter(|(_, file)| !file.is_file()).collect();
    let all: usize = todo.iter().map(|(take, _)| take.frames()).sum();
    let (queue, done) = (Mutex::new(todo), AtomicU64::new(0));
    let next = || queue.lock().pop();
    let work = || {
        while let Some((take, file)) = next() {
            let frames = film(take)?
                .inspect(|_| progress(done.fetch_add(1, Ordering::Relaxed) + 1, all as u64));
            encode(take, &file, frames)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let panicked = |_| Err(Error::internal("a rendering thread panicked"));
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(panicked))
    })?;
    Ok(files)
}

/// Encodes like a camera: constant bit rate, no reordering, no irregular keyframes.
fn encode(take: Take, file: &Path, frames: impl Iterator<Item = Picture>) -> Result<()> {
    let failed =
        |why: &str| Error::unavailable(format!("{} could not be encoded: {why}", file.display()));
    let (width, height) = take.stream.size();
    let kbit = take.stream.kbit_per_s();
    let encoder = match take.codec {
        ClipCodec::H264 => format!(
            "x264enc bframes=0 key-int-max={GOP_FRAMES} bitrate={kbit} speed-preset=veryfast threads=1 \
             option-string=scenecut=0 ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream"
        ),
        ClipCodec::H265 => format!(
            "x265enc key-int-max={GOP_FRAMES} bitrate={kbit} speed-preset=ultrafast \
             option-string=bframes=0:scenecut=0:open-gop=0:log-level=1 \
             ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream"
        ),
    };
    let text = format!(
        "appsrc name=frames format=time block=true max-bytes={} caps=video/x-raw,format=I420,width={width},\
         height={height},framerate={FRAMES_PER_S}/1,colorimetry=bt601,interlace-mode=progressive \
         ! {encoder},alignment=au ! filesink name=file",
        width * height * 6
    );
    let pipeline =
        gst::parse::launch(&text).map_err(|e| failed("an encoder is missing").because(e))?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| failed("no pipeline"))?;
    let part = file.with_extension("part");
    pipeline.by_name("file").ok_or_else(|| failed("no file"))?.set_property("location", &part);
    let source = pipeline.by_name("frames").and_then(|it| it.downcast::<AppSrc>().ok());
    let source = source.ok_or_else(|| failed("no source"))?;
    pipeline.set_state(gst::State::Playing).map_err(|e| failed("it does not start").because(e))?;
    for (n, frame) in (0..).zip(frames) {
        let mut buffer = gst::Buffer::from_slice(frame.into_i420());
        let time = |n: u64| gst::ClockTime::from_mseconds(n * 1000 / u64::from(FRAMES_PER_S));
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(time(n));
            buffer.set_duration(time(1));
        }
        if source.push_buffer(buffer).is_err() {
            break; // the reason is on the bus
        }
    }
    // Refused only after the pipeline has failed; the reason is then on the bus.
    let _ = source.end_of_stream();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline
        .bus()
        .and_then(|bus| bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends));
    // Nobody could act on a failure here.
    let _ = pipeline.set_state(gst::State::Null);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => {}
        Some(gst::MessageView::Error(error)) => return Err(failed(error.error().message())),
        _ => return Err(failed("it does not end")),
    }
    std::fs::rename(&part, file).map_err(|e| failed("it cannot be renamed").because(e))
}

/// The frames of a take, one after the other.
fn film(take: Take) -> Result<impl Iterator<Item = Picture>> {
    let seed = take.view as u32;
    let ground = scene::view(seed, Path::new(scene::PHOTOGRAPHS), take.stream.size())?;
    // The plume stands at the same place in the main stream and in the sub-stream.
    let plume = Plume::on_terrain(&ground.resized(scene::WIDTH, scene::HEIGHT), seed);
    let (width, height) = take.stream.size();
    let per_loop = (take.loop_gops * GOP_FRAMES) as f64;
    let mut noise = Noise::new(seed, (width * height) as usize);
    let haze = Haze::new(seed);
    let sway_px =
        if take.view % SWAYING == SWAYING - 1 { SWAY_PX * f64::from(width) / 640.0 } else { 0.0 };
    let mut seen = ground.clone();
    Ok((0..take.frames()).map(move |n| {
        if take.smoke && n.is_multiple_of(SMOKE_EVERY) {
            seen = composite(&ground, &plume, (n + 1) as f64 / f64::from(FRAMES_PER_S));
        }
        let turn = n as f64 / per_loop;
        // Masts swing about twice in three seconds. A whole number of swings per loop leaves no
        // seam.
        let swings = (per_loop / 36.0).round();
        let swayed = shifted(
            &seen,
            sway_px * (TAU * swings * turn).sin(),
            0.4 * sway_px * (TAU * 2.0 * swings * turn).sin(),
        );
        noise.over(&haze.over(swayed, turn))
    }))
}

/// Clouds in the sky, haze at the horizon: waves that drift with the wind.
struct Haze([[f64; 5]; 6]);

impl Haze {
    fn new(seed: u32) -> Self {
        let mut bits = u64::from(seed);
        let mut unit = || {
            bits = super::scattered(bits);
            (bits >> 11) as f64 / (1u64 << 53) as f64
        };
        // Waves across and down the picture: phase, strength, turns per loop.
        Self(std::array::from_fn(|i| {
            let across = 1.0 + 5.0 * unit();
            [across, 8.0 * unit() - 4.0, unit(), 1.0 / (1.0 + i as f64), (1 + i % 2) as f64]
        }))
    }

    fn over(&self, picture: Picture, turn: f64) -> Picture {
        let (columns, rows) = HAZE;
        let mut alpha = Vec::with_capacity((columns * rows * 3 / 2) as usize);
        for row in 0..rows {
            let y = f64::from(row) / f64::from(rows);
            let here = (1.3 - 1.5 * y).clamp(0.2, 0.8);
            for column in 0..columns {
                let x = f64::from(column) / f64::from(columns);
                let wave = |[across, down, phase, strength, turns]: [f64; 5]| {
                    strength * (TAU * (across * x + down * y + phase - turns * turn)).cos()
                };
                let field: f64 = self.0.iter().map(|&it| wave(it)).sum::<f64>() / 2.0;
                alpha.push((255.0 * here * (0.10 + 0.08 * field).max(0.0)) as u8);
            }
        }
        alpha.resize((columns * rows * 3 / 2) as usize, 128);
        let Ok(small) = Picture::from_i420(columns, rows, alpha) else { return picture };
        let (width, height) = (picture.width(), picture.height());
        let alpha = small.resized(width, height);
        let mut i420 = picture.into_i420();
        for (y, a) in i420.iter_mut().zip(alpha.luma()) {
            *y = (i32::from(*y) + (HAZE_LUMA - i32::from(*y)) * i32::from(*a) / 256) as u8;
        }
        Picture::from_i420(width, height, i420).unwrap_or(alpha)
    }
}

/// Sensor noise, about a Gaussian of sigma 1.6 levels. The table is much longer than a frame, and
/// each frame reads it from another position.
struct Noise {
    levels: Vec<i8>,
    bits: u64,
}

impl Noise {
    fn new(seed: u32, pixels: usize) -> Self {
        let mut bits = u64::from(seed) + 1;
        let level = |bits: u64| {
            (0..4).map(|i| ((bits >> (8 * i)) & 0xff) as i8 as i32 * 3 / 256).sum::<i32>() as i8
        };
        let levels = (0..pixels + NOISE_STARTS).map(|_| {
            bits = super::scattered(bits);
            level(bits)
        });
        Self { levels: levels.collect(), bits: u64::from(seed) }
    }

    fn over(&mut self, picture: &Picture) -> Picture {
        self.bits = super::scattered(self.bits);
        let start = self.bits as usize % NOISE_STARTS;
        let mut i420 = picture.as_i420().to_vec();
        for (y, noise) in i420[..picture.luma().len()].iter_mut().zip(&self.levels[start..]) {
            *y = y.saturating_add_signed(*noise).clamp(16, 235);
        }
        Picture::from_i420(picture.width(), picture.height(), i420)
            .unwrap_or_else(|_| picture.clone())
    }
}

/// Shifts by fractions of a pixel to the right and down; edge pixels are repeated.
fn shifted(picture: &Picture, dx: f64, dy: f64) -> Picture {
    if dx == 0.0 && dy == 0.0 {
        return picture.clone();
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (luma, chroma) = picture.as_i420().split_at(width * height);
    let (u, v) = chroma.split_at(width * height / 4);
    let mut i420 = shifted_plane(luma, width, dx, dy);
    for plane in [u, v] {
        i420.extend(shifted_plane(plane, width / 2, dx / 2.0, dy / 2.0));
    }
    Picture::from_i420(picture.width(), picture.height(), i420).unwrap_or_else(|_| picture.clone())
}

fn shifted_plane(plane: &[u8], width: usize, dx: f64, dy: f64) -> Vec<u8> {
    let rows = plane.len() / width;
    // Whole pixels, and the rest in 64ths.
    let split = |d: f64| (d.floor() as isize, (64.0 * (d - d.floor())) as u32);
    let ((right, part_x), (down, part_y)) = (split(-dx), split(-dy));
    let line = |y: isize| {
        let y = y.clamp(0, rows as isize - 1) as usize;
        &plane[y * width..(y + 1) * width]
    };
    let mut moved = Vec::with_capacity(plane.len());
    for y in 0..rows as isize {
        let (upper, lower) = (line(y + down), line(y + down + 1));
        moved.extend((0..width as isize).map(|x| {
            let at = |x: isize| x.clamp(0, width as isize - 1) as usize;
            let (left, next) = (at(x + right), at(x + right + 1));
            let across = |line: &[u8]| {
                u32::from(line[left]) * (64 - part_x) + u32::from(line[next]) * part_x
            };
            ((across(upper) * (64 - part_y) + across(lower) * part_y + 2048) >> 12) as u8
        }));
    }
    moved
}
