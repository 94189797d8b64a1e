//! A second look, at a suspicious camera's main stream: the whole as any picture of its pose, then closer, at full
//! resolution, where something is suspected.

use crate::detect::Worker;
use crate::error::Result;
use crate::frame::Picture;
use crate::triage::confirm::is_same_place;
use crate::triage::detection::{BoundingBox, Class, Detection, Scores, Stream};

/// Each costs a run of the network.
const CROPS_MAX: usize = 2;
/// A crop is at least so many times as wide and high as what is suspected: smoke is told from what stands around it.
const AROUND: f32 = 2.0;
/// A crop that shows it hardly larger than the whole did is not worth its time.
const GAIN_MIN: f32 = 1.3;

/// At the size the network sees. Sub-streams are often stretched: the main stream is shrunk to their shape, so that it can be
/// compared with the past.
pub fn shrink(worker: &Worker, stream: Stream, picture: &Picture, past: Option<&Picture>) -> Picture {
    match (stream, past) {
        (Stream::Main, Some(past)) => worker.shrink_like(picture, past),
        _ => worker.shrink(picture),
    }
}

/// The whole look, with each box raised half way to what a crop says of its place, if that is surer. All the way raised as many
/// false alarms as it found smoke: enlarged rock and mist look more like smoke, too. What only a crop sees is no box, for that
/// found hardly anything; and crops have no past, for one enlarged from the small pictures that are kept raised false alarms
/// (benches/runs/2026-11-22-second-look).
pub fn closer(
    worker: &mut Worker,
    picture: &Picture,
    (mut scores, mut found): (Scores, Vec<Detection>),
) -> Result<(Scores, Vec<Detection>)> {
    let mut suspected: Vec<&Detection> = found.iter().collect();
    suspected.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let boxes: Vec<BoundingBox> = suspected.into_iter().map(|it| it.bbox).collect();
    for crop in crops((picture.width(), picture.height()), worker.size(), &boxes) {
        let (_, seen) = worker.analyse(&crop.cut(picture), None)?;
        for closer in seen {
            raise(&mut found, &Detection { bbox: crop.on_frame(&closer.bbox), ..closer });
        }
    }
    for it in &found {
        let score = match it.class {
            Class::Smoke => &mut scores.smoke,
            Class::Fire => &mut scores.fire,
        };
        *score = score.max(it.confidence);
    }
    Ok((scores, found))
}

fn raise(found: &mut [Detection], closer: &Detection) {
    let is_it = |whole: &&mut Detection| whole.class == closer.class && is_same_place(&whole.bbox, &closer.bbox);
    for whole in found.iter_mut().filter(is_it) {
        whole.confidence = whole.confidence.max((whole.confidence + closer.confidence) / 2.0);
    }
}

/// A part of the frame, in pixels; even, as planes of half size need it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Crop {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    frame: (u32, u32),
}

impl Crop {
    fn cut(&self, picture: &Picture) -> Picture {
        picture.cropped(self.x, self.y, self.width, self.height)
    }

    /// A box in the crop as fractions of the frame.
    fn on_frame(&self, bbox: &BoundingBox) -> BoundingBox {
        let (width, height) = (self.frame.0 as f32, self.frame.1 as f32);
        BoundingBox {
            x: (self.x as f32 + bbox.x * self.width as f32) / width,
            y: (self.y as f32 + bbox.y * self.height as f32) / height,
            w: bbox.w * self.width as f32 / width,
            h: bbox.h * self.height as f32 / height,
        }
    }

    fn holds(&self, bbox: &BoundingBox) -> bool {
        let inside = |from: f32, side: f32, at: u32, length: u32, of: u32| {
            from * of as f32 >= at as f32 && (from + side) * of as f32 <= (at + length) as f32
        };
        inside(bbox.x, bbox.w, self.x, self.width, self.frame.0)
            && inside(bbox.y, bbox.h, self.y, self.height, self.frame.1)
    }
}

/// Around each box in turn, in the network's shape and not smaller than it, moved into the frame. What lies in an earlier
/// crop has been looked at.
fn crops(frame: (u32, u32), network: (u32, u32), boxes: &[BoundingBox]) -> Vec<Crop> {
    let (frame_w, frame_h) = (frame.0 as f32, frame.1 as f32);
    let (network_w, network_h) = (network.0 as f32, network.1 as f32);
    let whole = (network_w / frame_w).min(network_h / frame_h);
    let mut crops: Vec<Crop> = Vec::new();
    for bbox in boxes {
        if crops.len() == CROPS_MAX {
            break;
        }
        let times = (bbox.w * frame_w * AROUND / network_w).max(bbox.h * frame_h * AROUND / network_h).max(1.0);
        if 1.0 / times < whole * GAIN_MIN || crops.iter().any(|crop| crop.holds(bbox)) {
            continue;
        }
        let along = |centre: f32, side: f32, of: f32| {
            let side = (side.min(of) as u32) & !1;
            let at = (centre * of - side as f32 / 2.0).clamp(0.0, of - side as f32).round() as u32 & !1;
            (at, side)
        };
        let (x, width) = along(bbox.centre_x(), network_w * times, frame_w);
        let (y, height) = along(bbox.centre_y(), network_h * times, frame_h);
        crops.push(Crop { x, y, width, height, frame });
    }
    crops
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: (u32, u32) = (640, 480);
    const MAIN: (u32, u32) = (1920, 1080);

    fn cut(frame: (u32, u32), boxes: &[[f32; 4]]) -> Vec<(u32, u32, u32, u32)> {
        let boxes: Vec<BoundingBox> = boxes.iter().map(|&it| it.into()).collect();
        crops(frame, NETWORK, &boxes).iter().map(|crop| (crop.x, crop.y, crop.width, crop.height)).collect()
    }

    #[test]
    fn a_crop_lies_around_the_suspicion_at_full_resolution_and_inside_the_frame() {
        for (what, frame, boxes, expected) in [
            ("in the middle", MAIN, vec![[0.475, 0.475, 0.05, 0.05]], vec![(640, 300, 640, 480)]),
            ("in a corner", MAIN, vec![[0.98, 0.0, 0.02, 0.02]], vec![(1280, 0, 640, 480)]),
            ("twice as large as its smoke", MAIN, vec![[0.3, 0.3, 0.2, 0.1]], vec![(384, 90, 768, 576)]),
            ("smoke over half the frame gains nothing", MAIN, vec![[0.2, 0.2, 0.5, 0.5]], vec![]),
            ("nor does a main stream of the network's size", (704, 576), vec![[0.5, 0.5, 0.05, 0.05]], vec![]),
            (
                "one crop for two that lie together, two at most",
                MAIN,
                vec![[0.5, 0.5, 0.05, 0.05], [0.52, 0.5, 0.05, 0.05], [0.1, 0.1, 0.05, 0.05], [0.8, 0.8, 0.05, 0.05]],
                vec![(688, 326, 640, 480), (0, 0, 640, 480)],
            ),
        ] {
            assert_eq!(cut(frame, &boxes), expected, "{what}");
        }
    }

    #[test]
    fn a_box_in_a_crop_lies_where_it_lies_in_the_frame() {
        let crop = crops(MAIN, NETWORK, &[[0.475, 0.475, 0.05, 0.05].into()])[0];
        let on_frame: [f32; 4] = crop.on_frame(&[0.5, 0.5, 0.25, 0.5].into()).into();
        let expected = [960.0 / 1920.0, 540.0 / 1080.0, 160.0 / 1920.0, 240.0 / 1080.0];
        assert!(on_frame.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{on_frame:?}");
    }

    #[test]
    fn a_crop_raises_the_box_of_its_class_and_place_and_makes_no_new_one() {
        let at = |class, confidence, bbox: [f32; 4]| Detection { class, confidence, bbox: bbox.into(), tile: None };
        let whole = [at(Class::Smoke, 0.7, [0.4, 0.4, 0.1, 0.1]), at(Class::Fire, 0.6, [0.4, 0.4, 0.1, 0.1])];
        for (closer, expected) in [
            (at(Class::Smoke, 0.9, [0.44, 0.42, 0.03, 0.05]), [0.8, 0.6]),
            (at(Class::Smoke, 0.65, [0.44, 0.42, 0.03, 0.05]), [0.7, 0.6]),
            (at(Class::Fire, 0.8, [0.44, 0.42, 0.03, 0.05]), [0.7, 0.7]),
            (at(Class::Smoke, 0.9, [0.8, 0.8, 0.03, 0.05]), [0.7, 0.6]),
        ] {
            let mut found = whole;
            raise(&mut found, &closer);
            let near = found.iter().zip(expected).all(|(it, expected)| (it.confidence - expected).abs() < 1e-6);
            assert!(near, "{closer:?}: {found:?}");
        }
    }
}
