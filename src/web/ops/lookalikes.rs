//! 误报记忆 before it is switched on: which alarms of the last 30 days looked like a verified false
//! one, and which of them would have waited for the digest.

use super::after;
use crate::store::Filed;
use crate::triage::event::FalseAlarm;
use crate::triage::id::{CameraId, IncidentId};
use crate::triage::memory::{self, Closed};
use crate::triage::policy::{Labelled, Policy};
use crate::triage::proof::LOOKS_BACK;
use crate::triage::sending::Verdict;
use crate::triage::sighting::{Label, Source};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::Answer;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Items sent. They are reviewed one by one, so more are of no use. The counts cover all.
const ITEMS_MAX: usize = 200;

#[derive(Serialize, ToSchema)]
pub(crate) struct LookAlikes {
    /// Newest first.
    items: Vec<LookAlike>,
    /// Incidents with a look-alike, and those of them that would have waited for the digest.
    incidents: usize,
    would_wait: usize,
    /// Of those, in how many something burned.
    fires_would_wait: usize,
    /// What `[policy.labelled] look_alike` says now: officer, digest or send.
    #[schema(value_type = String)]
    now: Labelled,
}

#[derive(Serialize, ToSchema)]
struct LookAlike {
    incident: IncidentId,
    code: String,
    camera: CameraId,
    at: Timestamp,
    /// The verified false alarm that it looks like.
    like: String,
    like_closed_at: Timestamp,
    cause: Option<FalseAlarm>,
    would_wait: bool,
    /// Category it was closed as; null while it is open.
    category: Option<u8>,
}

/// The rule in force, asked of what was filed, once as it is and once with look-alikes waiting.
/// Nothing changes.
#[utoipa::path(
    get, path = "/api/v1/ops/look-alikes", tag = "ops", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = LookAlikes)),
)]
pub(crate) async fn look_alikes(
    State(state): State<WebState>,
    _: Office,
) -> Answer<Json<LookAlikes>> {
    let now = state.clock.now();
    let policy = state.desk.policy();
    // The closed incidents that these can resemble may have opened earlier by the same span.
    let filed = state.store.incidents_opened(now - LOOKS_BACK * 2, after(now)).await?;
    let closed: Vec<Closed> = filed
        .iter()
        .filter_map(|it| Some(Closed { code: it.code.clone(), ..Closed::of(&it.incident)? }))
        .collect();
    let lately =
        filed.iter().filter(|it| !it.incident.drill && it.incident.opened_at >= now - LOOKS_BACK);
    let mut items: Vec<LookAlike> = lately.filter_map(|it| of(it, policy, &closed)).collect();
    items.sort_by_key(|it| std::cmp::Reverse(it.at));
    let waiting = || items.iter().filter(|it| it.would_wait);
    let burned = |it: &&LookAlike| it.category.is_some_and(crate::triage::category::burned);
    let (incidents, would_wait, fires_would_wait) =
        (items.len(), waiting().count(), waiting().filter(burned).count());
    items.truncate(ITEMS_MAX);
    Ok(Json(LookAlikes {
        items,
        incidents,
        would_wait,
        fires_would_wait,
        now: policy.labelled.look_alike,
    }))
}

/// An incident with its first look-alike; `None` when it has none.
fn of(
    Filed { code, incident, .. }: &Filed,
    policy: &Policy,
    closed: &[Closed],
) -> Option<LookAlike> {
    let mut tried = incident.clone();
    let mut first = None;
    for sighting in &mut tried.sightings {
        sighting.labels.retain(|label| !matches!(label, Label::LookAlike { .. }));
        let Some(label) = memory::look_alike(sighting, sighting.observed_at, closed) else {
            continue;
        };
        if let (None, Source::Camera { camera, .. }, Label::LookAlike { code, closed_at, cause }) =
            (&first, &sighting.source, &label)
        {
            first = Some((camera.clone(), sighting.observed_at, code.clone(), *closed_at, *cause));
        }
        sighting.labels.push(label);
    }
    let (camera, at, like, like_closed_at, cause) = first?;
    let waits = |look_alike| {
        let mut policy = policy.clone();
        policy.labelled.look_alike = look_alike;
        tried.judge(&policy, false).verdict == Verdict::Digest
    };
    let would_wait = waits(Labelled::Digest) && !waits(Labelled::Send);
    let category = incident.closure.as_ref().map(|closure| closure.category);
    Some(LookAlike {
        incident: incident.id,
        code: code.clone(),
        camera,
        at,
        like,
        like_closed_at,
        cause,
        would_wait,
        category,
    })
}
