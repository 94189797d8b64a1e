//! What machines request: is it alive, is it ready, its metrics, its API description. And `me`.

mod alarms;

use super::WebState;
use super::dto::MeView;
use super::http::error::{Answer, Problem, lang_of};
use super::http::me::Me;
use crate::clock::Clock;
use crate::frame::Health;
use crate::lang::{Lang, Words};
use crate::store::Store;
use crate::triage::id::CameraId;
use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use parking_lot::RwLock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tracing::Instrument;
use utoipa::ToSchema;

/// The named parts of the program and whether they work: model, feeds, gateways. Written by the
/// wiring, read by the board and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Parts(Arc<RwLock<BTreeMap<String, Part>>>);

#[derive(Clone, Debug)]
struct Part {
    is_edge: bool,
    ok: bool,
    zh: String,
    en: String,
}

impl Parts {
    /// `zh`, `en`: what is wrong and what to do; empty when it works. True when the state changes.
    pub fn set(
        &self,
        part: impl Into<String>,
        ok: bool,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> bool {
        self.insert(part.into(), Part { is_edge: false, ok, zh: zh.into(), en: en.into() })
    }

    /// The same of an edge: `edge edge-1`.
    pub fn set_edge(&self, edge: &str, ok: bool, words: Words) -> bool {
        let Words { zh, en } = words;
        self.insert(format!("edge {edge}"), Part { is_edge: true, ok, zh, en })
    }

    fn insert(&self, name: String, part: Part) -> bool {
        let ok = part.ok;
        self.0.write().insert(name, part).is_none_or(|before| before.ok) != ok
    }

    /// Says nothing of it any more.
    pub fn forget(&self, part: &str) {
        self.0.write().remove(part);
    }

    /// What does not work: the part, and what is said of it in Chinese and English.
    pub fn faults(&self) -> Vec<(String, String, String)> {
        let parts = self.0.read();
        let wrong = parts.iter().filter(|(_, part)| !part.ok);
        wrong.map(|(name, part)| (name.clone(), part.zh.clone(), part.en.clone())).collect()
    }
}

#[derive(Clone, Serialize, ToSchema)]
pub(super) struct PartView {
    pub part: String,
    pub ok: bool,
    pub words: String,
    #[serde(skip)]
    pub is_edge: bool,
}

impl PartView {
    fn own(part: &str, ok: bool, words: impl Into<String>) -> Self {
        Self { part: part.to_owned(), ok, words: words.into(), is_edge: false }
    }
}

/// Everything that can fail, by name.
pub(super) async fn parts(state: &WebState, lang: Lang) -> Vec<PartView> {
    let mut all = vec![
        database(state, lang).await,
        records(state, lang).await,
        cameras(state, lang),
        registers(state, lang),
    ];
    all.extend(alarms::health(state, lang).await);
    let parts = state.parts.0.read();
    all.extend(parts.iter().map(|(name, part)| PartView {
        part: name.clone(),
        ok: part.ok,
        words: lang.pick(&part.zh, &part.en).to_owned(),
        is_edge: part.is_edge,
    }));
    all
}

async fn database(state: &WebState, lang: Lang) -> PartView {
    let ok = state.own.pulse.takes_writes(&state.store, &state.clock).await;
    let words = if ok {
        ""
    } else {
        lang.pick(
            "数据库写不进去：请看磁盘是否已满、数据库服务是否正常",
            "cannot write to the database: check the disk space and the database service",
        )
    };
    PartView::own("database", ok, words)
}

/// Whether the database accepts writes. The answer is reused, so that frequent requests cannot wear
/// out the disk.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<Mutex<Option<(Timestamp, bool)>>>);

impl Pulse {
    /// How long an answer is reused.
    const HOLDS_FOR: Duration = Duration::from_secs(2);

    async fn takes_writes(&self, store: &Store, clock: &Clock) -> bool {
        let mut known = self.0.lock().await;
        if let Some((_, ok)) =
            known.filter(|(at, _)| clock.now().duration_since(*at).unsigned_abs() < Self::HOLDS_FOR)
        {
            return ok;
        }
        let answer = store.ping().await;
        if let Err(error) = &answer {
            tracing::error!(cause = error.chain(), "cannot write to the database");
        }
        *known = Some((clock.now(), answer.is_ok()));
        answer.is_ok()
    }
}

/// Names the incidents whose record cannot be read, because nobody keeps their deadlines. Other
/// unreadable rows are only counted; the log names each.
async fn records(state: &WebState, lang: Lang) -> PartView {
    let codes: Vec<String> = state.store.unreadable().into_iter().map(|it| it.code).collect();
    let rows = state.store.unreadable_rows().len();
    let mut words = Vec::new();
    if !codes.is_empty() {
        let of = lang.pick(
            "警情 {} 的记录读不出来，时限无人看管：请电话处置，并用写入它的版本启动或恢复备份",
            "the record of {} cannot be read, so its deadlines are not kept: act by phone, and run \
            the version that wrote it or restore a backup",
        );
        words.push(of.replace("{}", &codes.join(lang.pick("、", ", "))));
    }
    if rows > 0 {
        let of = lang.pick(
            "数据库有{}行读不出来，已跳过（日志里有名称）：请交给运维",
            "{} rows of the database cannot be read and are skipped (the log names them): give the \
            log to operations",
        );
        words.push(of.replace("{}", &rows.to_string()));
    }
    let rebuilt = state.desk.rebuilt();
    if !rebuilt.is_empty() {
        let of = lang.pick(
            "警情 {} 的内存副本与记录不符，已按记录重建：请把程序日志交给运维",
            "the copy of {} in memory differed from the record and was rebuilt from it: give the \
            program's log to operations",
        );
        words.push(of.replace("{}", &rebuilt.join(lang.pick("、", ", "))));
    }
    // A database that does not answer is reported by the part before this one.
    if let Ok(Some((count, why))) = state.store.not_filed().await {
        let of = lang.pick(
            "有{}条火情线索未能归入警情，仍在重试，请看卫星与摄像机并人工处置：",
            "{} sightings could not be filed; trying again. Check satellites and cameras yourself: ",
        );
        words.push(format!("{}{why}", of.replace("{}", &count.to_string())));
    }
    PartView::own("records", words.is_empty(), words.join(lang.pick("；", "; ")))
}

/// Names the cameras that cannot see.
fn cameras(state: &WebState, lang: Lang) -> PartView {
    let health = camera_health(state);
    let blind = blind_cameras(&health);
    let ok = blind.is_empty();
    let names: Vec<&str> = blind.iter().map(|camera| camera.as_str()).collect();
    let words = if ok {
        String::new()
    } else {
        format!("{}{}", lang.pick("没有画面：", "no picture: "), names.join(", "))
    };
    PartView::own("cameras", ok, words)
}

pub(super) fn camera_health(state: &WebState) -> BTreeMap<CameraId, Health> {
    state.status.all().into_iter().map(|(camera, status)| (camera, status.health)).collect()
}

fn blind_cameras(health: &BTreeMap<CameraId, Health>) -> Vec<&CameraId> {
    let is_blind = |health: Health| !health.sees() && health != Health::Starting;
    health.iter().filter(|(_, health)| is_blind(**health)).map(|(camera, _)| camera).collect()
}

/// The first row that cannot be used, the first contradiction and the first gap are named. The log
/// names every row, `huoyan check` the rest.
fn registers(state: &WebState, lang: Lang) -> PartView {
    let (county, now) = (state.county(), state.clock.now());
    let (gaps, contradictions) = (county.gaps(now), county.contradictions(now));
    let problems = [county.problems.first(), contradictions.first()];
    let first = problems.into_iter().flatten().map(|it| it.said(lang));
    let mut words: Vec<String> = first.chain(gaps.first().map(|gap| gap.words(lang))).collect();
    let more = county.problems.len() + contradictions.len() + gaps.len() - words.len();
    if more > 0 {
        words.push(match lang {
            Lang::Zh => format!("另有{more}处，运行 huoyan check 查看"),
            Lang::En => format!("{more} more: run huoyan check"),
        });
    }
    PartView::own("registers", words.is_empty(), words.join(lang.pick("；", "; ")))
}

/// Alive: the program answers. Nothing else is looked at, so that a broken database does not get it
/// restarted.
#[utoipa::path(get, path = "/healthz", tag = "machines", responses((status = 200, body = String)))]
pub(super) async fn alive() -> &'static str {
    "ok"
}

#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Ready {
    pub ready: bool,
    /// Names only: sentences may hold people's names, and anybody may ask.
    pub parts: BTreeMap<String, bool>,
    /// At a centre's own host: each of its counties.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counties: BTreeMap<String, bool>,
}

/// Parts without which promises are broken: the database accepts no writes, a record cannot be
/// read, deadlines are not kept, or nobody is told.
pub(super) const VITAL: [&str; 4] = ["database", "records", "desk", "messages"];

/// Ready: what was promised is kept. The other parts are named but do not decide: an office with
/// one broken camera must still get its board.
#[utoipa::path(
    get, path = "/readyz", tag = "machines",
    responses((status = 200, body = Ready), (status = 503, body = Ready)),
)]
pub(super) async fn ready(State(state): State<WebState>) -> Response {
    let ready = is_ready(&state).await;
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready)).into_response()
}

pub(super) async fn is_ready(state: &WebState) -> Ready {
    let parts: BTreeMap<String, bool> =
        parts(state, Lang::default()).await.into_iter().map(|part| (part.part, part.ok)).collect();
    let ready = VITAL.iter().all(|part| parts.get(*part).copied().unwrap_or(true));
    Ready { ready, parts, counties: BTreeMap::new() }
}

/// Prometheus text. Counts only: no names and no places. Of several counties in one program the
/// centre's host has them.
#[utoipa::path(
    get, path = "/metrics", tag = "machines",
    responses((status = 200, body = String), (status = 404)),
)]
pub(super) async fn metrics(State(state): State<WebState>) -> Answer<Response> {
    let metrics = state.metrics.as_ref().ok_or_else(Problem::not_found)?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    Ok(([(CONTENT_TYPE, kind)], metrics.render()).into_response())
}

/// Counts and times every request by route, and of several counties by county.
pub(super) async fn measure(
    State(county): State<Option<Arc<str>>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().as_str().to_owned();
    let begun = Instant::now();
    let span = match &county {
        Some(code) => tracing::info_span!("county", %code),
        None => tracing::Span::none(),
    };
    let response = next.run(request).instrument(span).await;
    let mut labels = vec![
        ("method", method),
        ("route", route),
        ("status", response.status().as_u16().to_string()),
    ];
    labels.extend(county.map(|code| ("county", code.to_string())));
    metrics::counter!("huoyan_http_requests_total", &labels).increment(1);
    metrics::histogram!("huoyan_http_seconds", &labels).record(begun.elapsed());
    response
}

/// Who am I, and what time is it on the server.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses((status = 200, body = MeView)))]
pub(super) async fn me(
    State(state): State<WebState>,
    me: Me,
    headers: HeaderMap,
) -> Answer<Json<MeView>> {
    let county = state.county();
    Ok(Json(state.eyes(&me, &county).me(lang_of(&headers))))
}

pub(super) async fn openapi(document: Arc<str>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], document.to_string())
        .into_response()
}
