//! Evidence pictures, photos, and the cameras' last frames.

use super::closeup::close_up;
use crate::error::{Error, Kind};
use crate::frame::Picture;
use crate::triage::id::{CameraId, IncidentId, PictureId};
use crate::triage::incident::Input;
use crate::triage::retention::Keeping;
use crate::web::WebState;
use crate::web::http::auth::{Key, Office};
use crate::web::http::error::{Answer, Problem};
use crate::web::http::limits::PHOTO_MAX_PIXELS;
use crate::web::http::me::Me;
use crate::web::http::shares::{self, Hold};
use crate::web::office::board::visible;
use crate::web::office::incident::{Action, derived, take};
use crate::web::office::theirs::shows_camera;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Frames are viewed on a screen, not measured: about 60 kB (UX requirement 12).
const FRAME_SIDE: u32 = 1280;
const FRAME_QUALITY: u8 = 70;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shown {
    /// `1`: the close-up around the box, 15 kB at most.
    crop: Option<u8>,
}

/// An evidence picture or photo, to those who may see its incident. It never changes, so it is kept
/// for good.
#[utoipa::path(
    get, path = "/api/v1/pictures/{id}", tag = "evidence", params(Shown),
    responses((status = 200, content(("image/jpeg"), ("image/png"))), (status = 410)),
)]
pub(crate) async fn picture(
    State(state): State<WebState>,
    me: Me,
    Path(id): Path<PictureId>,
    Query(shown): Query<Shown>,
) -> Answer<Response> {
    let belongs = state.store.picture_belongs(id).await?.ok_or_else(Problem::not_found)?;
    if !me.right.is_county() {
        visible(&state, &me, belongs.incident).await?;
    }
    let mut bytes = match state.store.picture(id).await {
        Err(e) if e.kind == Kind::NotFound => return Err(absent(&state, id, e).await?),
        read => read?,
    };
    if shown.crop == Some(1) {
        let seats = &state.own.seats;
        bytes = match belongs.bbox {
            Some(_) => {
                seats
                    .with_pixels(move || {
                        close_up(&Picture::from_image_bytes(&bytes)?, belongs.bbox)
                    })
                    .await?
            }
            None => {
                check_size(&bytes)?;
                seats
                    .with_photo(move || close_up(&Picture::from_image_bytes(&bytes)?, None))
                    .await?
            }
        };
    }
    Ok(image(bytes, HeaderValue::from_static("private, max-age=31536000, immutable")))
}

/// Why a picture named in the log is missing: its retention is over, or it was lost.
async fn absent(state: &WebState, id: PictureId, lost: Error) -> Answer<Problem> {
    let keeping = state.store.keeping(id, &state.config.retention, state.clock.now()).await?;
    if keeping == Some(Keeping::Owed) {
        return Ok(lost.into());
    }
    Ok(Problem::gone(
        "图片已按留存期清除，记录仍在。",
        "The picture has been removed: its retention is over. The record stays.",
    ))
}

/// The last analysed frame of a camera.
#[utoipa::path(
    get, path = "/api/v1/cameras/{id}/frame", tag = "office",
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "image/jpeg")),
)]
pub(crate) async fn frame(
    State(state): State<WebState>,
    Office(me): Office,
    Path(id): Path<CameraId>,
) -> Answer<Response> {
    let county = state.county();
    let is_theirs = || county.camera(&id).is_some_and(|it| shows_camera(&me, &county, it));
    if !me.right.is_county() && !is_theirs() {
        return Err(Problem::not_found());
    }
    let picture = state
        .status
        .get(&id)
        .and_then(|status| status.last_picture)
        .ok_or_else(Problem::not_found)?;
    let jpeg = state
        .own
        .seats
        .with_pixels(move || picture.fitted(FRAME_SIDE, FRAME_SIDE).to_jpeg(FRAME_QUALITY))
        .await?;
    Ok(image(jpeg, HeaderValue::from_static("no-store")))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Kept {
    pub picture: PictureId,
}

/// A photo of the scene: kept as sent, after a look whether it is one.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/photos", tag = "ranger",
    request_body(content(("image/jpeg"), ("image/png"))),
    responses((status = 200, body = Kept), (status = 422)),
)]
pub(crate) async fn add_photo(
    State(state): State<WebState>,
    Uploading { me, .. }: Uploading,
    Path(id): Path<IncidentId>,
    Key(key): Key,
    headers: HeaderMap,
    photo: Bytes,
) -> Answer<Json<Kept>> {
    let incident = visible(&state, &me, id).await?.incident;
    let picture = PictureId::of(derived("photo", &me, key.0), &photo);
    if incident.made_by(key).is_none() {
        // Checked before the photo is decoded and stored: one too many costs nothing.
        shares::of_incident(&incident, &me.person, &Input::AddPhoto { picture })?;
    }
    check_kind(&headers)?;
    check_whole(&photo)?;
    let bytes = photo.clone();
    state
        .own
        .seats
        .with_photo(move || Picture::from_image_bytes(&bytes))
        .await
        .map_err(unreadable)?;
    state.store.keep_picture(picture, photo.to_vec()).await?;
    take(&state, &me, id, Action { key, happened_at: None, input: Input::AddPhoto { picture } })
        .await?;
    Ok(Json(Kept { picture }))
}

/// Whose upload is under way. Taken before the body is read, and returned with the answer.
pub(crate) struct Uploading {
    me: Me,
    _hold: Hold,
}

impl FromRequestParts<WebState> for Uploading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Me::from_request_parts(parts, state).await?;
        let hold = state.own.shares.uploads.take(&me.person).ok_or_else(|| {
            Problem::new(
                Kind::TooMany,
                "您有几张照片正在上传，请等它们传完。",
                "Several of your photos are being uploaded. Please wait until they are finished.",
            )
        })?;
        Ok(Self { me, _hold: hold })
    }
}

/// What can be seen of a photo without decoding it: that it is one, not too large, and has its end.
pub(crate) fn check_whole(photo: &[u8]) -> Answer<()> {
    check_size(photo)?;
    if Picture::is_cut_off(photo) {
        return Err(Problem::impossible(
            "照片不完整，请重新拍摄。",
            "The photo is incomplete. Please take it again.",
        ));
    }
    Ok(())
}

/// Reads the header only.
fn check_size(photo: &[u8]) -> Answer<()> {
    let (width, height) = Picture::size_of(photo).map_err(unreadable)?;
    if u64::from(width) * u64::from(height) > PHOTO_MAX_PIXELS {
        return Err(Problem::impossible(
            "照片像素太多，请用较低的分辨率（2000万像素以内）重新拍摄。",
            "The photo has too many pixels. Please take it again with 20 megapixels at most.",
        ));
    }
    Ok(())
}

fn unreadable(error: Error) -> Problem {
    tracing::debug!(cause = error.chain(), "a photo could not be decoded");
    Problem::invalid(
        "照片无法打开，请重新拍摄。",
        "The photo cannot be read. Please take it again.",
    )
}

pub(crate) fn check_kind(headers: &HeaderMap) -> Answer<()> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "image/jpeg" | "image/png" => Ok(()),
        _ => {
            Err(Problem::invalid("照片只收JPEG或PNG格式。", "A photo must be a JPEG or PNG file.")
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

pub(crate) fn image(bytes: Vec<u8>, cache: HeaderValue) -> Response {
    let kind = if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    ([(CONTENT_TYPE, HeaderValue::from_static(kind)), (CACHE_CONTROL, cache)], bytes)
        .into_response()
}
