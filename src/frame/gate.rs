//! Pure: has anything appeared in this pose's picture that was not there in the last minutes? If
//! not, the model need not be run.
//!
//! A picture is reduced to 80 cells across, each the mean brightness of its pixels, so that sensor
//! noise and trembling edges average out. It is compared with the pictures of the last three
//! minutes, after removing the change of overall brightness. A cell has changed when it differs by
//! more than a step and by more than its usual deviation, which is the mean deviation within a
//! minute before. So clouds, water, leaves and the clock in the picture do not count. A new object
//! keeps the gate open for two to three minutes, about as long as the model itself looks back. What
//! grows too slowly for that is left to the frames that are always let through.
//!
//! The constants were chosen on the training events so that no frame with a drawn box was shut out
//! and no fire was found later (benches/runs/2026-11-22-2core-x86-64/gate.txt).

use super::{Frame, Picture};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Cells across, 8 of 640 pixels each. A plume of 0.05 % of the picture covers one to four of them.
const CELLS_ACROSS: u32 = 80;
/// Interval between reference pictures: a minute, minus the jitter of a camera that sends one a
/// minute.
const MARK_EVERY: SignedDuration = SignedDuration::from_secs(55);
/// Number of reference pictures: three minutes.
const MARKS: usize = 3;
/// After a longer gap nothing is compared.
const GAP: SignedDuration = SignedDuration::from_mins(10);
/// Brightness levels of 256.
const STEP: f32 = 3.0;
/// A deviation counts as unusual from this multiple of the cell's usual deviation on.
const UNUSUAL: f32 = 6.0;
/// A single changed cell is a bird.
const CHANGED_CELLS: usize = 2;
/// Weight of the newest minute in the usual deviation, which so follows the weather within minutes.
const NEWEST: f32 = 0.2;
/// Minutes after which the usual deviation is known. Until then every frame is let through.
const KNOWN_FROM: u32 = 3;
/// How long a pose with a detection is watched without the gate.
const SUSPICIOUS_FOR: SignedDuration = SignedDuration::from_mins(10);

/// One for all poses; 45 kB a pose, 12 MB for 267.
#[derive(Debug)]
pub struct Gate {
    every: u32,
    poses: BTreeMap<(CameraId, PoseId), Pose>,
}

/// A picture as cells, row by row. Computed outside any lock: it is most of the work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cells(Vec<u8>);

impl Cells {
    pub fn of(picture: &Picture) -> Self {
        let down = (CELLS_ACROSS * picture.height()).div_ceil(picture.width());
        Self(picture.luma_resized(CELLS_ACROSS, down))
    }
}

impl Gate {
    /// For each pose one frame in `every` is let through whatever it shows; 1 = all.
    pub fn new(every: u32) -> Self {
        Self { every, poses: BTreeMap::new() }
    }

    /// Whether the model should be run on the frame. Call it with every frame of a pose, in time
    /// order.
    pub fn lets_through(&mut self, frame: &Frame, cells: Cells) -> bool {
        let pose = self.poses.entry((frame.camera.clone(), frame.pose.clone())).or_default();
        let now = frame.captured_at;
        let is_suspicious = pose.suspicious_until.is_some_and(|until| now < until);
        let is_open = pose.differs(now, cells) || is_suspicious || pose.closed + 1 >= self.every;
        pose.closed = if is_open { 0 } else { pose.closed + 1 };
        is_open
    }

    /// The pose shows another view, or nobody looks there any more.
    pub fn forget(&mut self, pose: &(CameraId, PoseId)) {
        self.poses.remove(pose);
    }

    /// The model found something in this frame, so the pose stays open.
    pub fn found(&mut self, frame: &Frame) {
        let pose = self.poses.entry((frame.camera.clone(), frame.pose.clone())).or_default();
        pose.suspicious_until = frame.captured_at.checked_add(SUSPICIOUS_FOR).ok();
    }
}

#[derive(Debug, Default)]
struct Pose {
    /// Oldest first.
    marks: VecDeque<Mark>,
    /// Each cell's usual deviation within a minute, and the number of minutes it was learnt from.
    /// It is learnt from references that have expired, so that nothing new counts as usual while it
    /// is still compared.
    usual: Vec<f32>,
    minutes: u32,
    /// Frames shut out in a row.
    closed: u32,
    suspicious_until: Option<Timestamp>,
}

/// The first picture of a minute. For each cell, the sum of its deviations until the next
/// reference, and the number of frames in that sum.
#[derive(Debug)]
struct Mark {
    at: Timestamp,
    cells: Cells,
    strayed: Vec<u16>,
    frames: u16,
}

impl Pose {
    /// Also true while too little is known.
    fn differs(&mut self, now: Timestamp, cells: Cells) -> bool {
        let follows = |mark: &Mark| {
            (SignedDuration::ZERO..=GAP).contains(&now.duration_since(mark.at))
                && mark.cells.0.len() == cells.0.len()
        };
        if !self.marks.back().is_some_and(follows) {
            *self = Self { suspicious_until: self.suspicious_until, ..Self::default() };
        }
        let mut differs = self.minutes < KNOWN_FROM;
        let mut last = None;
        for mark in &mut self.marks {
            let changes = changes(&mark.cells, &cells);
            differs = differs || is_unusual(&changes, &self.usual);
            last = Some((mark, changes));
        }
        if let Some((mark, changes)) = last {
            let strays = mark.strayed.iter_mut().zip(changes);
            strays
                .for_each(|(strayed, change)| *strayed = strayed.saturating_add(u16::from(change)));
            mark.frames = mark.frames.saturating_add(1);
        }
        if self.marks.back().is_none_or(|mark| now.duration_since(mark.at) >= MARK_EVERY) {
            let strayed = vec![0; cells.0.len()];
            self.marks.push_back(Mark { at: now, cells, strayed, frames: 0 });
            self.learn();
        }
        differs
    }

    fn learn(&mut self) {
        if self.marks.len() <= MARKS {
            return;
        }
        let Some(Mark { strayed, frames, .. }) = self.marks.pop_front() else { return };
        self.minutes = self.minutes.saturating_add(1);
        let share = NEWEST.max(1.0 / self.minutes as f32);
        self.usual.resize(strayed.len(), 0.0);
        for (usual, strayed) in self.usual.iter_mut().zip(strayed) {
            *usual += share * (f32::from(strayed) / f32::from(frames.max(1)) - *usual);
        }
    }
}

fn is_unusual(changes: &[u8], usual: &[f32]) -> bool {
    let unusual = changes
        .iter()
        .zip(usual)
        .filter(|(change, usual)| f32::from(**change) >= STEP + UNUSUAL * **usual);
    unusual.take(CHANGED_CELLS).count() == CHANGED_CELLS
}

/// The deviation of each cell, levels, without the change of overall brightness.
fn changes(before: &Cells, now: &Cells) -> Vec<u8> {
    let difference = |(before, now): (&u8, &u8)| i16::from(*now) - i16::from(*before);
    let differences: Vec<i16> = before.0.iter().zip(&now.0).map(difference).collect();
    let mut sorted = differences.clone();
    let middle = sorted.len() / 2;
    let whole = if sorted.is_empty() { 0 } else { *sorted.select_nth_unstable(middle).1 };
    differences
        .into_iter()
        .map(|difference| (difference - whole).unsigned_abs().min(255) as u8)
        .collect()
}

#[cfg(test)]
mod tests;
