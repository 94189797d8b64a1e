//! Pure: 可能网格: the grids a fix may lie in, each with its share of the uncertainty.
//!
//! The uncertainty is sampled at fixed places. An index of square cells finds the grid of each.

use super::{Area, County, Grid};
use crate::triage::event::Hint;
use crate::triage::geo::{Fix, LatLon};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Number of sampled places: 256 can tell a share of 5 % (13 of them) from zero, in less than a
/// millisecond.
const SAMPLES: usize = 256;
/// Cells per side of the index. With 2,570 grids of 1.4 km each cell touches two or three.
const CELLS: usize = 96;
/// Hand-drawn grids leave gaps. In a county without an outline, a place this near to a grid still
/// belongs to it, metres.
const GAP_M: f64 = 1000.0;
/// Places in no grid are compared with the outline, which has many corners. Every fourth is enough
/// for shares of 5 %.
const OUTLINE_EVERY: usize = 4;

/// One grid touched by the uncertainty.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct GridShare<'a> {
    pub grid: &'a Grid,
    /// How likely the fire lies in it, 0..=1: the share, weighted by the hints.
    pub weight: f64,
    /// Its share of the uncertainty itself.
    pub share: f64,
}

/// How the uncertainty is distributed.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct GridShares<'a> {
    /// The likeliest first. Among equals the one that holds the centre comes first, then by id.
    pub grids: Vec<GridShare<'a>>,
    /// Share outside the county, 0..=1.
    pub outside: f64,
    /// Centre of the part outside.
    pub beyond: Option<LatLon>,
}

impl County {
    /// Without grids in the county the list is empty. Then nothing counts as outside, unless there
    /// is an outline.
    pub(super) fn shares(&self, fix: &Fix, hints: &[Hint]) -> GridShares<'_> {
        let places = fix.sample(SAMPLES);
        let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        let mut stray: Vec<LatLon> = Vec::new();
        for (at, weight) in places.iter().zip(weights(&places, hints)) {
            match self.grid_index_at(*at) {
                Some(grid) => {
                    let (sum, count) = sums.entry(grid).or_default();
                    (*sum, *count) = (*sum + weight, *count + 1);
                }
                None => stray.push(*at),
            }
        }
        let home = self.grid_index_at(fix.centre);
        let mut ranked: Vec<(usize, (f64, usize))> = sums.into_iter().collect();
        ranked.sort_by(|(a, (one, _)), (b, (two, _))| {
            (two.total_cmp(one))
                .then_with(|| (Some(*b) == home).cmp(&(Some(*a) == home)))
                .then_with(|| self.grids[*a].id.cmp(&self.grids[*b].id))
        });
        let of_all = |sum: f64| sum / SAMPLES as f64;
        let grids = ranked.into_iter().map(|(grid, (sum, count))| GridShare {
            grid: &self.grids[grid],
            weight: of_all(sum),
            share: of_all(count as f64),
        });
        let grids = grids.collect();

        let asked = stray.iter().step_by(OUTLINE_EVERY);
        let (asked, beyond): (usize, Vec<LatLon>) =
            (asked.len(), asked.copied().filter(|at| self.is_outside(*at)).collect());
        let outside =
            beyond.len() as f64 / asked.max(1) as f64 * stray.len() as f64 / SAMPLES as f64;
        let mean = |of: fn(LatLon) -> f64| {
            beyond.iter().map(|at| of(*at)).sum::<f64>() / beyond.len() as f64
        };
        let middle = LatLon::new(mean(LatLon::lat_deg), mean(LatLon::lon_deg));
        GridShares { grids, outside, beyond: middle }
    }

    /// Outside the outline. Without one: farther from every grid than any gap between grids. Only
    /// for a place in no grid.
    fn is_outside(&self, at: LatLon) -> bool {
        match &self.outline {
            Some(outline) => !outline.contains(at),
            None => !self.grids.is_empty() && !self.is_near_a_grid(at, GAP_M),
        }
    }

    /// The grid that holds a place; of two that overlap the first.
    fn grid_index_at(&self, at: LatLon) -> Option<usize> {
        self.index().at(at).find(|n| self.grids[*n].area.contains(at))
    }

    /// The grid that holds a place.
    pub fn grid_at(&self, at: LatLon) -> Option<&Grid> {
        self.grid_index_at(at).and_then(|n| self.grids.get(n))
    }

    /// Whether a place lies in a grid.
    pub(super) fn holds(&self, at: LatLon) -> bool {
        self.grid_index_at(at).is_some()
    }

    pub(super) fn is_near_a_grid(&self, at: LatLon, margin_m: f64) -> bool {
        let boxes = &self.index().boxes;
        let near = boxes
            .iter()
            .enumerate()
            .filter(|(_, it)| it.is_some_and(|it| it.distance_m(at) <= margin_m));
        let mut near = near.map(|(n, _)| &self.grids[n].area);
        near.any(|area| area.contains(at) || area.edge_distance_m(at) <= margin_m)
    }

    pub(super) fn index(&self) -> &Index {
        self.grid_index.0.get_or_init(|| Index::new(&self.grids, self.outline.as_ref()))
    }
}

/// How likely each place is, with a mean of 1. A place near a linked incident's believed position
/// is likelier, weighted by how likely both are one fire.
fn weights(places: &[LatLon], hints: &[Hint]) -> Vec<f64> {
    let mut weights = vec![1.0; places.len()];
    for Hint { fix, likely } in hints {
        // A hint that meets none of the places is another fire, and says nothing about this one.
        let meets = places.iter().any(|at| fix.is_near(*at));
        let likelihoods: Vec<f64> = places.iter().map(|at| fix.likelihood(*at)).collect();
        let mean = likelihoods.iter().sum::<f64>() / places.len() as f64;
        if meets && mean > 0.0 {
            let of = |likelihood: f64| 1.0 - likely + likely * likelihood / mean;
            weights
                .iter_mut()
                .zip(likelihoods)
                .for_each(|(weight, likelihood)| *weight *= of(likelihood));
        }
    }
    let mean = weights.iter().sum::<f64>() / places.len() as f64;
    weights.iter().map(|weight| weight / mean).collect()
}

/// The index of a county's grids, built on first use. A county's grids and outline never change: a
/// new register is a new `County`.
#[derive(Default)]
pub struct GridIndex(OnceLock<Index>);

/// A clone builds its own index: its grids may be changed before the first use.
impl Clone for GridIndex {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The index follows from the grids, so it is left out of comparisons.
impl PartialEq for GridIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for GridIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GridIndex")
    }
}

pub(super) struct Index {
    /// Bounds of everything.
    pub whole: Option<Bounds>,
    /// Bounds of each grid.
    boxes: Vec<Option<Bounds>>,
    /// Bounds of all grids, divided into cells.
    around_grids: Option<Bounds>,
    cells: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Bounds {
    low: LatLon,
    high: LatLon,
}

impl Bounds {
    fn of(area: &Area) -> Option<Self> {
        area.bounds().map(|(low, high)| Self { low, high })
    }

    fn around(boxes: impl Iterator<Item = Self>) -> Option<Self> {
        let corners = boxes.flat_map(|it| [it.low, it.high]);
        super::area::bounds(corners).map(|(low, high)| Self { low, high })
    }

    /// Metres to the nearest point of the box, 0 inside; computed on a plane.
    pub(super) fn distance_m(&self, at: LatLon) -> f64 {
        let lat_deg = at.lat_deg().clamp(self.low.lat_deg(), self.high.lat_deg());
        let lon_deg = at.lon_deg().clamp(self.low.lon_deg(), self.high.lon_deg());
        let [east_m, north_m] = LatLon::new(lat_deg, lon_deg)
            .map_or([f64::INFINITY; 2], |it| crate::triage::ray::plane(at, it));
        east_m.hypot(north_m)
    }

    /// Column and row of the cell that holds a place, or of the nearest cell.
    fn cell(&self, at: LatLon) -> (usize, usize) {
        let share =
            |value: f64, low: f64, high: f64| (value - low) / (high - low).max(f64::MIN_POSITIVE);
        let cell = |share: f64| ((share * CELLS as f64).max(0.0) as usize).min(CELLS - 1);
        (
            cell(share(at.lon_deg(), self.low.lon_deg(), self.high.lon_deg())),
            cell(share(at.lat_deg(), self.low.lat_deg(), self.high.lat_deg())),
        )
    }

    fn holds(&self, at: LatLon) -> bool {
        (self.low.lat_deg()..=self.high.lat_deg()).contains(&at.lat_deg())
            && (self.low.lon_deg()..=self.high.lon_deg()).contains(&at.lon_deg())
    }
}

impl Index {
    fn new(grids: &[Grid], outline: Option<&Area>) -> Self {
        let boxes: Vec<Option<Bounds>> = grids.iter().map(|grid| Bounds::of(&grid.area)).collect();
        let around_grids = Bounds::around(boxes.iter().flatten().copied());
        let mut cells = vec![Vec::new(); CELLS * CELLS];
        for (n, bounds) in boxes.iter().enumerate() {
            let (Some(bounds), Some(around)) = (bounds, around_grids) else { continue };
            let ((west, south), (east, north)) =
                (around.cell(bounds.low), around.cell(bounds.high));
            for row in south..=north {
                (west..=east).for_each(|column| cells[row * CELLS + column].push(n));
            }
        }
        let whole = Bounds::around(around_grids.into_iter().chain(outline.and_then(Bounds::of)));
        Self { whole, boxes, around_grids, cells }
    }

    /// Grids whose box holds the place.
    fn at(&self, at: LatLon) -> impl Iterator<Item = usize> {
        let around = self.around_grids.filter(|it| it.holds(at));
        let cell =
            around.map(|it| it.cell(at)).map(|(column, row)| &self.cells[row * CELLS + column]);
        cell.into_iter()
            .flatten()
            .copied()
            .filter(move |n| self.boxes[*n].is_some_and(|it| it.holds(at)))
    }

    /// Grids with the distance of their boxes from a place, nearest first.
    pub(super) fn by_distance(&self, at: LatLon) -> Vec<(f64, usize)> {
        let distances = self
            .boxes
            .iter()
            .enumerate()
            .filter_map(|(n, it)| Some((it.as_ref()?.distance_m(at), n)));
        let mut sorted: Vec<(f64, usize)> = distances.collect();
        sorted.sort_by(nearer);
        sorted
    }

    /// The `count` grids whose boxes are nearest.
    pub(super) fn nearest(&self, at: LatLon, count: usize) -> Vec<usize> {
        let distances = self
            .boxes
            .iter()
            .enumerate()
            .filter_map(|(n, it)| Some((it.as_ref()?.distance_m(at), n)));
        let mut found: Vec<(f64, usize)> = distances.collect();
        if found.len() > count {
            found.select_nth_unstable_by(count, nearer);
            found.truncate(count);
        }
        found.sort_by(nearer);
        found.into_iter().map(|(_, n)| n).collect()
    }
}

fn nearer((a, n): &(f64, usize), (b, m): &(f64, usize)) -> std::cmp::Ordering {
    a.total_cmp(b).then_with(|| n.cmp(m))
}
