//! Pure: which pictures an event names.

use super::Event;
use crate::triage::detection::BoundingBox;
use crate::triage::id::PictureId;
use crate::triage::sighting::{Sighting, Source};

impl Event {
    /// The evidence that somebody may want to see again: frames of sightings, with the box in which
    /// the smoke is, and photos.
    pub fn pictures(&self) -> Vec<(PictureId, Option<BoundingBox>)> {
        match self {
            Self::Opened { sighting, .. }
            | Self::SightingAdded { sighting, .. }
            | Self::Reminded { sighting, .. } => frames(sighting).collect(),
            Self::Merged { sightings, .. } => sightings.iter().flat_map(frames).collect(),
            Self::Reported { verification, .. } => {
                verification.photos.iter().map(|id| (*id, None)).collect()
            }
            Self::PhotoAdded { picture } => vec![(*picture, None)],
            _ => Vec::new(),
        }
    }
}

fn frames(sighting: &Sighting) -> impl Iterator<Item = (PictureId, Option<BoundingBox>)> {
    let bbox = match sighting.source {
        Source::Camera { bbox, .. } => Some(bbox),
        _ => None,
    };
    sighting.pictures.iter().map(move |id| (*id, bbox))
}
