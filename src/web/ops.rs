//! The ops page: cameras, scores, published thresholds, drills.

mod eye;
mod lookalikes;
mod patrol;
mod proof;
mod self_test;
mod trial;

pub(super) use lookalikes::{__path_look_alikes, look_alikes};
pub(super) use patrol::{__path_name_view, __path_view_picture, name_view, view_picture};
pub(super) use proof::{__path_proof, proof};
pub(super) use self_test::{
    __path_accept_view, __path_example, __path_self_test, accept_view, example, self_test,
};
pub(super) use trial::{__path_what_if, what_if};

use super::WebState;
use super::dto::CameraView;
use super::http::auth::{Admin, Key, Office, Ops};
use super::http::error::{Answer, Problem, lang_of};
use super::http::json::{Body, words};
use super::office::board::cameras as camera_views;
use crate::error::{Kind, Result};
use crate::store::PublishedThresholds;
use crate::triage::confirm::{Numbers, Thresholds};
use crate::triage::detection::ModelVersion;
use crate::triage::id::{ActionId, CameraId, PersonId};
use crate::triage::point::Points;
use crate::triage::policy::Review;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use eye::EyeView;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use patrol::PatrolView;
use self_test::SelfTestView;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc::error::TrySendError;
use utoipa::{IntoParams, ToSchema};

/// Points of one score curve: a screen is no wider.
const SCORES_MAX: u32 = 5000;
/// Analyses are kept for 30 days.
const HOURS_MAX: u32 = 30 * 24;
/// Idempotency keys of drills remembered, so that a repeat starts no second drill.
const KEYS_MAX: usize = 64;

#[derive(Serialize, ToSchema)]
pub(super) struct Cameras {
    items: Vec<CameraView>,
    thresholds: Thresholds,
    self_tests: Vec<SelfTestView>,
    /// Cameras that turn.
    patrols: Vec<PatrolView>,
    /// Null: no model is loaded here.
    eye: Option<EyeView>,
}

#[utoipa::path(
    get, path = "/api/v1/ops/cameras", tag = "ops", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Cameras)),
)]
pub(super) async fn cameras(
    State(state): State<WebState>,
    Office(me): Office,
    headers: HeaderMap,
) -> Answer<Json<Cameras>> {
    let county = state.county();
    let items = camera_views(&state, &me, &county, &*state.desk.open_book().await?);
    let (mut self_tests, mut patrols) = (Vec::new(), Vec::new());
    for (camera, status) in state.status.all() {
        patrols.extend(status.patrol.and_then(|it| PatrolView::new(&camera, it, &county)));
        self_tests.push(SelfTestView::new(camera, status.self_test));
    }
    let (screening, lang) = (state.status.screening(), lang_of(&headers));
    let eye = state.status.eye().map(|eye| EyeView::new(eye, screening, items.len(), lang));
    Ok(Json(Cameras { items, thresholds: in_force(&state), self_tests, patrols, eye }))
}

fn in_force(state: &WebState) -> Thresholds {
    state.thresholds.get()
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ScoresQuery {
    camera: CameraId,
    /// 1..=720, default 24.
    hours: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ScoreCurve {
    items: Vec<ScorePoint>,
    /// Of the newest frame.
    model: Option<ModelVersion>,
}

#[derive(Serialize, ToSchema)]
struct ScorePoint {
    captured_at: Timestamp,
    smoke: f32,
    fire: f32,
}

/// Frame scores of one camera, newest last.
#[utoipa::path(
    get, path = "/api/v1/ops/scores", tag = "ops", params(ScoresQuery),
    security(("session" = ["officer", "ops"])), responses((status = 200, body = ScoreCurve)),
)]
pub(super) async fn scores(
    State(state): State<WebState>,
    _: Office,
    Query(query): Query<ScoresQuery>,
) -> Answer<Json<ScoreCurve>> {
    let now = state.clock.now();
    let since = now - hours(query.hours.unwrap_or(24));
    let frames = state.store.analyses(&query.camera, since, after(now), SCORES_MAX).await?;
    Ok(Json(ScoreCurve {
        model: frames.last().map(|frame| frame.model.clone()),
        items: frames
            .into_iter()
            .map(|frame| ScorePoint {
                captured_at: frame.captured_at,
                smoke: frame.scores.smoke,
                fire: frame.scores.fire,
            })
            .collect(),
    }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct ThresholdsView {
    current: Thresholds,
    /// What was published last before `at`, of which the question is; null: nothing was.
    then: Option<Published>,
    /// Oldest first.
    history: Vec<Published>,
    /// Of the model that looks; null where it has none, or where no model is loaded.
    points: Option<Points>,
    /// Seconds after which an alarm of a camera sends a ranger without a person, 0: at once; null:
    /// an officer decides.
    camera_sends_after_s: Option<i64>,
}

#[derive(Clone, Serialize, ToSchema)]
struct Published {
    thresholds: Thresholds,
    by: String,
    at: Timestamp,
    reason: String,
    /// Published by a version that counted frames over a limit, and converted.
    counted_frames: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ThresholdsQuery {
    /// For `then`; now, when it is left out.
    at: Option<Timestamp>,
}

#[utoipa::path(
    get, path = "/api/v1/ops/thresholds", tag = "ops", params(ThresholdsQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = ThresholdsView)),
)]
pub(super) async fn thresholds(
    State(state): State<WebState>,
    _: Office,
    Query(asked): Query<ThresholdsQuery>,
) -> Answer<Json<ThresholdsView>> {
    let at = asked.at.unwrap_or_else(|| state.clock.now());
    thresholds_view(&state, at).await.map(Json)
}

async fn thresholds_view(state: &WebState, then: Timestamp) -> Answer<ThresholdsView> {
    let county = state.county();
    let name = |by: &PersonId| {
        county.person(by).map_or_else(|| by.to_string(), |person| person.name.clone())
    };
    let published = |it: PublishedThresholds| {
        let PublishedThresholds { thresholds, by, at, reason, counted_frames } = it;
        Published { thresholds, by: name(&by), at, reason, counted_frames }
    };
    let history: Vec<Published> =
        state.store.threshold_history().await?.into_iter().map(published).collect();
    Ok(ThresholdsView {
        current: in_force(state),
        then: history.iter().rfind(|it| it.at <= then).cloned(),
        history,
        points: state.points.read().clone(),
        camera_sends_after_s: match state.desk.policy().review.camera {
            Review::Officer => None,
            Review::Auto => Some(0),
            Review::OfficerThenAuto { after } => Some(after.as_secs()),
        },
    })
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Publication {
    /// Its `version` is the one it was made from.
    #[serde(deserialize_with = "whole")]
    thresholds: Numbers,
    reason: String,
}

/// Publishes the next version; it holds from the next frame on. Published again unchanged, it
/// changes nothing.
#[utoipa::path(
    post, path = "/api/v1/ops/thresholds", tag = "ops", request_body = Publication,
    security(("session" = ["ops"])),
    responses((status = 200, body = ThresholdsView), (status = 409)),
)]
pub(super) async fn publish(
    State(state): State<WebState>,
    Ops(me): Ops,
    Body(publication): Body<Publication>,
) -> Answer<Json<ThresholdsView>> {
    let Publication { thresholds, reason } = publication;
    let edited = Thresholds::try_from(thresholds)?;
    let reason = words(&reason, "修改的原因", "the reason")?;
    let published =
        match state.store.publish_thresholds(&edited, &me.person, &reason, state.clock.now()).await
        {
            Err(error) if error.kind == Kind::Conflict => {
                already_published(&state, &edited, &me.person, &reason).await?.ok_or(error)?
            }
            other => other?,
        };
    tracing::info!(version = published.version, by = %me.person, "thresholds were published");
    // Whatever older version could not be used: this one holds.
    state.parts.set("thresholds", true, "", "");
    state.thresholds.publish(published);
    thresholds_view(&state, state.clock.now()).await.map(Json)
}

/// The newest version, if it is the same publication sent twice.
async fn already_published(
    state: &WebState,
    edited: &Thresholds,
    by: &PersonId,
    reason: &str,
) -> Result<Option<Thresholds>> {
    let newest = state.store.threshold_history().await?.pop();
    let is_it = |it: &PublishedThresholds| {
        let next = it.thresholds.version;
        next > edited.version
            && it.thresholds == edited.versioned(next)
            && it.by == *by
            && it.reason == reason
    };
    Ok(newest.filter(is_it).map(|it| it.thresholds))
}

/// The configuration may leave fields out. A publication may not: it would silently reset them to
/// their defaults.
fn whole<'de, D: Deserializer<'de>>(given: D) -> std::result::Result<Numbers, D::Error> {
    let given = Value::deserialize(given)?;
    let wanted = serde_json::to_value(Numbers::default()).map_err(D::Error::custom)?;
    match wanted.as_object().into_iter().flatten().find(|(name, _)| given.get(name).is_none()) {
        Some((missing, _)) => Err(D::Error::custom(format!("missing field `{missing}`"))),
        None => Numbers::deserialize(given).map_err(D::Error::custom),
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Drill {
    camera: CameraId,
}

/// 演练: a rendered plume in a live camera's frames, flagged all the way.
#[utoipa::path(
    post, path = "/api/v1/drills", tag = "ops", request_body = Drill,
    security(("session" = ["ops"]), ("admin" = [])), responses((status = 200, body = Drill)),
)]
pub(super) async fn drill(
    State(state): State<WebState>,
    _: Admin,
    Key(key): Key,
    Body(drill): Body<Drill>,
) -> Answer<Json<Drill>> {
    if state.county().camera(&drill.camera).is_none() {
        return Err(Problem::invalid("没有这个摄像机。", "There is no such camera."));
    }
    state.own.drills.once(key, || {
        state.drills.try_send(drill.camera.clone()).map_err(|refused| match refused {
            TrySendError::Full(_) => Problem::new(
                Kind::TooMany,
                "已有演练正在启动，请稍候。",
                "Another drill is being started. Please wait.",
            ),
            TrySendError::Closed(_) => Problem::new(
                Kind::Unavailable,
                "本机没有运行摄像机，无法演练。",
                "This machine runs no cameras, so no drill is possible.",
            ),
        })
    })?;
    Ok(Json(drill))
}

/// The last 64 keys of actions that leave no trace in the log.
#[derive(Clone, Default)]
pub(super) struct RecentKeys(Arc<Mutex<VecDeque<ActionId>>>);

impl RecentKeys {
    /// Runs `act` unless it was done under this key before.
    fn once(&self, key: ActionId, act: impl FnOnce() -> Answer<()>) -> Answer<()> {
        let mut keys = self.0.lock();
        if keys.contains(&key) {
            return Ok(());
        }
        act()?;
        keys.push_back(key);
        if keys.len() > KEYS_MAX {
            keys.pop_front();
        }
        Ok(())
    }
}

fn hours(asked: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(asked.clamp(1, HOURS_MAX)))
}

/// Time ranges exclude their end. One second later includes this instant.
fn after(now: Timestamp) -> Timestamp {
    now + SignedDuration::from_secs(1)
}
