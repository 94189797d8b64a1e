//! Pure: the camera register: where each camera stands, where it looks, and which parts of its
//! picture are masked.

use crate::address::{Address, Form};
use crate::triage::detection::BoundingBox;
use crate::triage::geo::LatLon;
use crate::triage::id::{CameraId, PoseId};

/// A row of the camera register: one pose of one camera.
#[derive(Clone, PartialEq, Debug)]
pub struct CameraEntry {
    /// The office's own id; for GB/T 28181 devices the 20-digit one.
    pub id: CameraId,
    pub name: String,
    pub at: LatLon,
    /// Lens above the ground, metres; `None`: not measured, so no range can be computed.
    pub height_m: Option<f64>,
    /// Direction of the picture's centre, degrees clockwise from true north; `None`: never
    /// surveyed.
    pub azimuth_deg: Option<f64>,
    /// 90 % error of the azimuth to each side, degrees.
    pub azimuth_error_deg: f64,
    /// Horizontal field of view, degrees.
    pub field_of_view_deg: f64,
    /// Negative is down, degrees; `None`: not measured, so no range can be computed.
    pub tilt_deg: Option<f64>,
    /// Height of the skyline as a fraction of the picture from the top, 0..=1; `None`: found from
    /// the picture.
    pub horizon: Option<f64>,
    /// The distance up to which smoke can be made out, metres.
    pub range_m: f64,
    /// The stream that is screened at every cadence: the sub-stream, or the only one.
    pub url: Address,
    /// 主码流: fetched on suspicion, for a second look and for evidence.
    pub main_url: Option<Address>,
    /// A file in `pipelines/` without `.gst`; `None` = the configured one.
    pub pipeline: Option<String>,
    pub pose: PoseId,
    pub masks: Vec<Mask>,
}

/// A part of a pose's picture that often smokes or glitters without a fire. It labels and never
/// hides.
#[derive(Clone, PartialEq, Debug)]
pub struct Mask {
    pub name: String,
    pub bbox: BoundingBox,
}

/// A box counts as masked when at least this share of it lies inside the mask.
const MASKED_SHARE: f32 = 0.5;

impl CameraEntry {
    /// Not a recording or a folder of this machine.
    pub fn is_on_the_network(&self) -> bool {
        matches!(self.url.form(), Form::Rtsp | Form::Web)
    }

    /// Names of the masks that hold at least half of the box.
    pub fn masks_over<'a>(&'a self, bbox: &'a BoundingBox) -> impl Iterator<Item = &'a str> {
        self.masks
            .iter()
            .filter(|mask| share_inside(bbox, &mask.bbox) >= MASKED_SHARE)
            .map(|mask| mask.name.as_str())
    }
}

fn share_inside(bbox: &BoundingBox, mask: &BoundingBox) -> f32 {
    let w = (bbox.x + bbox.w).min(mask.x + mask.w) - bbox.x.max(mask.x);
    let h = (bbox.y + bbox.h).min(mask.y + mask.h) - bbox.y.max(mask.y);
    if w <= 0.0 || h <= 0.0 || bbox.area() <= 0.0 { 0.0 } else { w * h / bbox.area() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn camera() -> CameraEntry {
        CameraEntry {
            id: "c3".into(),
            name: "3号塔".to_owned(),
            at: LatLon::new(28.5, 110.4).expect("a place"),
            height_m: Some(30.0),
            azimuth_deg: Some(350.0),
            azimuth_error_deg: 1.0,
            field_of_view_deg: 60.0,
            tilt_deg: Some(-2.0),
            horizon: None,
            range_m: 8000.0,
            url: Address::default(),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks: vec![Mask {
                name: "砖厂烟囱".to_owned(), bbox: [0.1, 0.4, 0.2, 0.3].into()
            }],
        }
    }

    #[test]
    fn a_box_is_masked_by_half_of_itself() {
        let camera = camera();
        let masked = |bbox: [f32; 4]| camera.masks_over(&bbox.into()).count();
        assert_eq!(masked([0.15, 0.5, 0.1, 0.1]), 1);
        assert_eq!(masked([0.25, 0.5, 0.1, 0.1]), 1);
        assert_eq!(masked([0.26, 0.5, 0.1, 0.1]), 0);
        assert_eq!(masked([0.0, 0.0, 0.0, 0.0]), 0);
    }
}
