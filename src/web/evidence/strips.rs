//! 过程图: the pictures around an alarm, for the officer who judges it: before, at and after, what
//! has changed, and which other cameras look there.

use super::closeup::around;
use super::pictures::image;
use crate::error::{Error, Kind, Result};
use crate::frame::Picture;
use crate::store::Filed;
use crate::triage::detection::{BoundingBox, Stream};
use crate::triage::geo::{LatLon, Locus};
use crate::triage::id::{CameraId, IncidentId, PictureId, SightingId};
use crate::triage::sighting::{Sighting, Source};
use crate::triage::strip::{SeenAt, StripFrame};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use crate::web::office::board::visible;
use crate::web::office::theirs::shows_camera;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest side of a crop, pixels: no more than fits on a screen beside the whole picture.
const REGION_SIDE: u32 = 960;
/// Longest side of a difference picture, pixels. Small pictures lose nothing, large ones only
/// noise.
const DIFFERENCE_SIDE: u32 = 640;
/// Thin smoke brightens a hillside by some ten of 219 levels. Eight times as much is seen at a
/// glance.
const AMPLIFIED: u8 = 8;
const QUALITY: u8 = 85;
/// Other cameras shown, the nearest. Nobody compares more live pictures.
const OTHERS_MAX: usize = 6;

#[derive(Serialize, ToSchema)]
#[schema(as = Strip)]
pub(crate) struct StripView {
    /// Oldest first. The evidence itself is among them.
    frames: Vec<FrameView>,
    /// The camera that saw it: its picture of now is `GET /api/v1/cameras/{id}/frame`.
    camera: CameraId,
    /// Others whose view holds the place, the nearest first, at most six.
    others: Vec<OtherCamera>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StripFrame)]
struct FrameView {
    /// Show it by `…/strip/{picture}`.
    picture: PictureId,
    captured_at: Timestamp,
    stream: Stream,
    /// The picture that was confirmed.
    is_evidence: bool,
    /// What the model saw in the place of the sighting, 0..1; null where it saw nothing there.
    score: Option<f32>,
    #[schema(value_type = Option<(f32, f32, f32, f32)>)]
    bbox: Option<BoundingBox>,
}

#[derive(Serialize, ToSchema)]
struct OtherCamera {
    id: CameraId,
    name: String,
    /// From the camera to the fix, metres; null where the fix is a bearing and no place.
    distance_m: Option<f64>,
}

/// 过程图: what the camera showed before, at and after a sighting.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/sightings/{sighting}/strip", tag = "office",
    params(("sighting" = SightingId, Path)), security(("session" = ["officer", "ops"])),
    responses((status = 200, body = StripView)),
)]
pub(crate) async fn strip(
    State(state): State<WebState>,
    Office(me): Office,
    Path((id, sighting)): Path<(IncidentId, SightingId)>,
) -> Answer<Json<StripView>> {
    let filed = visible(&state, &me, id).await?;
    let (sighting, seen) = of_camera(&filed, sighting)?;
    let frames = state.store.strip(sighting.id).await?;
    let county = state.county();
    let fix = filed.incident.fix;
    // A bearing does not say how far the fire is. So the question is which cameras look along it.
    let is_a_place = fix.is_a_place();
    let place = Locus::Disc { centre: fix.centre, radius_m: fix.radius_m };
    let towards = if is_a_place { place } else { sighting.locus };
    let distance_m = |from: LatLon| is_a_place.then(|| from.distance_m(fix.centre));
    let mut others: Vec<OtherCamera> = county
        .cameras_towards(&towards)
        .into_iter()
        .filter(|camera| *camera != seen.camera)
        .filter_map(|camera| county.camera(camera))
        .filter(|camera| shows_camera(&me, &county, camera))
        .map(|it| OtherCamera {
            id: it.id.clone(),
            name: it.name.clone(),
            distance_m: distance_m(it.at),
        })
        .collect();
    others.sort_by(|a, b| a.distance_m.unwrap_or(0.0).total_cmp(&b.distance_m.unwrap_or(0.0)));
    others.truncate(OTHERS_MAX);
    Ok(Json(StripView {
        frames: views(frames, sighting, &seen),
        camera: seen.camera.clone(),
        others,
    }))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// The surroundings of the smoke at full resolution.
    Region,
    /// What has changed since the first picture of the strip, amplified eight times. Grey is
    /// unchanged, white is brighter.
    Difference,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shown {
    /// Left out: the whole picture as it was kept.
    #[param(inline)]
    show: Option<Part>,
}

/// One picture of a strip. It never changes.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/sightings/{sighting}/strip/{picture}", tag = "office",
    params(("sighting" = SightingId, Path), ("picture" = PictureId, Path), Shown),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "image/jpeg"), (status = 410)),
)]
pub(crate) async fn strip_picture(
    State(state): State<WebState>,
    Office(me): Office,
    Path((id, sighting, picture)): Path<(IncidentId, SightingId, PictureId)>,
    Query(Shown { show }): Query<Shown>,
) -> Answer<Response> {
    let filed = visible(&state, &me, id).await?;
    let (sighting, seen) = of_camera(&filed, sighting)?;
    let frames = views(state.store.strip(sighting.id).await?, sighting, &seen);
    let frame = frames.iter().find(|it| it.picture == picture).ok_or_else(Problem::not_found)?;
    let bytes = read(&state, picture).await?;
    let seats = &state.own.seats;
    let bytes = match show {
        None => bytes,
        Some(Part::Region) => {
            let bbox = frame.bbox.unwrap_or(seen.bbox);
            seats.with_pixels(move || region(&Picture::from_image_bytes(&bytes)?, bbox)).await?
        }
        Some(Part::Difference) => {
            let first = read(&state, frames[0].picture).await?;
            let both = move || {
                difference(
                    &Picture::from_image_bytes(&bytes)?,
                    &Picture::from_image_bytes(&first)?,
                )?
                .to_jpeg(QUALITY)
            };
            seats.with_pixels(both).await?
        }
    };
    Ok(image(bytes, HeaderValue::from_static("private, max-age=31536000, immutable")))
}

async fn read(state: &WebState, picture: PictureId) -> Answer<Vec<u8>> {
    state.store.picture(picture).await.map_err(|e| match e.kind {
        Kind::NotFound => Problem::gone(
            "过程图已按留存期或因磁盘空间清除，记录仍在。",
            "This picture has been removed: its retention is over, or disk space was short. The \
            record stays.",
        ),
        _ => e.into(),
    })
}

/// A camera sighting.
struct Seen<'a> {
    camera: &'a CameraId,
    bbox: BoundingBox,
}

/// A sighting of this incident, including one that was struck out.
fn of_camera(filed: &Filed, id: SightingId) -> Answer<(&Sighting, Seen<'_>)> {
    let mut all = filed.incident.sightings.iter().chain(&filed.incident.struck_out);
    let sighting = all.find(|it| it.id == id).ok_or_else(Problem::not_found)?;
    match &sighting.source {
        Source::Camera { camera, bbox, .. } => Ok((sighting, Seen { camera, bbox: *bbox })),
        _ => Err(Problem::not_found()),
    }
}

/// The frames in time order, with the evidence among them.
fn views(frames: Vec<StripFrame>, sighting: &Sighting, of: &Seen<'_>) -> Vec<FrameView> {
    let view = |it: StripFrame| FrameView {
        picture: it.picture,
        captured_at: it.captured_at,
        stream: it.stream,
        is_evidence: false,
        score: it.seen.map(|it| it.score),
        bbox: it.seen.map(|it| it.bbox),
    };
    let Some(evidence) = sighting.pictures.first() else {
        return frames.into_iter().map(view).collect();
    };
    let seen = Some(SeenAt { score: sighting.confidence, bbox: of.bbox });
    let captured_at = sighting.observed_at;
    // The strip may hold the same look in a smaller size.
    let same = frames.iter().find(|it| it.captured_at == captured_at).map(|it| it.stream);
    let stream = same.unwrap_or_default();
    let whole = StripFrame { sighting: sighting.id, captured_at, stream, seen, picture: *evidence };
    let others = frames.into_iter().filter(|it| it.captured_at != captured_at).map(view);
    let mut views: Vec<FrameView> =
        others.chain([FrameView { is_evidence: true, ..view(whole) }]).collect();
    views.sort_by_key(|it| it.captured_at);
    views
}

/// The box with its surroundings, not enlarged.
fn region(picture: &Picture, bbox: BoundingBox) -> Result<Vec<u8>> {
    around(picture, bbox).fitted(REGION_SIDE, REGION_SIDE).to_jpeg(QUALITY)
}

/// The change of brightness, on a grey base. Both pictures are compared at the smaller one's size,
/// because the evidence may come from the main stream.
fn difference(picture: &Picture, first: &Picture) -> Result<Picture> {
    let first = first.fitted(DIFFERENCE_SIDE, DIFFERENCE_SIDE);
    let small = picture.fitted(first.width(), DIFFERENCE_SIDE);
    let (width, height) = (small.width(), small.height());
    let was = first.luma_resized(width, height);
    let changed = small
        .luma()
        .iter()
        .zip(&was)
        .map(|(now, was)| now.abs_diff(*was).saturating_mul(AMPLIFIED));
    let luma = changed.map(|it| it.saturating_add(16).min(235));
    let chroma = std::iter::repeat_n(128, (width * height / 2) as usize);
    Picture::from_i420(width, height, luma.chain(chroma).collect())
        .map_err(|e| Error::internal("cannot make a picture of the difference").because(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hill(width: u32, height: u32, smoke: u8) -> Picture {
        let is_smoke = |i: u32| (i % width) * 2 > width && (i / width) * 2 > height;
        let rgb: Vec<u8> =
            (0..width * height).flat_map(|i| [if is_smoke(i) { smoke } else { 60 }; 3]).collect();
        Picture::from_rgb(width, height, &rgb).expect("sizes fit")
    }

    #[test]
    fn thin_smoke_is_plain_in_the_difference_and_what_stays_is_dark() {
        let (was, now) = (hill(480, 270, 60), hill(1920, 1080, 72));
        let shown = difference(&now, &was).expect("a picture");
        assert_eq!((shown.width(), shown.height()), (480, 270));
        let at = |x: usize, y: usize| shown.luma()[y * 480 + x];
        assert_eq!(at(20, 20), 16, "as it was");
        assert!(at(400, 200) > 80, "a dozen steps brighter: {}", at(400, 200));
    }

    #[test]
    fn the_region_is_at_the_pictures_own_pixels() {
        let crop = region(&hill(1920, 1080, 200), [0.5, 0.5, 0.05, 0.05].into()).expect("JPEG");
        assert_eq!(Picture::size_of(&crop).expect("a JPEG"), (320, 180), "a sixth of the frame");
    }
}
