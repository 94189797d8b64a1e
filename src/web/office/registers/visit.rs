//! 试看: a camera is looked at and aimed before its entry is registered. Nothing is written.

use super::of_entry;
use crate::county::{self, Aim, CameraEntry, County, Landmark};
use crate::error::{Error, Kind, Result};
use crate::frame::{Health, Visit};
use crate::lang::{Lang, Words};
use crate::register::{Entries, Register};
use crate::triage::geo::LatLon;
use crate::web::WebState;
use crate::web::http::auth::Ops;
use crate::web::http::error::{Answer, Problem, lang_of};
use crate::web::http::json::Body;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

/// Looks at a camera from this machine. Blocks for up to half a minute.
pub type Visitor = Arc<dyn Fn(&CameraEntry, Lang) -> Result<Visit> + Send + Sync>;

/// A person reads the picture, and presses points in it.
const JPEG_QUALITY: u8 = 85;
/// Stands in for what a new camera still lacks; a visit does not look at it.
const NOT_YET: [([&str; 2], &str); 3] =
    [(["id", "编号"], "new"), (["longitude", "经度"], "110"), (["latitude", "纬度"], "28")];

#[derive(Deserialize, ToSchema)]
pub(crate) struct CameraDraft {
    /// The columns of the register of cameras; of a registered one a starred login is the kept one.
    #[schema(value_type = Object)]
    entry: Value,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct VisitView {
    health: Health,
    /// What is wrong, and the cure. Null: nothing was found.
    words: Option<String>,
    /// JPEG in base64. Null: none came within 25 s.
    picture: Option<String>,
    /// Pixels.
    width: Option<u32>,
    height: Option<u32>,
    /// Seconds between the first two keyframes of a stream, 1 at least. Null: only one came in time,
    /// or this is no stream.
    keyframe_every_s: Option<f64>,
}

/// Connects to a camera as the entry says, for up to 25 s, one at a time, and shows what came.
#[utoipa::path(
    post, path = "/api/v1/cameras/visit", tag = "office", request_body = CameraDraft,
    security(("session" = ["ops"])),
    responses((status = 200, body = VisitView), (status = 409), (status = 422)),
)]
pub(crate) async fn visit(
    State(state): State<WebState>,
    Ops(me): Ops,
    headers: HeaderMap,
    Body(CameraDraft { mut entry }): Body<CameraDraft>,
) -> Answer<Json<VisitView>> {
    let Some(visitor) = state.visitor.clone() else {
        return Err(Problem::impossible(
            "本机不接摄像机：请先登记，再到连接它的那台机器上看。",
            "This machine has no cameras: register it, then look on the machine that has it.",
        ));
    };
    stand_in(&mut entry, &NOT_YET);
    let camera = camera_of(&state, &entry)?;
    if !camera.is_on_the_network() {
        return Err(Problem::impossible(
            "只能试看 rtsp://、http:// 或 https:// 地址；录像和文件夹请用 huoyan replay 查看。",
            "Only rtsp://, http:// and https:// addresses can be tried; for recordings and folders \
            use huoyan replay.",
        ));
    }
    let Ok(turn) = Arc::clone(&state.own.visiting).try_acquire_owned() else {
        return Err(Problem::new(
            Kind::Conflict,
            "另一台摄像机正在试看，请稍候。",
            "Another camera is being looked at: wait a moment.",
        ));
    };
    let lang = lang_of(&headers);
    tracing::info!(camera.id = %camera.id, by = %me.person, "a camera is tried");
    let (seen, jpeg) = spawn_blocking(move || {
        let _turn = turn;
        let seen = visitor(&camera, lang)?;
        let jpeg = seen.picture.as_ref().map(|it| it.to_jpeg(JPEG_QUALITY)).transpose()?;
        Ok::<_, Error>((seen, jpeg))
    })
    .await
    .map_err(|e| Error::internal("looking at a camera failed").because(e))??;
    let Visit { health, words, picture, keyframe_every } = seen;
    Ok(Json(VisitView {
        health,
        words,
        picture: jpeg.map(|bytes| STANDARD.encode(bytes)),
        width: picture.as_ref().map(|it| it.width()),
        height: picture.as_ref().map(|it| it.height()),
        keyframe_every_s: keyframe_every.map(|it| it.as_secs_f64()),
    }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct AimRequest {
    /// As for a visit; longitude and latitude are needed here.
    #[schema(value_type = Object)]
    entry: Value,
    /// The picture's width divided by its height.
    #[schema(minimum = 0.2, maximum = 20)]
    aspect: f64,
    points: Vec<KnownPoint>,
}

/// A point of the picture whose place is known.
#[derive(Deserialize, ToSchema)]
pub(crate) struct KnownPoint {
    /// Shares of the picture from its top left corner.
    #[schema(minimum = 0, maximum = 1)]
    x: f32,
    #[schema(minimum = 0, maximum = 1)]
    y: f32,
    at: LatLon,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AimView {
    /// Degrees clockwise from true north.
    azimuth_deg: f64,
    /// 90 % error to each side.
    azimuth_error_deg: f64,
    /// From two points and more; with one, the entry's.
    field_of_view_deg: f64,
}

/// Where a camera looks, from points of its picture whose places are known.
#[utoipa::path(
    post, path = "/api/v1/cameras/aim", tag = "office", request_body = AimRequest,
    security(("session" = ["ops"])),
    responses((status = 200, body = AimView), (status = 422)),
)]
pub(crate) async fn aim(
    State(state): State<WebState>,
    _: Ops,
    Body(AimRequest { mut entry, aspect, points }): Body<AimRequest>,
) -> Answer<Json<AimView>> {
    if points.len() == 1 && is_empty(&entry, ["fieldofview", "视场角"]) {
        return Err(Problem::impossible(
            "只点了一处：请先填视场角，或在画面另一侧再点一处。",
            "With one point the field of view is needed: fill it in, or give a second point at the \
            other side of the picture.",
        ));
    }
    stand_in(&mut entry, &NOT_YET[..1]);
    let camera = camera_of(&state, &entry)?;
    let share = 0.0..=1.0;
    if points.iter().any(|it| !share.contains(&it.x) || !share.contains(&it.y)) {
        return Err(Problem::impossible(
            "点的位置应在画面之内（0 到 1）。",
            "A point lies within the picture (0 to 1).",
        ));
    }
    let marks: Vec<Landmark> =
        points.into_iter().map(|KnownPoint { x, y, at }| Landmark { x, y, at }).collect();
    let refused = |Words { zh, en }| Problem::impossible(zh, en);
    let Aim { azimuth_deg, azimuth_error_deg, field_of_view_deg } =
        camera.aim(aspect, &marks).map_err(refused)?;
    Ok(Json(AimView { azimuth_deg, azimuth_error_deg, field_of_view_deg }))
}

/// Fills what is missing.
fn stand_in(entry: &mut Value, with: &[([&str; 2], &str)]) {
    for (names, text) in with {
        if is_empty(entry, *names)
            && let Some(cells) = entry.as_object_mut()
        {
            cells.insert(names[0].to_owned(), (*text).into());
        }
    }
}

/// Whether neither name of a column has anything in it.
fn is_empty(entry: &Value, names: [&str; 2]) -> bool {
    let has_text = |cell: &Value| !cell.is_null() && cell.as_str() != Some("");
    !names.iter().any(|name| entry.get(name).is_some_and(has_text))
}

/// The camera that an entry describes, with the login that is kept of it.
fn camera_of(state: &WebState, row: &Value) -> Answer<CameraEntry> {
    let register = Register::Cameras;
    let read = |lang| county::register_entry(register, row, lang);
    let mut entry = read(Lang::Zh).map_err(|zh| {
        let en = read(Lang::En).err().unwrap_or_default();
        of_entry(1, 1, &zh, &en)
    })?;
    let current = state.registers.history().at(state.clock.now());
    entry.keep_logins(current.get(register, &entry.key));
    let mut entries = Entries::default();
    entries.push(register, entry);
    let mut camera = County::of(&entries, Lang::Zh).cameras.pop().ok_or_else(|| {
        Problem::impossible("这一条不能用作摄像机。", "This entry is no usable camera.")
    })?;
    // A password from the environment goes to nobody but the camera that is registered with it.
    let county = state.county();
    let held = county.pose(&camera.id, &camera.pose);
    if let Some(held) = held.filter(|it| it.url.to_string() == camera.url.to_string())
        && camera.url.expose().logins.is_empty()
    {
        camera.url = held.url.clone();
    }
    Ok(camera)
}
