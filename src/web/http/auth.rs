//! Authentication: what a request must show before a handler runs.

use super::error::{Answer, Problem, lang_of};
use super::me::Me;
use super::rights::Right;
use super::secret::{hash, is_secret_of};
use super::session;
use crate::config::Config;
use crate::error::Kind;
use crate::lang::Lang;
use crate::store::AlarmSystem;
use crate::triage::id::ActionId;
use crate::web::WebState;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Anybody, logged in or not.
pub(crate) struct Visitor {
    pub me: Option<Me>,
    pub lang: Lang,
}

impl FromRequestParts<WebState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let lang = lang_of(&parts.headers);
        Ok(Self { me: session::of(parts, state).await?, lang })
    }
}

impl FromRequestParts<WebState> for Me {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Visitor::from_request_parts(parts, state)
            .await?
            .me
            .ok_or_else(Problem::unauthenticated)?;
        let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        me.right.check_operation(parts.method.as_str(), route)?;
        // Checked before the body is read, so that a refused change costs nothing.
        if !parts.method.is_safe() {
            state.own.shares.change(&me.person)?;
        }
        Ok(me)
    }
}

/// Somebody of a duty room: officer or ops; where `rights` lets them come this far, a township's, too.
pub(crate) struct Office(pub Me);

impl FromRequestParts<WebState> for Office {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Me::from_request_parts(parts, state).await?;
        if !me.right.is_office() {
            return Err(Problem::forbidden(
                "此操作只限值班室。",
                "Only the duty room may do this.",
            ));
        }
        Ok(Self(me))
    }
}

/// Operations.
pub(crate) struct Ops(pub Me);

impl FromRequestParts<WebState> for Ops {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Me::from_request_parts(parts, state).await?;
        if me.right != Right::Ops {
            return Err(Problem::forbidden("此操作只限运维人员。", "Only operations may do this."));
        }
        Ok(Self(me))
    }
}

/// Operations, or the machine's administrator with the token in the data folder.
pub(crate) struct Admin;

impl FromRequestParts<WebState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        if let Some(token) = bearer(&parts.headers) {
            let is_admin =
                state.admin_token_hash.as_deref().is_some_and(|hash| is_secret_of(hash, token));
            return is_admin.then_some(Self).ok_or_else(Problem::unauthenticated);
        }
        Ops::from_request_parts(parts, state).await.map(|_| Self)
    }
}

/// The gateway that delivers people's replies, identified by the key in HUOYAN_INBOUND_KEY.
pub(crate) struct Gateway;

impl FromRequestParts<WebState> for Gateway {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let Some(hash) = state.inbound_key_hash.as_deref() else {
            return Err(Problem::new(
                Kind::NotFound,
                "本机未设置 HUOYAN_INBOUND_KEY，不接收短信回复和电话按键。",
                "HUOYAN_INBOUND_KEY is not set on this machine: replies and key presses are not \
                accepted.",
            ));
        };
        let is_gateway = bearer(&parts.headers).is_some_and(|key| is_secret_of(hash, key));
        is_gateway.then_some(Self).ok_or_else(|| {
            Problem::new(
                Kind::Unauthenticated,
                "网关密钥不符：请求头应为 Authorization: Bearer <HUOYAN_INBOUND_KEY>。",
                "The gateway's key is missing or wrong: send Authorization: Bearer \
                <HUOYAN_INBOUND_KEY>.",
            )
        })
    }
}

/// Another system that sends alarms, identified by a key of its own.
pub(crate) struct Sender(pub AlarmSystem);

impl FromRequestParts<WebState> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let unknown = || {
            Problem::new(
                Kind::Unauthenticated,
                "密钥不符：请求头应为 Authorization: Bearer <huoyan system add 给出的密钥>。",
                "The key is missing or wrong: send Authorization: Bearer <the key that `huoyan \
                system add` printed>.",
            )
        };
        let key = bearer(&parts.headers).ok_or_else(unknown)?;
        let system = state.store.alarm_system_of(&hash(key)).await?.ok_or_else(unknown)?;
        if system.revoked_at.is_none() {
            return Ok(Self(system));
        }
        // It is counted like any other refusal: somebody still sends alarms that nobody sees.
        let problem = Problem::new(
            Kind::Unauthenticated,
            format!("外部系统 {} 的密钥已吊销。", system.name),
            format!("The key of the system {} was revoked.", system.name),
        );
        let now = state.clock.now();
        let count = state.own.alarms.to_write(&system.name, now);
        if count > 0 {
            state.store.alarm_refused(&system.name, count, &problem.words(), now).await?;
        }
        Err(problem)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The `Idempotency-Key` of a change.
#[derive(Clone, Copy)]
pub(crate) struct Key(pub ActionId);

impl FromRequestParts<WebState> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Answer<Self> {
        key(&parts.headers).map(Self)
    }
}

/// Every change carries an idempotency key and comes from our own pages. A foreign page can send
/// neither this header nor our origin.
pub(crate) async fn guard_changes(
    State(state): State<WebState>,
    request: Request,
    next: Next,
) -> Response {
    // The login form is sent by the browser without a script. The secret in its address serves as
    // the key.
    let path = request.uri().path();
    // A gateway sends no cookie that a foreign page could abuse. The id of its message serves as
    // the key.
    let is_gateway = path.starts_with("/api/v1/inbound/");
    if request.method().is_safe() || is_gateway || !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let allowed = key(request.headers())
        .map(|_| ())
        .and_then(|()| own_origin(request.headers(), &state.config));
    match allowed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn key(headers: &HeaderMap) -> Answer<ActionId> {
    let text =
        headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.parse().map_err(|_| {
        Problem::invalid(
            "缺少请求头 Idempotency-Key（UUID）。",
            "The header Idempotency-Key is missing or is not a UUID.",
        )
    })
}

/// Browsers name the page that a change comes from. Programs that send no `Origin` do not send a
/// cookie by accident.
pub(crate) fn own_origin(headers: &HeaderMap, config: &Config) -> Answer<()> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let Some(origin) =
        origin.as_ref().and_then(|uri| uri.authority()).map(|authority| authority.as_str())
    else {
        return Err(foreign());
    };
    let public = config.public_url().parse::<Uri>().ok();
    let ours =
        [host, public.as_ref().and_then(|uri| uri.authority()).map(|authority| authority.as_str())];
    if ours.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(origin)) {
        Ok(())
    } else {
        Err(foreign())
    }
}

fn foreign() -> Problem {
    Problem::forbidden(
        "请求来自其他网站，已拒绝。请检查 [server] public_url 是否与浏览器中的地址一致。",
        "The request comes from another site. Check that [server] public_url is the address in the \
        browser.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let mut config = Config::default();
        config.server.public_url = Some("https://huoyan.example".to_owned());
        for (origin, ours) in [
            (None, true),
            (Some("http://10.0.0.5:8131"), true),
            (Some("https://huoyan.example"), true),
            (Some("https://evil.example"), false),
            (Some("http://10.0.0.5:8132"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("10.0.0.5:8131"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(own_origin(&headers, &config).is_ok(), ours, "{origin:?}");
        }
    }
}
