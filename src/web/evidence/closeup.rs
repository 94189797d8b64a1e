//! Pure: the close-up a phone loads first, in 15 kB (UX requirement 12).

use crate::error::Result;
use crate::frame::Picture;
use crate::triage::detection::BoundingBox;

pub(super) const CLOSE_UP_MAX_BYTES: usize = 15_000;

/// Margin on each side in multiples of the box, so that a person sees where the smoke stands.
const CONTEXT: f32 = 1.0;
/// A box may be a few pixels wide. The close-up is never narrower than a sixth of the frame.
const SIDE_MIN: f32 = 1.0 / 6.0;
/// Longest side in pixels and JPEG quality, tried in turn. At the last step even noise takes only
/// about 6 kB.
const STEPS: [(u32, u8); 6] = [(480, 80), (480, 65), (400, 60), (320, 55), (320, 35), (160, 30)];

/// The picture around the box, or the whole picture, as the best JPEG that fits.
pub(super) fn close_up(picture: &Picture, bbox: Option<BoundingBox>) -> Result<Vec<u8>> {
    let part = bbox.map(|bbox| around(picture, bbox));
    let part = part.as_ref().unwrap_or(picture);
    let mut jpeg = Vec::new();
    for (side, quality) in STEPS {
        jpeg = part.fitted(side, side).to_jpeg(quality)?;
        if jpeg.len() <= CLOSE_UP_MAX_BYTES {
            break;
        }
    }
    Ok(jpeg)
}

/// The picture around the box, at its original resolution.
pub(super) fn around(picture: &Picture, bbox: BoundingBox) -> Picture {
    let (x, w) = stretch(bbox.x, bbox.w);
    let (y, h) = stretch(bbox.y, bbox.h);
    let pixels = |share: f32, of: u32| (share * of as f32).round() as u32;
    let (width, height) = (picture.width(), picture.height());
    picture.cropped(pixels(x, width), pixels(y, height), pixels(w, width), pixels(h, height))
}

/// One axis: start and length as shares of the frame, widened and moved inside 0..1. Boxes from
/// outside may hold any number.
fn stretch(start: f32, length: f32) -> (f32, f32) {
    let (start, length) = (start.clamp(0.0, 1.0), length.clamp(0.0, 1.0));
    let wide = (length * (1.0 + 2.0 * CONTEXT)).clamp(SIDE_MIN, 1.0);
    let from = (start + length / 2.0 - wide / 2.0).clamp(0.0, 1.0 - wide);
    (from, wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise: the worst case for JPEG.
    fn noise(width: u32, height: u32) -> Picture {
        let mut state = 1u32;
        let mut rgb = vec![0; (width * height * 3) as usize];
        for byte in &mut rgb {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        Picture::from_rgb(width, height, &rgb).expect("sizes fit")
    }

    #[test]
    fn even_noise_fits_into_fifteen_kilobytes() {
        let picture = noise(1280, 720);
        for bbox in [None, Some([0.1, 0.1, 0.8, 0.8].into()), Some([0.99, 0.99, 0.01, 0.01].into())]
        {
            let jpeg = close_up(&picture, bbox).expect("JPEG");
            assert!(jpeg.len() <= CLOSE_UP_MAX_BYTES, "{} bytes for {bbox:?}", jpeg.len());
        }
    }

    #[test]
    fn the_box_is_in_the_middle_with_its_surroundings() {
        let (from, wide) = stretch(0.5, 0.1);
        assert!((from - 0.4).abs() < 1e-6 && (wide - 0.3).abs() < 1e-6);
    }

    #[test]
    fn any_box_at_all_stays_inside_the_frame() {
        for (start, length) in
            [(0.0, 0.0), (1.0, 1.0), (-3.0, 9.0), (f32::INFINITY, 0.2), (0.95, 0.01)]
        {
            let (from, wide) = stretch(start, length);
            assert!(
                from >= 0.0 && from + wide <= 1.0 + 1e-6 && wide >= SIDE_MIN,
                "{start} {length}"
            );
        }
    }
}
