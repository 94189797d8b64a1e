//! Self-tests of cameras, and views that the office confirms. Neither touches an incident.

use crate::error::Kind;
use crate::frame::{AtScale, CameraStatus, SelfTest, SizeSeen};
use crate::triage::id::{CameraId, PoseId};
use crate::web::WebState;
use crate::web::evidence::pictures::image;
use crate::web::http::auth::{Office, Ops};
use crate::web::http::error::{Answer, Problem};
use crate::web::http::json::Body;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Smallest side of the example picture, pixels: a person must be able to see smoke of six pixels.
const EXAMPLE_SIDE: u32 = 240;
const EXAMPLE_QUALITY: u8 = 80;

#[derive(Serialize, ToSchema)]
pub(crate) struct SelfTestView {
    camera: CameraId,
    /// Asked for and not done yet.
    asked_at: Option<Timestamp>,
    last: Option<SensitivityView>,
}

#[derive(Serialize, ToSchema)]
struct SensitivityView {
    at: Timestamp,
    /// The view that was tested; `default` of a camera with one.
    pose: PoseId,
    whole: ScaleView,
    /// null: no tile is looked at here, or none has a past yet.
    tile: Option<ScaleView>,
}

#[derive(Serialize, ToSchema)]
struct ScaleView {
    threshold: f32,
    /// Apparent width of the smallest plume seen at most places, share of the picture's width;
    /// null: none was.
    smallest: Option<f32>,
    sizes: Vec<SizeSeen>,
}

impl ScaleView {
    fn new(seen: &AtScale) -> Self {
        Self { threshold: seen.threshold, smallest: seen.smallest(), sizes: seen.sizes.clone() }
    }
}

impl SelfTestView {
    pub(crate) fn new(camera: CameraId, SelfTest { asked_at, last }: SelfTest) -> Self {
        let last = last.map(|it| SensitivityView {
            at: it.at,
            pose: it.pose.clone(),
            whole: ScaleView::new(&it.whole),
            tile: it.tile.as_ref().map(ScaleView::new),
        });
        Self { camera, asked_at, last }
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct OfCamera {
    camera: CameraId,
}

/// 自检: rendered plumes are put into this camera's next picture, off-stream, and the model is
/// asked. Asked again, it is still one test. No incident comes of it.
#[utoipa::path(
    post, path = "/api/v1/ops/self-tests", tag = "ops", request_body = OfCamera,
    security(("session" = ["ops"])), responses((status = 200, body = SelfTestView)),
)]
pub(crate) async fn self_test(
    State(state): State<WebState>,
    _: Ops,
    Body(of): Body<OfCamera>,
) -> Answer<Json<SelfTestView>> {
    let camera = watched(&state, &of.camera)?;
    let mut test = camera.self_test;
    let asked_at = *test.asked_at.get_or_insert(state.clock.now());
    state.status.update(&of.camera, |status| status.self_test.asked_at = Some(asked_at));
    Ok(Json(SelfTestView::new(of.camera, test)))
}

/// What the camera shows now is right: view, size and sharpness are learnt anew.
#[utoipa::path(
    post, path = "/api/v1/ops/views", tag = "ops", request_body = OfCamera,
    security(("session" = ["ops"])), responses((status = 200, body = OfCamera)),
)]
pub(crate) async fn accept_view(
    State(state): State<WebState>,
    Ops(me): Ops,
    Body(of): Body<OfCamera>,
) -> Answer<Json<OfCamera>> {
    watched(&state, &of.camera)?;
    tracing::info!(camera = %of.camera, by = %me.person, "the view was accepted");
    state.status.update(&of.camera, |status| status.is_view_accepted = true);
    Ok(Json(of))
}

/// The smallest plume that the last self-test found, in its surroundings; the largest, where none
/// was found.
#[utoipa::path(
    get, path = "/api/v1/cameras/{id}/self-test", tag = "ops",
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "image/jpeg")),
)]
pub(crate) async fn example(
    State(state): State<WebState>,
    _: Office,
    Path(id): Path<CameraId>,
) -> Answer<Response> {
    let last = state
        .status
        .get(&id)
        .and_then(|status| status.self_test.last)
        .ok_or_else(Problem::not_found)?;
    let picture = last.example.clone().ok_or_else(Problem::not_found)?;
    let enlarged = (EXAMPLE_SIDE.div_ceil(picture.width())).max(1);
    let jpeg = state.own.seats.with_pixels(move || {
        picture
            .resized(enlarged * picture.width(), enlarged * picture.height())
            .to_jpeg(EXAMPLE_QUALITY)
    });
    Ok(image(jpeg.await?, HeaderValue::from_static("private, max-age=86400")))
}

/// A camera of the register that this machine has looked at.
fn watched(state: &WebState, camera: &CameraId) -> Answer<CameraStatus> {
    if state.county().camera(camera).is_none() {
        return Err(Problem::invalid("没有这个摄像机。", "There is no such camera."));
    }
    state.status.get(camera).filter(|status| status.analysed > 0).ok_or_else(|| {
        Problem::new(
            Kind::Unavailable,
            "这台摄像机还没有可用的画面。",
            "There is no picture of this camera yet.",
        )
    })
}
