//! Pure: at which of its views does a turning camera look? A picture shows a view if its edges match
//! the view's reference at the same place, and no other view's nearly as well. A clear picture that
//! matches none, but the picture before it, shows a view that nobody has seen before: the camera has
//! stopped there. One that does not even match the picture before it shows the camera turning.
//!
//! A view is never guessed. Where two views look alike, or night or fog hides the scene, the answer
//! is that it cannot be told.

use super::pose::{BETTER, FOLLOWS_IN, SAME, edges, likeness_here};
use super::small::{DARK_MEAN, Measurements, ROWS, WIDTH};
use crate::frame::{KnownView, Picture, ViewName, ViewRecord};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Views kept of one camera. Patrols have up to 32 presets; the rest is where people have turned it
/// by hand. Of those the one that was not seen for longest goes first.
pub(crate) const VIEWS_MAX: usize = 48;
/// Edges weaker than this (root mean square, levels) are the noise of the sensor: there is nothing
/// by which a view could be told. The tests' hills have 12, and 1.2 in thick fog.
const EDGES_MIN: f32 = 2.0;
/// The picture by which a view is shown to people, and known after a restart, is not older than this.
const PICTURED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What a picture shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// The view with this number.
    View(u32),
    /// The camera turns, or has just arrived where it has never been seen.
    Turning,
    /// Night, fog or two views that are alike. `is_other`: it does not match the picture before.
    Unclear { is_other: bool },
}

/// The views of one camera, and its last picture: 0.19 MB a view.
#[derive(Debug, Default)]
pub(crate) struct Views {
    all: Vec<View>,
    last: Option<Vec<i16>>,
    /// The view of the last picture.
    at: Option<u32>,
    /// A view that made room for another, until it is asked for.
    dropped: Option<u32>,
}

/// Which of the views a picture matches.
enum Match {
    /// Its index.
    View(usize),
    Nothing,
    Unclear,
}

#[derive(Debug)]
struct View {
    known: KnownView,
    /// The reference, and as it is compared: that is done with every picture.
    edges: Vec<f32>,
    rounded: Vec<i16>,
}

impl Views {
    /// The views that were known before a restart.
    pub(crate) fn of(known: &[KnownView]) -> Self {
        let view = |known: &KnownView| {
            View::new(known.clone(), &edges(&Measurements::at(&known.picture).luma))
        };
        Self { all: known.iter().map(view).collect(), ..Self::default() }
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = &KnownView> {
        self.all.iter().map(|view| &view.known)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&KnownView> {
        self.known().find(|known| known.record.number == number)
    }

    /// The view that was dropped at the last look.
    pub(crate) fn take_dropped(&mut self) -> Option<u32> {
        self.dropped.take()
    }

    pub(crate) fn name(&mut self, ViewName { view, preset }: ViewName) {
        if let Some(it) = self.all.iter_mut().find(|it| it.known.record.number == view) {
            it.known.record.preset = preset;
        }
    }

    /// Tells what the picture shows, and learns from it. `picture`: as it is shown to people.
    pub(crate) fn observe(
        &mut self,
        look: &Measurements,
        at: Timestamp,
        picture: impl FnOnce() -> Arc<Picture>,
    ) -> Shown {
        let seen = edges(&look.luma);
        let is_still = self.last.as_ref().is_some_and(|last| likeness_here(last, &seen) >= SAME);
        let shown = match self.recognise(look, &seen) {
            Match::View(index) => Shown::View(self.seen(index, &seen, at, picture)),
            Match::Nothing if is_still => match self.begin(&seen, at, picture) {
                Some(number) => Shown::View(number),
                None => Shown::Unclear { is_other: false },
            },
            Match::Nothing => Shown::Turning,
            Match::Unclear => Shown::Unclear { is_other: !is_still },
        };
        self.at = if let Shown::View(number) = shown { Some(number) } else { None };
        self.last = Some(seen);
        shown
    }

    /// Whether a picture of the main stream shows the view of the last screened picture. The camera
    /// may have turned between the two.
    pub(crate) fn is_still_there(&self, look: &Measurements) -> bool {
        match self.recognise(look, &edges(&look.luma)) {
            Match::View(index) => Some(self.all[index].known.record.number) == self.at,
            Match::Nothing | Match::Unclear => false,
        }
    }

    fn recognise(&self, look: &Measurements, seen: &[i16]) -> Match {
        if look.mean < DARK_MEAN || strength(seen) < EDGES_MIN {
            return Match::Unclear;
        }
        let fits: Vec<f32> = self.all.iter().map(|view| view.fits(seen)).collect();
        let best = fits.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((best, fit)) = best.filter(|(_, fit)| *fit >= SAME) else { return Match::Nothing };
        let preset = |index: usize| self.all[index].known.record.preset.as_ref();
        // Several views may be one preset: by day and by infrared, in summer and in snow.
        let is_rival = |index: usize| {
            index != best && (preset(index).is_none() || preset(index) != preset(best))
        };
        let is_alike = fits.iter().enumerate().any(|(i, it)| is_rival(i) && *it > fit - BETTER);
        if is_alike { Match::Unclear } else { Match::View(best) }
    }

    fn seen(
        &mut self,
        index: usize,
        seen: &[i16],
        at: Timestamp,
        picture: impl FnOnce() -> Arc<Picture>,
    ) -> u32 {
        let View { known: KnownView { record, picture: shown }, edges, rounded } =
            &mut self.all[index];
        let since = at.duration_since(record.last_at);
        let share = (since.as_secs_f32() / FOLLOWS_IN.as_secs_f32()).clamp(0.0, 0.1);
        for ((own, compared), &new) in edges.iter_mut().zip(rounded).zip(seen) {
            *own += (f32::from(new) - *own) * share;
            *compared = *own as i16;
        }
        record.visits += u64::from(self.at != Some(record.number));
        record.looks += 1;
        record.last_at = at;
        if at.duration_since(record.pictured_at).abs() >= PICTURED_EVERY {
            (*shown, record.pictured_at) = (picture(), at);
        }
        record.number
    }

    /// A view that was never seen before. `None`: there are too many, and the office has named all.
    fn begin(
        &mut self,
        seen: &[i16],
        at: Timestamp,
        picture: impl FnOnce() -> Arc<Picture>,
    ) -> Option<u32> {
        let number = self.known().map(|known| known.record.number).max().unwrap_or_default() + 1;
        if self.all.len() >= VIEWS_MAX {
            let unnamed =
                self.all.iter().enumerate().filter(|(_, view)| view.known.record.preset.is_none());
            let (oldest, _) = unnamed.min_by_key(|(_, view)| view.known.record.last_at)?;
            self.dropped = Some(self.all.remove(oldest).known.record.number);
        }
        let record =
            ViewRecord { number, preset: None, visits: 1, looks: 1, last_at: at, pictured_at: at };
        self.all.push(View::new(KnownView { record, picture: picture() }, seen));
        Some(number)
    }
}

impl View {
    fn new(known: KnownView, seen: &[i16]) -> Self {
        Self {
            known,
            edges: seen.iter().map(|&it| f32::from(it)).collect(),
            rounded: seen.to_vec(),
        }
    }

    fn fits(&self, seen: &[i16]) -> f32 {
        likeness_here(&self.rounded, seen)
    }
}

/// Root mean square, levels.
fn strength(edges: &[i16]) -> f32 {
    let squares: i64 = edges.iter().map(|&e| i64::from(e) * i64::from(e)).sum();
    (squares as f32 / (WIDTH * ROWS) as f32).sqrt()
}

#[cfg(test)]
mod tests;
