//! An incident as CAP 1.2 messages, for systems that speak the standard.

use super::board::visible;
use crate::report::cap::{self, Issuer};
use crate::triage::id::IncidentId;
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CapQuery {
    /// Which message of the chain, from 1; left out: the newest.
    message: Option<usize>,
}

/// The newest message of the incident's chain (Alert, Update, Cancel), or an earlier one. A drill
/// has the status Exercise.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/cap.xml", tag = "office", params(CapQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "application/cap+xml", body = String)),
)]
pub(crate) async fn incident_cap(
    State(state): State<WebState>,
    Office(me): Office,
    Path(id): Path<IncidentId>,
    Query(query): Query<CapQuery>,
) -> Answer<Response> {
    let filed = visible(&state, &me, id).await?;
    let county = state.county_of(&filed.incident);
    let public = state.config.public_url();
    let host = public.parse::<Uri>().ok().and_then(|it| it.host().map(str::to_owned));
    let sender = format!("huoyan@{}", host.as_deref().unwrap_or("localhost"));
    let mut chain = cap::chain(&filed, &Issuer { sender: &sender, name: &county.name })?;
    let last = chain.len();
    let n = query.message.unwrap_or(last);
    if n == 0 || n > last {
        return Err(Problem::not_found());
    }
    tracing::info!(person = %me.person, incident.code = %filed.code, "an incident was given out as CAP");
    let kind = HeaderValue::from_static("application/cap+xml");
    Ok(([(CONTENT_TYPE, kind)], chain.swap_remove(n - 1)).into_response())
}
