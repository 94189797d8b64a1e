//! Recorded pictures with their times, for replay: a video file or a folder of pictures, sampled at
//! a fixed interval.

use crate::camera::decode::Decoder;
use crate::camera::fault::Fault;
use crate::camera::gst::pipelines::Pipelines;
use crate::camera::gst::template::Outlet;
use crate::camera::gst::{Pipeline, drop_delta_units, init, keyframe_of};
use crate::camera::keyframe::Keyframe;
use crate::camera::source::images_in;
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer_app::AppSink;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

/// A file that yields nothing for 60 × 0.5 s is stuck.
const POLL: gst::ClockTime = gst::ClockTime::from_mseconds(500);
const POLLS: usize = 60;

/// The pictures of a recording in time order.
///
/// Video: at most one picture per `every` (zero: every keyframe), at `start` + its time in the
/// file. Only keyframes are used where they are frequent enough. Otherwise, and for codecs other
/// than H.264, H.265 and JPEG, everything is decoded. Folder: all its JPEG and PNG files in name
/// order, `every` apart. A caller that knows better times uses [`images_in`].
///
/// Error on the call: nothing there, or no video in it. Error from the iterator: one bad picture
/// (iteration goes on) or a file that broke off.
pub fn frames(path: &Path, every: SignedDuration, start: Timestamp) -> Result<Frames> {
    init()?;
    if path.is_dir() {
        let pictures = images_in(path).map_err(|e| {
            Error::unavailable(format!("cannot read the folder {}", path.display())).because(e)
        })?;
        if pictures.is_empty() {
            return Err(Error::invalid(format!("no jpg or png pictures in {}", path.display())));
        }
        let decoder = Decoder::new()?;
        return Ok(Frames(Recording::Folder {
            pictures: pictures.into_iter(),
            decoder,
            every,
            next_at: start,
        }));
    }
    std::fs::metadata(path)
        .map_err(|e| Error::invalid(format!("cannot open {}", path.display())).because(e))?;
    let pipeline = if keyframes_suffice(path, every)? { "file" } else { "file-any" };
    let video = Video {
        reader: Reader::open(path, pipeline)?,
        decoder: Decoder::new()?,
        every,
        start,
        next_at: None,
    };
    Ok(Frames(Recording::Video(Box::new(video))))
}

/// See [`frames`].
#[derive(Debug)]
pub struct Frames(Recording);

#[derive(Debug)]
enum Recording {
    Folder {
        pictures: std::vec::IntoIter<PathBuf>,
        decoder: Decoder,
        every: SignedDuration,
        next_at: Timestamp,
    },
    Video(Box<Video>),
    Ended,
}

#[derive(Debug)]
struct Video {
    reader: Reader,
    decoder: Decoder,
    every: SignedDuration,
    start: Timestamp,
    next_at: Option<Timestamp>,
}

impl Iterator for Frames {
    type Item = Result<(Timestamp, Picture)>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Recording::Folder { pictures, decoder, every, next_at } => {
                let path = pictures.next()?;
                let at = *next_at;
                *next_at = at.checked_add(*every).unwrap_or(Timestamp::MAX);
                Some(read_image(&path, at, decoder).map(|picture| (at, picture)))
            }
            Recording::Video(video) => match video.next() {
                Ok(Some((at, picture))) => Some(picture.map(|picture| (at, picture))),
                ended => {
                    self.0 = Recording::Ended;
                    ended.err().map(Err)
                }
            },
            Recording::Ended => None,
        }
    }
}

/// A picture file of at most 8192 × 8192. Error: names the file.
fn read_image(path: &Path, at: Timestamp, decoder: &mut Decoder) -> Result<Picture> {
    let bytes = std::fs::read(path)
        .map_err(|e| Error::unavailable(format!("cannot read {}", path.display())).because(e))?;
    let decoded = decoder.decode(&Keyframe::from_image_bytes(at, bytes));
    decoded.map_err(|e| {
        Error::invalid(format!("{} is not a picture that can be read", path.display())).because(e)
    })
}

impl Video {
    /// Err: the file broke off. Ok(Some((_, Err))): one bad picture; the next may be fine.
    fn next(&mut self) -> Result<Option<(Timestamp, Result<Picture>)>> {
        while let Some((time, sample)) = self.reader.next()? {
            let at = self.start.checked_add(time).unwrap_or(Timestamp::MAX);
            if self.next_at.is_some_and(|next| at < next) {
                continue;
            }
            // Counted from the nominal time, not from the picture: picture times vary by some
            // milliseconds.
            let beat = self
                .next_at
                .map_or(at, |next| if at.duration_since(next) < self.every { next } else { at });
            self.next_at = beat.checked_add(self.every).ok();
            let picture =
                keyframe_of(&sample, at).and_then(|keyframe| self.decoder.decode(&keyframe));
            return Ok(Some((at, picture)));
        }
        Ok(None)
    }
}

/// Looks at the first three keyframes: are they at most `every` apart? False for other codecs, too.
fn keyframes_suffice(path: &Path, every: SignedDuration) -> Result<bool> {
    let mut reader = Reader::open(path, "file")?;
    let mut times = Vec::new();
    while times.len() < 3 {
        match reader.next() {
            Ok(Some((time, _))) => times.push(time),
            Ok(None) => break,
            Err(_) => return Ok(false), // the full decode says what is wrong, if anything
        }
    }
    let widest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    Ok(!every.is_positive() && !times.is_empty() || widest.is_some_and(|gap| gap <= every))
}

/// Reads the samples of a file as fast as they are asked for.
#[derive(Debug)]
struct Reader {
    path: PathBuf,
    pipeline: Pipeline,
    sink: AppSink,
}

impl Reader {
    fn open(path: &Path, pipeline: &str) -> Result<Self> {
        let shown = path.display().to_string();
        let unusable = |fault: Fault| Error::invalid(fault.sentence(&shown, Lang::En));
        let utf8 = path
            .to_str()
            .ok_or_else(|| Error::invalid(format!("the name of {shown} is not UTF-8")))?;
        let line = Pipelines::default().line(pipeline, &[("path", utf8)]).map_err(unusable)?;
        let (pipeline, sink) = Pipeline::open(&line).map_err(unusable)?;
        gst::prelude::ObjectExt::set_property(&sink, "sync", false);
        if line.outlet == Outlet::Keyframes {
            drop_delta_units(&sink, || {});
        }
        pipeline.play().map_err(unusable)?;
        Ok(Self { path: path.to_owned(), pipeline, sink })
    }

    /// Time since the start of the file, and the sample; None at the end.
    fn next(&mut self) -> Result<Option<(SignedDuration, gst::Sample)>> {
        for _ in 0..POLLS {
            if let Some(sample) = self.sink.try_pull_sample(POLL) {
                return Ok(Some((running_time(&sample), sample)));
            }
            if let Some(fault) = self.pipeline.take_error() {
                return Err(Error::invalid(
                    fault.sentence(&self.path.display().to_string(), Lang::En),
                ));
            }
            if self.sink.is_eos() {
                return Ok(None);
            }
        }
        Err(Error::unavailable(format!("{}: no data could be read for 30 s", self.path.display())))
    }
}

fn running_time(sample: &gst::Sample) -> SignedDuration {
    let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
    let pts = sample.buffer().and_then(|buffer| buffer.pts());
    let time = segment.zip(pts).and_then(|(segment, pts)| segment.to_running_time(pts));
    SignedDuration::from_nanos(
        time.map_or(0, |time| i64::try_from(time.nseconds()).unwrap_or(i64::MAX)),
    )
}
