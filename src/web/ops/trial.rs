//! Thresholds tried on past frames: which alerts they would have raised and which they would have
//! missed, and what people found there.

use super::{after, hours, in_force, whole};
use crate::county::County;
use crate::error::Error;
use crate::report::category;
use crate::store::Filed;
use crate::triage::confirm::{Confirmed, EvidenceAt, Numbers, Thresholds};
use crate::triage::detection::{Analysis, Class};
use crate::triage::id::CameraId;
use crate::triage::sighting::Source;
use crate::triage::whatif;
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::Answer;
use crate::web::http::json::Body;
use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use utoipa::ToSchema;

/// A confirmation and a sighting of one camera within this time are the same alert.
const SAME_ALERT: SignedDuration = SignedDuration::from_mins(10);
/// Alerts sent. Lost and gained alerts are reviewed one by one, so more are of no use.
const ALERTS_MAX: usize = 500;
/// Curves sent. More than this cannot be told apart when drawn over each other.
const RISES_MAX: usize = 24;
/// One camera's 30 days at the default cadence of 10 s. Beyond this the oldest are left out.
const FRAMES_MAX: u32 = 260_000;
#[derive(Deserialize, ToSchema)]
pub(crate) struct Trial {
    #[serde(deserialize_with = "whole")]
    thresholds: Numbers,
    /// All cameras when none is named.
    camera: Option<CameraId>,
    hours: u32,
}

#[derive(Default, Serialize, ToSchema)]
pub(crate) struct WhatIf {
    now: Count,
    then: Count,
    lost: Vec<Alert>,
    gained: Vec<Alert>,
    /// Of the alerts with the thresholds tried, 24 at most.
    rises: Vec<Rise>,
    frames: usize,
}

/// Alerts, and what people found of them. Those that match no closed incident are unverified.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, ToSchema)]
pub(super) struct Count {
    alarms: usize,
    confirmed: usize,
    false_alarms: usize,
    unverified: usize,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Alert {
    camera: CameraId,
    at: Timestamp,
    class: Class,
    confidence: f32,
}

/// How the evidence for a place came to the limit.
#[derive(Serialize, ToSchema)]
pub(super) struct Rise {
    camera: CameraId,
    class: Class,
    /// Oldest first, the last is the alert.
    steps: Vec<EvidenceAt>,
}

/// The same code as live over the stored frames, with the thresholds in force and with others.
/// Nothing changes.
#[utoipa::path(
    post, path = "/api/v1/ops/what-if", tag = "ops", request_body = Trial,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = WhatIf)),
)]
pub(crate) async fn what_if(
    State(state): State<WebState>,
    _: Office,
    Body(trial): Body<Trial>,
) -> Answer<Json<WhatIf>> {
    let tried = Thresholds::try_from(trial.thresholds)?;
    let now = state.clock.now();
    let since = now - hours(trial.hours);
    let mut total = WhatIf::default();
    let judged =
        Arc::new(Judged::of(&state.store.incidents_opened(since - SAME_ALERT, after(now)).await?));
    // One camera at a time, so that only its frames are in memory.
    for camera in asked_cameras(&state.county(), trial.camera) {
        let frames = state.store.analyses(&camera, since, after(now), FRAMES_MAX).await?;
        let (current, tried, judged) = (in_force(&state), tried.clone(), judged.clone());
        let part = tokio::task::spawn_blocking(move || compare(&frames, &current, &tried, &judged));
        total.add(part.await.map_err(|e| Error::internal("the what-if thread died").because(e))?);
    }
    Ok(Json(total))
}

fn asked_cameras(county: &County, asked: Option<CameraId>) -> BTreeSet<CameraId> {
    match asked {
        Some(camera) => BTreeSet::from([camera]),
        None => county.cameras.iter().map(|entry| entry.id.clone()).collect(),
    }
}

fn compare(
    frames: &[Analysis],
    current: &Thresholds,
    tried: &Thresholds,
    judged: &Judged,
) -> WhatIf {
    let now = whatif::replay(frames, current);
    let then = whatif::replay(frames, tried);
    WhatIf {
        now: judged.count(&now),
        then: judged.count(&then),
        lost: only_in(&now, &then),
        gained: only_in(&then, &now),
        rises: then
            .into_iter()
            .take(RISES_MAX)
            .map(|(camera, it)| Rise { camera, class: it.class, steps: it.rise })
            .collect(),
        frames: frames.len(),
    }
}

/// Alerts of `these` that have no counterpart in `others`.
fn only_in(these: &[(CameraId, Confirmed)], others: &[(CameraId, Confirmed)]) -> Vec<Alert> {
    let same = |a: &Confirmed, b: &Confirmed| {
        a.class == b.class && near(a.confirmed_at, b.confirmed_at) && a.bbox.iou(&b.bbox) > 0.0
    };
    these
        .iter()
        .filter(|(camera, it)| {
            !others.iter().any(|(other, confirmed)| other == camera && same(it, confirmed))
        })
        .map(|(camera, it)| Alert {
            camera: camera.clone(),
            at: it.confirmed_at,
            class: it.class,
            confidence: it.confidence,
        })
        .collect()
}

fn near(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() <= SAME_ALERT
}

impl WhatIf {
    fn add(&mut self, part: Self) {
        for (sum, add) in [(&mut self.now, part.now), (&mut self.then, part.then)] {
            sum.alarms += add.alarms;
            sum.confirmed += add.confirmed;
            sum.false_alarms += add.false_alarms;
            sum.unverified += add.unverified;
        }
        self.frames += part.frames;
        self.rises.extend(part.rises);
        self.rises.truncate(RISES_MAX);
        for (sum, add) in [(&mut self.lost, part.lost), (&mut self.gained, part.gained)] {
            sum.extend(add);
            sum.truncate(ALERTS_MAX);
        }
    }
}

/// What people found where a camera had alerted: the times of its sightings in closed incidents,
/// and whether something burned.
struct Judged(HashMap<CameraId, Vec<(Timestamp, bool)>>);

impl Judged {
    fn of(filed: &[Filed]) -> Self {
        let mut judged: HashMap<CameraId, Vec<(Timestamp, bool)>> = HashMap::new();
        for Filed { incident, .. } in filed {
            let Some(closure) = incident.closure.as_ref().filter(|_| !incident.drill) else {
                continue;
            };
            let burned = category(closure.category).is_some_and(|category| category.fire);
            for sighting in &incident.sightings {
                if let Source::Camera { camera, .. } = &sighting.source {
                    judged.entry(camera.clone()).or_default().push((sighting.observed_at, burned));
                }
            }
        }
        Self(judged)
    }

    fn count(&self, alerts: &[(CameraId, Confirmed)]) -> Count {
        let mut count = Count { alarms: alerts.len(), ..Count::default() };
        for (camera, alert) in alerts {
            let seen = self.0.get(camera).map(Vec::as_slice).unwrap_or_default();
            let nearest = seen
                .iter()
                .filter(|(at, _)| near(*at, alert.confirmed_at) || near(*at, alert.best_at))
                .min_by_key(|(at, _)| at.duration_since(alert.confirmed_at).abs());
            match nearest {
                Some((_, true)) => count.confirmed += 1,
                Some((_, false)) => count.false_alarms += 1,
                None => count.unverified += 1,
            }
        }
        count
    }
}
