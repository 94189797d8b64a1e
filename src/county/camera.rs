//! Pure: the camera register: where each camera stands, where it looks, which parts of its picture to doubt.

use crate::triage::detection::BoundingBox;
use crate::triage::geo::LatLon;
use crate::triage::id::{CameraId, PoseId};
use std::fmt;

/// A line of the camera register: one pose of one camera.
#[derive(Clone, PartialEq, Debug)]
pub struct CameraEntry {
    /// The office's own id; for GB/T 28181 devices the 20-digit one.
    pub id: CameraId,
    pub name: String,
    pub at: LatLon,
    /// Lens above the ground, metres; `None`: nobody measured it, and no range follows from it.
    pub height_m: Option<f64>,
    /// Direction of the picture's middle, degrees clockwise from true north; `None`: never surveyed.
    pub azimuth_deg: Option<f64>,
    /// How far the azimuth may be off to each side, nine times in ten, degrees.
    pub azimuth_error_deg: f64,
    /// Horizontal field of view, degrees.
    pub field_of_view_deg: f64,
    /// Down is negative, degrees; `None`: nobody measured it, and no range follows from it.
    pub tilt_deg: Option<f64>,
    /// How far smoke can be made out, metres.
    pub range_m: f64,
    /// What is looked at every cadence: the sub-stream, or the only one.
    pub url: CameraUrl,
    /// 主码流: fetched on suspicion, for a second look and for evidence.
    pub main_url: Option<CameraUrl>,
    /// A file in `pipelines/` without `.gst`; `None` = the configured one.
    pub pipeline: Option<String>,
    pub pose: PoseId,
    pub masks: Vec<Mask>,
}

/// A part of a pose's picture that often smokes or glitters without a fire: it labels, it never hides.
#[derive(Clone, PartialEq, Debug)]
pub struct Mask {
    pub name: String,
    pub bbox: BoundingBox,
}

/// A box counts as masked when at least this share of it lies inside the mask.
const MASKED_SHARE: f32 = 0.5;

impl CameraEntry {
    /// Names of the masks that hold at least half of the box.
    pub fn masks_over<'a>(&'a self, bbox: &'a BoundingBox) -> impl Iterator<Item = &'a str> {
        self.masks.iter().filter(|mask| share_inside(bbox, &mask.bbox) >= MASKED_SHARE).map(|mask| mask.name.as_str())
    }
}

fn share_inside(bbox: &BoundingBox, mask: &BoundingBox) -> f32 {
    let w = (bbox.x + bbox.w).min(mask.x + mask.w) - bbox.x.max(mask.x);
    let h = (bbox.y + bbox.h).min(mask.y + mask.h) - bbox.y.max(mask.y);
    if w <= 0.0 || h <= 0.0 || bbox.area() <= 0.0 { 0.0 } else { w * h / bbox.area() }
}

/// An address with its secret kept apart. `Debug` and `Display` never show user or password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CameraUrl {
    shown: String,
    user: Option<String>,
    password: Option<String>,
}

impl CameraUrl {
    /// Takes `rtsp://user:password@host/…` apart. A path without a scheme is a file or folder.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self { shown: text.to_owned(), user: None, password: None };
        };
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // The last "@": passwords of cameras do contain "@".
        let Some(at) = rest[..authority_end].rfind('@').or_else(|| rest.rfind('@').filter(|_| scheme == "rtsp")) else {
            return Self { shown: text.to_owned(), user: None, password: None };
        };
        let (user, password) = match rest[..at].split_once(':') {
            Some((user, password)) => (user, Some(password.to_owned())),
            None => (&rest[..at], None),
        };
        Self { shown: format!("{scheme}://{}", &rest[at + 1..]), user: Some(user.to_owned()), password }
    }

    /// Fills in what the address itself did not say.
    #[must_use]
    pub fn with(mut self, user: Option<String>, password: Option<String>) -> Self {
        self.user = self.user.or(user.filter(|user| !user.is_empty()));
        self.password = self.password.or(password.filter(|password| !password.is_empty()));
        self
    }

    /// Without user and password, for pages and logs.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// As the office wrote it into cameras.csv, beside the column of users: with a password only if it stood in the address
    /// itself, with a user only if the column says another.
    pub(super) fn for_register(&self, column: Option<&str>) -> String {
        match (self.shown.split_once("://"), &self.user, &self.password) {
            (Some((scheme, rest)), Some(user), Some(password)) => format!("{scheme}://{user}:{password}@{rest}"),
            (Some((scheme, rest)), Some(user), None) if Some(user.as_str()) != column => {
                format!("{scheme}://{user}@{rest}")
            }
            _ => self.shown.clone(),
        }
    }

    /// For the receiver only, never for a log or a page.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl fmt::Debug for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn camera() -> CameraEntry {
        CameraEntry {
            id: "c3".into(),
            name: "3号塔".to_owned(),
            at: LatLon::new(28.5, 110.4).expect("a place"),
            height_m: Some(30.0),
            azimuth_deg: Some(350.0),
            azimuth_error_deg: 1.0,
            field_of_view_deg: 60.0,
            tilt_deg: Some(-2.0),
            range_m: 8000.0,
            url: CameraUrl::default(),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks: vec![Mask { name: "砖厂烟囱".to_owned(), bbox: [0.1, 0.4, 0.2, 0.3].into() }],
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

    #[test]
    fn addresses_lose_their_secret_before_anyone_sees_them() {
        for (text, shown, user, password) in [
            ("rtsp://admin:p@ss@10.1.2.3:554/s1", "rtsp://10.1.2.3:554/s1", Some("admin"), Some("p@ss")),
            ("rtsp://admin:a/b@10.1.2.3/s1", "rtsp://10.1.2.3/s1", Some("admin"), Some("a/b")),
            ("rtsp://admin@10.1.2.3/s1", "rtsp://10.1.2.3/s1", Some("admin"), None),
            ("rtsp://10.1.2.3/s1", "rtsp://10.1.2.3/s1", None, None),
            ("http://10.1.2.3/a?mail=x@y", "http://10.1.2.3/a?mail=x@y", None, None),
            ("/data/clip.mp4", "/data/clip.mp4", None, None),
        ] {
            let url = CameraUrl::parse(text);
            assert_eq!((url.shown(), url.user(), url.password()), (shown, user, password), "{text}");
            assert_eq!(format!("{url:?} {url}"), format!("{shown} {shown}"));
        }
        let url = CameraUrl::parse("rtsp://h/1").with(Some("u".to_owned()), Some("secret".to_owned()));
        assert_eq!((url.user(), url.password()), (Some("u"), Some("secret")));
        assert!(!format!("{url:?}").contains("secret"));
    }
}
