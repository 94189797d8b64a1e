//! 主码流: fetches single keyframes of a suspicious camera's main stream, and closes the stream
//! after each. The screened stream finds smoke, the main stream shows it in full size. A fetch
//! never delays a look. Driven by the thread that watches the receivers.

use super::open::{by_rtspsrc, may_change, open};
use super::reading::Reading;
use super::reconnect::Backoff;
use crate::camera::fault::Fault;
use crate::camera::gst::pipelines::Pipelines;
use crate::camera::gst::template::Outlet;
use crate::camera::gst::{Pipeline, drop_delta_units, fault_of, keyframe_of};
use crate::camera::keyframe::Keyframe;
use crate::camera::source::CameraSource;
use crate::camera::turn::slots::Slots;
use crate::config::CameraConfig;
use crate::error::Error;
use crate::triage::detection::Stream;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Main streams open at the same time: at 4 Mbit/s each, 32 Mbit/s for some seconds.
pub(super) const FETCHES_MAX: usize = 8;

/// One fetch begins per interval. A second look costs about 130 ms (decoding 1080p, and three runs
/// of the model), so even a county full of suspicions costs a quarter of a core. Cameras that wait
/// are looked at on their screened stream meanwhile.
const BEGIN_EVERY: SignedDuration = SignedDuration::from_millis(500);

/// Cameras send a keyframe every 2 to 5 s. After this time the fetch is given up.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_secs(6);

/// The fetches under way.
pub(crate) struct Fetches {
    slots: Arc<Slots>,
    running: Vec<Fetch>,
    /// For the cameras whose last fetch failed.
    backoffs: BTreeMap<usize, Backoff>,
    /// Which reading of each login works, kept as long as the camera is not connected anew.
    readings: BTreeMap<usize, Reading>,
    next_at: Timestamp,
}

impl Fetches {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        Self {
            slots,
            running: Vec::new(),
            backoffs: BTreeMap::new(),
            readings: BTreeMap::new(),
            next_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Of the cameras that have gone or are connected anew, nothing stays: fetches end, and neither
    /// waits nor readings of logins are kept.
    pub(crate) fn keep_only(&mut self, stays: impl Fn(usize) -> bool) {
        self.running.retain(|fetch| stays(fetch.index));
        self.backoffs.retain(|index, _| stays(*index));
        self.readings.retain(|index, _| stays(*index));
    }

    /// Collects finished fetches, gives up overdue ones, begins at most one.
    pub(crate) fn tick(&mut self, pipelines: &Pipelines, now: Timestamp) {
        for fetch in std::mem::take(&mut self.running) {
            match fetch.outcome(now) {
                Some(outcome) => {
                    let index = fetch.index;
                    // Close before reporting: a camera that allows few connections must not be
                    // asked again earlier.
                    drop(fetch);
                    self.end(index, outcome, now);
                }
                None => self.running.push(fetch),
            }
        }
        if self.running.len() >= FETCHES_MAX || now < self.next_at {
            return;
        }
        let may_be_asked =
            |index| self.backoffs.get(&index).is_none_or(|backoff| backoff.is_due(now));
        let Some(index) = self.slots.wants_main(now, may_be_asked) else { return };
        self.next_at = now.checked_add(BEGIN_EVERY).unwrap_or(Timestamp::MAX);
        let reading = self.readings.entry(index).or_default();
        match Fetch::begin(&self.slots, index, reading, pipelines, now) {
            Ok(fetch) => self.running.push(fetch),
            Err(fault) => self.end(index, Err(fault), now),
        }
    }

    fn end(&mut self, index: usize, outcome: Result<Keyframe, Fault>, now: Timestamp) {
        let reading = self.readings.entry(index).or_default();
        match &outcome {
            Ok(_) => {
                reading.worked();
                self.backoffs.remove(&index);
            }
            Err(fault) => {
                let CameraConfig { reconnect_min, reconnect_max, .. } = self.slots.config;
                let backoff = self
                    .backoffs
                    .entry(index)
                    .or_insert_with(|| Backoff::new(reconnect_min, reconnect_max, 0.0));
                let source = self.slots.source(index);
                let main = source.as_ref().and_then(|source| source.main.as_ref());
                let readings = main.map_or(0, |main| main.address.readings());
                _ = match fault {
                    Fault::WrongPassword { .. } if reading.refused(readings) => backoff.failed(now),
                    Fault::WrongPassword { .. } | Fault::NoSuchStream => backoff.refused(now),
                    _ => backoff.failed(now),
                };
            }
        }
        self.slots.main_came(index, outcome);
    }
}

/// One open main stream. Dropping it closes it.
struct Fetch {
    index: usize,
    had_password: bool,
    pipeline: Pipeline,
    sink: AppSink,
    begun_at: Timestamp,
    /// Video arrives, even if only delta frames.
    flows: Arc<AtomicBool>,
    got: Arc<OnceLock<Result<Keyframe, Fault>>>,
}

impl Fetch {
    fn begin(
        slots: &Arc<Slots>,
        index: usize,
        reading: &Reading,
        pipelines: &Pipelines,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let camera = slots.source(index).ok_or(Fault::NoSuchStream)?;
        let mut source: &CameraSource = camera.main.as_deref().ok_or(Fault::NoSuchStream)?;
        let other = by_rtspsrc(source);
        // What ended our own source on the screened stream would end it on this one.
        if slots.is_by_rtspsrc(index) && may_change(source, &slots.config.pipeline) {
            source = &other;
        }
        let (pipeline, sink, line) =
            open(source, reading, &source.kind()?, &slots.config.pipeline, pipelines)?;
        let (name, outlet) = (line.name, line.outlet);
        sink.set_property("sync", false);
        sink.set_property("drop", true);
        let flows = Arc::new(AtomicBool::new(false));
        if outlet == Outlet::Keyframes {
            let flows = Arc::clone(&flows);
            drop_delta_units(&sink, move || flows.store(true, Ordering::Relaxed));
        }
        let got = Arc::new(OnceLock::new());
        let (first, clock) = (Arc::clone(&got), slots.clock.clone());
        let new_sample = move |sink: &AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            first.get_or_init(|| {
                let keyframe = keyframe_of(&sample, clock.now());
                let bad = |e: Error| Fault::BadPipeline { name: name.clone(), why: e.chain() };
                Ok(Keyframe { stream: Stream::Main, ..keyframe.map_err(bad)? })
            });
            Ok(gst::FlowSuccess::Ok)
        };
        sink.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).build());
        pipeline.play()?;
        Ok(Self {
            index,
            had_password: source.address.has_login(),
            pipeline,
            sink,
            begun_at: now,
            flows,
            got,
        })
    }

    /// The first keyframe, or why there is none; None while it may still come.
    fn outcome(&self, now: Timestamp) -> Option<Result<Keyframe, Fault>> {
        if let Some(got) = self.got.get() {
            return Some(got.clone());
        }
        let message =
            self.pipeline.0.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        if let Some(gst::MessageView::Error(error)) = message.as_ref().map(|message| message.view())
        {
            return Some(Err(match fault_of(error) {
                Fault::WrongPassword { .. } => Fault::WrongPassword { had_one: self.had_password },
                fault => fault,
            }));
        }
        if self.sink.is_eos() {
            return Some(Err(Fault::StreamEnded));
        }
        let waited = now.duration_since(self.begun_at);
        let seconds = waited.as_secs();
        (waited >= GIVE_UP_AFTER).then(|| match self.flows.load(Ordering::Relaxed) {
            true => Err(Fault::RareKeyframes { seconds }),
            false => Err(Fault::Silent { seconds, offline: true }),
        })
    }
}

#[cfg(test)]
mod tests;
