//! What a ranger's phone sees: their own incidents and nobody else's.

use super::WebState;
use super::auth::Me;
use super::dto::{Eyes, IncidentView, MeView};
use super::error::{Answer, lang_of};
use super::queue;
use crate::report::{Category, categories};
use crate::store::Filed;
use crate::triage::policy::Role;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A ranger sees how it ended for so long.
const CLOSED_FOR: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, ToSchema)]
pub struct RangerView {
    me: MeView,
    #[schema(value_type = String)]
    now: Timestamp,
    incidents: Vec<IncidentView>,
    /// The county's duty officer.
    duty_phone: Option<String>,
    #[schema(value_type = Vec<Object>)]
    categories: Vec<Category>,
}

/// Open incidents dispatched to me, most urgent first, then those closed in the last 24 hours.
#[utoipa::path(get, path = "/api/v1/ranger", tag = "ranger", responses((status = 200, body = RangerView)))]
pub async fn view(State(state): State<WebState>, me: Me, headers: HeaderMap) -> Answer<Json<RangerView>> {
    let (now, county) = (state.clock.now(), state.county());
    let sent_to_me = |filed: &Filed| filed.incident.dispatch.as_ref().is_some_and(|it| it.ranger == me.person);
    // Open ones first: what is closed between the two reads stands in both and is taken once, never in neither.
    let mut mine = state.store.open_incidents().await?;
    let closed = state.store.incidents_closed_since(now - CLOSED_FOR).await?;
    mine.retain(|open| closed.iter().all(|closed| closed.incident.id != open.incident.id));
    mine.extend(closed);
    mine.retain(sent_to_me);
    mine.sort_by_cached_key(|filed| queue::place(&filed.incident, now));
    let eyes = Eyes { me: &me, county: &county };
    Ok(Json(RangerView {
        me: eyes.me(lang_of(&headers), now),
        now,
        incidents: mine.into_iter().map(|filed| eyes.brief(filed)).collect(),
        duty_phone: county.duty(Role::CountyDuty, None, now).and_then(|person| person.phone.clone()),
        categories: categories().to_vec(),
    }))
}
