//! Pure: one picture, reduced to what its health is judged by. Only the middle 80 % of the rows are
//! used. The clock and the name above and below stay sharp on a covered lens and change on a frozen
//! picture.

use crate::frame::Picture;

/// Size of the small brightness picture, pixels.
pub(super) const WIDTH: usize = 160;
pub(super) const HEIGHT: usize = 90;
/// The rows of it that are used.
pub(super) const TOP: usize = HEIGHT / 10;
pub(super) const ROWS: usize = HEIGHT - 2 * TOP;
/// Side of a block, pixels. The brightness of the 20 × 9 blocks tells whether anything large is
/// visible.
const BLOCK: usize = 8;
/// A pixel at or above this is clipped; video white is 235.
const CLIPPED: u8 = 230;
/// Fine structure is the difference between pixels this far apart: 1/320 of the width (2 px of 640)
/// …
const FINE_SHARE: u32 = 320;
/// … and only the strongest differences count, this many per cent: edges, not noise.
const FINE_STRONGEST: usize = 2;
/// Rows sampled for it at full width.
const FINE_ROWS: usize = 60;
/// Pictures darker than this say nothing about lens, fog or view: they hold only noise, lamps and
/// the encoder's own blur.
pub(super) const DARK_MEAN: f32 = 45.0;
/// A picture without colour (night mode, infrared) keeps U and V within this distance of neutral,
/// on average, levels.
const GREY_CHROMA: f32 = 1.5;

/// The measurements of one picture.
#[derive(Clone, Debug)]
pub(crate) struct Measurements {
    pub size: (u32, u32),
    /// Changes when any pixel changes.
    pub fingerprint: u64,
    /// Brightness, 16..=235, and its standard deviation.
    pub mean: f32,
    pub spread: f32,
    /// Share of clipped pixels, 0..=1.
    pub clipped: f32,
    /// Mean of the strongest fine edges, levels.
    pub fine: f32,
    /// How much blocks of 1/20 of the width deviate from an even gradient of brightness, levels.
    pub coarse: f32,
    pub is_grey: bool,
    /// Brightness of the used rows, `WIDTH` × `ROWS`.
    pub luma: Vec<u8>,
}

impl Measurements {
    pub(crate) fn at(picture: &Picture) -> Self {
        let small = picture.resized(WIDTH as u32, HEIGHT as u32);
        let luma = small.luma()[TOP * WIDTH..(TOP + ROWS) * WIDTH].to_vec();
        let (mean, spread) = mean_and_spread(&luma);
        let chroma = &small.as_i420()[WIDTH * HEIGHT..];
        let colour: u32 = chroma.iter().map(|&c| u32::from(c.abs_diff(128))).sum();
        let inner = inner(picture);
        Self {
            size: (picture.width(), picture.height()),
            fingerprint: fingerprint(inner),
            mean,
            spread,
            clipped: luma.iter().filter(|&&y| y >= CLIPPED).count() as f32 / luma.len() as f32,
            fine: fine(inner, picture.width() as usize),
            coarse: coarse(&luma),
            is_grey: (colour as f32) < GREY_CHROMA * chroma.len() as f32,
            luma,
        }
    }
}

/// The middle 80 % of the full picture's rows.
fn inner(picture: &Picture) -> &[u8] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    &picture.luma()[height / 10 * width..(height - height / 10) * width]
}

/// Multiply and rotate, eight bytes a step. It tells pictures apart; it is no protection against
/// forgery.
fn fingerprint(luma: &[u8]) -> u64 {
    let (words, rest) = luma.as_chunks::<8>();
    let step =
        |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let hash =
        words.iter().fold(luma.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, &byte| step(hash, u64::from(byte)))
}

fn mean_and_spread(luma: &[u8]) -> (f32, f32) {
    let (sum, squares) = luma.iter().fold((0u64, 0u64), |(sum, squares), &y| {
        let y = u64::from(y);
        (sum + y, squares + y * y)
    });
    let count = luma.len().max(1) as f64;
    let mean = sum as f64 / count;
    (mean as f32, (squares as f64 / count - mean * mean).max(0.0).sqrt() as f32)
}

/// The mean of the strongest horizontal differences.
fn fine(luma: &[u8], width: usize) -> f32 {
    let apart = (width / FINE_SHARE as usize).max(1);
    let rows = luma.len() / width;
    let step = (rows / FINE_ROWS).max(1);
    let mut counts = [0u32; 256];
    let mut total = 0;
    for row in luma.chunks_exact(width).step_by(step) {
        for (a, b) in row.iter().zip(&row[apart.min(width)..]).step_by(apart) {
            counts[usize::from(a.abs_diff(*b))] += 1;
            total += 1;
        }
    }
    let wanted = (total * FINE_STRONGEST / 100).max(1);
    let (mut taken, mut sum) = (0, 0);
    for (level, &count) in counts.iter().enumerate().rev() {
        let more = (count as usize).min(wanted - taken);
        taken += more;
        sum += more * level;
    }
    sum as f32 / wanted as f32
}

/// Standard deviation of block means around the plane that fits them best.
fn coarse(luma: &[u8]) -> f32 {
    let (columns, rows) = (WIDTH / BLOCK, ROWS / BLOCK);
    let mean_of = |column: usize, row: usize| {
        let lines =
            (row * BLOCK..(row + 1) * BLOCK).map(|y| &luma[y * WIDTH + column * BLOCK..][..BLOCK]);
        lines.flatten().map(|&y| u32::from(y)).sum::<u32>() as f32 / (BLOCK * BLOCK) as f32
    };
    let blocks: Vec<(f32, f32, f32)> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column, row)))
        .map(|(column, row)| {
            let centred = |i: usize, of: usize| i as f32 - (of as f32 - 1.0) / 2.0;
            (centred(column, columns), centred(row, rows), mean_of(column, row))
        })
        .collect();
    let count = blocks.len() as f32;
    let mean = blocks.iter().map(|block| block.2).sum::<f32>() / count;
    // On a full grid x, y and 1 are orthogonal, so each slope is computed by itself.
    let slope = |of: fn(&(f32, f32, f32)) -> f32| {
        let (along, across) = blocks
            .iter()
            .fold((0.0, 0.0), |(a, b), block| (a + of(block) * block.2, b + of(block) * of(block)));
        along / across
    };
    let (right, down) = (slope(|block| block.0), slope(|block| block.1));
    let left_over = |(x, y, brightness): &(f32, f32, f32)| brightness - mean - right * x - down * y;
    (blocks.iter().map(|block| left_over(block).powi(2)).sum::<f32>() / count).sqrt()
}
