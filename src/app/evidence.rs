//! Pure: a confirmation or a hotspot becomes a sighting, located and labelled from the registers.

use crate::county::{CameraEntry, County};
use crate::satellite;
use crate::triage::confirm::Confirmed;
use crate::triage::detection::ModelVersion;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::{PictureId, SightingId};
use crate::triage::sighting::{Label, Sighting, Source};

/// What else a camera's sighting says of itself.
pub struct Provenance {
    pub model: ModelVersion,
    pub thresholds_version: u32,
    pub picture: PictureId,
    pub drill: bool,
}

/// Towards where the box lies, labelled with masks and whatever the registers know there.
pub fn from_camera(
    id: SightingId,
    seen: &Confirmed,
    camera: &CameraEntry,
    county: &County,
    of: Provenance,
) -> Sighting {
    let locus = camera.locus(&seen.bbox);
    let masks = camera.masks_over(&seen.bbox).map(|name| Label::Masked { name: name.to_owned() });
    Sighting {
        id,
        source: Source::Camera {
            camera: camera.id.clone(),
            pose: camera.pose.clone(),
            class: seen.class,
            bbox: seen.bbox,
            model: of.model,
            thresholds_version: of.thresholds_version,
        },
        observed_at: seen.best_at,
        locus,
        confidence: seen.confidence,
        pictures: vec![of.picture],
        drill: of.drill,
        labels: masks.chain(county.labels(&locus, seen.best_at, 1)).collect(),
    }
}

/// The pixel, labelled with whatever the registers know there.
pub fn from_satellite(id: SightingId, hotspot: &Hotspot, county: &County) -> Sighting {
    let mut sighting = satellite::sighting_of(hotspot, id);
    sighting.labels = county.labels(&sighting.locus, hotspot.acquired_at, hotspot.pixels);
    sighting
}
