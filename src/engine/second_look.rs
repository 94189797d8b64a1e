//! The second look, at the main stream of a suspicious camera: first the whole picture, like any
//! other of its pose; then crops at full resolution around what is suspected.

use crate::detect::Worker;
use crate::error::Result;
use crate::frame::Picture;
use crate::triage::confirm::is_same_place;
use crate::triage::detection::{BoundingBox, Class, Detection, Scores, Stream};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Crops per view; each costs one inference.
const CROPS_MAX: usize = 2;
/// A crop is at least this many times as wide and as high as the box: smoke is recognised by its
/// surroundings.
const AROUND: f32 = 2.0;
/// A crop that enlarges the box by less than this factor over the whole view is not worth an
/// inference.
const GAIN_MIN: f32 = 1.3;

/// A past younger than `past` / 2 shows the same smoke already; the smoke would then score lower
/// than without a past.
const YOUNGEST: i32 = 2;
/// A picture older than `past` × 3 was taken in other light and is discarded.
const OLDEST: i32 = 3;
/// Poses whose main stream is remembered; at most eight fetches are open at a time. A picture of
/// 960×540 takes 0.8 MB: 50 MB in all.
const REMEMBERED_MAX: usize = 64;

/// One earlier main-stream picture per suspicious pose, reduced by the network's `past_scale`.
#[derive(Debug)]
pub(super) struct MainPasts {
    past: SignedDuration,
    poses: BTreeMap<(CameraId, PoseId), (Timestamp, Arc<Picture>)>,
}

impl MainPasts {
    /// `past`: how far back the network compares.
    pub(super) fn new(past: SignedDuration) -> Self {
        Self { past, poses: BTreeMap::new() }
    }

    /// The kept picture, if it is at least half a `past` and at most three old.
    pub(super) fn past(
        &self,
        camera: &CameraId,
        pose: &PoseId,
        now: Timestamp,
    ) -> Option<Arc<Picture>> {
        let (at, picture) = self.poses.get(&(camera.clone(), pose.clone()))?;
        (self.past / YOUNGEST..=self.past * OLDEST)
            .contains(&now.duration_since(*at))
            .then(|| Arc::clone(picture))
    }

    pub(super) fn forget(&mut self, pose: &(CameraId, PoseId)) {
        self.poses.remove(pose);
    }

    /// Keeps the first picture of a pose until it is too old: a later one would show the smoke that
    /// is to be compared with it. Beyond 64 poses the oldest picture is dropped.
    pub(super) fn keep(
        &mut self,
        camera: &CameraId,
        pose: &PoseId,
        now: Timestamp,
        picture: impl FnOnce() -> Picture,
    ) {
        let (past, oldest) = (self.past, self.past * OLDEST);
        self.poses.retain(|_, (at, _)| (-past..=oldest).contains(&now.duration_since(*at)));
        let key = (camera.clone(), pose.clone());
        self.poses.entry(key).or_insert_with(|| (now, Arc::new(picture())));
        while self.poses.len() > REMEMBERED_MAX {
            let oldest =
                self.poses.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                self.poses.remove(&key);
            }
        }
    }
}

/// Resizes to the network's input. Sub-streams often have a distorted aspect ratio. A main-stream
/// picture with a past is resized to the past's shape, so that the two can be compared.
pub(super) fn shrink(
    worker: &Worker,
    stream: Stream,
    picture: &Picture,
    past: Option<&Picture>,
) -> Picture {
    match (stream, past) {
        (Stream::Main, Some(past)) => worker.shrink_like(picture, past),
        _ => worker.shrink(picture),
    }
}

/// Analyses crops around the boxes of the whole view. Where a crop gives a box's place a higher
/// confidence, the box gets the mean of the two. Taking the crop's confidence in full raised as
/// many false alarms as it found smoke: enlarged rock and mist look more like smoke, too. A
/// detection in a crop alone adds no box; such boxes found hardly any smoke. `past`: an earlier
/// picture of the main stream. Without one the crops have no past: a past enlarged from the
/// sub-stream's small pictures raised false alarms (benches/runs/2026-11-22-second-look).
pub(super) fn closer(
    worker: &mut Worker,
    picture: &Picture,
    past: Option<&Picture>,
    (mut scores, mut found): (Scores, Vec<Detection>),
) -> Result<(Scores, Vec<Detection>)> {
    let mut suspected: Vec<&Detection> = found.iter().collect();
    suspected.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let boxes: Vec<BoundingBox> = suspected.into_iter().map(|it| it.bbox).collect();
    for crop in crops((picture.width(), picture.height()), worker.size(), &boxes) {
        let present = crop.cut(picture);
        // The past has another resolution, and rounding may make its crop a row smaller; it gets
        // the shape of the present crop.
        let past = past
            .map(|past| worker.shrink_past(&worker.shrink_like(&crop.cut_from(past), &present)));
        let (_, seen) = worker.analyse(&present, past.as_ref())?;
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
    let is_it = |whole: &&mut Detection| {
        whole.class == closer.class && is_same_place(&whole.bbox, &closer.bbox)
    };
    for whole in found.iter_mut().filter(is_it) {
        whole.confidence = whole.confidence.max((whole.confidence + closer.confidence) / 2.0);
    }
}

/// A part of the frame, in pixels. The values are even, because the chroma planes have half the
/// resolution.
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

    /// The same part of the view, from a picture of another size.
    fn cut_from(&self, other: &Picture) -> Picture {
        let across = |pixels: u32| pixels * other.width() / self.frame.0;
        let down = |pixels: u32| pixels * other.height() / self.frame.1;
        other.cropped(across(self.x), down(self.y), across(self.width), down(self.height))
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

/// One crop around each box in turn, with the network's aspect ratio and at least its size, shifted
/// to lie inside the frame. A box inside an earlier crop gets none of its own.
fn crops(frame: (u32, u32), network: (u32, u32), boxes: &[BoundingBox]) -> Vec<Crop> {
    let (frame_w, frame_h) = (frame.0 as f32, frame.1 as f32);
    let (network_w, network_h) = (network.0 as f32, network.1 as f32);
    let whole = (network_w / frame_w).min(network_h / frame_h);
    let mut crops: Vec<Crop> = Vec::new();
    for bbox in boxes {
        if crops.len() == CROPS_MAX {
            break;
        }
        let times = (bbox.w * frame_w * AROUND / network_w)
            .max(bbox.h * frame_h * AROUND / network_h)
            .max(1.0);
        if 1.0 / times < whole * GAIN_MIN || crops.iter().any(|crop| crop.holds(bbox)) {
            continue;
        }
        let along = |centre: f32, side: f32, of: f32| {
            let side = (side.min(of) as u32) & !1;
            let at =
                (centre * of - side as f32 / 2.0).clamp(0.0, of - side as f32).round() as u32 & !1;
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
        crops(frame, NETWORK, &boxes)
            .iter()
            .map(|crop| (crop.x, crop.y, crop.width, crop.height))
            .collect()
    }

    #[test]
    fn a_crop_lies_around_the_suspicion_at_full_resolution_and_inside_the_frame() {
        for (what, frame, boxes, expected) in [
            ("in the middle", MAIN, vec![[0.475, 0.475, 0.05, 0.05]], vec![(640, 300, 640, 480)]),
            ("in a corner", MAIN, vec![[0.98, 0.0, 0.02, 0.02]], vec![(1280, 0, 640, 480)]),
            (
                "twice as large as its smoke",
                MAIN,
                vec![[0.3, 0.3, 0.2, 0.1]],
                vec![(384, 90, 768, 576)],
            ),
            ("smoke over half the frame gains nothing", MAIN, vec![[0.2, 0.2, 0.5, 0.5]], vec![]),
            (
                "nor does a main stream of the network's size",
                (704, 576),
                vec![[0.5, 0.5, 0.05, 0.05]],
                vec![],
            ),
            (
                "one crop for two that lie together, two at most",
                MAIN,
                vec![
                    [0.5, 0.5, 0.05, 0.05],
                    [0.52, 0.5, 0.05, 0.05],
                    [0.1, 0.1, 0.05, 0.05],
                    [0.8, 0.8, 0.05, 0.05],
                ],
                vec![(688, 326, 640, 480), (0, 0, 640, 480)],
            ),
        ] {
            assert_eq!(cut(frame, &boxes), expected, "{what}");
        }
    }

    #[test]
    fn of_each_suspicious_pose_one_earlier_picture_is_kept_for_minutes() {
        let at = |s: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        let picture = |width: u32| {
            Picture::from_rgb(width, 2, &vec![0; (width * 6) as usize]).expect("sizes fit")
        };
        let mut pasts = MainPasts::new(SignedDuration::from_secs(180));
        let (camera, pose) = (CameraId::from("c"), PoseId::from("default"));
        for (what, kept_s, now_s, expected) in [
            ("too young", Some(0), 89, None),
            ("old enough", None, 90, Some(2)),
            ("a later one does not replace it", Some(180), 400, Some(2)),
            ("another light", None, 541, None),
            ("and the next begins", Some(600), 700, Some(22)),
        ] {
            if let Some(s) = kept_s {
                pasts.keep(&camera, &pose, at(s), || picture(2 + s as u32 / 30));
            }
            assert_eq!(
                pasts.past(&camera, &pose, at(now_s)).map(|it| it.width()),
                expected,
                "{what}"
            );
        }
        for n in 0..100 {
            pasts.keep(&format!("c{n}").as_str().into(), &pose, at(1000 + n), || picture(2));
        }
        assert_eq!(
            pasts.poses.len(),
            REMEMBERED_MAX,
            "the bound holds, and what was too old is gone"
        );
        assert!(
            pasts.poses.contains_key(&("c99".into(), pose.clone()))
                && !pasts.poses.contains_key(&("c35".into(), pose))
        );
    }

    #[test]
    fn the_same_part_is_cut_from_a_picture_of_half_the_size() {
        let slope: Vec<u8> = (0..960 * 540u32).flat_map(|i| [(i % 960 / 4) as u8; 3]).collect();
        let half = Picture::from_rgb(960, 540, &slope).expect("sizes fit");
        let crop = crops(MAIN, NETWORK, &[[0.475, 0.475, 0.05, 0.05].into()])[0];
        let part = crop.cut_from(&half);
        assert_eq!((part.width(), part.height()), (crop.width / 2, crop.height / 2));
        assert_eq!(part.luma()[0], half.luma()[(crop.x / 2) as usize]);
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
        let at = |class, confidence, bbox: [f32; 4]| Detection {
            class,
            confidence,
            bbox: bbox.into(),
            tile: None,
        };
        let whole = [
            at(Class::Smoke, 0.7, [0.4, 0.4, 0.1, 0.1]),
            at(Class::Fire, 0.6, [0.4, 0.4, 0.1, 0.1]),
        ];
        for (closer, expected) in [
            (at(Class::Smoke, 0.9, [0.44, 0.42, 0.03, 0.05]), [0.8, 0.6]),
            (at(Class::Smoke, 0.65, [0.44, 0.42, 0.03, 0.05]), [0.7, 0.6]),
            (at(Class::Fire, 0.8, [0.44, 0.42, 0.03, 0.05]), [0.7, 0.7]),
            (at(Class::Smoke, 0.9, [0.8, 0.8, 0.03, 0.05]), [0.7, 0.6]),
        ] {
            let mut found = whole;
            raise(&mut found, &closer);
            let near = found
                .iter()
                .zip(expected)
                .all(|(it, expected)| (it.confidence - expected).abs() < 1e-6);
            assert!(near, "{closer:?}: {found:?}");
        }
    }
}
