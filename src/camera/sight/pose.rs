//! Pure: does the camera still look in the learnt direction? The edges of the small picture are
//! compared with those of a reference at different shifts, until they match.
//!
//! Edges are used because the light changes by the hour and edges stay. The reference follows slow
//! changes: the light, a leaning mast, growing trees. A knock, a storm or a hand at the remote
//! control changes the view at once and is reported. Mast sway swings around the reference; the
//! median over looks removes it.

use super::small::{HEIGHT, ROWS, WIDTH};
use jiff::SignedDuration;
use std::collections::VecDeque;

/// A shift of more than this share of the picture's width is a move; masts sway by 1 to 2 %.
const MOVED_MIN: f32 = 0.025;
/// The median is taken over this number of looks.
const LOOKS: usize = 5;
/// The lowest correlation of edges at which the view is the same. Measured on watch cameras: 0.9
/// within a day, at least 0.42 from one month to another, at most 0.24 between two cameras.
pub(super) const SAME: f32 = 0.4;
/// A shifted position must correlate at least this well, and better than the unshifted one by
/// `BETTER`.
const SHIFTED: f32 = 0.25;
pub(super) const BETTER: f32 = 0.15;
/// Below this, and below this share of what is usual in this view, it is another view. The second
/// limit is for hazy views, which never match well.
const OTHER: f32 = 0.25;
const OTHER_USUAL: f32 = 0.35;
/// At or above this share of the usual no better position is searched for.
const AS_USUAL: f32 = 0.8;
/// At the first step of the search, this number of pixels is merged into one.
const COARSE: usize = 4;
/// Search range: 30 % of the width and height to each side.
const REACH_X: i32 = (WIDTH / COARSE) as i32 * 3 / 10;
const REACH_Y: i32 = (ROWS / COARSE) as i32 * 3 / 10;
/// The first reference is the mean of this number of looks.
const FIRST: u32 = 6;
/// Later the reference follows with this time constant, so that shadows and seasons are not
/// reported as a move.
pub(super) const FOLLOWS_IN: SignedDuration = SignedDuration::from_hours(1);
/// Stronger edges are clipped to this: one lamp or mast must not outweigh the hills.
const EDGE_MAX: i16 = 48;
/// Each edge is judged against the mean within this number of pixels around it.
const AROUND: usize = 6;

/// How far the view has shifted to the right and down, as shares of the picture's width.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Shift {
    pub right: f32,
    pub down: f32,
}

/// What one look says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fit {
    /// Nothing to compare with yet, or no certain answer.
    Unknown,
    Here(Shift),
    /// No shift makes it match.
    Elsewhere,
}

/// The reference of one pose in one kind of light.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    edges: Vec<f32>,
    looks: u32,
    recent: VecDeque<Fit>,
    /// The mean correlation of looks without a move.
    usual: Option<f32>,
    /// The best correlation of the last look, −1..=1.
    pub fits: Option<f32>,
}

impl Reference {
    /// Compares, learns, and returns what most of the last five looks say.
    pub(super) fn observe(
        &mut self,
        luma: &[u8],
        (width, height): (u32, u32),
        since_last: SignedDuration,
    ) -> Fit {
        let edges = edges(luma);
        if self.looks < FIRST {
            self.looks += 1;
            self.blend(&edges, 1.0 / self.looks as f32);
            return Fit::Unknown;
        }
        let own: Vec<i16> = self.edges.iter().map(|&e| e as i16).collect();
        let found = compare(&own, &edges, AS_USUAL * self.usual.unwrap_or(1.0));
        let fit = self.judge(found, height as f32 / width as f32);
        self.recent.push_back(fit);
        if self.recent.len() > LOOKS {
            self.recent.pop_front();
        }
        let said = self.said();
        if let (Fit::Here(now), Fit::Here(_) | Fit::Unknown) = (fit, said)
            && !now.is_move()
        {
            let share = (since_last.as_secs_f32() / FOLLOWS_IN.as_secs_f32()).clamp(0.0, 0.1);
            self.blend(&edges, share);
        }
        said
    }

    fn judge(&mut self, found: Found, aspect: f32) -> Fit {
        let Found { here, best, at: (x, y) } = found;
        self.fits = Some(best);
        if best >= SHIFTED && best >= here + BETTER {
            let (right, down) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32 * aspect);
            return Fit::Here(Shift { right, down });
        }
        if here >= SAME {
            let usual = self.usual.get_or_insert(here);
            *usual += (here - *usual) * 0.1;
            return Fit::Here(Shift { right: 0.0, down: 0.0 });
        }
        if best < OTHER && self.usual.is_some_and(|usual| best < OTHER_USUAL * usual) {
            Fit::Elsewhere
        } else {
            Fit::Unknown
        }
    }

    fn blend(&mut self, edges: &[i16], share: f32) {
        self.edges.resize(edges.len(), 0.0);
        self.edges
            .iter_mut()
            .zip(edges)
            .for_each(|(own, &new)| *own += (f32::from(new) - *own) * share);
    }

    fn said(&self) -> Fit {
        let most = |count: usize| count > LOOKS / 2;
        let mut here: Vec<Shift> = self
            .recent
            .iter()
            .filter_map(|fit| if let Fit::Here(shift) = fit { Some(*shift) } else { None })
            .collect();
        if most(self.recent.iter().filter(|fit| **fit == Fit::Elsewhere).count()) {
            return Fit::Elsewhere;
        }
        if !most(here.len()) {
            return Fit::Unknown;
        }
        let mut median = |of: fn(&Shift) -> f32| {
            here.sort_by(|a, b| of(a).total_cmp(&of(b)));
            here.get(here.len() / 2).map_or(0.0, of)
        };
        Fit::Here(Shift { right: median(|s| s.right), down: median(|s| s.down) })
    }
}

impl Shift {
    pub(super) fn is_move(&self) -> bool {
        self.right.abs().max(self.down.abs()) > MOVED_MIN
    }
}

/// Edge strength relative to its surroundings. Every view has more edges in a wood than in the sky,
/// so absolute strengths would match any view.
pub(super) fn edges(luma: &[u8]) -> Vec<i16> {
    let mut edges = vec![0i16; luma.len()];
    for y in 1..ROWS - 1 {
        for x in 1..WIDTH - 1 {
            let at = y * WIDTH + x;
            let (across, down) =
                (luma[at + 1].abs_diff(luma[at - 1]), luma[at + WIDTH].abs_diff(luma[at - WIDTH]));
            edges[at] = (i16::from(across) + i16::from(down)).min(EDGE_MAX);
        }
    }
    let mut around = vec![0i16; luma.len()];
    let mut line = [0i16; WIDTH];
    for row in 0..ROWS {
        box_mean(|x| edges[row * WIDTH + x], WIDTH, &mut line);
        around[row * WIDTH..][..WIDTH].copy_from_slice(&line);
    }
    let mut column_mean = [0i16; ROWS];
    for x in 0..WIDTH {
        box_mean(|y| around[y * WIDTH + x], ROWS, &mut column_mean);
        (0..ROWS).for_each(|y| edges[y * WIDTH + x] -= column_mean[y]);
    }
    edges
}

/// How well a picture's edges match those of a view at the same place, sway allowed for, −1..=1. One
/// that matches clearly better at another place shows another direction: 0.
pub(super) fn likeness_here(view: &[i16], seen: &[i16]) -> f32 {
    let Found { here, best, at: (x, y) } = compare(view, seen, AS_USUAL);
    let shift = Shift { right: x as f32 / WIDTH as f32, down: y as f32 / WIDTH as f32 };
    if !shift.is_move() {
        best.max(here)
    } else if best >= SHIFTED && best >= here + BETTER {
        0.0
    } else {
        here
    }
}

/// Means over `2 × AROUND + 1` values; values beyond the ends count as zero.
fn box_mean(value: impl Fn(usize) -> i16, count: usize, means: &mut [i16]) {
    let mut sum: i32 = (0..AROUND.min(count)).map(|i| i32::from(value(i))).sum();
    for (i, mean) in means.iter_mut().enumerate().take(count) {
        if i + AROUND < count {
            sum += i32::from(value(i + AROUND));
        }
        if i > AROUND {
            sum -= i32::from(value(i - AROUND - 1));
        }
        *mean = (sum / (2 * AROUND as i32 + 1)) as i16;
    }
}

/// The correlation without a shift and the best one, −1..=1, and the shift of the best: small
/// pixels to the right and down.
struct Found {
    here: f32,
    best: f32,
    at: (i32, i32),
}

fn compare(reference: &[i16], seen: &[i16], enough: f32) -> Found {
    let size = (WIDTH, ROWS);
    let here = correlation(reference, seen, size, (0, 0));
    if here >= enough {
        return Found { here, best: here, at: (0, 0) };
    }
    let (few, few_seen, few_size) =
        (coarser(reference), coarser(seen), (WIDTH / COARSE, ROWS / COARSE));
    let best = |range: Vec<(i32, i32)>, a: &[i16], b: &[i16], size| {
        let fits = range.into_iter().map(|by| (likeness(a, b, size, by), by));
        fits.max_by(|a, b| a.0.total_cmp(&b.0)).map_or((0, 0), |(_, by)| by)
    };
    let (x, y) = best(grid((0, 0), (REACH_X, REACH_Y)), &few, &few_seen, few_size);
    let half = COARSE as i32 / 2;
    let at =
        best(grid((x * COARSE as i32, y * COARSE as i32), (half, half)), reference, seen, size);
    Found { here, best: correlation(reference, seen, size, at), at }
}

fn grid((x, y): (i32, i32), (reach_x, reach_y): (i32, i32)) -> Vec<(i32, i32)> {
    (y - reach_y..=y + reach_y)
        .flat_map(|y| (x - reach_x..=x + reach_x).map(move |x| (x, y)))
        .collect()
}

/// Means of `COARSE` × `COARSE` pixels.
fn coarser(edges: &[i16]) -> Vec<i16> {
    let (columns, rows) = (WIDTH / COARSE, ROWS / COARSE);
    let mut few = vec![0i32; columns * rows];
    for y in 0..rows * COARSE {
        for x in 0..columns * COARSE {
            few[y / COARSE * columns + x / COARSE] += i32::from(edges[y * WIDTH + x]);
        }
    }
    few.into_iter().map(|sum| (sum / (COARSE * COARSE) as i32) as i16).collect()
}

/// Correlation, −1..=1, over the common part when what was at `p` is now at `p + by`.
fn correlation(reference: &[i16], seen: &[i16], size: (usize, usize), by: (i32, i32)) -> f32 {
    let (mut ab, mut aa, mut bb) = (0, 0, 0);
    for (a, b) in overlap(reference, seen, size, by) {
        ab += dot(a, b);
        aa += dot(a, a);
        bb += dot(b, b);
    }
    if aa == 0 || bb == 0 { 0.0 } else { ab as f32 / ((aa as f32).sqrt() * (bb as f32).sqrt()) }
}

/// A cheap stand-in for the correlation: the mean product over the common part. It ranks shifts
/// almost alike, at a third of the cost.
fn likeness(reference: &[i16], seen: &[i16], size: (usize, usize), by: (i32, i32)) -> f32 {
    let (mut ab, mut pixels) = (0, 0);
    for (a, b) in overlap(reference, seen, size, by) {
        ab += dot(a, b);
        pixels += a.len();
    }
    ab as f32 / pixels.max(1) as f32
}

/// The overlapping rows of both pictures.
fn overlap<'a>(
    reference: &'a [i16],
    seen: &'a [i16],
    (width, height): (usize, usize),
    by: (i32, i32),
) -> impl Iterator<Item = (&'a [i16], &'a [i16])> {
    let common = |size: usize, by: i32| {
        let (from, to) = ((-by).max(0) as usize, by.max(0) as usize);
        (from, to, size.saturating_sub(by.unsigned_abs() as usize))
    };
    let ((from_x, to_x, columns), (from_y, to_y, rows)) =
        (common(width, by.0), common(height, by.1));
    let part = move |of: &'a [i16], x: usize, y: usize| &of[y * width + x..][..columns];
    (0..rows).map(move |row| (part(reference, from_x, from_y + row), part(seen, to_x, to_y + row)))
}

/// For one row. The sum of 160 products of edges of at most 48 stays far below the limit of `i32`.
fn dot(a: &[i16], b: &[i16]) -> i64 {
    i64::from(a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>())
}
