//! The centre's own host, where several counties are served: what machines ask of the whole, and
//! the people of the prefecture. A county's own pages never come from here.

mod overview;

pub(super) use overview::Known;

use super::doors::{Doors, Standing};
use super::http::error::{Problem, lang_of};
use super::http::{files, pages};
use super::service::{self, Ready};
use super::{Rooms, WebState, dressed, login_rooms};
use crate::error::Kind;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

impl Doors {
    /// A centre's, without counties yet. `state` is that of its own pages.
    pub fn of_centre(mut state: WebState) -> Self {
        let doors = Self::one(Router::new());
        state.own.doors = Some(doors.clone());
        let pulse = Pulse::default();
        let own = router(state.clone(), pulse.clone());
        doors.open(state.config.host(), own, elsewhere(state, pulse));
        doors
    }

    /// Opens a county's door, or says at it that the county is not served. `host`: `None` where its
    /// file does not say.
    pub fn set(&self, code: &str, host: Option<String>, standing: Standing) {
        let router = match &standing {
            Standing::Up(state) => super::router((**state).clone()),
            Standing::Down(_) => Router::new().fallback(closed),
        };
        self.put(code, host, standing, router);
    }
}

/// Everything at the centre's host.
fn router(state: WebState, pulse: Pulse) -> Router {
    let quick = login_rooms()
        .route("/readyz", get(move |state| ready(state, pulse)))
        .routes(routes!(service::metrics))
        .routes(routes!(overview::counties));
    // A login leads to the page of its role; here all of them are this one.
    let pages = ["/", "/counties", "/office", "/ops", "/ranger"]
        .into_iter()
        .fold(Router::new(), |pages, path| pages.route(path, get(files::counties)))
        .route("/sw.js", get(files::service_worker))
        .route("/assets/{*path}", get(files::asset));
    let [slow, sheets, alarms] = [(); 3].map(|()| OpenApiRouter::new());
    dressed(Rooms { quick, slow, sheets, alarms, pages }, state)
}

/// At every host that is nobody's: machines ask by address, and a person has mistyped a name.
fn elsewhere(state: WebState, pulse: Pulse) -> Router {
    Router::new()
        .route("/healthz", get(service::alive))
        .route("/readyz", get(move |state| ready(state, pulse)))
        .route("/metrics", get(service::metrics))
        .fallback(nobody)
        .with_state(state)
}

async fn nobody(request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        let problem = Problem::invalid(
            "此地址不是本服务器上任何一个县的，请核对网址中的主机名。",
            "This address is no county's on this server: check the host name.",
        );
        return problem.with_status(StatusCode::MISDIRECTED_REQUEST).into_response();
    }
    pages::nobodys_host(lang_of(request.headers()))
}

/// At the host of a county that cannot be served now.
async fn closed(request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        let problem = Problem::new(
            Kind::Unavailable,
            "本县的系统现在没有启动，请打电话给值班室；运维请看中心的页面。",
            "This county's system is not running now: phone the duty room. Operations find the \
            reason on the centre's page.",
        );
        return problem.into_response();
    }
    pages::county_closed(lang_of(request.headers()))
}

/// The counties, by code.
fn counties(state: &WebState) -> Vec<(String, Standing)> {
    state.own.doors.as_ref().map(Doors::counties).unwrap_or_default()
}

/// The last answer, and when it was given: however many ask, the databases are asked once a second.
type Pulse = Arc<Mutex<Option<(Timestamp, Ready)>>>;
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(1);
/// Longest wait for a county: a balancer gives up on the whole desk after a second.
const ANSWERED_WITHIN: Duration = Duration::from_millis(700);

/// Whether the centre can serve. A county that is not ready is named and takes nothing from the
/// others: a balancer that turned away would take it from all.
async fn ready(State(state): State<WebState>, pulse: Pulse) -> Response {
    let mut last = pulse.lock().await;
    let now = state.clock.now();
    let is_fresh =
        |at: Timestamp| (SignedDuration::ZERO..FRESH_FOR).contains(&now.duration_since(at));
    let known = last.take().filter(|(at, _)| is_fresh(*at));
    let (at, ready) = match known {
        Some(known) => known,
        None => (now, asked(&state).await),
    };
    *last = Some((at, ready.clone()));
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready)).into_response()
}

async fn asked(state: &WebState) -> Ready {
    let mut asked = JoinSet::new();
    let mut counties: BTreeMap<String, bool> = BTreeMap::new();
    for (code, standing) in self::counties(state) {
        counties.insert(code.clone(), false);
        if let Standing::Up(county) = standing {
            asked.spawn(async move {
                let ready = tokio::time::timeout(ANSWERED_WITHIN, service::is_ready(&county));
                (code, ready.await.is_ok_and(|it| it.ready))
            });
        }
    }
    let own = service::is_ready(state).await;
    while let Some(asked) = asked.join_next().await {
        counties.extend(asked);
    }
    Ready { counties, ..own }
}
