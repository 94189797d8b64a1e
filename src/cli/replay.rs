//! `huoyan replay`: the live program's model and confirmation, run over recorded video and folders
//! of pictures. It touches nothing live, and reports what the live program would have reported.

mod count;
mod lines;
mod sheet;
mod times;

use super::{Common, Outcome};
use crate::camera;
use crate::config::Gating;
use crate::detect::{Detector, Worker};
use crate::drill::{DrillBoard, scene};
use crate::engine::{Analyst, Tuning, first_thresholds};
use crate::error::{Error, Kind, Result};
use crate::frame::{Frame, Picture, StatusBoard};
use crate::lang::Lang;
use crate::progress::Progress;
use crate::triage::confirm::Thresholds;
use crate::triage::detection::{ModelVersion, Stream};
use crate::triage::id::CameraId;
use crate::triage::point::PointName;
use count::Count;
use jiff::{SignedDuration, Timestamp};
use lines::Report;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Video files, pictures, or folders with JPEG and PNG pictures of one camera
    #[arg(required_unless_present = "demo_night", value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// Interval between the pictures of a folder whose names hold no time
    #[arg(long, default_value = "60s", value_name = "DURATION")]
    pub interval: SignedDuration,
    /// Interval between analysed pictures; default: all of a folder, one in 10 s of a video
    #[arg(long, alias = "every", value_name = "DURATION")]
    pub cadence: Option<SignedDuration>,
    /// Time of the first picture (RFC 3339), where the names hold no time
    #[arg(long, value_name = "TIME")]
    pub start: Option<Timestamp>,
    /// Scales pictures to this size, as in a sub-stream; default: their own size
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub screen_size: Option<(u32, u32)>,
    /// With --screen-size: analyses six pictures in full size after a suspicion, as from a main
    /// stream
    #[arg(long, requires = "screen_size")]
    pub cascade: bool,
    /// The model's operating point: quiet, balanced or eager; default: the thresholds of a fresh
    /// office
    #[arg(long, value_name = "NAME")]
    pub point: Option<PointName>,
    /// The model's folder; default: the configured one
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A drill: smoke is rendered into every source, starting this long after its first picture
    #[arg(long, value_name = "DURATION")]
    pub drill: Option<SignedDuration>,
    /// Run the model only on pictures with a change, as the setting gate = "on" does
    #[arg(long)]
    pub gate: bool,
    /// The sources show no smoke: counts false alarms and clean hours, with the 95 % interval per
    /// camera-day
    #[arg(long, conflicts_with = "drill")]
    pub count_false: bool,
    /// With --count-false: exit code 1 when the upper end of the interval is above this number per
    /// camera-day
    #[arg(long, requires = "count_false", value_name = "PER_DAY", value_parser = count::per_day)]
    pub at_most: Option<f64>,
    /// Also replays the demo county's scenes from dusk to dawn without smoke: a night of this
    /// length for each of its 13 cameras
    #[arg(long, value_name = "DURATION")]
    pub demo_night: Option<SignedDuration>,
    /// Also writes an HTML page with the pictures before, at and after each of the first 50
    /// sightings
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
}

/// After a suspicious look this number of pictures comes from the main stream, as live for this
/// number of cadences.
const SUSPICIOUS_PICTURES: u32 = 6;

/// Default interval between pictures of a video: the default cadence of an office.
const VIDEO_CADENCE: SignedDuration = SignedDuration::from_secs(10);

/// The same plume in every source and every run.
const DRILL_SEED: u32 = 7;

/// "640x360": even sides, as required by chroma of half size.
fn size(text: &str) -> std::result::Result<(u32, u32), String> {
    let sides = text
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let is_fine = |side: &u32| (16..=8192).contains(side) && side.is_multiple_of(2);
    sides.filter(|(width, height)| is_fine(width) && is_fine(height)).ok_or_else(|| {
        "two even numbers are needed, width and height in pixels, for example \
            640x360"
            .to_owned()
    })
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match replay(&args, common, &mut out) {
        // The reader of stdout has closed it and needs no more.
        Err(e) if e.kind == Kind::Unavailable && e.message == lines::READER_GONE => {
            Ok(Outcome::Fine)
        }
        other => other,
    }
}

/// Writes its lines to `out`. Unreadable pictures are listed, and the replay goes on. The same
/// holds for unreadable sources, but then it ends with an error.
pub fn replay(args: &Args, common: &Common, out: &mut dyn Write) -> Result<Outcome> {
    if !args.interval.is_positive() || args.cadence.is_some_and(|it| it.is_negative()) {
        return Err(Error::invalid(
            "--interval must be more than zero, and --cadence not negative",
        ));
    }
    let nights = nights(args)?;
    let folder = args.model.as_ref().unwrap_or(&common.config.detect.model);
    let detector = Detector::load(folder, &common.config.detect)?;
    let mut worker = detector.session()?;
    let (thresholds, point) = thresholds(args, common, &detector)?;
    let count = args.count_false.then(|| Count::new(args.at_most));
    let mut report = Report::new(common, out, detector.model(), thresholds.clone(), point, count)
        .with_sheet(args.sheet.as_deref());
    let mut failed = None;
    let opened = args.sources.iter().map(|source| {
        (source.clone(), Recording::open(source, args.interval, args.cadence, args.start))
    });
    let total = args.sources.len() + nights.len();
    for (number, (source, recording)) in opened.chain(nights).enumerate() {
        let (source, stage) = (&*source, format!("[{}/{total}] {}", number + 1, source.display()));
        // Pictures of one source must not serve as the past of another.
        let (drills, status) = (DrillBoard::default(), StatusBoard::default());
        let mut analyst =
            Analyst::new(&detector, Tuning::new(thresholds.clone()), drills.clone(), status);
        if args.gate || common.config.detect.gate == Gating::On {
            analyst = analyst.gated(common.config.detect.gate_every);
        }
        let replayed = Replayed { source, stage, args, common, drills: &drills };
        if let Err(e) =
            recording.and_then(|it| replayed.run(it, &analyst, &mut worker, &mut report))
        {
            if e.message == lines::READER_GONE {
                return Err(e);
            }
            report.unreadable(source, &source.display().to_string(), &e)?;
            failed = failed.or(Some(e));
        }
    }
    let outcome = report.summary()?;
    failed.map_or(Ok(outcome), Err)
}

/// The default cadence of an office (`[detect] cadence`).
const NIGHT_CADENCE: SignedDuration = SignedDuration::from_secs(10);

/// The demo county's quiet night, camera by camera: the smallest data without smoke that every
/// installation has.
fn nights(args: &Args) -> Result<Vec<(PathBuf, Result<Recording>)>> {
    let Some(length) = args.demo_night else { return Ok(Vec::new()) };
    let cadence = args.cadence.unwrap_or(NIGHT_CADENCE);
    if !length.is_positive() || !cadence.is_positive() {
        return Err(Error::invalid("--demo-night and --cadence must be more than zero"));
    }
    let night = |seed| {
        let start = args.start.unwrap_or(Timestamp::UNIX_EPOCH);
        let frames = scene::quiet_night(seed, Path::new(scene::PHOTOGRAPHS), cadence, length);
        let recording = frames.map(|frames| {
            Recording::Scene(Box::new(frames.map(move |(after, it)| (start + after, it))))
        });
        (PathBuf::from(format!("demo-night-{:02}", seed + 1)), recording)
    };
    Ok((0..scene::DEMO_CAMERAS).map(night).collect())
}

/// The requested thresholds, or an office's defaults, and the model's operating point that they
/// are.
fn thresholds(
    args: &Args,
    common: &Common,
    detector: &Detector,
) -> Result<(Thresholds, Option<PointName>)> {
    let points = detector.manifest().points.as_ref();
    let Some(asked) = args.point else {
        let thresholds = first_thresholds(&common.config.thresholds, detector);
        let point = points.and_then(|points| points.name_of(&thresholds));
        return Ok((thresholds, point));
    };
    let points = points.ok_or_else(|| {
        let ModelVersion { name, version } = detector.model();
        Error::invalid(match common.lang {
            Lang::Zh => format!(
                "模型 {name} {version} 没有工作点：去掉 --point，或用 --model \
                指定有工作点的模型"
            ),
            Lang::En => format!(
                "model {name} {version} has no operating points: leave out --point, or give a \
                model that has them with --model"
            ),
        })
    })?;
    let tuned = points.get(asked).tune(&common.config.thresholds).map_err(Error::invalid)?;
    Ok((tuned, Some(asked)))
}

/// One source, and how it is replayed.
struct Replayed<'a> {
    source: &'a Path,
    stage: String,
    args: &'a Args,
    common: &'a Common,
    drills: &'a DrillBoard,
}

impl Replayed<'_> {
    fn run(
        &self,
        recording: Recording,
        analyst: &Analyst,
        worker: &mut Worker,
        report: &mut Report,
    ) -> Result<()> {
        let Self { source, args, .. } = self;
        let mut progress = Progress::new(&self.stage, recording.pictures(), self.common.quiet);
        let name = source
            .file_name()
            .map_or_else(|| source.display().to_string(), |n| n.to_string_lossy().into());
        let (camera, mut suspicious, mut drill) = (CameraId(name), 0u32, args.drill);
        let mut first_at = None;
        for (index, item) in recording.enumerate() {
            let file = item.file.as_deref();
            match item.picture {
                Ok((captured_at, picture)) => {
                    let passed = captured_at.duration_since(*first_at.get_or_insert(captured_at));
                    if drill.take_if(|after| passed >= *after).is_some() {
                        self.drills.start(&camera, DRILL_SEED, captured_at)?;
                    }
                    let (stream, picture) = match args.screen_size {
                        Some((width, height)) if suspicious == 0 => {
                            (Stream::Screened, picture.resized(width, height))
                        }
                        Some(_) => (Stream::Main, picture),
                        None => (Stream::Screened, picture),
                    };
                    suspicious = suspicious.saturating_sub(1);
                    let (camera, picture) = (camera.clone(), Arc::new(picture));
                    let frame =
                        Frame { camera, pose: "default".into(), captured_at, picture, stream };
                    let looked = analyst.look(worker, &frame)?;
                    if looked.is_empty() {
                        report.gated(source, index, file, captured_at)?;
                    }
                    for seen in looked {
                        if args.cascade && !seen.analysis.detections.is_empty() {
                            suspicious = SUSPICIOUS_PICTURES;
                        }
                        report.seen(source, index, file, &seen)?;
                    }
                }
                Err(e) => report.unreadable(source, file.unwrap_or("?"), &e)?,
            }
            progress.advance(1, "");
        }
        progress.finish("");
        Ok(())
    }
}

/// An opened source. `huoyan check` reads it, too.
pub(super) enum Recording {
    Pictures(std::vec::IntoIter<(Timestamp, PathBuf)>),
    Video(camera::Frames),
    Scene(Box<dyn Iterator<Item = (Timestamp, Picture)>>),
}

pub(super) struct Item {
    /// File name, for a picture of a folder.
    pub file: Option<String>,
    pub picture: Result<(Timestamp, Picture)>,
}

impl Recording {
    /// `interval`: time between pictures of a folder whose names hold no time. `cadence`: interval
    /// at which pictures are taken; none: all of a folder, one in 10 s of a video. A picture counts
    /// as a folder of one.
    pub(super) fn open(
        source: &Path,
        interval: SignedDuration,
        cadence: Option<SignedDuration>,
        start: Option<Timestamp>,
    ) -> Result<Self> {
        let named = source.file_stem().and_then(|stem| times::in_name(&stem.to_string_lossy()));
        let start = start.or(named).unwrap_or(Timestamp::UNIX_EPOCH);
        let pictures = if source.is_dir() {
            camera::images_in(source).map_err(|e| {
                Error::unavailable(format!("cannot read the folder {}", source.display()))
                    .because(e)
            })?
        } else if camera::is_image_file(source) {
            vec![source.to_owned()]
        } else {
            return Ok(Self::Video(camera::frames(
                source,
                cadence.unwrap_or(VIDEO_CADENCE),
                start,
            )?));
        };
        if pictures.is_empty() {
            return Err(Error::invalid(format!("no jpg or png pictures in {}", source.display())));
        }
        let timed = times::of_pictures(pictures, start, interval);
        Ok(Self::Pictures(times::thinned(timed, cadence.unwrap_or_default()).into_iter()))
    }

    /// 0: unknown.
    pub(super) fn pictures(&self) -> u64 {
        match self {
            Self::Pictures(pictures) => pictures.len() as u64,
            Self::Video(_) | Self::Scene(_) => 0,
        }
    }
}

impl Iterator for Recording {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        match self {
            Self::Pictures(pictures) => {
                let (at, path) = pictures.next()?;
                let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
                Some(Item { file, picture: whole_picture(&path).map(|picture| (at, picture)) })
            }
            Self::Video(frames) => frames.next().map(|picture| Item { file: None, picture }),
            Self::Scene(frames) => {
                frames.next().map(|picture| Item { file: None, picture: Ok(picture) })
            }
        }
    }
}

fn whole_picture(path: &Path) -> Result<Picture> {
    let bytes = std::fs::read(path)
        .map_err(|e| Error::unavailable("the file cannot be read").because(e))?;
    if Picture::is_cut_off(&bytes) {
        return Err(Error::invalid("the picture is cut off; copy it again from its source"));
    }
    Picture::from_image_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_two_even_numbers() {
        assert_eq!(size("640x360"), Ok((640, 360)));
        for wrong in ["", "640", "640x", "641x360", "0x0", "640x360x2", "99999x2", "-2x2"] {
            assert!(size(wrong).is_err_and(|why| why.contains("640x360")), "{wrong:?}");
        }
    }
}
