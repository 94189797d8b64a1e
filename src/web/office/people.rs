//! Whom to send: everybody in the register, with distance, whether busy, and the last answer.

use crate::county::{County, Person};
use crate::desk::OpenBook;
use crate::triage::dispatch::Dispatch;
use crate::triage::geo::LatLon;
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::incident::State as Stand;
use crate::web::WebState;
use crate::web::dto::PersonView;
use crate::web::http::auth::Office;
use crate::web::http::error::Answer;
use crate::web::http::me::Me;
use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Names sent. Nobody reads more; a search narrows them.
const LISTED: usize = 60;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// For this incident: the nearest first.
    incident: Option<IncidentId>,
    /// Part of a name, a number, a village, a township or a grid.
    #[serde(default)]
    q: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Choice {
    #[serde(flatten)]
    person: PersonView,
    /// The post's word in the reader's county, for example 护林员A角.
    post: &'static str,
    grid: Option<String>,
    village: Option<String>,
    township: Option<String>,
    /// Codes of the incidents that this person is under way to.
    busy: Vec<String>,
    /// When this person last answered anything that is open.
    answered_at: Option<Timestamp>,
    /// Has said 不能前往 to this incident.
    declined: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct People {
    items: Vec<Choice>,
    /// How many more match.
    more: usize,
}

/// People who could be sent, the nearest first; a township's are its own.
#[utoipa::path(
    get, path = "/api/v1/people", tag = "office", params(Asked),
    security(("session" = ["officer", "ops"])), responses((status = 200, body = People)),
)]
pub(crate) async fn people(
    State(state): State<WebState>,
    Office(me): Office,
    Query(asked): Query<Asked>,
) -> Answer<Json<People>> {
    let county = state.county();
    let book = state.desk.open_book().await?;
    let this = asked.incident.and_then(|id| book.get(id));
    let this = this.filter(|filed| me.may_see(&filed.incident));
    let at = this.map(|filed| filed.incident.fix.centre);
    let eyes = state.eyes(&me, &county);
    let q = asked.q.trim().to_lowercase();
    let is_theirs = |person: &&Person| me.right.township().is_none_or(|it| it.is_own(person));
    let listed = county.people.iter().filter(is_theirs);
    let found = listed.filter(|person| matches(person, &county, &q));
    let mut ranked: Vec<(f64, &Person)> =
        found.map(|person| (distance_m(person, &county, at), person)).collect();
    ranked.sort_by(|(a, one), (b, two)| a.total_cmp(b).then_with(|| one.id.cmp(&two.id)));
    let engaged = engaged(&me, &book);
    let more = ranked.len().saturating_sub(LISTED);
    let items = ranked
        .into_iter()
        .take(LISTED)
        .map(|(distance_m, person)| {
            let (busy, answered_at) = engaged.get(&person.id).cloned().unwrap_or_default();
            let declined = this.is_some_and(|filed| {
                filed
                    .incident
                    .dispatches()
                    .any(|it| it.ranger == person.id && it.declined.is_some())
            });
            Choice {
                person: eyes.person(&person.id, Some(distance_m.round()).filter(|m| m.is_finite())),
                post: person.post.zh(),
                grid: person.grid.as_ref().map(ToString::to_string),
                village: person.village.clone(),
                township: person.township.clone(),
                busy,
                answered_at,
                declined,
            }
        })
        .collect();
    Ok(Json(People { items, more }))
}

fn matches(person: &Person, county: &County, q: &str) -> bool {
    let grid = || person.grid.as_ref().and_then(|id| county.grid(id)).map(|grid| grid.full_name());
    let has = |text: Option<&str>| text.is_some_and(|text| text.to_lowercase().contains(q));
    q.is_empty()
        || has(Some(&person.name))
        || has(person.phone.as_deref())
        || has(person.village.as_deref())
        || has(person.township.as_deref())
        || has(person.grid.as_ref().map(|id| id.as_str()))
        || has(grid().as_deref())
}

/// Measured from the centre of the person's own grid: nobody is tracked. People without a known
/// place come last.
fn distance_m(person: &Person, county: &County, at: Option<LatLon>) -> f64 {
    let home =
        person.grid.as_ref().and_then(|id| county.grid(id)).and_then(|grid| grid.area.centroid());
    home.zip(at).map_or(f64::INFINITY, |(home, at)| home.distance_m(at))
}

type Engaged = BTreeMap<PersonId, (Vec<String>, Option<Timestamp>)>;

/// Who is on the way to what, and when each last answered.
fn engaged(me: &Me, book: &OpenBook) -> Engaged {
    let mut engaged = Engaged::new();
    for filed in book.open().filter(|it| me.may_see(&it.incident)) {
        let incident = &filed.incident;
        let underway = |it: &&Dispatch| {
            it.is_running() && it.reported.is_none() && incident.state != Stand::Closed
        };
        if let Some(dispatch) = incident.dispatch.as_ref().filter(underway) {
            engaged.entry(dispatch.ranger.clone()).or_default().0.push(filed.code.clone());
        }
        let steps = incident.dispatches().flat_map(|it| {
            let taken = [&it.acknowledged, &it.arrived, &it.reported].into_iter().flatten();
            taken.map(|step| (it.ranger.clone(), step.received_at))
        });
        let said = incident.answers.iter().map(|it| (it.person.clone(), it.at));
        for (person, at) in steps.chain(said) {
            let last = &mut engaged.entry(person).or_default().1;
            *last = (*last).max(Some(at));
        }
    }
    engaged
}
