//! What an officer does about evidence, place and messages: 位置更正, 误并, 拆分, 合并, 未送达, and
//! saying that he is deciding.

use super::board::visible;
use super::incident::{AtDesk, AtIncident};
use crate::desk::Sort;
use crate::triage::event::{Actor, Intent};
use crate::triage::id::{IncidentId, MessageId, SightingId};
use crate::triage::incident::{By, Input};
use crate::web::dto::IncidentView;
use crate::web::http::error::Answer;
use crate::web::http::json::{Body, optional_words};
use crate::web::http::shares;
use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;

type Done = Answer<Json<IncidentView>>;

#[derive(Deserialize, ToSchema)]
pub(crate) struct Relocate {
    /// True: take the proposed place over. False: keep the place and who goes.
    accept: bool,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Strike {
    sighting: SightingId,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Reinstate {
    sighting: SightingId,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Split {
    sightings: Vec<SightingId>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Other {
    other: IncidentId,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Intention {
    intent: Intent,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Taken {
    message: MessageId,
}

/// 位置更正: the officer's answer to a proposed or changed place.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/relocate", tag = "office", request_body = Relocate,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn relocate(at: AtDesk, Body(Relocate { accept }): Body<Relocate>) -> Done {
    at.act(Input::Relocate { accept }).await
}

/// 误并: takes evidence out; the fix is found anew without it.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/strike-out", tag = "office", request_body = Strike,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn strike_out(at: AtDesk, Body(strike): Body<Strike>) -> Done {
    let reason = optional_words(&strike.reason, "原因", "the reason")?;
    at.act(Input::StrikeOut { sighting: strike.sighting, reason }).await
}

/// The undo of strike-out.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/reinstate", tag = "office", request_body = Reinstate,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn reinstate(at: AtDesk, Body(Reinstate { sighting }): Body<Reinstate>) -> Done {
    at.act(Input::Reinstate { sighting }).await
}

/// 拆分: part of the evidence becomes an incident of its own. Its undo is a merge.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/split", tag = "office", request_body = Split,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn split(at: AtDesk, Body(Split { sightings }): Body<Split>) -> Done {
    sort(at, Sort::Split { sightings }).await
}

/// 合并: the other incident is this same fire. Clocks that run go on.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/merge", tag = "office", request_body = Other,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn merge(at: AtDesk, Body(Other { other }): Body<Other>) -> Done {
    sort(at, Sort::Merge { other }).await
}

/// The undo of merge.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/unmerge", tag = "office", request_body = Other,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn unmerge(at: AtDesk, Body(Other { other }): Body<Other>) -> Done {
    sort(at, Sort::Unmerge { other }).await
}

/// An officer is deciding: nothing is sent by itself meanwhile, for a bounded time.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/intent", tag = "office", request_body = Intention,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn intend(at: AtDesk, Body(Intention { intent }): Body<Intention>) -> Done {
    at.act(Input::Intend { intent }).await
}

/// 未送达: somebody has phoned, or goes himself.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/undelivered", tag = "office", request_body = Taken,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn take_undelivered(at: AtDesk, Body(Taken { message }): Body<Taken>) -> Done {
    at.act(Input::TakeUndelivered { message }).await
}

async fn sort(AtDesk(AtIncident { state, me, id, key }): AtDesk, sort: Sort) -> Done {
    let incident = visible(&state, &me, id).await?.incident;
    if incident.made_by(key).is_none() {
        shares::one_more_step(&incident, &me.person)?;
    }
    let by = By {
        actor: Actor::Officer { person: me.person.clone() },
        action: Some(key),
        happened_at: None,
    };
    let (filed, _) = state.desk.sort(id, sort, &by).await?;
    Ok(Json(state.eyes(&me, &state.county()).brief(&filed)))
}
