//! 卫星热点: hotspot files and feeds → [`Hotspot`]s. Bytes are read through GStreamer, like the
//! cameras' pictures; `format/` holds one parser a form.

mod bytes;
mod feed;
mod format;
mod passes;
mod same;
mod watch;

pub use bytes::read_file;
pub use feed::{Answer, Feed, Marks, back_off};
pub use format::{Parsed, Rejected, parse, parse_mapped};
pub use passes::{Orbits, Pass, next_of_each, of_timetable};
pub use same::reconcile;
pub use watch::{Batch, FolderWatch, Refused, Scan, keep_refused, kept_at};

use crate::triage::hotspot::{Hotspot, HotspotConfidence};
use crate::triage::id::SightingId;
use crate::triage::sighting::{Sighting, Source};

/// A hotspot as evidence. The caller makes the `id`.
pub fn sighting_of(hotspot: &Hotspot, id: SightingId) -> Sighting {
    Sighting {
        id,
        source: Source::Satellite {
            hotspot_key: hotspot.key.clone(),
            satellite: hotspot.satellite.clone(),
            instrument: hotspot.instrument.clone(),
            frp_mw: hotspot.frp_mw,
            pixels: hotspot.pixels,
        },
        observed_at: hotspot.acquired_at,
        locus: hotspot.locus(),
        confidence: match hotspot.confidence {
            HotspotConfidence::Low => 0.3,
            HotspotConfidence::Nominal => 0.6,
            HotspotConfidence::High => 0.9,
        },
        pictures: Vec::new(),
        drill: false,
        labels: Vec::new(),
    }
}
