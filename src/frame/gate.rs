//! Pure: has anything come into this pose's picture that was not there in the last minutes? If not, the model need not be asked.
//!
//! A picture becomes 80 cells across, each the mean brightness of its pixels: sensor noise and the trembling of edges average
//! out. It is compared with those of the last three minutes, less what the whole picture has brightened. A cell has changed
//! when it differs by more than a step and by more than this cell used to stray, on average, within a minute before that: clouds, water,
//! leaves and the burnt-in clock are at home. What is new keeps the gate open for two to three minutes, about as long as the
//! model itself looks back; what grows too slowly for that is left to the frames that are always let through.
//!
//! The numbers were chosen on the training events so that no frame with a drawn box was shut out and no fire was found later
//! (benches/runs/2026-11-22-2core-x86-64/gate.txt).

use super::{Frame, Picture};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Cells across: 8 pixels of 640 each, a plume of 0.05 % of the picture is one to four of them.
const CELLS_ACROSS: u32 = 80;
/// The pictures compared with lie so far apart: a minute, less the jitter of whoever sends one a minute.
const MARK_EVERY: SignedDuration = SignedDuration::from_secs(55);
/// So many of them: three minutes.
const MARKS: usize = 3;
/// After a longer gap nothing is compared.
const GAP: SignedDuration = SignedDuration::from_mins(10);
/// Brightness levels of 256.
const STEP: f32 = 3.0;
/// So many times what a cell usually strays is unusual.
const UNUSUAL: f32 = 6.0;
/// A single cell is a bird.
const CHANGED_CELLS: usize = 2;
/// Share of the newest minute in what is usual: it follows the weather within minutes.
const NEWEST: f32 = 0.2;
/// Minutes from which it is known what is usual; until then all is let through.
const KNOWN_FROM: u32 = 3;
/// A pose with a detection is watched without a gate for so long.
const SUSPICIOUS_FOR: SignedDuration = SignedDuration::from_mins(10);

/// One for all poses; 45 kB a pose, 12 MB for 267.
#[derive(Debug)]
pub struct Gate {
    every: u32,
    poses: BTreeMap<(CameraId, PoseId), Pose>,
}

/// A picture in cells, row by row. Made outside of any lock: it is most of the work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cells(Vec<u8>);

impl Cells {
    pub fn of(picture: &Picture) -> Self {
        let down = (CELLS_ACROSS * picture.height()).div_ceil(picture.width());
        Self(picture.luma_resized(CELLS_ACROSS, down))
    }
}

impl Gate {
    /// Of each pose one frame in `every` is let through whatever it shows; 1 = all.
    pub fn new(every: u32) -> Self {
        Self { every, poses: BTreeMap::new() }
    }

    /// Whether the frame is worth asking the model. Every frame of a pose is shown here, in time order.
    pub fn lets_through(&mut self, frame: &Frame, cells: Cells) -> bool {
        let pose = self.poses.entry((frame.camera.clone(), frame.pose.clone())).or_default();
        let now = frame.captured_at;
        let is_suspicious = pose.suspicious_until.is_some_and(|until| now < until);
        let is_open = pose.differs(now, cells) || is_suspicious || pose.closed + 1 >= self.every;
        pose.closed = if is_open { 0 } else { pose.closed + 1 };
        is_open
    }

    /// The model found something in this frame: the pose stays open.
    pub fn found(&mut self, frame: &Frame) {
        let pose = self.poses.entry((frame.camera.clone(), frame.pose.clone())).or_default();
        pose.suspicious_until = frame.captured_at.checked_add(SUSPICIOUS_FOR).ok();
    }
}

#[derive(Debug, Default)]
struct Pose {
    /// Oldest first.
    marks: VecDeque<Mark>,
    /// How far each cell strays within a minute, learnt from what the marks have left behind, so that something new is never
    /// taken for usual while it is compared; and from how many minutes.
    usual: Vec<f32>,
    minutes: u32,
    /// In a row.
    closed: u32,
    suspicious_until: Option<Timestamp>,
}

/// The first picture of a minute, and how far each cell strayed from it until the next mark: the sum over so many frames.
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
            (SignedDuration::ZERO..=GAP).contains(&now.duration_since(mark.at)) && mark.cells.0.len() == cells.0.len()
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
            strays.for_each(|(strayed, change)| *strayed = strayed.saturating_add(u16::from(change)));
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
    let unusual = changes.iter().zip(usual).filter(|(change, usual)| f32::from(**change) >= STEP + UNUSUAL * **usual);
    unusual.take(CHANGED_CELLS).count() == CHANGED_CELLS
}

/// How much each cell differs, in levels, beyond what the picture as a whole has brightened or darkened.
fn changes(before: &Cells, now: &Cells) -> Vec<u8> {
    let difference = |(before, now): (&u8, &u8)| i16::from(*now) - i16::from(*before);
    let differences: Vec<i16> = before.0.iter().zip(&now.0).map(difference).collect();
    let mut sorted = differences.clone();
    let middle = sorted.len() / 2;
    let whole = if sorted.is_empty() { 0 } else { *sorted.select_nth_unstable(middle).1 };
    differences.into_iter().map(|difference| (difference - whole).unsigned_abs().min(255) as u8).collect()
}

#[cfg(test)]
mod tests;
