//! 多县一览: one line for each county, those that need somebody first. The prefecture sees counts,
//! limits and faults here; what is behind them stands on the county's own board.

use crate::desk::OpenBook;
use crate::lang::Lang;
use crate::store::Filed;
use crate::triage::id::{CameraId, IncidentId};
use crate::triage::incident::Incident;
use crate::triage::policy::Stage;
use crate::web::WebState;
use crate::web::doors::Standing;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, lang_of};
use crate::web::service::{self, PartView};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use utoipa::ToSchema;

/// Of one county whose database does not answer; the others are shown.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer is reused: every reader asks every few seconds, and each asks all counties.
const HOLDS_FOR: SignedDuration = SignedDuration::from_secs(3);
/// Parts that are counted one by one instead.
const COUNTED: [&str; 1] = ["cameras"];

#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Overview {
    now: Timestamp,
    /// Those that need somebody first.
    counties: Vec<CountyLine>,
    /// The centre's own parts.
    health: Vec<PartView>,
}

#[derive(Clone, Serialize, ToSchema)]
pub(super) struct CountyLine {
    code: String,
    name: String,
    /// The county's own pages.
    url: Option<String>,
    /// Why it is not served, or why nothing is known of it now.
    why: Option<String>,
    at_work: Option<AtWork>,
}

#[derive(Clone, Serialize, ToSchema)]
struct AtWork {
    /// Open incidents without drills.
    open: usize,
    drills: usize,
    /// The limit that was missed first and is still not met.
    missed: Option<Missed>,
    cameras: usize,
    /// Those whose picture would show no smoke, or of which nothing is known.
    silent_cameras: usize,
    edges: usize,
    /// Silent, or with a fault.
    unwell_edges: usize,
    faults: Vec<PartView>,
}

#[derive(Clone, Serialize, ToSchema)]
struct Missed {
    incident: IncidentId,
    code: String,
    place: String,
    what: Limit,
    /// The limit; of a review since when somebody should look.
    at: Timestamp,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Limit {
    Review,
    Acknowledged,
    Arrived,
    Reported,
}

/// The last answers, by language.
#[derive(Clone, Default)]
pub(in crate::web) struct Known(Arc<Mutex<[Option<Overview>; 2]>>);

#[utoipa::path(
    get, path = "/api/v1/counties", tag = "centre", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Overview)),
)]
pub(super) async fn counties(
    State(state): State<WebState>,
    _: Office,
    headers: HeaderMap,
) -> Answer<Json<Overview>> {
    let (lang, now) = (lang_of(&headers), state.clock.now());
    // One at a time asks the counties; who waits gets the same answer.
    let mut known = state.own.known.0.lock().await;
    let kept = &mut known[usize::from(lang == Lang::En)];
    if let Some(kept) = kept.as_ref().filter(|it| now.duration_since(it.now).abs() < HOLDS_FOR) {
        return Ok(Json(Overview { now, ..kept.clone() }));
    }
    let mut asked = JoinSet::new();
    let mut lines = Vec::new();
    for (code, standing) in super::counties(&state) {
        match standing {
            Standing::Down(words) => {
                let why = Some(words.pick(lang).to_owned());
                lines.push(CountyLine { name: code.clone(), code, url: None, why, at_work: None });
            }
            Standing::Up(county) => _ = asked.spawn(line(code, county, lang)),
        }
    }
    while let Some(line) = asked.join_next().await {
        lines.extend(line);
    }
    lines.sort_by_cached_key(urgency);
    let health = service::parts(&state, lang).await;
    let overview = Overview { now, counties: lines, health };
    *kept = Some(overview.clone());
    Ok(Json(overview))
}

async fn line(code: String, state: Box<WebState>, lang: Lang) -> CountyLine {
    let name = Some(state.county().name.clone()).filter(|name| !name.is_empty());
    let (at_work, why) = match tokio::time::timeout(ANSWERS_WITHIN, at_work(&state, lang)).await {
        Ok(Ok(at_work)) => (Some(at_work), None),
        _ => {
            let why = lang.pick(
                "本县的数据库没有回答，情况不明：请看数据库服务",
                "this county's database does not answer, so nothing is known of it: check the \
                database service",
            );
            (None, Some(why.to_owned()))
        }
    };
    let url = Some(state.config.public_url());
    CountyLine { name: name.unwrap_or_else(|| code.clone()), code, url, why, at_work }
}

async fn at_work(state: &WebState, lang: Lang) -> crate::error::Result<AtWork> {
    let (now, book) = (state.clock.now(), state.desk.open_book().await?);
    let parts = service::parts(state, lang).await;
    let county = state.county();
    let cameras: BTreeSet<&CameraId> = county.cameras.iter().map(|it| &it.id).collect();
    let health = service::camera_health(state);
    let sees = |camera: &&CameraId| health.get(*camera).is_some_and(|it| it.sees());
    let seeing = cameras.iter().copied().filter(|it| sees(it)).count();
    let (edges, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(|it| it.is_edge);
    let (cameras, count) = (cameras.len(), edges.len());
    let unwell: Vec<_> = edges.into_iter().filter(|it| !it.ok).collect();
    let unwell_edges = unwell.len();
    let counted = |it: &PartView| COUNTED.contains(&it.part.as_str());
    let rest = rest.into_iter().filter(|it| !it.ok && !counted(it));
    Ok(AtWork {
        open: book.open().filter(|it| !it.incident.drill).count(),
        drills: book.open().filter(|it| it.incident.drill).count(),
        missed: first_missed(&book, now),
        cameras,
        silent_cameras: cameras - seeing,
        edges: count,
        unwell_edges,
        faults: rest.chain(unwell).collect(),
    })
}

fn first_missed(book: &OpenBook, now: Timestamp) -> Option<Missed> {
    let of = |filed: &Arc<Filed>| {
        let Filed { code, incident, .. } = &**filed;
        let (at, what) = missed(incident, now)?;
        let (code, place) = (code.clone(), incident.place.name.clone());
        Some(Missed { incident: incident.id, code, place, what, at })
    };
    book.open().filter(|it| !it.incident.drill).filter_map(of).min_by_key(|it| it.at)
}

/// The limit of an incident that was missed first and is still not met.
fn missed(incident: &Incident, now: Timestamp) -> Option<(Timestamp, Limit)> {
    if let Some(since) = incident.unseen_since() {
        return Some((since, Limit::Review));
    }
    let dispatch = incident.dispatch.as_ref().filter(|it| it.is_running())?;
    let stages = [
        (Stage::Acknowledged, Limit::Acknowledged),
        (Stage::Arrived, Limit::Arrived),
        (Stage::Reported, Limit::Reported),
    ];
    let open = stages.into_iter().find(|(stage, _)| !dispatch.has_passed(*stage));
    open.map(|(stage, what)| (dispatch.limit(stage), what)).filter(|(due_at, _)| *due_at <= now)
}

/// Not served first, then what was missed longest, then what is not seen, then what is open.
fn urgency(line: &CountyLine) -> impl Ord + use<> {
    let missed = line.at_work.as_ref().and_then(|it| it.missed.as_ref()).map(|it| it.at);
    let count = |of: fn(&AtWork) -> usize| Reverse(line.at_work.as_ref().map_or(0, of));
    (
        line.at_work.is_some(),
        missed.is_none(),
        missed,
        count(|it| it.faults.len()),
        count(|it| it.silent_cameras),
        count(|it| it.open),
        line.code.clone(),
    )
}
