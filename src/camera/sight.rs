//! Pure: does this picture show anything? Black and frozen, told from brightness alone.

use super::fault::Fault;
use crate::frame::Picture;
use jiff::{SignedDuration, Timestamp};
use std::hash::Hasher;

/// Video black is 16; up to so much on average …
const BLACK_MEAN: f64 = 24.0;
/// … with a standard deviation below that: covered lens, dead sensor. A moonless night with stars or lamps has more.
const BLACK_SPREAD: f64 = 4.0;

/// Remembers one camera's last picture by its fingerprint (8 bytes, not 3 MB).
#[derive(Debug, Default)]
pub struct Sight {
    last: Option<(u64, Timestamp)>,
}

impl Sight {
    /// Frozen means not one pixel differs: a living sensor always has noise, so a still hillside is never called frozen.
    pub fn judge(&mut self, picture: &Picture, at: Timestamp, frozen_after: SignedDuration) -> Option<Fault> {
        let fingerprint = fingerprint(picture);
        let since = match self.last {
            Some((last, since)) if last == fingerprint => since,
            _ => at,
        };
        self.last = Some((fingerprint, since));
        if is_black(picture.luma()) {
            return Some(Fault::Black);
        }
        let still = at.duration_since(since);
        (still >= frozen_after).then_some(Fault::Frozen { seconds: still.as_secs() })
    }

    /// After a gap, pictures are compared afresh.
    pub fn reset(&mut self) {
        self.last = None;
    }
}

fn fingerprint(picture: &Picture) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write_u32(picture.width());
    hasher.write(picture.luma());
    hasher.finish()
}

fn is_black(luma: &[u8]) -> bool {
    let (sum, squares) = luma.iter().fold((0u64, 0u64), |(sum, squares), &y| {
        let y = u64::from(y);
        (sum + y, squares + y * y)
    });
    let count = luma.len() as f64;
    let mean = sum as f64 / count;
    let variance = (squares as f64 / count - mean * mean).max(0.0);
    mean < BLACK_MEAN && variance.sqrt() < BLACK_SPREAD
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROZEN_AFTER: SignedDuration = SignedDuration::from_secs(300);

    fn grey(luma: u8, noise: u8) -> Picture {
        let mut bytes = vec![128; 64 * 48 * 3 / 2];
        bytes[..64 * 48].fill(luma);
        bytes[7] = luma.saturating_add(noise);
        Picture::from_i420(64, 48, bytes).expect("sizes fit")
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
    }

    #[test]
    fn a_picture_without_a_single_changed_pixel_is_frozen_in_time_not_before() {
        let mut sight = Sight::default();
        for s in (0..300).step_by(10) {
            assert_eq!(sight.judge(&grey(90, 0), at(s), FROZEN_AFTER), None, "after {s} s");
        }
        assert_eq!(sight.judge(&grey(90, 0), at(300), FROZEN_AFTER), Some(Fault::Frozen { seconds: 300 }));
        assert_eq!(sight.judge(&grey(90, 1), at(310), FROZEN_AFTER), None, "one pixel of noise is life");
        assert_eq!(sight.judge(&grey(90, 0), at(320), FROZEN_AFTER), None, "and starts the time over");
    }

    #[test]
    fn black_is_dark_and_even() {
        for (luma, noise, expected) in [(16, 0, Some(Fault::Black)), (16, 10, Some(Fault::Black)), (60, 0, None)] {
            assert_eq!(Sight::default().judge(&grey(luma, noise), at(0), FROZEN_AFTER), expected, "{luma} {noise}");
        }
        let mut lamps = vec![16; 64 * 48 * 3 / 2];
        lamps[..60].fill(200);
        let night = Picture::from_i420(64, 48, lamps).expect("sizes fit");
        assert_eq!(Sight::default().judge(&night, at(0), FROZEN_AFTER), None, "a village at night is not black");
    }
}
