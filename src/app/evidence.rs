//! Pure: a confirmation or a hotspot becomes a sighting, located and labelled from the registers.

use crate::county::{County, SmokeInView};
use crate::satellite;
use crate::triage::confirm::Confirmed;
use crate::triage::detection::ModelVersion;
use crate::triage::geo::Locus;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::{CameraId, PictureId, PoseId, SightingId};
use crate::triage::opinion::Opinion;
use crate::triage::sighting::{Label, Sighting, Source};

/// The other facts that a camera's sighting carries.
pub struct Provenance {
    pub model: ModelVersion,
    pub thresholds_version: u32,
    /// Of the verifier.
    pub opinion: Opinion,
    /// `None`: encoding failed.
    pub picture: Option<PictureId>,
    pub drill: bool,
}

/// The camera and the pose that saw it.
pub struct Eye<'a> {
    pub camera: &'a CameraId,
    pub pose: &'a PoseId,
    /// Width divided by height of the picture.
    pub aspect: f64,
    /// The camera was seen to have turned.
    pub has_moved: bool,
}

/// A sighting in the direction of the box, labelled with masks and with what the registers know
/// there. If the camera's direction is unknown, the sighting says so. `None` when the register does
/// not have the camera.
pub fn from_camera(
    id: SightingId,
    seen: &Confirmed,
    eye: &Eye<'_>,
    county: &County,
    of: Provenance,
) -> Option<Sighting> {
    let look = SmokeInView { bbox: &seen.bbox, aspect: eye.aspect, has_moved: eye.has_moved };
    let locus = county.bearing(eye.camera, eye.pose, look)?;
    // A mask applies to the view from before the camera turned.
    let pose = county.pose(eye.camera, eye.pose).filter(|_| !eye.has_moved);
    let masks = pose.into_iter().flat_map(|entry| entry.masks_over(&seen.bbox));
    let masks = masks.map(|name| Label::Masked { name: name.to_owned() });
    let no_bearing = matches!(locus, Locus::Unaimed { .. })
        .then(|| Label::NoBearing { camera: eye.camera.clone() });
    let labels =
        no_bearing.into_iter().chain(masks).chain(county.labels(&locus, seen.best_at)).collect();
    Some(Sighting {
        id,
        source: Source::Camera {
            camera: eye.camera.clone(),
            pose: eye.pose.clone(),
            class: seen.class,
            bbox: seen.bbox,
            model: of.model,
            thresholds_version: of.thresholds_version,
            opinion: Some(of.opinion),
        },
        observed_at: seen.best_at,
        locus,
        confidence: seen.confidence,
        pictures: of.picture.into_iter().collect(),
        drill: of.drill,
        labels,
    })
}

/// A sighting of the pixel, labelled with what the registers know there.
pub fn from_satellite(id: SightingId, hotspot: &Hotspot, county: &County) -> Sighting {
    let mut sighting = satellite::sighting_of(hotspot, id);
    sighting.labels = county.labels(&sighting.locus, hotspot.acquired_at);
    sighting
}
