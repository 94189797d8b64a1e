//! From a link in a message to a session cookie, and out again.

use super::auth::{self, Admin, COOKIE_NAME};
use super::error::{Answer, lang_of};
use super::json::Body;
use super::{WebState, pages};
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::store::Access;
use crate::triage::id::PersonId;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use utoipa::ToSchema;

/// How often one address may try. Forgets addresses that have been quiet, so it does not grow.
#[derive(Clone)]
pub struct Attempts(Arc<DefaultKeyedRateLimiter<IpAddr>>);

/// Addresses remembered before the quiet ones are swept out.
const ADDRESSES_MAX: usize = 4096;

impl Default for Attempts {
    fn default() -> Self {
        let burst = NonZeroU32::new(super::limits::LOGIN_BURST).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::with_period(super::limits::LOGIN_EVERY).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self(Arc::new(RateLimiter::keyed(quota)))
    }
}

impl Attempts {
    fn allows(&self, address: IpAddr) -> bool {
        if self.0.len() > ADDRESSES_MAX {
            self.0.retain_recent();
        }
        self.0.check_key(&address).is_ok()
    }
}

/// The browser's address; behind a proxy all share the proxy's.
pub struct Address(IpAddr);

impl FromRequestParts<WebState> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> std::result::Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Does not look the link up, so that neither a messenger's preview uses it up nor a stranger learns anything.
pub async fn show(State(state): State<WebState>, Address(address): Address, headers: HeaderMap) -> Response {
    let lang = lang_of(&headers);
    if state.own.attempts.allows(address) { pages::login(lang) } else { pages::too_many_attempts(lang) }
}

/// Uses the link up and opens a session. The form needs no `Idempotency-Key`: the token is its own.
pub async fn enter(
    State(state): State<WebState>,
    Address(address): Address,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(&headers);
    if !state.own.attempts.allows(address) {
        return pages::too_many_attempts(lang);
    }
    match open_session(&state, &token).await {
        Ok((cookie, face)) => ([(SET_COOKIE, cookie)], Redirect::to(face)).into_response(),
        Err(error) if error.kind == Kind::Unauthenticated => pages::login_spent(lang),
        Err(error) => {
            tracing::error!(cause = error.chain(), "a login failed");
            pages::login_broken(lang)
        }
    }
}

async fn open_session(state: &WebState, token: &str) -> Result<(HeaderValue, &'static str)> {
    let (now, life) = (state.clock.now(), state.config.server.session_life);
    let session = auth::secret()?;
    let login = state.store.use_login(&auth::hash(token), now).await?;
    state.store.create_session(&auth::hash(&session), &login, now, life).await?;
    tracing::info!(person = %login.person, "somebody logged in");
    Ok((cookie(&session, life.as_secs(), &state.config)?, auth::Role(login.access).face()))
}

/// `POST /api/v1/logout`
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses((status = 204, description = "logged out")))]
pub async fn leave(State(state): State<WebState>, headers: HeaderMap) -> Answer<Response> {
    if let Some(hash) = auth::session_hash(&headers) {
        state.store.end_session(&hash).await?;
    }
    let gone = cookie("", 0, &state.config)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// `Secure` only where there is TLS: an office PC without it would never get the cookie back.
fn cookie(value: &str, max_age_s: i64, config: &Config) -> Result<HeaderValue> {
    let secure = if config.public_url().starts_with("https://") { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|e| crate::error::Error::internal("a cookie could not be written").because(e))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLogin {
    #[schema(value_type = String)]
    person: PersonId,
    #[schema(value_type = String)]
    role: Access,
}

#[derive(Serialize, ToSchema)]
pub struct LoginLink {
    /// The whole address to open on the phone.
    url: String,
    #[schema(value_type = String)]
    expires_at: Timestamp,
}

/// A login link for somebody: for operations, and for `huoyan user` with the machine's admin token.
#[utoipa::path(post, path = "/api/v1/logins", tag = "session", request_body = NewLogin, responses((status = 200, body = LoginLink)))]
pub async fn issue(State(state): State<WebState>, _: Admin, Body(new): Body<NewLogin>) -> Answer<Json<LoginLink>> {
    let life = state.config.server.login_link_life;
    let path = auth::issue_login(&state.store, &new.person, new.role, life, &state.clock).await?;
    let url = format!("{}{path}", state.config.public_url().trim_end_matches('/'));
    Ok(Json(LoginLink { url, expires_at: state.clock.now() + life }))
}
