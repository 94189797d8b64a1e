//! Pure: plumes of several sizes on the ground of one picture, to test which of them the model
//! sees.

use super::plume::{Plume, alpha, composite};
use crate::frame::Picture;
use crate::triage::detection::BoundingBox;

/// Apparent widths, shares of the picture's width, smallest first. At 60° and 3 km these are 31,
/// 63, 126, 251 and 504 m.
pub const WIDTHS: [f32; 5] = [0.01, 0.02, 0.04, 0.08, 0.16];
/// One seed per place that a size is tried at. The seeds never change, so two tests can be
/// compared.
const SEEDS: [u32; 3] = [11, 23, 47];
/// The age of the plumes: after three minutes a fire's column stands and leans. Younger smoke is a
/// thin blob that the shipped model finds less reliably at any size (six watch cameras, 0.16 wide,
/// at the balanced threshold: 3 of 18 places at 60 s, 16 at 180 s).
const AGE_S: f64 = 180.0;
/// Opacity below which smoke has no edge that a person would draw.
const VISIBLE: f32 = 0.1;
/// The unit of length at which a plume's shape is measured, pixels.
const MEASURED_PX: f64 = 60.0;

/// One plume to be detected.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TestPlume {
    pub plume: Plume,
    /// One of [`WIDTHS`].
    pub width: f32,
    /// Box of its visible part.
    pub bbox: BoundingBox,
}

impl TestPlume {
    /// The picture with this plume in it.
    pub fn composite(&self, picture: &Picture) -> Picture {
        composite(picture, &self.plume, AGE_S)
    }
}

/// Every size at every place, smallest sizes first: 15 rungs.
pub fn ladder(picture: &Picture) -> Vec<TestPlume> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let places: Vec<(Plume, f64)> = SEEDS
        .map(|seed| Plume::on_terrain(picture, seed))
        .into_iter()
        .filter_map(|plume| Some((plume, units_wide(&plume)?)))
        .collect();
    let at = |share: f32| places.iter().map(move |place| (share, place));
    let rungs = WIDTHS.into_iter().flat_map(at).map(|(share, (plume, units_wide))| {
        let scale = f64::from(share) * width as f64 / units_wide / height as f64;
        let plume = Plume { scale, ..*plume };
        let origin = (plume.foot.0 * width as f64, plume.foot.1 * height as f64);
        // A plume below one pixel shows nothing. It still has a place, at which nothing can be
        // detected.
        let foot = [origin.0 as usize, origin.1 as usize, 1, 1];
        let [x, y, w, h] =
            extent(height, width, origin, scale * height as f64, &plume).unwrap_or(foot);
        let (of_width, of_height) =
            (|v: usize| v as f32 / width as f32, |v: usize| v as f32 / height as f32);
        TestPlume {
            plume,
            width: share,
            bbox: [of_width(x), of_height(y), of_width(w), of_height(h)].into(),
        }
    });
    rungs.collect()
}

/// The width of this plume's visible part, in its own units of length.
fn units_wide(plume: &Plume) -> Option<f64> {
    let side = (8.0 * MEASURED_PX) as usize;
    let foot = (4.0 * MEASURED_PX, 7.0 * MEASURED_PX);
    extent(side, side, foot, MEASURED_PX, plume).map(|[_, _, width, _]| width as f64 / MEASURED_PX)
}

/// Left, top, width and height of the visible part, pixels.
fn extent(
    height: usize,
    width: usize,
    foot: (f64, f64),
    scale_px: f64,
    plume: &Plume,
) -> Option<[usize; 4]> {
    let smoke = alpha(height, width, foot, scale_px, AGE_S, plume.wind, plume.seed);
    let visible = smoke.values.iter().enumerate().filter(|(_, a)| **a >= VISIBLE);
    let places = visible.map(|(i, _)| (smoke.left + i % smoke.width, smoke.top + i / smoke.width));
    let hull = places.fold(None, |hull: Option<[usize; 4]>, (x, y)| {
        let [left, top, right, low] = hull.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), low.max(y)])
    });
    hull.map(|[left, top, right, low]| [left, top, right - left + 1, low - top + 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::scene;
    use std::path::Path;

    #[test]
    fn every_size_stands_at_three_places_and_is_as_wide_as_it_says() {
        let ground = scene::landscape(2, Path::new("/nowhere")).expect("ridges");
        let rungs = ladder(&ground);
        assert_eq!(rungs.len(), WIDTHS.len() * SEEDS.len());
        for rung in &rungs {
            let pixel = 1.0 / ground.width() as f32;
            let off = (rung.bbox.w - rung.width).abs();
            assert!(off <= 2.0 * pixel + 0.1 * rung.width, "{rung:?}");
            let smoky = rung.composite(&ground);
            let changed = ground.luma().iter().zip(smoky.luma()).filter(|(a, b)| a != b).count();
            assert!(changed > 0, "{rung:?} shows");
        }
    }
}
