//! The proof of each camera: figures, and what is missing while it is unproven.

use super::after;
use crate::error::Result;
use crate::report::category;
use crate::store::Filed;
use crate::triage::id::CameraId;
use crate::triage::proof::{HOURS_NEEDED, LOOKS_BACK, Proof, Verdicts};
use crate::triage::sighting::Source;
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::Answer;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct Proofs {
    items: Vec<Proof>,
    /// Hours watched without which a camera is unproven; besides a self-test passed by day and one
    /// by night.
    hours_needed: f64,
    /// So many days are looked back.
    days: i64,
}

/// The outcome of one camera's alarms, from the log.
#[derive(Clone, Copy, Default)]
struct Judged {
    verdicts: Verdicts,
    last_false_at: Option<Timestamp>,
}

/// Every camera of the register, over the last 30 days. Drills count nowhere.
#[utoipa::path(
    get, path = "/api/v1/ops/proof", tag = "ops", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Proofs)),
)]
pub(crate) async fn proof(State(state): State<WebState>, _: Office) -> Answer<Json<Proofs>> {
    let items = proofs(&state).await?;
    Ok(Json(Proofs { items, hours_needed: HOURS_NEEDED, days: LOOKS_BACK.as_hours() / 24 }))
}

async fn proofs(state: &WebState) -> Result<Vec<Proof>> {
    let now = state.clock.now();
    let since = now - LOOKS_BACK;
    let (watched, tests) =
        (state.store.watched(since).await?, state.store.self_tests(since).await?);
    let judged = judged(&state.store.incidents_opened(since, after(now)).await?);
    let county = state.county();
    let of = |camera: &CameraId| {
        let Judged { verdicts, last_false_at } = judged.get(camera).copied().unwrap_or_default();
        Proof::of(camera, &watched, &tests, verdicts, last_false_at)
    };
    Ok(county.cameras.iter().map(|camera| of(&camera.id)).collect())
}

/// An incident counts once for each camera that saw it.
fn judged(filed: &[Filed]) -> BTreeMap<CameraId, Judged> {
    let mut judged: BTreeMap<CameraId, Judged> = BTreeMap::new();
    for Filed { incident, .. } in filed.iter().filter(|it| !it.incident.drill) {
        let mut seen: BTreeMap<&CameraId, Timestamp> = BTreeMap::new();
        for sighting in &incident.sightings {
            if let Source::Camera { camera, .. } = &sighting.source {
                let last = seen.entry(camera).or_insert(sighting.observed_at);
                *last = (*last).max(sighting.observed_at);
            }
        }
        let found = incident.closure.as_ref().map(|closure| category(closure.category));
        for (camera, at) in seen {
            let Judged { verdicts, last_false_at } = judged.entry(camera.clone()).or_default();
            match found {
                None => verdicts.open += 1,
                Some(Some(category)) if category.fire => verdicts.real += 1,
                Some(Some(category)) if !category.interim => {
                    verdicts.false_alarms += 1;
                    *last_false_at = (*last_false_at).max(Some(at));
                }
                Some(_) => verdicts.other += 1,
            }
        }
    }
    judged
}
