//! The built pages and their files, embedded in the program.

use super::auth::Visitor;
use super::error::{Answer, Problem};
use super::pages;
use super::rights::Right;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "src/web/ui/dist"]
struct Dist;

/// What a browser may do with our pages: load nothing from elsewhere, show nothing in a foreign
/// frame (invariant 8: no CDN).
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; \
    style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The ranger's page asks for the position and takes photos. No page of ours uses microphone,
/// payment or USB.
pub(crate) const PERMISSIONS_POLICY: &str = "geolocation=(self), camera=(self), microphone=(), \
    payment=(), usb=()";

/// A file with a content hash in its name never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

/// `/`: redirects everybody to their own page.
pub(crate) async fn home(visitor: Visitor) -> Response {
    match visitor.me {
        Some(me) => Redirect::to(me.right.face()).into_response(),
        None => pages::login_needed(visitor.lang),
    }
}

pub(crate) async fn office(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    face("office.html", visitor, &headers)
}

pub(crate) async fn wall(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    face("wall.html", visitor, &headers)
}

pub(crate) async fn ranger(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    face("ranger.html", visitor, &headers)
}

pub(crate) async fn ops(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    face("ops.html", visitor, &headers)
}

/// The page of a centre of several counties.
pub(crate) async fn counties(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    let Some(me) = visitor.me else { return Ok(pages::login_needed(visitor.lang)) };
    if !me.right.is_county() {
        return Err(Problem::forbidden(
            "此页面只限值班室；乡镇和护林员请打开本县的网址。",
            "This page is the duty room's. Townships and rangers open their own county's address.",
        ));
    }
    Ok(answer(&get("counties.html")?, "text/html; charset=utf-8", ASK_FIRST, &headers))
}

pub(crate) async fn registers(visitor: Visitor, headers: HeaderMap) -> Answer<Response> {
    face("registers.html", visitor, &headers)
}

/// Pages that a township has.
const TOWNSHIP_PAGES: [&str; 2] = ["office.html", "wall.html"];

/// A page for logged-in people. Who opens one that is not theirs gets their own.
fn face(page: &str, visitor: Visitor, headers: &HeaderMap) -> Answer<Response> {
    let Some(me) = visitor.me else { return Ok(pages::login_needed(visitor.lang)) };
    let is_theirs = match me.right {
        Right::Ranger => page == "ranger.html",
        Right::Township(_) => TOWNSHIP_PAGES.contains(&page),
        Right::Officer | Right::Ops => true,
    };
    if !is_theirs {
        return Ok(Redirect::to(me.right.face()).into_response());
    }
    Ok(answer(&get(page)?, "text/html; charset=utf-8", ASK_FIRST, headers))
}

/// Scripts, styles, icons. They are the same for everybody, so the login page and the offline phone
/// need no session.
pub(crate) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let path = format!("assets/{path}");
    let file = get(&path)?;
    let cache = if is_hashed(&path) { FOREVER } else { ASK_FIRST };
    Ok(answer(&file, file.metadata.mimetype(), cache, &headers))
}

/// The ranger's service worker, at the top level so that its scope may include `/ranger`.
pub(crate) async fn service_worker(headers: HeaderMap) -> Answer<Response> {
    let mut response =
        answer(&get("sw.js")?, "text/javascript; charset=utf-8", ASK_FIRST, &headers);
    response.headers_mut().insert("service-worker-allowed", HeaderValue::from_static("/"));
    Ok(response)
}

fn get(path: &str) -> Answer<EmbeddedFile> {
    Dist::get(path).ok_or_else(Problem::not_found)
}

fn answer(file: &EmbeddedFile, kind: &str, cache: HeaderValue, asked: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    // Compression turns the entity tag into a weak one.
    let known =
        asked.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes().ends_with(etag.as_bytes()));
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => file.data.clone().into_owned().into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, cache);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if let (false, Ok(kind)) = (known, HeaderValue::from_str(kind)) {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

/// Vite writes `name-Ab3_xY9-.js`: eight letters of hash before the ending.
fn is_hashed(path: &str) -> bool {
    let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let Some(dash) = stem.len().checked_sub(9) else { return false };
    stem.as_bytes()[dash] == b'-'
        && stem.bytes().skip(dash + 1).all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_forever() {
        for (path, hashed) in [
            ("assets/office-BxR3_k9Q.js", true),
            ("assets/base-Ab3-xY9-.css", true),
            ("assets/icon.svg", false),
            ("assets/ranger.webmanifest", false),
            ("assets/火眼.svg", false),
        ] {
            assert_eq!(is_hashed(path), hashed, "{path}");
        }
    }

    #[test]
    fn the_pages_are_the_real_ones_where_they_must_be() {
        let page = Dist::get("office.html").expect("build.rs writes at least a stub");
        let stub =
            String::from_utf8_lossy(&page.data).contains(r#"name="huoyan-ui" content="missing""#);
        if std::env::var_os("HUOYAN_REQUIRE_UI").is_some() {
            assert!(
                !stub,
                "run `make ui` before building: the pages in the program are the \
                stand-ins"
            );
        }
    }
}
