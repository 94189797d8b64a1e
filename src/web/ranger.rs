//! What a ranger's phone shows: what they were sent to, asked to go to, or told of, and nothing
//! else.

use super::WebState;
use super::dto::{Eyes, IncidentView, MeView};
use super::http::error::{Answer, lang_of};
use super::http::me::Me;
use super::office::queue;
use crate::desk::ENDED_FOR;
use crate::report::{Category, categories};
use crate::store::Filed;
use crate::triage::dispatch::Dispatch;
use crate::triage::id::PersonId;
use crate::triage::incident::Incident;
use crate::triage::policy::Role;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct RangerView {
    me: MeView,
    now: Timestamp,
    incidents: Vec<RangerIncident>,
    arrival: ArrivalRule,
    /// The county's duty officer.
    duty_phone: Option<String>,
    categories: Vec<Category>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct RangerIncident {
    #[serde(flatten)]
    incident: IncidentView,
    mine: Mine,
    /// As what I was told, when I am not sent: a neighbour (`ranger`), a stand-in
    /// (`backup_ranger`), a chief …
    told_as: Option<Role>,
    /// When I last said 收到 without being sent.
    answered_at: Option<Timestamp>,
}

/// What an incident asks of this person.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mine {
    /// 派单
    Sent,
    /// May go instead: the first to answer among those asked is sent.
    Asked,
    /// Told to be watchful or ready, not to go.
    Told,
}

/// When a tap proves an arrival, so that the phone can say so before the tap. Sizes of the policy.
#[derive(Serialize, ToSchema)]
struct ArrivalRule {
    radius_m: f64,
    /// A position measured longer before the tap proves nothing.
    age_max_s: i64,
}

/// Open incidents I was sent to, asked to or told of, most urgent first, then those of mine closed
/// in the last 24 hours.
#[utoipa::path(
    get, path = "/api/v1/ranger", tag = "ranger", responses((status = 200, body = RangerView)),
)]
pub(super) async fn view(
    State(state): State<WebState>,
    me: Me,
    headers: HeaderMap,
) -> Answer<Json<RangerView>> {
    let (now, county) = (state.clock.now(), state.county());
    let book = state.desk.open_book().await?;
    let is_late =
        |it: &Filed| it.incident.closed_at.is_some_and(|at| now.duration_since(at) > ENDED_FOR);
    let all = book.open().chain(book.ended());
    let mut mine: Vec<&Filed> = all
        .map(|it| &**it)
        .filter(|it| !is_late(it) && what_of(&it.incident, &me.person).is_some())
        .collect();
    mine.sort_by_cached_key(|filed| queue::place(&filed.incident, state.desk.policy(), now));
    let eyes = state.eyes(&me, &county);
    Ok(Json(RangerView {
        me: eyes.me(lang_of(&headers)),
        now,
        incidents: mine.into_iter().filter_map(|filed| one(&eyes, filed, &me.person)).collect(),
        arrival: ArrivalRule {
            radius_m: state.desk.policy().arrival_radius_m,
            age_max_s: state.desk.policy().position_age_max.as_secs(),
        },
        duty_phone: county
            .duty(Role::CountyDuty, None, now)
            .and_then(|person| person.phone.clone()),
        categories: categories().to_vec(),
    }))
}

fn one(eyes: &Eyes<'_>, filed: &Filed, me: &PersonId) -> Option<RangerIncident> {
    let (mine, told_as) = what_of(&filed.incident, me)?;
    let answered_at =
        filed.incident.answers.iter().filter(|it| it.person == *me).map(|it| it.at).max();
    Some(RangerIncident { incident: eyes.brief(filed), mine, told_as, answered_at })
}

/// `None`: nothing, or nothing any more. A ranger who was relieved has been told, and is not asked
/// again.
fn what_of(incident: &Incident, me: &PersonId) -> Option<(Mine, Option<Role>)> {
    if incident.dispatch.as_ref().is_some_and(|it| it.ranger == *me) {
        return Some((Mine::Sent, None));
    }
    if incident.past_dispatches.iter().any(|it| it.ranger == *me) {
        return None;
    }
    let told_as = incident.told.iter().filter(|it| it.person == *me).map(|it| it.role).max()?;
    let waits = |it: &&Dispatch| it.is_running() && it.acknowledged.is_none();
    let asked = incident.dispatch.as_ref().filter(waits).is_some_and(|it| {
        told_as == Role::BackupRanger
            || it.neighbours.iter().any(|near| near.go && near.ranger == *me)
    });
    Some((if asked { Mine::Asked } else { Mine::Told }, Some(told_as)))
}
