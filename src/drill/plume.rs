//! Pure: a procedural smoke plume, numerically identical to the one the model was trained with
//! (models/smoke-fire/train/plume.py has the description and the reasons). Tests compare with
//! figures printed by that file.
//!
//! x to the right, y down; pixel (column i, row j) has x = i, y = j. Ages in seconds.

use crate::frame::Picture;
use std::f64::consts::PI;
use std::ops::Range;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// Lifetime of a puff and interval between puffs, seconds.
const LIFE_S: f64 = 240.0;
const PERIOD_S: f64 = 3.0;
/// Smoke is never quite opaque.
const ALPHA_MAX: f64 = 0.93;

/// One plume in one camera's picture, whatever its size.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plume {
    /// Where it stands on the ground, as fractions of width and height.
    pub foot: (f64, f64),
    /// Its unit of length as a share of the picture's height. 1/6 covers about 1 % of a 16:9 frame
    /// at 60 s.
    pub scale: f64,
    /// Lean, about -1.5 (left) to 1.5 (right).
    pub wind: f64,
    pub seed: u32,
}

/// Places on the ground compared for a drill.
const PLACES: usize = 16;

impl Plume {
    /// A plume on the ground where its smoke shows best: of some places below the skyline, chosen
    /// by the seed, the one with the darkest background.
    pub fn on_terrain(picture: &Picture, seed: u32) -> Self {
        let small = Small(picture.resized(Small::WIDTH, Small::HEIGHT));
        let mut random = SplitMix64(mix(u64::from(seed)));
        let wind = 0.8 * random.unit() - 0.4;
        let mut place = || {
            let x = 0.15 + 0.7 * random.unit();
            (x, (small.skyline(x) + 0.10 + 0.30 * random.unit()).min(0.92))
        };
        let places: [(f64, f64); PLACES] = std::array::from_fn(|_| place());
        let darkest = places.into_iter().min_by_key(|&(x, y)| small.background(x, y));
        Self { foot: darkest.unwrap_or((0.5, 0.7)), scale: 1.0 / 6.0, wind, seed }
    }
}

/// A small copy of the picture, cheap to search as a whole.
struct Small(Picture);

impl Small {
    const WIDTH: u32 = 64;
    const HEIGHT: u32 = 90;
    /// The skyline is a step in brightness between this number of rows above and below.
    const STEP: usize = 5;

    /// Sum of brightness over columns and rows, clipped to the picture.
    fn brightness(&self, columns: Range<usize>, rows: Range<usize>) -> i32 {
        let width = Self::WIDTH as usize;
        let columns = columns.start.min(width)..columns.end.min(width);
        let rows = rows.start..rows.end.min(Self::HEIGHT as usize);
        rows.flat_map(|y| &self.0.luma()[y * width + columns.start..y * width + columns.end])
            .map(|&v| i32::from(v))
            .sum()
    }

    /// Height of the skyline at `x` (fractions): the strongest step from bright above to dark
    /// below.
    fn skyline(&self, x: f64) -> f64 {
        let column = (x * f64::from(Self::WIDTH)) as usize;
        let columns = column.saturating_sub(2)..column + 3;
        let (top, low) = (Self::HEIGHT as usize * 15 / 100, Self::HEIGHT as usize * 80 / 100);
        let step = |y: usize| {
            self.brightness(columns.clone(), y - Self::STEP..y)
                - self.brightness(columns.clone(), y..y + Self::STEP)
        };
        let strongest = (top + Self::STEP..low - Self::STEP).max_by_key(|&y| step(y));
        strongest.unwrap_or(top) as f64 / f64::from(Self::HEIGHT)
    }

    /// Brightness behind a young plume that stands at (x, y).
    fn background(&self, x: f64, y: f64) -> i32 {
        let (column, row) =
            ((x * f64::from(Self::WIDTH)) as usize, (y * f64::from(Self::HEIGHT)) as usize);
        self.brightness(column.saturating_sub(3)..column + 4, row.saturating_sub(24)..row)
    }
}

/// Opacity 0..=1 inside a rectangle; nothing outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Alpha {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Alpha {
    pub fn at(&self, x: usize, y: usize) -> f32 {
        let inside = (self.left..self.left + self.width).contains(&x)
            && (self.top..self.top + self.height).contains(&y);
        if inside { self.values[(y - self.top) * self.width + x - self.left] } else { 0.0 }
    }
}

/// Opacity of a plume at `origin` (pixels), `age_s` after it began.
pub fn alpha(
    height: usize,
    width: usize,
    origin: (f64, f64),
    scale_px: f64,
    age_s: f64,
    wind: f64,
    seed: u32,
) -> Alpha {
    let puffs: Vec<Puff> = puffs(scale_px, age_s, wind, seed)
        .filter_map(|puff| puff.placed(origin, width, height))
        .collect();
    let hull = |side: fn(&Puff) -> &Range<usize>| {
        let start = puffs.iter().map(|p| side(p).start).min().unwrap_or(0);
        start..puffs.iter().map(|p| side(p).end).max().unwrap_or(0)
    };
    let (columns, rows) = (hull(|p| &p.columns), hull(|p| &p.rows));
    let mut depth = vec![0.0f32; columns.len() * rows.len()];
    for puff in &puffs {
        puff.add_to(&mut depth, &columns, &rows);
    }
    let offsets = |range: &Range<usize>, from: f64| -> Vec<f64> {
        range.clone().map(|i| i as f64 - from).collect()
    };
    let (xs, ys) = (offsets(&columns, origin.0), offsets(&rows, origin.1));
    let rise = 0.012 * age_s * scale_px;
    let octave = |cell: f64, seed: u64| {
        let scaled = |values: &[f64], shift: f64| -> Vec<f64> {
            values.iter().map(|v| (v + shift) / cell).collect()
        };
        value_noise(&scaled(&xs, 0.0), &scaled(&ys, rise), seed)
    };
    let coarse = octave(0.22 * scale_px, u64::from(seed) + 101);
    let fine = octave(0.09 * scale_px, u64::from(seed) + 202);
    for (row, y) in ys.iter().enumerate() {
        let under = y.max(0.0) / (0.07 * scale_px);
        let fade = (-under * under).exp();
        for i in row * xs.len()..(row + 1) * xs.len() {
            let texture = 0.35 + 1.3 * (0.65 * coarse[i] + 0.35 * fine[i]);
            depth[i] = (ALPHA_MAX * (1.0 - (-f64::from(depth[i]) * texture * fade).exp())) as f32;
        }
    }
    Alpha {
        left: columns.start,
        top: rows.start,
        width: columns.len(),
        height: rows.len(),
        values: depth,
    }
}

/// Smoke colour, red, green, blue 0..=1: white to mid grey with a touch of blue.
pub fn colour(seed: u32) -> [f64; 3] {
    let mut random = SplitMix64(mix(u64::from(seed) + 777));
    let grey = 0.66 + 0.22 * random.unit();
    let blue = 0.03 * random.unit();
    [grey - blue, grey, grey + blue]
}

/// Slow variation of the smoke's brightness, within 2.5 %.
pub fn flicker(age_s: f64) -> f64 {
    1.0 + 0.015 * (1.7 * age_s).sin() + 0.01 * (0.43 * age_s + 1.0).sin()
}

/// The picture with the plume in front: `(1 - a) picture + a colour`. Mixing is linear, so it is
/// done in YUV.
pub fn composite(picture: &Picture, plume: &Plume, age_s: f64) -> Picture {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let mut i420 = picture.as_i420().to_vec();
    let origin = (plume.foot.0 * w as f64, plume.foot.1 * h as f64);
    let alpha = alpha(h, w, origin, plume.scale * h as f64, age_s, plume.wind, plume.seed);
    let brightness = daylight(picture) * flicker(age_s);
    let [r, g, b] = colour(plume.seed).map(|c| (255.0 * (c * brightness).clamp(0.0, 1.0)) as f32);
    let y = 16.0 + 0.257 * r + 0.504 * g + 0.098 * b;
    let u = 128.0 - 0.148 * r - 0.291 * g + 0.439 * b;
    let v = 128.0 + 0.439 * r - 0.368 * g - 0.071 * b;

    let (luma, chroma) = i420.split_at_mut(w * h);
    let (us, vs) = chroma.split_at_mut(w * h / 4);
    let mix = |value: &mut u8, a: f32, colour: f32| {
        *value = (f32::from(*value) * (1.0 - a) + colour * a).round() as u8
    };
    for (row, line) in alpha.values.chunks_exact(alpha.width.max(1)).enumerate() {
        let start = (alpha.top + row) * w + alpha.left;
        for (pixel, &a) in luma[start..start + alpha.width].iter_mut().zip(line) {
            mix(pixel, a, y);
        }
    }
    for row in alpha.top / 2..(alpha.top + alpha.height).div_ceil(2) {
        for column in alpha.left / 2..(alpha.left + alpha.width).div_ceil(2) {
            let (x0, y0) = (2 * column, 2 * row);
            let a = [(0, 0), (1, 0), (0, 1), (1, 1)]
                .iter()
                .map(|(dx, dy)| alpha.at(x0 + dx, y0 + dy))
                .sum::<f32>()
                / 4.0;
            mix(&mut us[row * w / 2 + column], a, u);
            mix(&mut vs[row * w / 2 + column], a, v);
        }
    }
    Picture::from_i420(picture.width(), picture.height(), i420).unwrap_or_else(|_| picture.clone())
}

/// How bright smoke is in this light, 0.45..=1: the 90th percentile of the picture's brightness, as
/// in training.
fn daylight(picture: &Picture) -> f64 {
    let mut counts = [0usize; 256];
    picture.luma().iter().for_each(|&y| counts[usize::from(y)] += 1);
    let mut below = 0;
    let level = counts.iter().position(|count| {
        below += count;
        below * 10 >= picture.luma().len() * 9
    });
    ((level.unwrap_or(255) as f64 - 16.0) / 219.0).clamp(0.45, 1.0)
}

/// A ball of smoke: Gaussian optical depth around a centre, a little flattened.
struct Puff {
    x: f64,
    y: f64,
    radius: f64,
    depth: f64,
    columns: Range<usize>,
    rows: Range<usize>,
}

/// Every living puff, oldest first, relative to the origin.
fn puffs(s: f64, age_s: f64, wind: f64, seed: u32) -> impl Iterator<Item = Puff> {
    let first = ((age_s - LIFE_S) / PERIOD_S).ceil().max(0.0) as u64;
    let last = (age_s / PERIOD_S).ceil().max(0.0) as u64;
    (first..last).filter_map(move |k| {
        let born = PERIOD_S * k as f64;
        let a = age_s - born;
        if !(0.0 < a && a < LIFE_S) {
            return None;
        }
        let mut random = SplitMix64(mix(u64::from(seed).wrapping_mul(GOLDEN).wrapping_add(k + 1)));
        let [u0, u1, u2, u3] = std::array::from_fn(|_| random.unit());
        let t = a / 60.0;
        let g = 0.55 + 0.45 * (born / 60.0).min(1.0);
        let radius = s * g * (0.06 + 0.20 * t.powf(0.80)) * (0.75 + 0.5 * u0);
        let up = s * g * 1.55 * t.powf(0.75) * (0.85 + 0.3 * u1);
        let sway = 0.05 * (2.0 * PI * (a / 41.0 + u3)).sin() * t.sqrt();
        let dx = s * (0.60 * wind * t.powf(1.15) + sway + (u2 - 0.5) * 0.16 * t);
        let thin = (0.06 * s / (0.06 * s + 0.35 * radius)).powf(0.6);
        let depth = 0.85 * (a / 4.0).min(1.0) * (1.0 - a / LIFE_S).powf(1.5) * thin;
        Some(Puff { x: dx, y: -up, radius, depth, columns: 0..0, rows: 0..0 })
    })
}

impl Puff {
    /// Moved to the origin, with the pixels it can touch; `None` when it is outside the picture.
    fn placed(self, origin: (f64, f64), width: usize, height: usize) -> Option<Self> {
        let (x, y) = (self.x + origin.0, self.y + origin.1);
        let range = |centre: f64, reach: f64, most: usize| {
            let start = (centre - reach).floor().max(0.0);
            let end = ((centre + reach).ceil() + 1.0).clamp(0.0, most as f64);
            (start < end).then_some(start as usize..end as usize)
        };
        let columns = range(x, 3.0 * self.radius, width)?;
        let rows = range(y, 2.4 * self.radius, height)?;
        Some(Self { x, y, columns, rows, ..self })
    }

    /// A Gaussian is a product of one factor along the row and one along the column. So two
    /// exponentials a line are enough, instead of one per pixel.
    fn add_to(&self, depth: &mut [f32], columns: &Range<usize>, rows: &Range<usize>) {
        let spread = 2.0 * self.radius * self.radius;
        let across: Vec<f32> = self
            .columns
            .clone()
            .map(|x| (-(x as f64 - self.x).powi(2) / spread).exp() as f32)
            .collect();
        for y in self.rows.clone() {
            let ey = (1.25 * (y as f64 - self.y)).powi(2);
            // Exponent above -4.5: (x - cx)² < 9 r² - ey.
            let left = 4.5 * spread - ey;
            if left <= 0.0 {
                continue;
            }
            let half = left.sqrt();
            let start = ((self.x - half).floor() + 1.0).max(self.columns.start as f64) as usize;
            let end = ((self.x + half).ceil().max(0.0) as usize).min(self.columns.end);
            if start >= end {
                continue;
            }
            let down = (self.depth * (-ey / spread).exp()) as f32;
            let line = (y - rows.start) * columns.len();
            let target = &mut depth[line + start - columns.start..line + end - columns.start];
            for (d, g) in target.iter_mut().zip(&across[start - self.columns.start..]) {
                *d += down * g;
            }
        }
    }
}

/// Smooth noise in [0, 1) over the grid ys × xs (given in cells, ascending): smoothstep between
/// lattice points.
fn value_noise(xs: &[f64], ys: &[f64], seed: u64) -> Vec<f64> {
    let (Some(&first_x), Some(&last_x), Some(&first_y), Some(&last_y)) =
        (xs.first(), xs.last(), ys.first(), ys.last())
    else {
        return Vec::new();
    };
    let (x0, y0) = (first_x.floor() as i64, first_y.floor() as i64);
    let (x1, y1) = (last_x.floor() as i64 + 2, last_y.floor() as i64 + 2);
    let stride = (x1 - x0) as usize;
    let table: Vec<f64> =
        (y0..y1).flat_map(|iy| (x0..x1).map(move |ix| lattice(ix, iy, seed))).collect();
    let smooth = |v: &f64, from: i64| {
        let (cell, f) = (v.floor(), v - v.floor());
        ((cell as i64 - from) as usize, f * f * (3.0 - 2.0 * f))
    };
    let columns: Vec<(usize, f64)> = xs.iter().map(|x| smooth(x, x0)).collect();
    let mut noise = Vec::with_capacity(xs.len() * ys.len());
    for y in ys {
        let (cy, fy) = smooth(y, y0);
        let (top, low) = (&table[cy * stride..], &table[(cy + 1) * stride..]);
        noise.extend(columns.iter().map(|&(cx, fx)| {
            let above = top[cx] * (1.0 - fx) + top[cx + 1] * fx;
            let below = low[cx] * (1.0 - fx) + low[cx + 1] * fx;
            above * (1.0 - fy) + below * fy
        }));
    }
    noise
}

fn lattice(ix: i64, iy: i64, seed: u64) -> f64 {
    let h = mix((ix as u64).wrapping_mul(GOLDEN).wrapping_add(seed));
    unit(mix(h.wrapping_add(iy as u64)))
}

/// The finaliser of SplitMix64.
pub(super) fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The top 53 bits as a number in [0, 1).
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A well-known small random generator.
pub(super) struct SplitMix64(pub u64);

impl SplitMix64 {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    pub(super) fn unit(&mut self) -> f64 {
        unit(self.next())
    }
}

#[cfg(test)]
mod tests;
