//! From a link in a message to a session cookie, and logout.

use super::auth::{Admin, own_origin};
use super::client_ip::ClientIp;
use super::error::{Answer, Problem, lang_of};
use super::json::Body;
use super::{pages, secret, session};
use crate::error::{Error, Kind, Result};
use crate::store::{Access, Login};
use crate::triage::id::PersonId;
use crate::web::WebState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use utoipa::ToSchema;

/// Limits invalid links per address. A valid link always works: 256 bits cannot be guessed, and an
/// office behind one router must not lock itself out. Quiet addresses are removed, so the table
/// does not grow.
#[derive(Clone)]
pub(crate) struct Failures(Arc<DefaultKeyedRateLimiter<IpAddr>>);

/// Addresses remembered before quiet ones are removed.
const ADDRESSES_MAX: usize = 4096;

impl Default for Failures {
    fn default() -> Self {
        let burst = NonZeroU32::new(super::limits::LOGIN_BURST).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(super::limits::LOGIN_EVERY)
            .unwrap_or(Quota::per_second(burst))
            .allow_burst(burst);
        Self(Arc::new(RateLimiter::keyed(quota)))
    }
}

impl Failures {
    /// Counts one failure; false when there were too many.
    fn are_few(&self, address: IpAddr) -> bool {
        if self.0.len() > ADDRESSES_MAX {
            self.0.retain_recent();
        }
        self.0.check_key(&address).is_ok()
    }
}

/// Does not look the link up. So a messenger's preview does not use it up, and a stranger learns
/// nothing.
pub(crate) async fn show(headers: HeaderMap) -> Response {
    pages::login(lang_of(&headers))
}

/// Uses the link up and opens a session. The form needs no `Idempotency-Key`: the token serves as
/// one.
pub(crate) async fn enter(
    State(state): State<WebState>,
    ClientIp(address): ClientIp,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(&headers);
    // Otherwise another site's page could log a browser in as somebody else.
    if own_origin(&headers, &state.config).is_err() {
        return pages::login_from_elsewhere(lang);
    }
    match open_session(&state, &token).await {
        Ok((cookie, face)) => ([(SET_COOKIE, cookie)], Redirect::to(face)).into_response(),
        Err(error) if error.kind == Kind::Unauthenticated => {
            tracing::debug!(%address, "a login link was not valid");
            if state.own.failures.are_few(address) {
                pages::login_spent(lang)
            } else {
                pages::too_many_attempts(lang)
            }
        }
        Err(error) => {
            tracing::error!(cause = error.chain(), "a login failed");
            pages::login_broken(lang)
        }
    }
}

async fn open_session(state: &WebState, token: &str) -> Result<(HeaderValue, &'static str)> {
    let (now, life) = (state.clock.now(), state.config.server.session_life);
    let secret = secret::secret()?;
    let login = state.store.use_login(&secret::hash(token), now).await?;
    let Some(right) = session::right(&state.county(), &login) else {
        tracing::info!(person = %login.person, "a login link was refused: by the registers this \
            person does not have this access");
        return Err(Error::new(Kind::Unauthenticated, "no longer in the register"));
    };
    state.store.create_session(&secret::hash(&secret), &login, now, life).await?;
    tracing::info!(person = %login.person, right = ?right.name(), "somebody logged in");
    Ok((session::cookie(&secret, &state.config)?, right.face()))
}

/// `POST /api/v1/logout`
#[utoipa::path(
    post, path = "/api/v1/logout", tag = "session", security(()),
    responses((status = 204, description = "logged out")),
)]
pub(crate) async fn leave(State(state): State<WebState>, headers: HeaderMap) -> Answer<Response> {
    if let Some(hash) = session::hash_in(&headers, &state.config) {
        state.store.end_session(&hash).await?;
    }
    let gone = session::no_cookie(&state.config)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLogin {
    person: PersonId,
    role: Access,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LoginLink {
    /// The whole address to open on the phone.
    url: String,
    expires_at: Timestamp,
}

/// A login link for somebody: for operations, and for `huoyan user` with the machine's admin token.
#[utoipa::path(
    post, path = "/api/v1/logins", tag = "session", request_body = NewLogin,
    security(("session" = ["ops"]), ("admin" = [])),
    responses((status = 200, body = LoginLink), (status = 422)),
)]
pub(crate) async fn issue(
    State(state): State<WebState>,
    _: Admin,
    Body(new): Body<NewLogin>,
) -> Answer<Json<LoginLink>> {
    let life = secret::link_life(&state.config.server, new.role);
    let login = Login { person: new.person.clone(), access: new.role };
    session::check_entitled(&state.county(), &login)
        .map_err(|(zh, en)| Problem::impossible(format!("{zh}。"), format!("{en}.")))?;
    let path = secret::issue_login(&state.store, &new.person, new.role, life, &state.clock).await?;
    let url = format!("{}{path}", state.config.public_url());
    Ok(Json(LoginLink { url, expires_at: state.clock.now() + life }))
}
