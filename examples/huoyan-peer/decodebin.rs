//! One pipeline per camera with its own decoder: `rtspsrc ! decodebin ! appsink`. Every picture is
//! decoded, and the newest waits. Two threads take one per cadence from each camera and run the
//! model, like the program's own two workers.

use super::{Args, LOOKED_AT};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use huoyan::clock::Clock;
use huoyan::config::DetectConfig;
use huoyan::detect::{Detector, Worker};
use huoyan::error::{Error, Result};
use huoyan::frame::Picture;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const THREADS: usize = 2;

struct Camera {
    pipeline: gst::Pipeline,
    sink: AppSink,
    /// The first picture, used as the picture from minutes ago. The network's cost is the same.
    past: Option<Picture>,
    due_at: Instant,
}

/// Runs until the process is ended.
pub fn run(args: &Args) -> Result<()> {
    gst::init().map_err(|e| Error::unavailable("GStreamer cannot start").because(e))?;
    let cadence = Duration::from_secs(args.cadence.into());
    let begun_at = Instant::now();
    let mut shares: Vec<Vec<Camera>> = (0..THREADS).map(|_| Vec::new()).collect();
    for (number, url) in args.urls().iter().enumerate() {
        // The looks are spread evenly over the cadence.
        let due_at = begun_at + cadence.mul_f64(number as f64 / args.cameras as f64);
        shares[number % THREADS].push(Camera::start(url, due_at)?);
    }
    let detector = match args.no_inference {
        true => None,
        false => Some(Detector::load(&args.model, &DetectConfig::default())?),
    };
    std::thread::scope(|scope| {
        let start = |share| {
            let worker = detector.as_ref().map(Detector::session).transpose()?;
            Ok(scope.spawn(move || look(share, cadence, worker)))
        };
        let threads: Vec<_> = shares.into_iter().map(start).collect::<Result<_>>()?;
        threads.into_iter().try_for_each(|it| {
            it.join().unwrap_or_else(|_| Err(Error::internal("a thread panicked")))
        })
    })
}

impl Camera {
    fn start(url: &str, due_at: Instant) -> Result<Self> {
        let text = format!(
            "rtspsrc location={url} protocols=tcp latency=0 ! decodebin ! videoconvert ! video/x-raw,format=I420 \
             ! appsink name=out sync=false max-buffers=1 drop=true"
        );
        let broken = |what: &str| Error::unavailable(format!("the pipeline for {url} {what}"));
        let pipeline =
            gst::parse::launch(&text).map_err(|e| broken("is not understood").because(e))?;
        let pipeline =
            pipeline.downcast::<gst::Pipeline>().map_err(|_| broken("is no pipeline"))?;
        let sink = pipeline.by_name("out").and_then(|it| it.downcast::<AppSink>().ok());
        let sink = sink.ok_or_else(|| broken("has no outlet"))?;
        pipeline.set_state(gst::State::Playing).map_err(|e| broken("does not start").because(e))?;
        Ok(Self { pipeline, sink, past: None, due_at })
    }

    /// The newest picture, if one arrived since the last look.
    fn newest(&self) -> Result<Option<Picture>> {
        let error =
            self.pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        if let Some(gst::MessageView::Error(e)) = error.as_ref().map(|message| message.view()) {
            return Err(Error::unavailable("a camera's pipeline has stopped").because(e.error()));
        }
        self.sink.try_pull_sample(gst::ClockTime::ZERO).map(|sample| picture(&sample)).transpose()
    }
}

/// Looks at each camera once per cadence. A camera without a picture yet is retried soon.
fn look(mut cameras: Vec<Camera>, cadence: Duration, mut worker: Option<Worker>) -> Result<()> {
    while let Some(next) = cameras.iter_mut().min_by_key(|camera| camera.due_at) {
        Clock::System.sleep_blocking(next.due_at.saturating_duration_since(Instant::now()));
        let Some(picture) = next.newest()? else {
            next.due_at += Duration::from_millis(200);
            continue;
        };
        if let Some(worker) = &mut worker {
            let small = worker.shrink(&picture);
            worker.analyse(&small, next.past.as_ref())?;
            next.past.get_or_insert(small);
        }
        LOOKED_AT.fetch_add(1, Ordering::Relaxed);
        // Missed looks are not made up for.
        next.due_at = (next.due_at + cadence).max(Instant::now());
    }
    Ok(())
}

fn picture(sample: &gst::Sample) -> Result<Picture> {
    let bad = || Error::invalid("a decoded picture cannot be read");
    let info = sample
        .caps()
        .and_then(|caps| gst_video::VideoInfo::from_caps(caps).ok())
        .ok_or_else(bad)?;
    let buffer = sample.buffer().ok_or_else(bad)?;
    let frame =
        gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info).map_err(|_| bad())?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    let mut i420 = Vec::with_capacity(width * height * 3 / 2);
    for (plane, width, height) in
        [(0, width, height), (1, width / 2, height / 2), (2, width / 2, height / 2)]
    {
        let stride = usize::try_from(frame.plane_stride()[plane as usize]).map_err(|_| bad())?;
        let rows = frame.plane_data(plane).map_err(|_| bad())?.chunks(stride).take(height);
        rows.for_each(|row| i420.extend_from_slice(&row[..width]));
    }
    Picture::from_i420(info.width(), info.height(), i420)
}
