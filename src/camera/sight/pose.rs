//! Pure: does the camera still look where it looked? Edges of the small picture are laid over those of a reference, shifted
//! this way and that, until they fit.
//!
//! Edges, because light comes from another side every hour and edges stay. The reference follows the light slowly, and with it
//! whatever creeps (a leaning mast, growing trees); a knock, a storm or a hand at the remote control it tells. Mast sway swings
//! around the reference and has no median.

use super::small::{HEIGHT, ROWS, WIDTH};
use jiff::SignedDuration;
use std::collections::VecDeque;

/// A shift of more than this share of the picture's width is a move; masts sway by 1 to 2 %.
const MOVED_MIN: f32 = 0.025;
/// The median of so many looks.
const LOOKS: usize = 5;
/// How well edges fit (correlation) when the view is the same, at least. Measured on watch cameras: 0.9 within a day, 0.42 and
/// more from one month to another, 0.24 at most for two cameras.
const SAME: f32 = 0.4;
/// Another place has to fit at least so well, and so much better than this one.
const SHIFTED: f32 = 0.25;
const BETTER: f32 = 0.15;
/// Below this, and below a third of what is usual in this view, it is another view. A hazy view never fits well.
const OTHER: f32 = 0.25;
const OTHER_USUAL: f32 = 0.35;
/// From this share of the usual on nobody searches for a better place.
const AS_USUAL: f32 = 0.8;
/// At the search's first step so many pixels are one.
const COARSE: usize = 4;
/// Searched: 30 % of the width and height to each side.
const REACH_X: i32 = (WIDTH / COARSE) as i32 * 3 / 10;
const REACH_Y: i32 = (ROWS / COARSE) as i32 * 3 / 10;
/// Looks that the first reference is the mean of.
const FIRST: u32 = 6;
/// Later the reference follows with this time constant, so that shadows and seasons are no move.
const FOLLOWS_IN: SignedDuration = SignedDuration::from_hours(1);
/// Stronger edges count as this strong: one lamp or mast must not outweigh the hills.
const EDGE_MAX: i16 = 48;
/// Edges are judged against those so many pixels around.
const AROUND: usize = 6;

/// How far the view has gone, as shares of the picture's width: to the right and down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shift {
    pub right: f32,
    pub down: f32,
}

/// What one look says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fit {
    /// Nothing to compare with yet, or nothing certain.
    Unknown,
    Here(Shift),
    /// No shift makes it fit.
    Elsewhere,
}

/// The reference of one pose in one kind of light.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    edges: Vec<f32>,
    looks: u32,
    recent: VecDeque<Fit>,
    /// How well looks fit that nothing has moved in.
    usual: Option<f32>,
    /// How well the last look fitted where it fitted best, −1..=1.
    pub fits: Option<f32>,
}

impl Reference {
    /// Compares, learns, and says what most of the last five looks say.
    pub fn observe(&mut self, luma: &[u8], (width, height): (u32, u32), since_last: SignedDuration) -> Fit {
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
        self.edges.iter_mut().zip(edges).for_each(|(own, &new)| *own += (f32::from(new) - *own) * share);
    }

    fn said(&self) -> Fit {
        let most = |count: usize| count > LOOKS / 2;
        let mut here: Vec<Shift> =
            self.recent.iter().filter_map(|fit| if let Fit::Here(shift) = fit { Some(*shift) } else { None }).collect();
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
    pub fn is_move(&self) -> bool {
        self.right.abs().max(self.down.abs()) > MOVED_MIN
    }
}

/// Edge strengths against those around them: that there are more edges in a wood than in the sky is true of every view.
fn edges(luma: &[u8]) -> Vec<i16> {
    let mut edges = vec![0i16; luma.len()];
    for y in 1..ROWS - 1 {
        for x in 1..WIDTH - 1 {
            let at = y * WIDTH + x;
            let (across, down) = (luma[at + 1].abs_diff(luma[at - 1]), luma[at + WIDTH].abs_diff(luma[at - WIDTH]));
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

/// Means over `2 × AROUND + 1` values; beyond the ends are zeros.
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

/// How well it fits without a shift and at best, −1..=1, and how many small pixels right and down what was seen has gone
/// for the best.
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
    let (few, few_seen, few_size) = (coarser(reference), coarser(seen), (WIDTH / COARSE, ROWS / COARSE));
    let best = |range: Vec<(i32, i32)>, a: &[i16], b: &[i16], size| {
        let fits = range.into_iter().map(|by| (likeness(a, b, size, by), by));
        fits.max_by(|a, b| a.0.total_cmp(&b.0)).map_or((0, 0), |(_, by)| by)
    };
    let (x, y) = best(grid((0, 0), (REACH_X, REACH_Y)), &few, &few_seen, few_size);
    let half = COARSE as i32 / 2;
    let at = best(grid((x * COARSE as i32, y * COARSE as i32), (half, half)), reference, seen, size);
    Found { here, best: correlation(reference, seen, size, at), at }
}

fn grid((x, y): (i32, i32), (reach_x, reach_y): (i32, i32)) -> Vec<(i32, i32)> {
    (y - reach_y..=y + reach_y).flat_map(|y| (x - reach_x..=x + reach_x).map(move |x| (x, y))).collect()
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

/// −1..=1, over the part that both show when what was at `p` is now at `p + by`.
fn correlation(reference: &[i16], seen: &[i16], size: (usize, usize), by: (i32, i32)) -> f32 {
    let (mut ab, mut aa, mut bb) = (0, 0, 0);
    for (a, b) in overlap(reference, seen, size, by) {
        ab += dot(a, b);
        aa += dot(a, a);
        bb += dot(b, b);
    }
    if aa == 0 || bb == 0 { 0.0 } else { ab as f32 / ((aa as f32).sqrt() * (bb as f32).sqrt()) }
}

/// Orders places as correlation does, nearly, at a third of its cost: mean product over the common part.
fn likeness(reference: &[i16], seen: &[i16], size: (usize, usize), by: (i32, i32)) -> f32 {
    let (mut ab, mut pixels) = (0, 0);
    for (a, b) in overlap(reference, seen, size, by) {
        ab += dot(a, b);
        pixels += a.len();
    }
    ab as f32 / pixels.max(1) as f32
}

/// Rows of both, where they show the same.
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
    let ((from_x, to_x, columns), (from_y, to_y, rows)) = (common(width, by.0), common(height, by.1));
    let part = move |of: &'a [i16], x: usize, y: usize| &of[y * width + x..][..columns];
    (0..rows).map(move |row| (part(reference, from_x, from_y + row), part(seen, to_x, to_y + row)))
}

/// Of one row: 160 products of edges below 48 fit by far.
fn dot(a: &[i16], b: &[i16]) -> i64 {
    i64::from(a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>())
}
