//! Pure: from pictures to the network's canvas, and from boxes on the canvas to fractions of the
//! picture.

use super::manifest::Input;
use crate::frame::Picture;
use crate::triage::detection::BoundingBox;

/// Grey level of the letterbox padding, 0..=255. The YOLO family is trained with it, and so is our
/// own model.
pub(super) const GREY: f32 = 114.0;

/// Position of a picture on the network's canvas, in canvas pixels: scaled to fit, centred, with
/// its aspect ratio kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Letterbox {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    /// Width and height of the canvas.
    pub canvas: (u32, u32),
}

impl Letterbox {
    /// The letterbox of a picture of this size. Small pictures are enlarged to fill the canvas, as
    /// in training. If the network accepts other heights and widths, the padding is cropped by
    /// multiples of the stride, so that the cells keep their positions on the picture.
    pub fn new(width: u32, height: u32, input: &Input) -> Self {
        let (w, h) = (f64::from(width), f64::from(height));
        let scale = (f64::from(input.width) / w).min(f64::from(input.height) / h);
        let even = |side: f64, most: u32| ((side * scale / 2.0).round() as u32 * 2).clamp(2, most);
        let (width, height) = (even(w, input.width), even(h, input.height));
        let bar = |canvas: u32, side: u32| {
            let bar = (canvas - side) / 2;
            input.rect_stride.map_or(bar, |stride| bar % stride)
        };
        let (x, y) = (bar(input.width, width), bar(input.height, height));
        let kept = |canvas: u32, side: u32, bar: u32| canvas - 2 * ((canvas - side) / 2 - bar);
        Self {
            x,
            y,
            width,
            height,
            canvas: (kept(input.width, width, x), kept(input.height, height, y)),
        }
    }

    /// Number of values of one frame: 3 × height × width of the canvas.
    pub fn numbers(&self) -> usize {
        3 * (self.canvas.0 * self.canvas.1) as usize
    }

    /// The picture at the size it has on the canvas.
    pub fn shrink(&self, picture: &Picture) -> Picture {
        picture.resized(self.width, self.height)
    }

    /// A box on the canvas (left, top, right, bottom in pixels) as fractions of the picture.
    /// `None`: it lies on the padding only.
    pub fn to_picture(self, [left, top, right, bottom]: [f32; 4]) -> Option<BoundingBox> {
        let across = |v: f32| ((v - self.x as f32) / self.width as f32).clamp(0.0, 1.0);
        let down = |v: f32| ((v - self.y as f32) / self.height as f32).clamp(0.0, 1.0);
        let (x, y) = (across(left), down(top));
        let (w, h) = (across(right) - x, down(bottom) - y);
        (w > 0.0 && h > 0.0).then_some(BoundingBox { x, y, w, h })
    }
}

/// Writes one frame: [`Letterbox::numbers`] values, in planes of red, green, blue. The picture must
/// be shrunk already. If it is smaller than its place (an earlier frame kept at half size), its
/// pixels are repeated.
pub(super) fn write(picture: &Picture, at: Letterbox, input: &Input, out: &mut [f32]) {
    let (canvas_w, canvas_h) = (at.canvas.0 as usize, at.canvas.1 as usize);
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let (place_w, place_h) = (at.width as usize, at.height as usize);
    debug_assert!(out.len() == at.numbers() && w <= place_w && h <= place_h);
    let rgb = picture.to_rgb();
    let bytes: Vec<usize> = (0..place_w).map(|column| column * w / place_w * 3).collect();
    for (c, out) in out.chunks_exact_mut(canvas_w * canvas_h).enumerate() {
        let (gain, offset) = (1.0 / (255.0 * input.std[c]), -input.mean[c] / input.std[c]);
        out.fill(GREY * gain + offset);
        for (row, out) in
            out.chunks_exact_mut(canvas_w).skip(at.y as usize).take(place_h).enumerate()
        {
            let line = &rgb[row * h / place_h * w * 3..][..w * 3];
            for (value, byte) in out[at.x as usize..].iter_mut().zip(&bytes) {
                *value = f32::from(line[byte + c]) * gain + offset;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{Manifest, tests::HEATMAP};
    use super::*;

    fn input() -> Input {
        Manifest::parse(HEATMAP).expect("valid").input
    }

    #[test]
    fn pictures_are_fitted_and_centred() {
        for (size, expected) in [
            ((640, 480), (0, 0, 640, 480)),
            ((1920, 1080), (0, 60, 640, 360)),
            ((640, 360), (0, 60, 640, 360)),
            ((320, 240), (0, 0, 640, 480)),
            ((1000, 3000), (240, 0, 160, 480)),
            ((8192, 2), (0, 239, 640, 2)),
        ] {
            let Letterbox { x, y, width, height, .. } = Letterbox::new(size.0, size.1, &input());
            assert_eq!((x, y, width, height), expected, "{size:?}");
        }
    }

    #[test]
    fn bars_are_left_away_in_whole_strides_where_the_sides_are_open() {
        let open = Input { rect_stride: Some(16), ..input() };
        for (size, place, canvas) in [
            ((640, 480), (0, 0, 640, 480), (640, 480)),
            ((1920, 1080), (0, 12, 640, 360), (640, 384)),
            ((1000, 3000), (0, 0, 160, 480), (160, 480)),
            ((8192, 2), (0, 15, 640, 2), (640, 32)),
        ] {
            let at = Letterbox::new(size.0, size.1, &open);
            assert_eq!((at.x, at.y, at.width, at.height), place, "{size:?}");
            assert_eq!(at.canvas, canvas, "{size:?}");
            let full = Letterbox::new(size.0, size.1, &input());
            let steps = (full.x - at.x) % 16 + (full.y - at.y) % 16;
            assert_eq!(
                (full.canvas, steps),
                ((640, 480), 0),
                "{size:?}: cells lie on the picture as on the full canvas"
            );
        }
    }

    #[test]
    fn a_box_comes_back_as_fractions_of_the_picture() {
        let at = Letterbox::new(1920, 1080, &input());
        let whole = at.to_picture([0.0, 60.0, 640.0, 420.0]).expect("inside");
        assert_eq!(<[f32; 4]>::from(whole), [0.0, 0.0, 1.0, 1.0]);
        let part = at.to_picture([160.0, 240.0, 320.0, 600.0]).expect("clipped below");
        assert_eq!(<[f32; 4]>::from(part), [0.25, 0.5, 0.25, 0.5]);
        assert_eq!(at.to_picture([0.0, 0.0, 640.0, 60.0]), None, "on the upper bar only");
    }

    #[test]
    fn the_tensor_holds_normalised_colours_between_grey_bars() {
        let input = input();
        let red = Picture::from_rgb(640, 360, &[200, 40, 90].repeat(640 * 360)).expect("sizes fit");
        let at = Letterbox::new(640, 360, &input);
        let mut out = vec![f32::NAN; 3 * 640 * 480];
        write(&at.shrink(&red), at, &input, &mut out);
        let back = |v: f32| (v * 0.501961 + 0.498039) * 255.0;
        for (c, expected) in [200.0, 40.0, 90.0].into_iter().enumerate() {
            let plane = &out[c * 640 * 480..(c + 1) * 640 * 480];
            assert!((back(plane[240 * 640 + 320]) - expected).abs() < 4.0, "colour {c}");
            for bar in [0, 59 * 640 + 639, 420 * 640, 479 * 640 + 639] {
                assert!((back(plane[bar]) - GREY).abs() < 0.01, "bar at {bar}");
            }
            assert!((back(plane[60 * 640]) - expected).abs() < 4.0, "first row of the picture");
        }
    }

    #[test]
    fn a_picture_kept_at_half_size_gives_a_network_that_averages_two_by_two_the_same_numbers() {
        let input = input();
        let slope: Vec<u8> =
            (0..640 * 360).flat_map(|i| [(i % 640 / 3) as u8, (i / 640 / 2) as u8, 90]).collect();
        let picture = Picture::from_rgb(640, 360, &slope).expect("sizes fit");
        let at = Letterbox::new(640, 360, &input);
        let averaged = |picture: &Picture| {
            let mut out = vec![f32::NAN; 3 * 640 * 480];
            write(picture, at, &input, &mut out);
            let cell = |row: usize, column: usize| {
                let corner = row * 2 * 640 + column * 2;
                [0, 1, 640, 641].iter().map(|step| out[corner + step]).sum::<f32>() / 4.0
            };
            (0..240)
                .flat_map(|row| (0..320).map(move |column| (row, column)))
                .map(|(r, c)| cell(r, c))
                .collect()
        };
        let (whole, half): (Vec<f32>, Vec<f32>) =
            (averaged(&picture), averaged(&picture.resized(320, 180)));
        let worst = whole.iter().zip(&half).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(
            worst < 4.0 / 255.0 / 0.5,
            "{worst}: more than the rounding of brightness and colour"
        );
    }
}
