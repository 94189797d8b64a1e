//! Authentication: login links, sessions, and what each role may do. Only hashes of secrets are
//! stored.

use super::error::{Answer, Problem, lang_of};
use super::session;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use crate::store::{Access, Login, Store};
use crate::triage::id::{ActionId, PersonId};
use crate::triage::incident::Incident;
use crate::web::WebState;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// 256 bits, too many to guess.
const SECRET_BYTES: usize = 32;

/// Who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    pub person: PersonId,
    pub role: Role,
}

impl Me {
    /// The office sees everything. A ranger sees what was ever dispatched to them or told them.
    pub fn may_see(&self, incident: &Incident) -> bool {
        let sent = incident.dispatches().any(|dispatch| dispatch.ranger == self.person);
        self.role.is_office() || sent || incident.told.iter().any(|told| told.person == self.person)
    }
}

/// An [`Access`], under the name that the pages use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Role(pub Access);

impl Role {
    pub fn face(self) -> &'static str {
        match self.0 {
            Access::Ranger => "/ranger",
            Access::Officer => "/office",
            Access::Ops => "/ops",
        }
    }

    /// Sees every incident and every phone number.
    pub fn is_office(self) -> bool {
        self.0 != Access::Ranger
    }
}

/// A one-time login link, as the path to append to the public address: `/login/…`. The token is
/// stored nowhere.
pub async fn issue_login(
    store: &Store,
    person: &PersonId,
    access: Access,
    life: SignedDuration,
    clock: &Clock,
) -> Result<String> {
    let token = secret()?;
    let login = Login { person: person.clone(), access };
    store.create_login(&hash(&token), &login, clock.now() + life).await?;
    Ok(format!("/login/{token}"))
}

/// 32 random bytes as 43 characters that need no escaping anywhere.
pub fn secret() -> Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|e| Error::unavailable("the machine provides no random numbers").because(e))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The stored form of a secret. It needs no salt and no slow hash: 256 bits cannot be searched.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Anybody, logged in or not.
pub struct Visitor {
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
        let me = Visitor::from_request_parts(parts, state).await?.me.ok_or_else(Problem::unauthenticated)?;
        // Checked before the body is read, so that a refused change costs nothing.
        if !parts.method.is_safe() {
            state.own.shares.change(&me.person)?;
        }
        Ok(me)
    }
}

/// Somebody of the office: officer or ops.
pub struct Office(pub Me);

impl FromRequestParts<WebState> for Office {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Me::from_request_parts(parts, state).await?;
        if !me.role.is_office() {
            return Err(Problem::forbidden("此操作只限值班室。", "Only the duty room may do this."));
        }
        Ok(Self(me))
    }
}

/// Operations.
pub struct Ops(pub Me);

impl FromRequestParts<WebState> for Ops {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let me = Me::from_request_parts(parts, state).await?;
        if me.role.0 != Access::Ops {
            return Err(Problem::forbidden("此操作只限运维人员。", "Only operations may do this."));
        }
        Ok(Self(me))
    }
}

/// Operations, or the machine's administrator with the token in the data folder.
pub struct Admin;

impl FromRequestParts<WebState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        if let Some(token) = bearer(&parts.headers) {
            let is_admin = state.admin_token_hash.as_deref().is_some_and(|hash| is_secret_of(hash, token));
            return is_admin.then_some(Self).ok_or_else(Problem::unauthenticated);
        }
        Ops::from_request_parts(parts, state).await.map(|_| Self)
    }
}

/// The gateway that delivers people's replies, identified by the key in HUOYAN_INBOUND_KEY.
pub struct Gateway;

impl FromRequestParts<WebState> for Gateway {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Answer<Self> {
        let Some(hash) = state.inbound_key_hash.as_deref() else {
            return Err(Problem::new(
                Kind::NotFound,
                "本机未设置 HUOYAN_INBOUND_KEY，不接收短信回复和电话按键。",
                "HUOYAN_INBOUND_KEY is not set on this machine: replies and key presses are not accepted.",
            ));
        };
        let is_gateway = bearer(&parts.headers).is_some_and(|key| is_secret_of(hash, key));
        is_gateway.then_some(Self).ok_or_else(|| {
            Problem::new(
                Kind::Unauthenticated,
                "网关密钥不符：请求头应为 Authorization: Bearer <HUOYAN_INBOUND_KEY>。",
                "The gateway's key is missing or wrong: send Authorization: Bearer <HUOYAN_INBOUND_KEY>.",
            )
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Compares all characters in constant time, so that timing reveals nothing: people choose weaker
/// secrets than [`secret`] does.
fn is_secret_of(kept: &str, given: &str) -> bool {
    let given = hash(given);
    kept.len() == given.len() && kept.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// The `Idempotency-Key` of a change.
#[derive(Clone, Copy)]
pub struct Key(pub ActionId);

impl FromRequestParts<WebState> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Answer<Self> {
        key(&parts.headers).map(Self)
    }
}

/// Every change carries an idempotency key and comes from our own pages. A foreign page can send
/// neither this header nor our origin.
pub async fn guard_changes(State(state): State<WebState>, request: Request, next: Next) -> Response {
    // The login form is sent by the browser without a script. The secret in its address serves as
    // the key.
    let path = request.uri().path();
    // A gateway sends no cookie that a foreign page could abuse. The id of its message serves as
    // the key.
    let is_gateway = path.starts_with("/api/v1/inbound/");
    if request.method().is_safe() || is_gateway || !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let allowed = key(request.headers()).map(|_| ()).and_then(|()| own_origin(request.headers(), &state.config));
    match allowed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn key(headers: &HeaderMap) -> Answer<ActionId> {
    let text = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.parse().map_err(|_| {
        Problem::invalid(
            "缺少请求头 Idempotency-Key（UUID）。",
            "The header Idempotency-Key is missing or is not a UUID.",
        )
    })
}

/// Browsers name the page that a change comes from. Programs that send no `Origin` do not send a
/// cookie by accident.
pub fn own_origin(headers: &HeaderMap, config: &Config) -> Answer<()> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let Some(origin) = origin.as_ref().and_then(|uri| uri.authority()).map(|authority| authority.as_str()) else {
        return Err(foreign());
    };
    let public = config.public_url().parse::<Uri>().ok();
    let ours = [host, public.as_ref().and_then(|uri| uri.authority()).map(|authority| authority.as_str())];
    if ours.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(origin)) { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> Problem {
    Problem::forbidden(
        "请求来自其他网站，已拒绝。请检查 [server] public_url 是否与浏览器中的地址一致。",
        "The request comes from another site. Check that [server] public_url is the address in the browser.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn secrets_are_long_safe_in_addresses_and_never_the_same() {
        let (a, b) = (secret().expect("random"), secret().expect("random"));
        assert_eq!(a.len(), 43);
        assert!(a.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{a}");
        assert_ne!(a, b);
    }

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
