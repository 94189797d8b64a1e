//! Evidence as it comes in: smoke that a camera sees, with its picture, and a satellite's pixel.

use crate::http_support::World;
use huoyan::triage::detection::{Class, ModelVersion};
use huoyan::triage::geo::{LatLon, Locus, RangeBasis, Ray};
use huoyan::triage::hotspot::{Hotspot, HotspotConfidence};
use huoyan::triage::id::{IncidentId, PictureId, SightingId};
use huoyan::triage::sighting::{Sighting, Source};
use jiff::Timestamp;
use uuid::Uuid;

/// What was filed.
pub struct Seen {
    pub incident: IncidentId,
    pub sighting: SightingId,
    pub picture: PictureId,
}

/// A camera at `apex` sees smoke in a direction, out to `far_m`.
pub async fn smoke(
    world: &World,
    camera: &str,
    (apex, azimuth_deg, far_m): (LatLon, f64, f64),
    jpeg: Vec<u8>,
) -> Seen {
    let picture = PictureId::of(Uuid::now_v7(), &jpeg);
    world.state.store.keep_picture(picture, jpeg).await.expect("kept");
    let sighting = Sighting {
        id: SightingId(Uuid::now_v7()),
        source: Source::Camera {
            camera: camera.into(),
            pose: "default".into(),
            class: Class::Smoke,
            bbox: [0.4, 0.5, 0.1, 0.1].into(),
            model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
            thresholds_version: 1,
            opinion: None,
        },
        observed_at: world.state.clock.now(),
        locus: Locus::Sector(Ray {
            apex,
            azimuth_deg,
            half_width_deg: 4.0,
            near_m: 200.0,
            far_m,
            range: RangeBasis::Unknown,
            profile: None,
        }),
        confidence: 0.8,
        pictures: vec![picture],
        drill: false,
        labels: vec![],
    };
    let id = sighting.id;
    let incident = world.state.desk.sighting(sighting).await.expect("filed");
    Seen { incident, sighting: id, picture }
}

/// A small fire in a pixel of VIIRS.
pub fn pixel(key: &str, at: LatLon, acquired_at: Timestamp) -> Hotspot {
    Hotspot {
        key: key.to_owned(),
        at,
        acquired_at,
        satellite: "N20".to_owned(),
        instrument: "VIIRS".to_owned(),
        confidence: HotspotConfidence::Nominal,
        frp_mw: Some(3.5),
        brightness_k: Some(335.0),
        background_k: None,
        scan_km: Some(0.4),
        track_km: Some(0.4),
        version: "2.0NRT".to_owned(),
        pixels: 1,
        daynight: None,
    }
}
