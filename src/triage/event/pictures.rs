//! Pure: which pictures an event names.

use super::Event;
use crate::triage::id::PictureId;

impl Event {
    /// The evidence that somebody may want to see again: frames of sightings, photos of a report.
    pub fn pictures(&self) -> Vec<PictureId> {
        match self {
            Self::Opened { sighting, .. } | Self::SightingAdded { sighting, .. } | Self::Reminded { sighting, .. } => {
                sighting.pictures.clone()
            }
            Self::Merged { sightings, .. } => sightings.iter().flat_map(|it| it.pictures.iter().copied()).collect(),
            Self::Reported { verification, .. } => verification.photos.clone(),
            Self::PhotoAdded { picture } => vec![*picture],
            _ => Vec::new(),
        }
    }
}
