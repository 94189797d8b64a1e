//! Pure: whether a picture of a camera's main stream is wanted, and the last one fetched.

use crate::camera::fault::Fault;
use crate::camera::keyframe::Keyframe;
use crate::lang::Lang;
use jiff::{SignedDuration, Timestamp};

/// The state of one camera's main stream.
#[derive(Default)]
pub(super) struct MainSlot {
    wanted_until: Timestamp,
    waits_since: Timestamp,
    is_fetching: bool,
    keyframe: Option<Keyframe>,
}

impl MainSlot {
    /// The camera is suspicious until `until`. A repeated call only moves the end.
    pub(super) fn ask(&mut self, now: Timestamp, until: Timestamp) {
        if self.wanted_until <= now {
            self.waits_since = now;
        }
        self.wanted_until = self.wanted_until.max(until);
    }

    pub(super) fn is_waiting(&self, now: Timestamp) -> bool {
        now < self.wanted_until && !self.is_fetching && self.keyframe.is_none()
    }

    pub(super) fn waits_since(&self) -> Timestamp {
        self.waits_since
    }

    pub(super) fn begin(&mut self) {
        self.is_fetching = true;
    }

    /// A camera that has had its turn goes to the back of the queue.
    pub(super) fn end(&mut self, keyframe: Option<Keyframe>, now: Timestamp) {
        (self.is_fetching, self.keyframe, self.waits_since) = (false, keyframe, now);
    }

    /// A picture older than a cadence says less than what the screened stream shows now.
    pub(super) fn has(&self, now: Timestamp, cadence: SignedDuration) -> bool {
        self.keyframe
            .as_ref()
            .is_some_and(|keyframe| now.duration_since(keyframe.captured_at) <= cadence)
    }

    pub(super) fn take(&mut self, now: Timestamp, cadence: SignedDuration) -> Option<Keyframe> {
        let has_one = self.has(now, cadence);
        self.keyframe.take().filter(|_| has_one)
    }
}

/// "北山主码流：…": the cause, the cure, and what is done meanwhile.
pub(super) fn sentence(fault: &Fault, camera: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!(
            "{}；此前复核和证据图片用子码流",
            fault.sentence(&format!("{camera}主码流"), lang)
        ),
        Lang::En => {
            let fault = fault.sentence(&format!("{camera} main stream"), lang);
            format!("{fault}; until then second looks and evidence pictures use the sub-stream")
        }
    }
}
