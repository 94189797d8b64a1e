//! Pure: 管, the input of the second network: crops of one place, near and far, present and
//! earlier.

use super::manifest::Verifier;
use crate::frame::Picture;
use crate::triage::detection::BoundingBox;
use std::sync::Arc;

/// Minimum side of a near crop, as a share of the picture's shorter side: smoke of a few pixels is
/// recognised by its surroundings.
const SHORTEST: f32 = 0.1;

/// The network's input: near and far × now and each earlier picture × red, green, blue × rows ×
/// columns. `before`: one picture for each age, of any size; the same part of the view is cropped
/// from them.
pub(super) fn tensor(
    about: &Verifier,
    now: &Picture,
    before: &[Arc<Picture>],
    bbox: &BoundingBox,
) -> Vec<f32> {
    let mut tensor = Vec::with_capacity(about.shape().iter().product());
    for part in crops((now.width(), now.height()), bbox, about.near, about.far) {
        for picture in std::iter::once(now).chain(before.iter().map(AsRef::as_ref)) {
            write(&picture.part_resized(&part, about.side), about, &mut tensor);
        }
    }
    tensor
}

/// The near and the far crop, as fractions of the picture. They are squares in pixels around the
/// middle of the box, no larger than the picture's shorter side and shifted to lie inside the
/// picture.
fn crops((width, height): (u32, u32), bbox: &BoundingBox, near: f32, far: f32) -> [BoundingBox; 2] {
    let (width, height) = (width as f32, height as f32);
    let shorter = width.min(height);
    let side = (near * (bbox.w * width).max(bbox.h * height)).max(SHORTEST * shorter);
    [side, side * far / near].map(|side| {
        let side = side.min(shorter);
        let (w, h) = (side / width, side / height);
        let from = |centre: f32, length: f32| (centre - length / 2.0).clamp(0.0, 1.0 - length);
        BoundingBox { x: from(bbox.centre_x(), w), y: from(bbox.centre_y(), h), w, h }
    })
}

fn write(crop: &Picture, about: &Verifier, tensor: &mut Vec<f32>) {
    let rgb = crop.to_rgb();
    for (c, (mean, std)) in about.mean.iter().zip(about.std).enumerate() {
        tensor.extend(
            rgb.iter().skip(c).step_by(3).map(|value| (f32::from(*value) / 255.0 - mean) / std),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const FULL_HD: (u32, u32) = (1920, 1080);

    /// Left, top, width, height in pixels.
    fn pixels(frame: (u32, u32), bbox: [f32; 4]) -> [[i32; 4]; 2] {
        crops(frame, &bbox.into(), 1.6, 4.8).map(|it| {
            let (w, h) = (frame.0 as f32, frame.1 as f32);
            [it.x * w, it.y * h, it.w * w, it.h * h].map(|side| side.round() as i32)
        })
    }

    #[test]
    fn crops_are_squares_around_the_box_and_inside_the_picture() {
        for (what, frame, bbox, near, far) in [
            // 192 × 54 pixels around 960, 540: the longer side counts.
            (
                "in the middle",
                FULL_HD,
                [0.45, 0.475, 0.1, 0.05],
                [806, 386, 307, 307],
                [499, 79, 922, 922],
            ),
            (
                "taller than wide",
                FULL_HD,
                [0.475, 0.4, 0.05, 0.2],
                [787, 367, 346, 346],
                [442, 22, 1037, 1037],
            ),
            (
                "at an edge, shifted",
                FULL_HD,
                [0.95, 0.0, 0.05, 0.05],
                [1766, 0, 154, 154],
                [1459, 0, 461, 461],
            ),
            (
                "tiny: a tenth of the shorter side",
                FULL_HD,
                [0.5, 0.5, 0.002, 0.002],
                [908, 487, 108, 108],
                [800, 379, 324, 324],
            ),
            (
                "larger than the picture",
                FULL_HD,
                [0.0, 0.0, 1.0, 1.0],
                [420, 0, 1080, 1080],
                [420, 0, 1080, 1080],
            ),
            (
                "a picture that stands",
                (480, 640),
                [0.5, 0.9, 0.5, 0.1],
                [96, 256, 384, 384],
                [0, 160, 480, 480],
            ),
        ] {
            assert_eq!(pixels(frame, bbox), [near, far], "{what}");
        }
    }

    #[test]
    fn the_tensor_holds_near_before_far_and_now_before_then_in_planes_of_colours() {
        let about = Verifier {
            file: String::new(),
            sha256: String::new(),
            version: "1".to_owned(),
            input: "tube".to_owned(),
            output: "smoke".to_owned(),
            side: 16,
            near: 1.0,
            far: 4.0,
            ages: vec![SignedDuration::from_mins(1)],
            threshold: 0.5,
            mean: [0.0, 0.5, 0.0],
            std: [1.0, 1.0, 0.5],
        };
        // A bright square, a quarter of the picture wide, in the middle. A minute ago, in a picture
        // of half the size, it was not there.
        let in_square = |i: u32| (24..40).contains(&(i % 64)) && (24..40).contains(&(i / 64));
        let rgb: Vec<u8> =
            (0..64 * 64).flat_map(|i| [if in_square(i) { 200 } else { 40 }; 3]).collect();
        let now = Picture::from_rgb(64, 64, &rgb).expect("sizes fit");
        let before = Arc::new(Picture::from_rgb(32, 32, &[40; 32 * 32 * 3]).expect("sizes fit"));
        let tensor = tensor(&about, &now, &[before], &[0.375, 0.375, 0.25, 0.25].into());
        assert_eq!(tensor.len(), about.shape().iter().product::<usize>());
        let means: Vec<f32> =
            tensor.chunks(256).map(|plane| plane.iter().sum::<f32>() / 256.0).collect();
        let colours = |level: f32| [level, level - 0.5, level * 2.0];
        let (smoke, ground) = (200.0 / 255.0, 40.0 / 255.0);
        let far = ground + (smoke - ground) / 16.0;
        let expected = [smoke, ground, far, ground].map(colours).concat();
        let worst = means.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(means.len() == expected.len() && worst < 0.03, "{means:?}, not {expected:?}");
    }
}
