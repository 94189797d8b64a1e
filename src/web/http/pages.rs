//! The few pages that the server writes itself: login, and what to do without one. Small, without
//! scripts, in both languages.

use crate::lang::Lang;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// A button, because messengers open links to draw a preview and must not use the link up. The form
/// has no action address, so it posts to its own, and the token never stands in the page.
pub(super) fn login(lang: Lang) -> Response {
    let words = lang.pick(
        "点下面的按钮登录。此链接只能用一次。",
        "Press the button to log in. This link works once.",
    );
    let button = lang.pick("登录", "Log in");
    page(
        StatusCode::OK,
        lang,
        lang.pick("登录火眼", "Log in to Huoyan"),
        &format!(
            r#"<p>{words}</p><form method="post"><button id="login" autofocus>{button}</button></form>"#
        ),
    )
}

/// The link was used, has expired, or never existed.
pub(super) fn login_spent(lang: Lang) -> Response {
    let words = lang.pick(
        "此登录链接已使用或已过期。请打电话给值班室，索取新的链接；链接只能用一次，收到后尽快打开。\
         如果您已在这部手机上登录，直接打开原来的页面即可。",
        "This login link has been used or has expired. Call the duty room for a new one; it works \
        once, so open it soon. If this phone is already logged in, just open your page.",
    );
    page(
        StatusCode::GONE,
        lang,
        lang.pick("链接已失效", "This link no longer works"),
        &format!("<p>{words}</p>"),
    )
}

/// A page opened without a session.
pub(super) fn login_needed(lang: Lang) -> Response {
    let words = lang.pick(
        "请先登录：打开值班室发给您的登录链接。没有链接时，请打电话给值班室；值班员在服务器上运行 \
        <code>huoyan user enrol</code> 即可生成。",
        "Please log in first: open the login link the duty room sent you. If you have none, call \
        the duty room: \
         the duty officer makes one with <code>huoyan user enrol</code> on the server.",
    );
    page(
        StatusCode::UNAUTHORIZED,
        lang,
        lang.pick("尚未登录", "Not logged in"),
        &format!("<p>{words}</p>"),
    )
}

pub(super) fn too_many_attempts(lang: Lang) -> Response {
    let words = lang.pick(
        "登录尝试过于频繁，请一分钟后再试。",
        "Too many login attempts. Please try again in a minute.",
    );
    page(
        StatusCode::TOO_MANY_REQUESTS,
        lang,
        lang.pick("请稍候", "Please wait"),
        &format!("<p>{words}</p>"),
    )
}

/// The form was sent from another site's page, or the office's address is not the configured one.
pub(super) fn login_from_elsewhere(lang: Lang) -> Response {
    let words = lang.pick(
        "登录请求来自其他网站，已拒绝；链接仍然有效。请直接打开收到的链接；仍不行请让运维检查 \
        <code>[server] public_url</code> 是否与浏览器中的地址一致。",
        "The login came from another site and was refused. The link still works: open it as you \
        received it. If that fails again, \
         ask operations to check that <code>[server] public_url</code> is the address in the \
         browser.",
    );
    page(
        StatusCode::FORBIDDEN,
        lang,
        lang.pick("来源不符", "Not from our page"),
        &format!("<p>{words}</p>"),
    )
}

/// The host is no county's of this server.
pub(crate) fn nobodys_host(lang: Lang) -> Response {
    let words = lang.pick(
        "这个网址不是本服务器上任何一个县的。请核对主机名，或直接打开值班室发给您的链接；仍打不开时，\
        请打电话给值班室。",
        "This address is no county's on this server. Check the host name, or open the link that \
        the duty room sent you; if that fails, too, call the duty room.",
    );
    page(
        StatusCode::MISDIRECTED_REQUEST,
        lang,
        lang.pick("没有这个网址", "No such address"),
        &format!("<p>{words}</p>"),
    )
}

/// The county is this host's, and does not run.
pub(crate) fn county_closed(lang: Lang) -> Response {
    let words = lang.pick(
        "本县的系统现在没有启动，正在不断重试。急事请打电话给值班室；原因写在中心的页面和日志里，\
        请告知运维。",
        "This county's system is not running now, and is tried again all the time. If it is \
        urgent, phone the duty room. The reason stands on the centre's page and in its log: tell \
        operations.",
    );
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        lang,
        lang.pick("暂不可用", "Not available"),
        &format!("<p>{words}</p>"),
    )
}

pub(super) fn login_broken(lang: Lang) -> Response {
    let words = lang.pick(
        "系统暂时无法登录，请稍后再点一次；仍不行请向值班室索取新的链接，并告知运维。",
        "Logging in is not possible now. Please try again; if it fails again, ask the duty room \
        for a new link and tell operations.",
    );
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        lang,
        lang.pick("暂不可用", "Not available"),
        &format!("<p>{words}</p>"),
    )
}

/// Title and body are fixed texts of ours: nothing that a person typed ever stands in these pages.
fn page(status: StatusCode, lang: Lang, title: &str, body: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="{}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>
<style>body{{font:18px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;color:#111;background:#fff;max-width:34em;margin:12vh auto 0;padding:0 20px}}
h1{{font-size:24px}}button{{font:inherit;font-weight:700;width:100%;min-height:88px;border:0;border-radius:12px;color:#fff;background:#9b1c14}}
button:focus-visible{{outline:4px solid #0b4f8a;outline-offset:3px}}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"#,
        lang.code()
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Elsewhere it is "no-referrer", with which a browser would hide the form's origin from us,
        // too.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (status, headers, html).into_response()
}
