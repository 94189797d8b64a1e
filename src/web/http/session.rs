//! Sessions: the cookie, its owner, and whether the register still admits that person.

use super::me::Me;
use super::rights::{Barred, Right};
use super::secret::hash;
use crate::config::Config;
use crate::county::County;
use crate::error::{Error, Kind, Result};
use crate::store::Login;
use crate::web::WebState;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) const COOKIE_NAME: &str = "huoyan_session";
/// For https: a browser accepts a cookie of this name only from this host, over TLS, for all of its
/// paths (RFC 6265bis). So another host of the same domain cannot plant one.
const HOST_COOKIE_NAME: &str = "__Host-huoyan_session";

/// What the registers of now make of a login. A session survives a register that no longer fits: one
/// imported in haste and corrected must not log out a county.
pub(crate) fn right(county: &County, login: &Login) -> Option<Right> {
    Right::of(county, login).ok()
}

/// The townships to which a login is confined, for whoever requests a link; or why it would be worth
/// nothing, and what to do.
pub fn check_entitled(
    county: &County,
    login: &Login,
) -> Result<Vec<String>, (&'static str, &'static str)> {
    Err(match Right::of(county, login) {
        Ok(right) => {
            let confined = right.township().into_iter();
            return Ok(confined.flat_map(|it| it.names()).map(str::to_owned).collect());
        }
        Err(Barred::Unknown) => (
            "登记册里没有此人；先导入人员名册，编号见 huoyan user list",
            "the register has nobody with this id: import the register of people first; huoyan \
            user list shows the ids",
        ),
        Err(Barred::NotOfOffice) => (
            "此人的岗位不是乡镇值班员、县值班员或带班领导，值班表上也没有其值班，不能进入值班台",
            "no access to the office: this person's post is not township officer, county officer \
            or leader, and the rota has no duty of theirs",
        ),
        Err(Barred::NoGround) => (
            "此人是乡镇值班员，但登记册给他的乡镇在网格登记册里没有网格，什么警情也看不到：先核对人员名册、值班表\
            和网格里的乡镇名称",
            "this person is a township's officer, and no grid lies in the township that the \
            registers give them, so they would see no incident: check the township's name in \
            people, rota and grids first",
        ),
        Err(Barred::NotOfCounty) => (
            "调参页只给县里的人员；乡镇值班员请用 officer",
            "the ops page is for people of the county; a township's officer logs in as officer",
        ),
    })
}

/// Who sent the request. Using a session prolongs it, and the answer then carries the cookie again.
pub(crate) async fn of(parts: &Parts, state: &WebState) -> Result<Option<Me>> {
    let Some(hash) = hash_in(&parts.headers, &state.config) else { return Ok(None) };
    let session =
        match state.store.session(&hash, state.clock.now(), state.config.server.session_life).await
        {
            Ok(session) => session,
            Err(error) if error.kind == Kind::Unauthenticated => return Ok(None),
            Err(error) => return Err(error),
        };
    let Login { person, access } = &session.login;
    let Some(right) = right(&state.county(), &session.login) else {
        tracing::info!(%person, ?access, "a login is not valid: by the registers this person does \
            not have this access");
        return Ok(None);
    };
    if let Some(prolonged) = parts.extensions.get::<Prolonged>().filter(|_| session.prolonged) {
        prolonged.0.store(true, Ordering::Relaxed);
    }
    Ok(Some(Me { person: person.clone(), right }))
}

/// Set when the request being answered has prolonged its session.
#[derive(Clone, Default)]
struct Prolonged(Arc<AtomicBool>);

/// Without this the browser would drop the cookie on the day fixed at login, however often the
/// session is used.
pub(crate) async fn renew_cookie(
    State(state): State<WebState>,
    mut request: Request,
    next: Next,
) -> Response {
    let prolonged = Prolonged::default();
    request.extensions_mut().insert(prolonged.clone());
    let token = token(request.headers(), &state.config).map(str::to_owned);
    let mut response = next.run(request).await;
    let token = token.filter(|_| {
        prolonged.0.load(Ordering::Relaxed) && !response.headers().contains_key(SET_COOKIE)
    });
    if let Some(Ok(cookie)) = token.map(|token| cookie(&token, &state.config)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The cookie of a session that starts now.
pub(crate) fn cookie(token: &str, config: &Config) -> Result<HeaderValue> {
    written(token, config.server.session_life.as_secs(), config)
}

/// Removes the cookie.
pub(crate) fn no_cookie(config: &Config) -> Result<HeaderValue> {
    written("", 0, config)
}

fn name(config: &Config) -> &'static str {
    if config.is_https() { HOST_COOKIE_NAME } else { COOKIE_NAME }
}

/// `Secure` only with TLS: without it an office PC would never get the cookie back.
fn written(value: &str, max_age_s: i64, config: &Config) -> Result<HeaderValue> {
    let (name, secure) = (name(config), if config.is_https() { "; Secure" } else { "" });
    let text =
        format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text)
        .map_err(|e| Error::internal("a cookie could not be written").because(e))
}

/// The hash under which the store knows this browser's session.
pub(crate) fn hash_in(headers: &HeaderMap, config: &Config) -> Option<String> {
    token(headers, config).map(hash)
}

/// Behind https the plain name is ignored: another host of the same domain can set it.
fn token<'a>(headers: &'a HeaderMap, config: &Config) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(it, _)| *it == name(config)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let (mut headers, config) = (HeaderMap::new(), Config::default());
        headers.insert(COOKIE, HeaderValue::from_static("a=b; huoyan_session=xyz; c=d"));
        assert_eq!(token(&headers, &config), Some("xyz"));
        headers.insert(COOKIE, HeaderValue::from_static("not_huoyan_session=xyz"));
        assert_eq!(token(&headers, &config), None);
    }

    #[test]
    fn behind_https_the_cookie_is_one_that_no_neighbour_can_set() {
        let at = |public_url: &str| {
            Config::parse(&format!("[server]\npublic_url = \"{public_url}\"\n")).expect("valid")
        };
        let written = |public_url: &str| {
            cookie("xyz", &at(public_url)).expect("a cookie").to_str().expect("text").to_owned()
        };
        let own = written("https://huoyan.county.example");
        assert!(
            own.starts_with("__Host-huoyan_session=xyz; Path=/;") && own.ends_with("; Secure"),
            "{own}"
        );
        assert!(!own.contains("Domain"), "{own}");
        assert!(
            written("http://10.0.0.5:8131").starts_with("huoyan_session=xyz;"),
            "an office PC without TLS"
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::from_static("huoyan_session=a-neighbours; __Host-huoyan_session=own"),
        );
        assert_eq!(token(&headers, &at("https://huoyan.county.example")), Some("own"));
        headers.insert(COOKIE, HeaderValue::from_static("huoyan_session=a-neighbours"));
        assert_eq!(token(&headers, &at("https://huoyan.county.example")), None);
    }
}
