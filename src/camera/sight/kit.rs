//! For tests: a landscape all around, of which a picture shows a part.

use crate::frame::Picture;

const WIDTH: usize = 320;
const HEIGHT: usize = 180;

/// The view 320 pixels wide that begins at `direction`: sky, a ridge, and a wood with its crowns.
/// `light`: 1 by day. `fog`: 0 none, 1 nothing else.
pub(in crate::camera) fn panorama(direction: i64, light: f32, fog: f32) -> Picture {
    let mut bytes = Vec::with_capacity(WIDTH * HEIGHT * 3 / 2);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let around = (direction + x as i64) as f32;
            let ridge = 70.0
                + 22.0 * (around / 61.0).sin()
                + 13.0 * (around / 23.0).sin()
                + 6.0 * (around / 7.3).sin();
            let luma = if (y as f32) < ridge {
                190.0
            } else {
                let (column, row) = ((direction + x as i64).div_euclid(5), y as i64 / 5);
                let mixed = (column.wrapping_mul(0x9e37_79b9) ^ row.wrapping_mul(0x85eb_ca6b))
                    .wrapping_mul(0xc2b2_ae35);
                60.0 + (mixed.rem_euclid(1 << 20) >> 14) as f32
            };
            let fogged = luma + (170.0 - luma) * fog;
            bytes.push((16.0 + (fogged - 16.0) * light).clamp(16.0, 235.0) as u8);
        }
    }
    bytes.resize(WIDTH * HEIGHT * 3 / 2, 110);
    Picture::from_i420(WIDTH as u32, HEIGHT as u32, bytes).unwrap_or_else(|e| panic!("{e:?}"))
}
