//! Turning cameras: at which views each was seen to stop, and which preset each view is. The office
//! says so once, looking at the picture.

use crate::county::{CameraEntry, County, is_turning};
use crate::frame::{KnownView, Patrol, Picture, ViewName, ViewRecord};
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
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const QUALITY: u8 = 80;

/// A turning camera that this machine watches.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatrolView {
    camera: CameraId,
    /// In the register's order.
    presets: Vec<PresetView>,
    views: Vec<ViewRecord>,
    /// The pose of its last picture, `?` and a number for a view that nobody has named, `?` where
    /// night or fog hides which it is; null: it turned.
    pose: Option<PoseId>,
    /// Pictures since the start of the program in which it turned, and in which its view could not
    /// be told.
    turning: u64,
    unclear: u64,
}

#[derive(Serialize, ToSchema)]
struct PresetView {
    pose: PoseId,
    azimuth_deg: Option<f64>,
}

impl PatrolView {
    /// `None`: the register does not say that the camera turns.
    pub(crate) fn new(camera: &CameraId, patrol: Patrol, county: &County) -> Option<Self> {
        let rows = presets(county, camera)?;
        let is_registered = |it: &PoseId| rows.iter().any(|row| row.pose == *it);
        let view = |KnownView { record, .. }: KnownView| ViewRecord {
            preset: record.preset.filter(is_registered),
            ..record
        };
        Some(Self {
            camera: camera.clone(),
            views: patrol.views.into_iter().map(view).collect(),
            presets: rows
                .iter()
                .map(|row| PresetView { pose: row.pose.clone(), azimuth_deg: row.azimuth_deg })
                .collect(),
            pose: patrol.pose,
            turning: patrol.turning,
            unclear: patrol.unclear,
        })
    }
}

/// Its rows in the register; `None`: it does not turn.
fn presets<'a>(county: &'a County, camera: &CameraId) -> Option<Vec<&'a CameraEntry>> {
    let rows: Vec<_> = county.cameras.iter().filter(|it| it.id == *camera).collect();
    is_turning(&rows).then_some(rows)
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ViewNamed {
    camera: CameraId,
    view: u32,
    /// null: it is none of the presets.
    preset: Option<PoseId>,
}

/// 指明画面: which preset a view of a turning camera shows. From the camera's next picture on, that
/// view has the preset's direction, masks and past. Said again, it changes nothing.
#[utoipa::path(
    post, path = "/api/v1/ops/view-names", tag = "ops", request_body = ViewNamed,
    security(("session" = ["ops"])),
    responses((status = 200, body = PatrolView), (status = 404)),
)]
pub(crate) async fn name_view(
    State(state): State<WebState>,
    Ops(me): Ops,
    Body(named): Body<ViewNamed>,
) -> Answer<Json<PatrolView>> {
    let ViewNamed { camera, view, preset } = named;
    let county = state.county();
    let Some(rows) = presets(&county, &camera) else {
        return Err(Problem::invalid(
            "台账里这个编号不是巡航摄像机：一个编号下要有两行以上、地址相同的预置位。",
            "The register has no turning camera of this id: two or more presets of one id and \
            address.",
        ));
    };
    if preset.as_ref().is_some_and(|preset| rows.iter().all(|row| row.pose != *preset)) {
        return Err(Problem::invalid(
            "台账里这台摄像机没有这个预置位。",
            "The register has no such preset of this camera.",
        ));
    }
    let name = ViewName { view, preset };
    if !state.status.name_view(&camera, name.clone()) {
        return Err(Problem::not_found());
    }
    tracing::info!(%camera, view, preset = ?name.preset, by = %me.person, "a view was named");
    let patrol = state.status.get(&camera).and_then(|it| it.patrol).unwrap_or_default();
    let seen = PatrolView::new(&camera, patrol, &county);
    seen.map(Json).ok_or_else(Problem::not_found)
}

/// What a view of a turning camera looks like.
#[utoipa::path(
    get, path = "/api/v1/cameras/{id}/views/{number}", tag = "ops",
    params(("number" = u32, Path)),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "image/jpeg"), (status = 404)),
)]
pub(crate) async fn view_picture(
    State(state): State<WebState>,
    _: Office,
    Path((id, number)): Path<(CameraId, u32)>,
) -> Answer<Response> {
    let patrol = state.status.get(&id).and_then(|it| it.patrol);
    let view = patrol.and_then(|it| it.views.into_iter().find(|view| view.record.number == number));
    let picture: Arc<Picture> = view.ok_or_else(Problem::not_found)?.picture;
    let jpeg = state.own.seats.with_pixels(move || picture.to_jpeg(QUALITY)).await?;
    Ok(image(jpeg, HeaderValue::from_static("private, max-age=60")))
}
