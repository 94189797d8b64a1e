//! BROWSERS: the only home of axum. `router(state)` is the whole service; the contract is `api.md`
//! beside this file.

mod centre;
mod doors;
mod dto;
mod evidence;
mod http;
mod inbound;
mod live;
mod office;
mod ops;
mod ranger;
mod service;
pub mod tls;

pub use doors::{Doors, Standing};
pub use http::connections::Network;
pub use http::secret::{hash as hash_secret, issue_login, link_life, secret};
pub use http::session::check_entitled;
#[cfg(any(test, fuzzing))]
pub(crate) use inbound::{alarm::fuzz as fuzz_alarm, fuzz as fuzz_reply};
pub use office::registers::visit::Visitor;
pub use service::Parts;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::Config;
use crate::county::{County, Registers};
use crate::desk::{Desk, Registry};
use crate::error::{Error, Result};
use crate::frame::{StatusBoard, Tuning};
use crate::store::Store;
use crate::triage::id::CameraId;
use crate::triage::incident::Incident;
use crate::triage::point::Points;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::routing::get;
use axum::{Router, middleware};
use dto::Eyes;
use evidence::{pictures, strips};
use http::connections::{Caller, Connections};
use http::me::Me;
use http::{auth, error, files, limits, login, openapi, session, shares};
use metrics_exporter_prometheus::PrometheusHandle;
use office::{board, cap, export, incident, people, registers, shift, sorting};
use parking_lot::RwLock;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Everything the pages need. Cloning shares it.
#[derive(Clone)]
pub struct WebState {
    pub desk: Arc<Desk>,
    pub store: Store,
    pub bus: Bus,
    pub registers: Registers,
    pub registry: Registry,
    pub status: StatusBoard,
    pub config: Arc<Config>,
    pub clock: Clock,
    /// Takes drill requests. Bound 1: while one is being started, more are refused.
    pub drills: mpsc::Sender<CameraId>,
    /// The thresholds in force, shared with the confirmers.
    pub thresholds: Tuning,
    /// The loaded model's own operating points; written by the wiring.
    pub points: Arc<RwLock<Option<Points>>>,
    /// Looks at a camera before it is registered. None: this machine has no cameras.
    pub visitor: Option<Visitor>,
    /// The state of the other parts: model, feeds, gateways.
    pub parts: Parts,
    pub metrics: Option<PrometheusHandle>,
    /// sha256 of the token in `<data>/admin.token`, hexadecimal: [`hash_secret`].
    pub admin_token_hash: Option<String>,
    /// The same of HUOYAN_INBOUND_KEY. None: no replies are accepted.
    pub inbound_key_hash: Option<String>,
    pub own: Own,
}

/// State that only this folder uses. `Own::default()` is right for every caller.
#[derive(Clone)]
pub struct Own {
    seats: limits::Seats,
    shares: shares::Shares,
    failures: login::Failures,
    drills: ops::RecentKeys,
    pulse: service::Pulse,
    network: Network,
    /// With it every connection begins with a handshake.
    tls: Option<tls::Tls>,
    /// True from the moment the server is told to stop. Open streams then end, so that stopping
    /// takes no longer than an answer.
    closing: watch::Sender<bool>,
    /// At a centre's own host: its counties, and what was said of them last.
    doors: Option<Doors>,
    known: centre::Known,
    alarms: inbound::alarm::AlarmShares,
    /// One camera is tried at a time.
    visiting: Arc<Semaphore>,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            seats: limits::Seats::default(),
            shares: shares::Shares::default(),
            failures: login::Failures::default(),
            drills: ops::RecentKeys::default(),
            pulse: service::Pulse::default(),
            network: Network::default(),
            tls: None,
            closing: watch::Sender::new(false),
            doors: None,
            known: centre::Known::default(),
            alarms: inbound::alarm::AlarmShares::default(),
            visiting: Arc::new(Semaphore::new(1)),
        }
    }
}

impl WebState {
    /// The registers as last read. Each answer uses one version of them throughout.
    fn county(&self) -> Arc<County> {
        self.registers.current()
    }

    /// What this reader may see of it, with the names of these registers.
    fn eyes<'a>(&'a self, me: &'a Me, county: &'a County) -> Eyes<'a> {
        Eyes { me, county, policy: self.desk.policy(), now: self.clock.now(), book: None }
    }

    /// The registers in which names of this incident are looked up: of a closed one those of its
    /// last day.
    fn county_of(&self, incident: &Incident) -> Arc<County> {
        incident.closed_at.map_or_else(|| self.county(), |at| self.registers.at(at))
    }

    /// Overrides the default bounds, to test that they hold.
    #[must_use]
    pub fn with_seats(mut self, requests: usize, streams: usize) -> Self {
        self.own.seats = limits::Seats::new(requests, streams);
        self
    }

    /// Overrides the default limits for peers' connections and time.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.own.network = network;
        self
    }

    /// A county of a centre: its streams end when the centre's listener closes.
    #[must_use]
    pub fn behind(mut self, centre: &Self) -> Self {
        self.own.closing = centre.own.closing.clone();
        self
    }

    /// Serves over TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: tls::Tls) -> Self {
        self.own.tls = Some(tls);
        self
    }
}

/// Pages and routes before they are dressed in what all share.
struct Rooms {
    quick: OpenApiRouter<WebState>,
    /// Routes that take long over a thin line, or that read a month.
    slow: OpenApiRouter<WebState>,
    /// Registers as whole files.
    sheets: OpenApiRouter<WebState>,
    /// Other systems' alarms, with pictures.
    alarms: OpenApiRouter<WebState>,
    pages: Router<WebState>,
}

/// The whole service.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .route("/", get(files::home))
        .route("/office", get(files::office))
        .route("/wall", get(files::wall))
        .route("/ranger", get(files::ranger))
        .route("/ops", get(files::ops))
        .route("/registers", get(files::registers))
        .route("/sw.js", get(files::service_worker))
        .route("/assets/{*path}", get(files::asset));
    dressed(
        Rooms { quick: quick(), slow: slow(), sheets: sheets(), alarms: alarms(), pages },
        state,
    )
}

/// Limits, headers, errors and the document of the routes.
fn dressed(rooms: Rooms, state: WebState) -> Router {
    let is_https = state.config.is_https();
    let county: Option<Arc<str>> = state.config.code.as_deref().map(Into::into);
    let (quick, mut openapi) = rooms.quick.split_for_parts();
    let (slow, slow_openapi) = rooms.slow.split_for_parts();
    openapi.merge(slow_openapi);
    let (sheets, sheets_openapi) = rooms.sheets.split_for_parts();
    openapi.merge(sheets_openapi);
    let (alarms, alarms_openapi) = rooms.alarms.split_for_parts();
    openapi.merge(alarms_openapi);
    let (outside, outside_openapi) = outside().split_for_parts();
    openapi.merge(outside_openapi);
    let openapi: Arc<str> = openapi::document(&openapi).to_string().into();
    let pages = rooms
        .pages
        .route("/login/{token}", get(login::show).post(login::enter))
        .route("/openapi.json", get(move || service::openapi(openapi.clone())));
    let quick = quick.merge(pages).layer(answer_within(limits::ANSWER_WITHIN));
    let slow = slow
        .layer(answer_within(limits::SLOW_ANSWER_WITHIN))
        .layer(DefaultBodyLimit::max(limits::PHOTO_MAX_BYTES));
    let sheets = sheets
        .layer(answer_within(limits::SLOW_ANSWER_WITHIN))
        .layer(DefaultBodyLimit::max(limits::SHEET_MAX_BYTES));
    let alarms = alarms
        .layer(answer_within(limits::SLOW_ANSWER_WITHIN))
        .layer(DefaultBodyLimit::max(limits::ALARM_MAX_BYTES));
    Router::new()
        .merge(quick)
        .merge(slow)
        .merge(sheets)
        .merge(alarms)
        .fallback(|| async { error::Problem::not_found() })
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(county, service::measure))
                .layer(header(CONTENT_SECURITY_POLICY, files::CONTENT_SECURITY_POLICY))
                .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .layer(header(CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
                .layer(header(PERMISSIONS_POLICY, files::PERMISSIONS_POLICY))
                .option_layer(
                    is_https.then(|| header(STRICT_TRANSPORT_SECURITY, limits::HTTPS_FOR)),
                )
                .layer(SetResponseHeaderLayer::if_not_present(
                    REFERRER_POLICY,
                    HeaderValue::from_static("no-referrer"),
                ))
                // Pages, files and pictures set their own cache time. Live answers are never
                // cached.
                .layer(SetResponseHeaderLayer::if_not_present(
                    CACHE_CONTROL,
                    HeaderValue::from_static("no-store"),
                ))
                .layer(CompressionLayer::new())
                .layer(middleware::from_fn(error::speak))
                .layer(middleware::from_fn_with_state(state.own.seats.clone(), limits::seated))
                .layer(middleware::from_fn_with_state(state.clone(), session::renew_cookie))
                .layer(middleware::from_fn_with_state(state.clone(), auth::guard_changes))
                .layer(DefaultBodyLimit::max(limits::JSON_MAX_BYTES)),
        )
        .merge(outside)
        .with_state(state)
}

fn answer_within(limit: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limit)
}

fn slow() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(pictures::add_photo))
        .routes(routes!(ops::what_if))
        .routes(routes!(ops::proof))
        .routes(routes!(ops::look_alikes))
        .routes(routes!(cap::incident_cap))
        .routes(routes!(registers::visit::visit))
        .routes(routes!(export::incidents_geojson))
        .routes(routes!(export::incidents_csv))
        .routes(routes!(export::hotspots_geojson))
        .routes(routes!(export::hotspots_csv))
}

/// Registers as whole files.
fn sheets() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(registers::sheet::download, registers::sheet::bring))
}

fn alarms() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(inbound::alarm::take_alarm))
        .routes(routes!(inbound::alarm::alarm_picture))
}

/// Outside every layer that can be full: a program without free seats is alive and must not be
/// restarted.
fn outside() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(service::alive))
}

/// The rest of `/api/v1`, and what machines request.
fn quick() -> OpenApiRouter<WebState> {
    login_rooms()
        .routes(routes!(board::board))
        .routes(routes!(board::list, incident::report_by_office))
        .routes(routes!(board::one))
        .routes(routes!(board::log))
        .routes(routes!(board::hotspots))
        .routes(routes!(incident::dispatch))
        .routes(routes!(incident::false_alarm))
        .routes(routes!(incident::acknowledge))
        .routes(routes!(incident::decline))
        .routes(routes!(incident::support))
        .routes(routes!(incident::arrive))
        .routes(routes!(incident::report))
        .routes(routes!(incident::send_back))
        .routes(routes!(incident::close))
        .routes(routes!(incident::note))
        .routes(routes!(people::people))
        .routes(routes!(shift::start))
        .routes(routes!(shift::hand_over))
        .routes(routes!(sorting::relocate))
        .routes(routes!(sorting::strike_out))
        .routes(routes!(sorting::reinstate))
        .routes(routes!(sorting::split))
        .routes(routes!(sorting::merge))
        .routes(routes!(sorting::unmerge))
        .routes(routes!(sorting::intend))
        .routes(routes!(sorting::take_undelivered))
        .routes(routes!(inbound::sms))
        .routes(routes!(inbound::voice))
        .routes(routes!(inbound::alarm::original_alarm))
        .routes(routes!(pictures::picture))
        .routes(routes!(pictures::frame))
        .routes(routes!(strips::strip))
        .routes(routes!(strips::strip_picture))
        .routes(routes!(live::stream))
        .routes(routes!(ranger::view))
        .routes(routes!(ops::cameras))
        .routes(routes!(ops::scores))
        .routes(routes!(ops::thresholds, ops::publish))
        .routes(routes!(ops::drill))
        .routes(routes!(ops::self_test))
        .routes(routes!(ops::accept_view))
        .routes(routes!(ops::example))
        .routes(routes!(ops::name_view))
        .routes(routes!(ops::view_picture))
        .routes(routes!(service::ready))
        .routes(routes!(service::metrics))
}

/// Who one is, and who may log in.
fn login_rooms() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(service::me))
        .routes(routes!(login::leave))
        .routes(routes!(login::issue))
        .routes(routes!(registers::view::register, registers::change))
        .routes(routes!(registers::history::changes))
        .routes(routes!(registers::undo))
        .routes(routes!(registers::visit::aim))
        .routes(routes!(registers::rota::rota_gaps))
}

fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// What an edge serves on loopback: `/healthz` and `/metrics`, for machines.
pub async fn serve_machines(
    listener: TcpListener,
    measures: PrometheusHandle,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let machines = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/metrics", get(move || async move { measures.render() }));
    let served = axum::serve(listener, machines).with_graceful_shutdown(shutdown);
    served.await.map_err(|e| Error::unavailable("cannot serve /healthz").because(e))
}

/// Serves until `shutdown`. Then answers under way may finish within a grace period, and streams
/// end at once.
pub async fn serve(
    listener: TcpListener,
    state: WebState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let own = state.own.clone();
    serve_doors(listener, own, Doors::one(router(state)), shutdown).await
}

/// The same for a centre: `state` is that of its own pages, `doors` has them and the counties'.
pub async fn serve_counties(
    listener: TcpListener,
    state: &WebState,
    doors: Doors,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    serve_doors(listener, state.own.clone(), doors, shutdown).await
}

async fn serve_doors(
    listener: TcpListener,
    own: Own,
    doors: Doors,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let Own { closing, network, tls, .. } = own;
    let connections = Connections::new(network);
    let (mut served, mut shutdown) = (JoinSet::new(), pin!(shutdown));
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            _ = served.join_next(), if !served.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // Without a free place the socket is closed at once: better than a page that waits in
            // vain.
            Ok((socket, from)) => {
                if let Some(place) = connections.admit() {
                    let caller = Caller { socket, from };
                    served.spawn(place.serve(
                        caller,
                        tls.clone(),
                        doors.clone(),
                        closing.subscribe(),
                    ));
                }
            }
            Err(e) => {
                tracing::warn!("a connection could not be accepted: {e}");
                Clock::System.sleep(limits::ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    closing.send_replace(true);
    let all = async { while served.join_next().await.is_some() {} };
    if timeout(network.stop_within, all).await.is_err() {
        tracing::info!(
            connections = served.len(),
            "connections that did not end in time were aborted"
        );
        served.shutdown().await;
    }
    Ok(())
}
