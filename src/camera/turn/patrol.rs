//! Pure: a turning camera, look by look: the pose of each picture, how well the camera sees at each
//! of its views, and whether it still comes by its presets.

use crate::camera::fault::Fault;
use crate::camera::fault::patrol::Patrol as Trouble;
use crate::camera::sight::{Measurements, Shown, Sight, Views};
use crate::frame::{self, KnownView, Picture, ViewName};
use crate::triage::id::PoseId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// After this time in clear pictures without a named view the office is told. The rule for
/// patrols is a round of 30 minutes at most (LY/T 2581); this is two.
const LOST_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Most time that one look stands for: nobody saw the camera during a longer gap.
const LOOK_MAX: SignedDuration = SignedDuration::from_mins(1);
/// The key under which pictures are judged whose view cannot be told. Views begin with 1.
const UNCLEAR: u32 = 0;

pub(super) struct Patrol {
    /// Poses of the register.
    presets: BTreeSet<PoseId>,
    views: Views,
    /// How well it sees, at each view.
    sights: BTreeMap<u32, Sight>,
    /// The key of the last picture's judgement; `None`: it turned.
    at: Option<u32>,
    last_at: Option<Timestamp>,
    /// What stands between lens and scene, as last judged.
    fault: Option<Fault>,
    /// Time in clear pictures since a named view was seen, and since any was.
    lost: SignedDuration,
    restless: SignedDuration,
    board: frame::Patrol,
    /// Poses that mean something else from here on, until they are asked for.
    over: Vec<PoseId>,
}

impl Patrol {
    pub(super) fn new(presets: BTreeSet<PoseId>, known: &[KnownView]) -> Self {
        Self {
            presets,
            views: Views::of(known),
            sights: BTreeMap::new(),
            at: None,
            last_at: None,
            fault: None,
            lost: SignedDuration::ZERO,
            restless: SignedDuration::ZERO,
            board: frame::Patrol::default(),
            over: Vec::new(),
        }
    }

    /// The register has other presets. What was seen stays.
    pub(super) fn has_presets(&mut self, presets: BTreeSet<PoseId>) {
        self.presets = presets;
    }

    pub(super) fn name(&mut self, names: Vec<ViewName>) {
        for name in names {
            self.views.name(name);
            self.lost = SignedDuration::ZERO;
        }
    }

    /// Pictures are compared afresh after a gap. Views are kept.
    pub(super) fn resume(&mut self) {
        self.sights.values_mut().for_each(Sight::resume);
        (self.at, self.last_at, self.fault) = (None, None, None);
    }

    /// The office says that the camera sees well as it is.
    pub(super) fn accept(&mut self) {
        self.sights.clear();
        (self.fault, self.lost, self.restless) = (None, SignedDuration::ZERO, SignedDuration::ZERO);
    }

    /// The pose that the picture shows; `None`: the camera turns.
    pub(super) fn look(
        &mut self,
        look: &Measurements,
        at: Timestamp,
        frozen_after: SignedDuration,
        picture: impl FnOnce() -> Arc<Picture>,
    ) -> Option<PoseId> {
        let last = self.last_at.replace(at);
        let since = last.map_or(SignedDuration::ZERO, |last| {
            at.duration_since(last).clamp(SignedDuration::ZERO, LOOK_MAX)
        });
        let shown = self.views.observe(look, at, picture);
        let dropped = self.views.take_dropped();
        self.over.extend(dropped.map(|number| PoseId::unregistered(Some(number))));
        if let Some(number) = dropped {
            self.sights.remove(&number);
        }
        let (key, pose) = match shown {
            Shown::View(number) => (Some(number), Some(self.pose_of(number))),
            Shown::Turning => (None, None),
            Shown::Unclear { is_other } => {
                let pose = PoseId::unregistered(None);
                if is_other {
                    self.over.push(pose.clone());
                }
                (Some(UNCLEAR), Some(pose))
            }
        };
        self.count(shown, pose.as_ref(), since);
        if let Some(key) = key {
            let sight = self.sights.entry(key).or_default();
            if self.at != Some(key) {
                sight.arrive();
            }
            let judged = sight.weigh(look, at, frozen_after, None);
            // Where it looks is told by its views.
            self.fault = judged.fault.filter(|it| it.health() != frame::Health::Moved);
        }
        self.at = key;
        (self.board.views, self.board.pose) = (self.views.known().cloned().collect(), pose.clone());
        pose
    }

    fn count(&mut self, shown: Shown, pose: Option<&PoseId>, since: SignedDuration) {
        match shown {
            Shown::View(_) if pose.is_some_and(|pose| !pose.is_unregistered()) => {
                (self.lost, self.restless) = (SignedDuration::ZERO, SignedDuration::ZERO);
            }
            Shown::View(_) => {
                self.lost += since;
                self.restless = SignedDuration::ZERO;
            }
            Shown::Turning => {
                self.lost += since;
                self.restless += since;
                self.board.turning += 1;
            }
            Shown::Unclear { .. } => self.board.unclear += 1,
        }
    }

    /// The pose of a picture of the main stream: that of the last screened one, if it shows the same
    /// view.
    pub(super) fn pose_of_main(&self, look: &Measurements) -> Option<PoseId> {
        let number = self.at.filter(|_| self.views.is_still_there(look))?;
        Some(self.pose_of(number))
    }

    fn pose_of(&self, number: u32) -> PoseId {
        let preset = self.views.get(number).and_then(|view| view.record.preset.as_ref());
        let preset = preset.filter(|preset| self.presets.contains(preset));
        preset.cloned().unwrap_or_else(|| PoseId::unregistered(Some(number)))
    }

    /// Poses whose past is void, each once.
    pub(super) fn take_over(&mut self) -> Vec<PoseId> {
        std::mem::take(&mut self.over)
    }

    pub(super) fn board(&self) -> frame::Patrol {
        self.board.clone()
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.clone().or_else(|| self.trouble().map(Fault::Patrol))
    }

    fn trouble(&self) -> Option<Trouble> {
        let is_named = |view: &KnownView| {
            view.record.preset.as_ref().is_some_and(|preset| self.presets.contains(preset))
        };
        if self.restless >= LOST_AFTER {
            Some(Trouble::Restless { minutes: self.restless.as_mins() })
        } else if !self.views.known().any(is_named) {
            Some(Trouble::Unnamed { views: self.views.known().count() })
        } else {
            let minutes = self.lost.as_mins();
            (self.lost >= LOST_AFTER).then_some(Trouble::Lost { minutes })
        }
    }
}

#[cfg(test)]
mod tests;
