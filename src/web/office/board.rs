//! What the office sees: the board, lists, one incident.

use super::shift::ShiftView;
use super::{queue, shift, theirs};
use crate::county::{County, county_date, county_time};
use crate::desk::{ENDED_FOR, OpenBook};
use crate::register::InForce;
use crate::report::{Category, categories};
use crate::store::{Filed, Filter, Page};
use crate::triage::category::OUTSIDE;
use crate::triage::geo::LatLon;
use crate::triage::id::{CameraId, IncidentId, SightingId};
use crate::triage::policy::{Policy, Review, Role, ZeroPoint};
use crate::triage::sighting::{Source, SourceKind};
use crate::web::WebState;
use crate::web::dto::{self, CameraView, Eyes, HotspotView, IncidentView, LogView, PersonView};
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem, lang_of};
use crate::web::http::me::Me;
use crate::web::http::{limits, openapi};
use crate::web::service;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// How long hotspots are drawn.
const HOTSPOTS_FOR: SignedDuration = SignedDuration::from_hours(24);
/// More cannot be told apart on a map, and a fire front's pixels are one card.
const HOTSPOTS_MAX: u32 = 1_000;
/// A county without registers opens the map on the middle of China.
const NOWHERE: (f64, f64) = (35.0, 105.0);

#[derive(Serialize, ToSchema)]
pub(crate) struct Board {
    now: Timestamp,
    /// Where the log stood; give it to `/api/v1/stream` as `Last-Event-ID`.
    cursor: String,
    county: CountyView,
    /// 乡镇: to which the reader is confined; empty: to nothing.
    townships: Vec<String>,
    incidents: Vec<IncidentView>,
    cameras: Vec<CameraView>,
    /// 转报: what opened outside the county within the last day, and whose it is.
    passed_on: Vec<PassedOn>,
    /// New evidence at places closed within the last day, newest first.
    reminded: Vec<Reminded>,
    /// Incidents whose record cannot be read: nobody keeps their deadlines.
    unreadable: Vec<UnreadableView>,
    duty: DutyView,
    /// Null for a township: the shift is the county's.
    shift: Option<ShiftView>,
    /// 火险等级, 预警信号 and 禁火令 in force now somewhere in the county, the strongest first.
    in_force: InForce,
    zero_point: ZeroPoint,
    categories: Vec<Category>,
    /// Kinds of sources whose evidence this county's policy may send a ranger for without a
    /// person's look.
    unattended: Vec<SourceKind>,
    health: Vec<service::PartView>,
}

#[derive(Serialize, ToSchema)]
struct UnreadableView {
    incident: IncidentId,
    code: String,
}

/// A record, no card: the neighbouring county's.
#[derive(Serialize, ToSchema)]
struct PassedOn {
    incident: IncidentId,
    code: String,
    place: String,
    at: Timestamp,
    centre: LatLon,
    county: Option<String>,
    phone: Option<String>,
    sightings: usize,
}

#[derive(Serialize, ToSchema)]
struct Reminded {
    incident: IncidentId,
    code: String,
    place: String,
    category: Option<u8>,
    /// The evidence since, which the officer can open as an incident of its own (`split`), and when
    /// the last was seen.
    sightings: Vec<SightingId>,
    last_seen_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct CountyView {
    name: String,
    centre: LatLon,
    /// South-west and north-east corner.
    bounds: (LatLon, LatLon),
    #[schema(schema_with = openapi::feature_collection)]
    grids: geojson::FeatureCollection,
}

#[derive(Serialize, ToSchema)]
struct DutyView {
    officer: Option<PersonView>,
    leader: Option<PersonView>,
}

/// Everything the board shows, read at one cursor: what changes later comes through the stream.
#[utoipa::path(
    get, path = "/api/v1/board", tag = "office", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Board)),
)]
pub(crate) async fn board(
    State(state): State<WebState>,
    Office(me): Office,
    headers: HeaderMap,
) -> Answer<Json<Board>> {
    let (now, county) = (state.clock.now(), state.county());
    let book = state.desk.open_book().await?;
    let mut open: Vec<&Filed> = book.open().map(|it| &**it).collect();
    open.retain(|filed| me.may_see(&filed.incident));
    open.sort_by_cached_key(|filed| queue::place(&filed.incident, state.desk.policy(), now));
    let ended = || {
        let theirs = book.ended().filter(|it| me.may_see(&it.incident));
        theirs.filter(|it| {
            it.incident.closed_at.is_some_and(|at| now.duration_since(at) <= ENDED_FOR)
        })
    };
    let eyes = Eyes { book: Some(&book), ..state.eyes(&me, &county) };
    let on_duty =
        |role| county.duty(role, None, now).map(|person| eyes.person_as(&person.id, role));
    let incidents: Vec<IncidentView> = open.into_iter().map(|filed| eyes.brief(filed)).collect();
    log_numbers(&me, &incidents);
    let duty = DutyView { officer: on_duty(Role::CountyDuty), leader: on_duty(Role::CountyLeader) };
    Ok(Json(Board {
        now,
        cursor: book.cursor().to_string(),
        county: county_view(theirs::ground(&me, &county).as_ref().unwrap_or(&county))?,
        townships: eyes.townships(),
        incidents,
        cameras: cameras(&state, &me, &county, &book),
        passed_on: ended().filter_map(|it| passed_on(it)).collect(),
        reminded: ended().filter_map(|it| reminded(it)).collect(),
        unreadable: unreadable(&state, &me),
        duty,
        shift: me.right.is_county().then(|| shift::view(&state, &me, &county)),
        in_force: theirs::in_force(&me, &county, now),
        zero_point: state.config.policy.zero_point,
        categories: categories().to_vec(),
        unattended: unattended(state.desk.policy()),
        health: theirs::health(&state, &me, lang_of(&headers)).await,
    }))
}

/// Nobody can tell whose township it is: the county's to act on.
fn unreadable(state: &WebState, me: &Me) -> Vec<UnreadableView> {
    let all = state.store.unreadable();
    all.into_iter()
        .filter(|_| me.right.is_county())
        .map(|it| UnreadableView { incident: it.incident, code: it.code })
        .collect()
}

fn unattended(policy: &Policy) -> Vec<SourceKind> {
    use SourceKind::{Camera, Person, Satellite, System};
    let kinds = [Camera, Satellite, Person, System];
    kinds.into_iter().filter(|kind| policy.review.of(*kind) != Review::Officer).collect()
}

fn passed_on(filed: &Filed) -> Option<PassedOn> {
    let Filed { code, incident, .. } = filed;
    let closure = incident.closure.as_ref().filter(|it| it.category == OUTSIDE)?;
    let to = closure.passed_to.as_ref();
    Some(PassedOn {
        incident: incident.id,
        code: code.clone(),
        place: incident.place.name.clone(),
        at: incident.first_seen_at,
        centre: incident.fix.centre,
        county: to.map(|it| it.name.clone()),
        phone: to.and_then(|it| it.phone.clone()),
        sightings: incident.sightings.len() + incident.reminders.len(),
    })
}

fn reminded(filed: &Filed) -> Option<Reminded> {
    let Filed { code, incident, .. } = filed;
    let category = incident.closure.as_ref().map(|it| it.category);
    let last = incident.reminders.iter().map(|it| it.observed_at).max()?;
    (category != Some(OUTSIDE)).then(|| Reminded {
        incident: incident.id,
        code: code.clone(),
        place: incident.place.name.clone(),
        category,
        sightings: incident.reminders.iter().map(|it| it.id).collect(),
        last_seen_at: last,
    })
}

fn county_view(county: &County) -> Answer<CountyView> {
    let nowhere = LatLon::new(NOWHERE.0, NOWHERE.1).ok_or_else(Problem::not_found)?;
    let centre = county.centre().unwrap_or(nowhere);
    Ok(CountyView {
        name: county.name.clone(),
        centre,
        bounds: county.bounds().unwrap_or((centre, centre)),
        grids: county.grids_geojson(),
    })
}

/// One view per camera, whatever its number of poses.
pub(crate) fn cameras(
    state: &WebState,
    me: &Me,
    county: &County,
    book: &OpenBook,
) -> Vec<CameraView> {
    let now = state.clock.now();
    let midnight =
        county_date(now).to_zoned(county_time()).map_or(now, |midnight| midnight.timestamp());
    // An incident that opened today is either open or has ended today.
    let alarms = alarms_since(midnight, book.open().chain(book.ended()));
    let status = state.status.all();
    let mut seen = BTreeSet::new();
    let entries = county.cameras.iter().filter(|entry| seen.insert(&entry.id));
    let entries = entries.filter(|entry| theirs::shows_camera(me, county, entry));
    entries
        .map(|entry| {
            let today = alarms.get(&entry.id).copied().unwrap_or_default();
            dto::camera(entry, status.get(&entry.id).cloned(), today, now)
        })
        .collect()
}

/// Camera sightings of each camera, each counted once, without drills.
fn alarms_since<'a>(
    since: Timestamp,
    filed: impl Iterator<Item = &'a Arc<Filed>>,
) -> BTreeMap<CameraId, usize> {
    let mut seen = BTreeSet::new();
    let mut alarms = BTreeMap::new();
    for sighting in filed.flat_map(|filed| &filed.incident.sightings) {
        let Source::Camera { camera, .. } = &sighting.source else { continue };
        if sighting.observed_at >= since && !sighting.drill && seen.insert(sighting.id) {
            *alarms.entry(camera.clone()).or_default() += 1;
        }
    }
    alarms
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Hotspots {
    /// Newest first, 1,000 at most.
    items: Vec<HotspotView>,
    /// How many there are.
    count: u64,
}

/// Satellite pixels in and around the county of the last 24 hours, for the map.
#[utoipa::path(
    get, path = "/api/v1/hotspots", tag = "office", security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Hotspots)),
)]
pub(crate) async fn hotspots(
    State(state): State<WebState>,
    Office(me): Office,
) -> Answer<Json<Hotspots>> {
    let since = state.clock.now() - HOTSPOTS_FOR;
    let (known, _) = theirs::hotspots(&state, &me, None, Some(since), HOTSPOTS_MAX).await?;
    let count = match me.right.is_county() {
        true => state.store.hotspots_count(since).await?.known,
        false => known.len() as u64,
    };
    Ok(Json(Hotspots { items: known.into_iter().map(HotspotView::from).collect(), count }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// Lines before this one: `version` of the oldest at hand.
    before: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LogPage {
    /// Oldest first, 100 at most.
    items: Vec<LogView>,
}

/// Older lines of an incident's log.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/log", tag = "office",
    security(("session" = ["officer", "ops"])), params(LogQuery),
    responses((status = 200, body = LogPage)),
)]
pub(crate) async fn log(
    State(state): State<WebState>,
    Office(me): Office,
    Path(id): Path<IncidentId>,
    Query(query): Query<LogQuery>,
) -> Answer<Json<LogPage>> {
    let filed = visible(&state, &me, id).await?;
    let (county, book) = (state.county_of(&filed.incident), state.desk.open_book().await?);
    let eyes = Eyes { book: Some(&book), ..state.eyes(&me, &county) };
    Ok(Json(LogPage { items: eyes.log_page(&filed.incident, query.before) }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `open` when it is left out.
    #[param(inline)]
    state: Option<Listed>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<u32>,
}

impl ListQuery {
    /// What the next page asks for besides its cursor.
    pub(super) fn others(&self) -> String {
        let state = self.state.map(|it| format!("&state={}", it.as_str())).unwrap_or_default();
        state + &self.limit.map(|it| format!("&limit={it}")).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Listed {
    Open,
    Closed,
    All,
}

impl Listed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentPage {
    items: Vec<IncidentView>,
    next: Option<String>,
}

/// Incidents, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "office", params(ListQuery),
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentPage)),
)]
pub(crate) async fn list(
    State(state): State<WebState>,
    Office(me): Office,
    Query(query): Query<ListQuery>,
) -> Answer<Json<IncidentPage>> {
    let page = page(&state, &me, query).await?;
    let (county, book) = (state.county(), state.desk.open_book().await?);
    let eyes = Eyes { book: Some(&book), ..state.eyes(&me, &county) };
    let items: Vec<IncidentView> = page.items.iter().map(|filed| eyes.brief(filed)).collect();
    log_numbers(&me, &items);
    Ok(Json(IncidentPage { items, next: page.next.map(|cursor| cursor.to_string()) }))
}

/// The incidents that a query asks for.
pub(super) async fn page(state: &WebState, me: &Me, query: ListQuery) -> Answer<Page> {
    let bad_cursor =
        |_| Problem::invalid("参数 after 无效。", "The parameter \"after\" is not a cursor.");
    let before = query.after.map(|cursor| cursor.parse::<u64>().map_err(bad_cursor)).transpose()?;
    let limit = query.limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_MAX);
    let filter = match query.state.unwrap_or(Listed::Open) {
        Listed::Open => Filter::Open,
        Listed::Closed => Filter::Closed,
        Listed::All => Filter::All,
    };
    theirs::incidents(state, me, filter, before, limit).await
}

/// One incident; for the office with its log and messages.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "office",
    responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn one(
    State(state): State<WebState>,
    me: Me,
    Path(id): Path<IncidentId>,
) -> Answer<Json<IncidentView>> {
    let filed = visible(&state, &me, id).await?;
    let messages =
        if me.right.is_office() { state.store.messages_of(id).await? } else { Vec::new() };
    let (county, book) = (state.county_of(&filed.incident), state.desk.open_book().await?);
    let eyes = Eyes { book: Some(&book), ..state.eyes(&me, &county) };
    let view = eyes.full(&filed, messages);
    log_numbers(&me, std::slice::from_ref(&view));
    Ok(Json(view))
}

/// Logs who has read whose number: one line per read, with the incidents whose people have to be
/// phoned.
fn log_numbers(me: &Me, shown: &[IncidentView]) {
    let codes: Vec<&str> =
        shown.iter().filter(|it| it.asks_for_a_call()).map(|it| it.code.as_str()).collect();
    if !codes.is_empty() {
        tracing::info!(person = %me.person, incidents = codes.join(" "), "phone numbers were shown");
    }
}

/// An incident this person may see: the county's office all, a township its own, a ranger those
/// dispatched to them, now or before. Otherwise `NotFound`, so that nobody learns which incidents exist.
pub(crate) async fn visible(state: &WebState, me: &Me, id: IncidentId) -> Answer<Filed> {
    let filed = state.desk.incident(id).await?;
    if me.may_see(&filed.incident) { Ok(filed) } else { Err(Problem::not_found()) }
}
