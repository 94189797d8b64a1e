//! Pure: where a pose's tiles lie, and which of them are analysed next. Three tiles of half the
//! picture's width and height lie side by side along the horizon; each overlaps the next by half.
//! Smoke of the size at which the whole view misses it is four times as large in a tile.
//!
//! ```text
//!  0   ┌────────────────────────┐
//!      │  sky                   │     top = skyline − a third of a tile
//!      ├─────┬─────┬─────┬──────┤
//!  skyl│ ~~~~│~~~~~│~~~~~│~~~~~ │     tiles at x = 0, 0.25, 0.5
//!      ├─────┴─────┴─────┴──────┤
//!      └────────────────────────┘
//! ```
//!
//! Each look chooses its tiles anew. There is no queue, and a tile that is not chosen is not
//! deferred.

use crate::frame::Picture;
use crate::triage::detection::{BoundingBox, Detection, TILE_STEPS, Tile};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;

/// Left edges of the tiles, in steps of 1/200 of the picture.
const LEFTS: [u8; 3] = [0, 50, 100];
const SIDE: u8 = TILE_STEPS / 2;
/// Top of the tiles until a skyline is found: the middle half of the picture, where most cameras
/// show the hills.
const TOP_UNKNOWN: u8 = TILE_STEPS / 4;

/// Pictures are compared in cells, 80 across: 8 pixels of 640 each, so that noise and trembling
/// edges average out.
const CELLS_ACROSS: u32 = 80;
/// An edge compares the means of this many cells above and below it. The ground must be darker than
/// the sky by this many grey levels of 256.
const EDGE_CELLS: usize = 2;
const EDGE_STEP: u16 = 20;
/// The position is decided by this many pictures with a skyline; a single one may show a cloud's
/// edge.
const VOTES: usize = 3;
/// Grey levels by which a cell must change to be worth a look. Noise changes a mean of 64 pixels by
/// less.
const CHANGE_STEP: u8 = 3;
/// Grey levels between neighbouring cells. Plain sky and thick fog stay below this everywhere.
const PLAIN_STEP: u8 = 4;
/// A tile is overdue after this many looks, whatever it shows: one minute at a cadence of 10 s.
const PASSED_OVER_MAX: u32 = 6;
/// How long a place stays suspected after it was last seen.
const SUSPECTED_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Suspected places per picture; where there are more, they are not plumes.
const SUSPECTED_MAX: usize = 8;

/// A picture in cells, row by row; each is the mean brightness of its pixels. 3.6 kB at 16:9.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sketch(Vec<u8>);

impl Sketch {
    pub(super) fn of(picture: &Picture) -> Self {
        let down = (CELLS_ACROSS * picture.height()).div_ceil(picture.width());
        Self(picture.luma_resized(CELLS_ACROSS, down))
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.0.chunks_exact(CELLS_ACROSS as usize)
    }

    /// The cells of a tile, row by row.
    fn cut(&self, tile: Tile) -> Vec<&[u8]> {
        let part = |steps: u8, of: usize| usize::from(steps) * of / usize::from(TILE_STEPS);
        let (across, down) = (CELLS_ACROSS as usize, self.rows().len());
        let columns = part(tile.x, across)..part(tile.x + tile.w, across);
        let rows = self.rows().skip(part(tile.y, down)).take(part(tile.h, down));
        rows.map(|row| &row[columns.clone()]).collect()
    }
}

/// Height of the skyline as a fraction of the picture's height from the top: the median over the
/// columns of each column's strongest step from bright above to dark below. `None`: less than half
/// of the columns have such a step.
fn skyline(sketch: &Sketch) -> Option<f32> {
    let rows: Vec<&[u8]> = sketch.rows().collect();
    let edge = |column: usize| {
        let sum = |rows: &[&[u8]]| rows.iter().map(|row| u16::from(row[column])).sum::<u16>();
        let step = |at: usize| {
            sum(&rows[at - EDGE_CELLS..at]).saturating_sub(sum(&rows[at..at + EDGE_CELLS]))
        };
        let steps = (EDGE_CELLS..(rows.len() + 1).saturating_sub(EDGE_CELLS))
            .map(|at| (step(at), Reverse(at)));
        steps
            .max()
            .filter(|(step, _)| *step >= EDGE_STEP * EDGE_CELLS as u16)
            .map(|(_, Reverse(at))| at)
    };
    let mut edges: Vec<usize> = (0..CELLS_ACROSS as usize).filter_map(edge).collect();
    if edges.len() * 2 < CELLS_ACROSS as usize {
        return None;
    }
    let middle = edges.len() / 2;
    Some(*edges.select_nth_unstable(middle).1 as f32 / rows.len() as f32)
}

/// The upper edge of the tiles: a third of a tile is sky, into which smoke rises.
fn top(skyline: f32) -> u8 {
    let steps = skyline * f32::from(TILE_STEPS) - f32::from(SIDE) / 3.0;
    steps.round().clamp(0.0, f32::from(TILE_STEPS - SIDE)) as u8
}

/// The state of one pose's tiles between two looks: 11 kB.
#[derive(Clone, Debug, Default)]
pub(super) struct Tiles {
    /// Set once, until the register gives another skyline: tiles that move lose their pasts.
    top: Option<u8>,
    /// Skylines found so far, until there are enough.
    votes: Vec<f32>,
    seen: [Seen; LEFTS.len()],
    /// What the model last found.
    suspected: Vec<BoundingBox>,
    suspected_at: Timestamp,
    /// When this pose was last looked at while its camera was boosted; the reason may be another
    /// pose's detection.
    expected_at: Timestamp,
}

/// The last look at a tile.
#[derive(Clone, Debug)]
struct Seen {
    sketch: Sketch,
    /// How many looks at the pose ago.
    ago: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Self { sketch: Sketch::default(), ago: PASSED_OVER_MAX }
    }
}

impl Tiles {
    /// `skyline`: from the register, as a fraction of the picture's height from the top.
    pub(super) fn new(skyline: Option<f32>) -> Self {
        Self { top: skyline.map(top), ..Self::default() }
    }

    /// The register gives another skyline; `None`: it is found from the next pictures. Returns true
    /// when the tiles move.
    pub(super) fn set_skyline(&mut self, skyline: Option<f32>) -> bool {
        let before = self.all();
        (self.top, self.votes) = (skyline.map(top), Vec::new());
        self.all() != before
    }

    pub(super) fn all(&self) -> [Tile; LEFTS.len()] {
        let y = self.top.unwrap_or(TOP_UNKNOWN);
        LEFTS.map(|x| Tile { x, y, w: SIDE, h: SIDE })
    }

    /// Takes another picture of the pose. Returns true when the tiles move, which happens at most
    /// once.
    pub(super) fn find_band(&mut self, sketch: &Sketch) -> bool {
        if self.top.is_some() {
            return false;
        }
        self.votes.extend(skyline(sketch));
        if self.votes.len() < VOTES {
            return false;
        }
        self.votes.sort_by(f32::total_cmp);
        self.top = Some(top(self.votes[VOTES / 2]));
        self.top != Some(TOP_UNKNOWN)
    }

    /// The tiles to analyse now, at most `most`.
    pub(super) fn next(&mut self, sketch: &Sketch, now: Timestamp, most: usize) -> Vec<Tile> {
        let tiles = self.all();
        let wishes: [Wish; LEFTS.len()] =
            std::array::from_fn(|i| self.wish(tiles[i], &self.seen[i], sketch, now));
        let chosen = choose(&wishes, most);
        self.seen.iter_mut().for_each(|seen| seen.ago = seen.ago.saturating_add(1));
        for &index in &chosen {
            self.seen[index] = Seen { sketch: sketch.clone(), ago: 1 };
        }
        chosen.into_iter().map(|index| tiles[index]).collect()
    }

    fn wish(&self, tile: Tile, seen: &Seen, sketch: &Sketch, now: Timestamp) -> Wish {
        let area = tile.area();
        let holds = |it: &BoundingBox| {
            let (x, y) = (it.centre_x() - area.x, it.centre_y() - area.y);
            (0.0..=area.w).contains(&x) && (0.0..=area.h).contains(&y)
        };
        let cells = sketch.cut(tile);
        Wish {
            is_suspected: is_fresh(self.suspected_at, now) && self.suspected.iter().any(holds),
            is_plain: is_plain(&cells),
            change: change(&seen.sketch.cut(tile), &cells),
            ago: seen.ago,
        }
    }

    /// What the model found in the pose's newest picture.
    pub(super) fn found(&mut self, found: &[Detection], now: Timestamp) {
        if found.is_empty() {
            return;
        }
        let mut surest: Vec<&Detection> = found.iter().collect();
        surest.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        self.suspected = surest.into_iter().take(SUSPECTED_MAX).map(|it| it.bbox).collect();
        self.suspected_at = now;
    }

    pub(super) fn expect(&mut self, now: Timestamp) {
        self.expected_at = now;
    }

    /// Whether something was found or expected in the last two minutes.
    pub(super) fn is_suspicious(&self, now: Timestamp) -> bool {
        is_fresh(self.suspected_at, now) || is_fresh(self.expected_at, now)
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..=SUSPECTED_FOR).contains(&now.duration_since(at))
}

/// The reasons for a look at one tile.
#[derive(Clone, Copy, Debug)]
struct Wish {
    /// It contains a suspected place.
    is_suspected: bool,
    is_plain: bool,
    /// Grey levels by which it has changed since its last look.
    change: u8,
    /// How many looks at the pose ago it had its last look.
    ago: u32,
}

impl Wish {
    fn is_overdue(&self) -> bool {
        self.ago >= PASSED_OVER_MAX
    }

    fn is_worth_it(&self) -> bool {
        self.is_overdue() || self.is_suspected || (self.change >= CHANGE_STEP && !self.is_plain)
    }
}

/// Indices of at most `most` tiles, the most urgent first: overdue tiles by how long ago their last
/// look was, then suspected ones, then by change × looks since. An unchanged or plain tile is
/// skipped unless it is suspected or overdue.
fn choose(wishes: &[Wish], most: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..wishes.len()).filter(|&i| wishes[i].is_worth_it()).collect();
    chosen.sort_by_key(|&i| {
        let it = &wishes[i];
        let overdue = if it.is_overdue() { it.ago } else { 0 };
        Reverse((overdue, it.is_suspected, u32::from(it.change).saturating_mul(it.ago)))
    });
    chosen.truncate(most);
    chosen
}

/// By how many grey levels the second most changed cell differs from the median change of the tile.
/// A single changed cell is a bird.
fn change(before: &[&[u8]], now: &[&[u8]]) -> u8 {
    let (before, now): (Vec<u8>, Vec<u8>) = (before.concat(), now.concat());
    if before.len() != now.len() {
        return u8::MAX;
    }
    let mut differences: Vec<i16> =
        before.iter().zip(&now).map(|(a, b)| i16::from(*b) - i16::from(*a)).collect();
    differences.sort_unstable();
    let Some(&whole) = differences.get(differences.len() / 2) else { return 0 };
    second_largest(differences.into_iter().map(|it| (it - whole).unsigned_abs().min(255) as u8))
}

/// Whether no neighbouring cells differ, except one pair.
fn is_plain(cells: &[&[u8]]) -> bool {
    let beside = cells.iter().flat_map(|row| row.windows(2).map(|pair| pair[0].abs_diff(pair[1])));
    let below =
        cells.windows(2).flat_map(|rows| rows[0].iter().zip(rows[1]).map(|(a, b)| a.abs_diff(*b)));
    second_largest(beside.chain(below)) < PLAIN_STEP
}

fn second_largest(values: impl Iterator<Item = u8>) -> u8 {
    let (_, second) =
        values.fold((0, 0), |(first, second), it| (it.max(first), second.max(it.min(first))));
    second
}

/// The tile's pixels at the frame's own resolution. Where the frame has fewer than the network,
/// they are enlarged later.
pub(super) fn cut(picture: &Picture, Tile { x, y, w, h }: Tile) -> Picture {
    let along = |steps: u8, of: u32| u32::from(steps) * of / u32::from(TILE_STEPS);
    let (width, height) = (picture.width(), picture.height());
    picture.cropped(along(x, width), along(y, height), along(w, width), along(h, height))
}

#[cfg(test)]
mod tests;
